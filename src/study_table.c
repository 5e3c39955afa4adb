/*
  study_table.c: what the runs of a study found, a row a point; see study.h.
*/
#include "codim/table.h"
#include "study_state.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COLUMNS_MAX = 512 };

/* ---- columns ----------------------------------------------------------------------------------------------------------------------- */

const StudyColumn *StudyFind(const StudyTable *table, const char name[])
{
  for (size_t c = 0; c < table->n; c++)
    if (!strcmp(table->columns[c].name, name)) return &table->columns[c];
  return NULL;
}

/* the column of that name, made where there is none; NULL: there are too many */
static StudyColumn *Column(Study *study, StudyTable *table, const char name[])
{
  StudyColumn *column = (StudyColumn *)StudyFind(table, name);

  if (column || table->n == COLUMNS_MAX) return column;
  column         = &table->columns[table->n++];
  column->name   = StudyFormat(study, "%s", name);
  column->values = StudyKeep(study, (table->rows + 1) * sizeof *column->values);
  for (size_t row = 0; row < table->rows; row++) column->values[row] = NAN;
  return column;
}

static void PutNumber(Study *study, StudyTable *table, const char name[], size_t row, double value)
{
  StudyColumn *column = Column(study, table, name);

  if (column) column->values[row] = (PetscReal)value;
}

static void PutWord(Study *study, StudyTable *table, const char name[], size_t row, const char word[])
{
  StudyColumn *column = Column(study, table, name);

  if (!column) return;
  if (!column->texts) {
    column->texts = StudyKeep(study, (table->rows + 1) * sizeof *column->texts);
    for (size_t i = 0; i < table->rows; i++) column->texts[i] = "";
  }
  column->texts[row] = StudyFormat(study, "%s", word);
}

/* ---- a row ----------------------------------------------------------------------------------------------------------------------------- */

/* a value that varies: a number, or a text whose leading number figures can use */
static void PutAxes(Study *study, StudyTable *table, size_t row)
{
  const Point *point = &study->points[row];

  for (size_t a = 0; a < study->naxes; a++) {
    const Axis *axis = &study->axes[a];

    for (size_t k = 0; k < axis->nkeys; k++) {
      PetscBool numbers = PETSC_TRUE;
      char     *end;

      for (size_t v = 0; v < axis->nvalues; v++) numbers = (PetscBool)(numbers && (strtod(axis->values[v][k], &end), !*end));
      PutNumber(study, table, axis->keys[k], row, strtod(axis->values[point->at[a]][k], &end));
      if (!numbers) PutWord(study, table, axis->keys[k], row, axis->values[point->at[a]][k]);
    }
  }
}

/* whether rank J = m at a zero: what holds has it, by proof or by numbers; a rank is J's at a zero only where one was reached */
static void PutFullRank(Study *study, StudyTable *table, size_t row, const json_t *report)
{
  const json_t *rank = json_object_get(json_object_get(report, "jacobian"), "rank");
  const json_t *m    = json_object_get(json_object_get(report, "problem"), "residuals");

  if (json_is_true(json_object_get(json_object_get(report, "verdict"), "holds")))
    PutNumber(study, table, "full_rank", row, 1);
  else if (json_is_true(json_object_get(json_object_get(report, "minimum"), "zero")) && json_is_integer(rank))
    PutNumber(study, table, "full_rank", row, json_integer_value(rank) == json_integer_value(m));
}

/* every number, truth and word of report.json's objects, as object.key; not the options, which are the axes and the job */
static void PutReport(Study *study, StudyTable *table, size_t row, const json_t *report)
{
  const char *part, *key;
  json_t     *object, *value;
  double      seconds = 0;

  json_object_foreach((json_t *)report, part, object)
  {
    if (!strcmp(part, "options")) continue;
    json_object_foreach(object, key, value)
    {
      const char *name = StudyFormat(study, "%s.%s", part, key);

      if (json_is_number(value)) PutNumber(study, table, name, row, json_number_value(value));
      if (json_is_boolean(value)) PutNumber(study, table, name, row, json_is_true(value));
      if (json_is_string(value)) PutWord(study, table, name, row, json_string_value(value));
      if (!strcmp(part, "time")) seconds += json_number_value(value);
    }
  }
  PutNumber(study, table, "seconds", row, seconds);
  PutNumber(study, table, "ranks", row, (double)json_integer_value(json_object_get(report, "ranks")));
  value = json_object_get(json_object_get(report, "certificate"), "status");
  if (json_is_string(value)) PutNumber(study, table, "proved", row, !strcmp(json_string_value(value), "proved"));
  PutFullRank(study, table, row, report);
}

static json_t *LoadOf(const Study *study, const Point *point, const char file[])
{
  FilePath path;

  StudyPath(study, point, file, path);
  return json_load_file(path, 0, NULL);
}

/* as far as it is said; 0: not */
static int RanksOf(const Placement *p)
{
  return p->ranks ? p->ranks : PetscMax(p->nodes, 1) * p->ranks_on_a_node;
}

/* plan.json beside a point: codim plan's words for the ranks, threads, and, where it has run, the steps and products that it took */
static void MakePlan(Study *study, const Point *point, int ranks)
{
  const int   threads = PetscMax(point->placement.threads, 1);
  const char *argv0[] = {study->program,
                         "plan",
                         StudyFormat(study, "%s/%d/job.yaml", study->output, point->number),
                         "-ranks",
                         StudyFormat(study, "%d", ranks),
                         "-node_cores",
                         StudyFormat(study, "%d", ranks * threads),
                         "-json",
                         NULL};
  FilePath    path;
  int         status;
  char       *argv[PETSC_STATIC_ARRAY_LENGTH(argv0)], *text;
  struct stat there;

  StudyPath(study, point, "plan.json", path);
  if (!stat(path, &there)) return;
  memcpy(argv, argv0, sizeof argv0);
  text = StudyCapture(argv, PETSC_TRUE, &status);
  if (text && *text && (status == STATUS_HOLDS || status == STATUS_DATA))
    (void)FileWrite(path, text, strlen(text)); /* it may not fit */
  free(text);
}

static void PutPlan(Study *study, StudyTable *table, size_t row)
{
  json_t       *root = LoadOf(study, &study->points[row], "plan.json"), *stage;
  const json_t *plan = json_array_get(json_object_get(root, "plans"), 0);
  size_t        i;
  double        received = 0, flops = 0;

  json_array_foreach(json_object_get(plan, "stages"), i, stage)
  {
    if (!json_is_null(json_object_get(stage, "skipped"))) continue;
    received += json_number_value(json_object_get(stage, "received"));
    flops += json_number_value(json_object_get(stage, "flops"));
  }
  if (plan) {
    const json_t *seconds = json_object_get(plan, "seconds");

    PutNumber(study, table, "plan.seconds", row, json_is_number(seconds) ? json_number_value(seconds) : NAN);
    PutNumber(study, table, "plan.bytes", row,
              json_number_value(json_object_get(plan, "needed")) +
                  json_number_value(json_object_get(json_object_get(root, "node"), "baseline")));
    PutNumber(study, table, "plan.received", row, received);
    PutNumber(study, table, "plan.flops", row, flops);
  }
  json_decref(root);
}

/* what the ranks received; of a run that was interrupted only the end was counted */
static void PutTraffic(Study *study, StudyTable *table, size_t row, const json_t *report)
{
  json_t *traffic = LoadOf(study, &study->points[row], "traffic.json");

  if (traffic && json_integer_value(json_object_get(report, "interruptions")) == 0) {
    PutNumber(study, table, "traffic.received", row, json_number_value(json_object_get(traffic, "received")));
    PutNumber(study, table, "traffic.messages", row, json_number_value(json_object_get(traffic, "messages")));
  }
  json_decref(traffic);
}

static void PutRow(Study *study, StudyTable *table, size_t row)
{
  Point           *point  = &study->points[row];
  const Placement *p      = &point->placement;
  json_t          *report = point->state == POINT_DONE ? LoadOf(study, point, "report.json") : NULL;
  const int        ranks  = report ? (int)json_integer_value(json_object_get(report, "ranks")) : RanksOf(p);

  PutNumber(study, table, "point", row, point->number);
  PutWord(study, table, "state", row, PointStates[point->state]);
  PutWord(study, table, "reason", row, point->reason);
  PutAxes(study, table, row);
  PutNumber(study, table, "nodes", row, p->nodes ? (double)p->nodes : NAN);
  if (ranks) PutNumber(study, table, "ranks", row, ranks);
  PutNumber(study, table, "threads", row, PetscMax(p->threads, 1));
  PutNumber(study, table, "run", row, point->repetition);
  (void)Column(study, table, "ranks");
  (void)Column(study, table, "seconds");
  (void)Column(study, table, "full_rank");
  (void)Column(study, table, "proved");
  if (study->plan && ranks && (report || point->state == POINT_FAILED)) MakePlan(study, point, ranks);
  if (study->plan) PutPlan(study, table, row);
  if (report) PutTraffic(study, table, row, report);
  if (report) PutReport(study, table, row, report);
  json_decref(report);
}

/* ---- files -------------------------------------------------------------------------------------------------------------------------- */

void StudyWriteTable(const StudyTable *table, const char stem[], Complaint *complaint)
{
  TableField *fields = calloc(table->n + 1, sizeof *fields);
  FilePath    path;

  for (size_t c = 0; fields && c < table->n; c++)
    fields[c] = (TableField){table->columns[c].name, table->columns[c].values, table->columns[c].texts};
  snprintf(path, sizeof path, "%s.csv", stem);
  if (fields) TableWriteFields(path, (PetscInt)table->rows, fields, complaint);
  snprintf(path, sizeof path, "%s.h5", stem);
  if (fields) TableWriteHDF5(path, "points", (PetscInt)table->rows, fields, complaint);
  free(fields);
}

void StudyCollect(Study *study, Complaint *complaint)
{
  StudyTable table = {study->npoints, 0, StudyKeep(study, COLUMNS_MAX * sizeof(StudyColumn))};

  for (size_t row = 0; row < table.rows; row++) PutRow(study, &table, row);
  StudyWriteTable(&table, StudyFormat(study, "%s/table", study->output), complaint);
  if (!complaint->status) StudyDraw(study, &table, complaint);
}
