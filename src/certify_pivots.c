/*
  certify_pivots.c: see certify_pivots.h.

  Left-looking: with L (m x k, a block of rows on each rank) the factor of the first k pivots, column k of it is

    L_ik = (K_ip - sum_j<k L_ij L_pj) / sqrt(d_p),   d_i = K_ii - sum_j<k L_ij^2,   p: where d is largest
*/
#include "certify_pivots.h"
#include "codim/grid.h"

typedef struct {
  Tiles      K;
  PetscInt   r;
  Range      mine;       /* rows of L here */
  PetscReal *L, *d;      /* L: r x rows, k contiguous; d: of all m rows, on every rank */
  PetscReal *column, *l; /* of K: m; of L, row p: r */
  PetscInt  *pivot;
  PetscBool *chosen;
} Pivoting;

static PetscErrorCode PivotingCreate(Tiles K, PetscInt r, Pivoting *p)
{
  PetscMPIInt rank, size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(K->world, &rank));
  PetscCallMPI(MPI_Comm_size(K->world, &size));
  *p = (Pivoting){.K = K, .r = r, .mine = BlockRange(K->m, size, rank)};
  PetscCall(PetscMalloc1((size_t)(p->mine.last - p->mine.first) * (size_t)r, &p->L));
  PetscCall(PetscCalloc3(K->m, &p->d, K->m, &p->column, r, &p->l));
  PetscCall(PetscCalloc2(r, &p->pivot, K->m, &p->chosen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PivotingDestroy(Pivoting *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->L));
  PetscCall(PetscFree3(p->d, p->column, p->l));
  PetscCall(PetscFree2(p->pivot, p->chosen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* column p of the symmetric K, whole on every rank: below the diagonal from its column, above from its row */
static PetscErrorCode GatherColumn(Tiles K, PetscInt p, PetscReal column[])
{
  const size_t rows = (size_t)K->rows;

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(column, K->m));
  for (PetscInt j = 0; j < K->cols; j++)
    for (PetscInt i = 0; TilesGlobalCol(K, K->mycol, j) == p && i < K->rows; i++)
      if (TilesGlobalRow(K, K->myrow, i) >= p) column[TilesGlobalRow(K, K->myrow, i)] = K->a[(size_t)j * rows + (size_t)i];
  for (PetscInt i = 0; i < K->rows; i++)
    for (PetscInt j = 0; TilesGlobalRow(K, K->myrow, i) == p && j < K->cols; j++)
      if (TilesGlobalCol(K, K->mycol, j) < p) column[TilesGlobalCol(K, K->mycol, j)] = K->a[(size_t)j * rows + (size_t)i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, column, (PetscMPIInt)K->m, MPIU_REAL, MPI_SUM, K->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GatherDiagonal(Tiles K, PetscReal diagonal[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(diagonal, K->m));
  for (PetscInt j = 0; j < K->cols; j++)
    for (PetscInt i = 0; i < K->rows; i++)
      if (TilesGlobalRow(K, K->myrow, i) == TilesGlobalCol(K, K->mycol, j))
        diagonal[TilesGlobalRow(K, K->myrow, i)] = K->a[(size_t)j * (size_t)K->rows + (size_t)i];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, diagonal, (PetscMPIInt)K->m, MPIU_REAL, MPI_SUM, K->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the rows of L and d after pivot number k; every rank makes the same d, each of its own rows first */
static PetscErrorCode Eliminate(Pivoting *p, PetscInt k)
{
  const PetscInt  row  = p->pivot[k];
  const PetscReal root = PetscSqrtReal(p->d[row]);
  const PetscBool here = (PetscBool)(row >= p->mine.first && row < p->mine.last);

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(p->l, p->r));
  if (here) PetscCall(PetscArraycpy(p->l, p->L + (size_t)(row - p->mine.first) * (size_t)p->r, k));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, p->l, (PetscMPIInt)k, MPIU_REAL, MPI_SUM, p->K->world));
  PetscCall(GatherColumn(p->K, row, p->column));
  for (PetscInt i = 0; i < p->K->m; i++) {
    PetscReal *L = p->L + (size_t)(i - p->mine.first) * (size_t)p->r, x = p->column[i];

    p->column[i] = 0;
    if (i < p->mine.first || i >= p->mine.last) continue;
    for (PetscInt j = 0; j < k; j++) x -= L[j] * p->l[j];
    L[k]         = x / root;
    p->column[i] = L[k] * L[k];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, p->column, (PetscMPIInt)p->K->m, MPIU_REAL, MPI_SUM, p->K->world));
  for (PetscInt i = 0; i < p->K->m; i++) p->d[i] -= p->column[i];
  p->chosen[row] = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Mask(const Pivoting *p, PetscReal c)
{
  const Tiles K = p->K;

  for (PetscInt j = 0; j < K->cols; j++)
    for (PetscInt i = 0; i < K->rows; i++) {
      const PetscInt row = TilesGlobalRow(K, K->myrow, i), col = TilesGlobalCol(K, K->mycol, j);

      if (!(p->chosen[row] && p->chosen[col])) K->a[(size_t)j * (size_t)K->rows + (size_t)i] = row == col ? c : 0;
    }
}

PetscErrorCode TilesKeepPivots(Tiles K, PetscInt r, PetscBool *found)
{
  PetscReal c = PETSC_INFINITY;
  Pivoting  p;

  PetscFunctionBeginUser;
  PetscCall(PivotingCreate(K, r, &p));
  PetscCall(GatherDiagonal(K, p.d));
  *found = PETSC_TRUE;
  for (PetscInt k = 0; k < r && *found; k++) {
    PetscInt top = -1;

    for (PetscInt i = 0; i < K->m; i++)
      if (!p.chosen[i] && (top < 0 || p.d[i] > p.d[top])) top = i;
    *found = (PetscBool)(top >= 0 && p.d[top] > 0); /* false for NaN */
    if (!*found) break;
    p.pivot[k] = top;
    PetscCall(Eliminate(&p, k));
  }
  if (*found) {
    PetscCall(GatherDiagonal(K, p.column));
    for (PetscInt k = 0; k < r; k++) c = PetscMin(c, p.column[p.pivot[k]]);
    Mask(&p, c);
  }
  PetscCall(PivotingDestroy(&p));
  PetscFunctionReturn(PETSC_SUCCESS);
}
