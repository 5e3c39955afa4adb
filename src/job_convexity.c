/*
  job_convexity.c: the stage that shows that L is not convex.
*/
#include "job_state.h"

static void Describe(Job job)
{
  JobAddOptional(job, "convexity", ConvexityToJSON(&job->convexity));
  ConvexityDescribe(&job->convexity, sizeof(job->report.lines[0]), job->report.lines[LINE_CONVEXITY]);
}

PetscErrorCode JobConvexity(Job job)
{
  Report        *r    = &job->report;
  char          *line = r->lines[LINE_CONVEXITY];
  ConvexityPoint at   = {job->map,        &job->net_options, job->train, job->theta,    job->H,
                         job->trajectory, job->jacobian,     job->K,     PETSC_INFINITY};

  PetscFunctionBeginUser;
  if (!job->convexity_options.seed) PetscFunctionReturn(PETSC_SUCCESS);
  if (!r->at_zero) PetscCall(PetscStrncpy(line, "no zero was reached to begin with", sizeof(r->lines[0])));
  if (!r->at_zero || !JobStageFits(job, "convexity", sizeof(r->lines[0]), line)) PetscFunctionReturn(PETSC_SUCCESS);
  if (r->certificate && r->certificate->status == CERTIFY_PROVED) at.radius = r->certificate->radius;
  job->factored = PETSC_FALSE;
  PetscCall(ConvexityFind(&at, &job->convexity_options, &job->convexity));
  if (!CheckpointStopped()) Describe(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanConvexity(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)(job->convexity->seed > 0);
  if (!stage->wanted) return;
  ConvexityCost(s, job->steps, &stage->cost);
  TrainStepCost(s, &stage->longest);
}

PetscErrorCode JobConvexityArchive(Archive archive, Job job)
{
  char     *line  = job->report.lines[LINE_CONVEXITY];
  PetscBool there = (PetscBool)(json_object_get(job->report.optional, "convexity") != NULL);

  PetscFunctionBeginUser;
  PetscCall(ArchiveText(archive, "line", sizeof(job->report.lines[0]), line));
  PetscCall(ArchiveBool(archive, "there", &there));
  if (!there) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ArchiveStruct(archive, "result", sizeof job->convexity, &job->convexity));
  Describe(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}
