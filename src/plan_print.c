/*
  plan_print.c: `codim plan` as text and as JSON; see plan.h.
*/
#include "codim/plan.h"
#include <math.h>
#include <string.h>

#define FIELD(name) offsetof(PlanOptions, name)

const OptionKey PlanKeys[] = {{"ranks", KEY_INTS, FIELD(ranks), "", 1, 1e8, NULL,
                               "plan: numbers of ranks, e.g. 64,128; the ways to fill one node if not given"},
                              {"node_cores", KEY_INT, FIELD(node_cores), "0", 0, 1e6, NULL,
                               "plan: cores of a node (0: of this machine)"},
                              {"plan_steps", KEY_REAL, FIELD(steps), "8", 0, 1e9, NULL, "plan: steps to a zero that are assumed"},
                              {"plan_products", KEY_REAL, FIELD(products), "60", 0, 1e9, NULL,
                               "plan: products of the Hessian with a vector that are assumed for its extreme eigenvalues"},
                              {"calibration", KEY_STRING, FIELD(calibration), "results/calibration.json", 0, 0, NULL,
                               "plan: how fast the machine is, as codim calibrate wrote it"},
                              {"json", KEY_BOOL, FIELD(json), "false", 0, 0, NULL, "plan: JSON instead of text"},
                              {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef FIELD

enum { CANDIDATES_MAX = OPTION_INTS_MAX };

typedef struct {
  Layout layout;
  Plan   plan;
} Candidate;

/* everything that is said */
typedef struct {
  const PlanJob     *job;
  const PlanOptions *options;
  const char        *title;
  json_t            *measured; /* NULL: none */
  Node               node;
  Calibration        calibration;
  PetscBool          calibrated;
  PetscInt           count, recommended; /* recommended: -1: none fits */
  Candidate         *candidates;
  PetscBool          possible; /* on some number of nodes */
  Candidate          smallest;
} Sheet;

/* ---- what is said -------------------------------------------------------------------------------------------------------- */

/* fewest nodes first, then the least time; without a calibration the most ranks */
static PetscBool Preferable(const Candidate *a, const Candidate *b)
{
  if (a->plan.refused[0] || b->plan.refused[0]) return (PetscBool)!a->plan.refused[0];
  if (isfinite(a->plan.seconds)) return (PetscBool)(a->plan.seconds < b->plan.seconds);
  return (PetscBool)(a->layout.nodes < b->layout.nodes ||
                     (a->layout.nodes == b->layout.nodes && a->plan.sizes.P > b->plan.sizes.P));
}

static void AddCandidate(Sheet *sheet, PetscInt ranks)
{
  Candidate *c = &sheet->candidates[sheet->count++];

  PlanOnNodes(sheet->job, ranks, &sheet->node, sheet->calibrated ? &sheet->calibration : NULL, &c->layout, &c->plan);
}

static void FillSheet(Sheet *sheet)
{
  const PlanOptions *options = sheet->options;

  for (PetscInt i = 0; i < options->ranks.n; i++) AddCandidate(sheet, options->ranks.v[i]);
  for (PetscInt ranks = 1; !options->ranks.n && ranks <= sheet->node.cores && sheet->count < CANDIDATES_MAX; ranks++) {
    if (sheet->node.cores % ranks == 0) AddCandidate(sheet, ranks);
  }
  sheet->recommended = -1;
  for (PetscInt i = 0; i < sheet->count; i++) {
    if (sheet->candidates[i].plan.refused[0]) continue;
    if (sheet->recommended < 0 || Preferable(&sheet->candidates[i], &sheet->candidates[sheet->recommended])) sheet->recommended = i;
  }
  sheet->possible = PlanSmallest(sheet->job, &sheet->node, &sheet->smallest.layout, &sheet->smallest.plan);
}

/* of a stage in report.json, "time" or "memory" "stages"; -1: not there, or of another number of ranks */
static double Measured(const Sheet *sheet, const Plan *plan, const char what[], const char stage[])
{
  const json_t *table = json_object_get(sheet->measured, what), *value;

  if ((double)json_integer_value(json_object_get(sheet->measured, "ranks")) != (double)plan->sizes.P) return -1;
  value = json_object_get(!strcmp(what, "memory") ? json_object_get(table, "stages") : table, stage);
  return json_is_number(value) ? json_number_value(value) : -1;
}

/* what a finished run took for what was assumed; the assumption where there is none */
static double MeasuredSteps(const json_t *report, double assumed)
{
  const json_t *steps = json_object_get(json_object_get(report, "minimum"), "iterations");

  return json_is_integer(steps) ? (double)json_integer_value(steps) : assumed;
}

static double MeasuredProducts(const json_t *report, double assumed)
{
  static const char *const solvers[] = {"largest", "smallest", "zeros", "kernel"};
  const json_t            *measured  = json_object_get(json_object_get(report, "hessian"), "measured");
  double                   products  = 0;

  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(solvers); k++)
    products += (double)json_integer_value(json_object_get(json_object_get(measured, solvers[k]), "products"));
  return products > 0 ? products : assumed;
}

/* ---- text ------------------------------------------------------------------------------------------------------------------ */

static void PrintQuantity(double x, const char format[])
{
  if (x >= 0 && x < 1e300)
    printf(format, x);
  else
    printf("%11s", "-");
}

static void PrintStage(const Sheet *sheet, const Plan *plan, const PlanStage *stage)
{
  const double seconds = Measured(sheet, plan, "time", stage->name), bytes = Measured(sheet, plan, "memory", stage->name);

  if (!stage->wanted) return;
  printf("  %-11s", stage->name);
  if (stage->reason[0]) {
    printf(" %s\n", stage->reason);
    return;
  }
  PrintQuantity((double)stage->bytes / 1e9, "%11.3g");
  PrintQuantity((double)CostFlops(&stage->cost) / 1e9, "%11.3g");
  PrintQuantity((double)stage->cost.received / 1e6, "%11.3g");
  PrintQuantity((double)stage->cost.messages, "%11.3g");
  PrintQuantity((double)stage->seconds, "%11.3g");
  if (sheet->measured) PrintQuantity(bytes / 1e9, "%11.3g");
  if (sheet->measured) PrintQuantity(seconds, "%11.3g");
  printf("\n");
}

static const char *Plural(PetscInt count)
{
  return count == 1 ? "" : "s";
}

static void PrintCandidate(const Sheet *sheet, const Candidate *c)
{
  const Plan      *plan    = &c->plan;
  const PlanStage *longest = &plan->stages[plan->longest];

  printf("\n%.0f rank%s of %" PetscInt_FMT " thread%s on %" PetscInt_FMT " node%s, grid %.0f,%.0f: ", (double)plan->sizes.P,
         Plural((PetscInt)plan->sizes.P), c->layout.threads, Plural(c->layout.threads), c->layout.nodes, Plural(c->layout.nodes),
         (double)plan->sizes.G, (double)plan->sizes.Q);
  if (plan->refused[0]) {
    printf("does not fit: %s\n", plan->refused);
    return;
  }
  printf("fits, %.3g of %.3g GB a rank\n", (double)plan->needed / 1e9, (double)plan->available / 1e9);
  printf("  %-11s%11s%11s%11s%11s%11s%s\n", "a rank:", "GB", "Gflop", "MB in", "calls", "s",
         sheet->measured ? "   measured: GB, s" : "");
  for (PetscInt i = 0; i < plan->nstages; i++) PrintStage(sheet, plan, &plan->stages[i]);
  printf("  the longest wait for a stop: in %s", longest->name);
  if (sheet->calibrated) printf(", %.3g s; in all %.3g s", (double)longest->longest_seconds, (double)plan->seconds);
  printf(" (%s)\n", longest->pauses);
}

static void PrintRecommendation(const Sheet *sheet)
{
  const Candidate *best = sheet->recommended < 0 ? &sheet->smallest : &sheet->candidates[sheet->recommended];

  if (sheet->recommended >= 0)
    printf("\nrecommended: mpiexec -n %.0f, OMP_NUM_THREADS=%" PetscInt_FMT ", %" PetscInt_FMT
           " rank%s on a node, -grid %.0f,%.0f\n",
           (double)best->plan.sizes.P, best->layout.threads, best->layout.per_node, Plural(best->layout.per_node),
           (double)best->plan.sizes.G, (double)best->plan.sizes.Q);
  if (sheet->possible)
    printf("the smallest number of such nodes: %" PetscInt_FMT ", with %" PetscInt_FMT " rank%s of %" PetscInt_FMT
           " thread%s on each\n",
           sheet->smallest.layout.nodes, sheet->smallest.layout.per_node, Plural(sheet->smallest.layout.per_node),
           sheet->smallest.layout.threads, Plural(sheet->smallest.layout.threads));
}

static void PrintSheet(const Sheet *sheet)
{
  const Sizes *s = &sheet->candidates[0].plan.sizes;
  char         here[MACHINE_NAME];

  printf("%s on d = %.0f points, l = %.0f: m = %.0f residuals, n = %.0f parameters\n", sheet->title, (double)s->d, (double)s->l,
         (double)s->m, (double)s->n);
  printf("nodes of %" PetscInt_FMT " cores and %.3g GB; assumed: %.4g steps to a zero, %.4g products of the Hessian\n",
         sheet->node.cores, (double)sheet->node.memory / 1e9, (double)sheet->job->steps, (double)sheet->job->products);
  MachineName(sizeof(here), here);
  if (!sheet->calibrated)
    printf("no times: %s is not there (make calibrate)\n", sheet->options->calibration);
  else
    printf("times are projections from rates measured on %" PetscInt_FMT " ranks of %s%s\n", sheet->calibration.ranks,
           sheet->calibration.machine, strcmp(here, sheet->calibration.machine) ? ", another machine than this" : "");
  if (sheet->calibrated && sheet->calibration.runs)
    printf("such times of %" PetscInt_FMT " whole runs there were off by a factor of at most %.2g\n", sheet->calibration.runs,
           (double)sheet->calibration.factor);
  for (PetscInt i = 0; i < sheet->count; i++) PrintCandidate(sheet, &sheet->candidates[i]);
  PrintRecommendation(sheet);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------------ */

static json_t *Real(PetscReal x)
{
  return !isfinite(x) ? json_null() : json_real((double)x);
}

static json_t *RealOrNull(double x)
{
  return x < 0 ? json_null() : json_real(x);
}

static json_t *LayoutJSON(const Candidate *c)
{
  return json_pack("{s:I, s:I, s:I, s:I, s:[I,I]}", "ranks", (json_int_t)c->plan.sizes.P, "threads", (json_int_t)c->layout.threads,
                   "nodes", (json_int_t)c->layout.nodes, "ranks_on_a_node", (json_int_t)c->layout.per_node, "grid",
                   (json_int_t)c->plan.sizes.G, (json_int_t)c->plan.sizes.Q);
}

static json_t *StageJSON(const Sheet *sheet, const Plan *plan, const PlanStage *stage)
{
  const double seconds = Measured(sheet, plan, "time", stage->name), bytes = Measured(sheet, plan, "memory", stage->name);

  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", stage->name, "bytes", Real(stage->bytes), "flops",
                   Real(CostFlops(&stage->cost)), "received", Real(stage->cost.received), "messages", Real(stage->cost.messages),
                   "seconds", Real(stage->seconds), "longest_seconds", Real(stage->longest_seconds), "measured_peak",
                   RealOrNull(bytes), "measured_seconds", RealOrNull(seconds), "skipped",
                   stage->reason[0] ? json_string(stage->reason) : json_null());
}

static json_t *CandidateJSON(const Sheet *sheet, const Candidate *c)
{
  json_t *json = LayoutJSON(c), *stages = json_array();

  for (PetscInt i = 0; i < c->plan.nstages; i++)
    if (c->plan.stages[i].wanted) json_array_append_new(stages, StageJSON(sheet, &c->plan, &c->plan.stages[i]));
  json_object_update_new(json,
                         json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "fits", c->plan.refused[0] ? 0 : 1, "refused",
                                   c->plan.refused[0] ? json_string(c->plan.refused) : json_null(), "needed", Real(c->plan.needed),
                                   "available", Real(c->plan.available), "held", Real(c->plan.held), "seconds",
                                   Real(c->plan.seconds), "longest", c->plan.stages[c->plan.longest].name, "stages", stages));
  return json;
}

static void PrintSheetJSON(const Sheet *sheet)
{
  const Sizes *s     = &sheet->candidates[0].plan.sizes;
  json_t      *plans = json_array(), *json;

  for (PetscInt i = 0; i < sheet->count; i++) json_array_append_new(plans, CandidateJSON(sheet, &sheet->candidates[i]));
  json = json_pack("{s:i, s:s, s:{s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:o, s:o}, s:{s:f, s:f}, s:o, s:o, s:o, s:o, s:o}", "schema", 1,
                   "net", sheet->title, "problem", "points", (json_int_t)s->d, "inputs", (json_int_t)s->p, "outputs",
                   (json_int_t)s->l, "residuals", (json_int_t)s->m, "parameters", (json_int_t)s->n, "node", "cores",
                   (json_int_t)sheet->node.cores, "memory", Real(sheet->node.memory), "baseline", Real(sheet->node.baseline),
                   "assumed", "steps", (double)sheet->job->steps, "products", (double)sheet->job->products, "calibration",
                   sheet->calibrated ? json_string(sheet->calibration.machine) : json_null(), "largest_factor",
                   sheet->calibrated && sheet->calibration.runs ? Real(sheet->calibration.factor) : json_null(), "plans", plans,
                   "recommended", sheet->recommended < 0 ? json_null() : LayoutJSON(&sheet->candidates[sheet->recommended]),
                   "smallest", sheet->possible ? LayoutJSON(&sheet->smallest) : json_null());
  json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
  printf("\n");
  json_decref(json);
}

/* ---- the command ------------------------------------------------------------------------------------------------------------- */

PetscErrorCode PlanPrint(MPI_Comm comm, const PlanJob *job, const PlanOptions *options, const char title[], json_t *measured)
{
  PlanJob     assumed = *job;
  Sheet       sheet   = {.job = &assumed, .options = options, .title = title, .measured = measured};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  assumed.steps    = MeasuredSteps(measured, (double)options->steps);
  assumed.products = MeasuredProducts(measured, (double)options->products);
  PetscCall(NodeHere(comm, &sheet.node));
  if (options->node_cores) sheet.node.cores = options->node_cores;
  if (job->node_memory > 0) sheet.node.memory = job->node_memory;
  PetscCall(CalibrationRead(comm, options->calibration, &sheet.calibration, &sheet.calibrated));
  PetscCall(PetscMalloc1(CANDIDATES_MAX, &sheet.candidates));
  FillSheet(&sheet);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    if (options->json)
      PrintSheetJSON(&sheet);
    else
      PrintSheet(&sheet);
    fflush(stdout);
  }
  if (sheet.recommended < 0) PetscCall(PlanRefuse(comm, &assumed, &sheet.node, &sheet.candidates[0].plan));
  PetscCall(PetscFree(sheet.candidates));
  PetscFunctionReturn(PETSC_SUCCESS);
}
