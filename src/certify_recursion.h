/*
  certify_recursion.h: the recursion of certify_bounds.h over all points: residual, errors of J, Lipschitz constant of J.
*/
#pragma once

#include "certify_measure.h"

typedef struct {
  ResidualMap      map;
  Measures         measures;
  const LabelNorm *labels;
  const PetscReal *paths; /* of certify_paths.h; NULL: by products of the ops' norms alone */
} Recursion;

/* r = 0 */
typedef struct {
  PetscReal  residual, residual_lower; /* |H(theta_0)| is between them */
  PetscReal  jacobian;                 /* E_J >= ||J - J^||_F, J^ the exact product of the computed factors */
  PetscReal  factor;                   /* max |A| and max |Delta| of any row: (1 + max|A|^2)(1 + max|Delta|^2) */
  Margin     margin;
  PetscReal *q2; /* P: |q_mu|^2 of certify_bounds.c; owned */
} ErrorBounds;

/* Collective. */
PetscErrorCode BoundErrors(const Recursion *recursion, ErrorBounds *errors);
PetscErrorCode ErrorBoundsDestroy(ErrorBounds *errors);

/* E of certify_bounds.h, of value v at owned point i over B(theta_0, r), into E[v points + i], and t of the output there, for label mu, into
   t[i P + mu] (NULL: not wanted); every op must have bounds. Not collective; only the measures of values are read. */
PetscErrorCode BoundValues(const Recursion *recursion, PetscReal r, PetscReal E[], PetscReal t[]);

/* Lambda >= sup ||D^2 H|| over B(theta_0, r): a Lipschitz constant of J there. margin: NULL, or what is left in that ball. Collective. */
PetscErrorCode BoundLipschitz(const Recursion *recursion, PetscReal r, PetscReal *Lambda, Margin *margin);
