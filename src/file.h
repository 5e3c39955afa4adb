/*
  file.h: files that a crash leaves whole: written beside their place, forced to the disk, and renamed. Not collective: one rank.
*/
#pragma once

#include "codim/base.h"
#include <jansson.h>

typedef char FilePath[PETSC_MAX_PATH_LEN];

/* PATH.new: where it is written. 0, or ENAMETOOLONG. */
int FileBeside(const char path[], FilePath beside);

/* beside, complete by now, takes the place of path; it is removed where that fails. 0 or errno. */
int FilePublish(const char beside[], const char path[]);

/* All of it, or nothing. 0 or errno. */
int FileWrite(const char path[], const void *bytes, size_t size);

/* Room for the first so many bytes of an open file, where the file system can promise that. 0 or errno: a full disk is known now. */
int FileReserve(int fd, PetscInt64 bytes);

/* STATUS_DATA: it cannot be written, why, and what to do. */
void FileComplain(Complaint *complaint, const char path[], int reason);

/* As FileWrite, with a newline at the end; flags are jansson's. */
void FileWriteJSON(const char path[], const json_t *json, size_t flags, Complaint *complaint);
