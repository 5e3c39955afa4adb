/*
  extremes.c: see extremes.h.
*/
#include "codim/extremes.h"
#include <string.h>

#define KEY(name, type, field, value, min, max, help)                                                                              \
  {                                                                                                                                \
    "hessian_" name, type, offsetof(HessianOptions, field), value, min, max, NULL, help                                            \
  }

const OptionKey HessianKeys[] =
    {KEY("full", KEY_BOOL, full, "false", 0, 0, "assemble the whole Hessian and find every eigenvalue (n up to some thousands)"),
     KEY("extreme", KEY_INT, extreme, "2", 0, 1000, "eigenvalues of the exact Hessian wanted at each end; 0: none"),
     KEY("zeros", KEY_INT, zeros, "4", 0, 1000, "pairs wanted of the zero cluster of the exact Hessian; 0: none"),
     KEY("density", KEY_INT, density.steps, "0", 0, 100000,
         "spectral density of the exact Hessian: Lanczos steps a probe, with full reorthogonalization; 0: none"),
     KEY("density_probes", KEY_INT, density.probes, "8", 1, 100000, "random vectors of the density; its error is over these"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

enum { STREAM_START = 1 << 20 }; /* of the random start vectors; theta's is 0 */

struct Extremes_s {
  ResidualMap           map;
  const HessianOptions *options;
  EPS                   largest, smallest, zeros, kernel;

  /* while ExtremesSolve runs */
  Hessian  hessian;
  Jacobian jacobian;
  Tiles    factor; /* Cholesky factor of K; NULL: no projection */
};

/* ---- the projection onto ker J -------------------------------------------------------------------------------------------- */

/* x := x - J^T K^(-1) J x */
static PetscErrorCode ProjectOnce(Extremes e, Vec x)
{
  const Rows rows = e->map->rows;
  Vec        u;
  PetscReal *all;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(rows, &u));
  PetscCall(PetscMalloc1(rows->m, &all));
  PetscCall(JacobianMult(e->jacobian, x, u));
  PetscCall(RowsGatherAll(rows, u, all));
  PetscCall(TilesSolve(e->factor, all));
  PetscCall(RowsSetAll(rows, all, u));
  PetscCall(JacobianMultTransposeAdd(e->jacobian, -1, u, x));
  PetscCall(PetscFree(all));
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* twice is enough: the second time removes what the condition of K left */
static PetscErrorCode Project(Extremes e, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(ProjectOnce(e, x));
  PetscCall(ProjectOnce(e, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PCApply_Projection(PC pc, Vec x, Vec y)
{
  Extremes e;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &e));
  PetscCall(VecCopy(x, y));
  if (e->factor) PetscCall(ProjectOnce(e, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = P S x: x, a Krylov vector, lies in ker J already, so this is P S P x */
static PetscErrorCode MatMult_Kernel(Mat mat, Vec x, Vec y)
{
  Extremes e;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &e));
  PetscCall(HessianMult(e->hessian, HESSIAN_CURVATURE, x, y));
  PetscCall(ProjectOnce(e, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the four solvers -------------------------------------------------------------------------------------------------------- */

enum { MANY_PAIRS = 60 }; /* beyond it the projected problem is kept at that size, and the vectors in one array (BVMAT) */

/* vectors of a Krylov-Schur basis for nev pairs of a problem of size n */
static PetscInt BasisSize(PetscInt nev, PetscInt n)
{
  return PetscMin(n, nev > MANY_PAIRS ? nev + MANY_PAIRS : PetscMax(2 * nev, nev + 15));
}

static PetscErrorCode SizeBasis(EPS eps, PetscInt nev, PetscInt n)
{
  BV bv;

  PetscFunctionBeginUser;
  PetscCall(EPSSetDimensions(eps, nev, BasisSize(nev, n), nev > MANY_PAIRS ? MANY_PAIRS : PETSC_DEFAULT));
  if (nev > MANY_PAIRS) {
    PetscCall(EPSGetBV(eps, &bv));
    PetscCall(BVSetType(bv, BVMAT));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* nev at most; LOBPCG wants n >= 5 nev, and where n is smaller LAPACK takes the matrix that n products make */
static PetscErrorCode SolverCreate(Extremes e, const char prefix[], EPSType type, EPSWhich which, PetscInt nev_max, EPS *eps)
{
  const PetscInt nev = PetscMin(nev_max, e->map->n);

  PetscFunctionBeginUser;
  PetscCall(EPSCreate(e->map->grid->world, eps));
  PetscCall(EPSSetOptionsPrefix(*eps, prefix));
  PetscCall(EPSSetProblemType(*eps, EPS_HEP));
  PetscCall(EPSSetType(*eps, !strcmp(type, EPSLOBPCG) && e->map->n < 5 * nev ? EPSLAPACK : type));
  PetscCall(EPSSetWhichEigenpairs(*eps, which));
  if (!strcmp(type, EPSKRYLOVSCHUR))
    PetscCall(SizeBasis(*eps, nev, e->map->n));
  else
    PetscCall(EPSSetDimensions(*eps, nev, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(EPSSetConvergenceTest(*eps, EPS_CONV_ABS));
  PetscCall(EPSSetFromOptions(*eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesCreate(ResidualMap map, const HessianOptions *options, Extremes *extremes)
{
  Extremes e;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&e));
  e->map     = map;
  e->options = options;
  PetscCall(SolverCreate(e, "largest_", EPSKRYLOVSCHUR, EPS_LARGEST_REAL, PetscMax(1, options->extreme), &e->largest));
  PetscCall(SolverCreate(e, "smallest_", EPSLOBPCG, EPS_SMALLEST_REAL, PetscMax(1, options->extreme), &e->smallest));
  PetscCall(
      SolverCreate(e, "zeros_", EPSLOBPCG, EPS_SMALLEST_REAL, PetscMin(PetscMax(1, options->zeros), map->n - map->m), &e->zeros));
  PetscCall(SolverCreate(e, "kernel_", EPSKRYLOVSCHUR, EPS_LARGEST_MAGNITUDE, 1, &e->kernel));
  *extremes = e;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesDestroy(Extremes *extremes)
{
  PetscFunctionBeginUser;
  if (!*extremes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSDestroy(&(*extremes)->largest));
  PetscCall(EPSDestroy(&(*extremes)->smallest));
  PetscCall(EPSDestroy(&(*extremes)->zeros));
  PetscCall(EPSDestroy(&(*extremes)->kernel));
  PetscCall(PetscFree(*extremes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal ExtremesBytes(const HessianOptions *options, PetscInt n_local)
{
  const PetscInt krylov = BasisSize(options->extreme, PETSC_MAX_INT);
  const PetscInt lobpcg = 10 * PetscMax(options->extreme, options->zeros); /* X, R, P, their images, and SLEPc's copies */

  return 8. * (PetscReal)n_local * (PetscReal)(PetscMax(krylov, lobpcg) + 4);
}

/* count random vectors, in ker J if there is a projection */
static PetscErrorCode SetStart(Extremes e, EPS eps, PetscInt count, PetscInt64 stream)
{
  Vec *start;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(count, &start));
  for (PetscInt i = 0; i < count; i++) {
    PetscCall(ParametersCreateVec(e->map->parameters, &start[i]));
    PetscCall(ParametersSetRandom(e->map->parameters, 0, STREAM_START + stream + i, start[i]));
    if (e->factor && eps != e->largest) PetscCall(Project(e, start[i]));
  }
  PetscCall(EPSSetInitialSpace(eps, count, start));
  for (PetscInt i = 0; i < count; i++) PetscCall(VecDestroy(&start[i]));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UseProjection(Extremes e, EPS eps)
{
  ST        st;
  KSP       ksp;
  PC        pc;
  PetscBool lobpcg;

  PetscFunctionBeginUser;
  PetscCall(PetscObjectTypeCompare((PetscObject)eps, EPSLOBPCG, &lobpcg));
  if (!lobpcg) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSGetST(eps, &st));
  PetscCall(STSetType(st, STPRECOND));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, e));
  PetscCall(PCShellSetApply(pc, PCApply_Projection));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* our tolerance and cap, unless the user chose (PETSC_DEFAULT would forget what was chosen) */
static PetscErrorCode SetTolerance(EPS eps, PetscReal tolerance, PetscInt restarts)
{
  const char *prefix;
  PetscReal   tol;
  PetscInt    its;
  PetscBool   tol_set, its_set;

  PetscFunctionBeginUser;
  PetscCall(EPSGetOptionsPrefix(eps, &prefix));
  PetscCall(EPSGetTolerances(eps, &tol, &its));
  PetscCall(PetscOptionsHasName(NULL, prefix, "-eps_tol", &tol_set));
  PetscCall(PetscOptionsHasName(NULL, prefix, "-eps_max_it", &its_set));
  PetscCall(EPSSetTolerances(eps, tol_set ? tol : tolerance, its_set ? its : restarts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Collect(EPS eps, EigenPairs *pairs)
{
  PetscInt found;

  PetscFunctionBeginUser;
  PetscCall(EPSGetConverged(eps, &found));
  pairs->found = PetscMin(found, pairs->wanted);
  PetscCall(EPSGetTolerances(eps, &pairs->tolerance, NULL));
  PetscCall(PetscMalloc2(pairs->found, &pairs->value, pairs->found, &pairs->residual));
  for (PetscInt i = 0; i < pairs->found; i++) {
    PetscCall(EPSGetEigenvalue(eps, i, &pairs->value[i], NULL));
    PetscCall(EPSComputeError(eps, i, EPS_ERROR_ABSOLUTE, &pairs->residual[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(Extremes e, EPS eps, Mat A, PetscInt starts, PetscInt64 stream, EigenPairs *pairs)
{
  const PetscInt before = e->hessian->products;

  PetscFunctionBeginUser;
  PetscCall(EPSSetOperators(eps, A, NULL));
  PetscCall(UseProjection(e, eps));
  PetscCall(SetStart(e, eps, PetscMin(starts, e->map->n), stream));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetDimensions(eps, &pairs->wanted, NULL, NULL));
  PetscCall(Collect(eps, pairs));
  pairs->products = e->hessian->products - before;
  PetscCall(EPSReset(eps)); /* its vectors make room for the next solver's */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveKernel(Extremes e, EigenPairs *pairs)
{
  const PetscInt local = ParametersLocalSize(e->map->parameters);
  Mat            PSP;

  PetscFunctionBeginUser;
  PetscCall(MatCreateShell(e->map->grid->world, local, local, e->map->n, e->map->n, e, &PSP));
  PetscCall(MatShellSetOperation(PSP, MATOP_MULT, (void (*)(void))MatMult_Kernel));
  PetscCall(EPSSetConvergenceTest(e->kernel, EPS_CONV_REL));
  PetscCall(SetTolerance(e->kernel, 1e-1, 2)); /* the residual; the size itself is far closer, its error being of second order */
  PetscCall(Solve(e, e->kernel, PSP, 1, 1000, pairs));
  PetscCall(MatDestroy(&PSP));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesSolve(Extremes e, Hessian hessian, Jacobian jacobian, Tiles factor, PetscReal lambda_max,
                             ExtremesResult *result)
{
  const PetscReal u = PETSC_MACHINE_EPSILON / 2;
  Mat             A;

  PetscFunctionBeginUser;
  e->hessian  = hessian;
  e->jacobian = jacobian;
  e->factor   = factor;
  PetscCall(HessianCreateMat(hessian, HESSIAN_EXACT, &A));
  result->largest.products = result->smallest.products = result->zeros.products = result->kernel.products = -1;
  if (e->options->extreme) {
    PetscCall(SetTolerance(e->largest, 1e6 * u * lambda_max, 20));
    PetscCall(Solve(e, e->largest, A, 1, 2000, &result->largest));
    PetscCall(SetTolerance(e->smallest, 1e3 * u * lambda_max, 20));
    PetscCall(Solve(e, e->smallest, A, e->options->extreme, 3000, &result->smallest));
  }
  if (e->options->zeros) {
    PetscCall(SetTolerance(e->zeros, 1e3 * u * lambda_max, 20));
    PetscCall(Solve(e, e->zeros, A, e->options->zeros, 4000, &result->zeros));
    if (factor) PetscCall(SolveKernel(e, &result->kernel));
  }
  PetscCall(MatDestroy(&A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EigenPairsDestroy(EigenPairs *pairs)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(pairs->value, pairs->residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesResultDestroy(ExtremesResult *result)
{
  PetscFunctionBeginUser;
  PetscCall(EigenPairsDestroy(&result->largest));
  PetscCall(EigenPairsDestroy(&result->smallest));
  PetscCall(EigenPairsDestroy(&result->zeros));
  PetscCall(EigenPairsDestroy(&result->kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}
