/*
  table.c: see table.h.
*/
#include "codim/table.h"
#include "file.h"
#include <errno.h>
#include <hdf5.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* quoted where it must be */
static void PutText(FILE *out, const char text[])
{
  if (!text[strcspn(text, ",\"\r\n")]) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (const char *c = text; *c; c++) fprintf(out, *c == '"' ? "\"\"" : "%c", *c);
  fputc('"', out);
}

static void PutRows(FILE *out, PetscInt rows, const TableField fields[])
{
  for (const TableField *field = fields; field->name; field++) fprintf(out, "%s%s", field == fields ? "" : ",", field->name);
  fputc('\n', out);
  for (PetscInt row = 0; row < rows; row++) {
    for (const TableField *field = fields; field->name; field++) {
      if (field != fields) fputc(',', out);
      if (field->texts)
        PutText(out, field->texts[row]);
      else if (isfinite(field->values[row]))
        fprintf(out, "%.17g", (double)field->values[row]);
    }
    fputc('\n', out);
  }
}

/* in memory first */
void TableWriteFields(const char path[], PetscInt rows, const TableField fields[], Complaint *complaint)
{
  const locale_t C = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0), before = uselocale(C);
  char          *text   = NULL;
  size_t         size   = 0;
  FILE          *out    = open_memstream(&text, &size);
  int            reason = out ? 0 : errno;

  if (out) PutRows(out, rows, fields);
  if (out) reason = fclose(out) ? errno : FileWrite(path, text, size);
  if (reason) FileComplain(complaint, path, reason);
  free(text);
  uselocale(before);
  freelocale(C);
}

PetscErrorCode TableWriteCSV(MPI_Comm comm, const char path[], PetscInt rows, const TableColumn columns[])
{
  Complaint   complaint = {.status = STATUS_HOLDS};
  TableField *fields;
  PetscInt    count = 0;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  while (columns[count].name) count++;
  PetscCall(PetscCalloc1(count + 1, &fields));
  for (PetscInt i = 0; i < count; i++) fields[i] = (TableField){columns[i].name, columns[i].values, NULL};
  if (rank == 0) TableWriteFields(path, rows, fields, &complaint);
  PetscCall(PetscFree(fields));
  PetscCall(ComplaintRaise(comm, &complaint));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- HDF5 ------------------------------------------------------------------------------------------------------------------- */

enum { GROWTH = 1 << 20 }; /* bytes, of the file in memory */

/* the record's type; its texts are pointers in memory and of variable length in the file */
static hid_t RecordType(const TableField fields[], hid_t text, size_t *size)
{
  hid_t  type;
  size_t offset = 0;

  *size = 0;
  for (const TableField *field = fields; field->name; field++) *size += sizeof(double);
  type = H5Tcreate(H5T_COMPOUND, *size);
  for (const TableField *field = fields; field->name; field++, offset += sizeof(double))
    (void)H5Tinsert(type, field->name, offset, field->texts ? text : H5T_NATIVE_DOUBLE);
  return type;
}

static herr_t PutTable(hid_t file, const char name[], PetscInt rows, const TableField fields[])
{
  const hsize_t count = (hsize_t)rows;
  const hid_t   text = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &count, NULL);
  size_t        size;
  hid_t         type, dataset;
  char         *records;
  herr_t        error = -1;

  (void)H5Tset_size(text, H5T_VARIABLE);
  (void)H5Tset_cset(text, H5T_CSET_UTF8);
  type    = RecordType(fields, text, &size);
  dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  records = malloc((size_t)rows * size + 1);
  for (PetscInt row = 0; records && row < rows; row++) {
    char *at = records + (size_t)row * size;

    for (const TableField *field = fields; field->name; field++, at += sizeof(double)) {
      if (field->texts)
        memcpy(at, &field->texts[row], sizeof(void *));
      else
        memcpy(at, &(double){(double)field->values[row]}, sizeof(double));
    }
  }
  if (dataset >= 0 && records) error = rows ? H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, records) : 0;
  free(records);
  if (dataset >= 0) (void)H5Dclose(dataset);
  (void)H5Tclose(type);
  (void)H5Sclose(space);
  (void)H5Tclose(text);
  return error;
}

void TableWriteHDF5(const char path[], const char name[], PetscInt rows, const TableField fields[], Complaint *complaint)
{
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  hid_t       file;
  ssize_t     size  = -1;
  void       *image = NULL;
  int         reason;

  (void)H5Pset_fapl_core(access, GROWTH, 0); /* 0: memory only */
  file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  if (file >= 0 && PutTable(file, name, rows, fields) >= 0 && H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0)
    size = H5Fget_file_image(file, NULL, 0);
  if (size > 0) image = malloc((size_t)size);
  reason = image && H5Fget_file_image(file, image, (size_t)size) == size ? FileWrite(path, image, (size_t)size) : ENOMEM;
  if (reason) FileComplain(complaint, path, reason);
  free(image);
  if (file >= 0) (void)H5Fclose(file);
  (void)H5Pclose(access);
}
