// ranks: 1 3
/* The picture of a spectrum: well-formed, every count in it, everything inside, in every degenerate case. */
#include "codim/figure.h"
#include "tap.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { M = 1797, LARGE = 200000, MEASURED = 20, SVG_MAX = 1 << 20 };

static char        dir[64]; /* the same on every rank; rank 0 writes into it */
static char        svg[SVG_MAX];
static PetscReal   positive[LARGE], measured[MEASURED];
static PetscMPIInt world_rank;

static const char *In(const char name[])
{
  static char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

static PetscErrorCode Draw(const SpectrumFigure *figure)
{
  FILE          *file;
  PetscErrorCode ierr = FigureWriteSpectrum(PETSC_COMM_WORLD, In("spectrum.svg"), figure);

  MPI_Barrier(PETSC_COMM_WORLD);
  svg[0] = '\0';
  file   = fopen(In("spectrum.svg"), "rb");
  if (file) {
    svg[fread(svg, 1, SVG_MAX - 1, file)] = '\0';
    fclose(file);
  }
  return ierr;
}

/* tags balance, attributes are quoted, no bare & or <: enough of XML for what is written here */
static PetscBool IsWellFormed(void)
{
  char   open[16][32];
  size_t depth = 0, roots = 0;

  for (const char *c = svg; *c; c++) {
    if (*c == '&' && strncmp(c, "&amp;", 5) != 0 && strncmp(c, "&lt;", 4) != 0 && strncmp(c, "&gt;", 4) != 0) return PETSC_FALSE;
    if (*c != '<') continue;

    const PetscBool closing = (PetscBool)(c[1] == '/');
    const char     *name    = c + 1 + closing, *end;
    const size_t    length  = strcspn(name, " \n>/");
    PetscBool       quoted  = PETSC_FALSE;

    for (end = c + 1; *end && (quoted || *end != '>'); end++) {
      if (*end == '"') quoted = (PetscBool)!quoted;
      if (*end == '<') return PETSC_FALSE;
    }
    if (!*end || length == 0 || length >= sizeof open[0]) return PETSC_FALSE;
    if (closing) {
      if (depth == 0 || strncmp(open[depth - 1], name, length) != 0 || open[depth - 1][length]) return PETSC_FALSE;
      depth--;
    } else if (end[-1] != '/') {
      if (depth == sizeof open / sizeof open[0]) return PETSC_FALSE;
      roots += depth == 0;
      snprintf(open[depth++], sizeof open[0], "%.*s", (int)length, name);
    }
    c = end;
  }
  return (PetscBool)(depth == 0 && roots == 1);
}

static size_t Count(const char text[])
{
  size_t count = 0;

  for (const char *c = strstr(svg, text); c; c = strstr(c + 1, text)) count++;
  return count;
}

/* the numbers that follow `key` everywhere in the drawing lie in [low, high] */
static PetscBool AllWithin(const char key[], double low, double high)
{
  for (const char *c = strstr(svg, key); c; c = strstr(c + 1, key)) {
    const double value = strtod(c + strlen(key), NULL);

    if (!(value >= low && value <= high)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* every position is on the sheet, and none is NaN or infinite */
static PetscBool IsInside(void)
{
  PetscBool ok = (PetscBool)(AllWithin(" x=\"", 0, 900) && AllWithin(" cx=\"", 92, 872) && AllWithin(" cy=\"", 108, 518));

  return (PetscBool)(ok && AllWithin(" y=\"", 0, 590) && AllWithin("d=\"M", 0, 900) && !strstr(svg, "\"nan") &&
                     !strstr(svg, "inf\""));
}

static void Check(const SpectrumFigure *figure, const char first[], const char second[])
{
  PetscBool ok;

  TapCall(Draw(figure));
  ok = (PetscBool)(IsWellFormed() && IsInside());
  Tap(ok, "%s: well-formed, and everything is inside the sheet", figure->title);
  Tap((PetscBool)(strstr(svg, first) && strstr(svg, second)), "%s: says \"%s\" and \"%s\"", figure->title, first, second);
}

static void SetValues(PetscInt m, double largest, double power)
{
  for (PetscInt k = 0; k < m; k++) positive[k] = largest * pow((double)k + 1, power);
  for (PetscInt k = 0; k < MEASURED; k++)
    measured[k] = (k % 3 ? 1 : -1) * pow(10, -9 - 3 * (double)k / (MEASURED - 1)); /* ±1e-9 … ±1e-12 */
}

static void TestUsual(void)
{
  SpectrumFigure figure = {"digits: tanh 64-1024-1024-1", M, positive, 1117185 - M, MEASURED, measured, 1.2e-4};

  SetValues(M, 3.4e5, -1.5);
  Check(&figure, ">1797 positive<", ">1\u2009115\u2009388 zero<");
  Check(&figure, ">20 measured<", ">7 negative (filled)<");
  /* 3.4e5 / 1797^1.5 = 4.463; log10 of that over 1e-9 = 9.65 */
  Check(&figure, ">gap: 9.6 decades<", "resolution 1.2 × 10<");
  Check(&figure, "1797 positive eigenvalues and 1115388 zero", "prefers-color-scheme:dark");
  Tap((PetscBool)(Count("class=\"full\"") == 7 && Count("class=\"open\"") == 13), "7 negative ones of 20 measured are filled");
  Tap((PetscBool)(Count("h0") > 500 && Count("h0") <= 1500), "of 1797 positives at most 1500 are drawn");
  Tap((PetscBool)(strstr(svg, "eigenvalue 1: 3.4") && strstr(svg, "eigenvalue 1797: 4.46")),
      "the first and the last can be asked for their values");
  figure.nmeasured = 0;
  Check(&figure, ">4.6 decades above the resolution<", "1\u2009115\u2009388 zero");
  figure.npositive = LARGE;
  SetValues(LARGE, 1e3, -0.5);
  TapCall(Draw(&figure));
  Tap((PetscBool)(Count("h0") <= 1500 && strlen(svg) < 60000), "200 000 positives make a file of less than 60 kB");
}

static void TestDegenerate(void)
{
  const PetscReal zeros[3] = {0, -0.0, 0}, some[3] = {1e-14, 0, -2e-15};

  SetValues(12, 240, -2);
  Check(&(SpectrumFigure){"small", 12, positive, 155, MEASURED, measured, 3e-13}, ">12 positive<", ">155 zero<");
  Check(&(SpectrumFigure){"rank deficient", 9, positive, 23, 3, some, 1e-11}, ">9 positive<", ">1 negative (filled), 1 exactly 0<");
  Check(&(SpectrumFigure){"all exactly 0", 12, positive, 155, 3, zeros, 0}, ">3 measured, exactly 0<", ">155 zero<");
  Tap((PetscBool)(Count("class=\"open\"") == 3 && Count("cy=\"502.0\" r=\"4") == 3),
      "values that are exactly 0 are drawn in the row of 0");
  Check(&(SpectrumFigure){"one residual", 1, positive, 1000000, 3, some, 0}, ">1 positive<", ">1\u2009000\u2009000 zero<");
  Check(&(SpectrumFigure){"no positives", 0, NULL, 50, 3, some, 0}, ">50 zero<", ">3 measured<");
  Check(&(SpectrumFigure){"nothing measured", 12, positive, 155, 0, NULL, 0}, ">12 positive<", ">155 zero<");
  Check(&(SpectrumFigure){"no zeros", 12, positive, 0, 0, NULL, 0}, ">12 positive<", "k = 1 … 12<");
  Check(&(SpectrumFigure){"nothing", 0, NULL, 0, 0, NULL, 0}, "|eigenvalue of the Hessian|", "k = 1 … 1<");
  Check(&(SpectrumFigure){"no gap", 12, positive, 155, 1, positive, 1e3}, ">no gap<", "resolution 1000<");
}

static void TestExtreme(void)
{
  const PetscReal wide[3] = {1.7e308, 1, 4.9e-324}, flat[12] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2},
                  broken[3] = {(PetscReal)INFINITY, (PetscReal)NAN, 1};

  Check(&(SpectrumFigure){"all doubles", 3, wide, 10, 3, wide, 0}, ">3 positive<", ">308<");
  Check(&(SpectrumFigure){"all equal", 12, flat, 4, 1, wide + 2, 0}, "largest 2.0", ">gap: 323.6 decades<");
  Check(&(SpectrumFigure){"not finite", 3, broken, 4, 3, broken, (PetscReal)INFINITY}, ">1 positive<", ">1 measured<");
  Check(&(SpectrumFigure){"n = 10^15", 12, flat, (PetscInt64)1000000000000000, 0, NULL, 0},
        ">1\u2009000\u2009000\u2009000\u2009000\u2009000 zero<", ">15<");
  Check(&(SpectrumFigure){"<a & \"b\"> \x01 σ", 3, flat, 4, 0, NULL, 0}, "&lt;a &amp; \"b\"&gt;  σ<", ">4 zero<");
}

/* a decimal point is a point, whatever the locale; skipped in effect where none with a comma is installed */
static void TestLocale(void)
{
  const SpectrumFigure figure = {"small", 12, positive, 155, MEASURED, measured, 3e-13};
  static char          plain[SVG_MAX];
  const char          *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "C.UTF-8"};

  TapCall(Draw(&figure));
  memcpy(plain, svg, sizeof plain);
  for (size_t i = 0; i < 4 && !setlocale(LC_ALL, names[i]); i++)
    ;
  TapCall(Draw(&figure));
  Tap((PetscBool)!strcmp(plain, svg), "the figure does not depend on the locale (%s)", setlocale(LC_NUMERIC, NULL));
  setlocale(LC_ALL, "C");
}

static void TestUnwritable(void)
{
  const SpectrumFigure figure = {"small", 12, positive, 155, MEASURED, measured, 3e-13};
  const int            kept   = dup(STDERR_FILENO);
  PetscErrorCode       missing, taken;

  if (world_rank == 0) mkdir(In("taken"), 0700);
  close(STDERR_FILENO);
  missing = FigureWriteSpectrum(PETSC_COMM_WORLD, In("no/spectrum.svg"), &figure);
  Tap((PetscBool)(ExitStatusOfError(missing) == STATUS_DATA), "a missing directory is bad data, on every rank");
  taken = FigureWriteSpectrum(PETSC_COMM_WORLD, In("taken"), &figure);
  dup2(kept, STDERR_FILENO);
  close(kept);
  Tap((PetscBool)(ExitStatusOfError(taken) == STATUS_DATA), "so is a directory of that name");
  Tap((PetscBool)(access(In("taken.new"), F_OK) != 0), "and nothing is left beside it");
}

int main(int argc, char **argv)
{
  int removed = 0, written = 0;

  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  snprintf(dir, sizeof dir, "/tmp/codim-figure-XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) MPI_Abort(MPI_COMM_WORLD, 1);
  TapCall(MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD));
  TestUsual();
  TestDegenerate();
  TestExtreme();
  TestLocale();
  TestUnwritable();
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    written = !remove(In("spectrum.svg")) && !remove(In("spectrum.gnuplot")) && !remove(In("spectrum.csv"));
    rmdir(In("taken"));
    removed = rmdir(dir) == 0;
  }
  Tap((PetscBool)(written || world_rank), "the picture, its script and its table were written");
  Tap((PetscBool)(removed || world_rank), "no file is left over");
  return TapEnd();
}
