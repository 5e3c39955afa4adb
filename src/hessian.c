/*
  hessian.c: Hessian-vector products by sweeps over the op list; see hessian.h.

  With lambda the adjoint of the seed 2H, grad L = sum over linear ops of lambda (x) a, and along v

    Hessian v = sum lambda' (x) a + lambda (x) a',     a' the tangent, lambda' the adjoint's tangent, seeded with 2 J v (S: with 0)
*/
#include "codim/hessian.h"
#include "sweep.h"

PetscErrorCode HessianCreate(ResidualMap map, Hessian *hessian)
{
  const Network net = map->network;
  Hessian new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->map = map;
  PetscCall(AdjointCreate(map, ADJOINT_POINTS, ADJOINT_ALL, &new->adjoint));
  PetscCall(PetscCalloc3(net->nops, &new->saved, net->nops, &new->dot, net->nops, &new->bar_dot));
  for (PetscInt v = 1; v < net->nops; v++) {
    const size_t size = PetscMax(1, (size_t)map->N * (size_t)net->ops[v].dim); /* NULL means zero, not "no points here" */

    PetscCall(PetscMalloc1(size * (size_t)net->ops[v].kind->nsaved, &new->saved[v]));
    PetscCall(PetscMalloc1(size, &new->dot[v]));
    PetscCall(PetscMalloc1(size, &new->bar_dot[v]));
  }
  *hessian = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ForgetTheta(Hessian hessian)
{
  PetscFunctionBeginUser;
  if (hessian->theta) PetscCall(ParametersRelease(hessian->map->parameters, hessian->theta));
  hessian->theta = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HessianDestroy(Hessian *hessian)
{
  PetscFunctionBeginUser;
  if (!*hessian) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt v = 1; v < (*hessian)->map->network->nops; v++) {
    PetscCall(PetscFree((*hessian)->saved[v]));
    PetscCall(PetscFree((*hessian)->dot[v]));
    PetscCall(PetscFree((*hessian)->bar_dot[v]));
  }
  PetscCall(PetscFree3((*hessian)->saved, (*hessian)->dot, (*hessian)->bar_dot));
  PetscCall(ForgetTheta(*hessian));
  PetscCall(PetscFree((*hessian)->second));
  PetscCall(AdjointDestroy(&(*hessian)->adjoint));
  PetscCall(PetscFree(*hessian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* seed alpha u */
static PetscErrorCode Linearize(Hessian hessian, Vec theta, Trajectory trajectory, PetscReal alpha, Vec u)
{
  const ResidualMap map     = hessian->map;
  const Network     net     = map->network;
  const OpContext   context = {map->parameters, theta, NULL};
  PetscReal        *seed;

  PetscFunctionBeginUser;
  PetscCall(ForgetTheta(hessian));
  PetscCall(ParametersHold(map->parameters, theta));
  hessian->theta      = theta;
  hessian->trajectory = trajectory;
  PetscCall(PetscMalloc1(map->N * map->l, &seed));
  PetscCall(ResidualMapSeed(map, alpha, u, seed));
  PetscCall(ResidualMapAdjoint(map, theta, trajectory, seed, hessian->adjoint));
  PetscCall(PetscFree(seed));
  for (PetscInt v = 1; v < net->nops; v++) {
    OpArrays arrays = OpArraysAt(map, trajectory, v);

    arrays.saved = hessian->saved[v];
    if (net->ops[v].kind->save) PetscCall(net->ops[v].kind->save(&net->ops[v], &context, &arrays));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HessianLinearize(Hessian hessian, Vec theta, Trajectory trajectory, Vec H)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(hessian->second));
  PetscCall(Linearize(hessian, theta, trajectory, 2, H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HessianLinearizeOf(Hessian hessian, Vec theta, Trajectory trajectory, Vec first, Vec second)
{
  const Rows rows = hessian->map->rows;

  PetscFunctionBeginUser;
  if (!hessian->second) PetscCall(PetscMalloc1(PetscMax(1, rows->group.last - rows->group.first), &hessian->second));
  PetscCall(RowsGatherGroup(rows, second, hessian->second));
  PetscCall(Linearize(hessian, theta, trajectory, 1, first));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* dot[v] = the tangent of every value along context->theta_dot */
static PetscErrorCode TangentSweep(Hessian hessian, const OpContext *context)
{
  const Network net = hessian->map->network;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op     = &net->ops[v];
    OpArrays     arrays = OpArraysAt(hessian->map, hessian->trajectory, v);

    if (!op->moves) continue;
    for (PetscInt j = 0; j < op->ninputs; j++)
      if (net->ops[op->inputs[j]].moves) arrays.in_dot[j] = hessian->dot[op->inputs[j]];
    arrays.out_dot = hessian->dot[v];
    arrays.saved   = hessian->saved[v];
    PetscCall(op->kind->tangent(op, context, &arrays));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* bar_dot[output] = D J v where it was observed, or 0; all others 0 */
static PetscErrorCode SeedAdjointTangent(Hessian hessian, HessianPart part)
{
  const ResidualMap map = hessian->map;
  const Network     net = map->network;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < net->nops; v++) PetscCall(PetscArrayzero(hessian->bar_dot[v], (size_t)map->N * (size_t)net->ops[v].dim));
  if (part == HESSIAN_CURVATURE) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt k = map->rows->group.first; k < map->rows->group.last; k++) {
    const size_t at = RowTarget(map->rows, k);

    hessian->bar_dot[net->nops - 1][at] =
        (hessian->second ? hessian->second[k - map->rows->group.first] : 2) * hessian->dot[net->nops - 1][at];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y += lambda' (x) a + lambda (x) a' for the parameters of op v, then pull lambda' back through it */
static PetscErrorCode PullBack(Hessian hessian, const OpContext *context, PetscInt v, Vec y)
{
  const ResidualMap map    = hessian->map;
  const NetOp      *op     = &map->network->ops[v];
  const PetscInt    input  = op->inputs[0];
  OpArrays          arrays = OpArraysAt(map, hessian->trajectory, v);

  PetscFunctionBeginUser;
  arrays.saved       = hessian->saved[v];
  arrays.out_bar     = hessian->adjoint->bar[v];
  arrays.out_bar_dot = hessian->bar_dot[v];
  if (OpHasParameters(op)) {
    const PetscBool    moves      = (PetscBool)(input >= 0 && map->network->ops[input].moves);
    const OuterProduct products[] = {{arrays.out_bar_dot, arrays.in[0]}, {arrays.out_bar, moves ? hessian->dot[input] : NULL}};

    PetscCall(OpAddGradient(map, v, moves ? 2 : 1, products, 1, y));
    PetscCall(OpAddBiasGradient(map, v, arrays.out_bar_dot, 1, y));
  }
  for (PetscInt j = 0; j < op->ninputs; j++) {
    if (!map->network->ops[op->inputs[j]].moves) continue;
    arrays.in_dot[j]     = hessian->dot[op->inputs[j]];
    arrays.in_bar_dot[j] = hessian->bar_dot[op->inputs[j]];
  }
  PetscCall(op->kind->adjoint_tangent(op, context, &arrays));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HessianMult(Hessian hessian, HessianPart part, Vec v, Vec y)
{
  const Network   net     = hessian->map->network;
  const OpContext context = {hessian->map->parameters, hessian->theta, v};

  PetscFunctionBeginUser;
  hessian->products++;
  PetscCall(ParametersHold(hessian->map->parameters, v)); /* both sweeps read it */
  PetscCall(VecSet(y, 0));
  PetscCall(TangentSweep(hessian, &context));
  PetscCall(SeedAdjointTangent(hessian, part));
  for (PetscInt op = net->nops - 1; op > 0; op--)
    if (hessian->adjoint->bar[op]) PetscCall(PullBack(hessian, &context, op, y));
  PetscCall(ParametersRelease(hessian->map->parameters, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the shells ------------------------------------------------------------------------------------------------------ */

static PetscErrorCode MatMult_Hessian(Mat mat, Vec v, Vec y)
{
  Hessian hessian;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &hessian));
  PetscCall(HessianMult(hessian, HESSIAN_EXACT, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MatMult_Curvature(Mat mat, Vec v, Vec y)
{
  Hessian hessian;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &hessian));
  PetscCall(HessianMult(hessian, HESSIAN_CURVATURE, v, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode HessianCreateMat(Hessian hessian, HessianPart part, Mat *mat)
{
  const ResidualMap map   = hessian->map;
  const PetscInt    local = ParametersLocalSize(map->parameters);

  PetscFunctionBeginUser;
  PetscCall(MatCreateShell(map->grid->world, local, local, map->n, map->n, hessian, mat));
  PetscCall(MatShellSetOperation(*mat, MATOP_MULT, (void (*)(void))(part == HESSIAN_EXACT ? MatMult_Hessian : MatMult_Curvature)));
  PetscCall(MatSetOption(*mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

PetscReal HessianBytes(const Sizes *s)
{
  PetscReal saved = 0;

  for (PetscInt v = 1; v < s->network->nops; v++)
    saved += (PetscReal)s->network->ops[v].kind->nsaved * (PetscReal)s->network->ops[v].dim;
  return 3 * SizesValues(s, s->N) + 8 * s->N * saved + (s->G > 1 ? 8 * s->shard : 0); /* theta is held */
}

/* OpAddGradient and OpAddBiasGradient of lambda' (x) a + lambda (x) a' */
static void GradientCost(const Sizes *s, Cost *cost)
{
  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp    *op = &s->network->ops[v];
    const PetscReal T  = (PetscReal)op->places;

    if (op->weight >= 0) {
      const PetscReal products = s->network->ops[op->inputs[0]].moves ? 2 : 1;

      cost->work[WORK_PRODUCT] += products * 2 * s->N * T * SizesShardEntries(s, op->weight);
      CostAddToShard(s, op->weight, cost);
    }
    if (op->bias >= 0) CostAddToShard(s, op->bias, cost);
  }
}

void HessianMultCost(const Sizes *s, Cost *cost)
{
  Sizes held = *s; /* theta and v are: no shard is gathered in the sweeps */
  Cost  part = {.bytes = 0};

  held.d = s->d / s->G;
  held.G = 1;
  ResidualMapTangentCost(&held, &part);
  ResidualMapAdjointCost(&held, s->N, 2, &part);
  GradientCost(s, &part);
  part.work[WORK_STREAM] += 8 * s->local;
  if (s->G > 1) {
    CostHold(&part, 8 * s->shard);
    CostGather(&part, s->G, 8 * s->shard / (PetscReal)s->network->nlabels, (PetscReal)s->network->nlabels);
  }
  CostAdd(cost, &part, 1);
}
