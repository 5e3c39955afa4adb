// ranks: 1 3
/*
  test_plan.c: what is planned for ranks that are not there: sums over all ranks, the best grid, refusals and the nodes that suffice.
*/
#include "codim/plan.h"
#include "tap.h"
#include <math.h>
#include <string.h>

static ReachOptions     reach;
static SpectrumOptions  spectrum;
static HessianOptions   hessian = {.extreme = 2, .zeros = 4};
static PerturbOptions   perturb;
static ConvexityOptions convexity;
static WalkOptions      walk;
static PathOptions      path;

static PetscErrorCode NetOf(PetscInt width, Network *network)
{
  const NetOptions options = {.widths = {2, {width, width}}, .activation = "tanh", .bias = PETSC_TRUE, .gain = 1, .bias_gain = .1};

  PetscFunctionBeginUser;
  PetscCall(NetworkCreate(PETSC_COMM_WORLD, &options, 64, 1, network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PlanJob JobOf(Network network, PetscInt d)
{
  const PlanJob job = {.network   = network,
                       .d         = d,
                       .reach     = &reach,
                       .spectrum  = &spectrum,
                       .hessian   = &hessian,
                       .perturb   = &perturb,
                       .convexity = &convexity,
                       .walk      = &walk,
                       .path      = &path,
                       .steps     = 8,
                       .products  = 60};

  return job;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------------- */

static void TestSizes(Network network)
{
  PetscBool enough = PETSC_TRUE, tight = PETSC_TRUE, product = PETSC_TRUE;

  for (PetscInt G = 1; G <= 7; G++)
    for (PetscInt Q = 1; Q <= 9; Q++) {
      Sizes s;

      SizesSet(network, 101, G * Q, G, Q, &s);
      enough =
          (PetscBool)(enough && s.local * s.P >= s.n && s.N * s.G >= 101 && s.rows * s.nprow >= s.m && s.cols * s.npcol >= s.m);
      tight   = (PetscBool)(tight && s.shard <= s.n / s.Q + 64 + 2 * 1000 + 3 && s.N <= 101 / s.G + 1);
      product = (PetscBool)(product && s.PK <= s.P);
    }
  Tap(enough, "the largest rank's part of theta, points and K is at least its share");
  Tap(tight, "... and no more than the rounding of blocks explains");
  Tap(product, "K lies on no more ranks than there are");
}

/* ---- grids ------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestGrids(void)
{
  Network small, large;
  PlanJob many, few;
  Plan    plan;

  PetscFunctionBeginUser;
  PetscCall(NetOf(20, &small));
  PetscCall(NetOf(3000, &large));
  many = JobOf(small, 1000);
  few  = JobOf(large, 10);
  PlanChoose(&many, 6, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(plan.sizes.G == 6 && plan.sizes.Q == 1), "many points on a small net: every rank has all parameters");
  PlanChoose(&few, 6, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(plan.sizes.G == 1 && plan.sizes.Q == 6), "few points on a large net: the parameters are shared out");
  many.G = 2;
  many.Q = 3;
  PlanChoose(&many, 6, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(plan.sizes.G == 2 && plan.sizes.Q == 3), "a grid that was asked for is taken");
  PlanChoose(&many, 8, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(plan.sizes.P == 8), "... where it is one of so many ranks");
  PlanChoose(&few, 6, 1, 1, NULL, &plan);
  Tap((PetscBool)(plan.refused[0] && strstr(plan.refused, "reach needs")), "what does not fit is refused, with the stage");
  PetscCall(NetworkDestroy(&small));
  PetscCall(NetworkDestroy(&large));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestNodes(Network network)
{
  const PlanJob job  = JobOf(network, 1000);
  Node          node = {.cores = 4, .memory = 1e12, .baseline = 5e7};
  Layout        layout, fewer;
  Plan          plan, other;

  PetscFunctionBeginUser;
  Tap(PlanSmallest(&job, &node, &layout, &plan), "with much memory the job fits");
  Tap((PetscBool)(layout.nodes == 1 && layout.per_node == 4 && layout.threads == 1), "... on one node, a rank a core");
  node.memory = .4 * plan.needed;
  Tap((PetscBool)(PlanSmallest(&job, &node, &layout, &plan) && layout.nodes > 1 && !plan.refused[0]),
      "with less than one node needs, on several: %" PetscInt_FMT, layout.nodes);
  Tap((PetscBool)(plan.needed <= node.memory / (PetscReal)layout.per_node - node.baseline), "... where it is within their memory");
  PlanOnNodes(&job, layout.nodes * layout.per_node, &node, NULL, &fewer, &other);
  Tap((PetscBool)(!other.refused[0] && fewer.nodes <= layout.nodes), "... so many ranks are laid out on no more");
  for (PetscInt ranks = 1, ok = 1; ranks <= 4 * (layout.nodes - 1); ranks++) {
    PlanOnNodes(&job, ranks, &node, NULL, &fewer, &other);
    ok = ok && (other.refused[0] || fewer.nodes >= layout.nodes);
    if (ranks == 4 * (layout.nodes - 1)) Tap((PetscBool)ok, "... and no number of ranks fits on fewer");
  }
  node.memory = 1e6;
  Tap((PetscBool)!PlanSmallest(&job, &node, &layout, &plan), "nodes that cannot even hold the program: none");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- counts of 32 bits ------------------------------------------------------------------------------------------------- */

/* a label of 60 000 x 60 000: 3.6e9 entries */
static PetscErrorCode TestCounts32(void)
{
  char    text[256];
  Network network;
  Sizes   sizes;
  Plan    plan;
  PlanJob job;

  PetscFunctionBeginUser;
  PetscCall(NetOf(60000, &network));
  job = JobOf(network, 10);
  SizesSet(network, 10, 2, 2, 1, &sizes);
  SizesLimit(&sizes, sizeof(text), text);
  Tap((PetscBool)(strstr(text, "layers.1.weight has 3.6e+09 entries") && strstr(text, "at least 2 shards")),
      "a label that groups cannot gather in 32 bits, and what works: %s", text);
  SizesSet(network, 10, 4, 2, 2, &sizes);
  SizesLimit(&sizes, sizeof(text), text);
  Tap((PetscBool)!text[0], "... which does");
  SizesSet(network, 10, 1, 1, 1, &sizes);
  SizesLimit(&sizes, sizeof(text), text);
  Tap((PetscBool)!text[0], "... and one group does");
  PlanMake(&job, 2, 1, 1, 1e12, NULL, &plan);
  if (sizeof(PetscInt) == 4)
    Tap((PetscBool)(strstr(plan.refused, "INDEX=64") != NULL), "n beyond 32-bit indices is refused before that, naming the remedy");
  else
    Tap((PetscBool)(strstr(plan.refused, "layers.1.weight") != NULL), "the plan refuses that grid");
  PlanChoose(&job, 2, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(sizeof(PetscInt) == 4 || (!plan.refused[0] && plan.sizes.G == 1)), "... and chooses another");
  PetscCall(NetworkDestroy(&network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* as for two ranks: a matrix of order 70 000 has 2.45e9 entries on one of them */
static PetscErrorCode TestTilesLimit(Network network)
{
  const PlanJob    job = JobOf(network, 70000);
  const PlanStage *certify;
  Plan             plan;

  PetscFunctionBeginUser;
  PlanChoose(&job, 2, 1, 1e12, NULL, &plan);
  Tap((PetscBool)(strstr(plan.refused, "entries of K on a rank: ScaLAPACK counts in 32 bits: use 3 ranks") != NULL),
      "K's part of 2^31 entries on one of two ranks is refused: %s", plan.refused);
  PlanChoose(&job, 3, 1, 1e12, NULL, &plan);
  Tap((PetscBool)!plan.refused[0], "... and fits on three");
  certify = PlanFindStage(&plan, "certify");
  Tap((PetscBool)(certify && isfinite(certify->bytes)), "... with a certificate");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- counting ---------------------------------------------------------------------------------------------------------- */

static void TestCounts(Network network)
{
  const PlanJob job = JobOf(network, 1000);
  Plan          one, many;
  double        start = MPI_Wtime();

  PlanMake(&job, 1, 1, 1, 1e12, NULL, &one);
  PlanMake(&job, 8, 8, 1, 1e12, NULL, &many);
  Tap((PetscBool)(PlanFindStage(&one, "reach")->cost.received == 0 && PlanFindStage(&one, "reach")->cost.messages == 0),
      "one rank receives nothing");
  Tap((PetscBool)(PlanFindStage(&many, "reach")->cost.received > 0), "64 do");
  Tap((PetscBool)(CostFlops(&PlanFindStage(&many, "reach")->cost) >= CostFlops(&PlanFindStage(&one, "reach")->cost) / 64),
      "a rank of 64 has at least a 64th of the flops");
  Tap((PetscBool)(CostFlops(&PlanFindStage(&many, "reach")->cost) <= CostFlops(&PlanFindStage(&one, "reach")->cost) / 32),
      "... and less than twice that");
  Tap((PetscBool)(many.needed < one.needed / 8), "its memory is a fraction of one rank's");
  Tap((PetscBool)!isfinite(one.seconds), "without a calibration no time is said");
  PlanChoose(&job, 1 << 20, 1, 1e12, NULL, &many);
  Tap((PetscBool)(MPI_Wtime() - start < 1), "a plan of a million ranks takes less than a second");
}

static PetscErrorCode Test(void)
{
  Network network;

  PetscFunctionBeginUser;
  PetscCall(NetOf(1000, &network));
  TestSizes(network);
  PetscCall(TestGrids());
  PetscCall(TestNodes(network));
  PetscCall(TestCounts32());
  PetscCall(TestTilesLimit(network));
  TestCounts(network);
  PetscCall(NetworkDestroy(&network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(Test());
  return TapEnd();
}
