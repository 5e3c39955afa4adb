/*
  page_parts.h: what the page of one run and the comparison of several share. Serial.
*/
#pragma once

#include "codim/base.h"
#include <jansson.h>

/* dir/report.json; NULL and a complaint where it cannot be read. A new reference. */
json_t *PageReadReport(const char dir[], Complaint *complaint);

/* dir/certificate.json; NULL where there is none. A new reference. */
json_t *PageReadCertificate(const char dir[]);

/* "holds", "refuted", "undecided" */
const char *PageVerdictWord(const json_t *report);

/* beside PATH; closed, it takes its place */
FILE *PageOpen(const char path[], Complaint *complaint);
void  PageClose(const char path[], FILE *out, Complaint *complaint);

/* HTML: text, a JSON value (reals with six digits, the rest of them on hover), the page's head and foot */
void PagePutText(FILE *out, const char text[]);
void PagePutValue(FILE *out, const json_t *value);
void PagePutHead(FILE *out, const char title[]);
void PagePutFoot(FILE *out);
