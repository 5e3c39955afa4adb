/*
  slice.c: positions first … last - 1 along one axis.

    input 0     shape, by default all its entries along one axis
    attributes  first (0), last; shape and axis, or neither
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  OpShape  shape = {1, {OpInputDim(setup, 0)}}, part;
  PetscInt first = 0, last = -1, axis = 0, dim = 1, *index;

  PetscFunctionBeginUser;
  if (json_object_get(setup->attributes, "shape")) OpGetShape(setup, &shape);
  OpGetInt(setup, "axis", 0, &axis);
  OpGetInt(setup, "first", 0, &first);
  OpGetInt(setup, "last", 1, &last);
  if (setup->complaint.status) PetscFunctionReturn(PETSC_SUCCESS);
  if (axis >= shape.n || first >= last || last > shape.v[axis]) {
    OpComplain(setup,
               "there is no part %" PetscInt_FMT " … %" PetscInt_FMT " along axis %" PetscInt_FMT " of a shape with %" PetscInt_FMT
               " axes, %" PetscInt_FMT " long here",
               first, last, axis, shape.n, axis < shape.n ? shape.v[axis] : 0);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  part         = shape;
  part.v[axis] = last - first;
  for (PetscInt i = 0; i < part.n; i++) dim *= part.v[i];
  PetscCall(OpGatherCreate(setup, dim, &index));
  for (PetscInt i = 0; i < dim; i++) {
    PetscInt at[PETSC_STATIC_ARRAY_LENGTH(part.v)];

    OpPosition(&part, i, at);
    at[axis] += first;
    index[i] = OpEntry(&shape, at);
  }
  PetscCall(OpGatherFinish(setup));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"shape", "axis", "first", "last", NULL};

const OpKind OpSlice = {.name            = "slice",
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
