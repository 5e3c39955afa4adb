/*
  exact.h: f_theta, H and J of any list of ops in ball arithmetic (Arb), from the definitions alone.

  Every number is a power series in t along theta + t v: coefficient 1 of J is its derivative along v. An op is written out in sums, products and
  functions of single numbers, from the attributes in its file; a tape of these gives J. sigma is defined by its power series, sigma' is
  the derivative of that: no formula of the program is used.
*/
#pragma once

#include "problem.h"
#include <arb.h>
#include <arb_hypgeom.h>
#include <arb_mat.h>
#include <arb_poly.h>
#include <string.h>

enum { EXACT_BITS = 300 };

/* ---- sigma(x) mod eps^len ----------------------------------------------------------------------------------------- */

/* e^(-1/x) */
static inline void Flat(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_inv_series(f, x, len, EXACT_BITS);
  arb_poly_neg(f, f);
  arb_poly_exp_series(f, f, len, EXACT_BITS);
}

/* 1/(1 + e^-x) */
static inline void Logistic(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_neg(f, x);
  arb_poly_exp_series(f, f, len, EXACT_BITS);
  arb_poly_add_si(f, f, 1, EXACT_BITS);
  arb_poly_inv_series(f, f, len, EXACT_BITS);
}

/* 1 - 2/(1 + e^2x) */
static inline void Tangens(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_scalar_mul_2exp_si(f, x, 1);
  Logistic(f, f, len);
  arb_poly_scalar_mul_2exp_si(f, f, 1);
  arb_poly_add_si(f, f, -1, EXACT_BITS);
}

/* x Phi(x), Phi = erfc(-x/sqrt 2)/2 */
static inline void GaussianTimes(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_t root;

  arb_init(root);
  arb_sqrt_ui(root, 2, EXACT_BITS);
  arb_neg(root, root);
  arb_poly_scalar_div(f, x, root, EXACT_BITS);
  arb_hypgeom_erfc_series(f, f, len, EXACT_BITS);
  arb_poly_scalar_mul_2exp_si(f, f, -1);
  arb_poly_mullow(f, f, x, len, EXACT_BITS);
  arb_clear(root);
}

static inline void Sigma(const char name[], arb_poly_t f, const arb_poly_t x, slong len)
{
  const PetscBool positive = (PetscBool)arb_is_positive(arb_poly_get_coeff_ptr(x, 0));
  arb_poly_t      g;

  arb_poly_init(g);
  arb_poly_zero(f);
  if (!strcmp(name, "identity")) {
    arb_poly_set_trunc(f, x, len);
  } else if (!strcmp(name, "square") || !strcmp(name, "cubic")) {
    arb_poly_pow_ui_trunc_binexp(f, x, name[0] == 's' ? 2 : 3, len, EXACT_BITS);
  } else if (!strcmp(name, "sin")) {
    arb_poly_sin_series(f, x, len, EXACT_BITS);
  } else if (!strcmp(name, "tanh")) {
    Tangens(f, x, len);
  } else if (!strcmp(name, "sigmoid")) {
    Logistic(f, x, len);
  } else if (!strcmp(name, "silu")) {
    Logistic(f, x, len);
    arb_poly_mullow(f, f, x, len, EXACT_BITS);
  } else if (!strcmp(name, "softplus")) {
    arb_poly_exp_series(f, x, len, EXACT_BITS);
    arb_poly_add_si(f, f, 1, EXACT_BITS);
    arb_poly_log_series(f, f, len, EXACT_BITS);
  } else if (!strcmp(name, "erf")) {
    arb_hypgeom_erf_series(f, x, len, EXACT_BITS);
  } else if (!strcmp(name, "gelu")) {
    GaussianTimes(f, x, len);
  } else if (!strcmp(name, "relu")) {
    if (positive) arb_poly_set_trunc(f, x, len);
  } else if (!strcmp(name, "leaky_relu")) {
    arb_t slope;

    arb_init(slope);
    arb_set_d(slope, positive ? 1 : .01);
    arb_poly_set_trunc(f, x, len);
    arb_poly_scalar_mul(f, f, slope, EXACT_BITS);
    arb_clear(slope);
  } else if (positive) { /* smoolu, rtanh, rsigmoid: 0 for x <= 0 */
    Flat(g, x, len);
    if (!strcmp(name, "smoolu"))
      arb_poly_set(f, x);
    else if (!strcmp(name, "rtanh"))
      Tangens(f, x, len);
    else {
      arb_poly_scalar_mul_2exp_si(f, x, -1);
      Tangens(f, f, len);
    }
    arb_poly_mullow(f, f, g, len, EXACT_BITS);
  }
  arb_poly_clear(g);
}

/* ---- a tape of numbers ----------------------------------------------------------------------------------------------- */

enum { PARENTS = 3, ONE = -1 };

/* a number and its derivatives by its parents: series `by[k]` of the tape, or 1 */
typedef struct {
  slong parent[PARENTS], by[PARENTS]; /* -1: none */
} Step;

typedef struct {
  slong            len, count, room;
  Step            *step;
  arb_poly_struct *value; /* of each step; series that only serve as derivatives are steps without parents */
} Tape;

static inline void TapeCreate(slong len, Tape *tape)
{
  *tape = (Tape){.len = len};
}

static inline void TapeDestroy(Tape *tape)
{
  for (slong i = 0; i < tape->room; i++) arb_poly_clear(tape->value + i);
  free(tape->value);
  free(tape->step);
}

/* a new number, 0 */
static inline slong TapeAdd(Tape *tape)
{
  if (tape->count == tape->room) {
    const slong room = 2 * tape->room + 1024;

    tape->value = realloc(tape->value, (size_t)room * sizeof *tape->value);
    tape->step  = realloc(tape->step, (size_t)room * sizeof *tape->step);
    for (; tape->room < room; tape->room++) arb_poly_init(tape->value + tape->room);
  }
  arb_poly_zero(tape->value + tape->count);
  tape->step[tape->count] = (Step){{-1, -1, -1}, {ONE, ONE, ONE}};
  return tape->count++;
}

static inline slong Constant(Tape *tape, double x)
{
  const slong at = TapeAdd(tape);
  arb_t       value;

  arb_init(value);
  arb_set_d(value, x);
  arb_poly_set_coeff_arb(tape->value + at, 0, value);
  arb_clear(value);
  return at;
}

/* a b + c; c = -1: none */
static inline slong TimesPlus(Tape *tape, slong a, slong b, slong c)
{
  const slong at = TapeAdd(tape);

  tape->step[at] = (Step){{a, b, c}, {b, a, ONE}};
  arb_poly_mullow(tape->value + at, tape->value + a, tape->value + b, tape->len, EXACT_BITS);
  if (c >= 0) arb_poly_add(tape->value + at, tape->value + at, tape->value + c, EXACT_BITS);
  return at;
}

static inline slong Plus(Tape *tape, slong a, slong b)
{
  const slong at = TapeAdd(tape);

  tape->step[at].parent[0] = a;
  tape->step[at].parent[1] = b;
  arb_poly_add(tape->value + at, tape->value + a, tape->value + b, EXACT_BITS);
  return at;
}

/* f(a), from its power series at a's first coefficient: f, then f' */
typedef void SeriesFn(const char name[], arb_poly_t f, const arb_poly_t x, slong len);

static inline slong Function(Tape *tape, SeriesFn *series, const char name[], slong a)
{
  const slong at = TapeAdd(tape), by = TapeAdd(tape);
  arb_poly_t  f, x, step;

  arb_poly_init(f);
  arb_poly_init(x);
  arb_poly_init(step);
  arb_poly_set_coeff_si(x, 1, 1);
  if (arb_poly_length(tape->value + a)) arb_poly_set_coeff_arb(x, 0, arb_poly_get_coeff_ptr(tape->value + a, 0));
  series(name, f, x, tape->len + 1);
  arb_poly_set(step, tape->value + a);
  arb_poly_set_coeff_si(step, 0, 0);
  arb_poly_compose_series(tape->value + at, f, step, tape->len, EXACT_BITS);
  arb_poly_derivative(f, f, EXACT_BITS);
  arb_poly_compose_series(tape->value + by, f, step, tape->len, EXACT_BITS);
  tape->step[at].parent[0] = a;
  tape->step[at].by[0]     = by;
  arb_poly_clear(f);
  arb_poly_clear(x);
  arb_poly_clear(step);
  return at;
}

/* exp, 1/x, 1/sqrt x */
static inline void Elementary(const char name[], arb_poly_t f, const arb_poly_t x, slong len)
{
  if (!strcmp(name, "exp"))
    arb_poly_exp_series(f, x, len, EXACT_BITS);
  else if (!strcmp(name, "inverse"))
    arb_poly_inv_series(f, x, len, EXACT_BITS);
  else
    arb_poly_rsqrt_series(f, x, len, EXACT_BITS);
}

/* bar[i]: derivative of number `output` by number i */
static inline void TapeBackward(const Tape *tape, slong output, arb_poly_struct *bar)
{
  arb_poly_t term;

  arb_poly_init(term);
  for (slong i = 0; i < tape->count; i++) arb_poly_zero(bar + i);
  arb_poly_one(bar + output);
  for (slong i = output; i >= 0; i--) {
    const Step *step = &tape->step[i];

    if (arb_poly_is_zero(bar + i)) continue;
    for (int k = 0; k < PARENTS; k++) {
      if (step->parent[k] < 0) continue;
      if (step->by[k] == ONE)
        arb_poly_set(term, bar + i);
      else
        arb_poly_mullow(term, bar + i, tape->value + step->by[k], tape->len, EXACT_BITS);
      arb_poly_add(bar + step->parent[k], bar + step->parent[k], term, EXACT_BITS);
    }
  }
  arb_poly_clear(term);
}

/* ---- the ops ---------------------------------------------------------------------------------------------------------- */

/* one op at one point: numbers of the tape */
typedef struct {
  Tape         *tape;
  const json_t *attributes;
  const slong  *in[OP_INPUTS_MAX];
  PetscInt      in_dim[OP_INPUTS_MAX], dim;
  const slong  *weight, *bias; /* parameters, -1 where there are none */
  PetscInt      cols;          /* of weight */
  slong        *out;
} ExactOp;

static inline PetscInt IntOf(const ExactOp *op, const char name[], PetscInt value)
{
  const json_t *json = json_object_get(op->attributes, name);

  return json ? (PetscInt)json_integer_value(json) : value;
}

static inline double RealOf(const ExactOp *op, const char name[], double value)
{
  const json_t *json = json_object_get(op->attributes, name);

  return json ? json_number_value(json) : value;
}

/* item i of a list */
static inline double ItemOf(const ExactOp *op, const char name[], PetscInt i)
{
  return json_number_value(json_array_get(json_object_get(op->attributes, name), (size_t)i));
}

static inline PetscInt LengthOf(const ExactOp *op, const char name[])
{
  return (PetscInt)json_array_size(json_object_get(op->attributes, name));
}

static inline void ExactLinear(ExactOp *op)
{
  const PetscInt k = op->cols, T = op->in_dim[0] / k, h = op->dim / T;

  for (PetscInt t = 0; t < T; t++)
    for (PetscInt j = 0; j < h; j++) {
      slong z = op->bias ? op->bias[j] : -1;

      for (PetscInt c = 0; c < k; c++) z = TimesPlus(op->tape, op->weight[j * k + c], op->in[0][t * k + c], z);
      op->out[t * h + j] = z;
    }
}

static inline void ExactMatmul(ExactOp *op)
{
  const PetscInt rows = IntOf(op, "rows", 0), inner = IntOf(op, "inner", 0), cols = IntOf(op, "cols", 0);
  const slong    scale = Constant(op->tape, RealOf(op, "scale", 1));

  for (PetscInt i = 0; i < op->dim; i++) {
    const PetscInt b = i / cols / rows, r = i / cols % rows, c = i % cols;
    slong          sum = -1;

    for (PetscInt k = 0; k < inner; k++) {
      const PetscInt right = json_is_true(json_object_get(op->attributes, "transpose")) ? c * inner + k : k * cols + c;

      sum = TimesPlus(op->tape, op->in[0][(b * rows + r) * inner + k], op->in[1][b * inner * cols + right], sum);
    }
    op->out[i] = TimesPlus(op->tape, scale, sum, -1);
  }
}

static inline void ExactSoftmax(ExactOp *op)
{
  const PetscInt w = IntOf(op, "width", 0);

  for (PetscInt block = 0; block < op->dim; block += w) {
    slong sum = -1;

    for (PetscInt i = 0; i < w; i++) {
      op->out[block + i] = Function(op->tape, Elementary, "exp", op->in[0][block + i]);
      sum                = sum < 0 ? op->out[block + i] : Plus(op->tape, sum, op->out[block + i]);
    }
    sum = Function(op->tape, Elementary, "inverse", sum);
    for (PetscInt i = 0; i < w; i++) op->out[block + i] = TimesPlus(op->tape, op->out[block + i], sum, -1);
  }
}

static inline void ExactLayernorm(ExactOp *op)
{
  const PetscInt w  = IntOf(op, "width", 0);
  const slong    in = Function(op->tape, Elementary, "inverse", Constant(op->tape, (double)w)), minus = Constant(op->tape, -1),
              eps = Constant(op->tape, RealOf(op, "eps", 1e-5));

  for (PetscInt block = 0; block < op->dim; block += w) {
    slong mean = -1, s = eps;

    for (PetscInt i = 0; i < w; i++) mean = TimesPlus(op->tape, op->in[0][block + i], in, mean);
    mean = TimesPlus(op->tape, mean, minus, -1);
    for (PetscInt i = 0; i < w; i++) {
      op->out[block + i] = Plus(op->tape, op->in[0][block + i], mean);
      s                  = TimesPlus(op->tape, TimesPlus(op->tape, op->out[block + i], in, -1), op->out[block + i], s);
    }
    s = Function(op->tape, Elementary, "rsqrt", s);
    for (PetscInt i = 0; i < w; i++) op->out[block + i] = TimesPlus(op->tape, op->out[block + i], s, -1);
  }
}

/* the entry of the value that entry i of a shape goes into, where some axes are done away with */
static inline PetscInt Reduced(const ExactOp *op, PetscInt i)
{
  const PetscInt n  = LengthOf(op, "shape");
  PetscInt       at = 0, size = 1;

  for (PetscInt axis = n - 1; axis >= 0; axis--) {
    const PetscInt length = (PetscInt)ItemOf(op, "shape", axis);
    PetscBool      gone   = PETSC_FALSE;

    for (PetscInt k = 0; k < LengthOf(op, "axes"); k++) gone = (PetscBool)(gone || (PetscInt)ItemOf(op, "axes", k) == axis);
    if (!gone) at += i % length * size;
    if (!gone) size *= length;
    i /= length;
  }
  return at;
}

static inline PetscBool Above(const Tape *tape, slong a, slong b)
{
  arb_t    x, y;
  PetscInt above;

  arb_init(x);
  arb_init(y);
  arb_poly_get_coeff_arb(x, tape->value + a, 0);
  arb_poly_get_coeff_arb(y, tape->value + b, 0);
  above = arf_cmp(arb_midref(x), arb_midref(y));
  arb_clear(x);
  arb_clear(y);
  return (PetscBool)(above > 0);
}

static inline void ExactReduce(ExactOp *op, PetscBool max)
{
  const slong share = Function(op->tape, Elementary, "inverse", Constant(op->tape, (double)op->in_dim[0] / (double)op->dim));

  for (PetscInt j = 0; j < op->dim; j++) op->out[j] = -1;
  for (PetscInt i = 0; i < op->in_dim[0]; i++) {
    slong *out = &op->out[Reduced(op, i)];

    if (!max)
      *out = TimesPlus(op->tape, op->in[0][i], share, *out);
    else if (*out < 0 || Above(op->tape, op->in[0][i], *out))
      *out = op->in[0][i];
  }
}

static inline void ExactUnfold(ExactOp *op)
{
  const PetscInt kernel = IntOf(op, "kernel", 0), stride = IntOf(op, "stride", 1), padding = IntOf(op, "padding", 0);
  const PetscInt channels = (PetscInt)ItemOf(op, "shape", 0), h = (PetscInt)ItemOf(op, "shape", 1),
                 w      = (PetscInt)ItemOf(op, "shape", 2);
  const PetscInt across = (w + 2 * padding - kernel) / stride + 1;
  const slong    zero   = Constant(op->tape, 0);
  PetscInt       i      = 0;

  for (PetscInt place = 0; i < op->dim; place++)
    for (PetscInt c = 0; c < channels; c++)
      for (PetscInt ky = 0; ky < kernel; ky++)
        for (PetscInt kx = 0; kx < kernel; kx++) {
          const PetscInt y = place / across * stride + ky - padding, x = place % across * stride + kx - padding;

          op->out[i++] = y < 0 || y >= h || x < 0 || x >= w ? zero : op->in[0][(c * h + y) * w + x];
        }
}

/* slice (last > 0) and permute: position of the value's entry i in the input */
static inline PetscInt Source(const ExactOp *op, PetscBool permutes, PetscInt i)
{
  const PetscInt n  = permutes || json_object_get(op->attributes, "shape") ? LengthOf(op, "shape") : 1;
  PetscInt       at = 0, strides[8], lengths[8], size = 1;

  for (PetscInt axis = n - 1; axis >= 0; axis--) {
    strides[axis] = size;
    lengths[axis] = json_object_get(op->attributes, "shape") ? (PetscInt)ItemOf(op, "shape", axis) : op->in_dim[0];
    size *= lengths[axis];
  }
  for (PetscInt axis = n - 1; axis >= 0; axis--) {
    const PetscInt  from  = permutes ? (PetscInt)ItemOf(op, "axes", axis) : axis;
    const PetscBool cut   = (PetscBool)(!permutes && axis == IntOf(op, "axis", 0));
    const PetscInt  first = cut ? IntOf(op, "first", 0) : 0, length = cut ? IntOf(op, "last", 0) - first : lengths[from];

    at += (i % length + first) * strides[from];
    i /= length;
  }
  return at;
}

static inline void ExactConcatenate(ExactOp *op, PetscInt ninputs)
{
  const PetscInt outer = IntOf(op, "outer", 1);
  PetscInt       i     = 0;

  for (PetscInt block = 0; block < outer; block++)
    for (PetscInt j = 0; j < ninputs; j++)
      for (PetscInt k = 0; k < op->in_dim[j] / outer; k++) op->out[i++] = op->in[j][block * (op->in_dim[j] / outer) + k];
}

static inline void ExactEmbedding(ExactOp *op)
{
  const PetscInt w = IntOf(op, "width", 0);

  for (PetscInt i = 0; i < op->dim; i++) {
    arb_t row;

    arb_init(row);
    arb_poly_get_coeff_arb(row, op->tape->value + op->in[0][i / w], 0);
    op->out[i] = op->in[1][(PetscInt)lround(arf_get_d(arb_midref(row), ARF_RND_NEAR)) * w + i % w];
    arb_clear(row);
  }
}

/* one input or two, entry by entry */
static inline slong ExactEntry(ExactOp *op, const char kind[], PetscInt i)
{
  const slong a = op->in[0][i], b = op->in_dim[1] ? op->in[1][i % op->in_dim[1]] : -1;

  if (!strcmp(kind, "activation"))
    return Function(op->tape, Sigma, json_string_value(json_object_get(op->attributes, "function")), a);
  if (!strcmp(kind, "affine")) {
    const PetscInt c = i / IntOf(op, "repeat", 1) % LengthOf(op, "scale");

    return TimesPlus(op->tape, a, Constant(op->tape, ItemOf(op, "scale", c)), Constant(op->tape, ItemOf(op, "shift", c)));
  }
  return !strcmp(kind, "add") ? Plus(op->tape, a, b) : TimesPlus(op->tape, a, b, -1);
}

static inline void ExactApply(ExactOp *op, const char kind[], PetscInt ninputs)
{
  const PetscBool permutes = (PetscBool)!strcmp(kind, "permute"), slices = (PetscBool)!strcmp(kind, "slice");

  if (!strcmp(kind, "linear"))
    ExactLinear(op);
  else if (!strcmp(kind, "matmul"))
    ExactMatmul(op);
  else if (!strcmp(kind, "softmax"))
    ExactSoftmax(op);
  else if (!strcmp(kind, "layernorm"))
    ExactLayernorm(op);
  else if (!strcmp(kind, "mean") || !strcmp(kind, "max"))
    ExactReduce(op, (PetscBool)!strcmp(kind, "max"));
  else if (!strcmp(kind, "unfold"))
    ExactUnfold(op);
  else if (!strcmp(kind, "concatenate"))
    ExactConcatenate(op, ninputs);
  else if (!strcmp(kind, "embedding"))
    ExactEmbedding(op);
  else
    for (PetscInt i = 0; i < op->dim; i++) {
      if (!strcmp(kind, "parameter"))
        op->out[i] = op->bias[i];
      else if (!strcmp(kind, "select"))
        op->out[i] = op->in[0][(PetscInt)ItemOf(op, "indices", i)];
      else
        op->out[i] = permutes || slices ? op->in[0][Source(op, permutes, i)] : ExactEntry(op, kind, i);
    }
}

/* ---- the net ---------------------------------------------------------------------------------------------------------- */

static inline arb_poly_struct *PolyVec(slong n)
{
  arb_poly_struct *v = malloc((size_t)n * sizeof *v);

  for (slong i = 0; i < n; i++) arb_poly_init(v + i);
  return v;
}

static inline void PolyVecFree(arb_poly_struct *v, slong n)
{
  for (slong i = 0; i < n; i++) arb_poly_clear(v + i);
  free(v);
}

/* numbers 0 … n - 1 of the tape are theta, in the canonical order; value[v]: each value's numbers at point i */
static inline void ExactForward(const Problem *problem, Tape *tape, PetscInt i, slong **value)
{
  const Network net   = problem->network;
  PetscInt     *start = calloc((size_t)net->nlabels + 1, sizeof *start);
  slong        *theta = malloc((size_t)problem->map->n * sizeof *theta);

  tape->count = problem->map->n;
  for (PetscInt k = 0; k < problem->map->n; k++) theta[k] = k;
  for (PetscInt k = 0; k < net->nlabels; k++) start[k + 1] = start[k] + net->labels[k].rows * net->labels[k].cols;
  for (PetscInt j = 0; j < net->inputs; j++) value[0][j] = Constant(tape, problem->data->x[i * net->inputs + j]);
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *net_op = &net->ops[v];
    ExactOp      op     = {.tape = tape, .dim = net_op->dim, .out = value[v]};

    op.attributes = json_object_get(json_array_get(json_object_get(net->file, "ops"), (size_t)v - 1), "attributes");
    op.weight     = net_op->weight < 0 ? NULL : theta + start[net_op->weight];
    op.bias       = net_op->bias < 0 ? NULL : theta + start[net_op->bias];
    op.cols       = net_op->weight < 0 ? 0 : net->labels[net_op->weight].cols;
    for (PetscInt j = 0; j < net_op->ninputs; j++) {
      op.in[j]     = value[net_op->inputs[j]];
      op.in_dim[j] = net->ops[net_op->inputs[j]].dim;
    }
    ExactApply(&op, net_op->kind->name, net_op->ninputs);
  }
  free(start);
  free(theta);
}

/* At theta + t v (v NULL: 0): H (m x 1) and J, m x n; coefficient `order` of J's series. */
static inline void ExactEvaluate(const Problem *problem, const arb_struct *theta, const PetscReal v[], slong order, arb_mat_t H,
                                 arb_mat_t J)
{
  const ResidualMap map   = problem->map;
  const Network     net   = problem->network;
  slong           **value = malloc((size_t)net->nops * sizeof *value);
  arb_poly_struct  *bar   = NULL;
  slong             bars  = 0;
  arb_t             x;
  Tape              tape;

  arb_init(x);
  TapeCreate(order + 1, &tape);
  for (PetscInt k = 0; k < net->nops; k++) value[k] = malloc((size_t)net->ops[k].dim * sizeof **value);
  for (PetscInt k = 0; k < map->n; k++) {
    TapeAdd(&tape);
    arb_poly_set_coeff_arb(tape.value + k, 0, theta + k);
    if (v) arb_set_d(x, v[k]);
    if (v && order) arb_poly_set_coeff_arb(tape.value + k, 1, x);
  }
  for (PetscInt i = 0; i < map->d; i++) {
    ExactForward(problem, &tape, i, value);
    if (bars < tape.count) {
      if (bar) PolyVecFree(bar, bars);
      bars = tape.room;
      bar  = PolyVec(bars);
    }
    for (PetscInt o = 0; o < map->l; o++) {
      const slong output = value[net->nops - 1][o], row = i * map->l + o;

      arb_poly_get_coeff_arb(arb_mat_entry(H, row, 0), tape.value + output, 0);
      arb_set_d(x, problem->data->y[row]);
      arb_sub(arb_mat_entry(H, row, 0), arb_mat_entry(H, row, 0), x, EXACT_BITS);
      TapeBackward(&tape, output, bar);
      for (PetscInt k = 0; k < map->n; k++) arb_poly_get_coeff_arb(arb_mat_entry(J, row, k), bar + k, order);
    }
  }
  for (PetscInt k = 0; k < net->nops; k++) free(value[k]);
  free(value);
  PolyVecFree(bar, bars);
  TapeDestroy(&tape);
  arb_clear(x);
}

/* ---- matrices -------------------------------------------------------------------------------------------------------- */

/* ||A||_F */
static inline void ExactNorm(arb_t norm, const arb_mat_t A)
{
  arb_zero(norm);
  for (slong i = 0; i < arb_mat_nrows(A); i++)
    for (slong j = 0; j < arb_mat_ncols(A); j++) arb_addmul(norm, arb_mat_entry(A, i, j), arb_mat_entry(A, i, j), EXACT_BITS);
  arb_sqrtpos(norm, norm, EXACT_BITS);
}

/* A B^T */
static inline void ExactTimesTranspose(arb_mat_t C, const arb_mat_t A, const arb_mat_t B)
{
  arb_mat_t T;

  arb_mat_init(T, arb_mat_ncols(B), arb_mat_nrows(B));
  arb_mat_transpose(T, B);
  arb_mat_mul(C, A, T, EXACT_BITS);
  arb_mat_clear(T);
}

/* How many eigenvalues of the symmetric A lie below the shift (Sylvester: negative pivots of A - shift I); -1: the balls are too large */
static inline PetscInt ExactCountBelow(const arb_mat_t A, const arb_t shift)
{
  const slong m     = arb_mat_nrows(A);
  PetscInt    count = 0;
  arb_mat_t   L;
  arb_t       factor;

  arb_init(factor);
  arb_mat_init(L, m, m);
  arb_mat_set(L, A);
  for (slong k = 0; k < m; k++) arb_sub(arb_mat_entry(L, k, k), arb_mat_entry(L, k, k), shift, EXACT_BITS);
  for (slong k = 0; k < m && count >= 0; k++) {
    if (arb_contains_zero(arb_mat_entry(L, k, k))) {
      count = -1;
      break;
    }
    count += arb_is_negative(arb_mat_entry(L, k, k));
    for (slong i = k + 1; i < m; i++) {
      arb_div(factor, arb_mat_entry(L, i, k), arb_mat_entry(L, k, k), EXACT_BITS);
      for (slong j = k + 1; j < m; j++) arb_submul(arb_mat_entry(L, i, j), factor, arb_mat_entry(L, k, j), EXACT_BITS);
    }
  }
  arb_mat_clear(L);
  arb_clear(factor);
  return count;
}
