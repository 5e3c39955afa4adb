/*
  tap.h: collective assertions, printed by rank 0 as TAP.

  A test program: int main → TapBegin; Tap(condition, "claim", …) as often as wanted; return TapEnd(). A claim holds if it holds on every
  rank; no assertion jumps. An error returned by PETSc inside a test ends it as a failure (TapCall).
*/
#pragma once

#include "codim/base.h"
#include <slepc.h>
#include <stdarg.h>

static int tap_count, tap_failed;

static inline int Tap(PetscBool ok, const char format[], ...)
{
  int     mine = ok ? 1 : 0, all = 0, rank;
  va_list args;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  tap_count++;
  tap_failed += !all;
  if (rank == 0) {
    printf("%sok %d - ", all ? "" : "not ", tap_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
  }
  return all;
}

/* |a - b| <= tolerance * scale, on every rank; prints both where it fails */
static inline int TapClose(PetscReal a, PetscReal b, PetscReal scale, PetscReal tolerance, const char claim[])
{
  PetscBool ok = (PetscBool)(PetscAbsReal(a - b) <= tolerance * scale);

  if (!Tap(ok, "%s", claim) && !ok)
    fprintf(stderr, "# %.17g and %.17g differ by %.3g, allowed %.3g\n", (double)a, (double)b, (double)PetscAbsReal(a - b),
            (double)(tolerance * scale));
  return ok;
}

#define TapCall(...)                                                                                                               \
  do {                                                                                                                             \
    PetscErrorCode tap_ierr = (__VA_ARGS__);                                                                                       \
    if (tap_ierr) {                                                                                                                \
      printf("Bail out! error %d at %s:%d\n", (int)tap_ierr, __FILE__, __LINE__);                                                  \
      fflush(stdout);                                                                                                              \
      MPI_Abort(MPI_COMM_WORLD, 1);                                                                                                \
    }                                                                                                                              \
  } while (0)

static inline void TapBegin(int *argc, char ***argv)
{
  TapCall(SlepcInitialize(argc, argv, NULL, NULL));
  TapCall(BaseInitialize());
}

static inline int TapEnd(void)
{
  int rank, failed = tap_failed;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) printf("1..%d\n", tap_count);
  if (SlepcFinalize()) failed++;
  return failed ? 1 : 0;
}
