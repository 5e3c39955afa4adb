/*
  threads.c: see threads.h.
*/
#include "codim/threads.h"
#include <omp.h>

size_t ThreadsLeast = 1 << 14;

/* OpenBLAS' own; NULL with another BLAS */
extern int openblas_get_parallel(void) __attribute__((weak));

static PetscBool BlasHasItsOwn(void)
{
  enum { THREADS = 1 /* 0: none, 2: OpenMP's */ };

  return (PetscBool)(openblas_get_parallel && openblas_get_parallel() == THREADS);
}

PetscInt ThreadsCount(void)
{
  return omp_get_max_threads();
}

PetscBool ThreadsShare(size_t entries)
{
  return (PetscBool)(entries >= ThreadsLeast && ThreadsCount() > 1 && !BlasHasItsOwn());
}

void ThreadsZero(size_t count, PetscReal x[])
{
#pragma omp parallel for simd if (parallel : ThreadsShare(count))
  for (size_t i = 0; i < count; i++) x[i] = 0;
}
