/*
  train.h: reaching M: Levenberg-Marquardt in the dual, behind Tao's public shell.

  A step is -J^T c with (K + mu I) c = H: one m x m Cholesky, never an n x n matrix; theta is updated in place, and a rejected step is
  undone by adding it back. mu follows the gain ratio (|H|^2 - |H_new|^2) / (|H|^2 - mu^2 |c|^2) (Nielsen 1999): quadratic at the end.
  Any other -tao_type serves the same problem: it is given the loss (loss.h), its gradient and its exact Hessian.
*/
#pragma once

#include "gram.h"
#include "loss.h"
#include <petsctao.h>

typedef struct {
  PetscInt     method;    /* train load construct */
  OptionString weights;   /* safetensors file: where load starts */
  PetscReal    tolerance; /* the loss to reach */
  PetscBool    polish;    /* load, construct: Levenberg-Marquardt from there */
  PetscBool    printed;   /* construct: as Corollary 3.4 is printed (construct.h) */
  PetscInt     steps;     /* at most */
} ReachOptions;

enum { REACH_TRAIN, REACH_LOAD, REACH_CONSTRUCT }; /* ReachOptions.method */

extern const OptionKey   ReachKeys[];
extern const char *const ReachMethods[]; /* by ReachOptions.method; NULL-terminated */

typedef enum {
  REACH_TOLERANCE, /* loss <= max(reach.tolerance, rounding floor) */
  REACH_FLOOR,     /* no step lowers the loss, which is within 100 times its rounding floor */
  REACH_STAGNATED, /* no step lowers the loss */
  REACH_STEPS,     /* the steps are used up */
  REACH_DIVERGED,  /* NaN, inf, or |theta| past 10^8 max(1, its start) */
  REACH_STOPPED    /* asked to stop (SIGUSR1) */
} ReachReason;

typedef struct {
  PetscReal   loss, start_loss;      /* |H|^2 */
  PetscReal   residual_max;          /* max |H_k| */
  PetscReal   floor;                 /* the rounding floor of the loss, see ResidualMapRoundingFloor */
  PetscInt    steps;                 /* accepted ones */
  PetscReal   norm_start, norm;      /* |theta| */
  PetscReal   norm_half, norm_power; /* when the steps were the last power of 2 but one, and the last */
  ReachReason reason;
} ReachResult;

typedef struct Train_s *Train;

/** A Tao of type shell whose solve is Levenberg-Marquardt (-tao_type changes it); options with the prefix tao_ are read now. Collective. */
PetscErrorCode TrainCreate(ResidualMap map, const ReachOptions *options, Train *train);
PetscErrorCode TrainDestroy(Train *train);

/** What a Tao of another type minimizes; |H|^2 if not set. Not collective. */
void TrainSetLoss(Train train, const LossOptions *loss);

/** The theta that TrainSolve moves is not the job's: the checkpoint has it beside the optimiser's state. False if not set. Not collective. */
void TrainSetApart(Train train, PetscBool apart);

typedef PetscErrorCode TrainObserver(void *context, PetscInt step);

/** Levenberg-Marquardt calls it at its start and after every step: trajectory, H and the factors in `jacobian` belong to theta, K is scratch, and
    nothing else may be changed. NULL: nobody looks. Not collective; the observer is. */
void TrainObserve(Train train, TrainObserver *observer, void *context);

/** Move theta, in place, to the tolerance, from where it is. On return trajectory, H and the factors in `jacobian` belong to theta.
    K is scratch; another trajectory lives while it runs. Collective. */
PetscErrorCode TrainSolve(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K, ReachResult *result);

/** The result at theta as it is: nothing moves. Collective. */
PetscErrorCode TrainEvaluate(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, ReachResult *result);

/** Is there a zero at theta, as far as Newton's method can tell? *loss: after one more step with the least mu, from a copy of theta; infinity if
    there is none. Near a zero where J has full rank it falls by far (with h of certify.h below 1/2 to a sixteenth, and at once to its floor as
    a rule); where the loss has no zero, and only falls to 0 as theta goes to infinity, or towards another minimum, it does not. K, and what
    TrainSolve takes, 8 bytes x theta more. Collective. */
PetscErrorCode TrainConfirm(Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K, PetscReal *loss);

/** It fell to a sixteenth, or to at most 100 times the floor. Not collective. */
PetscBool ReachConfirmed(const ReachResult *result, PetscReal loss);

/** In words: "reached the tolerance", …. Not collective. */
const char *ReachReasonText(ReachReason reason);

/** Cost (cost.h) of TrainSolve for so many accepted steps, none refused; and of one of them, which runs to its end before a request to stop
    is looked at. Not collective. */
void TrainCost(const Sizes *sizes, PetscReal steps, Cost *cost);
void TrainStepCost(const Sizes *sizes, Cost *cost);
