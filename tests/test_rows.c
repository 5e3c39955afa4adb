// ranks: 1 2 3 4 6
/*
  test_rows.c: the residuals: order, owners and exchanges, with every target observed and with some of them missing.

  An entry of an m-sized Vec is k^2 + 1 for row k; whether target (i,o) is observed is a function of i and o that every rank knows.
*/
#include "codim/rows.h"
#include "tap.h"

static char        where[64];
static PetscMPIInt size;

typedef PetscBool Observed(PetscInt i, PetscInt o);

static PetscBool All(PetscInt i, PetscInt o)
{
  (void)i;
  (void)o;
  return PETSC_TRUE;
}

/* of every fifth point nothing, of the others about two in three */
static PetscBool Some(PetscInt i, PetscInt o)
{
  return (PetscBool)(i % 5 != 2 && (7 * i + 3 * o) % 3 != 0);
}

/* of the first half nothing: whole groups have no row */
static PetscBool Late(PetscInt i, PetscInt o)
{
  return (PetscBool)(i >= 6 && (i + o) % 2);
}

static PetscErrorCode Create(Grid grid, PetscInt d, PetscInt l, Observed *observed, Rows *rows)
{
  const Range points = GridGroupPoints(grid, d);
  PetscReal  *y;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((points.last - points.first) * l, &y));
  for (PetscInt i = points.first; i < points.last; i++)
    for (PetscInt o = 0; o < l; o++) y[(i - points.first) * l + o] = observed(i, o) ? (PetscReal)(i - o) : (PetscReal)NAN;
  PetscCall(RowsCreate(grid, d, l, y, rows));
  PetscCall(PetscFree(y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* against a count over all points, in order */
static PetscErrorCode TestOrder(Rows rows, Observed *observed, const char how[])
{
  const Range group = GridGroupPoints(rows->grid, rows->d), owned = GridOwnedPoints(rows->grid, rows->d);
  PetscInt    k       = 0;
  PetscBool   ordered = PETSC_TRUE, target = PETSC_TRUE;
  PetscInt    mine = 0, theirs = 0;

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < rows->d; i++) {
    ordered = (PetscBool)(ordered && rows->first[i] == k);
    for (PetscInt o = 0; o < rows->l; o++) {
      if (!observed(i, o)) continue;
      ordered = (PetscBool)(ordered && k < rows->m && rows->point[k] == i && rows->output[k] == o);
      if (i >= group.first && i < group.last)
        target = (PetscBool)(target && k >= rows->group.first && k < rows->group.last &&
                             RowTarget(rows, k) == (size_t)((i - group.first) * rows->l + o));
      mine += i >= owned.first && i < owned.last;
      theirs += i >= group.first && i < group.last;
      k++;
    }
  }
  Tap((PetscBool)(ordered && rows->first[rows->d] == k && rows->m == k),
      "%s, d = %" PetscInt_FMT ", l = %" PetscInt_FMT ", %s: the observed targets are the rows, by point, then output", where,
      rows->d, rows->l, how);
  Tap(target, "... each of a group's where its target is");
  Tap((PetscBool)(rows->group.last - rows->group.first == theirs && rows->owned.last - rows->owned.first == mine &&
                  rows->owned.first == rows->first[owned.first] && rows->group.first == rows->first[group.first]),
      "... a group and a rank have those of their points");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CreateSquares(Rows rows, Vec *v)
{
  PetscInt   first, last;
  PetscReal *local;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(rows, v));
  PetscCall(VecGetOwnershipRange(*v, &first, &last));
  PetscCall(VecGetArrayWrite(*v, &local));
  for (PetscInt k = first; k < last; k++) local[k - first] = (PetscReal)(k * k + 1);
  PetscCall(VecRestoreArrayWrite(*v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestGather(Rows rows)
{
  const Range group = rows->group;
  PetscReal  *entries, norm;
  PetscBool   whole = PETSC_TRUE, mine = PETSC_TRUE;
  PetscInt    first, last, total;
  Vec         v, w;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->m, &entries));
  PetscCall(CreateSquares(rows, &v));
  PetscCall(VecGetOwnershipRange(v, &first, &last));
  PetscCall(VecGetSize(v, &total));
  Tap((PetscBool)(first == rows->owned.first && last == rows->owned.last && total == rows->m), "... an m-sized Vec follows them");
  PetscCall(RowsGatherAll(rows, v, entries));
  for (PetscInt k = 0; k < rows->m; k++) whole = (PetscBool)(whole && entries[k] == (PetscReal)(k * k + 1));
  Tap(whole, "... all rows are gathered everywhere");
  PetscCall(VecDuplicate(v, &w));
  PetscCall(RowsSetAll(rows, entries, w));
  PetscCall(VecAXPY(w, -1, v));
  PetscCall(VecNorm(w, NORM_INFINITY, &norm));
  Tap((PetscBool)(norm == 0), "... and set from there");
  PetscCall(RowsGatherGroup(rows, v, entries));
  for (PetscInt k = group.first; k < group.last; k++)
    mine = (PetscBool)(mine && entries[k - group.first] == (PetscReal)(k * k + 1));
  Tap(mine, "... and a group's rows on its ranks");
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree(entries));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestSum(Rows rows)
{
  const Grid  grid  = rows->grid;
  const Range group = rows->group;
  PetscReal  *entries, *local;
  PetscBool   sum = PETSC_TRUE;
  Vec         v;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(group.last - group.first, &entries));
  for (PetscInt k = group.first; k < group.last; k++)
    entries[k - group.first] = (PetscReal)((grid->q + 1) * (k + 1) + 100 * grid->q * grid->g);
  PetscCall(RowsCreateVec(rows, &v));
  PetscCall(RowsSumGroup(rows, entries, v));
  PetscCall(VecGetArray(v, &local));
  for (PetscInt k = rows->owned.first; k < rows->owned.last; k++) {
    PetscReal expected = 0;

    for (PetscInt q = 0; q < grid->Q; q++) expected += (PetscReal)((q + 1) * (k + 1) + 100 * q * grid->g);
    sum = (PetscBool)(sum && local[k - rows->owned.first] == expected);
  }
  PetscCall(VecRestoreArray(v, &local));
  Tap(sum, "... and the rows of a group's ranks are summed into the Vec");
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree(entries));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestGrid(PetscInt G)
{
  static const struct {
    PetscInt    d, l;
    Observed   *observed;
    const char *how;
  } cases[] = {{17, 1, All, "all observed"},   {17, 3, All, "all observed"},   {2, 3, All, "all observed"},
               {17, 3, Some, "some observed"}, {17, 1, Some, "some observed"}, {13, 2, Late, "the later ones observed"}};
  Grid grid;

  PetscFunctionBeginUser;
  PetscCall(GridCreate(PETSC_COMM_WORLD, G, size / G, &grid));
  PetscCall(PetscSNPrintf(where, sizeof where, "%" PetscInt_FMT " x %" PetscInt_FMT, G, size / G));
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    Rows rows;

    PetscCall(Create(grid, cases[k].d, cases[k].l, cases[k].observed, &rows));
    PetscCall(TestOrder(rows, cases[k].observed, cases[k].how));
    PetscCall(TestGather(rows));
    PetscCall(TestSum(rows));
    PetscCall(RowsDestroy(&rows));
  }
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestGrid(G));
  return TapEnd();
}
