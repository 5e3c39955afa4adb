/*
  rows.c: see rows.h.
*/
#include "codim/rows.h"

/* ---- which there are -------------------------------------------------------------------------------------------------- */

/* first[i + 1] = how many rows point i has, from its group; then sums */
static PetscErrorCode CountRows(Rows rows, const PetscReal y[])
{
  const Grid       grid = rows->grid;
  const Range      mine = GridGroupPoints(grid, rows->d);
  const PetscReal *at   = y;
  PetscMPIInt     *counts, *starts;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(grid->G, &counts, grid->G, &starts));
  for (PetscMPIInt g = 0; g < grid->G; g++) {
    const Range points = BlockRange(rows->d, grid->G, g);

    PetscCall(PetscMPIIntCast(points.last - points.first, &counts[g]));
    PetscCall(PetscMPIIntCast(points.first, &starts[g]));
  }
  for (PetscInt i = mine.first; i < mine.last; i++)
    for (PetscInt o = 0; o < rows->l; o++) rows->first[i + 1] += !PetscIsNanReal(*at++);
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, rows->first + 1, counts, starts, MPIU_INT, grid->shard));
  PetscCall(PetscFree2(counts, starts));
  for (PetscInt i = 0; i < rows->d; i++) rows->first[i + 1] += rows->first[i];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* output[] from the groups, point[] from first[] */
static PetscErrorCode NameRows(Rows rows, const PetscReal y[])
{
  const Grid   grid = rows->grid;
  const Range  mine = GridGroupPoints(grid, rows->d);
  PetscMPIInt *counts, *starts;
  PetscInt     row = rows->group.first;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(grid->G, &counts, grid->G, &starts));
  for (PetscMPIInt g = 0; g < grid->G; g++) {
    const Range theirs = RowsOfPoints(rows, BlockRange(rows->d, grid->G, g));

    PetscCall(PetscMPIIntCast(theirs.last - theirs.first, &counts[g]));
    PetscCall(PetscMPIIntCast(theirs.first, &starts[g]));
  }
  for (PetscInt i = 0; i < mine.last - mine.first; i++)
    for (PetscInt o = 0; o < rows->l; o++) {
      if (PetscIsNanReal(y[(size_t)i * (size_t)rows->l + (size_t)o])) continue;
      rows->group_point[row - rows->group.first] = i;
      rows->output[row++]                        = o;
    }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, rows->output, counts, starts, MPIU_INT, grid->shard));
  PetscCall(PetscFree2(counts, starts));
  for (PetscInt i = 0; i < rows->d; i++)
    for (PetscInt k = rows->first[i]; k < rows->first[i + 1]; k++) rows->point[k] = i;
  for (PetscInt k = 0; k < rows->m; k++) rows->seen[k] = k ? rows->seen[k - 1] + (rows->point[k] > rows->point[k - 1]) : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsCreate(Grid grid, PetscInt d, PetscInt l, const PetscReal y[], Rows *rows)
{
  Rows new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->grid = grid;
  new->d    = d;
  new->l    = l;
  PetscCall(PetscCalloc1(d + 1, &new->first));
  PetscCall(CountRows(new, y));
  new->m = new->first[d];
  for (PetscInt i = 0; i < d; i++)
    if (new->first[i] == new->first[i + 1]) new->gaps = PETSC_TRUE;
  new->group = RowsOfPoints(new, GridGroupPoints(grid, d));
  new->owned = RowsOfPoints(new, GridOwnedPoints(grid, d));
  PetscCall(PetscMalloc4(new->m, &new->point, new->m, &new->output, new->m, &new->seen, new->group.last - new->group.first,
                         &new->group_point));
  PetscCall(NameRows(new, y));
  *rows = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsDestroy(Rows *rows)
{
  PetscFunctionBeginUser;
  if (!*rows) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree4((*rows)->point, (*rows)->output, (*rows)->seen, (*rows)->group_point));
  PetscCall(PetscFree((*rows)->first));
  PetscCall(PetscFree(*rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

Range RowsOfPoints(Rows rows, Range points)
{
  return (Range){rows->first[points.first], rows->first[points.last]};
}

/* ---- Vecs --------------------------------------------------------------------------------------------------------------- */

PetscErrorCode RowsCreateVec(Rows rows, Vec *v)
{
  PetscFunctionBeginUser;
  PetscCall(VecCreateMPI(rows->grid->world, rows->owned.last - rows->owned.first, rows->m, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Counts and displacements of ranks first, first+1, … (number of them: `ranks`) in an m-sized Vec, from the first one's start. */
static PetscErrorCode OwnedCounts(Rows rows, PetscMPIInt first, PetscMPIInt ranks, PetscMPIInt **counts, PetscMPIInt **starts)
{
  const PetscInt origin = RowsOfPoints(rows, GridPointsOfRank(rows->grid, rows->d, first)).first;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(ranks, counts, ranks, starts));
  for (PetscMPIInt r = 0; r < ranks; r++) {
    const Range owned = RowsOfPoints(rows, GridPointsOfRank(rows->grid, rows->d, first + r));

    PetscCall(PetscMPIIntCast(owned.last - owned.first, &(*counts)[r]));
    PetscCall(PetscMPIIntCast(owned.first - origin, &(*starts)[r]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Gather(Rows rows, MPI_Comm comm, PetscMPIInt first, Vec v, PetscReal gathered[])
{
  PetscMPIInt      ranks, *counts, *starts;
  PetscInt         owned;
  const PetscReal *local;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(OwnedCounts(rows, first, ranks, &counts, &starts));
  PetscCall(VecGetLocalSize(v, &owned));
  PetscCall(VecGetArrayRead(v, &local));
  PetscCallMPI(MPI_Allgatherv(local, (PetscMPIInt)owned, MPIU_REAL, gathered, counts, starts, MPIU_REAL, comm));
  PetscCall(VecRestoreArrayRead(v, &local));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsGatherGroup(Rows rows, Vec v, PetscReal group[])
{
  PetscFunctionBeginUser;
  PetscCall(Gather(rows, rows->grid->group, rows->grid->g * rows->grid->Q, v, group));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsGatherAll(Rows rows, Vec v, PetscReal all[])
{
  PetscFunctionBeginUser;
  PetscCall(Gather(rows, rows->grid->world, 0, v, all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsSetAll(Rows rows, const PetscReal all[], Vec v)
{
  PetscReal *local;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(v, &local));
  PetscCall(PetscArraycpy(local, all + rows->owned.first, rows->owned.last - rows->owned.first));
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RowsSumGroup(Rows rows, const PetscReal group[], Vec v)
{
  const Grid   grid = rows->grid;
  PetscMPIInt *counts, *starts;
  PetscReal   *local;

  PetscFunctionBeginUser;
  PetscCall(OwnedCounts(rows, grid->g * grid->Q, grid->Q, &counts, &starts));
  PetscCall(VecGetArrayWrite(v, &local));
  PetscCallMPI(MPI_Reduce_scatter(group, local, counts, MPIU_REAL, MPI_SUM, grid->group));
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(PETSC_SUCCESS);
}
