/*
  job.c: a job from its options to its report; see job.h. Its stages are in job_stages.c.
*/
#include "job_state.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

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
  r->m          = job->map->m;
  r->n          = (PetscInt)NetworkSize(job->network);
  r->distinct   = data->equal.classes;
  r->missing    = data->missing;
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

json_t *JobOptionsToJSON(Job job)
{
  json_t *all = OptionsToJSON(DataKeys, &job->data_options);

  json_object_update_new(all, OptionsToJSON(NetKeys, &job->net_options));
  json_object_update_new(all, OptionsToJSON(ReachKeys, &job->reach));
  json_object_update_new(all, OptionsToJSON(SpectrumKeys, &job->spectrum_options));
  json_object_update_new(all, OptionsToJSON(HessianKeys, &job->hessian_options));
  json_object_update_new(all, OptionsToJSON(RunKeys, &job->run));
  return all;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------ */

/* theta is kept; the rest is done again */
static PetscErrorCode Suspend(Job job)
{
  json_t *options = JobOptionsToJSON(job);

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
  for (const JobStage *stage = JobStages; stage->name; stage++) {
    if (empty && stage->run != JobWriteOutput) continue;
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
  PetscCall(ReportWrite(job->comm, &job->report, JobOptionsToJSON(job), job->run.output));
  PetscCall(ReportPrint(job->comm, &job->report, job->run.output));
  PetscCall(CheckpointRemove(job->comm, job->run.output));
  *status = ReportStatus(&job->report);
  PetscFunctionReturn(PETSC_SUCCESS);
}
