/*
  grid.h: the ranks as a G x Q grid, and who owns which points.

  World rank = g Q + q. The Q ranks of one g, a *group*, share a block of points and see its activations whole; the G ranks of
  one q share a *shard* of the parameters (parameters.h). Every part may be empty: more ranks than points, or than units.

  Points over the world: group g has a block of the d points; it is split again over its Q ranks into the *owned* points. m-sized Vecs
  follow the owned points (rows.h), so their order is the canonical one, (point, output), on every grid.
*/
#pragma once

#include "base.h"
#include <petscvec.h>

typedef struct {
  PetscInt first, last; /* [first, last) */
} Range;

/** Part `part` of N things in `parts` contiguous parts whose sizes differ by at most one. The one rule of division. */
Range BlockRange(PetscInt N, PetscInt parts, PetscInt part);

typedef struct Grid_s *Grid;

struct Grid_s {
  MPI_Comm    world, group, shard; /* group: same g, rank q in it; shard: same q, rank g in it */
  PetscMPIInt size, rank, G, Q, g, q;
};

/** G Q must be the size of comm (STATUS_USAGE otherwise). Collective. */
PetscErrorCode GridCreate(MPI_Comm comm, PetscInt G, PetscInt Q, Grid *grid);
PetscErrorCode GridDestroy(Grid *grid);

/** The points that a world rank owns on a G x Q grid. Not collective. */
Range GridPoints(PetscInt d, PetscInt G, PetscInt Q, PetscInt rank);

Range GridGroupPoints(Grid grid, PetscInt d);                    /* this group's points */
Range GridOwnedPoints(Grid grid, PetscInt d);                    /* this rank's points */
Range GridPointsOfRank(Grid grid, PetscInt d, PetscMPIInt rank); /* the points owned by a world rank */

/** Units of a layer over the ranks of a group: `all` is N x h, row-major, and each rank has filled the columns of its own units,
    BlockRange(h, Q, q); afterwards it is whole on each. Nothing to do with Q = 1. Collective on the group. */
PetscErrorCode GridGatherUnits(Grid grid, PetscInt N, PetscInt h, PetscReal all[]);

/** In place, the sum over the group's ranks of an N x k array. Collective on the group. */
PetscErrorCode GridSumUnits(Grid grid, PetscInt N, PetscInt k, PetscReal a[]);

/** In place, the sum over the ranks of a shard of so many entries. Collective on the shard. */
PetscErrorCode GridSumShard(Grid grid, PetscInt entries, PetscReal a[]);
