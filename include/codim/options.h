/*
  options.h: a key of the job file, its type, default, bounds and meaning, in one place.

  The key `net_gain` is `net: {gain: 1}` in a job file and `-net_gain 1` on the command line: PETSc reads YAML as options
  with nested keys joined by '_'. A module describes its keys in a const table over its options struct; the tables drive
  -help, the check of the job file before PETSc starts, the values in the struct, and `options` in report.json.
*/
#pragma once

#include "base.h"
#include <jansson.h>
#include <stddef.h>

typedef enum { KEY_BOOL, KEY_INT, KEY_REAL, KEY_STRING, KEY_CHOICE, KEY_INTS } OptionType;

enum { OPTION_INTS_MAX = 256 };

typedef char OptionString[PETSC_MAX_PATH_LEN];

typedef struct {
  PetscInt n;
  PetscInt v[OPTION_INTS_MAX];
} OptionInts;

/* field types: BOOL PetscBool, INT PetscInt, REAL PetscReal, STRING OptionString, CHOICE PetscInt (index), INTS OptionInts */
typedef struct {
  const char *name; /* joined by '_'; NULL ends a table */
  OptionType  type;
  size_t      offset; /* of the field in the module's options struct */
  const char *value; /* the default, as one would write it on the command line; "" for none: false, 0, "", no integers, choice -1 */
  PetscReal   min;   /* INT, REAL and each of INTS */
  PetscReal   max;
  const char *const *choices; /* CHOICE: NULL-terminated */
  const char        *help;
} OptionKey;

/** Read a table's keys from the options database into `values` (PetscOptionsBegin/End with `title`; -help prints them).
    A value of the wrong type, out of bounds or not among the choices: STATUS_USAGE, naming key, value and what is allowed.
    Stricter than PETSc: no NaN or infinity, no DEFAULT or DECIDE, no ranges, choices in their own case, no value but a BOOL's
    left out (-certify alone is true). Defaults obey the bounds, too. Collective. */
PetscErrorCode OptionsRead(MPI_Comm comm, const char title[], const OptionKey keys[], void *values);

/** Check a job file on one rank, before PETSc is initialized: it exists, is YAML with a mapping at the top, no key twice,
    every key below one of our groups (the part before the first '_' of any key in the tables) is known and has the right type.
    An unknown key is answered with the nearest known one. Other keys are PETSc's: OptionsCheckUnused sees those.
    What passes, PETSc's reader of YAML files takes without an error, and OptionsRead finds the same values. Keys are compared as
    PETSc does, without regard to case; aliases are followed; merged ("<<") and included mappings and a second document are refused.
    Serial. STATUS_USAGE, with the line. */
void OptionsCheckFile(const char path[], const OptionKey *const tables[], Complaint *complaint);

/** The same for the text of a job file; `name` is what messages call it. Serial. */
void OptionsCheckText(const char name[], const char text[], const OptionKey *const tables[], Complaint *complaint);

/** After every object of the run has read its options: an option nobody read is a user error that names the nearest known key
    (options that PETSc reads only when it finalizes, and -tao_view, are let through). STATUS_USAGE. Collective. */
PetscErrorCode OptionsCheckUnused(MPI_Comm comm, const OptionKey *const tables[]);

/** What is in the options database and in `ours` (a JSON object, by key) is not: PETSc's own options and those of its solvers, with their values as
    text, "" for none. New reference. Not collective. */
PetscErrorCode OptionsOthers(const json_t *ours, json_t **others);

/** A table's values as a JSON object, key by key: choices by name; null for choice -1 and for infinities. New reference. Not collective. */
json_t *OptionsToJSON(const OptionKey keys[], const void *values);
