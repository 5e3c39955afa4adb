/*
  file.h: files that a crash leaves whole: written beside their place, forced to the disk, and renamed. Not collective: one rank.
*/
#pragma once

#include <petscsys.h>

typedef char FilePath[PETSC_MAX_PATH_LEN];

/* PATH.new: where it is written. 0, or ENAMETOOLONG. */
int FileBeside(const char path[], FilePath beside);

/* beside, complete by now, takes the place of path; it is removed where that fails. 0 or errno. */
int FilePublish(const char beside[], const char path[]);

/* All of it, or nothing. 0 or errno. */
int FileWrite(const char path[], const void *bytes, size_t size);
