/*
  convexity.c: see convexity.h.
*/
#include "codim/convexity.h"

const OptionKey ConvexityKeys[] =
    {{"convexity_seed", KEY_INT, offsetof(ConvexityOptions, seed), "0", 0, 2147483647, NULL,
      "a second zero from the initial parameters of this seed: the loss at the midpoint shows that L is not convex; 0: none"},
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

static PetscErrorCode Certify(const ConvexityPoint *at, Vec theta, Certificate *certificate)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  options.enclose = PETSC_FALSE;
  PetscCall(CertifyCompute(at->map, theta, at->trajectory, at->K, &options, certificate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta_2 := (theta + theta_2)/2, and what is known there */
static PetscErrorCode Midpoint(const ConvexityPoint *at, Vec theta_2, ConvexityResult *result)
{
  Certificate certificate = {.status = CERTIFY_SKIPPED};
  PetscReal   size, off;

  PetscFunctionBeginUser;
  PetscCall(VecAXPBY(theta_2, .5, .5, at->theta));
  PetscCall(VecNorm(theta_2, NORM_2, &size));
  PetscCall(ResidualMapApply(at->map, theta_2, at->trajectory, at->H));
  PetscCall(VecDot(at->H, at->H, &result->loss));
  PetscCall(Certify(at, theta_2, &certificate));
  result->residual_lower = certificate.residual_lower;
  result->distance_lower = certificate.distance_lower;
  off                    = .5 * (result->radius[0] + result->radius[1]) + 2 * PETSC_MACHINE_EPSILON * size;
  result->proved         = (PetscBool)(certificate.distance_lower > off * (1 + 1e-12));
  PetscCall(CertificateDestroy(&certificate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvexityFind(const ConvexityPoint *at, const ConvexityOptions *options, ConvexityResult *result)
{
  NetOptions  net         = *at->net;
  Certificate certificate = {.status = CERTIFY_SKIPPED};
  ReachResult here;
  Vec         theta_2, difference;

  PetscFunctionBeginUser;
  net.seed = options->seed;
  PetscCall(VecDuplicate(at->theta, &theta_2));
  PetscCall(NetworkSetInitial(at->map->network, &net, at->map->parameters, theta_2));
  TrainSetApart(at->train, PETSC_TRUE);
  PetscCall(TrainSolve(at->train, theta_2, at->trajectory, at->H, at->jacobian, at->K, &result->second));
  TrainSetApart(at->train, PETSC_FALSE);
  result->reached   = (PetscBool)(result->second.reason == REACH_TOLERANCE || result->second.reason == REACH_FLOOR);
  result->radius[0] = at->radius;
  result->radius[1] = PETSC_INFINITY;
  if (result->reached) {
    PetscCall(Certify(at, theta_2, &certificate));
    if (certificate.status == CERTIFY_PROVED) result->radius[1] = certificate.radius;
    PetscCall(CertificateDestroy(&certificate));
    PetscCall(VecDuplicate(at->theta, &difference));
    PetscCall(VecWAXPY(difference, -1, at->theta, theta_2));
    PetscCall(VecNorm(difference, NORM_2, &result->distance));
    PetscCall(VecDestroy(&difference));
    PetscCall(Midpoint(at, theta_2, result));
  }
  PetscCall(VecDestroy(&theta_2));
  PetscCall(TrainEvaluate(at->train, at->theta, at->trajectory, at->H, at->jacobian, &here));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void ConvexityCost(const Sizes *s, PetscReal steps, Cost *cost)
{
  CertifyOptions quick = CertifyDefaults;
  Cost           part  = {.bytes = 0};

  quick.enclose = PETSC_FALSE;
  TrainCost(s, steps, &part);
  CertifyCost(s, &quick, &part);
  CertifyCost(s, &quick, &part);
  CostHold(&part, 16 * s->local);
  CostAdd(cost, &part, 1);
}

static json_t *Real(PetscReal x)
{
  return PetscIsInfOrNanReal(x) ? json_null() : json_real((double)x);
}

json_t *ConvexityToJSON(const ConvexityResult *r)
{
  const PetscBool there = r->reached;

  return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "not_convex", (int)r->proved, "second_loss", Real(r->second.loss),
                   "distance", there ? Real(r->distance) : json_null(), "radii",
                   json_pack("[o, o]", Real(r->radius[0]), Real(r->radius[1])), "loss", there ? Real(r->loss) : json_null(),
                   "residual_lower", there ? Real(r->residual_lower) : json_null(), "distance_lower",
                   there ? Real(r->distance_lower) : json_null());
}

void ConvexityDescribe(const ConvexityResult *r, size_t size, char text[])
{
  if (!r->reached)
    (void)PetscSNPrintf(text, size, "no second zero: loss %.3e, %s", (double)r->second.loss, ReachReasonText(r->second.reason));
  else
    (void)
        PetscSNPrintf(text, size,
                      "a second zero at a distance of %.3g; midway the loss is %.3g, |H| >= %.3g and M at least %.1e away: L is %s",
                      (double)r->distance, (double)r->loss, (double)r->residual_lower, (double)r->distance_lower,
                      r->proved ? "not convex, by proof" : "not convex as far as these numbers go; not proved");
}
