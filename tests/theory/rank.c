/*
  rank.c: how often rank J is as large as it can be, min(n, m), at random weights, over width x points, against n = m. Smooth nets without
  symmetries, such as erf, have it almost surely on both sides; rectified ones have dead units, and lack rank well before n = m. -seeds 20.
*/
#include "experiment.h"

enum { WIDTHS = 4, STEPS = 17, SIGMAS = 2, CELLS = SIGMAS * WIDTHS * STEPS };

static const PetscInt    Widths[WIDTHS] = {3, 6, 12, 24};
static const char *const Sigmas[SIGMAS] = {"erf", "smoolu"};

typedef struct {
  PetscInt  seeds, rows;
  PetscReal sigma[CELLS], width[CELLS], points[CELLS], ratio[CELLS], full[CELLS],
      open[CELLS]; /* shares: of full rank m, undecided */
} Result;

/* beyond n = m it is 0, as rank J <= n */
static PetscErrorCode Cell(Experiment *e, PetscInt seeds, PetscReal *full, PetscReal *open)
{
  PetscFunctionBeginUser;
  *full = *open = 0;
  for (PetscInt s = 0; s < seeds; s++) {
    Problem  problem;
    Spectrum spectrum;

    e->net.seed = s + 1;
    PetscCall(ExperimentProblem(e, &problem));
    PetscCall(ExperimentSpectrum(&problem, &spectrum));
    *full += spectrum.above == spectrum.m;
    *open += spectrum.above < spectrum.m && spectrum.rank < 0;
    PetscCall(SpectrumDestroy(&spectrum));
    PetscCall(ProblemDestroy(&problem));
  }
  *full /= (PetscReal)seeds;
  *open /= (PetscReal)seeds;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Sweep(Experiment *e, Result *r)
{
  Data     data;
  PetscInt p, d;

  PetscFunctionBeginUser;
  e->data.points = 0; /* all */
  PetscCall(DataCreate(PETSC_COMM_WORLD, &e->data, &data));
  p = data->inputs;
  d = data->points;
  PetscCall(DataDestroy(&data));
  for (PetscInt a = 0; a < SIGMAS; a++) {
    PetscCall(PetscStrncpy(e->net.activation, Sigmas[a], sizeof e->net.activation));
    for (PetscInt w = 0; w < WIDTHS; w++) {
      PetscInt64 n = 0;

      e->net.widths.v[0] = Widths[w];
      PetscCall(ExperimentPad(e, p, 1, d, &n));
      for (PetscInt step = 1; step <= STEPS; step++, r->rows++) {
        const PetscInt row = r->rows;

        e->data.points = (PetscInt)(n * step / (STEPS - 4)); /* m/n from 1/13 to 17/13, and 1 */
        PetscCheck(e->data.points <= d, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE, "%d points, of %d", (int)e->data.points,
                   (int)d);
        PetscCall(Cell(e, r->seeds, &r->full[row], &r->open[row]));
        r->sigma[row]  = (PetscReal)a;
        r->width[row]  = (PetscReal)Widths[w];
        r->points[row] = (PetscReal)e->data.points;
        r->ratio[row]  = (PetscReal)e->data.points / (PetscReal)n;
      }
    }
    e->data.points = 0;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Draw(const Experiment *e, const Result *r)
{
  static const PlotColour colours[] = {PLOT_SKY, PLOT_BLUE, PLOT_GREEN, PLOT_RED};
  const TableColumn       columns[] =
      {{"rectified", r->sigma}, {"width", r->width},          {"points", r->points}, {"m_over_n", r->ratio},
       {"share", r->full},      {"share_undecided", r->open}, {NULL, NULL}};
  const PetscReal x[] = {1, 1}, y[] = {0, 1};
  PlotSeries      series[SIGMAS][WIDTHS + 1];
  PlotPanel       panels[SIGMAS];
  char            labels[WIDTHS][32], note[256];
  PetscReal       open = 0;
  const Plot      plot = {.title = "How often rank J = m at random weights", .note = note, .npanels = SIGMAS, .panels = panels};

  PetscFunctionBeginUser;
  for (PetscInt a = 0; a < SIGMAS; a++) {
    for (PetscInt w = 0; w < WIDTHS; w++) {
      const PetscInt first = (a * WIDTHS + w) * STEPS;

      PetscCall(PetscSNPrintf(labels[w], sizeof labels[w], "width %d", (int)Widths[w]));
      series[a][w] = (PlotSeries){.label  = labels[w],
                                  .mark   = PLOT_LINE,
                                  .colour = colours[w],
                                  .dashed = (PetscBool)(w % 2),
                                  .n      = STEPS,
                                  .x      = r->ratio + first,
                                  .y      = r->full + first};
    }
    series[a][WIDTHS] = (PlotSeries){.label = "n = m", .mark = PLOT_LINE, .colour = PLOT_INK, .n = 2, .x = x, .y = y};
    panels[a]         = (PlotPanel){.title   = Sigmas[a],
                                    .x       = {.label = "m / n", .low = 0, .high = 1.3},
                                    .y       = {.label = "share of seeds", .low = 0, .high = 1},
                                    .nseries = WIDTHS + 1,
                                    .series  = series[a]};
  }
  for (PetscInt row = 0; row < r->rows; row++) open = PetscMax(open, r->open[row]);
  PetscCall(PetscSNPrintf(note, sizeof note,
                          "%s, %d seeds; one hidden layer, m = d points. Undecided, and not counted: up to %.0f %%", e->job,
                          (int)r->seeds, 100 * (double)open));
  PetscCall(ExperimentWrite(e, "rank", &plot, r->rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Experiment *e)
{
  static Result r     = {.seeds = 20};
  PetscReal     least = 1, most = 0, drop = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-seeds", &r.seeds, NULL));
  PetscCall(Sweep(e, &r));
  PetscCall(Draw(e, &r));
  for (PetscInt row = 0; row < CELLS; row++) {
    if (r.ratio[row] > 1) most = PetscMax(most, r.full[row]);
    if (r.ratio[row] <= 1 && row < CELLS / 2) least = PetscMin(least, r.full[row]);
    if (r.ratio[row] <= 1 && row >= CELLS / 2) drop = PetscMax(drop, 1 - r.full[row]);
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "# %s, width %2d, d = %3d, m/n = %.3f: rank m in %3.0f %%, undecided in %3.0f %%\n",
                          Sigmas[row / (WIDTHS * STEPS)], (int)r.width[row], (int)r.points[row], (double)r.ratio[row],
                          100 * (double)r.full[row], 100 * (double)r.open[row]));
  }
  Tap((PetscBool)(least == 1), "erf: rank J = m <= n for every width, d and seed");
  Tap((PetscBool)(most == 0), "m > n: never");
  Tap((PetscBool)(drop > .5), "a rectified sigma: it is lacking for more than half of the seeds somewhere below n = m");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  Experiment e;

  ExperimentBegin(argc, argv, &e);
  TapCall(Run(&e));
  return TapEnd();
}
