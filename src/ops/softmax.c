/*
  softmax.c: y = e^x / sum e^x, in each block of `width` entries; [a, b] is the block's sum of a_i b_i.

    tangent            y'     = y o (x' - [y, x'])
    adjoint            x_bar += y o (y_bar - [y, y_bar])
    adjoint's tangent  x_bar' += y o (y_bar' - [y, y_bar'] - [y', y_bar]) + y' o (y_bar - [y, y_bar])

    attributes  width
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp    *op = setup->op;
  PetscInt *width;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(1, &width));
  op->data = width;
  op->dim  = OpInputDim(setup, 0);
  OpGetInt(setup, "width", 1, width);
  if (*width > 0 && op->dim % *width)
    OpComplain(setup, "attribute 'width' is %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT " entries", *width,
               setup->net->ops[op->inputs[0]].name, op->dim);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static size_t WidthOf(const NetOp *op)
{
  return (size_t) * (const PetscInt *)op->data;
}

static PetscReal Sum(size_t w, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (size_t i = 0; i < w; i++) sum += a[i] * b[i];
  return sum;
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *x = arrays->in[0] + block;
    PetscReal       *y = arrays->out + block, largest = x[0], sum = 0;

    for (size_t i = 1; i < w; i++) largest = PetscMax(largest, x[i]);
    for (size_t i = 0; i < w; i++) sum += y[i] = PetscExpReal(x[i] - largest);
    for (size_t i = 0; i < w; i++) y[i] /= sum;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* out += y o (a - [y, a]) */
static void AddDerivative(size_t w, const PetscReal y[], const PetscReal a[], PetscReal out[])
{
  const PetscReal along = Sum(w, y, a);

  for (size_t i = 0; i < w; i++) out[i] += y[i] * (a[i] - along);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out_dot, size));
  for (size_t block = 0; arrays->in_dot[0] && block < size; block += w)
    AddDerivative(w, arrays->out + block, arrays->in_dot[0] + block, arrays->out_dot + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), dim = (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
  for (size_t row = 0; row < (size_t)arrays->rows; row++)
    for (size_t block = 0; block < dim; block += w)
      AddDerivative(w, arrays->out + OpRowPoint(arrays, row) * dim + block, arrays->out_bar + row * dim + block,
                    arrays->in_bar[0] + row * dim + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void AddCurvature(size_t w, const PetscReal y[], const PetscReal x_dot[], const PetscReal y_bar[], PetscReal x_bar_dot[])
{
  const PetscReal along = Sum(w, y, x_dot), bar = Sum(w, y, y_bar);
  PetscReal       moved = 0; /* [y', y_bar] */

  for (size_t i = 0; i < w; i++) moved += y[i] * (x_dot[i] - along) * y_bar[i];
  for (size_t i = 0; i < w; i++) x_bar_dot[i] += y[i] * ((x_dot[i] - along) * (y_bar[i] - bar) - moved);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t w = WidthOf(op), size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  for (size_t block = 0; arrays->in_bar_dot[0] && block < size; block += w) {
    const PetscReal *y         = arrays->out + block;
    PetscReal       *x_bar_dot = arrays->in_bar_dot[0] + block;

    if (arrays->out_bar_dot) AddDerivative(w, y, arrays->out_bar_dot + block, x_bar_dot);
    if (arrays->in_dot[0]) AddCurvature(w, y, arrays->in_dot[0] + block, arrays->out_bar + block, x_bar_dot);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"width", NULL};

const OpKind OpSoftmax = {.name            = "softmax",
                          .inputs_min      = 1,
                          .inputs_max      = 1,
                          .attributes      = Attributes,
                          .setup           = Setup,
                          .forward         = Forward,
                          .tangent         = Tangent,
                          .adjoint         = AdjointOf,
                          .adjoint_tangent = AdjointTangent,
                          .form            = OpAnyForm};
