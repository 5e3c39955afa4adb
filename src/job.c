/*
  job.c: a job from its options to its report; see job.h. Its stages are in job_stages.c.
*/
#include "job_state.h"
#include <string.h>

#define KEY(name, type, field, value, min, help)                                                                                   \
  {                                                                                                                                \
    name, type, offsetof(RunOptions, field), value, min, 1e9, NULL, help                                                           \
  }

static const OptionKey RunKeys[] =
    {KEY("grid", KEY_INTS, grid, "", 1,
         "G, Q: groups of data points x shards of parameters; chosen from d, n and the ranks if not given"),
     KEY("certify", KEY_BOOL, certify, "true", 0, "prove the verdict where that is possible"),
     KEY("weights", KEY_BOOL, weights, "true", 0, "write the weights, 8 n bytes; without them codim check has nothing to check"),
     {"node_memory", KEY_REAL, offsetof(RunOptions, node_memory), "0", 0, 1e18, NULL,
      "bytes of a node that the job may take (0: what the system calls available)"},
     KEY("output", KEY_STRING, output, "", 0, "directory of the results; results/JOBNAME if not given"),
     KEY("checkpoint_minutes", KEY_REAL, checkpoint_minutes, "10", 0,
         "minutes between two writings of output/checkpoint.h5; 0: only when asked to stop"),
     KEY("checkpoint_stop", KEY_INT, checkpoint_stop, "0", 0,
         "stop at this safe point, counted from 1, as if asked to: to try out how a job is resumed; 0: never"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

const OptionKey *const JobKeys[] = {DataKeys,    NetKeys,       LossKeys, ReachKeys, SpectrumKeys, HessianKeys, PathKeys,
                                    PerturbKeys, ConvexityKeys, WalkKeys, RunKeys,   PlanKeys,     NULL};

const char *JobOutput(Job job)
{
  return job && job->output_made ? job->run.output : "";
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

PetscErrorCode JobReadOptions(Job job, const char job_file[])
{
  PetscFunctionBeginUser;
  PetscCall(OptionsRead(job->comm, "Data", DataKeys, &job->data_options));
  PetscCall(OptionsRead(job->comm, "Net", NetKeys, &job->net_options));
  PetscCall(OptionsRead(job->comm, "Loss", LossKeys, &job->loss_options));
  PetscCall(OptionsRead(job->comm, "Reaching a zero", ReachKeys, &job->reach));
  PetscCall(OptionsRead(job->comm, "Spectrum", SpectrumKeys, &job->spectrum_options));
  PetscCall(OptionsRead(job->comm, "Hessian", HessianKeys, &job->hessian_options));
  PetscCall(OptionsRead(job->comm, "Trajectory", PathKeys, &job->path_options));
  PetscCall(OptionsRead(job->comm, "Changing the targets", PerturbKeys, &job->perturb_options));
  PetscCall(OptionsRead(job->comm, "Convexity", ConvexityKeys, &job->convexity_options));
  PetscCall(OptionsRead(job->comm, "Walk on M", WalkKeys, &job->walk_options));
  PetscCall(OptionsRead(job->comm, "Run", RunKeys, &job->run));
  job->spectrum_options.node_memory = job->run.node_memory;
  PetscCall(UserCheck(job->comm, (PetscBool)(job->walk_options.direction != WALK_TOWARD || job->walk_options.toward[0]),
                      STATUS_USAGE, "walk.direction: toward needs walk.toward, a safetensors file"));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->reach.method != REACH_LOAD || job->reach.weights[0]), STATUS_USAGE,
                      "reach.method: load needs reach.weights, a safetensors file"));
  PetscCall(
      UserCheck(job->comm, (PetscBool)(job->data_options.target != TARGET_NET || job->reach.method != REACH_CONSTRUCT),
                STATUS_USAGE,
                "data.target: net takes the targets from loaded weights or from the random start: reach.method load or train"));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->perturb_options.size == 0 || job->run.certify), STATUS_USAGE,
                      "perturb.size moves the targets to where a regular zero is proved: it needs certify: true"));
  PetscCall(UserCheck(job->comm, (PetscBool)(job->run.grid.n == 0 || job->run.grid.n == 2), STATUS_USAGE,
                      "grid wants two numbers, G and Q, e.g. -grid 2,1; there are %" PetscInt_FMT, job->run.grid.n));
  if (!job->run.output[0]) PetscCall(DefaultOutput(job_file, job->run.output));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PlanJob JobToPlan(Job job)
{
  const PlanJob what = {.network     = job->network,
                        .d           = job->data->points,
                        .reach       = &job->reach,
                        .spectrum    = &job->spectrum_options,
                        .hessian     = &job->hessian_options,
                        .perturb     = &job->perturb_options,
                        .convexity   = &job->convexity_options,
                        .walk        = &job->walk_options,
                        .path        = &job->path_options,
                        .certify     = job->run.certify,
                        .at_zero     = (PetscBool)(job->data_options.target == TARGET_NET),
                        .weights     = job->run.weights,
                        .node_memory = job->run.node_memory,
                        .G           = job->run.grid.n ? job->run.grid.v[0] : 0,
                        .Q           = job->run.grid.n ? job->run.grid.v[1] : 0,
                        .steps       = 1,
                        .products    = 1};

  return what;
}

static PetscErrorCode BuildProblem(Job job)
{
  PetscMPIInt size;
  PetscReal   available;

  PetscFunctionBeginUser;
  PetscCall(NetworkCreate(job->comm, &job->net_options, job->data->inputs, job->data->outputs, &job->network));
  if (job->data_options.target == TARGET_NET) PetscCall(DataExpectTargets(job->data, job->network->outputs));
  PetscCallMPI(MPI_Comm_size(job->comm, &size));
  PetscCall(MemoryAvailable(job->comm, job->run.node_memory, &available));
  job->plan_job = JobToPlan(job);
  PlanChoose(&job->plan_job, size, 1, available, NULL, &job->plan);
  if (job->run.grid.n)
    PetscCall(GridCreate(job->comm, job->run.grid.v[0], job->run.grid.v[1], &job->grid));
  else
    PetscCall(GridCreate(job->comm, (PetscInt)job->plan.sizes.G, (PetscInt)job->plan.sizes.Q, &job->grid));
  PetscCall(DataScatter(job->data, job->grid));
  PetscCall(ParametersCreate(job->grid, job->network->nlabels, job->network->labels, &job->parameters));
  PetscCall(ResidualMapCreate(job->grid, job->network, job->parameters, job->data, &job->map));
  if (job->data->heldout) {
    PetscCall(DataCreateHeldout(job->data, &job->heldout_data));
    PetscCall(DataScatter(job->heldout_data, job->grid));
    PetscCall(ResidualMapCreate(job->grid, job->network, job->parameters, job->heldout_data, &job->heldout));
  }
  PetscCall(TrainCreate(job->map, &job->reach, &job->train));
  TrainSetLoss(job->train, &job->loss_options);
  if (job->reach.method == REACH_CONSTRUCT)
    PetscCall(ConstructCreate(job->map, job->data, job->net_options.seed, job->reach.printed, &job->construct));
  PetscCall(StartCreate(job->map, &job->hessian_options, &job->start));
  PetscCall(ExtremesCreate(job->map, &job->hessian_options, &job->extremes));
  PetscCall(PathCreate(job->map, &job->path_options, &job->path));
  PetscCall(SpectrumPrepare(job->comm, &job->spectrum_options));
  PetscCall(TangentKernelCreate(job->map, &job->spectrum_options, &job->tangent));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobNameNet(const NetOptions *options, PetscInt inputs, PetscInt outputs, size_t size, char text[])
{
  const char *kind = NetworkKind(options);
  size_t      used;

  (void)PetscSNPrintf(text, size, "%s %" PetscInt_FMT, kind ? kind : options->activation, inputs);
  for (PetscInt i = 0; !kind && i < options->widths.n; i++) {
    used = strlen(text);
    (void)PetscSNPrintf(text + used, size - used, "-%" PetscInt_FMT, options->widths.v[i]);
  }
  used = strlen(text);
  (void)PetscSNPrintf(text + used, size - used, "-%" PetscInt_FMT, outputs);
}

static void DescribeProblem(Job job)
{
  Report    *r    = &job->report;
  const Data data = job->data;

  JobNameNet(&job->net_options, data->inputs, data->outputs, sizeof(r->net), r->net);
  r->d        = data->points;
  r->p        = data->inputs;
  r->l        = data->outputs;
  r->m        = job->map->m;
  r->n        = (PetscInt)NetworkSize(job->network);
  r->distinct = data->equal.classes;
  r->missing  = data->missing;
  r->weights  = job->run.weights;
  for (PetscInt v = 1; v < job->network->nops; v++)
    if (job->network->ops[v].activation && !job->network->ops[v].activation->smooth) r->kinks = PETSC_TRUE;
  r->method     = ReachMethods[job->reach.method];
  r->ranks      = job->grid->size;
  r->G          = job->grid->G;
  r->Q          = job->grid->Q;
  r->loss       = job->loss_options;
  r->next_loss  = INFINITY;
  r->zero_bound = INFINITY;
}

/* what holds for every theta is known before any training */
static PetscErrorCode Refute(Job job)
{
  PetscBool empty;

  PetscFunctionBeginUser;
  PetscCall(LossRefute(&job->loss_options, job->data, job->map, &empty, &job->certificate));
  if (empty)
    job->refutation.refuted = job->refutation.contradiction = PETSC_TRUE;
  else
    PetscCall(RefuteExactly(job->data, job->map, job->run.certify, &job->refutation, &job->certificate));
  if (job->refutation.refuted) job->report.certificate = &job->certificate;
  if (job->refutation.note[0]) PetscCall(PetscPrintf(job->comm, "codim: %s\n", job->refutation.note));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobMake(const char job_file[], PetscBool claim, Job *job)
{
  Node here;
  Job new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *job      = new;
  new->comm = PETSC_COMM_WORLD;
  PetscCall(JobReadOptions(new, job_file));
  if (claim) PetscCall(JobClaimDirectory(new));
  PetscCall(NodeHere(new->comm, &here));
  new->report.memory_baseline = here.baseline;
  PetscCall(StageBegin(new->comm, "setup"));
  PetscCall(DataCreate(new->comm, &new->data_options, &new->data));
  PetscCall(BuildProblem(new));
  PetscCall(OptionsCheckUnused(new->comm, JobKeys));
  DescribeProblem(new);
  PetscCall(Refute(new));
  PetscCall(StageEnd(new->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCreate(const char job_file[], Job *job)
{
  PetscFunctionBeginUser;
  PetscCall(JobMake(job_file, PETSC_TRUE, job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobDestroy(Job *job)
{
  Job j = *job;

  PetscFunctionBeginUser;
  if (!j) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CheckpointEnd());
  PetscCall(CertificateDestroy(&j->certificate));
  PetscCall(CertificateDestroy(&j->start_certificate));
  json_decref(j->report.optional);
  PetscCall(PathDestroy(&j->path));
  PetscCall(WalkResultDestroy(&j->walk));
  PetscCall(DensityDestroy(&j->density));
  PetscCall(DensityDestroy(&j->density_known));
  PetscCall(PetscFree(j->density_lambda));
  PetscCall(FullHessianDestroy(&j->full));
  PetscCall(ExtremesResultDestroy(&j->extremes_result));
  PetscCall(SpectrumDestroy(&j->spectrum));
  PetscCall(TilesDestroy(&j->K));
  PetscCall(HessianDestroy(&j->hessian));
  PetscCall(JacobianDestroy(&j->jacobian));
  PetscCall(TrajectoryDestroy(&j->trajectory));
  PetscCall(VecDestroy(&j->H));
  PetscCall(VecDestroy(&j->theta));
  PetscCall(VecDestroy(&j->theta_0));
  PetscCall(PerturbResultDestroy(&j->perturbation));
  PetscCall(TangentKernelDestroy(&j->tangent));
  PetscCall(ExtremesDestroy(&j->extremes));
  PetscCall(StartDestroy(&j->start));
  PetscCall(ConstructDestroy(&j->construct));
  PetscCall(TrainDestroy(&j->train));
  PetscCall(ResidualMapDestroy(&j->heldout));
  PetscCall(ResidualMapDestroy(&j->map));
  PetscCall(ParametersDestroy(&j->parameters));
  PetscCall(NetworkDestroy(&j->network));
  PetscCall(DataDestroy(&j->heldout_data));
  PetscCall(DataDestroy(&j->data));
  PetscCall(GridDestroy(&j->grid));
  PetscCall(PetscFree(*job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

json_t *JobOptionsToJSON(Job job)
{
  json_t *all = OptionsToJSON(DataKeys, &job->data_options);

  json_object_update_new(all, OptionsToJSON(NetKeys, &job->net_options));
  json_object_update_new(all, OptionsToJSON(LossKeys, &job->loss_options));
  json_object_update_new(all, OptionsToJSON(ReachKeys, &job->reach));
  json_object_update_new(all, OptionsToJSON(SpectrumKeys, &job->spectrum_options));
  json_object_update_new(all, OptionsToJSON(HessianKeys, &job->hessian_options));
  json_object_update_new(all, OptionsToJSON(PathKeys, &job->path_options));
  json_object_update_new(all, OptionsToJSON(PerturbKeys, &job->perturb_options));
  json_object_update_new(all, OptionsToJSON(ConvexityKeys, &job->convexity_options));
  json_object_update_new(all, OptionsToJSON(WalkKeys, &job->walk_options));
  json_object_update_new(all, OptionsToJSON(RunKeys, &job->run));
  return all;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------ */

static PetscErrorCode PrintResumed(Job job)
{
  const StageRecord *records;
  PetscLogDouble     seconds = 0;
  PetscInt           n;

  PetscFunctionBeginUser;
  StageRecords(&n, &records);
  for (PetscInt i = 0; i < n; i++) seconds += records[i].seconds;
  PetscCall(PetscPrintf(job->comm, "codim: going on from %s, %.0f s of work; done:", CheckpointPath(), seconds));
  n = 0;
  for (PetscInt i = 0; JobStages[i].name; i++)
    if (job->done[i]) PetscCall(PetscPrintf(job->comm, "%s %s", n++ ? "," : "", JobStages[i].name));
  if (!job->done[job->current]) PetscCall(PetscPrintf(job->comm, "%s %s in part", n++ ? "," : "", JobStages[job->current].name));
  PetscCall(PetscPrintf(job->comm, "%s\n", n ? "" : " nothing yet"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* memory, theta to start from, and what a former run left */
static PetscErrorCode Begin(Job job)
{
  CheckpointOptions options = {.comm = job->comm, .minutes = job->run.checkpoint_minutes, .state = JobArchive, .context = job};

  PetscFunctionBeginUser;
  options.stop_at = job->run.checkpoint_stop;
  options.bytes   = 8 * (PetscReal)job->map->n;
  PetscCall(StageBegin(job->comm, "setup"));
  PetscCall(JobBegin(job));
  PetscCall(JobIdentify(job));
  PetscCall(CheckpointBegin(job->run.output, &options, &job->resumed));
  for (PetscInt i = 0; JobStages[i].name; i++)
    if (JobStages[i].run == JobReach && job->done[i]) PetscCall(VecDestroy(&job->theta_0));
  if (job->resumed) {
    PetscCall(PrintResumed(job));
    job->report.interruptions++;
  }
  PetscCall(StageEnd(job->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* *stop: it was asked to, and a checkpoint is written */
static PetscErrorCode RunStage(Job job, PetscInt i, PetscBool *stop)
{
  const PetscBool interrupted = (PetscBool)(job->resumed && i == job->current); /* by the former run */

  PetscFunctionBeginUser;
  job->current = i;
  PetscCall(StageBegin(job->comm, JobStages[i].name));
  PetscCall(JobStages[i].run(job));
  PetscCall(StageEnd(job->comm));
  *stop = CheckpointStopped();
  if (*stop) PetscFunctionReturn(PETSC_SUCCESS);
  job->done[i] = PETSC_TRUE;
  if (interrupted) PetscCall(CheckpointForget());
  if (JobStages[i + 1].name) PetscCall(CheckpointStageEnd(job->comm, stop));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The last stage, and the report. Where a file cannot be written, what was computed is not lost: it is said, and kept if there is room for that. */
static PetscErrorCode Finish(Job job, PetscInt output)
{
  PetscBool      stop, saved;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  ReportDecide(&job->report);
  ierr = RunStage(job, output, &stop);
  if (!ierr) ierr = ReportWrite(job->comm, &job->report, JobOptionsToJSON(job), job->run.output);
  if (!ierr || ExitStatusOfError(ierr) == STATUS_DATA) PetscCall(ReportPrint(job->comm, &job->report, job->run.output));
  PetscCall(JobCite(job));
  if (ierr && ExitStatusOfError(ierr) == STATUS_DATA) {
    PetscCall(CheckpointSave(&saved));
    if (saved)
      PetscCall(PetscPrintf(job->comm, "codim: what was computed is in %s: mend the output directory and give the same command\n",
                            CheckpointPath()));
  }
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobRun(Job job, ExitStatus *status)
{
  const PetscBool equal = (PetscBool)(job->construct && job->data->equal.pair[0] >= 0);
  const PetscBool empty = (PetscBool)(job->refutation.contradiction || equal); /* nothing to compute */
  PetscBool       stop  = PETSC_FALSE;
  PetscInt        i     = 0;

  PetscFunctionBeginUser;
  if (equal)
    PetscCall(PetscPrintf(job->comm,
                          "codim: reach.method: construct needs distinct points; %" PetscInt_FMT " and %" PetscInt_FMT
                          " have the same x: remove one of them\n",
                          job->data->equal.pair[0] + 1, job->data->equal.pair[1] + 1));
  if (!empty) PetscCall(Begin(job));
  for (; JobStages[i].run != JobWriteOutput && !stop; i++)
    if (!empty && !job->done[i]) PetscCall(RunStage(job, i, &stop));
  if (stop) {
    PetscCall(PetscPrintf(job->comm, "codim: stopped on request; the same command goes on from %s\n", CheckpointPath()));
    *status = STATUS_STOPPED;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(Finish(job, i));
  PetscCall(CheckpointRemove());
  *status = ReportStatus(&job->report);
  PetscFunctionReturn(PETSC_SUCCESS);
}
