/*
  activation.c: sigma, sigma', sigma'' in one pass.

  Where E = e^(-1/z) is a factor, w = 1/z. Arguments are clamped, or the branch is taken, only where the result has underflowed to its
  limit, so that neither 1/z overflows nor 0 is multiplied by infinity. Every comparison lets NaN through to the formulas.
*/
#include "codim/activation.h"

#include <math.h>

static const PetscReal FLAT            = 1. / 700; /* e^(-1/z) z^-4 < 1e-292 on (0, FLAT] */
static const PetscReal INV_SQRT_2      = 0.70710678118654752440;
static const PetscReal INV_SQRT_2PI    = 0.39894228040143267794;
static const PetscReal TWO_INV_SQRT_PI = 1.1283791670955125739;

static inline PetscReal Clamp(PetscReal z, PetscReal bound)
{
  return z < -bound ? -bound : z > bound ? bound : z;
}

static void Identity(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    s[i] = z[i];
    if (ds) ds[i] = 1;
    if (dds) dds[i] = 0;
  }
}

static void Square(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i];

    s[i] = x * x;
    if (ds) ds[i] = 2 * x;
    if (dds) dds[i] = 2;
  }
}

static void Cubic(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i];

    s[i] = x * x * x;
    if (ds) ds[i] = 3 * x * x;
    if (dds) dds[i] = 6 * x;
  }
}

static void Sin(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i], y = sin(x);

    s[i] = y;
    if (ds) ds[i] = cos(x);
    if (dds) dds[i] = -y;
  }
}

/* tanh by glibc's vector library (libmvec: within 4 ulp) where gcc can call it, several times faster than one by one. A value depends on its place
   in the vector by an ulp or so, not on the ranks: a layer's values at a point are always computed together. */
#if defined(__GLIBC__) && defined(__x86_64__) && !defined(__clang__) && __GNUC__ >= 12 && !defined(__SANITIZE_ADDRESS__)
  #if __GLIBC_PREREQ(2, 35)
extern double tanh(double) __attribute__((simd("notinbranch")));
    #define VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
    #define SIMD       _Pragma("omp simd")
  #endif
#endif
#ifndef VECTORIZED
  #define VECTORIZED
  #define SIMD
#endif

VECTORIZED static void TanhValues(PetscInt len, const PetscReal z[], PetscReal s[])
{
  SIMD for (PetscInt i = 0; i < len; i++) s[i] = tanh(z[i]);
}

static void Tanh(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  TanhValues(len, z, s);
  for (PetscInt i = 0; (ds || dds) && i < len; i++) {
    const PetscReal t = s[i], dt = (1 - t) * (1 + t);

    if (ds) ds[i] = dt;
    if (dds) dds[i] = -2 * t * dt;
  }
}

static void TanhSlope(PetscInt len, const PetscReal s[], PetscReal ds[])
{
  for (PetscInt i = 0; i < len; i++) ds[i] = (1 - s[i]) * (1 + s[i]);
}

static void Erf(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i], c = Clamp(x, 30);

    s[i] = erf(x);
    if (ds || dds) {
      const PetscReal g = TWO_INV_SQRT_PI * exp(-c * c);

      if (ds) ds[i] = g;
      if (dds) dds[i] = -2 * c * g;
    }
  }
}

/* sigma = z Phi(z), Phi = erfc(-z/sqrt 2)/2: erfc keeps the sign of the negative tail */
static void Gelu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i], c = Clamp(x, 40), Phi = .5 * erfc(-INV_SQRT_2 * c);

    s[i] = (x < c ? c : x) * Phi;
    if (ds || dds) {
      const PetscReal phi = INV_SQRT_2PI * exp(-.5 * c * c);

      if (ds) ds[i] = Phi + c * phi;
      if (dds) dds[i] = phi * (2 - c * c);
    }
  }
}

/* p = 1/(1 + e^-z), p', p'' from e = e^-|z|: full relative accuracy of p and p' in both tails */
typedef struct {
  PetscReal e, p, dp, ddp;
} Logistic;

static inline Logistic LogisticJet(PetscReal z)
{
  Logistic        l = {.e = exp(-fabs(z))};
  const PetscReal g = 1 / (1 + l.e), t = (1 - l.e) * g; /* t = tanh |z/2| */

  l.p   = (z < 0 ? l.e : 1) * g;
  l.dp  = l.e * g * g;
  l.ddp = -copysign(l.dp * t, z);
  return l;
}

static void Sigmoid(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const Logistic l = LogisticJet(z[i]);

    s[i] = l.p;
    if (ds) ds[i] = l.dp;
    if (dds) dds[i] = l.ddp;
  }
}

static void Softplus(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i];
    const Logistic  l = LogisticJet(x);

    s[i] = (x > 0 ? x : 0) + log1p(l.e);
    if (ds) ds[i] = l.p;
    if (dds) dds[i] = l.dp;
  }
}

static void Silu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i], c = Clamp(x, 800);
    const Logistic  l = LogisticJet(c);

    s[i] = (x < c ? c : x) * l.p;
    if (ds) ds[i] = l.p + c * l.dp;
    if (dds) dds[i] = 2 * l.dp + c * l.ddp;
  }
}

static void Smoolu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i] <= FLAT ? FLAT : z[i], w = 1 / x, e = exp(-w), E = x <= FLAT ? 0 : e;

    s[i] = x * E;
    if (ds) ds[i] = (1 + w) * E;
    if (dds) dds[i] = w * w * w * E;
  }
}

/* sigma = g E where z > 0, else 0, for g = tanh(kz): g' = k(1 - g^2), g'' = -2kgg', E' = w^2 E, E'' = (w^4 - 2w^3) E.
   The terms of sigma'' are grouped by gw, which is bounded. */
static inline void GatedTanh(PetscReal k, PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i] <= FLAT ? FLAT : z[i], w = 1 / x, e = exp(-w), E = x <= FLAT ? 0 : e;
    const PetscReal g = tanh(k * x), dg = k * (1 - g) * (1 + g), gw = g * w;

    s[i] = g * E;
    if (ds) ds[i] = (dg + gw * w) * E;
    if (dds) dds[i] = (w * w * (gw * w + 2 * (dg - gw)) - 2 * k * g * dg) * E;
  }
}

static void Rtanh(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  GatedTanh(1, len, z, s, ds, dds);
}

static void Rsigmoid(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  GatedTanh(.5, len, z, s, ds, dds);
}

static void Relu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i], y = x <= 0 ? 0 : x;

    s[i] = y;
    if (ds) ds[i] = x > 0 ? 1 : y;
    if (dds) dds[i] = 0;
  }
}

/* PyTorch's slope; the exact function has the double nearest 0.01 */
static void LeakyRelu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i];

    s[i] = x <= 0 ? .01 * x : x;
    if (ds) ds[i] = x <= 0 ? .01 : x > 0 ? 1 : x;
    if (dds) dds[i] = 0;
  }
}

/* An unevaluated sum hi + lo, |lo| <= u|hi|; a sum, product or quotient of two has relative error O(u^2). */
typedef struct {
  PetscReal hi, lo;
} Pair;

static inline Pair PairSum(Pair a, Pair b)
{
  const PetscReal s = a.hi + b.hi, v = s - a.hi, e = (a.hi - (s - v)) + (b.hi - v) + (a.lo + b.lo), hi = s + e;

  return (Pair){hi, e - (hi - s)};
}

static inline Pair PairTimes(Pair a, Pair b)
{
  const PetscReal p = a.hi * b.hi, e = fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi), hi = p + e;

  return (Pair){hi, e - (hi - p)};
}

static inline Pair PairOver(Pair a, Pair b)
{
  const PetscReal q = a.hi / b.hi, e = (fma(-q, b.hi, a.hi) + (a.lo - q * b.lo)) / b.hi, hi = q + e;

  return (Pair){hi, e - (hi - q)};
}

static inline Pair PairScale(PetscReal a, Pair b) /* a a power of 2, up to sign */
{
  return (Pair){a * b.hi, a * b.lo};
}

/* 0 < z < 1: with y = 1 - z, n = z^2 + y^2, q = (z - y)/(zy), beta = f(z)/(f(z) + f(y)) = 1/(1 + e^-q), gamma = 1 - beta,
     sigma   = z beta
     sigma'  = beta (1 + gamma n/(z y^2))
     sigma'' = beta gamma (2 z^3 y - (beta - gamma) n^2)/(z^3 y^4)
   sigma'' reaches 6.5 where 8u(1 + |z|) = 14.4u is the bound: hence Pairs, and only the exponential errs, by an ulp. */
static void SreluBlend(PetscReal x, PetscReal *s, PetscReal *ds, PetscReal *dds)
{
  const Pair      z = {x, 0}, one = {1, 0}, y = PairSum(one, PairScale(-1, z)), zy = PairTimes(z, y);
  const Pair      q = PairOver(PairSum(z, PairScale(-1, y)), zy);
  const PetscReal e = exp(-q.hi);
  const Pair      E = {e, -e * q.lo}, d = PairSum(one, E);
  const Pair beta = PairOver(one, d), gamma = PairOver(E, d), n = PairSum(PairTimes(z, z), PairTimes(y, y)), zyy = PairTimes(zy, y);

  *s = x * beta.hi;
  if (ds) *ds = PairTimes(beta, PairSum(one, PairTimes(gamma, PairOver(n, zyy)))).hi;
  if (dds) {
    const Pair twice = PairScale(2, PairTimes(PairTimes(z, z), zy)),
               bend  = PairTimes(PairSum(gamma, PairScale(-1, beta)), PairTimes(n, n));

    *dds = PairTimes(PairTimes(beta, gamma), PairOver(PairSum(twice, bend), PairTimes(PairTimes(zy, zy), zyy))).hi;
  }
}

static void Srelu(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[])
{
  for (PetscInt i = 0; i < len; i++) {
    const PetscReal x = z[i];

    if (x <= FLAT || x >= 1 - FLAT) {
      s[i] = x <= FLAT ? 0 : x;
      if (ds) ds[i] = x <= FLAT ? 0 : 1;
      if (dds) dds[i] = 0;
    } else {
      SreluBlend(x, &s[i], ds ? &ds[i] : NULL, dds ? &dds[i] : NULL);
    }
  }
}

#define YES PETSC_TRUE
#define NO  PETSC_FALSE

/* clang-format off */
const Activation *const Activations[] = {
  /*                   name        jet       sup |sigma'|        sup |sigma''|       smooth odd rectified degree; where the suprema are attained */
  &(const Activation){"smoolu",   Smoolu,   1,                  1.344250845932327,  YES, NO,  YES,      -1, NULL}, /* oo; 1/3: 27/e^3 */
  &(const Activation){"softplus", Softplus, 1,                  .25,                YES, NO,  NO,       -1, NULL}, /* oo; 0 */
  &(const Activation){"tanh",     Tanh,     1,                  .7698003589195011,  YES, YES, NO,       -1, TanhSlope}, /* 0; tanh^2 z = 1/3: 4/(3 sqrt 3) */
  &(const Activation){"sigmoid",  Sigmoid,  .25,                .0962250448649377,  YES, NO,  NO,       -1, NULL}, /* 0; tanh^2(z/2) = 1/3: 1/(6 sqrt 3) */
  &(const Activation){"gelu",     Gelu,     1.128904145185155,  .7978845608028655,  YES, NO,  NO,       -1, NULL}, /* sqrt 2; 0: sqrt(2/pi) */
  &(const Activation){"silu",     Silu,     1.099839320128867,  .5,                 YES, NO,  NO,       -1, NULL}, /* 2.39936; 0 */
  &(const Activation){"erf",      Erf,      1.128379167095513,  .9678828980765735,  YES, YES, NO,       -1, NULL}, /* 0: 2/sqrt(pi); z^2 = 1/2: 2 sqrt(2/(pi e)) */
  &(const Activation){"sin",      Sin,      1,                  1,                  YES, YES, NO,       -1, NULL},
  &(const Activation){"identity", Identity, 1,                  0,                  YES, YES, NO,       1, NULL},
  &(const Activation){"square",   Square,   INFINITY,           2,                  YES, NO,  NO,       2, NULL},
  &(const Activation){"cubic",    Cubic,    INFINITY,           INFINITY,           YES, YES, NO,       3, NULL},
  &(const Activation){"rtanh",    Rtanh,    .4574639402653663,  1.221511759718469,  YES, NO,  YES,      -1, NULL}, /* 0.805883; 0.308405 */
  &(const Activation){"rsigmoid", Rsigmoid, .3177351474204862,  .6544861739980769,  YES, NO,  YES,      -1, NULL}, /* 1.123026; 0.325346 */
  &(const Activation){"srelu",    Srelu,    1.936210541454620,  6.488831392996629,  YES, NO,  YES,      -1, NULL}, /* 0.667899; 0.803991 */
  &(const Activation){"relu",     Relu,     1,                  INFINITY,           NO,  NO,  YES,      -1, NULL}, /* sigma' jumps at 0 */
  &(const Activation){"leaky_relu", LeakyRelu, 1,               INFINITY,           NO,  NO,  NO,       -1, NULL}, /* sigma' jumps at 0 */
  NULL};
/* clang-format on */

const Activation *ActivationFind(const char name[])
{
  for (const Activation *const *a = Activations; *a; a++) {
    if (!strcmp((*a)->name, name)) return *a;
  }
  return NULL;
}

const char *ActivationNames(void)
{
  static char names[256];
  size_t      used = 0;

  for (const Activation *const *a = Activations; *a && used < sizeof names; a++)
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*a)->name);
  return names;
}
