/*
  map.c: what ops share that are linear in their inputs, the same for every theta: out = sum_j M_j in_j.

    tangent  out' = sum_j M_j in_j'        adjoint's tangent  in_bar_j' += M_j^T out_bar'
*/
#include "ops.h"

PetscErrorCode OpMapTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  OpArrays   along = *arrays;
  PetscReal *zeros = NULL;
  size_t     most  = 1;

  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < op->ninputs; j++)
    if (!arrays->in_dot[j]) most = PetscMax(most, (size_t)arrays->N * (size_t)arrays->in_dim[j]);
  PetscCall(PetscCalloc1(most, &zeros));
  for (PetscInt j = 0; j < op->ninputs; j++) along.in[j] = arrays->in_dot[j] ? arrays->in_dot[j] : zeros;
  along.out = arrays->out_dot;
  PetscCall(op->kind->forward(op, context, &along));
  PetscCall(PetscFree(zeros));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OpMapAdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  OpArrays along = *arrays;

  PetscFunctionBeginUser;
  if (!arrays->out_bar_dot) PetscFunctionReturn(PETSC_SUCCESS);
  along.out_bar = arrays->out_bar_dot;
  for (PetscInt j = 0; j < op->ninputs; j++) along.in_bar[j] = arrays->in_bar_dot[j];
  PetscCall(op->kind->adjoint(op, context, &along));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds: |M_j| <= norm, so is |abs(M_j)|: entries of M are products of nonnegative ones and signs -------------------------------------- */

static void BoundForward(const OpBoundArgs *args)
{
  const NetOp *op   = args->op;
  ValueBound  *out  = args->out;
  PetscReal    size = 0;

  out->e = 0;
  for (PetscInt j = 0; j < op->ninputs; j++) {
    size += op->norm * args->in[j]->measure->norm;
    out->e += op->norm * args->in[j]->e;
    for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up(out->t[mu] + op->norm * args->in[j]->t[mu]);
  }
  out->eps = op->chain ? Up(Gamma((PetscReal)op->chain) * size) : 0;
  out->e   = Up(out->e + out->eps);
}

/* each term is added to what other consumers left: one rounding more */
static void BoundAdjoint(const OpBoundArgs *args)
{
  const NetOp    *op       = args->op;
  const PetscReal rounding = Gamma((PetscReal)op->chain + 1);

  for (PetscInt j = 0; j < op->ninputs; j++)
    for (PetscInt o = 0; o < args->l; o++) {
      ValueBound     *in  = args->in[j];
      const PetscReal bar = op->norm * args->out->bar[o];

      in->F[o]   = Up(in->F[o] + op->norm * args->out->F[o] + rounding * (bar + in->sum[o]));
      in->sum[o] = Up(in->sum[o] + (1 + rounding) * bar);
    }
}

const OpBounds OpMapBounds = {BoundForward, BoundAdjoint, NULL, NULL, NULL};
