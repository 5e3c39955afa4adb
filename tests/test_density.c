// ranks: 1 2 3 4
/*
  test_density.c: stochastic Lanczos quadrature against the eigenvectors of the dense Hessian, on every grid; near a zero of the loss and
  after three steps.

  A probe's measure, sum_j (v . u_j)^2 delta(lambda_j), is known from the eigenvectors: its moments up to 2k - 1 are the quadrature's, and the
  quadrature brackets it.
*/
#include "codim/density.h"
#include "codim/full.h"
#include "codim/spectrum.h"
#include "problem.h"

enum { D = 7, INPUTS = 3, STEPS = 9, PROBES = 5, MANY = 80 };

typedef struct {
  Problem    problem;
  Mat        A;
  PetscInt   n;
  PetscReal *lambda, *U; /* dense: eigenvalues ascending, eigenvectors as rows; canonical order */
} Point;

/* ---- a point, and its dense Hessian ------------------------------------------------------------------------------- */

static PetscErrorCode DenseEigenvectors(Point *point)
{
  Problem *problem = &point->problem;
  Tiles    A, vectors;
  Vec      e, y;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(point->n, &point->lambda, point->n * point->n, &point->U));
  PetscCall(TilesCreate(PETSC_COMM_SELF, point->n, &A));
  PetscCall(TilesDuplicate(A, &vectors));
  PetscCall(VecDuplicate(problem->theta, &e));
  PetscCall(VecDuplicate(problem->theta, &y));
  for (PetscInt j = 0; j < point->n; j++) {
    PetscReal *column = A->a + j * point->n;

    PetscCall(PetscArrayzero(column, point->n));
    column[j] = 1;
    PetscCall(SetCanonical(problem->parameters, column, e));
    PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, e, y));
    PetscCall(GetCanonical(problem->parameters, y, column));
  }
  PetscCall(TilesEigenvectors(A, point->lambda, vectors));
  PetscCall(PetscArraycpy(point->U, vectors->a, point->n * point->n));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&e));
  PetscCall(TilesDestroy(&vectors));
  PetscCall(TilesDestroy(&A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointCreate(PetscInt G, PetscInt steps, Point *point)
{
  const NetOptions net = {.widths = {2, {8, 6}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1.5, .bias_gain = .5};
  const ReachOptions reach   = {.method = REACH_TRAIN, .tolerance = 1e-24, .steps = steps};
  Problem           *problem = &point->problem;
  Data               data;
  Train              train;
  Tiles              K;
  ReachResult        result;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, INPUTS, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(TrainCreate(problem->map, &reach, &train));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, K, &result));
  PetscCall(TrainDestroy(&train));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemLinearizeHessian(problem));
  PetscCall(HessianCreateMat(problem->hessian, HESSIAN_EXACT, &point->A));
  point->n = problem->map->n;
  PetscCall(DenseEigenvectors(point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointDestroy(Point *point)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(point->lambda, point->U));
  PetscCall(MatDestroy(&point->A));
  PetscCall(ProblemDestroy(&point->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* mass[j] = n (v . u_j)^2 of probe p */
static void Measure(const Point *point, PetscInt p, PetscReal mass[])
{
  const PetscInt n = point->n;
  PetscReal     *v = malloc((size_t)n * sizeof *v), norm2 = 0;

  RandomNormal(0, DENSITY_STREAM + p, 0, n, v);
  for (PetscInt k = 0; k < n; k++) norm2 += v[k] * v[k];
  for (PetscInt j = 0; j < n; j++) {
    PetscReal dot = 0;

    for (PetscInt k = 0; k < n; k++) dot += v[k] * point->U[j * n + k];
    mass[j] = (PetscReal)n * dot * dot / norm2;
  }
  free(v);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* the largest difference of a moment, in units of n (largest |eigenvalue|)^power */
static PetscReal MomentError(const Point *point, const Density *density, PetscInt p, const PetscReal mass[])
{
  const PetscInt  n = point->n, k = density->nodes[p];
  const PetscReal scale = PetscMax(-point->lambda[0], point->lambda[n - 1]);
  PetscReal       worst = 0;

  for (PetscInt power = 0; power < 2 * k; power++) {
    PetscReal sum = 0;

    for (PetscInt j = 0; j < n; j++) sum += mass[j] * PetscPowRealInt(point->lambda[j] / scale, (int)power);
    for (PetscInt i = 0; i < k; i++)
      sum -= density->weight[p * density->steps + i] * PetscPowRealInt(density->node[p * density->steps + i] / scale, (int)power);
    worst = PetscMax(worst, PetscAbsReal(sum) / (PetscReal)n);
  }
  return worst;
}

/* does the bracket of every count contain the mean of the measures? at t between nodes, on a fine grid of both signs */
static PetscBool Bracketed(const Point *point, const Density *density, PetscReal *const mass[], PetscBool below)
{
  const PetscReal top = 1.1 * point->lambda[point->n - 1], rounding = 1e-9 * (PetscReal)point->n;
  PetscBool       ok = PETSC_TRUE;

  for (PetscInt g = -400; g <= 400; g++) {
    const PetscReal t = (g < 0 ? -1 : 1) * top * PetscPowReal(10, -PetscAbsReal((PetscReal)g) / 40); /* no zero is as far from 0 */
    const DensityEstimate e   = DensityCount(density, t, below);
    PetscReal             sum = 0;

    for (PetscInt p = 0; p < density->probes; p++)
      for (PetscInt j = 0; j < point->n; j++)
        if (below ? point->lambda[j] < t : point->lambda[j] > t) sum += mass[p][j] / (PetscReal)density->probes;
    ok = (PetscBool)(ok && e.low <= PetscMin(sum, e.value) + rounding && PetscMax(sum, e.value) <= e.high + rounding);
  }
  return ok;
}

static PetscErrorCode TestProbes(const Point *point, const char name[])
{
  const DensityOptions options = {STEPS, PROBES};
  PetscReal           *mass[PROBES], worst = 0, largest, residual, least, least_residual;
  Density              density;

  PetscFunctionBeginUser;
  PetscCall(DensityCompute(point->A, point->problem.parameters, &options, NULL, &density));
  Tap((PetscBool)(density.probes == PROBES && density.products >= PROBES && density.products <= PROBES * STEPS),
      "%s on %d x %d: %d probes, %d products", name, point->problem.grid->G, point->problem.grid->Q, PROBES, (int)density.products);
  for (PetscInt p = 0; p < PROBES; p++) {
    PetscCall(PetscMalloc1(point->n, &mass[p]));
    Measure(point, p, mass[p]);
    worst = PetscMax(worst, MomentError(point, &density, p, mass[p]));
  }
  Tap((PetscBool)(worst < 1e-11), "... the moments up to 2k - 1 of each probe's measure (%.1e)", (double)worst);
  Tap(Bracketed(point, &density, mass, PETSC_FALSE), "... the count above any t is bracketed");
  Tap(Bracketed(point, &density, mass, PETSC_TRUE), "... and below any t");
  DensityEnds(&density, &largest, &residual, &least, &least_residual);
  Tap((PetscBool)(largest <= point->lambda[point->n - 1] * (1 + 1e-12) && least >= point->lambda[0] - 1e-12 * largest),
      "... nodes stay within the spectrum");
  Tap((PetscBool)(largest >= point->lambda[point->n - 1] - residual - 1e-12 * largest),
      "... the largest is where its residual says");
  for (PetscInt p = 0; p < PROBES; p++) PetscCall(PetscFree(mass[p]));
  PetscCall(DensityDestroy(&density));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* with as many steps as there are eigenvalues only the random weights are left: the error bars must tell. 4.5 standard errors of 80 probes
   are missed once in 10^4 times; the probes are the same in each run */
static PetscErrorCode TestErrorBars(const Point *point, const char name[])
{
  const PetscInt       n          = point->n;
  const DensityOptions options    = {n, MANY};
  const PetscReal      lambda_max = point->lambda[n - 1];
  PetscReal            trace = 0, square = 0;
  PetscBool            ok = PETSC_TRUE, positive = PETSC_TRUE;
  Density              density;
  DensityEstimate      e;

  PetscFunctionBeginUser;
  PetscCall(DensityCompute(point->A, point->problem.parameters, &options, NULL, &density));
  for (PetscInt g = 1; g < 12; g += 2) { /* t away from eigenvalues: halfway in the gap that 10^(-g/2) lambda_max lies in */
    PetscReal t     = lambda_max * PetscPowReal(10, -(PetscReal)g / 2);
    PetscInt  above = 0;

    while (above < n && point->lambda[n - 1 - above] > t) above++;
    if (above == n || above == 0) continue;
    t        = (point->lambda[n - 1 - above] + point->lambda[n - above]) / 2;
    e        = DensityCount(&density, t, PETSC_FALSE);
    ok       = (PetscBool)(ok && PetscAbsReal(e.value - (PetscReal)above) <= 4.5 * e.error + 1e-6 && e.low <= e.value &&
                     e.value <= e.high);
    positive = (PetscBool)(positive && e.error > 0 && e.error < 2);
  }
  Tap(ok, "%s: counts by %d probes of n steps are those of the whole spectrum, within 4.5 errors", name, MANY);
  Tap(positive, "... which are neither 0 nor large");
  for (PetscInt j = 0; j < n; j++) {
    trace += point->lambda[j];
    square += PetscSqr(point->lambda[j]);
  }
  e = DensityTrace(&density, 1);
  Tap((PetscBool)(PetscAbsReal(e.value - trace) <= 4.5 * e.error), "... the trace is");
  e = DensityTrace(&density, 2);
  Tap((PetscBool)(PetscAbsReal(e.value - square) <= 4.5 * e.error), "... and that of the square");
  PetscCall(DensityDestroy(&density));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at a zero: m positive eigenvalues; so few steps that some of them go to the node next to 0 */
static PetscErrorCode TestBias(const Point *point)
{
  const PetscInt       n = point->n, m = point->problem.map->m, zeros = n - m;
  const DensityOptions options = {STEPS, PROBES};
  PetscReal            lambda[D], norm2;
  Density              known, sampled;
  DensityEstimate      e;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < m; k++) lambda[k] = point->lambda[n - 1 - k];
  PetscCall(DensityOfSpectrum(n, m, lambda, 3, &known));
  e = DensityNearZero(&known);
  Tap((PetscBool)(e.value > (PetscReal)zeros + .5 && e.low <= (PetscReal)n && e.high <= (PetscReal)n + 1e-6),
      "three steps on the known spectrum count %.2f zeros too many: the bias is seen without any randomness",
      (double)(e.value - (PetscReal)zeros));
  Tap((PetscBool)(known.products == 3 && PetscIsInfReal(e.error)), "... and nothing is said of an error over probes");
  PetscCall(DensityDestroy(&known));
  PetscCall(DensityOfSpectrum(n, m, lambda, 20, &known));
  e = DensityNearZero(&known);
  Tap((PetscBool)(known.nodes[0] == m + 1 && known.exact[0]), "m + 1 steps are enough for m + 1 eigenvalues");
  TapClose(e.value, (PetscReal)zeros, (PetscReal)n, 1e-10, "... and then the zeros are counted exactly");
  TapClose(e.high, e.low, (PetscReal)n, 1e-12, "... without a bracket");
  TapClose(DensityCount(&known, .5 * lambda[m - 1], PETSC_FALSE).value, (PetscReal)m, (PetscReal)m, 1e-9,
           "... as the positive ones");
  PetscCall(JacobianNormSquared(point->problem.jacobian, &norm2));
  TapClose(DensityTrace(&known, 1).value, 2 * norm2, norm2, 1e-10, "... the trace is 2 |J|_F^2");
  PetscCall(DensityDestroy(&known));
  PetscCall(DensityCompute(point->A, point->problem.parameters, &options, NULL, &sampled));
  e = DensityTrace(&sampled, 1);
  Tap((PetscBool)(PetscAbsReal(e.value - 2 * norm2) <= 6 * e.error), "few probes: the trace within 6 errors of 2 |J|_F^2");
  Tap((PetscBool)(sampled.nodes[0] <= m + 2), "the sampled quadrature stops at the invariant space, too: %d nodes",
      (int)sampled.nodes[0]);
  PetscCall(DensityDestroy(&sampled));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;
  Point       point;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(PointCreate(G, 3, &point));
    TapCall(TestProbes(&point, "after three steps"));
    if (G == size) TapCall(TestErrorBars(&point, "after three steps"));
    TapCall(PointDestroy(&point));
    TapCall(PointCreate(G, 100, &point));
    TapCall(TestProbes(&point, "at a zero"));
    TapCall(TestBias(&point));
    TapCall(PointDestroy(&point));
  }
  return TapEnd();
}
