/*
  job_archive.c: a job's state, as its checkpoint keeps it: whose it is, theta, the times, and the result of every finished stage.

  It belongs to the job with the same data (the scaled doubles), net (its list of ops) and start (loaded weights: their bits), whatever the names of
  the files, and with the same options on the way to the zero. A later stage whose own options changed is done again. Ranks, grid, output and
  whatever else does not change the results may differ.
*/
#include "job_state.h"
#include "sha256.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT = 1 << 16 };

/* ---- options --------------------------------------------------------------------------------------------------------------- */

/* one of the prefixes, which stand between blanks */
static PetscBool HasPrefix(const char name[], const char prefixes[])
{
  for (const char *p = prefixes; *p; p += strcspn(p, " "), p += strspn(p, " "))
    if (!strncmp(name, p, strcspn(p, " "))) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* what these name is compared by its content */
static PetscBool IsPath(const char name[])
{
  return (PetscBool)(!strcmp(name, "reach_weights") || !strcmp(name, "net_file") || !strcmp(name, "net_graph"));
}

/* a stage's options with their values; a new reference */
static PetscErrorCode StageOptions(Job job, const JobStage *stage, json_t **object)
{
  json_t     *all = JobOptionsToJSON(job), *solvers, *value;
  const char *key;

  PetscFunctionBeginUser;
  *object = json_object();
  PetscCall(OptionsOthers(all, &solvers));
  json_object_update(all, solvers);
  json_decref(solvers);
  json_object_foreach(all, key, value)
  {
    if (HasPrefix(key, stage->options) && !IsPath(key)) json_object_set(*object, key, value);
  }
  json_decref(all);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the first key whose values differ, "" if none */
static void FirstDifference(json_t *a, json_t *b, size_t size, char key[])
{
  json_t     *value;
  const char *name;

  key[0] = '\0';
  json_object_foreach(a, name, value)
  {
    if (!key[0] && !json_equal(value, json_object_get(b, name))) (void)PetscStrncpy(key, name, size);
  }
  json_object_foreach(b, name, value)
  {
    if (!key[0] && !json_object_get(a, name)) (void)PetscStrncpy(key, name, size);
  }
}

/* written, or read and compared: the first that differs, "" if none */
static PetscErrorCode OptionsArchive(Archive archive, const char name[], json_t *options, size_t size, char difference[])
{
  char   *text = json_dumps(options, JSON_COMPACT | JSON_SORT_KEYS), *kept;
  json_t *theirs;

  PetscFunctionBeginUser;
  difference[0] = '\0';
  PetscCall(PetscMalloc1(TEXT, &kept));
  PetscCall(PetscStrncpy(kept, text, TEXT));
  PetscCall(ArchiveText(archive, name, TEXT, kept));
  theirs = json_loads(kept, 0, NULL);
  FirstDifference(options, theirs, size, difference);
  json_decref(theirs);
  free(text);
  PetscCall(PetscFree(kept));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- whose it is ------------------------------------------------------------------------------------------------------------ */

typedef char Hash[SHA256_HEX];

/* rank 0: the points as they are used; targets that the net itself gives follow from the weights */
static void HashProblem(Job job, Hash hash)
{
  const Data data = job->data;
  char       both[2 * SHA256_HEX];
  Hash       x, y = "";

  Sha256(data->all_x, (size_t)data->points * (size_t)data->inputs * sizeof(PetscReal), x);
  if (job->data_options.target != TARGET_NET)
    Sha256(data->all_y, (size_t)data->points * (size_t)data->outputs * sizeof(PetscReal), y);
  snprintf(both, sizeof both, "%s%s", x, y);
  Sha256(both, strlen(both), hash);
}

static void HashNet(Job job, Hash hash)
{
  char *text = json_dumps(job->network->file, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));

  Sha256(text, strlen(text), hash);
  free(text);
}

/* the finalizer of a 64-bit mixing function (Steele, Lea, Flood 2014) */
static uint64_t Mix(uint64_t z)
{
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* of the bits of all n entries and where they stand; a sum, so it is the same on every grid */
static PetscErrorCode HashVec(Parameters parameters, Vec v, Hash hash)
{
  const ParameterRun *runs;
  const PetscScalar  *a;
  PetscInt            nruns;
  uint64_t            sum = 0;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArrayRead(v, &a));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++) {
      uint64_t bits;

      memcpy(&bits, &a[runs[r].local + i], sizeof bits);
      sum += Mix(bits ^ Mix((uint64_t)(runs[r].canonical + i) + 1));
    }
  PetscCall(VecRestoreArrayRead(v, &a));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, ParametersGrid(parameters)->world));
  snprintf(hash, sizeof(Hash), "%016llx", (unsigned long long)sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobIdentify(Job job)
{
  JobIdentity *identity = &job->identity;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(identity, sizeof *identity));
  if (job->grid->rank == 0) {
    HashProblem(job, identity->problem);
    HashNet(job, identity->net);
  }
  PetscCallMPI(MPI_Bcast(identity, (PetscMPIInt)sizeof *identity, MPI_BYTE, 0, job->comm));
  if (job->reach.method == REACH_LOAD) PetscCall(HashVec(job->parameters, job->theta, identity->start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* another one is refused; group: the options that may explain it */
static PetscErrorCode HashArchive(Archive archive, Job job, const char name[], const char mine[], const char group[])
{
  json_t     *all = JobOptionsToJSON(job), *options = json_object(), *value;
  Hash        hash;
  char        difference[128];
  const char *key;

  PetscFunctionBeginUser;
  json_object_foreach(all, key, value)
  {
    if (HasPrefix(key, group)) json_object_set(options, key, value);
  }
  PetscCall(OptionsArchive(archive, group, options, sizeof difference, difference));
  json_decref(options);
  json_decref(all);
  PetscCall(PetscStrncpy(hash, mine, sizeof hash));
  PetscCall(ArchiveText(archive, name, sizeof hash, hash));
  PetscCall(UserCheck(job->comm, (PetscBool)(strcmp(hash, mine) == 0), STATUS_DATA,
                      "%s belongs to a job with another %s (%s): remove it to start afresh, or choose another output",
                      CheckpointPath(), name, difference[0] ? difference : "the options are the same, a file has changed"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode IdentityArchive(Archive archive, Job job)
{
  char      version[256];
  PetscBool there;

  PetscFunctionBeginUser;
  PetscCall(ArchiveEnter(archive, "identity", &there));
  PetscCall(PetscStrncpy(version, ReportVersion(), sizeof version));
  PetscCall(ArchiveText(archive, "version", sizeof version, version));
  PetscCall(UserCheck(job->comm, (PetscBool)(strcmp(version, ReportVersion()) == 0), STATUS_DATA,
                      "%s was written by another program, %s: finish the job with that one, or remove the file to start afresh",
                      CheckpointPath(), version));
  PetscCall(HashArchive(archive, job, "data", job->identity.problem, "data_"));
  PetscCall(HashArchive(archive, job, "net", job->identity.net, "net_"));
  PetscCall(HashArchive(archive, job, "start", job->identity.start, "reach_"));
  PetscCall(ArchiveLeave(archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the stages' results ------------------------------------------------------------------------------------------------------ */

/* a result that there may not be, and why not */
static PetscErrorCode HasArchive(Archive archive, char skipped[160], PetscBool *has)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveBool(archive, "has", has));
  PetscCall(ArchiveText(archive, "skipped", 160, skipped));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobReachArchive(Archive archive, Job job)
{
  Report     *r = &job->report;
  ReachResult at;

  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "result", sizeof r->reach, &r->reach));
  PetscCall(ArchiveBool(archive, "at_zero", &r->at_zero));
  PetscCall(ArchiveReal(archive, "moved", &r->moved));
  PetscCall(ArchiveText(archive, "start", sizeof r->lines[0], r->lines[LINE_START]));
  r->reached = PETSC_TRUE;
  if (!ArchiveReading(archive)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &at));
  PetscCall(LossSum(job->loss_options.power, job->H, &r->loss_sum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobSpectrumArchive(Archive archive, Job job)
{
  Report   *r   = &job->report;
  PetscBool has = (PetscBool)(r->spectrum != NULL);

  PetscFunctionBeginUser;
  PetscCall(HasArchive(archive, r->skipped[SKIPPED_SPECTRUM], &has));
  if (!has) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SpectrumArchive(archive, &job->spectrum));
  r->spectrum = &job->spectrum;
  PetscCall(ArchiveBool(archive, "factored", &job->factored));
  if (ArchiveReading(archive)) job->factor_missing = job->factored;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobExtremesArchive(Archive archive, Job job)
{
  Report   *r   = &job->report;
  PetscBool has = (PetscBool)(r->extremes != NULL);

  PetscFunctionBeginUser;
  PetscCall(HasArchive(archive, r->skipped[SKIPPED_EXTREMES], &has));
  if (!has) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ExtremesResultArchive(archive, &job->extremes_result));
  r->extremes = &job->extremes_result;
  PetscCall(ArchiveReal(archive, "zero_bound", &r->zero_bound));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobFullArchive(Archive archive, Job job)
{
  Report   *r   = &job->report;
  PetscBool has = (PetscBool)(r->full != NULL);

  PetscFunctionBeginUser;
  PetscCall(HasArchive(archive, r->skipped[SKIPPED_FULL], &has));
  if (!has) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FullHessianArchive(archive, &job->full));
  r->full = &job->full;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCertifyArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  PetscCall(CertificateArchive(archive, &job->certificate));
  PetscCall(ArchiveReal(archive, "zero_bound", &job->report.zero_bound));
  PetscCall(ArchiveStruct(archive, "dead", sizeof job->report.dead, job->report.dead));
  job->report.certificate = &job->certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobConfirmArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveReal(archive, "next_loss", &job->report.next_loss));
  PetscCall(ArchiveStruct(archive, "unconfirmed", sizeof job->report.unconfirmed, job->report.unconfirmed));
  PetscCall(ArchiveBool(archive, "at_zero", &job->report.at_zero));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

/* the records of earlier runs, and the stage that is running */
static PetscErrorCode TimesArchive(Archive archive)
{
  const StageRecord *records;
  StageRecord        all[65];
  PetscInt           n;

  PetscFunctionBeginUser;
  StageRecords(&n, &records);
  PetscCall(PetscArraycpy(all, records, n));
  if (StageRunning(&all[n]) && !ArchiveReading(archive)) n++;
  PetscCall(ArchiveInt(archive, "stages", &n));
  PetscCheck(n <= 65, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "%" PetscInt_FMT " stages", n);
  PetscCall(ArchiveStruct(archive, "times", (size_t)PetscMax(1, n) * sizeof *all, all));
  for (PetscInt i = 0; ArchiveReading(archive) && i < n; i++) PetscCall(StageAdd(&all[i]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* loaded weights, before they are moved */
PetscErrorCode JobStartArchive(Archive archive, Job job)
{
  Report   *r     = &job->report;
  PetscBool start = (PetscBool)(r->start_reach != NULL), certified, there;

  PetscFunctionBeginUser;
  certified = (PetscBool)(r->start_certificate != NULL);
  PetscCall(ArchiveBool(archive, "has_start", &start));
  PetscCall(ArchiveBool(archive, "has_start_certificate", &certified));
  if (start) {
    PetscCall(ArchiveStruct(archive, "reach", sizeof job->start_reach, &job->start_reach));
    r->start_reach = &job->start_reach;
    r->start       = job->start;
  }
  PetscCall(StartArchive(archive, job->start)); /* and how far it was moved, in the end */
  if (!certified) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ArchiveEnter(archive, "start_certificate", &there));
  PetscCall(CertificateArchive(archive, &job->start_certificate));
  PetscCall(ArchiveLeave(archive));
  r->start_certificate = &job->start_certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a finished stage */
static PetscErrorCode StageArchive(Archive archive, Job job, PetscInt i)
{
  const JobStage *stage = &JobStages[i];
  char            difference[128];
  PetscBool       there;
  json_t         *options;

  PetscFunctionBeginUser;
  if (!stage->archive || (!ArchiveReading(archive) && !job->done[i])) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ArchiveEnter(archive, stage->name, &there));
  if (!there) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(StageOptions(job, stage, &options));
  PetscCall(OptionsArchive(archive, "options", options, sizeof difference, difference));
  json_decref(options);
  if (difference[0])
    PetscCall(
        PetscPrintf(job->comm, "codim: %s is done again: %s is another than in %s\n", stage->name, difference, CheckpointPath()));
  else {
    PetscCall(stage->archive(archive, job));
    job->done[i] = PETSC_TRUE;
  }
  PetscCall(ArchiveLeave(archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the way to the zero must be the same one, finished or not */
static PetscErrorCode WayArchive(Archive archive, Job job)
{
  const JobStage *reach = JobStages;
  char            difference[128];
  json_t         *options;

  PetscFunctionBeginUser;
  while (reach->run != JobReach) reach++;
  PetscCall(StageOptions(job, reach, &options));
  PetscCall(OptionsArchive(archive, "way", options, sizeof difference, difference));
  json_decref(options);
  PetscCall(UserCheck(job->comm, (PetscBool)!difference[0], STATUS_DATA,
                      "%s belongs to a job with another %s: remove it to start afresh, or choose another output", CheckpointPath(),
                      difference));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the stage that was interrupted: what it left is of use only under the same options */
static PetscErrorCode CurrentArchive(Archive archive, Job job)
{
  char    difference[128];
  json_t *options;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "current", &job->current));
  PetscCall(StageOptions(job, &JobStages[job->current], &options));
  PetscCall(OptionsArchive(archive, "current_options", options, sizeof difference, difference));
  json_decref(options);
  if (difference[0]) PetscCall(CheckpointForget());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobArchive(Archive archive, void *context)
{
  Job job = (Job)context;

  PetscFunctionBeginUser;
  PetscCall(IdentityArchive(archive, job));
  PetscCall(WayArchive(archive, job));
  PetscCall(ArchiveInt(archive, "interruptions", &job->report.interruptions));
  PetscCall(TimesArchive(archive));
  PetscCall(ArchiveVec(archive, "theta", job->parameters, job->theta));
  for (PetscInt i = 0; JobStages[i].name; i++) PetscCall(StageArchive(archive, job, i));
  PetscCall(CurrentArchive(archive, job));
  PetscFunctionReturn(PETSC_SUCCESS);
}
