/*
  plan.h: what a job will take, stage by stage, on a number of ranks, before anything is allocated.

  The sums of the modules' costs (cost.h), for `codim plan`, which prints them, and for `codim run`, which refuses by them. Nothing here
  depends on the ranks it is called on. Times are projections: counted work over the rates that a calibration measured.
*/
#pragma once

#include "calibrate.h"
#include "certify.h"
#include "convexity.h"
#include "extremes.h"
#include "path.h"
#include "perturb.h"
#include "spectrum.h"
#include "train.h"
#include "walk.h"

/* What of a job a plan depends on; borrowed. */
typedef struct {
  Network                 network;
  PetscInt                d;
  const ReachOptions     *reach;
  const SpectrumOptions  *spectrum;
  const HessianOptions   *hessian;
  const PerturbOptions   *perturb;
  const ConvexityOptions *convexity;
  const WalkOptions      *walk;
  const PathOptions      *path;
  PetscBool               certify, at_zero; /* at_zero: the targets are what the net gives */
  PetscBool               weights;          /* are written */
  PetscBool               keep;             /* set while a plan is made: the spectrum keeps K's eigenvectors for the certificate */
  PetscReal               node_memory;      /* bytes a job may take on a node; 0: what the system calls available */
  PetscInt                G, Q;             /* the grid where G Q is the number of ranks; 0: free */
  PetscReal               steps, products;  /* assumed: steps to a zero, products of the Hessian with a vector */
} PlanJob;

typedef struct {
  const char *name, *pauses; /* where it looks at a request to stop */
  PetscBool   wanted;
  PetscBool   optional; /* where it does not fit, a run goes on without it */
  Cost        cost;
  Cost        longest;                  /* of its parts that run to their end before a request to stop is looked at */
  Cost        smaller;                  /* of a way that takes less memory, for where the first does not fit; bytes 0: none */
  PetscBool   frugal;                   /* that way is taken, and stands in cost */
  PetscReal   bytes;                    /* of the largest rank at its peak, with what is held throughout */
  PetscReal   seconds, longest_seconds; /* infinity: no calibration */
  char        reason[160];              /* why it is left out, or cannot run, also where it is not wanted; "" */
} PlanStage;

enum { PLAN_STAGES_MAX = 16 };

typedef struct {
  Sizes     sizes;
  PetscReal available; /* bytes a rank may take */
  PetscReal held;      /* bytes of the largest rank from the start to the end */
  PetscReal needed;    /* bytes of the largest rank at the peak of what will run */
  PetscBool keeps;     /* K's eigenvectors, from the spectrum to the certificate: not where something would not fit then */
  PetscInt  nstages;
  PlanStage stages[PLAN_STAGES_MAX];
  PetscReal seconds;      /* of all that will run; infinity: no calibration */
  PetscInt  longest;      /* the stage with the longest part that a request to stop waits for */
  char      refused[256]; /* why it cannot run; "" */
} Plan;

/** On a grid of G x Q ranks with so many threads, where a rank may take `available` bytes. calibration NULL: no times. Not collective. */
void PlanMake(const PlanJob *job, PetscInt G, PetscInt Q, PetscInt threads, PetscReal available, const Calibration *calibration,
              Plan *plan);

/** The same on the best grid of so many ranks: of those that fit, the one whose steps receive least; if none fits, the one that needs
    least memory. Not collective. */
void PlanChoose(const PlanJob *job, PetscInt ranks, PetscInt threads, PetscReal available, const Calibration *calibration,
                Plan *plan);

/* Machines alike. */
typedef struct {
  PetscInt  cores;
  PetscReal memory;   /* bytes a job may take */
  PetscReal baseline; /* bytes of a rank before it has anything: program and libraries */
} Node;

/* Ranks on nodes. */
typedef struct {
  PetscInt nodes, per_node, threads; /* ranks on each node, threads of each rank */
} Layout;

/** On as few nodes as so many ranks fit, each with as many of the cores as there are; *plan is refused where they fit on none. Not
    collective. */
void PlanOnNodes(const PlanJob *job, PetscInt ranks, const Node *node, const Calibration *calibration, Layout *layout, Plan *plan);

/** The smallest number of nodes on which the job fits, at most 10^6; false: on none. Not collective. */
PetscBool PlanSmallest(const PlanJob *job, const Node *node, Layout *layout, Plan *plan);

/** Of a stage, by its name; NULL if there is none. Not collective. */
const PlanStage *PlanFindStage(const Plan *plan, const char name[]);

/** STATUS_DATA where the plan is refused, naming why and, of machines like this, the smallest number that can. Collective. */
PetscErrorCode PlanRaise(MPI_Comm comm, const PlanJob *job, const Plan *plan);

/** The same for nodes of another kind. Collective. */
PetscErrorCode PlanRefuse(MPI_Comm comm, const PlanJob *job, const Node *node, const Plan *plan);

/** This machine: its cores, what the system calls available, what a rank takes now (all ranks the same: the largest). Collective. */
PetscErrorCode NodeHere(MPI_Comm comm, Node *node);

/* A stage's cost, beside its `run` in job_stages.c: fills wanted, cost, longest. Not collective. */
typedef void PlanStageFn(const PlanJob *job, const Sizes *sizes, PlanStage *stage);

typedef struct {
  OptionInts   ranks;
  PetscInt     node_cores; /* 0: as here */
  PetscReal    steps, products;
  OptionString calibration;
  PetscBool    json;
} PlanOptions;

extern const OptionKey PlanKeys[];

/** What `codim plan` prints: every number of ranks asked for, and what is recommended. `measured`: report.json of a finished run of
    the job, whose times and memory stand beside the plan of its number of ranks; NULL: none. STATUS_DATA if the job fits on none
    of them, naming the smallest number of nodes that can. Collective. */
PetscErrorCode PlanPrint(MPI_Comm comm, const PlanJob *job, const PlanOptions *options, const char title[], json_t *measured);
