/*
  resnet.c: z_0 = stem x,  z_(k+1) = z_k + sigma(blocks.k z_k),  f = head z.
*/
#include "builders.h"

json_t *NetBuild_resnet(const NetRequest *request, Complaint *complaint)
{
  const NetOptions *options = request->options;
  json_t           *file    = NetFileCreate(request->inputs);
  const PetscInt    width   = options->width;
  const PetscInt    stem[]  = {width, request->inputs};
  const PetscInt    block[] = {width, width};
  const PetscInt    head[]  = {request->outputs, width};
  NetName           z       = "stem", name, branch;

  (void)complaint;
  NetFileAddLinear(file, "stem", "input", 2, stem, options->bias);
  for (PetscInt k = 0; k < options->blocks; k++) {
    (void)PetscSNPrintf(name, sizeof(name), "blocks.%" PetscInt_FMT, k);
    NetFileAddLinear(file, name, z, 2, block, options->bias);
    NetFileAddActivation(file, name, options->activation, name, branch);
    (void)PetscSNPrintf(name, sizeof(name), "blocks.%" PetscInt_FMT ".sum", k);
    NetFileAdd(file, name, "add", json_pack("[s, s]", z, branch), NULL, NULL);
    (void)PetscStrncpy(z, name, sizeof(z));
  }
  NetFileAddLinear(file, "head", z, 2, head, options->bias);
  return file;
}
