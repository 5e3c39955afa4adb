/*
  certify_norms.c: ||W||_2 <= t, proved by the Cholesky factorization of t^2 I - W^T W.

  A rank has a block of rows W_q of W: W^T W = sum_q W_q^T W_q is summed over the group. On the other side, of a row panel W_p,
  W_p W_p^T, and ||W||^2 <= sum_p ||W_p||^2.
*/
#include "certify_norms.h"
#include <petscblaslapack.h>

enum { PANEL = 256 };

/* ---- ||W||_F ------------------------------------------------------------------------------------------------------- */

/* in lanes: the order is free, and a single chain of additions is slower than memory */
static PetscReal Squares(size_t n, const PetscReal x[])
{
  enum { LANES = 16 };
  PetscReal sum[LANES] = {0}, total = 0;
  size_t    i = 0;

  for (; i + LANES <= n; i += LANES)
    for (size_t lane = 0; lane < LANES; lane++) sum[lane] += x[i + lane] * x[i + lane];
  for (; i < n; i++) total += x[i] * x[i];
  for (size_t lane = 0; lane < LANES; lane++) total += sum[lane];
  return total;
}

static PetscErrorCode FrobeniusNorms(ResidualMap map, Vec theta, LabelNorm norms[])
{
  const Network       net = map->network;
  PetscInt            nruns;
  const ParameterRun *runs;
  const PetscReal    *local;
  PetscReal          *squares;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(net->nlabels, &squares));
  PetscCall(ParametersGetRuns(map->parameters, &nruns, &runs));
  PetscCall(VecGetArrayRead(theta, &local));
  for (PetscInt run = 0; run < nruns; run++) {
    squares[runs[run].label] += Squares((size_t)runs[run].count, local + runs[run].local);
  }
  PetscCall(VecRestoreArrayRead(theta, &local));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, squares, (PetscMPIInt)net->nlabels, MPIU_REAL, MPI_SUM, map->grid->world));
  for (PetscInt label = 0; label < net->nlabels; label++) {
    const PetscReal n = (PetscReal)net->labels[label].rows * (PetscReal)net->labels[label].cols + map->grid->size;

    norms[label].spectral = norms[label].frobenius = NormUp(n, squares[label]);
  }
  PetscCall(PetscFree(squares));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- lambda_max of a Gram matrix ------------------------------------------------------------------------------------- */

/* an estimate of lambda_max: power steps, from a fixed start */
static PetscErrorCode PowerEstimate(PetscBLASInt s, const PetscReal G[], PetscReal *estimate)
{
  const PetscBLASInt one   = 1;
  const PetscReal    alpha = 1, beta = 0;
  PetscReal         *x, *y;

  PetscFunctionBeginUser;
  *estimate = 0;
  PetscCall(PetscMalloc2(s, &x, s, &y));
  for (PetscBLASInt i = 0; i < s; i++) x[i] = 1 + (PetscReal)((i * 7919) % 101) / 101;
  for (PetscInt step = 0; step < 12; step++) {
    PetscReal norm;

    PetscCallBLAS("BLASsymm", BLASsymm_("L", "L", &s, &one, &alpha, G, &s, x, &s, &beta, y, &s));
    norm = BLASnrm2_(&s, y, &one);
    if (!(norm > 0)) break;
    *estimate = norm; /* |x| = 1 but in the first step */
    for (PetscBLASInt i = 0; i < s; i++) x[i] = y[i] / norm;
  }
  PetscCall(PetscFree2(x, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* G^ = fl(sum of products), chain roundings to an entry: ||G^ - G||_F <= gamma_chain ||W||_F^2. If the Cholesky factorization of
   A = fl(t^2 I - G^) ends, lambda_min(A) >= -gamma_(s+3)/(1 - gamma_(s+3)) tr A (Rump 2006; Demmel 1989; Higham, Theorem 10.3; one
   more for reciprocals of the diagonal, one for good measure), tr A <= s t^2, and the diagonal of A is off by u t^2:

     ||W||^2 = lambda_max(G) <= t^2 + gamma_chain ||W||_F^2 + 1.01 gamma_(s+3) s t^2 + 2 u t^2

   t^2 is tried a little above the estimate, then higher; *bound stays where it is better. G: lower triangle, work: s x s. */
static PetscErrorCode ProveLargest(PetscBLASInt s, const PetscReal G[], PetscReal work[], PetscReal slack, PetscReal *bound)
{
  static const PetscReal margins[] = {2e-2, 8e-2, .3};
  PetscReal              estimate;

  PetscFunctionBeginUser;
  PetscCall(PowerEstimate(s, G, &estimate));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(margins); k++) {
    const PetscReal t2 = estimate * (1 + margins[k]);
    PetscBLASInt    info;
    PetscBool       ended;

    for (size_t i = 0; i < (size_t)s * (size_t)s; i++) work[i] = -G[i];
    for (PetscBLASInt i = 0; i < s; i++) work[(size_t)i * (size_t)(s + 1)] += t2;
    LAPACKpotrf_("L", &s, work, &s, &info);
    ended = (PetscBool)(info == 0);
    for (PetscBLASInt i = 0; i < s; i++) {
      const PetscReal diagonal = work[(size_t)i * (size_t)(s + 1)];

      ended = (PetscBool)(ended && diagonal > 0 && !PetscIsInfOrNanReal(diagonal));
    }
    if (!ended) continue;
    *bound =
        PetscMin(*bound, Up(t2 + slack + 1.01 * Gamma((PetscReal)s + 3) * (PetscReal)s * t2 + 2 * ROUNDING * t2 + TINY * (1 + t2)));
    break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* W: rows x cols, row-major. side = cols: W^T W, summed over comm; side = rows: W W^T of this rank's rows. `bound` comes as ||W||_F^2. */
static PetscErrorCode GramBound(MPI_Comm comm, PetscInt rows, PetscInt cols, PetscBool columns, const PetscReal W[],
                                PetscReal *bound)
{
  const PetscReal alpha = 1, beta = 0;
  const PetscInt  side = columns ? cols : rows;
  PetscReal      *G, *work;
  PetscBLASInt    s, k, ld;
  PetscMPIInt     ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscBLASIntCast(side, &s));
  PetscCall(PetscBLASIntCast(columns ? rows : cols, &k));
  PetscCall(PetscBLASIntCast(PetscMax(1, cols), &ld));
  PetscCall(PetscCalloc1((size_t)side * (size_t)side, &G));
  PetscCall(PetscMalloc1((size_t)side * (size_t)side, &work));
  /* row-major W is W^T by columns */
  if (s && k) PetscCallBLAS("BLASsyrk", BLASsyrk_("L", columns ? "N" : "T", &s, &k, &alpha, W, &ld, &beta, G, &s));
  if (columns && ranks > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, G, (PetscMPIInt)(side * side), MPIU_REAL, MPI_SUM, comm));
  if (s) PetscCall(ProveLargest(s, G, work, Gamma((PetscReal)k + (columns ? (PetscReal)ranks : 0) + 3) * *bound, bound));
  PetscCall(PetscFree(work));
  PetscCall(PetscFree(G));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||W||^2 <= sum over panels of rows, of all ranks of the group, of ||W_p||^2 */
static PetscErrorCode PanelsBound(Grid grid, PetscInt rows, PetscInt cols, PetscInt panel, const PetscReal W[], PetscReal *bound)
{
  const PetscInt terms = rows / panel + 1 + grid->Q;
  PetscReal      sum   = 0;

  PetscFunctionBeginUser;
  for (PetscInt row = 0; row < rows; row += panel) {
    const PetscInt   count = PetscMin(panel, rows - row);
    const PetscReal *W_p   = W + (size_t)row * (size_t)cols;
    const PetscReal  norm  = NormUp((PetscReal)count * (PetscReal)cols, Squares((size_t)count * (size_t)cols, W_p));
    PetscReal        mine  = norm * norm * (1 + SLACK);

    PetscCall(GramBound(PETSC_COMM_SELF, count, cols, PETSC_FALSE, W_p, &mine));
    sum += mine;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, grid->group));
  *bound = PetscMin(*bound, Up(sum * (1 + Gamma((PetscReal)terms + 1))));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all labels --------------------------------------------------------------------------------------------------------- */

static PetscInt LargestSide(PetscInt d)
{
  return PetscMin(2048, PetscMax(256, d));
}

static PetscBool NeedsPanels(PetscInt d, const Label *label)
{
  return (PetscBool)(PetscMin(label->rows, label->cols) > LargestSide(d));
}

PetscBool LabelsNeedPanels(ResidualMap map)
{
  for (PetscInt label = 0; label < map->network->nlabels; label++)
    if (NeedsPanels(map->d, &map->network->labels[label])) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* flops: PANEL/2 against d for each weight */
static PetscBool PanelsAreCheap(PetscInt d)
{
  return (PetscBool)(8 * (PANEL / 2) <= d);
}

PetscBool LabelPanelsAreCheap(ResidualMap map)
{
  return (PetscBool)(PanelsAreCheap(map->d) || !LabelsNeedPanels(map));
}

static PetscErrorCode SpectralNorm(ResidualMap map, Vec theta, PetscInt label, LabelNorm *norm)
{
  const Label     *what  = &map->network->labels[label];
  const Range      range = ParametersShardRows(map->parameters, label);
  const PetscInt   rows = range.last - range.first, cols = what->cols;
  const PetscReal *W;
  PetscReal        bound = norm->frobenius * norm->frobenius;

  PetscFunctionBeginUser;
  if (what->rows == 1 || cols == 1) PetscFunctionReturn(PETSC_SUCCESS); /* a vector */
  PetscCall(ParametersGetShard(map->parameters, theta, label, &W));
  if (cols <= LargestSide(map->d) && (map->grid->Q > 1 || cols <= what->rows))
    PetscCall(GramBound(map->grid->group, rows, cols, PETSC_TRUE, W, &bound));
  else
    PetscCall(PanelsBound(map->grid, rows, cols, what->rows <= LargestSide(map->d) ? what->rows : PANEL, W, &bound));
  PetscCall(ParametersRestoreShard(map->parameters, theta, label, &W));
  norm->spectral = PetscMin(norm->spectral, Up(PetscSqrtReal(bound)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundLabelNorms(ResidualMap map, Vec theta, PetscBool panels, LabelNorm norms[])
{
  PetscFunctionBeginUser;
  PetscCall(FrobeniusNorms(map, theta, norms));
  for (PetscInt label = 0; label < map->network->nlabels; label++)
    if (!NeedsPanels(map->d, &map->network->labels[label])) PetscCall(SpectralNorm(map, theta, label, &norms[label]));
  if (panels) PetscCall(BoundLabelPanels(map, theta, norms));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BoundLabelPanels(ResidualMap map, Vec theta, LabelNorm norms[])
{
  PetscFunctionBeginUser;
  for (PetscInt label = 0; label < map->network->nlabels; label++)
    if (NeedsPanels(map->d, &map->network->labels[label])) PetscCall(SpectralNorm(map, theta, label, &norms[label]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- cost ---------------------------------------------------------------------------------------------------------------------- */

void BoundLabelNormsCost(const Sizes *s, Cost *cost)
{
  const PetscInt d       = (PetscInt)s->d;
  Cost           norms   = {.work[WORK_STREAM] = 8 * s->local};
  PetscReal      largest = 0;

  CostReduceAll(&norms, s->P, 8 * (PetscReal)s->network->nlabels, 1);
  for (PetscInt label = 0; label < s->network->nlabels; label++) {
    const Label    *what = &s->network->labels[label];
    const PetscReal rows = SizesShardRows(s, label), cols = (PetscReal)what->cols;
    const PetscBool columns = (PetscBool)(what->cols <= LargestSide(d) && (s->Q > 1 || what->cols <= what->rows));
    const PetscReal side    = columns ? cols : what->rows <= LargestSide(d) ? (PetscReal)what->rows : PANEL;

    if (what->rows == 1 || what->cols == 1 || (NeedsPanels(d, what) && !PanelsAreCheap(d))) continue;
    CostReadShard(s, label, &norms);
    norms.work[WORK_PRODUCT] += rows * cols * side; /* of the Gram matrices; their factorizations */
    norms.work[WORK_CHOLESKY] += side * side * side / 3 * (columns ? 1 : PetscCeilReal(rows / side));
    CostReduceAll(&norms, s->Q, columns ? 8 * side * side : 8, 1);
    largest = PetscMax(largest, side);
  }
  CostHold(&norms, 2 * 8 * largest * largest);
  CostAdd(cost, &norms, 1);
}
