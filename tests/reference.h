/*
  reference.h: a case of tests/reference, whose README says what it holds, on any grid.
*/
#pragma once

#include "codim/store.h"
#include "problem.h"
#include <hdf5.h>
#include <jansson.h>
#include <unistd.h>

typedef struct {
  char        folder[128];
  const char *name;
  NetOptions  net;
  PetscInt    d, l, m, n, rank, positive, negative;           /* rank: of J; signature of the Hessian */
  PetscReal  *output, *loss, *gradient, *direction, *product; /* product: Hessian times direction */
  PetscReal  *J, *lambda, *sigma;                             /* m x n row-major; ascending; descending */
  PetscReal   output_size, J_size;                            /* largest entries */
} Case;

static inline PetscErrorCode ReadArray(hid_t file, const char name[], PetscInt count, PetscReal **values)
{
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);

  PetscFunctionBeginUser;
  PetscCheck(H5Sget_simple_extent_npoints(space) == count, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s", name);
  PetscCall(PetscMalloc1(count, values));
  PetscCheck(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_READ,
             "%s", name);
  H5Sclose(space);
  H5Dclose(set);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode ReadExpected(Case *c)
{
  char  path[160];
  hid_t file;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/expected.h5", c->folder));
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  PetscCheck(file >= 0, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  PetscCall(ReadArray(file, "/output", c->m, &c->output));
  PetscCall(ReadArray(file, "/loss", 1, &c->loss));
  PetscCall(ReadArray(file, "/jacobian", c->m * c->n, &c->J));
  PetscCall(ReadArray(file, "/gradient", c->n, &c->gradient));
  PetscCall(ReadArray(file, "/direction", c->n, &c->direction));
  PetscCall(ReadArray(file, "/hessian_times_direction", c->n, &c->product));
  PetscCall(ReadArray(file, "/hessian_eigenvalues", c->n, &c->lambda));
  PetscCall(ReadArray(file, "/singular_values", c->m, &c->sigma));
  H5Fclose(file);
  c->output_size = Largest(c->m, c->output);
  c->J_size      = Largest(c->m * c->n, c->J);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscInt Int(const json_t *json, const char key[])
{
  return (PetscInt)json_integer_value(json_object_get(json, key));
}

static inline PetscInt IntOr(const json_t *json, const char key[], PetscInt otherwise)
{
  return json_object_get(json, key) ? Int(json, key) : otherwise;
}

static inline void Ints(const json_t *json, const char key[], OptionInts *ints)
{
  const json_t *list = json_object_get(json, key);

  ints->n = (PetscInt)json_array_size(list);
  for (PetscInt i = 0; i < ints->n; i++) ints->v[i] = (PetscInt)json_integer_value(json_array_get(list, (size_t)i));
}

/* the place of a name among others, 0 if there is none */
static inline PetscInt Choice(const json_t *json, const char key[], const char *const names[])
{
  const char *name = json_string_value(json_object_get(json, key));

  for (PetscInt i = 0; name && names[i]; i++)
    if (!strcmp(names[i], name)) return i;
  return 0;
}

/* the net's keys; what a case leaves out has the key's default */
static inline PetscErrorCode ReadNet(const json_t *json, Case *c)
{
  static const char *const archs[] = {"mlp", "cnn", "rnn", "resnet", "graph", "ops", NULL}, *const cells[] = {"rnn", "lstm", "gru",
                                                                                                              NULL};
  static const char *const poolings[] = {"mean", "max", NULL};
  const char              *activation = json_string_value(json_object_get(json, "activation"));

  PetscFunctionBeginUser;
  c->net.arch = Choice(json, "arch", archs);
  c->net.cell = Choice(json, "cell", cells);
  Ints(json, "widths", &c->net.widths);
  Ints(json, "shape", &c->net.shape);
  Ints(json, "channels", &c->net.channels);
  c->net.kernel      = IntOr(json, "kernel", 3);
  c->net.pool        = IntOr(json, "pool", 2);
  c->net.pooling     = Choice(json, "pooling", poolings);
  c->net.steps       = Int(json, "steps");
  c->net.step_inputs = Int(json, "step_inputs");
  c->net.hidden      = Int(json, "hidden");
  c->net.width       = Int(json, "width");
  c->net.blocks      = Int(json, "blocks");
  c->net.bias        = (PetscBool)!json_is_false(json_object_get(json, "bias"));
  PetscCall(PetscStrncpy(c->net.activation, activation ? activation : "tanh", sizeof c->net.activation));
  PetscCall(PetscSNPrintf(c->net.file, sizeof c->net.file, "%s/net.json", c->folder));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the graph as a file of its own, for rank 0 to read */
static inline PetscErrorCode WriteGraph(const json_t *graph, Case *c)
{
  PetscFunctionBeginUser;
  if (!graph) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSNPrintf(c->net.graph, sizeof c->net.graph, "/tmp/codim-test-%d.json", (int)getpid()));
  PetscCheck(!json_dump_file(graph, c->net.graph, 0), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", c->net.graph);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode CaseCreate(const char name[], Case *c)
{
  char    path[160];
  json_t *json;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(c, sizeof *c));
  c->name = name;
  PetscCall(PetscSNPrintf(c->folder, sizeof c->folder, "tests/reference/%s", name));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/case.json", c->folder));
  json = json_load_file(path, 0, NULL);
  PetscCheck(json, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  PetscCall(ReadNet(json, c));
  PetscCall(WriteGraph(json_object_get(json, "graph"), c));
  c->d        = Int(json, "points");
  c->l        = Int(json, "outputs");
  c->m        = Int(json, "residuals");
  c->n        = Int(json, "parameters");
  c->rank     = Int(json, "rank_jacobian");
  c->positive = Int(json, "hessian_positive");
  c->negative = Int(json, "hessian_negative");
  json_decref(json);
  PetscCall(ReadExpected(c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static inline PetscErrorCode CaseDestroy(Case *c)
{
  PetscFunctionBeginUser;
  if (c->net.graph[0]) (void)unlink(c->net.graph);
  PetscCall(PetscFree(c->output));
  PetscCall(PetscFree(c->loss));
  PetscCall(PetscFree(c->J));
  PetscCall(PetscFree(c->gradient));
  PetscCall(PetscFree(c->direction));
  PetscCall(PetscFree(c->product));
  PetscCall(PetscFree(c->lambda));
  PetscCall(PetscFree(c->sigma));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the case's net, points and weights on G x size/G ranks */
static inline PetscErrorCode CaseProblem(const Case *c, PetscInt G, Problem *problem)
{
  DataOptions options = {.points = 0};
  Data        data;
  char        path[160];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(options.file, sizeof options.file, "%s/data.h5", c->folder));
  PetscCall(DataCreate(PETSC_COMM_WORLD, &options, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &c->net, problem));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/weights.safetensors", c->folder));
  PetscCall(WeightsRead(problem->parameters, path, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}
