/*
  affine.c: out_i = s_c(i) in_i + t_c(i), s and t frozen; c(i) = (i / repeat) mod (how many there are). Batch normalization in evaluation mode
  is s = gain/sqrt(variance + eps), t = shift - s mean, with repeat = h w where the input is [c, h, w].

    attributes  scale and shift, lists of equal length; repeat (1)
    adjoint     in_bar += s o out_bar
*/
#include "ops.h"

typedef struct {
  PetscInt  count, repeat;
  PetscReal coefficients[]; /* s, then t */
} Affine;

static void ReadList(OpSetup *setup, const char name[], PetscInt count, PetscReal values[])
{
  const json_t *list = json_object_get(setup->attributes, name);

  for (PetscInt i = 0; i < count; i++) {
    const json_t *item = json_array_get(list, (size_t)i);

    if (!json_is_number(item))
      OpComplain(setup, "attribute '%s' must be a list of %" PetscInt_FMT " numbers, as 'scale'", name, count);
    values[i] = json_number_value(item);
  }
}

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp         *op    = setup->op;
  const PetscInt count = (PetscInt)json_array_size(json_object_get(setup->attributes, "scale"));
  PetscReal      norm  = 0;
  Affine        *affine;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc(sizeof(Affine) + 2 * (size_t)count * sizeof(PetscReal), &affine));
  op->data       = affine;
  affine->count  = count;
  affine->repeat = 1;
  OpGetInt(setup, "repeat", 1, &affine->repeat);
  ReadList(setup, "scale", count, affine->coefficients);
  ReadList(setup, "shift", count, affine->coefficients + count);
  op->dim = OpInputDim(setup, 0);
  if (count == 0 || op->dim % (count * affine->repeat))
    OpComplain(setup,
               "attribute 'scale' has %" PetscInt_FMT " numbers, each for %" PetscInt_FMT
               " entries; its input '%s' has %" PetscInt_FMT,
               count, affine->repeat, setup->net->ops[op->inputs[0]].name, op->dim);
  for (PetscInt i = 0; i < count; i++) norm = PetscMax(norm, PetscAbsReal(affine->coefficients[i]));
  op->norm  = norm;
  op->chain = 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out = s in + shifts t, over `rows` rows; added to what is there, or instead of it */
static void Apply(const NetOp *op, size_t rows, const PetscReal in[], PetscBool shifts, PetscBool adds, PetscReal out[])
{
  const Affine    *affine = (const Affine *)op->data;
  const PetscReal *s = affine->coefficients, *t = s + affine->count;

  for (size_t row = 0; row < rows; row++)
    for (PetscInt i = 0; i < op->dim; i++) {
      const size_t    at = row * (size_t)op->dim + (size_t)i;
      const PetscInt  c  = i / affine->repeat % affine->count;
      const PetscReal x  = s[c] * in[at] + (shifts ? t[c] : 0);

      out[at] = adds ? out[at] + x : x;
    }
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  Apply(op, (size_t)arrays->N, arrays->in[0], PETSC_TRUE, PETSC_FALSE, arrays->out);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  Apply(op, (size_t)arrays->N, arrays->in_dot[0], PETSC_FALSE, PETSC_FALSE, arrays->out_dot);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  PetscFunctionBeginUser;
  (void)context;
  if (arrays->in_bar[0]) Apply(op, (size_t)arrays->rows, arrays->out_bar, PETSC_FALSE, PETSC_TRUE, arrays->in_bar[0]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds: as of any map, but the sum is rounded with t: |fl(s x + t) - (s x + t)| <= u |s x| + u |fl(s x + t)| -------------------------- */

static void BoundForward(const OpBoundArgs *args)
{
  OpMapBounds.forward(args);
  args->out->eps = Up(args->out->eps + ROUNDING * args->out->measure->norm);
  args->out->e   = Up(args->out->e + ROUNDING * args->out->measure->norm);
}

static void BoundAdjoint(const OpBoundArgs *args)
{
  OpMapBounds.adjoint(args);
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, NULL, NULL, NULL};

static const char *const Attributes[] = {"scale", "shift", "repeat", NULL};

static void Form(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  const Affine *affine = (const Affine *)op->data;
  PetscBool     shifts = PETSC_FALSE;

  for (PetscInt c = 0; c < affine->count; c++)
    if (affine->coefficients[affine->count + c] != 0) shifts = PETSC_TRUE;
  OpMapForm(op, in, out);
  if (!shifts) return;
  out->odd = PETSC_FALSE;
  if (out->degrees) out->degrees |= 1;
}

const OpKind OpAffine = {.name            = "affine",
                         .inputs_min      = 1,
                         .inputs_max      = 1,
                         .attributes      = Attributes,
                         .setup           = Setup,
                         .forward         = Forward,
                         .tangent         = Tangent,
                         .adjoint         = AdjointOf,
                         .adjoint_tangent = OpMapAdjointTangent,
                         .bounds          = &Bounds,
                         .form            = Form};
