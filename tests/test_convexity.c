// ranks: 1 2 3 4
/*
  test_convexity.c: a linear net of one layer has a convex L: no midpoint may be called off M; a tanh net has not.
*/
#include "codim/convexity.h"
#include "problem.h"

static const ReachOptions reach = {.method = REACH_TRAIN, .tolerance = 1e-24, .polish = PETSC_TRUE, .steps = 200};

static PetscErrorCode Find(Problem *problem, const NetOptions *net, ConvexityResult *result)
{
  const ConvexityOptions options     = {.seed = 5};
  CertifyOptions         quick       = CertifyDefaults;
  Certificate            certificate = {.status = CERTIFY_SKIPPED};
  ConvexityPoint         at          = {.map        = problem->map,
                                        .net        = net,
                                        .theta      = problem->theta,
                                        .H          = problem->H,
                                        .trajectory = problem->trajectory,
                                        .jacobian   = problem->jacobian};
  ReachResult            reached;

  PetscFunctionBeginUser;
  *result       = (ConvexityResult){.reached = PETSC_FALSE};
  quick.enclose = PETSC_FALSE;
  PetscCall(TilesCreate(problem->grid->world, problem->map->m, &at.K));
  PetscCall(TrainCreate(problem->map, &reach, &at.train));
  PetscCall(TrainSolve(at.train, problem->theta, problem->trajectory, problem->H, problem->jacobian, at.K, &reached));
  PetscCall(CertifyCompute(problem->map, problem->theta, problem->trajectory, at.K, &quick, &certificate));
  at.radius = certificate.radius;
  PetscCall(ConvexityFind(&at, &options, result));
  PetscCall(CertificateDestroy(&certificate));
  PetscCall(TrainDestroy(&at.train));
  PetscCall(TilesDestroy(&at.K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta, and H there, are as they were: at the first zero */
static PetscErrorCode AtZero(Problem *problem, PetscBool *zero)
{
  PetscReal left, anew;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(problem->H, NORM_2, &left));
  PetscCall(ResidualMapApply(problem->map, problem->theta, problem->trajectory, problem->H));
  PetscCall(VecNorm(problem->H, NORM_2, &anew));
  *zero = (PetscBool)(left == anew && anew < 1e-11);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNet(PetscInt G, PetscBool linear)
{
  const NetOptions net =
      {.widths = {linear ? 0 : 2, {9, 7}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 4, .gain = 1.2, .bias_gain = .3};
  Problem         problem;
  ConvexityResult r;
  Data            data;
  PetscBool       zero = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, linear ? 5 : 11, linear ? 8 : 4, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(Find(&problem, &net, &r));
  PetscCall(AtZero(&problem, &zero));
  Tap((PetscBool)(r.reached && r.distance > .1), "%s net on %d x %d: a second zero at a distance of %.3g",
      linear ? "a linear" : "a tanh", problem.grid->G, problem.grid->Q, (double)r.distance);
  if (linear)
    Tap((PetscBool)(!r.proved && r.loss < 1e-20 && r.radius[0] < 1 && r.radius[1] < 1),
        "... L is convex, and nothing else is claimed: both zeros are proved, the loss midway is %.1e", (double)r.loss);
  else
    Tap((PetscBool)(r.proved && r.loss > 1e-3 && r.residual_lower > 0 && r.residual_lower <= PetscSqrtReal(r.loss) * (1 + 1e-12) &&
                    r.distance_lower > 0 && r.distance_lower < .5 * r.distance),
        "... L is not convex: the loss midway is %.1e, M at least %.1e away", (double)r.loss, (double)r.distance_lower);
  Tap(zero, "... and theta is where it was");
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(TestNet(G, PETSC_TRUE));
    TapCall(TestNet(G, PETSC_FALSE));
  }
  return TapEnd();
}
