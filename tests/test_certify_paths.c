// ranks: 1
/*
  The bounds by derivatives between values (certify_paths.h), on a net in which they are attained: f = c . L(L(L(x))), L(z) = w z + b at each of 4
  places, one w and one b for all places and all three uses, every number positive, the places of a point alike.
*/
#include "../src/builders/builders.h"
#include "../src/certify_norms.h"
#include "../src/certify_paths.h"
#include "problem.h"
#include <math.h>
#include <unistd.h>

enum { TRIALS = 100, POINTS = 3, PLACES = 4, LABELS = 3, N = 2 + PLACES, VALUES = 5 };

static PetscInt64 drawn;

/* of very different sizes */
static PetscReal Draw(void)
{
  PetscReal x;

  RandomNormal(53, 7, drawn++, 1, &x);
  return PetscExpReal(x);
}

static PetscErrorCode SharedNet(Problem *problem)
{
  const PetscInt one[2] = {1, 1}, head[2] = {1, PLACES};
  NetOptions     net  = {.arch = 5, .activation = "identity", .seed = 1, .gain = 1, .bias_gain = 1};
  json_t        *list = NetFileCreate(PLACES);
  Data           data;

  PetscFunctionBeginUser;
  NetFileAddLinear(list, "one", "input", 2, one, PETSC_TRUE);
  NetFileAdd(list, "two", "linear", json_pack("[s]", "one"), json_pack("{s:s, s:s}", "weight", "one.weight", "bias", "one.bias"),
             NULL);
  NetFileAdd(list, "three", "linear", json_pack("[s]", "two"), json_pack("{s:s, s:s}", "weight", "one.weight", "bias", "one.bias"),
             NULL);
  NetFileAddLinear(list, "head", "three", 2, head, PETSC_FALSE);
  (void)PetscSNPrintf(net.file, sizeof net.file, "/tmp/codim-test-paths-%d.json", (int)getpid());
  PetscCheck(!json_dump_file(list, net.file, 0), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", net.file);
  json_decref(list);
  PetscCall(DataRandom(PETSC_COMM_SELF, POINTS, PLACES, 1, 1, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, problem));
  (void)unlink(net.file);
  PetscCheck(problem->map->n == N && problem->network->nops == VALUES, PETSC_COMM_SELF, PETSC_ERR_PLIB, "another net");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* w, b, c, and each point's x; some are 0 */
static PetscErrorCode DrawNet(Problem *problem, PetscBool zeros)
{
  PetscReal theta[N], c = Draw();

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < N; k++) theta[k] = k < 2 ? (zeros && Draw() > 1 ? 0 : Draw()) : c;
  for (PetscInt i = 0; i < POINTS; i++) {
    const PetscReal x = Draw();

    for (PetscInt place = 0; place < PLACES; place++) problem->data->x[i * PLACES + place] = x;
  }
  PetscCall(SetCanonical(problem->parameters, theta, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Bound(Problem *problem, PetscBool by_paths, PetscReal r, PetscReal E[], PetscReal t[])
{
  LabelNorm  labels[LABELS];
  PetscReal *paths     = NULL;
  Recursion  recursion = {.map = problem->map, .labels = labels};
  PetscBool  same;

  PetscFunctionBeginUser;
  PetscCall(BoundLabelNorms(problem->map, problem->theta, PETSC_TRUE, labels));
  PetscCall(MeasuresCreate(problem->map, problem->trajectory, problem->jacobian->units, NULL, &same, &recursion.measures));
  if (by_paths) PetscCall(PathsCreate(problem->map, problem->theta, problem->trajectory, &same, &paths));
  recursion.paths = paths;
  PetscCall(BoundValues(&recursion, r, E, t));
  PetscCall(PetscFree(paths));
  PetscCall(MeasuresDestroy(&recursion.measures));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |d f_i/d theta_mu| at theta, into norms[i LABELS + mu] */
static PetscErrorCode DerivativeNorms(Problem *problem, PetscReal norms[])
{
  Vec       row, unit;
  PetscReal g[N];

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, &row));
  PetscCall(VecDuplicate(problem->H, &unit));
  for (PetscInt i = 0; i < POINTS; i++) {
    PetscReal c = 0;

    PetscCall(VecSet(unit, 0));
    PetscCall(VecSetValue(unit, i, 1, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(unit));
    PetscCall(VecAssemblyEnd(unit));
    PetscCall(VecSet(row, 0));
    PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, unit, row));
    PetscCall(GetCanonical(problem->parameters, row, g));
    for (PetscInt k = 2; k < N; k++) c += g[k] * g[k];
    norms[i * LABELS]     = PetscAbsReal(g[0]);
    norms[i * LABELS + 1] = PetscAbsReal(g[1]);
    norms[i * LABELS + 2] = PetscSqrtReal(c);
  }
  PetscCall(VecDestroy(&unit));
  PetscCall(VecDestroy(&row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all values, of all points */
static void CopyValues(const Problem *problem, PetscReal values[VALUES][POINTS * PLACES])
{
  for (PetscInt v = 0; v < VALUES; v++)
    for (PetscInt k = 0; k < POINTS * problem->network->ops[v].dim; k++) values[v][k] = problem->trajectory->value[v][k];
}

static PetscReal Moved(const Problem *problem, PetscInt v, PetscInt i, PetscReal from[VALUES][POINTS * PLACES])
{
  const PetscInt   dim = problem->network->ops[v].dim;
  const PetscReal *a   = problem->trajectory->value[v] + i * dim;
  PetscReal        sum = 0;

  for (PetscInt j = 0; j < dim; j++) sum += (a[j] - from[v][i * dim + j]) * (a[j] - from[v][i * dim + j]);
  return PetscSqrtReal(sum);
}

/* at both ends of each of the ball's axes: the least t/|d f/d theta_mu|, the least E/|a(theta) - a(theta_0)| */
static PetscErrorCode Ends(Problem *problem, PetscReal r, const PetscReal E[], const PetscReal t[], PetscReal *least_t,
                           PetscReal *least_E)
{
  PetscReal from[VALUES][POINTS * PLACES], centre[N], theta[N], norms[POINTS * LABELS];

  PetscFunctionBeginUser;
  CopyValues(problem, from);
  PetscCall(GetCanonical(problem->parameters, problem->theta, centre));
  for (PetscInt end = 0; end < 2 * N; end++) {
    PetscCall(PetscArraycpy(theta, centre, N));
    theta[end / 2] += end % 2 ? -r : r;
    PetscCall(SetCanonical(problem->parameters, theta, problem->theta));
    PetscCall(ProblemLinearize(problem));
    PetscCall(DerivativeNorms(problem, norms));
    for (PetscInt k = 0; k < POINTS * LABELS; k++)
      if (norms[k] > 0) *least_t = PetscMin(*least_t, t[k] / norms[k]);
    for (PetscInt v = 1; v < VALUES; v++)
      for (PetscInt i = 0; i < POINTS; i++) {
        const PetscReal moved = Moved(problem, v, i, from);

        if (moved > 0) *least_E = PetscMin(*least_E, E[v * POINTS + i] / moved);
      }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the largest t/|d f/d theta_mu| at theta */
static PetscErrorCode Attained(Problem *problem, const PetscReal t[], PetscReal *most)
{
  PetscReal norms[POINTS * LABELS];

  PetscFunctionBeginUser;
  PetscCall(DerivativeNorms(problem, norms));
  for (PetscInt k = 0; k < POINTS * LABELS; k++) *most = PetscMax(*most, t[k] / norms[k]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestBounds(Problem *problem, PetscBool by_paths)
{
  const char *how     = by_paths ? "by paths" : "by products of norms";
  PetscReal   least_t = INFINITY, least_E = INFINITY, most = 0, E[VALUES * POINTS], t[POINTS * LABELS];

  PetscFunctionBeginUser;
  for (PetscInt trial = 0; trial < TRIALS; trial++) {
    const PetscReal r = Draw();

    PetscCall(DrawNet(problem, PETSC_FALSE));
    PetscCall(Bound(problem, by_paths, 0, E, t));
    PetscCall(Attained(problem, t, &most));
    PetscCall(DrawNet(problem, PETSC_TRUE));
    PetscCall(Bound(problem, by_paths, r, E, t));
    PetscCall(Ends(problem, r, E, t, &least_t, &least_E));
  }
  printf("# %s: t/true >= %.12g, at most %.12g in a point; E/true >= %.12g\n", how, (double)least_t, (double)most, (double)least_E);
  Tap((PetscBool)(least_t >= 1 - 1e-9), "%s: t bounds the derivative by each label in large balls", how);
  Tap((PetscBool)(most <= 1 + 1e-9), "... and is the derivative where the ball is a point");
  Tap((PetscBool)(least_E >= 1 - 1e-9), "... E bounds what each value moves by");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  Problem problem;

  TapBegin(&argc, &argv);
  TapCall(SharedNet(&problem));
  TapCall(TestBounds(&problem, PETSC_FALSE));
  TapCall(TestBounds(&problem, PETSC_TRUE));
  TapCall(ProblemDestroy(&problem));
  return TapEnd();
}
