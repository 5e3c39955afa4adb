/*
  page.h: finished runs as a page that people read: one HTML file that needs nothing else, no network, no script to be read.

  At the top the verdict and the theorem in words; then the figures of the directory, with values on hover; then every number of report.json,
  stages, memory, options, provenance, and the commands that repeat it. For phones and for print, light and dark.
*/
#pragma once

#include "base.h"

/** dir/report.html from dir/report.json, certificate.json and the figures there (*.svg); where gnuplot is found, also a PDF of each. *path is what
    was written. STATUS_DATA where dir has no readable report.json, or cannot be written. Serial. */
void PageWrite(const char dir[], size_t size, char path[], Complaint *complaint);

/** Several runs side by side, in the file `path`: what differs is marked, and their spectra are drawn together. Serial. */
void PageCompare(PetscInt n, const char *const dirs[], const char path[], Complaint *complaint);
