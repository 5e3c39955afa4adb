/*
  spectrum_method.h: a way to find the singular values of J: one file, and one line in spectrum.c.
*/
#pragma once

#include "codim/spectrum.h"

typedef struct {
  /* Read the options of its solver, so that misspelt ones are seen before anything is computed; NULL: it has none. Collective. */
  PetscErrorCode (*prepare)(MPI_Comm comm);

  /* Cost (cost.h), and of what runs to its end before a request to stop is looked at. Not collective. */
  void (*cost)(const Sizes *sizes, Cost *cost, Cost *stretch);

  /* sigma, resolution, method, solver; m and norm2 are there, and room for sigma. *done false: asked to stop before the end. NULL: the
     values of gram, which are always found first. Collective. */
  PetscErrorCode (*compute)(Jacobian jacobian, const SpectrumOptions *options, Spectrum *spectrum, PetscBool *done);
} SpectrumMethod;

extern const SpectrumMethod SpectrumQR, SpectrumSVD;

/* The decision rule of spectrum.h from sigma and resolution alone; above may be NULL. Not collective. */
PetscInt SpectrumRank(const Spectrum *spectrum, PetscInt *above);

/* All of it from K, which is filled and then factored. Collective. */
PetscErrorCode SpectrumGram(Jacobian jacobian, Tiles K, PetscBool vectors, PetscBool *factored, Spectrum *spectrum);

/* Only whether rank J = m, in K's place. Collective. */
PetscErrorCode SpectrumCount(Jacobian jacobian, Tiles K, Spectrum *spectrum);

/* Costs of these (cost.h). Not collective. */
void SpectrumCountCost(const Sizes *sizes, Cost *cost);
void SpectrumGramCost(const Sizes *sizes, PetscBool vectors, Cost *cost);

/* E of spectrum.h: how far computed eigenvalues of K, or of one label's K, are off. Collective. */
PetscErrorCode GramEigenvalueError(Jacobian jacobian, PetscReal trace, PetscReal lambda_max, PetscReal *E);

/* c of gamma_c: the longest rounding chain of an entry of K. Not collective. */
PetscReal LongestChain(ResidualMap map);

/* J at theta (1 + step xi), xi standard normal; near->jacobian is used as any other. Collective. */
typedef struct {
  Vec        theta;
  Trajectory trajectory;
  Jacobian   jacobian;
} Neighbour;

PetscErrorCode NeighbourCreate(Jacobian jacobian, PetscReal step, Neighbour *near);
PetscErrorCode NeighbourDestroy(Neighbour *near);

/* Cost of its creation, and the bytes a rank holds while it lives. Not collective. */
void      NeighbourCost(const Sizes *sizes, Cost *cost);
PetscReal NeighbourBytes(const Sizes *sizes);

/* The step that stands for rounding, u sqrt(c). Not collective. */
PetscReal RoundingStep(ResidualMap map);

/* noise[k], k < m: what row k of J may owe to rounding; near: at a step of rounding. Collective. */
PetscErrorCode NoiseOfRows(Jacobian jacobian, Jacobian near, PetscReal noise[]);

/* Cost of E_J of spectrum.h. Not collective. */
void JacobianRoundingCost(const Sizes *sizes, Cost *cost);

/* The resolution of a method that works on J: max(m,n) eps sigma_max + E_J. Collective. */
PetscErrorCode ResolutionOfJ(Jacobian jacobian, PetscReal sigma_max, PetscReal *resolution);
