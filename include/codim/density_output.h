/*
  density_output.h: a density beside the spectrum that is known, as numbers and as a picture.
*/
#pragma once

#include "density.h"
#include <jansson.h>

typedef struct {
  const char      *title;
  const Density   *density;
  PetscInt         count;  /* eigenvalues known; the other n - count are 0. -1: the spectrum is not known */
  const PetscReal *lambda; /* count, any order */
  const char      *source; /* of what is known: "2 lambda(K)" */
  const Density   *known;  /* DensityOfSpectrum of them, by the same steps; NULL where not known */
} DensityView;

/** How many of the known eigenvalues lie within the density's resolution of 0. Not collective. */
PetscReal DensityKnownZeros(const DensityView *view);

/** For report.json; what is not known is null. A new reference. Not collective. */
json_t *DensityToJSON(const DensityView *view);

/** path.csv: the numbers of eigenvalues beyond t = 10^(k/4), both signs: quadrature, its error, its bracket, the same steps on the known spectrum,
    and what is known; path.svg: the picture of that, and a histogram. Collective. */
PetscErrorCode DensityDraw(MPI_Comm comm, const char path[], const DensityView *view);
