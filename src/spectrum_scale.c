/*
  spectrum_scale.c: see spectrum_scale.h.
*/
#include "spectrum_scale.h"
#include "strip.h"

enum { CHUNK = 64 /* rows of J'^T at a time */ };

static const PetscReal Noise = 1e-3; /* a change relative to the norm */

struct Scaling_s {
  PetscInt   m, nuses;
  Neighbour  near;
  LabelUse  *uses;    /* of the neighbour */
  Strip      strip;   /* of its label */
  PetscReal *column;  /* m: factors of the columns of J^T; 0: left out */
  PetscReal *change2; /* m: |.|^2 of the columns of J^T - J'^T, scaled; over this rank's rows */
  PetscReal *Y;       /* CHUNK x m */
};

PetscErrorCode ScalingCreate(Jacobian jacobian, const PetscReal inverse[], Scaling *scaling)
{
  Scaling s;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  s->m = jacobian->map->m;
  PetscCall(PetscCalloc1(s->m, &s->change2));
  PetscCall(PetscMalloc2(s->m, &s->column, CHUNK * (size_t)s->m, &s->Y));
  PetscCall(NeighbourCreate(jacobian, RoundingStep(jacobian->map), &s->near));
  PetscCall(JacobianGetUses(s->near.jacobian, &s->nuses, &s->uses));
  PetscCall(NoiseOfRows(jacobian, s->near.jacobian, s->column));
  for (PetscInt k = 0; k < s->m; k++) s->column[k] = s->column[k] * inverse[k] <= Noise ? inverse[k] : 0;
  *scaling = s;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ScalingDestroy(Scaling *scaling)
{
  Scaling s = *scaling;

  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree(s->uses));
  PetscCall(NeighbourDestroy(&s->near));
  PetscCall(PetscFree2(s->column, s->Y));
  PetscCall(PetscFree(s->change2));
  PetscCall(PetscFree(*scaling));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank 0's change becomes that of all ranks, the others' becomes 0 */
static PetscErrorCode ReduceChange(Scaling s)
{
  const Grid  grid = s->near.jacobian->map->grid;
  PetscMPIInt m;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(s->m, &m));
  PetscCallMPI(MPI_Reduce(grid->rank == 0 ? MPI_IN_PLACE : s->change2, s->change2, m, MPIU_REAL, MPI_SUM, 0, grid->world));
  if (grid->rank != 0) PetscCall(PetscArrayzero(s->change2, s->m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ScalingArchive(Archive archive, Scaling s)
{
  PetscFunctionBeginUser;
  if (!ArchiveReading(archive)) PetscCall(ReduceChange(s));
  PetscCall(ArchiveReals(archive, "scale", s->m, s->column));
  PetscCall(ArchiveRootMatrix(archive, "change", 1, s->m, s->change2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ScalingBeginLabel(Scaling s, PetscInt nuses, PetscInt first, Range entries)
{
  PetscFunctionBeginUser;
  PetscCall(StripCreate(s->near.jacobian, nuses, s->uses + first, entries, &s->strip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ScalingEndLabel(Scaling s)
{
  PetscFunctionBeginUser;
  PetscCall(StripDestroy(&s->strip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal InverseNorm(PetscInt n, size_t stride, const PetscReal x[])
{
  PetscReal largest = 0, squares = 0;

  for (PetscInt k = 0; k < n; k++) largest = PetscMax(largest, PetscAbsReal(x[(size_t)k * stride]));
  if (largest == 0) return 0;
  for (PetscInt k = 0; k < n; k++) squares += PetscSqr(x[(size_t)k * stride] / largest);
  return 1 / (largest * PetscSqrtReal(squares));
}

/* row x of J^T and y of J'^T */
static void ApplyRow(Scaling s, size_t ldx, PetscReal x[], PetscReal y[])
{
  PetscReal inverse, change2 = 0;

  for (PetscInt k = 0; k < s->m; k++) {
    x[(size_t)k * ldx] *= s->column[k];
    y[(size_t)k * CHUNK] = y[(size_t)k * CHUNK] * s->column[k] - x[(size_t)k * ldx];
  }
  inverse = InverseNorm(s->m, ldx, x);
  for (PetscInt k = 0; k < s->m; k++) change2 += PetscSqr(inverse * y[(size_t)k * CHUNK]);
  if (!(change2 <= Noise * Noise)) inverse = 0;
  for (PetscInt k = 0; k < s->m; k++) {
    x[(size_t)k * ldx] *= inverse;
    s->change2[k] += PetscSqr(inverse * y[(size_t)k * CHUNK]);
  }
}

void ScalingApply(Scaling s, Range rows, PetscReal X[], PetscInt ldx)
{
  for (PetscInt first = rows.first; first < rows.last; first += CHUNK) {
    const Range part = {first, PetscMin(rows.last, first + CHUNK)};

    StripFill(s->strip, part, s->Y, CHUNK);
    for (PetscInt row = part.first; row < part.last; row++)
      ApplyRow(s, (size_t)ldx, X + (row - rows.first), s->Y + (row - part.first));
  }
}

PetscErrorCode ScalingFinish(Scaling s, PetscReal inverse[], PetscReal *noise)
{
  PetscReal noise2 = 0;

  PetscFunctionBeginUser;
  PetscCall(ReduceChange(s));
  for (PetscInt k = 0; s->near.jacobian->map->grid->rank == 0 && k < s->m; k++) {
    const PetscReal change2 = s->change2[k] * PetscSqr(inverse[k]);

    if (change2 <= Noise * Noise)
      noise2 += change2;
    else
      inverse[k] = 0;
  }
  PetscCallMPI(MPI_Bcast(&noise2, 1, MPIU_REAL, 0, s->near.jacobian->map->grid->world));
  *noise = PetscSqrtReal(noise2);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal ScalingBytes(const Sizes *s)
{
  return 8 * (2 + CHUNK) * (PetscReal)s->m + NeighbourBytes(s);
}
