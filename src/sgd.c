/*
  sgd.c: see sgd.h.
*/
#include "codim/sgd.h"
#include "codim/random.h"
#include <math.h>
#include <stdlib.h>

enum { STREAM_EPOCHS = 1 << 24 };

typedef struct {
  PetscReal key;
  PetscInt  point;
} Card;

struct Sgd_s {
  ResidualMap map;
  SgdOptions  options;
  Vec         v, g;
  Card       *deck;  /* d, in the order of `epoch` */
  PetscInt   *order; /* d: their points */
  PetscInt64  epoch; /* -1: not dealt yet */

  /* the batch: this group's points of it, as a map and a trajectory of their own */
  struct ResidualMap_s batch;
  PetscReal           *x, *y, *seed;
  Trajectory           trajectory;
};

PetscErrorCode SgdCreate(ResidualMap map, const SgdOptions *options, Sgd *sgd)
{
  const PetscInt most = PetscMin(options->batch, map->N);
  Sgd            s;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  s->map           = map;
  s->options       = *options;
  s->options.batch = PetscMin(options->batch, map->d);
  s->epoch         = -1;
  PetscCall(ParametersCreateVec(map->parameters, &s->v));
  PetscCall(ParametersCreateVec(map->parameters, &s->g));
  PetscCall(PetscMalloc2(map->d, &s->deck, map->d, &s->order));
  PetscCall(PetscMalloc3((size_t)most * (size_t)map->network->inputs, &s->x, (size_t)most * (size_t)map->l, &s->y,
                         (size_t)most * (size_t)map->l, &s->seed));
  s->batch   = *map;
  s->batch.N = most; /* the largest: the trajectory has room for it */
  s->batch.x = s->x;
  s->batch.y = s->y;
  PetscCall(TrajectoryCreate(&s->batch, &s->trajectory));
  *sgd = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SgdDestroy(Sgd *sgd)
{
  PetscFunctionBeginUser;
  if (!*sgd) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TrajectoryDestroy(&(*sgd)->trajectory));
  PetscCall(PetscFree3((*sgd)->x, (*sgd)->y, (*sgd)->seed));
  PetscCall(PetscFree2((*sgd)->deck, (*sgd)->order));
  PetscCall(VecDestroy(&(*sgd)->g));
  PetscCall(VecDestroy(&(*sgd)->v));
  PetscCall(PetscFree(*sgd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

Vec SgdVelocity(Sgd sgd)
{
  return sgd->v;
}

/* ---- the batch ------------------------------------------------------------------------------------------------------------------ */

static int ByKey(const void *a, const void *b)
{
  const Card *x = (const Card *)a, *y = (const Card *)b;

  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->point > y->point) - (x->point < y->point);
}

/* points in the order of uniform random numbers */
static PetscErrorCode Deal(Sgd sgd, PetscInt64 epoch)
{
  const PetscInt d = sgd->map->d;
  PetscReal     *key;

  PetscFunctionBeginUser;
  if (epoch == sgd->epoch) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(d, &key));
  RandomUniform(sgd->options.seed, STREAM_EPOCHS + epoch, 0, d, key);
  for (PetscInt i = 0; i < d; i++) sgd->deck[i] = (Card){key[i], i};
  qsort(sgd->deck, (size_t)d, sizeof *sgd->deck, ByKey);
  for (PetscInt i = 0; i < d; i++) sgd->order[i] = sgd->deck[i].point;
  sgd->epoch = epoch;
  PetscCall(PetscFree(key));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SgdBatch(Sgd sgd, PetscInt64 step, PetscInt *count, const PetscInt **points)
{
  const PetscInt   d = sgd->map->d, B = sgd->options.batch;
  const PetscInt64 batches = (d + B - 1) / B;
  const PetscInt   first   = (PetscInt)(step % batches) * B;

  PetscFunctionBeginUser;
  PetscCall(Deal(sgd, step / batches));
  *count  = PetscMin(B, d - first);
  *points = sgd->order + first;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* this group's points of the batch, and how many targets the whole batch has */
static PetscErrorCode Gather(Sgd sgd, PetscInt64 step, PetscInt64 *targets)
{
  const ResidualMap map = sgd->map;
  const size_t      p = (size_t)map->network->inputs, l = (size_t)map->l;
  const Range       mine = GridGroupPoints(map->grid, map->d);
  PetscInt          count;
  const PetscInt   *points;
  size_t            N = 0;

  PetscFunctionBeginUser;
  PetscCall(SgdBatch(sgd, step, &count, &points));
  *targets = 0;
  for (PetscInt i = 0; i < count; i++) {
    const Range  rows = RowsOfPoints(map->rows, (Range){points[i], points[i] + 1});
    const size_t at   = (size_t)(points[i] - mine.first);

    *targets += rows.last - rows.first;
    if (points[i] < mine.first || points[i] >= mine.last) continue;
    PetscCall(PetscArraycpy(sgd->x + N * p, map->x + at * p, p));
    PetscCall(PetscArraycpy(sgd->y + N * l, map->y + at * l, l));
    N++;
  }
  sgd->batch.N = (PetscInt)N;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- a step ------------------------------------------------------------------------------------------------------------------------ */

/* seed: the derivative of the mean; a target that was not observed (NaN) has none */
static void SetSeed(Sgd sgd, PetscInt64 targets)
{
  const PetscReal *f    = sgd->trajectory->value[sgd->map->network->nops - 1];
  const size_t     size = (size_t)sgd->batch.N * (size_t)sgd->map->l;

  for (size_t i = 0; i < size; i++) sgd->seed[i] = isnan(sgd->y[i]) ? 0 : 2 * (f[i] - sgd->y[i]) / (PetscReal)targets;
}

PetscErrorCode SgdStep(Sgd sgd, PetscInt64 step, Vec theta)
{
  const Parameters parameters = sgd->map->parameters;
  PetscInt64       targets    = 0;
  Adjoint          adjoint;

  PetscFunctionBeginUser;
  PetscCall(Gather(sgd, step, &targets));
  PetscCall(ParametersHold(parameters, theta)); /* both sweeps read it */
  PetscCall(ResidualMapForward(&sgd->batch, theta, sgd->trajectory));
  SetSeed(sgd, targets);
  PetscCall(AdjointCreate(&sgd->batch, ADJOINT_POINTS, ADJOINT_PARAMETERS, &adjoint));
  PetscCall(ResidualMapAdjoint(&sgd->batch, theta, sgd->trajectory, sgd->seed, adjoint));
  PetscCall(VecSet(sgd->g, 0));
  PetscCall(ResidualMapAddGradient(&sgd->batch, sgd->trajectory, adjoint, 1, sgd->g));
  PetscCall(AdjointDestroy(&adjoint));
  PetscCall(ParametersRelease(parameters, theta));
  PetscCall(VecAYPX(sgd->v, sgd->options.momentum, sgd->g));
  PetscCall(VecAXPY(theta, -sgd->options.rate, sgd->v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void SgdStepCost(const Sizes *s, const SgdOptions *options, Cost *cost)
{
  Sizes batch = *s;
  Cost  step  = {.work[WORK_STREAM] = 8 * 5 * s->local};

  batch.d = PetscMin((PetscReal)options->batch, s->d);
  batch.N = PetscCeilReal(batch.d / s->G); /* on average */
  ResidualMapApplyCost(&batch, &step);
  ResidualMapAdjointCost(&batch, batch.N, 1, &step);
  CostHold(&step, 2 * SizesValues(s, PetscMin(batch.d, s->N)) + 16 * s->local); /* all of the batch may be one group's */
  CostAdd(cost, &step, 1);
}
