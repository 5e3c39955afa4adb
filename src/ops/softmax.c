/*
  softmax.c: y = e^x / sum e^x, in each block of `width` entries; [a, b] is the block's sum of a_i b_i.

    tangent            y'     = y o (x' - [y, x'])
    adjoint            x_bar += y o (y_bar - [y, y_bar])
    adjoint's tangent  x_bar' += y o (y_bar' - [y, y_bar'] - [y', y_bar]) + y' o (y_bar - [y, y_bar])

    attributes  width
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp    *op = setup->op;
  PetscInt *width;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(1, &width));
  op->data = width;
  op->dim  = OpInputDim(setup, 0);
  OpGetInt(setup, "width", 1, width);
  if (*width > 0 && op->dim % *width)
    OpComplain(setup, "attribute 'width' is %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT " entries", *width,
               setup->net->ops[op->inputs[0]].name, op->dim);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t WidthOf(const NetOp *op)
{
  return (size_t) * (const PetscInt *)op->data;
}

static PetscReal Sum(size_t w, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (size_t i = 0; i < w; i++) sum += a[i] * b[i];
  return sum;
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *x = arrays->in[0] + block;
    PetscReal       *y = arrays->out + block, largest = x[0], sum = 0;

    for (size_t i = 1; i < w; i++) largest = PetscMax(largest, x[i]);
    for (size_t i = 0; i < w; i++) sum += y[i] = PetscExpReal(x[i] - largest);
    for (size_t i = 0; i < w; i++) y[i] /= sum;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out += y o (a - [y, a]) */
static void AddDerivative(size_t w, const PetscReal y[], const PetscReal a[], PetscReal out[])
{
  const PetscReal along = Sum(w, y, a);

  for (size_t i = 0; i < w; i++) out[i] += y[i] * (a[i] - along);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  ThreadsZero(size, arrays->out_dot);
  if (!arrays->in_dot[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t block = 0; block < size; block += w)
    AddDerivative(w, arrays->out + block, arrays->in_dot[0] + block, arrays->out_dot + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), dim = (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * dim))
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t block = 0; block < dim; block += w)
      AddDerivative(w, arrays->out + OpRowPoint(arrays, row) * dim + block, arrays->out_bar + row * dim + block,
                    arrays->in_bar[0] + row * dim + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void AddCurvature(size_t w, const PetscReal y[], const PetscReal x_dot[], const PetscReal y_bar[], PetscReal x_bar_dot[])
{
  const PetscReal along = Sum(w, y, x_dot), bar = Sum(w, y, y_bar);
  PetscReal       moved = 0; /* [y', y_bar] */

  for (size_t i = 0; i < w; i++) moved += y[i] * (x_dot[i] - along) * y_bar[i];
  for (size_t i = 0; i < w; i++) x_bar_dot[i] += y[i] * ((x_dot[i] - along) * (y_bar[i] - bar) - moved);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar_dot[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *y         = arrays->out + block;
    PetscReal       *x_bar_dot = arrays->in_bar_dot[0] + block;

    if (arrays->out_bar_dot) AddDerivative(w, y, arrays->out_bar_dot + block, x_bar_dot);
    if (arrays->in_dot[0]) AddCurvature(w, y, arrays->in_dot[0] + block, arrays->out_bar + block, x_bar_dot);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. D = diag(y) - y y^T is the covariance under the probabilities y: D[v,v] = var(v), and along v

     lambda . D^2y[v,v] = cov3(lambda, v, v) = sum_i y_i (lambda_i - [y,lambda]) (v_i - [y,v])^2

   (cumulants are the derivatives of log sum e^x). So with range(v) = max v - min v <= sqrt(2) |v|, in each block

     ||D|| <= S1 = min(1/2, max_i y_i)                        var(v) <= range(v)^2/4 (Popoviciu); <= sum_i y_i v_i^2
     |lambda . D^2y[v,w]| <= range(lambda) S1 |v| |w|          Cauchy-Schwarz of (v - [y,v]), (w - [y,w]) under y
     ||D(x) - D(x')|| <= sqrt(2) S1 |x - x'|

   max y is that of the computed value, and of what is within the change of y over the ball.

   Rounding, from fl(x_i - largest) = d_i (1 + u'), |u'| <= u, d_i <= 0: e^(d (1 + u')) - e^d is at most u/e < .38 u, since |d| e^d <= 1/e, and none
   for the largest. The numerators sum to at least 1, so the sum changes by a factor 1 + .38 w u at most. exp errs by 4u (A3), w - 1 additions
   and a quotient round: in each entry |y^ - y| <= gamma_(2w + 12) y^ + .38 u.                                                            */

typedef struct {
  PetscReal S1, S2;   /* S2 |x - x'| >= ||D(x) - D(x')|| */
  PetscReal rounding; /* of D^, from the computed y, and of its product: |lambda^| times that */
} Suprema;

static Suprema SupremaOf(const OpBoundArgs *args)
{
  const ValueBound *x = args->in[0], *y = args->out;
  const PetscReal   w       = (PetscReal)WidthOf(args->op);
  const PetscReal   largest = y->measure->largest + y->eps + .5 * x->E;
  Suprema           s       = {.S1 = PetscMin(.5, largest)};

  s.S2 = PETSC_SQRT2 * s.S1 * (1 + SLACK);
  /* diag and y y^T change by |y^ - y| (1 + |y^| + |y|), |y| <= 1; in the product y_i (a_i - [y,a]) the sum rounds by gamma_w |y|^2 |a|, |y|^2 <= max y
     sum y, then three more roundings of 2 max y |a| */
  s.rounding = Up(3 * (1 + y->eps) * y->eps + 2 * Gamma(w + 6) * (y->measure->largest + y->eps) * (1 + PetscSqrtReal(w) * y->eps));
  return s;
}

static void BoundForward(const OpBoundArgs *args)
{
  ValueBound     *y = args->out, *x = args->in[0];
  const PetscReal w = (PetscReal)WidthOf(args->op);
  PetscReal       S1;

  y->eps = Up(Gamma(2 * w + 12) * y->measure->norm + .38 * ROUNDING * PetscSqrtReal((PetscReal)y->dim));
  S1     = SupremaOf(args).S1;
  y->e   = Up(S1 * x->e + y->eps);
  for (PetscInt mu = 0; mu < args->P; mu++) y->t[mu] = Up(S1 * x->t[mu]);
}

/* D lambda - fl(D^ lambda^) = D (lambda - lambda^) + (D - D(x^)) lambda^ + (D(x^) - D^) lambda^ + rounding */
static void BoundAdjoint(const OpBoundArgs *args)
{
  const Suprema s = SupremaOf(args);
  ValueBound   *y = args->out, *x = args->in[0];

  for (PetscInt o = 0; o < args->l; o++) {
    x->F[o]   = Up(x->F[o] + s.S1 * y->F[o] + (s.S2 * x->E + s.rounding) * y->bar[o] +
                   Gamma(2) * (x->sum[o] + (s.S1 + s.rounding) * y->bar[o]));
    x->sum[o] = Up(x->sum[o] + (s.S1 + s.rounding) * y->bar[o]);
  }
}

/* a combination of the outputs' adjoints, of weights c, |c| = 1: its range is at most 2 max_j |lambda_.j| */
static void BoundCurvature(const OpBoundArgs *args)
{
  const Suprema   s = SupremaOf(args);
  const PetscReal range =
      PetscMin(2 * args->out->measure->column, PETSC_SQRT2 * OutputNorm(args->l, args->out->bar) * (1 + SLACK)) +
      PETSC_SQRT2 * OutputNorm(args->l, args->out->F) * (1 + SLACK);
  const PetscReal weight = s.S1 * range, *t = args->in[0]->t;

  for (PetscInt mu = 0; mu < args->P; mu++)
    for (PetscInt nu = 0; nu <= mu; nu++) args->B[mu * args->P + nu] += weight * t[mu] * t[nu];
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, NULL, NULL};

static const char *const Attributes[] = {"width", NULL};

const OpKind OpSoftmax = {.name            = "softmax",
                          .inputs_min      = 1,
                          .inputs_max      = 1,
                          .attributes      = Attributes,
                          .setup           = Setup,
                          .forward         = Forward,
                          .tangent         = Tangent,
                          .adjoint         = AdjointOf,
                          .adjoint_tangent = AdjointTangent,
                          .bounds          = &Bounds,
                          .form            = OpAnyForm};
