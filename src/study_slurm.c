/*
  study_slurm.c: the points of a study as arrays of slurm/codim.sbatch; see study.h.

  Points of one placement make an array, cut where their numbers exceed Slurm's MaxArraySize: task t of it is point t + CODIM_ARRAY_OFFSET.
  Where the study says at_once, one array waits for the one before. A last job collects when all have ended.
*/
#include "study_state.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 96 };

typedef struct {
  Study      *study;
  const char *script;
  long        max; /* an array's indices are below it */
  const char *ids; /* ":12:13" */
  const char *last;
} Submission;

static long MaxArraySize(void)
{
  char *const argv[] = {(char *)"scontrol", (char *)"show", (char *)"config", NULL};
  int         status;
  char       *text = StudyCapture(argv, PETSC_FALSE, &status), *line = text ? strstr(text, "MaxArraySize") : NULL;
  const char *equal = line ? strchr(line, '=') : NULL;
  const long  size  = equal && status == 0 ? strtol(equal + 1, NULL, 10) : 0;

  free(text);
  return size;
}

/* in the tree that this program was built in, or where it was installed */
static const char *FindScript(Study *study)
{
  static const char *const places[] = {"../slurm/codim.sbatch", "../share/codim/slurm/codim.sbatch"};

  return getenv("CODIM_SBATCH") ? getenv("CODIM_SBATCH") : StudyFindBeside(study, PETSC_STATIC_ARRAY_LENGTH(places), places);
}

/* options of sbatch that are words of the study file */
static size_t AddWords(Study *study, const char text[], char *argv[], size_t n)
{
  char *copy = (char *)StudyFormat(study, "%s", text ? text : ""), *rest = NULL;

  for (char *word = strtok_r(copy, " \t\n", &rest); word && n < ARGUMENTS_MAX - 12; word = strtok_r(NULL, " \t\n", &rest))
    argv[n++] = word;
  return n;
}

static size_t AddPlacement(Study *study, const Placement *p, char *argv[], size_t n)
{
  if (p->nodes) argv[n++] = (char *)StudyFormat(study, "--nodes=%d", p->nodes);
  if (p->ranks_on_a_node) argv[n++] = (char *)StudyFormat(study, "--ntasks-per-node=%d", p->ranks_on_a_node);
  if (p->ranks) argv[n++] = (char *)StudyFormat(study, "--ntasks=%d", p->ranks);
  if (p->threads) argv[n++] = (char *)StudyFormat(study, "--cpus-per-task=%d", p->threads);
  return n;
}

/* sbatch --parsable says the job's number, and after a ; the cluster */
static const char *RunSbatch(Submission *s, char *const argv[], Complaint *complaint)
{
  int         status;
  char       *text = StudyCapture(argv, PETSC_FALSE, &status);
  const char *id   = text ? StudyFormat(s->study, "%.*s", (int)strspn(text, "0123456789"), text) : "";

  free(text);
  if (!status && *id) return id;
  Complain(complaint, STATUS_DATA, "sbatch refused; what was submitted stays, and the same command submits the rest");
  return "";
}

/* points [first, last), all with numbers in (offset, offset + max); they are chosen and of one placement */
static void SubmitArray(Submission *s, Point *const points[], size_t count, int offset, Complaint *complaint)
{
  Study      *study = s->study;
  const char *list = "", *id, *argv0[] = {"sbatch", "--parsable"};
  char       *argv[ARGUMENTS_MAX];
  size_t      n = 2;

  memcpy(argv, argv0, sizeof argv0);
  for (size_t i = 0, run; i < count; i += run) {
    const int first = points[i]->number - offset;

    for (run = 1; i + run < count && points[i + run]->number == points[i]->number + (int)run; run++) {
    }
    list = StudyFormat(study, run > 1 ? "%s%s%d-%d" : "%s%s%d", list, *list ? "," : "", first, first + (int)run - 1);
  }
  argv[n++] = (char *)StudyFormat(study, "--array=%s%s", list, study->at_once ? StudyFormat(study, "%%%d", study->at_once) : "");
  argv[n++] = (char *)StudyFormat(study, "--job-name=%s", study->name);
  argv[n++] = (char *)StudyFormat(study, "--output=%s/slurm/%%A-%%a.out", study->output);
  if (study->at_once && s->last) argv[n++] = (char *)StudyFormat(study, "--dependency=afterany:%s", s->last);
  n         = AddPlacement(study, &points[0]->placement, argv, n);
  n         = AddWords(study, study->sbatch, argv, n);
  argv[n++] = (char *)s->script;
  argv[n++] = (char *)StudyFormat(study, "%s/%%a/job.yaml", study->output);
  argv[n]   = NULL;
  (void)setenv("CODIM_ARRAY_OFFSET", StudyFormat(study, "%d", offset), 1);
  for (size_t i = 0; i < count; i++) StudyForget(study, points[i]);
  id = RunSbatch(s, argv, complaint);
  for (size_t i = 0; i < count && *id; i++) {
    const char *task = StudyFormat(study, "%s_%d\n", id, points[i]->number - offset);
    FilePath    path;

    StudyPath(study, points[i], "submitted", path);
    (void)FileWrite(path, task, strlen(task));
  }
  if (!*id) return;
  s->ids  = StudyFormat(study, "%s:%s", s->ids, id);
  s->last = id;
  printf("%s: job %s, %zu points: %s\n", study->name, id, count, argv[2]);
}

/* the job that collects, after all arrays */
static void SubmitCollector(Submission *s, Complaint *complaint)
{
  Study      *study   = s->study;
  const char *argv0[] = {"sbatch", "--parsable", StudyFormat(study, "--job-name=%s-collect", study->name),
                         StudyFormat(study, "--output=%s/collect.out", study->output),
                         StudyFormat(study, "--dependency=afterany%s", s->ids)};
  char       *argv[ARGUMENTS_MAX];
  const char *id;
  size_t      n = PETSC_STATIC_ARRAY_LENGTH(argv0);

  memcpy(argv, argv0, sizeof argv0);
  n         = AddWords(study, study->sbatch, argv, n);
  argv[n++] = (char *)"--nodes=1";
  argv[n++] = (char *)"--ntasks=1";
  argv[n++] = (char *)StudyFormat(study, "--wrap=exec '%s' study '%s' -output '%s' -collect%s", study->program, study->path,
                                  study->output, study->given);
  argv[n]   = NULL;
  id        = RunSbatch(s, argv, complaint);
  if (*id) printf("%s: job %s collects them when they have ended, into %s\n", study->name, id, study->output);
}

static int ByPlacement(const void *a, const void *b)
{
  const Point *p = *(Point *const *)a, *q = *(Point *const *)b;
  const int    same = memcmp(&p->placement, &q->placement, sizeof p->placement);

  return same ? same : (p->number > q->number) - (p->number < q->number);
}

void StudySubmit(Study *study, Complaint *complaint)
{
  Submission s      = {.study = study, .script = FindScript(study), .max = MaxArraySize(), .ids = ""};
  Point    **points = StudyKeep(study, (study->npoints + 1) * sizeof(Point *));
  size_t     count  = 0;

  if (!s.script)
    Complain(complaint, STATUS_USAGE, "codim.sbatch is not where %s would have it: CODIM_SBATCH says where it is", study->program);
  if (s.max < 2)
    Complain(complaint, STATUS_USAGE,
             "scontrol does not tell Slurm's MaxArraySize: is there Slurm here, and does it allow arrays?");
  for (size_t i = 0; i < study->npoints; i++)
    if (study->points[i].chosen) points[count++] = &study->points[i];
  qsort(points, count, sizeof(Point *), ByPlacement);
  (void)mkdir(StudyFormat(study, "%s/slurm", study->output), 0777);
  (void)setenv("CODIM", study->program, 0);
  (void)setenv("CODIM_STUDY", study->name, 1);
  if (study->traffic) (void)setenv("CODIM_TRAFFIC", study->traffic, 1);
  for (size_t i = 0, run; i < count && (!complaint->status || *s.ids);
       i += run) { /* one that is refused does not stop the others */
    const int offset = points[i]->number - 1;

    for (run = 1; i + run < count && !memcmp(&points[i]->placement, &points[i + run]->placement, sizeof(Placement)) &&
                  points[i + run]->number - offset < s.max;
         run++) {
    }
    SubmitArray(&s, points + i, run, offset, complaint);
  }
  if (*s.ids) SubmitCollector(&s, complaint);
}
