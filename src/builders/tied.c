/*
  tied.c: the family of Lemma 3.3: all rows of the hidden layer are one row a,

    f(x)_o = sum_j v_oj sigma(a . x + b_j),      n = p + h + l h:  2 h + p for one output
*/
#include "builders.h"

json_t *NetBuild_tied(const NetRequest *request, Complaint *complaint)
{
  const NetOptions *options = request->options;
  const PetscInt h = options->widths.n ? options->widths.v[0] : 0, row[2] = {1, request->inputs}, head[2] = {request->outputs, h};
  json_t        *file;
  NetName        value;

  if (options->widths.n != 1)
    Complain(complaint, STATUS_USAGE,
             "net.arch: tied is a net of one hidden layer: net.widths has %" PetscInt_FMT " numbers, not one", options->widths.n);
  if (!options->bias)
    Complain(complaint, STATUS_USAGE, "net.arch: tied: the units differ by their biases alone: net.bias must be true");
  if (complaint->status) return NULL;
  file = NetFileCreate(request->inputs);
  NetFileAddLinear(file, "direction", "input", 2, row, PETSC_FALSE);
  NetFileAddParameter(file, "hidden.bias", 1, &h);
  NetFileAdd(file, "hidden.bias", "parameter", NULL, json_pack("{s:s}", "value", "hidden.bias"), NULL);
  NetFileAdd(file, "hidden", "add", json_pack("[s, s]", "hidden.bias", "direction"), NULL, NULL);
  NetFileAddActivation(file, "hidden", options->activation, "hidden", value);
  NetFileAddLinear(file, "head", value, 2, head, PETSC_FALSE);
  return file;
}
