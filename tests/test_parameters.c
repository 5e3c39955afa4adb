// ranks: 1 2 3 4 6
/*
  test_parameters.c: theta in shards, against the whole theta in the canonical order, on every grid.

  Entry k of the canonical order is k, or an integer made from it: every comparison is for equality.
*/
#include "capture.h"
#include "codim/parameters.h"
#include "codim/random.h"
#include "tap.h"

/* among them labels with fewer rows than most Q, one of four dimensions, and lone entries at both ends */
static const Label labels[] = {
    {"one", 1, {1}, 1, 1},           {"layers.0.weight", 2, {7, 5}, 7, 5},
    {"layers.0.bias", 1, {7}, 7, 1}, {"conv", 4, {2, 3, 2, 2}, 2, 12},
    {"wide", 2, {1, 31}, 1, 31},     {"tall", 2, {29, 1}, 29, 1},
    {"last", 1, {2}, 2, 1},
};
enum { LABELS = PETSC_STATIC_ARRAY_LENGTH(labels) };

static char where[64]; /* the grid, for the claims */

static PetscInt LabelSize(PetscInt label)
{
  return labels[label].rows * labels[label].cols;
}

/* where a label begins in the canonical order; LabelStart(LABELS) = n */
static PetscInt LabelStart(PetscInt label)
{
  PetscInt start = 0;

  for (PetscInt k = 0; k < label; k++) start += LabelSize(k);
  return start;
}

/* v = the canonical positions themselves */
static PetscErrorCode SetPositions(Parameters parameters, Vec v)
{
  PetscInt            nruns;
  const ParameterRun *runs;
  PetscReal          *local;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArrayWrite(v, &local));
  for (PetscInt i = 0; i < nruns; i++)
    for (PetscInt k = 0; k < runs[i].count; k++) local[runs[i].local + k] = (PetscReal)(runs[i].canonical + k);
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static PetscErrorCode TestLabels(Parameters parameters, Grid grid)
{
  const PetscInt n = LabelStart(LABELS);
  PetscInt       nlabels, total = ParametersLocalSize(parameters), local, global;
  const Label   *copy;
  PetscBool      same;
  Vec            v;
  PetscReal      norm;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetLabels(parameters, &nlabels, &copy));
  PetscCall(PetscMemcmp(copy, labels, sizeof labels, &same));
  Tap((PetscBool)(nlabels == LABELS && same && copy != labels && ParametersGrid(parameters) == grid),
      "%s: the labels are copied, the grid is kept", where);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &total, 1, MPIU_INT, MPI_SUM, grid->world));
  Tap((PetscBool)(ParametersSize(parameters) == n && total == n), "... n entries, shared out");
  PetscCall(ParametersCreateVec(parameters, &v));
  PetscCall(VecGetLocalSize(v, &local));
  PetscCall(VecGetSize(v, &global));
  PetscCall(VecNorm(v, NORM_INFINITY, &norm));
  Tap((PetscBool)(local == ParametersLocalSize(parameters) && global == n && norm == 0), "... and a new Vec of them is zero");
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestRuns(Parameters parameters, Grid grid)
{
  const PetscInt      n = LabelStart(LABELS);
  PetscInt            nruns, next = 0, *seen;
  const ParameterRun *runs;
  PetscBool           right = PETSC_TRUE, once = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n, &seen));
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  for (PetscInt i = 0; i < nruns; i++) {
    const ParameterRun *run = &runs[i];

    right = (PetscBool)(right && run->local == next && run->count > 0 && run->first >= 0 &&
                        run->first + run->count <= LabelSize(run->label) && run->canonical == LabelStart(run->label) + run->first);
    for (PetscInt k = 0; k < run->count; k++) seen[run->canonical + k]++;
    next = run->local + run->count;
  }
  Tap((PetscBool)(right && next == ParametersLocalSize(parameters)), "%s: the runs fill the local part in order, each in its label",
      where);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seen, (PetscMPIInt)n, MPIU_INT, MPI_SUM, grid->world));
  for (PetscInt k = 0; k < n; k++) once = (PetscBool)(once && seen[k] == 1);
  Tap(once, "... and name every one of the n entries once");
  PetscCall(PetscFree(seen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all labels' shards at once, read and given back in another order; twice over one of them */
static PetscErrorCode TestShards(Parameters parameters, Grid grid)
{
  const PetscReal *rows[LABELS], *again;
  PetscBool        right = PETSC_TRUE, shared = PETSC_TRUE;
  Vec              v;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(parameters, &v));
  PetscCall(SetPositions(parameters, v));
  for (PetscInt label = 0; label < LABELS; label++) PetscCall(ParametersGetShard(parameters, v, label, &rows[label]));
  PetscCall(ParametersGetShard(parameters, v, 1, &again));
  for (PetscInt label = 0; label < LABELS; label++) {
    const Range    range = ParametersShardRows(parameters, label), expected = BlockRange(labels[label].rows, grid->Q, grid->q);
    const PetscInt cols = labels[label].cols;

    shared = (PetscBool)(shared && range.first == expected.first && range.last == expected.last);
    for (PetscInt k = 0; k < (range.last - range.first) * cols; k++) {
      right = (PetscBool)(right && rows[label][k] == (PetscReal)(LabelStart(label) + range.first * cols + k));
      if (label == 1) right = (PetscBool)(right && again[k] == rows[label][k]);
    }
  }
  Tap(shared, "%s: a shard is a block of rows of every label", where);
  Tap(right, "... whole on each of its ranks");
  PetscCall(ParametersRestoreShard(parameters, v, 1, &again));
  for (PetscInt label = 0; label < LABELS; label++) PetscCall(ParametersRestoreShard(parameters, v, label, &rows[label]));
  Tap((PetscBool)(!again && !rows[0]), "... until it is given back");
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* onto v = positions, rank (g,q) adds (g + 1)(2 position + 1): G(G + 1)/2 (2 position + 1) in all */
static PetscErrorCode TestAdd(Parameters parameters, Grid grid)
{
  const PetscReal groups = (PetscReal)(grid->G * (grid->G + 1) / 2);
  PetscBool       right  = PETSC_TRUE;
  Vec             v, start;
  PetscInt        size;
  PetscReal      *rows, *sums, *before;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(parameters, &v));
  PetscCall(SetPositions(parameters, v));
  PetscCall(VecDuplicate(v, &start));
  PetscCall(VecCopy(v, start));
  for (PetscInt label = LABELS - 1; label >= 0; label--) {
    const Range    range = ParametersShardRows(parameters, label);
    const PetscInt first = LabelStart(label) + range.first * labels[label].cols;

    PetscCall(ParametersBeginAdd(parameters, v, label, &rows));
    for (PetscInt k = 0; k < (range.last - range.first) * labels[label].cols; k++)
      rows[k] += (PetscReal)((grid->g + 1) * (2 * (first + k) + 1));
    PetscCall(ParametersEndAdd(parameters, v, label, &rows));
  }
  PetscCall(VecGetLocalSize(v, &size));
  PetscCall(VecGetArray(v, &sums));
  PetscCall(VecGetArray(start, &before));
  for (PetscInt i = 0; i < size; i++) right = (PetscBool)(right && sums[i] == before[i] + groups * (2 * before[i] + 1));
  PetscCall(VecRestoreArray(start, &before));
  PetscCall(VecRestoreArray(v, &sums));
  Tap(right, "%s: what the groups add to a shard is summed into the Vec", where);
  PetscCall(VecDestroy(&start));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestRandom(Parameters parameters)
{
  const PetscInt      n = LabelStart(LABELS);
  PetscInt            nruns;
  const ParameterRun *runs;
  PetscBool           same = PETSC_TRUE;
  Vec                 v;
  PetscReal          *z, *local;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &z));
  RandomNormal(17, 4, 0, n, z);
  PetscCall(ParametersCreateVec(parameters, &v));
  PetscCall(ParametersSetRandom(parameters, 17, 4, v));
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArray(v, &local));
  for (PetscInt i = 0; i < nruns; i++)
    for (PetscInt k = 0; k < runs[i].count; k++) same = (PetscBool)(same && local[runs[i].local + k] == z[runs[i].canonical + k]);
  PetscCall(VecRestoreArray(v, &local));
  Tap(same, "%s: random entries are numbered in the canonical order", where);
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree(z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestShape(PetscInt G, PetscInt Q)
{
  Grid       grid;
  Parameters parameters;

  PetscFunctionBeginUser;
  snprintf(where, sizeof where, "%d x %d", (int)G, (int)Q);
  PetscCall(GridCreate(PETSC_COMM_WORLD, G, Q, &grid));
  PetscCall(ParametersCreate(grid, LABELS, labels, &parameters));
  PetscCall(TestLabels(parameters, grid));
  PetscCall(TestRuns(parameters, grid));
  PetscCall(TestShards(parameters, grid));
  PetscCall(TestAdd(parameters, grid));
  PetscCall(TestRandom(parameters));
  PetscCall(ParametersDestroy(&parameters));
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* two labels, each of which fits into 32 bits: 2^31 parameters in all */
static PetscErrorCode TestTooMany(PetscMPIInt size)
{
  const Label    half[2] = {{"a", 2, {1 << 15, 1 << 15}, 1 << 15, 1 << 15}, {"b", 2, {1 << 15, 1 << 15}, 1 << 15, 1 << 15}};
  char           text[1024];
  Grid           grid;
  Parameters     parameters = NULL;
  Capture        capture;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(GridCreate(PETSC_COMM_WORLD, 1, size, &grid));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = ParametersCreate(grid, 2, half, &parameters);
  CaptureEnd(&capture, text, sizeof text);
  if (sizeof(PetscInt) == 4)
    Tap((PetscBool)(ierr && !parameters && ExitStatusOfError(ierr) == STATUS_USAGE),
        "2^31 parameters are a user error with 32-bit indices");
  else
    Tap((PetscBool)(!ierr && (PetscReal)ParametersSize(parameters) == 2147483648.), "2^31 parameters are fine with 64-bit indices");
  PetscCall(ParametersDestroy(&parameters));
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestShape(G, size / G));
  TapCall(TestTooMany(size));
  return TapEnd();
}
