/*
  gram.c: K = J J^T into tiles; see gram.h for the formula.

  A rank makes its parts of K (gram_parts.h), which are dealt to the tiles when all labels are in them; a lone rank makes K where it is. For a pair
  of uses of one label it forms (A_I A_J^T) and (Delta_I Delta_J^T) for rectangles of a part, all places of a residual together: as they lie, a
  row for each, and adds their Hadamard product, summed over the places of a pair of residuals. Labels with one A have their Delta_I Delta_J^T
  added up before. A label that goes by its block of J does so in panels of its rows, each a product B_I B_J^T.
*/
#include "codim/gram.h"
#include "blas.h"
#include "codim/threads.h"
#include "cover.h"
#include "gram_deal.h"
#include "gram_panel.h"
#include "strip.h"

/* one round, and scratch for one rectangle */
typedef struct {
  ResidualMap map;
  Tiles       K;
  PetscInt   *first; /* parts of all ranks: those of rank p are all[first[p]] … */
  Part       *all;
  PetscInt    nparts; /* of this rank */
  const Part *parts;
  PetscReal **made, *entries; /* each part, column-major; in `entries`, NULL where it is the tiles themselves */
  Panel       residuals, points;
  PetscReal  *deltas, *values; /* rectangle: Delta_I Delta_J^T; A_I A_J^T */
  PetscBool   fresh;           /* nothing is in the parts yet */
  PetscReal   done;            /* flops, for the progress */
} Workspace;

/* the rows of one matrix that belong to the rows (at[2 k]) and to the columns (at[2 k + 1]) of part k */
typedef struct {
  const PetscReal **at;
  PetscReal        *fetched, *own; /* own: a copy of the owned rows where they do not lie together */
} PartRows;

/* one use of a label, or those of labels with one A: factors for this rank's parts; T places of k (h) entries to a row */
typedef struct {
  PetscInt  T, k, count;
  PartRows  A; /* at NULL: ones */
  PetscInt *h;
  PartRows *Delta;
} UsePanels;

/* of a product of the largest rectangle, with T places to a residual */
static PetscReal RectangleEntries(PetscReal rows, PetscReal cols, PetscInt T)
{
  const PetscReal places = (PetscReal)T;

  return places * PetscMin(rows, (PetscReal)CoverSide(COVER_HEIGHT, T)) * places *
         PetscMin(cols, (PetscReal)CoverSide(COVER_WIDTH, T));
}

/* of the largest of all: not that of the most places, whose number may not divide a rectangle's sides. *factors: does a label go by them? */
static PetscReal ScratchEntries(Network net, PetscReal d, PetscReal m, PetscReal rows, PetscReal cols, PetscBool *factors)
{
  PetscReal entries = RectangleEntries(rows, cols, 1); /* a block */

  *factors = PETSC_FALSE;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];

    if (op->weight < 0 || GramTermOf(net, d, m, op->weight).block) continue;
    entries  = PetscMax(entries, RectangleEntries(rows, cols, op->places));
    *factors = PETSC_TRUE;
  }
  return entries;
}

/* ---- a round ----------------------------------------------------------------------------------------------------------- */

/* free starts */
static PetscErrorCode OwnersCreate(ResidualMap map, Owners *owners, PetscInt **starts)
{
  const Grid grid = map->grid;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(grid->size + 1, starts));
  for (PetscMPIInt rank = 0; rank < grid->size; rank++)
    (*starts)[rank] = map->rows->first[GridPointsOfRank(grid, map->d, rank).first];
  (*starts)[grid->size] = map->m;
  *owners               = (Owners){grid->G, grid->Q, map->d, map->l, *starts};
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the parts of all ranks in this round */
static PetscErrorCode SliceParts(const Owners *owners, PetscInt rounds, PetscInt round, Workspace *w)
{
  const PetscMPIInt size = w->map->grid->size, rank = w->map->grid->rank;
  PetscInt          room = 0, count = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(size + 1, &w->first));
  for (PetscMPIInt p = 0; p < size; p++) {
    Part           parts[GRAM_PARTS_MAX];
    const Range    owned = OwnersRange(owners, p, p + 1);
    const PetscInt whole = PartsOfRank(owners, p, parts);

    w->first[p] = count;
    if (count + whole > room) {
      room = 2 * (count + whole);
      PetscCall(PetscRealloc(sizeof(Part) * (size_t)room, &w->all));
    }
    for (PetscInt i = 0; i < whole; i++) {
      const Part part = PartSlice(parts[i], owned, rounds, round);

      if (RangeLength(part.rows) && RangeLength(part.cols)) w->all[count++] = part;
    }
  }
  w->first[size] = count;
  w->parts       = w->all + w->first[rank];
  w->nparts      = w->first[rank + 1] - w->first[rank];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RoundBegin(const Owners *owners, PetscInt rounds, PetscInt round, Workspace *w)
{
  const ResidualMap map  = w->map;
  PetscInt          rows = 0, cols = 0;
  size_t            entries = 0;
  PetscBool         factors;

  PetscFunctionBeginUser;
  w->fresh = PETSC_TRUE;
  PetscCall(SliceParts(owners, rounds, round, w));
  PetscCall(PanelCreate(map->rows, PANEL_RESIDUALS, w->first, w->all, &w->residuals));
  PetscCall(PanelCreate(map->rows, PANEL_POINTS, w->first, w->all, &w->points));
  for (PetscInt k = 0; k < w->nparts; k++) {
    rows = PetscMax(rows, RangeLength(w->parts[k].rows));
    cols = PetscMax(cols, RangeLength(w->parts[k].cols));
    entries += (size_t)PartEntries(w->parts[k]);
  }
  PetscCall(PetscMalloc1(w->nparts, &w->made));
  if (map->grid->size > 1) PetscCall(PetscMalloc1(entries, &w->entries));
  entries = 0;
  for (PetscInt k = 0; k < w->nparts; k++) {
    w->made[k] = (w->entries ? w->entries : w->K->a) + entries;
    entries += (size_t)PartEntries(w->parts[k]);
  }
  entries = (size_t)ScratchEntries(map->network, (PetscReal)map->d, (PetscReal)map->m, (PetscReal)rows, (PetscReal)cols, &factors);
  PetscCall(PetscMalloc2(entries, &w->deltas, factors ? entries : 0, &w->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RoundEnd(Workspace *w)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; w->fresh && k < w->nparts; k++) PetscCall(PetscArrayzero(w->made[k], (size_t)PartEntries(w->parts[k])));
  PetscCall(PetscFree2(w->deltas, w->values));
  if (w->map->grid->size > 1) PetscCall(PartsDeal(w->first, w->all, w->entries, w->K));
  PetscCall(PetscFree(w->entries));
  PetscCall(PetscFree(w->made));
  PetscCall(PanelDestroy(&w->residuals));
  PetscCall(PanelDestroy(&w->points));
  PetscCall(PetscFree(w->all));
  PetscCall(PetscFree(w->first));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- panels --------------------------------------------------------------------------------------------------------- */

static PetscErrorCode FetchRows(Panel panel, PetscInt width, const PetscReal owned[], PartRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(panel->nranges, &rows->at));
  PetscCall(PanelFetch(panel, width, owned, rows->at, &rows->fetched));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RowsFree(PartRows *rows)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(rows->at));
  PetscCall(PetscFree(rows->fetched));
  PetscCall(PetscFree(rows->own));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* room for the Delta of `most` labels */
static PetscErrorCode UsePanelsCreate(PetscInt T, PetscInt k, PetscInt most, UsePanels *panels)
{
  PetscFunctionBeginUser;
  *panels = (UsePanels){.T = T, .k = k};
  PetscCall(PetscCalloc2(most, &panels->h, most, &panels->Delta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UsePanelsAddDelta(const Workspace *w, PetscInt h, const PetscReal owned[], UsePanels *panels)
{
  PetscFunctionBeginUser;
  panels->h[panels->count] = h;
  PetscCall(FetchRows(w->residuals, panels->T * h, owned, &panels->Delta[panels->count]));
  panels->count++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UsePanelsDestroy(UsePanels *panels)
{
  PetscFunctionBeginUser;
  PetscCall(RowsFree(&panels->A));
  for (PetscInt i = 0; i < panels->count; i++) PetscCall(RowsFree(&panels->Delta[i]));
  PetscCall(PetscFree2(panels->h, panels->Delta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what this rank owns of the factors of a use */
static const PetscReal *OwnedDelta(ResidualMap map, const LabelUse *use)
{
  const PetscInt rows = map->rows->owned.first - map->rows->group.first;

  return use->Delta + (size_t)rows * (size_t)use->T * (size_t)use->h;
}

/* A of the points that have a residual: the owned ones as they lie, or, where some have none, copied together */
static PetscErrorCode FetchA(const Workspace *w, const LabelUse *use, PartRows *A)
{
  const Rows       rows  = w->map->rows;
  const PetscInt   width = use->T * use->k, points = GridOwnedPoints(rows->grid, rows->d).first;
  const PetscReal *owned = use->A + (size_t)(points - GridGroupPoints(rows->grid, rows->d).first) * (size_t)width;

  PetscFunctionBeginUser;
  if (rows->gaps) PetscCall(PetscMalloc1((size_t)RangeLength(rows->owned) * (size_t)width, &A->own));
  for (PetscInt row = rows->owned.first; rows->gaps && row < rows->owned.last; row++)
    PetscCall(PetscArraycpy(A->own + (size_t)(rows->seen[row] - rows->seen[rows->owned.first]) * (size_t)width,
                            owned + (size_t)(rows->point[row] - points) * (size_t)width, width));
  PetscCall(FetchRows(w->points, width, rows->gaps ? A->own : owned, A));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* block += the rows `units` of a label's block of J, from one use, on the owned residuals: sum_t delta_t (x) a_t */
static PetscErrorCode AddUseBlock(ResidualMap map, const LabelUse *use, PetscInt cols, Range units, PetscReal block[])
{
  const Range  owned = map->rows->owned;
  const size_t first = (size_t)(owned.first - map->rows->group.first), rows = (size_t)(owned.last - owned.first);
  const size_t T = (size_t)use->T, h = (size_t)use->h;
  const size_t width = (size_t)(units.last - units.first) * (size_t)cols, start = (size_t)units.first * (size_t)cols;

  PetscFunctionBeginUser;
  for (size_t row = 0; row < rows; row++) {
    const PetscReal *delta = use->Delta + (first + row) * T * h;

    if (use->A) {
      const PetscReal *a = use->A + (size_t)map->rows->group_point[first + row] * T * (size_t)use->k;

      PetscCall(Gemm("N", "T", use->k, units.last - units.first, use->T, 1, a, use->k, delta + units.first, use->h, 1,
                     block + row * width, use->k));
    } else
      for (size_t t = 0; t < T; t++)
        for (size_t j = 0; j < width; j++) block[row * width + j] += delta[t * h + start + j];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one rectangle --------------------------------------------------------------------------------------------------- */

/* rows of a row-major matrix, all of whose entries follow each other */
typedef struct {
  PetscInt         rows, width;
  const PetscReal *a;
} RowMajor;

static RowMajor RowsFrom(const PetscReal X[], PetscInt first, PetscInt rows, PetscInt T, PetscInt width)
{
  return (RowMajor){rows * T, width, X + (size_t)first * (size_t)T * (size_t)width};
}

/* C := X Y^T + beta C; of a triangle, where X is Y, its lower half */
static PetscErrorCode Product(PetscBool triangle, RowMajor X, RowMajor Y, PetscReal beta, PetscReal C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  if (triangle)
    PetscCall(Syrk(X.rows, X.width, X.a, beta, C, ldc));
  else
    PetscCall(Gemm("T", "N", X.rows, Y.rows, X.width, 1, X.a, X.width, Y.a, Y.width, beta, C, ldc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the upper half of the squares of side T on the diagonal of a symmetric matrix whose lower half is given */
static void MirrorPlaces(PetscInt order, PetscInt T, PetscReal C[])
{
#pragma omp parallel for if (ThreadsShare((size_t)order * (size_t)T))
  for (PetscInt first = 0; first < order; first += T)
    for (PetscInt t = 0; t < T; t++)
      for (PetscInt s = t + 1; s < T; s++)
        C[(size_t)(first + s) * (size_t)order + (size_t)(first + t)] = C[(size_t)(first + t) * (size_t)order + (size_t)(first + s)];
}

/* sum_t d_t (v_t + one) over the places of a residual */
static inline PetscReal SumPlaces(PetscInt T, const PetscReal d[], const PetscReal v[], PetscReal one)
{
  PetscReal sum = 0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt t = 0; t < T; t++) sum += d[t] * (v[t] + one);
  return sum;
}

/* a column of a rectangle of a part += the sums of its rows from `first` on, for one place of the column; point[]: of its rows */
static void AddColumn(const Workspace *w, PetscInt T, PetscReal one, PetscInt first, PetscInt rows, const PetscInt point[],
                      const PetscReal deltas[], const PetscReal values[], PetscReal column[])
{
  if (w->map->l == 1 && T == 1)
    for (PetscInt r = first; r < rows; r++) column[r] += deltas[r] * (values[r] + one);
  else
    for (PetscInt r = first; r < rows; r++)
      column[r] += SumPlaces(T, deltas + (size_t)r * (size_t)T, values + (size_t)(point[r] - point[0]) * (size_t)T, one);
}

/* C := sum of Delta_I Delta_J^T, for a rectangle of part k */
static PetscErrorCode DeltaProducts(const UsePanels *left, const UsePanels *right, PetscInt k, Rectangle rect, PetscReal C[],
                                    PetscInt ldc)
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < left->count; i++)
    PetscCall(Product(rect.triangle, RowsFrom(left->Delta[i].at[2 * k], rect.r0, rect.r1 - rect.r0, left->T, left->h[i]),
                      RowsFrom(right->Delta[i].at[2 * k + 1], rect.c0, rect.c1 - rect.c0, right->T, right->h[i]), i ? 1 : 0, C,
                      ldc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a rectangle of part k += sum_t,s (A_I,t A_J,s^T + one) o (Delta_I,t Delta_J,s^T); its rows lie over points from p0 of the part on, its columns from q0
   on */
static PetscErrorCode AddRectangle(const Workspace *w, const UsePanels *left, const UsePanels *right, PetscReal one, PetscInt k,
                                   Rectangle rect)
{
  const Part      part = w->parts[k];
  const PetscInt  nr = rect.r1 - rect.r0, nc = rect.c1 - rect.c0, T = left->T, S = right->T, ld = RangeLength(part.rows);
  const PetscInt *row_point = w->map->rows->seen + part.rows.first, *col_point = w->map->rows->seen + part.cols.first;
  const PetscInt  p0 = row_point[rect.r0] - row_point[0], points = row_point[rect.r1 - 1] + 1 - row_point[rect.r0];
  const PetscInt  q0 = col_point[rect.c0] - col_point[0], col_points = col_point[rect.c1 - 1] + 1 - col_point[rect.c0];
  PetscReal      *K = w->made[k] + (size_t)rect.c0 * (size_t)ld + rect.r0;

  PetscFunctionBeginUser;
  PetscCall(DeltaProducts(left, right, k, rect, w->deltas, nr * T));
  PetscCall(Product(rect.triangle, RowsFrom(left->A.at[2 * k], p0, points, T, left->k),
                    RowsFrom(right->A.at[2 * k + 1], q0, col_points, S, left->k), 0, w->values, points * T));
  if (rect.triangle) {
    MirrorPlaces(nr * T, T, w->deltas);
    MirrorPlaces(points * T, T, w->values);
  }
#pragma omp parallel for schedule(static, 16) if (ThreadsShare((size_t)nr * (size_t)T * (size_t)nc * (size_t)S))
  for (PetscInt c = 0; c < nc; c++) {
    PetscReal *column = K + (size_t)c * (size_t)ld;

    for (PetscInt r = 0; w->fresh && r < nr; r++) column[r] = 0;
    for (PetscInt s = 0; s < S; s++) {
      const size_t delta = (size_t)c * (size_t)S + (size_t)s;
      const size_t value = (size_t)(col_point[rect.c0 + c] - col_point[rect.c0]) * (size_t)S + (size_t)s;

      AddColumn(w, T, one, rect.triangle ? c : 0, nr, row_point + rect.r0, w->deltas + delta * (size_t)(nr * T),
                w->values + value * (size_t)(points * T), column);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* flops of a rectangle's products */
static PetscReal FlopsOf(const UsePanels *left, const UsePanels *right, Rectangle rect)
{
  const PetscReal rows = (PetscReal)(rect.r1 - rect.r0) * (PetscReal)left->T,
                  cols = (PetscReal)(rect.c1 - rect.c0) * (PetscReal)right->T;
  PetscReal inner      = left->A.at ? (PetscReal)left->k : 0;

  for (PetscInt i = 0; i < left->count; i++) inner += (PetscReal)left->h[i];
  return (rect.triangle ? 1 : 2) * rows * cols * inner;
}

/* a rectangle of part k += B_I B_J^T; not by the product itself, which may round what is there once for each of its terms */
static PetscErrorCode AddBlockRectangle(const Workspace *w, const UsePanels *left, const UsePanels *right, PetscInt k,
                                        Rectangle rect)
{
  const PetscInt nr = rect.r1 - rect.r0, nc = rect.c1 - rect.c0, ld = RangeLength(w->parts[k].rows);
  PetscReal     *K = w->made[k] + (size_t)rect.c0 * (size_t)ld + rect.r0;

  PetscFunctionBeginUser;
  if (w->fresh) {
    PetscCall(DeltaProducts(left, right, k, rect, K, ld));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(DeltaProducts(left, right, k, rect, w->deltas, nr));
#pragma omp parallel for schedule(static, 16) if (ThreadsShare((size_t)nr * (size_t)nc))
  for (PetscInt c = 0; c < nc; c++)
    for (PetscInt r = rect.triangle ? c : 0; r < nr; r++)
      K[(size_t)c * (size_t)ld + (size_t)r] += w->deltas[(size_t)c * (size_t)nr + (size_t)r];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* this rank's parts */
static PetscErrorCode AddParts(Workspace *w, const UsePanels *left, const UsePanels *right, PetscReal one)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < w->nparts; k++) {
    const Part part = w->parts[k];
    Cover      cover;

    PetscCall(CoverCreate(RangeLength(part.rows), RangeLength(part.cols), PartOnDiagonal(part), PetscMax(left->T, right->T),
                          (PetscBool)(left == right), &cover));
    for (PetscInt i = 0; i < cover.count; i++) {
      if (left->A.at)
        PetscCall(AddRectangle(w, left, right, one, k, cover.rectangles[i]));
      else
        PetscCall(AddBlockRectangle(w, left, right, k, cover.rectangles[i]));
      w->done += FlopsOf(left, right, cover.rectangles[i]);
      PetscCall(ProgressPiece(w->K->world, w->done));
    }
    PetscCall(CoverDestroy(&cover));
  }
  w->fresh = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- labels ----------------------------------------------------------------------------------------------------------- */

/* by their factors: all uses of one label, or one of each of several labels with one A; those without A are biases, which `one` adds */
static PetscErrorCode AddFactors(Workspace *w, PetscInt nuses, const LabelUse uses[], PetscReal one)
{
  const LabelUse *first = NULL;
  UsePanels      *panels;
  PetscInt        count = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(nuses, &panels));
  for (PetscInt i = 0; i < nuses; i++) {
    if (!uses[i].A) continue;
    if (!first) first = &uses[i];
    if (&uses[i] == first || uses[i].label == first->label) {
      PetscCall(UsePanelsCreate(uses[i].T, uses[i].k, nuses, &panels[count]));
      PetscCall(FetchA(w, &uses[i], &panels[count].A));
      count++;
    }
    PetscCall(UsePanelsAddDelta(w, uses[i].h, OwnedDelta(w->map, &uses[i]), &panels[count - 1]));
  }
  for (PetscInt i = 0; i < count; i++)
    for (PetscInt j = 0; j < count; j++) PetscCall(AddParts(w, &panels[i], &panels[j], one));
  for (PetscInt i = 0; i < count; i++) PetscCall(UsePanelsDestroy(&panels[i]));
  PetscCall(PetscFree(panels));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* by its block of J */
static PetscErrorCode AddBlock(Workspace *w, PetscInt nuses, const LabelUse uses[])
{
  const ResidualMap map   = w->map;
  const Label      *label = &map->network->labels[uses[0].label];
  const Range       owned = map->rows->owned;
  const PetscInt    most  = GramPanelRows(map->network, uses[0].label);

  PetscFunctionBeginUser;
  for (PetscInt row = 0; row < label->rows; row += most) {
    const Range    units = {row, PetscMin(row + most, label->rows)};
    const PetscInt width = (units.last - units.first) * label->cols;
    UsePanels      panels;
    PetscReal     *block;

    PetscCall(PetscCalloc1((size_t)(owned.last - owned.first) * (size_t)width, &block));
    for (PetscInt i = 0; i < nuses; i++) PetscCall(AddUseBlock(map, &uses[i], label->cols, units, block));
    PetscCall(UsePanelsCreate(1, 1, 1, &panels));
    PetscCall(UsePanelsAddDelta(w, width, block, &panels));
    PetscCall(AddParts(w, &panels, &panels, 0));
    PetscCall(UsePanelsDestroy(&panels));
    PetscCall(PetscFree(block));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how the term of every label is made; of one label only, each by itself */
static PetscErrorCode TermsCreate(ResidualMap map, PetscBool alone, GramTerm **terms)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(map->network->nlabels, terms));
  for (PetscInt label = 0; label < map->network->nlabels; label++) {
    GramTerm *term = &(*terms)[label];

    *term = GramTermOf(map->network, (PetscReal)map->d, (PetscReal)map->m, label);
    if (alone) term->with = label;
    if (alone) term->one = PETSC_FALSE;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* one round: of the label `only`, or of all (-1) */
static PetscErrorCode AddLabels(Jacobian jacobian, PetscInt only, Workspace *w)
{
  const PetscInt nlabels = jacobian->map->network->nlabels;
  PetscInt       nuses;
  LabelUse      *uses, *together; /* of labels that are made together */
  GramTerm      *terms;

  PetscFunctionBeginUser;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  PetscCall(PetscMalloc1(nuses, &together));
  PetscCall(TermsCreate(jacobian->map, (PetscBool)(only >= 0), &terms));
  for (PetscInt turn = 0; turn < 2 * nlabels; turn++) { /* blocks first: one of them becomes K as it stands */
    const PetscInt  with  = turn % nlabels;
    const PetscBool block = (PetscBool)(turn < nlabels);
    PetscInt        count = 0;

    if (terms[with].block != block || (only >= 0 && only != with)) continue;
    for (PetscInt i = 0; i < nuses; i++)
      if (terms[uses[i].label].with == with) together[count++] = uses[i];
    if (count && block) PetscCall(AddBlock(w, count, together));
    if (count && !block) PetscCall(AddFactors(w, count, together, terms[with].one ? 1 : 0));
  }
  PetscCall(PetscFree(terms));
  PetscCall(PetscFree(together));
  PetscCall(PetscFree(uses));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Compute(Jacobian jacobian, PetscInt only, Tiles K)
{
  Workspace w = {.map = jacobian->map, .K = K};
  Owners    owners;
  PetscInt *starts, rounds;

  PetscFunctionBeginUser;
  PetscCall(OwnersCreate(w.map, &owners, &starts));
  rounds = (PetscInt)PartsRounds(&owners);
  for (PetscInt round = 0; round < rounds; round++) {
    PetscCall(RoundBegin(&owners, rounds, round, &w));
    PetscCall(AddLabels(jacobian, only, &w));
    PetscCall(RoundEnd(&w));
  }
  PetscCall(PetscFree(starts));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GramCompute(Jacobian jacobian, Tiles K)
{
  PetscReal flops;

  PetscFunctionBeginUser;
  PetscCall(GramFlops(jacobian, &flops));
  PetscCall(ProgressPieceBegin(K->world, flops / jacobian->map->grid->size, "K"));
  PetscCall(Compute(jacobian, -1, K));
  PetscCall(ProgressPieceEnd());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GramComputeLabel(Jacobian jacobian, PetscInt label, Tiles K)
{
  PetscFunctionBeginUser;
  PetscCall(Compute(jacobian, label, K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool IsWeight(Network net, PetscInt label)
{
  PetscInt v = 1;

  while (v < net->nops && net->ops[v].weight != label) v++;
  return (PetscBool)(v < net->nops);
}

PetscErrorCode GramFlops(Jacobian jacobian, PetscReal *flops)
{
  const ResidualMap map = jacobian->map;

  PetscFunctionBeginUser;
  *flops = 0;
  for (PetscInt label = 0; label < map->network->nlabels; label++)
    if (IsWeight(map->network, label) || map->network->labels[label].cols > 1)
      *flops += GramTermOf(map->network, (PetscReal)map->d, (PetscReal)map->m, label).flops;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost --------------------------------------------------------------------------------------------------------------- */

/* of both products; values are those of points */
static PetscReal ScratchBytes(const Sizes *s, const Shares *shares)
{
  PetscBool       factors;
  const PetscReal entries = ScratchEntries(s->network, s->d, s->m, shares->rows, shares->cols, &factors);

  return 8 * entries * (1 + (factors ? 1 / (s->l * s->l) : 0));
}

/* FetchRows in all rounds: `width` entries for a residual; what it keeps is added to *held */
static void FetchCost(const Shares *shares, PetscReal width, PetscReal *held, Cost *cost)
{
  Cost fetch = {.received = 8 * shares->received * width, .messages = shares->messages};

  fetch.work[WORK_STREAM] = 3 * fetch.received;
  *held += 8 * shares->held * width;
  CostHold(&fetch, *held);
  CostAdd(cost, &fetch, 1);
}

/* by its factors, with the Delta of the weights that share its A: a Hadamard product for each pair of places */
static void FactorsCost(const Sizes *s, const Shares *shares, PetscInt label, PetscReal held, Cost *cost)
{
  PetscReal T     = 0;
  PetscInt  input = -1; /* of ops that share A; the op of `label` is the first of them */

  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp    *op     = &s->network->ops[v];
    const PetscReal places = (PetscReal)op->places;

    if (op->weight == label) input = op->inputs[0];
    if (op->weight < 0 || op->inputs[0] != input || GramTermOf(s->network, s->d, s->m, op->weight).with != label) continue;
    FetchCost(shares, places * (PetscReal)s->network->labels[op->weight].rows, &held, cost);
    if (op->weight != label) continue;
    FetchCost(shares, places * (PetscReal)s->network->labels[label].cols / s->l, &held, cost);
    T += places;
  }
  cost->work[WORK_STREAM] += 8 * 4 * T * T * s->m * s->m / 2 / s->P; /* both products, and K twice */
  cost->bytes = PetscMax(cost->bytes, held);
}

/* by its block of J, in panels */
static void BlockCost(const Sizes *s, const Shares *shares, PetscInt label, PetscReal held, Cost *cost)
{
  const Label    *what   = &s->network->labels[label];
  const PetscReal most   = (PetscReal)GramPanelRows(s->network, label),
                  width  = PetscMin(most, (PetscReal)what->rows) * (PetscReal)what->cols;
  const PetscReal panels = PetscCeilReal((PetscReal)what->rows / most);
  Cost            panel  = {.bytes = 0};

  held += 8 * s->m / s->P * width;
  FetchCost(shares, (PetscReal)what->rows * (PetscReal)what->cols / panels, &held, &panel);
  panel.work[WORK_STREAM] += 8 * 3 * s->m * s->m / 2 / s->P; /* the product, and K twice */
  panel.bytes = PetscMax(panel.bytes, held);
  CostAdd(cost, &panel, panels);
}

/* PartsDeal in all rounds: packed, moved, unpacked */
static void DealCost(const Sizes *s, const Shares *shares, Cost *cost)
{
  const PetscReal bytes = 8 * s->m * s->m / 2 / s->P;
  Cost            deal  = {.bytes = 8 * shares->meant * (1 + s->P / s->PK)};

  if (s->P == 1) return;
  deal.work[WORK_STREAM] = 6 * bytes;
  deal.received          = bytes * (1 - 1 / s->P);
  deal.messages          = shares->rounds;
  CostAdd(cost, &deal, 1);
}

void GramCost(const Sizes *s, Cost *cost)
{
  const Shares    shares  = PartsShares(s);
  const PetscReal scratch = ScratchBytes(s, &shares);
  Cost            gram    = {.bytes = 0};

  for (PetscInt label = 0; label < s->network->nlabels; label++) {
    const GramTerm term = GramTermOf(s->network, s->d, s->m, label);

    gram.work[WORK_PRODUCT] += term.flops / s->P;
    if (term.with == label && term.block) BlockCost(s, &shares, label, scratch, &gram);
    if (term.with == label && !term.block) FactorsCost(s, &shares, label, scratch, &gram);
  }
  DealCost(s, &shares, &gram);
  CostHold(&gram, 8 * shares.entries);
  CostAdd(cost, &gram, 1);
}
