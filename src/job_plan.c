/*
  job_plan.c: codim plan: what a job would take, from its options and the shapes of its files; and codim calibrate.
*/
#include "job_state.h"

/* The solvers' options are read and forgotten, so that a misspelt one is seen; nothing of the problem's size is made. */
static PetscErrorCode CheckSolverOptions(Job job)
{
  struct Grid_s        grid = {.world = job->comm, .size = 1, .G = 1, .Q = 1};
  struct ResidualMap_s map  = {.grid = &grid, .n = (PetscInt)PetscMin(NetworkSize(job->network), PETSC_MAX_INT)};
  Train                train;
  Extremes             extremes;

  PetscFunctionBeginUser;
  PetscCall(TrainCreate(&map, &job->reach, &train));
  PetscCall(ExtremesCreate(&map, &job->hessian_options, &extremes));
  PetscCall(SpectrumPrepare(job->comm, &job->spectrum_options));
  PetscCall(OptionsCheckUnused(job->comm, JobKeys));
  PetscCall(TrainDestroy(&train));
  PetscCall(ExtremesDestroy(&extremes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* report.json of a finished run, or NULL; rank 0 */
static json_t *FinishedReport(Job job)
{
  OptionString path;

  (void)PetscSNPrintf(path, sizeof(path), "%s/report.json", job->run.output);
  return json_load_file(path, 0, NULL);
}

PetscErrorCode JobPlan(const char job_file[], ExitStatus *status)
{
  PlanOptions options;
  char        title[256];
  json_t     *measured;
  Job         job;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&job));
  job->comm = PETSC_COMM_WORLD;
  PetscCall(JobReadOptions(job, job_file));
  PetscCall(OptionsRead(job->comm, "Plan", PlanKeys, &options));
  PetscCall(DataCreateShape(job->comm, &job->data_options, &job->data));
  PetscCall(NetworkCreate(job->comm, &job->net_options, job->data->inputs, job->data->outputs, &job->network));
  PetscCall(CheckSolverOptions(job));
  JobNameNet(&job->net_options, job->network->inputs, job->network->outputs, sizeof(title), title);
  job->plan_job = JobToPlan(job);
  measured      = FinishedReport(job);
  PetscCall(PlanPrint(job->comm, &job->plan_job, &options, title, measured));
  json_decref(measured);
  PetscCall(JobDestroy(&job));
  *status = STATUS_HOLDS;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCalibrate(const char path[], ExitStatus *status)
{
  Calibration calibration;

  PetscFunctionBeginUser;
  PetscCall(CalibrationMeasure(PETSC_COMM_WORLD, &calibration));
  PetscCall(CalibrationWrite(PETSC_COMM_WORLD, path, &calibration));
  *status = STATUS_HOLDS;
  PetscFunctionReturn(PETSC_SUCCESS);
}
