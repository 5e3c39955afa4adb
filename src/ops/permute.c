/*
  permute.c: the axes in another order (a transpose is [1, 0]): axis i of the value is axis axes_i of the input.

    input 0     shape
    attributes  shape, axes
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  const PetscInt dim = OpInputDim(setup, 0);
  OpShape        shape, axes, out;
  PetscInt       seen = 0, *index;

  PetscFunctionBeginUser;
  OpGetShape(setup, &shape);
  OpGetInts(setup, "axes", 0, &axes);
  if (setup->complaint.status) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < axes.n; i++)
    if (axes.v[i] < shape.n) seen |= (PetscInt)1 << axes.v[i];
  if (axes.n != shape.n || seen != ((PetscInt)1 << shape.n) - 1) {
    OpComplain(setup, "attribute 'axes' must have each of the shape's axes 0 … %" PetscInt_FMT " once", shape.n - 1);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  out.n = shape.n;
  for (PetscInt i = 0; i < axes.n; i++) out.v[i] = shape.v[axes.v[i]];
  PetscCall(OpGatherCreate(setup, dim, &index));
  for (PetscInt i = 0; i < dim; i++) {
    PetscInt at[PETSC_STATIC_ARRAY_LENGTH(out.v)], from[PETSC_STATIC_ARRAY_LENGTH(out.v)];

    OpPosition(&out, i, at);
    for (PetscInt axis = 0; axis < axes.n; axis++) from[axes.v[axis]] = at[axis];
    index[i] = OpEntry(&shape, from);
  }
  PetscCall(OpGatherFinish(setup));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"shape", "axes", NULL};

const OpKind OpPermute = {.name            = "permute",
                          .inputs_min      = 1,
                          .inputs_max      = 1,
                          .attributes      = Attributes,
                          .setup           = Setup,
                          .forward         = OpGatherForward,
                          .tangent         = OpMapTangent,
                          .adjoint         = OpGatherAdjoint,
                          .adjoint_tangent = OpMapAdjointTangent,
                          .bounds          = &OpMapBounds,
                          .form            = OpMapForm};
