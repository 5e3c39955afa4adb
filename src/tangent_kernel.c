/*
  tangent_kernel.c: see tangent_kernel.h.
*/
#include "codim/tangent_kernel.h"
#include "codim/checkpoint.h"
#include "codim/kernel.h"
#include "codim/random.h"
#include "spectrum_method.h"
#include <math.h>
#include <string.h>

enum { STREAM_WEAKEST = 1 << 22 }; /* of the solver's start vector */

PetscErrorCode TangentKernelCreate(ResidualMap map, const SpectrumOptions *options, TangentKernel *kernel)
{
  TangentKernel new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->map     = map;
  new->options = options;
  new->nlabels = map->network->nlabels;
  PetscCall(PetscCalloc1(new->nlabels, &new->label));
  PetscCall(EPSCreate(map->grid->world, &new->eps));
  PetscCall(EPSSetOptionsPrefix(new->eps, "weakest_"));
  PetscCall(EPSSetProblemType(new->eps, EPS_HEP));
  PetscCall(EPSSetWhichEigenpairs(new->eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetConvergenceTest(new->eps, EPS_CONV_REL));
  PetscCall(EPSSetTolerances(new->eps, 1e-12, 200));
  PetscCall(EPSSetDimensions(new->eps, 1, PetscMin(map->m, 20), PETSC_DEFAULT));
  PetscCall(EPSSetFromOptions(new->eps));
  *kernel = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TangentKernelDestroy(TangentKernel *kernel)
{
  PetscFunctionBeginUser;
  if (!*kernel) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(EPSDestroy(&(*kernel)->eps));
  PetscCall(PetscFree((*kernel)->label));
  PetscCall(PetscFree(*kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

/* how far lambda_k = sigma_k^2 may be off */
static PetscReal EigenvalueError(const Spectrum *s, PetscInt k)
{
  const PetscReal r = s->resolution;

  return s->check.method ? 2 * s->sigma[k] * r + r * r : r * r;
}

/* d/d lambda of lambda/(lambda + mu) is mu/(lambda + mu)^2; a term is at most 1 */
static void EffectiveDimensions(const Spectrum *s, TangentNumbers *t)
{
  for (PetscInt j = 0; j < TANGENT_MUS; j++) {
    const PetscReal mu = PetscSqr(s->sigma[0]) * PetscPowReal(10, -2 * (PetscReal)(j + 1));

    t->mu[j]        = mu;
    t->effective[j] = t->effective_error[j] = 0;
    for (PetscInt k = 0; mu > 0 && k < s->m; k++) {
      const PetscReal lambda = PetscSqr(s->sigma[k]), low = PetscMax(0, lambda - EigenvalueError(s, k));

      t->effective[j] += lambda / (lambda + mu);
      t->effective_error[j] += PetscMin(1, EigenvalueError(s, k) * mu / PetscSqr(low + mu));
    }
  }
}

static void NumbersOf(const Spectrum *s, TangentNumbers *t)
{
  const PetscBool whole = (PetscBool)(s->rank == s->m);

  t->trace           = s->norm2;
  t->stable_rank     = s->norm2 / PetscSqr(s->sigma[0]);
  t->condition       = whole ? PetscSqr(s->sigma[0] / s->sigma[s->m - 1]) : (PetscReal)NAN;
  t->log_determinant = whole ? 0 : (PetscReal)NAN;
  for (PetscInt k = 0; whole && k < s->m; k++) t->log_determinant += 2 * PetscLogReal(s->sigma[k]);
  EffectiveDimensions(s, t);
}

static PetscErrorCode LeastGradient(TangentKernel kernel, Jacobian jacobian)
{
  const Rows      rows = kernel->map->rows;
  TangentNumbers *t    = &kernel->numbers;
  Vec             norms2;
  PetscInt        row;
  PetscReal       least;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(rows, &norms2));
  PetscCall(JacobianRowNormsSquared(jacobian, -1, norms2));
  PetscCall(VecMin(norms2, &row, &least));
  t->gradient_min    = PetscSqrtReal(least);
  t->gradient_point  = rows->point[row];
  t->gradient_output = rows->output[row];
  for (PetscInt label = 0; label < kernel->nlabels; label++) {
    PetscCall(JacobianRowNormsSquared(jacobian, label, norms2));
    PetscCall(VecSum(norms2, &kernel->label[label].share));
    kernel->label[label].share = t->trace > 0 ? kernel->label[label].share / t->trace : 0;
  }
  PetscCall(VecDestroy(&norms2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the weakest points --------------------------------------------------------------------------------------------------- */

typedef struct {
  ResidualMap map;
  Tiles       factor;
} Inverse;

static PetscErrorCode MatMult_Inverse(Mat mat, Vec x, Vec y)
{
  Inverse *inverse;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &inverse));
  PetscCall(VecCopy(x, y));
  PetscCall(KernelSolve(inverse->map, inverse->factor, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* of the points, those with the largest shares of u, the lower index first where they are equal */
static PetscErrorCode LargestShares(TangentKernel kernel, Vec u)
{
  const Rows      rows = kernel->map->rows;
  TangentNumbers *t    = &kernel->numbers;
  PetscReal      *all, *share;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->m, &all));
  PetscCall(PetscCalloc1(rows->d, &share));
  PetscCall(RowsGatherAll(rows, u, all));
  for (PetscInt k = 0; k < rows->m; k++) share[rows->point[k]] += all[k] * all[k];
  for (t->npoints = 0; t->npoints < PetscMin(TANGENT_POINTS, rows->d); t->npoints++) {
    PetscInt most = 0;

    for (PetscInt i = 1; i < rows->d; i++)
      if (share[i] > share[most]) most = i;
    t->point[t->npoints] = most;
    t->share[t->npoints] = share[most];
    share[most]          = -1;
  }
  PetscCall(PetscFree(share));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma^2 = u^T K u, |K u - sigma^2 u|, and what the gap makes of it (Davis and Kahan); K u from the factors of J, not from K */
static PetscErrorCode MeasureVector(TangentKernel kernel, Jacobian jacobian, const Spectrum *s, Vec u)
{
  TangentNumbers *t   = &kernel->numbers;
  const PetscReal gap = s->m > 1 ? PetscSqr(s->sigma[s->m - 2]) - PetscSqr(s->sigma[s->m - 1]) : (PetscReal)INFINITY;
  PetscReal       square;
  Vec             Ku;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(u, &Ku));
  PetscCall(JacobianMultGram(jacobian, u, Ku));
  PetscCall(VecDot(u, Ku, &square));
  t->sigma = PetscSqrtReal(PetscMax(0, square));
  PetscCall(VecAXPY(Ku, -square, u));
  PetscCall(VecNorm(Ku, NORM_2, &t->residual));
  t->angle = gap > 0 && t->residual < gap ? t->residual / (gap - t->residual) : (PetscReal)INFINITY;
  PetscCall(VecDestroy(&Ku));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SetStart(TangentKernel kernel)
{
  const Range owned = kernel->map->rows->owned;
  Vec         start;
  PetscReal  *local;

  PetscFunctionBeginUser;
  PetscCall(RowsCreateVec(kernel->map->rows, &start));
  PetscCall(VecGetArrayWrite(start, &local));
  RandomNormal(0, STREAM_WEAKEST, owned.first, owned.last - owned.first, local);
  PetscCall(VecRestoreArrayWrite(start, &local));
  PetscCall(EPSSetInitialSpace(kernel->eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* where K has no factor, that of K + E I, which has the same eigenvectors */
static PetscErrorCode ShiftedFactor(Jacobian jacobian, const Spectrum *s, Tiles K, PetscBool *factored)
{
  const PetscReal E = 4 * PetscSqr(s->check.method ? s->check.resolution : s->resolution);

  PetscFunctionBeginUser;
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesShift(K, E));
  PetscCall(TilesCholesky(K, factored));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WeakestPoints(TangentKernel kernel, Jacobian jacobian, const Spectrum *s, Tiles K, PetscBool *factored)
{
  const Range owned   = kernel->map->rows->owned;
  Inverse     inverse = {kernel->map, K};
  Mat         mat;
  Vec         u;
  PetscInt    found;
  PetscBool   there = *factored;

  PetscFunctionBeginUser;
  kernel->numbers.npoints = 0;
  if (!there && s->counted) PetscFunctionReturn(PETSC_SUCCESS); /* not worth a second factorization there */
  if (!there) PetscCall(ShiftedFactor(jacobian, s, K, &there));
  if (!there) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(
      MatCreateShell(kernel->map->grid->world, owned.last - owned.first, owned.last - owned.first, s->m, s->m, &inverse, &mat));
  PetscCall(MatShellSetOperation(mat, MATOP_MULT, (void (*)(void))MatMult_Inverse));
  PetscCall(MatSetOption(mat, MAT_SYMMETRIC, PETSC_TRUE));
  PetscCall(EPSSetOperators(kernel->eps, mat, NULL));
  PetscCall(SetStart(kernel));
  PetscCall(EPSSolve(kernel->eps));
  PetscCall(EPSGetConverged(kernel->eps, &found));
  if (found > 0) {
    PetscCall(RowsCreateVec(kernel->map->rows, &u));
    PetscCall(EPSGetEigenvector(kernel->eps, 0, u, NULL));
    PetscCall(VecNormalize(u, NULL));
    PetscCall(LargestShares(kernel, u));
    PetscCall(MeasureVector(kernel, jacobian, s, u));
    PetscCall(VecDestroy(&u));
  }
  PetscCall(MatDestroy(&mat));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- labels ------------------------------------------------------------------------------------------------------------------ */

/* flops of every K_label and of its eigenvalues */
static PetscReal LabelFlops(Network net, PetscReal d, PetscReal m)
{
  PetscReal sum = 0;

  for (PetscInt label = 0; label < net->nlabels; label++) sum += GramTermOf(net, d, m, label).flops_alone + 4. / 3 * m * m * m;
  return sum;
}

static PetscBool LabelsAreWanted(const SpectrumOptions *options, PetscReal flops)
{
  return (PetscBool)(options->labels == LABELS_ALWAYS ||
                     (options->labels == LABELS_AUTO && flops <= TANGENT_FLOPS && !SpectrumCounts(options)));
}

/* sigma descending, by the rule of spectrum.h for gram, and by the number of entries */
static void DecideLabel(PetscInt m, const PetscReal lambda[], PetscReal E, LabelKernel *label)
{
  PetscInt above = 0;

  label->computed   = PETSC_TRUE;
  label->resolution = PetscSqrtReal(E);
  label->lambda_max = lambda[m - 1];
  while (above < m && lambda[m - 1 - above] >= 1e6 * E && lambda[m - 1 - above] > 0) above++;
  label->rank       = above == label->rank_max ? above : -1;
  label->lambda_min = label->size < m ? 0 : lambda[0] > E ? lambda[0] : (PetscReal)NAN;
}

static PetscErrorCode OneLabel(TangentKernel kernel, Jacobian jacobian, PetscInt index, Tiles K, PetscReal lambda[])
{
  LabelKernel *label = &kernel->label[index];
  PetscReal    trace, E;

  PetscFunctionBeginUser;
  PetscCall(GramComputeLabel(jacobian, index, K));
  PetscCall(TilesNorms(K, &trace, NULL, NULL));
  PetscCall(TilesEigenvalues(K, lambda));
  PetscCall(GramEigenvalueError(jacobian, trace, lambda[kernel->map->m - 1], &E));
  DecideLabel(kernel->map->m, lambda, E, label);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void BeginLabels(TangentKernel kernel)
{
  const ResidualMap map = kernel->map;

  kernel->numbers.flops = LabelFlops(map->network, (PetscReal)map->d, (PetscReal)map->m);
  for (PetscInt label = 0; label < kernel->nlabels; label++) {
    LabelKernel *k = &kernel->label[label];

    k->size       = map->network->labels[label].rows * map->network->labels[label].cols;
    k->rank_max   = PetscMin(map->m, k->size);
    k->rank       = -1;
    k->computed   = PETSC_FALSE;
    k->lambda_min = k->size < map->m ? 0 : (PetscReal)NAN;
    k->lambda_max = k->resolution = (PetscReal)NAN;
  }
}

/* the numbers, and the labels that are done */
static PetscErrorCode PartArchive(Archive archive, void *context)
{
  TangentKernel kernel = (TangentKernel)context;

  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "numbers", sizeof kernel->numbers, &kernel->numbers));
  PetscCall(ArchiveStruct(archive, "labels", (size_t)kernel->nlabels * sizeof *kernel->label, kernel->label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AllLabels(TangentKernel kernel, Jacobian jacobian, Tiles K, PetscBool *factored, PetscBool *stop)
{
  const MPI_Comm comm = kernel->map->grid->world;
  PetscReal     *lambda;

  PetscFunctionBeginUser;
  if (!LabelsAreWanted(kernel->options, kernel->numbers.flops)) PetscFunctionReturn(PETSC_SUCCESS);
  *factored = PETSC_FALSE;
  PetscCall(PetscMalloc1(kernel->map->m, &lambda));
  for (PetscInt label = 0; label < kernel->nlabels && !*stop; label++) {
    if (kernel->label[label].computed) continue;
    PetscCall(Progress(comm, (PetscReal)label, (PetscReal)kernel->nlabels, "K of one label after the other"));
    PetscCall(OneLabel(kernel, jacobian, label, K, lambda));
    PetscCall(CheckpointSafePoint(comm, "tangent", PartArchive, kernel, stop));
  }
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TangentKernelCompute(TangentKernel kernel, Jacobian jacobian, const Spectrum *s, Tiles K, PetscBool *factored)
{
  PetscBool resumed, stop = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CheckpointResume("tangent", PartArchive, kernel, &resumed));
  if (!resumed) {
    NumbersOf(s, &kernel->numbers);
    PetscCall(LeastGradient(kernel, jacobian));
    BeginLabels(kernel);
    PetscCall(WeakestPoints(kernel, jacobian, s, K, factored));
    PetscCall(CheckpointSafePoint(kernel->map->grid->world, "tangent", PartArchive, kernel, &stop));
  }
  if (!stop) PetscCall(AllLabels(kernel, jacobian, K, factored, &stop));
  kernel->known = (PetscBool)!stop;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode TangentKernelArchive(Archive archive, TangentKernel kernel)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveBool(archive, "known", &kernel->known));
  if (!kernel->known) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PartArchive(archive, kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what it says ---------------------------------------------------------------------------------------------------------------- */

static json_t *Real(PetscReal x)
{
  return PetscIsInfOrNanReal(x) ? json_null() : json_real((double)x);
}

static json_t *LabelToJSON(const LabelKernel *k, const char name[])
{
  return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:I}", "name", name, "size", (json_int_t)k->size, "trace_share",
                   Real(k->share), "lambda_min", Real(k->lambda_min), "lambda_max", Real(k->lambda_max), "rank",
                   k->rank < 0 ? json_null() : json_integer(k->rank), "rank_resolution", Real(k->resolution), "rank_max",
                   (json_int_t)k->rank_max);
}

static json_t *LabelsToJSON(TangentKernel kernel)
{
  json_t *labels = json_array();

  for (PetscInt label = 0; label < kernel->nlabels; label++)
    json_array_append_new(labels, LabelToJSON(&kernel->label[label], kernel->map->network->labels[label].name));
  return labels;
}

static json_t *WeakestToJSON(const TangentNumbers *t)
{
  json_t *points = json_array();

  if (!t->npoints) {
    json_decref(points);
    return json_null();
  }
  for (PetscInt i = 0; i < t->npoints; i++)
    json_array_append_new(points, json_pack("{s:I, s:o}", "point", (json_int_t)t->point[i] + 1, "share", Real(t->share[i])));
  return json_pack("{s:o, s:o, s:o, s:o}", "points", points, "sigma", Real(t->sigma), "residual", Real(t->residual), "angle",
                   Real(t->angle));
}

/* why the labels' ranks are not there; NULL: they are */
static json_t *Skipped(TangentKernel kernel)
{
  char text[160];

  if (!kernel->nlabels || kernel->label[0].computed) return json_null();
  if (kernel->options->labels == LABELS_NEVER || SpectrumCounts(kernel->options))
    return json_string("not asked for (spectrum.labels)");
  snprintf(text, sizeof text, "%.1e flops, more than %.0e: spectrum.labels: always", (double)kernel->numbers.flops, TANGENT_FLOPS);
  return json_string(text);
}

json_t *TangentKernelToJSON(TangentKernel kernel)
{
  const TangentNumbers *t         = &kernel->numbers;
  json_t               *effective = json_array();

  for (PetscInt j = 0; j < TANGENT_MUS; j++)
    json_array_append_new(effective, json_pack("{s:o, s:o, s:o}", "mu", Real(t->mu[j]), "value", Real(t->effective[j]), "error",
                                               Real(t->effective_error[j])));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:{s:o, s:I, s:I}, s:o, s:o, s:o}", "trace", Real(t->trace), "log_determinant",
                   Real(t->log_determinant), "condition", Real(t->condition), "stable_rank", Real(t->stable_rank),
                   "effective_dimension", effective, "gradient_min", "norm", Real(t->gradient_min), "point",
                   (json_int_t)t->gradient_point + 1, "output", (json_int_t)t->gradient_output + 1, "weakest_points",
                   WeakestToJSON(t), "labels", LabelsToJSON(kernel), "labels_skipped", Skipped(kernel));
}

/* share of the trace, and what of the rank is known */
static void AppendLabel(TangentKernel kernel, PetscInt i, size_t size, char text[])
{
  const LabelKernel *k = &kernel->label[i];

  TextAppend(size, text, "%s %.3g %%", kernel->map->network->labels[i].name, 100 * (double)k->share);
  if (!k->computed) return;
  if (k->rank == kernel->map->m)
    TextAppend(size, text, " (alone of rank m, lambda_min %.2g)", (double)k->lambda_min);
  else if (k->rank >= 0 || k->rank_max < kernel->map->m)
    TextAppend(size, text, " (alone of rank %s%" PetscInt_FMT ")", k->rank >= 0 ? "" : "<= ", k->rank >= 0 ? k->rank : k->rank_max);
}

/* those with the largest shares */
static void AppendLabels(TangentKernel kernel, size_t size, char text[])
{
  const PetscInt most = PetscMin(3, kernel->nlabels);
  PetscInt       last = -1;

  for (PetscInt shown = 0; shown < most; shown++) {
    PetscInt next = -1; /* after `last` in the order of shares, then of labels */

    for (PetscInt i = 0; i < kernel->nlabels; i++) {
      const PetscReal share = kernel->label[i].share;

      if (last >= 0 && !(share < kernel->label[last].share || (share == kernel->label[last].share && i > last))) continue;
      if (next < 0 || share > kernel->label[next].share) next = i;
    }
    if (next < 0) return;
    TextAppend(size, text, "%s", shown ? ", " : "; of the trace ");
    AppendLabel(kernel, next, size, text);
    last = next;
  }
  if (kernel->nlabels > most) TextAppend(size, text, ", %" PetscInt_FMT " more", kernel->nlabels - most);
}

void TangentKernelDescribe(TangentKernel kernel, size_t size, char text[])
{
  const TangentNumbers *t = &kernel->numbers;

  text[0] = '\0';
  TextAppend(size, text, "trace %.4g, ", (double)t->trace);
  if (!PetscIsInfOrNanReal(t->log_determinant)) TextAppend(size, text, "log det %.4g, ", (double)t->log_determinant);
  if (!PetscIsInfOrNanReal(t->condition)) TextAppend(size, text, "condition %.3g, ", (double)t->condition);
  if (!PetscIsInfOrNanReal(t->stable_rank))
    TextAppend(size, text, "stable rank %.3g, effective dimension %.4g (mu = lambda_max/100), ", (double)t->stable_rank,
               (double)t->effective[0]);
  TextAppend(size, text, "least |grad f_i| %.3g", (double)t->gradient_min);
  for (PetscInt i = 0; i < PetscMin(3, t->npoints) && t->angle < .1; i++)
    TextAppend(size, text, "%s%" PetscInt_FMT " (%.0f %%)", i ? ", " : "; weakest points ", t->point[i] + 1,
               100 * (double)t->share[i]);
  AppendLabels(kernel, size, text);
}

/* ---- cost ------------------------------------------------------------------------------------------------------------------------- */

void TangentKernelCost(const Sizes *s, const SpectrumOptions *options, Cost *cost, Cost *stretch)
{
  const PetscReal solves = 40, labels = (PetscReal)s->network->nlabels; /* solves: of a Krylov-Schur basis of 20, twice */
  Cost            solve = {.bytes = 0}, label = {.bytes = 0};

  cost->work[WORK_STREAM] += 2 * SizesValues(s, s->R) * 2; /* rows' norms, of all and of each label */
  if (options->method != SPECTRUM_AUTO && options->method != SPECTRUM_GRAM && !SpectrumCounts(options)) { /* ShiftedFactor */
    GramCost(s, cost);
    TilesCholeskyCost(s, cost);
  }
  CostGather(&solve, s->P, 8 * s->m, 1);
  TilesSolveCost(s, &solve);
  CostAdd(cost, &solve, solves);
  JacobianMultGramCost(s, cost);
  CostLonger(stretch, cost);
  if (LabelsAreWanted(options, LabelFlops(s->network, s->d, s->m))) {
    TilesEigenvaluesCost(s, &label);
    CostAdd(cost, &label, labels);
    GramCost(s, cost);   /* all labels together, */
    GramCost(s, &label); /* and the largest at most */
    CostLonger(stretch, &label);
  }
  CostHold(cost, 20 * 8 * s->m / s->P);
}
