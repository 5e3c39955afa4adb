// ranks: 1 2 3 4
/* test_base.c: complaints end every rank alike and speak once; stages, progress and the stop flag. */
#include "capture.h"
#include "tap.h"
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int rank, size;

static int Sum(int mine)
{
  int sum;

  TapCall(MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, PETSC_COMM_WORLD));
  return sum;
}

/* ranks first, first + 1, … complain */
static PetscErrorCode Fail(int first)
{
  PetscFunctionBeginUser;
  PetscCall(UserCheck(PETSC_COMM_WORLD, (PetscBool)(rank < first), STATUS_DATA, "rank %d has %d columns, not 3; cut them", rank,
                      rank + 10));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FailBelow(int first)
{
  PetscFunctionBeginUser;
  PetscCall(Fail(first));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Bug(PetscErrorCode code)
{
  PetscFunctionBeginUser;
  PetscCheck(code == PETSC_SUCCESS, PETSC_COMM_SELF, code, "a bug");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void TestBug(void)
{
  char           text[16384];
  Capture        capture = CaptureBegin(STDERR_FILENO);
  PetscErrorCode ierr    = Bug(PETSC_ERR_USER);

  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(strstr(text, "a bug") && ExitStatusOfError(ierr) == STATUS_BUG),
      "an error nobody complained of keeps its trace, and is a bug");
  Tap((PetscBool)(ExitStatusOfError(PETSC_SUCCESS) == STATUS_HOLDS), "no error is no bug");
}

static void TestComplaints(void)
{
  char           text[16384], expected[128];
  Complaint      complaint = {STATUS_HOLDS, ""};
  Capture        capture;
  PetscErrorCode ierr;

  Tap((PetscBool)(ComplaintRaise(PETSC_COMM_WORLD, &complaint) == PETSC_SUCCESS), "without a complaint nothing is raised");
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = FailBelow(size / 2);
  CaptureEnd(&capture, text, sizeof text);
  snprintf(expected, sizeof expected, "codim: rank %d has %d columns, not 3; cut them\n", size / 2, size / 2 + 10);
  Tap((PetscBool)(ierr != PETSC_SUCCESS), "a complaint of some ranks is an error on every rank");
  Tap((PetscBool)!strcmp(text, rank ? "" : expected), "it is printed once: the lowest complaining rank's, without a trace");
  Tap((PetscBool)(ExitStatusOfError(ierr) == STATUS_DATA), "its exit status is known on every rank");
  Tap((PetscBool)(ExitStatusOfError(PETSC_ERR_MEM) == STATUS_BUG), "another error after it is still a bug");

  Complain(&complaint, STATUS_USAGE, "%s", "first");
  Complain(&complaint, STATUS_DATA, "second");
  Tap((PetscBool)(complaint.status == STATUS_USAGE && !strcmp(complaint.text, "first")), "the first complaint stays");
  complaint.status = STATUS_HOLDS;
  memset(text, 'x', 3000);
  text[3000] = 0;
  Complain(&complaint, STATUS_USAGE, "%s", text);
  Tap((PetscBool)(strlen(complaint.text) == sizeof complaint.text - 1), "a long complaint is cut, not overrun");
}

static void TestComplaintOnSubcommunicator(void)
{
  char           text[256];
  MPI_Comm       half;
  Capture        capture;
  PetscErrorCode ierr;

  TapCall(MPI_Comm_split(PETSC_COMM_WORLD, rank % 2, -rank, &half));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = UserCheck(half, (PetscBool)(rank % 2 == 0), STATUS_USAGE, "odd");
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)((ierr != PETSC_SUCCESS) == (rank % 2)), "a complaint concerns its communicator's ranks only");
  Tap((PetscBool)(Sum(!strcmp(text, "codim: odd\n")) == (size > 1)), "and is printed once there");
  TapCall(MPI_Comm_free(&half));
}

static void TestHDF5(void)
{
  char    text[4096];
  Capture capture = CaptureBegin(STDERR_FILENO);
  hid_t   file    = H5Fopen("/nonexistent/file.h5", H5F_ACC_RDONLY, H5P_DEFAULT);

  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(file < 0 && !*text), "HDF5 prints no errors of its own");
}

static void TestStatusWrite(void)
{
  char        dir[] = "/tmp/codim-base-XXXXXX", path[64], text[256] = "";
  FILE       *file;
  struct stat info;
  Capture     capture;
  int         ok = 1;

  if (rank == 0) {
    ok = mkdtemp(dir) != NULL;
    snprintf(path, sizeof path, "%s/status", dir);
    StatusWrite(dir, STATUS_STOPPED);
    StatusWrite(dir, STATUS_UNDECIDED);
    file = fopen(path, "r");
    ok   = ok && file && fgets(text, sizeof text, file) && !strcmp(text, "3\n");
    if (file) fclose(file);
    remove(path);
    ok      = ok && !stat(dir, &info) && !rmdir(dir); /* succeeds on an empty directory only */
    capture = CaptureBegin(STDERR_FILENO);
    StatusWrite(dir, STATUS_HOLDS);
    CaptureEnd(&capture, text, sizeof text);
  }
  Tap((PetscBool)ok, "the status file holds the last status, and nothing is left beside it");
  Tap((PetscBool)(rank || (CountLines(text) == 1 && strstr(text, "No such file"))),
      "a status that cannot be written is said on one line");
}

/* not by malloc: what keeps freed memory, as sanitizers do, would keep it resident */
static void Touch(size_t bytes)
{
  volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  TapCall(memory != MAP_FAILED ? PETSC_SUCCESS : PETSC_ERR_MEM);
  for (size_t i = 0; i < bytes; i += 512) memory[i] = 1;
  munmap((void *)memory, bytes);
}

static PetscBool PeakCanBeReset(void)
{
  FILE *file = fopen("/proc/self/clear_refs", "w");

  if (!file) return PETSC_FALSE;
  fputs("5", file);
  return (PetscBool)!fclose(file);
}

static void TestStages(void)
{
  const PetscLogDouble MiB = 1024 * 1024;
  const StageRecord   *stages;
  PetscInt             n;
  PetscLogStage        stage;

  TapCall(StageBegin(PETSC_COMM_WORLD, "large"));
  if (rank == size - 1) Touch((size_t)128 << 20);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  TapCall(StageBegin(PETSC_COMM_WORLD, "slow"));
  if (rank == size - 1) usleep(150000);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  StageRecords(&n, &stages);
  Tap((PetscBool)(n == 2 && !strcmp(stages[0].name, "large") && !strcmp(stages[1].name, "slow")), "stages are recorded in order");
  Tap((PetscBool)(stages[1].seconds >= 0.15 && stages[1].seconds < 60), "a stage takes as long as its slowest rank");
  if (Sum(PeakCanBeReset() ? 1 : 0) == size) {
    Tap((PetscBool)(stages[0].peak > stages[1].peak + 100 * MiB),
        "128 MiB of one rank show in the peak of their stage and not in the next");
    Tap((PetscBool)(stages[1].peak > MiB), "the next stage has a peak of its own");
  }
  TapCall(PetscLogStageGetId("slow", &stage));
  Tap((PetscBool)(stage >= 0), "a stage is a PETSc logging stage");
  TapCall(StageBegin(PETSC_COMM_WORLD, "slow"));
  usleep(150000);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  StageRecords(&n, &stages);
  Tap((PetscBool)(n == 2 && stages[1].seconds >= 0.3), "a stage begun again adds to its record");
}

static void TestStagesDoNotNest(void)
{
  char           text[16384];
  Capture        capture;
  PetscErrorCode begin, end;

  TapCall(StageBegin(PETSC_COMM_WORLD, "outer"));
  capture = CaptureBegin(STDERR_FILENO);
  begin   = StageBegin(PETSC_COMM_WORLD, "inner");
  CaptureEnd(&capture, text, sizeof text);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  capture = CaptureBegin(STDERR_FILENO);
  end     = StageEnd(PETSC_COMM_WORLD);
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(begin == PETSC_ERR_ORDER && end == PETSC_ERR_ORDER), "a stage within a stage, and an end without one, are bugs");
}

/* -progress_seconds is 0.5 in this program */
static void TestProgress(void)
{
  char    text[4096];
  Capture capture;

  TapCall(StageBegin(PETSC_COMM_WORLD, "reach"));
  capture = CaptureBegin(STDOUT_FILENO);
  for (int i = 0; i < 3; i++) TapCall(Progress(PETSC_COMM_WORLD, i, 0, "early"));
  usleep(600000);
  TapCall(Progress(PETSC_COMM_WORLD, 200, 1000, "loss %g", 0.25));
  TapCall(Progress(PETSC_COMM_WORLD, 201, 1000, "late"));
  usleep(600000);
  TapCall(Progress(PETSC_COMM_WORLD, 0, 0, "%s", "")); /* a new count, its total unknown */
  CaptureEnd(&capture, text, sizeof text);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  Tap((PetscBool)(CountLines(text) == (rank ? 0 : 2)), "progress in a log comes on rank 0, one line each -progress_seconds");
  Tap((PetscBool)(rank ||
                  (strstr(text, "reach: 200 of 1000, ") == text && strstr(text, "/s, ") && strstr(text, " s left, loss 0.25\n"))),
      "a line tells stage, done, total, rate, time left and the remark");
  Tap((PetscBool)(rank || strstr(text, "\nreach: 0\n")), "where count and remark are empty, nothing is made up");
  capture = CaptureBegin(STDOUT_FILENO);
  TapCall(ProgressOnePiece(PETSC_COMM_WORLD, 1e11, "short"));
  TapCall(ProgressOnePiece(PETSC_COMM_WORLD, 2e13, "long"));
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)!strcmp(text, rank ? "" : "codim: long, 2e+13 flops a rank in one piece\n"),
      "long work in one piece is told before it begins");
  TapCall(StageBegin(PETSC_COMM_WORLD, "reach"));
  capture = CaptureBegin(STDOUT_FILENO);
  TapCall(Progress(PETSC_COMM_WORLD, 1, 10, "early"));
  TapCall(ProgressPieceBegin(PETSC_COMM_WORLD, 1e11, "short"));
  usleep(600000);
  TapCall(ProgressPiece(PETSC_COMM_WORLD, 5e10));
  TapCall(ProgressPieceEnd());
  TapCall(ProgressPieceBegin(PETSC_COMM_WORLD, 2e12, "K"));
  usleep(600000);
  TapCall(ProgressPiece(PETSC_COMM_WORLD, 1e12));
  TapCall(ProgressPieceEnd());
  usleep(600000);
  TapCall(Progress(PETSC_COMM_WORLD, 2, 10, "loss"));
  CaptureEnd(&capture, text, sizeof text);
  TapCall(StageEnd(PETSC_COMM_WORLD));
  Tap((PetscBool)(!strstr(text, "short") && (rank || (strstr(text, "1000 of 2000, ") && strstr(text, "GF a rank of K\n")))),
      "of a long piece of a step is told how far it is, of a short one nothing");
  Tap((PetscBool)(rank || (strstr(text, "\nreach: 2 of 10, ") && strstr(text, "/s, ") && strstr(text, " left, loss\n"))),
      "... and the stage's own count goes on");
}

static void TestStop(void)
{
  PetscBool stop;
  const int number = size % 2 ? SIGUSR1 : SIGTERM;

  TapCall(StopRequested(PETSC_COMM_WORLD, &stop));
  Tap((PetscBool)!stop, "nobody has asked to stop");
  if (rank == size - 1) raise(number);
  TapCall(StopRequested(PETSC_COMM_WORLD, &stop));
  Tap(stop, "%s to one rank is known on every rank", size % 2 ? "SIGUSR1" : "SIGTERM");
  raise(SIGUSR1);
  raise(SIGTERM);
  Tap(PETSC_TRUE, "more signals do no harm");
}

int main(int argc, char **argv)
{
  setenv("PETSC_OPTIONS", "-progress_seconds 0.5", 1);
  TapBegin(&argc, &argv);
  TapCall(StopOnSignals());
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  TestBug();
  TestComplaints();
  TestComplaintOnSubcommunicator();
  TestHDF5();
  TestStatusWrite();
  TestStages();
  if (size == 1) TestStagesDoNotNest(); /* PETSc ends the other ranks on a bug */
  TestProgress();
  TestStop();
  Tap((PetscBool)(ElapsedSeconds() > 1.5 && ElapsedSeconds() < 600), "the clock runs from the start of the program");
  return TapEnd();
}
