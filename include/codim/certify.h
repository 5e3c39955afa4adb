/*
  certify.h: a computer-assisted proof that H has an exact zero near theta_0, at which rank J = m.

  From the stored doubles: eta >= |H(theta_0)|, 0 < s <= sigma_min(J(theta_0)), Lambda a Lipschitz constant of J on the ball B(theta_0, r),
  all with rounding errors included. If h = Lambda eta/s^2 < 1/2 and rho = 2 eta/(s (1 + sqrt(1 - 2h))) <= r, then (Kantorovich, by Brouwer)

    H(theta*) = 0 for some theta* with |theta* - theta_0| <= rho, and sigma_min(J(theta*)) >= s sqrt(1 - 2h) > 0.

  So M is not empty, and a manifold of codimension m in B(theta_0, R); the Hessian at theta* has m positive and n - m zero eigenvalues, each
  positive one enclosed; at theta_0 it has m of at least 2 s^2 - 2 eta Lambda > s^2, and n - m within 2 eta Lambda. Nothing is proved
  outside the ball. The bounds hold for any order of summation, on any number of ranks; their assumptions are checked or listed.
*/
#pragma once

#include "archive.h"
#include "data.h"
#include "gram.h"
#include "residual.h"

typedef enum { CERTIFY_SKIPPED, CERTIFY_PROVED, CERTIFY_REFUTED, CERTIFY_UNDECIDED } CertifyStatus;

typedef enum { SPLIT_AUTO, SPLIT_NEVER, SPLIT_ALWAYS } CertifySplit;

typedef struct {
  CertifySplit split;         /* SPLIT_AUTO: see CertifyCompute */
  PetscBool    enclose;       /* enclose every positive eigenvalue: eigenvectors of K, two more matrices of its size */
  PetscBool    exact_targets; /* y is defined as the exact f_theta_0(x), of which the data's y is a rounding: eta = 0 */
  PetscReal    lambda_min;    /* an estimate of the least eigenvalue of K, for enclose = false; 0: none */

  /* for enclose: eigenvectors of K and its eigenvalues, ascending, as of an earlier K at the same theta: any will do that come near; NULL: they
     are computed. They are used up, and *vectors is NULL then; lambda is borrowed. */
  Tiles           *vectors;
  const PetscReal *lambda;

  /* for enclose = false: K is this factor, made of `jacobian` at theta along the trajectory; then no K is made unless it proves too little; NULL: none */
  const ShiftedCholesky *factor;
  Jacobian               jacobian;

  CertifySplit paths; /* derivatives between values as they are, instead of products of norms: for deep nets of few units */
} CertifyOptions;

extern const CertifyOptions CertifyDefaults; /* auto, enclose, y as stored */

/* Of a net that is smooth only in pieces: the argument nearest a kink. */
typedef struct {
  char      op[96];
  PetscInt  unit, point; /* an entry of the op's value; a point of the data; -1: the net is smooth */
  PetscReal distance;    /* |z|, or the largest less the runner-up */
} Kink;

/* Infinity, or 0 for lower bounds, stands for what was not found. */
typedef struct {
  CertifyStatus status;
  char          reason[512]; /* refuted, undecided, skipped: the number that failed, and by what factor */

  PetscBool  exact_targets;    /* as asked for */
  PetscReal  targets_rounding; /* then: >= |f_theta_0(x) - y| for y as stored; else 0 */
  PetscReal  residual_upper;   /* eta */
  PetscReal  residual_lower;   /* <= |H(theta_0)| */
  PetscReal  sigma_min_lower;  /* s */
  PetscReal  lipschitz;        /* Lambda, on the ball of radius `ball` */
  PetscReal  ball;             /* r */
  PetscReal  h;
  PetscReal  radius;               /* rho */
  PetscReal  regular_radius;       /* R: rank J = m on the open ball */
  PetscReal  zero_bound;           /* 2 eta Lambda: n - m eigenvalues of the Hessian at theta_0 are no larger */
  PetscReal  positive_bound;       /* 2 s^2 - 2 eta Lambda: the other m are at least that */
  PetscReal  sigma_min_zero;       /* s sqrt(1 - 2h) <= sigma_min(J(theta*)) */
  PetscReal  distance_lower;       /* <= the distance of theta_0 to M, empty or not; proved or not */
  PetscReal  gram_error;           /* E_K >= |K - J^ J^T|_F, J^ the exact product of the computed factors */
  PetscReal  jacobian_error;       /* E_J >= |J - J^|_F */
  PetscReal  eigen_error;          /* rho_e, or the Cholesky factorization's c */
  PetscReal  orthogonality;        /* delta >= ||V^T V - I|| */
  PetscReal  margin;               /* least distance of an argument, over the ball, from a kink; infinity: smooth */
  Kink       kink;                 /* where that is */
  PetscBool  split, panels, paths; /* used: the split residual, panels of W, derivatives between values */
  PetscBool  enclosed;             /* lo, hi are there */
  PetscBool  empty;                /* refuted: M is empty */
  PetscInt   rank_bound;           /* refuted: >= rank J(theta) for every theta within rank_radius of theta_0; -1: none */
  PetscReal  rank_radius;          /* infinity: for every theta */
  PetscInt   rank;    /* refuted: = rank_bound, and rank J = it in the ball of radius regular_radius; -1: not established */
  PetscInt   m, n;    /* residuals, parameters */
  PetscReal *lo, *hi; /* m: eigenvalue k of the Hessian at theta*, ascending; whole on every rank; owned */
  PetscReal *norms;   /* nlabels: ||W||_2 of each label; owned */
  PetscInt   nlabels;
  PetscReal  seconds;
} Certificate;

/** At any theta, whose trajectory is given (borrowed, not changed). K is scratch. The split residual (three products of half-length numbers,
    rounding errors about 10^3 times smaller) is taken at once where three forward passes cost at most a quarter of K and its
    eigenvalues, else where plain arithmetic leaves h >= 1/2; so are panels of large W, and derivatives between values (0.25 GB
    at most). 16 N sum_units bytes while it runs, and K's size twice more if `enclose`. No n-sized temporary. Collective. */
PetscErrorCode CertifyCompute(ResidualMap map, Vec theta, Trajectory trajectory, Tiles K, const CertifyOptions *options,
                              Certificate *certificate);

/** Of a refutation with a bound of the rank: is it attained at theta, by rows of J that K shows to be independent? Then rank, sigma_min_lower (of
    these rows), regular_radius and what they rest on are set: rank J is constant in that ball, M there empty or a manifold of codimension
    `rank`. K is scratch; twice its size while it runs. Collective. */
PetscErrorCode CertifyRank(ResidualMap map, Vec theta, Trajectory trajectory, Tiles K, const CertifyOptions *options,
                           Certificate *certificate);

/** Undecided, with nothing found. Not collective. */
void CertificateClear(ResidualMap map, Certificate *certificate);

/** A certificate of status skipped, with this reason. Not collective. */
void CertifySkip(const char reason[], Certificate *certificate);

PetscErrorCode CertificateDestroy(Certificate *certificate);

/** Collective. */
PetscErrorCode CertificateArchive(Archive archive, Certificate *certificate);

/** proved, refuted, undecided or skipped. Not collective. */
const char *CertifyStatusText(CertifyStatus status);

/** The theorem in a sentence or two, with its numbers rounded outwards; or why there is none, and what rank is established. Not collective. */
void CertifyTheorem(const Certificate *certificate, size_t size, char text[]);
void CertifyRankText(const Certificate *certificate, size_t size, char text[]); /* the latter alone; "" */

/* What a certificate is about. */
typedef struct {
  ResidualMap       map;
  const NetOptions *net;
  const char       *weights, *problem; /* paths; their SHA-256 is recorded; weights NULL: not kept */
  Vec               theta;
} CertifySubject;

/** certificate.json: status, theorem in words and numbers (each also as a hexadecimal float: exact), assumptions, the net's options, hashes;
    beside its place first, then renamed. STATUS_DATA if it cannot be written. Collective; rank 0 writes. */
PetscErrorCode CertifyWriteJSON(const char path[], const CertifySubject *subject, const Certificate *certificate);

/** For `codim check`: put the net's options of a certificate.json into the options database, where they are read as if from a job file. The
    files' hashes must be the recorded ones. *exact_targets: its targets are defined by the weights. STATUS_DATA naming what is missing or
    differs. Collective. */
PetscErrorCode CertifyReadSubject(const char path[], const char weights[], const char problem[], PetscBool *exact_targets);

/** Does what was computed anew bear out the file? Its status must not claim more than `certificate` proves; no bound may be much sharper than the new
    one (other ranks add in another order), enclosures must meet, the two forms of each number must agree and the theorem must say what the numbers
    do. *agrees, and a sentence into text. Collective. */
PetscErrorCode CertifyCompare(const char path[], const Certificate *certificate, PetscBool *agrees, size_t size, char text[]);

/** Cost (cost.h) of one attempt, K there. Not collective. */
void CertifyCost(const Sizes *sizes, const CertifyOptions *options, Cost *cost);
