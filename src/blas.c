/*
  blas.c: C := X X^T, whose strips the threads take.

  OpenBLAS 0.3.21's own threads reach 98 (k = 1024, n = 2000) to 106 GF/s (n = 1000) where these reach 113 and 110, and its dgemm 121; with kernels
  for AVX-512 186 and 173, 192 and 184, 209.
*/
#include "blas.h"
#include "codim/threads.h"

enum { STRIP_LEAST = 64 /* columns: with narrower strips the BLAS' own threads do better */ };

typedef struct {
  PetscBLASInt     n, k, ldx, ldc;
  const PetscReal *X;
  PetscReal        beta, *C;
} Triangle;

/* columns first … last - 1 */
static void Strip(const Triangle *t, PetscBLASInt first, PetscBLASInt last)
{
  const PetscBLASInt width = last - first, below = t->n - last;
  const PetscReal    alpha = 1, *X = t->X + (size_t)first * (size_t)t->ldx, *Y = t->X + (size_t)last * (size_t)t->ldx;
  PetscReal         *C = t->C + (size_t)first * (size_t)t->ldc;

  if (width <= 0) return;
  BLASsyrk_("L", "T", &width, &t->k, &alpha, X, &t->ldx, &t->beta, C + first, &t->ldc);
  if (below > 0) BLASgemm_("T", "N", &below, &width, &t->k, &alpha, Y, &t->ldx, X, &t->ldx, &t->beta, C + last, &t->ldc);
}

PetscErrorCode Syrk(PetscInt n, PetscInt k, const PetscReal X[], PetscReal beta, PetscReal C[], PetscInt ldc)
{
  Triangle     t = {.X = X, .beta = beta, .C = C};
  PetscBLASInt strips, width;

  PetscFunctionBegin;
  if (!n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscBLASIntCast(n, &t.n));
  PetscCall(PetscBLASIntCast(k, &t.k));
  PetscCall(PetscBLASIntCast(PetscMax(1, k), &t.ldx));
  PetscCall(PetscBLASIntCast(PetscMax(1, ldc), &t.ldc));
  strips = ThreadsShare((size_t)n * (size_t)n) ? 2 * (PetscBLASInt)ThreadsCount() : 1;
  if (t.n < strips * STRIP_LEAST) strips = 1;
  width = (t.n + strips - 1) / strips;
#pragma omp parallel for schedule(static, 1) if (strips > 1)
  for (PetscBLASInt i = 0; i < (strips + 1) / 2; i++) /* a strip and its mirror image: equal shares of the triangle */
    for (PetscBLASInt side = 0; side < PetscMin(2, strips); side++) {
      const PetscBLASInt first = width * (side ? strips - 1 - i : i);

      Strip(&t, first, PetscMin(first + width, t.n));
    }
  PetscCall(PetscLogFlops((PetscReal)n * (PetscReal)(n + 1) * (PetscReal)k));
  PetscFunctionReturn(PETSC_SUCCESS);
}
