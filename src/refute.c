/*
  refute.c: exact refutations, for every theta; see refute.h. Here: what points alone show.
*/
#include "refute_search.h"

/* ---- what is found ---------------------------------------------------------------------------------------------------- */

void RefuteLower(Search *s, PetscInt bound, const char format[], ...)
{
  va_list arguments;

  if (bound >= s->bound) return;
  s->bound = bound;
  va_start(arguments, format);
  vsnprintf(s->rank_why, sizeof s->rank_why, format, arguments);
  va_end(arguments);
}

void RefuteEmpty(Search *s, const char format[], ...)
{
  va_list arguments;

  if (s->why[0]) return;
  va_start(arguments, format);
  vsnprintf(s->why, sizeof s->why, format, arguments);
  va_end(arguments);
}

/* An empty M comes with a bound of the rank; points that contradict each other are all there is to say. */
static void Explain(const Search *s, size_t size, char reason[])
{
  if (s->result->contradiction)
    (void)PetscSNPrintf(reason, size, "%s: M is empty", s->why);
  else
    (void)PetscSNPrintf(reason, size, "%s: rank J <= %" PetscInt_FMT " < m = %" PetscInt_FMT " for every theta%s%s%s", s->rank_why,
                        s->bound, s->map->m, s->why[0] ? "; and " : "", s->why, s->why[0] ? ": M is empty" : "");
}

/* ---- equal x --------------------------------------------------------------------------------------------------------------
   Rows of J at equal x are equal, for each output: rank J <= the number of distinct (x, output). */
static PetscErrorCode EqualPoints(Search *s)
{
  const Coincidences *found = &s->data->equal;

  PetscFunctionBeginUser;
  if (found->wrong[0] >= 0)
    RefuteEmpty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " coincide and have different y", found->wrong[0] + 1,
                found->wrong[1] + 1);
  if (found->pair[0] >= 0)
    RefuteLower(s, found->rows, "points %" PetscInt_FMT " and %" PetscInt_FMT " coincide", found->pair[0] + 1, found->pair[1] + 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- opposite x -------------------------------------------------------------------------------------------------------------
   odd:  f_theta(-x) = -f_theta(x) for every theta, so J's rows at -x are minus those at x, and at x = 0 both f and J are 0.
         rank J <= the number of ({x, -x}, output), x != 0; H = 0 needs y(-x) = -y(x), y(0) = 0.
   even: f_theta(-x) = f_theta(x), as if x and -x coincided. */
static PetscErrorCode OppositePoints(Search *s)
{
  static const char Odd[] = "f(-x) = -f(x), as sigma is odd and there is no bias", Even[] = "f(-x) = f(x) for this net";
  const PetscBool   odd = s->form.odd;
  Coincidences      found;

  PetscFunctionBeginUser;
  if (!s->form.odd && !s->form.even) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(DataFindCoincidences(s->data, odd ? SYMMETRY_ODD : SYMMETRY_EVEN, &found));
  if (found.wrong[0] >= 0 && found.wrong[0] == found.wrong[1])
    RefuteEmpty(s, "point %" PetscInt_FMT " has x = 0 and y != 0: %s", found.wrong[0] + 1, Odd);
  else if (found.wrong[0] >= 0)
    RefuteEmpty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x, but not y and %s: %s", found.wrong[0] + 1,
                found.wrong[1] + 1, odd ? "-y" : "y", odd ? Odd : Even);
  if (found.pair[0] >= 0 && found.pair[0] == found.pair[1])
    RefuteLower(s, found.rows, "point %" PetscInt_FMT " has x = 0: %s", found.pair[0] + 1, Odd);
  else if (found.pair[0] >= 0)
    RefuteLower(s, found.rows, "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x: %s", found.pair[0] + 1,
                found.pair[1] + 1, odd ? Odd : Even);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode OutputForm(Network net, ValueForm *form)
{
  ValueForm *forms;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(net->nops, &forms));
  NetworkForms(net, forms);
  *form = forms[net->nops - 1];
  PetscCall(PetscFree(forms));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RefuteExactly(Data data, ResidualMap map, PetscBool ranks, Refutation *refutation, Certificate *certificate)
{
  Search s = {.data = data, .map = map, .result = refutation, .bound = map->m};

  PetscFunctionBeginUser;
  *refutation = (Refutation){.refuted = PETSC_FALSE};
  PetscCall(OutputForm(map->network, &s.form));
  PetscCall(EqualPoints(&s));
  if (!s.why[0]) PetscCall(OppositePoints(&s));
  refutation->contradiction = (PetscBool)(s.why[0] != '\0');
  if (ranks && !refutation->contradiction) PetscCall(RefuteByRanks(&s));
  if (s.bound >= map->m) PetscFunctionReturn(PETSC_SUCCESS);
  refutation->refuted = PETSC_TRUE;
  CertificateClear(map, certificate);
  certificate->status     = CERTIFY_REFUTED;
  certificate->empty      = (PetscBool)(s.why[0] != '\0');
  certificate->rank_bound = s.bound;
  Explain(&s, sizeof certificate->reason, certificate->reason);
  PetscFunctionReturn(PETSC_SUCCESS);
}
