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

/* K: lower triangle, left as it is. ||K - J^ J^T||_F <= E_K, ||J - J^||_F <= E_J. Collective. */
/* From eigenvectors: *vectors with lambda, used up, or computed where they are NULL. */
PetscErrorCode BoundSingularValues(Tiles K, PetscReal E_K, PetscReal E_J, Tiles *vectors, const PetscReal lambda[],
                                   SingularBounds *bounds);
PetscErrorCode BoundSmallestSingularValue(Tiles K, PetscReal E_K, PetscReal E_J, PetscReal estimate,
                                          SingularBounds *bounds); /* Cholesky */
PetscErrorCode SingularBoundsDestroy(SingularBounds *bounds);
