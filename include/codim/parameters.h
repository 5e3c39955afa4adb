/*
  parameters.h: theta, as labelled matrices in shards over the grid.

  A *label* is one tensor of parameters, seen as a matrix of rows x cols, row-major (a PyTorch tensor: first dimension x the rest).
  Shard q of a label is its block of rows BlockRange(rows, Q, q); the concatenation of these blocks over the labels is shard q,
  and rank (g,q) stores its g-th contiguous piece. With G = 1 the shard is the Vec's array. n-sized Vecs all have this layout.
  The order within the Vec depends on the grid; files use the canonical order: label by label, row-major.
*/
#pragma once

#include "grid.h"

typedef struct {
  char     name[96]; /* PyTorch's: layers.0.weight */
  PetscInt ndim;     /* shape as in files */
  PetscInt shape[4];
  PetscInt rows, cols;
} Label;

typedef struct Parameters_s *Parameters;

/** Copies the labels. Collective. */
PetscErrorCode ParametersCreate(Grid grid, PetscInt nlabels, const Label labels[], Parameters *parameters);
PetscErrorCode ParametersDestroy(Parameters *parameters);

PetscErrorCode ParametersGetLabels(Parameters parameters, PetscInt *nlabels, const Label **labels);
PetscInt       ParametersSize(Parameters parameters);                         /* n */
Range          ParametersShardRows(Parameters parameters, PetscInt label);    /* rows of the label in this rank's shard */
Range          ParametersShardEntries(Parameters parameters, PetscInt label); /* the same, as positions in the label */
Grid           ParametersGrid(Parameters parameters);
PetscInt       ParametersLocalSize(Parameters parameters); /* entries of an n-sized Vec here */

/** A new n-sized Vec, zero. Collective. */
PetscErrorCode ParametersCreateVec(Parameters parameters, Vec *v);

/** This rank's shard of a label, rows x cols, to read. With G = 1 a pointer into v, else gathered into scratch that is owned by
    `parameters` until restored (8 bytes x the label's shard). Any number may be held at once. Collective on the shard. */
PetscErrorCode ParametersGetShard(Parameters parameters, Vec v, PetscInt label, const PetscReal **rows);
PetscErrorCode ParametersRestoreShard(Parameters parameters, Vec v, PetscInt label, const PetscReal **rows);

/** Gather all of v's shard once and keep it until released, so that ParametersGetShard finds it: for a v that is read many times and not
    written meanwhile. 8 n/Q bytes a rank; nothing to do with G = 1. At most four Vecs at once. Collective on the shard. */
PetscErrorCode ParametersHold(Parameters parameters, Vec v);
PetscErrorCode ParametersRelease(Parameters parameters, Vec v);

/** An accumulator for a label's shard: add to `rows`, then end: v += sum over the data groups of what was added. With G = 1 it is
    the Vec's own memory (so `rows` is not zero at first: only add), else zeroed scratch, reduced at the end. Collective on the shard. */
PetscErrorCode ParametersBeginAdd(Parameters parameters, Vec v, PetscInt label, PetscReal **rows);
PetscErrorCode ParametersEndAdd(Parameters parameters, Vec v, PetscInt label, PetscReal **rows);

/* A run of entries of the local part of an n-sized Vec that is contiguous in the canonical order too. */
typedef struct {
  PetscInt   label;
  PetscInt64 first;     /* position within the label, row-major */
  PetscInt64 canonical; /* position in the canonical order of all n */
  PetscInt   count;
  PetscInt   local; /* position in the local array */
} ParameterRun;

/** The local runs, in local order. Not collective. */
PetscErrorCode ParametersGetRuns(Parameters parameters, PetscInt *nruns, const ParameterRun **runs);

/** v = standard normals, entry k in canonical order number k of stream (seed, stream): the same on every grid. Collective. */
PetscErrorCode ParametersSetRandom(Parameters parameters, PetscInt64 seed, PetscInt64 stream, Vec v);
