/*
  kernel.c: the tangent kernel of erf nets at random weights against its infinite-width limit, which others derived (kernel_limit.h): the relative
  distance falls like width^(-1/2). Widths 10^2 … 10^4; -seeds 9.
*/
#include "experiment.h"
#include "kernel_limit.h"

enum { WIDTHS = 9, SEEDS_MAX = 32 };

static PetscErrorCode Distance(Experiment *e, PetscInt width, PetscInt seed, PetscReal *distance)
{
  Problem    problem;
  PetscReal *x;
  Tiles      K;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < e->net.widths.n; k++) e->net.widths.v[k] = width;
  e->net.seed = seed;
  PetscCall(ExperimentProblem(e, &problem));
  PetscCall(PetscMalloc1(problem.data->points * problem.data->inputs, &x));
  if (problem.data->all_x) PetscCall(PetscArraycpy(x, problem.data->all_x, problem.data->points * problem.data->inputs));
  PetscCallMPI(MPI_Bcast(x, (PetscMPIInt)(problem.data->points * problem.data->inputs), MPIU_REAL, 0, PETSC_COMM_WORLD));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem.map->m, &K));
  PetscCall(GramCompute(problem.jacobian, K));
  PetscCall(KernelDistance(&e->net, K, problem.data->inputs, x, distance));
  PetscCall(TilesDestroy(&K));
  PetscCall(PetscFree(x));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Experiment *e)
{
  PetscReal         width[WIDTHS * SEEDS_MAX], distance[WIDTHS * SEEDS_MAX], seed[WIDTHS * SEEDS_MAX], h[WIDTHS], median[WIDTHS];
  PetscReal         ends[2] = {100, 10000}, line[2], slope;
  PetscInt          seeds = 9, rows = 0;
  char              note[128];
  const TableColumn columns[] = {{"width", width}, {"seed", seed}, {"distance", distance}, {NULL, NULL}};

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-seeds", &seeds, NULL));
  seeds = PetscMin(seeds, SEEDS_MAX);
  for (PetscInt k = 0; k < WIDTHS; k++) {
    PetscReal sorted[SEEDS_MAX];

    h[k] = PetscFloorReal(100 * PetscPowReal(10, (PetscReal)k / 4) + .5);
    for (PetscInt s = 0; s < seeds; s++, rows++) {
      PetscCall(Distance(e, (PetscInt)h[k], s + 1, &distance[rows]));
      width[rows] = h[k];
      seed[rows]  = (PetscReal)(s + 1);
      sorted[s]   = distance[rows];
    }
    median[k] = Quantile(seeds, sorted, .5);
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "# width %5d: |K - Theta|/|Theta| = %.3e\n", (int)h[k], (double)median[k]));
  }
  slope = LogSlope(WIDTHS, h, median);
  for (PetscInt i = 0; i < 2; i++) line[i] = median[WIDTHS / 2] * PetscPowReal(ends[i] / h[WIDTHS / 2], -.5);
  PetscCall(PetscSNPrintf(note, sizeof note, "%s, %d seeds a width: slope of the medians %.3f", e->job, (int)seeds, (double)slope));
  {
    const PlotSeries series[] =
        {{.label = "one seed", .mark = PLOT_RINGS, .colour = PLOT_SKY, .n = rows, .x = width, .y = distance},
         {.label = "median", .mark = PLOT_POINTS, .colour = PLOT_BLUE, .n = WIDTHS, .x = h, .y = median},
         {.label = "width^(-1/2)", .mark = PLOT_LINE, .colour = PLOT_RED, .dashed = PETSC_TRUE, .n = 2, .x = ends, .y = line}};
    const PlotPanel panel = {.x       = {.label = "width of both hidden layers", .scale = PLOT_LOG},
                             .y       = {.label = "|K \u2212 \u0398| / |\u0398|", .scale = PLOT_LOG},
                             .nseries = 3,
                             .series  = series};
    const Plot      plot  = {.title   = "The tangent kernel of erf nets against its infinite-width limit",
                             .note    = note,
                             .npanels = 1,
                             .panels  = &panel};

    PetscCall(ExperimentWrite(e, "kernel", &plot, rows, columns));
  }
  Tap((PetscBool)(PetscAbsReal(slope + .5) <= .1), "the distance of K from its infinite-width limit falls like width^(%.3f)",
      (double)slope);
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  Experiment e;

  ExperimentBegin(argc, argv, &e);
  TapCall(Run(&e));
  return TapEnd();
}
