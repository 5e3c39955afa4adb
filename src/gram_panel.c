/*
  gram_panel.c: see gram_panel.h.
*/
#include "gram_panel.h"

/* rows of the matrix that belong to some consecutive residuals */
static Range RowsAt(Rows rows, PanelOf of, Range residuals)
{
  if (of == PANEL_RESIDUALS) return residuals;
  if (!RangeLength(residuals)) return (Range){0, 0};
  return (Range){rows->seen[residuals.first], rows->seen[residuals.last - 1] + 1};
}

static Range OwnedBy(Rows rows, PanelOf of, PetscMPIInt rank)
{
  return RowsAt(rows, of, RowsOfPoints(rows, GridPointsOfRank(rows->grid, rows->d, rank)));
}

/* range `tag` of a rank's parts */
static Range Wanted(Rows rows, PanelOf of, const Part parts[], PetscInt tag)
{
  return RowsAt(rows, of, tag % 2 ? parts[tag / 2].cols : parts[tag / 2].rows);
}

static Range Intersection(Range a, Range b)
{
  const PetscInt first = PetscMax(a.first, b.first);

  return (Range){first, PetscMax(first, PetscMin(a.last, b.last))};
}

static PetscErrorCode Append(PanelMessage message, PetscInt *room, PetscInt *count, PanelMessage **messages)
{
  PetscFunctionBeginUser;
  if (*count == *room) {
    *room = 2 * *room + 16;
    PetscCall(PetscRealloc(sizeof(**messages) * (size_t)*room, messages));
  }
  (*messages)[(*count)++] = message;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what this rank wants of itself and of the others */
static PetscErrorCode PlanReceives(Rows rows, PanelOf of, const Part parts[], Panel p)
{
  const Range mine = OwnedBy(rows, of, p->grid->rank);
  PetscInt    room = 0;

  PetscFunctionBeginUser;
  for (PetscInt tag = 0; tag < p->nranges; tag++) {
    const Range wanted = Wanted(rows, of, parts, tag);

    p->own[tag]   = RangeWithin(wanted, mine);
    p->start[tag] = p->own[tag] ? wanted.first - mine.first : p->fetched;
    if (p->own[tag]) continue;
    for (PetscMPIInt rank = 0; rank < p->grid->size; rank++) {
      const Range here = Intersection(wanted, OwnedBy(rows, of, rank));

      if (RangeLength(here))
        PetscCall(Append((PanelMessage){rank, tag, p->fetched + here.first - wanted.first, RangeLength(here)}, &room, &p->nreceives,
                         &p->receives));
    }
    p->fetched += RangeLength(wanted);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PlanSends(Rows rows, PanelOf of, const PetscInt first[], const Part parts[], Panel p)
{
  const Range mine = OwnedBy(rows, of, p->grid->rank);
  PetscInt    room = 0;

  PetscFunctionBeginUser;
  for (PetscMPIInt rank = 0; rank < p->grid->size; rank++)
    for (PetscInt tag = 0; tag < 2 * (first[rank + 1] - first[rank]); tag++) {
      const Range wanted = Wanted(rows, of, parts + first[rank], tag), here = Intersection(wanted, mine);

      if (RangeLength(here) && !RangeWithin(wanted, OwnedBy(rows, of, rank)))
        PetscCall(Append((PanelMessage){rank, tag, here.first - mine.first, RangeLength(here)}, &room, &p->nsends, &p->sends));
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelCreate(Rows rows, PanelOf of, const PetscInt first[], const Part parts[], Panel *panel)
{
  const PetscMPIInt rank = rows->grid->rank;
  Panel             p;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&p));
  p->grid    = rows->grid;
  p->nranges = 2 * (first[rank + 1] - first[rank]);
  PetscCall(PetscMalloc2(p->nranges, &p->start, p->nranges, &p->own));
  PetscCall(PlanReceives(rows, of, parts + first[rank], p));
  PetscCall(PlanSends(rows, of, first, parts, p));
  *panel = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelDestroy(Panel *panel)
{
  PetscFunctionBeginUser;
  if (!*panel) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree2((*panel)->start, (*panel)->own));
  PetscCall(PetscFree((*panel)->sends));
  PetscCall(PetscFree((*panel)->receives));
  PetscCall(PetscFree(*panel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PanelFetch(Panel panel, PetscInt width, const PetscReal owned[], const PetscReal *at[], PetscReal **fetched)
{
  const size_t entries = (size_t)width;
  MPI_Datatype row;
  MPI_Request *requests;
  PetscMPIInt  count, nrequests = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)panel->fetched * entries, fetched));
  for (PetscInt tag = 0; tag < panel->nranges; tag++)
    at[tag] = (panel->own[tag] ? owned : *fetched) + (size_t)panel->start[tag] * entries;
  PetscCall(PetscMPIIntCast(width, &count));
  PetscCallMPI(MPI_Type_contiguous(count, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCall(PetscMalloc1(panel->nreceives + panel->nsends, &requests));
  for (PetscInt i = 0; i < panel->nreceives; i++) {
    const PanelMessage *m = &panel->receives[i];

    PetscCall(PetscMPIIntCast(m->count, &count));
    PetscCallMPI(MPI_Irecv(*fetched + (size_t)m->row * entries, count, row, (PetscMPIInt)m->rank, (PetscMPIInt)m->tag,
                           panel->grid->world, &requests[nrequests++]));
  }
  for (PetscInt i = 0; i < panel->nsends; i++) {
    const PanelMessage *m = &panel->sends[i];

    PetscCall(PetscMPIIntCast(m->count, &count));
    PetscCallMPI(MPI_Isend(owned + (size_t)m->row * entries, count, row, (PetscMPIInt)m->rank, (PetscMPIInt)m->tag,
                           panel->grid->world, &requests[nrequests++]));
  }
  PetscCallMPI(MPI_Waitall(nrequests, requests, MPI_STATUSES_IGNORE));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree(requests));
  PetscFunctionReturn(PETSC_SUCCESS);
}
