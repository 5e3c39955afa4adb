/*
  jacobian_assembled.c: J as a dense Mat, stored transposed; see jacobian.h.
*/
#include "strip.h"

PetscReal JacobianAssembledBytes(Jacobian jacobian)
{
  return 8. * (PetscReal)ParametersLocalSize(jacobian->map->parameters) * (PetscReal)jacobian->map->m;
}

/* the rows of J^T that belong to the local run of a label; there may be none */
static PetscErrorCode AssembleLabel(Jacobian jacobian, PetscInt nuses, const LabelUse uses[], PetscInt rows, PetscReal X[])
{
  const ParameterRun *runs;
  PetscInt            nruns, local = 0;
  Range               entries = {0, 0};
  Strip               strip;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(jacobian->map->parameters, &nruns, &runs));
  for (PetscInt i = 0; i < nruns; i++) {
    if (runs[i].label != uses[0].label) continue;
    entries.first = (PetscInt)runs[i].first;
    entries.last  = entries.first + runs[i].count;
    local         = runs[i].local;
  }
  PetscCall(StripCreate(jacobian, nuses, uses, entries, &strip));
  StripFill(strip, entries, X + local, rows);
  PetscCall(StripDestroy(&strip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianAssemble(Jacobian jacobian, Mat *Jt)
{
  const ResidualMap map   = jacobian->map;
  const Range       owned = map->rows->owned;
  const PetscInt    rows  = ParametersLocalSize(map->parameters);
  PetscInt          nuses;
  LabelUse         *uses;
  PetscReal        *X;

  PetscFunctionBeginUser;
  PetscCall(UserCheck(map->grid->world, (PetscBool)(JacobianAssembledBytes(jacobian) / 8 <= (PetscReal)PETSC_MAX_INT), STATUS_DATA,
                      "the assembled Jacobian would have 2^31 entries or more on a rank (%" PetscInt_FMT " x %" PetscInt_FMT
                      "): use more ranks, or build with 64-bit indices (make INDEX=64)",
                      rows, map->m));
  PetscCall(MatCreateDense(map->grid->world, rows, owned.last - owned.first, map->n, map->m, NULL, Jt));
  PetscCall(MatDenseGetArrayWrite(*Jt, &X));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i += LabelUses(nuses, uses, i))
    PetscCall(AssembleLabel(jacobian, LabelUses(nuses, uses, i), &uses[i], rows, X));
  PetscCall(PetscFree(uses));
  PetscCall(MatDenseRestoreArrayWrite(*Jt, &X));
  PetscCall(MatAssemblyBegin(*Jt, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(*Jt, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}
