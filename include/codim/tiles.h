/*
  tiles.h: symmetric matrices in two-dimensional block-cyclic tiles: Cholesky, solves, eigenvalues.

  All m^2-sized dense work goes through this contract. The matrix lives on a process grid of its own, near-square with at least as
  many process rows as columns, of at most the world's ranks and no more than the tiles can fill; the other ranks of the world hold
  nothing and still take part in the calls, which are all collective on the world. A matrix too small for that (see TilesCreate) lives on
  one rank. Storage is ScaLAPACK's: local part column-major, leading dimension max(1, rows). The lower triangle is the matrix; the
  strict upper triangle is undefined except after TilesMirror.
  LAPACK on one process; on several ScaLAPACK, and for eigenvalues ELPA where it was found (CODIM_HAVE_ELPA).
*/
#pragma once

#include "base.h"

typedef struct Tiles_s *Tiles;

struct Tiles_s {
  MPI_Comm   world; /* all callers */
  MPI_Comm   comm;  /* ranks that hold tiles: the first nprow*npcol of the world; MPI_COMM_NULL on the others */
  PetscInt   m;
  int        nb;           /* tile size */
  int        context;      /* BLACS */
  int        nprow, npcol; /* known on every rank of the world */
  int        myrow, mycol; /* -1 where no tiles are held */
  int        rows, cols;   /* local; 0 where no tiles are held */
  int        desc[9];
  PetscReal *a; /* size_t indexing: rows*cols may exceed 2^31 */
};

/** A zero matrix. nprow*npcol = 1 if m < nb * (grid side) would leave ranks without a tile: the grid shrinks until every rank has one.
    Tiles on 8 m^2/(nprow npcol) bytes a rank. STATUS_DATA, naming the number of ranks that works, if ScaLAPACK's 32-bit sizes do not suffice. */
PetscErrorCode TilesCreate(MPI_Comm world, PetscInt m, Tiles *tiles);
PetscErrorCode TilesDuplicate(Tiles tiles, Tiles *other); /* same shape and grid, zero */
PetscErrorCode TilesCopy(Tiles from, Tiles to);
PetscErrorCode TilesDestroy(Tiles *tiles);

/** World rank of the process at (prow, pcol), and the process grid's coordinates of any world rank. Not collective. */
PetscMPIInt TilesRank(Tiles tiles, int prow, int pcol);

/** Global index of a local row or column of process row prow / column pcol; and how many it has. Not collective. */
PetscInt TilesGlobalRow(Tiles tiles, int prow, PetscInt local);
PetscInt TilesGlobalCol(Tiles tiles, int pcol, PetscInt local);
PetscInt TilesLocalRows(Tiles tiles, int prow);
PetscInt TilesLocalCols(Tiles tiles, int pcol);

/** Copy the lower triangle to the upper. Needs another 8 m^2/(nprow npcol) bytes a rank while it runs if nprow npcol > 1. */
PetscErrorCode TilesMirror(Tiles tiles);

/** Add mu to the diagonal. */
PetscErrorCode TilesShift(Tiles tiles, PetscReal mu);

/** Trace, and the sum of squares of all entries of the symmetric matrix (its lower triangle). Any may be NULL. */
PetscErrorCode TilesNorms(Tiles tiles, PetscReal *trace, PetscReal *frobenius2, PetscReal *largest_diagonal);

/** Lower Cholesky factor in place. *success, equal on all ranks: it ran to its end, and every diagonal entry of the factor is finite
    and positive (dpotrf and pdpotrf let NaN pass). m^3/3 flops. */
PetscErrorCode TilesCholesky(Tiles tiles, PetscBool *success);

/** b := A^(-1) b from a Cholesky factor; b has m entries, the same on every rank before and after. 2 m^2 flops. */
PetscErrorCode TilesSolve(Tiles factor, PetscReal b[]);

/** All eigenvalues, ascending, into lambda (m entries, whole on every rank). The matrix is overwritten. */
PetscErrorCode TilesEigenvalues(Tiles tiles, PetscReal lambda[]);

/** Eigenvalues and orthonormal eigenvectors (column k of `vectors`, a duplicate of tiles). The matrix is overwritten. */
PetscErrorCode TilesEigenvectors(Tiles tiles, PetscReal lambda[], Tiles vectors);

/** "ELPA 2022.11", "ScaLAPACK" or "LAPACK": what TilesEigenvalues uses for this matrix. Not collective. */
const char *TilesEigensolver(Tiles tiles);
