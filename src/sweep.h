/*
  sweep.h: what the sweeps of residual.c and hessian.c share.
*/
#pragma once

#include "codim/residual.h"

/* The arrays around op v on a trajectory: in, in_dim, out; one row. */
OpArrays OpArraysAt(ResidualMap map, Trajectory trajectory, PetscInt v);

/* z_bar (x) a over all places of a linear op */
typedef struct {
  const PetscReal *z_bar, *a;
} OuterProduct;

/* grad += alpha sum of the `count` products on the weight of op v, if it has one: one reduction for all of them. Collective. */
PetscErrorCode OpAddGradient(ResidualMap map, PetscInt v, PetscInt count, const OuterProduct products[], PetscReal alpha, Vec grad);

/* grad += alpha sum_places z_bar on the bias of op v, if it has one. Collective. */
PetscErrorCode OpAddBiasGradient(ResidualMap map, PetscInt v, const PetscReal z_bar[], PetscReal alpha, Vec grad);
