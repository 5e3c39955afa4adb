/*
  scalapack.h: the C names of BLACS, and the Fortran routines of ScaLAPACK and LAPACK, that tiles.c calls (32-bit integers).

  Indices into distributed matrices count from 1. A descriptor is {1, context, m, n, mb, nb, 0, 0, leading dimension}.
*/
#pragma once

#include <mpi.h>

int  Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int nprow, int npcol);
void Cblacs_gridexit(int context);
void Cblacs_freebuff(int context, int wait);

/* how many of the indices 0 .. n-1 process iproc of nprocs holds */
int numroc_(const int *n, const int *nb, const int *iproc, const int *isrcproc, const int *nprocs);

/* C = beta C + alpha A^T */
void pdtran_(const int *m, const int *n, const double *alpha, const double *A, const int *ia, const int *ja, const int *descA,
             const double *beta, double *C, const int *ic, const int *jc, const int *descC);

/* C = beta C + alpha A A^T (trans = "N"), A^T A ("T"); one triangle of C */
void pdsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *A, const int *ia,
             const int *ja, const int *descA, const double *beta, double *C, const int *ic, const int *jc, const int *descC);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *A, const int *lda,
            const double *beta, double *C, const int *ldc);

/* B = alpha op(A)^(-1) B, A triangular */
void pdtrsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
             const double *alpha, const double *A, const int *ia, const int *ja, const int *descA, double *B, const int *ib,
             const int *jb, const int *descB);
void dtrsm_(const char *side, const char *uplo, const char *trans, const char *diag, const int *m, const int *n,
            const double *alpha, const double *A, const int *lda, double *B, const int *ldb);

void pdpotrs_(const char *uplo, const int *n, const int *nrhs, const double *A, const int *ia, const int *ja, const int *descA,
              double *B, const int *ib, const int *jb, const int *descB, int *info);

/* pdsyev: QR; O(m^2) after the reduction if jobz = "N". pdsyevd: divide and conquer; jobz = "V" only. */
void pdsyev_(const char *jobz, const char *uplo, const int *n, double *A, const int *ia, const int *ja, const int *descA, double *w,
             double *Z, const int *iz, const int *jz, const int *descZ, double *work, const int *lwork, int *info);
void pdsyevd_(const char *jobz, const char *uplo, const int *n, double *A, const int *ia, const int *ja, const int *descA,
              double *w, double *Z, const int *iz, const int *jz, const int *descZ, double *work, const int *lwork, int *iwork,
              const int *liwork, int *info);

/* C = beta C + alpha op(A) op(B) */
void dgemm_(const char *transA, const char *transB, const int *m, const int *n, const int *k, const double *alpha, const double *A,
            const int *lda, const double *B, const int *ldb, const double *beta, double *C, const int *ldc);

void dpotrf_(const char *uplo, const int *n, double *A, const int *lda, int *info);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *A, const int *lda, double *B, const int *ldb,
             int *info);

/* dsyevd_2stage: through a band matrix; jobz = "N" only. */
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *A, const int *lda, double *w, double *work, const int *lwork,
             int *iwork, const int *liwork, int *info);
void dsyevd_2stage_(const char *jobz, const char *uplo, const int *n, double *A, const int *lda, double *w, double *work,
                    const int *lwork, int *iwork, const int *liwork, int *info);

/* A = Q T Q^T; T = Z diag(d) Z^T, compz = "I"; C := op(Q) C */
void dsytrd_(const char *uplo, const int *n, double *A, const int *lda, double *d, double *e, double *tau, double *work,
             const int *lwork, int *info);
void dstedc_(const char *compz, const int *n, double *d, double *e, double *Z, const int *ldz, double *work, const int *lwork,
             int *iwork, const int *liwork, int *info);
void dormtr_(const char *side, const char *uplo, const char *trans, const int *m, const int *n, const double *A, const int *lda,
             const double *tau, double *C, const int *ldc, double *work, const int *lwork, int *info);
