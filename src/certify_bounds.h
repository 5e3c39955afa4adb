/*
  certify_bounds.h: one recursion over the ops of the net, from which every number of the certificate comes.

  At one data point, for each value a of the net, with â the computed double(s), theta_0 the exact point of the stored weights:

    eps   >= |fl(op)(â_in) - op(â_in)|                   fresh rounding of the op that made a
    e     >= |â - a(theta_0)|
    t_mu  >= sup |d a/d theta_mu|                         over the ball B(theta_0, r), one entry for every label of parameters
    E = e + r |t|  >= sup |a(theta) - â|                  a path of length <= r; sum_mu t_mu |v_mu| <= |t| |v|
    F_o   >= sup |lambda_o(theta) - lambda̅_o|             lambda_o: adjoint of output o at a; also along every trajectory that
                                                          stays within E of the computed one
    B                                                     P x P, >= 0: |c . D^2 f [v,v]| <= sum_mu,nu B_mu,nu |v_mu| |v_nu| for |c| = 1

  With r = 0 these are rounding errors, with r > 0 suprema. An op brings its rows of these tables as functions (OpBounds).
*/
#pragma once

#include "codim/network.h"
#include "rounding.h"

/* ||W|| and ||W||_F of a label, from above */
typedef struct {
  PetscReal spectral, frobenius;
} LabelNorm;

/* Norms, from above, of a value and its adjoints at one point. */
typedef struct {
  PetscReal norm, largest; /* |a|, max |a_j| */
  PetscReal own;           /* what the op that made the value wants to know besides: OpBounds.own */
  PetscInt  unit;          /* where that is attained */
  PetscReal eps;           /* measured by a split forward pass; -1: the op's formula */
  PetscReal column;        /* max_j |(lambda_1j … lambda_lj)| */
} Measure;

/* What an op that is smooth only in pieces has left, over the ball, before an argument leaves its piece; the least of all is kept. */
typedef struct {
  PetscReal least, distance;    /* infinity: everything is smooth; of the computed argument, without its error */
  PetscInt  value, unit, point; /* where: the value of that op, its entry, the point of the data */
} Margin;

/* A value at one point: its measures, and what the recursion makes of them. */
typedef struct {
  const Measure   *measure;
  const PetscReal *bar; /* l: |lambda̅_o| */
  PetscInt         dim;
  PetscReal        eps, e, E; /* E = 0: the exact value, for every theta */
  PetscReal       *t;         /* P */
  PetscReal       *F, *sum;   /* l: error; norms of the contributions added so far */
} ValueBound;

typedef struct {
  const NetOp     *op;
  ValueBound      *out, *in[OP_INPUTS_MAX];
  const LabelNorm *labels;
  PetscInt         P, l, Q;
  PetscReal        r;
  PetscReal       *B; /* curvature: P x P, lower triangle, added to */
  PetscInt         value, point;
  Margin          *margin; /* lowered by LowerMargin */
} OpBoundArgs;

typedef void OpBoundFn(const OpBoundArgs *args);

struct OpBounds_s {
  OpBoundFn *forward;   /* eps, e, t of out */
  OpBoundFn *adjoint;   /* adds to F and sum of each input but the net's */
  OpBoundFn *curvature; /* adds to B; NULL: the op is linear and has no parameters */

  /* forward with a small measured rounding error, eps[i] for each point of the group, eps instead of the formula; NULL: there is none.
     Collective as forward. */
  PetscErrorCode (*split)(const NetOp *op, const OpContext *context, const OpArrays *arrays, PetscReal eps[]);

  /* a number that the bounds need besides norms, from in and out at one point (N = 1), and the entry where it is attained: the distance from
     the nearest kink, a divisor from below, how often an entry is used; NULL: none. Not collective. */
  PetscReal (*own)(const NetOp *op, const OpArrays *point, PetscInt *unit);
};

/* `margin` is left at this op and point */
static inline void LowerMargin(const OpBoundArgs *args, PetscReal margin)
{
  const Measure *measure = args->out->measure;

  if (margin < args->margin->least) *args->margin = (Margin){margin, measure->own, args->value, measure->unit, args->point};
}

/* |F|, |lambda̅| over the outputs: |sum_o c_o x_o| <= |c| |x| */
static inline PetscReal OutputNorm(PetscInt l, const PetscReal x[])
{
  PetscReal squares = 0;

  for (PetscInt o = 0; o < l; o++) squares += x[o] * x[o];
  return NormUp((PetscReal)l, squares);
}
