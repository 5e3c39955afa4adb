/*
  layernorm.c: y = (x - <x>)/s, s = sqrt(<(x - <x>)^2> + eps), in each block of `width` entries, < > the block's mean. Gain and shift are
  a multiply and an add of parameters.

    P = I - 1 1^T/w - y y^T/w, symmetric
    tangent            y'     = P x'/s                                    s' = <y x'>
    adjoint            x_bar += P y_bar/s
    adjoint's tangent  x_bar' += (P y_bar' - y' <y y_bar> - y <y' y_bar> - (s'/s) P y_bar)/s

    attributes  width; eps (1e-5)
*/
#include "ops.h"

typedef struct {
  PetscInt  width;
  PetscReal eps;
} Norm;

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp *op = setup->op;
  Norm  *norm;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&norm));
  op->data  = norm;
  op->dim   = OpInputDim(setup, 0);
  norm->eps = 1e-5;
  OpGetInt(setup, "width", 1, &norm->width);
  OpGetReal(setup, "eps", &norm->eps);
  if (norm->width > 0 && op->dim % norm->width)
    OpComplain(setup, "attribute 'width' is %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT " entries", norm->width,
               setup->net->ops[op->inputs[0]].name, op->dim);
  if (!(norm->eps > 0))
    OpComplain(setup, "attribute 'eps' must be positive: without it the function is not smooth where a block is constant");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal Mean(PetscInt w, const PetscReal a[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < w; i++) sum += a[i];
  return sum / (PetscReal)w;
}

static PetscReal MeanProduct(PetscInt w, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < w; i++) sum += a[i] * b[i];
  return sum / (PetscReal)w;
}

static PetscReal Deviation(const Norm *norm, const PetscReal x[])
{
  const PetscReal mean = Mean(norm->width, x);
  PetscReal       sum  = 0;

  for (PetscInt i = 0; i < norm->width; i++) sum += PetscSqr(x[i] - mean);
  return PetscSqrtReal(sum / (PetscReal)norm->width + norm->eps);
}

/* out += f P a */
static void AddProjected(PetscInt w, PetscReal f, const PetscReal y[], const PetscReal a[], PetscReal out[])
{
  const PetscReal mean = Mean(w, a), along = MeanProduct(w, y, a);

  for (PetscInt i = 0; i < w; i++) out[i] += f * (a[i] - mean - along * y[i]);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *x = arrays->in[0] + block, mean = Mean(norm->width, x), s = Deviation(norm, x);

    for (size_t i = 0; i < w; i++) arrays->out[block + i] = (x[i] - mean) / s;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  ThreadsZero(size, arrays->out_dot);
  if (!arrays->in_dot[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t block = 0; block < size; block += w)
    AddProjected(norm->width, 1 / Deviation(norm, arrays->in[0] + block), arrays->out + block, arrays->in_dot[0] + block,
                 arrays->out_dot + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, dim = (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare((size_t)arrays->rows * dim))
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t block = 0; block < dim; block += w) {
      const size_t at = OpRowPoint(arrays, row) * dim + block;

      AddProjected(norm->width, 1 / Deviation(norm, arrays->in[0] + at), arrays->out + at, arrays->out_bar + row * dim + block,
                   arrays->in_bar[0] + row * dim + block);
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x_bar' -= (y' <y y_bar> + y <y' y_bar> + (s'/s) P y_bar)/s in one block, y' = P x'/s */
static void AddCurvature(PetscInt w, PetscReal s, const PetscReal y[], const PetscReal x_dot[], const PetscReal y_bar[],
                         PetscReal x_bar_dot[], PetscReal y_dot[])
{
  for (PetscInt i = 0; i < w; i++) y_dot[i] = 0;
  AddProjected(w, 1 / s, y, x_dot, y_dot);
  AddProjected(w, -MeanProduct(w, y, x_dot) / (s * s), y, y_bar, x_bar_dot);
  for (PetscInt i = 0; i < w; i++) x_bar_dot[i] -= (y_dot[i] * MeanProduct(w, y, y_bar) + y[i] * MeanProduct(w, y_dot, y_bar)) / s;
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;
  PetscReal   *y_dot;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar_dot[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(w, &y_dot));
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *y = arrays->out + block, s = Deviation(norm, arrays->in[0] + block);
    PetscReal       *x_bar_dot = arrays->in_bar_dot[0] + block;

    if (arrays->out_bar_dot) AddProjected(norm->width, 1 / s, y, arrays->out_bar_dot + block, x_bar_dot);
    if (arrays->in_dot[0]) AddCurvature(norm->width, s, y, arrays->in_dot[0] + block, arrays->out_bar + block, x_bar_dot, y_dot);
  }
  PetscCall(PetscFree(y_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. Dy = P/s with 0 <= P <= I, as |y|^2 <= w, and s is Lipschitz: |s'| = |<y x'>| <= |x'|/sqrt(w). So

     ||Dy|| <= 1/s,     s >= max(s(x^) - |x - x^|/sqrt(w), sqrt(eps))
     D^2y[v,v] = -(2 <y v> P v + y <v P v>)/s^2

   for v of mean 0, of which v - <v> is what matters. With a = |y|^2/w <= 1, v = c y/|y| + (orthogonal), p = a c^2: the square of that vector, for
   |v| = 1, is (a (1 - 3p)^2 + 8p - 12p^2)/(w s^4) <= (1 + 2p - 3p^2)/(w s^4) <= (4/3)/(w s^4):

     |D^2y[v,w]| <= S2 |v| |w|,  ||Dy(x) - Dy(x')|| <= S2 |x - x'|,  S2 = 1.1548/(sqrt(w) s^2)

   Rounding. m^ = fl <x> is off by gamma_w |x|/sqrt(w), so d^ = fl(x - m^) is within delta = gamma_w |x| + u |d^| <= gamma_(w+2) |x| of x - <x>, and s^,
   a root of w squares, w + 1 additions and a quotient, within delta/sqrt(w) + gamma_(w+4) s^ of s(x^). From y^ = fl(d^/s^):

     |y^ - y| <= |d^ - d|/s^ + |d|/s |s^ - s|/s^ + u |y^| <= 2 delta/s^ + sqrt(w) gamma_(w+6)

   in each block, as |d| <= sqrt(w) s. Squares that underflow change s by 10^-150 at most.                                                 */

static PetscReal Width(const OpBoundArgs *args)
{
  return (PetscReal)((const Norm *)args->op->data)->width;
}

static PetscReal LeastDivisor(const Norm *norm)
{
  return PetscSqrtReal(norm->eps) * (1 - 8 * ROUNDING);
}

/* the least s(x^) of a block, from below */
static PetscReal OwnDivisor(const NetOp *op, const OpArrays *point, PetscInt *unit)
{
  const Norm     *norm  = (const Norm *)op->data;
  const PetscReal w     = (PetscReal)norm->width;
  PetscReal       least = INFINITY;

  for (PetscInt block = 0; block < op->dim; block += norm->width) {
    const PetscReal *x = point->in[0] + block, s = Deviation(norm, x),
                    size  = NormUp(w, w * MeanProduct(norm->width, x, x) * (1 + Gamma(4)));
    const PetscReal below = s * (1 - Gamma(w + 5)) - Gamma(w + 3) * size / PetscSqrtReal(w) - 1e-150;

    if (below < least) *unit = block;
    least = PetscMin(least, PetscMax(below, LeastDivisor(norm)));
  }
  return least;
}

typedef struct {
  PetscReal s;        /* least over the ball */
  PetscReal S2;       /* above */
  PetscReal rounding; /* of Dy^, from the computed y and s, and of its product: |lambda^| times that */
} Divisor;

static Divisor DivisorOf(const OpBoundArgs *args)
{
  const ValueBound *x = args->in[0], *y = args->out;
  const PetscReal   w = Width(args), root = PetscSqrtReal(w), at = y->measure->own;
  const PetscReal   size = PetscMin(x->measure->norm / root, x->measure->largest); /* |x|/sqrt(w), of any block */
  Divisor           d;

  d.s  = PetscMax(at - x->E / root * (1 + SLACK), LeastDivisor((const Norm *)args->op->data)) * (1 - SLACK);
  d.S2 = Up(1.1548 / (root * d.s * d.s));
  /* 1/s: (delta/sqrt(w) + gamma_(w+4) s)/s, and the quotient; y y^T/w: (|y^| + |y|) |y^ - y|/w; the mean and <y a>, w products each, and three
     more roundings of terms <= |a| each */
  d.rounding = Up((Gamma(w + 4) * size / at + 1e-150 / at + (2 * root + y->eps) * y->eps / w +
                   Gamma(2 * w + 20) * PetscSqr(1 + y->eps / root)) /
                  at);
  return d;
}

static void BoundForward(const OpBoundArgs *args)
{
  ValueBound     *y = args->out, *x = args->in[0];
  const PetscReal w = Width(args), at = y->measure->own;
  PetscReal       s;

  y->eps = Up((2 * Gamma(w + 3) * x->measure->norm + 1e-150 * PetscSqrtReal((PetscReal)y->dim)) / at +
              Gamma(w + 8) * PetscSqrtReal((PetscReal)y->dim));
  s      = DivisorOf(args).s;
  y->e   = Up(x->e / s + y->eps);
  for (PetscInt mu = 0; mu < args->P; mu++) y->t[mu] = Up(x->t[mu] / s);
}

/* Dy lambda - fl(Dy^ lambda^) = Dy (lambda - lambda^) + (Dy - Dy(x^)) lambda^ + (Dy(x^) - Dy^) lambda^ + rounding */
static void BoundAdjoint(const OpBoundArgs *args)
{
  const Divisor d = DivisorOf(args);
  ValueBound   *y = args->out, *x = args->in[0];

  for (PetscInt o = 0; o < args->l; o++) {
    const PetscReal bar = y->bar[o], size = (1 / d.s + d.rounding) * bar;

    x->F[o]   = Up(x->F[o] + y->F[o] / d.s + (d.S2 * x->E + d.rounding) * bar + Gamma(2) * (x->sum[o] + size));
    x->sum[o] = Up(x->sum[o] + size);
  }
}

/* a block's adjoint is at most sqrt(w) max_j |lambda_.j|, and all of them */
static void BoundCurvature(const OpBoundArgs *args)
{
  const Divisor   d      = DivisorOf(args);
  const PetscReal lambda = PetscMin(OutputNorm(args->l, args->out->bar), PetscSqrtReal(Width(args)) * args->out->measure->column);
  const PetscReal weight = d.S2 * (lambda + OutputNorm(args->l, args->out->F)), *t = args->in[0]->t;

  for (PetscInt mu = 0; mu < args->P; mu++)
    for (PetscInt nu = 0; nu <= mu; nu++) args->B[mu * args->P + nu] += weight * t[mu] * t[nu];
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, NULL, OwnDivisor};

static const char *const Attributes[] = {"width", "eps", NULL};

/* odd in its input */
static void Form(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  OpAnyForm(op, in, out);
  out->odd = in[0].odd;
}

const OpKind OpLayernorm = {.name            = "layernorm",
                            .inputs_min      = 1,
                            .inputs_max      = 1,
                            .attributes      = Attributes,
                            .setup           = Setup,
                            .forward         = Forward,
                            .tangent         = Tangent,
                            .adjoint         = AdjointOf,
                            .adjoint_tangent = AdjointTangent,
                            .bounds          = &Bounds,
                            .form            = Form};
