/*
  archive.h: named values to and from an HDF5 file. One description of a state, an ArchiveFn, serves both directions:

    static PetscErrorCode PointArchive(Archive archive, void *context)
    {
      Point *p = (Point *)context;

      PetscFunctionBeginUser;
      PetscCall(ArchiveInt(archive, "steps", &p->steps));
      if (ArchiveReading(archive)) PetscCall(PetscMalloc1(p->steps, &p->loss));
      PetscCall(ArchiveReals(archive, "loss", p->steps, p->loss));
      PetscCall(ArchiveVec(archive, "theta", p->parameters, p->theta));
      PetscFunctionReturn(PETSC_SUCCESS);
    }

  The file: 512 bytes of text, then HDF5 (they are its user block). The text is the format's version, the number of bytes of the file,
  and the SHA-256 of the CRC-32s (8 hexadecimal digits each) of its blocks of 4 MiB after the text: a file that was cut, or where a bit changed, is
  known before HDF5 sees it. n-sized Vecs are in the canonical order: any number of ranks and any grid reads what another wrote. Rank 0 holds
  all other values in memory until the file is written; the file is preallocated, so that a full disk is known before HDF5 writes (which
  does not survive it), then every rank writes its own entries (parallel HDF5) and hashes its share of the blocks.

  Every function is collective on the archive's communicator, with the same names and sizes on every rank.
*/
#pragma once

#include "parameters.h"

typedef struct Archive_s *Archive;

typedef PetscErrorCode ArchiveFn(Archive archive, void *context);

/** A new archive to write to; nothing is on disk before ArchiveWrite. */
PetscErrorCode ArchiveCreate(MPI_Comm comm, Archive *archive);

/** All that was archived, to `path`: beside it, forced to the disk, then renamed; what was at `path` survives any failure. Where it cannot be
    written, *complaint says why, on every rank; nothing is raised. Vecs must be as they were archived, still. */
PetscErrorCode ArchiveWrite(Archive archive, const char path[], Complaint *complaint);

/** An archive to read from; *archive is NULL where there is no such file. STATUS_DATA where it is damaged, or in another format. Reads all of it. */
PetscErrorCode ArchiveOpen(MPI_Comm comm, const char path[], Archive *archive);

PetscErrorCode ArchiveDestroy(Archive *archive);
PetscBool      ArchiveReading(Archive archive);

/** Until the matching leave, names are in this group: "spectrum" in /spectrum. They nest. Reading: *there says whether it is there (else do not
    enter); writing: true. */
PetscErrorCode ArchiveEnter(Archive archive, const char group[], PetscBool *there);
PetscErrorCode ArchiveLeave(Archive archive);

/* Writing takes rank 0's values, reading gives them to every rank. What the file does not have, or not in this size, is STATUS_DATA. */
PetscErrorCode ArchiveInt(Archive archive, const char name[], PetscInt *value);
PetscErrorCode ArchiveBool(Archive archive, const char name[], PetscBool *value);
PetscErrorCode ArchiveReal(Archive archive, const char name[], PetscReal *value);
PetscErrorCode ArchiveReals(Archive archive, const char name[], PetscInt n, PetscReal values[]);
PetscErrorCode ArchiveInt64s(Archive archive, const char name[], PetscInt n, PetscInt64 values[]);
PetscErrorCode ArchiveText(Archive archive, const char name[], size_t size, char text[]); /* at most size - 1 characters */

/** rows x columns reals that live on rank 0 alone (values is not used elsewhere), of any size. */
PetscErrorCode ArchiveRootMatrix(Archive archive, const char name[], PetscInt rows, PetscInt columns, PetscReal values[]);

/** An n-sized Vec; read, it must exist. 8 bytes an entry on disk, nothing in memory. */
PetscErrorCode ArchiveVec(Archive archive, const char name[], Parameters parameters, Vec v);

/** A struct of plain values, as the bytes it has in memory: for the program that wrote it only. Pointers in it must be set after reading. */
PetscErrorCode ArchiveStruct(Archive archive, const char name[], size_t size, void *values);
