/*
  add.c: out_i = a_i + b_(i mod dim b): the second is repeated over the leading axes of the first.

    inputs   a, b; dim b divides dim a
    adjoint  a_bar += out_bar,  b_bar_j += sum over i = j mod dim b of out_bar_i
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  const PetscInt a = OpInputDim(setup, 0), b = OpInputDim(setup, 1);

  PetscFunctionBeginUser;
  if (a % b)
    OpComplain(setup,
               "its second input '%s' has %" PetscInt_FMT " entries, which do not divide the %" PetscInt_FMT " of the first, '%s'",
               setup->net->ops[setup->op->inputs[1]].name, b, a, setup->net->ops[setup->op->inputs[0]].name);
  setup->op->dim   = a;
  setup->op->norm  = PetscSqrtReal((PetscReal)a / (PetscReal)b);
  setup->op->chain = a / b + 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t dim = (size_t)op->dim, short_dim = (size_t)arrays->in_dim[1];

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare((size_t)arrays->N * dim))
  for (size_t point = 0; point < (size_t)arrays->N; point++)
    for (size_t i = 0; i < dim; i++)
      arrays->out[point * dim + i] = arrays->in[0][point * dim + i] + arrays->in[1][point * short_dim + i % short_dim];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t dim = (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  for (PetscInt j = 0; j < 2; j++) {
    const size_t in_dim = (size_t)arrays->in_dim[j];

    if (!arrays->in_bar[j]) continue;
#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * dim))
    for (size_t row = 0; row < (size_t)arrays->rows; row++)
      for (size_t i = 0; i < dim; i++) arrays->in_bar[j][row * in_dim + i % in_dim] += arrays->out_bar[row * dim + i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

const OpKind OpAdd = {.name            = "add",
                      .inputs_min      = 2,
                      .inputs_max      = 2,
                      .setup           = Setup,
                      .forward         = Forward,
                      .tangent         = OpMapTangent,
                      .adjoint         = AdjointOf,
                      .adjoint_tangent = OpMapAdjointTangent,
                      .bounds          = &OpMapBounds,
                      .form            = OpMapForm};
