/*
  refute_dead.c: what dead units prove about all theta near theta_0.

  sigma rectified, an argument z of it with z^ + E < 0 (certify_bounds.h) stays negative in the ball B(theta_0, r): sigma(z) = 0 there, whatever
  theta. Two values at a point and another are the same function of theta on the ball if the op that makes them takes the same functions, or if
  all their units are dead. So the points fall into classes at every value, from the input on; class 0: the value is 0 on the ball.

    rank J <= number of pairs (class at the output, output) that are observed, class 0 left out

  A unit that is dead at every point hides its weights, and those that read it: rank J <= number of the other weights.
*/
#include "certify_norms.h"
#include "certify_recursion.h"
#include "codim/refute.h"
#include "ops/ops.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  ResidualMap    map;
  Trajectory     trajectory;
  Recursion      recursion;
  PetscReal     *E;       /* of every value at every owned point */
  PetscInt      *x_class; /* d: of the inputs; rank 0 */
  unsigned char *dead;    /* nops x d: all units of value v are dead at point i; whole on every rank */
  unsigned char *asleep;  /* unit j of value v is dead at every point, at first[v] + j; whole on every rank */
  PetscInt      *first, units;
  PetscInt      *classes; /* nops x d; rank 0 */
} Search;

/* ---- which units are dead ---------------------------------------------------------------------------------------------- */

static PetscBool IsRectifier(const NetOp *op)
{
  return (PetscBool)(op->kind == &OpActivation && op->activation->rectified);
}

static PetscErrorCode FindDead(Search *s, PetscReal r)
{
  const ResidualMap map    = s->map;
  const Network     net    = map->network;
  const Range       owned  = GridOwnedPoints(map->grid, map->d);
  const size_t      before = (size_t)(owned.first - GridGroupPoints(map->grid, map->d).first), d = (size_t)map->d;
  const PetscInt    points = owned.last - owned.first;

  PetscFunctionBeginUser;
  PetscCall(BoundValues(&s->recursion, r, s->E, NULL));
  PetscCall(PetscArrayzero(s->dead, (size_t)net->nops * d));
  for (PetscInt k = 0; k < s->units; k++) s->asleep[k] = 1;
  for (PetscInt v = 1; v < net->nops; v++) {
    const PetscInt u = net->ops[v].inputs[0], dim = net->ops[v].dim;

    if (!IsRectifier(&net->ops[v])) continue;
    for (PetscInt i = 0; i < points; i++) {
      const PetscReal *z = s->trajectory->value[u] + (before + (size_t)i) * (size_t)dim, E = s->E[u * points + i];
      unsigned char   *all = &s->dead[(size_t)v * d + (size_t)(owned.first + i)];

      *all = 1;
      for (PetscInt j = 0; j < dim; j++)
        if (!(z[j] < -Up(E))) *all = s->asleep[s->first[v] + j] = 0;
    }
  }
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, s->dead, (PetscMPIInt)((size_t)net->nops * d), MPI_UNSIGNED_CHAR, MPI_MAX, map->grid->world));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->asleep, (PetscMPIInt)s->units, MPI_UNSIGNED_CHAR, MPI_MIN, map->grid->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- classes of points, on rank 0 ------------------------------------------------------------------------------------------ */

/* what an op takes at a point: the classes of its inputs */
typedef struct {
  PetscInt         n, point;
  PetscInt         key[OP_INPUTS_MAX];
  const PetscReal *x; /* of the input itself */
} Taken;

static int TakenCompare(const void *a, const void *b)
{
  const Taken *u = a, *v = b;

  for (PetscInt k = 0; k < u->n; k++) {
    if (u->x && u->x[k] != v->x[k]) return u->x[k] < v->x[k] ? -1 : 1;
    if (!u->x && u->key[k] != v->key[k]) return u->key[k] < v->key[k] ? -1 : 1;
  }
  return 0;
}

/* is the value 0, as what it takes is? */
static PetscBool IsZero(const NetOp *op, const Taken *taken)
{
  PetscInt  zeros = 0;
  PetscReal zero = 0, image = 1;

  for (PetscInt k = 0; k < taken->n; k++) zeros += taken->key[k] == 0;
  if (!zeros) return PETSC_FALSE;
  if (op->kind->form == OpProductForm) return PETSC_TRUE;
  if (zeros < taken->n) return PETSC_FALSE;
  if (op->kind == &OpActivation) op->activation->jet(1, &zero, &image, NULL, NULL);
  return (PetscBool)((op->kind == &OpLinear && op->bias < 0) || op->kind->form == OpMapForm || image == 0);
}

/* equal keys, equal numbers, from 1 on */
static void Number(PetscInt d, Taken taken[], PetscInt classes[])
{
  PetscInt number = 0;

  qsort(taken, (size_t)d, sizeof *taken, TakenCompare);
  for (PetscInt i = 0; i < d; i++) {
    if (i == 0 || TakenCompare(&taken[i - 1], &taken[i])) number++;
    classes[taken[i].point] = number;
  }
}

static PetscErrorCode ClassifyInputs(Data data, PetscInt classes[])
{
  Taken *taken;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(data->points, &taken));
  for (PetscInt i = 0; i < data->points; i++)
    taken[i] = (Taken){.n = data->inputs, .point = i, .x = data->all_x + (size_t)i * (size_t)data->inputs};
  Number(data->points, taken, classes);
  PetscCall(PetscFree(taken));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Classify(Search *s)
{
  const Network  net = s->map->network;
  const PetscInt d   = s->map->d;
  Taken         *taken;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(d, &taken));
  PetscCall(PetscArraycpy(s->classes, s->x_class, d));
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op      = &net->ops[v];
    PetscInt    *classes = s->classes + (size_t)v * (size_t)d;

    for (PetscInt i = 0; i < d; i++) {
      taken[i] = (Taken){.n = op->ninputs, .point = i};
      for (PetscInt k = 0; k < op->ninputs; k++) taken[i].key[k] = s->classes[(size_t)op->inputs[k] * (size_t)d + (size_t)i];
    }
    Number(d, taken, classes);
    for (PetscInt i = 0; i < d; i++)
      if (IsZero(op, &taken[i]) || s->dead[(size_t)v * (size_t)d + (size_t)taken[i].point]) classes[taken[i].point] = 0;
  }
  PetscCall(PetscFree(taken));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what follows ---------------------------------------------------------------------------------------------------------- */

/* different rows by class and output, those of class 0 left out; two rows of one class into pair, or one of class 0 twice; or -1 */
static PetscErrorCode CountRows(const Search *s, PetscInt pair[2], PetscInt *count)
{
  const Rows      rows    = s->map->rows;
  const PetscInt *classes = s->classes + (size_t)(s->map->network->nops - 1) * (size_t)s->map->d;
  PetscInt       *row; /* the first one of a class and output */

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(s->map->d + 1) * (size_t)s->map->l, &row));
  for (PetscInt k = 0; k < (s->map->d + 1) * s->map->l; k++) row[k] = -1;
  *count  = 0;
  pair[0] = pair[1] = -1;
  for (PetscInt k = 0; k < s->map->m; k++) {
    const PetscInt class = classes[rows->point[k]];
    PetscInt *seen       = &row[class * s->map->l + rows->output[k]];

    if (*seen < 0) *seen = k;
    *count += class && *seen == k;
    if (pair[0] >= 0 || (class && *seen == k)) continue;
    pair[0] = rows->point[class ? *seen : k];
    pair[1] = rows->point[k];
  }
  PetscCall(PetscFree(row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the first value all of whose units are dead at both points */
static const char *DeadLayer(const Search *s, const PetscInt pair[2])
{
  const Network net = s->map->network;
  const size_t  d   = (size_t)s->map->d;

  for (PetscInt v = 1; v < net->nops; v++)
    if (s->dead[(size_t)v * d + (size_t)pair[0]] && s->dead[(size_t)v * d + (size_t)pair[1]])
      return net->ops[net->ops[v].inputs[0]].name;
  return "its layer";
}

static PetscInt UsesOf(Network net, PetscInt value, PetscInt label)
{
  PetscInt uses = 0;

  for (PetscInt v = 1; v < net->nops; v++) {
    if (label >= 0) uses += net->ops[v].weight == label;
    for (PetscInt k = 0; value >= 0 && k < net->ops[v].ninputs; k++) uses += net->ops[v].inputs[k] == value;
  }
  return uses;
}

/* of value v: units that are dead at every point, if it is what a rectifier made (own) or what only a rectifier takes */
static PetscInt AsleepAround(const Search *s, PetscInt v, PetscBool own)
{
  const Network net    = s->map->network;
  PetscInt      asleep = 0, at = own && IsRectifier(&net->ops[v]) ? v : -1;

  for (PetscInt w = v + 1; !own && UsesOf(net, v, -1) == 1 && w < net->nops; w++)
    if (IsRectifier(&net->ops[w]) && net->ops[w].inputs[0] == v) at = w;
  for (PetscInt j = 0; at >= 0 && j < net->ops[at].dim; j++) asleep += s->asleep[s->first[at] + j];
  return asleep;
}

/* weights that are not hidden; *asleep: units that are dead at every point */
static PetscInt64 CountWeights(const Search *s, PetscInt *asleep)
{
  const Network net   = s->map->network;
  PetscInt64    count = NetworkSize(net);

  *asleep = 0;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];

    if (IsRectifier(op)) *asleep += AsleepAround(s, v, PETSC_TRUE);
    if (op->kind == &OpLinear && op->places == 1 && UsesOf(net, -1, op->weight) == 1) {
      const PetscInt64 h = op->dim, k = net->labels[op->weight].cols, rows = AsleepAround(s, v, PETSC_FALSE);

      count -= h * k - (h - rows) * (k - AsleepAround(s, op->inputs[0], PETSC_TRUE));
      if (op->bias >= 0) count -= rows;
    }
  }
  return count;
}

/* the bound on the ball of radius r, and why */
static PetscErrorCode Bound(Search *s, PetscReal r, DeadUnits *dead)
{
  PetscInt   found[3] = {0, -1, -1}, asleep;
  PetscInt64 weights;

  PetscFunctionBeginUser;
  PetscCall(FindDead(s, r));
  if (s->map->grid->rank == 0) {
    PetscCall(Classify(s));
    PetscCall(CountRows(s, &found[1], &found[0]));
  }
  PetscCallMPI(MPI_Bcast(found, 3, MPIU_INT, 0, s->map->grid->world));
  weights          = CountWeights(s, &asleep);
  dead->radius     = r;
  dead->rank_bound = (PetscInt)PetscMin((PetscInt64)found[0], weights);
  if (weights < found[0])
    (void)PetscSNPrintf(dead->why, sizeof dead->why,
                        "%" PetscInt_FMT " units are dead at every point, only %" PetscInt_FMT " weights move f", asleep,
                        dead->rank_bound);
  else if (found[1] >= 0 && found[1] == found[2])
    (void)PetscSNPrintf(dead->why, sizeof dead->why, "at point %" PetscInt_FMT " every unit of %s is dead, and f = 0", found[1] + 1,
                        DeadLayer(s, &found[1]));
  else if (found[1] >= 0)
    (void)PetscSNPrintf(dead->why, sizeof dead->why,
                        "at points %" PetscInt_FMT " and %" PetscInt_FMT " every unit of %s is dead, and f is the same",
                        found[1] + 1, found[2] + 1, DeadLayer(s, &found[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all ---------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode SearchCreate(Data data, ResidualMap map, Vec theta, Trajectory trajectory, Search *s)
{
  const Network    net    = map->network;
  const size_t     values = (size_t)net->nops, d = (size_t)map->d;
  struct Adjoint_s none = {.nvalues = net->nops};
  LabelNorm       *norms;
  PetscBool        same;

  PetscFunctionBeginUser;
  *s = (Search){.map = map, .trajectory = trajectory, .recursion = {.map = map}};
  PetscCall(PetscMalloc1(net->nlabels, &norms));
  PetscCall(BoundLabelNorms(map, theta, PETSC_FALSE, norms));
  s->recursion.labels = norms;
  PetscCall(PetscCalloc1(values, &none.bar));
  PetscCall(MeasuresCreate(map, trajectory, &none, NULL, &same, &s->recursion.measures));
  PetscCall(PetscFree(none.bar));
  PetscCall(PetscMalloc1(values, &s->first));
  for (PetscInt v = 0; v < net->nops; v++) {
    s->first[v] = s->units;
    if (IsRectifier(&net->ops[v])) s->units += net->ops[v].dim;
  }
  PetscCall(PetscMalloc3(values * (size_t)s->recursion.measures->points, &s->E, values * d, &s->dead, s->units, &s->asleep));
  if (map->grid->rank) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc2(d, &s->x_class, values * d, &s->classes));
  PetscCall(ClassifyInputs(data, s->x_class));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SearchDestroy(Search *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->recursion.labels));
  PetscCall(MeasuresDestroy(&s->recursion.measures));
  PetscCall(PetscFree(s->first));
  PetscCall(PetscFree3(s->E, s->dead, s->asleep));
  PetscCall(PetscFree2(s->x_class, s->classes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* false: no unit can be dead, or some op has no bounds */
static PetscBool Applies(Network net)
{
  PetscBool rectified = PETSC_FALSE;

  for (PetscInt v = 1; v < net->nops; v++) {
    if (!net->ops[v].kind->bounds) return PETSC_FALSE;
    if (IsRectifier(&net->ops[v])) rectified = PETSC_TRUE;
  }
  return rectified;
}

PetscErrorCode CertifyRefuteNear(ResidualMap map, const DeadUnits *dead, Certificate *certificate)
{
  PetscFunctionBeginUser;
  PetscCall(CertificateDestroy(certificate));
  CertificateClear(map, certificate);
  certificate->status      = CERTIFY_REFUTED;
  certificate->rank_bound  = dead->rank_bound;
  certificate->rank_radius = dead->radius;
  PetscCall(PetscSNPrintf(certificate->reason, sizeof certificate->reason,
                          "%s: rank J <= %" PetscInt_FMT " < m = %" PetscInt_FMT " for every theta within %.2e of these weights",
                          dead->why, dead->rank_bound, map->m, .995 * (double)dead->radius)); /* not rounded up */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RefuteDeadUnits(Data data, ResidualMap map, Vec theta, Trajectory trajectory, DeadUnits *dead)
{
  PetscInt  bound;
  PetscReal norm, r;
  Search    s;

  PetscFunctionBeginUser;
  *dead = (DeadUnits){.rank_bound = map->m};
  if (!Applies(map->network)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SearchCreate(data, map, theta, trajectory, &s));
  PetscCall(Bound(&s, 0, dead));
  bound = dead->rank_bound;
  PetscCall(VecNorm(theta, NORM_2, &norm));
  r = ldexp(1, norm > 0 ? ilogb((double)norm) : 0); /* a power of 2: the same on any grid */
  for (PetscInt step = 0; bound < map->m && step < 40; step++, r /= 2) {
    PetscCall(Bound(&s, r, dead));
    if (dead->rank_bound == bound) break;
  }
  if (dead->rank_bound > bound) PetscCall(Bound(&s, 0, dead));
  PetscCall(SearchDestroy(&s));
  PetscFunctionReturn(PETSC_SUCCESS);
}
