/*
  data_npy.c: NumPy's .npy, versions 1 to 3: the magic string, the length of the header, the header (a Python dict: descr,
  fortran_order, shape), the numbers.
*/
#include "data_read.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NPY_HEADER_MAX = 1 << 20 };

typedef struct {
  const char *path;
  FILE       *file;
  Number      number;
  PetscBool   fortran;
  int         ndim;
  uint64_t    dims[TABLE_DIMS_MAX];
} Npy;

/* What stands behind 'key': in the header, or NULL. */
static const char *NpyValue(const char header[], const char key[])
{
  const char *value = strstr(header, key);

  if (!value) return NULL;
  value += strlen(key);
  value += strspn(value, " ");
  if (*value++ != ':') return NULL;
  return value + strspn(value, " ");
}

/* '<f8': order, kind, bytes */
static void NpyParseType(Npy *npy, const char value[], Complaint *complaint)
{
  size_t length = value && *value == '\'' ? strcspn(value + 1, "'") : 0;

  if (length >= 3 && strchr("<>|=", value[1])) {
    npy->number.kind  = value[2];
    npy->number.bytes = strtoul(value + 3, NULL, 10);
    npy->number.big   = (PetscBool)(value[1] == '>');
  }
  if (!NumberIsKnown(npy->number))
    Complain(complaint, STATUS_DATA, "%s: entries of type %.*s; known are f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 and bool", npy->path,
             length ? (int)PetscMin(length, 64) + 2 : 10, length ? value : "(a record)");
}

/* (3, 4): dimensions beyond TABLE_DIMS_MAX are counted only */
static void NpyParseShape(Npy *npy, const char value[], Complaint *complaint)
{
  PetscBool ok = (PetscBool)(value && *value++ == '(');

  while (ok && *(value += strspn(value, " ,")) != ')') {
    char    *end;
    uint64_t dim = strtoull(value, &end, 10);

    ok = (PetscBool)(isdigit((unsigned char)*value) && npy->ndim < 64);
    if (ok && npy->ndim < TABLE_DIMS_MAX) npy->dims[npy->ndim] = dim;
    npy->ndim++;
    value = end;
  }
  if (!ok) Complain(complaint, STATUS_DATA, "%s: the .npy header has no readable shape", npy->path);
}

static void NpyParseHeader(Npy *npy, const char header[], Complaint *complaint)
{
  const char *order = NpyValue(header, "'fortran_order'");

  NpyParseType(npy, NpyValue(header, "'descr'"), complaint);
  NpyParseShape(npy, NpyValue(header, "'shape'"), complaint);
  npy->fortran = (PetscBool)(order && strncmp(order, "True", 4) == 0);
  if (!npy->fortran && (!order || strncmp(order, "False", 5) != 0))
    Complain(complaint, STATUS_DATA, "%s: the .npy header has no readable fortran_order", npy->path);
}

static void NpyOpen(Npy *npy, Complaint *complaint)
{
  unsigned char start[12] = {0};
  size_t        bytes; /* of the header's length */
  PetscReal     length = 0;
  char         *header = NULL;

  npy->file = fopen(npy->path, "rb");
  if (!npy->file) {
    Complain(complaint, STATUS_DATA, "%s: cannot be opened: %s", npy->path, strerror(errno));
    return;
  }
  if (fread(start, 1, 8, npy->file) != 8 || memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 || start[6] > 3) {
    Complain(complaint, STATUS_DATA, "%s: not a NumPy .npy file of version 1, 2 or 3", npy->path);
    return;
  }
  bytes = start[6] == 1 ? 2 : 4;
  if (fread(start + 8, 1, bytes, npy->file) == bytes) NumbersDecode((Number){'u', bytes, PETSC_FALSE}, 1, start + 8, 1, &length);
  if (length <= NPY_HEADER_MAX) header = calloc((size_t)length + 1, 1);
  if (!header || fread(header, 1, (size_t)length, npy->file) != (size_t)length)
    Complain(complaint, STATUS_DATA, "%s: the .npy header is cut short or damaged (length %.0f)", npy->path, (double)length);
  else
    NpyParseHeader(npy, header, complaint);
  free(header);
}

/* The row-major place of column f of a Fortran-ordered array, where the first of dims[1 …] runs fastest. */
static size_t NpyFortranColumn(const Npy *npy, size_t f)
{
  size_t col = 0;

  for (int k = 1; k < npy->ndim; k++) {
    col = col * npy->dims[k] + f % npy->dims[k];
    f /= npy->dims[k];
  }
  return col;
}

/* C order: the file has rows of `cols` numbers; Fortran order: columns of `available` numbers, of which the first `rows` count. */
static void NpyReadNumbers(const Npy *npy, Table *table, Complaint *complaint)
{
  size_t         lines = npy->fortran ? table->cols : table->rows;
  size_t         n     = npy->fortran ? table->rows : table->cols;
  off_t          skip  = npy->fortran ? (off_t)((table->available - table->rows) * npy->number.bytes) : 0;
  unsigned char *raw   = TableCalloc(table, 1, n, npy->number.bytes, complaint);

  for (size_t line = 0; !complaint->status && line < lines; line++) {
    size_t read = fread(raw, npy->number.bytes, n, npy->file);

    if (read != n)
      Complain(complaint, STATUS_DATA, "%s: cut short: ends after %zu of the %zu x %zu numbers needed of %s", npy->path,
               line * n + read, table->rows, table->cols, table->name);
    else if (npy->fortran)
      NumbersDecode(npy->number, n, raw, table->cols, table->a + NpyFortranColumn(npy, line));
    else
      NumbersDecode(npy->number, n, raw, 1, table->a + line * n);
    if (skip && fseeko(npy->file, skip, SEEK_CUR))
      Complain(complaint, STATUS_DATA, "%s: cannot be read: %s", npy->path, strerror(errno));
  }
  free(raw);
}

static void NpyReadTable(Table *table, Complaint *complaint)
{
  Npy npy = {.path = table->path};

  NpyOpen(&npy, complaint);
  if (!complaint->status) TableCreate(table, npy.ndim, npy.dims, complaint);
  if (!complaint->status && table->a) NpyReadNumbers(&npy, table, complaint);
  if (npy.file) fclose(npy.file);
}

static void NpyRead(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  (void)options;
  NpyReadTable(x, complaint);
  if (!complaint->status && y) NpyReadTable(y, complaint);
}

static PetscBool NpyMatches(const DataOptions *options)
{
  return (PetscBool)(options->x[0] != '\0');
}

const DataFormat DataFormatNumPy = {NpyMatches, NpyRead};
