/*
  jacobian.h: the Jacobian J = H', m x n, kept as factors.

  A label W (h x k) used at T places by an op enters row r = (i,o) of J as sum_t delta_rt (x) a_it: A (N x T x k) went in, Delta
  (R x T x h) comes back: R rows of N points in this group (rows.h). From the factors alone (bias: A = 1)

    J v   = sum_t rowsum(((A_t V^T + 1 v_b^T) (x) 1) o Delta_t)          2 n d flops
    J^T u = sum_t (Delta_t o u)^T (A_t (x) 1),   sum_t Delta_t^T u        2 n d flops

  A label that enters as a value of its own (op parameter) is used like a bias: T = 1, A = 1, and Delta is its block of J.
*/
#pragma once

#include "residual.h"
#include <petscmat.h>

typedef struct Jacobian_s *Jacobian;

struct Jacobian_s {
  ResidualMap map;
  Vec         theta;      /* borrowed */
  Trajectory  trajectory; /* borrowed: A */
  Adjoint     units;      /* Delta */
};

/* One use of one label: the factors of its block of J, on this group's points. */
typedef struct {
  PetscInt         label, T, k, h; /* k: cols of a weight; 1 for a bias */
  const PetscReal *A;              /* N x T x k; NULL: ones (a bias, a parameter's value): then h is all the label's entries */
  const PetscReal *Delta;          /* R x T x h */
} LabelUse;

/** 8 R sum_units bytes at most. Collective. */
PetscErrorCode JacobianCreate(ResidualMap map, Jacobian *jacobian);
PetscErrorCode JacobianDestroy(Jacobian *jacobian);

/** Take the factors at theta from its trajectory; both must live as long as they are used. Collective. */
PetscErrorCode JacobianLinearize(Jacobian jacobian, Vec theta, Trajectory trajectory);

/** The uses of all labels, grouped by label; free with PetscFree. Not collective. */
PetscErrorCode JacobianGetUses(Jacobian jacobian, PetscInt *nuses, LabelUse **uses);

/** u = J v. Collective. */
PetscErrorCode JacobianMult(Jacobian jacobian, Vec v, Vec u);

/** y += alpha J^T u, in place: no n-sized temporary. Collective. */
PetscErrorCode JacobianMultTransposeAdd(Jacobian jacobian, PetscReal alpha, Vec u, Vec y);

/** Ku = J J^T u, block by block of the columns of J: no n-sized temporary, 64 MB at most. Collective. */
PetscErrorCode JacobianMultGram(Jacobian jacobian, Vec u, Vec Ku);

/** The squares of the norms of J's rows, or of their entries of one label (-1: all), from the factors. Collective. */
PetscErrorCode JacobianRowNormsSquared(Jacobian jacobian, PetscInt label, Vec norms2);

/** |J|_F^2, from norms of the factors where a label is used once at one place, and from its block otherwise. Collective. */
PetscErrorCode JacobianNormSquared(Jacobian jacobian, PetscReal *norm2);

/** J as a MATSHELL (MatMult, MatMultTranspose); `jacobian` is borrowed. Collective. */
PetscErrorCode JacobianCreateMat(Jacobian jacobian, Mat *J);

/** Bytes a rank of the assembled J: 8 m times its entries of an n-sized Vec. Not collective. */
PetscReal JacobianAssembledBytes(Jacobian jacobian);

/** J assembled and stored transposed, n x m, a dense Mat: rows as in n-sized Vecs, columns as in m-sized ones, so that MatMult is J^T u
    and MatMultTranspose J v. With G > 1 a rank also takes the factors of one label while it runs. STATUS_DATA where a rank would have
    2^31 entries or more with 32-bit indices. Collective. */
PetscErrorCode JacobianAssemble(Jacobian jacobian, Mat *Jt);

/** Cost (cost.h). Not collective. */
void JacobianMultCost(const Sizes *sizes, Cost *cost);
void JacobianMultTransposeAddCost(const Sizes *sizes, Cost *cost);
void JacobianMultGramCost(const Sizes *sizes, Cost *cost);
