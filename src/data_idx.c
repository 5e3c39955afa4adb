/*
  data_idx.c: IDX, as MNIST has it, gzipped or not (zlib reads both): bytes 0, 0, the type, the number of dimensions; the
  dimensions, four bytes each; the numbers. Most significant byte first.
*/
#include "data_read.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const struct {
  unsigned char code;
  Number        number;
} IdxTypes[] = {
    {0x08, {'u', 1, PETSC_TRUE}}, {0x09, {'i', 1, PETSC_TRUE}}, {0x0B, {'i', 2, PETSC_TRUE}},
    {0x0C, {'i', 4, PETSC_TRUE}}, {0x0D, {'f', 4, PETSC_TRUE}}, {0x0E, {'f', 8, PETSC_TRUE}},
};

/* Why a read stopped. zlib says "path: reason", of its own failures only. */
static const char *IdxReason(gzFile file, const Table *table)
{
  int         code;
  const char *text = gzerror(file, &code);
  size_t      path = strlen(table->path);

  if (code == Z_OK || code == Z_STREAM_END) return "the file ends";
  if (code == Z_ERRNO) return strerror(errno);
  return strncmp(text, table->path, path) ? text : text + path + strspn(text + path, ": ");
}

static int IdxReadHeader(gzFile file, const Table *table, Number *number, uint64_t dims[], Complaint *complaint)
{
  unsigned char start[4], raw[4 * 256];
  PetscReal     sizes[256];
  size_t        ndim;

  if (gzfread(start, 1, 4, file) != 4) {
    Complain(complaint, STATUS_DATA, "%s: cannot be read: %s", table->path, IdxReason(file, table));
    return 0;
  }
  if (start[0] || start[1] || !start[3]) {
    Complain(complaint, STATUS_DATA, "%s: not an IDX file, gzipped or not", table->path);
    return 0;
  }
  for (size_t k = 0; k < sizeof IdxTypes / sizeof *IdxTypes; k++)
    if (IdxTypes[k].code == start[2]) *number = IdxTypes[k].number;
  if (!number->kind) {
    Complain(complaint, STATUS_DATA, "%s: IDX type 0x%02x is unknown; known are 08 09 0B 0C 0D 0E", table->path, start[2]);
    return 0;
  }
  ndim = start[3];
  if (gzfread(raw, 4, ndim, file) != ndim) {
    Complain(complaint, STATUS_DATA, "%s: the IDX header is cut short: %s", table->path, IdxReason(file, table));
    return 0;
  }
  NumbersDecode((Number){'u', 4, PETSC_TRUE}, ndim, raw, 1, sizes);
  for (size_t k = 0; k < ndim && k < TABLE_DIMS_MAX; k++) dims[k] = (uint64_t)sizes[k];
  return (int)ndim;
}

static void IdxReadNumbers(gzFile file, Number number, Table *table, Complaint *complaint)
{
  unsigned char *raw = TableCalloc(table, 1, table->cols, number.bytes, complaint);

  for (size_t row = 0; !complaint->status && row < table->rows; row++) {
    if (gzfread(raw, number.bytes, table->cols, file) != table->cols)
      Complain(complaint, STATUS_DATA, "%s: cut short or damaged in row %zu of %zu: %s", table->path, row + 1, table->available,
               IdxReason(file, table));
    else
      NumbersDecode(number, table->cols, raw, 1, table->a + row * table->cols);
  }
  /* gzip's checksum is compared at the end of the stream only */
  if (!complaint->status && table->rows == table->available) {
    int more = gzread(file, raw, 1);

    if (more > 0) Complain(complaint, STATUS_DATA, "%s: goes on after the %zu rows of its header", table->path, table->available);
    if (more < 0) Complain(complaint, STATUS_DATA, "%s: damaged: %s", table->path, IdxReason(file, table));
  }
  free(raw);
}

static void IdxReadTable(Table *table, Complaint *complaint)
{
  Number   number               = {0};
  uint64_t dims[TABLE_DIMS_MAX] = {0};
  gzFile   file;
  int      ndim;

  errno = 0;
  file  = gzopen(table->path, "rb");
  if (!file) {
    Complain(complaint, STATUS_DATA, "%s: cannot be opened: %s", table->path, errno ? strerror(errno) : "too little memory");
    return;
  }
  ndim = IdxReadHeader(file, table, &number, dims, complaint);
  if (!complaint->status) TableCreate(table, ndim, dims, complaint);
  if (!complaint->status && table->a) IdxReadNumbers(file, number, table, complaint);
  gzclose(file);
}

static void IdxRead(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  (void)options;
  IdxReadTable(x, complaint);
  if (!complaint->status && y) IdxReadTable(y, complaint);
}

static PetscBool IdxMatches(const DataOptions *options)
{
  return (PetscBool)(options->images[0] != '\0');
}

const DataFormat DataFormatIDX = {IdxMatches, IdxRead};
