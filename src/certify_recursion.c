/*
  certify_recursion.c: from the bounds at single points to eta, E_J and Lambda.
*/
#include "certify_paths.h"
#include "certify_point.h"

static PetscErrorCode PointBoundsCreate(const Recursion *recursion, PointBounds *point)
{
  const Network  net  = recursion->map->network;
  const PetscInt wide = net->nlabels + (recursion->paths ? net->nops : 0);
  const size_t   each = (size_t)wide + 2 * (size_t)recursion->map->l;

  PetscFunctionBeginUser;
  point->nvalues = net->nops;
  point->P       = net->nlabels;
  point->wide    = wide;
  point->each    = (PetscInt)each;
  point->delta   = NULL;
  if (recursion->paths) PetscCall(PetscMalloc1((size_t)net->nops * (2 * (size_t)recursion->map->l + 2), &point->delta));
  PetscCall(PetscCalloc1(net->nops, &point->value));
  PetscCall(PetscCalloc1((size_t)net->nops * each, &point->store));
  for (PetscInt v = 0; v < net->nops; v++) {
    ValueBound *value = &point->value[v];

    value->dim = net->ops[v].dim;
    value->t   = point->store + (size_t)v * each;
    value->F   = value->t + wide;
    value->sum = value->F + recursion->map->l;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PointBoundsDestroy(PointBounds *point)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(point->delta));
  PetscCall(PetscFree(point->store));
  PetscCall(PetscFree(point->value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* an op without rounding, of exact values that do not depend on theta, as the net's input is */
static PetscBool IsExact(const OpBoundArgs *args)
{
  PetscBool exact = (PetscBool)(!args->op->moves && args->out->eps == 0);

  for (PetscInt j = 0; j < args->op->ninputs; j++) exact = (PetscBool)(exact && args->in[j]->E == 0);
  return exact;
}

/* The recursion at owned point i: forward from value 0, where nothing is wrong, and back from the output, whose adjoint is exact. B is
   set if not NULL. */
static void BoundPoint(const Recursion *recursion, PetscInt i, PetscReal r, PointBounds *point, PetscReal *B, Margin *margin)
{
  const Measures measures = recursion->measures;
  const NetOp   *ops      = recursion->map->network->ops;

  point->i = i;
  point->l = measures->first[i + 1] - measures->first[i];
  for (PetscInt k = 0; k < point->nvalues * point->each; k++) point->store[k] = 0;
  for (PetscInt k = 0; B && k < point->P * point->P; k++) B[k] = 0;
  for (PetscInt v = 0; v < point->nvalues; v++) {
    ValueBound *value = &point->value[v];

    value->measure = &measures->at[(size_t)v * (size_t)measures->points + (size_t)i];
    value->bar     = measures->bar + (size_t)v * (size_t)measures->rows + (size_t)measures->first[i];
    if (v > 0) {
      OpBoundArgs args = ArgsOf(recursion, point, v, r, margin);

      args.P = point->wide;
      ops[v].kind->bounds->forward(&args);
      if (recursion->paths) PathsSharpenValue(recursion, point, v, &args);
      value->E = IsExact(&args) ? 0 : Up(value->e + r * OutputNorm(point->P, value->t));
      if (value->E == 0) value->e = 0;
    }
  }
  for (PetscInt v = point->nvalues - 1; v > 0; v--) {
    const OpBoundArgs args = ArgsOf(recursion, point, v, r, margin);

    if (measures->reached[v]) ops[v].kind->bounds->adjoint(&args);
  }
  if (recursion->paths) PathsSharpenAdjoints(recursion, point, r, margin);
  for (PetscInt v = point->nvalues - 1; v > 0 && B; v--) {
    OpBoundArgs args = ArgsOf(recursion, point, v, r, margin);

    args.B = B;
    if (measures->reached[v] && ops[v].kind->bounds->curvature) ops[v].kind->bounds->curvature(&args);
  }
}

/* of all ranks, with where it is; NaN on one: an infinite bound says so already */
static PetscErrorCode LeastMargin(MPI_Comm world, Margin *margin)
{
  struct {
    double least;
    int    rank;
  } nearest         = {(double)margin->least, 0};
  PetscMPIInt bytes = sizeof *margin;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &nearest.rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &nearest, 1, MPI_DOUBLE_INT, MPI_MINLOC, world));
  PetscCallMPI(MPI_Bcast(margin, bytes, MPI_BYTE, nearest.rank, world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- r = 0 -----------------------------------------------------------------------------------------------------------
   Replace the exact ops by computed ones, one at a time from the first: H changes from exact to computed in steps, the v-th by an error of
   norm <= eps_v at value v, propagated by exact ops from there. Each of these trajectories is within e of the computed one, so row o of
   the adjoint on the way (mean value theorem) is within F of the computed one:

     |H_o(theta_0) - H^_o| <= 2u |H^_o| + sum_v (|lambda̅_v,o| + F_v,o) eps_v          (2u: the subtraction of y, and its slack)  */

static PetscReal ResidualError(const Recursion *recursion, const PointBounds *point, PetscInt o, PetscReal H)
{
  PetscReal error = 2 * ROUNDING * PetscAbsReal(H);

  for (PetscInt v = 1; v < point->nvalues; v++)
    if (recursion->measures->reached[v]) error += (point->value[v].bar[o] + point->value[v].F[o]) * point->value[v].eps;
  return Up(error);
}

/* Row o of J on the label of W is sum_uses,t delta_t (x) a_t, on that of b sum_uses,t delta_t. For one use, by Cauchy-Schwarz over places,

     |sum_t (delta_t (x) a_t - delta^_t (x) a^_t)| <= F |a^| + (|delta^| + F) e_a,      sqrt(T) F

   and q >= sum_uses |delta^| |a^|, sqrt(T) |delta^| bounds what K's products are made of. Both over the labels: */
static void JacobianRow(const Recursion *recursion, const PointBounds *point, PetscInt o, PetscReal error[], PetscReal q[])
{
  const Network net = recursion->map->network;

  for (PetscInt mu = 0; mu < point->P; mu++) error[mu] = q[mu] = 0;
  for (PetscInt v = 1; v < point->nvalues; v++) {
    const NetOp      *op    = &net->ops[v];
    const ValueBound *z     = &point->value[v];
    const PetscReal   sqrtT = PetscSqrtReal((PetscReal)op->places);

    if (!recursion->measures->reached[v]) continue;
    if (op->weight >= 0) {
      const ValueBound *a = &point->value[op->inputs[0]];

      error[op->weight] = Up(error[op->weight] + z->F[o] * a->measure->norm + (z->bar[o] + z->F[o]) * a->e);
      q[op->weight]     = Up(q[op->weight] + z->bar[o] * a->measure->norm);
    }
    if (op->bias >= 0) {
      error[op->bias] = Up(error[op->bias] + sqrtT * z->F[o]);
      q[op->bias]     = Up(q[op->bias] + sqrtT * z->bar[o]);
    }
  }
}

/* sums over the owned rows: of squares (residual bound, residual error, H^, Jacobian error, q of each label) */
enum { SUM_ETA, SUM_ERROR, SUM_H, SUM_JACOBIAN, SUM_Q };

static void AddErrors(const Recursion *recursion, const PointBounds *point, PetscInt i, PetscReal row[], PetscReal sums[])
{
  for (PetscInt o = 0; o < point->l; o++) {
    const PetscReal H = recursion->measures->H[recursion->measures->first[i] + o], error = ResidualError(recursion, point, o, H);

    sums[SUM_ETA] += (PetscAbsReal(H) + error) * (PetscAbsReal(H) + error);
    sums[SUM_ERROR] += error * error;
    sums[SUM_H] += H * H;
    JacobianRow(recursion, point, o, row, row + point->P);
    for (PetscInt mu = 0; mu < point->P; mu++) {
      sums[SUM_JACOBIAN] += row[mu] * row[mu];
      sums[SUM_Q + mu] += row[point->P + mu] * row[point->P + mu];
    }
  }
}

/* (1 + max |a|^2)(1 + max |lambda|^2): how much an underflow within a product of K can grow; the weight's margin aside */
static PetscReal LargestFactor(const Measures measures)
{
  const size_t nvalues = (size_t)measures->nvalues;
  PetscReal    a = 0, bar = 0;

  for (size_t at = 0; at < nvalues * (size_t)measures->points; at++) a = PetscMax(a, measures->at[at].norm);
  for (size_t at = 0; at < nvalues * (size_t)measures->rows; at++) bar = PetscMax(bar, measures->bar[at]);
  return (1 + a * a) * (1 + bar * bar);
}

PetscErrorCode BoundErrors(const Recursion *recursion, ErrorBounds *errors)
{
  const ResidualMap map   = recursion->map;
  const PetscInt    P     = map->network->nlabels;
  const PetscReal   terms = (PetscReal)map->m * (PetscReal)P + map->grid->size;
  PetscReal        *sums, *row, factor = LargestFactor(recursion->measures);
  Margin            margin = {.least = INFINITY};
  PointBounds       point;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(SUM_Q + P, &sums));
  PetscCall(PetscMalloc1(2 * P, &row));
  PetscCall(PointBoundsCreate(recursion, &point));
  for (PetscInt i = 0; i < recursion->measures->points; i++) {
    BoundPoint(recursion, i, 0, &point, NULL, &margin);
    AddErrors(recursion, &point, i, row, sums);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, (PetscMPIInt)(SUM_Q + P), MPIU_REAL, MPI_SUM, map->grid->world));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &factor, 1, MPIU_REAL, MPI_MAX, map->grid->world));
  PetscCall(LeastMargin(map->grid->world, &margin));
  errors->residual = NormUp(terms, sums[SUM_ETA]);
  errors->residual_lower =
      PetscMax(0, PetscSqrtReal(sums[SUM_H]) * (1 - Gamma(terms + 4)) * (1 - SLACK) - NormUp(terms, sums[SUM_ERROR]));
  errors->jacobian = NormUp(terms, sums[SUM_JACOBIAN]);
  errors->factor   = factor;
  errors->margin   = margin;
  PetscCall(PetscMalloc1(P, &errors->q2));
  for (PetscInt mu = 0; mu < P; mu++) {
    const PetscReal q = NormUp(terms, sums[SUM_Q + mu]);

    errors->q2[mu] = Up(q * q);
  }
  PetscCall(PointBoundsDestroy(&point));
  PetscCall(PetscFree(row));
  PetscCall(PetscFree(sums));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ErrorBoundsDestroy(ErrorBounds *errors)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(errors->q2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundValues(const Recursion *recursion, PetscReal r, PetscReal E[], PetscReal t[])
{
  const PetscInt points = recursion->measures->points;
  Margin         margin = {.least = INFINITY};
  PointBounds    point;

  PetscFunctionBeginUser;
  PetscCall(PointBoundsCreate(recursion, &point));
  for (PetscInt i = 0; i < points; i++) {
    BoundPoint(recursion, i, r, &point, NULL, &margin);
    for (PetscInt v = 0; v < point.nvalues; v++) E[(size_t)v * (size_t)points + (size_t)i] = point.value[v].E;
    if (t) PetscCall(PetscArraycpy(t + (size_t)i * (size_t)point.P, point.value[point.nvalues - 1].t, point.P));
  }
  PetscCall(PointBoundsDestroy(&point));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- r > 0 -----------------------------------------------------------------------------------------------------------
   For |c| = |v| = 1:  c . D^2 H [v,v] = sum_i c_i . D^2 f_i [v,v] <= sum_i |c_i| sum_mu,nu B_i,mu,nu |v_mu| |v_nu|
   <= sum_mu,nu B̄_mu,nu |v_mu| |v_nu|,  B̄_mu,nu^2 = sum_i B_i,mu,nu^2 (Cauchy-Schwarz over points), at most the largest eigenvalue of B̄.
   c . D^2 H is symmetric, so this is its norm, for all v, w.                                                               */

/* lambda_max of a symmetric matrix >= 0 is at most max_mu (B x)_mu / x_mu for any x > 0 (Collatz 1942); x by power steps */
static PetscReal CollatzBound(PetscInt P, const PetscReal B[], PetscReal x[], PetscReal y[])
{
  PetscReal least = INFINITY;

  for (PetscInt mu = 0; mu < P; mu++) x[mu] = 1;
  for (PetscInt step = 0; step < 100; step++) {
    PetscReal ratio = 0, largest = 0;

    for (PetscInt mu = 0; mu < P; mu++) {
      y[mu] = 0;
      for (PetscInt nu = 0; nu < P; nu++) y[mu] += B[PetscMax(mu, nu) * P + PetscMin(mu, nu)] * x[nu];
      ratio   = PetscMax(ratio, y[mu] / x[mu]);
      largest = PetscMax(largest, y[mu]);
    }
    least = PetscMin(least, ratio);
    for (PetscInt mu = 0; mu < P; mu++) x[mu] = y[mu] / largest + 1e-12;
  }
  return Up(least * (1 + Gamma((PetscReal)P + 4)));
}

static PetscBool AllFinite(PetscInt n, const PetscReal x[])
{
  for (PetscInt i = 0; i < n; i++)
    if (PetscIsInfOrNanReal(x[i])) return PETSC_FALSE;
  return PETSC_TRUE;
}

PetscErrorCode BoundLipschitz(const Recursion *recursion, PetscReal r, PetscReal *Lambda, Margin *margin)
{
  const ResidualMap map = recursion->map;
  const PetscInt    P = map->network->nlabels, P2 = P * P;
  PetscReal        *B, *squares, *x;
  Margin            least = {.least = INFINITY};
  PointBounds       point;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(P2, &B, P2, &squares, 2 * P, &x));
  PetscCall(PointBoundsCreate(recursion, &point));
  for (PetscInt i = 0; i < recursion->measures->points; i++) {
    BoundPoint(recursion, i, r, &point, B, &least);
    for (PetscInt k = 0; k < P2; k++) squares[k] += B[k] * B[k];
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, squares, (PetscMPIInt)P2, MPIU_REAL, MPI_SUM, map->grid->world));
  for (PetscInt k = 0; k < P2; k++) B[k] = Up(NormUp((PetscReal)(map->d + map->grid->size), squares[k]));
  *Lambda = AllFinite(P2, B) ? CollatzBound(P, B, x, x + P) : INFINITY;
  if (margin) PetscCall(LeastMargin(map->grid->world, &least));
  if (margin) *margin = least;
  PetscCall(PointBoundsDestroy(&point));
  PetscCall(PetscFree3(B, squares, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}
