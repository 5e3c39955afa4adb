/*
  spectrum_count.c: rank J = m from one Cholesky factorization of K - tau I in K's place, m^3/3 flops: no eigenvalue is computed.

  If it ends, lambda_min(K) >= tau - gamma_(m+3)/(1 - gamma_(m+3)) trace(K) (certify_enclose.c), and the exact J J^T differs from K by
  gamma_c trace(K) at most (spectrum.h). tau is four times the sum E of the two: then all m eigenvalues are at least 3 E > 0. If it breaks
  down, nothing is known but that lambda_min(K) < tau, about.
*/
#include "rounding.h"
#include "spectrum_method.h"
#include <math.h>

PetscErrorCode SpectrumCount(Jacobian jacobian, Tiles K, Spectrum *s)
{
  const PetscReal factor = Gamma((PetscReal)s->m + 3);
  PetscReal       trace, E;

  PetscFunctionBeginUser;
  PetscCall(GramCompute(jacobian, K));
  PetscCall(TilesNorms(K, &trace, &s->norm4, NULL));
  E = (factor * (1 + factor) + Gamma(LongestChain(jacobian->map))) * trace;
  PetscCall(TilesShiftedCholesky(K, 4 * E, &s->factor));
  for (PetscInt k = 0; k < s->m; k++) s->sigma[k] = (PetscReal)NAN;
  s->counted      = PETSC_TRUE;
  s->method       = "count";
  s->resolution   = PetscSqrtReal(E);
  s->rank         = s->factor.ended ? s->m : -1;
  s->above        = s->factor.ended ? s->m : 0;
  s->sum_error    = PetscAbsReal(trace - s->norm2) / s->norm2;
  s->square_error = (PetscReal)NAN;
  PetscCall(PetscSNPrintf(s->solver, sizeof(s->solver), "Cholesky of K - %.2e I", (double)s->factor.tau));
  if (!s->factor.ended)
    PetscCall(PetscSNPrintf(s->note, sizeof(s->note),
                            "K - %.2e I is not positive definite: an eigenvalue of K is that small, or 0; spectrum.method: auto "
                            "finds out",
                            (double)s->factor.tau));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void SpectrumCountCost(const Sizes *s, Cost *cost)
{
  Cost count = {.bytes = 0};

  GramCost(s, &count);
  CostReduceAll(&count, s->P, 8, 4);
  TilesCholeskyCost(s, &count);
  CostAdd(cost, &count, 1);
}
