/*
  look.c: see look.h.
*/
#include "codim/look.h"
#include "codim/checkpoint.h"
#include "codim/kernel.h"
#include "lanczos.h"
#include <math.h>

enum {
  STREAM_LOOK     = (1 << 22) + (1 << 20),
  CURVATURE_STEPS = 10,
  KERNEL_STEPS    = 30,
  KERNEL_PROBES   = 3,
  BASIS_MAX       = 60,
  DAVIDSON_STEPS  = 200
};

struct Looker_s {
  ResidualMap        map;
  const LookOptions *options;
  EPS                largest, smallest;

  /* while LookAt runs */
  Hessian  hessian;
  Jacobian jacobian;
  Tiles    K, factor; /* of K + (mu/2) I */
  Look    *look;
};

static PetscErrorCode SolverCreate(Looker l, const char prefix[], EPSType type, EPSWhich which, EPS *eps)
{
  PetscFunctionBeginUser;
  PetscCall(EPSCreate(l->map->grid->world, eps));
  PetscCall(EPSSetOptionsPrefix(*eps, prefix));
  PetscCall(EPSSetProblemType(*eps, EPS_HEP));
  PetscCall(EPSSetType(*eps, type));
  PetscCall(EPSSetWhichEigenpairs(*eps, which));
  PetscCall(EPSSetDimensions(*eps, PetscMax(1, l->options->extreme), PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(EPSSetConvergenceTest(*eps, EPS_CONV_ABS));
  PetscCall(EPSSetFromOptions(*eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LookerCreate(ResidualMap map, const LookOptions *options, Looker *looker)
{
  Looker l;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&l));
  l->map     = map;
  l->options = options;
  PetscCall(SolverCreate(l, "look_largest_", EPSKRYLOVSCHUR, EPS_LARGEST_REAL, &l->largest));
  PetscCall(SolverCreate(l, "look_smallest_", EPSGD, EPS_SMALLEST_REAL, &l->smallest));
  *looker = l;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LookerDestroy(Looker *looker)
{
  PetscFunctionBeginUser;
  if (!*looker) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSDestroy(&(*looker)->largest));
  PetscCall(EPSDestroy(&(*looker)->smallest));
  PetscCall(PetscFree(*looker));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void LookCost(const Sizes *s, const LookOptions *options, Cost *cost)
{
  const PetscReal kernel = KERNEL_STEPS * KERNEL_PROBES, ends = options->full ? 0 : 2 * (BASIS_MAX + DAVIDSON_STEPS);
  const PetscReal density = (PetscReal)options->density.steps * (PetscReal)options->density.probes;
  Cost            look = {.bytes = 0}, product = {.bytes = 0}, projection = {.bytes = 0};

  JacobianMultCost(s, &projection);
  TilesSolveCost(s, &projection);
  JacobianMultTransposeAddCost(s, &projection);
  HessianMultCost(s, &product);
  GramCost(s, &look);
  TilesEigenvaluesCost(s, &look);
  TilesCholeskyCost(s, &look);
  TilesCholeskyCost(s, &look);
  CostAdd(&look, &product, CURVATURE_STEPS + kernel + ends + density);
  CostAdd(&look, &projection, 2 * kernel + ends / 2);
  if (options->full) FullHessianCost(s, &look);
  CostHold(&look,
           2 * SizesTiles(s) + HessianBytes(s) + 8 * s->local * (PetscReal)PetscMax(BASIS_MAX + 4, options->density.steps + 3));
  CostAdd(cost, &look, 1);
}

/* ---- K and S ---------------------------------------------------------------------------------------------------------------------- */

/* 2 lambda(K), both ends, by all its eigenvalues */
static PetscErrorCode GaussNewton(Looker l)
{
  PetscReal frobenius2, *lambda;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(l->jacobian, l->K));
  PetscCall(TilesNorms(l->K, NULL, &frobenius2, NULL));
  if (!isfinite(frobenius2)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(l->map->m, &lambda));
  PetscCall(TilesCopy(l->K, l->factor));
  PetscCall(TilesEigenvalues(l->factor, lambda));
  l->look->gauss_newton_least   = 2 * lambda[0];
  l->look->gauss_newton_largest = 2 * lambda[l->map->m - 1];
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the largest |node| of a few Lanczos steps on S */
static PetscErrorCode Curvature(Looker l)
{
  PetscReal  node[CURVATURE_STEPS], weight[CURVATURE_STEPS], residual[CURVATURE_STEPS];
  Quadrature q = {.node = node, .weight = weight, .residual = residual};
  Vec        v;
  BV         V;
  Mat        S;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(l->map->parameters, &v));
  PetscCall(ParametersSetRandom(l->map->parameters, 0, STREAM_LOOK, v));
  PetscCall(LanczosCreateBasis(v, PetscMin(CURVATURE_STEPS, l->map->n), &V));
  PetscCall(HessianCreateMat(l->hessian, HESSIAN_CURVATURE, &S));
  PetscCall(LanczosQuadrature(S, v, V, NULL, &q));
  l->look->curvature = PetscMax(PetscAbsReal(node[0]), PetscAbsReal(node[q.k - 1]));
  PetscCall(MatDestroy(&S));
  PetscCall(BVDestroy(&V));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- both ends ---------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode PCApply_Shifted(PC pc, Vec x, Vec y)
{
  Looker l;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &l));
  PetscCall(VecCopy(x, y));
  PetscCall(KernelProject(l->jacobian, l->factor, 1, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Precondition(Looker l, EPS eps)
{
  ST        st;
  KSP       ksp;
  PC        pc;
  PetscBool takes;

  PetscFunctionBeginUser;
  PetscCall(PetscObjectTypeCompareAny((PetscObject)eps, &takes, EPSGD, EPSJD, EPSLOBPCG, ""));
  if (!takes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSGetST(eps, &st));
  PetscCall(STSetType(st, STPRECOND));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, l));
  PetscCall(PCShellSetApply(pc, PCApply_Shifted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at most LOOK_EXTREMES pairs that converged to the tolerance in so many iterations; ours, unless the user chose */
static PetscErrorCode Solve(Looker l, EPS eps, Mat A, PetscReal tolerance, PetscInt iterations, PetscReal value[],
                            PetscReal residual[])
{
  const char *prefix;
  PetscReal   tol;
  PetscInt    its, found;
  PetscBool   tol_set, its_set;
  Vec         start;

  PetscFunctionBeginUser;
  PetscCall(EPSGetOptionsPrefix(eps, &prefix));
  PetscCall(EPSGetTolerances(eps, &tol, &its));
  PetscCall(PetscOptionsHasName(NULL, prefix, "-eps_tol", &tol_set));
  PetscCall(PetscOptionsHasName(NULL, prefix, "-eps_max_it", &its_set));
  PetscCall(EPSSetTolerances(eps, tol_set ? tol : tolerance, its_set ? its : iterations));
  PetscCall(ParametersCreateVec(l->map->parameters, &start));
  PetscCall(ParametersSetRandom(l->map->parameters, 0, STREAM_LOOK + 1, start));
  if (eps == l->smallest) PetscCall(KernelProject(l->jacobian, l->factor, 1, start));
  PetscCall(EPSSetOperators(eps, A, NULL));
  PetscCall(EPSSetInitialSpace(eps, 1, &start));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, &found));
  for (PetscInt i = 0; i < PetscMin(found, PetscMin(l->options->extreme, LOOK_EXTREMES)); i++) {
    PetscCall(EPSGetEigenvalue(eps, i, &value[i], NULL));
    PetscCall(EPSComputeError(eps, i, EPS_ERROR_ABSOLUTE, &residual[i]));
  }
  PetscCall(EPSReset(eps));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Close to M the low end comes from the kernel block: it differs from that by |S|^2 over 2 lambda_min(K) at most, where products with the exact Hessian
   have rounding errors on the scale of its largest eigenvalue. */
PetscBool LookIsNearM(const Look *look)
{
  return (PetscBool)(look->curvature <= 1e-5 * look->gauss_newton_least);
}

/* K + (mu/2) I has a Cholesky factor for every mu well above K's rounding errors */
static PetscErrorCode Ends(Looker l, Mat A)
{
  Look           *look  = l->look;
  const PetscReal scale = PetscMax(look->gauss_newton_largest, look->curvature), least = 1e-12 * scale;
  const PetscReal mu = PetscMax(look->curvature, least);
  PetscBool       factored;

  PetscFunctionBeginUser;
  if (!l->options->extreme) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Solve(l, l->largest, A, 1e-8 * scale, 100, look->largest, look->largest_residual));
  if (LookIsNearM(look)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TilesCopy(l->K, l->factor));
  PetscCall(TilesShift(l->factor, mu / 2));
  PetscCall(TilesCholesky(l->factor, &factored));
  if (!factored) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Precondition(l, l->smallest));
  PetscCall(Solve(l, l->smallest, A, PetscMax(1e-3 * mu, 1e-12 * scale), DAVIDSON_STEPS, look->smallest, look->smallest_residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the kernel block ------------------------------------------------------------------------------------------------------------------ */

static PetscErrorCode ProjectProbe(void *context, Vec v)
{
  Looker l = (Looker)context;

  PetscFunctionBeginUser;
  PetscCall(KernelProject(l->jacobian, l->K, 2, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KernelBlock(Looker l)
{
  const ResidualMap    map     = l->map;
  const DensityOptions options = {KERNEL_STEPS, KERNEL_PROBES};
  const DensitySpace   space   = {map->n - map->m, ProjectProbe, l};
  PetscReal            largest, least, residual;
  PetscBool            factored;
  DensityEstimate      square, negative;
  Density              density;
  Mat                  PSP;

  PetscFunctionBeginUser;
  PetscCall(TilesCholesky(l->K, &factored));
  if (!factored) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(KernelCreateMat(l->hessian, l->jacobian, l->K, 2, &PSP));
  PetscCall(DensityCompute(PSP, map->parameters, &options, &space, &density));
  PetscCall(MatDestroy(&PSP));
  DensityEnds(&density, &largest, &residual, &least, &residual);
  square                         = DensityTrace(&density, 2);
  negative                       = DensitySide(&density, PETSC_TRUE);
  l->look->kernel_largest        = PetscMax(largest, -least);
  l->look->kernel_rms            = PetscSqrtReal(square.value / (PetscReal)space.dimension);
  l->look->kernel_rms_error      = square.value > 0 ? .5 * square.error / square.value * l->look->kernel_rms : 0;
  l->look->kernel_negative       = negative.value / (PetscReal)space.dimension;
  l->look->kernel_positive       = DensitySide(&density, PETSC_FALSE).value / (PetscReal)space.dimension;
  l->look->kernel_negative_error = negative.error / (PetscReal)space.dimension;
  if (LookIsNearM(l->look) && l->options->extreme && !l->options->full) {
    l->look->smallest[0]          = least;
    l->look->smallest_residual[0] = residual + PetscSqr(l->look->curvature) / l->look->gauss_newton_least;
  }
  PetscCall(DensityDestroy(&density));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- counts ------------------------------------------------------------------------------------------------------------------------------- */

static PetscReal Threshold(const LookOptions *options, PetscInt k)
{
  return PetscPowReal(10, (PetscReal)options->thresholds.v[k]);
}

static void CountByDensity(const LookOptions *options, const Density *density, Look *look)
{
  for (PetscInt k = 0; k < PetscMin(options->thresholds.n, LOOK_THRESHOLDS); k++) {
    const DensityEstimate above = DensityCount(density, Threshold(options, k), PETSC_FALSE);
    const DensityEstimate below = DensityCount(density, -Threshold(options, k), PETSC_TRUE);

    look->above[k]       = above.value;
    look->above_error[k] = above.error;
    look->below[k]       = below.value;
    look->below_error[k] = below.error;
  }
}

/* by every eigenvalue: both ends and all counts */
static void CountAll(const LookOptions *options, const FullHessian *full, Look *look)
{
  const PetscInt n = full->n;

  for (PetscInt k = 0; k < PetscMin(options->thresholds.n, LOOK_THRESHOLDS); k++) {
    look->above[k] = look->below[k] = look->above_error[k] = look->below_error[k] = 0;
    for (PetscInt i = 0; i < n; i++) {
      look->above[k] += full->lambda[i] > Threshold(options, k);
      look->below[k] += full->lambda[i] < -Threshold(options, k);
    }
  }
  look->resolution = full->error;
  look->positive = look->negative = 0;
  for (PetscInt i = 0; i < n; i++) {
    look->positive += full->lambda[i] > full->error;
    look->negative += full->lambda[i] < -full->error;
  }
  for (PetscInt i = 0; i < PetscMin(options->extreme, PetscMin(n, LOOK_EXTREMES)); i++) {
    look->largest[i]          = full->lambda[n - 1 - i];
    look->smallest[i]         = full->lambda[i];
    look->largest_residual[i] = look->smallest_residual[i] = full->error;
  }
}

/* ---- a look -------------------------------------------------------------------------------------------------------------------------------- */

static void Clear(Look *look)
{
  PetscReal *value = (PetscReal *)look;

  for (size_t i = 0; i < sizeof *look / sizeof *value; i++) value[i] = NAN;
}

static PetscErrorCode Loss(Looker l, Vec H)
{
  Vec g;

  PetscFunctionBeginUser;
  PetscCall(VecDot(H, H, &l->look->loss));
  PetscCall(ParametersCreateVec(l->map->parameters, &g));
  PetscCall(JacobianMultTransposeAdd(l->jacobian, 2, H, g));
  PetscCall(VecNorm(g, NORM_2, &l->look->gradient));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Whole(Looker l, Density *density)
{
  const LookOptions *options = l->options;
  FullHessian        full    = {0};
  Mat                A;

  PetscFunctionBeginUser;
  PetscCall(HessianCreateMat(l->hessian, HESSIAN_EXACT, &A));
  if (!options->full) PetscCall(Ends(l, A));
  if (options->density.steps && density) {
    PetscCall(DensityCompute(A, l->map->parameters, &options->density, NULL, density));
    CountByDensity(options, density, l->look);
  }
  PetscCall(MatDestroy(&A));
  if (!options->full) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FullHessianCompute(l->hessian, &full));
  CountAll(options, &full, l->look);
  PetscCall(FullHessianDestroy(&full));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LookAt(Looker l, Jacobian jacobian, Vec H, Tiles K, Look *look, Density *density)
{
  PetscFunctionBeginUser;
  Clear(look);
  l->look     = look;
  l->jacobian = jacobian;
  l->K        = K;
  PetscCall(Loss(l, H));
  if (!isfinite(look->loss)) PetscFunctionReturn(PETSC_SUCCESS);
  CheckpointHold(PETSC_TRUE);
  PetscCall(TilesDuplicate(K, &l->factor));
  PetscCall(HessianCreate(l->map, &l->hessian));
  PetscCall(HessianLinearize(l->hessian, jacobian->theta, jacobian->trajectory, H));
  PetscCall(GaussNewton(l));
  if (isfinite(look->gauss_newton_largest)) {
    PetscCall(Curvature(l));
    PetscCall(Whole(l, density));
    PetscCall(KernelBlock(l));
  }
  PetscCall(HessianDestroy(&l->hessian));
  PetscCall(TilesDestroy(&l->factor));
  CheckpointHold(PETSC_FALSE);
  PetscFunctionReturn(PETSC_SUCCESS);
}
