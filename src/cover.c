/*
  cover.c: see cover.h.
*/
#include "cover.h"

/* columns of the strips that a triangle is cut into which is no symmetric product */
enum { STRIP = 128 };

typedef struct {
  Tiles     tiles; /* NULL: row and column i are of one index */
  PetscBool symmetric;
  PetscInt  height, width; /* of a rectangle; a triangle of this width is halved no more */
  PetscInt  strip, room;
  Cover    *cover;
} Builder;

static Builder BuilderOf(Tiles tiles, PetscInt places, PetscBool symmetric, Cover *cover)
{
  *cover = (Cover){.count = 0};
  return (Builder){.tiles     = tiles,
                   .symmetric = symmetric,
                   .height    = CoverSide(COVER_HEIGHT, places),
                   .width     = CoverSide(COVER_WIDTH, places),
                   .strip     = CoverSide(STRIP, places),
                   .cover     = cover};
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
  return tiles ? TilesRowsBefore(tiles, tiles->myrow, TilesGlobalCol(tiles, tiles->mycol, column)) : column;
}

/* rows r0 … r1 of columns c0 … c1 */
static PetscErrorCode AddRectangles(Builder *b, PetscInt r0, PetscInt r1, PetscInt c0, PetscInt c1)
{
  PetscFunctionBeginUser;
  for (PetscInt c = c0; c < c1; c += b->width)
    for (PetscInt r = r0; r < r1; r += b->height)
      PetscCall(Add(b, (Rectangle){r, PetscMin(r + b->height, r1), c, PetscMin(c + b->width, c1), PETSC_FALSE}));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* in columns c0 … c1, in rows before `last` */
static PetscErrorCode AddTriangle(Builder *b, PetscInt c0, PetscInt c1, PetscInt last)
{
  const PetscInt middle = c0 + (c1 - c0) / 2;

  PetscFunctionBeginUser;
  if (c1 - c0 > b->width) {
    const PetscInt split = FirstRow(b->tiles, middle);

    PetscCall(AddTriangle(b, c0, middle, split));
    PetscCall(AddRectangles(b, split, last, c0, middle));
    PetscCall(AddTriangle(b, middle, c1, last));
  } else if (b->symmetric && c1 > c0)
    PetscCall(Add(b, (Rectangle){c0, last, c0, c1, PETSC_TRUE}));
  else
    for (PetscInt c = c0; c < c1; c += b->strip)
      PetscCall(AddRectangles(b, FirstRow(b->tiles, c), last, c, PetscMin(c + b->strip, c1)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoverCreate(PetscInt rows, PetscInt cols, PetscBool diagonal, PetscInt places, PetscBool symmetric, Cover *cover)
{
  Builder        b      = BuilderOf(NULL, places, symmetric, cover);
  const PetscInt square = diagonal ? PetscMin(rows, cols) : 0;

  PetscFunctionBeginUser;
  PetscCall(AddTriangle(&b, 0, square, square));
  PetscCall(AddRectangles(&b, square, rows, 0, cols));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CoverCreateTiles(Tiles tiles, PetscInt first, Cover *cover)
{
  Builder b = BuilderOf(tiles, 1, PETSC_FALSE, cover);

  PetscFunctionBeginUser;
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
