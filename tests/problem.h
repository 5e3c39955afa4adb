/*
  problem.h: nets on points, with all that hangs on them, for the tests of the numerical core; and Vecs in the canonical order.

  Everything is collective on the communicator of the problem, which may be PETSC_COMM_SELF: the same problem on one rank.
*/
#pragma once

#include "codim/hessian.h"
#include "codim/jacobian.h"
#include "codim/random.h"
#include "codim/train.h"
#include "tap.h"
#include <stdlib.h>

typedef struct {
  Grid        grid;
  Data        data;
  Network     network;
  Parameters  parameters;
  ResidualMap map;
  Vec         theta, H;
  Trajectory  trajectory;
  Jacobian    jacobian;
  Hessian     hessian; /* NULL until ProblemLinearizeHessian */
} Problem;

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

/* max |x_k|, NaN if one is */
static inline PetscReal Largest(PetscInt n, const PetscReal x[])
{
  PetscReal largest = 0;

  for (PetscInt k = 0; k < n; k++) largest = PetscAbsReal(x[k]) <= largest ? largest : PetscAbsReal(x[k]);
  return largest;
}

/* max |x_k - y_k|, NaN if one is */
static inline PetscReal LargestDifference(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal largest = 0;

  for (PetscInt k = 0; k < n; k++) largest = PetscAbsReal(x[k] - y[k]) <= largest ? largest : PetscAbsReal(x[k] - y[k]);
  return largest;
}

/* ---- points ------------------------------------------------------------------------------------------------------ */

/* d standard normal points of p inputs and l outputs; all_x and all_y, on rank 0, may still be changed */
static inline PetscErrorCode DataRandom(MPI_Comm comm, PetscInt d, PetscInt p, PetscInt l, PetscInt64 seed, Data *data)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(data));
  (*data)->comm    = comm;
  (*data)->points  = d;
  (*data)->inputs  = p;
  (*data)->outputs = l;
  if (rank) PetscFunctionReturn(PETSC_SUCCESS);
  (*data)->all_x = malloc((size_t)(d * p) * sizeof(PetscReal)); /* DataDestroy frees them */
  (*data)->all_y = malloc((size_t)(d * l) * sizeof(PetscReal));
  RandomNormal(seed, 1, 0, d * p, (*data)->all_x);
  RandomNormal(seed, 2, 0, d * l, (*data)->all_y);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- a problem --------------------------------------------------------------------------------------------------- */

/* H and J at theta */
static inline PetscErrorCode ProblemLinearize(Problem *problem)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(problem->map, problem->theta, problem->trajectory, problem->H));
  PetscCall(JacobianLinearize(problem->jacobian, problem->theta, problem->trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the Hessian too; from now on theta stays */
static inline PetscErrorCode ProblemLinearizeHessian(Problem *problem)
{
  PetscFunctionBeginUser;
  PetscCall(HessianCreate(problem->map, &problem->hessian));
  PetscCall(HessianLinearize(problem->hessian, problem->theta, problem->trajectory, problem->H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The net on the data, which the problem then owns, on G x size/G ranks; linearized at the initial theta. */
static inline PetscErrorCode ProblemCreate(MPI_Comm comm, PetscInt G, Data data, const NetOptions *net, Problem *problem)
{
  PetscInt       nlabels;
  PetscMPIInt    size;
  const Network *network = &problem->network;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(GridCreate(comm, G, size / G, &problem->grid));
  problem->hessian = NULL;
  problem->data    = data;
  PetscCall(DataScatter(data, problem->grid));
  PetscCall(NetworkCreate(comm, net, data->inputs, data->outputs, &problem->network));
  nlabels = (*network)->nlabels;
  PetscCall(ParametersCreate(problem->grid, nlabels, (*network)->labels, &problem->parameters));
  PetscCall(ResidualMapCreate(problem->grid, *network, problem->parameters, data, &problem->map));
  PetscCall(ParametersCreateVec(problem->parameters, &problem->theta));
  PetscCall(RowsCreateVec(problem->map->rows, &problem->H));
  PetscCall(TrajectoryCreate(problem->map, &problem->trajectory));
  PetscCall(JacobianCreate(problem->map, &problem->jacobian));
  PetscCall(NetworkSetInitial(*network, net, problem->parameters, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode ProblemDestroy(Problem *problem)
{
  PetscFunctionBeginUser;
  PetscCall(HessianDestroy(&problem->hessian));
  PetscCall(JacobianDestroy(&problem->jacobian));
  PetscCall(TrajectoryDestroy(&problem->trajectory));
  PetscCall(VecDestroy(&problem->H));
  PetscCall(VecDestroy(&problem->theta));
  PetscCall(ResidualMapDestroy(&problem->map));
  PetscCall(ParametersDestroy(&problem->parameters));
  PetscCall(NetworkDestroy(&problem->network));
  PetscCall(DataDestroy(&problem->data));
  PetscCall(GridDestroy(&problem->grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- n-sized Vecs ------------------------------------------------------------------------------------------------ */

/* v = the n entries of `all`, which are in the canonical order and on every rank */
static inline PetscErrorCode SetCanonical(Parameters parameters, const PetscReal all[], Vec v)
{
  PetscInt            nruns;
  const ParameterRun *runs;
  PetscReal          *local;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArrayWrite(v, &local));
  for (PetscInt i = 0; i < nruns; i++) PetscCall(PetscArraycpy(local + runs[i].local, all + runs[i].canonical, runs[i].count));
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the n entries of v in the canonical order, on every rank */
static inline PetscErrorCode GetCanonical(Parameters parameters, Vec v, PetscReal all[])
{
  const PetscInt      n = ParametersSize(parameters);
  PetscInt            nruns;
  const ParameterRun *runs;
  const PetscReal    *local;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(PetscArrayzero(all, n));
  PetscCall(VecGetArrayRead(v, &local));
  for (PetscInt i = 0; i < nruns; i++) PetscCall(PetscArraycpy(all + runs[i].canonical, local + runs[i].local, runs[i].count));
  PetscCall(VecRestoreArrayRead(v, &local));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, all, (PetscMPIInt)n, MPIU_REAL, MPI_SUM, ParametersGrid(parameters)->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- m-sized Vecs ------------------------------------------------------------------------------------------------ */

/* v = standard normals, the same on every grid */
static inline PetscErrorCode SetRandomRows(Problem *problem, PetscInt64 seed, Vec v)
{
  const Range owned = problem->map->rows->owned;
  PetscReal  *local;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(v, &local));
  RandomNormal(seed, 3, owned.first, owned.last - owned.first, local);
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v = unit vector k */
static inline PetscErrorCode SetUnit(Vec v, PetscInt k)
{
  PetscFunctionBeginUser;
  PetscCall(VecSet(v, 0));
  PetscCall(VecSetValue(v, k, 1, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(v));
  PetscCall(VecAssemblyEnd(v));
  PetscFunctionReturn(PETSC_SUCCESS);
}
