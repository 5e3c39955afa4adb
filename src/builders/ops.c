/*
  ops.c: the list that was given.
*/
#include "builders.h"

json_t *NetBuild_ops(const NetRequest *request, Complaint *complaint)
{
  (void)complaint;
  return json_incref(request->given);
}
