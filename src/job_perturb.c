/*
  job_perturb.c: the stages that change the targets: perturb, and the spectrum at what it leads to.
*/
#include "job_state.h"

PetscBool JobTargetsMoved(Job job)
{
  return (PetscBool)(job->report.perturbation && job->perturbation.chosen >= 0);
}

/* why the targets stay as they are; NULL: they are to be moved */
static const char *Unneeded(Job job)
{
  const Report *r = &job->report;

  if (!r->at_zero) return "no zero was reached to move the targets from";
  if (r->spectrum && r->spectrum->rank == r->m) return "the targets stay: rank J = m at the zero";
  return r->spectrum ? NULL : r->skipped[SKIPPED_SPECTRUM];
}

/* the loss and the rest of what is at theta' */
static PetscErrorCode TakePoint(Job job)
{
  ReachResult at;

  PetscFunctionBeginUser;
  PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &at));
  job->report.reach.loss         = at.loss;
  job->report.reach.residual_max = at.residual_max;
  job->report.reach.floor        = at.floor;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Describe(Job job)
{
  job->report.perturbation = &job->perturbation;
  PerturbDescribe(&job->perturbation, job->report.m, sizeof(job->report.lines[0]), job->report.lines[LINE_PERTURB]);
}

PetscErrorCode JobPerturb(Job job)
{
  Report            *r = &job->report;
  const char        *why;
  char               memory[160];
  const PerturbPoint point = {job->map,      job->data, job->net_options.seed, job->theta, job->H, job->trajectory,
                              job->jacobian, job->K,    job->run.node_memory};

  PetscFunctionBeginUser;
  if (job->perturb_options.size == 0) PetscFunctionReturn(PETSC_SUCCESS);
  job->perturbation = (PerturbResult){.chosen     = -1,
                                      .loss       = r->reach.loss,
                                      .rank       = r->spectrum ? r->spectrum->rank : -1,
                                      .sigma_min  = r->spectrum ? r->spectrum->sigma[r->m - 1] : PETSC_INFINITY,
                                      .rank_bound = job->refutation.refuted ? job->certificate.rank_bound : -1};
  why               = Unneeded(job);
  if (!why && !JobStageFits(job, "perturb", sizeof(memory), memory)) why = memory;
  if (!job->refutation.refuted && why) {
    PetscCall(PetscStrncpy(r->lines[LINE_PERTURB], why, sizeof(r->lines[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (!job->refutation.refuted) {
    job->factored = job->shifted = PETSC_FALSE;
    PetscCall(PerturbSolve(&point, &job->perturb_options, &job->perturbation));
    if (CheckpointStopped()) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(TakePoint(job));
  }
  Describe(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanPerturb(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)(job->perturb->size > 0);
  if (!stage->wanted) return;
  PerturbCost(s, job->perturb, &stage->cost, &stage->longest);
}

PetscErrorCode JobPerturbArchive(Archive archive, Job job)
{
  PetscBool there = (PetscBool)(job->report.perturbation != NULL);

  PetscFunctionBeginUser;
  PetscCall(ArchiveBool(archive, "there", &there));
  PetscCall(ArchiveText(archive, "line", sizeof(job->report.lines[0]), job->report.lines[LINE_PERTURB]));
  if (!there) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PerturbArchive(archive, job->data, job->grid, &job->perturbation));
  Describe(job);
  if (ArchiveReading(archive) && JobTargetsMoved(job)) PetscCall(TakePoint(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobSpectrumAgain(Job job)
{
  PetscFunctionBeginUser;
  if (!JobTargetsMoved(job)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SpectrumDestroy(&job->spectrum));
  job->report.spectrum = NULL;
  PetscCall(JobSpectrum(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the stage before has archived the same spectrum: it is taken from here, where it is the last word */
PetscErrorCode JobSpectrumAgainArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  if (!JobTargetsMoved(job)) PetscFunctionReturn(PETSC_SUCCESS);
  if (ArchiveReading(archive)) {
    PetscCall(SpectrumDestroy(&job->spectrum));
    job->report.spectrum = NULL;
  }
  PetscCall(JobSpectrumArchive(archive, job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanSpectrumAgain(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  SpectrumOptions options = *job->spectrum;

  options.vectors = job->keep;
  stage->wanted   = (PetscBool)(job->perturb->size > 0);
  if (stage->wanted) SpectrumCost(s, &options, &stage->cost, &stage->longest);
}
