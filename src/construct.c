/*
  construct.c: weights of zero loss in closed form; see construct.h.

  One hidden layer (Lemma 3.3). Let sigma vanish on z <= 0 and increase strictly on z > 0, and let the points be distinct. Choose a in R^p such
  that the a . x_i are distinct, and number the points so that c_1 < … < c_d, c_i = a . x_i. Give all d units the row a and unit j the bias -beta_j:

    f(x_i)_o = sum_j v_oj sigma(c_i - beta_j),   A_ij = sigma(c_i - beta_j),   A V = Y,   V = (v_oj) d x l.

  With beta_1 < c_1 and c_(j-1) <= beta_j < c_j, A is lower triangular (i < j: c_i - beta_j <= 0) with sigma(c_j - beta_j) > 0 on its diagonal: for any Y
  one substitution with l right-hand sides gives V, and d units do for every l.

  beta_j = c_(j-1) is allowed since sigma(0) = 0, and it is the choice that can be computed with. Take sigma(z) = z: between its knots beta_j
  f is linear, with slopes s_j, and passing from c_(j-1) to c_j it must rise by y_j - y_(j-1). With the knot a fraction t of the way,

    t s_(j-1) + (1-t) s_j = (y_j - y_(j-1))/(c_j - c_(j-1)):   an error of s_(j-1) grows by t/(1-t),

  not at all for t = 0, without bound over d points for the midpoint. A sigma with a corner at 0 takes t = 1/4, so that no unit sits on it.

  T hidden layers (Corollary 3.4). The first unit of layers 1 … T-1 carries the projection on, their other units are off (weights 0, bias -1). It enters
  as a . x_i - min + T + 2, as sigma must stay increasing and smooth sigmas lag behind z (smoolu by about 1 a layer); a bounded sigma would flatten
  it, so there each layer maps it to [1/2, 3/2] first. Into the last hidden layer goes the matrix with a 1 (or the scale, where sigma is bounded) in
  its first *column*, rows 1 … d; the paper prints one 1 in the corner, which leaves a single unit that sees x. Its biases are subtracted: -beta_j.

  Rank. dH_(i,o)/dv_(o,j) = A_ij: the block of J of the last layer is A (x) I_l, with A nonsingular. So rank J = l d = m.

  Numbers. a is chosen to spread the points (direction.h), and scaled by a power of 2 so that the least gap is wide where it arrives: a smooth
  sigma is flat near 0 (e^(-1/z): at unit scale most of digits' diagonal underflows). |V| is of the order of the targets over sigma(gap), and H's
  rounding floor that of |V| times the range. The sweeps of the net round differently from A; refinement, V -= A^(-1) H, takes H to that floor.
*/
#include "codim/construct.h"
#include "codim/tiles.h"
#include "direction.h"
#include "ops/ops.h"
#include <string.h>

enum { LAYERS_MAX = 64, SOLVES_MAX = 8 };

/* the least gap as it arrives in the last hidden layer, within a factor of sqrt 2. sigma(8) is near the limit of a bounded sigma, and larger weights
   only add rounding; for the others the certificate's h falls with the square of the scale, and nothing is lost */
static const PetscReal WIDTH = 64, WIDTH_BOUNDED = 8;

/* What is to be written into a label. */
typedef enum { ENTRY_NONE, ENTRY_ROW, ENTRY_BIAS, ENTRY_ZERO, ENTRY_HEAD } EntryKind;

typedef struct {
  EntryKind kind;
  PetscInt  layer;
} Role;

typedef struct {
  const Activation *sigma;
  PetscBool         tied; /* one row for all units */
  PetscReal weight, bias; /* of the unit that carries: z = weight u + bias; into the last hidden layer: the scale, and none */
} Layer;

struct Construct_s {
  ResidualMap map;
  Data        data;
  PetscInt64  seed;
  PetscBool   printed;
  PetscInt    T; /* hidden layers; the last is layer[T-1] */
  Layer       layer[LAYERS_MAX];
  Role       *role; /* of each label */

  /* what is constructed, the same on every rank; points in the order of their projections */
  PetscReal *a, *c, *z, *beta, *V; /* p; d, a . x; d, arriving in the last hidden layer; d; d x l, column-major */
  PetscInt  *place;                /* of each point, in the order of the projections */
  Tiles      A;
};

/* ---- the net --------------------------------------------------------------------------------------------------------------------------- */

static void TakeRole(Construct c, PetscInt label, EntryKind kind, PetscInt layer, Complaint *complaint)
{
  if (label < 0) return;
  if (c->role[label].kind)
    Complain(complaint, STATUS_USAGE, "reach.method: construct: '%s' is used twice; the construction sets every layer by itself",
             c->map->network->labels[label].name);
  c->role[label] = (Role){kind, layer};
}

static void NoChain(const NetOp *op, const char wanted[], Complaint *complaint)
{
  Complain(complaint, STATUS_USAGE,
           "reach.method: construct needs dense layers with an activation between each two (net.arch mlp or tied): op '%s' (%s) is "
           "no %s",
           op->name, op->kind->name, wanted);
}

/* layer t with the units that op makes; the op below it */
static PetscInt ReadLayer(Construct c, PetscInt v, PetscInt t, Complaint *complaint)
{
  const NetOp   *ops = c->map->network->ops, *op = &ops[v];
  const PetscInt row   = op->kind == &OpAdd ? op->inputs[1] : v; /* a tied layer: shifts + one projection */
  Layer         *layer = &c->layer[t];

  layer->tied = (PetscBool)(op->kind == &OpAdd && ops[row].dim == 1 && ops[op->inputs[0]].kind == &OpParameter);
  if (ops[row].kind != &OpLinear || ops[row].places != 1 || (op->kind == &OpAdd && !layer->tied)) {
    NoChain(op, "dense layer", complaint);
    return 0;
  }
  TakeRole(c, ops[row].weight, ENTRY_ROW, t, complaint);
  TakeRole(c, layer->tied ? ops[op->inputs[0]].bias : ops[row].bias, ENTRY_BIAS, t, complaint);
  if (layer->tied)
    TakeRole(c, ops[row].bias, ENTRY_ZERO, t, complaint);
  else if (ops[row].bias < 0)
    Complain(complaint, STATUS_USAGE, "reach.method: construct: layer '%s' has no bias: the units must differ (net.bias: true)",
             op->name);
  return ops[row].inputs[0];
}

static void CheckSigma(const NetOp *op, Complaint *complaint)
{
  if (!op->activation->rectified)
    Complain(complaint, STATUS_USAGE,
             "reach.method: construct needs a sigma that is 0 for z <= 0 and increases strictly for z > 0: smoolu, rtanh, "
             "rsigmoid, srelu "
             "or relu; '%s' is %s",
             op->name, op->activation->name);
}

/* from the output down */
static void ReadChain(Construct c, Complaint *complaint)
{
  const Network net = c->map->network;
  const NetOp  *ops = net->ops, *head = &ops[net->nops - 1];
  PetscInt      at[LAYERS_MAX], v     = head->inputs[0];

  if (head->kind != &OpLinear || head->places != 1) {
    NoChain(head, "dense layer", complaint);
    return;
  }
  TakeRole(c, head->weight, ENTRY_HEAD, 0, complaint);
  TakeRole(c, head->bias, ENTRY_ZERO, 0, complaint);
  for (c->T = 0; v > 0 && c->T < LAYERS_MAX && !complaint->status; c->T++) {
    if (ops[v].kind != &OpActivation) {
      NoChain(&ops[v], "activation", complaint);
      return;
    }
    CheckSigma(&ops[v], complaint);
    at[c->T] = v;
    v        = ReadLayer(c, ops[v].inputs[0], c->T, complaint);
  }
  if (complaint->status) return;
  if (!c->T || v > 0)
    Complain(complaint, STATUS_USAGE, "reach.method: construct needs 1 to %d hidden layers", LAYERS_MAX);
  else if (ops[at[0]].dim < c->map->d)
    Complain(complaint, STATUS_USAGE,
             "reach.method: construct: the last hidden layer, '%s', has %" PetscInt_FMT " units for d = %" PetscInt_FMT
             " points and needs one for each: widen it, or take fewer data.points",
             ops[at[0]].name, ops[at[0]].dim, c->map->d);
  for (PetscInt t = 0; t < c->T; t++) c->layer[t].sigma = ops[at[t]].activation;
}

/* they were read from the output down */
static void ReverseLayers(Construct c)
{
  for (PetscInt t = 0; t < c->T / 2; t++) {
    const Layer swap       = c->layer[t];
    c->layer[t]            = c->layer[c->T - 1 - t];
    c->layer[c->T - 1 - t] = swap;
  }
  for (PetscInt label = 0; label < c->map->network->nlabels; label++) c->role[label].layer = c->T - 1 - c->role[label].layer;
}

PetscErrorCode ConstructCreate(ResidualMap map, Data data, PetscInt64 seed, PetscBool printed, Construct *construct)
{
  Complaint complaint = {STATUS_HOLDS, ""};
  Construct c;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  c->map     = map;
  c->data    = data;
  c->seed    = seed;
  c->printed = printed;
  PetscCall(PetscCalloc1(map->network->nlabels, &c->role));
  ReadChain(c, &complaint);
  ReverseLayers(c);
  *construct = c;
  if (complaint.status) PetscCall(ConstructDestroy(construct));
  PetscCall(ComplaintRaise(map->grid->world, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConstructDestroy(Construct *construct)
{
  PetscFunctionBeginUser;
  if (!*construct) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree((*construct)->role));
  PetscCall(PetscFree(*construct));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the projections -------------------------------------------------------------------------------------------------------- */

/* 2^k next to x > 0: scaling by it does not round */
static PetscReal PowerOfTwo(PetscReal x)
{
  return PetscPowReal(2, PetscFloorReal(PetscLog2Real(x) + .5));
}

static PetscBool IsBounded(const Activation *sigma)
{
  const PetscReal z = 1e3;
  PetscReal       s, slope;

  sigma->jet(1, &z, &s, &slope, NULL);
  return (PetscBool)(slope < .5);
}

/* does a layer that carries the projection flatten it? then the scale stands in front of the last hidden layer, else in a */
static PetscBool CarriesBounded(Construct c)
{
  for (PetscInt t = 0; t + 1 < c->T; t++)
    if (IsBounded(c->layer[t].sigma)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* of neighbours, 1 for a single point; returns the first of the two, -1 for a single point */
static PetscInt LeastDifference(PetscInt d, const PetscReal z[], PetscReal *least)
{
  PetscInt at = -1;

  *least = d > 1 ? PETSC_INFINITY : 1;
  for (PetscInt i = 0; i + 1 < d; i++)
    if (z[i + 1] - z[i] < *least) {
      *least = z[i + 1] - z[i];
      at     = i;
    }
  return at;
}

/* the weights and biases on the way from the projections to z, what arrives in the last hidden layer */
static void Carry(Construct c)
{
  const PetscInt   d = c->map->d, last = c->T - 1, scaled = CarriesBounded(c) ? last : 0;
  const PetscReal  width = IsBounded(c->layer[last].sigma) ? WIDTH_BOUNDED : WIDTH;
  PetscReal *const z     = c->z, gap;

  for (PetscInt i = 0; i < d; i++) z[i] = c->c[i];
  for (PetscInt t = 0; t < c->T; t++) {
    Layer          *layer   = &c->layer[t];
    const PetscBool bounded = IsBounded(layer->sigma);

    layer->weight = 1;
    layer->bias   = 0;
    (void)LeastDifference(d, z, &gap);
    if (t == scaled) layer->weight = PowerOfTwo(width / gap);
    if (t < last) {
      if (bounded && d > 1) layer->weight = PowerOfTwo(.7 / (z[d - 1] - z[0]));
      layer->bias = (bounded ? .5 : (PetscReal)(c->T + 2 - t)) - layer->weight * z[0];
      if (t && !bounded) layer->bias = PetscMax(0, layer->bias); /* it entered high enough */
    }
    for (PetscInt i = 0; i < d; i++) z[i] = layer->weight * z[i] + layer->bias;
    if (t < last) layer->sigma->jet(d, z, z, NULL, NULL);
  }
}

/* beta_1 one mean gap below the first point */
static void PlaceKnots(Construct c)
{
  const PetscInt  d = c->map->d;
  const PetscReal t = c->layer[c->T - 1].sigma->smooth ? 0 : .25;

  c->beta[0] = c->z[0] - (d > 1 ? (c->z[d - 1] - c->z[0]) / (PetscReal)(d - 1) : 1);
  for (PetscInt j = 1; j < d; j++) c->beta[j] = c->z[j - 1] + t * (c->z[j] - c->z[j - 1]);
}

/* a, and the projections in their order. Rank 0 has the points. Collective */
static PetscErrorCode Project(Construct c, ConstructResult *result)
{
  const PetscInt d = c->map->d, p = c->data->inputs;
  const MPI_Comm comm = c->map->grid->world;
  PetscInt       nearest;
  Projection    *projection;

  PetscFunctionBeginUser;
  if (c->map->grid->rank == 0) {
    PetscCall(PetscMalloc1(d, &projection));
    PetscCall(DirectionChoose(d, p, c->data->all_x, c->seed, c->a, projection));
    for (PetscInt i = 0; i < d; i++) {
      c->c[i]                       = projection[i].value;
      c->place[projection[i].index] = i;
    }
    PetscCall(PetscFree(projection));
  }
  PetscCallMPI(MPI_Bcast(c->a, (PetscMPIInt)p, MPIU_REAL, 0, comm));
  PetscCallMPI(MPI_Bcast(c->c, (PetscMPIInt)d, MPIU_REAL, 0, comm));
  PetscCallMPI(MPI_Bcast(c->place, (PetscMPIInt)d, MPIU_INT, 0, comm));
  nearest            = LeastDifference(d, c->c, &result->gap);
  result->range      = c->c[d - 1] - c->c[0];
  result->nearest[0] = result->nearest[1] = -1;
  for (PetscInt i = d - 1; nearest >= 0 && i >= 0; i--) {
    if (c->place[i] != nearest && c->place[i] != nearest + 1) continue;
    result->nearest[1] = PetscMax(result->nearest[1], i);
    result->nearest[0] = i;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the weights ------------------------------------------------------------------------------------------------------------------------- */

static PetscReal Entry(Construct c, Role role, PetscInt row, PetscInt col)
{
  const Layer    *layer = &c->layer[role.layer];
  const PetscBool last  = (PetscBool)(role.layer == c->T - 1);
  const PetscInt  d = c->map->d, live = last && !layer->tied && !(c->printed && role.layer) ? d : 1; /* rows that are not 0 */

  switch (role.kind) {
  case ENTRY_ROW:
    return row >= live ? 0 : role.layer == 0 ? layer->weight * c->a[col] : col == 0 ? layer->weight : 0;
  case ENTRY_BIAS:
    if (last && row < d) return c->printed ? c->beta[row] : -c->beta[row];
    if (last && layer->tied) return -(c->z[d - 1] + 1); /* off */
    return !last && row == 0 ? layer->bias : -1;
  case ENTRY_HEAD:
    return col < d ? c->V[(size_t)row * (size_t)d + (size_t)col] : 0;
  default:
    return 0;
  }
}

static PetscErrorCode SetTheta(Construct c, Vec theta)
{
  const Label        *labels = c->map->network->labels;
  const ParameterRun *runs;
  PetscInt            nruns;
  PetscReal          *local;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(c->map->parameters, &nruns, &runs));
  PetscCall(VecGetArrayWrite(theta, &local));
  for (PetscInt r = 0; r < nruns; r++) {
    const PetscInt cols = labels[runs[r].label].cols;

    for (PetscInt i = 0; i < runs[r].count; i++) {
      const PetscInt64 at = runs[r].first + i;

      local[runs[r].local + i] = Entry(c, c->role[runs[r].label], (PetscInt)(at / cols), (PetscInt)(at % cols));
    }
  }
  PetscCall(VecRestoreArrayWrite(theta, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the triangular system ------------------------------------------------------------------------------------------------------------------- */

/* A_ij = sigma(z_i - beta_j), i >= j; *diagonal: the least A_jj. Collective */
static PetscErrorCode FillMatrix(Construct c, PetscReal *diagonal)
{
  const Activation *sigma = c->layer[c->T - 1].sigma;
  const Tiles       A     = c->A;

  PetscFunctionBeginUser;
  *diagonal = PETSC_INFINITY;
  for (int l = 0; l < A->cols; l++) {
    const PetscInt j      = TilesGlobalCol(A, A->mycol, l);
    PetscReal     *column = A->a + (size_t)l * (size_t)A->rows;

    for (int k = 0; k < A->rows; k++) column[k] = c->z[TilesGlobalRow(A, A->myrow, k)] - c->beta[j];
    sigma->jet(A->rows, column, column, NULL, NULL);
    for (int k = 0; k < A->rows; k++)
      if (TilesGlobalRow(A, A->myrow, k) == j) *diagonal = PetscMin(*diagonal, column[k]);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, diagonal, 1, MPIU_REAL, MPI_MIN, A->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A^(-1) H, points in the order of the projections; 0 is right where nothing was observed. Collective */
static PetscErrorCode Correction(Construct c, Vec H, PetscReal correction[])
{
  const Rows   rows = c->map->rows;
  const size_t d    = (size_t)c->map->d;
  PetscReal   *all;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->m, &all));
  PetscCall(RowsGatherAll(rows, H, all));
  PetscCall(PetscArrayzero(correction, d * (size_t)c->map->l));
  for (PetscInt k = 0; k < rows->m; k++) correction[(size_t)rows->output[k] * d + (size_t)c->place[rows->point[k]]] = all[k];
  PetscCall(PetscFree(all));
  PetscCall(TilesTriangularSolve(c->A, c->map->l, correction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Evaluate(Construct c, Vec theta, Trajectory trajectory, Vec H, PetscReal *loss)
{
  PetscFunctionBeginUser;
  PetscCall(SetTheta(c, theta));
  PetscCall(ResidualMapApply(c->map, theta, trajectory, H));
  PetscCall(VecDot(H, H, loss));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* V from 0, where H = -Y: the solution, and refinements V -= A^(-1) H while they lower the loss. Collective */
static PetscErrorCode SolveForV(Construct c, Vec theta, Trajectory trajectory, Vec H, ConstructResult *result)
{
  const size_t size  = (size_t)c->map->d * (size_t)c->map->l;
  PetscBool    lower = PETSC_TRUE;
  PetscReal   *correction, loss;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(size, &correction));
  PetscCall(PetscArrayzero(c->V, size));
  PetscCall(Evaluate(c, theta, trajectory, H, &result->loss));
  for (result->solves = 0; lower && result->solves < (c->printed ? 1 : SOLVES_MAX) && result->loss > 0; result->solves++) {
    PetscCall(Correction(c, H, correction));
    for (size_t k = 0; k < size; k++) c->V[k] -= correction[k];
    PetscCall(Evaluate(c, theta, trajectory, H, &loss));
    lower = (PetscBool)(c->printed || loss < result->loss);
    if (lower) result->loss = loss;
  }
  if (!lower) {
    for (size_t k = 0; k < size; k++) c->V[k] += correction[k];
    PetscCall(Evaluate(c, theta, trajectory, H, &result->loss));
  }
  PetscCall(PetscFree(correction));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Allocate(Construct c)
{
  const PetscInt d = c->map->d;

  PetscFunctionBeginUser;
  PetscCall(
      PetscMalloc6(c->data->inputs, &c->a, d, &c->c, d, &c->z, d, &c->beta, (size_t)d * (size_t)c->map->l, &c->V, d, &c->place));
  PetscCall(TilesCreate(c->map->grid->world, d, &c->A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Release(Construct c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(c->a, c->c, c->z, c->beta, c->V, c->place));
  PetscCall(TilesDestroy(&c->A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConstructSolve(Construct c, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, ConstructResult *result)
{
  Complaint complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  PetscCall(Allocate(c));
  PetscCall(Project(c, result));
  Carry(c);
  PlaceKnots(c);
  (void)LeastDifference(c->map->d, c->z, &result->arriving);
  PetscCall(FillMatrix(c, &result->diagonal));
  if (!(result->gap > 0 && result->arriving > 0 && result->diagonal > 0))
    Complain(&complaint, STATUS_DATA,
             "reach.method: construct: no direction tells points %" PetscInt_FMT " and %" PetscInt_FMT
             " apart in double precision: their projections differ by %.1e, in a range of %.1e; remove one of them (if they "
             "coincide, rank J < m "
             "for every theta), or use reach.method: train",
             result->nearest[0] + 1, result->nearest[1] + 1, (double)result->gap, (double)result->range);
  if (!complaint.status) {
    PetscCall(SolveForV(c, theta, trajectory, H, result));
    PetscCall(JacobianLinearize(jacobian, theta, trajectory));
    PetscCall(ResidualMapRoundingFloor(c->map, trajectory, jacobian->units, &result->floor));
  }
  PetscCall(Release(c));
  PetscCall(ComplaintRaise(c->map->grid->world, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void ConstructCost(const Sizes *s, Cost *cost)
{
  const PetscReal solves = 3;
  const Sizes     order  = SizesOfOrder(s, s->d);
  Cost            part = {.bytes = 0}, sweep = {.bytes = 0};

  part.work[WORK_PRODUCT]  = 600 * 2 * s->d * s->p + solves * s->d * s->d * s->l / order.PK; /* directions, on rank 0 */
  part.work[WORK_ELEMENTS] = order.rows * order.cols;
  ResidualMapApplyCost(s, &sweep);
  CostAdd(&part, &sweep, solves + 1);
  CostGather(&part, s->P, 8 * s->m, solves);
  CostReduceAll(&part, s->P, 8 * s->d * s->l, solves);
  CostBroadcast(&part, s->P, 8 * (s->p + 2 * s->d), 1);
  CostHold(&part, SizesTiles(&order) + 8 * s->d * (2 * s->l + 4));
  CostAdd(cost, &part, 1);
}
