/*
  figure.h: the picture of a spectrum, as a self-contained SVG file.
*/
#pragma once

#include "base.h"

typedef struct {
  const char      *title;     /* e.g. "digits: tanh 64-1024-1024-1" */
  PetscInt         npositive; /* positive eigenvalues of the Hessian, descending */
  const PetscReal *positive;
  PetscInt64       nzero;     /* multiplicity of the zero eigenvalue, by dimension */
  PetscInt         nmeasured; /* measured eigenvalues of the zero cluster, any order and sign; their sizes are drawn */
  const PetscReal *measured;
  PetscReal        resolution; /* on the eigenvalue axis: below it the method cannot tell from zero; 0: not drawn */
} SpectrumFigure;

/** |eigenvalue| on a log axis against the index 1…n (log, so that both the m positives and the n-m zeros can be seen): the positives
    (at most 1500 of them drawn, both ends included), the zeros in a row of their own under the axis, the measured zero cluster by
    descending size (negative ones filled), the gap between them marked with its width in decades, the resolution as a line; labelled,
    readable in black and white, colour-blind safe, light and dark. Values that are not finite are left out. Rank 0 reads `figure` and
    writes, beside the place first. STATUS_DATA if it cannot be written. Collective. */
PetscErrorCode FigureWriteSpectrum(MPI_Comm comm, const char path[], const SpectrumFigure *figure);
