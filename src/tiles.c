/*
  tiles.c: block-cyclic symmetric matrices; see tiles.h.

  Global index g lies in tile g / nb, which process (g / nb) % nprocs holds as its local tile g / nb / nprocs. Rows and columns are
  dealt alike, so the global indices below g are a prefix of every process's local ones.
*/
#include "codim/tiles.h"
#include "codim/threads.h"
#include "scalapack.h"
#include "tiles_factor.h"
#include <limits.h>
#ifdef CODIM_HAVE_ELPA
  #include <elpa/elpa.h>
#endif

_Static_assert(sizeof(PetscReal) == sizeof(double), "LAPACK is called in double precision");

static const int one = 1;

enum { BLOCK = 32 /* rows and columns of a tile */ };

/* ---- who holds what ---------------------------------------------------------------------------------------------- */

/* how many of the global indices 0 .. n-1 process iproc holds */
static int LocalSize(PetscInt n, int nb, int iproc, int nprocs)
{
  const int size = (int)n, first = 0; /* n <= m < 2^31 */

  return numroc_(&size, &nb, &iproc, &first, &nprocs);
}

static PetscInt GlobalIndex(int nb, int iproc, int nprocs, PetscInt local)
{
  return (local / nb * nprocs + iproc) * nb + local % nb;
}

PetscMPIInt TilesRank(Tiles tiles, int prow, int pcol)
{
  return prow * tiles->npcol + pcol;
}

PetscInt TilesGlobalRow(Tiles tiles, int prow, PetscInt local)
{
  return GlobalIndex(tiles->nb, prow, tiles->nprow, local);
}

PetscInt TilesGlobalCol(Tiles tiles, int pcol, PetscInt local)
{
  return GlobalIndex(tiles->nb, pcol, tiles->npcol, local);
}

PetscInt TilesRowsBefore(Tiles tiles, int prow, PetscInt global)
{
  return LocalSize(global, tiles->nb, prow, tiles->nprow);
}

PetscInt TilesColsBefore(Tiles tiles, int pcol, PetscInt global)
{
  return LocalSize(global, tiles->nb, pcol, tiles->npcol);
}

PetscInt TilesLocalRows(Tiles tiles, int prow)
{
  return TilesRowsBefore(tiles, prow, tiles->m);
}

PetscInt TilesLocalCols(Tiles tiles, int pcol)
{
  return TilesColsBefore(tiles, pcol, tiles->m);
}

/* local column j, and in it the number of rows above the diagonal */
static PetscReal *Column(Tiles tiles, int j, int *above)
{
  *above = LocalSize(TilesGlobalCol(tiles, tiles->mycol, j), tiles->nb, tiles->myrow, tiles->nprow);
  return tiles->a + (size_t)j * (size_t)tiles->rows;
}

/* the diagonal entry of local column j, NULL if another process has it */
static PetscReal *DiagonalEntry(Tiles tiles, int j)
{
  int        above;
  PetscReal *column = Column(tiles, j, &above);

  return TilesGlobalCol(tiles, tiles->mycol, j) / tiles->nb % tiles->nprow == tiles->myrow ? column + above : NULL;
}

static size_t Entries(Tiles tiles)
{
  return (size_t)tiles->rows * (size_t)tiles->cols;
}

/* ---- the grid ---------------------------------------------------------------------------------------------------- */

/* The most ranks with npcol <= nprow <= 4 npcol and a whole tile for each; among equals the squarest. */
static void ChooseGrid(PetscMPIInt size, PetscInt m, int nb, int *nprow, int *npcol)
{
  *nprow = *npcol = 1;
  for (int q = 1; q * q <= size; q++) {
    const int p = (int)PetscMin(m / nb, PetscMin(4 * q, size / q));

    if (p < q || p * q < *nprow * *npcol) continue;
    *nprow = p;
    *npcol = q;
  }
}

/* entries of the fullest process, (0, 0) */
static PetscReal LargestShare(PetscInt m, int nb, int nprow, int npcol)
{
  return (PetscReal)LocalSize(m, nb, 0, nprow) * (PetscReal)LocalSize(m, nb, 0, npcol);
}

void TilesChoose(PetscInt ranks, PetscReal m, TilesShape *shape)
{
  const PetscInt order = (PetscInt)PetscMin(m, (PetscReal)(INT_MAX - 1));
  PetscInt       nb    = BLOCK;

  (void)PetscOptionsGetInt(NULL, NULL, "-tiles_block", &nb, NULL);
  shape->nb = (int)PetscMax(1, PetscMin(1024, nb));
  ChooseGrid((PetscMPIInt)PetscMin(ranks, INT_MAX), order, shape->nb, &shape->nprow, &shape->npcol);
  shape->rows = (PetscReal)LocalSize(order, shape->nb, 0, shape->nprow);
  shape->cols = (PetscReal)LocalSize(order, shape->nb, 0, shape->npcol);
}

/* more than `ranks`, on which no process has more than `limit` entries of a matrix of order m */
static PetscMPIInt RanksFor(PetscMPIInt ranks, PetscInt m, int nb, PetscReal limit)
{
  int nprow, npcol;

  do ChooseGrid(++ranks, m, nb, &nprow, &npcol);
  while (LargestShare(m, nb, nprow, npcol) > limit);
  return ranks;
}

/* At most `limit` entries a rank; else a user error that names the number of ranks that works. */
static PetscErrorCode CheckShare(Tiles shape, PetscReal limit)
{
  const PetscInt  m     = shape->m;
  const PetscReal share = LargestShare(m, shape->nb, shape->nprow, shape->npcol);
  PetscMPIInt     size;

  PetscFunctionBeginUser;
  if (share <= limit) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_size(shape->world, &size));
  PetscCall(UserCheck(shape->world, PETSC_FALSE, STATUS_DATA,
                      "dense %" PetscInt_FMT " x %" PetscInt_FMT
                      " matrix on %d ranks: %.3g entries on one, and the 32-bit sizes of "
                      "ScaLAPACK and LAPACK allow %.3g: use %d ranks",
                      m, m, size, (double)share, (double)limit, RanksFor(size, m, shape->nb, limit)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tiles->{world, m, nb, nprow, npcol} given: the rest of it, and zero entries */
static PetscErrorCode SetUp(Tiles tiles)
{
  PetscMPIInt rank;
  PetscBool   holds;
  int         handle;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(tiles->world, &rank));
  holds        = (PetscBool)(rank < tiles->nprow * tiles->npcol);
  tiles->myrow = holds ? rank / tiles->npcol : -1;
  tiles->mycol = holds ? rank % tiles->npcol : -1;
  PetscCallMPI(MPI_Comm_split(tiles->world, holds ? 0 : MPI_UNDEFINED, rank, &tiles->comm));
  if (!holds) PetscFunctionReturn(PETSC_SUCCESS);
  handle = tiles->context = Csys2blacs_handle(tiles->comm);
  Cblacs_gridinit(&tiles->context, "Row", tiles->nprow, tiles->npcol);
  Cfree_blacs_system_handle(handle);
  PetscCallMPI(MPI_Comm_split(tiles->comm, tiles->myrow, tiles->mycol, &tiles->row_comm));
  PetscCallMPI(MPI_Comm_split(tiles->comm, tiles->mycol, tiles->myrow, &tiles->col_comm));
  tiles->rows    = (int)TilesLocalRows(tiles, tiles->myrow);
  tiles->cols    = (int)TilesLocalCols(tiles, tiles->mycol);
  tiles->desc[0] = 1;
  tiles->desc[1] = tiles->context;
  tiles->desc[2] = tiles->desc[3] = (int)tiles->m;
  tiles->desc[4] = tiles->desc[5] = tiles->nb;
  tiles->desc[8]                  = tiles->rows;
  PetscCall(PetscCalloc1(Entries(tiles), &tiles->a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* shape->{world, m, nb, nprow, npcol, elpa} given */
static PetscErrorCode CreateLike(Tiles shape, Tiles *tiles)
{
  Tiles new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->world = shape->world;
  new->m     = shape->m;
  new->elpa  = shape->elpa;
  new->nb    = shape->nb;
  new->nprow = shape->nprow;
  new->npcol = shape->npcol;
  PetscCall(SetUp(new));
  *tiles = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesCreate(MPI_Comm world, PetscInt m, Tiles *tiles)
{
  struct Tiles_s shape = {.world = world, .m = m, .elpa = PETSC_TRUE};
  PetscInt       nb    = BLOCK;
  PetscMPIInt    size;

  PetscFunctionBeginUser;
  PetscCheck(m > 0 && m < INT_MAX, world, PETSC_ERR_ARG_OUTOFRANGE, "a matrix of order %" PetscInt_FMT, m);
  PetscOptionsBegin(world, NULL, "Dense symmetric matrices in tiles", NULL);
  PetscCall(PetscOptionsInt("-tiles_block", "rows and columns of a tile, 1 to 1024", NULL, nb, &nb, NULL));
  PetscCall(PetscOptionsBool("-tiles_elpa", "eigenvalues by ELPA where it was found", NULL, shape.elpa, &shape.elpa, NULL));
  PetscOptionsEnd();
  PetscCall(UserCheck(world, (PetscBool)(nb >= 1 && nb <= 1024), STATUS_USAGE,
                      "-tiles_block %" PetscInt_FMT ": must be from 1 to 1024", nb));
  shape.nb = (int)nb;
  PetscCallMPI(MPI_Comm_size(world, &size));
  ChooseGrid(size, m, shape.nb, &shape.nprow, &shape.npcol);
  if (shape.nprow * shape.npcol > 1) PetscCall(CheckShare(&shape, INT_MAX));
  PetscCall(CreateLike(&shape, tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesDuplicate(Tiles tiles, Tiles *other)
{
  PetscFunctionBeginUser;
  PetscCall(CreateLike(tiles, other));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* same order, tiles and grid: then the rows, columns and all of desc but the context agree, and one desc may serve both */
static PetscErrorCode CheckShape(Tiles a, Tiles b)
{
  PetscFunctionBeginUser;
  PetscCheck(a->m == b->m && a->nb == b->nb && a->nprow == b->nprow && a->npcol == b->npcol, a->world, PETSC_ERR_ARG_INCOMP,
             "tiles of different shapes");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesCopy(Tiles from, Tiles to)
{
  PetscFunctionBeginUser;
  PetscCall(CheckShape(from, to));
  PetscCall(PetscArraycpy(to->a, from->a, Entries(from)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesDestroy(Tiles *tiles)
{
  PetscFunctionBeginUser;
  if (!*tiles) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree((*tiles)->a));
  if ((*tiles)->comm != MPI_COMM_NULL) {
    Cblacs_freebuff((*tiles)->context, 1); /* a send not yet tested for its end would keep a communicator alive */
    Cblacs_gridexit((*tiles)->context);
    PetscCallMPI(MPI_Comm_free(&(*tiles)->row_comm));
    PetscCallMPI(MPI_Comm_free(&(*tiles)->col_comm));
    PetscCallMPI(MPI_Comm_free(&(*tiles)->comm));
  }
  PetscCall(PetscFree(*tiles));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* square by square, so that both of a pair stay in cache */
static void MirrorOnOne(size_t m, PetscReal a[])
{
  const size_t side = 64;

#pragma omp parallel for schedule(dynamic) if (ThreadsShare(m * m))
  for (size_t left = 0; left < m; left += side)
    for (size_t top = left; top < m; top += side)
      for (size_t j = left; j < PetscMin(left + side, m); j++)
        for (size_t i = PetscMax(top, j + 1); i < PetscMin(top + side, m); i++) a[j + i * m] = a[i + j * m];
}

static PetscErrorCode MirrorOnGrid(Tiles tiles)
{
  const int    m    = (int)tiles->m;
  const double keep = 0, scale = 1;
  PetscReal   *transpose;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(Entries(tiles), &transpose));
  pdtran_(&m, &m, &scale, tiles->a, &one, &one, tiles->desc, &keep, transpose, &one, &one, tiles->desc);
  for (int j = 0; j < tiles->cols; j++) {
    int        above;
    PetscReal *column = Column(tiles, j, &above);

    PetscCall(PetscArraycpy(column, transpose + (size_t)j * (size_t)tiles->rows, above));
  }
  PetscCall(PetscFree(transpose));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesMirror(Tiles tiles)
{
  PetscFunctionBeginUser;
  if (tiles->comm == MPI_COMM_NULL) PetscFunctionReturn(PETSC_SUCCESS);
  if (tiles->nprow * tiles->npcol > 1)
    PetscCall(MirrorOnGrid(tiles));
  else
    MirrorOnOne((size_t)tiles->m, tiles->a);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesShift(Tiles tiles, PetscReal mu)
{
  PetscFunctionBeginUser;
  for (int j = 0; j < tiles->cols; j++) {
    PetscReal *diagonal = DiagonalEntry(tiles, j);

    if (diagonal) *diagonal += mu;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesNorms(Tiles tiles, PetscReal *trace, PetscReal *frobenius2, PetscReal *largest_diagonal)
{
  PetscReal sum[2] = {0, 0}, largest = PETSC_MIN_REAL, *squares; /* sum: of a_ii, of a_ij^2; squares: of each column */

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(tiles->cols, &squares));
#pragma omp parallel for schedule(static, 16) if (ThreadsShare(Entries(tiles)))
  for (int j = 0; j < tiles->cols; j++) {
    int              above;
    const PetscReal *column = Column(tiles, j, &above);

    squares[j] = 0;
    for (int i = above; i < tiles->rows; i++) squares[j] += column[i] * column[i];
  }
  for (int j = 0; j < tiles->cols; j++) {
    const PetscReal *diagonal = DiagonalEntry(tiles, j);

    sum[1] += 2 * squares[j];
    if (!diagonal) continue;
    sum[0] += *diagonal;
    sum[1] -= *diagonal * *diagonal;
    largest = PetscMax(largest, *diagonal);
  }
  PetscCall(PetscFree(squares));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPIU_REAL, MPI_SUM, tiles->world));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPI_MAX, tiles->world));
  if (trace) *trace = sum[0];
  if (frobenius2) *frobenius2 = sum[1];
  if (largest_diagonal) *largest_diagonal = largest;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesGram(Tiles A, PetscBool transposed, Tiles product)
{
  const int    m     = (int)A->m;
  const double alpha = 1, beta = 0;
  const char  *trans = transposed ? "T" : "N";

  PetscFunctionBeginUser;
  PetscCall(CheckShape(A, product));
  if (A->nprow * A->npcol > 1) {
    if (A->comm != MPI_COMM_NULL)
      pdsyrk_("L", trans, &m, &m, &alpha, A->a, &one, &one, A->desc, &beta, product->a, &one, &one, A->desc);
  } else if (A->comm != MPI_COMM_NULL)
    dsyrk_("L", trans, &m, &m, &alpha, A->a, &m, &beta, product->a, &m);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- Cholesky ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode FactorOnOne(Tiles tiles, PetscReal flops, PetscBool *broken)
{
  const int m = (int)tiles->m;
  int       info;

  PetscFunctionBeginUser;
  PetscCall(ProgressOnePiece(tiles->comm, flops, "Cholesky factorization"));
  dpotrf_("L", &m, tiles->a, &m, &info);
  PetscCheck(info >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dpotrf: illegal argument");
  *broken = (PetscBool)(info > 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesCholesky(Tiles tiles, PetscBool *success)
{
  const PetscReal m = (PetscReal)tiles->m, flops = m * m * m / 3 / (tiles->nprow * tiles->npcol);
  PetscBool       broken = PETSC_FALSE;
  int             sound;

  PetscFunctionBeginUser;
  if (tiles->comm != MPI_COMM_NULL) {
    PetscCall((tiles->nprow * tiles->npcol > 1 ? FactorOnGrid : FactorOnOne)(tiles, flops, &broken));
    PetscCall(PetscLogFlops(flops));
  }
  sound = !broken;
  for (int j = 0; j < tiles->cols; j++) {
    const PetscReal *diagonal = DiagonalEntry(tiles, j);

    if (diagonal && !(*diagonal > 0 && !PetscIsInfOrNanReal(*diagonal))) sound = 0;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sound, 1, MPI_INT, MPI_MIN, tiles->world));
  *success = (PetscBool)sound;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesShiftedCholesky(Tiles tiles, PetscReal tau, ShiftedCholesky *factor)
{
  PetscFunctionBeginUser;
  factor->tau = tau;
  PetscCall(TilesNorms(tiles, &factor->trace, &factor->squares, &factor->diagonal));
  PetscCall(TilesShift(tiles, -tau));
  PetscCall(TilesCholesky(tiles, &factor->ended));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- solves: B is whole on every rank; on the grid it is one column of tiles in process column 0, its rows dealt as the matrix's ----- */

typedef struct {
  int        held, nrhs, desc[9]; /* rows here */
  PetscReal *a;                   /* rows of the matrix x nrhs */
} RightSides;

static PetscErrorCode RightSidesCreate(Tiles tiles, int nrhs, const PetscReal B[], RightSides *sides)
{
  const int rows = tiles->rows, desc[9] = {1, tiles->context, (int)tiles->m, nrhs, tiles->nb, PetscMax(1, nrhs), 0, 0, rows};

  PetscFunctionBeginUser;
  sides->held = tiles->mycol == 0 ? rows : 0;
  sides->nrhs = nrhs;
  PetscCall(PetscArraycpy(sides->desc, desc, 9));
  PetscCall(PetscMalloc1((size_t)rows * (size_t)nrhs, &sides->a));
  for (int k = 0; k < nrhs; k++)
    for (int i = 0; i < sides->held; i++)
      sides->a[(size_t)k * (size_t)rows + (size_t)i] =
          B[(size_t)k * (size_t)tiles->m + (size_t)TilesGlobalRow(tiles, tiles->myrow, i)];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* B: its entries here, elsewhere 0 */
static PetscErrorCode RightSidesDestroy(Tiles tiles, RightSides *sides, PetscReal B[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(B, (size_t)tiles->m * (size_t)sides->nrhs));
  for (int k = 0; k < sides->nrhs; k++)
    for (int i = 0; i < sides->held; i++)
      B[(size_t)k * (size_t)tiles->m + (size_t)TilesGlobalRow(tiles, tiles->myrow, i)] =
          sides->a[(size_t)k * (size_t)tiles->rows + (size_t)i];
  PetscCall(PetscFree(sides->a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* every entry stands on one rank */
static PetscErrorCode SumColumns(Tiles tiles, int nrhs, PetscReal B[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < nrhs; k++)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, B + (size_t)k * (size_t)tiles->m, (int)tiles->m, MPIU_REAL, MPI_SUM, tiles->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesSolve(Tiles factor, PetscReal b[])
{
  const int  m    = (int)factor->m;
  int        info = 0;
  RightSides sides;

  PetscFunctionBeginUser;
  if (factor->comm == MPI_COMM_NULL)
    PetscCall(PetscArrayzero(b, m));
  else if (factor->nprow * factor->npcol > 1) {
    PetscCall(RightSidesCreate(factor, 1, b, &sides));
    pdpotrs_("L", &m, &one, factor->a, &one, &one, factor->desc, sides.a, &one, &one, sides.desc, &info);
    PetscCall(RightSidesDestroy(factor, &sides, b));
  } else
    dpotrs_("L", &m, &one, factor->a, &m, b, &m, &info);
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dpotrs or pdpotrs: info %d", info);
  PetscCall(SumColumns(factor, 1, b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesTriangularSolve(Tiles A, PetscInt nrhs, PetscReal B[])
{
  const int    m = (int)A->m, n = (int)nrhs;
  const double alpha = 1;
  RightSides   sides;

  PetscFunctionBeginUser;
  if (A->comm == MPI_COMM_NULL)
    PetscCall(PetscArrayzero(B, (size_t)m * (size_t)n));
  else if (A->nprow * A->npcol > 1) {
    PetscCall(RightSidesCreate(A, n, B, &sides));
    pdtrsm_("L", "L", "N", "N", &m, &n, &alpha, A->a, &one, &one, A->desc, sides.a, &one, &one, sides.desc);
    PetscCall(RightSidesDestroy(A, &sides, B));
  } else
    dtrsm_("L", "L", "N", "N", &m, &n, &alpha, A->a, &m, B, &m);
  PetscCall(SumColumns(A, n, B));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- eigenvalues -------------------------------------------------------------------------------------------------
   solve is called on the ranks that hold tiles. Z: the local part of the eigenvectors, NULL if only values are wanted.
   Seconds below: medians, m = 4000, one thread a rank.                                                                */

typedef struct {
  const char *name;
  PetscBool   whole;     /* needs both triangles */
  PetscReal   workspace; /* for vectors, counted in 32 bits: times m^2/(nprow npcol) + O(m) entries */
  PetscErrorCode (*solve)(Tiles A, PetscReal lambda[], PetscReal Z[], int *info);
} Eigensolver;

/* Values alone: dsyevd_2stage goes through a band matrix, dsyevd straight to the tridiagonal one, half of it in products with a vector, which threads share
   and a cache holds. One thread, m = 500 / 1000 / 1797 / 4000: dsyevd .009 / .08 / .41 / 4.5 s, 2-stage .013 / .07 / .26 / 2.8 s; two threads: .010 / .05 / .26 / 2.4 s,
   .026 / .11 / .35 / 2.3 s. */
static PetscBool OneStage(PetscInt m)
{
  return (PetscBool)(m <= (ThreadsCount() > 1 ? 3000 : 700));
}

/* values 3.3 s (dsyevr 5.5, ELPA 5.1) */
static PetscErrorCode LapackValues(Tiles A, PetscReal lambda[], int *info)
{
  const int m = (int)A->m, query = -1;
  int       lwork, liwork, *iwork;
  PetscReal size, *work;
  void (*solve)(const char *, const char *, const int *, double *, const int *, double *, double *, const int *, int *, const int *,
                int *) = OneStage(A->m) ? dsyevd_ : dsyevd_2stage_;

  PetscFunctionBeginUser;
  solve("N", "L", &m, A->a, &m, lambda, &size, &query, &liwork, &query, info);
  lwork = (int)size;
  PetscCall(PetscMalloc2(lwork, &work, liwork, &iwork));
  solve("N", "L", &m, A->a, &m, lambda, work, &lwork, iwork, &liwork, info);
  PetscCall(PetscFree2(work, iwork));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* dsyevd in its parts, which need m^2 less when Z has a place of its own: A = Q T Q^T, T = S diag(lambda) S^T, Z = Q S. One thread, m = 1000 / 2000 / 4000: .12 / .83 / 7.9 s
   (ELPA .15 / .92 / 8.0), two threads .08 / .49 / 4.1 s */
static PetscErrorCode LapackVectors(Tiles A, PetscReal lambda[], PetscReal Z[], int *info)
{
  const int m = (int)A->m, query = -1;
  int       lwork, liwork, *iwork;
  PetscReal size[3], *work, *tau, *below; /* below the diagonal of T */

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m, &tau, m, &below));
  dsytrd_("L", &m, A->a, &m, lambda, below, tau, &size[0], &query, info);
  dstedc_("I", &m, lambda, below, Z, &m, &size[1], &query, &liwork, &query, info);
  dormtr_("L", "L", "N", &m, &m, A->a, &m, tau, Z, &m, &size[2], &query, info);
  lwork = (int)PetscMax(size[0], PetscMax(size[1], size[2]));
  PetscCall(PetscMalloc2(lwork, &work, liwork, &iwork));
  dsytrd_("L", &m, A->a, &m, lambda, below, tau, work, &lwork, info);
  if (!*info) dstedc_("I", &m, lambda, below, Z, &m, work, &lwork, iwork, &liwork, info);
  if (!*info) dormtr_("L", "L", "N", &m, &m, A->a, &m, tau, Z, &m, work, &lwork, info);
  PetscCall(PetscFree2(work, iwork));
  PetscCall(PetscFree2(tau, below));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SolveLAPACK(Tiles A, PetscReal lambda[], PetscReal Z[], int *info)
{
  PetscFunctionBeginUser;
  if (Z)
    PetscCall(LapackVectors(A, lambda, Z, info));
  else
    PetscCall(LapackValues(A, lambda, info));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* on two ranks values 8.1 s (pdsyevr 15.0, with known failures: deal.II issue 6216), vectors 17.8 s */
static PetscErrorCode SolveScaLAPACK(Tiles A, PetscReal lambda[], PetscReal Z[], int *info)
{
  const int m = (int)A->m, query = -1, *const desc = A->desc;
  int       lwork, liwork = 1, *iwork;
  PetscReal size, *work;

  PetscFunctionBeginUser;
  if (Z)
    pdsyevd_("V", "L", &m, A->a, &one, &one, desc, lambda, Z, &one, &one, desc, &size, &query, &liwork, &query, info);
  else
    pdsyev_("N", "L", &m, A->a, &one, &one, desc, lambda, NULL, &one, &one, desc, &size, &query, info);
  lwork = (int)size + A->rows * A->nb + m; /* pdlasrt within pdsyevd wants rows (nb + cols) (ScaLAPACK issue 74) */
  PetscCall(PetscMalloc2(lwork, &work, liwork, &iwork));
  if (Z)
    pdsyevd_("V", "L", &m, A->a, &one, &one, desc, lambda, Z, &one, &one, desc, work, &lwork, iwork, &liwork, info);
  else
    pdsyev_("N", "L", &m, A->a, &one, &one, desc, lambda, NULL, &one, &one, desc, work, &lwork, info);
  PetscCall(PetscFree2(work, iwork));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const Eigensolver lapack    = {"LAPACK", PETSC_FALSE, 1, SolveLAPACK};
static const Eigensolver scalapack = {"ScaLAPACK", PETSC_FALSE, 2, SolveScaLAPACK};

#ifdef CODIM_HAVE_ELPA

static PetscBool elpa_ready;

static PetscErrorCode FinalizeELPA(void)
{
  int info;

  PetscFunctionBeginUser;
  elpa_uninit(&info);
  elpa_ready = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode InitializeELPA(void)
{
  PetscFunctionBeginUser;
  if (elpa_ready) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(elpa_init(ELPA_API_VERSION) == ELPA_OK, PETSC_COMM_SELF, PETSC_ERR_LIB, "ELPA does not speak API version %d",
             ELPA_API_VERSION);
  PetscCall(PetscRegisterFinalize(FinalizeELPA));
  elpa_ready = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* on two ranks values 3.0 s (1-stage 3.9), vectors 5.5 s (2-stage 28.6) */
static PetscErrorCode SolveELPA(Tiles A, PetscReal lambda[], PetscReal Z[], int *info)
{
  const struct {
    const char *key;
    int         value;
  } settings[] = {
      {"na", (int)A->m},         {"nev", (int)A->m},        {"local_nrows", A->rows},
      {"local_ncols", A->cols},  {"nblk", A->nb},           {"mpi_comm_parent", MPI_Comm_c2f(A->comm)},
      {"process_row", A->myrow}, {"process_col", A->mycol},
  };
  elpa_t handle;
  int    ignored;

  PetscFunctionBeginUser;
  PetscCall(InitializeELPA());
  handle = elpa_allocate(info);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(settings) && !*info; k++)
    elpa_set(handle, settings[k].key, settings[k].value, info);
  if (!*info) *info = elpa_setup(handle);
  if (!*info) elpa_set(handle, "solver", (int)(Z ? ELPA_SOLVER_1STAGE : ELPA_SOLVER_2STAGE), info);
  if (!*info && Z)
    elpa_eigenvectors(handle, A->a, lambda, Z, info);
  else if (!*info)
    elpa_eigenvalues(handle, A->a, lambda, info);
  elpa_deallocate(handle, &ignored);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const Eigensolver elpa = {"ELPA " PetscStringize(ELPA_API_VERSION), PETSC_TRUE, 0, SolveELPA};

#endif

/* ELPA wants tiles on every rank, which ChooseGrid sees to */
static const Eigensolver *ChooseEigensolver(Tiles tiles)
{
  if (tiles->nprow * tiles->npcol == 1) return &lapack;
#ifdef CODIM_HAVE_ELPA
  if (tiles->elpa) return &elpa;
#endif
  return &scalapack;
}

const char *TilesEigensolver(Tiles tiles)
{
  return ChooseEigensolver(tiles)->name;
}

/* workspace of order m: times m entries */
static PetscReal WorkspaceColumns(int nb)
{
  return 16 + nb;
}

/* vectors: NULL if only values are wanted */
static PetscErrorCode Solve(Tiles tiles, PetscReal lambda[], Tiles vectors)
{
  const Eigensolver *solver = ChooseEigensolver(tiles);
  const PetscReal    m      = (PetscReal)tiles->m;
  PetscReal          frobenius2;
  int                info = 0, failed;

  PetscFunctionBeginUser;
  PetscCall(ProgressOnePiece(tiles->world, (vectors ? 10. : 4. / 3) * m * m * m / (tiles->nprow * tiles->npcol),
                             vectors ? "eigenvalues and eigenvectors" : "eigenvalues"));
  PetscCall(TilesNorms(tiles, NULL, &frobenius2, NULL));
  PetscCheck(!PetscIsInfOrNanReal(frobenius2), tiles->world, PETSC_ERR_FP,
             "a matrix for eigenvalues has entries that are not finite, or too large to be squared");
  if (vectors && solver->workspace > 0)
    PetscCall(CheckShare(tiles, (INT_MAX - m * WorkspaceColumns(tiles->nb)) / solver->workspace));
  if (solver->whole) PetscCall(TilesMirror(tiles));
  if (tiles->comm != MPI_COMM_NULL) PetscCall(solver->solve(tiles, lambda, vectors ? vectors->a : NULL, &info));
  failed = info != 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, tiles->world));
  PetscCheck(!failed, tiles->world, PETSC_ERR_LIB, "%s did not find the eigenvalues (%d)", solver->name, info);
  PetscCallMPI(MPI_Bcast(lambda, (int)tiles->m, MPIU_REAL, 0, tiles->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesEigenvalues(Tiles tiles, PetscReal lambda[])
{
  PetscFunctionBeginUser;
  PetscCall(Solve(tiles, lambda, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TilesEigenvectors(Tiles tiles, PetscReal lambda[], Tiles vectors)
{
  PetscFunctionBeginUser;
  PetscCall(CheckShape(tiles, vectors));
  PetscCall(Solve(tiles, lambda, vectors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* Words and calls of all ranks together, as means over them. Where the algorithm does not say, they are fits to counts: ScaLAPACK 2.2, ELPA 2022.11,
   process grids r x c from 2 x 1 to 4 x 4, m = 640 and 1280, nb = 32; tests/test_traffic.c counts them again. */
static void Traffic(const Sizes *s, PetscReal words, PetscReal calls, Cost *cost)
{
  if (s->PK == 1) return;
  cost->received += 8 * words / s->P;
  cost->messages += calls / s->P;
}

static PetscReal LeastCommonMultiple(PetscReal r, PetscReal c)
{
  PetscReal multiple = r;

  while (multiple / c != PetscFloorReal(multiple / c)) multiple += r;
  return multiple;
}

void TilesCholeskyCost(const Sizes *s, Cost *cost)
{
  Cost part = {.work[WORK_CHOLESKY] = s->m * s->m * s->m / 3 / s->PK};

  if (s->PK > 1) FactorOnGridCost(s, &part);
  CostReduceAll(&part, s->P, 4, 1);
  CostAdd(cost, &part, 1);
}

void TilesSolveCost(const Sizes *s, Cost *cost)
{
  const PetscReal m = s->m, r = s->nprow, c = s->npcol, B = PetscCeilReal(m / s->nb);
  Cost            part = {.work[WORK_STREAM] = 8 * m * m / s->PK};

  if (c > 1)
    Traffic(s, m * (3.6 * r + 3 * c - 4), B * (1.65 * r + 3.3 * c - 4.2), &part);
  else
    Traffic(s, m * m / 2 * (1 - 1 / r), B * (2.9 * r - .9), &part);
  CostReduceAll(&part, s->P, 8 * m, 1);
  CostAdd(cost, &part, 1);
}

/* pdtran: what does not lie where its transpose does */
static void MirrorCost(const Sizes *s, Cost *cost)
{
  const PetscReal multiple = LeastCommonMultiple(s->nprow, s->npcol);
  Cost            part     = {.work[WORK_STREAM] = 2 * SizesTiles(s), .bytes = s->PK > 1 ? SizesTiles(s) : 0};

  Traffic(s, s->m * s->m * (1 - 1 / multiple), PetscCeilReal(s->m / s->nb) * (multiple - 1), &part);
  CostAdd(cost, &part, 1);
}

/* the whole of A goes along the longer of the two ways, half of it along the other */
void TilesGramCost(const Sizes *s, PetscBool transposed, Cost *cost)
{
  const PetscReal m = s->m, r = s->nprow, c = s->npcol, B = PetscCeilReal(m / s->nb);
  Cost            part = {.work[WORK_PRODUCT] = m * m * m / s->PK};

  if (transposed)
    Traffic(s, m * m * ((r - 1) / 2 + (c - 1)), B * r * (1.92 * c - .88), &part);
  else
    Traffic(s, m * m * ((r - 1) + (c - 1) / 2), c > 1 ? B * c * (1.92 * r - .88) : B * (r - 1), &part);
  CostAdd(cost, &part, 1);
}

/* of ELPA's divide and conquer: whole columns on one process column, as measured on 1 x 1, 2 x 1 and 3 x 1; 4 parts on 2 x 2 and 3 x 3 */
static PetscReal ConquerBytes(const Sizes *s)
{
  return (s->npcol > 1 ? 4 : s->nprow > 1 ? 1.1 * s->nprow : 1) * SizesTiles(s);
}

/* ELPA's and LAPACK's way through a band; workspace: see tiles.h */
void TilesEigenvaluesCost(const Sizes *s, Cost *cost)
{
  const PetscReal m = s->m, r = s->nprow, c = s->npcol;
  Cost part = {.work[WORK_EIGENVALUES] = 4. / 3 * m * m * m / s->PK, .bytes = s->PK > 1 ? SizesTiles(s) + ConquerBytes(s) : 0};

  Traffic(s, m * m * (2.2 * (r - 1) + 2.7 * (c - 1)) + 51 * s->PK * m, m * (3.2 * s->PK - 1.45), &part);
  MirrorCost(s, &part);
  CostBroadcast(&part, s->P, 8 * m, 1);
  CostReduceAll(&part, s->P, 8, 3);
  CostAdd(cost, &part, 1);
}

/* in one step to the tridiagonal form */
void TilesEigenvectorsCost(const Sizes *s, Cost *cost)
{
  const PetscReal m = s->m, r = s->nprow, c = s->npcol;
  const PetscReal calls = c == 1 ? 2.1 + .95 * r : r == c ? 6 : 3 + LeastCommonMultiple(r, c); /* of a rank, for a column */
  Cost            part  = {.work[WORK_EIGENVECTORS] = 9 * m * m * m / s->PK, .bytes = ConquerBytes(s)};

  Traffic(s, m * m * (4.2 * (r - 1) + 3 * (c - 1)), m * s->PK * calls, &part);
  MirrorCost(s, &part);
  CostBroadcast(&part, s->P, 8 * m, 1);
  CostReduceAll(&part, s->P, 8, 3);
  CostAdd(cost, &part, 1);
}

void TilesLimit(const Sizes *s, PetscBool vectors, size_t size, char text[])
{
  const PetscReal share = s->rows * s->cols;

  text[0] = '\0';
  if (s->m >= INT_MAX)
    (void)PetscSNPrintf(text, size, "a matrix of order %.0f: ScaLAPACK and LAPACK count in 32 bits", (double)s->m);
  else if (s->PK > 1 && share > INT_MAX)
    (void)PetscSNPrintf(text, size, "%.3g entries of K on a rank: ScaLAPACK counts in 32 bits: use %d ranks", (double)share,
                        RanksFor((PetscMPIInt)s->P, (PetscInt)s->m, (int)s->nb, INT_MAX));
  else if (vectors && s->PK == 1 && share > INT_MAX - s->m * WorkspaceColumns((int)s->nb))
    (void)PetscSNPrintf(text, size,
                        "the workspace of K's eigenvectors is counted in 32 bits: %.3g entries of K on one rank: use %d",
                        (double)share, RanksFor(1, (PetscInt)s->m, (int)s->nb, INT_MAX));
#ifndef CODIM_HAVE_ELPA
  else if (vectors && share > INT_MAX / 2.5)
    (void)PetscSNPrintf(text, size, "the workspace of K's eigenvectors is counted in 32 bits: %.3g entries of K on a rank",
                        (double)share);
#else
  (void)vectors;
#endif
}
