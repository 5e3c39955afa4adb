/*
  job_tangent.c: what K tells beside its spectrum, as a stage of a job.
*/
#include "job_state.h"

/* to report.json and to the summary */
static void Describe(Job job)
{
  Report *r = &job->report;

  JobAddOptional(job, "tangent_kernel", TangentKernelToJSON(job->tangent));
  TangentKernelDescribe(job->tangent, sizeof(r->lines[0]), r->lines[LINE_KERNEL]);
}

PetscErrorCode JobTangent(Job job)
{
  Report   *r = &job->report;
  PetscBool held;

  PetscFunctionBeginUser;
  if (!r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  if (!JobStageFits(job, "tangent", sizeof(r->lines[0]), r->lines[LINE_KERNEL])) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(JobFactor(job));
  held = (PetscBool)(job->factored || job->shifted);
  PetscCall(TangentKernelCompute(job->tangent, job->jacobian, &job->spectrum, job->K, &held));
  job->factor_missing = (PetscBool)(job->factored && !held);
  job->shifted        = (PetscBool)(job->shifted && held);
  if (!CheckpointStopped()) Describe(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobTangentArchive(Archive archive, Job job)
{
  PetscFunctionBeginUser;
  PetscCall(TangentKernelArchive(archive, job->tangent));
  if (ArchiveReading(archive) && job->tangent->known) Describe(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JobPlanTangent(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = PETSC_TRUE;
  TangentKernelCost(s, job->spectrum, &stage->cost, &stage->longest);
}
