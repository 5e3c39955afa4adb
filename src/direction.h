/*
  direction.h: a direction a along which points lie apart.

  Of many random directions the one with the largest gap/range is taken: gap, the least difference of two of the projections a . x_i, range,
  the largest. For random points the best of k has a gap of about log(k)/d^2 of the range. The k least gaps are differences a . D_j of
  neighbours, so that with k < p equations D_j . delta = t - a . D_j a least delta raises them all to the k-th, t; this is repeated with a line
  search on gap/range, and gains another factor of up to ten (at most 1/(d-1) is there to be had).
*/
#pragma once

#include <petscsys.h>

typedef struct {
  PetscReal value; /* a . x_i */
  PetscInt  index; /* i */
} Projection;

/** a (p entries), and the projections of the d rows of X (d x p, row-major) on it, ascending. A function of X and seed alone. 2 d p flops a
    direction, of some 600 at most. Serial: not collective. */
PetscErrorCode DirectionChoose(PetscInt d, PetscInt p, const PetscReal X[], PetscInt64 seed, PetscReal a[],
                               Projection projection[]);

/** The projections of the rows of X on a, ascending. Serial. */
PetscErrorCode DirectionProject(PetscInt d, PetscInt p, const PetscReal X[], const PetscReal a[], Projection projection[]);

/** Where the least difference of neighbours is: of projection[k] and projection[k + 1]; -1 if d = 1. Serial. */
PetscInt DirectionNearest(PetscInt d, const Projection projection[]);
