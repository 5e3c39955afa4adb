/*
  table.h: columns of numbers as a CSV file, for people and for every other program.
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
