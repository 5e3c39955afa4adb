/*
  spectrum_file.h: spectra in an HDF5 file (spectrum.h5), every dataset with its definition.
*/
#pragma once

#include "base.h"

typedef struct SpectrumFile_s *SpectrumFile;

/** Rank 0 of comm collects what is written, in memory. Collective. */
PetscErrorCode SpectrumFileCreate(MPI_Comm comm, const char path[], SpectrumFile *file);

/** A dataset of n reals at e.g. "/hessian/positive" (groups are made), with the attributes definition, convention and order.
    `values` is read on rank 0. n = 0 writes an empty dataset. 8 n bytes on rank 0 until the file is closed. Collective. */
PetscErrorCode SpectrumFileWrite(SpectrumFile file, const char dataset[], PetscInt n, const PetscReal values[],
                                 const char definition[], const char convention[], const char order[]);

/** The file is written beside its place and renamed. STATUS_DATA with the system's reason if that fails. Collective. */
PetscErrorCode SpectrumFileClose(SpectrumFile *file);

/** A dataset of such a file, for malloc's free; NULL and *n = 0 where it is not there. Serial. */
PetscReal *SpectrumFileRead(const char path[], const char dataset[], PetscInt *n);
