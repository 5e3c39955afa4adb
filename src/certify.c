/*
  certify.c: the theorem of certify.h from eta, s and Lambda.

  Proof. J_0 = J(theta_0), S = (J_0 J_0^T)^(1/2), Q = J_0^T S^(-1) (orthonormal columns), g(c) = H(theta_0 + Q c): g(0) = H(theta_0), g'(0) = S, and
  N(c) = c - S^(-1) g(c) has |N(c)| <= (eta + Lambda |c|^2/2)/s <= rho for |c| <= rho, since rho is the smaller root of
  Lambda rho^2/2 - s rho + eta = 0, written without cancellation. Brouwer: N has a fixed point there, g(c) = 0. sigma_min is 1-Lipschitz:
  sigma_min(J(theta*)) >= s - Lambda rho = s sqrt(1 - 2h). Likewise rank J = m within R of theta_0 if R Lambda(R) <= s.
  At theta_0 the Hessian is 2 J^T J + 2 sum_k H_k D^2 H_k, the second term of norm <= 2 eta Lambda (Weyl).
*/
#include "codim/certify.h"
#include "certify_enclose.h"
#include "certify_norms.h"
#include "certify_paths.h"
#include "certify_pivots.h"
#include "certify_recursion.h"
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <string.h>

#ifdef __FAST_MATH__
  #error "the certificate needs IEEE arithmetic: compile without -ffast-math"
#endif

const CertifyOptions CertifyDefaults = {.split = SPLIT_AUTO, .enclose = PETSC_TRUE};

/* what one attempt is made of, and what comes of it */
typedef struct {
  ResidualMap            map;
  Vec                    theta;
  Trajectory             trajectory; /* plain */
  Tiles                  K;
  const CertifyOptions  *options;
  PetscBool              panels, split, by_paths; /* what is sharper, and dearer: panels of W, the split residual, paths */
  LabelNorm             *labels;
  struct Jacobian_s      jacobian; /* what K is made of; units NULL: enclose, K is there */
  Trajectory             sharper;  /* its own trajectory; NULL: the plain one */
  const ShiftedCholesky *given;    /* K is that factor of it; NULL: K is there */
  Measures               measures;
  PetscReal             *paths;  /* certify_paths.h; NULL if not by_paths */
  PetscBool              same;   /* the ranks of each group hold the same doubles */
  PetscBool              pivots; /* K was cut down to independent rows */
  PetscInt               rank;   /* so many; 0: all */
  ErrorBounds            errors;
  SingularBounds         singular;
  Certificate           *c;
} Proof;

static void Undecided(Certificate *c, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

static void Undecided(Certificate *c, const char format[], ...)
{
  va_list arguments;

  c->status = CERTIFY_UNDECIDED;
  va_start(arguments, format);
  vsnprintf(c->reason, sizeof c->reason, format, arguments);
  va_end(arguments);
}

/* ---- assumptions ------------------------------------------------------------------------------------------------------ */

/* round to nearest, even; doubles are not kept longer; no flush to zero, no denormals are zero */
static PetscBool ArithmeticIsSound(void)
{
  volatile PetscReal       one = 1, u = ROUNDING, least = DBL_MIN, denormal = least / 4;
  const volatile PetscReal tie = one + u, above = one + u * (1 + 2 * u), below = one - u / 2, third = (one + 2 * u) + u;

  return (PetscBool)(fegetround() == FE_TONEAREST && tie == 1 && above == 1 + 2 * u && below == 1 && third == 1 + 4 * u &&
                     denormal > 0 && denormal * 4 == least);
}

static PetscErrorCode CheckAssumptions(ResidualMap map, Certificate *c)
{
  const Network net   = map->network;
  int           sound = ArithmeticIsSound();

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sound, 1, MPI_INT, MPI_MIN, map->grid->world));
  if (!sound) Undecided(c, "on some rank doubles are not rounded to nearest, or small ones are flushed to zero");
  for (PetscInt v = 1; v < net->nops; v++)
    if (!net->ops[v].kind->bounds) Undecided(c, "op %s has no bounds", net->ops[v].kind->name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the plan ------------------------------------------------------------------------------------------------------------ */

/* flops of three forward passes, and those of K and of its eigenvalues (vectors: 9 m^3) or Cholesky factorizations */
static void Flops(Network net, PetscReal d, PetscReal m, PetscBool enclose, PetscReal *split, PetscReal *dense)
{
  *split = 0;
  *dense = (enclose ? 9 : 1) * m * m * m;

  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];

    if (op->weight >= 0) {
      const PetscReal T = (PetscReal)op->places, h = (PetscReal)op->dim / T, k = (PetscReal)net->labels[op->weight].cols;

      *split += 6 * d * T * h * k;
      *dense += T * T * (d * d * k + m * m * h);
    }
  }
}

/* is the first attempt by the split residual? */
static PetscBool SplitsFirst(Network net, PetscReal d, PetscReal m, const CertifyOptions *options)
{
  PetscReal split, dense;

  Flops(net, d, m, options->enclose, &split, &dense);
  return (PetscBool)(options->split == SPLIT_ALWAYS || (options->split == SPLIT_AUTO && !options->factor && 4 * split <= dense));
}

/* room for another trajectory and its parts, which only a second attempt needs: no plan counts on it */
static PetscErrorCode SplitFits(ResidualMap map, PetscBool *fits)
{
  const PetscReal N      = PetscCeilReal((PetscReal)map->d / map->grid->G),
                  needed = 4 * 8 * N * (PetscReal)NetworkSumUnits(map->network);
  PetscReal available;

  PetscFunctionBeginUser;
  PetscCall(MemoryAvailable(map->grid->world, 0, &available));
  *fits = (PetscBool)(needed <= available);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* paths: `at_once` where they cost next to nothing, else some seconds. By all points, as if on one rank: another number of ranks proves alike. */
static PetscBool PathsPay(Network net, PetscReal d, PetscReal dense, PetscBool at_once)
{
  PetscReal flops, bytes;

  PathsCost(net, d, &flops, &bytes);
  return (PetscBool)(bytes <= 2.5e8 && flops <= (at_once ? PetscMax(2e9, dense / 4) : 4e10));
}

static PetscBool PathsPayHere(const Proof *proof, PetscBool at_once)
{
  PetscReal split, dense;

  Flops(proof->map->network, (PetscReal)proof->map->d, (PetscReal)proof->map->m, proof->options->enclose, &split, &dense);
  return PathsPay(proof->map->network, (PetscReal)proof->map->d, dense, at_once);
}

/* ---- bounds at theta_0 ---------------------------------------------------------------------------------------------------- */

/* Roundings on the way from factors to an entry of K (gram.c): deltas is a dot product of length h, of all labels with one A together, values
   one of length k, values + 1 and their product 2 more; for a label that goes by its block sums over its uses on both sides, then the
   length of a panel. All these are added up, one for each pair of places of a weight's uses or for each panel. With GramTerm's length and
   sums in total at most

     c = length + 4 + sum over all labels of sums,      |K^ - J^ J^T|_rs <= sum_mu gamma_c q_r,mu q_s,mu

   |A_r| |A_s| + 1 <= q q by Cauchy-Schwarz. Over all r, s the Frobenius norm is at most sum_mu gamma_c |q_mu|^2. */
static PetscReal GramError(const Proof *proof)
{
  const Network   net = proof->map->network;
  const PetscReal d = (PetscReal)proof->map->d, m = (PetscReal)proof->map->m;
  PetscReal       sums = 0, error = 0;

  for (PetscInt mu = 0; mu < net->nlabels; mu++) sums += GramTermOf(net, d, m, mu).sums;
  for (PetscInt mu = 0; mu < net->nlabels; mu++)
    error += Up(Gamma(GramTermOf(net, d, m, mu).length + 4 + sums) * proof->errors.q2[mu]);
  return Up(error + m * TINY * proof->errors.factor);
}

static PetscErrorCode FillGram(void *context, Tiles K)
{
  Proof *proof = context;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(&proof->jacobian, K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the factors that the given factor of K was made of, and these: the same doubles? */
static PetscErrorCode SameFactors(const Proof *proof, PetscBool *same)
{
  const ResidualMap map   = proof->map;
  const Jacobian    other = proof->options->jacobian;
  int equal = other && other->trajectory == proof->jacobian.trajectory && other->units->rows == proof->jacobian.units->rows;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < map->network->nops && equal; v++) {
    const size_t size = (size_t)proof->jacobian.units->rows * (size_t)map->network->ops[v].dim;

    if (!OpHasParameters(&map->network->ops[v]) || !other->units->bar[v]) continue;
    equal = proof->jacobian.units->bar[v] && !memcmp(other->units->bar[v], proof->jacobian.units->bar[v], size * sizeof(PetscReal));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &equal, 1, MPI_INT, MPI_MIN, map->grid->world));
  *same = (PetscBool)equal;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K and the norms from one trajectory and its adjoint, the same doubles for both */
static PetscErrorCode Linearize(Proof *proof, Trajectory trajectory, PetscReal *const eps[])
{
  const struct Jacobian_s jacobian = {.map = proof->map, .trajectory = trajectory};
  PetscBool               reuse    = PETSC_FALSE, same;

  PetscFunctionBeginUser;
  proof->jacobian = jacobian;
  PetscCall(AdjointCreate(proof->map, ADJOINT_RESIDUALS, ADJOINT_FIXED_TOO, &proof->jacobian.units));
  PetscCall(ResidualMapAdjoint(proof->map, proof->theta, trajectory, NULL, proof->jacobian.units));
  PetscCall(MeasuresCreate(proof->map, trajectory, proof->jacobian.units, eps, &proof->same, &proof->measures));
  if (proof->by_paths) {
    PetscCall(PathsCreate(proof->map, proof->theta, trajectory, &same, &proof->paths));
    proof->same = (PetscBool)(proof->same && same);
  }
  if (proof->given) PetscCall(SameFactors(proof, &reuse));
  if (!reuse) {
    proof->given = NULL;
    PetscCall(FillGram(proof, proof->K));
  }
  if (proof->options->enclose && !proof->rank) PetscCall(AdjointDestroy(&proof->jacobian.units));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LinearizeSplit(Proof *proof)
{
  const PetscInt nvalues = proof->map->network->nops;
  PetscReal    **eps;

  PetscFunctionBeginUser;
  proof->given = NULL; /* of the plain trajectory */
  PetscCall(PetscCalloc1(nvalues, &eps));
  PetscCall(TrajectoryCreate(proof->map, &proof->sharper));
  PetscCall(SplitForward(proof->map, proof->theta, proof->sharper, eps));
  PetscCall(Linearize(proof, proof->sharper, eps));
  if (proof->options->enclose && !proof->rank) PetscCall(TrajectoryDestroy(&proof->sharper));
  for (PetscInt v = 0; v < nvalues; v++) PetscCall(PetscFree(eps[v]));
  PetscCall(PetscFree(eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* s, from K or the factor that was given; estimate: of the least eigenvalue; 0: none */
static PetscErrorCode BoundSingular(Proof *proof, PetscReal estimate)
{
  const GramSource source = {proof->K, proof->given, FillGram, proof};
  Certificate     *c      = proof->c;

  PetscFunctionBeginUser;
  if (proof->options->enclose)
    PetscCall(BoundSingularValues(proof->K, c->gram_error, c->jacobian_error, proof->options->vectors, proof->options->lambda,
                                  &proof->singular));
  else
    PetscCall(BoundSmallestSingularValue(&source, c->gram_error, c->jacobian_error, estimate, &proof->singular));
  c->eigen_error     = proof->singular.eigen_error;
  c->orthogonality   = proof->singular.orthogonality;
  c->sigma_min_lower = proof->singular.s > 0 ? proof->singular.s : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* eta and s; false: no s > 0 */
static PetscErrorCode BoundsAtPoint(Proof *proof, PetscBool *found)
{
  const Recursion recursion = {proof->map, proof->measures, proof->labels, proof->paths};
  Certificate    *c         = proof->c;
  PetscReal       squares;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  PetscCall(BoundErrors(&recursion, &proof->errors));
  c->gram_error     = GramError(proof);
  c->jacobian_error = proof->errors.jacobian;
  c->exact_targets  = proof->options->exact_targets;
  c->residual_upper = c->exact_targets ? 0 : proof->errors.residual;
  c->residual_lower = c->exact_targets ? 0 : proof->errors.residual_lower;
  if (c->exact_targets) c->targets_rounding = proof->errors.residual;
  if (proof->given)
    squares = proof->given->squares;
  else
    PetscCall(TilesNorms(proof->K, NULL, &squares, NULL));
  if (PetscIsInfOrNanReal(squares)) {
    Undecided(c, "K has entries that are not finite");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BoundSingular(proof, proof->options->lambda_min));
  *found = (PetscBool)(proof->singular.s > 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* "unit 3 of op 'layers.0.sigma' (relu) at point 7, 1.0e-09 from its kink" */
static void NearestKink(const Proof *proof, const Margin *margin, size_t size, char text[])
{
  const NetOp *op   = &proof->map->network->ops[margin->value];
  const char  *kind = op->activation ? op->activation->name : op->kind->name;

  (void)PetscSNPrintf(text, size, "unit %" PetscInt_FMT " of op '%s' (%s) at point %" PetscInt_FMT ", %.2e from its kink",
                      margin->unit + 1, op->name, kind, margin->point + 1, (double)margin->distance);
}

static void ExplainSingular(const Proof *proof)
{
  const SingularBounds *s = &proof->singular;
  char                  nearest[192];

  if (proof->errors.margin.least <= 0) {
    NearestKink(proof, &proof->errors.margin, sizeof nearest, nearest);
    Undecided(proof->c, "the net has a kink within the rounding error of some argument: margin %.2e; nearest is %s",
              (double)proof->errors.margin.least, nearest);
  } else if (!(s->least > s->needed))
    Undecided(proof->c,
              "sigma_min(J) > 0 is not proved: the least eigenvalue of K is about %.3e, its error bound %.3e, larger by a factor "
              "%.3g",
              (double)s->least, (double)s->needed, s->least > 0 ? (double)(s->needed / s->least) : INFINITY);
  else
    Undecided(proof->c,
              "sigma_min(J) > 0 is not proved: about %.3e, the error of J's entries is bounded by %.3e, larger by a factor %.3g",
              (double)sqrt((double)s->least), (double)proof->c->jacobian_error,
              (double)proof->c->jacobian_error / sqrt((double)s->least));
}

/* ---- the theorem ------------------------------------------------------------------------------------------------------------ */

static void KeepMargin(const Proof *proof, const Margin *margin)
{
  Certificate *c = proof->c;

  c->margin = margin->least;
  c->kink   = (Kink){.unit = -1};
  if (!PetscIsInfReal(margin->least)) {
    c->kink = (Kink){.unit = margin->unit, .point = margin->point, .distance = margin->distance};
    (void)PetscStrncpy(c->kink.op, proof->map->network->ops[margin->value].name, sizeof c->kink.op);
  }
}

/* h and rho of the theorem in a ball of radius r; false: they do not exist, or the ball is too small. eta = 0: theta_0 is the zero, and J is
   differentiable there, as s > 0 only comes of finite bounds */
static PetscErrorCode TryBall(const Proof *proof, PetscReal r, Margin *margin, PetscBool *proved)
{
  const Recursion recursion = {proof->map, proof->measures, proof->labels, proof->paths};
  Certificate    *c         = proof->c;
  const PetscReal eta = c->residual_upper, s = c->sigma_min_lower;
  PetscReal       Lambda, h = 0, rho = 0;

  PetscFunctionBeginUser;
  PetscCall(BoundLipschitz(&recursion, r, &Lambda, margin));
  if (!(eta == 0)) { /* NaN too */
    h   = Up(Lambda * eta / (s * s));
    rho = h < .5 ? Up(2 * eta / (s * (1 + PetscSqrtReal(1 - 2 * h)))) : INFINITY;
  }
  *proved = (PetscBool)(h < .5 && rho <= r);
  if (c->radius < INFINITY && !*proved) PetscFunctionReturn(PETSC_SUCCESS); /* the larger ball's numbers stay */
  KeepMargin(proof, margin);
  c->lipschitz = Lambda;
  c->ball      = r;
  c->h         = h;
  c->radius    = rho;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Any rho is at most 2 eta/s: that ball first, then, as the theorem gave a smaller rho, that one's. */
static PetscErrorCode Kantorovich(Proof *proof, PetscBool *proved)
{
  Certificate    *c   = proof->c;
  const PetscReal eta = c->residual_upper, s = c->sigma_min_lower, r = 2 * eta / s * (1 + 0x1p-30) + 4 * TINY;
  PetscBool       again;
  char            nearest[192];
  Margin          margin;

  PetscFunctionBeginUser;
  PetscCall(TryBall(proof, r, &margin, proved));
  if (*proved) {
    PetscCall(TryBall(proof, c->radius * (1 + 0x1p-20) + 4 * TINY, &margin, &again));
    c->sigma_min_zero = s * PetscSqrtReal(1 - 2 * c->h) * (1 - SLACK);
    c->zero_bound     = eta == 0 ? 0 : Up(2 * eta * c->lipschitz);
    c->positive_bound = (2 * s * s - c->zero_bound) * (1 - SLACK);
  } else if (c->margin <= 0) {
    NearestKink(proof, &margin, sizeof nearest, nearest);
    Undecided(c, "the net has a kink in the ball of radius %.2e: least margin of an argument %.2e; nearest is %s", (double)r,
              (double)c->margin, nearest);
  } else
    Undecided(c,
              "h = Lambda eta/s^2 = %.3g is not below 1/2, by a factor %.3g: Lambda = %.3e, residual eta = %.3e, sigma_min >= s = "
              "%.3e",
              (double)c->h, (double)(2 * c->h), (double)c->lipschitz, (double)eta, (double)s);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* R: the largest found with R Lambda(R) <= s. Lambda grows with R, so R <= s/Lambda(r): from there down, then bisection of the last step. */
static PetscErrorCode RegularRadius(const Proof *proof)
{
  const Recursion    recursion = {proof->map, proof->measures, proof->labels, proof->paths};
  const Certificate *c         = proof->c;
  const PetscReal    s = c->sigma_min_lower, most = 1e100; /* a net of one linear map: everywhere */
  PetscReal          good = Up(c->ball * c->lipschitz) <= s ? c->ball : 0, bad = INFINITY, Lambda;
  PetscReal r = c->lipschitz > s / most ? ldexp(1, 1 + ilogb(s / c->lipschitz)) : most; /* powers of 2: the same on any grid */

  PetscFunctionBeginUser;
  for (PetscInt bisections = 0; bisections < 6 && r > good;) {
    PetscCall(BoundLipschitz(&recursion, r, &Lambda, NULL));
    if (Up(r * Lambda) <= s) {
      good = r;
      if (bad == INFINITY) break;
    } else
      bad = r;
    bisections += good >= bad / 16;
    r = good >= bad / 16 ? PetscSqrtReal(good) * PetscSqrtReal(bad) : bad / 8;
  }
  proof->c->regular_radius = good;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |H(theta)| >= eta_low - sigma_max t - Lambda t^2/2 at distance t <= r: no zero while that is positive. The root is at most
   eta_low/sigma_max, which is r. */
static PetscErrorCode DistanceLower(const Proof *proof)
{
  const Recursion recursion = {proof->map, proof->measures, proof->labels, proof->paths};
  const PetscReal eta = proof->c->residual_lower, S = proof->singular.largest, r = eta / S * (1 + SLACK);
  PetscReal       Lambda, distance;

  PetscFunctionBeginUser;
  if (!(eta > 0 && S > 0 && S < INFINITY)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(BoundLipschitz(&recursion, r, &Lambda, NULL));
  distance                 = 2 * eta / (S + PetscSqrtReal(S * S + 2 * Lambda * eta)) * (1 - SLACK);
  proof->c->distance_lower = distance > 0 ? distance : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma_k moves by at most Lambda rho from theta_0 to theta*; the Hessian's eigenvalues there are 2 sigma_k^2 */
static PetscErrorCode EncloseEigenvalues(const Proof *proof)
{
  Certificate    *c     = proof->c;
  const PetscReal shift = c->radius > 0 ? Up(c->lipschitz * c->radius) : 0;

  PetscFunctionBeginUser;
  if (!proof->singular.lo) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc2(c->m, &c->lo, c->m, &c->hi));
  for (PetscInt k = 0; k < c->m; k++) {
    const PetscReal lo = proof->singular.lo[k] * (1 - 0x1p-50) - shift, hi = proof->singular.hi[k] + shift;

    c->lo[k] = PetscMax(lo > 0 ? 2 * lo * lo * (1 - 0x1p-49) : 0, 2 * c->sigma_min_zero * c->sigma_min_zero * (1 - SLACK));
    c->hi[k] = 2 * hi * hi * (1 + 0x1p-49) + TINY;
  }
  c->enclosed = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The factor that was given proves little; one of K with the largest tau proves all that can be. */
static PetscErrorCode SharpenGiven(Proof *proof, PetscBool *proved)
{
  const PetscReal least = proof->singular.least;

  PetscFunctionBeginUser;
  if (!proof->given || !(least > proof->singular.needed)) PetscFunctionReturn(PETSC_SUCCESS);
  proof->given        = NULL;
  proof->c->reason[0] = '\0';
  proof->c->radius    = INFINITY;
  PetscCall(FillGram(proof, proof->K));
  PetscCall(BoundSingular(proof, least));
  if (proof->singular.s > 0) PetscCall(Kantorovich(proof, proved));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One attempt. *again: a sharper one may do better. */
static PetscErrorCode Attempt(Proof *proof, PetscBool *again)
{
  PetscBool found, proved = PETSC_FALSE;

  PetscFunctionBeginUser;
  *again = PETSC_FALSE;
  CertificateClear(proof->map, proof->c);
  proof->c->split  = proof->split;
  proof->c->panels = proof->panels;
  proof->c->paths  = proof->by_paths;
  if (!proof->measures)
    PetscCall(proof->split ? LinearizeSplit(proof) : Linearize(proof, proof->trajectory, NULL));
  else if (!proof->options->enclose) /* factorizations took its place */
    PetscCall(FillGram(proof, proof->K));
  if (!proof->same) {
    Undecided(proof->c, "the ranks of a group hold different doubles of the same values: is the machine mixed?");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BoundsAtPoint(proof, &found));
  if (found) PetscCall(Kantorovich(proof, &proved));
  if (!proved) PetscCall(SharpenGiven(proof, &proved));
  if (!(proof->singular.s > 0) && !proof->c->reason[0]) ExplainSingular(proof);
  *again = (PetscBool)(!proved && proof->singular.least > proof->singular.needed);
  if (proved) {
    proof->c->status = CERTIFY_PROVED;
    PetscCall(RegularRadius(proof));
    PetscCall(EncloseEigenvalues(proof));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the measures, and the factors that K was made of */
static PetscErrorCode Forget(Proof *proof)
{
  PetscFunctionBeginUser;
  PetscCall(MeasuresDestroy(&proof->measures));
  PetscCall(AdjointDestroy(&proof->jacobian.units));
  PetscCall(TrajectoryDestroy(&proof->sharper));
  PetscCall(PetscFree(proof->paths));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the cheapest of what has not been tried; false: nothing is left */
static PetscErrorCode Sharpen(Proof *proof, PetscBool *sharper)
{
  PetscBool fits = PETSC_FALSE;

  PetscFunctionBeginUser;
  *sharper = PETSC_TRUE;
  PetscCall(SplitFits(proof->map, &fits));
  if (!proof->panels && LabelsNeedPanels(proof->map)) {
    PetscCall(BoundLabelPanels(proof->map, proof->theta, proof->labels));
    proof->panels = PETSC_TRUE;
  } else if (!proof->split && proof->options->split == SPLIT_AUTO && fits) {
    proof->split = PETSC_TRUE;
    PetscCall(Forget(proof));
  } else if (!proof->by_paths && proof->options->paths == SPLIT_AUTO && PathsPayHere(proof, PETSC_FALSE)) {
    proof->by_paths = PETSC_TRUE;
    PetscCall(Forget(proof));
  } else
    *sharper = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AttemptDestroy(Proof *proof)
{
  PetscFunctionBeginUser;
  PetscCall(ErrorBoundsDestroy(&proof->errors));
  PetscCall(SingularBoundsDestroy(&proof->singular));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void CertificateClear(ResidualMap map, Certificate *c)
{
  const Certificate nothing = {.status         = CERTIFY_UNDECIDED,
                               .residual_upper = INFINITY,
                               .lipschitz      = INFINITY,
                               .h              = INFINITY,
                               .radius         = INFINITY,
                               .zero_bound     = INFINITY,
                               .gram_error     = INFINITY,
                               .jacobian_error = INFINITY,
                               .eigen_error    = INFINITY,
                               .margin         = INFINITY,
                               .kink           = {.unit = -1},
                               .rank_bound     = -1,
                               .rank_radius    = INFINITY,
                               .rank           = -1};

  *c   = nothing;
  c->m = map->m;
  c->n = map->n;
}

static PetscErrorCode ProofBegin(Proof *proof)
{
  const CertifyOptions *options = proof->options;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(proof->map->network->nlabels, &proof->labels));
  proof->split = SplitsFirst(proof->map->network, (PetscReal)proof->map->d, (PetscReal)proof->map->m, options);
  proof->by_paths =
      (PetscBool)(options->paths == SPLIT_ALWAYS || (options->paths == SPLIT_AUTO && PathsPayHere(proof, PETSC_TRUE)));
  proof->panels = LabelPanelsAreCheap(proof->map);
  PetscCall(BoundLabelNorms(proof->map, proof->theta, proof->panels, proof->labels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ProofEnd(Proof *proof)
{
  PetscFunctionBeginUser;
  PetscCall(Forget(proof));
  PetscCall(PetscFree(proof->labels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KeepNorms(const Proof *proof)
{
  Certificate *c = proof->c;

  PetscFunctionBeginUser;
  c->nlabels = proof->map->network->nlabels;
  PetscCall(PetscMalloc1(c->nlabels, &c->norms));
  for (PetscInt label = 0; label < c->nlabels; label++) c->norms[label] = proof->labels[label].spectral;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CertifyCompute(ResidualMap map, Vec theta, Trajectory trajectory, Tiles K, const CertifyOptions *options,
                              Certificate *c)
{
  const PetscLogDouble start = MPI_Wtime();
  Proof                proof =
      {.map = map, .theta = theta, .trajectory = trajectory, .K = K, .options = options, .given = options->factor, .c = c};
  PetscBool again;

  PetscFunctionBeginUser;
  CertificateClear(map, c);
  PetscCall(CheckAssumptions(map, c));
  if (c->reason[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ProofBegin(&proof));
  PetscCall(Attempt(&proof, &again));
  while (again) {
    PetscCall(Sharpen(&proof, &again));
    if (!again) break;
    PetscCall(AttemptDestroy(&proof));
    PetscCall(Attempt(&proof, &again));
  }
  PetscCall(DistanceLower(&proof));
  PetscCall(KeepNorms(&proof));
  PetscCall(AttemptDestroy(&proof));
  PetscCall(ProofEnd(&proof));
  c->seconds = (PetscReal)(MPI_Wtime() - start);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- a rank below m -------------------------------------------------------------------------------------------------------------
   rank J <= R near theta_0 is known. If R rows of J(theta_0) have sigma_min >= s > 0, then rank J = R there, and, as these rows move by at most
   Lambda |theta - theta_0|, in the open ball of radius R' with R' Lambda(R') <= s. Where the rank is constant, the level sets of H are
   manifolds of codimension R (constant rank theorem): M is there empty or one. Its Hessian 2 J^T J has R positive eigenvalues on it.
   K and J restricted to some rows are off by no more than the whole of them. */

static PetscErrorCode FillPivots(void *context, Tiles K)
{
  Proof *proof = context;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(&proof->jacobian, K));
  PetscCall(TilesKeepPivots(K, proof->rank, &proof->pivots));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EstablishRank(Proof *proof, PetscInt rank, PetscBool *found)
{
  const GramSource source    = {proof->K, NULL, FillPivots, proof};
  Recursion        recursion = {proof->map, NULL, proof->labels, NULL};
  Certificate     *c         = proof->c;
  PetscReal        squares;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  CertificateClear(proof->map, c);
  proof->rank = rank;
  if (!proof->measures)
    PetscCall(proof->split ? LinearizeSplit(proof) : Linearize(proof, proof->trajectory, NULL));
  else
    PetscCall(FillGram(proof, proof->K));
  PetscCall(TilesNorms(proof->K, NULL, &squares, NULL));
  proof->pivots = PETSC_FALSE;
  if (proof->same && !PetscIsInfOrNanReal(squares)) PetscCall(TilesKeepPivots(proof->K, rank, &proof->pivots));
  if (!proof->pivots) PetscFunctionReturn(PETSC_SUCCESS);
  recursion.measures = proof->measures;
  recursion.paths    = proof->paths;
  PetscCall(BoundErrors(&recursion, &proof->errors));
  c->gram_error     = GramError(proof);
  c->jacobian_error = proof->errors.jacobian;
  PetscCall(BoundSmallestSingularValue(&source, c->gram_error, c->jacobian_error, 0, &proof->singular));
  c->eigen_error = proof->singular.eigen_error;
  *found         = (PetscBool)(proof->singular.s > 0);
  if (!*found) PetscFunctionReturn(PETSC_SUCCESS);
  c->sigma_min_lower = proof->singular.s;
  PetscCall(BoundLipschitz(&recursion, c->ball, &c->lipschitz, NULL));
  PetscCall(RegularRadius(proof));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CertifyRank(ResidualMap map, Vec theta, Trajectory trajectory, Tiles K, const CertifyOptions *options,
                           Certificate *c)
{
  Certificate at    = {.rank = -1};
  Proof       proof = {.map = map, .theta = theta, .trajectory = trajectory, .K = K, .options = options, .c = &at};
  PetscBool   found = PETSC_FALSE, sharper = PETSC_TRUE;

  PetscFunctionBeginUser;
  CertificateClear(map, &at);
  PetscCall(CheckAssumptions(map, &at));
  if (at.reason[0] || c->rank_bound < 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ProofBegin(&proof));
  while (!found && sharper) {
    PetscCall(AttemptDestroy(&proof));
    PetscCall(EstablishRank(&proof, c->rank_bound, &found));
    if (!found) PetscCall(Sharpen(&proof, &sharper));
  }
  if (found) {
    c->rank            = c->rank_bound;
    c->sigma_min_lower = at.sigma_min_lower;
    c->regular_radius  = PetscMin(at.regular_radius, c->rank_radius);
    c->gram_error      = at.gram_error;
    c->jacobian_error  = at.jacobian_error;
    c->eigen_error     = at.eigen_error;
    c->split           = proof.split;
    c->panels          = proof.panels;
    c->paths           = proof.by_paths;
    c->exact_targets   = options->exact_targets;
  }
  PetscCall(AttemptDestroy(&proof));
  PetscCall(ProofEnd(&proof));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CertificateArchive(Archive archive, Certificate *c)
{
  const PetscBool reading = ArchiveReading(archive);

  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "values", sizeof *c, c));
  if (reading) c->lo = c->hi = c->norms = NULL;
  if (c->enclosed) {
    if (reading) PetscCall(PetscMalloc2(c->m, &c->lo, c->m, &c->hi));
    PetscCall(ArchiveReals(archive, "lo", c->m, c->lo));
    PetscCall(ArchiveReals(archive, "hi", c->m, c->hi));
  }
  if (c->nlabels) {
    if (reading) PetscCall(PetscMalloc1(c->nlabels, &c->norms));
    PetscCall(ArchiveReals(archive, "norms", c->nlabels, c->norms));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CertificateDestroy(Certificate *c)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(c->lo, c->hi));
  PetscCall(PetscFree(c->norms));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- without computing -------------------------------------------------------------------------------------------------------- */

void CertifySkip(const char reason[], Certificate *c)
{
  const Certificate nothing = {.status = CERTIFY_SKIPPED, .rank_bound = -1, .rank = -1};

  *c = nothing;
  snprintf(c->reason, sizeof c->reason, "%s", reason);
}

const char *CertifyStatusText(CertifyStatus status)
{
  static const char *const texts[] = {"skipped", "proved", "refuted", "undecided"};

  return texts[status];
}

/* numbers to three digits, rounded up or down */
static const char *Outward(PetscReal x, PetscBool up, size_t size, char text[])
{
  const double step = x > 0 ? pow(10, floor(log10((double)x)) - 2) : 1, away = up ? 1 : -1;

  snprintf(text, size, "%.2e", x > 0 ? (double)x + away * .5 * step : 0);
  return text;
}

/* where the zero is */
static void ZeroText(const Certificate *c, size_t size, char text[])
{
  char rho[32];

  if (c->radius == 0)
    (void)PetscSNPrintf(text, size,
                        "At the stored weights, whose outputs the targets are by definition, the loss is exactly zero and");
  else
    (void)PetscSNPrintf(text, size, "Within %s of the stored weights there are weights at which the loss is exactly zero and",
                        Outward(c->radius, PETSC_TRUE, sizeof rho, rho));
}

static void ProvedText(const Certificate *c, size_t size, char text[])
{
  char where[160], at[160] = ".", s[32], R[32], positive[32], zero[32];

  ZeroText(c, sizeof where, where);
  if (c->radius > 0)
    (void)PetscSNPrintf(at, sizeof at, "; at the stored weights the former are at least %s, the latter within %s of 0.",
                        Outward(c->positive_bound, PETSC_FALSE, sizeof positive, positive),
                        Outward(c->zero_bound, PETSC_TRUE, sizeof zero, zero));
  (void)PetscSNPrintf(text, size,
                      "%s rank J = m = %" PetscInt_FMT
                      " (sigma_min >= %s); in the ball of radius %s around the stored weights M is a "
                      "manifold of codimension %" PetscInt_FMT ". At the zero the Hessian has exactly %" PetscInt_FMT
                      " positive and %" PetscInt_FMT " zero eigenvalues%s",
                      where, c->m, Outward(c->sigma_min_zero, PETSC_FALSE, sizeof s, s),
                      Outward(c->regular_radius, PETSC_FALSE, sizeof R, R), c->m, c->m, c->n - c->m, at);
}

void CertifyRankText(const Certificate *c, size_t size, char text[])
{
  char s[32], R[32];

  text[0] = '\0';
  if (c->status != CERTIFY_REFUTED || c->rank < 0) return;
  (void)PetscSNPrintf(text, size,
                      "At the stored weights rank J = %" PetscInt_FMT " is proved: so many rows of J have sigma_min >= %s. In the "
                      "ball of radius %s around them rank J is %" PetscInt_FMT ", and M %s a manifold of codimension %" PetscInt_FMT
                      ", on which the Hessian has exactly %" PetscInt_FMT " positive eigenvalues",
                      c->rank, Outward(c->sigma_min_lower, PETSC_FALSE, sizeof s, s),
                      Outward(c->regular_radius, PETSC_FALSE, sizeof R, R), c->rank,
                      c->exact_targets ? "is, through the stored weights, whose outputs the targets are by definition,"
                                       : "is empty or",
                      c->rank, c->rank);
}

void CertifyTheorem(const Certificate *c, size_t size, char text[])
{
  char rank[640];

  CertifyRankText(c, sizeof rank, rank);
  if (c->status == CERTIFY_PROVED)
    ProvedText(c, size, text);
  else
    snprintf(text, size, "%s: %s%s%s", CertifyStatusText(c->status), c->reason, rank[0] ? ". " : "", rank);
}

/* ---- cost ---------------------------------------------------------------------------------------------------------------------- */

void CertifyCost(const Sizes *s, const CertifyOptions *options, Cost *cost)
{
  Cost            part = {.bytes = 0}, linearize = {.bytes = 0}, dense = {.work[WORK_STREAM] = 6 * SizesTiles(s)};
  const PetscBool split = SplitsFirst(s->network, s->d, s->m, options);
  const PetscReal held  = SizesValues(s, s->R) + (split ? SizesValues(s, s->N) : 0); /* adjoints, the sharper trajectory */
  PetscReal       flops, bytes;

  BoundLabelNormsCost(s, &part);
  PathsCost(s->network, s->N, &flops, &bytes);
  if (PathsPay(s->network, s->d, 0, PETSC_TRUE)) CostHold(&linearize, bytes);
  if (split) SplitForwardCost(s, &linearize);
  ResidualMapAdjointCost(s, s->R, 1, &linearize);
  if (!options->factor) GramCost(s, &linearize);
  linearize.work[WORK_ELEMENTS] += (SizesValues(s, s->N) + SizesValues(s, s->R)) / 8;
  CostHold(&linearize, held);
  CostAdd(&part, &linearize, 1);
  if (options->enclose) {
    if (!options->vectors) TilesEigenvectorsCost(s, &dense);
    TilesGramCost(s, PETSC_TRUE, &dense);
    TilesGramCost(s, PETSC_FALSE, &dense);
    CostHold(&dense, 2 * SizesTiles(s)); /* vectors, a product */
  } else {                               /* in K's place; the factors stay, K is made once more */
    for (int factorizations = 0; factorizations < 2 && !options->factor; factorizations++) TilesCholeskyCost(s, &dense);
    for (int step = 0; step < 12; step++) TilesSolveCost(s, &dense);
    if (!options->factor) GramCost(s, &dense);
    CostHold(&dense, held);
  }
  CostReduceAll(&dense, s->P, 8, 20);
  CostAdd(&part, &dense, 1);
  CostAdd(cost, &part, 1);
}
