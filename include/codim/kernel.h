/*
  kernel.h: ker J, the tangent space of M, through the Cholesky factor of K = J J^T.

  P = I - J^T K^(-1) J projects onto ker J. With the factor of K + (mu/2) I instead, I - J^T (K + (mu/2) I)^(-1) J = mu (2 J^T J + mu I)^(-1): close to P on
  the scale of mu, and positive definite.
*/
#pragma once

#include "hessian.h"
#include "jacobian.h"
#include "tiles.h"

/** u := K^(-1) u, for an m-sized Vec. Collective. */
PetscErrorCode KernelSolve(ResidualMap map, Tiles factor, Vec u);

/** x := x - J^T K^(-1) J x, so many times: a second time removes what the condition of K left. Collective. */
PetscErrorCode KernelProject(Jacobian jacobian, Tiles factor, PetscInt times, Vec x);

/** P S P on ker J, where S is the Hessian's part that is 0 on M: a symmetric MATSHELL that takes vectors of ker J and projects what it gives, so many
    times; all arguments are borrowed. Collective. */
PetscErrorCode KernelCreateMat(Hessian hessian, Jacobian jacobian, Tiles factor, PetscInt times, Mat *PSP);
