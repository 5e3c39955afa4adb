/*
  certify_enclose.c: the singular values of J between proved bounds.

  Enclosures. V̂, d from any eigensolver, d_k := max(d_k, 0), B = V̂ sqrt(d). Every eigenvalue of V̂ D V̂^T is d_k times a number in
  [sigma_min(V̂)^2, sigma_max(V̂)^2] (Ostrowski), which lies in [1 - delta, 1 + delta]; those of J^ J^T differ by rho_e + E_K at most (Weyl):

    delta >= ||V̂^T V̂ - I||:  |fl(V̂^T V̂) - I|_F + gamma_(m+1) |V̂|_F^2                    products of length m; exact subtraction near 1
    rho_e >= |K - V̂ D V̂^T|_F:  |fl(K - fl(B B^T))|_F (1 + 2u) + gamma_(m+6) sum_k d_k |v̂_k|^2     (2 roundings in each entry of B)
    sigma_k(J) in [sqrt(d_k (1 - delta) - rho_e - E_K) - E_J,  sqrt(d_k (1 + delta) + rho_e + E_K) + E_J]

  Cholesky. If that of A = fl(K - tau I) ends, then lambda_min(A) >= -c, c = gamma_(m+3)/(1 - gamma_(m+3)) tr A, tr A <= tr K (Rump
  2006; Demmel 1989; Higham, Theorem 10.3; one more each for reciprocals of the diagonal and its subtraction). The diagonal of A is off by
  at most u (tau + max K_jj). So lambda_min(J^ J^T) >= tau - c - E_K - 4u (tau + max K_jj); tau is tried just below an estimate of
  lambda_min(K), then lower.
*/
#include "certify_enclose.h"
#include "scalapack.h"

static const PetscReal HAIR = 0x1p-49; /* 16 u: for the handful of roundings in the last formulas */

/* the root of a sum over a lower triangle by TilesNorms: 2 sum - diagonal, chains of at most 4 m + ranks */
static PetscReal SquaresUp(PetscReal squares, PetscReal m, PetscMPIInt ranks)
{
  return PetscSqrtReal(squares) * (1 + Gamma(3 * (4 * m + ranks + 8))) + m * 1e-153;
}

static PetscErrorCode FrobeniusUp(Tiles A, PetscReal *norm)
{
  PetscReal   squares;
  PetscMPIInt ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(A->world, &ranks));
  PetscCall(TilesNorms(A, NULL, &squares, NULL));
  *norm = SquaresUp(squares, (PetscReal)A->m, ranks);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the trace of A, entries >= 0 on its diagonal, from above */
static PetscErrorCode TraceUp(Tiles A, PetscReal *trace)
{
  PetscFunctionBeginUser;
  PetscCall(TilesNorms(A, trace, NULL, NULL));
  *trace = Up(*trace * (1 + Gamma(2 * (PetscReal)A->m + 8)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- enclosures ------------------------------------------------------------------------------------------------------- */

static PetscErrorCode BoundOrthogonality(Tiles V, Tiles work, PetscReal *delta)
{
  const PetscReal m = (PetscReal)V->m;
  PetscReal       trace, norm; /* |V|_F^2 = tr V^T V */

  PetscFunctionBeginUser;
  PetscCall(TilesGram(V, PETSC_TRUE, work));
  PetscCall(TraceUp(work, &trace));
  PetscCall(TilesShift(work, -1));
  PetscCall(FrobeniusUp(work, &norm));
  trace  = trace * (1 + Gamma(m + 2));
  *delta = Up(norm * (1 + 2 * ROUNDING) + Gamma(m + 2) * trace);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* V becomes B */
static PetscErrorCode BoundResidual(Tiles K, const PetscReal d[], Tiles V, Tiles work, PetscReal *rho)
{
  const size_t    rows = (size_t)V->rows, entries = rows * (size_t)V->cols;
  const PetscReal m = (PetscReal)K->m;
  PetscReal       weighted, norm; /* sum_k d_k |v_k|^2 = tr B B^T */

  PetscFunctionBeginUser;
  for (PetscInt j = 0; j < V->cols; j++) {
    const PetscReal root = PetscSqrtReal(d[TilesGlobalCol(V, V->mycol, j)]);

    for (size_t i = 0; i < rows; i++) V->a[(size_t)j * rows + i] *= root;
  }
  PetscCall(TilesGram(V, PETSC_FALSE, work));
  PetscCall(TraceUp(work, &weighted));
  for (size_t i = 0; i < entries; i++) work->a[i] = K->a[i] - work->a[i];
  PetscCall(FrobeniusUp(work, &norm));
  weighted = weighted * (1 + Gamma(m + 6));
  *rho     = Up(norm * (1 + 2 * ROUNDING) + Gamma(m + 6) * weighted + m * m * TINY * (1 + weighted));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* d_k := max(d_k, 0); *sound: all finite, and ascending */
static void CheckEigenvalues(PetscInt m, PetscReal d[], PetscBool *sound)
{
  *sound = PETSC_TRUE;
  for (PetscInt k = 0; k < m; k++) {
    if (!(d[k] < INFINITY)) *sound = PETSC_FALSE;
    if (!(d[k] > 0)) d[k] = 0;
    if (k && d[k] < d[k - 1]) *sound = PETSC_FALSE;
  }
}

static void EncloseAll(PetscInt m, const PetscReal d[], PetscReal E_K, PetscReal E_J, SingularBounds *b)
{
  const PetscReal error = Up(b->eigen_error + E_K);

  for (PetscInt k = 0; k < m; k++) {
    const PetscReal lo = d[k] * (1 - b->orthogonality - HAIR) - error, hi = d[k] * (1 + b->orthogonality + HAIR) + Up(error);

    b->lo[k] = lo > 0 ? PetscSqrtReal(lo) * (1 - HAIR) - E_J : -E_J;
    b->hi[k] = Up(PetscSqrtReal(hi) + E_J);
  }
  b->s       = b->lo[0];
  b->least   = d[0];
  b->needed  = error;
  b->largest = b->hi[m - 1];
}

PetscErrorCode BoundSingularValues(Tiles K, PetscReal E_K, PetscReal E_J, Tiles *vectors, const PetscReal lambda[],
                                   SingularBounds *bounds)
{
  Tiles      V, work;
  PetscReal *d;
  PetscBool  sound;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(K->m, &d));
  PetscCall(PetscMalloc2(K->m, &bounds->lo, K->m, &bounds->hi));
  PetscCall(TilesDuplicate(K, &work));
  if (vectors && *vectors) {
    V        = *vectors;
    *vectors = NULL;
    PetscCall(PetscArraycpy(d, lambda, K->m));
  } else {
    PetscCall(TilesDuplicate(K, &V));
    PetscCall(TilesCopy(K, work));
    PetscCall(TilesEigenvectors(work, d, V));
  }
  CheckEigenvalues(K->m, d, &sound);
  PetscCall(BoundOrthogonality(V, work, &bounds->orthogonality));
  PetscCall(BoundResidual(K, d, V, work, &bounds->eigen_error));
  if (!sound) bounds->eigen_error = INFINITY;
  EncloseAll(K->m, d, E_K, E_J, bounds);
  PetscCall(TilesDestroy(&work));
  PetscCall(TilesDestroy(&V));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SingularBoundsDestroy(SingularBounds *bounds)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(bounds->lo, bounds->hi));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- Cholesky ------------------------------------------------------------------------------------------------------------ */

/* lambda_min(K) from the Cholesky factor of K - tau I, by inverse iteration */
static PetscErrorCode EstimateLeast(Tiles factor, PetscReal tau, PetscReal *least)
{
  PetscReal *b;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(factor->m, &b));
  for (PetscInt i = 0; i < factor->m; i++) b[i] = 1 + (PetscReal)((i * 7919) % 101) / 101;
  for (PetscInt step = 0; step < 12; step++) {
    PetscReal squares = 0;

    PetscCall(TilesSolve(factor, b));
    for (PetscInt i = 0; i < factor->m; i++) squares += b[i] * b[i];
    for (PetscInt i = 0; i < factor->m; i++) b[i] /= PetscSqrtReal(squares);
    *least = tau + 1 / PetscSqrtReal(squares);
  }
  PetscCall(PetscFree(b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what the norms of K say of every factorization: c, what is needed, sigma_max */
static PetscErrorCode BoundFromNorms(Tiles K, const ShiftedCholesky *norms, PetscReal E_K, PetscReal E_J, SingularBounds *b)
{
  const PetscReal m = (PetscReal)K->m, gamma = Gamma(m + 3);
  const PetscReal trace = Up(norms->trace * (1 + Gamma(2 * m + 8)));
  PetscReal       norm;
  PetscMPIInt     ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(K->world, &ranks));
  norm           = SquaresUp(norms->squares, m, ranks);
  b->eigen_error = Up(gamma / (1 - gamma) * trace + m * m * TINY * (1 + trace));
  b->needed      = Up(b->eigen_error + E_K);
  b->largest     = Up(PetscSqrtReal(Up(PetscMin(norm, trace) + E_K)) + E_J);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* s, if the factorization of K - tau I ended */
static PetscReal ProvedBy(const ShiftedCholesky *factor, PetscReal E_J, const SingularBounds *b)
{
  const PetscReal proved = factor->tau * (1 - SLACK) - b->needed - 4 * ROUNDING * (PetscAbsReal(factor->tau) + factor->diagonal);

  return factor->ended && proved > 0 ? PetscSqrtReal(proved) * (1 - HAIR) - Up(E_J) : 0;
}

static PetscErrorCode Refill(const GramSource *source, PetscReal tau, ShiftedCholesky *factor)
{
  PetscFunctionBeginUser;
  PetscCall(source->fill(source->context, source->K));
  PetscCall(TilesShiftedCholesky(source->K, tau, factor));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a tau just below b->least, so that s becomes as large as it can */
static PetscErrorCode Sharpen(const GramSource *source, PetscReal E_J, SingularBounds *b)
{
  static const PetscReal factors[] = {.999, .99, .9, .5};
  ShiftedCholesky        factor;

  PetscFunctionBeginUser;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(factors); k++) {
    PetscCall(Refill(source, factors[k] * b->least, &factor));
    if (!factor.ended) continue;
    b->s = PetscMax(b->s, ProvedBy(&factor, E_J, b));
    break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundSmallestSingularValue(const GramSource *source, PetscReal E_K, PetscReal E_J, PetscReal estimate,
                                          SingularBounds *b)
{
  ShiftedCholesky factor;

  PetscFunctionBeginUser;
  if (source->given)
    factor = *source->given;
  else
    PetscCall(TilesNorms(source->K, &factor.trace, &factor.squares, &factor.diagonal));
  PetscCall(BoundFromNorms(source->K, &factor, E_K, E_J, b));
  if (!source->given)
    PetscCall(
        TilesShiftedCholesky(source->K, estimate > 0 ? .999 * estimate : 4 * b->needed + 16 * ROUNDING * factor.diagonal, &factor));
  if (!factor.ended) PetscCall(Refill(source, 0, &factor));
  b->least = 0;
  b->s     = ProvedBy(&factor, E_J, b);
  if (factor.ended) PetscCall(EstimateLeast(source->K, factor.tau, &b->least));
  if (!source->given && b->least > b->needed && b->least > 1.01 * factor.tau) PetscCall(Sharpen(source, E_J, b));
  PetscFunctionReturn(PETSC_SUCCESS);
}
