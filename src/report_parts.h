/*
  report_parts.h: what report.json and the summary both say.
*/
#pragma once

#include "codim/report.h"

extern const char *const VerdictBasisNames[]; /* by VerdictBasis; NULL for none */

/* positive, zero, negative: counts at the zero next to the stored weights, proved or numerical; -1: not established */
void ReportSignature(const Report *r, PetscInt64 *positive, PetscInt64 *zero, PetscInt64 *negative);

/* bytes: the largest rank's high-water mark over all stages; 0 where the system does not tell */
PetscReal ReportPeakMemory(void);
