/*
  data_twins.c: points with equal x, or with x and -x, at which the same outputs were observed; see data.h.

  Points are put into classes, {x} or {x, -x}, by sorting s x, s = 1 or the sign of the first entry of x that is not 0 (s = 0 at x = 0).
  Within a class they stand in the order of their indices. Of those at which output o was observed each has the first for its partner.
*/
#include "data_read.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  const PetscReal *x; /* p */
  size_t           p;
  PetscInt         index;
  int              s;
} Point;

/* s x in lexicographic order; -0 == 0 */
static int CompareClasses(const Point *u, const Point *v)
{
  for (size_t j = 0; j < u->p; j++) {
    const PetscReal a = u->s * u->x[j], b = v->s * v->x[j];

    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

static int ComparePoints(const void *a, const void *b)
{
  const Point *u = a, *v = b;
  const int    order = CompareClasses(u, v);

  return order ? order : (u->index > v->index) - (u->index < v->index);
}

static int SignOf(size_t p, const PetscReal x[])
{
  for (size_t j = 0; j < p; j++)
    if (x[j] != 0) return x[j] > 0 ? 1 : -1;
  return 0;
}

/* pair := (i, j), i <= j, if it has the lesser j, then i */
static void KeepFirst(PetscInt pair[2], PetscInt i, PetscInt j)
{
  if (pair[1] >= 0 && (pair[1] < j || (pair[1] == j && pair[0] <= i))) return;
  pair[0] = i;
  pair[1] = j;
}

/* One class and one output; y NULL: observed everywhere, and right. */
static void SearchClass(size_t n, const Point points[], const PetscReal *y, size_t l, Symmetry symmetry, Coincidences *found)
{
  const PetscBool odd   = (PetscBool)(symmetry == SYMMETRY_ODD);
  const Point    *first = NULL;

  for (const Point *point = points; point < points + n; point++) {
    const PetscReal value = y ? y[(size_t)point->index * l] : 0;

    if (isnan(value)) continue;
    if (odd && point->s == 0) {
      KeepFirst(found->pair, point->index, point->index);
      if (value != 0) KeepFirst(found->wrong, point->index, point->index);
    } else if (!first) {
      first = point;
      found->rows++;
    } else {
      const PetscReal expected = y ? y[(size_t)first->index * l] : 0, sign = odd ? first->s * point->s : 1;

      if (symmetry == SYMMETRY_NONE || point->s != first->s) KeepFirst(found->pair, first->index, point->index);
      if (value != sign * expected) KeepFirst(found->wrong, first->index, point->index);
    }
  }
}

static void FindOnRoot(Data data, Symmetry symmetry, Coincidences *found, Complaint *complaint)
{
  const size_t    d = (size_t)data->points, p = (size_t)data->inputs;
  const PetscBool net    = (PetscBool)(data->options.target == TARGET_NET);
  const size_t    l      = net && !data->outputs ? 1 : (size_t)data->outputs;
  Point          *points = malloc(d * sizeof *points);

  if (!points) {
    Complain(complaint, STATUS_DATA, "too little memory to sort %zu points", d);
    return;
  }
  for (size_t i = 0; i < d; i++) {
    const PetscReal *x = data->all_x + i * p;

    points[i] = (Point){x, p, (PetscInt)i, symmetry ? SignOf(p, x) : 1};
  }
  qsort(points, d, sizeof *points, ComparePoints);
  for (size_t first = 0, end; first < d; first = end) {
    for (end = first + 1; end < d && CompareClasses(&points[first], &points[end]) == 0; end++) {
    }
    found->classes += symmetry != SYMMETRY_ODD || points[first].s != 0;
    for (size_t o = 0; o < l; o++) SearchClass(end - first, points + first, net ? NULL : data->all_y + o, l, symmetry, found);
  }
  free(points);
}

PetscErrorCode DataFindCoincidences(Data data, Symmetry symmetry, Coincidences *found)
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *found = (Coincidences){.pair = {-1, -1}, .wrong = {-1, -1}};
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (rank == 0) FindOnRoot(data, symmetry, found, &complaint);
  PetscCall(ComplaintRaise(data->comm, &complaint));
  PetscCallMPI(MPI_Bcast(found, sizeof *found / sizeof(PetscInt), MPIU_INT, 0, data->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
