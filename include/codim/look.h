/*
  look.h: the Hessian's spectrum at one point of a path, anywhere: far from M, near it, on it.

  With J = H' and S = 2 sum_k H_k Hessian(H_k) the Hessian is 2 J^T J + S. Its largest eigenvalues come from Krylov-Schur, its least from
  generalized Davidson preconditioned by mu (2 J^T J + mu I)^(-1), mu about |S| (kernel.h): the low end is then as wide as the rest, however
  small S is; very close to M, where rounding hides it, from P S P. As the loss goes to 0, the n - m small eigenvalues become those of P S P, P the projection onto ker J: their size, and the share of negative ones, are
  measured on P S P itself, by stochastic Lanczos quadrature within ker J, where nothing cancels against the largest.
*/
#pragma once

#include "density.h"
#include "full.h"
#include "gram.h"
#include "options.h"
#include <slepceps.h>

enum { LOOK_EXTREMES = 8, LOOK_THRESHOLDS = 12 };

typedef struct {
  PetscInt       extreme;    /* eigenvalues at each end, at most LOOK_EXTREMES */
  OptionInts     thresholds; /* of the counts: powers of ten, at most LOOK_THRESHOLDS */
  DensityOptions density;    /* of the exact Hessian; steps 0: none */
  PetscBool      full;       /* assemble the whole Hessian: n up to some thousands */
} LookOptions;

/* Reals only: what was not found is NaN. Plain values: they can be archived as they are. */
typedef struct {
  PetscReal step, phase;                                               /* phase: LookPhase */
  PetscReal loss, gradient;                                            /* |H|^2; |2 J^T H| */
  PetscReal largest[LOOK_EXTREMES], largest_residual[LOOK_EXTREMES];   /* descending; an eigenvalue is within the residual */
  PetscReal smallest[LOOK_EXTREMES], smallest_residual[LOOK_EXTREMES]; /* ascending: most negative first */
  PetscReal gauss_newton_largest, gauss_newton_least;                  /* of the m eigenvalues 2 lambda(K) of 2 J J^T */
  PetscReal curvature;                                                 /* about |S|_2 */
  PetscReal kernel_rms, kernel_rms_error,
      kernel_largest; /* P S P in ker J: root mean square of its n - m eigenvalues; largest size found */
  PetscReal kernel_negative, kernel_negative_error,
      kernel_positive; /* shares of them that are told to be negative, positive; of the rest the
                                                                        quadrature cannot tell the sign */
  PetscReal above[LOOK_THRESHOLDS],
      above_error[LOOK_THRESHOLDS]; /* eigenvalues above 10^k; error: over probes, 0 where they were all computed */
  PetscReal below[LOOK_THRESHOLDS], below_error[LOOK_THRESHOLDS]; /* below -10^k */
  PetscReal positive, negative, resolution;                       /* full: counts beyond +-resolution, n u |lambda|_max */
} Look;

typedef enum { LOOK_DESCENT, LOOK_FILE, LOOK_RETURN /* Levenberg-Marquardt */ } LookPhase;

/** So close to M that the low end was taken from P S P. Not collective. */
PetscBool LookIsNearM(const Look *look);

typedef struct Looker_s *Looker;

/** The solvers are created and read their options (prefixes look_largest_, look_smallest_) now. Everything is borrowed. Collective. */
PetscErrorCode LookerCreate(ResidualMap map, const LookOptions *options, Looker *looker);
PetscErrorCode LookerDestroy(Looker *looker);

/** Where `jacobian` has its factors from, and H is; K is scratch, and another matrix of its size lives while it runs; so do
    the Hessian's linearization and at most 64 n-sized Vecs, or density.steps + 3. density, if options ask for one, may be NULL. Step, phase are
    the caller's. No safe points: it is done as a whole. Collective. */
PetscErrorCode LookAt(Looker looker, Jacobian jacobian, Vec H, Tiles K, Look *look, Density *density);

/** Cost (cost.h), with as many iterations as the solvers take at most. Not collective. */
void LookCost(const Sizes *sizes, const LookOptions *options, Cost *cost);
