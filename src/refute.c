/*
  refute.c: exact refutations, for every theta; see refute.h.

  f is read off the list of ops: here chains of linear maps and activations, of any length, places and biases.
*/
#include "codim/refute.h"
#include "ops/ops.h"
#include "rational_rank.h"
#include <stdlib.h>

enum { LAYERS_MAX = 64, DEGREE_MAX = 62 };

/* a chain of linear maps and activations */
typedef struct {
  PetscBool odd;     /* f(-x) = -f(x): odd activations, no bias */
  PetscBool uniform; /* all linear maps have a bias, or none; each acts at one place; activations stand between maps */
  PetscBool bias;
  uint64_t  degrees; /* bit k: f can form monomials of degree k; 0: no polynomial, or of degree above DEGREE_MAX */
  PetscInt  layers, width[LAYERS_MAX]; /* linear maps; width[i]: outputs of map i, i = 1 … layers; width[0] = p */
  PetscInt  degree[LAYERS_MAX];        /* of the activation behind map i; 1: none; -1: no polynomial */
} Chain;

typedef struct {
  Data         data;
  ResidualMap  map;
  Chain        chain;
  Refutation  *result;
  RationalRank phi;                     /* of the chain's degrees, once computed */
  PetscInt     bound;                   /* rank J <= bound; m: nothing found */
  char         rank_why[384], why[384]; /* of that bound; of an empty M, or "" */
} Search;

/* ---- what is found ---------------------------------------------------------------------------------------------------- */

static void Lower(Search *s, PetscInt bound, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);
static void Empty(Search *s, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

static void Lower(Search *s, PetscInt bound, const char format[], ...)
{
  va_list arguments;

  if (bound >= s->bound) return;
  s->bound = bound;
  va_start(arguments, format);
  vsnprintf(s->rank_why, sizeof s->rank_why, format, arguments);
  va_end(arguments);
}

static void Empty(Search *s, const char format[], ...)
{
  va_list arguments;

  if (s->why[0]) return;
  va_start(arguments, format);
  vsnprintf(s->why, sizeof s->why, format, arguments);
  va_end(arguments);
}

/* An empty M comes with a bound of the rank; points that contradict each other are all there is to say. */
static void Explain(const Search *s, size_t size, char reason[])
{
  if (s->result->contradiction)
    (void)PetscSNPrintf(reason, size, "%s: M is empty", s->why);
  else
    (void)PetscSNPrintf(reason, size, "%s: rank J <= %" PetscInt_FMT " < m = %" PetscInt_FMT " for every theta%s%s%s", s->rank_why,
                        s->bound, s->map->m, s->why[0] ? "; and " : "", s->why, s->why[0] ? ": M is empty" : "");
}

/* ---- the net ---------------------------------------------------------------------------------------------------------------- */

/* of z^q, z a polynomial with these degrees; every polynomial activation is a pure power */
static uint64_t DegreesOfPower(uint64_t degrees, PetscInt q)
{
  uint64_t power = 1;

  for (PetscInt factor = 0; factor < q; factor++) {
    uint64_t product = 0;

    for (PetscInt a = 0; a <= DEGREE_MAX; a++)
      for (PetscInt b = 0; b <= DEGREE_MAX; b++) {
        if (!(power >> a & 1) || !(degrees >> b & 1)) continue;
        if (a + b > DEGREE_MAX) return 0;
        product |= (uint64_t)1 << (a + b);
      }
    power = product;
  }
  return power;
}

/* false: some op is neither a linear map nor an activation of the value before it */
static PetscBool ReadChain(Network net, Chain *c)
{
  PetscInt biases = 0, maps = 0;

  *c = (Chain){.odd = PETSC_TRUE, .uniform = PETSC_TRUE, .degrees = 2, .width = {net->inputs}};
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];

    if (op->inputs[0] != v - 1 || op->inputs[1] >= 0 || maps + 1 == LAYERS_MAX) return PETSC_FALSE;
    if (op->kind == &OpLinear) {
      maps++;
      biases += op->bias >= 0;
      if (op->bias >= 0) c->odd = PETSC_FALSE;
      if (op->bias >= 0 && c->degrees) c->degrees |= 1;
      if (op->places != 1) c->uniform = PETSC_FALSE;
      c->width[maps]  = op->dim;
      c->degree[maps] = 1;
    } else if (op->kind == &OpActivation) {
      if (!op->activation->odd) c->odd = PETSC_FALSE;
      if (op->activation->degree < 0) c->degrees = 0;
      if (!maps || net->ops[v - 1].kind != &OpLinear) c->uniform = PETSC_FALSE;
      if (c->degrees) c->degrees = DegreesOfPower(c->degrees, op->activation->degree);
      c->degree[maps] = op->activation->degree;
    } else
      return PETSC_FALSE;
  }
  if (biases && biases < maps) c->uniform = PETSC_FALSE;
  c->bias   = (PetscBool)(biases > 0);
  c->layers = maps;
  return PETSC_TRUE;
}

/* ---- equal x --------------------------------------------------------------------------------------------------------------
   Rows of J at equal x are equal, for each output: rank J <= l distinct. */
static PetscErrorCode EqualPoints(Search *s)
{
  const Data data = s->data;

  PetscFunctionBeginUser;
  if (data->contradiction[0] >= 0)
    Empty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " have the same x and different y", data->contradiction[0] + 1,
          data->contradiction[1] + 1);
  if (data->twins[0] >= 0)
    Lower(s, data->distinct * data->outputs, "points %" PetscInt_FMT " and %" PetscInt_FMT " have the same x", data->twins[0] + 1,
          data->twins[1] + 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- opposite x -------------------------------------------------------------------------------------------------------------
   f_theta(-x) = -f_theta(x) for every theta, so J's rows at -x are minus those at x, and at x = 0 both f and J are 0.
   rank J <= l times the number of classes {x, -x}, x != 0; H = 0 needs y(-x) = -y(x), y(0) = 0. */

/* s x has a positive first entry among those that are not 0; s = 0: x = 0 */
typedef struct {
  const PetscReal *x;
  PetscInt         p, index;
  PetscReal        s;
} SignedPoint;

static int SignedCompare(const void *a, const void *b)
{
  const SignedPoint *u = a, *v = b;

  for (PetscInt j = 0; j < u->p; j++)
    if (u->s * u->x[j] != v->s * v->x[j]) return u->s * u->x[j] < v->s * v->x[j] ? -1 : 1;
  return (u->index > v->index) - (u->index < v->index);
}

static PetscBool SamePoint(const SignedPoint *u, const SignedPoint *v)
{
  for (PetscInt j = 0; j < u->p; j++)
    if (u->s * u->x[j] != v->s * v->x[j]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static SignedPoint Signed(Data data, PetscInt i)
{
  SignedPoint point = {data->all_x + (size_t)i * (size_t)data->inputs, data->inputs, i, 0};

  for (PetscInt j = 0; j < point.p && point.s == 0; j++) point.s = (point.x[j] > 0) - (point.x[j] < 0);
  return point;
}

/* s_u y_u = s_v y_v; u = v at x = 0: y = 0; what the net gives always does */
static PetscBool TargetsAgree(Data data, const SignedPoint *u, const SignedPoint *v)
{
  const size_t l = data->options.target == TARGET_NET ? 0 : (size_t)data->outputs;

  for (size_t o = 0; o < l; o++) {
    const PetscReal y = data->all_y[(size_t)v->index * l + o];

    if (v->s == 0 ? y != 0 : u->s * data->all_y[(size_t)u->index * l + o] != v->s * y) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* classes of x != 0; two points with x and -x, twice the same if x = 0; two with the wrong y for that; or -1 */
enum { CLASSES, PAIR_I, PAIR_J, WRONG_I, WRONG_J, FOUND };

static void FindClasses(Data data, SignedPoint points[], PetscInt found[FOUND])
{
  const SignedPoint *first = points;

  for (PetscInt i = 0; i < data->points; i++) points[i] = Signed(data, i);
  qsort(points, (size_t)data->points, sizeof *points, SignedCompare);
  for (PetscInt k = 0; k < data->points; k++) {
    const SignedPoint *point = &points[k];

    if (k == 0 || !SamePoint(first, point)) {
      first = point;
      found[CLASSES] += point->s != 0;
    } else if (point->s != first->s && found[PAIR_I] < 0) {
      found[PAIR_I] = first->index;
      found[PAIR_J] = point->index;
    }
    if (point->s == 0 && found[PAIR_I] < 0) found[PAIR_I] = found[PAIR_J] = point->index;
    if (!TargetsAgree(data, first, point) && found[WRONG_I] < 0) {
      found[WRONG_I] = first->index;
      found[WRONG_J] = point->index;
    }
  }
}

static PetscErrorCode OppositePoints(Search *s)
{
  const Data   data         = s->data;
  PetscInt     found[FOUND] = {0, -1, -1, -1, -1};
  PetscMPIInt  rank;
  SignedPoint *points;

  PetscFunctionBeginUser;
  if (!s->chain.odd) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (rank == 0) {
    PetscCall(PetscMalloc1(data->points, &points));
    FindClasses(data, points, found);
    PetscCall(PetscFree(points));
  }
  PetscCallMPI(MPI_Bcast(found, FOUND, MPIU_INT, 0, data->comm));
  if (found[WRONG_I] >= 0 && found[WRONG_I] == found[WRONG_J])
    Empty(s, "point %" PetscInt_FMT " has x = 0 and y != 0, and f(0) = 0: sigma is odd and there is no bias", found[WRONG_I] + 1);
  else if (found[WRONG_I] >= 0)
    Empty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x, but not y and -y: sigma is odd and there is no bias",
          found[WRONG_I] + 1, found[WRONG_J] + 1);
  if (found[PAIR_I] >= 0 && found[PAIR_I] == found[PAIR_J])
    Lower(s, found[CLASSES] * data->outputs, "point %" PetscInt_FMT " has x = 0: sigma is odd and there is no bias",
          found[PAIR_I] + 1);
  else if (found[PAIR_I] >= 0)
    Lower(s, found[CLASSES] * data->outputs,
          "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x: sigma is odd and there is no bias", found[PAIR_I] + 1,
          found[PAIR_J] + 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- polynomial nets --------------------------------------------------------------------------------------------------------
   f_theta(x_i)_o = sum_alpha x_i^alpha C_alpha,o(theta). So J = (Phi (x) I_l) C'(theta), rank J <= l rank Phi; and H = 0 is Phi C = Y. */
static PetscErrorCode Monomials(Search *s)
{
  const PetscInt l = s->data->outputs;

  PetscFunctionBeginUser;
  if (!s->chain.degrees) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(RationalRankCompute(s->data, s->chain.degrees, &s->phi));
  if (!s->phi.computed)
    snprintf(s->result->note, sizeof s->result->note,
             "the exact rank of the %.3g monomials of this polynomial net at %.3g points is left out: too large",
             (double)s->phi.cols, (double)s->phi.rows);
  if (s->phi.y_outside) Empty(s, "the targets, as stored, are no combinations of the monomials the net can form");
  if ((PetscReal)s->phi.rank * (PetscReal)l < (PetscReal)s->map->m)
    Lower(s, s->phi.rank * l, "the net forms only the %.0f monomials of its degree, of %s %" PetscInt_FMT " over these points",
          (double)s->phi.cols, s->phi.computed ? "rank" : "rank at most", s->phi.rank);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank_Q of X, with a column of ones if there are biases */
static PetscErrorCode InputRank(Search *s, PetscInt *rank)
{
  const uint64_t degrees = s->chain.bias ? 3 : 2;
  RationalRank   x       = s->phi;

  PetscFunctionBeginUser;
  if (degrees != s->chain.degrees) PetscCall(RationalRankCompute(s->data, degrees, &x));
  *rank = x.rank;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- linear nets ----------------------------------------------------------------------------------------------------------------
   Maps 1 … L, widths h_i, h_L = l. Moving map i moves f (l x d) by P_i dW_i A_i, P_i = W_L … W_(i+1), A_i the inputs of map i at the
   points (a row of ones added if it has a bias): these are col P_i (x) row A_i. As col P_1 < … < col P_L = R^l and row A_1 > row A_2 > …
   (all maps with a bias, or none), their sum has dimension rank J = sum_i (c_i - c_(i-1)) v_i, c_i = rank P_i, c_0 = 0, v_i = rank A_i.

   For every theta c_i <= C_i = min(h_i, …, h_L), and v_i <= V_i, V_1 = rank_Q [X 1], V_i = min(V_(i-1), h_(i-1) [+ 1]). The sum grows with
   each v_i (c_i >= c_(i-1)); then, V_i >= V_(i+1) and the sum being c_L V_L + sum_i c_i (V_i - V_(i+1)), with each c_i. So it is at most the
   same with C_i, V_i. */
static PetscErrorCode LinearLayers(Search *s)
{
  const Chain *c             = &s->chain;
  PetscInt     C[LAYERS_MAX] = {0}, rank = 0, V, bound = 0;

  PetscFunctionBeginUser;
  for (PetscInt i = 1; i <= c->layers; i++)
    if (c->degree[i] != 1) PetscFunctionReturn(PETSC_SUCCESS);
  if (!c->uniform) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(InputRank(s, &rank));
  V = rank;
  for (PetscInt i = c->layers; i >= 1; i--) C[i] = i == c->layers ? c->width[i] : PetscMin(c->width[i], C[i + 1]);
  for (PetscInt i = 1; i <= c->layers; i++) {
    if (i > 1) V = PetscMin(V, c->width[i - 1] + (c->bias ? 1 : 0));
    bound += (C[i] - C[i - 1]) * V;
  }
  Lower(s, bound, "the net is linear, of inputs of rank %" PetscInt_FMT ", its narrowest layer has %" PetscInt_FMT " units", rank,
        C[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- quadratic nets -----------------------------------------------------------------------------------------------------------
   f(x) = sum_k a_k (w_k . x)^2 = x^T S x. Moving theta moves S by sums of w_k u_k^T + u_k w_k^T: symmetric matrices on R^D that vanish on
   the complement of W = span{w_k} twice, of dimension q D - q(q-1)/2, q = dim W <= min(h, D); it grows with q. x may be taken from the
   D = rank_Q X dimensional span of the points. With biases x has one more entry 1 (D = rank_Q [X 1]), and the last bias adds to one
   entry of S: one more, at most D(D+1)/2 in all. */
static PetscErrorCode QuadraticUnits(Search *s)
{
  const Chain *c = &s->chain;
  PetscInt     D = 0, h;
  PetscReal    bound;

  PetscFunctionBeginUser;
  if (c->layers != 2 || c->degree[1] != 2 || c->degree[2] != 1 || c->width[2] != 1 || !c->uniform)
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(InputRank(s, &D));
  h     = PetscMin(c->width[1], D);
  bound = (PetscReal)h * (PetscReal)D - (PetscReal)h * (PetscReal)(h - 1) / 2 + (c->bias ? 1 : 0);
  bound = PetscMin(bound, (PetscReal)D * (PetscReal)(D + 1) / 2);
  if (bound < (PetscReal)s->map->m)
    Lower(s, (PetscInt)bound,
          "%" PetscInt_FMT " quadratic units make quadratic forms of bounded rank on %" PetscInt_FMT " dimensions", c->width[1], D);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode (*const PointReasons[])(Search *) = {EqualPoints, OppositePoints, NULL};
static PetscErrorCode (*const RankReasons[])(Search *)  = {Monomials, LinearLayers, QuadraticUnits, NULL};

PetscErrorCode RefuteExactly(Data data, ResidualMap map, PetscBool ranks, Refutation *refutation, Certificate *certificate)
{
  Search s = {.data = data, .map = map, .result = refutation, .bound = map->m};

  PetscFunctionBeginUser;
  *refutation = (Refutation){.refuted = PETSC_FALSE};
  if (!ReadChain(map->network, &s.chain)) s.chain = (Chain){.odd = PETSC_FALSE};
  for (size_t k = 0; PointReasons[k] && !s.why[0]; k++) PetscCall(PointReasons[k](&s));
  refutation->contradiction = (PetscBool)(s.why[0] != '\0');
  for (size_t k = 0; ranks && s.chain.layers && RankReasons[k] && !refutation->contradiction; k++) PetscCall(RankReasons[k](&s));
  if (s.bound >= map->m) PetscFunctionReturn(PETSC_SUCCESS);
  refutation->refuted = PETSC_TRUE;
  CertificateClear(map, certificate);
  certificate->status     = CERTIFY_REFUTED;
  certificate->empty      = (PetscBool)(s.why[0] != '\0');
  certificate->rank_bound = s.bound;
  Explain(&s, sizeof certificate->reason, certificate->reason);
  PetscFunctionReturn(PETSC_SUCCESS);
}
