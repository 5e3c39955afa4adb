/*
  gram.h: the Gram matrix K = J J^T, m x m, from the factors of J, without J.

    K = sum over weights of sum_t,s ((A_t A_s^T) (x) 1_l 1_l^T) o (Delta_t Delta_s^T)  +  sum over biases of (sum_t Delta_t)(sum_t Delta_t)^T

  t, s run over all uses and places of the label. A rank makes parts of the lower triangle: of residuals that follow each other, half of them its own
  where ranks are few; then they are dealt to the tiles. T^2 (d^2 k + m^2 h) flops a label of T places; or, from its assembled block B = sum_t Delta_t (x) A_t of J,
  m x hk, in panels: B B^T, m^2 hk + m T hk flops. The cheaper way is taken, a Hadamard product counting 4 flops an entry; parameters that enter as values
  go by their block. Weights that the same A goes into (query, key and value) share A A^T: their Delta Delta^T are added first.
*/
#pragma once

#include "jacobian.h"
#include "tiles.h"

enum { GRAM_PANEL = 1024 }; /* entries of a label that go at once by its block; at least a row of it */

/** The lower triangle of K; of one label's term of the sum. On several ranks a rank holds `-gram_round` entries (default 2^24, at most 2^28) beside its tiles
    at a time (at least a row or a column of each of its parts), and those it sends and receives. Collective. */
PetscErrorCode GramCompute(Jacobian jacobian, Tiles K);
PetscErrorCode GramComputeLabel(Jacobian jacobian, PetscInt label, Tiles K);

/** How a label's term of the sum is made, for d points and m residuals (gram_terms.c). */
typedef struct {
  PetscBool block;       /* by the label's assembled block of J; else by its factors */
  PetscBool one;         /* into its Hadamard product goes that of a bias: A A^T + 1 */
  PetscInt  with;        /* the first label in the same Hadamard product; the label itself, where there is none */
  PetscReal flops;       /* what it adds to those of K, all ranks together */
  PetscReal flops_alone; /* GramComputeLabel */
  PetscReal length;      /* of the sums on the way from factors to what is added to an entry of K, together */
  PetscReal sums;        /* how often it adds something to an entry of K: pairs of places, or panels */
} GramTerm;

/** Rows of a label that go at once by its block. Not collective. */
PetscInt GramPanelRows(Network network, PetscInt label);

/** Not collective. */
GramTerm GramTermOf(Network network, PetscReal d, PetscReal m, PetscInt label);

/** Flops of the lower triangle by that formula (labels of vectors by blocks not counted; what dsyrk would count), all ranks together. Not
    collective. */
PetscErrorCode GramFlops(Jacobian jacobian, PetscReal *flops);

/** Cost (cost.h) of GramCompute. Not collective. */
void GramCost(const Sizes *sizes, Cost *cost);
