/*
  spectrum.c: which method, the decision rule, and the checks; see spectrum.h.
*/
#include "spectrum_method.h"
#include <string.h>

static const SpectrumMethod GramOnly = {NULL, NULL, NULL}; /* gram always runs */

/* name and table, in the order of spectrum.h; the first is the default */
#define METHODS(METHOD)                                                                                                            \
  METHOD("auto", &GramOnly)                                                                                                        \
  METHOD("gram", &GramOnly) METHOD("qr", &SpectrumQR) METHOD("svd", &SpectrumSVD) METHOD("count", &GramOnly)

#define NAME(name, table)  name,
#define TABLE(name, table) table,

static const char *const           Names[]   = {METHODS(NAME) NULL};
static const SpectrumMethod *const Methods[] = {METHODS(TABLE)};

static const char *const Labels[] = {"auto", "always", "never", NULL};

const OptionKey SpectrumKeys[] =
    {{"spectrum_method", KEY_CHOICE, offsetof(SpectrumOptions, method), "auto", 0, 0, Names,
      "how the singular values of J are found: gram, the eigenvalues of K = J J^T; qr, a streamed QR "
      "of J^T; svd, SLEPc's SVD of the "
      "assembled J; auto, gram, and qr where gram does not find rank m; count, only whether the rank is m, by one Cholesky "
      "factorization in K's place"},
     {"spectrum_assembled_max", KEY_REAL, offsetof(SpectrumOptions, assembled_max), "4e9", 0, 1e15, NULL,
      "bytes a rank of the assembled J, at most"},
     {"spectrum_labels", KEY_CHOICE, offsetof(SpectrumOptions, labels), "auto", 0, 0, Labels,
      "rank and least eigenvalue of each label's own K, an m x m eigenvalue problem for each: auto, where all of them take at "
      "most 2 10^11 flops"},
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

PetscErrorCode SpectrumPrepare(MPI_Comm comm, const SpectrumOptions *options)
{
  PetscFunctionBeginUser;
  if (Methods[options->method]->prepare) PetscCall(Methods[options->method]->prepare(comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscInt SpectrumRank(const Spectrum *s, PetscInt *above)
{
  PetscInt count = 0;

  while (count < s->m && s->sigma[count] > s->resolution) count++;
  if (above) *above = count;
  return count == 0 || s->sigma[count - 1] >= 1e3 * s->resolution ? count : -1;
}

/* gram does not know a sigma below its resolution from 0 */
static void DecideRank(Spectrum *s, PetscBool gram)
{
  s->rank = SpectrumRank(s, &s->above);
  if (gram && s->rank < s->m) s->rank = -1;
  if (s->rank < 0 || s->rank_scaled <= s->rank) return;
  (void)PetscSNPrintf(s->note, sizeof s->note, "with rows and columns scaled to norm 1, %" PetscInt_FMT " sigma stand out",
                      s->rank_scaled);
  s->rank = -1;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------ */

/* sums of powers of sigma against the norms of J and K; a solver that returned others, or one twice, is not believed */
static PetscErrorCode CheckSums(MPI_Comm comm, const Spectrum *gram, Spectrum *s)
{
  PetscReal sum = 0, sum2 = 0, allowed;

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < s->m; k++) {
    sum += PetscSqr(s->sigma[k]);
    sum2 += PetscSqr(PetscSqr(s->sigma[k]));
  }
  s->norm4        = gram->norm4;
  s->sum_error    = s->norm2 > 0 ? PetscAbsReal(sum - s->norm2) / s->norm2 : 0;
  s->square_error = s->norm4 > 0 ? PetscAbsReal(sum2 - s->norm4) / s->norm4 : 0;
  allowed         = PetscSqr(gram->resolution) + 2 * PetscSqrtReal((PetscReal)s->m * s->norm2) * s->resolution;
  PetscCall(
      UserCheck(comm, (PetscBool)(PetscAbsReal(sum - s->norm2) <= allowed), STATUS_UNDECIDED,
                "%s (%s): the squares of the singular values do not add up to |J|_F^2 = %.6g, relative error %.1e: choose another "
                "-svd_type, or another spectrum.method",
                s->method, s->solver, (double)s->norm2, (double)s->sum_error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sum of the eigenvalues of K = |J|_F^2, which comes from the factors alone: each eigenvalue is within E = resolution^2 */
static PetscErrorCode CheckTrace(MPI_Comm comm, const Spectrum *gram)
{
  const PetscReal allowed = (PetscReal)gram->m * PetscSqr(gram->resolution);

  PetscFunctionBeginUser;
  PetscCall(UserCheck(comm, (PetscBool)(gram->sum_error * gram->norm2 <= allowed), STATUS_UNDECIDED,
                      "the eigenvalues of K (%s) do not add up to |J|_F^2 = %.6g: off by %.1e, and rounding explains %.1e; try "
                      "-tiles_elpa "
                      "false, or another BLAS",
                      gram->solver, (double)gram->norm2, (double)(gram->sum_error * gram->norm2), (double)allowed));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* sigma against gram's, index by index */
static void Compare(const Spectrum *s, const Spectrum *gram, SpectrumCheck *check)
{
  PetscReal worst = -1;

  check->method     = gram->method;
  check->rank       = gram->rank;
  check->sigma_max  = gram->sigma[0];
  check->sigma_min  = gram->sigma[gram->m - 1];
  check->resolution = gram->resolution;
  for (PetscInt k = 0; k < s->m; k++) {
    const PetscReal r     = gram->resolution / PetscMax(1, s->sigma[k] / gram->resolution);
    const PetscReal bound = s->resolution + r, difference = PetscAbsReal(s->sigma[k] - gram->sigma[k]);

    if (difference <= worst * bound) continue;
    worst             = difference / bound;
    check->index      = k;
    check->difference = difference;
    check->bound      = bound;
  }
}

/* ---- methods ----------------------------------------------------------------------------------------------------------- */

/* enough memory on every rank? */
static PetscErrorCode Fits(Jacobian jacobian, const SpectrumOptions *options, const SpectrumMethod *method, PetscReal *bytes,
                           PetscReal *available, PetscBool *fits)
{
  Cost  cost = {.bytes = 0}, stretch = {.bytes = 0};
  Sizes sizes;

  PetscFunctionBeginUser;
  ResidualMapSizes(jacobian->map, &sizes);
  method->cost(&sizes, &cost, &stretch);
  *bytes = cost.bytes;
  PetscCall(MemoryAvailable(jacobian->map->grid->world, options->node_memory, available));
  *fits = (PetscBool)(*bytes <= *available);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the method's values take the place of gram's, which become their cross-check */
static PetscErrorCode Replace(Jacobian jacobian, const SpectrumOptions *options, const SpectrumMethod *method, Spectrum *s)
{
  Spectrum       better = {.m = s->m, .norm2 = s->norm2, .vectors = s->vectors, .lambda = s->lambda};
  PetscErrorCode ierr;
  PetscBool      done;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(better.m, &better.sigma));
  ierr = method->compute(jacobian, options, &better, &done);
  if (!ierr && done) ierr = CheckSums(jacobian->map->grid->world, s, &better);
  if (ierr) PetscCall(PetscFree(better.sigma));
  PetscCall(ierr);
  if (done) {
    DecideRank(&better, PETSC_FALSE);
    Compare(&better, s, &better.check);
    PetscCall(PetscFree(s->sigma));
    *s = better;
  } else
    PetscCall(PetscFree(better.sigma));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumCompute(Jacobian jacobian, const SpectrumOptions *options, Tiles K, PetscBool *factored, Spectrum *s)
{
  const PetscBool       automatic = (PetscBool)(options->method == SPECTRUM_AUTO);
  const SpectrumMethod *method    = automatic ? &SpectrumQR : Methods[options->method];
  PetscReal             bytes, available;
  PetscBool             fits;

  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(s, sizeof *s));
  s->m = jacobian->map->m;
  PetscCall(PetscMalloc1(s->m, &s->sigma));
  PetscCall(JacobianNormSquared(jacobian, &s->norm2));
  if (options->method == SPECTRUM_COUNT) {
    *factored = PETSC_FALSE;
    PetscCall(SpectrumCount(jacobian, K, s));
    PetscCall(CheckTrace(jacobian->map->grid->world, s));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(SpectrumGram(jacobian, K, options->vectors, factored, s));
  PetscCall(CheckTrace(jacobian->map->grid->world, s));
  DecideRank(s, PETSC_TRUE);
  if (s->above < s->m) *factored = PETSC_FALSE; /* its last pivots would be noise */
  if (automatic && s->above == s->m && s->rank < 0)
    PetscCall(PetscSNPrintf(s->note, sizeof(s->note),
                            "sigma_min is %.0f times the resolution, not 1000: certify, or spectrum.method: qr",
                            (double)(s->sigma[s->m - 1] / s->resolution)));
  if (!method->compute || (automatic && s->above == s->m)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Fits(jacobian, options, method, &bytes, &available, &fits));
  if (automatic && !fits) {
    PetscCall(PetscSNPrintf(s->note, sizeof(s->note), "qr was not tried: it needs %.2f GB a rank, %.2f GB are available",
                            (double)bytes / 1e9, (double)available / 1e9));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(UserCheck(jacobian->map->grid->world, fits, STATUS_DATA,
                      "spectrum.method %s needs %.2f GB a rank and %.2f GB are available: use more nodes, fewer ranks on each, or "
                      "spectrum.method: gram",
                      Names[options->method], (double)bytes / 1e9, (double)available / 1e9));
  PetscCall(Replace(jacobian, options, method, s));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a method's name, by its place in the table; 0: none */
static PetscErrorCode NameArchive(Archive archive, const char key[], const char **name)
{
  PetscInt index = 0;

  PetscFunctionBeginUser;
  for (PetscInt i = 0; !ArchiveReading(archive) && *name && Names[i]; i++)
    if (!strcmp(*name, Names[i])) index = i;
  PetscCall(ArchiveInt(archive, key, &index));
  *name = index ? Names[index] : NULL;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumArchive(Archive archive, Spectrum *s)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "values", sizeof *s, s));
  PetscCall(NameArchive(archive, "method", &s->method));
  PetscCall(NameArchive(archive, "check", &s->check.method));
  if (ArchiveReading(archive)) {
    PetscCall(PetscMalloc1(s->m, &s->sigma));
    s->vectors = NULL;
    s->lambda  = NULL;
  }
  PetscCall(ArchiveReals(archive, "sigma", s->m, s->sigma));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumDestroy(Spectrum *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->sigma));
  PetscCall(PetscFree(s->lambda));
  PetscCall(TilesDestroy(&s->vectors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool SpectrumCounts(const SpectrumOptions *options)
{
  return (PetscBool)(options->method == SPECTRUM_COUNT);
}

PetscReal SpectrumLargest(const Spectrum *s)
{
  return s->counted ? 2 * PetscSqrtReal(s->norm4) : 2 * s->sigma[0] * s->sigma[0];
}

void SpectrumHessian(const Spectrum *s, PetscInt count, PetscReal lambda[])
{
  for (PetscInt k = 0; k < count; k++) lambda[k] = 2 * s->sigma[k] * s->sigma[k];
}

void SpectrumCost(const Sizes *s, const SpectrumOptions *options, Cost *cost, Cost *stretch)
{
  const SpectrumMethod *method = Methods[options->method];

  if (options->method == SPECTRUM_COUNT)
    SpectrumCountCost(s, cost);
  else
    SpectrumGramCost(s, options->vectors, cost);
  CostLonger(stretch, cost);
  CostReduceAll(cost, s->P, 8, 1); /* |J|_F^2 */
  if (method->cost) method->cost(s, cost, stretch);
}
