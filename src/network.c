/*
  network.c: the keys of the net, from them to its list of ops, and the initial theta; see network.h.
*/
#include "codim/network.h"
#include "builders/builders.h"
#include "file.h"
#include "network_file.h"
#include <errno.h>
#include <string.h>

#define NAME_OF(name, path) #name,
#define BUILDER(name, path) {NetBuild_##name, path},

static const char *const Architectures[] = {NET_BUILDERS(NAME_OF) NULL};
static const char *const CellNames[]     = {"rnn", "lstm", "gru", NULL};
const char *const        NetPoolings[]   = {"mean", "max", NULL};

static const struct {
  NetBuildFn *build;
  size_t      path; /* of the file it reads, in NetOptions; 0: none */
} Builders[] = {NET_BUILDERS(BUILDER)};

#define KEY(name, type, field, value, min, max, choices, help)                                                                     \
  {                                                                                                                                \
    "net_" name, type, offsetof(NetOptions, field), value, min, max, choices, help                                                 \
  }

const OptionKey NetKeys[] =
    {KEY("arch", KEY_CHOICE, arch, "mlp", 0, 0, Architectures,
         "how the net is built: mlp, fully connected; cnn, rnn, resnet; graph, vertex by vertex; ops, any list of ops; tied, Lemma "
         "3.3's family"),
     KEY("activation", KEY_STRING, activation, "tanh", 0, 0, NULL,
         "sigma between the layers; a misspelt one is answered with the list"),
     KEY("bias", KEY_BOOL, bias, "true", 0, 0, NULL, "linear maps have a bias"),
     KEY("widths", KEY_INTS, widths, "", 1, 1e9, NULL, "mlp: units of each hidden layer, e.g. [1024, 1024]; tied: of its one"),
     KEY("shape", KEY_INTS, shape, "", 1, 1e9, NULL, "cnn: channels, height and width of a point, e.g. [1, 8, 8]"),
     KEY("channels", KEY_INTS, channels, "", 1, 1e9, NULL, "cnn: channels of each stage, e.g. [8, 16]"),
     KEY("kernel", KEY_INT, kernel, "3", 1, 1e6, NULL, "cnn: height and width of the kernels; padding kernel/2"),
     KEY("pool", KEY_INT, pool, "2", 1, 1e6, NULL, "cnn: pooling over windows of that size after each stage; 1: none"),
     KEY("pooling", KEY_CHOICE, pooling, "mean", 0, 0, NetPoolings, "cnn: what is taken of a window"),
     KEY("cell", KEY_CHOICE, cell, "lstm", 0, 0, CellNames, "rnn: the recurrent cell; net.activation is for rnn"),
     KEY("steps", KEY_INT, steps, "0", 0, 1e9, NULL, "rnn: steps of a point; steps x step_inputs = p"),
     KEY("step_inputs", KEY_INT, step_inputs, "0", 0, 1e9, NULL, "rnn: inputs of a step"),
     KEY("hidden", KEY_INT, hidden, "0", 0, 1e9, NULL, "rnn: units of the hidden state"),
     KEY("width", KEY_INT, width, "64", 1, 1e9, NULL, "resnet: units of every layer"),
     KEY("blocks", KEY_INT, blocks, "2", 0, 1e6, NULL, "resnet: how many blocks x + sigma(W x + b)"),
     KEY("graph", KEY_STRING, graph, "", 0, 0, NULL, "graph: a JSON file of vertices, edges and their labels"),
     KEY("file", KEY_STRING, file, "", 0, 0, NULL, "ops: a JSON file, the list of ops; every run writes its own, net.json"),
     KEY("outputs", KEY_INT, outputs, "0", 0, 1e9, NULL, "outputs of the net where the data have no targets (data.target: net)"),
     KEY("seed", KEY_INT, seed, "1", 0, 2147483647, NULL, "of the initial parameters"),
     KEY("gain", KEY_REAL, gain, "1", 0, 1e6, NULL, "initial weights are N(0, gain^2/fan-in)"),
     KEY("bias_gain", KEY_REAL, bias_gain, "0.1", 0, 1e6, NULL, "initial biases are N(0, bias_gain^2)"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

/* ---- building ---------------------------------------------------------------------------------------------------- */

/* the file that the builder reads, if it reads one */
static PetscErrorCode ReadGiven(MPI_Comm comm, const NetOptions *options, json_t **given)
{
  const size_t at   = Builders[options->arch].path;
  const char  *path = at ? (const char *)options + at : NULL, *key = at == offsetof(NetOptions, graph) ? "net.graph" : "net.file";

  PetscFunctionBeginUser;
  *given = NULL;
  if (!path) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(UserCheck(comm, (PetscBool)(path[0] != '\0'), STATUS_USAGE, "net.arch: %s needs %s, a JSON file",
                      Architectures[options->arch], key));
  PetscCall(JSONFileRead(comm, key, path, given));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NetworkCreate(MPI_Comm comm, const NetOptions *options, PetscInt inputs, PetscInt outputs, Network *network)
{
  NetRequest request   = {.options = options, .inputs = inputs, .outputs = outputs ? outputs : options->outputs};
  Complaint  complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  PetscCall(UserCheck(comm, (PetscBool)(ActivationFind(options->activation) != NULL), STATUS_USAGE,
                      "net.activation: there is no '%s'; there are %s", options->activation, ActivationNames()));
  PetscCall(UserCheck(comm, (PetscBool)(!outputs || !options->outputs || outputs == options->outputs), STATUS_USAGE,
                      "net.outputs is %" PetscInt_FMT ", the data have %" PetscInt_FMT " outputs", options->outputs, outputs));
  PetscCall(UserCheck(comm, (PetscBool)(request.outputs || Builders[options->arch].path), STATUS_USAGE,
                      "the data have no targets: net.outputs must say how many outputs the net has"));
  PetscCall(ReadGiven(comm, options, &request.given));
  PetscCall(PetscNew(network));
  (*network)->file = Builders[options->arch].build(&request, &complaint);
  if (!complaint.status) PetscCall(NetworkReadList((*network)->file, inputs, request.outputs, *network, &complaint));
  json_decref(request.given);
  if (complaint.status) PetscCall(NetworkDestroy(network));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

const char *NetworkKind(const NetOptions *options)
{
  const char *name = Architectures[options->arch], *slash = strrchr(options->file, '/');

  if (strcmp(name, "mlp") == 0) return NULL;
  if (strcmp(name, "rnn") == 0) return CellNames[options->cell];
  return strcmp(name, "ops") == 0 ? slash ? slash + 1 : options->file : name;
}

PetscErrorCode NetworkDestroy(Network *network)
{
  PetscFunctionBeginUser;
  if (!*network) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt v = 0; v < (*network)->nops; v++) PetscCall(PetscFree((*network)->ops[v].data));
  PetscCall(PetscFree((*network)->ops));
  PetscCall(PetscFree((*network)->labels));
  PetscCall(PetscFree((*network)->start));
  json_decref((*network)->file);
  PetscCall(PetscFree(*network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NetworkWrite(MPI_Comm comm, Network net, const char path[])
{
  Complaint   complaint = {STATUS_HOLDS, ""};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) FileWriteJSON(path, net->file, JSON_INDENT(1) | JSON_REAL_PRECISION(17), &complaint);
  PetscCall(ComplaintRaise(comm, &complaint));
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

void NetworkForms(Network net, ValueForm forms[])
{
  forms[0] = (ValueForm){PETSC_TRUE, PETSC_FALSE, 2};
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *op = &net->ops[v];
    ValueForm    in[OP_INPUTS_MAX];

    for (PetscInt j = 0; j < op->ninputs; j++) in[j] = forms[op->inputs[j]];
    forms[v] = (ValueForm){PETSC_FALSE, PETSC_FALSE, 0};
    if (op->kind->form) op->kind->form(op, in, &forms[v]);
  }
}

/* ---- the initial theta -------------------------------------------------------------------------------------------- */

/* what the list does not say: weights of linear maps N(0, gain^2/fan-in), others N(0, bias_gain^2) */
static LabelStart StartOf(Network net, const NetOptions *options, PetscInt label)
{
  LabelStart start = net->start[label];

  if (start.deviation >= 0) return start;
  start.deviation = options->bias_gain;
  for (PetscInt v = 1; v < net->nops; v++)
    if (net->ops[v].weight == label) start.deviation = options->gain / PetscSqrtReal((PetscReal)net->labels[label].cols);
  return start;
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
    const LabelStart start = StartOf(net, options, runs[run].label);
    PetscReal       *entry = local + runs[run].local;

    for (PetscInt i = 0; i < runs[run].count; i++) entry[i] = start.mean + start.deviation * entry[i];
  }
  PetscCall(VecRestoreArray(theta, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}
