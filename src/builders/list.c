/*
  list.c: writing a list of ops; see builders.h.
*/
#include "builders.h"

json_t *NetFileCreate(PetscInt inputs)
{
  return json_pack("{s:I, s:[], s:[]}", "inputs", (json_int_t)inputs, "parameters", "ops");
}

void NetFileAddParameter(json_t *file, const char name[], PetscInt ndim, const PetscInt shape[])
{
  json_t *dimensions = json_array();

  for (PetscInt i = 0; i < ndim; i++) json_array_append_new(dimensions, json_integer(shape[i]));
  json_array_append_new(json_object_get(file, "parameters"), json_pack("{s:s, s:o}", "name", name, "shape", dimensions));
}

void NetFileAdd(json_t *file, const char name[], const char op[], json_t *inputs, json_t *parameters, json_t *attributes)
{
  json_t *entry = json_pack("{s:s, s:s, s:o}", "name", name, "op", op, "inputs", inputs ? inputs : json_array());

  if (parameters) json_object_set_new(entry, "parameters", parameters);
  if (attributes) json_object_set_new(entry, "attributes", attributes);
  json_array_append_new(json_object_get(file, "ops"), entry);
}

void NetFileAddLinear(json_t *file, const char name[], const char input[], PetscInt ndim, const PetscInt shape[], PetscBool bias)
{
  json_t *parameters = json_object();
  NetName weight, b;

  (void)PetscSNPrintf(weight, sizeof(weight), "%s.weight", name);
  (void)PetscSNPrintf(b, sizeof(b), "%s.bias", name);
  NetFileAddParameter(file, weight, ndim, shape);
  json_object_set_new(parameters, "weight", json_string(weight));
  if (bias) NetFileAddParameter(file, b, 1, shape);
  if (bias) json_object_set_new(parameters, "bias", json_string(b));
  NetFileAdd(file, name, "linear", json_pack("[s]", input), parameters, NULL);
}

void NetFileAddActivation(json_t *file, const char name[], const char function[], const char input[], NetName value)
{
  NetName op;

  (void)PetscSNPrintf(op, sizeof(op), "%s.activation", name);
  NetFileAdd(file, op, "activation", json_pack("[s]", input), NULL, json_pack("{s:s}", "function", function));
  (void)PetscStrncpy(value, op, sizeof(op));
}
