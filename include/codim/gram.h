/*
  gram.h: the Gram matrix K = J J^T, m x m, from the factors of J, without J.

    K = sum over weights of sum_t,s ((A_t A_s^T) (x) 1_l 1_l^T) o (Delta_t Delta_s^T)  +  sum over biases of (sum_t Delta_t)(sum_t Delta_t)^T

  t, s run over all uses and places of the label. A rank gets the panels of A and Delta that its tiles need; products go by column
  slabs of the lower triangle. T^2 (d^2 k + m^2 h) flops a label.
*/
#pragma once

#include "jacobian.h"
#include "tiles.h"

/** The lower triangle of K. Collective. */
PetscErrorCode GramCompute(Jacobian jacobian, Tiles K);

/** Flops of the lower triangle by that formula (weights only; what dsyrk would count), all ranks together. Not collective. */
PetscErrorCode GramFlops(Jacobian jacobian, PetscReal *flops);
