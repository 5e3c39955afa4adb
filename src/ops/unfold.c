/*
  unfold.c: the patches of an image, what a convolution is a linear map of.

    input 0     shape [c, h, w]
    value       places x (c kernel kernel): place (y, x) of the output has in_(c, s y + ky - padding, s x + kx - padding), 0 outside;
                floor((h + 2 padding - kernel)/s) + 1 places along an axis
    attributes  shape, kernel; stride (1), padding (0)
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  PetscInt kernel = 0, stride = 1, padding = 0, rows, cols, dim, *index;
  OpShape  image;

  PetscFunctionBeginUser;
  OpGetShape(setup, &image);
  OpGetInt(setup, "kernel", 1, &kernel);
  OpGetInt(setup, "stride", 1, &stride);
  OpGetInt(setup, "padding", 0, &padding);
  if (setup->complaint.status) PetscFunctionReturn(PETSC_SUCCESS);
  if (image.n != 3 || image.v[1] + 2 * padding < kernel || image.v[2] + 2 * padding < kernel) {
    OpComplain(setup, "attribute 'shape' must be [c, h, w] with h and w of at least kernel - 2 padding = %" PetscInt_FMT,
               kernel - 2 * padding);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  rows = (image.v[1] + 2 * padding - kernel) / stride + 1;
  cols = (image.v[2] + 2 * padding - kernel) / stride + 1;
  dim  = rows * cols * image.v[0] * kernel * kernel;
  PetscCall(OpGatherCreate(setup, dim, &index));
  for (PetscInt i = 0; i < dim; i++) {
    const OpShape patches = {5, {rows, cols, image.v[0], kernel, kernel}};
    PetscInt      at[5], from[3];

    OpPosition(&patches, i, at);
    from[0]  = at[2];
    from[1]  = stride * at[0] + at[3] - padding;
    from[2]  = stride * at[1] + at[4] - padding;
    index[i] = from[1] < 0 || from[1] >= image.v[1] || from[2] < 0 || from[2] >= image.v[2] ? -1 : OpEntry(&image, from);
  }
  PetscCall(OpGatherFinish(setup));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"shape", "kernel", "stride", "padding", NULL};

const OpKind OpUnfold = {.name            = "unfold",
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
