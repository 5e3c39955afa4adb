/*
  path.c: see path.h.
*/
#include "codim/checkpoint.h"
#include "codim/store.h"
#include "path_state.h"
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const Methods[] = {"none", "sgd", "tao", "files", NULL};

#define KEY(name, type, field, value, min, max, choices, help)                                                                     \
  {                                                                                                                                \
    "trajectory_" name, type, offsetof(PathOptions, field), value, min, max, choices, help                                         \
  }

const OptionKey PathKeys[] =
    {KEY("method", KEY_CHOICE, method, "none", 0, 0, Methods,
         "a path to look at before the zero is reached: mini-batch SGD with momentum, a Tao (-path_tao_type), a series of weight "
         "files"),
     KEY("steps", KEY_INT, steps, "1000", 1, 1e9, NULL, "steps of sgd or tao"),
     KEY("batch", KEY_INT, sgd.batch, "32", 1, 1e9, NULL, "sgd: points a step"),
     KEY("rate", KEY_REAL, sgd.rate, "0.01", 0, 1e300, NULL,
         "sgd: learning rate, for the mean over the batch's targets of (f - y)^2, as PyTorch's MSELoss"),
     KEY("momentum", KEY_REAL, sgd.momentum, "0.9", 0, 1, NULL, "sgd: v := momentum v + gradient"),
     KEY("seed", KEY_INT, sgd.seed, "1", 0, 1e9, NULL, "sgd: of the order of the points"),
     KEY("files", KEY_STRING, files, "", 0, 0, NULL, "files: a pattern of safetensors files, e.g. 'run/step-*.safetensors'"),
     KEY("at", KEY_INTS, at, "", 0, 1e9, NULL, "steps to look at; not given: trajectory.looks of them, 0 and a geometric series"),
     KEY("looks", KEY_INT, looks, "8", 1, 1000, NULL, "how many looks, where trajectory.at does not say"),
     KEY("extreme", KEY_INT, look.extreme, "2", 0, LOOK_EXTREMES, NULL, "eigenvalues at each end of the spectrum in a look"),
     KEY("thresholds", KEY_INTS, look.thresholds, "-4,-2,0,2", -30, 30, NULL,
         "count the eigenvalues above 10^k and below -10^k, the same k in every look (with full or density)"),
     KEY("full", KEY_BOOL, look.full, "false", 0, 0, NULL,
         "the whole Hessian in every look: every eigenvalue (n up to some thousands)"),
     KEY("density", KEY_INT, look.density.steps, "0", 0, 100000, NULL, "spectral density in every look: Lanczos steps a probe"),
     KEY("density_probes", KEY_INT, look.density.probes, "4", 1, 100000, NULL, "... and probes"),
     {NULL, KEY_INT, 0, NULL, 0, 0, NULL, NULL}};

#undef KEY

/* ---- setting up -------------------------------------------------------------------------------------------------------------------- */

static int Ascending(const void *a, const void *b)
{
  const PetscInt x = *(const PetscInt *)a, y = *(const PetscInt *)b;

  return (x > y) - (x < y);
}

/* the steps to look at: as given, or 0 and steps^(k/(looks - 1)); ascending, each once, none beyond the last */
static PetscErrorCode ChooseLooks(Path path)
{
  const PathOptions *options = path->options;
  const PetscInt     wanted  = options->at.n ? options->at.n : options->looks;
  PetscInt           count   = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(wanted, &path->at));
  for (PetscInt k = 0; k < wanted; k++) {
    const PetscReal part = (PetscReal)k / (PetscReal)PetscMax(1, wanted - 1);

    path->at[k] = options->at.n ? options->at.v[k] : k ? (PetscInt)lround(pow((double)options->steps, (double)part)) : 0;
  }
  if (wanted) qsort(path->at, (size_t)wanted, sizeof *path->at, Ascending);
  for (PetscInt k = 0; k < wanted; k++)
    if ((count == 0 || path->at[k] > path->at[count - 1]) && path->at[k] <= options->steps) path->at[count++] = path->at[k];
  path->nat = count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* by name; runs of digits count as numbers: step-9 before step-10 */
static int ByName(const void *a, const void *b)
{
  const char *x = *(const char *const *)a, *y = *(const char *const *)b;

  while (*x && *y) {
    const size_t i = strspn(x, "0123456789"), j = strspn(y, "0123456789");

    if (i && j) {
      const size_t zeros_x = strspn(x, "0"), zeros_y = strspn(y, "0");
      const size_t digits_x = i - PetscMin(zeros_x, i), digits_y = j - PetscMin(zeros_y, j);
      const int order = digits_x == digits_y ? strncmp(x + i - digits_x, y + j - digits_y, digits_x) : digits_x < digits_y ? -1 : 1;

      if (order) return order;
      x += i;
      y += j;
    } else if (*x != *y)
      break;
    else {
      x++;
      y++;
    }
  }
  return (unsigned char)*x - (unsigned char)*y;
}

static PetscErrorCode ListFiles(Path path)
{
  const Grid grid  = path->map->grid;
  PetscInt   count = 0;
  glob_t     found = {0};

  PetscFunctionBeginUser;
  if (grid->rank == 0 && glob(path->options->files, 0, NULL, &found) == 0) count = (PetscInt)found.gl_pathc;
  PetscCallMPI(MPI_Bcast(&count, 1, MPIU_INT, 0, grid->world));
  PetscCall(
      UserCheck(grid->world, (PetscBool)(count > 0), STATUS_DATA, "trajectory.files: no file is called %s", path->options->files));
  if (grid->rank == 0) qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, ByName);
  PetscCall(PetscMalloc1(count, &path->files));
  for (PetscInt i = 0; i < count; i++) {
    if (grid->rank == 0) PetscCall(PetscStrncpy(path->files[i], found.gl_pathv[i], sizeof(OptionString)));
    PetscCallMPI(MPI_Bcast(path->files[i], (PetscMPIInt)sizeof(OptionString), MPI_CHAR, 0, grid->world));
  }
  path->nfiles = count;
  if (grid->rank == 0) globfree(&found);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LossAndGradient(Tao tao, Vec theta, PetscReal *loss, Vec gradient, void *context);
static PetscErrorCode AtIterate(Tao tao, void *context);

static PetscErrorCode CreateTao(Path path)
{
  PetscFunctionBeginUser;
  PetscCall(TaoCreate(path->map->grid->world, &path->tao));
  PetscCall(TaoSetOptionsPrefix(path->tao, "path_"));
  PetscCall(TaoSetType(path->tao, TAOLMVM));
  PetscCall(TaoSetTolerances(path->tao, 0, 0, 0));
  PetscCall(TaoSetMaximumFunctionEvaluations(path->tao, PETSC_MAX_INT));
  PetscCall(TaoSetObjectiveAndGradient(path->tao, NULL, LossAndGradient, path));
  PetscCall(TaoSetConvergenceTest(path->tao, AtIterate, path));
  PetscCall(TaoSetFromOptions(path->tao));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PathCreate(ResidualMap map, const PathOptions *options, Path *path)
{
  const MPI_Comm world = map->grid->world;
  Path new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(path));
  new          = *path;
  new->map     = map;
  new->options = options;
  if (options->method == PATH_NONE) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(UserCheck(world, (PetscBool)(options->look.thresholds.n <= LOOK_THRESHOLDS), STATUS_USAGE,
                      "trajectory.thresholds: at most %d of them", (int)LOOK_THRESHOLDS));
  PetscCall(UserCheck(world, (PetscBool)(options->method != PATH_FILES || options->files[0]), STATUS_USAGE,
                      "trajectory.method: files needs trajectory.files, a pattern of safetensors files"));
  PetscCall(LookerCreate(map, &options->look, &new->looker));
  PetscCall(ChooseLooks(new));
  if (options->method == PATH_SGD) PetscCall(SgdCreate(map, &options->sgd, &new->sgd));
  if (options->method == PATH_TAO) PetscCall(CreateTao(new));
  if (options->method == PATH_FILES) PetscCall(ListFiles(new));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode PathDestroy(Path *path)
{
  PetscFunctionBeginUser;
  if (!*path) PetscFunctionReturn(PETSC_SUCCESS);
  for (PetscInt i = 0; (*path)->density && i < (*path)->looks; i++) PetscCall(DensityDestroy(&(*path)->density[i]));
  PetscCall(PetscFree((*path)->density));
  PetscCall(PetscFree((*path)->look));
  PetscCall(PetscFree((*path)->files));
  PetscCall(PetscFree((*path)->at));
  PetscCall(TaoDestroy(&(*path)->tao));
  PetscCall(SgdDestroy(&(*path)->sgd));
  PetscCall(LookerDestroy(&(*path)->looker));
  PetscCall(PetscFree(*path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void PathCost(const Sizes *s, const PathOptions *options, Cost *cost, Cost *stretch)
{
  const PetscReal looks = (PetscReal)(options->at.n ? options->at.n : options->looks);
  Cost            step = {.bytes = 0}, look = {.bytes = 0};

  if (options->method == PATH_SGD) SgdStepCost(s, &options->sgd, &step);
  if (options->method == PATH_TAO) {
    ResidualMapApplyCost(s, &step);
    ResidualMapAdjointCost(s, s->N, 1, &step);
    CostHold(&step, 8 * 14 * s->local); /* lmvm keeps five pairs */
  }
  LookCost(s, &options->look, &look);
  CostAdd(cost, &step, options->method == PATH_FILES ? 0 : (PetscReal)options->steps);
  CostAdd(cost, &look, looks);
  CostLonger(stretch, &look);
}

/* ---- looks ------------------------------------------------------------------------------------------------------------------------- */

/* room for so many looks */
static PetscErrorCode MakeRoom(Path path, PetscInt looks)
{
  PetscFunctionBeginUser;
  if (looks <= path->room) PetscFunctionReturn(PETSC_SUCCESS);
  looks = PetscMax(looks, 2 * path->room);
  PetscCall(PetscRealloc((size_t)looks * sizeof *path->look, &path->look));
  if (path->options->look.density.steps) {
    PetscCall(PetscRealloc((size_t)looks * sizeof *path->density, &path->density));
    PetscCall(PetscArrayzero(path->density + path->room, looks - path->room));
  }
  path->room = looks;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at theta, to which everything belongs */
static PetscErrorCode AddLook(Path path, PetscInt step, LookPhase phase)
{
  Look *look;

  PetscFunctionBeginUser;
  PetscCall(MakeRoom(path, path->looks + 1));
  look = &path->look[path->looks];
  PetscCall(LookAt(path->looker, path->jacobian, path->H, path->K, look, path->density ? &path->density[path->looks] : NULL));
  look->step  = (PetscReal)step;
  look->phase = (PetscReal)phase;
  path->looks++;
  PetscCall(PetscPrintf(path->map->grid->world,
                        "codim: look %" PetscInt_FMT ", step %" PetscInt_FMT ": loss %.3e, Hessian %.3g … %.3g\n", path->looks,
                        step, (double)look->loss, (double)look->smallest[0], (double)look->largest[0]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* trajectory, H and J at theta */
static PetscErrorCode Linearize(Path path)
{
  PetscFunctionBeginUser;
  PetscCall(ResidualMapApply(path->map, path->theta, path->trajectory, path->H));
  PetscCall(JacobianLinearize(path->jacobian, path->theta, path->trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool LooksAt(Path path, PetscInt step)
{
  return (PetscBool)(bsearch(&step, path->at, (size_t)path->nat, sizeof step, Ascending) != NULL);
}

void PathLooks(Path path, PetscInt *count, const Look **looks, const Density **densities)
{
  *count = path->looks;
  if (looks) *looks = path->look;
  if (densities) *densities = path->density;
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------------------------- */

PetscErrorCode PathArchive(Archive archive, Path path)
{
  PetscInt  looks = path->looks, densities = path->density ? path->looks : 0;
  PetscBool there;
  char      name[32];

  PetscFunctionBeginUser;
  PetscCall(ArchiveInt(archive, "looks", &looks));
  PetscCall(ArchiveInt(archive, "densities", &densities));
  if (ArchiveReading(archive)) PetscCall(MakeRoom(path, looks));
  path->looks = looks;
  if (looks) PetscCall(ArchiveStruct(archive, "look", (size_t)looks * sizeof *path->look, path->look));
  for (PetscInt i = 0; i < densities; i++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "density_%" PetscInt_FMT, i));
    PetscCall(ArchiveEnter(archive, name, &there));
    PetscCall(DensityArchive(archive, &path->density[i]));
    PetscCall(ArchiveLeave(archive));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* between two steps, after the look at theta if there is one */
static PetscErrorCode StateArchive(Archive archive, void *context)
{
  Path path = (Path)context;

  PetscFunctionBeginUser;
  PetscCall(PathArchive(archive, path));
  PetscCall(ArchiveInt(archive, "step", &path->step));
  PetscCall(ArchiveVec(archive, "theta", path->map->parameters, path->theta));
  if (path->sgd) PetscCall(ArchiveVec(archive, "velocity", path->map->parameters, SgdVelocity(path->sgd)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SafePoint(Path path)
{
  PetscFunctionBeginUser;
  PetscCall(CheckpointSafePoint(path->map->grid->world, "trajectory", StateArchive, path, &path->stopped));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the methods ---------------------------------------------------------------------------------------------------------------------- */

static PetscErrorCode IsFinite(Vec theta, PetscBool *finite)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(theta, NORM_2, &norm));
  *finite = (PetscBool)isfinite(norm);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunSgd(Path path)
{
  PetscBool finite = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (path->step == 0 && LooksAt(path, 0)) PetscCall(AddLook(path, 0, LOOK_DESCENT));
  while (path->step < path->options->steps && finite && !path->stopped) {
    PetscCall(SgdStep(path->sgd, path->step, path->theta));
    path->step++;
    PetscCall(IsFinite(path->theta, &finite));
    if (LooksAt(path, path->step) || !finite) {
      PetscCall(Linearize(path));
      PetscCall(AddLook(path, path->step, LOOK_DESCENT));
    }
    PetscCall(Progress(path->map->grid->world, (PetscReal)path->step, (PetscReal)path->options->steps, "sgd"));
    PetscCall(SafePoint(path));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LossAndGradient(Tao tao, Vec theta, PetscReal *loss, Vec gradient, void *context)
{
  Path path = (Path)context;

  PetscFunctionBeginUser;
  (void)tao;
  PetscCall(ResidualMapApply(path->map, theta, path->trajectory, path->H));
  PetscCall(VecDot(path->H, path->H, loss));
  PetscCall(JacobianLinearize(path->jacobian, theta, path->trajectory));
  PetscCall(VecSet(gradient, 0));
  PetscCall(JacobianMultTransposeAdd(path->jacobian, 2, path->H, gradient));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Tao asks at each iterate whether to end: a place to look and to pause */
static PetscErrorCode AtIterate(Tao tao, void *context)
{
  Path               path = (Path)context;
  const PetscInt     done = path->step;
  PetscInt           its;
  TaoConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(TaoDefaultConvergenceTest(tao, NULL));
  PetscCall(TaoGetConvergedReason(tao, &reason));
  PetscCall(TaoGetIterationNumber(tao, &its));
  if (reason || its == 0) PetscFunctionReturn(PETSC_SUCCESS); /* the first was looked at, the last will be */
  if (LooksAt(path, done + its)) {
    PetscCall(Linearize(path));
    PetscCall(AddLook(path, done + its, LOOK_DESCENT));
  }
  path->step = done + its; /* as the checkpoint is to have it */
  PetscCall(SafePoint(path));
  path->step = done;
  if (path->stopped) PetscCall(TaoSetConvergedReason(tao, TAO_DIVERGED_USER));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunTao(Path path)
{
  PetscInt its;

  PetscFunctionBeginUser;
  if (path->step == 0 && LooksAt(path, 0)) PetscCall(AddLook(path, 0, LOOK_DESCENT));
  PetscCall(TaoSetMaximumIterations(path->tao, path->options->steps - path->step));
  PetscCall(TaoSetSolution(path->tao, path->theta));
  PetscCall(TaoSolve(path->tao));
  PetscCall(TaoGetIterationNumber(path->tao, &its));
  path->step += its;
  if (path->stopped) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(Linearize(path));
  if (path->looks == 0 || path->look[path->looks - 1].step < (PetscReal)path->step)
    PetscCall(AddLook(path, path->step, LOOK_DESCENT));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode RunFiles(Path path)
{
  PetscFunctionBeginUser;
  while (path->step < path->nfiles && !path->stopped) {
    PetscCall(WeightsRead(path->map->parameters, path->files[path->step], path->theta));
    PetscCall(Linearize(path));
    PetscCall(AddLook(path, path->step, LOOK_FILE));
    path->step++;
    PetscCall(Progress(path->map->grid->world, (PetscReal)path->step, (PetscReal)path->nfiles, "files"));
    PetscCall(SafePoint(path));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Hold(Path path, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K)
{
  path->theta      = theta;
  path->trajectory = trajectory;
  path->H          = H;
  path->jacobian   = jacobian;
  path->K          = K;
}

PetscErrorCode PathRun(Path path, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K)
{
  PetscBool resumed;

  PetscFunctionBeginUser;
  Hold(path, theta, trajectory, H, jacobian, K);
  path->step    = 0;
  path->stopped = PETSC_FALSE;
  PetscCall(CheckpointResume("trajectory", StateArchive, path, &resumed));
  PetscCall(Linearize(path));
  if (path->options->method == PATH_SGD) PetscCall(RunSgd(path));
  if (path->options->method == PATH_TAO) PetscCall(RunTao(path));
  if (path->options->method == PATH_FILES) PetscCall(RunFiles(path));
  PetscCall(Linearize(path));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the return to M -------------------------------------------------------------------------------------------------------------------- */

/* the start of the return is the end of the path: it was looked at */
static PetscErrorCode ObserveReturn(void *context, PetscInt step)
{
  Path            path = (Path)context;
  const PetscReal last = path->looks ? path->look[path->looks - 1].loss : NAN;
  PetscReal       loss;

  PetscFunctionBeginUser;
  PetscCall(VecDot(path->H, path->H, &loss));
  if (loss != last) PetscCall(AddLook(path, step, LOOK_RETURN));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void PathFollow(Path path, Train train, Vec theta, Trajectory trajectory, Vec H, Jacobian jacobian, Tiles K)
{
  Hold(path, theta, trajectory, H, jacobian, K);
  TrainObserve(train, ObserveReturn, path);
}
