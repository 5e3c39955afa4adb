// ranks: 1 2 3 4
/*
  test_path.c: a look against the dense Hessian, far from M, near it and on it; paths by SGD, Tao and files, followed by Levenberg-Marquardt.
*/
#include "codim/path.h"
#include "codim/store.h"
#include "problem.h"
#include <math.h>
#include <unistd.h>

enum { D = 7, INPUTS = 3 };

typedef struct {
  Problem problem;
  Tiles   K;
} Point;

static PetscErrorCode PointCreate(PetscInt G, Point *point)
{
  const NetOptions net = {.widths = {2, {8, 6}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1.5, .bias_gain = .5};
  Data             data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, INPUTS, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &point->problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, point->problem.map->m, &point->K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointDestroy(Point *point)
{
  PetscFunctionBeginUser;
  PetscCall(TilesDestroy(&point->K));
  PetscCall(ProblemDestroy(&point->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* so many steps of Levenberg-Marquardt */
static PetscErrorCode Descend(Point *point, PetscInt steps, ReachResult *result)
{
  const ReachOptions reach   = {.method = REACH_TRAIN, .tolerance = 1e-24, .steps = steps};
  Problem           *problem = &point->problem;
  Train              train;

  PetscFunctionBeginUser;
  PetscCall(TrainCreate(problem->map, &reach, &train));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, point->K, result));
  PetscCall(TrainDestroy(&train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- a look ---------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Look1(Point *point, PetscBool full, Look *look, Density *density)
{
  const LookOptions options = {.extreme = 2, .thresholds = {3, {-9, -1, 1}}, .density = {40, 8}, .full = full};
  Problem          *problem = &point->problem;
  Looker            looker;

  PetscFunctionBeginUser;
  PetscCall(LookerCreate(problem->map, &options, &looker));
  PetscCall(LookAt(looker, problem->jacobian, problem->H, point->K, look, density));
  PetscCall(LookerDestroy(&looker));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* eigenvalues of PSP by the dense S: rms = |P S P|_F / sqrt(n - m), P from orthonormal rows of J */
static PetscErrorCode DenseKernel(Problem *problem, PetscReal *rms)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  PetscReal     *Q, *A, sum = 0;
  Vec            e, y, u;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m * n, &Q, n * n, &A));
  PetscCall(VecDuplicate(problem->theta, &e));
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(VecDuplicate(problem->H, &u));
  for (PetscInt r = 0; r < m; r++) {
    PetscReal norm = 0;

    PetscCall(SetUnit(u, r));
    PetscCall(VecSet(y, 0));
    PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, y));
    PetscCall(GetCanonical(problem->parameters, y, Q + r * n));
    for (PetscInt twice = 0; twice < 2; twice++)
      for (PetscInt s = 0; s < r; s++) {
        PetscReal dot = 0;

        for (PetscInt k = 0; k < n; k++) dot += Q[r * n + k] * Q[s * n + k];
        for (PetscInt k = 0; k < n; k++) Q[r * n + k] -= dot * Q[s * n + k];
      }
    for (PetscInt k = 0; k < n; k++) norm += PetscSqr(Q[r * n + k]);
    for (PetscInt k = 0; k < n; k++) Q[r * n + k] /= PetscSqrtReal(norm);
  }
  PetscCall(ProblemLinearizeHessian(problem));
  for (PetscInt j = 0; j < n; j++) {
    PetscCall(PetscArrayzero(A + j * n, n));
    A[j * n + j] = 1;
    PetscCall(SetCanonical(problem->parameters, A + j * n, e));
    PetscCall(HessianMult(problem->hessian, HESSIAN_CURVATURE, e, y));
    PetscCall(GetCanonical(problem->parameters, y, A + j * n));
  }
  PetscCall(HessianDestroy(&problem->hessian));
  for (PetscInt side = 0; side < 2; side++) { /* A := A P, then its transpose */
    for (PetscInt j = 0; j < n; j++)
      for (PetscInt r = 0; r < m; r++) {
        PetscReal dot = 0;

        for (PetscInt k = 0; k < n; k++) dot += A[j * n + k] * Q[r * n + k];
        for (PetscInt k = 0; k < n; k++) A[j * n + k] -= dot * Q[r * n + k];
      }
    for (PetscInt j = 0; j < n; j++)
      for (PetscInt k = 0; k < j; k++) {
        const PetscReal swap = A[j * n + k];

        A[j * n + k] = A[k * n + j];
        A[k * n + j] = swap;
      }
  }
  for (PetscInt k = 0; k < n * n; k++) sum += A[k] * A[k];
  *rms = PetscSqrtReal(sum / (PetscReal)(n - m));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&e));
  PetscCall(PetscFree2(Q, A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestLook(PetscInt G, PetscInt steps)
{
  Point       point;
  ReachResult result;
  Look        look, full;
  Density     density = {0}, second = {0};
  PetscReal   rms = 0, scale, error;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(G, &point));
  PetscCall(Descend(&point, steps, &result));
  PetscCall(Look1(&point, PETSC_FALSE, &look, &density));
  PetscCall(Look1(&point, PETSC_TRUE, &full, &second));
  scale = full.largest[0];
  error = PetscAbsReal(look.largest[0] - full.largest[0]) + PetscAbsReal(look.largest[1] - full.largest[1]);
  Tap((PetscBool)(error <= 1e-7 * scale), "%d x %d, loss %.1e: the two largest eigenvalues are the whole Hessian's",
      point.problem.grid->G, point.problem.grid->Q, (double)look.loss);
  error = PetscAbsReal(look.smallest[0] - full.smallest[0]);
  Tap((PetscBool)(error <= look.smallest_residual[0] + full.resolution + 1e-12 * scale &&
                  look.smallest_residual[0] <= 1e-2 * look.curvature + 1e-11 * scale),
      "... the most negative, %.2e, is found, whatever the loss", (double)look.smallest[0]);
  Tap((PetscBool)(look.gauss_newton_largest > 0 && look.gauss_newton_least > 0 &&
                  PetscAbsReal(look.gauss_newton_largest - full.gauss_newton_largest) <= 1e-12 * scale),
      "... the ends of 2 lambda(K)");
  PetscCall(DenseKernel(&point.problem, &rms));
  Tap((PetscBool)(PetscAbsReal(look.kernel_rms - rms) <= 5 * look.kernel_rms_error + 1e-6 * rms),
      "... the kernel block's size, %.2e +- %.0e, dense %.2e", (double)look.kernel_rms, (double)look.kernel_rms_error, (double)rms);
  Tap((PetscBool)(look.kernel_largest > rms && look.kernel_negative >= 0 &&
                  look.kernel_negative + look.kernel_positive <= 1 + 1e-12),
      "... shares are shares");
  Tap((PetscBool)(PetscAbsReal(look.above[2] - full.above[2]) <= 5 * look.above_error[2] + 1e-6),
      "... eigenvalues above 10: %.1f +- %.1f, exactly %.0f", (double)look.above[2], (double)look.above_error[2],
      (double)full.above[2]);
  Tap((PetscBool)(full.positive + full.negative <= point.problem.map->n && full.above[0] <= full.positive &&
                  full.below[1] <= full.negative),
      "... and exact counts agree with each other");
  PetscCall(DensityDestroy(&density));
  PetscCall(DensityDestroy(&second));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- paths ------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode RunPath(Point *point, const PathOptions *options, Path *path)
{
  Problem *problem = &point->problem;

  PetscFunctionBeginUser;
  PetscCall(PathCreate(problem->map, options, path));
  PetscCall(PathRun(*path, problem->theta, problem->trajectory, problem->H, problem->jacobian, point->K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sgd, then Levenberg-Marquardt: the same looks as by hand, to M */
static PetscErrorCode TestSgd(PetscInt G)
{
  const PathOptions  options = {.method = PATH_SGD,
                                .steps  = 60,
                                .sgd    = {3, .02, .9, 5},
                                .at     = {3, {60, 0, 7}},
                                .look   = {.extreme = 1, .thresholds = {1, {0}}, .full = PETSC_TRUE}};
  const ReachOptions reach   = {.method = REACH_TRAIN, .tolerance = 1e-24, .steps = 100};
  Point              point, alone;
  Problem           *problem = &point.problem;
  Path               path;
  Sgd                sgd;
  Train              train;
  ReachResult        result;
  PetscInt           count;
  const Look        *looks;
  PetscReal          difference, norm;
  char               text[512];

  PetscFunctionBeginUser;
  PetscCall(PointCreate(G, &point));
  PetscCall(PointCreate(G, &alone));
  PetscCall(SgdCreate(alone.problem.map, &options.sgd, &sgd));
  for (PetscInt step = 0; step < 60; step++) PetscCall(SgdStep(sgd, step, alone.problem.theta));
  PetscCall(SgdDestroy(&sgd));
  PetscCall(RunPath(&point, &options, &path));
  PathLooks(path, &count, &looks, NULL);
  Tap((PetscBool)(count == 3 && looks[0].step == 0 && looks[1].step == 7 && looks[2].step == 60 && looks[2].loss < looks[0].loss),
      "%d x %d: sgd is looked at where it was asked", problem->grid->G, problem->grid->Q);
  PetscCall(VecNorm(problem->theta, NORM_2, &norm));
  PetscCall(VecAXPY(alone.problem.theta, -1, problem->theta));
  PetscCall(VecNorm(alone.problem.theta, NORM_2, &difference));
  Tap((PetscBool)(difference == 0), "... looking changes nothing");
  PetscCall(TrainCreate(problem->map, &reach, &train));
  PathFollow(path, train, problem->theta, problem->trajectory, problem->H, problem->jacobian, point.K);
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, point.K, &result));
  PetscCall(TrainDestroy(&train));
  PathLooks(path, &count, &looks, NULL);
  Tap((PetscBool)(count == 3 + result.steps && looks[count - 1].loss == result.loss && result.loss <= 1e-24),
      "... then each step of Levenberg-Marquardt, to loss %.1e", (double)result.loss);
  Tap((PetscBool)(looks[count - 1].positive == problem->map->m && looks[count - 1].negative == 0 && looks[0].negative > 0),
      "... from %d negative eigenvalues to m positive ones and none negative", (int)looks[0].negative);
  PathDescribe(path, sizeof text, text);
  Tap((PetscBool)(strstr(text, "looks, loss") != NULL), "... in words: %.60s", text);
  PetscCall(PathDestroy(&path));
  PetscCall(PointDestroy(&alone));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestTao(PetscInt G)
{
  const PathOptions options = {.method = PATH_TAO, .steps = 15, .looks = 4, .look = {.extreme = 1}};
  Point             point;
  Path              path;
  PetscInt          count;
  const Look       *looks;
  PetscReal         loss;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(G, &point));
  PetscCall(RunPath(&point, &options, &path));
  PathLooks(path, &count, &looks, NULL);
  PetscCall(VecDot(point.problem.H, point.problem.H, &loss));
  Tap((PetscBool)(count >= 3 && looks[0].step == 0 && looks[count - 1].loss < .1 * looks[0].loss && looks[count - 1].loss == loss),
      "Tao's lmvm: %d looks, loss %.1e -> %.1e, theta is at the last", (int)count, (double)looks[0].loss, (double)loss);
  PetscCall(PathDestroy(&path));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* step-9 comes before step-10 */
static PetscErrorCode TestFiles(PetscInt G)
{
  PathOptions      options = {.method = PATH_FILES, .look = {.extreme = 1}};
  static const int steps[] = {10, 9, 2};
  Point            point;
  Path             path;
  PetscInt         count;
  const Look      *looks;
  PetscReal        loss[3];
  int              id = (int)getpid(), rank;
  char             name[3][96];

  PetscFunctionBeginUser;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Bcast(&id, 1, MPI_INT, 0, PETSC_COMM_WORLD);
  PetscCall(PointCreate(G, &point));
  for (int i = 0; i < 3; i++) {
    snprintf(name[i], sizeof name[i], "/tmp/codim-path-%d-step-%d.safetensors", id, steps[i]);
    PetscCall(VecScale(point.problem.theta, 1.1));
    PetscCall(ProblemLinearize(&point.problem));
    PetscCall(VecDot(point.problem.H, point.problem.H, &loss[i]));
    PetscCall(WeightsWrite(point.problem.parameters, point.problem.theta, name[i]));
  }
  snprintf(options.files, sizeof options.files, "/tmp/codim-path-%d-step-*.safetensors", id);
  PetscCall(RunPath(&point, &options, &path));
  PathLooks(path, &count, &looks, NULL);
  Tap((PetscBool)(count == 3 && PetscAbsReal(looks[0].loss - loss[2]) < 1e-12 * loss[2] &&
                  PetscAbsReal(looks[1].loss - loss[1]) < 1e-12 * loss[1] &&
                  PetscAbsReal(looks[2].loss - loss[0]) < 1e-12 * loss[0]),
      "a series of files in the order of the numbers in their names");
  PetscCall(PathDestroy(&path));
  for (int i = 0; i < 3 && rank == 0; i++) (void)unlink(name[i]);
  MPI_Barrier(PETSC_COMM_WORLD);
  Tap((PetscBool)(PathCreate(point.problem.map, &options, &path) == PETSC_ERR_USER), "no file of that name is a user error");
  PetscCall(PathDestroy(&path));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "32" : "3"));
    TapCall(TestLook(G, 0));
    TapCall(TestLook(G, 5));
    TapCall(TestLook(G, 100));
    TapCall(TestSgd(G));
  }
  TapCall(TestTao(size));
  TapCall(TestFiles(size));
  return TapEnd();
}
