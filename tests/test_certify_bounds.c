// ranks: 1
/*
  Each term of the certificate's bounds, where it is attained. For numbers instead of matrices every bound of an op is an equality, and a term
  left out is seen; rounding terms are compared with what BLAS or the activations may do. The recursion is tried with errors put into
  a trajectory, and with balls so large that the second order shows.
*/
#include "../src/certify_enclose.h"
#include "../src/certify_norms.h"
#include "../src/certify_paths.h"
#include "../src/certify_recursion.h"
#include "../src/ops/ops.h"
#include "codim/certify.h"
#include "problem.h"
#include <math.h>
#include <petscblaslapack.h>
#include <string.h>

enum { P = 2, TRIALS = 400 }; /* labels: W, b */

static const PetscReal U = PETSC_MACHINE_EPSILON / 2, ALMOST = 1 - 1e-10;

static PetscInt64 drawn;

/* log-uniform in [10^-span, 10^span], either sign */
static PetscReal Draw(PetscReal span)
{
  PetscReal u[2];

  RandomUniform(17, 3, 2 * drawn++, 2, u);
  return (u[0] < .5 ? -1 : 1) * PetscPowReal(10, span * (2 * u[1] - 1));
}

/* ---- one op ------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  Measure     measure[2]; /* in, out */
  PetscReal   bar[2], F[2], sum[2], t[2][P], B[P * P];
  Margin      margin;
  ValueBound  value[2];
  LabelNorm   labels[P];
  NetOp       op;
  OpBoundArgs args;
} Scalar;

/* |W| = |w|, |b| = 1, in = a, r; everything else 0 */
static void ScalarOp(Scalar *s, const OpKind *kind, const char activation[], PetscReal w, PetscReal a, PetscReal r)
{
  memset(s, 0, sizeof *s);
  s->op =
      (NetOp){.kind = kind, .inputs = {0, -1}, .dim = 1, .places = 1, .weight = activation ? -1 : 0, .bias = activation ? -1 : 1};
  s->op.activation = activation ? ActivationFind(activation) : NULL;
  s->labels[0]     = (LabelNorm){PetscAbsReal(w), PetscAbsReal(w)};
  s->labels[1]     = (LabelNorm){1, 1};
  s->margin        = (Margin){.least = INFINITY};
  for (int k = 0; k < 2; k++) {
    s->measure[k] = (Measure){.norm = PetscAbsReal(a), .largest = PetscAbsReal(a), .own = PetscAbsReal(a), .eps = -1};
    s->value[k] =
        (ValueBound){.measure = &s->measure[k], .bar = &s->bar[k], .dim = 1, .t = s->t[k], .F = &s->F[k], .sum = &s->sum[k]};
  }
  s->args   = (OpBoundArgs){.op = &s->op, .out = &s->value[1], .in = {&s->value[0]}, .labels = s->labels, .P = P, .l = 1, .Q = 1};
  s->args.r = r;
  s->args.B = s->B;
  s->args.margin = &s->margin;
}

/* x^T B x, B by its lower triangle */
static PetscReal Form(const PetscReal B[], PetscReal x, PetscReal y)
{
  return B[0] * x * x + 2 * B[2] * x * y + B[3] * y * y;
}

static void LinearAttained(void)
{
  PetscBool e = PETSC_TRUE, t = PETSC_TRUE, F = PETSC_TRUE, B = PETSC_TRUE, sum = PETSC_TRUE;

  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscReal w = PetscAbsReal(Draw(1)), a = PetscAbsReal(Draw(1)), r = PetscAbsReal(Draw(1)), E = PetscAbsReal(Draw(1));
    const PetscReal bar = PetscAbsReal(Draw(1)), off = PetscAbsReal(Draw(1)), t0 = PetscAbsReal(Draw(1)),
                    t1  = PetscAbsReal(Draw(1));
    const PetscReal eps = PetscAbsReal(Draw(1)), before = PetscAbsReal(Draw(1));
    Scalar          s;

    ScalarOp(&s, &OpLinear, NULL, w, a, r);
    s.measure[1].eps = eps;
    s.value[0].e     = .3 * E;
    s.value[0].E     = E;
    s.t[0][0]        = t0;
    s.t[0][1]        = t1;
    s.bar[1]         = bar;
    s.F[1]           = off;
    s.F[0] = s.sum[0] = before;
    OpLinear.bounds->forward(&s.args);
    OpLinear.bounds->adjoint(&s.args);
    OpLinear.bounds->curvature(&s.args);
    e   = (PetscBool)(e && s.value[1].e >= ALMOST * (w * .3 * E + eps) && s.value[1].eps >= eps);
    t   = (PetscBool)(t && s.t[1][0] >= ALMOST * ((w + r) * t0 + a + E) && s.t[1][1] >= ALMOST * ((w + r) * t1 + 1));
    F   = (PetscBool)(F && s.F[0] >= ALMOST * (before + (w + r) * (bar + off) - w * bar));
    sum = (PetscBool)(sum && s.sum[0] >= ALMOST * (before + w * bar));
    B   = (PetscBool)(B && Form(s.B, 1, 0) >= ALMOST * 2 * (bar + off) * t0 &&
                    Form(s.B, 1, 2) >= ALMOST * 2 * (bar + off) * (t0 + 2 * t1));
  }
  Tap(e, "linear: the error is |w| e + eps");
  Tap(t, "linear: the derivatives are (|w| + r) t, and |a| + E and 1 for its own labels");
  Tap(F, "linear: the adjoint is off by (|w| + r)(|lambda| + F) - |w| |lambda|");
  Tap(sum, "linear: contributions are counted");
  Tap(B, "linear: the second derivative is 2 (|lambda| + F) |v_W| |a'|");
}

/* what products of length k, 3 places, may err by (A2 of the assumptions) */
static void LinearRounding(void)
{
  const PetscReal k = 5, h = 7;
  Scalar          s;

  ScalarOp(&s, &OpLinear, NULL, 0, 2, 0);
  s.op.places           = 3;
  s.value[0].dim        = 15;
  s.op.dim              = 21;
  s.value[1].dim        = 21;
  s.labels[0].frobenius = 11;
  s.labels[1].frobenius = 0;
  OpLinear.bounds->forward(&s.args);
  Tap((PetscBool)(s.value[1].eps >= (k + 1) * U * 11 * 2), "linear: products are rounded");
  s.labels[1].frobenius = 13;
  s.measure[0].norm     = 0;
  OpLinear.bounds->forward(&s.args);
  Tap((PetscBool)(s.value[1].eps >= (k + 1) * U * PetscSqrtReal(3) * 13),
      "linear: adding products to b is rounded, at every place");
  Tap((PetscBool)(s.t[1][1] >= ALMOST * PetscSqrtReal(3)), "linear: the bias acts at every place");
  s.bar[1] = 3;
  OpLinear.bounds->adjoint(&s.args);
  Tap((PetscBool)(s.F[0] >= (h + 1) * U * 11 * 3), "linear: products of the adjoint are rounded");
  s.bar[1] = s.F[0] = 0;
  s.sum[0]          = 17;
  OpLinear.bounds->adjoint(&s.args);
  Tap((PetscBool)(s.F[0] >= (h + 1) * U * 17), "linear: adding to other contributions is rounded");
}

/* sigma = square, cubic: suprema are attained at the ball's end */
static void ActivationAttained(void)
{
  PetscBool e = PETSC_TRUE, t = PETSC_TRUE, F = PETSC_TRUE, B = PETSC_TRUE, sum = PETSC_TRUE;

  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscBool cubic = (PetscBool)(trial % 2);
    const PetscReal z = PetscAbsReal(Draw(1)), E = PetscAbsReal(Draw(1)), Z = z + E, bar = PetscAbsReal(Draw(1)),
                    before = PetscAbsReal(Draw(1));
    const PetscReal off = PetscAbsReal(Draw(1)), t0 = PetscAbsReal(Draw(1)), t1 = PetscAbsReal(Draw(1)),
                    column = PetscAbsReal(Draw(1));
    const PetscReal ds = cubic ? 3 * Z * Z : 2 * Z, dds = cubic ? 6 * Z : 2, ds0 = cubic ? 3 * z * z : 2 * z;
    Scalar          s;

    ScalarOp(&s, &OpActivation, cubic ? "cubic" : "square", 0, z, .5);
    s.value[0].e = s.value[0].E = E;
    s.t[0][0]                   = t0;
    s.t[0][1]                   = t1;
    s.bar[1]                    = bar;
    s.F[1]                      = off;
    s.measure[1].column         = column;
    s.F[0] = s.sum[0] = before;
    OpActivation.bounds->forward(&s.args);
    OpActivation.bounds->adjoint(&s.args);
    OpActivation.bounds->curvature(&s.args);
    e   = (PetscBool)(e && s.value[1].e >= ALMOST * (cubic ? Z * Z * Z - z * z * z : Z * Z - z * z));
    t   = (PetscBool)(t && s.t[1][0] >= ALMOST * ds * t0 && s.t[1][1] >= ALMOST * ds * t1);
    F   = (PetscBool)(F && s.F[0] >= ALMOST * (before + ds * (bar + off) - ds0 * bar));
    sum = (PetscBool)(sum && s.sum[0] >= ALMOST * (before + ds0 * bar));
    B   = (PetscBool)(B && Form(s.B, 1, 3) >= ALMOST * dds * (column + off) * (t0 + 3 * t1) * (t0 + 3 * t1));
  }
  Tap(e, "square, cubic: the error is that of the far end of the interval");
  Tap(t, "square, cubic: derivatives grow by sup |sigma'|");
  Tap(F, "square, cubic: the adjoint is off by sup |sigma'| (|lambda| + F) - |sigma'(z)| |lambda|");
  Tap(sum, "square, cubic: contributions are counted");
  Tap(B, "square, cubic: the second derivative is sup |sigma''| (|lambda| + F) |z'|^2");
}

/* the contract of activation.h: 8u(1 + |z|), polynomials 2u|sigma|, 4u|sigma'|; and one product */
static void ActivationRounding(void)
{
  Scalar s;

  ScalarOp(&s, &OpActivation, "tanh", 0, 0, 0);
  s.value[0].dim = 9;
  OpActivation.bounds->forward(&s.args);
  Tap((PetscBool)(s.value[1].eps >= ALMOST * 8 * U * 3), "tanh: each entry is off by 8u");
  ScalarOp(&s, &OpActivation, "tanh", 0, 100, 0);
  OpActivation.bounds->forward(&s.args);
  Tap((PetscBool)(s.value[1].eps >= ALMOST * 8 * U * 101 && s.value[1].e >= s.value[1].eps), "tanh: and by 8u|z|");
  s.bar[1] = 3;
  OpActivation.bounds->adjoint(&s.args);
  Tap((PetscBool)(s.F[0] >= ALMOST * 3 * U * (8 * 101 + 1)), "tanh: sigma' is off by 8u(1 + |z|), its product rounded");
  ScalarOp(&s, &OpActivation, "square", 0, 5, 0);
  s.measure[1].norm = 25;
  s.bar[1]          = 3;
  OpActivation.bounds->forward(&s.args);
  OpActivation.bounds->adjoint(&s.args);
  Tap((PetscBool)(s.value[1].eps >= ALMOST * 2 * U * 25), "square: off by 2u|sigma|");
  Tap((PetscBool)(s.F[0] >= ALMOST * 3 * U * (4 * 10 + 10)), "square: sigma' off by 4u|sigma'|, its product rounded");
  s.bar[1] = s.F[0] = 0;
  s.sum[0]          = 17;
  OpActivation.bounds->adjoint(&s.args);
  Tap((PetscBool)(s.F[0] >= 17 * U), "square: adding to other contributions is rounded");
  ScalarOp(&s, &OpActivation, "leaky_relu", 0, 3, 0);
  OpActivation.bounds->forward(&s.args);
  Tap((PetscBool)(s.value[1].eps >= 3 * U), "leaky relu: a slope times z is rounded");
}

static void KinkBetween(void)
{
  Scalar s;

  ScalarOp(&s, &OpActivation, "relu", 0, 2, 0);
  s.value[0].E = 1.5;
  s.bar[1] = s.t[0][0] = 1;
  OpActivation.bounds->adjoint(&s.args);
  Tap((PetscBool)(isfinite((double)s.F[0]) && s.margin.least == .5),
      "relu: linear where the argument stays on its side, margin 0.5");
  s.value[0].E = 2.5;
  OpActivation.bounds->adjoint(&s.args);
  Tap((PetscBool)(!isfinite((double)s.F[0]) && s.margin.least == -.5), "relu: no bound where it may cross the kink");
}

/* ---- the split forward pass --------------------------------------------------------------------------------------------------- */

/* one linear map, k -> 1, at one point: z, and its eps. theta: w, then b */
static PetscErrorCode SplitOnce(Problem *problem, PetscReal *z, PetscReal *eps)
{
  PetscReal *all[2] = {NULL, NULL};

  PetscFunctionBeginUser;
  PetscCall(SplitForward(problem->map, problem->theta, problem->trajectory, all));
  *z   = problem->trajectory->value[1][0];
  *eps = all[1][0];
  PetscCall(PetscFree(all[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SplitProblem(PetscInt k, Problem *problem)
{
  const NetOptions net = {.activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1};
  Data             data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_SELF, 1, k, 1, 2, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a - b and what its rounding lost (Knuth) */
static PetscReal TwoDifference(PetscReal a, PetscReal b, PetscReal *lost)
{
  const PetscReal difference = a - b, part = difference - a;

  *lost = (a - (difference - part)) - (b + part);
  return difference;
}

/* z - b - p - q, almost exactly; q is small */
static PetscReal Difference(PetscReal z, PetscReal b, PetscReal p, PetscReal q)
{
  PetscReal first, second, difference = TwoDifference(z, b, &first);

  difference = TwoDifference(difference, p, &second);
  return difference + (first + second - q);
}

/* k = 1, w a and b of one size: both additions round, sometimes together */
static PetscErrorCode SplitScalars(void)
{
  PetscReal z, eps, *theta, closest = 0;
  PetscBool holds = PETSC_TRUE;
  Problem   problem;

  PetscFunctionBeginUser;
  PetscCall(SplitProblem(1, &problem));
  PetscCall(VecGetArray(problem.theta, &theta));
  for (int trial = 0; trial < 20000; trial++) {
    PetscReal *a = problem.data->x, product, tail, error;

    theta[0] = Draw(.5);
    theta[1] = Draw(.5);
    a[0]     = Draw(.5);
    product  = theta[0] * a[0];
    tail     = fma(theta[0], a[0], -product);
    PetscCall(SplitOnce(&problem, &z, &eps));
    error   = PetscAbsReal(Difference(z, theta[1], product, tail));
    holds   = (PetscBool)(holds && error <= eps);
    closest = PetscMax(closest, error / eps);
  }
  PetscCall(VecRestoreArray(problem.theta, &theta));
  PetscCall(ProblemDestroy(&problem));
  Tap((PetscBool)(holds && closest > .6), "split: z is within eps of w a + b, once by %.2f of it", (double)closest);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w = (v, -v), a = (y, y): z = 0, what is computed is the error of C2. Where v (y) has few bits, it has no lower part. */
static PetscErrorCode SplitCancels(PetscBool short_w, PetscBool short_a)
{
  enum { HALF = 150 };
  PetscReal *theta, z, eps, largest = 0;
  PetscBool  holds = PETSC_TRUE;
  Problem    problem;

  PetscFunctionBeginUser;
  PetscCall(SplitProblem(2 * HALF, &problem));
  PetscCall(VecGetArray(problem.theta, &theta));
  for (int trial = 0; trial < 200; trial++) {
    PetscReal *a = problem.data->x;

    for (int k = 0; k < HALF; k++) {
      a[k] = a[k + HALF] = short_a ? round(0x1p18 * Draw(.5)) : 0x1p18 * Draw(.5);
      theta[k]           = short_w ? round(0x1p18 * Draw(.5)) : 0x1p18 * Draw(.5);
      theta[k + HALF]    = -theta[k];
    }
    theta[2 * HALF] = 0;
    PetscCall(SplitOnce(&problem, &z, &eps));
    holds   = (PetscBool)(holds && PetscAbsReal(z) <= eps && eps < .1);
    largest = PetscMax(largest, PetscAbsReal(z));
  }
  PetscCall(VecRestoreArray(problem.theta, &theta));
  PetscCall(ProblemDestroy(&problem));
  Tap((PetscBool)(holds && (short_a && short_w ? largest == 0 : largest > 0)), "split: C1 is exact, C2 rounds by less than eps");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the recursion ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  Problem     problem;
  LabelNorm  *labels;
  PetscReal  *theta, *J0, *J1;
  PetscReal **eps, *paths;
} Chain;

/* 1 - 1 - … - 1 of this sigma, one point; or widths 2 and two outputs */
static PetscErrorCode ChainCreate(const char sigma[], PetscInt width, PetscInt d, Chain *chain)
{
  NetOptions net = {.widths = {2, {width, width}}, .bias = PETSC_TRUE, .seed = 1, .gain = 1, .bias_gain = 1};
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(net.activation, sigma, sizeof net.activation));
  PetscCall(DataRandom(PETSC_COMM_SELF, d, width, width, 4, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &chain->problem));
  PetscCall(PetscMalloc1(chain->problem.network->nlabels, &chain->labels));
  PetscCall(VecGetArray(chain->problem.theta, &chain->theta));
  PetscCall(PetscMalloc2(chain->problem.map->m * chain->problem.map->n, &chain->J0, chain->problem.map->m * chain->problem.map->n,
                         &chain->J1));
  PetscCall(PetscCalloc1(chain->problem.network->nops, &chain->eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ChainDestroy(Chain *chain)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(chain->eps));
  PetscCall(PetscFree(chain->paths));
  PetscCall(PetscFree(chain->labels));
  PetscCall(PetscFree2(chain->J0, chain->J1));
  PetscCall(VecRestoreArray(chain->problem.theta, &chain->theta));
  PetscCall(ProblemDestroy(&chain->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta and x anew, of very different sizes */
static void DrawChain(Chain *chain)
{
  const ResidualMap map = chain->problem.map;

  for (PetscInt k = 0; k < map->n; k++) chain->theta[k] = Draw(1.5);
  for (PetscInt k = 0; k < map->d * map->network->inputs; k++) chain->problem.data->x[k] = Draw(1.5);
}

/* J of the factors in problem->jacobian, m x n, labels in their order */
static void FactorJacobian(const Problem *problem, PetscReal J[])
{
  const Network  net = problem->network;
  const PetscInt l = problem->map->l, n = problem->map->n;
  PetscInt       start = 0;

  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp     *op = &net->ops[v];
    const PetscReal *A = problem->trajectory->value[op->inputs[0]], *Delta = problem->jacobian->units->bar[v];
    const PetscInt   k = op->weight < 0 ? 0 : net->labels[op->weight].cols, h = op->dim;

    if (op->weight < 0) continue;
    for (PetscInt row = 0; row < problem->map->m; row++)
      for (PetscInt j = 0; j < h; j++) {
        for (PetscInt c = 0; c < k; c++) J[row * n + start + j * k + c] = Delta[row * h + j] * A[row / l * k + c];
        J[row * n + start + h * k + j] = Delta[row * h + j];
      }
    start += h * (k + 1);
  }
}

/* a trajectory in which each entry of every linear map's value is off by + or - delta; eps says so */
static PetscErrorCode PutErrors(Chain *chain, PetscReal delta)
{
  Problem        *problem = &chain->problem;
  const Network   net     = problem->network;
  const PetscInt  N       = problem->map->N;
  const OpContext context = {problem->parameters, problem->theta, NULL};

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp   *op     = &net->ops[v];
    const OpArrays arrays = {.N      = N,
                             .rows   = N,
                             .in     = {problem->trajectory->value[op->inputs[0]]},
                             .in_dim = {net->ops[op->inputs[0]].dim},
                             .out    = problem->trajectory->value[v]};

    PetscCall(op->kind->forward(op, &context, &arrays));
    if (op->weight < 0) continue;
    PetscCall(PetscMalloc1(N, &chain->eps[v]));
    for (PetscInt i = 0; i < N; i++) chain->eps[v][i] = delta * PetscSqrtReal((PetscReal)op->dim);
    for (PetscInt j = 0; j < N * op->dim; j++) problem->trajectory->value[v][j] += Draw(0) * delta;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MeasureChain(Chain *chain, PetscBool paths, Recursion *recursion)
{
  Problem  *problem = &chain->problem;
  Adjoint   units;
  PetscBool same;

  PetscFunctionBeginUser;
  PetscCall(AdjointCreate(problem->map, ADJOINT_RESIDUALS, ADJOINT_FIXED_TOO, &units));
  PetscCall(ResidualMapAdjoint(problem->map, problem->theta, problem->trajectory, NULL, units));
  recursion->map    = problem->map;
  recursion->labels = chain->labels;
  recursion->paths  = NULL;
  PetscCall(PetscFree(chain->paths));
  if (paths) PetscCall(PathsCreate(problem->map, problem->theta, problem->trajectory, &same, &chain->paths));
  recursion->paths = chain->paths;
  PetscCall(MeasuresCreate(problem->map, problem->trajectory, units, chain->eps, &same, &recursion->measures));
  PetscCall(BoundLabelNorms(problem->map, problem->theta, PETSC_TRUE, chain->labels));
  PetscCall(AdjointDestroy(&units));
  for (PetscInt v = 0; v < problem->network->nops; v++) PetscCall(PetscFree(chain->eps[v]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the bound with errors put in, against the truth without */
static PetscErrorCode ErrorsPutIn(const char sigma[], PetscInt width, PetscInt d, PetscBool paths)
{
  PetscReal eta_least = INFINITY, J_least = INFINITY, low_worst = 0;
  Chain     chain = {.labels = NULL};

  PetscFunctionBeginUser;
  PetscCall(ChainCreate(sigma, width, d, &chain));
  for (int trial = 0; trial < 6 * TRIALS; trial++) {
    Problem    *problem = &chain.problem;
    Recursion   recursion;
    ErrorBounds errors;
    PetscReal   H2, difference = 0, delta = 1e-3 * PetscAbsReal(Draw(2));

    DrawChain(&chain);
    PetscCall(ResidualMapApply(problem->map, problem->theta, problem->trajectory, problem->H));
    for (PetscInt k = 0; k < problem->map->m; k++)
      problem->data->y[k] = problem->trajectory->value[5][k]; /* H(theta_0) is of delta's size */
    for (PetscInt k = 0; k < problem->map->m; k++) problem->data->y[k] += trial % 3 ? 0 : delta * Draw(1);
    PetscCall(ProblemLinearize(problem));
    PetscCall(VecNorm(problem->H, NORM_2, &H2));
    FactorJacobian(problem, chain.J0);
    PetscCall(PutErrors(&chain, delta));
    PetscCall(JacobianLinearize(problem->jacobian, problem->theta, problem->trajectory));
    FactorJacobian(problem, chain.J1);
    PetscCall(MeasureChain(&chain, paths, &recursion));
    PetscCall(BoundErrors(&recursion, &errors));
    for (PetscInt k = 0; k < problem->map->m * problem->map->n; k++)
      difference += (chain.J0[k] - chain.J1[k]) * (chain.J0[k] - chain.J1[k]);
    if (H2 > 1e-8 * Largest(problem->map->m, problem->trajectory->value[5])) { /* rounding is below 1e-7 of it */
      eta_least = PetscMin(eta_least, errors.residual / H2);
      low_worst = PetscMax(low_worst, errors.residual_lower / H2);
    }
    if (difference > 0) J_least = PetscMin(J_least, errors.jacobian / PetscSqrtReal(difference));
    PetscCall(ErrorBoundsDestroy(&errors));
    PetscCall(MeasuresDestroy(&recursion.measures));
  }
  printf("# %s, width %d: eta/|H| >= %.6g, E_J/true >= %.6g\n", sigma, (int)width, (double)eta_least, (double)J_least);
  Tap((PetscBool)(eta_least >= 1 - 1e-6), "%s, width %d%s: eta holds with errors of a known size put in", sigma, (int)width,
      paths ? ", paths" : "");
  Tap((PetscBool)(low_worst <= 1 + 1e-6), "so does the lower bound of |H|");
  Tap((PetscBool)(J_least >= ALMOST), "so does E_J");
  PetscCall(ChainDestroy(&chain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||D^2 H|| of one residual, by n products of S = 2 H D^2 H with H = 1/2 */
static PetscErrorCode SecondDerivative(Problem *problem, PetscReal *norm)
{
  const PetscInt n = problem->map->n;
  PetscBLASInt   order, lwork, info;
  PetscReal     *D, *lambda, *work;
  Vec            v, y;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(n, &order));
  PetscCall(PetscBLASIntCast(8 * n, &lwork));
  PetscCall(PetscMalloc3(n * n, &D, n, &lambda, 8 * n, &work));
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(ResidualMapApply(problem->map, problem->theta, problem->trajectory, problem->H));
  PetscCall(VecSet(problem->H, .5));
  PetscCall(HessianLinearize(problem->hessian, problem->theta, problem->trajectory, problem->H));
  for (PetscInt k = 0; k < n; k++) {
    const PetscReal *column;

    PetscCall(SetUnit(v, k));
    PetscCall(HessianMult(problem->hessian, HESSIAN_CURVATURE, v, y));
    PetscCall(VecGetArrayRead(y, &column));
    PetscCall(PetscArraycpy(D + k * n, column, n));
    PetscCall(VecRestoreArrayRead(y, &column));
  }
  LAPACKsyev_("N", "L", &order, D, &order, lambda, work, &lwork, &info);
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dsyev");
  *norm = PetscMax(PetscAbsReal(lambda[0]), PetscAbsReal(lambda[n - 1]));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&y));
  PetscCall(PetscFree3(D, lambda, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Lambda(r) against ||D^2 H|| at the ends of the ball's axes, where some weights are 0 at its centre */
static PetscErrorCode LargeBalls(const char sigma[], PetscBool paths)
{
  PetscReal least = INFINITY;
  Chain     chain = {.labels = NULL};

  PetscFunctionBeginUser;
  PetscCall(ChainCreate(sigma, 1, 1, &chain));
  PetscCall(ProblemLinearizeHessian(&chain.problem));
  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscReal r = PetscAbsReal(Draw(1.5));
    PetscReal       Lambda, norm = 0;
    Recursion       recursion;

    DrawChain(&chain);
    for (PetscInt k = 0; k < chain.problem.map->n; k++)
      if (Draw(1) > 0) chain.theta[k] = 0;
    PetscCall(ResidualMapApply(chain.problem.map, chain.problem.theta, chain.problem.trajectory, chain.problem.H));
    PetscCall(MeasureChain(&chain, paths, &recursion));
    PetscCall(BoundLipschitz(&recursion, r, &Lambda, NULL));
    PetscCall(MeasuresDestroy(&recursion.measures));
    for (PetscInt k = 0; k < 2 * chain.problem.map->n + 1; k++) {
      PetscReal *entry = &chain.theta[k / 2 % chain.problem.map->n], kept = *entry;

      if (k) *entry += k % 2 ? r : -r;
      PetscCall(SecondDerivative(&chain.problem, &norm));
      *entry = kept;
      if (norm > 0) least = PetscMin(least, Lambda / norm);
    }
  }
  printf("# %s: Lambda/||D^2 H|| >= %.6g\n", sigma, (double)least);
  Tap((PetscBool)(least >= ALMOST), "%s%s: Lambda bounds ||D^2 H|| in large balls", sigma, paths ? ", paths" : "");
  PetscCall(ChainDestroy(&chain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- singular values, norms ---------------------------------------------------------------------------------------------------- */

/* K = diag(scale (k + 1)^2) */
static PetscErrorCode FillDiagonal(void *context, Tiles K)
{
  const PetscReal scale = *(PetscReal *)context;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < K->m * K->m; k++) K->a[k] = 0;
  for (PetscInt k = 0; k < K->m; k++) K->a[k * K->m + k] = scale * (PetscReal)((k + 1) * (k + 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K = diag(sigma^2), J^ J^T = K - E_K I, J = J^ - E_J along the singular vectors: the bounds are attained */
static PetscErrorCode SingularValues(void)
{
  const PetscInt  m   = 7;
  const PetscReal E_K = .5, E_J = .25;
  SingularBounds  all = {.s = 0}, least = {.s = 0};
  PetscReal       scale = 1;
  PetscBool       low = PETSC_TRUE, high = PETSC_TRUE;
  GramSource      source;
  Tiles           K;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_SELF, m, &K));
  source = (GramSource){K, NULL, FillDiagonal, &scale};
  PetscCall(FillDiagonal(&scale, K));
  PetscCall(BoundSingularValues(K, E_K, E_J, NULL, NULL, &all));
  PetscCall(BoundSmallestSingularValue(&source, E_K, E_J, 0, &least));
  for (PetscInt k = 0; k < m; k++) {
    const PetscReal lambda = (PetscReal)((k + 1) * (k + 1));

    if (!(all.lo[k] <= PetscSqrtReal(lambda - E_K) - E_J && all.lo[k] >= ALMOST * (PetscSqrtReal(lambda - E_K) - E_J)))
      low = PETSC_FALSE;
    if (!(all.hi[k] >= PetscSqrtReal(lambda + E_K) + E_J && all.hi[k] <= (PetscSqrtReal(lambda + E_K) + E_J) / ALMOST))
      high = PETSC_FALSE;
  }
  Tap(low, "singular values are above sqrt(lambda - E_K) - E_J, and no more is claimed");
  Tap(high, "and below sqrt(lambda + E_K) + E_J");
  Tap((PetscBool)(all.s <= all.lo[0] && least.s <= all.lo[0] && least.s > .2), "by Cholesky s is no larger, and most of it");
  Tap((PetscBool)(least.largest >= all.hi[m - 1]), "the largest is bounded too");
  PetscCall(SingularBoundsDestroy(&all));
  PetscCall(SingularBoundsDestroy(&least));
  PetscCall(TilesDestroy(&K));
  least = (SingularBounds){.s = 0};
  PetscCall(TilesCreate(PETSC_COMM_SELF, 1, &K));
  source = (GramSource){K, NULL, FillDiagonal, &scale};
  scale  = 4;
  PetscCall(FillDiagonal(&scale, K));
  PetscCall(BoundSmallestSingularValue(&source, E_K, E_J, 0, &least));
  Tap((PetscBool)(least.largest >= PetscSqrtReal(4 + E_K) + E_J), "by as much as E_K and E_J allow");
  PetscCall(SingularBoundsDestroy(&least));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K = Q diag(1, …, 1, 10^12 …) Q^T, Q a reflection: without the rounding bounds the small eigenvalues would be misplaced */
static PetscErrorCode EigensolverErrors(void)
{
  const PetscInt m   = 60;
  SingularBounds all = {.s = 0};
  PetscReal      v[60], vv = 0;
  PetscBool      inside = PETSC_TRUE;
  Tiles          K;

  PetscFunctionBeginUser;
  RandomNormal(5, 5, 0, m, v);
  for (PetscInt k = 0; k < m; k++) vv += v[k] * v[k];
  PetscCall(TilesCreate(PETSC_COMM_SELF, m, &K));
  for (PetscInt i = 0; i < m; i++)
    for (PetscInt j = 0; j < m; j++) { /* I + 10^12 v v^T / |v|^2, rounded: each entry by u 10^12 */
      K->a[j * m + i] = (i == j) + 1e12 * v[i] * v[j] / vv;
    }
  PetscCall(BoundSingularValues(K, 0, 0, NULL, NULL, &all));
  for (PetscInt k = 0; k + 1 < m; k++)
    if (!(all.hi[k] >= 1.000001 && all.lo[k] <= .999999)) inside = PETSC_FALSE;
  Tap((PetscBool)(all.eigen_error >= 60 * 1e12 * U && all.eigen_error < 1e12 * 1e4 * U), "rho_e is at least gamma_m tr K");
  Tap(inside, "so small eigenvalues get wide enclosures");
  Tap((PetscBool)(all.orthogonality >= U * (PetscReal)(m * m) && all.orthogonality < 1e-11), "delta is at least gamma_m |V|_F^2");
  PetscCall(SingularBoundsDestroy(&all));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* W of a net whose ||W|| LAPACK tells: short side below and above what one Gram matrix takes */
static PetscErrorCode Norms(PetscInt width)
{
  NetOptions   net = {.widths = {1, {width}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 5, .gain = 1, .bias_gain = .1};
  Problem      problem;
  LabelNorm    norms[4], cheap[4];
  PetscReal   *theta, *G, *lambda, *work;
  PetscReal    alpha = 1, beta = 0;
  PetscBLASInt k, h, lwork, info;
  Data         data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_SELF, 3, 300, 1, 6, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &problem));
  PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_TRUE, norms));
  PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_FALSE, cheap));
  PetscCall(PetscBLASIntCast(300, &k));
  PetscCall(PetscBLASIntCast(width, &h));
  lwork = 64 * k;
  PetscCall(PetscMalloc3(300 * 300, &G, 300, &lambda, 64 * 300, &work));
  PetscCall(VecGetArray(problem.theta, &theta));
  BLASsyrk_("L", "N", &k, &h, &alpha, theta, &k, &beta, G, &k);
  PetscCall(VecRestoreArray(problem.theta, &theta));
  LAPACKsyev_("N", "L", &k, G, &k, lambda, work, &lwork, &info);
  printf("# ||W|| = %.6g, bound %.6g, ||W||_F %.6g\n", (double)PetscSqrtReal(lambda[299]), (double)norms[0].spectral,
         (double)norms[0].frobenius);
  Tap((PetscBool)(norms[0].spectral >= PetscSqrtReal(lambda[299]) * ALMOST && norms[0].spectral < 2 * PetscSqrtReal(lambda[299])),
      "width %d: ||W|| is bounded closely", (int)width);
  Tap((PetscBool)(cheap[0].spectral >= norms[0].spectral && cheap[0].spectral <= norms[0].frobenius),
      "and from farther where panels are dear");
  Tap((PetscBool)(norms[1].spectral == norms[1].frobenius), "a vector's norm is its own");
  PetscCall(PetscFree3(G, lambda, work));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* W = diag(1.05, 1) Q, the larger direction orthogonal to where the power steps of the estimate start: (1, 1 + 41/101) */
static PetscErrorCode NormEstimateFails(void)
{
  const PetscReal x = 1, y = 1 + 41. / 101, length = PetscSqrtReal(x * x + y * y);
  NetOptions      net = {.widths = {1, {2}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 5, .gain = 1, .bias_gain = .1};
  Problem         problem;
  LabelNorm       norms[4];
  PetscReal      *theta;
  Data            data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_SELF, 3, 2, 1, 6, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &problem));
  PetscCall(VecGetArray(problem.theta, &theta));
  theta[0] = 1.05 * y / length;
  theta[1] = -1.05 * x / length;
  theta[2] = x / length;
  theta[3] = y / length;
  PetscCall(VecRestoreArray(problem.theta, &theta));
  PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_TRUE, norms));
  Tap((PetscBool)(norms[0].spectral >= 1.05 * ALMOST && norms[0].spectral < norms[0].frobenius),
      "an estimate that is too small is not believed: ||W|| = 1.05 <= %.4g", (double)norms[0].spectral);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* against plain loops, in values of more entries than lanes */
static PetscErrorCode MeasuresOfLongValues(void)
{
  Chain     chain = {.labels = NULL};
  PetscBool norms = PETSC_TRUE, extremes = PETSC_TRUE, bars = PETSC_TRUE;
  Recursion recursion;
  Problem  *problem = &chain.problem;

  PetscFunctionBeginUser;
  PetscCall(ChainCreate("sin", 23, 2, &chain));
  PetscCall(MeasureChain(&chain, PETSC_FALSE, &recursion));
  for (PetscInt v = 0; v < problem->network->nops; v++)
    for (PetscInt i = 0; i < 2; i++) {
      const Measure   *measure = &recursion.measures->at[v * 2 + i];
      const PetscReal *a = problem->trajectory->value[v] + i * 23, *bar = problem->jacobian->units->bar[v];
      PetscReal        squares = 0, largest = 0;

      for (PetscInt j = 0; j < 23; j++) {
        squares += a[j] * a[j];
        largest = PetscMax(largest, PetscAbsReal(a[j]));
      }
      norms    = (PetscBool)(norms && measure->norm >= PetscSqrtReal(squares) && measure->norm <= PetscSqrtReal(squares) / ALMOST);
      extremes = (PetscBool)(extremes && measure->largest == largest);
      for (PetscInt o = 0; bar && o < 23; o++) {
        const PetscReal *row = bar + (i * 23 + o) * 23, claimed = recursion.measures->bar[(v * 2 + i) * 23 + o];

        squares = 0;
        for (PetscInt j = 0; j < 23; j++) squares += row[j] * row[j];
        bars = (PetscBool)(bars && claimed >= PetscSqrtReal(squares) && claimed <= PetscSqrtReal(squares) / ALMOST);
      }
    }
  Tap(norms, "norms of values are just above the true ones");
  Tap(extremes, "their largest entries are exact");
  Tap(bars, "norms of adjoints are just above the true ones");
  PetscCall(MeasuresDestroy(&recursion.measures));
  PetscCall(ChainDestroy(&chain));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  LinearAttained();
  LinearRounding();
  ActivationAttained();
  ActivationRounding();
  KinkBetween();
  TapCall(SplitScalars());
  TapCall(SplitCancels(PETSC_TRUE, PETSC_TRUE));
  TapCall(SplitCancels(PETSC_FALSE, PETSC_TRUE));
  TapCall(SplitCancels(PETSC_TRUE, PETSC_FALSE));
  for (int paths = 0; paths < 2; paths++) {
    TapCall(ErrorsPutIn("identity", 1, 1, (PetscBool)paths));
    TapCall(ErrorsPutIn("square", 1, 1, (PetscBool)paths));
    TapCall(ErrorsPutIn("sin", 1, 1, (PetscBool)paths));
    TapCall(ErrorsPutIn("square", 2, 2, (PetscBool)paths));
    TapCall(LargeBalls("square", (PetscBool)paths));
    TapCall(LargeBalls("identity", (PetscBool)paths));
    TapCall(LargeBalls("sin", (PetscBool)paths));
  }
  TapCall(SingularValues());
  TapCall(EigensolverErrors());
  TapCall(Norms(40));
  TapCall(Norms(450));
  TapCall(NormEstimateFails());
  TapCall(MeasuresOfLongValues());
  return TapEnd();
}
