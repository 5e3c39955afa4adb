/*
  spectrum_error.c: how far the computed entries of K and of J are from the exact ones; see spectrum.h.

  E_J is |J - J'|_F for J' at theta (1 + epsilon xi), xi standard normal, scaled from epsilon to u sqrt(c): an op that rounds c times returns
  what an exact op returns for parameters changed by up to c u each, typically by sqrt(c) u. The difference is taken factor by factor,

    |J - J'|_F^2 <= sum over rows and labels of ( sum over uses of |delta - delta'| |a| + |delta'| |a - a'| )^2,

  so that nothing cancels. epsilon = 2^-26: second-order terms and the rounding of the difference are both below 10^-7 of it.
*/
#include "spectrum_method.h"

enum { STREAM_ERROR = 1 << 21 }; /* of the random direction */

static const PetscReal epsilon = 1. / 67108864;

PetscErrorCode LongestChain(Jacobian jacobian, PetscReal *c)
{
  PetscInt  nuses;
  LabelUse *uses;

  PetscFunctionBeginUser;
  *c = 0;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i++) {
    PetscReal places = 0; /* of the label: pairs of places are summed */

    for (PetscInt j = 0; j < nuses; j++)
      if (uses[j].label == uses[i].label) places += (PetscReal)uses[j].T;
    *c = PetscMax(*c, (PetscReal)(uses[i].k + uses[i].h) + (places > 1 ? places * places : 0));
  }
  *c += (PetscReal)jacobian->map->network->nlabels + 6;
  PetscCall(PetscFree(uses));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |a| |a - b| and the like: Frobenius norms of row number `row` */
static PetscReal RowNorm(size_t size, size_t row, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (size_t j = row * size; j < (row + 1) * size; j++) sum += PetscSqr(a[j] - (b ? b[j] : 0));
  return PetscSqrtReal(sum);
}

/* one row of J restricted to one use */
static PetscReal RowDistance(const LabelUse *use, const LabelUse *moved, size_t row, size_t point)
{
  const size_t    Th = (size_t)use->T * (size_t)use->h, Tk = (size_t)use->T * (size_t)use->k;
  const PetscReal d_delta = RowNorm(Th, row, use->Delta, moved->Delta);

  if (!use->A) return d_delta * PetscSqrtReal((PetscReal)use->T);
  return d_delta * RowNorm(Tk, point, use->A, NULL) + RowNorm(Th, row, moved->Delta, NULL) * RowNorm(Tk, point, use->A, moved->A);
}

/* |J - J'|_F^2 at most */
static PetscErrorCode JacobianDistance(Jacobian jacobian, Jacobian moved, PetscReal *distance2)
{
  const ResidualMap map  = jacobian->map;
  const Rows        rows = map->rows;
  PetscInt          nuses;
  LabelUse         *uses, *others;

  PetscFunctionBeginUser;
  *distance2 = 0;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  PetscCall(JacobianGetUses(moved, &nuses, &others));
  for (PetscInt row = rows->owned.first - rows->group.first; row < rows->owned.last - rows->group.first; row++) {
    PetscReal sum = 0; /* over the uses of a label */

    for (PetscInt i = 0; i < nuses; i++) {
      sum += RowDistance(&uses[i], &others[i], (size_t)row, (size_t)rows->group_point[row]);
      if (i + 1 < nuses && uses[i + 1].label == uses[i].label) continue;
      *distance2 += sum * sum;
      sum = 0;
    }
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, distance2, 1, MPIU_REAL, MPI_SUM, map->grid->world));
  PetscCall(PetscFree(uses));
  PetscCall(PetscFree(others));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JacobianRounding(Jacobian jacobian, PetscReal *E_J)
{
  const ResidualMap map = jacobian->map;
  Vec               theta, H;
  Trajectory        trajectory;
  Jacobian          moved;
  PetscReal         c, distance2;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(map->parameters, &theta));
  PetscCall(ParametersSetRandom(map->parameters, 0, STREAM_ERROR, theta));
  PetscCall(VecPointwiseMult(theta, theta, jacobian->theta));
  PetscCall(VecAYPX(theta, epsilon, jacobian->theta));
  PetscCall(RowsCreateVec(map->rows, &H));
  PetscCall(TrajectoryCreate(map, &trajectory));
  PetscCall(JacobianCreate(map, &moved));
  PetscCall(ResidualMapApply(map, theta, trajectory, H));
  PetscCall(JacobianLinearize(moved, theta, trajectory));
  PetscCall(JacobianDistance(jacobian, moved, &distance2));
  PetscCall(LongestChain(jacobian, &c));
  *E_J = PetscSqrtReal(c * distance2) * (PETSC_MACHINE_EPSILON / 2) / epsilon;
  PetscCall(JacobianDestroy(&moved));
  PetscCall(TrajectoryDestroy(&trajectory));
  PetscCall(VecDestroy(&H));
  PetscCall(VecDestroy(&theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ResolutionOfJ(Jacobian jacobian, PetscReal sigma_max, PetscReal *resolution)
{
  PetscReal E_J;

  PetscFunctionBeginUser;
  PetscCall(JacobianRounding(jacobian, &E_J));
  *resolution = (PetscReal)jacobian->map->n * PETSC_MACHINE_EPSILON * sigma_max + E_J; /* n > m */
  PetscFunctionReturn(PETSC_SUCCESS);
}

void JacobianRoundingCost(const Sizes *s, Cost *cost)
{
  Cost part = {.work[WORK_NORMALS] = s->local, .work[WORK_STREAM] = 5 * 8 * s->local};

  ResidualMapApplyCost(s, &part);
  ResidualMapAdjointCost(s, s->R, 1, &part);
  CostHold(&part, 8 * s->local + SizesValues(s, s->N) + ResidualMapUnitsBytes(s));
  CostReduceAll(&part, s->P, 8, 1);
  CostAdd(cost, &part, 1);
}
