/*
  density_output.c: see density_output.h.
*/
#include "codim/density_output.h"
#include "codim/plot.h"
#include "codim/table.h"
#include <math.h>
#include <string.h>

enum {
  A_DECADE      = 4,
  DECADES_MAX   = 40,
  LEVELS_MAX    = A_DECADE * DECADES_MAX + 1,
  BINS_A_DECADE = 2,
  BINS_MAX      = 2 * BINS_A_DECADE * DECADES_MAX + 1
};

static const PetscReal TINY = 1e-300;

/* ---- what is known --------------------------------------------------------------------------------------------------------------- */

/* eigenvalues in (low, high] */
static PetscReal KnownBetween(const DensityView *view, PetscReal low, PetscReal high)
{
  PetscInt count = low < 0 && high >= 0 ? view->density->n - view->count : 0;

  if (view->count < 0) return NAN;
  for (PetscInt k = 0; k < view->count; k++) count += view->lambda[k] > low && view->lambda[k] <= high;
  return (PetscReal)count;
}

PetscReal DensityKnownZeros(const DensityView *view)
{
  const PetscReal inside = DensityResolution(view->density) * (1 - 1e-9); /* the node that sets it may be an eigenvalue */

  return KnownBetween(view, -inside, inside);
}

static PetscReal KnownTrace(const DensityView *view, PetscInt power)
{
  PetscReal sum = 0;

  if (view->count < 0) return NAN;
  for (PetscInt k = 0; k < view->count; k++) sum += power == 1 ? view->lambda[k] : PetscSqr(view->lambda[k]);
  return sum;
}

/* ---- report.json ------------------------------------------------------------------------------------------------------------------- */

static json_t *RealOrNull(PetscReal value)
{
  return isfinite(value) ? json_real((double)value) : json_null();
}

static json_t *EstimateToJSON(DensityEstimate e, PetscReal known)
{
  return json_pack("{s:o, s:o, s:o, s:o, s:o}", "estimate", RealOrNull(e.value), "error_over_probes", RealOrNull(e.error), "low",
                   RealOrNull(e.low), "high", RealOrNull(e.high), "known", RealOrNull(known));
}

json_t *DensityToJSON(const DensityView *view)
{
  const Density  *density    = view->density;
  const PetscReal resolution = DensityResolution(density);
  const PetscReal zeros      = KnownBetween(view, -TINY, TINY);
  json_t         *near       = EstimateToJSON(DensityNearZero(density), zeros);

  json_object_set_new(near, "same_steps_on_the_known", RealOrNull(view->known ? DensityNearZero(view->known).value : NAN));
  json_object_set_new(near, "known_within_resolution", RealOrNull(DensityKnownZeros(view)));
  return json_pack("{s:I, s:I, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "steps", (json_int_t)density->steps, "probes",
                   (json_int_t)density->probes, "products", (json_int_t)density->products, "resolution", RealOrNull(resolution),
                   "near_zero", near, "near_zero_is",
                   "the weight of the node next to 0: it also holds every eigenvalue the quadrature cannot tell from 0, and "
                   "error_over_probes does not contain that bias",
                   "above_resolution",
                   EstimateToJSON(DensityCount(density, resolution / 2, PETSC_FALSE), KnownBetween(view, resolution / 2, INFINITY)),
                   "below_minus_resolution",
                   EstimateToJSON(DensityCount(density, -resolution / 2, PETSC_TRUE),
                                  KnownBetween(view, -INFINITY, -resolution / 2)),
                   "trace", EstimateToJSON(DensityTrace(density, 1), KnownTrace(view, 1)), "trace_of_square",
                   EstimateToJSON(DensityTrace(density, 2), KnownTrace(view, 2)));
}

/* ---- numbers beyond t ---------------------------------------------------------------------------------------------------------------- */

/* of one sign */
typedef struct {
  PetscReal value[LEVELS_MAX], error[LEVELS_MAX], low[LEVELS_MAX], high[LEVELS_MAX], same[LEVELS_MAX], known[LEVELS_MAX];
  PetscReal band_low[LEVELS_MAX], band_high[LEVELS_MAX]; /* bracket, widened by the error */
} Beyond;

typedef struct {
  PetscInt  levels;
  PetscReal t[LEVELS_MAX];
  Beyond    above, below;
} Counts;

static void FillBeyond(const DensityView *view, PetscInt i, PetscReal t, PetscBool below, Beyond *beyond)
{
  const DensityEstimate e     = DensityCount(view->density, below ? -t : t, below);
  const PetscReal       error = isfinite(e.error) ? e.error : 0;

  beyond->value[i]     = e.value;
  beyond->error[i]     = e.error;
  beyond->low[i]       = e.low;
  beyond->high[i]      = e.high;
  beyond->band_low[i]  = PetscMax(e.low - error, 0);
  beyond->band_high[i] = PetscMin(e.high + error, (PetscReal)view->density->n);
  beyond->same[i]      = view->known ? DensityCount(view->known, below ? -t : t, below).value : NAN;
  beyond->known[i]     = below ? KnownBetween(view, -INFINITY, -t * (1 + 1e-15)) : KnownBetween(view, t, INFINITY);
}

/* from a hundredth of the resolution up to the largest node */
static void FillCounts(const DensityView *view, Counts *counts)
{
  PetscReal largest, least, residual, resolution = DensityResolution(view->density);
  PetscInt  first, last;

  DensityEnds(view->density, &largest, &residual, &least, &residual);
  largest    = PetscMax(largest, -least);
  resolution = PetscMin(resolution, largest);
  last       = (PetscInt)PetscCeilReal(A_DECADE * PetscLog10Real(PetscMax(largest, TINY)));
  first      = (PetscInt)PetscFloorReal(A_DECADE * (PetscLog10Real(PetscMax(resolution, TINY)) - 2));
  first      = PetscMax(first, last - LEVELS_MAX + 1);
  for (counts->levels = 0; first + counts->levels <= last; counts->levels++) {
    const PetscInt i = counts->levels;

    counts->t[i] = PetscPowReal(10, (PetscReal)(first + i) / A_DECADE);
    FillBeyond(view, i, counts->t[i], PETSC_FALSE, &counts->above);
    FillBeyond(view, i, counts->t[i], PETSC_TRUE, &counts->below);
  }
}

static PetscErrorCode WriteCounts(MPI_Comm comm, const char path[], const Counts *counts)
{
  const Beyond     *a = &counts->above, *b = &counts->below;
  const TableColumn columns[] = {{"t", counts->t},
                                 {"above", a->value},
                                 {"above_error", a->error},
                                 {"above_low", a->low},
                                 {"above_high", a->high},
                                 {"above_same_steps_on_known", a->same},
                                 {"above_known", a->known},
                                 {"below_minus", b->value},
                                 {"below_minus_error", b->error},
                                 {"below_minus_low", b->low},
                                 {"below_minus_high", b->high},
                                 {"below_minus_same_steps_on_known", b->same},
                                 {"below_minus_known", b->known},
                                 {NULL, NULL}};

  PetscFunctionBeginUser;
  PetscCall(TableWriteCSV(comm, path, counts->levels, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- histogram ------------------------------------------------------------------------------------------------------------------------ */

/* bins of half a decade, and one around 0 within +-linear; x: their middles */
typedef struct {
  PetscInt  bins;
  PetscReal linear;
  PetscReal x[BINS_MAX], value[BINS_MAX], low[BINS_MAX], high[BINS_MAX], same[BINS_MAX], known[BINS_MAX];
} Histogram;

static DensityEstimate Between(const Density *density, PetscReal low, PetscReal high)
{
  DensityEstimate above = DensityCount(density, low, PETSC_FALSE);

  above.value -= isinf(high) ? 0 : DensityCount(density, high, PETSC_FALSE).value;
  return above;
}

/* the spread over probes of the weight in (low, high] */
static PetscReal ErrorBetween(const Density *density, PetscReal low, PetscReal high)
{
  const PetscReal P   = (PetscReal)density->probes;
  PetscReal       sum = 0, square = 0;

  for (PetscInt p = 0; p < density->probes; p++) {
    PetscReal weight = 0;

    for (PetscInt i = 0; i < density->nodes[p]; i++) {
      const size_t    at   = (size_t)p * (size_t)density->steps + (size_t)i;
      const PetscReal node = density->node[at];

      if (node > low && node <= high) weight += density->weight[at];
    }
    sum += weight;
    square += weight * weight;
  }
  return P > 1 ? PetscSqrtReal(PetscMax(0, square - sum * sum / P) / (P - 1) / P) : 0;
}

static void AddBin(const DensityView *view, PetscReal low, PetscReal high, PetscReal middle, Histogram *h)
{
  const PetscReal error = ErrorBetween(view->density, low, high);
  const PetscInt  i     = h->bins++;

  h->x[i]     = middle;
  h->value[i] = Between(view->density, low, high).value;
  h->low[i]   = PetscMax(h->value[i] - error, 0);
  h->high[i]  = h->value[i] + error;
  h->same[i]  = view->known ? Between(view->known, low, high).value : NAN;
  h->known[i] = KnownBetween(view, low, high);
  if (h->value[i] < 1e-3) h->value[i] = NAN;
  if (!(h->same[i] >= 1e-3)) h->same[i] = NAN;
  if (!(h->known[i] > 0)) h->known[i] = NAN;
}

static void FillHistogram(const DensityView *view, Histogram *h)
{
  const PetscReal factor = PetscPowReal(10, 1. / BINS_A_DECADE), half = PetscSqrtReal(factor);
  const PetscReal resolution = PetscMax(PetscMin(DensityResolution(view->density), 1e100), 1e-100);
  PetscReal       largest, least, residual;
  PetscInt        up, down;

  DensityEnds(view->density, &largest, &residual, &least, &residual);
  h->bins   = 0;
  h->linear = PetscPowReal(10, PetscFloorReal(PetscLog10Real(resolution)));
  up        = (PetscInt)PetscCeilReal(BINS_A_DECADE * PetscLog10Real(PetscMax(largest, h->linear) / h->linear));
  down      = (PetscInt)PetscCeilReal(BINS_A_DECADE * PetscLog10Real(PetscMax(-least, h->linear) / h->linear));
  up        = PetscMin(up, BINS_A_DECADE * DECADES_MAX);
  down      = PetscMin(down, BINS_A_DECADE * DECADES_MAX);
  for (PetscInt k = down; k > 0; k--) {
    const PetscReal high = -h->linear * PetscPowReal(factor, (PetscReal)(k - 1));

    AddBin(view, high * factor, high, high * half, h);
  }
  AddBin(view, -h->linear, h->linear, 0, h);
  for (PetscInt k = 0; k < up; k++) {
    const PetscReal low = h->linear * PetscPowReal(factor, (PetscReal)k);

    AddBin(view, low, low * factor, low * half, h);
  }
}

/* ---- the picture ------------------------------------------------------------------------------------------------------------------------ */

static void Describe(const DensityView *view, size_t size, char note[])
{
  const DensityEstimate near = DensityNearZero(view->density);
  size_t                used;

  snprintf(note, size,
           "%" PetscInt_FMT " probes of %" PetscInt_FMT
           " Lanczos steps. The node next to 0 weighs %.1f ± %.1f (over probes); it holds all that "
           "cannot be told from 0.\n",
           view->density->probes, view->density->steps, (double)near.value, isfinite(near.error) ? (double)near.error : 0.);
  used = strlen(note);
  if (view->count >= 0)
    snprintf(note + used, size - used,
             "Known (%s): %.0f lie between the resolution, %.1e, and its negative. The same steps on the known spectrum weigh %.1f "
             "at the node next to "
             "0: what the method alone makes of it.\n",
             view->source, (double)DensityKnownZeros(view), (double)DensityResolution(view->density),
             (double)DensityNearZero(view->known).value);
  used = strlen(note);
  snprintf(note + used, size - used,
           "Bands: the bracket of Chebyshev, Markov and Stieltjes, which contains the bias, widened by the error over probes.");
}

static PetscErrorCode DrawPlot(MPI_Comm comm, const char path[], const DensityView *view, const Counts *c, const Histogram *h)
{
  const Beyond    *a = &c->above, *b = &c->below;
  const PetscInt   nc = c->levels, nb = h->bins;
  const PetscBool  known    = (PetscBool)(view->count >= 0);
  const PetscBool  negative = (PetscBool)(b->value[0] > .05 || b->known[0] > 0);
  const PlotSeries above    = {"above t: quadrature", PLOT_POINTS, PLOT_RED, 0, nc, c->t, a->value, a->band_low, a->band_high};
  const PlotSeries below    = {"below −t: quadrature", PLOT_RINGS, PLOT_PURPLE, 0, nc, c->t, b->value, b->band_low, b->band_high};
  const PlotSeries known_above = {"above t: known", PLOT_LINE, PLOT_BLUE, 0, nc, c->t, a->known, NULL, NULL};
  const PlotSeries known_below = {"below −t: known", PLOT_LINE, PLOT_SKY, 0, nc, c->t, b->known, NULL, NULL};
  const PlotSeries same = {"the same steps on what is known", PLOT_LINE, PLOT_GREEN, PETSC_TRUE, nc, c->t, a->same, NULL, NULL};
  PlotSeries       counts[5];
  PetscInt         ncounts = 0;
  const PlotSeries bins[]  = {
       {"quadrature, error over probes", PLOT_POINTS, PLOT_RED, 0, nb, h->x, h->value, h->low, h->high},
       {"known", PLOT_RINGS, PLOT_BLUE, 0, nb, h->x, h->known, NULL, NULL},
       {"the same steps on what is known", PLOT_LINE, PLOT_GREEN, PETSC_TRUE, nb, h->x, h->same, NULL, NULL},
  };
  PlotPanel panels[] = {
      {"Eigenvalues of the Hessian, in bins of half a decade",
       {"eigenvalue", PLOT_SYMLOG, h->linear, 0, 0, 0},
       {"eigenvalues in the bin", PLOT_LOG, 0, .3, (PetscReal)view->density->n, 0},
       known ? 3 : 1,
       bins},
      {"How many lie beyond t",
       {"t", PLOT_LOG, 0, 0, 0, 0},
       {"number of eigenvalues", PLOT_LOG, 0, .3, (PetscReal)view->density->n, 0},
       known ? 5 : 2,
       counts},
  };
  char       note[1024];
  const Plot plot = {view->title, note, 2, panels};

  PetscFunctionBeginUser;
  counts[ncounts++] = above;
  if (negative) counts[ncounts++] = below;
  if (known) counts[ncounts++] = known_above;
  if (known && negative) counts[ncounts++] = known_below;
  if (known) counts[ncounts++] = same;
  panels[1].nseries = ncounts;
  Describe(view, sizeof note, note);
  PetscCall(PlotWrite(comm, path, &plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DensityDraw(MPI_Comm comm, const char path[], const DensityView *view)
{
  Counts    *counts;
  Histogram *histogram;
  char       name[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&counts));
  PetscCall(PetscNew(&histogram));
  FillCounts(view, counts);
  FillHistogram(view, histogram);
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.csv", path));
  PetscCall(WriteCounts(comm, name, counts));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.svg", path));
  PetscCall(DrawPlot(comm, name, view, counts, histogram));
  PetscCall(PetscFree(histogram));
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(PETSC_SUCCESS);
}
