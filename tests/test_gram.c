// ranks: 1 2 3 4 6
/*
  test_gram.c: which rank makes which part of K: each entry once, in equal shares, in slices and in rectangles; and K in many rounds.
*/
#include "../src/cover.h"
#include "../src/gram_parts.h"
#include "codim/gram.h"
#include "problem.h"

/* what is meant of a part, counted in the m x m array `times` */
static void Count(PetscInt m, Part part, unsigned char times[])
{
  for (PetscInt j = part.cols.first; j < part.cols.last; j++)
    for (PetscInt i = PartOnDiagonal(part) ? PetscMax(part.rows.first, j) : part.rows.first; i < part.rows.last; i++)
      times[j * m + i]++;
}

static PetscReal Meant(Part part)
{
  const PetscReal cols = (PetscReal)RangeLength(part.cols);

  return PartEntries(part) - (PartOnDiagonal(part) ? cols * (cols - 1) / 2 : 0);
}

/* all ranks' parts, in so many rounds: every entry on and below the diagonal once, no other; no rank makes much more than the mean */
static PetscErrorCode TestParts(const Owners *o, PetscInt rounds)
{
  const PetscInt ranks = o->G * o->Q, m = OwnersRange(o, 0, ranks).last;
  PetscReal      largest = 0;
  PetscInt       wrong = 0, outside = 0;
  unsigned char *times;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(m * m, &times));
  for (PetscInt rank = 0; rank < ranks; rank++) {
    const Range    owned = OwnersRange(o, rank, rank + 1);
    Part           parts[GRAM_PARTS_MAX];
    const PetscInt count   = PartsOfRank(o, rank, parts);
    PetscReal      entries = 0;

    for (PetscInt i = owned.first; i < owned.last; i++) outside += OwnersRank(o, i) != rank;
    for (PetscInt k = 0; k < count; k++) {
      entries += Meant(parts[k]);
      outside += !RangeLength(parts[k].rows) || !RangeLength(parts[k].cols);
      for (PetscInt round = 0; round < rounds; round++) {
        const Part slice = PartSlice(parts[k], owned, rounds, round);

        outside += !RangeWithin(slice.rows, parts[k].rows) || !RangeWithin(slice.cols, parts[k].cols);
        Count(m, slice, times);
      }
    }
    largest = PetscMax(largest, entries);
  }
  for (PetscInt j = 0; j < m; j++)
    for (PetscInt i = 0; i < m; i++) wrong += times[j * m + i] != (i >= j);
  Tap((PetscBool) !(wrong + outside), "%d x %d ranks, m = %d, %d rounds: every entry of K's lower triangle is made once", (int)o->G,
      (int)o->Q, (int)m, (int)rounds);
  if (!o->starts && m / ranks >= 8)
    Tap((PetscBool)(largest * (PetscReal)ranks <= 1.25 * (PetscReal)m * (PetscReal)(m + 1) / 2),
        "... by no rank more than a quarter above the mean");
  PetscCall(PetscFree(times));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* points without a row, and with different numbers of rows */
static PetscErrorCode TestGaps(PetscInt G, PetscInt Q)
{
  const PetscInt d = 60;
  PetscInt       first[61], starts[41];
  const Owners   owners = {G, Q, d, 3, starts};

  PetscFunctionBeginUser;
  first[0] = 0;
  for (PetscInt i = 0; i < d; i++) first[i + 1] = first[i] + (i < 20 ? 0 : i % 4);
  for (PetscInt rank = 0; rank <= G * Q; rank++) starts[rank] = first[rank < G * Q ? GridPoints(d, G, Q, rank).first : d];
  PetscCall(TestParts(&owners, 1));
  PetscCall(TestParts(&owners, 5));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what is meant of rows x cols is in one rectangle, none of which is too large; of the rest little */
static PetscErrorCode TestCover(PetscInt rows, PetscInt cols, PetscBool diagonal, PetscInt places, PetscBool symmetric)
{
  PetscInt       wrong = 0, above = 0, wanted = 0;
  Cover          cover;
  unsigned char *times;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)rows * (size_t)cols, &times));
  PetscCall(CoverCreate(rows, cols, diagonal, places, symmetric, &cover));
  for (PetscInt k = 0; k < cover.count; k++) {
    const Rectangle r = cover.rectangles[k];

    if ((r.c1 - r.c0) * places > COVER_WIDTH || (r.r1 - r.r0) * places > COVER_HEIGHT) wrong++;
    if (r.triangle && (!symmetric || r.r0 != r.c0 || r.r1 != r.c1)) wrong++;
    for (PetscInt j = r.c0; j < r.c1; j++)
      for (PetscInt i = r.triangle ? j : r.r0; i < r.r1; i++) times[(size_t)j * (size_t)rows + (size_t)i]++;
  }
  for (PetscInt j = 0; j < cols; j++)
    for (PetscInt i = 0; i < rows; i++) {
      const PetscBool meant = (PetscBool)(!diagonal || i >= j);
      const int       count = times[(size_t)j * (size_t)rows + (size_t)i];

      wanted += meant;
      above += !meant && count;
      wrong += count > 1 || (meant && !count);
    }
  Tap((PetscBool)!wrong, "%d x %d%s, %d places: rectangles cover it once", (int)rows, (int)cols,
      diagonal ? ", on and below the diagonal" : "", (int)places);
  Tap((PetscBool)(above <= wanted / 10), "... and little else: %d of %d entries", (int)above, (int)wanted);
  PetscCall(CoverDestroy(&cover));
  PetscCall(PetscFree(times));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K does not depend on the rounds but for rounding: another division into rectangles */
static PetscErrorCode TestRounds(PetscInt G, PetscInt l)
{
  const NetOptions net      = {.widths = {2, {24, 17}}, .activation = "tanh", .bias = PETSC_TRUE, .gain = 1, .bias_gain = .1};
  const char      *rounds[] = {"100", "300", "1000"};
  PetscReal        trace    = 0;
  Problem          problem;
  Data             data;
  Tiles            K, other;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 130, 7, l, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, &problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem.map->m, &K));
  PetscCall(TilesDuplicate(K, &other));
  PetscCall(GramCompute(problem.jacobian, K));
  PetscCall(TilesNorms(K, &trace, NULL, NULL));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(rounds); k++) {
    PetscReal difference = 0;

    PetscCall(PetscOptionsSetValue(NULL, "-gram_round", rounds[k]));
    for (size_t e = 0; e < (size_t)K->rows * (size_t)K->cols; e++) other->a[e] = NAN;
    PetscCall(GramCompute(problem.jacobian, other));
    for (int c = 0; c < K->cols; c++)
      for (int r = 0; r < K->rows; r++) {
        const size_t    e     = (size_t)c * (size_t)K->rows + (size_t)r;
        const PetscReal error = PetscAbsReal(K->a[e] - other->a[e]);

        if (TilesGlobalRow(K, K->myrow, r) >= TilesGlobalCol(K, K->mycol, c) && !(error <= difference))
          difference = error; /* NaN stays */
      }
    Tap((PetscBool)(difference <= 1e-14 * trace), "G = %d, m = %d: K with -gram_round %s, to %.1e of its trace", (int)G,
        (int)problem.map->m, rounds[k], (double)(difference / trace));
  }
  PetscCall(PetscOptionsClearValue(NULL, "-gram_round"));
  PetscCall(TilesDestroy(&other));
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  if (size == 1) {
    for (PetscInt ranks = 1; ranks <= 40; ranks++)
      for (PetscInt Q = 1; Q <= ranks; Q++) {
        const Owners few = {ranks / Q, Q, 17, 1, NULL}, many = {ranks / Q, Q, 13 * ranks, 2, NULL};

        if (ranks % Q) continue;
        TapCall(TestParts(&few, 1));
        TapCall(TestParts(&many, 1));
        TapCall(TestParts(&many, 3));
        TapCall(TestGaps(ranks / Q, Q));
      }
    TapCall(TestCover(5000, 5000, PETSC_TRUE, 1, PETSC_TRUE));
    TapCall(TestCover(5000, 5000, PETSC_TRUE, 1, PETSC_FALSE));
    TapCall(TestCover(4100, 1300, PETSC_TRUE, 3, PETSC_TRUE));
    TapCall(TestCover(4100, 1300, PETSC_TRUE, 9, PETSC_FALSE));
    TapCall(TestCover(4100, 1300, PETSC_FALSE, 2, PETSC_TRUE));
  }
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) {
      TapCall(TestRounds(G, 1));
      TapCall(TestRounds(G, 3));
    }
  return TapEnd();
}
