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

static PetscErrorCode CompareRanks(ResidualMap map, Trajectory trajectory, Adjoint units, PetscBool *same)
{
  const Network net    = map->network;
  uint64_t      digest = 0, ends[2];
  int           equal;

  PetscFunctionBeginUser;
  if (map->grid->Q > 1)
    for (PetscInt v = 1; v < net->nops; v++) {
      const size_t size = (size_t)map->N * (size_t)net->ops[v].dim;

      digest = Digest(digest, size, trajectory->value[v]);
      if (units->bar[v]) digest = Digest(digest, size * (size_t)map->l, units->bar[v]);
    }
  PetscCallMPI(MPI_Allreduce(&digest, &ends[0], 1, MPI_UINT64_T, MPI_MIN, map->grid->group));
  PetscCallMPI(MPI_Allreduce(&digest, &ends[1], 1, MPI_UINT64_T, MPI_MAX, map->grid->group));
  equal = ends[0] == ends[1];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &equal, 1, MPI_INT, MPI_MIN, map->grid->world));
  *same = (PetscBool)equal;
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

PetscErrorCode MeasuresCreate(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *const eps[], PetscBool *same,
                              Measures *measures)
{
  const Network  net   = map->network;
  const Range    owned = GridOwnedPoints(map->grid, map->d);
  const PetscInt first = owned.first - GridGroupPoints(map->grid, map->d).first, points = owned.last - owned.first, l = map->l;
  Measures       m;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&m));
  m->first   = owned.first;
  m->points  = points;
  m->nvalues = net->nops;
  m->l       = l;
  PetscCall(PetscMalloc3((size_t)net->nops * (size_t)points, &m->at, (size_t)net->nops * (size_t)points * (size_t)l, &m->bar,
                         points * l, &m->H));
  PetscCall(PetscCalloc1(net->nops, &m->reached));
  for (PetscInt v = 0; v < net->nops; v++) {
    const PetscInt dim = net->ops[v].dim;

    m->reached[v] = (PetscBool)(v > 0 && units->bar[v]);
    for (PetscInt i = 0; i < points; i++) {
      const size_t     at = (size_t)v * (size_t)points + (size_t)i, point = (size_t)first + (size_t)i;
      const PetscReal *bar = m->reached[v] ? units->bar[v] + point * (size_t)l * (size_t)dim : NULL;

      m->at[at] = MeasureOf(dim, l, trajectory->value[v] + point * (size_t)dim, bar);
      SetOwn(map, v, trajectory, point, &m->at[at]);
      if (eps && eps[v]) m->at[at].eps = eps[v][point];
      for (PetscInt o = 0; o < l; o++) m->bar[at * (size_t)l + (size_t)o] = bar ? Norm(dim, bar + (size_t)o * (size_t)dim) : 0;
    }
  }
  for (PetscInt i = 0; i < points * l; i++) m->H[i] = trajectory->value[net->nops - 1][first * l + i] - map->y[first * l + i];
  PetscCall(CompareRanks(map, trajectory, units, same));
  *measures = m;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MeasuresDestroy(Measures *measures)
{
  PetscFunctionBeginUser;
  if (!*measures) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree3((*measures)->at, (*measures)->bar, (*measures)->H));
  PetscCall(PetscFree((*measures)->reached));
  PetscCall(PetscFree(*measures));
  PetscFunctionReturn(PETSC_SUCCESS);
}
