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

/** |eigenvalue| on a log axis against the index 1…n (log, so that both the m positives and the n-m zeros can be seen): the positives,
    the measured zero cluster, the gap between them marked with its width in decades, the resolution as a line; labelled, readable in
    black and white, colour-blind safe, light and dark. Rank 0 writes. STATUS_DATA if it cannot be written. Collective. */
PetscErrorCode FigureWriteSpectrum(MPI_Comm comm, const char path[], const SpectrumFigure *figure);
