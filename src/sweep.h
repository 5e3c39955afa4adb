/*
  sweep.h: what the sweeps of residual.c and hessian.c share.
*/
#pragma once

#include "codim/residual.h"

/* The arrays around op v on a trajectory: in, in_dim, out; one row. */
OpArrays OpArraysAt(ResidualMap map, Trajectory trajectory, PetscInt v);

/* grad += alpha sum_places z_bar (x) a on the weight of op v; and alpha sum_places z_bar on its bias. Collective. */
PetscErrorCode OpAddGradient(ResidualMap map, PetscInt v, const PetscReal a[], const PetscReal z_bar[], PetscReal alpha, Vec grad);
PetscErrorCode OpAddBiasGradient(ResidualMap map, PetscInt v, const PetscReal z_bar[], PetscReal alpha, Vec grad);
