/*
  tiles_cover.h: the lower triangle of tiles as rectangles large enough for the matrix product.

  The triangle is halved again and again into a rectangle and two triangles. Those left along the diagonal are one symmetric product each
  on one process; on a grid, where a process' rows and columns differ, they are narrow strips.
*/
#pragma once

#include "codim/tiles.h"

/* rows and columns of a rectangle, at most: of T places each, 1/T as many */
enum { COVER_HEIGHT = 4096, COVER_WIDTH = 1024 };

typedef struct {
  PetscInt  r0, r1, c0, c1; /* local rows and columns; neither is empty */
  PetscBool triangle;       /* a square on the diagonal, of which only the entries on and below it are meant */
} Rectangle;

typedef struct {
  PetscInt   count;
  Rectangle *rectangles;
} Cover;

/* The local entries on and below the diagonal, and few above it, in global columns from `first` on; a row and a column stand for `places` of a
   product. `symmetric`: triangles where rows and columns agree. Not collective. */
PetscErrorCode CoverCreate(Tiles tiles, PetscInt first, PetscInt places, PetscBool symmetric, Cover *cover);
PetscErrorCode CoverDestroy(Cover *cover);

/* The most rows, or columns, of a rectangle; `most`: COVER_HEIGHT or COVER_WIDTH. */
static inline PetscInt CoverSide(PetscInt most, PetscInt places)
{
  return PetscMax(1, most / places);
}
