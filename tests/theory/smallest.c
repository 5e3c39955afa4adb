/*
  smallest.c: lambda_min(K) at random weights as n/d passes 1: 0 where there are fewer parameters than points, since rank K <= n, and positive for
  every seed beyond, though small near 1. One hidden layer, widths from 1 on; -seeds 20.
*/
#include "experiment.h"

enum { SEEDS_MAX = 64 };

static const PetscInt Widths[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 17, 20, 25, 33, 50, 100, 200, 400};

enum { WIDTHS = sizeof Widths / sizeof *Widths };

/* lambda_min and the error it is known to, both over d: K/d has entries of one size whatever d */
static PetscErrorCode Smallest(Experiment *e, PetscInt seed, PetscReal *lambda, PetscReal *resolution)
{
  Problem   problem;
  Spectrum  spectrum;
  PetscReal norm2;

  PetscFunctionBeginUser;
  e->net.seed = seed;
  PetscCall(ExperimentProblem(e, &problem));
  PetscCall(ExperimentSpectrum(&problem, &spectrum));
  norm2       = spectrum.norm2 / (PetscReal)spectrum.m; /* the mean eigenvalue */
  *lambda     = PetscSqr(spectrum.sigma[spectrum.m - 1]) / norm2;
  *resolution = PetscSqr(spectrum.resolution) / norm2;
  PetscCall(SpectrumDestroy(&spectrum));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  PetscInt  seeds, rows, below_one, beyond_one;
  PetscBool zero, positive; /* all lambda_min for n < d within the resolution, all for n > d above it */
  PetscReal ratio[WIDTHS * SEEDS_MAX], lambda[WIDTHS * SEEDS_MAX], resolution[WIDTHS * SEEDS_MAX], seed[WIDTHS * SEEDS_MAX];
  PetscReal x[WIDTHS], median[WIDTHS], low[WIDTHS], high[WIDTHS], floor[WIDTHS];
} Result;

static PetscErrorCode Sweep(Experiment *e, Result *r)
{
  PetscInt d, p, l;
  Data     data;

  PetscFunctionBeginUser;
  PetscCall(DataCreate(PETSC_COMM_WORLD, &e->data, &data));
  d = data->points;
  p = data->inputs;
  l = data->outputs;
  PetscCall(DataDestroy(&data));
  for (PetscInt k = 0; k < WIDTHS; k++) {
    PetscInt64 n = 0;
    PetscReal  sorted[SEEDS_MAX];

    e->net.widths.n    = 1;
    e->net.widths.v[0] = Widths[k];
    PetscCall(ExperimentPad(e, p, l, d * l, &n));
    r->x[k] = (PetscReal)n / (PetscReal)(d * l);
    for (PetscInt s = 0; s < r->seeds; s++, r->rows++) {
      const PetscInt row = r->rows;

      PetscCall(Smallest(e, s + 1, &r->lambda[row], &r->resolution[row]));
      r->ratio[row] = r->x[k];
      r->seed[row]  = (PetscReal)(s + 1);
      sorted[s]     = r->lambda[row];
      r->floor[k]   = PetscMax(r->floor[k], r->resolution[row]);
      if (n < d * l && !(r->lambda[row] <= r->resolution[row])) r->zero = PETSC_FALSE;
      if (n >= d * l && !(r->lambda[row] > r->resolution[row])) r->positive = PETSC_FALSE;
    }
    r->median[k] = Quantile(r->seeds, sorted, .5);
    r->low[k]    = sorted[0];
    r->high[k]   = sorted[r->seeds - 1];
    r->below_one += n < d * l;
    r->beyond_one += n > d * l;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "# n/d = %7.3f: lambda_min/mean = %.2e, of %.2e to %.2e, known to %.1e\n",
                          (double)r->x[k], (double)r->median[k], (double)r->low[k], (double)r->high[k], (double)r->floor[k]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Draw(const Experiment *e, const Result *r)
{
  const PetscInt    first = r->below_one;
  const PetscReal   one[] = {1, 1}, ends[] = {1e-27, 1e-5};
  const TableColumn columns[] = {{"n_over_d", r->ratio},
                                 {"seed", r->seed},
                                 {"lambda_min", r->lambda},
                                 {"resolution", r->resolution},
                                 {NULL, NULL}};
  const PlotSeries  series[] =
      {{.label  = "median and range over seeds",
        .mark   = PLOT_POINTS,
        .colour = PLOT_BLUE,
        .n      = WIDTHS - first,
        .x      = r->x + first,
        .y      = r->median + first,
        .low    = r->low + first,
        .high   = r->high + first},
       {.label = "0 to what is known: at most this", .mark = PLOT_RINGS, .colour = PLOT_RED, .n = first, .x = r->x, .y = r->floor},
       {.label  = "what it is known to",
        .mark   = PLOT_LINE,
        .colour = PLOT_ORANGE,
        .dashed = PETSC_TRUE,
        .n      = WIDTHS - first,
        .x      = r->x + first,
        .y      = r->floor + first},
       {.label = "n = d", .mark = PLOT_LINE, .colour = PLOT_INK, .n = 2, .x = one, .y = ends}};
  const PlotPanel panel = {.x       = {.label = "parameters over points, n / d", .scale = PLOT_LOG},
                           .y       = {.label = "\u03bb_min(K) over the mean eigenvalue", .scale = PLOT_LOG},
                           .nseries = 4,
                           .series  = series};
  char            note[256];
  const Plot      plot = {.title   = "The least eigenvalue of K at random weights as n passes d",
                          .note    = note,
                          .npanels = 1,
                          .panels  = &panel};

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(note, sizeof note, "%s, %d seeds a width", e->job, (int)r->seeds));
  PetscCall(ExperimentWrite(e, "smallest", &plot, r->rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Experiment *e)
{
  static Result r = {.seeds = 20, .zero = PETSC_TRUE, .positive = PETSC_TRUE};

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-seeds", &r.seeds, NULL));
  r.seeds = PetscMin(r.seeds, SEEDS_MAX);
  PetscCall(Sweep(e, &r));
  PetscCall(Draw(e, &r));
  Tap((PetscBool)(r.zero && r.below_one > 2), "n < d: lambda_min(K) is 0 to what is known, at %d widths, every seed",
      (int)r.below_one);
  Tap((PetscBool)(r.positive && r.beyond_one > 2), "n > d: lambda_min(K) > 0 beyond what is known, at %d widths, every seed",
      (int)r.beyond_one);
  Tap((PetscBool)(r.median[WIDTHS - 1] > 1e3 * r.median[r.below_one]), "... and it grows by far with n/d");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  Experiment e;

  ExperimentBegin(argc, argv, &e);
  TapCall(Run(&e));
  return TapEnd();
}
