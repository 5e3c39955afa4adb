/*
  memory.h: what a run will need, and what there is.
*/
#pragma once

#include "codim/extremes.h"

typedef struct {
  PetscReal base;     /* theta, data, trajectory, factors: from the start to the end */
  PetscReal reach;    /* on top of base: K, its Cholesky factor, a trial trajectory */
  PetscReal spectrum; /* K and a copy */
  PetscReal extremes; /* the Hessian's linearization, the factor of K, the solvers' vectors */
  PetscReal density;  /* the Hessian's linearization, the Lanczos vectors */
  PetscReal walk;     /* K, two trajectories, the factors, n-sized Vecs, the certificate's trajectories */
  PetscReal certify;  /* K, its eigenvectors, a copy; two more trajectories */
} MemoryPlan;

/* Bytes a rank (the largest), by the formulas of the headers, without the libraries' own baseline. Not collective. */
MemoryPlan MemoryPredict(ResidualMap map, const HessianOptions *options, Tiles K);

/* Bytes a rank may take: what the system calls available on its node, over the node's ranks; infinity where it does not tell. Collective. */
PetscErrorCode MemoryAvailable(MPI_Comm comm, PetscReal *bytes);
