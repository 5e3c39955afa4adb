// ranks: 1 2 3 4 6
/*
  test_missing.c: targets that were not observed, on every case of tests/reference and every grid, by brute force: the rows of PyTorch's J that
  are left, and what follows from them. Tolerances as in test_reference.c.
*/
#include "codim/spectrum.h"
#include "reference.h"
#include <petscblaslapack.h>

static char where[160];

typedef PetscBool Observed(const Case *c, PetscInt i, PetscInt o);

/* of point 1 nothing, of the others some */
static PetscBool Scattered(const Case *c, PetscInt i, PetscInt o)
{
  (void)c;
  return (PetscBool)(i != 1 && (c->l == 1 || (5 * i + 3 * o) % 4 != 1));
}

/* of the first half nothing: whole groups have no row */
static PetscBool Late(const Case *c, PetscInt i, PetscInt o)
{
  return (PetscBool)(2 * i >= c->d && (i + o) % 3 != 2);
}

/* what is left of a case: rows of J, and H */
typedef struct {
  PetscInt   m, n;
  PetscReal *J, *H, *sigma;
} Left;

static void Agree(PetscInt n, const PetscReal x[], const PetscReal expected[], PetscReal scale, PetscReal tolerance,
                  const char claim[])
{
  const PetscReal difference = LargestDifference(n, x, expected);
  const PetscBool ok         = (PetscBool)(difference <= tolerance * scale);

  if (!Tap(ok, "%s: %s", where, claim) && !ok)
    fprintf(stderr, "# they differ by %.3g, allowed %.3g\n", (double)difference, (double)(tolerance * scale));
}

/* ---- by brute force -------------------------------------------------------------------------------------------------- */

static PetscErrorCode SingularValues(Left *left)
{
  PetscBLASInt m, n, lwork, info, one = 1;
  PetscReal   *A, *work, unused;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(left->m, &m));
  PetscCall(PetscBLASIntCast(left->n, &n));
  lwork = 10 * n;
  PetscCall(PetscMalloc2((size_t)(left->m * left->n), &A, lwork, &work));
  PetscCall(PetscArraycpy(A, left->J, (size_t)(left->m * left->n))); /* by columns: J^T, n x m */
  LAPACKgesvd_("N", "N", &n, &m, A, &n, left->sigma, &unused, &one, &unused, &one, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dgesvd: %d", (int)info);
  PetscCall(PetscFree2(A, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y: d x l, targets with those not observed too */
static PetscErrorCode LeftCreate(const Case *c, Observed *observed, const PetscReal y[], Left *left)
{
  PetscFunctionBeginUser;
  left->m = 0;
  left->n = c->n;
  PetscCall(PetscMalloc3(c->m * c->n, &left->J, c->m, &left->H, c->m, &left->sigma));
  for (PetscInt k = 0; k < c->d * c->l; k++) {
    if (!observed(c, k / c->l, k % c->l)) continue;
    PetscCall(PetscArraycpy(left->J + left->m * c->n, c->J + k * c->n, c->n));
    left->H[left->m++] = c->output[k] - y[k];
  }
  PetscCall(SingularValues(left));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal RowProduct(const Left *left, PetscInt r, const PetscReal v[])
{
  PetscReal sum = 0;

  for (PetscInt j = 0; j < left->n; j++) sum += left->J[r * left->n + j] * v[j];
  return sum;
}

/* y += alpha J^T u */
static void AddTransposed(const Left *left, PetscReal alpha, const PetscReal u[], PetscReal y[])
{
  for (PetscInt r = 0; r < left->m; r++)
    for (PetscInt j = 0; j < left->n; j++) y[j] += alpha * u[r] * left->J[r * left->n + j];
}

/* ---- problems -------------------------------------------------------------------------------------------------------- */

/* the case with y as they are, NaN or the net's output where `missing` says so */
static PetscErrorCode Masked(const Case *c, PetscInt G, Observed *observed, PetscBool nan, Problem *problem)
{
  DataOptions options = {.points = 0};
  Data        data;
  char        path[160];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(options.file, sizeof options.file, "%s/data.h5", c->folder));
  PetscCall(DataCreate(PETSC_COMM_WORLD, &options, &data));
  for (PetscInt k = 0; data->all_y && k < c->d * c->l; k++)
    if (!observed(c, k / c->l, k % c->l)) data->all_y[k] = nan ? (PetscReal)NAN : c->output[k];
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &c->net, problem));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/weights.safetensors", c->folder));
  PetscCall(WeightsRead(problem->parameters, path, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscCall(ProblemLinearizeHessian(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* all targets of the case, on every rank */
static PetscErrorCode Targets(const Case *c, PetscReal y[])
{
  DataOptions options = {.points = 0};
  Data        data;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(options.file, sizeof options.file, "%s/data.h5", c->folder));
  PetscCall(DataCreate(PETSC_COMM_SELF, &options, &data));
  PetscCall(PetscArraycpy(y, data->all_y, c->d * c->l));
  PetscCall(DataDestroy(&data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims ---------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestResidual(const Case *c, Problem *problem, const Left *left)
{
  PetscReal *H;

  PetscFunctionBeginUser;
  Tap((PetscBool)(problem->map->m == left->m), "%s: m = %" PetscInt_FMT " of %" PetscInt_FMT, where, left->m, c->m);
  PetscCall(PetscMalloc1(left->m, &H));
  PetscCall(RowsGatherAll(problem->map->rows, problem->H, H));
  Agree(left->m, H, left->H, c->output_size, 1e-12, "H");
  PetscCall(PetscFree(H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rows of J, of the assembled J, J v, |J|, and the gradient */
static PetscErrorCode TestJacobian(const Case *c, Problem *problem, const Left *left)
{
  const PetscInt m = left->m, n = left->n;
  PetscReal     *J, *row, *entries, norm2, expected = 0;
  Mat            shell, assembled;
  Vec            v, u;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(2 * m * n, &J, n, &row, m, &entries));
  PetscCall(JacobianCreateMat(problem->jacobian, &shell));
  PetscCall(JacobianAssemble(problem->jacobian, &assembled));
  PetscCall(MatCreateVecs(shell, &v, &u));
  for (PetscInt r = 0; r < m; r++) {
    PetscCall(SetUnit(u, r));
    PetscCall(MatMultTranspose(shell, u, v));
    PetscCall(GetCanonical(problem->parameters, v, J + r * n));
    PetscCall(MatMult(assembled, u, v));
    PetscCall(GetCanonical(problem->parameters, v, J + (m + r) * n));
  }
  Agree(m * n, J, left->J, c->J_size, 1e-12, "J");
  Agree(m * n, J + m * n, left->J, c->J_size, 1e-12, "J, assembled");
  PetscCall(SetCanonical(problem->parameters, c->direction, v));
  PetscCall(MatMult(shell, v, u));
  PetscCall(RowsGatherAll(problem->map->rows, u, entries));
  for (PetscInt r = 0; r < m; r++) row[r] = RowProduct(left, r, c->direction); /* m < n */
  Agree(m, entries, row, c->J_size * Largest(n, c->direction), 1e-12 * (PetscReal)n, "J v");
  for (PetscInt k = 0; k < m * n; k++) expected += PetscSqr(left->J[k]);
  PetscCall(JacobianNormSquared(problem->jacobian, &norm2));
  Agree(1, &norm2, &expected, expected, 1e-12, "|J|_F^2");
  PetscCall(VecSet(v, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 2, problem->H, v));
  PetscCall(GetCanonical(problem->parameters, v, row));
  PetscCall(PetscArrayzero(J, n));
  AddTransposed(left, 2, left->H, J);
  Agree(n, row, J, Largest(n, J) + c->J_size * c->output_size, 1e-12, "the gradient");
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&v));
  PetscCall(MatDestroy(&assembled));
  PetscCall(MatDestroy(&shell));
  PetscCall(PetscFree3(J, row, entries));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestGram(Problem *problem, const Left *left)
{
  Tiles     K;
  PetscReal largest = 0, difference = 0;

  PetscFunctionBeginUser;
  for (PetscInt r = 0; r < left->m; r++) largest = PetscMax(largest, RowProduct(left, r, left->J + r * left->n));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, left->m, &K));
  PetscCall(GramCompute(problem->jacobian, K));
  for (int s = 0; s < K->cols; s++)
    for (int r = 0; r < K->rows; r++) {
      const PetscInt  i = TilesGlobalRow(K, K->myrow, r), j = TilesGlobalCol(K, K->mycol, s);
      const PetscReal error =
          PetscAbsReal(K->a[(size_t)s * (size_t)K->rows + (size_t)r] - RowProduct(left, i, left->J + j * left->n));

      if (i >= j && !(error <= difference)) difference = error; /* NaN stays */
    }
  Tap((PetscBool)(difference <= 1e-12 * largest), "%s: K, in tiles of %d on %d x %d", where, K->nb, K->nprow, K->npcol);
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* by the streamed QR, which strips of J^T go into, and by K */
static PetscErrorCode TestSpectrum(Problem *problem, const Left *left)
{
  const SpectrumOptions options = {.method = SPECTRUM_QR};
  Spectrum              spectrum;
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, left->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, &spectrum));
  Agree(left->m, spectrum.sigma, left->sigma, left->sigma[0], 1e-12, "sigma by the streamed QR");
  Tap((PetscBool)(spectrum.check.difference <= spectrum.check.bound), "%s: ... and by K, within its bound", where);
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* With y := f where it was not observed, H is 0 there: all targets' Hessian is 2 J^T J + S, and S is that of what was observed. */
static PetscErrorCode TestHessian(const Case *c, PetscInt G, Observed *observed, Problem *problem, const Left *left)
{
  Problem    filled;
  Vec        v, y;
  PetscReal *product, *expected, *along;

  PetscFunctionBeginUser;
  PetscCall(Masked(c, G, observed, PETSC_FALSE, &filled));
  PetscCall(PetscMalloc3(c->n, &product, c->n, &expected, left->m, &along));
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(SetCanonical(problem->parameters, c->direction, v));
  PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, v, y));
  PetscCall(GetCanonical(problem->parameters, y, product));
  PetscCall(HessianMult(filled.hessian, HESSIAN_CURVATURE, v, y));
  PetscCall(GetCanonical(problem->parameters, y, expected));
  for (PetscInt r = 0; r < left->m; r++) along[r] = RowProduct(left, r, c->direction);
  AddTransposed(left, 2, along, expected);
  Agree(c->n, product, expected, Largest(c->n, c->product) + Largest(c->n, expected), 1e-12, "the Hessian times the direction");
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscCall(PetscFree3(product, expected, along));
  PetscCall(ProblemDestroy(&filled));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestCase(const char name[], Observed *observed)
{
  Case        c;
  Left        left;
  Problem     problem;
  PetscMPIInt size;
  PetscReal  *y;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CaseCreate(name, &c));
  PetscCall(PetscMalloc1(c.d * c.l, &y));
  PetscCall(Targets(&c, y));
  PetscCall(LeftCreate(&c, observed, y, &left));
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 2 ? "32" : "3"));
    PetscCall(Masked(&c, G, observed, PETSC_TRUE, &problem));
    PetscCall(PetscSNPrintf(where, sizeof where, "%s on %d x %d, %s", c.name, problem.grid->G, problem.grid->Q,
                            observed == Late ? "the later half" : "some targets"));
    PetscCall(TestResidual(&c, &problem, &left));
    PetscCall(TestJacobian(&c, &problem, &left));
    PetscCall(TestGram(&problem, &left));
    PetscCall(TestSpectrum(&problem, &left));
    PetscCall(TestHessian(&c, G, observed, &problem, &left));
    PetscCall(ProblemDestroy(&problem));
  }
  PetscCall(PetscFree3(left.J, left.H, left.sigma));
  PetscCall(PetscFree(y));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] =
      {"mlp-softplus-3out", "cnn-tanh",         "lstm",           "gru",         "graph-node",
       "graph-edge",        "batchnorm-resnet", "tied-embedding", "transformer", "quadratic-rank-deficient"};

  TapBegin(&argc, &argv);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) {
    TapCall(TestCase(cases[k], Scattered));
    TapCall(TestCase(cases[k], Late));
  }
  return TapEnd();
}
