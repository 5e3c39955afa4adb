// ranks: 1 3
/*
  What exact arithmetic refutes, for every theta: nets and points small enough to count by hand. Every bound must be attained by K's
  eigenvalues at a random theta, else it is too weak; it must never be below them; and nets next to these must not be refuted.
*/
#include "../src/rational_rank.h"
#include "codim/gram.h"
#include "codim/refute.h"
#include "problem.h"
#include <string.h>

static const NetOptions Plain = {.widths = {1, {9}}, .activation = "tanh", .seed = 4, .gain = 1, .bias_gain = .5};

/* ---- points ---------------------------------------------------------------------------------------------------------------- */

/* random, of small integers over 8: exact, and of few bits */
static PetscErrorCode Points(PetscInt d, PetscInt p, PetscInt l, Data *data)
{
  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, d, p, l, 11, data));
  for (PetscInt k = 0; (*data)->all_x && k < d * p; k++) (*data)->all_x[k] = PetscFloorReal(8 * (*data)->all_x[k] + .5) / 8;
  for (PetscInt k = 0; (*data)->all_x && k < d * l; k++) (*data)->all_y[k] = PetscFloorReal(8 * (*data)->all_y[k] + .5) / 8;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* point j := s times point i, in x and y */
static void Copy(Data data, PetscInt i, PetscInt j, PetscReal s)
{
  const PetscInt p = data->inputs, l = data->outputs;

  if (!data->all_x) return;
  for (PetscInt k = 0; k < p; k++) data->all_x[j * p + k] = s * data->all_x[i * p + k];
  for (PetscInt k = 0; k < l; k++) data->all_y[j * l + k] = s * data->all_y[i * l + k];
}

static void SetY(Data data, PetscInt k, PetscReal y)
{
  if (data->all_y) data->all_y[k] = y;
}

/* ---- one net --------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode NumericalRank(Problem *problem, PetscInt *rank)
{
  const PetscInt m = problem->map->m;
  Tiles          K, V;
  PetscReal     *d;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(m, &d));
  PetscCall(TilesCreate(problem->grid->world, m, &K));
  PetscCall(TilesDuplicate(K, &V));
  PetscCall(GramCompute(problem->jacobian, K));
  PetscCall(TilesEigenvectors(K, d, V));
  *rank = 0;
  for (PetscInt k = 0; k < m; k++) *rank += d[k] > 1e-12 * d[m - 1]; /* squares: zeros are at 1e-16 m */
  PetscCall(TilesDestroy(&V));
  PetscCall(TilesDestroy(&K));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  Refutation  refutation;
  Certificate c;
  PetscInt    rank, m; /* of J, at a random theta */
} Outcome;

/* takes the data */
static PetscErrorCode Refute(Data data, const NetOptions *net, Outcome *o)
{
  Problem problem;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(o, sizeof *o));
  PetscCall(DataFindCoincidences(data, SYMMETRY_NONE, &data->equal));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, net, &problem));
  PetscCall(RefuteExactly(data, problem.map, PETSC_TRUE, &o->refutation, &o->c));
  PetscCall(NumericalRank(&problem, &o->rank));
  o->m = problem.map->m;
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Bounded(const Outcome *o, PetscInt bound, const char why[], const char what[])
{
  const PetscBool ok = (PetscBool)(o->refutation.refuted && o->c.status == CERTIFY_REFUTED && o->c.rank_bound == bound &&
                                   o->rank == bound && strstr(o->c.reason, why));

  if (!Tap(ok, "%s: rank J <= %d for every theta, attained", what, (int)bound) && !ok)
    fprintf(stderr, "# bound %d, rank %d of %d: %s\n", (int)o->c.rank_bound, (int)o->rank, (int)o->m, o->c.reason);
}

static void Untouched(const Outcome *o, const char what[])
{
  if (!Tap((PetscBool)(!o->refutation.refuted && !o->c.reason[0] && o->rank == o->m), "%s: not refuted, rank J = m", what))
    fprintf(stderr, "# rank %d of %d: %s\n", (int)o->rank, (int)o->m, o->c.reason);
}

static void IsEmpty(const Outcome *o, PetscBool contradiction, const char why[], const char what[])
{
  const PetscBool ok = (PetscBool)(o->refutation.refuted && o->c.empty && o->refutation.contradiction == contradiction &&
                                   strstr(o->c.reason, why) && strstr(o->c.reason, "M is empty"));

  if (!Tap(ok, "%s: M is empty", what) && !ok) fprintf(stderr, "# %s\n", o->c.reason);
}

/* ---- points that coincide ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode Coinciding(void)
{
  NetOptions net = Plain;
  Outcome    o;
  Data       data;

  PetscFunctionBeginUser;
  net.bias = PETSC_TRUE;
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 1, 4, 1);
  PetscCall(Refute(data, &net, &o));
  Bounded(&o, 12, "points 2 and 5 coincide", "equal points");
  Tap((PetscBool)!o.c.empty, "... of which M may have points");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 1, 4, 1);
  SetY(data, 2 * 4 + 1, 17);
  PetscCall(Refute(data, &net, &o));
  IsEmpty(&o, PETSC_TRUE, "points 2 and 5 coincide and have different y", "contradicting points");
  PetscCall(Points(7, 3, 2, &data));
  PetscCall(Refute(data, &net, &o));
  Untouched(&o, "distinct points");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Opposite(void)
{
  NetOptions net = Plain;
  Outcome    o;
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  Copy(data, 2, 6, 1);
  PetscCall(Refute(data, &net, &o));
  Bounded(&o, 10, "points 3 and 6 have x and -x", "opposite and equal points of an odd net");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  Copy(data, 2, 6, 1);
  SetY(data, 2 * 5, 17);
  data->options.target = TARGET_NET; /* y is of no account */
  PetscCall(Refute(data, &net, &o));
  Bounded(&o, 10, "points 3 and 6 have x and -x", "... also where the targets are the net's");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  SetY(data, 2 * 5, 17);
  PetscCall(Refute(data, &net, &o));
  IsEmpty(&o, PETSC_TRUE, "points 3 and 6 have x and -x, but not y and -y", "opposite points with other targets");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  net.bias = PETSC_TRUE;
  PetscCall(Refute(data, &net, &o));
  Untouched(&o, "opposite points of a net with biases");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  net = Plain;
  PetscCall(PetscStrncpy(net.activation, "softplus", sizeof net.activation));
  PetscCall(Refute(data, &net, &o));
  Untouched(&o, "opposite points, sigma not odd");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 3, -0.); /* x = -0 */
  PetscCall(Refute(data, &Plain, &o));
  Bounded(&o, 12, "point 4 has x = 0", "an odd net at 0");
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 3, 0);
  SetY(data, 2 * 3 + 1, .125);
  PetscCall(Refute(data, &Plain, &o));
  IsEmpty(&o, PETSC_TRUE, "point 4 has x = 0 and y != 0", "an odd net at 0 with another target");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one bias anywhere ends f(-x) = -f(x): taken from ops, as no option leaves it there alone */
static PetscErrorCode OneBias(void)
{
  NetOptions net = Plain;
  Problem    problem;
  Refutation refutation;
  Outcome    o;
  Data       data;

  PetscFunctionBeginUser;
  net.bias = PETSC_TRUE;
  PetscCall(Points(7, 3, 2, &data));
  Copy(data, 2, 5, -1);
  PetscCall(DataFindCoincidences(data, SYMMETRY_NONE, &data->equal));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
  for (PetscInt op = 1; op <= 3; op += 2) {
    const PetscInt bias = problem.network->ops[op].bias;

    problem.network->ops[op].bias = -1;
    PetscCall(RefuteExactly(data, problem.map, PETSC_TRUE, &refutation, &o.c));
    Tap((PetscBool)!refutation.refuted, "opposite points, a bias in map %d alone: not refuted", op == 1 ? 2 : 1);
    problem.network->ops[op].bias = bias;
  }
  problem.network->ops[1].bias = problem.network->ops[3].bias = -1;
  PetscCall(RefuteExactly(data, problem.map, PETSC_TRUE, &refutation, &o.c));
  Tap(refutation.refuted, "... and in neither: refuted");
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- ranks over the rationals -------------------------------------------------------------------------------------------------- */

static PetscErrorCode RankOf(PetscInt d, PetscInt p, const PetscReal x[], uint64_t degrees, RationalRank *rank)
{
  Data data;

  PetscFunctionBeginUser;
  PetscCall(Points(d, p, 1, &data));
  if (data->all_x) PetscCall(PetscArraycpy(data->all_x, x, d * p));
  PetscCall(RationalRankCompute(data, degrees, rank));
  PetscCall(DataDestroy(&data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Rationals(void)
{
  const PetscReal third[] = {1. / 3, 2. / 3, 1, 2}, tiny[] = {1, 1, 1, 1 + 0x1p-52}, wide[] = {1e-300, 1e300, 0x1p-1074, 1e10};
  const PetscReal prime[] = {2147483647., 0, 0, 1}; /* 2^31 - 1, the first prime tried: 0 modulo it */
  const PetscReal cubes[] = {1, 2, 3, 4, 5, 6, 7, 8};
  RationalRank    r;

  PetscFunctionBeginUser;
  PetscCall(RankOf(2, 2, third, 2, &r));
  Tap((PetscBool)(r.rank == 1 && r.computed), "(1/3, 2/3) and (1, 2), rounded, are parallel: doubling is exact");
  PetscCall(RankOf(2, 2, tiny, 2, &r));
  Tap((PetscBool)(r.rank == 2), "(1, 1) and (1, 1 + 2u) are not");
  PetscCall(RankOf(2, 2, wide, 2, &r));
  Tap((PetscBool)(r.rank == 2), "nor are points of sizes 1e-324 to 1e300");
  PetscCall(RankOf(2, 2, prime, 2, &r));
  Tap((PetscBool)(r.rank == 2), "a prime at which the rank falls does not mislead");
  PetscCall(RankOf(8, 1, cubes, 8, &r));
  Tap((PetscBool)(r.rank == 1 && r.cols == 1), "x^3: one monomial");
  PetscCall(RankOf(8, 1, cubes, 15, &r));
  Tap((PetscBool)(r.rank == 4 && r.cols == 4), "1, x, x^2, x^3: four");
  PetscCall(RankOf(4, 2, cubes, 7, &r));
  Tap((PetscBool)(r.rank == 3 && r.cols == 6), "points on a line: three of six quadratic monomials");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- polynomial nets --------------------------------------------------------------------------------------------------------- */

static PetscErrorCode Net(const char activation[], PetscBool bias, PetscInt layers, const PetscInt widths[], NetOptions *net)
{
  PetscFunctionBeginUser;
  *net          = Plain;
  net->bias     = bias;
  net->widths.n = layers;
  PetscCall(PetscArraycpy(net->widths.v, widths, layers));
  PetscCall(PetscStrncpy(net->activation, activation, sizeof net->activation));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y := 0, which every one of these nets can give */
static PetscErrorCode PointsToZero(PetscInt d, PetscInt p, PetscInt l, Data *data)
{
  PetscFunctionBeginUser;
  PetscCall(Points(d, p, l, data));
  for (PetscInt k = 0; k < d * l; k++) SetY(*data, k, 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Try(const char activation[], PetscBool bias, PetscInt layers, const PetscInt widths[], PetscInt d, PetscInt p,
                          PetscInt l, Outcome *o)
{
  NetOptions net;
  Data       data;

  PetscFunctionBeginUser;
  PetscCall(Net(activation, bias, layers, widths, &net));
  PetscCall(PointsToZero(d, p, l, &data));
  PetscCall(Refute(data, &net, o));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Polynomials(void)
{
  const PetscInt nine[] = {9}, six_six[] = {6, 6}, twenty[] = {20};
  NetOptions     net;
  Outcome        o;
  Data           data;

  PetscFunctionBeginUser;
  PetscCall(Try("square", PETSC_FALSE, 1, nine, 8, 2, 2, &o));
  Bounded(&o, 6, "3 monomials", "squares of 2 inputs, 2 outputs: 2 x 3");
  Tap((PetscBool)!o.c.empty, "... and y = 0 can be reached");
  PetscCall(Try("square", PETSC_TRUE, 1, nine, 8, 2, 2, &o));
  Bounded(&o, 12, "6 monomials", "with biases 2 x 6");
  PetscCall(Try("square", PETSC_TRUE, 1, nine, 6, 2, 2, &o));
  Untouched(&o, "as many points as monomials");
  PetscCall(Try("cubic", PETSC_FALSE, 1, twenty, 12, 3, 1, &o));
  Bounded(&o, 10, "10 monomials", "cubes of 3 inputs: 10");
  PetscCall(Try("cubic", PETSC_TRUE, 1, nine, 7, 1, 2, &o));
  Bounded(&o, 8, "4 monomials", "cubic with biases, one input: 2 x 4");
  PetscCall(Try("square", PETSC_FALSE, 2, six_six, 9, 2, 1, &o));
  Bounded(&o, 5, "5 monomials", "squares of squares of 2 inputs: degree 4, 5 monomials");
  PetscCall(Points(8, 2, 2, &data));
  PetscCall(Net("square", PETSC_FALSE, 1, nine, &net));
  PetscCall(Refute(data, &net, &o));
  IsEmpty(&o, PETSC_FALSE, "rank J <= 6 < m = 16", "targets that are no quadratic form");
  PetscCall(PointsToZero(5, 3, 1, &data));
  Copy(data, 0, 1, 2); /* x_2 = 2 x_1: as many monomials as points, but dependent */
  PetscCall(Refute(data, &net, &o));
  Bounded(&o, 4, "rank 4", "quadratic, two points on a line through 0");
  PetscCall(PointsToZero(5, 3, 1, &data));
  Copy(data, 0, 1, 2);
  net.bias = PETSC_TRUE;
  PetscCall(Refute(data, &net, &o));
  Untouched(&o, "with biases such points are free");
  PetscCall(PointsToZero(5, 3, 1, &data));
  Copy(data, 0, 1, 2);
  if (data->all_x) data->all_x[3] *= 1 + 0x1p-51; /* the rank is now 5, and no numerical method sees it */
  PetscCall(Net("square", PETSC_FALSE, 1, nine, &net));
  PetscCall(Refute(data, &net, &o));
  Tap((PetscBool)!o.refutation.refuted, "quadratic, all but on that line: not refuted");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LinearNets(void)
{
  const PetscInt four[] = {4}, two[] = {2}, deep[] = {7, 2, 5}, wide[] = {6, 5};
  Outcome        o;

  PetscFunctionBeginUser;
  PetscCall(Try("identity", PETSC_FALSE, 1, four, 6, 5, 3, &o));
  Bounded(&o, 15, "rank 5", "linear, 5 inputs, 3 outputs: 15");
  PetscCall(Try("identity", PETSC_FALSE, 1, two, 7, 9, 3, &o));
  Bounded(&o, 2 * (7 + 3 - 2), "narrowest", "linear through 2 units: q(r + l - q)");
  PetscCall(Try("identity", PETSC_TRUE, 1, two, 8, 9, 3, &o));
  Bounded(&o, 2 * 8 + 1 * 3, "narrowest", "linear through 2 units with biases");
  PetscCall(Try("identity", PETSC_TRUE, 3, deep, 9, 6, 3, &o));
  Bounded(&o, 2 * 7 + 1 * 3, "narrowest", "linear through 7, 2, 5 units with biases");
  PetscCall(Try("identity", PETSC_TRUE, 2, wide, 9, 6, 2, &o));
  Bounded(&o, 14, "7 monomials", "linear, wide, with biases: l (p + 1)");
  PetscCall(Try("identity", PETSC_TRUE, 2, wide, 7, 6, 2, &o));
  Untouched(&o, "linear, as many points as p + 1");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode QuadraticNets(void)
{
  const PetscInt two[] = {2}, three[] = {3}, four[] = {4}, nine[] = {9};
  NetOptions     net;
  Outcome        o;
  Data           data;

  PetscFunctionBeginUser;
  PetscCall(Try("square", PETSC_FALSE, 1, four, 25, 6, 1, &o));
  Bounded(&o, 4 * 6 - 6, "4 quadratic units", "4 quadratic units on 6 inputs: 18");
  PetscCall(Try("square", PETSC_FALSE, 1, nine, 22, 6, 1, &o));
  Bounded(&o, 21, "21 monomials", "more units than inputs: all 21 forms");
  PetscCall(Try("square", PETSC_TRUE, 1, two, 14, 5, 1, &o));
  Bounded(&o, 2 * 6 - 1 + 1, "2 quadratic units", "2 quadratic units on 5 inputs, with biases: 12");
  PetscCall(Try("square", PETSC_TRUE, 1, three, 12, 3, 1, &o));
  Bounded(&o, 3 * 4 - 3 + 1, "", "3 quadratic units on 3 inputs, with biases: all 10");
  PetscCall(Try("square", PETSC_FALSE, 1, two, 11, 6, 1, &o));
  Untouched(&o, "2 quadratic units on 11 points: as many as they can");
  PetscCall(PointsToZero(11, 6, 1, &data));
  for (PetscInt i = 0; data->all_x && i < 11; i++) /* a subspace of dimension 5 */
    data->all_x[6 * i + 5] = data->all_x[6 * i] + 2 * data->all_x[6 * i + 1];
  PetscCall(Net("square", PETSC_FALSE, 1, two, &net));
  PetscCall(Refute(data, &net, &o));
  Bounded(&o, 2 * 5 - 1, "on 5 dimensions", "2 quadratic units on 5 of 6 dimensions: 9");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the degree of an activation that has one is its power */
static void Powers(void)
{
  for (const Activation *const *a = Activations; *a; a++) {
    const PetscReal z[] = {.75, 1.5};
    PetscReal       s[2];

    (*a)->jet(2, z, s, NULL, NULL);
    if ((*a)->degree >= 0) Tap((PetscBool)(s[1] == ldexp((double)s[0], (int)(*a)->degree)), "%s is a pure power", (*a)->name);
  }
}

static PetscErrorCode TooLarge(void)
{
  const PetscInt nine[] = {9}, deep[] = {3, 3, 3};
  NetOptions     net;
  Outcome        o;
  Data           data;
  RationalRank   r;

  PetscFunctionBeginUser;
  PetscCall(Points(20, 40, 1, &data));
  PetscCall(RationalRankCompute(data, 1 << 8, &r));
  Tap((PetscBool)(!r.computed && r.rank == 20 && !r.y_outside),
      "10^8 monomials are too many: the rank is at most that of the rows");
  PetscCall(DataDestroy(&data));
  PetscCall(PointsToZero(20, 40, 1, &data));
  PetscCall(Net("square", PETSC_FALSE, 3, deep, &net));
  PetscCall(Refute(data, &net, &o));
  Tap((PetscBool)(!o.refutation.refuted && strstr(o.refutation.note, "too large")), "... which is said");
  PetscCall(PointsToZero(8, 2, 2, &data));
  PetscCall(DataFindCoincidences(data, SYMMETRY_NONE, &data->equal));
  PetscCall(Net("square", PETSC_FALSE, 1, nine, &net));
  {
    Problem problem;

    PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
    PetscCall(RefuteExactly(data, problem.map, PETSC_FALSE, &o.refutation, &o.c));
    Tap((PetscBool)!o.refutation.refuted, "ranks are left out on request");
    PetscCall(ProblemDestroy(&problem));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(Coinciding());
  TapCall(Opposite());
  TapCall(OneBias());
  TapCall(Rationals());
  TapCall(Polynomials());
  TapCall(LinearNets());
  TapCall(QuadraticNets());
  Powers();
  TapCall(TooLarge());
  return TapEnd();
}
