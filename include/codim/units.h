/*
  units.h: the losses other programs take, so that their Hessians can be compared with those of L = |H|^2.

  Each is a constant times the plain sum over the m residuals of d points; so is its Hessian, and every eigenvalue of it:
  eigenvalue there = factor x eigenvalue here.
*/
#pragma once

#include <petscsys.h>

typedef struct {
  const char *name;  /* in report.json */
  const char *words; /* in the summary */
  PetscReal   scale;
  PetscBool   over_points, over_residuals; /* factor = scale / (d if over_points) / (m if over_residuals) */
} Unit;

/** The losses: |H|^2/2, the mean over points, and PyTorch's MSELoss (mean over all that was observed); a NULL name ends the list. */
extern const Unit Units[];

/** Not collective. */
PetscReal UnitFactor(const Unit *unit, PetscInt d, PetscInt m);
