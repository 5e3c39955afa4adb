// ranks: 1 2 3 4
/* The points: every format, scaling, twins, the way to the groups, problem.h5, and every complaint. */
#include "codim/data.h"
#include "tap.h"
#include <dirent.h>
#include <hdf5.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char        dir[64]; /* the same on every rank; rank 0 writes into it */
static PetscMPIInt world_rank, world_size;

static const char *In(const char name[])
{
  static char path[PETSC_MAX_PATH_LEN];

  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

/* ---- what rank 0 prints on stderr, caught in a file ----------------------------------------------------------------- */

static FILE *heard;
static int   stderr_kept;

static void HearBegin(void)
{
  if (world_rank) return;
  heard       = fopen(In("stderr"), "w+");
  stderr_kept = dup(STDERR_FILENO);
  dup2(fileno(heard), STDERR_FILENO);
}

static void HearEnd(size_t size, char text[])
{
  if (world_rank) return;
  dup2(stderr_kept, STDERR_FILENO);
  close(stderr_kept);
  rewind(heard);
  text[fread(text, 1, size - 1, heard)] = '\0';
  fclose(heard);
}

/* ---- options, with names of files in dir -------------------------------------------------------------------------- */

typedef struct {
  const char *file, *x, *y, *images, *labels;
  PetscInt    outputs, points, scale, target, target_scale;
} Asked;

static void SetPath(OptionString path, const char name[])
{
  if (name) snprintf(path, sizeof(OptionString), "%s", In(name));
}

static DataOptions *Options(Asked asked)
{
  static DataOptions options;

  memset(&options, 0, sizeof options);
  SetPath(options.file, asked.file);
  SetPath(options.x, asked.x);
  SetPath(options.y, asked.y);
  SetPath(options.images, asked.images);
  SetPath(options.labels, asked.labels);
  options.outputs      = asked.outputs;
  options.points       = asked.points;
  options.scale        = asked.scale;
  options.target       = asked.target;
  options.target_scale = asked.target_scale;
  return &options;
}

/* On rank 0, or on any rank of its own communicator: are x and y these doubles? */
static PetscBool Holds(Data data, PetscInt d, PetscInt p, PetscInt l, const PetscReal x[], const PetscReal y[])
{
  if (data->points != d || data->inputs != p || data->outputs != l) return PETSC_FALSE;
  if (!data->all_x) return PETSC_TRUE;
  for (PetscInt i = 0; i < d * p; i++)
    if (data->all_x[i] != x[i]) return PETSC_FALSE;
  for (PetscInt i = 0; i < d * l; i++)
    if (data->all_y[i] != y[i] && !(PetscIsNanReal(data->all_y[i]) && PetscIsNanReal(y[i]))) return PETSC_FALSE;
  return PETSC_TRUE;
}

static void Expect(const char claim[], Asked asked, PetscInt d, PetscInt p, PetscInt l, const PetscReal x[], const PetscReal y[])
{
  Data data;

  TapCall(DataCreate(PETSC_COMM_WORLD, Options(asked), &data));
  Tap(Holds(data, d, p, l, x, y), "%s", claim);
  TapCall(DataDestroy(&data));
}

/* ---- files, by rank 0 --------------------------------------------------------------------------------------------- */

static void WriteBytes(const char name[], const void *bytes, size_t n)
{
  FILE *file;

  if (world_rank == 0) {
    file = fopen(In(name), "wb");
    fwrite(bytes, 1, n, file);
    fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

static void WriteText(const char name[], const char text[])
{
  WriteBytes(name, text, strlen(text));
}

/* raw: the bytes of one number after the other, as they shall stand in the file */
static void WriteNpy(const char name[], int version, const char descr[], const char order[], const char shape[], const void *raw,
                     size_t n)
{
  unsigned char bytes[4096] = "\x93NUMPY";
  size_t        start       = version == 1 ? 10 : 12;
  int length = snprintf((char *)bytes + start, 512, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape);

  bytes[6] = (unsigned char)version;
  bytes[8] = (unsigned char)length;
  memcpy(bytes + start + length, raw, n);
  WriteBytes(name, bytes, start + (size_t)length + n);
}

static size_t IdxBytes(unsigned char bytes[], int type, int ndim, const uint32_t dims[], const void *raw, size_t n)
{
  size_t at = 0;

  bytes[at++] = 0;
  bytes[at++] = 0;
  bytes[at++] = (unsigned char)type;
  bytes[at++] = (unsigned char)ndim;
  for (int k = 0; k < ndim; k++)
    for (int shift = 24; shift >= 0; shift -= 8) bytes[at++] = (unsigned char)(dims[k] >> shift);
  memcpy(bytes + at, raw, n);
  return at + n;
}

static void WriteIdx(const char name[], int type, int ndim, const uint32_t dims[], const void *raw, size_t n)
{
  unsigned char bytes[4096];

  WriteBytes(name, bytes, IdxBytes(bytes, type, ndim, dims, raw, n));
}

static void WriteIdxGzipped(const char name[], int type, int ndim, const uint32_t dims[], const void *raw, size_t n)
{
  unsigned char bytes[4096];
  unsigned      length = (unsigned)IdxBytes(bytes, type, ndim, dims, raw, n);
  gzFile        file;

  if (world_rank == 0) {
    file = gzopen(In(name), "wb");
    gzwrite(file, bytes, length);
    gzclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

typedef struct {
  hid_t       type;
  int         ndim;
  hsize_t     dims[3];
  const void *a;
} Array;

static void WriteHdf5(const char name[], Array x, Array y)
{
  const Array arrays[2] = {x, y};

  if (world_rank == 0) {
    hid_t file = H5Fcreate(In(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

    for (int k = 0; k < 2; k++) {
      hid_t space, dataset;

      if (!arrays[k].a) continue;
      space   = H5Screate_simple(arrays[k].ndim, arrays[k].dims, NULL);
      dataset = H5Dcreate2(file, k ? "y" : "x", arrays[k].type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Dwrite(dataset, arrays[k].type, H5S_ALL, H5S_ALL, H5P_DEFAULT, arrays[k].a);
      H5Dclose(dataset);
      H5Sclose(space);
    }
    H5Fclose(file);
  }
  MPI_Barrier(PETSC_COMM_WORLD);
}

/* A copy of which only the first `keep` bytes are there, and byte `flip` from the end is changed (0: none). */
static void WriteDamaged(const char name[], const char from[], size_t keep, size_t flip)
{
  static unsigned char bytes[1 << 16];
  size_t               n = 0;

  if (world_rank == 0) {
    FILE *file = fopen(In(from), "rb");

    n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (flip) bytes[n - flip] ^= 0x55;
  }
  WriteBytes(name, bytes, PetscMin(n, keep));
}

static void RemoveDirectory(void)
{
  struct dirent *entry;
  DIR           *open;

  MPI_Barrier(PETSC_COMM_WORLD);
  if (world_rank) return;
  open = opendir(dir);
  while ((entry = readdir(open)))
    if (entry->d_name[0] != '.') unlink(In(entry->d_name));
  closedir(open);
  rmdir(dir);
}

/* ---- formats ------------------------------------------------------------------------------------------------------ */

static void TestCsv(void)
{
  const PetscReal x[] = {1, 2.5, -3, 0, 1e-3, 7, 4, 5, 6}, y[] = {10, 20, 30}, x1[] = {1, -3, 1e-3, 4, 6}, y2[] = {2.5, 10, 0, 20};

  WriteText("a.csv", "u,v,w,y\n1,2.5,-3,10\n0, 1e-3 ,7,20\n4,5,6,30\n");
  WriteText("crlf.csv", "u,v,w,y\r\n1,2.5,-3,10\r\n0,1e-3,7,20\r\n4,5,6,30\r\n\r\n\n");
  WriteText("unended.CSV", "u,v,w,y\n1,2.5,-3,10\n0,1e-3,7,20\n4,5,6,30");
  WriteText("two.csv", "u,v,w\n1,2.5,10\n-3,0,20\n");
  Expect("CSV: columns in order, the last is the target", (Asked){.file = "a.csv"}, 3, 3, 1, x, y);
  Expect("CSV: CR LF and blank lines at the end change nothing", (Asked){.file = "crlf.csv"}, 3, 3, 1, x, y);
  Expect("CSV: no newline at the end, and the suffix in upper case", (Asked){.file = "unended.CSV"}, 3, 3, 1, x, y);
  Expect("CSV: the first 2 of 3 points", (Asked){.file = "a.csv", .points = 2}, 2, 3, 1, x, y);
  Expect("CSV: with outputs = 2 the last two columns are targets", (Asked){.file = "two.csv", .outputs = 2}, 2, 1, 2, x1, y2);
}

static void TestHdf5(void)
{
  const PetscReal x[] = {1, -2, 3, 4, 5.5, 6}, y[] = {7, 8, 9}, y2[] = {1, 2, 3, 4, 5, 6};
  const float     x_float[]  = {1, -2, 3, 4, 5.5f, 6};
  const short     y_short[]  = {7, 8, 9};
  const int64_t   y2_int64[] = {1, 2, 3, 4, 5, 6};
  const uint8_t   x_byte[]   = {1, 2, 3, 4, 5, 6, 7, 8};
  const PetscReal x_flat[]   = {1, 2, 3, 4, 5, 6, 7, 8};

  WriteHdf5("a.h5", (Array){H5T_NATIVE_FLOAT, 2, {3, 2}, x_float}, (Array){H5T_NATIVE_SHORT, 1, {3}, y_short});
  WriteHdf5("b.hdf5", (Array){H5T_IEEE_F64BE, 2, {3, 2}, x}, (Array){H5T_NATIVE_INT64, 2, {3, 2}, y2_int64});
  WriteHdf5("c.h5", (Array){H5T_NATIVE_UINT8, 3, {2, 2, 2}, x_byte}, (Array){H5T_NATIVE_SHORT, 1, {2}, y_short});
  Expect("HDF5: float32 x, int16 y of one dimension", (Asked){.file = "a.h5"}, 3, 2, 1, x, y);
  Expect("HDF5: the first 2 of 3 points", (Asked){.file = "a.h5", .points = 2}, 2, 2, 1, x, y);
  Expect("HDF5: x of three dimensions is flattened", (Asked){.file = "c.h5"}, 2, 4, 1, x_flat, y);
  if (world_rank == 0) { /* big-endian numbers must be written as what they are in memory */
    hid_t file = H5Fopen(In("b.hdf5"), H5F_ACC_RDWR, H5P_DEFAULT), dataset = H5Dopen2(file, "x", H5P_DEFAULT);

    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x);
    H5Dclose(dataset);
    H5Fclose(file);
  }
  Expect("HDF5: big-endian float64 x, int64 y of two columns", (Asked){.file = "b.hdf5"}, 3, 2, 2, x, y2);
}

static void TestNpyTypes(void)
{
  const struct {
    const char *descr;
    size_t      bytes;
    const void *raw;
    PetscReal   values[4];
  } types[] = {
      {"'<f8'", 8, (double[]){1.5, -2, 1e300, 4}, {1.5, -2, 1e300, 4}},
      {"'<f4'", 4, (float[]){0.1f, -2, 3, 4}, {(double)0.1f, -2, 3, 4}},
      {"'<i8'", 8, (int64_t[]){-1, INT64_MIN, 3, 4}, {-1, -9223372036854775808.0, 3, 4}},
      {"'<i4'", 4, (int32_t[]){-1, INT32_MIN, 3, 4}, {-1, -2147483648.0, 3, 4}},
      {"'<i2'", 2, (int16_t[]){-1, -32768, 3, 4}, {-1, -32768, 3, 4}},
      {"'|u1'", 1, (uint8_t[]){255, 128, 3, 4}, {255, 128, 3, 4}},
      {"'|i1'", 1, (int8_t[]){-1, -128, 3, 4}, {-1, -128, 3, 4}},
      {"'|b1'", 1, (uint8_t[]){1, 0, 0, 1}, {1, 0, 0, 1}},
      {"'>i2'", 2, (uint8_t[]){0xff, 0xfe, 0x01, 0x02, 0, 3, 0, 4}, {-2, 258, 3, 4}},
      {"'<u8'", 8, (uint64_t[]){1, 0x8000000000000000u, 3, 4}, {1, 9223372036854775808.0, 3, 4}},
  };
  const PetscReal y[] = {5, 6};
  char            claim[64];

  WriteNpy("y.npy", 1, "'<f8'", "False", "(2,)", y, sizeof y);
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    WriteNpy("x.npy", 1, types[k].descr, "False", "(2, 2)", types[k].raw, 4 * types[k].bytes);
    snprintf(claim, sizeof claim, ".npy: numbers of type %s", types[k].descr);
    Expect(claim, (Asked){.x = "x.npy", .y = "y.npy"}, 2, 2, 1, types[k].values, y);
  }
}

static void TestNpyOrders(void)
{
  PetscReal x[24], f[24], f2[24], y[6], yf[6]; /* x: 4 x 2 x 3, y: 3 x 2 … in C order; f, f2, yf in Fortran order */

  for (size_t i = 0; i < 4; i++)
    for (size_t a = 0; a < 2; a++)
      for (size_t b = 0; b < 3; b++) {
        x[(i * 2 + a) * 3 + b]  = (PetscReal)(i + 10 * a + 100 * b);
        f[i + 4 * (a + 2 * b)]  = (PetscReal)(i + 10 * a + 100 * b);
        f2[i + 4 * (3 * a + b)] = (PetscReal)(i + 10 * a + 100 * b); /* the same points as a 4 x 6 matrix */
      }
  for (size_t i = 0; i < 3; i++)
    for (size_t o = 0; o < 2; o++) y[i * 2 + o] = yf[o * 3 + i] = (PetscReal)(i + 10 * o);
  WriteNpy("y4.npy", 1, "'|u1'", "False", "(4,)", "\1\2\3\4", 4);
  WriteNpy("c3.npy", 2, "'<f8'", "False", "(4, 2, 3)", x, sizeof x);
  WriteNpy("f3.npy", 3, "'<f8'", "True", "(4, 2, 3)", f, sizeof f);
  WriteNpy("f2.npy", 1, "'<f8'", "True", "(4, 6)", f2, sizeof f2);
  WriteNpy("x3.npy", 1, "'<f8'", "False", "(3, 8)", x, sizeof x);
  WriteNpy("yf.npy", 1, "'<f8'", "True", "(3, 2)", yf, sizeof yf);
  Expect(".npy, version 2: three dimensions in C order", (Asked){.x = "c3.npy", .y = "y4.npy"}, 4, 6, 1, x,
         (PetscReal[]){1, 2, 3, 4});
  Expect(".npy, version 3: three dimensions in Fortran order", (Asked){.x = "f3.npy", .y = "y4.npy"}, 4, 6, 1, x,
         (PetscReal[]){1, 2, 3, 4});
  Expect(".npy: the first 3 of 4 points in Fortran order", (Asked){.x = "f2.npy", .y = "y4.npy", .points = 3}, 3, 6, 1, x,
         (PetscReal[]){1, 2, 3});
  Expect(".npy: targets of two columns in Fortran order", (Asked){.x = "x3.npy", .y = "yf.npy"}, 3, 8, 2, x, y);
}

static void TestIdx(void)
{
  static const struct {
    int         type;
    size_t      bytes;
    const char *raw;
    PetscReal   values[2];
  } types[] = {
      {0x08, 1, "\xff\x01", {255, 1}},
      {0x09, 1, "\xff\x01", {-1, 1}},
      {0x0B, 2, "\xff\xfe\x01\x02", {-2, 258}},
      {0x0C, 4, "\xff\xff\xff\xfe\x00\x01\x00\x00", {-2, 65536}},
      {0x0D, 4, "\xbf\x80\x00\x00\x40\x20\x00\x00", {-1, 2.5}},
      {0x0E, 8, "\xbf\xf0\x00\x00\x00\x00\x00\x00\x40\x04\x00\x00\x00\x00\x00\x00", {-1, 2.5}},
  };
  const unsigned char pixels[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255};
  const PetscReal     x[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}, y[] = {1, 9, 4};
  char                claim[64];

  WriteIdx("images", 0x08, 3, (uint32_t[]){3, 2, 2}, pixels, sizeof pixels);
  WriteIdx("labels", 0x08, 1, (uint32_t[]){3}, "\1\11\4", 3);
  WriteIdxGzipped("images.gz", 0x08, 3, (uint32_t[]){3, 2, 2}, pixels, sizeof pixels);
  WriteIdxGzipped("labels.gz", 0x08, 1, (uint32_t[]){3}, "\1\11\4", 3);
  Expect("IDX: images flattened row-major, labels", (Asked){.images = "images", .labels = "labels"}, 3, 4, 1, x, y);
  Expect("IDX: gzipped", (Asked){.images = "images.gz", .labels = "labels.gz"}, 3, 4, 1, x, y);
  Expect("IDX: one gzipped, the first point only", (Asked){.images = "images", .labels = "labels.gz", .points = 1}, 1, 4, 1, x, y);
  WriteIdx("one", 0x08, 1, (uint32_t[]){1}, "\1", 1);
  for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
    WriteIdx("typed", types[k].type, 2, (uint32_t[]){1, 2}, types[k].raw, 2 * types[k].bytes);
    snprintf(claim, sizeof claim, "IDX: numbers of type 0x%02x", (unsigned)types[k].type);
    Expect(claim, (Asked){.images = "typed", .labels = "one"}, 1, 2, 1, types[k].values, y);
  }
}

/* ---- scaling ------------------------------------------------------------------------------------------------------ */

enum { D = 7, P = 5, ELL = 2 }; /* no rank count divides them */

/* Column 3 is constant (and no binary fraction); target 1 is constant; sizes differ by 1e6. */
static void WriteScaleFile(PetscReal x[D * P], PetscReal y[D * ELL])
{
  for (size_t i = 0; i < D; i++) {
    for (size_t j = 0; j < P; j++)
      x[i * P + j] = j == 3 ? 0.1 : sin((double)(1 + i * P + j)) * pow(10, 2 * (double)j - 2) + 30 * (double)j;
    y[i * ELL]     = cos(3 * (double)i) - 5;
    y[i * ELL + 1] = 1.0 / 3;
  }
  WriteHdf5("scale.h5", (Array){H5T_NATIVE_DOUBLE, 2, {D, P}, x}, (Array){H5T_NATIVE_DOUBLE, 2, {D, ELL}, y});
}

static long double ColumnMean(size_t n, size_t stride, const PetscReal a[])
{
  long double sum = 0;

  for (size_t i = 0; i < n; i++) sum += a[i * stride];
  return sum / (long double)n;
}

static long double ColumnDeviation(size_t n, size_t stride, const PetscReal a[])
{
  long double mean = ColumnMean(n, stride, a), sum = 0;

  for (size_t i = 0; i < n; i++) sum += (a[i * stride] - mean) * (a[i * stride] - mean);
  return sqrtl(sum / (long double)n);
}

static PetscReal ColumnExtreme(size_t n, size_t stride, const PetscReal a[], int sign)
{
  PetscReal extreme = a[0];

  for (size_t i = 0; i < n; i++)
    if (sign * a[i * stride] > sign * extreme) extreme = a[i * stride];
  return extreme;
}

static void TestUnit(const PetscReal x[], const PetscReal y[])
{
  PetscReal worst = 0, ends = 0;
  Data      data;

  TapCall(
      DataCreate(PETSC_COMM_WORLD, Options((Asked){.file = "scale.h5", .scale = SCALE_UNIT, .target_scale = SCALE_UNIT}), &data));
  for (size_t j = 0; data->all_x && j < P; j++) {
    PetscReal min = ColumnExtreme(D, P, x + j, -1), max = ColumnExtreme(D, P, x + j, 1);

    for (size_t i = 0; i < D; i++) {
      PetscReal expected = j == 3 ? 0 : (x[i * P + j] - min) / (max - min);

      worst = PetscMax(worst, PetscAbsReal(data->all_x[i * P + j] - expected));
    }
    ends = PetscMax(ends, PetscAbsReal(ColumnExtreme(D, P, data->all_x + j, -1)));
    ends = PetscMax(ends, PetscAbsReal(ColumnExtreme(D, P, data->all_x + j, 1) - (j == 3 ? 0 : 1)));
  }
  TapClose(worst, 0, 1, 4 * PETSC_MACHINE_EPSILON, "unit: (x - min)/(max - min), a constant column is 0"); /* two roundings */
  TapClose(ends, 0, 1, 0, "unit: 0 and 1 are attained exactly");
  worst = ends = 0;
  for (size_t i = 0; data->all_y && i < D; i++) {
    PetscReal min = ColumnExtreme(D, ELL, y, -1), max = ColumnExtreme(D, ELL, y, 1),
              expected = (2 * y[i * ELL] - min - max) / (max - min);

    worst = PetscMax(worst, PetscAbsReal(data->all_y[i * ELL] - expected));
    ends  = PetscMax(ends, PetscAbsReal(data->all_y[i * ELL + 1]));
  }
  TapClose(worst, 0, 1, 64 * PETSC_MACHINE_EPSILON, "unit targets: [-1,1]"); /* y about 5, its range about 2: some bits cancel */
  TapClose(ends, 0, 1, 0, "unit targets: a constant one is 0");
  TapCall(DataDestroy(&data));
}

static void TestStandard(const PetscReal x[], const PetscReal y[])
{
  const long double s = ColumnDeviation((size_t)D * P, 1, x), t = ColumnDeviation(D, ELL, y);
  PetscReal         worst = 0, constant = 0;
  Data              data;

  TapCall(DataCreate(PETSC_COMM_WORLD,
                     Options((Asked){.file = "scale.h5", .scale = SCALE_STANDARD, .target_scale = SCALE_STANDARD}), &data));
  for (size_t j = 0; data->all_x && j < P; j++)
    for (size_t i = 0; i < D; i++) {
      long double expected = (x[i * P + j] - ColumnMean(D, P, x + j)) / s;

      worst = PetscMax(worst, PetscAbsReal(data->all_x[i * P + j] - (PetscReal)expected));
      if (j == 3) constant = PetscMax(constant, PetscAbsReal(data->all_x[i * P + j]));
    }
  /* entries up to about 1e6, s about 5e5: a few roundings relative to the largest */
  TapClose(worst, 0, 1, 32 * PETSC_MACHINE_EPSILON,
           "standard: column means off, over the deviation of all entries about their mean");
  TapClose(constant, 0, 1, 0, "standard: a constant column is 0 exactly");
  worst = constant = 0;
  for (size_t i = 0; data->all_y && i < D; i++) {
    long double expected = (y[i * ELL] - ColumnMean(D, ELL, y)) / t;

    worst    = PetscMax(worst, PetscAbsReal(data->all_y[i * ELL] - (PetscReal)expected));
    constant = PetscMax(constant, PetscAbsReal(data->all_y[i * ELL + 1]));
  }
  TapClose(worst, 0, 1, 64 * PETSC_MACHINE_EPSILON, "standard targets: mean off, over its own deviation");
  TapClose(constant, 0, 1, 0, "standard targets: a constant one is 0");
  TapCall(DataDestroy(&data));
}

static void TestScales(void)
{
  PetscReal x[D * P], y[D * ELL];

  WriteScaleFile(x, y);
  TestUnit(x, y);
  TestStandard(x, y);
  WriteText("flat.csv", "u,v,y\n7,7,3\n7,7,3\n");
  Expect("standard: where every entry is the same, x and y are 0 and no NaN",
         (Asked){.file = "flat.csv", .scale = SCALE_STANDARD, .target_scale = SCALE_STANDARD}, 2, 2, 1, (PetscReal[4]){0},
         (PetscReal[2]){0});
  WriteText("unused.csv", "u,y\n0,0\n4,1\n100,9\n");
  Expect("only the points used set the scale",
         (Asked){.file = "unused.csv", .points = 2, .scale = SCALE_UNIT, .target_scale = SCALE_UNIT}, 2, 1, 1, (PetscReal[]){0, 1},
         (PetscReal[]){-1, 1});
}

static void TestOneHot(void)
{
  WriteText("classes.csv", "u,class\n1,2\n2,0\n3,2\n4,5\n");
  Expect("onehot: the classes of the points used, 0 … max", (Asked){.file = "classes.csv", .points = 3, .target = TARGET_ONEHOT}, 3,
         1, 3, (PetscReal[]){1, 2, 3}, (PetscReal[]){0, 0, 1, 1, 0, 0, 0, 0, 1});
  Expect("onehot, then target_scale unit: a class nobody has stays 0",
         (Asked){.file = "classes.csv", .points = 3, .target = TARGET_ONEHOT, .target_scale = SCALE_UNIT}, 3, 1, 3,
         (PetscReal[]){1, 2, 3}, (PetscReal[]){-1, 0, 1, 1, 0, -1, -1, 0, 1});
}

/* ---- targets that were not observed ------------------------------------------------------------------------------- */

static void TestMissing(void)
{
  const PetscReal nan = (PetscReal)NAN, x[] = {1, 2, 3, 4}, y[] = {nan, 0, 2, nan, 4, 10, 3, nan};
  Data            data;

  WriteText("missing.csv", "u,y,z\n1,,0\n2,2,NaN\n3,4,10\n4, 3, nan\n");
  WriteNpy("missing_x.npy", 1, "'<f8'", "False", "(4, 1)", x, sizeof x);
  WriteNpy("missing_y.npy", 1, "'<f8'", "False", "(4, 2)", y, sizeof y);
  Expect("CSV: an empty cell, or nan, is a target that was not observed", (Asked){.file = "missing.csv", .outputs = 2}, 4, 1, 2, x,
         y);
  Expect(".npy: so is NaN", (Asked){.x = "missing_x.npy", .y = "missing_y.npy"}, 4, 1, 2, x, y);
  Expect("unit targets: of what was observed", (Asked){.file = "missing.csv", .outputs = 2, .target_scale = SCALE_UNIT}, 4, 1, 2, x,
         (PetscReal[]){nan, -1, -1, nan, 1, 1, 0, nan});
  Expect("standard targets: of what was observed", (Asked){.file = "missing.csv", .outputs = 2, .target_scale = SCALE_STANDARD}, 4,
         1, 2, x, (PetscReal[]){nan, -1, -1 / PetscSqrtReal(2. / 3), nan, 1 / PetscSqrtReal(2. / 3), 1, 0, nan});
  WriteText("unlabelled.csv", "u,class\n1,1\n2,\n3,0\n");
  Expect("onehot: where there is no class, no output was observed", (Asked){.file = "unlabelled.csv", .target = TARGET_ONEHOT}, 3,
         1, 2, x, (PetscReal[]){0, 1, nan, nan, 1, 0});
  TapCall(DataCreate(PETSC_COMM_WORLD, Options((Asked){.file = "missing.csv", .outputs = 2}), &data));
  Tap((PetscBool)(data->missing == 3), "they are counted");
  TapCall(DataWriteProblem(data, In("missing.h5")));
  TapCall(DataDestroy(&data));
  Expect("HDF5: a problem keeps them", (Asked){.file = "missing.h5"}, 4, 1, 2, x, y);
}

/* ---- twins -------------------------------------------------------------------------------------------------------- */

static void TapSame(const Coincidences *found, const Coincidences *expected, const char claim[])
{
  Tap((PetscBool)(found->classes == expected->classes && found->rows == expected->rows && found->pair[0] == expected->pair[0] &&
                  found->pair[1] == expected->pair[1] && found->wrong[0] == expected->wrong[0] &&
                  found->wrong[1] == expected->wrong[1]),
      "%s", claim);
}

static void ExpectTwins(const char claim[], const char text[], PetscInt outputs, const Coincidences *expected)
{
  Data data;

  WriteText("twins.csv", text);
  TapCall(DataCreate(PETSC_COMM_WORLD, Options((Asked){.file = "twins.csv", .outputs = outputs}), &data));
  TapSame(&data->equal, expected, claim);
  TapCall(DataDestroy(&data));
}

static void TestTwins(void)
{
  ExpectTwins("no two points coincide", "u,v,y\n1,2,0\n2,1,0\n1,3,0\n", 1, &(Coincidences){3, 3, {-1, -1}, {-1, -1}});
  ExpectTwins("of two pairs the one that is complete first; equal targets contradict nothing",
              "u,v,y\n9,9,0\n1,2,5\n1,2,5\n0,0,0\n9,9,0\n", 1, &(Coincidences){3, 3, {1, 2}, {-1, -1}});
  ExpectTwins("-0 equals 0, and a contradiction need not be the first pair", "u,v,y\n0,1,5\n-0.0,1,5\n3,3,1\n0,1,6\n3,3,2\n", 1,
              &(Coincidences){2, 2, {0, 1}, {0, 3}});
  ExpectTwins("the contradiction of the least larger index", "u,v,y\n1,1,0\n2,2,0\n2,2,1\n1,1,1\n", 1,
              &(Coincidences){2, 2, {1, 2}, {1, 2}});
  ExpectTwins("one point alone", "u,v,y\n1,1,0\n", 1, &(Coincidences){1, 1, {-1, -1}, {-1, -1}});
  ExpectTwins("equal points at which different outputs were observed have nothing in common", "u,y,z\n1,2,\n1,,3\n2,0,0\n", 2,
              &(Coincidences){2, 4, {-1, -1}, {-1, -1}});
  ExpectTwins("... those with one output in common do, and contradict each other there only", "u,y,z\n1,2,nan\n1,,3\n1,4,3\n2,,0\n",
              2, &(Coincidences){2, 3, {0, 2}, {0, 2}});
  ExpectTwins("... of two that complete a third, the first", "u,y,z\n1,2,nan\n1,,3\n1,2,4\n", 2,
              &(Coincidences){1, 2, {0, 2}, {1, 2}});
}

/* of f(-x) = f(x) and f(-x) = -f(x) */
static void TestOpposites(void)
{
  const char   text[] = "u,v,y,z\n1,-2,5,\n-1,2,,3\n0,0,0,1\n-1,2,-5,4\n1,-2,5,7\n";
  Coincidences found;
  Data         data;

  WriteText("twins.csv", text);
  TapCall(DataCreate(PETSC_COMM_WORLD, Options((Asked){.file = "twins.csv", .outputs = 2}), &data));
  TapCall(DataFindCoincidences(data, SYMMETRY_EVEN, &found));
  TapSame(&found, &(Coincidences){2, 4, {0, 3}, {0, 3}}, "even: x and -x are one class, if an output was observed at both");
  TapCall(DataFindCoincidences(data, SYMMETRY_ODD, &found));
  TapSame(&found, &(Coincidences){1, 2, {2, 2}, {2, 2}}, "odd: 0 is in none, and its y must be 0");
  TapCall(DataDestroy(&data));
}

/* ---- to the groups ------------------------------------------------------------------------------------------------ */

/* `alone` is what this rank reads by itself, on a communicator of one rank. */
static PetscBool BlockIs(Data data, Data alone, Range points)
{
  size_t p = (size_t)alone->inputs, l = (size_t)alone->outputs, first = (size_t)points.first,
         n = (size_t)(points.last - points.first);

  return (PetscBool)(!memcmp(data->x, alone->all_x + first * p, n * p * sizeof *data->x) &&
                     !memcmp(data->y, alone->all_y + first * l, n * l * sizeof *data->y));
}

static void TestScatter(PetscInt points)
{
  const Asked asked = {.file = "scale.h5", .points = points, .scale = SCALE_STANDARD, .target_scale = SCALE_STANDARD};
  Data        data, alone;
  Grid        grid;

  TapCall(DataCreate(PETSC_COMM_WORLD, Options(asked), &data));
  TapCall(DataCreate(PETSC_COMM_SELF, Options(asked), &alone));
  for (PetscMPIInt G = 1; G <= world_size; G++) {
    if (world_size % G) continue;
    TapCall(GridCreate(PETSC_COMM_WORLD, G, world_size / G, &grid));
    TapCall(DataScatter(data, grid));
    Tap(BlockIs(data, alone, GridGroupPoints(grid, data->points)),
        "grid %d x %d: each rank has its group's part of %" PetscInt_FMT " points, bit for bit as one rank alone computes it", G,
        world_size / G, data->points);
    TapCall(GridDestroy(&grid));
  }
  TapCall(DataDestroy(&alone));
  TapCall(DataDestroy(&data));
}

/* ---- problem.h5 --------------------------------------------------------------------------------------------------- */

static PetscBool HasText(const char name[], const char dataset[], const char attribute[])
{
  hid_t     file = H5Fopen(In(name), H5F_ACC_RDONLY, H5P_DEFAULT);
  PetscBool has  = (PetscBool)(H5Aexists_by_name(file, dataset, attribute, H5P_DEFAULT) > 0);

  H5Fclose(file);
  return has;
}

static void TestProblem(void)
{
  char           path[PETSC_MAX_PATH_LEN], text[2048];
  PetscBool      described;
  PetscErrorCode ierr;
  Data           data, again;

  snprintf(path, sizeof path, "%s", In("problem.h5"));
  TapCall(DataCreate(PETSC_COMM_WORLD, Options((Asked){.file = "scale.h5", .scale = SCALE_STANDARD, .target_scale = SCALE_UNIT}),
                     &data));
  WriteText("problem.h5", "something older");
  TapCall(DataWriteProblem(data, path));
  MPI_Barrier(PETSC_COMM_WORLD);
  TapCall(DataCreate(PETSC_COMM_SELF, Options((Asked){.file = "problem.h5"}), &again));
  Tap(data->all_x ? Holds(again, D, P, ELL, data->all_x, data->all_y) : PETSC_TRUE, "problem.h5 gives back every double as it was");
  described = (PetscBool)(HasText("problem.h5", "x", "definition") && HasText("problem.h5", "x", "scale") &&
                          HasText("problem.h5", "y", "definition") && HasText("problem.h5", "y", "scale"));
  Tap(described, "problem.h5 says what /x and /y are");
  Tap((PetscBool)(access(In("problem.h5.new"), F_OK) != 0), "nothing is left beside problem.h5");
  HearBegin();
  ierr = DataWriteProblem(data, "/dev/null/no/problem.h5");
  HearEnd(sizeof text, text);
  Tap((PetscBool)(ExitStatusOfError(ierr) == STATUS_DATA && (world_rank || strstr(text, "/dev/null/no/problem.h5"))),
      "a path that cannot be written is a complaint on every rank");
  TapCall(DataDestroy(&again));
  TapCall(DataDestroy(&data));
}

/* ---- complaints --------------------------------------------------------------------------------------------------- */

/* words: all of them, separated by '|', must be in the message, which is one line */
static void Refused(const char claim[], Asked asked, ExitStatus status, const char words[])
{
  char           text[2048], list[256];
  Data           data = NULL;
  PetscErrorCode ierr;
  PetscBool      ok;

  HearBegin();
  ierr = DataCreate(PETSC_COMM_WORLD, Options(asked), &data);
  HearEnd(sizeof text, text);
  ok = (PetscBool)(ExitStatusOfError(ierr) == status && !data);
  snprintf(list, sizeof list, "%s", words);
  if (world_rank == 0) {
    char *newline = strchr(text, '\n');

    if (!newline || newline[1]) ok = PETSC_FALSE;
    for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
      if (!strstr(text, word)) ok = PETSC_FALSE;
  }
  if (!Tap(ok, "refused: %s", claim) && world_rank == 0) fprintf(stderr, "# %s", text);
}

/* ---- targets by the net ---------------------------------------------------------------------------------------------- */

/* only inputs are read; then y_io = 10 i + o, set group by group, is whole on rank 0 */
static void TestNetTargets(const char claim[], Asked asked, PetscInt d, PetscInt p)
{
  const PetscInt l = 2;
  Data           data;
  Grid           grid;
  Range          mine;
  PetscReal     *y;
  PetscBool      ok = PETSC_TRUE;

  asked.target = TARGET_NET;
  TapCall(DataCreate(PETSC_COMM_WORLD, Options(asked), &data));
  Tap((PetscBool)(data->points == d && data->inputs == p && data->outputs == 0), "targets by the net, %s: only inputs are read",
      claim);
  TapCall(DataExpectTargets(data, l));
  TapCall(GridCreate(PETSC_COMM_WORLD, world_size % 2 ? world_size : world_size / 2, world_size % 2 ? 1 : 2, &grid));
  TapCall(DataScatter(data, grid));
  mine = GridGroupPoints(grid, d);
  y    = malloc((size_t)(d * l) * sizeof *y);
  for (PetscInt i = 0; i < d * l; i++) y[i] = (PetscReal)(10 * (i / l) + i % l);
  TapCall(DataSetTargets(data, grid, y + l * mine.first));
  for (PetscInt i = l * mine.first; i < l * mine.last; i++) ok = (PetscBool)(ok && data->y[i - l * mine.first] == y[i]);
  for (PetscInt i = 0; world_rank == 0 && i < d * l; i++) ok = (PetscBool)(ok && data->all_y[i] == y[i]);
  Tap(ok, "... those that are set are every group's, and whole on rank 0");
  free(y);
  TapCall(GridDestroy(&grid));
  TapCall(DataDestroy(&data));
}

static void TestUsage(void)
{
  Refused("no points at all", (Asked){0}, STATUS_USAGE, "data.file|data.x|data.images");
  Refused("file and x both", (Asked){.file = "a.csv", .x = "x.npy", .y = "y.npy"}, STATUS_USAGE, "more than once");
  Refused("x without y", (Asked){.x = "x.npy"}, STATUS_USAGE, "data.x is given, data.y is not");
  Refused("y without x", (Asked){.y = "y.npy"}, STATUS_USAGE, "data.y is given, data.x is not");
  Refused("labels without images", (Asked){.labels = "labels"}, STATUS_USAGE, "data.labels is given, data.images is not");
  Refused("file and labels", (Asked){.file = "a.h5", .labels = "labels"}, STATUS_USAGE, "more than once");
  Refused("outputs for HDF5", (Asked){.file = "a.h5", .outputs = 1}, STATUS_USAGE, "data.outputs|CSV");
  Refused("a file of unknown suffix", (Asked){.file = "x.npy"}, STATUS_USAGE, "x.npy|.h5|.csv|data.x");
  Refused("targets by the net, scaled", (Asked){.file = "a.csv", .target = TARGET_NET, .target_scale = SCALE_UNIT}, STATUS_USAGE,
          "data.target_scale|not scaled");
  Refused("y without x, targets by the net", (Asked){.y = "y.npy", .target = TARGET_NET}, STATUS_USAGE,
          "data.y is given, data.x is not");
}

static void RefusedCsv(const char claim[], const char text[], const char words[])
{
  WriteText("bad.csv", text);
  Refused(claim, (Asked){.file = "bad.csv"}, STATUS_DATA, words);
}

static void TestBadCsv(void)
{
  Refused("CSV: no such file", (Asked){.file = "none.csv"}, STATUS_DATA, "none.csv|No such file");
  RefusedCsv("CSV: an empty file", "", "bad.csv|first line");
  RefusedCsv("CSV: a header and no more", "u,y\n\n", "bad.csv|no line of data");
  RefusedCsv("CSV: no header", "1,2\n3,4\n", "bad.csv|numbers only");
  RefusedCsv("CSV: words for a number, named by row and column", "u,v,y\n1,2,3\n1,abc,3\n", "bad.csv|data row 2|line 3|'v'|'abc'");
  RefusedCsv("CSV: something behind a number", "u,v,y\n1,2,3 4\n", "data row 1|'y'|'3 4' is not a number");
  RefusedCsv("CSV: an empty cell", "u,v,y\n1,,3\n", "data row 1|'v'|empty");
  RefusedCsv("CSV: nan among the inputs", "u,v,y\n1,2,3\n1,2,3\nnan,2,3\n", "data row 3|column 1 'u'|not finite");
  RefusedCsv("CSV: an empty input", "u,v,y\n1,,3\n", "data row 1|column 2 'v'|empty");
  RefusedCsv("CSV: an infinite target", "u,v,y\n1,2,inf\n", "data row 1|column 3 'y'|not finite");
  RefusedCsv("CSV: no target observed at all", "u,v,y\n1,2,nan\n1,3,\n", "bad.csv|every target of the 2 points is NaN");
  RefusedCsv("CSV: a number beyond the range of double", "u,v,y\n1,1e999,3\n", "data row 1|'v'|not finite");
  RefusedCsv("CSV: a cell too few", "u,v,y\n1,2,3\n1,2\n", "data row 2|2 cells|3");
  RefusedCsv("CSV: a blank line within", "u,v,y\n1,2,3\n\n1,2,3\n", "data row 2|0 cells");
  RefusedCsv("CSV: a quoted cell", "u,v,y\n1,\"2\",3\n", "data row 1|'v'|quoted");
  RefusedCsv("CSV: a quoted comma", "u,v,y\n1,\"2,5\",3\n", "data row 1|4 cells|quoted");
  RefusedCsv("CSV: a quoted header", "\"u\",v,y\n1,2,3\n", "header|quote");
  RefusedCsv("CSV: other separators", "u;v;y\n1;2;3\n", "1 columns|commas");
  WriteBytes("bad.csv", "u,y\n1,2\n\0\0\0", 11);
  Refused("CSV: zero bytes", (Asked){.file = "bad.csv"}, STATUS_DATA, "line 3|zero byte");
  Refused("CSV: more targets than columns", (Asked){.file = "a.csv", .outputs = 4}, STATUS_DATA, "4 columns|data.outputs");
  Refused("CSV: more points than there are", (Asked){.file = "a.csv", .points = 5}, STATUS_DATA, "a.csv|5 points|has 3");
}

static void TestBadHdf5(void)
{
  const PetscReal x[] = {1, 2, 3, 4, NAN, 6};
  const Array     y3 = {H5T_NATIVE_DOUBLE, 1, {3}, x}, x32 = {H5T_NATIVE_DOUBLE, 2, {3, 2}, x};

  WriteHdf5("no_y.h5", x32, (Array){.a = NULL});
  WriteHdf5("rows.h5", (Array){H5T_NATIVE_DOUBLE, 2, {2, 2}, x}, y3);
  WriteHdf5("flat.h5", y3, y3);
  WriteHdf5("deep.h5", (Array){H5T_NATIVE_DOUBLE, 2, {1, 2}, x}, (Array){H5T_NATIVE_DOUBLE, 3, {1, 1, 2}, x});
  WriteHdf5("nan.h5", x32, y3);
  WriteHdf5("words.h5", (Array){H5T_C_S1, 2, {3, 2}, "abcdef"}, y3);
  WriteHdf5("empty.h5", (Array){H5T_NATIVE_DOUBLE, 2, {0, 2}, x}, (Array){H5T_NATIVE_DOUBLE, 1, {0}, x});
  WriteDamaged("short.h5", "a.h5", 1000, 0);
  WriteText("text.h5", "this is text\n");
  Refused("HDF5: no such file", (Asked){.file = "none.h5"}, STATUS_DATA, "none.h5|No such file");
  Refused("HDF5: another kind of file", (Asked){.file = "text.h5"}, STATUS_DATA, "text.h5|not an HDF5 file");
  Refused("HDF5: a file cut short", (Asked){.file = "short.h5"}, STATUS_DATA, "short.h5|cut short");
  Refused("HDF5: no /y", (Asked){.file = "no_y.h5"}, STATUS_DATA, "no_y.h5|no dataset /y");
  Refused("HDF5: x and y of different length", (Asked){.file = "rows.h5"}, STATUS_DATA, "rows.h5|x has 2 points|y has 3");
  Refused("HDF5: x of one dimension", (Asked){.file = "flat.h5"}, STATUS_DATA, "flat.h5|x has 1 dimensions");
  Refused("HDF5: y of three dimensions", (Asked){.file = "deep.h5"}, STATUS_DATA, "deep.h5|y has 3 dimensions");
  Refused("HDF5: NaN, named by row and column", (Asked){.file = "nan.h5"}, STATUS_DATA, "nan.h5|data row 3, column 1 of x|nan");
  Refused("HDF5: letters", (Asked){.file = "words.h5"}, STATUS_DATA, "words.h5|/x holds no numbers");
  Refused("HDF5: no points", (Asked){.file = "empty.h5"}, STATUS_DATA, "empty.h5|dimension 1 of x is 0");
  Refused("HDF5: more points than there are", (Asked){.file = "a.h5", .points = 4}, STATUS_DATA, "a.h5|4 points|has 3");
}

static void RefusedNpy(const char claim[], const char name[], const char words[])
{
  Refused(claim, (Asked){.x = name, .y = "y.npy"}, STATUS_DATA, words);
}

static void TestBadNpy(void)
{
  const PetscReal x[4] = {1, 2, 3, -INFINITY};

  WriteNpy("short.npy", 1, "'<f8'", "False", "(2, 2)", x, 24);
  WriteNpy("shortf.npy", 1, "'<f8'", "True", "(2, 2)", x, 15);
  WriteNpy("inf.npy", 1, "'<f8'", "True", "(2, 2)", x, 32);
  WriteNpy("half.npy", 1, "'<f2'", "False", "(2, 2)", x, 8);
  WriteNpy("record.npy", 1, "[('a', '<f8')]", "False", "(2,)", x, 16);
  WriteNpy("shape.npy", 1, "'<f8'", "False", "(2, -2)", x, 32);
  WriteNpy("order.npy", 1, "'<f8'", "Maybe", "(2, 2)", x, 32);
  WriteNpy("scalar.npy", 1, "'<f8'", "False", "()", x, 8);
  WriteNpy("huge.npy", 1, "'|u1'", "False", "(1000000000, 1000000000)", x, 8);
  WriteNpy("wide.npy", 1, "'|u1'", "False", "(2, 18446744073709551615, 2)", x, 8);
  WriteNpy("rows.npy", 1, "'<f8'", "False", "(4, 1)", (PetscReal[]){1, 2, 3, 4}, 32);
  WriteNpy("four.npy", 4, "'<f8'", "False", "(2, 2)", x, 32);
  WriteDamaged("header.npy", "inf.npy", 30, 0);
  WriteText("text.npy", "not numpy");
  RefusedNpy(".npy: no such file", "none.npy", "none.npy|No such file");
  RefusedNpy(".npy: another kind of file", "text.npy", "text.npy|not a NumPy");
  RefusedNpy(".npy: version 4", "four.npy", "four.npy|version 1, 2 or 3");
  RefusedNpy(".npy: a header cut short", "header.npy", "header.npy|header is cut short");
  RefusedNpy(".npy: numbers cut short", "short.npy", "short.npy|cut short|after 3");
  RefusedNpy(".npy: numbers cut short in Fortran order", "shortf.npy", "shortf.npy|cut short|after 1");
  RefusedNpy(".npy: inf, named by row and column", "inf.npy", "inf.npy|data row 2, column 2 of x|-inf");
  RefusedNpy(".npy: half precision", "half.npy", "half.npy|'<f2'");
  RefusedNpy(".npy: records", "record.npy", "record.npy|record");
  RefusedNpy(".npy: a shape that is none", "shape.npy", "shape.npy|shape");
  RefusedNpy(".npy: an order that is none", "order.npy", "order.npy|fortran_order");
  RefusedNpy(".npy: no dimension", "scalar.npy", "scalar.npy|0 dimensions");
  RefusedNpy(".npy: more than memory holds", "huge.npy", "huge.npy|memory");
  RefusedNpy(".npy: more than an index reaches", "wide.npy", "wide.npy|18446744073709551615");
  RefusedNpy(".npy: x and y of different length", "rows.npy", "rows.npy|x has 4 points|y.npy has 2");
}

static void RefusedIdx(const char claim[], const char name[], const char words[])
{
  Refused(claim, (Asked){.images = name, .labels = "labels"}, STATUS_DATA, words);
}

static void TestBadIdx(void)
{
  const unsigned char pixels[12] = {0};

  WriteIdx("short", 0x08, 3, (uint32_t[]){3, 2, 2}, pixels, 9);
  WriteIdx("long", 0x08, 3, (uint32_t[]){2, 2, 2}, pixels, 12);
  WriteIdx("type", 0x0A, 3, (uint32_t[]){3, 2, 2}, pixels, 12);
  WriteDamaged("header", "images", 7, 0);
  WriteDamaged("short.gz", "images.gz", 30, 0);
  WriteDamaged("crc.gz", "images.gz", 4096, 8); /* the last 8 bytes: checksum, length */
  WriteText("text", "text");
  RefusedIdx("IDX: no such file", "none", "none|No such file");
  RefusedIdx("IDX: another kind of file", "text", "text|not an IDX file");
  RefusedIdx("IDX: an unknown type", "type", "type|0x0a");
  RefusedIdx("IDX: a header cut short", "header", "header|cut short");
  RefusedIdx("IDX: numbers cut short", "short", "short|row 3 of 3");
  RefusedIdx("IDX: more numbers than the header says", "long", "long|goes on after the 2 rows");
  RefusedIdx("IDX: a gzip stream cut short", "short.gz", "short.gz|cut short");
  RefusedIdx("IDX: a gzip checksum that fails", "crc.gz", "crc.gz|incorrect data check");
  Refused("IDX: images for labels", (Asked){.images = "images", .labels = "images"}, STATUS_DATA, "y has 3 dimensions");
  Refused("IDX: labels for images", (Asked){.images = "labels", .labels = "labels"}, STATUS_DATA, "x has 1 dimensions");
  Refused("IDX: more points than there are", (Asked){.images = "images", .labels = "labels", .points = 70000}, STATUS_DATA,
          "70000|has 3");
}

static void TestBadTargets(void)
{
  WriteText("class.csv", "u,v,y\n1,2,3\n1,3,-1\n");
  WriteText("half.csv", "u,v,y\n1,2,0.5\n");
  WriteText("many.csv", "u,v,y\n1,2,1e9\n");
  WriteText("range.csv", "u,y\n1e308,0\n-1e308,1\n");
  Refused("onehot: a negative class", (Asked){.file = "class.csv", .target = TARGET_ONEHOT}, STATUS_DATA,
          "class.csv|data row 2|-1");
  Refused("onehot: a fraction", (Asked){.file = "half.csv", .target = TARGET_ONEHOT}, STATUS_DATA, "half.csv|data row 1|0.5");
  Refused("onehot: a class too large", (Asked){.file = "many.csv", .target = TARGET_ONEHOT}, STATUS_DATA,
          "many.csv|data row 1|65535");
  Refused("onehot: two columns", (Asked){.file = "a.csv", .outputs = 2, .target = TARGET_ONEHOT}, STATUS_DATA,
          "a.csv|one column|2");
  Refused("a scale that overflows", (Asked){.file = "range.csv", .scale = SCALE_UNIT}, STATUS_DATA, "range.csv|after scaling");
}

/* ------------------------------------------------------------------------------------------------------------------- */

static void TestKeys(void)
{
  const char *names[] = {"data_file",   "data_x",       "data_y",     "data_images", "data_labels",       "data_outputs",
                         "data_points", "data_heldout", "data_scale", "data_target", "data_target_scale", NULL};
  PetscBool   ok      = PETSC_TRUE;

  for (int k = 0; ok; k++) {
    if (!names[k]) {
      ok = (PetscBool)!DataKeys[k].name;
      break;
    }
    ok = (PetscBool)(DataKeys[k].name && !strcmp(names[k], DataKeys[k].name) && DataKeys[k].help[0]);
  }
  Tap(ok, "the keys are the eleven of the job file, each with a help text");
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_rank(PETSC_COMM_WORLD, &world_rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &world_size);
  snprintf(dir, sizeof dir, "/tmp/codim-test-data-XXXXXX");
  if (world_rank == 0 && !mkdtemp(dir)) MPI_Abort(MPI_COMM_WORLD, 1);
  if (MPI_Bcast(dir, sizeof dir, MPI_CHAR, 0, PETSC_COMM_WORLD)) return 1;
  TestKeys();
  TestCsv();
  TestHdf5();
  TestNpyTypes();
  TestNpyOrders();
  TestIdx();
  TestScales();
  TestOneHot();
  TestMissing();
  TestTwins();
  TestOpposites();
  TestScatter(D);
  TestScatter(2); /* fewer points than ranks */
  TestNetTargets("CSV", (Asked){.file = "a.csv"}, 3, 4);
  TestNetTargets("CSV without its last column", (Asked){.file = "a.csv", .outputs = 1}, 3, 3);
  TestNetTargets("NumPy without y", (Asked){.x = "x3.npy"}, 3, 8);
  TestUsage();
  TestBadCsv();
  TestBadHdf5();
  TestBadNpy();
  TestBadIdx();
  TestBadTargets();
  TestProblem();
  RemoveDirectory();
  return TapEnd();
}
