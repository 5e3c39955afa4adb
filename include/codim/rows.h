/*
  rows.h: the residuals: which there are, in which order, and whose they are.

  A residual is a target that was observed: row k of H, J and K is f_theta(x_i)_o - y_(i,o) at point i, output o. Where y_(i,o) is NaN, output o
  was not observed at point i and makes no row (Cooper, section 5: the f_i may differ). Rows are in the order of points, then outputs;
  with every target observed k = i l + o and m = l d. A point may have no row.

  A group has the rows of its points, a rank owns those of its own points: m-sized Vecs are in the order of the rows on every grid.
*/
#pragma once

#include "grid.h"

typedef struct Rows_s *Rows;

struct Rows_s {
  Grid      grid;
  PetscInt  d, l, m;
  PetscInt *first;          /* d + 1: point i has the rows first[i] … first[i+1] - 1 */
  PetscInt *point, *output; /* m: of each row */
  Range     group, owned;   /* this group's rows, this rank's */
  PetscBool gaps;           /* some point has no row */
  PetscInt *seen;           /* m: of each row's point, its number among the points that have a row */
  PetscInt *group_point;    /* of each of the group's rows: which of the group's points it belongs to */
};

/** y: this group's points x l, the same on each of its ranks. 4 (d + 3 m) bytes on every rank; the grid is borrowed. Collective. */
PetscErrorCode RowsCreate(Grid grid, PetscInt d, PetscInt l, const PetscReal y[], Rows *rows);
PetscErrorCode RowsDestroy(Rows *rows);

/** The rows of some consecutive points. Not collective. */
Range RowsOfPoints(Rows rows, Range points);

/** Where the target of a row of this group stands among its points' targets, N x l. Not collective. */
static inline size_t RowTarget(Rows rows, PetscInt row)
{
  return (size_t)rows->group_point[row - rows->group.first] * (size_t)rows->l + (size_t)rows->output[row];
}

/** An m-sized Vec. Collective. */
PetscErrorCode RowsCreateVec(Rows rows, Vec *v);

/** The group's rows of an m-sized Vec, whole on each of its ranks, into `group`. Collective. */
PetscErrorCode RowsGatherGroup(Rows rows, Vec v, PetscReal group[]);

/** All m entries, whole on every rank. Collective. */
PetscErrorCode RowsGatherAll(Rows rows, Vec v, PetscReal all[]);

/** v = the owned ones of all m entries, which every rank has. Collective. */
PetscErrorCode RowsSetAll(Rows rows, const PetscReal all[], Vec v);

/** v = the sum over the group's ranks of their `group` (the group's rows). Collective. */
PetscErrorCode RowsSumGroup(Rows rows, const PetscReal group[], Vec v);
