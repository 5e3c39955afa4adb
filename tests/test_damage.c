// ranks: 1 3
/* Files of every kind that a run reads, cut and with a byte changed at every sixteenth of their length. What a format can tell must be refused, in one
   line on one rank, with the same status on all; what it cannot tell (a number that became another) must not harm. Archives are in test_archive.c. */
#include "capture.h"
#include "codim/job.h"
#include "tap.h"
#include <hdf5.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <zlib.h>

static char        dir[64];
static PetscMPIInt world_rank;

static const char *In(const char name[])
{
  static char paths[4][PETSC_MAX_PATH_LEN];
  static int  next;
  char       *path = paths[next++ % 4];

  snprintf(path, PETSC_MAX_PATH_LEN, "%s/%s", dir, name);
  return path;
}

/* ---- readers ------------------------------------------------------------------------------------------------------------ */

static PetscErrorCode ReadData(const char option[], const char path[], const char other_option[], const char other[])
{
  DataOptions    options;
  Data           data;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, option, path));
  if (other_option) PetscCall(PetscOptionsSetValue(NULL, other_option, other));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Data", DataKeys, &options));
  PetscCall(PetscOptionsClearValue(NULL, option));
  if (other_option) PetscCall(PetscOptionsClearValue(NULL, other_option));
  ierr = DataCreate(PETSC_COMM_WORLD, &options, &data);
  if (!ierr) PetscCall(DataDestroy(&data));
  PetscFunctionReturn(ierr);
}

static PetscErrorCode ReadTable(const char path[])
{
  return ReadData("-data_file", path, NULL, NULL);
}

static PetscErrorCode ReadNpy(const char path[])
{
  return ReadData("-data_x", path, "-data_y", In("good_y.npy"));
}

static PetscErrorCode ReadIdx(const char path[])
{
  return ReadData("-data_images", path, "-data_labels", In("good_labels"));
}

static PetscErrorCode ReadNet(const char arch[], const char option[], const char path[], PetscInt inputs, PetscInt outputs)
{
  NetOptions     options;
  Network        network = NULL;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-net_arch", arch));
  PetscCall(PetscOptionsSetValue(NULL, option, path));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Net", NetKeys, &options));
  PetscCall(PetscOptionsClearValue(NULL, "-net_arch"));
  PetscCall(PetscOptionsClearValue(NULL, option));
  ierr = NetworkCreate(PETSC_COMM_WORLD, &options, inputs, outputs, &network);
  PetscCall(NetworkDestroy(&network));
  PetscFunctionReturn(ierr);
}

static PetscErrorCode ReadOps(const char path[])
{
  return ReadNet("ops", "-net_file", path, 5, 1);
}

static PetscErrorCode ReadGraph(const char path[])
{
  return ReadNet("graph", "-net_graph", path, 3, 2);
}

static const Label Labels[] = {{"a", 2, {7, 5}, 7, 5}, {"b", 1, {1}, 1, 1}, {"c", 2, {31, 13}, 31, 13}};

static PetscErrorCode ReadWeights(const char path[])
{
  Grid           grid;
  Parameters     parameters;
  Vec            theta;
  PetscMPIInt    size;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(GridCreate(PETSC_COMM_WORLD, size, 1, &grid));
  PetscCall(ParametersCreate(grid, 3, Labels, &parameters));
  PetscCall(ParametersCreateVec(parameters, &theta));
  ierr = WeightsRead(parameters, path, theta);
  PetscCall(VecDestroy(&theta));
  PetscCall(ParametersDestroy(&parameters));
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(ierr);
}

static PetscErrorCode ReadJob(const char path[])
{
  Complaint complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  if (world_rank == 0) OptionsCheckFile(path, JobKeys, &complaint);
  PetscCall(ComplaintRaise(PETSC_COMM_WORLD, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- good files, on rank 0 ------------------------------------------------------------------------------------------------- */

static void WriteBytes(const char path[], const void *bytes, size_t size)
{
  FILE *file = fopen(path, "wb");

  if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) abort();
}

static size_t ReadBytes(const char path[], unsigned char bytes[], size_t size)
{
  FILE  *file = fopen(path, "rb");
  size_t got;

  if (!file) abort();
  got = fread(bytes, 1, size, file);
  fclose(file);
  return got;
}

static void WriteCsv(const char path[])
{
  FILE *file = fopen(path, "w");

  fputs("a,b,c,y\n", file);
  for (int i = 0; i < 40; i++) fprintf(file, "%d.25,%d,%.3e,%d\n", i, i * i % 7, i / 3. - 5, i % 3);
  fclose(file);
}

/* NumPy's format, version 1.0 */
static void WriteNpy(const char path[], int rows, int cols)
{
  unsigned char bytes[8192] = "\x93NUMPY\x01\x00\x76\x00";
  const size_t  header      = 128;
  const int length = snprintf((char *)bytes + 10, 118, "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols);

  memset(bytes + 10 + length, ' ', 117 - (size_t)length);
  bytes[header - 1] = '\n';
  for (int i = 0; i < rows * cols; i++) {
    const double x = i * .37 - 3;

    memcpy(bytes + header + 8 * i, &x, 8);
  }
  WriteBytes(path, bytes, header + 8 * (size_t)(rows * cols));
}

static size_t IdxBytes(unsigned char bytes[], int ndim)
{
  const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 5, 0, 0, 0, 5}, labels[] = {0, 0, 8, 1, 0, 0, 0, 40};
  const size_t        header = ndim == 3 ? sizeof images : sizeof labels, numbers = ndim == 3 ? 1000 : 40;

  memcpy(bytes, ndim == 3 ? images : labels, header);
  for (size_t i = 0; i < numbers; i++) bytes[header + i] = (unsigned char)(ndim == 3 ? i * 37 % 251 : i % 10);
  return header + numbers;
}

static void WriteIdx(void)
{
  unsigned char bytes[2048];
  size_t        size = IdxBytes(bytes, 3);
  gzFile        file = gzopen(In("good_images.gz"), "wb");

  WriteBytes(In("good_images"), bytes, size);
  gzwrite(file, bytes, (unsigned)size);
  gzclose(file);
  size = IdxBytes(bytes, 1);
  WriteBytes(In("good_labels"), bytes, size);
}

static void WriteGraph(const char path[])
{
  json_t *root = json_load_file("tests/reference/graph-edge/case.json", 0, NULL), *graph = json_object_get(root, "graph");

  if (!graph || json_dump_file(graph, path, JSON_INDENT(1))) abort();
  json_decref(root);
}

/* collective */
static PetscErrorCode WriteNetAndWeights(void)
{
  NetOptions  options;
  Network     network;
  Grid        grid;
  Parameters  parameters;
  Vec         theta;
  PetscMPIInt size;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-net_widths", "6,4"));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Net", NetKeys, &options));
  PetscCall(PetscOptionsClearValue(NULL, "-net_widths"));
  PetscCall(NetworkCreate(PETSC_COMM_WORLD, &options, 5, 1, &network));
  PetscCall(NetworkWrite(PETSC_COMM_WORLD, network, In("good_ops.json")));
  PetscCall(NetworkDestroy(&network));
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(GridCreate(PETSC_COMM_WORLD, size, 1, &grid));
  PetscCall(ParametersCreate(grid, 3, Labels, &parameters));
  PetscCall(ParametersCreateVec(parameters, &theta));
  PetscCall(ParametersSetRandom(parameters, 1, 0, theta));
  PetscCall(WeightsWrite(parameters, theta, In("good.safetensors")));
  PetscCall(VecDestroy(&theta));
  PetscCall(ParametersDestroy(&parameters));
  PetscCall(GridDestroy(&grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the sweep --------------------------------------------------------------------------------------------------------------- */

typedef struct {
  const char *good, *bad; /* the same suffix: it tells the format */
  PetscErrorCode (*read)(const char path[]);
  PetscBool cut_tells; /* any cut is refused */
} Kind;

static const Kind Kinds[] = {{"good.csv", "bad.csv", ReadTable, PETSC_FALSE}, /* lines may be missing */
                             {"good.h5", "bad.h5", ReadTable, PETSC_TRUE},
                             {"good_x.npy", "bad_x.npy", ReadNpy, PETSC_TRUE},
                             {"good_images", "bad_images", ReadIdx, PETSC_TRUE},
                             {"good_images.gz", "bad_images.gz", ReadIdx, PETSC_TRUE},
                             {"good_ops.json", "bad_ops.json", ReadOps, PETSC_TRUE},
                             {"good_graph.json", "bad_graph.json", ReadGraph, PETSC_TRUE},
                             {"good.safetensors", "bad.safetensors", ReadWeights, PETSC_TRUE},
                             {"good.yaml", "bad.yaml", ReadJob, PETSC_FALSE}}; /* keys may be missing */

/* *refused; false where something is wrong: the ranks differ, not one line, another status, a trace */
static PetscBool TryRead(const Kind *kind, PetscBool *refused)
{
  Capture        capture = CaptureBegin(STDERR_FILENO);
  char           text[8192];
  PetscErrorCode ierr = kind->read(In(kind->bad));
  int            mine = ierr != 0, most, least;
  PetscBool      ok;

  CaptureEnd(&capture, text, sizeof text);
  MPI_Allreduce(&mine, &most, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD);
  MPI_Allreduce(&mine, &least, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  *refused = (PetscBool)(ierr != 0);
  ok       = (PetscBool)(most == least && CountLines(text) == (world_rank == 0 && ierr ? 1 : 0) &&
                   (!ierr || ExitStatusOfError(ierr) == STATUS_DATA || ExitStatusOfError(ierr) == STATUS_USAGE));
  if (!ok || strstr(text, "PETSC ERROR") || strstr(text, "HDF5-DIAG")) fprintf(stderr, "# %s: %s", kind->bad, text);
  return (PetscBool)(ok && !strstr(text, "PETSC ERROR") && !strstr(text, "HDF5-DIAG"));
}

static void Sweep(const Kind *kind)
{
  static unsigned char bytes[1 << 16];
  size_t               size  = 0;
  PetscBool            clean = PETSC_TRUE, all = PETSC_TRUE, refused;
  int                  flips = 0;

  if (world_rank == 0) {
    size = ReadBytes(In(kind->good), bytes, sizeof bytes);
    WriteBytes(In(kind->bad), bytes, size);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  Tap((PetscBool)(TryRead(kind, &refused) && !refused), "%s is read", kind->good);
  for (size_t k = 0; k < 16; k++) {
    MPI_Barrier(PETSC_COMM_WORLD);
    if (world_rank == 0) WriteBytes(In(kind->bad), bytes, size * k / 16);
    MPI_Barrier(PETSC_COMM_WORLD);
    clean = (PetscBool)(TryRead(kind, &refused) && clean);
    all   = (PetscBool)(all && refused);
  }
  Tap(clean, "%s, cut at any sixteenth: refused in one line with one status, or read", kind->good);
  if (kind->cut_tells) Tap(all, "... always refused");
  clean = PETSC_TRUE;
  for (size_t k = 0; k < 16; k++)
    for (int bit = 0; bit < 8; bit++) {
      const size_t at = size * k / 16;

      MPI_Barrier(PETSC_COMM_WORLD);
      if (world_rank == 0) {
        bytes[at] ^= (unsigned char)(1 << bit);
        WriteBytes(In(kind->bad), bytes, size);
        bytes[at] ^= (unsigned char)(1 << bit);
      }
      MPI_Barrier(PETSC_COMM_WORLD);
      clean = (PetscBool)(TryRead(kind, &refused) && clean);
      flips += refused;
    }
  Tap(clean, "%s, any bit of the byte at any sixteenth changed: likewise (%d of 128 are refused)", kind->good, flips);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  strcpy(dir, "/tmp/test_damage.XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) return 1;
  MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD);
  if (world_rank == 0) {
    static unsigned char bytes[1 << 16];

    WriteCsv(In("good.csv"));
    WriteNpy(In("good_x.npy"), 40, 6);
    WriteNpy(In("good_y.npy"), 40, 1);
    WriteIdx();
    WriteGraph(In("good_graph.json"));
    WriteBytes(In("good.h5"), bytes, ReadBytes("tests/reference/mlp-tanh/data.h5", bytes, sizeof bytes));
    WriteBytes(In("good.yaml"), bytes, ReadBytes("jobs/digits.yaml", bytes, sizeof bytes));
  }
  TapCall(WriteNetAndWeights());
  MPI_Barrier(PETSC_COMM_WORLD);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(Kinds); i++) Sweep(&Kinds[i]);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command)) fprintf(stderr, "# %s is left\n", dir);
  }
  return TapEnd();
}
