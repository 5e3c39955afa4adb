/*
  jacobian.c: J from its factors; see jacobian.h for the formulas.
*/
#include "codim/jacobian.h"
#include "blas.h"
#include "codim/threads.h"

enum { SCRATCH = 1 << 19 /* entries */, SCRATCH_COLUMNS = 1024, BLOCK = 1 << 22 /* entries */ };

PetscErrorCode JacobianCreate(ResidualMap map, Jacobian *jacobian)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(jacobian));
  (*jacobian)->map = map;
  PetscCall(AdjointCreate(map, ADJOINT_RESIDUALS, ADJOINT_PARAMETERS, &(*jacobian)->units));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianDestroy(Jacobian *jacobian)
{
  PetscFunctionBeginUser;
  if (!*jacobian) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(AdjointDestroy(&(*jacobian)->units));
  PetscCall(PetscFree(*jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianLinearize(Jacobian jacobian, Vec theta, Trajectory trajectory)
{
  PetscFunctionBeginUser;
  jacobian->theta      = theta;
  jacobian->trajectory = trajectory;
  PetscCall(ResidualMapAdjoint(jacobian->map, theta, trajectory, NULL, jacobian->units));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the uses of labels -------------------------------------------------------------------------------------------- */

static LabelUse UseOf(Jacobian jacobian, PetscInt v, PetscBool bias)
{
  const Network net = jacobian->map->network;
  const NetOp  *op  = &net->ops[v];
  LabelUse      use = {.label = bias ? op->bias : op->weight, .T = op->places, .h = op->dim / op->places};

  use.k     = bias ? 1 : net->ops[op->inputs[0]].dim / op->places;
  use.A     = bias ? NULL : jacobian->trajectory->value[op->inputs[0]];
  use.Delta = jacobian->units->bar[v];
  return use;
}

PetscErrorCode JacobianGetUses(Jacobian jacobian, PetscInt *nuses, LabelUse **uses)
{
  const Network net = jacobian->map->network;

  PetscFunctionBeginUser;
  *nuses = 0;
  PetscCall(PetscMalloc1(2 * net->nops, uses));
  for (PetscInt label = 0; label < net->nlabels; label++)
    for (PetscInt v = 1; v < net->nops; v++) {
      if (!jacobian->units->bar[v]) continue;
      if (net->ops[v].weight == label) (*uses)[(*nuses)++] = UseOf(jacobian, v, PETSC_FALSE);
      if (net->ops[v].bias == label) (*uses)[(*nuses)++] = UseOf(jacobian, v, PETSC_TRUE);
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t GroupRows(ResidualMap map)
{
  return (size_t)(map->rows->group.last - map->rows->group.first);
}

/* the units of a use in these rows of its label: rows of W; of a bias or a parameter's value, entries */
static Range UnitsOf(ResidualMap map, const LabelUse *use, Range rows)
{
  const PetscInt cols  = use->A ? 1 : map->network->labels[use->label].cols;
  const Range    units = {rows.first * cols, rows.last * cols};

  return units;
}

static Range ShardUnits(ResidualMap map, const LabelUse *use)
{
  return UnitsOf(map, use, ParametersShardRows(map->parameters, use->label));
}

/* ---- J v ------------------------------------------------------------------------------------------------------------ */

/* rows += rowsum((A V^T (x) 1) o Delta) over these units, whose part of v is V */
static PetscErrorCode AddUseMult(ResidualMap map, const LabelUse *use, Range units, const PetscReal V[], PetscReal rows[])
{
  const PetscInt  width  = units.last - units.first;
  const size_t    places = (size_t)use->T, h = (size_t)use->h;
  const PetscInt *point = map->rows->group_point;
  PetscReal      *P     = NULL; /* N T x width: A V^T */

  PetscFunctionBeginUser;
  if (use->A) {
    PetscCall(PetscMalloc1((size_t)map->N * places * (size_t)width, &P));
    PetscCall(Gemm("T", "N", width, map->N * use->T, use->k, 1, V, use->k, use->A, use->k, 0, P, width));
  }
#pragma omp parallel for if (ThreadsShare(GroupRows(map) * places * (size_t)width))
  for (size_t row = 0; row < GroupRows(map); row++)
    for (size_t t = 0; t < places; t++) {
      const PetscReal *delta = use->Delta + (row * places + t) * h + units.first;
      const PetscReal *p     = P ? P + ((size_t)point[row] * places + t) * (size_t)width : V;

      for (PetscInt j = 0; j < width; j++) rows[row] += delta[j] * p[j];
    }
  PetscCall(PetscFree(P));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianMult(Jacobian jacobian, Vec v, Vec u)
{
  const ResidualMap map = jacobian->map;
  PetscInt          nuses;
  LabelUse         *uses;
  PetscReal        *rows;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(GroupRows(map), &rows));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i++) {
    const PetscReal *V;

    PetscCall(ParametersGetShard(map->parameters, v, uses[i].label, &V));
    PetscCall(AddUseMult(map, &uses[i], ShardUnits(map, &uses[i]), V, rows));
    PetscCall(ParametersRestoreShard(map->parameters, v, uses[i].label, &V));
  }
  PetscCall(RowsSumGroup(map->rows, rows, u));
  PetscCall(PetscFree(uses));
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- J^T u ---------------------------------------------------------------------------------------------------------- */

/* units of a use that are taken at a time: their products with the columns of A fill the scratch */
static PetscInt UnitBlock(PetscInt k)
{
  return SCRATCH / PetscMin(k, SCRATCH_COLUMNS);
}

/* D := sum of u_row Delta_row over the rows of each point, N T x units */
static void SumRows(ResidualMap map, const LabelUse *use, Range units, const PetscReal u[], PetscReal D[])
{
  const PetscInt first = GridGroupPoints(map->grid, map->d).first, before = map->rows->group.first;
  const size_t   T = (size_t)use->T, h = (size_t)use->h, w = (size_t)(units.last - units.first);

#pragma omp parallel for if (ThreadsShare(GroupRows(map) * T * w))
  for (PetscInt i = 0; i < map->N; i++) {
    const Range rows = RowsOfPoints(map->rows, (Range){first + i, first + i + 1});

    for (size_t t = 0; t < T; t++) {
      PetscReal *sum = D + ((size_t)i * T + t) * w;

      if (rows.first == rows.last)
        for (size_t j = 0; j < w; j++) sum[j] = 0;
      for (PetscInt row = rows.first - before; row < rows.last - before; row++) {
        const PetscReal *delta = use->Delta + ((size_t)row * T + t) * h + units.first;

        if (row == rows.first - before)
          for (size_t j = 0; j < w; j++) sum[j] = u[row] * delta[j];
        else
          for (size_t j = 0; j < w; j++) sum[j] += u[row] * delta[j];
      }
    }
  }
}

/* Y += alpha D^T A, width x k, over the places. Each product is rounded by itself before it is added: then adding it with -alpha undoes it to
   the rounding of Y, even where large terms cancel in it. By blocks of rows and columns:
   8 x 31600 of n = 10^9 were half as fast as 256 x 1024. */
static PetscErrorCode AddOuter(const LabelUse *use, PetscInt places, PetscInt width, PetscReal alpha, const PetscReal D[],
                               PetscReal product[], PetscReal Y[])
{
  PetscFunctionBeginUser;
  for (PetscInt col = 0; col < use->k; col += SCRATCH_COLUMNS) {
    const PetscInt cols = PetscMin(SCRATCH_COLUMNS, use->k - col);

    PetscCall(Gemm("N", "T", cols, width, places, alpha, use->A + col, use->k, D, width, 0, product, cols));
#pragma omp parallel for if (ThreadsShare((size_t)width * (size_t)cols))
    for (size_t r = 0; r < (size_t)width; r++) {
      PetscReal *y = Y + r * (size_t)use->k + (size_t)col;

      for (size_t c = 0; c < (size_t)cols; c++) y[c] += product[r * (size_t)cols + c];
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Y += alpha sum_(row,t) u_row Delta_(row,t) of these units, likewise */
static void AddSums(ResidualMap map, const LabelUse *use, Range units, PetscReal alpha, const PetscReal u[], PetscReal Y[])
{
  enum { PIECE = 256 };
  const size_t T = (size_t)use->T, places = GroupRows(map) * T, width = (size_t)(units.last - units.first);

#pragma omp parallel for if (ThreadsShare(places * width))
  for (size_t piece = 0; piece < width; piece += PIECE) {
    const size_t count       = PetscMin(PIECE, width - piece);
    PetscReal    sums[PIECE] = {0};

    for (size_t place = 0; place < places; place++) {
      const PetscReal *delta = use->Delta + place * (size_t)use->h + (size_t)units.first + piece;

      for (size_t j = 0; j < count; j++) sums[j] += u[place / T] * delta[j];
    }
    for (size_t j = 0; j < count; j++) Y[piece + j] += alpha * sums[j];
  }
}

/* Y += alpha sum_t (Delta_t o u)^T (A_t (x) 1) of these units */
static PetscErrorCode AddUseTranspose(ResidualMap map, const LabelUse *use, Range units, PetscReal alpha, const PetscReal u[],
                                      PetscReal Y[])
{
  const PetscInt places = map->N * use->T;
  PetscInt       block;
  PetscReal     *D, *product;

  PetscFunctionBeginUser;
  if (!use->A) {
    AddSums(map, use, units, alpha, u, Y);
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  block = PetscMin(units.last - units.first, UnitBlock(use->k));
  PetscCall(PetscMalloc2((size_t)places * (size_t)block, &D, block * PetscMin(use->k, SCRATCH_COLUMNS), &product));
  for (Range part = {units.first, units.first}; part.first < units.last; part.first = part.last) {
    part.last = PetscMin(part.first + block, units.last);
    SumRows(map, use, part, u, D);
    PetscCall(
        AddOuter(use, places, part.last - part.first, alpha, D, product, Y + (size_t)(part.first - units.first) * (size_t)use->k));
  }
  PetscCall(PetscFree2(D, product));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianMultTransposeAdd(Jacobian jacobian, PetscReal alpha, Vec u, Vec y)
{
  const ResidualMap map = jacobian->map;
  PetscInt          nuses;
  LabelUse         *uses;
  PetscReal        *rows;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(GroupRows(map), &rows));
  PetscCall(RowsGatherGroup(map->rows, u, rows));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i++) {
    PetscReal *Y;

    PetscCall(ParametersBeginAdd(map->parameters, y, uses[i].label, &Y));
    PetscCall(AddUseTranspose(map, &uses[i], ShardUnits(map, &uses[i]), alpha, rows, Y));
    PetscCall(ParametersEndAdd(map->parameters, y, uses[i].label, &Y));
  }
  PetscCall(PetscFree(uses));
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- J J^T u -------------------------------------------------------------------------------------------------------- */

/* sums += J_b J_b^T u, J_b the columns of J for these rows of the label of `count` uses */
static PetscErrorCode AddBlockGram(ResidualMap map, PetscInt count, const LabelUse uses[], Range rows, const PetscReal u[],
                                   PetscReal sums[])
{
  const PetscInt entries = (rows.last - rows.first) * map->network->labels[uses->label].cols;
  PetscReal     *Y; /* J_b^T u */

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(entries, &Y));
  for (PetscInt i = 0; i < count; i++) PetscCall(AddUseTranspose(map, &uses[i], UnitsOf(map, &uses[i], rows), 1, u, Y));
  PetscCall(GridSumShard(map->grid, entries, Y));
  for (PetscInt i = 0; i < count; i++) PetscCall(AddUseMult(map, &uses[i], UnitsOf(map, &uses[i], rows), Y, sums));
  PetscCall(PetscFree(Y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscInt BlockRows(PetscInt cols)
{
  return PetscMax(1, BLOCK / cols);
}

PetscErrorCode JacobianMultGram(Jacobian jacobian, Vec u, Vec Ku)
{
  const ResidualMap map = jacobian->map;
  PetscInt          nuses;
  LabelUse         *uses;
  PetscReal        *rows, *sums;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(GroupRows(map), &rows));
  PetscCall(PetscCalloc1(GroupRows(map), &sums));
  PetscCall(RowsGatherGroup(map->rows, u, rows));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0, next; i < nuses; i = next) {
    const Range    shard = ParametersShardRows(map->parameters, uses[i].label);
    const PetscInt most  = BlockRows(map->network->labels[uses[i].label].cols);

    for (next = i; next < nuses && uses[next].label == uses[i].label;) next++;
    for (PetscInt row = shard.first; row < shard.last; row += most) {
      const Range block = {row, PetscMin(row + most, shard.last)};

      PetscCall(AddBlockGram(map, next - i, &uses[i], block, rows, sums));
    }
  }
  PetscCall(RowsSumGroup(map->rows, sums, Ku));
  PetscCall(PetscFree(uses));
  PetscCall(PetscFree(sums));
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- |J|_F^2 -------------------------------------------------------------------------------------------------------- */

static PetscReal Dot(PetscInt n, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* (delta_t (x) a_t) . (delta'_s (x) a'_s) of one row, of point i, at places t and s of two uses of one label; where A is none and the other's is not, delta'
   is an h x k block */
static PetscReal PlacePairNorm(size_t i, size_t row, const LabelUse *use, PetscInt t, const LabelUse *other, PetscInt s)
{
  const size_t     k     = (size_t)use->k;
  const PetscReal *a     = use->A ? use->A + (i * (size_t)use->T + (size_t)t) * k : NULL;
  const PetscReal *b     = other->A ? other->A + (i * (size_t)other->T + (size_t)s) * (size_t)other->k : NULL;
  const PetscReal *delta = use->Delta + (row * (size_t)use->T + (size_t)t) * (size_t)use->h;
  const PetscReal *beta  = other->Delta + (row * (size_t)other->T + (size_t)s) * (size_t)other->h;
  PetscReal        sum   = 0;

  if (!a && b) return PlacePairNorm(i, row, other, s, use, t);
  if (!a || b) return Dot(use->h, delta, beta) * (a ? Dot(use->k, a, b) : 1);
  for (size_t j = 0; j < (size_t)use->h; j++) sum += delta[j] * Dot(use->k, a, beta + j * k);
  return sum;
}

/* norms2 += the owned rows' */
static void AddUsePair(Rows rows, const LabelUse *use, const LabelUse *other, PetscReal norms2[])
{
  const PetscInt before = rows->owned.first - rows->group.first, last = rows->owned.last - rows->group.first;

#pragma omp parallel for if (ThreadsShare((size_t)(last - before) * (size_t)use->T * (size_t)(use->h + use->k)))
  for (PetscInt row = before; row < last; row++)
    for (PetscInt t = 0; t < use->T; t++)
      for (PetscInt s = use == other ? t : 0; s < other->T; s++)
        norms2[row - before] +=
            (use == other && s > t ? 2 : 1) * PlacePairNorm((size_t)rows->group_point[row], (size_t)row, use, t, other, s);
}

PetscErrorCode JacobianRowNormsSquared(Jacobian jacobian, PetscInt label, Vec norms2)
{
  PetscInt   nuses;
  LabelUse  *uses;
  PetscReal *local;

  PetscFunctionBeginUser;
  PetscCall(VecSet(norms2, 0));
  PetscCall(VecGetArray(norms2, &local));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i++)
    for (PetscInt j = 0; j < nuses; j++)
      if (uses[i].label == uses[j].label && (label < 0 || uses[i].label == label))
        AddUsePair(jacobian->map->rows, &uses[i], &uses[j], local);
  PetscCall(PetscFree(uses));
  PetscCall(VecRestoreArray(norms2, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianNormSquared(Jacobian jacobian, PetscReal *norm2)
{
  Vec norms2;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(jacobian->map->rows, &norms2));
  PetscCall(JacobianRowNormsSquared(jacobian, -1, norms2));
  PetscCall(VecSum(norms2, norm2));
  PetscCall(VecDestroy(&norms2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the shell ------------------------------------------------------------------------------------------------------ */

static PetscErrorCode MatMult_Jacobian(Mat J, Vec v, Vec u)
{
  Jacobian jacobian;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(J, &jacobian));
  PetscCall(JacobianMult(jacobian, v, u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMultTranspose_Jacobian(Mat J, Vec u, Vec y)
{
  Jacobian jacobian;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(J, &jacobian));
  PetscCall(VecSet(y, 0));
  PetscCall(JacobianMultTransposeAdd(jacobian, 1, u, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianCreateMat(Jacobian jacobian, Mat *J)
{
  const ResidualMap map   = jacobian->map;
  const Range       owned = map->rows->owned;

  PetscFunctionBeginUser;
  PetscCall(MatCreateShell(map->grid->world, owned.last - owned.first, ParametersLocalSize(map->parameters), map->m, map->n,
                           jacobian, J));
  PetscCall(MatShellSetOperation(*J, MATOP_MULT, (void (*)(void))MatMult_Jacobian));
  PetscCall(MatShellSetOperation(*J, MATOP_MULT_TRANSPOSE, (void (*)(void))MatMultTranspose_Jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* the product with V or u of one use of a label, with its factors A (none for a bias or a value) and Delta; so many rows of it at a time */
static Cost ProductCost(const Sizes *s, PetscInt label, PetscReal T, PetscBool weight, PetscReal most)
{
  const PetscReal cols = (PetscReal)s->network->labels[label].cols, rows = SizesShardRows(s, label);
  const PetscReal units = weight ? rows : rows * cols, k = weight ? cols : 1;
  Cost            use = {.bytes = 8 * s->N * T * PetscMin(most, rows) * units / rows};

  use.work[WORK_PRODUCT] = 2 * s->N * T * units * k;
  use.work[WORK_STREAM]  = 2 * 8 * s->R * T * units;
  return use;
}

typedef void UseCostFn(const Sizes *s, PetscInt label, PetscReal T, PetscBool weight, Cost *cost);

static void ForEachUse(const Sizes *s, UseCostFn *use, Cost *cost)
{
  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp *op = &s->network->ops[v];

    if (op->weight >= 0) use(s, op->weight, (PetscReal)op->places, PETSC_TRUE, cost);
    if (op->bias >= 0) use(s, op->bias, (PetscReal)op->places, PETSC_FALSE, cost);
  }
}

static void MultCost(const Sizes *s, PetscInt label, PetscReal T, PetscBool weight, Cost *cost)
{
  const Cost use  = ProductCost(s, label, T, weight, PETSC_MAX_REAL);
  Cost       read = {.bytes = 0};

  CostReadShard(s, label, &read);
  CostHold(&read, use.bytes);
  CostAdd(cost, &read, 1);
  CostAdd(cost, &use, 1);
}

/* with the product, added */
static void TransposeCost(const Sizes *s, PetscInt label, PetscReal T, PetscBool weight, Cost *cost)
{
  const PetscInt block = weight ? UnitBlock(s->network->labels[label].cols) : 0;
  Cost           use = ProductCost(s, label, T, weight, (PetscReal)block), add = {.bytes = 0};

  use.work[WORK_STREAM] += 2 * 8 * SizesShardEntries(s, label);
  CostAddToShard(s, label, &add);
  CostHold(&add, use.bytes + 8 * (weight ? SCRATCH : SizesShardEntries(s, label)));
  CostAdd(cost, &add, 1);
  CostAdd(cost, &use, 1);
}

static void UseGramCost(const Sizes *s, PetscInt label, PetscReal T, PetscBool weight, Cost *cost)
{
  const PetscInt cols = s->network->labels[label].cols;
  Cost           use  = ProductCost(s, label, T, weight, (PetscReal)BlockRows(cols));

  use.work[WORK_STREAM] += 8 * SizesShardEntries(s, label);
  use.bytes += 8 * ((PetscReal)BlockRows(cols) * (PetscReal)cols + SCRATCH);
  CostAdd(cost, &use, 2);
}

void JacobianMultCost(const Sizes *s, Cost *cost)
{
  ForEachUse(s, MultCost, cost);
  if (s->P > 1) CostReduceScatter(cost, s->Q, 8 * s->d / s->G * s->l, 1); /* RowsSumGroup */
}

void JacobianMultTransposeAddCost(const Sizes *s, Cost *cost)
{
  if (s->P > 1) CostGather(cost, s->Q, 8 * s->d / s->G * s->l, 1); /* RowsGatherGroup */
  ForEachUse(s, TransposeCost, cost);
}

void JacobianMultGramCost(const Sizes *s, Cost *cost)
{
  if (s->P > 1) CostGather(cost, s->Q, 8 * s->d / s->G * s->l, 1);
  ForEachUse(s, UseGramCost, cost);
  for (PetscInt label = 0; label < s->network->nlabels; label++) {
    const Label    *l      = &s->network->labels[label];
    const PetscReal blocks = PetscCeilReal(SizesShardRows(s, label) / (PetscReal)BlockRows(l->cols));

    /* nothing where the shard has no row */
    CostReduceAll(cost, s->G, 8 * SizesShardEntries(s, label) / blocks, blocks * PetscMin(1, (PetscReal)l->rows / s->Q));
  }
  if (s->P > 1) CostReduceScatter(cost, s->Q, 8 * s->d / s->G * s->l, 1);
}
