/*
  job_report.c: codim report: pages from the directories of finished runs.
*/
#include "codim/page.h"
#include "job_state.h"

/* dir and what follows it on the command line, up to the first option */
static PetscErrorCode GetDirectories(const char dir[], PetscInt *n, const char ***dirs)
{
  char **arguments;
  int    count;

  PetscFunctionBeginUser;
  PetscCall(PetscGetArgs(&count, &arguments));
  PetscCall(PetscMalloc1(count + 1, dirs));
  (*dirs)[0] = dir;
  *n         = 1;
  for (int i = 3; i < count && arguments[i][0] != '-'; i++) (*dirs)[(*n)++] = arguments[i]; /* before: codim -skip_petscrc true */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobReport(const char dir[], ExitStatus *status)
{
  Complaint    complaint = {STATUS_HOLDS, ""};
  OptionString path      = "compare.html";
  const char **dirs;
  PetscInt     n = 0;
  PetscMPIInt  rank;

  PetscFunctionBeginUser;
  PetscCall(GetDirectories(dir, &n, &dirs));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-output", path, sizeof(path), NULL));
  PetscCall(OptionsCheckUnused(PETSC_COMM_WORLD, JobKeys));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) {
    if (n == 1)
      PageWrite(dir, sizeof(path), path, &complaint);
    else
      PageCompare(n, dirs, path, &complaint);
  }
  PetscCall(PetscFree(dirs));
  PetscCall(ComplaintRaise(PETSC_COMM_WORLD, &complaint));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s\n", path));
  *status = STATUS_HOLDS;
  PetscFunctionReturn(PETSC_SUCCESS);
}
