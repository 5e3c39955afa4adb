/*
  network.c: the table of op kinds, the builders of op lists, the initial theta; see network.h.
*/
#include "codim/network.h"
#include "ops/ops.h"
#include <string.h>

const OpKind        OpInput   = {"input", NULL, NULL, NULL, NULL, 0, NULL, NULL};
const OpKind *const OpKinds[] = {&OpInput, &OpLinear, &OpActivation, NULL};

static const char *const Architectures[] = {"mlp", NULL};

#define KEY(name, type, field, value, min, max, choices, help)                                                                     \
  {                                                                                                                                \
    "net_" name, type, offsetof(NetOptions, field), value, min, max, choices, help                                                 \
  }

const OptionKey NetKeys[] = {KEY("arch", KEY_CHOICE, arch, "mlp", 0, 0, Architectures,
                                 "how the net is built: mlp, fully connected"),
                             KEY("widths", KEY_INTS, widths, "", 1, 1e9, NULL,
                                 "mlp: units of each hidden layer, e.g. [1024, 1024]"),
                             KEY("activation", KEY_STRING, activation, "tanh", 0, 0, NULL,
                                 "sigma between the layers; a misspelt one is answered with the list"),
                             KEY("bias", KEY_BOOL, bias, "true", 0, 0, NULL, "linear maps have a bias"),
                             KEY("seed", KEY_INT, seed, "1", 0, 2147483647, NULL, "of the initial parameters"),
                             KEY("gain", KEY_REAL, gain, "1", 0, 1e6, NULL, "initial weights are N(0, gain^2/fan-in)"),
                             KEY("bias_gain", KEY_REAL, bias_gain, "0.1", 0, 1e6, NULL, "initial biases are N(0, bias_gain^2)"),
                             {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

/* ---- building ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode AddOp(Network net, NetOp op, PetscInt *value)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(NetOp) * (size_t)(net->nops + 1), &net->ops));
  *value              = net->nops;
  net->ops[net->nops] = op;
  net->nops++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddLabel(Network net, Label label, PetscInt *index)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(Label) * (size_t)(net->nlabels + 1), &net->labels));
  *index                    = net->nlabels;
  net->labels[net->nlabels] = label;
  net->nlabels++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddInput(Network net, PetscInt *value)
{
  const NetOp op = {.kind = &OpInput, .inputs = {-1, -1}, .dim = net->inputs, .places = 1, .weight = -1, .bias = -1};

  PetscFunctionBeginUser;
  PetscCall(AddOp(net, op, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* value := W value + b with new labels name.weight, name.bias */
static PetscErrorCode AddLinear(Network net, const char name[], PetscInt h, PetscBool bias, PetscInt *value)
{
  const PetscInt k  = net->ops[*value].dim;
  NetOp          op = {.kind = &OpLinear, .inputs = {*value, -1}, .dim = h, .places = 1, .weight = -1, .bias = -1};
  Label          W  = {.ndim = 2, .shape = {h, k}, .rows = h, .cols = k};
  Label          b  = {.ndim = 1, .shape = {h}, .rows = h, .cols = 1};

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(W.name, sizeof(W.name), "%s.weight", name));
  PetscCall(PetscSNPrintf(b.name, sizeof(b.name), "%s.bias", name));
  PetscCall(AddLabel(net, W, &op.weight));
  if (bias) PetscCall(AddLabel(net, b, &op.bias));
  PetscCall(AddOp(net, op, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AddActivation(Network net, const Activation *activation, PetscInt *value)
{
  const NetOp op = {.kind       = &OpActivation,
                    .inputs     = {*value, -1},
                    .dim        = net->ops[*value].dim,
                    .places     = 1,
                    .weight     = -1,
                    .bias       = -1,
                    .activation = activation};

  PetscFunctionBeginUser;
  PetscCall(AddOp(net, op, value));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BuildMlp(Network net, const NetOptions *options, const Activation *activation)
{
  PetscInt value = 0;
  char     name[32];

  PetscFunctionBeginUser;
  PetscCall(AddInput(net, &value));
  for (PetscInt layer = 0; layer <= options->widths.n; layer++) {
    const PetscBool last = (PetscBool)(layer == options->widths.n);

    PetscCall(PetscSNPrintf(name, sizeof(name), "layers.%" PetscInt_FMT, layer));
    PetscCall(AddLinear(net, name, last ? net->outputs : options->widths.v[layer], options->bias, &value));
    if (!last) PetscCall(AddActivation(net, activation, &value));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NetworkCreate(MPI_Comm comm, const NetOptions *options, PetscInt inputs, PetscInt outputs, Network *network)
{
  const Activation *activation = ActivationFind(options->activation);
  Network           net;

  PetscFunctionBeginUser;
  PetscCall(UserCheck(comm, (PetscBool)(activation != NULL), STATUS_USAGE, "net.activation: there is no '%s'; there are %s",
                      options->activation, ActivationNames()));
  PetscCall(PetscNew(&net));
  net->inputs  = inputs;
  net->outputs = outputs;
  PetscCall(BuildMlp(net, options, activation));
  *network = net;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NetworkDestroy(Network *network)
{
  PetscFunctionBeginUser;
  if (!*network) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscFree((*network)->ops));
  PetscCall(PetscFree((*network)->labels));
  PetscCall(PetscFree(*network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt64 NetworkSize(Network net)
{
  PetscInt64 n = 0;

  for (PetscInt label = 0; label < net->nlabels; label++) n += (PetscInt64)net->labels[label].rows * net->labels[label].cols;
  return n;
}

PetscInt64 NetworkSumUnits(Network net)
{
  PetscInt64 units = 0;

  for (PetscInt v = 1; v < net->nops; v++) units += net->ops[v].dim;
  return units;
}

/* ---- the initial theta -------------------------------------------------------------------------------------------- */

static PetscBool IsBias(Network net, PetscInt label)
{
  for (PetscInt v = 0; v < net->nops; v++)
    if (net->ops[v].bias == label) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode NetworkSetInitial(Network net, const NetOptions *options, Parameters parameters, Vec theta)
{
  PetscInt            nruns;
  const ParameterRun *runs;
  PetscReal          *local;

  PetscFunctionBeginUser;
  PetscCall(ParametersSetRandom(parameters, options->seed, 0, theta));
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(VecGetArray(theta, &local));
  for (PetscInt run = 0; run < nruns; run++) {
    const PetscReal fan_in = (PetscReal)net->labels[runs[run].label].cols;
    const PetscReal scale  = IsBias(net, runs[run].label) ? options->bias_gain : options->gain / PetscSqrtReal(fan_in);

    for (PetscInt i = 0; i < runs[run].count; i++) local[runs[run].local + i] *= scale;
  }
  PetscCall(VecRestoreArray(theta, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}
