/*
  extremes.h: SLEPc on the exact Hessian: its largest and smallest eigenvalues, pairs of the zero cluster, and the size of what is left of
  it on the kernel of J.

  Near M the Hessian is 2 J^T J + S with a tiny S. P = I - J^T K^(-1) J, the projection onto ker J, gives the solvers for the low end their
  start vectors (and LOBPCG its preconditioner): eigenvectors of the small eigenvalues lie within O(|S|/lambda_min) of ker J. The kernel
  block P S P is applied without 2 J^T J, so that nothing cancels against lambda_max: its largest |eigenvalue| is the measured size of
  the n - m "zeros" at the stored weights.

  Option prefixes: largest_ (Krylov-Schur), smallest_ and zeros_ (LOBPCG), kernel_ (Krylov-Schur).
*/
#pragma once

#include "archive.h"
#include "density.h"
#include "hessian.h"
#include "jacobian.h"
#include "tiles.h"
#include <slepceps.h>

typedef struct {
  PetscBool full;    /* assemble the whole Hessian (full.h) */
  PetscInt  extreme; /* how many at each end */
  PetscInt  zeros;   /* how many pairs of the zero cluster */

  DensityOptions density;
} HessianOptions;

extern const OptionKey HessianKeys[];

/* Converged pairs, and what was left of those that did not converge. */
typedef struct {
  PetscInt   wanted, found, products; /* products: Hessian-vector products spent; -1: not run */
  PetscReal *value, *residual;        /* found of each: eigenvalue and |A v - lambda v| for |v| = 1; owned */
  PetscReal  tolerance;               /* on the residual: absolute; kernel: relative to the eigenvalue */
} EigenPairs;

typedef struct {
  EigenPairs largest, smallest, zeros, kernel;
} ExtremesResult;

typedef struct Extremes_s *Extremes;

/** Create and configure the four solvers, so that their misspelt options are seen before anything is computed. Collective. */
PetscErrorCode ExtremesCreate(ResidualMap map, const HessianOptions *options, Extremes *extremes);
PetscErrorCode ExtremesDestroy(Extremes *extremes);

/** At the linearization of hessian and jacobian, with the Cholesky factor of K; factor NULL (rank J < m): no projection is possible, then
    smallest and zeros start from random vectors and kernel is not run. lambda_max scales the tolerances. *result is zero at first. It can pause at
    every test of convergence (checkpoint.h), a solver goes on from the vectors it had; stopped there, *result is not whole. Collective. */
PetscErrorCode ExtremesSolve(Extremes extremes, Hessian hessian, Jacobian jacobian, Tiles factor, PetscReal lambda_max,
                             ExtremesResult *result);

/** Collective. */
PetscErrorCode ExtremesResultArchive(Archive archive, ExtremesResult *result);
PetscErrorCode ExtremesResultDestroy(ExtremesResult *result);

/** Cost (cost.h) for so many products with the exact Hessian in all: how many the solvers take depends on the spectrum. Not collective. */
void ExtremesCost(const Sizes *sizes, const HessianOptions *options, PetscReal products, Cost *cost, Cost *stretch);
