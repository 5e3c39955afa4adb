/*
  blas.h: matrix products on PetscInt sizes, column-major.
*/
#pragma once

#include "codim/base.h"
#include <petscblaslapack.h>

/* C := alpha op(A) op(B) + beta C, C m x n, k inner; a row-major matrix is its column-major transpose. */
static inline PetscErrorCode Gemm(const char transA[], const char transB[], PetscInt m, PetscInt n, PetscInt k, PetscReal alpha,
                                  const PetscReal A[], PetscInt lda, const PetscReal B[], PetscInt ldb, PetscReal beta,
                                  PetscReal C[], PetscInt ldc)
{
  PetscBLASInt bm, bn, bk, blda, bldb, bldc;

  PetscFunctionBegin;
  if (!m || !n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscBLASIntCast(m, &bm));
  PetscCall(PetscBLASIntCast(n, &bn));
  PetscCall(PetscBLASIntCast(k, &bk));
  PetscCall(PetscBLASIntCast(PetscMax(1, lda), &blda));
  PetscCall(PetscBLASIntCast(PetscMax(1, ldb), &bldb));
  PetscCall(PetscBLASIntCast(PetscMax(1, ldc), &bldc));
  PetscCallBLAS("BLASgemm", BLASgemm_(transA, transB, &bm, &bn, &bk, &alpha, A, &blda, B, &bldb, &beta, C, &bldc));
  PetscCall(PetscLogFlops(2. * (PetscReal)m * (PetscReal)n * (PetscReal)k));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* C := X X^T + beta C, the lower triangle of C; X is row-major, n x k. */
PetscErrorCode Syrk(PetscInt n, PetscInt k, const PetscReal X[], PetscReal beta, PetscReal C[], PetscInt ldc);
