// ranks: 1 2 3 4
/*
  test_walk.c: walks on M: the loss stays zero, the same way on every grid, the exponents of its growth, what a link proves.

  The net's last hidden layer is wider than the number of points: the last layer's block of J has a kernel.
*/
#include "codim/kernel.h"
#include "codim/spectrum.h"
#include "codim/store.h"
#include "codim/walk.h"
#include "problem.h"
#include <math.h>
#include <unistd.h>

enum { D = 5, INPUTS = 3, STEPS = 12 };

static const PetscReal tolerance = 1e-24;

typedef struct {
  Problem problem;
  Tiles   K;
} Point;

/* a zero of a net with one output, or two */
static PetscErrorCode PointCreate(MPI_Comm comm, PetscInt G, PetscInt l, Point *point)
{
  const NetOptions net = {.widths = {2, {6, 9}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 2, .gain = 1.2, .bias_gain = .5};
  const ReachOptions reach   = {.method = REACH_TRAIN, .tolerance = tolerance, .steps = 100};
  Problem           *problem = &point->problem;
  Data               data;
  Train              train;
  ReachResult        result;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(comm, D, INPUTS, l, 3, &data));
  PetscCall(ProblemCreate(comm, G, data, &net, problem));
  PetscCall(TilesCreate(comm, problem->map->m, &point->K));
  PetscCall(TrainCreate(problem->map, &reach, &train));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, point->K, &result));
  PetscCall(TrainDestroy(&train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointDestroy(Point *point)
{
  PetscFunctionBeginUser;
  PetscCall(TilesDestroy(&point->K));
  PetscCall(ProblemDestroy(&point->problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Point *point, const WalkOptions *options, WalkResult *result)
{
  PetscFunctionBeginUser;
  PetscCall(WalkRun(point->problem.map, NULL, options, tolerance, point->problem.theta, point->K, result));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the way ------------------------------------------------------------------------------------------------------- */

static PetscBool LossStaysZero(const WalkResult *r)
{
  PetscBool ok = PETSC_TRUE;

  for (PetscInt k = 0; k < r->points; k++) ok = (PetscBool)(ok && r->point[k].loss <= tolerance);
  return ok;
}

static PetscErrorCode TestWay(PetscInt G, PetscInt l)
{
  const WalkOptions options = {.steps = STEPS, .length = .05, .direction = WALK_RANDOM, .seed = 4, .certify = PETSC_FALSE};
  Point             point, alone;
  WalkResult        here, there;
  PetscReal         difference = 0, step, slope = 0, u;
  Vec               start, t;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(PETSC_COMM_WORLD, G, l, &point));
  PetscCall(PointCreate(PETSC_COMM_SELF, 1, l, &alone));
  PetscCall(VecDuplicate(point.problem.theta, &start));
  PetscCall(VecCopy(point.problem.theta, start));
  PetscCall(Run(&point, &options, &here));
  PetscCall(Run(&alone, &options, &there));
  Tap((PetscBool)(here.points == STEPS + 1 && here.reason == WALK_WHOLE && LossStaysZero(&here)),
      "%d x %d, %d outputs: %d steps, the loss is zero at each point", point.problem.grid->G, point.problem.grid->Q, (int)l, STEPS);
  for (PetscInt k = 0; k < here.points; k++)
    difference = PetscMax(difference, PetscAbsReal(here.point[k].displacement - there.point[k].displacement) +
                                          PetscAbsReal(here.point[k].sigma_min - there.point[k].sigma_min));
  Tap((PetscBool)(difference < 1e-6), "... the same way as on one rank (%.1e)", (double)difference);
  Tap((PetscBool)(here.point[STEPS].path > .9 * STEPS * options.length && here.point[STEPS].displacement > .1),
      "... of the length that was asked for");
  PetscCall(VecAXPY(start, -1, point.problem.theta));
  PetscCall(VecNorm(start, NORM_2, &step));
  TapClose(step, here.point[STEPS].displacement, step, 1e-10, "... theta is at its end");
  for (PetscInt k = 1; k < here.points; k++) slope = PetscMax(slope, here.point[k].loss_before);
  Tap((PetscBool)(slope < 1e-4 && slope > tolerance), "... a tangent step leaves M, but little: loss %.1e", (double)slope);
  PetscCall(ProblemLinearize(&point.problem));
  PetscCall(GramCompute(point.problem.jacobian, point.K));
  {
    PetscBool factored;

    PetscCall(TilesCholesky(point.K, &factored));
    PetscCall(VecDuplicate(start, &t));
    PetscCall(ParametersSetRandom(point.problem.parameters, 9, 9, t));
    PetscCall(KernelProject(point.problem.jacobian, point.K, 2, t));
    PetscCall(JacobianMult(point.problem.jacobian, t, point.problem.H));
    PetscCall(VecNorm(point.problem.H, NORM_2, &u));
    Tap((PetscBool)(factored && u < 1e-12), "... the projection is onto ker J (%.1e)", (double)u);
    PetscCall(VecDestroy(&t));
  }
  PetscCall(VecDestroy(&start));
  PetscCall(WalkResultDestroy(&here));
  PetscCall(WalkResultDestroy(&there));
  PetscCall(PointDestroy(&alone));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* back to where another walk came from */
static PetscErrorCode TestToward(PetscInt G)
{
  WalkOptions options = {.steps = 6, .length = .05, .direction = WALK_STRAIGHT, .seed = 1, .certify = PETSC_FALSE};
  Point       point;
  WalkResult  away, back, shrunk;
  int         id = (int)getpid(), rank;

  PetscFunctionBeginUser;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Bcast(&id, 1, MPI_INT, 0, PETSC_COMM_WORLD);
  snprintf(options.toward, sizeof options.toward, "/tmp/codim-walk-%d.safetensors", id);
  PetscCall(PointCreate(PETSC_COMM_WORLD, G, 1, &point));
  PetscCall(WeightsWrite(point.problem.parameters, point.problem.theta, options.toward));
  PetscCall(Run(&point, &options, &away));
  options.direction = WALK_TOWARD;
  options.steps     = 40;
  PetscCall(Run(&point, &options, &back));
  Tap((PetscBool)(away.point[6].displacement > .25 && back.reason == WALK_ARRIVED),
      "a straight walk away, and one back to its start: %s", WalkReasonText(back.reason));
  TapClose(back.point[back.points - 1].displacement, away.point[6].displacement, 1, 1e-4, "... as far back as away");
  options.direction = WALK_SHRINK;
  options.steps     = 10;
  PetscCall(Run(&point, &options, &shrunk));
  Tap((PetscBool)(shrunk.point[10].norm < shrunk.point[0].norm - .3 && LossStaysZero(&shrunk)),
      "|theta| falls from %.3f to %.3f on M", (double)shrunk.point[0].norm, (double)shrunk.point[10].norm);
  if (rank == 0) (void)unlink(options.toward);
  PetscCall(WalkResultDestroy(&away));
  PetscCall(WalkResultDestroy(&back));
  PetscCall(WalkResultDestroy(&shrunk));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- growth ---------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestGrowth(PetscInt G, PetscInt l)
{
  const WalkOptions options = {.steps = 0, .seed = 1, .certify = PETSC_FALSE, .growth = 5};
  Point             point;
  WalkResult        r;
  const Growth     *g;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(PETSC_COMM_WORLD, G, l, &point));
  PetscCall(Run(&point, &options, &r));
  g = &r.growth[GROWTH_TANGENT];
  Tap((PetscBool)(g->directions == 5 && g->least > 3.98 && g->largest < 4.02), "tangent: the loss grows as t^%.4f",
      (double)g->exponent);
  g = &r.growth[GROWTH_NORMAL];
  Tap((PetscBool)(g->directions == 5 && g->least > 1.98 && g->largest < 2.02), "normal: as t^%.4f", (double)g->exponent);
  g = &r.growth[GROWTH_LAST];
  Tap((PetscBool)(g->directions == 5 && isnan(g->exponent) && g->loss_max < 1e4 * r.floor),
      "in the last layer's kernel it stays zero out to t = 1: %.1e, floor %.1e", (double)g->loss_max, (double)r.floor);
  PetscCall(WalkResultDestroy(&r));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- links ----------------------------------------------------------------------------------------------------------- */

static void TestLinkAlone(void)
{
  WalkPoint a = {.eta = 0, .s = 2, .regular_radius = 1}, b = {.eta = 0, .s = 3, .regular_radius = 2};
  PetscBool proved;
  PetscReal h;

  /* nearer to a, Lambda = 2, s = 2: h = Lambda (Lambda a^2/8)/(s - Lambda a/2)^2 = (a^2/2)/(2 - a)^2 */
  h = WalkLink(&a, &b, .5, &proved);
  TapClose(h, .125 / 2.25, 1, 1e-10, "h of a link by hand");
  Tap(proved, "... is proved");
  (void)WalkLink(&a, &b, .999, &proved);
  Tap(proved, "zeros 0.999 apart within R = 1: proved");
  (void)WalkLink(&a, &b, 1.001, &proved);
  Tap((PetscBool)!proved, "1.001 apart: not");
  (void)WalkLink(&b, &a, 1.001, &proved);
  Tap((PetscBool)!proved, "... nor from the other end");
  a.eta = .2;
  (void)WalkLink(&b, &a, .9, &proved);
  Tap((PetscBool)!proved, "a residual at one end counts");
  a.eta            = 0;
  a.regular_radius = 0;
  (void)WalkLink(&a, &b, 1e-9, &proved);
  Tap((PetscBool)!proved, "an end that is not certified proves nothing");
}

/* what a link says of the segment, at points of it: |H| and sigma_min */
static PetscErrorCode HoldsOnSegment(Problem *problem, Tiles K, Vec from, Vec to, const WalkPoint *a, const WalkPoint *b,
                                     PetscReal step, PetscBool *holds)
{
  const SpectrumOptions options = {.method = 1};
  Spectrum              spectrum;
  PetscBool             factored;
  PetscReal             norm;

  PetscFunctionBeginUser;
  *holds = PETSC_TRUE;
  for (PetscInt i = 0; i <= 10; i++) {
    const PetscReal  t = (PetscReal)i / 10, far = PetscMin(t, 1 - t) * step;
    const WalkPoint *near   = t <= .5 ? a : b;
    const PetscReal  Lambda = near->s / near->regular_radius;

    PetscCall(VecCopy(from, problem->theta));
    PetscCall(VecScale(problem->theta, 1 - t));
    PetscCall(VecAXPY(problem->theta, t, to));
    PetscCall(ProblemLinearize(problem));
    PetscCall(VecNorm(problem->H, NORM_2, &norm));
    PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
    *holds = (PetscBool)(*holds && norm <= PetscMax(a->eta, b->eta) + Lambda * step * step / 8 &&
                         spectrum.sigma[problem->map->m - 1] >= near->s - Lambda * far - spectrum.resolution);
    PetscCall(SpectrumDestroy(&spectrum));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestChain(PetscInt G)
{
  WalkOptions options = {.steps = 4, .length = 0, .direction = WALK_STRAIGHT, .seed = 1, .certify = PETSC_TRUE};
  char        text[640];
  Point       point;
  WalkResult  r, one;
  PetscBool   proved = PETSC_TRUE, holds;
  Vec         from, to;

  PetscFunctionBeginUser;
  PetscCall(PointCreate(PETSC_COMM_WORLD, G, 1, &point));
  PetscCall(VecDuplicate(point.problem.theta, &from));
  PetscCall(VecDuplicate(point.problem.theta, &to));
  PetscCall(Run(&point, &options, &r));
  for (PetscInt k = 1; k < r.points; k++)
    proved = (PetscBool)(proved && r.point[k].linked > 0 && r.point[k].step < r.point[k - 1].regular_radius);
  Tap((PetscBool)(r.points == 5 && proved), "steps of half the certified radius: each link is proved");
  WalkTheorem(&r, sizeof text, text);
  Tap((PetscBool)(strstr(text, "All 5 points") && strstr(text, "one connected piece")), "... and the theorem says so");
  PetscCall(VecCopy(point.problem.theta, from));
  options.steps = 1;
  PetscCall(Run(&point, &options, &one));
  PetscCall(VecCopy(point.problem.theta, to));
  PetscCall(HoldsOnSegment(&point.problem, point.K, from, to, &one.point[0], &one.point[1], one.point[1].step, &holds));
  Tap(holds, "... its bounds of |H| and sigma_min hold on a segment");
  PetscCall(WalkResultDestroy(&one));
  options.length = 100 * r.point[0].regular_radius;
  PetscCall(VecCopy(to, point.problem.theta));
  PetscCall(Run(&point, &options, &one));
  WalkTheorem(&one, sizeof text, text);
  Tap((PetscBool)(one.points == 2 && one.point[1].linked == 0 && strstr(text, "No two points")),
      "steps of a hundred radii: no link is");
  PetscCall(WalkResultDestroy(&one));
  PetscCall(WalkResultDestroy(&r));
  PetscCall(VecDestroy(&to));
  PetscCall(VecDestroy(&from));
  PetscCall(PointDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  TestLinkAlone();
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(TestWay(G, 1));
    TapCall(TestWay(G, 2));
    TapCall(TestGrowth(G, 1));
    TapCall(TestGrowth(G, 2));
    TapCall(TestChain(G));
  }
  TapCall(TestToward(size));
  return TapEnd();
}
