/*
  refute_search.h: the search for exact reasons, shared by the files refute*.c; see refute.h.
*/
#pragma once

#include "codim/refute.h"

typedef struct {
  Data        data;
  ResidualMap map;
  ValueForm   form; /* of the output */
  Refutation *result;
  PetscInt    bound;                   /* rank J <= bound; m: nothing found */
  char        rank_why[384], why[384]; /* of that bound; of an empty M, or "" */
} Search;

/* rank J <= bound, if that is news; M is empty, if nothing says so yet. Not collective, equal on all ranks. */
void RefuteLower(Search *search, PetscInt bound, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);
void RefuteEmpty(Search *search, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

/* Of monomials, linear nets, quadratic units: exact ranks. Collective. */
PetscErrorCode RefuteByRanks(Search *search);
