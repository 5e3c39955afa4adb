/*
  study.c: the command codim study: what is asked for, where every point stands, what came of it; see study.h.
*/
#include "study_state.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const PointStates[] = {"pending", "stopped", "queued", "done", "failed"};

typedef struct {
  PetscBool   submit, collect;
  const char *only, *output;
  int         at_once;
  Settings    given;
} Request;

/* ---- files of a point -------------------------------------------------------------------------------------------------------------- */

void StudyPath(const Study *study, const Point *point, const char file[], FilePath path)
{
  snprintf(path, sizeof(FilePath), "%s/%d%s%s", study->output, point->number, *file ? "/" : "", file);
}

char *StudyReadFile(const char path[])
{
  FILE  *in   = fopen(path, "r");
  char  *text = NULL;
  size_t size = 0, got;

  while (in) {
    char *more = realloc(text, size + 65536 + 1);

    if (!more) break;
    text = more;
    got  = fread(text + size, 1, 65536, in);
    size += got;
    if (got == 0) break;
  }
  if (text) text[size] = '\0';
  if (in) fclose(in);
  return text;
}

void StudyForget(const Study *study, const Point *point)
{
  static const char *const files[] = {"status", "ended", "submitted", "log", "plan.json", "traffic.json"};

  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(files); i++) {
    FilePath path;

    StudyPath(study, point, files[i], path);
    (void)unlink(path);
  }
}

/* mkdir -p; 0 or errno */
static int MakeDirectory(const char path[])
{
  FilePath copy;

  snprintf(copy, sizeof copy, "%s", path);
  for (char *c = copy + 1;; c++) {
    const char end = *c;

    if (end && end != '/') continue;
    *c = '\0';
    if (mkdir(copy, 0777) && errno != EEXIST) return errno;
    if (!end) return 0;
    *c = end;
  }
}

/* ---- numbers ----------------------------------------------------------------------------------------------------------------------- */

static int CompareNumbers(const void *a, const void *b)
{
  const int s = *(const int *)a, t = *(const int *)b;

  return (s > t) - (s < t);
}

/* the directories that are numbers, ascending */
static int *ListNumbers(const char output[], size_t *count)
{
  DIR           *directory = opendir(output);
  struct dirent *entry;
  int           *numbers = NULL;

  *count = 0;
  while (directory && (entry = readdir(directory))) {
    char      *end;
    const long number = strtol(entry->d_name, &end, 10);
    int       *more;

    if (*end || number < 1 || number > 100000000) continue;
    more = realloc(numbers, (*count + 1) * sizeof *numbers);
    if (!more) break;
    numbers             = more;
    numbers[(*count)++] = (int)number;
  }
  if (directory) closedir(directory);
  if (*count) qsort(numbers, *count, sizeof *numbers, CompareNumbers);
  return numbers;
}

/* the points that are on the disk get their numbers; returns the largest number there is */
static int FindNumbers(Study *study)
{
  size_t    count, next = 0;
  int      *numbers = ListNumbers(study->output, &count);
  const int largest = count ? numbers[count - 1] : 0;

  for (size_t i = 0; i < count; i++) {
    FilePath path;
    char    *text, *body;

    snprintf(path, sizeof path, "%s/%d/job.yaml", study->output, numbers[i]);
    text = StudyReadFile(path);
    body = text ? strchr(text, '\n') : NULL;
    for (size_t k = 0; body && k < study->npoints; k++) { /* most often they stand in the points' order */
      Point *point = &study->points[(next + k) % study->npoints];

      if (point->number || strcmp(point->text, body + 1) != 0) continue;
      point->number = numbers[i];
      next          = (next + k + 1) % study->npoints;
      break;
    }
    free(text);
  }
  free(numbers);
  return largest;
}

void StudyNumber(Study *study, Complaint *complaint)
{
  int reason  = MakeDirectory(study->output);
  int largest = FindNumbers(study);

  for (size_t i = 0; i < study->npoints && !reason; i++) {
    Point      *point = &study->points[i];
    FilePath    path;
    const char *text;

    if (point->number) continue;
    point->number = ++largest;
    StudyPath(study, point, "", path);
    reason = MakeDirectory(path);
    StudyPath(study, point, "job.yaml", path);
    text = StudyFormat(study, "output: \"%s/%d\"\n%s", study->output, point->number, point->text);
    if (!reason) reason = FileWrite(path, text, strlen(text));
  }
  if (reason) FileComplain(complaint, study->output, reason);
}

/* ---- states ------------------------------------------------------------------------------------------------------------------------ */

static int ReadStatus(const char path[])
{
  FILE *in     = fopen(path, "r");
  int   status = -1;

  if (in && fscanf(in, "%d", &status) != 1) status = -1;
  if (in) fclose(in);
  return status;
}

/* whose complaint a line is: 2 codim's, 1 the batch script's, 0 nobody's */
static int Complains(const char line[])
{
  if (!strncmp(line, "codim: ", 7)) return 2;
  return !strncmp(line, "codim.sbatch: ", 14) && !strstr(line, " ranks of ") ? 1 : 0;
}

/* the last line of the log that complains, codim's before the script's, or else how the launcher ended, and the log's last line */
static void FindReason(const Study *study, Point *point)
{
  FilePath    path;
  char       *log, *ended, *rest = NULL;
  const char *last = "no status, no log", *complaint = NULL;
  int         whose = 1;

  StudyPath(study, point, "log", path);
  log = StudyReadFile(path);
  StudyPath(study, point, "ended", path);
  ended = StudyReadFile(path);
  for (char *line = log ? strtok_r(log, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
    if (Complains(line) >= whose) {
      whose     = Complains(line);
      complaint = line + (whose == 2 ? 7 : 0);
    }
    if (line[strspn(line, " -*\t")]) last = line;
  }
  if (complaint)
    snprintf(point->reason, sizeof point->reason, "%s", complaint);
  else
    snprintf(point->reason, sizeof point->reason, "%.*s%s%s", ended ? (int)strcspn(ended, "\n") : 0, ended ? ended : "",
             ended ? ": " : "", last);
  free(log);
  free(ended);
}

static PetscBool Exists(const Study *study, const Point *point, const char file[])
{
  FilePath path;

  StudyPath(study, point, file, path);
  return (PetscBool)!access(path, F_OK);
}

/* queue: " 12_3 12_4 ", the array tasks Slurm has; NULL: not known */
static PetscBool IsQueued(const Study *study, const Point *point, const char queue[])
{
  FilePath  path;
  char      task[64] = "", padded[72];
  FILE     *in;
  PetscBool here;

  StudyPath(study, point, "submitted", path);
  in   = fopen(path, "r");
  here = (PetscBool)(in && fscanf(in, "%63s", task) == 1);
  if (in) fclose(in);
  snprintf(padded, sizeof padded, " %s ", task);
  return (PetscBool)(here && (!queue || strstr(queue, padded)));
}

void StudyLookAt(const Study *study, Point *point, const char queue[])
{
  FilePath path;

  StudyPath(study, point, "status", path);
  point->status    = ReadStatus(path);
  point->reason[0] = '\0';
  if (point->status == STATUS_HOLDS || point->status == STATUS_REFUTED || point->status == STATUS_UNDECIDED)
    point->state = POINT_DONE;
  else if (IsQueued(study, point, queue))
    point->state = POINT_QUEUED;
  else if (point->status == STATUS_STOPPED)
    point->state = POINT_STOPPED;
  else if (point->status >= 0 || Exists(study, point, "ended") || Exists(study, point, "submitted"))
    point->state = POINT_FAILED;
  else
    point->state = POINT_PENDING;
  if (point->state == POINT_FAILED) FindReason(study, point);
}

/* " 12_3 12_4 "; NULL: there is no Slurm */
static const char *ReadQueue(Study *study)
{
  char *const argv[] = {(char *)"squeue", (char *)"-h", (char *)"-r", (char *)"-o", (char *)"%F_%K", NULL};
  PetscBool   any    = PETSC_FALSE;
  int         status;
  char       *text;
  const char *queue = NULL;

  for (size_t i = 0; i < study->npoints && !any; i++) any = Exists(study, &study->points[i], "submitted");
  text = any ? StudyCapture(argv, PETSC_TRUE, &status) : NULL;
  for (char *c = text; c && *c; c++)
    if (*c == '\n') *c = ' ';
  if (text && !status) queue = StudyFormat(study, " %s ", text);
  free(text);
  return queue;
}

void StudyLook(Study *study)
{
  const char *queue = ReadQueue(study);

  for (size_t i = 0; i < study->npoints; i++) StudyLookAt(study, &study->points[i], queue);
}

/* ---- what is asked for --------------------------------------------------------------------------------------------------------------- */

/* -submit, -collect, -only X, -at_once N, -output DIR; all else is set */
static void ParseRequest(Study *study, int argc, char *const argv[], Request *request, Complaint *complaint)
{
  for (int i = 3; i < argc; i++) {
    const PetscBool valued = (PetscBool)(i + 1 < argc && !(argv[i + 1][0] == '-' && !strchr("0123456789.", argv[i + 1][1])));
    const char     *key = argv[i] + 1, *value = valued ? argv[i + 1] : "";

    if (argv[i][0] != '-' || !argv[i][1]) {
      Complain(complaint, STATUS_USAGE, "%s: an option was expected, as in codim study STUDY.yaml -submit", argv[i]);
      return;
    }
    if (!strcmp(key, "submit"))
      request->submit = PETSC_TRUE;
    else if (!strcmp(key, "collect"))
      request->collect = PETSC_TRUE;
    else {
      if (!strcmp(key, "only"))
        request->only = value;
      else if (!strcmp(key, "output"))
        request->output = value;
      else if (!strcmp(key, "at_once"))
        request->at_once = atoi(value);
      else
        StudySet(study, &request->given, key, value);
      i += valued ? 1 : 0;
    }
  }
}

/* is the number in "3,7-9"? */
static PetscBool IsListed(const char list[], int number)
{
  for (const char *c = list; *c;) {
    char      *end;
    const long first = strtol(c, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;

    if (number >= first && number <= last) return PETSC_TRUE;
    c = *end ? end + 1 : end;
  }
  return PETSC_FALSE;
}

/* the points that are to be run; those that -only names begin anew. Returns how many. */
static size_t Choose(Study *study, const char only[], Complaint *complaint)
{
  const PetscBool failed = (PetscBool)(only && !strcmp(only, "failed"));
  size_t          count  = 0;

  if (only && !failed && (!*only || strspn(only, "0123456789,-") != strlen(only)))
    Complain(complaint, STATUS_USAGE, "-only wants failed, or numbers of points: -only 3,7-9");
  for (size_t i = 0; i < study->npoints && !complaint->status; i++) {
    Point *point = &study->points[i];

    point->chosen = (PetscBool)(failed ? point->state == POINT_FAILED
                                : only ? IsListed(only, point->number) && point->state != POINT_QUEUED
                                       : point->state == POINT_PENDING || point->state == POINT_STOPPED);
    if (!point->chosen) continue;
    count++;
    if (only) StudyForget(study, point);
  }
  if (only && !count && !complaint->status)
    Complain(complaint, STATUS_USAGE, "-only %s: no such point of %s%s", only, study->output,
             failed ? "" : ", or it is in the queue");
  return count;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------------- */

static ExitStatus Summarize(const Study *study)
{
  size_t      of[5] = {0};
  const char *comma = "";

  for (size_t i = 0; i < study->npoints; i++) {
    const Point *point = &study->points[i];

    of[point->state]++;
    if (point->state == POINT_FAILED) printf("  %s/%d failed: %s\n", study->output, point->number, point->reason);
  }
  printf("%s: %zu points:", study->name, study->npoints);
  for (int state = 4; state >= 0; state--) {
    if (!of[state]) continue;
    printf("%s %zu %s", comma, of[state], PointStates[state]);
    comma = ",";
  }
  printf("; %s/table.csv, table.h5", study->output);
  for (size_t k = 0; k < study->nfigures; k++) printf(", %s.svg", study->figures[k].name);
  printf("\n");
  if (of[POINT_FAILED]) printf("run only those again: codim study %s -only failed\n", study->path);
  if (of[POINT_PENDING] + of[POINT_STOPPED] + of[POINT_QUEUED]) return STATUS_STOPPED;
  return of[POINT_FAILED] ? STATUS_DATA : STATUS_HOLDS;
}

/* nobody else runs or submits points of it; -1: somebody does */
static int Lock(const Study *study)
{
  FilePath path;
  int      fd;

  snprintf(path, sizeof path, "%s/lock", study->output);
  fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
    close(fd);
    return -1;
  }
  return fd >= 0 ? fd : -2;
}

static void Work(Study *study, const Request *request, Complaint *complaint)
{
  const int lock = Lock(study);

  if (lock == -1) {
    Complain(complaint, STATUS_USAGE, "%s: another codim study runs its points", study->output);
    return;
  }
  StudyLook(study);
  if (Choose(study, request->only, complaint)) {
    if (request->submit)
      StudySubmit(study, complaint);
    else
      (void)StudyRunHere(study, complaint);
  } else if (request->submit && !complaint->status)
    printf("%s: nothing is to be submitted\n", study->name);
  if (lock >= 0) close(lock);
}

/* where this program is */
static const char *FindProgram(Study *study, const char argv0[])
{
  FilePath      path;
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);

  if (length <= 0) return argv0;
  path[length] = '\0';
  return StudyFormat(study, "%s", path);
}

const char *StudyFindBeside(Study *study, size_t n, const char *const places[])
{
  const char *slash = strrchr(study->program, '/');

  for (size_t i = 0; slash && i < n; i++) {
    const char *path = StudyFormat(study, "%.*s/%s", (int)(slash - study->program), study->program, places[i]);
    FilePath    real;

    if (!access(path, R_OK) && realpath(path, real)) return StudyFormat(study, "%s", real);
  }
  return NULL;
}

/* beside codim plan's bytes are those that were counted, where that can be */
static void FindTraffic(Study *study)
{
  static const char *const places[] = {"traffic.so", "../lib/codim/traffic.so"};

  study->traffic = study->plan ? StudyFindBeside(study, PETSC_STATIC_ARRAY_LENGTH(places), places) : NULL;
}

ExitStatus StudyRun(int argc, char *const argv[])
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  Study       study     = {0};
  Request     request   = {0};
  ExitStatus  status    = STATUS_HOLDS;
  const char *ranks     = getenv("OMPI_COMM_WORLD_SIZE") ? getenv("OMPI_COMM_WORLD_SIZE") : getenv("PMI_SIZE");

  if (ranks && atoi(ranks) > 1)
    Complain(&complaint, STATUS_USAGE, "codim study is one process, without mpiexec: it starts its runs itself");
  ParseRequest(&study, argc, argv, &request, &complaint);
  study.program = FindProgram(&study, argv[0]);
  study.output  = request.output;
  study.given   = "";
  if (!complaint.status) StudyRead(&study, argv[2], &request.given, &complaint);
  FindTraffic(&study);
  for (size_t k = 0; k < request.given.n; k++)
    study.given = StudyFormat(&study, "%s -%s '%s'", study.given, request.given.entries[k].key, request.given.entries[k].value);
  if (request.output) study.output = request.output;
  if (request.at_once > 0) study.at_once = request.at_once;
  if (!complaint.status) StudyNumber(&study, &complaint);
  if (!complaint.status && !request.collect) Work(&study, &request, &complaint);
  if (!complaint.status) {
    StudyLook(&study);
    StudyCollect(&study, &complaint);
  }
  if (!complaint.status) status = Summarize(&study);
  if (!complaint.status && (request.submit || request.collect)) status = STATUS_HOLDS;
  if (complaint.status) {
    fflush(stdout);
    fprintf(stderr, "codim: %s\n", complaint.text);
    status = complaint.status;
  }
  StudyFree(&study);
  return status;
}
