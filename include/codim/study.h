/*
  study.h: codim study: many runs of one job, as a table and figures.

  A study file names a job file and what varies:

    study:                       # all but job may be left out
      job: jobs/digits.yaml
      output: results/map        # results/STUDYNAME
      repeat: 3                  # each point so often
      ranks: 2                   # of every point; or nodes and ranks_on_a_node; threads
      at_once: 4                 # points at the same time: 1 here, as many as Slurm lets in an array
      sbatch: --time=30 -p short # what else sbatch is told
      plan: true                 # beside each point codim plan's prediction, and the bytes that were received (traffic.so)
    set:                         # keys of every point, over the job file's
      hessian: {extreme: 0, zeros: 0}
    grid:                        # every combination, the last key varying fastest; 1..5 are five values, [[8, 8], [16, 16]] two lists
      net: {seed: 1..5}
      data: {points: [10, 20]}
    together:                    # these vary as one
      net: {widths: [[8, 8], [16, 16]]}
      ranks: [1, 2]
    figures:                     # x, y, by: columns of the table
      - {name: time, kind: lines, x: data_points, y: seconds, by: net_widths, log: xy}
      - {name: map, kind: map, x: net_widths, y: data_points, value: full_rank}
      - {name: scaling, kind: scaling, x: ranks}

  Any job key, PETSc option, ranks, nodes, ranks_on_a_node and threads may vary. A point is a directory OUTPUT/NUMBER with a job.yaml of its own,
  complete, so that `codim run` of it is that point again; beside it are the run's results and its log. The number stays as long as its job.yaml
  is the same: a grid that grows keeps what is done, and one that shrinks keeps it on the disk. Data files that change are not noticed.

    codim study STUDY.yaml             run on this machine what has no verdict yet, then collect; a signal stops it as it stops a run
    codim study STUDY.yaml -submit     the same as arrays of slurm/codim.sbatch, and a job that collects when they have ended
    codim study STUDY.yaml -collect    only the table and the figures, of what there is

  -only failed and -only 3,7-9 choose points and run them anew; -output and -at_once are the file's; other options are as if in `set`. A failed
  point is a row of the table with its reason, and is marked in figures; it is not run again unless chosen. OUTPUT/table.csv and table.h5 (/points) have
  a row a point: its keys, state, seconds, full_rank (rank J = m at a zero; empty where none was found), proved, and every number and word of
  report.json as object.key.

  Why a driver and not one MPI job: a point may die of its memory, its time or a node without taking others with it; points have their own numbers of ranks;
  MPI_Comm_spawn does not work under srun (Slurm 22.05). Its children are `mpiexec -n RANKS codim run` (MPIEXEC, CODIM_LAUNCH: another launcher), and a
  process that has called MPI_Init hands its children variables that make mpiexec take them for parts of its own job. So it runs before MPI_Init, on one
  process, and uses neither MPI nor PETSc objects: it works on login nodes where MPI does not start.
*/
#pragma once

#include "base.h"

/** argv: codim study STUDY.yaml …. Returns the exit status: 0 every point has a verdict, whatever it is (-submit, -collect: it was done), STATUS_DATA some
    failed, STATUS_STOPPED some are still to come, STATUS_USAGE. Not collective: one process, before MPI_Init. */
ExitStatus StudyRun(int argc, char *const argv[]);
