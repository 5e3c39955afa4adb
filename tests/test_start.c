// ranks: 1 2 3 4
/*
  test_start.c: the Hessian at weights away from a zero, and how far others are from them, against every eigenvalue and against sums over all n entries.
*/
#include "codim/full.h"
#include "codim/start.h"
#include "problem.h"
#include <math.h>

static const NetOptions net =
    {.widths = {2, {6, 5}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 4, .gain = 1, .bias_gain = .5};
static char where[64];

static PetscErrorCode Create(MPI_Comm comm, PetscInt G, PetscInt d, PetscBool held, Problem *problem)
{
  Data data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(comm, d, 3, 2, held ? 8 : 5, &data));
  for (PetscInt k = 0; held && data->all_y && k < 2 * d; k++) data->all_y[k] = NAN; /* as DataCreateHeldout */
  PetscCall(ProblemCreate(comm, G, data, &net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the point ---------------------------------------------------------------------------------------------------------- */

static PetscErrorCode TestPoint(PetscInt G, PetscBool full)
{
  const HessianOptions options = {.extreme = 3, .full = full};
  Problem              problem;
  Start                start;
  FullHessian          all = {0};
  Tiles                K;
  PetscInt             negative = 0;

  PetscFunctionBeginUser;
  PetscCall(Create(PETSC_COMM_WORLD, G, 7, PETSC_FALSE, &problem));
  PetscCall(PetscSNPrintf(where, sizeof where, "%d x %d", problem.grid->G, problem.grid->Q));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem.map->m, &K));
  PetscCall(StartCreate(problem.map, &options, &start));
  PetscCall(StartLook(start, problem.jacobian, problem.H, K));
  PetscCall(ProblemLinearizeHessian(&problem));
  PetscCall(FullHessianCompute(problem.hessian, &all));
  for (PetscInt i = 0; i < all.n; i++) negative += all.lambda[i] < -all.error;
  Tap((PetscBool)(negative > 3), "%s: the Hessian has %d negative eigenvalues at the start", where, (int)negative);
  Tap((PetscBool)(start->known && start->point.rank == problem.map->m), "... J has rank m");
  if (full)
    Tap((PetscBool)(start->point.negative == negative && start->point.negative_at_least == negative),
        "... assembled, they are counted");
  else
    Tap((PetscBool)(isnan(start->point.negative) && start->point.negative_at_least == 3),
        "... SLEPc bounds their number by the 3 asked for");
  /* a Ritz value is above the eigenvalue, and within its residual of one; Davidson's tolerance is 10^-3 of |S| */
  Tap((PetscBool)(start->point.look.smallest[0] >= all.lambda[0] - 1e-12 * all.lambda[all.n - 1] &&
                  start->point.look.smallest[0] <= all.lambda[0] + 1e-2 * PetscAbsReal(all.lambda[0])),
      "... the most negative one is found");
  PetscCall(FullHessianDestroy(&all));
  PetscCall(StartDestroy(&start));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the way -------------------------------------------------------------------------------------------------------------- */

/* the outputs on all points, on one rank */
static PetscErrorCode OutputsAlone(PetscInt d, PetscInt n, const PetscReal theta[], PetscReal outputs[])
{
  Problem alone;

  PetscFunctionBeginUser;
  PetscCall(Create(PETSC_COMM_SELF, 1, d, PETSC_TRUE, &alone));
  PetscCheck(alone.map->n == n, PETSC_COMM_SELF, PETSC_ERR_PLIB, "n");
  PetscCall(SetCanonical(alone.parameters, theta, alone.theta));
  PetscCall(ResidualMapApply(alone.map, alone.theta, alone.trajectory, alone.H));
  PetscCall(PetscArraycpy(outputs, alone.trajectory->value[alone.network->nops - 1], 2 * d));
  PetscCall(ProblemDestroy(&alone));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckHeldout(const Movement *m, PetscInt d, PetscInt n, const PetscReal theta_0[], const PetscReal theta[])
{
  PetscReal *before, *after, most = 0, sum = 0;
  PetscInt   at = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(2 * d, &before, 2 * d, &after));
  PetscCall(OutputsAlone(d, n, theta_0, before));
  PetscCall(OutputsAlone(d, n, theta, after));
  for (PetscInt k = 0; k < 2 * d; k++) {
    const PetscReal change = PetscAbsReal(after[k] - before[k]);

    sum += change * change;
    if (change > most) at = k;
    most = PetscMax(most, change);
  }
  TapClose(m->change_max, most, most, 1e-12, "... so is the largest change of an output on points held out");
  Tap((PetscBool)(m->heldout == d && m->change_point == at / 2 && m->change_output == at % 2), "... and where it is");
  TapClose(m->change_rms, PetscSqrtReal(sum / (2 * (PetscReal)d)), most, 1e-12, "... and its root mean square");
  PetscCall(PetscFree2(before, after));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestMove(PetscInt G)
{
  const HessianOptions options = {.extreme = 0};
  const PetscInt       d = 5, held = 11;
  Problem              problem, heldout;
  Start                start;
  Vec                  theta_0, step;
  PetscInt             n, first = 0;
  PetscReal           *before, *after;
  PetscBool            labels = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(Create(PETSC_COMM_WORLD, G, d, PETSC_FALSE, &problem));
  PetscCall(Create(PETSC_COMM_WORLD, G, held, PETSC_TRUE, &heldout));
  n = problem.map->n;
  PetscCall(PetscMalloc2(n, &before, n, &after));
  PetscCall(StartCreate(problem.map, &options, &start));
  PetscCall(VecDuplicate(problem.theta, &theta_0));
  PetscCall(VecDuplicate(problem.theta, &step));
  PetscCall(VecCopy(problem.theta, theta_0));
  PetscCall(ParametersSetRandom(problem.parameters, 1, 9, step));
  PetscCall(VecAXPY(problem.theta, .1, step));
  PetscCall(GetCanonical(problem.parameters, theta_0, before));
  PetscCall(GetCanonical(problem.parameters, problem.theta, after));
  PetscCall(StartMove(start, heldout.map, theta_0, problem.theta));
  for (PetscInt label = 0; label < problem.network->nlabels; label++) {
    const PetscInt size  = problem.network->labels[label].rows * problem.network->labels[label].cols;
    PetscReal      moved = 0, norm = 0;

    for (PetscInt k = first; k < first + size; k++) {
      moved += PetscSqr(after[k] - before[k]);
      norm += PetscSqr(before[k]);
    }
    labels = (PetscBool)(labels &&
                         PetscAbsReal(start->movement.label[label] - PetscSqrtReal(moved)) <= 1e-14 * PetscSqrtReal(norm + moved) &&
                         PetscAbsReal(start->movement.label_norm[label] - PetscSqrtReal(norm)) <= 1e-14 * PetscSqrtReal(norm));
    first += size;
  }
  PetscCall(VecNorm(step, NORM_2, &before[0]));
  TapClose(start->movement.moved, .1 * before[0], before[0], 1e-14, "the distance is that of the step");
  Tap(labels, "%d x %d: ... and label by label", problem.grid->G, problem.grid->Q);
  PetscCall(GetCanonical(problem.parameters, problem.theta, after));
  PetscCall(VecWAXPY(theta_0, -.1, step, problem.theta));
  PetscCall(GetCanonical(problem.parameters, theta_0, before));
  PetscCall(CheckHeldout(&start->movement, held, n, before, after));
  PetscCall(VecDestroy(&step));
  PetscCall(VecDestroy(&theta_0));
  PetscCall(StartDestroy(&start));
  PetscCall(PetscFree2(before, after));
  PetscCall(ProblemDestroy(&heldout));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++) {
    if (size % G) continue;
    TapCall(TestPoint(G, PETSC_TRUE));
    TapCall(TestPoint(G, PETSC_FALSE));
    TapCall(TestMove(G));
  }
  return TapEnd();
}
