/*
  random.h: reproducible random numbers, counter-based (Philox 4x32-10, Salmon et al. 2011).

  Entry `index` of stream (seed, stream) is a pure function of the three: the same on every rank and every number of ranks.
*/
#pragma once

#include <petscsys.h>

/** Standard normals number first, first+1, …, first+n-1 of stream (seed, stream). Not collective. */
void RandomNormal(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[]);

/** Uniform numbers in (0,1), likewise. Not collective. */
void RandomUniform(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[]);
