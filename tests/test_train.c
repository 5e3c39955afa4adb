// ranks: 1 2 3 4 6
/*
  test_train.c: Levenberg-Marquardt from random weights to a zero, the same way on every grid as on one rank; and every other end.

  The path on one rank comes from the same problem on PETSC_COMM_SELF. The loss after k steps is read by allowing k steps.
*/
#include "problem.h"
#include <math.h>
#include <signal.h>

typedef struct {
  PetscInt    d, p, l, widths[2];
  const char *activation;
} Net;

enum { STEPS_MAX = 60 };

/* n > m in each */
static const Net nets[] = {{11, 3, 1, {8, 7}, "tanh"},    {7, 4, 3, {9, 6}, "tanh"},    {10, 3, 1, {9, 5}, "softplus"},
                           {5, 4, 3, {8, 5}, "softplus"}, {9, 3, 1, {9, 5}, "sigmoid"}, {5, 3, 3, {7, 8}, "sigmoid"}};

static const ReachOptions defaults = {.method = REACH_TRAIN, .tolerance = 1e-24, .polish = PETSC_TRUE, .steps = 500};

static PetscErrorCode NetOf(const Net *net, NetOptions *options)
{
  const NetOptions made = {.widths    = {2, {net->widths[0], net->widths[1]}},
                           .bias      = PETSC_TRUE,
                           .seed      = 1,
                           .gain      = 1.5,
                           .bias_gain = .5};

  PetscFunctionBeginUser;
  *options = made;
  PetscCall(PetscStrncpy(options->activation, net->activation, sizeof options->activation));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode NetProblem(MPI_Comm comm, const Net *net, PetscInt G, Problem *problem)
{
  NetOptions options;
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(NetOf(net, &options));
  PetscCall(DataRandom(comm, net->d, net->p, net->l, 3, &data));
  PetscCall(ProblemCreate(comm, G, data, &options, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* from where theta is */
static PetscErrorCode Solve(Problem *problem, const ReachOptions *options, ReachResult *result)
{
  Train train;
  Tiles K;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(problem->grid->world, problem->map->m, &K));
  PetscCall(TrainCreate(problem->map, options, &train));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, K, result));
  PetscCall(TrainDestroy(&train));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Evaluate(Problem *problem, const ReachOptions *options, ReachResult *result)
{
  Train train;

  PetscFunctionBeginUser;
  PetscCall(TrainCreate(problem->map, options, &train));
  PetscCall(TrainEvaluate(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, result));
  PetscCall(TrainDestroy(&train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- to a zero --------------------------------------------------------------------------------------------------- */

/* what TrainSolve leaves belongs to theta: H, the factors of J, the numbers of the result */
static PetscErrorCode TestLeft(Problem *problem, const ReachResult *result)
{
  Vec         H, gradient, again;
  ReachResult there;
  PetscReal   difference, same;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->H, &H));
  PetscCall(VecDuplicate(problem->theta, &gradient));
  PetscCall(VecDuplicate(problem->theta, &again));
  PetscCall(VecCopy(problem->H, H));
  PetscCall(VecSet(gradient, 0));
  PetscCall(SetRandomRows(problem, 5, problem->H));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, problem->H, gradient));
  PetscCall(Evaluate(problem, &defaults, &there));
  PetscCall(VecAXPY(H, -1, problem->H));
  PetscCall(VecNorm(H, NORM_INFINITY, &difference));
  PetscCall(SetRandomRows(problem, 5, H));
  PetscCall(VecSet(again, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, H, again));
  PetscCall(VecAXPY(again, -1, gradient));
  PetscCall(VecNorm(again, NORM_INFINITY, &same));
  Tap((PetscBool)(difference == 0 && same == 0 && there.loss == result->loss && there.floor == result->floor &&
                  there.residual_max == result->residual_max),
      "... H, J and the result are those of the theta it leaves");
  PetscCall(VecDestroy(&again));
  PetscCall(VecDestroy(&gradient));
  PetscCall(VecDestroy(&H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* loss[k]: after k steps from the initial theta, k = 0 … steps */
static PetscErrorCode LossPath(MPI_Comm comm, const Net *net, PetscInt G, PetscInt steps, PetscReal loss[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k <= steps; k++) {
    ReachOptions options = defaults;
    Problem      problem;
    ReachResult  result;

    options.steps = k;
    PetscCall(NetProblem(comm, net, G, &problem));
    PetscCall(Solve(&problem, &options, &result));
    loss[k] = result.loss;
    PetscCall(ProblemDestroy(&problem));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the path on one rank; steps: how many it takes to the tolerance */
static PetscErrorCode PathAlone(const Net *net, PetscReal loss[], PetscInt *steps)
{
  Problem     alone;
  ReachResult result;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_SELF, net, 1, &alone));
  PetscCall(Solve(&alone, &defaults, &result));
  PetscCall(ProblemDestroy(&alone));
  *steps = PetscMin(result.steps, STEPS_MAX);
  PetscCall(LossPath(PETSC_COMM_SELF, net, 1, *steps, loss));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* to the tolerance on G x size/G ranks, by the path of one rank */
static PetscErrorCode TestZero(const Net *net, PetscInt G, PetscInt steps, const PetscReal alone[])
{
  Problem     problem;
  ReachResult result;
  PetscReal   loss[STEPS_MAX + 1], worst = 0;
  PetscBool   falls = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_WORLD, net, G, &problem));
  PetscCall(Solve(&problem, &defaults, &result));
  Tap((PetscBool)(result.reason == REACH_TOLERANCE && result.loss <= 1e-24 && result.residual_max <= 1e-12),
      "%s, d = %d, l = %d, on %d x %d: |H|^2 = %.1e after %d steps", net->activation, (int)net->d, (int)net->l, problem.grid->G,
      problem.grid->Q, (double)result.loss, (int)result.steps);
  Tap((PetscBool)(result.steps == steps), "... %d on one rank", (int)steps);
  PetscCall(TestLeft(&problem, &result));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(LossPath(PETSC_COMM_WORLD, net, G, steps, loss));
  for (PetscInt k = 0; k <= steps; k++) {
    worst = PetscMax(worst, PetscAbsReal(PetscSqrtReal(loss[k]) - PetscSqrtReal(alone[k])) /
                                (1e-10 * PetscSqrtReal(alone[k]) + 10 * PetscSqrtReal(result.floor)));
    falls = (PetscBool)(falls && (k == 0 || loss[k] < loss[k - 1]));
  }
  Tap((PetscBool)(worst <= 1), "... by the same |H| at every step, to rounding");
  Tap((PetscBool)(falls && loss[0] == result.start_loss), "... each below the last");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- every other end --------------------------------------------------------------------------------------------- */

/* asked for 0, it stops at the rounding floor, and the loss there is what the floor says */
static PetscErrorCode TestFloor(const Net *net, PetscInt G)
{
  ReachOptions options = defaults;
  Problem      problem;
  ReachResult  result, there;

  PetscFunctionBeginUser;
  options.tolerance = 0;
  PetscCall(NetProblem(PETSC_COMM_WORLD, net, G, &problem));
  PetscCall(Solve(&problem, &options, &result));
  Tap((PetscBool)(result.reason == REACH_TOLERANCE || result.reason == REACH_FLOOR),
      "%s, l = %d, on %d x %d: asked for a loss of 0 it ends: %s", net->activation, (int)net->l, problem.grid->G, problem.grid->Q,
      ReachReasonText(result.reason));
  PetscCall(Evaluate(&problem, &options, &there));
  Tap((PetscBool)(there.floor > 0 && there.loss <= 1e3 * there.floor && there.floor <= 1e3 * there.loss),
      "... at %.1e, with a rounding floor of %.1e", (double)there.loss, (double)there.floor);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a net whose points 0 and 1 have the same x and targets 1 apart: the least loss is 1/2 */
static PetscErrorCode ContradictoryProblem(PetscInt G, Problem *problem)
{
  const Net  net = {9, 3, 1, {8, 6}, "tanh"};
  NetOptions options;
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(NetOf(&net, &options));
  PetscCall(DataRandom(PETSC_COMM_WORLD, net.d, net.p, net.l, 3, &data));
  if (data->all_x) {
    PetscCall(PetscArraycpy(data->all_x + net.p, data->all_x, net.p));
    data->all_y[1] = data->all_y[0] + 1;
  }
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* where no step can help, every step is tried and undone; until then another call may still find one that lowers the loss in its last digit */
static PetscErrorCode TestContradiction(PetscInt G)
{
  Problem     problem;
  ReachResult result, again;
  Vec         before;
  PetscReal   size, moved;
  PetscInt    calls = 0;

  PetscFunctionBeginUser;
  PetscCall(ContradictoryProblem(G, &problem));
  PetscCall(Solve(&problem, &defaults, &result));
  Tap((PetscBool)(result.reason == REACH_STAGNATED), "contradictory targets on %d x %d: %s after %d steps", problem.grid->G,
      problem.grid->Q, ReachReasonText(result.reason), (int)result.steps);
  TapClose(result.loss, .5, 1, 1e-14, "... at the least loss there is, 1/2");
  PetscCall(TestLeft(&problem, &result));
  PetscCall(VecDuplicate(problem.theta, &before));
  do {
    PetscCall(VecCopy(problem.theta, before));
    PetscCall(VecNorm(before, NORM_2, &size));
    PetscCall(Solve(&problem, &defaults, &again));
  } while (again.steps > 0 && ++calls < 10);
  PetscCall(VecAXPY(before, -1, problem.theta));
  PetscCall(VecNorm(before, NORM_2, &moved));
  TapClose(again.loss, result.loss, 1, 1e-14, "... where it stays");
  Tap((PetscBool)(again.reason == REACH_STAGNATED && again.steps == 0 && moved <= 1e-14 * size),
      "... and where no step helps, none moves theta");
  PetscCall(VecDestroy(&before));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* another Tao serves the same problem */
static PetscErrorCode TestQuasiNewton(PetscInt G)
{
  ReachOptions options = defaults;
  Problem      problem;
  ReachResult  result;

  PetscFunctionBeginUser;
  options.steps = 40;
  PetscCall(PetscOptionsSetValue(NULL, "-tao_type", "lmvm"));
  PetscCall(NetProblem(PETSC_COMM_WORLD, &nets[0], G, &problem));
  PetscCall(Solve(&problem, &options, &result));
  Tap((PetscBool)(result.loss < 1e-2 * result.start_loss && result.steps > 0 && result.steps <= 40),
      "-tao_type lmvm on %d x %d: from %.1e to %.1e in %d steps: %s", problem.grid->G, problem.grid->Q, (double)result.start_loss,
      (double)result.loss, (int)result.steps, ReachReasonText(result.reason));
  PetscCall(TestLeft(&problem, &result));
  PetscCall(PetscOptionsClearValue(NULL, "-tao_type"));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNaN(PetscInt G)
{
  const PetscReal bad[] = {(PetscReal)NAN, (PetscReal)INFINITY};
  PetscMPIInt     rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  for (int k = 0; k < 2; k++) {
    Problem     problem;
    ReachResult result, there;
    PetscReal  *local;

    PetscCall(NetProblem(PETSC_COMM_WORLD, &nets[2], G, &problem)); /* softplus: an infinite parameter is an infinite loss */
    PetscCall(VecGetArray(problem.theta, &local));
    if (rank == problem.grid->size - 1) local[0] = bad[k];
    PetscCall(VecRestoreArray(problem.theta, &local));
    PetscCall(Evaluate(&problem, &defaults, &there));
    PetscCall(Solve(&problem, &defaults, &result));
    Tap((PetscBool)(there.reason == REACH_DIVERGED && result.reason == REACH_DIVERGED && result.steps == 0),
        "%g in one parameter on %d x %d: diverged, before any step", (double)bad[k], problem.grid->G, problem.grid->Q);
    PetscCall(ProblemDestroy(&problem));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* f = w x with |x| of 1e-10: the zero of the loss lies at |w| of 1e10 */
static PetscErrorCode TestFarAway(PetscInt G)
{
  const NetOptions options = {.activation = "tanh", .seed = 1, .gain = 1};
  Problem          problem;
  ReachResult      result;
  Data             data;
  PetscReal        size;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 3, 7, 1, 3, &data));
  for (PetscInt k = 0; data->all_x && k < 3 * 7; k++) data->all_x[k] *= 1e-10;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, &problem));
  PetscCall(Solve(&problem, &defaults, &result));
  PetscCall(VecNorm(problem.theta, NORM_2, &size));
  Tap((PetscBool)(result.reason == REACH_DIVERGED && size > 1e8 && size < 1e12), "|theta| = %.1e on %d x %d: %s", (double)size,
      problem.grid->G, problem.grid->Q, ReachReasonText(result.reason));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestSteps(PetscInt G)
{
  ReachOptions options = defaults;
  Problem      problem;
  ReachResult  result;

  PetscFunctionBeginUser;
  options.steps = 3;
  PetscCall(NetProblem(PETSC_COMM_WORLD, &nets[0], G, &problem));
  PetscCall(Solve(&problem, &options, &result));
  Tap((PetscBool)(result.reason == REACH_STEPS && result.steps == 3 && result.loss < result.start_loss),
      "three steps allowed on %d x %d: %s", problem.grid->G, problem.grid->Q, ReachReasonText(result.reason));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the flag stays up: this comes last */
static PetscErrorCode TestStop(PetscInt G)
{
  PetscMPIInt rank;
  Problem     problem;
  ReachResult result;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(NetProblem(PETSC_COMM_WORLD, &nets[0], G, &problem));
  if (rank == problem.grid->size - 1) raise(SIGUSR1);
  PetscCall(Solve(&problem, &defaults, &result));
  Tap((PetscBool)(result.reason == REACH_STOPPED && result.steps == 0 && result.loss == result.start_loss),
      "one rank is asked to stop on %d x %d: all do", problem.grid->G, problem.grid->Q);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestShape(PetscInt G)
{
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "32" : "4"));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(nets); k++) PetscCall(TestFloor(&nets[k], G));
  PetscCall(TestContradiction(G));
  PetscCall(TestQuasiNewton(G));
  PetscCall(TestNaN(G));
  PetscCall(TestFarAway(G));
  PetscCall(TestSteps(G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  TapCall(StopOnSignals());
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(nets); k++) {
    PetscReal alone[STEPS_MAX + 1];
    PetscInt  steps = 0;

    TapCall(PathAlone(&nets[k], alone, &steps));
    for (PetscInt G = 1; G <= size; G++)
      if (size % G == 0) TapCall(TestZero(&nets[k], G, steps, alone));
  }
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestShape(G));
  TapCall(TestStop(size));
  return TapEnd();
}
