/*
  sgd.h: mini-batch stochastic gradient descent with momentum, over the grid.

    v := momentum v + g,   theta := theta - rate v,   g the gradient of the mean over the batch's observed targets of (f - y)^2

  as PyTorch's SGD on its MSELoss. In each epoch the d points are dealt out in batches in a random order, the last batch being smaller if
  `batch` does not divide d. The order is a function of the seed and the epoch alone (random.h): the same batches on any grid. A group works
  on the points of the batch that are its own; nothing but gradients travels.
*/
#pragma once

#include "residual.h"

typedef struct {
  PetscInt  batch; /* points; more than d: all */
  PetscReal rate, momentum;
  PetscInt  seed;
} SgdOptions;

typedef struct Sgd_s *Sgd;

/** 8 N sum_units bytes for a batch of which all points are in one group, and two n-sized Vecs. The map is borrowed. Collective. */
PetscErrorCode SgdCreate(ResidualMap map, const SgdOptions *options, Sgd *sgd);
PetscErrorCode SgdDestroy(Sgd *sgd);

/** Step number `step`, from 0, changes theta in place. Steps must be taken in order; after a restart any may come first, once the velocity is
    what it was. Collective. */
PetscErrorCode SgdStep(Sgd sgd, PetscInt64 step, Vec theta);

/** v: zero at first; to be kept and set again by who goes on later. Borrowed. Not collective. */
Vec SgdVelocity(Sgd sgd);

/** Cost (cost.h) of a step. Not collective. */
void SgdStepCost(const Sizes *sizes, const SgdOptions *options, Cost *cost);

/** The points of a step's batch, ascending by the order in which they are dealt; owned by sgd until the next call. Not collective. */
PetscErrorCode SgdBatch(Sgd sgd, PetscInt64 step, PetscInt *count, const PetscInt **points);
