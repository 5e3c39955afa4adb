/* options_file.c: the check of a job file, with the parser PETSc reads it with, before PETSc does. */
#include "options_key.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

enum { DEPTH_MAX = 16 }; /* an alias may contain itself */

typedef struct {
  char   name[PETSC_MAX_OPTION_NAME];
  size_t line;
} Place;

typedef struct {
  const char             *path;
  const OptionKey *const *tables;
  Complaint              *complaint;
  yaml_document_t        *document;
  Place                  *places; /* of every key so far */
  size_t                  num_places;
} JobFile;

static void ComplainAt(JobFile *file, size_t line, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

static void ComplainAt(JobFile *file, size_t line, const char format[], ...)
{
  char    text[sizeof file->complaint->text];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  Complain(file->complaint, STATUS_USAGE, "%s, line %zu: %s", file->path, line, text);
}

static const char *Scalar(const yaml_node_t *node)
{
  return (const char *)node->data.scalar.value;
}

static PetscBool IsEmpty(const yaml_node_t *node)
{
  if (node->type == YAML_MAPPING_NODE) return (PetscBool)(node->data.mapping.pairs.start == node->data.mapping.pairs.top);
  if (node->type == YAML_SEQUENCE_NODE) return (PetscBool)(node->data.sequence.items.start == node->data.sequence.items.top);
  if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return (PetscBool) !*Scalar(node);
  return (PetscBool)(!*Scalar(node) || !strcmp(Scalar(node), "~") || !strcasecmp(Scalar(node), "null"));
}

/* a group is what stands before the first '_' of a key: net of net_gain, certify of certify */
static PetscBool InOurGroups(const JobFile *file, const char name[])
{
  const size_t length = strcspn(name, "_");

  for (PetscInt t = 0; file->tables[t]; t++)
    for (const OptionKey *key = file->tables[t]; key->name; key++)
      if (strcspn(key->name, "_") == length && !strncasecmp(key->name, name, length)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* as PETSc does: the items of a sequence joined by commas. Fails on an item that is not a scalar. */
static PetscBool NodeText(JobFile *file, const yaml_node_t *node, char text[], size_t size)
{
  size_t used = 0;

  if (node->type == YAML_SCALAR_NODE) {
    snprintf(text, size, "%s", Scalar(node));
    return PETSC_TRUE;
  }
  text[0] = 0;
  for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
    const yaml_node_t *item = yaml_document_get_node(file->document, *i);

    if (item->type != YAML_SCALAR_NODE) return PETSC_FALSE;
    if (used < size) used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", Scalar(item));
  }
  return PETSC_TRUE;
}

static void CheckValue(JobFile *file, const char name[], size_t line, const yaml_node_t *node)
{
  char             text[OPTION_TEXT_MAX], allowed[256];
  int              edits;
  const OptionKey *key  = OptionNearest(file->tables, name, &edits);
  const PetscBool  ours = InOurGroups(file, name);
  OptionValue      value;

  if (node->type != YAML_MAPPING_NODE && !NodeText(file, node, text, sizeof text))
    ComplainAt(file, line, "%s: the items of a list must be single values", name);
  else if (ours && IsEmpty(node))
    ComplainAt(file, line, "%s has no value", name);
  else if (ours && edits)
    ComplainAt(file, line, "there is no key %s; did you mean %s?", name, key->name);
  else if (ours && ((node->type == YAML_SEQUENCE_NODE && key->type != KEY_INTS) || !OptionParse(key, text, &value))) {
    OptionAllowed(key, allowed, sizeof allowed);
    ComplainAt(file, line, "%s \"%.80s\" is not allowed: must be %s", name, text, allowed);
  }
}

static void CheckFirstTime(JobFile *file, const char name[], size_t line)
{
  Place *place = file->places;
  Place *end   = file->places + file->num_places;

  while (place < end && strcasecmp(place->name, name) != 0) place++;
  if (place < end) {
    ComplainAt(file, line, "%s stands on line %zu already", name, place->line);
    return;
  }
  place = realloc(file->places, (file->num_places + 1) * sizeof *place);
  if (!place) {
    ComplainAt(file, line, "out of memory");
    return;
  }
  file->places = place;
  place += file->num_places++;
  snprintf(place->name, sizeof place->name, "%s", name);
  place->line = line;
}

static void CheckMapping(JobFile *file, const yaml_node_t *mapping, const char prefix[], int depth)
{
  char name[PETSC_MAX_OPTION_NAME];

  for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top; pair++) {
    const yaml_node_t *key   = yaml_document_get_node(file->document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(file->document, pair->value);
    const size_t       line  = key->start_mark.line + 1;

    if (key->type != YAML_SCALAR_NODE || !*Scalar(key))
      ComplainAt(file, line, "a key must be a word");
    else if (!strcmp(Scalar(key), "<<") || !strncmp(Scalar(key), "$$", 2))
      ComplainAt(file, line, "%.20s: merged and included mappings are not taken; write the keys out", Scalar(key));
    else if (depth == DEPTH_MAX)
      ComplainAt(file, line, "%.80s: nested more than %d deep", Scalar(key), DEPTH_MAX);
    else if (snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "_" : "", Scalar(key)) >= (int)sizeof name - 2)
      ComplainAt(file, line, "%.80s...: a key has at most %d characters", name, (int)sizeof name - 3);
    else {
      CheckFirstTime(file, name, line);
      if (value->type == YAML_MAPPING_NODE && !IsEmpty(value))
        CheckMapping(file, value, name, depth + 1);
      else
        CheckValue(file, name, line, value);
    }
    if (file->complaint->status) return;
  }
}

static void ComplainSyntax(JobFile *file, const yaml_parser_t *parser)
{
  const char *problem = parser->problem ? parser->problem : "out of memory";

  if (parser->error == YAML_READER_ERROR)
    Complain(file->complaint, STATUS_USAGE, "%s cannot be read as text: %s at byte %zu", file->path, problem,
             parser->problem_offset);
  else
    Complain(file->complaint, STATUS_USAGE, "%s, line %zu, column %zu: not YAML: %s", file->path, parser->problem_mark.line + 1,
             parser->problem_mark.column + 1, problem);
}

/* PETSc reads all documents of a file; a second one here is an accident */
static void CheckDocuments(JobFile *file, yaml_parser_t *parser)
{
  yaml_document_t first, second;
  yaml_node_t    *root, *more = NULL;

  if (!yaml_parser_load(parser, &first)) {
    ComplainSyntax(file, parser);
    return;
  }
  file->document = &first;
  root           = yaml_document_get_root_node(&first);
  if (!root || IsEmpty(root))
    Complain(file->complaint, STATUS_USAGE, "%s has no keys", file->path);
  else if (root->type != YAML_MAPPING_NODE)
    ComplainAt(file, root->start_mark.line + 1, "must be keys and values, as in \"key: value\"");
  else
    CheckMapping(file, root, "", 0);
  if (root && !file->complaint->status) {
    if (!yaml_parser_load(parser, &second))
      ComplainSyntax(file, parser);
    else {
      more = yaml_document_get_root_node(&second);
      if (more) ComplainAt(file, more->start_mark.line + 1, "a second YAML document; a job file has one");
      yaml_document_delete(&second);
    }
  }
  yaml_document_delete(&first);
  file->document = NULL;
}

/* of a stream, or of a text where that is NULL */
static void Check(const char name[], FILE *stream, const char text[], const OptionKey *const tables[], Complaint *complaint)
{
  JobFile       file = {name, tables, complaint, NULL, NULL, 0};
  yaml_parser_t parser;

  if (yaml_parser_initialize(&parser)) {
    if (stream)
      yaml_parser_set_input_file(&parser, stream);
    else
      yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    CheckDocuments(&file, &parser);
    yaml_parser_delete(&parser);
  } else
    Complain(complaint, STATUS_USAGE, "%s: out of memory", name);
  free(file.places);
}

void OptionsCheckFile(const char path[], const OptionKey *const tables[], Complaint *complaint)
{
  FILE *stream = fopen(path, "r");

  if (!stream) {
    Complain(complaint, STATUS_USAGE, "cannot open the job file %s: %s", path, strerror(errno));
    return;
  }
  Check(path, stream, NULL, tables, complaint);
  fclose(stream);
}

void OptionsCheckText(const char name[], const char text[], const OptionKey *const tables[], Complaint *complaint)
{
  Check(name, NULL, text, tables, complaint);
}
