/*
  embedding.c: rows of a table, chosen by the point: out_t = table_(x_t), for T integers x_t.

    inputs      x, T integers from 0 to V - 1 that do not depend on theta; table [V, width], such as a parameter
    value       [T, width]
    attributes  width
    tangent     out'_t = table'_(x_t)        adjoint  table_bar_(x_t) += out_bar_t
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp         *op    = setup->op;
  const PetscInt table = OpInputDim(setup, 1);
  PetscInt      *width;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(1, &width));
  op->data = width;
  OpGetInt(setup, "width", 1, width);
  op->dim = OpInputDim(setup, 0) * *width;
  if (*width > 0 && table % *width)
    OpComplain(setup, "attribute 'width' is %" PetscInt_FMT ", its table '%s' has %" PetscInt_FMT " entries", *width,
               setup->net->ops[op->inputs[1]].name, table);
  if (setup->net->ops[op->inputs[0]].moves)
    OpComplain(setup, "its first input '%s' depends on the parameters: integers do so only in jumps",
               setup->net->ops[op->inputs[0]].name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t WidthOf(const NetOp *op)
{
  return (size_t) * (const PetscInt *)op->data;
}

/* the first x that is no row of the table */
static PetscErrorCode CheckRows(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t count = (size_t)arrays->N * (size_t)arrays->in_dim[0];
  const double V     = (double)arrays->in_dim[1] / (double)WidthOf(op);
  PetscReal    bad   = 0;
  PetscBool    ok    = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (size_t i = 0; ok && i < count; i++) {
    bad = arrays->in[0][i];
    ok  = (PetscBool)(bad >= 0 && bad < V && bad == PetscFloorReal(bad));
  }
  PetscCall(UserCheck(ParametersGrid(context->parameters)->world, ok, STATUS_DATA,
                      "op '%s' (embedding): a point has the entry %g, which is no integer from 0 to %.0f: the table has %.0f rows "
                      "(data.scale must be none)",
                      op->name, (double)bad, V - 1, V));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Gather(const NetOp *op, const OpArrays *arrays, const PetscReal table[], PetscReal out[])
{
  const size_t T = (size_t)arrays->in_dim[0], w = WidthOf(op), size = (size_t)arrays->in_dim[1];

  for (size_t point = 0; point < (size_t)arrays->N; point++)
    for (size_t t = 0; t < T; t++)
      for (size_t i = 0; i < w; i++)
        out[(point * T + t) * w + i] = table[point * size + (size_t)arrays->in[0][point * T + t] * w + i];
}

static void Scatter(const NetOp *op, const OpArrays *arrays, const PetscReal bar[], PetscReal table_bar[])
{
  const size_t T = (size_t)arrays->in_dim[0], w = WidthOf(op), size = (size_t)arrays->in_dim[1];

  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t t = 0; t < T; t++) {
      const size_t x = (size_t)arrays->in[0][OpRowPoint(arrays, row) * T + t];

      for (size_t i = 0; i < w; i++) table_bar[row * size + x * w + i] += bar[(row * T + t) * w + i];
    }
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  PetscCall(CheckRows(op, context, arrays));
  Gather(op, arrays, arrays->in[1], arrays->out);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_dot[1])
    Gather(op, arrays, arrays->in_dot[1], arrays->out_dot);
  else
    PetscCall(PetscArrayzero(arrays->out_dot, (size_t)arrays->N * (size_t)op->dim));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_bar[1]) Scatter(op, arrays, arrays->out_bar, arrays->in_bar[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_bar_dot[1] && arrays->out_bar_dot) Scatter(op, arrays, arrays->out_bar_dot, arrays->in_bar_dot[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds. At one point the value is a gather from the table in which a row is used nu times at most: |out| <= sqrt(nu) |table|; no rounding
   but where the adjoints of nu uses are added. The exact op takes the row of the nearest integer: an x within 1/2 of the computed one has it too. */

/* nu at this point */
static PetscReal OwnUses(const NetOp *op, const OpArrays *point, PetscInt *unit)
{
  const PetscReal *x    = point->in[0];
  const PetscInt   T    = op->dim / (PetscInt)WidthOf(op);
  PetscInt         most = 0;

  for (PetscInt t = 0; t < T; t++) {
    PetscInt uses = 0;

    for (PetscInt s = 0; s < T; s++) uses += x[s] == x[t];
    if (uses > most) *unit = t;
    most = PetscMax(most, uses);
  }
  return (PetscReal)most;
}

static void BoundForward(const OpBoundArgs *args)
{
  ValueBound     *out = args->out, *table = args->in[1];
  const PetscReal norm = PetscSqrtReal(out->measure->own);

  out->eps = 0;
  out->e   = args->in[0]->E < .5 ? Up(norm * table->e) : INFINITY;
  for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up(norm * table->t[mu]);
}

/* nu additions to what other consumers left */
static void BoundAdjoint(const OpBoundArgs *args)
{
  ValueBound     *out = args->out, *table = args->in[1];
  const PetscReal norm = PetscSqrtReal(out->measure->own), rounding = Gamma(out->measure->own);

  for (PetscInt o = 0; o < args->l; o++) {
    table->F[o]   = Up(table->F[o] + norm * out->F[o] + rounding * (norm * out->bar[o] + table->sum[o]));
    table->sum[o] = Up(table->sum[o] + (1 + rounding) * norm * out->bar[o]);
  }
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, NULL, NULL, OwnUses};

static const char *const Attributes[] = {"width", NULL};

const OpKind OpEmbedding = {.name            = "embedding",
                            .inputs_min      = 2,
                            .inputs_max      = 2,
                            .attributes      = Attributes,
                            .setup           = Setup,
                            .forward         = Forward,
                            .tangent         = Tangent,
                            .adjoint         = AdjointOf,
                            .adjoint_tangent = AdjointTangent,
                            .bounds          = &Bounds,
                            .form            = OpAnyForm};
