/*
  cost.c: sizes on a grid of ranks, and sums of costs; see cost.h. What a module costs stands in the module.
*/
#include "codim/cost.h"
#include "codim/tiles.h"
#include <limits.h>

/* ---- sizes ------------------------------------------------------------------------------------------------------------ */

void SizesSet(Network network, PetscInt d, PetscInt ranks, PetscInt G, PetscInt Q, Sizes *s)
{
  const Sizes none = {0};

  *s         = none;
  s->network = network;
  s->d       = (PetscReal)d;
  s->p       = (PetscReal)network->inputs;
  s->l       = (PetscReal)network->outputs;
  s->m       = s->d * s->l;
  s->n       = (PetscReal)NetworkSize(network);
  s->P       = (PetscReal)ranks;
  s->G       = (PetscReal)G;
  s->Q       = (PetscReal)Q;
  s->N       = PetscCeilReal(s->d / s->G);
  s->R       = s->N * s->l;
  for (PetscInt label = 0; label < network->nlabels; label++) s->shard += SizesShardEntries(s, label);
  s->local = PetscCeilReal(s->shard / s->G);
  *s       = SizesOfOrder(s, s->m);
}

Sizes SizesOfOrder(const Sizes *sizes, PetscReal order)
{
  Sizes      s = *sizes;
  TilesShape shape;

  TilesChoose((PetscInt)s.P, order, &shape);
  s.m     = order;
  s.nb    = shape.nb;
  s.nprow = shape.nprow;
  s.npcol = shape.npcol;
  s.PK    = s.nprow * s.npcol;
  s.rows  = shape.rows;
  s.cols  = shape.cols;
  return s;
}

PetscReal SizesShardRows(const Sizes *s, PetscInt label)
{
  return PetscCeilReal((PetscReal)s->network->labels[label].rows / s->Q);
}

PetscReal SizesShardEntries(const Sizes *s, PetscInt label)
{
  return SizesShardRows(s, label) * (PetscReal)s->network->labels[label].cols;
}

PetscReal SizesValues(const Sizes *s, PetscReal rows)
{
  return 8 * rows * (PetscReal)NetworkSumUnits(s->network);
}

PetscReal SizesTiles(const Sizes *s)
{
  return 8 * s->rows * s->cols;
}

void SizesLimit(const Sizes *s, size_t size, char text[])
{
  text[0] = '\0';
  for (PetscInt k = 0; k < s->network->nlabels && !text[0]; k++) {
    const Label    *label = &s->network->labels[k];
    const PetscReal rows = (PetscReal)label->rows, cols = (PetscReal)label->cols, most = PetscMax(rows, cols);

    if (most > INT_MAX)
      (void)PetscSNPrintf(text, size, "%s has %.0f rows or columns: the BLAS counts in 32 bits", label->name, (double)most);
    else if (s->G > 1 && SizesShardEntries(s, k) > INT_MAX)
      (void)PetscSNPrintf(text, size,
                          "%s has %.3g entries in a shard, and MPI counts what %.0f groups of points gather in 32 bits: use one "
                          "group, or "
                          "at least %.0f shards",
                          label->name, (double)SizesShardEntries(s, k), (double)s->G,
                          (double)PetscCeilReal(rows / PetscFloorReal(INT_MAX / cols)));
  }
}

/* ---- sums ------------------------------------------------------------------------------------------------------------- */

void CostAdd(Cost *cost, const Cost *part, PetscReal times)
{
  for (int kind = 0; kind < WORK_KINDS; kind++) cost->work[kind] += times * part->work[kind];
  cost->received += times * part->received;
  cost->messages += times * part->messages;
  if (times > 0) cost->bytes = PetscMax(cost->bytes, part->bytes);
}

void CostLonger(Cost *longest, const Cost *part)
{
  const PetscReal flops = CostFlops(part), longest_flops = CostFlops(longest);

  if (flops + part->work[WORK_STREAM] > longest_flops + longest->work[WORK_STREAM]) *longest = *part;
}

void CostHold(Cost *cost, PetscReal bytes)
{
  cost->bytes += bytes;
}

PetscReal CostFlops(const Cost *cost)
{
  PetscReal flops = 0;

  for (int kind = WORK_PRODUCT; kind <= WORK_QR; kind++) flops += cost->work[kind];
  return flops;
}

static void CostCalls(Cost *cost, PetscReal p, PetscReal received, PetscReal calls)
{
  if (p <= 1) return; /* no data move */
  cost->received += calls * received;
  cost->messages += calls;
}

void CostGather(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls)
{
  CostCalls(cost, p, bytes * (1 - 1 / p), calls);
}

void CostReduceAll(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls)
{
  CostCalls(cost, p, 2 * bytes * (1 - 1 / p), calls);
}

void CostReduceScatter(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls)
{
  CostCalls(cost, p, bytes * (1 - 1 / p), calls);
}

void CostBroadcast(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls)
{
  CostCalls(cost, p, bytes * (1 - 1 / p), calls);
}

/* ---- shards of parameters (parameters.c) ---------------------------------------------------------------------------- */

void CostReadShard(const Sizes *s, PetscInt label, Cost *cost)
{
  const PetscReal bytes = 8 * SizesShardEntries(s, label);
  Cost            get   = {.work[WORK_STREAM] = bytes};

  if (s->G > 1) {
    get.bytes = bytes;
    CostGather(&get, s->G, bytes, 1);
  }
  CostAdd(cost, &get, 1);
}

void CostAddToShard(const Sizes *s, PetscInt label, Cost *cost)
{
  const PetscReal bytes = 8 * SizesShardEntries(s, label);
  Cost            add   = {.work[WORK_STREAM] = 2 * bytes};

  if (s->G > 1) {
    add.bytes = bytes * (1 + 1 / s->G); /* the accumulator, and this rank's part of the sum */
    CostReduceScatter(&add, s->G, bytes, 1);
  }
  CostAdd(cost, &add, 1);
}
