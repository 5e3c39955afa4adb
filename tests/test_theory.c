// ranks: 1 3
/*
  Small forms of tests/theory, against what others proved: the tangent kernel of erf nets falls towards its closed form of infinite width like
  width^(-1/2), in one, two and three hidden layers; the gradient is at least what the least eigenvalue of K says.
*/
#include "problem.h"
#include "theory/kernel_limit.h"

enum { POINTS = 11, INPUTS = 5 };

/* of three seeds */
static PetscErrorCode MedianDistance(NetOptions *net, PetscInt width, PetscReal *median)
{
  PetscReal distance[3], x[POINTS * INPUTS];

  PetscFunctionBeginUser;
  RandomNormal(3, 1, 0, POINTS * INPUTS, x); /* as in DataRandom */
  for (PetscInt k = 0; k < net->widths.n; k++) net->widths.v[k] = width;
  for (PetscInt s = 0; s < 3; s++) {
    Data    data;
    Problem problem;
    Tiles   K;

    net->seed = s + 1;
    PetscCall(DataRandom(PETSC_COMM_WORLD, POINTS, INPUTS, 1, 3, &data));
    PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, net, &problem));
    PetscCall(TilesCreate(PETSC_COMM_WORLD, POINTS, &K));
    PetscCall(GramCompute(problem.jacobian, K));
    PetscCall(KernelDistance(net, K, INPUTS, x, &distance[s]));
    PetscCall(TilesDestroy(&K));
    PetscCall(ProblemDestroy(&problem));
  }
  *median = distance[0] + distance[1] + distance[2] - PetscMax(distance[0], PetscMax(distance[1], distance[2])) -
            PetscMin(distance[0], PetscMin(distance[1], distance[2]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Kernel(void)
{
  const PetscReal width[] = {20, 40, 80, 160, 320, 640, 1280};
  NetOptions      net     = {.bias = PETSC_TRUE, .gain = 1.2, .bias_gain = .4, .activation = "erf"};

  PetscFunctionBeginUser;
  for (net.widths.n = 1; net.widths.n <= 3; net.widths.n++) {
    PetscReal median[7], slope;

    for (PetscInt k = 0; k < 7; k++) PetscCall(MedianDistance(&net, (PetscInt)width[k], &median[k]));
    slope = LogSlope(7, width, median);
    /* seven medians of three scatter by a third each; over a factor 64 their slope does by less than 0.15 */
    Tap((PetscBool)(PetscAbsReal(slope + .5) < .15 && median[6] < .1), "%d hidden layers: the distance falls like width^(%.2f)",
        (int)net.widths.n, (double)slope);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* |2 J^T H|^2 >= 4 lambda_min(K) |H|^2 at random weights; equality where H is K's least eigenvector */
static PetscErrorCode Gradient(void)
{
  NetOptions net    = {.bias = PETSC_TRUE, .gain = 1, .bias_gain = .4, .activation = "tanh", .widths = {1, {9}}};
  PetscInt   broken = 0, tight = 0;

  PetscFunctionBeginUser;
  for (net.seed = 1; net.seed <= 10; net.seed++) {
    PetscReal lambda[POINTS], gradient2, loss, least[POINTS];
    Problem   problem;
    Data      data;
    Tiles     K, V;
    Vec       gradient;

    PetscCall(DataRandom(PETSC_COMM_WORLD, POINTS, INPUTS, 1, 3, &data));
    PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
    PetscCall(TilesCreate(PETSC_COMM_WORLD, POINTS, &K));
    PetscCall(TilesDuplicate(K, &V));
    PetscCall(GramCompute(problem.jacobian, K));
    PetscCall(TilesEigenvectors(K, lambda, V));
    for (PetscInt pass = 0; pass < 2; pass++) { /* H; then the eigenvector in its place: m is small, so one rank has all of V */
      for (PetscInt i = 0; pass && i < POINTS; i++) least[i] = V->a ? V->a[i] : 0;
      if (pass) PetscCallMPI(MPI_Bcast(least, POINTS, MPIU_REAL, 0, PETSC_COMM_WORLD));
      if (pass) PetscCall(RowsSetAll(problem.map->rows, least, problem.H));
      PetscCall(VecDuplicate(problem.theta, &gradient));
      PetscCall(JacobianMultTransposeAdd(problem.jacobian, 2, problem.H, gradient));
      PetscCall(VecDot(gradient, gradient, &gradient2));
      PetscCall(VecDot(problem.H, problem.H, &loss));
      PetscCall(VecDestroy(&gradient));
      broken += !(gradient2 >= 4 * lambda[0] * loss - 1e-13 * lambda[POINTS - 1] * loss); /* lambda_min is known to about that */
      tight += pass && PetscAbsReal(gradient2 - 4 * lambda[0] * loss) <= 1e-13 * lambda[POINTS - 1];
    }
    PetscCall(TilesDestroy(&V));
    PetscCall(TilesDestroy(&K));
    PetscCall(ProblemDestroy(&problem));
  }
  Tap((PetscBool)(broken == 0), "|grad L|^2 >= 4 lambda_min(K) L");
  Tap((PetscBool)(tight == 10), "... with equality along the least eigenvector");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(Kernel());
  TapCall(Gradient());
  return TapEnd();
}
