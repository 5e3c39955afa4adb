/*
  spectrum.h: the singular values of J, its rank, and with them the m positive eigenvalues 2 sigma^2 of the Hessian on M.

  gram   all eigenvalues of K = J J^T. The condition number is squared: sigma is resolved where sigma^2 stands above the rounding error
         of K and of its eigensolver,

           E = gamma_c trace(K) + m u lambda_max(K),     resolution = sqrt(E)

         gamma_c trace(K) >= |fl(K) - K|_F for products of inner length c = max(k + h) + (number of labels) + 6 (certificate, section on sigma),
         and m u lambda_max is the backward error of the eigensolver. A sigma that is truly zero shows as at most the resolution.

  The rank is decided as r where sigma_r >= 10^3 x resolution and sigma_(r+1) <= resolution; otherwise it is not a count but null.
*/
#pragma once

#include "gram.h"
#include "options.h"

typedef struct {
  PetscInt method; /* auto gram */
} SpectrumOptions;

extern const OptionKey SpectrumKeys[];

typedef struct {
  PetscInt    m;
  PetscReal  *sigma;        /* m singular values, descending, whole on every rank; owned */
  PetscReal   resolution;   /* on the scale of sigma */
  PetscInt    rank;         /* decided, or -1 */
  PetscInt    above;        /* how many sigma lie above the resolution */
  PetscReal   norm2;        /* |J|_F^2, from the factors */
  PetscReal   sum_error;    /* |sum of eigenvalues - |J|_F^2| / |J|_F^2 */
  PetscReal   square_error; /* |sum of their squares - |K|_F^2| / |K|_F^2 */
  PetscBool   inertia; /* Cholesky of K - (lambda_min -+ E) I ran to its end and broke down: lambda_min confirmed independently */
  const char *method;  /* "gram" */
  char        solver[64];
} Spectrum;

/** All singular values at the point whose factors `jacobian` holds. K is filled; on return it holds the Cholesky factor of K if
    *factored, else it is undefined. Another matrix of its size lives while it runs. Collective. */
PetscErrorCode SpectrumCompute(Jacobian jacobian, const SpectrumOptions *options, Tiles K, PetscBool *factored, Spectrum *spectrum);
PetscErrorCode SpectrumDestroy(Spectrum *spectrum);

/** The positive eigenvalues of the Hessian on M: 2 sigma_k^2, k < count. Not collective. */
void SpectrumHessian(const Spectrum *spectrum, PetscInt count, PetscReal lambda[]);
