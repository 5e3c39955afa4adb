/*
  residual.c: sweeps over the op list; see residual.h.
*/
#include "codim/residual.h"
#include "blas.h"
#include "codim/threads.h"
#include "rounding.h"
#include "sweep.h"

PetscErrorCode ResidualMapCreate(Grid grid, Network network, Parameters parameters, Data data, ResidualMap *map)
{
  ResidualMap new;
  const Range    points = GridGroupPoints(grid, data->points);
  const PetscInt n      = ParametersSize(parameters);
  Rows           rows;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(RowsCreate(grid, data->points, data->outputs, data->y, &rows));
  ierr = UserCheck(grid->world, (PetscBool)(rows->m < n), STATUS_DATA,
                   "the net has n = %" PetscInt_FMT " parameters for m = %" PetscInt_FMT
                   " residuals; the theorem needs n > m: widen the net or take fewer data.points",
                   n, rows->m);
  if (ierr) {
    PetscCall(RowsDestroy(&rows));
    PetscCall(ierr);
  }
  PetscCall(PetscNew(&new));
  new->grid       = grid;
  new->network    = network;
  new->parameters = parameters;
  new->d          = data->points;
  new->l          = data->outputs;
  new->m          = rows->m;
  new->rows       = rows;
  new->n          = n;
  new->N          = points.last - points.first;
  new->x          = data->x;
  new->y          = data->y;
  *map            = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapDestroy(ResidualMap *map)
{
  PetscFunctionBeginUser;
  if (!*map) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(RowsDestroy(&(*map)->rows));
  PetscCall(PetscFree(*map));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Entries of `rows` rows of value v. At least 1: NULL means "none", and a group without points takes part all the same. */
static size_t ValueSize(ResidualMap map, PetscInt rows, PetscInt v)
{
  return PetscMax(1, (size_t)rows * (size_t)map->network->ops[v].dim);
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

PetscErrorCode TrajectoryCreate(ResidualMap map, Trajectory *trajectory)
{
  const Network net = map->network;
  Trajectory new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->nvalues = net->nops;
  PetscCall(PetscCalloc1(net->nops, &new->value));
  new->value[0] = (PetscReal *)map->x; /* never written: the input op has no forward */
  for (PetscInt v = 1; v < net->nops; v++) PetscCall(PetscMalloc1(ValueSize(map, map->N, v), &new->value[v]));
  *trajectory = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TrajectoryDestroy(Trajectory *trajectory)
{
  PetscFunctionBeginUser;
  if (!*trajectory) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt v = 1; v < (*trajectory)->nvalues; v++) PetscCall(PetscFree((*trajectory)->value[v]));
  PetscCall(PetscFree((*trajectory)->value));
  PetscCall(PetscFree(*trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TrajectorySwap(Trajectory a, Trajectory b)
{
  const struct Trajectory_s swap = *a;

  PetscFunctionBeginUser;
  *a = *b;
  *b = swap;
  PetscFunctionReturn(PETSC_SUCCESS);
}

OpArrays OpArraysAt(ResidualMap map, Trajectory trajectory, PetscInt v)
{
  const Network net    = map->network;
  OpArrays      arrays = {.N = map->N, .rows = map->N, .out = trajectory->value[v]};

  for (PetscInt j = 0; j < OP_INPUTS_MAX; j++) {
    const PetscInt input = net->ops[v].inputs[j];

    if (input < 0) continue;
    arrays.in[j]     = trajectory->value[input];
    arrays.in_dim[j] = net->ops[input].dim;
  }
  return arrays;
}

/* the owned rows of H = output - y */
static PetscErrorCode SetResidual(ResidualMap map, const PetscReal output[], Vec H)
{
  const Rows rows = map->rows;
  PetscReal *local;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(H, &local));
  for (PetscInt k = rows->owned.first; k < rows->owned.last; k++) {
    const size_t at = RowTarget(rows, k);

    local[k - rows->owned.first] = output[at] - map->y[at];
  }
  PetscCall(VecRestoreArrayWrite(H, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapForward(ResidualMap map, Vec theta, Trajectory trajectory)
{
  const Network   net     = map->network;
  const OpContext context = {map->parameters, theta, NULL};

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) {
    const OpArrays arrays = OpArraysAt(map, trajectory, v);

    PetscCall(net->ops[v].kind->forward(&net->ops[v], &context, &arrays));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapApply(ResidualMap map, Vec theta, Trajectory trajectory, Vec H)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapForward(map, theta, trajectory));
  PetscCall(SetResidual(map, trajectory->value[map->network->nops - 1], H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- backward ----------------------------------------------------------------------------------------------------- */

PetscErrorCode ResidualMapSeed(ResidualMap map, PetscReal alpha, Vec u, PetscReal seed[])
{
  const Rows rows = map->rows;
  PetscReal *group;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->group.last - rows->group.first, &group));
  PetscCall(RowsGatherGroup(rows, u, group));
  PetscCall(PetscArrayzero(seed, (size_t)map->N * (size_t)map->l));
  for (PetscInt k = rows->group.first; k < rows->group.last; k++) seed[RowTarget(rows, k)] = alpha * group[k - rows->group.first];
  PetscCall(PetscFree(group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode AdjointCreate(ResidualMap map, AdjointRows rows, AdjointKeep keep, Adjoint *adjoint)
{
  const PetscBool residuals = (PetscBool)(rows == ADJOINT_RESIDUALS);
  Adjoint new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->nvalues = map->network->nops;
  new->rows    = residuals ? map->rows->group.last - map->rows->group.first : map->N;
  new->point   = residuals ? map->rows->group_point : NULL;
  new->keep    = keep;
  PetscCall(PetscCalloc1(new->nvalues, &new->bar));
  *adjoint = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode AdjointDestroy(Adjoint *adjoint)
{
  PetscFunctionBeginUser;
  if (!*adjoint) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt v = 0; v < (*adjoint)->nvalues; v++) PetscCall(PetscFree((*adjoint)->bar[v]));
  PetscCall(PetscFree((*adjoint)->bar));
  PetscCall(PetscFree((*adjoint)->owned_point));
  PetscCall(PetscFree(*adjoint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal ResidualValuesBytes(ResidualMap map)
{
  return 8. * (PetscReal)(map->rows->group.last - map->rows->group.first) * (PetscReal)NetworkSumUnits(map->network);
}

/* bar[v], zeroed at its first use in a sweep */
static PetscErrorCode StartBar(ResidualMap map, Adjoint adjoint, PetscInt v, PetscBool started[])
{
  PetscFunctionBeginUser;
  if (started[v]) PetscFunctionReturn(PETSC_SUCCESS);
  started[v] = PETSC_TRUE;
  if (!adjoint->bar[v]) PetscCall(PetscMalloc1(ValueSize(map, adjoint->rows, v), &adjoint->bar[v]));
  ThreadsZero(ValueSize(map, adjoint->rows, v), adjoint->bar[v]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Seed(ResidualMap map, const PetscReal seed[], PetscInt rows, PetscReal bar[])
{
  const size_t    l      = (size_t)map->l;
  const PetscInt *output = map->rows->output + map->rows->group.first;

  PetscFunctionBeginUser;
  if (seed) {
    PetscCall(PetscArraycpy(bar, seed, (size_t)rows * l));
  } else
    for (size_t row = 0; row < (size_t)rows; row++) bar[row * l + (size_t)output[row]] = 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool IsWanted(Network net, PetscInt input, AdjointKeep keep)
{
  return (PetscBool)(input >= 0 && (net->ops[input].moves || (input > 0 && keep == ADJOINT_FIXED_TOO)));
}

/* from value `last`, where bar is set, back */
static PetscErrorCode SweepBack(ResidualMap map, Vec theta, Trajectory trajectory, PetscInt last, PetscBool started[],
                                Adjoint adjoint)
{
  const Network   net     = map->network;
  const OpContext context = {map->parameters, theta, NULL};

  PetscFunctionBeginUser;
  for (PetscInt v = last; v > 0; v--) {
    const NetOp *op     = &net->ops[v];
    OpArrays     arrays = OpArraysAt(map, trajectory, v);

    if (!started[v]) continue; /* no path to the output */
    arrays.rows    = adjoint->rows;
    arrays.point   = adjoint->point;
    arrays.out_bar = adjoint->bar[v];
    for (PetscInt j = 0; j < OP_INPUTS_MAX; j++) {
      if (!IsWanted(net, op->inputs[j], adjoint->keep)) continue;
      PetscCall(StartBar(map, adjoint, op->inputs[j], started));
      arrays.in_bar[j] = adjoint->bar[op->inputs[j]];
    }
    PetscCall(op->kind->adjoint(op, &context, &arrays));
    if (adjoint->keep == ADJOINT_PARAMETERS && !OpHasParameters(op)) PetscCall(PetscFree(adjoint->bar[v]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapAdjoint(ResidualMap map, Vec theta, Trajectory trajectory, const PetscReal seed[], Adjoint adjoint)
{
  const PetscInt last = map->network->nops - 1;
  PetscBool     *started;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(last + 1, &started));
  PetscCall(StartBar(map, adjoint, last, started));
  PetscCall(Seed(map, seed, adjoint->rows, adjoint->bar[last]));
  PetscCall(SweepBack(map, theta, trajectory, last, started, adjoint));
  PetscCall(PetscFree(started));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapAdjointOf(ResidualMap map, Vec theta, Trajectory trajectory, PetscInt v, Adjoint *adjoint)
{
  const PetscInt dim = map->network->ops[v].dim;
  PetscBool     *started;
  Adjoint new;

  PetscFunctionBeginUser;
  PetscCall(AdjointCreate(map, ADJOINT_POINTS, ADJOINT_FIXED_TOO, adjoint));
  new       = *adjoint;
  new->rows = map->N *dim;
  PetscCall(PetscMalloc1(PetscMax(1, new->rows), &new->owned_point));
  for (PetscInt row = 0; row < new->rows; row++) new->owned_point[row] = row / dim;
  new->point = new->owned_point;
  PetscCall(PetscCalloc1(map->network->nops, &started));
  PetscCall(StartBar(map, new, v, started));
  for (PetscInt row = 0; row < new->rows; row++) new->bar[v][(size_t)row * (size_t)dim + (size_t)(row % dim)] = 1;
  PetscCall(SweepBack(map, theta, trajectory, v, started, new));
  PetscCall(PetscFree(started));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- gradient and rounding floor ---------------------------------------------------------------------------------- */

PetscErrorCode OpAddGradient(ResidualMap map, PetscInt v, PetscInt count, const OuterProduct products[], PetscReal alpha, Vec grad)
{
  const NetOp *op = &map->network->ops[v];
  PetscInt     k, h, places;
  Range        units;
  PetscReal   *rows;

  PetscFunctionBeginUser;
  if (op->weight < 0) PetscFunctionReturn(PETSC_SUCCESS);
  k      = map->network->ops[op->inputs[0]].dim / op->places;
  h      = op->dim / op->places;
  places = map->N * op->places;
  units  = ParametersShardRows(map->parameters, op->weight);
  PetscCall(ParametersBeginAdd(map->parameters, grad, op->weight, &rows));
  for (PetscInt i = 0; i < count; i++)
    PetscCall(Gemm("N", "T", k, units.last - units.first, places, alpha, products[i].a, k, products[i].z_bar + units.first, h, 1,
                   rows, k));
  PetscCall(ParametersEndAdd(map->parameters, grad, op->weight, &rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OpAddBiasGradient(ResidualMap map, PetscInt v, const PetscReal z_bar[], PetscReal alpha, Vec grad)
{
  const NetOp *op     = &map->network->ops[v];
  const size_t h      = (size_t)(op->dim / op->places);
  const size_t places = (size_t)map->N * (size_t)op->places;
  Range        units;
  PetscReal   *rows;

  PetscFunctionBeginUser;
  if (op->bias < 0) PetscFunctionReturn(PETSC_SUCCESS);
  units = ParametersShardEntries(map->parameters, op->bias);
  PetscCall(ParametersBeginAdd(map->parameters, grad, op->bias, &rows));
  for (size_t place = 0; place < places; place++)
    for (PetscInt j = units.first; j < units.last; j++) rows[j - units.first] += alpha * z_bar[place * h + (size_t)j];
  PetscCall(ParametersEndAdd(map->parameters, grad, op->bias, &rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapAddGradient(ResidualMap map, Trajectory trajectory, Adjoint adjoint, PetscReal alpha, Vec grad)
{
  const Network net = map->network;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) {
    const OuterProduct product = {adjoint->bar[v], trajectory->value[PetscMax(0, net->ops[v].inputs[0])]};

    if (!OpHasParameters(&net->ops[v]) || !adjoint->bar[v]) continue;
    PetscCall(OpAddGradient(map, v, 1, &product, alpha, grad));
    PetscCall(OpAddBiasGradient(map, v, adjoint->bar[v], alpha, grad));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResidualMapRoundingFloor(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *floor)
{
  const Network net = map->network;
  PetscReal     sum = 0;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) {
    const size_t     dim   = (size_t)net->ops[v].dim;
    const PetscReal *value = trajectory->value[v], *bar = units->bar[v];

    if (!bar) continue;
    for (size_t row = 0; row < (size_t)units->rows; row++)
      for (size_t j = 0; j < dim; j++) {
        const PetscReal error = bar[row * dim + j] * value[(size_t)units->point[row] * dim + j];

        sum += 2 * error * error; /* the result, and the stored parameters that made it */
      }
  }
  if (map->grid->q) sum = 0; /* the ranks of a group hold the same values */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, map->grid->world));
  *floor = ROUNDING * ROUNDING * sum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* the sizes of a linear op: T places of k inputs and h outputs, of which this rank has hq */
typedef struct {
  PetscReal T, k, h, hq;
} LinearSizes;

static LinearSizes LinearSizesOf(const Sizes *s, const NetOp *op)
{
  const PetscReal   T     = (PetscReal)op->places;
  const LinearSizes sizes = {T, (PetscReal)s->network->labels[op->weight].cols, (PetscReal)op->dim / T,
                             SizesShardRows(s, op->weight)};

  return sizes;
}

/* W a + b at N points, `products` of them: with theta, with a direction */
static void LinearForwardCost(const Sizes *s, const NetOp *op, PetscReal products, Cost *cost)
{
  const LinearSizes x    = LinearSizesOf(s, op);
  Cost              read = {.bytes = 0};

  cost->work[WORK_PRODUCT] += products * 2 * s->N * x.T * x.hq * x.k;
  CostReadShard(s, op->weight, &read);
  CostAdd(cost, &read, products);
  if (op->bias >= 0) CostReadShard(s, op->bias, cost);
  if (s->Q > 1) { /* GridGatherUnits: a broadcast from each rank that has units */
    const PetscReal holders = PetscMin(s->Q, x.h);

    CostBroadcast(cost, s->Q, 8 * s->d / s->G * x.T * x.h / holders, holders);
  }
}

/* a_bar += W^T z_bar at so many rows, `products` of them */
static void LinearAdjointCost(const Sizes *s, const NetOp *op, PetscReal rows, PetscReal products, Cost *cost)
{
  const LinearSizes x    = LinearSizesOf(s, op);
  Cost              pull = {.work[WORK_PRODUCT] = products * 2 * rows * x.T * x.hq * x.k}, read = {.bytes = 0};

  CostReadShard(s, op->weight, &read);
  CostAdd(&pull, &read, products);
  if (s->Q > 1) {
    CostHold(&pull, 8 * rows * x.T * x.k);
    CostReduceAll(&pull, s->Q, 8 * rows * x.T * x.k, PetscCeilReal(rows * x.T * x.k / (1 << 28))); /* GridSumUnits */
  }
  CostAdd(cost, &pull, 1);
}

/* a parameter as a value: its shard, and the sum over the group */
static void ParameterForwardCost(const Sizes *s, const NetOp *op, Cost *cost)
{
  CostReadShard(s, op->bias, cost);
  if (s->Q > 1) CostReduceAll(cost, s->Q, 8 * (PetscReal)op->dim, 1);
}

void ResidualMapSizes(ResidualMap map, Sizes *s)
{
  SizesSet(map->network, map->d, map->grid->size, map->grid->G, map->grid->Q, s);
  *s   = SizesOfOrder(s, (PetscReal)map->m);
  s->R = 0;
  for (PetscMPIInt g = 0; g < map->grid->G; g++) {
    const Range rows = RowsOfPoints(map->rows, BlockRange(map->d, map->grid->G, g));

    s->R = PetscMax(s->R, (PetscReal)(rows.last - rows.first));
  }
}

void ResidualMapApplyCost(const Sizes *s, Cost *cost)
{
  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp *op = &s->network->ops[v];

    if (op->weight >= 0)
      LinearForwardCost(s, op, 1, cost);
    else
      cost->work[WORK_ELEMENTS] += s->N * (PetscReal)op->dim;
    if (op->weight < 0 && op->bias >= 0) ParameterForwardCost(s, op, cost);
  }
}

void ResidualMapTangentCost(const Sizes *s, Cost *cost)
{
  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp *op = &s->network->ops[v];

    if (!op->moves) continue;
    if (op->weight >= 0)
      LinearForwardCost(s, op, s->network->ops[op->inputs[0]].moves ? 2 : 1, cost);
    else
      cost->work[WORK_STREAM] += 3 * 8 * s->N * (PetscReal)op->dim;
    if (op->weight < 0 && op->bias >= 0) ParameterForwardCost(s, op, cost);
  }
}

void ResidualMapAdjointCost(const Sizes *s, PetscReal rows, PetscReal products, Cost *cost)
{
  PetscReal widest = 0; /* of the values that are not kept */

  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp *op = &s->network->ops[v];

    if (!op->moves) continue;
    if (op->weight >= 0) {
      if (s->network->ops[op->inputs[0]].moves) LinearAdjointCost(s, op, rows, products, cost);
    } else
      cost->work[WORK_ELEMENTS] += products * rows * (PetscReal)op->dim;
    if (!OpHasParameters(op)) widest = PetscMax(widest, (PetscReal)op->dim);
  }
  CostHold(cost, 8 * rows * widest);
}

PetscReal ResidualMapUnitsBytes(const Sizes *s)
{
  PetscReal units = 0;

  for (PetscInt v = 1; v < s->network->nops; v++)
    if (OpHasParameters(&s->network->ops[v])) units += (PetscReal)s->network->ops[v].dim;
  return 8 * s->R * units;
}
