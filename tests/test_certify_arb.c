// ranks: 1
// seconds: 1200
/*
  Certificates of small random nets, checked by ball arithmetic at 300 bits (exact.h): H, J, the exact zero theta* by Newton's method in
  theta_0 + range J_0^T, eigenvalues by Sylvester's law. No bound may be violated, on any net.
*/
#include "codim/certify.h"
#include "exact.h"
#include "random_list.h"
#include <arb.h>
#include <unistd.h>

enum { NETS = 600, LISTS = 400, HESSIAN_MOST = 80 };

typedef struct {
  PetscInt  nets, proved, spoiled;
  PetscInt  violated[16];
  char      first[16][160]; /* the first net that violates a bound */
  PetscReal tightest[16];   /* bound/true */
} Tally;

enum { ETA, ETA_LOW, SMIN, E_J, E_K, LAMBDA, RHO, SZERO, ENCLOSURE, REGULAR, DISTANCE, THEOREM, HESSIAN, CLAIMS };

static const char *const Claims[] =
    {"|H(theta_0)| <= eta",
     "|H(theta_0)| >= its lower bound",
     "sigma_min(J(theta_0)) >= s",
     "the computed factors make a J within E_J of the exact one",
     "the computed K is within E_K of their product",
     "Lambda is above what alternating maximization finds of ||D^2 H||",
     "Newton's method ends at a zero within rho",
     "sigma_min(J(theta*)) >= s sqrt(1 - 2h)",
     "every eigenvalue of the Hessian at theta* is in its enclosure",
     "rank J = m at a random point of the ball of radius R",
     "the lower bound of the distance to M is below |theta* - theta_0|",
     "s rho - Lambda rho^2/2 >= eta, rho <= r, h < 1/2: what the proof needs",
     "at theta_0 the Hessian has m eigenvalues of at least 2 s^2 - 2 eta Lambda, n - m within 2 eta Lambda"};

static char net_name[160];

static void Record(Tally *tally, int claim, PetscBool holds, PetscReal ratio)
{
  if (!holds && !tally->violated[claim]++) snprintf(tally->first[claim], sizeof tally->first[claim], "%s", net_name);
  if (ratio > 0) tally->tightest[claim] = PetscMin(tally->tightest[claim], ratio);
}

/* x <= bound */
static void RecordBound(Tally *tally, int claim, const arb_t x, PetscReal bound)
{
  arb_t b;

  arb_init(b);
  if (isfinite((double)bound)) {
    arb_set_d(b, bound);
    Record(tally, claim, (PetscBool)arb_le(x, b), bound / arf_get_d(arb_midref(x), ARF_RND_UP));
  }
  arb_clear(b);
}

/* ---- random nets ----------------------------------------------------------------------------------------------------------- */

/* number k of the choices of net `seed`: 0 … n-1 */
static PetscInt Choose(PetscInt64 seed, PetscInt k, PetscInt n)
{
  PetscReal u;

  RandomUniform(seed, 77, k, 1, &u);
  return PetscMin(n - 1, (PetscInt)(u * (PetscReal)n));
}

static const char *const Sigmas[] = {"tanh",   "softplus", "sigmoid", "smoolu",   "gelu",     "silu", "erf",       "sin",
                                     "square", "cubic",    "rtanh",   "rsigmoid", "identity", "relu", "leaky_relu"};

static PetscErrorCode RandomNet(PetscInt64 seed, Problem *problem)
{
  const PetscReal gains[] = {.5, 1, 1, 1.5, 3}, biases[] = {0, .1, 1};
  NetOptions      net = {.bias = (PetscBool)(Choose(seed, 0, 4) > 0), .seed = (PetscInt)seed};
  PetscInt        p = 1 + Choose(seed, 1, 6), l = 1 + Choose(seed, 2, 3), d = 1 + Choose(seed, 3, 6), n, in;
  const PetscInt  sigma = Choose(seed, 4, 15), most = sigma == 8 || sigma == 9 || sigma == 12 ? 2 : 4;
  Data            data;

  PetscFunctionBeginUser;
  net.gain      = gains[Choose(seed, 5, 5)];
  net.bias_gain = biases[Choose(seed, 6, 3)];
  net.widths.n  = 1 + Choose(seed, 7, most);
  snprintf(net.activation, sizeof net.activation, "%s", Sigmas[sigma]);
  for (PetscInt k = 0; k < net.widths.n; k++) net.widths.v[k] = 2 + Choose(seed, 8 + k, 7);
  n  = 0;
  in = p;
  for (PetscInt k = 0; k <= net.widths.n; k++) {
    const PetscInt out = k < net.widths.n ? net.widths.v[k] : l;

    n += out * (in + (net.bias ? 1 : 0));
    in = out;
  }
  d = PetscMin(d, (n - 1) / l);
  if (d < 1) d = l = 1;
  PetscCall(DataRandom(PETSC_COMM_SELF, d, p, l, seed, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, problem));
  snprintf(net_name, sizeof net_name, "net %d: %.20s, %d hidden layers, p %d, l %d, d %d, gain %g, bias %d", (int)seed,
           net.activation, (int)net.widths.n, (int)p, (int)l, (int)d, (double)net.gain, (int)net.bias);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* n parameters */
static PetscInt ListSize(const json_t *list)
{
  const json_t *parameter, *side;
  PetscInt      n = 0;
  size_t        i, k;

  json_array_foreach(json_object_get(list, "parameters"), i, parameter)
  {
    PetscInt size = 1;

    json_array_foreach(json_object_get(parameter, "shape"), k, side) size *= (PetscInt)json_integer_value(side);
    n += size;
  }
  return n;
}

static PetscErrorCode RandomListNet(PetscInt64 seed, Problem *problem)
{
  NetOptions net = {.arch = 5, .activation = "tanh", .seed = (PetscInt)seed, .gain = Choose(seed, 5, 2) ? 1 : 1.5, .bias_gain = .5};
  const PetscInt  p = 2 + Choose(seed, 1, 3), l = 1 + Choose(seed, 2, 2);
  const PetscBool integers = (PetscBool)(Choose(seed, 3, 3) == 0);
  char            blocks[16];
  json_t         *list = RandomListCreate(seed, p, l, integers, sizeof blocks, blocks);
  const PetscInt  d    = PetscMin(2 + Choose(seed, 4, 3), (ListSize(list) - 1) / l);
  Data            data;

  PetscFunctionBeginUser;
  (void)PetscSNPrintf(net.file, sizeof net.file, "/tmp/codim-test-arb-%d.json", (int)getpid());
  PetscCheck(!json_dump_file(list, net.file, 0), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", net.file);
  json_decref(list);
  PetscCall(DataRandom(PETSC_COMM_SELF, d, p, l, seed, &data));
  for (PetscInt k = 0; integers && k < d * p; k++) data->all_x[k] = (PetscReal)Choose(seed, 100 + k, 3);
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, problem));
  (void)unlink(net.file);
  snprintf(net_name, sizeof net_name, "list %d: blocks %s, p %d, l %d, d %d", (int)seed, blocks, (int)p, (int)l, (int)d);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* to zero by training, or by targets that are the rounded outputs; then every third one is spoiled */
static PetscErrorCode ReachZero(PetscInt64 seed, Problem *problem, Tiles K, Tally *tally)
{
  const PetscReal    sizes[] = {1e-9, 1e-6, 1e-4};
  const ReachOptions options = {.tolerance = 1e-29 * (PetscReal)problem->map->m, .steps = 60};
  const PetscInt     last    = problem->network->nops - 1;
  ReachResult        result;
  Train              train;
  PetscReal         *theta;
  PetscInt           n;

  PetscFunctionBeginUser;
  if (Choose(seed, 20, 3)) {
    PetscCall(TrainCreate(problem->map, &options, &train));
    PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, K, &result));
    PetscCall(TrainDestroy(&train));
  } else
    PetscCall(PetscArraycpy(problem->data->y, problem->trajectory->value[last], problem->map->m));
  if (!Choose(seed, 21, 3)) {
    PetscReal *noise;

    tally->spoiled++;
    PetscCall(VecGetLocalSize(problem->theta, &n));
    PetscCall(PetscMalloc1(n, &noise));
    RandomNormal(seed, 5, 0, n, noise);
    PetscCall(VecGetArray(problem->theta, &theta));
    for (PetscInt i = 0; i < n; i++) theta[i] += sizes[Choose(seed, 22, 3)] * noise[i];
    PetscCall(VecRestoreArray(problem->theta, &theta));
    PetscCall(PetscFree(noise));
  }
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- at theta_0 -------------------------------------------------------------------------------------------------------------- */

/* J^ of the computed factors, exactly */
static PetscErrorCode FactoredJacobian(const Problem *problem, arb_mat_t J)
{
  const PetscInt l = problem->map->l, m = problem->map->m;
  PetscInt       nuses, start = 0, label = 0;
  LabelUse      *uses;
  arb_t          a, b;

  PetscFunctionBeginUser;
  arb_init(a);
  arb_init(b);
  PetscCall(JacobianGetUses(problem->jacobian, &nuses, &uses)); /* grouped by label */
  for (PetscInt u = 0; u < nuses; u++) {
    const LabelUse *use = &uses[u];

    for (; label < use->label; label++) start += problem->network->labels[label].rows * problem->network->labels[label].cols;
    for (PetscInt row = 0; row < m; row++)
      for (PetscInt t = 0; t < use->T; t++)
        for (PetscInt j = 0; j < use->h; j++) {
          arb_set_d(b, use->Delta[(row * use->T + t) * use->h + j]);
          for (PetscInt c = 0; c < (use->A ? use->k : 1); c++) {
            arb_set_d(a, use->A ? use->A[(row / l * use->T + t) * use->k + c] : 1);
            arb_addmul(arb_mat_entry(J, row, start + j * (use->A ? use->k : 1) + c), a, b, EXACT_BITS);
          }
        }
  }
  PetscCall(PetscFree(uses));
  arb_clear(a);
  arb_clear(b);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* of the plain trajectory, as CertifyCompute makes them; K is scratch */
static void CheckFactors(const Problem *problem, const arb_mat_t J, Tiles K, const Certificate *c, Tally *tally)
{
  const slong m = problem->map->m, n = problem->map->n;
  arb_mat_t   factored, gram;
  arb_t       x;

  arb_init(x);
  arb_mat_init(factored, m, n);
  arb_mat_init(gram, m, m);
  PetscCallVoid(FactoredJacobian(problem, factored));
  ExactTimesTranspose(gram, factored, factored);
  arb_mat_sub(factored, factored, J, EXACT_BITS);
  ExactNorm(x, factored);
  RecordBound(tally, E_J, x, c->jacobian_error);
  PetscCallVoid(GramCompute(problem->jacobian, K));
  for (slong i = 0; i < m; i++)
    for (slong j = 0; j < m; j++) {
      arb_set_d(x, K->a[i < j ? i * m + j : j * m + i]);
      arb_sub(arb_mat_entry(gram, i, j), arb_mat_entry(gram, i, j), x, EXACT_BITS);
    }
  ExactNorm(x, gram);
  RecordBound(tally, E_K, x, c->gram_error);
  arb_mat_clear(factored);
  arb_mat_clear(gram);
  arb_clear(x);
}

/* all eigenvalues of J J^T are above bound^2 */
static void CheckSmallest(const arb_mat_t J, PetscReal bound, int claim, Tally *tally)
{
  arb_mat_t gram;
  arb_t     shift;

  arb_init(shift);
  arb_mat_init(gram, arb_mat_nrows(J), arb_mat_nrows(J));
  ExactTimesTranspose(gram, J, J);
  arb_set_d(shift, bound);
  arb_mul(shift, shift, shift, EXACT_BITS);
  Record(tally, claim, (PetscBool)(ExactCountBelow(gram, shift) == 0), 0);
  arb_mat_clear(gram);
  arb_clear(shift);
}

/* max over v of ||D_v J|| by v := the top right singular vector of D_v J (D^2 H is symmetric): from below, always */
static PetscReal SecondDerivative(PetscInt64 seed, const Problem *problem, const arb_struct *theta)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  PetscReal     *v, *w, *D, best = 0;
  arb_mat_t      H, DJ;

  v = malloc((size_t)n * sizeof *v);
  w = malloc((size_t)m * sizeof *w);
  D = malloc((size_t)(m * n) * sizeof *D);
  arb_mat_init(H, m, 1);
  arb_mat_init(DJ, m, n);
  RandomNormal(seed, 9, 0, n, v);
  for (PetscInt step = 0; step < 12; step++) {
    PetscReal norm = 0, top = 0;

    for (PetscInt k = 0; k < n; k++) norm += v[k] * v[k];
    for (PetscInt k = 0; k < n; k++) v[k] /= PetscSqrtReal(norm);
    ExactEvaluate(problem, theta, v, 1, H, DJ);
    for (PetscInt i = 0; i < m * n; i++) D[i] = arf_get_d(arb_midref(arb_mat_entry(DJ, i / n, i % n)), ARF_RND_NEAR);
    for (PetscInt power = 0; power < 30; power++) { /* |D^T D v| / |D v| <= ||D|| */
      PetscReal after = 0, before = 0;

      for (PetscInt i = 0; i < m; i++) {
        w[i] = 0;
        for (PetscInt k = 0; k < n; k++) w[i] += D[i * n + k] * v[k];
        before += w[i] * w[i];
      }
      if (!(before > 0)) break;
      for (PetscInt k = 0; k < n; k++) {
        v[k] = 0;
        for (PetscInt i = 0; i < m; i++) v[k] += D[i * n + k] * w[i];
        after += v[k] * v[k];
      }
      top = PetscSqrtReal(after / before);
      for (PetscInt k = 0; k < n; k++) v[k] /= PetscSqrtReal(after);
    }
    if (!(top > 0)) break;
    best = PetscMax(best, top);
  }
  arb_mat_clear(H);
  arb_mat_clear(DJ);
  free(v);
  free(w);
  free(D);
  return best * (1 - 1e-9);
}

/* 2 J^T J + 2 sum_i H_i D^2 H_i, a row for each unit vector */
static void ExactHessian(const Problem *problem, const arb_struct *theta, const arb_mat_t H, const arb_mat_t J, arb_mat_t hessian)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  PetscReal     *unit = calloc((size_t)n, sizeof *unit);
  arb_mat_t      DH, DJ;

  arb_mat_init(DH, m, 1);
  arb_mat_init(DJ, m, n);
  for (PetscInt k = 0; k < n; k++) {
    unit[k] = 1;
    ExactEvaluate(problem, theta, unit, 1, DH, DJ);
    unit[k] = 0;
    for (PetscInt i = 0; i < m; i++)
      for (PetscInt j = 0; j < n; j++) {
        arb_addmul(arb_mat_entry(hessian, k, j), arb_mat_entry(J, i, k), arb_mat_entry(J, i, j), EXACT_BITS);
        arb_addmul(arb_mat_entry(hessian, k, j), arb_mat_entry(H, i, 0), arb_mat_entry(DJ, i, j), EXACT_BITS);
      }
  }
  arb_mat_scalar_mul_2exp_si(hessian, hessian, 1);
  arb_mat_clear(DH);
  arb_mat_clear(DJ);
  free(unit);
}

static void CheckHessian(const Problem *problem, const arb_struct *theta, const arb_mat_t H, const arb_mat_t J,
                         const Certificate *c, Tally *tally)
{
  const PetscReal zero     = PetscMax(c->zero_bound, 1e-60); /* of linear nets it is below what EXACT_BITS tell from 0 */
  const PetscReal shifts[] = {-zero, zero, c->positive_bound};
  const PetscInt  zeros = c->n - c->m, below[] = {0, zeros, zeros};
  arb_mat_t       hessian;
  arb_t           shift;

  if (c->n > HESSIAN_MOST || c->zero_bound == 0) return;
  arb_init(shift);
  arb_mat_init(hessian, c->n, c->n);
  ExactHessian(problem, theta, H, J, hessian);
  for (int k = 0; k < 3; k++) {
    arb_set_d(shift, shifts[k]);
    Record(tally, HESSIAN, (PetscBool)(ExactCountBelow(hessian, shift) == below[k]), 0);
  }
  arb_mat_clear(hessian);
  arb_clear(shift);
}

/* ---- at theta* --------------------------------------------------------------------------------------------------------------- */

/* theta := theta - J_0^T (J J_0^T)^(-1) H, midpoints; false where it does not converge */
static PetscBool Newton(const Problem *problem, const arb_mat_t J0, arb_struct *theta, arb_mat_t H, arb_mat_t J)
{
  const slong m = problem->map->m, n = problem->map->n;
  arb_mat_t   gram, c, step, J0T;
  arb_t       norm;
  PetscBool   converged = PETSC_FALSE;
  mag_t       size, tiny;

  mag_init(size);
  mag_init(tiny);
  arb_init(norm);
  arb_mat_init(gram, m, m);
  arb_mat_init(c, m, 1);
  arb_mat_init(step, n, 1);
  arb_mat_init(J0T, n, m);
  arb_mat_transpose(J0T, J0);
  for (int iteration = 0; iteration < 14 && !converged; iteration++) {
    ExactEvaluate(problem, theta, NULL, 0, H, J);
    ExactNorm(norm, H);
    mag_set_ui_2exp_si(tiny, 1, -180);
    arb_get_mag(size, norm);
    converged = (PetscBool)(mag_cmp(size, tiny) < 0);
    ExactTimesTranspose(gram, J, J0);
    if (converged || !arb_mat_solve(c, gram, H, EXACT_BITS)) break;
    arb_mat_mul(step, J0T, c, EXACT_BITS);
    for (slong k = 0; k < n; k++) {
      arb_sub(theta + k, theta + k, arb_mat_entry(step, k, 0), EXACT_BITS);
      mag_zero(arb_radref(theta + k));
    }
  }
  arb_mat_clear(gram);
  arb_mat_clear(c);
  arb_mat_clear(step);
  arb_mat_clear(J0T);
  arb_clear(norm);
  mag_clear(size);
  mag_clear(tiny);
  return converged;
}

static void CheckEnclosures(const arb_mat_t J, const Certificate *c, Tally *tally)
{
  const PetscInt m = c->m;
  arb_mat_t      gram;
  arb_t          shift;

  arb_init(shift);
  arb_mat_init(gram, m, m);
  ExactTimesTranspose(gram, J, J);
  arb_mat_scalar_mul_2exp_si(gram, gram, 1);
  for (PetscInt k = 0; k < m; k++) {
    PetscInt below, through;

    arb_set_d(shift, c->lo[k]);
    below = ExactCountBelow(gram, shift);
    arb_set_d(shift, c->hi[k]);
    through = ExactCountBelow(gram, shift);
    Record(tally, ENCLOSURE, (PetscBool)(below >= 0 && below <= k && through > k), c->hi[k] / c->lo[k]);
  }
  arb_mat_clear(gram);
  arb_clear(shift);
}

static void CheckZero(const Problem *problem, const arb_struct *theta0, const arb_mat_t J0, const Certificate *c, Tally *tally)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  arb_struct    *theta = _arb_vec_init(n);
  arb_mat_t      H, J;
  arb_t          distance, term;

  arb_init(distance);
  arb_init(term);
  arb_mat_init(H, m, 1);
  arb_mat_init(J, m, n);
  _arb_vec_set(theta, theta0, n);
  if (Newton(problem, J0, theta, H, J)) {
    for (PetscInt k = 0; k < n; k++) {
      arb_sub(term, theta + k, theta0 + k, EXACT_BITS);
      arb_addmul(distance, term, term, EXACT_BITS);
    }
    arb_sqrtpos(distance, distance, EXACT_BITS);
    RecordBound(tally, RHO, distance, c->radius);
    CheckSmallest(J, c->sigma_min_zero, SZERO, tally);
    if (c->enclosed) CheckEnclosures(J, c, tally);
    arb_set_d(term, c->distance_lower);
    Record(tally, DISTANCE, (PetscBool)(c->distance_lower <= 0 || arb_le(term, distance)), 0);
  } else
    Record(tally, RHO, PETSC_FALSE, 0);
  _arb_vec_clear(theta, n);
  arb_mat_clear(H);
  arb_mat_clear(J);
  arb_clear(distance);
  arb_clear(term);
}

/* a point at 0.999 R from theta_0 */
static void CheckRegular(PetscInt64 seed, const Problem *problem, const arb_struct *theta0, PetscReal R, Tally *tally)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  arb_struct    *theta = _arb_vec_init(n);
  PetscReal     *v = malloc((size_t)n * sizeof *v), norm = 0;
  arb_mat_t      H, J;

  arb_mat_init(H, m, 1);
  arb_mat_init(J, m, n);
  RandomNormal(seed, 11, 0, n, v);
  for (PetscInt k = 0; k < n; k++) norm += v[k] * v[k];
  for (PetscInt k = 0; k < n; k++) {
    arb_set_d(theta + k, .999 * PetscMin(R, 1e6) * v[k] / PetscSqrtReal(norm));
    arb_add(theta + k, theta + k, theta0 + k, EXACT_BITS);
  }
  ExactEvaluate(problem, theta, NULL, 0, H, J);
  CheckSmallest(J, 0, REGULAR, tally);
  arb_mat_clear(H);
  arb_mat_clear(J);
  _arb_vec_clear(theta, n);
  free(v);
}

/* ---- one net ------------------------------------------------------------------------------------------------------------------ */

static void CheckPoint(PetscInt64 seed, const Problem *problem, const arb_struct *theta, Tiles K, const CertifyOptions *options,
                       const Certificate *c, Tally *tally)
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  arb_mat_t      H, J;
  arb_t          x, low;

  arb_init(x);
  arb_init(low);
  arb_mat_init(H, m, 1);
  arb_mat_init(J, m, n);
  ExactEvaluate(problem, theta, NULL, 0, H, J);
  ExactNorm(x, H);
  RecordBound(tally, ETA, x, c->residual_upper);
  arb_set_d(low, c->residual_lower);
  Record(tally, ETA_LOW, (PetscBool)(c->residual_lower <= 0 || arb_le(low, x)), 0);
  if (options->split == SPLIT_NEVER) CheckFactors(problem, J, K, c, tally);
  if (c->sigma_min_lower > 0) CheckSmallest(J, c->sigma_min_lower, SMIN, tally);
  if (isfinite((double)c->lipschitz)) {
    const PetscReal below = SecondDerivative(seed, problem, theta);

    Record(tally, LAMBDA, (PetscBool)(below <= c->lipschitz), below > 1e-9 ? c->lipschitz / below : 0);
  }
  if (c->status == CERTIFY_PROVED) {
    const PetscReal gain = c->sigma_min_lower * c->radius - c->lipschitz * c->radius * c->radius / 2;

    Record(tally, THEOREM, (PetscBool)(gain >= c->residual_upper * (1 - 1e-14) && c->radius <= c->ball && c->h < .5), 0);
    CheckZero(problem, theta, J, c, tally);
    CheckRegular(seed, problem, theta, c->regular_radius, tally);
    CheckHessian(problem, theta, H, J, c, tally);
  }
  arb_mat_clear(H);
  arb_mat_clear(J);
  arb_clear(x);
  arb_clear(low);
}

static PetscErrorCode CheckNet(PetscInt64 seed, PetscErrorCode (*random)(PetscInt64, Problem *), Tally *tally)
{
  const CertifySplit   ways[]  = {SPLIT_NEVER, SPLIT_AUTO, SPLIT_ALWAYS};
  const CertifyOptions options = {.split   = Choose(seed, 30, 2) ? SPLIT_ALWAYS : SPLIT_NEVER,
                                  .enclose = (PetscBool)(Choose(seed, 31, 4) > 0),
                                  .paths   = ways[Choose(seed, 32, 3)]};
  Problem              problem;
  Certificate          c;
  Tiles                K;
  arb_struct          *theta;
  PetscReal           *canonical;
  PetscInt             n;

  PetscFunctionBeginUser;
  PetscCall(random(seed, &problem));
  n     = problem.map->n;
  theta = _arb_vec_init(n);
  PetscCall(TilesCreate(PETSC_COMM_SELF, problem.map->m, &K));
  PetscCall(ReachZero(seed, &problem, K, tally));
  PetscCall(CertifyCompute(problem.map, problem.theta, problem.trajectory, K, &options, &c));
  tally->nets++;
  tally->proved += c.status == CERTIFY_PROVED;
  PetscCall(PetscMalloc1(n, &canonical));
  PetscCall(GetCanonical(problem.parameters, problem.theta, canonical));
  for (PetscInt k = 0; k < n; k++) arb_set_d(theta + k, canonical[k]);
  CheckPoint(seed, &problem, theta, K, &options, &c, tally);
  _arb_vec_clear(theta, n);
  PetscCall(PetscFree(canonical));
  PetscCall(CertificateDestroy(&c));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Report(const char what[], const Tally *tally)
{
  printf("# %d %s, %d of them spoiled, %d proved\n", (int)tally->nets, what, (int)tally->spoiled, (int)tally->proved);
  for (int claim = 0; claim < CLAIMS; claim++) {
    if (tally->violated[claim]) printf("# violated by %d, first by %s\n", (int)tally->violated[claim], tally->first[claim]);
    if (tally->tightest[claim] < INFINITY) printf("# bound/true at least %.4g\n", (double)tally->tightest[claim]);
    Tap((PetscBool)!tally->violated[claim], "%s: %s", what, Claims[claim]);
  }
  Tap((PetscBool)(2 * tally->proved > tally->nets), "most of the %s are proved", what);
}

int main(int argc, char **argv)
{
  Tally    chains = {0}, lists = {0};
  PetscInt first = 1, nnets = NETS, nlists = LISTS;

  TapBegin(&argc, &argv);
  TapCall(PetscOptionsGetInt(NULL, NULL, "-first", &first, NULL));
  TapCall(PetscOptionsGetInt(NULL, NULL, "-nets", &nnets, NULL));
  TapCall(PetscOptionsGetInt(NULL, NULL, "-lists", &nlists, NULL));
  for (int claim = 0; claim < CLAIMS; claim++) chains.tightest[claim] = lists.tightest[claim] = INFINITY;
  for (PetscInt k = 0; k < nnets; k++) TapCall(CheckNet(first + k, RandomNet, &chains));
  for (PetscInt k = 0; k < nlists; k++) TapCall(CheckNet(first + k, RandomListNet, &lists));
  if (nnets) Report("fully connected nets", &chains);
  if (nlists) Report("lists of ops", &lists);
  return TapEnd();
}
