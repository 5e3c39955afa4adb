/*
  page_compare.c: several runs as one page; see page.h.
*/
#include "codim/page.h"
#include "codim/plot.h"
#include "codim/spectrum_file.h"
#include "page_parts.h"
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 32 };

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

/* object.key.key… */
static const json_t *Lookup(const json_t *object, const char path[])
{
  char copy[256], *key, *rest = NULL;

  snprintf(copy, sizeof copy, "%s", path);
  for (key = strtok_r(copy, ".", &rest); key && object; key = strtok_r(NULL, ".", &rest)) object = json_object_get(object, key);
  return object;
}

static PetscBool Differs(PetscInt n, json_t *const reports[], const char path[])
{
  for (PetscInt i = 1; i < n; i++) {
    const json_t *a = Lookup(reports[0], path), *b = Lookup(reports[i], path);

    if (!(a == b || json_equal(a, b))) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static void PutRow(FILE *out, PetscInt n, json_t *const reports[], const char path[])
{
  fprintf(out, "<tr%s><th>", Differs(n, reports, path) ? " class=\"differs\"" : "");
  PagePutText(out, path);
  fputs("</th>", out);
  for (PetscInt i = 0; i < n; i++) {
    fputs("<td>", out);
    PagePutValue(out, Lookup(reports[i], path));
    fputs("</td>", out);
  }
  fputs("</tr>\n", out);
}

/* all keys of the first run's object, then those only the others have */
static void PutRows(FILE *out, PetscInt n, json_t *const reports[], const char path[])
{
  for (PetscInt i = 0; i < n; i++) {
    const json_t *object = Lookup(reports[i], path);
    const char   *key;
    json_t       *value;

    json_object_foreach((json_t *)object, key, value)
    {
      char      name[256];
      PetscBool seen = PETSC_FALSE;

      snprintf(name, sizeof name, "%s.%s", path, key);
      for (PetscInt j = 0; j < i; j++) seen = (PetscBool)(seen || Lookup(reports[j], name));
      if (seen) continue;
      if (json_is_object(value))
        PutRows(out, n, reports, name);
      else
        PutRow(out, n, reports, name);
    }
  }
}

static void PutTable(FILE *out, PetscInt n, const char *const dirs[], json_t *const reports[])
{
  static const char *const parts[] = {"problem", "minimum", "jacobian", "hessian", "certificate",
                                      "verdict", "time",    "memory",   "options", NULL};

  fputs("<p>Rows in bold differ.</p>\n<div class=\"wide\"><table>\n<tr><th>run</th>", out);
  for (PetscInt i = 0; i < n; i++) {
    fputs("<td>", out);
    PagePutText(out, dirs[i]);
    fputs("</td>", out);
  }
  fputs("</tr>\n", out);
  PutRow(out, n, reports, "ranks");
  PutRow(out, n, reports, "grid");
  PutRow(out, n, reports, "version");
  PutRow(out, n, reports, "machine");
  for (const char *const *part = parts; *part; part++) PutRows(out, n, reports, *part);
  fputs("</table></div>\n", out);
}

/* ---- the spectra ---------------------------------------------------------------------------------------------------------------- */

/* of dir/spectrum.h5; *count 0 where there is none */
static PetscReal *ReadPositive(const char dir[], PetscInt *count)
{
  char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/spectrum.h5", dir);
  return SpectrumFileRead(path, "/hessian/positive", count);
}

static void PutSpectra(FILE *out, PetscInt n, const char *const dirs[])
{
  PetscReal      *values[RUNS_MAX], *index;
  PetscInt        most             = 0;
  PlotSeries      series[RUNS_MAX] = {{0}};
  const PlotPanel panel            = {.x       = {.label = "index", .scale = PLOT_LOG},
                                      .y       = {.label = "eigenvalue", .scale = PLOT_LOG},
                                      .nseries = n,
                                      .series  = series};
  const Plot      plot             = {.title = "Positive eigenvalues of the Hessian", .npanels = 1, .panels = &panel};

  for (PetscInt i = 0; i < n; i++) {
    values[i] = ReadPositive(dirs[i], &series[i].n);
    most      = PetscMax(most, series[i].n);
  }
  index = malloc((size_t)(most + 1) * sizeof *index);
  for (PetscInt k = 0; index && k < most; k++) index[k] = (PetscReal)(k + 1);
  for (PetscInt i = 0; i < n; i++) {
    series[i].label  = dirs[i];
    series[i].x      = index;
    series[i].y      = values[i];
    series[i].mark   = PLOT_LINE;
    series[i].colour = (PlotColour)(i % (PLOT_INK + 1));
    series[i].dashed = (PetscBool)(i % 2);
  }
  if (index && most) {
    fputs("<figure>\n", out);
    (void)PlotPrint(out, &plot);
    fputs("</figure>\n", out);
  }
  for (PetscInt i = 0; i < n; i++) free(values[i]);
  free(index);
}

void PageCompare(PetscInt n, const char *const dirs[], const char path[], Complaint *complaint)
{
  json_t *reports[RUNS_MAX] = {NULL};
  FILE   *out               = NULL;

  if (n > RUNS_MAX)
    Complain(complaint, STATUS_USAGE, "%" PetscInt_FMT " runs to compare: at most %d go on one page", n, (int)RUNS_MAX);
  for (PetscInt i = 0; i < n && !complaint->status; i++) reports[i] = PageReadReport(dirs[i], complaint);
  if (!complaint->status) out = PageOpen(path, complaint);
  if (out) {
    PagePutHead(out, "comparison");
    PutSpectra(out, n, dirs);
    PutTable(out, n, dirs, reports);
    PagePutFoot(out);
    PageClose(path, out, complaint);
  }
  for (PetscInt i = 0; i < PetscMin(n, RUNS_MAX); i++) json_decref(reports[i]);
}
