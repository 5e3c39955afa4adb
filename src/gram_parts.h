/*
  gram_parts.h: which rank makes which part of K's lower triangle.

  A rank makes the triangle between the residuals it owns. Of the square between the upper half of the
  ranks and the lower, the upper ranks make the left half, the lower ranks the right one; a half is halved along its longer side, and its ranks
  with it, down to one rank. Then likewise among the ranks of each half. So P equal ranks make m^2/(2 P) entries each, in log2 P + 1 parts at most,
  from the factors of their own residuals and of about m/2 others for few ranks, 3 m/sqrt(P) for many.

  Large parts are made in rounds, each a slice of every part, so that a rank holds -gram_round entries of them at a time. They are sliced across
  the side whose factors come from other ranks: these come once.
*/
#pragma once

#include "codim/cost.h"

enum { GRAM_PARTS_MAX = 64 };

/* Rows and columns of K; where they begin together only the entries on and below the diagonal are meant. */
typedef struct {
  Range rows, cols;
} Part;

static inline PetscInt RangeLength(Range range)
{
  return range.last - range.first;
}

static inline PetscBool RangeWithin(Range range, Range whole)
{
  return (PetscBool)(range.first >= whole.first && range.last <= whole.last);
}

static inline PetscReal PartEntries(Part part)
{
  return (PetscReal)RangeLength(part.rows) * (PetscReal)RangeLength(part.cols);
}

static inline PetscBool PartOnDiagonal(Part part)
{
  return (PetscBool)(part.rows.first == part.cols.first);
}

/* Who owns which residuals, on a G x Q grid of ranks (grid.h). */
typedef struct {
  PetscInt        G, Q, d, l;
  const PetscInt *starts; /* first row of each rank, and m; NULL: l rows for every point */
} Owners;

/* The residuals of ranks first … last - 1, and the rank that owns a residual. Not collective. */
Range    OwnersRange(const Owners *owners, PetscInt first, PetscInt last);
PetscInt OwnersRank(const Owners *owners, PetscInt residual);

/* The parts of one rank, none of them empty; how many. Not collective. */
PetscInt PartsOfRank(const Owners *owners, PetscInt rank, Part parts[GRAM_PARTS_MAX]);

/* How many rounds there must be; 1 on one rank, which makes K where it is. PetscReal: nothing may overflow. Not collective. */
PetscReal PartsRounds(const Owners *owners);

/* A step through the ranks that meets 32 of them at least, or all: they do alike. Not collective. */
static inline PetscInt PartsSample(const Owners *owners)
{
  return PetscMax(1, owners->G * owners->Q / 32);
}

/* Is a part, of a rank that owns `owned`, sliced across its rows? */
static inline PetscBool PartSlicesRows(Part part, Range owned)
{
  return (PetscBool)!RangeWithin(part.rows, owned);
}

/* The slice of a part that is made in one round; it may be empty. */
Part PartSlice(Part part, Range owned, PetscInt rounds, PetscInt round);

/* What the parts cost the ranks. */
typedef struct {
  PetscReal rounds;
  PetscReal rows, cols, entries; /* of a part, of a rank's parts, in a round, at most */
  PetscReal meant;               /* of these entries, those on and below the diagonal */
  PetscReal held;                /* residuals whose factors come from other ranks, in a round, at most */
  PetscReal received, messages;  /* of them, in all rounds, the mean over the ranks */
} Shares;

/* Not collective. */
Shares PartsShares(const Sizes *sizes);
