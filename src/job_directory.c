/*
  job_directory.c: the output directory: made, locked, and cleared of what an earlier run left that this one could be mistaken for.

  A run holds a lock on DIR/.lock (fcntl: the system drops it when the process ends, however it ends), so two runs cannot write to one directory.
  `status` is removed at once: a script that finds one knows that this run has ended. Results of a finished run, of this job or another, stay
  until this run writes its own; report.json goes first and comes last: without it the other files are not a run's.
*/
#include "file.h"
#include "job_state.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int MakeDirectories(const char path[])
{
  OptionString partial;

  (void)PetscStrncpy(partial, path, sizeof(partial));
  for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    if (mkdir(partial, 0777) && errno != EEXIST) return errno;
    *slash = '/';
  }
  return mkdir(path, 0777) && errno != EEXIST ? errno : 0;
}

/* ---- the lock ----------------------------------------------------------------------------------------------------------------- */

/* who and since when, for the one who comes later */
static void SignLock(int fd)
{
  char         host[64] = "", text[160], since[32];
  const time_t now      = time(NULL);
  struct tm    local;

  (void)gethostname(host, sizeof host - 1);
  (void)strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &local));
  (void)snprintf(text, sizeof text, "process %ld on %s, since %s\n", (long)getpid(), host, since);
  if (ftruncate(fd, 0) || pwrite(fd, text, strlen(text), 0) < 0) return; /* it is a courtesy */
}

/* the file is still the one of that name: whoever ended first has not removed it meanwhile */
static PetscBool IsCurrent(int fd, const char path[])
{
  struct stat mine, named;

  return (PetscBool)(!fstat(fd, &mine) && !stat(path, &named) && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev);
}

/* Rank 0. The lock's file, held until it is closed; -1 and a complaint where another run holds it, or it cannot be made; -1 without one where
   the file system has no locks. */
static int Lock(const char dir[], Complaint *complaint)
{
  struct flock lock      = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  char         text[160] = "";
  FilePath     path;
  int          fd, reason;

  (void)PetscSNPrintf(path, sizeof path, "%s/.lock", dir);
  do {
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
      Complain(complaint, STATUS_DATA, "cannot write to the output directory %s: %s", dir, strerror(errno));
      return -1;
    }
    if (fcntl(fd, F_SETLK, &lock)) {
      reason = errno;
      if (reason == EAGAIN || reason == EACCES) {
        if (pread(fd, text, sizeof text - 1, 0) < 0) text[0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        Complain(complaint, STATUS_USAGE, "another run is writing to %s (%s): choose another output, or wait until it has ended",
                 dir, text);
      }
      close(fd);
      return -1;
    }
  } while (!IsCurrent(fd, path) && !close(fd));
  SignLock(fd);
  return fd;
}

/* as long as the process has not said how it ended: its own, whatever job it belongs to */
static int      held = -1;
static FilePath held_path;

void JobReleaseOutput(void)
{
  if (held < 0) return;
  (void)unlink(held_path);
  close(held);
  held = -1;
}

/* ---- what an earlier run left ----------------------------------------------------------------------------------------------------- */

static void Remove(const char dir[], const char name[])
{
  FilePath path;

  (void)PetscSNPrintf(path, sizeof path, "%s/%s", dir, name);
  (void)unlink(path);
}

/* rank 0: is it another job's? Then it is said, for there is time to stop this one. */
static void ComparePrevious(Job job)
{
  json_t     *mine = JobOptionsToJSON(job), *report, *value;
  const char *key, *different = NULL;
  FilePath    path;

  (void)PetscSNPrintf(path, sizeof path, "%s/report.json", job->run.output);
  report = json_load_file(path, 0, NULL);
  json_object_foreach(json_object_get(report, "options"), key, value)
  {
    const json_t *other = json_object_get(mine, key);

    if (!different && other && !json_equal(value, other) && strcmp(key, "output") != 0 && strcmp(key, "grid") != 0) different = key;
  }
  if (different)
    printf("codim: %s has the results of another job (%s is different): they will be replaced when this one is done\n",
           job->run.output, different);
  fflush(stdout);
  json_decref(report);
  json_decref(mine);
}

PetscErrorCode JobClaimDirectory(Job job)
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  PetscMPIInt rank;
  int         reason;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(job->comm, &rank));
  if (rank == 0) {
    reason = MakeDirectories(job->run.output);
    if (reason) Complain(&complaint, STATUS_DATA, "cannot make the output directory %s: %s", job->run.output, strerror(reason));
    if (!reason) held = Lock(job->run.output, &complaint);
    (void)PetscSNPrintf(held_path, sizeof held_path, "%s/.lock", job->run.output);
  }
  PetscCall(ComplaintRaise(job->comm, &complaint));
  job->output_made = PETSC_TRUE;
  if (rank) PetscFunctionReturn(PETSC_SUCCESS);
  Remove(job->run.output, "status");
  ComparePrevious(job);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobClearResults(Job job)
{
  static const char *const names[] =
      {"report.json", "certificate.json", "perturbation.h5", "spectrum.h5",    "spectrum.svg",           "density.csv",
       "density.svg", "trajectory.h5",    "trajectory.csv",  "trajectory.svg", "trajectory-density.svg", "walk.h5",
       "walk.csv",    "walk.svg",         "walk-growth.svg"};

  PetscFunctionBeginUser;
  for (size_t i = 0; job->grid->rank == 0 && i < PETSC_STATIC_ARRAY_LENGTH(names); i++) Remove(job->run.output, names[i]);
  if (job->grid->rank == 0 && !job->walk_options.steps) Remove(job->run.output, "walk.safetensors");
  PetscFunctionReturn(PETSC_SUCCESS);
}
