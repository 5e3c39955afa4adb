/*
  certify_measure.h: the trajectory and adjoints of a certificate, and their norms.
*/
#pragma once

#include "certify_bounds.h"
#include "codim/residual.h"

/* Norms at this rank's owned points; what the recursions need of the trajectory and the adjoint. */
typedef struct {
  PetscInt   start, points, rows, nvalues; /* start: the first point, of the data */
  PetscInt  *first;                        /* points + 1: point i has the rows first[i] … first[i+1] - 1 of these */
  Measure   *at;                           /* nvalues x points */
  PetscReal *bar;                          /* nvalues x rows: |lambda_o| */
  PetscReal *H;                            /* rows: output - y, rounded once */
  PetscBool *reached;                      /* nvalues: there is a path to the output */
} * Measures;

/* trajectory: at theta, by split forward passes where an op has one; eps[v] is NULL, or an entry for each point of the group, to be
   freed. Collective. */
PetscErrorCode SplitForward(ResidualMap map, Vec theta, Trajectory trajectory, PetscReal *eps[]);

/* From a trajectory and the adjoint of the residuals' unit seeds (ADJOINT_FIXED_TOO). *same: the ranks of each group hold the same doubles, on which all
   bounds rest; equal on every rank. eps NULL: none are measured. Collective. */
PetscErrorCode MeasuresCreate(ResidualMap map, Trajectory trajectory, Adjoint units, PetscReal *const eps[], PetscBool *same,
                              Measures *measures);
/* *same: of an adjoint alone. Collective. */
PetscErrorCode CompareAdjoints(ResidualMap map, Adjoint adjoint, PetscBool *same);

PetscErrorCode MeasuresDestroy(Measures *measures);

/* Cost (cost.h) of SplitForward. Not collective. */
void SplitForwardCost(const Sizes *sizes, Cost *cost);
