/*
  store.h: weights in files others read: safetensors.

  A file is 8 bytes N, little-endian; N bytes of JSON, {name: {dtype, shape, data_offsets}, …}; then the tensors, little-endian,
  row-major, without gaps. Files are written beside their place and renamed when complete. A file that cannot be written or read is
  STATUS_DATA with the system's reason. The host's byte order does not matter.
*/
#pragma once

#include "parameters.h"
#include "spectrum_file.h"

/** theta to a safetensors file: every label under its name, F64, its shape, canonical order: the same bytes on every grid. Each rank
    writes its own runs (MPI-IO), 8 MiB at a time. `path` must be on a file system that all ranks see. Collective. */
PetscErrorCode WeightsWrite(Parameters parameters, Vec theta, const char path[]);

/** theta from a safetensors file (F64, F32, F16, BF16). Every label must be there with its shape, and nothing else; the message
    names the first tensor that is missing, unknown or of another shape, with both shapes, and the first NaN or inf. Truncated files and
    damaged headers are refused; theta is then undefined. Each rank reads its own runs, 8 MiB at a time. STATUS_DATA. Collective. */
PetscErrorCode WeightsRead(Parameters parameters, const char path[], Vec theta);
