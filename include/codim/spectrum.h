/*
  spectrum.h: the singular values of J, its rank, and with them the m positive eigenvalues 2 sigma^2 of the Hessian on M.

  gram   all eigenvalues of K = J J^T. The condition number is squared: sigma is resolved where sigma^2 stands above the rounding error
         of K and of its eigensolver,

           E = gamma_c trace(K) + m u lambda_max(K),     resolution = sqrt(E)

         gamma_c trace(K) >= |fl(K) - K|_F for c = the longest sums of a label + all that is added to an entry of K + 6 (GramTerm's length
         and sums; certificate, section on sigma),
         and m u lambda_max is the backward error of the eigensolver. A sigma that is truly zero shows as at most the resolution.

  qr     streamed tall-skinny QR of J^T from the factors, then the singular values of R: 2 n m^2 flops, nothing of size n m is stored.
  svd    SLEPc's SVD (any -svd_type) of the assembled J, for 8 n m / ranks bytes below spectrum.assembled_max: a cross-check.

         Both work on J itself. The resolution is the convention of LAPACK-based rank functions plus what the entries of J inherit,

           resolution = max(m,n) eps sigma_max + E_J     (svd: + the largest residual of its triplets)

         E_J estimates |fl(J) - J|_F: the change of the factors under a random relative change of every parameter, scaled to the longest
         rounding chain (spectrum_error.c). An estimate, not a bound: the certificate has the bound.

  auto   gram; where some sigma are not above its resolution, also qr (if it fits into memory): they may be noise, or small.

  count  no sigma, only the count: rank J = m where one Cholesky factorization of K - 4 E I, in K's place, runs to its end (E as above, with
         gamma_(m+3) trace(K) for the factorization); else it is null. m^3/3 flops, one m x m matrix; the certificate uses the same factorization.

  The rank is decided as r where sigma_r >= 10^3 x resolution and sigma_(r+1) <= resolution; otherwise it is not a count but null. gram
  decides r = m only: below its resolution, about 10^-7 sigma_max, a small sigma and none look the same. qr decides r < m only if of J with
  its rows and columns scaled to norm 1, which has the same rank, no more than r singular values stand out, 10^3 times above rounding;
  rows and columns that are rounding and nothing else are left out of it (src/spectrum_scale.h).
  gram always runs: its K and the factor serve what follows, and it cross-checks qr and svd: |sigma - sigma'| at every index against

    resolution + min(resolution', resolution'^2 / sigma)     (' : gram, whose error is on the scale of sigma^2)
*/
#pragma once

#include "archive.h"
#include "gram.h"
#include "options.h"

typedef enum { SPECTRUM_AUTO, SPECTRUM_GRAM, SPECTRUM_QR, SPECTRUM_SVD, SPECTRUM_COUNT } SpectrumMethodKind;
typedef enum { LABELS_AUTO, LABELS_ALWAYS, LABELS_NEVER } SpectrumLabels;

typedef struct {
  PetscInt  method;        /* SpectrumMethodKind */
  PetscReal assembled_max; /* bytes a rank of the assembled J */
  PetscInt  labels;        /* SpectrumLabels: what one label's K alone is worth (tangent_kernel.h) */
  PetscReal node_memory;   /* as in RunOptions: no key of its own */
  PetscBool vectors;       /* no key: keep the eigenvectors of K */
} SpectrumOptions;

extern const OptionKey SpectrumKeys[];

/* gram's word on the same J, where another method's was taken */
typedef struct {
  const char *method; /* NULL: none */
  PetscInt    rank;   /* decided, or -1 */
  PetscReal   sigma_min, sigma_max, resolution;
  PetscInt    index;             /* where |sigma - sigma'| is largest in units of its bound */
  PetscReal   difference, bound; /* there */
} SpectrumCheck;

typedef struct {
  PetscInt   m;
  PetscReal *sigma;        /* m singular values, descending, whole on every rank; owned */
  PetscReal  resolution;   /* on the scale of sigma */
  PetscInt   rank;         /* decided, or -1 */
  PetscInt   above;        /* how many sigma lie above the resolution */
  PetscInt   rank_scaled;  /* qr where it is below m: how many of the scaled J are; 0: not asked */
  PetscReal  norm2;        /* |J|_F^2, from the factors */
  PetscReal  norm4;        /* |K|_F^2 */
  PetscReal  sum_error;    /* |sum of eigenvalues - |J|_F^2| / |J|_F^2 */
  PetscReal  square_error; /* |sum of their squares - |K|_F^2| / |K|_F^2 */
  PetscBool
      inertia; /* gram: Cholesky of K - (lambda_min -+ E) I ran to its end and broke down: lambda_min confirmed independently */
  PetscBool       counted; /* count: sigma was not computed, all of it is NaN */
  ShiftedCholesky factor;  /* count: what K holds */
  const char     *method;  /* "gram", "qr", "svd" or "count" */
  char            solver[64];
  SpectrumCheck   check;
  Tiles           vectors; /* of K, and its eigenvalues, ascending; NULL: not kept; owned */
  PetscReal      *lambda;
  char            note[160]; /* why auto left it at gram though gram does not decide on rank m; "" otherwise */
} Spectrum;

/** Read the options of the chosen method's solver, so that misspelt ones are seen before anything is computed. Collective. */
PetscErrorCode SpectrumPrepare(MPI_Comm comm, const SpectrumOptions *options);

/** All singular values at the point whose factors `jacobian` holds. K is filled; on return it holds the Cholesky factor of K if
    *factored (all sigma are above gram's resolution), else it is undefined. Another matrix of its size lives while it runs; qr: 8 (2 m^2 + 4096 m) bytes a rank and the factors of
    one label, svd: 16 n m / ranks. qr can pause between its blocks (checkpoint.h); stopped there, it returns gram's values. STATUS_DATA, naming the bytes, where qr or svd was asked for
    and does not fit; STATUS_UNDECIDED where svd does not find all m. Collective. */
PetscErrorCode SpectrumCompute(Jacobian jacobian, const SpectrumOptions *options, Tiles K, PetscBool *factored, Spectrum *spectrum);
PetscErrorCode SpectrumDestroy(Spectrum *spectrum);

/** Does the method leave sigma alone? Not collective. */
PetscBool SpectrumCounts(const SpectrumOptions *options);

/** Cost (cost.h); auto: if gram is enough. stretch: what runs to its end before a request to stop is looked at. Not collective. */
void SpectrumCost(const Sizes *sizes, const SpectrumOptions *options, Cost *cost, Cost *stretch);

/** Collective. */
PetscErrorCode SpectrumArchive(Archive archive, Spectrum *spectrum);

/** The largest eigenvalue of the Hessian on M; at least that where sigma was not computed. Not collective. */
PetscReal SpectrumLargest(const Spectrum *spectrum);

/** The positive eigenvalues of the Hessian on M: 2 sigma_k^2, k < count. Not collective. */
void SpectrumHessian(const Spectrum *spectrum, PetscInt count, PetscReal lambda[]);
