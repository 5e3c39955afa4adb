/* data_hdf5.c: HDF5 with /x (d x p) and /y (d x l, or d): read, and written as problem.h5. Rank 0, no MPI-IO. */
#include "data_read.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* Its type is a number, its shape is the table's: allocate, and read the rows wanted. */
static void Hdf5ReadOpened(hid_t dataset, hid_t type, hid_t space, Table *table, Complaint *complaint)
{
  H5T_class_t kind = H5Tget_class(type);
  int         ndim = H5Sget_simple_extent_ndims(space);
  hsize_t     size[H5S_MAX_RANK], start[H5S_MAX_RANK] = {0};
  uint64_t    dims[TABLE_DIMS_MAX] = {0};
  hid_t       memory;

  if (kind != H5T_INTEGER && kind != H5T_FLOAT) {
    Complain(complaint, STATUS_DATA, "%s: /%s holds no numbers; any integer or floating-point type will do", table->path,
             table->name);
    return;
  }
  H5Sget_simple_extent_dims(space, size, NULL);
  for (int k = 0; k < ndim && k < TABLE_DIMS_MAX; k++) dims[k] = size[k];
  TableCreate(table, ndim, dims, complaint);
  if (complaint->status || !table->a) return;
  size[0] = table->rows;
  memory  = H5Screate_simple(ndim, size, NULL);
  if (memory < 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) < 0 ||
      H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, table->a) < 0)
    Complain(complaint, STATUS_DATA, "%s: /%s cannot be read: damaged, or compressed by a filter HDF5 does not have here",
             table->path, table->name);
  H5Sclose(memory);
}

static void Hdf5ReadTable(hid_t file, Table *table, Complaint *complaint)
{
  hid_t dataset = H5Dopen2(file, table->name, H5P_DEFAULT), type, space;

  if (dataset < 0) {
    Complain(complaint, STATUS_DATA, "%s: has no dataset /%s; /x (points x inputs) and /y (points x outputs) are needed",
             table->path, table->name);
    return;
  }
  type  = H5Dget_type(dataset);
  space = H5Dget_space(dataset);
  Hdf5ReadOpened(dataset, type, space, table, complaint);
  H5Sclose(space);
  H5Tclose(type);
  H5Dclose(dataset);
}

static void Hdf5Read(const DataOptions *options, Table *x, Table *y, Complaint *complaint)
{
  hid_t file;

  if (access(options->file, R_OK)) {
    Complain(complaint, STATUS_DATA, "%s: cannot be opened: %s", options->file, strerror(errno));
    return;
  }
  file = H5Fopen(options->file, H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) {
    Complain(complaint, STATUS_DATA,
             H5Fis_hdf5(options->file) > 0 ? "%s: cannot be opened by HDF5: cut short, damaged, or open for writing elsewhere"
                                           : "%s: not an HDF5 file",
             options->file);
    return;
  }
  Hdf5ReadTable(file, x, complaint);
  if (!complaint->status && y) Hdf5ReadTable(file, y, complaint);
  H5Fclose(file);
}

static PetscBool Hdf5Matches(const DataOptions *options)
{
  return (PetscBool)(PathHasSuffix(options->file, ".h5") || PathHasSuffix(options->file, ".hdf5"));
}

const DataFormat DataFormatHDF5 = {Hdf5Matches, Hdf5Read};

/* ---- problem.h5 ------------------------------------------------------------------------------------------------- */

static PetscBool WriteAttribute(hid_t object, const char name[], const char text[])
{
  hid_t     type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR), attribute = H5I_INVALID_HID;
  PetscBool ok;

  H5Tset_size(type, strlen(text) + 1);
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  ok        = (PetscBool)(attribute >= 0 && H5Awrite(attribute, type, text) >= 0);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
  return ok;
}

typedef struct {
  const char      *name, *definition, *scale;
  PetscInt         rows, cols;
  const PetscReal *a;
} Matrix;

/* a dataset that has no place in the file yet */
static PetscBool Declare(hid_t file, const Matrix *matrix)
{
  const hid_t space   = H5Screate_simple(2, (hsize_t[]){(hsize_t)matrix->rows, (hsize_t)matrix->cols}, NULL);
  const hid_t create  = H5Pcreate(H5P_DATASET_CREATE);
  hid_t       dataset = H5I_INVALID_HID;
  PetscBool   ok;

  ok = (PetscBool)(H5Pset_alloc_time(create, H5D_ALLOC_TIME_LATE) >= 0 && H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0);
  if (ok) dataset = H5Dcreate2(file, matrix->name, H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
  ok = (PetscBool)(dataset >= 0 && WriteAttribute(dataset, "definition", matrix->definition) &&
                   WriteAttribute(dataset, "scale", matrix->scale));
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(create);
  H5Sclose(space);
  return ok;
}

/* all but the numbers, and room for them. HDF5 1.10 neither keeps the system's reason for a failure nor survives a full disk. */
static PetscErrorCode Prepare(const char path[], const Matrix matrices[2], int *reason)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t       file;
  ssize_t     size;
  void       *image;
  PetscInt64  bytes = 1 << 16; /* for its bookkeeping */
  int         fd;

  PetscFunctionBeginUser;
  PetscCheck(H5Pset_fapl_core(access, 1 << 16, 0) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 failed");
  file = H5Fcreate("problem", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  PetscCheck(file >= 0 && Declare(file, &matrices[0]) && Declare(file, &matrices[1]) && H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0,
             PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 failed");
  size = H5Fget_file_image(file, NULL, 0);
  PetscCall(PetscMalloc(size, &image));
  PetscCheck(H5Fget_file_image(file, image, (size_t)size) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 failed");
  H5Fclose(file);
  H5Pclose(access);
  for (int i = 0; i < 2; i++) bytes += 8 * (PetscInt64)matrices[i].rows * matrices[i].cols;
  *reason = FileWrite(path, image, (size_t)size);
  PetscCall(PetscFree(image));
  if (*reason) PetscFunctionReturn(PETSC_SUCCESS);
  fd = open(path, O_RDWR);
  if (fd < 0 || (*reason = FileReserve(fd, size + bytes))) *reason = fd < 0 ? errno : *reason;
  if (fd >= 0) close(fd);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Fill(const char path[], const Matrix matrices[2])
{
  const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  PetscBool   ok   = (PetscBool)(file >= 0);

  for (int i = 0; i < 2 && ok; i++) {
    const hid_t dataset = H5Dopen2(file, matrices[i].name, H5P_DEFAULT);

    ok = (PetscBool)(dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, matrices[i].a) >= 0);
    if (dataset >= 0) ok = (PetscBool)(H5Dclose(dataset) >= 0 && ok);
  }
  return (PetscBool)(file >= 0 && H5Fclose(file) >= 0 && ok);
}

/* rank 0 */
static PetscErrorCode WriteProblem(Data data, const char path[], int *reason)
{
  const char *const scales[]   = {"none", "unit: columns to [0,1]", "standard: column means off, over one standard deviation"};
  const char *const y_scales[] = {"none", "unit: each output to [-1,1]", "standard: each output's mean off, over its deviation"};
  static const char *const y_definition[] =
      {[TARGET_VALUE]  = "targets y_i of the points, one a row, as used: after scaling",
       [TARGET_ONEHOT] = "targets y_i of the points, one a row, as used: one column a class, after scaling",
       [TARGET_NET]    = "targets y_i of the points, one a row, as used: what the net gave at the weights loaded"};
  const Matrix matrices[2] = {{"x", "inputs x_i of the points, one a row, as used: after scaling", scales[data->options.scale],
                               data->points, data->inputs, data->all_x},
                              {"y", y_definition[data->options.target], y_scales[data->options.target_scale], data->points,
                               data->outputs, data->all_y}};
  FilePath     beside;

  PetscFunctionBeginUser;
  *reason = FileBeside(path, beside);
  if (*reason) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Prepare(beside, matrices, reason));
  if (!*reason && !Fill(beside, matrices)) *reason = EIO;
  if (*reason)
    (void)unlink(beside);
  else
    *reason = FilePublish(beside, path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataWriteProblem(Data data, const char path[])
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  PetscMPIInt rank;
  int         reason = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (rank == 0) PetscCall(WriteProblem(data, path, &reason));
  if (reason) FileComplain(&complaint, path, reason);
  PetscCall(ComplaintRaise(data->comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
