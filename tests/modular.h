/*
  modular.h: integer nets modulo the prime 2^61 - 1, written from their definitions, with derivatives by dual numbers.

  Modulo a prime a rank can only fall: the rank of J there is a proved lower bound of the rank of J; it is less for one prime in 10^15 or so.
  An average over q entries is q^(-1) times their sum, which the prime knows too. Nothing of src/ is used.
*/
#pragma once

#include <stdint.h>
#include <stdlib.h>

enum { MOD_UNITS = 256, MOD_EDGES = 64, MOD_VERTICES = 32, MOD_LAYERS = 8 };

static const uint64_t MOD_P = (UINT64_C(1) << 61) - 1;

/* ---- the field, and dual numbers over it ---------------------------------------------------------------------------- */

static inline uint64_t ModMul(uint64_t a, uint64_t b)
{
  return (uint64_t)((unsigned __int128)a * b % MOD_P);
}

static inline uint64_t ModAdd(uint64_t a, uint64_t b)
{
  return (a + b) % MOD_P;
}

static inline uint64_t ModInverse(uint64_t a)
{
  uint64_t power = 1;

  for (uint64_t e = MOD_P - 2; e; e >>= 1, a = ModMul(a, a))
    if (e & 1) power = ModMul(power, a);
  return power;
}

static inline uint64_t ModInt(int64_t a)
{
  return a < 0 ? MOD_P - (uint64_t)-a % MOD_P : (uint64_t)a;
}

/* the integer of least size in a class */
static inline int64_t ModLift(uint64_t a)
{
  return a > MOD_P / 2 ? -(int64_t)(MOD_P - a) : (int64_t)a;
}

typedef struct {
  uint64_t v, d; /* value, derivative */
} Dual;

static inline Dual DualAdd(Dual a, Dual b)
{
  return (Dual){ModAdd(a.v, b.v), ModAdd(a.d, b.d)};
}

static inline Dual DualMul(Dual a, Dual b)
{
  return (Dual){ModMul(a.v, b.v), ModAdd(ModMul(a.v, b.d), ModMul(a.d, b.v))};
}

static inline Dual DualPower(Dual a, int q)
{
  Dual power = {1, 0};

  while (q--) power = DualMul(power, a);
  return power;
}

/* of a rows x cols matrix, which is overwritten */
static inline int ModRank(int rows, int cols, uint64_t a[])
{
  int rank = 0;

  for (int c = 0; c < cols && rank < rows; c++) {
    int      pivot = rank;
    uint64_t inverse;

    while (pivot < rows && !a[pivot * cols + c]) pivot++;
    if (pivot == rows) continue;
    for (int k = 0; k < cols; k++) {
      const uint64_t entry = a[pivot * cols + k];

      a[pivot * cols + k] = a[rank * cols + k];
      a[rank * cols + k]  = entry;
    }
    inverse = ModInverse(a[rank * cols + c]);
    for (int i = rank + 1; i < rows; i++) {
      const uint64_t factor = ModMul(MOD_P - a[i * cols + c], inverse);

      for (int k = c; factor != MOD_P && k < cols; k++)
        a[i * cols + k] = ModAdd(a[i * cols + k], ModMul(factor, a[rank * cols + k]));
    }
    rank++;
  }
  return rank;
}

/* ---- nets: the power q is sigma ------------------------------------------------------------------------------------------ */

typedef enum { MOD_MLP, MOD_CNN, MOD_GRAPH } ModKind;

typedef struct {
  ModKind kind;
  int     q, p, l;
  int     bias;                       /* mlp: bit i, map i has one; else 0 or not */
  int     layers, width[MOD_LAYERS];  /* mlp: hidden; cnn: channels of each stage */
  int     shape[3], kernel, pool;     /* cnn */
  int     edge_form, hidden, nlabels; /* graph: vertices 0 … p-1 are inputs, then hidden ones, then l outputs */
  int     nedges, edge[MOD_EDGES][3], labels[MOD_VERTICES]; /* source, target, label; label of the bias of a vertex or -1 */
} ModNet;

/* out = W a + b; theta moves on */
static inline void ModLinear(int h, int k, int bias, const Dual **theta, const Dual a[], Dual out[])
{
  const Dual *W = *theta, *b = W + h * k;

  for (int i = 0; i < h; i++) {
    out[i] = bias ? b[i] : (Dual){0, 0};
    for (int j = 0; j < k; j++) out[i] = DualAdd(out[i], DualMul(W[i * k + j], a[j]));
  }
  *theta = b + (bias ? h : 0);
}

static inline void ModMlp(const ModNet *net, const Dual theta[], const Dual x[], Dual out[])
{
  Dual a[MOD_UNITS], z[MOD_UNITS];
  int  k = net->p;

  for (int i = 0; i < k; i++) a[i] = x[i];
  for (int layer = 0; layer < net->layers; layer++) {
    ModLinear(net->width[layer], k, net->bias >> layer & 1, &theta, a, z);
    k = net->width[layer];
    for (int i = 0; i < k; i++) a[i] = DualPower(z[i], net->q);
  }
  ModLinear(net->l, k, net->bias >> net->layers & 1, &theta, a, out);
}

/* one stage: convolution with padding kernel/2, sigma, mean over pool x pool windows; a: [c, h, w], in place; theta moves on */
static inline void ModStage(const ModNet *net, int channels, int shape[3], const Dual **theta, Dual a[])
{
  const int   c = shape[0], h = shape[1], w = shape[2], s = net->kernel, pool = net->pool, pad = s / 2;
  const int   H = h + 2 * pad - s + 1, W = w + 2 * pad - s + 1, PH = H / pool, PW = W / pool;
  const Dual *weight = *theta, *b = weight + channels * c * s * s, q = {ModInverse((uint64_t)(pool * pool)), 0};
  Dual        out[MOD_UNITS];

  for (int o = 0; o < channels; o++)
    for (int i = 0; i < PH; i++)
      for (int j = 0; j < PW; j++) {
        Dual mean = {0, 0};

        for (int y = i * pool; y < (i + 1) * pool; y++)
          for (int x = j * pool; x < (j + 1) * pool; x++) {
            Dual z = net->bias ? b[o] : (Dual){0, 0};

            for (int at = 0; at < c * s * s; at++) {
              const int row = y + at / s % s - pad, col = x + at % s - pad, channel = at / (s * s);

              if (row < 0 || row >= h || col < 0 || col >= w) continue;
              z = DualAdd(z, DualMul(weight[o * c * s * s + at], a[(channel * h + row) * w + col]));
            }
            mean = DualAdd(mean, DualPower(z, net->q));
          }
        out[(o * PH + i) * PW + j] = DualMul(q, mean);
      }
  shape[0] = channels;
  shape[1] = PH;
  shape[2] = PW;
  for (int i = 0; i < channels * PH * PW; i++) a[i] = out[i];
  *theta = b + (net->bias ? channels : 0);
}

static inline void ModCnn(const ModNet *net, const Dual theta[], const Dual x[], Dual out[])
{
  int  shape[3] = {net->shape[0], net->shape[1], net->shape[2]};
  Dual a[MOD_UNITS];

  for (int i = 0; i < net->p; i++) a[i] = x[i];
  for (int stage = 0; stage < net->layers; stage++) ModStage(net, net->width[stage], shape, &theta, a);
  ModLinear(net->l, shape[0] * shape[1] * shape[2], net->bias != 0, &theta, a, out);
}

/* node form: sigma of the sum of all edges and the bias; edge form: the sum of sigma of each edge and the bias; outputs have no sigma */
static inline void ModGraph(const ModNet *net, const Dual theta[], const Dual x[], Dual out[])
{
  const int vertices = net->p + net->hidden + net->l;
  Dual      a[MOD_VERTICES];

  for (int v = 0; v < vertices; v++) {
    const int  output = v >= net->p + net->hidden;
    const Dual bias   = v >= net->p && net->labels[v] >= 0 ? theta[net->labels[v]] : (Dual){0, 0};
    Dual       sum    = {0, 0};

    for (int e = 0; e < net->nedges; e++) {
      Dual term;

      if (net->edge[e][1] != v) continue;
      term = DualMul(theta[net->edge[e][2]], a[net->edge[e][0]]);
      if (net->edge_form && !output) term = DualPower(DualAdd(term, bias), net->q);
      sum = DualAdd(sum, term);
    }
    if (!net->edge_form || output) sum = DualAdd(sum, bias);
    a[v] = v < net->p ? x[v] : output || net->edge_form ? sum : DualPower(sum, net->q);
  }
  for (int o = 0; o < net->l; o++) out[o] = a[net->p + net->hidden + o];
}

static inline int ModSize(const ModNet *net)
{
  int n = 0, k = net->p, shape[3] = {net->shape[0], net->shape[1], net->shape[2]};

  if (net->kind == MOD_GRAPH) return net->nlabels;
  for (int layer = 0; layer < net->layers; layer++) {
    const int h = net->width[layer], grown = 2 * (net->kernel / 2) - net->kernel + 1;

    n += net->kind == MOD_MLP ? h * k : h * shape[0] * net->kernel * net->kernel;
    n += net->bias >> layer & 1 ? h : 0;
    if (net->kind == MOD_CNN) shape[1] = (shape[1] + grown) / net->pool;
    if (net->kind == MOD_CNN) shape[2] = (shape[2] + grown) / net->pool;
    shape[0] = h;
    k        = net->kind == MOD_MLP ? h : h * shape[1] * shape[2];
  }
  return n + net->l * (k + (net->bias >> net->layers & 1));
}

/* the derivative of f at x along `direction` */
static inline void ModDerivative(const ModNet *net, int n, const int theta[], const int direction[], const int x[],
                                 uint64_t derivative[])
{
  static void (*const eval[])(const ModNet *, const Dual[], const Dual[], Dual[]) = {ModMlp, ModCnn, ModGraph};

  Dual *t = malloc((size_t)n * sizeof *t), a[MOD_UNITS], out[MOD_UNITS];

  for (int k = 0; k < n; k++) t[k] = (Dual){ModInt(theta[k]), ModInt(direction[k])};
  for (int i = 0; i < net->p; i++) a[i] = (Dual){ModInt(x[i]), 0};
  eval[net->kind](net, t, a, out);
  for (int o = 0; o < net->l; o++) derivative[o] = out[o].d;
  free(t);
}

/* of J at theta over d points */
static inline int ModJacobianRank(const ModNet *net, int n, const int theta[], int d, const int x[])
{
  uint64_t *J    = malloc((size_t)n * (size_t)(d * net->l) * sizeof *J), column[MOD_UNITS];
  int      *unit = calloc((size_t)n, sizeof *unit), rank;

  for (int k = 0; k < n; k++) {
    unit[k] = 1;
    for (int i = 0; i < d; i++) {
      ModDerivative(net, n, theta, unit, x + i * net->p, column);
      for (int o = 0; o < net->l; o++) J[(i * net->l + o) * n + k] = column[o];
    }
    unit[k] = 0;
  }
  rank = ModRank(d * net->l, n, J);
  free(unit);
  free(J);
  return rank;
}
