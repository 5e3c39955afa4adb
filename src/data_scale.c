/* data_scale.c: scaling and one-hot targets; formulas in data.h. Every sum runs over the points in order. */
#include "data_read.h"
#include <math.h>
#include <stdlib.h>

enum { CLASSES_MAX = 65536 };

/* Kahan: sum[0] errs by two roundings of the sum of |terms|, however many they are; sum[1] is what it has too much. */
static void Add(PetscReal term, PetscReal sum[2])
{
  PetscReal corrected = term - sum[1], total = sum[0] + corrected;

  sum[1] = (total - sum[0]) - corrected;
  sum[0] = total;
}

/* Column operations: n entries a[0], a[stride], … */

/* the entries that are numbers, to the front, in their order */
static size_t TakeObserved(size_t n, size_t stride, const PetscReal a[], PetscReal observed[])
{
  size_t count = 0;

  for (size_t i = 0; i < n; i++)
    if (!isnan(a[i * stride])) observed[count++] = a[i * stride];
  return count;
}

static PetscReal Mean(size_t n, size_t stride, const PetscReal a[])
{
  PetscReal sum[2] = {0, 0};

  for (size_t i = 0; i < n; i++) Add(a[i * stride] - a[0], sum); /* exactly 0 where a is constant */
  return a[0] + sum[0] / (PetscReal)n;
}

static PetscReal Deviation(size_t n, size_t stride, const PetscReal a[])
{
  PetscReal mean = Mean(n, stride, a), sum[2] = {0, 0};

  for (size_t i = 0; i < n; i++) Add((a[i * stride] - mean) * (a[i * stride] - mean), sum);
  return PetscSqrtReal(sum[0] / (PetscReal)n);
}

/* a := (a - mean)/s */
static void Standardize(size_t n, size_t stride, PetscReal s, PetscReal a[])
{
  PetscReal mean = Mean(n, stride, a);

  for (size_t i = 0; i < n; i++) {
    a[i * stride] -= mean;
    if (s > 0) a[i * stride] /= s;
  }
}

/* a := (a - min)/(max - min) width + low, in [low, low + width] */
static void MapToInterval(size_t n, size_t stride, PetscReal low, PetscReal width, PetscReal a[])
{
  PetscReal min = a[0], max = a[0];

  for (size_t i = 1; i < n; i++) {
    min = PetscMin(min, a[i * stride]);
    max = PetscMax(max, a[i * stride]);
  }
  for (size_t i = 0; i < n; i++) a[i * stride] = max > min ? (a[i * stride] - min) / (max - min) * width + low : 0;
}

void ScaleInputs(DataScale scale, size_t d, size_t p, PetscReal x[])
{
  PetscReal s = scale == SCALE_STANDARD ? Deviation(d * p, 1, x) : 0;

  for (size_t j = 0; j < p; j++) {
    if (scale == SCALE_UNIT) MapToInterval(d, p, 0, 1, x + j);
    if (scale == SCALE_STANDARD) Standardize(d, p, s, x + j);
  }
}

void ScaleLike(DataScale scale, size_t d, size_t p, const PetscReal x[], size_t N, PetscReal held[])
{
  const PetscReal s = scale == SCALE_STANDARD && N ? Deviation(d * p, 1, x) : 0;

  for (size_t j = 0; j < p && N && scale != SCALE_NONE; j++) {
    PetscReal origin = scale == SCALE_STANDARD ? Mean(d, p, x + j) : x[j], far = x[j], width;

    for (size_t i = 0; i < d && scale == SCALE_UNIT; i++) {
      origin = PetscMin(origin, x[i * p + j]);
      far    = PetscMax(far, x[i * p + j]);
    }
    width = scale == SCALE_UNIT ? far - origin : s;
    for (size_t i = 0; i < N; i++)
      held[i * p + j] = width > 0 ? (held[i * p + j] - origin) / width : scale == SCALE_UNIT ? 0 : held[i * p + j] - origin;
  }
}

void ScaleTargets(DataScale scale, size_t d, size_t l, PetscReal y[], Complaint *complaint)
{
  PetscReal *observed = calloc(d, sizeof *observed);

  if (!observed) Complain(complaint, STATUS_DATA, "too little memory to scale %zu targets", d);
  for (size_t o = 0; observed && o < l; o++) {
    const size_t n = TakeObserved(d, l, y + o, observed);

    if (scale == SCALE_UNIT && n) MapToInterval(n, 1, -1, 2, observed);
    if (scale == SCALE_STANDARD && n) Standardize(n, 1, Deviation(n, 1, observed), observed);
    for (size_t i = 0, next = 0; i < d; i++)
      if (!isnan(y[i * l + o])) y[i * l + o] = observed[next++];
  }
  free(observed);
}

void TargetsOneHot(Table *y, Complaint *complaint)
{
  size_t     classes = 0;
  PetscReal *hot;

  if (y->cols != 1) {
    Complain(complaint, STATUS_DATA, "%s: data.target onehot takes one column of classes; the targets have %zu", y->path, y->cols);
    return;
  }
  for (size_t i = 0; i < y->rows; i++) {
    if (isnan(y->a[i])) continue; /* of no class that is known: no output was observed */
    if (!(y->a[i] >= 0 && y->a[i] < CLASSES_MAX && y->a[i] == floor(y->a[i]))) {
      Complain(complaint, STATUS_DATA,
               "%s: data row %zu: the target %g is not a class: data.target onehot takes whole numbers 0 … %d", y->path, i + 1,
               (double)y->a[i], CLASSES_MAX - 1);
      return;
    }
    classes = PetscMax(classes, (size_t)y->a[i] + 1);
  }
  hot = TableCalloc(y, y->rows, PetscMax(classes, 1), sizeof *hot, complaint); /* 1: all were NaN, which is refused later */
  if (!hot) return;
  for (size_t i = 0; i < y->rows; i++)
    if (isnan(y->a[i]))
      for (size_t o = 0; o < classes; o++) hot[i * classes + o] = y->a[i];
    else
      hot[i * classes + (size_t)y->a[i]] = 1;
  free(y->a);
  y->a    = hot;
  y->cols = classes;
}
