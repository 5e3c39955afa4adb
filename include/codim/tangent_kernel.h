/*
  tangent_kernel.h: what K = J J^T, the empirical tangent kernel, tells beyond the singular values of J.

    trace K = |J|_F^2,   log det K,   condition lambda_max/lambda_min,   stable rank trace K/lambda_max,
    effective dimension sum_k lambda_k/(lambda_k + mu), for mu = 10^-2, 10^-4, 10^-6, 10^-8 lambda_max
    |grad f_(i,o)| = K_kk^(1/2), k = (i,o): Proposition 2.3 supposes that none is 0
    u, the left singular vector of sigma_min, |u| = 1: point i carries the share sum_o u_(i,o)^2 of it
    K = sum over the labels of parameters of K_label = J_label J_label^T: its share of the trace, lambda_min, and rank

  A label alone has rank m, or not, by the rule of spectrum.h for gram: m if every sigma is at least 10^3 times what K_label resolves. Below m it is
  decided only where so many sigma are, and the label has no more entries than that; otherwise it is not a count but null. The K_label
  cost an eigenvalue problem each: spectrum.labels.

  Option prefix: weakest_ (SLEPc's EPS on K^(-1)).
*/
#pragma once

#include "spectrum.h"
#include <slepceps.h>

enum { TANGENT_MUS = 4, TANGENT_POINTS = 5 };

#define TANGENT_FLOPS 2e11 /* what spectrum.labels: auto spends at most */

/* NaN, -1: not established */
typedef struct {
  PetscInt  size;  /* entries of the label */
  PetscReal share; /* of the trace */
  PetscBool computed;
  PetscReal lambda_min, lambda_max; /* of K_label; lambda_min 0 where size < m, NaN where it is below the resolution */
  PetscReal resolution;             /* on the scale of sigma */
  PetscInt  rank, rank_max;         /* rank <= rank_max = min(m, size) */
} LabelKernel;

typedef struct {
  PetscReal trace, log_determinant, condition, stable_rank;
  PetscReal mu[TANGENT_MUS], effective[TANGENT_MUS], effective_error[TANGENT_MUS];
  PetscReal gradient_min;
  PetscInt  gradient_point, gradient_output; /* where; from 0 */

  PetscInt  npoints; /* those with the largest shares of u; 0: no u was found */
  PetscInt  point[TANGENT_POINTS];
  PetscReal share[TANGENT_POINTS];
  PetscReal sigma;    /* |J^T u| = (u^T K u)^(1/2) */
  PetscReal residual; /* |K u - sigma^2 u| */
  PetscReal angle; /* residual over the gap to the next eigenvalue of K: bounds sin of the angle to the exact u; infinity: no gap */

  PetscReal flops; /* of the K_label, as predicted */
} TangentNumbers;

typedef struct TangentKernel_s *TangentKernel;

struct TangentKernel_s {
  ResidualMap            map;
  const SpectrumOptions *options;
  EPS                    eps;
  PetscBool              known; /* what follows */
  TangentNumbers         numbers;
  PetscInt               nlabels;
  LabelKernel           *label; /* in the canonical order */
};

/** Create the solver, so that its misspelt options are seen before anything is computed. Borrows both. Collective. */
PetscErrorCode TangentKernelCreate(ResidualMap map, const SpectrumOptions *options, TangentKernel *kernel);
PetscErrorCode TangentKernelDestroy(TangentKernel *kernel);

/** At the point whose factors `jacobian` holds and whose singular values s are. K holds a Cholesky factor of K, or of K - tau I, if *factored,
    and holds it still if *factored afterwards, else it is scratch. No n-sized temporary. Safe points
    (checkpoint.h) before the labels and after each. Collective. */
PetscErrorCode TangentKernelCompute(TangentKernel kernel, Jacobian jacobian, const Spectrum *s, Tiles K, PetscBool *factored);

/** Collective. */
PetscErrorCode TangentKernelArchive(Archive archive, TangentKernel kernel);

/** What report.json has of it (report.h); a new reference. Not collective. */
json_t *TangentKernelToJSON(TangentKernel kernel);

/** In a sentence: some numbers, the weakest points, the labels of the largest shares. Not collective. */
void TangentKernelDescribe(TangentKernel kernel, size_t size, char text[]);

/** Cost (cost.h). Not collective. */
void TangentKernelCost(const Sizes *sizes, const SpectrumOptions *options, Cost *cost, Cost *stretch);
