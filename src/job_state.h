/*
  job_state.h: what a job holds, shared by the files job*.c, which make, run, write and check it.
*/
#pragma once

#include "codim/checkpoint.h"
#include "codim/construct.h"
#include "codim/convexity.h"
#include "codim/density_output.h"
#include "codim/job.h"
#include "codim/path.h"
#include "codim/perturb.h"
#include "codim/plan.h"
#include "codim/refute.h"
#include "codim/start.h"
#include "codim/tangent_kernel.h"
#include "codim/walk.h"

/* whose checkpoint: SHA-256 of the points and of the net, and of loaded weights a sum of mixed bits; "" where there is none */
typedef struct {
  char problem[65], net[65], start[65];
} JobIdentity;

enum { JOB_STAGES_MAX = 32 };

struct Job_s {
  MPI_Comm         comm;
  RunOptions       run;
  PetscBool        output_made; /* and ours */
  DataOptions      data_options;
  NetOptions       net_options;
  ReachOptions     reach;
  LossOptions      loss_options;
  SpectrumOptions  spectrum_options;
  HessianOptions   hessian_options;
  PerturbOptions   perturb_options;
  ConvexityOptions convexity_options;
  WalkOptions      walk_options;
  PathOptions      path_options;

  Data          data;
  Grid          grid;
  Network       network;
  Parameters    parameters;
  ResidualMap   map;
  Train         train;
  Construct     construct; /* NULL: not asked for */
  Start         start;
  Extremes      extremes;
  TangentKernel tangent;
  Path          path;
  PlanJob       plan_job;
  Plan          plan; /* available: bytes a rank may take */

  /* the point, and what belongs to it */
  Vec        theta, H;
  Trajectory trajectory;
  Jacobian   jacobian;
  Hessian    hessian;
  Tiles      K;
  Vec        theta_0;        /* loaded or constructed weights that are moved, while they are; else NULL */
  PetscBool  shifted;        /* K holds spectrum.factor */
  PetscBool  factored;       /* K has a Cholesky factor, and holds it */
  PetscBool  factor_missing; /* ... but not yet in this run: JobFactor */

  /* the loop */
  JobIdentity identity;
  PetscBool   resumed, done[JOB_STAGES_MAX];
  PetscInt    current; /* of JobStages */

  Spectrum        spectrum;
  ExtremesResult  extremes_result;
  FullHessian     full;
  Density         density, density_known;
  PetscReal      *density_lambda; /* what is known beside it */
  Data            heldout_data;
  ResidualMap     heldout; /* NULL: nothing is held out */
  WalkResult      walk;
  Refutation      refutation;
  Certificate     certificate, start_certificate;
  ReachResult     start_reach;
  ConstructResult constructed;
  PerturbResult   perturbation;
  ConvexityResult convexity;
  Report          report;
};

/* A part of the run, in the order of the table; every stage is collective and may find that there is nothing for it to do. */
typedef struct {
  const char *name;
  PetscErrorCode (*run)(Job job);
  PlanStageFn *plan;                                   /* what it will take */
  PetscBool    optional;                               /* where memory does not suffice, the job goes on without it */
  PetscErrorCode (*archive)(Archive archive, Job job); /* its result to and from the checkpoint; NULL: it is done again */
  const char *options;                                 /* prefixes of the options that its result depends on */
  const char *pauses;                                  /* where it can be interrupted, and what is done again then */
} JobStage;

extern const JobStage JobStages[]; /* NULL-terminated */

PetscErrorCode JobBegin(Job job);            /* memory, and the theta it starts from */
PetscErrorCode JobLinearizeHessian(Job job); /* job->hessian at theta, if it is not there */

PetscErrorCode JobTangent(Job job); /* K is scratch afterwards */
PlanStageFn    JobPlanTangent;
PetscErrorCode JobDensity(Job job);
PlanStageFn    JobPlanDensity, JobPlanTrajectory, JobPlanWalk, JobPlanPerturb, JobPlanSpectrumAgain, JobPlanConvexity;
PetscErrorCode JobTrajectory(Job job);
PetscErrorCode JobWalk(Job job);        /* K is scratch from here on */
DensityView    JobDensityView(Job job); /* what is known beside it; of no probes: there is none */

PetscErrorCode JobConvexity(Job job); /* K is scratch from here on */
PetscErrorCode JobPerturb(Job job);
PetscBool      JobTargetsMoved(Job job);
PetscErrorCode JobSpectrumAgain(Job job); /* at the point to which the targets were moved, if they were */

PetscErrorCode JobSpectrum(Job job);
PetscErrorCode JobReach(Job job);       /* theta, and everything that is at it */
PetscErrorCode JobCertify(Job job);     /* after the stages that use K's factor */
PetscErrorCode JobWriteOutput(Job job); /* every file but report.json and status; also where M is known to be empty */

/* claim: for a run, which writes to the output directory */
PetscErrorCode JobMake(const char job_file[], PetscBool claim, Job *job);

/* The output directory is made, ours alone until JobReleaseOutput (job.h), and has no status. STATUS_USAGE where another run has it, STATUS_DATA where it cannot be
   written to. JobClearResults: an earlier run's results go, as this one's are about to come. */
PetscErrorCode JobClaimDirectory(Job job);
PetscErrorCode JobClearResults(Job job);
PetscErrorCode JobReadOptions(Job job, const char job_file[]); /* every table but the plan's */
PlanJob        JobToPlan(Job job);                             /* data and network are there */

/* Does the stage fit into memory? If not, why, into a text of that size (NULL: not wanted). Not collective, equal on all ranks. */
PetscBool JobStageFits(Job job, const char name[], size_t size, char reason[]);

/* "tanh 64-1024-1024-1", "lstm 15-2", "net.json 12-2" */
void JobNameNet(const NetOptions *options, PetscInt inputs, PetscInt outputs, size_t size, char text[]);

/* the Cholesky factor of K, where a checkpoint had everything but it */
PetscErrorCode JobFactor(Job job);

/* the checkpoint: whose it is, the whole state, and the stages' results */
PetscErrorCode JobIdentify(Job job); /* at the theta it starts from */
ArchiveFn      JobArchive;
PetscErrorCode JobTangentArchive(Archive archive, Job job);
PetscErrorCode JobStartArchive(Archive archive, Job job);
PetscErrorCode JobReachArchive(Archive archive, Job job);
PetscErrorCode JobSpectrumArchive(Archive archive, Job job);
PetscErrorCode JobPerturbArchive(Archive archive, Job job);
PetscErrorCode JobConvexityArchive(Archive archive, Job job);
PetscErrorCode JobSpectrumAgainArchive(Archive archive, Job job);
PetscErrorCode JobExtremesArchive(Archive archive, Job job);
PetscErrorCode JobFullArchive(Archive archive, Job job);
PetscErrorCode JobDensityArchive(Archive archive, Job job);
PetscErrorCode JobWalkArchive(Archive archive, Job job);
PetscErrorCode JobTrajectoryArchive(Archive archive, Job job);
PetscErrorCode JobWriteTrajectory(Job job); /* its files; what report.json and the summary say of it */
PetscErrorCode JobCertifyArchive(Archive archive, Job job);
PetscErrorCode JobConfirmArchive(Archive archive, Job job);

/* the citations of what the run used, for -citations */
PetscErrorCode JobCite(Job job);
void           JobAddOptional(Job job, const char name[], json_t *object); /* an object of report.json; stolen */

/* every option with its value, as report.json and the checkpoint keep them; a new reference */
json_t *JobOptionsToJSON(Job job);
