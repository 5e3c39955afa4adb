// ranks: 1 2 3 4 6
/*
  test_sgd.c: the path of mini-batch SGD against PyTorch's torch.optim.SGD, step by step, on every grid; batches, targets that were not observed,
  and going on after a restart.
*/
#include "codim/sgd.h"
#include "reference.h"
#include <math.h>

enum { STEPS = 25 };

typedef struct {
  PetscReal *theta, *batches;
  SgdOptions options;
} Path;

static double Attribute(hid_t file, const char name[])
{
  const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
  double      value     = NAN;

  H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
  H5Aclose(attribute);
  return value;
}

static PetscErrorCode PathRead(const Case *c, Path *path)
{
  char  name[160];
  hid_t file;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/sgd.h5", c->folder));
  file = H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT);
  PetscCheck(file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", name);
  path->options = (SgdOptions){(PetscInt)Attribute(file, "batch"), Attribute(file, "rate"), Attribute(file, "momentum"),
                               (PetscInt)Attribute(file, "seed")};
  PetscCall(ReadArray(file, "/theta", STEPS * c->n, &path->theta));
  PetscCall(ReadArray(file, "/batches", STEPS * path->options.batch, &path->batches));
  H5Fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool SameBatch(const Path *path, PetscInt step, PetscInt count, const PetscInt points[])
{
  for (PetscInt i = 0; i < path->options.batch; i++)
    if ((i < count ? points[i] : -1) != (PetscInt)path->batches[step * path->options.batch + i]) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* 25 steps: the two programs' roundings are magnified a little by the path */
static PetscErrorCode TestPath(const Case *c, const Path *path, PetscInt G)
{
  Problem         problem;
  Sgd             sgd;
  PetscReal      *theta, worst = 0;
  PetscBool       same = PETSC_TRUE;
  PetscInt        count;
  const PetscInt *points;

  PetscFunctionBeginUser;
  PetscCall(CaseProblem(c, G, &problem));
  PetscCall(SgdCreate(problem.map, &path->options, &sgd));
  PetscCall(PetscMalloc1(c->n, &theta));
  for (PetscInt step = 0; step < STEPS; step++) {
    PetscCall(SgdBatch(sgd, step, &count, &points));
    same = (PetscBool)(same && SameBatch(path, step, count, points));
    PetscCall(SgdStep(sgd, step, problem.theta));
    PetscCall(GetCanonical(problem.parameters, problem.theta, theta));
    worst = PetscMax(worst, LargestDifference(c->n, theta, path->theta + step * c->n));
  }
  Tap(same, "%s on %d x %d: PyTorch was given the same batches", c->name, problem.grid->G, problem.grid->Q);
  Tap((PetscBool)(worst <= 1e-12 * Largest(c->n, path->theta)), "... and its SGD with momentum goes the same way (%.1e)",
      (double)worst);
  PetscCall(PetscFree(theta));
  PetscCall(SgdDestroy(&sgd));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* 10 steps, then 15 by another Sgd that is given the velocity */
static PetscErrorCode TestRestart(const Case *c, const Path *path, PetscInt G)
{
  Problem    problem;
  Sgd        first, second;
  PetscReal *theta, worst;

  PetscFunctionBeginUser;
  PetscCall(CaseProblem(c, G, &problem));
  PetscCall(SgdCreate(problem.map, &path->options, &first));
  PetscCall(SgdCreate(problem.map, &path->options, &second));
  PetscCall(PetscMalloc1(c->n, &theta));
  for (PetscInt step = 0; step < 10; step++) PetscCall(SgdStep(first, step, problem.theta));
  PetscCall(VecCopy(SgdVelocity(first), SgdVelocity(second)));
  for (PetscInt step = 10; step < STEPS; step++) PetscCall(SgdStep(second, step, problem.theta));
  PetscCall(GetCanonical(problem.parameters, problem.theta, theta));
  worst = LargestDifference(c->n, theta, path->theta + (STEPS - 1) * c->n);
  Tap((PetscBool)(worst <= 1e-12 * Largest(c->n, path->theta)), "... also when another goes on from theta and velocity");
  PetscCall(PetscFree(theta));
  PetscCall(SgdDestroy(&second));
  PetscCall(SgdDestroy(&first));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a batch of all points, one target missing: a step is the gradient of L, over the number of targets */
static PetscErrorCode TestUnobserved(PetscInt G)
{
  const NetOptions net     = {.widths = {1, {7}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1, .bias_gain = .5};
  const SgdOptions options = {.batch = 1000, .rate = .5, .momentum = .9, .seed = 1};
  Problem          problem;
  Data             data;
  Sgd              sgd;
  Vec              start, gradient;
  PetscReal        error, norm;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 7, 3, 2, 1, &data));
  if (data->all_y) data->all_y[5] = NAN;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(VecDuplicate(problem.theta, &start));
  PetscCall(VecDuplicate(problem.theta, &gradient));
  PetscCall(VecCopy(problem.theta, start));
  PetscCall(JacobianMultTransposeAdd(problem.jacobian, 2, problem.H, gradient));
  PetscCall(SgdCreate(problem.map, &options, &sgd));
  PetscCall(SgdStep(sgd, 0, problem.theta));
  PetscCall(VecAXPY(start, -options.rate / 13, gradient));
  PetscCall(VecAXPY(start, -1, problem.theta));
  PetscCall(VecNorm(start, NORM_2, &error));
  PetscCall(VecNorm(gradient, NORM_2, &norm));
  Tap((PetscBool)(problem.map->m == 13 && error < 1e-14 * norm),
      "a batch of all points, one target not observed: the whole gradient over 13");
  PetscCall(SgdDestroy(&sgd));
  PetscCall(VecDestroy(&gradient));
  PetscCall(VecDestroy(&start));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const names[] = {"mlp-softplus-3out", "lstm"};
  PetscMPIInt              size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (size_t i = 0; i < 2; i++) {
    Case c;
    Path path;

    TapCall(CaseCreate(names[i], &c));
    TapCall(PathRead(&c, &path));
    for (PetscInt G = 1; G <= size; G++)
      if (size % G == 0) {
        TapCall(TestPath(&c, &path, G));
        TapCall(TestRestart(&c, &path, G));
      }
    TapCall(PetscFree(path.theta));
    TapCall(PetscFree(path.batches));
    TapCall(CaseDestroy(&c));
  }
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestUnobserved(G));
  return TapEnd();
}
