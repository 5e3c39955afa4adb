// ranks: 1 2 3 4 6
/*
  test_reference.c: every case of tests/reference on every grid, against PyTorch: f, L, J in all its forms, the gradient, the Hessian, K.

  Tolerances, as in tests/reference/README.md: 1e-12 of the largest entry, 1e-11 of the largest for eigenvalues. H = f - y inherits f's
  absolute error, and passes it to |H| and to the gradient: at a zero nothing relative is left of those.
*/
#include "codim/full.h"
#include "codim/spectrum.h"
#include "reference.h"

static char where[160]; /* the case and the grid, for the claims */

/* |x - expected| <= tolerance * scale, entry by entry, on every rank */
static void Agree(PetscInt n, const PetscReal x[], const PetscReal expected[], PetscReal scale, PetscReal tolerance,
                  const char claim[])
{
  const PetscReal difference = LargestDifference(n, x, expected);
  const PetscBool ok         = (PetscBool)(difference <= tolerance * scale);

  if (!Tap(ok, "%s: %s", where, claim) && !ok)
    fprintf(stderr, "# they differ by %.3g, allowed %.3g\n", (double)difference, (double)(tolerance * scale));
}

/* ---- claims ------------------------------------------------------------------------------------------------------ */

static PetscErrorCode TestOutput(const Case *c, Problem *problem)
{
  const Range      group  = GridGroupPoints(problem->grid, c->d);
  const PetscReal *output = problem->trajectory->value[problem->network->nops - 1];
  PetscReal        norm;

  PetscFunctionBeginUser;
  Tap((PetscBool)(problem->map->m == c->m && problem->map->n == c->n), "%s: m = %" PetscInt_FMT ", n = %" PetscInt_FMT, where, c->m,
      c->n);
  Agree((group.last - group.first) * c->l, output, c->output + group.first * c->l, c->output_size, 1e-12,
        "the output is PyTorch's");
  PetscCall(VecNorm(problem->H, NORM_2, &norm));
  /* ||H| - |H'|| <= |H - H'| <= sqrt(m) times the output's error */
  Tap((PetscBool)(PetscAbsReal(norm - PetscSqrtReal(*c->loss)) <= 1e-12 * c->output_size * PetscSqrtReal((PetscReal)c->m)),
      "%s: so is the loss", where);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* column j and row r of J against J e_j and J^T e_r */
static PetscErrorCode TestJacobian(const Case *c, Problem *problem)
{
  const PetscInt m = c->m, n = c->n;
  PetscReal     *u, *J;
  Mat            shell, assembled;
  Vec            v, rows;
  PetscReal      norm2, expected = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m * n, &J, PetscMax(m, n), &u));
  PetscCall(JacobianCreateMat(problem->jacobian, &shell));
  PetscCall(MatCreateVecs(shell, NULL, &rows));
  PetscCall(VecDuplicate(problem->theta, &v));
  for (PetscInt j = 0; j < n; j++) {
    PetscCall(PetscArrayzero(u, n));
    u[j] = 1;
    PetscCall(SetCanonical(problem->parameters, u, v));
    PetscCall(MatMult(shell, v, rows));
    PetscCall(RowsGatherAll(problem->map->rows, rows, u));
    for (PetscInt r = 0; r < m; r++) J[r * n + j] = u[r];
  }
  Agree(m * n, J, c->J, c->J_size, 1e-12, "J, column by column from J v");
  for (PetscInt r = 0; r < m; r++) {
    PetscCall(SetUnit(rows, r));
    PetscCall(MatMultTranspose(shell, rows, v));
    PetscCall(GetCanonical(problem->parameters, v, J + r * n));
  }
  Agree(m * n, J, c->J, c->J_size, 1e-12, "J, row by row from J^T u");
  PetscCall(JacobianAssemble(problem->jacobian, &assembled));
  for (PetscInt r = 0; r < m; r++) {
    PetscCall(SetUnit(rows, r));
    PetscCall(MatMult(assembled, rows, v));
    PetscCall(GetCanonical(problem->parameters, v, J + r * n));
  }
  PetscCall(MatDestroy(&assembled));
  Agree(m * n, J, c->J, c->J_size, 1e-12, "J, assembled");
  for (PetscInt k = 0; k < m * n; k++) expected += PetscSqr(c->J[k]);
  PetscCall(JacobianNormSquared(problem->jacobian, &norm2));
  Agree(1, &norm2, &expected, expected, 1e-12, "|J|_F^2");
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&rows));
  PetscCall(MatDestroy(&shell));
  PetscCall(PetscFree2(J, u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestGradient(const Case *c, Problem *problem)
{
  const PetscReal scale = Largest(c->n, c->gradient) + c->J_size * c->output_size; /* 2 J^T H, with H's absolute error */
  Adjoint         adjoint;
  PetscReal      *seed, *gradient;
  Vec             v;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(c->m, &seed, c->n, &gradient));
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(VecSet(v, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 2, problem->H, v));
  PetscCall(GetCanonical(problem->parameters, v, gradient));
  Agree(c->n, gradient, c->gradient, scale, 1e-12, "the gradient as 2 J^T H");
  PetscCall(ResidualMapSeed(problem->map, 1, problem->H, seed));
  PetscCall(AdjointCreate(problem->map, ADJOINT_POINTS, ADJOINT_PARAMETERS, &adjoint));
  PetscCall(ResidualMapAdjoint(problem->map, problem->theta, problem->trajectory, seed, adjoint));
  PetscCall(VecSet(v, 0));
  PetscCall(ResidualMapAddGradient(problem->map, problem->trajectory, adjoint, 2, v));
  PetscCall(GetCanonical(problem->parameters, v, gradient));
  Agree(c->n, gradient, c->gradient, scale, 1e-12, "the gradient by one sweep back from H");
  PetscCall(AdjointDestroy(&adjoint));
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree2(seed, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestHessian(const Case *c, Problem *problem)
{
  Vec        v, y;
  PetscReal *product;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(c->n, &product));
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(ProblemLinearizeHessian(problem));
  PetscCall(SetCanonical(problem->parameters, c->direction, v));
  PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, v, y));
  PetscCall(GetCanonical(problem->parameters, y, product));
  Agree(c->n, product, c->product, Largest(c->n, c->product), 1e-12, "the Hessian times the direction");
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree(product));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestFullHessian(const Case *c, Problem *problem)
{
  FullHessian full;
  PetscInt    positive = 0, negative = 0;

  PetscFunctionBeginUser;
  PetscCall(FullHessianCompute(problem->hessian, &full));
  Agree(c->n, full.lambda, c->lambda, Largest(c->n, c->lambda), 1e-11, "every eigenvalue of the Hessian");
  for (PetscInt k = 0; k < c->n; k++) {
    positive += full.lambda[k] > full.error;
    negative += full.lambda[k] < -full.error;
  }
  Tap((PetscBool)(positive == c->positive && negative == c->negative), "%s: its signature", where);
  PetscCall(FullHessianDestroy(&full));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal GramEntry(const Case *c, PetscInt i, PetscInt j)
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < c->n; k++) sum += c->J[i * c->n + k] * c->J[j * c->n + k];
  return sum;
}

static PetscErrorCode TestGram(const Case *c, Problem *problem)
{
  Tiles     K;
  PetscReal largest = 0, difference = 0;

  PetscFunctionBeginUser;
  for (PetscInt r = 0; r < c->m; r++) largest = PetscMax(largest, GramEntry(c, r, r));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c->m, &K));
  PetscCall(GramCompute(problem->jacobian, K));
  for (int s = 0; s < K->cols; s++)
    for (int r = 0; r < K->rows; r++) {
      const PetscInt  i = TilesGlobalRow(K, K->myrow, r), j = TilesGlobalCol(K, K->mycol, s);
      const PetscReal error = PetscAbsReal(K->a[(size_t)s * (size_t)K->rows + (size_t)r] - GramEntry(c, i, j));

      if (i >= j && !(error <= difference)) difference = error; /* NaN stays */
    }
  Tap((PetscBool)(difference <= 1e-12 * largest), "%s: K = J J^T, in tiles of %d on %d x %d", where, K->nb, K->nprow, K->npcol);
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma by the streamed QR, from strips of J^T */
static PetscErrorCode TestStreamed(const Case *c, Problem *problem)
{
  const SpectrumOptions options = {.method = SPECTRUM_QR};
  Spectrum              spectrum;
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
  Tap((PetscBool)(!strcmp(spectrum.method, "qr")), "%s: asked for, the streamed QR is taken", where);
  Agree(c->m, spectrum.sigma, c->sigma, c->sigma[0], 1e-12, "sigma by the streamed QR");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestSpectrum(const Case *c, Problem *problem)
{
  const SpectrumOptions options = {0};
  Spectrum              spectrum;
  Tiles                 K;
  PetscBool             factored;
  PetscReal            *lambda, *expected;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(c->m, &lambda, c->m, &expected));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
  SpectrumHessian(&spectrum, c->m, lambda);
  for (PetscInt k = 0; k < c->m; k++) expected[k] = 2 * PetscSqr(c->sigma[k]);
  Agree(c->m, lambda, expected, expected[0], 1e-11, "2 sigma^2");
  Agree(c->m, spectrum.sigma, c->sigma, spectrum.resolution, 1, "sigma to the resolution of K");
  Tap((PetscBool)(spectrum.rank == c->rank), "%s: rank J is decided: %" PetscInt_FMT " of %" PetscInt_FMT, where, c->rank, c->m);
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(PetscFree2(lambda, expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- every case on every grid ------------------------------------------------------------------------------------ */

/* tiles that cut through points and leave the last ones short; the default where G is 2 */
static PetscErrorCode SetTiles(PetscInt G)
{
  char block[8];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(block, sizeof block, "%" PetscInt_FMT, G == 2 ? 32 : 3 + G));
  PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", block));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the full Hessian, 2 n products, on one shape for each case: all shapes have their turn */
static PetscErrorCode TestCase(const char name[], PetscInt turn)
{
  Case        c;
  Problem     problem;
  PetscMPIInt size;
  PetscInt    shapes = 0, shape = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CaseCreate(name, &c));
  for (PetscInt G = 1; G <= size; G++) shapes += size % G == 0;
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    PetscCall(SetTiles(G));
    PetscCall(CaseProblem(&c, G, &problem));
    PetscCall(PetscSNPrintf(where, sizeof where, "%s on %d x %d", c.name, problem.grid->G, problem.grid->Q));
    PetscCall(TestOutput(&c, &problem));
    PetscCall(TestJacobian(&c, &problem));
    PetscCall(TestGradient(&c, &problem));
    PetscCall(TestHessian(&c, &problem));
    if (shape++ == turn % shapes) PetscCall(TestFullHessian(&c, &problem));
    PetscCall(TestGram(&c, &problem));
    PetscCall(TestSpectrum(&c, &problem));
    PetscCall(TestStreamed(&c, &problem));
    PetscCall(ProblemDestroy(&problem));
  }
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-tanh",
                                      "mlp-tanh-zero",
                                      "mlp-softplus-3out",
                                      "mlp-softplus-3out-zero",
                                      "mlp-smoolu-zero",
                                      "mlp-sigmoid",
                                      "mlp-gelu",
                                      "mlp-silu",
                                      "mlp-erf",
                                      "mlp-sin",
                                      "linear-rank-deficient",
                                      "quadratic-rank-deficient",
                                      "cnn-tanh",
                                      "cnn-softplus-zero",
                                      "rnn-tanh",
                                      "lstm",
                                      "lstm-zero",
                                      "resnet-tanh",
                                      "graph-node",
                                      "graph-edge",
                                      "graph-edge-zero",
                                      "gru",
                                      "cnn-odd",
                                      "cnn-max",
                                      "transformer",
                                      "batchnorm-resnet",
                                      "tied-embedding"};

  TapBegin(&argc, &argv);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(TestCase(cases[k], (PetscInt)k));
  return TapEnd();
}
