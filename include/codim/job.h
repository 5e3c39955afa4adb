/*
  job.h: a job: its options, its stages, its report.

  The stages run in order; between them, and at the safe points inside, a job can be asked to stop, and leaves a checkpoint (checkpoint.h). The
  same command goes on from it: finished stages are not run again.
*/
#pragma once

#include "figure.h"
#include "report.h"
#include "store.h"

typedef struct {
  OptionInts   grid; /* G, Q */
  PetscBool    certify;
  PetscBool    weights;     /* weights.safetensors is written */
  PetscReal    node_memory; /* bytes of a node that the job may take; 0: what the system calls available */
  OptionString output;
  PetscReal    checkpoint_minutes; /* 0: only when asked to stop */
  PetscInt     checkpoint_stop;    /* at that safe point; 0: never */
} RunOptions;

/** The tables of all keys of a job file; NULL-terminated. */
extern const OptionKey *const JobKeys[];

typedef struct Job_s *Job;

/** Read every option, then the data; build grid, net and solvers; complain about anything left over. `job_file` names the default output
    directory. User errors as in the modules; *job is set then too, so that its output can take the status. Collective on PETSC_COMM_WORLD. */
PetscErrorCode JobCreate(const char job_file[], Job *job);
PetscErrorCode JobDestroy(Job *job);

/** Run the stages, write the output, print the summary. *status is the verdict's exit status. Collective. */
PetscErrorCode JobRun(Job job, ExitStatus *status);

/** A job whose problem, weights and net are those of a finished run's directory: nothing moves. Call before JobCreate's other options are
    read. STATUS_DATA where the files are not the ones that dir/certificate.json is about. Collective. */
PetscErrorCode JobCreateCheck(const char dir[], Job *job);

/** Certify anew, from scratch, and compare with dir/certificate.json. STATUS_DATA where that claims more than can be proved now; else *status
    is what is proved now: holds, refuted or undecided. Collective. */
PetscErrorCode JobCheck(Job job, ExitStatus *status);

/** codim plan: print what the job would take; its data are not read beyond their shapes, its net is not trained. STATUS_DATA where it fits on none of
    the numbers of ranks. Collective on PETSC_COMM_WORLD. */
PetscErrorCode JobPlan(const char job_file[], ExitStatus *status);

/** codim calibrate: measure the machine, into a file (calibrate.h). Collective on PETSC_COMM_WORLD. */
PetscErrorCode JobCalibrate(const char path[], ExitStatus *status);

/** codim report: the page of a finished run, or, where more directories follow on the command line, a comparison in -output FILE (compare.html).
    Rank 0 writes. Collective. */
PetscErrorCode JobReport(const char dir[], ExitStatus *status);

/** A job with the options of a finished run, as its report.json has them; the command line overrides, and the output is DIR/rerun if it does not say.
    Run from where the first was: paths are relative. STATUS_DATA where dir has no readable report. Collective. */
PetscErrorCode JobCreateRerun(const char dir[], Job *job);

/** The finished rerun against dir: verdict, counts, rank, and every singular value within what both runs resolve. STATUS_DATA where one differs. Collective. */
PetscErrorCode JobCompareRerun(Job job, const char dir[]);

/** The output directory, for the status file; "" while there is none. Not collective. */
const char *JobOutput(Job job);

/** Its status is written: another run may have the directory. Not collective; after JobDestroy, too. */
void JobReleaseOutput(void);
