/*
  options_key.h: one key, its text and its value. Shared by options.c (the options database) and options_file.c (the job file).
*/
#pragma once

#include "codim/options.h"

enum { OPTION_TEXT_MAX = 32 * OPTION_INTS_MAX }; /* a list of 64-bit integers fits */

typedef union {
  PetscBool    truth;
  PetscInt     integer; /* also the index of a choice */
  PetscReal    real;
  OptionString string;
  OptionInts   integers;
} OptionValue;

/** Is text a value of the key: of its type, within its bounds? PETSc reads an accepted text to the same value. */
PetscBool OptionParse(const OptionKey *key, const char text[], OptionValue *value);

/** What the key takes, for people: "an integer from 1 to 9". */
void OptionAllowed(const OptionKey *key, char text[], size_t size);

/** The key with the name spelt most alike (PETSc ignores case), and the edits that lead there. NULL if the tables are empty. */
const OptionKey *OptionNearest(const OptionKey *const tables[], const char name[], int *edits);
