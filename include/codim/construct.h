/*
  construct.h: explicit weights of zero loss (Cooper, Lemma 3.3 and Corollary 3.4), for distinct points, any targets, and a rectified sigma
  that increases strictly on (0, oo), where the last hidden layer has at least d units.

  At these weights the block of J that belongs to the last layer alone has rank m = l d: the zero is regular without Sard's theorem. The
  derivation, with what the paper's text has to be corrected by, opens construct.c.

  Nets: chains of dense layers (net.arch mlp, or any list of ops that is one), and the lemma's own family, whose hidden units share one
  row (net.arch tied).
*/
#pragma once

#include "cost.h"
#include "data.h"
#include "jacobian.h"

typedef struct {
  PetscReal gap, range; /* of the projections a . x_i: least difference of two, and largest; a as it stands in the weights */
  PetscInt  nearest[2]; /* the two points of the gap */
  PetscReal arriving;   /* the least difference where they arrive in the last hidden layer */
  PetscReal diagonal;   /* the least diagonal entry of the triangular system */
  PetscInt  solves;     /* triangular solves: the first, and its refinements */
  PetscReal loss;       /* |H|^2 as constructed */
  PetscReal floor;      /* its rounding floor there (ResidualMapRoundingFloor) */
} ConstructResult;

typedef struct Construct_s *Construct;

/** For the net of the map; everything is borrowed. `seed`: of the random directions. `printed`: the matrix into the last hidden layer and the
    signs of its biases as the paper prints them, to see that they fail. STATUS_USAGE: a net that is no chain of dense layers, a layer without
    bias, a sigma that is not rectified, a last hidden layer with less than d units: each named. Collective. */
PetscErrorCode ConstructCreate(ResidualMap map, Data data, PetscInt64 seed, PetscBool printed, Construct *construct);
PetscErrorCode ConstructDestroy(Construct *construct);

/** theta, and what belongs to it. 8 d^2 bytes over the ranks while it runs; d (l + 4) doubles on every rank. STATUS_DATA where two points coincide, or
    no direction and scale tells them apart in double precision: they are named. Collective. */
PetscErrorCode ConstructSolve(Construct construct, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian,
                              ConstructResult *result);

/** With three solves. Not collective. */
void ConstructCost(const Sizes *sizes, Cost *cost);
