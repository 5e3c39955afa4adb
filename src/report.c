/*
  report.c: the verdict; see report.h. report_json.c writes it, report_print.c prints it.
*/
#include "codim/version.h"
#include "report_parts.h"
#include <hdf5.h>
#include <string.h>

const char *const VerdictBasisNames[] = {NULL, "numerical", "proved"};

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

  if (s->rank < 0 && s->counted) {
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, s->note);
  } else if (s->rank < 0) {
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
  } else if (r->kinks) {
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, "");
    (void)PetscSNPrintf(r->verdict.cause, sizeof(r->verdict.cause),
                        "sigma has kinks, and without a proof nothing says that none is near%s%s",
                        r->certificate && r->certificate->reason[0] ? ": " : "", r->certificate ? r->certificate->reason : "");
  } else
    Conclude(&r->verdict, CLAIM_HOLDS, BASIS_NUMERICAL, "");
}

/* why, and whether theta runs away */
static void NoZero(Report *r)
{
  const ReachResult *reach = &r->reach;
  char              *cause = r->verdict.cause;
  const size_t       room  = sizeof(r->verdict.cause);

  if (r->unconfirmed[0])
    (void)PetscSNPrintf(cause, room, "the loss is small, %.3e, but no zero is confirmed: one more Newton step %s",
                        (double)reach->loss, r->unconfirmed);
  else if (PetscIsInfOrNanReal(r->next_loss))
    (void)PetscSNPrintf(cause, room, "no zero reached: loss %.3e after %" PetscInt_FMT " steps, %s", (double)reach->loss,
                        reach->steps, ReachReasonText(reach->reason));
  else
    (void)PetscSNPrintf(cause, room, "the loss is small, %.3e, but no zero is in sight: a full Newton step takes it to %.3e",
                        (double)reach->loss, (double)r->next_loss);
  if (r->dead[0]) (void)PetscSNPrintf(cause + strlen(cause), room - strlen(cause), "; %s: try another net.seed", r->dead);
  if (reach->norm > 4 * reach->norm_start && reach->norm > 1.02 * reach->norm_half)
    (void)PetscSNPrintf(cause + strlen(cause), room - strlen(cause),
                        "; theta runs away, |theta| = %.3g at the start, %.3g half-way, %.3g at the end: the loss may fall towards "
                        "its "
                        "infimum at infinity and attain it nowhere",
                        (double)reach->norm_start, (double)reach->norm_half, (double)reach->norm);
}

void ReportDecide(Report *r)
{
  if (DecideByProof(r)) return;
  if (!r->at_zero) {
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, "");
    NoZero(r);
  } else if (!r->spectrum)
    Conclude(&r->verdict, CLAIM_UNDECIDED, BASIS_NONE, r->skipped[SKIPPED_SPECTRUM]);
  else
    DecideByRank(r);
}

ExitStatus ReportStatus(const Report *r)
{
  return r->verdict.claim == CLAIM_HOLDS ? STATUS_HOLDS : r->verdict.claim == CLAIM_REFUTED ? STATUS_REFUTED : STATUS_UNDECIDED;
}

void ReportSignature(const Report *r, PetscInt64 *positive, PetscInt64 *zero, PetscInt64 *negative)
{
  const PetscBool proved = (PetscBool)(r->certificate && r->certificate->status == CERTIFY_PROVED);
  const PetscBool known  = (PetscBool)(proved || (r->at_zero && r->spectrum && r->spectrum->rank >= 0));

  *positive = proved ? r->m : known ? r->spectrum->rank : -1;
  *zero     = known ? r->n - *positive : -1;
  *negative = known ? 0 : -1;
}

PetscReal ReportPeakMemory(void)
{
  PetscInt           n;
  const StageRecord *stages;
  PetscReal          peak = 0;

  StageRecords(&n, &stages);
  for (PetscInt i = 0; i < n; i++) peak = PetscMax(peak, (PetscReal)stages[i].peak);
  return peak;
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
