/*
  store.c: weights as safetensors.

  Numbers are taken apart and put together byte by byte, so the host's byte order does not matter; compilers make loads and stores of it.
  Rank 0 alone reads and judges the header; the others get, for each label, where its tensor begins and its type.
*/
#include "codim/store.h"
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <petscmath.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 }; /* numbers read or written at a time: 8 MiB */
enum { PREFIX = 8 };      /* bytes of the header's length */

static const uint64_t HEADER_MAX = 100000000; /* the reference implementation's */

/* ---- numbers <-> bytes ---- */

static inline uint64_t FromBytes(const unsigned char b[], int n)
{
  uint64_t bits = 0;

  for (int i = 0; i < n; i++) bits |= (uint64_t)b[i] << 8 * i;
  return bits;
}

static inline void ToBytes(uint64_t bits, unsigned char b[static 8])
{
  for (int i = 0; i < 8; i++) b[i] = (unsigned char)(bits >> 8 * i);
}

static inline PetscReal FromFloatBits(uint32_t bits)
{
  float x;

  memcpy(&x, &bits, sizeof x);
  return x;
}

static void DecodeF64(PetscInt n, const unsigned char b[], PetscReal x[])
{
  for (PetscInt i = 0; i < n; i++) {
    const uint64_t bits = FromBytes(b + 8 * (size_t)i, 8);

    memcpy(&x[i], &bits, sizeof bits);
  }
}

static void DecodeF32(PetscInt n, const unsigned char b[], PetscReal x[])
{
  for (PetscInt i = 0; i < n; i++) x[i] = FromFloatBits((uint32_t)FromBytes(b + 4 * (size_t)i, 4));
}

/* the upper half of a float */
static void DecodeBF16(PetscInt n, const unsigned char b[], PetscReal x[])
{
  for (PetscInt i = 0; i < n; i++) x[i] = FromFloatBits((uint32_t)FromBytes(b + 2 * (size_t)i, 2) << 16);
}

/* 1 sign, 5 exponent, 10 fraction: (1 + f/1024) 2^(e-15); e = 0: f 2^-24; e = 31: inf, NaN */
static void DecodeF16(PetscInt n, const unsigned char b[], PetscReal x[])
{
  for (PetscInt i = 0; i < n; i++) {
    const int bits = (int)FromBytes(b + 2 * (size_t)i, 2), e = bits >> 10 & 31, f = bits & 1023;
    PetscReal size = e ? ldexp(1024 + f, e - 25) : ldexp(f, -24);

    if (e == 31) size = f ? (PetscReal)NAN : (PetscReal)INFINITY;
    x[i] = bits >> 15 ? -size : size;
  }
}

typedef struct {
  const char *name;
  int         bytes;
  void (*decode)(PetscInt n, const unsigned char b[], PetscReal x[]);
} Dtype;

static const Dtype Dtypes[] = {
    {"F64", 8, DecodeF64},
    {"F32", 4, DecodeF32},
    {"F16", 2, DecodeF16},
    {"BF16", 2, DecodeBF16},
};
enum { NDTYPES = sizeof(Dtypes) / sizeof(Dtypes[0]) };

/* ---- writing ---- */

static PetscInt64 LabelSize(const Label *label)
{
  return (PetscInt64)label->rows * label->cols;
}

static json_t *HeaderJSON(PetscInt nlabels, const Label labels[])
{
  json_t    *header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt"); /* what PyTorch's loaders ask for */
  PetscInt64 begin  = 0;

  for (PetscInt i = 0; i < nlabels; i++) {
    const PetscInt64 end   = begin + 8 * LabelSize(&labels[i]);
    json_t          *shape = json_array();

    for (PetscInt k = 0; k < labels[i].ndim; k++) json_array_append_new(shape, json_integer(labels[i].shape[k]));
    json_object_set_new(header, labels[i].name,
                        json_pack("{s:s,s:o,s:[I,I]}", "dtype", "F64", "shape", shape, "data_offsets", (json_int_t)begin,
                                  (json_int_t)end));
    begin = end;
  }
  return header;
}

static void ComplainOfWriting(Complaint *complaint, const char path[], const char reason[])
{
  Complain(complaint, STATUS_DATA, "%s: the weights cannot be written: %s. Choose another `output`, or make room there", path,
           reason);
}

/* one rank: length and header, padded with spaces so that the tensors begin at a multiple of 8; and room for the tensors */
static void WriteHeader(PetscInt nlabels, const Label labels[], const char path[], PetscInt64 *begin, Complaint *complaint)
{
  json_t       *header = HeaderJSON(nlabels, labels);
  char         *text   = json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
  const int     length = (int)strlen(text), padded = (length + 7) / 8 * 8;
  unsigned char prefix[PREFIX];
  FILE         *file;
  PetscInt64    bytes  = PREFIX + padded;
  PetscBool     ok     = PETSC_FALSE;
  int           reason = 0;

  ToBytes((uint64_t)padded, prefix);
  file = fopen(path, "wb");
  if (file) {
    ok = (PetscBool)(fwrite(prefix, 1, PREFIX, file) == PREFIX && fprintf(file, "%-*s", padded, text) == padded);
    ok = (PetscBool)(fflush(file) == 0 && ok);
    for (PetscInt i = 0; i < nlabels; i++) bytes += 8 * LabelSize(&labels[i]);
    if (ok) reason = FileReserve(fileno(file), bytes);
    ok = (PetscBool)(fclose(file) == 0 && ok && !reason);
  }
  if (!ok) ComplainOfWriting(complaint, path, strerror(reason ? reason : errno));
  *begin = PREFIX + padded;
  free(text);
  json_decref(header);
}

static PetscErrorCode CheckMPI(int code, const char path[], Complaint *complaint)
{
  char reason[MPI_MAX_ERROR_STRING];
  int  length;

  PetscFunctionBeginUser;
  if (code) {
    PetscCallMPI(MPI_Error_string(code, reason, &length));
    ComplainOfWriting(complaint, path, reason);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* this rank's runs, up to its first failure */
static PetscErrorCode WriteRuns(Parameters parameters, Vec theta, MPI_File file, PetscInt64 begin, const char path[],
                                Complaint *complaint)
{
  const ParameterRun *runs;
  const PetscScalar  *a;
  unsigned char      *bytes;
  PetscInt            nruns;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(PetscMalloc1(8 * (size_t)CHUNK, &bytes));
  PetscCall(VecGetArrayRead(theta, &a));
  for (PetscInt r = 0; r < nruns; r++) {
    for (PetscInt64 done = 0; done < runs[r].count && !complaint->status; done += CHUNK) {
      const PetscInt   n  = (PetscInt)PetscMin(CHUNK, runs[r].count - done);
      const MPI_Offset at = begin + 8 * (runs[r].canonical + done);
      MPI_Status       status;
      PetscMPIInt      size, written = 0;

      PetscCall(PetscMPIIntCast(8 * n, &size));
      for (PetscInt i = 0; i < n; i++) {
        uint64_t bits;

        memcpy(&bits, &a[runs[r].local + done + i], sizeof bits);
        ToBytes(bits, bytes + 8 * (size_t)i);
      }
      PetscCall(CheckMPI(MPI_File_write_at(file, at, bytes, size, MPI_BYTE, &status), path, complaint));
      if (complaint->status) break;
      PetscCallMPI(MPI_Get_count(&status, MPI_BYTE, &written));
      if (written != size) ComplainOfWriting(complaint, path, "the disk took a part only; it is full, or over quota");
    }
  }
  PetscCall(VecRestoreArrayRead(theta, &a));
  PetscCall(PetscFree(bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AnyComplains(MPI_Comm comm, const Complaint *complaint, PetscBool *any)
{
  int mine = complaint->status != STATUS_HOLDS, all;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MAX, comm));
  *any = all ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The whole file. A rank that cannot go on complains; all stop together before the next collective call on the file. */
static PetscErrorCode WriteFile(Parameters parameters, Vec theta, const char path[], Complaint *complaint)
{
  const MPI_Comm comm = ParametersGrid(parameters)->world;
  const int      rank = ParametersGrid(parameters)->rank;
  const Label   *labels;
  PetscInt       nlabels;
  PetscInt64     begin = 0;
  PetscBool      stop;
  MPI_File       file;
  struct stat    stats;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetLabels(parameters, &nlabels, &labels));
  if (rank == 0) WriteHeader(nlabels, labels, path, &begin, complaint);
  PetscCallMPI(MPI_Bcast(&begin, 1, MPIU_INT64, 0, comm));
  PetscCall(AnyComplains(comm, complaint, &stop));
  if (stop) PetscFunctionReturn(PETSC_SUCCESS);
  if (access(path, W_OK))
    Complain(complaint, STATUS_DATA, "%s: made by rank 0, but rank %d: %s. `output` must be on a file system that all ranks share",
             path, rank, strerror(errno));
  PetscCall(AnyComplains(comm, complaint, &stop));
  if (stop) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CheckMPI(MPI_File_open(comm, path, MPI_MODE_WRONLY, MPI_INFO_NULL, &file), path, complaint));
  PetscCall(AnyComplains(comm, complaint, &stop));
  if (stop) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(WriteRuns(parameters, theta, file, begin, path, complaint));
  PetscCall(CheckMPI(MPI_File_sync(file), path, complaint));
  PetscCall(CheckMPI(MPI_File_close(&file), path, complaint));
  PetscCall(AnyComplains(comm, complaint, &stop));
  if (!stop && rank == 0 && (stat(path, &stats) || stats.st_size != begin + 8 * (PetscInt64)ParametersSize(parameters)))
    ComplainOfWriting(complaint, path, "its size is wrong after writing; the disk is full, or over quota");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode WeightsWrite(Parameters parameters, Vec theta, const char path[])
{
  const MPI_Comm comm      = ParametersGrid(parameters)->world;
  const int      rank      = ParametersGrid(parameters)->rank;
  Complaint      complaint = {.status = STATUS_HOLDS};
  char           beside[PETSC_MAX_PATH_LEN];
  PetscBool      stop;
  int            reason;

  PetscFunctionBeginUser;
  PetscCall(UserCheck(comm, (PetscBool)!FileBeside(path, beside), STATUS_DATA, "%.64s…: this name is too long for a file", path));
  PetscCall(WriteFile(parameters, theta, beside, &complaint));
  PetscCall(AnyComplains(comm, &complaint, &stop));
  if (rank == 0 && stop) remove(beside);
  if (rank == 0 && !stop && (reason = FilePublish(beside, path))) ComplainOfWriting(&complaint, path, strerror(reason));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- reading: the header, on one rank ---- */

typedef struct {
  PetscInt64 begin; /* in the file */
  PetscInt64 dtype; /* index into Dtypes */
} Place;

typedef struct {
  PetscInt64 begin, end;
} Span;

static void ShapeText(PetscInt ndim, const PetscInt shape[], char text[static 128])
{
  size_t at = (size_t)snprintf(text, 128, "[");

  for (PetscInt k = 0; k < ndim && at < 100; k++)
    at += (size_t)snprintf(text + at, 128 - at, "%s%" PetscInt_FMT, k ? ", " : "", shape[k]);
  snprintf(text + at, 128 - at, "]");
}

static PetscBool IsShape(json_t *shape, const Label *label)
{
  if (!json_is_array(shape) || json_array_size(shape) != (size_t)label->ndim) return PETSC_FALSE;
  for (PetscInt k = 0; k < label->ndim; k++) {
    json_t *length = json_array_get(shape, (size_t)k);

    if (!json_is_integer(length) || json_integer_value(length) != label->shape[k]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* a label's entry: type, shape and offsets, as they must be */
static void JudgeTensor(const char path[], const Label *label, json_t *entry, PetscInt64 space, Place *place, Span *span,
                        Complaint *complaint)
{
  const char *dtype = json_string_value(json_object_get(entry, "dtype"));
  json_t     *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
  json_t     *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
  PetscInt64  measure;

  for (place->dtype = 0; place->dtype < NDTYPES; place->dtype++)
    if (dtype && !strcmp(dtype, Dtypes[place->dtype].name)) break;
  if (place->dtype == NDTYPES) {
    Complain(complaint, STATUS_DATA, "%s: tensor %s has the type %s; F64, F32, F16 and BF16 can be read. Convert it", path,
             label->name, dtype ? dtype : "(none)");
    return;
  }
  if (!IsShape(shape, label)) {
    char  expected[128];
    char *found = json_dumps(shape, JSON_ENCODE_ANY);

    ShapeText(label->ndim, label->shape, expected);
    Complain(complaint, STATUS_DATA, "%s: tensor %s has the shape %.200s, this net's has %s. Are they weights of another net?",
             path, label->name, found ? found : "(none)", expected);
    free(found);
    return;
  }
  measure      = Dtypes[place->dtype].bytes * LabelSize(label);
  span->begin  = json_is_integer(begin) ? json_integer_value(begin) : -1;
  span->end    = json_is_integer(end) ? json_integer_value(end) : -1;
  place->begin = span->begin;
  if (json_array_size(offsets) != 2 || span->begin < 0 || span->end < span->begin || span->end > space ||
      span->end - span->begin != measure)
    Complain(complaint, STATUS_DATA,
             "%s: tensor %s should take %" PetscInt64_FMT " of the file's %" PetscInt64_FMT
             " bytes of data, but is said to be at %" PetscInt64_FMT " to %" PetscInt64_FMT ": the file is truncated or damaged",
             path, label->name, measure, space, span->begin, span->end);
}

static int ByBegin(const void *a, const void *b)
{
  const Span *x = a, *y = b;

  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* side by side from 0 to `space`: the format allows neither gaps nor overlaps */
static void JudgeSpans(const char path[], PetscInt n, Span spans[], PetscInt64 space, Complaint *complaint)
{
  PetscInt64 end = 0;

  if (n) qsort(spans, (size_t)n, sizeof(Span), ByBegin);
  for (PetscInt i = 0; i < n && end == spans[i].begin; i++) end = spans[i].end;
  if (end != space)
    Complain(complaint, STATUS_DATA,
             "%s: after byte %" PetscInt64_FMT " of %" PetscInt64_FMT
             " of data comes a gap, an overlap or something unnamed: the file is damaged",
             path, end, space);
}

/* every label is there, and nothing else */
static PetscErrorCode JudgeHeader(const char path[], PetscInt nlabels, const Label labels[], json_t *header, PetscInt64 space,
                                  Place places[], Complaint *complaint)
{
  const char *name;
  json_t     *entry;
  Span       *spans;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)nlabels, &spans));
  for (PetscInt i = 0; i < nlabels && !complaint->status; i++) {
    entry = json_object_get(header, labels[i].name);
    if (entry)
      JudgeTensor(path, &labels[i], entry, space, &places[i], &spans[i], complaint);
    else {
      json_object_del(header, "__metadata__");
      name = json_object_iter_key(json_object_iter(header));
      Complain(complaint, STATUS_DATA, "%s: has no tensor %s; it has %zu, the first is %.96s. Are they weights of another net?",
               path, labels[i].name, json_object_size(header), name ? name : "(none)");
    }
  }
  json_object_foreach(header, name, entry)
  {
    PetscInt i = 0;

    while (i < nlabels && strcmp(name, labels[i].name) != 0) i++;
    if (i == nlabels && strcmp(name, "__metadata__") != 0)
      Complain(complaint, STATUS_DATA,
               "%s: this net has no tensor %.96s; its %" PetscInt_FMT " are %s … %s. Are they weights of another net?", path, name,
               nlabels, nlabels ? labels[0].name : "", nlabels ? labels[nlabels - 1].name : "");
  }
  if (!complaint->status) JudgeSpans(path, nlabels, spans, space, complaint);
  PetscCall(PetscFree(spans));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* NULL and a complaint if it is no safetensors file; begin: of the tensors; size: of the file */
static json_t *LoadHeader(const char path[], FILE *file, PetscInt64 *begin, PetscInt64 *size, Complaint *complaint)
{
  unsigned char prefix[PREFIX];
  uint64_t      length;
  struct stat   stats;
  char         *text;
  json_t       *header = NULL;
  json_error_t  error  = {.text = "cannot be read"};

  *size = fstat(fileno(file), &stats) || !S_ISREG(stats.st_mode) ? 0 : (PetscInt64)stats.st_size;
  if (*size < PREFIX || fread(prefix, 1, PREFIX, file) != PREFIX) {
    Complain(complaint, STATUS_DATA, "%s: %" PetscInt64_FMT " bytes are no safetensors file", path, *size);
    return NULL;
  }
  length = FromBytes(prefix, PREFIX);
  if (length > (uint64_t)(*size - PREFIX) || length > HEADER_MAX) {
    Complain(complaint, STATUS_DATA,
             "%s: says its header has %" PRIu64 " bytes, in a file of %" PetscInt64_FMT ": truncated, or no safetensors file", path,
             length, *size);
    return NULL;
  }
  text = malloc((size_t)length + 1);
  if (text && fread(text, 1, (size_t)length, file) == length)
    header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
  free(text);
  if (!json_is_object(header)) {
    Complain(complaint, STATUS_DATA, "%s: its header is no JSON object (%s): damaged, or no safetensors file", path,
             header ? "but other JSON" : error.text);
    json_decref(header);
    return NULL;
  }
  *begin = PREFIX + (PetscInt64)length;
  return header;
}

static PetscErrorCode ReadHeader(const char path[], PetscInt nlabels, const Label labels[], Place places[], Complaint *complaint)
{
  FILE      *file = fopen(path, "rb");
  json_t    *header;
  PetscInt64 begin = 0, size = 0;

  PetscFunctionBeginUser;
  if (!file) {
    Complain(complaint, STATUS_DATA, "%s: the weights cannot be read: %s", path, strerror(errno));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  header = LoadHeader(path, file, &begin, &size, complaint);
  fclose(file);
  if (header) PetscCall(JudgeHeader(path, nlabels, labels, header, size - begin, places, complaint));
  for (PetscInt i = 0; i < nlabels && !complaint->status; i++) places[i].begin += begin;
  json_decref(header);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- reading: the tensors ---- */

static PetscBool ReadFully(int fd, unsigned char bytes[], size_t count, PetscInt64 at)
{
  for (size_t done = 0; done < count;) {
    const ssize_t got = pread(fd, bytes + done, count - done, (off_t)(at + (PetscInt64)done));

    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ENODATA; /* it has become shorter */
    if (got <= 0) return PETSC_FALSE;
    done += (size_t)got;
  }
  return PETSC_TRUE;
}

/* one run, chunk by chunk; bad: the least canonical position of a number that is not finite */
static PetscBool ReadRun(int fd, const ParameterRun *run, const Place *place, unsigned char bytes[], PetscReal a[], PetscInt64 *bad)
{
  const Dtype *dtype = &Dtypes[place->dtype];

  for (PetscInt64 done = 0; done < run->count; done += CHUNK) {
    const PetscInt n = (PetscInt)PetscMin(CHUNK, run->count - done);

    if (!ReadFully(fd, bytes, (size_t)n * (size_t)dtype->bytes, place->begin + dtype->bytes * (run->first + done)))
      return PETSC_FALSE;
    dtype->decode(n, bytes, &a[run->local + done]);
    for (PetscInt i = 0; i < n; i++)
      if (!isfinite(a[run->local + done + i])) *bad = PetscMin(*bad, run->canonical + done + i);
  }
  return PETSC_TRUE;
}

static PetscErrorCode ReadRuns(Parameters parameters, const Place places[], const char path[], Vec theta, PetscInt64 *bad,
                               Complaint *complaint)
{
  const int           fd = open(path, O_RDONLY);
  PetscBool           ok = (PetscBool)(fd >= 0);
  const ParameterRun *runs;
  unsigned char      *bytes;
  PetscScalar        *a;
  PetscInt            nruns;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArrayWrite(theta, &a));
  PetscCall(PetscMalloc1(8 * (size_t)CHUNK, &bytes));
  for (PetscInt r = 0; r < nruns && ok; r++) ok = ReadRun(fd, &runs[r], &places[runs[r].label], bytes, a, bad);
  if (!ok)
    Complain(complaint, STATUS_DATA, "%s: rank %d cannot read the weights: %s", path, ParametersGrid(parameters)->rank,
             strerror(errno));
  if (fd >= 0) close(fd);
  PetscCall(PetscFree(bytes));
  PetscCall(VecRestoreArrayWrite(theta, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the tensor and the indices of an entry in the canonical order: "layers.0.weight[3, 5]" */
static void EntryText(PetscInt nlabels, const Label labels[], PetscInt64 canonical, char text[static 256])
{
  const Label *label = labels;
  PetscInt     index[4];
  char         indices[128];

  while (label < labels + nlabels - 1 && canonical >= LabelSize(label)) canonical -= LabelSize(label++);
  for (PetscInt k = label->ndim - 1; k >= 0; k--) {
    index[k] = (PetscInt)(canonical % label->shape[k]);
    canonical /= label->shape[k];
  }
  ShapeText(label->ndim, index, indices);
  snprintf(text, 256, "%s%s", label->name, indices);
}

PetscErrorCode WeightsRead(Parameters parameters, const char path[], Vec theta)
{
  const MPI_Comm comm       = ParametersGrid(parameters)->world;
  Complaint      complaint  = {.status = STATUS_HOLDS};
  PetscInt64     mine       = INT64_MAX, bad;
  char           entry[256] = "";
  const Label   *labels;
  PetscInt       nlabels;
  PetscMPIInt    count;
  PetscBool      stop;
  Place         *places;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetLabels(parameters, &nlabels, &labels));
  PetscCall(PetscMPIIntCast(2 * nlabels, &count));
  PetscCall(PetscCalloc1((size_t)nlabels, &places));
  if (ParametersGrid(parameters)->rank == 0) PetscCall(ReadHeader(path, nlabels, labels, places, &complaint));
  PetscCall(AnyComplains(comm, &complaint, &stop));
  if (!stop) {
    PetscCallMPI(MPI_Bcast(places, count, MPIU_INT64, 0, comm));
    PetscCall(ReadRuns(parameters, places, path, theta, &mine, &complaint));
  }
  PetscCall(PetscFree(places));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscCallMPI(MPI_Allreduce(&mine, &bad, 1, MPIU_INT64, MPI_MIN, comm));
  if (bad < INT64_MAX) EntryText(nlabels, labels, bad, entry);
  PetscCall(UserCheck(comm, (PetscBool)(bad == INT64_MAX), STATUS_DATA,
                      "%s: %s is NaN or infinite; the training that wrote it diverged", path, entry));
  PetscFunctionReturn(PETSC_SUCCESS);
}
