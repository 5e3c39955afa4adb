// ranks: 1 3
/* test_random.c: Philox known answers, counter-based access, moments of a million samples. */
#include "codim/random.h"
#include "tap.h"
#include <Random123/philox.h>

enum { SAMPLES = 1000000, SHORT = 1001 };

/* kat_vectors of the Random123 distribution: philox4x32 10, counter, key, result */
static const uint32_t known_answers[3][3][4] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static PetscBool Same(const PetscReal a[], const PetscReal b[])
{
  for (int i = 0; i < SHORT; i++)
    if (a[i] != b[i]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static void TestKnownAnswers(void)
{
  int ok = 1;

  for (int i = 0; i < 3; i++) {
    const uint32_t(*kat)[4]        = known_answers[i];
    const philox4x32_ctr_t counter = {{kat[0][0], kat[0][1], kat[0][2], kat[0][3]}};
    const philox4x32_key_t key     = {{kat[1][0], kat[1][1]}};
    const philox4x32_ctr_t result  = philox4x32_R(10, counter, key);

    for (int j = 0; j < 4; j++) ok = ok && result.v[j] == kat[2][j];
  }
  Tap((PetscBool)ok, "philox4x32-10 gives the three known answers of its distribution");
}

/* computed with 200 bits from an independent Philox */
static void TestFirstValues(void)
{
  const PetscInt64 far       = ((PetscInt64)1 << 35) + 1;
  const PetscReal  normal[4] = {-1.6553816395620724, -1.1992347223177749, -1.2343375014315893, -0.17327159263881969};
  PetscReal        z[4], uniform[2], one;
  PetscReal        error = 0;

  RandomNormal(7, 3, 0, 4, z);
  for (int i = 0; i < 4; i++) error = PetscMax(error, PetscAbsReal(z[i] / normal[i] - 1));
  Tap((PetscBool)(error < 1e-14), "the first four normals of stream (7, 3) are those computed with 200 bits");
  RandomUniform(0, 0, 0, 2, uniform);
  Tap((PetscBool)(uniform[0] == 0.88052019788861424 && uniform[1] == 0.60548185387992126),
      "the first two uniforms of stream (0, 0) are exact");
  RandomNormal(((PetscInt64)1 << 40) + 1, ((PetscInt64)1 << 33) + 5, far, 1, &one);
  TapClose(one, -0.69583323402123685, 1, 1e-14, "seed, stream and index beyond 32 bits all enter");
}

static void TestChunks(void)
{
  static PetscReal whole[SHORT], chunk[SHORT];
  int              ok = 1;

  RandomNormal(11, 5, 17, SHORT, whole);
  for (PetscInt length = 1; length <= 7; length++) {
    for (PetscInt i = 0; i < SHORT; i += length) RandomNormal(11, 5, 17 + i, PetscMin(length, SHORT - i), chunk + i);
    ok = ok && Same(whole, chunk);
  }
  Tap((PetscBool)ok, "normals do not depend on the chunks they are asked for in, to the bit");
  RandomUniform(11, 5, 17, SHORT, whole);
  for (PetscInt i = SHORT - 1; i >= 0; i--) RandomUniform(11, 5, 17 + i, 1, chunk + i);
  Tap(Same(whole, chunk), "uniforms asked for one by one, backwards, are the same");
  chunk[0] = 42;
  RandomNormal(11, 5, 17, 0, chunk);
  Tap((PetscBool)(chunk[0] == 42), "no number asked for, none written");
}

static void TestRanks(void)
{
  PetscReal z[SHORT], from_rank_0[SHORT];

  RandomNormal(1, 2, 3, SHORT, z);
  for (int i = 0; i < SHORT; i++) from_rank_0[i] = z[i];
  TapCall(MPI_Bcast(from_rank_0, SHORT, MPIU_REAL, 0, PETSC_COMM_WORLD));
  Tap(Same(z, from_rank_0), "every rank has the numbers of rank 0");
}

/* a mean of N samples of variance v is within 5 sqrt(v/N) of its expectation, but for 6 cases in ten million */
static void MeanWithin(PetscReal sum, PetscReal expectation, PetscReal variance, const char claim[])
{
  TapClose(sum / SAMPLES, expectation, PetscSqrtReal(variance / SAMPLES), 5, claim);
}

static void TestNormalMoments(const PetscReal z[], const PetscReal other[])
{
  PetscReal sum[4] = {0}, neighbours = 0, pair = 0, streams = 0, beyond_3 = 0;

  for (PetscInt i = 0; i < SAMPLES; i++) {
    const PetscReal square = z[i] * z[i], next = z[(i + 1) % SAMPLES];

    sum[0] += z[i];
    sum[1] += square;
    sum[2] += square * z[i];
    sum[3] += square * square;
    neighbours += z[i] * next;
    if (i % 2 == 0) pair += (square - 1) * (next * next - 1);
    streams += z[i] * other[i];
    beyond_3 += square > 9;
  }
  MeanWithin(sum[0], 0, 1, "normals: E z = 0");
  MeanWithin(sum[1], 1, 2, "normals: E z^2 = 1");
  MeanWithin(sum[2], 0, 15, "normals: E z^3 = 0");
  MeanWithin(sum[3], 3, 96, "normals: E z^4 = 3");
  MeanWithin(beyond_3, 0.0026997960632601965, 0.0027, "normals: P(|z| > 3) = 0.0027");
  MeanWithin(neighbours, 0, 1, "neighbours are uncorrelated");
  MeanWithin(2 * pair, 0, 8, "the squares of a Box-Muller pair are uncorrelated");
  MeanWithin(streams, 0, 1, "two streams are uncorrelated");
}

static void TestUniformMoments(const PetscReal u[])
{
  PetscReal sum[3] = {0}, low = 1, high = 0;

  for (PetscInt i = 0; i < SAMPLES; i++) {
    const PetscReal centred = u[i] - 0.5;

    sum[0] += centred;
    sum[1] += centred * centred;
    sum[2] += centred * centred * centred;
    low  = PetscMin(low, u[i]);
    high = PetscMax(high, u[i]);
  }
  MeanWithin(sum[0], 0, 1. / 12, "uniforms: E u = 1/2");
  MeanWithin(sum[1], 1. / 12, 1. / 180, "uniforms: Var u = 1/12");
  MeanWithin(sum[2], 0, 1. / 448, "uniforms: E (u - 1/2)^3 = 0");
  /* the smallest of N exceeds 20/N with probability e^-20 */
  Tap((PetscBool)(low > 0 && high < 1 && low < 20. / SAMPLES && high > 1 - 20. / SAMPLES), "uniforms fill (0,1) and stay inside");
}

int main(int argc, char **argv)
{
  PetscReal *z, *other;

  TapBegin(&argc, &argv);
  TapCall(PetscMalloc2(SAMPLES, &z, SAMPLES, &other));
  TestKnownAnswers();
  TestFirstValues();
  TestChunks();
  TestRanks();
  RandomNormal(2018, 4, 0, SAMPLES, z);
  RandomNormal(2018, 5, 0, SAMPLES, other);
  TestNormalMoments(z, other);
  RandomNormal(2019, 4, 0, SAMPLES, other);
  Tap((PetscBool)(z[0] != other[0]), "another seed, other numbers");
  RandomUniform(2018, 6, 0, SAMPLES, z);
  TestUniformMoments(z);
  TapCall(PetscFree2(z, other));
  return TapEnd();
}
