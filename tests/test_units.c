// ranks: 1 2
/*
  test_units.c: our eigenvalues times the factor are those of PyTorch's Hessian of torch.nn.MSELoss (tests/reference/mse.py), at zeros of the
  loss and away from one, l = 1 and 3. Tolerances as in tests/reference/README.md.
*/
#include "codim/full.h"
#include "codim/units.h"
#include "reference.h"

static const Unit *FindUnit(const char name[])
{
  const Unit *unit = Units;

  while (strcmp(unit->name, name)) unit++;
  return unit;
}

static void Agree(PetscInt n, PetscReal factor, const PetscReal x[], const PetscReal expected[], PetscReal tolerance,
                  const char claim[])
{
  const PetscReal size  = Largest(n, expected);
  PetscReal       error = 0;

  for (PetscInt k = 0; k < n; k++) error = PetscMax(error, PetscAbsReal(factor * x[k] - expected[k]));
  Tap((PetscBool)(error <= tolerance * size), "... %s", claim);
}

static PetscErrorCode TestCase(const char name[])
{
  Case        c;
  Problem     problem = {0};
  FullHessian full;
  char        path[160];
  hid_t       file;
  PetscReal  *lambda, *product, *loss, factor, norm;
  Vec         v, Hv;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/expected_mse.h5", c.folder));
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  PetscCheck(file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  PetscCall(ReadArray(file, "/hessian_eigenvalues", c.n, &lambda));
  PetscCall(ReadArray(file, "/hessian_times_direction", c.n, &product));
  PetscCall(ReadArray(file, "/loss", 1, &loss));
  H5Fclose(file);
  PetscCall(CaseProblem(&c, 1, &problem));
  PetscCall(ProblemLinearizeHessian(&problem));
  PetscCall(FullHessianCompute(problem.hessian, &full));
  PetscCall(VecNorm(problem.H, NORM_2, &norm));
  factor = UnitFactor(FindUnit("pytorch_mseloss"), c.d, c.m);
  Tap((PetscBool)(PetscAbsReal(factor * norm * norm - *loss) <= 1e-12 * (*loss + PetscSqr(c.output_size))),
      "%s: the loss times %.4g is MSELoss", name, (double)factor);
  Agree(c.n, factor, full.lambda, lambda, 1e-11, "every eigenvalue of the Hessian is that of MSELoss");
  PetscCall(VecDuplicate(problem.theta, &v));
  PetscCall(VecDuplicate(problem.theta, &Hv));
  PetscCall(SetCanonical(problem.parameters, c.direction, v));
  PetscCall(HessianMult(problem.hessian, HESSIAN_EXACT, v, Hv));
  PetscCall(GetCanonical(problem.parameters, Hv, c.product));
  Agree(c.n, factor, c.product, product, 1e-12, "and so is the Hessian times a direction");
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&Hv));
  PetscCall(PetscFree(lambda));
  PetscCall(PetscFree(product));
  PetscCall(PetscFree(loss));
  PetscCall(FullHessianDestroy(&full));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(TestCase("mlp-tanh-zero"));
  TapCall(TestCase("mlp-softplus-3out-zero"));
  TapCall(TestCase("mlp-softplus-3out"));
  Tap((PetscBool)(UnitFactor(FindUnit("half_sum"), 7, 3) == .5 && UnitFactor(FindUnit("mean_over_points"), 8, 3) == .125),
      "half the sum: 1/2; a mean over points: 1/d");
  return TapEnd();
}
