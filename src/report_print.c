/*
  report_print.c: the summary; see report.h.
*/
#include "codim/units.h"
#include "report_parts.h"
#include <string.h>

static void PrintProblem(const Report *r)
{
  printf("\n%s on d = %" PetscInt_FMT " points, l = %" PetscInt_FMT ": m = %" PetscInt_FMT " residuals", r->net, r->d, r->l, r->m);
  if (r->missing) printf(" (%" PetscInt_FMT " targets were not observed)", r->missing);
  printf(", n = %" PetscInt_FMT " parameters\n", r->n);
  if (r->reached)
    printf("  loss      |H|^2 = %.2e, max |H_k| = %.1e, %" PetscInt_FMT " steps (%s; rounding floor %.0e)\n", (double)r->reach.loss,
           (double)r->reach.residual_max, r->reach.steps, ReachReasonText(r->reach.reason), (double)r->reach.floor);
  if (r->constructed)
    printf("  construct points apart by %.1e of their range %.2g; |H|^2 = %.1e in %" PetscInt_FMT " solves, then moved by %.1e\n",
           (double)(r->constructed->gap / r->constructed->range), (double)r->constructed->range, (double)r->constructed->loss,
           r->constructed->solves, (double)r->moved);
}

static void PrintSpectrum(const Report *r)
{
  const Spectrum *s = r->spectrum;
  PetscInt64      positive, zero, negative;

  if (!s) return;
  ReportSignature(r, &positive, &zero, &negative);
  if (s->rank >= 0)
    printf("  rank J    = %" PetscInt_FMT " of m = %" PetscInt_FMT "; ", s->rank, r->m);
  else
    printf("  rank J    not resolved; ");
  if (s->counted)
    printf("no sigma was computed, resolution %.1e (%s, %s)\n", (double)s->resolution, s->method, s->solver);
  else
    printf("sigma_max = %.4g, sigma_min = %.4g, resolution %.1e (%s, %s)\n", (double)s->sigma[0], (double)s->sigma[s->m - 1],
           (double)s->resolution, s->method, s->solver);
  if (s->check.method)
    printf("  check     %s: |sigma - sigma'| = %.1e where %.1e is the bound\n", s->check.method, (double)s->check.difference,
           (double)s->check.bound);
  if (positive > 0 && s->counted)
    printf("  Hessian   at the zero: %lld positive, %lld zero, %lld negative\n", (long long)positive, (long long)zero,
           (long long)negative);
  else if (positive > 0)
    printf("  Hessian   at the zero: %lld positive (%.6g … %.6g), %lld zero, %lld negative\n", (long long)positive,
           (double)(2 * s->sigma[0] * s->sigma[0]), (double)(2 * s->sigma[positive - 1] * s->sigma[positive - 1]), (long long)zero,
           (long long)negative);
}

static void PrintUnits(const Report *r)
{
  if (!r->spectrum) return;
  printf("  units     eigenvalues are those of L = |H|^2; times");
  for (const Unit *unit = Units; unit->name; unit++)
    printf("%s %.4g for %s", unit == Units ? "" : ",", (double)UnitFactor(unit, r->d, r->m), unit->words);
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

/* a loss other than |H|^2 */
static void PrintLoss(const Report *r)
{
  char text[256];

  if (!r->reached || r->loss.power == 2) return;
  (void)snprintf(text, sizeof(text), "sum |H_k|^%g = %.2e: the same M; %s. Eigenvalues here are those of |H|^2",
                 (double)r->loss.power, (double)r->loss_sum, LossHessianOnM(r->loss.power));
  PrintWrapped("power", text);
}

static void PrintOptional(const Report *r)
{
  static const char *const labels[] =
      {[LINE_START] = "start",     [LINE_KERNEL] = "K",  [LINE_PERTURB] = "perturb",    [LINE_DENSITY] = "density",
       [LINE_TRAJECTORY] = "path", [LINE_WALK] = "walk", [LINE_CONVEXITY] = "convexity"};

  for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
    if (r->lines[i][0]) PrintWrapped(labels[i], r->lines[i]);
}

static void PrintVerdict(const Report *r, const char dir[])
{
  const Verdict *v = &r->verdict;
  char           theorem[1024];

  if (v->claim == CLAIM_HOLDS)
    printf("  verdict   HOLDS (%s): M has codimension %" PetscInt_FMT ", dimension %" PetscInt_FMT ", near these weights\n",
           VerdictBasisNames[v->basis], r->m, r->n - r->m);
  else if (v->claim == CLAIM_REFUTED)
    printf("  verdict   REFUTED (%s): %s\n", VerdictBasisNames[v->basis], v->cause);
  else
    printf("  verdict   UNDECIDED: %s\n", v->cause);
  if (r->certificate && v->claim != CLAIM_REFUTED) {
    CertifyTheorem(r->certificate, sizeof(theorem), theorem);
    PrintWrapped(r->certificate->status == CERTIFY_PROVED ? "proved" : "proof", theorem);
  }
  if (r->certificate && v->claim == CLAIM_REFUTED) {
    CertifyRankText(r->certificate, sizeof(theorem), theorem);
    if (theorem[0]) PrintWrapped("rank", theorem);
  }
  if (v->basis == BASIS_PROVED && v->claim == CLAIM_HOLDS)
    printf("  assumed   IEEE arithmetic (checked), conventional BLAS, the tested accuracy of sigma: %s/certificate.json\n", dir);
  if (v->basis == BASIS_NUMERICAL)
    printf("  assumed   that rounding errors stay below the printed resolution; nothing is proved\n");
  printf("  output    %s: report.json, spectrum.h5, spectrum.svg, %sproblem.h5\n", dir, r->weights ? "weights.safetensors, " : "");
}

static void PrintNext(const Report *r)
{
  if (r->verdict.claim == CLAIM_UNDECIDED && r->reached && !r->at_zero)
    printf("  next      widen the net (n/m = %.3g), raise reach.steps, or try another net.seed\n", (double)r->n / (double)r->m);
  else if (r->verdict.claim == CLAIM_REFUTED && r->distinct < r->d)
    printf("  next      remove the coinciding points and run again\n");
}

/* of all stages, and of those that took some */
static void PrintTimes(void)
{
  PetscLogDouble     all = 0;
  PetscInt           n;
  const StageRecord *stages;

  StageRecords(&n, &stages);
  for (PetscInt i = 0; i < n; i++) all += stages[i].seconds;
  printf("  time      %.1f s", all);
  for (PetscInt i = 0, shown = 0; i < n; i++)
    if (stages[i].seconds >= .05) printf("%s %s %.1f s", shown++ ? "," : ":", stages[i].name, stages[i].seconds);
  printf("; peak memory %.2f GB a rank\n", (double)(ReportPeakMemory() / 1e9));
}

PetscErrorCode ReportPrint(MPI_Comm comm, const Report *r, const char dir[])
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    PrintProblem(r);
    PrintLoss(r);
    PrintSpectrum(r);
    PrintMeasured(r);
    PrintOptional(r);
    PrintUnits(r);
    PrintVerdict(r, dir);
    PrintNext(r);
    PrintTimes();
    fflush(stdout);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
