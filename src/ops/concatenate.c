/*
  concatenate.c: the inputs one after the other, along any axis.

    inputs      [outer, .] each; outer is the product of the dimensions before the axis
    value       [outer, sum of theirs]
    attributes  outer (1)
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp    *op    = setup->op;
  PetscInt *outer = NULL;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(1, &outer));
  *outer   = 1;
  op->data = outer;
  op->norm = 1;
  OpGetInt(setup, "outer", 1, outer);
  for (PetscInt j = 0; j < op->ninputs; j++) {
    if (OpInputDim(setup, j) % *outer)
      OpComplain(setup, "attribute 'outer' is %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT " entries", *outer,
                 setup->net->ops[op->inputs[j]].name, OpInputDim(setup, j));
    op->dim += OpInputDim(setup, j);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt outer = *(const PetscInt *)op->data;
  PetscReal     *out   = arrays->out;

  PetscFunctionBeginUser;
  (void)context;
  for (PetscInt block = 0; block < arrays->N * outer; block++)
    for (PetscInt j = 0; j < op->ninputs; j++) {
      const PetscInt width = arrays->in_dim[j] / outer;

      PetscCall(PetscArraycpy(out, arrays->in[j] + (size_t)block * (size_t)width, width));
      out += width;
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt   outer = *(const PetscInt *)op->data;
  const PetscReal *bar   = arrays->out_bar;

  PetscFunctionBeginUser;
  (void)context;
  for (PetscInt block = 0; block < arrays->rows * outer; block++)
    for (PetscInt j = 0; j < op->ninputs; j++) {
      const PetscInt width  = arrays->in_dim[j] / outer;
      PetscReal     *in_bar = arrays->in_bar[j] ? arrays->in_bar[j] + (size_t)block * (size_t)width : NULL;

      for (PetscInt i = 0; in_bar && i < width; i++) in_bar[i] += bar[i];
      bar += width;
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"outer", NULL};

const OpKind OpConcatenate = {.name            = "concatenate",
                              .inputs_min      = 1,
                              .inputs_max      = OP_INPUTS_MAX,
                              .attributes      = Attributes,
                              .setup           = Setup,
                              .forward         = Forward,
                              .tangent         = OpMapTangent,
                              .adjoint         = AdjointOf,
                              .adjoint_tangent = OpMapAdjointTangent,
                              .bounds          = &OpMapBounds,
                              .form            = OpMapForm};
