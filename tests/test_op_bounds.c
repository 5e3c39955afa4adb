// ranks: 1
/*
  test_op_bounds.c: every op's bounds (certify_bounds.h) against the op itself: inputs, adjoints and directions are moved by what the bounds allow,
  of sizes so different that each term is the largest somewhere. What rounding may do is no size to be tried: those terms are compared with what
  the assumptions allow (certificate.json).
*/
#include "../src/ops/ops.h"
#include "problem.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { TRIALS = 150, SAMPLES = 30, ROWS = 2, LABELS = 2, MOST = 64 };

static const PetscReal U = PETSC_MACHINE_EPSILON / 2;

/* ---- random numbers --------------------------------------------------------------------------------------------------------- */

static PetscInt64 drawn;

static PetscReal Uniform(void)
{
  PetscReal u;

  RandomUniform(29, 7, drawn++, 1, &u);
  return u;
}

static PetscReal Size(PetscReal from, PetscReal to)
{
  return from * PetscPowReal(to / from, Uniform());
}

/* |x| = size, or within it */
static void Direction(PetscInt n, PetscReal size, PetscReal x[])
{
  PetscReal squares = 0;

  RandomNormal(29, 8, drawn, n, x);
  drawn += n;
  for (PetscInt i = 0; i < n; i++) squares += x[i] * x[i];
  for (PetscInt i = 0; i < n; i++) x[i] *= size / PetscSqrtReal(squares);
}

static PetscReal Norm(PetscInt n, const PetscReal x[])
{
  PetscReal squares = 0;

  for (PetscInt i = 0; i < n; i++) squares += x[i] * x[i];
  return PetscSqrtReal(squares);
}

/* ---- an op by itself -------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *name, *op, *attributes;
  PetscInt    dims[2]; /* of its inputs, 0: none; first -1: integers, of that many */
  PetscInt    dim;
} Case;

static const Case cases[] = {
    {"softmax of 2", "softmax", "\"width\": 2", {2, 0}, 2},
    {"softmax, two of 4", "softmax", "\"width\": 4", {8, 0}, 8},
    {"layernorm of 3", "layernorm", "\"width\": 3, \"eps\": 0.01", {3, 0}, 3},
    {"layernorm, two of 4, eps 1", "layernorm", "\"width\": 4, \"eps\": 1", {8, 0}, 8},
    {"matmul of numbers", "matmul", "\"rows\": 1, \"inner\": 1, \"cols\": 1, \"scale\": -0.5", {1, 1}, 1},
    {"matmul, two blocks", "matmul", "\"batch\": 2, \"rows\": 2, \"inner\": 1, \"cols\": 3", {4, 6}, 12},
    {"matmul, transposed", "matmul", "\"rows\": 2, \"inner\": 3, \"cols\": 1, \"transpose\": true, \"scale\": 2", {6, 3}, 2},
    {"max of 3", "max", "\"shape\": [3, 2], \"axes\": [0]", {6, 0}, 2},
    {"multiply of numbers", "multiply", "", {1, 1}, 1},
    {"multiply, repeated", "multiply", "", {6, 2}, 6},
    {"add, repeated", "add", "", {6, 2}, 6},
    {"affine", "affine", "\"scale\": [-3], \"shift\": [2]", {2, 0}, 2},
    {"mean", "mean", "\"shape\": [4], \"axes\": [0]", {4, 0}, 1},
    {"select, an entry thrice", "select", "\"indices\": [0, 0, 0, 1]", {2, 0}, 4},
    {"embedding, a row thrice", "embedding", "\"width\": 1", {-1, 3}, 4},
    {"square", "activation", "\"function\": \"square\"", {1, 0}, 1},
    {"tanh", "activation", "\"function\": \"tanh\"", {1, 0}, 1},
    {"leaky relu", "activation", "\"function\": \"leaky_relu\"", {3, 0}, 3},
};

static const PetscReal integers[] = {1, 0, 1, 1}; /* of the embedding */

typedef struct {
  const Case  *what;
  Problem      problem;
  const NetOp *op;
  OpContext    context;
  PetscInt     ninputs, dims[2];
} Op;

static PetscErrorCode OpCreate(const Case *what, Op *op)
{
  const PetscBool embeds = (PetscBool)(what->dims[0] < 0);
  const PetscInt  inputs = embeds ? (PetscInt)PETSC_STATIC_ARRAY_LENGTH(integers) : 1;
  NetOptions      net    = {.arch = 5, .activation = "tanh", .seed = 1, .gain = 1};
  char            list[2048], second[64] = "";
  Data            data;
  FILE           *file;

  PetscFunctionBeginUser;
  *op         = (Op){.what = what, .ninputs = what->dims[1] ? 2 : 1};
  op->dims[0] = embeds ? inputs : what->dims[0];
  op->dims[1] = what->dims[1];
  if (what->dims[1]) snprintf(second, sizeof second, ", \"b\"");
  snprintf(list, sizeof list,
           "{\"inputs\": %d, \"parameters\": [%s%s {\"name\": \"b\", \"shape\": [%d]}, {\"name\": \"w\", \"shape\": [1, %d]}], "
           "\"ops\": [",
           (int)inputs, embeds ? "" : "{\"name\": \"a\", \"shape\": [SIZE]},", "", (int)PetscMax(1, what->dims[1]), (int)what->dim);
  if (!embeds) {
    char *at = strstr(list, "SIZE"), rest[1024];

    snprintf(rest, sizeof rest, "%s", at + 4);
    snprintf(at, sizeof list - (size_t)(at - list), "%d%s", (int)what->dims[0], rest);
    strcat(list, "{\"name\": \"a\", \"op\": \"parameter\", \"parameters\": {\"value\": \"a\"}}, ");
  }
  strcat(list, "{\"name\": \"b\", \"op\": \"parameter\", \"parameters\": {\"value\": \"b\"}}, ");
  snprintf(list + strlen(list), sizeof list - strlen(list),
           "{\"name\": \"f\", \"op\": \"%s\", \"inputs\": [\"%s\"%s], \"attributes\": {%s}}, {\"name\": \"out\", \"op\": "
           "\"linear\", "
           "\"inputs\": [\"f\"], \"parameters\": {\"weight\": \"w\"}}]}",
           what->op, embeds ? "input" : "a", second, what->attributes);
  PetscCall(PetscSNPrintf(net.file, sizeof net.file, "/tmp/codim-test-op-%d.json", (int)getpid()));
  file = fopen(net.file, "w");
  PetscCheck(file && fputs(list, file) >= 0 && !fclose(file), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", net.file);
  PetscCall(DataRandom(PETSC_COMM_SELF, 1, inputs, 1, 4, &data));
  if (embeds) PetscCall(PetscArraycpy(data->all_x, integers, inputs));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &op->problem));
  (void)unlink(net.file);
  op->op      = &op->problem.network->ops[op->problem.network->nops - 2];
  op->context = (OpContext){op->problem.parameters, op->problem.theta, NULL};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one point: the inputs, and the value there */
typedef struct {
  PetscReal in[2][MOST], out[MOST];
  OpArrays  arrays;
} At;

static PetscErrorCode Evaluate(const Op *op, At *at)
{
  PetscFunctionBeginUser;
  at->arrays = (OpArrays){.N = 1, .rows = 1, .in = {at->in[0], at->in[1]}, .in_dim = {op->dims[0], op->dims[1]}, .out = at->out};
  PetscCall(op->op->kind->forward(op->op, &op->context, &at->arrays));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* D^T lambda for each input */
static PetscErrorCode Adjoint1(const Op *op, const At *at, const PetscReal lambda[], PetscReal bar[2][MOST])
{
  OpArrays arrays = at->arrays;

  PetscFunctionBeginUser;
  arrays.out_bar = lambda;
  for (PetscInt j = 0; j < op->ninputs; j++) {
    PetscCall(PetscArrayzero(bar[j], MOST));
    arrays.in_bar[j] = bar[j];
  }
  PetscCall(op->op->kind->adjoint(op->op, &op->context, &arrays));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* D v, and lambda . D^2[v,v] */
static PetscErrorCode Along(const Op *op, const At *at, PetscReal v[2][MOST], const PetscReal lambda[], PetscReal dot[],
                            PetscReal *second)
{
  OpArrays  arrays = at->arrays;
  PetscReal saved[2 * MOST], bar_dot[2][MOST] = {{0}};

  PetscFunctionBeginUser;
  arrays.saved = saved;
  if (op->op->kind->save) PetscCall(op->op->kind->save(op->op, &op->context, &arrays));
  for (PetscInt j = 0; j < op->ninputs; j++) {
    arrays.in_dot[j]     = op->what->dims[j] < 0 ? NULL : v[j];
    arrays.in_bar_dot[j] = bar_dot[j];
  }
  arrays.out_dot = dot;
  PetscCall(op->op->kind->tangent(op->op, &op->context, &arrays));
  arrays.out_bar = lambda;
  PetscCall(op->op->kind->adjoint_tangent(op->op, &op->context, &arrays));
  *second = 0;
  for (PetscInt j = 0; j < op->ninputs; j++)
    for (PetscInt i = 0; i < op->dims[j] && op->what->dims[j] >= 0; i++) *second += bar_dot[j][i] * v[j][i];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what the bounds are told ------------------------------------------------------------------------------------------------- */

typedef struct {
  Measure     measure[3]; /* in, in, out */
  PetscReal   bar[3][ROWS], F[3][ROWS], sum[3][ROWS], t[3][LABELS], B[LABELS * LABELS];
  Margin      margin;
  ValueBound  value[3];
  OpBoundArgs args;
} Told;

static void Tell(const Op *op, const At *at, PetscReal lambda[ROWS][MOST], const PetscReal E[2], Told *told)
{
  const PetscReal *values[3] = {at->in[0], at->in[1], at->out};
  const PetscInt   dims[3]   = {op->dims[0], op->dims[1], op->op->dim};

  memset(told, 0, sizeof *told);
  told->margin.least = INFINITY;
  for (PetscInt k = 0; k < 3; k++) {
    told->measure[k].eps  = -1;
    told->measure[k].norm = Norm(dims[k], values[k]) * (1 + 1e-14);
    for (PetscInt i = 0; i < dims[k]; i++)
      told->measure[k].largest = PetscMax(told->measure[k].largest, PetscAbsReal(values[k][i]));
    told->value[k] = (ValueBound){.measure = &told->measure[k],
                                  .bar     = told->bar[k],
                                  .dim     = dims[k],
                                  .t       = told->t[k],
                                  .F       = told->F[k],
                                  .sum     = told->sum[k]};
    if (k < op->ninputs) told->value[k].e = told->value[k].E = op->what->dims[k] < 0 ? 0 : E[k];
    if (k < op->ninputs && op->what->dims[k] >= 0) told->t[k][k] = 1;
  }
  if (op->op->kind->bounds->own) told->measure[2].own = op->op->kind->bounds->own(op->op, &at->arrays, &told->measure[2].unit);
  for (PetscInt i = 0; i < op->op->dim; i++) {
    PetscReal squares = 0;

    for (PetscInt o = 0; o < ROWS; o++) squares += lambda[o][i] * lambda[o][i];
    told->measure[2].column = PetscMax(told->measure[2].column, PetscSqrtReal(squares) * (1 + 1e-14));
  }
  for (PetscInt o = 0; o < ROWS; o++) told->bar[2][o] = Norm(op->op->dim, lambda[o]) * (1 + 1e-14);
  told->args =
      (OpBoundArgs){.op = op->op, .out = &told->value[2], .P = LABELS, .l = ROWS, .Q = 1, .B = told->B, .margin = &told->margin};
  for (PetscInt j = 0; j < op->ninputs; j++) told->args.in[j] = &told->value[j];
}

static void Bound(const Op *op, Told *told)
{
  op->op->kind->bounds->forward(&told->args);
  op->op->kind->bounds->adjoint(&told->args);
  if (op->op->kind->bounds->curvature) op->op->kind->bounds->curvature(&told->args);
}

/* ---- against the op ------------------------------------------------------------------------------------------------------------ */

enum { VALUE, TANGENT, ADJOINT, SUM, SECOND, CLAIMS };

static const char *const Claims[] = {"values stay within e", "tangents are at most t", "adjoints stay within F",
                                     "contributions are counted", "second derivatives are at most B"};

static void Within(PetscReal x, PetscReal bound, PetscReal *least)
{
  if (x > 1e-9 * PetscMax(1, bound)) *least = PetscMin(*least, bound / x); /* differences of doubles are good to 1e-12 */
}

static PetscErrorCode Sample(const Op *op, const At *centre, PetscReal lambda[ROWS][MOST], const PetscReal E[2],
                             const PetscReal F[ROWS], Told *told, PetscReal least[CLAIMS])
{
  At        at     = *centre;
  PetscReal second = 0, v[2][MOST] = {{0}}, dot[MOST], bar[2][MOST], bar0[2][MOST], moved[MOST], c[ROWS], mixed[MOST] = {0}, form,
            size[2] = {0};

  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < op->ninputs; j++) {
    if (op->what->dims[j] < 0) continue;
    Direction(op->dims[j], E[j] * (Uniform() < .7 ? 1 : Uniform()), moved);
    for (PetscInt i = 0; i < op->dims[j]; i++) at.in[j][i] += moved[i];
    size[j] = Size(.1, 10);
    Direction(op->dims[j], size[j], v[j]);
  }
  PetscCall(Evaluate(op, &at));
  for (PetscInt i = 0; i < op->op->dim; i++) moved[i] = at.out[i] - centre->out[i];
  Within(Norm(op->op->dim, moved), told->value[2].e, &least[VALUE]);
  Direction(ROWS, 1, c);
  for (PetscInt o = 0; o < ROWS; o++) {
    PetscCall(Adjoint1(op, centre, lambda[o], bar0));
    Direction(op->op->dim, F[o], moved);
    for (PetscInt i = 0; i < op->op->dim; i++) {
      moved[i] += lambda[o][i];
      mixed[i] += c[o] * moved[i];
    }
    PetscCall(Adjoint1(op, &at, moved, bar));
    for (PetscInt j = 0; j < op->ninputs; j++) {
      if (op->what->dims[j] < 0) continue;
      Within(Norm(op->dims[j], bar0[j]), told->sum[j][o], &least[SUM]);
      for (PetscInt i = 0; i < op->dims[j]; i++) bar[j][i] -= bar0[j][i];
      Within(Norm(op->dims[j], bar[j]), told->F[j][o], &least[ADJOINT]);
    }
  }
  PetscCall(Along(op, &at, v, mixed, dot, &second));
  Within(Norm(op->op->dim, dot), told->t[2][0] * size[0] + told->t[2][1] * size[1], &least[TANGENT]);
  form = told->B[0] * size[0] * size[0] + 2 * told->B[2] * size[0] * size[1] + told->B[3] * size[1] * size[1];
  Within(PetscAbsReal(second), form, &least[SECOND]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestCase(const Case *what)
{
  PetscReal least[CLAIMS];
  PetscInt  kinks = 0;
  Op        op;

  PetscFunctionBeginUser;
  PetscCall(OpCreate(what, &op));
  for (int claim = 0; claim < CLAIMS; claim++) least[claim] = INFINITY;
  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscReal E[2] = {Size(1e-3, 1), Size(1e-3, 1)};
    PetscReal       F[ROWS], lambda[ROWS][MOST];
    Told            told;
    At              centre;

    for (PetscInt j = 0; j < op.ninputs; j++) {
      Direction(op.dims[j], Size(.03, 3), centre.in[j]);
      if (what->dims[j] < 0) PetscCall(PetscArraycpy(centre.in[j], integers, op.dims[j]));
    }
    for (PetscInt o = 0; o < ROWS; o++) {
      F[o] = Size(1e-3, 1e3);
      Direction(op.op->dim, Size(1e-3, 1e3), lambda[o]);
    }
    PetscCall(Evaluate(&op, &centre));
    Tell(&op, &centre, lambda, E, &told);
    for (PetscInt o = 0; o < ROWS; o++) told.F[2][o] = F[o];
    Bound(&op, &told);
    kinks += told.margin.least <= 0;
    for (int sample = 0; sample < SAMPLES; sample++) PetscCall(Sample(&op, &centre, lambda, E, F, &told, least));
  }
  printf("# %s: bound/found at least %.3g, %.3g, %.3g, %.3g, %.3g; %d trials at a kink\n", what->name, (double)least[0],
         (double)least[1], (double)least[2], (double)least[3], (double)least[4], (int)kinks);
  for (int claim = 0; claim < CLAIMS; claim++) Tap((PetscBool)(least[claim] >= 1 - 1e-9), "%s: %s", what->name, Claims[claim]);
  Tap((PetscBool)(kinks < TRIALS), "... not only at kinks");
  PetscCall(ProblemDestroy(&op.problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- rounding ------------------------------------------------------------------------------------------------------------------- */

/* what rounding may do to a value and its adjoint; |lambda^| = 1 in each row, or contributions of norm 1 are there already */
typedef struct {
  const char *name;
  PetscReal   value, adjoint, added;
} Rounding;

static PetscErrorCode TestRounding(const Case *what, PetscReal scale, PetscErrorCode (*allowed)(const Op *, const At *, Rounding *))
{
  const PetscReal zero[2] = {0, 0};
  PetscReal       lambda[ROWS][MOST], none[ROWS][MOST] = {{0}};
  const PetscInt  j = what->dims[0] < 0;
  Rounding        may;
  Told            told;
  At              at;
  Op              op;

  PetscFunctionBeginUser;
  PetscCall(OpCreate(what, &op));
  for (PetscInt k = 0; k < op.ninputs; k++) Direction(op.dims[k], scale, at.in[k]);
  if (j) PetscCall(PetscArraycpy(at.in[0], integers, op.dims[0]));
  for (PetscInt o = 0; o < ROWS; o++) Direction(op.op->dim, 1, lambda[o]);
  PetscCall(Evaluate(&op, &at));
  PetscCall(allowed(&op, &at, &may));
  Tell(&op, &at, lambda, zero, &told);
  Bound(&op, &told);
  Tap((PetscBool)(told.value[2].eps >= may.value && told.value[2].e >= told.value[2].eps),
      "%s, rounding: eps covers %s, %.1f u of %.1f u", what->name, may.name, (double)(may.value / U),
      (double)(told.value[2].eps / U));
  Tap((PetscBool)(told.F[j][0] >= may.adjoint), "... F covers its adjoint's, %.1f u of %.1f u", (double)(may.adjoint / U),
      (double)(told.F[j][0] / U));
  Tell(&op, &at, none, zero, &told);
  for (PetscInt k = 0; k < op.ninputs; k++) told.sum[k][0] = 1;
  Bound(&op, &told);
  Tap((PetscBool)(told.F[j][0] >= may.added && told.sum[j][0] >= 1),
      "... and that of adding to other contributions, which stay counted");
  PetscCall(ProblemDestroy(&op.problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the sum of w terms alone errs by (w - 1) u, exp by 4u twice; and the argument's rounding, u/e an entry but the largest */
static PetscErrorCode SoftmaxMay(const Op *op, const At *at, Rounding *may)
{
  const PetscReal w = (PetscReal)op->dims[0];

  PetscFunctionBeginUser;
  *may = (Rounding){"a sum, two exponentials, a quotient, and the argument's rounding",
                    (w + 8) * U * Norm(op->op->dim, at->out) + U / PetscExpReal(1) * PetscSqrtReal(w - 1), (w + 3) * U * .3, U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LayernormMay(const Op *op, const At *at, Rounding *may)
{
  const PetscReal w = (PetscReal)op->dims[0], size = Norm(op->dims[0], at->in[0]);
  PetscReal       mean = 0, variance = 0, s;

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < op->dims[0]; i++) mean += at->in[0][i] / w;
  for (PetscInt i = 0; i < op->dims[0]; i++) variance += PetscSqr(at->in[0][i] - mean) / w;
  s    = PetscSqrtReal(variance + 1e-2);
  *may = (Rounding){"means of w terms and their difference from x", w * U * size / s + 3 * U, w * U / s, U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* 3 x 40 by 40 x 2: products of three numbers, 40 added */
static PetscErrorCode MatmulMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  *may = (Rounding){"sums of products", 41 * U * Norm(op->dims[0], at->in[0]) * Norm(op->dims[1], at->in[1]) / 3,
                    3 * U * Norm(op->dims[1], at->in[1]) / 3, 2 * U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EmbeddingMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)at;
  *may = (Rounding){"nothing", 0, 2 * U, 3 * U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MaxMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  (void)op;
  (void)at;
  *may = (Rounding){"nothing", 0, U, U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MultiplyMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  *may = (Rounding){"a product", U * Norm(op->op->dim, at->out), U * Norm(op->dims[1], at->in[1]), U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AffineMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  *may = (Rounding){"a product and a sum", U * 3 * Norm(op->dims[0], at->in[0]) + U * Norm(op->op->dim, at->out), 2 * U * 3, U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MeanMay(const Op *op, const At *at, Rounding *may)
{
  PetscFunctionBeginUser;
  *may = (Rounding){"a sum and a quotient", 4 * U * Norm(op->dims[0], at->in[0]) / 2, U / 2, U};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A value that is off by more than the gap of a max, or an integer by 1/2, has no bound; a divisor is no less than sqrt(eps). */
static PetscErrorCode TestLimits(void)
{
  static const Case max              = {"max", "max", "\"shape\": [3], \"axes\": [0]", {3, 0}, 1},
                    embedding        = {"embedding", "embedding", "\"width\": 1", {-1, 3}, 4},
                    norm             = {"layernorm", "layernorm", "\"width\": 2, \"eps\": 0.25", {2, 0}, 2};
  const PetscReal zero[2]            = {0, 0};
  PetscReal       lambda[ROWS][MOST] = {{1, 1, 1, 1}, {1, 1, 1, 1}};
  Told            told;
  At              at = {.in = {{1, 3, 2.5}}};
  Op              op;

  PetscFunctionBeginUser;
  PetscCall(OpCreate(&max, &op));
  PetscCall(Evaluate(&op, &at));
  Tell(&op, &at, lambda, zero, &told);
  told.value[0].E = .499 / PETSC_SQRT2;
  Bound(&op, &told);
  Tap((PetscBool)(told.margin.least > 0 && told.margin.least < 2e-3 && isfinite((double)told.F[0][0])),
      "max: within the gap it is a gather, margin %.1e", (double)told.margin.least);
  Tell(&op, &at, lambda, zero, &told);
  told.value[0].E = .501 / PETSC_SQRT2;
  Bound(&op, &told);
  Tap((PetscBool)(told.margin.least < 0 && !isfinite((double)told.F[0][0])), "... beyond it has no bound");
  PetscCall(ProblemDestroy(&op.problem));
  PetscCall(OpCreate(&embedding, &op));
  PetscCall(PetscArraycpy(at.in[0], integers, 4));
  PetscCall(Evaluate(&op, &at));
  Tell(&op, &at, lambda, zero, &told);
  told.value[0].E = .5;
  Bound(&op, &told);
  Tap((PetscBool)!isfinite((double)told.value[2].e), "embedding: integers off by 1/2 have no bound");
  PetscCall(ProblemDestroy(&op.problem));
  PetscCall(OpCreate(&norm, &op));
  at.in[0][0] = at.in[0][1] = 7;
  PetscCall(Evaluate(&op, &at));
  Tell(&op, &at, lambda, zero, &told);
  told.value[0].E = 100;
  Bound(&op, &told);
  Tap((PetscBool)(told.measure[2].own <= .5 && told.measure[2].own > .499 && told.t[2][0] >= 2 && told.t[2][0] < 2.01),
      "layernorm: s is at least sqrt(eps), where x is constant and anywhere");
  PetscCall(ProblemDestroy(&op.problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const Case softmax = {"softmax of 30", "softmax", "\"width\": 30", {30, 0}, 30},
                    norm    = {"layernorm of 30", "layernorm", "\"width\": 30, \"eps\": 0.01", {30, 0}, 30},
                    matmul  = {"matmul of 40 terms", "matmul", "\"rows\": 1, \"inner\": 40, \"cols\": 1", {40, 40}, 1},
                    table   = {"embedding", "embedding", "\"width\": 1", {-1, 3}, 4},
                    max     = {"max", "max", "\"shape\": [3], \"axes\": [0]", {3, 0}, 1},
                    product = {"multiply", "multiply", "", {1, 1}, 1},
                    affine  = {"affine", "affine", "\"scale\": [3], \"shift\": [2]", {1, 0}, 1},
                    mean    = {"mean", "mean", "\"shape\": [4], \"axes\": [0]", {4, 0}, 1};

  TapBegin(&argc, &argv);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(TestCase(&cases[k]));
  TapCall(TestRounding(&softmax, .1, SoftmaxMay));
  TapCall(TestRounding(&softmax, 100, SoftmaxMay));
  TapCall(TestRounding(&norm, .05, LayernormMay));
  TapCall(TestRounding(&norm, 1000, LayernormMay));
  TapCall(TestRounding(&matmul, 5, MatmulMay));
  TapCall(TestRounding(&table, 1, EmbeddingMay));
  TapCall(TestRounding(&max, 1, MaxMay));
  TapCall(TestRounding(&product, 3, MultiplyMay));
  TapCall(TestRounding(&affine, 3, AffineMay));
  TapCall(TestRounding(&mean, 3, MeanMay));
  TapCall(TestLimits());
  return TapEnd();
}
