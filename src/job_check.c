/*
  job_check.c: codim check: a finished run's certificate, proved again from its files.
*/
#include "job_state.h"

PetscErrorCode JobCreateCheck(const char dir[], Job *job)
{
  OptionString certificate, weights, problem, net, arch = "";
  PetscBool    graph, ops, exact_targets;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(certificate, sizeof(certificate), "%s/certificate.json", dir));
  PetscCall(PetscSNPrintf(weights, sizeof(weights), "%s/weights.safetensors", dir));
  PetscCall(PetscSNPrintf(problem, sizeof(problem), "%s/problem.h5", dir));
  PetscCall(CertifyReadSubject(certificate, weights, problem, &exact_targets));
  PetscCall(PetscSNPrintf(net, sizeof(net), "%s/net.json", dir));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-net_arch", arch, sizeof(arch), NULL));
  PetscCall(PetscStrcmp(arch, "graph", &graph));
  PetscCall(PetscStrcmp(arch, "ops", &ops));
  if (graph || ops) { /* the file it was made from may be gone; its list of ops is here */
    PetscCall(PetscOptionsSetValue(NULL, "-net_arch", "ops"));
    PetscCall(PetscOptionsSetValue(NULL, "-net_file", net));
  }
  PetscCall(PetscOptionsSetValue(NULL, "-data_file", problem));
  if (exact_targets) PetscCall(PetscOptionsSetValue(NULL, "-data_target", "net"));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_method", "load"));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_weights", weights));
  PetscCall(PetscOptionsSetValue(NULL, "-reach_polish", "false"));
  PetscCall(PetscOptionsSetValue(NULL, "-output", dir));
  PetscCall(JobMake(dir, PETSC_FALSE, job)); /* nothing is written */
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCheck(Job job, ExitStatus *status)
{
  OptionString path;
  char         text[1024];
  PetscBool    agrees;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/certificate.json", job->run.output));
  PetscCall(StageBegin(job->comm, "check"));
  if (!job->refutation.contradiction) {
    PetscCall(JobBegin(job));
    PetscCall(JobReach(job));
  }
  PetscCall(JobCertify(job));
  PetscCall(StageEnd(job->comm));
  CertifyTheorem(&job->certificate, sizeof(text), text);
  PetscCall(PetscPrintf(job->comm, "%s\n", text));
  PetscCall(CertifyCompare(path, &job->certificate, &agrees, sizeof(text), text));
  PetscCall(UserCheck(job->comm, agrees, STATUS_DATA, "%s: %s", path, text));
  PetscCall(PetscPrintf(job->comm, "%s: %s\n", path, text));
  *status = job->certificate.status == CERTIFY_PROVED    ? STATUS_HOLDS
            : job->certificate.status == CERTIFY_REFUTED ? STATUS_REFUTED
                                                         : STATUS_UNDECIDED;
  PetscFunctionReturn(PETSC_SUCCESS);
}
