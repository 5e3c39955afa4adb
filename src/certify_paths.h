/*
  certify_paths.h: derivatives of every value by every other, as they are, instead of products of the ops' norms.

  The recursion of certify_bounds.h multiplies the norms of the ops between two values. Over many steps, as in a recurrent net, or through attention
  and layer normalization that product is far above the norm of the product. Here ||D_vu||, value v by value u, is measured at the
  computed trajectory, by a sweep back from v, and the products of norms serve for what is of second order only.
*/
#pragma once

#include "certify_point.h"

/* (*paths)[(v nops + u) points + i] >= |D^_vu|_F at owned point i, as a sweep back from v computes it; -1: there is no path, or v does not depend on
   theta. *same: as in MeasuresCreate. 8 nops^2 points bytes, and the adjoint of a value while it runs; sum over v of dim v rows of an adjoint
   in flops. Free with PetscFree. Collective. */
PetscErrorCode PathsCreate(ResidualMap map, Vec theta, Trajectory trajectory, PetscBool *same, PetscReal **paths);

/* Flops of that and of what the recursion then takes, and bytes of a rank at the peak, for N points. Not collective. */
void PathsCost(Network network, PetscReal N, PetscReal *flops, PetscReal *bytes);

/* After the op's own bounds of value v: e and t, whichever is less. */
void PathsSharpenValue(const Recursion *recursion, PointBounds *point, PetscInt v, const OpBoundArgs *args);

/* After the ops' own bounds of all adjoints: F, whichever is less. */
void PathsSharpenAdjoints(const Recursion *recursion, PointBounds *point, PetscReal r, Margin *margin);
