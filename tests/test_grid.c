// ranks: 1 2 3 4 6
/*
  test_grid.c: who owns which points, and what the exchanges leave where, against the same numbers computed without any exchange.

  Entries are integers that name their row, column and rank: sums of them are exact, so every comparison is for equality.
*/
#include "capture.h"
#include "codim/grid.h"
#include "tap.h"

static PetscMPIInt size;
static char        where[64]; /* the grid, for the claims */

/* ---- division ---------------------------------------------------------------------------------------------------- */

static void TestBlockRange(void)
{
  PetscBool contiguous = PETSC_TRUE, even = PETSC_TRUE;

  for (PetscInt N = 0; N <= 23; N++)
    for (PetscInt parts = 1; parts <= 9; parts++) {
      PetscInt before = 0;

      for (PetscInt part = 0; part < parts; part++) {
        const Range    range = BlockRange(N, parts, part);
        const PetscInt count = range.last - range.first;

        contiguous = (PetscBool)(contiguous && range.first == before && count >= 0);
        even       = (PetscBool)(even && (count == N / parts || count == N / parts + 1));
        before     = range.last;
      }
      contiguous = (PetscBool)(contiguous && before == N);
    }
  Tap(contiguous, "the parts follow one another from 0 to N, more parts than things too");
  Tap(even, "and differ in size by at most one");
}

static void TestBadGrid(PetscInt G, PetscInt Q)
{
  char           text[1024], expected[64];
  Grid           grid    = NULL;
  Capture        capture = CaptureBegin(STDERR_FILENO);
  PetscErrorCode ierr    = GridCreate(PETSC_COMM_WORLD, G, Q, &grid);
  PetscMPIInt    rank;

  CaptureEnd(&capture, text, sizeof text);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  Tap((PetscBool)(ierr && !grid && ExitStatusOfError(ierr) == STATUS_USAGE),
      "a grid of %" PetscInt_FMT " x %" PetscInt_FMT " is a user error on every rank", G, Q);
  snprintf(expected, sizeof expected, "choose -grid G,Q with G*Q = %d", size);
  Tap((PetscBool)(rank ? !*text : CountLines(text) == 1 && strstr(text, expected)), "... said once, with the remedy");
}

/* ---- the ranks and their points ---------------------------------------------------------------------------------- */

static PetscErrorCode TestRanks(Grid grid)
{
  PetscMPIInt rank, members[2], places[2];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(grid->group, &members[0]));
  PetscCallMPI(MPI_Comm_rank(grid->group, &places[0]));
  PetscCallMPI(MPI_Comm_size(grid->shard, &members[1]));
  PetscCallMPI(MPI_Comm_rank(grid->shard, &places[1]));
  Tap((PetscBool)(grid->size == size && grid->rank == rank && grid->G * grid->Q == size && rank == grid->g * grid->Q + grid->q),
      "%s: world rank = g Q + q", where);
  Tap((PetscBool)(members[0] == grid->Q && places[0] == grid->q && members[1] == grid->G && places[1] == grid->g),
      "%s: group and shard have Q and G ranks, this one q-th and g-th", where);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* every point counted once over the world as owned, and once over a shard as the group's */
static PetscErrorCode TestPoints(Grid grid, PetscInt d)
{
  const Range group = GridGroupPoints(grid, d), owned = GridOwnedPoints(grid, d);
  PetscInt    before = 0, *counts;
  PetscBool   once = PETSC_TRUE, ascending = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(2 * d, &counts));
  for (PetscInt i = group.first; i < group.last; i++) counts[i]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, (PetscMPIInt)d, MPIU_INT, MPI_SUM, grid->shard));
  for (PetscInt i = owned.first; i < owned.last; i++) counts[d + i]++;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts + d, (PetscMPIInt)d, MPIU_INT, MPI_SUM, grid->world));
  for (PetscInt i = 0; i < 2 * d; i++) once = (PetscBool)(once && counts[i] == 1);
  Tap(once, "%s, d = %" PetscInt_FMT ": every point is in one group and has one owner", where, d);
  Tap((PetscBool)(owned.first >= group.first && owned.last <= group.last), "... of that group");
  for (PetscMPIInt rank = 0; rank < size; rank++) {
    const Range theirs = GridPointsOfRank(grid, d, rank);

    ascending = (PetscBool)(ascending && theirs.first == before);
    before    = theirs.last;
  }
  Tap((PetscBool)(ascending && before == d), "... the owners in the order of the ranks");
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- exchanges --------------------------------------------------------------------------------------------------- */

/* N x h arrays of which each rank knows the columns of its units; N differs from group to group */
static PetscErrorCode TestUnits(Grid grid, PetscInt h)
{
  const PetscInt N     = grid->g == 1 ? 0 : 5 + grid->g;
  const Range    units = BlockRange(h, grid->Q, grid->q);
  PetscReal     *all;
  PetscBool      whole = PETSC_TRUE, sum = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(N * h, &all));
  for (PetscInt k = 0; k < N * h; k++) all[k] = k % h >= units.first && k % h < units.last ? (PetscReal)(k + 1000 * grid->g) : -1;
  PetscCall(GridGatherUnits(grid, N, h, all));
  for (PetscInt k = 0; k < N * h; k++) whole = (PetscBool)(whole && all[k] == (PetscReal)(k + 1000 * grid->g));
  Tap(whole, "%s, %" PetscInt_FMT " units: gathered over the group", where, h);
  for (PetscInt k = 0; k < N * h; k++) all[k] = (PetscReal)((grid->q + 1) * (k + 1) + grid->g);
  PetscCall(GridSumUnits(grid, N, h, all));
  for (PetscInt k = 0; k < N * h; k++)
    sum = (PetscBool)(sum && all[k] == (PetscReal)(grid->Q * (grid->Q + 1) / 2 * (k + 1) + grid->Q * grid->g));
  Tap(sum, "... and summed");
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestShape(PetscInt G)
{
  const PetscInt d[] = {1, 2, 13}, h[] = {1, 2, 7}; /* fewer than ranks; and no multiple of any number of them */
  Grid           grid;

  PetscFunctionBeginUser;
  snprintf(where, sizeof where, "%d x %d", (int)G, (int)(size / G));
  PetscCall(GridCreate(PETSC_COMM_WORLD, G, size / G, &grid));
  PetscCall(TestRanks(grid));
  for (int k = 0; k < 3; k++) {
    PetscCall(TestPoints(grid, d[k]));
    PetscCall(TestUnits(grid, h[k]));
  }
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  TestBlockRange();
  TestBadGrid(size, 2);
  TestBadGrid(size + 1, 1);
  TestBadGrid(0, size);
  TestBadGrid(-1, -size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestShape(G));
  return TapEnd();
}
