/*
  activation.c: a = sigma(z), entry by entry.

    tangent            a'     = sigma'(z) z'
    adjoint            z_bar += sigma'(z) a_bar
    adjoint's tangent  z_bar' += sigma'(z) a_bar' + sigma''(z) z' a_bar

    attributes         function: a name of activation.h

  saved: sigma'(z), then sigma''(z).
*/
#include "ops.h"

static PetscErrorCode Setup(OpSetup *setup)
{
  const char *name = json_string_value(json_object_get(setup->attributes, "function"));

  PetscFunctionBeginUser;
  setup->op->activation = name ? ActivationFind(name) : NULL;
  setup->op->dim        = OpInputDim(setup, 0);
  if (!setup->op->activation)
    OpComplain(setup, "attribute 'function': there is no '%s'; there are %s", name ? name : "", ActivationNames());
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* entries, and adjoint rows, that a thread takes at a time */
enum { PIECE = 512, PIECE_ROWS = 8 };

static size_t ValueSize(const NetOp *op, const OpArrays *arrays)
{
  return (size_t)arrays->N * (size_t)op->dim;
}

static PetscErrorCode Forward(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t size = ValueSize(op, arrays);

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t i = 0; i < size; i += PIECE)
    op->activation->jet((PetscInt)PetscMin(PIECE, size - i), arrays->in[0] + i, arrays->out + i, NULL, NULL);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Save(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t size = ValueSize(op, arrays);
  PetscReal   *ds = arrays->saved, *dds = arrays->saved + size;

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t i = 0; i < size; i += PIECE) {
    PetscReal s[PIECE];

    op->activation->jet((PetscInt)PetscMin(PIECE, size - i), arrays->in[0] + i, s, ds + i, dds + i);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t     size = ValueSize(op, arrays);
  const PetscReal *ds = arrays->saved, *z_dot = arrays->in_dot[0];

  PetscFunctionBeginUser;
  (void)context;
#pragma omp parallel for if (ThreadsShare(size))
  for (size_t i = 0; i < size; i++) arrays->out_dot[i] = z_dot ? ds[i] * z_dot[i] : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* entries j, j + 1, … of one point: z_bar += sigma'(z) a_bar in its rows first … end - 1 */
static void PullPiece(const NetOp *op, const OpArrays *arrays, size_t first, size_t end, size_t j)
{
  const size_t   dim = (size_t)op->dim, at = OpRowPoint(arrays, first) * dim + j, len = PetscMin(PIECE, dim - j);
  const PetscInt count = (PetscInt)len;
  PetscReal      s[PIECE], ds[PIECE];

  if (op->activation->slope)
    op->activation->slope(count, arrays->out + at, ds);
  else
    op->activation->jet(count, arrays->in[0] + at, s, ds, NULL);
  for (size_t row = first; row < end; row++) {
    const PetscReal *a_bar = arrays->out_bar + row * dim + j;
    PetscReal       *z_bar = arrays->in_bar[0] + row * dim + j;

    for (size_t i = 0; i < len; i++) z_bar[i] += ds[i] * a_bar[i];
  }
}

static PetscErrorCode AdjointOf(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t dim = (size_t)op->dim, rows = (size_t)arrays->rows;

  PetscFunctionBeginUser;
  (void)context;
  if (!arrays->in_bar[0]) PetscFunctionReturn(PETSC_SUCCESS);
#pragma omp parallel for if (ThreadsShare(rows * dim))
  for (size_t piece = 0; piece < rows; piece += PIECE_ROWS) {
    const size_t last = PetscMin(piece + PIECE_ROWS, rows);

    for (size_t first = piece, end; first < last; first = end) {
      end = PetscMin(OpRowRunEnd(arrays, first), last);
      for (size_t j = 0; j < dim; j += PIECE) PullPiece(op, arrays, first, end, j);
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AdjointTangent(const NetOp *op, const OpContext *context, const OpArrays *arrays)
{
  const size_t     size = ValueSize(op, arrays);
  const PetscReal *ds = arrays->saved, *dds = arrays->saved + size, *z_dot = arrays->in_dot[0];
  const PetscReal *a_bar = arrays->out_bar, *a_bar_dot = arrays->out_bar_dot;
  PetscReal       *z_bar_dot = arrays->in_bar_dot[0];

  PetscFunctionBeginUser;
  (void)context;
  if (!z_bar_dot) PetscFunctionReturn(PETSC_SUCCESS);
  if (z_dot) {
#pragma omp parallel for if (ThreadsShare(size))
    for (size_t i = 0; i < size; i++) z_bar_dot[i] += dds[i] * z_dot[i] * a_bar[i];
  }
  if (a_bar_dot) {
#pragma omp parallel for if (ThreadsShare(size))
    for (size_t i = 0; i < size; i++) z_bar_dot[i] += ds[i] * a_bar_dot[i];
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- bounds ----------------------------------------------------------------------------------------------------------
   S1, S2 = sup |sigma'|, |sigma''| over |z| <= |z^|_inf + E_z, which holds every argument met in the ball and on the way there from the
   computed one. A sigma that is not smooth is linear on either side of 0: where every |z_j| exceeds E_z, no argument changes side.       */

/* min_j |z_j|; infinity: sigma is smooth */
static PetscReal OwnKink(const NetOp *op, const OpArrays *point, PetscInt *unit)
{
  PetscReal least = INFINITY;

  for (PetscInt j = 0; !op->activation->smooth && j < op->dim; j++)
    if (!(PetscAbsReal(point->in[0][j]) >= least)) {
      least = PetscAbsReal(point->in[0][j]);
      *unit = j;
    }
  return least;
}

typedef struct {
  PetscReal S1, S2;
  PetscReal eps;    /* |(fl sigma(z_j) - sigma(z_j))_j| */
  PetscReal eps_ds; /* max_j |fl sigma'(z_j) - sigma'(z_j)| */
} Suprema;

/* accuracy: the contract of activation.h */
static Suprema SupremaOf(const OpBoundArgs *args)
{
  const Activation *sigma = args->op->activation;
  const ValueBound *z     = args->in[0];
  const PetscReal   Z     = z->measure->largest + z->E;
  Suprema           s     = {sigma->sup_ds, sigma->sup_dds, 0, 0};

  if (sigma->degree == 2) s.S1 = Up(2 * Z);
  if (sigma->degree == 3) s.S1 = Up(3 * Z * Z), s.S2 = Up(6 * Z);
  if (!sigma->smooth) {
    const PetscReal margin = args->out->measure->own - z->E;

    s.S2  = margin > 0 || z->E == 0 ? 0 : INFINITY;
    s.eps = ROUNDING * args->out->measure->norm; /* a slope times z */
    if (z->E > 0) LowerMargin(args, margin);
  } else if (sigma->degree > 0) {
    s.eps    = 2 * ROUNDING * args->out->measure->norm;
    s.eps_ds = 4 * ROUNDING * s.S1;
  } else {
    s.eps    = 8 * ROUNDING * (PetscSqrtReal((PetscReal)z->dim) + z->measure->norm);
    s.eps_ds = 8 * ROUNDING * (1 + z->measure->largest);
  }
  return s;
}

static void BoundForward(const OpBoundArgs *args)
{
  const Suprema s   = SupremaOf(args);
  ValueBound   *out = args->out, *z = args->in[0];

  out->eps = Up(s.eps);
  out->e   = Up(s.S1 * z->e + out->eps);
  for (PetscInt mu = 0; mu < args->P; mu++) out->t[mu] = Up(s.S1 * z->t[mu]);
}

/* sigma'(z) o lambda - fl(fl sigma'(z^) o lambda^):  S1 F + |lambda^| (S2 E_z + eps_ds + u (S1 + eps_ds)); where other consumers have added
   before, adding is one more rounding */
static void BoundAdjoint(const OpBoundArgs *args)
{
  const Suprema s   = SupremaOf(args);
  ValueBound   *out = args->out, *z = args->in[0];

  for (PetscInt o = 0; o < args->l; o++) {
    const PetscReal bar = out->bar[o], slope = s.S2 * z->E + s.eps_ds + ROUNDING * (s.S1 + s.eps_ds);

    z->F[o]   = Up(z->F[o] + s.S1 * out->F[o] + bar * slope + Gamma(2) * z->sum[o]);
    z->sum[o] = Up(z->sum[o] + bar * (s.S1 + s.eps_ds));
  }
}

/* sum_j lambda_cj sigma''(z_j) z'_j^2 <= S2 max_j |lambda_.j| |z'|^2, |z'| <= sum_mu t_mu |v_mu| */
static void BoundCurvature(const OpBoundArgs *args)
{
  const Suprema   s      = SupremaOf(args);
  const PetscReal weight = s.S2 * (args->out->measure->column + OutputNorm(args->l, args->out->F)), *t = args->in[0]->t;

  for (PetscInt mu = 0; mu < args->P; mu++)
    for (PetscInt nu = 0; nu <= mu; nu++) args->B[mu * args->P + nu] += weight * t[mu] * t[nu];
}

static const OpBounds Bounds = {BoundForward, BoundAdjoint, BoundCurvature, NULL, OwnKink};

static const char *const Attributes[] = {"function", NULL};

/* every polynomial activation is a pure power */
static void Form(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  const PetscInt power = op->activation->degree;

  OpAnyForm(op, in, out);
  out->odd = (PetscBool)(in[0].odd && op->activation->odd);
  if (power >= 0 && power % 2 == 0 && in[0].odd) out->even = PETSC_TRUE;
  if (power < 0 || !in[0].degrees) return;
  out->degrees = 1;
  for (PetscInt factor = 0; factor < power; factor++) out->degrees = FormDegreesOfProduct(out->degrees, in[0].degrees);
}

const OpKind OpActivation = {.name            = "activation",
                             .inputs_min      = 1,
                             .inputs_max      = 1,
                             .attributes      = Attributes,
                             .setup           = Setup,
                             .forward         = Forward,
                             .tangent         = Tangent,
                             .adjoint         = AdjointOf,
                             .adjoint_tangent = AdjointTangent,
                             .nsaved          = 2,
                             .save            = Save,
                             .bounds          = &Bounds,
                             .form            = Form};
