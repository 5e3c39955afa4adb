/*
  report.c: the verdict, report.json and the summary; see report.h.
*/
#include "codim/report.h"
#include "codim/units.h"
#include "codim/version.h"
#include <hdf5.h>
#include <string.h>
#include <unistd.h>

static const char *const BasisNames[] = {NULL, "numerical", "proved"};

/* ---- the verdict ---------------------------------------------------------------------------------------------------------- */

static void Conclude(Verdict *verdict, Claim claim, VerdictBasis basis, const char cause[])
{
  verdict->claim = claim;
  verdict->basis = basis;
  (void)PetscStrncpy(verdict->cause, cause, sizeof(verdict->cause));
}

/* a proof, either way, is the last word; the signature it proves belongs to the exact zero theta* */
static PetscBool DecideByProof(Report *r)
{
  const Certificate *c = r->certificate;

  if (!c || (c->status != CERTIFY_PROVED && c->status != CERTIFY_REFUTED)) return PETSC_FALSE;
  Conclude(&r->verdict, c->status == CERTIFY_PROVED ? CLAIM_HOLDS : CLAIM_REFUTED, BASIS_PROVED, c->reason);
  return PETSC_TRUE;
}

static void DecideByRank(Report *r)
{
  const Spectrum *s = r->spectrum;

  if (s->rank < 0) {
    const PetscInt last = PetscMax(1, s->above), next = PetscMin(s->m, s->above + 1);

    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, "");
    (void)PetscSNPrintf(r->verdict.cause, sizeof(r->verdict.cause),
                        "the rank is not resolved by %s: sigma_%" PetscInt_FMT " = %.3e, sigma_%" PetscInt_FMT
                        " = %.3e, resolution %.3e%s%s",
                        s->method, last, (double)s->sigma[last - 1], next, (double)s->sigma[next - 1], (double)s->resolution,
                        s->note[0] ? "; " : "", s->note);
  } else if (s->rank < r->m) {
    Conclude(&r->verdict, CLAIM_REFUTED, BASIS_NUMERICAL, "");
    (void)PetscSNPrintf(r->verdict.cause, sizeof(r->verdict.cause),
                        "rank J = %" PetscInt_FMT " < m = %" PetscInt_FMT ": sigma_%" PetscInt_FMT " = %.3e, sigma_%" PetscInt_FMT
                        " = %.3e, resolution %.3e",
                        s->rank, r->m, s->rank, s->rank ? (double)s->sigma[s->rank - 1] : 0., s->rank + 1,
                        (double)s->sigma[s->rank], (double)s->resolution);
  } else
    Conclude(&r->verdict, CLAIM_HOLDS, BASIS_NUMERICAL, "");
}

void ReportDecide(Report *r)
{
  if (DecideByProof(r)) return;
  if (!r->at_zero) {
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, "");
    (void)PetscSNPrintf(r->verdict.cause, sizeof(r->verdict.cause), "no zero reached: loss %.3e after %" PetscInt_FMT " steps, %s",
                        (double)r->reach.loss, r->reach.steps, ReachReasonText(r->reach.reason));
  } else if (!r->spectrum)
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, r->skipped[SKIPPED_SPECTRUM]);
  else
    DecideByRank(r);
}

ExitStatus ReportStatus(const Report *r)
{
  return r->verdict.claim == CLAIM_HOLDS ? STATUS_HOLDS : r->verdict.claim == CLAIM_REFUTED ? STATUS_REFUTED : STATUS_UNDECIDED;
}

/* ---- report.json ------------------------------------------------------------------------------------------------------------ */

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
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "points", (json_int_t)r->d, "inputs", (json_int_t)r->p, "outputs",
                   (json_int_t)r->l, "residuals", (json_int_t)r->m, "parameters", (json_int_t)r->n, "distinct_points",
                   (json_int_t)r->distinct, "net", r->net);
}

static json_t *MinimumJSON(const Report *r)
{
  if (!r->reached) return json_null();
  return json_pack("{s:s, s:o, s:o, s:I, s:n, s:o, s:s, s:b}", "method", r->method, "loss", Real(r->reach.loss), "residual_max",
                   Real(r->reach.residual_max), "iterations", (json_int_t)r->reach.steps, "perturbation", "rounding_floor",
                   Real(r->reach.floor), "ended", ReachReasonText(r->reach.reason), "zero", (int)r->at_zero);
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

/* positive, zero, negative: counts at the zero next to the stored weights, proved or numerical */
static void Signature(const Report *r, PetscInt64 *positive, PetscInt64 *zero, PetscInt64 *negative)
{
  const PetscBool proved = (PetscBool)(r->certificate && r->certificate->status == CERTIFY_PROVED);
  const PetscBool known  = (PetscBool)(proved || (r->at_zero && r->spectrum && r->spectrum->rank >= 0));

  *positive = proved ? r->m : known ? r->spectrum->rank : -1;
  *zero     = known ? r->n - *positive : -1;
  *negative = known ? 0 : -1;
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

  Signature(r, &positive, &zero, &negative);
  json = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "positive", Count(positive), "zero", Count(zero), "negative", Count(negative),
                   "largest", Real(positive > 0 ? 2 * s->sigma[0] * s->sigma[0] : PETSC_INFINITY), "smallest_positive",
                   Real(positive > 0 ? 2 * s->sigma[positive - 1] * s->sigma[positive - 1] : PETSC_INFINITY), "zero_bound",
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
  return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "status", CertifyStatusText(c->status), "reason",
                   Text(c->reason), "kantorovich_h", Real(c->h), "radius", Real(c->radius), "sigma_min_lower",
                   Found(c->sigma_min_lower), "residual_upper", Real(c->residual_upper), "lipschitz", Real(c->lipschitz),
                   "regular_radius", Found(c->regular_radius), "zero_bound", Real(c->zero_bound), "distance_lower",
                   Real(c->distance_lower), "split_residual", (int)c->split, "enclosed", (int)c->enclosed);
}

/* theta_0 as loaded; its distance to M is bracketed where the polished point was proved */
static json_t *StartJSON(const Report *r)
{
  const Certificate *c      = r->start_certificate;
  const PetscBool    proved = (PetscBool)(r->certificate && r->certificate->status == CERTIFY_PROVED);

  if (!r->start) return json_null();
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "loss", Real(r->start->start_loss), "moved", Real(r->moved), "distance_lower",
                   c ? Real(c->distance_lower) : json_null(), "distance_upper",
                   proved ? Real((r->moved + r->certificate->radius) * (1 + 1e-12)) : json_null(), "negative", json_null(),
                   "certificate", CertificateJSON(c));
}

static json_t *VerdictJSON(const Report *r)
{
  const PetscBool holds = (PetscBool)(r->verdict.claim == CLAIM_HOLDS);

  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "codimension", holds ? json_integer(r->m) : json_null(), "dimension",
                   holds ? json_integer(r->n - r->m) : json_null(), "holds",
                   r->verdict.claim == CLAIM_UNDECIDED ? json_null() : json_boolean(holds), "basis",
                   Text(BasisNames[r->verdict.basis]), "cause", Text(r->verdict.cause));
}

/* eigenvalues of the Hessian here times these are those of the Hessians of other losses */
static json_t *UnitsJSON(const Report *r)
{
  json_t *json = json_pack("{s:s}", "loss", "|H|^2, a plain sum");

  for (const Unit *unit = Units; unit->name; unit++) json_object_set_new(json, unit->name, Real(UnitFactor(unit, r->d, r->l)));
  return json;
}

static PetscReal PeakMemory(void)
{
  PetscInt           n;
  const StageRecord *stages;
  PetscReal          peak = 0;

  StageRecords(&n, &stages);
  for (PetscInt i = 0; i < n; i++) peak = PetscMax(peak, (PetscReal)stages[i].peak);
  return peak;
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
  const PetscReal peak = PeakMemory();

  return json_pack("{s:o, s:o, s:o}", "predicted", Real(r->memory_predicted > 0 ? r->memory_predicted : PETSC_INFINITY), "peak",
                   Real(peak > 0 ? peak : PETSC_INFINITY), "stages", StagesJSON(PETSC_TRUE));
}

PetscErrorCode ReportWrite(MPI_Comm comm, const Report *r, json_t *options, const char dir[])
{
  char        path[PETSC_MAX_PATH_LEN], beside[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;
  json_t     *json;
  PetscBool   ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/report.json", dir));
  PetscCall(PetscSNPrintf(beside, sizeof(beside), "%s/report.json.new", dir));
  if (rank == 0) {
    json = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:[I,I], s:s}", "schema", 1, "problem",
                     ProblemJSON(r), "start", StartJSON(r), "minimum", MinimumJSON(r), "jacobian", JacobianJSON(r), "hessian",
                     HessianJSON(r), "certificate", CertificateJSON(r->certificate), "verdict", VerdictJSON(r), "time",
                     StagesJSON(PETSC_FALSE), "memory", MemoryJSON(r), "ranks", (int)r->ranks, "grid", (json_int_t)r->G,
                     (json_int_t)r->Q, "version", ReportVersion());
    PetscCheck(json, PETSC_COMM_SELF, PETSC_ERR_PLIB, "report.json: a malformed value");
    json_object_set_new(json, "units", UnitsJSON(r));
    json_object_set(json, "options", options);
    ok = (PetscBool)(json_dump_file(json, beside, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) == 0 && rename(beside, path) == 0);
    if (!ok) (void)unlink(beside);
    json_decref(json);
  }
  json_decref(options);
  PetscCall(UserCheck(comm, ok, STATUS_DATA, "cannot write %s: is the directory writable, and is there space?", path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the summary ------------------------------------------------------------------------------------------------------------- */

static void PrintProblem(const Report *r)
{
  printf("\n%s on d = %" PetscInt_FMT " points, l = %" PetscInt_FMT ": m = %" PetscInt_FMT " residuals, n = %" PetscInt_FMT
         " parameters\n",
         r->net, r->d, r->l, r->m, r->n);
  if (r->reached)
    printf("  loss      |H|^2 = %.2e, max |H_k| = %.1e, %" PetscInt_FMT " steps (%s; rounding floor %.0e)\n", (double)r->reach.loss,
           (double)r->reach.residual_max, r->reach.steps, ReachReasonText(r->reach.reason), (double)r->reach.floor);
}

static void PrintSpectrum(const Report *r)
{
  const Spectrum *s = r->spectrum;
  PetscInt64      positive, zero, negative;

  if (!s) return;
  Signature(r, &positive, &zero, &negative);
  if (s->rank >= 0)
    printf("  rank J    = %" PetscInt_FMT " of m = %" PetscInt_FMT "; ", s->rank, r->m);
  else
    printf("  rank J    not resolved; ");
  printf("sigma_max = %.4g, sigma_min = %.4g, resolution %.1e (%s, %s)\n", (double)s->sigma[0], (double)s->sigma[s->m - 1],
         (double)s->resolution, s->method, s->solver);
  if (s->check.method)
    printf("  check     %s: |sigma - sigma'| = %.1e where %.1e is the bound\n", s->check.method, (double)s->check.difference,
           (double)s->check.bound);
  if (positive > 0)
    printf("  Hessian   at the zero: %lld positive (%.6g … %.6g), %lld zero, %lld negative\n", (long long)positive,
           (double)(2 * s->sigma[0] * s->sigma[0]), (double)(2 * s->sigma[positive - 1] * s->sigma[positive - 1]), (long long)zero,
           (long long)negative);
}

static void PrintUnits(const Report *r)
{
  if (!r->spectrum) return;
  printf("  units     eigenvalues are those of L = |H|^2; times");
  for (const Unit *unit = Units; unit->name; unit++)
    printf("%s %.4g for %s", unit == Units ? "" : ",", (double)UnitFactor(unit, r->d, r->l), unit->words);
  printf("\n");
}

static PetscReal LargestMagnitude(const EigenPairs *pairs)
{
  PetscReal size = 0;

  for (PetscInt i = 0; i < pairs->found; i++) size = PetscMax(size, PetscAbsReal(pairs->value[i]));
  return size;
}

static void PrintMeasured(const Report *r)
{
  const ExtremesResult *e = r->extremes;

  if (!e) {
    if (r->skipped[SKIPPED_EXTREMES][0]) printf("  measured  nothing by SLEPc: %s\n", r->skipped[SKIPPED_EXTREMES]);
    return;
  }
  printf("  measured  (SLEPc, exact Hessian here)");
  if (e->largest.found) printf(" largest %.10g,", (double)e->largest.value[0]);
  if (e->smallest.found) printf(" most negative %.1e,", (double)e->smallest.value[0]);
  if (e->zeros.found) printf(" %" PetscInt_FMT " zeros of size <= %.0e,", e->zeros.found, (double)LargestMagnitude(&e->zeros));
  if (e->kernel.found) printf(" |Hessian on ker J| = %.1e,", (double)PetscAbsReal(e->kernel.value[0]));
  printf(" zeros known to %.0e\n", (double)r->zero_bound);
}

/* text after a label of 12 columns, broken at blanks before column 120 */
static void PrintWrapped(const char label[], const char text[])
{
  const size_t width = 108;

  printf("  %-10s", label);
  while (strlen(text) > width) {
    size_t line = width;

    while (line > 0 && text[line] != ' ') line--;
    if (!line) break;
    printf("%.*s\n            ", (int)line, text);
    text += line + 1;
  }
  printf("%s\n", text);
}

static void PrintVerdict(const Report *r, const char dir[])
{
  const Verdict *v = &r->verdict;
  char           theorem[1024];

  if (v->claim == CLAIM_HOLDS)
    printf("  verdict   HOLDS (%s): M has codimension %" PetscInt_FMT ", dimension %" PetscInt_FMT ", near these weights\n",
           BasisNames[v->basis], r->m, r->n - r->m);
  else if (v->claim == CLAIM_REFUTED)
    printf("  verdict   REFUTED (%s): %s\n", BasisNames[v->basis], v->cause);
  else
    printf("  verdict   UNDECIDED: %s\n", v->cause);
  if (r->certificate && v->claim != CLAIM_REFUTED) {
    CertifyTheorem(r->certificate, sizeof(theorem), theorem);
    PrintWrapped(r->certificate->status == CERTIFY_PROVED ? "proved" : "proof", theorem);
  }
  if (v->basis == BASIS_PROVED && v->claim == CLAIM_HOLDS)
    printf("  assumed   IEEE arithmetic (checked), conventional BLAS, the tested accuracy of sigma: %s/certificate.json\n", dir);
  if (v->basis == BASIS_NUMERICAL)
    printf("  assumed   that rounding errors stay below the printed resolution; nothing is proved\n");
  printf("  output    %s: report.json, spectrum.h5, spectrum.svg, weights.safetensors, problem.h5\n", dir);
}

static void PrintNext(const Report *r)
{
  if (r->verdict.claim == CLAIM_UNDECIDED && r->reached && !r->at_zero)
    printf("  next      widen the net (n/m = %.3g), raise reach.steps, or try another net.seed\n", (double)r->n / (double)r->m);
  else if (r->verdict.claim == CLAIM_REFUTED && r->distinct < r->d)
    printf("  next      remove the coinciding points and run again\n");
}

static void PrintTimes(void)
{
  PetscInt           n;
  const StageRecord *stages;

  StageRecords(&n, &stages);
  printf("  time      ");
  for (PetscInt i = 0; i < n; i++) printf("%s%s %.1f s", i ? ", " : "", stages[i].name, stages[i].seconds);
  printf("; peak memory %.2f GB a rank\n", (double)(PeakMemory() / 1e9));
}

PetscErrorCode ReportPrint(MPI_Comm comm, const Report *r, const char dir[])
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    PrintProblem(r);
    PrintSpectrum(r);
    PrintMeasured(r);
    PrintUnits(r);
    PrintVerdict(r, dir);
    PrintNext(r);
    PrintTimes();
    fflush(stdout);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *ReportVersion(void)
{
  static char text[256];
  char        petsc[64], slepc[64];
  unsigned    major, minor, release;

  (void)PetscGetVersion(petsc, sizeof(petsc));
  (void)SlepcGetVersion(slepc, sizeof(slepc));
  (void)H5get_libversion(&major, &minor, &release);
  petsc[strcspn(petsc, ",")] = '\0';
  slepc[strcspn(slepc, ",")] = '\0';
  (void)PetscSNPrintf(text, sizeof(text), "codim %s (%s), %s, %s, HDF5 %u.%u.%u, %s, %d-bit indices", CODIM_VERSION, CODIM_COMMIT,
                      petsc, slepc, major, minor, release,
#if defined(CODIM_HAVE_ELPA)
                      "ELPA",
#else
                      "ScaLAPACK",
#endif
                      (int)(8 * sizeof(PetscInt)));
  return text;
}
