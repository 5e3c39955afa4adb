// ranks: 1 3
// seconds: 200
/*
  The rank of J against an exact one. At integer weights, points and a polynomial sigma the rank of J modulo 2^61 - 1 is a proved lower bound
  of rank J, and all but surely equal to it. Floating point must decide on that rank or leave it open; no bound of rank J for every theta may
  be below it; and derivatives are the same integers.
*/
#include "codim/refute.h"
#include "codim/spectrum.h"
#include "modular.h"
#include "problem.h"
#include <jansson.h>
#include <unistd.h>

enum { POINTS_MAX = 16, SIZE_MAX_N = 400 };

typedef struct {
  ModNet net;
  int    n, d, theta[SIZE_MAX_N], direction[SIZE_MAX_N], x[POINTS_MAX * MOD_UNITS];
  int    scale; /* an output times this is an integer */
} Trial;

typedef struct {
  PetscInt trials, decided, deficient, wrong, below, bounded, attained, compared, differ;
} Tally;

/* ---- random trials: the same on every rank ---------------------------------------------------------------------------- */

static uint64_t state = 20181;

static int Below(int n)
{
  uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (int)((z ^ z >> 31) % (uint64_t)n);
}

static int Between(int low, int high)
{
  return low + Below(high - low + 1);
}

static void RandomMlp(ModNet *net)
{
  net->p      = Between(1, 5);
  net->layers = Between(1, net->q == 1 ? 4 : net->q == 2 ? 3 : 2);
  for (int i = 0; i < net->layers; i++) net->width[i] = Between(1, 6);
}

static void RandomCnn(ModNet *net)
{
  net->shape[0] = Between(1, 2);
  net->shape[1] = Between(3, 5);
  net->shape[2] = Between(3, 5);
  net->p        = net->shape[0] * net->shape[1] * net->shape[2];
  net->kernel   = Between(2, 3);
  net->pool     = Between(1, 2);
  net->layers   = net->q == 3 || net->pool == 2 ? 1 : Between(1, 2);
  for (int i = 0; i < net->layers; i++) net->width[i] = Between(1, 3);
}

static void RandomGraph(ModNet *net)
{
  net->p         = Between(1, 3);
  net->hidden    = Between(2, 6);
  net->edge_form = Below(2);
  net->nedges    = 0;
  for (int v = net->p; v < net->p + net->hidden + net->l; v++) {
    const int sources = v < net->p + net->hidden ? v : net->p + net->hidden; /* earlier vertices that are no outputs */

    net->labels[v] = -1;
    for (int e = 0, count = Between(1, sources < 4 ? sources : 4), first = Below(sources); e < count; e++) {
      net->edge[net->nedges][0]   = (first + e) % sources;
      net->edge[net->nedges++][1] = v;
    }
  }
  net->nlabels = 0;
  for (int e = 0; e < net->nedges; e++) net->edge[e][2] = net->nlabels && Below(5) == 0 ? Below(net->nlabels) : net->nlabels++;
  for (int v = net->p; net->bias && v < net->p + net->hidden + net->l; v++)
    if (Below(3)) net->labels[v] = net->nlabels++;
}

/* some points equal, opposite to or twice another */
static void RandomPoints(Trial *trial)
{
  const int p = trial->net.p;

  for (int i = 0; i < trial->d; i++) {
    static const int factors[] = {1, -1, 2};

    const int from = i && Below(6) == 0 ? Below(i) : -1, factor = factors[Below(3)];

    for (int j = 0; j < p; j++) trial->x[i * p + j] = from < 0 ? Between(-3, 3) : factor * trial->x[from * p + j];
  }
}

/* false: n is not above m, or too large */
static PetscBool RandomTrial(ModKind kind, Trial *trial)
{
  static void (*const random[])(ModNet *) = {RandomMlp, RandomCnn, RandomGraph};

  ModNet *net = &trial->net;
  int     most, zeros;

  *trial = (Trial){.net = {.kind = kind, .q = Between(1, 3), .bias = -Below(2), .l = Between(1, 2)}, .scale = 1};
  random[kind](net);
  trial->n = ModSize(net);
  most     = (trial->n - 1) / net->l;
  if (trial->n > SIZE_MAX_N || most < 2) return PETSC_FALSE;
  trial->d = Between(2, most < POINTS_MAX ? most : POINTS_MAX);
  zeros    = Below(3) ? 0 : 2; /* every other weight vanishes in a third of the trials */
  for (int k = 0; k < trial->n; k++) {
    trial->theta[k]     = zeros && Below(zeros) ? 0 : Between(-3, 3);
    trial->direction[k] = Between(-3, 3);
  }
  for (int i = 0; kind == MOD_CNN && i < net->layers; i++) trial->scale *= net->pool * net->pool;
  RandomPoints(trial);
  return PETSC_TRUE;
}

/* ---- the same net in the program's words ------------------------------------------------------------------------------------ */

static void WriteGraph(const ModNet *net, const char path[])
{
  json_t *inputs = json_array(), *outputs = json_array(), *order = json_array(), *edges = json_array(), *bias = json_object(),
         *graph;
  char key[16];

  for (int v = 0; v < net->p + net->hidden + net->l; v++) {
    if (v < net->p) json_array_append_new(inputs, json_integer(v));
    if (v >= net->p + net->hidden) json_array_append_new(outputs, json_integer(v));
    json_array_append_new(order, json_integer(v));
    snprintf(key, sizeof key, "%d", v);
    if (v >= net->p && net->labels[v] >= 0) json_object_set_new(bias, key, json_integer(net->labels[v]));
  }
  for (int e = 0; e < net->nedges; e++)
    json_array_append_new(edges, json_pack("[i, i, i]", net->edge[e][0], net->edge[e][1], net->edge[e][2]));
  graph = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:i}", "form", net->edge_form ? "edge" : "node", "inputs", inputs, "outputs",
                    outputs, "order", order, "edges", edges, "bias", bias, "parameters", net->nlabels);
  json_dump_file(graph, path, 0);
  json_decref(graph);
}

static PetscErrorCode Options(const ModNet *net, const char graph[], NetOptions *options)
{
  static const char *const powers[]        = {"", "identity", "square", "cubic"};
  static const char *const architectures[] = {"mlp", "cnn", "graph"};
  OptionInts              *widths          = net->kind == MOD_MLP ? &options->widths : &options->channels;
  PetscMPIInt              rank;

  PetscFunctionBeginUser;
  *options      = (NetOptions){.kernel = net->kernel, .pool = net->pool, .gain = 1, .bias = (PetscBool)(net->bias != 0)};
  options->arch = net->kind == MOD_MLP ? 0 : net->kind == MOD_CNN ? 1 : 4;
  PetscCheck(!strcmp(NetKeys[0].choices[options->arch], architectures[net->kind]), PETSC_COMM_SELF, PETSC_ERR_PLIB, "net.arch");
  PetscCall(PetscStrncpy(options->activation, powers[net->q], sizeof options->activation));
  PetscCall(PetscStrncpy(options->graph, graph, sizeof options->graph));
  for (int i = 0; i < net->layers; i++) widths->v[i] = net->width[i];
  widths->n        = net->layers;
  options->shape.n = 3;
  for (int i = 0; i < 3; i++) options->shape.v[i] = net->shape[i];
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0 && net->kind == MOD_GRAPH) WriteGraph(net, graph);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = 0, which every one of these nets can give */
static PetscErrorCode DataOf(const Trial *trial, Data *data)
{
  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, trial->d, trial->net.p, trial->net.l, 1, data));
  if ((*data)->all_x) {
    for (int k = 0; k < trial->d * trial->net.p; k++) (*data)->all_x[k] = trial->x[k];
    PetscCall(PetscArrayzero((*data)->all_y, trial->d * trial->net.l));
  }
  PetscCall(DataFindCoincidences(*data, SYMMETRY_NONE, &(*data)->equal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one trial ------------------------------------------------------------------------------------------------------------------- */

/* J v for integers v, where it is an integer of at most 50 bits */
static PetscErrorCode CompareDerivatives(const Trial *trial, Problem *problem, Tally *tally)
{
  const int l = trial->net.l;
  PetscReal v[SIZE_MAX_N], rows[POINTS_MAX * 2], largest = 0;
  uint64_t  derivative[MOD_UNITS];
  PetscBool same = PETSC_TRUE;
  Vec       direction, Jv;

  PetscFunctionBeginUser;
  for (int k = 0; k < trial->n; k++) v[k] = trial->direction[k];
  PetscCall(VecDuplicate(problem->theta, &direction));
  PetscCall(VecDuplicate(problem->H, &Jv));
  PetscCall(SetCanonical(problem->parameters, v, direction));
  PetscCall(JacobianMult(problem->jacobian, direction, Jv));
  PetscCall(RowsGatherAll(problem->map->rows, Jv, rows));
  for (int k = 0; k < trial->d * l; k++) largest = PetscMax(largest, PetscAbsReal(rows[k] * trial->scale));
  for (int i = 0; i < trial->d; i++) {
    ModDerivative(&trial->net, trial->n, trial->theta, trial->direction, trial->x + i * trial->net.p, derivative);
    for (int o = 0; o < l; o++) {
      const int64_t exact = ModLift(ModMul(derivative[o], (uint64_t)trial->scale));

      if (PetscAbsReal(rows[i * l + o] * trial->scale - (PetscReal)exact) > 1e-12 * largest) same = PETSC_FALSE;
    }
  }
  tally->compared += largest < 0x1p50;
  tally->differ += largest < 0x1p50 && !same;
  PetscCall(VecDestroy(&direction));
  PetscCall(VecDestroy(&Jv));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Linearize(const Trial *trial, Problem *problem)
{
  PetscReal theta[SIZE_MAX_N];

  PetscFunctionBeginUser;
  for (int k = 0; k < trial->n; k++) theta[k] = trial->theta[k];
  PetscCall(SetCanonical(problem->parameters, theta, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DecidedRank(Problem *problem, PetscInt *rank)
{
  const SpectrumOptions options = {.assembled_max = 4e9};
  Spectrum              spectrum;
  Tiles                 K;
  PetscBool             factored;
  PetscReal             norm2;

  PetscFunctionBeginUser;
  *rank = 0;
  PetscCall(JacobianNormSquared(problem->jacobian, &norm2));
  if (!(norm2 < 1e75)) *rank = -1; /* K cannot be squared */
  if (norm2 == 0 || *rank < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
  *rank = spectrum.rank;
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Show(const Trial *t, const char what[], PetscInt found, PetscInt exact)
{
  fprintf(stderr, "# %s %d, exact rank %d: kind %d, power %d, bias %d, p %d, l %d, d %d, n %d, layers %d: %d %d %d %d\n", what,
          (int)found, (int)exact, (int)t->net.kind, t->net.q, t->net.bias, t->net.p, t->net.l, t->d, t->n, t->net.layers,
          t->net.width[0], t->net.width[1], t->net.width[2], t->net.width[3]);
}

static PetscErrorCode Run(const Trial *trial, const char graph[], Tally *tally)
{
  const PetscInt m = trial->d * trial->net.l, exact = ModJacobianRank(&trial->net, trial->n, trial->theta, trial->d, trial->x);
  NetOptions     net;
  Data           data;
  Problem        problem;
  Refutation     refutation;
  Certificate    certificate = {.rank_bound = -1};
  PetscInt       rank;

  PetscFunctionBeginUser;
  PetscCall(Options(&trial->net, graph, &net));
  PetscCall(DataOf(trial, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, tally->trials % 2 ? 1 : PetscGlobalSize, data, &net, &problem));
  PetscCheck(problem.map->n == trial->n, PETSC_COMM_SELF, PETSC_ERR_PLIB, "n");
  PetscCall(Linearize(trial, &problem));
  PetscCall(CompareDerivatives(trial, &problem, tally));
  PetscCall(DecidedRank(&problem, &rank));
  PetscCall(RefuteExactly(data, problem.map, PETSC_TRUE, &refutation, &certificate));
  PetscCall(ProblemDestroy(&problem));
  tally->trials++;
  tally->decided += rank >= 0;
  tally->deficient += exact < m;
  tally->bounded += refutation.refuted;
  tally->attained += refutation.refuted && certificate.rank_bound == exact;
  if (rank >= 0 && rank != exact) {
    tally->wrong++;
    Show(trial, "decided on", rank, exact);
  }
  if (refutation.refuted && certificate.rank_bound < exact) {
    tally->below++;
    Show(trial, certificate.reason, certificate.rank_bound, exact);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* share: per cent that must be decided on; powers of powers along a graph are so far apart that floating point sees some of them only */
static PetscErrorCode Family(ModKind kind, const char name[], PetscInt count, PetscInt share)
{
  char        graph[64];
  Trial       trial;
  Tally       tally = {0};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(graph, sizeof graph, "/tmp/test_oracle.%d.json", (int)getpid()));
  PetscCallMPI(MPI_Bcast(graph, sizeof graph, MPI_CHAR, 0, PETSC_COMM_WORLD));
  while (tally.trials < count)
    if (RandomTrial(kind, &trial)) PetscCall(Run(&trial, graph, &tally));
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) (void)unlink(graph);
  Tap((PetscBool)(tally.wrong == 0), "%d %s nets, %d with rank J < m: floating point decides on no wrong rank", (int)tally.trials,
      name, (int)tally.deficient);
  Tap((PetscBool)(100 * tally.decided >= share * tally.trials && 4 * tally.deficient >= tally.trials), "... and decides on %d",
      (int)tally.decided);
  Tap((PetscBool)(tally.below == 0), "... no bound of rank J for every theta, of %d, is below a proved rank", (int)tally.bounded);
  Tap((PetscBool)(tally.attained > 0), "... and %d are attained here", (int)tally.attained);
  Tap((PetscBool)(tally.differ == 0 && 2 * tally.compared > tally.trials), "... J v is the same integers in %d",
      (int)tally.compared);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- rank J of linear nets at any theta --------------------------------------------------------------------------------------------
   rank J = sum_i (c_i - c_(i-1)) v_i, c_i = rank W_L … W_(i+1), v_i = rank of the inputs of map i, with a row of ones if that map or a later one
   has a bias */

/* A := W A of rows h x cols, W h x k */
static void Multiply(int h, int k, int cols, const uint64_t W[], const uint64_t A[], uint64_t out[])
{
  for (int i = 0; i < h; i++)
    for (int j = 0; j < cols; j++) {
      out[i * cols + j] = 0;
      for (int r = 0; r < k; r++) out[i * cols + j] = ModAdd(out[i * cols + j], ModMul(W[i * k + r], A[r * cols + j]));
    }
}

static int RankOf(int rows, int cols, const uint64_t A[])
{
  uint64_t copy[MOD_UNITS];

  for (int k = 0; k < rows * cols; k++) copy[k] = A[k];
  return ModRank(rows, cols, copy);
}

static int LinearRank(const Trial *trial)
{
  const ModNet *net = &trial->net;
  const int     L = net->layers + 1, d               = trial->d;
  int           v[MOD_LAYERS + 1], c[MOD_LAYERS + 1] = {0}, h[MOD_LAYERS + 1], at[MOD_LAYERS + 1], rank = 0;
  uint64_t      theta[SIZE_MAX_N], A[MOD_UNITS] = {0}, B[MOD_UNITS], P[MOD_UNITS] = {0};

  h[0]  = net->p;
  at[0] = 0;
  for (int i = 1; i <= L; i++) {
    h[i]  = i < L ? net->width[i - 1] : net->l;
    at[i] = at[i - 1] + h[i] * h[i - 1] + (net->bias >> (i - 1) & 1 ? h[i] : 0);
  }
  for (int k = 0; k < trial->n; k++) theta[k] = ModInt(trial->theta[k]);
  for (int j = 0; j < net->p; j++)
    for (int i = 0; i < d; i++) A[j * d + i] = ModInt(trial->x[i * net->p + j]);
  for (int i = 1; i <= L; i++) { /* A: inputs of map i, then a row of ones */
    for (int k = 0; k < d; k++) A[h[i - 1] * d + k] = 1;
    v[i] = RankOf(h[i - 1] + (net->bias >> (i - 1) ? 1 : 0), d, A);
    Multiply(h[i], h[i - 1], d, theta + at[i - 1], A, B);
    for (int k = 0; k < h[i] * d; k++)
      A[k] = net->bias >> (i - 1) & 1 ? ModAdd(B[k], theta[at[i - 1] + h[i] * h[i - 1] + k / d]) : B[k];
  }
  for (int o = 0; o < net->l; o++) P[o * net->l + o] = 1;
  for (int i = L; i >= 1; i--) { /* P = W_L … W_(i+1) */
    c[i] = RankOf(net->l, h[i], P);
    Multiply(net->l, h[i], h[i - 1], P, theta + at[i - 1], B);
    for (int k = 0; k < net->l * h[i - 1]; k++) P[k] = B[k];
  }
  for (int i = 1; i <= L; i++) rank += (c[i] - c[i - 1]) * v[i];
  return rank;
}

/* what is refuted for the net with just these biases; m: nothing */
static PetscErrorCode BoundOf(const Trial *trial, PetscInt *bound)
{
  const ModNet *mod = &trial->net;
  NetOptions    net;
  Data          data;
  Problem       problem;
  Refutation    refutation;
  Certificate   certificate = {.rank_bound = -1};

  PetscFunctionBeginUser;
  PetscCall(Options(mod, "", &net));
  net.bias = PETSC_TRUE;
  PetscCall(DataOf(trial, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
  for (PetscInt v = 1, map = 0; v < problem.network->nops; v++)
    if (problem.network->ops[v].weight >= 0 && !(mod->bias >> map++ & 1)) problem.network->ops[v].bias = -1;
  PetscCall(RefuteExactly(data, problem.map, PETSC_TRUE, &refutation, &certificate));
  *bound = refutation.refuted ? certificate.rank_bound : problem.map->m;
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LinearFormula(void)
{
  int      count = 0, same = 0, low = 0, sound = 0, attained = 0;
  PetscInt bound = 0;
  Trial    trial;

  PetscFunctionBeginUser;
  while (count < 300) {
    int exact;

    if (!RandomTrial(MOD_MLP, &trial) || trial.net.q != 1) continue;
    trial.net.bias = Below(1 << (trial.net.layers + 1));
    trial.n        = ModSize(&trial.net);
    if (trial.d * trial.net.l >= trial.n) continue;
    exact = ModJacobianRank(&trial.net, trial.n, trial.theta, trial.d, trial.x);
    PetscCall(BoundOf(&trial, &bound));
    count++;
    low += LinearRank(&trial) < trial.d * trial.net.l;
    same += LinearRank(&trial) == exact;
    sound += bound >= exact;
    attained += bound < trial.d * trial.net.l && bound == exact;
  }
  Tap((PetscBool)(same == count && low > 100),
      "%d linear nets at any theta, with any biases, %d of rank < m: rank J = sum_i (c_i - c_(i-1)) v_i", count, low);
  Tap((PetscBool)(sound == count && 3 * attained > count), "... what is refuted for all theta is never below it, and %d times it",
      attained);
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(Family(MOD_MLP, "fully connected", 120, 90));
  TapCall(Family(MOD_CNN, "convolutional", 60, 95));
  TapCall(Family(MOD_GRAPH, "graph", 80, 70));
  TapCall(LinearFormula());
  return TapEnd();
}
