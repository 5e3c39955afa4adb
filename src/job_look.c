/*
  job_look.c: the stages that run where they are asked for: density, trajectory, walk.
*/
#include "job_state.h"
#include <math.h>
#include <string.h>

void JobAddOptional(Job job, const char name[], json_t *object)
{
  if (!job->report.optional) job->report.optional = json_object();
  json_object_set_new(job->report.optional, name, object);
}

/* ---- density --------------------------------------------------------------------------------------------------------------------- */

/* the whole spectrum, where it is known: on M by K and by dimension, elsewhere if the Hessian was assembled */
static PetscBool KnowsSpectrum(const Job job, PetscInt *count, const char **source)
{
  const Report   *r    = &job->report;
  const PetscBool on_M = (PetscBool)(r->at_zero && job->spectrum.rank >= 0 && !job->spectrum.counted);

  *count  = on_M ? job->spectrum.rank : r->full ? r->full->n : -1;
  *source = on_M ? "2 lambda(K), zeros by dimension" : "the whole Hessian";
  return (PetscBool)(*count >= 0);
}

DensityView JobDensityView(Job job)
{
  DensityView view = {.title = job->report.net, .density = &job->density, .lambda = job->density_lambda};

  if (KnowsSpectrum(job, &view.count, &view.source)) view.known = &job->density_known;
  return view;
}

static void DescribeDensity(Job job)
{
  const DensityView     view = JobDensityView(job);
  const DensityEstimate near = DensityNearZero(&job->density);
  char                 *line = job->report.lines[LINE_DENSITY];
  const size_t          size = sizeof(job->report.lines[0]);
  size_t                used;

  (void)PetscSNPrintf(line, size,
                      "%" PetscInt_FMT " probes of %" PetscInt_FMT
                      " Lanczos steps: %.1f +- %.1f eigenvalues at the node next to 0, which holds "
                      "all that cannot be told from 0 (resolution %.1e)",
                      job->density.probes, job->density.steps, (double)near.value, isfinite(near.error) ? (double)near.error : 0,
                      (double)DensityResolution(&job->density));
  used = strlen(line);
  if (view.known)
    (void)PetscSNPrintf(line + used, size - used,
                        "; known (%s): %.0f within the resolution, and the same steps on the known spectrum weigh %.1f there: that "
                        "bias is not in the +-",
                        view.source, (double)DensityKnownZeros(&view), (double)DensityNearZero(view.known).value);
}

/* what is known beside it, and what is said of both */
static PetscErrorCode FinishDensity(Job job)
{
  const char *source;
  DensityView view;
  PetscInt    count;

  PetscFunctionBeginUser;
  if (!job->density.probes) PetscFunctionReturn(PETSC_SUCCESS);
  if (KnowsSpectrum(job, &count, &source)) {
    PetscCall(PetscMalloc1(count, &job->density_lambda));
    if (job->report.at_zero && job->spectrum.rank >= 0 && !job->spectrum.counted)
      SpectrumHessian(&job->spectrum, count, job->density_lambda);
    else
      PetscCall(PetscArraycpy(job->density_lambda, job->full.lambda, count));
    PetscCall(DensityOfSpectrum(job->map->n, count, job->density_lambda, job->hessian_options.density.steps, &job->density_known));
  }
  view = JobDensityView(job);
  JobAddOptional(job, "density", DensityToJSON(&view));
  DescribeDensity(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobDensityArchive(Archive archive, Job job)
{
  char *line = job->report.lines[LINE_DENSITY];

  PetscFunctionBeginUser;
  PetscCall(ArchiveText(archive, "line", sizeof(job->report.lines[0]), line));
  PetscCall(DensityArchive(archive, &job->density));
  if (ArchiveReading(archive)) PetscCall(FinishDensity(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobDensity(Job job)
{
  const DensityOptions *options = &job->hessian_options.density;
  Mat                   A;

  PetscFunctionBeginUser;
  if (!options->steps || !job->report.spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  if (!JobStageFits(job, "density", sizeof(job->report.lines[0]), job->report.lines[LINE_DENSITY]))
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(JobLinearizeHessian(job));
  PetscCall(HessianCreateMat(job->hessian, HESSIAN_EXACT, &A));
  PetscCall(DensityCompute(A, job->parameters, options, NULL, &job->density));
  PetscCall(MatDestroy(&A));
  if (!CheckpointStopped()) PetscCall(FinishDensity(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanDensity(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  const DensityOptions *options  = &job->hessian->density;
  const PetscReal       products = (PetscReal)options->steps * (PetscReal)options->probes;
  Cost                  product  = {.work[WORK_STREAM] = 2 * 8 * s->local * (PetscReal)options->steps};

  stage->wanted = (PetscBool)(options->steps > 0);
  HessianMultCost(s, &product);
  CostReduceAll(&product, s->P, 8 * (PetscReal)options->steps, 3);
  CostAdd(&stage->cost, &product, products);
  CostLonger(&stage->longest, &product);
  stage->cost.work[WORK_NORMALS] += (PetscReal)options->probes * s->local;
  CostHold(&stage->cost, HessianBytes(s) + DensityBytes(options, (PetscInt)s->local) +
                             8 * s->m * (PetscReal)(options->steps + 3)); /* of the known spectrum */
}

/* ---- trajectory ---------------------------------------------------------------------------------------------------------------- */

PetscErrorCode JobTrajectory(Job job)
{
  PetscFunctionBeginUser;
  if (job->path_options.method == PATH_NONE) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PathRun(job->path, job->theta, job->trajectory, job->H, job->jacobian, job->K));
  PathFollow(job->path, job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* also the looks that were added since, on the way from its end to the zero */
PetscErrorCode JobTrajectoryArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  PetscCall(PathArchive(archive, job->path));
  if (ArchiveReading(archive) && job->path_options.method != PATH_NONE)
    PathFollow(job->path, job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobWriteTrajectory(Job job)
{
  OptionString prefix;
  PetscInt     looks;

  PetscFunctionBeginUser;
  PathLooks(job->path, &looks, NULL, NULL);
  if (!looks) PetscFunctionReturn(PETSC_SUCCESS);
  JobAddOptional(job, "trajectory", PathToJSON(job->path));
  PathDescribe(job->path, sizeof(job->report.lines[0]), job->report.lines[LINE_TRAJECTORY]);
  PetscCall(PetscSNPrintf(prefix, sizeof(prefix), "%s/trajectory", job->run.output));
  PetscCall(PathWrite(job->path, prefix, job->report.net));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanTrajectory(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)(job->path->method != PATH_NONE);
  if (!stage->wanted) return;
  if (job->path->look.full) FullHessianLimit(s, sizeof(stage->reason), stage->reason);
  PathCost(s, job->path, &stage->cost, &stage->longest);
}

/* ---- walk ------------------------------------------------------------------------------------------------------------------------ */

static void DescribeWalk(Job job)
{
  const WalkResult *r    = &job->walk;
  const WalkPoint  *last = &r->point[r->points - 1];
  char             *line = job->report.lines[LINE_WALK];
  const size_t      size = sizeof(job->report.lines[0]);
  PetscReal         loss = 0;
  size_t            used;

  for (PetscInt k = 0; k < r->points; k++) loss = PetscMax(loss, r->point[k].loss);
  (void)PetscSNPrintf(line, size,
                      "%" PetscInt_FMT " steps on M (%s): path %.3g, %.3g from the start, loss <= %.1e, sigma_min %.3g -> %.3g. ",
                      r->points - 1, WalkReasonText(r->reason), (double)last->path, (double)last->displacement, (double)loss,
                      (double)r->point[0].sigma_min, (double)last->sigma_min);
  used = strlen(line);
  WalkTheorem(r, size - used, line + used);
}

/* what is said of it */
static void FinishWalk(Job job)
{
  if (!job->walk.points) return;
  JobAddOptional(job, "walk", WalkToJSON(&job->walk));
  DescribeWalk(job);
}

PetscErrorCode JobWalkArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveText(archive, "line", sizeof(job->report.lines[0]), job->report.lines[LINE_WALK]));
  PetscCall(WalkArchive(archive, &job->walk));
  if (ArchiveReading(archive)) FinishWalk(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobWalk(Job job)
{
  Report      *r    = &job->report;
  char        *line = r->lines[LINE_WALK];
  OptionString end;
  Vec          theta;

  PetscFunctionBeginUser;
  if (!job->walk_options.steps) PetscFunctionReturn(PETSC_SUCCESS);
  if (!r->at_zero || !r->spectrum || r->spectrum->rank != r->m) {
    PetscCall(PetscStrncpy(line, "none: no zero was reached where rank J = m", sizeof(r->lines[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!JobStageFits(job, "walk", sizeof(r->lines[0]), line)) PetscFunctionReturn(PETSC_SUCCESS);
  job->factored = PETSC_FALSE;
  PetscCall(VecDuplicate(job->theta, &theta));
  PetscCall(VecCopy(job->theta, theta));
  PetscCall(WalkRun(job->map, job->heldout, &job->walk_options, PetscMax(job->reach.tolerance, r->reach.floor), theta, job->K,
                    &job->walk));
  if (!CheckpointStopped()) {
    FinishWalk(job);
    PetscCall(PetscSNPrintf(end, sizeof(end), "%s/walk.safetensors", job->run.output));
    PetscCall(WeightsWrite(job->parameters, theta, end));
  }
  PetscCall(VecDestroy(&theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanWalk(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)(job->walk->steps > 0);
  WalkCost(s, job->walk, &stage->cost, &stage->longest);
  CostHold(&stage->cost, 8 * s->local);
}
