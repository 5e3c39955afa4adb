/*
  data.h: the points x_i -> y_i: read, checked, scaled, shared out.

  Rank 0 reads and scales, in one fixed order of operations: the doubles are the same on any number of ranks. They are part of
  the theorem; problem.h5 keeps them. All integer and floating-point types of the files become doubles. Row i of a file is
  point i; further dimensions are flattened row-major. Only the points used are kept, and only they set the scales.
*/
#pragma once

#include "grid.h"
#include "options.h"

/* What -data_scale and -data_target_scale do to the d points used; means are a_1 + sum (a_i - a_1)/d.

              inputs                                              targets, each output by itself
    unit      (x_ij - min_j)/(max_j - min_j)   in [0,1]           2 (y - min)/(max - min) - 1   in [-1,1]
    standard  (x_ij - mean_j)/s                                   (y - mean)/s

    Inputs have one s: the standard deviation of all d p original entries about their one mean (numpy: (X - X.mean(0))/X.std()).
    Each output has its own, of the targets observed. A constant column becomes 0.                                                                      */
typedef enum { SCALE_NONE, SCALE_UNIT, SCALE_STANDARD } DataScale;

/* A target that is NaN (CSV: or an empty cell) was not observed: it makes no residual (rows.h). An input must be finite.
   onehot: the one column of targets holds classes 0 … c; then l = c + 1 and y_io = 1 where o is the class, else 0; target_scale
   comes after. net: y := f_theta0(x), theta0 the weights loaded, or the random start; the file's targets, if it has any, are not read (CSV: the last data.outputs
   columns are left out, 0 of them by default), and l is the net's (DataExpectTargets, DataSetTargets). */
typedef enum { TARGET_VALUE, TARGET_ONEHOT, TARGET_NET } DataTarget;

typedef struct {
  OptionString file;           /* HDF5 (.h5 .hdf5) with /x (d x p), /y (d x l or d), or CSV (.csv): header line, targets last */
  OptionString x, y;           /* NumPy .npy */
  OptionString images, labels; /* IDX, gzipped or not */
  PetscInt     outputs;        /* CSV: how many columns are targets; 0: not given, then 1 */
  PetscInt     points;         /* how many, from the first; 0: all */
  PetscInt     heldout;        /* points after those, on which only the outputs are looked at; scaled as the points are */
  PetscInt     scale;          /* DataScale */
  PetscInt     target;         /* DataTarget */
  PetscInt     target_scale;   /* DataScale */
} DataOptions;

extern const OptionKey DataKeys[];

/* what f(-x) = +-f(x) makes of a point and its opposite: nothing, or a class {x, -x} */
typedef enum { SYMMETRY_NONE, SYMMETRY_EVEN, SYMMETRY_ODD } Symmetry;

/* Points of one class at which the same output was observed; all equal on every rank. */
typedef struct {
  PetscInt classes; /* of x; odd: but for x = 0 */
  PetscInt rows;    /* (class, output) among the observed targets */
  PetscInt pair
      [2]; /* two of one class, i < j; even, odd: with x_i = -x_j != 0; odd: i = j where x_i = 0. The least j, then i; -1: none */
  PetscInt wrong
      [2]; /* likewise i < j of one class with y_i != y_j; odd: y_i != -y_j where x_i = -x_j, and i = j where x_i = 0, y_i != 0 */
} Coincidences;

typedef struct Data_s *Data;

struct Data_s {
  MPI_Comm     comm;
  DataOptions  options;
  PetscInt     points, inputs, outputs; /* d, p, l: known on every rank, as all numbers here */
  PetscInt     missing;                 /* targets that were not observed: m = l d - missing */
  Coincidences equal;                   /* points with equal x; `wrong`: with different y, M is then empty */
  PetscInt     heldout;                 /* points held out */
  PetscReal   *held_x;                  /* rank 0: heldout x p; NULL elsewhere */
  PetscReal   *all_x, *all_y;           /* rank 0: d x p and d x l, row-major, 8 d (p + l) bytes; NULL elsewhere */
  PetscReal   *x, *y;                   /* after DataScatter: this group's points, row-major */
};

/** Read, check and scale. STATUS_DATA on a missing or malformed file, shapes that disagree, NaN or inf (row and column named),
    more points asked for than there are, too little memory; STATUS_USAGE on options that contradict each other. Collective. */
PetscErrorCode DataCreate(MPI_Comm comm, const DataOptions *options, Data *data);

/** Only the sizes: points, inputs, outputs (0 where data.target is net); no inputs are read, and targets only where their classes must be
    counted. Errors as in DataCreate. Collective. */
PetscErrorCode DataCreateShape(MPI_Comm comm, const DataOptions *options, Data *data);

PetscErrorCode DataDestroy(Data *data);

/** The points held out, as data of their own: no target is observed. STATUS_DATA on too little memory. Collective. */
PetscErrorCode DataCreateHeldout(Data data, Data *heldout);

/** Give every rank its group's points: 8 (p + l) bytes a point; on rank 0 they are the first of all_x, all_y, without a copy.
    Again with another grid: the former x, y are gone. STATUS_DATA on too little memory. Collective on the grid's world. */
PetscErrorCode DataScatter(Data data, Grid grid);

/** data.target: net. y is to come: l = outputs, y = 0 until it does. 8 d l bytes on rank 0. Before DataScatter. Collective. */
PetscErrorCode DataExpectTargets(Data data, PetscInt outputs);

/** y := targets, the outputs at this group's points, whole on each of its ranks. STATUS_DATA if one is not finite. Collective. */
PetscErrorCode DataSetTargets(Data data, Grid grid, const PetscReal targets[]);

/** Compared with == after scaling; O(p d log d) time and 32 d bytes on rank 0. What the net gives (data.target: net) is right
    everywhere; before DataExpectTargets it counts as one output. STATUS_DATA on too little memory. Collective. */
PetscErrorCode DataFindCoincidences(Data data, Symmetry symmetry, Coincidences *found);

/** Where y was changed in place: each group's block to its rows of all_y on rank 0; or, where all_y was, back to every group. Collective. */
PetscErrorCode DataGatherTargets(Data data, Grid grid);
PetscErrorCode DataScatterTargets(Data data, Grid grid);

/** Write /x and /y (the doubles used, after scaling) to an HDF5 file, beside it first, then renamed. STATUS_DATA if it cannot be
    written. Collective; rank 0 writes. */
PetscErrorCode DataWriteProblem(Data data, const char path[]);
