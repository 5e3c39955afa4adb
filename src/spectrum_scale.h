/*
  spectrum_scale.h: J^T with its rows and columns scaled to norm 1, and what of it is noise.

  Scaling rows and columns leaves the rank. What is small in J for being measured in small units (a point with small derivatives, an input in
  other units) is not small in D_1 J D_2; but what is 0 and shows as rounding would be as large there as the rest. So the change of every row
  and column under a step of rounding (spectrum_error.c) is scaled along: a row or column of J^T that changes by more than 10^-3 of its norm
  is noise and left out, and a sigma stands out only if it is above 10^3 times

    n eps sigma_max + |D_1 (J - J') D_2|_F,   over what is kept.
*/
#pragma once

#include "spectrum_method.h"

typedef struct Scaling_s *Scaling;

/* inverse: of the norms of the m columns of J^T, 0 for one that is 0. A Neighbour lives with it. Collective. */
PetscErrorCode ScalingCreate(Jacobian jacobian, const PetscReal inverse[], Scaling *scaling);
PetscErrorCode ScalingDestroy(Scaling *scaling);

/* The m factors of the columns, what was changed so far, on rank 0 alone; for a pause. */
PetscErrorCode ScalingArchive(Archive archive, Scaling scaling);

/* The next rows come from this label; entries as for StripCreate, whose cost it has. Collective on the shard. */
PetscErrorCode ScalingBeginLabel(Scaling scaling, PetscInt nuses, PetscInt first, Range entries);
PetscErrorCode ScalingEndLabel(Scaling scaling);

/* X, these rows of the label, column-major: columns scaled, then rows. Not collective. */
void ScalingApply(Scaling scaling, Range rows, PetscReal X[], PetscInt ldx);

/* inverse: of the norms of the columns of all that is scaled so far; becomes 0, on rank 0, where a column is noise.
   *noise: |D_1 (J - J') D_2|_F. Collective. */
PetscErrorCode ScalingFinish(Scaling scaling, PetscReal inverse[], PetscReal *noise);

/* The inverse of the norm of n numbers, `stride` apart; 0 if they are 0. Not collective. */
PetscReal InverseNorm(PetscInt n, size_t stride, const PetscReal x[]);

/* Bytes on a rank beside those of its strips. Not collective. */
PetscReal ScalingBytes(const Sizes *sizes);
