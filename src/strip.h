/*
  strip.h: rows of J^T, made from the factors of one label.

  Row (j,i) of J^T, unit j and input i of a label, has at residual r of point p the entry sum over uses and places of delta_rtj a_pti.
  Every rank makes rows of its own shard of the parameters, for all m residuals; their order is the label's, row-major.
*/
#pragma once

#include "codim/jacobian.h"

typedef struct Strip_s *Strip;

/* Fetch what the rows `entries` (positions in the label, within this rank's shard of it; may be empty) need from the other data groups: A
   of all d points and Delta of the units among `entries` on all m rows, 8 (d T k + m T units) bytes a use; nothing with G = 1, where the
   jacobian's own factors are read. `uses`: all uses of the label. Collective on the shard. */
PetscErrorCode StripCreate(Jacobian jacobian, PetscInt nuses, const LabelUse uses[], Range entries, Strip *strip);
PetscErrorCode StripDestroy(Strip *strip);

/* X := the rows `rows` (a part of `entries`), one column for each residual, column-major with leading dimension ldx. Not collective. */
void StripFill(Strip strip, Range rows, PetscReal X[], PetscInt ldx);

/* uses[first …]: how many belong to the label of the first. Not collective. */
PetscInt LabelUses(PetscInt nuses, const LabelUse uses[], PetscInt first);
