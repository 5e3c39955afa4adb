/*
  walk_output.c: what a walk leaves: numbers, a table, pictures; see walk.h.
*/
#include "codim/plot.h"
#include "codim/table.h"
#include "codim/walk.h"
#include <math.h>
#include <string.h>

static const char *const GrowthNames[GROWTH_KINDS] = {"tangent", "normal", "last_layer"};

/* ---- in words and numbers ------------------------------------------------------------------------------------------------------------ */

/* links proved one after the other, from theta_0 on */
static PetscInt ProvedChain(const WalkResult *r)
{
  PetscInt links = 0;

  while (links + 1 < r->points && r->point[links + 1].linked > 0) links++;
  return links;
}

void WalkTheorem(const WalkResult *r, size_t size, char text[])
{
  const PetscInt links = ProvedChain(r);
  PetscReal      rho   = 0;

  for (PetscInt k = 0; k <= links && k < r->points; k++) rho = PetscMax(rho, r->point[k].radius);
  if (r->points && r->point[0].s == 0)
    snprintf(text, size, "Nothing was certified on the way.");
  else if (links == 0 && r->points > 1 && r->point[1].step >= r->point[0].regular_radius)
    snprintf(text, size,
             "No two points of the walk are proved to lie on one connected piece of M: its steps, %.2g, are not shorter than the "
             "certified "
             "radius, %.2g.",
             (double)r->point[1].step, (double)r->point[0].regular_radius);
  else if (links == 0)
    snprintf(text, size, "No two points of the walk are proved to lie on one connected piece of M.");
  else
    snprintf(text, size,
             "%s%" PetscInt_FMT
             " points of the walk, each within %.1e of a zero of the loss: these zeros lie in one connected piece of M, a "
             "manifold of codimension %" PetscInt_FMT
             ", joined by a path in M inside the union of the certified balls; the last is %.3g from "
             "the first. Nothing is said of M outside the balls.",
             links + 1 == r->points ? "All " : "The first ", links + 1, (double)rho * 1.05, r->m,
             (double)r->point[links].displacement);
}

static json_t *Real(PetscReal x)
{
  return isfinite(x) ? json_real((double)x) : json_null();
}

static json_t *GrowthToJSON(const Growth *g)
{
  if (!g->directions) return json_null();
  return json_pack("{s:I, s:o, s:o, s:o, s:o}", "directions", (json_int_t)g->directions, "exponent", Real(g->exponent), "least",
                   Real(g->least), "largest", Real(g->largest), "loss_max", Real(g->loss_max));
}

json_t *WalkToJSON(const WalkResult *r)
{
  const WalkPoint *last = &r->point[PetscMax(r->points, 1) - 1];
  PetscReal        loss = 0, before = 0, sigma = INFINITY;
  PetscInt         proved = 0, links = 0;
  char             text[640];
  json_t          *json;

  for (PetscInt k = 0; k < r->points; k++) {
    loss   = PetscMax(loss, r->point[k].loss);
    before = PetscMax(before, k ? r->point[k].loss_before : 0);
    sigma  = PetscMin(sigma, r->point[k].sigma_min);
    proved += r->point[k].regular_radius > 0;
    links += r->point[k].linked > 0;
  }
  WalkTheorem(r, sizeof text, text);
  json = json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "steps", (json_int_t)(r->points - 1), "ended",
                   WalkReasonText(r->reason), "path", Real(last->path), "displacement", Real(last->displacement), "loss_max",
                   Real(loss), "loss_before_return_max", Real(before), "sigma_min_start", Real(r->point[0].sigma_min),
                   "sigma_min_least", Real(sigma));
  json_object_set_new(json, "piece",
                      json_pack("{s:I, s:I, s:I, s:s}", "points_proved", (json_int_t)proved, "links_proved", (json_int_t)links,
                                "connected_points", (json_int_t)ProvedChain(r) + 1, "statement", text));
  json_object_set_new(json, "heldout",
                      r->heldout ? json_pack("{s:I, s:o, s:o}", "points", (json_int_t)r->heldout, "moved_rms",
                                             Real(last->moved_rms), "moved_max", Real(last->moved_max))
                                 : json_null());
  json_object_set_new(json, "growth",
                      json_pack("{s:o, s:o, s:o}", GrowthNames[0], GrowthToJSON(&r->growth[0]), GrowthNames[1],
                                GrowthToJSON(&r->growth[1]), GrowthNames[2], GrowthToJSON(&r->growth[2])));
  return json;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *name;
  size_t      offset; /* in WalkPoint */
  const char *definition;
} Column;

#define COLUMN(field, definition)                                                                                                  \
  {                                                                                                                                \
    #field, offsetof(WalkPoint, field), definition                                                                                 \
  }

static const Column Columns[] = {COLUMN(step, "|theta_k - theta_(k-1)|"),
                                 COLUMN(path, "sum of the steps"),
                                 COLUMN(displacement, "|theta_k - theta_0|"),
                                 COLUMN(norm, "|theta_k|"),
                                 COLUMN(loss_before, "|H|^2 after the tangent step, before the return"),
                                 COLUMN(loss, "|H|^2 after the return"),
                                 COLUMN(returns, "Gauss-Newton steps of the return"),
                                 COLUMN(sigma_min, "least singular value of J"),
                                 COLUMN(radius, "rho: an exact zero is within it"),
                                 COLUMN(regular_radius, "R: rank J = m on the open ball; 0: not proved"),
                                 COLUMN(eta, "upper bound of |H|"),
                                 COLUMN(s, "lower bound of sigma_min"),
                                 COLUMN(link, "h of the link from the point before"),
                                 COLUMN(linked, "1: the link is proved"),
                                 COLUMN(moved_rms, "root mean square change of the outputs on held-out data since theta_0"),
                                 COLUMN(moved_max, "largest such change")};

enum { NCOLUMNS = sizeof Columns / sizeof Columns[0] };

#undef COLUMN

static PetscErrorCode GetColumns(const WalkResult *r, PetscReal *column[NCOLUMNS])
{
  PetscFunctionBeginUser;
  for (size_t c = 0; c < NCOLUMNS; c++) {
    PetscCall(PetscMalloc1(r->points, &column[c]));
    for (PetscInt k = 0; k < r->points; k++) column[c][k] = *(const PetscReal *)((const char *)&r->point[k] + Columns[c].offset);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const PetscReal *ColumnOf(PetscReal *const column[NCOLUMNS], size_t offset)
{
  size_t c = 0;

  while (Columns[c].offset != offset) c++;
  return column[c];
}

#define OF(field) ColumnOf(column, offsetof(WalkPoint, field))

static PetscErrorCode WriteFiles(MPI_Comm comm, const char path[], const WalkResult *r, PetscReal *const column[NCOLUMNS])
{
  TableColumn  table[NCOLUMNS + 1] = {{NULL, NULL}};
  SpectrumFile file;
  char         name[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.h5", path));
  PetscCall(SpectrumFileCreate(comm, name, &file));
  for (size_t c = 0; c < NCOLUMNS; c++) {
    table[c] = (TableColumn){Columns[c].name, column[c]};
    PetscCall(PetscSNPrintf(name, sizeof name, "/walk/%s", Columns[c].name));
    PetscCall(
        SpectrumFileWrite(file, name, r->points, column[c], Columns[c].definition, "L = |H|^2 (plain sum)", "along the walk"));
  }
  for (PetscInt kind = 0; kind < GROWTH_KINDS; kind++) {
    const Growth *g = &r->growth[kind];

    if (!g->directions) continue;
    PetscCall(PetscSNPrintf(name, sizeof name, "/growth/%s/distance", GrowthNames[kind]));
    PetscCall(SpectrumFileWrite(file, name, GROWTH_DISTANCES, g->distance, "distance from theta_0 along a unit vector", "absolute",
                                "descending"));
    PetscCall(PetscSNPrintf(name, sizeof name, "/growth/%s/loss", GrowthNames[kind]));
    PetscCall(SpectrumFileWrite(file, name, GROWTH_DISTANCES, g->loss, "loss there, the median over the directions",
                                "L = |H|^2 (plain sum)", "as the distances"));
  }
  PetscCall(SpectrumFileClose(&file));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.csv", path));
  PetscCall(TableWriteCSV(comm, name, r->points, table));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- pictures ---------------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode DrawGrowth(MPI_Comm comm, const char path[], const char title[], const WalkResult *r)
{
  static const char *const words[GROWTH_KINDS]   = {"tangent to M", "normal to M", "in the last layer's kernel"};
  static const PlotColour  colours[GROWTH_KINDS] = {PLOT_BLUE, PLOT_RED, PLOT_GREEN};
  static const PlotMark    marks[GROWTH_KINDS]   = {PLOT_POINTS, PLOT_RINGS, PLOT_LINE};
  char                     label[GROWTH_KINDS][96], name[PETSC_MAX_PATH_LEN];
  PlotSeries               series[GROWTH_KINDS + 1];
  PlotPanel                panel    = {"The loss along unit vectors from a point of M",
                                       {"distance t", PLOT_LOG, 0, 0, 0, 0},
                                       {"loss |H|²", PLOT_LOG, 0, 0, 0, 0},
                                       0,
                                       series};
  const PetscReal          ends[2]  = {r->growth[0].distance[GROWTH_DISTANCES - 1], r->growth[0].distance[0]};
  const PetscReal          floor[2] = {r->floor, r->floor};
  const Plot               plot     = {title,
                                       "Medians over the directions; exponents fitted per direction on seven distances (a factor 2 apart) from where "
                                                         "the loss is 10⁶ times its rounding floor.",
                                       1, &panel};

  PetscFunctionBeginUser;
  if (!r->growth[GROWTH_TANGENT].directions) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt kind = 0; kind < GROWTH_KINDS; kind++) {
    const Growth *g = &r->growth[kind];

    if (!g->directions) continue;
    if (isnan(g->exponent))
      snprintf(label[kind], sizeof label[kind], "%s: at the rounding floor", words[kind]);
    else
      snprintf(label[kind], sizeof label[kind], "%s: t^%.3f", words[kind], (double)g->exponent);
    series[panel.nseries++] =
        (PlotSeries){label[kind], marks[kind], colours[kind], PETSC_FALSE, GROWTH_DISTANCES, g->distance, g->loss, NULL, NULL};
  }
  series[panel.nseries++] = (PlotSeries){"rounding floor of the loss", PLOT_LINE, PLOT_INK, PETSC_TRUE, 2, ends, floor, NULL, NULL};
  PetscCall(PetscSNPrintf(name, sizeof name, "%s-growth.svg", path));
  PetscCall(PlotWrite(comm, name, &plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DrawWalk(MPI_Comm comm, const char path[], const char title[], const WalkResult *r,
                               PetscReal *const column[NCOLUMNS])
{
  const PetscInt   n = r->points;
  const PetscReal *x = OF(path);
  char             note[700], name[PETSC_MAX_PATH_LEN];
  const PetscReal  ends[2] = {0, r->point[n - 1].path}, tolerance[2] = {r->tolerance, r->tolerance};
  const PlotSeries losses[] = {{"after the tangent step", PLOT_RINGS, PLOT_RED, 0, n - 1, x + 1, OF(loss_before) + 1, NULL, NULL},
                               {"after the return", PLOT_POINTS, PLOT_BLUE, 0, n, x, OF(loss), NULL, NULL},
                               {"tolerance", PLOT_LINE, PLOT_INK, PETSC_TRUE, 2, ends, tolerance, NULL, NULL}};
  const PlotSeries sizes[]  = {{"least singular value of J", PLOT_LINE, PLOT_BLUE, 0, n, x, OF(sigma_min), NULL, NULL},
                               {"certified: rank J = m within R", PLOT_LINE, PLOT_GREEN, PETSC_TRUE, n, x, OF(regular_radius), NULL,
                                NULL},
                               {"step", PLOT_POINTS, PLOT_RED, 0, n, x, OF(step), NULL, NULL}};
  const PlotSeries moves[]  = {{"weights: distance from the start", PLOT_LINE, PLOT_BLUE, 0, n, x, OF(displacement), NULL, NULL},
                               {"outputs on held-out data, root mean square", PLOT_LINE, PLOT_RED, PETSC_TRUE, n, x, OF(moved_rms),
                                NULL, NULL},
                               {"outputs on held-out data, largest", PLOT_RINGS, PLOT_ORANGE, 0, n, x, OF(moved_max), NULL, NULL}};
  const PlotAxis   along    = {"length of the path on M", PLOT_LINEAR, 0, 0, 0, 0};
  const PlotPanel  panels[] =
      {{"The loss stays zero", along, {"loss |H|²", PLOT_LOG, 0, 0, 0, 0}, 3, losses},
       {"How regular M is", along, {"size", PLOT_LOG, 0, 0, 0, 0}, r->point[0].s > 0 ? 3 : 1, sizes},
       {"How far it leads", along, {"distance, change", PLOT_LINEAR, 0, 0, 0, 0}, r->heldout ? 3 : 1, moves}};
  const Plot plot = {title, note, 3, panels};

  PetscFunctionBeginUser;
  WalkTheorem(r, sizeof note, note);
  PetscCall(PetscSNPrintf(name, sizeof name, "%s.svg", path));
  PetscCall(PlotWrite(comm, name, &plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WalkWrite(MPI_Comm comm, const char path[], const char title[], const WalkResult *r)
{
  PetscReal *column[NCOLUMNS];

  PetscFunctionBeginUser;
  if (!r->points) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(GetColumns(r, column));
  PetscCall(WriteFiles(comm, path, r, column));
  PetscCall(DrawWalk(comm, path, title, r, column));
  PetscCall(DrawGrowth(comm, path, title, r));
  for (size_t c = 0; c < NCOLUMNS; c++) PetscCall(PetscFree(column[c]));
  PetscFunctionReturn(PETSC_SUCCESS);
}
