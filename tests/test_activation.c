// ranks: 1
/*
  Each jet against ball arithmetic. The reference is the power series of sigma(z + eps), computed by arb from the definition of sigma
  alone: its coefficients are sigma, sigma', sigma''/2, ..., and none of the formulas in activation.c is used.
*/
#include "codim/activation.h"
#include "tap.h"

#include <arb.h>
#include <arb_hypgeom.h>
#include <arb_poly.h>
#include <float.h>
#include <math.h>

enum { PREC = 256, MAX_POINTS = 40000 };

static const double U = DBL_EPSILON / 2;

/* f = sigma(x) mod eps^len, x = z + eps; z may be a ball */
typedef void ReferenceFn(arb_poly_t f, const arb_poly_t x, slong len);

static PetscBool Positive(const arb_poly_t x)
{
  return (PetscBool)arb_is_positive(arb_poly_get_coeff_ptr(x, 0));
}

/* ---- definitions ----------------------------------------------------------------------------------------------------------- */

static void RefIdentity(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_set_trunc(f, x, len);
}

static void RefSquare(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_mullow(f, x, x, len, PREC);
}

static void RefCubic(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_mullow(f, x, x, len, PREC);
  arb_poly_mullow(f, f, x, len, PREC);
}

static void RefSin(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_sin_series(f, x, len, PREC);
}

static void RefErf(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_hypgeom_erf_series(f, x, len, PREC);
}

static void RefGelu(arb_poly_t f, const arb_poly_t x, slong len) /* x erfc(-x/sqrt 2)/2 */
{
  arb_t root;

  arb_init(root);
  arb_sqrt_ui(root, 2, PREC);
  arb_neg(root, root);
  arb_poly_scalar_div(f, x, root, PREC);
  arb_clear(root);
  arb_hypgeom_erfc_series(f, f, len, PREC);
  arb_poly_mullow(f, f, x, len, PREC);
  arb_poly_scalar_mul_2exp_si(f, f, -1);
}

static void RefSigmoid(arb_poly_t f, const arb_poly_t x, slong len) /* 1/(1 + e^-x) = e^x/(1 + e^x) */
{
  arb_poly_t e, d;

  arb_poly_init(e);
  arb_poly_init(d);
  if (Positive(x))
    arb_poly_neg(e, x);
  else
    arb_poly_set(e, x);
  arb_poly_exp_series(e, e, len, PREC);
  arb_poly_add_si(d, e, 1, PREC);
  if (Positive(x))
    arb_poly_inv_series(f, d, len, PREC);
  else
    arb_poly_div_series(f, e, d, len, PREC);
  arb_poly_clear(e);
  arb_poly_clear(d);
}

static void RefSoftplus(arb_poly_t f, const arb_poly_t x, slong len) /* log(1 + e^z), then the integral of 1/(1 + e^-x) */
{
  arb_srcptr z = arb_poly_get_coeff_ptr(x, 0);
  arb_t      s;

  arb_init(s);
  arb_neg(s, z);
  arb_exp(s, Positive(x) ? s : z, PREC);
  arb_log1p(s, s, PREC);
  if (Positive(x)) arb_add(s, s, z, PREC);
  RefSigmoid(f, x, len - 1);
  arb_poly_integral(f, f, PREC);
  arb_poly_set_coeff_arb(f, 0, s);
  arb_clear(s);
}

static void RefSilu(arb_poly_t f, const arb_poly_t x, slong len)
{
  RefSigmoid(f, x, len);
  arb_poly_mullow(f, f, x, len, PREC);
}

static void RefTanh(arb_poly_t f, const arb_poly_t x, slong len) /* 2/(1 + e^-2x) - 1 */
{
  arb_poly_t y;

  arb_poly_init(y);
  arb_poly_scalar_mul_2exp_si(y, x, 1);
  RefSigmoid(f, y, len);
  arb_poly_scalar_mul_2exp_si(f, f, 1);
  arb_poly_add_si(f, f, -1, PREC);
  arb_poly_clear(y);
}

static void Flat(arb_poly_t f, const arb_poly_t x, slong len) /* e^(-1/x) for x > 0, else 0 */
{
  if (!Positive(x)) {
    arb_poly_zero(f);
    return;
  }
  arb_poly_inv_series(f, x, len, PREC);
  arb_poly_neg(f, f);
  arb_poly_exp_series(f, f, len, PREC);
}

static void RefSmoolu(arb_poly_t f, const arb_poly_t x, slong len)
{
  Flat(f, x, len);
  arb_poly_mullow(f, f, x, len, PREC);
}

static void RefRtanh(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_t g;

  arb_poly_init(g);
  RefTanh(g, x, len);
  Flat(f, x, len);
  arb_poly_mullow(f, f, g, len, PREC);
  arb_poly_clear(g);
}

static void RefRsigmoid(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_poly_t g;

  arb_poly_init(g);
  arb_poly_scalar_mul_2exp_si(g, x, -1);
  RefTanh(g, g, len);
  Flat(f, x, len);
  arb_poly_mullow(f, f, g, len, PREC);
  arb_poly_clear(g);
}

static void RefSrelu(arb_poly_t f, const arb_poly_t x, slong len) /* x F(x)/(F(x) + F(1 - x)), F = Flat */
{
  arb_poly_t g;

  arb_poly_init(g);
  Flat(f, x, len);
  arb_poly_add_si(g, x, -1, PREC);
  arb_poly_neg(g, g);
  Flat(g, g, len);
  arb_poly_add_series(g, f, g, len, PREC);
  if (!arb_poly_is_zero(f)) arb_poly_div_series(f, f, g, len, PREC);
  arb_poly_mullow(f, f, x, len, PREC);
  arb_poly_clear(g);
}

static void RefRelu(arb_poly_t f, const arb_poly_t x, slong len)
{
  if (Positive(x))
    arb_poly_set_trunc(f, x, len);
  else
    arb_poly_zero(f);
}

static void RefLeakyRelu(arb_poly_t f, const arb_poly_t x, slong len)
{
  arb_t slope;

  arb_init(slope);
  arb_set_d(slope, Positive(x) ? 1 : .01);
  arb_poly_set_trunc(f, x, len);
  arb_poly_scalar_mul(f, f, slope, PREC);
  arb_clear(slope);
}

/* lowest, highest: the compact set on which the suprema are proved by subdivision; where it is empty they are given instead.
   Outside of it they hold because
     z <= 0:         rectified functions vanish;
     0 < z < 1/64:   their derivatives are at most 16 w^4 e^-w, w = 1/z > 64, so below 1e-19;
     63/64 < z < 1:  srelu's derivatives are as close to those of the identity, which it is from 1 on;
     |z| > 64:       smoolu' = (1 + w) e^-w <= 1; other rectified functions: at most 4w^2; the rest: within 70 e^-64 of the limits,
                     which are 0, or 1 < sup_ds, or for softplus' 1, approached from below.                                       */
typedef struct {
  const char  *name;
  ReferenceFn *ref;
  PetscReal    lowest, highest;
  PetscReal    sup[2];       /* of |sigma'|, |sigma''| where given */
  PetscReal    limits[3][2]; /* sigma, sigma', sigma'' at -oo, oo */
} Reference;

#define OO INFINITY

static const Reference References[] = {{"smoolu", RefSmoolu, 1. / 64, 64, {0}, {{0, OO}, {0, 1}}},
                                       {"softplus", RefSoftplus, -64, 64, {0}, {{0, OO}, {0, 1}}},
                                       {"tanh", RefTanh, -64, 64, {0}, {{-1, 1}}},
                                       {"sigmoid", RefSigmoid, -64, 64, {0}, {{0, 1}}},
                                       {"gelu", RefGelu, -64, 64, {0}, {{0, OO}, {0, 1}}},
                                       {"silu", RefSilu, -64, 64, {0}, {{0, OO}, {0, 1}}},
                                       {"erf", RefErf, -64, 64, {0}, {{-1, 1}}},
                                       {"sin", RefSin, 0, 0, {1, 1}, {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}}},
                                       {"identity", RefIdentity, 0, 0, {1, 0}, {{-OO, OO}, {1, 1}}},
                                       {"square", RefSquare, 0, 0, {OO, 2}, {{OO, OO}, {-OO, OO}, {2, 2}}},
                                       {"cubic", RefCubic, 0, 0, {OO, OO}, {{-OO, OO}, {OO, OO}, {-OO, OO}}},
                                       {"rtanh", RefRtanh, 1. / 64, 64, {0}, {{0, 1}}},
                                       {"rsigmoid", RefRsigmoid, 1. / 64, 64, {0}, {{0, 1}}},
                                       {"srelu", RefSrelu, 1. / 64, 63. / 64, {0}, {{0, OO}, {0, 1}}},
                                       {"relu", RefRelu, 0, 0, {1, OO}, {{0, OO}, {0, 1}}},
                                       {"leaky_relu", RefLeakyRelu, 0, 0, {1, OO}, {{-OO, OO}, {.01, 1}}}};

enum { REFERENCES = sizeof References / sizeof References[0] };

/* ---- points ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
  PetscInt  len;
  PetscReal z[MAX_POINTS], jet[3][MAX_POINTS];
} Sample;

static uint64_t Next(void) /* splitmix64 */
{
  static uint64_t state = 2018;
  uint64_t        x     = (state += 0x9e3779b97f4a7c15u);

  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static PetscReal Uniform(PetscReal a, PetscReal b)
{
  return a + (b - a) * (PetscReal)(Next() >> 11) * 0x1p-53;
}

static void Add(Sample *sample, PetscReal z)
{
  if (sample->len < MAX_POINTS) sample->z[sample->len++] = z;
}

/* both signs of: three points in each binade, 15000 in [0, 40], 3000 in [0, 1], and neighbours of the points where a formula changes */
static void SampleFill(Sample *sample)
{
  const PetscReal special[] = {0, 1. / 800, 1. / 700, 1. / 64, .5, 1 - 1. / 700, 1, 2, 30, 40, 700, 745.2, 800, 0x1p-1022, DBL_MAX};

  for (int e = -1074; e < 1024; e++) {
    for (int k = 0; k < 3; k++) Add(sample, ldexp(Uniform(1, 2), e));
  }
  for (int k = 0; k < 9000; k++) Add(sample, k % 3 ? Uniform(0, 40) : Uniform(0, 1));
  for (size_t k = 0; k < sizeof special / sizeof special[0]; k++) {
    PetscReal below = special[k], above = special[k];

    Add(sample, special[k]);
    for (int step = 0; step < 3; step++) {
      if (below > 0) Add(sample, below = nextafter(below, 0));
      if (above < DBL_MAX) Add(sample, above = nextafter(above, DBL_MAX));
    }
  }
  for (PetscInt i = 0, half = sample->len; i < half; i++) Add(sample, -sample->z[i]);
}

static void SampleApply(Sample *sample, const Activation *a)
{
  a->jet(sample->len, sample->z, sample->jet[0], sample->jet[1], sample->jet[2]);
}

/* ---- accuracy -------------------------------------------------------------------------------------------------------------- */

static double UpperAbs(const arb_t x)
{
  arf_t  a;
  double upper;

  arf_init(a);
  arb_get_abs_ubound_arf(a, x, 64);
  upper = arf_get_d(a, ARF_RND_UP);
  arf_clear(a);
  return upper;
}

static double LowerAbs(const arb_t x)
{
  arf_t  a;
  double lower;

  arf_init(a);
  arb_get_abs_lbound_arf(a, x, 64);
  lower = arf_get_d(a, ARF_RND_DOWN);
  arf_clear(a);
  return lower;
}

/* |value - exact| in units of u(1 + |z|); for a polynomial in units of u|exact|, or 0 if it rightly overflows or underflows */
static double ErrorUnits(const arb_t exact, double value, double z, PetscBool polynomial)
{
  const double lower = LowerAbs(exact);
  double       units;
  arb_t        error, unit;

  if (polynomial && isinf(value) && lower >= DBL_MAX) return 0;
  if (!isfinite(value)) return INFINITY;
  arb_init(error);
  arb_init(unit);
  arb_set_d(error, value);
  arb_sub(error, error, exact, PREC);
  if (polynomial)
    arb_abs(unit, exact);
  else
    arb_set_d(unit, 1 + fabs(z));
  if (polynomial && lower < DBL_MIN)
    units = UpperAbs(error) <= DBL_TRUE_MIN ? 0 : INFINITY;
  else {
    arb_div(error, error, unit, PREC);
    units = UpperAbs(error) / U;
  }
  arb_clear(error);
  arb_clear(unit);
  return units;
}

static PetscBool OppositeSign(const arb_t exact, double value)
{
  return (PetscBool)((value > 0 && arb_is_negative(exact)) || (value < 0 && arb_is_positive(exact)));
}

/* worst[q] = the largest error of the q-th derivative and where[q] its place; signs: sigma never has the wrong sign */
static PetscBool Measure(const Sample *sample, ReferenceFn *ref, PetscBool polynomial, double worst[3], double where[3])
{
  PetscBool  signs = PETSC_TRUE;
  arb_poly_t x, f;
  arb_t      exact;

  arb_poly_init(x);
  arb_poly_init(f);
  arb_init(exact);
  for (int q = 0; q < 3; q++) worst[q] = where[q] = 0;
  for (PetscInt i = 0; i < sample->len; i++) {
    arb_set_d(exact, sample->z[i]);
    arb_poly_set_coeff_si(x, 1, 1);
    arb_poly_set_coeff_arb(x, 0, exact);
    ref(f, x, 3);
    for (int q = 0; q < 3; q++) {
      double error;

      arb_poly_get_coeff_arb(exact, f, q);
      if (q == 2) arb_mul_2exp_si(exact, exact, 1);
      if (q == 0 && OppositeSign(exact, sample->jet[0][i])) signs = PETSC_FALSE;
      error = ErrorUnits(exact, sample->jet[q][i], sample->z[i], polynomial);
      if (!(error <= worst[q])) worst[q] = error, where[q] = sample->z[i];
    }
  }
  arb_poly_clear(x);
  arb_poly_clear(f);
  arb_clear(exact);
  return signs;
}

static void TestAccuracy(Sample *sample, const Activation *a, ReferenceFn *ref)
{
  const PetscBool polynomial = (PetscBool)(a->degree >= 0 || !a->smooth);
  double          worst[3], where[3];
  PetscBool       signs;

  SampleApply(sample, a);
  signs = Measure(sample, ref, polynomial, worst, where);
  if (!a->smooth)
    Tap((PetscBool)(worst[0] <= 1 && worst[1] == 0 && worst[2] == 0), "%s: within u|sigma|, and the slope is exact", a->name);
  else if (polynomial)
    Tap((PetscBool)(worst[0] <= 2 && worst[1] <= 4 && worst[2] <= 1), "%s: within 2u|sigma|, 4u|sigma'|, u|sigma''|", a->name);
  else
    Tap((PetscBool)(worst[0] <= 8 && worst[1] <= 8 && worst[2] <= 8), "%s: each derivative within 8u(1+|z|)", a->name);
  PetscPrintf(PETSC_COMM_WORLD, "# worst: sigma %.2f at %.17g, sigma' %.2f at %.17g, sigma'' %.2f at %.17g\n", worst[0], where[0],
              worst[1], where[1], worst[2], where[2]);
  Tap(signs, "%s: never the wrong sign", a->name);
}

/* ---- suprema --------------------------------------------------------------------------------------------------------------- */

typedef struct {
  ReferenceFn *ref;
  slong        q;
  double       sup, attained; /* attained <= max |sigma^(q)| over the centres visited */
} Peak;

/* k! times the k-th coefficient of ref at the ball of centre c and radius r: an enclosure of sigma^(k) */
static void Derivative(arb_t value, const Peak *peak, double c, double r, slong k)
{
  arb_poly_t x, f;
  arb_t      factorial;

  arb_poly_init(x);
  arb_poly_init(f);
  arb_init(factorial);
  arb_set_d(value, c);
  mag_set_d(arb_radref(value), r);
  arb_poly_set_coeff_si(x, 1, 1);
  arb_poly_set_coeff_arb(x, 0, value);
  peak->ref(f, x, k + 1);
  arb_poly_get_coeff_arb(value, f, k);
  arb_fac_ui(factorial, (ulong)k, PREC);
  arb_mul(value, value, factorial, PREC);
  arb_poly_clear(x);
  arb_poly_clear(f);
  arb_clear(factorial);
}

/* Is |sigma^(q)| <= sup on the ball? For g = sigma^(q) and its negative, g <= g(c) + r|g'(c)| + r^2/2 max(0, sup g''). */
static PetscBool BallProved(Peak *peak, double c, double r)
{
  PetscBool proved = PETSC_TRUE;
  arb_ptr   v = _arb_vec_init(7), g = v, dg = v + 1, ddg = v + 2, bound = v + 3, sup = v + 4, radius = v + 5, half = v + 6;

  arb_set_d(sup, peak->sup);
  arb_set_d(radius, r);
  arb_mul(half, radius, radius, PREC);
  arb_mul_2exp_si(half, half, -1);
  Derivative(g, peak, c, 0, peak->q);
  Derivative(dg, peak, c, 0, peak->q + 1);
  Derivative(ddg, peak, c, r, peak->q + 2);
  arb_abs(dg, dg);
  peak->attained = fmax(peak->attained, LowerAbs(g));
  for (int sign = 0; sign < 2; sign++) {
    arb_set(bound, g);
    arb_addmul(bound, radius, dg, PREC);
    if (!arb_is_nonpositive(ddg)) {
      arb_t most;

      arb_init(most);
      arb_abs(most, ddg);
      arb_addmul(bound, half, most, PREC);
      arb_clear(most);
    }
    if (!arb_le(bound, sup)) proved = PETSC_FALSE;
    arb_neg(g, g);
    arb_neg(ddg, ddg);
  }
  _arb_vec_clear(v, 7);
  return proved;
}

/* bisect until every ball is proved; centres and radii are dyadic, hence exact */
static PetscBool IntervalProved(Peak *peak, double lowest, double highest)
{
  const double c = (lowest + highest) / 2, r = (highest - lowest) / 2;

  if (BallProved(peak, c, r)) return PETSC_TRUE;
  if (r < 0x1p-40) return PETSC_FALSE;
  return (PetscBool)(IntervalProved(peak, lowest, c) && IntervalProved(peak, c, highest));
}

/* 0, where several suprema are attained, is the centre of a ball; 2^20 stands for a supremum approached at oo */
static void TestSuprema(const Activation *a, const Reference *reference)
{
  const PetscReal sup[2] = {a->sup_ds, a->sup_dds};

  if (reference->lowest == reference->highest) {
    Tap((PetscBool)(sup[0] == reference->sup[0] && sup[1] == reference->sup[1]), "%s: sup |sigma'|, sup |sigma''| are %g, %g",
        a->name, reference->sup[0], reference->sup[1]);
    return;
  }
  for (int q = 1; q <= 2; q++) {
    Peak      peak   = {reference->ref, q, sup[q - 1], 0};
    PetscBool proved = PETSC_TRUE;

    if (reference->lowest < 0) {
      proved = (PetscBool)(IntervalProved(&peak, reference->lowest, -1. / 1024) && IntervalProved(&peak, -1. / 1024, 1. / 1024) &&
                           IntervalProved(&peak, 1. / 1024, reference->highest));
    } else {
      proved = IntervalProved(&peak, reference->lowest, reference->highest);
    }
    Tap(proved, "%s: |sigma%s| <= %.16g", a->name, q == 1 ? "'" : "''", peak.sup);
    BallProved(&peak, 0x1p20, 0);
    Tap((PetscBool)(peak.attained >= (1 - 1e-6) * peak.sup), "%s: |sigma%s| comes within 1e-6 of it: %.16g", a->name,
        q == 1 ? "'" : "''", peak.attained);
  }
}

/* ---- the rest of the contract ---------------------------------------------------------------------------------------------- */

static PetscBool Same(PetscReal a, PetscReal b)
{
  return (PetscBool)(a == b || (isnan(a) && isnan(b)));
}

static void TestLimits(const Activation *a, const Reference *reference)
{
  const PetscReal z[3] = {-INFINITY, INFINITY, NAN};
  PetscReal       jet[3][3];
  PetscBool       ok = PETSC_TRUE;

  a->jet(3, z, jet[0], jet[1], jet[2]);
  for (int q = 0; q < 3; q++) {
    for (int i = 0; i < 2; i++) ok = (PetscBool)(ok && Same(jet[q][i], reference->limits[q][i]));
  }
  Tap(ok, "%s: the limits at -oo and oo", a->name);
  Tap((PetscBool)(isnan(jet[0][2]) && (isnan(jet[1][2]) || a->degree == 1)), "%s: NaN stays NaN", a->name);
}

static void TestOptional(Sample *sample, const Activation *a)
{
  static PetscReal s[MAX_POINTS], ds[MAX_POINTS];
  const size_t     bytes = (size_t)sample->len * sizeof(PetscReal);
  PetscBool        ok;

  SampleApply(sample, a);
  a->jet(sample->len, sample->z, s, ds, NULL);
  ok = (PetscBool)(!memcmp(s, sample->jet[0], bytes) && !memcmp(ds, sample->jet[1], bytes));
  a->jet(sample->len, sample->z, s, NULL, ds);
  ok = (PetscBool)(ok && !memcmp(s, sample->jet[0], bytes) && !memcmp(ds, sample->jet[2], bytes));
  a->jet(sample->len, sample->z, s, NULL, NULL);
  ok = (PetscBool)(ok && !memcmp(s, sample->jet[0], bytes));
  Tap(ok, "%s: the same numbers without ds, without dds, without both", a->name);

  memcpy(s, sample->z, bytes);
  a->jet(sample->len, s, s, ds, NULL);
  ok = (PetscBool)(!memcmp(s, sample->jet[0], bytes) && !memcmp(ds, sample->jet[1], bytes));
  memcpy(s, sample->z, bytes);
  a->jet(sample->len, s, s, NULL, ds);
  ok = (PetscBool)(ok && !memcmp(s, sample->jet[0], bytes) && !memcmp(ds, sample->jet[2], bytes));
  Tap(ok, "%s: the same numbers where s is z", a->name);

  if (!a->slope) return;
  a->slope(sample->len, sample->jet[0], ds);
  Tap((PetscBool)!memcmp(ds, sample->jet[1], bytes), "%s: the same sigma' from sigma", a->name);
}

/* 0 for z <= 0, and a rise at every step of 1/16 from there to 32 */
static PetscBool IsRectified(const Sample *sample, const Activation *a)
{
  enum { STEPS = 16 * 32 };
  PetscReal z[STEPS], s[STEPS];

  for (PetscInt i = 0; i < sample->len; i++)
    if (sample->z[i] <= 0 && sample->jet[0][i] != 0) return PETSC_FALSE;
  for (int k = 0; k < STEPS; k++) z[k] = k / 16.;
  a->jet(STEPS, z, s, NULL, NULL);
  for (int k = 1; k < STEPS; k++)
    if (!(s[k] > s[k - 1])) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* degree: the series at 3/10 ends exactly where sigma is a polynomial */
static void TestFlags(Sample *sample, const Activation *a, ReferenceFn *ref)
{
  const PetscInt half = sample->len / 2; /* z[half + i] = -z[i] */
  PetscBool      odd  = PETSC_TRUE;
  arb_poly_t     x, f;

  SampleApply(sample, a);
  for (PetscInt i = 0; i < half; i++) odd = (PetscBool)(odd && sample->jet[0][half + i] == -sample->jet[0][i]);
  Tap((PetscBool)(odd == a->odd), "%s: %s", a->name, a->odd ? "odd" : "not odd");
  Tap((PetscBool)(IsRectified(sample, a) == a->rectified), "%s: %s", a->name, a->rectified ? "rectified" : "not rectified");
  Tap((PetscBool)(a->smooth == (PetscBool)(ref != RefRelu && ref != RefLeakyRelu)), "%s: %s", a->name,
      a->smooth ? "smooth" : "not smooth");
  if (!a->smooth) return;
  arb_poly_init(x);
  arb_poly_init(f);
  arb_poly_set_coeff_si(x, 1, 1);
  arb_set_d(arb_poly_get_coeff_ptr(x, 0), .3);
  ref(f, x, 6);
  Tap((PetscBool)(a->degree == (arb_poly_degree(f) < 5 ? arb_poly_degree(f) : -1)), "%s: degree %d", a->name, (int)a->degree);
  arb_poly_clear(x);
  arb_poly_clear(f);
}

static void TestNames(void)
{
  char      expected[256] = "";
  PetscBool found         = PETSC_TRUE;

  for (int k = 0; k < REFERENCES; k++) {
    const Activation *a = ActivationFind(References[k].name);

    found = (PetscBool)(found && a && !strcmp(a->name, References[k].name) && Activations[k] == a);
    snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s%s", k ? ", " : "", References[k].name);
  }
  Tap((PetscBool)(found && !Activations[REFERENCES]), "the table has these %d activations, and each is found by its name",
      REFERENCES);
  Tap((PetscBool)(!ActivationFind("tan") && !ActivationFind("tanhh") && !ActivationFind("")), "no other name is found");
  Tap((PetscBool)!strcmp(ActivationNames(), expected), "the names are listed: %s", ActivationNames());
}

/* what softmax rests on: exp within 4u of itself for arguments <= 0, where it does not underflow */
static void TestExponential(const Sample *sample)
{
  double worst = 0;
  arb_t  x, exact;

  arb_init(x);
  arb_init(exact);
  for (PetscInt i = 0; i < sample->len; i++) {
    const double z = -fabs(sample->z[i]), y = exp(z);

    arb_set_d(x, z);
    arb_exp(exact, x, PREC);
    arb_set_d(x, y);
    arb_sub(x, x, exact, PREC);
    if (z < -708)
      worst = UpperAbs(x) <= DBL_MIN ? worst : INFINITY;
    else
      worst = fmax(worst, UpperAbs(x) / LowerAbs(exact) / U);
  }
  arb_clear(x);
  arb_clear(exact);
  Tap((PetscBool)(worst <= 4), "exp within 4u of itself: %.2f u", worst);
}

int main(int argc, char **argv)
{
  static Sample sample;

  TapBegin(&argc, &argv);
  SampleFill(&sample);
  Tap((PetscBool)(sample.len < MAX_POINTS), "%d points", (int)sample.len);
  TestNames();
  TestExponential(&sample);
  for (int k = 0; k < REFERENCES; k++) {
    const Activation *a = ActivationFind(References[k].name);

    if (!a) continue;
    TestAccuracy(&sample, a, References[k].ref);
    TestSuprema(a, &References[k]);
    TestLimits(a, &References[k]);
    TestOptional(&sample, a);
    TestFlags(&sample, a, References[k].ref);
  }
  flint_cleanup();
  return TapEnd();
}
