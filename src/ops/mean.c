/*
  mean.c: the mean over some axes. Average pooling over p x p windows of [c, h, w] is shape [c, h/p, p, w/p, p], axes [2, 4].

    input 0     shape
    value       the other axes: out_place(i) = sum_i in_i / count
    attributes  shape, axes
    adjoint     in_bar_i += out_bar_place(i) / count
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  PetscInt count = 1;

  PetscFunctionBeginUser;
  PetscCall(OpReduceAxes(setup, &count));
  setup->op->norm  = 1 / PetscSqrtReal((PetscReal)count);
  setup->op->chain = count + 1; /* the sum, and the quotient */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt *place = (const PetscInt *)op->data;
  const size_t    dim = (size_t)op->dim, in_dim = (size_t)arrays->in_dim[0];
  const PetscReal count = (PetscReal)in_dim / (PetscReal)dim;

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare((size_t)arrays->N * in_dim))
  for (size_t point = 0; point < (size_t)arrays->N; point++) {
    const PetscReal *in  = arrays->in[0] + point * in_dim;
    PetscReal       *out = arrays->out + point * dim;

    for (size_t j = 0; j < dim; j++) out[j] = 0;
    for (size_t i = 0; i < in_dim; i++) out[place[i]] += in[i];
    for (size_t j = 0; j < dim; j++) out[j] /= count;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt *place = (const PetscInt *)op->data;
  const size_t    dim = (size_t)op->dim, in_dim = (size_t)arrays->in_dim[0];
  const PetscReal count = (PetscReal)in_dim / (PetscReal)dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * in_dim))
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t i = 0; i < in_dim; i++)
      arrays->in_bar[0][row * in_dim + i] += arrays->out_bar[row * dim + (size_t)place[i]] / count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"shape", "axes", NULL};

const OpKind OpMean = {.name            = "mean",
                       .inputs_min      = 1,
                       .inputs_max      = 1,
                       .attributes      = Attributes,
                       .setup           = Setup,
                       .forward         = Forward,
                       .tangent         = OpMapTangent,
                       .adjoint         = AdjointOf,
                       .adjoint_tangent = OpMapAdjointTangent,
                       .bounds          = &OpMapBounds,
                       .form            = OpMapForm};
