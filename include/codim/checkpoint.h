/*
  checkpoint.h: output/checkpoint.h5, what an interrupted job goes on from.

  A process has one checkpoint, as it has one stop flag. The job says what it consists of (an ArchiveFn: see archive.h); a long stage says
  where it could pause and what it would need to go on from there:

    PetscCall(CheckpointResume("qr", FoldArchive, &fold, &resumed));       at its start
    PetscCall(CheckpointSafePoint("qr", FoldArchive, &fold, &stop));       every now and then; leave the stage where it says stop

  It is written at a safe point where the run was asked to stop (SIGUSR1, SIGTERM, SIGINT), or where the last writing is checkpoint.minutes ago;
  and at a stage's end where a tenth of that has passed. By itself it is not written more often than leaves it 5 % of the time
  (20 times what the last writing took, at first 8 n bytes at 100 MB/s). One that cannot be written is a warning, and the run goes on;
  unless it was to stop: then it is STATUS_DATA. The last good one stays in either case.

  Every function is collective on the checkpoint's communicator. Without a checkpoint (CheckpointBegin was not called) safe points only
  look at the stop flag, and nothing is ever resumed.
*/
#pragma once

#include "archive.h"

typedef struct {
  MPI_Comm   comm;
  PetscReal  minutes; /* 0: only when asked to stop */
  PetscInt   stop_at; /* as if asked to stop at that safe point, counted from 1; 0: never */
  PetscReal  bytes;   /* about how large it will be */
  ArchiveFn *state;   /* of the whole job, but for the stage it is in */
  void      *context;
} CheckpointOptions;

/** Where dir has a checkpoint, read the job's state from it. STATUS_DATA where it is damaged, or where `state` refuses it. */
PetscErrorCode CheckpointBegin(const char dir[], const CheckpointOptions *options, PetscBool *resumed);

/** Where it is. Not collective; owned by the module. */
const char *CheckpointPath(void);

/** The job is done, its results are written: forget it. */
PetscErrorCode CheckpointRemove(void);

/** Nothing is written any more; the file stays. Also after an error. */
PetscErrorCode CheckpointEnd(void);

/** A place where the stage could pause: `state` is all it needs, beyond the job's. *stop: it was asked to, and the checkpoint is on disk: end the
    stage without a result. Costs one reduction of two integers where nothing is to be done. `comm` is used where there is no checkpoint. */
PetscErrorCode CheckpointSafePoint(MPI_Comm comm, const char name[], ArchiveFn *state, void *context, PetscBool *stop);

/** Would a safe point write now, or stop? For solvers that must end first to be archived: then call CheckpointSafePoint. */
PetscErrorCode CheckpointWanted(MPI_Comm comm, PetscBool *wanted);

/** The state of this name, where the stage was interrupted by a former run. It can be taken once. */
PetscErrorCode CheckpointResume(const char name[], ArchiveFn *state, void *context, PetscBool *resumed);

/** The stage that was interrupted begins anew: what it left is not taken. */
PetscErrorCode CheckpointForget(void);

/** Until it is called with false: safe points do nothing, and nothing is resumed. For work inside a stage that uses other stages' methods and is done
    again as a whole. The same on every rank; not collective. */
void      CheckpointHold(PetscBool hold);
PetscBool CheckpointHeld(void);

/** Between two stages. *stop as at a safe point. */
PetscErrorCode CheckpointStageEnd(MPI_Comm comm, PetscBool *stop);

/** Now, between two stages, whatever the clock says. *saved: it is on disk; nothing is raised. */
PetscErrorCode CheckpointSave(PetscBool *saved);

/** Was the run stopped at a safe point: a checkpoint was written, and it ends with STATUS_STOPPED? Not collective. */
PetscBool CheckpointStopped(void);
