/*
  loss.h: the losses that are minimal on M, sum_k |H_k|^a with a >= 1 (Cooper, Remark 2.2 and section 5), and one that is minimal nowhere.

  The zero set is M = H^(-1)(0) whatever a is, so Levenberg-Marquardt reaches it by |H|^2 for all of them; other Tao types minimize the loss
  that was asked for. The claim about the Hessian is one about a = 2. With u_k = a |H_k|^(a-1) sign(H_k) and D = diag(a (a-1) |H_k|^(a-2))

    gradient = J^T u,   Hessian = J^T D J + sum_k u_k Hessian(H_k)

  On M: a = 2: 2 J^T J; a > 2: 0; 1 <= a < 2: where J != 0 it does not exist.
*/
#pragma once

#include "certify.h"

typedef struct {
  PetscInt  kind;
  PetscReal power; /* a */
} LossOptions;

enum { LOSS_POWER, LOSS_CROSS_ENTROPY }; /* LossOptions.kind */

extern const OptionKey   LossKeys[];
extern const LossOptions LossDefaults; /* |H|^2 */

/** sum_k |H_k|^a. Collective. */
PetscErrorCode LossSum(PetscReal a, Vec H, PetscReal *sum);

/** u; the diagonal of D, 0 where it is infinite (NULL: not wanted). Not collective. */
PetscErrorCode LossDerivatives(PetscReal a, Vec H, Vec first, Vec second);

/** A value of the loss below which |H|^2 <= tolerance, for m residuals: norms of R^m are equivalent. Not collective. */
PetscReal LossBound(PetscReal a, PetscInt m, PetscReal tolerance);

/** What the Hessian of the loss is on M, in words. Not collective. */
const char *LossHessianOnM(PetscReal a);

/** Cross-entropy of hard labels is positive for every theta, its infimum 0 is not attained: M is empty; *refuted, and the certificate says so.
    Powers: false. STATUS_USAGE on cross-entropy of targets that are no hard labels (one 1 among 0s at every point observed; l = 1: 0 or 1).
    Collective. */
PetscErrorCode LossRefute(const LossOptions *options, Data data, ResidualMap map, PetscBool *refuted, Certificate *certificate);
