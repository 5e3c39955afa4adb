/*
  train_state.h: what the files train*.c share: Levenberg-Marquardt (train.c), and the problem as other Tao types see it (train_tao.c).
*/
#pragma once

#include "codim/train.h"

typedef struct TaoProblem_s *TaoProblem;

struct Train_s {
  ResidualMap         map;
  const ReachOptions *options;
  LossOptions         loss; /* what other Tao types minimize */
  Tao                 tao;
  TrainObserver      *observer;
  void               *observing;

  /* while TrainSolve runs */
  Vec          theta, H, H_trial, c;
  PetscBool    apart; /* theta is not the job's: it is archived here */
  Trajectory   trajectory, trial;
  Jacobian     jacobian;
  Tiles        K;
  PetscReal    mu, mean; /* mean: trace(K)/m, the scale of mu */
  PetscReal    far;      /* |theta| that counts as diverged */
  PetscInt     before;   /* steps of the runs that this one goes on from */
  PetscBool    stopped;
  TaoProblem   problem;
  ReachResult *result;
};

/* what the next step needs besides theta */
ArchiveFn TrainArchive;

/* The functions another Tao type calls, before its options are read; and what they need, around its solve. `train` owns the latter. */
PetscErrorCode TaoProblemSet(Train train);
PetscErrorCode TaoProblemCreate(Train train);
PetscErrorCode TaoProblemDestroy(TaoProblem *problem);
