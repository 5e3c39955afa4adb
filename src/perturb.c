/*
  perturb.c: see perturb.h.
*/
#include "codim/perturb.h"
#include "codim/checkpoint.h"
#include "codim/kernel.h"
#include "codim/spectrum.h"
#include "codim/spectrum_file.h"

enum { STREAM_PERTURB = 1 << 23, EVALUATIONS_MAX = 80 };

#define KEY(name, type, field, value, min, max, help)                                                                              \
  {                                                                                                                                \
    "perturb_" name, type, offsetof(PerturbOptions, field), value, min, max, NULL, help                                            \
  }

const OptionKey PerturbKeys[] =
    {KEY("size", KEY_REAL, size, "0", 0, 1e300,
         "where rank J < m at the zero, move the targets by r, |r| below this, to a regular zero of H - r; 0: never"),
     KEY("least", KEY_REAL, least, "1e-10", 1e-300, 1e300, "sizes perturb.size, a tenth of it, … down to this one are tried"),
     KEY("draws", KEY_INT, draws, "4", 1, 12, "random directions for each size: in ker J, and anywhere, by turns"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

typedef struct {
  PerturbPoint   at;
  Vec            theta_0, xi;
  PetscReal     *given; /* this group's targets */
  PetscReal      far;   /* the longest nudge */
  PetscInt       next;  /* trial: of its draw's sizes */
  PetscReal      t;     /* the last length, the next one's guess */
  PerturbResult *result;
} Perturb;

/* ---- targets ------------------------------------------------------------------------------------------------------------------------ */

static size_t GroupTargets(const Perturb *p)
{
  return (size_t)p->at.map->N * (size_t)p->at.map->l;
}

static PetscErrorCode RestoreTargets(Perturb *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(p->at.data->y, p->given, GroupTargets(p)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y := fl(y + H), and |y - given|: every group has its own rows */
static PetscErrorCode MoveTargets(Perturb *p, PetscReal *r)
{
  const Rows rows = p->at.map->rows;
  PetscReal *H, sum = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->group.last - rows->group.first, &H));
  PetscCall(RowsGatherGroup(rows, p->at.H, H));
  for (PetscInt k = rows->group.first; k < rows->group.last; k++) {
    const size_t at = RowTarget(rows, k);

    p->at.data->y[at] += H[k - rows->group.first];
    sum += PetscSqr(p->at.data->y[at] - p->given[at]);
  }
  PetscCall(PetscFree(H));
  if (p->at.map->grid->q) sum = 0; /* the group's other ranks have the same rows */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, p->at.map->grid->world));
  *r = PetscSqrtReal(sum);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the nudge ----------------------------------------------------------------------------------------------------------------------- */

/* theta := theta_0 + t xi, H there, and |H| */
static PetscErrorCode Nudge(Perturb *p, PetscReal t, PetscReal *norm)
{
  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(p->at.theta, t, p->xi, p->theta_0));
  PetscCall(ResidualMapApply(p->at.map, p->at.theta, p->at.trajectory, p->at.H));
  PetscCall(VecNorm(p->at.H, NORM_2, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* xi: a random unit vector; of even number near ker J(theta_0) (where J = 0 that is everywhere) */
static PetscErrorCode Draw(Perturb *p, PetscInt draw)
{
  const PetscInt m = p->at.map->m;
  PetscReal      trace, norm;
  PetscBool      solved = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(ParametersSetRandom(p->at.map->parameters, p->at.seed, STREAM_PERTURB + draw, p->xi));
  PetscCall(Nudge(p, 0, &norm));
  PetscCall(JacobianLinearize(p->at.jacobian, p->at.theta, p->at.trajectory));
  PetscCall(GramCompute(p->at.jacobian, p->at.K));
  PetscCall(TilesNorms(p->at.K, &trace, NULL, NULL));
  if (draw % 2 == 0 && trace > 0) {
    PetscCall(TilesShift(p->at.K, 1e-10 * trace / (PetscReal)m));
    PetscCall(TilesCholesky(p->at.K, &solved));
  }
  if (solved) PetscCall(KernelProject(p->at.jacobian, p->at.K, 2, p->xi));
  PetscCall(VecNormalize(p->xi, NULL));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* t with size/4 <= |H(theta_0 + t xi)| < size, at most `far`; from a guess, by powers until it is bracketed, then by bisection of log t */
static PetscErrorCode Length(Perturb *p, PetscReal size, PetscReal *t)
{
  PetscReal below = 0, above = 0, norm;

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < EVALUATIONS_MAX; i++) {
    PetscCall(Nudge(p, *t, &norm));
    if (norm < size && (norm >= size / 4 || *t >= p->far)) PetscFunctionReturn(PETSC_SUCCESS);
    *(norm < size ? &below : &above) = *t;
    *t = below > 0 && above > 0 ? PetscSqrtReal(below * above) : norm < size ? PetscMin(4 * *t, p->far) : *t / 4;
  }
  *t = below; /* H jumps: the longest that is short enough, or none */
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- one trial ------------------------------------------------------------------------------------------------------------------------ */

/* sigma_min, its resolution and the rank: from K, or from J itself where K's rounding hides sigma_min */
static PetscErrorCode SingularValues(Perturb *p, PerturbTrial *trial)
{
  const SpectrumOptions options = {.method = SPECTRUM_AUTO, .node_memory = p->at.node_memory};
  const PetscBool       held    = CheckpointHeld();
  Spectrum              spectrum;
  PetscReal             squares;
  PetscBool             factored;

  PetscFunctionBeginUser;
  trial->rank      = -1;
  trial->sigma_min = trial->resolution = PETSC_INFINITY;
  PetscCall(JacobianNormSquared(p->at.jacobian, &squares));
  if (PetscIsInfOrNanReal(squares)) PetscFunctionReturn(PETSC_SUCCESS);
  CheckpointHold(PETSC_TRUE);
  PetscCall(SpectrumCompute(p->at.jacobian, &options, p->at.K, &factored, &spectrum));
  CheckpointHold(held);
  trial->rank       = spectrum.rank;
  trial->sigma_min  = spectrum.sigma[spectrum.m - 1];
  trial->resolution = spectrum.resolution;
  PetscCall(SpectrumDestroy(&spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* theta' at theta_0 + t xi, the targets moved to it, and what belongs to both */
static PetscErrorCode MoveTo(Perturb *p, PetscReal t, PetscReal *r)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(Nudge(p, t, &norm));
  PetscCall(MoveTargets(p, r));
  PetscCall(Nudge(p, t, &norm));
  PetscCall(JacobianLinearize(p->at.jacobian, p->at.theta, p->at.trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Try(Perturb *p, PetscReal t, PerturbTrial *trial)
{
  CertifyOptions options     = CertifyDefaults;
  Certificate    certificate = {.status = CERTIFY_SKIPPED};

  PetscFunctionBeginUser;
  trial->moved = t;
  PetscCall(MoveTo(p, t, &trial->r));
  PetscCall(SingularValues(p, trial));
  options.enclose = PETSC_FALSE;
  PetscCall(CertifyCompute(p->at.map, p->at.theta, p->at.trajectory, p->at.K, &options, &certificate));
  trial->proved = (PetscBool)(certificate.status == CERTIFY_PROVED && trial->r > 0 && trial->r < trial->size);
  if (certificate.status == CERTIFY_PROVED) trial->rank = p->at.map->m;
  trial->sigma_min_lower = certificate.sigma_min_lower;
  trial->h               = certificate.h;
  trial->radius          = certificate.radius;
  PetscCall(CertificateDestroy(&certificate));
  PetscCall(RestoreTargets(p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------------ */

static PetscErrorCode PerturbBegin(const PerturbPoint *point, PerturbResult *result, Perturb *p)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  *p = (Perturb){.at = *point, .result = result};
  PetscCall(VecDuplicate(point->theta, &p->theta_0));
  PetscCall(VecDuplicate(point->theta, &p->xi));
  PetscCall(VecCopy(point->theta, p->theta_0));
  PetscCall(VecNorm(p->theta_0, NORM_2, &norm));
  p->far = 1 + norm;
  PetscCall(PetscMalloc1(GroupTargets(p), &p->given));
  PetscCall(PetscArraycpy(p->given, point->data->y, GroupTargets(p)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PerturbEnd(Perturb *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->given));
  PetscCall(VecDestroy(&p->theta_0));
  PetscCall(VecDestroy(&p->xi));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* size, size/10, … , least */
static PetscInt CountSizes(const PerturbOptions *options)
{
  return 1 + (PetscInt)PetscFloorReal(PetscLog10Real(PetscMax(1, options->size / options->least)) + 1e-9);
}

void PerturbCost(const Sizes *s, const PerturbOptions *options, Cost *cost, Cost *stretch)
{
  const PetscReal trials          = PetscMin(PERTURB_TRIALS_MAX, (PetscReal)CountSizes(options) * (PetscReal)options->draws),
                  evaluations     = 8;
  const SpectrumOptions automatic = {.method = SPECTRUM_AUTO};
  CertifyOptions        quick     = CertifyDefaults;
  Cost                  sweep = {.bytes = 0}, trial = {.bytes = 0}, part = {.bytes = 0};

  quick.enclose = PETSC_FALSE;
  ResidualMapApplyCost(s, &sweep);
  CostAdd(&trial, &sweep, evaluations);
  SpectrumCost(s, &automatic, &trial, &part);
  CertifyCost(s, &quick, &trial);
  CostHold(&trial, 16 * s->local);
  CostAdd(cost, &trial, trials);
  GramCost(s, &trial); /* a direction is drawn before some */
  TilesCholeskyCost(s, &trial);
  CostLonger(stretch, &trial);
}

/* between two trials, theta being theta_0 again */
static PetscErrorCode TrialsArchive(Archive archive, void *context)
{
  Perturb   *p     = (Perturb *)context;
  PetscReal *given = p->result->given;

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "next", &p->next));
  PetscCall(ArchiveReal(archive, "t", &p->t));
  PetscCall(ArchiveStruct(archive, "result", sizeof *p->result, p->result));
  p->result->given = given;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* along the draw's xi, to |r| < size */
static PetscErrorCode TryNext(Perturb *p, PetscInt draw, PetscReal size)
{
  PerturbResult *r     = p->result;
  PerturbTrial  *trial = &r->trial[r->trials];

  PetscFunctionBeginUser;
  *trial = (PerturbTrial){.draw = draw, .size = size};
  PetscCall(Length(p, size, &p->t));
  if (p->t == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Try(p, p->t, trial));
  if (trial->proved && (r->chosen < 0 || trial->r < r->trial[r->chosen].r)) r->chosen = r->trials;
  r->trials++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TryAll(Perturb *p, const PerturbOptions *options, PetscBool *stop)
{
  const PetscInt sizes = CountSizes(options), all = sizes * options->draws;
  const MPI_Comm comm = p->at.map->grid->world;
  PetscBool      resumed;

  PetscFunctionBeginUser;
  *stop = PETSC_FALSE;
  PetscCall(CheckpointResume("perturb", TrialsArchive, p, &resumed));
  for (; p->next < all && p->result->trials < PERTURB_TRIALS_MAX; p->next++) {
    const PetscInt  draw = p->next / sizes, power = p->next % sizes;
    const PetscReal size = options->size * PetscPowReal(10, -(PetscReal)power);

    PetscCall(VecCopy(p->theta_0, p->at.theta));
    PetscCall(CheckpointSafePoint(comm, "perturb", TrialsArchive, p, stop));
    if (*stop) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(Progress(comm, (PetscReal)p->next, (PetscReal)all, "|r| < %.0e", (double)size));
    if (power == 0) p->t = 1e-3 * p->far;
    if (power == 0 || resumed) PetscCall(Draw(p, draw));
    resumed = PETSC_FALSE;
    PetscCall(TryNext(p, draw, size));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the chosen one, for good */
static PetscErrorCode Settle(Perturb *p)
{
  const Data          data   = p->at.data;
  const PerturbTrial *chosen = &p->result->trial[p->result->chosen];
  const size_t        all    = (size_t)data->points * (size_t)data->outputs;
  PetscReal           r;

  PetscFunctionBeginUser;
  if (p->at.map->grid->rank == 0) {
    PetscCall(PetscMalloc1(all, &p->result->given));
    PetscCall(PetscArraycpy(p->result->given, data->all_y, all));
  }
  PetscCall(Draw(p, chosen->draw));
  PetscCall(MoveTo(p, chosen->moved, &r));
  PetscCall(DataGatherTargets(data, p->at.map->grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PerturbSolve(const PerturbPoint *point, const PerturbOptions *options, PerturbResult *result)
{
  Perturb   p;
  PetscBool stop;

  PetscFunctionBeginUser;
  result->trials = 0;
  result->chosen = -1;
  result->given  = NULL;
  PetscCall(PerturbBegin(point, result, &p));
  PetscCall(TryAll(&p, options, &stop));
  if (result->chosen >= 0 && !stop)
    PetscCall(Settle(&p));
  else {
    PetscCall(VecCopy(p.theta_0, point->theta));
    PetscCall(ResidualMapApply(point->map, point->theta, point->trajectory, point->H));
    PetscCall(JacobianLinearize(point->jacobian, point->theta, point->trajectory));
  }
  PetscCall(PerturbEnd(&p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PerturbResultDestroy(PerturbResult *result)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(result->given));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PerturbArchive(Archive archive, Data data, Grid grid, PerturbResult *result)
{
  const size_t all   = (size_t)data->points * (size_t)data->outputs;
  PetscReal   *given = result->given;

  PetscFunctionBeginUser;
  PetscCall(ArchiveStruct(archive, "result", sizeof *result, result));
  result->given = given;
  if (result->chosen < 0 || result->trials == 0) PetscFunctionReturn(PETSC_SUCCESS);
  if (ArchiveReading(archive) && grid->rank == 0 && !given) PetscCall(PetscMalloc1(all, &result->given));
  PetscCall(ArchiveRootMatrix(archive, "y_given", data->points, data->outputs, result->given));
  PetscCall(ArchiveRootMatrix(archive, "y", data->points, data->outputs, data->all_y));
  if (ArchiveReading(archive)) PetscCall(DataScatterTargets(data, grid));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what is said of it ------------------------------------------------------------------------------------------------------------------ */

static json_t *Real(PetscReal x)
{
  return PetscIsInfOrNanReal(x) ? json_null() : json_real((double)x);
}

static json_t *TrialToJSON(const PerturbTrial *t)
{
  return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "draw", (json_int_t)t->draw, "direction",
                   t->draw % 2 ? "anywhere" : "in ker J", "size", Real(t->size), "r", Real(t->r), "moved", Real(t->moved), "rank",
                   t->rank >= 0 ? json_integer(t->rank) : json_null(), "sigma_min", Real(t->sigma_min), "resolution",
                   Real(t->resolution), "sigma_min_lower", t->sigma_min_lower > 0 ? Real(t->sigma_min_lower) : json_null(),
                   "kantorovich_h", Real(t->h), "radius", Real(t->radius), "proved", (int)t->proved);
}

json_t *PerturbToJSON(const PerturbResult *result)
{
  json_t *trials = json_array(), *json;

  for (PetscInt i = 0; i < result->trials; i++) json_array_append_new(trials, TrialToJSON(&result->trial[i]));
  json = json_pack("{s:o, s:{s:o, s:o, s:o}, s:o, s:o}", "r",
                   result->chosen >= 0 ? Real(result->trial[result->chosen].r) : json_null(), "before", "loss", Real(result->loss),
                   "rank", result->rank >= 0 ? json_integer(result->rank) : json_null(), "sigma_min", Real(result->sigma_min),
                   "rank_bound", result->rank_bound >= 0 ? json_integer(result->rank_bound) : json_null(), "trials", trials);
  json_object_set_new(json, "after", result->chosen >= 0 ? TrialToJSON(&result->trial[result->chosen]) : json_null());
  return json;
}

void PerturbDescribe(const PerturbResult *result, PetscInt m, size_t size, char text[])
{
  const PerturbTrial *chosen = result->chosen >= 0 ? &result->trial[result->chosen] : NULL;
  PetscInt            proved = 0;

  for (PetscInt i = 0; i < result->trials; i++) proved += result->trial[i].proved ? 1 : 0;
  if (result->rank_bound >= 0)
    (void)PetscSNPrintf(text, size,
                        "no change of the targets helps: rank J <= %" PetscInt_FMT " < m = %" PetscInt_FMT
                        " for every theta, so H(R^n) has measure zero and almost every r empties {H = r}",
                        result->rank_bound, m);
  else if (!chosen)
    (void)PetscSNPrintf(text, size,
                        "none of %" PetscInt_FMT " changes of the targets was proved to leave a regular zero: see report.json",
                        result->trials);
  else
    (void)PetscSNPrintf(text, size,
                        "the targets are moved by r, |r| = %.2e, to what the net gives %.1e from the zero where sigma_min was "
                        "%.1e: a regular "
                        "zero of H - r is proved there, sigma_min >= %.2e (%" PetscInt_FMT " of %" PetscInt_FMT
                        " trials). That every zero of H - r is regular is Sard's theorem, not checked",
                        (double)chosen->r, (double)chosen->moved, (double)result->sigma_min, (double)chosen->sigma_min_lower,
                        proved, result->trials);
}

PetscErrorCode PerturbWrite(Data data, const PerturbResult *result, const char path[])
{
  const PetscInt all = data->points * data->outputs;
  PetscReal     *r   = NULL;
  SpectrumFile   file;

  PetscFunctionBeginUser;
  if (result->given) {
    PetscCall(PetscMalloc1(all, &r));
    for (PetscInt k = 0; k < all; k++) r[k] = data->all_y[k] - result->given[k];
  }
  PetscCall(SpectrumFileCreate(data->comm, path, &file));
  PetscCall(SpectrumFileWrite(file, "/r", all, r, "y - y_given, by which the targets were moved", "as the targets, after scaling",
                              "point by point"));
  PetscCall(
      SpectrumFileWrite(file, "/y", all, data->all_y, "the targets that the verdict is about", "after scaling", "point by point"));
  PetscCall(SpectrumFileWrite(file, "/y_given", all, result->given, "the targets given", "after scaling", "point by point"));
  PetscCall(SpectrumFileClose(&file));
  PetscCall(PetscFree(r));
  PetscFunctionReturn(PETSC_SUCCESS);
}
