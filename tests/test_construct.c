// ranks: 1 2 3 4 6
/*
  test_construct.c: Lemma 3.3 and Corollary 3.4 in closed form, on every grid; what the proof says about the units; every refusal.
*/
#include "../src/direction.h"
#include "capture.h"
#include "codim/construct.h"
#include "codim/gram.h"
#include "problem.h"
#include <math.h>

enum { ARCH_MLP = 0, ARCH_CNN = 1, ARCH_GRAPH = 4, ARCH_TIED = 6, D = 13, P = 5 };

typedef struct {
  PetscInt    arch;
  OptionInts  widths; /* the last may be more than D */
  PetscInt    l;
  const char *activation;
} Net;

static const Net nets[] = {{ARCH_TIED, {1, {13}}, 1, "smoolu"},        {ARCH_TIED, {1, {16}}, 3, "rtanh"},
                           {ARCH_TIED, {1, {13}}, 1, "relu"},          {ARCH_MLP, {1, {13}}, 1, "rsigmoid"},
                           {ARCH_MLP, {1, {15}}, 2, "srelu"},          {ARCH_MLP, {1, {13}}, 2, "relu"},
                           {ARCH_MLP, {2, {4, 13}}, 3, "smoolu"},      {ARCH_MLP, {2, {1, 17}}, 1, "rtanh"},
                           {ARCH_MLP, {3, {3, 2, 13}}, 1, "smoolu"},   {ARCH_MLP, {3, {3, 2, 14}}, 2, "relu"},
                           {ARCH_MLP, {3, {6, 3, 13}}, 1, "rsigmoid"}, {ARCH_MLP, {4, {2, 2, 2, 13}}, 2, "srelu"}};

static PetscErrorCode NetOf(const Net *net, NetOptions *options)
{
  const NetOptions made =
      {.arch = net->arch, .widths = net->widths, .bias = PETSC_TRUE, .seed = 1, .gain = 1, .bias_gain = 1, .kernel = 1, .pool = 1};

  PetscFunctionBeginUser;
  *options = made;
  PetscCall(PetscStrncpy(options->activation, net->activation, sizeof options->activation));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode NetProblem(MPI_Comm comm, const Net *net, PetscInt G, Problem *problem)
{
  NetOptions options;
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(NetOf(net, &options));
  PetscCall(DataRandom(comm, D, P, net->l, 3, &data));
  PetscCall(ProblemCreate(comm, G, data, &options, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(Problem *problem, PetscBool printed, ConstructResult *result)
{
  Construct      construct;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(ConstructCreate(problem->map, problem->data, 1, printed, &construct));
  ierr = ConstructSolve(construct, problem->theta, problem->trajectory, problem->H, problem->jacobian, result);
  PetscCall(ConstructDestroy(&construct));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal SquareOfTargets(Problem *problem)
{
  PetscReal sum = 0;

  for (PetscInt k = 0; problem->data->all_y && k < D * problem->data->outputs; k++)
    if (!isnan(problem->data->all_y[k])) sum += PetscSqr(problem->data->all_y[k]);
  MPI_Bcast(&sum, 1, MPIU_REAL, 0, problem->grid->world);
  return sum;
}

/* ---- a zero ----------------------------------------------------------------------------------------------------------------- */

/* Sorted by the projection, point k makes the first k + 1 units of the last hidden layer positive, and no other: the triangle, seen by the net. A
   unit whose knot is the point itself may round to either side of 0; a smooth sigma is flat there. */
static PetscBool IsTriangular(Problem *problem)
{
  const Network    net  = problem->network;
  const PetscInt   last = net->ops[net->nops - 1].inputs[0], h = net->ops[last].dim;
  const PetscReal *unit       = problem->trajectory->value[last];
  const Range      points     = GridGroupPoints(problem->grid, D);
  int              counted[D] = {0};
  PetscBool        ok         = PETSC_TRUE;

  for (PetscInt i = 0; i < points.last - points.first; i++) {
    PetscInt live = 0;

    while (live < h && unit[i * h + live] > 0) live++;
    for (PetscInt j = live; j < h; j++) ok = (PetscBool)(ok && unit[i * h + j] == 0);
    ok = (PetscBool)(ok && live >= 1 && live <= D);
    if (ok && problem->grid->q == 0) counted[live - 1]++;
  }
  MPI_Allreduce(MPI_IN_PLACE, counted, D, MPI_INT, MPI_SUM, problem->grid->world);
  for (PetscInt k = 0; k < D; k++) ok = (PetscBool)(ok && counted[k] == 1);
  return ok;
}

/* sigma_min(J)/sigma_max(J) from K's eigenvalues: K resolves it to about 1e-7 */
static PetscErrorCode Conditioning(Problem *problem, PetscReal *ratio)
{
  const PetscInt m = problem->map->m;
  PetscReal     *lambda;
  Tiles          K;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(m, &lambda));
  PetscCall(TilesCreate(problem->grid->world, m, &K));
  PetscCall(GramCompute(problem->jacobian, K));
  PetscCall(TilesEigenvalues(K, lambda));
  *ratio = PetscSqrtReal(PetscMax(0, lambda[0]) / lambda[m - 1]);
  PetscCall(TilesDestroy(&K));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestZero(const Net *net, PetscInt G)
{
  Problem         problem;
  ConstructResult result;
  PetscReal       loss, ratio;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_WORLD, net, G, &problem));
  PetscCall(Solve(&problem, PETSC_FALSE, &result));
  PetscCall(ResidualMapApply(problem.map, problem.theta, problem.trajectory, problem.H));
  PetscCall(VecDot(problem.H, problem.H, &loss));
  Tap((PetscBool)(loss == result.loss && loss <= 1e-18 * SquareOfTargets(&problem)),
      "%s, %d hidden, l = %d on %d x %d: |H|^2 = %.1e of %.1e", net->activation, (int)net->widths.n, (int)net->l, problem.grid->G,
      problem.grid->Q, (double)loss, (double)SquareOfTargets(&problem));
  /* the floor counts one error an op, of independent signs: a factor of a thousand on its square is 30 on |H| */
  Tap((PetscBool)(loss <= 1000 * PetscMax(result.floor, 1e-32 * D * D)), "... at its rounding floor, %.1e", (double)result.floor);
  Tap(IsTriangular(&problem), "... the sorted points switch the units on one by one");
  PetscCall(Conditioning(&problem, &ratio));
  Tap((PetscBool)(ratio > 1e-6), "... rank J = m: sigma_min/sigma_max = %.1e", (double)ratio);
  Tap((PetscBool)(result.gap > 0 && result.gap <= result.range / (D - 1) * (1 + 1e-12) && result.arriving > 0 &&
                  result.diagonal > 0 && result.nearest[0] < result.nearest[1] && result.nearest[1] < D),
      "... points %d and %d are nearest: %.1e of the range", (int)result.nearest[0], (int)result.nearest[1],
      (double)(result.gap / result.range));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all but V are the same doubles on every grid; V as its condition allows */
static PetscErrorCode TestSameWeights(const Net *net, PetscInt G)
{
  Problem         problem, alone;
  ConstructResult result, result_alone;
  PetscReal      *theta, *theta_alone, scale = 0;
  PetscInt        n, before;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_WORLD, net, G, &problem));
  PetscCall(NetProblem(PETSC_COMM_SELF, net, 1, &alone));
  PetscCall(Solve(&problem, PETSC_FALSE, &result));
  PetscCall(Solve(&alone, PETSC_FALSE, &result_alone));
  n = problem.map->n;
  PetscCall(PetscMalloc2(n, &theta, n, &theta_alone));
  PetscCall(GetCanonical(problem.parameters, problem.theta, theta));
  PetscCall(GetCanonical(alone.parameters, alone.theta, theta_alone));
  before = n - problem.network->labels[problem.network->nlabels - (net->arch == ARCH_TIED ? 1 : 2)].cols * net->l -
           (net->arch == ARCH_TIED ? 0 : net->l);
  for (PetscInt k = before; k < n; k++) scale = PetscMax(scale, PetscAbsReal(theta_alone[k]));
  Tap((PetscBool)(LargestDifference(before, theta, theta_alone) == 0 &&
                  LargestDifference(n - before, theta + before, theta_alone + before) <= 1e-6 * scale),
      "... the same weights as on one rank");
  PetscCall(PetscFree2(theta, theta_alone));
  PetscCall(ProblemDestroy(&alone));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* targets that were not observed make no row and no trouble */
static PetscErrorCode TestMissing(PetscInt G)
{
  const Net       net = {ARCH_MLP, {2, {3, 14}}, 3, "srelu"};
  NetOptions      options;
  Problem         problem;
  ConstructResult result;
  Data            data;
  PetscReal       ratio;

  PetscFunctionBeginUser;
  PetscCall(NetOf(&net, &options));
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, P, net.l, 3, &data));
  for (PetscInt k = 0; data->all_y && k < 7; k++) data->all_y[5 * k] = (PetscReal)NAN;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, &problem));
  PetscCall(Solve(&problem, PETSC_FALSE, &result));
  PetscCall(Conditioning(&problem, &ratio));
  Tap((PetscBool)(problem.map->m == 3 * D - 7 && result.loss <= 1e-18 * SquareOfTargets(&problem) && ratio > 1e-6),
      "7 of %d targets missing on %d x %d: |H|^2 = %.1e, rank J = m", 3 * D, problem.grid->G, problem.grid->Q, (double)result.loss);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the matrix with one 1 leaves a single unit that sees x: no zero */
static PetscErrorCode TestPrinted(void)
{
  const Net       net = {ARCH_MLP, {2, {4, 13}}, 1, "smoolu"};
  Problem         problem;
  ConstructResult result;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_WORLD, &net, 1, &problem));
  PetscCall(Solve(&problem, PETSC_TRUE, &result));
  Tap((PetscBool)(result.loss > 1e-2 * SquareOfTargets(&problem)), "Corollary 3.4 as printed: |H|^2 = %.1e of %.1e",
      (double)result.loss, (double)SquareOfTargets(&problem));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the family of Lemma 3.3 --------------------------------------------------------------------------------------------------- */

static PetscErrorCode WriteGraph(const char path[])
{
  json_t *edges = json_array(), *order = json_array(), *inputs = json_array(), *bias = json_object();
  char    key[16];

  PetscFunctionBeginUser;
  for (int k = 0; k < P; k++) json_array_append_new(inputs, json_integer(k));
  for (int k = 0; k < P + D + 1; k++) json_array_append_new(order, json_integer(k));
  for (int j = 0; j < D; j++) {
    for (int k = 0; k < P; k++) json_array_append_new(edges, json_pack("[i, i, i]", k, P + j, k)); /* a_k, whatever the unit */
    json_array_append_new(edges, json_pack("[i, i, i]", P + j, P + D, P + D + j));
    snprintf(key, sizeof key, "%d", P + j);
    json_object_set_new(bias, key, json_integer(P + j));
  }
  {
    json_t *graph = json_pack("{s:s, s:o, s:[i], s:o, s:o, s:o, s:i}", "form", "node", "inputs", inputs, "outputs", P + D, "order",
                              order, "edges", edges, "bias", bias, "parameters", P + 2 * D);

    PetscCheck(json_dump_file(graph, path, 0) == 0, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "cannot write %s", path);
    json_decref(graph);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tied is the paper's graph with labels pi: the same function of the same 2 d + p numbers */
static PetscErrorCode TestFamily(PetscInt G)
{
  const Net   net = {ARCH_TIED, {1, {D}}, 1, "smoolu"};
  NetOptions  options;
  Problem     tied, graph;
  Data        data;
  PetscReal  *theta, difference, size;
  char        path[64];
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscSNPrintf(path, sizeof path, "/tmp/codim-test-construct-%d.json", (int)getpid()));
  PetscCallMPI(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  if (!rank) PetscCall(WriteGraph(path));
  PetscCall(NetProblem(PETSC_COMM_WORLD, &net, G, &tied));
  PetscCall(NetOf(&net, &options));
  options.arch = ARCH_GRAPH;
  PetscCall(PetscStrncpy(options.graph, path, sizeof options.graph));
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, P, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, &graph));
  if (!rank) (void)unlink(path);
  Tap((PetscBool)(tied.map->n == 2 * D + P && graph.map->n == 2 * D + P), "the family of Lemma 3.3 on %d x %d has n = 2 d + p = %d",
      tied.grid->G, tied.grid->Q, 2 * D + P);
  PetscCall(PetscMalloc1(tied.map->n, &theta));
  PetscCall(GetCanonical(tied.parameters, tied.theta, theta)); /* a, b, v in both */
  PetscCall(SetCanonical(graph.parameters, theta, graph.theta));
  PetscCall(ProblemLinearize(&graph));
  PetscCall(VecNorm(tied.H, NORM_2, &size));
  PetscCall(VecAXPY(graph.H, -1, tied.H));
  PetscCall(VecNorm(graph.H, NORM_2, &difference));
  Tap((PetscBool)(difference <= 1e-13 * size && size > 1e-3), "... and is the graph whose labels tie all rows");
  PetscCall(PetscFree(theta));
  PetscCall(ProblemDestroy(&graph));
  PetscCall(ProblemDestroy(&tied));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- directions ----------------------------------------------------------------------------------------------------------------- */

static PetscReal GapOverRange(PetscInt d, const Projection projection[])
{
  const PetscInt k = DirectionNearest(d, projection);

  return (projection[k + 1].value - projection[k].value) / (projection[d - 1].value - projection[0].value);
}

/* d = 300 points of 40 inputs: a random direction leaves a gap of about 1/d^2 */
static PetscErrorCode TestDirection(void)
{
  enum { POINTS = 300, INPUTS = 40, TRIES = 50 };
  static PetscReal  X[POINTS * INPUTS], a[INPUTS], again[INPUTS];
  static Projection projection[POINTS], other[POINTS];
  PetscReal         random = 0, chosen;
  PetscBool         sorted = PETSC_TRUE, same;

  PetscFunctionBeginUser;
  RandomNormal(5, 1, 0, POINTS * INPUTS, X);
  for (PetscInt t = 0; t < TRIES; t++) {
    RandomNormal(6, t, 0, INPUTS, a);
    PetscCall(DirectionProject(POINTS, INPUTS, X, a, other));
    random += GapOverRange(POINTS, other) / TRIES;
  }
  PetscCall(DirectionChoose(POINTS, INPUTS, X, 1, a, projection));
  PetscCall(DirectionChoose(POINTS, INPUTS, X, 1, again, other));
  PetscCall(PetscArraycmp(a, again, INPUTS, &same));
  chosen = GapOverRange(POINTS, projection);
  Tap((PetscBool)(chosen > 10 * random), "the chosen direction spreads 300 points by %.1e of their range, a random one by %.1e",
      (double)chosen, (double)random);
  for (PetscInt k = 0; k < POINTS; k++) {
    PetscReal value = 0;

    for (PetscInt c = 0; c < INPUTS; c++) value += a[c] * X[projection[k].index * INPUTS + c];
    sorted = (PetscBool)(sorted && PetscAbsReal(value - projection[k].value) <= 1e-13 * (1 + PetscAbsReal(value)) &&
                         (k == 0 || projection[k].value > projection[k - 1].value));
  }
  Tap((PetscBool)(sorted && same), "... in ascending order, and the same every time");
  RandomNormal(5, 2, 0, 4, X);
  PetscCall(DirectionChoose(4, 1, X, 1, a, projection));
  Tap((PetscBool)(a[0] != 0 && GapOverRange(4, projection) > 0), "... also of one input");
  PetscCall(DirectionChoose(1, INPUTS, X, 1, a, projection));
  Tap((PetscBool)(projection[0].index == 0 && DirectionNearest(1, projection) == -1), "... and of one point");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *claim;
  Net         net;
  PetscBool   no_bias;
  PetscReal   twin; /* distance of points 2 and 9; 0: random points */
  const char *says[2];
  ExitStatus  status;
} Refusal;

static const Refusal refusals[] =
    {{"tanh is not rectified", {ARCH_MLP, {1, {13}}, 1, "tanh"}, PETSC_FALSE, 0, {"smoolu, rtanh", "is tanh"}, STATUS_USAGE},
     {"softplus is not 0 for z <= 0", {ARCH_TIED, {1, {13}}, 1, "softplus"}, PETSC_FALSE, 0, {"is softplus", ""}, STATUS_USAGE},
     {"a last hidden layer of 12 units for 13 points",
      {ARCH_MLP, {2, {40, 12}}, 1, "smoolu"},
      PETSC_FALSE,
      0,
      {"has 12 units for d = 13", "widen"},
      STATUS_USAGE},
     {"no hidden layer", {ARCH_MLP, {0, {0}}, 4, "smoolu"}, PETSC_FALSE, 0, {"hidden layers", ""}, STATUS_USAGE},
     {"no bias", {ARCH_MLP, {1, {16}}, 1, "smoolu"}, PETSC_TRUE, 0, {"layers.0", "no bias"}, STATUS_USAGE},
     {"a convolution", {ARCH_CNN, {0, {0}}, 1, "smoolu"}, PETSC_FALSE, 0, {"no dense layer", "convs.0"}, STATUS_USAGE},
     {"points that coincide", {ARCH_MLP, {1, {13}}, 1, "smoolu"}, PETSC_FALSE, -1, {"points 3 and 10", "coincide"}, STATUS_DATA}};

static PetscErrorCode TestRefusal(const Refusal *r)
{
  NetOptions      options;
  Problem         problem;
  ConstructResult result;
  Capture         capture;
  PetscErrorCode  ierr;
  PetscMPIInt     rank;
  Data            data;
  char            message[4096];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(NetOf(&r->net, &options));
  options.bias     = (PetscBool)!r->no_bias;
  options.shape    = (OptionInts){3, {1, 1, P}};
  options.channels = (OptionInts){1, {9}};
  PetscCall(DataRandom(PETSC_COMM_WORLD, r->net.widths.n || r->net.arch == ARCH_CNN ? D : 2, P, r->net.l, 3, &data));
  if (r->twin != 0 && data->all_x) PetscCall(PetscArraycpy(data->all_x + 9 * P, data->all_x + 2 * P, P));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &options, &problem));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = Solve(&problem, PETSC_FALSE, &result);
  CaptureEnd(&capture, message, sizeof message);
  if (!Tap((PetscBool)(ierr && ExitStatusOfError(ierr) == r->status && CountLines(message) == (rank ? 0 : 1) &&
                       (rank || (strstr(message, r->says[0]) && strstr(message, r->says[1])))),
           "refused: %s", r->claim))
    fprintf(stderr, "# %s\n", message);
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  TapCall(TestDirection());
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "32" : "4"));
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(nets); k++) {
      TapCall(TestZero(&nets[k], G));
      TapCall(TestSameWeights(&nets[k], G));
    }
    TapCall(TestMissing(G));
    TapCall(TestFamily(G));
  }
  TapCall(TestPrinted());
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(refusals); k++) TapCall(TestRefusal(&refusals[k]));
  TapCall(PetscOptionsClearValue(NULL, "-tiles_block"));
  return TapEnd();
}
