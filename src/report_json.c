/*
  report_json.c: report.json; see report.h.
*/
#include "codim/machine.h"
#include "codim/units.h"
#include "file.h"
#include "report_parts.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

static json_t *Real(PetscReal x)
{
  return PetscIsInfOrNanReal(x) ? json_null() : json_real((double)x);
}

static json_t *Count(PetscInt64 x)
{
  return x < 0 ? json_null() : json_integer(x);
}

static json_t *Text(const char *text)
{
  return text && text[0] ? json_string(text) : json_null();
}

static json_t *Reals(PetscInt n, const PetscReal x[])
{
  json_t *array = json_array();

  for (PetscInt i = 0; i < n; i++) json_array_append_new(array, Real(x[i]));
  return array;
}

static json_t *ProblemJSON(const Report *r)
{
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "points", (json_int_t)r->d, "inputs", (json_int_t)r->p, "outputs",
                   (json_int_t)r->l, "residuals", (json_int_t)r->m, "unobserved", (json_int_t)r->missing, "parameters",
                   (json_int_t)r->n, "distinct_points", (json_int_t)r->distinct, "net", r->net);
}

/* weights in closed form, before they were polished */
static json_t *ConstructJSON(const Report *r)
{
  const ConstructResult *c = r->constructed;

  if (!c) return json_null();
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}", "gap", Real(c->gap), "range", Real(c->range), "nearest",
                   c->nearest[0] < 0 ? json_null()
                                     : json_pack("[I, I]", (json_int_t)c->nearest[0] + 1, (json_int_t)c->nearest[1] + 1),
                   "gap_arriving", Real(c->arriving), "diagonal_min", Real(c->diagonal), "solves", (json_int_t)c->solves, "loss",
                   Real(c->loss), "rounding_floor", Real(c->floor), "moved", Real(r->moved));
}

static json_t *MinimumJSON(const Report *r)
{
  if (!r->reached) return json_null();
  return json_pack("{s:s, s:o, s:o, s:I, s:o, s:o, s:s, s:b, s:o}", "method", r->method, "loss", Real(r->reach.loss),
                   "residual_max", Real(r->reach.residual_max), "iterations", (json_int_t)r->reach.steps, "perturbation",
                   r->perturbation ? PerturbToJSON(r->perturbation) : json_null(), "rounding_floor", Real(r->reach.floor), "ended",
                   ReachReasonText(r->reach.reason), "zero", (int)r->at_zero, "construct", ConstructJSON(r));
}

static json_t *LossJSON(const Report *r)
{
  const PetscBool power = (PetscBool)(r->loss.kind == LOSS_POWER);

  return json_pack("{s:s, s:o, s:o, s:o}", "kind", power ? "power" : "cross_entropy", "power",
                   power ? Real(r->loss.power) : json_null(), "value", power && r->reached ? Real(r->loss_sum) : json_null(),
                   "hessian", power ? json_string(LossHessianOnM(r->loss.power)) : json_null());
}

static json_t *CrossCheckJSON(const SpectrumCheck *check)
{
  if (!check->method) return json_null();
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "method", check->method, "rank", Count(check->rank), "sigma_min",
                   Real(check->sigma_min), "sigma_max", Real(check->sigma_max), "rank_resolution", Real(check->resolution), "index",
                   (json_int_t)check->index, "difference", Real(check->difference), "bound", Real(check->bound));
}

static json_t *JacobianJSON(const Report *r)
{
  const Spectrum *s = r->spectrum;

  if (!s)
    return json_pack("{s:n, s:n, s:n, s:n, s:n, s:o}", "rank", "sigma_min", "sigma_max", "rank_resolution", "method", "skipped",
                     Text(r->skipped[SKIPPED_SPECTRUM]));
  return json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "rank", Count(s->rank), "sigma_min",
                   Real(s->sigma[s->m - 1]), "sigma_max", Real(s->sigma[0]), "rank_resolution", Real(s->resolution), "method",
                   s->method, "solver", s->solver, "norm_squared", Real(s->norm2), "trace_error", Real(s->sum_error),
                   "square_error", Real(s->square_error), "inertia_confirmed",
                   s->check.method ? json_null() : json_boolean(s->inertia), "cross_check", CrossCheckJSON(&s->check), "note",
                   Text(s->note));
}

static json_t *PairsJSON(const EigenPairs *pairs)
{
  if (pairs->products < 0) return json_null();
  return json_pack("{s:I, s:I, s:o, s:o, s:o, s:I}", "wanted", (json_int_t)pairs->wanted, "found", (json_int_t)pairs->found,
                   "values", Reals(pairs->found, pairs->value), "residuals", Reals(pairs->found, pairs->residual), "tolerance",
                   Real(pairs->tolerance), "products", (json_int_t)pairs->products);
}

static json_t *FullJSON(const Report *r)
{
  const FullHessian *f        = r->full;
  PetscInt           positive = 0, negative = 0;
  PetscReal          bound;

  if (!f) return r->skipped[SKIPPED_FULL][0] ? json_pack("{s:s}", "skipped", r->skipped[SKIPPED_FULL]) : json_null();
  bound = f->error + (r->at_zero ? r->zero_bound : 0);
  for (PetscInt i = 0; i < f->n; i++) {
    positive += f->lambda[i] > bound;
    negative += f->lambda[i] < -bound;
  }
  return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "positive", (json_int_t)positive, "zero",
                   (json_int_t)(f->n - positive - negative), "negative", (json_int_t)negative, "bound", Real(bound), "smallest",
                   Real(f->lambda[0]), "largest", Real(f->lambda[f->n - 1]), "trace", Real(f->trace), "trace_error",
                   Real(PetscAbsReal(f->trace - 2 * r->spectrum->norm2 - f->trace_curvature) / PetscAbsReal(f->trace)));
}

static json_t *HessianJSON(const Report *r)
{
  const Spectrum       *s = r->spectrum;
  const ExtremesResult *e = r->extremes;
  PetscInt64            positive, zero, negative;
  json_t               *json;

  ReportSignature(r, &positive, &zero, &negative);
  json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "positive", Count(positive), "zero", Count(zero), "negative", Count(negative),
                   "largest", Real(positive > 0 ? 2 * s->sigma[0] * s->sigma[0] : INFINITY), "smallest_positive",
                   Real(positive > 0 ? 2 * s->sigma[positive - 1] * s->sigma[positive - 1] : INFINITY), "zero_bound",
                   Real(r->zero_bound));
  json_object_set_new(json, "measured",
                      e ? json_pack("{s:o, s:o, s:o, s:o}", "largest", PairsJSON(&e->largest), "smallest", PairsJSON(&e->smallest),
                                    "zeros", PairsJSON(&e->zeros), "kernel", PairsJSON(&e->kernel))
                        : json_pack("{s:o}", "skipped", Text(r->skipped[SKIPPED_EXTREMES])));
  json_object_set_new(json, "full", FullJSON(r));
  return json;
}

/* infinity, and 0 for a lower bound, stand for what was not found */
static json_t *Found(PetscReal x)
{
  return x > 0 ? Real(x) : json_null();
}

static json_t *CertificateJSON(const Certificate *c)
{
  if (!c) return json_null();
  return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "targets",
                   c->exact_targets ? "net" : "stored", "status", CertifyStatusText(c->status), "reason", Text(c->reason),
                   "kantorovich_h", Real(c->h), "radius", Real(c->radius), "sigma_min_lower", Found(c->sigma_min_lower),
                   "residual_upper", Real(c->residual_upper), "lipschitz", Real(c->lipschitz), "regular_radius",
                   Found(c->regular_radius), "zero_bound", Real(c->zero_bound), "positive_bound", Found(c->positive_bound),
                   "distance_lower", Real(c->distance_lower), "rank_bound", Count(c->rank_bound), "rank_established",
                   Count(c->rank), "rank_radius", c->rank_bound < 0 ? json_null() : Real(c->rank_radius), "split_residual",
                   (int)c->split, "paths", (int)c->paths, "enclosed", (int)c->enclosed);
}

/* |theta_0 - theta^| + rho, its norm of n entries rounded up */
static PetscReal DistanceUpper(const Report *r)
{
  const PetscReal n = (PetscReal)r->n;

  return (r->moved * (1 + (n + 8) * PETSC_MACHINE_EPSILON) + r->certificate->radius) * (1 + 4 * PETSC_MACHINE_EPSILON);
}

/* theta_0 as loaded; its distance to M is bracketed where the polished point was proved */
static json_t *StartJSON(const Report *r)
{
  const Certificate *c      = r->start_certificate;
  const PetscBool    proved = (PetscBool)(r->certificate && r->certificate->status == CERTIFY_PROVED);

  json_t *json;

  if (!r->start) return json_null();
  json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "loss", Real(r->start_reach->start_loss), "residual_max",
                   Real(r->start_reach->residual_max), "moved", Real(r->moved), "distance_lower",
                   c ? Real(c->distance_lower) : json_null(), "distance_upper", proved ? Real(DistanceUpper(r)) : json_null());
  StartToJSON(r->start, json);
  json_object_set_new(json, "certificate", CertificateJSON(c));
  return json;
}

static json_t *VerdictJSON(const Report *r)
{
  const PetscBool holds = (PetscBool)(r->verdict.claim == CLAIM_HOLDS);

  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "codimension", holds ? json_integer(r->m) : json_null(), "dimension",
                   holds ? json_integer(r->n - r->m) : json_null(), "holds",
                   r->verdict.claim == CLAIM_UNDECIDED ? json_null() : json_boolean(holds), "basis",
                   Text(VerdictBasisNames[r->verdict.basis]), "cause", Text(r->verdict.cause), "targets_moved",
                   (int)(r->perturbation && r->perturbation->chosen >= 0));
}

/* eigenvalues of the Hessian here times these are those of the Hessians of other losses */
static json_t *UnitsJSON(const Report *r)
{
  json_t *json = json_pack("{s:s}", "loss", "|H|^2, a plain sum");

  for (const Unit *unit = Units; unit->name; unit++) json_object_set_new(json, unit->name, Real(UnitFactor(unit, r->d, r->m)));
  return json;
}

static json_t *StagesJSON(PetscBool peaks)
{
  PetscInt           n;
  const StageRecord *stages;
  json_t            *json = json_object();

  StageRecords(&n, &stages);
  for (PetscInt i = 0; i < n; i++) json_object_set_new(json, stages[i].name, Real(peaks ? stages[i].peak : stages[i].seconds));
  return json;
}

static json_t *MemoryJSON(const Report *r)
{
  const PetscReal peak = ReportPeakMemory();

  return json_pack("{s:o, s:o, s:o, s:o}", "predicted", Real(r->memory_predicted > 0 ? r->memory_predicted : INFINITY), "baseline",
                   Real(r->memory_baseline), "peak", Real(peak > 0 ? peak : INFINITY), "stages", StagesJSON(PETSC_TRUE));
}

/* everything in the options database that is not a key of ours: "-tao_type lmvm -eps_monitor" */
static PetscErrorCode AddSolverOptions(const json_t *ours, json_t *json)
{
  json_t     *others, *value;
  const char *name;
  char        text[4096] = "";
  size_t      used       = 0;

  PetscFunctionBeginUser;
  PetscCall(OptionsOthers(ours, &others));
  json_object_foreach(others, name, value)
  {
    const char *text_of_value = json_string_value(value);

    (void)PetscSNPrintf(text + used, sizeof text - used, "%s-%s%s%s", used ? " " : "", name, *text_of_value ? " " : "",
                        text_of_value);
    used = strlen(text);
  }
  json_object_set_new(json, "solver_options", json_string(text));
  json_decref(others);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ReportWrite(MPI_Comm comm, const Report *r, json_t *options, const char dir[])
{
  char        path[PETSC_MAX_PATH_LEN], machine[MACHINE_NAME];
  PetscMPIInt rank;
  json_t     *json;
  Complaint   complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/report.json", dir));
  if (rank == 0) {
    json = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:[I,I], s:s}", "schema", 1, "problem",
                     ProblemJSON(r), "start", StartJSON(r), "minimum", MinimumJSON(r), "jacobian", JacobianJSON(r), "hessian",
                     HessianJSON(r), "certificate", CertificateJSON(r->certificate), "verdict", VerdictJSON(r), "time",
                     StagesJSON(PETSC_FALSE), "memory", MemoryJSON(r), "ranks", (int)r->ranks, "grid", (json_int_t)r->G,
                     (json_int_t)r->Q, "version", ReportVersion());
    PetscCheck(json, PETSC_COMM_SELF, PETSC_ERR_PLIB, "report.json: a malformed value");
    MachineName(sizeof(machine), machine);
    json_object_set_new(json, "machine", json_string(machine));
    json_object_set_new(json, "loss", LossJSON(r));
    json_object_set_new(json, "units", UnitsJSON(r));
    json_object_set_new(json, "interruptions", json_integer(r->interruptions));
    if (r->optional) json_object_update(json, r->optional);
    json_object_set(json, "options", options);
    PetscCall(AddSolverOptions(options, json));
    FileWriteJSON(path, json, JSON_INDENT(2) | JSON_REAL_PRECISION(17), &complaint);
    json_decref(json);
  }
  json_decref(options);
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
