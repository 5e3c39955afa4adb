/*
  certify_measure.c: see certify_measure.h.
*/
#include "certify_measure.h"
#include "sweep.h"
#include <stdint.h>
#include <string.h>

PetscErrorCode SplitForward(ResidualMap map, Vec theta, Trajectory trajectory, PetscReal *eps[])
{
  const Network   net     = map->network;
  const OpContext context = {map->parameters, theta, NULL};

  PetscFunctionBeginUser;
  eps[0] = NULL;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp   *op     = &net->ops[v];
    const OpArrays arrays = OpArraysAt(map, trajectory, v);

    eps[v] = NULL;
    if (op->kind->bounds->split) {
      PetscCall(PetscMalloc1(map->N, &eps[v]));
      PetscCall(op->kind->bounds->split(op, &context, &arrays, eps[v]));
    } else
      PetscCall(op->kind->forward(op, &context, &arrays));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one rank's doubles and another's ------------------------------------------------------------------------------- */

static uint64_t Digest(uint64_t digest, size_t n, const PetscReal x[])
{
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;

    memcpy(&bits, &x[i], sizeof bits);
    digest = (digest ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
    digest ^= digest >> 29;
  }
  return digest;
}

/* trajectory NULL: the adjoint alone */
static PetscErrorCode CompareRanks(ResidualMap map, Trajectory trajectory, Adjoint units, PetscBool *same)
{
  const Network net    = map->network;
  uint64_t      digest = 0, ends[2];
  int           equal;

  PetscFunctionBeginUser;
  if (map->grid->Q > 1)
    for (PetscInt v = 1; v < net->nops; v++) {
      const size_t dim = (size_t)net->ops[v].dim;

      if (trajectory) digest = Digest(digest, (size_t)map->N * dim, trajectory->value[v]);
      if (units->bar[v]) digest = Digest(digest, (size_t)units->rows * dim, units->bar[v]);
    }
  PetscCallMPI(MPI_Allreduce(&digest, &ends[0], 1, MPI_UINT64_T, MPI_MIN, map->grid->group));
  PetscCallMPI(MPI_Allreduce(&digest, &ends[1], 1, MPI_UINT64_T, MPI_MAX, map->grid->group));
  equal = ends[0] == ends[1];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &equal, 1, MPI_INT, MPI_MIN, map->grid->world));
  *same = (PetscBool)equal;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CompareAdjoints(ResidualMap map, Adjoint adjoint, PetscBool *same)
{
  PetscFunctionBeginUser;
  PetscCall(CompareRanks(map, NULL, adjoint, same));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- norms ------------------------------------------------------------------------------------------------------------ */

static PetscReal Norm(PetscInt n, const PetscReal x[])
{
  PetscReal sum[4] = {0, 0, 0, 0}; /* any order will do */
  PetscInt  j      = 0;

  for (; j + 3 < n; j += 4)
    for (PetscInt lane = 0; lane < 4; lane++) sum[lane] += x[j + lane] * x[j + lane];
  for (; j < n; j++) sum[0] += x[j] * x[j];
  return NormUp((PetscReal)n, sum[0] + sum[1] + (sum[2] + sum[3]));
}

static Measure MeasureOf(PetscInt dim, PetscInt l, const PetscReal a[], const PetscReal bar[])
{
  Measure measure = {.norm = Norm(dim, a), .largest = 0, .eps = -1, .column = 0};

  for (PetscInt j = 0; j < dim; j++) measure.largest = PetscMax(measure.largest, PetscAbsReal(a[j]));
  for (PetscInt j = 0; bar && j < dim; j++) {
    PetscReal squares = 0;

    for (PetscInt o = 0; o < l; o++) squares += bar[(size_t)o * (size_t)dim + (size_t)j] * bar[(size_t)o * (size_t)dim + (size_t)j];
    measure.column = PetscMax(measure.column, squares);
  }
  measure.column = NormUp((PetscReal)l, measure.column);
  return measure;
}

static void SetOwn(ResidualMap map, PetscInt v, Trajectory trajectory, size_t point, Measure *measure)
{
  const NetOp *op = &map->network->ops[v];
  OpArrays     arrays;

  if (v == 0 || !op->kind->bounds->own) return;
  arrays   = OpArraysAt(map, trajectory, v);
  arrays.N = 1;
  arrays.out += point * (size_t)op->dim;
  for (PetscInt j = 0; j < op->ninputs; j++) arrays.in[j] += point * (size_t)arrays.in_dim[j];
  measure->own = op->kind->bounds->own(op, &arrays, &measure->unit);
}

/* at the owned points, a value's measures and those of its adjoint's rows */
static void MeasureValue(ResidualMap map, PetscInt v, Trajectory trajectory, const PetscReal bar[], const PetscReal eps[],
                         Measures m)
{
  const Rows   rows  = map->rows;
  const size_t first = (size_t)(GridOwnedPoints(map->grid, map->d).first - GridGroupPoints(map->grid, map->d).first);
  const size_t dim = (size_t)map->network->ops[v].dim, before = (size_t)(rows->owned.first - rows->group.first);
  Measure     *at   = m->at + (size_t)v * (size_t)m->points;
  PetscReal   *norm = m->bar + (size_t)v * (size_t)m->rows;

  for (PetscInt i = 0; i < m->points; i++) {
    const PetscReal *mine = bar ? bar + (before + (size_t)m->first[i]) * dim : NULL;

    at[i] = MeasureOf((PetscInt)dim, m->first[i + 1] - m->first[i], trajectory->value[v] + (first + (size_t)i) * dim, mine);
    SetOwn(map, v, trajectory, first + (size_t)i, &at[i]);
    if (eps) at[i].eps = eps[first + (size_t)i];
  }
  for (PetscInt row = 0; row < m->rows; row++) norm[row] = bar ? Norm((PetscInt)dim, bar + (before + (size_t)row) * dim) : 0;
}

PetscErrorCode MeasuresCreate(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *const eps[], PetscBool *same,
                              Measures *measures)
{
  const Network net   = map->network;
  const Rows    rows  = map->rows;
  const Range   owned = GridOwnedPoints(map->grid, map->d);
  Measures      m;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&m));
  m->start   = owned.first;
  m->points  = owned.last - owned.first;
  m->rows    = rows->owned.last - rows->owned.first;
  m->nvalues = net->nops;
  PetscCall(
      PetscMalloc3((size_t)net->nops * (size_t)m->points, &m->at, (size_t)net->nops * (size_t)m->rows, &m->bar, m->rows, &m->H));
  PetscCall(PetscMalloc1(m->points + 1, &m->first));
  for (PetscInt i = 0; i <= m->points; i++) m->first[i] = rows->first[owned.first + i] - rows->owned.first;
  PetscCall(PetscCalloc1(net->nops, &m->reached));
  for (PetscInt v = 0; v < net->nops; v++) {
    m->reached[v] = (PetscBool)(v > 0 && units->bar[v]);
    MeasureValue(map, v, trajectory, m->reached[v] ? units->bar[v] : NULL, eps ? eps[v] : NULL, m);
  }
  for (PetscInt row = 0; row < m->rows; row++) {
    const size_t at = RowTarget(rows, rows->owned.first + row);

    m->H[row] = trajectory->value[net->nops - 1][at] - map->y[at];
  }
  PetscCall(CompareRanks(map, trajectory, units, same));
  *measures = m;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MeasuresDestroy(Measures *measures)
{
  PetscFunctionBeginUser;
  if (!*measures) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree3((*measures)->at, (*measures)->bar, (*measures)->H));
  PetscCall(PetscFree((*measures)->first));
  PetscCall(PetscFree((*measures)->reached));
  PetscCall(PetscFree(*measures));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* three products instead of one; the parts of the widest input, and of a panel of W */
void SplitForwardCost(const Sizes *s, Cost *cost)
{
  Cost      split = {.bytes = 0}, product = {.bytes = 0};
  PetscReal widest = 0;

  ResidualMapApplyCost(s, &split);
  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp *op = &s->network->ops[v];

    if (op->weight < 0) continue;
    widest = PetscMax(widest, (PetscReal)s->network->ops[op->inputs[0]].dim);
    if (s->Q > 1) CostReduceAll(&split, s->Q, 8 * (s->N + 2), 1);
  }
  product.work[WORK_PRODUCT] = 2 * split.work[WORK_PRODUCT];
  CostAdd(&split, &product, 1);
  CostHold(&split, 2 * 8 * s->N * widest + SizesValues(s, s->N));
  CostAdd(cost, &split, 1);
}
