/*
  capture.h: what this rank writes to a file descriptor (1 or 2) between CaptureBegin and CaptureEnd, as text.
*/
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  int   fd, original;
  FILE *file;
} Capture;

static inline Capture CaptureBegin(int fd)
{
  Capture capture = {fd, dup(fd), tmpfile()};

  fflush(NULL);
  dup2(fileno(capture.file), fd);
  return capture;
}

static inline void CaptureEnd(Capture *capture, char text[], size_t size)
{
  fflush(NULL);
  dup2(capture->original, capture->fd);
  close(capture->original);
  rewind(capture->file);
  text[fread(text, 1, size - 1, capture->file)] = 0;
  fclose(capture->file);
}

static inline int CountLines(const char text[])
{
  int lines = 0;

  for (; *text; text++) lines += *text == '\n';
  return lines;
}
