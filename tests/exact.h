/*
  exact.h: f_theta, H and J of a net of linear maps and activations in ball arithmetic (Arb), from the definitions alone.

  Every number is a power series in t along theta + t v: coefficient 1 of J is its derivative along v. sigma is defined by its power
  series, sigma' is the derivative of that: no formula of the program is used.
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

/* ---- the net ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const Problem    *problem;
  slong             len;
  PetscInt         *start;   /* of each label in the canonical order */
  arb_poly_struct **a, **da; /* of each value: its entries at one point; sigma' */
  arb_poly_struct **bar;     /* adjoint of one output */
} Exact;

static inline arb_poly_struct *PolyVec(PetscInt n)
{
  arb_poly_struct *v = malloc((size_t)n * sizeof *v);

  for (PetscInt i = 0; i < n; i++) arb_poly_init(v + i);
  return v;
}

static inline void PolyVecFree(arb_poly_struct *v, PetscInt n)
{
  for (PetscInt i = 0; i < n; i++) arb_poly_clear(v + i);
  free(v);
}

static inline void ExactCreate(const Problem *problem, slong len, Exact *x)
{
  const Network net = problem->network;

  x->problem = problem;
  x->len     = len;
  x->start   = calloc((size_t)net->nlabels + 1, sizeof *x->start);
  x->a       = malloc((size_t)net->nops * sizeof *x->a);
  x->da      = malloc((size_t)net->nops * sizeof *x->da);
  x->bar     = malloc((size_t)net->nops * sizeof *x->bar);
  for (PetscInt k = 0; k < net->nlabels; k++) x->start[k + 1] = x->start[k] + net->labels[k].rows * net->labels[k].cols;
  for (PetscInt v = 0; v < net->nops; v++) {
    x->a[v]   = PolyVec(net->ops[v].dim);
    x->da[v]  = PolyVec(net->ops[v].dim);
    x->bar[v] = PolyVec(net->ops[v].dim);
  }
}

static inline void ExactDestroy(Exact *x)
{
  const Network net = x->problem->network;

  for (PetscInt v = 0; v < net->nops; v++) {
    PolyVecFree(x->a[v], net->ops[v].dim);
    PolyVecFree(x->da[v], net->ops[v].dim);
    PolyVecFree(x->bar[v], net->ops[v].dim);
  }
  free(x->start);
  free(x->a);
  free(x->da);
  free(x->bar);
}

/* sigma and sigma' at the series z */
static inline void ExactSigma(const char name[], slong len, const arb_poly_t z, arb_poly_t s, arb_poly_t ds)
{
  arb_poly_t at, series, step;

  arb_poly_init(at);
  arb_poly_init(series);
  arb_poly_init(step);
  arb_poly_set_coeff_si(at, 1, 1);
  if (arb_poly_length(z)) arb_poly_set_coeff_arb(at, 0, arb_poly_get_coeff_ptr(z, 0));
  Sigma(name, series, at, len + 1);
  arb_poly_set(step, z);
  arb_poly_set_coeff_si(step, 0, 0);
  arb_poly_compose_series(s, series, step, len, EXACT_BITS);
  arb_poly_derivative(series, series, EXACT_BITS);
  arb_poly_compose_series(ds, series, step, len, EXACT_BITS);
  arb_poly_clear(at);
  arb_poly_clear(series);
  arb_poly_clear(step);
}

static inline void ExactForward(Exact *x, const arb_poly_struct *theta, PetscInt i)
{
  const Network net = x->problem->network;
  arb_poly_t    term;

  arb_poly_init(term);
  for (PetscInt j = 0; j < net->inputs; j++) {
    arb_t value;

    arb_init(value);
    arb_poly_zero(x->a[0] + j);
    arb_set_d(value, x->problem->data->x[i * net->inputs + j]);
    arb_poly_set_coeff_arb(x->a[0] + j, 0, value);
    arb_clear(value);
  }
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp           *op = &net->ops[v];
    const arb_poly_struct *in = x->a[op->inputs[0]];

    for (PetscInt j = 0; j < op->dim; j++) {
      if (op->activation) {
        ExactSigma(op->activation->name, x->len, in + j, x->a[v] + j, x->da[v] + j);
        continue;
      }
      arb_poly_zero(x->a[v] + j);
      if (op->bias >= 0) arb_poly_set(x->a[v] + j, theta + x->start[op->bias] + j);
      for (PetscInt k = 0; k < net->labels[op->weight].cols; k++) {
        arb_poly_mullow(term, theta + x->start[op->weight] + j * net->labels[op->weight].cols + k, in + k, x->len, EXACT_BITS);
        arb_poly_add(x->a[v] + j, x->a[v] + j, term, EXACT_BITS);
      }
    }
  }
  arb_poly_clear(term);
}

/* row: n series, of output o at the point last gone forward */
static inline void ExactBackward(Exact *x, const arb_poly_struct *theta, PetscInt o, arb_poly_struct *row)
{
  const Network net = x->problem->network;
  arb_poly_t    term;

  arb_poly_init(term);
  for (PetscInt v = 0; v < net->nops; v++)
    for (PetscInt j = 0; j < net->ops[v].dim; j++) arb_poly_zero(x->bar[v] + j);
  for (PetscInt k = 0; k < x->start[net->nlabels]; k++) arb_poly_zero(row + k);
  arb_poly_one(x->bar[net->nops - 1] + o);
  for (PetscInt v = net->nops - 1; v > 0; v--) {
    const NetOp     *op = &net->ops[v];
    arb_poly_struct *in = x->a[op->inputs[0]], *in_bar = x->bar[op->inputs[0]];

    for (PetscInt j = 0; j < op->dim; j++) {
      if (op->activation) {
        arb_poly_mullow(in_bar + j, x->da[v] + j, x->bar[v] + j, x->len, EXACT_BITS);
        continue;
      }
      if (op->bias >= 0) arb_poly_add(row + x->start[op->bias] + j, row + x->start[op->bias] + j, x->bar[v] + j, EXACT_BITS);
      for (PetscInt k = 0; k < net->labels[op->weight].cols; k++) {
        const PetscInt at = x->start[op->weight] + j * net->labels[op->weight].cols + k;

        arb_poly_mullow(term, x->bar[v] + j, in + k, x->len, EXACT_BITS);
        arb_poly_add(row + at, row + at, term, EXACT_BITS);
        arb_poly_mullow(term, x->bar[v] + j, theta + at, x->len, EXACT_BITS);
        arb_poly_add(in_bar + k, in_bar + k, term, EXACT_BITS);
      }
    }
  }
  arb_poly_clear(term);
}

/* At theta + t v (v NULL: 0): H (m x 1) and J, m x n; coefficient `order` of J's series. */
static inline void ExactEvaluate(const Problem *problem, const arb_struct *theta, const PetscReal v[], slong order, arb_mat_t H,
                                 arb_mat_t J)
{
  const ResidualMap map    = problem->map;
  arb_poly_struct  *series = PolyVec(map->n), *row = PolyVec(map->n);
  arb_t             value;
  Exact             x;

  arb_init(value);
  ExactCreate(problem, order + 1, &x);
  for (PetscInt k = 0; k < map->n; k++) {
    arb_poly_set_coeff_arb(series + k, 0, theta + k);
    if (v) arb_set_d(value, v[k]);
    if (v) arb_poly_set_coeff_arb(series + k, 1, value);
  }
  for (PetscInt i = 0; i < map->d; i++) {
    ExactForward(&x, series, i);
    for (PetscInt o = 0; o < map->l; o++) {
      arb_poly_get_coeff_arb(arb_mat_entry(H, i * map->l + o, 0), x.a[problem->network->nops - 1] + o, 0);
      arb_set_d(value, problem->data->y[i * map->l + o]);
      arb_sub(arb_mat_entry(H, i * map->l + o, 0), arb_mat_entry(H, i * map->l + o, 0), value, EXACT_BITS);
      ExactBackward(&x, series, o, row);
      for (PetscInt k = 0; k < map->n; k++) arb_poly_get_coeff_arb(arb_mat_entry(J, i * map->l + o, k), row + k, order);
    }
  }
  ExactDestroy(&x);
  arb_clear(value);
  PolyVecFree(series, map->n);
  PolyVecFree(row, map->n);
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
