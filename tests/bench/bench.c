/*
  bench.c: how near the core is to the machine's matrix product, in ratios measured within one run.

    codim-bench [-points d,…] [-width w] [-repeat 5] [-table FILE]
    codim-bench -growth [-repeat 5]      seconds against n, to results/bench/growth.{csv,svg}
    codim-bench -factored -points d      seconds of the factors of J, K and its eigenvalues, and nothing else

  One line per figure: name, d, ranks, seconds (median), rate, and its ratio to what the ranks reach together in dgemm or dsyrk at
  the same time and the same shapes. The net is tanh 64-w-w-1 on random points. FILE gets a row for each d: what draw.c draws.
*/
#include "codim/certify.h"
#include "codim/extremes.h"
#include "codim/machine.h"
#include "codim/plot.h"
#include "codim/random.h"
#include "codim/table.h"
#include "codim/threads.h"
#include "codim/train.h"
#include <petscblaslapack.h>
#include <slepc.h>

typedef struct {
  PetscInt    d, repeat, shards; /* shards: of theta; a rank gathers a whole label where there is one */
  Grid        grid;
  ResidualMap map;
  Network     network;
  Parameters  parameters;
  Data        data;
  NetOptions  net;
  Vec         theta, H, v, y;
  Trajectory  trajectory;
  Adjoint     adjoint; /* of one row: a gradient */
  Jacobian    jacobian;
  Hessian     hessian;
  Tiles       K, vectors;
  PetscReal  *lambda;
} Bench;

typedef PetscErrorCode Work(Bench *bench);

static int Ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

enum { REPEAT_MAX = 64 };

/* the median of the slowest rank's seconds over the repeats, and over more of them until a second is gone: a short work is soon disturbed */
static PetscErrorCode Median(Bench *bench, Work *work, double *seconds)
{
  double   times[REPEAT_MAX], sum = 0;
  PetscInt count = 0;

  PetscFunctionBeginUser;
  PetscCall(work(bench));
  for (PetscInt i = 0; i < bench->repeat || (sum < 1 && i < REPEAT_MAX); i++) {
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    times[i] = MPI_Wtime();
    PetscCall(work(bench));
    times[i] = MPI_Wtime() - times[i];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &times[i], 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
    sum += times[i];
    count = i + 1;
  }
  qsort(times, (size_t)count, sizeof(*times), Ascending);
  *seconds = times[count / 2];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the machine --------------------------------------------------------------------------------------------------------- */

enum { INNER = 1024 };

static PetscReal *A, *C; /* INNER x d, d x d, on every rank */

static PetscErrorCode WorkGemm(Bench *bench)
{
  const PetscBLASInt d = (PetscBLASInt)bench->d, k = INNER;
  const PetscReal    one = 1, zero = 0;

  PetscFunctionBeginUser;
  PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &d, &d, &k, &one, A, &k, A, &k, &zero, C, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkSyrk(Bench *bench)
{
  const PetscBLASInt d = (PetscBLASInt)bench->d, k = INNER;
  const PetscReal    one = 1, zero = 0;

  PetscFunctionBeginUser;
  PetscCallBLAS("BLASsyrk", BLASsyrk_("L", "T", &d, &k, &one, A, &k, &zero, C, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MachineRates(Bench *bench, PetscMPIInt ranks, double *gemm, double *syrk)
{
  const double products = (double)bench->d * (double)bench->d * INNER * ranks;
  double       seconds  = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)bench->d * INNER, &A, (size_t)bench->d * (size_t)bench->d, &C));
  for (size_t i = 0; i < (size_t)bench->d * INNER; i++) A[i] = 1. / (PetscReal)(1 + i % 977);
  PetscCall(Median(bench, WorkGemm, &seconds));
  *gemm = 2 * products / seconds;
  PetscCall(Median(bench, WorkSyrk, &seconds));
  *syrk = products / seconds;
  PetscCall(PetscFree2(A, C));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the core ------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode WorkGram(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(GramCompute(bench->jacobian, bench->K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one step: forward, adjoint, K, Cholesky, update, with the parts the solver uses */
static PetscErrorCode WorkStep(Bench *bench)
{
  PetscBool success;

  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(bench->map, bench->theta, bench->trajectory, bench->H));
  PetscCall(JacobianLinearize(bench->jacobian, bench->theta, bench->trajectory));
  PetscCall(GramCompute(bench->jacobian, bench->K));
  PetscCall(TilesShift(bench->K, 1));
  PetscCall(TilesCholesky(bench->K, &success));
  PetscCheck(success, PETSC_COMM_WORLD, PETSC_ERR_PLIB, "K + I is not positive definite");
  PetscCall(JacobianMultTransposeAdd(bench->jacobian, 1e-30, bench->H, bench->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the gradient from theta: forward, adjoint of the residual, products */
static PetscErrorCode WorkGradient(Bench *bench)
{
  PetscReal *seed;

  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(bench->map, bench->theta, bench->trajectory, bench->H));
  PetscCall(PetscMalloc1(bench->map->N, &seed));
  PetscCall(ResidualMapSeed(bench->map, 1, bench->H, seed));
  PetscCall(ResidualMapAdjoint(bench->map, bench->theta, bench->trajectory, seed, bench->adjoint));
  PetscCall(VecSet(bench->y, 0));
  PetscCall(ResidualMapAddGradient(bench->map, bench->trajectory, bench->adjoint, 2, bench->y));
  PetscCall(PetscFree(seed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkHessian(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(HessianMult(bench->hessian, HESSIAN_EXACT, bench->v, bench->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K and its eigenvectors, what the certificate's time is compared with */
static PetscErrorCode WorkEigenvectors(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(GramCompute(bench->jacobian, bench->K));
  PetscCall(TilesEigenvectors(bench->K, bench->lambda, bench->vectors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at a zero, y := f_theta(x), with the eigenvectors that the spectrum left */
static PetscErrorCode WorkCertificate(Bench *bench)
{
  const PetscReal *output  = bench->trajectory->value[bench->network->nops - 1];
  CertifyOptions   options = CertifyDefaults;
  Certificate      certificate;
  Tiles            vectors;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(bench->data->y, output, bench->map->N));
  PetscCall(TilesDuplicate(bench->K, &vectors));
  PetscCall(TilesCopy(bench->vectors, vectors));
  options.vectors = &vectors;
  options.lambda  = bench->lambda;
  PetscCall(CertifyCompute(bench->map, bench->theta, bench->trajectory, bench->K, &options, &certificate));
  PetscCheck(certificate.status == CERTIFY_PROVED, PETSC_COMM_WORLD, PETSC_ERR_PLIB, "%s", certificate.reason);
  PetscCall(CertificateDestroy(&certificate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta, what is computed at it, and K: one n-sized Vec */
static PetscErrorCode BenchCreate(Bench *b, PetscInt d, PetscInt width)
{
  PetscMPIInt size;

  PetscFunctionBeginUser;
  b->d = d;
  b->net =
      (NetOptions){.widths = {2, {width, width}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 1, .gain = 1, .bias_gain = .1};
  b->data = NULL;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(NetworkCreate(PETSC_COMM_WORLD, &b->net, 64, 1, &b->network));
  PetscCall(GridCreate(PETSC_COMM_WORLD, size / b->shards, b->shards, &b->grid));
  PetscCall(PetscNew(&b->data));
  b->data->comm    = PETSC_COMM_WORLD;
  b->data->points  = d;
  b->data->inputs  = 64;
  b->data->outputs = 1;
  if (b->grid->rank == 0) {
    PetscCall(PetscMalloc1(d * 64, &b->data->all_x));
    PetscCall(PetscMalloc1(d, &b->data->all_y));
    RandomNormal(7, 0, 0, d * 64, b->data->all_x);
    RandomNormal(7, 1, 0, d, b->data->all_y);
  }
  PetscCall(DataScatter(b->data, b->grid));
  PetscCall(ParametersCreate(b->grid, b->network->nlabels, b->network->labels, &b->parameters));
  PetscCall(ResidualMapCreate(b->grid, b->network, b->parameters, b->data, &b->map));
  PetscCall(ParametersCreateVec(b->parameters, &b->theta));
  PetscCall(NetworkSetInitial(b->network, &b->net, b->parameters, b->theta));
  PetscCall(RowsCreateVec(b->map->rows, &b->H));
  PetscCall(TrajectoryCreate(b->map, &b->trajectory));
  PetscCall(JacobianCreate(b->map, &b->jacobian));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, d, &b->K));
  PetscCall(PetscMalloc1(d, &b->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* and what products with the Hessian and the certificate need */
static PetscErrorCode BenchCreateAll(Bench *b, PetscInt d, PetscInt width)
{
  PetscFunctionBeginUser;
  PetscCall(BenchCreate(b, d, width));
  PetscCall(VecDuplicate(b->theta, &b->v));
  PetscCall(VecDuplicate(b->theta, &b->y));
  PetscCall(ParametersSetRandom(b->parameters, 1, 1, b->v));
  PetscCall(HessianCreate(b->map, &b->hessian));
  PetscCall(AdjointCreate(b->map, ADJOINT_POINTS, ADJOINT_PARAMETERS, &b->adjoint));
  PetscCall(TilesDuplicate(b->K, &b->vectors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BenchDestroy(Bench *b)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(b->lambda));
  PetscCall(TilesDestroy(&b->vectors));
  PetscCall(TilesDestroy(&b->K));
  if (b->adjoint) PetscCall(AdjointDestroy(&b->adjoint));
  if (b->hessian) PetscCall(HessianDestroy(&b->hessian));
  PetscCall(JacobianDestroy(&b->jacobian));
  PetscCall(TrajectoryDestroy(&b->trajectory));
  PetscCall(VecDestroy(&b->H));
  PetscCall(VecDestroy(&b->v));
  PetscCall(VecDestroy(&b->y));
  PetscCall(VecDestroy(&b->theta));
  PetscCall(ResidualMapDestroy(&b->map));
  PetscCall(ParametersDestroy(&b->parameters));
  PetscCall(DataDestroy(&b->data));
  PetscCall(NetworkDestroy(&b->network));
  PetscCall(GridDestroy(&b->grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* flops of all ranks together that `work` logs */
static PetscErrorCode Flops(Bench *bench, Work *work, double *flops)
{
  PetscLogDouble before, after;

  PetscFunctionBeginUser;
  PetscCall(PetscGetFlops(&before));
  PetscCall(work(bench));
  PetscCall(PetscGetFlops(&after));
  *flops = after - before;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, flops, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

enum { EIGENVECTORS = 2000 /* the largest d with them: 10 d^3 flops */ };

static PetscErrorCode RunCertificate(Bench *b)
{
  double vectors = 0, certificate = 0;

  PetscFunctionBeginUser;
  PetscCall(Median(b, WorkEigenvectors, &vectors));
  PetscCall(Median(b, WorkCertificate, &certificate));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "  certificate    %8.3f s  %8.2f x (K and its eigenvectors, %.3f s)\n", certificate,
                        certificate / vectors, vectors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K and a step beside the least time that dsyrk and dgemm leave them */
static PetscErrorCode TableAppend(const Bench *b, PetscMPIInt ranks, const double seconds[4])
{
  char      path[PETSC_MAX_PATH_LEN];
  PetscBool set;
  FILE     *file;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-table", path, sizeof(path), &set));
  if (!set || b->grid->rank) PetscFunctionReturn(PETSC_SUCCESS);
  file = fopen(path, "a");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  fprintf(file, "%d,%" PetscInt_FMT ",%" PetscInt_FMT ",%" PetscInt_FMT ",%.4g,%.4g,%.4g,%.4g\n", ranks, ThreadsCount(), b->d,
          b->map->n, seconds[0], seconds[1], seconds[2], seconds[3]);
  fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunBench(Bench *b, PetscInt d, PetscInt width)
{
  PetscMPIInt ranks;
  PetscReal   useful;
  double      gemm = 0, syrk = 0, gram = 0, step = 0, gradient = 0, hessian = 0, flops = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  PetscCall(BenchCreateAll(b, d, width));
  PetscCall(MachineRates(b, ranks, &gemm, &syrk));
  PetscCall(Median(b, WorkStep, &step));
  PetscCall(Flops(b, WorkStep, &flops));
  PetscCall(Median(b, WorkGram, &gram));
  PetscCall(GramFlops(b->jacobian, &useful));
  PetscCall(Median(b, WorkGradient, &gradient));
  PetscCall(HessianLinearize(b->hessian, b->theta, b->trajectory, b->H));
  PetscCall(Median(b, WorkHessian, &hessian));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "%d ranks, d = m = %" PetscInt_FMT ", n = %" PetscInt_FMT "\n"
                        "  dgemm          %8.1f GF/s\n"
                        "  dsyrk          %8.1f GF/s\n"
                        "  K              %8.3f s  %8.1f GF/s  %5.1f %% of dsyrk\n"
                        "  step           %8.3f s  %8.3f x (flops / dgemm rate)\n"
                        "  gradient       %8.3f s\n"
                        "  Hessian vector %8.3f s  %8.2f gradients\n",
                        ranks, d, b->map->n, gemm * 1e-9, syrk * 1e-9, gram, (double)useful * 1e-9 / gram,
                        100 * (double)useful / gram / syrk, step, step / (flops / gemm), gradient, hessian, hessian / gradient));
  if (d <= EIGENVECTORS) PetscCall(RunCertificate(b));
  PetscCall(TableAppend(b, ranks, (double[]){gram, (double)useful / syrk, step, flops / gemm}));
  PetscCall(BenchDestroy(b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- growth ---------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode WorkLinearize(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(bench->map, bench->theta, bench->trajectory, bench->H));
  PetscCall(JacobianLinearize(bench->jacobian, bench->theta, bench->trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkSpectrum(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(GramCompute(bench->jacobian, bench->K));
  PetscCall(TilesEigenvalues(bench->K, bench->lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what a script for the spectrum does: forward, adjoint, K, eigenvalues */
static PetscErrorCode WorkFactored(Bench *bench)
{
  PetscFunctionBeginUser;
  PetscCall(WorkLinearize(bench));
  PetscCall(WorkSpectrum(bench));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunFactored(Bench *b, PetscInt d, PetscInt width)
{
  double seconds = 0;

  PetscFunctionBeginUser;
  PetscCall(BenchCreate(b, d, width));
  PetscCall(Median(b, WorkFactored, &seconds));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%.6g\n", seconds));
  PetscCall(BenchDestroy(b));
  PetscFunctionReturn(PETSC_SUCCESS);
}

enum { SIZES = 6 };

static PetscErrorCode DrawGrowth(const PetscReal n[], const PetscReal linearize[], const PetscReal spectrum[])
{
  PetscReal         root[SIZES], line[SIZES];
  const TableColumn columns[] = {{"n", n}, {"linearize_seconds", linearize}, {"gram_eigenvalues_seconds", spectrum}, {NULL, NULL}};
  const PlotSeries  series[]  = {{"K and its eigenvalues", PLOT_POINTS, PLOT_BLUE, PETSC_FALSE, SIZES, n, spectrum, NULL, NULL},
                                 {"n^(1/2)", PLOT_LINE, PLOT_BLUE, PETSC_TRUE, SIZES, n, root, NULL, NULL},
                                 {"forward and adjoint: the factors", PLOT_RINGS, PLOT_RED, PETSC_FALSE, SIZES, n, linearize, NULL,
                                  NULL},
                                 {"n", PLOT_LINE, PLOT_RED, PETSC_TRUE, SIZES, n, line, NULL, NULL}};
  const PlotPanel   panel     = {.x       = {.label = "parameters n", .scale = PLOT_LOG},
                                 .y       = {.label = "seconds", .scale = PLOT_LOG},
                                 .nseries = 4,
                                 .series  = series};
  const Plot        plot      = {"tanh 64-w-w-1 on 256 points", "Dashed: through the largest net.", 1, &panel};

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < SIZES; i++) {
    root[i] = spectrum[SIZES - 1] * PetscSqrtReal(n[i] / n[SIZES - 1]);
    line[i] = linearize[SIZES - 1] * n[i] / n[SIZES - 1];
  }
  PetscCall(TableWriteCSV(PETSC_COMM_WORLD, "results/bench/growth.csv", SIZES, columns));
  PetscCall(PlotWrite(PETSC_COMM_WORLD, "results/bench/growth.svg", &plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at fixed d, from n = 10^4 to 10^9: K takes d^2 (w + w) work a layer, the factors d w^2 */
static PetscErrorCode RunGrowth(Bench *b)
{
  static const PetscInt width[SIZES] = {70, 968, 3131, 9968, 19968, 31600};
  PetscReal             n[SIZES], linearize[SIZES], spectrum[SIZES];
  double                seconds = 0;
  PetscMPIInt           ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  b->shards = ranks;
  for (PetscInt i = 0; i < SIZES; i++) {
    PetscCall(BenchCreate(b, 256, width[i]));
    n[i] = (PetscReal)b->map->n;
    PetscCall(Median(b, WorkLinearize, &seconds));
    linearize[i] = seconds;
    PetscCall(Median(b, WorkSpectrum, &seconds));
    spectrum[i] = seconds;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "n = %-12" PetscInt_FMT " factors %9.4f s   K and its eigenvalues %9.4f s\n", b->map->n,
                          (double)linearize[i], (double)spectrum[i]));
    PetscCall(BenchDestroy(b));
  }
  PetscCall(DrawGrowth(n, linearize, spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Benches(void)
{
  Bench     bench      = {0};
  PetscInt  points[16] = {1000, 2000, 5000, 10000}, count = 16, width = 1024;
  PetscBool set, growth, factored;
  char      machine[MACHINE_NAME];

  PetscFunctionBeginUser;
  PetscCall(BaseInitialize());
  bench.repeat = 5;
  bench.shards = 1;
  PetscCall(PetscOptionsGetIntArray(NULL, NULL, "-points", points, &count, &set));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-width", &width, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-repeat", &bench.repeat, NULL));
  bench.repeat = PetscMin(REPEAT_MAX, bench.repeat);
  PetscCall(PetscOptionsHasName(NULL, NULL, "-growth", &growth));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-factored", &factored));
  if (growth) PetscCall(RunGrowth(&bench));
  if (factored) PetscCall(RunFactored(&bench, points[0], width));
  if (growth || factored) PetscFunctionReturn(PETSC_SUCCESS);
  MachineName(sizeof(machine), machine);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s\n", machine));
  for (PetscInt i = 0; i < (set ? count : 4); i++) PetscCall(RunBench(&bench, points[i], width));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscErrorCode ierr = SlepcInitialize(&argc, &argv, NULL, NULL);

  if (!ierr) ierr = Benches();
  return SlepcFinalize() || ierr ? 1 : 0;
}
