/*
  spectrum_qr.c: sigma from a QR factorization of J^T streamed over blocks of its rows (tall-skinny QR); J^T is never stored.

  Every rank makes the rows of its own parameters from the factors, b at a time, and folds each block X into its triangle R,

    [R; X] = Q [R'; 0]     (LAPACK dtpqrt, X rectangular),      2 b m^2 flops,

  then triangles are folded in pairs along a binary tree of the ranks (dtpqrt, X upper triangular), 2/3 m^3 flops a level, and rank 0 takes
  the singular values of the last one: they are those of J. It can pause between blocks: one triangle and the list of the rows in it are
  all that is needed to go on, in any order and on any number of ranks. A rank holds 8 (2 m^2 + b m) bytes and the factors of one label.

  Where rank J < m is found, a second pass over J with its rows and columns scaled (spectrum_scale.h) has the last word: a rank that grows
  with scaling was a matter of units.

  Measured, OpenBLAS on one core, GF/s for panels of 32 / 64 / 128 columns: m = 1797: b = 1024: 35 / 38 / 37, 4096: 37 / 40 / 36, 8192:
  35 / 36 / 36; m = 800: b = 4096: 37 / 37 / 30.
*/
#include "codim/checkpoint.h"
#include "spectrum_scale.h"
#include "strip.h"
#include <petscblaslapack.h>

void dtpqrt_(const PetscBLASInt *m, const PetscBLASInt *n, const PetscBLASInt *l, const PetscBLASInt *nb, PetscReal *A,
             const PetscBLASInt *lda, PetscReal *B, const PetscBLASInt *ldb, PetscReal *T, const PetscBLASInt *ldt, PetscReal *work,
             PetscBLASInt *info);

enum { BLOCK = 4096 /* rows */, PANEL = 64 /* columns */ };

/* rows of J^T, by their parameters' positions in the canonical order */
typedef struct {
  PetscInt64 first, last; /* [first, last) */
} RowRange;

/* the rank's triangle, and the block that is being filled */
typedef struct {
  Jacobian   jacobian;
  Grid       grid;
  PetscInt   m, b, filled;
  PetscReal *R, *X, *T, *work; /* m x m, upper triangle; b x m; PANEL x m */
  Scaling    scaling;          /* NULL: nothing is scaled */
  Spectrum  *spectrum;         /* what the unscaled pass found */

  /* rows that are folded: by former runs, ascending, the same on every rank; and here, one range a label, which may go over some of them */
  PetscInt  nbefore, nhere, nlabels;
  RowRange *before, *here;
} Fold;

static PetscErrorCode FoldCreate(Jacobian jacobian, PetscInt b, Spectrum *spectrum, Fold *fold)
{
  const ResidualMap map     = jacobian->map;
  const size_t      columns = (size_t)map->m;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(fold, sizeof *fold));
  fold->jacobian = jacobian;
  fold->grid     = map->grid;
  fold->m        = map->m;
  fold->b        = b;
  fold->spectrum = spectrum;
  fold->nlabels  = map->network->nlabels;
  PetscCall(PetscCalloc1(columns * columns, &fold->R));
  PetscCall(PetscMalloc3((size_t)b * columns, &fold->X, PANEL * columns, &fold->T, PANEL * columns, &fold->work));
  PetscCall(PetscMalloc1(fold->nlabels, &fold->here));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FoldDestroy(Fold *fold)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(fold->X, fold->T, fold->work));
  PetscCall(PetscFree(fold->before));
  PetscCall(ScalingDestroy(&fold->scaling));
  PetscCall(PetscFree(fold->here));
  PetscCall(PetscFree(fold->R));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* nothing is folded; from now on rows are scaled, columns by `inverse` */
static PetscErrorCode FoldAnew(Fold *fold, const PetscReal inverse[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(fold->R, (size_t)fold->m * (size_t)fold->m));
  PetscCall(PetscFree(fold->before));
  fold->nbefore = fold->nhere = 0;
  PetscCall(ScalingCreate(fold->jacobian, inverse, &fold->scaling));
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

/* ---- the tree ---------------------------------------------------------------------------------------------------------- */

/* rank 0's triangle becomes that of all ranks, the others' become 0 */
static PetscErrorCode FoldRanks(Fold *fold)
{
  const Grid   grid  = fold->grid;
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
      PetscCall(PetscArrayzero(fold->R, m * m));
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

/* ---- a pause ----------------------------------------------------------------------------------------------------------- */

static int ByFirst(const void *a, const void *b)
{
  const RowRange *x = a, *y = b;

  return (x->first > y->first) - (x->first < y->first);
}

/* ascending, and joined where they touch or overlap */
static void Join(PetscInt *n, RowRange rows[])
{
  PetscInt last = -1;

  qsort(rows, (size_t)*n, sizeof *rows, ByFirst);
  for (PetscInt k = 0; k < *n; k++) {
    if (rows[k].first == rows[k].last) continue;
    if (last >= 0 && rows[k].first <= rows[last].last)
      rows[last].last = PetscMax(rows[last].last, rows[k].last);
    else
      rows[++last] = rows[k];
  }
  *n = last + 1;
}

/* what all ranks have folded becomes `before` */
static PetscErrorCode ShareRows(Fold *fold)
{
  const PetscInt here = 2 * fold->nlabels; /* integers a rank; labels to come are empty */
  RowRange      *all;
  PetscMPIInt    count;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(here, &count));
  PetscCall(PetscArrayzero(fold->here + fold->nhere, fold->nlabels - fold->nhere));
  PetscCall(PetscMalloc1((size_t)fold->nbefore + (size_t)fold->nlabels * (size_t)fold->grid->size, &all));
  PetscCall(PetscArraycpy(all, fold->before, fold->nbefore));
  PetscCallMPI(MPI_Allgather(fold->here, count, MPIU_INT64, all + fold->nbefore, count, MPIU_INT64, fold->grid->world));
  fold->nbefore += fold->nlabels * fold->grid->size;
  Join(&fold->nbefore, all);
  PetscCall(PetscFree(fold->before));
  fold->before = all;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FoldArchive(Archive archive, void *context)
{
  Fold     *fold   = (Fold *)context;
  PetscBool scaled = (PetscBool)(fold->scaling != NULL);

  PetscFunctionBeginUser;
  PetscCall(ArchiveBool(archive, "scaled", &scaled));
  if (scaled) {
    if (ArchiveReading(archive)) PetscCall(ScalingCreate(fold->jacobian, fold->spectrum->sigma, &fold->scaling));
    PetscCall(ScalingArchive(archive, fold->scaling));
    PetscCall(ArchiveReals(archive, "sigma", fold->m, fold->spectrum->sigma));
    PetscCall(ArchiveReal(archive, "resolution", &fold->spectrum->resolution));
  }
  if (!ArchiveReading(archive)) {
    PetscCall(FoldBlock(fold));
    PetscCall(FoldRanks(fold));
    PetscCall(ShareRows(fold));
  }
  PetscCall(ArchiveInt(archive, "ranges", &fold->nbefore));
  if (ArchiveReading(archive)) PetscCall(PetscMalloc1(fold->nbefore, &fold->before));
  PetscCall(ArchiveInt64s(archive, "rows", 2 * fold->nbefore, (PetscInt64 *)fold->before));
  PetscCall(ArchiveRootMatrix(archive, "R", fold->m, fold->m, fold->R));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the rows ---------------------------------------------------------------------------------------------------------- */

/* rows `entries` of a label, cut where the block is full */
static PetscErrorCode AppendRows(Strip strip, Range entries, Fold *fold)
{
  PetscFunctionBeginUser;
  for (PetscInt p = entries.first; p < entries.last;) {
    const Range part = {p, PetscMin(entries.last, p + fold->b - fold->filled)};

    StripFill(strip, part, fold->X + fold->filled, fold->b);
    if (fold->scaling) ScalingApply(fold->scaling, part, fold->X + fold->filled, fold->b);
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

/* the first of these rows that no former run has folded, `most` at most; origin: the label's position in the canonical order */
static Range NextRows(const Fold *fold, PetscInt64 origin, Range rows, PetscInt most)
{
  Range next = rows;

  for (PetscInt k = 0; k < fold->nbefore; k++) {
    const RowRange *done = &fold->before[k];

    if (done->last <= origin + next.first) continue;
    if (done->first > origin + next.first) {
      next.last = (PetscInt)PetscMin(next.last, done->first - origin);
      break;
    }
    next.first = (PetscInt)PetscMin(next.last, done->last - origin);
  }
  next.last = PetscMin(next.last, next.first + most);
  return next;
}

static PetscInt64 OriginOf(ResidualMap map, PetscInt label)
{
  PetscInt64 origin = 0;

  for (PetscInt i = 0; i < label; i++) origin += (PetscInt64)map->network->labels[i].rows * map->network->labels[i].cols;
  return origin;
}

/* all uses of the label of uses[first], a block of every rank that has one left */
static PetscErrorCode FoldLabel(Fold *fold, PetscInt nuses, const LabelUse uses[], PetscInt first, PetscReal *rows, PetscBool *stop)
{
  const ResidualMap map     = fold->jacobian->map;
  const PetscInt    count   = LabelUses(nuses, uses, first);
  const PetscInt64  origin  = OriginOf(map, uses[first].label);
  const Range       entries = EntriesOf(map, &uses[first]);
  RowRange         *here    = &fold->here[fold->nhere++];
  Range             rest    = entries;
  Strip             strip;

  PetscFunctionBeginUser;
  here->first = here->last = origin + entries.first;
  PetscCall(StripCreate(fold->jacobian, count, uses + first, entries, &strip));
  if (fold->scaling) PetscCall(ScalingBeginLabel(fold->scaling, count, first, entries));
  while (!*stop) {
    const Range part = NextRows(fold, origin, rest, fold->b);
    PetscInt    mine = part.last - part.first, all;

    PetscCallMPI(MPI_Allreduce(&mine, &all, 1, MPIU_INT, MPI_SUM, map->grid->world));
    if (!all) break;
    PetscCall(AppendRows(strip, part, fold));
    rest.first = part.last;
    here->last = origin + rest.first;
    *rows += (PetscReal)all;
    PetscCall(Progress(map->grid->world, *rows, (PetscReal)map->n, "rows of J^T, QR"));
    PetscCall(CheckpointSafePoint(map->grid->world, "qr", FoldArchive, fold, stop));
  }
  if (fold->scaling) PetscCall(ScalingEndLabel(fold->scaling));
  PetscCall(StripDestroy(&strip));
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

/* of rank 0's R, on all ranks */
static PetscErrorCode RootSingularValues(Fold *fold, PetscReal sigma[])
{
  PetscFunctionBeginUser;
  if (fold->grid->rank == 0) PetscCall(SingularValues(fold->m, fold->R, sigma));
  PetscCallMPI(MPI_Bcast(sigma, (PetscMPIInt)fold->m, MPIU_REAL, 0, fold->grid->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the method -------------------------------------------------------------------------------------------------------- */

/* no more than a rank has */
static PetscInt BlockRows(ResidualMap map)
{
  return PetscMax(1, PetscMin(BLOCK, map->n / map->grid->size + 1));
}

/* factors that StripCreate fetches of one use, on a rank that makes so many units' rows: with G > 1 */
static PetscReal StripUseBytes(const Sizes *s, PetscReal T, PetscReal k, PetscReal units)
{
  return s->G > 1 ? 8 * T * (s->d * k + s->m * units) : 0;
}

/* of every label: the largest strip, and all that is fetched */
static PetscReal StripCost(const Sizes *s, Cost *cost)
{
  PetscReal largest = 0;

  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp    *op       = &s->network->ops[v];
    const PetscReal T        = (PetscReal)op->places;
    PetscReal       bytes[2] = {0, 0};

    if (op->weight >= 0)
      bytes[0] = StripUseBytes(s, T, (PetscReal)s->network->labels[op->weight].cols, SizesShardRows(s, op->weight) / s->G + 1);
    if (op->bias >= 0) bytes[1] = StripUseBytes(s, T, 0, SizesShardEntries(s, op->bias) / s->G + 1);
    for (int i = 0; i < 2; i++) {
      if (bytes[i] > 0) CostGather(cost, s->G, bytes[i], 1);
      cost->messages += bytes[i] > 0 ? 2 * s->G - 1 : 0; /* each rank of the shard is the root of two gathers in turn */
      largest = PetscMax(largest, bytes[i]);
    }
  }
  return largest;
}

/* one pass; the second, where rank J < m, needs the same again in time and is counted in memory alone */
static void QRCost(const Sizes *s, Cost *cost, Cost *stretch)
{
  const PetscReal b = PetscMax(1, PetscMin(BLOCK, s->n / s->P + 1)), m = s->m, levels = PetscCeilReal(PetscLog2Real(s->P));
  Cost            fold = {.bytes = 0}, tree = {.work[WORK_QR] = levels * 2. / 3 * m * m * m + 8. / 3 * m * m * m};

  fold.work[WORK_QR] = 2 * s->local * m * m + tree.work[WORK_QR];
  fold.received      = 8 * m * m * (1 - 1 / s->P);
  fold.messages      = 1 - 1 / s->P;
  fold.bytes         = 8 * (2 * m * m + b * m + 2 * PANEL * m) + 2 * StripCost(s, &fold) + ScalingBytes(s);
  CostBroadcast(&fold, s->P, 8 * m, 1);
  CostReduceAll(&fold, s->P, 8, s->local / b + (PetscReal)s->network->nlabels); /* StopRequested */
  JacobianRoundingCost(s, &fold);
  CostAdd(cost, &fold, 1);
  CostLonger(stretch, &tree);
}

/* R of J^T, or of J^T with its columns scaled, then its rows, on rank 0; on all ranks the inverses of the norms of its columns. *stop: asked
   to, nothing is found. */
static PetscErrorCode Factor(Fold *fold, PetscReal inverse[], PetscBool *stop)
{
  const ResidualMap map  = fold->jacobian->map;
  PetscReal         rows = 0;
  PetscInt          nuses;
  LabelUse         *uses;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < fold->nbefore; k++) rows += (PetscReal)(fold->before[k].last - fold->before[k].first);
  PetscCall(Progress(map->grid->world, rows, (PetscReal)map->n, "QR of J^T: 2 n m^2 = %.2g flops",
                     (double)(2 * (PetscReal)map->n * (PetscReal)map->m * (PetscReal)map->m)));
  PetscCall(JacobianGetUses(fold->jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses && !*stop; i += LabelUses(nuses, uses, i)) PetscCall(FoldLabel(fold, nuses, uses, i, &rows, stop));
  PetscCall(PetscFree(uses));
  if (*stop) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FoldBlock(fold));
  PetscCall(FoldRanks(fold));
  for (PetscInt k = 0; map->grid->rank == 0 && k < map->m; k++)
    inverse[k] = InverseNorm(k + 1, 1, fold->R + (size_t)k * (size_t)map->m);
  PetscCallMPI(MPI_Bcast(inverse, (PetscMPIInt)map->m, MPIU_REAL, 0, map->grid->world));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how many sigma of the scaled J stand out */
static PetscErrorCode ScaledRank(Fold *fold, PetscInt *rank, PetscBool *stop)
{
  const ResidualMap map = fold->jacobian->map;
  PetscReal        *sigma, *inverse, noise;

  PetscFunctionBeginUser;
  *rank = 0;
  PetscCall(PetscMalloc2(map->m, &sigma, map->m, &inverse));
  PetscCall(Factor(fold, inverse, stop));
  if (!*stop) {
    PetscCall(ScalingFinish(fold->scaling, inverse, &noise));
    for (PetscInt k = 0; map->grid->rank == 0 && k < map->m; k++)
      for (PetscInt i = 0; i <= k; i++) fold->R[(size_t)k * (size_t)map->m + (size_t)i] *= inverse[k];
    PetscCall(RootSingularValues(fold, sigma));
    while (*rank < map->m && sigma[*rank] > 1e3 * ((PetscReal)map->n * PETSC_MACHINE_EPSILON * sigma[0] + noise)) ++*rank;
  }
  PetscCall(PetscFree2(sigma, inverse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma, and their resolution; where they leave the rank below m, the scaled pass is to follow */
static PetscErrorCode UnscaledPass(Fold *fold, PetscBool *stop)
{
  Spectrum  *s = fold->spectrum;
  PetscReal *inverse;
  PetscInt   rank;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(s->m, &inverse));
  PetscCall(Factor(fold, inverse, stop));
  if (!*stop) {
    PetscCall(RootSingularValues(fold, s->sigma));
    PetscCall(ResolutionOfJ(fold->jacobian, s->sigma[0], &s->resolution));
    rank = SpectrumRank(s, NULL);
    if (rank >= 0 && rank < s->m) PetscCall(FoldAnew(fold, inverse));
  }
  PetscCall(PetscFree(inverse));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compute(Jacobian jacobian, const SpectrumOptions *options, Spectrum *s, PetscBool *done)
{
  PetscBool stop = PETSC_FALSE, resumed;
  Fold      fold;

  PetscFunctionBeginUser;
  (void)options;
  s->method = "qr";
  PetscCall(PetscStrncpy(s->solver, "LAPACK dtpqrt, dgesvd", sizeof(s->solver)));
  PetscCall(FoldCreate(jacobian, BlockRows(jacobian->map), s, &fold));
  PetscCall(CheckpointResume("qr", FoldArchive, &fold, &resumed));
  if (!fold.scaling) PetscCall(UnscaledPass(&fold, &stop));
  if (!stop && fold.scaling) PetscCall(ScaledRank(&fold, &s->rank_scaled, &stop));
  PetscCall(FoldDestroy(&fold));
  *done = (PetscBool)!stop;
  PetscFunctionReturn(PETSC_SUCCESS);
}

const SpectrumMethod SpectrumQR = {NULL, QRCost, Compute};
