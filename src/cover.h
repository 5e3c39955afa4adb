/*
  cover.h: the lower triangle of a matrix, or what a process has of it, as rectangles large enough for the matrix product.

  The triangle is halved again and again into a rectangle and two triangles. Those left along the diagonal are one symmetric product each
  where the matrix is one, and rows and columns are the same; otherwise they are narrow strips.
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

/* rows x cols, of which, if `diagonal`, the entries on and below the diagonal are meant, and few others are covered; a row and a column stand
   for `places` of a product. `symmetric`: the squares on the diagonal as triangles. Not collective. */
PetscErrorCode CoverCreate(PetscInt rows, PetscInt cols, PetscBool diagonal, PetscInt places, PetscBool symmetric, Cover *cover);

/* The local entries on and below the diagonal of tiles on several processes, and few above it, in global columns from `first` on. Not
   collective. */
PetscErrorCode CoverCreateTiles(Tiles tiles, PetscInt first, Cover *cover);
PetscErrorCode CoverDestroy(Cover *cover);

/* The most rows, or columns, of a rectangle; `most`: COVER_HEIGHT or COVER_WIDTH. */
static inline PetscInt CoverSide(PetscInt most, PetscInt places)
{
  return PetscMax(1, most / places);
}
