/*
  units.c: see units.h.
*/
#include "codim/units.h"

const Unit Units[] = {{"half_sum", "|H|^2/2", .5, PETSC_FALSE, PETSC_FALSE},
                      {"mean_over_points", "a mean over points", 1, PETSC_TRUE, PETSC_FALSE},
                      {"pytorch_mseloss", "PyTorch's MSELoss", 1, PETSC_FALSE, PETSC_TRUE},
                      {NULL, NULL, 0, PETSC_FALSE, PETSC_FALSE}};

PetscReal UnitFactor(const Unit *unit, PetscInt d, PetscInt m)
{
  return unit->scale / ((unit->over_points ? (PetscReal)d : 1) * (unit->over_residuals ? (PetscReal)m : 1));
}
