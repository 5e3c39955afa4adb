// ranks: 1 2 3 4 6
/*
  test_tiles.c: tiles against matrices known in closed form.

    A = Q D Q,  Q = I - 2 v v^T,  |v| = 1,  D = diag(d):   A_ij = d_i delta_ij - 2 v_i v_j (d_i + d_j) + 4 v_i v_j (v^T D v)

  so each rank fills its entries by itself, the eigenvalues are d and the eigenvectors the columns of Q. Strictly above the diagonal the
  entries are NaN: nobody may look there. Backward stable algorithms reach eigenvalues to a modest multiple of m u lambda_max.
*/
#include "../src/cover.h"
#include "tap.h"

enum { M_MAX = 1003 };

typedef struct {
  PetscInt  m;
  PetscReal d[M_MAX], v[M_MAX]; /* d ascends */
  PetscReal vDv;
} Known;

/* d_k from lowest upwards in steps between 0.5 and 1.5; v without pattern */
static void KnownCreate(PetscInt m, PetscReal lowest, Known *A)
{
  PetscReal norm2 = 0;

  A->m   = m;
  A->vDv = 0;
  for (PetscInt k = 0; k < m; k++) {
    A->d[k] = k ? A->d[k - 1] + 1 + 0.5 * PetscSinReal((PetscReal)(7 * k)) : lowest;
    A->v[k] = PetscCosReal((PetscReal)(1 + k * k % 31));
    norm2 += A->v[k] * A->v[k];
  }
  for (PetscInt k = 0; k < m; k++) {
    A->v[k] /= PetscSqrtReal(norm2);
    A->vDv += A->v[k] * A->v[k] * A->d[k];
  }
}

static PetscReal Entry(const Known *A, PetscInt i, PetscInt j)
{
  return (i == j ? A->d[i] : 0) + A->v[i] * A->v[j] * (4 * A->vDv - 2 * (A->d[i] + A->d[j]));
}

static void Fill(const Known *A, Tiles tiles)
{
  for (int l = 0; l < tiles->cols; l++)
    for (int k = 0; k < tiles->rows; k++) {
      const PetscInt i = TilesGlobalRow(tiles, tiles->myrow, k), j = TilesGlobalCol(tiles, tiles->mycol, l);

      tiles->a[(size_t)l * (size_t)tiles->rows + (size_t)k] = i >= j ? Entry(A, i, j) : (PetscReal)NAN;
    }
}

/* the whole matrix, column-major, on every rank; the caller frees it */
static PetscErrorCode Gather(Tiles tiles, PetscReal **full)
{
  const size_t m = (size_t)tiles->m;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(m * m, full));
  for (int l = 0; l < tiles->cols; l++)
    for (int k = 0; k < tiles->rows; k++) {
      const size_t i = (size_t)TilesGlobalRow(tiles, tiles->myrow, k), j = (size_t)TilesGlobalCol(tiles, tiles->mycol, l);

      (*full)[j * m + i] = tiles->a[(size_t)l * (size_t)tiles->rows + (size_t)k];
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, *full, (int)(m * m), MPIU_REAL, MPI_SUM, tiles->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal LargestDifference(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal largest = 0;

  for (PetscInt k = 0; k < n; k++) largest = PetscAbsReal(x[k] - y[k]) <= largest ? largest : PetscAbsReal(x[k] - y[k]);
  return largest; /* NaN if one is */
}

/* x is the same on every rank to the last bit */
static PetscErrorCode SameEverywhere(PetscInt n, const PetscReal x[], PetscBool *same)
{
  PetscReal *root;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &root));
  PetscCall(PetscArraycpy(root, x, n));
  PetscCallMPI(MPI_Bcast(root, (int)n, MPIU_REAL, 0, PETSC_COMM_WORLD));
  PetscCall(PetscArraycmp(root, x, n, same));
  PetscCall(PetscFree(root));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static PetscErrorCode TestLayout(PetscInt m, int nb)
{
  Tiles      tiles, copy;
  PetscReal *full;
  PetscBool  once = PETSC_TRUE, squarish, held;
  int        rank, size;

  PetscFunctionBeginUser;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  squarish = (PetscBool)(tiles->npcol <= tiles->nprow && tiles->nprow <= 4 * tiles->npcol && tiles->nprow * tiles->npcol <= size);
  Tap(squarish, "m = %d in tiles of %d: a %d x %d grid", (int)m, nb, tiles->nprow, tiles->npcol);
  held = (PetscBool)(rank < tiles->nprow * tiles->npcol);
  Tap((PetscBool)(held ? TilesRank(tiles, tiles->myrow, tiles->mycol) == rank &&
                             tiles->rows == TilesLocalRows(tiles, tiles->myrow) &&
                             tiles->cols == TilesLocalCols(tiles, tiles->mycol) && (size == 1 || tiles->rows >= PetscMin(nb, m))
                       : tiles->comm == MPI_COMM_NULL && !tiles->a && !tiles->rows),
      "... with tiles on its first ranks and on no others");
  for (size_t k = 0; tiles->a && k < (size_t)tiles->rows * (size_t)tiles->cols; k++) {
    once        = (PetscBool)(once && tiles->a[k] == 0);
    tiles->a[k] = 1;
  }
  PetscCall(TilesDuplicate(tiles, &copy));
  PetscCall(TilesCopy(tiles, copy));
  PetscCall(TilesDestroy(&tiles));
  PetscCall(Gather(copy, &full));
  for (PetscInt k = 0; k < m * m; k++) once = (PetscBool)(once && full[k] == 1);
  Tap(once, "... zero at first, every entry on one rank, and a copy outlives its original");
  PetscCall(PetscFree(full));
  PetscCall(TilesDestroy(&copy));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestGridOfLargeMatrix(void)
{
  const int expected[][2] = {{0, 0}, {1, 1}, {2, 1}, {3, 1}, {2, 2}, {2, 2}, {3, 2}};
  Tiles     tiles;
  int       size;

  PetscFunctionBeginUser;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, 211, &tiles));
  if (size <= 6)
    Tap((PetscBool)(tiles->nprow == expected[size][0] && tiles->npcol == expected[size][1] && tiles->nb == 32),
        "m = 211 in tiles of 32 on %d ranks: a %d x %d grid", size, tiles->nprow, tiles->npcol);
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestEntries(PetscInt m)
{
  const PetscReal mu = 2.75;
  Known           A;
  Tiles           tiles;
  PetscReal      *full, norms[3], trace = 0, squares = 0, largest = PETSC_MIN_REAL;
  PetscBool       exact = PETSC_TRUE;

  PetscFunctionBeginUser;
  KnownCreate(m, 0.5, &A);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  Fill(&A, tiles);
  PetscCall(TilesShift(tiles, mu));
  PetscCall(TilesNorms(tiles, NULL, NULL, NULL));
  PetscCall(TilesNorms(tiles, &norms[0], &norms[1], &norms[2]));
  for (PetscInt k = 0; k < m; k++) {
    trace += A.d[k] + mu;
    squares += PetscSqr(A.d[k] + mu);
    largest = PetscMax(largest, Entry(&A, k, k) + mu);
  }
  /* sums of at most m^2 terms; errors of single terms average out */
  TapClose(norms[0], trace, trace, (PetscReal)m * PETSC_MACHINE_EPSILON, "the trace is the sum of the shifted eigenvalues");
  TapClose(norms[1], squares, squares, (PetscReal)m * PETSC_MACHINE_EPSILON,
           "the sum of squares is that of the shifted eigenvalues");
  Tap((PetscBool)(norms[2] == largest), "the largest diagonal entry is found");
  PetscCall(TilesMirror(tiles));
  PetscCall(Gather(tiles, &full));
  for (PetscInt j = 0; j < m; j++)
    for (PetscInt i = j; i < m; i++) {
      const PetscReal a = Entry(&A, i, j) + (i == j ? mu : 0);

      exact = (PetscBool)(exact && full[j * m + i] == a && full[i * m + j] == a);
    }
  Tap(exact, "m = %d: the mirrored matrix is symmetric, its lower triangle unchanged", (int)m);
  PetscCall(PetscFree(full));
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestCholesky(PetscInt m)
{
  Known     A;
  Tiles     tiles;
  PetscReal x[M_MAX], b[M_MAX];
  PetscBool success, same;

  PetscFunctionBeginUser;
  KnownCreate(m, 1, &A);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  Fill(&A, tiles);
  PetscCall(TilesCholesky(tiles, &success));
  Tap(success, "m = %d: a positive definite matrix has a Cholesky factor", (int)m);
  for (PetscInt i = 0; i < m; i++) {
    x[i] = PetscSinReal((PetscReal)i + 1);
    b[i] = 0;
  }
  for (PetscInt i = 0; i < m; i++)
    for (PetscInt j = 0; j < m; j++) b[i] += Entry(&A, i, j) * x[j];
  PetscCall(TilesSolve(tiles, b));
  PetscCall(SameEverywhere(m, b, &same));
  /* condition d_m/d_1 <= 2 m, times a modest multiple of u for A and b */
  TapClose(LargestDifference(m, x, b), 0, 2 * A.d[m - 1] / A.d[0], 8 * PETSC_MACHINE_EPSILON, "... which solves A x = b");
  Tap(same, "... alike to the last bit on every rank");
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Every entry on and below the diagonal from column `first` on is in one rectangle; of the others, less than a tenth. */
static PetscErrorCode TestCover(PetscInt m, PetscInt first)
{
  PetscInt       wrong = 0, above = 0, wanted = 0;
  Tiles          tiles;
  Cover          cover;
  unsigned char *times;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  PetscCall(PetscCalloc1((size_t)tiles->rows * (size_t)tiles->cols, &times));
  PetscCall(CoverCreateTiles(tiles, first, &cover));
  for (PetscInt k = 0; k < cover.count; k++) {
    const Rectangle r = cover.rectangles[k];

    if (r.c1 - r.c0 > COVER_WIDTH || r.r1 - r.r0 > COVER_HEIGHT || r.triangle) wrong++;
    for (PetscInt j = r.c0; j < r.c1; j++)
      for (PetscInt i = r.r0; i < r.r1; i++) times[(size_t)j * (size_t)tiles->rows + (size_t)i]++;
  }
  for (PetscInt j = 0; j < tiles->cols; j++)
    for (PetscInt i = 0; i < tiles->rows; i++) {
      const PetscInt  row = TilesGlobalRow(tiles, tiles->myrow, i), col = TilesGlobalCol(tiles, tiles->mycol, j);
      const PetscBool lower = (PetscBool)(row >= col && col >= first);
      const int       count = times[(size_t)j * (size_t)tiles->rows + (size_t)i];

      wanted += lower;
      above += !lower && count;
      wrong += count > 1 || (lower && !count) || (count && col < first);
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &wrong, 1, MPIU_INT, MPI_SUM, PETSC_COMM_WORLD));
  Tap((PetscBool)!wrong, "m = %d: rectangles cover what is on and below the diagonal from column %d on, once", (int)m, (int)first);
  Tap((PetscBool)(above <= wanted / 10), "... and little above it: %d of %d entries", (int)above, (int)wanted);
  PetscCall(CoverDestroy(&cover));
  PetscCall(PetscFree(times));
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one entry of the lower triangle becomes x */
static void Spoil(Tiles tiles, PetscInt i, PetscInt j, PetscReal x)
{
  for (int l = 0; l < tiles->cols; l++)
    for (int k = 0; k < tiles->rows; k++)
      if (TilesGlobalRow(tiles, tiles->myrow, k) == i && TilesGlobalCol(tiles, tiles->mycol, l) == j)
        tiles->a[(size_t)l * (size_t)tiles->rows + (size_t)k] = x;
}

static PetscErrorCode TestRefusals(PetscInt m)
{
  const PetscReal bad[] = {(PetscReal)NAN, (PetscReal)INFINITY};
  Known           A;
  Tiles           tiles, vectors;
  PetscReal       lambda[M_MAX];
  PetscBool       success;
  PetscErrorCode  values_error, vectors_error;

  PetscFunctionBeginUser;
  KnownCreate(m, -0.125, &A);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  PetscCall(TilesDuplicate(tiles, &vectors));
  Fill(&A, tiles);
  PetscCall(TilesCholesky(tiles, &success));
  Tap((PetscBool)!success, "m = %d: a matrix with one negative eigenvalue has no Cholesky factor", (int)m);
  KnownCreate(m, 1, &A);
  Fill(&A, tiles);
  Spoil(tiles, 0, 0, -1);
  PetscCall(TilesCholesky(tiles, &success));
  Tap((PetscBool)!success, "... nor one whose first entry is -1");
  for (int k = 0; k < 4; k++) {
    Fill(&A, tiles);
    Spoil(tiles, m - 1, k < 2 ? m - 1 : m / 3, bad[k % 2]);
    PetscCall(TilesCholesky(tiles, &success));
    Tap((PetscBool)!success, "... nor one with %g in its last row, column %d", (double)bad[k % 2], (int)(k < 2 ? m - 1 : m / 3));
  }
  for (int k = 0; k < 2; k++) {
    Fill(&A, tiles);
    Spoil(tiles, m - 1, m / 3, bad[k]);
    PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
    values_error  = TilesEigenvalues(tiles, lambda);
    vectors_error = TilesEigenvectors(tiles, lambda, vectors);
    PetscCall(PetscPopErrorHandler());
    Tap((PetscBool)(values_error == PETSC_ERR_FP && vectors_error == PETSC_ERR_FP), "... and no eigenvalues with %g, on any rank",
        (double)bad[k]);
  }
  PetscCall(TilesDestroy(&vectors));
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max |A Z - Z diag(lambda)| and max |Z^T Z - I| */
static void Defects(const Known *A, const PetscReal lambda[], const PetscReal Z[], PetscReal *residual, PetscReal *orthogonality)
{
  const PetscInt m = A->m;

  *residual = *orthogonality = 0;
  for (PetscInt k = 0; k < m; k++)
    for (PetscInt i = 0; i < m; i++) {
      PetscReal r = -lambda[k] * Z[k * m + i], o = i == k ? -1 : 0;

      for (PetscInt j = 0; j < m; j++) {
        r += Entry(A, i, j) * Z[k * m + j];
        o += Z[i * m + j] * Z[k * m + j];
      }
      *residual      = PetscAbsReal(r) <= *residual ? *residual : PetscAbsReal(r);
      *orthogonality = PetscAbsReal(o) <= *orthogonality ? *orthogonality : PetscAbsReal(o);
    }
}

static PetscErrorCode TestEigen(PetscInt m)
{
  Known           A;
  Tiles           tiles, vectors;
  PetscReal       lambda[M_MAX], residual, orthogonality, *Z;
  const PetscReal allowed = 4 * (PetscReal)m * PETSC_MACHINE_EPSILON;
  PetscBool       same, same_vectors;

  PetscFunctionBeginUser;
  KnownCreate(m, -0.25, &A);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  PetscCall(TilesDuplicate(tiles, &vectors));
  Fill(&A, tiles);
  PetscCall(TilesEigenvalues(tiles, lambda));
  PetscCall(SameEverywhere(m, lambda, &same));
  Tap((PetscBool)(LargestDifference(m, lambda, A.d) <= allowed * PetscMax(1, A.d[m - 1])), "m = %d: %s finds the known eigenvalues",
      (int)m, TilesEigensolver(tiles));
  Fill(&A, tiles);
  PetscCall(TilesEigenvectors(tiles, lambda, vectors));
  PetscCall(SameEverywhere(m, lambda, &same_vectors));
  Tap((PetscBool)(LargestDifference(m, lambda, A.d) <= allowed * PetscMax(1, A.d[m - 1])), "... and again with vectors");
  Tap((PetscBool)(same && same_vectors), "... alike to the last bit on every rank");
  PetscCall(Gather(vectors, &Z));
  Defects(&A, lambda, Z, &residual, &orthogonality);
  Tap((PetscBool)(residual <= allowed * PetscMax(1, A.d[m - 1])), "... A Z = Z diag(lambda)");
  Tap((PetscBool)(orthogonality <= allowed), "... Z^T Z = I");
  PetscCall(PetscFree(Z));
  PetscCall(TilesDestroy(&vectors));
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Large. The vectors are compared with the columns of Q, up to sign. */
static PetscErrorCode TestLargeEigenvectors(void)
{
  const PetscInt m = M_MAX;
  Known          A;
  Tiles          tiles, vectors;
  PetscReal      lambda[M_MAX], dot[M_MAX] = {0}, error = 0;

  PetscFunctionBeginUser;
  KnownCreate(m, -0.25, &A);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  PetscCall(TilesDuplicate(tiles, &vectors));
  Fill(&A, tiles);
  PetscCall(TilesEigenvectors(tiles, lambda, vectors));
  for (int pass = 0; pass < 2; pass++) {
    for (int l = 0; l < vectors->cols; l++)
      for (int k = 0; k < vectors->rows; k++) {
        const PetscInt  i = TilesGlobalRow(vectors, vectors->myrow, k), j = TilesGlobalCol(vectors, vectors->mycol, l);
        const PetscReal z = vectors->a[(size_t)l * (size_t)vectors->rows + (size_t)k], q = (i == j) - 2 * A.v[i] * A.v[j];

        if (pass == 0)
          dot[j] += z * q;
        else if (!(PetscAbsReal(z - (dot[j] < 0 ? -q : q)) <= error))
          error = PetscAbsReal(z - (dot[j] < 0 ? -q : q));
      }
    if (pass == 0) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, dot, (int)m, MPIU_REAL, MPI_SUM, PETSC_COMM_WORLD));
  }
  /* sin of the angle <= residual / gap, gap >= 1/2 */
  Tap((PetscBool)(LargestDifference(m, lambda, A.d) <= 4 * (PetscReal)m * PETSC_MACHINE_EPSILON * A.d[m - 1]),
      "m = %d: the known eigenvalues", (int)m);
  Tap((PetscBool)(error <= 8 * (PetscReal)m * PETSC_MACHINE_EPSILON * A.d[m - 1]), "... and the known eigenvectors");
  PetscCall(TilesDestroy(&vectors));
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A_ij = 1/(1 + i - j) below the diagonal, 2 on it: rows sum to at most 2 + log m, the inverse is as tame. Above: NaN */
static PetscReal LowerEntry(PetscInt i, PetscInt j)
{
  return i < j ? (PetscReal)NAN : i == j ? 2 : 1 / (PetscReal)(1 + i - j);
}

static PetscErrorCode TestTriangular(PetscInt m)
{
  enum { NRHS = 3 };
  Tiles     tiles;
  PetscReal x[NRHS * M_MAX], b[NRHS * M_MAX];
  PetscBool same;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &tiles));
  for (int l = 0; l < tiles->cols; l++)
    for (int k = 0; k < tiles->rows; k++)
      tiles->a[(size_t)l * (size_t)tiles->rows + (size_t)k] =
          LowerEntry(TilesGlobalRow(tiles, tiles->myrow, k), TilesGlobalCol(tiles, tiles->mycol, l));
  for (PetscInt k = 0; k < NRHS * m; k++) x[k] = PetscSinReal((PetscReal)(3 * k + 1));
  for (PetscInt k = 0; k < NRHS * m; k++) {
    b[k] = 0;
    for (PetscInt j = 0; j <= k % m; j++) b[k] += LowerEntry(k % m, j) * x[k / m * m + j];
  }
  PetscCall(TilesTriangularSolve(tiles, NRHS, b));
  PetscCall(SameEverywhere(NRHS * m, b, &same));
  /* m terms a row, and |A^(-1)| |A| of order log m */
  Tap((PetscBool)(LargestDifference(NRHS * m, b, x) <= 4 * (PetscReal)(m + 3) * PETSC_MACHINE_EPSILON),
      "m = %d: three right-hand sides of a triangular system", (int)m);
  Tap(same, "... the same on every rank");
  PetscCall(TilesDestroy(&tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestUserErrors(void)
{
  Tiles       tiles = NULL;
  PetscMPIInt size;

  PetscFunctionBeginUser;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size > 1) {
    const PetscErrorCode ierr = TilesCreate(PETSC_COMM_WORLD, 300000, &tiles);

    Tap((PetscBool)(ierr && !tiles && ExitStatusOfError(ierr) == STATUS_DATA),
        "a matrix too large for 32-bit sizes is a user error");
  }
  PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", "0"));
  {
    const PetscErrorCode ierr = TilesCreate(PETSC_COMM_WORLD, 5, &tiles);

    Tap((PetscBool)(ierr && !tiles && ExitStatusOfError(ierr) == STATUS_USAGE), "-tiles_block 0 is a user error");
  }
  PetscCall(PetscOptionsClearValue(NULL, "-tiles_block"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  /* small tiles make many of them: several on a rank, the last ones short, and grids that small m cannot fill */
  const struct {
    PetscInt m;
    int      nb;
  } shapes[] = {{1, 1}, {1, 32}, {2, 1}, {5, 1}, {5, 32}, {11, 4}, {23, 3}, {97, 8}, {97, 32}, {200, 32}, {300, 7}, {600, 32}};

  TapBegin(&argc, &argv);
  TapCall(TestGridOfLargeMatrix());
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(shapes); k++) {
    char block[8];

    TapCall(PetscSNPrintf(block, sizeof block, "%d", shapes[k].nb));
    TapCall(PetscOptionsSetValue(NULL, "-tiles_block", block));
    TapCall(TestLayout(shapes[k].m, shapes[k].nb));
    TapCall(TestEntries(shapes[k].m));
    TapCall(TestCholesky(shapes[k].m));
    TapCall(TestTriangular(shapes[k].m));
    TapCall(TestRefusals(shapes[k].m));
    TapCall(TestEigen(shapes[k].m));
    TapCall(PetscOptionsSetValue(NULL, "-tiles_elpa", "false"));
    TapCall(TestEigen(shapes[k].m));
    TapCall(PetscOptionsClearValue(NULL, "-tiles_elpa"));
  }
  TapCall(PetscOptionsClearValue(NULL, "-tiles_block"));
  TapCall(TestLargeEigenvectors());
  TapCall(TestCover(5000, 0));
  TapCall(TestCover(5000, 2048));
  TapCall(TestUserErrors());
  return TapEnd();
}
