/*
  base.h: errors a user can mend, exit statuses, stages, progress, the stop flag.

  Every function is collective on its communicator unless it says otherwise.
*/
#pragma once

#include <petscsys.h>
#include <stdio.h>

#ifndef PETSC_SUCCESS
  #define PETSC_SUCCESS 0 /* PETSc < 3.19 */
#endif

/** What the process ends with, and what stands in `output/status`. Scripts rely on the numbers. */
typedef enum {
  STATUS_HOLDS     = 0,
  STATUS_REFUTED   = 2,
  STATUS_UNDECIDED = 3,  /* also divergence and "no zero reached" */
  STATUS_USAGE     = 64, /* bad usage or job file */
  STATUS_DATA      = 65, /* bad data or weights, or too little memory */
  STATUS_BUG       = 70,
  STATUS_STOPPED   = 75 /* stopped early; a checkpoint is in the output directory */
} ExitStatus;

/** Install the error handler (silent for user errors; PETSc's for crashes stays) and the start of the clock; switch off HDF5's automatic error
    printing; read -progress_seconds. Call once,
    after SlepcInitialize. */
PetscErrorCode BaseInitialize(void);

/** What printf makes of it, behind the text that is there, as far as `size` bytes reach. Not collective. */
void TextAppend(size_t size, char text[], const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/* ---- errors a user can mend ---------------------------------------------------------------------------------------
   Code that runs on one rank files a Complaint (what, where, the numbers, the remedy); all ranks then call
   ComplaintRaise, which agrees on the lowest rank that has one, prints its text once on stderr, and returns an error
   on every rank. PetscCall unwinds it without a trace; main turns it into the complaint's exit status.
   No PetscCall in main, nor in a function whose name begins with "main": there PetscError calls MPI_Abort.
   A bug (PetscCheck, SETERRQ) keeps PETSc's trace; one raised on a communicator of several ranks ends those after its first.   */

typedef struct {
  ExitStatus status; /* STATUS_HOLDS: no complaint */
  char       text[1024];
} Complaint;

/** File a complaint. The first one stays. Not collective; may be called before PETSc is initialized. */
void Complain(Complaint *complaint, ExitStatus status, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(3, 4);

/** Every rank takes the lowest rank's complaint, if any rank of comm has one. Nothing is printed, nothing fails. */
PetscErrorCode ComplaintShare(MPI_Comm comm, Complaint *complaint);

/** Nothing if no rank of comm has a complaint; else print the lowest rank's on stderr as "codim: <text>", and return PETSC_ERR_USER
    on all ranks. Rank 0 of comm prints, whoever complained. */
PetscErrorCode ComplaintRaise(MPI_Comm comm, const Complaint *complaint);

/** ComplaintRaise for one condition: ok may differ from rank to rank; the format is used where ok is false. */
PetscErrorCode UserCheck(MPI_Comm comm, PetscBool ok, ExitStatus status, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(4, 5);

/** The exit status that belongs to a returned error: the complaint's, or STATUS_BUG; STATUS_HOLDS for no error. Not collective. */
ExitStatus ExitStatusOfError(PetscErrorCode ierr);

/** Write `status` and a newline to dir/status: beside it first, then renamed. Rank 0 only; a failure is printed on stderr. */
void StatusWrite(const char dir[], ExitStatus status);

/* ---- stages ------------------------------------------------------------------------------------------------------
   A stage is a named part of the run: a PETSc logging stage, a wall time, and the peak resident memory of the ranks
   while it ran. Stages do not nest; one begun again under the same name adds to its record.                         */

typedef struct {
  char           name[32];
  PetscLogDouble seconds; /* of the slowest rank */
  PetscLogDouble peak;    /* bytes: the largest rank's high-water mark within the stage; 0 where the system does not tell,
                             since the process began where Linux refuses the reset (/proc/self/clear_refs) */
} StageRecord;

/** name: 1 to 31 characters; at most 64 names. */
PetscErrorCode StageBegin(MPI_Comm comm, const char name[]);
PetscErrorCode StageEnd(MPI_Comm comm);

/** The stages ended so far, in order; owned by base. Not collective. */
void StageRecords(PetscInt *n, const StageRecord **records);

/** The stage that is running, and what it has taken here until now; false between stages. Not collective. */
PetscBool StageRunning(StageRecord *record);

/** A record of a former run that this one goes on from: seconds are added, the higher peak stays. Not collective. */
PetscErrorCode StageAdd(const StageRecord *record);

/** Print a line of progress on rank 0, to stdout: stage, done of total, rate, time left, then the formatted remark (may be "").
    In a terminal the line is overwritten; in a log at most one line every `-progress_seconds` (default 10) after the stage began.
    Rate and time left count from the first call of the stage, or the last call with a smaller `done` than the call before: begin
    with one at the start of the loop. total <= 0: unknown, then no time left is printed. Not collective: ranks other than 0
    return at once. */
PetscErrorCode Progress(MPI_Comm comm, PetscReal done, PetscReal total, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(4, 5);

/** Print on rank 0 that work of so many flops a rank begins, of which nothing more is heard until it is done; where it takes seconds only (below
    10^12 flops), nothing. Not collective: ranks other than 0 return at once. */
PetscErrorCode ProgressOnePiece(MPI_Comm comm, PetscReal flops, const char what[]);

/** Print on rank 0 how far a piece of work within a step of a stage is, which has so many flops a rank, as Progress does; where it takes seconds only,
    nothing. Between its begin and its end ProgressPiece is called with the flops done, and Progress is not; then the stage's steps count on
    as before. One piece at a time; `what` must outlive it. Not collective: ranks other than 0 print nothing. */
PetscErrorCode ProgressPieceBegin(MPI_Comm comm, PetscReal flops, const char what[]);
PetscErrorCode ProgressPiece(MPI_Comm comm, PetscReal flops);
PetscErrorCode ProgressPieceEnd(void);

/** From now on SIGUSR1, SIGTERM and the first SIGINT raise the stop flag; a second SIGINT ends the process. For what looks at it. Not collective. */
PetscErrorCode StopOnSignals(void);

/** Has any rank been asked to stop (SIGUSR1, SIGTERM, SIGINT)? Collective: call at safe points only. */
PetscErrorCode StopRequested(MPI_Comm comm, PetscBool *stop);

/** Has this one? Not collective: ranks may differ. */
PetscBool StopFlag(void);

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/** Bytes available on this node now: what the system says, or what the limits of its control groups (Slurm's --mem, a container's) leave if that is less;
    infinity where none tells. Not collective. */
PetscReal MemoryOnNode(void);

/** The same over the ranks of comm on the node, or what is left of their parts of `limit` if that is less and not 0, or of the process' own limits
    (ulimit -v, -d); the least of all nodes. Collective. */
PetscErrorCode MemoryAvailable(MPI_Comm comm, PetscReal limit, PetscReal *bytes);

/** Bytes of this process that are in memory now; 0 where the system does not tell. Not collective. */
PetscReal MemoryResident(void);

/** The most since the process began, or since the last reset at a stage's begin; 0 where the system does not tell. Not collective. */
PetscReal MemoryPeak(void);

/** Seconds since BaseInitialize. Not collective. */
PetscLogDouble ElapsedSeconds(void);
