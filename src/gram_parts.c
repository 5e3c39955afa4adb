/*
  gram_parts.c: see gram_parts.h.
*/
#include "gram_parts.h"
#include <limits.h>

/* ranks first … last - 1 */
typedef Range Ranks;

/* ---- who owns what ------------------------------------------------------------------------------------------------------- */

/* the first residual of a rank; of the rank after the last, how many there are */
static PetscInt Start(const Owners *o, PetscInt rank)
{
  if (o->starts) return o->starts[rank];
  return o->l * (rank < o->G * o->Q ? GridPoints(o->d, o->G, o->Q, rank).first : o->d);
}

Range OwnersRange(const Owners *owners, PetscInt first, PetscInt last)
{
  return (Range){Start(owners, first), Start(owners, last)};
}

PetscInt OwnersRank(const Owners *owners, PetscInt residual)
{
  PetscInt low = 0, high = owners->G * owners->Q; /* the last rank that begins at or before it is in low … high - 1 */

  while (high - low > 1) {
    const PetscInt middle = low + (high - low) / 2;

    if (Start(owners, middle) <= residual)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* ---- who makes what ------------------------------------------------------------------------------------------------------ */

static PetscInt Middle(Ranks ranks)
{
  return ranks.first + RangeLength(ranks) / 2;
}

static Ranks HalfWith(Ranks ranks, PetscInt rank)
{
  const PetscInt middle = Middle(ranks);

  return rank < middle ? (Ranks){ranks.first, middle} : (Ranks){middle, ranks.last};
}

/* what the half of `ranks` with `rank` in it gets of a range that they divide; where it is what they own, each of them its own */
static Range Halve(const Owners *owners, Range range, Ranks ranks, PetscInt rank)
{
  const PetscInt  middle = Middle(ranks);
  const Range     owned  = OwnersRange(owners, ranks.first, ranks.last);
  const PetscReal lower  = (PetscReal)(middle - ranks.first) / (PetscReal)RangeLength(ranks);
  PetscInt        cut    = range.first + (PetscInt)(lower * (PetscReal)RangeLength(range));

  if (range.first == owned.first && range.last == owned.last) cut = OwnersRange(owners, ranks.first, middle).last;
  return rank < middle ? (Range){range.first, cut} : (Range){cut, range.last};
}

/* of a rectangle that `ranks` divide among themselves, what `rank` gets */
static Part Divide(const Owners *owners, Part part, Ranks ranks, PetscInt rank)
{
  while (RangeLength(ranks) > 1) {
    if (RangeLength(part.rows) >= RangeLength(part.cols))
      part.rows = Halve(owners, part.rows, ranks, rank);
    else
      part.cols = Halve(owners, part.cols, ranks, rank);
    ranks = HalfWith(ranks, rank);
  }
  return part;
}

PetscInt PartsOfRank(const Owners *owners, PetscInt rank, Part parts[GRAM_PARTS_MAX])
{
  const Range owned = OwnersRange(owners, rank, rank + 1);
  PetscInt    count = 0;

  if (RangeLength(owned)) parts[count++] = (Part){owned, owned};
  for (Ranks among = {0, owners->G * owners->Q}; RangeLength(among) > 1; among = HalfWith(among, rank)) {
    const PetscInt middle = Middle(among);
    const Range    rows = OwnersRange(owners, middle, among.last), cols = OwnersRange(owners, among.first, middle);
    const PetscInt half = cols.first + RangeLength(cols) / 2;
    const Part     side = {rows, rank < middle ? (Range){half, cols.last} : (Range){cols.first, half}};
    const Part     part = Divide(owners, side, HalfWith(among, rank), rank);

    if (RangeLength(part.rows) && RangeLength(part.cols)) parts[count++] = part;
  }
  return count;
}

/* ---- rounds --------------------------------------------------------------------------------------------------------------- */

/* that a rank holds at a time: so few that MPI can count what it sends and receives of them */
static PetscReal RoundEntries(void)
{
  PetscReal entries = 1 << 24;

  (void)PetscOptionsGetReal(NULL, NULL, "-gram_round", &entries, NULL);
  return PetscMax(1, PetscMin(1 << 28, entries));
}

PetscReal PartsRounds(const Owners *owners)
{
  const PetscInt ranks = owners->G * owners->Q;
  PetscReal      most = 0, longest = 1; /* side that is sliced */

  if (ranks == 1) return 1;
  for (PetscInt rank = 0; rank < ranks; rank += PartsSample(owners)) {
    const Range    owned = OwnersRange(owners, rank, rank + 1);
    Part           parts[GRAM_PARTS_MAX];
    const PetscInt count   = PartsOfRank(owners, rank, parts);
    PetscReal      entries = 0;

    for (PetscInt i = 0; i < count; i++) {
      entries += PartEntries(parts[i]);
      longest = PetscMax(longest, (PetscReal)RangeLength(PartSlicesRows(parts[i], owned) ? parts[i].rows : parts[i].cols));
    }
    most = PetscMax(most, entries);
  }
  return PetscMin(longest, PetscCeilReal(most / RoundEntries()));
}

/* slice `slice` of so many */
static Range Slice(Range range, PetscInt slices, PetscInt slice)
{
  const Range part = BlockRange(RangeLength(range), slices, slice);

  return (Range){range.first + part.first, range.first + part.last};
}

Part PartSlice(Part part, Range owned, PetscInt rounds, PetscInt round)
{
  const PetscBool diagonal = PartOnDiagonal(part);

  if (PartSlicesRows(part, owned))
    part.rows = Slice(part.rows, rounds, round);
  else
    part.cols = Slice(part.cols, rounds, round);
  if (diagonal) part.rows.first = part.cols.first;
  return part;
}

/* ---- cost ------------------------------------------------------------------------------------------------------------------- */

/* a side of a part, which comes in so many slices, in each round one; its residuals of a round are added to *held */
static void AddFetched(const Owners *owners, PetscInt rank, Range side, PetscReal slices, PetscReal *held, Shares *shares)
{
  const Range     owned = OwnersRange(owners, rank, rank + 1);
  const PetscInt  first = OwnersRank(owners, side.first), last = OwnersRank(owners, side.last - 1);
  const PetscInt  own   = PetscMax(0, PetscMin(side.last, owned.last) - PetscMax(side.first, owned.first));
  const PetscReal times = shares->rounds / slices;

  if (RangeWithin(side, owned)) return;
  *held += PetscCeilReal((PetscReal)RangeLength(side) / slices);
  shares->received += times * (PetscReal)(RangeLength(side) - own);
  shares->messages += times * (slices - 1 + (PetscReal)(last - first + (own ? 0 : 1)));
}

static void AddRank(const Owners *owners, PetscInt rank, Shares *shares)
{
  const Range    owned = OwnersRange(owners, rank, rank + 1);
  Part           parts[GRAM_PARTS_MAX];
  const PetscInt count   = PartsOfRank(owners, rank, parts);
  PetscReal      entries = 0, meant = 0, held = 0;

  for (PetscInt i = 0; i < count; i++) {
    const PetscReal by_rows = PartSlicesRows(parts[i], owned) ? shares->rounds : 1, by_cols = shares->rounds / by_rows;
    const PetscReal rows = PetscCeilReal((PetscReal)RangeLength(parts[i].rows) / by_rows);
    const PetscReal cols = PetscCeilReal((PetscReal)RangeLength(parts[i].cols) / by_cols);

    shares->rows = PetscMax(shares->rows, rows);
    shares->cols = PetscMax(shares->cols, cols);
    entries += rows * cols;
    meant += rows * cols - (PartOnDiagonal(parts[i]) ? cols * cols / 2 : 0);
    AddFetched(owners, rank, parts[i].rows, by_rows, &held, shares);
    AddFetched(owners, rank, parts[i].cols, by_cols, &held, shares);
  }
  shares->entries = PetscMax(shares->entries, entries);
  shares->meant   = PetscMax(shares->meant, meant);
  shares->held    = PetscMax(shares->held, held);
}

Shares PartsShares(const Sizes *s)
{
  const PetscReal d       = PetscMin(s->d, (PetscReal)(INT_MAX / 2) / s->l); /* a K of more will not be */
  const Owners    owners  = {(PetscInt)s->G, (PetscInt)s->Q, (PetscInt)d, (PetscInt)s->l, NULL};
  Shares          shares  = {.rounds = PartsRounds(&owners), .rows = s->m, .cols = s->m};
  PetscReal       sampled = 0;

  if (s->P == 1) return shares;
  shares.rows = shares.cols = 0;
  for (PetscInt rank = 0; rank < (PetscInt)s->P; rank += PartsSample(&owners), sampled++) AddRank(&owners, rank, &shares);
  shares.received /= sampled;
  shares.messages /= sampled;
  return shares;
}
