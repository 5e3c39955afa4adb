/*
  job_state.h: what a job holds, shared by the files job*.c, which make, run, write and check it.
*/
#pragma once

#include "codim/checkpoint.h"
#include "codim/density_output.h"
#include "codim/job.h"
#include "codim/refute.h"
#include "memory.h"

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
  PetscBool  exact_targets; /* theta are the weights whose outputs the targets are, by definition */
  Tiles      K;
  PetscBool  factored; /* K holds its Cholesky factor */

  Spectrum       spectrum;
  ExtremesResult extremes_result;
  FullHessian    full;
  Density        density, density_known;
  PetscReal     *density_lambda; /* what is known beside it */
  Refutation     refutation;
  Certificate    certificate, start_certificate;
  ReachResult    start;
  Report         report;
};

/* A part of the run, in the order of the table; every stage is collective and may find that there is nothing for it to do. */
typedef struct {
  const char *name;
  PetscErrorCode (*run)(Job job);
} JobStage;

extern const JobStage JobStages[]; /* NULL-terminated */

PetscErrorCode JobLinearizeHessian(Job job); /* job->hessian at theta, if it is not there */

PetscErrorCode JobDensity(Job job);
DensityView    JobDensityView(Job job); /* what is known beside it; of no probes: there is none */

PetscErrorCode JobReach(Job job);       /* theta, and everything that is at it */
PetscErrorCode JobCertify(Job job);     /* after the stages that use K's factor */
PetscErrorCode JobWriteOutput(Job job); /* every file but report.json and status; also where M is known to be empty */

/* every option with its value, as report.json and the checkpoint keep them; a new reference */
json_t *JobOptionsToJSON(Job job);
