/*
  mlp.c: x -> layers.0 -> sigma -> layers.1 -> … -> layers.L.
*/
#include "builders.h"

json_t *NetBuild_mlp(const NetRequest *request, Complaint *complaint)
{
  const NetOptions *options = request->options;
  json_t           *file    = NetFileCreate(request->inputs);
  NetName           name, value = "input";
  PetscInt          shape[2] = {0, request->inputs};

  (void)complaint;
  for (PetscInt layer = 0; layer <= options->widths.n; layer++) {
    const PetscBool last = (PetscBool)(layer == options->widths.n);

    shape[0] = last ? request->outputs : options->widths.v[layer];
    (void)PetscSNPrintf(name, sizeof(name), "layers.%" PetscInt_FMT, layer);
    NetFileAddLinear(file, name, value, 2, shape, options->bias);
    if (!last) NetFileAddActivation(file, name, options->activation, name, value);
    shape[1] = shape[0];
  }
  return file;
}
