/*
  panel.c: see panel.h. Both the owners' ranges and the tiles' index lists ascend, so what one rank sends another is contiguous there.
*/
#include "panel.h"

/* rows of X, ascending, and for each local row (column) of the tiles which of them belongs to it */
typedef struct {
  PetscInt count, *index, *position;
} RowList;

/* What the tiles of a process row (column) need. */
static PetscErrorCode RowListCreate(Rows rows, Tiles tiles, PanelOf of, PanelSide side, int process, RowList *list)
{
  const PetscInt locals = side == PANEL_ROWS ? TilesLocalRows(tiles, process) : TilesLocalCols(tiles, process);

  PetscFunctionBeginUser;
  list->count = 0;
  PetscCall(PetscMalloc1(locals, &list->index));
  PetscCall(PetscMalloc1(locals, &list->position));
  for (PetscInt local = 0; local < locals; local++) {
    const PetscInt residual = side == PANEL_ROWS ? TilesGlobalRow(tiles, process, local) : TilesGlobalCol(tiles, process, local);
    const PetscInt row      = of == PANEL_POINTS ? rows->point[residual] : residual;

    if (!list->count || list->index[list->count - 1] != row) list->index[list->count++] = row;
    list->position[local] = list->count - 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How many entries of an ascending list lie in [first, last), and where they begin. */
static void CountWithin(PetscInt count, const PetscInt index[], PetscInt first, PetscInt last, PetscInt *start, PetscInt *within)
{
  PetscInt lo = 0, hi = count;

  while (lo < hi) {
    const PetscInt mid = lo + (hi - lo) / 2;

    if (index[mid] < first)
      lo = mid + 1;
    else
      hi = mid;
  }
  *start = lo;
  for (hi = lo; hi < count && index[hi] < last; hi++) {
  }
  *within = hi - lo;
}

/* the rows of X that a rank owns */
static Range OwnedBy(Rows rows, PanelOf of, PetscMPIInt rank)
{
  const Range points = GridPointsOfRank(rows->grid, rows->d, rank);

  return of == PANEL_POINTS ? points : RowsOfPoints(rows, points);
}

static PetscErrorCode PlanSends(Panel panel, Rows rows, Tiles tiles, PanelOf of, PanelSide side)
{
  const Range owned = OwnedBy(rows, of, rows->grid->rank);
  PetscInt    room  = 0;

  PetscFunctionBeginUser;
  for (int prow = 0; prow < tiles->nprow; prow++)
    for (int pcol = 0; pcol < tiles->npcol; pcol++) {
      const PetscMPIInt receiver = TilesRank(tiles, prow, pcol);
      PetscInt          start, within;
      RowList           list;

      PetscCall(RowListCreate(rows, tiles, of, side, side == PANEL_ROWS ? prow : pcol, &list));
      CountWithin(list.count, list.index, owned.first, owned.last, &start, &within);
      if (panel->nsend + within > room) {
        room = 2 * (panel->nsend + within);
        PetscCall(PetscRealloc(sizeof(PetscInt) * (size_t)room, &panel->send));
      }
      PetscCall(PetscMPIIntCast(within, &panel->sendcounts[receiver]));
      PetscCall(PetscMPIIntCast(panel->nsend, &panel->sendstarts[receiver]));
      for (PetscInt i = 0; i < within; i++) panel->send[panel->nsend++] = list.index[start + i] - owned.first;
      PetscCall(PetscFree(list.index));
      PetscCall(PetscFree(list.position));
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelCreate(Rows rows, Tiles tiles, PanelOf of, PanelSide side, Panel *panel)
{
  const Grid grid = rows->grid;
  Panel      p;
  RowList    list = {0};

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  p->grid  = grid;
  p->whole = (PetscBool)((side == PANEL_ROWS ? tiles->nprow : tiles->npcol) == 1 && (of == PANEL_RESIDUALS || !rows->gaps));
  PetscCall(PetscCalloc4(grid->size, &p->sendcounts, grid->size, &p->sendstarts, grid->size, &p->counts, grid->size, &p->starts));
  PetscCall(PlanSends(p, rows, tiles, of, side));
  if (p->whole) PetscCall(PetscArrayzero(p->sendstarts, grid->size));
  if (tiles->myrow >= 0) PetscCall(RowListCreate(rows, tiles, of, side, side == PANEL_ROWS ? tiles->myrow : tiles->mycol, &list));
  p->count    = list.count;
  p->index    = list.index;
  p->position = list.position;
  for (PetscMPIInt rank = 0; rank < grid->size; rank++) {
    const Range theirs = OwnedBy(rows, of, rank);
    PetscInt    start, within;

    CountWithin(p->count, p->index, theirs.first, theirs.last, &start, &within);
    PetscCall(PetscMPIIntCast(within, &p->counts[rank]));
    PetscCall(PetscMPIIntCast(start, &p->starts[rank]));
  }
  *panel = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelDestroy(Panel *panel)
{
  PetscFunctionBeginUser;
  if (!*panel) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree4((*panel)->sendcounts, (*panel)->sendstarts, (*panel)->counts, (*panel)->starts));
  PetscCall(PetscFree((*panel)->index));
  PetscCall(PetscFree((*panel)->position));
  PetscCall(PetscFree((*panel)->send));
  PetscCall(PetscFree(*panel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelFetch(Panel panel, PetscInt width, const PetscReal owned[], PetscReal rows[])
{
  PetscReal       *packed = NULL;
  const PetscReal *sent   = owned; /* whole: to everyone, as it lies */
  MPI_Datatype     row;
  PetscMPIInt      entries;

  PetscFunctionBeginUser;
  if (!panel->whole) {
    PetscCall(PetscMalloc1((size_t)panel->nsend * (size_t)width, &packed));
    sent = packed;
  }
  for (PetscInt i = 0; packed && i < panel->nsend; i++)
    PetscCall(PetscArraycpy(packed + (size_t)i * (size_t)width, owned + (size_t)panel->send[i] * (size_t)width, width));
  PetscCall(PetscMPIIntCast(width, &entries));
  PetscCallMPI(MPI_Type_contiguous(entries, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(
      MPI_Alltoallv(sent, panel->sendcounts, panel->sendstarts, row, rows, panel->counts, panel->starts, row, panel->grid->world));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(PETSC_SUCCESS);
}
