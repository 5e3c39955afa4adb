// ranks: 1 2 3 4
/*
  test_perturb.c: two of five hidden units are equal, so that a zero is singular though n > m. Moving the halves apart by t
  lifts sigma_min(J) by about t and H by about t^2.
*/
#include "codim/perturb.h"
#include "problem.h"
#include <math.h>
#include <unistd.h>

enum { D = 24, P = 3, H = 5, RANK = 21, DRAWS = 4 };

static const PerturbOptions options = {.size = 1e-2, .least = 1e-10, .draws = DRAWS};

/* weights, biases: unit 4 is unit 3; y := f but for `missing` of them, which were not observed */
static PetscErrorCode SingularProblem(PetscInt G, PetscInt missing, Problem *problem)
{
  const NetOptions net = {.widths = {1, {H}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 2, .gain = 1.5, .bias_gain = .5};
  Data             data;
  PetscReal        theta[H * P + 2 * H + 1];

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, D, P, 1, 3, &data));
  for (PetscInt k = 0; data->all_y && k < missing; k++) data->all_y[7 * k] = (PetscReal)NAN;
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscCall(GetCanonical(problem->parameters, problem->theta, theta));
  for (PetscInt c = 0; c < P; c++) theta[4 * P + c] = theta[3 * P + c];
  theta[H * P + 4]     = theta[H * P + 3];
  theta[H * P + H + 4] = theta[H * P + H + 3];
  PetscCall(SetCanonical(problem->parameters, theta, problem->theta));
  PetscCall(ProblemLinearize(problem));
  for (PetscInt i = 0; i < problem->map->N; i++)
    if (!isnan(data->y[i])) data->y[i] = problem->trajectory->value[problem->network->nops - 1][i];
  PetscCall(DataGatherTargets(data, problem->grid));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(Problem *problem, Tiles K, PerturbResult *result)
{
  const PerturbPoint point =
      {problem->map, problem->data, 1, problem->theta, problem->H, problem->trajectory, problem->jacobian, K, 0};

  PetscFunctionBeginUser;
  *result = (PerturbResult){.rank = RANK, .rank_bound = -1};
  PetscCall(PerturbSolve(&point, &options, result));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma_k, ascending, from K */
static PetscErrorCode Sigma(Problem *problem, Tiles K, PetscReal sigma[])
{
  PetscFunctionBeginUser;
  PetscCall(GramCompute(problem->jacobian, K));
  PetscCall(TilesEigenvalues(K, sigma));
  for (PetscInt k = 0; k < problem->map->m; k++) sigma[k] = PetscSqrtReal(PetscMax(0, sigma[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* in ker J: r = O(t^2), sigma_min of the order of t, over all sizes: where K hides it, from J */
static void TestOrders(const PerturbResult *result)
{
  PetscBool square = PETSC_TRUE, linear = PETSC_TRUE, small = PETSC_TRUE;
  PetscInt  seen = 0, proved = 0;

  for (PetscInt draw = 0; draw < DRAWS; draw += 2) {
    PetscReal r = 0, sigma = 0;

    for (PetscInt i = 0; i < result->trials; i++) {
      const PerturbTrial *t = &result->trial[i];

      small = (PetscBool)(small && t->r > 0 && t->r < t->size && t->r >= t->size / 5);
      if (t->draw != draw || t->size > 2e-3) continue;
      if (r == 0) r = t->r / PetscSqr(t->moved);
      if (sigma == 0) sigma = t->sigma_min / t->moved;
      square = (PetscBool)(square && PetscAbsReal(t->r / PetscSqr(t->moved) - r) < .2 * r);
      linear = (PetscBool)(linear && PetscAbsReal(t->sigma_min / t->moved - sigma) < .2 * sigma);
      if (t->size > 5e-6) proved += t->proved;
      seen++;
    }
  }
  Tap(small, "all of %d changes are smaller than asked, none by more than five times", (int)result->trials);
  Tap((PetscBool)(square && linear && seen == 16), "in ker J the change is as the square of the step, sigma_min as the step");
  Tap((PetscBool)(proved == 6), "... and each of 1e-3, 1e-4, 1e-5 is proved to leave a regular zero");
}

static PetscErrorCode TestSingular(PetscInt G, PetscInt missing)
{
  Problem       problem;
  Tiles         K;
  PerturbResult result;
  PetscReal     sigma[D], r2 = 0, norm;
  PetscBool     untouched = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(SingularProblem(G, missing, &problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem.map->m, &K));
  PetscCall(Sigma(&problem, K, sigma));
  PetscCall(VecNorm(problem.H, NORM_2, &norm));
  if (!missing)
    Tap((PetscBool)(sigma[D - RANK - 1] < 1e-6 && sigma[D - RANK] > 1e-4 && norm == 0),
        "two equal units on %d x %d: rank J = %d < m = %d at a zero", problem.grid->G, problem.grid->Q, RANK, D);
  PetscCall(Solve(&problem, K, &result));
  if (!missing) TestOrders(&result);
  Tap((PetscBool)(result.chosen >= 0), "a change is chosen (%d targets missing)", (int)missing);
  for (PetscInt i = 0; i < result.trials; i++)
    if (result.trial[i].proved && result.trial[i].r < result.trial[result.chosen].r) untouched = PETSC_FALSE;
  Tap(untouched, "... the least that was proved, %.1e", (double)result.trial[result.chosen].r);
  PetscCall(ResidualMapApply(problem.map, problem.theta, problem.trajectory, problem.H));
  PetscCall(JacobianLinearize(problem.jacobian, problem.theta, problem.trajectory));
  PetscCall(VecNorm(problem.H, NORM_2, &norm));
  PetscCall(Sigma(&problem, K, sigma));
  Tap((PetscBool)(norm <= 1e-14 && PetscAbsReal(sigma[0] - result.trial[result.chosen].sigma_min) <= 1e-2 * sigma[0]),
      "... theta and the targets are those of it: |H| = %.1e, sigma_min = %.1e", (double)norm, (double)sigma[0]);
  for (PetscInt k = 0; result.given && k < D; k++) {
    untouched = (PetscBool)(untouched && isnan(result.given[k]) == isnan(problem.data->all_y[k]));
    if (!isnan(result.given[k])) r2 += PetscSqr(problem.data->all_y[k] - result.given[k]);
  }
  PetscCallMPI(MPI_Bcast(&r2, 1, MPIU_REAL, 0, PETSC_COMM_WORLD));
  Tap((PetscBool)(untouched && PetscAbsReal(PetscSqrtReal(r2) - result.trial[result.chosen].r) <= 1e-12),
      "... by which rank 0's targets moved; what is missing stays so");
  PetscCall(PerturbResultDestroy(&result));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* two equal points: no change is proved, and everything is as it was */
static PetscErrorCode TestHopeless(PetscInt G)
{
  Problem       problem;
  Tiles         K;
  PerturbResult result;
  Vec           theta;
  PetscReal     y[D], moved;
  PetscBool     same = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(SingularProblem(G, 0, &problem));
  if (problem.data->all_x) {
    PetscCall(PetscArraycpy(problem.data->all_x + 9 * P, problem.data->all_x + 2 * P, P));
    problem.data->all_y[9] = problem.data->all_y[2];
    PetscCall(PetscArraycpy(y, problem.data->all_y, D));
  }
  PetscCall(DataScatter(problem.data, problem.grid));
  problem.map->x = problem.trajectory->value[0] = problem.data->x;
  problem.map->y                                = problem.data->y;
  PetscCall(ProblemLinearize(&problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, D, &K));
  PetscCall(VecDuplicate(problem.theta, &theta));
  PetscCall(VecCopy(problem.theta, theta));
  PetscCall(Solve(&problem, K, &result));
  PetscCall(DataGatherTargets(problem.data, problem.grid));
  if (problem.data->all_y) PetscCall(PetscArraycmp(y, problem.data->all_y, D, &same));
  PetscCall(VecAXPY(theta, -1, problem.theta));
  PetscCall(VecNorm(theta, NORM_INFINITY, &moved));
  Tap((PetscBool)(result.chosen < 0 && result.trials > 0 && moved == 0 && same && !result.given),
      "equal points on %d x %d: none of %d changes is proved, and nothing has moved", problem.grid->G, problem.grid->Q,
      (int)result.trials);
  PetscCall(VecDestroy(&theta));
  PetscCall(PerturbResultDestroy(&result));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a checkpoint's targets and trials are those of the run that wrote it */
static PetscErrorCode TestArchive(PetscInt G)
{
  Problem       problem, other;
  Tiles         K;
  PerturbResult result, read = {.chosen = -1};
  Archive       archive;
  Complaint     complaint = {STATUS_HOLDS, ""};
  char          path[64];
  PetscBool     same = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof path, "/tmp/codim-test-perturb-%d.h5", (int)getpid()));
  PetscCallMPI(MPI_Bcast(path, sizeof path, MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscCall(SingularProblem(G, 0, &problem));
  PetscCall(SingularProblem(1, 0, &other));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, D, &K));
  PetscCall(Solve(&problem, K, &result));
  PetscCall(ArchiveCreate(PETSC_COMM_WORLD, &archive));
  PetscCall(PerturbArchive(archive, problem.data, problem.grid, &result));
  PetscCall(ArchiveWrite(archive, path, &complaint));
  PetscCall(ArchiveDestroy(&archive));
  PetscCall(ArchiveOpen(PETSC_COMM_WORLD, path, &archive));
  PetscCall(PerturbArchive(archive, other.data, other.grid, &read));
  PetscCall(ArchiveDestroy(&archive));
  if (problem.grid->rank == 0) {
    (void)unlink(path);
    PetscCall(PetscArraycmp(problem.data->all_y, other.data->all_y, D, &same));
    for (PetscInt k = 0; k < D; k++) same = (PetscBool)(same && read.given[k] == result.given[k]);
  }
  Tap((PetscBool)(same && complaint.status == STATUS_HOLDS && read.trials == result.trials && read.chosen == result.chosen &&
                  read.trial[read.chosen].r == result.trial[result.chosen].r),
      "to and from the checkpoint on %d x %d", problem.grid->G, problem.grid->Q);
  PetscCall(PerturbResultDestroy(&read));
  PetscCall(PerturbResultDestroy(&result));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&other));
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
    TapCall(TestSingular(G, 0));
    TapCall(TestSingular(G, 3));
    TapCall(TestHopeless(G));
    TapCall(TestArchive(G));
  }
  return TapEnd();
}
