/*
  direction.c: see direction.h.
*/
#include "direction.h"
#include "blas.h"
#include "codim/random.h"
#include <stdlib.h>

enum { DRAWS = 256, BLOCK = 32, GAPS = 48, ROUNDS = 40, HALVINGS = 8 };

static int CompareProjections(const void *a, const void *b)
{
  const Projection *u = a, *v = b;

  if (u->value != v->value) return u->value < v->value ? -1 : 1;
  return (u->index > v->index) - (u->index < v->index);
}

PetscInt DirectionNearest(PetscInt d, const Projection projection[])
{
  PetscInt nearest = d > 1 ? 0 : -1;

  for (PetscInt k = 1; k + 1 < d; k++)
    if (projection[k + 1].value - projection[k].value < projection[nearest + 1].value - projection[nearest].value) nearest = k;
  return nearest;
}

/* gap/range; 1 for a single point, 0 where all projections are equal */
static PetscReal Quality(PetscInt d, const Projection projection[])
{
  const PetscInt  k     = DirectionNearest(d, projection);
  const PetscReal range = projection[d - 1].value - projection[0].value;

  return k < 0 ? 1 : range > 0 ? (projection[k + 1].value - projection[k].value) / range : 0;
}

static void Sort(PetscInt d, PetscInt stride, const PetscReal values[], Projection projection[])
{
  for (PetscInt i = 0; i < d; i++) projection[i] = (Projection){values[(size_t)i * (size_t)stride], i};
  qsort(projection, (size_t)d, sizeof(*projection), CompareProjections);
}

PetscErrorCode DirectionProject(PetscInt d, PetscInt p, const PetscReal X[], const PetscReal a[], Projection projection[])
{
  PetscReal *values;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(d, &values));
  PetscCall(Gemm("T", "N", 1, d, p, 1, a, p, X, p, 0, values, 1));
  Sort(d, 1, values, projection);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the best of DRAWS random directions */
static PetscErrorCode Draw(PetscInt d, PetscInt p, const PetscReal X[], PetscInt64 seed, PetscReal a[], Projection projection[])
{
  PetscReal *directions, *values, best = -1;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)BLOCK * (size_t)p, &directions, (size_t)BLOCK * (size_t)d, &values));
  for (PetscInt block = 0; block < DRAWS / BLOCK; block++) {
    RandomNormal(seed, 3, (PetscInt64)block * BLOCK * p, BLOCK * p, directions);
    PetscCall(Gemm("T", "N", BLOCK, d, p, 1, directions, p, X, p, 0, values, BLOCK));
    for (PetscInt k = 0; k < BLOCK; k++) {
      PetscReal quality;

      Sort(d, BLOCK, values + k, projection);
      quality = Quality(d, projection);
      if (quality > best) PetscCall(PetscArraycpy(a, directions + (size_t)k * (size_t)p, p));
      best = PetscMax(best, quality);
    }
  }
  PetscCall(PetscFree2(directions, values));
  PetscCall(DirectionProject(d, p, X, a, projection));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* delta of least norm with D_j . delta = t - gap_j for the k least gaps, t the largest of them */
static PetscErrorCode Raise(PetscInt d, PetscInt p, const PetscReal X[], const Projection projection[], PetscInt k,
                            PetscReal delta[])
{
  PetscBLASInt rows, cols, one = 1, ldb, lwork, rank, info;
  PetscReal   *D, *b, *s, *work, rcond = 1e-10;
  Projection  *gap;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(k, &rows));
  PetscCall(PetscBLASIntCast(p, &cols));
  ldb   = PetscMax(rows, cols);
  lwork = 16 * (rows + cols);
  PetscCall(PetscMalloc5(d, &gap, (size_t)k * (size_t)p, &D, ldb, &b, k, &s, lwork, &work));
  for (PetscInt i = 0; i + 1 < d; i++) gap[i] = (Projection){projection[i + 1].value - projection[i].value, i};
  qsort(gap, (size_t)(d - 1), sizeof(*gap), CompareProjections);
  for (PetscInt j = 0; j < k; j++) {
    const size_t i = (size_t)projection[gap[j].index].index, next = (size_t)projection[gap[j].index + 1].index;

    b[j] = gap[k - 1].value - gap[j].value;
    for (size_t c = 0; c < (size_t)p; c++) D[c * (size_t)k + (size_t)j] = X[next * (size_t)p + c] - X[i * (size_t)p + c];
  }
  PetscCallBLAS("LAPACKgelss", LAPACKgelss_(&rows, &cols, &one, D, &rows, b, &ldb, s, &rcond, &rank, work, &lwork, &info));
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dgelss: info %d", (int)info);
  PetscCall(PetscArraycpy(delta, b, p));
  PetscCall(PetscFree5(gap, D, b, s, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a + step delta for the first step of 1, 1/2, … that makes gap/range larger; else a stays */
static PetscErrorCode Search(PetscInt d, PetscInt p, const PetscReal X[], const PetscReal delta[], PetscReal a[],
                             Projection projection[], PetscBool *better)
{
  const PetscReal quality = Quality(d, projection);
  PetscReal      *trial, step = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p, &trial));
  *better = PETSC_FALSE;
  for (int halving = 0; halving < HALVINGS && !*better; halving++, step /= 2) {
    for (PetscInt c = 0; c < p; c++) trial[c] = a[c] + step * delta[c];
    PetscCall(DirectionProject(d, p, X, trial, projection));
    *better = (PetscBool)(Quality(d, projection) > 1.001 * quality);
  }
  if (*better) PetscCall(PetscArraycpy(a, trial, p));
  if (!*better) PetscCall(DirectionProject(d, p, X, a, projection));
  PetscCall(PetscFree(trial));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DirectionChoose(PetscInt d, PetscInt p, const PetscReal X[], PetscInt64 seed, PetscReal a[], Projection projection[])
{
  PetscInt   k = PetscMin(GAPS, PetscMin(d - 1, 3 * p / 4));
  PetscReal *delta;
  PetscBool  better = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(Draw(d, p, X, seed, a, projection));
  PetscCall(PetscMalloc1(p, &delta));
  for (int round = 0; round < ROUNDS && k > 1; round++) {
    PetscCall(Raise(d, p, X, projection, k, delta));
    PetscCall(Search(d, p, X, delta, a, projection, &better));
    if (!better) k = 2 * k / 3;
  }
  PetscCall(PetscFree(delta));
  PetscFunctionReturn(PETSC_SUCCESS);
}
