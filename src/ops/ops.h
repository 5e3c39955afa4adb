/*
  ops.h: the kinds of op, and what their files share. A new kind is a line here.
*/
#pragma once

#include "../certify_bounds.h"
#include "codim/network.h"
#include "codim/threads.h"

#define OP_KINDS(X)                                                                                                                \
  X(OpInput)                                                                                                                       \
  X(OpLinear)                                                                                                                      \
  X(OpParameter)                                                                                                                   \
  X(OpActivation)                                                                                                                  \
  X(OpAdd)                                                                                                                         \
  X(OpMultiply)                                                                                                                    \
  X(OpMatmul)                                                                                                                      \
  X(OpAffine)                                                                                                                      \
  X(OpLayernorm)                                                                                                                   \
  X(OpSoftmax)                                                                                                                     \
  X(OpEmbedding)                                                                                                                   \
  X(OpMean)                                                                                                                        \
  X(OpMax)                                                                                                                         \
  X(OpConcatenate)                                                                                                                 \
  X(OpUnfold)                                                                                                                      \
  X(OpSlice)                                                                                                                       \
  X(OpPermute)                                                                                                                     \
  X(OpSelect)

#define OP_DECLARE(kind) extern const OpKind kind;
OP_KINDS(OP_DECLARE)

/* ---- setup: what an op reads of its attributes. A complaint (the first stays) names op, attribute and numbers ------------------------ */

typedef struct {
  PetscInt n, v[8];
} OpShape;

void OpComplain(OpSetup *setup, const char format[], ...) PETSC_ATTRIBUTE_FORMAT(2, 3);

PetscInt OpInputDim(const OpSetup *setup, PetscInt j);

/* an integer of at least `least`; the default is what stands in *value, and there is none if that is less */
void OpGetInt(OpSetup *setup, const char name[], PetscInt least, PetscInt *value);
void OpGetReal(OpSetup *setup, const char name[], PetscReal *value);
void OpGetBool(OpSetup *setup, const char name[], PetscBool *value);

/* a list of integers of at least `least` */
void OpGetInts(OpSetup *setup, const char name[], PetscInt least, OpShape *values);

/* "shape": of input 0, whose dimension is its product */
void OpGetShape(OpSetup *setup, OpShape *shape);

/* "axes": of "shape", which the op does away with. op->data: for each entry of input 0 the entry of the value it goes into; *count: how many
   go into one; op->dim */
PetscErrorCode OpReduceAxes(OpSetup *setup, PetscInt *count);

/* each entry of the shape's product: its position along the axes */
void     OpPosition(const OpShape *shape, PetscInt entry, PetscInt at[]);
PetscInt OpEntry(const OpShape *shape, const PetscInt at[]);

/* ---- forms: of any function of the inputs, of a linear one, of a product of two; form.c ------------------------------------------------- */

void     OpAnyForm(const NetOp *op, const ValueForm in[], ValueForm *out);
void     OpMapForm(const NetOp *op, const ValueForm in[], ValueForm *out);
void     OpProductForm(const NetOp *op, const ValueForm in[], ValueForm *out);
uint64_t FormDegreesOfProduct(uint64_t a, uint64_t b);

/* ---- maps: ops that are linear in their inputs, the same for every theta ------------------------------------------------------------- */

/* the tangent is forward applied to the inputs' tangents, the adjoint's tangent adjoint applied to the adjoint's */
OpFn OpMapTangent, OpMapAdjointTangent;

/* |out| <= norm sum_j |in_j|, sums of at most `chain` terms */
extern const OpBounds OpMapBounds;

/* ---- gathers: out_i = in_index(i), or 0 where index(i) = -1; data is the index, of op->dim entries -------------------------------------- */

PetscErrorCode OpGatherCreate(OpSetup *setup, PetscInt dim, PetscInt **index); /* to be filled */
PetscErrorCode OpGatherFinish(OpSetup *setup);
OpFn           OpGatherForward, OpGatherAdjoint;
