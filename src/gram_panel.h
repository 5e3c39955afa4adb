/*
  gram_panel.h: the rows of factors from which a rank makes its parts of K.

  A matrix with a row for each residual (Delta), or for each point that has a residual (A), lies with the owners of the points. A part of K needs the rows of its own
  rows and those of its columns: two ranges. A range that is this rank's own is read where it lies; another comes whole from its owners.
*/
#pragma once

#include "codim/rows.h"
#include "gram_parts.h"

typedef enum { PANEL_RESIDUALS, PANEL_POINTS } PanelOf;

typedef struct {
  PetscInt rank, tag;  /* the other rank; which of the receiver's ranges */
  PetscInt row, count; /* rows: from this one of the owned (sent), to this one of the fetched (received) */
} PanelMessage;

typedef struct Panel_s *Panel;

struct Panel_s {
  Grid          grid;
  PetscInt      nranges; /* two for each part: of its rows, of its columns */
  PetscInt     *start;   /* of each range: its first row among the fetched, or the owned */
  PetscBool    *own;     /* of each range: it is read where it lies */
  PetscInt      fetched; /* rows, all ranges together */
  PetscInt      nsends, nreceives;
  PanelMessage *sends, *receives;
};

/* For one round; parts[]: of all ranks, those of rank p from first[p] to first[p + 1] - 1. Not collective. */
PetscErrorCode PanelCreate(Rows rows, PanelOf of, const PetscInt first[], const Part parts[], Panel *panel);
PetscErrorCode PanelDestroy(Panel *panel);

/* at[]: where each range is, rows of `width` entries; *fetched: what of it came, PetscFree'd by the caller. owned: the rows of the owned
   residuals, or points that have one. Collective. */
PetscErrorCode PanelFetch(Panel panel, PetscInt width, const PetscReal owned[], const PetscReal *at[], PetscReal **fetched);
