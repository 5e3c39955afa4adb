/*
  density.h: the spectral density of a symmetric operator, such as the exact Hessian, by stochastic Lanczos quadrature.

  A probe v, standard normals scaled to |v| = 1, has the measure mu = sum_j (v . u_j)^2 delta(lambda_j); k steps of Lanczos give its Gauss quadrature,
  k nodes with weights. n times the mean over probes is the density of the n eigenvalues (Lin, Saad, Yang 2016; Ghorbani, Krishnan, Xiao 2019).

  Two different errors:
    over probes   the standard error of a mean over probes: what the random weights leave
    bias          a node stands for every eigenvalue around it. By Chebyshev, Markov and Stieltjes (Szego 1975, 3.41), with S_i = w_1 + … + w_i,

                    S_(i-1) <= mu(-oo, theta_i) <= mu(-oo, theta_i] <= S_i,

                  so that a count beyond any t is bracketed, and the eigenvalues strictly between the two neighbours of a node weigh at least w_i
                  and at most w_(i-1) + w_i + w_(i+1). More probes do not mend it. The node next to 0 holds what k steps cannot tell from 0.

  Of a spectrum that is known, the same k steps give the nodes without any random weights: what the quadrature can show of it at best.
*/
#pragma once

#include "archive.h"
#include "spectrum_file.h"
#include <petscmat.h>

enum { DENSITY_STREAM = 1 << 21 }; /* probe p is stream DENSITY_STREAM + p of seed 0 (random.h) */

typedef struct {
  PetscInt steps;  /* of Lanczos, for a probe; 0: no density */
  PetscInt probes; /* at least 2 for an error */
} DensityOptions;

/* A number of eigenvalues, or a sum over them: the mean over probes. */
typedef struct {
  PetscReal value;
  PetscReal error; /* standard error over the probes; infinity of one probe */
  PetscReal low,
      high; /* mean over the probes of the bracket: contains the mean of the probes' true measures; -infinity, infinity: none */
} DensityEstimate;

typedef struct {
  PetscInt   n;             /* eigenvalues: dimension of the space */
  PetscInt   steps, probes; /* probes: completed ones */
  PetscInt   products;
  PetscInt  *nodes;                    /* of each probe: steps, or fewer where it is exact before */
  PetscBool *exact;                    /* each probe's nodes are its measure itself: its Krylov space is invariant */
  PetscReal *node, *weight, *residual; /* probes x steps, row-major, each row ascending; a probe's weights add up to n */
  PetscReal  seconds;
} Density;

/* An invariant subspace whose eigenvalues alone are wanted. */
typedef struct {
  PetscInt dimension;
  PetscErrorCode (*project)(void *context, Vec v); /* onto it, in place */
  void *context;
} DensitySpace;

/** `space` NULL: all of R^n. 8 n_local (steps + 3) bytes while it runs; 24 steps probes to keep. It can pause between probes (checkpoint.h); stopped, it returns those
    completed. The probes are streams of random.h: the same on any grid. Collective. */
PetscErrorCode DensityCompute(Mat A, Parameters parameters, const DensityOptions *options, const DensitySpace *space,
                              Density *density);

/** The quadrature, by so many steps, of the measure of n eigenvalues: `count` of them in lambda, n - count equal to 0. One "probe", without
    randomness. 8 count (steps + 3) bytes. Not collective: the same on every rank. */
PetscErrorCode DensityOfSpectrum(PetscInt n, PetscInt count, const PetscReal lambda[], PetscInt steps, Density *density);

PetscErrorCode DensityDestroy(Density *density);

/** Reading: into a density that is zero, or has room for as many probes. Collective. */
PetscErrorCode DensityArchive(Archive archive, Density *density);

/** Bytes a rank while it runs, for n_local entries of an n-sized Vec. Not collective. */
PetscReal DensityBytes(const DensityOptions *options, PetscInt n_local);

/** How many eigenvalues are above t (below, if `below`). Not collective. */
DensityEstimate DensityCount(const Density *density, PetscReal t, PetscBool below);

/** The weight of the node next to 0: what the quadrature calls zero. low, high: how many eigenvalues can be strictly between its neighbours.
    Not collective. */
DensityEstimate DensityNearZero(const Density *density);

/** How many eigenvalues the nodes on one side of the node next to 0 stand for: told to be positive (negative, if `below`). Bracketed as counts
    are. Not collective. */
DensityEstimate DensitySide(const Density *density, PetscBool below);

/** sum over the eigenvalues of lambda^power, power 1 or 2: tr A, tr A^2, without bias. Not collective. */
DensityEstimate DensityTrace(const Density *density, PetscInt power);

/** The distance from 0 within which no probe had a node but the one next to 0, as a median over the probes: eigenvalues closer than that are not
    told from 0. Not collective. */
PetscReal DensityResolution(const Density *density);

/** Largest and least node with their residuals: within them there is an eigenvalue; the largest is at least, the least at most the node. Not
    collective. */
void DensityEnds(const Density *density, PetscReal *largest, PetscReal *largest_residual, PetscReal *least,
                 PetscReal *least_residual);

/** Nodes and weights under a group of the file, e.g. "/hessian/density". Collective. */
PetscErrorCode DensityWrite(SpectrumFile file, const char group[], const Density *density);
