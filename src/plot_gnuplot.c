/*
  plot_gnuplot.c: a plot as a script for gnuplot, with its numbers in it: a vector PDF for print.

  3.25 in wide, one column of a paper; colours by Okabe and Ito, told apart by mark and dash as well. An axis of PLOT_SYMLOG is gnuplot's
  `set nonlinear` with the scale of plot.h.
*/
#include "codim/plot.h"
#include <math.h>

static const char *const Colours[] = {"#0072b2", "#d55e00", "#009e73", "#e69f00", "#56b4e9", "#cc79a7", "#000000"};

/* a string between ' ': a ' inside is doubled */
static void PutText(FILE *out, const char text[])
{
  fputc('\'', out);
  for (const char *c = text; *c; c++) {
    if (*c == '\'') fputc('\'', out);
    if ((unsigned char)*c >= 0x20) fputc(*c, out);
  }
  fputc('\'', out);
}

static void PutNumber(FILE *out, PetscReal value)
{
  if (isfinite(value))
    fprintf(out, " %.9g", (double)value);
  else
    fputs(" NaN", out);
}

/* columns x, y, low, high */
static void PutData(FILE *out, PetscInt panel, PetscInt s, const PlotSeries *series)
{
  fprintf(out, "$s%" PetscInt_FMT "_%" PetscInt_FMT " << END\n", panel, s);
  for (PetscInt i = 0; i < series->n; i++) {
    PutNumber(out, series->x[i]);
    PutNumber(out, series->y[i]);
    PutNumber(out, series->low ? series->low[i] : series->y[i]);
    PutNumber(out, series->high ? series->high[i] : series->y[i]);
    fputc('\n', out);
  }
  if (!series->n) fputs(" NaN NaN NaN NaN\n", out);
  fputs("END\n", out);
}

/* the largest size on an axis of the panel */
static PetscReal LargestSize(const PlotPanel *panel, PetscBool of_x)
{
  PetscReal size = 0;

  for (PetscInt s = 0; s < panel->nseries; s++)
    for (PetscInt i = 0; i < panel->series[s].n; i++) {
      const PetscReal value = PetscAbsReal(of_x ? panel->series[s].x[i] : panel->series[s].y[i]);

      if (isfinite(value)) size = PetscMax(size, value);
    }
  return size;
}

/* about four tics on either side of 0, at decades */
static void PutSymlogTics(FILE *out, char axis, PetscReal linear, PetscReal largest)
{
  const int first = (int)PetscCeilReal(PetscLog10Real(linear)),
            last  = (int)PetscCeilReal(PetscLog10Real(PetscMax(linear, largest)));
  const int step  = 1 + (last - first) / 5;

  fprintf(out, "set %ctics ('0' 0", axis);
  for (int e = first; e <= last; e += step) fprintf(out, ", '10^{%d}' 1e%d, '-10^{%d}' -1e%d", e, e, e, e);
  fputs(")\n", out);
}

static void PutAxis(FILE *out, char name, const PlotAxis *axis, PetscReal largest)
{
  const double L = (double)axis->linear;

  fprintf(out, "unset logscale %c; unset nonlinear %c; set autoscale %c; set %ctics autofreq; set format %c '%%g'\n", name, name,
          name, name, name);
  if (axis->scale == PLOT_LOG2) fprintf(out, "set logscale %c 2; set format %c '%%g'\n", name, name);
  if (axis->scale == PLOT_LOG) fprintf(out, "set logscale %c; set format %c '10^{%%T}'\n", name, name);
  if (axis->scale == PLOT_SYMLOG) {
    fprintf(out, "set nonlinear %c via (abs(%c) <= %.9g ? %c/%.9g : sgn(%c)*(1 + log10(abs(%c)/%.9g))) ", name, name, L, name, L,
            name, name, L);
    fprintf(out, "inverse (abs(%c) <= 1 ? %c*%.9g : sgn(%c)*%.9g*10**(abs(%c) - 1))\n", name, name, L, name, L, name);
    PutSymlogTics(out, name, axis->linear, largest);
  }
  if (axis->reversed)
    fprintf(out, "set autoscale %c; set %crange [] reverse\n", name, name);
  else
    fprintf(out, "set %crange [*:*] noreverse\n", name);
  fprintf(out, "set %clabel ", name);
  PutText(out, axis->label ? axis->label : "");
  fputs(" noenhanced\n", out);
}

static void PutSeries(FILE *out, PetscInt panel, PetscInt s, const PlotSeries *series)
{
  const char *colour = Colours[series->colour];
  const int   dash   = series->dashed ? 2 : 1;
  const int   band   = series->low && series->high;

  fputs(s ? ", \\\n  " : "plot ", out);
  if (band && (series->mark == PLOT_LINE || series->mark == PLOT_STEPS))
    fprintf(out,
            "$s%" PetscInt_FMT "_%" PetscInt_FMT
            " using 1:3:4 with filledcurves fs transparent solid 0.15 noborder lc rgb '%s' notitle, \\\n  ",
            panel, s, colour);
  fprintf(out, "$s%" PetscInt_FMT "_%" PetscInt_FMT " ", panel, s);
  if (series->mark == PLOT_LINE || series->mark == PLOT_STEPS)
    fprintf(out, "using 1:2 with %s lc rgb '%s' dt %d lw 1.5 ", series->mark == PLOT_LINE ? "lines" : "steps", colour, dash);
  else
    fprintf(out, "using %s lc rgb '%s' pt %d ps %s ", band ? "1:2:3:4 with yerrorbars" : "1:2 with points", colour,
            series->mark == PLOT_RINGS ? 6 : 7, series->n > 60 ? "0.2" : "0.35");
  if (series->label) {
    fputs("title ", out);
    PutText(out, series->label);
    fputs(" noenhanced", out);
  } else
    fputs("notitle", out);
}

static void PutPanel(FILE *out, PetscInt k, const PlotPanel *panel)
{
  for (PetscInt s = 0; s < panel->nseries; s++) PutData(out, k, s, &panel->series[s]);
  PutAxis(out, 'x', &panel->x, LargestSize(panel, PETSC_TRUE));
  PutAxis(out, 'y', &panel->y, LargestSize(panel, PETSC_FALSE));
  fputs("set title ", out);
  PutText(out, panel->title ? panel->title : "");
  fputs(" noenhanced\n", out);
  for (PetscInt s = 0; s < panel->nseries; s++) PutSeries(out, k, s, &panel->series[s]);
  fputs("\n", out);
}

void PlotPrintScript(FILE *out, const char name[], const Plot *plot)
{
  fprintf(out, "# %s.gnuplot: gnuplot %s.gnuplot draws %s.pdf, 3.25 in wide\n", name, name, name);
  fprintf(out, "set encoding utf8\nset terminal pdfcairo size 3.25in,%.2fin font 'Helvetica,7' fontscale 1 linewidth 0.8\n",
          .3 + 2.3 * (double)plot->npanels);
  fprintf(out,
          "set output '%s.pdf'\nset key above left Left reverse noenhanced samplen 2 font ',6'\nset tics nomirror out scale 0.6 "
          "font ',5.5'\nset title font ',6.5' offset 0,-0.6\nset border 3\n",
          name);
  fprintf(out, "set multiplot layout %" PetscInt_FMT ",1 title ", plot->npanels);
  PutText(out, plot->title);
  fputs(" noenhanced\n", out);
  for (PetscInt k = 0; k < plot->npanels; k++) PutPanel(out, k, &plot->panels[k]);
  fputs("unset multiplot\n", out);
}
