/*
  hessian.h: the exact Hessian of L = |H|^2, n x n, as an operator; no differences are taken.

    Hessian v = 2 J^T J v + S v,   S = 2 sum_k H_k Hessian(H_k)

  With the linearization stored (trajectory, and the adjoint of the seed 2H) a product is one tangent sweep and one adjoint's-tangent
  sweep: 12 n d flops. S alone is the adjoint's tangent with a zero seed: nothing cancels against 2 J^T J.
*/
#pragma once

#include "residual.h"
#include <petscmat.h>

typedef struct Hessian_s *Hessian;

struct Hessian_s {
  ResidualMap map;
  Vec         theta;          /* borrowed */
  Trajectory  trajectory;     /* borrowed */
  Adjoint     adjoint;        /* of the seed 2 H, or u */
  PetscReal  *second;         /* the diagonal of D on the group's rows; NULL: 2 */
  PetscReal **saved;          /* of every op: what its tangent and adjoint's tangent use again in each product */
  PetscReal **dot, **bar_dot; /* of every value, along v */
  PetscInt    products;       /* HessianMult calls so far */
};

typedef enum { HESSIAN_EXACT, HESSIAN_CURVATURE /* S */ } HessianPart;

/** 8 N sum_units bytes, five times: adjoint, its tangent, the tangent, and sigma', sigma''. Collective. */
PetscErrorCode HessianCreate(ResidualMap map, Hessian *hessian);
PetscErrorCode HessianDestroy(Hessian *hessian);

/** Store the linearization at theta; theta and trajectory are borrowed, and not changed, until the next one or HessianDestroy.
    With G > 1 it holds theta's shard (ParametersHold). Collective. */
PetscErrorCode HessianLinearize(Hessian hessian, Vec theta, Trajectory trajectory, Vec H);

/** The same for the Hessian J^T D J + sum_k u_k Hessian(H_k) of another function of the residuals, with the first derivatives u and the second
    ones, the diagonal of D; both are copied. Collective. */
PetscErrorCode HessianLinearizeOf(Hessian hessian, Vec theta, Trajectory trajectory, Vec first, Vec second);

/** y = part v. Collective. */
PetscErrorCode HessianMult(Hessian hessian, HessianPart part, Vec v, Vec y);

/** A symmetric MATSHELL; `hessian` is borrowed. Collective. */
PetscErrorCode HessianCreateMat(Hessian hessian, HessianPart part, Mat *mat);

/** Bytes that HessianCreate and HessianLinearize take and keep; the cost of one product (cost.h). Not collective. */
PetscReal HessianBytes(const Sizes *sizes);
void      HessianMultCost(const Sizes *sizes, Cost *cost);
