/*
  density.c: see density.h.
*/
#include "codim/density.h"
#include "codim/checkpoint.h"
#include "lanczos.h"
#include <math.h>
#include <stdlib.h>

PetscReal DensityBytes(const DensityOptions *options, PetscInt n_local)
{
  return 8. * (PetscReal)n_local * (PetscReal)(options->steps + 3);
}

static PetscErrorCode Allocate(PetscInt n, PetscInt steps, PetscInt probes, Density *density)
{
  const size_t size = (size_t)steps * (size_t)probes;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(density, sizeof *density));
  density->n     = n;
  density->steps = steps;
  PetscCall(PetscCalloc5(probes, &density->nodes, probes, &density->exact, size, &density->node, size, &density->weight, size,
                         &density->residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DensityDestroy(Density *density)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(density->nodes, density->exact, density->node, density->weight, density->residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DensityArchive(Archive archive, Density *d)
{
  const PetscBool reading = ArchiveReading(archive);
  PetscInt        n = d->n, steps = d->steps, probes = d->probes, size;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "n", &n));
  PetscCall(ArchiveInt(archive, "steps", &steps));
  PetscCall(ArchiveInt(archive, "probes", &probes));
  if (reading && !d->node) PetscCall(Allocate(n, steps, probes, d));
  d->probes = probes;
  size      = probes * steps;
  PetscCall(ArchiveInt(archive, "products", &d->products));
  PetscCall(ArchiveReal(archive, "seconds", &d->seconds));
  if (!probes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ArchiveStruct(archive, "nodes", (size_t)probes * sizeof *d->nodes, d->nodes));
  PetscCall(ArchiveStruct(archive, "exact", (size_t)probes * sizeof *d->exact, d->exact));
  PetscCall(ArchiveReals(archive, "node", size, d->node));
  PetscCall(ArchiveReals(archive, "weight", size, d->weight));
  PetscCall(ArchiveReals(archive, "residual", size, d->residual));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PartArchive(Archive archive, void *context)
{
  PetscFunctionBeginUser;
  PetscCall(DensityArchive(archive, (Density *)context));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the next probe, from its start v */
static PetscErrorCode AddProbe(Mat A, Vec v, BV V, const LanczosProgress *progress, Density *density, PetscBool *stopped)
{
  const size_t at = (size_t)density->probes * (size_t)density->steps;
  Quadrature   q  = {.node = density->node + at, .weight = density->weight + at, .residual = density->residual + at};

  PetscFunctionBeginUser;
  PetscCall(LanczosQuadrature(A, v, V, progress, &q));
  *stopped = q.stopped;
  if (q.stopped) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < q.k; i++) q.weight[i] *= (PetscReal)density->n;
  density->exact[density->probes]   = q.invariant;
  density->nodes[density->probes++] = q.k;
  density->products += q.k;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DensityCompute(Mat A, Parameters parameters, const DensityOptions *options, const DensitySpace *space,
                              Density *density)
{
  const PetscLogDouble start     = MPI_Wtime();
  const MPI_Comm       world     = ParametersGrid(parameters)->world;
  const PetscInt       dimension = space ? space->dimension : ParametersSize(parameters);
  PetscBool            stopped   = PETSC_FALSE, resumed;
  Vec                  v;
  BV                   V;

  PetscFunctionBeginUser;
  PetscCall(Allocate(dimension, PetscMin(options->steps, dimension), options->probes, density));
  PetscCall(CheckpointResume("density", PartArchive, density, &resumed));
  PetscCall(ParametersCreateVec(parameters, &v));
  PetscCall(LanczosCreateBasis(v, density->steps, &V));
  for (PetscInt probe = density->probes; probe < options->probes && !stopped; probe++) {
    const LanczosProgress progress = {"Lanczos steps of the density", probe * density->steps, options->probes * density->steps};

    PetscCall(ParametersSetRandom(parameters, 0, DENSITY_STREAM + probe, v));
    if (space) PetscCall(space->project(space->context, v));
    PetscCall(AddProbe(A, v, V, CheckpointHeld() ? NULL : &progress, density, &stopped));
    PetscCall(CheckpointSafePoint(world, "density", PartArchive, density, &stopped));
  }
  PetscCall(BVDestroy(&V));
  PetscCall(VecDestroy(&v));
  density->seconds += (PetscReal)(MPI_Wtime() - start);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- of a known spectrum ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode MatMult_Diagonal(Mat mat, Vec x, Vec y)
{
  Vec diagonal;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &diagonal));
  PetscCall(VecPointwiseMult(y, diagonal, x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the eigenvalues as a diagonal, 0 last; v: the square root of each one's share of n */
static PetscErrorCode SetSpectrum(PetscInt n, PetscInt count, const PetscReal lambda[], Vec diagonal, Vec v)
{
  PetscReal *d, *w;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(diagonal, &d));
  PetscCall(VecGetArrayWrite(v, &w));
  for (PetscInt k = 0; k <= count; k++) {
    d[k] = k < count ? lambda[k] : 0;
    w[k] = PetscSqrtReal(k < count ? 1 : (PetscReal)(n - count));
  }
  PetscCall(VecRestoreArrayWrite(v, &w));
  PetscCall(VecRestoreArrayWrite(diagonal, &d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DensityOfSpectrum(PetscInt n, PetscInt count, const PetscReal lambda[], PetscInt steps, Density *density)
{
  PetscBool stopped;
  Vec       diagonal, v;
  Mat       A;
  BV        V;

  PetscFunctionBeginUser;
  PetscCall(Allocate(n, PetscMin(steps, count + 1), 1, density));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, count + 1, &v));
  PetscCall(VecDuplicate(v, &diagonal));
  PetscCall(SetSpectrum(n, count, lambda, diagonal, v));
  PetscCall(MatCreateShell(PETSC_COMM_SELF, count + 1, count + 1, count + 1, count + 1, diagonal, &A));
  PetscCall(MatShellSetOperation(A, MATOP_MULT, (void (*)(void))MatMult_Diagonal));
  PetscCall(LanczosCreateBasis(v, density->steps, &V));
  PetscCall(AddProbe(A, v, V, NULL, density, &stopped));
  PetscCall(BVDestroy(&V));
  PetscCall(MatDestroy(&A));
  PetscCall(VecDestroy(&diagonal));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what the nodes say ------------------------------------------------------------------------------------------------------- */

/* one probe's nodes; exact: they are the measure itself */
typedef struct {
  PetscInt         k;
  PetscBool        exact;
  const PetscReal *node, *weight;
} Probe;

static Probe ProbeOf(const Density *density, PetscInt p)
{
  const size_t at = (size_t)p * (size_t)density->steps;

  return (Probe){density->nodes[p], (PetscBool)(density->exact[p] || density->nodes[p] == density->n), density->node + at,
                 density->weight + at};
}

/* value, low and high of one probe */
typedef DensityEstimate ProbeFn(const Probe *probe, PetscReal t);

static DensityEstimate MeanOverProbes(const Density *density, ProbeFn *of, PetscReal t)
{
  const PetscReal P      = (PetscReal)density->probes;
  DensityEstimate mean   = {0, INFINITY, 0, 0};
  PetscReal       square = 0;

  for (PetscInt p = 0; p < density->probes; p++) {
    const Probe           probe = ProbeOf(density, p);
    const DensityEstimate one   = of(&probe, t);
    const PetscReal       step  = one.value - mean.value;

    mean.value += step / (PetscReal)(p + 1);
    square += step * (one.value - mean.value);
    mean.low += (one.low - mean.low) / (PetscReal)(p + 1); /* in the same way: equal where they are equal */
    mean.high += (one.high - mean.high) / (PetscReal)(p + 1);
  }
  if (density->probes > 1) mean.error = PetscSqrtReal(square / (P - 1) / P);
  return mean;
}

static PetscReal SumOfWeights(const Probe *probe, PetscInt first, PetscInt last)
{
  PetscReal sum = 0;

  for (PetscInt i = PetscMax(first, 0); i < PetscMin(last, probe->k); i++) sum += probe->weight[i];
  return sum;
}

/* nodes after t count; with j nodes up to t (theta_j <= t < theta_(j+1)), mu(t, oo) is at least w_(j+2) + … and at most w_j + … */
static DensityEstimate Above(const Probe *probe, PetscReal t)
{
  PetscInt        j = 0;
  DensityEstimate e = {0};

  while (j < probe->k && probe->node[j] <= t) j++;
  e.value = SumOfWeights(probe, j, probe->k);
  e.low   = probe->exact ? e.value : SumOfWeights(probe, j + 1, probe->k);
  e.high  = probe->exact ? e.value : SumOfWeights(probe, j - 1, probe->k);
  return e;
}

static DensityEstimate Below(const Probe *probe, PetscReal t)
{
  PetscInt        j = 0;
  DensityEstimate e = {0};

  while (j < probe->k && probe->node[j] < t) j++;
  e.value = SumOfWeights(probe, 0, j);
  e.low   = probe->exact ? e.value : SumOfWeights(probe, 0, j - 1);
  e.high  = probe->exact ? e.value : SumOfWeights(probe, 0, j + 1);
  return e;
}

DensityEstimate DensityCount(const Density *density, PetscReal t, PetscBool below)
{
  return MeanOverProbes(density, below ? Below : Above, t);
}

static PetscInt NodeNearZero(const Probe *probe)
{
  PetscInt nearest = 0;

  for (PetscInt i = 1; i < probe->k; i++)
    if (PetscAbsReal(probe->node[i]) < PetscAbsReal(probe->node[nearest])) nearest = i;
  return nearest;
}

static DensityEstimate NearZero(const Probe *probe, PetscReal t)
{
  const PetscInt  i = NodeNearZero(probe);
  DensityEstimate e = {0};

  (void)t;
  e.value = probe->k ? probe->weight[i] : 0;
  e.low   = e.value;
  e.high  = probe->exact ? e.value : SumOfWeights(probe, i - 1, i + 2);
  return e;
}

DensityEstimate DensityNearZero(const Density *density)
{
  return MeanOverProbes(density, NearZero, 0);
}

/* mu beyond the node next to 0: at least the nodes from the second on, at most with that node's weight */
static DensityEstimate Side(const Probe *probe, PetscReal below)
{
  const PetscInt  i = NodeNearZero(probe);
  DensityEstimate e = {0};

  e.value = below > 0 ? SumOfWeights(probe, 0, i) : SumOfWeights(probe, i + 1, probe->k);
  e.low   = probe->exact ? e.value : below > 0 ? SumOfWeights(probe, 0, i - 1) : SumOfWeights(probe, i + 2, probe->k);
  e.high  = probe->exact ? e.value : e.value + SumOfWeights(probe, i, i + 1);
  return e;
}

DensityEstimate DensitySide(const Density *density, PetscBool below)
{
  return MeanOverProbes(density, Side, below ? 1 : 0);
}

static DensityEstimate Moment(const Probe *probe, PetscReal power)
{
  DensityEstimate e = {0, 0, -INFINITY, INFINITY};

  for (PetscInt i = 0; i < probe->k; i++) e.value += probe->weight[i] * (power == 1 ? probe->node[i] : PetscSqr(probe->node[i]));
  return e;
}

DensityEstimate DensityTrace(const Density *density, PetscInt power)
{
  return MeanOverProbes(density, Moment, (PetscReal)power);
}

static int Ascending(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;

  return (x > y) - (x < y);
}

PetscReal DensityResolution(const Density *density)
{
  PetscReal *second, median;

  if (density->probes == 0) return INFINITY;
  second = malloc((size_t)density->probes * sizeof *second);
  if (!second) return INFINITY;
  for (PetscInt p = 0; p < density->probes; p++) {
    const Probe    probe   = ProbeOf(density, p);
    const PetscInt nearest = NodeNearZero(&probe);

    second[p] = INFINITY;
    for (PetscInt i = 0; i < probe.k; i++)
      if (i != nearest) second[p] = PetscMin(second[p], PetscAbsReal(probe.node[i]));
  }
  qsort(second, (size_t)density->probes, sizeof *second, Ascending);
  median = second[density->probes / 2];
  free(second);
  return median;
}

void DensityEnds(const Density *density, PetscReal *largest, PetscReal *largest_residual, PetscReal *least,
                 PetscReal *least_residual)
{
  *largest          = -INFINITY;
  *least            = INFINITY;
  *largest_residual = *least_residual = INFINITY;
  for (PetscInt p = 0; p < density->probes; p++) {
    const size_t first = (size_t)p * (size_t)density->steps, last = first + (size_t)density->nodes[p] - 1;

    if (density->node[last] > *largest) {
      *largest          = density->node[last];
      *largest_residual = density->residual[last];
    }
    if (density->node[first] < *least) {
      *least          = density->node[first];
      *least_residual = density->residual[first];
    }
  }
}

PetscErrorCode DensityWrite(SpectrumFile file, const char group[], const Density *density)
{
  const PetscInt size = density->probes * density->steps;
  PetscReal     *nodes;
  char           name[96];

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(density->probes, &nodes));
  for (PetscInt p = 0; p < density->probes; p++) nodes[p] = (PetscReal)density->nodes[p];
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/count", group));
  PetscCall(SpectrumFileWrite(file, name, density->probes, nodes, "how many nodes each probe has",
                              "of the `steps` entries a probe has in nodes and weights", "probe by probe"));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/nodes", group));
  PetscCall(SpectrumFileWrite(file, name, size, density->node, "nodes of the Gauss quadrature of each probe's spectral measure",
                              "Hessian of L = |H|^2 (plain sum)", "probe by probe, ascending"));
  PetscCall(PetscSNPrintf(name, sizeof name, "%s/weights", group));
  PetscCall(SpectrumFileWrite(file, name, size, density->weight,
                              "weights of the nodes: eigenvalues each stands for; a probe's add up to n",
                              "the node next to 0 holds every eigenvalue that the quadrature cannot tell from 0", "as the nodes"));
  PetscCall(PetscFree(nodes));
  PetscFunctionReturn(PETSC_SUCCESS);
}
