/*
  builders.h: nets as lists of ops. A builder writes the JSON of network.h; it is read as any such file. A new one is a line here.
*/
#pragma once

#include "codim/network.h"

/* the value of net.arch, and where in NetOptions the file is that it reads: 0, none */
#define NET_BUILDERS(X)                                                                                                            \
  X(mlp, 0)                                                                                                                        \
  X(cnn, 0)                                                                                                                        \
  X(rnn, 0)                                                                                                                        \
  X(resnet, 0)                                                                                                                     \
  X(graph, offsetof(NetOptions, graph))                                                                                            \
  X(ops, offsetof(NetOptions, file))                                                                                               \
  X(tied, 0)

extern const char *const NetPoolings[]; /* the values of net.pooling, which are ops; NULL-terminated */

typedef struct {
  const NetOptions *options;
  json_t           *given;           /* its file's content; borrowed */
  PetscInt          inputs, outputs; /* p, l; l = 0: not known, but by the file */
} NetRequest;

/* the list, a new reference; NULL with a complaint. Not collective: the same on every rank */
typedef json_t *NetBuildFn(const NetRequest *request, Complaint *complaint);

#define NET_DECLARE(name, path) NetBuildFn NetBuild_##name;
NET_BUILDERS(NET_DECLARE)

/* ---- writing a list. Arguments of type json_t are stolen, and may be NULL ---------------------------------------------------------- */

typedef char NetName[96];

json_t *NetFileCreate(PetscInt inputs);
void    NetFileAddParameter(json_t *file, const char name[], PetscInt ndim, const PetscInt shape[]);
void    NetFileAdd(json_t *file, const char name[], const char op[], json_t *inputs, json_t *parameters, json_t *attributes);

/* op `name` = W input + b, with parameters name.weight, of `ndim` dimensions, and name.bias */
void NetFileAddLinear(json_t *file, const char name[], const char input[], PetscInt ndim, const PetscInt shape[], PetscBool bias);

/* op name.activation = function(input); value: its name */
void NetFileAddActivation(json_t *file, const char name[], const char function[], const char input[], NetName value);
