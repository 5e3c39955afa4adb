/*
  walk.c: see walk.h.
*/
#include "codim/walk.h"
#include "codim/checkpoint.h"
#include "codim/kernel.h"
#include "codim/random.h"
#include "codim/store.h"
#include "codim/train.h"
#include "lanczos.h"
#include <math.h>

enum { STREAM_WALK = 1 << 22, RETURNS_MAX = 20, HALVINGS_MAX = 12, LANCZOS_STEPS = 24 };

static const char *const Directions[] = {"random", "straight", "shrink", "toward", NULL};

#define KEY(name, type, field, value, min, max, choices, help)                                                                     \
  {                                                                                                                                \
    "walk_" name, type, offsetof(WalkOptions, field), value, min, max, choices, help                                               \
  }

const OptionKey WalkKeys[] =
    {KEY("steps", KEY_INT, steps, "0", 0, 1e9, NULL, "steps of a walk on M from the zero that was reached; 0: none"),
     KEY("length", KEY_REAL, length, "0", 0, 1e300, NULL, "length of a step; 0: half the certified radius at each point"),
     KEY("direction", KEY_CHOICE, direction, "random", 0, 0, Directions,
         "in ker J: anew at each step; on in the one before; to smaller |theta|; to the weights of walk.toward"),
     KEY("toward", KEY_STRING, toward, "", 0, 0, NULL, "a safetensors file, for walk.direction toward"),
     KEY("seed", KEY_INT, seed, "1", 0, 1e9, NULL, "of the walk's random directions"),
     KEY("certify", KEY_BOOL, certify, "true", 0, 0, NULL, "certify each point, and the links between them"),
     KEY("growth", KEY_INT, growth, "8", 0, 1e6, NULL,
         "directions of each kind (tangent, normal, tangent within the last layer) along which the growth of the loss is fitted"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

typedef struct {
  ResidualMap        map, heldout;
  const WalkOptions *options;
  WalkResult        *result;
  PetscReal          tolerance;

  Vec        theta, theta_0, before, t, target; /* before: theta_(k-1); t: the direction, in ker J */
  PetscBool  directed;                          /* t is one: something was left of what was wanted */
  Vec        H, c;
  Trajectory trajectory;
  Jacobian   jacobian;
  Tiles      K; /* the Cholesky factor of K at theta, until the point is certified */

  Trajectory heldout_trajectory;
  Vec        heldout_H;
  PetscReal *heldout_start; /* N x l outputs at theta_0 */
} Walk;

/* ---- one point ------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Loss(Walk *w, PetscReal *loss)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(w->map, w->theta, w->trajectory, w->H));
  PetscCall(VecDot(w->H, w->H, loss));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the factors of J and the Cholesky factor of K at theta, whose trajectory is up to date */
static PetscErrorCode Linearize(Walk *w, PetscBool *regular)
{
  PetscFunctionBeginUser;
  PetscCall(JacobianLinearize(w->jacobian, w->theta, w->trajectory));
  PetscCall(GramCompute(w->jacobian, w->K));
  PetscCall(TilesCholesky(w->K, regular));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Gauss-Newton from theta until the loss is at the tolerance; *back: it is, and K has its factor there */
static PetscErrorCode Return(Walk *w, WalkPoint *point, PetscBool *back)
{
  PetscReal before = INFINITY;
  PetscBool regular;

  PetscFunctionBeginUser;
  *back = PETSC_FALSE;
  PetscCall(Loss(w, &point->loss_before));
  point->loss = point->loss_before;
  for (point->returns = 0; point->returns < RETURNS_MAX; point->returns++) {
    PetscCall(Linearize(w, &regular));
    if (!regular) PetscFunctionReturn(PETSC_SUCCESS);
    *back = (PetscBool)(point->loss <= w->tolerance);
    if (*back || !(point->loss < before)) break;
    before = point->loss;
    PetscCall(VecCopy(w->H, w->c));
    PetscCall(KernelSolve(w->map, w->K, w->c));
    PetscCall(JacobianMultTransposeAdd(w->jacobian, -1, w->c, w->theta));
    PetscCall(Loss(w, &point->loss));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_InverseGram(Mat mat, Vec u, Vec v)
{
  Walk *w;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &w));
  PetscCall(VecCopy(u, v));
  PetscCall(KernelSolve(w->map, w->K, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* from K's factor, by Lanczos on its inverse */
static PetscErrorCode SmallestSigma(Walk *w, PetscReal *sigma)
{
  const Range    owned = w->map->rows->owned;
  const PetscInt steps = PetscMin(LANCZOS_STEPS, w->map->m);
  PetscReal     *local, node[LANCZOS_STEPS], weight[LANCZOS_STEPS], residual[LANCZOS_STEPS];
  Quadrature     q = {.node = node, .weight = weight, .residual = residual};
  Mat            A;
  BV             V;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(w->c, &local));
  RandomNormal(0, STREAM_WALK, owned.first, owned.last - owned.first, local);
  PetscCall(VecRestoreArrayWrite(w->c, &local));
  PetscCall(MatCreateShell(w->map->grid->world, owned.last - owned.first, owned.last - owned.first, w->map->m, w->map->m, w, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MatMult_InverseGram));
  PetscCall(LanczosCreateBasis(w->c, steps, &V));
  PetscCall(LanczosQuadrature(A, w->c, V, NULL, &q));
  *sigma = 1 / PetscSqrtReal(node[q.k - 1]);
  PetscCall(BVDestroy(&V));
  PetscCall(MatDestroy(&A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the outputs on held-out data at theta_0 */
static PetscErrorCode KeepHeldout(Walk *w)
{
  const ResidualMap map = w->heldout;

  PetscFunctionBeginUser;
  if (!map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ResidualMapApply(map, w->theta_0, w->heldout_trajectory, w->heldout_H));
  PetscCall(PetscArraycpy(w->heldout_start, w->heldout_trajectory->value[map->network->nops - 1], (size_t)map->N * (size_t)map->l));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how far they moved */
static PetscErrorCode MeasureHeldout(Walk *w, WalkPoint *point)
{
  const ResidualMap map    = w->heldout;
  PetscReal         sum[2] = {0, 0}, largest = 0; /* of squares, of entries */
  const PetscReal  *f;
  size_t            size;

  PetscFunctionBeginUser;
  if (!map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ResidualMapApply(map, w->theta, w->heldout_trajectory, w->heldout_H));
  f    = w->heldout_trajectory->value[map->network->nops - 1];
  size = (size_t)map->N * (size_t)map->l;
  for (size_t i = 0; i < size; i++) {
    const PetscReal change = PetscAbsReal(f[i] - w->heldout_start[i]);

    sum[0] += change * change;
    largest = PetscMax(largest, change);
  }
  sum[1] = (PetscReal)size;
  if (map->grid->q) sum[0] = sum[1] = 0; /* the ranks of a group hold the same values */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPIU_REAL, MPI_SUM, map->grid->world));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPI_MAX, map->grid->world));
  point->moved_rms = PetscSqrtReal(sum[0] / PetscMax(1, sum[1]));
  point->moved_max = largest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Certify(Walk *w, WalkPoint *point)
{
  CertifyOptions options = CertifyDefaults;
  Certificate    c;

  PetscFunctionBeginUser;
  point->radius         = INFINITY;
  point->regular_radius = 0;
  if (!w->options->certify) PetscFunctionReturn(PETSC_SUCCESS);
  options.enclose    = PETSC_FALSE;
  options.lambda_min = PetscSqr(point->sigma_min);
  PetscCall(CertifyCompute(w->map, w->theta, w->trajectory, w->K, &options, &c));
  point->eta = c.residual_upper;
  point->s   = c.sigma_min_lower;
  if (c.status == CERTIFY_PROVED) {
    point->radius         = c.radius;
    point->regular_radius = c.regular_radius;
  }
  PetscCall(CertificateDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- links -------------------------------------------------------------------------------------------------------------------------- */

/* the half of the segment next to `from`: h, and whether the flow from it stays in the ball; a handful of roundings, each of 2^-53 */
static PetscReal HalfLink(const WalkPoint *from, PetscReal eta, PetscReal a, PetscBool *inside)
{
  const PetscReal up = 1 + 0x1p-40, R = from->regular_radius, Lambda = from->s / R * up;
  const PetscReal s = from->s - Lambda * a / 2 * up, H = (eta + Lambda * a * a / 8) * up, h = Lambda * H / (s * s) * up;

  *inside = (PetscBool)(s > 0 && h < .5 && (a / 2 + 2 * H / (s * (1 + PetscSqrtReal(PetscMax(0, 1 - 2 * h))))) * up <= R);
  return s > 0 ? h : INFINITY;
}

PetscReal WalkLink(const WalkPoint *a, const WalkPoint *b, PetscReal distance, PetscBool *proved)
{
  const PetscReal eta = PetscMax(a->eta, b->eta);
  PetscBool       near_a, near_b;
  PetscReal       h;

  *proved = PETSC_FALSE;
  if (!(a->regular_radius > 0 && b->regular_radius > 0)) return INFINITY;
  h       = PetscMax(HalfLink(a, eta, distance, &near_a), HalfLink(b, eta, distance, &near_b));
  *proved = (PetscBool)(near_a && near_b);
  return h;
}

/* |theta_k - theta_(k-1)|, an upper bound: the sum's and the differences' rounding errors are below (n + 4) u of it and u(|theta_k| + |theta_(k-1)|) */
static PetscErrorCode Distance(Walk *w, Vec x, PetscReal *distance)
{
  Vec       difference;
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(w->theta, &difference));
  PetscCall(VecWAXPY(difference, -1, x, w->theta));
  PetscCall(VecNorm(difference, NORM_2, &norm));
  *distance = norm * (1 + ((PetscReal)w->map->n + 8) * PETSC_MACHINE_EPSILON);
  PetscCall(VecDestroy(&difference));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- directions ----------------------------------------------------------------------------------------------------------------------- */

/* t: a unit vector of ker J at theta, the k-th point */
static PetscErrorCode Direct(Walk *w, PetscInt k)
{
  const PetscInt wanted = w->options->direction;
  PetscReal      whole, norm, size;

  PetscFunctionBeginUser;
  if (wanted == WALK_RANDOM || (wanted == WALK_STRAIGHT && k == 0))
    PetscCall(ParametersSetRandom(w->map->parameters, w->options->seed, STREAM_WALK + 1 + k, w->t));
  else if (wanted == WALK_SHRINK) {
    PetscCall(VecCopy(w->theta, w->t));
    PetscCall(VecScale(w->t, -1));
  } else if (wanted == WALK_TOWARD)
    PetscCall(VecWAXPY(w->t, -1, w->theta, w->target));
  PetscCall(VecNorm(w->t, NORM_2, &whole));
  PetscCall(KernelProject(w->jacobian, w->K, 2, w->t));
  PetscCall(VecNorm(w->t, NORM_2, &norm));
  PetscCall(VecNorm(w->theta, NORM_2, &size));
  w->directed = (PetscBool)(norm > 1e-8 * whole && (wanted != WALK_TOWARD || whole > 1e-9 * size));
  if (w->directed) PetscCall(VecScale(w->t, 1 / norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how far a step may go: not past what it goes to */
static PetscErrorCode StepLength(Walk *w, const WalkPoint *point, PetscReal *length)
{
  PetscReal ahead = INFINITY;
  Vec       rest;

  PetscFunctionBeginUser;
  *length = w->options->length > 0 ? w->options->length : point->regular_radius / 2;
  if (w->options->direction == WALK_SHRINK) {
    PetscCall(VecDot(w->theta, w->t, &ahead));
    ahead = -ahead;
  } else if (w->options->direction == WALK_TOWARD) {
    PetscCall(VecDuplicate(w->theta, &rest));
    PetscCall(VecWAXPY(rest, -1, w->theta, w->target));
    PetscCall(VecDot(rest, w->t, &ahead));
    PetscCall(VecDestroy(&rest));
  }
  *length = PetscMin(*length, ahead);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the walk ------------------------------------------------------------------------------------------------------------------------- */

/* what is measured at point k; K's factor serves sigma_min and the next direction, then the certificate takes K */
static PetscErrorCode Measure(Walk *w, PetscInt k)
{
  WalkPoint *point = &w->result->point[k];
  PetscBool  proved;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(w->theta, NORM_2, &point->norm));
  PetscCall(SmallestSigma(w, &point->sigma_min));
  PetscCall(MeasureHeldout(w, point));
  PetscCall(Direct(w, k));
  if (k == 0 && w->options->growth) PetscCall(WalkGrowth(w->jacobian, w->K, w->result->floor, w->options, w->result->growth));
  PetscCall(Certify(w, point));
  w->result->points = k + 1;
  if (k == 0) PetscFunctionReturn(PETSC_SUCCESS);
  point->link   = WalkLink(point - 1, point, point->step, &proved);
  point->linked = proved;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta_(k+1) from theta_k: shorter until it returns */
static PetscErrorCode Step(Walk *w, PetscReal length, const WalkPoint *from, WalkPoint *to, PetscBool *back)
{
  PetscFunctionBeginUser;
  PetscCall(VecCopy(w->theta, w->before));
  for (PetscInt halving = 0; halving < HALVINGS_MAX; halving++, length /= 2) {
    PetscCall(VecWAXPY(w->theta, length, w->t, w->before));
    PetscCall(Return(w, to, back));
    if (*back) break;
  }
  if (!*back) {
    PetscCall(VecCopy(w->before, w->theta));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(Distance(w, w->before, &to->step));
  PetscCall(Distance(w, w->theta_0, &to->displacement));
  to->path = from->path + to->step;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WalkArchive(Archive archive, WalkResult *r)
{
  PetscInt points = r->points;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "points", &points));
  if (ArchiveReading(archive) && !r->point) PetscCall(PetscCalloc1(points, &r->point));
  r->points = points;
  PetscCall(ArchiveStruct(archive, "reason", sizeof r->reason, &r->reason));
  PetscCall(ArchiveInt(archive, "n", &r->n));
  PetscCall(ArchiveInt(archive, "m", &r->m));
  PetscCall(ArchiveInt(archive, "heldout", &r->heldout));
  PetscCall(ArchiveReal(archive, "tolerance", &r->tolerance));
  PetscCall(ArchiveReal(archive, "floor", &r->floor));
  PetscCall(ArchiveStruct(archive, "growth", sizeof r->growth, r->growth));
  if (points) PetscCall(ArchiveStruct(archive, "point", (size_t)points * sizeof *r->point, r->point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* after a point was measured */
static PetscErrorCode StateArchive(Archive archive, void *context)
{
  Walk *w = (Walk *)context;

  PetscFunctionBeginUser;
  PetscCall(WalkArchive(archive, w->result));
  PetscCall(ArchiveBool(archive, "directed", &w->directed));
  PetscCall(ArchiveVec(archive, "theta", w->map->parameters, w->theta));
  PetscCall(ArchiveVec(archive, "theta_0", w->map->parameters, w->theta_0));
  PetscCall(ArchiveVec(archive, "t", w->map->parameters, w->t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Start(Walk *w)
{
  const PetscReal tolerance = w->tolerance;
  PetscBool       back;

  PetscFunctionBeginUser;
  w->result->reason = WALK_BLOCKED;
  PetscCall(Return(w, &w->result->point[0], &back));
  if (!back) PetscFunctionReturn(PETSC_SUCCESS);
  w->result->reason = WALK_WHOLE;
  PetscCall(ResidualMapRoundingFloor(w->map, w->trajectory, w->jacobian->units, &w->result->floor));
  w->tolerance = PetscMin(tolerance, 10 * w->result->floor); /* the growth of the loss is seen from as near to M as can be */
  PetscCall(Return(w, &w->result->point[0], &back));
  w->tolerance = tolerance;
  PetscCall(VecCopy(w->theta, w->theta_0));
  PetscCall(KeepHeldout(w));
  PetscCall(Measure(w, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* from point k - 1 to point k; or the reason why there is none */
static PetscErrorCode Advance(Walk *w, PetscInt k)
{
  WalkPoint *from = &w->result->point[k - 1], *to = from + 1;
  PetscReal  length;
  PetscBool  back;

  PetscFunctionBeginUser;
  PetscCall(StepLength(w, from, &length));
  if (!w->directed || !(length > 0)) {
    w->result->reason = w->directed && !(w->options->length > 0 || from->regular_radius > 0) ? WALK_UNPROVED : WALK_ARRIVED;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(Step(w, length, from, to, &back));
  if (back)
    PetscCall(Measure(w, k));
  else
    w->result->reason = WALK_BLOCKED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Steps(Walk *w)
{
  const MPI_Comm comm   = w->map->grid->world;
  WalkResult    *result = w->result;
  PetscBool      resumed, stop = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CheckpointResume("walk", StateArchive, w, &resumed));
  if (resumed)
    PetscCall(KeepHeldout(w));
  else
    PetscCall(Start(w));
  while (result->points <= w->options->steps && result->reason == WALK_WHOLE && !stop) {
    const WalkPoint *last = &result->point[result->points - 1];

    PetscCall(Progress(comm, (PetscReal)(result->points - 1), (PetscReal)w->options->steps,
                       "path %.3g, loss before the return %.1e, sigma_min %.3g", (double)last->path, (double)last->loss_before,
                       (double)last->sigma_min));
    PetscCall(CheckpointSafePoint(comm, "walk", StateArchive, w, &stop));
    if (!stop) PetscCall(Advance(w, result->points));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Begin(Walk *w, Vec theta)
{
  const ResidualMap map = w->map;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(theta, &w->theta));
  PetscCall(VecDuplicate(theta, &w->theta_0));
  PetscCall(VecDuplicate(theta, &w->before));
  PetscCall(VecDuplicate(theta, &w->t));
  PetscCall(VecCopy(theta, w->theta));
  PetscCall(RowsCreateVec(map->rows, &w->H));
  PetscCall(VecDuplicate(w->H, &w->c));
  PetscCall(TrajectoryCreate(map, &w->trajectory));
  PetscCall(JacobianCreate(map, &w->jacobian));
  if (w->options->direction == WALK_TOWARD) {
    PetscCall(VecDuplicate(theta, &w->target));
    PetscCall(WeightsRead(map->parameters, w->options->toward, w->target));
  }
  if (w->heldout) {
    PetscCall(TrajectoryCreate(w->heldout, &w->heldout_trajectory));
    PetscCall(RowsCreateVec(w->heldout->rows, &w->heldout_H));
    PetscCall(PetscMalloc1((size_t)w->heldout->N * (size_t)w->heldout->l, &w->heldout_start));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode End(Walk *w)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(w->heldout_start));
  PetscCall(VecDestroy(&w->heldout_H));
  PetscCall(TrajectoryDestroy(&w->heldout_trajectory));
  PetscCall(JacobianDestroy(&w->jacobian));
  PetscCall(TrajectoryDestroy(&w->trajectory));
  PetscCall(VecDestroy(&w->c));
  PetscCall(VecDestroy(&w->H));
  PetscCall(VecDestroy(&w->target));
  PetscCall(VecDestroy(&w->t));
  PetscCall(VecDestroy(&w->before));
  PetscCall(VecDestroy(&w->theta_0));
  PetscCall(VecDestroy(&w->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WalkRun(ResidualMap map, ResidualMap heldout, const WalkOptions *options, PetscReal tolerance, Vec theta, Tiles K,
                       WalkResult *result)
{
  Walk w = {.map = map, .heldout = heldout, .options = options, .result = result, .tolerance = tolerance, .K = K};

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(result, sizeof *result));
  result->n         = map->n;
  result->m         = map->m;
  result->tolerance = tolerance;
  result->heldout   = heldout ? heldout->d : 0;
  PetscCall(PetscCalloc1(options->steps + 1, &result->point));
  PetscCall(Begin(&w, theta));
  PetscCall(Steps(&w));
  PetscCall(VecCopy(w.theta, theta));
  PetscCall(End(&w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WalkResultDestroy(WalkResult *result)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(result->point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *WalkReasonText(WalkReason reason)
{
  static const char *const texts[] = {"all steps were taken", "no direction is left", "no step returned to M",
                                      "a point's certificate gave no radius"};

  return texts[reason];
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

void WalkCost(const Sizes *s, const WalkOptions *options, Cost *cost, Cost *stretch)
{
  CertifyOptions quick = CertifyDefaults;
  Cost           walk = {.bytes = 0}, step = {.bytes = 0};

  quick.enclose = PETSC_FALSE;
  for (int correction = 0; correction < 3; correction++) TrainStepCost(s, &step); /* of a return to M; one more for the direction */
  if (options->certify) CertifyCost(s, &quick, &step);
  CostAdd(&walk, &step, (PetscReal)options->steps);
  CostLonger(stretch, &step);
  CostHold(&walk, 2 * SizesValues(s, s->N) + ResidualMapUnitsBytes(s) + 6 * 8 * s->local);
  CostAdd(cost, &walk, 1);
}
