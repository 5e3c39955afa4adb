/*
  table.h: columns as a CSV file, for people and for every other program, and as a table in an HDF5 file.
*/
#pragma once

#include "base.h"

typedef struct {
  const char      *name;
  const PetscReal *values; /* one a row; what is not finite is left empty. Read on rank 0 */
} TableColumn;

/** A header line, then `rows` lines, each number with the digits that give the same double again; columns end at a NULL name. Beside its place first.
    STATUS_DATA if it cannot be written. Collective; rank 0 writes. */
PetscErrorCode TableWriteCSV(MPI_Comm comm, const char path[], PetscInt rows, const TableColumn columns[]);

/* A column of numbers or of texts. */
typedef struct {
  const char        *name;
  const PetscReal   *values;
  const char *const *texts; /* instead of values where not NULL */
} TableField;

/** The same without MPI or PETSc at work: a complaint (STATUS_DATA). Serial. */
void TableWriteFields(const char path[], PetscInt rows, const TableField fields[], Complaint *complaint);

/** Dataset /name of a new file: a record a row, with those fields (doubles, NaN where there is none; UTF-8 texts). Serial; needs no MPI. */
void TableWriteHDF5(const char path[], const char name[], PetscInt rows, const TableField fields[], Complaint *complaint);
