/*
  path.h: the way of a training: at chosen steps the Hessian's spectrum (look.h), from the start to M.

    sgd    mini-batch SGD with momentum (sgd.h)
    tao    any of Tao's solvers on the whole L: -path_tao_type lmvm, …
    files  a series of weights from elsewhere: one look at each, in the order of their names (numbers in them count as numbers)

  Levenberg-Marquardt then goes on from where the path ends (train.h), to M; it is looked at after every step.
*/
#pragma once

#include "archive.h"
#include "look.h"
#include "sgd.h"
#include "train.h"

typedef enum { PATH_NONE, PATH_SGD, PATH_TAO, PATH_FILES } PathMethod;

typedef struct {
  PetscInt     method; /* PathMethod */
  PetscInt     steps;
  SgdOptions   sgd;
  OptionString files; /* a glob */
  OptionInts   at;    /* steps to look at; none: 0 and powers up to `steps`, `looks` in all */
  PetscInt     looks;
  LookOptions  look;
} PathOptions;

extern const OptionKey PathKeys[];

typedef struct Path_s *Path;

/** Solvers read their options now; the files are listed, on rank 0: STATUS_DATA if there are none. STATUS_USAGE on a method without what it
    needs. Everything is borrowed. Collective. */
PetscErrorCode PathCreate(ResidualMap map, const PathOptions *options, Path *path);
PetscErrorCode PathDestroy(Path *path);

/** From theta, in place, to the end of the path. On return trajectory, H and the factors in `jacobian` belong to theta. K is scratch. Each step of
    sgd, each iterate and each file is a safe point (checkpoint.h). A path that diverges ends there, with a look. Collective. */
PetscErrorCode PathRun(Path path, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K);

/** Look at every step that `train` takes, while theta, … are what its TrainSolve moves. Not collective. */
void PathFollow(Path path, Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K);

/** The looks so far, and their densities (NULL where none are asked for); owned by path. Not collective. */
void PathLooks(Path path, PetscInt *count, const Look **looks, const Density **densities);

/** The looks to and from a checkpoint. Collective. */
PetscErrorCode PathArchive(Archive archive, Path path);

/** Cost (cost.h); of what runs to its end before a request to stop is looked at. The looks that follow Levenberg-Marquardt are not in it. Not
    collective. */
void PathCost(const Sizes *sizes, const PathOptions *options, Cost *cost, Cost *stretch);

/** For report.json: a new reference. Not collective. */
json_t *PathToJSON(Path path);

/** In a sentence or two: what the looks show. Not collective. */
void PathDescribe(Path path, size_t size, char text[]);

/** prefix.h5, prefix.csv (a look a row), prefix.svg; prefix-density.svg where densities were asked for. Collective. */
PetscErrorCode PathWrite(Path path, const char prefix[], const char title[]);
