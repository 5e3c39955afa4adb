/*
  network.h: f_theta as a list of ops in topological order on whole-layer values.

  Value 0 is the input; op v (v >= 1) makes value v from earlier values. A value of dimension D on N points is an N x D array,
  row-major. An op is a const table of functions on such arrays: none mixes points, none knows a communicator; only the linear map
  knows of parameters and shards. A new op is one file in ops/ and one line in the table of network.c.

  Derivatives, for an op out = phi(in; theta):
    tangent            out_dot  = D phi [in_dot; theta_dot]
    adjoint            in_bar  += (D phi)^T out_bar                              `rows` rows of out_bar for every point
    adjoint's tangent  in_bar_dot += d/dt of the adjoint, along (in_dot, theta_dot, out_bar_dot)      one row for every point
*/
#pragma once

#include "activation.h"
#include "options.h"
#include "parameters.h"

typedef struct {
  PetscInt     arch;   /* mlp cnn rnn resnet graph ops */
  OptionInts   widths; /* mlp: hidden layers */
  OptionString activation;
  PetscBool    bias;
  PetscInt     seed;
  PetscReal    gain, bias_gain;
} NetOptions;

extern const OptionKey NetKeys[];

typedef struct Op_s       NetOp;
typedef struct OpKind_s   OpKind;
typedef struct OpBounds_s OpBounds;
typedef struct Network_s *Network;

enum { OP_INPUTS_MAX = 2 };

struct Op_s {
  const OpKind     *kind;
  PetscInt          inputs[OP_INPUTS_MAX]; /* values; -1: unused */
  PetscInt          dim;                   /* of the value it makes */
  PetscInt          places;                /* linear: T, the number of places the map is used at; value dim = T h */
  PetscInt          weight, bias;          /* linear: labels; -1: none */
  const Activation *activation;
};

/* What an op works with: the network's parameters, and theta with its direction where there is one. */
typedef struct {
  Parameters parameters;
  Vec        theta, theta_dot;
} OpContext;

/* The arrays around one op. in[j], in_dot[j], in_bar[j] follow op->inputs; a NULL entry in in_dot means zero, in in_bar: not wanted. */
typedef struct {
  PetscInt         N, rows; /* points here; adjoint rows for each point */
  const PetscReal *in[OP_INPUTS_MAX];
  PetscInt         in_dim[OP_INPUTS_MAX];
  const PetscReal *in_dot[OP_INPUTS_MAX];
  PetscReal       *out;         /* forward: written; otherwise read */
  PetscReal       *out_dot;     /* tangent: written */
  const PetscReal *out_bar;     /* N rows x dim */
  const PetscReal *out_bar_dot; /* N x dim; NULL: zero */
  PetscReal       *in_bar[OP_INPUTS_MAX];
  PetscReal       *in_bar_dot[OP_INPUTS_MAX];
  PetscReal       *saved; /* what `save` left, kind->nsaved x N x dim; NULL: not saved */
} OpArrays;

typedef PetscErrorCode OpFn(const NetOp *op, const OpContext *context, const OpArrays *arrays);

struct OpKind_s {
  const char     *name;
  OpFn           *forward, *tangent, *adjoint, *adjoint_tangent; /* collective on the group and the shard */
  PetscInt        nsaved; /* derivative arrays, of the size of `out`, worth keeping for many products at one theta */
  OpFn           *save;   /* fills arrays->saved; NULL if nsaved is 0 */
  const OpBounds *bounds; /* for the certificate (certify_bounds.h); NULL: it stays undecided */
};

extern const OpKind *const OpKinds[]; /* NULL-terminated */

struct Network_s {
  PetscInt nops; /* values are 0 … nops-1; ops[0] is the input */
  NetOp   *ops;
  PetscInt nlabels;
  Label   *labels;
  PetscInt inputs, outputs; /* p, l */
};

/** Build the op list and the labels for p inputs and l outputs. STATUS_USAGE on options that make no net. Collective. */
PetscErrorCode NetworkCreate(MPI_Comm comm, const NetOptions *options, PetscInt inputs, PetscInt outputs, Network *network);
PetscErrorCode NetworkDestroy(Network *network);

PetscInt64 NetworkSize(Network network);     /* n */
PetscInt64 NetworkSumUnits(Network network); /* sum of the dimensions of all values but the input */

/** Initial theta: weights N(0, gain^2/fan-in), biases N(0, bias_gain^2), a function of the seed alone. Collective. */
PetscErrorCode NetworkSetInitial(Network network, const NetOptions *options, Parameters parameters, Vec theta);
