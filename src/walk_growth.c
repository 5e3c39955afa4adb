/*
  walk_growth.c: how the loss grows away from a point of M; see walk.h.

  Tangent: standard normals projected onto ker J. Normal: J^T u, u standard normals. Last: standard normals in the parameters of the last
  layer alone, projected onto the kernel of its block J_T of J: v - J_T^T (J_T J_T^T)^+ J_T v by conjugate gradients; there is none where the
  last layer has too few parameters.
*/
#include "codim/kernel.h"
#include "codim/random.h"
#include "codim/walk.h"
#include <math.h>
#include <petscksp.h>
#include <stdlib.h>

enum { STREAM_GROWTH = 1 << 23, REPEATS_MAX = 6, FITTED = 7 /* distances, a factor 2 apart */ };

static const PetscReal FARTHEST = 1, ABOVE_FLOOR = 1e6;

typedef struct {
  Jacobian   jacobian;
  Tiles      factor;
  PetscReal  norm; /* |J|_F */
  Vec        mask; /* 1 at the last layer's parameters; NULL: there is no last layer of its own */
  Vec        t, work, theta, u, H;
  Trajectory trajectory;
} Around;

/* ---- the last layer ---------------------------------------------------------------------------------------------------------------- */

/* the output is a linear op whose parameters no other op uses */
static PetscBool HasLastLayer(Network net)
{
  const NetOp *last = &net->ops[net->nops - 1];

  if (last->weight < 0) return PETSC_FALSE;
  for (PetscInt v = 1; v < net->nops - 1; v++)
    if (net->ops[v].weight == last->weight || net->ops[v].bias == last->weight ||
        (last->bias >= 0 && (net->ops[v].bias == last->bias || net->ops[v].weight == last->bias)))
      return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscErrorCode CreateMask(Around *a)
{
  const ResidualMap   map  = a->jacobian->map;
  const NetOp        *last = &map->network->ops[map->network->nops - 1];
  const ParameterRun *runs;
  PetscInt            nruns;
  PetscReal          *local;

  PetscFunctionBeginUser;
  if (!HasLastLayer(map->network)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ParametersCreateVec(map->parameters, &a->mask));
  PetscCall(ParametersGetRuns(map->parameters, &nruns, &runs));
  PetscCall(VecGetArray(a->mask, &local));
  for (PetscInt i = 0; i < nruns; i++)
    if (runs[i].label == last->weight || runs[i].label == last->bias)
      for (PetscInt k = 0; k < runs[i].count; k++) local[runs[i].local + k] = 1;
  PetscCall(VecRestoreArray(a->mask, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* v = J_T J_T^T u */
static PetscErrorCode MatMult_LastGram(Mat mat, Vec u, Vec v)
{
  Around *a;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &a));
  PetscCall(VecSet(a->work, 0));
  PetscCall(JacobianMultTransposeAdd(a->jacobian, 1, u, a->work));
  PetscCall(VecPointwiseMult(a->work, a->work, a->mask));
  PetscCall(JacobianMult(a->jacobian, a->work, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LastGramSolver(Around *a, KSP *ksp)
{
  const ResidualMap map   = a->jacobian->map;
  const PetscInt    local = map->rows->owned.last - map->rows->owned.first;
  Mat               A;
  PC                pc;

  PetscFunctionBeginUser;
  PetscCall(MatCreateShell(map->grid->world, local, local, map->m, map->m, a, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MatMult_LastGram));
  PetscCall(KSPCreate(map->grid->world, ksp));
  PetscCall(KSPSetType(*ksp, KSPCG));
  PetscCall(KSPGetPC(*ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscCall(KSPSetOperators(*ksp, A, A));
  PetscCall(KSPSetTolerances(*ksp, 1e-10, 0, PETSC_DEFAULT, 4 * map->m + 100));
  PetscCall(MatDestroy(&A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* t: of the last layer's parameters, into the kernel of its block; repeated, as each solve leaves a part of J t */
static PetscErrorCode ProjectLast(Around *a)
{
  KSP       ksp;
  Vec       c;
  PetscReal rest, norm;

  PetscFunctionBeginUser;
  PetscCall(LastGramSolver(a, &ksp));
  PetscCall(VecDuplicate(a->u, &c));
  PetscCall(VecPointwiseMult(a->t, a->t, a->mask));
  for (PetscInt repeat = 0; repeat < REPEATS_MAX; repeat++) {
    PetscCall(JacobianMult(a->jacobian, a->t, a->u));
    PetscCall(VecNorm(a->u, NORM_2, &rest));
    PetscCall(VecNorm(a->t, NORM_2, &norm));
    if (rest <= 2 * PETSC_MACHINE_EPSILON * a->norm * norm) break;
    PetscCall(KSPSolve(ksp, a->u, c));
    PetscCall(VecSet(a->work, 0));
    PetscCall(JacobianMultTransposeAdd(a->jacobian, -1, c, a->work));
    PetscCall(VecPointwiseMult(a->work, a->work, a->mask));
    PetscCall(VecAXPY(a->t, 1, a->work));
  }
  PetscCall(VecDestroy(&c));
  PetscCall(KSPDestroy(&ksp));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- directions ----------------------------------------------------------------------------------------------------------------------- */

/* t, of length 1; *found: there is one */
static PetscErrorCode Direct(Around *a, GrowthKind kind, PetscInt seed, PetscInt64 index, PetscBool *found)
{
  const ResidualMap map   = a->jacobian->map;
  const Range       owned = map->rows->owned;
  PetscReal        *local, whole, norm;

  PetscFunctionBeginUser;
  *found = (PetscBool)(kind != GROWTH_LAST || a->mask);
  if (!*found) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ParametersSetRandom(map->parameters, seed, STREAM_GROWTH + index, a->t));
  PetscCall(VecNorm(a->t, NORM_2, &whole));
  if (kind == GROWTH_TANGENT) {
    PetscCall(KernelProject(a->jacobian, a->factor, 2, a->t));
  } else if (kind == GROWTH_NORMAL) {
    PetscCall(VecGetArrayWrite(a->u, &local));
    RandomNormal(seed, STREAM_GROWTH + index, owned.first, owned.last - owned.first, local);
    PetscCall(VecRestoreArrayWrite(a->u, &local));
    PetscCall(VecSet(a->t, 0));
    PetscCall(JacobianMultTransposeAdd(a->jacobian, 1, a->u, a->t));
  } else
    PetscCall(ProjectLast(a));
  PetscCall(VecNorm(a->t, NORM_2, &norm));
  *found = (PetscBool)(norm > 1e-6 * whole || kind == GROWTH_NORMAL);
  if (*found) PetscCall(VecScale(a->t, 1 / norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- growth ----------------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode LossAt(Around *a, PetscReal distance, PetscReal *loss)
{
  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(a->theta, distance, a->t, a->jacobian->theta));
  PetscCall(ResidualMapApply(a->jacobian->map, a->theta, a->trajectory, a->H));
  PetscCall(VecDot(a->H, a->H, loss));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the slope of log loss against log distance over the first FITTED distances whose loss is well above the floor: near enough for the
   leading term, far enough for its digits; NaN where there are not so many */
static PetscReal Exponent(const PetscReal distance[], const PetscReal loss[], PetscReal floor)
{
  PetscReal x = 0, y = 0, xx = 0, xy = 0;
  PetscInt  last = GROWTH_DISTANCES; /* distances fall */

  while (last > 0 && !(loss[last - 1] > ABOVE_FLOOR * floor)) last--;
  if (last < FITTED) return NAN;
  for (PetscInt i = last - FITTED; i < last; i++) {
    const PetscReal a = PetscLogReal(distance[i]), b = PetscLogReal(loss[i]);

    if (!isfinite(b)) return NAN;
    x += a / FITTED;
    y += b / FITTED;
  }
  for (PetscInt i = last - FITTED; i < last; i++) {
    const PetscReal a = PetscLogReal(distance[i]) - x;

    xx += a * a;
    xy += a * (PetscLogReal(loss[i]) - y);
  }
  return xy / xx;
}

static int Ascending(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;

  return (x > y) - (x < y);
}

/* losses: directions x distances, which is sorted column by column */
static PetscErrorCode Summarize(PetscReal floor, const PetscReal losses[], Growth *g)
{
  const PetscInt D      = g->directions;
  PetscInt       fitted = 0;
  PetscReal     *column, exponent;

  PetscFunctionBeginUser;
  g->least    = INFINITY;
  g->largest  = -INFINITY;
  g->exponent = 0;
  for (PetscInt i = 0; i < D; i++) {
    exponent = Exponent(g->distance, losses + (size_t)i * GROWTH_DISTANCES, floor);
    if (isnan(exponent)) continue;
    fitted++;
    g->exponent += exponent;
    g->least   = PetscMin(g->least, exponent);
    g->largest = PetscMax(g->largest, exponent);
  }
  g->exponent = fitted == D && D ? g->exponent / (PetscReal)D : NAN;
  PetscCall(PetscMalloc1(D, &column));
  for (PetscInt j = 0; j < GROWTH_DISTANCES && D; j++) {
    for (PetscInt i = 0; i < D; i++) {
      column[i]   = losses[i * GROWTH_DISTANCES + j];
      g->loss_max = PetscMax(g->loss_max, column[i]);
    }
    qsort(column, (size_t)D, sizeof *column, Ascending);
    g->loss[j] = column[D / 2];
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GrowthOf(Around *a, GrowthKind kind, PetscReal floor, const WalkOptions *options, Growth *g)
{
  PetscReal *losses;
  PetscBool  found;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)options->growth * GROWTH_DISTANCES, &losses));
  for (PetscInt j = 0; j < GROWTH_DISTANCES; j++) g->distance[j] = FARTHEST * PetscPowReal(2, -(PetscReal)j);
  for (g->directions = 0; g->directions < options->growth; g->directions++) {
    PetscCall(Direct(a, kind, options->seed, (PetscInt64)kind * options->growth + g->directions, &found));
    if (!found) break;
    for (PetscInt j = 0; j < GROWTH_DISTANCES; j++)
      PetscCall(LossAt(a, g->distance[j], &losses[g->directions * GROWTH_DISTANCES + j]));
  }
  PetscCall(Summarize(floor, losses, g));
  PetscCall(PetscFree(losses));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WalkGrowth(Jacobian jacobian, Tiles factor, PetscReal floor, const WalkOptions *options, Growth growth[GROWTH_KINDS])
{
  const ResidualMap map = jacobian->map;
  Around            a   = {.jacobian = jacobian, .factor = factor};

  PetscFunctionBeginUser;
  PetscCall(CreateMask(&a));
  PetscCall(JacobianNormSquared(jacobian, &a.norm));
  a.norm = PetscSqrtReal(a.norm);
  PetscCall(VecDuplicate(jacobian->theta, &a.t));
  PetscCall(VecDuplicate(jacobian->theta, &a.work));
  PetscCall(VecDuplicate(jacobian->theta, &a.theta));
  PetscCall(RowsCreateVec(map->rows, &a.u));
  PetscCall(VecDuplicate(a.u, &a.H));
  PetscCall(TrajectoryCreate(map, &a.trajectory));
  for (PetscInt kind = 0; kind < GROWTH_KINDS; kind++) PetscCall(GrowthOf(&a, (GrowthKind)kind, floor, options, &growth[kind]));
  PetscCall(TrajectoryDestroy(&a.trajectory));
  PetscCall(VecDestroy(&a.H));
  PetscCall(VecDestroy(&a.u));
  PetscCall(VecDestroy(&a.theta));
  PetscCall(VecDestroy(&a.work));
  PetscCall(VecDestroy(&a.t));
  PetscCall(VecDestroy(&a.mask));
  PetscFunctionReturn(PETSC_SUCCESS);
}
