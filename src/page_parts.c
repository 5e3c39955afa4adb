/*
  page_parts.c: see page_parts.h.
*/
#include "page_parts.h"
#include "file.h"
#include <errno.h>
#include <locale.h>
#include <string.h>

/* ---- files --------------------------------------------------------------------------------------------------------------------- */

json_t *PageReadReport(const char dir[], Complaint *complaint)
{
  char         path[PETSC_MAX_PATH_LEN];
  json_error_t error;
  json_t      *report;

  snprintf(path, sizeof path, "%s/report.json", dir);
  report = json_load_file(path, 0, &error);
  if (!report || !json_is_object(json_object_get(report, "verdict"))) {
    Complain(complaint, STATUS_DATA, "%s: %s: is %s the output directory of a finished codim run?", path,
             report ? "no verdict in it" : error.text, dir);
    json_decref(report);
    return NULL;
  }
  return report;
}

json_t *PageReadCertificate(const char dir[])
{
  char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/certificate.json", dir);
  return json_load_file(path, 0, NULL);
}

FILE *PageOpen(const char path[], Complaint *complaint)
{
  FilePath beside;
  FILE    *out = FileBeside(path, beside) ? NULL : fopen(beside, "w");

  if (!out) Complain(complaint, STATUS_DATA, "%s cannot be written: %s", path, strerror(errno));
  return out;
}

void PageClose(const char path[], FILE *out, Complaint *complaint)
{
  FilePath beside;
  int      bad = ferror(out), reason;

  if (fclose(out)) bad = 1;
  (void)FileBeside(path, beside);
  reason = bad ? ENOSPC : FilePublish(beside, path);
  if (bad) (void)remove(beside);
  if (reason) Complain(complaint, STATUS_DATA, "%s cannot be written: %s", path, strerror(reason));
}

/* ---- HTML ---------------------------------------------------------------------------------------------------------------------- */

const char *PageVerdictWord(const json_t *report)
{
  const json_t *holds = json_object_get(json_object_get(report, "verdict"), "holds");

  return json_is_true(holds) ? "holds" : json_is_false(holds) ? "refuted" : "undecided";
}

void PagePutText(FILE *out, const char text[])
{
  for (const char *c = text ? text : ""; *c; c++) {
    if (*c == '&')
      fputs("&amp;", out);
    else if (*c == '<')
      fputs("&lt;", out);
    else if (*c == '>')
      fputs("&gt;", out);
    else if (*c == '"')
      fputs("&quot;", out);
    else
      fputc(*c, out);
  }
}

static void PutArray(FILE *out, const json_t *array)
{
  enum { SHOWN = 8 };
  size_t  i;
  json_t *value;

  json_array_foreach(array, i, value)
  {
    if (i == SHOWN) {
      fprintf(out, " … (%zu in all)", json_array_size(array));
      return;
    }
    if (i) fputs(", ", out);
    PagePutValue(out, value);
  }
}

void PagePutValue(FILE *out, const json_t *value)
{
  if (json_is_string(value))
    PagePutText(out, json_string_value(value));
  else if (json_is_boolean(value))
    fputs(json_is_true(value) ? "true" : "false", out);
  else if (json_is_integer(value))
    fprintf(out, "%lld", (long long)json_integer_value(value));
  else if (json_is_real(value))
    fprintf(out, "<span title=\"%.17g\">%.6g</span>", json_real_value(value), json_real_value(value));
  else if (json_is_array(value))
    PutArray(out, value);
  else if (json_is_object(value))
    fprintf(out, "{%zu}", json_object_size(value));
  else
    fputs("<span class=\"none\">not established</span>", out);
}

static const char STYLE[] =
    "<style>\n"
    ":root{color-scheme:light "
    "dark;--ground:#fff;--ink:#1c2126;--soft:#5a646e;--rule:#d9dee3;--good:#00724f;--bad:#b34700;--open:#7a6200}\n"
    "@media "
    "(prefers-color-scheme:dark){:root{--ground:#15191d;--ink:#e4e7ea;--soft:#a3adb7;--rule:#343b42;--good:#3fc9a0;--bad:#f0883e;--"
    "open:#f0c24b}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--ground);color:var(--ink);line-height:1.5;\n"
    "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"
    "h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:.5rem 0}\n"
    ".verdict{font-size:1.15rem;padding:.6rem .9rem;border-left:.4rem solid var(--open);margin:.5rem 0}\n"
    ".verdict.holds{border-color:var(--good)}.verdict.refuted{border-color:var(--bad)}\n"
    "figcaption{font-size:.85rem;color:var(--soft)}\n"
    ".verdict strong{text-transform:uppercase;letter-spacing:.04em}\n"
    "blockquote{margin:.5rem 0;padding:.2rem .9rem;border-left:.15rem solid var(--rule)}\n"
    "figure{margin:1.2rem 0;overflow-x:auto}figure svg{width:100%;height:auto;min-width:26rem}\n"
    ".tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 2rem}\n"
    "section{min-width:0}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
    "th,td{text-align:left;vertical-align:top;padding:.15rem .6rem .15rem 0;border-bottom:1px solid "
    "var(--rule);overflow-wrap:anywhere}\n"
    "th{font-weight:400;color:var(--soft);min-width:8rem}.none{color:var(--soft)}.differs td{font-weight:600}.differs "
    "th{color:var(--ink)}\n"
    ".wide th{min-width:13rem}.wide td{min-width:8rem}\n"
    ".hash{font-family:ui-monospace,monospace;font-size:.8rem}.wide{overflow-x:auto}\n"
    ".bar{display:inline-block;height:.6em;margin-right:.4em;background:#56b4e9}\n"
    "pre{overflow-x:auto;padding:.6rem;border:1px solid var(--rule)}summary{cursor:pointer;padding:.3rem 0}\n"
    "@media print{body{max-width:none}details{display:block}figure,section{break-inside:avoid}}\n"
    "</style>\n";

/* the value nearest to the pointer is shown in words: a finger has no hover, and <title> is slow */
static const char SCRIPT[] = "<script>\n"
                             "for (const svg of document.querySelectorAll('figure svg')) {\n"
                             "  const said = document.createElement('figcaption'), marks = "
                             "[...svg.querySelectorAll('title')].filter(t => t.parentNode !== svg);\n"
                             "  if (!marks.length) continue;\n"
                             "  said.textContent = 'point at a value'; svg.after(said);\n"
                             "  svg.addEventListener('pointermove', e => {\n"
                             "    let best = Infinity, text = '';\n"
                             "    for (const t of marks) {\n"
                             "      const b = t.parentNode.getBoundingClientRect();\n"
                             "      const far = Math.hypot(b.x + b.width / 2 - e.clientX, b.y + b.height / 2 - e.clientY);\n"
                             "      if (far < best) { best = far; text = t.textContent; }\n"
                             "    }\n"
                             "    if (best < 40) said.textContent = text;\n"
                             "  });\n"
                             "}\n"
                             "</script>\n";

void PagePutHead(FILE *out, const char title[])
{
  fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<link rel=\"icon\" "
        "href=\"data:,\">\n<title>codim: ",
        out);
  PagePutText(out, title);
  fprintf(out, "</title>\n%s</head>\n<body>\n<h1>", STYLE);
  PagePutText(out, title);
  fputs("</h1>\n", out);
}

void PagePutFoot(FILE *out)
{
  fprintf(out, "%s</body>\n</html>\n", SCRIPT);
}
