/*
  study_figure.c: the figures of a study: points that differ in nothing but what is not drawn are put together; see study.h.

    lines    median of y over x, with the range as bars, a line for each value of `by`
    map      where in the plane of x and y a truth holds: in every run, in some, in none; undecided; refused, failed or not run
    scaling  seconds, speed-up, efficiency and memory over x (nodes or ranks), with the ideal

  For scaling, with W the flops by codim plan on the busiest rank: of 1 rank in total, so that what runs on x has P W; from x_1, the least x,

    ideal seconds  t_1 (x_1 / x) (work / work_1)     work = P W, 1 where there is no plan or the job is the same
    speed-up       (t_1 / t) (work / work_1)
    efficiency     speed-up · x_1 / x
*/
#include "codim/plot.h"
#include "study_state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 7 };

/* points of one x and one group */
typedef struct {
  PetscReal  x, y, low, high; /* median and range of y */
  size_t     count, failed;
  PetscReal *values;
} Cell;

typedef struct {
  const char *label;
  size_t      n;
  Cell       *cells; /* x ascending */
} Group;

static int CompareReals(const void *a, const void *b)
{
  const PetscReal s = *(const PetscReal *)a, t = *(const PetscReal *)b;

  return (s > t) - (s < t);
}

static int CompareCells(const void *a, const void *b)
{
  return CompareReals(&((const Cell *)a)->x, &((const Cell *)b)->x);
}

static PetscReal Median(size_t n, PetscReal values[])
{
  if (n == 0) return NAN;
  qsort(values, n, sizeof *values, CompareReals);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static Cell *CellAt(Study *study, const StudyTable *table, Group *group, PetscReal x)
{
  Cell *cell = group->cells;

  while (cell < group->cells + group->n && cell->x != x) cell++;
  if (cell == group->cells + group->n) {
    group->n++;
    cell->x      = x;
    cell->values = StudyKeep(study, (table->rows + 1) * sizeof *cell->values);
  }
  return cell;
}

/* the rows whose `by` is label (NULL: all) */
static Group Collect(Study *study, const StudyTable *table, const StudyColumn *x, const StudyColumn *y, const StudyColumn *by,
                     const char label[])
{
  Group group = {label, 0, StudyKeep(study, (table->rows + 1) * sizeof(Cell))};

  for (size_t row = 0; row < table->rows; row++) {
    Cell *cell;

    if (!isfinite(x->values[row])) continue;
    if (label && strcmp(by->texts ? by->texts[row] : StudyFormat(study, "%g", (double)by->values[row]), label) != 0) continue;
    cell = CellAt(study, table, &group, x->values[row]);
    if (isfinite(y->values[row])) cell->values[cell->count++] = y->values[row];
    cell->failed += study->points[row].state == POINT_FAILED ? 1 : 0;
  }
  qsort(group.cells, group.n, sizeof(Cell), CompareCells);
  for (size_t i = 0; i < group.n; i++) {
    Cell *c = &group.cells[i];

    c->y    = Median(c->count, c->values);
    c->low  = c->count ? c->values[0] : NAN;
    c->high = c->count ? c->values[c->count - 1] : NAN;
  }
  return group;
}

/* ---- parts of a plot ------------------------------------------------------------------------------------------------------------------- */

static PetscReal *Reals(Study *study, size_t n)
{
  return StudyKeep(study, (n + 1) * sizeof(PetscReal));
}

/* with bars where there are several values */
static PlotSeries SeriesOf(Study *study, const Group *group, const char label[], PlotMark mark, PlotColour colour)
{
  PetscReal *x = Reals(study, group->n), *y = Reals(study, group->n), *low = Reals(study, group->n), *high = Reals(study, group->n);
  PetscBool  several = PETSC_FALSE;

  for (size_t i = 0; i < group->n; i++) {
    x[i]    = group->cells[i].x;
    y[i]    = group->cells[i].y;
    low[i]  = group->cells[i].low;
    high[i] = group->cells[i].high;
    several = (PetscBool)(several || group->cells[i].count > 1);
  }
  return (PlotSeries){.label  = label,
                      .mark   = mark,
                      .colour = colour,
                      .n      = (PetscInt)group->n,
                      .x      = x,
                      .y      = y,
                      .low    = several ? low : NULL,
                      .high   = several ? high : NULL};
}

/* rings at the foot, where points failed */
static PlotSeries FailedSeries(Study *study, size_t ngroups, const Group groups[])
{
  size_t    count = 0, total = 0;
  PetscReal foot = INFINITY, *x, *y;

  for (size_t g = 0; g < ngroups; g++) {
    total += groups[g].n;
    for (size_t i = 0; i < groups[g].n; i++)
      if (isfinite(groups[g].cells[i].low)) foot = PetscMin(foot, groups[g].cells[i].low);
  }
  x = Reals(study, total);
  y = Reals(study, total);
  for (size_t g = 0; g < ngroups; g++)
    for (size_t i = 0; i < groups[g].n; i++)
      if (groups[g].cells[i].failed) {
        x[count]   = groups[g].cells[i].x;
        y[count++] = isfinite(foot) ? foot : 1;
      }
  return (
      PlotSeries){.label = count ? "failed" : NULL, .mark = PLOT_RINGS, .colour = PLOT_RED, .n = (PetscInt)count, .x = x, .y = y};
}

static void WritePlot(Study *study, const StudyFigure *figure, PetscInt npanels, const PlotPanel panels[], const char note[],
                      Complaint *complaint)
{
  const Plot plot = {.title = figure->title[0] ? figure->title : figure->name, .note = note, .npanels = npanels, .panels = panels};

  if (PlotWriteSerial(StudyFormat(study, "%s/%s.svg", study->output, figure->name), &plot, complaint))
    Complain(complaint, STATUS_BUG, "%s: the figure cannot be drawn", figure->name);
}

static PlotAxis AxisOf(const StudyFigure *figure, const char column[], char which)
{
  return (PlotAxis){.label = column, .scale = strchr(figure->log, which) ? PLOT_LOG : PLOT_LINEAR};
}

/* ---- lines ------------------------------------------------------------------------------------------------------------------------------ */

/* the values of `by`, in the table's order, at most GROUPS_MAX */
static size_t Labels(Study *study, const StudyTable *table, const StudyColumn *by, const char *labels[])
{
  size_t n = 0;

  for (size_t row = 0; row < table->rows && n < GROUPS_MAX; row++) {
    const char *label = by->texts ? by->texts[row] : StudyFormat(study, "%g", (double)by->values[row]);
    size_t      i     = 0;

    while (i < n && strcmp(labels[i], label) != 0) i++;
    if (i == n) labels[n++] = label;
  }
  return n;
}

static void DrawLines(Study *study, const StudyTable *table, const StudyFigure *figure, Complaint *complaint)
{
  const StudyColumn *x = StudyFind(table, figure->x), *y = StudyFind(table, figure->y), *by = StudyFind(table, figure->by);
  const char        *labels[GROUPS_MAX] = {NULL};
  const size_t       n                  = by ? Labels(study, table, by, labels) : 1;
  Group              groups[GROUPS_MAX];
  PlotSeries         series[2 * GROUPS_MAX + 1];
  PlotPanel          panel = {.x = AxisOf(figure, figure->x, 'x'), .y = AxisOf(figure, figure->y, 'y'), .series = series};

  for (size_t g = 0; g < n; g++) {
    const char *label = by ? StudyFormat(study, "%s %s", figure->by, labels[g]) : NULL;

    groups[g]                    = Collect(study, table, x, y, by, labels[g]);
    series[panel.nseries]        = SeriesOf(study, &groups[g], label, PLOT_LINE, (PlotColour)g);
    series[panel.nseries].dashed = (PetscBool)(g % 2);
    series[panel.nseries].low    = NULL;
    series[panel.nseries++].high = NULL;
    series[panel.nseries++]      = SeriesOf(study, &groups[g], NULL, PLOT_POINTS, (PlotColour)g);
  }
  series[panel.nseries++] = FailedSeries(study, n, groups);
  WritePlot(study, figure, 1, &panel, NULL, complaint);
}

/* ---- map -------------------------------------------------------------------------------------------------------------------------------- */

/* the runs at one x and y: the truth holds, does not, is not known; not done at all */
typedef enum { SPOT_YES, SPOT_NO, SPOT_UNKNOWN, SPOT_MISSING, SPOT_KINDS } SpotKind;

typedef struct {
  PetscReal x, y;
  size_t    runs[SPOT_KINDS];
} Spot;

typedef enum { SPOTS_EVERY, SPOTS_SOME, SPOTS_NONE, SPOTS_UNKNOWN, SPOTS_MISSING, SPOTS } SpotMark;

static SpotMark MarkOf(const Spot *spot)
{
  if (spot->runs[SPOT_YES])
    return spot->runs[SPOT_NO] + spot->runs[SPOT_UNKNOWN] + spot->runs[SPOT_MISSING] ? SPOTS_SOME : SPOTS_EVERY;
  if (spot->runs[SPOT_NO]) return SPOTS_NONE;
  return spot->runs[SPOT_UNKNOWN] ? SPOTS_UNKNOWN : SPOTS_MISSING;
}

/* the spots of one mark */
static PlotSeries SpotSeries(Study *study, size_t n, const Spot spots[], SpotMark mark)
{
  static const struct {
    const char *label;
    PlotMark    mark;
    PlotColour  colour;
  } looks[SPOTS] = {{"in every run", PLOT_POINTS, PLOT_BLUE},
                    {"in some", PLOT_POINTS, PLOT_ORANGE},
                    {"in none", PLOT_POINTS, PLOT_RED},
                    {"undecided", PLOT_RINGS, PLOT_INK},
                    {"refused, failed or not run", PLOT_RINGS, PLOT_RED}};
  PetscReal *x = Reals(study, n), *y = Reals(study, n);
  PetscInt   count = 0;

  for (size_t i = 0; i < n; i++)
    if (MarkOf(&spots[i]) == mark) {
      x[count]   = spots[i].x;
      y[count++] = spots[i].y;
    }
  return (PlotSeries){.label  = count ? looks[mark].label : NULL,
                      .mark   = looks[mark].mark,
                      .colour = looks[mark].colour,
                      .n      = count,
                      .x      = x,
                      .y      = y};
}

/* n = m as a line: y n/m at every x, for y = data_points, of which n does not depend */
static PlotSeries Boundary(Study *study, const StudyTable *table, const StudyColumn *x, const StudyColumn *y)
{
  const StudyColumn *n = StudyFind(table, "problem.parameters"), *m = StudyFind(table, "problem.residuals");
  StudyColumn        at = {"n = m", Reals(study, table->rows), NULL};
  Group              group;
  PlotSeries         series;

  if (!n || !m || strcmp(y->name, "data_points") != 0) return (PlotSeries){0};
  for (size_t row = 0; row < table->rows; row++) at.values[row] = y->values[row] * n->values[row] / m->values[row];
  group       = Collect(study, table, x, &at, NULL, NULL);
  series      = SeriesOf(study, &group, "n = m", PLOT_LINE, PLOT_INK);
  series.low  = NULL;
  series.high = NULL;
  return series;
}

static void DrawMap(Study *study, const StudyTable *table, const StudyFigure *figure, Complaint *complaint)
{
  const StudyColumn *x = StudyFind(table, figure->x), *y = StudyFind(table, figure->y), *value = StudyFind(table, figure->value);
  Spot              *spots = StudyKeep(study, (table->rows + 1) * sizeof *spots);
  PlotSeries         series[1 + SPOTS];
  const PlotPanel    panel = {.x       = AxisOf(figure, figure->x, 'x'),
                              .y       = AxisOf(figure, figure->y, 'y'),
                              .nseries = 1 + SPOTS,
                              .series  = series};
  size_t             n     = 0;

  for (size_t row = 0; row < table->rows; row++) {
    const PetscReal truth = value->values[row];
    const SpotKind  kind  = study->points[row].state != POINT_DONE ? SPOT_MISSING
                            : !isfinite(truth)                     ? SPOT_UNKNOWN
                            : truth != 0                           ? SPOT_YES
                                                                   : SPOT_NO;
    size_t          i     = 0;

    while (i < n && (spots[i].x != x->values[row] || spots[i].y != y->values[row])) i++;
    if (i == n) spots[n++] = (Spot){x->values[row], y->values[row], {0}};
    spots[i].runs[kind]++;
  }
  series[0] = Boundary(study, table, x, y);
  for (int mark = 0; mark < SPOTS; mark++) series[1 + mark] = SpotSeries(study, n, spots, (SpotMark)mark);
  WritePlot(study, figure, 1, &panel, NULL, complaint);
}

/* ---- scaling ------------------------------------------------------------------------------------------------------------------------------ */

enum {
  AT,
  SECONDS,
  FASTEST,
  SLOWEST,
  IDEAL,
  PLANNED,
  SPEEDUP,
  EFFICIENCY,
  PEAK,
  PLANNED_PEAK,
  RECEIVED,
  PLANNED_RECEIVED,
  RUNS,
  FAILED,
  SCALING
};

static const char *const ScalingNames[SCALING] =
    {"x",       "seconds",    "fastest",    "slowest",       "ideal_seconds",  "planned_seconds",
     "speedup", "efficiency", "peak_bytes", "planned_bytes", "received_bytes", "planned_received",
     "runs",    "failed"};

/* medians of a column, x by x; NaN where there is none */
static PetscReal *MediansOf(Study *study, const StudyTable *table, const StudyColumn *x, const char name[])
{
  const StudyColumn *column = StudyFind(table, name);
  PetscReal         *values = Reals(study, table->rows);
  Group              group;

  for (size_t i = 0; i < table->rows; i++) values[i] = NAN;
  if (!column) return values;
  group = Collect(study, table, x, column, NULL, NULL);
  for (size_t i = 0; i < group.n; i++) values[i] = group.cells[i].y;
  return values;
}

static StudyTable MakeScaling(Study *study, const StudyTable *table, const StudyColumn *x)
{
  const Group group = Collect(study, table, x, StudyFind(table, "seconds"), NULL, NULL);
  StudyTable  made  = {group.n, SCALING, StudyKeep(study, SCALING * sizeof(StudyColumn))};
  PetscReal  *flops = MediansOf(study, table, x, "plan.flops"), *ranks = MediansOf(study, table, x, "ranks"), *column[SCALING];
  size_t      first = 0;

  while (first < group.n && !isfinite(group.cells[first].y)) first++;
  for (int c = 0; c < SCALING; c++) {
    column[c]       = Reals(study, group.n);
    made.columns[c] = (StudyColumn){c == AT ? x->name : ScalingNames[c], column[c], NULL};
  }
  memcpy(column[PLANNED], MediansOf(study, table, x, "plan.seconds"), group.n * sizeof(PetscReal));
  memcpy(column[PLANNED_PEAK], MediansOf(study, table, x, "plan.bytes"), group.n * sizeof(PetscReal));
  memcpy(column[PLANNED_RECEIVED], MediansOf(study, table, x, "plan.received"), group.n * sizeof(PetscReal));
  memcpy(column[RECEIVED], MediansOf(study, table, x, "traffic.received"), group.n * sizeof(PetscReal));
  memcpy(column[PEAK], MediansOf(study, table, x, "memory.peak"), group.n * sizeof(PetscReal));
  for (size_t i = 0; i < group.n; i++) {
    const Cell     *c     = &group.cells[i];
    const Cell     *one   = &group.cells[PetscMin(first, group.n - 1)];
    const PetscReal known = flops[i] * ranks[i] / (flops[PetscMin(first, group.n - 1)] * ranks[PetscMin(first, group.n - 1)]);
    const PetscReal work  = isfinite(known) ? known : 1;

    column[AT][i]         = c->x;
    column[SECONDS][i]    = c->y;
    column[FASTEST][i]    = c->low;
    column[SLOWEST][i]    = c->high;
    column[IDEAL][i]      = one->y * one->x / c->x * work;
    column[SPEEDUP][i]    = one->y / c->y * work;
    column[EFFICIENCY][i] = column[SPEEDUP][i] * one->x / c->x;
    column[RUNS][i]       = (PetscReal)c->count;
    column[FAILED][i]     = (PetscReal)c->failed;
  }
  return made;
}

/* in GB */
static PlotSeries BytesCurve(Study *study, const StudyTable *t, int y, const char label[], PlotMark mark, PlotColour colour)
{
  PetscReal *gigabytes = Reals(study, t->rows);

  for (size_t i = 0; i < t->rows; i++) gigabytes[i] = t->columns[y].values[i] / 1e9;
  return (PlotSeries){.label  = label,
                      .mark   = mark,
                      .colour = colour,
                      .dashed = (PetscBool)(y == PLANNED_PEAK || y == PLANNED_RECEIVED),
                      .n      = (PetscInt)t->rows,
                      .x      = t->columns[AT].values,
                      .y      = gigabytes};
}

static PlotSeries Curve(const StudyTable *t, int y, const char label[], PlotMark mark, PlotColour colour, PetscBool dashed)
{
  return (PlotSeries){.label  = label,
                      .mark   = mark,
                      .colour = colour,
                      .dashed = dashed,
                      .n      = (PetscInt)t->rows,
                      .x      = t->columns[AT].values,
                      .y      = t->columns[y].values};
}

static void DrawScaling(Study *study, const StudyTable *table, const StudyFigure *figure, Complaint *complaint)
{
  const StudyColumn *x       = StudyFind(table, figure->x);
  const StudyTable   t       = MakeScaling(study, table, x);
  PetscReal         *perfect = Reals(study, t.rows), *one = Reals(study, t.rows);
  const Group        group = Collect(study, table, x, StudyFind(table, "seconds"), NULL, NULL);
  const PlotAxis     axis = {.label = figure->x, .scale = PLOT_LOG2}, log = {.label = "seconds", .scale = PLOT_LOG};
  PlotSeries         times[]  = {Curve(&t, IDEAL, "ideal", PLOT_LINE, PLOT_INK, PETSC_TRUE),
                                 Curve(&t, PLANNED, "codim plan", PLOT_LINE, PLOT_ORANGE, PETSC_TRUE),
                                 SeriesOf(study, &group, "median, range", PLOT_POINTS, PLOT_BLUE),
                                 Curve(&t, SECONDS, NULL, PLOT_LINE, PLOT_BLUE, PETSC_FALSE), FailedSeries(study, 1, &group)};
  PlotSeries         speed[]  = {Curve(&t, SPEEDUP, "ideal", PLOT_LINE, PLOT_INK, PETSC_TRUE),
                                 Curve(&t, SPEEDUP, "speed-up", PLOT_LINE, PLOT_BLUE, PETSC_FALSE),
                                 Curve(&t, SPEEDUP, NULL, PLOT_POINTS, PLOT_BLUE, PETSC_FALSE)};
  PlotSeries         share[]  = {Curve(&t, EFFICIENCY, "ideal", PLOT_LINE, PLOT_INK, PETSC_TRUE),
                                 Curve(&t, EFFICIENCY, "efficiency", PLOT_LINE, PLOT_BLUE, PETSC_FALSE),
                                 Curve(&t, EFFICIENCY, NULL, PLOT_POINTS, PLOT_BLUE, PETSC_FALSE)};
  PlotSeries         memory[] = {BytesCurve(study, &t, PLANNED_PEAK, "codim plan", PLOT_LINE, PLOT_ORANGE),
                                 BytesCurve(study, &t, PEAK, "peak of a rank", PLOT_LINE, PLOT_BLUE),
                                 BytesCurve(study, &t, PEAK, NULL, PLOT_POINTS, PLOT_BLUE)};
  PlotSeries         moved[]  = {BytesCurve(study, &t, PLANNED_RECEIVED, "codim plan", PLOT_LINE, PLOT_ORANGE),
                                 BytesCurve(study, &t, PLANNED_RECEIVED, NULL, PLOT_RINGS, PLOT_ORANGE),
                                 BytesCurve(study, &t, RECEIVED, "received by a rank", PLOT_LINE, PLOT_BLUE),
                                 BytesCurve(study, &t, RECEIVED, NULL, PLOT_POINTS, PLOT_BLUE)};
  const PlotPanel    panels[] = {{.title = "Time", .x = axis, .y = log, .nseries = 5, .series = times},
                                 {.title = "Speed-up", .x = axis, .y = {.scale = PLOT_LOG2}, .nseries = 3, .series = speed},
                                 {.title = "Efficiency", .x = axis, .y = {.high = 1.1}, .nseries = 3, .series = share},
                                 {.title = "Memory, GB a rank", .x = axis, .y = {.high = 1e-3}, .nseries = 3, .series = memory},
                                 {.title = "Received, GB a rank", .x = axis, .y = {.high = 1e-3}, .nseries = 4, .series = moved}};

  for (size_t i = 0; i < t.rows; i++) {
    perfect[i] = t.columns[AT].values[i] / t.columns[AT].values[0];
    one[i]     = 1;
  }
  speed[0].y = perfect;
  share[0].y = one;
  WritePlot(study, figure, study->plan ? 5 : 4, panels, NULL, complaint);
  if (!complaint->status) StudyWriteTable(&t, StudyFormat(study, "%s/%s", study->output, figure->name), complaint);
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------------------------- */

void StudyDraw(Study *study, const StudyTable *table, Complaint *complaint)
{
  for (size_t k = 0; k < study->nfigures && !complaint->status; k++) {
    const StudyFigure *f        = &study->figures[k];
    const char *const  wanted[] = {f->x, f->y, f->by, f->value};

    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(wanted); i++) {
      if (!*wanted[i] || StudyFind(table, wanted[i])) continue;
      printf("%s.svg is not drawn: there is no column %s in %s/table.csv (yet)\n", f->name, wanted[i], study->output);
      f = NULL;
      break;
    }
    if (f && !strcmp(f->kind, "lines")) DrawLines(study, table, f, complaint);
    if (f && !strcmp(f->kind, "map")) DrawMap(study, table, f, complaint);
    if (f && !strcmp(f->kind, "scaling")) DrawScaling(study, table, f, complaint);
  }
}
