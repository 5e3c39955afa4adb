/*
  plan.c: see plan.h. The stages and their costs are those of job_stages.c.
*/
#include "codim/plan.h"
#include "job_state.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- one grid --------------------------------------------------------------------------------------------------------- */

/* theta, data (rank 0 has all of it), rows, trajectory, factors of J, K: from the start to the end */
static PetscReal HeldBytes(const Sizes *s)
{
  return 8 * s->local + 8 * s->d * (s->p + s->l) + sizeof(PetscInt) * (s->d + 2 * s->m + s->R) + SizesValues(s, s->N) +
         ResidualMapUnitsBytes(s) + SizesTiles(s);
}

static void FillStage(const PlanJob *job, const JobStage *what, PetscInt threads, const Calibration *calibration, const Plan *plan,
                      PetscBool kept, PlanStage *stage)
{
  stage->name     = what->name;
  stage->pauses   = what->pauses;
  stage->optional = what->optional;
  what->plan(job, &plan->sizes, stage);
  stage->frugal = (PetscBool)(stage->smaller.bytes > 0 && plan->held + stage->cost.bytes > plan->available);
  if (stage->frugal) stage->cost = stage->longest = stage->smaller;
  stage->bytes   = plan->held + stage->cost.bytes + (kept ? SizesTiles(&plan->sizes) : 0);
  stage->seconds = stage->longest_seconds = (PetscReal)INFINITY;
  if (calibration) {
    stage->seconds         = CalibrationSeconds(calibration, &stage->cost, threads);
    stage->longest_seconds = CalibrationSeconds(calibration, &stage->longest, threads);
  }
  if (!stage->reason[0] && stage->bytes > plan->available)
    (void)PetscSNPrintf(stage->reason, sizeof(stage->reason), "needs %.2f GB a rank, %.2f GB are available",
                        (double)stage->bytes / 1e9, (double)plan->available / 1e9);
}

static void SumStages(Plan *plan)
{
  PetscReal longest = -1;

  plan->needed = plan->held;
  for (PetscInt i = 0; i < plan->nstages; i++) {
    const PlanStage *stage = &plan->stages[i];
    const PetscReal  part  = !isfinite(stage->longest_seconds) ? CostFlops(&stage->longest) : stage->longest_seconds;

    if (!stage->wanted || (stage->optional && stage->reason[0])) continue;
    plan->seconds += stage->seconds;
    plan->needed = PetscMax(plan->needed, stage->bytes);
    if (stage->reason[0] && !plan->refused[0])
      (void)PetscSNPrintf(plan->refused, sizeof(plan->refused), "%s %s", stage->name, stage->reason);
    if (part <= longest) continue;
    longest       = part;
    plan->longest = i;
  }
}

static void Make(const PlanJob *job, PetscInt G, PetscInt Q, PetscInt threads, PetscReal available, const Calibration *calibration,
                 Plan *plan)
{
  const Plan none = {.available = available, .keeps = job->keep};
  PetscBool  kept = PETSC_FALSE; /* between the spectrum and the certificate */

  *plan = none;
  SizesSet(job->network, job->d, G * Q, G, Q, &plan->sizes);
  plan->held = HeldBytes(&plan->sizes);
  if (plan->sizes.n > (PetscReal)PETSC_MAX_INT)
    (void)PetscSNPrintf(plan->refused, sizeof(plan->refused), "n = %.0f parameters need 64-bit indices (make INDEX=64)",
                        (double)plan->sizes.n);
  else
    SizesLimit(&plan->sizes, sizeof(plan->refused), plan->refused);
  if (!plan->refused[0]) TilesLimit(&plan->sizes, PETSC_FALSE, sizeof(plan->refused), plan->refused);
  for (const JobStage *what = JobStages; what->name; what++) {
    PlanStage *stage = &plan->stages[plan->nstages++];

    if (what->run == JobCertify) kept = PETSC_FALSE;
    FillStage(job, what, threads, calibration, plan, kept, stage);
    if (what->archive == JobSpectrumArchive) kept = job->keep;
  }
  SumStages(plan);
}

static PetscBool AllFit(const Plan *plan)
{
  for (PetscInt i = 0; i < plan->nstages; i++)
    if (plan->stages[i].wanted && plan->stages[i].reason[0]) return PETSC_FALSE;
  return PETSC_TRUE;
}

void PlanMake(const PlanJob *job, PetscInt G, PetscInt Q, PetscInt threads, PetscReal available, const Calibration *calibration,
              Plan *plan)
{
  PlanJob with = *job;

  with.keep = (PetscBool)(job->certify && CertifyDefaults.enclose);
  Make(&with, G, Q, threads, available, calibration, plan);
  if (AllFit(plan)) return;
  with.keep = PETSC_FALSE;
  Make(&with, G, Q, threads, available, calibration, plan);
}

/* ---- grids, nodes ------------------------------------------------------------------------------------------------------ */

/* bytes a rank receives in one step */
static PetscReal StepTraffic(const Sizes *sizes)
{
  Cost step = {.bytes = 0};

  TrainStepCost(sizes, &step);
  return step.received;
}

static PetscBool Better(const Plan *a, const Plan *b)
{
  if (!a->refused[0] != !b->refused[0]) return (PetscBool)!a->refused[0];
  if (a->refused[0]) return (PetscBool)(a->needed < b->needed);
  return (PetscBool)(StepTraffic(&a->sizes) < StepTraffic(&b->sizes));
}

void PlanChoose(const PlanJob *job, PetscInt ranks, PetscInt threads, PetscReal available, const Calibration *calibration,
                Plan *plan)
{
  Plan      other;
  PetscBool first = PETSC_TRUE;

  if (job->G * job->Q == ranks) {
    PlanMake(job, job->G, job->Q, threads, available, calibration, plan);
    return;
  }
  for (PetscInt G = 1; G <= ranks; G++) {
    if (ranks % G) continue;
    PlanMake(job, G, ranks / G, threads, available, calibration, &other);
    if (first || Better(&other, plan)) *plan = other;
    first = PETSC_FALSE;
  }
}

static PetscReal AvailableOnNode(const Node *node, PetscInt per_node)
{
  return node->memory / (PetscReal)per_node - node->baseline;
}

void PlanOnNodes(const PlanJob *job, PetscInt ranks, const Node *node, const Calibration *calibration, Layout *layout, Plan *plan)
{
  for (PetscInt per_node = PetscMin(ranks, node->cores); per_node >= 1; per_node--) {
    if (node->cores % per_node && per_node != ranks) continue;
    layout->per_node = per_node;
    layout->threads  = PetscMax(1, node->cores / per_node);
    layout->nodes    = (ranks + per_node - 1) / per_node;
    PlanChoose(job, ranks, layout->threads, AvailableOnNode(node, per_node), calibration, plan);
    if (!plan->refused[0]) return;
  }
}

/* some number of ranks on each of so many nodes */
static PetscBool FitsOn(const PlanJob *job, PetscInt nodes, const Node *node, Layout *layout, Plan *plan)
{
  for (PetscInt per_node = node->cores; per_node >= 1; per_node--) {
    if (node->cores % per_node) continue;
    layout->nodes    = nodes;
    layout->per_node = per_node;
    layout->threads  = node->cores / per_node;
    PlanChoose(job, nodes * per_node, layout->threads, AvailableOnNode(node, per_node), NULL, plan);
    if (!plan->refused[0]) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

PetscBool PlanSmallest(const PlanJob *job, const Node *node, Layout *layout, Plan *plan)
{
  const PetscInt most = 1000000;
  PetscInt       bad = 0, good = 1;

  for (; !FitsOn(job, good, node, layout, plan); good *= 2) {
    if (good > most) return PETSC_FALSE;
    bad = good;
  }
  while (good - bad > 1) {
    const PetscInt middle = bad + (good - bad) / 2;

    if (FitsOn(job, middle, node, layout, plan))
      good = middle;
    else
      bad = middle;
  }
  return FitsOn(job, good, node, layout, plan);
}

const PlanStage *PlanFindStage(const Plan *plan, const char name[])
{
  for (PetscInt i = 0; i < plan->nstages; i++)
    if (!strcmp(plan->stages[i].name, name)) return &plan->stages[i];
  return NULL;
}

/* ---- refusing ----------------------------------------------------------------------------------------------------------- */

/* "3 nodes like this can: 6 ranks of 1 thread" */
static void DescribeSmallest(const PlanJob *job, const Node *node, size_t size, char text[])
{
  Layout layout;
  Plan   plan;

  if (!PlanSmallest(job, node, &layout, &plan))
    (void)PetscSNPrintf(text, size, "no number of nodes with %.1f GB can", (double)node->memory / 1e9);
  else
    (void)PetscSNPrintf(text, size,
                        "the smallest number of nodes with %.1f GB and %" PetscInt_FMT " cores that can is %" PetscInt_FMT
                        ": %" PetscInt_FMT " rank%s of %" PetscInt_FMT " thread%s on each",
                        (double)node->memory / 1e9, node->cores, layout.nodes, layout.per_node, layout.per_node > 1 ? "s" : "",
                        layout.threads, layout.threads > 1 ? "s" : "");
}

PetscErrorCode PlanRefuse(MPI_Comm comm, const PlanJob *job, const Node *node, const Plan *plan)
{
  char smallest[256];

  PetscFunctionBeginUser;
  DescribeSmallest(job, node, sizeof(smallest), smallest);
  PetscCall(UserCheck(comm, PETSC_FALSE, STATUS_DATA, "the job does not fit on %.0f rank%s: %s; %s", (double)plan->sizes.P,
                      plan->sizes.P > 1 ? "s" : "", plan->refused, smallest));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PlanRaise(MPI_Comm comm, const PlanJob *job, const Plan *plan)
{
  Node node;

  PetscFunctionBeginUser;
  if (!plan->refused[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(NodeHere(comm, &node));
  if (job->node_memory > 0) node.memory = job->node_memory;
  PetscCall(PlanRefuse(comm, job, &node, plan));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- here -------------------------------------------------------------------------------------------------------------- */

PetscErrorCode NodeHere(MPI_Comm comm, Node *node)
{
  PetscReal mine[2], all[2];

  PetscFunctionBeginUser;
  mine[0] = -MemoryOnNode();
  mine[1] = MemoryResident();
  PetscCallMPI(MPI_Allreduce(mine, all, 2, MPIU_REAL, MPI_MAX, comm));
  node->memory   = -all[0];
  node->baseline = all[1];
  node->cores    = (PetscInt)sysconf(_SC_NPROCESSORS_ONLN);
  PetscFunctionReturn(PETSC_SUCCESS);
}
