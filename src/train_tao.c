/*
  train_tao.c: the loss sum |H_k|^a with its gradient and its exact Hessian, for Tao types that are not ours.

  Each evaluation is one sweep forward and one back; the Hessian is a MATSHELL at the theta where Tao asked for it, a copy of its own, since
  a line search moves theta under it.
*/
#include "codim/checkpoint.h"
#include "codim/hessian.h"
#include "train_state.h"

struct TaoProblem_s {
  Train      train;
  Vec        u; /* first derivatives of the loss at the residuals */
  Adjoint    adjoint;
  PetscReal *seed;

  /* the Hessian; NULL until it is asked for */
  Mat        mat;
  Vec        theta, H, second;
  Trajectory trajectory;
  Hessian    hessian;
};

static PetscErrorCode ObjectiveAndGradient(Tao tao, Vec theta, PetscReal *loss, Vec gradient, void *context)
{
  const TaoProblem  p   = ((Train)context)->problem;
  const Train       t   = p->train;
  const ResidualMap map = t->map;

  PetscFunctionBeginUser;
  (void)tao;
  PetscCall(ResidualMapApply(map, theta, t->trial, t->H_trial));
  PetscCall(LossSum(t->loss.power, t->H_trial, loss));
  PetscCall(LossDerivatives(t->loss.power, t->H_trial, p->u, NULL));
  PetscCall(ResidualMapSeed(map, 1, p->u, p->seed));
  PetscCall(ResidualMapAdjoint(map, theta, t->trial, p->seed, p->adjoint));
  PetscCall(VecSet(gradient, 0));
  PetscCall(ResidualMapAddGradient(map, t->trial, p->adjoint, 1, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateHessian(TaoProblem p)
{
  const Train t = p->train;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(t->theta, &p->theta));
  PetscCall(VecDuplicate(t->H, &p->H));
  PetscCall(VecDuplicate(t->H, &p->second));
  PetscCall(TrajectoryCreate(t->map, &p->trajectory));
  PetscCall(HessianCreate(t->map, &p->hessian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FormHessian(Tao tao, Vec theta, Mat mat, Mat preconditioner, void *context)
{
  const TaoProblem p = ((Train)context)->problem;
  const PetscReal  a = p->train->loss.power;

  PetscFunctionBeginUser;
  (void)tao;
  (void)preconditioner;
  if (!p->hessian) PetscCall(CreateHessian(p));
  PetscCall(VecCopy(theta, p->theta));
  PetscCall(ResidualMapApply(p->train->map, p->theta, p->trajectory, p->H));
  PetscCall(LossDerivatives(a, p->H, p->u, p->second));
  PetscCall(HessianLinearizeOf(p->hessian, p->theta, p->trajectory, p->u, p->second));
  PetscCall(MatAssemblyBegin(mat, MAT_FINAL_ASSEMBLY)); /* it is another one */
  PetscCall(MatAssemblyEnd(mat, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Loss(Mat mat, Vec v, Vec y)
{
  TaoProblem p;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &p));
  PetscCall(HessianMult(p->hessian, HESSIAN_EXACT, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* it stops where it was asked to, at its next iterate */
static PetscErrorCode StopTest(Tao tao, void *context)
{
  Train              train = (Train)context;
  TaoConvergedReason reason;
  PetscInt           steps;

  PetscFunctionBeginUser;
  PetscCall(TaoDefaultConvergenceTest(tao, NULL));
  PetscCall(TaoGetConvergedReason(tao, &reason));
  if (reason != TAO_CONTINUE_ITERATING) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TaoGetIterationNumber(tao, &steps));
  train->result->steps = train->before + steps;
  PetscCall(CheckpointSafePoint(train->map->grid->world, "train", TrainArchive, train, &train->stopped));
  if (train->stopped) PetscCall(TaoSetConvergedReason(tao, TAO_DIVERGED_USER));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TaoProblemSet(Train train)
{
  PetscFunctionBeginUser;
  PetscCall(TaoSetObjectiveAndGradient(train->tao, NULL, ObjectiveAndGradient, train));
  PetscCall(TaoSetConvergenceTest(train->tao, StopTest, train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TaoProblemCreate(Train train)
{
  const ResidualMap map   = train->map;
  const PetscInt    local = ParametersLocalSize(map->parameters);
  TaoProblem        p;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  train->problem = p;
  p->train       = train;
  PetscCall(VecDuplicate(train->H, &p->u));
  PetscCall(AdjointCreate(map, ADJOINT_POINTS, ADJOINT_PARAMETERS, &p->adjoint));
  PetscCall(PetscMalloc1(PetscMax(1, map->N * map->l), &p->seed));
  PetscCall(MatCreateShell(map->grid->world, local, local, map->n, map->n, p, &p->mat));
  PetscCall(MatShellSetOperation(p->mat, MATOP_MULT, (void (*)(void))MatMult_Loss));
  PetscCall(MatSetOption(p->mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(TaoSetHessian(train->tao, p->mat, p->mat, FormHessian, train));
  PetscCall(TaoSetFunctionLowerBound(train->tao, LossBound(train->loss.power, map->m, train->options->tolerance)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TaoProblemDestroy(TaoProblem *problem)
{
  TaoProblem p = *problem;

  PetscFunctionBeginUser;
  if (!p) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HessianDestroy(&p->hessian));
  PetscCall(TrajectoryDestroy(&p->trajectory));
  PetscCall(VecDestroy(&p->second));
  PetscCall(VecDestroy(&p->H));
  PetscCall(VecDestroy(&p->theta));
  PetscCall(MatDestroy(&p->mat));
  PetscCall(PetscFree(p->seed));
  PetscCall(AdjointDestroy(&p->adjoint));
  PetscCall(VecDestroy(&p->u));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}
