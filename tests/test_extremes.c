// ranks: 1 2 3 4 6
/*
  test_extremes.c: SLEPc's ends of the Hessian and the size of its kernel block, against dense matrices, on every grid; near a zero of
  the loss, where S is tiny, and after three steps, where it is not.

  The dense P S P: P from the rows of J, made orthonormal by Gram-Schmidt, so without K.
*/
#include "codim/extremes.h"
#include "codim/full.h"
#include "codim/spectrum.h"
#include "problem.h"

enum { D = 7, INPUTS = 3 };

static const HessianOptions hessian_options = {.extreme = 2, .zeros = 4};

typedef struct {
  Problem  problem;
  Tiles    K; /* its Cholesky factor */
  Spectrum spectrum;
} Point;

/* ---- a point ----------------------------------------------------------------------------------------------------- */

/* random weights, after so many steps of Levenberg-Marquardt */
static PetscErrorCode PointCreate(PetscInt G, PetscInt steps, Point *point)
{
  const NetOptions net = {.widths = {2, {8, 6}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1.5, .bias_gain = .5};
  const ReachOptions    reach    = {.method = REACH_TRAIN, .tolerance = 1e-24, .steps = steps};
  const SpectrumOptions options  = {.method = SPECTRUM_GRAM};
  PetscBool             factored = PETSC_FALSE;
  Problem              *problem  = &point->problem;
  Data                  data;
  Train                 train;
  ReachResult           result;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, INPUTS, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &point->K));
  PetscCall(TrainCreate(problem->map, &reach, &train));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, point->K, &result));
  PetscCall(TrainDestroy(&train));
  PetscCall(ProblemLinearizeHessian(problem));
  PetscCall(SpectrumCompute(problem->jacobian, &options, point->K, &factored, &point->spectrum));
  Tap((PetscBool)(factored && point->spectrum.rank == problem->map->m && result.steps <= steps),
      "on %d x %d, |H|^2 = %.1e: rank J = m, and K has a Cholesky factor", problem->grid->G, problem->grid->Q, (double)result.loss);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointDestroy(Point *point)
{
  PetscFunctionBeginUser;
  PetscCall(SpectrumDestroy(&point->spectrum));
  PetscCall(TilesDestroy(&point->K));
  PetscCall(ProblemDestroy(&point->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal LambdaMax(const Point *point)
{
  return 2 * PetscSqr(point->spectrum.sigma[0]);
}

static PetscErrorCode Solve(Point *point, const HessianOptions *options, PetscBool project, ExtremesResult *result)
{
  Extremes extremes;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(result, sizeof *result));
  PetscCall(ExtremesCreate(point->problem.map, options, &extremes));
  PetscCall(ExtremesSolve(extremes, point->problem.hessian, point->problem.jacobian, project ? point->K : NULL, LambdaMax(point),
                          result));
  PetscCall(ExtremesDestroy(&extremes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the dense kernel block -------------------------------------------------------------------------------------- */

static PetscReal Dot(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* x -= its part in the span of m orthonormal rows */
static void RemoveSpan(PetscInt m, PetscInt n, const PetscReal Q[], PetscReal x[])
{
  for (PetscInt r = 0; r < m; r++) {
    const PetscReal part = Dot(n, Q + r * n, x);

    for (PetscInt k = 0; k < n; k++) x[k] -= part * Q[r * n + k];
  }
}

/* the rows of J, made orthonormal */
static PetscErrorCode OrthonormalRows(Problem *problem, PetscReal Q[])
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  Vec            e, y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->H, &e));
  PetscCall(VecDuplicate(problem->theta, &y));
  for (PetscInt r = 0; r < m; r++) {
    PetscReal *row = Q + r * n, norm;

    PetscCall(SetUnit(e, r));
    PetscCall(VecSet(y, 0));
    PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, e, y));
    PetscCall(GetCanonical(problem->parameters, y, row));
    RemoveSpan(r, n, Q, row);
    RemoveSpan(r, n, Q, row);
    norm = PetscSqrtReal(Dot(n, row, row));
    for (PetscInt k = 0; k < n; k++) row[k] /= norm;
  }
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A = S, column by column; it is symmetric */
static PetscErrorCode DenseCurvature(Problem *problem, PetscReal A[])
{
  const PetscInt n = problem->map->n;
  Vec            e, y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, &e));
  PetscCall(VecDuplicate(problem->theta, &y));
  for (PetscInt j = 0; j < n; j++) {
    PetscCall(PetscArrayzero(A + j * n, n));
    A[j * n + j] = 1;
    PetscCall(SetCanonical(problem->parameters, A + j * n, e));
    PetscCall(HessianMult(problem->hessian, HESSIAN_CURVATURE, e, y));
    PetscCall(GetCanonical(problem->parameters, y, A + j * n));
  }
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Transpose(PetscInt n, PetscReal A[])
{
  for (PetscInt j = 0; j < n; j++)
    for (PetscInt i = 0; i < j; i++) {
      const PetscReal swap = A[j * n + i];

      A[j * n + i] = A[i * n + j];
      A[i * n + j] = swap;
    }
}

/* max |eigenvalue| of P S P */
static PetscErrorCode DenseKernel(Problem *problem, PetscReal *largest)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  PetscReal     *Q, *lambda;
  Tiles          A;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m * n, &Q, n, &lambda));
  PetscCall(TilesCreate(PETSC_COMM_SELF, n, &A));
  PetscCall(OrthonormalRows(problem, Q));
  PetscCall(DenseCurvature(problem, A->a));
  for (int side = 0; side < 2; side++) {
    for (PetscInt j = 0; j < n; j++) RemoveSpan(m, n, Q, A->a + j * n);
    Transpose(n, A->a);
  }
  PetscCall(TilesEigenvalues(A, lambda));
  *largest = PetscMax(-lambda[0], lambda[n - 1]);
  PetscCall(TilesDestroy(&A));
  PetscCall(PetscFree2(Q, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* found pairs: residuals within the tolerance, values within [low, high] but for their residual */
static PetscBool Sound(const EigenPairs *pairs, PetscReal low, PetscReal high)
{
  PetscBool sound = (PetscBool)(pairs->found <= pairs->wanted && pairs->products > 0);

  for (PetscInt k = 0; k < pairs->found; k++)
    sound = (PetscBool)(sound && pairs->residual[k] <= pairs->tolerance && pairs->value[k] >= low - pairs->residual[k] &&
                        pairs->value[k] <= high + pairs->residual[k]);
  return sound;
}

static PetscErrorCode TestEnds(Point *point, const ExtremesResult *result, PetscBool zero)
{
  const PetscInt    n       = point->problem.map->n;
  const EigenPairs *largest = &result->largest, *smallest = &result->smallest;
  FullHessian       full;
  PetscReal         difference = 0;

  PetscFunctionBeginUser;
  PetscCall(FullHessianCompute(point->problem.hessian, &full));
  for (PetscInt k = 0; k < largest->found; k++)
    difference = PetscMax(difference, PetscAbsReal(largest->value[k] - full.lambda[n - 1 - k]));
  Tap((PetscBool)(largest->found == 2 && difference <= largest->tolerance && Sound(largest, 0, full.lambda[n - 1] + full.error)),
      "... the two largest eigenvalues are those of the whole Hessian");
  Tap(Sound(smallest, full.lambda[0] - full.error, full.lambda[n - 1]), "... none is found below its least");
  Tap(Sound(&result->zeros, full.lambda[0] - full.error, full.lambda[n - 1]), "... nor among the zeros");
  if (zero) {
    TapClose(largest->value[0], LambdaMax(point), LambdaMax(point), 1e-10, "... the largest is 2 sigma_max^2");
    Tap((PetscBool)(smallest->found == 2 && PetscAbsReal(smallest->value[0] - full.lambda[0]) <= smallest->tolerance + full.error),
        "... the least is found");
  }
  PetscCall(FullHessianDestroy(&full));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* two digits are asked for; the residual's bound is a tenth of the value, which a symmetric matrix turns into a hundredth */
static PetscErrorCode TestKernel(Point *point, const ExtremesResult *result, PetscBool zero)
{
  const EigenPairs *zeros = &result->zeros, *kernel = &result->kernel;
  PetscReal         size = 0;

  PetscFunctionBeginUser;
  PetscCall(DenseKernel(&point->problem, &size));
  Tap((PetscBool)(kernel->found >= 1 && PetscAbsReal(PetscAbsReal(kernel->value[0]) - size) <= 2e-2 * size),
      "... |P S P| = %.1e, as the dense one", (double)size);
  if (zero)
    Tap((PetscBool)(zeros->found == 4 && Sound(zeros, -1.01 * size, 1.01 * size)), "... and four zeros within it are found");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestPoint(PetscInt G, PetscInt steps, PetscBool zero)
{
  Point          point;
  ExtremesResult result;
  PetscInt       products, spent;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(G, steps, &point));
  products = point.problem.hessian->products;
  PetscCall(Solve(&point, &hessian_options, PETSC_TRUE, &result));
  spent = result.largest.products + result.smallest.products + result.zeros.products + result.kernel.products;
  Tap((PetscBool)(spent == point.problem.hessian->products - products), "... %d products are spent and counted", (int)spent);
  PetscCall(TestEnds(&point, &result, zero));
  PetscCall(TestKernel(&point, &result, zero));
  PetscCall(ExtremesResultDestroy(&result));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what is not asked for, or cannot be, is not run; what the user chooses stays */
static PetscErrorCode TestChoices(PetscInt G)
{
  const HessianOptions none = {.extreme = 0, .zeros = 0};
  Point                point;
  ExtremesResult       result;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(G, 100, &point));
  PetscCall(Solve(&point, &none, PETSC_TRUE, &result));
  Tap((PetscBool)(result.largest.products == -1 && result.smallest.products == -1 && result.zeros.products == -1 &&
                  result.kernel.products == -1),
      "nothing asked for, nothing run");
  PetscCall(ExtremesResultDestroy(&result));
  PetscCall(PetscOptionsSetValue(NULL, "-zeros_eps_tol", "3e-3"));
  PetscCall(PetscOptionsSetValue(NULL, "-largest_eps_nev", "3"));
  PetscCall(Solve(&point, &hessian_options, PETSC_FALSE, &result));
  Tap((PetscBool)(result.kernel.products == -1 && result.kernel.found == 0), "without a factor of K there is no kernel block");
  Tap((PetscBool)(result.zeros.tolerance == 3e-3 && result.zeros.found == 4), "-zeros_eps_tol is obeyed");
  Tap((PetscBool)(result.largest.wanted == 3 && result.largest.found == 3), "-largest_eps_nev is obeyed");
  PetscCall(ExtremesResultDestroy(&result));
  PetscCall(PetscOptionsClearValue(NULL, "-largest_eps_nev"));
  PetscCall(PetscOptionsClearValue(NULL, "-zeros_eps_tol"));
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
    TapCall(TestPoint(G, 100, PETSC_TRUE));
    TapCall(TestPoint(G, 3, PETSC_FALSE));
  }
  TapCall(TestChoices(size));
  return TapEnd();
}
