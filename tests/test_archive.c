// ranks: 1 2 3 4
/* archives: what is read back on another grid and on fewer ranks, damage of every kind, a full disk. */
#include "capture.h"
#include "codim/archive.h"
#include "tap.h"
#include <hdf5.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { M = 31, NLABELS = 3 };

static const Label Labels[NLABELS] = {{"a", 2, {7, 5}, 7, 5}, {"b", 1, {1}, 1, 1}, {"c", 2, {101, 13}, 101, 13}};

static char        dir[64];
static PetscMPIInt world_rank, world_size;

static const char *In(const char name[])
{
  static char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

/* ---- a state: entry k of theta, in the canonical order, is first + k ------------------------------------------------- */

typedef struct {
  Grid       grid;
  Parameters parameters;
  Vec        theta;
  PetscInt   steps;
  PetscBool  done;
  PetscReal  mu, sigma[M], R[M * 2]; /* R: rank 0 only */
  PetscInt64 done_to[2];
  char       text[40];
} State;

static PetscErrorCode StateArchive(Archive archive, void *context)
{
  State    *s = (State *)context;
  PetscBool there;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "steps", &s->steps));
  PetscCall(ArchiveEnter(archive, "inner", &there));
  PetscCall(ArchiveBool(archive, "done", &s->done));
  PetscCall(ArchiveReal(archive, "mu", &s->mu));
  PetscCall(ArchiveEnter(archive, "most", &there));
  PetscCall(ArchiveReals(archive, "sigma", M, s->sigma));
  PetscCall(ArchiveReals(archive, "none", 0, NULL));
  PetscCall(ArchiveLeave(archive));
  PetscCall(ArchiveVec(archive, "theta", s->parameters, s->theta));
  PetscCall(ArchiveLeave(archive));
  PetscCall(ArchiveInt64s(archive, "done_to", 2, s->done_to));
  PetscCall(ArchiveText(archive, "text", sizeof s->text, s->text));
  PetscCall(ArchiveRootMatrix(archive, "R", 2, M, world_rank ? NULL : s->R));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StateCreate(MPI_Comm comm, PetscInt Q, State *s)
{
  PetscMPIInt size;

  PetscFunctionBeginUser;
  memset(s, 0, sizeof *s);
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(GridCreate(comm, size / Q, Q, &s->grid));
  PetscCall(ParametersCreate(s->grid, NLABELS, Labels, &s->parameters));
  PetscCall(ParametersCreateVec(s->parameters, &s->theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode StateDestroy(State *s)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&s->theta));
  PetscCall(ParametersDestroy(&s->parameters));
  PetscCall(GridDestroy(&s->grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Fill(State *s, PetscReal first)
{
  const ParameterRun *runs;
  PetscInt            nruns;
  PetscScalar        *a;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(s->parameters, &nruns, &runs));
  PetscCall(VecGetArrayWrite(s->theta, &a));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++) a[runs[r].local + i] = first + (PetscReal)(runs[r].canonical + i);
  PetscCall(VecRestoreArrayWrite(s->theta, &a));
  s->steps      = 17;
  s->done       = PETSC_TRUE;
  s->mu         = first;
  s->done_to[0] = 3;
  s->done_to[1] = (PetscInt64)1 << 40;
  for (int k = 0; k < M; k++) s->sigma[k] = 1 / (k + first);
  for (int k = 0; k < 2 * M; k++) s->R[k] = k - first;
  strcpy(s->text, "∇²L, 31 σ");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* everything as Fill left it */
static PetscBool IsFilled(State *s, PetscReal first)
{
  State               other = *s;
  const ParameterRun *runs;
  PetscInt            nruns;
  const PetscScalar  *a;
  PetscBool           ok = PETSC_TRUE;

  TapCall(ParametersGetRuns(s->parameters, &nruns, &runs));
  TapCall(VecGetArrayRead(s->theta, &a));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++)
      ok = (PetscBool)(ok && a[runs[r].local + i] == first + (PetscReal)(runs[r].canonical + i));
  TapCall(VecRestoreArrayRead(s->theta, &a));
  TapCall(Fill(&other, first));
  return (PetscBool)(ok && s->steps == other.steps && s->done == other.done && s->mu == other.mu &&
                     !memcmp(s->sigma, other.sigma, sizeof s->sigma) && !memcmp(s->done_to, other.done_to, sizeof s->done_to) &&
                     (world_rank || !memcmp(s->R, other.R, sizeof s->R)) && !strcmp(s->text, other.text));
}

static PetscErrorCode Write(State *s, const char path[], Complaint *complaint)
{
  Archive archive;

  PetscFunctionBeginUser;
  PetscCall(ArchiveCreate(s->grid->world, &archive));
  PetscCall(StateArchive(archive, s));
  PetscCall(ArchiveWrite(archive, path, complaint));
  PetscCall(ArchiveDestroy(&archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Read(State *s, const char path[])
{
  Archive        archive;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(ArchiveOpen(s->grid->world, path, &archive));
  PetscCheck(archive, s->grid->world, PETSC_ERR_FILE_OPEN, "%s is not there", path);
  ierr = StateArchive(archive, s);
  PetscCall(ArchiveDestroy(&archive));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void TestRoundTrips(void)
{
  Complaint complaint;
  State     written, read;
  MPI_Comm  half;
  Archive   none;

  TapCall(ArchiveOpen(PETSC_COMM_WORLD, In("none.h5"), &none));
  Tap((PetscBool)!none, "no file is no archive, and no error");
  for (PetscInt Q = 1; Q <= world_size; Q++) {
    if (world_size % Q) continue;
    TapCall(StateCreate(PETSC_COMM_WORLD, Q, &written));
    TapCall(Fill(&written, 3));
    TapCall(Write(&written, In("state.h5"), &complaint));
    Tap((PetscBool)!complaint.status, "a state is written on the grid %d x %d", (int)(world_size / Q), (int)Q);
    TapCall(StateDestroy(&written));
    for (PetscInt q = 1; q <= world_size; q++) {
      if (world_size % q) continue;
      TapCall(StateCreate(PETSC_COMM_WORLD, q, &read));
      TapCall(Read(&read, In("state.h5")));
      Tap(IsFilled(&read, 3), "... and read to the bit on %d x %d", (int)(world_size / q), (int)q);
      TapCall(StateDestroy(&read));
    }
  }
  TapCall(MPI_Comm_split(PETSC_COMM_WORLD, world_rank < (world_size + 1) / 2 ? 0 : MPI_UNDEFINED, world_rank, &half));
  if (half != MPI_COMM_NULL) {
    TapCall(StateCreate(half, 1, &read));
    TapCall(Read(&read, In("state.h5")));
  }
  Tap((PetscBool)(half == MPI_COMM_NULL || IsFilled(&read, 3)), "... and on half the ranks");
  if (half != MPI_COMM_NULL) {
    TapCall(StateDestroy(&read));
    MPI_Comm_free(&half);
  }
  Tap((PetscBool)(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0), "no HDF5 object is left open");
}

/* ---- damage ------------------------------------------------------------------------------------------------------------- */

static long SizeOf(const char path[])
{
  struct stat stats;

  return stat(path, &stats) ? -1 : (long)stats.st_size;
}

/* rank 0: `to` is `from`, cut to `keep` bytes where that is >= 0, byte `flip` another where that is >= 0 */
static void Damage(const char from[], const char to[], long keep, long flip)
{
  const long size  = SizeOf(from);
  char      *bytes = malloc((size_t)size);
  FILE      *file  = fopen(from, "rb");

  if (fread(bytes, 1, (size_t)size, file) != (size_t)size) abort();
  fclose(file);
  if (flip >= 0) bytes[flip] ^= 0x10;
  file = fopen(to, "wb");
  fwrite(bytes, 1, (size_t)(keep >= 0 ? keep : size), file);
  fclose(file);
  free(bytes);
}

/* refused on every rank, in one line that says so */
static PetscBool Refused(State *s, const char path[])
{
  Capture        capture = CaptureBegin(STDERR_FILENO);
  char           text[2048];
  PetscErrorCode ierr = Read(s, path);
  PetscBool      said;

  CaptureEnd(&capture, text, sizeof text);
  said = (PetscBool)(world_rank ? CountLines(text) == 0
                                : CountLines(text) == 1 && strstr(text, "is damaged") && strstr(text, "remove it"));
  if (!said) fprintf(stderr, "# %s\n", text);
  return (PetscBool)(said && ExitStatusOfError(ierr) == STATUS_DATA);
}

static void TestDamage(void)
{
  char      good[PETSC_MAX_PATH_LEN], bad[PETSC_MAX_PATH_LEN];
  PetscBool cut = PETSC_TRUE, flipped = PETSC_TRUE, longer;
  long      size;
  State     s;

  strcpy(good, In("state.h5"));
  strcpy(bad, In("bad.h5"));
  size = SizeOf(good);
  TapCall(StateCreate(PETSC_COMM_WORLD, 1, &s));
  for (int k = 0; k < 16; k++) {
    if (world_rank == 0) Damage(good, bad, size * k / 16, -1);
    MPI_Barrier(PETSC_COMM_WORLD);
    cut = (PetscBool)(Refused(&s, bad) && cut);
    MPI_Barrier(PETSC_COMM_WORLD);
    if (world_rank == 0) Damage(good, bad, -1, size * k / 16 + (k ? -1 : 0));
    MPI_Barrier(PETSC_COMM_WORLD);
    flipped = (PetscBool)(Refused(&s, bad) && flipped);
    MPI_Barrier(PETSC_COMM_WORLD);
  }
  Tap(cut, "cut at any sixteenth of its length, it is refused in one line");
  Tap(flipped, "with one bit wrong at any sixteenth of its length, likewise");
  if (world_rank == 0) Damage(good, bad, -1, size - 1);
  MPI_Barrier(PETSC_COMM_WORLD);
  Tap(Refused(&s, bad), "... and in its last byte");
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    FILE *file;

    Damage(good, bad, -1, -1);
    file = fopen(bad, "ab");
    fputc('x', file);
    fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
  longer = Refused(&s, bad);
  Tap(longer, "... and with a byte more");
  TapCall(StateDestroy(&s));
}

/* what is not there is a complaint, not a trace */
static void TestMissing(void)
{
  Capture        capture;
  char           text[2048];
  PetscReal      values[M + 1];
  PetscBool      there;
  Archive        archive;
  PetscErrorCode ierr;

  TapCall(ArchiveOpen(PETSC_COMM_WORLD, In("state.h5"), &archive));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = ArchiveReals(archive, "nothing", 1, values);
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(ExitStatusOfError(ierr) == STATUS_DATA && (world_rank || strstr(text, "/nothing"))),
      "a value that is not there is named");
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = ArchiveReals(archive, "inner/most/sigma", M + 1, values);
  CaptureEnd(&capture, text, sizeof text);
  Tap((PetscBool)(ExitStatusOfError(ierr) == STATUS_DATA && (world_rank || CountLines(text) == 1)), "so is one of another size");
  TapCall(ArchiveEnter(archive, "nowhere", &there));
  Tap((PetscBool)!there, "a group that is not there is no error");
  TapCall(ArchiveDestroy(&archive));
}

/* ---- a full disk: a limit on the size of files stands for it ------------------------------------------------------------- */

static void TestFull(void)
{
  struct rlimit before, limit;
  char          path[PETSC_MAX_PATH_LEN], beside[PETSC_MAX_PATH_LEN + 8];
  PetscBool     refused = PETSC_TRUE, survived = PETSC_TRUE, tidy = PETSC_TRUE;
  Complaint     complaint;
  State         s;
  long          size;

  strcpy(path, In("state.h5"));
  snprintf(beside, sizeof beside, "%s.new", path);
  size = SizeOf(path);
  TapCall(StateCreate(PETSC_COMM_WORLD, world_size, &s));
  TapCall(Fill(&s, 5));
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  for (int k = 0; k < 16; k++) {
    limit          = before;
    limit.rlim_cur = (rlim_t)(size * k / 16);
    setrlimit(RLIMIT_FSIZE, &limit);
    TapCall(Write(&s, path, &complaint));
    setrlimit(RLIMIT_FSIZE, &before);
    refused = (PetscBool)(refused && complaint.status == STATUS_DATA && strstr(complaint.text, "cannot be written"));
    tidy    = (PetscBool)(tidy && (MPI_Barrier(PETSC_COMM_WORLD), access(beside, F_OK) != 0));
    MPI_Barrier(PETSC_COMM_WORLD);
  }
  Tap(refused, "where the disk is full at any sixteenth of the length, every rank is told");
  Tap(tidy, "... nothing is left beside it");
  TapCall(StateDestroy(&s));
  TapCall(StateCreate(PETSC_COMM_WORLD, 1, &s));
  TapCall(Read(&s, path));
  survived = IsFilled(&s, 3);
  Tap(survived, "... and what was there before can be read");
  TapCall(Fill(&s, 5));
  TapCall(Write(&s, In("no/state.h5"), &complaint));
  Tap((PetscBool)(complaint.status == STATUS_DATA), "so it is where the directory is missing");
  TapCall(Write(&s, path, &complaint));
  TapCall(Read(&s, path));
  Tap((PetscBool)(!complaint.status && IsFilled(&s, 5)), "the next one takes its place");
  TapCall(StateDestroy(&s));
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &world_size);
  strcpy(dir, "/tmp/test_archive.XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) return 1;
  MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD);
  TestRoundTrips();
  TestDamage();
  TestMissing();
  TestFull();
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command)) fprintf(stderr, "# %s is left\n", dir);
  }
  return TapEnd();
}
