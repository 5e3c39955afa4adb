/*
  certify_point.h: what the recursion holds at one point.
*/
#pragma once

#include "certify_recursion.h"

/* the bounds of all values at one point. With paths t goes on after its P labels: t[P + u] >= sup ||D_vu||, value v by value u. */
typedef struct {
  PetscInt    nvalues, P, l; /* l: rows of the point */
  PetscInt    wide;          /* entries of t */
  PetscInt    i;             /* of the owned points */
  PetscInt    each;          /* doubles stored for a value */
  ValueBound *value;
  PetscReal  *store;
  PetscReal  *delta; /* paths: see certify_paths.c */
} PointBounds;

static inline OpBoundArgs ArgsOf(const Recursion *recursion, PointBounds *point, PetscInt v, PetscReal r, Margin *margin)
{
  const NetOp *op   = &recursion->map->network->ops[v];
  OpBoundArgs  args = {.op = op, .out = &point->value[v], .labels = recursion->labels, .P = point->P, .l = point->l};

  args.Q      = recursion->map->grid->Q;
  args.r      = r;
  args.margin = margin;
  args.value  = v;
  args.point  = recursion->measures->start + point->i;
  for (PetscInt j = 0; j < OP_INPUTS_MAX; j++) args.in[j] = op->inputs[j] < 0 ? NULL : &point->value[op->inputs[j]];
  return args;
}
