/*
  calibrate.c: see calibrate.h. Each kind of work is a function that does some of it once and says how much that was; it is repeated for a
  quarter of a second, on all ranks at once, and the slowest rank counts.
*/
#include "codim/calibrate.h"
#include "blas.h"
#include "codim/random.h"
#include "codim/tiles.h"
#include "file.h"
#include "sha256.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 1024, LONG = 1 << 22 /* doubles: 32 MiB, more than a cache */, SHORT = LONG / 16, ORDER = 2000 };

typedef struct {
  PetscReal *a, *b; /* LONG */
  Tiles      A, V;  /* of order ORDER, on this rank alone */
  PetscReal *lambda;
  char       path[PETSC_MAX_PATH_LEN]; /* a scratch file of this rank */
} Scratch;

typedef PetscErrorCode Sample(Scratch *s, PetscReal *amount);

/* ---- one sample of each kind -------------------------------------------------------------------------------------------- */

static PetscErrorCode SampleProduct(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  PetscCall(Gemm("T", "N", SIDE, SIDE, SIDE, 1, s->a, SIDE, s->a + SIDE, SIDE, 0, s->b, SIDE));
  *amount = 2. * SIDE * SIDE * SIDE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* positive definite: 1 on the diagonal, below 1/ORDER elsewhere */
static void SetMatrix(Tiles A)
{
  for (size_t j = 0; j < ORDER; j++)
    for (size_t i = 0; i < ORDER; i++) A->a[j * ORDER + i] = i == j ? 1 : .9 / (PetscReal)(1 + i + j + ORDER);
}

static PetscErrorCode SampleCholesky(Scratch *s, PetscReal *amount)
{
  PetscBool success;

  PetscFunctionBeginUser;
  SetMatrix(s->A);
  PetscCall(TilesCholesky(s->A, &success));
  *amount = 1. / 3 * ORDER * ORDER * ORDER;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleEigenvalues(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  SetMatrix(s->A);
  PetscCall(TilesEigenvalues(s->A, s->lambda));
  *amount = 4. / 3 * ORDER * ORDER * ORDER;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleEigenvectors(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  SetMatrix(s->A);
  PetscCall(TilesEigenvectors(s->A, s->lambda, s->V));
  *amount = 9. * ORDER * ORDER * ORDER;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* of a tall block, as LAPACK's blocked factorization does it */
static PetscErrorCode SampleQR(Scratch *s, PetscReal *amount)
{
  PetscBLASInt m = 4 * SIDE, n = SIDE / 2, lwork = 64 * SIDE, info;
  PetscReal   *tau = s->lambda, *work = s->b;

  PetscFunctionBeginUser;
  for (size_t i = 0; i < (size_t)m * (size_t)n; i++) s->a[i] = (PetscReal)((i * 7919) % 1009) / 1009;
  LAPACKgeqrf_(&m, &n, s->a, &m, tau, work, &lwork, &info);
  *amount = 2. * (PetscReal)m * (PetscReal)n * (PetscReal)n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleStream(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  for (size_t i = 0; i < LONG; i++) s->a[i] = s->b[i] + .5 * s->a[i];
  *amount = 3. * 8 * LONG;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleElements(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  ActivationFind("tanh")->jet(SHORT, s->a, s->b, NULL, NULL);
  *amount = SHORT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleNormals(Scratch *s, PetscReal *amount)
{
  PetscFunctionBeginUser;
  RandomNormal(0, 0, 0, SHORT, s->a);
  *amount = SHORT;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleFile(Scratch *s, PetscReal *amount)
{
  FILE     *file = fopen(s->path, "wb");
  PetscBool ok   = (PetscBool)(file != NULL);

  PetscFunctionBeginUser;
  ok = (PetscBool)(ok && fwrite(s->a, 8, LONG, file) == LONG && !fflush(file) && !fsync(fileno(file)));
  if (file) ok = (PetscBool)(!fclose(file) && ok);
  *amount = ok ? 8. * LONG : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SampleHash(Scratch *s, PetscReal *amount)
{
  char hex[SHA256_HEX];

  PetscFunctionBeginUser;
  *amount = Sha256File(s->path, hex) ? 0 : 8. * LONG;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const struct {
  const char *name;
  Sample     *sample;
  PetscBool   shared; /* by the threads of a rank */
} Kinds[WORK_KINDS] = {
    [WORK_PRODUCT]      = {"product_flops", SampleProduct, PETSC_TRUE},
    [WORK_CHOLESKY]     = {"cholesky_flops", SampleCholesky, PETSC_TRUE},
    [WORK_EIGENVALUES]  = {"eigenvalues_flops", SampleEigenvalues, PETSC_TRUE},
    [WORK_EIGENVECTORS] = {"eigenvectors_flops", SampleEigenvectors, PETSC_TRUE},
    [WORK_QR]           = {"qr_flops", SampleQR, PETSC_TRUE},
    [WORK_STREAM]       = {"memory_bytes", SampleStream, PETSC_TRUE},
    [WORK_ELEMENTS]     = {"elements", SampleElements, PETSC_TRUE},
    [WORK_NORMALS]      = {"random_numbers", SampleNormals, PETSC_TRUE},
    [WORK_FILE]         = {"file_bytes", SampleFile, PETSC_FALSE},
    [WORK_HASH]         = {"hashed_bytes", SampleHash, PETSC_FALSE},
};

/* ---- measuring ----------------------------------------------------------------------------------------------------------- */

static PetscErrorCode MeasureRate(MPI_Comm comm, Sample *sample, Scratch *s, PetscReal *rate)
{
  PetscReal amount, sum = 0;
  double    start, seconds;

  PetscFunctionBeginUser;
  PetscCall(sample(s, &amount)); /* warm */
  PetscCallMPI(MPI_Barrier(comm));
  start = MPI_Wtime();
  do {
    PetscCall(sample(s, &amount));
    sum += amount;
    seconds = MPI_Wtime() - start;
  } while (seconds < .25);
  *rate = sum / seconds;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, rate, 1, MPIU_REAL, MPI_MIN, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* an Allreduce of 8 bytes, and of 32 MiB; nothing to measure on one rank */
static PetscErrorCode MeasureNetwork(MPI_Comm comm, Scratch *s, Calibration *c)
{
  const int small = 200, large = 4;
  Cost      cost = {.bytes = 0};
  double    times[3];

  PetscFunctionBeginUser;
  c->latency   = 0;
  c->bandwidth = (PetscReal)INFINITY;
  if (c->ranks == 1) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCallMPI(MPI_Barrier(comm));
  times[0] = MPI_Wtime();
  for (int i = 0; i < small; i++) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->lambda, 1, MPIU_REAL, MPI_MAX, comm));
  times[1] = MPI_Wtime();
  for (int i = 0; i < large; i++) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->a, LONG, MPIU_REAL, MPI_MAX, comm));
  times[2] = MPI_Wtime();
  PetscCallMPI(MPI_Bcast(times, 3, MPI_DOUBLE, 0, comm));
  CostReduceAll(&cost, (PetscReal)c->ranks, 8. * LONG, large);
  c->latency   = (times[1] - times[0]) / small;
  c->bandwidth = cost.received / (times[2] - times[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CalibrationMeasure(MPI_Comm comm, Calibration *c)
{
  Scratch     s;
  PetscMPIInt rank, size;

  PetscFunctionBeginUser;
  MachineName(sizeof(c->machine), c->machine);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  c->ranks = size;
  PetscCall(PetscMalloc3(LONG, &s.a, LONG, &s.b, 2 * ORDER, &s.lambda));
  for (size_t i = 0; i < LONG; i++) s.a[i] = s.b[i] = 1e-3 * (PetscReal)(i % 1009);
  PetscCall(TilesCreate(PETSC_COMM_SELF, ORDER, &s.A));
  PetscCall(TilesDuplicate(s.A, &s.V));
  PetscCall(PetscSNPrintf(s.path, sizeof(s.path), ".calibrate.%d.%d", (int)getpid(), (int)rank));
  for (int kind = 0; kind < WORK_KINDS; kind++) {
    PetscCall(Progress(comm, kind, WORK_KINDS, "%s", Kinds[kind].name));
    PetscCall(MeasureRate(comm, Kinds[kind].sample, &s, &c->rate[kind]));
  }
  PetscCall(MeasureNetwork(comm, &s, c));
  (void)unlink(s.path);
  PetscCall(TilesDestroy(&s.A));
  PetscCall(TilesDestroy(&s.V));
  PetscCall(PetscFree3(s.a, s.b, s.lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscReal CalibrationSeconds(const Calibration *c, const Cost *cost, PetscInt threads)
{
  PetscReal seconds = cost->messages * c->latency + cost->received / c->bandwidth;

  for (int kind = 0; kind < WORK_KINDS; kind++)
    if (cost->work[kind] > 0) seconds += cost->work[kind] / (c->rate[kind] * (Kinds[kind].shared ? (PetscReal)threads : 1));
  return seconds;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

PetscErrorCode CalibrationWrite(MPI_Comm comm, const char path[], const Calibration *c)
{
  json_t     *json, *rates = json_object();
  PetscMPIInt rank;
  Complaint   complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  for (int kind = 0; kind < WORK_KINDS; kind++) json_object_set_new(rates, Kinds[kind].name, json_real((double)c->rate[kind]));
  json = json_pack("{s:i, s:s, s:I, s:o, s:f, s:o}", "schema", 1, "machine", c->machine, "ranks", (json_int_t)c->ranks,
                   "a_second_of_one_rank", rates, "latency_seconds", (double)c->latency, "received_bytes_a_second",
                   !isfinite(c->bandwidth) ? json_null() : json_real((double)c->bandwidth));
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) FileWriteJSON(path, json, JSON_INDENT(2) | JSON_REAL_PRECISION(4), &complaint);
  json_decref(json);
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void ParseRuns(const json_t *runs, Calibration *c)
{
  size_t  i;
  json_t *run;

  c->runs   = 0;
  c->factor = 1;
  json_array_foreach(runs, i, run)
  {
    const double planned  = json_number_value(json_object_get(run, "planned_seconds")),
                 measured = json_number_value(json_object_get(run, "measured_seconds"));

    if (!(planned > 0 && measured > 0)) continue;
    c->runs++;
    c->factor = PetscMax(c->factor, PetscMax(planned / measured, measured / planned));
  }
}

static PetscBool Parse(const json_t *json, Calibration *c)
{
  const json_t *rates     = json_object_get(json, "a_second_of_one_rank"),
               *bandwidth = json_object_get(json, "received_bytes_a_second");
  const char *machine     = json_string_value(json_object_get(json, "machine"));

  (void)PetscStrncpy(c->machine, machine ? machine : "", sizeof(c->machine));
  c->ranks     = (PetscInt)json_integer_value(json_object_get(json, "ranks"));
  c->latency   = json_number_value(json_object_get(json, "latency_seconds"));
  c->bandwidth = json_is_number(bandwidth) ? json_number_value(bandwidth) : (PetscReal)INFINITY;
  ParseRuns(json_object_get(json, "runs"), c);
  for (int kind = 0; kind < WORK_KINDS; kind++) {
    c->rate[kind] = json_number_value(json_object_get(rates, Kinds[kind].name));
    if (!(c->rate[kind] > 0)) return PETSC_FALSE;
  }
  return (PetscBool)(machine && c->ranks > 0 && c->latency >= 0 && c->bandwidth > 0);
}

PetscErrorCode CalibrationRead(MPI_Comm comm, const char path[], Calibration *c, PetscBool *found)
{
  PetscMPIInt rank, there[2] = {0, 1}; /* found, sound */
  json_t     *json;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0 && access(path, F_OK) == 0) {
    there[0] = 1;
    json     = json_load_file(path, 0, NULL);
    there[1] = Parse(json, c);
    json_decref(json);
  }
  PetscCallMPI(MPI_Bcast(there, 2, MPI_INT, 0, comm));
  PetscCallMPI(MPI_Bcast(c, (PetscMPIInt)sizeof(*c), MPI_BYTE, 0, comm));
  PetscCall(UserCheck(comm, (PetscBool)there[1], STATUS_DATA, "%s is no calibration: make calibrate writes one", path));
  *found = (PetscBool)there[0];
  PetscFunctionReturn(PETSC_SUCCESS);
}
