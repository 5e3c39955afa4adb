/* data.c: the points: options, reading and checking on rank 0, blocks of points to the groups. */
#include "codim/data.h"
#include "data_read.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const Scales[]  = {"none", "unit", "standard", NULL};
static const char *const Targets[] = {"value", "onehot", "net", NULL};

#define FIELD(name) offsetof(DataOptions, name)

const OptionKey DataKeys[] = {
    {"data_file", KEY_STRING, FIELD(file), "", 0, 0, NULL,
     "the points, one file: HDF5 (.h5, .hdf5) with /x (points x inputs) and /y (points x outputs), or CSV (.csv), a header line "
     "first, targets last"},
    {"data_x", KEY_STRING, FIELD(x), "", 0, 0, NULL,
     "the inputs, a NumPy .npy file (points x …, flattened row-major); goes with data.y"},
    {"data_y", KEY_STRING, FIELD(y), "", 0, 0, NULL,
     "the targets, a NumPy .npy file (points, or points x outputs); goes with data.x"},
    {"data_images", KEY_STRING, FIELD(images), "", 0, 0, NULL,
     "the inputs, an IDX file, gzipped or not (points x …, flattened row-major); goes with data.labels"},
    {"data_labels", KEY_STRING, FIELD(labels), "", 0, 0, NULL, "the targets, an IDX file, gzipped or not; goes with data.images"},
    {"data_outputs", KEY_INT, FIELD(outputs), "0", 0, (PetscReal)PETSC_MAX_INT, NULL,
     "CSV only: how many of the last columns are targets (0: not given, then 1)"},
    {"data_points", KEY_INT, FIELD(points), "0", 0, (PetscReal)PETSC_MAX_INT, NULL, "d: use the first so many points (0: all)"},
    {"data_heldout", KEY_INT, FIELD(heldout), "0", 0, (PetscReal)PETSC_MAX_INT, NULL,
     "so many points of the same file after those used (of all: the last) are held out: only the change of the outputs there is "
     "measured"},
    {"data_scale", KEY_CHOICE, FIELD(scale), "none", 0, 0, Scales,
     "inputs: as they are; each column to [0,1]; column means off, then over the standard deviation of all entries"},
    {"data_target", KEY_CHOICE, FIELD(target), "value", 0, 0, Targets,
     "targets: as they are; one column of classes 0, 1, … to one output a class; what the net gives at the weights loaded, or at "
     "its random start"},
    {"data_target_scale", KEY_CHOICE, FIELD(target_scale), "none", 0, 0, Scales,
     "targets: as they are; each output to [-1,1]; each output's mean off, then over its standard deviation"},
    {NULL, KEY_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static const DataFormat *const DataFormats[] = {&DataFormatHDF5, &DataFormatCSV, &DataFormatNumPy, &DataFormatIDX, NULL};

/* ---- reading, on rank 0 ------------------------------------------------------------------------------------------- */

static void CheckPair(const char first[], const char first_key[], const char second[], const char second_key[],
                      Complaint *complaint)
{
  if (!*first != !*second)
    Complain(complaint, STATUS_USAGE, "%s is given, %s is not: they go together", *first ? first_key : second_key,
             *first ? second_key : first_key);
}

static void CheckOptions(const DataOptions *options, Complaint *complaint)
{
  const int sources =
      (options->file[0] ? 1 : 0) + (options->x[0] || options->y[0] ? 1 : 0) + (options->images[0] || options->labels[0] ? 1 : 0);

  if (sources != 1)
    Complain(complaint, STATUS_USAGE, "%s: give one of data.file, data.x with data.y, data.images with data.labels",
             sources ? "the points are given more than once" : "no points are given");
  if (options->target != TARGET_NET || !options->x[0]) CheckPair(options->x, "data.x", options->y, "data.y", complaint);
  if (options->target != TARGET_NET || !options->images[0])
    CheckPair(options->images, "data.images", options->labels, "data.labels", complaint);
  if (options->outputs && !DataFormatCSV.matches(options))
    Complain(complaint, STATUS_USAGE, "data.outputs: %" PetscInt_FMT " is for CSV; other formats hold the targets by themselves",
             options->outputs);
  if (options->target == TARGET_NET && options->target_scale != SCALE_NONE)
    Complain(complaint, STATUS_USAGE, "data.target_scale: targets that the net gives are not scaled");
}

static const DataFormat *FindFormat(const DataOptions *options, Complaint *complaint)
{
  const DataFormat *const *format = DataFormats;

  while (*format && !(*format)->matches(options)) format++;
  if (!*format)
    Complain(complaint, STATUS_USAGE,
             "data.file: %s: the name must end in .h5, .hdf5 (HDF5) or .csv; NumPy's .npy go to data.x and data.y, IDX to "
             "data.images and data.labels",
             options->file);
  return *format;
}

/* a missing number, NaN, is a target that was not observed */
static void CheckFinite(const Table *table, PetscBool missing, const char when[], Complaint *complaint)
{
  for (size_t i = 0; table->a && i < table->rows; i++)
    for (size_t j = 0; j < table->cols; j++)
      if (!isfinite(table->a[i * table->cols + j]) && !(missing && isnan(table->a[i * table->cols + j]))) {
        Complain(complaint, STATUS_DATA, "%s: data row %zu, column %zu of %s is %g%s", table->path, i + 1, j + 1, table->name,
                 (double)table->a[i * table->cols + j], when);
        return;
      }
}

static void ReadTables(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  const DataFormat *format = FindFormat(options, complaint);

  if (!format) return;
  format->read(options, x, y, complaint);
  if (complaint->status) return;
  if (y && x->available != y->available)
    Complain(complaint, STATUS_DATA, "%s: %s has %zu points, but y%s%s has %zu", x->path, x->name, x->available,
             strcmp(x->path, y->path) ? " in " : "", strcmp(x->path, y->path) ? y->path : "", y->available);
  else {
    CheckFinite(x, PETSC_FALSE, "", complaint);
    if (y) CheckFinite(y, PETSC_TRUE, "", complaint);
  }
}

/* the last rows, to held: *x and *y keep the others */
static void SplitHeldout(const DataOptions *options, Table *x, Table *y, PetscReal **held, Complaint *complaint)
{
  const size_t N = (size_t)options->heldout, p = x->cols;

  if (N == 0 || complaint->status) return;
  if (x->rows <= N) {
    Complain(complaint, STATUS_DATA, "%s: of its %zu points %zu cannot be held out", x->path, x->rows, N);
    return;
  }
  x->rows -= N;
  if (y->rows > x->rows) y->rows = x->rows;
  if (!x->a) return; /* its shape was wanted */
  *held = malloc(N * p * sizeof **held);
  if (!*held) {
    Complain(complaint, STATUS_DATA, "too little memory for the %zu points held out", N);
    return;
  }
  memcpy(*held, x->a + x->rows * p, N * p * sizeof **held);
  ScaleLike((DataScale)options->scale, x->rows, p, x->a, N, *held);
}

static void TransformTables(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  const char *overflow = " after scaling: the column's numbers are too large for it";

  if (options->target == TARGET_ONEHOT) TargetsOneHot(y, complaint);
  if (complaint->status) return;
  if (y->rows * y->cols > (size_t)PETSC_MAX_INT)
    Complain(complaint, STATUS_DATA, "%s: %zu points x %zu outputs are more residuals than %d-bit indices reach", y->path, y->rows,
             y->cols, (int)(8 * sizeof(PetscInt)));
  if (!x->a) return; /* its shape was wanted */
  ScaleInputs((DataScale)options->scale, x->rows, x->cols, x->a);
  ScaleTargets((DataScale)options->target_scale, y->rows, y->cols, y->a, complaint);
  CheckFinite(x, PETSC_FALSE, overflow, complaint);
  CheckFinite(y, PETSC_TRUE, overflow, complaint);
}

/* how many targets were not observed */
static size_t CountMissing(const Table *y, Complaint *complaint)
{
  size_t missing = 0, size = y->rows * y->cols;

  for (size_t k = 0; y->a && k < size; k++) missing += isnan(y->a[k]) ? 1 : 0;
  if (y->a && size && missing == size)
    Complain(complaint, STATUS_DATA, "%s: every target of the %zu points is NaN, which says that nothing was observed", y->path,
             y->rows);
  return missing;
}

static void DataRead(Data data, PetscBool shape_only, Complaint *complaint)
{
  const DataOptions *options = &data->options;
  const char        *x_path  = options->file[0] ? options->file : options->x[0] ? options->x : options->images;
  const char        *y_path  = options->file[0] ? options->file : options->y[0] ? options->y : options->labels;
  const size_t       points  = options->points ? (size_t)options->points + (size_t)options->heldout : 0;
  Table              x       = {.name = "x", .path = x_path, .min_dims = 2, .max_dims = TABLE_DIMS_MAX, .points = points};
  Table              y       = {.name = "y", .path = y_path, .min_dims = 1, .max_dims = 2, .points = points};

  x.shape_only = shape_only;
  y.shape_only = (PetscBool)(shape_only && options->target != TARGET_ONEHOT); /* classes are counted */
  CheckOptions(options, complaint);
  if (!complaint->status) ReadTables(options, &x, options->target == TARGET_NET ? NULL : &y, complaint);
  SplitHeldout(options, &x, &y, &data->held_x, complaint);
  if (!complaint->status) TransformTables(options, &x, &y, complaint);
  if (!complaint->status) data->missing = (PetscInt)CountMissing(&y, complaint);
  data->all_x   = x.a;
  data->all_y   = y.a;
  data->heldout = options->heldout;
  data->points  = (PetscInt)x.rows;
  data->inputs  = (PetscInt)x.cols;
  data->outputs = (PetscInt)y.cols;
}

/* ---- on every rank ------------------------------------------------------------------------------------------------ */

static PetscErrorCode DataBcastSizes(Data data)
{
  PetscInt sizes[5] = {data->points, data->inputs, data->outputs, data->missing, data->heldout};

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(sizes, 5, MPIU_INT, 0, data->comm));
  data->points  = sizes[0];
  data->inputs  = sizes[1];
  data->outputs = sizes[2];
  data->missing = sizes[3];
  data->heldout = sizes[4];
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Create(MPI_Comm comm, const DataOptions *options, PetscBool shape_only, Data *data)
{
  Complaint      complaint = {STATUS_HOLDS, ""};
  PetscErrorCode ierr;
  PetscMPIInt    rank;
  Data           made;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&made));
  made->comm    = comm;
  made->options = *options;
  if (rank == 0) DataRead(made, shape_only, &complaint);
  ierr = ComplaintRaise(comm, &complaint);
  if (!ierr) ierr = DataBcastSizes(made);
  if (!ierr && !shape_only) ierr = DataFindCoincidences(made, SYMMETRY_NONE, &made->equal);
  if (ierr) {
    PetscCall(DataDestroy(&made));
    PetscCall(ierr);
  }
  *data = made;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataCreate(MPI_Comm comm, const DataOptions *options, Data *data)
{
  PetscFunctionBeginUser;
  PetscCall(Create(comm, options, PETSC_FALSE, data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataCreateShape(MPI_Comm comm, const DataOptions *options, Data *data)
{
  PetscFunctionBeginUser;
  PetscCall(Create(comm, options, PETSC_TRUE, data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataExpectTargets(Data data, PetscInt outputs)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  data->outputs = outputs;
  data->equal.rows *= outputs; /* one output was counted */
  if (rank == 0) data->all_y = calloc((size_t)data->points * (size_t)outputs, sizeof *data->all_y);
  PetscCall(UserCheck(data->comm, (PetscBool)(rank || data->all_y), STATUS_DATA,
                      "too little memory for %" PetscInt_FMT " x %" PetscInt_FMT " targets", data->points, outputs));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void DataFreeBlock(Data data)
{
  if (data->x != data->all_x) free(data->x);
  if (data->y != data->all_y) free(data->y);
  data->x = data->y = NULL;
}

PetscErrorCode DataDestroy(Data *data)
{
  PetscFunctionBeginUser;
  if (!*data) PetscFunctionReturn(PETSC_SUCCESS);
  DataFreeBlock(*data);
  free((*data)->all_x);
  free((*data)->all_y);
  free((*data)->held_x);
  PetscCall(PetscFree(*data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rows of `all` (rank 0, d x cols) to each group's first rank, from there to the group. Counts are of rows: below 2^31. */
static PetscErrorCode ScatterRows(Grid grid, PetscInt d, PetscInt cols, const PetscReal all[], PetscReal block[])
{
  const size_t width = (size_t)cols;
  Range        mine  = GridGroupPoints(grid, d);
  PetscMPIInt  count, entries;
  MPI_Datatype row;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(cols, &entries));
  PetscCallMPI(MPI_Type_contiguous(entries, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  for (PetscMPIInt g = 1; grid->rank == 0 && g < grid->G; g++) {
    Range range = BlockRange(d, grid->G, g);

    PetscCall(PetscMPIIntCast(range.last - range.first, &count));
    PetscCallMPI(MPI_Send(all + (size_t)range.first * width, count, row, g * grid->Q, 0, grid->world));
  }
  PetscCall(PetscMPIIntCast(mine.last - mine.first, &count));
  if (grid->rank && grid->q == 0) PetscCallMPI(MPI_Recv(block, count, row, 0, 0, grid->world, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Bcast(block, count, row, 0, grid->group));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataCreateHeldout(Data data, Data *heldout)
{
  const size_t x = (size_t)data->heldout * (size_t)data->inputs, y = (size_t)data->heldout * (size_t)data->outputs;
  PetscMPIInt  rank;
  Data         made;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  PetscCall(PetscNew(&made));
  made->comm    = data->comm;
  made->options = data->options;
  made->points  = data->heldout;
  made->inputs  = data->inputs;
  made->outputs = data->outputs;
  made->missing = (PetscInt)y;
  if (rank == 0) {
    made->all_x = malloc(x * sizeof *made->all_x);
    made->all_y = malloc(y * sizeof *made->all_y);
    if (made->all_x) memcpy(made->all_x, data->held_x, x * sizeof *made->all_x);
    for (size_t k = 0; made->all_y && k < y; k++) made->all_y[k] = NAN;
  }
  *heldout = made;
  PetscCall(UserCheck(data->comm, (PetscBool)(rank || (made->all_x && made->all_y)), STATUS_DATA,
                      "too little memory for the %" PetscInt_FMT " points held out", data->heldout));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataScatter(Data data, Grid grid)
{
  Range     range  = GridGroupPoints(grid, data->points);
  size_t    points = (size_t)(range.last - range.first), p = (size_t)data->inputs, l = (size_t)data->outputs;
  PetscBool ok;

  PetscFunctionBeginUser;
  DataFreeBlock(data);
  data->x = grid->rank == 0 ? data->all_x : malloc((points * p + 1) * sizeof *data->x); /* + 1: NULL is no answer to 0 points */
  data->y = grid->rank == 0 ? data->all_y : malloc((points * l + 1) * sizeof *data->y);
  ok      = (PetscBool)(data->x && data->y);
  PetscCall(UserCheck(grid->world, ok, STATUS_DATA, "rank %d: too little memory for its %zu points: %.3g GB", grid->rank, points,
                      8e-9 * (double)points * (double)(p + l)));
  PetscCall(ScatterRows(grid, data->points, data->inputs, data->all_x, data->x));
  PetscCall(DataScatterTargets(data, grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataScatterTargets(Data data, Grid grid)
{
  PetscFunctionBeginUser;
  PetscCall(ScatterRows(grid, data->points, data->outputs, data->all_y, data->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataGatherTargets(Data data, Grid grid)
{
  const PetscInt l      = data->outputs;
  const Range    mine   = GridGroupPoints(grid, data->points);
  const int      leader = grid->q == 0 && grid->rank > 0;
  PetscMPIInt    entries, count;
  MPI_Datatype   row;

  PetscFunctionBeginUser;
  PetscCall(PetscMPIIntCast(l, &entries));
  PetscCallMPI(MPI_Type_contiguous(entries, MPIU_REAL, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCall(PetscMPIIntCast(mine.last - mine.first, &count));
  if (leader) PetscCallMPI(MPI_Send(data->y, count, row, 0, 0, grid->world));
  for (PetscMPIInt g = 1; grid->rank == 0 && g < grid->G; g++) {
    const Range range = BlockRange(data->points, grid->G, g);

    PetscCall(PetscMPIIntCast(range.last - range.first, &count));
    PetscCallMPI(
        MPI_Recv(data->all_y + (size_t)range.first * (size_t)l, count, row, g * grid->Q, 0, grid->world, MPI_STATUS_IGNORE));
  }
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetTargets(Data data, Grid grid, const PetscReal targets[])
{
  const Range  range = GridGroupPoints(grid, data->points);
  const size_t l = (size_t)data->outputs, size = (size_t)(range.last - range.first) * l;
  size_t       i;

  PetscFunctionBeginUser;
  for (i = 0; i < size && isfinite(targets[i]); i++) data->y[i] = targets[i];
  PetscCall(UserCheck(grid->world, (PetscBool)(i == size), STATUS_DATA,
                      "data.target: net: at the weights loaded the net's output at point %zu is not finite",
                      (size_t)range.first + i / l + 1));
  PetscCall(DataGatherTargets(data, grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}
