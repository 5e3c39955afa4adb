/*
  random.h: reproducible random numbers, counter-based (Philox 4x32-10, Salmon et al. 2011).

  Entry `index` of stream (seed, stream) is a pure function of the three: the same on every rank and every number of ranks.
  Block b of a stream is philox(counter = (b, stream), key = seed), 128 bits; entries 2b and 2b+1 are made from it.
  The normal and the uniform numbers of one stream come from the same bits: where both are needed, take two streams.
*/
#pragma once

#include <petscsys.h>

/** Standard normals number first, first+1, …, first+n-1 (first >= 0) of stream (seed, stream): Box-Muller, |z| < 8.6.
    Not collective. */
void RandomNormal(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[]);

/** Uniform numbers in (0,1), likewise: odd multiples of 2^-53, so never 0 or 1. Not collective. */
void RandomUniform(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[]);
