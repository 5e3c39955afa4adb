/*
  study_run.c: the points of a study on this machine; see study.h.

  Every child is a process group of its own, so that Ctrl-C in a terminal reaches only the driver, which hands on SIGUSR1: launchers pass
  that to their ranks, and a run then leaves a checkpoint.
*/
#include "study_state.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 64, AT_ONCE_MAX = 4096 };

typedef struct {
  pid_t  pid; /* 0: free */
  Point *point;
  double began;
} Child;

typedef struct {
  Study    *study;
  size_t    wanted, ended, running, slots, next;
  Child    *children;
  double    began;
  PetscBool stopping;
  sigset_t  before; /* the signal mask to give to children */
} Crew;

static double Now(void)
{
  struct timespec t;

  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a child ---------------------------------------------------------------------------------------------------------------------- */

/* words of a text, after the first n of argv; they point into `text` */
static size_t SplitWords(char text[], char *argv[], size_t n)
{
  char *rest = NULL;

  for (char *word = strtok_r(text, " \t", &rest); word && n < WORDS_MAX - 12; word = strtok_r(NULL, " \t", &rest)) argv[n++] = word;
  return n;
}

static int Ranks(const Placement *p)
{
  return p->ranks ? p->ranks : PetscMax(p->nodes, 1) * PetscMax(p->ranks_on_a_node, 1);
}

/* the ranks with traffic.so before all other libraries */
static size_t AddTraffic(Study *study, const Point *point, char *argv[], size_t n)
{
  const char *others = getenv("LD_PRELOAD");
  FilePath    file;

  if (!study->traffic) return n;
  StudyPath(study, point, "traffic.json", file);
  argv[n++] = (char *)"env";
  argv[n++] = (char *)StudyFormat(study, "LD_PRELOAD=%s%s%s", study->traffic, others ? ":" : "", others ? others : "");
  argv[n++] = (char *)StudyFormat(study, "CODIM_TRAFFIC_FILE=%s", file);
  return n;
}

/* in the child: never returns */
static void Become(const Crew *crew, const Point *point)
{
  Study    *s = crew->study;
  FilePath  job, log;
  char      launch[1024], ranks[16], threads[16], *argv[WORDS_MAX];
  const int null = open("/dev/null", O_RDONLY);
  int       out;
  size_t    n;

  StudyPath(s, point, "job.yaml", job);
  StudyPath(s, point, "log", log);
  out = open(log, O_WRONLY | O_CREAT | (point->state == POINT_STOPPED ? O_APPEND : O_TRUNC), 0666);
  if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  (void)setpgid(0, 0);
  (void)sigprocmask(SIG_SETMASK, &crew->before, NULL);
  snprintf(ranks, sizeof ranks, "%d", Ranks(&point->placement));
  snprintf(threads, sizeof threads, "%d", PetscMax(point->placement.threads, 1));
  if (point->placement.threads) (void)setenv("OMP_NUM_THREADS", threads, 1);
  if (crew->slots > 1)
    (void)setenv("OMPI_MCA_hwloc_base_binding_policy", "none", 0); /* or every launcher binds to the same cores */
  snprintf(launch, sizeof launch, "%s", s->launch);
  n         = SplitWords(launch, argv, 0);
  argv[n++] = (char *)"-n";
  argv[n++] = ranks;
  n         = AddTraffic(s, point, argv, n);
  argv[n++] = (char *)s->program;
  argv[n++] = (char *)"run";
  argv[n++] = job;
  argv[n]   = NULL;
  execvp(argv[0], argv);
  fprintf(stderr, "codim: cannot start %s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

static void Start(Crew *crew, Point *point)
{
  static const char *const former[] = {"ended", "submitted", "status", "traffic.json"};
  Child                   *child    = crew->children;
  FilePath                 path;

  while (child->pid) child++;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(former); i++) {
    StudyPath(crew->study, point, former[i], path);
    (void)unlink(path);
  }
  child->point = point;
  child->began = Now();
  child->pid   = fork();
  if (child->pid == 0) Become(crew, point);
  if (child->pid > 0)
    crew->running++;
  else
    child->pid = 0;
}

/* ---- progress ----------------------------------------------------------------------------------------------------------------------- */

static void SayDuration(double seconds)
{
  if (seconds < 120)
    printf("%.3g s", seconds);
  else if (seconds < 7200)
    printf("%.0f min", seconds / 60);
  else
    printf("%.1f h", seconds / 3600);
}

static void Report(const Crew *crew, const Child *child)
{
  const Study *s       = crew->study;
  const Point *p       = child->point;
  const double elapsed = Now() - crew->began;

  printf("%4zu of %zu  %s/%d:", crew->ended, crew->wanted, s->output, p->number);
  for (size_t a = 0; a < s->naxes; a++)
    for (size_t k = 0; k < s->axes[a].nkeys; k++) printf(" %s %s,", s->axes[a].keys[k], s->axes[a].values[p->at[a]][k]);
  if (s->repeat > 1) printf(" run %d,", p->repetition);
  printf(" %s", p->state == POINT_DONE ? p->status == 0                ? "holds"
                                         : p->status == STATUS_REFUTED ? "refuted"
                                                                       : "undecided"
                                       : PointStates[p->state]);
  if (p->state == POINT_FAILED) printf(": %s", p->reason);
  printf(", ");
  SayDuration(Now() - child->began);
  if (crew->ended < crew->wanted) {
    printf("; left: about ");
    SayDuration(elapsed / (double)crew->ended * (double)(crew->wanted - crew->ended));
  }
  printf("\n");
  fflush(stdout);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------------ */

static void RecordEnd(Crew *crew, Child *child, int how)
{
  FilePath path;
  char     text[64];

  StudyPath(crew->study, child->point, "ended", path);
  snprintf(text, sizeof text, WIFSIGNALED(how) ? "the launcher was ended by signal %d\n" : "the launcher ended with %d\n",
           WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
  (void)FileWrite(path, text, strlen(text));
  if (crew->stopping) { /* what has no status now was broken off */
    StudyPath(crew->study, child->point, "status", path);
    if (access(path, F_OK)) {
      StudyPath(crew->study, child->point, "ended", path);
      (void)unlink(path);
    }
  }
}

static void Reap(Crew *crew)
{
  int   how;
  pid_t pid;

  while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
    for (size_t i = 0; i < crew->slots; i++) {
      Child *child = &crew->children[i];

      if (child->pid != pid) continue;
      RecordEnd(crew, child, how);
      StudyLookAt(crew->study, child->point, "");
      crew->running--;
      crew->ended++;
      Report(crew, child);
      child->pid = 0;
    }
  }
}

static void Signal(const Crew *crew, int number)
{
  for (size_t i = 0; i < crew->slots; i++)
    if (crew->children[i].pid) (void)kill(crew->children[i].pid, number);
}

static void Launch(Crew *crew)
{
  Study *s = crew->study;

  while (!crew->stopping && crew->running < crew->slots && crew->next < s->npoints) {
    Point *point = &s->points[crew->next++];

    if (point->chosen) Start(crew, point);
  }
}

PetscBool StudyRunHere(Study *study, Complaint *complaint)
{
  Crew     crew = {.study = study, .began = Now(), .slots = (size_t)PetscMin(PetscMax(study->at_once, 1), AT_ONCE_MAX)};
  sigset_t signals;

  for (size_t i = 0; i < study->npoints; i++) crew.wanted += study->points[i].chosen ? 1 : 0;
  study->launch = getenv("CODIM_LAUNCH");
  if (!study->launch) study->launch = getenv("MPIEXEC");
  if (!study->launch) study->launch = "mpiexec";
  if (!study->launch[strspn(study->launch, " ")]) Complain(complaint, STATUS_USAGE, "CODIM_LAUNCH, or MPIEXEC, is empty");
  if (complaint->status) return PETSC_FALSE;
  crew.children = StudyKeep(study, crew.slots * sizeof *crew.children);
  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGCHLD);
  (void)sigaddset(&signals, SIGINT);
  (void)sigaddset(&signals, SIGTERM);
  (void)sigaddset(&signals, SIGUSR1);
  (void)sigprocmask(SIG_BLOCK, &signals, &crew.before);
  for (Launch(&crew); crew.running; Launch(&crew)) {
    int number;

    if (sigwait(&signals, &number)) continue;
    if (number == SIGCHLD) {
      Reap(&crew);
      continue;
    }
    printf("%s: %s\n", study->name,
           crew.stopping ? "ending at once" : "stopping: the runs leave checkpoints; once more ends them at once");
    fflush(stdout);
    Signal(&crew, crew.stopping ? SIGTERM : SIGUSR1);
    crew.stopping = PETSC_TRUE;
  }
  (void)sigprocmask(SIG_SETMASK, &crew.before, NULL);
  return crew.stopping;
}

/* ---- commands whose output is wanted ----------------------------------------------------------------------------------------------------- */

static char *ReadAll(int fd)
{
  FILE  *in   = fdopen(fd, "r");
  char  *text = NULL;
  size_t size = 0;

  if (!in) return NULL;
  if (getdelim(&text, &size, '\0', in) < 0) {
    free(text);
    text = calloc(1, 1);
  }
  fclose(in);
  return text;
}

char *StudyCapture(char *const argv[], PetscBool quiet, int *status)
{
  int   ends[2], how;
  pid_t pid;
  char *text;

  *status = -1;
  if (pipe(ends)) return NULL;
  fflush(NULL);
  pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_RDWR);

    (void)dup2(null, 0);
    (void)dup2(ends[1], 1);
    if (quiet) (void)dup2(null, 2);
    (void)close(ends[0]);
    (void)close(ends[1]);
    execvp(argv[0], argv);
    _exit(127);
  }
  (void)close(ends[1]);
  text = ReadAll(ends[0]);
  if (pid > 0 && waitpid(pid, &how, 0) == pid && WIFEXITED(how) && WEXITSTATUS(how) != 127) *status = WEXITSTATUS(how);
  return text;
}
