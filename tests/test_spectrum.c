// ranks: 1 2 3 4 6
/*
  test_spectrum.c: the singular values: the rule that decides the rank, the resolution it rests on, and the same spectrum from K on every
  grid as on one rank.
*/
#include "codim/spectrum.h"
#include "reference.h"

enum { METHOD_AUTO, METHOD_GRAM };

static PetscErrorCode Compute(Problem *problem, PetscInt method, Tiles *K, PetscBool *factored, Spectrum *spectrum)
{
  const SpectrumOptions options = {.method = method};

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(problem->grid->world, problem->map->m, K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, *K, factored, spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tanh, p = 4, random points; of a gap below 1, points 0 and 1 are that far apart */
static PetscErrorCode NetProblem(MPI_Comm comm, PetscInt G, PetscInt d, PetscInt l, PetscReal gap, Problem *problem)
{
  const NetOptions net = {.widths = {2, {9, 6}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1.5, .bias_gain = .5};
  Data             data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(comm, d, 4, l, 3, &data));
  for (PetscInt j = 0; data->all_x && j < 4; j++)
    if (gap < 1) data->all_x[4 + j] = data->all_x[j] + gap;
  PetscCall(ProblemCreate(comm, G, data, &net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

/* gram's checks on itself; what it says of the rank, of which m alone can be decided from K; what K is left as */
static PetscErrorCode TestChecks(const Spectrum *s, Tiles K, PetscBool factored, PetscInt above, PetscBool decided)
{
  PetscBool  descending = PETSC_TRUE;
  PetscReal *lambda, norm2 = 0;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < s->m; k++) {
    norm2 += PetscSqr(s->sigma[k]);
    descending = (PetscBool)(descending && s->sigma[k] >= 0 && (k == 0 || s->sigma[k] <= s->sigma[k - 1]));
  }
  Tap((PetscBool)(descending && s->sum_error <= 1e-13 && PetscAbsReal(norm2 / s->norm2 - 1) <= 1e-13 && s->square_error <= 1e-13),
      "... %d sigma, descending; their squares add up to |J|_F^2, the fourth powers to |K|_F^2", (int)s->m);
  Tap(s->inertia, "... Cholesky confirms the least");
  Tap((PetscBool)(!strcmp(s->method, "gram") && !strcmp(s->solver, TilesEigensolver(K))), "... by %s", s->solver);
  Tap((PetscBool)(s->above == above && s->rank == (decided ? above : -1)), "... %d stand above the resolution: %s", (int)above,
      decided ? "that rank is decided" : "no rank is decided");
  Tap((PetscBool)(factored == (above == s->m)), "... K has a Cholesky factor if and only if all do");
  PetscCall(PetscMalloc1(s->m, &lambda));
  SpectrumHessian(s, 2, lambda);
  Tap((PetscBool)(lambda[0] == 2 * s->sigma[0] * s->sigma[0] && lambda[1] == 2 * s->sigma[1] * s->sigma[1]),
      "... and the Hessian's largest are 2 sigma^2");
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K is left as its Cholesky factor: J (J^T x) = K x = b for x = K^(-1) b */
static PetscErrorCode TestFactor(Problem *problem, Tiles factor, const Spectrum *s)
{
  const Rows rows = problem->map->rows;
  PetscReal *x, size, difference;
  Vec        b, u, v;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->m, &x));
  PetscCall(VecDuplicate(problem->H, &b));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(SetRandomRows(problem, 5, b));
  PetscCall(RowsGatherAll(rows, b, x));
  PetscCall(TilesSolve(factor, x));
  PetscCall(RowsSetAll(rows, x, u));
  PetscCall(VecSet(v, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, v));
  PetscCall(JacobianMult(problem->jacobian, v, u));
  PetscCall(VecNorm(b, NORM_2, &size));
  PetscCall(VecAXPY(u, -1, b));
  PetscCall(VecNorm(u, NORM_2, &difference));
  /* backward stable: residual <= a few m u |K| |x| <= a few m u cond(K) |b| */
  TapClose(difference, 0, PetscSqr(s->sigma[0] / s->sigma[s->m - 1]) * size, 1e-14, "... which solves K x = b");
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&b));
  PetscCall(PetscFree(x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the formula of spectrum.h: the longest sums are 9 + 6, of the second weight; each weight adds once to an entry of K, and the last bias does
   where its weight goes by its block, l = 1 */
static void TestResolution(const Spectrum *s, PetscInt l)
{
  const PetscReal u = PETSC_MACHINE_EPSILON / 2, c = (9 + 6 + (l == 1 ? 4 : 3) + 6) * u;
  const PetscReal E = c / (1 - c) * s->norm2 + (PetscReal)s->m * u * PetscSqr(s->sigma[0]);

  TapClose(s->resolution, PetscSqrtReal(E), s->resolution, 1e-12, "... resolved to sqrt(gamma_c tr K + m u lambda_max)");
}

/* the same net on one rank */
static PetscErrorCode TestAlone(const Spectrum *s, PetscInt d, PetscInt l, PetscReal gap)
{
  Problem   alone;
  Tiles     K;
  PetscBool factored;
  Spectrum  expected;
  PetscReal worst = 0;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_SELF, 1, d, l, gap, &alone));
  PetscCall(Compute(&alone, METHOD_GRAM, &K, &factored, &expected));
  for (PetscInt k = 0; k < s->m; k++) worst = PetscMax(worst, PetscAbsReal(PetscSqr(s->sigma[k]) - PetscSqr(expected.sigma[k])));
  Tap((PetscBool)(s->m == expected.m && s->rank == expected.rank && worst <= 1e-13 * PetscSqr(expected.sigma[0])),
      "... the same sigma^2 as on one rank");
  PetscCall(SpectrumDestroy(&expected));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&alone));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestNet(PetscInt G, PetscInt d, PetscInt l, PetscReal gap, PetscInt above, PetscBool decided)
{
  Problem   problem;
  Tiles     K;
  PetscBool factored;
  Spectrum  spectrum;

  PetscFunctionBeginUser;
  PetscCall(NetProblem(PETSC_COMM_WORLD, G, d, l, gap, &problem));
  PetscCall(Compute(&problem, METHOD_GRAM, &K, &factored, &spectrum));
  Tap((PetscBool)(spectrum.m == d * l), "d = %d%s, l = %d, on %d x %d, sigma from %.1e to %.1e:", (int)d,
      gap < 1 ? gap > 0 ? ", two of them close" : ", one of them twice" : "", (int)l, problem.grid->G, problem.grid->Q,
      (double)spectrum.sigma[0], (double)spectrum.sigma[d * l - 1]);
  PetscCall(TestChecks(&spectrum, K, factored, above, decided));
  TestResolution(&spectrum, l);
  PetscCall(TestAlone(&spectrum, d, l, gap));
  if (factored) PetscCall(TestFactor(&problem, K, &spectrum));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* n > m, but rank J < m whatever the weights: K alone cannot decide it, QR of J does */
static PetscErrorCode TestDeficient(const char name[], PetscInt G)
{
  Case      c;
  Problem   problem;
  Tiles     K;
  PetscBool factored;
  Spectrum  spectrum;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, G, &problem));
  PetscCall(Compute(&problem, METHOD_GRAM, &K, &factored, &spectrum));
  Tap((PetscBool)(spectrum.m == c.m), "%s on %d x %d:", name, problem.grid->G, problem.grid->Q);
  PetscCall(TestChecks(&spectrum, K, factored, c.rank, PETSC_FALSE));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(Compute(&problem, METHOD_AUTO, &K, &factored, &spectrum));
  Tap((PetscBool)(spectrum.rank == c.rank && !factored && !strcmp(spectrum.method, "qr")),
      "... auto goes to qr, which decides rank %d", (int)c.rank);
  Tap((PetscBool)(spectrum.sigma[c.rank - 1] >= 1e3 * spectrum.resolution && spectrum.sigma[c.rank] <= spectrum.resolution),
      "... by a gap of three digits");
  Tap((PetscBool)(LargestDifference(c.m, spectrum.sigma, c.sigma) <= 2 * spectrum.resolution),
      "... its sigma are PyTorch's, each of them within its resolution");
  Tap((PetscBool)(spectrum.check.method && !strcmp(spectrum.check.method, "gram") && spectrum.check.rank == -1 &&
                  spectrum.check.difference <= spectrum.check.bound && spectrum.sum_error <= 1e-13),
      "... and agree with gram's");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 1 ? "32" : "4"));
    TapCall(TestNet(G, 11, 1, 1, 11, PETSC_TRUE));
    TapCall(TestNet(G, 7, 3, 1, 21, PETSC_TRUE));
    TapCall(TestNet(G, 2, 1, 1, 2, PETSC_TRUE));       /* fewer points than ranks */
    TapCall(TestNet(G, 11, 1, 1e-5, 11, PETSC_FALSE)); /* sigma_min above the resolution, but not by three digits */
    TapCall(TestNet(G, 7, 3, 0, 18, PETSC_FALSE));     /* a point twice: l rows of J twice, and noise for l sigma */
    TapCall(TestDeficient("linear-rank-deficient", G));
    TapCall(TestDeficient("quadratic-rank-deficient", G));
  }
  return TapEnd();
}
