/*
  select.c: out_i = in_indices(i); an entry may be taken any number of times.

    input 0     any shape
    attributes  indices, from 0
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  const json_t  *indices = json_object_get(setup->attributes, "indices"), *item;
  const PetscInt dim     = OpInputDim(setup, 0);
  PetscInt      *index;
  size_t         i;

  PetscFunctionBeginUser;
  if (!json_is_array(indices) || json_array_size(indices) == 0 || json_array_size(indices) > PETSC_MAX_INT) {
    OpComplain(setup, "attribute 'indices' must be a list of integers");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(OpGatherCreate(setup, (PetscInt)json_array_size(indices), &index));
  json_array_foreach(indices, i, item)
  {
    index[i] = -1;
    if (json_is_integer(item) && json_integer_value(item) >= 0 && json_integer_value(item) < dim)
      index[i] = (PetscInt)json_integer_value(item);
    else
      OpComplain(setup, "entry %d of 'indices' must be an integer from 0 to %" PetscInt_FMT, (int)i, dim - 1);
  }
  PetscCall(OpGatherFinish(setup));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"indices", NULL};

const OpKind OpSelect = {.name            = "select",
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
