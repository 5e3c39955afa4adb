/*
  tiles.h: symmetric matrices in two-dimensional block-cyclic tiles: Cholesky, solves, eigenvalues.

  All m^2-sized dense work goes through this contract. The matrix lives on a process grid of its own; the other ranks of the world hold
  nothing and still take part in the calls, which are all collective on the world. The grid has the most ranks with

    npcol <= nprow <= 4 npcol,   nprow npcol <= ranks of the world,   nb nprow <= m (a whole tile for each),

  of those the squarest: 2 x 1, 3 x 1, 2 x 2 (of 4 or 5), 3 x 2; 1 x 1 for m < 2 nb. Storage is ScaLAPACK's: local part column-major,
  leading dimension `rows`. The lower triangle is the matrix; the strict upper triangle is undefined except after TilesMirror.
  LAPACK on one process. On several the Cholesky factorization is codim's own, solves are ScaLAPACK's, and eigenvalues ELPA's where it was
  found (CODIM_HAVE_ELPA): measured, m = 5000, two ranks of one thread, nb = 32 / 64 / 128: 3.8 / 3.8 / 4.6 s.

  Options, read by TilesCreate: `-tiles_block` nb (default 32); `-tiles_elpa` false for ScaLAPACK and LAPACK alone.
*/
#pragma once

#include "cost.h"

typedef struct Tiles_s *Tiles;

struct Tiles_s {
  MPI_Comm   world;              /* all callers */
  MPI_Comm   comm;               /* ranks that hold tiles: the first nprow*npcol of the world; MPI_COMM_NULL on the others */
  MPI_Comm   row_comm, col_comm; /* of those, this process row (ranked by process column) and this process column (by row) */
  PetscInt   m;
  PetscBool  elpa;         /* may be used */
  int        nb;           /* tile size */
  int        context;      /* BLACS */
  int        nprow, npcol; /* known on every rank of the world */
  int        myrow, mycol; /* -1 where no tiles are held */
  int        rows, cols;   /* local; 0 where no tiles are held */
  int        desc[9];      /* ScaLAPACK's, where tiles are held */
  PetscReal *a;            /* rows x cols; size_t indexing: on one rank m^2 may exceed 2^31. NULL where no tiles are held */
};

/* The process grid that TilesCreate chooses, and the fullest process' share. */
typedef struct {
  int       nb, nprow, npcol;
  PetscReal rows, cols; /* PetscReal: nothing may overflow */
} TilesShape;

/** For a matrix of order m on so many ranks, with -tiles_block as it is set; nothing is allocated. Not collective. */
void TilesChoose(PetscInt ranks, PetscReal m, TilesShape *shape);

/** A zero matrix of order m > 0: 8 m^2/(nprow npcol) bytes a rank. STATUS_DATA, naming the number of ranks that works, if on several
    ranks a local part would have 2^31 entries or more (ScaLAPACK computes offsets in 32 bits; LAPACK on one rank does not).
    STATUS_USAGE: -tiles_block not in 1 .. 1024. */
PetscErrorCode TilesCreate(MPI_Comm world, PetscInt m, Tiles *tiles);
PetscErrorCode TilesDuplicate(Tiles tiles, Tiles *other); /* same shape and grid, zero */
PetscErrorCode TilesCopy(Tiles from, Tiles to);
PetscErrorCode TilesDestroy(Tiles *tiles);

/** World rank of the process at (prow, pcol): prow npcol + pcol. Not collective. */
PetscMPIInt TilesRank(Tiles tiles, int prow, int pcol);

/** Global index of a local row or column of process row prow / column pcol; and how many it has. Not collective. */
PetscInt TilesGlobalRow(Tiles tiles, int prow, PetscInt local);
PetscInt TilesGlobalCol(Tiles tiles, int pcol, PetscInt local);
PetscInt TilesLocalRows(Tiles tiles, int prow);
PetscInt TilesLocalCols(Tiles tiles, int pcol);

/** How many of them have a global index below `global`: the first so many. Not collective. */
PetscInt TilesRowsBefore(Tiles tiles, int prow, PetscInt global);
PetscInt TilesColsBefore(Tiles tiles, int pcol, PetscInt global);

/** Copy the lower triangle to the upper. Needs another 8 m^2/(nprow npcol) bytes a rank while it runs if nprow npcol > 1. */
PetscErrorCode TilesMirror(Tiles tiles);

/** Add mu to the diagonal. */
PetscErrorCode TilesShift(Tiles tiles, PetscReal mu);

/** Trace, the sum of squares of all m^2 entries of the symmetric matrix, and the largest diagonal entry. Any may be NULL. frobenius2
    is finite only if every entry is. */
PetscErrorCode TilesNorms(Tiles tiles, PetscReal *trace, PetscReal *frobenius2, PetscReal *largest_diagonal);

/** product := A A^T, or A^T A if `transposed` (its lower triangle), for a duplicate A of which all m^2 entries are used. m^3 flops. */
PetscErrorCode TilesGram(Tiles A, PetscBool transposed, Tiles product);

/** Lower Cholesky factor in place. *success, equal on all ranks: it ran to its end, and every diagonal entry of the factor is finite
    and positive (dpotrf lets NaN pass). m^3/3 flops; on several processes three collective calls for every w = 256/npcol columns (at least
    nb), and 8 w (rows/npcol + 2 cols + w) bytes, with npcol > 1 another 8 w rows. */
PetscErrorCode TilesCholesky(Tiles tiles, PetscBool *success);

/* The Cholesky factorization of A - tau I in the place of A, and the norms of A as TilesNorms has them. */
typedef struct {
  PetscReal tau, trace, squares, diagonal;
  PetscBool ended; /* false: it broke down */
} ShiftedCholesky;

PetscErrorCode TilesShiftedCholesky(Tiles tiles, PetscReal tau, ShiftedCholesky *factor);

/** b := A^(-1) b from a Cholesky factor; b has m entries, the same on every rank before and after. 2 m^2 flops. */
PetscErrorCode TilesSolve(Tiles factor, PetscReal b[]);

/** B := A^(-1) B, A the lower triangle as it stands, no zero on its diagonal; B is m x nrhs, column-major, the same on every rank before and
    after. m^2 nrhs flops. */
PetscErrorCode TilesTriangularSolve(Tiles A, PetscInt nrhs, PetscReal B[]);

/** All eigenvalues, ascending, into lambda (m entries, whole on every rank). The matrix is overwritten. PETSC_ERR_FP on every rank, before
    a solver is called, if frobenius2 of TilesNorms is not finite: callers look first. ELPA on several ranks: another such matrix, and 2 to 4 times as much. */
PetscErrorCode TilesEigenvalues(Tiles tiles, PetscReal lambda[]);

/** Eigenvalues and orthonormal eigenvectors (column k of `vectors`, a duplicate of tiles: all its entries). Otherwise as
    TilesEigenvalues. ScaLAPACK takes 16 m^2/(nprow npcol) more bytes a rank, LAPACK 8 m^2, and STATUS_DATA, naming the number of ranks that
    works, where those are 2^31 entries or more (one rank: m > 46 316). ELPA has no such bound. */
PetscErrorCode TilesEigenvectors(Tiles tiles, PetscReal lambda[], Tiles vectors);

/** "ELPA 20221109" (its API version), "ScaLAPACK" or "LAPACK": what is used for this matrix. Not collective. */
const char *TilesEigensolver(Tiles tiles);

/* ---- cost (cost.h): what is added to `cost`, for matrices of the sizes' tiles. Not collective. ------------------------ */

void TilesCholeskyCost(const Sizes *sizes, Cost *cost); /* with the check of the diagonal */
void TilesSolveCost(const Sizes *sizes, Cost *cost);
void TilesGramCost(const Sizes *sizes, PetscBool transposed, Cost *cost);
void TilesEigenvaluesCost(const Sizes *sizes, Cost *cost);
void TilesEigenvectorsCost(const Sizes *sizes, Cost *cost); /* without `vectors`, which the caller has */

/** "" or why a matrix of the sizes' tiles, or its eigenvectors, cannot be had on these ranks. Not collective. */
void TilesLimit(const Sizes *sizes, PetscBool vectors, size_t size, char text[]);
