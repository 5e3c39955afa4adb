/* base.c: errors a user can mend, exit statuses, stages, progress, the stop flag. */
#include "codim/base.h"
#include "file.h"
#include <hdf5.h>
#ifdef __GLIBC__
  #include <malloc.h>
#endif
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAGES_MAX = 64 };

static struct {
  PetscLogDouble start; /* of the clock */
  ExitStatus     complaint;
  StageRecord    stages[STAGES_MAX];
  PetscInt       num_stages;
  PetscLogDouble stage_start;
  char           stage[sizeof((StageRecord *)0)->name]; /* "" between stages */
} base;

typedef struct {
  PetscBool      counting;
  PetscLogDouble origin;      /* time of the first call */
  PetscReal      first, last; /* done then, and in the last call */
} Counting;

static struct {
  PetscReal      every; /* seconds */
  PetscBool      terminal, line_open;
  PetscLogDouble printed;      /* time of the last line */
  Counting       steps, outer; /* outer: of the stage, while a piece of a step counts by itself */
  PetscReal      piece;        /* flops; 0: none that is heard of */
  const char    *what;
} progress;

static const PetscReal seconds_only = 1e12; /* flops */

static volatile sig_atomic_t stop_flag;

static void RaiseStopFlag(int number)
{
  if (number == SIGINT) (void)signal(SIGINT, SIG_DFL); /* the second one ends the process */
  stop_flag = 1;
}

/* PETSc's signature */ // NOLINTNEXTLINE(readability-function-size)
static PetscErrorCode ErrorHandler(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode ierr,
                                   PetscErrorType type, const char *text, void *context)
{
  if (ierr == PETSC_ERR_USER && base.complaint) return ierr;
  return PetscTraceBackErrorHandler(comm, line, function, file, ierr, type, text, context);
}

static PetscErrorCode ProgressSetFromOptions(void)
{
  char      text[64] = "10", *end;
  PetscReal every;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-progress_seconds", text, sizeof text, NULL));
  every = (PetscReal)strtod(text, &end);
  PetscCall(UserCheck(PETSC_COMM_WORLD, (PetscBool)(end > text && !*end && every >= 0 && isfinite(every)), STATUS_USAGE,
                      "-progress_seconds %s: must be a number of seconds, 0 or more", text));
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Progress", NULL);
  PetscCall(PetscOptionsReal("-progress_seconds", "seconds between two lines of progress in a log", NULL, 10, &every, NULL));
  PetscOptionsEnd();
  progress.every = every;
  /* mpiexec gives rank 0 a pseudo-terminal as stdout even when it writes to a file itself, but a pipe as stderr */
  progress.terminal = (PetscBool)(isatty(STDOUT_FILENO) && isatty(STDERR_FILENO));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BaseInitialize(void)
{
  PetscFunctionBeginUser;
  base.start = MPI_Wtime();
  PetscCall(PetscPushErrorHandler(ErrorHandler, NULL));
  PetscCall(PetscRegisterFinalize(PetscPopErrorHandler));
  PetscCheck(H5Eset_auto2(H5E_DEFAULT, NULL, NULL) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "H5Eset_auto2 failed");
  PetscCall(ProgressSetFromOptions());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StopOnSignals(void)
{
  struct sigaction action;

  PetscFunctionBeginUser;
  memset(&action, 0, sizeof action);
  action.sa_handler = RaiseStopFlag;
  action.sa_flags   = SA_RESTART;
  PetscCheck(!sigaction(SIGUSR1, &action, NULL) && !sigaction(SIGTERM, &action, NULL) && !sigaction(SIGINT, &action, NULL),
             PETSC_COMM_SELF, PETSC_ERR_SYS, "sigaction failed");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscLogDouble ElapsedSeconds(void)
{
  return MPI_Wtime() - base.start;
}

void TextAppend(size_t size, char text[], const char format[], ...)
{
  const size_t used = strlen(text);
  va_list      arguments;

  va_start(arguments, format);
  (void)vsnprintf(text + used, size - used, format, arguments);
  va_end(arguments);
}

/* ---- errors a user can mend ------------------------------------------------------------------------------------- */

static void ComplainArguments(Complaint *complaint, ExitStatus status, const char format[], va_list arguments)
{
  if (complaint->status) return;
  complaint->status = status;
  vsnprintf(complaint->text, sizeof complaint->text, format, arguments);
}

void Complain(Complaint *complaint, ExitStatus status, const char format[], ...)
{
  va_list arguments;

  va_start(arguments, format);
  ComplainArguments(complaint, status, format, arguments);
  va_end(arguments);
}

static void ProgressCloseLine(void)
{
  if (progress.line_open) printf("\n");
  progress.line_open = PETSC_FALSE;
  fflush(stdout);
}

PetscErrorCode ComplaintShare(MPI_Comm comm, Complaint *complaint)
{
  PetscMPIInt rank, size, mine, lowest;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  mine = complaint->status ? rank : size;
  PetscCallMPI(MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, comm));
  if (lowest < size) PetscCallMPI(MPI_Bcast(complaint, (int)sizeof *complaint, MPI_BYTE, lowest, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ComplaintRaise(MPI_Comm comm, const Complaint *complaint)
{
  Complaint   raised = *complaint;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCall(ComplaintShare(comm, &raised));
  if (!raised.status) PetscFunctionReturn(PETSC_SUCCESS);
  base.complaint = raised.status;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) {
    ProgressCloseLine();
    fprintf(stderr, "codim: %s\n", raised.text);
  }
  PetscFunctionReturn(PETSC_ERR_USER); /* PetscError is not called: no trace begins */
}

PetscErrorCode UserCheck(MPI_Comm comm, PetscBool ok, ExitStatus status, const char format[], ...)
{
  Complaint complaint = {STATUS_HOLDS, ""};
  va_list   arguments;

  PetscFunctionBeginUser;
  if (!ok) {
    va_start(arguments, format);
    ComplainArguments(&complaint, status, format, arguments);
    va_end(arguments);
  }
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

ExitStatus ExitStatusOfError(PetscErrorCode ierr)
{
  if (!ierr) return STATUS_HOLDS;
  return ierr == PETSC_ERR_USER && base.complaint ? base.complaint : STATUS_BUG;
}

void StatusWrite(const char dir[], ExitStatus status)
{
  FilePath path;
  char     text[16];
  int      reason;

  snprintf(path, sizeof path, "%s/status", dir);
  snprintf(text, sizeof text, "%d\n", (int)status);
  reason = FileWrite(path, text, strlen(text));
  if (reason) fprintf(stderr, "codim: cannot write %s: %s\n", path, strerror(reason));
}

/* ---- stages ----------------------------------------------------------------------------------------------------- */

/* Give what the last stage freed back to the system (under Open MPI free() keeps it), then have the kernel set VmHWM back to
   what is resident now; some containers refuse that.                                                                      */
static void PeakMemoryReset(void)
{
  FILE *file = fopen("/proc/self/clear_refs", "w");

#ifdef __GLIBC__
  malloc_trim(0);
#endif
  if (!file) return;
  fputs("5", file);
  fclose(file);
}

PetscErrorCode StageBegin(MPI_Comm comm, const char name[])
{
  PetscLogStage stage;

  PetscFunctionBeginUser;
  PetscCheck(!base.stage[0], comm, PETSC_ERR_ORDER, "stage %s begins within stage %s", name, base.stage);
  PetscCheck(name[0] && strlen(name) < sizeof base.stage, comm, PETSC_ERR_ARG_SIZ, "\"%s\": a stage's name has 1 to %d characters",
             name, (int)sizeof base.stage - 1);
  PetscCall(PetscLogStageGetId(name, &stage));
  if (stage < 0) PetscCall(PetscLogStageRegister(name, &stage));
  PetscCall(PetscLogStagePush(stage));
  PetscCall(PetscStrncpy(base.stage, name, sizeof base.stage));
  PeakMemoryReset();
  base.stage_start        = MPI_Wtime();
  progress.printed        = base.stage_start;
  progress.steps.counting = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StageAdd(const StageRecord *added)
{
  StageRecord *record = base.stages;

  PetscFunctionBeginUser;
  while (record < base.stages + base.num_stages && strcmp(record->name, added->name) != 0) record++;
  if (record == base.stages + base.num_stages) {
    PetscCheck(base.num_stages < STAGES_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "more than %d stages", STAGES_MAX);
    base.num_stages++;
    PetscCall(PetscStrncpy(record->name, added->name, sizeof record->name));
  }
  record->seconds += added->seconds;
  record->peak = PetscMax(record->peak, added->peak);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StageEnd(MPI_Comm comm)
{
  PetscLogDouble mine[2] = {MPI_Wtime() - base.stage_start, MemoryPeak()}, most[2];
  StageRecord    record;

  PetscFunctionBeginUser;
  PetscCheck(base.stage[0], comm, PETSC_ERR_ORDER, "no stage to end");
  ProgressCloseLine();
  PetscCallMPI(MPI_Allreduce(mine, most, 2, MPI_DOUBLE, MPI_MAX, comm));
  PetscCall(PetscStrncpy(record.name, base.stage, sizeof record.name));
  record.seconds = most[0];
  record.peak    = most[1];
  PetscCall(StageAdd(&record));
  base.stage[0] = 0;
  PetscCall(PetscLogStagePop());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool StageRunning(StageRecord *record)
{
  (void)PetscStrncpy(record->name, base.stage, sizeof record->name);
  record->seconds = MPI_Wtime() - base.stage_start;
  record->peak    = MemoryPeak();
  return (PetscBool)(base.stage[0] != 0);
}

void StageRecords(PetscInt *n, const StageRecord **records)
{
  *n       = base.num_stages;
  *records = base.stages;
}

/* ---- progress --------------------------------------------------------------------------------------------------- */

static void PrintDuration(double seconds)
{
  if (seconds < 120)
    printf("%.0f s", seconds);
  else if (seconds < 7200)
    printf("%.0f min", seconds / 60);
  else
    printf("%.1f h", seconds / 3600);
}

/* in a terminal a line is written over the last one, and left open */
static void LineBegin(void)
{
  printf("%s%s: ", progress.terminal ? "\r" : "", base.stage[0] ? base.stage : "codim");
}

static void LineEnd(void)
{
  printf("%s", progress.terminal ? "\033[K" : "\n"); /* clear to the end of the line */
  progress.line_open = progress.terminal;
  fflush(stdout);
}

static void ProgressPrint(double done, double total, double rate, const char remark[])
{
  LineBegin();
  printf("%.6g", done);
  if (total > 0) printf(" of %.6g", total);
  if (rate > 0) printf(", %.3g/s", rate);
  if (rate > 0 && total > done) {
    printf(", ");
    PrintDuration((total - done) / rate);
    printf(" left");
  }
  if (*remark) printf(", %s", remark);
  LineEnd();
}

PetscErrorCode Progress(MPI_Comm comm, PetscReal done, PetscReal total, const char format[], ...)
{
  const PetscLogDouble now      = MPI_Wtime();
  const double         interval = progress.terminal ? 0.1 : (double)progress.every;
  double               rate     = 0;
  char                 remark[256];
  PetscMPIInt          rank;
  va_list              arguments;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank) PetscFunctionReturn(PETSC_SUCCESS);
  if (!progress.steps.counting || done < progress.steps.last)
    progress.steps = (Counting){.counting = PETSC_TRUE, .origin = now, .first = done};
  progress.steps.last = done;
  if (now - progress.printed < interval) PetscFunctionReturn(PETSC_SUCCESS);
  progress.printed = now;
  va_start(arguments, format);
  vsnprintf(remark, sizeof remark, format, arguments);
  va_end(arguments);
  if (now > progress.steps.origin) rate = (double)(done - progress.steps.first) / (now - progress.steps.origin);
  ProgressPrint((double)done, (double)total, rate, remark);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProgressOnePiece(MPI_Comm comm, PetscReal flops, const char what[])
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank || flops < seconds_only) PetscFunctionReturn(PETSC_SUCCESS);
  LineBegin();
  printf("%s, %.2g flops a rank in one piece", what, (double)flops);
  LineEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProgressPieceBegin(MPI_Comm comm, PetscReal flops, const char what[])
{
  PetscFunctionBeginUser;
  progress.piece = flops < seconds_only ? 0 : flops;
  progress.what  = what;
  if (progress.piece == 0) PetscFunctionReturn(PETSC_SUCCESS);
  progress.outer = progress.steps;
  progress.steps = (Counting){.counting = PETSC_FALSE};
  PetscCall(ProgressPiece(comm, 0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProgressPiece(MPI_Comm comm, PetscReal flops)
{
  PetscFunctionBeginUser;
  if (progress.piece > 0) PetscCall(Progress(comm, 1e-9 * flops, 1e-9 * progress.piece, "GF a rank of %s", progress.what));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ProgressPieceEnd(void)
{
  PetscFunctionBeginUser;
  if (progress.piece > 0) progress.steps = progress.outer;
  progress.piece = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool StopFlag(void)
{
  return (PetscBool)(stop_flag != 0);
}

PetscErrorCode StopRequested(MPI_Comm comm, PetscBool *stop)
{
  int mine = (int)stop_flag, any;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm));
  *stop = any ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}
