/*
  refute_ranks.c: bounds of rank J for every theta by ranks over the rationals; see refute.h.
*/
#include "ops/ops.h"
#include "rational_rank.h"
#include "refute_search.h"

enum { MAPS_MAX = 64 };

/* maps 1 … count, each z = W a (+ b) at one place, of one value after the other, with an activation of that degree behind it; 1: none */
typedef struct {
  PetscInt  count, width[MAPS_MAX], degree[MAPS_MAX]; /* width[0] = p */
  PetscBool bias[MAPS_MAX];
} Chain;

/* false: the net is no such chain, or some activation is no polynomial */
static PetscBool ReadChain(Network net, Chain *c)
{
  *c = (Chain){.width = {net->inputs}, .degree = {1}};
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];

    if (op->ninputs != 1 || op->inputs[0] != v - 1) return PETSC_FALSE;
    if (op->kind == &OpLinear && op->places == 1 && c->count + 1 < MAPS_MAX) {
      c->count++;
      c->width[c->count]  = op->dim;
      c->degree[c->count] = 1;
      c->bias[c->count]   = (PetscBool)(op->bias >= 0);
    } else if (op->kind == &OpActivation && op->activation->degree > 0)
      c->degree[c->count] *= op->activation->degree;
    else
      return PETSC_FALSE;
  }
  return (PetscBool)(c->count > 0);
}

/* rank_Q of X, with a column of ones if `ones` */
static PetscErrorCode InputRank(const Search *s, PetscBool ones, PetscInt *rank)
{
  RationalRank x;

  PetscFunctionBeginUser;
  PetscCall(RationalRankCompute(s->data, ones ? 3 : 2, &x));
  *rank = x.rank;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- polynomial nets --------------------------------------------------------------------------------------------------------
   f_theta(x_i)_o = sum_alpha x_i^alpha C_alpha,o(theta). So J = (Phi (x) I_l) C'(theta), rank J <= l rank Phi; and H = 0 is Phi C = Y. */
static PetscErrorCode Monomials(Search *s)
{
  const PetscInt l = s->data->outputs;
  RationalRank   phi;

  PetscFunctionBeginUser;
  if (!s->form.degrees) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(RationalRankCompute(s->data, s->form.degrees, &phi));
  if (!phi.computed)
    snprintf(s->result->note, sizeof s->result->note,
             "the exact rank of the %.3g monomials of this polynomial net at %.3g points is left out: too large", (double)phi.cols,
             (double)phi.rows);
  if (phi.y_outside) RefuteEmpty(s, "the targets, as stored, are no combinations of the monomials the net can form");
  if ((PetscReal)phi.rank * (PetscReal)l < (PetscReal)s->map->m)
    RefuteLower(s, phi.rank * l, "the net forms only the %.0f monomials of its degree, of %s %" PetscInt_FMT " over these points",
                (double)phi.cols, phi.computed ? "rank" : "rank at most", phi.rank);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- linear nets ----------------------------------------------------------------------------------------------------------------
   Maps 1 … L, widths h_i, h_L = l. Moving map i moves f (l x d) by P_i (dW_i X_i + db_i 1^T), P_i = W_L … W_(i+1), X_i its inputs at the
   points: by all of U_i (x) row X_i, U_i = col P_i, and U_i (x) 1 if it has a bias. As U_1 < … < U_L = R^l, U_i (x) 1 is there also where a
   later map has a bias. So the tangents are sum_i U_i (x) V_i, V_i = row X_i, with 1 if map i or a later one has a bias; V_1 > V_2 > …, so

     rank J = sum_i (c_i - c_(i-1)) v_i,     c_i = rank P_i, c_0 = 0, v_i = dim V_i.

   For every theta c_i <= C_i = min(h_i, …, h_L), and v_i <= N_i, N_1 = rank_Q [X 1], N_i = min(N_(i-1), h_(i-1) [+ 1]). The sum grows with
   each v_i (c_i >= c_(i-1)); then, N_i >= N_(i+1) and the sum being c_L N_L + sum_i c_i (N_i - N_(i+1)), with each c_i. So it is at most the
   same with C_i, N_i. */
static PetscErrorCode LinearLayers(Search *s)
{
  Chain     c;
  PetscInt  C[MAPS_MAX] = {0}, rank = 0, N, bound = 0;
  PetscBool ones[MAPS_MAX] = {PETSC_FALSE};

  PetscFunctionBeginUser;
  if (!ReadChain(s->map->network, &c)) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i <= c.count; i++)
    if (c.degree[i] != 1) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = c.count; i >= 1; i--) {
    C[i]    = i == c.count ? c.width[i] : PetscMin(c.width[i], C[i + 1]);
    ones[i] = (PetscBool)(c.bias[i] || ones[i + 1]);
  }
  PetscCall(InputRank(s, ones[1], &rank));
  N = rank;
  for (PetscInt i = 1; i <= c.count; i++) {
    if (i > 1) N = PetscMin(N, c.width[i - 1] + (ones[i] ? 1 : 0));
    bound += (C[i] - C[i - 1]) * N;
  }
  RefuteLower(s, bound, "the net is linear, of inputs of rank %" PetscInt_FMT "%s, its narrowest layer has width %" PetscInt_FMT,
              rank, ones[1] ? " with a row of ones" : "", C[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- quadratic nets -----------------------------------------------------------------------------------------------------------
   f(x) = sum_k a_k (w_k . x)^2 = x^T S x. Moving theta moves S by sums of w_k u_k^T + u_k w_k^T: symmetric matrices on R^D that vanish on
   the complement of W = span{w_k} twice, of dimension q D - q(q-1)/2, q = dim W <= min(h, D); it grows with q. x may be taken from the
   D = rank_Q X dimensional span of the points. With biases of the units x has one more entry 1 (D = rank_Q [X 1]). A bias of the output
   adds one constant: one more, at most one more than all D(D+1)/2 forms, which have it already where x has the entry 1. */
static PetscErrorCode QuadraticUnits(Search *s)
{
  Chain     c;
  PetscInt  D = 0, h;
  PetscReal bound, all;

  PetscFunctionBeginUser;
  if (!ReadChain(s->map->network, &c)) PetscFunctionReturn(PETSC_SUCCESS);
  if (c.count != 2 || c.degree[0] != 1 || c.degree[1] != 2 || c.degree[2] != 1 || c.width[2] != 1)
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(InputRank(s, c.bias[1], &D));
  h     = PetscMin(c.width[1], D);
  bound = (PetscReal)h * (PetscReal)D - (PetscReal)h * (PetscReal)(h - 1) / 2 + (c.bias[2] ? 1 : 0);
  all   = (PetscReal)D * (PetscReal)(D + 1) / 2 + (c.bias[2] && !c.bias[1] ? 1 : 0);
  bound = PetscMin(bound, all);
  if (bound < (PetscReal)s->map->m)
    RefuteLower(s, (PetscInt)bound,
                "%" PetscInt_FMT " quadratic units make quadratic forms of bounded rank on %" PetscInt_FMT " dimensions",
                c.width[1], D);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RefuteByRanks(Search *search)
{
  PetscFunctionBeginUser;
  PetscCall(Monomials(search));
  PetscCall(LinearLayers(search));
  PetscCall(QuadraticUnits(search));
  PetscFunctionReturn(PETSC_SUCCESS);
}
