/*
  residual.h: the residual map H, the trajectory and the adjoints it is differentiated from, and the loss.

    H : R^n -> R^m,   H_(i,o)(theta) = f_theta(x_i)_o - y_(i,o),   L = |H|^2,   grad L = 2 J^T H.

  Its m rows are the observed targets (rows.h).
*/
#pragma once

#include "cost.h"
#include "data.h"
#include "network.h"
#include "rows.h"

typedef struct ResidualMap_s *ResidualMap;

struct ResidualMap_s {
  Grid             grid;
  Network          network;
  Parameters       parameters;
  Rows             rows;       /* owned */
  PetscInt         d, l, m, n; /* m = l d where every target was observed */
  PetscInt         N;          /* points of this group */
  const PetscReal *x, *y;      /* theirs, row-major; borrowed from the data. y: NaN where not observed */
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

/** A seed from an m-sized Vec: seed = alpha u at the observed outputs of the group's points, 0 at the others; N x l. Collective. */
PetscErrorCode ResidualMapSeed(ResidualMap map, PetscReal alpha, Vec u, PetscReal seed[]);

/** The trajectory at theta; of a map, or of some of its points (sgd.c). Collective. */
PetscErrorCode ResidualMapForward(ResidualMap map, Vec theta, Trajectory trajectory);

/** The trajectory at theta, and H. Collective. */
PetscErrorCode ResidualMapApply(ResidualMap map, Vec theta, Trajectory trajectory, Vec H);

/* What comes back to each value from seeds at the output: bar[v] is rows x dim(v). */
typedef struct Adjoint_s *Adjoint;

typedef enum {
  ADJOINT_POINTS,   /* one row for each of the group's points */
  ADJOINT_RESIDUALS /* one for each of the group's residuals */
} AdjointRows;

typedef enum {
  ADJOINT_PARAMETERS, /* keep bar[v] at ops that own parameters: what J and a gradient need */
  ADJOINT_ALL,        /* keep them all: what a Hessian product needs */
  ADJOINT_FIXED_TOO   /* go on to values, besides the input, that do not depend on theta: what their rounding errors meet */
} AdjointKeep;

struct Adjoint_s {
  PetscInt        nvalues, rows;
  const PetscInt *point;       /* of each row, as in OpArrays; borrowed from the map */
  PetscInt       *owned_point; /* or owned */
  AdjointKeep     keep;
  PetscReal     **bar; /* NULL where not kept */
};

PetscErrorCode AdjointCreate(ResidualMap map, AdjointRows rows, AdjointKeep keep, Adjoint *adjoint);
PetscErrorCode AdjointDestroy(Adjoint *adjoint);

/** Bytes of an adjoint with all its values and a row for each residual of the group. Not collective. */
PetscReal ResidualValuesBytes(ResidualMap map);

/** Sweep back from `seed`, rows x l, along a trajectory; NULL: row k's is the unit vector of residual k's output (ADJOINT_RESIDUALS).
    Collective. */
PetscErrorCode ResidualMapAdjoint(ResidualMap map, Vec theta, Trajectory trajectory, const PetscReal seed[], Adjoint adjoint);

/** An adjoint that begins at value v instead of the output, from the unit vector of each of its entries at each of the group's points, dim(v)
    rows a point, and goes on to all values (ADJOINT_FIXED_TOO): the derivatives of v by them. Collective. */
PetscErrorCode ResidualMapAdjointOf(ResidualMap map, Vec theta, Trajectory trajectory, PetscInt v, Adjoint *adjoint);

/** grad += alpha J^T u, from an adjoint of ADJOINT_POINTS whose seed was u, 0 where nothing was observed. Collective. */
PetscErrorCode ResidualMapAddGradient(ResidualMap map, Trajectory trajectory, Adjoint adjoint, PetscReal alpha, Vec grad);

/** The loss at which H is rounding noise: sum over points and ops of u^2 (adjoint o value)^2, each op's result and each stored
    parameter rounded once, errors taken as independent. An estimate, not a bound. `units`: the adjoint of the unit seeds. Collective. */
PetscErrorCode ResidualMapRoundingFloor(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *floor);

/* ---- cost (cost.h): what is added to `cost`. Not collective. ------------------------------------------------------- */

/** The sizes of a problem that is there: with the rows that were observed. */
void ResidualMapSizes(ResidualMap map, Sizes *sizes);

void ResidualMapApplyCost(const Sizes *sizes, Cost *cost);
void ResidualMapTangentCost(const Sizes *sizes, Cost *cost); /* a tangent sweep along a direction of theta */

/** A sweep back of so many rows; products: 1, or 2 for an adjoint's tangent. With what it frees on the way, without what it keeps. */
void ResidualMapAdjointCost(const Sizes *sizes, PetscReal rows, PetscReal products, Cost *cost);

/** Bytes of the residuals' unit adjoints, ADJOINT_PARAMETERS. */
PetscReal ResidualMapUnitsBytes(const Sizes *sizes);
