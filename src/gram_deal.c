/*
  gram_deal.c: see gram_deal.h. What goes from one rank to another stands in the order of the parts, the columns and the rows.
*/
#include "gram_deal.h"

/* local rows of a process that are in one column of a part, on or below the diagonal */
static Range RowsIn(Tiles K, int prow, const Part *part, PetscInt col)
{
  return (Range){TilesRowsBefore(K, prow, PetscMax(part->rows.first, col)), TilesRowsBefore(K, prow, part->rows.last)};
}

static Range ColsIn(Tiles K, int pcol, const Part *part)
{
  return (Range){TilesColsBefore(K, pcol, part->cols.first), TilesColsBefore(K, pcol, part->cols.last)};
}

/* the entries of `parts` in the tiles of one process */
static size_t EntriesOf(Tiles K, int prow, int pcol, PetscInt count, const Part parts[])
{
  size_t entries = 0;

  for (PetscInt k = 0; k < count; k++) {
    const Range cols = ColsIn(K, pcol, &parts[k]);

    for (PetscInt j = cols.first; j < cols.last; j++)
      entries += (size_t)RangeLength(RowsIn(K, prow, &parts[k], TilesGlobalCol(K, pcol, j)));
  }
  return entries;
}

/* the rows of one column, in runs that follow each other in both; where the next entry goes */
static PetscReal *PackColumn(Tiles K, int prow, Range rows, PetscInt before, const PetscReal column[], PetscReal to[])
{
  for (PetscInt i = rows.first, next; i < rows.last; i = next) {
    const PetscInt row = TilesGlobalRow(K, prow, i);

    next = PetscMin(rows.last, i + K->nb - row % K->nb);
    for (PetscInt k = 0; k < next - i; k++) to[k] = column[row - before + k];
    to += next - i;
  }
  return to;
}

/* of this rank's parts, what goes to one process */
static PetscReal *Pack(Tiles K, int prow, int pcol, PetscInt count, const Part parts[], const PetscReal made[], PetscReal to[])
{
  for (PetscInt k = 0; k < count; k++) {
    const Part  *part   = &parts[k];
    const Range  cols   = ColsIn(K, pcol, part);
    const size_t height = (size_t)RangeLength(part->rows);

    for (PetscInt j = cols.first; j < cols.last; j++) {
      const PetscInt col = TilesGlobalCol(K, pcol, j);

      to = PackColumn(K, prow, RowsIn(K, prow, part, col), part->rows.first, made + (size_t)(col - part->cols.first) * height, to);
    }
    made += height * (size_t)RangeLength(part->cols);
  }
  return to;
}

/* into this rank's tiles, what came of one rank's parts */
static const PetscReal *Unpack(Tiles K, PetscInt count, const Part parts[], const PetscReal from[])
{
  for (PetscInt k = 0; k < count; k++) {
    const Range cols = ColsIn(K, K->mycol, &parts[k]);

    for (PetscInt j = cols.first; j < cols.last; j++) {
      const Range rows = RowsIn(K, K->myrow, &parts[k], TilesGlobalCol(K, K->mycol, j));
      PetscReal  *to   = K->a + (size_t)j * (size_t)K->rows + (size_t)rows.first;

      for (PetscInt i = 0; i < RangeLength(rows); i++) to[i] = from[i];
      from += RangeLength(rows);
    }
  }
  return from;
}

/* counts and starts of what goes to (comes from) every rank; *all: their sum */
static PetscErrorCode CountAll(Tiles K, PetscMPIInt ranks, const PetscInt first[], const Part parts[], PetscMPIInt rank,
                               PetscBool sent, PetscMPIInt counts[], PetscMPIInt starts[], size_t *all)
{
  PetscFunctionBeginUser;
  *all = 0;
  for (PetscMPIInt other = 0; other < ranks; other++) {
    const PetscMPIInt maker = sent ? rank : other, holder = sent ? other : rank;
    size_t            count = 0;

    if (holder < K->nprow * K->npcol)
      count = EntriesOf(K, holder / K->npcol, holder % K->npcol, first[maker + 1] - first[maker], parts + first[maker]);
    PetscCall(PetscMPIIntCast((PetscInt)count, &counts[other]));
    PetscCall(PetscMPIIntCast((PetscInt)*all, &starts[other]));
    *all += count;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PartsDeal(const PetscInt first[], const Part parts[], const PetscReal made[], Tiles K)
{
  PetscMPIInt      size, rank, *counts, *starts, *from_counts, *from_starts;
  size_t           sent, received;
  PetscReal       *out, *in, *to;
  const PetscReal *from;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(K->world, &size));
  PetscCallMPI(MPI_Comm_rank(K->world, &rank));
  PetscCall(PetscMalloc4(size, &counts, size, &starts, size, &from_counts, size, &from_starts));
  PetscCall(CountAll(K, size, first, parts, rank, PETSC_TRUE, counts, starts, &sent));
  PetscCall(CountAll(K, size, first, parts, rank, PETSC_FALSE, from_counts, from_starts, &received));
  PetscCall(PetscMalloc2(sent, &out, received, &in));
  to = out;
  for (int process = 0; process < K->nprow * K->npcol; process++)
    to = Pack(K, process / K->npcol, process % K->npcol, first[rank + 1] - first[rank], parts + first[rank], made, to);
  PetscCallMPI(MPI_Alltoallv(out, counts, starts, MPIU_REAL, in, from_counts, from_starts, MPIU_REAL, K->world));
  from = in;
  for (PetscMPIInt maker = 0; maker < size && K->myrow >= 0; maker++)
    from = Unpack(K, first[maker + 1] - first[maker], parts + first[maker], from);
  PetscCall(PetscFree2(out, in));
  PetscCall(PetscFree4(counts, starts, from_counts, from_starts));
  PetscFunctionReturn(PETSC_SUCCESS);
}
