/*
  figure.c: the picture of a spectrum.

  x = log10 k, y = log10 |eigenvalue|; under a break in the y axis lies a row for 0 itself, where the n - m zeros are by dimension and
  where measured values are drawn that are exactly 0. Lengths are in the viewBox's units.
*/
#include "codim/figure.h"
#include "codim/plot.h"
#include "codim/table.h"
#include "svg.h"
#include <math.h>
#include <petscmath.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 1500, BOXES_MAX = 2 * POINTS_MAX + 64 };

static const PetscReal WIDTH = 900, HEIGHT = 590;
static const PetscReal LEFT = 92, RIGHT = 872, TOP = 108; /* the plot */
static const PetscReal LOG_BOTTOM = 478, ZERO = 502, BOTTOM = 518;
static const PetscReal INSET = 16; /* of index 1 and index n from the plot's edges */
static const PetscReal LINE  = 17; /* of text */

typedef struct {
  PetscReal left, top, right, bottom;
} Box;

typedef struct {
  PetscReal x, y; /* baseline of the first line */
  char      anchor;
} Place;

typedef struct {
  const char *style, *text, *exponent, *second; /* text, raised exponent, second line; the last two may be NULL */
} Label;

typedef struct {
  PetscReal high, low; /* eigenvalues */
  PetscReal x;         /* of the arrow between them */
  PetscBool open;
} Gap;

typedef struct {
  FILE                 *out;
  const SpectrumFigure *figure;
  PetscReal            *positive, *measured; /* the finite ones; measured by descending size */
  PetscInt              npositive, nmeasured;
  PetscReal             resolution;  /* 0: not drawn */
  PetscReal             n;           /* last index */
  PetscReal             bottom, top; /* log10 */
  PetscReal             positive_x;  /* of the last positive */
  PetscReal             edge;        /* between it and */
  PetscReal             zero_x;      /* the first zero */
  PetscReal             measured_x;  /* of the last measured */
  Box                  *taken;       /* what a label must not cover */
  PetscInt              ntaken;
} Canvas;

static PetscReal X(const Canvas *canvas, PetscReal k)
{
  return LEFT + INSET + (RIGHT - LEFT - 2 * INSET) * PetscLog10Real(k) / PetscMax(PetscLog10Real(canvas->n), 1.0);
}

/* of |value|; 0 has a row of its own */
static PetscReal Y(const Canvas *canvas, PetscReal value)
{
  if (value == 0) return ZERO;
  return LOG_BOTTOM - (LOG_BOTTOM - TOP) * (PetscLog10Real(PetscAbsReal(value)) - canvas->bottom) / (canvas->top - canvas->bottom);
}

static void Take(Canvas *canvas, PetscReal left, PetscReal top, PetscReal right, PetscReal bottom)
{
  if (canvas->ntaken < BOXES_MAX) canvas->taken[canvas->ntaken++] = (Box){left, top, right, bottom};
}

static int BySizeDescending(const void *a, const void *b)
{
  const PetscReal x = PetscAbsReal(*(const PetscReal *)a), y = PetscAbsReal(*(const PetscReal *)b);

  return (x < y) - (x > y);
}

static void Widen(PetscReal value, PetscReal *low, PetscReal *high)
{
  if (value == 0) return;
  *low  = PetscMin(*low, PetscLog10Real(PetscAbsReal(value)));
  *high = PetscMax(*high, PetscLog10Real(PetscAbsReal(value)));
}

/* four decades at least, and room for a label above and below */
static void SetRange(Canvas *canvas)
{
  PetscReal low = PETSC_MAX_REAL, high = -PETSC_MAX_REAL, missing;

  for (PetscInt k = 0; k < canvas->npositive; k++) Widen(canvas->positive[k], &low, &high);
  for (PetscInt k = 0; k < canvas->nmeasured; k++) Widen(canvas->measured[k], &low, &high);
  Widen(canvas->resolution, &low, &high);
  if (low > high) low = high = 0;
  missing = PetscMax(0.0, 4 - (high - low)) / 2;
  low -= missing;
  high += missing;
  canvas->bottom = low - 0.06 * (high - low);
  canvas->top    = high + 0.09 * (high - low);
}

static void SetIndices(Canvas *canvas)
{
  const PetscReal m = (PetscReal)canvas->npositive, count = (PetscReal)canvas->nmeasured;

  canvas->n          = PetscMax(m + PetscMax((PetscReal)canvas->figure->nzero, count), 1.0);
  canvas->positive_x = X(canvas, PetscMax(m, 1.0));
  canvas->zero_x     = X(canvas, m + 1);
  canvas->measured_x = X(canvas, PetscMax(m + count, 1.0));
  canvas->edge       = m == 0 ? LEFT : m < canvas->n ? X(canvas, m + 0.5) : RIGHT;
}

/* ---- text ---- */

/* digits in groups of three from five on, with thin spaces */
static void Grouped(PetscInt64 count, char text[static 64])
{
  char         digits[32];
  const size_t length = (size_t)snprintf(digits, sizeof digits, "%" PetscInt64_FMT, count);
  size_t       at     = 0;

  for (size_t i = 0; i < length; i++) {
    if (i && length > 4 && (length - i) % 3 == 0) at += (size_t)snprintf(text + at, 64 - at, "\u2009");
    text[at++] = digits[i];
  }
  text[at] = '\0';
}

/* text: the prefix, then value's two digits; exponent: of ten, to be raised, or "" where the value is written out */
static void Scientific(const char prefix[], PetscReal value, char text[static 64], char exponent[static 16])
{
  char digits[32];
  int  power;

  snprintf(digits, sizeof digits, "%.1e", (double)value); /* d.de+dd */
  power       = atoi(strchr(digits, 'e') + 1);
  exponent[0] = '\0';
  if (power < -2 || power > 3) {
    *strchr(digits, 'e') = '\0';
    snprintf(text, 64, "%s %s × 10", prefix, digits);
    snprintf(exponent, 16, "%s%d", power < 0 ? "−" : "", abs(power));
  } else
    snprintf(text, 64, "%s %.*f", prefix, power > 0 ? 0 : 1 - power, (double)value);
}

/* 0.6 em a glyph is wide for every common sans serif */
static Box LabelBox(const Label *label, const Place *place)
{
  PetscReal width = 8.4 * SvgGlyphs(label->text) + (label->exponent ? 6 * SvgGlyphs(label->exponent) : 0), left = place->x;

  if (label->second) width = PetscMax(width, 8.4 * SvgGlyphs(label->second));
  if (place->anchor == 'm') left -= width / 2;
  if (place->anchor == 'e') left -= width;
  return (Box){left, place->y - 14, left + width, place->y + 5 + (label->second ? LINE : 0)};
}

static PetscBool IsFree(const Canvas *canvas, const Box *box)
{
  if (box->left < LEFT + 3 || box->right > RIGHT - 3 || box->top < TOP || box->bottom > BOTTOM - 2) return PETSC_FALSE;
  for (PetscInt i = 0; i < canvas->ntaken; i++) {
    const Box *other = &canvas->taken[i];

    if (box->left < other->right && other->left < box->right && box->top < other->bottom && other->top < box->bottom)
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static void PutText(const Canvas *canvas, const Label *label, const Place *place)
{
  const char *anchor = place->anchor == 's' ? "start" : place->anchor == 'm' ? "middle" : "end";

  fprintf(canvas->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", label->style, place->x, place->y, anchor);
  SvgPutEscaped(canvas->out, label->text);
  if (label->exponent && *label->exponent) fprintf(canvas->out, "<tspan class=\"up\" dy=\"-.45em\">%s</tspan>", label->exponent);
  fprintf(canvas->out, "</text>\n");
}

/* at the first place where it covers nothing; nowhere if there is none: the figure is complete without */
static void PutLabel(Canvas *canvas, const Label *label, const Place places[], PetscInt nplaces)
{
  for (PetscInt i = 0; i < nplaces; i++) {
    const Box box = LabelBox(label, &places[i]);

    if (!IsFree(canvas, &box)) continue;
    PutText(canvas, label, &places[i]);
    if (label->second)
      PutText(canvas, &(Label){label->style, label->second, NULL, NULL},
              &(Place){places[i].x, places[i].y + LINE, places[i].anchor});
    Take(canvas, box.left, box.top, box.right, box.bottom);
    return;
  }
}

/* ---- the parts, from the ground up; colours by Okabe and Ito ---- */

static const char STYLE[] =
    "<style>\n"
    "svg{color:#1c2126;font-size:14px;\n"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif}\n"
    "text{fill:currentColor}\n"
    ".ground{fill:#ffffff}\n"
    ".title{font-weight:600}\n"
    ".tick{font-size:13px;opacity:.8}\n"
    ".up{font-size:72%}\n"
    ".strong{font-weight:600;font-size:15px}\n"
    "text.blue{fill:#00609a}text.red{fill:#a84a00}text.green{fill:#00775a}\n"
    ".axis{stroke:currentColor;fill:none;stroke-width:1.2}\n"
    ".grid{stroke:currentColor;fill:none;stroke-width:1;opacity:.1}\n"
    ".positive{stroke:#0072b2;fill:none;stroke-linecap:round}\n"
    ".zero{stroke:#d55e00;fill:none}\n"
    ".band{fill:#d55e00;opacity:.08}\n"
    ".floor{stroke:#d55e00;stroke-width:5;stroke-linecap:round}\n"
    ".open{stroke:#d55e00;stroke-width:1.5;fill:#ffffff}\n"
    ".full{stroke:#d55e00;stroke-width:1.5;fill:#d55e00}\n"
    ".bound{stroke:#009e73;stroke-width:1.5;stroke-dasharray:7 5;fill:none}\n"
    ".gap{stroke:currentColor;stroke-width:1.5;fill:none}\n"
    ".guide{stroke:currentColor;stroke-width:1;stroke-dasharray:2 4;fill:none;opacity:.55}\n"
    ".head{fill:currentColor}\n"
    "@media (prefers-color-scheme:dark){\n"
    "svg{color:#e4e7ea}.ground{fill:#15191d}.grid{opacity:.16}.band{opacity:.12}\n"
    "text.blue{fill:#7cc6f0}text.red{fill:#f0b429}text.green{fill:#3fc9a0}\n"
    ".positive{stroke:#56b4e9}.zero,.floor,.open,.full{stroke:#e69f00}\n"
    ".full,.band{fill:#e69f00}.open{fill:#15191d}\n"
    "}\n"
    "</style>\n";

static void PutHead(const Canvas *canvas)
{
  const SpectrumFigure *figure = canvas->figure;
  const char           *title  = figure->title ? figure->title : "";
  const PetscReal       size   = PetscMin(19.0, (RIGHT - 24) / (0.62 * PetscMax(SvgGlyphs(title), 1.0)));

  fprintf(canvas->out,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"title desc\">\n",
          WIDTH, HEIGHT);
  fprintf(canvas->out, "<title id=\"title\">Spectrum of the Hessian: ");
  SvgPutEscaped(canvas->out, title);
  fprintf(canvas->out,
          "</title>\n<desc id=\"desc\">%" PetscInt_FMT " positive eigenvalues and %" PetscInt64_FMT " zero; %" PetscInt_FMT,
          figure->npositive, figure->nzero, figure->nmeasured);
  fprintf(canvas->out, " of the zero cluster measured. Sizes against the index, both on logarithmic axes.</desc>\n%s", STYLE);
  fprintf(canvas->out, "<rect class=\"ground\" width=\"%.0f\" height=\"%.0f\"/>\n", WIDTH, HEIGHT);
  fprintf(canvas->out, "<text class=\"title\" x=\"24\" y=\"38\" style=\"font-size:%.1fpx\">", size);
  SvgPutEscaped(canvas->out, title);
  fprintf(canvas->out, "</text>\n");
}

static void PutPower(const Canvas *canvas, int power, PetscReal x, PetscReal y, char anchor)
{
  char exponent[16];

  snprintf(exponent, sizeof exponent, "%s%d", power < 0 ? "−" : "", abs(power));
  if (power == 0 || power == 1)
    PutText(canvas, &(Label){"tick", power ? "10" : "1", NULL, NULL}, &(Place){x, y, anchor});
  else
    PutText(canvas, &(Label){"tick", "10", exponent, NULL}, &(Place){x, y, anchor});
}

/* decades, a label on at most ten of them; the break; the row of 0 */
static void PutYAxis(const Canvas *canvas)
{
  static const int steps[] = {1, 2, 3, 5, 10, 20, 50, 100};
  const int        first = (int)PetscCeilReal(canvas->bottom), last = (int)PetscFloorReal(canvas->top);
  size_t           s = 0;

  while (s + 1 < sizeof(steps) / sizeof(steps[0]) && (last - first) / steps[s] > 9) s++;
  for (int power = first; power <= last; power++) {
    const PetscReal y = LOG_BOTTOM - (LOG_BOTTOM - TOP) * (power - canvas->bottom) / (canvas->top - canvas->bottom);

    if (power % steps[s] == 0) {
      fprintf(canvas->out, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><path class=\"axis\" d=\"M%.1f %.1fh-6\"/>", LEFT, y, RIGHT,
              LEFT, y);
      PutPower(canvas, power, LEFT - 11, y + 4.5, 'e');
    } else if (last - first <= 60)
      fprintf(canvas->out, "<path class=\"axis\" d=\"M%.1f %.1fh-3\"/>\n", LEFT, y);
  }
  fprintf(canvas->out, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fm-6 3l12 -6m-12 12l12 -6m-6 3V%.1fM%.1f %.1fh-6\"/>\n", LEFT, TOP,
          LOG_BOTTOM + 6, BOTTOM, LEFT, ZERO);
  PutText(canvas, &(Label){"tick", "0", NULL, NULL}, &(Place){LEFT - 11, ZERO + 4.5, 'e'});
  fprintf(canvas->out,
          "<text x=\"26\" y=\"%.1f\" text-anchor=\"middle\" transform=\"rotate(-90 26 %.1f)\">|eigenvalue of the Hessian|</text>\n",
          (TOP + LOG_BOTTOM) / 2, (TOP + LOG_BOTTOM) / 2);
}

static void PutXAxis(const Canvas *canvas)
{
  char number[64], text[128];

  fprintf(canvas->out, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>\n", LEFT, BOTTOM, RIGHT);
  for (PetscInt64 decade = 1, power = 0; (PetscReal)decade <= canvas->n; decade *= 10, power++) {
    fprintf(canvas->out, "<path class=\"axis\" d=\"M%.1f %.1fv6\"/>", X(canvas, (PetscReal)decade), BOTTOM);
    PutPower(canvas, (int)power, X(canvas, (PetscReal)decade), BOTTOM + 23, 'm');
    for (PetscInt64 k = 2; k < 10 && (PetscReal)(k * decade) <= canvas->n; k++)
      fprintf(canvas->out, "<path class=\"axis\" d=\"M%.1f %.1fv3\"/>", X(canvas, (PetscReal)(k * decade)), BOTTOM);
  }
  Grouped((PetscInt64)canvas->n, number);
  snprintf(text, sizeof text, "index k = 1 … %s", number);
  fprintf(canvas->out, "\n<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", (LEFT + RIGHT) / 2, BOTTOM + 52, text);
}

static void PutBracket(const Canvas *canvas, const char style[], PetscReal from, PetscReal to)
{
  fprintf(canvas->out, "<path class=\"%s\" style=\"stroke-width:1.6\" d=\"M%.1f %.1fv-7H%.1fv7\"/>\n", style, from, TOP - 7, to);
}

/* above the plot, where no data can be: which indices are positive, which are zero, and how many */
static void PutCounts(const Canvas *canvas)
{
  const PetscReal y = TOP - 23, glyph = 9.2;
  char            number[64], positive[96], zero[96] = "";
  PetscReal       x, width, end                      = LEFT;

  if (canvas->figure->nzero > 0) {
    Grouped(canvas->figure->nzero, number);
    snprintf(zero, sizeof zero, "%s zero", number);
  }
  if (canvas->npositive) {
    Grouped(canvas->npositive, number);
    snprintf(positive, sizeof positive, "%s positive", number);
    width = glyph * SvgGlyphs(positive);
    x     = PetscMax((LEFT + canvas->edge) / 2, LEFT + width / 2);
    x     = PetscMin(x, RIGHT - width / 2 - glyph * (SvgGlyphs(zero) + 2));
    end   = x + width / 2 + 2 * glyph;
    PutBracket(canvas, "positive", LEFT, canvas->edge - 3);
    PutText(canvas, &(Label){"blue strong", positive, NULL, NULL}, &(Place){x, y, 'm'});
  }
  if (*zero) {
    width = glyph * SvgGlyphs(zero);
    x     = PetscMin(PetscMax((canvas->edge + RIGHT) / 2, end + width / 2), RIGHT - width / 2);
    PutBracket(canvas, "zero", canvas->edge + 3, RIGHT);
    PutText(canvas, &(Label){"red strong", zero, NULL, NULL}, &(Place){x, y, 'm'});
  }
}

/* the indices of the zeros, and the zeros themselves */
static void PutZeros(Canvas *canvas)
{
  if (canvas->figure->nzero <= 0) return;
  fprintf(canvas->out, "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", canvas->edge, TOP,
          RIGHT - canvas->edge, BOTTOM - TOP);
  fprintf(canvas->out, "<path class=\"floor\" d=\"M%.1f %.1fH%.1f\"/>\n", canvas->zero_x, ZERO, X(canvas, canvas->n));
  Take(canvas, canvas->zero_x, ZERO - 3, RIGHT, ZERO + 3);
}

/* is index k (from 0) of n drawn? the ends are, and between them the first of each of POINTS_MAX equal parts of log k */
static PetscBool IsDrawn(PetscInt k, PetscInt n)
{
  const PetscReal parts = (POINTS_MAX - 2) / PetscLog10Real((PetscReal)PetscMax(n, 2)), at = (PetscReal)k;

  if (n <= POINTS_MAX || k == 0 || k == n - 1) return PETSC_TRUE;
  return (PetscBool)(PetscFloorReal(parts * PetscLog10Real(at + 1)) > PetscFloorReal(parts * PetscLog10Real(at)));
}

static void PutPositive(Canvas *canvas)
{
  const PetscReal *lambda = canvas->positive;
  const PetscInt   m      = canvas->npositive;
  const PetscReal  size   = m <= 60 ? 7 : m <= 400 ? 5 : 4;

  if (m == 0) return;
  fprintf(canvas->out, "<path class=\"positive\" stroke-width=\"%.0f\" d=\"", size);
  for (PetscInt k = 0; k < m; k++) {
    const PetscReal x = X(canvas, (PetscReal)k + 1), y = Y(canvas, lambda[k]);

    if (!IsDrawn(k, m)) continue;
    fprintf(canvas->out, "M%.1f %.1fh0", x, y); /* a round cap on nothing is a dot */
    Take(canvas, x - size / 2, y - size / 2, x + size / 2, y + size / 2);
  }
  fprintf(canvas->out, "\"/>\n");
  for (PetscInt k = 0; k < m; k += PetscMax(m - 1, 1))
    fprintf(canvas->out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"7\" fill-opacity=\"0\"><title>eigenvalue %" PetscInt_FMT
            ": %.6e</title></circle>\n",
            X(canvas, (PetscReal)k + 1), Y(canvas, lambda[k]), k + 1, (double)lambda[k]);
}

static void PutMeasured(Canvas *canvas)
{
  const PetscReal size = 4;

  for (PetscInt k = canvas->nmeasured - 1; k >= 0; k--) {
    const PetscReal value = canvas->measured[k], y = Y(canvas, value);
    const PetscReal x = X(canvas, (PetscReal)canvas->npositive + (PetscReal)k + 1);

    if (!IsDrawn(k, canvas->nmeasured)) continue;
    fprintf(canvas->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>measured: %.3e</title></circle>\n",
            value < 0 ? "full" : "open", x, y, size, (double)value);
    Take(canvas, x - size - 1, y - size - 1, x + size + 1, y + size + 1);
  }
}

static void PutResolution(Canvas *canvas)
{
  const PetscReal y = Y(canvas, canvas->resolution);

  if (canvas->resolution == 0) return;
  fprintf(canvas->out, "<path class=\"bound\" d=\"M%.1f %.1fH%.1f\"/>\n", LEFT, y, RIGHT);
  Take(canvas, LEFT, y - 2, RIGHT, y + 2);
}

/* from the smallest positive down to the largest measured zero, or where none was measured to the resolution */
static Gap FindGap(const Canvas *canvas)
{
  const PetscInt m = canvas->npositive, count = canvas->nmeasured;
  Gap            gap;

  gap.high = m ? canvas->positive[m - 1] : 0;
  gap.low  = count ? PetscAbsReal(canvas->measured[0]) : canvas->resolution;
  gap.x    = canvas->measured_x + 34; /* right of all points */
  if (gap.x > RIGHT - 20) gap.x = PetscMax(canvas->edge - 34, LEFT + INSET);
  gap.open = (PetscBool)(gap.low > 0 && gap.high > gap.low);
  return gap;
}

static void PutGap(Canvas *canvas)
{
  const Gap       gap = FindGap(canvas);
  const PetscReal top = Y(canvas, gap.high), bottom = Y(canvas, gap.low), tip = PetscMin(9.0, (bottom - top) / 3);
  const PetscReal from = canvas->positive_x, end = gap.x + (gap.x > from ? 10 : -10);

  if (!gap.open) return;
  fprintf(canvas->out, "<path class=\"guide\" d=\"M%.1f %.1fH%.1fM%.1f %.1fH%.1f\"/>\n", from, top, end,
          canvas->nmeasured ? canvas->zero_x : from, bottom, end);
  fprintf(canvas->out, "<path class=\"gap\" d=\"M%.1f %.1fV%.1f\"/>", gap.x, top + tip, bottom - tip);
  fprintf(canvas->out, "<path class=\"head\" d=\"M%.1f %.1fl-4.5 %.1fh9zM%.1f %.1fl-4.5 -%.1fh9z\"/>\n", gap.x, top, tip, gap.x,
          bottom, tip);
  Take(canvas, gap.x - 5, top, gap.x + 5, bottom);
}

static void LabelGap(Canvas *canvas)
{
  const Gap       gap  = FindGap(canvas);
  const PetscReal left = gap.x - 12, right = gap.x + 12, top = Y(canvas, PetscMax(gap.high, gap.low));
  const PetscReal middle = (Y(canvas, gap.high) + Y(canvas, gap.low)) / 2 + 5;
  char            text[96];

  if (!(gap.high > 0) || !(gap.low > 0)) return;
  if (!gap.open)
    snprintf(text, sizeof text, canvas->nmeasured ? "no gap" : "not above the resolution");
  else
    snprintf(text, sizeof text, canvas->nmeasured ? "gap: %.1f decades" : "%.1f decades above the resolution",
             (double)(PetscLog10Real(gap.high) - PetscLog10Real(gap.low)));
  PutLabel(canvas, &(Label){"strong", text, NULL, NULL},
           (Place[]){{right, middle, 's'},
                     {right, middle - LINE, 's'},
                     {right, middle + LINE, 's'},
                     {left, middle, 'e'},
                     {left, middle - LINE, 'e'},
                     {left, middle + LINE, 'e'},
                     {right, top - 8, 's'},
                     {left, top - 8, 'e'}},
           8);
}

static void LabelResolution(Canvas *canvas)
{
  const PetscReal y = Y(canvas, canvas->resolution);
  char            text[64], exponent[16];

  if (canvas->resolution == 0) return;
  Scientific("resolution", canvas->resolution, text, exponent);
  PutLabel(canvas, &(Label){"green", text, exponent, NULL},
           (Place[]){{LEFT + 10, y - 8, 's'}, {LEFT + 10, y + 19, 's'}, {RIGHT - 10, y - 8, 'e'}, {RIGHT - 10, y + 19, 'e'}}, 4);
}

static void LabelPositive(Canvas *canvas)
{
  const PetscInt m = canvas->npositive;
  char           text[64], exponent[16];

  if (m == 0) return;
  const PetscReal *lambda = canvas->positive;
  const PetscReal  x1 = X(canvas, 1), y1 = Y(canvas, lambda[0]), xm = canvas->positive_x, ym = Y(canvas, lambda[m - 1]);

  Scientific(m > 1 ? "largest" : "", lambda[0], text, exponent);
  PutLabel(canvas, &(Label){"blue", text, exponent, NULL}, (Place[]){{x1 + 6, y1 - 9, 's'}, {x1 + 12, y1 - 1, 's'}}, 2);
  if (m == 1) return;
  Scientific("smallest positive", lambda[m - 1], text, exponent);
  PutLabel(canvas, &(Label){"blue", text, exponent, NULL},
           (Place[]){{xm - 10, ym + 20, 'e'}, {xm + 52, ym - 2, 's'}, {xm + 8, ym - 10, 's'}, {xm, ym - 12, 'e'}}, 4);
}

/* beside the points, else above them */
static void LabelMeasured(Canvas *canvas)
{
  const PetscInt count    = canvas->nmeasured;
  PetscInt       negative = 0, zero = 0;
  char           text[96], number[64], second[96];

  if (count == 0) return;
  for (PetscInt k = 0; k < count; k++) {
    negative += canvas->measured[k] < 0;
    zero += canvas->measured[k] == 0;
  }
  Grouped(count, number);
  snprintf(text, sizeof text, zero == count ? "%s measured, exactly 0" : "%s measured", number);
  second[0] = '\0';
  if (negative) snprintf(second, sizeof second, "%" PetscInt_FMT " negative (filled)%s", negative, zero ? ", " : "");
  if (zero && zero < count) snprintf(second + strlen(second), sizeof second - strlen(second), "%" PetscInt_FMT " exactly 0", zero);

  const PetscReal left = canvas->zero_x - 14, right = canvas->measured_x + 14;
  const PetscReal top = Y(canvas, canvas->measured[0]), bottom = Y(canvas, canvas->measured[PetscMax(count - zero, 1) - 1]);
  const PetscReal middle = (top + bottom) / 2, above = top - 10 - (*second ? LINE : 0);

  PutLabel(canvas, &(Label){"red", text, NULL, *second ? second : NULL},
           (Place[]){{right, middle, 's'},
                     {left, middle, 'e'},
                     {right, bottom - LINE, 's'},
                     {left, bottom - LINE, 'e'},
                     {left + 14, above, 's'},
                     {left + 14, above - LINE, 's'},
                     {RIGHT - 10, above, 'e'},
                     {RIGHT - 10, above - 2 * LINE, 'e'}},
           8);
}

static void LabelZero(Canvas *canvas)
{
  if (canvas->figure->nzero > 0)
    PutLabel(canvas, &(Label){"red", "zero by dimension", NULL, NULL},
             (Place[]){{RIGHT - INSET, ZERO - 9, 'e'}, {canvas->edge - 14, ZERO + 5, 'e'}}, 2);
}

static PetscInt CopyFinite(PetscInt n, const PetscReal from[], PetscReal to[])
{
  PetscInt count = 0;

  for (PetscInt k = 0; k < n; k++)
    if (isfinite(from[k])) to[count++] = from[k];
  return count;
}

static PetscErrorCode CanvasWrite(Canvas *canvas)
{
  const SpectrumFigure *figure = canvas->figure;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3((size_t)figure->npositive, &canvas->positive, (size_t)figure->nmeasured, &canvas->measured, BOXES_MAX,
                         &canvas->taken));
  canvas->npositive = CopyFinite(figure->npositive, figure->positive, canvas->positive);
  canvas->nmeasured = CopyFinite(figure->nmeasured, figure->measured, canvas->measured);
  if (figure->resolution > 0 && isfinite(figure->resolution)) canvas->resolution = figure->resolution;
  if (canvas->nmeasured) qsort(canvas->measured, (size_t)canvas->nmeasured, sizeof(PetscReal), BySizeDescending);
  SetRange(canvas);
  SetIndices(canvas);
  PutHead(canvas);
  PutCounts(canvas);
  PutZeros(canvas);
  PutYAxis(canvas);
  PutXAxis(canvas);
  PutResolution(canvas);
  PutGap(canvas);
  PutPositive(canvas);
  PutMeasured(canvas);
  LabelGap(canvas);
  LabelPositive(canvas);
  LabelMeasured(canvas);
  LabelResolution(canvas);
  LabelZero(canvas);
  fprintf(canvas->out, "</svg>\n");
  PetscCall(PetscFree3(canvas->positive, canvas->measured, canvas->taken));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DrawSpectrum(FILE *out, const void *figure)
{
  Canvas canvas = {.out = out, .figure = figure};

  PetscFunctionBeginUser;
  PetscCall(CanvasWrite(&canvas));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the same for print, by index and size; the zeros that are exactly 0 have no place on a log axis */
static PetscErrorCode WriteScript(MPI_Comm comm, const char svg[], const SpectrumFigure *figure)
{
  const PetscInt  m = figure->npositive, count = figure->nmeasured;
  const PetscReal ends[] = {1, (PetscReal)(m + figure->nzero)}, resolution[] = {figure->resolution, figure->resolution};
  PetscReal      *index, *size;
  PlotSeries      series[] =
      {{.label = "positive eigenvalues", .mark = PLOT_POINTS, .colour = PLOT_BLUE, .n = m},
       {.label = "measured zeros, size", .mark = PLOT_RINGS, .colour = PLOT_RED, .n = count},
       {.label = "resolution", .mark = PLOT_LINE, .colour = PLOT_INK, .dashed = PETSC_TRUE, .n = 2, .x = ends, .y = resolution}};
  const PlotPanel panel = {.x       = {.label = "index", .scale = PLOT_LOG},
                           .y       = {.label = "|eigenvalue|", .scale = PLOT_LOG},
                           .nseries = 3,
                           .series  = series};
  const Plot      plot  = {.title = figure->title, .npanels = 1, .panels = &panel};

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(m + count, &index, m + count, &size));
  for (PetscInt k = 0; k < m + count; k++) {
    index[k] = (PetscReal)(k + 1);
    size[k]  = PetscAbsReal(k < m ? figure->positive[k] : figure->measured[k - m]);
  }
  series[0].x = index;
  series[0].y = size;
  series[1].x = index + m;
  series[1].y = size + m;
  PetscCall(PlotWriteScript(comm, svg, &plot));
  PetscCall(PetscFree2(index, size));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteTable(MPI_Comm comm, const char svg[], const SpectrumFigure *figure)
{
  const TableColumn columns[] = {{"positive", figure->positive}, {NULL, NULL}};
  char              path[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(path, svg, sizeof path));
  path[strlen(path) - strlen(".svg")] = '\0';
  PetscCall(PetscStrlcat(path, ".csv", sizeof path));
  PetscCall(TableWriteCSV(comm, path, figure->npositive, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FigureWriteSpectrum(MPI_Comm comm, const char path[], const SpectrumFigure *figure)
{
  PetscFunctionBeginUser;
  PetscCall(SvgWriteFile(comm, path, DrawSpectrum, figure));
  PetscCall(WriteScript(comm, path, figure));
  PetscCall(WriteTable(comm, path, figure));
  PetscFunctionReturn(PETSC_SUCCESS);
}
