/*
  job.c: options -> stages -> report; see job.h.
*/
#include "codim/job.h"
#include "codim/checkpoint.h"
#include "codim/refute.h"
#include "memory.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct Job_s {
  MPI_Comm        comm;
  RunOptions      run;
  PetscBool       output_made;
  DataOptions     data_options;
  NetOptions      net_options;
  ReachOptions    reach;
  SpectrumOptions spectrum_options;
  HessianOptions  hessian_options;

  Data        data;
  Grid        grid;
  Network     network;
  Parameters  parameters;
  ResidualMap map;
  Train       train;
  Extremes    extremes;
  MemoryPlan  plan;
  PetscReal   available;

  /* the point, and what belongs to it */
  Vec        theta, H;
  Trajectory trajectory;
  Jacobian   jacobian;
  Hessian    hessian;
  Tiles      K;
  PetscBool  factored; /* K holds its Cholesky factor */

  Spectrum       spectrum;
  ExtremesResult extremes_result;
  FullHessian    full;
  Refutation     refutation;
  Certificate    certificate, start_certificate;
  ReachResult    start;
  Report         report;
};

#define KEY(name, type, field, value, help)                                                                                        \
  {                                                                                                                                \
    name, type, offsetof(RunOptions, field), value, 1, 1e9, NULL, help                                                             \
  }

static const OptionKey RunKeys[] =
    {KEY("grid", KEY_INTS, grid, "",
         "G, Q: groups of data points x shards of parameters; chosen from d, n and the ranks if not given"),
     KEY("certify", KEY_BOOL, certify, "true", "prove the verdict where that is possible"),
     KEY("output", KEY_STRING, output, "", "directory of the results; results/JOBNAME if not given"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

const OptionKey *const JobKeys[] = {DataKeys, NetKeys, ReachKeys, SpectrumKeys, HessianKeys, RunKeys, NULL};

const char *JobOutput(Job job)
{
  return job->output_made ? job->run.output : "";
}

/* ---- setting up ------------------------------------------------------------------------------------------------------------- */

/* results/NAME for …/NAME.yaml */
static PetscErrorCode DefaultOutput(const char job_file[], OptionString output)
{
  const char *slash = strrchr(job_file, '/'), *name = slash ? slash + 1 : job_file;
  char       *dot;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(output, sizeof(OptionString), "results/%s", name));
  dot = strrchr(output, '.');
  if (dot && dot > strrchr(output, '/') + 1) *dot = '\0';
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int MakeDirectories(const char path[])
{
  OptionString partial;

  (void)PetscStrncpy(partial, path, sizeof(partial));
  for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(partial, 0777) && errno != EEXIST) return errno;
    *slash = '/';
  }
  return mkdir(path, 0777) && errno != EEXIST ? errno : 0;
}

static PetscErrorCode ReadOptions(Job job, const char job_file[])
{
  PetscMPIInt rank;
  int         reason = 0;

  PetscFunctionBeginUser;
  PetscCall(OptionsRead(job->comm, "Data", DataKeys, &job->data_options));
  PetscCall(OptionsRead(job->comm, "Net", NetKeys, &job->net_options));
  PetscCall(OptionsRead(job->comm, "Reaching a zero", ReachKeys, &job->reach));
  PetscCall(OptionsRead(job->comm, "Spectrum", SpectrumKeys, &job->spectrum_options));
  PetscCall(OptionsRead(job->comm, "Hessian", HessianKeys, &job->hessian_options));
  PetscCall(OptionsRead(job->comm, "Run", RunKeys, &job->run));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->reach.method != REACH_LOAD || job->reach.weights[0]), STATUS_USAGE,
                      "reach.method: load needs reach.weights, a safetensors file"));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->data_options.target != TARGET_NET || job->reach.method == REACH_LOAD),
                      STATUS_USAGE,
                      "data.target: net takes the targets from loaded weights: it needs reach.method load and reach.weights"));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->run.grid.n == 0 || job->run.grid.n == 2), STATUS_USAGE,
                      "grid wants two numbers, G and Q, e.g. -grid 2,1; there are %" PetscInt_FMT, job->run.grid.n));
  if (!job->run.output[0]) PetscCall(DefaultOutput(job_file, job->run.output));
  PetscCallMPI(MPI_Comm_rank(job->comm, &rank));
  if (rank == 0) reason = MakeDirectories(job->run.output);
  PetscCall(UserCheck(job->comm, (PetscBool)(reason == 0), STATUS_DATA, "cannot make the output directory %s: %s", job->run.output,
                      strerror(reason)));
  job->output_made = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BuildProblem(Job job)
{
  PetscInt    G = 0, Q = 0;
  PetscMPIInt size;

  PetscFunctionBeginUser;
  PetscCall(NetworkCreate(job->comm, &job->net_options, job->data->inputs, job->data->outputs, &job->network));
  if (job->data_options.target == TARGET_NET) PetscCall(DataExpectTargets(job->data, job->network->outputs));
  PetscCallMPI(MPI_Comm_size(job->comm, &size));
  if (job->run.grid.n) {
    G = job->run.grid.v[0];
    Q = job->run.grid.v[1];
  } else
    GridChoose(size, job->data->points, NetworkSize(job->network), NetworkSumUnits(job->network), .25 * job->available, &G, &Q);
  PetscCall(GridCreate(job->comm, G, Q, &job->grid));
  PetscCall(DataScatter(job->data, job->grid));
  PetscCall(ParametersCreate(job->grid, job->network->nlabels, job->network->labels, &job->parameters));
  PetscCall(ResidualMapCreate(job->grid, job->network, job->parameters, job->data, &job->map));
  PetscCall(TrainCreate(job->map, &job->reach, &job->train));
  PetscCall(ExtremesCreate(job->map, &job->hessian_options, &job->extremes));
  PetscCall(SpectrumPrepare(job->comm, &job->spectrum_options));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* "tanh 64-1024-1024-1", "lstm 15-2", "net.json 12-2" */
static void NameNet(Job job)
{
  const char *kind = NetworkKind(&job->net_options);
  char       *text = job->report.net;
  size_t      room = sizeof(job->report.net), used;

  (void)PetscSNPrintf(text, room, "%s %" PetscInt_FMT, kind ? kind : job->net_options.activation, job->data->inputs);
  for (PetscInt i = 0; !kind && i < job->net_options.widths.n; i++) {
    used = strlen(text);
    (void)PetscSNPrintf(text + used, room - used, "-%" PetscInt_FMT, job->net_options.widths.v[i]);
  }
  used = strlen(text);
  (void)PetscSNPrintf(text + used, room - used, "-%" PetscInt_FMT, job->data->outputs);
}

static void DescribeProblem(Job job)
{
  Report    *r    = &job->report;
  const Data data = job->data;

  NameNet(job);
  r->d          = data->points;
  r->p          = data->inputs;
  r->l          = data->outputs;
  r->m          = data->points * data->outputs;
  r->n          = (PetscInt)NetworkSize(job->network);
  r->twins[0]   = data->twins[0];
  r->twins[1]   = data->twins[1];
  r->distinct   = data->distinct;
  r->method     = job->reach.method == REACH_LOAD ? "load" : "train";
  r->ranks      = job->grid->size;
  r->G          = job->grid->G;
  r->Q          = job->grid->Q;
  r->zero_bound = PETSC_INFINITY;
}

/* what holds for every theta is known before any training */
static PetscErrorCode Refute(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(RefuteExactly(job->data, job->map, job->run.certify, &job->refutation, &job->certificate));
  if (job->refutation.refuted) job->report.certificate = &job->certificate;
  if (job->refutation.note[0]) PetscCall(PetscPrintf(job->comm, "codim: %s\n", job->refutation.note));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCreate(const char job_file[], Job *job)
{
  Job new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *job      = new;
  new->comm = PETSC_COMM_WORLD;
  PetscCall(ReadOptions(new, job_file));
  PetscCall(StageBegin(new->comm, "setup"));
  PetscCall(MemoryAvailable(new->comm, &new->available));
  PetscCall(DataCreate(new->comm, &new->data_options, &new->data));
  PetscCall(BuildProblem(new));
  PetscCall(OptionsCheckUnused(new->comm, JobKeys));
  DescribeProblem(new);
  PetscCall(Refute(new));
  PetscCall(StageEnd(new->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobDestroy(Job *job)
{
  Job j = *job;

  PetscFunctionBeginUser;
  if (!j) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CertificateDestroy(&j->certificate));
  PetscCall(CertificateDestroy(&j->start_certificate));
  PetscCall(FullHessianDestroy(&j->full));
  PetscCall(ExtremesResultDestroy(&j->extremes_result));
  PetscCall(SpectrumDestroy(&j->spectrum));
  PetscCall(TilesDestroy(&j->K));
  PetscCall(HessianDestroy(&j->hessian));
  PetscCall(JacobianDestroy(&j->jacobian));
  PetscCall(TrajectoryDestroy(&j->trajectory));
  PetscCall(VecDestroy(&j->H));
  PetscCall(VecDestroy(&j->theta));
  PetscCall(ExtremesDestroy(&j->extremes));
  PetscCall(TrainDestroy(&j->train));
  PetscCall(ResidualMapDestroy(&j->map));
  PetscCall(ParametersDestroy(&j->parameters));
  PetscCall(NetworkDestroy(&j->network));
  PetscCall(DataDestroy(&j->data));
  PetscCall(GridDestroy(&j->grid));
  PetscCall(PetscFree(*job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* every option with its value, as report.json and the checkpoint keep them */
static json_t *OptionsOf(Job job)
{
  json_t *all = OptionsToJSON(DataKeys, &job->data_options);

  json_object_update_new(all, OptionsToJSON(NetKeys, &job->net_options));
  json_object_update_new(all, OptionsToJSON(ReachKeys, &job->reach));
  json_object_update_new(all, OptionsToJSON(SpectrumKeys, &job->spectrum_options));
  json_object_update_new(all, OptionsToJSON(HessianKeys, &job->hessian_options));
  json_object_update_new(all, OptionsToJSON(RunKeys, &job->run));
  return all;
}

/* ---- the stages --------------------------------------------------------------------------------------------------------------- */

/* the memory every stage needs, checked before it is taken */
static PetscErrorCode Allocate(Job job)
{
  PetscReal needed;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(job->comm, job->map->m, &job->K));
  job->plan                    = MemoryPredict(job->map, &job->hessian_options, job->K);
  needed                       = job->plan.base + job->plan.reach;
  job->report.memory_predicted = needed;
  PetscCall(UserCheck(job->comm, (PetscBool)(needed <= job->available), STATUS_DATA,
                      "the job needs %.2f GB a rank and %.2f GB are available: use more nodes, or fewer ranks on each",
                      (double)needed / 1e9, (double)job->available / 1e9));
  PetscCall(ParametersCreateVec(job->parameters, &job->theta));
  PetscCall(GridCreateResidualVec(job->grid, job->map->d, job->map->l, &job->H));
  PetscCall(TrajectoryCreate(job->map, &job->trajectory));
  PetscCall(JacobianCreate(job->map, &job->jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y := f_theta at the weights loaded */
static PetscErrorCode TakeTargets(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(WeightsRead(job->parameters, job->reach.weights, job->theta));
  PetscCall(ResidualMapApply(job->map, job->theta, job->trajectory, job->H));
  PetscCall(DataSetTargets(job->data, job->grid, job->trajectory->value[job->network->nops - 1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Start(Job job)
{
  json_t   *options = OptionsOf(job);
  PetscBool resumed;

  PetscFunctionBeginUser;
  if (job->data_options.target == TARGET_NET) PetscCall(TakeTargets(job));
  PetscCall(CheckpointRead(job->parameters, options, job->run.output, job->theta, &resumed));
  json_decref(options);
  if (resumed)
    PetscCall(PetscPrintf(job->comm, "codim: going on from %s/checkpoint.safetensors\n", job->run.output));
  else if (job->reach.method == REACH_LOAD)
    PetscCall(WeightsRead(job->parameters, job->reach.weights, job->theta));
  else
    PetscCall(NetworkSetInitial(job->network, &job->net_options, job->parameters, job->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at weights as they were loaded: their own certificate, and how far polishing moves them */
static PetscErrorCode CertifyStart(Job job, Vec *theta_0)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &job->start));
  job->report.start = &job->start;
  PetscCall(VecDuplicate(job->theta, theta_0));
  PetscCall(VecCopy(job->theta, *theta_0));
  if (!job->run.certify || job->start.reason == REACH_DIVERGED) PetscFunctionReturn(PETSC_SUCCESS);
  options.enclose = PETSC_FALSE;
  PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->start_certificate));
  job->report.start_certificate = &job->start_certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunReach(Job job)
{
  Report         *r       = &job->report;
  const PetscBool load    = (PetscBool)(job->reach.method == REACH_LOAD);
  Vec             theta_0 = NULL;

  PetscFunctionBeginUser;
  PetscCall(Allocate(job));
  PetscCall(Start(job));
  if (load && job->reach.polish) PetscCall(CertifyStart(job, &theta_0));
  if (!load || job->reach.polish)
    PetscCall(TrainSolve(job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K, &r->reach));
  else
    PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &r->reach));
  if (theta_0) {
    PetscCall(VecAXPY(theta_0, -1, job->theta));
    PetscCall(VecNorm(theta_0, NORM_2, &r->moved));
    PetscCall(VecDestroy(&theta_0));
  }
  r->reached = PETSC_TRUE;
  r->at_zero = (PetscBool)(r->reach.reason == REACH_TOLERANCE || r->reach.reason == REACH_FLOOR);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunSpectrum(Job job)
{
  PetscFunctionBeginUser;
  if (job->report.reach.reason == REACH_DIVERGED) {
    PetscCall(PetscStrncpy(job->report.skipped[SKIPPED_SPECTRUM], "theta is not finite", sizeof(job->report.skipped[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(SpectrumCompute(job->jacobian, &job->spectrum_options, job->K, &job->factored, &job->spectrum));
  job->report.spectrum = &job->spectrum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the size of the zero eigenvalues as measured: on the kernel and in the pairs found, and what rounding of an exact product leaves */
static PetscReal ZeroBound(const ExtremesResult *e, PetscReal lambda_max)
{
  PetscReal size = 0;

  for (PetscInt i = 0; i < e->kernel.found; i++) size = PetscMax(size, PetscAbsReal(e->kernel.value[i]) + e->kernel.residual[i]);
  for (PetscInt i = 0; i < e->zeros.found; i++) size = PetscMax(size, PetscAbsReal(e->zeros.value[i]) + e->zeros.residual[i]);
  return size + 100 * PETSC_MACHINE_EPSILON * lambda_max;
}

static PetscErrorCode RunExtremes(Job job)
{
  Report         *r          = &job->report;
  const PetscReal needed     = job->plan.base + job->plan.extremes;
  PetscReal       lambda_max = 0;

  PetscFunctionBeginUser;
  if (!r->spectrum || !(job->hessian_options.extreme || job->hessian_options.zeros)) PetscFunctionReturn(PETSC_SUCCESS);
  if (needed > job->available) {
    PetscCall(PetscSNPrintf(r->skipped[SKIPPED_EXTREMES], sizeof(r->skipped[0]), "needs %.1f GB a rank, %.1f GB are available",
                            (double)needed / 1e9, (double)job->available / 1e9));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  r->memory_predicted = PetscMax(r->memory_predicted, needed);
  SpectrumHessian(&job->spectrum, 1, &lambda_max);
  PetscCall(HessianCreate(job->map, &job->hessian));
  PetscCall(HessianLinearize(job->hessian, job->theta, job->trajectory, job->H));
  PetscCall(ExtremesSolve(job->extremes, job->hessian, job->jacobian, job->factored && job->spectrum.rank == r->m ? job->K : NULL,
                          lambda_max, &job->extremes_result));
  r->extremes   = &job->extremes_result;
  r->zero_bound = ZeroBound(&job->extremes_result, lambda_max);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunFull(Job job)
{
  Report         *r      = &job->report;
  const PetscReal needed = job->plan.base + job->plan.extremes + FullHessianBytes(job->map->n, job->grid->size);

  PetscFunctionBeginUser;
  if (!job->hessian_options.full || !r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  if (needed > job->available) {
    PetscCall(PetscSNPrintf(r->skipped[SKIPPED_FULL], sizeof(r->skipped[0]), "needs %.1f GB a rank, %.1f GB are available",
                            (double)needed / 1e9, (double)job->available / 1e9));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!job->hessian) {
    PetscCall(HessianCreate(job->map, &job->hessian));
    PetscCall(HessianLinearize(job->hessian, job->theta, job->trajectory, job->H));
  }
  PetscCall(FullHessianCompute(job->hessian, &job->full));
  r->full = &job->full;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunCertify(Job job)
{
  Report         *r       = &job->report;
  CertifyOptions  options = CertifyDefaults;
  const PetscReal needed  = job->plan.base + job->plan.certify;

  PetscFunctionBeginUser;
  if (r->certificate) PetscFunctionReturn(PETSC_SUCCESS); /* refuted by exact means */
  r->certificate = &job->certificate;
  if (!job->run.certify)
    CertifySkip("not asked for", &job->certificate);
  else if (r->reach.reason == REACH_DIVERGED)
    CertifySkip("theta is not finite", &job->certificate);
  else if (needed > job->available)
    CertifySkip("too little memory for the matrices of its size", &job->certificate);
  else
    PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->certificate));
  if (job->certificate.status == CERTIFY_PROVED) r->zero_bound = job->certificate.zero_bound;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- output ------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode WritePairs(SpectrumFile file, const char dataset[], const char what[], const EigenPairs *pairs)
{
  char name[64];

  PetscFunctionBeginUser;
  if (pairs->products < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SpectrumFileWrite(file, dataset, pairs->found, pairs->value, what,
                              "Hessian of L = |H|^2 (plain sum), at the stored weights", "as SLEPc found them"));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_residuals", dataset));
  PetscCall(SpectrumFileWrite(file, name, pairs->found, pairs->residual, "|A v - lambda v| for |v| = 1", "absolute",
                              "as the eigenvalues"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteSpectra(Job job)
{
  const Report *r = &job->report;
  SpectrumFile  file;
  OptionString  path;
  PetscReal    *lambda;
  PetscInt      positive;

  PetscFunctionBeginUser;
  if (!r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  positive = job->spectrum.rank >= 0 ? job->spectrum.rank : job->spectrum.above;
  PetscCall(PetscMalloc1(positive, &lambda));
  SpectrumHessian(&job->spectrum, positive, lambda);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/spectrum.h5", job->run.output));
  PetscCall(SpectrumFileCreate(job->comm, path, &file));
  PetscCall(SpectrumFileWrite(file, "/jacobian/singular_values", job->spectrum.m, job->spectrum.sigma,
                              "all m singular values of the Jacobian J of H", "residuals H = f - y, unscaled", "descending"));
  PetscCall(SpectrumFileWrite(file, "/hessian/positive", positive, lambda,
                              "2 sigma^2: the positive eigenvalues of the Hessian on M", "Hessian of L = |H|^2 (plain sum)",
                              "descending"));
  if (r->extremes) {
    PetscCall(WritePairs(file, "/hessian/largest", "largest eigenvalues of the exact Hessian", &r->extremes->largest));
    PetscCall(
        WritePairs(file, "/hessian/smallest", "smallest (most negative) eigenvalues of the exact Hessian", &r->extremes->smallest));
    PetscCall(WritePairs(file, "/hessian/zeros", "eigenvalues of the zero cluster of the exact Hessian", &r->extremes->zeros));
    PetscCall(WritePairs(file, "/hessian/kernel", "eigenvalue of largest magnitude of P S P, P the projection onto ker J",
                         &r->extremes->kernel));
  }
  if (r->full)
    PetscCall(SpectrumFileWrite(file, "/hessian/all", r->full->n, r->full->lambda, "all n eigenvalues of the exact Hessian",
                                "Hessian of L = |H|^2 (plain sum), at the stored weights", "ascending"));
  PetscCall(SpectrumFileClose(&file));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the sizes of zeros that were measured, each with its residual: what is drawn is a bound on how far from 0 it can be */
static void AppendSizes(const EigenPairs *pairs, PetscInt *count, PetscReal size[])
{
  for (PetscInt i = 0; i < pairs->found; i++) {
    const PetscReal value = pairs->value[i];

    size[(*count)++] = value < 0 ? value - pairs->residual[i] : value + pairs->residual[i];
  }
}

static PetscErrorCode DrawSpectrum(Job job)
{
  const Report  *r      = &job->report;
  SpectrumFigure figure = {.title = r->net};
  OptionString   path;
  PetscReal     *lambda, *measured;

  PetscFunctionBeginUser;
  if (!r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  figure.npositive = job->spectrum.rank >= 0 ? job->spectrum.rank : job->spectrum.above;
  figure.nzero     = r->n - figure.npositive;
  PetscCall(PetscMalloc1(figure.npositive, &lambda));
  SpectrumHessian(&job->spectrum, figure.npositive, lambda);
  PetscCall(PetscMalloc1(job->extremes_result.zeros.found + job->extremes_result.kernel.found, &measured));
  AppendSizes(&job->extremes_result.zeros, &figure.nmeasured, measured);
  AppendSizes(&job->extremes_result.kernel, &figure.nmeasured, measured);
  figure.positive   = lambda;
  figure.measured   = measured;
  figure.resolution = 2 * job->spectrum.resolution * job->spectrum.resolution;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/spectrum.svg", job->run.output));
  PetscCall(FigureWriteSpectrum(job->comm, path, &figure));
  PetscCall(PetscFree(measured));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunOutput(Job job)
{
  OptionString   problem, net, weights, certificate;
  CertifySubject subject = {job->map, &job->net_options, weights, problem, job->theta};

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(problem, sizeof(problem), "%s/problem.h5", job->run.output));
  PetscCall(PetscSNPrintf(weights, sizeof(weights), "%s/weights.safetensors", job->run.output));
  PetscCall(PetscSNPrintf(certificate, sizeof(certificate), "%s/certificate.json", job->run.output));
  PetscCall(PetscSNPrintf(net, sizeof(net), "%s/net.json", job->run.output));
  PetscCall(DataWriteProblem(job->data, problem));
  PetscCall(NetworkWrite(job->comm, job->network, net));
  if (!job->report.reached) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(WeightsWrite(job->parameters, job->theta, weights));
  PetscCall(CertifyWriteJSON(certificate, &subject, &job->certificate));
  PetscCall(WriteSpectra(job));
  PetscCall(DrawSpectrum(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
  const char *name;
  PetscErrorCode (*run)(Job job);
} Stage;

/* clang-format off */
static const Stage Stages[] = {
    {"reach",    RunReach},
    {"spectrum", RunSpectrum},
    {"extremes", RunExtremes},
    {"full",     RunFull},
    {"certify",  RunCertify}, /* after the solvers that use K's factor */
    {"output",   RunOutput},
    {NULL,       NULL}
};
/* clang-format on */

/* theta is kept; the rest is done again */
static PetscErrorCode Suspend(Job job)
{
  json_t *options = OptionsOf(job);

  PetscFunctionBeginUser;
  PetscCall(CheckpointWrite(job->parameters, job->theta, options, job->run.output));
  json_decref(options);
  PetscCall(PetscPrintf(job->comm, "codim: stopped on request; the same command goes on from %s/checkpoint.safetensors\n",
                        job->run.output));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobRun(Job job, ExitStatus *status)
{
  const PetscBool empty = job->refutation.contradiction; /* nothing to compute */
  PetscBool       stop;

  PetscFunctionBeginUser;
  for (const Stage *stage = Stages; stage->name; stage++) {
    if (empty && stage->run != RunOutput) continue;
    PetscCall(StageBegin(job->comm, stage->name));
    PetscCall(stage->run(job));
    PetscCall(StageEnd(job->comm));
    PetscCall(StopRequested(job->comm, &stop));
    if (stop && stage[1].name && job->theta) {
      PetscCall(Suspend(job));
      *status = STATUS_STOPPED;
      PetscFunctionReturn(PETSC_SUCCESS);
    }
  }
  ReportDecide(&job->report);
  PetscCall(ReportWrite(job->comm, &job->report, OptionsOf(job), job->run.output));
  PetscCall(ReportPrint(job->comm, &job->report, job->run.output));
  PetscCall(CheckpointRemove(job->comm, job->run.output));
  *status = ReportStatus(&job->report);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- codim check -------------------------------------------------------------------------------------------------------------- */

PetscErrorCode JobCreateCheck(const char dir[], Job *job)
{
  OptionString certificate, weights, problem, net, arch = "";
  PetscBool    graph, ops;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(certificate, sizeof(certificate), "%s/certificate.json", dir));
  PetscCall(PetscSNPrintf(weights, sizeof(weights), "%s/weights.safetensors", dir));
  PetscCall(PetscSNPrintf(problem, sizeof(problem), "%s/problem.h5", dir));
  PetscCall(CertifyReadSubject(certificate, weights, problem));
  PetscCall(PetscSNPrintf(net, sizeof(net), "%s/net.json", dir));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-net_arch", arch, sizeof(arch), NULL));
  PetscCall(PetscStrcmp(arch, "graph", &graph));
  PetscCall(PetscStrcmp(arch, "ops", &ops));
  if (graph || ops) { /* the file it was made from may be gone; its list of ops is here */
    PetscCall(PetscOptionsSetValue(NULL, "-net_arch", "ops"));
    PetscCall(PetscOptionsSetValue(NULL, "-net_file", net));
  }
  PetscCall(PetscOptionsSetValue(NULL, "-data_file", problem));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_method", "load"));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_weights", weights));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_polish", "false"));
  PetscCall(PetscOptionsSetValue(NULL, "-output", dir));
  PetscCall(JobCreate(dir, job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCheck(Job job, ExitStatus *status)
{
  OptionString path;
  char         text[1024];
  PetscBool    agrees;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/certificate.json", job->run.output));
  PetscCall(StageBegin(job->comm, "check"));
  if (!job->report.certificate) PetscCall(RunReach(job));
  PetscCall(RunCertify(job));
  PetscCall(StageEnd(job->comm));
  CertifyTheorem(&job->certificate, sizeof(text), text);
  PetscCall(PetscPrintf(job->comm, "%s\n", text));
  PetscCall(CertifyCompare(path, &job->certificate, &agrees, sizeof(text), text));
  PetscCall(UserCheck(job->comm, agrees, STATUS_DATA, "%s: %s", path, text));
  PetscCall(PetscPrintf(job->comm, "%s: %s\n", path, text));
  *status = job->certificate.status == CERTIFY_PROVED    ? STATUS_HOLDS
            : job->certificate.status == CERTIFY_REFUTED ? STATUS_REFUTED
                                                         : STATUS_UNDECIDED;
  PetscFunctionReturn(PETSC_SUCCESS);
}
