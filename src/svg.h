/*
  svg.h: what the figures share: text, numbers, and writing a file.
*/
#pragma once

#include "codim/base.h"

/* XML text; control characters are no XML and are left out. */
void SvgPutEscaped(FILE *out, const char text[]);

/* How many characters a reader sees. */
PetscReal SvgGlyphs(const char text[]);

/* 10^power with a raised exponent, as the content of a <text>: 1, 10, 10³ by <tspan class="up">. */
void SvgPutPower(FILE *out, PetscInt power);

typedef PetscErrorCode SvgDrawFn(FILE *out, const void *context);

/* Drawn into a file beside path, with a decimal point whatever the locale, and renamed; a complaint (STATUS_DATA) if it cannot be written. Serial. */
PetscErrorCode SvgWrite(const char path[], SvgDrawFn *draw, const void *context, Complaint *complaint);

/* The same on rank 0. Collective. */
PetscErrorCode SvgWriteFile(MPI_Comm comm, const char path[], SvgDrawFn *draw, const void *context);
