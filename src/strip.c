/*
  strip.c: see strip.h. Groups own consecutive points, so what a rank gathers from them, in their order, is in the order of the points.
*/
#include "strip.h"

/* one use of the label; delta_rtj is Delta[(r T + t) stride + j - first unit] */
typedef struct {
  PetscInt         T, k, stride;
  Range            units;
  const PetscReal *A, *Delta; /* d x T x k, NULL: ones; m x T x stride */
  PetscReal       *fetched_A, *fetched_Delta;
} UseStrip;

struct Strip_s {
  Rows      rows;
  PetscInt  nuses;
  UseStrip *uses;
};

PetscInt LabelUses(PetscInt nuses, const LabelUse uses[], PetscInt first)
{
  PetscInt count = 1;

  while (first + count < nuses && uses[first + count].label == uses[first].label) count++;
  return count;
}

/* all := the rows of every data group, one of `width` entries for each point or each residual, on one rank of the shard */
static PetscErrorCode Gather(ResidualMap map, PetscMPIInt root, PetscBool residuals, PetscInt width, const PetscReal mine[],
                             PetscReal all[])
{
  const Grid   grid = map->grid;
  PetscMPIInt *counts, *starts, entries;
  MPI_Datatype row;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(grid->G, &counts, grid->G, &starts));
  for (PetscMPIInt g = 0; g < grid->G; g++) {
    const Range points = BlockRange(map->d, grid->G, g), theirs = residuals ? RowsOfPoints(map->rows, points) : points;

    PetscCall(PetscMPIIntCast(theirs.last - theirs.first, &counts[g]));
    PetscCall(PetscMPIIntCast(theirs.first, &starts[g]));
  }
  PetscCall(PetscMPIIntCast(width, &entries));
  PetscCallMPI(MPI_Type_contiguous(entries, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Gatherv(mine, counts[grid->g], row, all, counts, starts, row, root, grid->shard));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the columns `units` of this group's Delta */
static PetscErrorCode PackUnits(ResidualMap map, const LabelUse *use, Range units, PetscReal **packed)
{
  const size_t rows  = (size_t)(map->rows->group.last - map->rows->group.first) * (size_t)use->T;
  const size_t width = (size_t)(units.last - units.first);

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows * width, packed));
  for (size_t row = 0; row < rows; row++)
    PetscCall(PetscArraycpy(*packed + row * width, use->Delta + row * (size_t)use->h + units.first, width));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what rank `root` of the shard needs of a use goes there */
static PetscErrorCode FetchUse(ResidualMap map, const LabelUse *use, PetscMPIInt root, Range units, UseStrip *strip)
{
  const PetscInt  width = units.last - units.first;
  const PetscBool here  = (PetscBool)(root == map->grid->g);
  PetscReal      *packed;

  PetscFunctionBeginUser;
  if (width == 0) PetscFunctionReturn(PETSC_SUCCESS);
  if (here && use->A) PetscCall(PetscMalloc1((size_t)map->d * (size_t)use->T * (size_t)use->k, &strip->fetched_A));
  if (here) PetscCall(PetscMalloc1((size_t)map->m * (size_t)use->T * (size_t)width, &strip->fetched_Delta));
  if (use->A) PetscCall(Gather(map, root, PETSC_FALSE, use->T * use->k, use->A, strip->fetched_A));
  PetscCall(PackUnits(map, use, units, &packed));
  PetscCall(Gather(map, root, PETSC_TRUE, use->T * width, packed, strip->fetched_Delta));
  PetscCall(PetscFree(packed));
  if (here) {
    strip->A      = strip->fetched_A;
    strip->Delta  = strip->fetched_Delta;
    strip->stride = width;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the units that entries of a label belong to in one use: rows of k; a parameter's value has each for itself */
static Range UnitsOf(const LabelUse *use, Range entries)
{
  Range units = {0, 0};

  if (entries.last > entries.first) {
    units.first = entries.first / use->k;
    units.last  = (entries.last - 1) / use->k + 1;
  }
  return units;
}

static PetscErrorCode FetchUses(ResidualMap map, const LabelUse uses[], Range mine, Strip strip)
{
  const PetscMPIInt G = map->grid->G;
  Range            *entries;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(G, &entries));
  entries[map->grid->g] = mine;
  PetscCallMPI(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, entries, 2, MPIU_INT, map->grid->shard));
  for (PetscInt i = 0; i < strip->nuses; i++)
    for (PetscMPIInt g = 0; g < G; g++) PetscCall(FetchUse(map, &uses[i], g, UnitsOf(&uses[i], entries[g]), &strip->uses[i]));
  PetscCall(PetscFree(entries));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StripCreate(Jacobian jacobian, PetscInt nuses, const LabelUse uses[], Range entries, Strip *strip)
{
  const ResidualMap map = jacobian->map;
  Strip             s;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  s->rows  = map->rows;
  s->nuses = nuses;
  PetscCall(PetscCalloc1(nuses, &s->uses));
  for (PetscInt i = 0; i < nuses; i++) {
    s->uses[i].T      = uses[i].T;
    s->uses[i].k      = uses[i].k;
    s->uses[i].stride = uses[i].h;
    s->uses[i].units  = UnitsOf(&uses[i], entries);
    s->uses[i].A      = uses[i].A;
    s->uses[i].Delta  = uses[i].Delta + s->uses[i].units.first;
  }
  if (map->grid->G > 1) PetscCall(FetchUses(map, uses, entries, s));
  *strip = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StripDestroy(Strip *strip)
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < (*strip)->nuses; i++) {
    PetscCall(PetscFree((*strip)->uses[i].fetched_A));
    PetscCall(PetscFree((*strip)->uses[i].fetched_Delta));
  }
  PetscCall(PetscFree((*strip)->uses));
  PetscCall(PetscFree(*strip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x += the entries of one residual at one place; delta begins with unit `first` */
static void AddPlace(Range rows, PetscInt k, PetscInt first, const PetscReal delta[], const PetscReal a[], PetscReal x[])
{
  for (PetscInt p = rows.first; p < rows.last;) {
    const PetscInt i = p % k, count = PetscMin(k - i, rows.last - p);

    if (a)
      for (PetscInt c = 0; c < count; c++) x[p - rows.first + c] += delta[p / k - first] * a[i + c];
    else
      x[p - rows.first] += delta[p / k - first];
    p += count;
  }
}

void StripFill(Strip strip, Range rows, PetscReal X[], PetscInt ldx)
{
  for (PetscInt r = 0; r < strip->rows->m; r++) {
    PetscReal *x = X + (size_t)r * (size_t)ldx;

    for (PetscInt p = 0; p < rows.last - rows.first; p++) x[p] = 0;
    for (PetscInt i = 0; i < strip->nuses; i++) {
      const UseStrip *use = &strip->uses[i];

      for (PetscInt t = 0; t < use->T; t++) {
        const PetscReal *delta = use->Delta + ((size_t)r * (size_t)use->T + (size_t)t) * (size_t)use->stride;
        const PetscReal *a = use->A ? use->A + ((size_t)strip->rows->point[r] * (size_t)use->T + (size_t)t) * (size_t)use->k : NULL;

        AddPlace(rows, use->k, use->units.first, delta, a, x);
      }
    }
  }
}
