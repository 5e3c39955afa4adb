/*
  memory.c: how much memory there is and is used: of the node, of the control groups this process is in (what Slurm, containers and systemd limit a job
  by), and of its own limits. See base.h.
*/
#include "codim/base.h"
#include <math.h>
#include <string.h>
#include <sys/resource.h>

/* the first number that a line of the file has in that format; -1: none */
static long long FirstNumber(const char path[], const char format[])
{
  FILE     *file = fopen(path, "r");
  char      line[256];
  long long value = -1;

  while (file && value < 0 && fgets(line, sizeof line, file))
    if (sscanf(line, format, &value) != 1) value = -1;
  if (file) fclose(file);
  return value;
}

/* of a line in KiB of a file of /proc; -1: there is none */
static PetscReal ProcBytes(const char path[], const char format[])
{
  const long long kib = FirstNumber(path, format);

  return kib < 0 ? -1 : 1024. * (PetscReal)kib;
}

/* ---- control groups ------------------------------------------------------------------------------------------------------------ */

typedef struct {
  const char *root, *limit, *usage, *reclaimable; /* the last: a line of memory.stat */
} GroupKind;

static const GroupKind Version1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                   "total_inactive_file %lld"};
static const GroupKind Version2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file %lld"};

/* of a file of the group; -1: none, or no limit ("max") */
static PetscReal GroupNumber(const GroupKind *kind, const char group[], const char name[], const char format[])
{
  char path[PETSC_MAX_PATH_LEN + 128];

  snprintf(path, sizeof path, "%s%s/%s", kind->root, group, name);
  return (PetscReal)FirstNumber(path, format);
}

/* what the group and those around it leave; its name is used up */
static PetscReal GroupAvailable(const GroupKind *kind, char group[])
{
  PetscReal least = INFINITY;

  for (;;) {
    const PetscReal limit = GroupNumber(kind, group, kind->limit, "%lld"), usage = GroupNumber(kind, group, kind->usage, "%lld");
    const PetscReal reclaimable = GroupNumber(kind, group, "memory.stat", kind->reclaimable);
    const PetscReal left        = limit < 0 || usage < 0 ? (PetscReal)INFINITY : limit - usage + PetscMax(0, reclaimable);
    char           *slash       = strrchr(group, '/');

    least = PetscMin(least, PetscMax(0, left));
    if (!slash) return least;
    *slash = '\0';
  }
}

/* lines of /proc/self/cgroup: "0::/path", "4:memory:/path", "4:cpu,memory:/path" */
static PetscReal GroupsAvailable(void)
{
  FILE     *file  = fopen("/proc/self/cgroup", "r");
  PetscReal least = INFINITY, left;
  char      line[PETSC_MAX_PATH_LEN];

  while (file && fgets(line, sizeof line, file)) {
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!path) continue;
    *path++                   = '\0';
    path[strcspn(path, "\n")] = '\0';
    controllers++;
    if (controllers[0] && !strstr(controllers, "memory")) continue;
    left  = GroupAvailable(controllers[0] ? &Version1 : &Version2, path);
    least = PetscMin(least, left);
  }
  if (file) fclose(file);
  return least;
}

/* ---- what the others ask for ------------------------------------------------------------------------------------------------------ */

PetscReal MemoryOnNode(void)
{
  const PetscReal bytes = ProcBytes("/proc/meminfo", "MemAvailable: %lld"), groups = GroupsAvailable();

  return bytes < 0 ? groups : PetscMin(bytes, groups);
}

PetscReal MemoryResident(void)
{
  const PetscReal bytes = ProcBytes("/proc/self/status", "VmRSS: %lld");

  return PetscMax(0, bytes);
}

PetscReal MemoryPeak(void)
{
  const PetscReal bytes = ProcBytes("/proc/self/status", "VmHWM: %lld");

  return PetscMax(0, bytes);
}

/* what ulimit -v and -d leave this process */
static PetscReal ProcessAvailable(void)
{
  const PetscReal space = ProcBytes("/proc/self/status", "VmSize: %lld"), data = ProcBytes("/proc/self/status", "VmData: %lld");
  struct rlimit   limit;
  PetscReal       least = INFINITY;

  if (!getrlimit(RLIMIT_AS, &limit) && limit.rlim_cur != RLIM_INFINITY && space >= 0) least = (PetscReal)limit.rlim_cur - space;
  if (!getrlimit(RLIMIT_DATA, &limit) && limit.rlim_cur != RLIM_INFINITY && data >= 0)
    least = PetscMin(least, (PetscReal)limit.rlim_cur - data);
  return PetscMax(0, least);
}

PetscErrorCode MemoryAvailable(MPI_Comm comm, PetscReal limit, PetscReal *bytes)
{
  const PetscReal here = MemoryOnNode(), process = ProcessAvailable();
  MPI_Comm        node;
  PetscMPIInt     ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &ranks));
  PetscCallMPI(MPI_Comm_free(&node));
  *bytes = PetscMin(here / ranks, process);
  if (limit > 0) {
    const PetscReal part = limit / ranks - MemoryResident();

    *bytes = PetscMin(*bytes, part);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bytes, 1, MPIU_REAL, MPI_MIN, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
