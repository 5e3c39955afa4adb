/*
  gram_deal.h: the parts of K that the ranks made, dealt to the tiles.
*/
#pragma once

#include "codim/tiles.h"
#include "gram_parts.h"

/* parts[]: of all ranks, as in gram_panel.h. made: this rank's, one after the other, each column-major. Collective. */
PetscErrorCode PartsDeal(const PetscInt first[], const Part parts[], const PetscReal made[], Tiles K);
