// ranks: 1 2 3 4 6
/*
  test_hessian.c: the exact Hessian against J, against differences of the gradient, and at zeros of the loss, on every grid; some nets
  with fewer points, some with fewer units than ranks.

  Rounding: sums of at most some hundred products, 1e-13 of their size. Slopes: remainders quarter as t is halved, to a tenth.
*/
#include "codim/full.h"
#include "reference.h"

typedef struct {
  PetscInt    d, p, l, depth, widths[3];
  const char *activation;
  PetscBool   bias;
} Net;

/* n > m in each. The last two: fewer points, and fewer units, than ranks */
static const Net nets[] = {
    {11, 4, 1, 1, {9}, "tanh", PETSC_TRUE},          {5, 3, 3, 2, {6, 5}, "softplus", PETSC_TRUE},
    {7, 5, 1, 3, {5, 3, 4}, "sigmoid", PETSC_FALSE}, {7, 3, 3, 1, {7}, "erf", PETSC_FALSE},
    {5, 4, 1, 2, {4, 3}, "cubic", PETSC_TRUE},       {2, 3, 3, 2, {3, 2}, "gelu", PETSC_TRUE},
    {13, 11, 1, 2, {2, 1}, "silu", PETSC_TRUE},
};

static PetscErrorCode NetProblem(const Net *net, PetscInt G, Problem *problem)
{
  NetOptions options = {.widths = {.n = net->depth}, .bias = net->bias, .seed = 9, .gain = 1.5, .bias_gain = .5};
  Data       data;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < net->depth; k++) options.widths.v[k] = net->widths[k];
  PetscCall(PetscStrncpy(options.activation, net->activation, sizeof options.activation));
  PetscCall(DataRandom(PETSC_COMM_WORLD, net->d, net->p, net->l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a random direction of length 1 */
static PetscErrorCode CreateDirection(Problem *problem, PetscInt64 seed, Vec *v)
{
  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, v));
  PetscCall(ParametersSetRandom(problem->parameters, seed, 5, *v));
  PetscCall(VecNormalize(*v, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- identities -------------------------------------------------------------------------------------------------- */

/* <u, A v> = <v, A u>, for the Hessian and for S */
static PetscErrorCode TestSymmetry(Problem *problem)
{
  const char *const claims[] = {"... <u, Hessian v> = <v, Hessian u>", "... <u, S v> = <v, S u>"};
  Vec               u, v, y;
  PetscReal         left, right, size;

  PetscFunctionBeginUser;
  PetscCall(CreateDirection(problem, 7, &u));
  PetscCall(CreateDirection(problem, 8, &v));
  PetscCall(VecDuplicate(v, &y));
  for (int part = HESSIAN_EXACT; part <= HESSIAN_CURVATURE; part++) {
    PetscCall(HessianMult(problem->hessian, (HessianPart)part, v, y));
    PetscCall(VecDot(u, y, &left));
    PetscCall(VecNorm(y, NORM_2, &size));
    PetscCall(HessianMult(problem->hessian, (HessianPart)part, u, y));
    PetscCall(VecDot(v, y, &right));
    TapClose(left, right, size, 1e-13, claims[part]);
  }
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Hessian v = 2 J^T J v + S v; the shells are the products */
static PetscErrorCode TestParts(Problem *problem)
{
  const PetscInt products = problem->hessian->products;
  Mat            exact, curvature;
  Vec            v, y, sum, Jv;
  PetscReal      size, difference;

  PetscFunctionBeginUser;
  PetscCall(CreateDirection(problem, 7, &v));
  PetscCall(VecDuplicate(v, &y));
  PetscCall(VecDuplicate(v, &sum));
  PetscCall(VecDuplicate(problem->H, &Jv));
  PetscCall(HessianCreateMat(problem->hessian, HESSIAN_EXACT, &exact));
  PetscCall(HessianCreateMat(problem->hessian, HESSIAN_CURVATURE, &curvature));
  PetscCall(MatMult(exact, v, y));
  PetscCall(MatMult(curvature, v, sum));
  PetscCall(JacobianMult(problem->jacobian, v, Jv));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 2, Jv, sum));
  PetscCall(VecNorm(y, NORM_2, &size));
  PetscCall(VecAXPY(sum, -1, y));
  PetscCall(VecNorm(sum, NORM_2, &difference));
  TapClose(difference, 0, size, 1e-13, "... Hessian v = 2 J^T J v + S v");
  PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, v, sum));
  PetscCall(VecAXPY(sum, -1, y));
  PetscCall(VecNorm(sum, NORM_2, &difference));
  Tap((PetscBool)(difference == 0 && problem->hessian->products == products + 3), "... three products were taken and counted");
  PetscCall(MatDestroy(&curvature));
  PetscCall(MatDestroy(&exact));
  PetscCall(VecDestroy(&Jv));
  PetscCall(VecDestroy(&sum));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- differences of the gradient --------------------------------------------------------------------------------- */

/* g = 2 J^T H at theta + t v */
static PetscErrorCode Gradient(Problem *problem, Vec v, PetscReal t, Vec g)
{
  Trajectory trajectory;
  Jacobian   jacobian;
  Vec        theta, H;

  PetscFunctionBeginUser;
  PetscCall(TrajectoryCreate(problem->map, &trajectory));
  PetscCall(JacobianCreate(problem->map, &jacobian));
  PetscCall(VecDuplicate(v, &theta));
  PetscCall(VecDuplicate(problem->H, &H));
  PetscCall(VecWAXPY(theta, t, v, problem->theta));
  PetscCall(ResidualMapApply(problem->map, theta, trajectory, H));
  PetscCall(JacobianLinearize(jacobian, theta, trajectory));
  PetscCall(VecSet(g, 0));
  PetscCall(JacobianMultTransposeAdd(jacobian, 2, H, g));
  PetscCall(VecDestroy(&H));
  PetscCall(VecDestroy(&theta));
  PetscCall(JacobianDestroy(&jacobian));
  PetscCall(TrajectoryDestroy(&trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |g(t) - g(0) - t Hessian v| and |(g(t) - g(-t))/2t - Hessian v| */
static PetscErrorCode Remainders(Problem *problem, Vec v, PetscReal t, PetscReal remainder[2])
{
  Vec g[3], y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(v, &y));
  PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, v, y));
  for (int k = 0; k < 3; k++) {
    PetscCall(VecDuplicate(v, &g[k]));
    PetscCall(Gradient(problem, v, (PetscReal)(k - 1) * t, g[k]));
  }
  PetscCall(VecAXPY(g[0], -1, g[2])); /* g(-t) - g(t) */
  PetscCall(VecAXPY(g[0], 2 * t, y));
  PetscCall(VecNorm(g[0], NORM_2, &remainder[1]));
  remainder[1] /= 2 * t;
  PetscCall(VecAXPY(g[2], -1, g[1]));
  PetscCall(VecAXPY(g[2], -t, y));
  PetscCall(VecNorm(g[2], NORM_2, &remainder[0]));
  for (int k = 0; k < 3; k++) PetscCall(VecDestroy(&g[k]));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestDifferences(Problem *problem)
{
  Vec       v;
  PetscReal whole[2], half[2];

  PetscFunctionBeginUser;
  PetscCall(CreateDirection(problem, 7, &v));
  PetscCall(Remainders(problem, v, 2e-3, whole));
  PetscCall(Remainders(problem, v, 1e-3, half));
  TapClose(PetscLog2Real(whole[0] / half[0]), 2, 1, .1, "... grad(theta + t v) = grad + t Hessian v + O(t^2): slope 2");
  TapClose(PetscLog2Real(whole[1] / half[1]), 2, 1, .1, "... central differences of the gradient meet Hessian v with slope 2");
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the whole Hessian ------------------------------------------------------------------------------------------- */

/* tr = 2 |J|_F^2 + tr S = the sum of the eigenvalues */
static PetscErrorCode TestTraces(Problem *problem)
{
  const PetscInt n = problem->map->n;
  FullHessian    full;
  PetscReal      norm2, sum = 0, size = 0;
  PetscBool      ascending = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(FullHessianCompute(problem->hessian, &full));
  PetscCall(JacobianNormSquared(problem->jacobian, &norm2));
  for (PetscInt k = 0; k < n; k++) {
    sum += full.lambda[k];
    size += PetscAbsReal(full.lambda[k]);
    ascending = (PetscBool)(ascending && (k == 0 || full.lambda[k - 1] <= full.lambda[k]));
  }
  TapClose(full.trace, 2 * norm2 + full.trace_curvature, size, 1e-13, "... its trace is 2 |J|_F^2 + tr S");
  TapClose(full.trace, sum, size, 1e-13, "... and the sum of its eigenvalues");
  Tap((PetscBool)(full.n == n && ascending), "... which ascend");
  PetscCall(FullHessianDestroy(&full));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNet(const Net *net, PetscInt G)
{
  Problem problem;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(net, G, &problem));
  PetscCall(ProblemLinearizeHessian(&problem));
  Tap((PetscBool)(problem.hessian->map == problem.map), "%s, d = %d, l = %d, n = %d, depth %d, on %d x %d:", net->activation,
      (int)net->d, (int)net->l, (int)problem.map->n, (int)net->depth, problem.grid->G, problem.grid->Q);
  PetscCall(TestSymmetry(&problem));
  PetscCall(TestParts(&problem));
  PetscCall(TestDifferences(&problem));
  PetscCall(TestTraces(&problem));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at a zero S is rounding: |H| <= 1e-14 there, so |S v| <= 2 sum |H_k| |Hessian of H_k| <= 1e-12 of the Hessian's size */
static PetscErrorCode TestZero(const char name[], PetscInt G)
{
  Case        c;
  Problem     problem;
  FullHessian full;
  Vec         v, y;
  PetscReal   size;
  PetscInt    positive = 0;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, G, &problem));
  PetscCall(ProblemLinearizeHessian(&problem));
  PetscCall(CreateDirection(&problem, 7, &v));
  PetscCall(VecDuplicate(v, &y));
  PetscCall(HessianMult(problem.hessian, HESSIAN_CURVATURE, v, y));
  PetscCall(VecNorm(y, NORM_2, &size));
  Tap((PetscBool)(size <= 1e-12 * c.lambda[c.n - 1]), "%s on %d x %d: S v = 0 to rounding", name, problem.grid->G, problem.grid->Q);
  PetscCall(FullHessianCompute(problem.hessian, &full));
  for (PetscInt k = 0; k < c.n; k++) positive += full.lambda[k] > full.error;
  Tap((PetscBool)(positive == c.rank), "... %d eigenvalues are positive", (int)c.rank);
  Tap((PetscBool)(Largest(c.n - c.rank, full.lambda) <= full.error && full.lambda[c.n - c.rank] >= 1e3 * full.error),
      "... the others are noise, a thousand times smaller");
  PetscCall(FullHessianDestroy(&full));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  const char *const zeros[] = {"mlp-tanh-zero", "mlp-softplus-3out-zero", "quadratic-rank-deficient"};
  PetscMPIInt       size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "32" : "5"));
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(nets); k++) TapCall(TestNet(&nets[k], G));
  }
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(zeros); k++) TapCall(TestZero(zeros[k], size % 2 ? size : size / 2));
  return TapEnd();
}
