/*
  report.h: what a run established, as report.json (jobs/report.schema.json: every key) and as a summary a person reads.

  A quantity that was not established, and an infinity, is null in report.json: NaN or inf for reals, -1 for counts here.
*/
#pragma once

#include "certify.h"
#include "construct.h"
#include "extremes.h"
#include "full.h"
#include "perturb.h"
#include "spectrum.h"
#include "start.h"
#include "train.h"

typedef enum { BASIS_NONE, BASIS_NUMERICAL, BASIS_PROVED } VerdictBasis;
typedef enum { CLAIM_UNDECIDED, CLAIM_HOLDS, CLAIM_REFUTED } Claim;

/* The claim: at the zero next to the stored weights, M is a manifold of codimension m and the Hessian has m positive eigenvalues,
   n - m zeros and none negative. */
typedef struct {
  Claim        claim;
  VerdictBasis basis;
  char         cause[512]; /* in words: what refutes it, or why it is undecided */
} Verdict;

typedef struct {
  /* the problem */
  char      net[256]; /* e.g. "tanh 64-1024-1024-1" */
  PetscInt  d, p, l, m, n;
  PetscInt  distinct, missing; /* x; targets that were not observed */
  PetscBool kinks;             /* some sigma is not smooth */

  /* where it stands */
  PetscBool   reached; /* a loss was computed: minimum{} is not null */
  LossOptions loss;
  PetscReal   loss_sum; /* sum |H_k|^a */
  PetscBool   weights;  /* theta is written */
  const char *method;
  ReachResult reach;
  PetscBool   at_zero;   /* the loss is at the tolerance, or at H's rounding floor */
  char        dead[256]; /* at no zero: what dead units do; "" if nothing */
  PetscReal   next_loss; /* of TrainConfirm, where nothing is proved and rank J = m; infinity: not asked. It has a say in at_zero */
  char        unconfirmed[160]; /* why that was not asked though it should have been: then at_zero is false; "" */

  /* loaded weights that were then moved: where they started; NULL if not */
  Start                  start;
  const ReachResult     *start_reach;
  const Certificate     *start_certificate;
  const ConstructResult *constructed; /* NULL if the weights were not constructed */
  PetscReal              moved;       /* |theta - theta_0|, theta_0 as loaded or constructed */

  const PerturbResult *perturbation; /* NULL: not asked for, or not needed. Where one was chosen, all below is about H - r */

  /* the proof, and spectra; NULL where not computed */
  const Certificate    *certificate;
  const Spectrum       *spectrum;
  const ExtremesResult *extremes;
  const FullHessian    *full;
  char                  skipped[3][160]; /* why: spectrum, extremes, full; "" if it ran */
  json_t               *optional; /* objects by name, of the stages that ran because they were asked for; NULL: none. Borrowed */
  char                  lines[7][768]; /* what these have to say in the summary; "": nothing */
  PetscReal             zero_bound;    /* measured size of the zero eigenvalues, rounding included */

  PetscInt interruptions; /* how often the job went on from a checkpoint */

  Verdict        verdict;
  PetscMPIInt    ranks;
  PetscInt       G, Q;
  PetscReal      memory_predicted; /* bytes a rank, on top of the baseline */
  PetscReal      memory_baseline;  /* what the largest rank took before it had anything: program and libraries */
  PetscLogDouble seconds;
} Report;

enum { SKIPPED_SPECTRUM, SKIPPED_EXTREMES, SKIPPED_FULL };
enum { LINE_START, LINE_KERNEL, LINE_PERTURB, LINE_DENSITY, LINE_TRAJECTORY, LINE_WALK, LINE_CONVEXITY };

/** Decide the verdict from everything above. Not collective; equal on all ranks if its inputs are. */
void ReportDecide(Report *report);

/** The exit status that belongs to a verdict. Not collective. */
ExitStatus ReportStatus(const Report *report);

/** dir/report.json, beside it first, then renamed; `options`: every key with its value (a new reference, stolen). STATUS_DATA if it
    cannot be written. Collective on comm; rank 0 writes. */
PetscErrorCode ReportWrite(MPI_Comm comm, const Report *report, json_t *options, const char dir[]);

/** At most 15 lines: what is proved, measured, assumed, and what to do next. Rank 0 of comm prints. Collective. */
PetscErrorCode ReportPrint(MPI_Comm comm, const Report *report, const char dir[]);

/** "codim 0.1.0 (commit), PETSc 3.18.5, SLEPc …, HDF5 …, ELPA …, 32-bit indices". Not collective; owned by the module. */
const char *ReportVersion(void);
