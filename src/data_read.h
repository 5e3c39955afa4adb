/*
  data_read.h: what data.c asks of a file format. Rank 0 alone reads: everything here is serial.

  A new format is one file data_<format>.c with a DataFormat, and one line in the table of data.c.
*/
#pragma once

#include "codim/data.h"
#include <stdint.h>

enum { TABLE_DIMS_MAX = 8 };

/* Rows of numbers. The upper half is what is asked for, the lower what was read. */
typedef struct {
  const char *name; /* "x" or "y" */
  const char *path;
  int         min_dims, max_dims; /* dimensions a file may give it: 2 … 8 for inputs, 1 … 2 for targets */
  size_t      points;             /* rows wanted, from the first; 0: all */
  PetscBool   shape_only;         /* no numbers are wanted: a stays NULL */

  size_t     available;  /* rows in the file */
  size_t     rows, cols; /* rows kept; product of the dimensions after the first */
  PetscReal *a;          /* rows x cols, row-major; by TableCalloc */
} Table;

/** Shape and allocate from a file's dimensions. A complaint on too few or too many of them, one that is 0, fewer rows than
    wanted, or too little memory. */
void TableCreate(Table *table, int ndim, const uint64_t dims[], Complaint *complaint);

/** rows x cols things of `size` bytes, zero, for free(); or NULL and a complaint that names the table's file. */
void *TableCalloc(const Table *table, size_t rows, size_t cols, size_t size, Complaint *complaint);

typedef struct {
  PetscBool (*matches)(const DataOptions *options); /* do the options ask for this format? */
  /* fill x and y (NULL: no targets are wanted); whatever is wrong with a file becomes the complaint */
  void (*read)(const DataOptions *options, Table *x, Table *y, Complaint *complaint);
} DataFormat;

extern const DataFormat DataFormatHDF5, DataFormatCSV, DataFormatNumPy, DataFormatIDX;

/** Does path end in suffix, in upper or lower case? */
PetscBool PathHasSuffix(const char path[], const char suffix[]);

/* A number as binary files hold it. */
typedef struct {
  char      kind; /* numpy's: 'f' IEEE, 'i' two's complement, 'u' unsigned, 'b' bool */
  size_t    bytes;
  PetscBool big; /* most significant byte first */
} Number;

PetscBool NumberIsKnown(Number number);

/** out[i stride] = number i of raw, i < n */
void NumbersDecode(Number number, size_t n, const unsigned char raw[], size_t stride, PetscReal out[]);

/* ---- after reading: data_scale.c ----------------------------------------------------------------------------------- */

void ScaleInputs(DataScale scale, size_t d, size_t p, PetscReal x[]);
void ScaleLike(DataScale scale, size_t d, size_t p, const PetscReal x[], size_t N,
               PetscReal held[]);                                                            /* as ScaleInputs will scale x */
void ScaleTargets(DataScale scale, size_t d, size_t l, PetscReal y[], Complaint *complaint); /* NaN stays */

/** One column of classes to one column a class. */
void TargetsOneHot(Table *y, Complaint *complaint);
