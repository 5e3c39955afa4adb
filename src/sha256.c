/*
  sha256.c: see sha256.h. Words and formulas are those of FIPS 180-4.
*/
#include "sha256.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __x86_64__
  #include <cpuid.h>
  #include <immintrin.h>
#endif

typedef void CompressFn(uint32_t H[8], const unsigned char block[64]);

static int portable; /* only */

typedef struct {
  CompressFn   *compress;
  uint32_t      H[8];
  uint64_t      bytes;
  unsigned char block[64];
} Digest;

/* the first 32 bits of the fractional parts of the cube roots of the first 64 primes */
static const uint32_t K[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
                               0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
                               0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
                               0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
                               0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
                               0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
                               0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
                               0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t Rotr(uint32_t x, int n)
{
  return x >> n | x << (32 - n);
}

static void Compress(uint32_t H[8], const unsigned char block[64])
{
  uint32_t W[64], a[8];

  for (size_t t = 0; t < 16; t++)
    W[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
  for (int t = 16; t < 64; t++)
    W[t] = (Rotr(W[t - 2], 17) ^ Rotr(W[t - 2], 19) ^ W[t - 2] >> 10) + W[t - 7] +
           (Rotr(W[t - 15], 7) ^ Rotr(W[t - 15], 18) ^ W[t - 15] >> 3) + W[t - 16];
  memcpy(a, H, sizeof a);
  for (int t = 0; t < 64; t++) {
    const uint32_t sigma1 = Rotr(a[4], 6) ^ Rotr(a[4], 11) ^ Rotr(a[4], 25), choice = (a[4] & a[5]) ^ (~a[4] & a[6]);
    const uint32_t sigma0   = Rotr(a[0], 2) ^ Rotr(a[0], 13) ^ Rotr(a[0], 22),
                   majority = (a[0] & a[1]) ^ (a[0] & a[2]) ^ (a[1] & a[2]);
    const uint32_t T1 = a[7] + sigma1 + choice + K[t] + W[t], T2 = sigma0 + majority;

    memmove(a + 1, a, 7 * sizeof a[0]);
    a[4] += T1;
    a[0] = T1 + T2;
  }
  for (int i = 0; i < 8; i++) H[i] += a[i];
}

#ifdef __x86_64__

/* the same by the processor's own instructions: four rounds at a time, the state as (a, b, e, f) and (c, d, g, h) */
__attribute__((target("sha,sse4.1"))) static void CompressByInstructions(uint32_t H[8], const unsigned char block[64])
{
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203); /* most significant byte first */
  __m128i       low   = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)H), 0xB1);
  __m128i       high  = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(H + 4)), 0x1B);
  __m128i       abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xF0), W[4];
  const __m128i abef_before = abef, cdgh_before = cdgh;

  for (size_t t = 0; t < 16; t++) {
    __m128i sum;

    if (t < 4)
      W[t] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(block + 16 * t)), order);
    else {
      const __m128i sixteen = W[t % 4], twelve = W[(t + 1) % 4], eight = W[(t + 2) % 4], four = W[(t + 3) % 4]; /* words ago */

      sum      = _mm_add_epi32(_mm_sha256msg1_epu32(sixteen, twelve), _mm_alignr_epi8(four, eight, 4));
      W[t % 4] = _mm_sha256msg2_epu32(sum, four);
    }
    sum  = _mm_add_epi32(W[t % 4], _mm_loadu_si128((const __m128i *)(K + 4 * t)));
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
  }
  abef = _mm_add_epi32(abef, abef_before);
  cdgh = _mm_add_epi32(cdgh, cdgh_before);
  low  = _mm_shuffle_epi32(abef, 0x1B);
  high = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)H, _mm_blend_epi16(low, high, 0xF0));
  _mm_storeu_si128((__m128i *)(H + 4), _mm_alignr_epi8(high, low, 8));
}

static int HasInstructions(void)
{
  unsigned a, b = 0, c, d;

  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
}

#endif

static CompressFn *Chosen(void)
{
#ifdef __x86_64__
  if (!portable && HasInstructions()) return CompressByInstructions;
#endif
  return Compress;
}

void Sha256Portable(int only)
{
  portable = only;
}

static void Begin(Digest *digest)
{
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

  digest->compress = Chosen();
  memcpy(digest->H, start, sizeof start);
  digest->bytes = 0;
}

static void Add(Digest *digest, const unsigned char data[], size_t size)
{
  while (size) {
    const size_t held = digest->bytes % 64, take = size < 64 - held ? size : 64 - held;

    if (take < 64) memcpy(digest->block + held, data, take);
    if (held + take == 64) digest->compress(digest->H, take < 64 ? digest->block : data);
    digest->bytes += take;
    data += take;
    size -= take;
  }
}

/* one bit, zeros, and the length in bits, to a multiple of 64 bytes */
static void End(Digest *digest, char hex[SHA256_HEX])
{
  const uint64_t bits    = 8 * digest->bytes;
  unsigned char  pad[72] = {0x80}, length[8];
  const size_t   zeros   = (size_t)((119 - digest->bytes % 64) % 64) + 1;

  for (int i = 0; i < 8; i++) length[i] = (unsigned char)(bits >> (56 - 8 * i));
  Add(digest, pad, zeros);
  Add(digest, length, sizeof length);
  for (size_t i = 0; i < 8; i++) snprintf(hex + 8 * i, 9, "%08x", (unsigned)digest->H[i]);
}

void Sha256(const void *data, size_t size, char hex[SHA256_HEX])
{
  Digest digest;

  Begin(&digest);
  Add(&digest, data, size);
  End(&digest, hex);
}

int Sha256File(const char path[], char hex[SHA256_HEX])
{
  static unsigned char buffer[1 << 20];
  FILE                *file = fopen(path, "rb");
  Digest               digest;
  size_t               size;
  int                  failed;

  if (!file) return errno;
  Begin(&digest);
  while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) Add(&digest, buffer, size);
  failed = ferror(file) ? EIO : 0;
  fclose(file);
  if (!failed) End(&digest, hex);
  return failed;
}
