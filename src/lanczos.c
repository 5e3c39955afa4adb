/*
  lanczos.c: see lanczos.h.
*/
#include "lanczos.h"
#include <petscblaslapack.h>

PetscErrorCode LanczosCreateBasis(Vec v, PetscInt steps, BV *V)
{
  PetscFunctionBeginUser;
  PetscCall(BVCreate(PetscObjectComm((PetscObject)v), V));
  PetscCall(BVSetSizesFromVec(*V, v, steps + 1));
  PetscCall(BVSetType(*V, BVVECS)); /* a column a Vec: no array of n_local x steps entries, whose index may exceed 2^31 */
  PetscCall(BVSetOrthogonalization(*V, BV_ORTHOG_CGS, BV_ORTHOG_REFINE_ALWAYS, PETSC_DEFAULT, BV_ORTHOG_BLOCK_GS));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the start, of length 1, as column 0 */
static PetscErrorCode SetStart(Vec v, BV V)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(BVSetActiveColumns(V, 0, 0));
  PetscCall(BVInsertVec(V, 0, v));
  PetscCall(BVNormColumn(V, 0, NORM_2, &norm));
  PetscCheck(norm > 0, PetscObjectComm((PetscObject)V), PETSC_ERR_ARG_OUTOFRANGE, "Lanczos starts from the zero vector");
  PetscCall(BVScaleColumn(V, 0, 1 / norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* alpha_j, and column j + 1 with its length beta_j before it was scaled; *invariant: nothing but rounding was left of it */
static PetscErrorCode Step(Mat A, BV V, PetscInt j, PetscReal *alpha, PetscReal *beta, PetscReal *scale, PetscBool *invariant)
{
  PetscScalar *coefficients;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(j + 1, &coefficients));
  PetscCall(BVMatMultColumn(V, A, j));
  PetscCall(BVOrthogonalizeColumn(V, j + 1, coefficients, beta, invariant));
  *alpha     = PetscRealPart(coefficients[j]);
  *scale     = PetscMax(*scale, PetscAbsReal(*alpha) + *beta);
  *invariant = (PetscBool)(*invariant || *beta <= 100 * PETSC_MACHINE_EPSILON * *scale);
  if (!*invariant) PetscCall(BVScaleColumn(V, j + 1, 1 / *beta));
  PetscCall(PetscFree(coefficients));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* nodes, weights and residuals from the k x k T: node holds its diagonal, beta the rest, the last of them outside T */
static PetscErrorCode Diagonalize(PetscReal beta[], Quadrature *q)
{
  PetscReal      *S, *work;
  PetscBLASInt    k, info;
  const size_t    size = (size_t)q->k;
  const PetscReal last = q->invariant ? 0 : beta[size - 1];

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(q->k, &k));
  PetscCall(PetscMalloc2(size * size, &S, PetscMax(1, 2 * size), &work));
  PetscCallBLAS("LAPACKsteqr", LAPACKsteqr_("I", &k, q->node, beta, S, &k, work, &info));
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "steqr: info = %d", (int)info);
  for (size_t i = 0; i < size; i++) {
    q->weight[i]   = PetscSqr(S[i * size]);
    q->residual[i] = PetscAbsReal(last * S[i * size + size - 1]);
  }
  PetscCall(PetscFree2(S, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LanczosQuadrature(Mat A, Vec v, BV V, const LanczosProgress *progress, Quadrature *q)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)V);
  PetscReal     *beta, scale = 0;
  PetscInt       columns;

  PetscFunctionBeginUser;
  PetscCall(BVGetSizes(V, NULL, NULL, &columns));
  PetscCall(PetscMalloc1(columns, &beta));
  PetscCall(SetStart(v, V));
  q->invariant = q->stopped = PETSC_FALSE;
  for (q->k = 0; q->k < columns - 1 && !q->invariant && !q->stopped; q->k++) {
    PetscCall(Step(A, V, q->k, &q->node[q->k], &beta[q->k], &scale, &q->invariant));
    if (!progress) continue;
    PetscCall(Progress(comm, (PetscReal)(progress->done + q->k + 1), (PetscReal)progress->total, "%s", progress->what));
    PetscCall(StopRequested(comm, &q->stopped));
  }
  if (q->stopped) q->k = 0;
  if (q->k) PetscCall(Diagonalize(beta, q));
  PetscCall(PetscFree(beta));
  PetscFunctionReturn(PETSC_SUCCESS);
}
