/*
  matmul.c: products of two values, out_b = s A_b B_b for each of some blocks b: attention's scores and sums.

    inputs             A [batch, rows, inner]; B [batch, inner, cols], or [batch, cols, inner] where it is to be transposed
    value              [batch, rows, cols]
    attributes         rows, inner, cols; batch (1), transpose (false), scale (1)
    tangent            out'   = s A' B + s A B'
    adjoint            A_bar += s out_bar B^T                    B_bar += s A^T out_bar
    adjoint's tangent  A_bar' += s (out_bar' B^T + out_bar B'^T)   B_bar' += s (A^T out_bar' + A'^T out_bar)

  Row-major arrays are the transposes of BLAS's.
*/
#include "../blas.h"
#include "ops.h"

typedef struct {
  PetscInt  batch, rows, inner, cols;
  PetscBool transpose;
  PetscReal scale;
} Product;

static void CheckInput(OpSetup *setup, PetscInt j, PetscInt batch, PetscInt rows, PetscInt cols)
{
  const PetscInt dim = OpInputDim(setup, j);

  if ((PetscReal)batch * (PetscReal)rows * (PetscReal)cols != (PetscReal)dim)
    OpComplain(setup, "its input '%s' has %" PetscInt_FMT " entries, not %" PetscInt_FMT " x %" PetscInt_FMT " x %" PetscInt_FMT,
               setup->net->ops[setup->op->inputs[j]].name, dim, batch, rows, cols);
}

static PetscErrorCode Setup(OpSetup *setup)
{
  Product *p;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  setup->op->data = p;
  p->batch        = 1;
  p->scale        = 1;
  OpGetInt(setup, "batch", 1, &p->batch);
  OpGetInt(setup, "rows", 1, &p->rows);
  OpGetInt(setup, "inner", 1, &p->inner);
  OpGetInt(setup, "cols", 1, &p->cols);
  OpGetBool(setup, "transpose", &p->transpose);
  OpGetReal(setup, "scale", &p->scale);
  CheckInput(setup, 0, p->batch, p->rows, p->inner);
  CheckInput(setup, 1, p->batch, p->transpose ? p->cols : p->inner, p->transpose ? p->inner : p->cols);
  setup->op->dim = p->batch * p->rows * p->cols;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out += s A B in every block of every point */
static PetscErrorCode AddProduct(const Product *p, PetscInt N, const PetscReal A[], const PetscReal B[], PetscReal out[])
{
  const size_t r = (size_t)p->rows, k = (size_t)p->inner, c = (size_t)p->cols;

  PetscFunctionBeginUser;
  for (size_t b = 0; b < (size_t)N * (size_t)p->batch; b++)
    PetscCall(Gemm(p->transpose ? "T" : "N", "N", p->cols, p->rows, p->inner, p->scale, B + b * k * c,
                   p->transpose ? p->inner : p->cols, A + b * r * k, p->inner, 1, out + b * r * c, p->cols));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A_bar += s bar B^T, one block */
static PetscErrorCode PullFirst(const Product *p, const PetscReal bar[], const PetscReal B[], PetscReal A_bar[])
{
  PetscFunctionBeginUser;
  PetscCall(Gemm(p->transpose ? "N" : "T", "N", p->inner, p->rows, p->cols, p->scale, B, p->transpose ? p->inner : p->cols, bar,
                 p->cols, 1, A_bar, p->inner));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* B_bar += s A^T bar, one block */
static PetscErrorCode PullSecond(const Product *p, const PetscReal bar[], const PetscReal A[], PetscReal B_bar[])
{
  PetscFunctionBeginUser;
  if (p->transpose)
    PetscCall(Gemm("N", "T", p->inner, p->cols, p->rows, p->scale, A, p->inner, bar, p->cols, 1, B_bar, p->inner));
  else
    PetscCall(Gemm("N", "T", p->cols, p->inner, p->rows, p->scale, bar, p->cols, A, p->inner, 1, B_bar, p->cols));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* both; what is NULL is left out */
static PetscErrorCode Pull(const Product *p, const OpArrays *arrays, const PetscReal bar[], const PetscReal *const in[],
                           PetscReal *const in_bar[])
{
  const size_t batch = (size_t)p->batch, r = (size_t)p->rows, k = (size_t)p->inner, c = (size_t)p->cols;

  PetscFunctionBeginUser;
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t b = 0; b < batch; b++) {
      const size_t at = row * batch + b, from = OpRowPoint(arrays, row) * batch + b;

      if (in_bar[0] && in[1]) PetscCall(PullFirst(p, bar + at * r * c, in[1] + from * k * c, in_bar[0] + at * r * k));
      if (in_bar[1] && in[0]) PetscCall(PullSecond(p, bar + at * r * c, in[0] + from * r * k, in_bar[1] + at * k * c));
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out, (size_t)arrays->N * (size_t)op->dim));
  PetscCall(AddProduct((const Product *)op->data, arrays->N, arrays->in[0], arrays->in[1], arrays->out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Product *p = (const Product *)op->data;

  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out_dot, (size_t)arrays->N * (size_t)op->dim));
  if (arrays->in_dot[0]) PetscCall(AddProduct(p, arrays->N, arrays->in_dot[0], arrays->in[1], arrays->out_dot));
  if (arrays->in_dot[1]) PetscCall(AddProduct(p, arrays->N, arrays->in[0], arrays->in_dot[1], arrays->out_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  PetscCall(Pull((const Product *)op->data, arrays, arrays->out_bar, arrays->in, arrays->in_bar));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Product *p = (const Product *)op->data;

  PetscFunctionBeginUser;
  (void)context;
  if (arrays->out_bar_dot) PetscCall(Pull(p, arrays, arrays->out_bar_dot, arrays->in, arrays->in_bar_dot));
  PetscCall(Pull(p, arrays, arrays->out_bar, arrays->in_dot, arrays->in_bar_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. |s A_b B_b| <= |s| |A_b| |B_b|, so with N(X) >= max_b |X_b|, over all blocks, |s A B| <= |s| N(A) |B| and |s| |A| N(B); the same of
   |A| |B|, which the rounding errors of products are measured by. Of what is within E of X, N grows by E at most.
   The number of roundings: a product of three, `length` of them added, and one more to what other consumers left.                              */

static PetscReal BlockNorm(const ValueBound *x, PetscInt entries)
{
  return PetscMin(x->measure->norm, PetscSqrtReal((PetscReal)entries) * x->measure->largest);
}

/* fl(s A^ B^) - s A B = rounding + s (A^ - A) B^ + s A (B^ - B) */
static void BoundForward(const OpBoundArgs *args)
{
  const Product  *p   = (const Product *)args->op->data;
  ValueBound     *out = args->out, *A = args->in[0], *B = args->in[1];
  const PetscReal s = PetscAbsReal(p->scale), NA = BlockNorm(A, p->rows * p->inner), NB = BlockNorm(B, p->inner * p->cols);
  const PetscReal size = PetscMin(NA * B->measure->norm, A->measure->norm * NB);

  out->eps = Up(Gamma((PetscReal)p->inner + 3) * s * size);
  out->e   = Up(s * (A->e * NB + (NA + A->e) * B->e) + out->eps);
  for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up(s * (A->t[mu] * (NB + B->E) + (NA + A->E) * B->t[mu]));
}

/* s lambda B^T - fl(s lambda^ B^^T) = s (lambda - lambda^) B^T + s lambda^ (B - B^)^T + rounding; other: the factor, `length` the sum's */
static void PullBound(const OpBoundArgs *args, ValueBound *in, const ValueBound *other, PetscReal N, PetscInt length)
{
  const PetscReal s = PetscAbsReal(((const Product *)args->op->data)->scale), rounding = Gamma((PetscReal)length + 4);

  for (PetscInt o = 0; o < args->l; o++) {
    const PetscReal bar = s * args->out->bar[o];

    in->F[o]   = Up(in->F[o] + s * args->out->F[o] * (N + other->E) + bar * other->E + rounding * (bar * N + in->sum[o]));
    in->sum[o] = Up(in->sum[o] + (1 + rounding) * bar * N);
  }
}

static void BoundAdjoint(const OpBoundArgs *args)
{
  const Product  *p = (const Product *)args->op->data;
  ValueBound     *A = args->in[0], *B = args->in[1];
  const PetscReal NA = BlockNorm(A, p->rows * p->inner), NB = BlockNorm(B, p->inner * p->cols);

  PullBound(args, A, B, NB, p->cols);
  PullBound(args, B, A, NA, p->rows);
}

/* lambda . D^2(s A B)[v,v] = 2 s sum_b lambda_b . A'_b B'_b <= 2 |s| max_b |lambda_b| |A'| |B'| */
static void BoundCurvature(const OpBoundArgs *args)
{
  const Product  *p      = (const Product *)args->op->data;
  const PetscReal block  = PetscSqrtReal((PetscReal)p->rows * (PetscReal)p->cols) * args->out->measure->column;
  const PetscReal lambda = PetscMin(OutputNorm(args->l, args->out->bar), block) + OutputNorm(args->l, args->out->F);
  const PetscReal weight = PetscAbsReal(p->scale) * lambda, *a = args->in[0]->t, *b = args->in[1]->t;

  for (PetscInt mu = 0; mu < args->P; mu++)
    for (PetscInt nu = 0; nu <= mu; nu++) args->B[mu * args->P + nu] += weight * (a[mu] * b[nu] + a[nu] * b[mu]);
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, NULL, NULL};

static const char *const Attributes[] = {"batch", "rows", "inner", "cols", "transpose", "scale", NULL};

const OpKind OpMatmul = {.name            = "matmul",
                         .inputs_min      = 2,
                         .inputs_max      = 2,
                         .attributes      = Attributes,
                         .setup           = Setup,
                         .forward         = Forward,
                         .tangent         = Tangent,
                         .adjoint         = AdjointOf,
                         .adjoint_tangent = AdjointTangent,
                         .bounds          = &Bounds,
                         .form            = OpProductForm};
