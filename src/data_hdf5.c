/* data_hdf5.c: HDF5 with /x (d x p) and /y (d x l, or d): read, and written as problem.h5. Rank 0, no MPI-IO. */
#include "data_read.h"
#include <errno.h>
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

static PetscBool WriteMatrix(hid_t file, const char name[], PetscInt rows, PetscInt cols, const PetscReal a[],
                             const char definition[], const char scale[])
{
  hid_t     space   = H5Screate_simple(2, (hsize_t[]){(hsize_t)rows, (hsize_t)cols}, NULL);
  hid_t     dataset = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  PetscBool ok      = (PetscBool)(dataset >= 0);

  if (ok) {
    ok = (PetscBool)(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, a) >= 0 &&
                     WriteAttribute(dataset, "definition", definition) && WriteAttribute(dataset, "scale", scale));
    ok = (PetscBool)(H5Dclose(dataset) >= 0 && ok);
  }
  H5Sclose(space);
  return ok;
}

static PetscBool WriteProblem(Data data, const char path[])
{
  const char *const scales[]     = {"none", "unit: columns to [0,1]", "standard: column means off, over one standard deviation"};
  const char *const y_scales[]   = {"none", "unit: each output to [-1,1]", "standard: each output's mean off, over its deviation"};
  hid_t             file         = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const char       *x_definition = "inputs x_i of the points, one a row, as used: after scaling";
  static const char *const y_definition[] =
      {[TARGET_VALUE]  = "targets y_i of the points, one a row, as used: after scaling",
       [TARGET_ONEHOT] = "targets y_i of the points, one a row, as used: one column a class, after scaling",
       [TARGET_NET]    = "targets y_i of the points, one a row, as used: what the net gave at the weights loaded"};
  PetscBool ok;

  if (file < 0) return PETSC_FALSE;
  ok = (PetscBool)(WriteMatrix(file, "x", data->points, data->inputs, data->all_x, x_definition, scales[data->options.scale]) &&
                   WriteMatrix(file, "y", data->points, data->outputs, data->all_y, y_definition[data->options.target],
                               y_scales[data->options.target_scale]));
  return (PetscBool)(H5Fclose(file) >= 0 && ok);
}

PetscErrorCode DataWriteProblem(Data data, const char path[])
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  char        beside[PETSC_MAX_PATH_LEN];
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->comm, &rank));
  if (rank == 0) {
    int length = snprintf(beside, sizeof beside, "%s.tmp", path);

    errno = length < (int)sizeof beside ? 0 : ENAMETOOLONG;
    if (errno || !WriteProblem(data, beside) || rename(beside, path)) {
      Complain(&complaint, STATUS_DATA, "%s: cannot be written: %s", path, errno ? strerror(errno) : "HDF5 failed");
      unlink(beside);
    }
  }
  PetscCall(ComplaintRaise(data->comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
