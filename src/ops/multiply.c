/*
  multiply.c: out_i = a_i b_(i mod dim b): the second is repeated over the leading axes of the first.

    inputs             a, b; dim b divides dim a
    tangent            out'   = a' b + a b'
    adjoint            a_bar += out_bar b                    b_bar_j += sum over i = j mod dim b of out_bar_i a_i
    adjoint's tangent  a_bar' += out_bar' b + out_bar b'     b_bar'_j += the same sum of out_bar'_i a_i + out_bar_i a'_i
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
  setup->op->dim = a;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out += a o b */
static void AddProduct(const OpArrays *arrays, const PetscReal a[], const PetscReal b[], PetscReal out[])
{
  const size_t dim = (size_t)arrays->in_dim[0], short_dim = (size_t)arrays->in_dim[1];

  for (size_t point = 0; point < (size_t)arrays->N; point++)
    for (size_t i = 0; i < dim; i++) out[point * dim + i] += a[point * dim + i] * b[point * short_dim + i % short_dim];
}

/* a_bar += bar o b,  b_bar += (bar o a) added up, for `rows` rows of bar at each point; what is NULL is left out */
static void Pull(const OpArrays *arrays, PetscInt rows, const PetscReal bar[], const PetscReal a[], const PetscReal b[],
                 PetscReal *a_bar, PetscReal *b_bar)
{
  const size_t dim = (size_t)arrays->in_dim[0], short_dim = (size_t)arrays->in_dim[1];

  for (size_t row = 0; row < (size_t)arrays->N * (size_t)rows; row++) {
    const size_t point = row / (size_t)rows;

    for (size_t i = 0; a_bar && b && i < dim; i++)
      a_bar[row * dim + i] += bar[row * dim + i] * b[point * short_dim + i % short_dim];
    for (size_t i = 0; b_bar && a && i < dim; i++)
      b_bar[row * short_dim + i % short_dim] += bar[row * dim + i] * a[point * dim + i];
  }
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out, (size_t)arrays->N * (size_t)op->dim));
  AddProduct(arrays, arrays->in[0], arrays->in[1], arrays->out);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out_dot, (size_t)arrays->N * (size_t)op->dim));
  if (arrays->in_dot[0]) AddProduct(arrays, arrays->in_dot[0], arrays->in[1], arrays->out_dot);
  if (arrays->in_dot[1]) AddProduct(arrays, arrays->in[0], arrays->in_dot[1], arrays->out_dot);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)context;
  Pull(arrays, arrays->rows, arrays->out_bar, arrays->in[0], arrays->in[1], arrays->in_bar[0], arrays->in_bar[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)context;
  if (arrays->out_bar_dot)
    Pull(arrays, 1, arrays->out_bar_dot, arrays->in[0], arrays->in[1], arrays->in_bar_dot[0], arrays->in_bar_dot[1]);
  Pull(arrays, 1, arrays->out_bar, arrays->in_dot[0], arrays->in_dot[1], arrays->in_bar_dot[0], arrays->in_bar_dot[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

const OpKind OpMultiply = {.name            = "multiply",
                           .inputs_min      = 2,
                           .inputs_max      = 2,
                           .setup           = Setup,
                           .forward         = Forward,
                           .tangent         = Tangent,
                           .adjoint         = AdjointOf,
                           .adjoint_tangent = AdjointTangent};
