/*
  tiles_factor.h: the Cholesky factorization of tiles on a grid of several processes.
*/
#pragma once

#include "codim/tiles.h"

/* The lower factor in place. `flops` of a rank, for its progress. *broken, where it is known: not positive definite, and the matrix is now worthless; NaN may pass. Collective on
   tiles->comm. */
PetscErrorCode FactorOnGrid(Tiles tiles, PetscReal flops, PetscBool *broken);

/* what it moves, and its memory, are added; its flops are not */
void FactorOnGridCost(const Sizes *sizes, Cost *cost);
