/* random.c: Philox blocks to uniform and normal numbers. */
#include "codim/random.h"
#include "codim/threads.h"
#include <Random123/philox.h>
#include <math.h>
#include <stdint.h>

typedef void PairFn(double u, double v, PetscReal pair[2]);

static void UniformPair(double u, double v, PetscReal pair[2])
{
  pair[0] = u;
  pair[1] = v;
}

static void NormalPair(double u, double v, PetscReal pair[2])
{
  const double r = sqrt(-2 * log(u)), phi = 2 * PETSC_PI * v;

  pair[0] = r * cos(phi);
  pair[1] = r * sin(phi);
}

/* 52 bits and a final 1: exact in a double, in (0,1), symmetric about 1/2 */
static double UnitInterval(uint32_t low, uint32_t high)
{
  return ((double)(((uint64_t)high << 32 | low) >> 12) + 0.5) * 0x1p-52;
}

static void Block(uint64_t seed, uint64_t stream, uint64_t block, PairFn *map, PetscReal pair[2])
{
  const philox4x32_ctr_t counter = {{(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
  const philox4x32_key_t key     = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  const philox4x32_ctr_t bits    = philox4x32_R(10, counter, key);

  map(UnitInterval(bits.v[0], bits.v[1]), UnitInterval(bits.v[2], bits.v[3]), pair);
}

static void Fill(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PairFn *map, PetscReal z[])
{
  const PetscInt64 end = first + n;

#pragma omp parallel for if (ThreadsShare((size_t)n))
  for (PetscInt64 block = first / 2; block < (end + 1) / 2; block++) {
    PetscReal pair[2];

    Block((uint64_t)seed, (uint64_t)stream, (uint64_t)block, map, pair);
    if (2 * block >= first) z[2 * block - first] = pair[0];
    if (2 * block + 1 < end) z[2 * block + 1 - first] = pair[1];
  }
}

void RandomNormal(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[])
{
  Fill(seed, stream, first, n, NormalPair, z);
}

void RandomUniform(PetscInt64 seed, PetscInt64 stream, PetscInt64 first, PetscInt n, PetscReal z[])
{
  Fill(seed, stream, first, n, UniformPair, z);
}
