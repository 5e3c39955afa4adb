/*
  walk.h: walks on M: steps in ker J, each brought back to M by Gauss-Newton; how the loss grows away from M; a piece of M proved connected.

  A step goes from theta on M along a unit vector t of ker J, by a length a, and returns: theta := theta - J^T K^(-1) H until the loss is at the tolerance.
  Before the return the loss is a^4 |H''(t,t)|^2/4 + O(a^5); along a normal direction J^T u it is a^2 |J J^T u|^2; along a direction of the
  last layer alone that is in ker J it is 0, since H is affine in the last layer.

  What overlapping certified balls prove. At theta_k the certificate has eta_k >= |H|, s_k <= sigma_min(J), and R_k with R_k Lambda <= s_k for a Lipschitz
  constant Lambda of J on B(theta_k, R_k); so Lambda_k = s_k/R_k is one. Follow the Newton flow theta' = -J^T K^(-1) H from a point at which |H| <= eta,
  sigma_min >= s: H decays as exp(-tau), and where h = Lambda eta/s^2 < 1/2 the flow's length is at most rho = 2 eta/(s (1 + sqrt(1 - 2h))),
  sigma_min stays positive, and it ends in a zero that depends continuously on the point (the tails are uniformly small). A zero stays.
  On the half of the segment from theta_k towards theta_(k+1), a = |theta_(k+1) - theta_k| < R_k, interpolation gives

    |H| <= max(eta_k, eta_(k+1)) + Lambda_k a^2/8,   sigma_min >= s_k - Lambda_k a/2,

  likewise on the other half. Where h < 1/2 and a/2 + rho <= R on both halves, the flow carries the segment to a path in M that joins the zeros
  theta*_k, theta*_(k+1) of the two ends, inside the two balls: the link is proved. (Without the eta's that is a < R_k and a < R_(k+1).) A chain
  of links proves: the zeros theta*_k, each within rho_k of the stored theta_k, lie in one connected piece of M, which is there a manifold of
  codimension m. Nothing is said of M outside the balls, nor that the path is short.
*/
#pragma once

#include "archive.h"
#include "certify.h"
#include "gram.h"
#include "options.h"
#include "spectrum_file.h"

typedef enum { WALK_RANDOM, WALK_STRAIGHT, WALK_SHRINK, WALK_TOWARD } WalkDirection;

typedef struct {
  PetscInt     steps;     /* 0: no walk */
  PetscReal    length;    /* of a step; 0: half the certified radius at each point */
  PetscInt     direction; /* WalkDirection */
  OptionString toward;    /* safetensors file: where `toward` goes */
  PetscInt     seed;
  PetscBool    certify;
  PetscInt     growth; /* random directions of each kind along which the loss's growth is measured; 0: none */
} WalkOptions;

extern const OptionKey WalkKeys[];

typedef enum {
  WALK_WHOLE,   /* all steps were taken */
  WALK_ARRIVED, /* toward, shrink: no direction is left */
  WALK_BLOCKED, /* no step, however short, returned to M: rank J falls */
  WALK_UNPROVED /* walk.length 0: a point's certificate gave no radius */
} WalkReason;

/* One point of the walk; infinity where it was not found. */
typedef struct {
  PetscReal step;         /* |theta_k - theta_(k-1)| */
  PetscReal path;         /* sum of the steps */
  PetscReal displacement; /* |theta_k - theta_0| */
  PetscReal norm;         /* |theta_k| */
  PetscReal loss_before;  /* before the return */
  PetscReal loss;
  PetscReal returns; /* Gauss-Newton steps of the return */
  PetscReal sigma_min;
  PetscReal radius, regular_radius; /* rho, R of the certificate; R = 0: not proved */
  PetscReal eta, s;
  PetscReal link;                 /* h of the link from the point before; below 1/2: proved */
  PetscReal linked;               /* 1: the link is proved */
  PetscReal moved_rms, moved_max; /* change of the outputs on held-out data since theta_0 */
} WalkPoint;

/* How the loss grows with the distance from theta_0, along unit vectors; the exponent fitted above the rounding floor. */
typedef enum { GROWTH_TANGENT, GROWTH_NORMAL, GROWTH_LAST, GROWTH_KINDS } GrowthKind;

enum { GROWTH_DISTANCES = 44 };

typedef struct {
  PetscInt  directions;               /* of this kind; 0: there are none (last: its block of J has no kernel) */
  PetscReal exponent, least, largest; /* mean over the directions, and extremes; NaN: the loss stays at the rounding floor */
  PetscReal distance[GROWTH_DISTANCES], loss[GROWTH_DISTANCES]; /* median over the directions */
  PetscReal loss_max;                                           /* over all distances and directions */
} Growth;

typedef struct {
  PetscInt   n, m;
  PetscInt   points; /* steps taken + 1 */
  WalkPoint *point;
  WalkReason reason;
  PetscReal  tolerance, floor; /* of the loss; its rounding floor at theta_0 */
  PetscInt   heldout;          /* points */
  Growth     growth[GROWTH_KINDS];
} WalkResult;

/** From theta on M, which is moved to the end of the walk. K is scratch. heldout: a map of the same net on other points, or NULL. Two trajectories, the factors, 6 n-sized
    Vecs while it runs. Each step is a safe point (checkpoint.h). STATUS_DATA on weights to go to that do not fit. Collective. */
PetscErrorCode WalkRun(ResidualMap map, ResidualMap heldout, const WalkOptions *options, PetscReal tolerance, Vec theta, Tiles K,
                       WalkResult *result);
PetscErrorCode WalkResultDestroy(WalkResult *result);

/** The result to and from a checkpoint. Collective. */
PetscErrorCode WalkArchive(Archive archive, WalkResult *result);

/** Cost (cost.h) if each step returns to M at once; of what runs to its end before a request to stop is looked at. Not collective. */
void WalkCost(const Sizes *sizes, const WalkOptions *options, Cost *cost, Cost *stretch);

/** h of the link between two points a distance apart; *proved. Bounds are rounded outwards. Not collective. */
PetscReal WalkLink(const WalkPoint *a, const WalkPoint *b, PetscReal distance, PetscBool *proved);

/** The growth of the loss around theta on M, whose linearization `jacobian` is, with the factor of K. Collective. */
PetscErrorCode WalkGrowth(Jacobian jacobian, Tiles factor, PetscReal floor, const WalkOptions *options,
                          Growth growth[GROWTH_KINDS]);

/** In words. Not collective. */
const char *WalkReasonText(WalkReason reason);

/** What is proved of the piece of M, in a sentence. Not collective. */
void WalkTheorem(const WalkResult *result, size_t size, char text[]);

/** For report.json: a new reference. Not collective. */
json_t *WalkToJSON(const WalkResult *result);

/** path.h5, path.csv (a point a row), path.svg. Collective. */
PetscErrorCode WalkWrite(MPI_Comm comm, const char path[], const char title[], const WalkResult *result);
