/*
  convexity.h: L is not convex: two zeros of the loss whose midpoint is none.

  Were L convex, {L = 0} = M would be convex. Let theta_1 and theta_2 be stored weights with certified zeros within rho_1 and rho_2. The midpoint of these zeros
  is within (rho_1 + rho_2)/2 + 2 u |mu| of mu = fl((theta_1 + theta_2)/2). Where the certificate's lower bound for the distance of mu to M is larger, that
  midpoint is not on M: L is 0 at both ends of a segment and positive in its middle.
*/
#pragma once

#include "certify.h"
#include "train.h"

typedef struct {
  PetscInt seed; /* of the second start; 0: not asked for */
} ConvexityOptions;

extern const OptionKey ConvexityKeys[];

typedef struct {
  ReachResult second;         /* how the second zero was reached */
  PetscReal   distance;       /* |theta_1 - theta_2| */
  PetscReal   radius[2];      /* rho of each; infinity: no zero was proved there */
  PetscReal   loss;           /* L at the midpoint */
  PetscReal   residual_lower; /* proved: |H| there is at least this */
  PetscReal   distance_lower; /* proved: the distance of the midpoint to M is at least this */
  PetscBool   reached;        /* a second zero, and the rest is there */
  PetscBool   proved;         /* L is not convex */
} ConvexityResult;

/* The first zero and its certificate, and scratch; borrowed. */
typedef struct {
  ResidualMap       map;
  const NetOptions *net;
  Train             train;
  Vec               theta, H;
  Trajectory        trajectory;
  Jacobian          jacobian;
  Tiles             K;
  PetscReal         radius; /* rho; infinity: not proved */
} ConvexityPoint;

/** From the initial theta of another seed to a second zero, and to the midpoint. theta stays, and what belongs to it is set again. A second n-sized
    Vec. Collective. */
PetscErrorCode ConvexityFind(const ConvexityPoint *point, const ConvexityOptions *options, ConvexityResult *result);

/** With so many steps to the second zero. Not collective. */
void ConvexityCost(const Sizes *sizes, PetscReal steps, Cost *cost);

/** An object of report.json; a new reference. Not collective. */
json_t *ConvexityToJSON(const ConvexityResult *result);

/** For the summary. Not collective. */
void ConvexityDescribe(const ConvexityResult *result, size_t size, char text[]);
