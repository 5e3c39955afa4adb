/*
  data_csv.c: comma-separated text: a header line, then a line a point; the last data.outputs columns are targets.

  Read twice: once to count the lines, once for the numbers. Lines may end in CR LF; blank lines may follow the last.
*/
#include "data_read.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *path;
  FILE       *file;
  char       *line, *header; /* header: the first line, cut into names */
  size_t      line_size;
  uint64_t    rows, cols;
  char      **names, **cells; /* cols each */
} Csv;

static PetscBool IsBlank(const char line[])
{
  return (PetscBool)(line[strspn(line, " \t\r\n")] == '\0');
}

/* A cell without the blanks around it. */
static char *Trim(char cell[])
{
  char *end = cell + strlen(cell);

  while (end > cell && isspace((unsigned char)end[-1])) end--;
  *end = '\0';
  return cell + strspn(cell, " \t");
}

/* Cut the line at its commas. The number of cells, of which at most max are stored. */
static uint64_t Split(char line[], uint64_t max, char *cells[])
{
  uint64_t n = 0;

  for (char *cell = line, *comma; cell; cell = comma ? comma + 1 : NULL) {
    comma = strchr(cell, ',');
    if (comma) *comma = '\0';
    if (n < max) cells[n] = Trim(cell);
    n++;
  }
  return n;
}

/* The lines up to the last that is not blank. A last line without its end is as programs do not write it: a number in it may have been cut. */
static uint64_t CsvCountLines(Csv *csv, Complaint *complaint)
{
  uint64_t  lines = 0, last = 0;
  PetscBool ended = PETSC_TRUE;
  ssize_t   length;

  while ((length = getline(&csv->line, &csv->line_size, csv->file)) >= 0) {
    lines++;
    if (strlen(csv->line) != (size_t)length) {
      Complain(complaint, STATUS_DATA, "%s: line %llu holds a zero byte: not a text file", csv->path, (unsigned long long)lines);
      break;
    }
    if (IsBlank(csv->line)) continue;
    last  = lines;
    ended = (PetscBool)(csv->line[length - 1] == '\n');
  }
  if (!ended) printf("codim: %s: its last line, %llu, has no end: was the file cut?\n", csv->path, (unsigned long long)last);
  if (ferror(csv->file)) Complain(complaint, STATUS_DATA, "%s: cannot be read: %s", csv->path, strerror(errno));
  rewind(csv->file);
  return last;
}

static PetscBool IsNumber(const char cell[], PetscReal *value)
{
  char *end;

  *value = strtod(cell, &end);
  return (PetscBool)(end > cell && !*end);
}

static void CsvReadHeader(Csv *csv, Complaint *complaint)
{
  uint64_t  numbers = 0, cells;
  PetscReal value;

  if (getline(&csv->header, &(size_t){0}, csv->file) < 0 || IsBlank(csv->header)) {
    Complain(complaint, STATUS_DATA, "%s: the first line is empty; it must name the columns", csv->path);
    return;
  }
  if (strchr(csv->header, '"')) {
    Complain(complaint, STATUS_DATA, "%s: the header has quoted fields, which are not supported: take the quotes off", csv->path);
    return;
  }
  csv->cols = 1;
  for (const char *c = csv->header; *c; c++) csv->cols += *c == ',';
  csv->names = calloc(csv->cols, sizeof *csv->names);
  csv->cells = calloc(csv->cols, sizeof *csv->cells);
  if (!csv->names || !csv->cells) {
    Complain(complaint, STATUS_DATA, "%s: too little memory for %llu columns", csv->path, (unsigned long long)csv->cols);
    return;
  }
  cells = Split(csv->header, csv->cols, csv->names);
  while (numbers < csv->cols && numbers < cells && IsNumber(csv->names[numbers], &value)) numbers++;
  if (numbers == csv->cols)
    Complain(complaint, STATUS_DATA, "%s: the first line holds numbers only; it must name the columns", csv->path);
}

static void CsvOpen(Csv *csv, Complaint *complaint)
{
  uint64_t lines;

  csv->file = fopen(csv->path, "r");
  if (!csv->file) {
    Complain(complaint, STATUS_DATA, "%s: cannot be opened: %s", csv->path, strerror(errno));
    return;
  }
  lines = CsvCountLines(csv, complaint);
  if (complaint->status) return;
  CsvReadHeader(csv, complaint);
  csv->rows = lines - 1;
  if (!complaint->status && !csv->rows) Complain(complaint, STATUS_DATA, "%s: no line of data follows the header", csv->path);
}

static void CsvClose(Csv *csv)
{
  if (csv->file) fclose(csv->file);
  free(csv->line);
  free(csv->header);
  free(csv->names);
  free(csv->cells);
}

/* missing: an empty cell, or nan, is a target that was not observed */
static PetscReal CsvCell(const Csv *csv, size_t row, size_t col, PetscBool missing, Complaint *complaint)
{
  const char *cell = csv->cells[col], *wrong = NULL;
  PetscReal   value;

  if (!*cell && missing) return (PetscReal)NAN;
  if (!*cell)
    wrong = "empty";
  else if (*cell == '"')
    wrong = "quoted, which is not supported: take the quotes off";
  else if (!IsNumber(cell, &value))
    wrong = "not a number";
  else if (!isfinite(value) && !(missing && isnan(value)))
    wrong = "not finite";
  else
    return value;
  Complain(complaint, STATUS_DATA, "%s: data row %zu (line %zu), column %zu '%.64s': '%.64s' is %s", csv->path, row + 1, row + 2,
           col + 1, csv->names[col], cell, wrong);
  return 0;
}

static void CsvReadRow(Csv *csv, size_t row, Table *x, Table *y, Complaint *complaint)
{
  PetscBool empty  = (PetscBool)(getline(&csv->line, &csv->line_size, csv->file) < 0 || IsBlank(csv->line));
  PetscBool quoted = (PetscBool)(!empty && strchr(csv->line, '"'));
  uint64_t  cells  = empty ? 0 : Split(csv->line, csv->cols, csv->cells);

  if (cells != csv->cols) {
    Complain(complaint, STATUS_DATA, "%s: data row %zu (line %zu) has %llu cells, the header has %llu%s", csv->path, row + 1,
             row + 2, (unsigned long long)cells, (unsigned long long)csv->cols, quoted ? "; quoted fields are not supported" : "");
    return;
  }
  for (size_t j = 0; x->a && j < x->cols; j++) x->a[row * x->cols + j] = CsvCell(csv, row, j, PETSC_FALSE, complaint);
  for (size_t o = 0; y && y->a && o < y->cols; o++) y->a[row * y->cols + o] = CsvCell(csv, row, x->cols + o, PETSC_TRUE, complaint);
}

static void CsvRead(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  Csv      csv     = {.path = options->file};
  uint64_t outputs = options->outputs ? (uint64_t)options->outputs : y ? 1 : 0;

  CsvOpen(&csv, complaint);
  if (!complaint->status && csv.cols <= outputs)
    Complain(complaint, STATUS_DATA,
             "%s: has %llu columns, separated by commas; with %llu for targets (data.outputs) none is left for inputs", csv.path,
             (unsigned long long)csv.cols, (unsigned long long)outputs);
  if (!complaint->status) TableCreate(x, 2, (uint64_t[]){csv.rows, csv.cols - outputs}, complaint);
  if (!complaint->status && y) TableCreate(y, 2, (uint64_t[]){csv.rows, outputs}, complaint);
  for (size_t row = 0; !complaint->status && (x->a || (y && y->a)) && row < x->rows; row++) CsvReadRow(&csv, row, x, y, complaint);
  CsvClose(&csv);
}

static PetscBool CsvMatches(const DataOptions *options)
{
  return PathHasSuffix(options->file, ".csv");
}

const DataFormat DataFormatCSV = {CsvMatches, CsvRead};
