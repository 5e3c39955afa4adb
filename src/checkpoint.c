/*
  checkpoint.c: see checkpoint.h.
*/
#include "codim/checkpoint.h"
#include "file.h"
#include <string.h>
#include <unistd.h>

static struct {
  PetscBool         begun, stopped, held;
  PetscInt          points; /* safe points passed */
  CheckpointOptions options;
  PetscMPIInt       rank;
  FilePath          path;
  PetscLogDouble    written; /* when; at first, when the run began */
  PetscLogDouble    cost;    /* seconds of the last writing */
  Archive           pending; /* what the interrupted stage has not taken yet */
} checkpoint;

static const PetscReal Rate  = 1e8,
                       Share = 20; /* bytes/s before one was measured; a writing in so many times its duration at most */

/* ---- writing ---------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode ArchivePartial(Archive archive, const char name[], ArchiveFn *state, void *context)
{
  PetscBool there;

  PetscFunctionBeginUser;
  PetscCall(ArchiveEnter(archive, "partial", &there));
  PetscCall(ArchiveEnter(archive, name, &there));
  PetscCall(state(archive, context));
  PetscCall(ArchiveLeave(archive));
  PetscCall(ArchiveLeave(archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* state NULL: between stages */
static PetscErrorCode Write(const char name[], ArchiveFn *state, void *context, Complaint *complaint)
{
  const PetscLogDouble start = MPI_Wtime();
  Archive              archive;

  PetscFunctionBeginUser;
  PetscCall(ArchiveCreate(checkpoint.options.comm, &archive));
  PetscCall(checkpoint.options.state(archive, checkpoint.options.context));
  if (state) PetscCall(ArchivePartial(archive, name, state, context));
  PetscCall(ArchiveWrite(archive, checkpoint.path, complaint));
  PetscCall(ArchiveDestroy(&archive));
  checkpoint.written = MPI_Wtime();
  checkpoint.cost    = checkpoint.written - start;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Asked to stop, or is it time? interval: seconds since the last writing that make it time. Decided by rank 0's clock. While something is
   pending it is not: the file has what the stage to come has not taken yet, and is better than a new one.                             */
static PetscErrorCode Due(PetscReal interval, PetscBool *stop, PetscBool *due)
{
  const PetscLogDouble since   = MPI_Wtime() - checkpoint.written;
  int                  mine[2] = {StopFlag(), 0}, any[2];

  PetscFunctionBeginUser;
  checkpoint.points++;
  if (checkpoint.options.stop_at && checkpoint.points >= checkpoint.options.stop_at) mine[0] = 1;
  if (checkpoint.rank == 0 && checkpoint.options.minutes > 0 && !checkpoint.pending)
    mine[1] = since >= PetscMax((PetscLogDouble)interval, (PetscLogDouble)Share * checkpoint.cost);
  PetscCallMPI(MPI_Allreduce(mine, any, 2, MPI_INT, MPI_MAX, checkpoint.options.comm));
  *stop = (PetscBool)(any[0] != 0);
  *due  = (PetscBool)(any[1] != 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SafePoint(PetscReal interval, const char name[], ArchiveFn *state, void *context, PetscBool *stop)
{
  Complaint complaint = {STATUS_HOLDS, ""};
  PetscBool due       = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(Due(interval, stop, &due));
  if ((due || *stop) && !checkpoint.pending) PetscCall(Write(name, state, context, &complaint));
  if (*stop) {
    PetscCall(ComplaintRaise(checkpoint.options.comm, &complaint));
    checkpoint.stopped = PETSC_TRUE;
  } else if (complaint.status && checkpoint.rank == 0)
    fprintf(stderr, "codim: no checkpoint now, the run goes on: %s\n", complaint.text);
  PetscFunctionReturn(PETSC_SUCCESS);
}

void CheckpointHold(PetscBool hold)
{
  checkpoint.held = hold;
}

PetscBool CheckpointHeld(void)
{
  return checkpoint.held;
}

PetscErrorCode CheckpointSafePoint(MPI_Comm comm, const char name[], ArchiveFn *state, void *context, PetscBool *stop)
{
  PetscFunctionBeginUser;
  if (checkpoint.held) {
    *stop = PETSC_FALSE;
  } else if (checkpoint.begun) {
    PetscCall(SafePoint(60 * checkpoint.options.minutes, name, state, context, stop));
  } else {
    PetscCall(StopRequested(comm, stop));
    checkpoint.stopped = *stop;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointWanted(MPI_Comm comm, PetscBool *wanted)
{
  PetscBool stop = PETSC_FALSE, due = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (checkpoint.held)
    ;
  else if (checkpoint.begun)
    PetscCall(Due(60 * checkpoint.options.minutes, &stop, &due));
  else
    PetscCall(StopRequested(comm, &stop));
  *wanted = (PetscBool)(stop || due);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointStageEnd(MPI_Comm comm, PetscBool *stop)
{
  PetscFunctionBeginUser;
  if (checkpoint.begun)
    PetscCall(SafePoint(6 * checkpoint.options.minutes, NULL, NULL, NULL, stop));
  else
    PetscCall(StopRequested(comm, stop));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointSave(PetscBool *saved)
{
  Complaint complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  if (checkpoint.begun && !checkpoint.pending) PetscCall(Write(NULL, NULL, NULL, &complaint));
  *saved = (PetscBool)(checkpoint.begun && !complaint.status);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool CheckpointStopped(void)
{
  return checkpoint.stopped;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

PetscErrorCode CheckpointBegin(const char dir[], const CheckpointOptions *options, PetscBool *resumed)
{
  FilePath beside;

  PetscFunctionBeginUser;
  checkpoint.options = *options;
  checkpoint.stopped = PETSC_FALSE;
  checkpoint.points  = 0;
  PetscCallMPI(MPI_Comm_rank(options->comm, &checkpoint.rank));
  PetscCall(PetscSNPrintf(checkpoint.path, sizeof checkpoint.path, "%s/checkpoint.h5", dir));
  if (checkpoint.rank == 0 && !FileBeside(checkpoint.path, beside)) (void)unlink(beside); /* of a run that died while it wrote */
  PetscCall(ArchiveOpen(options->comm, checkpoint.path, &checkpoint.pending));
  *resumed         = (PetscBool)(checkpoint.pending != NULL);
  checkpoint.begun = PETSC_TRUE;
  if (*resumed) {
    PetscBool partial;

    PetscCall(options->state(checkpoint.pending, options->context));
    if (checkpoint.pending) PetscCall(ArchiveEnter(checkpoint.pending, "partial", &partial));
    if (checkpoint.pending && !partial) PetscCall(ArchiveDestroy(&checkpoint.pending));
  }
  checkpoint.written = MPI_Wtime();
  checkpoint.cost    = (PetscLogDouble)(options->bytes / Rate);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointResume(const char name[], ArchiveFn *state, void *context, PetscBool *resumed)
{
  PetscFunctionBeginUser;
  *resumed = PETSC_FALSE;
  if (!checkpoint.pending || checkpoint.held) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(ArchiveEnter(checkpoint.pending, name, resumed));
  if (!*resumed) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(state(checkpoint.pending, context));
  PetscCall(ArchiveDestroy(&checkpoint.pending));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointForget(void)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveDestroy(&checkpoint.pending));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *CheckpointPath(void)
{
  return checkpoint.path;
}

PetscErrorCode CheckpointRemove(void)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointForget());
  if (checkpoint.begun && checkpoint.rank == 0) (void)unlink(checkpoint.path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointEnd(void)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointForget());
  checkpoint.begun = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}
