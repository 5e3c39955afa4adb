/*
  gather.c: out_i = in_index(i), 0 where index(i) = -1: what unfold, slice, permute and select share.

    adjoint  in_bar_index(i) += out_bar_i
*/
#include "ops.h"

PetscErrorCode OpGatherCreate(OpSetup *setup, PetscInt dim, PetscInt **index)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(PetscMax(1, dim), index));
  setup->op->data = *index;
  setup->op->dim  = dim;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |out|^2 <= (how often the most used entry is used) |in|^2; one use adds nothing in the adjoint, 0 + x is exact */
PetscErrorCode OpGatherFinish(OpSetup *setup)
{
  const PetscInt *index = (const PetscInt *)setup->op->data;
  PetscInt       *uses, most = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(OpInputDim(setup, 0), &uses));
  for (PetscInt i = 0; i < setup->op->dim; i++)
    if (index[i] >= 0) {
      uses[index[i]]++;
      most = PetscMax(most, uses[index[i]]);
    }
  PetscCall(PetscFree(uses));
  setup->op->norm  = PetscSqrtReal((PetscReal)most);
  setup->op->chain = most - 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OpGatherForward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt *index = (const PetscInt *)op->data;
  const size_t    dim = (size_t)op->dim, in_dim = (size_t)arrays->in_dim[0];

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare((size_t)arrays->N * dim))
  for (size_t point = 0; point < (size_t)arrays->N; point++)
    for (size_t i = 0; i < dim; i++)
      arrays->out[point * dim + i] = index[i] < 0 ? 0 : arrays->in[0][point * in_dim + (size_t)index[i]];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OpGatherAdjoint(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const PetscInt *index = (const PetscInt *)op->data;
  const size_t    dim = (size_t)op->dim, in_dim = (size_t)arrays->in_dim[0];

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * dim))
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t i = 0; i < dim; i++)
      if (index[i] >= 0) arrays->in_bar[0][row * in_dim + (size_t)index[i]] += arrays->out_bar[row * dim + i];
  PetscFunctionReturn(PETSC_SUCCESS);
}
