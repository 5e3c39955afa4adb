/*
  checkpoint.h: theta of a job that was stopped, to go on from.

  dir/checkpoint.safetensors holds theta; dir/checkpoint.json, written after it, the options of the job it belongs to: only with both is
  there a checkpoint. Any number of ranks can read it.
*/
#pragma once

#include "options.h"
#include "store.h"

/** Collective. STATUS_DATA if it cannot be written. */
PetscErrorCode CheckpointWrite(Parameters parameters, Vec theta, const json_t *options, const char dir[]);

/** *found: dir has a checkpoint, and theta is it. STATUS_DATA if it belongs to a job with other options (naming the first that differs) or is
    damaged. Collective. */
PetscErrorCode CheckpointRead(Parameters parameters, const json_t *options, const char dir[], Vec theta, PetscBool *found);

/** The job is done: forget it. Collective. */
PetscErrorCode CheckpointRemove(MPI_Comm comm, const char dir[]);
