/*
  max.c: the largest over some axes: max pooling. Over p x p windows of [c, h, w] the shape is [c, h/p, p, w/p, p], axes [2, 4]; over windows that
  overlap it is taken after unfold.

    input 0            shape
    value              the other axes: out_j = in_top(j), the largest of window j; of equal ones the first
    attributes         shape, axes
    tangent            out'_j = in'_top(j)
    adjoint            in_bar_top(j) += out_bar_j
    adjoint's tangent  in_bar'_top(j) += out_bar'_j                        smooth only where the largest is one
*/
#include "ops.h"

typedef struct {
  PetscInt count;   /* in each window */
  PetscInt entry[]; /* dim x count: of input 0 */
} Windows;

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp   *op = setup->op;
  PetscInt count, *place, *filled;
  Windows *windows;

  PetscFunctionBeginUser;
  PetscCall(OpReduceAxes(setup, &count));
  if (setup->complaint.status) PetscFunctionReturn(PETSC_SUCCESS);
  place = (PetscInt *)op->data;
  PetscCall(PetscMalloc(sizeof(Windows) + (size_t)op->dim * (size_t)count * sizeof(PetscInt), &windows));
  PetscCall(PetscCalloc1(op->dim, &filled));
  windows->count = count;
  for (PetscInt i = 0; i < op->dim * count; i++) windows->entry[place[i] * count + filled[place[i]]++] = i;
  PetscCall(PetscFree(filled));
  PetscCall(PetscFree(place));
  op->data = windows;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* top(j); NaN is above everything */
static size_t Top(const NetOp *op, const PetscReal in[], PetscInt j)
{
  const Windows  *windows = (const Windows *)op->data;
  const PetscInt *entry   = windows->entry + (size_t)j * (size_t)windows->count;
  PetscInt        top     = entry[0];

  for (PetscInt k = 1; k < windows->count; k++)
    if (in[entry[k]] > in[top] || (PetscIsNanReal(in[entry[k]]) && !PetscIsNanReal(in[top]))) top = entry[k];
  return (size_t)top;
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare((size_t)arrays->N * (size_t)arrays->in_dim[0]))
  for (PetscInt point = 0; point < arrays->N; point++) {
    const PetscReal *in = arrays->in[0] + (size_t)point * (size_t)arrays->in_dim[0];

    for (PetscInt j = 0; j < op->dim; j++) arrays->out[(size_t)point * (size_t)op->dim + (size_t)j] = in[Top(op, in, j)];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out_dot, (size_t)arrays->N * (size_t)op->dim));
  for (PetscInt point = 0; arrays->in_dot[0] && point < arrays->N; point++) {
    const size_t at  = (size_t)point * (size_t)arrays->in_dim[0];
    PetscReal   *dot = arrays->out_dot + (size_t)point * (size_t)op->dim;

    for (PetscInt j = 0; j < op->dim; j++) dot[j] = arrays->in_dot[0][at + Top(op, arrays->in[0] + at, j)];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* in_bar_top(j) += out_bar_j, for every row */
static void Pull(const NetOp *op, const OpArrays *arrays, size_t rows, const PetscReal out_bar[], PetscReal in_bar[])
{
  const size_t dim = (size_t)op->dim, in_dim = (size_t)arrays->in_dim[0];

#pragma omp parallel for if (ThreadsShare(rows * in_dim))
  for (size_t row = 0; row < rows; row++)
    for (PetscInt j = 0; j < op->dim; j++) {
      const size_t point = OpRowPoint(arrays, row), top = Top(op, arrays->in[0] + point * in_dim, j);

      in_bar[row * in_dim + top] += out_bar[row * dim + (size_t)j];
    }
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_bar[0]) Pull(op, arrays, (size_t)arrays->rows, arrays->out_bar, arrays->in_bar[0]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_bar_dot[0] && arrays->out_bar_dot) Pull(op, arrays, (size_t)arrays->N, arrays->out_bar_dot, arrays->in_bar_dot[0]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. max is 1-Lipschitz, its windows are disjoint, and nothing is rounded but the addition to other contributions. If in every window the
   largest exceeds the others by more than |x_i - x^_i| + |x_j - x^_j| <= sqrt(2) E, it stays the largest over the ball and on the way
   there from the computed values: then the op is a gather.                                                                             */

/* the least difference of a window's largest and runner-up; infinity where windows have one entry */
static PetscReal OwnGap(const NetOp *op, const OpArrays *point, PetscInt *unit)
{
  const Windows   *windows = (const Windows *)op->data;
  const PetscReal *in      = point->in[0];
  PetscReal        least   = INFINITY;

  for (PetscInt j = 0; j < op->dim; j++) {
    const size_t    top   = Top(op, in, j);
    const PetscInt *entry = windows->entry + (size_t)j * (size_t)windows->count;

    for (PetscInt k = 0; k < windows->count; k++) {
      if ((size_t)entry[k] == top || in[top] - in[entry[k]] >= least) continue;
      least = in[top] - in[entry[k]];
      *unit = j;
    }
  }
  return least * (1 - 2 * ROUNDING);
}

static PetscReal MarginOf(const OpBoundArgs *args)
{
  return args->out->measure->own - PETSC_SQRT2 * (1 + SLACK) * args->in[0]->E;
}

static void BoundForward(const OpBoundArgs *args)
{
  ValueBound *out = args->out, *x = args->in[0];

  out->eps = 0;
  out->e   = Up(x->e);
  for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up(x->t[mu]);
  if (x->E > 0) LowerMargin(args, MarginOf(args));
}

static void BoundAdjoint(const OpBoundArgs *args)
{
  ValueBound     *out = args->out, *x = args->in[0];
  const PetscReal leaves = MarginOf(args) > 0 || x->E == 0 ? 0 : INFINITY;

  for (PetscInt o = 0; o < args->l; o++) {
    x->F[o]   = Up(x->F[o] + out->F[o] + Gamma(1) * (out->bar[o] + x->sum[o]) + leaves);
    x->sum[o] = Up(x->sum[o] + (1 + Gamma(1)) * out->bar[o]);
  }
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, NULL, NULL, OwnGap};

static const char *const Attributes[] = {"shape", "axes", NULL};

const OpKind OpMax = {.name            = "max",
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
