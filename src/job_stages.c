/*
  job_stages.c: the stages of a job, in their order at the end of the file.
*/
#include "job_state.h"

/* the memory every stage needs, checked before it is taken */
static PetscErrorCode Allocate(Job job)
{
  PetscReal needed;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(job->comm, job->map->m, &job->K));
  job->plan                    = MemoryPredict(job->map, &job->hessian_options, job->K);
  needed                       = job->plan.base + job->plan.reach;
  job->report.memory_predicted = needed;
  PetscCall(UserCheck(job->comm, (PetscBool)(needed <= job->available), STATUS_DATA,
                      "the job needs %.2f GB a rank and %.2f GB are available: use more nodes, or fewer ranks on each",
                      (double)needed / 1e9, (double)job->available / 1e9));
  PetscCall(ParametersCreateVec(job->parameters, &job->theta));
  PetscCall(RowsCreateVec(job->map->rows, &job->H));
  PetscCall(TrajectoryCreate(job->map, &job->trajectory));
  PetscCall(JacobianCreate(job->map, &job->jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y := f_theta at the weights loaded */
static PetscErrorCode TakeTargets(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(WeightsRead(job->parameters, job->reach.weights, job->theta));
  PetscCall(ResidualMapApply(job->map, job->theta, job->trajectory, job->H));
  PetscCall(DataSetTargets(job->data, job->grid, job->trajectory->value[job->network->nops - 1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobBegin(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(Allocate(job));
  if (job->data_options.target == TARGET_NET) PetscCall(TakeTargets(job));
  if (job->construct) {
    PetscCall(ConstructSolve(job->construct, job->theta, job->trajectory, job->H, job->jacobian, &job->constructed));
    job->report.constructed = &job->constructed;
  } else if (job->reach.method == REACH_LOAD)
    PetscCall(WeightsRead(job->parameters, job->reach.weights, job->theta));
  else
    PetscCall(NetworkSetInitial(job->network, &job->net_options, job->parameters, job->theta));
  if (job->reach.method != REACH_TRAIN && job->reach.polish) {
    PetscCall(VecDuplicate(job->theta, &job->theta_0));
    PetscCall(VecCopy(job->theta, job->theta_0));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at weights as they were loaded: their own certificate */
static PetscErrorCode CertifyStart(Job job)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &job->start));
  job->report.start = &job->start;
  if (!job->run.certify || job->start.reason == REACH_DIVERGED) PetscFunctionReturn(PETSC_SUCCESS);
  options.enclose = PETSC_FALSE;
  PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->start_certificate));
  job->report.start_certificate = &job->start_certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* how far polishing moved theta */
static PetscErrorCode Moved(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(VecAXPY(job->theta_0, -1, job->theta));
  PetscCall(VecNorm(job->theta_0, NORM_2, &job->report.moved));
  PetscCall(VecDestroy(&job->theta_0));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobReach(Job job)
{
  Report         *r     = &job->report;
  const PetscBool load  = (PetscBool)(job->reach.method == REACH_LOAD);
  const PetscBool moves = (PetscBool)(job->reach.method == REACH_TRAIN || job->reach.polish);

  PetscFunctionBeginUser;
  if (load && moves && !r->start) PetscCall(CertifyStart(job));
  if (moves)
    PetscCall(TrainSolve(job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K, &r->reach));
  else
    PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &r->reach));
  if (job->theta_0) PetscCall(Moved(job));
  r->reached = PETSC_TRUE;
  r->at_zero = (PetscBool)(r->reach.reason == REACH_TOLERANCE || r->reach.reason == REACH_FLOOR);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobFactor(Job job)
{
  PetscFunctionBeginUser;
  if (job->factor_missing) {
    PetscCall(GramCompute(job->jacobian, job->K));
    PetscCall(TilesCholesky(job->K, &job->factored));
  }
  job->factor_missing = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunSpectrum(Job job)
{
  PetscFunctionBeginUser;
  if (job->report.reach.reason == REACH_DIVERGED) {
    PetscCall(PetscStrncpy(job->report.skipped[SKIPPED_SPECTRUM], "theta is not finite", sizeof(job->report.skipped[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(SpectrumCompute(job->jacobian, &job->spectrum_options, job->K, &job->factored, &job->spectrum));
  job->report.spectrum = &job->spectrum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobLinearizeHessian(Job job)
{
  PetscFunctionBeginUser;
  if (job->hessian) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HessianCreate(job->map, &job->hessian));
  PetscCall(HessianLinearize(job->hessian, job->theta, job->trajectory, job->H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the size of the zero eigenvalues as measured: on the kernel and in the pairs found, and what rounding of an exact product leaves */
static PetscReal ZeroBound(const ExtremesResult *e, PetscReal lambda_max)
{
  PetscReal size = 0;

  for (PetscInt i = 0; i < e->kernel.found; i++) size = PetscMax(size, PetscAbsReal(e->kernel.value[i]) + e->kernel.residual[i]);
  for (PetscInt i = 0; i < e->zeros.found; i++) size = PetscMax(size, PetscAbsReal(e->zeros.value[i]) + e->zeros.residual[i]);
  return size + 100 * PETSC_MACHINE_EPSILON * lambda_max;
}

static PetscErrorCode RunExtremes(Job job)
{
  Report         *r          = &job->report;
  const PetscReal needed     = job->plan.base + job->plan.extremes;
  PetscReal       lambda_max = 0;

  PetscFunctionBeginUser;
  if (!r->spectrum || !(job->hessian_options.extreme || job->hessian_options.zeros)) PetscFunctionReturn(PETSC_SUCCESS);
  if (needed > job->available) {
    PetscCall(PetscSNPrintf(r->skipped[SKIPPED_EXTREMES], sizeof(r->skipped[0]), "needs %.1f GB a rank, %.1f GB are available",
                            (double)needed / 1e9, (double)job->available / 1e9));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  r->memory_predicted = PetscMax(r->memory_predicted, needed);
  SpectrumHessian(&job->spectrum, 1, &lambda_max);
  PetscCall(JobFactor(job));
  PetscCall(JobLinearizeHessian(job));
  PetscCall(ExtremesSolve(job->extremes, job->hessian, job->jacobian, job->factored && job->spectrum.rank == r->m ? job->K : NULL,
                          lambda_max, &job->extremes_result));
  r->extremes   = &job->extremes_result;
  r->zero_bound = ZeroBound(&job->extremes_result, lambda_max);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunFull(Job job)
{
  Report         *r      = &job->report;
  const PetscReal needed = job->plan.base + job->plan.extremes + FullHessianBytes(job->map->n, job->grid->size);

  PetscFunctionBeginUser;
  if (!job->hessian_options.full || !r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  if (needed > job->available) {
    PetscCall(PetscSNPrintf(r->skipped[SKIPPED_FULL], sizeof(r->skipped[0]), "needs %.1f GB a rank, %.1f GB are available",
                            (double)needed / 1e9, (double)job->available / 1e9));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(JobLinearizeHessian(job));
  PetscCall(FullHessianCompute(job->hessian, &job->full));
  r->full = &job->full;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at a zero they refute the claim; elsewhere they may be why there is none */
static PetscErrorCode FindDeadUnits(Job job)
{
  Report   *r = &job->report;
  DeadUnits dead;

  PetscFunctionBeginUser;
  PetscCall(RefuteDeadUnits(job->data, job->map, job->theta, job->trajectory, &dead));
  if (dead.rank_bound >= r->m) PetscFunctionReturn(PETSC_SUCCESS);
  if (r->at_zero)
    PetscCall(CertifyRefuteNear(job->map, &dead, &job->certificate));
  else
    PetscCall(PetscStrncpy(r->dead, dead.why, sizeof(r->dead)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCertify(Job job)
{
  Report         *r       = &job->report;
  CertifyOptions  options = CertifyDefaults;
  const PetscReal needed  = job->plan.base + job->plan.certify;

  PetscFunctionBeginUser;
  if (r->certificate) PetscFunctionReturn(PETSC_SUCCESS); /* refuted by exact means */
  r->certificate = &job->certificate;
  if (!job->run.certify)
    CertifySkip("not asked for", &job->certificate);
  else if (r->reach.reason == REACH_DIVERGED)
    CertifySkip("theta is not finite", &job->certificate);
  else if (needed > job->available)
    CertifySkip("too little memory for the matrices of its size", &job->certificate);
  else
    PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->certificate));
  if (job->certificate.status == CERTIFY_PROVED)
    r->zero_bound = job->certificate.zero_bound;
  else if (job->run.certify && r->reach.reason != REACH_DIVERGED)
    PetscCall(FindDeadUnits(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* what floating point alone would call a zero */
static PetscErrorCode RunConfirm(Job job)
{
  Report *r = &job->report;

  PetscFunctionBeginUser;
  if (!r->at_zero || !r->spectrum || r->spectrum->rank < r->m || r->certificate->status == CERTIFY_PROVED)
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(
      TrainConfirm(job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K, &r->reach, &r->next_loss, &r->at_zero));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* clang-format off */
const JobStage JobStages[] = {
    {"reach",    JobReach,       JobReachArchive,    "net_ reach_ tao_",
     "after every step"},
    {"spectrum", RunSpectrum,    JobSpectrumArchive, "spectrum_ svd_",
     "qr: after every block of rows; the eigenvalues of K, and svd, in one piece"},
    {"extremes", RunExtremes,    JobExtremesArchive, "hessian_extreme hessian_zeros largest_ smallest_ zeros_ kernel_",
     "at every restart of a solver"},
    {"full",     RunFull,        JobFullArchive,     "hessian_full",
     "after every product, but it begins anew; its eigenvalues in one piece"},
    {"density",  JobDensity,     JobDensityArchive,  "hessian_density",
     "after every probe"},
    {"certify",  JobCertify,     JobCertifyArchive,  "certify",
     "in one piece"}, /* after the solvers that use K's factor */
    {"confirm",  RunConfirm,     JobConfirmArchive,  "",
     "in one piece"},
    {"walk",     JobWalk,        JobWalkArchive,     "walk_",
     "after every step"},
    {"output",   JobWriteOutput, NULL,               "",
     "in one piece"},
    {NULL,       NULL,           NULL,               NULL, NULL}
};
/* clang-format on */
