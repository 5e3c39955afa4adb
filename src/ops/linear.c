/*
  linear.c: z_t = W a_t + b at T places, the one op that computes in shards.

    input 0            [T, k]
    parameters         weight, h x k (its first dimension x the others); bias, h: may be left out
    value              [T, h]

    forward            z      = W a + b
    tangent            z'     = W a' + V a + v_b                 V, v_b: direction in W, b
    adjoint            a_bar += W^T z_bar
    adjoint's tangent  a_bar' += W^T z_bar' + V^T z_bar

  a rank multiplies by its own rows of W; values are gathered over the group, adjoints summed.
  Arrays are row-major: (N T) x k is column-major k x (N T); W, rows x k, is column-major k x rows.
*/
#include "../blas.h"
#include "ops.h"
#include <math.h>

typedef struct {
  PetscInt k, h, T, places; /* places: N T, or rows T */
  Range    units;           /* rows of W here */
} Shape;

static const char *const Roles[] = {"weight", "bias"};

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp         *op = setup->op;
  const Label   *W  = op->weight < 0 ? NULL : &setup->net->labels[op->weight];
  const Label   *b  = op->bias < 0 ? NULL : &setup->net->labels[op->bias];
  const PetscInt k  = OpInputDim(setup, 0);

  PetscFunctionBeginUser;
  if (!W) {
    OpComplain(setup, "it needs a parameter 'weight'");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (k % W->cols)
    OpComplain(setup,
               "its weight '%s' is %" PetscInt_FMT " x %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT
               " entries: no multiple of %" PetscInt_FMT,
               W->name, W->rows, W->cols, setup->net->ops[op->inputs[0]].name, k, W->cols);
  if (b && (b->rows != W->rows || b->cols != 1))
    OpComplain(setup, "its weight '%s' is %" PetscInt_FMT " x %" PetscInt_FMT ", its bias '%s' %" PetscInt_FMT " x %" PetscInt_FMT,
               W->name, W->rows, W->cols, b->name, b->rows, b->cols);
  op->places = k / W->cols;
  op->dim    = op->places * W->rows;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static Shape ShapeOf(const NetOp *op, const OpContext *context, const OpArrays *arrays, PetscInt rows)
{
  Shape shape;

  shape.T      = op->places;
  shape.k      = arrays->in_dim[0] / op->places;
  shape.h      = op->dim / op->places;
  shape.places = rows * op->places;
  shape.units  = ParametersShardRows(context->parameters, op->weight);
  return shape;
}

/* z[units] += (the label's W in vec) a, at all places */
static PetscErrorCode AddProduct(const NetOp *op, const OpContext *context, Shape s, Vec vec, const PetscReal a[], PetscReal z[])
{
  const PetscReal *W;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetShard(context->parameters, vec, op->weight, &W));
  PetscCall(Gemm("T", "N", s.units.last - s.units.first, s.places, s.k, 1, W, s.k, a, s.k, 1, z + s.units.first, s.h));
  PetscCall(ParametersRestoreShard(context->parameters, vec, op->weight, &W));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* z[units] = the label's b in vec, or 0 */
static PetscErrorCode SetBias(const NetOp *op, const OpContext *context, Shape s, Vec vec, PetscReal z[])
{
  const PetscInt   width = s.units.last - s.units.first;
  const PetscReal *b     = NULL;

  PetscFunctionBeginUser;
  if (op->bias >= 0) PetscCall(ParametersGetShard(context->parameters, vec, op->bias, &b));
#pragma omp parallel for if (ThreadsShare((size_t)s.places * (size_t)width))
  for (PetscInt place = 0; place < s.places; place++) {
    PetscReal *mine = z + (size_t)place * (size_t)s.h + s.units.first;

    for (PetscInt j = 0; j < width; j++) mine[j] = b ? b[j] : 0;
  }
  if (b) PetscCall(ParametersRestoreShard(context->parameters, vec, op->bias, &b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Shape s = ShapeOf(op, context, arrays, arrays->N);

  PetscFunctionBeginUser;
  PetscCall(SetBias(op, context, s, context->theta, arrays->out));
  PetscCall(AddProduct(op, context, s, context->theta, arrays->in[0], arrays->out));
  PetscCall(GridGatherUnits(ParametersGrid(context->parameters), s.places, s.h, arrays->out));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Shape s = ShapeOf(op, context, arrays, arrays->N);

  PetscFunctionBeginUser;
  PetscCall(SetBias(op, context, s, context->theta_dot, arrays->out_dot));
  PetscCall(AddProduct(op, context, s, context->theta_dot, arrays->in[0], arrays->out_dot));
  if (arrays->in_dot[0]) PetscCall(AddProduct(op, context, s, context->theta, arrays->in_dot[0], arrays->out_dot));
  PetscCall(GridGatherUnits(ParametersGrid(context->parameters), s.places, s.h, arrays->out_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a_bar += (the label's W in vec)^T z_bar, this rank's units only */
static PetscErrorCode AddTransposed(const NetOp *op, const OpContext *context, Shape s, Vec vec, const PetscReal z_bar[],
                                    PetscReal a_bar[])
{
  const PetscReal *W;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetShard(context->parameters, vec, op->weight, &W));
  PetscCall(Gemm("N", "N", s.k, s.places, s.units.last - s.units.first, 1, W, s.k, z_bar + s.units.first, s.h, 1, a_bar, s.k));
  PetscCall(ParametersRestoreShard(context->parameters, vec, op->weight, &W));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a_bar += sum over the group of W^T z_bar (+ V^T v_bar): products of several units are summed before they are added */
static PetscErrorCode Pull(const NetOp *op, const OpContext *context, Shape s, const PetscReal z_bar[], const PetscReal v_bar[],
                           PetscReal a_bar[])
{
  const Grid   grid = ParametersGrid(context->parameters);
  const size_t size = (size_t)s.places * (size_t)s.k;
  PetscReal   *sum  = a_bar;

  PetscFunctionBeginUser;
  if (grid->Q > 1) PetscCall(PetscCalloc1(size, &sum));
  if (z_bar) PetscCall(AddTransposed(op, context, s, context->theta, z_bar, sum));
  if (v_bar) PetscCall(AddTransposed(op, context, s, context->theta_dot, v_bar, sum));
  if (grid->Q > 1) {
    PetscCall(GridSumUnits(grid, s.places, s.k, sum));
#pragma omp parallel for if (ThreadsShare(size))
    for (size_t i = 0; i < size; i++) a_bar[i] += sum[i];
    PetscCall(PetscFree(sum));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  if (arrays->in_bar[0])
    PetscCall(Pull(op, context, ShapeOf(op, context, arrays, arrays->rows), arrays->out_bar, NULL, arrays->in_bar[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  if (arrays->in_bar_dot[0])
    PetscCall(
        Pull(op, context, ShapeOf(op, context, arrays, arrays->N), arrays->out_bar_dot, arrays->out_bar, arrays->in_bar_dot[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds ----------------------------------------------------------------------------------------------------------
   |W a|_F <= ||W|| |a| over places; a change of W by at most r changes ||W|| by at most r.                            */

static void BoundForward(const OpBoundArgs *args)
{
  const NetOp     *op  = args->op;
  ValueBound      *out = args->out, *a = args->in[0];
  const LabelNorm *W      = &args->labels[op->weight];
  const PetscInt   fan_in = a->dim / op->places;
  const PetscReal  k = (PetscReal)fan_in, T = (PetscReal)op->places;
  const PetscReal  b = op->bias < 0 ? 0 : args->labels[op->bias].frobenius;

  /* b and k products, added in any order: |fl z - z| <= gamma_(k+1) (|b| + |W| |a|), entry by entry */
  out->eps =
      out->measure->eps >= 0 ? out->measure->eps : Up(Gamma(k + 2) * (W->frobenius * a->measure->norm + PetscSqrtReal(T) * b));
  out->e = Up(W->spectral * a->e + out->eps);
  for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up((W->spectral + args->r) * a->t[mu]);
  out->t[op->weight] = Up(out->t[op->weight] + a->measure->norm + a->E); /* |V a| <= |V| |a| */
  if (op->bias >= 0) out->t[op->bias] = Up(out->t[op->bias] + PetscSqrtReal(T));
}

/* W(theta)^T lambda - fl(W^T lambda^) = W(theta)^T (lambda - lambda^) + (W(theta) - W)^T lambda^ + rounding. The product goes over h units
   and Q ranks, and is accumulated on what other consumers have added: chain <= h + Q + 1, in any order. */
static void BoundAdjoint(const OpBoundArgs *args)
{
  const LabelNorm *W   = &args->labels[args->op->weight];
  ValueBound      *out = args->out, *a = args->in[0];
  const PetscInt   chain    = out->dim / args->op->places + args->Q + 2;
  const PetscReal  rounding = Gamma((PetscReal)chain);

  for (PetscInt o = 0; o < args->l; o++) {
    a->F[o]   = Up(a->F[o] + (W->spectral + args->r) * out->F[o] + (args->r + rounding * W->frobenius) * out->bar[o] +
                   rounding * a->sum[o]);
    a->sum[o] = Up(a->sum[o] + (W->spectral + rounding * W->frobenius) * out->bar[o]);
  }
}

/* lambda . D^2(W a)[v,v] = 2 lambda . V a' <= 2 |lambda|_F |v_W| sum_mu t_mu |v_mu| */
static void BoundCurvature(const OpBoundArgs *args)
{
  const PetscInt  W = args->op->weight, P = args->P;
  const PetscReal weight = OutputNorm(args->l, args->out->bar) + OutputNorm(args->l, args->out->F), *t = args->in[0]->t;

  for (PetscInt mu = 0; mu < P; mu++) args->B[PetscMax(mu, W) * P + PetscMin(mu, W)] += (mu == W ? 2 : 1) * weight * t[mu];
}

/* ---- forward with a small rounding error ---------------------------------------------------------------------------------
   beta = floor((53 - ceil log2 k)/2). Each row of W, and a at each place, is split x = hi + lo with 2^e >= max |x|, c = 1.5 2^(e+53-beta),
   hi = (x + c) - c: x + c lies in [2^(e+53-beta), 2^(e+54-beta)), where doubles are 2^(e+1-beta) apart, so hi is a multiple of
   that, |hi| <= 2^e, |lo| <= 2^(e-beta), and both differences are exact. Products of his are multiples of one unit, at most
   2^(2 beta - 2) of it; k of them sum to less than 2^53: C1 = W_hi a_hi is exact in any order. Then

     z = fl(fl(C1 + b) + C2),  C2 = fl(W_lo a_hi + W a_lo),   |z - (W a + b)| <= u |z| + u |fl(C1 + b)|
                                                                + gamma_2k (||W_lo||_F |a_hi| + ||W||_F |a_lo|)

   since C2 adds 2 k products in any order.                                                                            */

typedef struct {
  PetscReal *hi, *lo;   /* places x k */
  PetscReal *hi2, *lo2; /* |hi|^2, |lo|^2 of each point */
} SplitValue;

static void SplitRow(PetscInt k, const PetscReal x[], PetscReal hi[], PetscReal lo[])
{
  PetscReal largest = 1e-250, c; /* a row of zeros is as good as any */
  int       e, logk = 0;

  for (PetscInt j = 0; j < k; j++) largest = PetscMax(largest, PetscAbsReal(x[j]));
  while (logk < 52 && ldexp(1, logk) < (double)k) logk++;
  (void)frexp(largest, &e);
  c = ldexp(1.5, e + 53 - (53 - logk) / 2);
  for (PetscInt j = 0; j < k; j++) {
    hi[j] = (x[j] + c) - c;
    lo[j] = x[j] - hi[j];
  }
}

static PetscReal Squares(PetscInt n, const PetscReal x[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

static PetscErrorCode SplitValueCreate(Shape s, PetscInt N, const PetscReal a[], SplitValue *value)
{
  const size_t k = (size_t)s.k;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)s.places * k, &value->hi, (size_t)s.places * k, &value->lo));
  PetscCall(PetscCalloc2(N, &value->hi2, N, &value->lo2));
#pragma omp parallel for if (ThreadsShare((size_t)s.places * k))
  for (PetscInt i = 0; i < N; i++)
    for (size_t place = (size_t)i * (size_t)s.T; place < (size_t)(i + 1) * (size_t)s.T; place++) {
      SplitRow(s.k, a + place * k, value->hi + place * k, value->lo + place * k);
      value->hi2[i] += Squares(s.k, value->hi + place * k);
      value->lo2[i] += Squares(s.k, value->lo + place * k);
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SplitValueDestroy(SplitValue *value)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(value->hi, value->lo));
  PetscCall(PetscFree2(value->hi2, value->lo2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* these rows of W, with the biases b (or NULL): z there; |fl(C1 + b)|^2 added to sums[point], ||W_lo||_F^2 and
   ||W||_F^2 to sums[N], sums[N+1] */
static PetscErrorCode SplitPanel(Shape s, Range units, const PetscReal W[], const PetscReal b[], const SplitValue *value,
                                 PetscReal z[], PetscReal sums[])
{
  const PetscInt rows = units.last - units.first;
  const size_t   k = (size_t)s.k, w = (size_t)rows, N = (size_t)s.places / (size_t)s.T;
  PetscReal     *hi, *lo, *C1, *C2, *lo2, *all2; /* the last two: |.|^2 of each row */

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc6(w * k, &hi, w * k, &lo, (size_t)s.places * w, &C1, (size_t)s.places * w, &C2, w, &lo2, w, &all2));
#pragma omp parallel for if (ThreadsShare(w * k))
  for (size_t row = 0; row < w; row++) {
    SplitRow(s.k, W + row * k, hi + row * k, lo + row * k);
    lo2[row]  = Squares(s.k, lo + row * k);
    all2[row] = Squares(s.k, W + row * k);
  }
  for (size_t row = 0; row < w; row++) {
    sums[N] += lo2[row];
    sums[N + 1] += all2[row];
  }
  PetscCall(Gemm("T", "N", rows, s.places, s.k, 1, hi, s.k, value->hi, s.k, 0, C1, rows));
  PetscCall(Gemm("T", "N", rows, s.places, s.k, 1, lo, s.k, value->hi, s.k, 0, C2, rows));
  PetscCall(Gemm("T", "N", rows, s.places, s.k, 1, W, s.k, value->lo, s.k, 1, C2, rows));
#pragma omp parallel for if (ThreadsShare((size_t)s.places * w))
  for (size_t i = 0; i < N; i++)
    for (size_t place = i * (size_t)s.T; place < (i + 1) * (size_t)s.T; place++)
      for (size_t j = 0; j < w; j++) {
        const PetscReal sum = C1[place * w + j] + (b ? b[j] : 0);

        sums[i] += sum * sum;
        z[place * (size_t)s.h + (size_t)units.first + j] = sum + C2[place * w + j];
      }
  PetscCall(PetscFree6(hi, lo, C1, C2, lo2, all2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SplitPanels(Shape s, const PetscReal W[], const PetscReal b[], const SplitValue *value, PetscReal z[],
                                  PetscReal sums[])
{
  const PetscInt width = s.units.last - s.units.first, most = PetscMax(8, PetscMin(256, ((PetscInt)1 << 22) / s.k));

  PetscFunctionBeginUser;
  for (PetscInt row = 0; row < width; row += most) {
    const Range units = {s.units.first + row, s.units.first + PetscMin(row + most, width)};

    PetscCall(SplitPanel(s, units, W + (size_t)row * (size_t)s.k, b ? b + row : NULL, value, z, sums));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Split(const NetOp *op, const OpContext *context, const OpArrays *arrays, PetscReal eps[])
{
  const Shape      s    = ShapeOf(op, context, arrays, arrays->N);
  const Grid       grid = ParametersGrid(context->parameters);
  const PetscInt   N = arrays->N, terms = s.h * s.T + grid->Q;
  const PetscReal *W, *b                = NULL;
  PetscReal       *sums, W_lo, W_all;
  SplitValue       value;

  PetscFunctionBeginUser;
  PetscCall(SplitValueCreate(s, N, arrays->in[0], &value));
  PetscCall(PetscCalloc1(N + 2, &sums));
  PetscCall(ParametersGetShard(context->parameters, context->theta, op->weight, &W));
  if (op->bias >= 0) PetscCall(ParametersGetShard(context->parameters, context->theta, op->bias, &b));
  PetscCall(SplitPanels(s, W, b, &value, arrays->out, sums));
  if (b) PetscCall(ParametersRestoreShard(context->parameters, context->theta, op->bias, &b));
  PetscCall(ParametersRestoreShard(context->parameters, context->theta, op->weight, &W));
  PetscCall(GridSumUnits(grid, N + 2, 1, sums));
  PetscCall(GridGatherUnits(grid, s.places, s.h, arrays->out));
  W_lo  = NormUp((PetscReal)terms * (PetscReal)s.k, sums[N]);
  W_all = NormUp((PetscReal)terms * (PetscReal)s.k, sums[N + 1]);
  for (PetscInt i = 0; i < N; i++) {
    const PetscReal a_hi = NormUp((PetscReal)s.k * (PetscReal)s.T, value.hi2[i]),
                    a_lo = NormUp((PetscReal)s.k * (PetscReal)s.T, value.lo2[i]);
    const PetscReal z    = NormUp((PetscReal)op->dim, Squares(op->dim, arrays->out + (size_t)i * (size_t)op->dim));

    eps[i] = Up(ROUNDING * (z + NormUp((PetscReal)terms, sums[i])) + Gamma(2 * (PetscReal)s.k + 2) * (W_lo * a_hi + W_all * a_lo));
  }
  PetscCall(PetscFree(sums));
  PetscCall(SplitValueDestroy(&value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, Split, NULL};

/* W times the inputs; b is constant */
static void Form(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  OpMapForm(op, in, out);
  if (op->bias < 0) return;
  out->odd = PETSC_FALSE;
  if (out->degrees) out->degrees |= 1;
}

const OpKind OpLinear = {.name            = "linear",
                         .inputs_min      = 1,
                         .inputs_max      = 1,
                         .parameters      = Roles,
                         .setup           = Setup,
                         .forward         = Forward,
                         .tangent         = Tangent,
                         .adjoint         = AdjointOf,
                         .adjoint_tangent = AdjointTangent,
                         .bounds          = &Bounds,
                         .form            = Form};
