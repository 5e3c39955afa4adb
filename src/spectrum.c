/*
  spectrum.c: see spectrum.h.
*/
#include "codim/spectrum.h"

static const char *const Methods[] = {"auto", "gram", NULL};

const OptionKey SpectrumKeys[] = {{"spectrum_method", KEY_CHOICE, offsetof(SpectrumOptions, method), "auto", 0, 0, Methods,
                                   "how the singular values of J are found: gram, the eigenvalues of K = J J^T"},
                                  {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

static const PetscReal unit_roundoff = PETSC_MACHINE_EPSILON / 2;

/* c of gamma_c: the longest rounding chain of an entry of K */
static PetscErrorCode LongestChain(Jacobian jacobian, PetscReal *c)
{
  PetscInt  nuses;
  LabelUse *uses;

  PetscFunctionBeginUser;
  *c = 0;
  PetscCall(JacobianGetUses(jacobian, &nuses, &uses));
  for (PetscInt i = 0; i < nuses; i++) {
    PetscReal places = 0; /* of the label: pairs of places are summed */

    for (PetscInt j = 0; j < nuses; j++)
      if (uses[j].label == uses[i].label) places += (PetscReal)uses[j].T;
    *c = PetscMax(*c, (PetscReal)(uses[i].k + uses[i].h) + (places > 1 ? places * places : 0));
  }
  *c += (PetscReal)jacobian->map->network->nlabels + 6;
  PetscCall(PetscFree(uses));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode EigenvalueError(Jacobian jacobian, PetscReal trace, PetscReal lambda_max, PetscReal *E)
{
  PetscReal c;

  PetscFunctionBeginUser;
  PetscCall(LongestChain(jacobian, &c));
  *E = c * unit_roundoff / (1 - c * unit_roundoff) * trace + (PetscReal)jacobian->map->m * unit_roundoff * lambda_max;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the decision rule of spectrum.h */
static void DecideRank(Spectrum *s)
{
  for (s->above = 0; s->above < s->m && s->sigma[s->above] > s->resolution; s->above++) {
  }
  s->rank = s->above == 0 || s->sigma[s->above - 1] >= 1e3 * s->resolution ? s->above : -1;
}

/* does K - shift I have a Cholesky factor? `scratch` is overwritten */
static PetscErrorCode HasCholesky(Tiles K, PetscReal shift, Tiles scratch, PetscBool *success)
{
  PetscFunctionBeginUser;
  PetscCall(TilesCopy(K, scratch));
  PetscCall(TilesShift(scratch, -shift));
  PetscCall(TilesCholesky(scratch, success));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* lambda_min of the solver against Cholesky's word */
static PetscErrorCode CheckInertia(Tiles K, PetscReal lambda_min, PetscReal E, Tiles scratch, PetscBool *confirmed)
{
  PetscBool below, above;

  PetscFunctionBeginUser;
  PetscCall(HasCholesky(K, lambda_min - E, scratch, &below));
  PetscCall(HasCholesky(K, lambda_min + E, scratch, &above));
  *confirmed = (PetscBool)(below && !above);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SpectrumGram(Jacobian jacobian, Tiles K, PetscBool *factored, Spectrum *s)
{
  PetscReal *lambda, trace, square, sum = 0, sum2 = 0, E;
  Tiles      scratch;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesNorms(K, &trace, &square, NULL));
  PetscCall(TilesDuplicate(K, &scratch));
  PetscCall(TilesCopy(K, scratch));
  PetscCall(PetscMalloc1(s->m, &lambda));
  PetscCall(TilesEigenvalues(scratch, lambda));
  PetscCall(PetscStrncpy(s->solver, TilesEigensolver(K), sizeof(s->solver)));
  PetscCall(EigenvalueError(jacobian, trace, lambda[s->m - 1], &E));
  for (PetscInt k = 0; k < s->m; k++) {
    sum += lambda[k];
    sum2 += lambda[k] * lambda[k];
    s->sigma[s->m - 1 - k] = PetscSqrtReal(PetscMax(0, lambda[k]));
  }
  s->method       = "gram";
  s->resolution   = PetscSqrtReal(E);
  s->sum_error    = PetscAbsReal(sum - s->norm2) / s->norm2;
  s->square_error = PetscAbsReal(sum2 - square) / square;
  PetscCall(CheckInertia(K, lambda[0], E, scratch, &s->inertia));
  PetscCall(TilesCholesky(K, factored));
  PetscCall(TilesDestroy(&scratch));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumCompute(Jacobian jacobian, const SpectrumOptions *options, Tiles K, PetscBool *factored, Spectrum *s)
{
  PetscFunctionBeginUser;
  (void)options; /* one method so far: auto is gram */
  s->m = jacobian->map->m;
  PetscCall(PetscMalloc1(s->m, &s->sigma));
  PetscCall(JacobianNormSquared(jacobian, &s->norm2));
  PetscCall(SpectrumGram(jacobian, K, factored, s));
  DecideRank(s);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SpectrumDestroy(Spectrum *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->sigma));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void SpectrumHessian(const Spectrum *s, PetscInt count, PetscReal lambda[])
{
  for (PetscInt k = 0; k < count; k++) lambda[k] = 2 * s->sigma[k] * s->sigma[k];
}
