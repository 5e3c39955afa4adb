/*
  residual.h: the residual map H, the trajectory and the adjoints it is differentiated from, and the loss.

    H : R^n -> R^m,   H_(i,o)(theta) = f_theta(x_i)_o - y_(i,o),   L = |H|^2,   grad L = 2 J^T H.
*/
#pragma once

#include "data.h"
#include "network.h"

typedef struct ResidualMap_s *ResidualMap;

struct ResidualMap_s {
  Grid             grid;
  Network          network;
  Parameters       parameters;
  PetscInt         d, l, m, n;
  PetscInt         N;     /* points of this group */
  const PetscReal *x, *y; /* theirs, row-major; borrowed from the data */
};

/** Everything is borrowed and must outlive the map. STATUS_DATA if m >= n (the theorem needs n > m). Collective. */
PetscErrorCode ResidualMapCreate(Grid grid, Network network, Parameters parameters, Data data, ResidualMap *map);
PetscErrorCode ResidualMapDestroy(ResidualMap *map);

/* Every value of the net on this group's points, at one theta: value[v] is N x dim(v). 8 N sum_units bytes. */
typedef struct Trajectory_s *Trajectory;

struct Trajectory_s {
  PetscInt    nvalues;
  PetscReal **value; /* value[0] is borrowed: the data's x */
};

PetscErrorCode TrajectoryCreate(ResidualMap map, Trajectory *trajectory);
PetscErrorCode TrajectoryDestroy(Trajectory *trajectory);

/** Exchange the contents of two trajectories of one map: no copy. Not collective. */
PetscErrorCode TrajectorySwap(Trajectory a, Trajectory b);

/** The trajectory at theta, and H. Collective. */
PetscErrorCode ResidualMapApply(ResidualMap map, Vec theta, Trajectory trajectory, Vec H);

/* What comes back to each value from `rows` seeds at the output of every point: bar[v] is (N rows) x dim(v). */
typedef struct Adjoint_s *Adjoint;

typedef enum {
  ADJOINT_PARAMETERS, /* keep bar[v] at ops that own parameters: what J and a gradient need */
  ADJOINT_ALL,        /* keep them all: what a Hessian product needs */
  ADJOINT_FIXED_TOO   /* go on to values, besides the input, that do not depend on theta: what their rounding errors meet */
} AdjointKeep;

struct Adjoint_s {
  PetscInt    nvalues, rows;
  AdjointKeep keep;
  PetscReal **bar; /* NULL where not kept */
};

PetscErrorCode AdjointCreate(ResidualMap map, PetscInt rows, AdjointKeep keep, Adjoint *adjoint);
PetscErrorCode AdjointDestroy(Adjoint *adjoint);

/** Sweep back from `seed`, (N rows) x l, along a trajectory; NULL: the l unit seeds (rows = l). Collective. */
PetscErrorCode ResidualMapAdjoint(ResidualMap map, Vec theta, Trajectory trajectory, const PetscReal seed[], Adjoint adjoint);

/** grad += alpha J^T u, from an adjoint with one row whose seed was u. Collective. */
PetscErrorCode ResidualMapAddGradient(ResidualMap map, Trajectory trajectory, Adjoint adjoint, PetscReal alpha, Vec grad);

/** The loss at which H is rounding noise: sum over points and ops of u^2 (adjoint o value)^2, each op's result and each stored
    parameter rounded once, errors taken as independent. An estimate, not a bound. `units`: adjoint with rows = l, unit seeds. Collective. */
PetscErrorCode ResidualMapRoundingFloor(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *floor);
