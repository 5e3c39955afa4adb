/*
  tiles_cover.h: the lower triangle of tiles as rectangles large enough for the matrix product.

  The triangle is halved again and again into a rectangle and two triangles. Those left along the diagonal are one symmetric product each
  on one process; on a grid, where a process' rows and columns differ, they are narrow strips.
*/
#pragma once

#include "codim/tiles.h"

enum { COVER_WIDTH = 1024 /* columns of a rectangle, at most */ };

typedef struct {
  PetscInt  r0, r1, c0, c1; /* local rows and columns; neither is empty */
  PetscBool triangle;       /* a square on the diagonal, of which only the entries on and below it are meant */
} Rectangle;

typedef struct {
  PetscInt   count;
  Rectangle *rectangles;
} Cover;

/* The local entries on and below the diagonal, and few above it, in global columns from `first` on. `symmetric`: triangles where rows and columns
   agree. Not collective. */
PetscErrorCode CoverCreate(Tiles tiles, PetscInt first, PetscBool symmetric, Cover *cover);
PetscErrorCode CoverDestroy(Cover *cover);

/* The most rows of a rectangle, of so many local rows in tiles of nb. */
PetscInt CoverHeight(PetscInt rows, PetscInt nb);
