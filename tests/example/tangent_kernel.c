/*
  tangent_kernel.c: the tangent kernel K = J J^T of a small net at random weights, by the installed library.

    mpicc tangent_kernel.c -o tangent_kernel $(pkg-config --cflags --libs codim)
    mpiexec -n 2 ./tangent_kernel -data_file points.csv -net_widths 5,4

  Prints m, n, |H|^2, the trace of K and its smallest eigenvalue: positive where J has rank m, so that the loss can be brought to
  zero along the normal directions. The trace is |J|_F^2, computed another way: they must agree.
*/
#include <codim/gram.h>
#include <slepc.h>

/* |H|^2, and the eigenvalues of K, ascending, at a random theta; m entries at lambda */
static PetscErrorCode Evaluate(ResidualMap map, const NetOptions *options, PetscReal *loss, PetscReal *jacobian2,
                               PetscReal lambda[])
{
  Trajectory trajectory;
  Jacobian   jacobian;
  Tiles      K;
  Vec        theta, H;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(map->parameters, &theta));
  PetscCall(RowsCreateVec(map->rows, &H));
  PetscCall(TrajectoryCreate(map, &trajectory));
  PetscCall(JacobianCreate(map, &jacobian));
  PetscCall(TilesCreate(map->grid->world, map->m, &K));

  PetscCall(NetworkSetInitial(map->network, options, map->parameters, theta));
  PetscCall(ResidualMapApply(map, theta, trajectory, H));
  PetscCall(VecNorm(H, NORM_2, loss));
  *loss *= *loss;
  PetscCall(JacobianLinearize(jacobian, theta, trajectory));
  PetscCall(JacobianNormSquared(jacobian, jacobian2));
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesEigenvalues(K, lambda));

  PetscCall(TilesDestroy(&K));
  PetscCall(JacobianDestroy(&jacobian));
  PetscCall(TrajectoryDestroy(&trajectory));
  PetscCall(VecDestroy(&H));
  PetscCall(VecDestroy(&theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(void)
{
  DataOptions data_options;
  NetOptions  net_options;
  Data        data;
  Network     network;
  Grid        grid;
  Parameters  parameters;
  ResidualMap map;
  PetscMPIInt size;
  PetscReal   loss, jacobian2, trace = 0, *lambda;

  PetscFunctionBeginUser;
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "data", DataKeys, &data_options));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "net", NetKeys, &net_options));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(GridCreate(PETSC_COMM_WORLD, size, 1, &grid));
  PetscCall(DataCreate(PETSC_COMM_WORLD, &data_options, &data));
  PetscCall(DataScatter(data, grid));
  PetscCall(NetworkCreate(PETSC_COMM_WORLD, &net_options, data->inputs, data->outputs, &network));
  PetscCall(ParametersCreate(grid, network->nlabels, network->labels, &parameters));
  PetscCall(ResidualMapCreate(grid, network, parameters, data, &map));

  PetscCall(PetscMalloc1(map->m, &lambda));
  PetscCall(Evaluate(map, &net_options, &loss, &jacobian2, lambda));
  for (PetscInt k = 0; k < map->m; k++) trace += lambda[k];
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "m %" PetscInt_FMT " n %" PetscInt_FMT " loss %.12g trace %.12g smallest %.6g\n", map->m,
                        map->n, (double)loss, (double)trace, (double)lambda[0]));
  PetscCheck(PetscAbsReal(trace - jacobian2) <= 1e-12 * jacobian2, PETSC_COMM_WORLD, PETSC_ERR_PLIB, "tr K = %g, |J|^2 = %g",
             (double)trace, (double)jacobian2);

  PetscCall(PetscFree(lambda));
  PetscCall(ResidualMapDestroy(&map));
  PetscCall(ParametersDestroy(&parameters));
  PetscCall(NetworkDestroy(&network));
  PetscCall(DataDestroy(&data));
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  ExitStatus status;

  if (SlepcInitialize(&argc, &argv, NULL, NULL) || BaseInitialize()) return STATUS_BUG;
  status = ExitStatusOfError(Run());
  return SlepcFinalize() ? STATUS_BUG : (int)status;
}
