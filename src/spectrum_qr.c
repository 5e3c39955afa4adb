/*
  spectrum_qr.c: sigma from a QR factorization of J^T streamed over blocks of its rows (tall-skinny QR); J^T is never stored.

  Every rank makes the rows of its own parameters from the factors, b at a time, and folds each block X into its triangle R,

    [R; X] = Q [R'; 0]     (LAPACK dtpqrt, X rectangular),      2 b m^2 flops,

  then triangles are folded in pairs along a binary tree of the ranks (dtpqrt, X upper triangular), 2/3 m^3 flops a level, and rank 0 takes
  the singular values of the last one: they are those of J. A rank holds 8 (2 m^2 + b m) bytes and the factors of one label.

  Scaling rows and columns leaves the rank. Where rank J < m is found, D_1 J D_2 has the last word, its rows and columns of norm 1: what is small
  in J for being measured in small units (a point with small derivatives, an input in other units) is not small there, and a rank that
  grows with scaling was a matter of units.

  Measured, OpenBLAS on one core, GF/s for panels of 32 / 64 / 128 columns: m = 1797: b = 1024: 35 / 38 / 37, 4096: 37 / 40 / 36, 8192:
  35 / 36 / 36; m = 800: b = 4096: 37 / 37 / 30.
*/
#include "memory.h"
#include "spectrum_method.h"
#include "strip.h"
#include <petscblaslapack.h>

void dtpqrt_(const PetscBLASInt *m, const PetscBLASInt *n, const PetscBLASInt *l, const PetscBLASInt *nb, PetscReal *A,
             const PetscBLASInt *lda, PetscReal *B, const PetscBLASInt *ldb, PetscReal *T, const PetscBLASInt *ldt, PetscReal *work,
             PetscBLASInt *info);

enum { BLOCK = 4096 /* rows */, PANEL = 64 /* columns */ };

/* the rank's triangle, and the block that is being filled */
typedef struct {
  PetscInt         m, b, filled;
  PetscReal       *R, *X, *T, *work; /* m x m, upper triangle; b x m; PANEL x m */
  const PetscReal *scale;            /* m: of the columns, before rows get norm 1; NULL: nothing is scaled */
} Fold;

static PetscErrorCode FoldCreate(PetscInt m, PetscInt b, const PetscReal scale[], Fold *fold)
{
  const size_t columns = (size_t)m;

  PetscFunctionBeginUser;
  fold->m      = m;
  fold->b      = b;
  fold->filled = 0;
  fold->scale  = scale;
  PetscCall(PetscCalloc1(columns * columns, &fold->R));
  PetscCall(PetscMalloc3((size_t)b * columns, &fold->X, PANEL * columns, &fold->T, PANEL * columns, &fold->work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FoldDestroy(Fold *fold)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(fold->X, fold->T, fold->work));
  PetscCall(PetscFree(fold->R));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* R := the triangle of [R; X], X of `rows` rows, the last `trapezoid` of them upper triangular */
static PetscErrorCode FoldRows(Fold *fold, PetscInt rows, PetscInt trapezoid, PetscReal X[], PetscInt ldx)
{
  PetscBLASInt bm, bn, bl, bldx, nb = PetscMin(PANEL, (PetscBLASInt)fold->m), info;

  PetscFunctionBeginUser;
  if (!rows) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscBLASIntCast(rows, &bm));
  PetscCall(PetscBLASIntCast(fold->m, &bn));
  PetscCall(PetscBLASIntCast(trapezoid, &bl));
  PetscCall(PetscBLASIntCast(ldx, &bldx));
  dtpqrt_(&bm, &bn, &bl, &nb, fold->R, &bn, X, &bldx, fold->T, &nb, fold->work, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dtpqrt: info = %d", (int)info);
  PetscCall(PetscLogFlops((trapezoid ? 2. / 3 : 2.) * (PetscReal)rows * (PetscReal)fold->m * (PetscReal)fold->m));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FoldBlock(Fold *fold)
{
  PetscFunctionBeginUser;
  PetscCall(FoldRows(fold, fold->filled, 0, fold->X, fold->b));
  fold->filled = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the rows ---------------------------------------------------------------------------------------------------------- */

/* the inverse of the norm of n numbers, `stride` apart; 0 if they are 0 */
static PetscReal InverseNorm(PetscInt n, size_t stride, const PetscReal x[])
{
  PetscReal largest = 0, squares = 0;

  for (PetscInt k = 0; k < n; k++) largest = PetscMax(largest, PetscAbsReal(x[(size_t)k * stride]));
  if (largest == 0) return 0;
  for (PetscInt k = 0; k < n; k++) squares += PetscSqr(x[(size_t)k * stride] / largest);
  return 1 / (largest * PetscSqrtReal(squares));
}

/* `rows` rows of X from row `first` on: columns times scale, then rows of norm 1 or 0 */
static void ScaleRows(const Fold *fold, PetscInt first, PetscInt rows)
{
  const size_t stride = (size_t)fold->b;

  for (PetscInt row = first; row < first + rows; row++) {
    PetscReal *x = fold->X + row, inverse;

    for (PetscInt k = 0; k < fold->m; k++) x[(size_t)k * stride] *= fold->scale[k];
    inverse = InverseNorm(fold->m, stride, x);
    for (PetscInt k = 0; k < fold->m; k++) x[(size_t)k * stride] *= inverse;
  }
}

/* rows `entries` of a label, cut where the block is full */
static PetscErrorCode AppendRows(Strip strip, Range entries, Fold *fold)
{
  PetscFunctionBeginUser;
  for (PetscInt p = entries.first; p < entries.last;) {
    const Range part = {p, PetscMin(entries.last, p + fold->b - fold->filled)};

    StripFill(strip, part, fold->X + fold->filled, fold->b);
    if (fold->scale) ScaleRows(fold, fold->filled, part.last - part.first);
    fold->filled += part.last - part.first;
    if (fold->filled == fold->b) PetscCall(FoldBlock(fold));
    p = part.last;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the part of a label's rows that is this rank's: shard q, divided evenly over the data groups */
static Range EntriesOf(ResidualMap map, const LabelUse *use)
{
  const Range shard   = ParametersShardEntries(map->parameters, use->label);
  Range       entries = BlockRange(shard.last - shard.first, map->grid->G, map->grid->g);

  entries.first += shard.first;
  entries.last += shard.first;
  return entries;
}

/* how many blocks the rank with the most rows of a label has: rank 0 */
static PetscInt Rounds(ResidualMap map, const LabelUse *use, PetscInt b)
{
  const Label   *label = &map->network->labels[use->label];
  const PetscInt shard = BlockRange(label->rows, map->grid->Q, 0).last * label->cols;

  return (BlockRange(shard, map->grid->G, 0).last + b - 1) / b;
}

static PetscErrorCode FoldLabel(Jacobian jacobian, PetscInt nuses, const LabelUse uses[], Fold *fold, PetscReal *rows,
                                PetscBool *stop)
{
  const ResidualMap map     = jacobian->map;
  const Range       entries = EntriesOf(map, &uses[0]);
  const PetscInt    rounds  = Rounds(map, &uses[0], fold->b);
  Range             part    = {entries.first, entries.first};
  Strip             strip;

  PetscFunctionBeginUser;
  PetscCall(StripCreate(jacobian, nuses, uses, entries, &strip));
  for (PetscInt round = 0; round < rounds && !*stop; round++) {
    part.last = part.first + PetscMin(fold->b, entries.last - part.first);
    PetscCall(AppendRows(strip, part, fold));
    *rows += (PetscReal)(part.last - part.first) * map->grid->size;
    part.first = part.last;
    PetscCall(Progress(map->grid->world, PetscMin(*rows, (PetscReal)map->n), (PetscReal)map->n, "rows of J^T, QR"));
    PetscCall(StopRequested(map->grid->world, stop));
  }
  PetscCall(StripDestroy(&strip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the tree ---------------------------------------------------------------------------------------------------------- */

/* rank 0's triangle becomes that of all ranks */
static PetscErrorCode FoldRanks(Grid grid, Fold *fold)
{
  const size_t m     = (size_t)fold->m;
  PetscReal   *other = NULL;
  PetscMPIInt  columns;
  MPI_Datatype column;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(fold->m, &columns));
  PetscCallMPI(MPI_Type_contiguous(columns, MPIU_REAL, &column));
  PetscCallMPI(MPI_Type_commit(&column));
  for (PetscMPIInt step = 1; step < grid->size; step *= 2) {
    if (grid->rank & step) {
      PetscCallMPI(MPI_Send(fold->R, columns, column, grid->rank - step, step, grid->world));
      break;
    }
    if (grid->rank + step >= grid->size) continue;
    if (!other) PetscCall(PetscMalloc1(m * m, &other));
    PetscCallMPI(MPI_Recv(other, columns, column, grid->rank + step, step, grid->world, MPI_STATUS_IGNORE));
    PetscCall(FoldRows(fold, fold->m, fold->m, other, fold->m));
  }
  PetscCall(PetscFree(other));
  PetscCallMPI(MPI_Type_free(&column));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* singular values of an m x m matrix, descending; R is overwritten. 8/3 m^3 flops */
static PetscErrorCode SingularValues(PetscInt m, PetscReal R[], PetscReal sigma[])
{
  PetscBLASInt bm, one = 1, lwork = -1, info;
  PetscReal    size, *work;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(m, &bm));
  LAPACKgesvd_("N", "N", &bm, &bm, R, &bm, sigma, NULL, &one, NULL, &one, &size, &lwork, &info);
  PetscCall(PetscBLASIntCast((PetscInt)size, &lwork));
  PetscCall(PetscMalloc1(lwork, &work));
  LAPACKgesvd_("N", "N", &bm, &bm, R, &bm, sigma, NULL, &one, NULL, &one, work, &lwork, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "dgesvd: info = %d", (int)info);
  PetscCall(PetscLogFlops(8. / 3 * (PetscReal)m * (PetscReal)m * (PetscReal)m));
  PetscCall(PetscFree(work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the method -------------------------------------------------------------------------------------------------------- */

/* no more than a rank has */
static PetscInt BlockRows(ResidualMap map)
{
  return PetscMax(1, PetscMin(BLOCK, map->n / map->grid->size + 1));
}

static PetscErrorCode Bytes(Jacobian jacobian, const SpectrumOptions *options, PetscReal *bytes)
{
  const ResidualMap map = jacobian->map;
  const PetscReal   m = (PetscReal)map->m, values = 8. * (PetscReal)map->N * (PetscReal)NetworkSumUnits(map->network);
  PetscInt          nuses;
  LabelUse         *uses;
  PetscReal         strip = 0;

  PetscFunctionBeginUser;
  (void)options;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i += LabelUses(nuses, uses, i))
    strip = PetscMax(strip, StripBytes(jacobian, LabelUses(nuses, uses, i), &uses[i]));
  PetscCall(PetscFree(uses));
  *bytes = PetscMax(8. * (2 * m * m + (PetscReal)BlockRows(map) * m + 2. * PANEL * m) + strip,
                    values + ResidualValuesBytes(map) + 8. * (PetscReal)ParametersLocalSize(map->parameters)); /* or E_J */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Singular values of J^T, and the inverses of the norms of its columns; with `scale` those of J^T with its columns scaled, then its rows, then
   its columns. *stop: asked to, nothing is found. */
static PetscErrorCode Factor(Jacobian jacobian, const PetscReal scale[], PetscReal sigma[], PetscReal inverse[], PetscBool *stop)
{
  const ResidualMap map  = jacobian->map;
  PetscReal         rows = 0;
  PetscInt          nuses;
  LabelUse         *uses;
  Fold              fold;

  PetscFunctionBeginUser;
  PetscCall(Progress(map->grid->world, 0, (PetscReal)map->n, "QR of J^T: 2 n m^2 = %.2g flops",
                     (double)(2 * (PetscReal)map->n * (PetscReal)map->m * (PetscReal)map->m)));
  PetscCall(FoldCreate(map->m, BlockRows(map), scale, &fold));
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses && !*stop; i += LabelUses(nuses, uses, i))
    PetscCall(FoldLabel(jacobian, LabelUses(nuses, uses, i), &uses[i], &fold, &rows, stop));
  PetscCall(PetscFree(uses));
  if (!*stop) {
    PetscCall(FoldBlock(&fold));
    PetscCall(FoldRanks(map->grid, &fold));
    if (map->grid->rank == 0) {
      for (PetscInt k = 0; k < map->m; k++) {
        PetscReal *column = fold.R + (size_t)k * (size_t)map->m;

        inverse[k] = InverseNorm(k + 1, 1, column);
        for (PetscInt i = 0; scale && i <= k; i++) column[i] *= inverse[k];
      }
      PetscCall(SingularValues(map->m, fold.R, sigma));
    }
    PetscCallMPI(MPI_Bcast(sigma, (PetscMPIInt)map->m, MPIU_REAL, 0, map->grid->world));
    PetscCallMPI(MPI_Bcast(inverse, (PetscMPIInt)map->m, MPIU_REAL, 0, map->grid->world));
  }
  PetscCall(FoldDestroy(&fold));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how many sigma of the scaled J stand above 10^3 times its rounding */
static PetscErrorCode ScaledRank(Jacobian jacobian, PetscReal scale[], PetscInt *rank, PetscBool *stop)
{
  const ResidualMap map = jacobian->map;
  PetscReal        *sigma, *inverse;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(map->m, &sigma, map->m, &inverse));
  PetscCall(Factor(jacobian, scale, sigma, inverse, stop));
  for (*rank = 0; !*stop && *rank < map->m && sigma[*rank] > 1e3 * (PetscReal)map->n * PETSC_MACHINE_EPSILON * sigma[0]; ++*rank) {
  }
  PetscCall(PetscFree2(sigma, inverse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compute(Jacobian jacobian, const SpectrumOptions *options, Spectrum *s, PetscBool *done)
{
  PetscReal *inverse;
  PetscBool  stop = PETSC_FALSE;

  PetscFunctionBeginUser;
  (void)options;
  s->method = "qr";
  PetscCall(PetscStrncpy(s->solver, "LAPACK dtpqrt, dgesvd", sizeof(s->solver)));
  PetscCall(PetscMalloc1(jacobian->map->m, &inverse));
  PetscCall(Factor(jacobian, NULL, s->sigma, inverse, &stop));
  if (!stop) PetscCall(ResolutionOfJ(jacobian, s->sigma[0], &s->resolution));
  if (!stop && SpectrumRank(s, NULL) >= 0 && SpectrumRank(s, NULL) < s->m)
    PetscCall(ScaledRank(jacobian, inverse, &s->rank_scaled, &stop));
  PetscCall(PetscFree(inverse));
  *done = (PetscBool)!stop;
  PetscFunctionReturn(PETSC_SUCCESS);
}

const SpectrumMethod SpectrumQR = {NULL, Bytes, Compute};
