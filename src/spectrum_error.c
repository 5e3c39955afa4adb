/*
  spectrum_error.c: how far the computed entries of K and of J are from the exact ones; see spectrum.h.

  E_J is |J - J'|_F for J' at theta (1 + epsilon xi), xi standard normal, scaled from epsilon to u sqrt(c): an op that rounds c times returns
  what an exact op returns for parameters changed by up to c u each, typically by sqrt(c) u. The difference is taken factor by factor,

    |J - J'|_F^2 <= sum over rows and labels of ( sum over uses of |delta - delta'| |a| + |delta'| |a - a'| )^2,

  so that nothing cancels. epsilon = 2^-26: second-order terms and the rounding of the difference are both below 10^-7 of it.

  NoiseOfRows moves theta by u sqrt(c) itself: there rounding is a part of the change. An entry that is 0 at every theta, for what cancels in
  it, and nonzero in floating point changes by as much as it is.
*/
#include "rounding.h"
#include "spectrum_method.h"

enum { STREAM_ERROR = 1 << 21 }; /* of the random direction */

static const PetscReal epsilon = 1. / 67108864;

PetscReal LongestChain(ResidualMap map)
{
  PetscReal length = 0, sums = 0;

  for (PetscInt label = 0; label < map->network->nlabels; label++) {
    const GramTerm term = GramTermOf(map->network, (PetscReal)map->d, (PetscReal)map->m, label);

    length = PetscMax(length, term.length);
    sums += term.sums;
  }
  return length + sums + 6;
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

/* of the rows this rank owns: |row of J - row of J'| at most */
static PetscErrorCode RowDistances(Jacobian jacobian, Jacobian moved, PetscReal distance[])
{
  const Rows rows = jacobian->map->rows;
  PetscInt   nuses;
  LabelUse  *uses, *others;

  PetscFunctionBeginUser;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  PetscCall(JacobianGetUses(moved, &nuses, &others));
  for (PetscInt row = rows->owned.first; row < rows->owned.last; row++) {
    const size_t local = (size_t)(row - rows->group.first);
    PetscReal    sum   = 0; /* over the uses of a label */

    distance[row] = 0;
    for (PetscInt i = 0; i < nuses; i++) {
      sum += RowDistance(&uses[i], &others[i], local, (size_t)rows->group_point[local]);
      if (i + 1 < nuses && uses[i + 1].label == uses[i].label) continue;
      distance[row] += sum * sum;
      sum = 0;
    }
    distance[row] = PetscSqrtReal(distance[row]);
  }
  PetscCall(PetscFree(uses));
  PetscCall(PetscFree(others));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NeighbourCreate(Jacobian jacobian, PetscReal step, Neighbour *near)
{
  const ResidualMap map = jacobian->map;
  Vec               H;

  PetscFunctionBeginUser;
  PetscCall(ParametersCreateVec(map->parameters, &near->theta));
  PetscCall(ParametersSetRandom(map->parameters, 0, STREAM_ERROR, near->theta));
  PetscCall(VecPointwiseMult(near->theta, near->theta, jacobian->theta));
  PetscCall(VecAYPX(near->theta, step, jacobian->theta));
  PetscCall(RowsCreateVec(map->rows, &H));
  PetscCall(TrajectoryCreate(map, &near->trajectory));
  PetscCall(JacobianCreate(map, &near->jacobian));
  PetscCall(ResidualMapApply(map, near->theta, near->trajectory, H));
  PetscCall(JacobianLinearize(near->jacobian, near->theta, near->trajectory));
  PetscCall(VecDestroy(&H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NeighbourDestroy(Neighbour *near)
{
  PetscFunctionBeginUser;
  PetscCall(JacobianDestroy(&near->jacobian));
  PetscCall(TrajectoryDestroy(&near->trajectory));
  PetscCall(VecDestroy(&near->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void NeighbourCost(const Sizes *s, Cost *cost)
{
  cost->work[WORK_NORMALS] += s->local;
  cost->work[WORK_STREAM] += 5 * 8 * s->local;
  ResidualMapApplyCost(s, cost);
  ResidualMapAdjointCost(s, s->R, 1, cost);
}

PetscReal NeighbourBytes(const Sizes *s)
{
  return 8 * s->local + SizesValues(s, s->N) + ResidualMapUnitsBytes(s);
}

PetscReal RoundingStep(ResidualMap map)
{
  return PetscSqrtReal(LongestChain(map)) * ROUNDING;
}

PetscErrorCode NoiseOfRows(Jacobian jacobian, Jacobian near, PetscReal noise[])
{
  PetscMPIInt m;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(jacobian->map->m, &m));
  PetscCall(PetscArrayzero(noise, m));
  PetscCall(RowDistances(jacobian, near, noise));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, noise, m, MPIU_REAL, MPI_SUM, jacobian->map->grid->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* E_J of spectrum.h */
static PetscErrorCode JacobianRounding(Jacobian jacobian, PetscReal *E_J)
{
  const ResidualMap map = jacobian->map;
  Neighbour         near;
  PetscReal         distance2 = 0, *distance;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(map->m, &distance));
  PetscCall(NeighbourCreate(jacobian, epsilon, &near));
  PetscCall(RowDistances(jacobian, near.jacobian, distance));
  for (PetscInt row = map->rows->owned.first; row < map->rows->owned.last; row++) distance2 += PetscSqr(distance[row]);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &distance2, 1, MPIU_REAL, MPI_SUM, map->grid->world));
  *E_J = PetscSqrtReal(distance2) * RoundingStep(map) / epsilon;
  PetscCall(NeighbourDestroy(&near));
  PetscCall(PetscFree(distance));
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
  Cost part = {.bytes = 0};

  NeighbourCost(s, &part);
  CostHold(&part, NeighbourBytes(s));
  CostReduceAll(&part, s->P, 8, 1);
  CostAdd(cost, &part, 1);
}
