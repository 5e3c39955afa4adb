/*
  path_output.c: what a path leaves: numbers, a table, pictures; see path.h.
*/
#include "codim/plot.h"
#include "codim/table.h"
#include "path_state.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/* ---- columns ------------------------------------------------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 24 + 4 * LOOK_EXTREMES + 4 * LOOK_THRESHOLDS };

typedef struct {
  char       name[64], definition[128];
  size_t     offset; /* in Look */
  PetscReal *values; /* of each look */
} Column;

typedef struct {
  PetscInt rows, count;
  Column   column[COLUMNS_MAX];
} Columns;

static PetscErrorCode Add(Columns *columns, Path path, size_t offset, const char definition[], const char format[], ...)
{
  Column *c = &columns->column[columns->count++];
  va_list args;

  PetscFunctionBeginUser;
  PetscCheck(columns->count <= COLUMNS_MAX, PETSC_COMM_SELF, PETSC_ERR_PLIB, "too many columns");
  va_start(args, format);
  (void)vsnprintf(c->name, sizeof c->name, format, args);
  va_end(args);
  PetscCall(PetscStrncpy(c->definition, definition, sizeof c->definition));
  c->offset = offset;
  PetscCall(PetscMalloc1(columns->rows, &c->values));
  for (PetscInt i = 0; i < columns->rows; i++) c->values[i] = *(const PetscReal *)((const char *)&path->look[i] + offset);
  PetscFunctionReturn(PETSC_SUCCESS);
}

#define ADD(field, definition) PetscCall(Add(columns, path, offsetof(Look, field), definition, #field))
#define ADD_AT(field, k, definition, ...)                                                                                          \
  PetscCall(Add(columns, path, offsetof(Look, field) + (size_t)(k) * sizeof(PetscReal), definition, __VA_ARGS__))

static PetscErrorCode AddEnds(Columns *columns, Path path)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < path->options->look.extreme; k++) {
    ADD_AT(largest, k, "eigenvalue of the Hessian, the largest first", "largest_%d", (int)k + 1);
    ADD_AT(largest_residual, k, "an eigenvalue is within it", "largest_residual_%d", (int)k + 1);
  }
  for (PetscInt k = 0; k < path->options->look.extreme; k++) {
    ADD_AT(smallest, k, "eigenvalue of the Hessian, the most negative first", "smallest_%d", (int)k + 1);
    ADD_AT(smallest_residual, k, "an eigenvalue is within it", "smallest_residual_%d", (int)k + 1);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddCounts(Columns *columns, Path path)
{
  const OptionInts *thresholds = &path->options->look.thresholds;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < thresholds->n; k++) {
    ADD_AT(above, k, "eigenvalues above that power of ten", "above_1e%d", (int)thresholds->v[k]);
    ADD_AT(above_error, k, "standard error over probes; 0: all were computed", "above_1e%d_error", (int)thresholds->v[k]);
    ADD_AT(below, k, "eigenvalues below minus that power of ten", "below_-1e%d", (int)thresholds->v[k]);
    ADD_AT(below_error, k, "standard error over probes; 0: all were computed", "below_-1e%d_error", (int)thresholds->v[k]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ColumnsCreate(Path path, Columns *columns)
{
  PetscFunctionBeginUser;
  columns->rows = path->looks;
  ADD(step, "step of the descent, number of the file, step of Levenberg-Marquardt");
  ADD(phase, "0: descent, 1: a file, 2: Levenberg-Marquardt");
  ADD(loss, "|H|^2, a plain sum over all points");
  ADD(gradient, "|2 J^T H|");
  PetscCall(AddEnds(columns, path));
  ADD(gauss_newton_largest, "largest eigenvalue of 2 J^T J, 2 lambda(K)");
  ADD(gauss_newton_least, "least of its m eigenvalues that may be positive");
  ADD(curvature, "about the norm of S = 2 sum H_k Hessian(H_k)");
  ADD(kernel_rms, "root mean square of the n - m eigenvalues of P S P in ker J");
  ADD(kernel_rms_error, "standard error over probes");
  ADD(kernel_largest, "the largest of their sizes that was found");
  ADD(kernel_negative, "share of them that the quadrature tells to be negative");
  ADD(kernel_negative_error, "standard error over probes");
  ADD(kernel_positive, "share of them that it tells to be positive; of the rest it cannot tell the sign");
  PetscCall(AddCounts(columns, path));
  ADD(positive, "whole Hessian: eigenvalues above the resolution");
  ADD(negative, "whole Hessian: eigenvalues below minus the resolution");
  ADD(resolution, "whole Hessian: n u |lambda|_max");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ColumnsDestroy(Columns *columns)
{
  PetscFunctionBeginUser;
  for (PetscInt c = 0; c < columns->count; c++) PetscCall(PetscFree(columns->column[c].values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal *ColumnAt(const Columns *columns, size_t offset)
{
  for (PetscInt c = 0; c < columns->count; c++)
    if (columns->column[c].offset == offset) return columns->column[c].values;
  return NULL;
}

#define OF(field) ColumnAt(columns, offsetof(Look, field))

static PetscErrorCode WriteFiles(Path path, const char prefix[], const Columns *columns)
{
  const MPI_Comm world                  = path->map->grid->world;
  TableColumn    table[COLUMNS_MAX + 1] = {{NULL, NULL}};
  SpectrumFile   file;
  char           name[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.h5", prefix));
  PetscCall(SpectrumFileCreate(world, name, &file));
  for (PetscInt c = 0; c < columns->count; c++) {
    const Column *column = &columns->column[c];

    table[c] = (TableColumn){column->name, column->values};
    PetscCall(PetscSNPrintf(name, sizeof name, "/trajectory/%s", column->name));
    PetscCall(SpectrumFileWrite(file, name, columns->rows, column->values, column->definition, "Hessian of L = |H|^2 (plain sum)",
                                "a look each, in the order of the path"));
  }
  for (PetscInt i = 0; path->density && i < path->looks; i++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "/density/%03d", (int)i));
    if (path->density[i].probes) PetscCall(DensityWrite(file, name, &path->density[i]));
  }
  PetscCall(SpectrumFileClose(&file));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.csv", prefix));
  PetscCall(TableWriteCSV(world, name, columns->rows, table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what the looks show ----------------------------------------------------------------------------------------------------------------- */

static int Ascending(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;

  return (x > y) - (x < y);
}

/* median of kernel_rms / sqrt(loss) over the looks; NaN: none */
static PetscReal RootFactor(Path path)
{
  PetscReal *factor = malloc((size_t)PetscMax(1, path->looks) * sizeof *factor), median = NAN;
  size_t     count = 0;

  if (!factor) return NAN;
  for (PetscInt i = 0; i < path->looks; i++) {
    const PetscReal one = path->look[i].kernel_rms / PetscSqrtReal(path->look[i].loss);

    if (isfinite(one)) factor[count++] = one;
  }
  if (count) {
    qsort(factor, count, sizeof *factor, Ascending);
    median = factor[count / 2];
  }
  free(factor);
  return median;
}

/* slope of log kernel_rms against log loss, by least squares over the looks; NaN where there are fewer than three */
static PetscReal RootExponent(Path path)
{
  PetscReal x = 0, y = 0, xx = 0, xy = 0;
  PetscInt  count = 0;

  for (PetscInt i = 0; i < path->looks; i++) {
    const PetscReal a = PetscLogReal(path->look[i].loss), b = PetscLogReal(path->look[i].kernel_rms);

    if (!isfinite(a) || !isfinite(b)) continue;
    count++;
    x += a;
    y += b;
    xx += a * a;
    xy += a * b;
  }
  return count < 3 ? NAN : (xy - x * y / (PetscReal)count) / (xx - x * x / (PetscReal)count);
}

static json_t *Real(PetscReal x)
{
  return isfinite(x) ? json_real((double)x) : json_null();
}

static json_t *LookToJSON(const Look *look)
{
  return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "step", (json_int_t)look->step, "phase",
                   (json_int_t)look->phase, "loss", Real(look->loss), "largest", Real(look->largest[0]), "most_negative",
                   Real(look->smallest[0]), "gauss_newton_least", Real(look->gauss_newton_least), "kernel_rms",
                   Real(look->kernel_rms), "kernel_negative_share", Real(look->kernel_negative), "kernel_positive_share",
                   Real(look->kernel_positive), "negative", Real(look->negative));
}

json_t *PathToJSON(Path path)
{
  json_t *looks = json_array();

  for (PetscInt i = 0; i < path->looks; i++) json_array_append_new(looks, LookToJSON(&path->look[i]));
  return json_pack("{s:I, s:o, s:o, s:o}", "looks", (json_int_t)path->looks, "kernel_rms_over_root_loss", Real(RootFactor(path)),
                   "kernel_rms_exponent", Real(RootExponent(path)), "at", looks);
}

/* of the n - m small eigenvalues, the share of negative ones: of all where the whole Hessian was assembled (its m largest are 2 lambda(K)'s),
   else of those whose sign the quadrature tells */
static PetscReal NegativeShare(Path path, const Look *look)
{
  if (path->options->look.full && !(look->kernel_rms > 100 * look->resolution)) return NAN;
  if (path->options->look.full) return look->negative / (PetscReal)(path->map->n - path->map->m);
  return look->kernel_negative / (look->kernel_negative + look->kernel_positive);
}

void PathDescribe(Path path, size_t size, char text[])
{
  PetscReal least = INFINITY, most = -INFINITY;

  for (PetscInt i = 0; i < path->looks; i++) {
    const PetscReal share = NegativeShare(path, &path->look[i]);

    if (!isfinite(share)) continue;
    least = PetscMin(least, share);
    most  = PetscMax(most, share);
  }
  if (least > most)
    (void)snprintf(text, size, "%" PetscInt_FMT " looks", path->looks);
  else
    (void)snprintf(text, size,
                   "%" PetscInt_FMT
                   " looks, loss %.1e -> %.1e: of the n - m small eigenvalues%s %.0f%% to %.0f%% are negative on the way; their "
                   "root mean square goes as loss^%.3f, about %.3g sqrt(loss)",
                   path->looks, (double)path->look[0].loss, (double)path->look[path->looks - 1].loss,
                   path->options->look.full ? "" : " whose sign can be told", (double)(100 * least), (double)(100 * most),
                   (double)RootExponent(path), (double)RootFactor(path));
}

/* ---- pictures ------------------------------------------------------------------------------------------------------------------------------ */

/* |smallest|, where it is negative */
static void SizesOfNegative(PetscInt n, const PetscReal value[], PetscReal size[])
{
  for (PetscInt i = 0; i < n; i++) size[i] = value && value[i] < 0 ? -value[i] : NAN;
}

static PetscErrorCode DrawSizes(Path path, const Columns *columns, PlotPanel *panel, PlotSeries series[6], PetscReal scratch[],
                                char label[static 64])
{
  const PetscInt   n    = path->looks;
  PetscReal       *size = scratch, *root = scratch + n;
  const PetscReal *loss = OF(loss), factor = RootFactor(path);

  PetscFunctionBeginUser;
  SizesOfNegative(n, OF(smallest), size);
  for (PetscInt i = 0; i < n; i++) root[i] = factor * PetscSqrtReal(loss[i]);
  (void)snprintf(label, 64, "%.3g √loss", (double)factor);
  if (OF(largest))
    series[panel->nseries++] = (PlotSeries){"largest", PLOT_POINTS, PLOT_BLUE, PETSC_FALSE, n, loss, OF(largest), NULL, NULL};
  series[panel->nseries++] =
      (PlotSeries){"2λ(K): largest", PLOT_RINGS, PLOT_SKY, PETSC_FALSE, n, loss, OF(gauss_newton_largest), NULL, NULL};
  series[panel->nseries++] =
      (PlotSeries){"2λ(K): least of the m", PLOT_RINGS, PLOT_GREEN, PETSC_FALSE, n, loss, OF(gauss_newton_least), NULL, NULL};
  if (OF(smallest))
    series[panel->nseries++] =
        (PlotSeries){"most negative, its size", PLOT_POINTS, PLOT_RED, PETSC_FALSE, n, loss, size, NULL, NULL};
  series[panel->nseries++] = (PlotSeries){"the n − m in ker J, root mean square",
                                          PLOT_POINTS,
                                          PLOT_ORANGE,
                                          PETSC_FALSE,
                                          n,
                                          loss,
                                          OF(kernel_rms),
                                          NULL,
                                          NULL};
  series[panel->nseries++] = (PlotSeries){label, PLOT_LINE, PLOT_INK, PETSC_TRUE, n, loss, root, NULL, NULL};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one series of counts with its errors over the probes as bars, down to half an eigenvalue; 2 looks of scratch */
static PlotSeries CountSeries(const Columns *columns, size_t value, size_t error, const char label[], PlotMark mark,
                              PlotColour colour, PetscReal scratch[])
{
  const PetscReal *count = ColumnAt(columns, value), *errors = ColumnAt(columns, error);
  PetscReal       *low = scratch, *high = scratch + columns->rows;

  for (PetscInt i = 0; i < columns->rows; i++) {
    low[i]  = PetscMax(PetscMin(.5, count[i]), count[i] - errors[i]);
    high[i] = count[i] + errors[i];
  }
  return (PlotSeries){label, mark, colour, PETSC_FALSE, columns->rows, OF(loss), count, low, high};
}

static void DrawCounts(Path path, const Columns *columns, PlotPanel *panel, PlotSeries series[], char labels[][48],
                       PetscReal scratch[])
{
  static const PlotColour colours[]  = {PLOT_BLUE, PLOT_RED, PLOT_GREEN, PLOT_ORANGE, PLOT_PURPLE, PLOT_SKY};
  const OptionInts       *thresholds = &path->options->look.thresholds;
  const size_t            looks      = (size_t)path->looks;

  for (size_t k = 0; k < (size_t)thresholds->n; k++, scratch += 4 * looks) {
    const size_t at = k * sizeof(PetscReal);

    (void)snprintf(labels[2 * k], 48, "> 1e%d", (int)thresholds->v[k]);
    (void)snprintf(labels[2 * k + 1], 48, "< −1e%d", (int)thresholds->v[k]);
    series[panel->nseries++] = CountSeries(columns, offsetof(Look, above) + at, offsetof(Look, above_error) + at, labels[2 * k],
                                           PLOT_POINTS, colours[k % 6], scratch);
    series[panel->nseries++] = CountSeries(columns, offsetof(Look, below) + at, offsetof(Look, below_error) + at, labels[2 * k + 1],
                                           PLOT_RINGS, colours[k % 6], scratch + 2 * looks);
  }
}

static PetscErrorCode DrawPath(Path path, const char prefix[], const char title[], const Columns *columns)
{
  const PetscReal  n = (PetscReal)path->map->n, m = (PetscReal)path->map->m;
  const PetscReal *loss = OF(loss), ends[2] = {loss[0], loss[path->looks - 1]}, lines[4] = {m, m, n - m, n - m};
  const PlotAxis   along = {"loss |H|², falling to the right", PLOT_LOG, 0, 0, 0, PETSC_TRUE};
  PlotSeries       sizes[6], counts[2 * LOOK_THRESHOLDS + 2], shares[4];
  PetscReal       *scratch, *share, half[2] = {.5, .5};
  char             labels[2 * LOOK_THRESHOLDS][48], label[64], note[768], name[PETSC_MAX_PATH_LEN];
  PlotPanel        panels[] =
      {{"Eigenvalues of the Hessian", along, {"size", PLOT_LOG, 0, 0, 0, 0}, 0, sizes},
       {"The signs of the n − m small ones", along, {"share", PLOT_LINEAR, 0, 0, 1, 0}, path->options->look.full ? 4 : 3, shares},
       {"How many lie beyond fixed thresholds", along, {"number", PLOT_LOG, 0, .5, n, 0}, 0, counts}};
  const PetscBool counted = (PetscBool)(path->options->look.full || path->options->look.density.steps > 0);
  const Plot      plot    = {title, note, counted ? 3 : 2, panels};

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((3 + 4 * LOOK_THRESHOLDS) * path->looks, &scratch));
  share = scratch + (size_t)2 * (size_t)path->looks;
  PetscCall(DrawSizes(path, columns, &panels[0], sizes, scratch, label));
  for (PetscInt i = 0; i < path->looks; i++) share[i] = NegativeShare(path, &path->look[i]);
  shares[0] = (PlotSeries){"told to be negative, by quadrature",
                           PLOT_POINTS,
                           PLOT_RED,
                           PETSC_FALSE,
                           path->looks,
                           loss,
                           OF(kernel_negative),
                           NULL,
                           NULL};
  shares[1] =
      (PlotSeries){"told to be positive", PLOT_RINGS, PLOT_BLUE, PETSC_FALSE, path->looks, loss, OF(kernel_positive), NULL, NULL};
  shares[2] = (PlotSeries){"one half", PLOT_LINE, PLOT_INK, PETSC_TRUE, 2, ends, half, NULL, NULL};
  shares[3] =
      (PlotSeries){"negative, by the whole Hessian", PLOT_RINGS, PLOT_ORANGE, PETSC_FALSE, path->looks, loss, share, NULL, NULL};
  if (counted) DrawCounts(path, columns, &panels[2], counts, labels, scratch + (size_t)3 * (size_t)path->looks);
  counts[panels[2].nseries++] = (PlotSeries){"m", PLOT_LINE, PLOT_INK, PETSC_TRUE, 2, ends, lines, NULL, NULL};
  counts[panels[2].nseries++] = (PlotSeries){"n − m", PLOT_LINE, PLOT_INK, PETSC_FALSE, 2, ends, lines + 2, NULL, NULL};
  PathDescribe(path, sizeof note, note);
  if (counted && !path->options->look.full)
    TextAppend(sizeof note, note,
               "\nCounts by quadrature: the bars are errors over the probes, and do not hold what its steps cannot tell from a "
               "threshold.");
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.svg", prefix));
  PetscCall(PlotWrite(path->map->grid->world, name, &plot));
  PetscCall(PetscFree(scratch));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- densities ----------------------------------------------------------------------------------------------------------------------------- */

enum { SHOWN_MAX = 4, NODES_MAX = 4000 };

/* counts above t and below -t of up to SHOWN_MAX looks: the first, the last, and between */
static PetscErrorCode DrawDensities(Path path, const char prefix[], const char title[])
{
  enum { LEVELS = 61 };
  static const PlotColour colours[SHOWN_MAX] = {PLOT_RED, PLOT_ORANGE, PLOT_GREEN, PLOT_BLUE};
  const PetscInt          shown              = PetscMin(SHOWN_MAX, path->looks);
  PetscReal               t[LEVELS], (*value)[LEVELS], largest = 0, least, up, down, residual;
  PlotSeries              above[SHOWN_MAX], below[SHOWN_MAX];
  char                    labels[SHOWN_MAX][64], name[PETSC_MAX_PATH_LEN];
  const PlotAxis          size = {"t", PLOT_LOG, 0, 0, 0, 0},
                 number        = {"number of eigenvalues", PLOT_LOG, 0, .5, (PetscReal)path->map->n, 0};
  const PlotPanel panels[]     = {{"Eigenvalues above t", size, number, shown, above},
                                  {"Eigenvalues below −t", size, number, shown, below}};
  const Plot plot = {title, "Stochastic Lanczos quadrature of the exact Hessian: what lies near 0 is not told from it (density.h).",
                     2, panels};

  PetscFunctionBeginUser;
  if (!path->density || shown < 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(2 * SHOWN_MAX, &value));
  for (PetscInt i = 0; i < path->looks; i++) {
    DensityEnds(&path->density[i], &up, &residual, &down, &residual);
    if (isfinite(up) && isfinite(down)) largest = PetscMax(largest, PetscMax(up, -down));
  }
  least = 1e-8 * largest;
  for (PetscInt k = 0; k < LEVELS; k++) t[k] = least * PetscPowReal(largest / least, (PetscReal)k / (LEVELS - 1));
  for (size_t s = 0; s < (size_t)shown; s++) {
    const PetscInt i = shown == 1 ? 0 : (PetscInt)lround((double)s * (double)(path->looks - 1) / (double)(shown - 1));

    (void)snprintf(labels[s], sizeof labels[s], "loss %.1e", (double)path->look[i].loss);
    for (PetscInt k = 0; k < LEVELS; k++) {
      value[2 * s][k]     = DensityCount(&path->density[i], t[k], PETSC_FALSE).value;
      value[2 * s + 1][k] = DensityCount(&path->density[i], -t[k], PETSC_TRUE).value;
    }
    above[s] = (PlotSeries){labels[s], PLOT_LINE, colours[s], (PetscBool)(s % 2), LEVELS, t, value[2 * s], NULL, NULL};
    below[s] = (PlotSeries){labels[s], PLOT_LINE, colours[s], (PetscBool)(s % 2), LEVELS, t, value[2 * s + 1], NULL, NULL};
  }
  PetscCall(PetscSNPrintf(name, sizeof name, "%s-density.svg", prefix));
  PetscCall(PlotWrite(path->map->grid->world, name, &plot));
  PetscCall(PetscFree(value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PathWrite(Path path, const char prefix[], const char title[])
{
  Columns *columns;

  PetscFunctionBeginUser;
  if (!path->looks) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscNew(&columns));
  PetscCall(ColumnsCreate(path, columns));
  PetscCall(WriteFiles(path, prefix, columns));
  PetscCall(DrawPath(path, prefix, title, columns));
  PetscCall(DrawDensities(path, prefix, title));
  PetscCall(ColumnsDestroy(columns));
  PetscCall(PetscFree(columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}
