/*
  activation.h: the functions sigma, with the derivatives and bounds every other module needs.

  A new activation is one jet function and one line in the table.

  Besides the usual ones (gelu = z Phi(z), exact; silu = z sigmoid(z)), rectified and C^infinity, all 0 for z <= 0:
    smoolu    z e^(-1/z)
    rtanh     tanh(z) e^(-1/z)
    rsigmoid  tanh(z/2) e^(-1/z)
    srelu     z f(z)/(f(z) + f(1-z)), f(t) = e^(-1/t) for t > 0, else 0: equal to z for z >= 1
  and, not smooth, relu and leaky_relu (slope 0.01 below 0), linear on either side of 0; sigma'(0) is that of the left.
*/
#pragma once

#include <petscsys.h>

/** sigma, sigma', sigma'' at z[0..len). ds and dds may be NULL, and are then not computed; s may be z. Not collective.
    Accuracy, for every finite double z: each of the three is within 8u(1+|z|) of the exact value (u = 2^-53); polynomials within
    2u|sigma|, 4u|sigma'|, u|sigma''| where these neither overflow nor underflow. For large |z| or near a flat point no overflow, no
    NaN; sigma never has the wrong sign, and odd functions are exactly odd.
    At -oo and oo: the limits, of sin NaN. At NaN: NaN, except where a derivative is constant. */
typedef void ActivationJetFn(PetscInt len, const PetscReal z[], PetscReal s[], PetscReal ds[], PetscReal dds[]);

/** sigma' from s = sigma(z), the same doubles as the jet's; ds may be s. Not collective. */
typedef void ActivationSlopeFn(PetscInt len, const PetscReal s[], PetscReal ds[]);

typedef struct {
  const char      *name; /* the value of -net_activation */
  ActivationJetFn *jet;
  PetscReal        sup_ds;    /* sup |sigma'| over R, rounded up; infinity where unbounded */
  PetscReal        sup_dds;   /* the same of sigma''; infinity also where sigma' jumps: it is the Lipschitz constant of sigma' */
  PetscBool        smooth;    /* C^infinity: the theorem's hypothesis */
  PetscBool        odd;       /* sigma(-z) = -sigma(z) */
  PetscBool        rectified; /* 0 for z <= 0 and strictly increasing for z > 0: what Lemma 3.3 needs */
  PetscInt         degree;    /* of a polynomial; -1 otherwise */

  ActivationSlopeFn *slope; /* NULL: sigma(z) does not tell */
} Activation;

extern const Activation *const Activations[]; /* NULL-terminated */

/** NULL if there is none of that name. Not collective. */
const Activation *ActivationFind(const char name[]);

/** All names, separated by ", ", for messages. Not collective; owned by the module. */
const char *ActivationNames(void);
