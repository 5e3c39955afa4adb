/*
  activation.h: the functions sigma, with the derivatives and bounds every other module needs.

  A new activation is one jet function and one line in the table.
*/
#pragma once

#include <petscsys.h>

/** sigma, sigma', sigma'' at z[0..len). ds and dds may be NULL; s may be z. Not collective.
    Accuracy, for every finite double z: each of the three is within 8u(1+|z|) of the exact value (u = 2^-53) - polynomials within
    2u|sigma|, 4u|sigma'| - and for large |z| or near a flat point no overflow, no NaN, no loss of the sign. */
typedef void ActivationJetFn(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[]);

typedef struct {
  const char      *name; /* the value of -net_activation */
  ActivationJetFn *jet;
  PetscReal        sup_ds;  /* sup |sigma'| over R, rounded up; infinity where unbounded */
  PetscReal        sup_dds; /* sup |sigma''| over R, rounded up; infinity where unbounded */
  PetscBool        smooth;  /* C^infinity: the theorem's hypothesis */
  PetscBool        odd;     /* sigma(-z) = -sigma(z) */
  PetscInt         degree;  /* of a polynomial; -1 otherwise */
} Activation;

extern const Activation *const Activations[]; /* NULL-terminated */

/** NULL if there is none of that name. Not collective. */
const Activation *ActivationFind(const char name[]);

/** All names, separated by ", ", for messages. Not collective; owned by the module. */
const char *ActivationNames(void);
