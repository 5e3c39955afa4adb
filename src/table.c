/*
  table.c: see table.h.
*/
#include "codim/table.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <string.h>

static void PutRows(FILE *out, PetscInt rows, const TableColumn columns[])
{
  for (const TableColumn *column = columns; column->name; column++)
    fprintf(out, "%s%s", column == columns ? "" : ",", column->name);
  fputc('\n', out);
  for (PetscInt row = 0; row < rows; row++) {
    for (const TableColumn *column = columns; column->name; column++) {
      if (column != columns) fputc(',', out);
      if (isfinite(column->values[row])) fprintf(out, "%.17g", (double)column->values[row]);
    }
    fputc('\n', out);
  }
}

static void WriteBeside(const char path[], PetscInt rows, const TableColumn columns[], Complaint *complaint)
{
  const locale_t C = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = uselocale(C);
  char           beside[PETSC_MAX_PATH_LEN + 8];
  FILE          *out;
  PetscBool      bad = PETSC_TRUE;

  snprintf(beside, sizeof beside, "%s.tmp", path);
  out = fopen(beside, "w");
  if (out) {
    PutRows(out, rows, columns);
    bad = (PetscBool)(ferror(out) != 0);
    bad = (PetscBool)(fclose(out) != 0 || bad || rename(beside, path) != 0);
  }
  if (bad) {
    Complain(complaint, STATUS_DATA, "%s: the table cannot be written: %s. Choose another `output`, or make room there", path,
             strerror(errno));
    if (out) remove(beside);
  }
  uselocale(before);
  freelocale(C);
}

PetscErrorCode TableWriteCSV(MPI_Comm comm, const char path[], PetscInt rows, const TableColumn columns[])
{
  Complaint   complaint = {.status = STATUS_HOLDS};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) WriteBeside(path, rows, columns, &complaint);
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
