/*
  certify_enclose.h: what is proved of the singular values of J^ from the computed K.
*/
#pragma once

#include "certify_bounds.h"
#include "codim/tiles.h"

/* Bounds of the singular values of J(theta_0). */
typedef struct {
  PetscReal  s;                          /* <= sigma_min; not positive: nothing is proved */
  PetscReal  least;                      /* eigenvalue of K, an estimate */
  PetscReal  needed;                     /* the error bounds it has to exceed */
  PetscReal  largest;                    /* >= sigma_max */
  PetscReal  eigen_error, orthogonality; /* rho_e (or c), delta */
  PetscReal *lo, *hi;                    /* m: of sigma_k, ascending; NULL without enclosures; owned */
} SingularBounds;

/* K: lower triangle, left as it is. ||K - J^ J^T||_F <= E_K, ||J - J^||_F <= E_J. From eigenvectors: *vectors with lambda, used up, or computed
   where they are NULL. With these two more matrices of its size. Collective. */
PetscErrorCode BoundSingularValues(Tiles K, PetscReal E_K, PetscReal E_J, Tiles *vectors, const PetscReal lambda[],
                                   SingularBounds *bounds);

/* Where K comes from, for factorizations in its place. */
typedef struct {
  Tiles                  K;
  const ShiftedCholesky *given; /* K is that factor; NULL: K is there */
  PetscErrorCode (*fill)(void *context, Tiles K);
  void *context;
} GramSource;

/* Of the least alone, by Cholesky factorizations in K's place, which is lost: of K - tau I with tau as it was given, or just above what can be
   proved at all; then, if nothing was given, with tau just below the least eigenvalue, if that is much more. estimate: of it; 0: none. No
   other matrix of its size. Collective. */
PetscErrorCode BoundSmallestSingularValue(const GramSource *source, PetscReal E_K, PetscReal E_J, PetscReal estimate,
                                          SingularBounds *bounds);
PetscErrorCode SingularBoundsDestroy(SingularBounds *bounds);
