/* options_key.c: one key, its text and its value. */
#include "options_key.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static PetscBool WithinBounds(const OptionKey *key, PetscReal v)
{
  return (PetscBool)(isfinite(v) && v >= key->min && v <= key->max);
}

static PetscBool ParseBool(const char text[], PetscBool *truth)
{
  static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"}; /* odd places: true */

  for (int i = 0; i < 8; i++) {
    *truth = (PetscBool)(i % 2);
    if (!strcasecmp(text, words[i])) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscBool ParseInt(const OptionKey *key, const char text[], const char **end, PetscInt *integer)
{
  char     *stop;
  long long wide;

  errno    = 0;
  wide     = strtoll(text, &stop, 10);
  *end     = stop;
  *integer = (PetscInt)wide;
  return (PetscBool)(stop > text && !errno && *integer == wide && WithinBounds(key, (PetscReal)wide));
}

static PetscBool ParseInts(const OptionKey *key, const char text[], OptionInts *integers)
{
  for (integers->n = 0; integers->n < OPTION_INTS_MAX; text++) {
    if (!ParseInt(key, text, &text, &integers->v[integers->n++])) return PETSC_FALSE;
    if (*text != ',') return (PetscBool) !*text;
  }
  return PETSC_FALSE;
}

static PetscBool ParseChoice(const OptionKey *key, const char text[], PetscInt *choice)
{
  for (*choice = 0; key->choices[*choice]; ++*choice)
    if (!strcmp(text, key->choices[*choice])) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscBool OptionParse(const OptionKey *key, const char text[], OptionValue *value)
{
  const size_t length = strlen(text);
  const char  *end;
  char        *stop;

  if (!*text || (isspace((unsigned char)*text) && key->type != KEY_STRING)) return PETSC_FALSE;
  switch (key->type) {
  case KEY_BOOL:
    return ParseBool(text, &value->truth);
  case KEY_INT:
    return (PetscBool)(ParseInt(key, text, &end, &value->integer) && !*end);
  case KEY_REAL:
    value->real = strtod(text, &stop);
    return (PetscBool)(!*stop && WithinBounds(key, value->real));
  case KEY_CHOICE:
    return ParseChoice(key, text, &value->integer);
  case KEY_INTS:
    return ParseInts(key, text, &value->integers);
  case KEY_STRING:
    break;
  }
  if (length >= sizeof value->string) return PETSC_FALSE;
  memcpy(value->string, text, length + 1);
  return PETSC_TRUE;
}

/* " of at least 1", " of at most 9", " from 1 to 9" or nothing; a bound no value of the type passes is not worth a word */
static void AllowedBounds(const OptionKey *key, char text[], size_t size)
{
  const PetscReal widest = key->type == KEY_REAL ? PETSC_MAX_REAL : (PetscReal)PETSC_MAX_INT;

  text[0] = 0;
  if (key->min > -widest && key->max < widest)
    snprintf(text, size, " from %.10g to %.10g", (double)key->min, (double)key->max);
  else if (key->min > -widest)
    snprintf(text, size, " of at least %.10g", (double)key->min);
  else if (key->max < widest)
    snprintf(text, size, " of at most %.10g", (double)key->max);
}

void OptionAllowed(const OptionKey *key, char text[], size_t size)
{
  char bounds[80];

  AllowedBounds(key, bounds, sizeof bounds);
  switch (key->type) {
  case KEY_BOOL:
    snprintf(text, size, "true or false");
    break;
  case KEY_INT:
    snprintf(text, size, "an integer%s", bounds);
    break;
  case KEY_REAL:
    snprintf(text, size, "a number%s", bounds);
    break;
  case KEY_STRING:
    snprintf(text, size, "text of 1 to %d characters", (int)sizeof(OptionString) - 1);
    break;
  case KEY_INTS:
    snprintf(text, size, "1 to %d integers%s, separated by commas", OPTION_INTS_MAX, bounds);
    break;
  case KEY_CHOICE:
    snprintf(text, size, "one of");
    for (PetscInt i = 0; key->choices[i]; i++)
      snprintf(text + strlen(text), size - strlen(text), "%s %s", i ? "," : "", key->choices[i]);
  }
}

enum { COMPARED = 96 }; /* characters */

static int Min(int a, int b)
{
  return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours (Damerau-Levenshtein, each pair swapped at most once).
   D(i,j), between the first i characters of a and the first j of b, needs rows i, i-1 and i-2 only.                  */
static int Edits(const char a[], const char b[])
{
  int       D[3][COMPARED + 1];
  const int m = (int)strnlen(a, COMPARED), n = (int)strnlen(b, COMPARED);

  for (int i = 0; i <= m; i++) {
    int *row = D[i % 3], *above = D[(i + 2) % 3], *above_that = D[(i + 1) % 3];

    row[0] = i;
    for (int j = 1; j <= n; j++) {
      if (i == 0) {
        row[j] = j;
        continue;
      }
      row[j] = Min(Min(row[j - 1], above[j]) + 1, above[j - 1] + (tolower(a[i - 1]) != tolower(b[j - 1])));
      if (i > 1 && j > 1 && tolower(a[i - 1]) == tolower(b[j - 2]) && tolower(a[i - 2]) == tolower(b[j - 1]))
        row[j] = Min(row[j], above_that[j - 2] + 1);
    }
  }
  return D[m % 3][n];
}

const OptionKey *OptionNearest(const OptionKey *const tables[], const char name[], int *edits)
{
  const OptionKey *nearest = NULL;

  *edits = COMPARED + 1;
  for (PetscInt t = 0; tables[t]; t++)
    for (const OptionKey *key = tables[t]; key->name; key++) {
      const int edits_key = Edits(name, key->name);

      if (edits_key < *edits) nearest = key;
      *edits = Min(*edits, edits_key);
    }
  return nearest;
}
