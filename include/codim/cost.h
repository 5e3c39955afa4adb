/*
  cost.h: what a part of a run costs a rank: counted from sizes, before anything is allocated.

  Every module that does work has a function that fills a Cost from Sizes; its formula stands beside the code it counts. `codim plan` prints
  their sums, `codim run` compares them with the memory there is, and the tests with what was measured.

    work       the busiest rank's: rank 0's, which has the larger part wherever something does not divide
    bytes      the largest rank's, at the peak of the part, on top of what is held when it begins
    received   bytes a rank receives, the mean over all ranks: B of a broadcast, the others' parts of a gathered B, 2 B (p-1)/p of a B
               reduced to all p ranks, the others' share of B (p-1)/p of one reduced and scattered, B of a message
    messages   calls of MPI that move data, the mean over all ranks: a collective call on several ranks is one on each, a message one
               on its sender
*/
#pragma once

#include "network.h"

typedef enum {
  WORK_PRODUCT,      /* flops of matrix products */
  WORK_CHOLESKY,     /* flops, m^3/3 for order m */
  WORK_EIGENVALUES,  /* flops, 4/3 m^3 */
  WORK_EIGENVECTORS, /* flops, 9 m^3, values included */
  WORK_QR,           /* flops, 2 n m^2 */
  WORK_STREAM,       /* bytes read or written in memory, once through */
  WORK_ELEMENTS,     /* values and derivatives of sigma, and the like */
  WORK_NORMALS,      /* random numbers */
  WORK_FILE,         /* bytes written */
  WORK_HASH,         /* bytes read from a file and hashed */
  WORK_KINDS
} WorkKind;

typedef struct {
  PetscReal work[WORK_KINDS];
  PetscReal bytes, received, messages;
} Cost;

/* The problem on a grid of ranks. PetscReal: nothing may overflow. */
typedef struct {
  Network   network;
  PetscReal d, p, l, m, n;
  PetscReal P, G, Q;              /* ranks, data groups, parameter shards: P = G Q */
  PetscReal N, R;                 /* points and residuals of the largest group */
  PetscReal shard, local;         /* parameters in the largest shard, and on the largest rank */
  PetscReal nb, nprow, npcol, PK; /* tiles of K, and its process grid of PK ranks */
  PetscReal rows, cols;           /* of the fullest process of it */
} Sizes;

/** Every target is taken as observed. Not collective: needs nothing but the net. */
void SizesSet(Network network, PetscInt d, PetscInt ranks, PetscInt G, PetscInt Q, Sizes *sizes);

/** The same grid of ranks, with tiles of another order. Not collective. */
Sizes SizesOfOrder(const Sizes *sizes, PetscReal order);

/** Rows of a label in the largest shard, and its entries there. Not collective. */
PetscReal SizesShardRows(const Sizes *sizes, PetscInt label);
PetscReal SizesShardEntries(const Sizes *sizes, PetscInt label);

/** Bytes of every value at the largest group's points, `rows` in all: 8 rows sum_units. Not collective. */
PetscReal SizesValues(const Sizes *sizes, PetscReal rows);

/** Bytes of the fullest process' part of K. Not collective. */
PetscReal SizesTiles(const Sizes *sizes);

/** "" or why MPI or the BLAS, which count in 32 bits, cannot do with these shards, and what works: entries of a label's shard where several
    data groups gather it, its rows and columns anywhere. Not collective. */
void SizesLimit(const Sizes *sizes, size_t size, char text[]);

/* ---- putting costs together. Not collective. ---------------------------------------------------------------------- */

/** One after the other: cost, then `times` times the part. */
void CostAdd(Cost *cost, const Cost *part, PetscReal times);

/** Of two parts the one with more work: flops, and bytes of memory. */
void CostLonger(Cost *longest, const Cost *part);

/** What is allocated around all of it. */
void CostHold(Cost *cost, PetscReal bytes);

/** Flops of all kinds. */
PetscReal CostFlops(const Cost *cost);

/* collective calls on p ranks; bytes: of the whole gathered, reduced or broadcast array. `calls` at once. */
void CostGather(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls);        /* Allgather(v) */
void CostReduceAll(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls);     /* Allreduce */
void CostReduceScatter(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls); /* Reduce_scatter */
void CostBroadcast(Cost *cost, PetscReal p, PetscReal bytes, PetscReal calls);     /* Bcast */

/** One pass over a label's shard: to read it (ParametersGetShard), to add to it (ParametersBeginAdd … EndAdd). */
void CostReadShard(const Sizes *sizes, PetscInt label, Cost *cost);
void CostAddToShard(const Sizes *sizes, PetscInt label, Cost *cost);
