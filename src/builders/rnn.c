/*
  rnn.c: a recurrent cell over x [steps, step_inputs], its last hidden state into head. Names and the order of the gates are PyTorch's.

    rnn    h' = sigma(W_ih x + b_ih + W_hh h + b_hh)
    lstm   i, f, g, o = the same sum;  c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')
    gru    r, z = sigmoid(of the same sum);  n = tanh(W_in x + b_in + r (W_hn h + b_hn)),  h' = n - z n + z h

  One label each, used at every step. h = c = 0 at first: then W_hh h + b_hh is b_hh, and W_hh is not used.
*/
#include "builders.h"

typedef struct {
  json_t           *file;
  const NetOptions *options;
  PetscInt          gates, step;
  NetName           input, hidden; /* W_ih x + b_ih and W_hh h + b_hh at this step; "": 0 */
  NetName           h, c;          /* of the step before; "" at first */
} Cell;

/* the name step.T.what */
static void NameAt(const Cell *cell, const char what[], NetName name)
{
  (void)PetscSNPrintf(name, sizeof(NetName), "step.%" PetscInt_FMT ".%s", cell->step, what);
}

/* name := op(a, b); one of them may be missing: then the other, if the op is add */
static void AddBinary(const Cell *cell, const char what[], const char op[], const char a[], const char b[], NetName name)
{
  NetName result;

  NameAt(cell, what, result);
  if (a[0] && b[0]) NetFileAdd(cell->file, result, op, json_pack("[s, s]", a, b), NULL, NULL);
  (void)PetscStrncpy(name, a[0] && b[0] ? result : a[0] ? a : b, sizeof(NetName));
}

/* name := gates first … last - 1 of a value; nothing of nothing */
static void AddGates(const Cell *cell, const char what[], const char value[], PetscInt first, PetscInt last, NetName name)
{
  const PetscInt H = cell->options->hidden;

  name[0] = '\0';
  if (!value[0]) return;
  NameAt(cell, what, name);
  NetFileAdd(cell->file, name, "slice", json_pack("[s]", value), NULL,
             json_pack("{s:I, s:I}", "first", (json_int_t)first * H, "last", (json_int_t)last * H));
}

static void AddFunction(const Cell *cell, const char what[], const char function[], const char value[], NetName name)
{
  NameAt(cell, what, name);
  NetFileAdd(cell->file, name, "activation", json_pack("[s]", value), NULL, json_pack("{s:s}", "function", function));
}

/* function(gate k of the sum) */
static void AddGate(const Cell *cell, const char what[], const char function[], const char sum[], PetscInt k, NetName name)
{
  NetName gate, raw;

  (void)PetscSNPrintf(raw, sizeof(raw), "%s.sum", what);
  AddGates(cell, raw, sum, k, k + 1, gate);
  AddFunction(cell, what, function, gate, name);
}

static void StepRnn(Cell *cell)
{
  NetName sum;

  AddBinary(cell, "sum", "add", cell->input, cell->hidden, sum);
  AddFunction(cell, "h", cell->options->activation, sum, cell->h);
}

static void StepLstm(Cell *cell)
{
  NetName sum, i, f, g, o, kept = "", fresh, squashed;

  AddBinary(cell, "sum", "add", cell->input, cell->hidden, sum);
  AddGate(cell, "i", "sigmoid", sum, 0, i);
  AddGate(cell, "g", "tanh", sum, 2, g);
  AddGate(cell, "o", "sigmoid", sum, 3, o);
  AddBinary(cell, "fresh", "multiply", i, g, fresh);
  if (cell->c[0]) {
    AddGate(cell, "f", "sigmoid", sum, 1, f);
    AddBinary(cell, "kept", "multiply", f, cell->c, kept);
  }
  AddBinary(cell, "c", "add", fresh, kept, cell->c);
  AddFunction(cell, "squashed", "tanh", cell->c, squashed);
  AddBinary(cell, "h", "multiply", o, squashed, cell->h);
}

static void StepGru(Cell *cell)
{
  NetName x_rz, h_rz, x_n, h_n, rz, r, z, n, sum, part, old = "";

  AddGates(cell, "x_rz", cell->input, 0, 2, x_rz);
  AddGates(cell, "h_rz", cell->hidden, 0, 2, h_rz);
  AddGates(cell, "x_n", cell->input, 2, 3, x_n);
  AddGates(cell, "h_n", cell->hidden, 2, 3, h_n);
  AddBinary(cell, "rz", "add", x_rz, h_rz, rz);
  AddGate(cell, "z", "sigmoid", rz, 1, z);
  if (h_n[0]) {
    AddGate(cell, "r", "sigmoid", rz, 0, r);
    AddBinary(cell, "reset", "multiply", r, h_n, h_n);
  }
  AddBinary(cell, "n_sum", "add", x_n, h_n, sum);
  AddFunction(cell, "n", "tanh", sum, n);
  AddBinary(cell, "zn", "multiply", z, n, part);
  NameAt(cell, "minus", sum);
  NetFileAdd(cell->file, sum, "affine", json_pack("[s]", part), NULL, json_pack("{s:[f], s:[f]}", "scale", -1., "shift", 0.));
  AddBinary(cell, "fresh", "add", n, sum, part);
  if (cell->h[0]) AddBinary(cell, "zh", "multiply", z, cell->h, old);
  AddBinary(cell, "h", "add", part, old, cell->h);
}

static const struct {
  PetscInt gates;
  void (*step)(Cell *cell);
} Cells[] = {{1, StepRnn}, {4, StepLstm}, {3, StepGru}}; /* in the order of net.cell */

static void AddParameters(const Cell *cell)
{
  const PetscInt rows = cell->gates * cell->options->hidden, ih[] = {rows, cell->options->step_inputs},
                 hh[] = {rows, cell->options->hidden};

  NetFileAddParameter(cell->file, "cell.weight_ih_l0", 2, ih);
  NetFileAddParameter(cell->file, "cell.weight_hh_l0", 2, hh);
  if (!cell->options->bias) return;
  NetFileAddParameter(cell->file, "cell.bias_ih_l0", 1, ih);
  NetFileAddParameter(cell->file, "cell.bias_hh_l0", 1, hh);
}

static json_t *LabelsOf(const Cell *cell, const char which[])
{
  json_t *labels = json_object();
  NetName name;

  (void)PetscSNPrintf(name, sizeof(name), "cell.weight_%s_l0", which);
  json_object_set_new(labels, "weight", json_string(name));
  (void)PetscSNPrintf(name, sizeof(name), "cell.bias_%s_l0", which);
  if (cell->options->bias) json_object_set_new(labels, "bias", json_string(name));
  return labels;
}

/* W_hh h + b_hh */
static void AddHidden(Cell *cell)
{
  NameAt(cell, "hidden", cell->hidden);
  if (cell->step > 0)
    NetFileAdd(cell->file, cell->hidden, "linear", json_pack("[s]", cell->h), LabelsOf(cell, "hh"), NULL);
  else if (cell->options->bias)
    NetFileAdd(cell->file, cell->hidden, "parameter", NULL, json_pack("{s:s}", "value", "cell.bias_hh_l0"), NULL);
  else
    cell->hidden[0] = '\0';
}

json_t *NetBuild_rnn(const NetRequest *request, Complaint *complaint)
{
  const NetOptions *options = request->options;
  const PetscInt    head[]  = {request->outputs, options->hidden};
  Cell              cell    = {.file = NetFileCreate(request->inputs), .options = options, .gates = Cells[options->cell].gates};

  if (options->steps < 2 || options->hidden < 1 || options->steps * options->step_inputs != request->inputs)
    Complain(complaint, STATUS_USAGE,
             "net.cell: steps (at least 2) x step_inputs must be p, and hidden at least 1; the data have p = %" PetscInt_FMT
             " inputs, net.steps is %" PetscInt_FMT ", net.step_inputs %" PetscInt_FMT ", net.hidden %" PetscInt_FMT,
             request->inputs, options->steps, options->step_inputs, options->hidden);
  AddParameters(&cell);
  NetFileAdd(cell.file, "inputs", "linear", json_pack("[s]", "input"), LabelsOf(&cell, "ih"), NULL);
  for (; cell.step < options->steps; cell.step++) {
    const PetscInt width = cell.gates * options->hidden;

    NameAt(&cell, "input", cell.input);
    NetFileAdd(cell.file, cell.input, "slice", json_pack("[s]", "inputs"), NULL,
               json_pack("{s:I, s:I}", "first", (json_int_t)cell.step * width, "last", ((json_int_t)cell.step + 1) * width));
    AddHidden(&cell);
    Cells[options->cell].step(&cell);
  }
  NetFileAddLinear(cell.file, "head", cell.h, 2, head, options->bias);
  return cell.file;
}
