/*
  data.h: the points x_i -> y_i: read, checked, scaled, shared out.

  Rank 0 reads and scales, in one fixed order of operations: the doubles are the same on any number of ranks. They are part of
  the theorem; problem.h5 keeps them.
*/
#pragma once

#include "grid.h"
#include "options.h"

typedef struct {
  OptionString file;           /* HDF5 with /x (d x p), /y (d x l), or CSV: header line, targets last */
  OptionString x, y;           /* NumPy .npy */
  OptionString images, labels; /* IDX, gzipped or not */
  PetscInt     outputs;        /* CSV: how many columns are targets */
  PetscInt     points;         /* how many, from the first; 0: all */
  PetscInt     scale;          /* none unit standard */
  PetscInt     target;         /* value onehot net */
  PetscInt     target_scale;   /* none unit standard */
} DataOptions;

extern const OptionKey DataKeys[];

typedef struct Data_s *Data;

struct Data_s {
  MPI_Comm   comm;
  PetscInt   points, inputs, outputs; /* d, p, l: known on every rank */
  PetscInt   distinct;                /* number of distinct x, compared with == after scaling */
  PetscInt   twins[2];                /* the first two points with equal x, or -1 */
  PetscInt   contradiction[2];        /* the first two points with equal x and different y (M is then empty), or -1 */
  PetscReal *all_x, *all_y;           /* rank 0: d x p and d x l, row-major; NULL elsewhere */
  PetscReal *x, *y;                   /* after DataScatter: this group's points, row-major */
};

/** Read, check and scale. STATUS_DATA on a missing or malformed file, shapes that disagree, NaN or inf (row and column named),
    more points asked for than there are; STATUS_USAGE on options that contradict each other. Collective. */
PetscErrorCode DataCreate(MPI_Comm comm, const DataOptions *options, Data *data);
PetscErrorCode DataDestroy(Data *data);

/** Give every rank its group's points. Collective. */
PetscErrorCode DataScatter(Data data, Grid grid);

/** Write /x and /y (the doubles used, after scaling) to an HDF5 file, beside it first, then renamed. STATUS_DATA if it cannot be
    written. Collective; rank 0 writes. */
PetscErrorCode DataWriteProblem(Data data, const char path[]);
