/*
  layernorm.c: y = (x - <x>)/s, s = sqrt(<(x - <x>)^2> + eps), in each block of `width` entries, < > the block's mean. Gain and shift are
  a multiply and an add of parameters.

    P = I - 1 1^T/w - y y^T/w, symmetric
    tangent            y'     = P x'/s                                    s' = <y x'>
    adjoint            x_bar += P y_bar/s
    adjoint's tangent  x_bar' += (P y_bar' - y' <y y_bar> - y <y' y_bar> - (s'/s) P y_bar)/s

    attributes  width; eps (1e-5)
*/
#include "ops.h"

typedef struct {
  PetscInt  width;
  PetscReal eps;
} Norm;

static PetscErrorCode Setup(OpSetup *setup)
{
  NetOp *op = setup->op;
  Norm  *norm;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&norm));
  op->data  = norm;
  op->dim   = OpInputDim(setup, 0);
  norm->eps = 1e-5;
  OpGetInt(setup, "width", 1, &norm->width);
  OpGetReal(setup, "eps", &norm->eps);
  if (norm->width > 0 && op->dim % norm->width)
    OpComplain(setup, "attribute 'width' is %" PetscInt_FMT ", its input '%s' has %" PetscInt_FMT " entries", norm->width,
               setup->net->ops[op->inputs[0]].name, op->dim);
  if (!(norm->eps > 0))
    OpComplain(setup, "attribute 'eps' must be positive: without it the function is not smooth where a block is constant");
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal Mean(PetscInt w, const PetscReal a[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < w; i++) sum += a[i];
  return sum / (PetscReal)w;
}

static PetscReal MeanProduct(PetscInt w, const PetscReal a[], const PetscReal b[])
{
  PetscReal sum = 0;

  for (PetscInt i = 0; i < w; i++) sum += a[i] * b[i];
  return sum / (PetscReal)w;
}

static PetscReal Deviation(const Norm *norm, const PetscReal x[])
{
  const PetscReal mean = Mean(norm->width, x);
  PetscReal       sum  = 0;

  for (PetscInt i = 0; i < norm->width; i++) sum += PetscSqr(x[i] - mean);
  return PetscSqrtReal(sum / (PetscReal)norm->width + norm->eps);
}

/* out += f P a */
static void AddProjected(PetscInt w, PetscReal f, const PetscReal y[], const PetscReal a[], PetscReal out[])
{
  const PetscReal mean = Mean(w, a), along = MeanProduct(w, y, a);

  for (PetscInt i = 0; i < w; i++) out[i] += f * (a[i] - mean - along * y[i]);
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *x = arrays->in[0] + block, mean = Mean(norm->width, x), s = Deviation(norm, x);

    for (size_t i = 0; i < w; i++) arrays->out[block + i] = (x[i] - mean) / s;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  PetscCall(PetscArrayzero(arrays->out_dot, size));
  for (size_t block = 0; arrays->in_dot[0] && block < size; block += w)
    AddProjected(norm->width, 1 / Deviation(norm, arrays->in[0] + block), arrays->out + block, arrays->in_dot[0] + block,
                 arrays->out_dot + block);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, dim = (size_t)op->dim;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
  for (size_t first = 0, end; first < (size_t)arrays->rows; first = end) {
    const size_t point = OpRowPoint(arrays, first);

    end = OpRowRunEnd(arrays, first);
    for (size_t block = 0; block < dim; block += w) {
      const PetscReal f = 1 / Deviation(norm, arrays->in[0] + point * dim + block);

      for (size_t row = first; row < end; row++)
        AddProjected(norm->width, f, arrays->out + point * dim + block, arrays->out_bar + row * dim + block,
                     arrays->in_bar[0] + row * dim + block);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x_bar' -= (y' <y y_bar> + y <y' y_bar> + (s'/s) P y_bar)/s in one block, y' = P x'/s */
static void AddCurvature(PetscInt w, PetscReal s, const PetscReal y[], const PetscReal x_dot[], const PetscReal y_bar[],
                         PetscReal x_bar_dot[], PetscReal y_dot[])
{
  for (PetscInt i = 0; i < w; i++) y_dot[i] = 0;
  AddProjected(w, 1 / s, y, x_dot, y_dot);
  AddProjected(w, -MeanProduct(w, y, x_dot) / (s * s), y, y_bar, x_bar_dot);
  for (PetscInt i = 0; i < w; i++) x_bar_dot[i] -= (y_dot[i] * MeanProduct(w, y, y_bar) + y[i] * MeanProduct(w, y_dot, y_bar)) / s;
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const Norm  *norm = (const Norm *)op->data;
  const size_t w = (size_t)norm->width, size = (size_t)arrays->N * (size_t)op->dim;
  PetscReal   *y_dot;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar_dot[0]) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscMalloc1(w, &y_dot));
  for (size_t block = 0; block < size; block += w) {
    const PetscReal *y = arrays->out + block, s = Deviation(norm, arrays->in[0] + block);
    PetscReal       *x_bar_dot = arrays->in_bar_dot[0] + block;

    if (arrays->out_bar_dot) AddProjected(norm->width, 1 / s, y, arrays->out_bar_dot + block, x_bar_dot);
    if (arrays->in_dot[0]) AddCurvature(norm->width, s, y, arrays->in_dot[0] + block, arrays->out_bar + block, x_bar_dot, y_dot);
  }
  PetscCall(PetscFree(y_dot));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const char *const Attributes[] = {"width", "eps", NULL};

/* odd in its input */
static void Form(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  OpAnyForm(op, in, out);
  out->odd = in[0].odd;
}

const OpKind OpLayernorm = {.name            = "layernorm",
                            .inputs_min      = 1,
                            .inputs_max      = 1,
                            .attributes      = Attributes,
                            .setup           = Setup,
                            .forward         = Forward,
                            .tangent         = Tangent,
                            .adjoint         = AdjointOf,
                            .adjoint_tangent = AdjointTangent,
                            .form            = Form};
