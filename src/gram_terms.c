/*
  gram_terms.c: how each label's term of K is made: by its factors or by its block, alone or with others; see gram.h.
*/
#include "codim/gram.h"

static const PetscReal HADAMARD = 4; /* what an entry of it counts, in flops: three, and their way through memory */

/* the only op that uses a label; NULL if there are several, or none */
static const NetOp *OnlyOpOf(Network net, PetscInt label)
{
  const NetOp *only = NULL;

  for (PetscInt v = 1; v < net->nops; v++) {
    if (net->ops[v].weight != label && net->ops[v].bias != label) continue;
    if (only) return NULL;
    only = &net->ops[v];
  }
  return only;
}

PetscInt GramPanelRows(Network net, PetscInt label)
{
  return PetscMax(1, GRAM_PANEL / net->labels[label].cols);
}

/* what a label alone takes by the cheaper way */
static GramTerm Alone(Network net, PetscReal d, PetscReal m, PetscInt label)
{
  const PetscReal h = (PetscReal)net->labels[label].rows, k = (PetscReal)net->labels[label].cols;
  const PetscReal rows = PetscMin(h, (PetscReal)GramPanelRows(net, label));
  PetscReal       T = 0, values = 0, factors, block; /* values: at how many places it enters as it is */
  GramTerm        term = {.with = label};

  for (PetscInt v = 1; v < net->nops; v++) {
    T += net->ops[v].weight == label ? (PetscReal)net->ops[v].places : 0;
    values += net->ops[v].bias == label ? (PetscReal)net->ops[v].places : 0;
  }
  factors          = T * T * (d * d * k + m * m * h);
  block            = m * m * h * k + m * T * h * k;
  term.block       = (PetscBool)(values > 0 || block < factors + HADAMARD * T * T * m * m);
  term.flops_alone = term.block ? block : factors;
  term.flops       = term.flops_alone;
  term.length      = term.block ? rows * k + 2 * (T + values) : h + k;
  term.sums        = term.block ? PetscCeilReal(h / rows) : T * T;
  return term;
}

/* Is the bias of a weight's only op, used there alone and at one place, an added one in the weight's Hadamard product? Its part of K is
   Delta Delta^T o 1. */
static PetscBool BiasJoins(Network net, const NetOp *op)
{
  return (PetscBool)(op->places == 1 && op->bias >= 0 && OnlyOpOf(net, op->bias) == op);
}

/* a weight by its factors, with all whose only op takes the same input, and takes it so */
static void JoinWeights(Network net, PetscReal d, PetscReal m, const NetOp *op, GramTerm *term)
{
  const PetscReal T = (PetscReal)op->places, values = T * T * d * d * (PetscReal)net->labels[op->weight].cols;
  PetscInt        first = -1;

  term->one    = BiasJoins(net, op);
  term->length = (PetscReal)net->labels[op->weight].cols;
  for (PetscInt v = 1; v < net->nops; v++) {
    const NetOp *other = &net->ops[v];

    if (other->weight < 0 || other->inputs[0] != op->inputs[0] || other->places != op->places) continue;
    if (OnlyOpOf(net, other->weight) != other || BiasJoins(net, other) != term->one || Alone(net, d, m, other->weight).block)
      continue;
    if (first < 0) first = other->weight;
    term->length += (PetscReal)net->labels[other->weight].rows;
  }
  term->with = first;
  if (first == op->weight) return;
  term->flops -= values;
  term->sums = 0;
}

GramTerm GramTermOf(Network net, PetscReal d, PetscReal m, PetscInt label)
{
  const NetOp *op   = OnlyOpOf(net, label);
  GramTerm     term = Alone(net, d, m, label);

  if (op && op->weight == label && !term.block) JoinWeights(net, d, m, op, &term);
  if (op && op->bias == label && op->weight >= 0 && BiasJoins(net, op) && OnlyOpOf(net, op->weight) == op &&
      !Alone(net, d, m, op->weight).block) {
    const GramTerm weight = GramTermOf(net, d, m, op->weight);

    term.with   = weight.with;
    term.length = weight.length;
    term.flops = term.sums = 0;
  }
  return term;
}
