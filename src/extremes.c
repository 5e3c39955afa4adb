/*
  extremes.c: see extremes.h.
*/
#include "codim/extremes.h"
#include "codim/checkpoint.h"
#include "codim/kernel.h"
#include "rounding.h"
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

enum { LARGEST, SMALLEST, ZEROS, KERNEL, SOLVERS }; /* in the order in which they run */

/* tolerance: absolute, times u lambda_max; kernel's is relative, on the residual: the size itself is far closer, its error being of second order */
typedef struct {
  const char *prefix;
  EPSType     type;
  EPSWhich    which;
  EPSConv     test;
  PetscReal   tolerance;
  PetscInt    restarts, stream;
} Plan;

static const Plan Plans[SOLVERS] = {[LARGEST]  = {"largest_", EPSKRYLOVSCHUR, EPS_LARGEST_REAL, EPS_CONV_ABS, 1e6, 20, 2000},
                                    [SMALLEST] = {"smallest_", EPSLOBPCG, EPS_SMALLEST_REAL, EPS_CONV_ABS, 1e3, 20, 3000},
                                    [ZEROS]    = {"zeros_", EPSLOBPCG, EPS_SMALLEST_REAL, EPS_CONV_ABS, 1e3, 20, 4000},
                                    [KERNEL]   = {"kernel_", EPSKRYLOVSCHUR, EPS_LARGEST_MAGNITUDE, EPS_CONV_REL, 1e-1, 2, 1000}};

struct Extremes_s {
  ResidualMap           map;
  const HessianOptions *options;
  EPS                   eps[SOLVERS];
  PetscBool             relative[SOLVERS];

  /* while ExtremesSolve runs */
  Hessian         hessian;
  Jacobian        jacobian;
  Tiles           factor; /* Cholesky factor of K; NULL: no projection */
  PetscReal       lambda_max;
  ExtremesResult *result;

  /* the solver that runs, and where it goes on from: what it had after so many iterations. kept: vectors of its result's pairs so far */
  PetscInt  solver, iterations, products, nstart, nkept;
  Vec      *start, *kept;
  PetscBool pausing;
  PetscInt  settled; /* pairs that had converged before the iteration in which all do */
};

static EigenPairs *PairsOf(ExtremesResult *result, PetscInt solver)
{
  EigenPairs *const pairs[SOLVERS] =
      {[LARGEST] = &result->largest, [SMALLEST] = &result->smallest, [ZEROS] = &result->zeros, [KERNEL] = &result->kernel};

  return pairs[solver];
}

/* how many pairs; 0: it does not run */
static PetscInt Wanted(Extremes e, PetscInt solver)
{
  if (solver == KERNEL) return e->factor && e->options->zeros ? 1 : 0;
  return solver == ZEROS ? e->options->zeros : e->options->extreme;
}

/* ---- the projection onto ker J -------------------------------------------------------------------------------------------- */

static PetscErrorCode PCApply_Projection(PC pc, Vec x, Vec y)
{
  Extremes e;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &e));
  PetscCall(VecCopy(x, y));
  if (e->factor) PetscCall(KernelProject(e->jacobian, e->factor, 1, y));
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

enum { DENSE = 100 };

/* After every iteration. One that is to pause does another, in which every pair counts as converged: it ends, whatever its method, and hands
   over the vectors it has. So there is progress however often it pauses.                                                                 */
// NOLINTNEXTLINE(readability-function-size)
static PetscErrorCode StopOrPause(EPS eps, PetscInt iterations, PetscInt most, PetscInt converged, PetscInt wanted,
                                  EPSConvergedReason *reason, void *context)
{
  Extremes e = (Extremes)context;

  PetscFunctionBeginUser;
  PetscCall(EPSStoppingBasic(eps, iterations, most, converged, wanted, reason, NULL));
  if (*reason != EPS_CONVERGED_ITERATING) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CheckpointWanted(e->map->grid->world, &e->pausing));
  e->settled = converged;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the test that was chosen, unless it is to pause */ // NOLINTNEXTLINE(readability-function-size)
static PetscErrorCode ConvergedOrPausing(EPS eps, PetscScalar value, PetscScalar imaginary, PetscReal residual, PetscReal *error,
                                         void *context)
{
  const Extremes e = (Extremes)context;

  PetscFunctionBeginUser;
  (void)eps;
  (void)imaginary;
  *error = e->pausing ? 0 : e->relative[e->solver] ? residual / PetscAbsScalar(value) : residual;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* nev at most. LOBPCG wants n >= 5 nev, and where its 3 nev vectors nearly span R^n they become dependent: for small n LAPACK takes the matrix
   that n products make. */
static PetscErrorCode SolverCreate(Extremes e, PetscInt solver, PetscInt nev_max)
{
  const PetscInt nev  = PetscMin(nev_max, e->map->n);
  const Plan    *plan = &Plans[solver];
  EPSConv        test;
  PetscBool      pauses;
  EPS            eps;

  PetscFunctionBeginUser;
  PetscCall(EPSCreate(e->map->grid->world, &eps));
  PetscCall(EPSSetOptionsPrefix(eps, plan->prefix));
  PetscCall(EPSSetProblemType(eps, EPS_HEP));
  PetscCall(EPSSetType(eps, !strcmp(plan->type, EPSLOBPCG) && e->map->n < PetscMax(DENSE, 5 * nev) ? EPSLAPACK : plan->type));
  PetscCall(EPSSetWhichEigenpairs(eps, plan->which));
  if (!strcmp(plan->type, EPSKRYLOVSCHUR))
    PetscCall(SizeBasis(eps, nev, e->map->n));
  else
    PetscCall(EPSSetDimensions(eps, nev, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(EPSSetConvergenceTest(eps, plan->test));
  PetscCall(EPSSetFromOptions(eps));
  PetscCall(EPSGetConvergenceTest(eps, &test));
  e->relative[solver] = (PetscBool)(test == EPS_CONV_REL);
  PetscCall(PetscObjectTypeCompareAny((PetscObject)eps, &pauses, EPSKRYLOVSCHUR, EPSLOBPCG, ""));
  if (pauses && (test == EPS_CONV_REL || test == EPS_CONV_ABS)) { /* others run in one piece */
    PetscCall(EPSSetConvergenceTestFunction(eps, ConvergedOrPausing, e, NULL));
    PetscCall(EPSSetStoppingTestFunction(eps, StopOrPause, e, NULL));
  }
  e->eps[solver] = eps;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesCreate(ResidualMap map, const HessianOptions *options, Extremes *extremes)
{
  Extremes e;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&e));
  e->map     = map;
  e->options = options;
  PetscCall(SolverCreate(e, LARGEST, PetscMax(1, options->extreme)));
  PetscCall(SolverCreate(e, SMALLEST, PetscMax(1, options->extreme)));
  PetscCall(SolverCreate(e, ZEROS, PetscMin(PetscMax(1, options->zeros), map->n - map->m)));
  PetscCall(SolverCreate(e, KERNEL, 1));
  *extremes = e;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesDestroy(Extremes *extremes)
{
  PetscFunctionBeginUser;
  if (!*extremes) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt k = 0; k < SOLVERS; k++) PetscCall(EPSDestroy(&(*extremes)->eps[k]));
  PetscCall(PetscFree(*extremes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- where a solver starts -------------------------------------------------------------------------------------------------- */

static PetscErrorCode MakeVecs(Extremes e, PetscInt count, Vec **vecs)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(count, vecs)); /* NOLINT(bugprone-sizeof-expression): a Vec is a pointer */
  for (PetscInt i = 0; i < count; i++) PetscCall(ParametersCreateVec(e->map->parameters, &(*vecs)[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ForgetVecs(PetscInt *count, Vec **vecs)
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < *count; i++) PetscCall(VecDestroy(&(*vecs)[i]));
  PetscCall(PetscFree(*vecs));
  *count = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* LOBPCG makes use of many, Krylov methods of one */
static PetscErrorCode IsBlock(EPS eps, PetscBool *block)
{
  PetscFunctionBeginUser;
  PetscCall(PetscObjectTypeCompare((PetscObject)eps, EPSLOBPCG, block));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* those it had when it paused, and for the others random ones, in ker J if there is a projection */
static PetscErrorCode SetStart(Extremes e, EPS eps)
{
  const PetscInt kept = e->nstart;
  Vec           *vectors;
  PetscInt       count;
  PetscBool      block;

  PetscFunctionBeginUser;
  PetscCall(IsBlock(eps, &block));
  count = PetscMin(PetscMax(block ? Wanted(e, e->solver) : 1, kept), e->map->n);
  PetscCall(PetscMalloc1(count, &vectors)); /* NOLINT(bugprone-sizeof-expression): a Vec is a pointer */
  for (PetscInt i = 0; i < count; i++) {
    if (i < kept) {
      vectors[i] = e->start[i];
      continue;
    }
    PetscCall(ParametersCreateVec(e->map->parameters, &vectors[i]));
    PetscCall(ParametersSetRandom(e->map->parameters, 0, STREAM_START + Plans[e->solver].stream + i, vectors[i]));
    if (e->factor && e->solver != LARGEST) PetscCall(KernelProject(e->jacobian, e->factor, 2, vectors[i]));
  }
  PetscCall(EPSSetInitialSpace(eps, count, vectors));
  for (PetscInt i = kept; i < count; i++) PetscCall(VecDestroy(&vectors[i]));
  PetscCall(PetscFree(vectors));
  PetscCall(ForgetVecs(&e->nstart, &e->start)); /* the solver holds them now */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a pair of the result */
static PetscErrorCode AddPair(Extremes e, EPS eps, PetscInt i)
{
  EigenPairs *pairs = PairsOf(e->result, e->solver);

  PetscFunctionBeginUser;
  if (!pairs->value) PetscCall(PetscMalloc2(pairs->wanted, &pairs->value, pairs->wanted, &pairs->residual));
  PetscCall(EPSGetEigenvalue(eps, i, &pairs->value[pairs->found], NULL));
  PetscCall(EPSComputeError(eps, i, EPS_ERROR_ABSOLUTE, &pairs->residual[pairs->found++]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A paused Krylov method starts from a single vector again: pairs that had converged are final, and deflated from now on */
static PetscErrorCode KeepSettled(Extremes e, EPS eps)
{
  Vec     *kept;
  PetscInt before = e->nkept;

  PetscFunctionBeginUser;
  if (!e->settled) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(MakeVecs(e, before + e->settled, &kept));
  for (PetscInt i = 0; i < before; i++) PetscCall(VecCopy(e->kept[i], kept[i]));
  PetscCall(ForgetVecs(&e->nkept, &e->kept));
  for (PetscInt i = 0; i < e->settled; i++) {
    PetscCall(AddPair(e, eps, i));
    PetscCall(EPSGetEigenvector(eps, i, kept[before + i], NULL));
  }
  e->kept  = kept;
  e->nkept = before + e->settled;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The vectors that a paused solver has, best first; a Krylov method gets the sum of those that have not converged: its space has them all again
   after as many products.                                                                                                                 */
static PetscErrorCode KeepVectors(Extremes e, EPS eps)
{
  PetscInt  found, first = 0;
  PetscBool block;
  Vec       v;

  PetscFunctionBeginUser;
  PetscCall(IsBlock(eps, &block));
  PetscCall(EPSGetConverged(eps, &found));
  if (!block) {
    PetscCall(KeepSettled(e, eps));
    first = e->settled;
  }
  found = PetscMin(found, first + Wanted(e, e->solver) - e->nkept);
  if (found == first) PetscFunctionReturn(PETSC_SUCCESS);
  e->nstart = block ? found : 1;
  PetscCall(MakeVecs(e, e->nstart, &e->start));
  PetscCall(VecDuplicate(e->start[0], &v));
  for (PetscInt i = first; i < found; i++) {
    PetscCall(EPSGetEigenvector(eps, i, v, NULL));
    PetscCall(VecAXPY(e->start[(i - first) % e->nstart], 1, v));
  }
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode VecsArchive(Archive archive, const char name[], Extremes e, PetscInt *count, Vec **vecs)
{
  char one[32];

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, name, count));
  if (ArchiveReading(archive)) PetscCall(MakeVecs(e, *count, vecs));
  for (PetscInt i = 0; i < *count; i++) {
    PetscCall(PetscSNPrintf(one, sizeof one, "%s_%" PetscInt_FMT, name, i));
    PetscCall(ArchiveVec(archive, one, e->map->parameters, (*vecs)[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PairsArchive(Archive archive, const char name[], EigenPairs *pairs)
{
  PetscBool there;

  PetscFunctionBeginUser;
  PetscCall(ArchiveEnter(archive, name, &there));
  PetscCall(ArchiveInt(archive, "wanted", &pairs->wanted));
  PetscCall(ArchiveInt(archive, "found", &pairs->found));
  PetscCall(ArchiveInt(archive, "products", &pairs->products));
  PetscCall(ArchiveReal(archive, "tolerance", &pairs->tolerance));
  if (ArchiveReading(archive)) PetscCall(PetscMalloc2(pairs->wanted, &pairs->value, pairs->wanted, &pairs->residual));
  PetscCall(ArchiveReals(archive, "value", pairs->found, pairs->value));
  PetscCall(ArchiveReals(archive, "residual", pairs->found, pairs->residual));
  PetscCall(ArchiveLeave(archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesResultArchive(Archive archive, ExtremesResult *result)
{
  PetscFunctionBeginUser;
  PetscCall(PairsArchive(archive, "largest", &result->largest));
  PetscCall(PairsArchive(archive, "smallest", &result->smallest));
  PetscCall(PairsArchive(archive, "zeros", &result->zeros));
  PetscCall(PairsArchive(archive, "kernel", &result->kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what is found, and where the solver goes on */
static PetscErrorCode ExtremesArchive(Archive archive, void *context)
{
  Extremes e = (Extremes)context;

  PetscFunctionBeginUser;
  PetscCall(ExtremesResultArchive(archive, e->result));
  PetscCall(ArchiveInt(archive, "solver", &e->solver));
  PetscCall(ArchiveInt(archive, "iterations", &e->iterations));
  PetscCall(ArchiveInt(archive, "products", &e->products));
  PetscCall(VecsArchive(archive, "start", e, &e->nstart, &e->start));
  PetscCall(VecsArchive(archive, "kept", e, &e->nkept, &e->kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- a solver runs ------------------------------------------------------------------------------------------------------------ */

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

/* our tolerance and cap, unless the user chose (PETSC_DEFAULT would forget what was chosen); the cap counts what was done before a pause */
static PetscErrorCode SetTolerance(Extremes e, EPS eps)
{
  const Plan *plan = &Plans[e->solver];
  PetscReal   tol, scale = e->solver == KERNEL ? 1 : ROUNDING * e->lambda_max;
  PetscInt    its;
  PetscBool   tol_set, its_set;

  PetscFunctionBeginUser;
  PetscCall(EPSGetTolerances(eps, &tol, &its));
  PetscCall(PetscOptionsHasName(NULL, plan->prefix, "-eps_tol", &tol_set));
  PetscCall(PetscOptionsHasName(NULL, plan->prefix, "-eps_max_it", &its_set));
  if (!its_set) its = plan->restarts;
  PetscCall(EPSSetTolerances(eps, tol_set ? tol : plan->tolerance * scale, PetscMax(1, its - e->iterations)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* by insertion: ascending where the smallest are wanted, descending where the largest are */
static void SortPairs(EPSWhich which, EigenPairs *pairs)
{
  const PetscReal sign = which == EPS_SMALLEST_REAL ? 1 : -1;

  for (PetscInt i = 1; i < pairs->found; i++) {
    const PetscReal value = pairs->value[i], residual = pairs->residual[i];
    PetscInt        k = i;

    for (; k > 0 && sign * pairs->value[k - 1] > sign * value; k--) {
      pairs->value[k]    = pairs->value[k - 1];
      pairs->residual[k] = pairs->residual[k - 1];
    }
    pairs->value[k]    = value;
    pairs->residual[k] = residual;
  }
}

/* those wanted that it has found, among those kept, in their order */
static PetscErrorCode Collect(Extremes e, EPS eps, EigenPairs *pairs)
{
  PetscInt found, missing = pairs->wanted - e->nkept;
  EPSWhich which;

  PetscFunctionBeginUser;
  PetscCall(EPSGetConverged(eps, &found));
  PetscCall(EPSGetWhichEigenpairs(eps, &which));
  PetscCall(EPSGetTolerances(eps, &pairs->tolerance, NULL));
  for (PetscInt i = 0; i < PetscMin(found, missing); i++) PetscCall(AddPair(e, eps, i));
  if (e->nkept) SortPairs(which, pairs);
  PetscCall(ForgetVecs(&e->nkept, &e->kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what is kept is not looked for again */
static PetscErrorCode Deflate(Extremes e, EPS eps, PetscInt nev, PetscInt ncv, PetscInt mpd)
{
  const PetscInt columns = PetscMin(ncv, e->map->n - e->nkept);

  PetscFunctionBeginUser;
  if (!e->nkept) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSSetDimensions(eps, nev - e->nkept, columns, PetscMin(mpd, columns)));
  PetscCall(EPSSetDeflationSpace(eps, e->nkept, e->kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* until it has converged, or is to pause */
static PetscErrorCode Solve(Extremes e, EPS eps, Mat A)
{
  const PetscInt before = e->hessian->products;
  EigenPairs    *pairs  = PairsOf(e->result, e->solver);
  PetscInt       iterations, ncv, mpd;

  PetscFunctionBeginUser;
  e->pausing = PETSC_FALSE;
  PetscCall(EPSSetOperators(eps, A, NULL));
  PetscCall(EPSGetDimensions(eps, &pairs->wanted, &ncv, &mpd));
  PetscCall(UseProjection(e, eps));
  PetscCall(SetTolerance(e, eps));
  PetscCall(Deflate(e, eps, pairs->wanted, ncv, mpd));
  PetscCall(SetStart(e, eps));
  PetscCall(EPSSolve(eps));
  if (e->pausing) {
    PetscCall(EPSGetIterationNumber(eps, &iterations));
    PetscCall(KeepVectors(e, eps));
    e->iterations += iterations;
    e->products += e->hessian->products - before;
  } else {
    PetscCall(Collect(e, eps, pairs));
    pairs->products = e->products + e->hessian->products - before;
    e->iterations = e->products = 0;
  }
  PetscCall(EPSReset(eps)); /* its vectors make room for the next solver's */
  PetscCall(EPSSetDimensions(eps, pairs->wanted, ncv > 0 ? ncv : PETSC_DEFAULT, mpd > 0 ? mpd : PETSC_DEFAULT));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunSolvers(Extremes e, Mat A, Mat PSP, PetscBool *stop)
{
  PetscFunctionBeginUser;
  while (e->solver < SOLVERS && !*stop) {
    e->pausing = PETSC_FALSE;
    if (Wanted(e, e->solver)) PetscCall(Solve(e, e->eps[e->solver], e->solver == KERNEL ? PSP : A));
    if (!e->pausing) e->solver++;
    if (e->solver < SOLVERS) PetscCall(CheckpointSafePoint(e->map->grid->world, "extremes", ExtremesArchive, e, stop));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExtremesSolve(Extremes e, Hessian hessian, Jacobian jacobian, Tiles factor, PetscReal lambda_max,
                             ExtremesResult *result)
{
  PetscBool resumed, stop = PETSC_FALSE;
  Mat       A, PSP;

  PetscFunctionBeginUser;
  e->hessian    = hessian;
  e->jacobian   = jacobian;
  e->factor     = factor;
  e->lambda_max = lambda_max;
  e->result     = result;
  e->solver = e->iterations = e->products = 0;
  for (PetscInt k = 0; k < SOLVERS; k++) PairsOf(result, k)->products = -1;
  PetscCall(HessianCreateMat(e->hessian, HESSIAN_EXACT, &A));
  PetscCall(KernelCreateMat(hessian, jacobian, factor, 1, &PSP));
  PetscCall(CheckpointResume("extremes", ExtremesArchive, e, &resumed));
  PetscCall(RunSolvers(e, A, PSP, &stop));
  PetscCall(ForgetVecs(&e->nstart, &e->start));
  PetscCall(ForgetVecs(&e->nkept, &e->kept));
  PetscCall(MatDestroy(&PSP));
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

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* n-sized vectors of the solver that has most */
static PetscReal Vectors(const HessianOptions *options)
{
  const PetscInt krylov = options->extreme ? BasisSize(options->extreme, PETSC_MAX_INT) : 0;
  const PetscInt lobpcg = 10 * PetscMax(options->extreme, options->zeros); /* X, R, P, their images, and SLEPc's copies */

  return (PetscReal)(PetscMax(krylov, lobpcg) + 4);
}

/* Project, of a vector */
static void ProjectOnceCost(const Sizes *s, Cost *cost)
{
  JacobianMultCost(s, cost);
  CostGather(cost, s->P, 8 * s->m, 1);
  TilesSolveCost(s, cost);
  JacobianMultTransposeAddCost(s, cost);
}

void ExtremesCost(const Sizes *s, const HessianOptions *options, PetscReal products, Cost *cost, Cost *stretch)
{
  const PetscReal vectors = Vectors(options);
  const PetscReal iteration =
      (PetscReal)PetscMax(BasisSize(options->extreme, PETSC_MAX_INT), options->zeros); /* and one to pause */
  Cost product = {.work[WORK_STREAM] = 2 * 8 * s->local * vectors / 2}, part = {.bytes = 0}, pause = {.bytes = 0};

  HessianMultCost(s, &product);
  ProjectOnceCost(s, &product);
  CostReduceAll(&product, s->P, 8 * vectors / 2, 4);
  CostAdd(&part, &product, products);
  CostAdd(&pause, &product, PetscMin(products, 2 * iteration));
  part.work[WORK_NORMALS] += (PetscReal)(2 * options->extreme + options->zeros + 2) * s->local;
  ResidualMapAdjointCost(s, s->N, 1, &part);
  CostHold(&part, HessianBytes(s) + 8 * s->local * vectors);
  CostAdd(cost, &part, 1);
  CostLonger(stretch, &pause);
}
