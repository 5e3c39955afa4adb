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

typedef struct {
  Hessian  hessian;
  Jacobian jacobian;
  Tiles    factor;
  PetscInt times;
} KernelMat;

/* x lies in ker J already, so this is P S P x */
static PetscErrorCode MatMult_Kernel(Mat mat, Vec x, Vec y)
{
  KernelMat *k;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &k));
  PetscCall(HessianMult(k->hessian, HESSIAN_CURVATURE, x, y));
  PetscCall(KernelProject(k->jacobian, k->factor, k->times, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatDestroy_Kernel(Mat mat)
{
  KernelMat *k;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &k));
  PetscCall(PetscFree(k));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KernelCreateMat(Hessian hessian, Jacobian jacobian, Tiles factor, PetscInt times, Mat *PSP)
{
  const ResidualMap map   = hessian->map;
  const PetscInt    local = ParametersLocalSize(map->parameters);
  KernelMat        *k;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&k));
  *k = (KernelMat){hessian, jacobian, factor, times};
  PetscCall(MatCreateShell(map->grid->world, local, local, map->n, map->n, k, PSP));
  PetscCall(MatShellSetOperation(*PSP, MATOP_MULT, (void (*)(void))MatMult_Kernel));
  PetscCall(MatShellSetOperation(*PSP, MATOP_DESTROY, (void (*)(void))MatDestroy_Kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}
