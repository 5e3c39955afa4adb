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

/* of a sum over a lower triangle by TilesNorms: 2 sum - diagonal, chains of at most 4 m + ranks */
static PetscErrorCode FrobeniusUp(Tiles A, PetscReal *norm)
{
  PetscReal   squares;
  PetscMPIInt ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(A->world, &ranks));
  PetscCall(TilesNorms(A, NULL, &squares, NULL));
  *norm = PetscSqrtReal(squares) * (1 + Gamma(3 * (4 * (PetscReal)A->m + ranks + 8))) + (PetscReal)A->m * 1e-153;
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

/* by inverse iteration; 0 if the Cholesky of K breaks down. work: a duplicate of K. */
static PetscErrorCode EstimateLeast(Tiles K, Tiles work, PetscReal *least)
{
  PetscReal *b;
  PetscBool  success;

  PetscFunctionBeginUser;
  *least = 0;
  PetscCall(TilesCopy(K, work));
  PetscCall(TilesCholesky(work, &success));
  if (!success) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(K->m, &b));
  for (PetscInt i = 0; i < K->m; i++) b[i] = 1 + (PetscReal)((i * 7919) % 101) / 101;
  for (PetscInt step = 0; step < 12; step++) {
    PetscReal squares = 0;

    PetscCall(TilesSolve(work, b));
    for (PetscInt i = 0; i < K->m; i++) squares += b[i] * b[i];
    for (PetscInt i = 0; i < K->m; i++) b[i] /= PetscSqrtReal(squares);
    *least = 1 / PetscSqrtReal(squares);
  }
  PetscCall(PetscFree(b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundSmallestSingularValue(Tiles K, PetscReal E_K, PetscReal E_J, PetscReal estimate, SingularBounds *bounds)
{
  static const PetscReal factors[] = {.999, .99, .9, .5};
  const PetscReal        gamma = Gamma((PetscReal)K->m + 3), m = (PetscReal)K->m;
  PetscReal              trace, norm, diagonal, c;
  Tiles                  work;

  PetscFunctionBeginUser;
  PetscCall(TilesDuplicate(K, &work));
  if (!(estimate > 0)) PetscCall(EstimateLeast(K, work, &estimate));
  PetscCall(TraceUp(K, &trace));
  PetscCall(FrobeniusUp(K, &norm));
  PetscCall(TilesNorms(K, NULL, NULL, &diagonal));
  c                   = Up(gamma / (1 - gamma) * trace + m * m * TINY * (1 + trace));
  bounds->eigen_error = c;
  bounds->least       = estimate;
  bounds->needed      = Up(c + E_K);
  bounds->largest     = Up(PetscSqrtReal(Up(PetscMin(norm, trace) + E_K)) + E_J);
  bounds->s           = 0;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(factors) && estimate > 0; k++) {
    const PetscReal tau = factors[k] * estimate, proved = tau * (1 - SLACK) - bounds->needed - 4 * ROUNDING * (tau + diagonal);
    PetscBool       success;

    PetscCall(TilesCopy(K, work));
    PetscCall(TilesShift(work, -tau));
    PetscCall(TilesCholesky(work, &success));
    if (!success) continue;
    if (proved > 0) bounds->s = PetscSqrtReal(proved) * (1 - HAIR) - Up(E_J);
    break;
  }
  PetscCall(TilesDestroy(&work));
  PetscFunctionReturn(PETSC_SUCCESS);
}
