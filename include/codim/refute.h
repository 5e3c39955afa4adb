/*
  refute.h: what exact arithmetic proves for every theta: M is empty, or rank J(theta) <= R < m.

    equal x          different y: M is empty; else rank J <= l distinct
    opposite x       nets that are odd in x (odd sigma, no bias) or even: other y than f(-x) = -f(x), f(0) = 0, or f(-x) = f(x) allow: M is
                     empty; rank J <= l classes of +-x, for odd nets those of x != 0
    polynomial nets  f = Phi C(theta), Phi the monomials of the points: rank J <= l rank_Q Phi; Y outside its column space: M is empty
    linear nets      rank J <= sum_i (c_i - c_(i-1)) v_i, from widths and rank_Q X
    quadratic nets   one hidden layer, l = 1: quadratic forms of bounded rank

  Each is derived in refute.c or refute_ranks.c. Parity and degrees are known for any graph of ops (ValueForm), linear and quadratic
  nets are chains. The least R is taken. Numbers, points and targets are the stored doubles, compared with == or modulo primes.
*/
#pragma once

#include "certify.h"

typedef struct {
  PetscBool refuted;
  PetscBool contradiction; /* of two points, or of a point with f(0) = 0: nothing to train for */
  char      note[256];     /* what was too large to be computed; "" if nothing was */
} Refutation;

/** certificate: of status refuted, its reason naming the points or the rank; untouched if not refuted. `ranks`: exact ranks too (at most 4 10^9
    multiplications, see rational_rank.h). The same on any number of ranks. Collective. */
PetscErrorCode RefuteExactly(Data data, ResidualMap map, PetscBool ranks, Refutation *refutation, Certificate *certificate);

/* near theta_0 */
typedef struct {
  PetscInt  rank_bound; /* rank J <= rank_bound in all of B(theta_0, radius); m: nothing found */
  PetscReal radius;
  char      why[256];
} DeadUnits;

/** The certificate that they make: of status refuted. Not collective. */
PetscErrorCode CertifyRefuteNear(ResidualMap map, const DeadUnits *dead, Certificate *certificate);

/** Units of a rectified sigma that are dead at theta_0 and, by the bounds of the certificate, in a ball around it: points at which a whole
    layer is dead coincide for the net, units dead at every point hide weights. Of all balls of radii |theta| 2^-k about the largest with
    the bound at theta_0 itself. `trajectory` is at theta; 10 d values bytes on every rank, 8 d values more on rank 0. Collective. */
PetscErrorCode RefuteDeadUnits(Data data, ResidualMap map, Vec theta, Trajectory trajectory, DeadUnits *dead);
