// ranks: 1 2 3 4
/*
  Certificates of the reference nets on every grid: proved where the net is at zero loss with full rank, never where the rank is deficient; the
  same on any grid up to the bounds' slack; and their files. Bounds against ball arithmetic: test_certify_arb.c; each term of each op's
  bounds: test_certify_bounds.c.
*/
#include "../src/sha256.h"
#include "capture.h"
#include "codim/certify.h"
#include "reference.h"
#include <petscblaslapack.h>
#include <string.h>
#include <unistd.h>

/* ---- one case on one grid ------------------------------------------------------------------------------------------------ */

static PetscErrorCode CaseOn(const Case *c, MPI_Comm comm, PetscInt G, Problem *problem)
{
  DataOptions options = {.points = 0};
  Data        data;
  char        path[160];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(options.file, sizeof options.file, "%s/data.h5", c->folder));
  PetscCall(DataCreate(comm, &options, &data));
  PetscCall(ProblemCreate(comm, G, data, &c->net, problem));
  PetscCall(PetscSNPrintf(path, sizeof path, "%s/weights.safetensors", c->folder));
  PetscCall(WeightsRead(problem->parameters, path, problem->theta));
  PetscCall(ProblemLinearize(problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Certify(Problem *problem, const CertifyOptions *options, Certificate *c)
{
  Tiles K;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(problem->grid->world, problem->map->m, &K));
  PetscCall(CertifyCompute(problem->map, problem->theta, problem->trajectory, K, options, c));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* PyTorch's 2 sigma^2 are good to 1e-11 of the largest, and theta* differs from theta_0 by 1e-12 */
static PetscBool Encloses(const Case *c, const Certificate *certificate)
{
  const PetscReal slack = 1e-11 * 2 * c->sigma[0] * c->sigma[0];
  PetscBool       all   = certificate->enclosed;

  for (PetscInt k = 0; all && k < c->m; k++) {
    const PetscReal lambda = 2 * c->sigma[c->m - 1 - k] * c->sigma[c->m - 1 - k];

    if (!(certificate->lo[k] <= lambda + slack && lambda - slack <= certificate->hi[k])) all = PETSC_FALSE;
    if (!(certificate->hi[k] - certificate->lo[k] <= 1e-6 * lambda)) all = PETSC_FALSE;
  }
  return all;
}

static PetscBool Near(PetscReal a, PetscReal b, PetscReal relative)
{
  return (PetscBool)(PetscAbsReal(a - b) <= relative * PetscAbsReal(b));
}

/* bounds may differ between grids by slack, by chains of additions that include the ranks, and by rounding itself */
static PetscBool SameCertificate(const Certificate *a, const Certificate *b)
{
  return (PetscBool)(a->status == b->status && Near(a->residual_upper, b->residual_upper, .2) &&
                     Near(a->sigma_min_lower, b->sigma_min_lower, 1e-9) && Near(a->lipschitz, b->lipschitz, 1e-6) &&
                     Near(a->radius, b->radius, .2) && Near(a->regular_radius, b->regular_radius, 1e-6));
}

static PetscErrorCode ProveCase(const char name[])
{
  Problem     problem, alone;
  Certificate c, reference, cheap;
  Case        expected;
  PetscMPIInt size;
  PetscReal   loss;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CaseCreate(name, &expected));
  PetscCall(CaseOn(&expected, PETSC_COMM_SELF, 1, &alone));
  PetscCall(Certify(&alone, &CertifyDefaults, &reference));
  for (PetscInt G = 1; G <= size; G++) {
    CertifyOptions  options = CertifyDefaults;
    const PetscReal least   = expected.sigma[expected.m - 1];

    if (size % G) continue;
    PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, G, &problem));
    PetscCall(Certify(&problem, &options, &c));
    PetscCall(VecNorm(problem.H, NORM_2, &loss));
    Tap((PetscBool)(c.status == CERTIFY_PROVED && c.h < 1e-9), "%s is proved on %d x %d ranks", name, (int)G, (int)(size / G));
    Tap((PetscBool)(c.sigma_min_lower <= least * (1 + 1e-11) && c.sigma_min_lower >= .9999 * least),
        "s is just below PyTorch's sigma_min");
    Tap((PetscBool)(c.residual_upper >= loss && c.residual_upper < 1e-11), "eta is above the computed |H|, and small");
    Tap((PetscBool)(c.radius < 1e-11 && c.regular_radius > 1e-4), "rho is at the rounding level, R is not");
    Tap(Encloses(&expected, &c), "PyTorch's eigenvalues are in the enclosures, which are narrow");
    if (!Tap(SameCertificate(&c, &reference), "the certificate is that of one rank") && !SameCertificate(&c, &reference))
      fprintf(stderr, "# eta %g %g, s %.17g %.17g, Lambda %g %g, rho %g %g, R %.9g %.9g\n", (double)c.residual_upper,
              (double)reference.residual_upper, (double)c.sigma_min_lower, (double)reference.sigma_min_lower, (double)c.lipschitz,
              (double)reference.lipschitz, (double)c.radius, (double)reference.radius, (double)c.regular_radius,
              (double)reference.regular_radius);
    options.enclose = PETSC_FALSE;
    PetscCall(Certify(&problem, &options, &cheap));
    Tap((PetscBool)(cheap.status == CERTIFY_PROVED && !cheap.enclosed && cheap.sigma_min_lower <= least * (1 + 1e-11) &&
                    cheap.sigma_min_lower >= .5 * least),
        "a Cholesky factorization proves it too, without eigenvectors");
    PetscCall(CertificateDestroy(&cheap));
    PetscCall(CertificateDestroy(&c));
    PetscCall(ProblemDestroy(&problem));
  }
  PetscCall(CertificateDestroy(&reference));
  PetscCall(ProblemDestroy(&alone));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LeaveUndecided(const char name[])
{
  CertifyOptions options = CertifyDefaults;
  Problem        problem;
  Certificate    c;
  Case           expected;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &expected));
  PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, 1, &problem));
  PetscCall(Certify(&problem, &options, &c));
  Tap((PetscBool)(c.status == CERTIFY_UNDECIDED && strstr(c.reason, "factor")),
      "%s is undecided, with the number that failed: %.60s", name, c.reason);
  PetscCall(CertificateDestroy(&c));
  options.enclose = PETSC_FALSE;
  PetscCall(Certify(&problem, &options, &c));
  Tap((PetscBool)(c.status == CERTIFY_UNDECIDED && c.reason[0]), "so it is without eigenvectors");
  PetscCall(CertificateDestroy(&c));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* rank J <= bound is taken for known: attained at these weights, or not */
static PetscErrorCode Ranks(const char name[])
{
  Problem     problem;
  Certificate c;
  Case        expected;
  Tiles       K;
  PetscInt    r = 0;
  PetscMPIInt size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CaseCreate(name, &expected));
  while (r < expected.m && expected.sigma[r] > 1e-10 * expected.sigma[0]) r++;
  PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, size % 2 ? 1 : 2, &problem));
  PetscCall(TilesCreate(problem.grid->world, problem.map->m, &K));
  for (PetscInt more = 0; more < 2; more++) {
    CertificateClear(problem.map, &c);
    c.status     = CERTIFY_REFUTED;
    c.rank_bound = r + more;
    PetscCall(CertifyRank(problem.map, problem.theta, problem.trajectory, K, &CertifyDefaults, &c));
    if (more)
      Tap((PetscBool)(c.rank == -1 && c.regular_radius == 0), "... rank %d is not", (int)(r + 1));
    else
      Tap((PetscBool)(c.rank == r && c.regular_radius > 1e-4 && c.sigma_min_lower > 0 &&
                      c.sigma_min_lower <= expected.sigma[r - 1] * (1 + 1e-11)),
          "%s: rank %d is established, s = %.3g where sigma_r = %.3g", name, (int)r, (double)c.sigma_min_lower,
          (double)expected.sigma[r - 1]);
    PetscCall(CertificateDestroy(&c));
  }
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- options, spoiled weights ------------------------------------------------------------------------------------------------ */

static PetscErrorCode SplitIsSharper(void)
{
  CertifyOptions options = CertifyDefaults;
  Problem        problem;
  Certificate    plain, split;
  Case           expected;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate("mlp-tanh-zero", &expected));
  PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, 1, &problem));
  options.split = SPLIT_NEVER;
  PetscCall(Certify(&problem, &options, &plain));
  options.split = SPLIT_ALWAYS;
  PetscCall(Certify(&problem, &options, &split));
  Tap((PetscBool)(!plain.split && split.split && split.residual_upper < plain.residual_upper / 2), "the split residual is smaller");
  Tap((PetscBool)(plain.status == CERTIFY_PROVED && split.status == CERTIFY_PROVED), "both prove the case");
  PetscCall(CertificateDestroy(&plain));
  options.exact_targets = PETSC_TRUE;
  PetscCall(Certify(&problem, &options, &plain));
  Tap((PetscBool)(plain.status == CERTIFY_PROVED && plain.residual_upper == 0 && plain.radius < 1e-280),
      "with exact targets eta is 0");
  PetscCall(CertificateDestroy(&plain));
  PetscCall(CertificateDestroy(&split));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SpoiledWeights(void)
{
  Problem     problem;
  Certificate c;
  Case        expected;
  PetscReal   norm, *theta;
  PetscInt    n;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate("mlp-softplus-3out-zero", &expected));
  PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, 1, &problem));
  PetscCall(VecScale(problem.theta, 1 + 1e-6));
  PetscCall(ProblemLinearize(&problem));
  PetscCall(VecNorm(problem.H, NORM_2, &norm));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  Tap((PetscBool)(c.status == CERTIFY_PROVED && c.radius > 1e-8), "weights a millionth off are still proved, with a larger rho");
  Tap((PetscBool)(c.residual_lower <= norm && norm <= c.residual_upper && c.residual_lower > .9 * norm),
      "|H| is between its bounds");
  Tap((PetscBool)(c.distance_lower > 0 && c.distance_lower <= c.radius), "the distance to M is bracketed");
  PetscCall(CertificateDestroy(&c));
  PetscCall(VecGetLocalSize(problem.theta, &n));
  PetscCall(VecGetArray(problem.theta, &theta));
  if (n) theta[0] = NAN;
  PetscCall(VecRestoreArray(problem.theta, &theta));
  PetscCall(ProblemLinearize(&problem));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  Tap((PetscBool)(c.status == CERTIFY_UNDECIDED), "NaN proves nothing");
  PetscCall(CertificateDestroy(&c));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what is not smooth ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode Kinks(void)
{
  NetOptions  net = {.widths = {1, {14}}, .activation = "relu", .bias = PETSC_TRUE, .seed = 3, .gain = 1, .bias_gain = .5};
  OpKind      nameless;
  NetOp      *op;
  Problem     problem;
  Certificate c;
  Data        data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 5, 4, 1, 8, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
  PetscCall(PetscArraycpy(problem.data->y, problem.trajectory->value[3], 5));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  Tap((PetscBool)(c.status == CERTIFY_PROVED && c.margin > 0 && c.margin < 1),
      "relu: proved where no argument reaches the kink, margin %.1e", (double)c.margin);
  PetscCall(CertificateDestroy(&c));
  PetscCall(VecSet(problem.theta, 0));
  PetscCall(ProblemLinearize(&problem));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  Tap((PetscBool)(c.status == CERTIFY_UNDECIDED &&
                  strstr(c.reason, "unit 1 of op 'layers.0.activation' (relu) at point 1, 0.00e+00 from its kink")),
      "relu at its kink is undecided, naming unit and point");
  PetscCall(CertificateDestroy(&c));
  op              = &problem.network->ops[2];
  nameless        = *op->kind;
  nameless.name   = "riddle";
  nameless.bounds = NULL;
  op->kind        = &nameless;
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  Tap((PetscBool)(c.status == CERTIFY_UNDECIDED && strstr(c.reason, "riddle has no bounds")), "an op without bounds is named");
  PetscCall(CertificateDestroy(&c));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at stored weights that are no zero: n - m eigenvalues of the Hessian within zero_bound, m of at least 2 s^2 - zero_bound */
static PetscErrorCode ZeroBound(void)
{
  Problem      problem;
  Certificate  c;
  Case         expected;
  Vec          e, column;
  PetscScalar *A;
  PetscReal   *lambda, *work, most = 0, least = INFINITY;
  PetscBLASInt n, lwork, info;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate("mlp-softplus-3out-zero", &expected));
  PetscCall(CaseOn(&expected, PETSC_COMM_SELF, 1, &problem));
  PetscCall(VecScale(problem.theta, 1 + 1e-6));
  PetscCall(ProblemLinearize(&problem));
  PetscCall(ProblemLinearizeHessian(&problem));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  PetscCall(PetscBLASIntCast(problem.map->n, &n));
  lwork = 4 * n;
  PetscCall(PetscMalloc3((size_t)n * (size_t)n, &A, n, &lambda, lwork, &work));
  PetscCall(VecDuplicate(problem.theta, &e));
  for (PetscInt k = 0; k < n; k++) {
    PetscCall(SetUnit(e, k));
    PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, n, A + (size_t)k * (size_t)n, &column));
    PetscCall(HessianMult(problem.hessian, HESSIAN_EXACT, e, column));
    PetscCall(VecDestroy(&column));
  }
  LAPACKsyev_("N", "L", &n, A, &n, lambda, work, &lwork, &info);
  for (PetscInt k = 0; k < n; k++) {
    if (k < n - c.m) most = PetscMax(most, PetscAbsReal(lambda[k]));
    if (k >= n - c.m) least = PetscMin(least, lambda[k]);
  }
  Tap((PetscBool)(c.status == CERTIFY_PROVED && info == 0 && most > 1e-9 && most <= c.zero_bound + 1e-13 * lambda[n - 1]),
      "n - m eigenvalues of the Hessian at the stored weights are within zero_bound: %.1e, %.1e", (double)most,
      (double)c.zero_bound);
  Tap((PetscBool)(least >= 2 * c.sigma_min_lower * c.sigma_min_lower - c.zero_bound - 1e-13 * lambda[n - 1] &&
                  least > c.zero_bound),
      "the other m are at least 2 s^2 - zero_bound, apart from these");
  PetscCall(VecDestroy(&e));
  PetscCall(PetscFree3(A, lambda, work));
  PetscCall(CertificateDestroy(&c));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- files ------------------------------------------------------------------------------------------------------------------------ */

static void Hashes(int portable)
{
  const char *how = portable ? "portably" : "by the processor's instructions, if it has them";
  char        hex[SHA256_HEX];
  char       *million = malloc(1000000);

  Sha256Portable(portable);
  Sha256("abc", 3, hex); /* FIPS 180-4's examples */
  Tap((PetscBool)!strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256 of abc, %s", how);
  Sha256("", 0, hex);
  Tap((PetscBool)!strcmp(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "SHA-256 of nothing, %s", how);
  memset(million, 'a', 1000000);
  Sha256(million, 1000000, hex);
  Tap((PetscBool)!strcmp(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"), "SHA-256 of a million a, %s",
      how);
  Sha256Portable(0);
  free(million);
}

/* each number of `path` against a c of which less is proved */
static PetscErrorCode ClaimedMore(const char path[], Certificate *c)
{
  const struct {
    const char *name;
    PetscReal  *x, factor;
  } claims[] = {{"residual_upper", &c->residual_upper, 4},
                {"sigma_min_lower", &c->sigma_min_lower, .9},
                {"lipschitz", &c->lipschitz, 3},
                {"kantorovich_h", &c->h, 5},
                {"radius", &c->radius, 4},
                {"regular_radius", &c->regular_radius, .5},
                {"zero_bound", &c->zero_bound, 5},
                {"positive_bound", &c->positive_bound, .8},
                {"sigma_min_at_zero", &c->sigma_min_zero, .9},
                {"gram_error", &c->gram_error, 3},
                {"jacobian_error", &c->jacobian_error, 3}};
  char      text[512];
  PetscBool agrees;

  PetscFunctionBeginUser;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(claims); k++) {
    const PetscReal kept = *claims[k].x;

    *claims[k].x *= claims[k].factor;
    PetscCall(CertifyCompare(path, c, &agrees, sizeof text, text));
    Tap((PetscBool)(!agrees && !strncmp(text, claims[k].name, strlen(claims[k].name))), "more than is proved is found: %s", text);
    *claims[k].x = kept;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the file with another value of object[key] */
static PetscErrorCode Refused(const char path[], const Certificate *c, json_t *object, const char key[], json_t *value,
                              json_t *root, const char expected[])
{
  json_t     *kept = json_incref(json_object_get(object, key));
  char        text[512];
  PetscBool   agrees;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  json_object_set_new(object, key, value);
  if (!rank) json_dump_file(root, path, 0);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(CertifyCompare(path, c, &agrees, sizeof text, text));
  Tap((PetscBool)(!agrees && strstr(text, expected)), "another %s is found: %s", key, text);
  json_object_set_new(object, key, kept);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Tampered(const char path[], const Certificate *c)
{
  json_t     *root = json_load_file(path, 0, NULL), *eigenvalues = json_object_get(root, "eigenvalues");
  json_t     *constants = json_object_get(root, "constants"), *radius = json_object_get(constants, "radius");
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(Refused(path, c, root, "theorem", json_string("M is a manifold"), root, "recorded theorem"));
  PetscCall(Refused(path, c, radius, "decimal", json_real(0), root, "two values"));
  PetscCall(Refused(path, c, radius, "hex", json_null(), root, "two values"));
  PetscCall(Refused(path, c, constants, "regular_radius", json_null(), root, "regular_radius inf"));
  PetscCall(
      Refused(path, c, constants, "residual_lower", json_pack("{s:f, s:s}", "decimal", 1., "hex", "0x1p+0"), root, "|H| >= 1"));
  PetscCall(Refused(path, c, constants, "distance_lower", json_pack("{s:f, s:s}", "decimal", 1., "hex", "0x1p+0"), root,
                    "distance >= 1"));
  PetscCall(Refused(path, c, eigenvalues, "lower", json_copy(json_object_get(eigenvalues, "upper")), root, "eigenvalue 0"));
  if (!rank) json_dump_file(root, path, 0);
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  json_decref(root);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Files(void)
{
  char           folder[] = "/tmp/codim-certify-XXXXXX", path[96], weights[160], problem_file[160], text[512];
  Problem        problem;
  Certificate    c;
  Case           expected;
  CertifySubject subject;
  PetscBool      agrees, set, exact;
  char           widths[64];
  PetscMPIInt    rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) PetscCheck(mkdtemp(folder), PETSC_COMM_SELF, PETSC_ERR_SYS, "mkdtemp");
  PetscCallMPI(MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscCall(CaseCreate("mlp-tanh-zero", &expected));
  snprintf(path, sizeof path, "%s/certificate.json", folder);
  snprintf(weights, sizeof weights, "%s/weights.safetensors", expected.folder);
  snprintf(problem_file, sizeof problem_file, "%s/data.h5", expected.folder);
  PetscCall(CaseOn(&expected, PETSC_COMM_WORLD, 1, &problem));
  PetscCall(Certify(&problem, &CertifyDefaults, &c));
  subject = (CertifySubject){problem.map, &expected.net, weights, problem_file, problem.theta};
  PetscCall(CertifyWriteJSON(path, &subject, &c));
  PetscCall(CertifyReadSubject(path, weights, problem_file, &exact));
  Tap((PetscBool)!exact, "the targets are those stored");
  PetscCall(PetscOptionsGetString(NULL, NULL, "-net_widths", widths, sizeof widths, &set));
  Tap((PetscBool)(set && !strcmp(widths, "10,8")), "the net's options come back from certificate.json");
  PetscCall(CertifyCompare(path, &c, &agrees, sizeof text, text));
  Tap(agrees, "the certificate bears out its own file");
  PetscCall(ClaimedMore(path, &c));
  PetscCall(Tampered(path, &c));
  c.lo[0] = c.hi[0] *= 2;
  PetscCall(CertifyCompare(path, &c, &agrees, sizeof text, text));
  Tap((PetscBool)(!agrees && strstr(text, "eigenvalue 0")), "so is an enclosure");
  c.status = CERTIFY_UNDECIDED;
  PetscCall(CertifyCompare(path, &c, &agrees, sizeof text, text));
  Tap((PetscBool)!agrees, "so is a status");
  Tap((PetscBool)(ExitStatusOfError(CertifyReadSubject(path, problem_file, problem_file, &exact)) == STATUS_DATA),
      "other weights are refused");
  c.status = CERTIFY_PROVED;
  CertifyTheorem(&c, sizeof text, text);
  Tap((PetscBool)(strstr(text, "codimension 12") && strstr(text, "155")), "the theorem in words has its numbers");
  PetscCall(CertificateDestroy(&c));
  PetscCall(ProblemDestroy(&problem));
  PetscCall(CaseDestroy(&expected));
  if (!rank) unlink(path);
  if (!rank) rmdir(folder);
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  TapCall(ProveCase("mlp-tanh-zero"));
  TapCall(ProveCase("mlp-smoolu-zero"));
  TapCall(ProveCase("mlp-softplus-3out-zero"));
  TapCall(LeaveUndecided("linear-rank-deficient"));
  TapCall(LeaveUndecided("quadratic-rank-deficient"));
  TapCall(LeaveUndecided("mlp-erf"));
  TapCall(Ranks("linear-rank-deficient"));
  TapCall(Ranks("quadratic-rank-deficient"));
  TapCall(Ranks("tied-embedding"));
  TapCall(SplitIsSharper());
  TapCall(SpoiledWeights());
  TapCall(Kinks());
  TapCall(ZeroBound());
  Hashes(0);
  Hashes(1);
  TapCall(Files());
  return TapEnd();
}
