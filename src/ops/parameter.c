/*
  parameter.c: a label of parameters as a value, the same at every point: out = theta_label. It is how parameters enter that are no
  dense linear map: gains, tables, the weights of a graph. Its block of J is its adjoint as it stands.

    inputs      none
    parameters  value
    tangent     out' = theta'_label

  A rank fills in its own rows; the group's sum, of one x and zeros, is exact.
*/
#include "ops.h"

static const char *const Roles[] = {NULL, "value"};

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp *op = setup->op;

  PetscFunctionBeginUser;
  if (op->bias < 0)
    OpComplain(setup, "it needs a parameter 'value'");
  else
    op->dim = setup->net->labels[op->bias].rows * setup->net->labels[op->bias].cols;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Copy(const NetOp *op, const OpContext *context, Vec vec, PetscInt N, PetscReal out[])
{
  const Range      mine = ParametersShardEntries(context->parameters, op->bias);
  const PetscReal *entries;
  PetscReal       *all;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(op->dim, &all));
  PetscCall(ParametersGetShard(context->parameters, vec, op->bias, &entries));
  PetscCall(PetscArraycpy(all + mine.first, entries, mine.last - mine.first));
  PetscCall(ParametersRestoreShard(context->parameters, vec, op->bias, &entries));
  PetscCall(GridSumUnits(ParametersGrid(context->parameters), 1, op->dim, all));
  for (PetscInt i = 0; i < N; i++) PetscCall(PetscArraycpy(out + (size_t)i * (size_t)op->dim, all, op->dim));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  PetscCall(Copy(op, context, context->theta, arrays->N, arrays->out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  PetscCall(Copy(op, context, context->theta_dot, arrays->N, arrays->out_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* no inputs: nothing to pull back */
static PetscErrorCode Nothing(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)context;
  (void)arrays;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds: the value is the label: |a'| <= |v_label|, and nothing is rounded ----------------------------------------------------------- */

static void BoundForward(const OpBoundArgs *args)
{
  args->out->eps = args->out->e = 0;
  args->out->t[args->op->bias]  = Up(args->out->t[args->op->bias] + 1);
}

static void BoundNothing(const OpBoundArgs *args)
{
  (void)args;
}

static const OpBounds Bounds = {BoundForward, BoundNothing, NULL, NULL, NULL};

const OpKind OpParameter = {.name            = "parameter",
                            .parameters      = Roles,
                            .setup           = Setup,
                            .forward         = Forward,
                            .tangent         = Tangent,
                            .adjoint         = Nothing,
                            .adjoint_tangent = Nothing,
                            .bounds          = &Bounds,
                            .form            = OpAnyForm};
