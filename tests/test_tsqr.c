// ranks: 1 2 3 4 6
/*
  test_tsqr.c: the streamed QR of J^T: rows of J^T from factors of shared labels, sigma against LAPACK on the whole J, against PyTorch, and
  against 60-digit arithmetic where K cannot tell sigma_min from 0. On every grid.

  sigma agrees to the resolution that is reported with it; the other side's error is of the same kind and no larger.
*/
#include "../src/strip.h"
#include "codim/spectrum.h"
#include "reference.h"
#include <petscblaslapack.h>

typedef struct {
  PetscInt d, p, l;
  PetscInt depth, widths[3];
} Shapes;

/* the last two have fewer points, and fewer units, than ranks */
static const Shapes sizes[] = {{11, 4, 1, 1, {9}},
                               {5, 3, 3, 2, {6, 5}},
                               {7, 5, 1, 3, {5, 3, 4}},
                               {2, 9, 3, 0, {0}},
                               {13, 11, 1, 2, {2, 1}}};

enum { AUTO, GRAM, QR }; /* SpectrumOptions.method */

static PetscMPIInt ranks;

static PetscErrorCode RandomProblem(const Shapes *s, PetscInt G, Problem *problem)
{
  NetOptions net = {.widths = {.n = s->depth}, .bias = PETSC_TRUE, .seed = 5, .gain = 1.5, .bias_gain = .5, .activation = "tanh"};
  Data       data;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < s->depth; k++) net.widths.v[k] = s->widths[k];
  PetscCall(DataRandom(PETSC_COMM_WORLD, s->d, s->p, s->l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compute(Problem *problem, PetscInt method, Spectrum *spectrum)
{
  const SpectrumOptions options = {.method = method};
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- rows of J^T ------------------------------------------------------------------------------------------------- */

/* number of entry e of matrix `which`: nothing special about it */
static PetscReal Entry(PetscInt which, PetscInt e)
{
  return PetscSinReal((PetscReal)(7 * e + 13 * which + 1));
}

/* A and Delta of a made-up use, on this group's points */
static PetscErrorCode MakeUse(Problem *problem, PetscInt which, PetscInt T, LabelUse *use)
{
  const PetscInt first = GridGroupPoints(problem->grid, problem->map->d).first, N = problem->map->N, l = problem->map->l;
  const Label   *label = &problem->network->labels[use->label];
  const PetscInt A = T * label->cols, D = l * T * label->rows;
  PetscReal     *a, *delta;

  PetscFunctionBeginUser;
  use->T = T;
  use->k = label->cols;
  use->h = label->rows;
  PetscCall(PetscMalloc1(N * A + 1, &a)); /* + 1: NULL would mean ones */
  PetscCall(PetscMalloc1(N * D + 1, &delta));
  for (PetscInt e = 0; e < N * A; e++) a[e] = Entry(2 * which, first * A + e);
  for (PetscInt e = 0; e < N * D; e++) delta[e] = Entry(2 * which + 1, first * D + e);
  use->A     = a;
  use->Delta = delta;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum over uses and places of delta a, from the formula of the entries */
static PetscReal ExpectedEntry(PetscInt nuses, const LabelUse uses[], PetscInt l, PetscInt p, PetscInt r)
{
  const PetscInt k = uses[0].k, h = uses[0].h;
  PetscReal      sum = 0;

  for (PetscInt i = 0; i < nuses; i++)
    for (PetscInt t = 0; t < uses[i].T; t++)
      sum += Entry(2 * i, (r / l * uses[i].T + t) * k + p % k) * Entry(2 * i + 1, (r * uses[i].T + t) * h + p / k);
  return sum;
}

/* a label used by two ops, at 2 and at 3 places; every rank takes a part of its shard that begins and ends within units */
static PetscErrorCode TestStrip(PetscInt G)
{
  Problem   problem = {0};
  LabelUse  uses[2] = {{.label = 2}, {.label = 2}}; /* 5 x 6 */
  Range     units, entries;
  Strip     strip;
  PetscReal X[30 * 15], difference = 0;

  PetscFunctionBeginUser;
  PetscCall(RandomProblem(&sizes[1], G, &problem));
  for (PetscInt i = 0; i < 2; i++) PetscCall(MakeUse(&problem, i, 2 + i, &uses[i]));
  units   = ParametersShardRows(problem.parameters, 2);
  entries = BlockRange((units.last - units.first) * 6, problem.grid->G, problem.grid->g);
  entries.first += units.first * 6;
  entries.last += units.first * 6;
  PetscCall(StripCreate(problem.jacobian, 2, uses, entries, &strip));
  StripFill(strip, entries, X, 30);
  for (PetscInt r = 0; r < 15; r++)
    for (PetscInt p = entries.first; p < entries.last; p++)
      difference = PetscMax(difference, PetscAbsReal(X[r * 30 + p - entries.first] - ExpectedEntry(2, uses, 3, p, r)));
  Tap((PetscBool)(difference <= 1e-14), "%d x %d: rows of J^T of a label used by two ops at 2 and 3 places", problem.grid->G,
      problem.grid->Q);
  PetscCall(StripDestroy(&strip));
  for (PetscInt i = 0; i < 2; i++) {
    PetscReal *a = (PetscReal *)uses[i].A, *delta = (PetscReal *)uses[i].Delta;

    PetscCall(PetscFree(a));
    PetscCall(PetscFree(delta));
  }
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- against LAPACK ---------------------------------------------------------------------------------------------- */

/* the singular values of J, whole on every rank, row by row from J^T u */
static PetscErrorCode WholeSpectrum(Problem *problem, PetscReal sigma[])
{
  const PetscInt m = problem->map->m, n = problem->map->n;
  PetscBLASInt   bm = (PetscBLASInt)m, bn = (PetscBLASInt)n, one = 1, lwork = 10 * (bm + bn), info;
  PetscReal     *Jt, *work;
  Vec            u, y;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n * m, &Jt, lwork, &work));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(VecDuplicate(problem->theta, &y));
  for (PetscInt r = 0; r < m; r++) {
    PetscCall(SetUnit(u, r));
    PetscCall(VecSet(y, 0));
    PetscCall(JacobianMultTransposeAdd(problem->jacobian, 1, u, y));
    PetscCall(GetCanonical(problem->parameters, y, Jt + r * n));
  }
  LAPACKgesvd_("N", "N", &bn, &bm, Jt, &bn, sigma, NULL, &one, NULL, &one, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dgesvd: %d", (int)info);
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(PetscFree2(Jt, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestRandom(const Shapes *s, PetscInt G)
{
  Problem   problem = {0};
  Spectrum  spectrum;
  PetscReal sigma[15];

  PetscFunctionBeginUser;
  PetscCall(RandomProblem(s, G, &problem));
  PetscCall(WholeSpectrum(&problem, sigma));
  PetscCall(Compute(&problem, QR, &spectrum));
  Tap((PetscBool)(LargestDifference(spectrum.m, spectrum.sigma, sigma) <= spectrum.resolution && !strcmp(spectrum.method, "qr")),
      "%d x %d, d = %d, l = %d, n = %d: sigma by streamed QR is LAPACK's of the whole J", problem.grid->G, problem.grid->Q,
      (int)s->d, (int)s->l, (int)problem.map->n);
  Tap((PetscBool)(spectrum.resolution > 0 && spectrum.resolution <= 1e-12 * sigma[0]), "... to a resolution near rounding");
  Tap((PetscBool)(spectrum.check.difference <= spectrum.check.bound && !strcmp(spectrum.check.method, "gram")),
      "... and K's within its bound");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- against PyTorch --------------------------------------------------------------------------------------------- */

static PetscErrorCode TestCase(const char name[], PetscInt G)
{
  Case            c;
  Problem         problem = {0};
  Spectrum        spectrum;
  const PetscBool full = (PetscBool)!strstr(name, "deficient");

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, G, &problem));
  PetscCall(Compute(&problem, AUTO, &spectrum));
  Tap((PetscBool)(spectrum.rank == c.rank), "%s on %d x %d: rank %d of %d", name, problem.grid->G, problem.grid->Q, (int)c.rank,
      (int)c.m);
  Tap((PetscBool)(strcmp(spectrum.method, full ? "gram" : "qr") == 0 && (full || spectrum.check.rank == -1)),
      full ? "... by K alone" : "... by QR, on its own accord: K does not count what it cannot resolve");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(Compute(&problem, QR, &spectrum));
  Tap((PetscBool)(LargestDifference(c.m, spectrum.sigma, c.sigma) <= spectrum.resolution), "... sigma by QR is PyTorch's");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- where K cannot tell ------------------------------------------------------------------------------------------ */

/* the points and weights of jobs/ill-conditioned.yaml; sigma and the loss in 60 digits, then rounded */
static PetscErrorCode IllConditioned(PetscInt G, Problem *problem, PetscReal **sigma, PetscReal **loss)
{
  const NetOptions  net     = {.widths = {.n = 3, .v = {8, 8, 8}}, .bias = PETSC_TRUE, .seed = 1, .gain = 1, .activation = "tanh"};
  const DataOptions options = {.file = "jobs/data/ill-conditioned.csv"};
  const hid_t       file    = H5Fopen("tests/reference/ill-conditioned/expected.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
  Data              data;

  PetscFunctionBeginUser;
  PetscCall(ReadArray(file, "/singular_values", 12, sigma));
  PetscCall(ReadArray(file, "/loss", 1, loss));
  H5Fclose(file);
  PetscCall(DataCreate(PETSC_COMM_WORLD, &options, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscCall(WeightsRead(problem->parameters, "jobs/data/ill-conditioned.safetensors", problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestIllConditioned(PetscInt G)
{
  Problem    problem = {0};
  Spectrum   spectrum;
  PetscReal *sigma, *loss, norm;

  PetscFunctionBeginUser;
  PetscCall(IllConditioned(G, &problem, &sigma, &loss));
  PetscCall(VecNorm(problem.H, NORM_2, &norm));
  Tap((PetscBool)(*loss <= 1e-31 && norm * norm <= 1e-30 && sigma[0] > 1e8 * sigma[11]),
      "%d x %d: a zero of the loss where kappa(J) = %.2g", problem.grid->G, problem.grid->Q, (double)(sigma[0] / sigma[11]));
  PetscCall(Compute(&problem, GRAM, &spectrum));
  Tap((PetscBool)(spectrum.rank == -1 && sigma[11] < .1 * spectrum.resolution && !spectrum.check.method),
      "... K does not resolve the rank: sigma_min is below its resolution %.1e", (double)spectrum.resolution);
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(Compute(&problem, AUTO, &spectrum));
  Tap((PetscBool)(spectrum.rank == 12 && !strcmp(spectrum.method, "qr")), "... QR, taken automatically, finds rank 12");
  Tap((PetscBool)(LargestDifference(12, spectrum.sigma, sigma) <= spectrum.resolution && spectrum.resolution <= 1e-3 * sigma[11]),
      "... every sigma is the exact one to within the resolution, sigma_min = %.4e", (double)sigma[11]);
  Tap((PetscBool)(spectrum.check.rank == -1 && spectrum.check.difference <= spectrum.check.bound),
      "... K's are within their bound");
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(PetscFree(sigma));
  PetscCall(PetscFree(loss));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-tanh", "mlp-softplus-3out-zero", "linear-rank-deficient", "quadratic-rank-deficient"};

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  for (PetscInt G = 1; G <= ranks; G++) {
    if (ranks % G) continue;
    TapCall(TestStrip(G));
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(sizes); k++) TapCall(TestRandom(&sizes[k], G));
    for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(TestCase(cases[k], G));
    TapCall(TestIllConditioned(G));
  }
  return TapEnd();
}
