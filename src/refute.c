/*
  refute.c: exact refutations, for every theta; see refute.h. Here: what points alone show.
*/
#include "refute_search.h"
#include <stdlib.h>

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
   Rows of J at equal x are equal, for each output: rank J <= l distinct. */
static PetscErrorCode EqualPoints(Search *s)
{
  const Data data = s->data;

  PetscFunctionBeginUser;
  if (data->contradiction[0] >= 0)
    RefuteEmpty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " coincide and have different y", data->contradiction[0] + 1,
                data->contradiction[1] + 1);
  if (data->twins[0] >= 0)
    RefuteLower(s, data->distinct * data->outputs, "points %" PetscInt_FMT " and %" PetscInt_FMT " coincide", data->twins[0] + 1,
                data->twins[1] + 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- opposite x -------------------------------------------------------------------------------------------------------------
   odd:  f_theta(-x) = -f_theta(x) for every theta, so J's rows at -x are minus those at x, and at x = 0 both f and J are 0.
         rank J <= l times the number of classes {x, -x}, x != 0; H = 0 needs y(-x) = -y(x), y(0) = 0.
   even: f_theta(-x) = f_theta(x), as if x and -x coincided. */

/* s x has a positive first entry among those that are not 0; s = 0: x = 0 */
typedef struct {
  const PetscReal *x;
  PetscInt         p, index;
  PetscReal        s;
} SignedPoint;

static int SignedCompare(const void *a, const void *b)
{
  const SignedPoint *u = a, *v = b;

  for (PetscInt j = 0; j < u->p; j++)
    if (u->s * u->x[j] != v->s * v->x[j]) return u->s * u->x[j] < v->s * v->x[j] ? -1 : 1;
  return (u->index > v->index) - (u->index < v->index);
}

static PetscBool SamePoint(const SignedPoint *u, const SignedPoint *v)
{
  for (PetscInt j = 0; j < u->p; j++)
    if (u->s * u->x[j] != v->s * v->x[j]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static SignedPoint Signed(Data data, PetscInt i)
{
  SignedPoint point = {data->all_x + (size_t)i * (size_t)data->inputs, data->inputs, i, 0};

  for (PetscInt j = 0; j < point.p && point.s == 0; j++) point.s = (point.x[j] > 0) - (point.x[j] < 0);
  return point;
}

/* y_u = y_v; odd: s_u y_u = s_v y_v, and y = 0 at x = 0; what the net gives always does */
static PetscBool TargetsAgree(Data data, PetscBool odd, const SignedPoint *u, const SignedPoint *v)
{
  const size_t    l    = data->options.target == TARGET_NET ? 0 : (size_t)data->outputs;
  const PetscReal sign = odd ? u->s * v->s : 1;

  for (size_t o = 0; o < l; o++)
    if (data->all_y[(size_t)v->index * l + o] != sign * data->all_y[(size_t)u->index * l + o]) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* classes that rows of J can be independent on; two points with x and -x, twice the same if x = 0 and odd; two with the wrong y for
   that; or -1 */
enum { CLASSES, PAIR_I, PAIR_J, WRONG_I, WRONG_J, FOUND };

static void Keep(const SignedPoint *u, const SignedPoint *v, PetscInt pair[2])
{
  if (pair[0] >= 0) return;
  pair[0] = u->index;
  pair[1] = v->index;
}

static void FindClasses(Data data, PetscBool odd, SignedPoint points[], PetscInt found[FOUND])
{
  const SignedPoint *first = points;

  for (PetscInt i = 0; i < data->points; i++) points[i] = Signed(data, i);
  qsort(points, (size_t)data->points, sizeof *points, SignedCompare);
  for (PetscInt k = 0; k < data->points; k++) {
    const SignedPoint *point = &points[k];
    const PetscBool    news = (PetscBool)(k == 0 || !SamePoint(first, point)), vanishes = (PetscBool)(odd && point->s == 0);

    if (news) first = point;
    found[CLASSES] += news && !vanishes;
    if (vanishes) Keep(point, point, &found[PAIR_I]);
    if (point->s != first->s) Keep(first, point, &found[PAIR_I]);
    if (!TargetsAgree(data, odd, first, point)) Keep(vanishes ? point : first, point, &found[WRONG_I]);
  }
}

static PetscErrorCode OppositePoints(Search *s)
{
  static const char Odd[] = "f(-x) = -f(x), as sigma is odd and there is no bias", Even[] = "f(-x) = f(x) for this net";
  const Data        data         = s->data;
  const PetscBool   odd          = s->form.odd;
  PetscInt          found[FOUND] = {0, -1, -1, -1, -1};
  PetscMPIInt       rank;
  SignedPoint      *points;

  PetscFunctionBeginUser;
  if (!s->form.odd && !s->form.even) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (rank == 0) {
    PetscCall(PetscMalloc1(data->points, &points));
    FindClasses(data, odd, points, found);
    PetscCall(PetscFree(points));
  }
  PetscCallMPI(MPI_Bcast(found, FOUND, MPIU_INT, 0, data->comm));
  if (found[WRONG_I] >= 0 && found[WRONG_I] == found[WRONG_J])
    RefuteEmpty(s, "point %" PetscInt_FMT " has x = 0 and y != 0: %s", found[WRONG_I] + 1, Odd);
  else if (found[WRONG_I] >= 0)
    RefuteEmpty(s, "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x, but not y and %s: %s", found[WRONG_I] + 1,
                found[WRONG_J] + 1, odd ? "-y" : "y", odd ? Odd : Even);
  if (found[PAIR_I] >= 0 && found[PAIR_I] == found[PAIR_J])
    RefuteLower(s, found[CLASSES] * data->outputs, "point %" PetscInt_FMT " has x = 0: %s", found[PAIR_I] + 1, Odd);
  else if (found[PAIR_I] >= 0)
    RefuteLower(s, found[CLASSES] * data->outputs, "points %" PetscInt_FMT " and %" PetscInt_FMT " have x and -x: %s",
                found[PAIR_I] + 1, found[PAIR_J] + 1, odd ? Odd : Even);
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
