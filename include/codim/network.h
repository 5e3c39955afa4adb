/*
  network.h: f_theta as a list of ops in topological order on whole-layer values.

  Value 0 is the input; op v (v >= 1) makes value v from earlier values. A value of dimension D on N points is an N x D array,
  row-major. An op is a const table of functions on such arrays: none mixes points, none knows a communicator. Parameters enter in two
  ways only: through a dense linear map (op linear, which knows of shards), or as a value of their own (op parameter), whose block of
  J is its adjoint as it stands; every other op is a function of values. A new op is one file in ops/ and one line in ops.h.

  The list as a file (JSON), which the builders of net.arch write and every run stores:

    {"inputs": p, "parameters": [{"name": "head.weight", "shape": [l, k]}, …], "ops": [{"name": "head", "op": "linear", "inputs":
     ["input"], "parameters": {"weight": "head.weight", "bias": "head.bias"}, "attributes": {}}, …]}

  "input" is x; an op names earlier ones as its inputs; the last op is the output; the parameters stand in the canonical order. A parameter
  may have "mean" and "deviation" of its entries at the start. src/ops/ has an op's inputs, parameters and attributes at the top of its file.

  Derivatives, for an op out = phi(in; theta):
    tangent            out_dot  = D phi [in_dot; theta_dot]
    adjoint            in_bar  += (D phi)^T out_bar                              any number of rows of out_bar for a point
    adjoint's tangent  in_bar_dot += d/dt of the adjoint, along (in_dot, theta_dot, out_bar_dot)      one row for every point
*/
#pragma once

#include "activation.h"
#include "options.h"
#include "parameters.h"
#include <stdint.h>

typedef struct {
  PetscInt     arch; /* a builder: mlp cnn rnn resnet graph ops tied */
  OptionString activation;
  PetscBool    bias;
  OptionInts   widths;                           /* mlp: hidden layers */
  OptionInts   shape, channels;                  /* cnn: c, h, w; of each stage */
  PetscInt     kernel, pool, pooling;            /* cnn */
  PetscInt     cell, steps, step_inputs, hidden; /* rnn */
  PetscInt     width, blocks;                    /* resnet */
  OptionString graph, file;                      /* graph, ops: JSON files */
  PetscInt     outputs;                          /* l, where the data do not say; 0: not given */
  PetscInt     seed;
  PetscReal    gain, bias_gain;
} NetOptions;

extern const OptionKey NetKeys[];

typedef struct Op_s       NetOp;
typedef struct OpKind_s   OpKind;
typedef struct OpBounds_s OpBounds;
typedef struct Network_s *Network;

enum { OP_INPUTS_MAX = 16 };

struct Op_s {
  const OpKind     *kind;
  char              name[96];
  PetscInt          ninputs;
  PetscInt          inputs[OP_INPUTS_MAX]; /* values; -1: unused */
  PetscInt          dim;                   /* of the value it makes */
  PetscBool         moves;                 /* the value depends on theta */
  PetscInt          places;                /* linear: T, the number of places the map is used at; value dim = T h; else 1 */
  PetscInt          weight, bias;          /* labels; -1: none. parameter: the label is `bias`, its value at every point */
  const Activation *activation;
  PetscReal         norm;  /* of a fixed linear map: the largest norm from one input to the value */
  PetscInt          chain; /* of the same: the longest sum in it or in its transpose */
  void             *data;  /* what setup made of the attributes; one PetscMalloc */
};

/* What an op works with: the network's parameters, and theta with its direction where there is one. */
typedef struct {
  Parameters parameters;
  Vec        theta, theta_dot;
} OpContext;

/* The arrays around one op. in[j], in_dot[j], in_bar[j] follow op->inputs; a NULL entry in in_dot means zero, in in_bar: not wanted. */
typedef struct {
  PetscInt         N, rows; /* points here; adjoint rows, in the order of their points */
  const PetscInt  *point;   /* of each adjoint row; NULL: row i is point i's */
  const PetscReal *in[OP_INPUTS_MAX];
  PetscInt         in_dim[OP_INPUTS_MAX];
  const PetscReal *in_dot[OP_INPUTS_MAX];
  PetscReal       *out;         /* forward: written; otherwise read */
  PetscReal       *out_dot;     /* tangent: written */
  const PetscReal *out_bar;     /* rows x dim */
  const PetscReal *out_bar_dot; /* N x dim; NULL: zero */
  PetscReal       *in_bar[OP_INPUTS_MAX];
  PetscReal       *in_bar_dot[OP_INPUTS_MAX];
  PetscReal       *saved; /* what `save` left, kind->nsaved x N x dim; NULL: not saved */
} OpArrays;

/* Which point an adjoint row belongs to; and the end of the run of rows of the same point that begins with `row`. */
static inline size_t OpRowPoint(const OpArrays *arrays, size_t row)
{
  return arrays->point ? (size_t)arrays->point[row] : row;
}

static inline size_t OpRowRunEnd(const OpArrays *arrays, size_t row)
{
  size_t end = row + 1;

  while (end < (size_t)arrays->rows && OpRowPoint(arrays, end) == OpRowPoint(arrays, row)) end++;
  return end;
}

typedef PetscErrorCode OpFn(const NetOp *op, const OpContext *context, const OpArrays *arrays);

/* An op being made: kind, name, inputs and labels are set. */
typedef struct {
  Network   net;
  NetOp    *op;
  json_t   *attributes; /* borrowed; only names of the kind's are in it */
  Complaint complaint;
} OpSetup;

enum { FORM_DEGREE_MAX = 62 };

/* How a value depends on x, for every theta. */
typedef struct {
  PetscBool odd, even; /* v(-x) = -v(x); v(-x) = v(x), as constants are */
  uint64_t  degrees;   /* bit k: monomials of degree k may occur; 0: no polynomial, or one of a degree above FORM_DEGREE_MAX */
} ValueForm;

struct OpKind_s {
  const char        *name;
  PetscInt           inputs_min, inputs_max;
  const char *const *parameters;                                 /* roles: of `weight`, of `bias`; NULL: has none */
  const char *const *attributes;                                 /* NULL-terminated; NULL: none */
  PetscErrorCode (*setup)(OpSetup *setup);                       /* checks shapes; sets dim, places, data. Not collective */
  OpFn           *forward, *tangent, *adjoint, *adjoint_tangent; /* collective on the group and the shard */
  PetscInt        nsaved; /* derivative arrays, of the size of `out`, worth keeping for many products at one theta */
  OpFn           *save;   /* fills arrays->saved; NULL if nsaved is 0 */
  const OpBounds *bounds; /* for the certificate (certify_bounds.h); NULL: it stays undecided */
  void (*form)(const NetOp *op, const ValueForm in[], ValueForm *out); /* for refutations; NULL: nothing is known */
};

extern const OpKind *const OpKinds[]; /* NULL-terminated */

/* how a label's entries start: N(mean, deviation^2) */
typedef struct {
  PetscReal mean, deviation;
} LabelStart;

struct Network_s {
  PetscInt    nops; /* values are 0 … nops-1; ops[0] is the input, ops[nops-1] the output */
  NetOp      *ops;
  PetscInt    nlabels;
  Label      *labels;
  LabelStart *start;           /* of each label */
  PetscInt    inputs, outputs; /* p, l */
  json_t     *file;            /* the list it was made from, as it is stored beside a result */
};

/** Build the op list and the labels for p inputs and l outputs; l = 0: as many as the net has (net.outputs, or the list's). Files are
    read on rank 0. STATUS_USAGE on options or a file that make no net: op, attribute and the shapes are named. Collective. */
PetscErrorCode NetworkCreate(MPI_Comm comm, const NetOptions *options, PetscInt inputs, PetscInt outputs, Network *network);
PetscErrorCode NetworkDestroy(Network *network);

/** What to call a net: its architecture, cell or file; NULL for an mlp, which is called by its activation and widths. Not collective. */
const char *NetworkKind(const NetOptions *options);

/** Write the list of ops; -net_arch ops -net_file PATH is then the same net. STATUS_DATA if it cannot be written. Collective. */
PetscErrorCode NetworkWrite(MPI_Comm comm, Network network, const char path[]);

PetscInt64 NetworkSize(Network network);     /* n */
PetscInt64 NetworkSumUnits(Network network); /* sum of the dimensions of all values but the input */

/** What is known of every value, nops of them, from the forms of the ops. Not collective. */
void NetworkForms(Network network, ValueForm forms[]);

/** Does the op have parameters of its own? Not collective. */
static inline PetscBool OpHasParameters(const NetOp *op)
{
  return (PetscBool)(op->weight >= 0 || op->bias >= 0);
}

/** Initial theta: weights of linear maps N(0, gain^2/fan-in), other parameters N(0, bias_gain^2), unless the list says otherwise; a
    function of the seed alone. Collective. */
PetscErrorCode NetworkSetInitial(Network network, const NetOptions *options, Parameters parameters, Vec theta);
