// ranks: 1 2 3 4 6
/*
  test_jacobian.c: identities between H, J v, J^T u, |J|_F and K, on random nets of every activation, depth 0 to 3, l = 1 and 3, on every
  grid; some with fewer points, some with fewer units than ranks. Rounding: sums of at most some hundred products, 1e-13 of their size.
*/
#include "capture.h"
#include "codim/gram.h"
#include "problem.h"

typedef struct {
  PetscInt d, p, l;
  PetscInt depth, widths[3];
} Shapes;

/* n > m in each. The first four suit every activation; the last two have fewer points, and fewer units, than ranks */
static const Shapes sizes[] = {
    {11, 4, 1, 1, {9}}, {5, 3, 3, 2, {6, 5}}, {7, 5, 1, 3, {5, 3, 4}}, {7, 3, 3, 1, {7}},
    {2, 9, 3, 0, {0}},  {2, 3, 3, 2, {3, 2}}, {13, 11, 1, 2, {2, 1}},
};
enum { SIZES = PETSC_STATIC_ARRAY_LENGTH(sizes), ROOMY = 4 };

static PetscMPIInt ranks;

static NetOptions NetOf(const Shapes *s, const Activation *activation, PetscBool bias)
{
  NetOptions net = {.widths = {.n = s->depth}, .bias = bias, .seed = 5, .gain = 1.5, .bias_gain = .5};

  for (PetscInt k = 0; k < s->depth; k++) net.widths.v[k] = s->widths[k];
  (void)PetscStrncpy(net.activation, activation->name, sizeof net.activation);
  return net;
}

/* a random direction of length 1 */
static PetscErrorCode CreateDirection(Problem *problem, Vec *v)
{
  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, v));
  PetscCall(ParametersSetRandom(problem->parameters, 7, 5, *v));
  PetscCall(VecNormalize(*v, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* <J v, u> = <v, J^T u>, and adding to what is there */
static PetscErrorCode TestAdjoint(Problem *problem, PetscReal norm_J)
{
  Vec       v, u, Jv, y;
  PetscReal left, right, size, error;

  PetscFunctionBeginUser;
  PetscCall(CreateDirection(problem, &v));
  PetscCall(VecDuplicate(v, &y));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(VecDuplicate(problem->H, &Jv));
  PetscCall(SetRandomRows(problem, 11, u));
  PetscCall(VecNorm(u, NORM_2, &size));
  PetscCall(JacobianMult(problem->jacobian, v, Jv));
  PetscCall(VecDot(Jv, u, &left));
  PetscCall(VecSet(y, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, y));
  PetscCall(VecDot(v, y, &right));
  TapClose(left, right, norm_J * size, 1e-13, "... <J v, u> = <v, J^T u>");
  PetscCall(VecAYPX(y, -3, v)); /* v - 3 J^T u */
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 3, u, y));
  PetscCall(VecAXPY(y, -1, v));
  PetscCall(VecNorm(y, NORM_INFINITY, &error));
  Tap((PetscBool)(error <= 1e-13 * (1 + norm_J * size)), "... 3 J^T u is added to what was there");
  PetscCall(VecDestroy(&Jv));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* J J^T u by blocks of columns, and as two products */
static PetscErrorCode TestGramProduct(Problem *problem, PetscReal norm_J)
{
  Vec       y, u, Ku, JJu;
  PetscReal size, error;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(VecDuplicate(problem->H, &Ku));
  PetscCall(VecDuplicate(problem->H, &JJu));
  PetscCall(SetRandomRows(problem, 12, u));
  PetscCall(VecNorm(u, NORM_2, &size));
  PetscCall(VecSet(y, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, y));
  PetscCall(JacobianMult(problem->jacobian, y, JJu));
  PetscCall(JacobianMultGram(problem->jacobian, u, Ku));
  PetscCall(VecAXPY(Ku, -1, JJu));
  PetscCall(VecNorm(Ku, NORM_INFINITY, &error));
  Tap((PetscBool)(error <= 1e-13 * norm_J * norm_J * size), "... J J^T u without J^T u, to %.1e", (double)error);
  PetscCall(VecDestroy(&JJu));
  PetscCall(VecDestroy(&Ku));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the K of every label add up to K */
static PetscErrorCode TestLabels(Problem *problem, PetscReal norm_J)
{
  Tiles     K, label_K;
  PetscReal difference = 0;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(TilesDuplicate(K, &label_K));
  PetscCall(GramCompute(problem->jacobian, K));
  for (PetscInt label = 0; label < problem->network->nlabels; label++) {
    PetscCall(GramComputeLabel(problem->jacobian, label, label_K));
    for (size_t e = 0; e < (size_t)K->rows * (size_t)K->cols; e++) K->a[e] -= label_K->a[e];
  }
  for (int c = 0; c < K->cols; c++)
    for (int r = 0; r < K->rows; r++) {
      const PetscReal left = PetscAbsReal(K->a[(size_t)c * (size_t)K->rows + (size_t)r]);

      if (TilesGlobalRow(K, K->myrow, r) >= TilesGlobalCol(K, K->mycol, c) && !(left <= difference))
        difference = left; /* NaN stays */
    }
  Tap((PetscBool)(difference <= 1e-13 * PetscSqr(norm_J)), "... labels, one by one, add up to K");
  PetscCall(TilesDestroy(&label_K));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* where Q = 1, a layer of more than one block */
static PetscErrorCode TestLargeLayer(PetscInt G)
{
  const Shapes     s   = {3, 2, 1, 2, {2500, 2000}};
  const NetOptions net = NetOf(&s, ActivationFind("tanh"), PETSC_TRUE);
  Problem          problem;
  Data             data;
  PetscReal        norm2;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, s.d, s.p, s.l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(JacobianNormSquared(problem.jacobian, &norm2));
  PetscCall(TestGramProduct(&problem, PetscSqrtReal(norm2)));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |H(theta + t v) - H(theta) - t J v| */
static PetscErrorCode Remainder(Problem *problem, Vec v, PetscReal t, PetscReal *remainder)
{
  Trajectory trajectory;
  Vec        theta, H, Jv;

  PetscFunctionBeginUser;
  PetscCall(TrajectoryCreate(problem->map, &trajectory));
  PetscCall(VecDuplicate(v, &theta));
  PetscCall(VecDuplicate(problem->H, &H));
  PetscCall(VecDuplicate(problem->H, &Jv));
  PetscCall(VecWAXPY(theta, t, v, problem->theta));
  PetscCall(ResidualMapApply(problem->map, theta, trajectory, H));
  PetscCall(JacobianMult(problem->jacobian, v, Jv));
  PetscCall(VecAXPY(H, -1, problem->H));
  PetscCall(VecAXPY(H, -t, Jv));
  PetscCall(VecNorm(H, NORM_2, remainder));
  PetscCall(VecDestroy(&Jv));
  PetscCall(VecDestroy(&H));
  PetscCall(VecDestroy(&theta));
  PetscCall(TrajectoryDestroy(&trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* halving t quarters the remainder; what is left of third order makes less than a tenth of the slope at t = 1e-3 */
static PetscErrorCode TestTaylor(Problem *problem, PetscInt depth)
{
  Vec       v;
  PetscReal whole, half;

  PetscFunctionBeginUser;
  PetscCall(CreateDirection(problem, &v));
  PetscCall(Remainder(problem, v, 1e-3, &whole));
  PetscCall(Remainder(problem, v, 5e-4, &half));
  if (depth)
    TapClose(PetscLog2Real(whole / half), 2, 1, .1, "... H(theta + t v) = H + t J v + O(t^2): slope 2");
  else
    Tap((PetscBool)(whole <= 1e-14), "... without hidden layers H is linear in theta");
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K e_k = J (J^T e_k), |J|_F^2 = tr K */
static PetscErrorCode TestGram(Problem *problem, PetscReal norm_J)
{
  const ResidualMap map = problem->map;
  const PetscInt    m   = map->m;
  Mat               J;
  Tiles             K;
  Vec               e, y, column;
  PetscReal        *entries, difference = 0, trace;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(m, &entries));
  PetscCall(JacobianCreateMat(problem->jacobian, &J));
  PetscCall(MatCreateVecs(J, &y, &e));
  PetscCall(VecDuplicate(e, &column));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, m, &K));
  PetscCall(GramCompute(problem->jacobian, K));
  for (PetscInt k = 0; k < m; k++) {
    PetscCall(SetUnit(e, k));
    PetscCall(MatMultTranspose(J, e, y));
    PetscCall(MatMult(J, y, column));
    PetscCall(RowsGatherAll(problem->map->rows, column, entries));
    for (int c = 0; c < K->cols; c++)
      for (int r = 0; r < K->rows; r++) {
        const PetscInt  i     = TilesGlobalRow(K, K->myrow, r);
        const PetscReal error = PetscAbsReal(K->a[(size_t)c * (size_t)K->rows + (size_t)r] - entries[i]);

        if (TilesGlobalCol(K, K->mycol, c) == k && i >= k && !(error <= difference)) difference = error; /* NaN stays */
      }
  }
  Tap((PetscBool)(difference <= 1e-13 * PetscSqr(norm_J)), "... K = J J^T, column by column, on %d x %d tiles of %d", K->nprow,
      K->npcol, K->nb);
  PetscCall(TilesNorms(K, &trace, NULL, NULL));
  TapClose(trace, PetscSqr(norm_J), trace, 1e-13, "... |J|_F^2 = tr K");
  PetscCall(TilesDestroy(&K));
  PetscCall(VecDestroy(&column));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&e));
  PetscCall(MatDestroy(&J));
  PetscCall(PetscFree(entries));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum over weights h x k of the cheaper of d^2 k + m^2 h, and an m x m Hadamard product at 4 an entry, and m^2 h k + m h k */
static PetscErrorCode TestFlops(Problem *problem, const Shapes *s)
{
  const PetscReal d = (PetscReal)s->d, m = (PetscReal)(s->d * s->l);
  PetscReal       flops, expected        = 0;

  PetscFunctionBeginUser;
  for (PetscInt layer = 0; layer <= s->depth; layer++) {
    const PetscReal k       = (PetscReal)(layer ? s->widths[layer - 1] : s->p),
                    h       = (PetscReal)(layer < s->depth ? s->widths[layer] : s->l);
    const PetscReal factors = d * d * k + m * m * h, block = m * m * h * k + m * h * k;

    expected += block < factors + 4 * m * m ? block : factors;
  }
  PetscCall(GramFlops(problem->jacobian, &flops));
  Tap((PetscBool)(flops == expected), "... K costs %.0f flops on any grid", (double)expected);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* H of the same theta on one rank */
static PetscErrorCode TestAlone(Problem *problem, const Shapes *s, const NetOptions *net)
{
  Problem    alone;
  Data       data;
  PetscReal *H, *expected;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(problem->map->m, &H, problem->map->m, &expected));
  PetscCall(DataRandom(PETSC_COMM_SELF, s->d, s->p, s->l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, net, &alone));
  PetscCall(RowsGatherAll(problem->map->rows, problem->H, H));
  PetscCall(RowsGatherAll(alone.map->rows, alone.H, expected));
  Tap((PetscBool)(LargestDifference(s->d * s->l, H, expected) <= 1e-13 * Largest(s->d * s->l, expected)),
      "... H is the same as on one rank");
  PetscCall(ProblemDestroy(&alone));
  PetscCall(PetscFree2(H, expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNet(const Shapes *s, const Activation *activation, PetscBool bias, PetscInt G)
{
  const NetOptions net = NetOf(s, activation, bias);
  Problem          problem;
  Data             data;
  PetscReal        norm_J;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, s->d, s->p, s->l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(JacobianNormSquared(problem.jacobian, &norm_J));
  norm_J = PetscSqrtReal(norm_J);
  Tap((PetscBool)(norm_J > 0), "%s, d = %d, l = %d, n = %d, depth %d, %s bias, on %d x %d: J is not zero", activation->name,
      (int)s->d, (int)s->l, (int)problem.map->n, (int)s->depth, bias ? "with" : "no", problem.grid->G, problem.grid->Q);
  PetscCall(TestAlone(&problem, s, &net));
  PetscCall(TestAdjoint(&problem, norm_J));
  PetscCall(TestGramProduct(&problem, norm_J));
  if (activation->smooth) PetscCall(TestTaylor(&problem, s->depth));
  PetscCall(TestGram(&problem, norm_J));
  PetscCall(TestFlops(&problem, s));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* points 0 and 1 coincide, so large parts of u cancel in J^T u: taking away what was added leaves no more than the rounding of y */
static PetscErrorCode TestUndo(PetscInt G)
{
  const Shapes     s   = {9, 4, 1, 2, {7, 5}};
  const NetOptions net = NetOf(&s, ActivationFind("tanh"), PETSC_TRUE);
  Problem          problem;
  Data             data;
  Vec              v, y, u;
  PetscReal        left;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, s.d, s.p, s.l, 3, &data));
  if (data->all_x) PetscCall(PetscArraycpy(data->all_x + s.p, data->all_x, s.p));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(CreateDirection(&problem, &v));
  PetscCall(VecDuplicate(v, &y));
  PetscCall(VecDuplicate(problem.H, &u));
  PetscCall(VecCopy(v, y));
  PetscCall(SetUnit(u, 0));
  PetscCall(VecSetValue(u, 1, -1, INSERT_VALUES));
  PetscCall(VecAssemblyBegin(u));
  PetscCall(VecAssemblyEnd(u));
  PetscCall(JacobianMultTransposeAdd(problem.jacobian, 1e10, u, y));
  PetscCall(JacobianMultTransposeAdd(problem.jacobian, -1e10, u, y));
  PetscCall(VecAXPY(y, -1, v));
  PetscCall(VecNorm(y, NORM_INFINITY, &left));
  Tap((PetscBool)(left <= 1e-14), "on %d x %d: a product with large terms that cancel is taken away as it was added",
      problem.grid->G, problem.grid->Q);
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* every activation on some size, every size with some activation */
static PetscErrorCode TestShape(PetscInt G)
{
  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "4" : "2")); /* they cut through points of l = 3 */
  for (PetscInt k = 0; Activations[k]; k++) PetscCall(TestNet(&sizes[k % ROOMY], Activations[k], (PetscBool)(k % 3 > 0), G));
  for (PetscInt k = 0; k < SIZES; k++) PetscCall(TestNet(&sizes[k], ActivationFind("tanh"), PETSC_TRUE, G));
  PetscCall(TestUndo(G));
  PetscCall(TestLargeLayer(G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestTooManyPoints(void)
{
  const Shapes     s   = {17, 2, 2, 1, {4}}; /* m = 34, n = 22 */
  const NetOptions net = NetOf(&s, ActivationFind("tanh"), PETSC_TRUE);
  char             text[1024];
  Problem          problem = {0};
  Capture          capture;
  Data             data;
  PetscErrorCode   ierr;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, s.d, s.p, s.l, 3, &data));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = ProblemCreate(PETSC_COMM_WORLD, ranks, data, &net, &problem);
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(ierr && !problem.map && ExitStatusOfError(ierr) == STATUS_DATA), "m = 34 >= n = 22 is a user error");
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K of a convolution over four places that goes by its factors, so that a pair of residuals is a sum over pairs of places; d T beyond a rectangle's
   columns, or several outputs to a point */
static PetscErrorCode TestPlaces(PetscInt G, PetscInt d, PetscInt l)
{
  const NetOptions net = {.arch       = 1,
                          .activation = "tanh",
                          .bias       = PETSC_TRUE,
                          .channels   = {2, {40, 48}},
                          .shape      = {3, {1, 4, 4}},
                          .kernel     = 3,
                          .pool       = 2,
                          .seed       = 5,
                          .gain       = 1,
                          .bias_gain  = .5};
  Problem          problem;
  Data             data;
  PetscReal        norm_J;
  PetscInt         label = 0;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, d, 16, l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  while (problem.network->labels[label].cols != 360) label++;
  Tap((PetscBool)!GramTermOf(problem.network, (PetscReal)d, (PetscReal)(d * l), label).block,
      "d = %d, l = %d: a convolution goes by its factors", (int)d, (int)l);
  PetscCall(JacobianNormSquared(problem.jacobian, &norm_J));
  PetscCall(TestGram(&problem, PetscSqrtReal(norm_J)));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Layers "value" and "gate" read the values that "other" reads in vain, and without a bias; at one place, where biases join their weights'
   products, and at two: how their terms of K are made */
static PetscErrorCode TestShared(PetscInt G, const char file[], PetscInt places)
{
  NetOptions net = {.arch = 5, .activation = "tanh", .seed = 2, .gain = 1, .bias_gain = .5};
  Problem    problem;
  Data       data;
  PetscReal  norm_J, flops, expected = 0;
  GramTerm   term[7]; /* first, other, value, its bias, gate, its bias, last */

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(net.file, file, sizeof net.file));
  PetscCall(DataRandom(PETSC_COMM_WORLD, 40, 12, 3, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  for (PetscInt label = 0; label < 7; label++) term[label] = GramTermOf(problem.network, 40, 120, label);
  Tap((PetscBool)(term[4].with == term[2].with && !term[4].block), "%s: a layer's A A^T serves another", file);
  if (places == 1)
    Tap((PetscBool)(term[1].with == 1 && term[2].with == 2 && term[3].with == 2 && term[5].with == 2 && term[2].one),
        "... their biases are in the same product, a layer without a bias is not");
  else
    Tap((PetscBool)(term[2].with == 1 && term[3].with == 3 && term[5].with == 5 && !term[1].one),
        "... biases go by their blocks, a layer without a bias is in the same product");
  for (PetscInt label = 0; label < 7; label++)
    if (problem.network->labels[label].cols > 1) expected += term[label].flops_alone;
  expected -= (places == 1 ? 1 : 2) * (PetscReal)places * (PetscReal)places * 40 * 40 * 60;
  PetscCall(GramFlops(problem.jacobian, &flops));
  TapClose(flops, expected, expected, 1e-15, "... which saves its flops");
  PetscCall(JacobianNormSquared(problem.jacobian, &norm_J));
  PetscCall(TestGram(&problem, PetscSqrtReal(norm_J)));
  PetscCall(TestLabels(&problem, PetscSqrtReal(norm_J)));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K of more rows and columns than a rectangle has, for labels at three places, which do not divide its sides, and at one: K u against J J^T u */
static PetscErrorCode TestRectangles(void)
{
  const PetscInt d   = 8400;
  NetOptions     net = {.arch = 5, .activation = "tanh", .file = "tests/nets/three-places.json", .seed = 2, .gain = 1};
  Problem        problem;
  Data           data;
  Tiles          K;
  Vec            u, Ku;
  PetscReal     *x, *y, *expected, trace;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_SELF, d, 120, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_SELF, 1, data, &net, &problem));
  PetscCall(TilesCreate(PETSC_COMM_SELF, d, &K));
  PetscCall(GramCompute(problem.jacobian, K));
  PetscCall(VecDuplicate(problem.H, &u));
  PetscCall(VecDuplicate(problem.H, &Ku));
  PetscCall(SetRandomRows(&problem, 12, u));
  PetscCall(JacobianMultGram(problem.jacobian, u, Ku));
  PetscCall(PetscMalloc2(d, &x, d, &expected));
  PetscCall(PetscCalloc1(d, &y));
  PetscCall(RowsGatherAll(problem.map->rows, u, x));
  PetscCall(RowsGatherAll(problem.map->rows, Ku, expected));
  for (PetscInt j = 0; j < d; j++)
    for (PetscInt i = j; i < d; i++) {
      const PetscReal k = K->a[(size_t)j * (size_t)d + (size_t)i];

      y[i] += k * x[j];
      if (i > j) y[j] += k * x[i];
    }
  PetscCall(TilesNorms(K, &trace, NULL, NULL));
  Tap((PetscBool)!GramTermOf(problem.network, (PetscReal)d, (PetscReal)d, 0).block,
      "m = %d, a layer at three places goes by its factors", (int)d);
  Tap((PetscBool)(LargestDifference(d, y, expected) <= 1e-13 * trace * Largest(d, x)), "... K u = J J^T u");
  PetscCall(PetscFree(y));
  PetscCall(PetscFree2(x, expected));
  PetscCall(VecDestroy(&Ku));
  PetscCall(VecDestroy(&u));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  for (PetscInt G = 1; G <= ranks; G++)
    if (ranks % G == 0) {
      TapCall(TestShape(G));
      TapCall(TestPlaces(G, 30, 3));
      TapCall(TestShared(G, "tests/nets/gated.json", 1));
      TapCall(TestShared(G, "tests/nets/gated-places.json", 2));
    }
  TapCall(TestPlaces(ranks, 280, 1));
  if (ranks == 1) TapCall(TestRectangles());
  TapCall(TestTooManyPoints());
  return TapEnd();
}
