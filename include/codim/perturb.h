/*
  perturb.h: Theorem 2.1's small change of the targets, where a zero is not regular.

  At a zero theta with rank J(theta) < m a manifold is not to be expected there. Sard: for almost every r in R^m every zero of H - r is regular (or there
  is none). So theta is nudged to a random theta', and the targets are moved to what the net gives there: y' = fl(y + H(theta')), r = y' - y. Then theta' is a
  zero of H - r up to rounding, |r| < perturb.size, and the certificate of H - r at theta' proves that M_r = {H = r} is near theta' a manifold of
  codimension m. That r is a regular value on all of H^(-1)(r) is Sard's statement, and is not checked.

  The nudge is along a random direction. Within ker J(theta) (to first order, with K + mu I for K, mu = 10^-10 of K's mean eigenvalue) |H| grows like the
  square of the step, and sigma_min(J) like the step: a tiny r leaves a sigma_min that can be proved. But ker J may be tangent to the singular zeros, so
  that every other direction is not restricted: |H| then grows like the step.

  How small r can be: |r| ~ c sigma_min^2 within ker J, so h ~ Lambda eta/|r|: with y' stored as doubles, eta is at least their rounding. And what is proved of
  sigma_min comes from K, whose rounding hides what is below about 10^-7 sigma_max.

  Where rank J < m for every theta no r helps: H(R^n) has measure zero (Sard again), and almost every r empties M_r.
*/
#pragma once

#include "archive.h"
#include "certify.h"
#include "cost.h"
#include "options.h"

enum { PERTURB_TRIALS_MAX = 240 };

typedef struct {
  PetscReal size;  /* |r| is below it; 0: the targets are not to be moved */
  PetscReal least; /* sizes size, size/10, … down to this one are tried */
  PetscInt  draws; /* random directions for each */
} PerturbOptions;

extern const OptionKey PerturbKeys[];

typedef struct {
  PetscInt  draw;
  PetscReal size, r;         /* |r| < size */
  PetscReal moved;           /* |theta' - theta| */
  PetscReal sigma_min;       /* of J(theta'), as spectrum.method: auto finds it */
  PetscReal resolution;      /* of sigma_min */
  PetscInt  rank;            /* of J(theta'), as decided; m where proved; -1: not */
  PetscReal sigma_min_lower; /* proved; 0: nothing was */
  PetscReal h, radius;       /* the certificate's, of H - r at theta' */
  PetscBool proved;          /* a regular zero of H - r within `radius` of theta' */
} PerturbTrial;

typedef struct {
  PetscInt     trials;
  PerturbTrial trial[PERTURB_TRIALS_MAX];
  PetscInt     chosen;     /* of the proved ones that of least |r|; -1: none was proved */
  PetscReal   *given;      /* rank 0: the targets as they were, d x l; NULL if they were not moved. Owned */
  PetscReal    loss;       /* |H|^2 at theta, for the targets given */
  PetscInt     rank;       /* of J there, as decided; -1: not */
  PetscReal    sigma_min;  /* there */
  PetscInt     rank_bound; /* rank J <= rank_bound < m for every theta: nothing was tried; -1: no such bound */
} PerturbResult;

/* What is moved, and scratch: map, data, the point theta, what belongs to it, and K. Borrowed. */
typedef struct {
  ResidualMap map;
  Data        data;
  PetscInt64  seed;
  Vec         theta, H;
  Trajectory  trajectory;
  Jacobian    jacobian;
  Tiles       K;
  PetscReal   node_memory; /* as in SpectrumOptions */
} PerturbPoint;

/** From a zero theta, of which the caller fills in loss, rank, sigma_min, rank_bound: all trials. If one was proved, theta is its theta' and the data's targets are its y' afterwards, else both are as before; H,
    trajectory and the factors belong to them. Safe points (checkpoint.h) between two trials. Two more n-sized Vecs while it runs, and the
    certificate's memory. Collective. */
PetscErrorCode PerturbSolve(const PerturbPoint *point, const PerturbOptions *options, PerturbResult *result);

/** All trials; stretch: the longest between two safe points. Not collective. */
void PerturbCost(const Sizes *sizes, const PerturbOptions *options, Cost *cost, Cost *stretch);

PetscErrorCode PerturbResultDestroy(PerturbResult *result);

/** To and from the checkpoint; read, the data have the targets that were chosen. Collective. */
PetscErrorCode PerturbArchive(Archive archive, Data data, Grid grid, PerturbResult *result);

/** minimum.perturbation of report.json; a new reference. Not collective. */
json_t *PerturbToJSON(const PerturbResult *result);

/** For the summary: what was moved by how much, or why not. Not collective. */
void PerturbDescribe(const PerturbResult *result, PetscInt m, size_t size, char text[]);

/** dir/perturbation.h5: /r, /y (as they are now) and /y_given, d x l flattened. STATUS_DATA if it cannot be written. Collective. */
PetscErrorCode PerturbWrite(Data data, const PerturbResult *result, const char path[]);
