/*
  network_file.h: from the list of ops as JSON (network.h) to the net.
*/
#pragma once

#include "codim/network.h"

/* Fill net->ops and net->labels. Every user error names what it is about. Not collective: the same on every rank. */
PetscErrorCode NetworkReadList(const json_t *file, PetscInt inputs, PetscInt outputs, Network net, Complaint *complaint);

/* A JSON file, read on rank 0; a new reference on every rank. STATUS_USAGE if there is none, or it is none: `key` is the option. Collective. */
PetscErrorCode JSONFileRead(MPI_Comm comm, const char key[], const char path[], json_t **json);
