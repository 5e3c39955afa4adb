/*
  full.h: the whole Hessian, n x n, assembled by n products, and all its eigenvalues: the ground truth for everything else, n up to some
  thousands.
*/
#pragma once

#include "archive.h"
#include "hessian.h"
#include "tiles.h"

typedef struct {
  PetscInt   n;
  PetscReal *lambda;          /* n eigenvalues, ascending, whole on every rank; owned */
  PetscReal  error;           /* n u |lambda|_max: the eigensolver's backward error */
  PetscReal  trace;           /* of the assembled matrix */
  PetscReal  trace_curvature; /* of S, assembled likewise */
} FullHessian;

/** Cost (cost.h), the Hessian itself not counted; why it is impossible on these ranks, or "". Not collective. */
void FullHessianCost(const Sizes *sizes, Cost *cost);
void FullHessianLimit(const Sizes *sizes, size_t size, char text[]);

/** 2 n products of the exact Hessian and of S, and an n x n eigenvalue problem. Stopped after one of
    them (checkpoint.h), *full has no eigenvalues and begins anew the next time. Collective. */
PetscErrorCode FullHessianCompute(Hessian hessian, FullHessian *full);

/** Collective. */
PetscErrorCode FullHessianArchive(Archive archive, FullHessian *full);
PetscErrorCode FullHessianDestroy(FullHessian *full);
