/*
  threads.c: see threads.h.
*/
#include "codim/threads.h"
#include "codim/machine.h"
#include <omp.h>

size_t ThreadsLeast = 1 << 14;

PetscInt ThreadsCount(void)
{
  return omp_get_max_threads();
}

PetscBool ThreadsShare(size_t entries)
{
  return (PetscBool)(entries >= ThreadsLeast && ThreadsCount() > 1 && MachineBlasThreads() != BLAS_OWN_THREADS);
}

void ThreadsZero(size_t count, PetscReal x[])
{
#pragma omp parallel for simd if (parallel : ThreadsShare(count))
  for (size_t i = 0; i < count; i++) x[i] = 0;
}
