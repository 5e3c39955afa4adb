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

#pragma omp parallel for if (ThreadsShare((size_t)arrays->N * dim))
  for (size_t point = 0; point < (size_t)arrays->N; point++)
    for (size_t i = 0; i < dim; i++) out[point * dim + i] += a[point * dim + i] * b[point * short_dim + i % short_dim];
}

/* a_bar += bar o b,  b_bar += (bar o a) added up; what is NULL is left out */
static void Pull(const OpArrays *arrays, const PetscReal bar[], const PetscReal a[], const PetscReal b[], PetscReal *a_bar,
                 PetscReal *b_bar)
{
  const size_t dim = (size_t)arrays->in_dim[0], short_dim = (size_t)arrays->in_dim[1];

#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * dim))
  for (size_t row = 0; row < (size_t)arrays->rows; row++) {
    const size_t point = OpRowPoint(arrays, row);

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
  Pull(arrays, arrays->out_bar, arrays->in[0], arrays->in[1], arrays->in_bar[0], arrays->in_bar[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)context;
  if (arrays->out_bar_dot)
    Pull(arrays, arrays->out_bar_dot, arrays->in[0], arrays->in[1], arrays->in_bar_dot[0], arrays->in_bar_dot[1]);
  Pull(arrays, arrays->out_bar, arrays->in_dot[0], arrays->in_dot[1], arrays->in_bar_dot[0], arrays->in_bar_dot[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. b is repeated R times. For any x of a's dimension and d of b's,

     |x o d| <= |x| max|d|,   |x o d|, |sum over the copies of x o y| / |y| <= C(x) = min(sqrt(R) max|x|, |x|) times |d|

   The errors of values are in norm, which bounds that of each entry.                                                                          */

static PetscReal Repeated(const OpBoundArgs *args)
{
  return PetscSqrtReal((PetscReal)args->in[0]->dim / (PetscReal)args->in[1]->dim);
}

/* C(a) for all a within `error` of the computed one */
static PetscReal CopiesNorm(const OpBoundArgs *args, PetscReal error)
{
  const Measure *a = args->in[0]->measure;

  return PetscMin(Repeated(args) * (a->largest + error), a->norm + error);
}

/* fl(a^ b^) - a b = rounding + (a^ - a) b^ + a (b^ - b) */
static void BoundForward(const OpBoundArgs *args)
{
  ValueBound *out = args->out, *a = args->in[0], *b = args->in[1];

  out->eps = Up(ROUNDING * out->measure->norm);
  out->e   = Up(a->e * b->measure->largest + CopiesNorm(args, a->e) * b->e + out->eps);
  for (PetscInt mu = 0; mu < args->P; mu++)
    out->t[mu] = Up(a->t[mu] * (b->measure->largest + b->E) + CopiesNorm(args, a->E) * b->t[mu]);
}

/* lambda b - fl(lambda^ b^), added to what is there: F b + lambda^ (b - b^) and two roundings; for b the same with a, and R more additions */
static void BoundAdjoint(const OpBoundArgs *args)
{
  ValueBound     *out = args->out, *a = args->in[0], *b = args->in[1];
  const PetscReal copies = CopiesNorm(args, 0), rounding = Gamma((PetscReal)a->dim / (PetscReal)b->dim + 2);

  for (PetscInt o = 0; o < args->l; o++) {
    const PetscReal bar_a = out->bar[o] * b->measure->largest, bar_b = out->bar[o] * copies;

    a->F[o]   = Up(a->F[o] + out->F[o] * (b->measure->largest + b->E) + out->bar[o] * b->E + Gamma(2) * (bar_a + a->sum[o]));
    a->sum[o] = Up(a->sum[o] + (1 + Gamma(2)) * bar_a);
    b->F[o]   = Up(b->F[o] + out->F[o] * CopiesNorm(args, a->E) + out->bar[o] * a->E + rounding * (bar_b + b->sum[o]));
    b->sum[o] = Up(b->sum[o] + (1 + rounding) * bar_b);
  }
}

/* lambda . D^2(a b)[v,v] = 2 sum_i lambda_i a'_i b'_i <= 2 max_i |lambda_i| |a'| sqrt(R) |b'| */
static void BoundCurvature(const OpBoundArgs *args)
{
  const PetscInt   P      = args->P;
  const PetscReal  weight = Repeated(args) * (args->out->measure->column + OutputNorm(args->l, args->out->F));
  const PetscReal *a = args->in[0]->t, *b = args->in[1]->t;

  for (PetscInt mu = 0; mu < P; mu++)
    for (PetscInt nu = 0; nu <= mu; nu++) args->B[mu * P + nu] += weight * (a[mu] * b[nu] + a[nu] * b[mu]);
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, NULL, NULL};

const OpKind OpMultiply = {.name            = "multiply",
                           .inputs_min      = 2,
                           .inputs_max      = 2,
                           .setup           = Setup,
                           .forward         = Forward,
                           .tangent         = Tangent,
                           .adjoint         = AdjointOf,
                           .adjoint_tangent = AdjointTangent,
                           .bounds          = &Bounds,
                           .form            = OpProductForm};
