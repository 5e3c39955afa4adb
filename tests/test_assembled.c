// ranks: 1 2 3 4 6
/*
  test_assembled.c: J assembled as a dense Mat against its other forms, factored (MATSHELL) and K, and against PyTorch's J; SLEPc's SVD of it,
  several types. l = 1 and 3, on every grid. Products are sums of some hundred terms: 1e-12 of the largest entry, as PyTorch's.
*/
#include "capture.h"
#include "codim/spectrum.h"
#include "reference.h"

static PetscErrorCode TestProducts(Problem *problem, PetscReal size)
{
  const PetscReal tolerance = 1e-13 * size;
  Mat             Jt, J;
  Vec             u, v, Jv, Jtu, other;
  PetscReal       error, norm, norm2;

  PetscFunctionBeginUser;
  PetscCall(JacobianAssemble(problem->jacobian, &Jt));
  PetscCall(JacobianCreateMat(problem->jacobian, &J));
  PetscCall(MatCreateVecs(Jt, &u, &Jtu));
  PetscCall(VecDuplicate(Jtu, &v));
  PetscCall(VecDuplicate(u, &Jv));
  PetscCall(SetRandomRows(problem, 11, u));
  PetscCall(ParametersSetRandom(problem->parameters, 7, 5, v));
  PetscCall(MatMult(Jt, u, Jtu));
  PetscCall(VecDuplicate(Jtu, &other));
  PetscCall(MatMultTranspose(J, u, other));
  PetscCall(VecAXPY(other, -1, Jtu));
  PetscCall(VecNorm(other, NORM_INFINITY, &error));
  Tap((PetscBool)(error <= tolerance), "... J^T u is the factored form's");
  PetscCall(VecDestroy(&other));
  PetscCall(MatMultTranspose(Jt, v, Jv));
  PetscCall(VecDuplicate(Jv, &other));
  PetscCall(MatMult(J, v, other));
  PetscCall(VecAXPY(other, -1, Jv));
  PetscCall(VecNorm(other, NORM_INFINITY, &error));
  Tap((PetscBool)(error <= tolerance), "... J v is the factored form's");
  PetscCall(MatNorm(Jt, NORM_FROBENIUS, &norm));
  PetscCall(JacobianNormSquared(problem->jacobian, &norm2));
  TapClose(norm * norm, norm2, norm2, 1e-13, "... |J|_F is the factors'");
  PetscCall(VecDestroy(&other));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&Jv));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&Jtu));
  PetscCall(MatDestroy(&J));
  PetscCall(MatDestroy(&Jt));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* columns of the Mat are rows of PyTorch's J */
static PetscErrorCode TestEntries(const Case *c, Problem *problem)
{
  PetscReal *J;
  Mat        Jt;
  Vec        u, y;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(c->m * c->n, &J));
  PetscCall(JacobianAssemble(problem->jacobian, &Jt));
  PetscCall(MatCreateVecs(Jt, &u, &y));
  for (PetscInt r = 0; r < c->m; r++) {
    PetscCall(SetUnit(u, r));
    PetscCall(MatMult(Jt, u, y));
    PetscCall(GetCanonical(problem->parameters, y, J + r * c->n));
  }
  Tap((PetscBool)(LargestDifference(c->m * c->n, J, c->J) <= 1e-12 * c->J_size), "... its entries are PyTorch's J");
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(MatDestroy(&Jt));
  PetscCall(PetscFree(J));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestSpectrum(const Case *c, Problem *problem, const char type[])
{
  const SpectrumOptions options = {.method = SPECTRUM_SVD, .assembled_max = 1e9};
  Spectrum              spectrum;
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-svd_type", type));
  PetscCall(SpectrumPrepare(PETSC_COMM_WORLD, &options));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
  Tap((PetscBool)(LargestDifference(c->m, spectrum.sigma, c->sigma) <= spectrum.resolution &&
                  spectrum.resolution <= 1e-9 * c->sigma[0]),
      "... all %d singular values by SLEPc's %s are PyTorch's", (int)c->m, type);
  Tap((PetscBool)(spectrum.rank == c->m && !strcmp(spectrum.method, "svd") && strstr(spectrum.solver, type)), "... rank %d",
      (int)c->m);
  Tap((PetscBool)(spectrum.check.difference <= spectrum.check.bound), "... and K's to the stated bound");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestTooLarge(Problem *problem)
{
  const SpectrumOptions options  = {.method = SPECTRUM_SVD, .assembled_max = 100};
  Spectrum              spectrum = {0};
  Tiles                 K;
  PetscBool             factored;
  PetscMPIInt           rank;
  PetscErrorCode        ierr;
  Capture               capture;
  char                  text[1024];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum);
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(ierr && ExitStatusOfError(ierr) == STATUS_DATA && (rank || strstr(text, "assembled_max"))),
      "... beyond spectrum.assembled_max it is a user error that says so");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestCase(const char name[], PetscInt G)
{
  static const char *const types[] = {"trlanczos", "cross", "lanczos"};
  Case                     c;
  Problem                  problem = {0};

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, G, &problem));
  Tap((PetscBool)(JacobianAssembledBytes(problem.jacobian) ==
                  8. * (PetscReal)ParametersLocalSize(problem.parameters) * (PetscReal)c.m),
      "%s assembled on %d x %d", name, problem.grid->G, problem.grid->Q);
  PetscCall(TestProducts(&problem, (PetscReal)c.n * c.J_size));
  PetscCall(TestEntries(&c, &problem));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(types); k++) PetscCall(TestSpectrum(&c, &problem, types[k]));
  PetscCall(TestTooLarge(&problem));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-tanh", "mlp-softplus-3out"};
  PetscMPIInt              size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++)
    for (PetscInt G = 1; G <= size; G++)
      if (size % G == 0) TapCall(TestCase(cases[k], G));
  return TapEnd();
}
