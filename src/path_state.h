/*
  path_state.h: what a path holds, shared by path.c, which makes it, and path_output.c, which writes it.
*/
#pragma once

#include "codim/path.h"

struct Path_s {
  ResidualMap        map;
  const PathOptions *options;
  Looker             looker;
  Sgd                sgd;
  Tao                tao;
  PetscInt           nfiles;
  OptionString      *files;
  PetscInt           nat; /* steps to look at, ascending */
  PetscInt          *at;

  PetscInt looks, room;
  Look    *look;
  Density *density; /* of each look; NULL if none are asked for */

  /* while it runs; `step`: the next one of sgd, the iterates before this run's, the next file */
  PetscInt   step;
  PetscBool  stopped;
  Vec        theta, H;
  Trajectory trajectory;
  Jacobian   jacobian;
  Tiles      K;
};
