/*
  rational_rank.h: ranks over the rationals, exactly: of the monomials of the points, and of these with the targets.

  Doubles are dyadic rationals. With each input scaled by a power of 2 (ranks stay), Phi = (x_i^alpha) is an integer matrix of entries
  <= 2^(D b), D the largest degree, b the bits of the largest scaled input. Modulo a prime ranks can only fall. If rank_Q Phi > r, some
  minor of r + 1 rows is not 0, by Hadamard at most ((r + 1)^(1/2) 2^(D b))^(r + 1), and divisible by every prime at which the rank is r or
  less. Primes above 2^30: more than (r + 1)(log2(r + 1)/2 + D b)/30 of those cannot be. So elimination modulo enough of them proves
  rank_Q Phi = r, in integer arithmetic alone; the ranks share the primes out.
*/
#pragma once

#include "codim/data.h"

typedef struct {
  PetscInt  rank;       /* rank_Q Phi; where it was not computed the lesser number of rows and columns: never too small */
  PetscBool computed;   /* false: more than 10^7 entries or 4 10^9 multiplications */
  PetscBool y_outside;  /* computed, all targets are in the data, and some output's are not in the column space of Phi */
  PetscReal rows, cols; /* of Phi: all points; PetscReal because nothing may overflow */
} RationalRank;

/** Phi: the monomials of degrees k in the set (bit k; 0 <= k < 64), of all points. Its rows are made as they are needed: 8 d p bytes a rank
    and rank x columns x 4 at most. The same on any number of ranks. Collective on the data's communicator. */
PetscErrorCode RationalRankCompute(Data data, uint64_t degrees, RationalRank *rank);
