// ranks: 1 3
/* spectrum.h5: what is read back, and what is said when it cannot be written. */
#include "codim/spectrum_file.h"
#include "tap.h"
#include <hdf5.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { M = 1797, LARGE = 100003 };

static char        dir[64]; /* the same on every rank; rank 0 writes into it */
static PetscMPIInt world_rank;

static const char *In(const char name[])
{
  static char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

static PetscErrorCode Write(SpectrumFile file, const char dataset[], PetscInt n, const PetscReal values[])
{
  /* only rank 0 has values */
  return SpectrumFileWrite(file, dataset, n, world_rank ? NULL : values, "2σ_k(J)², the positive spectrum", "loss = Σ H²",
                           "descending");
}

static PetscBool HasText(hid_t object, const char name[], const char expected[])
{
  const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  char       *text = NULL;
  PetscBool   ok;

  ok = (PetscBool)(H5Aread(attribute, type, &text) >= 0 && !strcmp(text, expected) && H5Tget_cset(type) == H5T_CSET_UTF8);
  free(text);
  H5Tclose(type);
  H5Aclose(attribute);
  return ok;
}

static PetscBool HasDataset(const char name[], PetscInt n, const PetscReal expected[])
{
  const hid_t file = H5Fopen(In("spectrum.h5"), H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t space  = H5Dget_space(set);
  PetscReal  *values = calloc((size_t)n + 1, sizeof *values);
  PetscBool   ok;

  ok = (PetscBool)(H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_npoints(space) == n);
  ok = (PetscBool)(ok && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  ok = (PetscBool)(ok && !memcmp(values, expected, (size_t)n * sizeof *values));
  ok =
      (PetscBool)(ok && HasText(set, "definition", "2σ_k(J)², the positive spectrum") && HasText(set, "convention", "loss = Σ H²"));
  ok = (PetscBool)(ok && HasText(set, "order", "descending"));
  free(values);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return ok;
}

static void TestContents(void)
{
  static PetscReal values[M];
  SpectrumFile     file;

  for (int k = 0; k < M; k++) values[k] = 3e5 * exp(-0.01 * k);
  TapCall(SpectrumFileCreate(PETSC_COMM_WORLD, In("spectrum.h5"), &file));
  TapCall(Write(file, "/hessian/positive", M, values));
  TapCall(Write(file, "/hessian/density/nodes/a", 3, values + 7));
  TapCall(Write(file, "/hessian/zeros", 0, NULL));
  Tap((PetscBool)(world_rank || access(In("spectrum.h5"), F_OK)), "the file has no name before it is complete");
  TapCall(SpectrumFileClose(&file));
  Tap((PetscBool)(file == NULL && !access(In("spectrum.h5"), F_OK)), "it has one after closing");
  Tap((PetscBool)(access(In("spectrum.h5.new"), F_OK) != 0), "and nothing is left beside it");
  Tap(HasDataset("/hessian/positive", M, values),
      "1797 values come back to the bit, with definition, convention and order in UTF-8");
  Tap(HasDataset("/hessian/density/nodes/a", 3, values + 7), "groups are made down to any depth");
  Tap(HasDataset("/hessian/zeros", 0, values), "no values make an empty dataset, with its attributes");
  Tap((PetscBool)(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0), "no HDF5 object is left open");
}

/* create, write, close; the error of the first that fails. stderr is closed meanwhile */
static PetscErrorCode TryWrite(const char path[], PetscInt n, const PetscReal values[])
{
  const int      kept = dup(STDERR_FILENO);
  SpectrumFile   file;
  PetscErrorCode ierr;

  close(STDERR_FILENO);
  ierr = SpectrumFileCreate(PETSC_COMM_WORLD, path, &file);
  if (!ierr) ierr = Write(file, "/hessian/positive", n, values);
  if (!ierr) ierr = SpectrumFileClose(&file);
  dup2(kept, STDERR_FILENO);
  close(kept);
  return ierr;
}

static void TestUnwritable(void)
{
  const PetscReal one = 1;

  Tap((PetscBool)(ExitStatusOfError(TryWrite(In("no/spectrum.h5"), 1, &one)) == STATUS_DATA),
      "a missing directory is bad data, on every rank");
  if (world_rank == 0) mkdir(In("taken"), 0700);
  Tap((PetscBool)(ExitStatusOfError(TryWrite(In("taken"), 1, &one)) == STATUS_DATA), "so is a directory of that name");
  Tap((PetscBool)(access(In("taken.new"), F_OK) != 0), "and nothing is left beside it");
}

/* a limit on the size of files stands for a full disk */
static void TestFullDisk(void)
{
  static PetscReal values[LARGE];
  struct rlimit    before, limit;
  PetscErrorCode   ierr;

  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  limit          = before;
  limit.rlim_cur = 300000;
  setrlimit(RLIMIT_FSIZE, &limit);
  ierr = TryWrite(In("spectrum.h5"), LARGE, values);
  setrlimit(RLIMIT_FSIZE, &before);
  Tap((PetscBool)(ExitStatusOfError(ierr) == STATUS_DATA), "a disk that takes a part only is bad data");
  Tap((PetscBool)(access(In("spectrum.h5.new"), F_OK) != 0), "the part is removed");
  for (int k = 0; k < 3; k++) values[k] = 3e5 * exp(-0.01 * (k + 7));
  Tap(HasDataset("/hessian/density/nodes/a", 3, values), "the older file at that place survives");
}

int main(int argc, char **argv)
{
  int removed = 0;

  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  snprintf(dir, sizeof dir, "/tmp/codim-spectrum-XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) MPI_Abort(MPI_COMM_WORLD, 1);
  TapCall(MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD));
  TestContents();
  TestUnwritable();
  TestFullDisk();
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    remove(In("spectrum.h5"));
    rmdir(In("taken"));
    removed = rmdir(dir) == 0;
  }
  Tap((PetscBool)(removed || world_rank), "no file is left over");
  return TapEnd();
}
