// ranks: 1 2 3 4
/*
  test_loss.c: sum |H_k|^a: its derivatives against central differences, other Tao types on it, the bound between losses; and cross-entropy.
*/
#include "capture.h"
#include "codim/loss.h"
#include "problem.h"
#include <string.h>

static const NetOptions net = {.widths = {1, {9}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 4, .gain = 1, .bias_gain = .5};
static const ReachOptions defaults = {.tolerance = 1e-20, .polish = PETSC_TRUE, .steps = 400};
static const PetscReal    powers[] = {1, 1.5, 2, 3, 4};
static char               where[64];

static PetscErrorCode Create(PetscInt G, Problem *problem)
{
  Data data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 7, 3, 2, 5, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscCall(PetscSNPrintf(where, sizeof where, "on %d x %d", problem->grid->G, problem->grid->Q));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- derivatives ------------------------------------------------------------------------------------------------------ */

/* the loss and its gradient J^T u at theta + t v; the problem stays there */
static PetscErrorCode At(Problem *problem, PetscReal a, Vec theta, PetscReal t, Vec v, PetscReal *loss, Vec gradient)
{
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(problem->theta, t, v, theta));
  PetscCall(ProblemLinearize(problem));
  PetscCall(LossSum(a, problem->H, loss));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(LossDerivatives(a, problem->H, u, NULL));
  PetscCall(VecSet(gradient, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, gradient));
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Differences at t = 2^-14 err by t^2 times third derivatives, 4e-9 of the terms; rounding by 2^-52/t = 4e-12 of them. No H_k is as small as the
   changes in it: they are of the order of 1. */
static PetscErrorCode TestDerivatives(PetscInt G, PetscReal a)
{
  const PetscReal t = ldexp(1, -14);
  Problem         problem;
  PetscReal       ahead, behind, here, along, size, error;
  Vec             theta, v, g_ahead, g_behind, g, first, second, Hv;

  PetscFunctionBeginUser;
  PetscCall(Create(G, &problem));
  PetscCall(VecDuplicate(problem.theta, &theta));
  PetscCall(VecCopy(problem.theta, theta));
  PetscCall(VecDuplicate(theta, &v));
  PetscCall(VecDuplicate(theta, &g_ahead));
  PetscCall(VecDuplicate(theta, &g_behind));
  PetscCall(VecDuplicate(theta, &g));
  PetscCall(VecDuplicate(theta, &Hv));
  PetscCall(VecDuplicate(problem.H, &first));
  PetscCall(VecDuplicate(problem.H, &second));
  PetscCall(ParametersSetRandom(problem.parameters, 3, 1, v));
  PetscCall(At(&problem, a, theta, t, v, &ahead, g_ahead));
  PetscCall(At(&problem, a, theta, -t, v, &behind, g_behind));
  PetscCall(At(&problem, a, theta, 0, v, &here, g));
  PetscCall(VecDot(g, v, &along));
  PetscCall(VecNorm(g, NORM_2, &size));
  TapClose((ahead - behind) / (2 * t), along, size + here, 1e-6, "the gradient is that of the loss");
  PetscCall(HessianCreate(problem.map, &problem.hessian));
  PetscCall(LossDerivatives(a, problem.H, first, second));
  PetscCall(HessianLinearizeOf(problem.hessian, problem.theta, problem.trajectory, first, second));
  PetscCall(HessianMult(problem.hessian, HESSIAN_EXACT, v, Hv));
  PetscCall(VecNorm(Hv, NORM_2, &size));
  PetscCall(VecAXPY(g_ahead, -1, g_behind));
  PetscCall(VecAXPBY(g_ahead, -1, 1 / (2 * t), Hv));
  PetscCall(VecNorm(g_ahead, NORM_2, &error));
  Tap((PetscBool)(error <= 1e-5 * size), "%s, a = %g: ... and the Hessian that of the gradient", where, (double)a);
  if (a == 2) {
    PetscCall(HessianLinearize(problem.hessian, problem.theta, problem.trajectory, problem.H));
    PetscCall(HessianMult(problem.hessian, HESSIAN_EXACT, v, g));
    PetscCall(VecAXPY(g, -1, Hv));
    PetscCall(VecNorm(g, NORM_INFINITY, &error));
    Tap((PetscBool)(error <= 1e-13 * size), "... for a = 2 the one of |H|^2");
  }
  PetscCall(VecDestroy(&second));
  PetscCall(VecDestroy(&first));
  PetscCall(VecDestroy(&Hv));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&g_behind));
  PetscCall(VecDestroy(&g_ahead));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&theta));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- other Tao types --------------------------------------------------------------------------------------------------- */

/* minimizing the loss of power a goes towards M: |H|^2 falls below `least` of what it was */
static PetscErrorCode TestTao(PetscInt G, const char type[], PetscReal a, PetscReal least)
{
  const LossOptions loss = {LOSS_POWER, a};
  Problem           problem;
  ReachResult       result;
  PetscReal         start, end;
  Train             train;

  PetscFunctionBeginUser;
  PetscCall(Create(G, &problem));
  PetscCall(PetscOptionsSetValue(NULL, "-tao_type", type));
  PetscCall(TrainCreate(problem.map, &defaults, &train));
  TrainSetLoss(train, &loss);
  PetscCall(LossSum(a, problem.H, &start));
  PetscCall(TrainSolve(train, problem.theta, problem.trajectory, problem.H, problem.jacobian, NULL, &result));
  PetscCall(LossSum(a, problem.H, &end));
  Tap((PetscBool)(end < start && result.loss <= least * result.start_loss),
      "%s, -tao_type %s, a = %g: the loss falls from %.1e to %.1e in %d steps, |H|^2 to %.1e", where, type, (double)a,
      (double)start, (double)end, (int)result.steps, (double)result.loss);
  PetscCall(TrainDestroy(&train));
  PetscCall(PetscOptionsClearValue(NULL, "-tao_type"));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one loss by another ------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestBound(PetscReal a)
{
  const PetscReal tolerance = 1e-6;
  PetscBool       below = PETSC_TRUE, met = PETSC_FALSE;
  PetscReal       sum, square;
  Vec             H;

  PetscFunctionBeginUser;
  PetscCall(VecCreateMPI(PETSC_COMM_WORLD, PETSC_DECIDE, 11, &H));
  for (PetscInt trial = 0; trial < 12; trial++) { /* 11 equal entries, 10, … 1: between the extremes of the two norms */
    PetscReal scale;

    PetscCall(VecSet(H, 0));
    for (PetscInt k = trial % 11; k < 11; k++) PetscCall(VecSetValue(H, k, trial < 11 ? 1 : (PetscReal)(k + 1), INSERT_VALUES));
    PetscCall(VecAssemblyBegin(H));
    PetscCall(VecAssemblyEnd(H));
    PetscCall(LossSum(a, H, &sum));
    scale = PetscPowReal(LossBound(a, 11, tolerance) / sum, 1 / a);
    PetscCall(VecScale(H, scale)); /* the loss is the bound */
    PetscCall(VecDot(H, H, &square));
    below = (PetscBool)(below && square <= tolerance * (1 + 1e-12));
    met   = (PetscBool)(met || square >= tolerance * (1 - 1e-12));
  }
  Tap(below, "a = %g: where the loss is at its bound, |H|^2 is below the tolerance", (double)a);
  Tap(met, "... and no larger bound would do");
  PetscCall(VecDestroy(&H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cross-entropy -------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestCrossEntropy(const char what[], PetscInt l, const PetscReal y[], DataTarget target, ExitStatus expected)
{
  const LossOptions loss = {LOSS_CROSS_ENTROPY, 2};
  Problem           problem;
  Data              data;
  PetscBool         refuted = PETSC_FALSE;
  Certificate       c       = {0};
  Capture           capture;
  PetscErrorCode    ierr;
  char              text[1024];

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 3, 3, l, 5, &data));
  for (PetscInt k = 0; data->all_y && k < 3 * l; k++) data->all_y[k] = y[k];
  data->options.target = target;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
  capture = CaptureBegin(2);
  ierr    = LossRefute(&loss, data, problem.map, &refuted, &c);
  CaptureEnd(&capture, text, sizeof text);
  if (expected == STATUS_REFUTED)
    Tap((PetscBool)(!ierr && refuted && c.status == CERTIFY_REFUTED && c.empty && strstr(c.reason, "not attained")),
        "cross-entropy, %s: the infimum is not attained, M is empty", what);
  else
    Tap((PetscBool)(ierr && !refuted && ExitStatusOfError(ierr) == expected), "cross-entropy, %s: a user error", what);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  const PetscReal nan = (PetscReal)NAN;
  PetscMPIInt     size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(powers); k++) TapCall(TestDerivatives(G, powers[k]));
    TapCall(TestTao(G, "lmvm", 2, 1e-6));
    TapCall(TestTao(G, "lmvm", 1.5, 1e-3));
    TapCall(TestTao(G, "lmvm", 3, 1e-3));
    TapCall(TestTao(G, "lmvm", 1, .5));
    TapCall(TestTao(G, "bnls", 2, 1e-12));
    TapCall(TestTao(G, "bnls", 4, 1e-6));
    TapCall(TestTao(G, "bntr", 3, 1e-6));
  }
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(powers); k++) TapCall(TestBound(powers[k]));
  TapCall(TestCrossEntropy("one-hot rows", 2, (PetscReal[]){0, 1, 1, 0, 0, 1}, TARGET_VALUE, STATUS_REFUTED));
  TapCall(TestCrossEntropy("one-hot rows, one not observed", 2, (PetscReal[]){0, 1, nan, nan, 0, 1}, TARGET_VALUE, STATUS_REFUTED));
  TapCall(TestCrossEntropy("classes as targets, scaled", 2, (PetscReal[]){-1, 1, 1, -1, -1, 1}, TARGET_ONEHOT, STATUS_REFUTED));
  TapCall(TestCrossEntropy("one output, 0 or 1", 1, (PetscReal[]){0, 1, 1}, TARGET_VALUE, STATUS_REFUTED));
  TapCall(TestCrossEntropy("soft labels", 2, (PetscReal[]){.5, .5, 1, 0, 0, 1}, TARGET_VALUE, STATUS_USAGE));
  TapCall(TestCrossEntropy("two classes at a point", 2, (PetscReal[]){1, 1, 1, 0, 0, 1}, TARGET_VALUE, STATUS_USAGE));
  TapCall(TestCrossEntropy("what a net gives", 2, (PetscReal[]){0, 1, 1, 0, 0, 1}, TARGET_NET, STATUS_USAGE));
  return TapEnd();
}
