/*
  gram.c: K = J J^T into tiles; see gram.h for the formula.

  For a pair of uses of one label, a rank forms (A_I A_J^T) and (Delta_I Delta_J^T) for rectangles of its tiles, all places of a residual
  together: as they lie, a row for each, and adds their Hadamard product, summed over the places of a pair of residuals, to K. Labels with
  one A have their Delta_I Delta_J^T added up before. A label that goes by its block of J does so in panels of its rows, each a product B_I B_J^T.
*/
#include "codim/gram.h"
#include "blas.h"
#include "codim/threads.h"
#include "panel.h"
#include "strip.h"
#include "tiles_cover.h"

/* the four index lists of a Gram matrix on tiles, and scratch for one rectangle */
typedef struct {
  ResidualMap map;
  Tiles       K;
  Panel       rows, cols, row_points, col_points;
  PetscReal  *deltas, *values; /* rectangle: Delta_I Delta_J^T; A_I A_J^T */
  PetscBool   fresh;           /* nothing is in K yet */
  PetscReal   done;            /* flops, for the progress */
} Workspace;

/* the rows of one matrix that belong to the rows, and to the columns, of this rank's tiles */
typedef struct {
  const PetscReal *row, *col;
  PetscReal       *fetched_row, *fetched_col; /* NULL where borrowed */
} PanelPair;

/* one use of a label, or those of labels with one A: factors fetched for this rank's tiles; T places of k (h) entries to a row */
typedef struct {
  PetscInt   T, k, count;
  PanelPair  A; /* NULL: ones */
  PetscInt  *h;
  PanelPair *Delta;
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

static PetscErrorCode WorkspaceCreate(Jacobian jacobian, Tiles K, Workspace *w)
{
  const ResidualMap map = jacobian->map;
  PetscBool         factors;
  size_t            entries;

  PetscFunctionBeginUser;
  w->map   = map;
  w->K     = K;
  w->fresh = PETSC_TRUE;
  w->done  = 0;
  PetscCall(PanelCreate(map->rows, K, PANEL_RESIDUALS, PANEL_ROWS, &w->rows));
  PetscCall(PanelCreate(map->rows, K, PANEL_RESIDUALS, PANEL_COLS, &w->cols));
  PetscCall(PanelCreate(map->rows, K, PANEL_POINTS, PANEL_ROWS, &w->row_points));
  PetscCall(PanelCreate(map->rows, K, PANEL_POINTS, PANEL_COLS, &w->col_points));
  entries =
      (size_t)ScratchEntries(map->network, (PetscReal)map->d, (PetscReal)map->m, (PetscReal)K->rows, (PetscReal)K->cols, &factors);
  PetscCall(PetscMalloc2(entries, &w->deltas, factors ? entries : 0, &w->values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WorkspaceDestroy(Workspace *w)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(w->deltas, w->values));
  PetscCall(PanelDestroy(&w->rows));
  PetscCall(PanelDestroy(&w->cols));
  PetscCall(PanelDestroy(&w->row_points));
  PetscCall(PanelDestroy(&w->col_points));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- panels --------------------------------------------------------------------------------------------------------- */

/* the panels of one matrix for the rows and for the columns of this rank's tiles; a lone rank has them already, and where there is one
   process column the columns are all rows */
static PetscErrorCode FetchBoth(Panel rows, Panel cols, PetscInt width, const PetscReal owned[], PanelPair *pair)
{
  PetscFunctionBeginUser;
  if (rows->grid->size == 1 && rows->whole) {
    pair->row = pair->col = owned;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscMalloc1((size_t)rows->count * (size_t)width, &pair->fetched_row));
  PetscCall(PetscMalloc1((size_t)cols->count * (size_t)width, &pair->fetched_col));
  PetscCall(PanelFetch(cols, width, owned, pair->fetched_col));
  if (cols->whole) {
    for (PetscInt i = 0; i < rows->count; i++)
      PetscCall(PetscArraycpy(pair->fetched_row + (size_t)i * (size_t)width,
                              pair->fetched_col + (size_t)rows->index[i] * (size_t)width, width));
  } else
    PetscCall(PanelFetch(rows, width, owned, pair->fetched_row));
  pair->row = pair->fetched_row;
  pair->col = pair->fetched_col;
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
  PetscCall(FetchBoth(w->rows, w->cols, panels->T * h, owned, &panels->Delta[panels->count]));
  panels->count++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode UsePanelsDestroy(UsePanels *panels)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(panels->A.fetched_row));
  PetscCall(PetscFree(panels->A.fetched_col));
  for (PetscInt i = 0; i < panels->count; i++) {
    PetscCall(PetscFree(panels->Delta[i].fetched_row));
    PetscCall(PetscFree(panels->Delta[i].fetched_col));
  }
  PetscCall(PetscFree2(panels->h, panels->Delta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what this rank owns of the factors of a use */
static const PetscReal *OwnedA(ResidualMap map, const LabelUse *use)
{
  const PetscInt points = GridOwnedPoints(map->grid, map->d).first - GridGroupPoints(map->grid, map->d).first;

  return use->A + (size_t)points * (size_t)use->T * (size_t)use->k;
}

static const PetscReal *OwnedDelta(ResidualMap map, const LabelUse *use)
{
  const PetscInt rows = map->rows->owned.first - map->rows->group.first;

  return use->Delta + (size_t)rows * (size_t)use->T * (size_t)use->h;
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

/* column c of a rectangle of K += the sums of its rows, for one place of the column */
static void AddColumn(const Workspace *w, PetscInt T, PetscReal one, Rectangle rect, PetscInt c, const PetscReal deltas[],
                      const PetscReal values[])
{
  const PetscInt nr = rect.r1 - rect.r0, first = rect.triangle ? c : 0, *point = w->row_points->position + rect.r0;
  PetscReal     *k = w->K->a + (size_t)(rect.c0 + c) * (size_t)w->K->rows + rect.r0;

  if (w->map->l == 1 && T == 1)
    for (PetscInt r = first; r < nr; r++) k[r] += deltas[r] * (values[r] + one);
  else
    for (PetscInt r = first; r < nr; r++)
      k[r] += SumPlaces(T, deltas + (size_t)r * (size_t)T, values + (size_t)(point[r] - point[0]) * (size_t)T, one);
}

/* C := sum of Delta_I Delta_J^T, for a rectangle */
static PetscErrorCode DeltaProducts(const UsePanels *left, const UsePanels *right, Rectangle rect, PetscReal C[], PetscInt ldc)
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < left->count; i++)
    PetscCall(Product(rect.triangle, RowsFrom(left->Delta[i].row, rect.r0, rect.r1 - rect.r0, left->T, left->h[i]),
                      RowsFrom(right->Delta[i].col, rect.c0, rect.c1 - rect.c0, right->T, right->h[i]), i ? 1 : 0, C, ldc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K[rectangle] += sum_t,s (A_I,t A_J,s^T + one) o (Delta_I,t Delta_J,s^T); its rows lie over point rows from p0 on, its columns from q0 on */
static PetscErrorCode AddRectangle(const Workspace *w, const UsePanels *left, const UsePanels *right, PetscReal one, Rectangle rect)
{
  const PetscInt  nr = rect.r1 - rect.r0, nc = rect.c1 - rect.c0, T = left->T, S = right->T, k = left->k;
  const PetscInt *row_point = w->row_points->position, *col_point = w->col_points->position;
  const PetscInt  p0 = row_point[rect.r0], points = row_point[rect.r1 - 1] + 1 - p0;
  const PetscInt  q0 = col_point[rect.c0], col_points = col_point[rect.c1 - 1] + 1 - q0;
  PetscReal      *K = w->K->a + (size_t)rect.c0 * (size_t)w->K->rows + rect.r0;

  PetscFunctionBeginUser;
  PetscCall(DeltaProducts(left, right, rect, w->deltas, nr * T));
  PetscCall(Product(rect.triangle, RowsFrom(left->A.row, p0, points, T, k), RowsFrom(right->A.col, q0, col_points, S, k), 0,
                    w->values, points * T));
  if (rect.triangle) {
    MirrorPlaces(nr * T, T, w->deltas);
    MirrorPlaces(points * T, T, w->values);
  }
#pragma omp parallel for schedule(static, 16) if (ThreadsShare((size_t)nr * (size_t)T * (size_t)nc * (size_t)S))
  for (PetscInt c = 0; c < nc; c++) {
    PetscReal *column = K + (size_t)c * (size_t)w->K->rows;

    for (PetscInt r = 0; w->fresh && r < nr; r++) column[r] = 0;
    for (PetscInt s = 0; s < S; s++) {
      const size_t delta = (size_t)c * (size_t)S + (size_t)s, value = (size_t)(col_point[rect.c0 + c] - q0) * (size_t)S + (size_t)s;

      AddColumn(w, T, one, rect, c, w->deltas + delta * (size_t)(nr * T), w->values + value * (size_t)(points * T));
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* flops of a rectangle's products */
static PetscReal FlopsOf(const UsePanels *left, const UsePanels *right, Rectangle rect)
{
  const PetscReal rows = (PetscReal)(rect.r1 - rect.r0) * (PetscReal)left->T,
                  cols = (PetscReal)(rect.c1 - rect.c0) * (PetscReal)right->T;
  PetscReal inner      = left->A.row ? (PetscReal)left->k : 0;

  for (PetscInt i = 0; i < left->count; i++) inner += (PetscReal)left->h[i];
  return (rect.triangle ? 1 : 2) * rows * cols * inner;
}

/* K[rectangle] += B_I B_J^T; not by the product itself, which may round what is there once for each of its terms */
static PetscErrorCode AddBlockRectangle(const Workspace *w, const UsePanels *left, const UsePanels *right, Rectangle rect)
{
  const PetscInt nr = rect.r1 - rect.r0, nc = rect.c1 - rect.c0, ld = w->K->rows;
  PetscReal     *K = w->K->a + (size_t)rect.c0 * (size_t)ld + rect.r0;

  PetscFunctionBeginUser;
  if (w->fresh) {
    PetscCall(DeltaProducts(left, right, rect, K, ld));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(DeltaProducts(left, right, rect, w->deltas, nr));
#pragma omp parallel for schedule(static, 16) if (ThreadsShare((size_t)nr * (size_t)nc))
  for (PetscInt c = 0; c < nc; c++)
    for (PetscInt r = rect.triangle ? c : 0; r < nr; r++)
      K[(size_t)c * (size_t)ld + (size_t)r] += w->deltas[(size_t)c * (size_t)nr + (size_t)r];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddLowerTriangle(Workspace *w, const UsePanels *left, const UsePanels *right, PetscReal one)
{
  Cover cover;

  PetscFunctionBeginUser;
  PetscCall(CoverCreate(w->K, 0, PetscMax(left->T, right->T), (PetscBool)(left == right), &cover));
  for (PetscInt i = 0; i < cover.count; i++) {
    if (left->A.row)
      PetscCall(AddRectangle(w, left, right, one, cover.rectangles[i]));
    else
      PetscCall(AddBlockRectangle(w, left, right, cover.rectangles[i]));
    w->done += FlopsOf(left, right, cover.rectangles[i]);
    PetscCall(ProgressPiece(w->K->world, w->done));
  }
  w->fresh = PETSC_FALSE;
  PetscCall(CoverDestroy(&cover));
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
      PetscCall(FetchBoth(w->row_points, w->col_points, uses[i].T * uses[i].k, OwnedA(w->map, &uses[i]), &panels[count].A));
      count++;
    }
    PetscCall(UsePanelsAddDelta(w, uses[i].h, OwnedDelta(w->map, &uses[i]), &panels[count - 1]));
  }
  for (PetscInt i = 0; i < count; i++)
    for (PetscInt j = 0; j < count; j++) PetscCall(AddLowerTriangle(w, &panels[i], &panels[j], one));
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
    PetscCall(AddLowerTriangle(w, &panels, &panels, 0));
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

/* only: the label; -1: all */
static PetscErrorCode Compute(Jacobian jacobian, PetscInt only, Tiles K)
{
  const PetscInt nlabels = jacobian->map->network->nlabels;
  Workspace      w;
  PetscInt       nuses;
  LabelUse      *uses, *together; /* of labels that are made together */
  GramTerm      *terms;

  PetscFunctionBeginUser;
  PetscCall(WorkspaceCreate(jacobian, K, &w));
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
    if (count && block) PetscCall(AddBlock(&w, count, together));
    if (count && !block) PetscCall(AddFactors(&w, count, together, terms[with].one ? 1 : 0));
  }
  if (w.fresh) PetscCall(PetscArrayzero(K->a, (size_t)K->rows * (size_t)K->cols));
  PetscCall(PetscFree(terms));
  PetscCall(PetscFree(together));
  PetscCall(PetscFree(uses));
  PetscCall(WorkspaceDestroy(&w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode GramCompute(Jacobian jacobian, Tiles K)
{
  PetscReal flops;

  PetscFunctionBeginUser;
  PetscCall(GramFlops(jacobian, &flops));
  PetscCall(ProgressPieceBegin(K->world, flops / (K->nprow * K->npcol), "K"));
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

/* points that so many residuals in tiles of nb belong to */
static PetscReal PointsOf(const Sizes *s, PetscReal residuals)
{
  return PetscMin(s->d, residuals / s->l + (s->l > 1 ? residuals / s->nb : 0));
}

/* of both products; values are those of points */
static PetscReal ScratchBytes(const Sizes *s)
{
  PetscBool       factors;
  const PetscReal entries = ScratchEntries(s->network, s->d, s->m, s->rows, s->cols, &factors);

  return 8 * entries * (1 + (factors ? 1 / (s->l * s->l) : 0));
}

/* FetchBoth of a matrix with `each` rows of `width` entries for a residual (Delta) or a point (A): what it keeps is added to *held */
static void FetchCost(const Sizes *s, PetscBool residuals, PetscReal width, PetscReal *held, Cost *cost)
{
  const PetscReal rows = residuals ? s->rows : PointsOf(s, s->rows), cols = residuals ? s->cols : PointsOf(s, s->cols);
  const PetscReal mean_rows = residuals ? s->m / s->nprow : PointsOf(s, s->m / s->nprow);
  const PetscReal mean_cols = residuals ? s->m / s->npcol : PointsOf(s, s->m / s->npcol);
  const PetscReal owned = (residuals ? s->m : s->d) / s->P, others = s->PK / s->P * (1 - 1 / s->P);
  Cost            fetch = {.work[WORK_STREAM] = 3 * 8 * (rows + cols) * width};

  if (s->P == 1) return;                                                     /* borrowed */
  fetch.bytes    = 8 * owned * (s->npcol > 1 ? s->npcol : s->nprow) * width; /* packed for the receivers */
  fetch.received = 8 * others * (mean_cols + (s->npcol > 1 ? mean_rows : 0)) * width;
  fetch.messages = s->npcol > 1 ? 2 : 1;
  *held += 8 * (rows + cols) * width;
  CostHold(&fetch, *held);
  CostAdd(cost, &fetch, 1);
}

/* by its factors, with the Delta of the weights that share its A: a Hadamard product for each pair of places */
static void FactorsCost(const Sizes *s, PetscInt label, PetscReal held, Cost *cost)
{
  PetscReal T     = 0;
  PetscInt  input = -1; /* of ops that share A; the op of `label` is the first of them */

  for (PetscInt v = 1; v < s->network->nops; v++) {
    const NetOp    *op     = &s->network->ops[v];
    const PetscReal places = (PetscReal)op->places;

    if (op->weight == label) input = op->inputs[0];
    if (op->weight < 0 || op->inputs[0] != input || GramTermOf(s->network, s->d, s->m, op->weight).with != label) continue;
    FetchCost(s, PETSC_TRUE, places * (PetscReal)s->network->labels[op->weight].rows, &held, cost);
    if (op->weight != label) continue;
    FetchCost(s, PETSC_FALSE, places * (PetscReal)s->network->labels[label].cols, &held, cost);
    T += places;
  }
  cost->work[WORK_STREAM] += 8 * 4 * T * T * s->m * s->m / 2 / s->PK; /* both products, and K twice */
  cost->bytes = PetscMax(cost->bytes, held);
}

/* by its block of J, in panels */
static void BlockCost(const Sizes *s, PetscInt label, PetscReal held, Cost *cost)
{
  const Label    *what   = &s->network->labels[label];
  const PetscReal most   = (PetscReal)GramPanelRows(s->network, label),
                  width  = PetscMin(most, (PetscReal)what->rows) * (PetscReal)what->cols;
  const PetscReal panels = PetscCeilReal((PetscReal)what->rows / most);
  Cost            panel  = {.bytes = 0};

  held += 8 * s->m / s->P * width;
  FetchCost(s, PETSC_TRUE, (PetscReal)what->rows * (PetscReal)what->cols / panels, &held, &panel);
  panel.work[WORK_STREAM] += 8 * 3 * s->m * s->m / 2 / s->PK; /* the product, and K twice */
  panel.bytes = PetscMax(panel.bytes, held);
  CostAdd(cost, &panel, panels);
}

void GramCost(const Sizes *s, Cost *cost)
{
  const PetscReal scratch = ScratchBytes(s);
  Cost            gram    = {.bytes = 0};

  for (PetscInt label = 0; label < s->network->nlabels; label++) {
    const GramTerm term = GramTermOf(s->network, s->d, s->m, label);

    gram.work[WORK_PRODUCT] += term.flops / s->PK;
    if (term.with == label && term.block) BlockCost(s, label, scratch, &gram);
    if (term.with == label && !term.block) FactorsCost(s, label, scratch, &gram);
  }
  CostAdd(cost, &gram, 1);
}
