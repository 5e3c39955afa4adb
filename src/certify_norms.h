/*
  certify_norms.h: upper bounds of ||W||_2 and ||W||_F for every label.
*/
#pragma once

#include "certify_bounds.h"
#include "codim/residual.h"

/* norms: one for each label. A label whose short side is at most min(2048, max(256, d)) gets a Gram matrix of that side and a Cholesky, which
   costs no more than the label's part of a forward pass does; a larger one ||W||_F, and panels of 256 rows if `panels`: 128/d of a forward
   pass. At most 8 (2 side^2) bytes besides the label's shard. Collective. */
PetscErrorCode BoundLabelNorms(ResidualMap map, Vec theta, PetscBool panels, LabelNorm norms[]);

/* The panels afterwards. Collective. */
PetscErrorCode BoundLabelPanels(ResidualMap map, Vec theta, LabelNorm norms[]);

/* Is there a label that panels are for? Do they cost at most an eighth of a forward pass, or nothing? Not collective, equal on all ranks. */
PetscBool LabelsNeedPanels(ResidualMap map);
PetscBool LabelPanelsAreCheap(ResidualMap map);

/* Cost (cost.h), with panels where they are cheap. Not collective. */
void BoundLabelNormsCost(const Sizes *sizes, Cost *cost);
