/*
  checkpoint.c: see checkpoint.h.
*/
#include "codim/checkpoint.h"
#include <string.h>
#include <unistd.h>

typedef char Path[PETSC_MAX_PATH_LEN];

static PetscErrorCode Paths(const char dir[], Path weights, Path json)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(weights, sizeof(Path), "%s/checkpoint.safetensors", dir));
  PetscCall(PetscSNPrintf(json, sizeof(Path), "%s/checkpoint.json", dir));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointWrite(Parameters parameters, Vec theta, const json_t *options, const char dir[])
{
  const Grid grid = ParametersGrid(parameters);
  Path       weights, json, beside;
  PetscBool  ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(Paths(dir, weights, json));
  PetscCall(PetscSNPrintf(beside, sizeof(beside), "%s.new", json));
  PetscCall(WeightsWrite(parameters, theta, weights));
  if (grid->rank == 0) ok = (PetscBool)(json_dump_file(options, beside, JSON_INDENT(2)) == 0 && rename(beside, json) == 0);
  PetscCall(UserCheck(grid->world, ok, STATUS_DATA, "cannot write %s: is the directory writable, and is there space?", json));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* which key of the job's options differs from the checkpoint's; NULL if none */
static const char *FirstDifference(const json_t *options, const json_t *theirs)
{
  const char *key;
  json_t     *value;

  json_object_foreach((json_t *)options, key, value)
  {
    if (!json_equal(value, json_object_get(theirs, key))) return key;
  }
  return NULL;
}

static void CheckOptions(const char path[], const json_t *options, Complaint *complaint)
{
  json_error_t error;
  json_t      *theirs = json_load_file(path, 0, &error);
  const char  *key    = theirs ? FirstDifference(options, theirs) : NULL;

  if (!theirs)
    Complain(complaint, STATUS_DATA, "%s is damaged (%s): remove it to start afresh", path, error.text);
  else if (key)
    Complain(complaint, STATUS_DATA, "%s belongs to a job with another %s: remove it to start afresh, or choose another output",
             path, key);
  json_decref(theirs);
}

PetscErrorCode CheckpointRead(Parameters parameters, const json_t *options, const char dir[], Vec theta, PetscBool *found)
{
  const Grid  grid = ParametersGrid(parameters);
  Path        weights, json;
  Complaint   complaint = {0};
  PetscMPIInt there     = 0;

  PetscFunctionBeginUser;
  PetscCall(Paths(dir, weights, json));
  if (grid->rank == 0 && access(json, F_OK) == 0) {
    there = 1;
    CheckOptions(json, options, &complaint);
  }
  PetscCall(ComplaintRaise(grid->world, &complaint));
  PetscCallMPI(MPI_Bcast(&there, 1, MPI_INT, 0, grid->world));
  *found = (PetscBool)there;
  if (there) PetscCall(WeightsRead(parameters, weights, theta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CheckpointRemove(MPI_Comm comm, const char dir[])
{
  Path        weights, json;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(Paths(dir, weights, json));
  if (rank == 0) {
    (void)unlink(json);
    (void)unlink(weights);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
