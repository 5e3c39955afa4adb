/*
  loss.c: see loss.h.

  Cross-entropy. At a point of class c it is -log softmax(f)_c = log sum_o exp(f_o - f_c) > 0 for l >= 2 outputs, and log(1 + exp(-+f)) > 0 for
  one output and the classes 1, 0: positive at every theta, whatever the net. Where the points can be told apart it tends to 0 as f is scaled up.
*/
#include "codim/loss.h"
#include <math.h>

static const char *const Kinds[] = {"power", "cross_entropy", NULL};

const OptionKey LossKeys[] =
    {{"loss_kind", KEY_CHOICE, offsetof(LossOptions, kind), "power", 0, 0, Kinds,
      "power: sum |f - y|^a; cross_entropy: of classes; it has no minimum, which is all that is said of it"},
     {"loss_power", KEY_REAL, offsetof(LossOptions, power), "2", 1, 1e3, NULL,
      "a >= 1: M is the same for each; what the Hessian is there, is not"},
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

const LossOptions LossDefaults = {LOSS_POWER, 2};

PetscErrorCode LossSum(PetscReal a, Vec H, PetscReal *sum)
{
  const PetscReal *local;
  PetscInt         size;

  PetscFunctionBeginUser;
  *sum = 0;
  if (a == 2) {
    PetscCall(VecDot(H, H, sum));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetLocalSize(H, &size));
  PetscCall(VecGetArrayRead(H, &local));
  for (PetscInt k = 0; k < size; k++) *sum += PetscPowReal(PetscAbsReal(local[k]), a);
  PetscCall(VecRestoreArrayRead(H, &local));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 1, MPIU_REAL, MPI_SUM, PetscObjectComm((PetscObject)H)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LossDerivatives(PetscReal a, Vec H, Vec first, Vec second)
{
  const PetscReal *h;
  PetscReal       *u, *w = NULL;
  PetscInt         size;

  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(H, &size));
  PetscCall(VecGetArrayRead(H, &h));
  PetscCall(VecGetArrayWrite(first, &u));
  if (second) PetscCall(VecGetArrayWrite(second, &w));
  for (PetscInt k = 0; k < size; k++) {
    const PetscReal size_k = PetscAbsReal(h[k]);

    u[k] = h[k] == 0 ? 0 : (h[k] > 0 ? a : -a) * PetscPowReal(size_k, a - 1);
    if (w) w[k] = a == 2 ? 2 : size_k == 0 ? 0 : a * (a - 1) * PetscPowReal(size_k, a - 2);
  }
  if (second) PetscCall(VecRestoreArrayWrite(second, &w));
  PetscCall(VecRestoreArrayWrite(first, &u));
  PetscCall(VecRestoreArrayRead(H, &h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |H|_2 <= |H|_a for a <= 2, |H|_2 <= m^(1/2 - 1/a) |H|_a for a >= 2 */
PetscReal LossBound(PetscReal a, PetscInt m, PetscReal tolerance)
{
  const PetscReal factor = a > 2 ? PetscPowReal((PetscReal)m, .5 - 1 / a) : 1;

  return PetscPowReal(PetscSqrtReal(tolerance) / factor, a);
}

const char *LossHessianOnM(PetscReal a)
{
  return a > 2   ? "on M its Hessian is 0: no eigenvalue is positive"
         : a < 2 ? "on M its Hessian does not exist"
                 : "on M its Hessian is 2 J^T J: rank J positive eigenvalues, the others 0";
}

/* ---- cross-entropy ------------------------------------------------------------------------------------------------------- */

/* one 1 among 0s; l = 1: 0 or 1; nothing observed is as good */
static PetscBool IsHardLabel(PetscInt l, const PetscReal y[])
{
  PetscInt ones = 0, zeros = 0, missing = 0;

  for (PetscInt o = 0; o < l; o++) {
    ones += y[o] == 1;
    zeros += y[o] == 0;
    missing += isnan(y[o]) ? 1 : 0;
  }
  return (PetscBool)(missing == l || (ones + zeros == l && (l == 1 || ones == 1)));
}

PetscErrorCode LossRefute(const LossOptions *options, Data data, ResidualMap map, PetscBool *refuted, Certificate *certificate)
{
  PetscBool hard = PETSC_TRUE;

  PetscFunctionBeginUser;
  *refuted = PETSC_FALSE;
  if (options->kind != LOSS_CROSS_ENTROPY) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(UserCheck(map->grid->world, (PetscBool)(data->options.target != TARGET_NET), STATUS_USAGE,
                      "data.target: net is about {theta : f_theta(x_i) = f_theta0(x_i)}, whatever loss the weights were trained "
                      "with: leave loss.kind out"));
  for (PetscInt i = 0; data->all_y && data->options.target != TARGET_ONEHOT && i < data->points; i++)
    if (!IsHardLabel(data->outputs, data->all_y + (size_t)i * (size_t)data->outputs)) hard = PETSC_FALSE;
  PetscCall(UserCheck(map->grid->world, hard, STATUS_USAGE,
                      "loss.kind: cross_entropy is known for hard labels only, one 1 among 0s at every point (data.target: onehot "
                      "makes them of classes); for a net trained with another loss there is data.target: net"));
  *refuted = PETSC_TRUE;
  CertificateClear(map, certificate);
  certificate->status = CERTIFY_REFUTED;
  certificate->empty  = PETSC_TRUE;
  PetscCall(PetscStrncpy(certificate->reason,
                         "cross-entropy of hard labels is positive for every theta, it tends to 0 only as outputs go to infinity: "
                         "the infimum is not attained, M is empty. data.target: net asks instead about all theta with the outputs "
                         "of the loaded weights, whatever loss they were trained with",
                         sizeof certificate->reason));
  PetscFunctionReturn(PETSC_SUCCESS);
}
