/*
  form.c: how the value of an op depends on x, for every theta; see ValueForm.

  Degrees are sets: those of a sum are the union, those of a product the sums of one of each. Sets may be too large, never too small; flags
  may be false where they could be true, never the reverse.
*/
#include "ops.h"

uint64_t FormDegreesOfProduct(uint64_t a, uint64_t b)
{
  uint64_t product = 0;

  for (PetscInt k = 0; k <= FORM_DEGREE_MAX; k++) {
    if (!(a >> k & 1)) continue;
    if (b >> (FORM_DEGREE_MAX + 1 - k)) return 0;
    product |= b << k;
  }
  return product;
}

/* of any function of these */
void OpAnyForm(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  *out = (ValueForm){PETSC_FALSE, PETSC_TRUE, 1};
  for (PetscInt j = 0; j < op->ninputs; j++) {
    if (!in[j].even) out->even = PETSC_FALSE;
    if (in[j].degrees != 1) out->degrees = 0;
  }
}

void OpMapForm(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  *out = (ValueForm){PETSC_TRUE, PETSC_TRUE, 0};
  for (PetscInt j = 0; j < op->ninputs; j++) {
    if (!in[j].odd) out->odd = PETSC_FALSE;
    if (!in[j].even) out->even = PETSC_FALSE;
    out->degrees |= in[j].degrees;
  }
  for (PetscInt j = 0; j < op->ninputs; j++)
    if (!in[j].degrees) out->degrees = 0;
}

void OpProductForm(const NetOp *op, const ValueForm in[], ValueForm *out)
{
  const ValueForm *a = &in[0], *b = &in[1];

  (void)op;
  out->odd     = (PetscBool)((a->odd && b->even) || (a->even && b->odd));
  out->even    = (PetscBool)((a->even && b->even) || (a->odd && b->odd));
  out->degrees = FormDegreesOfProduct(a->degrees, b->degrees);
}
