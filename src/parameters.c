/*
  parameters.c: theta as labelled matrices in shards; see parameters.h.

  Shard q is the concatenation over labels of the rows BlockRange(rows, Q, q); `start` says where a label's block begins in it. Rank
  (g,q) owns the entries BlockRange(shard size, G, g) of it. A label's block is gathered from the pieces that meet it.
*/
#include "codim/parameters.h"
#include "codim/random.h"

enum { HELD_MAX = 4 };

typedef struct {
  Vec        v;     /* NULL: free */
  PetscReal *shard; /* all labels */
} Held;

struct Parameters_s {
  Grid          grid;
  PetscInt      nlabels, n, nruns;
  Label        *labels;
  Range        *rows;  /* this shard's rows of each label */
  PetscInt     *start; /* of each label's block in the shard; start[nlabels] = shard size */
  Range         piece; /* of the shard, owned here */
  ParameterRun *runs;
  Held          held[HELD_MAX];
};

static Range Intersection(Range a, Range b)
{
  Range both = {PetscMax(a.first, b.first), PetscMin(a.last, b.last)};

  if (both.last < both.first) both.last = both.first;
  return both;
}

static Range LabelBlock(Parameters p, PetscInt label)
{
  const Range block = {p->start[label], p->start[label + 1]};

  return block;
}

static PetscErrorCode FindRuns(Parameters p)
{
  PetscInt64 before = 0; /* entries of earlier labels, in the canonical order */

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(p->nlabels, &p->runs));
  for (PetscInt label = 0; label < p->nlabels; label++) {
    const Label *what = &p->labels[label];
    const Range  here = Intersection(LabelBlock(p, label), p->piece);

    if (here.last > here.first) {
      ParameterRun *run = &p->runs[p->nruns++];

      run->label     = label;
      run->first     = (PetscInt64)p->rows[label].first * what->cols + (here.first - p->start[label]);
      run->canonical = before + run->first;
      run->count     = here.last - here.first;
      run->local     = here.first - p->piece.first;
    }
    before += (PetscInt64)what->rows * what->cols;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckSize(Grid grid, PetscInt nlabels, const Label labels[])
{
  PetscInt64 n = 0;

  PetscFunctionBeginUser;
  for (PetscInt label = 0; label < nlabels; label++) {
    n += (PetscInt64)labels[label].rows * labels[label].cols;
    PetscCall(UserCheck(grid->world, (PetscBool)(n <= PETSC_MAX_INT), STATUS_USAGE,
                        "the net has more than %" PetscInt_FMT " parameters: build with 64-bit indices (make INDEX=64)",
                        PETSC_MAX_INT));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersCreate(Grid grid, PetscInt nlabels, const Label labels[], Parameters *parameters)
{
  Parameters p;

  PetscFunctionBeginUser;
  PetscCall(CheckSize(grid, nlabels, labels));
  PetscCall(PetscNew(&p));
  p->grid    = grid;
  p->nlabels = nlabels;
  PetscCall(PetscMalloc3(nlabels, &p->labels, nlabels, &p->rows, nlabels + 1, &p->start));
  PetscCall(PetscArraycpy(p->labels, labels, nlabels));
  p->start[0] = 0;
  for (PetscInt label = 0; label < nlabels; label++) {
    p->n += labels[label].rows * labels[label].cols;
    p->rows[label]      = BlockRange(labels[label].rows, grid->Q, grid->q);
    p->start[label + 1] = p->start[label] + (p->rows[label].last - p->rows[label].first) * labels[label].cols;
  }
  p->piece = BlockRange(p->start[nlabels], grid->G, grid->g);
  PetscCall(FindRuns(p));
  *parameters = p;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersDestroy(Parameters *parameters)
{
  PetscFunctionBeginUser;
  if (!*parameters) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree3((*parameters)->labels, (*parameters)->rows, (*parameters)->start));
  PetscCall(PetscFree((*parameters)->runs));
  PetscCall(PetscFree(*parameters));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersGetLabels(Parameters p, PetscInt *nlabels, const Label **labels)
{
  PetscFunctionBeginUser;
  *nlabels = p->nlabels;
  *labels  = p->labels;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt ParametersSize(Parameters p)
{
  return p->n;
}

PetscInt ParametersLocalSize(Parameters p)
{
  return p->piece.last - p->piece.first;
}

Range ParametersShardRows(Parameters p, PetscInt label)
{
  return p->rows[label];
}

Range ParametersShardEntries(Parameters p, PetscInt label)
{
  const Range rows = p->rows[label], entries = {rows.first * p->labels[label].cols, rows.last * p->labels[label].cols};

  return entries;
}

Grid ParametersGrid(Parameters p)
{
  return p->grid;
}

PetscErrorCode ParametersGetRuns(Parameters p, PetscInt *nruns, const ParameterRun **runs)
{
  PetscFunctionBeginUser;
  *nruns = p->nruns;
  *runs  = p->runs;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersCreateVec(Parameters p, Vec *v)
{
  PetscFunctionBeginUser;
  PetscCall(VecCreateMPI(p->grid->world, p->piece.last - p->piece.first, p->n, v));
  PetscCall(VecSet(*v, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* How a label's block of the shard lies over the data groups: counts and displacements in entries. */
static PetscErrorCode BlockCounts(Parameters p, PetscInt label, PetscMPIInt **counts, PetscMPIInt **starts)
{
  const PetscMPIInt G     = p->grid->G;
  const Range       block = LabelBlock(p, label);

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(G, counts, G, starts));
  for (PetscMPIInt g = 0; g < G; g++) {
    const Range here = Intersection(block, BlockRange(p->start[p->nlabels], G, g));

    PetscCall(PetscMPIIntCast(here.last - here.first, &(*counts)[g]));
    PetscCall(PetscMPIIntCast(here.last > here.first ? here.first - block.first : 0, &(*starts)[g]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where this rank's part of a label's block begins in the local array. */
static PetscInt LocalStart(Parameters p, PetscInt label)
{
  return Intersection(LabelBlock(p, label), p->piece).first - p->piece.first;
}

static PetscInt BlockSize(Parameters p, PetscInt label)
{
  return p->start[label + 1] - p->start[label];
}

static Held *FindHeld(Parameters p, Vec v)
{
  for (PetscInt i = 0; i < HELD_MAX; i++)
    if (p->held[i].v == v) return &p->held[i];
  return NULL;
}

/* a label's block of v, whole, into `whole` */
static PetscErrorCode GatherBlock(Parameters p, Vec v, PetscInt label, PetscReal whole[])
{
  const PetscReal *local;
  PetscMPIInt     *counts, *starts;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(v, &local));
  PetscCall(BlockCounts(p, label, &counts, &starts));
  PetscCallMPI(MPI_Allgatherv(counts[p->grid->g] ? local + LocalStart(p, label) : NULL, counts[p->grid->g], MPIU_REAL, whole,
                              counts, starts, MPIU_REAL, p->grid->shard));
  PetscCall(PetscFree2(counts, starts));
  PetscCall(VecRestoreArrayRead(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersHold(Parameters p, Vec v)
{
  Held *held = FindHeld(p, NULL);

  PetscFunctionBeginUser;
  if (p->grid->G == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(held && !FindHeld(p, v), p->grid->world, PETSC_ERR_ORDER, "held already, or too many Vecs are");
  PetscCall(PetscMalloc1(p->start[p->nlabels], &held->shard));
  for (PetscInt label = 0; label < p->nlabels; label++) PetscCall(GatherBlock(p, v, label, held->shard + p->start[label]));
  held->v = v;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersRelease(Parameters p, Vec v)
{
  Held *held = FindHeld(p, v);

  PetscFunctionBeginUser;
  if (p->grid->G == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCheck(held, p->grid->world, PETSC_ERR_ORDER, "the Vec is not held");
  PetscCall(PetscFree(held->shard));
  held->v = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersGetShard(Parameters p, Vec v, PetscInt label, const PetscReal **rows)
{
  const Held      *held = FindHeld(p, v);
  const PetscReal *local;
  PetscReal       *whole;

  PetscFunctionBeginUser;
  if (p->grid->G == 1) {
    PetscCall(VecGetArrayRead(v, &local));
    *rows = local + p->start[label];
  } else if (held) {
    *rows = held->shard + p->start[label];
  } else {
    PetscCall(PetscMalloc1(BlockSize(p, label), &whole));
    PetscCall(GatherBlock(p, v, label, whole));
    *rows = whole;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersRestoreShard(Parameters p, Vec v, PetscInt label, const PetscReal **rows)
{
  PetscFunctionBeginUser;
  if (p->grid->G == 1) {
    const PetscReal *local = *rows - p->start[label];

    PetscCall(VecRestoreArrayRead(v, &local));
  } else if (!FindHeld(p, v))
    PetscCall(PetscFree(*rows));
  *rows = NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersBeginAdd(Parameters p, Vec v, PetscInt label, PetscReal **rows)
{
  PetscReal *local;

  PetscFunctionBeginUser;
  if (p->grid->G == 1) {
    PetscCall(VecGetArray(v, &local));
    *rows = local + p->start[label];
  } else
    PetscCall(PetscCalloc1(BlockSize(p, label), rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersEndAdd(Parameters p, Vec v, PetscInt label, PetscReal **rows)
{
  PetscReal   *local, *sum;
  PetscMPIInt *counts, *starts, g = p->grid->g;

  PetscFunctionBeginUser;
  if (p->grid->G == 1) {
    local = *rows - p->start[label];
    PetscCall(VecRestoreArray(v, &local));
    *rows = NULL;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(BlockCounts(p, label, &counts, &starts));
  PetscCall(PetscMalloc1(counts[g], &sum));
  PetscCallMPI(MPI_Reduce_scatter(*rows, sum, counts, MPIU_REAL, MPI_SUM, p->grid->shard));
  PetscCall(VecGetArray(v, &local));
  if (counts[g]) { /* no part of the block here: LocalStart means nothing */
    PetscReal *mine = local + LocalStart(p, label);

    for (PetscMPIInt i = 0; i < counts[g]; i++) mine[i] += sum[i];
  }
  PetscCall(VecRestoreArray(v, &local));
  PetscCall(PetscFree(sum));
  PetscCall(PetscFree2(counts, starts));
  PetscCall(PetscFree(*rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ParametersSetRandom(Parameters p, PetscInt64 seed, PetscInt64 stream, Vec v)
{
  PetscReal *local;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(v, &local));
  for (PetscInt i = 0; i < p->nruns; i++)
    RandomNormal(seed, stream, p->runs[i].canonical, p->runs[i].count, local + p->runs[i].local);
  PetscCall(VecRestoreArrayWrite(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}
