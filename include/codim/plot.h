/*
  plot.h: plots as self-contained SVG: panels one under the other, axes, series, a legend; values on hover; light and dark.

  Colours by Okabe and Ito, told apart by mark and dash as well. Values that are not finite, and on a log axis those <= 0, are left out. A plot
  may also be put into a page as it is: its styles are classes under .codim-plot, and it has no ids.
*/
#pragma once

#include "base.h"

typedef enum {
  PLOT_LINEAR,
  PLOT_LOG,
  PLOT_LOG2,  /* read in powers of two: numbers of ranks */
  PLOT_SYMLOG /* both signs: linear within +-linear, a decade a unit beyond */
} PlotScale;

typedef enum { PLOT_LINE, PLOT_STEPS /* y holds until the next x */, PLOT_POINTS, PLOT_RINGS } PlotMark;

typedef enum { PLOT_BLUE, PLOT_RED, PLOT_GREEN, PLOT_ORANGE, PLOT_SKY, PLOT_PURPLE, PLOT_INK } PlotColour;

typedef struct {
  const char      *label; /* in the legend; NULL: none */
  PlotMark         mark;
  PlotColour       colour;
  PetscBool        dashed;
  PetscInt         n;
  const PetscReal *x, *y;
  const PetscReal *low, *high; /* of y: error bars of points, a band under lines; NULL: none */
} PlotSeries;

typedef struct {
  const char *label;
  PlotScale   scale;
  PetscReal   linear;    /* PLOT_SYMLOG */
  PetscReal   low, high; /* what must be seen, beside the values; both 0: nothing */
  PetscBool   reversed;
} PlotAxis;

typedef struct {
  const char       *title;
  PlotAxis          x, y;
  PetscInt          nseries;
  const PlotSeries *series;
} PlotPanel;

typedef struct {
  const char      *title;
  const char      *note; /* under the panels; may have several lines; NULL: none */
  PetscInt         npanels;
  const PlotPanel *panels;
} Plot;

/** An SVG file, and beside it the same plot as a script for gnuplot: .gnuplot where path ends in .svg. Rank 0 reads `plot`. STATUS_DATA if one
    cannot be written. Collective. */
PetscErrorCode PlotWrite(MPI_Comm comm, const char path[], const Plot *plot);

/** The same without MPI or PETSc at work: a complaint (STATUS_DATA). Serial. */
PetscErrorCode PlotWriteSerial(const char path[], const Plot *plot, Complaint *complaint);

/** The script alone, where the picture is not this module's. Collective. */
PetscErrorCode PlotWriteScript(MPI_Comm comm, const char svg[], const Plot *plot);

/** The <svg> element alone, for a page. In the C locale. Not collective. */
PetscErrorCode PlotPrint(FILE *out, const Plot *plot);

/** A script for gnuplot (5.2 or later) that holds the numbers and draws NAME.pdf: vectors, 3.25 in wide, colour-blind safe. In the C locale. Not
    collective. */
void PlotPrintScript(FILE *out, const char name[], const Plot *plot);
