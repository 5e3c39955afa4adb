/*
  machine.h: what the speed of dense work depends on: the processor, and the kernels that the BLAS has chosen for it.
*/
#pragma once

#include "base.h"

enum { MACHINE_NAME = 128 };

/** Whose threads share a product of the BLAS: of OpenBLAS what it says itself, of another nothing is known. Not collective. */
typedef enum { BLAS_ALONE, BLAS_OWN_THREADS, BLAS_OPENMP, BLAS_UNKNOWN } BlasThreads;
BlasThreads MachineBlasThreads(void);

/** "AMD EPYC 9754, OpenBLAS 0.3.21 (Haswell, OpenMP)" here; of another BLAS nothing is known. OpenBLAS chooses the kernels for the
    processor, unless OPENBLAS_CORETYPE says which. Not collective. */
void MachineName(size_t size, char name[]);
