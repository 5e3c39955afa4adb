/*
  archive.c: see archive.h.
*/
#include "codim/archive.h"
#include "file.h"
#include "sha256.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { VERSION = 1, TEXT = 512 /* bytes */, CRC_HEX = 8, GROWTH = 1 << 16, NAME_MAX_ = 192, VECS_MAX = 4096 };

static const PetscInt64 BLOCK = 4 << 20; /* bytes */

typedef char Name[NAME_MAX_];

typedef struct {
  Name       name;
  Parameters parameters;
  Vec        v;
} VecEntry;

struct Archive_s {
  MPI_Comm    comm;
  PetscMPIInt rank, size;
  PetscBool   reading;
  FilePath    path;  /* reading */
  hid_t       file;  /* writing: rank 0's image in memory; reading: open on every rank */
  Name        group; /* "" or "/spectrum" */
  PetscInt    nvecs; /* to be written */
  VecEntry   *vecs;
};

#define H5Check(call) PetscCheck((call) >= 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "HDF5 failed: %s", #call)

PetscBool ArchiveReading(Archive archive)
{
  return archive->reading;
}

/* ---- the text and the digest ----------------------------------------------------------------------------------------------- */

static void FormatText(PetscInt64 bytes, const char digest[SHA256_HEX], char text[static TEXT])
{
  memset(text, '\n', TEXT);
  text[snprintf(text, TEXT, "codim archive %d\nbytes %lld\nsha256 %s", VERSION, (long long)bytes, digest)] = '\n';
}

/* CRC-32 of one block, as 8 characters; false and errno where it cannot be read */
static PetscBool HashBlock(int fd, PetscInt64 first, PetscInt64 count, unsigned char buffer[], char hex[])
{
  char text[CRC_HEX + 1];

  for (PetscInt64 done = 0; done < count;) {
    const ssize_t got = pread(fd, buffer + done, (size_t)(count - done), (off_t)(first + done));

    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ENODATA;
    if (got <= 0) return PETSC_FALSE;
    done += got;
  }
  snprintf(text, sizeof text, "%08lx", crc32(crc32(0, NULL, 0), buffer, (uInt)count) & 0xffffffff);
  memcpy(hex, text, CRC_HEX);
  return PETSC_TRUE;
}

/* Of a file of that many bytes: rank r takes blocks r, r + ranks, …. The digest is known on rank 0. */
static PetscErrorCode HashFile(Archive a, const char path[], PetscInt64 bytes, char digest[SHA256_HEX], Complaint *complaint)
{
  const PetscInt64 blocks = (bytes - TEXT + BLOCK - 1) / BLOCK;
  const int        fd     = open(path, O_RDONLY);
  unsigned char   *buffer;
  char            *all;
  PetscMPIInt      count;

  PetscFunctionBeginUser;
  if (fd < 0) Complain(complaint, STATUS_DATA, "%s: rank %d cannot read it: %s", path, a->rank, strerror(errno));
  PetscCall(PetscMalloc1(BLOCK, &buffer));
  PetscCall(PetscCalloc1(blocks * CRC_HEX, &all));
  for (PetscInt64 b = a->rank; b < blocks && !complaint->status; b += a->size)
    if (!HashBlock(fd, TEXT + b * BLOCK, PetscMin(BLOCK, bytes - TEXT - b * BLOCK), buffer, all + b * CRC_HEX))
      Complain(complaint, STATUS_DATA, "%s: rank %d cannot read it: %s", path, a->rank, strerror(errno));
  if (fd >= 0) close(fd);
  PetscCall(PetscMPIIntCast((PetscInt)(blocks * CRC_HEX), &count));
  PetscCallMPI(MPI_Reduce(a->rank ? all : MPI_IN_PLACE, all, count, MPI_CHAR, MPI_BOR, 0, a->comm));
  if (a->rank == 0) Sha256(all, (size_t)count, digest);
  PetscCall(PetscFree(all));
  PetscCall(PetscFree(buffer));
  PetscCall(ComplaintShare(a->comm, complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- made and left --------------------------------------------------------------------------------------------------------- */

static PetscErrorCode New(MPI_Comm comm, PetscBool reading, Archive *archive)
{
  Archive a;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&a));
  a->comm    = comm;
  a->reading = reading;
  a->file    = H5I_INVALID_HID;
  PetscCallMPI(MPI_Comm_rank(comm, &a->rank));
  PetscCallMPI(MPI_Comm_size(comm, &a->size));
  *archive = a;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveCreate(MPI_Comm comm, Archive *archive)
{
  hid_t access, create;

  PetscFunctionBeginUser;
  PetscCall(New(comm, PETSC_FALSE, archive));
  PetscCall(PetscMalloc1(VECS_MAX, &(*archive)->vecs));
  if ((*archive)->rank) PetscFunctionReturn(PETSC_SUCCESS);
  access = H5Pcreate(H5P_FILE_ACCESS);
  create = H5Pcreate(H5P_FILE_CREATE);
  H5Check(H5Pset_fapl_core(access, GROWTH, 0)); /* 0: memory only */
  H5Check(H5Pset_userblock(create, TEXT));
  (*archive)->file = H5Fcreate("archive", H5F_ACC_TRUNC, create, access);
  H5Check((*archive)->file);
  H5Check(H5Pclose(create));
  H5Check(H5Pclose(access));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* on every rank, for the n-sized Vecs */
static hid_t OpenParallel(MPI_Comm comm, const char path[], unsigned mode)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t       file;

  H5Pset_fapl_mpio(access, comm, MPI_INFO_NULL);
  file = H5Fopen(path, mode, access);
  H5Pclose(access);
  return file;
}

static const char Remedy[] = "remove it to start afresh";

/* rank 0: the text is as it was written, for a file of this size */
static void JudgeText(const char path[], PetscInt64 *bytes, char digest[SHA256_HEX], Complaint *complaint)
{
  const int   fd = open(path, O_RDONLY);
  struct stat stats;
  char        text[TEXT] = "", expected[TEXT];
  long long   said       = 0;
  int         version    = 0;

  if (fd < 0 || fstat(fd, &stats)) {
    Complain(complaint, STATUS_DATA, "%s: cannot be read: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return;
  }
  if (pread(fd, text, TEXT, 0) != TEXT ||
      sscanf(text, "codim archive %d\nbytes %lld\nsha256 %64[0-9a-f]", &version, &said, digest) < 3)
    Complain(complaint, STATUS_DATA, "%s is damaged, or was not written by codim: %s", path, Remedy);
  else if (version != VERSION)
    Complain(complaint, STATUS_DATA,
             "%s is in format %d, this codim reads format %d: finish the job with the codim that wrote it, or %s", path, version,
             VERSION, Remedy);
  close(fd);
  FormatText(said, digest, expected);
  *bytes = (PetscInt64)stats.st_size;
  if (*bytes != said)
    Complain(complaint, STATUS_DATA, "%s is damaged: it has %lld bytes, and was written with %lld: %s", path, (long long)*bytes,
             said, Remedy);
  if (memcmp(text, expected, TEXT) != 0) Complain(complaint, STATUS_DATA, "%s is damaged: %s", path, Remedy);
}

static PetscErrorCode Judge(Archive a, const char path[])
{
  Complaint  complaint        = {STATUS_HOLDS, ""};
  PetscInt64 bytes            = 0;
  char       said[SHA256_HEX] = "", found[SHA256_HEX] = "";

  PetscFunctionBeginUser;
  if (a->rank == 0) JudgeText(path, &bytes, said, &complaint);
  PetscCall(ComplaintRaise(a->comm, &complaint));
  PetscCallMPI(MPI_Bcast(&bytes, 1, MPIU_INT64, 0, a->comm));
  PetscCall(HashFile(a, path, bytes, found, &complaint));
  PetscCall(ComplaintRaise(a->comm, &complaint));
  PetscCall(UserCheck(a->comm, (PetscBool)(strcmp(said, found) == 0), STATUS_DATA,
                      "%s is damaged: its content is not what was written: %s", path, Remedy));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveOpen(MPI_Comm comm, const char path[], Archive *archive)
{
  Archive     a;
  PetscMPIInt there = 0;

  PetscFunctionBeginUser;
  PetscCall(New(comm, PETSC_TRUE, &a));
  PetscCall(PetscStrncpy(a->path, path, sizeof a->path));
  if (a->rank == 0) there = access(path, F_OK) == 0;
  PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, comm));
  if (there) {
    PetscErrorCode ierr = Judge(a, path);

    if (!ierr) {
      a->file = OpenParallel(comm, path, H5F_ACC_RDONLY);
      ierr    = UserCheck(comm, (PetscBool)(a->file >= 0), STATUS_DATA,
                          "%s: HDF5 cannot open it: is it on a file system that all ranks see?", path);
    }
    if (ierr) PetscCall(ArchiveDestroy(&a));
    PetscCall(ierr);
  } else
    PetscCall(ArchiveDestroy(&a));
  *archive = a;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveDestroy(Archive *archive)
{
  PetscFunctionBeginUser;
  if (!*archive) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; i < (*archive)->nvecs; i++) PetscCall(VecDestroy(&(*archive)->vecs[i].v));
  PetscCall(PetscFree((*archive)->vecs));
  if ((*archive)->file >= 0) H5Check(H5Fclose((*archive)->file));
  PetscCall(PetscFree(*archive));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveEnter(Archive a, const char group[], PetscBool *there)
{
  const size_t length = strlen(a->group);
  PetscMPIInt  found  = 1;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(a->group + length, sizeof a->group - length, "/%s", group));
  if (a->reading) {
    if (a->rank == 0) found = H5Lexists(a->file, a->group, H5P_DEFAULT) > 0;
    PetscCallMPI(MPI_Bcast(&found, 1, MPI_INT, 0, a->comm));
  } else if (a->rank == 0) {
    const hid_t id = H5Gcreate2(a->file, a->group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    H5Check(id);
    H5Check(H5Gclose(id));
  }
  if (!found) a->group[length] = '\0';
  *there = (PetscBool)found;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveLeave(Archive a)
{
  char *slash = strrchr(a->group, '/');

  PetscFunctionBeginUser;
  PetscCheck(slash, a->comm, PETSC_ERR_ORDER, "no group to leave");
  *slash = '\0';
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

/* a kind of value: how it stands in the file, and in memory */
typedef struct {
  hid_t  file, memory;
  size_t bytes;
} Kind;

static PetscErrorCode WriteValue(Archive a, const Name name, const Kind *kind, int ndim, const hsize_t size[], const void *values)
{
  const hid_t space = H5Screate_simple(ndim, size, NULL);
  hid_t       id;

  PetscFunctionBeginUser;
  id = H5Dcreate2(a->file, name, kind->file, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Check(id);
  if (H5Sget_simple_extent_npoints(space) > 0) H5Check(H5Dwrite(id, kind->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  H5Check(H5Dclose(id));
  H5Check(H5Sclose(space));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* -1: it is not there, in this size and kind */
static int ReadValue(Archive a, const Name name, const Kind *kind, int ndim, const hsize_t size[], void *values)
{
  const hid_t id = H5Dopen2(a->file, name, H5P_DEFAULT);
  hid_t       space, type;
  hsize_t     found[2];
  int         status = -1;

  if (id < 0) return -1;
  space = H5Dget_space(id);
  type  = H5Dget_type(id);
  if (H5Sget_simple_extent_ndims(space) == ndim && H5Sget_simple_extent_dims(space, found, NULL) == ndim &&
      !memcmp(found, size, (size_t)ndim * sizeof *size) && H5Tget_class(type) == H5Tget_class(kind->file) &&
      H5Tget_size(type) == H5Tget_size(kind->file))
    status = found[0] ? H5Dread(id, kind->memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) : 0;
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(id);
  return status;
}

static PetscErrorCode Value(Archive a, const char name[], const Kind *kind, int ndim, const hsize_t size[], void *values)
{
  Name      full;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(full, sizeof full, "%s/%s", a->group, name));
  if (a->rank == 0 && a->reading) ok = (PetscBool)(ReadValue(a, full, kind, ndim, size, values) >= 0);
  if (a->rank == 0 && !a->reading) PetscCall(WriteValue(a, full, kind, ndim, size, values));
  if (a->reading)
    PetscCall(UserCheck(a->comm, ok, STATUS_DATA, "%s has no %s as this job wants it: was it written by another codim? Then %s",
                        a->path, full, Remedy));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the same on every rank */
static PetscErrorCode Shared(Archive a, const char name[], const Kind *kind, PetscInt n, void *values)
{
  const hsize_t size[1] = {(hsize_t)n};
  PetscMPIInt   count;

  PetscFunctionBeginUser;
  PetscCall(Value(a, name, kind, 1, size, values));
  PetscCall(PetscMPIIntCast(n * (PetscInt)kind->bytes, &count));
  if (a->reading) PetscCallMPI(MPI_Bcast(values, count, MPI_BYTE, 0, a->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveReals(Archive a, const char name[], PetscInt n, PetscReal values[])
{
  const Kind kind = {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, sizeof *values};

  PetscFunctionBeginUser;
  PetscCall(Shared(a, name, &kind, n, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveReal(Archive a, const char name[], PetscReal *value)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveReals(a, name, 1, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveInt64s(Archive a, const char name[], PetscInt n, PetscInt64 values[])
{
  const Kind kind = {H5T_STD_I64LE, H5T_NATIVE_INT64, sizeof *values};

  PetscFunctionBeginUser;
  PetscCall(Shared(a, name, &kind, n, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveInt(Archive a, const char name[], PetscInt *value)
{
  PetscInt64 wide = *value;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt64s(a, name, 1, &wide));
  *value = (PetscInt)wide;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveBool(Archive a, const char name[], PetscBool *value)
{
  PetscInt wide = *value ? 1 : 0;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(a, name, &wide));
  *value = (PetscBool)(wide != 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveStruct(Archive a, const char name[], size_t size, void *values)
{
  const hid_t type = H5Tcreate(H5T_OPAQUE, size);
  const Kind  kind = {type, type, size};

  PetscFunctionBeginUser;
  PetscCall(Shared(a, name, &kind, 1, values));
  H5Check(H5Tclose(type));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* its length, then its characters */
PetscErrorCode ArchiveText(Archive a, const char name[], size_t size, char text[])
{
  const Kind kind = {H5T_NATIVE_CHAR, H5T_NATIVE_CHAR, 1};
  Name       length_name;
  PetscInt   length = a->reading ? 0 : (PetscInt)strlen(text);

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(length_name, sizeof length_name, "%s_length", name));
  PetscCall(ArchiveInt(a, length_name, &length));
  PetscCall(UserCheck(a->comm, (PetscBool)(length >= 0 && (size_t)length < size), STATUS_DATA,
                      "%s: %s has %" PetscInt_FMT " characters, more than expected: %s", a->path, name, length, Remedy));
  PetscCall(Shared(a, name, &kind, length, text));
  text[length] = '\0';
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveRootMatrix(Archive a, const char name[], PetscInt rows, PetscInt columns, PetscReal values[])
{
  const Kind    kind    = {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, sizeof *values};
  const hsize_t size[2] = {(hsize_t)rows, (hsize_t)columns};

  PetscFunctionBeginUser;
  PetscCall(Value(a, name, &kind, 2, size, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- n-sized Vecs ---------------------------------------------------------------------------------------------------------- */

/* its entries here, run by run, each contiguous in the file; -1 where one fails */
static PetscErrorCode TransferRuns(hid_t dataset, Parameters parameters, PetscScalar local[], PetscBool reading, int *status)
{
  const hid_t         space = H5Dget_space(dataset);
  const ParameterRun *runs;
  PetscInt            nruns;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  *status = 0;
  for (PetscInt r = 0; r < nruns && *status >= 0; r++) {
    const hsize_t first[1] = {(hsize_t)runs[r].canonical}, count[1] = {(hsize_t)runs[r].count};
    const hid_t   memory = H5Screate_simple(1, count, NULL);

    *status = H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, count, NULL);
    if (*status >= 0 && reading) *status = H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, local + runs[r].local);
    if (*status >= 0 && !reading) *status = H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, local + runs[r].local);
    H5Sclose(memory);
  }
  H5Sclose(space);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* collective; ok on every rank only where it is on all */
static PetscErrorCode TransferVec(hid_t file, const VecEntry *entry, PetscBool reading, PetscBool *ok)
{
  const MPI_Comm comm    = ParametersGrid(entry->parameters)->world;
  const hid_t    dataset = H5Dopen2(file, entry->name, H5P_DEFAULT);
  PetscScalar   *local;
  int            mine = -1;

  PetscFunctionBeginUser;
  if (dataset >= 0) {
    if (reading)
      PetscCall(VecGetArrayWrite(entry->v, &local));
    else
      PetscCall(VecGetArrayRead(entry->v, (const PetscScalar **)&local));
    PetscCall(TransferRuns(dataset, entry->parameters, local, reading, &mine));
    if (reading)
      PetscCall(VecRestoreArrayWrite(entry->v, &local));
    else
      PetscCall(VecRestoreArrayRead(entry->v, (const PetscScalar **)&local));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT, MPI_MIN, comm));
  if (dataset >= 0 && H5Dclose(dataset) < 0) mine = -1;
  *ok = (PetscBool)(mine >= 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank 0: a dataset that takes no memory; it gets its place in the file when all ranks open it */
static PetscErrorCode DeclareVec(Archive a, const Name name, PetscInt n)
{
  const hsize_t size[1] = {(hsize_t)n};
  const hid_t   space = H5Screate_simple(1, size, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
  hid_t         id;

  PetscFunctionBeginUser;
  H5Check(H5Pset_alloc_time(create, H5D_ALLOC_TIME_LATE));
  H5Check(H5Pset_fill_time(create, H5D_FILL_TIME_NEVER));
  id = H5Dcreate2(a->file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
  H5Check(id);
  H5Check(H5Dclose(id));
  H5Check(H5Pclose(create));
  H5Check(H5Sclose(space));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveVec(Archive a, const char name[], Parameters parameters, Vec v)
{
  VecEntry  entry = {.parameters = parameters, .v = v};
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(entry.name, sizeof entry.name, "%s/%s", a->group, name));
  if (a->reading) {
    PetscCall(TransferVec(a->file, &entry, PETSC_TRUE, &ok));
    PetscCall(UserCheck(a->comm, ok, STATUS_DATA, "%s: %s cannot be read: %s", a->path, entry.name, Remedy));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(a->nvecs < VECS_MAX, a->comm, PETSC_ERR_ARG_OUTOFRANGE, "more than %d Vecs", (int)VECS_MAX);
  if (a->rank == 0) PetscCall(DeclareVec(a, entry.name, ParametersSize(parameters)));
  PetscCall(PetscObjectReference((PetscObject)v));
  a->vecs[a->nvecs++] = entry;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the file -------------------------------------------------------------------------------------------------------------- */

/* rank 0: the text's place, the image, and room for the Vecs: HDF5 1.10 neither keeps the system's reason for a failure nor survives a full disk */
static PetscErrorCode WriteImage(Archive a, const char path[], PetscInt64 vec_bytes, Complaint *complaint)
{
  const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
  ssize_t   size;
  char     *image;
  int       reason = fd < 0 ? errno : 0;

  PetscFunctionBeginUser;
  H5Check(H5Fflush(a->file, H5F_SCOPE_GLOBAL));
  size = H5Fget_file_image(a->file, NULL, 0);
  H5Check(size);
  PetscCall(PetscMalloc1(TEXT + size, &image));
  memset(image, '\n', TEXT);
  H5Check(H5Fget_file_image(a->file, image + TEXT, (size_t)size));
  if (!reason) reason = FileReserve(fd, TEXT + size + vec_bytes + GROWTH);
  if (!reason && pwrite(fd, image, (size_t)(TEXT + size), 0) != TEXT + size) reason = errno ? errno : ENOSPC;
  if (fd >= 0 && close(fd) && !reason) reason = errno;
  if (reason) FileComplain(complaint, path, reason);
  PetscCall(PetscFree(image));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* every rank its own entries */
static PetscErrorCode WriteVecs(Archive a, const char path[], Complaint *complaint)
{
  const hid_t file = OpenParallel(a->comm, path, H5F_ACC_RDWR);
  PetscBool   ok   = (PetscBool)(file >= 0), one;

  PetscFunctionBeginUser;
  if (!ok) Complain(complaint, STATUS_DATA, "%s: rank %d cannot open it: all ranks must see the output directory", path, a->rank);
  PetscCall(ComplaintShare(a->comm, complaint));
  if (ok && !complaint->status)
    for (PetscInt i = 0; i < a->nvecs; i++) {
      PetscCall(TransferVec(file, &a->vecs[i], PETSC_FALSE, &one));
      ok = (PetscBool)(ok && one);
    }
  if (file >= 0) ok = (PetscBool)(H5Fclose(file) >= 0 && ok);
  if (!ok) Complain(complaint, STATUS_DATA, "%s cannot be written: the file system failed, or is full", path);
  PetscCall(ComplaintShare(a->comm, complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank 0: the text, now that the rest is there; then the file is what it should be */
static PetscErrorCode Seal(const char beside[], const char path[], PetscInt64 bytes, const char digest[SHA256_HEX])
{
  const int fd = open(beside, O_WRONLY);
  char      text[TEXT];
  int       reason = fd < 0 ? errno : 0;

  FormatText(bytes, digest, text);
  if (!reason && pwrite(fd, text, TEXT, 0) != TEXT) reason = errno ? errno : ENOSPC;
  if (fd >= 0 && close(fd) && !reason) reason = errno;
  return reason ? reason : FilePublish(beside, path);
}

static PetscErrorCode SizeOf(Archive a, const char path[], PetscInt64 *bytes, Complaint *complaint)
{
  struct stat stats;

  PetscFunctionBeginUser;
  *bytes = 0;
  if (a->rank == 0) {
    if (stat(path, &stats))
      Complain(complaint, STATUS_DATA, "%s cannot be written: %s", path, strerror(errno));
    else
      *bytes = (PetscInt64)stats.st_size;
  }
  PetscCallMPI(MPI_Bcast(bytes, 1, MPIU_INT64, 0, a->comm));
  PetscCall(ComplaintShare(a->comm, complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ArchiveWrite(Archive a, const char path[], Complaint *complaint)
{
  FilePath   beside;
  PetscInt64 vec_bytes = 0, bytes = 0;
  char       digest[SHA256_HEX] = "";
  int        reason;

  PetscFunctionBeginUser;
  memset(complaint, 0, sizeof *complaint);
  for (PetscInt i = 0; i < a->nvecs; i++) vec_bytes += 8 * (PetscInt64)ParametersSize(a->vecs[i].parameters);
  reason = FileBeside(path, beside);
  if (reason) Complain(complaint, STATUS_DATA, "%.64s…: %s", path, strerror(reason));
  if (a->rank == 0 && !reason) PetscCall(WriteImage(a, beside, vec_bytes, complaint));
  PetscCall(ComplaintShare(a->comm, complaint));
  if (!complaint->status) PetscCall(WriteVecs(a, beside, complaint));
  if (!complaint->status) PetscCall(SizeOf(a, beside, &bytes, complaint));
  if (!complaint->status) PetscCall(HashFile(a, beside, bytes, digest, complaint));
  if (!complaint->status && a->rank == 0) {
    reason = Seal(beside, path, bytes, digest);
    if (reason) FileComplain(complaint, path, reason);
  }
  PetscCall(ComplaintShare(a->comm, complaint));
  if (a->rank == 0 && complaint->status && !FileBeside(path, beside)) (void)unlink(beside);
  PetscFunctionReturn(PETSC_SUCCESS);
}
