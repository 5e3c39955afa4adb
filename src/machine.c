/*
  machine.c: see machine.h.
*/
#include "codim/machine.h"
#include <string.h>

/* OpenBLAS' own; NULL with another BLAS */
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern int   openblas_get_parallel(void) __attribute__((weak));

static void ProcessorName(size_t size, char name[])
{
  FILE *file = fopen("/proc/cpuinfo", "r");
  char  line[256];

  (void)PetscStrncpy(name, "unknown processor", size);
  while (file && fgets(line, sizeof(line), file)) {
    const char *value = strncmp(line, "model name", 10) ? NULL : strchr(line, ':');

    if (!value) continue;
    line[strcspn(line, "\n")] = '\0';
    (void)PetscStrncpy(name, value + 2, size);
    break;
  }
  if (file) (void)fclose(file);
}

BlasThreads MachineBlasThreads(void)
{
  return openblas_get_parallel ? (BlasThreads)openblas_get_parallel() : BLAS_UNKNOWN;
}

void MachineName(size_t size, char name[])
{
  static const char *const threads[]   = {"no threads", "its own threads", "OpenMP", "unknown threads"};
  char                     version[16] = "";
  size_t                   length;

  ProcessorName(size, name);
  if (!openblas_get_config || !openblas_get_corename) return;
  (void)sscanf(openblas_get_config(), "OpenBLAS %15s", version);
  length = strlen(name);
  (void)PetscSNPrintf(name + length, size - length, ", OpenBLAS %s (%s, %s)", version, openblas_get_corename(),
                      threads[MachineBlasThreads()]);
}
