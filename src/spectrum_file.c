/*
  spectrum_file.c: spectra in an HDF5 file.

  Rank 0 builds the file in memory and writes its image itself: HDF5 neither keeps the system's reason for a failure nor survives a full
  disk (1.10 crashes at exit).
*/
#include "codim/spectrum_file.h"
#include "file.h"
#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { GROWTH = 1 << 20 }; /* bytes, of the file in memory */

struct SpectrumFile_s {
  MPI_Comm    comm;
  PetscMPIInt rank;
  hid_t       id; /* rank 0 */
  char        path[PETSC_MAX_PATH_LEN];
};

#define H5Check(call) PetscCheck((call) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 failed: %s", #call)

PetscErrorCode SpectrumFileCreate(MPI_Comm comm, const char path[], SpectrumFile *file)
{
  SpectrumFile f;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&f));
  f->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &f->rank));
  PetscCall(PetscStrncpy(f->path, path, sizeof f->path));
  if (f->rank == 0) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);

    H5Check(H5Pset_fapl_core(access, GROWTH, 0)); /* 0: memory only */
    f->id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Check(f->id);
    H5Check(H5Pclose(access));
  }
  *file = f;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* of variable length: what h5py and others give back as a string */
static PetscErrorCode WriteText(hid_t object, const char name[], const char text[])
{
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  hid_t       attribute;

  PetscFunctionBeginUser;
  H5Check(H5Tset_size(type, H5T_VARIABLE));
  H5Check(H5Tset_cset(type, H5T_CSET_UTF8));
  attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  H5Check(H5Awrite(attribute, type, &text));
  H5Check(H5Aclose(attribute));
  H5Check(H5Sclose(space));
  H5Check(H5Tclose(type));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumFileWrite(SpectrumFile file, const char dataset[], PetscInt n, const PetscReal values[],
                                 const char definition[], const char convention[], const char order[])
{
  const hsize_t size[1] = {(hsize_t)n};
  hid_t         space, links, id;

  PetscFunctionBeginUser;
  if (file->rank) PetscFunctionReturn(PETSC_SUCCESS);
  space = H5Screate_simple(1, size, NULL);
  links = H5Pcreate(H5P_LINK_CREATE);
  H5Check(H5Pset_create_intermediate_group(links, 1));
  id = H5Dcreate2(file->id, dataset, H5T_IEEE_F64LE, space, links, H5P_DEFAULT, H5P_DEFAULT);
  H5Check(id);
  if (n) H5Check(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  PetscCall(WriteText(id, "definition", definition));
  PetscCall(WriteText(id, "convention", convention));
  PetscCall(WriteText(id, "order", order));
  H5Check(H5Dclose(id));
  H5Check(H5Pclose(links));
  H5Check(H5Sclose(space));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteImage(SpectrumFile file, Complaint *complaint)
{
  ssize_t size;
  void   *image;
  int     reason;

  PetscFunctionBeginUser;
  H5Check(H5Fflush(file->id, H5F_SCOPE_GLOBAL));
  size = H5Fget_file_image(file->id, NULL, 0);
  H5Check(size);
  PetscCall(PetscMalloc((size_t)size, &image));
  H5Check(H5Fget_file_image(file->id, image, (size_t)size));
  H5Check(H5Fclose(file->id));
  reason = FileWrite(file->path, image, (size_t)size);
  if (reason) FileComplain(complaint, file->path, reason);
  PetscCall(PetscFree(image));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumFileClose(SpectrumFile *file)
{
  Complaint complaint = {.status = STATUS_HOLDS};
  MPI_Comm  comm;

  PetscFunctionBeginUser;
  if (!*file) PetscFunctionReturn(PETSC_SUCCESS);
  comm = (*file)->comm;
  if ((*file)->rank == 0) PetscCall(WriteImage(*file, &complaint));
  PetscCall(PetscFree(*file));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal *SpectrumFileRead(const char path[], const char name[], PetscInt *n)
{
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = file < 0 ? file : H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t space  = dataset < 0 ? dataset : H5Dget_space(dataset);
  PetscReal  *values = NULL;

  *n = 0;
  if (space >= 0) {
    const hssize_t points = H5Sget_simple_extent_npoints(space);

    values = points > 0 ? malloc((size_t)points * sizeof *values) : NULL;
    if (values && H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) *n = (PetscInt)points;
    (void)H5Sclose(space);
  }
  if (dataset >= 0) (void)H5Dclose(dataset);
  if (file >= 0) (void)H5Fclose(file);
  return values;
}
