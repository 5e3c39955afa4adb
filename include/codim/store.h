/*
  store.h: weights and spectra in files others read: safetensors and HDF5.

  Files are written beside their place and renamed when complete. A file that cannot be written or read is STATUS_DATA with the
  system's reason.
*/
#pragma once

#include "parameters.h"

/** theta to a safetensors file: every label under its name, F64, its shape, canonical order. Each rank writes its own runs (MPI-IO);
    no rank holds more than its part. Collective. */
PetscErrorCode WeightsWrite(Parameters parameters, Vec theta, const char path[]);

/** theta from a safetensors file (F64, F32, F16, BF16). Every label must be there with its shape, and nothing else; the message
    names the first tensor that is missing, unknown or of another shape, with both shapes, and the first NaN or inf. Truncated files and
    damaged headers are refused. Each rank reads its own runs. STATUS_DATA. Collective. */
PetscErrorCode WeightsRead(Parameters parameters, const char path[], Vec theta);

/* ---- spectrum.h5 --------------------------------------------------------------------------------------------------- */

typedef struct SpectrumFile_s *SpectrumFile;

/** Rank 0 of comm writes; the file gets its name at SpectrumFileClose. Collective. */
PetscErrorCode SpectrumFileCreate(MPI_Comm comm, const char path[], SpectrumFile *file);

/** A dataset of n reals at e.g. "/hessian/positive" (groups are made), with the attributes definition, convention and order.
    `values` is read on rank 0. n = 0 writes an empty dataset. Collective. */
PetscErrorCode SpectrumFileWrite(SpectrumFile file, const char dataset[], PetscInt n, const PetscReal values[],
                                 const char definition[], const char convention[], const char order[]);
PetscErrorCode SpectrumFileClose(SpectrumFile *file);
