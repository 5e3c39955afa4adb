/*
  setup.c: what the ops read of their attributes; see ops.h.
*/
#include "ops.h"
#include <stdarg.h>
#include <stdio.h>

void OpComplain(OpSetup *setup, const char format[], ...)
{
  char    text[512];
  va_list args;

  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  Complain(&setup->complaint, STATUS_USAGE, "op '%s' (%s): %s", setup->op->name, setup->op->kind->name, text);
}

PetscInt OpInputDim(const OpSetup *setup, PetscInt j)
{
  return setup->net->ops[setup->op->inputs[j]].dim;
}

void OpGetInt(OpSetup *setup, const char name[], PetscInt least, PetscInt *value)
{
  const json_t *json = json_object_get(setup->attributes, name);

  if (!json && *value >= least) return;
  if (!json_is_integer(json) || json_integer_value(json) < least || json_integer_value(json) > PETSC_MAX_INT)
    OpComplain(setup, "attribute '%s' must be an integer of at least %" PetscInt_FMT, name, least);
  else
    *value = (PetscInt)json_integer_value(json);
}

void OpGetReal(OpSetup *setup, const char name[], PetscReal *value)
{
  const json_t *json = json_object_get(setup->attributes, name);

  if (json && !json_is_number(json)) OpComplain(setup, "attribute '%s' must be a number", name);
  if (json) *value = json_number_value(json);
}

void OpGetBool(OpSetup *setup, const char name[], PetscBool *value)
{
  const json_t *json = json_object_get(setup->attributes, name);

  if (json && !json_is_boolean(json)) OpComplain(setup, "attribute '%s' must be true or false", name);
  if (json) *value = (PetscBool)json_is_true(json);
}

void OpGetInts(OpSetup *setup, const char name[], PetscInt least, OpShape *values)
{
  const json_t *json = json_object_get(setup->attributes, name), *item;
  const size_t  most = PETSC_STATIC_ARRAY_LENGTH(values->v);
  size_t        i;

  values->n = 0;
  if (!json_is_array(json) || json_array_size(json) == 0 || json_array_size(json) > most) {
    OpComplain(setup, "attribute '%s' must be a list of 1 to %d integers", name, (int)most);
    return;
  }
  json_array_foreach(json, i, item)
  {
    if (!json_is_integer(item) || json_integer_value(item) < least || json_integer_value(item) > PETSC_MAX_INT)
      OpComplain(setup, "attribute '%s' must be a list of integers of at least %" PetscInt_FMT, name, least);
    values->v[values->n++] = (PetscInt)json_integer_value(item);
  }
}

void OpGetShape(OpSetup *setup, OpShape *shape)
{
  PetscReal size = 1;

  OpGetInts(setup, "shape", 1, shape);
  for (PetscInt i = 0; i < shape->n; i++) size *= (PetscReal)shape->v[i];
  if (shape->n && size != (PetscReal)OpInputDim(setup, 0))
    OpComplain(setup, "attribute 'shape' has %.0f entries, its input '%s' has %" PetscInt_FMT, (double)size,
               setup->net->ops[setup->op->inputs[0]].name, OpInputDim(setup, 0));
}

void OpPosition(const OpShape *shape, PetscInt entry, PetscInt at[])
{
  for (PetscInt axis = shape->n - 1; axis >= 0; axis--) {
    at[axis] = entry % shape->v[axis];
    entry /= shape->v[axis];
  }
}

PetscInt OpEntry(const OpShape *shape, const PetscInt at[])
{
  PetscInt entry = 0;

  for (PetscInt axis = 0; axis < shape->n; axis++) entry = entry * shape->v[axis] + at[axis];
  return entry;
}

PetscErrorCode OpReduceAxes(OpSetup *setup, PetscInt *count)
{
  const PetscInt dim = OpInputDim(setup, 0);
  OpShape        shape, axes, out;
  PetscInt      *place;

  PetscFunctionBeginUser;
  *count = 1;
  OpGetShape(setup, &shape);
  OpGetInts(setup, "axes", 0, &axes);
  if (setup->complaint.status) PetscFunctionReturn(PETSC_SUCCESS);
  out = shape;
  for (PetscInt i = 0; i < axes.n; i++) {
    if (axes.v[i] >= shape.n || out.v[axes.v[i]] != shape.v[axes.v[i]])
      OpComplain(setup, "attribute 'axes': %" PetscInt_FMT " is none of the shape's axes 0 … %" PetscInt_FMT ", or there twice",
                 axes.v[i], shape.n - 1);
    else
      out.v[axes.v[i]] = 1;
  }
  for (PetscInt i = 0; i < shape.n; i++) *count *= shape.v[i] / out.v[i];
  PetscCall(PetscMalloc1(dim, &place));
  for (PetscInt i = 0; i < dim; i++) {
    PetscInt at[PETSC_STATIC_ARRAY_LENGTH(out.v)];

    OpPosition(&shape, i, at);
    for (PetscInt axis = 0; axis < out.n; axis++) at[axis] = PetscMin(at[axis], out.v[axis] - 1);
    place[i] = OpEntry(&out, at);
  }
  setup->op->data = place;
  setup->op->dim  = dim / *count;
  PetscFunctionReturn(PETSC_SUCCESS);
}
