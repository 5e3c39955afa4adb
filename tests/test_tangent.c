// ranks: 1 2 3 4
/*
  test_tangent.c: what K tells, on cases of tests/reference and every grid, against dense LAPACK on PyTorch's J: numbers, rows, the left singular
  vector of sigma_min, and every label's own K.

  Tolerances: J agrees with PyTorch's to 1e-12 of its largest entry (test_reference.c), K to some 1e-12 of its trace, and so do eigenvalues.
*/
#include "codim/tangent_kernel.h"
#include "reference.h"
#include <math.h>
#include <petscblaslapack.h>

static char where[160];

static void Close(PetscReal x, PetscReal expected, PetscReal scale, const char claim[])
{
  const PetscBool ok = (PetscBool)(PetscAbsReal(x - expected) <= scale);

  if (!Tap(ok, "%s: %s", where, claim) && !ok)
    fprintf(stderr, "# %.17g, expected %.17g, allowed %.3g\n", (double)x, (double)expected, (double)scale);
}

/* eigenvalues, ascending, of the K of n columns of J from `first`, and its eigenvectors where K comes from */
static PetscErrorCode Dense(const Case *c, PetscInt first, PetscInt n, PetscReal K[], PetscReal lambda[])
{
  PetscBLASInt m, lwork, info;
  PetscReal   *work;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(c->m, &m));
  lwork = 40 * m;
  PetscCall(PetscMalloc1(lwork, &work));
  for (PetscInt i = 0; i < c->m; i++)
    for (PetscInt j = 0; j < c->m; j++) {
      K[i * c->m + j] = 0;
      for (PetscInt k = first; k < first + n; k++) K[i * c->m + j] += c->J[i * c->n + k] * c->J[j * c->n + k];
    }
  LAPACKsyev_("V", "L", &m, K, &m, lambda, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dsyev: %d", (int)info);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- claims --------------------------------------------------------------------------------------------------------------- */

static void TestNumbers(const Case *c, const TangentNumbers *t)
{
  PetscReal trace = 0, logdet = 0, largest = PetscSqr(c->sigma[0]), least = INFINITY;
  PetscInt  row = 0;

  for (PetscInt k = 0; k < c->m; k++) {
    PetscReal norm2 = 0;

    trace += PetscSqr(c->sigma[k]);
    logdet += 2 * PetscLogReal(c->sigma[k]);
    for (PetscInt j = 0; j < c->n; j++) norm2 += PetscSqr(c->J[k * c->n + j]);
    if (norm2 < least) row = k;
    least = PetscMin(least, norm2);
  }
  Close(t->trace, trace, 1e-11 * trace, "the trace");
  Close(t->stable_rank, trace / largest, 1e-11 * trace / largest, "the stable rank");
  if (c->rank == c->m) {
    const PetscReal condition = PetscSqr(c->sigma[0] / c->sigma[c->m - 1]);

    Close(t->condition, condition, 1e-11 * condition * condition, "the condition");
    Close(t->log_determinant, logdet, 1e-11 * condition * (PetscReal)c->m, "the logarithm of the determinant");
  } else
    Tap((PetscBool)(isnan(t->condition) && isnan(t->log_determinant)),
        "%s: of rank below m, condition and determinant are not said", where);
  Close(t->gradient_min, PetscSqrtReal(least), 1e-11 * c->J_size, "the least |grad f_i|");
  Tap((PetscBool)(t->gradient_point == row / c->l && t->gradient_output == row % c->l), "%s: ... and where it is", where);
  for (PetscInt j = 0; j < TANGENT_MUS; j++) {
    PetscReal sum = 0;

    for (PetscInt k = 0; k < c->m; k++) sum += PetscSqr(c->sigma[k]) / (PetscSqr(c->sigma[k]) + t->mu[j]);
    Close(t->effective[j], sum, t->effective_error[j] + 1e-11 * (PetscReal)c->m, "an effective dimension, within its error");
  }
}

/* c->m > 1; u: of dsyev, where the next eigenvalue is apart */
static PetscErrorCode TestWeakest(const Case *c, const TangentNumbers *t)
{
  PetscReal *K, *lambda, *share, sum = 0;
  PetscBool  sorted = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(c->m * c->m, &K, c->m, &lambda));
  PetscCall(PetscCalloc1(c->d, &share));
  PetscCall(Dense(c, 0, c->n, K, lambda));
  for (PetscInt k = 0; k < c->m; k++) share[k / c->l] += K[k] * K[k];
  Tap((PetscBool)(t->npoints == PetscMin(TANGENT_POINTS, c->d)), "%s: the weakest points are named", where);
  for (PetscInt i = 0; i < t->npoints; i++) {
    sorted = (PetscBool)(sorted && (!i || t->share[i] <= t->share[i - 1]));
    sum += t->share[i];
  }
  Tap((PetscBool)(sorted && sum <= 1 + 1e-12), "%s: ... in order", where);
  Close(PetscSqr(t->sigma), lambda[0], t->residual + 1e-11 * lambda[c->m - 1], "... |J^T u| is sigma_min");
  if (c->rank == c->m && lambda[1] - lambda[0] > 1e-4 * lambda[c->m - 1]) /* u is known to 1e-11/1e-4 */
    for (PetscInt i = 0; i < t->npoints; i++) Close(t->share[i], share[t->point[i]], 1e-6, "... a share is that of dense LAPACK");
  PetscCall(PetscFree(share));
  PetscCall(PetscFree2(K, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestLabels(const Case *c, TangentKernel kernel)
{
  const Network net   = kernel->map->network;
  PetscInt      first = 0;
  PetscReal    *K, *lambda, shares = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(c->m * c->m, &K, c->m, &lambda));
  for (PetscInt label = 0; label < net->nlabels; label++) {
    const LabelKernel *k     = &kernel->label[label];
    PetscReal          trace = 0, E = PetscSqr(k->resolution);
    PetscInt           above = 0, below = 0;

    PetscCall(Dense(c, first, k->size, K, lambda));
    for (PetscInt i = 0; i < c->m; i++) trace += lambda[i];
    for (PetscInt i = 0; i < c->m; i++) above += lambda[i] > 2e6 * E;
    for (PetscInt i = 0; i < c->m; i++) below += lambda[i] < 5e5 * E;
    Close(k->share, trace / kernel->numbers.trace, 1e-11, "a label's share of the trace");
    Close(k->lambda_max, lambda[c->m - 1], 1e-11 * trace, "its largest eigenvalue");
    if (!isnan(k->lambda_min)) Close(k->lambda_min, lambda[0], E + 1e-11 * trace, "its least, where it is said");
    Tap((PetscBool)(k->rank_max == PetscMin(c->m, k->size)), "%s: its rank is at most its size", where);
    if (above == k->rank_max) Tap((PetscBool)(k->rank == above), "%s: ... and is %d", where, (int)above);
    if (c->m - below < k->rank_max) Tap((PetscBool)(k->rank == -1), "%s: ... and is not decided below it", where);
    shares += k->share;
    first += k->size;
  }
  Close(shares, 1, 1e-11, "the shares add up to 1");
  PetscCall(PetscFree2(K, lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestCase(const char name[], PetscInt G)
{
  const SpectrumOptions options = {.labels = LABELS_ALWAYS};
  Case                  c;
  Problem               problem;
  Spectrum              spectrum;
  TangentKernel         kernel;
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(PetscOptionsSetValue(NULL, "-tiles_block", G == 2 ? "32" : "4"));
  PetscCall(CaseProblem(&c, G, &problem));
  PetscCall(PetscSNPrintf(where, sizeof where, "%s on %d x %d", c.name, problem.grid->G, problem.grid->Q));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c.m, &K));
  PetscCall(TangentKernelCreate(problem.map, &options, &kernel));
  PetscCall(SpectrumCompute(problem.jacobian, &options, K, &factored, &spectrum));
  PetscCall(TangentKernelCompute(kernel, problem.jacobian, &spectrum, K, &factored));
  TestNumbers(&c, &kernel->numbers);
  PetscCall(TestWeakest(&c, &kernel->numbers));
  PetscCall(TestLabels(&c, kernel));
  PetscCall(TangentKernelDestroy(&kernel));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* only counted: u of the shifted factor, which K holds still */
static PetscErrorCode TestCounted(const char name[], PetscInt G)
{
  const SpectrumOptions options = {.method = SPECTRUM_COUNT, .labels = LABELS_AUTO};
  PetscReal             before, after;
  Case                  c;
  Problem               problem;
  Spectrum              spectrum;
  TangentKernel         kernel;
  Tiles                 K;
  PetscBool             held;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, G, &problem));
  PetscCall(PetscSNPrintf(where, sizeof where, "%s on %d x %d, counted", c.name, problem.grid->G, problem.grid->Q));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c.m, &K));
  PetscCall(TangentKernelCreate(problem.map, &options, &kernel));
  PetscCall(SpectrumCompute(problem.jacobian, &options, K, &held, &spectrum));
  Tap((PetscBool)(spectrum.counted && spectrum.rank == c.m && !held), "%s: rank m", where);
  held = spectrum.factor.ended;
  PetscCall(TilesNorms(K, NULL, &before, NULL));
  PetscCall(TangentKernelCompute(kernel, problem.jacobian, &spectrum, K, &held));
  PetscCall(TilesNorms(K, NULL, &after, NULL));
  PetscCall(TestWeakest(&c, &kernel->numbers));
  Tap((PetscBool)(held && before == after), "%s: K holds the factor still", where);
  PetscCall(TangentKernelDestroy(&kernel));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* never, and auto where it is too dear: no label is computed, what its size says is */
static PetscErrorCode TestNever(void)
{
  const SpectrumOptions options = {.labels = LABELS_NEVER};
  Case                  c;
  Problem               problem;
  Spectrum              spectrum;
  TangentKernel         kernel;
  Tiles                 K;
  PetscBool             factored;
  json_t               *json;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate("mlp-softplus-3out", &c));
  PetscCall(CaseProblem(&c, 1, &problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, c.m, &K));
  PetscCall(TangentKernelCreate(problem.map, &options, &kernel));
  PetscCall(SpectrumCompute(problem.jacobian, &options, K, &factored, &spectrum));
  PetscCall(TangentKernelCompute(kernel, problem.jacobian, &spectrum, K, &factored));
  json = TangentKernelToJSON(kernel);
  Tap((PetscBool)(json_is_string(json_object_get(json, "labels_skipped")) &&
                  json_is_null(json_object_get(json_array_get(json_object_get(json, "labels"), 0), "rank")) &&
                  kernel->label[0].share > 0),
      "labels never: no rank, with the reason, and the shares of the trace all the same");
  json_decref(json);
  PetscCall(TangentKernelDestroy(&kernel));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-softplus-3out", "mlp-tanh-zero",         "cnn-tanh",    "lstm",
                                      "graph-node",        "linear-rank-deficient", "resnet-tanh", "tied-embedding",
                                      "transformer",       "batchnorm-resnet"};
  PetscMPIInt              size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(TestCounted("mlp-tanh-zero", G));
  for (PetscInt G = 1; G <= size; G++)
    for (size_t k = 0; size % G == 0 && k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(TestCase(cases[k], G));
  TapCall(TestNever());
  return TapEnd();
}
