/*
  job_stages.c: the stages of a job, in their order at the end of the file.
*/
#include "job_state.h"

/* ---- reach ---------------------------------------------------------------------------------------------------------------------- */

/* what is held from here to the end, and what the stages need on top of it, checked before it is taken */
static PetscErrorCode Allocate(Job job)
{
  const Plan *plan = &job->plan;

  PetscFunctionBeginUser;
  job->report.memory_predicted = plan->needed;
  PetscCall(PlanRaise(job->comm, &job->plan_job, plan));
  PetscCall(TilesCreate(job->comm, job->map->m, &job->K));
  PetscCall(ParametersCreateVec(job->parameters, &job->theta));
  PetscCall(RowsCreateVec(job->map->rows, &job->H));
  PetscCall(TrajectoryCreate(job->map, &job->trajectory));
  PetscCall(JacobianCreate(job->map, &job->jacobian));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscBool JobStageFits(Job job, const char name[], size_t size, char reason[])
{
  const PlanStage *stage = PlanFindStage(&job->plan, name);

  if (!stage->reason[0]) return PETSC_TRUE;
  if (reason) (void)PetscStrncpy(reason, stage->reason, size);
  return PETSC_FALSE;
}

/* y := f_theta at the weights that are there */
static PetscErrorCode TakeTargets(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(job->map, job->theta, job->trajectory, job->H));
  PetscCall(DataSetTargets(job->data, job->grid, job->trajectory->value[job->network->nops - 1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobBegin(Job job)
{
  PetscFunctionBeginUser;
  PetscCall(Allocate(job));
  if (job->construct) {
    PetscCall(ConstructSolve(job->construct, job->theta, job->trajectory, job->H, job->jacobian, &job->constructed));
    job->report.constructed = &job->constructed;
  } else if (job->reach.method == REACH_LOAD)
    PetscCall(WeightsRead(job->parameters, job->reach.weights, job->theta));
  else
    PetscCall(NetworkSetInitial(job->network, &job->net_options, job->parameters, job->theta));
  if (job->data_options.target == TARGET_NET) PetscCall(TakeTargets(job));
  if (job->reach.method != REACH_TRAIN && job->reach.polish) {
    PetscCall(VecDuplicate(job->theta, &job->theta_0));
    PetscCall(VecCopy(job->theta, job->theta_0));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* weights as they were loaded, if they are going to be moved: the Hessian there, and their own certificate */
static PetscErrorCode RunStart(Job job)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  if (job->reach.method != REACH_LOAD || !job->theta_0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &job->start_reach));
  job->report.start_reach = &job->start_reach;
  job->report.start       = job->start;
  if (job->start_reach.reason == REACH_DIVERGED || !JobStageFits(job, "loaded", sizeof(job->start->skipped), job->start->skipped))
    PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(StartLook(job->start, job->jacobian, job->H, job->K));
  if (!job->run.certify) PetscFunctionReturn(PETSC_SUCCESS);
  options.enclose       = PETSC_FALSE;
  options.exact_targets = (PetscBool)(job->data_options.target == TARGET_NET);
  PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->start_certificate));
  job->report.start_certificate = &job->start_certificate;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PlanStart(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  CertifyOptions quick = CertifyDefaults;

  stage->wanted = (PetscBool)(job->reach->method == REACH_LOAD && job->reach->polish);
  if (!stage->wanted) return;
  quick.enclose = PETSC_FALSE;
  if (job->hessian->full) FullHessianLimit(s, sizeof(stage->reason), stage->reason);
  StartCost(s, job->hessian, &stage->cost);
  if (job->certify) CertifyCost(s, &quick, &stage->cost);
  CostHold(&stage->cost, 8 * s->local); /* theta_0 */
  CostLonger(&stage->longest, &stage->cost);
}

PetscErrorCode JobReach(Job job)
{
  Report         *r     = &job->report;
  const PetscBool moves = (PetscBool)(job->reach.method == REACH_TRAIN || job->reach.polish);

  PetscFunctionBeginUser;
  if (moves)
    PetscCall(TrainSolve(job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K, &r->reach));
  else
    PetscCall(TrainEvaluate(job->train, job->theta, job->trajectory, job->H, job->jacobian, &r->reach));
  if (job->theta_0) PetscCall(StartMove(job->start, job->heldout, job->theta_0, job->theta));
  PetscCall(VecDestroy(&job->theta_0));
  r->moved = job->start->movement.moved;
  if (r->start) StartDescribe(r->start, job->start_reach.start_loss, sizeof(r->lines[0]), r->lines[LINE_START]);
  PetscCall(LossSum(job->loss_options.power, job->H, &r->loss_sum));
  r->reached = PETSC_TRUE;
  r->at_zero = (PetscBool)(r->reach.reason == REACH_TOLERANCE || r->reach.reason == REACH_FLOOR);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PlanReach(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  const PetscBool load  = (PetscBool)(job->reach->method == REACH_LOAD);
  const PetscBool given = (PetscBool)(job->reach->method != REACH_TRAIN);

  stage->wanted = PETSC_TRUE;
  stage->cost.work[WORK_NORMALS] += load ? 0 : s->local;
  if (job->reach->method == REACH_CONSTRUCT) ConstructCost(s, &stage->cost);
  TrainCost(s, job->at_zero || (given && !job->reach->polish) ? 0 : job->steps, &stage->cost);
  if (given && job->reach->polish) CostHold(&stage->cost, 8 * s->local); /* theta_0 */
  if (!job->at_zero) TrainStepCost(s, &stage->longest);
}

/* ---- spectra -------------------------------------------------------------------------------------------------------------------- */

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

PetscErrorCode JobSpectrum(Job job)
{
  PetscFunctionBeginUser;
  if (job->report.reach.reason == REACH_DIVERGED) {
    PetscCall(PetscStrncpy(job->report.skipped[SKIPPED_SPECTRUM], "theta is not finite", sizeof(job->report.skipped[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  job->spectrum_options.vectors = (PetscBool)(job->plan.keeps && !job->report.certificate);
  PetscCall(SpectrumCompute(job->jacobian, &job->spectrum_options, job->K, &job->factored, &job->spectrum));
  job->shifted         = (PetscBool)(job->spectrum.counted && job->spectrum.factor.ended);
  job->report.spectrum = &job->spectrum;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PlanSpectrum(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  SpectrumOptions options = *job->spectrum;

  stage->wanted   = PETSC_TRUE;
  options.vectors = job->keep;
  SpectrumCost(s, &options, &stage->cost, &stage->longest);
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
  Report *r = &job->report;

  PetscFunctionBeginUser;
  if (!r->spectrum || !(job->hessian_options.extreme || job->hessian_options.zeros)) PetscFunctionReturn(PETSC_SUCCESS);
  if (!JobStageFits(job, "extremes", sizeof(r->skipped[0]), r->skipped[SKIPPED_EXTREMES])) PetscFunctionReturn(PETSC_SUCCESS);
  if (!(SpectrumLargest(&job->spectrum) > 0)) {
    PetscCall(PetscStrncpy(r->skipped[SKIPPED_EXTREMES], "J = 0 sets no scale for its solvers", sizeof(r->skipped[0])));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(JobFactor(job));
  PetscCall(JobLinearizeHessian(job));
  PetscCall(ExtremesSolve(job->extremes, job->hessian, job->jacobian, job->factored && job->spectrum.rank == r->m ? job->K : NULL,
                          SpectrumLargest(&job->spectrum), &job->extremes_result));
  r->extremes   = &job->extremes_result;
  r->zero_bound = ZeroBound(&job->extremes_result, SpectrumLargest(&job->spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PlanExtremes(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)(job->hessian->extreme || job->hessian->zeros);
  ExtremesCost(s, job->hessian, job->products, &stage->cost, &stage->longest);
}

static PetscErrorCode RunFull(Job job)
{
  Report *r = &job->report;

  PetscFunctionBeginUser;
  if (!job->hessian_options.full || !r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  if (!JobStageFits(job, "full", sizeof(r->skipped[0]), r->skipped[SKIPPED_FULL])) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(JobLinearizeHessian(job));
  PetscCall(FullHessianCompute(job->hessian, &job->full));
  r->full = &job->full;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void PlanFull(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = job->hessian->full;
  if (!stage->wanted) return; /* n may be anything */
  FullHessianLimit(s, sizeof(stage->reason), stage->reason);
  FullHessianCost(s, &stage->cost);
  CostHold(&stage->cost, HessianBytes(s));
  CostLonger(&stage->longest, &stage->cost);
}

/* ---- certificate, output -------------------------------------------------------------------------------------------------------- */

/* the targets are what the net gives at theta, by definition */
static PetscBool TargetsAreExact(Job job)
{
  return (PetscBool)(job->data_options.target == TARGET_NET && job->report.moved == 0 && job->report.reach.steps == 0 &&
                     !JobTargetsMoved(job));
}

/* of a refutation: is the bound of the rank attained here? */
static PetscErrorCode EstablishRank(Job job)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  options.exact_targets = TargetsAreExact(job);
  if (job->run.certify && job->report.reached && job->report.reach.reason != REACH_DIVERGED &&
      JobStageFits(job, "certify", 0, NULL))
    PetscCall(CertifyRank(job->map, job->theta, job->trajectory, job->K, &options, &job->certificate));
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
  if (r->at_zero) {
    PetscCall(CertifyRefuteNear(job->map, &dead, &job->certificate));
    PetscCall(EstablishRank(job));
  } else
    PetscCall(PetscStrncpy(r->dead, dead.why, sizeof(r->dead)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobCertify(Job job)
{
  Report        *r       = &job->report;
  CertifyOptions options = CertifyDefaults;
  char           reason[160];

  PetscFunctionBeginUser;
  PetscCall(HessianDestroy(&job->hessian)); /* room */
  if (r->certificate) {                     /* refuted by exact means */
    PetscCall(EstablishRank(job));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  r->certificate        = &job->certificate;
  options.vectors       = &job->spectrum.vectors;
  options.lambda        = job->spectrum.lambda;
  options.exact_targets = TargetsAreExact(job);
  if (job->spectrum.counted || PlanFindStage(&job->plan, "certify")->frugal) options.enclose = PETSC_FALSE;
  if (job->shifted) {
    options.factor   = &job->spectrum.factor;
    options.jacobian = job->jacobian;
  }
  job->shifted = PETSC_FALSE;
  if (!job->run.certify)
    CertifySkip("not asked for", &job->certificate);
  else if (r->reach.reason == REACH_DIVERGED)
    CertifySkip("theta is not finite", &job->certificate);
  else if (!JobStageFits(job, "certify", sizeof(reason), reason))
    CertifySkip(reason, &job->certificate);
  else
    PetscCall(CertifyCompute(job->map, job->theta, job->trajectory, job->K, &options, &job->certificate));
  PetscCall(TilesDestroy(&job->spectrum.vectors));
  if (job->certificate.status == CERTIFY_PROVED)
    r->zero_bound = job->certificate.zero_bound;
  else if (job->run.certify && r->reach.reason != REACH_DIVERGED)
    PetscCall(FindDeadUnits(job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* without enclosures where their two more matrices of K's size do not fit, or only the count is wanted */
static void PlanCertify(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  const ShiftedCholesky factor  = {.ended = PETSC_TRUE};
  CertifyOptions        options = CertifyDefaults, quick = CertifyDefaults;
  Tiles                 kept = NULL;
  char                  limit[160];

  stage->wanted = job->certify;
  quick.enclose = PETSC_FALSE;
  if (job->keep) options.vectors = &kept;
  if (SpectrumCounts(job->spectrum)) quick.factor = &factor;
  TilesLimit(s, PETSC_TRUE, sizeof(limit), limit);
  CertifyCost(s, &quick, &stage->smaller);
  if (SpectrumCounts(job->spectrum) || limit[0])
    stage->cost = stage->smaller;
  else
    CertifyCost(s, &options, &stage->cost);
  CostLonger(&stage->longest, &stage->cost);
}

/* what floating point alone would call a zero */
static PetscErrorCode RunConfirm(Job job)
{
  Report *r = &job->report;

  PetscFunctionBeginUser;
  if (!r->at_zero || !r->spectrum || r->spectrum->rank < r->m || r->certificate->status == CERTIFY_PROVED)
    PetscFunctionReturn(PETSC_SUCCESS);
  if (!JobStageFits(job, "confirm", sizeof(r->unconfirmed), r->unconfirmed)) {
    r->at_zero = PETSC_FALSE;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(TrainConfirm(job->train, job->theta, job->trajectory, job->H, job->jacobian, job->K, &r->next_loss));
  r->at_zero = ReachConfirmed(&r->reach, r->next_loss);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* only where nothing was proved: one step, to a second theta */
static void PlanConfirm(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  stage->wanted = (PetscBool)!job->certify;
  TrainStepCost(s, &stage->cost);
  CostHold(&stage->cost, 8 * s->local);
  CostLonger(&stage->longest, &stage->cost);
}

/* theta is written by all ranks, and hashed by one */
static void PlanOutput(const PlanJob *job, const Sizes *s, PlanStage *stage)
{
  const PetscReal data = 8 * s->d * (s->p + s->l);

  stage->wanted               = PETSC_TRUE;
  stage->cost.work[WORK_FILE] = stage->cost.work[WORK_HASH] = data;
  if (!job->weights) return;
  stage->cost.work[WORK_STREAM] = 3 * 8 * s->local;
  stage->cost.work[WORK_FILE] += 8 * s->n;
  stage->cost.work[WORK_HASH] += 8 * s->n;
  stage->cost.bytes = 16 << 20; /* chunks, on their way through MPI-IO */
}

/* clang-format off */
const JobStage JobStages[] = {
    {"loaded",   RunStart,       PlanStart,      PETSC_TRUE,  JobStartArchive,    "net_ loss_ reach_",
      "it runs in one piece"},
    {"trajectory", JobTrajectory, JobPlanTrajectory, PETSC_FALSE, JobTrajectoryArchive, "net_ loss_ reach_ tao_ trajectory_ path_ look_ perturb_",
      "it pauses after every step, iterate or file; a look runs in one piece"},
    {"reach",    JobReach,       PlanReach,      PETSC_FALSE, JobReachArchive,    "net_ loss_ reach_ tao_ trajectory_ path_ look_ perturb_",
      "it pauses after every step"},
    {"spectrum", JobSpectrum,    PlanSpectrum,   PETSC_FALSE, JobSpectrumArchive, "spectrum_method spectrum_assembled svd_",
      "qr pauses after every block of rows; the eigenvalues of K, and svd, run in one piece"},
    {"perturb",  JobPerturb,     JobPlanPerturb, PETSC_TRUE,  JobPerturbArchive,  "perturb_ spectrum_ certify",
      "it pauses after every trial"},
    {"spectrum again", JobSpectrumAgain, JobPlanSpectrumAgain, PETSC_FALSE, JobSpectrumAgainArchive, "spectrum_method spectrum_assembled svd_",
      "as spectrum"}, /* where the targets were moved */
    {"extremes", RunExtremes,    PlanExtremes,   PETSC_TRUE,  JobExtremesArchive,
      "hessian_extreme hessian_zeros largest_ smallest_ zeros_ kernel_",
      "it pauses at every restart of a solver"},
    {"full",     RunFull,        PlanFull,       PETSC_TRUE,  JobFullArchive,     "hessian_full",
      "it stops after every product and begins anew; its eigenvalues run in one piece"},
    {"density",  JobDensity,     JobPlanDensity, PETSC_TRUE,  JobDensityArchive,  "hessian_density",
      "it pauses after every probe"},
    {"tangent",  JobTangent,     JobPlanTangent, PETSC_TRUE,  JobTangentArchive,  "spectrum_labels weakest_",
      "it pauses after every label"},
    {"certify",  JobCertify,     PlanCertify,    PETSC_TRUE,  JobCertifyArchive,  "certify",
      "it runs in one piece"}, /* after the solvers that use K's factor */
    {"confirm",  RunConfirm,     PlanConfirm,    PETSC_TRUE,  JobConfirmArchive,  "",
      "it runs in one piece"},
    {"convexity", JobConvexity,  JobPlanConvexity, PETSC_TRUE, JobConvexityArchive, "convexity_",
      "it pauses after every step"},
    {"walk",     JobWalk,        JobPlanWalk,    PETSC_TRUE,  JobWalkArchive,     "walk_",
      "it pauses after every step"},
    {"output",   JobWriteOutput, PlanOutput,     PETSC_FALSE, NULL,               "",
      "it runs in one piece"},
    {NULL,       NULL,           NULL,           PETSC_FALSE, NULL,               NULL, NULL}
};
/* clang-format on */
