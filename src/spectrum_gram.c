/*
  spectrum_gram.c: sigma as square roots of the eigenvalues of K = J J^T; see spectrum.h for the error E.
*/
#include "rounding.h"
#include "spectrum_method.h"

PetscErrorCode GramEigenvalueError(Jacobian jacobian, PetscReal trace, PetscReal lambda_max, PetscReal *E)
{
  PetscFunctionBeginUser;
  *E = Gamma(LongestChain(jacobian->map)) * trace + (PetscReal)jacobian->map->m * ROUNDING * lambda_max;
  PetscFunctionReturn(PETSC_SUCCESS);
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

PetscErrorCode SpectrumGram(Jacobian jacobian, Tiles K, PetscBool vectors, PetscBool *factored, Spectrum *s)
{
  PetscReal *lambda, trace = 0, sum = 0, sum2 = 0, E = 0;
  Tiles      scratch;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesNorms(K, &trace, &s->norm4, NULL));
  PetscCall(UserCheck(jacobian->map->grid->world, (PetscBool)!PetscIsInfOrNanReal(s->norm4), STATUS_UNDECIDED,
                      "J is too large to be squared, |J|_F^2 = %.3e: the weights have diverged, or the data want scaling",
                      (double)trace));
  PetscCall(TilesDuplicate(K, &scratch));
  PetscCall(TilesCopy(K, scratch));
  PetscCall(PetscMalloc1(s->m, &lambda));
  if (vectors) {
    PetscCall(TilesDuplicate(K, &s->vectors));
    PetscCall(TilesEigenvectors(scratch, lambda, s->vectors));
  } else
    PetscCall(TilesEigenvalues(scratch, lambda));
  PetscCall(PetscStrncpy(s->solver, TilesEigensolver(K), sizeof(s->solver)));
  PetscCall(GramEigenvalueError(jacobian, trace, lambda[s->m - 1], &E));
  for (PetscInt k = 0; k < s->m; k++) {
    sum += lambda[k];
    sum2 += lambda[k] * lambda[k];
    s->sigma[s->m - 1 - k] = PetscSqrtReal(PetscMax(0, lambda[k]));
  }
  s->method       = "gram";
  s->resolution   = PetscSqrtReal(E);
  s->sum_error    = s->norm2 > 0 ? PetscAbsReal(sum - s->norm2) / s->norm2 : 0;
  s->square_error = s->norm4 > 0 ? PetscAbsReal(sum2 - s->norm4) / s->norm4 : 0;
  PetscCall(CheckInertia(K, lambda[0], E, scratch, &s->inertia));
  PetscCall(TilesCholesky(K, factored));
  PetscCall(TilesDestroy(&scratch));
  if (vectors)
    s->lambda = lambda;
  else
    PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void SpectrumGramCost(const Sizes *s, PetscBool vectors, Cost *cost)
{
  Cost gram = {.bytes = 0}, dense = {.work[WORK_STREAM] = 4 * SizesTiles(s)};

  GramCost(s, &gram);
  (vectors ? TilesEigenvectorsCost : TilesEigenvaluesCost)(s, &dense);
  for (int factorizations = 0; factorizations < 3; factorizations++) TilesCholeskyCost(s, &dense); /* inertia twice; what follows */
  CostHold(&dense, (vectors ? 2 : 1) * SizesTiles(s));                                             /* scratch, vectors */
  CostAdd(&gram, &dense, 1);
  CostReduceAll(&gram, s->P, 8, 3);
  CostAdd(cost, &gram, 1);
}
