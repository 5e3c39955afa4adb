/*
  draw.c: what bench -table wrote, as one picture: K and a step against m on each number of ranks, with the least time that dsyrk and dgemm
  leave them, and against the number of ranks with the ideal drawn in.

    codim-draw TABLE FIGURE.svg
*/
#include "codim/plot.h"

enum { MOST = 64 };

typedef struct {
  int    ranks, threads;
  double m, n, gram, gram_limit, step, step_limit;
} Measured;

typedef struct {
  PetscInt  n;
  PetscReal x[MOST], y[MOST];
} Curve;

static PetscErrorCode Read(const char path[], PetscInt *count, Measured rows[])
{
  FILE *file = fopen(path, "r");

  PetscFunctionBeginUser;
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  *count = 0;
  while (getc(file) != '\n' && !feof(file)) /* names */
    ;
  for (Measured r; *count < MOST && fscanf(file, "%d,%d,%lf,%lf,%lf,%lf,%lf,%lf", &r.ranks, &r.threads, &r.m, &r.n, &r.gram,
                                           &r.gram_limit, &r.step, &r.step_limit) == 8;)
    if (r.threads == 1) rows[(*count)++] = r;
  fclose(file);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Add(Curve *curve, PetscReal x, PetscReal y)
{
  curve->x[curve->n]   = x;
  curve->y[curve->n++] = y;
}

static PlotSeries Series(const char *label, PlotMark mark, PlotColour colour, const Curve *curve)
{
  return (PlotSeries){label, mark, colour, mark == PLOT_LINE, curve->n, curve->x, curve->y, NULL, NULL};
}

/* seconds against m on so many ranks, and the limits */
static PlotPanel AgainstSize(PetscInt count, const Measured rows[], int ranks, Curve curve[4], PlotSeries series[4])
{
  for (PetscInt i = 0; i < count; i++) {
    if (rows[i].ranks != ranks) continue;
    Add(&curve[0], rows[i].m, rows[i].step);
    Add(&curve[1], rows[i].m, rows[i].step_limit);
    Add(&curve[2], rows[i].m, rows[i].gram);
    Add(&curve[3], rows[i].m, rows[i].gram_limit);
  }
  series[0] = Series("one step", PLOT_POINTS, PLOT_BLUE, &curve[0]);
  series[1] = Series("its flops at the rate of dgemm", PLOT_LINE, PLOT_BLUE, &curve[1]);
  series[2] = Series("K alone", PLOT_RINGS, PLOT_RED, &curve[2]);
  series[3] = Series("its flops at the rate of dsyrk", PLOT_LINE, PLOT_RED, &curve[3]);
  return (PlotPanel){.title   = ranks == 1 ? "1 rank" : "2 ranks",
                     .x       = {.label = "residuals m", .scale = PLOT_LOG},
                     .y       = {.label = "seconds", .scale = PLOT_LOG},
                     .nseries = 4,
                     .series  = series};
}

/* seconds of a step against ranks for the least and the largest m, and what ideal speed-up would give */
static PlotPanel AgainstRanks(PetscInt count, const Measured rows[], Curve curve[4], PlotSeries series[4])
{
  double least = INFINITY, largest = 0;

  for (PetscInt i = 0; i < count; i++) {
    least   = PetscMin(least, rows[i].m);
    largest = PetscMax(largest, rows[i].m);
  }
  for (PetscInt i = 0; i < count; i++)
    for (int k = 0; k < 2; k++) {
      if (rows[i].m != (k ? largest : least)) continue;
      Add(&curve[2 * k], rows[i].ranks, rows[i].step);
      Add(&curve[2 * k + 1], rows[i].ranks, curve[2 * k].y[0] / rows[i].ranks);
    }
  series[0] = Series("one step, least m", PLOT_RINGS, PLOT_GREEN, &curve[0]);
  series[1] = Series("ideal", PLOT_LINE, PLOT_GREEN, &curve[1]);
  series[2] = Series("one step, largest m", PLOT_POINTS, PLOT_ORANGE, &curve[2]);
  series[3] = Series("ideal", PLOT_LINE, PLOT_ORANGE, &curve[3]);
  return (PlotPanel){.x       = {.label = "ranks", .scale = PLOT_LOG},
                     .y       = {.label = "seconds", .scale = PLOT_LOG},
                     .nseries = 4,
                     .series  = series};
}

static PetscErrorCode Draw(const char table[], const char figure[])
{
  Measured     rows[MOST];
  static Curve curve[3][4];
  PlotSeries   series[3][4];
  PetscInt     count = 0;
  PlotPanel    panels[3];
  char         title[128];
  const Plot   plot = {title, "Medians; one thread a rank.", 3, panels};

  PetscFunctionBeginUser;
  PetscCall(Read(table, &count, rows));
  PetscCheck(count, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s has no rows", table);
  PetscCall(PetscSNPrintf(title, sizeof(title), "Time of a step, tanh, n = %.0f", rows[0].n));
  for (int ranks = 1; ranks <= 2; ranks++) panels[ranks - 1] = AgainstSize(count, rows, ranks, curve[ranks - 1], series[ranks - 1]);
  panels[2] = AgainstRanks(count, rows, curve[2], series[2]);
  PetscCall(PlotWrite(PETSC_COMM_SELF, figure, &plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscErrorCode ierr = PetscInitialize(&argc, &argv, NULL, NULL);

  if (!ierr) ierr = argc == 3 ? Draw(argv[1], argv[2]) : PETSC_ERR_ARG_WRONG;
  return PetscFinalize() || ierr ? 1 : 0;
}
