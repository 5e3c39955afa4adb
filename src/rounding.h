/*
  rounding.h: what rounding does to sums and products, and arithmetic of bounds that are not too small for it.

  All terms of a bound are >= 0, so a result of fewer than 4000 roundings is too small by a factor 1 - 2^-40 at most
  (4000 u < 2^-41): `Up`. A sum of N terms, in any order, on any ranks: factor 1 + gamma_(N+4). Underflow: each product of a computation loses
  at most 2^-1022 (flush to zero included), fewer than 10^12 of them: `TINY`. Squares that underflow in a norm lose N 2^-1022 under the
  root: 10^-153 sqrt(N). NaN and infinity pass through, and no test is won by them.
*/
#pragma once

#include "codim/base.h"
#include <math.h>

#define ROUNDING (PETSC_MACHINE_EPSILON / 2) /* u */
#define SLACK    0x1p-40
#define TINY     1e-290

/* gamma_k = k u/(1 - k u) (Higham, Accuracy and Stability, section 3.1), rounded up */
static inline PetscReal Gamma(PetscReal k)
{
  return k < 0x1p50 ? k * ROUNDING / (1 - k * ROUNDING) * (1 + SLACK) : (PetscReal)INFINITY;
}

static inline PetscReal Up(PetscReal x)
{
  return x * (1 + SLACK) + TINY;
}

/* >= the root of an exact sum of n squares, from its computed value */
static inline PetscReal NormUp(PetscReal n, PetscReal squares)
{
  return PetscSqrtReal(squares) * (1 + Gamma(n + 4)) + PetscSqrtReal(n) * 1e-153;
}
