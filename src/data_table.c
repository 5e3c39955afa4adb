/* data_table.c: tables and numbers, what the file formats have in common. */
#include "data_read.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* so that bytes stay below 2^63, whatever a damaged header says */
static const uint64_t entries_max = (uint64_t)1 << 59;

PetscBool PathHasSuffix(const char path[], const char suffix[])
{
  size_t length = strlen(path), tail = strlen(suffix);

  return (PetscBool)(length >= tail && strcasecmp(path + length - tail, suffix) == 0);
}

static void TableCheckDims(const Table *table, int ndim, const uint64_t dims[], Complaint *complaint)
{
  uint64_t cols = 1;

  if (ndim < table->min_dims || ndim > table->max_dims) {
    Complain(complaint, STATUS_DATA, "%s: %s has %d dimensions; it takes %d to %d, points first", table->path, table->name, ndim,
             table->min_dims, table->max_dims);
    return;
  }
  for (int k = 0; k < ndim; k++) {
    uint64_t limit = (uint64_t)PETSC_MAX_INT / cols; /* the columns together have an index too */

    if (!dims[k] || dims[k] > limit) {
      Complain(complaint, STATUS_DATA, "%s: dimension %d of %s is %llu; here it can be 1 to %llu", table->path, k + 1, table->name,
               (unsigned long long)dims[k], (unsigned long long)limit);
      return;
    }
    if (k) cols *= dims[k];
  }
}

void *TableCalloc(const Table *table, size_t rows, size_t cols, size_t size, Complaint *complaint)
{
  void *a = rows && cols && rows <= entries_max / cols ? calloc(rows, cols * size) : NULL;

  if (!a)
    Complain(complaint, STATUS_DATA, "%s: too little memory: %zu x %zu numbers of %s take %.3g GB; data.points takes fewer",
             table->path, rows, cols, table->name, 1e-9 * (double)rows * (double)cols * (double)size);
  return a;
}

void TableCreate(Table *table, int ndim, const uint64_t dims[], Complaint *complaint)
{
  TableCheckDims(table, ndim, dims, complaint);
  if (complaint->status) return;
  table->available = dims[0];
  table->cols      = 1;
  for (int k = 1; k < ndim; k++) table->cols *= dims[k];
  table->rows = table->points ? table->points : table->available;
  if (table->rows > table->available)
    Complain(complaint, STATUS_DATA, "%s: data.points asks for %zu points, %s has %zu", table->path, table->rows, table->name,
             table->available);
  else if (!table->shape_only)
    table->a = TableCalloc(table, table->rows, table->cols, sizeof *table->a, complaint);
}

PetscBool NumberIsKnown(Number number)
{
  size_t bytes = number.bytes;

  switch (number.kind) {
  case 'f':
    return (PetscBool)(bytes == 4 || bytes == 8);
  case 'i':
  case 'u':
    return (PetscBool)(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
  case 'b':
    return (PetscBool)(bytes == 1);
  default:
    return PETSC_FALSE;
  }
}

static PetscReal NumberValue(Number number, uint64_t bits)
{
  uint32_t low = (uint32_t)bits;
  float    single;
  double   value;

  switch (number.kind) {
  case 'f':
    memcpy(&single, &low, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return number.bytes == sizeof single ? (PetscReal)single : (PetscReal)value;
  case 'i':
    if (number.bytes == 1) return (int8_t)bits;
    if (number.bytes == 2) return (int16_t)bits;
    if (number.bytes == 4) return (int32_t)bits;
    return (PetscReal)(int64_t)bits;
  default:
    return (PetscReal)bits;
  }
}

void NumbersDecode(Number number, size_t n, const unsigned char raw[], size_t stride, PetscReal out[])
{
  for (size_t i = 0; i < n; i++, raw += number.bytes) {
    uint64_t bits = 0;

    for (size_t b = 0; b < number.bytes; b++) bits = bits << 8 | raw[number.big ? b : number.bytes - 1 - b];
    out[i * stride] = NumberValue(number, bits);
  }
}
