/*
  svg.c: see svg.h.
*/
#include "svg.h"
#include "file.h"
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

void SvgPutEscaped(FILE *out, const char text[])
{
  for (const char *c = text; *c; c++) {
    if (*c == '&')
      fputs("&amp;", out);
    else if (*c == '<')
      fputs("&lt;", out);
    else if (*c == '>')
      fputs("&gt;", out);
    else if ((unsigned char)*c >= 0x20)
      fputc(*c, out);
  }
}

PetscReal SvgGlyphs(const char text[])
{
  PetscInt count = 0;

  for (const char *c = text; *c; c++) count += ((unsigned char)*c & 0xC0) != 0x80;
  return (PetscReal)count;
}

void SvgPutPower(FILE *out, PetscInt power)
{
  if (power == 0 || power == 1)
    fputs(power ? "10" : "1", out);
  else
    fprintf(out, "10<tspan class=\"up\" dy=\"-.45em\">%s%" PetscInt_FMT "</tspan>", power < 0 ? "−" : "", PetscAbsInt(power));
}

/* in memory first */
PetscErrorCode SvgWrite(const char path[], SvgDrawFn *draw, const void *context, Complaint *complaint)
{
  const locale_t C = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = uselocale(C); /* a decimal point is a point */
  char          *text = NULL;
  size_t         size = 0;
  FILE          *out  = open_memstream(&text, &size);
  int            reason;

  PetscFunctionBeginUser;
  PetscCheck(out, PETSC_COMM_SELF, PETSC_ERR_MEM, "open_memstream: %s", strerror(errno));
  PetscCall(draw(out, context));
  reason = fclose(out) ? errno : FileWrite(path, text, size);
  if (reason) FileComplain(complaint, path, reason);
  free(text);
  uselocale(before);
  freelocale(C);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SvgWriteFile(MPI_Comm comm, const char path[], SvgDrawFn *draw, const void *context)
{
  Complaint   complaint = {.status = STATUS_HOLDS};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(SvgWrite(path, draw, context, &complaint));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
