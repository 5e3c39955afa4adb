/*
  certify_paths.c: see certify_paths.h.

  Let T(theta) be the block matrix of the ops' derivatives, strictly lower triangular, D = (I - T)^(-1), so that D_vu is value v's derivative by value u.
  A sweep back from v ends with lambda^ (I - T^) = 1_v + rho, rho its rounding errors. With (I - T) D = I

    D_v - lambda^ = (lambda^ (T - T^) - rho) D,     |D_vu - lambda^_u| <= sum over x, u <= x < v, of delta_x N_xu

  delta_x >= |lambda^ (T - T^) - rho|_x is what each op adds to the error of its input's adjoint if its own has none: the ops' `adjoint` with F = 0 at
  their values. N_xu >= sup ||D_xu||, N_uu = 1, is known for x < v, and N_vu = |lambda^_u|_F + that sum. All rows of lambda^ at once: the ops'
  bounds are linear in the norms of rows, so they hold for the root of their squares' sum (Minkowski).

    e_v <= eps_v + sum_u N_vu eps_u                       the hybrid trajectories of certify_recursion.c, value v in the place of H
    t_v,mu <= sum over uses z of mu of N_vz |d z/d mu|    |a| + E for a weight, sqrt(T) for a bias
    F_u <= sum_x>=u delta_x N_xu                          the same for the rows of the output

  The N come from E of values before v: in the order of v everything is there, in the ball and along every trajectory within E of the computed one.
*/
#include "certify_paths.h"
#include <math.h>

/* ---- measuring ---------------------------------------------------------------------------------------------------------- */

static PetscReal RowsNorm(size_t n, const PetscReal x[])
{
  PetscReal squares = 0;

  for (size_t i = 0; i < n; i++) squares += x[i] * x[i];
  return NormUp((PetscReal)n, squares);
}

PetscErrorCode PathsCreate(ResidualMap map, Vec theta, Trajectory trajectory, PetscBool *same, PetscReal **paths)
{
  const Network net   = map->network;
  const Range   owned = GridOwnedPoints(map->grid, map->d);
  const size_t  first = (size_t)(owned.first - GridGroupPoints(map->grid, map->d).first),
               points = (size_t)(owned.last - owned.first);
  const size_t nops   = (size_t)net->nops;
  PetscBool    equal;

  PetscFunctionBeginUser;
  *same = PETSC_TRUE;
  PetscCall(PetscMalloc1(nops * nops * points, paths));
  for (size_t k = 0; k < nops * nops * points; k++) (*paths)[k] = -1;
  for (PetscInt v = 1; v < net->nops; v++) {
    const size_t dim = (size_t)net->ops[v].dim;
    Adjoint      adjoint;

    if (!net->ops[v].moves) continue;
    PetscCall(ResidualMapAdjointOf(map, theta, trajectory, v, &adjoint));
    PetscCall(CompareAdjoints(map, adjoint, &equal));
    *same = (PetscBool)(*same && equal);
    for (PetscInt u = 1; u <= v; u++)
      for (size_t i = 0; adjoint->bar[u] && i < points; i++) {
        const size_t rows = dim * (size_t)net->ops[u].dim;

        (*paths)[((size_t)v * nops + (size_t)u) * points + i] = RowsNorm(rows, adjoint->bar[u] + (first + i) * rows);
      }
    PetscCall(AdjointDestroy(&adjoint));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

void PathsCost(Network net, PetscReal N, PetscReal *flops, PetscReal *bytes)
{
  const PetscReal nops   = (PetscReal)net->nops;
  PetscReal       before = 0, dims = 0; /* flops of a row, and entries, of the values up to v */

  *flops = *bytes = 0;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp    *op  = &net->ops[v];
    const PetscReal dim = (PetscReal)op->dim;

    before += op->weight >= 0 ? 2 * dim * (PetscReal)net->labels[op->weight].cols : 4 * dim;
    dims += dim;
    if (!op->moves) continue;
    *flops += N * dim * before;
    *bytes = PetscMax(*bytes, 8 * N * dim * dims);
  }
  *flops += 20 * N * (nops * nops * nops / 6 + 50 * nops * nops / 2); /* for each radius that is tried */
  *bytes += 8 * nops * nops * N;
}

/* ---- the recursion ------------------------------------------------------------------------------------------------------ */

/* delta of every value before `last`, l rows, from the norms of the adjoint that begins there: bar(w) at w; each op as if the adjoint of its value
   had no error */
typedef struct {
  const Recursion *recursion;
  PointBounds     *point;
  PetscInt         last, l;
  PetscReal        r;
  Margin          *margin;
  PetscReal       *delta, *sum; /* nvalues x l */
} LocalErrors;

static void AddLocalErrors(const LocalErrors *local, PetscInt w, const PetscReal bar[])
{
  const NetOp *op   = &local->recursion->map->network->ops[w];
  OpBoundArgs  args = ArgsOf(local->recursion, local->point, w, local->r, local->margin);
  ValueBound   out  = *args.out, in[OP_INPUTS_MAX];

  args.l  = local->l;
  out.bar = bar;
  out.F   = local->delta; /* of value 0, which nothing is added to: zeros */
  for (PetscInt j = 0; j < op->ninputs; j++) {
    in[j]     = *args.in[j];
    in[j].F   = local->delta + (size_t)op->inputs[j] * (size_t)local->l;
    in[j].sum = local->sum + (size_t)op->inputs[j] * (size_t)local->l;
    if (op->inputs[j] == 0) in[j].F = in[j].sum; /* not wanted */
    args.in[j] = &in[j];
  }
  args.out = &out;
  op->kind->bounds->adjoint(&args);
}

static LocalErrors LocalErrorsAt(const Recursion *recursion, PointBounds *point, PetscInt last, PetscInt l, PetscReal r,
                                 Margin *margin)
{
  const LocalErrors local = {recursion, point, last, l, r, margin, point->delta, point->delta + (size_t)point->nvalues * (size_t)l};

  for (PetscInt k = 0; k < 2 * point->nvalues * l; k++) point->delta[k] = 0;
  return local;
}

/* sum over x, u <= x <= last, of delta_x N_xu */
static PetscReal Propagated(const LocalErrors *local, PetscInt u, PetscInt o)
{
  const PointBounds *point = local->point;
  PetscReal          sum   = 0;

  for (PetscInt x = u; x < local->last; x++) {
    const PetscReal delta = local->delta[x * local->l + o], N = x == u ? 1 : point->value[x].t[point->P + u];

    if (delta != 0 && N != 0) sum += delta * N; /* NaN stays: it lowers nothing */
  }
  return Up(sum);
}

/* what the label's own op makes of it: sup ||dz/dmu|| */
static PetscReal OwnDerivative(const PointBounds *point, const NetOp *op, PetscInt label)
{
  PetscReal own = 0;

  if (op->weight == label) own += point->value[op->inputs[0]].measure->norm + point->value[op->inputs[0]].E;
  if (op->bias == label) own += PetscSqrtReal((PetscReal)op->places);
  return Up(own);
}

static void Lower(PetscReal *x, PetscReal bound)
{
  if (bound < *x) *x = bound;
}

void PathsSharpenValue(const Recursion *recursion, PointBounds *point, PetscInt v, const OpBoundArgs *args)
{
  const Network    net    = recursion->map->network;
  const size_t     points = (size_t)recursion->measures->points;
  const PetscReal *paths  = recursion->paths + (size_t)v * (size_t)net->nops * points + (size_t)point->i; /* of u: u points on */
  ValueBound      *value  = &point->value[v];
  PetscReal       *N = value->t + point->P, e = value->eps;

  if (net->ops[v].moves) {
    const LocalErrors local = LocalErrorsAt(recursion, point, v, 1, args->r, args->margin);

    for (PetscInt w = v; w > 0; w--)
      if (paths[(size_t)w * points] >= 0) AddLocalErrors(&local, w, &paths[(size_t)w * points]);
    for (PetscInt u = 1; u < v; u++)
      if (paths[(size_t)u * points] >= 0) Lower(&N[u], Up(paths[(size_t)u * points] + Propagated(&local, u, 0)));
  }
  N[v] = 1;
  for (PetscInt u = 1; u < v; u++)
    if (N[u] != 0) e += N[u] * point->value[u].eps;
  Lower(&value->e, Up(e));
  for (PetscInt mu = 0; mu < point->P; mu++) {
    PetscReal t = 0;

    for (PetscInt z = 1; z <= v; z++)
      if (net->ops[z].weight == mu || net->ops[z].bias == mu) t += N[z] * OwnDerivative(point, &net->ops[z], mu);
    Lower(&value->t[mu], Up(t));
  }
}

void PathsSharpenAdjoints(const Recursion *recursion, PointBounds *point, PetscReal r, Margin *margin)
{
  const PetscInt    last  = point->nvalues - 1;
  const LocalErrors local = LocalErrorsAt(recursion, point, last, point->l, r, margin);

  for (PetscInt w = last; w > 0; w--)
    if (recursion->measures->reached[w]) AddLocalErrors(&local, w, point->value[w].bar);
  for (PetscInt u = 1; u < last; u++)
    for (PetscInt o = 0; recursion->measures->reached[u] && o < point->l; o++)
      Lower(&point->value[u].F[o], Propagated(&local, u, o));
}
