// ranks: 1 2
/* Plots: well-formed, everything inside the sheet, what cannot be drawn is left out, values on hover; and tables that read back. */
#include "codim/plot.h"
#include "codim/table.h"
#include "tap.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 7, TEXT_MAX = 1 << 18 };

static char text[TEXT_MAX], path[64];

static void ReadBack(void)
{
  FILE *file;

  MPI_Barrier(PETSC_COMM_WORLD);
  text[0] = '\0';
  file    = fopen(path, "rb");
  if (!file) return;
  text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
  fclose(file);
}

static PetscErrorCode Draw(const PlotPanel *panel, const char note[])
{
  const Plot plot = {"a < b & \"c\"", note, 1, panel};

  PetscFunctionBeginUser;
  PetscCall(PlotWrite(PETSC_COMM_WORLD, path, &plot));
  ReadBack();
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t Count(const char what[])
{
  size_t count = 0;

  for (const char *c = strstr(text, what); c; c = strstr(c + 1, what)) count++;
  return count;
}

/* the numbers after `key` lie in [low, high] */
static PetscBool Within(const char key[], double low, double high)
{
  for (const char *c = strstr(text, key); c; c = strstr(c + 1, key)) {
    const double value = strtod(c + strlen(key), NULL);

    if (!(value >= low && value <= high)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* as many ends as starts of what has an end, no bare &, no number that is none, all places on the sheet */
static PetscBool IsSound(void)
{
  PetscBool ok = (PetscBool)(Count("<svg ") == 1 && Count("</svg>") == 1 && Count("<g ") == Count("</g>"));

  ok = (PetscBool)(ok && Count("<text ") == Count("</text>") && Count("<tspan ") == Count("</tspan>"));
  ok = (PetscBool)(ok && Count("&") == Count("&amp;") + Count("&lt;") + Count("&gt;") && !strstr(text, "nan") &&
                   !strstr(text, "inf\""));
  return (PetscBool)(ok && Within(" cx=\"", 96, 876) && Within(" cy=\"", 50, 400) && Within(" x=\"", 0, 900) &&
                     Within("d=\"M", 0, 900));
}

static PetscErrorCode TestScales(void)
{
  static const PetscReal x[N] = {1e-9, 1e-6, 1e-3, 1, 1e3, 1e6, 1e9}, y[N] = {-1e4, -1, -1e-7, 0, 1e-7, 1, 1e4};
  static const PetscReal bad[N] = {NAN, INFINITY, 0, -1, 1, 2, 3};
  static const struct {
    PlotScale   x, y;
    size_t      points;
    const char *name;
  } cases[] = {{PLOT_LOG, PLOT_SYMLOG, 7, "log and symlog"},
               {PLOT_LINEAR, PLOT_LINEAR, 7, "linear"},
               {PLOT_LOG, PLOT_LOG, 3, "log, values <= 0 left out"},
               {PLOT_LOG2, PLOT_LOG2, 3, "powers of two, values <= 0 left out"}};

  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (int reversed = 0; reversed < 2; reversed++) {
      const PlotSeries series = {"s", PLOT_POINTS, PLOT_RED, PETSC_FALSE, N, x, y, NULL, NULL};
      const PlotPanel  panel  = {"p",
                                 {"x", cases[i].x, 1e-6, 0, 0, (PetscBool)reversed},
                                 {"y", cases[i].y, 1e-6, 0, 0, PETSC_FALSE},
                                 1,
                                 &series};

      PetscCall(Draw(&panel, NULL));
      Tap((PetscBool)(IsSound() && Count("class=\"dot\"") == cases[i].points + 1), "%s%s: well-formed, inside, %d points and a key",
          cases[i].name, reversed ? ", reversed" : "", (int)cases[i].points);
      Tap((PetscBool)(Count("<title>s: ") == cases[i].points), "... each with its value on hover");
    }
  {
    const PlotSeries series = {"bad", PLOT_LINE, PLOT_BLUE, PETSC_TRUE, N, x, bad, bad, bad};
    const PlotPanel  panel  = {"p", {"x", PLOT_LOG, 0, 0, 0, 0}, {"y", PLOT_LOG, 0, .1, 10, 0}, 1, &series};

    PetscCall(Draw(&panel, "a note that is long enough to be broken into several lines, since no line of it may be wider than the "
                           "sheet on which it is written, with & in it\nand one more"));
    Tap((PetscBool)(IsSound() && Count("class=\"hover\"") == 3),
        "NaN, infinity, 0 and negative values on a log axis are left out of a line");
    Tap((PetscBool)(strstr(text, "a &lt; b &amp; \"c\"") && strstr(text, ">and one more<") && Count("x=\"24\" y=") >= 4),
        "title and note are escaped, the note is broken into lines");
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestPowersOfTwo(void)
{
  static const PetscReal x[4] = {1, 2, 4, 8}, y[4] = {4, 3, 2, 1};
  const PlotSeries       series = {"s", PLOT_LINE, PLOT_BLUE, PETSC_FALSE, 4, x, y, NULL, NULL};
  const PlotPanel        panel  = {"p", {"ranks", PLOT_LOG2, 0, 0, 0, 0}, {"y", PLOT_LINEAR, 0, 0, 0, 0}, 1, &series};

  PetscFunctionBeginUser;
  PetscCall(Draw(&panel, NULL));
  Tap((PetscBool)(IsSound() && strstr(text, ">8<")), "1, 2, 4, 8 on an axis of powers of two: 8 is a tick");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestEmpty(void)
{
  static const PetscReal one[1]  = {3};
  const PlotSeries       nothing = {"n", PLOT_LINE, PLOT_BLUE, PETSC_FALSE, 0, NULL, NULL, NULL, NULL};
  const PlotSeries       point   = {NULL, PLOT_RINGS, PLOT_INK, PETSC_FALSE, 1, one, one, NULL, NULL};
  const PlotPanel        empty   = {NULL, {"x", PLOT_LOG, 0, 0, 0, 0}, {"y", PLOT_LINEAR, 0, 0, 0, 0}, 1, &nothing};
  const PlotPanel        single  = {NULL, {"x", PLOT_LOG, 0, 0, 0, 0}, {"y", PLOT_LINEAR, 0, 0, 0, 0}, 1, &point};

  PetscFunctionBeginUser;
  PetscCall(Draw(&empty, NULL));
  Tap(IsSound(), "a series without values: an empty frame");
  PetscCall(Draw(&single, NULL));
  Tap((PetscBool)(IsSound() && Count("class=\"ring\"") == 1), "one value: one point");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestTable(void)
{
  static const PetscReal third[3] = {1. / 3, -2e-300, 5}, gaps[3] = {NAN, 7, INFINITY};
  const TableColumn      columns[] = {{"third", third}, {"gaps", gaps}, {NULL, NULL}};
  char                  *line;

  PetscFunctionBeginUser;
  (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* a decimal comma, where that locale is installed */
  PetscCall(TableWriteCSV(PETSC_COMM_WORLD, path, 3, columns));
  (void)setlocale(LC_ALL, "C");
  ReadBack();
  line = strchr(text, '\n') + 1;
  Tap((PetscBool)(!strncmp(text, "third,gaps\n", 11) && strtod(line, NULL) == third[0]),
      "a table's numbers read back to the same doubles");
  Tap((PetscBool)(strstr(line, ",\n") && strstr(line, ",7\n") && !strstr(text, "nan") && !strstr(text, "inf")),
      "what is not finite is left empty");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  int rank, id;

  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  id = (int)getpid();
  MPI_Bcast(&id, 1, MPI_INT, 0, PETSC_COMM_WORLD);
  snprintf(path, sizeof path, "/tmp/codim-plot-%d", id);
  TapCall(TestScales());
  TapCall(TestPowersOfTwo());
  TapCall(TestEmpty());
  TapCall(TestTable());
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank == 0) {
    (void)unlink(path);
    (void)unlink(PetscStrlcat(path, ".gnuplot", sizeof path) ? "" : path);
  }
  snprintf(path, sizeof path, "/nonexistent/%d", id);
  {
    const Plot plot = {"t", NULL, 0, NULL};

    Tap((PetscBool)(PlotWrite(PETSC_COMM_WORLD, path, &plot) == PETSC_ERR_USER), "a place that cannot be written is a user error");
  }
  return TapEnd();
}
