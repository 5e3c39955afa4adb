// ranks: 1
/*
  test_maps.c: the certificate's bounds of ops besides linear and activation: a Lipschitz constant of J on a ball against differences of J at pairs
  of points in it, for nets of few numbers, where little is lost: a norm left out of one op is seen.
*/
#include "../src/certify_norms.h"
#include "../src/certify_recursion.h"
#include "problem.h"
#include <string.h>
#include <unistd.h>

enum { TRIALS = 60, PAIRS = 400 };

#define LIST(width, ops)                                                                                                           \
  "{\"inputs\": 1, \"parameters\": [{\"name\": \"a\", \"shape\": [1, 1]}, {\"name\": \"c\", \"shape\": [1, " width                 \
  "]}], \"ops\": ["                                                                                                                \
  "{\"name\": \"z\", \"op\": \"linear\", \"inputs\": [\"input\"], \"parameters\": {\"weight\": \"a\"}}, " ops                      \
  ", {\"name\": \"out\", \"op\": \"linear\", \"inputs\": [\"end\"], \"parameters\": {\"weight\": \"c\"}}]}"
#define OP(name, kind, inputs, attributes)                                                                                         \
  "{\"name\": \"" name "\", \"op\": \"" kind "\", \"inputs\": [" inputs "], \"attributes\": {" attributes "}}"
#define SQUARE(name, input) OP(name, "activation", "\"" input "\"", "\"function\": \"square\"")

/* c . M(square(M' (a x))): what is to be seen of M, M' */
static const struct {
  const char *claim, *list;
} nets[] = {
    {"select, an entry four times", LIST("4", OP("s", "select", "\"z\"", "\"indices\": [0, 0, 0, 0]") ", " SQUARE("end", "s"))},
    {"affine", LIST("1", OP("s", "affine", "\"z\"", "\"scale\": [-3], \"shift\": [2]") ", " SQUARE("end", "s"))},
    {"affine after sigma", LIST("1", SQUARE("s", "z") ", " OP("end", "affine", "\"s\"", "\"scale\": [-3], \"shift\": [2]"))},
    {"add, of a value to itself", LIST("1", OP("s", "add", "\"z\", \"z\"", "") ", " SQUARE("end", "s"))},
    {"add, repeated", LIST("4", OP("s", "select", "\"z\"", "\"indices\": [0, 0, 0, 0]") ", " OP("t", "add", "\"s\", \"z\"",
                                                                                                "") ", " SQUARE("end", "t"))},
    {"concatenate and mean",
     LIST("1", SQUARE("s", "z") ", " OP("t", "concatenate", "\"s\", \"s\", \"s\"", "") ", " OP("end", "mean", "\"t\"",
                                                                                               "\"shape\": [3], \"axes\": [0]"))},
    {"multiply, of two values",
     LIST("1", OP("s", "affine", "\"z\"", "\"scale\": [2], \"shift\": [1]") ", " OP("end", "multiply", "\"s\", \"z\"", ""))},
    {"multiply, of a value by itself", LIST("1", OP("end", "multiply", "\"z\", \"z\"", ""))},
    {"multiply, by a parameter that is a weight, too",
     LIST("1", "{\"name\": \"p\", \"op\": \"parameter\", \"parameters\": {\"value\": \"a\"}}, " OP("end", "multiply",
                                                                                                   "\"z\", \"p\"", ""))},
    {"multiply, repeated",
     LIST("4", OP("s", "select", "\"z\"", "\"indices\": [0, 0, 0, 0]") ", " OP("end", "multiply", "\"s\", \"z\"", ""))},
    {"unfold, with padding",
     LIST("9", OP("s", "unfold", "\"z\"", "\"shape\": [1, 1, 1], \"kernel\": 3, \"padding\": 1") ", " SQUARE("end", "s"))},
};

/* uniform in (-1, 1) */
static PetscReal Draw(void)
{
  static PetscInt64 drawn;
  PetscReal         u;

  RandomUniform(23, 5, drawn++, 1, &u);
  return 2 * u - 1;
}

/* theta := centre + r times a point of the unit ball or of its surface; J of the one residual there */
static PetscErrorCode JacobianWithin(Problem *problem, const PetscReal centre[], PetscReal r, PetscReal theta[], Vec seed, Vec row)
{
  const PetscInt n = problem->map->n;
  PetscReal     *local, norm = 0, away[16];

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < n; k++) {
    away[k] = Draw();
    norm += away[k] * away[k];
  }
  norm = PetscSqrtReal(norm);
  for (PetscInt k = 0; k < n; k++) theta[k] = centre[k] + (Draw() > 0 || norm > 1 ? r / norm : r) * away[k];
  PetscCall(VecGetArray(problem->theta, &local));
  PetscCall(PetscArraycpy(local, theta, n));
  PetscCall(VecRestoreArray(problem->theta, &local));
  PetscCall(ProblemLinearize(problem));
  PetscCall(VecSet(row, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, seed, row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max |J(theta) - J(theta')| / |theta - theta'| over pairs in the ball */
static PetscErrorCode Slope(Problem *problem, const PetscReal centre[], PetscReal r, PetscReal *slope)
{
  PetscReal theta[2][16], distance, difference;
  Vec       seed, row[2];

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->H, &seed));
  PetscCall(VecSet(seed, 1));
  PetscCall(VecDuplicate(problem->theta, &row[0]));
  PetscCall(VecDuplicate(problem->theta, &row[1]));
  *slope = 0;
  for (PetscInt pair = 0; pair < PAIRS; pair++) {
    for (PetscInt i = 0; i < 2; i++) PetscCall(JacobianWithin(problem, centre, r, theta[i], seed, row[i]));
    distance = 0;
    for (PetscInt k = 0; k < problem->map->n; k++) distance += PetscSqr(theta[0][k] - theta[1][k]);
    PetscCall(VecAXPY(row[0], -1, row[1]));
    PetscCall(VecNorm(row[0], NORM_2, &difference));
    *slope = PetscMax(*slope, difference / PetscSqrtReal(distance));
  }
  PetscCall(VecDestroy(&row[0]));
  PetscCall(VecDestroy(&row[1]));
  PetscCall(VecDestroy(&seed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Lipschitz(Problem *problem, PetscReal r, PetscReal *Lambda)
{
  Recursion   recursion = {.map = problem->map};
  LabelNorm   norms[2];
  PetscReal **eps;
  PetscBool   same;
  Adjoint     units;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(problem->network->nops, &eps));
  PetscCall(AdjointCreate(problem->map, ADJOINT_RESIDUALS, ADJOINT_FIXED_TOO, &units));
  PetscCall(ResidualMapAdjoint(problem->map, problem->theta, problem->trajectory, NULL, units));
  PetscCall(MeasuresCreate(problem->map, problem->trajectory, units, eps, &same, &recursion.measures));
  PetscCall(BoundLabelNorms(problem->map, problem->theta, PETSC_TRUE, norms));
  recursion.labels = norms;
  PetscCall(BoundLipschitz(&recursion, r, Lambda, NULL));
  PetscCall(MeasuresDestroy(&recursion.measures));
  PetscCall(AdjointDestroy(&units));
  PetscCall(PetscFree(eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNet(const char claim[], const char list[])
{
  NetOptions net = {.arch = 5, .activation = "tanh", .seed = 1, .gain = 1};
  PetscReal  Lambda, slope = 0, least = INFINITY, centre[16];
  Problem    problem;
  Data       data;
  FILE      *file;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(net.file, sizeof net.file, "/tmp/codim-test-maps-%d.json", (int)getpid()));
  file = fopen(net.file, "w");
  PetscCheck(file && fputs(list, file) >= 0 && !fclose(file), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", net.file);
  PetscCall(DataRandom(PETSC_COMM_SELF, 1, 1, 1, 4, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &problem));
  for (int trial = 0; trial < TRIALS; trial++) {
    const PetscReal r = PetscPowReal(10, Draw());

    for (PetscInt k = 0; k < problem.map->n; k++) centre[k] = 3 * Draw();
    problem.data->x[0] = 2 * Draw();
    /* the measures are of the centre */
    PetscCall(SetCanonical(problem.parameters, centre, problem.theta));
    PetscCall(ProblemLinearize(&problem));
    PetscCall(Lipschitz(&problem, r, &Lambda));
    PetscCall(Slope(&problem, centre, r, &slope));
    least = PetscMin(least, Lambda / slope);
  }
  printf("# %s: Lambda / slope >= %.4g\n", claim, (double)least);
  Tap((PetscBool)(least >= 1), "%s: Lambda bounds the slopes of J", claim);
  Tap((PetscBool)(least <= 3), "... by less than a factor of 3");
  PetscCall(ProblemDestroy(&problem));
  (void)unlink(net.file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(nets); k++) TapCall(TestNet(nets[k].claim, nets[k].list));
  return TapEnd();
}
