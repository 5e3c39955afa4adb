/*
  study_state.h: what the files study*.c share. Serial, without MPI.
*/
#pragma once

#include "codim/study.h"
#include "file.h"

/* a key and its value as on the command line */
typedef struct {
  const char *key, *value;
} Setting;

typedef struct {
  size_t   n, room;
  Setting *entries;
} Settings;

/* keys whose values vary together; values[v] has one for each key */
typedef struct {
  size_t        nkeys, nvalues;
  const char  **keys;
  const char ***values;
} Axis;

typedef struct {
  int nodes, ranks_on_a_node, ranks, threads; /* 0: not said */
} Placement;

typedef enum {
  POINT_PENDING, /* not begun, or broken off: to be run */
  POINT_STOPPED, /* status 75: to be gone on with */
  POINT_QUEUED,  /* Slurm has it */
  POINT_DONE,    /* with a verdict */
  POINT_FAILED
} PointState;

extern const char *const PointStates[];

typedef struct {
  int         number;
  size_t     *at;   /* of each axis, which value */
  const char *text; /* job.yaml, but for the line with its output */
  int         repetition;
  Placement   placement;
  PointState  state;
  int         status; /* -1: none */
  char        reason[256];
  PetscBool   chosen; /* to be run */
} Point;

/* name, kind, title, x, y, by, log, value: "" where not said */
typedef struct {
  const char *name, *kind, *title, *x, *y, *by, *log, *value;
} StudyFigure;

typedef struct Block_s *Block;

typedef struct {
  const char  *path, *name, *job, *output, *sbatch;
  const char  *program; /* codim itself */
  const char  *launch;  /* what starts ranks here */
  const char  *traffic; /* traffic.so, preloaded to count what ranks receive; NULL: not counted */
  const char  *given;   /* the options of the command line that are set, again as text */
  int          at_once, repeat;
  PetscBool    plan;
  Placement    placement;
  Settings     fixed; /* the job's keys, then `set`, then the command line's */
  size_t       naxes, npoints, nfigures;
  Axis        *axes;
  Point       *points;
  StudyFigure *figures;
  Block        blocks; /* what StudyKeep gave */
} Study;

/* the first of the places, from the directory of this program, where there is such a file; NULL: in none */
const char *StudyFindBeside(Study *study, size_t n, const char *const places[]);

/* zeroed, and freed with the study */
void       *StudyKeep(Study *study, size_t size);
const char *StudyFormat(Study *study, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
void        StudyFree(Study *study);

/* a setting at the end, or in the place of an earlier one of the key */
void StudySet(Study *study, Settings *settings, const char key[], const char value[]);

/* the study file, the job file, then `given` (over both); points are made and checked. Nothing is written. */
void StudyRead(Study *study, const char path[], const Settings *given, Complaint *complaint);

/* numbers for the points, their directories and job.yaml */
void StudyNumber(Study *study, Complaint *complaint);

/* state, status and reason of every point, from its files and Slurm's queue */
void  StudyLook(Study *study);
void  StudyLookAt(const Study *study, Point *point, const char queue[]);
void  StudyForget(const Study *study, const Point *point); /* that it was run */
void  StudyPath(const Study *study, const Point *point, const char file[], FilePath path);
char *StudyReadFile(const char path[]); /* NULL: cannot; to be freed */

/* run what is chosen; true: it was stopped by a signal */
PetscBool StudyRunHere(Study *study, Complaint *complaint);
void      StudySubmit(Study *study, Complaint *complaint);

/* what a command prints, to be freed; *status: its exit status, -1 where it could not be started. quiet: not what it says on stderr */
char *StudyCapture(char *const argv[], PetscBool quiet, int *status);

/* table.csv, table.h5, figures */
void StudyCollect(Study *study, Complaint *complaint);

/* A table by columns: values, and texts where a column has some. */
typedef struct {
  const char  *name;
  PetscReal   *values; /* NaN: none */
  const char **texts;  /* NULL: numbers */
} StudyColumn;

typedef struct {
  size_t       rows, n;
  StudyColumn *columns;
} StudyTable;

const StudyColumn *StudyFind(const StudyTable *table, const char name[]); /* NULL: there is none */
void               StudyWriteTable(const StudyTable *table, const char stem[], Complaint *complaint);
void               StudyDraw(Study *study, const StudyTable *table, Complaint *complaint);
