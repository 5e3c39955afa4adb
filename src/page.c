/*
  page.c: one run as a page; see page.h. page_compare.c puts several beside each other.
*/
#include "codim/page.h"
#include "page_parts.h"
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* ---- figures ------------------------------------------------------------------------------------------------------------------- */

static int ByName(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

enum { FIGURES_MAX = 64 };

/* names in dir with this ending: the spectrum first, then by name; free each */
static PetscInt ListFiles(const char dir[], const char ending[], char *names[FIGURES_MAX])
{
  DIR                 *handle = opendir(dir);
  const struct dirent *entry;
  PetscInt             count = 0;

  while (handle && (entry = readdir(handle)) && count < FIGURES_MAX) {
    const size_t length = strlen(entry->d_name), tail = strlen(ending);

    if (length > tail && !strcmp(entry->d_name + length - tail, ending)) names[count++] = strdup(entry->d_name);
  }
  if (handle) closedir(handle);
  qsort(names, (size_t)count, sizeof *names, ByName);
  for (PetscInt i = 0; i < count; i++) {
    char *name = names[i];

    if (strncmp(name, "spectrum.", 9) != 0) continue;
    memmove(names + 1, names, (size_t)i * sizeof *names);
    names[0] = name;
  }
  return count;
}

static void PutFigures(FILE *out, const char dir[])
{
  char          *names[FIGURES_MAX], path[PETSC_MAX_PATH_LEN];
  const PetscInt count = ListFiles(dir, ".svg", names);

  for (PetscInt i = 0; i < count; i++) {
    FILE *svg;
    int   c;

    snprintf(path, sizeof path, "%s/%s", dir, names[i]);
    svg = fopen(path, "r");
    if (svg) {
      fputs("<figure>\n", out);
      while ((c = fgetc(svg)) != EOF) fputc(c, out);
      fputs("</figure>\n", out);
      fclose(svg);
    }
    free(names[i]);
  }
}

/* PDFs from the scripts, by gnuplot, where there is one */
static void DrawPDFs(const char dir[])
{
  char          *names[FIGURES_MAX], cd[2 * PETSC_MAX_PATH_LEN] = "cd '";
  const PetscInt count = ListFiles(dir, ".gnuplot", names);
  size_t         used  = strlen(cd);

  for (const char *c = dir; *c && used < sizeof cd - 4; c++) {
    if (*c == '\'') cd[used++] = '\''; /* gnuplot's way to say it within ' ' */
    cd[used++] = *c;
  }
  cd[used++] = '\'';
  cd[used]   = '\0';
  for (PetscInt i = 0; i < count; i++) {
    char                      *arguments[] = {(char *)"gnuplot", (char *)"-e", cd, names[i], NULL};
    posix_spawn_file_actions_t actions;
    pid_t                      child;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!posix_spawnp(&child, "gnuplot", &actions, NULL, arguments, environ)) (void)waitpid(child, NULL, 0);
    posix_spawn_file_actions_destroy(&actions);
    free(names[i]);
  }
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------------- */

/* rows of an object, those of objects in it under "outer.inner" */
static void PutRows(FILE *out, const char prefix[], json_t *object)
{
  const char *key;
  json_t     *value;

  json_object_foreach(object, key, value)
  {
    char name[256];

    snprintf(name, sizeof name, "%s%s%s", prefix, prefix[0] ? "." : "", key);
    if (json_is_object(value)) {
      PutRows(out, name, value);
      continue;
    }
    fputs("<tr><th>", out);
    PagePutText(out, name);
    fputs("</th><td>", out);
    PagePutValue(out, value);
    fputs("</td></tr>\n", out);
  }
}

static void PutTable(FILE *out, const char title[], json_t *object)
{
  if (!json_is_object(object) || !json_object_size(object)) return;
  fputs("<section><h3>", out);
  PagePutText(out, title);
  fputs("</h3>\n<table>\n", out);
  PutRows(out, "", object);
  fputs("</table></section>\n", out);
}

/* stages: seconds and memory, side by side */
static void PutStages(FILE *out, const json_t *report)
{
  const json_t *time = json_object_get(report, "time"), *peaks = json_object_get(json_object_get(report, "memory"), "stages");
  const char   *stage;
  json_t       *seconds;
  double        longest = 0;

  if (!json_is_object(time)) return;
  json_object_foreach((json_t *)time, stage, seconds) longest = PetscMax(longest, json_number_value(seconds));
  fputs("<section><h3>stages</h3>\n<table>\n<tr><th>stage</th><td>seconds</td><td>peak, GB a rank</td></tr>\n", out);
  json_object_foreach((json_t *)time, stage, seconds)
  {
    fputs("<tr><th>", out);
    PagePutText(out, stage);
    fprintf(out, "</th><td><span class=\"bar\" style=\"width:%.1f%%\"></span>%.3g</td><td>%.3g</td></tr>\n",
            longest > 0 ? 60 * json_number_value(seconds) / longest : 0, json_number_value(seconds),
            json_number_value(json_object_get(peaks, stage)) / 1e9);
  }
  fputs("</table></section>\n", out);
}

/* what is neither said at the top nor in a table of its own */
static void PutTables(FILE *out, const json_t *report)
{
  static const char *const apart[] = {"schema",  "options", "verdict", "time", "memory",
                                      "version", "machine", "ranks",   "grid", NULL};
  const char              *key;
  json_t                  *value;

  fputs("<h2>Numbers</h2>\n<div class=\"tables\">\n", out);
  json_object_foreach((json_t *)report, key, value)
  {
    PetscBool own = PETSC_FALSE;

    for (const char *const *name = apart; *name; name++) own = (PetscBool)(own || !strcmp(key, *name));
    if (!own) PutTable(out, key, value);
  }
  PutStages(out, report);
  fputs("</div>\n<details><summary>every option</summary>\n", out);
  PutTable(out, "options", json_object_get(report, "options"));
  fputs("</details>\n", out);
}

/* ---- words --------------------------------------------------------------------------------------------------------------------- */

static void PutVerdict(FILE *out, const json_t *report, const json_t *certificate)
{
  const json_t *verdict = json_object_get(report, "verdict"), *holds = json_object_get(verdict, "holds");
  const char   *basis   = json_string_value(json_object_get(verdict, "basis"));
  const char   *cause   = json_string_value(json_object_get(verdict, "cause"));
  const char   *theorem = json_string_value(json_object_get(certificate, "theorem"));
  const char   *word    = PageVerdictWord(report);

  fprintf(out, "<p class=\"verdict %s\"><strong>%s</strong>%s%s%s", word, word, basis ? " (" : "", basis ? basis : "",
          basis ? ")" : "");
  if (json_is_true(holds))
    fprintf(out, ": the zero-loss set M is, near these weights, a manifold of codimension %lld and dimension %lld",
            (long long)json_integer_value(json_object_get(verdict, "codimension")),
            (long long)json_integer_value(json_object_get(verdict, "dimension")));
  fputs("</p>\n", out);
  if (cause) {
    fputs("<p>", out);
    PagePutText(out, cause);
    fputs("</p>\n", out);
  }
  if (theorem) {
    fputs("<blockquote>", out);
    PagePutText(out, theorem);
    fputs("</blockquote>\n", out);
  }
}

static void PutAssumptions(FILE *out, const json_t *certificate)
{
  const json_t *assumptions = json_object_get(certificate, "assumptions");
  size_t        i;
  json_t       *line;

  if (!json_array_size(assumptions)) return;
  fputs("<details><summary>what the proof assumes</summary><ul>\n", out);
  json_array_foreach(assumptions, i, line)
  {
    fputs("<li>", out);
    PagePutText(out, json_string_value(line));
    fputs("</li>\n", out);
  }
  fputs("</ul></details>\n", out);
}

static void PutHash(FILE *out, const json_t *certificate, const char key[])
{
  const json_t *file = json_object_get(certificate, key);
  const char   *name = json_string_value(json_object_get(file, "file")), *sha = json_string_value(json_object_get(file, "sha256"));

  if (name && sha) fprintf(out, "<tr><th>sha256 of %s</th><td class=\"hash\">%s</td></tr>\n", name, sha);
}

static void PutProvenance(FILE *out, const char dir[], const json_t *report, const json_t *certificate)
{
  fputs("<h2>Provenance</h2>\n<table>\n<tr><th>program</th><td>", out);
  PagePutText(out, json_string_value(json_object_get(report, "version")));
  fputs("</td></tr>\n<tr><th>machine</th><td>", out);
  PagePutValue(out, json_object_get(report, "machine"));
  fputs("</td></tr>\n<tr><th>ranks, grid</th><td>", out);
  PagePutValue(out, json_object_get(report, "ranks"));
  fputs(", ", out);
  PagePutValue(out, json_object_get(report, "grid"));
  fputs("</td></tr>\n", out);
  PutHash(out, certificate, "weights_file");
  PutHash(out, certificate, "problem_file");
  fputs("</table>\n<h2>Again</h2>\n<pre>", out);
  fprintf(out, "mpiexec -n %lld codim rerun ", (long long)json_integer_value(json_object_get(report, "ranks")));
  PagePutText(out, dir);
  fputs("    # the same run, and what differs\nmpiexec -n 2 codim check ", out);
  PagePutText(out, dir);
  fputs("    # the proof, from these files\n</pre>\n", out);
}

static void PutPage(FILE *out, const char dir[], const json_t *report, const json_t *certificate)
{
  const char *net = json_string_value(json_object_get(json_object_get(report, "problem"), "net"));

  PagePutHead(out, net ? net : dir);
  PutVerdict(out, report, certificate);
  PutAssumptions(out, certificate);
  PutFigures(out, dir);
  PutTables(out, report);
  PutProvenance(out, dir, report, certificate);
  PagePutFoot(out);
}

void PageWrite(const char dir[], size_t size, char path[], Complaint *complaint)
{
  json_t *report, *certificate;
  FILE   *out;

  report = PageReadReport(dir, complaint);
  if (!report) return;
  certificate = PageReadCertificate(dir);
  DrawPDFs(dir);
  snprintf(path, size, "%s/report.html", dir);
  out = PageOpen(path, complaint);
  if (out) {
    PutPage(out, dir, report, certificate);
    PageClose(path, out, complaint);
  }
  json_decref(certificate);
  json_decref(report);
}
