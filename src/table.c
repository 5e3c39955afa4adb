/*
  table.c: see table.h.
*/
#include "codim/table.h"
#include "file.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
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

/* in memory first */
static void Write(const char path[], PetscInt rows, const TableColumn columns[], Complaint *complaint)
{
  const locale_t C = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = uselocale(C);
  char          *text   = NULL;
  size_t         size   = 0;
  FILE          *out    = open_memstream(&text, &size);
  int            reason = out ? 0 : errno;

  if (out) PutRows(out, rows, columns);
  if (out) reason = fclose(out) ? errno : FileWrite(path, text, size);
  if (reason) FileComplain(complaint, path, reason);
  free(text);
  uselocale(before);
  freelocale(C);
}

PetscErrorCode TableWriteCSV(MPI_Comm comm, const char path[], PetscInt rows, const TableColumn columns[])
{
  Complaint   complaint = {.status = STATUS_HOLDS};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) Write(path, rows, columns, &complaint);
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
