/*
  grid.c: ranks as G x Q; see grid.h.
*/
#include "codim/grid.h"
#include <math.h>

Range BlockRange(PetscInt N, PetscInt parts, PetscInt part)
{
  const PetscInt size = N / parts, larger = N % parts; /* the first `larger` parts have one more */
  Range          range;

  range.first = part * size + PetscMin(part, larger);
  range.last  = range.first + size + (part < larger ? 1 : 0);
  return range;
}

PetscErrorCode GridCreate(MPI_Comm comm, PetscInt G, PetscInt Q, Grid *grid)
{
  Grid new;
  PetscMPIInt size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(UserCheck(comm, (PetscBool)(G > 0 && Q > 0 && G * Q == size), STATUS_USAGE,
                      "grid %" PetscInt_FMT ",%" PetscInt_FMT " has %" PetscInt_FMT
                      " places for %d ranks: choose -grid G,Q with G*Q = %d",
                      G, Q, G * Q, size, size));
  PetscCall(PetscNew(&new));
  PetscCallMPI(MPI_Comm_dup(comm, &new->world));
  PetscCallMPI(MPI_Comm_rank(comm, &new->rank));
  new->size = size;
  PetscCall(PetscMPIIntCast(G, &new->G));
  PetscCall(PetscMPIIntCast(Q, &new->Q));
  new->g = new->rank / new->Q;
  new->q = new->rank % new->Q;
  PetscCallMPI(MPI_Comm_split(comm, new->g, new->q, &new->group));
  PetscCallMPI(MPI_Comm_split(comm, new->q, new->g, &new->shard));
  *grid = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GridDestroy(Grid *grid)
{
  PetscFunctionBeginUser;
  if (!*grid) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_free(&(*grid)->shard));
  PetscCallMPI(MPI_Comm_free(&(*grid)->group));
  PetscCallMPI(MPI_Comm_free(&(*grid)->world));
  PetscCall(PetscFree(*grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

Range GridGroupPoints(Grid grid, PetscInt d)
{
  return BlockRange(d, grid->G, grid->g);
}

Range GridPoints(PetscInt d, PetscInt G, PetscInt Q, PetscInt rank)
{
  const Range group = BlockRange(d, G, rank / Q), part = BlockRange(group.last - group.first, Q, rank % Q);

  return (Range){group.first + part.first, group.first + part.last};
}

Range GridPointsOfRank(Grid grid, PetscInt d, PetscMPIInt rank)
{
  return GridPoints(d, grid->G, grid->Q, rank);
}

Range GridOwnedPoints(Grid grid, PetscInt d)
{
  return GridPointsOfRank(grid, d, grid->rank);
}

PetscErrorCode GridGatherUnits(Grid grid, PetscInt N, PetscInt h, PetscReal all[])
{
  MPI_Datatype columns;

  PetscFunctionBeginUser;
  if (grid->Q == 1 || !N) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscMPIInt q = 0; q < grid->Q; q++) { /* a rank's units are columns of the array: a broadcast each, without a copy */
    const Range theirs = BlockRange(h, grid->Q, q);
    PetscMPIInt rows, width, stride;

    if (theirs.last == theirs.first) continue;
    PetscCall(PetscMPIIntCast(N, &rows));
    PetscCall(PetscMPIIntCast(theirs.last - theirs.first, &width));
    PetscCall(PetscMPIIntCast(h, &stride));
    PetscCallMPI(MPI_Type_vector(rows, width, stride, MPIU_REAL, &columns));
    PetscCallMPI(MPI_Type_commit(&columns));
    PetscCallMPI(MPI_Bcast(all + theirs.first, 1, columns, q, grid->group));
    PetscCallMPI(MPI_Type_free(&columns));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a sum over the ranks of comm; MPI counts are 32-bit */
static PetscErrorCode Sum(MPI_Comm comm, size_t size, PetscReal a[])
{
  const size_t most = (size_t)1 << 28;

  PetscFunctionBeginUser;
  for (size_t first = 0; first < size; first += most)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, a + first, (PetscMPIInt)PetscMin(most, size - first), MPIU_REAL, MPI_SUM, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GridSumUnits(Grid grid, PetscInt N, PetscInt k, PetscReal a[])
{
  PetscFunctionBeginUser;
  if (grid->Q > 1) PetscCall(Sum(grid->group, (size_t)N * (size_t)k, a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GridSumShard(Grid grid, PetscInt entries, PetscReal a[])
{
  PetscFunctionBeginUser;
  if (grid->G > 1) PetscCall(Sum(grid->shard, (size_t)entries, a));
  PetscFunctionReturn(PETSC_SUCCESS);
}
