// ranks: 1 2 3 4 6
/* Weights: the bytes written, what comes back, PyTorch's files, every type, every damage. */
#include "codim/store.h"
#include "tap.h"
#include <fcntl.h>
#include <float.h>
#include <hdf5.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LABELS_MAX = 16, FILE_SIZE_MAX = 1 << 20 };

static char        dir[64]; /* the same on every rank; rank 0 writes into it */
static PetscMPIInt world_rank, world_size;

static const char *In(const char name[])
{
  static char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

static PetscBool Exists(const char name[])
{
  return (PetscBool)(access(In(name), F_OK) == 0);
}

/* rank 0 */
static void Put(const char name[], const void *bytes, size_t count)
{
  FILE *file;

  if (world_rank) return;
  file = fopen(In(name), "wb");
  if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) MPI_Abort(MPI_COMM_WORLD, 1);
}

/* header and data, the header as it stands */
static size_t Compose(unsigned char file[], const char header[], const void *data, size_t count)
{
  const size_t length = strlen(header);

  for (int i = 0; i < 8; i++) file[i] = (unsigned char)((uint64_t)length >> 8 * i);
  for (size_t i = 0; i < length; i++) file[8 + i] = (unsigned char)header[i];
  if (count) memcpy(file + 8 + length, data, count);
  return 8 + length + count;
}

/* ---- a call that may fail, and what rank 0 said --------------------------------------------------------------------- */

static char said[2048]; /* rank 0 */

typedef struct {
  Grid       grid;
  Parameters parameters;
  Vec        theta;
} Net;

static ExitStatus Quietly(Net *net, const char name[], PetscErrorCode call(Net *net, const char path[]))
{
  const int      kept = dup(STDERR_FILENO), heard = open(In(world_rank ? "heard-not" : "heard"), O_RDWR | O_CREAT | O_TRUNC, 0600);
  PetscErrorCode ierr;
  ssize_t        count;

  dup2(heard, STDERR_FILENO);
  ierr = call(net, In(name));
  dup2(kept, STDERR_FILENO);
  count                       = pread(heard, said, sizeof said - 1, 0);
  said[count > 0 ? count : 0] = '\0';
  close(kept);
  close(heard);
  return ExitStatusOfError(ierr);
}

static PetscErrorCode Read(Net *net, const char path[])
{
  return WeightsRead(net->parameters, path, net->theta);
}

static PetscErrorCode Write(Net *net, const char path[])
{
  return WeightsWrite(net->parameters, net->theta, path);
}

/* refused as bad data, with one message that has all of what is expected */
static PetscBool IsRefused(ExitStatus status, const char first[], const char second[])
{
  PetscBool ok = (PetscBool)(status == STATUS_DATA);

  if (world_rank == 0 && (!strstr(said, first) || !strstr(said, second))) {
    fprintf(stderr, "# said: %s# expected: %s … %s\n", said, first, second);
    ok = PETSC_FALSE;
  }
  return ok;
}

/* ---- nets ----------------------------------------------------------------------------------------------------------- */

static const Label labels5[] = {
    {"layers.0.weight", 2, {7, 5}, 7, 5},       {"layers.0.bias", 1, {7}, 7, 1},
    {"convs.0.weight", 4, {4, 3, 3, 3}, 4, 27}, {"p", 1, {11}, 11, 1},
    {"head.weight", 2, {1, 13}, 1, 13},
};
enum { N5 = 35 + 7 + 108 + 11 + 13 };
static const char header5[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                              "\"layers.0.weight\":{\"dtype\":\"F64\",\"shape\":[7,5],\"data_offsets\":[0,280]},"
                              "\"layers.0.bias\":{\"dtype\":\"F64\",\"shape\":[7],\"data_offsets\":[280,336]},"
                              "\"convs.0.weight\":{\"dtype\":\"F64\",\"shape\":[4,3,3,3],\"data_offsets\":[336,1200]},"
                              "\"p\":{\"dtype\":\"F64\",\"shape\":[11],\"data_offsets\":[1200,1288]},"
                              "\"head.weight\":{\"dtype\":\"F64\",\"shape\":[1,13],\"data_offsets\":[1288,1392]}}";

static Net NetCreate(PetscInt Q, PetscInt nlabels, const Label labels[])
{
  Net net;

  TapCall(GridCreate(PETSC_COMM_WORLD, world_size / Q, Q, &net.grid));
  TapCall(ParametersCreate(net.grid, nlabels, labels, &net.parameters));
  TapCall(ParametersCreateVec(net.parameters, &net.theta));
  return net;
}

static void NetDestroy(Net *net)
{
  TapCall(VecDestroy(&net->theta));
  TapCall(ParametersDestroy(&net->parameters));
  TapCall(GridDestroy(&net->grid));
}

/* entry k of the canonical order: all sizes, both signs, and the doubles that are easily lost */
static PetscReal Entry(PetscInt64 k)
{
  static const PetscReal special[] = {-0.0, DBL_MIN, 4.9406564584124654e-324, -DBL_MAX, 1 + DBL_EPSILON};

  if (k < 5) return special[k];
  return cos((double)k) * pow(10, (double)(k % 37 - 18));
}

static void SetEntries(Net *net)
{
  const ParameterRun *runs;
  PetscInt            nruns;
  PetscScalar        *a;

  TapCall(ParametersGetRuns(net->parameters, &nruns, &runs));
  TapCall(VecGetArray(net->theta, &a));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++) a[runs[r].local + i] = Entry(runs[r].canonical + i);
  TapCall(VecRestoreArray(net->theta, &a));
}

static uint64_t Bits(PetscReal x)
{
  uint64_t bits;

  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* this rank's entries are, to the bit, those of `expected` at their canonical place; NULL: Entry */
static PetscBool HasEntries(Net *net, const PetscReal expected[])
{
  const ParameterRun *runs;
  PetscInt            nruns;
  const PetscScalar  *a;
  PetscBool           ok = PETSC_TRUE;

  TapCall(ParametersGetRuns(net->parameters, &nruns, &runs));
  TapCall(VecGetArrayRead(net->theta, &a));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++) {
      const PetscReal entry = expected ? expected[runs[r].canonical + i] : Entry(runs[r].canonical + i);

      ok = (PetscBool)(ok && Bits(a[runs[r].local + i]) == Bits(entry));
    }
  TapCall(VecRestoreArrayRead(net->theta, &a));
  return ok;
}

/* ---- round trip ----------------------------------------------------------------------------------------------------- */

static PetscBool FileIs(const char name[], const void *bytes, size_t count)
{
  unsigned char *found = malloc(count + 1);
  FILE          *file  = fopen(In(name), "rb");
  PetscBool      ok    = (PetscBool)(file && fread(found, 1, count + 1, file) == count && !memcmp(found, bytes, count));

  if (file) fclose(file);
  free(found);
  return ok;
}

static void TestRoundTrip(void)
{
  static unsigned char expected[FILE_SIZE_MAX];
  char                 header[1024];
  PetscReal            data[N5];
  size_t               size;

  for (int k = 0; k < N5; k++) data[k] = Entry(k); /* this machine is little-endian, or the claim fails */
  snprintf(header, sizeof header, "%-*s", (int)((strlen(header5) + 7) / 8 * 8), header5);
  size = Compose(expected, header, data, sizeof data);
  for (PetscInt Q = 1; Q <= world_size; Q++) {
    Net net;

    if (world_size % Q) continue;
    net = NetCreate(Q, 5, labels5);
    SetEntries(&net);
    Put("w.safetensors", "old", 3);
    TapCall(WeightsWrite(net.parameters, net.theta, In("w.safetensors")));
    Tap(FileIs("w.safetensors", expected, size), "Q = %d: the file is, byte for byte, the format's layout of the canonical order",
        (int)Q);
    Tap((PetscBool)!Exists("w.safetensors.new"), "Q = %d: nothing is left beside it", (int)Q);
    TapCall(VecSet(net.theta, 5));
    TapCall(WeightsRead(net.parameters, In("w.safetensors"), net.theta));
    Tap(HasEntries(&net, NULL), "Q = %d: reading gives every entry back to the bit", (int)Q);
    NetDestroy(&net);
  }
}

/* more than two chunks of 2^20 numbers in a run; more ranks than rows */
static void TestLarge(void)
{
  const Label large[] = {{"a", 2, {3, 800001}, 3, 800001}, {"b", 1, {2}, 2, 1}};
  Net         net     = NetCreate(1, 2, large);

  SetEntries(&net);
  TapCall(WeightsWrite(net.parameters, net.theta, In("large.safetensors")));
  NetDestroy(&net);
  net = NetCreate(world_size, 2, large);
  TapCall(WeightsRead(net.parameters, In("large.safetensors"), net.theta));
  Tap(HasEntries(&net, NULL), "2 400 005 entries written from one grid are read on another, to the bit");
  NetDestroy(&net);
  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) remove(In("large.safetensors"));
}

/* ---- PyTorch's files ------------------------------------------------------------------------------------------------ */

/* the labels and, F64, the numbers of a file, in the order of its header, by other means than the module's */
static PetscInt Parse(const char path[], Label labels[], PetscReal theta[])
{
  static unsigned char bytes[FILE_SIZE_MAX];
  FILE                *file = fopen(path, "rb");
  uint64_t             length;
  const char          *name;
  json_t              *header, *entry, *size;
  size_t               k, n = 0;
  PetscInt             count = 0;

  if (!file || !fread(bytes, 1, sizeof bytes, file) || fclose(file)) MPI_Abort(MPI_COMM_WORLD, 1);
  memcpy(&length, bytes, 8);
  header = json_loadb((const char *)bytes + 8, length, 0, NULL);
  json_object_foreach(header, name, entry)
  {
    Label *label = &labels[count++];

    memset(label, 0, sizeof *label);
    snprintf(label->name, sizeof label->name, "%s", name);
    label->cols = 1;
    json_array_foreach(json_object_get(entry, "shape"), k, size)
    {
      label->shape[label->ndim++] = (PetscInt)json_integer_value(size);
      if (k) label->cols *= (PetscInt)json_integer_value(size);
    }
    label->rows = label->shape[0];
    memcpy(theta + n, bytes + 8 + length + json_integer_value(json_array_get(json_object_get(entry, "data_offsets"), 0)),
           8 * (size_t)(label->rows * label->cols));
    n += (size_t)(label->rows * label->cols);
  }
  json_decref(header);
  return count;
}

static void TestReference(const char name[])
{
  static PetscReal theta[FILE_SIZE_MAX / 8];
  Label            labels[LABELS_MAX];
  char             path[256];
  PetscBool        ok = PETSC_TRUE;

  snprintf(path, sizeof path, "tests/reference/%s/weights.safetensors", name);
  for (PetscInt Q = 1; Q <= world_size; Q++) {
    Net net;

    if (world_size % Q) continue;
    net = NetCreate(Q, Parse(path, labels, theta), labels);
    TapCall(WeightsRead(net.parameters, path, net.theta));
    ok = (PetscBool)(ok && HasEntries(&net, theta));
    NetDestroy(&net);
  }
  Tap(ok, "PyTorch's %s: every number as another parser reads it, on every grid", name);
}

static void ReadDataset(const char path[], const char name[], PetscReal values[])
{
  const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), dataset = H5Dopen2(file, name, H5P_DEFAULT);

  H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(dataset);
  H5Fclose(file);
}

/* a = sigma(W z + b), rows h, columns k; returns what follows in theta */
static const PetscReal *Layer(PetscInt h, PetscInt k, const PetscReal *theta, const PetscReal z[], PetscReal a[], PetscBool last)
{
  for (PetscInt r = 0; r < h; r++) {
    a[r] = theta[h * k + r];
    for (PetscInt c = 0; c < k; c++) a[r] += theta[r * k + c] * z[c];
    if (!last) a[r] = tanh(a[r]);
  }
  return theta + (size_t)(h * k + h);
}

static void TestOutput(void)
{
  enum { D = 12, P = 6, N = 167 };
  Label               labels[LABELS_MAX];
  PetscReal           unused[N], x[D * P], output[D], canonical[N] = {0}, error = 0;
  const PetscReal    *a;
  const char         *path = "tests/reference/mlp-tanh/weights.safetensors";
  Net                 net  = NetCreate(world_size, Parse(path, labels, unused), labels);
  const ParameterRun *runs;
  PetscInt            nruns;

  ReadDataset("tests/reference/mlp-tanh/data.h5", "/x", x);
  ReadDataset("tests/reference/mlp-tanh/expected.h5", "/output", output);
  TapCall(WeightsRead(net.parameters, path, net.theta));
  TapCall(ParametersGetRuns(net.parameters, &nruns, &runs));
  TapCall(VecGetArrayRead(net.theta, &a));
  for (PetscInt r = 0; r < nruns; r++) memcpy(&canonical[runs[r].canonical], &a[runs[r].local], 8 * (size_t)runs[r].count);
  TapCall(VecRestoreArrayRead(net.theta, &a));
  MPI_Allreduce(MPI_IN_PLACE, canonical, N, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD); /* each entry has one owner */
  for (int i = 0; i < D; i++) {
    PetscReal h1[10], h2[8], f;

    Layer(1, 8, Layer(8, 10, Layer(10, 6, canonical, x + (size_t)P * i, h1, PETSC_FALSE), h1, h2, PETSC_FALSE), h2, &f, PETSC_TRUE);
    error = PetscMax(error, PetscAbsReal(f - output[i]));
  }
  TapClose(error, 0, 1, 1e-14, "the net 6-10-8-1 with the weights read has PyTorch's outputs, to a few roundings");
  NetDestroy(&net);
}

/* ---- types ---------------------------------------------------------------------------------------------------------- */

/* one tensor p of `count` numbers of `bytes` bytes, bit patterns given by 32-bit words; read and compared to the bit */
static PetscBool ReadsAs(const char dtype[], int bytes, PetscInt count, const uint32_t bits[], const PetscReal expected[])
{
  static unsigned char data[4 * 65536], file[FILE_SIZE_MAX];
  const Label          label = {"p", 1, {count}, count, 1};
  char                 header[256];
  Net                  net = NetCreate(world_size, 1, &label);
  PetscBool            ok;

  for (PetscInt i = 0; i < count; i++)
    for (int b = 0; b < bytes; b++) data[bytes * i + b] = (unsigned char)(bits[i] >> 8 * b);
  snprintf(header, sizeof header, "{\"p\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%d]}}", dtype, (int)count,
           (int)count * bytes);
  Put("t", file, Compose(file, header, data, (size_t)count * (size_t)bytes));
  TapCall(WeightsRead(net.parameters, In("t"), net.theta));
  ok = HasEntries(&net, expected);
  NetDestroy(&net);
  return ok;
}

/* every finite pattern with `e` bits of exponent and `f` of fraction: (-1)^s (1 + f/2^fbits) 2^(e - bias), or f 2^(1 - bias - fbits) */
static PetscBool ReadsAllHalves(const char dtype[], int ebits, int fbits)
{
  static uint32_t  bits[65536];
  static PetscReal expected[65536];
  const int        top = (1 << ebits) - 1, bias = (1 << (ebits - 1)) - 1;
  PetscInt         count = 0;

  for (uint32_t pattern = 0; pattern < 65536; pattern++) {
    const int       e = (int)(pattern >> fbits) & top, f = (int)pattern & ((1 << fbits) - 1);
    const PetscReal size = e ? (1 + (double)f / (1 << fbits)) * pow(2, e - bias) : (double)f * pow(2, 1 - bias - fbits);

    if (e == top) continue;
    bits[count]       = pattern;
    expected[count++] = pattern >> 15 ? -size : size;
  }
  return ReadsAs(dtype, 2, count, bits, expected);
}

static void TestTypes(void)
{
  const uint32_t  half[]      = {0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0x7bff, 0xfbff};
  const PetscReal half_is[]   = {0,     -0.0,  5.9604644775390625e-8, 6.0975551605224609375e-5, 6.103515625e-5, 0.333251953125, 1,
                                 65504, -65504};
  const uint32_t  brain[]     = {0x0001, 0x0080, 0x3f80, 0x4049, 0x7f7f, 0xff7f};
  const PetscReal brain_is[]  = {0x1p-133, 0x1p-126, 1, 3.140625, 0x1.fep127, -0x1.fep127};
  const uint32_t  single[]    = {0x00000001, 0x807fffff, 0x00800000, 0x3eaaaaab, 0x7f7fffff, 0xff7fffff, 0x80000000};
  const PetscReal single_is[] = {0x1p-149,       -0x1.fffffcp-127, 0x1p-126, 0.3333333432674407958984375,
                                 0x1.fffffep127, -0x1.fffffep127,  -0.0};

  Tap(ReadsAs("F16", 2, 9, half, half_is), "F16: zeros, least and largest subnormal, least normal, 1/3, 1, the largest");
  Tap(ReadsAllHalves("F16", 5, 10), "F16: every one of the 63 488 finite patterns");
  Tap(ReadsAs("BF16", 2, 6, brain, brain_is), "BF16: least subnormal, least normal, 1, pi, the largest");
  Tap(ReadsAllHalves("BF16", 8, 7), "BF16: every one of the 65 280 finite patterns");
  Tap(ReadsAs("F32", 4, 7, single, single_is), "F32: least and largest subnormal, least normal, 1/3, the largest, -0");
}

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

static const Label labels2[] = {{"a", 2, {3, 5}, 3, 5}, {"b", 1, {7}, 7, 1}};
static const char  good2[] =
    "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F64\",\"shape\":[3,5],\"data_offsets\":[0,120]},"
    "\"b\":{\"dtype\":\"F64\",\"shape\":[7],\"data_offsets\":[120,176]}}  ";

/* good2 with its first `from` replaced, and `count` bytes of data */
static void TestRefused(Net *net, const char from[], const char to[], size_t count, const char first[], const char second[])
{
  static unsigned char file[FILE_SIZE_MAX];
  const PetscReal      zeros[64] = {0};
  char                 header[1024];
  const char          *at = strstr(good2, from);

  snprintf(header, sizeof header, "%.*s%s%s", (int)(at - good2), good2, to, at + strlen(from));
  Put("bad", file, Compose(file, header, zeros, count));
  Tap(IsRefused(Quietly(net, "bad", Read), first, second), "refused, saying \"%s … %s\"", first, second);
}

static void TestHeaders(Net *net)
{
  TestRefused(net, "\"b\":", "\"c\":", 176, "has no tensor b", "it has 2, the first is a");
  TestRefused(net, "\"b\":", "\"c\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[120,120]},\"b\":", 176,
              "this net has no tensor c", "a … b");
  TestRefused(net, "[3,5]", "[5,3]", 176, "a has the shape [5, 3]", "[3, 5]");
  TestRefused(net, "[3,5]", "[15]", 176, "a has the shape [15]", "[3, 5]");
  TestRefused(net, "[3,5]", "[3.0,5]", 176, "a has the shape", "[3, 5]");
  TestRefused(net, "\"shape\":[7],", "", 176, "b has the shape (none)", "[7]");
  TestRefused(net, "F64", "I64", 176, "a has the type I64", "BF16");
  TestRefused(net, "\"F64\"", "64", 176, "a has the type (none)", "BF16");
  TestRefused(net, "F64", "F32", 176, "a should take 60", "damaged");
  TestRefused(net, "[120,176]", "[120,176]", 168, "b should take 56 of the file's 168", "truncated");
  TestRefused(net, "[120,176]", "[112,168]", 168, "after byte 120 of 168", "overlap");
  TestRefused(net, "[120,176]", "[128,184]", 184, "after byte 120 of 184", "gap");
  TestRefused(net, "[120,176]", "[120,176]", 177, "after byte 176 of 177", "gap");
  TestRefused(net, "[120,176]", "[-56,0]", 176, "b should take", "damaged");
  TestRefused(net, "[120,176]", "[9223372036854775800,9223372036854775807]", 176, "b should take", "damaged");
  TestRefused(net, "[120,176]", "[99999999999999999999,176]", 176, "no JSON object", "too big integer");
  TestRefused(net, "[120,176]", "[120,176,176]", 176, "b should take", "damaged");
  TestRefused(net, "[120,176]", "{}", 176, "b should take", "damaged");
  TestRefused(net, "\"b\":", "\"a\":", 176, "no JSON object", "duplicate");
  TestRefused(net, "  ", "x ", 176, "no JSON object", "damaged");
  TestRefused(net, good2, "[1, 2, 3]", 0, "no JSON object (but other JSON)", "safetensors");
  TestRefused(net, good2, "", 0, "no JSON object", "safetensors");
  TestRefused(net, good2, "{}", 0, "has no tensor a", "it has 0");
}

static void TestFiles(Net *net)
{
  unsigned char huge[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'};

  Tap(IsRefused(Quietly(net, "missing", Read), "missing: the weights cannot be read", "No such file"), "a missing file is named");
  Tap(IsRefused(Quietly(net, "", Read), "0 bytes", "no safetensors"), "a directory is no file of weights");
  Put("bad", "", 0);
  Tap(IsRefused(Quietly(net, "bad", Read), "0 bytes", "no safetensors"), "an empty file is refused");
  Put("bad", huge, sizeof huge);
  Tap(IsRefused(Quietly(net, "bad", Read), "18446744073709551615 bytes", "in a file of 16"),
      "a header longer than its file is refused");
  Put("bad", "\x89PNG\r\n\x1a\n and so on, not a net's weights", 40);
  Tap(IsRefused(Quietly(net, "bad", Read), "header", "no safetensors file"), "a picture is refused");
}

static void TestNotFinite(Net *net)
{
  static unsigned char file[FILE_SIZE_MAX];
  PetscReal            data[22] = {0};

  data[2 * 5 + 3] = (PetscReal)NAN;
  data[15 + 4]    = (PetscReal)-INFINITY;
  Put("bad", file, Compose(file, good2, data, sizeof data));
  Tap(IsRefused(Quietly(net, "bad", Read), "a[2, 3] is NaN or infinite", "diverged"),
      "the first entry that is not finite is named, with its indices");
  data[2 * 5 + 3] = 0;
  Put("bad", file, Compose(file, good2, data, sizeof data));
  Tap(IsRefused(Quietly(net, "bad", Read), "b[4] is NaN or infinite", "diverged"), "an infinite bias is named");
}

/* Cut anywhere, or with any byte of its header changed, a file is refused or, where nothing was said by that byte, read rightly. */
static void TestDamage(Net *net)
{
  static unsigned char file[FILE_SIZE_MAX];
  PetscReal            data[22];
  size_t               size;
  PetscBool            cut = PETSC_TRUE, changed = PETSC_TRUE;
  int                  refused = 0;

  for (int k = 0; k < 22; k++) data[k] = Entry(k);
  size = Compose(file, good2, data, sizeof data);
  for (size_t part = 0; part < 16; part++) {
    Put("bad", file, size * part / 16);
    cut = (PetscBool)(Quietly(net, "bad", Read) == STATUS_DATA && cut);
  }
  Put("bad", file, size - 1);
  cut = (PetscBool)(Quietly(net, "bad", Read) == STATUS_DATA && cut);
  Tap(cut, "a file cut at any sixteenth of its length, or of its last byte, is refused");
  for (size_t at = 0; at < 8 + strlen(good2); at++)
    for (int flip = 0; flip < 3; flip++) {
      ExitStatus status;

      file[at] ^= (unsigned char[]){0x01, 0x12, 0x80}[flip];
      Put("bad", file, size);
      status  = Quietly(net, "bad", Read);
      changed = (PetscBool)(changed && (status == STATUS_DATA || (status == STATUS_HOLDS && HasEntries(net, data))));
      refused += status == STATUS_DATA;
      file[at] ^= (unsigned char[]){0x01, 0x12, 0x80}[flip];
    }
  Tap(changed, "a header with any byte changed is refused, or what it says has not changed");
  Tap((PetscBool)(refused > 300), "most such files are refused");
}

static void TestUnwritable(Net *net)
{
  Tap(IsRefused(Quietly(net, "no/w.safetensors", Write), "the weights cannot be written", "No such file or directory"),
      "a missing directory is refused with the system's reason");
  if (world_rank == 0) mkdir(In("taken"), 0700);
  Tap(IsRefused(Quietly(net, "taken", Write), "cannot be written", "s a directory"), "a directory is not overwritten");
  Tap((PetscBool)!Exists("taken.new"), "nothing is left beside it");
}

/* a limit on the size of files stands for a full disk */
static void TestFullDisk(void)
{
  const Label   label = {"p", 1, {200003}, 200003, 1}; /* 1.6 MB */
  Net           net   = NetCreate(world_size, 1, &label);
  struct rlimit before, limit;
  PetscBool     refused;

  Put("full", "old", 3);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  limit          = before;
  limit.rlim_cur = 300000;
  setrlimit(RLIMIT_FSIZE, &limit);
  refused = IsRefused(Quietly(&net, "full", Write), "the weights cannot be written", "");
  setrlimit(RLIMIT_FSIZE, &before);
  Tap(refused, "a disk that takes a part only is noticed");
  Tap((PetscBool)!Exists("full.new"), "the part is removed");
  Tap(FileIs("full", "old", 3), "the older file at that place survives");
  NetDestroy(&net);
}

static void RemoveAll(void)
{
  static const char *const names[] = {"w.safetensors", "t", "bad", "heard", "heard-not", "full"};

  int removed = 0;

  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank == 0) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) remove(In(names[i]));
    rmdir(In("taken"));
    removed = rmdir(dir) == 0;
  }
  Tap((PetscBool)(removed || world_rank), "no file is left over");
}

int main(int argc, char **argv)
{
  Net net;

  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &world_size);
  snprintf(dir, sizeof dir, "/tmp/codim-store-XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) MPI_Abort(MPI_COMM_WORLD, 1);
  TapCall(MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD));
  TestRoundTrip();
  TestLarge();
  TestReference("mlp-tanh");
  TestReference("cnn-tanh");
  TestReference("lstm");
  TestReference("graph-edge");
  TestOutput();
  TestTypes();
  net = NetCreate(world_size, 2, labels2);
  TestHeaders(&net);
  TestFiles(&net);
  TestNotFinite(&net);
  TestDamage(&net);
  TestUnwritable(&net);
  NetDestroy(&net);
  TestFullDisk();
  RemoveAll();
  return TapEnd();
}
