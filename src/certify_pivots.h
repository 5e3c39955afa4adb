/*
  certify_pivots.h: rows of J that are far from dependent, from K alone.
*/
#pragma once

#include "codim/tiles.h"

/* The first r pivots of a Cholesky factorization of K (lower triangle) with complete pivoting. In K their rows and columns stay; all others
   become those of c I, c the least diagonal entry that stays: the least eigenvalue is then that of the r x r part, which is at most c. K is left
   alone, and *found false, where fewer than r pivots are positive. m r^2 flops; 8 m r bytes over the ranks. Collective. */
PetscErrorCode TilesKeepPivots(Tiles K, PetscInt r, PetscBool *found);
