/*
  full.c: see full.h. Rows and columns are in the order of the Vec, which depends on the grid; eigenvalues and traces do not.
*/
#include "codim/full.h"
#include "codim/checkpoint.h"
#include "rounding.h"

/* column j of the tiles = v, whole on every rank */
static void SetColumn(Tiles tiles, PetscInt j, const PetscReal v[])
{
  for (PetscInt c = 0; c < tiles->cols; c++) {
    if (TilesGlobalCol(tiles, tiles->mycol, c) != j) continue;
    for (PetscInt r = 0; r < tiles->rows; r++)
      tiles->a[(size_t)c * (size_t)tiles->rows + (size_t)r] = v[TilesGlobalRow(tiles, tiles->myrow, r)];
  }
}

/* trace of a part of the Hessian; and its columns, if tiles are given */
static PetscErrorCode Assemble(Hessian hessian, HessianPart part, Tiles tiles, PetscReal *trace, PetscBool *stop)
{
  const ResidualMap map = hessian->map;
  Vec               e, column, whole;
  VecScatter        gather;
  const PetscReal  *v;

  PetscFunctionBeginUser;
  *trace = 0;
  PetscCall(ParametersCreateVec(map->parameters, &e));
  PetscCall(VecDuplicate(e, &column));
  PetscCall(VecScatterCreateToAll(column, &gather, &whole));
  for (PetscInt j = 0; j < map->n && !*stop; j++) {
    PetscCall(VecSetValue(e, j, 1, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(e));
    PetscCall(VecAssemblyEnd(e));
    PetscCall(HessianMult(hessian, part, e, column));
    PetscCall(VecScatterBegin(gather, column, whole, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecScatterEnd(gather, column, whole, INSERT_VALUES, SCATTER_FORWARD));
    PetscCall(VecGetArrayRead(whole, &v));
    *trace += v[j];
    if (tiles) SetColumn(tiles, j, v);
    PetscCall(VecRestoreArrayRead(whole, &v));
    PetscCall(VecSet(e, 0));
    if (tiles) PetscCall(Progress(map->grid->world, (PetscReal)(j + 1), (PetscReal)map->n, "columns of the Hessian"));
    PetscCall(CheckpointSafePoint(map->grid->world, "full", NULL, NULL, stop));
  }
  PetscCall(VecScatterDestroy(&gather));
  PetscCall(VecDestroy(&whole));
  PetscCall(VecDestroy(&column));
  PetscCall(VecDestroy(&e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void FullHessianLimit(const Sizes *sizes, size_t size, char text[])
{
  const Sizes s = SizesOfOrder(sizes, sizes->n);

  TilesLimit(&s, PETSC_FALSE, size, text);
}

void FullHessianCost(const Sizes *sizes, Cost *cost)
{
  const Sizes s    = SizesOfOrder(sizes, sizes->n);
  Cost        part = {.bytes = 0}, product = {.work[WORK_STREAM] = 8 * 2 * s.n};

  HessianMultCost(sizes, &product);
  product.received += 8 * s.n * (1 - 1 / s.P);
  product.messages += s.P - 1;                                                /* the gathered column; the Vec's assembly */
  CostHold(&product, 8 * (2 * s.local + s.n) + (s.P > 1 ? 32 * s.local : 0)); /* two Vecs, one whole, and a VecScatter */
  CostAdd(&part, &product, 2 * s.n);
  TilesEigenvaluesCost(&s, &part);
  CostHold(&part, SizesTiles(&s));
  CostAdd(cost, &part, 1);
}

PetscErrorCode FullHessianCompute(Hessian hessian, FullHessian *full)
{
  PetscBool stop = PETSC_FALSE;
  Tiles     tiles;

  PetscFunctionBeginUser;
  full->n = hessian->map->n;
  PetscCall(TilesCreate(hessian->map->grid->world, full->n, &tiles));
  PetscCall(Assemble(hessian, HESSIAN_EXACT, tiles, &full->trace, &stop));
  PetscCall(Assemble(hessian, HESSIAN_CURVATURE, NULL, &full->trace_curvature, &stop));
  if (!stop) PetscCall(PetscMalloc1(full->n, &full->lambda));
  if (!stop) PetscCall(TilesEigenvalues(tiles, full->lambda));
  PetscCall(TilesDestroy(&tiles));
  if (stop) PetscFunctionReturn(PETSC_SUCCESS);
  full->error = (PetscReal)full->n * ROUNDING * PetscMax(PetscAbsReal(full->lambda[0]), PetscAbsReal(full->lambda[full->n - 1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FullHessianArchive(Archive archive, FullHessian *full)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "values", sizeof *full, full));
  if (ArchiveReading(archive)) PetscCall(PetscMalloc1(full->n, &full->lambda));
  PetscCall(ArchiveReals(archive, "lambda", full->n, full->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FullHessianDestroy(FullHessian *full)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(full->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}
