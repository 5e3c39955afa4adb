/*
  calibrate.h: how fast a machine does what costs are counted in (cost.h).
*/
#pragma once

#include "cost.h"
#include "machine.h"

typedef struct {
  char      machine[MACHINE_NAME]; /* MachineName */
  PetscInt  ranks;
  PetscReal rate[WORK_KINDS]; /* units of work a second, of one rank with one thread while all ranks do the same */
  PetscReal latency;          /* seconds of a call of MPI */
  PetscReal bandwidth;        /* bytes a second that a rank receives */
  PetscInt  runs;             /* whole jobs that were measured against their plans by these rates; codim calibrate measures none */
  PetscReal factor;           /* the largest of planned over measured seconds, or measured over planned */
} Calibration;

/** Measure it, on all ranks at once: some seconds. Meant for one rank a core, one thread each. Collective. */
PetscErrorCode CalibrationMeasure(MPI_Comm comm, Calibration *calibration);

/** As JSON. STATUS_DATA if it cannot be written. Collective. */
PetscErrorCode CalibrationWrite(MPI_Comm comm, const char path[], const Calibration *calibration);

/** *found false: there is no such file. STATUS_DATA if it is not a calibration. Collective. */
PetscErrorCode CalibrationRead(MPI_Comm comm, const char path[], Calibration *calibration, PetscBool *found);

/** Seconds that a cost takes a rank with so many threads, which share all but files and their hashes. Not collective. */
PetscReal CalibrationSeconds(const Calibration *calibration, const Cost *cost, PetscInt threads);
