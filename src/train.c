/*
  train.c: Levenberg-Marquardt in the dual; see train.h.

    (K + mu I) c = H,   theta := theta - J^T c,   predicted |H - K c|^2 = mu^2 |c|^2,   |J^T c|^2 = c^T K c = c^T H - mu |c|^2
*/
#include "codim/checkpoint.h"
#include "train_state.h"
#include <math.h>

const char *const ReachMethods[] = {"train", "load", "construct", NULL};

#define KEY(name, type, field, value, min, max, choices, help)                                                                     \
  {                                                                                                                                \
    "reach_" name, type, offsetof(ReachOptions, field), value, min, max, choices, help                                             \
  }

const OptionKey ReachKeys[] =
    {KEY("method", KEY_CHOICE, method, "train", 0, 0, ReachMethods,
         "how a zero is reached: train from random weights; load them from a file; construct them (Lemma 3.3, Corollary 3.4)"),
     KEY("weights", KEY_STRING, weights, "", 0, 0, NULL, "load: a safetensors file"),
     KEY("tolerance", KEY_REAL, tolerance, "1e-24", 0, 1e300, NULL, "the loss |H|^2 to reach; not asked below its rounding floor"),
     KEY("polish", KEY_BOOL, polish, "true", 0, 0, NULL, "load, construct: go on from these weights to the tolerance"),
     KEY("printed", KEY_BOOL, printed, "false", 0, 0, NULL,
         "construct: the weights literally as Corollary 3.4 prints them, to see that they fail"),
     KEY("steps", KEY_INT, steps, "500", 0, 1e9, NULL, "train: steps at most"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

const char *ReachReasonText(ReachReason reason)
{
  static const char *const texts[] = {"reached the tolerance",
                                      "at the rounding floor of H",
                                      "stagnated: no step lowers the loss",
                                      "the steps are used up",
                                      "diverged",
                                      "stopped on request"};

  return texts[reason];
}

/* ---- one point -------------------------------------------------------------------------------------------------------- */

static PetscReal Target(const Train train)
{
  return PetscMax(train->options->tolerance, train->result->floor);
}

/* the factors and the rounding floor at theta, whose trajectory is up to date */
static PetscErrorCode Linearize(Train train)
{
  PetscFunctionBeginUser;
  PetscCall(JacobianLinearize(train->jacobian, train->theta, train->trajectory));
  PetscCall(ResidualMapRoundingFloor(train->map, train->trajectory, train->jacobian->units, &train->result->floor));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Evaluate(Train train)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(train->map, train->theta, train->trajectory, train->H));
  PetscCall(VecDot(train->H, train->H, &train->result->loss));
  PetscCall(VecNorm(train->H, NORM_INFINITY, &train->result->residual_max));
  PetscCall(Linearize(train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* power: the last power of 2 among the steps; norm_half: at least half-way */
static void KeepNorm(ReachResult *result, PetscReal norm)
{
  const PetscInt steps = result->steps;

  if (steps == 0) result->norm_start = result->norm_power = norm;
  if ((steps & (steps - 1)) == 0) {
    result->norm_half  = result->norm_power;
    result->norm_power = norm;
  }
  result->norm = norm;
}

static PetscErrorCode Diverged(Train train, PetscBool *diverged)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(train->theta, NORM_2, &norm));
  *diverged = (PetscBool)(PetscIsInfOrNanReal(train->result->loss) || !(norm <= train->far));
  KeepNorm(train->result, norm);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one step ----------------------------------------------------------------------------------------------------------- */

/* c = (K + mu I)^(-1) H, K becomes the factor; false if K + mu I is not numerically positive definite */
static PetscErrorCode SolveDual(Train train, PetscBool *solved)
{
  const Rows rows = train->map->rows;
  PetscReal *all;

  PetscFunctionBeginUser;
  PetscCall(TilesShift(train->K, train->mu));
  PetscCall(TilesCholesky(train->K, solved));
  if (!*solved) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(rows->m, &all));
  PetscCall(RowsGatherAll(rows, train->H, all));
  PetscCall(TilesSolve(train->K, all));
  PetscCall(RowsSetAll(rows, all, train->c));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta - J^T c and its loss; where the loss does not fall, or the step is absurdly long, theta is as before and *gain negative */
static PetscErrorCode TryStep(Train train, PetscReal *gain, PetscReal *length)
{
  const PetscReal loss = train->result->loss;
  PetscReal       cc, cH, trial_loss, predicted;

  PetscFunctionBeginUser;
  *gain = -1;
  PetscCall(VecDot(train->c, train->c, &cc));
  PetscCall(VecDot(train->c, train->H, &cH));
  *length = PetscSqrtReal(PetscMax(0, cH - train->mu * cc));
  if (!(*length <= 1e3 * (1 + train->result->norm))) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(JacobianMultTransposeAdd(train->jacobian, -1, train->c, train->theta));
  PetscCall(ResidualMapApply(train->map, train->theta, train->trial, train->H_trial));
  PetscCall(VecDot(train->H_trial, train->H_trial, &trial_loss));
  if (trial_loss < loss) {
    predicted = loss - train->mu * train->mu * cc;
    *gain     = predicted > 0 ? (loss - trial_loss) / predicted : PETSC_SMALL; /* of a singular K rounding may leave no digit */
    train->result->loss = trial_loss;
    PetscCall(VecSwap(train->H, train->H_trial));
    PetscCall(TrajectorySwap(train->trajectory, train->trial));
  } else
    PetscCall(JacobianMultTransposeAdd(train->jacobian, 1, train->c, train->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Raise mu until a step is accepted; *accepted is false if none lowers the loss. K is made anew after one that was refused: a second matrix
   would cost more than that does. */
static PetscErrorCode Step(Train train, PetscReal *length, PetscBool *accepted)
{
  PetscReal growth = 4, trace, gain = -1;
  PetscBool solved;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(train->jacobian, train->K));
  PetscCall(TilesNorms(train->K, &trace, NULL, NULL));
  train->mean = trace / (PetscReal)train->map->m;
  *accepted   = PETSC_FALSE;
  if (!(train->mean > 0)) PetscFunctionReturn(PETSC_SUCCESS); /* J = 0: no direction lowers the loss */
  if (train->mu < 0) train->mu = 1e-3 * train->mean;
  for (; train->mu <= 1e8 * train->mean; growth *= 2) {
    PetscCall(SolveDual(train, &solved));
    if (solved) PetscCall(TryStep(train, &gain, length));
    *accepted = (PetscBool)(gain > 0);
    if (*accepted) break;
    train->mu *= growth;
    if (train->mu <= 1e8 * train->mean) PetscCall(GramCompute(train->jacobian, train->K));
  }
  if (gain > .9)
    train->mu *= .01;
  else if (gain > .5)
    train->mu *= .1;
  else if (*accepted && gain < .25)
    train->mu *= 4;
  train->mu = PetscMax(train->mu, PETSC_MACHINE_EPSILON * train->mean); /* it must be able to grow again */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the solve ------------------------------------------------------------------------------------------------------------ */

PetscErrorCode TrainArchive(Archive archive, void *context)
{
  Train train = (Train)context;

  PetscFunctionBeginUser;
  if (train->apart) PetscCall(ArchiveVec(archive, "theta", train->map->parameters, train->theta));
  PetscCall(ArchiveStruct(archive, "result", sizeof *train->result, train->result));
  PetscCall(ArchiveReal(archive, "far", &train->far));
  PetscCall(ArchiveReal(archive, "mu", &train->mu));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* is there a reason to take no further step? REACH_STAGNATED: none */
static PetscErrorCode Judge(Train train)
{
  ReachResult *result = train->result;
  PetscBool    diverged;

  PetscFunctionBeginUser;
  PetscCall(Diverged(train, &diverged));
  result->reason = diverged                                 ? REACH_DIVERGED
                   : result->loss <= Target(train)          ? REACH_TOLERANCE
                   : result->steps >= train->options->steps ? REACH_STEPS
                                                            : REACH_STAGNATED;
  if (result->reason != REACH_STAGNATED) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CheckpointSafePoint(train->map->grid->world, "train", TrainArchive, train, &train->stopped));
  if (train->stopped) result->reason = REACH_STOPPED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LevenbergMarquardt(Train train)
{
  ReachResult *result   = train->result;
  PetscReal    length   = 0;
  PetscBool    accepted = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (result->steps = train->before;; result->steps++) {
    PetscCall(TaoMonitor(train->tao, result->steps, result->loss, PetscSqrtReal(result->loss), 0, length));
    PetscCall(Progress(train->map->grid->world, (PetscReal)result->steps, 0, "loss %.3e, step length %.2e, mu %.1e",
                       (double)result->loss, (double)length, (double)train->mu));
    if (train->observer && (result->steps > train->before || !train->before))
      PetscCall(train->observer(train->observing, result->steps));
    PetscCall(Judge(train));
    if (result->reason != REACH_STAGNATED) break;
    PetscCall(Step(train, &length, &accepted));
    if (!accepted) {
      PetscCall(Evaluate(train)); /* adding a rejected step back leaves rounding in theta */
      if (result->loss <= 100 * result->floor) result->reason = REACH_FLOOR;
      break;
    }
    PetscCall(Linearize(train));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TaoSolve_LevenbergMarquardt(Tao tao)
{
  Train train;

  PetscFunctionBeginUser;
  PetscCall(TaoShellGetContext(tao, &train));
  PetscCall(LevenbergMarquardt(train));
  PetscCall(TaoSetConvergedReason(tao, train->result->reason == REACH_TOLERANCE ? TAO_CONVERGED_MINF : TAO_DIVERGED_USER));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TrainCreate(ResidualMap map, const ReachOptions *options, Train *train)
{
  Train new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->map     = map;
  new->options = options;
  new->loss    = LossDefaults;
  PetscCall(TaoCreate(map->grid->world, &new->tao));
  PetscCall(TaoSetType(new->tao, TAOSHELL));
  PetscCall(TaoShellSetContext(new->tao, new));
  PetscCall(TaoShellSetSolve(new->tao, TaoSolve_LevenbergMarquardt));
  PetscCall(TaoSetTolerances(new->tao, 0, 0, 0));
  PetscCall(TaoSetMaximumIterations(new->tao, options->steps));
  PetscCall(TaoProblemSet(new));
  PetscCall(TaoSetFromOptions(new->tao));
  *train = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

void TrainObserve(Train train, TrainObserver *observer, void *context)
{
  train->observer  = observer;
  train->observing = context;
}

void TrainSetApart(Train train, PetscBool apart)
{
  train->apart = apart;
}

void TrainSetLoss(Train train, const LossOptions *loss)
{
  train->loss = *loss;
}

PetscErrorCode TrainDestroy(Train *train)
{
  PetscFunctionBeginUser;
  if (!*train) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TaoDestroy(&(*train)->tao));
  PetscCall(PetscFree(*train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a Tao that is not ours has moved theta: the result as found */
static PetscErrorCode ResultOfTao(Train train)
{
  TaoConvergedReason reason;
  PetscInt           steps;
  PetscBool          diverged = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(Evaluate(train));
  PetscCall(TaoGetConvergedReason(train->tao, &reason));
  PetscCall(TaoGetIterationNumber(train->tao, &steps));
  PetscCall(Diverged(train, &diverged));
  train->result->steps  = train->before + steps;
  train->result->reason = diverged                                            ? REACH_DIVERGED
                          : train->result->loss <= Target(train)              ? REACH_TOLERANCE
                          : train->stopped                                    ? REACH_STOPPED
                          : train->result->loss <= 100 * train->result->floor ? REACH_FLOOR
                          : reason == TAO_DIVERGED_MAXITS                     ? REACH_STEPS
                                                                              : REACH_STAGNATED;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TrainEvaluate(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, ReachResult *result)
{
  PetscBool diverged = PETSC_FALSE;

  PetscFunctionBeginUser;
  train->theta      = theta;
  train->trajectory = trajectory;
  train->H          = H;
  train->jacobian   = jacobian;
  train->result     = result;
  train->far        = PETSC_MAX_REAL;
  PetscCall(Evaluate(train));
  PetscCall(Diverged(train, &diverged));
  result->start_loss = result->loss;
  result->steps      = 0;
  result->reason     = diverged                              ? REACH_DIVERGED
                       : result->loss <= Target(train)       ? REACH_TOLERANCE
                       : result->loss <= 100 * result->floor ? REACH_FLOOR
                                                             : REACH_STEPS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkCreate(Train train)
{
  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(train->H, &train->H_trial));
  PetscCall(VecDuplicate(train->H, &train->c));
  PetscCall(TrajectoryCreate(train->map, &train->trial));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkDestroy(Train train)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&train->H_trial));
  PetscCall(VecDestroy(&train->c));
  PetscCall(TrajectoryDestroy(&train->trial));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what a former run left */
static PetscErrorCode Resume(Train train)
{
  PetscBool   resumed;
  ReachResult left;

  PetscFunctionBeginUser;
  train->mu      = -1;
  train->stopped = PETSC_FALSE;
  PetscCall(CheckpointResume("train", TrainArchive, train, &resumed));
  train->before = resumed ? train->result->steps : 0;
  if (!resumed || !train->apart) PetscFunctionReturn(PETSC_SUCCESS);
  left = *train->result;
  PetscCall(Evaluate(train));
  *train->result = left;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TrainSolve(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K, ReachResult *result)
{
  PetscBool ours;
  PetscInt  most;

  PetscFunctionBeginUser;
  PetscCall(TrainEvaluate(train, theta, trajectory, H, jacobian, result));
  if (result->reason == REACH_DIVERGED) PetscFunctionReturn(PETSC_SUCCESS); /* to Tao a NaN is an error */
  PetscCall(VecNorm(theta, NORM_2, &train->far));
  train->far = 1e8 * PetscMax(1, train->far);
  train->K   = K;
  PetscCall(Resume(train));
  PetscCall(TaoGetMaximumIterations(train->tao, &most));
  PetscCall(TaoSetMaximumIterations(train->tao, PetscMax(0, most - train->before)));
  PetscCall(WorkCreate(train));
  PetscCall(PetscObjectTypeCompare((PetscObject)train->tao, TAOSHELL, &ours));
  if (!ours) PetscCall(TaoProblemCreate(train));
  PetscCall(TaoSetSolution(train->tao, theta));
  PetscCall(TaoSolve(train->tao));
  PetscCall(TaoSetMaximumIterations(train->tao, most));
  if (!ours) PetscCall(ResultOfTao(train));
  PetscCall(TaoProblemDestroy(&train->problem));
  PetscCall(VecNorm(train->H, NORM_INFINITY, &result->residual_max));
  PetscCall(WorkDestroy(train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool ReachConfirmed(const ReachResult *result, PetscReal loss)
{
  return (PetscBool)(loss <= PetscMax(result->loss / 16, 100 * result->floor));
}

PetscErrorCode TrainConfirm(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K, PetscReal *loss)
{
  Vec       next;
  PetscReal trace;
  PetscBool solved;

  PetscFunctionBeginUser;
  train->trajectory = trajectory;
  train->H          = H;
  train->jacobian   = jacobian;
  train->K          = K;
  *loss             = INFINITY;
  PetscCall(WorkCreate(train));
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesNorms(K, &trace, NULL, NULL));
  train->mu = PETSC_MACHINE_EPSILON * trace / (PetscReal)train->map->m;
  PetscCall(SolveDual(train, &solved));
  if (solved) {
    PetscCall(VecDuplicate(theta, &next));
    PetscCall(VecCopy(theta, next));
    PetscCall(JacobianMultTransposeAdd(jacobian, -1, train->c, next));
    PetscCall(ResidualMapApply(train->map, next, train->trial, train->H_trial));
    PetscCall(VecDot(train->H_trial, train->H_trial, loss));
    PetscCall(VecDestroy(&next));
  }
  PetscCall(WorkDestroy(train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* the trajectory, H and the factors at a new theta: here and in TryStep */
static void PointCost(const Sizes *s, Cost *cost)
{
  ResidualMapApplyCost(s, cost);
  ResidualMapAdjointCost(s, s->R, 1, cost);
  cost->work[WORK_ELEMENTS] += SizesValues(s, s->R) / 8; /* the rounding floor */
  CostReduceAll(cost, s->P, 8, 2);
}

void TrainStepCost(const Sizes *s, Cost *cost)
{
  Cost step = {.work[WORK_STREAM] = 8 * s->local}; /* |theta| */

  GramCost(s, &step);
  CostReduceAll(&step, s->P, 8, 8); /* norms, dot products, StopRequested, the trace */
  TilesCholeskyCost(s, &step);
  CostGather(&step, s->P, 8 * s->m, 1);
  TilesSolveCost(s, &step);
  JacobianMultTransposeAddCost(s, &step);
  PointCost(s, &step);
  CostHold(&step, SizesValues(s, s->N)); /* the trial trajectory */
  CostAdd(cost, &step, 1);
}

void TrainCost(const Sizes *s, PetscReal steps, Cost *cost)
{
  Cost point = {.bytes = 0}, step = {.bytes = 0};

  PointCost(s, &point);
  CostHold(&point, SizesValues(s, s->N)); /* the trial trajectory */
  TrainStepCost(s, &step);
  CostAdd(cost, &point, 1);
  CostAdd(cost, &step, steps);
}
