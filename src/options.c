/* options.c: the keys in the options database, and as JSON. */
#include "options_key.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>

static const size_t field_sizes[] = {
    [KEY_BOOL] = sizeof(PetscBool),      [KEY_INT] = sizeof(PetscInt),    [KEY_REAL] = sizeof(PetscReal),
    [KEY_STRING] = sizeof(OptionString), [KEY_CHOICE] = sizeof(PetscInt), [KEY_INTS] = sizeof(OptionInts),
};

/* a key without a default: false, 0, "", no integers, choice number -1 */
static PetscErrorCode KeyDefault(const OptionKey *key, OptionValue *value)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(value, sizeof *value));
  if (key->type == KEY_CHOICE) value->integer = -1;
  if (key->value[0])
    PetscCheck(OptionParse(key, key->value, value), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "the default %s of %s is not allowed",
               key->value, key->name);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode KeyRead(const OptionKey *key, void *values, Complaint *complaint)
{
  char        option[PETSC_MAX_OPTION_NAME], allowed[256];
  const char *text;
  OptionValue value;
  PetscBool   given;

  PetscFunctionBeginUser;
  PetscCall(KeyDefault(key, &value));
  PetscCall(PetscSNPrintf(option, sizeof option, "-%s", key->name));
  PetscCall(PetscOptionsFindPair(NULL, NULL, option, &text, &given));
  if (given && (!text || !text[0])) text = key->type == KEY_BOOL ? "true" : ""; /* -certify alone */
  if (given && !OptionParse(key, text, &value)) {
    OptionAllowed(key, allowed, sizeof allowed);
    Complain(complaint, STATUS_USAGE, "%s \"%.80s\" is not allowed: must be %s", option, text, allowed);
  }
  PetscCall(PetscMemcpy((char *)values + key->offset, &value, field_sizes[key->type]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* PETSc reads the value once more, and prints the key's help */
static PetscErrorCode KeyOffer(PetscOptionItems *PetscOptionsObject, const OptionKey *key, void *field)
{
  char        option[PETSC_MAX_OPTION_NAME], allowed[256], text[OPTION_TEXT_MAX];
  OptionValue value;
  PetscInt    num_choices = 0;

  PetscFunctionBeginUser;
  PetscCall(KeyDefault(key, &value));
  PetscCall(PetscSNPrintf(option, sizeof option, "-%s", key->name));
  OptionAllowed(key, allowed, sizeof allowed);
  switch (key->type) {
  case KEY_BOOL:
    PetscCall(PetscOptionsBool(option, key->help, allowed, value.truth, field, NULL));
    break;
  case KEY_INT:
    PetscCall(PetscOptionsInt(option, key->help, allowed, value.integer, field, NULL));
    break;
  case KEY_REAL:
    PetscCall(PetscOptionsReal(option, key->help, allowed, value.real, field, NULL));
    break;
  case KEY_STRING:
    PetscCall(PetscOptionsString(option, key->help, allowed, key->value, field, sizeof(OptionString), NULL));
    break;
  case KEY_INTS: /* PetscOptionsIntArray would print the first integer only */
    PetscCall(PetscOptionsString(option, key->help, allowed, key->value, text, sizeof text, NULL));
    break;
  case KEY_CHOICE:
    while (key->choices[num_choices]) num_choices++;
    PetscCall(PetscOptionsEList(option, key->help, key->name, key->choices, num_choices, key->value, field, NULL));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode OptionsRead(MPI_Comm comm, const char title[], const OptionKey keys[], void *values)
{
  Complaint complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  for (const OptionKey *key = keys; key->name; key++) PetscCall(KeyRead(key, values, &complaint));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscOptionsBegin(comm, NULL, title, NULL);
  for (const OptionKey *key = keys; key->name; key++) PetscCall(KeyOffer(PetscOptionsObject, key, (char *)values + key->offset));
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Read only when PETSc finalizes (of PETSc 3.18's, those that stand as unread before), or when TaoSolve ends. */
static PetscBool ReadLater(const char name[])
{
  static const char *const names[] =
      {"citations",   "get_total_flops", "log",          "log_threshold", "malloc_view_threshold", "mpidump", "nox",
       "nox_warning", "options_left",    "options_view", "tao_view"};

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcasecmp(name, names[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode OptionsCheckUnused(MPI_Comm comm, const OptionKey *const tables[])
{
  Complaint        complaint = {STATUS_HOLDS, ""};
  PetscInt         n;
  char           **names, **values;
  const OptionKey *near;
  int              edits;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsLeftGet(NULL, &n, &names, &values));
  for (PetscInt i = 0; i < n; i++) {
    if (ReadLater(names[i])) continue;
    near = OptionNearest(tables, names[i], &edits);
    if (near && edits <= PetscMax(2, (int)strlen(names[i]) / 3))
      Complain(&complaint, STATUS_USAGE, "nothing reads the option -%.80s; did you mean -%s?", names[i], near->name);
    else
      Complain(&complaint, STATUS_USAGE,
               "nothing reads the option -%.80s in this run; remove it or mend its name (-help lists them)", names[i]);
  }
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &names, &values));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static json_t *KeyToJSON(const OptionKey *key, const OptionValue *value)
{
  json_t *list;

  switch (key->type) {
  case KEY_BOOL:
    return json_boolean(value->truth);
  case KEY_INT:
    return json_integer(value->integer);
  case KEY_REAL:
    return json_real((double)value->real);
  case KEY_STRING:
    return json_string(value->string);
  case KEY_CHOICE:
    return value->integer < 0 ? json_null() : json_string(key->choices[value->integer]);
  case KEY_INTS:
    break;
  }
  list = json_array();
  for (PetscInt i = 0; i < value->integers.n; i++) json_array_append_new(list, json_integer(value->integers.v[i]));
  return list;
}

json_t *OptionsToJSON(const OptionKey keys[], const void *values)
{
  json_t     *object = json_object(), *entry;
  OptionValue value;

  for (const OptionKey *key = keys; key->name; key++) {
    memcpy(&value, (const char *)values + key->offset, field_sizes[key->type]);
    entry = KeyToJSON(key, &value);
    json_object_set_new(object, key->name, entry ? entry : json_null()); /* none: an infinity, or text that is not UTF-8 */
  }
  return object;
}

/* "-tao_type lmvm -tao_monitor …", as PETSc gives them; the job file and -skip_petscrc are main's */
PetscErrorCode OptionsOthers(const json_t *ours, json_t **others)
{
  char *all, *end;

  PetscFunctionBeginUser;
  *others = json_object();
  PetscCall(PetscOptionsGetAll(NULL, &all));
  for (char *name = all; name && *name; name = end) {
    char *value;

    end = strstr(name + 1, " -");
    while (end && !isalpha((unsigned char)end[2])) end = strstr(end + 1, " -"); /* a negative number */
    if (end) *end++ = '\0';
    value = name + strcspn(name, " ");
    if (*value) *value++ = '\0';
    if (!json_object_get(ours, name + 1) && strncmp(name, "-options_file", 13) != 0 && strcmp(name, "-skip_petscrc") != 0)
      json_object_set_new(*others, name + 1, json_string(value));
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}
