/*
  lanczos.h: the Gauss quadrature of a vector's spectral measure, by Lanczos with full reorthogonalization.

  k steps from v, |v| = 1, give A V = V T + beta_k v_(k+1) e_k^T. With T = S diag(theta) S^T, nodes theta_i and weights w_i = s_1i^2 are the Gauss
  quadrature of mu = sum_j (v . u_j)^2 delta(lambda_j): exact for polynomials of degree 2k - 1. Each node is within beta_k |s_ki| of an eigenvalue.
*/
#pragma once

#include "codim/base.h"
#include <slepcbv.h>

typedef struct {
  PetscInt   k;         /* nodes; fewer than the steps asked for where the Krylov space is invariant */
  PetscBool  invariant; /* then the nodes are eigenvalues, and the quadrature is mu itself */
  PetscBool  stopped;   /* asked to stop: no nodes */
  PetscReal *node;      /* ascending */
  PetscReal *weight;    /* sum 1 */
  PetscReal *residual;  /* beta_k |s_ki|, but for rounding */
} Quadrature;

/* What a progress line says of a step. */
typedef struct {
  const char *what;
  PetscInt    done, total;
} LanczosProgress;

/* A basis for so many steps: steps + 1 Vecs like v, owned by the caller. Collective. */
PetscErrorCode LanczosCreateBasis(Vec v, PetscInt steps, BV *V);

/* v: the start, any length, not changed. The quadrature's arrays have room for as many entries as V has columns but one. Each step is a safe
   point and shows progress, unless progress is NULL. Collective on v's communicator. */
PetscErrorCode LanczosQuadrature(Mat A, Vec v, BV V, const LanczosProgress *progress, Quadrature *quadrature);
