/*
  kernel.c: see kernel.h.
*/
#include "codim/kernel.h"

PetscErrorCode KernelSolve(ResidualMap map, Tiles factor, Vec u)
{
  PetscReal *all;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(map->m, &all));
  PetscCall(RowsGatherAll(map->rows, u, all));
  PetscCall(TilesSolve(factor, all));
  PetscCall(RowsSetAll(map->rows, all, u));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KernelProject(Jacobian jacobian, Tiles factor, PetscInt times, Vec x)
{
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(jacobian->map->rows, &u));
  for (PetscInt i = 0; i < times; i++) {
    PetscCall(JacobianMult(jacobian, x, u));
    PetscCall(KernelSolve(jacobian->map, factor, u));
    PetscCall(JacobianMultTransposeAdd(jacobian, -1, u, x));
  }
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(PETSC_SUCCESS);
}
