/*
  plot.c: see plot.h. Lengths are in the viewBox's units.
*/
#include "codim/plot.h"
#include "file.h"
#include "svg.h"
#include <math.h>
#include <string.h>

enum { HOVERS_MAX = 400 }; /* of a line: places with values on hover */

static const PetscReal WIDTH = 900, LEFT = 96, RIGHT = 876, HEAD = 56, HEIGHT = 260 /* of a panel's frame */;
static const PetscReal GLYPH = 7.4, LINE = 19;

typedef struct {
  FILE            *out;
  const PlotPanel *panel;
  PetscReal        top, bottom;    /* of the frame */
  PetscReal        x0, x1, y0, y1; /* the axes' ends, on their scales */
} Frame;

/* ---- scales -------------------------------------------------------------------------------------------------------------------- */

/* where a value lies on the scale; NaN: nowhere */
static PetscReal Scaled(const PlotAxis *axis, PetscReal value)
{
  if (!isfinite(value)) return NAN;
  if (axis->scale == PLOT_LINEAR) return value;
  if (axis->scale == PLOT_LOG || axis->scale == PLOT_LOG2) return value > 0 ? PetscLog10Real(value) : NAN;
  if (PetscAbsReal(value) <= axis->linear) return value / axis->linear;
  return (value < 0 ? -1 : 1) * (1 + PetscLog10Real(PetscAbsReal(value) / axis->linear));
}

static void Widen(const PlotAxis *axis, PetscReal value, PetscReal *low, PetscReal *high)
{
  const PetscReal at = Scaled(axis, value);

  if (isnan(at)) return;
  *low  = PetscMin(*low, at);
  *high = PetscMax(*high, at);
}

static void SetAxis(const PlotPanel *panel, PetscBool of_x, PetscReal *low, PetscReal *high)
{
  const PlotAxis *axis = of_x ? &panel->x : &panel->y;
  PetscReal       margin;

  *low  = INFINITY;
  *high = -INFINITY;
  for (PetscInt s = 0; s < panel->nseries; s++) {
    const PlotSeries *series = &panel->series[s];

    for (PetscInt i = 0; i < series->n; i++) {
      if (isnan(Scaled(&panel->x, series->x[i])) || isnan(Scaled(&panel->y, series->y[i]))) continue;
      Widen(axis, of_x ? series->x[i] : series->y[i], low, high);
      if (!of_x && series->low) Widen(axis, series->low[i], low, high);
      if (!of_x && series->high) Widen(axis, series->high[i], low, high);
    }
  }
  if (axis->low != 0 || axis->high != 0) {
    Widen(axis, axis->low, low, high);
    Widen(axis, axis->high, low, high);
  }
  if (*low > *high) *low = *high = 0;
  margin = *high > *low ? .04 * (*high - *low) : .5;
  *low -= margin;
  *high += margin;
}

static PetscReal X(const Frame *f, PetscReal value)
{
  const PetscReal part = (Scaled(&f->panel->x, value) - f->x0) / (f->x1 - f->x0);

  return f->panel->x.reversed ? RIGHT - (RIGHT - LEFT) * part : LEFT + (RIGHT - LEFT) * part;
}

static PetscReal Y(const Frame *f, PetscReal value)
{
  const PetscReal at = PetscMin(PetscMax(Scaled(&f->panel->y, value), f->y0), f->y1);

  return f->bottom - (f->bottom - f->top) * (at - f->y0) / (f->y1 - f->y0);
}

static PetscBool IsDrawn(const Frame *f, PetscReal x, PetscReal y)
{
  return (PetscBool)(!isnan(Scaled(&f->panel->x, x)) && !isnan(Scaled(&f->panel->y, y)));
}

/* ---- axes ---------------------------------------------------------------------------------------------------------------------- */

/* text: a value in a few characters */
static void PutValue(FILE *out, PetscReal value)
{
  const PetscReal size = PetscAbsReal(value);

  if (value < 0) fputs("−", out);
  if (size == 0 || (size >= 1e-3 && size < 1e5))
    fprintf(out, "%.6g", (double)size);
  else
    fprintf(out, "%.2e", (double)size);
}

static void PutTick(const Frame *f, PetscBool of_x, PetscReal value, PetscBool power, PetscBool label)
{
  const PetscReal x = X(f, value), y = Y(f, value);
  FILE           *out = f->out;

  if (of_x)
    fprintf(out, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/><path class=\"axis\" d=\"M%.1f %.1fv5\"/>\n", (double)x,
            (double)f->top, (double)f->bottom, (double)x, (double)f->bottom);
  else
    fprintf(out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><path class=\"axis\" d=\"M%.1f %.1fh-5\"/>\n", (double)LEFT,
            (double)y, (double)RIGHT, (double)LEFT, (double)y);
  if (!label) return;
  fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", (double)(of_x ? x : LEFT - 9),
          (double)(of_x ? f->bottom + 21 : y + 4.5), of_x ? "middle" : "end");
  if (power) {
    if (value < 0) fputs("−", out);
    SvgPutPower(out, (PetscInt)lround((double)PetscLog10Real(PetscAbsReal(value))));
  } else
    PutValue(out, value);
  fputs("</text>\n", out);
}

/* so many powers between labels that they do not crowd */
static PetscInt PowerStep(PetscInt count, PetscInt most)
{
  static const PetscInt steps[] = {1, 2, 3, 5, 10, 20, 50, 100};
  size_t                s       = 0;

  while (s + 1 < sizeof steps / sizeof steps[0] && count / steps[s] > most) s++;
  return steps[s];
}

static void PutLogTicks(const Frame *f, PetscBool of_x, PetscReal low, PetscReal high)
{
  const PetscInt first = (PetscInt)PetscCeilReal(low), last = (PetscInt)PetscFloorReal(high);
  const PetscInt step = PowerStep(last - first, of_x ? 14 : 9);

  if (last - first < 1) { /* no two decades to read the scale from: 1, 2, 5 times a power */
    static const PetscReal digits[] = {1, 2, 5};

    for (PetscInt power = first - 1; power <= last; power++)
      for (PetscInt k = 0; k < 3; k++) {
        const PetscReal value = digits[k] * PetscPowReal(10, (PetscReal)power), at = PetscLog10Real(value);

        if (at >= low && at <= high) PutTick(f, of_x, value, PETSC_FALSE, PETSC_TRUE);
      }
    return;
  }
  for (PetscInt power = first; power <= last; power++)
    if (power % step == 0) PutTick(f, of_x, PetscPowReal(10, (PetscReal)power), PETSC_TRUE, PETSC_TRUE);
}

/* every power of two; low and high are powers of ten */
static void PutLog2Ticks(const Frame *f, PetscBool of_x, PetscReal low, PetscReal high)
{
  const PetscReal two   = PetscLog10Real(2);
  const PetscInt  first = (PetscInt)PetscCeilReal(low / two), last = (PetscInt)PetscFloorReal(high / two);
  const PetscInt  step = PowerStep(last - first, of_x ? 14 : 9);

  for (PetscInt power = first; power <= last; power++)
    if (power % step == 0) PutTick(f, of_x, PetscPowReal(2, (PetscReal)power), PETSC_FALSE, PETSC_TRUE);
}

static void PutSymlogTicks(const Frame *f, PetscBool of_x, const PlotAxis *axis, PetscReal low, PetscReal high)
{
  const PetscInt  first = (PetscInt)PetscCeilReal(PetscLog10Real(axis->linear));
  const PetscReal unit  = PetscLog10Real(axis->linear);
  const PetscInt  up = (PetscInt)PetscFloorReal(high - 1 + unit), down = (PetscInt)PetscFloorReal(-low - 1 + unit);
  const PetscInt  step = PowerStep(PetscMax(up - first, 0) + PetscMax(down - first, 0) + 1, of_x ? 14 : 9);

  PutTick(f, of_x, 0, PETSC_FALSE, PETSC_TRUE);
  for (PetscInt power = first; power <= PetscMax(up, down); power++) {
    if ((power - first) % step) continue;
    if (power <= up) PutTick(f, of_x, PetscPowReal(10, (PetscReal)power), PETSC_TRUE, PETSC_TRUE);
    if (power <= down) PutTick(f, of_x, -PetscPowReal(10, (PetscReal)power), PETSC_TRUE, PETSC_TRUE);
  }
}

static void PutLinearTicks(const Frame *f, PetscBool of_x, PetscReal low, PetscReal high)
{
  const PetscReal rough = (high - low) / (of_x ? 9 : 6), power = PetscPowReal(10, PetscFloorReal(PetscLog10Real(rough)));
  const PetscReal digit = rough / power, step = power * (digit > 5 ? 10 : digit > 2 ? 5 : digit > 1 ? 2 : 1);

  for (PetscReal k = PetscCeilReal(low / step); k * step <= high; k++) PutTick(f, of_x, k * step, PETSC_FALSE, PETSC_TRUE);
}

static void PutAxis(const Frame *f, PetscBool of_x)
{
  const PlotAxis *axis = of_x ? &f->panel->x : &f->panel->y;
  const PetscReal low = of_x ? f->x0 : f->y0, high = of_x ? f->x1 : f->y1;
  const PetscReal middle = (f->top + f->bottom) / 2;

  if (axis->scale == PLOT_LOG)
    PutLogTicks(f, of_x, low, high);
  else if (axis->scale == PLOT_LOG2)
    PutLog2Ticks(f, of_x, low, high);
  else if (axis->scale == PLOT_SYMLOG)
    PutSymlogTicks(f, of_x, axis, low, high);
  else
    PutLinearTicks(f, of_x, low, high);
  if (of_x)
    fprintf(f->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", (double)(LEFT + RIGHT) / 2, (double)f->bottom + 43);
  else
    fprintf(f->out, "<text x=\"24\" y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 24 %.1f)\">", (double)middle,
            (double)middle);
  SvgPutEscaped(f->out, axis->label ? axis->label : "");
  fputs("</text>\n", f->out);
}

/* ---- series --------------------------------------------------------------------------------------------------------------------- */

static void PutHover(const Frame *f, const PlotSeries *series, PetscInt i, PetscReal radius)
{
  fprintf(f->out, "<circle class=\"hover\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>", (double)X(f, series->x[i]),
          (double)Y(f, series->y[i]), (double)radius);
  if (series->label) {
    SvgPutEscaped(f->out, series->label);
    fputs(": ", f->out);
  }
  PutValue(f->out, series->y[i]);
  fputs(" at ", f->out);
  PutValue(f->out, series->x[i]);
  if (series->low && series->high) {
    fputs(" (", f->out);
    PutValue(f->out, series->low[i]);
    fputs(" … ", f->out);
    PutValue(f->out, series->high[i]);
    fputs(")", f->out);
  }
  fputs("</title></circle>\n", f->out);
}

/* a polygon between low and high */
static void PutBand(const Frame *f, const PlotSeries *series)
{
  const char *verb = "M";

  if (!series->low || !series->high) return;
  fputs("<path class=\"band\" d=\"", f->out);
  for (PetscInt i = 0; i < series->n; i++) {
    if (!IsDrawn(f, series->x[i], series->high[i])) continue;
    fprintf(f->out, "%s%.1f %.1f", verb, (double)X(f, series->x[i]), (double)Y(f, series->high[i]));
    verb = "L";
  }
  for (PetscInt i = series->n - 1; i >= 0; i--) {
    const PetscReal low = isnan(Scaled(&f->panel->y, series->low[i])) ? f->bottom : Y(f, series->low[i]); /* <= 0 on a log axis */

    if (IsDrawn(f, series->x[i], series->high[i])) fprintf(f->out, "L%.1f %.1f", (double)X(f, series->x[i]), (double)low);
  }
  fputs("\"/>\n", f->out);
}

static void PutLine(const Frame *f, const PlotSeries *series)
{
  const PetscInt every = PetscMax(1, series->n / HOVERS_MAX);
  const char    *verb  = "M";

  PutBand(f, series);
  fprintf(f->out, "<path class=\"line%s\" d=\"", series->dashed ? " dashed" : "");
  for (PetscInt i = 0; i < series->n; i++) {
    if (!IsDrawn(f, series->x[i], series->y[i])) continue;
    if (series->mark == PLOT_STEPS && *verb == 'L') fprintf(f->out, "H%.1f", (double)X(f, series->x[i]));
    fprintf(f->out, "%s%.1f %.1f", verb, (double)X(f, series->x[i]), (double)Y(f, series->y[i]));
    verb = "L";
  }
  fputs("\"/>\n", f->out);
  for (PetscInt i = 0; i < series->n; i += every)
    if (IsDrawn(f, series->x[i], series->y[i])) PutHover(f, series, i, 6);
}

static void PutPoints(const Frame *f, const PlotSeries *series)
{
  const PetscReal radius = series->n > 300 ? 2 : series->n > 60 ? 3 : 4;

  for (PetscInt i = 0; i < series->n; i++) {
    const PetscReal x = X(f, series->x[i]);

    if (!IsDrawn(f, series->x[i], series->y[i])) continue;
    if (series->low && series->high) {
      const PetscReal low = isnan(Scaled(&f->panel->y, series->low[i])) ? f->bottom : Y(f, series->low[i]);

      fprintf(f->out, "<path class=\"bar\" d=\"M%.1f %.1fV%.1f\"/>", (double)x, (double)low, (double)Y(f, series->high[i]));
    }
    fprintf(f->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", series->mark == PLOT_RINGS ? "ring" : "dot",
            (double)x, (double)Y(f, series->y[i]), (double)radius);
    PutHover(f, series, i, radius + 2);
  }
}

static void PutSeries(const Frame *f, const PlotSeries *series)
{
  fprintf(f->out, "<g class=\"c%d\">", (int)series->colour);
  if (series->mark == PLOT_LINE || series->mark == PLOT_STEPS)
    PutLine(f, series);
  else
    PutPoints(f, series);
  fputs("</g>\n", f->out);
}

/* ---- legend ---------------------------------------------------------------------------------------------------------------------- */

static PetscReal KeyWidth(const PlotSeries *series)
{
  return 34 + GLYPH * SvgGlyphs(series->label) + 18;
}

/* the rows of keys above a frame; drawn at `top`, or only counted (out = NULL) */
static PetscInt Legend(FILE *out, const PlotPanel *panel, PetscReal top)
{
  PetscReal x    = LEFT;
  PetscInt  rows = 0;

  for (PetscInt s = 0; s < panel->nseries; s++) {
    const PlotSeries *series = &panel->series[s];

    if (!series->label) continue;
    if (rows == 0 || x + KeyWidth(series) > RIGHT + 18) {
      rows++;
      x = LEFT;
    }
    if (out) {
      const double y = (double)(top + LINE * (PetscReal)rows - 5), at = (double)x;

      fprintf(out, "<g class=\"c%d\">", (int)series->colour);
      if (series->mark == PLOT_LINE || series->mark == PLOT_STEPS)
        fprintf(out, "<path class=\"line%s\" d=\"M%.1f %.1fh26\"/>", series->dashed ? " dashed" : "", at, y - 4.5);
      else
        fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", series->mark == PLOT_RINGS ? "ring" : "dot", at + 13,
                y - 4.5);
      fprintf(out, "</g><text class=\"tick\" x=\"%.1f\" y=\"%.1f\">", at + 34, y);
      SvgPutEscaped(out, series->label);
      fputs("</text>\n", out);
    }
    x += KeyWidth(series);
  }
  return rows;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------------- */

static const char STYLE[] =
    "<style>\n"
    ".codim-plot{color:#1c2126;font-size:14px;\n"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\n"
    ".codim-plot text{fill:currentColor}\n"
    ".codim-plot .ground{fill:#ffffff}\n"
    ".codim-plot .title{font-weight:600;font-size:17px}\n"
    ".codim-plot .panel{font-weight:600}\n"
    ".codim-plot .tick{font-size:13px;opacity:.85}\n"
    ".codim-plot .up{font-size:72%}\n"
    ".codim-plot .frame,.codim-plot .axis{stroke:currentColor;fill:none;stroke-width:1}\n"
    ".codim-plot .grid{stroke:currentColor;fill:none;opacity:.1}\n"
    ".codim-plot .line{stroke:currentColor;fill:none;stroke-width:2;stroke-linejoin:round}\n"
    ".codim-plot .dashed{stroke-dasharray:7 5}\n"
    ".codim-plot .bar{stroke:currentColor;stroke-width:1.3}\n"
    ".codim-plot .band{fill:currentColor;opacity:.15}\n"
    ".codim-plot .dot{fill:currentColor}\n"
    ".codim-plot .ring{stroke:currentColor;stroke-width:1.6;fill:none}\n"
    ".codim-plot .hover{fill-opacity:0}\n"
    ".codim-plot .c0{color:#0072b2}.codim-plot .c1{color:#d55e00}.codim-plot .c2{color:#009e73}.codim-plot .c3{color:#b07800}\n"
    ".codim-plot .c4{color:#56b4e9}.codim-plot .c5{color:#b0578d}\n"
    "@media (prefers-color-scheme:dark){\n"
    ".codim-plot{color:#e4e7ea}.codim-plot .ground{fill:#15191d}.codim-plot .grid{opacity:.18}\n"
    ".codim-plot .c0{color:#56b4e9}.codim-plot .c1{color:#f0883e}.codim-plot .c2{color:#3fc9a0}.codim-plot .c3{color:#f0b429}\n"
    ".codim-plot .c4{color:#9fd3f2}.codim-plot .c5{color:#e09ac4}\n"
    "}\n"
    "</style>\n";

/* above a frame: its title and legend */
static PetscReal HeadOf(const PlotPanel *panel)
{
  return (panel->title ? 30 : 8) + LINE * (PetscReal)Legend(NULL, panel, 0) + 8;
}

static PetscReal PanelHeight(const PlotPanel *panel)
{
  return HeadOf(panel) + HEIGHT + 56;
}

static void PutPanel(FILE *out, const PlotPanel *panel, PetscReal top)
{
  Frame f = {.out = out, .panel = panel, .top = top + HeadOf(panel)};

  f.bottom = f.top + HEIGHT;
  SetAxis(panel, PETSC_TRUE, &f.x0, &f.x1);
  SetAxis(panel, PETSC_FALSE, &f.y0, &f.y1);
  if (panel->title) {
    fprintf(out, "<text class=\"panel\" x=\"%.1f\" y=\"%.1f\">", (double)LEFT, (double)top + 20);
    SvgPutEscaped(out, panel->title);
    fputs("</text>\n", out);
  }
  (void)Legend(out, panel, top + (panel->title ? 30 : 8));
  PutAxis(&f, PETSC_TRUE);
  PutAxis(&f, PETSC_FALSE);
  for (PetscInt s = 0; s < panel->nseries; s++) PutSeries(&f, &panel->series[s]);
  fprintf(out, "<path class=\"frame\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", (double)LEFT, (double)f.top, (double)f.bottom,
          (double)RIGHT);
}

/* how much of a text goes into one line: up to its end, a newline, or the last blank before it is full */
static size_t LineLength(const char text[])
{
  const PetscReal full  = (RIGHT - 24) / GLYPH;
  size_t          blank = 0, length = 0;
  PetscReal       glyphs = 0;

  for (; text[length] && text[length] != '\n'; length++) {
    glyphs += ((unsigned char)text[length] & 0xC0) != 0x80;
    if (glyphs > full && blank) return blank;
    if (text[length] == ' ') blank = length;
  }
  return length;
}

/* the note from `top` on; returns its end. Drawn, or only measured (out = NULL) */
static PetscReal PutNote(FILE *out, const char note[], PetscReal top)
{
  PetscReal y = top;

  for (const char *line = note; line && *line;) {
    const size_t length = LineLength(line);
    char         text[512];

    y += LINE;
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    line += length + (line[length] ? 1 : 0);
    if (!out) continue;
    fprintf(out, "<text class=\"tick\" x=\"24\" y=\"%.1f\">", (double)y);
    SvgPutEscaped(out, text);
    fputs("</text>\n", out);
  }
  return y;
}

PetscErrorCode PlotPrint(FILE *out, const Plot *plot)
{
  PetscReal height = HEAD, y = HEAD;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < plot->npanels; k++) height += PanelHeight(&plot->panels[k]);
  height = PutNote(NULL, plot->note, height) + 16;
  fprintf(out,
          "<svg class=\"codim-plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"",
          (double)WIDTH, (double)height);
  for (const char *c = plot->title; *c; c++)
    if (!strchr("\"<>&", *c)) fputc(*c, out);
  fprintf(out, "\">\n%s<rect class=\"ground\" width=\"%.0f\" height=\"%.0f\"/>\n<text class=\"title\" x=\"24\" y=\"36\">", STYLE,
          (double)WIDTH, (double)height);
  SvgPutEscaped(out, plot->title);
  fputs("</text>\n", out);
  for (PetscInt k = 0; k < plot->npanels; k++) {
    PutPanel(out, &plot->panels[k], y);
    y += PanelHeight(&plot->panels[k]);
  }
  (void)PutNote(out, plot->note, y);
  fputs("</svg>\n", out);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Draw(FILE *out, const void *plot)
{
  PetscFunctionBeginUser;
  PetscCall(PlotPrint(out, (const Plot *)plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  const char *name;
  const Plot *plot;
} Script;

static PetscErrorCode DrawScript(FILE *out, const void *context)
{
  const Script *script = context;

  PetscFunctionBeginUser;
  PlotPrintScript(out, script->name, script->plot);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* DIR/NAME.gnuplot for DIR/NAME.svg; name: NAME */
static void ScriptPath(const char svg[], FilePath path, FilePath name)
{
  const char  *slash = strrchr(svg, '/');
  const size_t full = strlen(svg), length = full > 4 && !strcmp(svg + full - 4, ".svg") ? full - 4 : full;

  snprintf(path, sizeof(FilePath), "%.*s.gnuplot", (int)length, svg);
  snprintf(name, sizeof(FilePath), "%.*s", (int)(length - (slash ? (size_t)(slash + 1 - svg) : 0)), slash ? slash + 1 : svg);
}

PetscErrorCode PlotWriteScript(MPI_Comm comm, const char svg[], const Plot *plot)
{
  FilePath path, name;
  Script   script = {name, plot};

  PetscFunctionBeginUser;
  ScriptPath(svg, path, name);
  PetscCall(SvgWriteFile(comm, path, DrawScript, &script));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PlotWrite(MPI_Comm comm, const char path[], const Plot *plot)
{
  PetscFunctionBeginUser;
  PetscCall(SvgWriteFile(comm, path, Draw, plot));
  PetscCall(PlotWriteScript(comm, path, plot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PlotWriteSerial(const char svg[], const Plot *plot, Complaint *complaint)
{
  FilePath path, name;
  Script   script = {name, plot};

  PetscFunctionBeginUser;
  ScriptPath(svg, path, name);
  PetscCall(SvgWrite(svg, Draw, plot, complaint));
  PetscCall(SvgWrite(path, DrawScript, &script, complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
