/*
  study_file.c: a study file, and the points it means; see study.h.
*/
#include "codim/job.h"
#include "study_state.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { POINTS_MAX = 100000 };

/* ---- what lives as long as the study ----------------------------------------------------------------------------------------- */

struct Block_s {
  Block next;
};

void *StudyKeep(Study *study, size_t size)
{
  Block block = calloc(1, sizeof *block + size);

  if (!block) {
    fputs("codim: out of memory\n", stderr);
    exit(STATUS_DATA);
  }
  block->next   = study->blocks;
  study->blocks = block;
  return block + 1;
}

const char *StudyFormat(Study *study, const char format[], ...)
{
  va_list arguments, again;
  char   *text;
  int     length;

  va_start(arguments, format);
  va_copy(again, arguments);
  length = vsnprintf(NULL, 0, format, arguments);
  text   = StudyKeep(study, (size_t)length + 1);
  vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(arguments);
  return text;
}

void StudyFree(Study *study)
{
  while (study->blocks) {
    Block next = study->blocks->next;

    free(study->blocks);
    study->blocks = next;
  }
}

void StudySet(Study *study, Settings *settings, const char key[], const char value[])
{
  size_t i = 0;

  while (i < settings->n && strcasecmp(settings->entries[i].key, key) != 0) i++;
  if (i == settings->n) {
    if (settings->n == settings->room) {
      Setting *entries = StudyKeep(study, (2 * settings->n + 16) * sizeof *entries);

      if (settings->n) memcpy(entries, settings->entries, settings->n * sizeof *entries);
      settings->entries = entries;
      settings->room    = 2 * settings->n + 16;
    }
    settings->n++;
  }
  settings->entries[i] = (Setting){StudyFormat(study, "%s", key), StudyFormat(study, "%s", value)};
}

/* ---- YAML ------------------------------------------------------------------------------------------------------------------------ */

typedef struct {
  Study           *study;
  const char      *path;
  yaml_document_t *document;
  Complaint       *complaint;
} Reader;

typedef void LeafFn(Reader *reader, const char key[], const yaml_node_t *value, void *context);

static void ComplainAt(Reader *reader, const yaml_node_t *node, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

static void ComplainAt(Reader *reader, const yaml_node_t *node, const char format[], ...)
{
  char    text[512];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  Complain(reader->complaint, STATUS_USAGE, "%s, line %zu: %s", reader->path, node->start_mark.line + 1, text);
}

static const char *Scalar(const yaml_node_t *node)
{
  return (const char *)node->data.scalar.value;
}

/* every leaf of a mapping, with the keys that lead to it joined by '_' */
static void ForLeaves(Reader *reader, const yaml_node_t *mapping, const char prefix[], LeafFn *leaf, void *context)
{
  if (mapping->type != YAML_MAPPING_NODE || strlen(prefix) > 200) {
    ComplainAt(reader, mapping, "must be keys and values, as in \"key: value\"");
    return;
  }
  for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key   = yaml_document_get_node(reader->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
    char               name[PETSC_MAX_OPTION_NAME];

    if (key->type != YAML_SCALAR_NODE ||
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "_" : "", Scalar(key)) >= (int)sizeof name) {
      ComplainAt(reader, key, "a key must be a word");
      return;
    }
    if (value->type == YAML_MAPPING_NODE)
      ForLeaves(reader, value, name, leaf, context);
    else
      leaf(reader, name, value, context);
    if (reader->complaint->status) return;
  }
}

/* a scalar, or a list's items joined by commas, as PETSc takes them */
static const char *ValueText(Reader *reader, const yaml_node_t *node)
{
  const char *text = "";

  if (node->type == YAML_SCALAR_NODE) {
    const PetscBool plain = (PetscBool)(node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);

    return plain && (!strcmp(Scalar(node), "~") || !strcasecmp(Scalar(node), "null")) ? "" : Scalar(node);
  }
  for (yaml_node_item_t *i = node->data.sequence.items.start; node->type == YAML_SEQUENCE_NODE && i < node->data.sequence.items.top;
       i++) {
    const yaml_node_t *item = yaml_document_get_node(reader->document, *i);

    if (item->type == YAML_SCALAR_NODE)
      text = StudyFormat(reader->study, "%s%s%s", text, *text ? "," : "", Scalar(item));
    else
      ComplainAt(reader, item, "the items of a list must be single values");
  }
  return text;
}

static void ReadSetting(Reader *reader, const char key[], const yaml_node_t *value, void *settings)
{
  StudySet(reader->study, settings, key, ValueText(reader, value));
}

/* ---- study: ---------------------------------------------------------------------------------------------------------------------- */

static PetscBool ParseInteger(const char text[], int low, int *value)
{
  char      *end;
  const long number = strtol(text, &end, 10);

  if (!*text || *end || number < low || number > 1000000000) return PETSC_FALSE;
  *value = (int)number;
  return PETSC_TRUE;
}

/* the field of a placement; NULL: the key is none */
static int *PlacementField(Placement *placement, const char key[])
{
  if (!strcmp(key, "nodes")) return &placement->nodes;
  if (!strcmp(key, "ranks_on_a_node")) return &placement->ranks_on_a_node;
  if (!strcmp(key, "ranks")) return &placement->ranks;
  return !strcmp(key, "threads") ? &placement->threads : NULL;
}

static void ReadStudyKey(Reader *reader, const char key[], const yaml_node_t *value, void *context)
{
  Study      *s    = context;
  const char *text = StudyFormat(s, "%s", ValueText(reader, value));
  int *field = !strcmp(key, "at_once") ? &s->at_once : !strcmp(key, "repeat") ? &s->repeat : PlacementField(&s->placement, key);

  if (field) {
    if (!ParseInteger(text, 1, field)) ComplainAt(reader, value, "study.%s \"%.80s\" must be a positive integer", key, text);
  } else if (!strcmp(key, "job"))
    s->job = text;
  else if (!strcmp(key, "output"))
    s->output = text;
  else if (!strcmp(key, "sbatch"))
    s->sbatch = text;
  else if (!strcmp(key, "plan") && (!strcmp(text, "true") || !strcmp(text, "false")))
    s->plan = (PetscBool)(text[0] == 't');
  else
    ComplainAt(reader, value,
               "study.%s: %.80s is not known; there are job, output, repeat, ranks, nodes, ranks_on_a_node, threads, at_once, "
               "sbatch, plan",
               key, text);
}

/* ---- what varies ----------------------------------------------------------------------------------------------------------------- */

/* "2..5" */
static PetscBool IsRange(const char text[], long *first, long *last)
{
  char rest;

  return (PetscBool)(sscanf(text, "%ld..%ld%c", first, last, &rest) == 2 && *first <= *last && *last - *first < POINTS_MAX);
}

/* the key's values, one of each for every value of the axis */
static const char **ReadValues(Reader *reader, const char key[], const yaml_node_t *node, size_t *count)
{
  const char **values;
  long         first, last;

  *count = 0;
  if (node->type == YAML_SCALAR_NODE && IsRange(Scalar(node), &first, &last)) {
    *count = (size_t)(last - first + 1);
    values = StudyKeep(reader->study, *count * sizeof *values);
    for (size_t v = 0; v < *count; v++) values[v] = StudyFormat(reader->study, "%ld", first + (long)v);
    return values;
  }
  if (node->type != YAML_SEQUENCE_NODE || node->data.sequence.items.start == node->data.sequence.items.top) {
    ComplainAt(reader, node, "%s wants the list of its values, or first..last", key);
    return NULL;
  }
  values = StudyKeep(reader->study, (size_t)(node->data.sequence.items.top - node->data.sequence.items.start) * sizeof *values);
  for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
    values[(*count)++] = StudyFormat(reader->study, "%s", ValueText(reader, yaml_document_get_node(reader->document, *i)));
  return values;
}

static void CheckAxisKey(Reader *reader, const char key[], const yaml_node_t *node)
{
  const Study *s = reader->study;

  for (size_t a = 0; a < s->naxes; a++)
    for (size_t k = 0; k < s->axes[a].nkeys; k++)
      if (!strcasecmp(s->axes[a].keys[k], key)) ComplainAt(reader, node, "%s varies twice", key);
  if (!strcmp(key, "output")) ComplainAt(reader, node, "every point has an output of its own");
}

/* one more key of an axis of as many values */
static void WidenAxis(Study *study, Axis *axis, const char key[], const char **values)
{
  const char **keys = StudyKeep(study, (axis->nkeys + 1) * sizeof *keys);

  if (axis->nkeys) memcpy(keys, axis->keys, axis->nkeys * sizeof *keys);
  keys[axis->nkeys] = StudyFormat(study, "%s", key);
  for (size_t v = 0; v < axis->nvalues; v++) {
    const char **row = StudyKeep(study, (axis->nkeys + 1) * sizeof *row);

    if (axis->nkeys) memcpy(row, axis->values[v], axis->nkeys * sizeof *row);
    row[axis->nkeys] = values[v];
    axis->values[v]  = row;
  }
  axis->keys = keys;
  axis->nkeys++;
}

static Axis *AddAxis(Study *study, size_t nvalues)
{
  Axis *axes = StudyKeep(study, (study->naxes + 1) * sizeof *axes);

  if (study->naxes) memcpy(axes, study->axes, study->naxes * sizeof *axes);
  study->axes                = axes;
  axes[study->naxes].nvalues = nvalues;
  axes[study->naxes].values  = StudyKeep(study, nvalues * sizeof *axes->values);
  return &axes[study->naxes++];
}

static void ReadGridKey(Reader *reader, const char key[], const yaml_node_t *value, void *context)
{
  size_t       count;
  const char **values = ReadValues(reader, key, value, &count);

  (void)context;
  CheckAxisKey(reader, key, value);
  if (!reader->complaint->status) WidenAxis(reader->study, AddAxis(reader->study, count), key, values);
}

/* context: the number of axes before them */
static void ReadTogetherKey(Reader *reader, const char key[], const yaml_node_t *value, void *context)
{
  Study       *s = reader->study;
  size_t       count;
  const char **values = ReadValues(reader, key, value, &count);
  Axis        *axis;

  CheckAxisKey(reader, key, value);
  if (reader->complaint->status) return;
  axis = s->naxes == *(size_t *)context ? AddAxis(s, count) : &s->axes[s->naxes - 1];
  if (axis->nvalues != count)
    ComplainAt(reader, value, "%s has %zu values, %s has %zu: together they vary as one", key, count, axis->keys[0], axis->nvalues);
  else
    WidenAxis(s, axis, key, values);
}

/* ---- figures: -------------------------------------------------------------------------------------------------------------------- */

static void ReadFigureKey(Reader *reader, const char key[], const yaml_node_t *value, void *context)
{
  StudyFigure *f = context;
  const struct {
    const char  *key;
    const char **field;
  } fields[] = {{"name", &f->name}, {"kind", &f->kind}, {"title", &f->title}, {"x", &f->x},
                {"y", &f->y},       {"by", &f->by},     {"log", &f->log},     {"value", &f->value}};

  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(fields); i++) {
    if (strcmp(fields[i].key, key) != 0) continue;
    *fields[i].field = StudyFormat(reader->study, "%s", ValueText(reader, value));
    return;
  }
  ComplainAt(reader, value, "a figure has no %s; it has name, kind, title, x, y, by, log, value", key);
}

static void ReadFigures(Reader *reader, const yaml_node_t *list)
{
  Study *s = reader->study;

  if (list->type != YAML_SEQUENCE_NODE) {
    ComplainAt(reader, list, "figures: a list, as in \"- {name: time, kind: lines, x: ranks, y: seconds}\"");
    return;
  }
  s->figures = StudyKeep(s, (size_t)(list->data.sequence.items.top - list->data.sequence.items.start) * sizeof *s->figures);
  for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top && !reader->complaint->status;
       i++) {
    const yaml_node_t *node   = yaml_document_get_node(reader->document, *i);
    StudyFigure       *figure = &s->figures[s->nfigures++];
    PetscBool          lines, map;

    *figure = (StudyFigure){"", "lines", "", "", "", "", "", ""};
    ForLeaves(reader, node, "", ReadFigureKey, figure);
    if (!figure->name[0] || strchr(figure->name, '/')) ComplainAt(reader, node, "a figure has a name, without /");
    if (!figure->x[0]) ComplainAt(reader, node, "a figure has an x, a column of the table");
    lines = (PetscBool)(strcmp(figure->kind, "lines") == 0);
    map   = (PetscBool)(strcmp(figure->kind, "map") == 0);
    if (((lines || map) && !figure->y[0]) || (map && !figure->value[0]))
      ComplainAt(reader, node, "a figure of this kind has a y%s", map ? " and a value" : "");
    if (!lines && !map && strcmp(figure->kind, "scaling") != 0)
      ComplainAt(reader, node, "a figure's kind is lines, map or scaling, not %.40s", figure->kind);
  }
}

/* ---- the file -------------------------------------------------------------------------------------------------------------------- */

static const yaml_node_t *Section(Reader *reader, const yaml_node_t *root, const char name[])
{
  for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);

    if (key->type == YAML_SCALAR_NODE && !strcmp(Scalar(key), name)) return yaml_document_get_node(reader->document, pair->value);
  }
  return NULL;
}

static void CheckSections(Reader *reader, const yaml_node_t *root)
{
  static const char *const names[] = {"study", "set", "grid", "together", "figures", NULL};

  for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key  = yaml_document_get_node(reader->document, pair->key);
    const char *const *name = names;

    while (*name && (key->type != YAML_SCALAR_NODE || strcmp(Scalar(key), *name) != 0)) name++;
    if (!*name)
      ComplainAt(reader, key, "a study has study, set, grid, together and figures, no other keys; what is set goes under set");
  }
}

static void ReadJob(Reader *reader, const yaml_node_t *root, void *unused)
{
  (void)unused;
  ForLeaves(reader, root, "", ReadSetting, &reader->study->fixed);
}

/* given: what the command line sets */
static void ReadSections(Reader *reader, const yaml_node_t *root, void *given)
{
  const yaml_node_t *section;
  size_t             before;

  CheckSections(reader, root);
  if ((section = Section(reader, root, "study"))) ForLeaves(reader, section, "", ReadStudyKey, reader->study);
  if ((section = Section(reader, root, "set"))) ForLeaves(reader, section, "", ReadSetting, given);
  if ((section = Section(reader, root, "grid"))) ForLeaves(reader, section, "", ReadGridKey, NULL);
  before = reader->study->naxes;
  if ((section = Section(reader, root, "together"))) ForLeaves(reader, section, "", ReadTogetherKey, &before);
  if ((section = Section(reader, root, "figures"))) ReadFigures(reader, section);
}

static void Load(Study *study, const char path[], void (*read)(Reader *, const yaml_node_t *, void *), void *context,
                 Complaint *complaint)
{
  yaml_parser_t   parser;
  yaml_document_t document;
  Reader          reader = {study, path, &document, complaint};
  FILE           *stream = fopen(path, "r");

  if (!stream) {
    Complain(complaint, STATUS_USAGE, "cannot open %s: %s", path, strerror(errno));
    return;
  }
  (void)yaml_parser_initialize(&parser);
  yaml_parser_set_input_file(&parser, stream);
  if (!yaml_parser_load(&parser, &document))
    Complain(complaint, STATUS_USAGE, "%s, line %zu: not YAML: %s", path, parser.problem_mark.line + 1,
             parser.problem ? parser.problem : "cannot be read");
  else {
    const yaml_node_t *root = yaml_document_get_root_node(&document);

    if (root && root->type == YAML_MAPPING_NODE)
      read(&reader, root, context);
    else
      Complain(complaint, STATUS_USAGE, "%s: must be keys and values, as in \"key: value\"", path);
    yaml_document_delete(&document);
  }
  yaml_parser_delete(&parser);
  fclose(stream);
}

/* ---- points ---------------------------------------------------------------------------------------------------------------------- */

/* "16,16" as [16, 16], words as they are, all else in quotes */
static void PutSetting(FILE *out, const char key[], const char value[])
{
  const size_t length = strlen(value);

  fprintf(out, "%s: ", key);
  if (strchr(value, ',') && strspn(value, "0123456789,") == length) {
    fputc('[', out);
    for (const char *c = value; *c; c++) fprintf(out, *c == ',' ? ", " : "%c", *c);
    fputc(']', out);
  } else if (length == 0 ||
             (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-") == length && value[0] != '-'))
    fputs(value, out);
  else {
    fputc('"', out);
    for (const char *c = value; *c; c++) fprintf(out, strchr("\"\\", *c) ? "\\%c" : "%c", *c);
    fputc('"', out);
  }
  fputc('\n', out);
}

static void PutPlacement(FILE *out, const Study *study, const Point *point)
{
  const Placement *p = &point->placement;

  fprintf(out, "# a point of the study %s:", study->name);
  if (p->nodes) fprintf(out, " %d nodes", p->nodes);
  if (p->ranks_on_a_node) fprintf(out, " of %d ranks", p->ranks_on_a_node);
  if (p->ranks) fprintf(out, " %d ranks", p->ranks);
  if (p->threads) fprintf(out, " of %d threads", p->threads);
  fprintf(out, "%s run %d\n", p->nodes || p->ranks || p->threads ? "," : "", point->repetition);
}

static void SetPoint(Study *study, Point *point, Complaint *complaint)
{
  Settings settings = {0};
  char    *text     = NULL;
  size_t   size     = 0;
  FILE    *out;

  point->placement = study->placement;
  for (size_t k = 0; k < study->fixed.n; k++)
    StudySet(study, &settings, study->fixed.entries[k].key, study->fixed.entries[k].value);
  for (size_t a = 0; a < study->naxes; a++) {
    const Axis *axis = &study->axes[a];

    for (size_t k = 0; k < axis->nkeys; k++) {
      const char *value = axis->values[point->at[a]][k];
      int        *field = PlacementField(&point->placement, axis->keys[k]);

      if (!field)
        StudySet(study, &settings, axis->keys[k], value);
      else if (!ParseInteger(value, 1, field))
        Complain(complaint, STATUS_USAGE, "%s: %s \"%.80s\" must be a positive integer", study->path, axis->keys[k], value);
    }
  }
  out = open_memstream(&text, &size);
  if (!out) return;
  PutPlacement(out, study, point);
  for (size_t k = 0; k < settings.n; k++)
    if (strcasecmp(settings.entries[k].key, "output") != 0) PutSetting(out, settings.entries[k].key, settings.entries[k].value);
  fclose(out);
  point->text = StudyFormat(study, "%s", text);
  free(text);
}

static void MakePoints(Study *study, Complaint *complaint)
{
  size_t count = (size_t)study->repeat;

  for (size_t a = 0; a < study->naxes && count <= POINTS_MAX; a++) count *= study->axes[a].nvalues;
  if (count > POINTS_MAX) {
    Complain(complaint, STATUS_USAGE, "%s: more than %d points", study->path, (int)POINTS_MAX);
    return;
  }
  study->points  = StudyKeep(study, count * sizeof *study->points);
  study->npoints = count;
  for (size_t i = 0; i < count && !complaint->status; i++) {
    Point *point = &study->points[i];
    size_t rest  = i / (size_t)study->repeat;
    char   name[PETSC_MAX_PATH_LEN];

    point->repetition = (int)(i % (size_t)study->repeat) + 1;
    point->at         = StudyKeep(study, (study->naxes + 1) * sizeof *point->at);
    for (size_t a = study->naxes; a-- > 0; rest /= study->axes[a].nvalues) point->at[a] = rest % study->axes[a].nvalues;
    SetPoint(study, point, complaint);
    snprintf(name, sizeof name, "%s, point %zu", study->path, i + 1);
    if (!complaint->status) OptionsCheckText(name, point->text, JobKeys, complaint);
  }
}

/* results/NAME for …/NAME.yaml */
static void NameStudy(Study *study)
{
  const char *slash = strrchr(study->path, '/'), *name = slash ? slash + 1 : study->path, *dot = strrchr(name, '.');

  study->name = StudyFormat(study, "%.*s", dot && dot > name ? (int)(dot - name) : (int)strlen(name), name);
  if (!study->output) study->output = StudyFormat(study, "results/%s", study->name);
}

/* what is set, over the job's keys; it does not vary */
static void FixSettings(Study *study, const Settings *settings, Complaint *complaint)
{
  for (size_t k = 0; k < settings->n; k++) {
    const Setting *s = &settings->entries[k];

    for (size_t a = 0; a < study->naxes; a++)
      for (size_t b = 0; b < study->axes[a].nkeys; b++)
        if (!strcasecmp(study->axes[a].keys[b], s->key))
          Complain(complaint, STATUS_USAGE, "%s is set to %.80s, and %s varies it", s->key, s->value, study->path);
    StudySet(study, &study->fixed, s->key, s->value);
  }
}

void StudyRead(Study *study, const char path[], const Settings *given, Complaint *complaint)
{
  Settings set = {0};

  study->path   = path;
  study->repeat = 1;
  Load(study, path, ReadSections, &set, complaint);
  if (!complaint->status && !study->job) Complain(complaint, STATUS_USAGE, "%s: study.job, a job file, is missing", path);
  NameStudy(study);
  if (!complaint->status) OptionsCheckFile(study->job, JobKeys, complaint);
  if (!complaint->status) Load(study, study->job, ReadJob, NULL, complaint);
  FixSettings(study, &set, complaint);
  FixSettings(study, given, complaint);
  if (!complaint->status) MakePoints(study, complaint);
}
