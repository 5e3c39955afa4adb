/*
  traffic.c: traffic.so, a library to preload that counts what MPI moves in a run of codim (or of any MPI program):

    mpiexec -n 4 env LD_PRELOAD=build/traffic.so CODIM_TRAFFIC_FILE=traffic.json build/codim run JOB.yaml

  At MPI_Finalize rank 0 writes {"received": bytes a rank, "messages": calls a rank that move data}, means over the ranks, by the conventions of
  include/codim/cost.h: what `codim plan` predicts. A library of its own, as it takes the names that other profilers of MPI take.
*/
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "count_mpi.h"
#include <stdio.h>
#include <stdlib.h>

int MPI_Finalize(void)
{
  const char *path = getenv("CODIM_TRAFFIC_FILE");
  double      received, messages;
  FILE       *out;

  CountRead(&received, &messages);
  out = path && Rank(MPI_COMM_WORLD) == 0 ? fopen(path, "w") : NULL;
  if (out) {
    fprintf(out, "{\"received\": %.17g, \"messages\": %.17g}\n", received, messages);
    fclose(out);
  }
  return PMPI_Finalize();
}
