/*
  spectrum_svd.c: sigma from SLEPc's SVD of the assembled J, any -svd_type.

  All m triplets are asked for, and the residual of each is computed: sqrt(|J v - sigma u|^2 + |J^T u - sigma v|^2). The largest of them
  stands in the resolution, so that a type that squares the condition (cross) is charged for it. Other options: -svd_ncv, -svd_tol, …, and
  -bv_type.
*/
#include "spectrum_method.h"
#include <slepcsvd.h>

/* the solver with our defaults, and what the user chose */
static PetscErrorCode SolverCreate(MPI_Comm comm, SVD *svd)
{
  PetscFunctionBeginUser;
  PetscCall(SVDCreate(comm, svd));
  PetscCall(SVDSetType(*svd, SVDTRLANCZOS));
  PetscCall(SVDSetWhichSingularTriplets(*svd, SVD_LARGEST));
  PetscCall(SVDSetImplicitTranspose(*svd, PETSC_TRUE)); /* no second copy of J */
  PetscCall(SVDSetFromOptions(*svd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Prepare(MPI_Comm comm)
{
  SVD svd;

  PetscFunctionBeginUser;
  PetscCall(SolverCreate(comm, &svd));
  PetscCall(SVDDestroy(&svd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* J, and as many left vectors; the flops are those of an orthogonalization, what SLEPc needs more depends on the type */
static void SVDCost(const Sizes *s, Cost *cost, Cost *stretch)
{
  Cost svd = {.work[WORK_PRODUCT] = 4 * s->local * s->m * s->m, .bytes = 2 * 8 * s->local * s->m};

  CostReduceAll(&svd, s->P, 8 * s->m, 3 * s->m);
  JacobianRoundingCost(s, &svd);
  CostAdd(cost, &svd, 1);
  CostLonger(stretch, &svd);
}

static PetscErrorCode CheckAssembled(Jacobian jacobian, const SpectrumOptions *options)
{
  PetscReal largest = JacobianAssembledBytes(jacobian);

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPIU_REAL, MPI_MAX, jacobian->map->grid->world));
  PetscCall(
      UserCheck(jacobian->map->grid->world, (PetscBool)(largest <= options->assembled_max), STATUS_DATA,
                "the assembled Jacobian needs %.3g bytes a rank and spectrum.assembled_max is %.3g: raise it, use more ranks, or "
                "take spectrum.method: qr, which assembles nothing",
                (double)largest, (double)options->assembled_max));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the m singular values and their largest residual */
static PetscErrorCode Collect(SVD svd, Spectrum *s, PetscReal *residual)
{
  SVDType  type;
  PetscInt found;

  PetscFunctionBeginUser;
  PetscCall(SVDGetType(svd, &type));
  PetscCall(SVDGetConverged(svd, &found));
  PetscCall(UserCheck(PetscObjectComm((PetscObject)svd), (PetscBool)(found >= s->m), STATUS_UNDECIDED,
                      "SLEPc's %s found %" PetscInt_FMT " of the %" PetscInt_FMT
                      " singular values: raise -svd_max_it, choose another -svd_type, or spectrum.method: qr",
                      type, found, s->m));
  PetscCall(PetscSNPrintf(s->solver, sizeof(s->solver), "SLEPc %s", type));
  *residual = 0;
  for (PetscInt k = 0; k < s->m; k++) {
    PetscReal error;

    PetscCall(SVDGetSingularTriplet(svd, k, &s->sigma[k], NULL, NULL));
    PetscCall(SVDComputeError(svd, k, SVD_ERROR_ABSOLUTE, &error));
    *residual = PetscMax(*residual, error);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compute(Jacobian jacobian, const SpectrumOptions *options, Spectrum *s, PetscBool *done)
{
  const ResidualMap map      = jacobian->map;
  PetscReal         residual = 0;
  Mat               Jt;
  SVD               svd;

  PetscFunctionBeginUser;
  PetscCall(CheckAssembled(jacobian, options));
  s->method = "svd";
  PetscCall(JacobianAssemble(jacobian, &Jt));
  PetscCall(SolverCreate(map->grid->world, &svd));
  PetscCall(SVDSetOperators(svd, Jt, NULL));
  PetscCall(SVDSetDimensions(svd, s->m, s->m, PETSC_DEFAULT));
  PetscCall(SVDSolve(svd));
  PetscCall(Collect(svd, s, &residual));
  PetscCall(SVDDestroy(&svd));
  PetscCall(MatDestroy(&Jt));
  PetscCall(ResolutionOfJ(jacobian, s->sigma[0], &s->resolution));
  s->resolution += residual;
  *done = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

const SpectrumMethod SpectrumSVD = {Prepare, SVDCost, Compute};
