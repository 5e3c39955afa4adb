/*
  memory.c: see memory.h.
*/
#include "memory.h"
#include "codim/gram.h"
#include "codim/walk.h"
#include <math.h>
#include <stdio.h>

/* the widest panels of factors that the tiles need at once: A and Delta of one label, or a panel of its block of J, for
   their rows and for their columns */
static PetscReal PanelBytes(ResidualMap map, Tiles K)
{
  const Network   net   = map->network;
  const PetscReal lines = (PetscReal)(TilesLocalRows(K, 0) + TilesLocalCols(K, 0));
  PetscReal       width = 0, flops;

  if (map->grid->size == 1 && !map->rows->gaps) return 0; /* borrowed */
  for (PetscInt label = 0; label < net->nlabels; label++)
    if (GramAssembles(map, label, &flops))
      width = PetscMax(width, PetscMax((PetscReal)GRAM_PANEL, (PetscReal)net->labels[label].cols));
  for (PetscInt v = 1; v < net->nops; v++)
    if (net->ops[v].weight >= 0) width = PetscMax(width, (PetscReal)(net->ops[net->ops[v].inputs[0]].dim + net->ops[v].dim));
  return 8. * lines * width;
}

MemoryPlan MemoryPredict(ResidualMap map, const HessianOptions *options, Tiles K)
{
  const PetscReal tiles  = 8. * (PetscReal)TilesLocalRows(K, 0) * (PetscReal)TilesLocalCols(K, 0);
  const PetscReal values = 8. * (PetscReal)map->N * (PetscReal)NetworkSumUnits(map->network);
  const PetscReal shard  = map->grid->G > 1 ? 8. * (PetscReal)map->n / map->grid->Q : 0; /* gathered and reduced label by label */
  MemoryPlan      plan;

  plan.base = 8. * (PetscReal)map->n / map->grid->size + 8. * (PetscReal)map->N * (PetscReal)(map->network->inputs + map->l) +
              values + ResidualValuesBytes(map) + shard;
  plan.reach    = 2 * tiles + values + PanelBytes(map, K);
  plan.spectrum = 2 * tiles + PanelBytes(map, K);
  plan.extremes = tiles + 5 * values + ExtremesBytes(options, ParametersLocalSize(map->parameters));
  plan.density  = tiles + 5 * values + DensityBytes(&options->density, ParametersLocalSize(map->parameters));
  plan.walk     = 2 * tiles + 2 * values + PanelBytes(map, K) + WalkBytes(map);
  plan.certify  = 3 * tiles + 2 * values + PanelBytes(map, K);
  return plan;
}

PetscErrorCode MemoryAvailable(MPI_Comm comm, PetscReal *bytes)
{
  MPI_Comm    node;
  PetscMPIInt ranks;
  FILE       *file = fopen("/proc/meminfo", "r");
  char        line[256];
  long long   kib = -1;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &ranks));
  PetscCallMPI(MPI_Comm_free(&node));
  while (file && kib < 0 && fgets(line, sizeof(line), file))
    if (sscanf(line, "MemAvailable: %lld", &kib) != 1) kib = -1;
  if (file) (void)fclose(file);
  *bytes = kib < 0 ? INFINITY : 1024. * (PetscReal)kib / ranks;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bytes, 1, MPIU_REAL, MPI_MIN, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
