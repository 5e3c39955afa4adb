/* data_twins.c: points with equal x, and among them those with different y. */
#include "data_read.h"
#include <stdlib.h>

typedef struct {
  const PetscReal *x; /* p */
  size_t           p;
  PetscInt         index;
} Point;

/* -1, 0, 1 in lexicographic order; -0 == 0 */
static int RowCompare(size_t n, const PetscReal a[], const PetscReal b[])
{
  for (size_t j = 0; j < n; j++)
    if (a[j] != b[j]) return a[j] < b[j] ? -1 : 1;
  return 0;
}

static int PointCompare(const void *a, const void *b)
{
  const Point *u = a, *v = b;
  int          order = RowCompare(u->p, u->x, v->x);

  return order ? order : (u->index > v->index) - (u->index < v->index);
}

/* pair := (i, j), i < j, if j comes before the larger index it has */
static void KeepFirst(PetscInt pair[2], PetscInt i, PetscInt j)
{
  if (pair[1] >= 0 && pair[1] <= j) return;
  pair[0] = i;
  pair[1] = j;
}

/* Sorted, equal points stand together, in the order of their indices: in each such run the first pair is that of its first two
   points, and the first contradiction that of its first point and the first whose y differs from it. */
void DataFindTwins(Data data, Complaint *complaint)
{
  size_t d = (size_t)data->points, p = (size_t)data->inputs, l = (size_t)data->outputs;
  Point *points = malloc(d * sizeof *points), *first = points;

  if (!points) {
    Complain(complaint, STATUS_DATA, "too little memory to sort %zu points", d);
    return;
  }
  for (size_t i = 0; i < d; i++) points[i] = (Point){data->all_x + i * p, p, (PetscInt)i};
  qsort(points, d, sizeof *points, PointCompare);
  data->distinct = 1;
  for (Point *point = points + 1; point < points + d; point++) {
    if (RowCompare(p, first->x, point->x)) {
      first = point;
      data->distinct++;
      continue;
    }
    KeepFirst(data->twins, first->index, point->index);
    if (l && RowCompare(l, data->all_y + (size_t)first->index * l, data->all_y + (size_t)point->index * l))
      KeepFirst(data->contradiction, first->index, point->index);
  }
  free(points);
}
