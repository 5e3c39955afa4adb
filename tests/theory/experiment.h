/*
  experiment.h: what the experiments share: PROGRAM JOB.yaml DIRECTORY [-option value …]. A job file of the usual keys says data, net and seeds; its
  claims are printed as TAP, its numbers and its figure go to DIRECTORY.
*/
#pragma once

#include "codim/plot.h"
#include "codim/spectrum.h"
#include "codim/table.h"
#include "problem.h"
#include <string.h>

typedef struct {
  DataOptions  data;
  NetOptions   net;
  ReachOptions reach;
  OptionString job, out;
} Experiment;

static inline PetscErrorCode ExperimentRead(Experiment *e)
{
  PetscFunctionBeginUser;
  PetscCall(BaseInitialize());
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Data", DataKeys, &e->data));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Net", NetKeys, &e->net));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Reaching a zero", ReachKeys, &e->reach));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline void ExperimentBegin(int argc, char **argv, Experiment *e)
{
  static char  skip[] = "-skip_petscrc", file[] = "-options_file_yaml";
  static char *arguments[64];
  char       **given = arguments;
  int          count = 0;

  if (argc < 3 || argc > 60) {
    fprintf(stderr, "usage: %s JOB.yaml DIRECTORY [-option value ...]\n", argv[0]);
    exit(STATUS_USAGE);
  }
  arguments[count++] = argv[0];
  arguments[count++] = skip;
  arguments[count++] = file;
  for (int i = 1; i < argc; i++)
    if (i != 2) arguments[count++] = argv[i];
  (void)PetscStrncpy(e->job, argv[1], sizeof e->job);
  (void)PetscStrncpy(e->out, argv[2], sizeof e->out);
  TapCall(SlepcInitialize(&count, &given, NULL, NULL));
  TapCall(ExperimentRead(e));
}

/* the job's net, as changed, on its data, as changed, at the start that net.seed gives */
static inline PetscErrorCode ExperimentProblem(const Experiment *e, Problem *problem)
{
  Data data;

  PetscFunctionBeginUser;
  PetscCall(DataCreate(PETSC_COMM_WORLD, &e->data, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &e->net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma_min of J, what it is known to, and the rank if it is decided */
static inline PetscErrorCode ExperimentSpectrum(Problem *problem, Spectrum *spectrum)
{
  const SpectrumOptions options = {.assembled_max = 4e9};
  Tiles                 K;
  PetscBool             factored;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(SpectrumCompute(problem->jacobian, &options, K, &factored, spectrum));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The program asks for n > m. Where n <= m is wanted, the net, an mlp, gets an idle parameter, of which 0 times some entries is added: K is the same. n is counted
   without it. */
static inline PetscErrorCode ExperimentPad(Experiment *e, PetscInt inputs, PetscInt outputs, PetscInt idle, PetscInt64 *n)
{
  Network      net;
  OptionString path;
  json_t      *ops, *last;

  PetscFunctionBeginUser;
  e->net.arch = 0;
  PetscCall(NetworkCreate(PETSC_COMM_WORLD, &e->net, inputs, outputs, &net));
  *n   = NetworkSize(net);
  ops  = json_object_get(net->file, "ops");
  last = json_object_get(json_array_get(ops, json_array_size(ops) - 1), "name");
  json_array_append_new(json_object_get(net->file, "parameters"),
                        json_pack("{s:s, s:[I]}", "name", "idle", "shape", (json_int_t)idle));
  json_array_append_new(ops, json_pack("{s:s, s:s, s:{s:s}}", "name", "idle", "op", "parameter", "parameters", "value", "idle"));
  json_array_append_new(ops, json_pack("{s:s, s:s, s:[s], s:{s:i, s:I}}", "name", "some", "op", "slice", "inputs", "idle",
                                       "attributes", "first", 0, "last", (json_int_t)outputs));
  json_array_append_new(ops, json_pack("{s:s, s:s, s:[s], s:{s:[f], s:[f]}}", "name", "none", "op", "affine", "inputs", "some",
                                       "attributes", "scale", 0., "shift", 0.));
  json_array_append_new(ops, json_pack("{s:s, s:s, s:[O, s]}", "name", "sum", "op", "add", "inputs", last, "none"));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/padded.json", e->out));
  PetscCall(NetworkWrite(PETSC_COMM_WORLD, net, path));
  PetscCall(NetworkDestroy(&net));
  PetscCall(PetscStrncpy(e->net.file, path, sizeof e->net.file));
  while (strcmp(NetKeys[0].choices[e->net.arch], "ops") != 0) e->net.arch++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode ExperimentWrite(const Experiment *e, const char name[], const Plot *plot, PetscInt rows,
                                             const TableColumn columns[])
{
  OptionString path;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/%s.svg", e->out, name));
  PetscCall(PlotWrite(PETSC_COMM_WORLD, path, plot));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/%s.csv", e->out, name));
  PetscCall(TableWriteCSV(PETSC_COMM_WORLD, path, rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline int Ascending(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;

  return (x > y) - (x < y);
}

/* of n numbers, which are sorted then: the quantile q in [0,1] */
static inline PetscReal Quantile(PetscInt n, PetscReal x[], PetscReal q)
{
  qsort(x, (size_t)n, sizeof *x, Ascending);
  return x[(PetscInt)(q * (PetscReal)(n - 1) + .5)];
}
