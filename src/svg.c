/*
  svg.c: see svg.h.
*/
#include "svg.h"
#include <errno.h>
#include <locale.h>
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

static PetscErrorCode WriteBeside(const char path[], SvgDrawFn *draw, const void *context, Complaint *complaint)
{
  char      beside[PETSC_MAX_PATH_LEN + 8];
  FILE     *out;
  PetscBool bad = PETSC_TRUE;

  PetscFunctionBeginUser;
  snprintf(beside, sizeof beside, "%s.tmp", path);
  out = fopen(beside, "w");
  if (out) {
    const locale_t C = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = uselocale(C); /* a decimal point is a point */

    PetscCall(draw(out, context));
    uselocale(before);
    freelocale(C);
    bad = (PetscBool)(ferror(out) != 0);
    bad = (PetscBool)(fclose(out) != 0 || bad || rename(beside, path) != 0);
  }
  if (bad) {
    Complain(complaint, STATUS_DATA, "%s: the figure cannot be written: %s. Choose another `output`, or make room there", path,
             strerror(errno));
    if (out) remove(beside);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode SvgWriteFile(MPI_Comm comm, const char path[], SvgDrawFn *draw, const void *context)
{
  Complaint   complaint = {.status = STATUS_HOLDS};
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(WriteBeside(path, draw, context, &complaint));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}
