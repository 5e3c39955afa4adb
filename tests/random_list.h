/*
  random_list.h: small random nets of all ops, as lists; a function of the seed.

  A list is a few blocks, each from one value to the next, then a linear head: attention, layer normalization, convolution with pooling, a
  recurrence that shares its weights, products, softmax gates, gathers, skip connections; half of them begin with an embedding.
*/
#pragma once

#include "../src/builders/builders.h"
#include "codim/random.h"
#include <string.h>

typedef struct {
  json_t    *file;
  PetscInt64 seed, choices;
  PetscInt   names, dim; /* of the value */
  NetName    value;
} RandomList;

/* 0 … n - 1 */
static inline PetscInt ListChoose(RandomList *list, PetscInt n)
{
  PetscReal u;

  RandomUniform(list->seed, 91, list->choices++, 1, &u);
  return PetscMin(n - 1, (PetscInt)(u * (PetscReal)n));
}

/* the value := op(inputs), of `dim` entries */
static inline void ListOp(RandomList *list, const char op[], json_t *inputs, json_t *parameters, json_t *attributes, PetscInt dim)
{
  NetName name;

  (void)PetscSNPrintf(name, sizeof(name), "%s.%d", op, (int)list->names++);
  NetFileAdd(list->file, name, op, inputs, parameters, attributes);
  (void)PetscStrncpy(list->value, name, sizeof(list->value));
  list->dim = dim;
}

/* W a + b at T places */
static inline void ListLinear(RandomList *list, const char input[], PetscInt T, PetscInt k, PetscInt h)
{
  const PetscInt shape[] = {h, k};
  NetName        name;

  (void)PetscSNPrintf(name, sizeof(name), "linear.%d", (int)list->names++);
  NetFileAddLinear(list->file, name, input, 2, shape, (PetscBool)(ListChoose(list, 3) > 0));
  (void)PetscStrncpy(list->value, name, sizeof(list->value));
  list->dim = T * h;
}

static inline void ListParameter(RandomList *list, PetscInt size)
{
  NetName name;

  (void)PetscSNPrintf(name, sizeof(name), "p.%d", (int)list->names);
  NetFileAddParameter(list->file, name, 1, &size);
  ListOp(list, "parameter", NULL, json_pack("{s:s}", "value", name), NULL, size);
}

static inline void ListActivation(RandomList *list)
{
  static const char *const smooth[] = {"tanh", "softplus", "sigmoid", "gelu", "silu", "sin", "erf"}, *const kinked[] =
                                                                                                         {"relu", "leaky_relu"};
  const char *function = ListChoose(list, 6) ? smooth[ListChoose(list, 7)] : kinked[ListChoose(list, 2)];

  ListOp(list, "activation", json_pack("[s]", list->value), NULL, json_pack("{s:s}", "function", function), list->dim);
}

/* ---- blocks --------------------------------------------------------------------------------------------------------------- */

static inline void BlockDense(RandomList *list)
{
  ListLinear(list, list->value, 1, list->dim, 2 + ListChoose(list, 4));
  ListActivation(list);
}

static inline void BlockNorm(RandomList *list)
{
  const PetscInt width = 2 + ListChoose(list, 3), dim = width * (1 + ListChoose(list, 2)), gain = ListChoose(list, 2);
  NetName        core;

  ListLinear(list, list->value, 1, list->dim, dim);
  ListOp(list, "layernorm", json_pack("[s]", list->value), NULL,
         json_pack("{s:I, s:f}", "width", (json_int_t)width, "eps", ListChoose(list, 2) ? 1e-5 : .1), dim);
  (void)PetscStrncpy(core, list->value, sizeof(core));
  ListParameter(list, width);
  ListOp(list, gain ? "multiply" : "add", json_pack("[s, s]", core, list->value), NULL, NULL, dim);
}

/* one head or two over 2 or 3 places of width 2, around which the value goes too */
static inline void BlockAttention(RandomList *list)
{
  const PetscInt T = 2 + ListChoose(list, 2), heads = 1 + ListChoose(list, 2), w = 2, dim = T * w, inner = w / heads;
  NetName        x, qkv[3], scores;

  ListLinear(list, list->value, 1, list->dim, dim);
  (void)PetscStrncpy(x, list->value, sizeof(x));
  for (PetscInt i = 0; i < 3; i++) {
    ListLinear(list, x, T, w, w);
    ListOp(list, "permute", json_pack("[s]", list->value), NULL,
           json_pack("{s:[I, I, I], s:[i, i, i]}", "shape", (json_int_t)T, (json_int_t)heads, (json_int_t)inner, "axes", 1, 0, 2),
           dim);
    (void)PetscStrncpy(qkv[i], list->value, sizeof(x));
  }
  ListOp(list, "matmul", json_pack("[s, s]", qkv[0], qkv[1]), NULL,
         json_pack("{s:I, s:I, s:I, s:I, s:b, s:f}", "batch", (json_int_t)heads, "rows", (json_int_t)T, "inner", (json_int_t)inner,
                   "cols", (json_int_t)T, "transpose", 1, "scale", ListChoose(list, 2) ? 1.5 : .7),
         heads * T * T);
  ListOp(list, "softmax", json_pack("[s]", list->value), NULL, json_pack("{s:I}", "width", (json_int_t)T), heads * T * T);
  (void)PetscStrncpy(scores, list->value, sizeof(scores));
  ListOp(list, "matmul", json_pack("[s, s]", scores, qkv[2]), NULL,
         json_pack("{s:I, s:I, s:I, s:I}", "batch", (json_int_t)heads, "rows", (json_int_t)T, "inner", (json_int_t)T, "cols",
                   (json_int_t)inner),
         dim);
  ListOp(list, "permute", json_pack("[s]", list->value), NULL,
         json_pack("{s:[I, I, I], s:[i, i, i]}", "shape", (json_int_t)heads, (json_int_t)T, (json_int_t)inner, "axes", 1, 0, 2),
         dim);
  ListOp(list, "add", json_pack("[s, s]", list->value, x), NULL, NULL, dim);
}

/* a softmax that weighs another value */
static inline void BlockGate(RandomList *list)
{
  const PetscInt width = 2 + ListChoose(list, 2), dim = width * (1 + ListChoose(list, 2));
  NetName        x;

  (void)PetscStrncpy(x, list->value, sizeof(x));
  ListLinear(list, x, 1, list->dim, dim);
  ListOp(list, "softmax", json_pack("[s]", list->value), NULL, json_pack("{s:I}", "width", (json_int_t)width), dim);
  if (ListChoose(list, 2)) return;
  (void)PetscStrncpy(x, list->value, sizeof(x));
  ListParameter(list, ListChoose(list, 2) ? width : dim);
  ListOp(list, "multiply", json_pack("[s, s]", x, list->value), NULL, NULL, dim);
}

/* patches of a 3 x 4 image through a map to two channels, sigma, pooling */
static inline void BlockConvolution(RandomList *list)
{
  const PetscInt padding = ListChoose(list, 2), h = 2 + 2 * padding, w = 3 + 2 * padding;
  const char    *pool = ListChoose(list, 2) ? "max" : "mean";

  ListLinear(list, list->value, 1, list->dim, 12);
  ListOp(list, "unfold", json_pack("[s]", list->value), NULL,
         json_pack("{s:[i, i, i], s:i, s:I}", "shape", 1, 3, 4, "kernel", 2, "padding", (json_int_t)padding), h * w * 4);
  ListLinear(list, list->value, h * w, 4, 2);
  ListActivation(list);
  if (ListChoose(list, 2))
    ListOp(list, pool, json_pack("[s]", list->value), NULL,
           json_pack("{s:[I, I, i], s:[i]}", "shape", (json_int_t)h, (json_int_t)w, 2, "axes", 0), w * 2);
  else
    ListOp(list, pool, json_pack("[s]", list->value), NULL,
           json_pack("{s:[I, I, i], s:[i, i]}", "shape", (json_int_t)h, (json_int_t)w, 2, "axes", 0, 1), 2);
}

/* h := sigma(W h) o z + h, W used two or three times */
static inline void BlockRecurrence(RandomList *list)
{
  const PetscInt H = 2 + ListChoose(list, 2), steps = 2 + ListChoose(list, 2), shape[] = {H, H};
  NetName        h, W;

  ListLinear(list, list->value, 1, list->dim, H);
  (void)PetscSNPrintf(W, sizeof(W), "shared.%d", (int)list->names);
  NetFileAddParameter(list->file, W, 2, shape);
  for (PetscInt t = 0; t < steps; t++) {
    (void)PetscStrncpy(h, list->value, sizeof(h));
    ListOp(list, "linear", json_pack("[s]", h), json_pack("{s:s}", "weight", W), NULL, H);
    ListActivation(list);
    if (ListChoose(list, 2)) ListOp(list, "multiply", json_pack("[s, s]", list->value, h), NULL, NULL, H);
    ListOp(list, "add", json_pack("[s, s]", list->value, h), NULL, NULL, H);
  }
}

static inline void BlockGather(RandomList *list)
{
  const PetscInt dim = list->dim;
  NetName        x, part;

  (void)PetscStrncpy(x, list->value, sizeof(x));
  ListOp(list, "slice", json_pack("[s]", x), NULL, json_pack("{s:i, s:I}", "first", 0, "last", (json_int_t)(dim + 1) / 2),
         (dim + 1) / 2);
  ListOp(list, "affine", json_pack("[s]", list->value), NULL, json_pack("{s:[f], s:[f]}", "scale", -1.7, "shift", .3), list->dim);
  (void)PetscStrncpy(part, list->value, sizeof(part));
  ListOp(list, "concatenate", json_pack("[s, s]", part, x), NULL, NULL, list->dim + dim);
  ListOp(list, "select", json_pack("[s]", list->value), NULL,
         json_pack("{s:[i, i, i, I]}", "indices", 0, 0, 1, (json_int_t)list->dim - 1), 4);
}

static void (*const Blocks[])(RandomList *) = {BlockDense,       BlockNorm,       BlockAttention, BlockGate,
                                               BlockConvolution, BlockRecurrence, BlockGather};

/* T integers below 3 choose rows of a table */
static inline void BlockEmbedding(RandomList *list, PetscInt T)
{
  const PetscInt shape[] = {3, 2};
  NetName        x, table;

  (void)PetscStrncpy(x, list->value, sizeof(x));
  (void)PetscSNPrintf(table, sizeof(table), "table");
  NetFileAddParameter(list->file, table, 2, shape);
  ListOp(list, "parameter", NULL, json_pack("{s:s}", "value", table), NULL, 6);
  ListOp(list, "embedding", json_pack("[s, s]", x, list->value), NULL, json_pack("{s:i}", "width", 2), T * 2);
}

/* A list from p inputs to l outputs; integers: the inputs must be integers from 0 to 2. Free with json_decref. */
static inline json_t *RandomListCreate(PetscInt64 seed, PetscInt p, PetscInt l, PetscBool integers, size_t size, char blocks[])
{
  static const char letters[] = "dnaqcrg";
  RandomList        list      = {.file = NetFileCreate(p), .seed = seed, .dim = p, .value = "input"};
  PetscInt          count     = 1 + ListChoose(&list, 3);

  blocks[0] = '\0';
  if (integers) {
    BlockEmbedding(&list, p);
    (void)PetscStrlcat(blocks, "e", size);
  }
  for (PetscInt i = 0; i < count; i++) {
    const PetscInt which = ListChoose(&list, (PetscInt)PETSC_STATIC_ARRAY_LENGTH(Blocks));

    (void)PetscStrlcat(blocks, (const char[]){letters[which], '\0'}, size);
    Blocks[which](&list);
  }
  ListLinear(&list, list.value, 1, list.dim, l);
  return list.file;
}
