/*
  rational_rank.c: elimination modulo primes; see rational_rank.h.
*/
#include "rational_rank.h"
#include <math.h>

static const PetscReal ENTRIES_MAX = 1e7, MULTIPLICATIONS_MAX = 4e9;

enum { PRIME_BITS = 30 }; /* primes are in (2^30, 2^31) */

/* all monomials of degree <= D, by degrees: number t is number parent[t] times input last[t] */
typedef struct {
  PetscInt         N, p, l;
  const PetscReal *x, *y;
  PetscInt         count, *parent, *last;
  PetscInt         cols, *chosen; /* those of Phi */
  PetscInt         bits;          /* D b */
} Monomials;

/* ---- modulo p ------------------------------------------------------------------------------------------------------- */

static uint64_t PowerModulo(uint64_t a, uint64_t exponent, uint64_t p)
{
  uint64_t power = 1;

  for (; exponent; exponent >>= 1, a = a * a % p)
    if (exponent & 1) power = power * a % p;
  return power;
}

/* x = M 2^e, M an integer below 2^53 */
static uint64_t ResidueOf(PetscReal x, uint64_t p)
{
  int            e;
  const int64_t  M    = (int64_t)ldexp(frexp((double)fabs((double)x), &e), 53);
  const uint64_t base = e >= 53 ? 2 : (p + 1) / 2, size = (uint64_t)(e >= 53 ? e - 53 : 53 - e);
  const uint64_t r = (uint64_t)M % p * PowerModulo(base, size, p) % p; /* NOLINT(clang-analyzer-core.DivideZero): a prime */

  return x < 0 && r ? p - r : r;
}

static PetscBool IsPrime(uint64_t p)
{
  if (p % 2 == 0) return PETSC_FALSE;
  for (uint64_t q = 3; q * q <= p; q += 2)
    if (p % q == 0) return PETSC_FALSE;
  return PETSC_TRUE;
}

static uint64_t PrimeBelow(uint64_t p)
{
  do p--;
  while (!IsPrime(p));
  return p;
}

/* row i of [Phi Y]; value: of all monomials */
static void RowModulo(const Monomials *f, PetscInt i, uint64_t p, uint64_t value[], uint64_t row[])
{
  const PetscReal *x = f->x + (size_t)i * (size_t)f->p, *y = f->y + (size_t)i * (size_t)f->l;

  value[0] = 1;
  for (PetscInt t = 1; t < f->count; t++)
    value[t] = t <= f->p ? ResidueOf(x[f->last[t]], p) : value[f->parent[t]] * value[1 + f->last[t]] % p;
  for (PetscInt c = 0; c < f->cols; c++) row[c] = value[f->chosen[c]];
  for (PetscInt o = 0; o < f->l; o++) row[f->cols + o] = ResidueOf(y[o], p);
}

/* row -= row[c] pivot, from c on: entries stay in [0, p^2), p^2 < 2^62; those of pivots are in [0, p) */
static void Eliminate(PetscInt c, PetscInt width, uint64_t p, const uint32_t pivot[], uint64_t row[])
{
  const uint32_t factor = (uint32_t)(p - row[c] % p);
  const uint64_t p2     = p * p;

  for (PetscInt k = c; k < width; k++) {
    const uint64_t sum = row[k] + (uint64_t)factor * pivot[k];

    row[k] = sum >= p2 ? sum - p2 : sum;
  }
}

/* Is the row independent of the former pivots? Then it becomes one, led by a 1. */
static PetscErrorCode AddRow(PetscInt width, uint64_t p, uint64_t row[], uint32_t *pivot[], PetscInt *lead)
{
  uint64_t inverse;

  PetscFunctionBeginUser;
  for (*lead = 0; *lead < width; (*lead)++) {
    if (row[*lead] % p == 0) continue;
    if (!pivot[*lead]) break;
    Eliminate(*lead, width, p, pivot[*lead], row);
  }
  if (*lead == width) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscCalloc1(width, &pivot[*lead]));
  inverse = PowerModulo(row[*lead] % p, p - 2, p);
  for (PetscInt k = *lead; k < width; k++) pivot[*lead][k] = (uint32_t)(row[k] % p * inverse % p);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ranks[0] of Phi, ranks[1] of [Phi Y], modulo p */
static PetscErrorCode RanksModulo(const Monomials *f, uint64_t p, PetscInt ranks[2])
{
  const PetscInt width = f->cols + f->l;
  uint64_t      *value, *row;
  uint32_t     **pivot;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(PetscMax(f->count, f->p + 1), &value, width, &row));
  PetscCall(PetscCalloc1(width, &pivot));
  ranks[0] = ranks[1] = 0;
  for (PetscInt i = 0; i < f->N && ranks[1] < width; i++) {
    PetscInt lead;

    RowModulo(f, i, p, value, row);
    PetscCall(AddRow(width, p, row, pivot, &lead));
    ranks[0] += lead < f->cols;
    ranks[1] += lead < width;
  }
  for (PetscInt c = 0; c < width; c++) PetscCall(PetscFree(pivot[c]));
  PetscCall(PetscFree(pivot));
  PetscCall(PetscFree2(value, row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the monomials ----------------------------------------------------------------------------------------------------- */

static PetscInt LargestDegree(uint64_t degrees)
{
  PetscInt D = 0;

  for (PetscInt k = 0; k < 64; k++)
    if (degrees >> k & 1) D = k;
  return D;
}

/* of degree k in p variables */
static PetscReal CountOfDegree(PetscInt p, PetscInt k)
{
  PetscReal count = 1;

  for (PetscInt j = 1; j <= k; j++) count *= (PetscReal)(p - 1 + j) / (PetscReal)j;
  return PetscFloorReal(count + .5);
}

/* b of rational_rank.h: input j is a multiple of 2^low and below 2^high, at every point */
static PetscInt InputBits(PetscInt N, PetscInt p, const PetscReal x[])
{
  PetscInt most = 0;

  for (PetscInt j = 0; j < p; j++) {
    int low = 4096, high = -4096;

    for (PetscInt i = 0; i < N; i++) {
      const double entry = (double)x[(size_t)i * (size_t)p + (size_t)j];
      int          e, zeros = 0;

      if (entry == 0) continue;
      for (int64_t M = (int64_t)ldexp(frexp(fabs(entry), &e), 53); M % 2 == 0; M /= 2) zeros++;
      low  = PetscMin(low, e - 53 + zeros);
      high = PetscMax(high, e);
    }
    most = PetscMax(most, high - low);
  }
  return most;
}

/* by degrees; within one, each monomial of the last degree times the inputs from its last on */
static PetscErrorCode MonomialsCreate(uint64_t degrees, PetscReal total, Monomials *f)
{
  const PetscInt D     = LargestDegree(degrees);
  PetscInt       begin = 0, end = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3((size_t)total, &f->parent, (size_t)total, &f->last, (size_t)total, &f->chosen));
  f->parent[0] = f->last[0] = 0;
  f->cols                   = 0;
  for (PetscInt k = 0; k <= D; k++) {
    PetscInt next = end;

    for (PetscInt t = begin; t < end; t++) {
      if (degrees >> k & 1) f->chosen[f->cols++] = t;
      for (PetscInt j = f->last[t]; k < D && j < f->p; j++, next++) {
        f->parent[next] = t;
        f->last[next]   = j;
      }
    }
    begin = end;
    end   = next;
  }
  f->count = end;
  f->bits  = D * InputBits(f->N, f->p, f->x);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode MonomialsDestroy(Monomials *f)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(f->parent, f->last, f->chosen));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- enough primes ---------------------------------------------------------------------------------------------------------- */

/* more than (r + 1)(log2(r + 1)/2 + D b)/30; none where r is the number of columns or rows */
static PetscReal PrimesNeeded(const Monomials *f, PetscInt r)
{
  PetscInt log = 1;

  if (r == PetscMin(f->N, f->cols)) return 0;
  while (((PetscInt)1 << log) < r + 1) log++;
  return PetscFloorReal(((PetscReal)r + 1) * (.5 * (PetscReal)(log + 1) + (PetscReal)f->bits) / PRIME_BITS) + 1;
}

/* A prime a rank and round, each below all before. A rank modulo p that exceeds the former ones is nearer to the truth. */
static PetscErrorCode RanksOverQ(MPI_Comm comm, const Monomials *f, RationalRank *rank, PetscInt *with_y)
{
  const PetscReal width = (PetscReal)(f->cols + f->l);
  PetscMPIInt     me, size;
  PetscInt        most[2] = {0, 0}, ranks[2], tried = 0;
  uint64_t        prime = (uint64_t)1 << (PRIME_BITS + 1);

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &me));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  rank->computed = PETSC_TRUE;
  do {
    uint64_t mine = 0;

    for (PetscMPIInt k = 0; k < size; k++) {
      prime = PrimeBelow(prime);
      if (k == me) mine = prime;
    }
    PetscCall(RanksModulo(f, mine, ranks));
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, ranks, 2, MPIU_INT, MPI_MAX, comm));
    for (PetscInt k = 0; k < 2; k++) most[k] = PetscMax(most[k], ranks[k]);
    tried += size;
    if (PrimesNeeded(f, most[0]) * (PetscReal)f->N * width * (PetscReal)most[1] > MULTIPLICATIONS_MAX) rank->computed = PETSC_FALSE;
  } while (rank->computed && (PetscReal)tried < PrimesNeeded(f, most[0]));
  if (rank->computed) rank->rank = most[0];
  *with_y = most[1];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank 0's, on every rank; counts are of rows: below 2^31 */
static PetscErrorCode ShareRows(Data data, PetscInt cols, PetscReal *all, PetscReal **rows)
{
  PetscMPIInt  me, count, entries;
  MPI_Datatype row;

  PetscFunctionBeginUser;
  *rows = all;
  if (!cols || !data->points) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Comm_rank(data->comm, &me));
  PetscCall(PetscMPIIntCast(data->points, &count));
  PetscCall(PetscMPIIntCast(cols, &entries));
  PetscCallMPI(MPI_Type_contiguous(entries, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  if (me) PetscCall(PetscMalloc1((size_t)count * (size_t)entries, rows));
  PetscCallMPI(MPI_Bcast(*rows, count, row, 0, data->comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode RationalRankCompute(Data data, uint64_t degrees, RationalRank *rank)
{
  const PetscInt  D     = LargestDegree(degrees);
  const PetscReal N     = (PetscReal)data->points;
  PetscReal       total = 0, cols = 0, least, *x, *y;
  PetscInt        with_y;
  Monomials       f = {.N = data->points,
                       .p = data->inputs,
                       .l = data->options.target == TARGET_NET || data->missing ? 0 : data->outputs};

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k <= D; k++) {
    total += CountOfDegree(data->inputs, k);
    if (degrees >> k & 1) cols += CountOfDegree(data->inputs, k);
  }
  least = PetscMin(N, cols);
  *rank = (RationalRank){.rank = (PetscInt)least, .rows = N, .cols = cols};
  if (N * (total + (PetscReal)data->outputs) > ENTRIES_MAX || N * (cols + (PetscReal)data->outputs) * least > MULTIPLICATIONS_MAX)
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ShareRows(data, f.p, data->all_x, &x));
  PetscCall(ShareRows(data, f.l, f.l ? data->all_y : NULL, &y));
  f.x = x;
  f.y = y;
  PetscCall(MonomialsCreate(degrees, total, &f));
  PetscCall(RanksOverQ(data->comm, &f, rank, &with_y));
  rank->y_outside = (PetscBool)(rank->computed && with_y > rank->rank);
  PetscCall(MonomialsDestroy(&f));
  if (x != data->all_x) PetscCall(PetscFree(x));
  if (f.l && y != data->all_y) PetscCall(PetscFree(y));
  PetscFunctionReturn(PETSC_SUCCESS);
}
