/*
  reference.h: a case of tests/reference, whose README says what it holds: the mlps, on any grid.
*/
#pragma once

#include "codim/store.h"
#include "problem.h"
#include <hdf5.h>
#include <jansson.h>

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

static inline PetscErrorCode CaseCreate(const char name[], Case *c)
{
  char          path[160];
  json_t       *json;
  const json_t *widths;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(c, sizeof *c));
  c->name = name;
  PetscCall(PetscSNPrintf(c->folder, sizeof c->folder, "tests/reference/%s", name));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/case.json", c->folder));
  json = json_load_file(path, 0, NULL);
  PetscCheck(json, PETSC_COMM_SELF, PETSC_ERR_FILE_OPEN, "%s", path);
  widths          = json_object_get(json, "widths");
  c->net.widths.n = (PetscInt)json_array_size(widths);
  for (PetscInt i = 0; i < c->net.widths.n; i++)
    c->net.widths.v[i] = (PetscInt)json_integer_value(json_array_get(widths, (size_t)i));
  PetscCall(PetscStrncpy(c->net.activation, json_string_value(json_object_get(json, "activation")), sizeof c->net.activation));
  c->net.bias = (PetscBool)!json_is_false(json_object_get(json, "bias"));
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
