/*
  panel.h: the rows of a point-major matrix that this rank's tiles need.

  A matrix X with a row for each residual, or for each point, lies with the owners of the points. The tiles of process row I need the
  rows of X that belong to I, those of process column J the rows of J, in the order of the tiles.
*/
#pragma once

#include "codim/rows.h"
#include "codim/tiles.h"

typedef enum { PANEL_ROWS, PANEL_COLS } PanelSide;
typedef enum { PANEL_RESIDUALS, PANEL_POINTS } PanelOf;

typedef struct Panel_s *Panel;

struct Panel_s {
  Grid         grid;
  PetscBool    whole;        /* every process needs every row */
  PetscInt     count;        /* rows of X here; 0 on ranks without tiles */
  PetscInt    *index;        /* which rows of X they are, ascending */
  PetscInt    *position;     /* of each local row (column) of the tiles: which of the `count` rows belongs to it */
  PetscInt     nsend, *send; /* owned rows to send, by receiver; numbered from the first owned row */
  PetscMPIInt *sendcounts, *sendstarts, *counts, *starts;
};

/* Collective. */
PetscErrorCode PanelCreate(Rows rows, Tiles tiles, PanelOf of, PanelSide side, Panel *panel);
PetscErrorCode PanelDestroy(Panel *panel);

/* rows: count x width, row-major. `owned`: the rows of the owned points, width entries each. Collective. */
PetscErrorCode PanelFetch(Panel panel, PetscInt width, const PetscReal owned[], PetscReal rows[]);
