/*
  certify_json.c: certificate.json, written and read back.
*/
#include "codim/certify.h"
#include "file.h"
#include "sha256.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char BLASAssumption[] =
    "a dot product of length k has an error of at most gamma_k |a|^T |b|, in any order, fused or not: conventional BLAS, LAPACK, "
    "ScaLAPACK and "
    "MPI reductions, no Strassen, no reduced precision; triangular solves by substitution, reciprocals of diagonal entries "
    "allowed";

static const char SigmaAssumption[] =
    "|fl sigma^(q)(z) - sigma^(q)(z)| <= 8u(1 + |z|), q = 0, 1; polynomials 2u|sigma|, 4u|sigma'|; |fl e^z - e^z| <= 4u e^z for z "
    "<= 0: tested against ball arithmetic";

static const char *const Assumptions[] =
    {"IEEE 754 doubles, rounded to nearest, not flushed to zero: checked on every rank",
     "the ranks of a group hold the same doubles of the same values: checked",
     BLASAssumption,
     SigmaAssumption,
     "the theorem is about the doubles in the weights and problem files, taken as exact numbers, and the exact function sigma",
     NULL};

static const char TargetsAssumption[] = "the targets are defined as the exact f_theta(x_i) at the stored weights; /y in the "
                                        "problem file is a rounding of them, off by at most "
                                        "targets_rounding";

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

/* exact, and for people; null if not finite */
static json_t *Number(PetscReal x)
{
  char hex[64];

  if (!isfinite((double)x)) return json_null();
  snprintf(hex, sizeof hex, "%a", (double)x);
  return json_pack("{s:f, s:s}", "decimal", (double)x, "hex", hex);
}

/* slack: how CertifyCompare takes it. > 1: a bound from above, which may be recorded slack times smaller than it is proved; < 1: one from below,
   which may be 1/slack times larger, infinity is more than anything finite; 0: it is no claim, or is compared otherwise. Other ranks add in another
   order: a computed |H| moves by two errors, eta by a factor 3 at most. */
typedef struct {
  const char *name;
  size_t      offset;
  PetscReal   slack;
} Constant;

#define CONSTANT(name, field, slack)                                                                                               \
  {                                                                                                                                \
    name, offsetof(Certificate, field), slack                                                                                      \
  }

static const Constant Constants[] = {CONSTANT("targets_rounding", targets_rounding, 3),
                                     CONSTANT("residual_upper", residual_upper, 3),
                                     CONSTANT("residual_lower", residual_lower, 0),
                                     CONSTANT("sigma_min_lower", sigma_min_lower, .95),
                                     CONSTANT("lipschitz", lipschitz, 2),
                                     CONSTANT("ball", ball, 0),
                                     CONSTANT("kantorovich_h", h, 4),
                                     CONSTANT("radius", radius, 3),
                                     CONSTANT("regular_radius", regular_radius, .66),
                                     CONSTANT("zero_bound", zero_bound, 4),
                                     CONSTANT("positive_bound", positive_bound, .9),
                                     CONSTANT("sigma_min_at_zero", sigma_min_zero, .95),
                                     CONSTANT("distance_lower", distance_lower, 0),
                                     CONSTANT("gram_error", gram_error, 2),
                                     CONSTANT("jacobian_error", jacobian_error, 2),
                                     CONSTANT("eigen_error", eigen_error, 0),
                                     CONSTANT("orthogonality", orthogonality, 0),
                                     CONSTANT("margin", margin, .66),
                                     CONSTANT("rank_radius", rank_radius, .66)};

#undef CONSTANT

static PetscReal ConstantOf(const Certificate *c, const Constant *constant)
{
  PetscReal x;

  memcpy(&x, (const char *)c + constant->offset, sizeof x);
  return x;
}

static json_t *ConstantsToJSON(const Certificate *c)
{
  json_t *object = json_object();

  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(Constants); i++)
    json_object_set_new(object, Constants[i].name, Number(ConstantOf(c, &Constants[i])));
  return object;
}

static json_t *OpsToJSON(Network net)
{
  json_t *array = json_array();

  for (PetscInt v = 0; v < net->nops; v++) {
    const NetOp *op     = &net->ops[v];
    json_t      *inputs = json_array(), *object;

    for (PetscInt j = 0; j < OP_INPUTS_MAX; j++)
      if (op->inputs[j] >= 0) json_array_append_new(inputs, json_integer(op->inputs[j]));
    object = json_pack("{s:s, s:o, s:I, s:I}", "op", op->kind->name, "inputs", inputs, "dim", (json_int_t)op->dim, "places",
                       (json_int_t)op->places);
    if (op->weight >= 0) json_object_set_new(object, "weight", json_string(net->labels[op->weight].name));
    if (op->bias >= 0) json_object_set_new(object, "bias", json_string(net->labels[op->bias].name));
    if (op->activation) json_object_set_new(object, "activation", json_string(op->activation->name));
    json_array_append_new(array, object);
  }
  return array;
}

static json_t *KinkToJSON(const Kink *kink)
{
  if (kink->unit < 0) return json_null();
  return json_pack("{s:s, s:I, s:I, s:f}", "op", kink->op, "unit", (json_int_t)kink->unit + 1, "point", (json_int_t)kink->point + 1,
                   "distance", (double)kink->distance);
}

static json_t *NormsToJSON(Network net, const Certificate *c)
{
  json_t *object = json_object();

  for (PetscInt label = 0; label < c->nlabels; label++)
    json_object_set_new(object, net->labels[label].name, Number(c->norms[label]));
  return object;
}

static json_t *RealsToJSON(PetscInt n, const PetscReal x[])
{
  json_t *array = json_array();

  for (PetscInt i = 0; i < n; i++) json_array_append_new(array, isfinite((double)x[i]) ? json_real((double)x[i]) : json_null());
  return array;
}

static json_t *FileToJSON(const char path[], Complaint *complaint)
{
  const char *name = strrchr(path, '/');
  char        hex[SHA256_HEX];
  const int   failed = Sha256File(path, hex);

  if (failed) {
    Complain(complaint, STATUS_DATA, "%s: %s", path, strerror(failed));
    return json_null();
  }
  return json_pack("{s:s, s:s}", "file", name ? name + 1 : path, "sha256", hex);
}

static json_t *CertificateToJSON(const CertifySubject *subject, const Certificate *c, Complaint *complaint)
{
  const ResidualMap map  = subject->map;
  json_t           *root = json_object(), *assumptions = json_array();
  char              text[2048];

  CertifyTheorem(c, sizeof text, text);
  for (const char *const *a = Assumptions; *a; a++) json_array_append_new(assumptions, json_string(*a));
  if (c->exact_targets) json_array_append_new(assumptions, json_string(TargetsAssumption));
  json_object_set_new(root, "format", json_string("codim certificate"));
  json_object_set_new(root, "version", json_integer(1));
  json_object_set_new(root, "status", json_string(CertifyStatusText(c->status)));
  json_object_set_new(root, "reason", c->reason[0] ? json_string(c->reason) : json_null());
  json_object_set_new(root, "theorem", json_string(text));
  json_object_set_new(root, "targets", json_string(c->exact_targets ? "net" : "stored"));
  json_object_set_new(root, "rank_bound", c->rank_bound < 0 ? json_null() : json_integer(c->rank_bound));
  json_object_set_new(root, "rank_established", c->rank < 0 ? json_null() : json_integer(c->rank));
  json_object_set_new(root, "constants", ConstantsToJSON(c));
  json_object_set_new(root, "assumptions", assumptions);
  json_object_set_new(root, "problem",
                      json_pack("{s:I, s:I, s:I, s:I, s:I}", "points", (json_int_t)map->d, "inputs",
                                (json_int_t)map->network->inputs, "outputs", (json_int_t)map->l, "residuals", (json_int_t)map->m,
                                "parameters", (json_int_t)map->n));
  json_object_set_new(root, "weights_file", subject->weights ? FileToJSON(subject->weights, complaint) : json_null());
  json_object_set_new(root, "problem_file", FileToJSON(subject->problem, complaint));
  json_object_set_new(root, "net", OptionsToJSON(NetKeys, subject->net));
  json_object_set_new(root, "ops", OpsToJSON(map->network));
  json_object_set_new(root, "spectral_norms", NormsToJSON(map->network, c));
  json_object_set_new(root, "split_residual", json_boolean(c->split));
  json_object_set_new(root, "paths", json_boolean(c->paths));
  json_object_set_new(root, "nearest_kink", KinkToJSON(&c->kink));
  json_object_set_new(root, "seconds", json_real((double)c->seconds));
  if (c->enclosed)
    json_object_set_new(root, "eigenvalues",
                        json_pack("{s:o, s:o}", "lower", RealsToJSON(c->m, c->lo), "upper", RealsToJSON(c->m, c->hi)));
  return root;
}

PetscErrorCode CertifyWriteJSON(const char path[], const CertifySubject *subject, const Certificate *c)
{
  Complaint complaint = {STATUS_HOLDS, ""};

  PetscFunctionBeginUser;
  if (subject->map->grid->rank == 0) {
    json_t *root = CertificateToJSON(subject, c, &complaint);

    if (!complaint.status) FileWriteJSON(path, root, JSON_INDENT(1), &complaint);
    json_decref(root);
  }
  PetscCall(ComplaintRaise(subject->map->grid->world, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------- */

static json_t *Load(const char path[], Complaint *complaint)
{
  json_error_t error;
  json_t      *root   = json_load_file(path, 0, &error);
  const char  *format = json_string_value(json_object_get(root, "format"));

  if (!root) Complain(complaint, STATUS_DATA, "%s: %s", path, error.text);
  if (root && (!format || strcmp(format, "codim certificate") != 0))
    Complain(complaint, STATUS_DATA, "%s is not a certificate", path);
  return root;
}

static void CheckHash(const char path[], const json_t *recorded, Complaint *complaint)
{
  const char *expected = json_string_value(json_object_get(recorded, "sha256"));
  char        hex[SHA256_HEX];
  const int   failed = Sha256File(path, hex);

  if (failed)
    Complain(complaint, STATUS_DATA, "%s: %s", path, strerror(failed));
  else if (!expected || strcmp(expected, hex) != 0)
    Complain(complaint, STATUS_DATA, "%s is not the file the certificate is about: its SHA-256 is %s, recorded %s", path, hex,
             expected ? expected : "none");
}

/* as on the command line */
static void ValueText(const json_t *value, size_t size, char text[])
{
  size_t used = 0;

  text[0] = 0;
  if (json_is_string(value)) snprintf(text, size, "%s", json_string_value(value));
  if (json_is_boolean(value)) snprintf(text, size, "%s", json_is_true(value) ? "true" : "false");
  if (json_is_integer(value)) snprintf(text, size, "%lld", (long long)json_integer_value(value));
  if (json_is_real(value)) snprintf(text, size, "%.17g", json_real_value(value));
  for (size_t i = 0; json_is_array(value) && i < json_array_size(value) && used < size; i++)
    used +=
        (size_t)snprintf(text + used, size - used, "%s%lld", i ? "," : "", (long long)json_integer_value(json_array_get(value, i)));
}

/* key, 0, value, 0, … */
static PetscErrorCode PackOptions(json_t *net, size_t *size, char **packed)
{
  const char *key;
  json_t     *value;
  char        text[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  json_object_foreach(net, key, value)
  {
    ValueText(value, sizeof text, text);
    if (!text[0]) continue;
    PetscCall(PetscRealloc(*size + strlen(key) + strlen(text) + 3, packed));
    *size += (size_t)sprintf(*packed + *size, "-%s", key) + 1;
    *size += (size_t)sprintf(*packed + *size, "%s", text) + 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CertifyReadSubject(const char path[], const char weights[], const char problem[], PetscBool *exact_targets)
{
  const MPI_Comm world     = PETSC_COMM_WORLD;
  Complaint      complaint = {STATUS_HOLDS, ""};
  size_t         size      = 0;
  char          *packed    = NULL;
  PetscMPIInt    rank, bytes;
  int            exact = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  if (rank == 0) {
    json_t     *root    = Load(path, &complaint);
    const char *targets = json_string_value(json_object_get(root, "targets"));

    exact = targets && strcmp(targets, "net") == 0;
    if (!complaint.status && json_is_null(json_object_get(root, "weights_file")))
      Complain(&complaint, STATUS_DATA, "%s: the weights it is about were not kept (weights: false); `codim rerun` repeats the run",
               path);
    if (!complaint.status) CheckHash(weights, json_object_get(root, "weights_file"), &complaint);
    if (!complaint.status) CheckHash(problem, json_object_get(root, "problem_file"), &complaint);
    if (!complaint.status) PetscCall(PackOptions(json_object_get(root, "net"), &size, &packed));
    json_decref(root);
  }
  PetscCall(ComplaintRaise(world, &complaint));
  bytes = (PetscMPIInt)size;
  PetscCallMPI(MPI_Bcast(&bytes, 1, MPI_INT, 0, world));
  PetscCallMPI(MPI_Bcast(&exact, 1, MPI_INT, 0, world));
  *exact_targets = (PetscBool)exact;
  if (rank) PetscCall(PetscMalloc1(bytes, &packed));
  PetscCallMPI(MPI_Bcast(packed, bytes, MPI_CHAR, 0, world));
  for (const char *key = packed; key < packed + bytes;) {
    const char *value = key + strlen(key) + 1;

    PetscCall(PetscOptionsSetValue(NULL, key, value));
    key = value + strlen(value) + 1;
  }
  PetscCall(PetscFree(packed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------ */

/* what root says, in the place of c; *unsound: a constant of two values, or NULL */
static void ReadRecorded(const json_t *root, const Certificate *c, Certificate *recorded, const char **unsound)
{
  const char *reason = json_string_value(json_object_get(root, "reason"));

  *recorded = *c;
  *unsound  = NULL;
  snprintf(recorded->reason, sizeof recorded->reason, "%s", reason ? reason : "");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(Constants); i++) {
    const json_t   *constant = json_object_get(json_object_get(root, "constants"), Constants[i].name);
    const char     *hex      = json_string_value(json_object_get(constant, "hex"));
    const PetscReal x        = hex ? (PetscReal)strtod(hex, NULL) : (PetscReal)INFINITY;

    memcpy((char *)recorded + Constants[i].offset, &x, sizeof x);
    if (constant && !json_is_null(constant) && !(hex && json_number_value(json_object_get(constant, "decimal")) == (double)x))
      *unsound = Constants[i].name;
  }
}

static PetscBool ClaimsMore(PetscReal recorded, PetscReal proved, PetscReal slack)
{
  if (slack == 0 || (slack < 1 && recorded <= 0)) return PETSC_FALSE;
  return (PetscBool) !(slack > 1 ? recorded * slack >= proved : recorded * slack <= proved); /* NaN claims too */
}

/* |H| and the distance to M from below are noise at a zero: there they must only not contradict what is proved from above */
static PetscBool LowerBoundsAgree(const Certificate *recorded, const Certificate *c)
{
  const PetscBool noise    = (PetscBool)(c->status != CERTIFY_PROVED && c->residual_lower == 0);
  const PetscReal distance = c->status == CERTIFY_PROVED ? c->radius : 1.5 * c->distance_lower;

  return (PetscBool)(recorded->residual_lower <= c->residual_upper && (noise || recorded->distance_lower <= distance));
}

/* a claim much beyond what is proved now is not borne out */
static PetscBool ConstantsAgree(const Certificate *recorded, const Certificate *c, size_t size, char text[])
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(Constants); i++) {
    const PetscReal x = ConstantOf(recorded, &Constants[i]), proved = ConstantOf(c, &Constants[i]);

    if (!ClaimsMore(x, proved, Constants[i].slack)) continue;
    snprintf(text, size, "%s %.6e is recorded, %.6e is proved", Constants[i].name, (double)x, (double)proved);
    return PETSC_FALSE;
  }
  if (LowerBoundsAgree(recorded, c)) return PETSC_TRUE;
  snprintf(text, size, "|H| >= %.3e, M at a distance >= %.3e are recorded, |H| <= %.3e, a distance >= %.3e are proved",
           (double)recorded->residual_lower, (double)recorded->distance_lower, (double)c->residual_upper,
           (double)c->distance_lower);
  return PETSC_FALSE;
}

/* the words say what the numbers do */
static PetscBool WordsAgree(const json_t *root, const Certificate *recorded, size_t size, char text[])
{
  const char *theorem = json_string_value(json_object_get(root, "theorem"));
  char        words[2048];

  CertifyTheorem(recorded, sizeof words, words);
  if (theorem && strcmp(theorem, words) == 0) return PETSC_TRUE;
  snprintf(text, size, "the recorded theorem is not what the recorded numbers say");
  return PETSC_FALSE;
}

/* Both enclose the same number, and what is recorded is not much narrower than what is proved: residuals of two eigensolvers differ. */
static PetscBool EnclosuresMeet(const json_t *root, const Certificate *c, size_t size, char text[])
{
  const json_t *lower = json_object_get(json_object_get(root, "eigenvalues"), "lower");
  const json_t *upper = json_object_get(json_object_get(root, "eigenvalues"), "upper");

  if (!lower || !c->enclosed) return PETSC_TRUE;
  for (PetscInt k = 0; k < c->m; k++) {
    const PetscReal lo = (PetscReal)json_number_value(json_array_get(lower, (size_t)k));
    const PetscReal hi = (PetscReal)json_number_value(json_array_get(upper, (size_t)k));

    if (lo <= c->hi[k] && c->lo[k] <= hi && 8 * (hi - lo) >= c->hi[k] - c->lo[k]) continue;
    snprintf(text, size, "eigenvalue %" PetscInt_FMT ": [%.17g, %.17g] is recorded, [%.17g, %.17g] is proved", k, (double)lo,
             (double)hi, (double)c->lo[k], (double)c->hi[k]);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* a rank that is claimed to be attained */
static PetscBool RankAgrees(const json_t *root, const Certificate *c, size_t size, char text[])
{
  const json_t *recorded = json_object_get(root, "rank_established");

  if (!json_is_integer(recorded) || json_integer_value(recorded) == c->rank) return PETSC_TRUE;
  snprintf(text, size, "rank J = %lld is recorded, %s is proved", (long long)json_integer_value(recorded),
           c->rank < 0 ? "no rank" : "another rank");
  return PETSC_FALSE;
}

static PetscBool Agrees(const json_t *root, const Certificate *c, size_t size, char text[])
{
  const char *status = json_string_value(json_object_get(root, "status")), *unsound;
  Certificate recorded;

  if (!status) status = "none";
  ReadRecorded(root, c, &recorded, &unsound);
  if ((strcmp(status, "proved") == 0 || strcmp(status, "refuted") == 0) && strcmp(status, CertifyStatusText(c->status)) != 0) {
    snprintf(text, size, "status %s is recorded, but now: %s", status, CertifyStatusText(c->status));
    return PETSC_FALSE;
  }
  if (unsound) {
    snprintf(text, size, "%s has two values, one decimal and one in hexadecimal", unsound);
    return PETSC_FALSE;
  }
  if (!RankAgrees(root, c, size, text) || !ConstantsAgree(&recorded, c, size, text) || !EnclosuresMeet(root, c, size, text))
    return PETSC_FALSE;
  if (strcmp(status, CertifyStatusText(c->status)) == 0 && !WordsAgree(root, &recorded, size, text)) return PETSC_FALSE;
  snprintf(text, size, "status %s is borne out", status);
  return PETSC_TRUE;
}

PetscErrorCode CertifyCompare(const char path[], const Certificate *c, PetscBool *agrees, size_t size, char text[])
{
  const MPI_Comm world     = PETSC_COMM_WORLD;
  Complaint      complaint = {STATUS_HOLDS, ""};
  PetscMPIInt    rank;
  int            agree = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  if (rank == 0) {
    json_t *root = Load(path, &complaint);

    if (!complaint.status) agree = Agrees(root, c, size, text);
    json_decref(root);
  }
  PetscCall(ComplaintRaise(world, &complaint));
  PetscCallMPI(MPI_Bcast(&agree, 1, MPI_INT, 0, world));
  PetscCallMPI(MPI_Bcast(text, (PetscMPIInt)size, MPI_CHAR, 0, world));
  *agrees = (PetscBool)agree;
  PetscFunctionReturn(PETSC_SUCCESS);
}
