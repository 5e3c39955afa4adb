/*
  network_file.c: see network_file.h.
*/
#include "network_file.h"
#include "ops/ops.h"
#include <errno.h>
#include <string.h>

#define OP_ENTRY(kind) &(kind),

const OpKind        OpInput   = {.name = "input"};
const OpKind *const OpKinds[] = {OP_KINDS(OP_ENTRY) NULL};

/* what a list may not have, and why */
static const struct {
  const char *op, *reason;
} Refused[] =
    {{"batchnorm",
      "in training mode it couples the points, and f(x_i) is no function of x_i alone; in evaluation mode it is an op affine"},
     {"dropout", "it is random in training, and the identity in evaluation: leave it out"},
     {"input", "the input is there without an op, as 'input'"},
     {NULL, NULL}};

typedef struct {
  const json_t *file;
  Network       net;
  json_t       *values, *labels; /* name -> index */
  Complaint    *complaint;
} Reader;

/* ---- JSON ------------------------------------------------------------------------------------------------------------ */

/* "the keys of `what` are a, b, …": complain about any other */
static void CheckKeys(Reader *reader, const json_t *object, const char what[], const char *const keys[])
{
  const char *key;
  json_t     *value;

  json_object_foreach((json_t *)object, key, value)
  {
    PetscBool known = PETSC_FALSE;
    char      all[256];

    all[0] = '\0';
    for (PetscInt i = 0; keys && keys[i]; i++) {
      known = (PetscBool)(known || strcmp(keys[i], key) == 0);
      (void)PetscSNPrintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", keys[i]);
    }
    if (!known) Complain(reader->complaint, STATUS_USAGE, "%s: there is no '%s'%s%s", what, key, all[0] ? "; there are " : "", all);
  }
}

static void ReadText(const char path[], char **text, PetscMPIInt *size, int *reason)
{
  FILE *file = fopen(path, "r");
  long  end;

  if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 || end > 1 << 30 || fseek(file, 0, SEEK_SET)) {
    *reason = errno ? errno : EFBIG;
  } else {
    *text = (char *)malloc((size_t)end + 1);
    if (*text && fread(*text, 1, (size_t)end, file) == (size_t)end)
      *size = (PetscMPIInt)end;
    else
      *reason = *text ? EIO : ENOMEM;
  }
  if (file) (void)fclose(file);
}

PetscErrorCode JSONFileRead(MPI_Comm comm, const char key[], const char path[], json_t **json)
{
  PetscMPIInt  rank, size = 0;
  char        *text   = NULL;
  int          reason = 0;
  json_error_t error;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  errno = 0;
  if (rank == 0) ReadText(path, &text, &size, &reason);
  PetscCall(UserCheck(comm, (PetscBool)(reason == 0), STATUS_USAGE, "%s: cannot read '%s': %s", key, path, strerror(reason)));
  PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, 0, comm));
  if (rank) text = (char *)malloc((size_t)size + 1);
  PetscCheck(text, comm, PETSC_ERR_MEM, "no memory for %s", path);
  PetscCallMPI(MPI_Bcast(text, size, MPI_CHAR, 0, comm));
  *json = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
  free(text);
  PetscCall(UserCheck(comm, (PetscBool)(*json != NULL), STATUS_USAGE, "%s: %s, line %d: %s", key, path, error.line, error.text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- parameters -------------------------------------------------------------------------------------------------------- */

static void ReadShape(Reader *reader, const json_t *entry, Label *label)
{
  const json_t  *shape = json_object_get(entry, "shape"), *item;
  const PetscInt most  = (PetscInt)PETSC_STATIC_ARRAY_LENGTH(label->shape);
  size_t         i;

  label->rows = label->cols = 1;
  if (!json_is_array(shape) || json_array_size(shape) < 1 || (PetscInt)json_array_size(shape) > most) {
    Complain(reader->complaint, STATUS_USAGE, "parameter '%s': 'shape' must be a list of 1 to %" PetscInt_FMT " integers",
             label->name, most);
    return;
  }
  json_array_foreach(shape, i, item)
  {
    const json_int_t size  = json_integer_value(item);
    PetscInt        *total = i ? &label->cols : &label->rows;

    if (size < 1 || (PetscReal)size * (PetscReal)*total > (PetscReal)PETSC_MAX_INT) {
      Complain(reader->complaint, STATUS_USAGE, "parameter '%s': 'shape' must be a list of positive integers", label->name);
      return;
    }
    label->shape[label->ndim++] = (PetscInt)size;
    *total *= (PetscInt)size;
  }
}

static PetscErrorCode ReadParameter(Reader *reader, const json_t *entry)
{
  static const char *const keys[] = {"name", "shape", "mean", "deviation", NULL};
  Network                  net    = reader->net;
  const char              *name   = json_string_value(json_object_get(entry, "name"));
  const json_t            *mean = json_object_get(entry, "mean"), *deviation = json_object_get(entry, "deviation");
  Label                   *label = &net->labels[net->nlabels];
  LabelStart              *start = &net->start[net->nlabels];

  PetscFunctionBeginUser;
  if (!name || !name[0] || strlen(name) >= sizeof(label->name)) {
    Complain(reader->complaint, STATUS_USAGE, "a parameter needs a 'name', shorter than %d letters: %s", (int)sizeof(label->name),
             name ? name : "there is none");
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(PetscStrncpy(label->name, name, sizeof(label->name)));
  CheckKeys(reader, entry, name, keys);
  ReadShape(reader, entry, label);
  if (json_object_get(reader->labels, name)) Complain(reader->complaint, STATUS_USAGE, "two parameters are named '%s'", name);
  if ((mean && !json_is_number(mean)) || (deviation && !(json_number_value(deviation) >= 0)))
    Complain(reader->complaint, STATUS_USAGE, "parameter '%s': 'mean' and 'deviation' must be numbers, the latter not negative",
             name);
  start->mean      = json_number_value(mean);
  start->deviation = deviation ? json_number_value(deviation) : -1;
  json_object_set_new(reader->labels, name, json_integer(net->nlabels));
  net->nlabels++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- ops --------------------------------------------------------------------------------------------------------------- */

static const OpKind *FindKind(Reader *reader, const char op[], const char name[])
{
  char all[512];

  all[0] = '\0';
  for (PetscInt i = 0; Refused[i].op; i++)
    if (strcmp(op, Refused[i].op) == 0) {
      Complain(reader->complaint, STATUS_USAGE, "op '%s' (%s): %s", name, op, Refused[i].reason);
      return NULL;
    }
  for (PetscInt i = 1; OpKinds[i]; i++) {
    if (strcmp(op, OpKinds[i]->name) == 0) return OpKinds[i];
    (void)PetscSNPrintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 1 ? ", " : "", OpKinds[i]->name);
  }
  Complain(reader->complaint, STATUS_USAGE, "op '%s': there is no kind of op '%s'; there are %s", name, op, all);
  return NULL;
}

/* why there is no value of that name yet */
static void ComplainInput(Reader *reader, const NetOp *op, const char input[])
{
  const json_t *ops = json_object_get(reader->file, "ops"), *item;
  size_t        i;

  json_array_foreach(ops, i, item)
  {
    const char *name = json_string_value(json_object_get(item, "name"));

    if (name && strcmp(name, input) == 0)
      Complain(reader->complaint, STATUS_USAGE,
               "op '%s' (%s): its input '%s' does not come before it: the list is not in topological order, or has a cycle",
               op->name, op->kind->name, input);
  }
  Complain(reader->complaint, STATUS_USAGE, "op '%s' (%s): there is no op '%s' to be its input", op->name, op->kind->name, input);
}

static void ReadInputs(Reader *reader, const json_t *inputs, NetOp *op)
{
  const PetscInt count = (PetscInt)json_array_size(inputs);
  const json_t  *item;
  size_t         i;

  if ((inputs && !json_is_array(inputs)) || count < op->kind->inputs_min || count > op->kind->inputs_max) {
    Complain(reader->complaint, STATUS_USAGE,
             "op '%s' (%s): 'inputs' must be a list of %" PetscInt_FMT " to %" PetscInt_FMT " names; it has %" PetscInt_FMT,
             op->name, op->kind->name, op->kind->inputs_min, op->kind->inputs_max, count);
    return;
  }
  json_array_foreach(inputs, i, item)
  {
    const char   *name  = json_is_string(item) ? json_string_value(item) : "";
    const json_t *value = json_object_get(reader->values, name);

    if (!value) ComplainInput(reader, op, name);
    op->inputs[i] = (PetscInt)json_integer_value(value);
    op->moves     = (PetscBool)(op->moves || reader->net->ops[op->inputs[i]].moves);
    op->ninputs++;
  }
}

static PetscInt ReadLabel(Reader *reader, const NetOp *op, const json_t *parameters, const char role[])
{
  const json_t *name = role ? json_object_get(parameters, role) : NULL, *index;

  if (!name) return -1;
  index = json_is_string(name) ? json_object_get(reader->labels, json_string_value(name)) : NULL;
  if (!index)
    Complain(reader->complaint, STATUS_USAGE, "op '%s' (%s): its %s '%s' is not among the parameters", op->name, op->kind->name,
             role, json_is_string(name) ? json_string_value(name) : "");
  return index ? (PetscInt)json_integer_value(index) : -1;
}

static void ReadLabels(Reader *reader, const json_t *parameters, NetOp *op)
{
  const char *const *roles  = op->kind->parameters;
  const char        *keys[] = {roles && roles[0] ? roles[0] : roles ? roles[1] : NULL, roles && roles[0] ? roles[1] : NULL, NULL};

  CheckKeys(reader, parameters, op->name, keys);
  if (!roles) return;
  op->weight = ReadLabel(reader, op, parameters, roles[0]);
  op->bias   = ReadLabel(reader, op, parameters, roles[1]);
  op->moves  = (PetscBool)(op->moves || OpHasParameters(op));
}

/* what every op has; false if it is not to be gone on with */
static PetscBool ReadHead(Reader *reader, const json_t *entry, NetOp *op)
{
  static const char *const keys[] = {"name", "op", "inputs", "parameters", "attributes", NULL};
  const char *name = json_string_value(json_object_get(entry, "name")), *kind = json_string_value(json_object_get(entry, "op"));

  op->places = 1;
  op->weight = op->bias = -1;
  for (PetscInt j = 0; j < OP_INPUTS_MAX; j++) op->inputs[j] = -1;
  if (!name || !kind || strlen(name) >= sizeof(op->name)) {
    Complain(reader->complaint, STATUS_USAGE,
             "op %" PetscInt_FMT " of the list needs a 'name', shorter than %d letters, and an 'op', its kind", reader->net->nops,
             (int)sizeof(op->name));
    return PETSC_FALSE;
  }
  (void)PetscStrncpy(op->name, name, sizeof(op->name));
  if (json_object_get(reader->values, name)) Complain(reader->complaint, STATUS_USAGE, "two values are named '%s'", name);
  CheckKeys(reader, entry, name, keys);
  op->kind = FindKind(reader, kind, name);
  return (PetscBool)(op->kind != NULL);
}

static PetscErrorCode ReadOp(Reader *reader, const json_t *entry)
{
  Network net   = reader->net;
  NetOp  *op    = &net->ops[net->nops];
  OpSetup setup = {.net = net, .op = op, .attributes = json_object_get(entry, "attributes")};

  PetscFunctionBeginUser;
  if (!ReadHead(reader, entry, op)) PetscFunctionReturn(PETSC_SUCCESS);
  ReadInputs(reader, json_object_get(entry, "inputs"), op);
  ReadLabels(reader, json_object_get(entry, "parameters"), op);
  CheckKeys(reader, setup.attributes, op->name, op->kind->attributes);
  net->nops++; /* from here on it is destroyed with the net */
  if (reader->complaint->status) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(op->kind->setup(&setup));
  if (setup.complaint.status) *reader->complaint = setup.complaint;
  json_object_set_new(reader->values, op->name, json_integer(net->nops - 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the list ---------------------------------------------------------------------------------------------------------- */

static void CheckWhole(Reader *reader, PetscInt outputs)
{
  const Network net = reader->net;
  const NetOp  *out = &net->ops[net->nops - 1];

  if (outputs && out->dim != outputs)
    Complain(reader->complaint, STATUS_USAGE, "the net's last op '%s' has %" PetscInt_FMT " outputs, the data have %" PetscInt_FMT,
             out->name, out->dim, outputs);
  if (!out->moves) Complain(reader->complaint, STATUS_USAGE, "the net's last op '%s' depends on no parameter", out->name);
  for (PetscInt label = 0; label < net->nlabels; label++) {
    PetscBool used = PETSC_FALSE;

    for (PetscInt v = 1; v < net->nops; v++) used = (PetscBool)(used || net->ops[v].weight == label || net->ops[v].bias == label);
    if (!used) Complain(reader->complaint, STATUS_USAGE, "the parameter '%s' is used by no op", net->labels[label].name);
  }
}

static PetscErrorCode ReadEntries(Reader *reader, const json_t *parameters, const json_t *ops)
{
  Network       net = reader->net;
  const json_t *entry;
  size_t        i;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(json_array_size(ops) + 1, &net->ops));
  PetscCall(PetscCalloc1(json_array_size(parameters) + 1, &net->labels));
  PetscCall(PetscCalloc1(json_array_size(parameters) + 1, &net->start));
  net->ops[0] = (NetOp){.kind = &OpInput, .name = "input", .dim = net->inputs, .places = 1, .weight = -1, .bias = -1};
  for (PetscInt j = 0; j < OP_INPUTS_MAX; j++) net->ops[0].inputs[j] = -1;
  net->nops = 1;
  json_object_set_new(reader->values, "input", json_integer(0));
  for (i = 0; !reader->complaint->status && i < json_array_size(parameters); i++)
    PetscCall(ReadParameter(reader, json_array_get(parameters, i)));
  json_array_foreach(ops, i, entry)
  {
    if (!reader->complaint->status) PetscCall(ReadOp(reader, entry));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode NetworkReadList(const json_t *file, PetscInt inputs, PetscInt outputs, Network net, Complaint *complaint)
{
  static const char *const keys[]     = {"inputs", "parameters", "ops", NULL};
  Reader                   reader     = {.file = file, .net = net, .complaint = complaint};
  const json_t            *parameters = json_object_get(file, "parameters"), *ops = json_object_get(file, "ops");
  const json_int_t         p = json_integer_value(json_object_get(file, "inputs"));

  PetscFunctionBeginUser;
  net->inputs = inputs;
  CheckKeys(&reader, file, "the list of ops", keys);
  if (!json_is_array(parameters) || !json_is_array(ops) || json_array_size(ops) == 0)
    Complain(complaint, STATUS_USAGE, "the list of ops must be an object with 'inputs', and the lists 'parameters' and 'ops'");
  if (p != inputs)
    Complain(complaint, STATUS_USAGE, "the list of ops has %lld inputs, the data have %" PetscInt_FMT, (long long)p, inputs);
  if (complaint->status) PetscFunctionReturn(PETSC_SUCCESS);
  reader.values = json_object();
  reader.labels = json_object();
  PetscCall(ReadEntries(&reader, parameters, ops));
  if (!complaint->status) CheckWhole(&reader, outputs);
  net->outputs = net->ops[net->nops - 1].dim;
  json_decref(reader.values);
  json_decref(reader.labels);
  PetscFunctionReturn(PETSC_SUCCESS);
}
