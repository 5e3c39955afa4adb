/*
  kernel.h: ker J, the tangent space of M, through the Cholesky factor of K = J J^T.

  P = I - J^T K^(-1) J projects onto ker J. With the factor of K + (mu/2) I instead, I - J^T (K + (mu/2) I)^(-1) J = mu (2 J^T J + mu I)^(-1): close to P on
  the scale of mu, and positive definite.
*/
#pragma once

#include "jacobian.h"
#include "tiles.h"

/** u := K^(-1) u, for an m-sized Vec. Collective. */
PetscErrorCode KernelSolve(ResidualMap map, Tiles factor, Vec u);

/** x := x - J^T K^(-1) J x, so many times: a second time removes what the condition of K left. Collective. */
PetscErrorCode KernelProject(Jacobian jacobian, Tiles factor, PetscInt times, Vec x);
