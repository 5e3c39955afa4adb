/*
  file.c: see file.h.
*/
#include "file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int FileBeside(const char path[], FilePath beside)
{
  const int length = snprintf(beside, sizeof(FilePath), "%s.new", path);

  return length < (int)sizeof(FilePath) ? 0 : ENAMETOOLONG;
}

/* what a directory or a file has is on the disk when this returns 0; file systems that cannot do it say EINVAL or EROFS */
static int Synchronize(const char path[])
{
  const int fd     = open(path, O_RDONLY);
  int       reason = 0;

  if (fd < 0) return errno;
  if (fsync(fd) && errno != EINVAL && errno != EROFS) reason = errno;
  close(fd);
  return reason;
}

/* the name is as durable as the bytes once its directory is synchronized */
static void SynchronizeDirectory(const char path[])
{
  FilePath    directory;
  const char *slash = strrchr(path, '/');

  snprintf(directory, sizeof directory, "%.*s", slash ? (int)PetscMax(slash - path, 1) : 1, slash ? path : ".");
  (void)Synchronize(directory);
}

int FilePublish(const char beside[], const char path[])
{
  int reason = Synchronize(beside);

  if (!reason && rename(beside, path)) reason = errno;
  if (reason)
    (void)unlink(beside);
  else
    SynchronizeDirectory(path);
  return reason;
}

static int WriteBytes(const char path[], const char *bytes, size_t size)
{
  const int fd     = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  int       reason = 0;

  if (fd < 0) return errno;
  for (size_t done = 0; done < size && !reason;) {
    const ssize_t count = write(fd, bytes + done, size - done);

    if (count > 0)
      done += (size_t)count;
    else if (count == 0 || errno != EINTR)
      reason = count == 0 ? ENOSPC : errno;
  }
  if (close(fd) && !reason) reason = errno;
  if (reason) (void)unlink(path);
  return reason;
}

int FileWrite(const char path[], const void *bytes, size_t size)
{
  FilePath beside;
  int      reason = FileBeside(path, beside);

  if (!reason) reason = WriteBytes(beside, bytes, size);
  return reason ? reason : FilePublish(beside, path);
}

int FileReserve(int fd, PetscInt64 bytes)
{
  const int reason = posix_fallocate(fd, 0, (off_t)bytes);

  return reason == EOPNOTSUPP || reason == ENOSYS || reason == EINVAL ? 0 : reason;
}

void FileComplain(Complaint *complaint, const char path[], int reason)
{
  Complain(complaint, STATUS_DATA, "%s cannot be written: %s. Make room there, or choose another `output`", path, strerror(reason));
}

void FileWriteJSON(const char path[], const json_t *json, size_t flags, Complaint *complaint)
{
  char  *text   = json_dumps(json, flags);
  size_t size   = text ? strlen(text) : 0;
  int    reason = EINVAL; /* not a number, or not UTF-8: json_dumps says no more */

  if (text) {
    text[size] = '\n'; /* where the final 0 was */
    reason     = FileWrite(path, text, size + 1);
  }
  if (reason) FileComplain(complaint, path, reason);
  free(text);
}
