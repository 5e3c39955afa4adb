/*
  start.h: where loaded weights theta_0 stand, and how far the zero is that was reached from them.

  J at theta_0: its rank by the rule of spectrum.h for gram. The exact Hessian there (look.h): assembled, where hessian.full asks for that, the
  number of its negative eigenvalues is their count below -n u |lambda|_max. Otherwise SLEPc's k-th smallest Ritz value bounds the k-th
  eigenvalue from above (Cauchy), so the negative ones are at least as many as Ritz values below the rounding error of a product: a bound, not a count.
*/
#pragma once

#include "extremes.h"
#include "look.h"
#include "spectrum.h"

/* Plain values; -1, NaN: not established. */
typedef struct {
  PetscInt  rank; /* decided, or -1 */
  PetscReal sigma_min, sigma_max, resolution;
  PetscReal negative;          /* count */
  PetscReal negative_at_least; /* bound */
  Look      look;
} StartPoint;

typedef struct {
  PetscReal  moved;              /* |theta - theta_0| */
  PetscReal *label, *label_norm; /* of each label: |theta - theta_0|, |theta_0|; owned */
  PetscInt   heldout;            /* points held out; 0: none */
  PetscReal  change_max, change_rms;
  PetscInt   change_point, change_output; /* where the output changes most; from 0 */
} Movement;

typedef struct Start_s *Start;

struct Start_s {
  ResidualMap map;
  LookOptions options;
  Looker      looker;
  PetscBool   known, moved; /* point; movement */
  char        skipped[160]; /* why point is not known */
  StartPoint  point;
  Movement    movement;
};

/** The solvers read their options (prefixes look_largest_, look_smallest_) now. Borrows the map. Collective. */
PetscErrorCode StartCreate(ResidualMap map, const HessianOptions *options, Start *start);
PetscErrorCode StartDestroy(Start *start);

/** point, where `jacobian` has its factors from, and H is. K is scratch; memory as LookAt. Collective. */
PetscErrorCode StartLook(Start start, Jacobian jacobian, Vec H, Tiles K);

/** movement, from theta_0 to theta. heldout: a map of the same net on other points, or NULL; one of its trajectories lives while it runs.
    theta_0 is scratch afterwards. Collective. */
PetscErrorCode StartMove(Start start, ResidualMap heldout, Vec theta_0, Vec theta);

/** Collective. */
PetscErrorCode StartArchive(Archive archive, Start start);

/** For report.json: keys to add to an object. Not collective. */
void StartToJSON(Start start, json_t *object);

/** In words. Not collective. */
void StartDescribe(Start start, PetscReal loss, size_t size, char text[]);

/** Cost (cost.h) of StartLook. Not collective. */
void StartCost(const Sizes *sizes, const HessianOptions *options, Cost *cost);
