/*
  job_rerun.c: codim rerun: a finished run again, from its report, and what differs.
*/
#include "codim/spectrum_file.h"
#include "job_state.h"
#include "page_parts.h"
#include <stdlib.h>
#include <string.h>

/* ---- the same job ----------------------------------------------------------------------------------------------------------------- */

/* dir/report.json on every rank; a new reference */
static PetscErrorCode BroadcastReport(const char dir[], json_t **report)
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  char       *text      = NULL;
  PetscMPIInt rank;
  int         size = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  *report = rank == 0 ? PageReadReport(dir, &complaint) : NULL;
  if (*report && !json_is_string(json_object_get(*report, "solver_options")))
    Complain(&complaint, STATUS_DATA, "%s/report.json does not say the solvers' options: it is of an older version", dir);
  PetscCall(ComplaintRaise(PETSC_COMM_WORLD, &complaint));
  if (rank == 0) {
    text = json_dumps(*report, JSON_COMPACT);
    size = (int)strlen(text) + 1;
  }
  PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, PETSC_COMM_WORLD));
  if (rank > 0) text = malloc((size_t)size);
  PetscCallMPI(MPI_Bcast(text, size, MPI_CHAR, 0, PETSC_COMM_WORLD));
  if (rank > 0) *report = json_loads(text, 0, NULL);
  free(text);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a key's value as on the command line; "" for none */
static void PutValue(const json_t *value, OptionString text)
{
  size_t  i, used = 0;
  json_t *entry;

  text[0] = '\0';
  if (json_is_string(value)) (void)PetscStrncpy(text, json_string_value(value), sizeof(OptionString));
  if (json_is_boolean(value)) (void)PetscStrncpy(text, json_is_true(value) ? "true" : "false", sizeof(OptionString));
  if (json_is_integer(value)) (void)PetscSNPrintf(text, sizeof(OptionString), "%lld", (long long)json_integer_value(value));
  if (json_is_real(value)) (void)PetscSNPrintf(text, sizeof(OptionString), "%.17g", json_real_value(value));
  json_array_foreach(value, i, entry)
  {
    (void)PetscSNPrintf(text + used, sizeof(OptionString) - used, "%s%lld", i ? "," : "", (long long)json_integer_value(entry));
    used = strlen(text);
  }
}

/* solvers' options first, then our keys, then the output, then what the user gives now */
PetscErrorCode JobCreateRerun(const char dir[], Job *job)
{
  char        *given;
  const char  *key;
  json_t      *report, *value;
  OptionString text;

  PetscFunctionBeginUser;
  PetscCall(BroadcastReport(dir, &report));
  PetscCall(PetscOptionsGetAll(NULL, &given));
  PetscCall(PetscOptionsInsertString(NULL, json_string_value(json_object_get(report, "solver_options"))));
  json_object_foreach(json_object_get(report, "options"), key, value)
  {
    OptionString name;

    PutValue(value, text);
    if (!text[0]) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), "-%s", key));
    PetscCall(PetscOptionsSetValue(NULL, name, text));
  }
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s/rerun", dir));
  PetscCall(PetscOptionsSetValue(NULL, "-output", text));
  PetscCall(PetscOptionsInsertString(NULL, given));
  PetscCall(PetscFree(given));
  json_decref(report);
  PetscCall(JobCreate(dir, job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the same result -------------------------------------------------------------------------------------------------------------- */

/* one line where the two differ; returns whether they do */
static PetscBool Differ(const char name[], const json_t *then, const json_t *now)
{
  char *a, *b;

  if (json_equal(then, now)) return PETSC_FALSE;
  a = json_dumps(then, JSON_ENCODE_ANY);
  b = json_dumps(now, JSON_ENCODE_ANY);
  printf("  differs   %s: %s then, %s now\n", name, a ? a : "null", b ? b : "null");
  free(a);
  free(b);
  return PETSC_TRUE;
}

static PetscInt CompareCounts(const json_t *then, const json_t *now)
{
  static const char *const keys[][2] = {{"problem", "residuals"},   {"problem", "parameters"}, {"jacobian", "rank"},
                                        {"hessian", "positive"},    {"hessian", "zero"},       {"hessian", "negative"},
                                        {"verdict", "codimension"}, {"verdict", "holds"},      {"verdict", "basis"}};
  PetscInt                 differ    = 0;

  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(keys); k++) {
    const json_t *a = json_object_get(json_object_get(then, keys[k][0]), keys[k][1]);
    const json_t *b = json_object_get(json_object_get(now, keys[k][0]), keys[k][1]);
    char          name[64];

    (void)PetscSNPrintf(name, sizeof(name), "%s.%s", keys[k][0], keys[k][1]);
    if (Differ(name, a, b)) differ++;
  }
  return differ;
}

static PetscReal Resolution(const json_t *report)
{
  return json_number_value(json_object_get(json_object_get(report, "jacobian"), "rank_resolution"));
}

/* every singular value within what the two runs resolve together */
static PetscInt CompareSigma(const char dir_then[], const char dir_now[], PetscReal resolution)
{
  OptionString path;
  PetscInt     n_then, n_now, worst = 0;
  PetscReal   *then, *now, largest  = 0;

  (void)PetscSNPrintf(path, sizeof(path), "%s/spectrum.h5", dir_then);
  then = SpectrumFileRead(path, "/jacobian/singular_values", &n_then);
  (void)PetscSNPrintf(path, sizeof(path), "%s/spectrum.h5", dir_now);
  now = SpectrumFileRead(path, "/jacobian/singular_values", &n_now);
  for (PetscInt k = 0; k < PetscMin(n_then, n_now); k++) {
    if (!(PetscAbsReal(then[k] - now[k]) > largest)) continue;
    largest = PetscAbsReal(then[k] - now[k]);
    worst   = k;
  }
  if (n_then && n_then == n_now)
    printf("  sigma     %" PetscInt_FMT " singular values: at most %.1e apart (the %" PetscInt_FMT
           "th), and both runs resolve %.1e\n",
           n_now, (double)largest, worst + 1, (double)resolution);
  free(then);
  free(now);
  if (n_then != n_now) printf("  differs   %" PetscInt_FMT " singular values then, %" PetscInt_FMT " now\n", n_then, n_now);
  return n_then != n_now || largest > resolution;
}

PetscErrorCode JobCompareRerun(Job job, const char dir[])
{
  Complaint complaint = {STATUS_HOLDS, ""};
  json_t   *then, *now;
  PetscInt  differ = 0;

  PetscFunctionBeginUser;
  if (job->grid->rank == 0) {
    then = PageReadReport(dir, &complaint);
    now  = PageReadReport(job->run.output, &complaint);
    if (then && now) {
      printf("\n%s against %s\n", job->run.output, dir);
      differ = CompareCounts(then, now) + CompareSigma(dir, job->run.output, Resolution(then) + Resolution(now));
      if (!differ) printf("  the same verdict, the same counts\n");
      if (differ) Complain(&complaint, STATUS_DATA, "%s is not borne out by its rerun in %s: see above", dir, job->run.output);
      fflush(stdout);
    }
    json_decref(then);
    json_decref(now);
  }
  PetscCall(ComplaintRaise(job->comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
