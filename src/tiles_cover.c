/*
  tiles_cover.c: see tiles_cover.h.
*/
#include "tiles_cover.h"

/* columns of a triangle that is halved no more, and of the strips it is then cut into */
enum { TRIANGLE = 1024, STRIP = 128 };

typedef struct {
  Tiles     tiles;
  PetscBool symmetric;
  PetscInt  room;
  Cover    *cover;
} Builder;

/* half of all below the first split, or a triangle's; no grid has more process columns than rows */
PetscInt CoverHeight(PetscInt rows, PetscInt nb)
{
  return PetscMin(rows, PetscMax(rows / 2, TRIANGLE) + nb);
}

static PetscErrorCode Add(Builder *b, Rectangle rectangle)
{
  Cover *cover = b->cover;

  PetscFunctionBeginUser;
  if (rectangle.r1 <= rectangle.r0 || rectangle.c1 <= rectangle.c0) PetscFunctionReturn(PETSC_SUCCESS);
  if (cover->count == b->room) {
    b->room = 2 * b->room + 16;
    PetscCall(PetscRealloc(sizeof(Rectangle) * (size_t)b->room, &cover->rectangles));
  }
  cover->rectangles[cover->count++] = rectangle;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the first local row at or below the diagonal in a local column */
static PetscInt FirstRow(Tiles tiles, PetscInt column)
{
  return TilesRowsBefore(tiles, tiles->myrow, TilesGlobalCol(tiles, tiles->mycol, column));
}

/* in columns c0 … c1, in rows before `last` */
static PetscErrorCode AddTriangle(Builder *b, PetscInt c0, PetscInt c1, PetscInt last)
{
  const PetscInt width = b->symmetric ? TRIANGLE : STRIP, middle = c0 + (c1 - c0) / 2;

  PetscFunctionBeginUser;
  if (c1 - c0 > TRIANGLE) {
    const PetscInt split = FirstRow(b->tiles, middle);

    PetscCall(AddTriangle(b, c0, middle, split));
    for (PetscInt c = c0; c < middle; c += COVER_WIDTH)
      PetscCall(Add(b, (Rectangle){split, last, c, PetscMin(c + COVER_WIDTH, middle), PETSC_FALSE}));
    PetscCall(AddTriangle(b, middle, c1, last));
  } else
    for (PetscInt c = c0; c < c1; c += width)
      PetscCall(Add(b, (Rectangle){FirstRow(b->tiles, c), last, c, PetscMin(c + width, c1), b->symmetric}));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoverCreate(Tiles tiles, PetscInt first, PetscBool symmetric, Cover *cover)
{
  Builder b = {tiles, (PetscBool)(symmetric && tiles->nprow * tiles->npcol == 1), 0, cover};

  PetscFunctionBeginUser;
  *cover = (Cover){.count = 0};
  if (tiles->comm != MPI_COMM_NULL)
    PetscCall(AddTriangle(&b, TilesColsBefore(tiles, tiles->mycol, first), tiles->cols, tiles->rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoverDestroy(Cover *cover)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(cover->rectangles));
  PetscFunctionReturn(PETSC_SUCCESS);
}
