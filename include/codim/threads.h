/*
  threads.h: loops over entries that the threads of a rank share, as its matrix products do; OMP_NUM_THREADS says how many there are.

    #pragma omp parallel for if (ThreadsShare(entries))

  Each entry of the result is computed as one thread computes it, so the threads change no digit. Bodies are plain C: no PETSc, no MPI.
*/
#pragma once

#include "base.h"

/** Threads of this rank. Not collective. */
PetscInt ThreadsCount(void);

/** Entries of the shortest loop that is shared: those of a hundred times what it takes to start the threads. */
extern size_t ThreadsLeast;

/** Is a loop over so many entries shared? Not where it is shorter; nor where OpenBLAS has threads of its own: they keep the cores for a while
    after each product, and the two kinds of threads would only wait for each other (its OpenMP build takes the same threads). Not collective. */
PetscBool ThreadsShare(size_t entries);

/** x[0 … count-1] := 0. Not collective. */
void ThreadsZero(size_t count, PetscReal x[]);
