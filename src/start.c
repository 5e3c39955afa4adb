/*
  start.c: see start.h.
*/
#include "codim/start.h"
#include "spectrum_method.h"
#include <math.h>
#include <string.h>

/* what of the Hessian is asked for at the zero is looked at here too */
static LookOptions OptionsOf(const HessianOptions *hessian)
{
  return (LookOptions){.extreme = PetscMin(hessian->extreme, LOOK_EXTREMES), .full = hessian->full};
}

PetscErrorCode StartCreate(ResidualMap map, const HessianOptions *options, Start *start)
{
  Start new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->map     = map;
  new->options = OptionsOf(options);
  PetscCall(LookerCreate(map, &new->options, &new->looker));
  PetscCall(PetscCalloc2(map->network->nlabels, &new->movement.label, map->network->nlabels, &new->movement.label_norm));
  *start = new;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StartDestroy(Start *start)
{
  PetscFunctionBeginUser;
  if (!*start) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LookerDestroy(&(*start)->looker));
  PetscCall(PetscFree2((*start)->movement.label, (*start)->movement.label_norm));
  PetscCall(PetscFree(*start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- where it stands ------------------------------------------------------------------------------------------------------- */

static PetscErrorCode DecideRank(Jacobian jacobian, StartPoint *p)
{
  const PetscReal least = p->look.gauss_newton_least / 2, largest = p->look.gauss_newton_largest / 2;
  PetscReal       trace, E;

  PetscFunctionBeginUser;
  p->rank      = -1;
  p->sigma_min = p->sigma_max = p->resolution = NAN;
  if (!isfinite(largest)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(JacobianNormSquared(jacobian, &trace));
  PetscCall(GramEigenvalueError(jacobian, trace, largest, &E));
  p->sigma_max  = PetscSqrtReal(PetscMax(0, largest));
  p->sigma_min  = PetscSqrtReal(PetscMax(0, least));
  p->resolution = PetscSqrtReal(E);
  if (p->sigma_min >= 1e3 * p->resolution && p->sigma_min > 0) p->rank = jacobian->map->m;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Ritz values err by the rounding of products with the matrix they are of: the Hessian, or near M its block on ker J */
static void CountNegative(const LookOptions *options, StartPoint *p)
{
  const Look     *look     = &p->look;
  const PetscReal size     = LookIsNearM(look) ? look->curvature : PetscMax(look->gauss_newton_largest, look->curvature);
  const PetscReal rounding = 100 * PETSC_MACHINE_EPSILON * size;

  p->negative = p->negative_at_least = options->full ? look->negative : NAN;
  if (options->full || isnan(look->smallest[0])) return;
  p->negative_at_least = 0;
  for (PetscInt i = 0; i < LOOK_EXTREMES; i++) p->negative_at_least += look->smallest[i] < -rounding;
}

PetscErrorCode StartLook(Start start, Jacobian jacobian, Vec H, Tiles K)
{
  PetscFunctionBeginUser;
  PetscCall(LookAt(start->looker, jacobian, H, K, &start->point.look, NULL));
  PetscCall(DecideRank(jacobian, &start->point));
  CountNegative(&start->options, &start->point);
  start->known = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- how far it is moved --------------------------------------------------------------------------------------------------- */

/* |v| on each label */
static PetscErrorCode LabelNorms(Parameters parameters, Vec v, PetscReal norm[])
{
  const ParameterRun *runs;
  const Label        *labels;
  const PetscReal    *local;
  PetscInt            nruns, nlabels;

  PetscFunctionBeginUser;
  PetscCall(ParametersGetLabels(parameters, &nlabels, &labels));
  PetscCall(ParametersGetRuns(parameters, &nruns, &runs));
  PetscCall(PetscArrayzero(norm, nlabels));
  PetscCall(VecGetArrayRead(v, &local));
  for (PetscInt r = 0; r < nruns; r++)
    for (PetscInt i = 0; i < runs[r].count; i++) norm[runs[r].label] += PetscSqr(local[runs[r].local + i]);
  PetscCall(VecRestoreArrayRead(v, &local));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, norm, (PetscMPIInt)nlabels, MPIU_REAL, MPI_SUM, ParametersGrid(parameters)->world));
  for (PetscInt label = 0; label < nlabels; label++) norm[label] = PetscSqrtReal(norm[label]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the largest change, where it is, and the sum of squares; of this rank's group */
static void CompareOutputs(ResidualMap map, const PetscReal before[], const PetscReal after[], Movement *movement, PetscReal *sum)
{
  const size_t   size  = (size_t)map->N * (size_t)map->l;
  const PetscInt first = GridGroupPoints(map->grid, map->d).first;

  movement->change_max = -1;
  *sum                 = 0;
  for (size_t k = 0; k < size; k++) {
    const PetscReal change = PetscAbsReal(after[k] - before[k]);

    *sum += change * change;
    if (change <= movement->change_max) continue;
    movement->change_max    = change;
    movement->change_point  = first + (PetscInt)(k / (size_t)map->l);
    movement->change_output = (PetscInt)(k % (size_t)map->l);
  }
  if (map->grid->q) *sum = 0; /* the ranks of a group hold the same values */
}

static PetscErrorCode CompareHeldout(ResidualMap map, Vec theta_0, Vec theta, Movement *movement)
{
  const PetscInt output = map->network->nops - 1;
  Trajectory     trajectory;
  Vec            H;
  PetscReal     *before, sum;
  PetscInt       at[2];
  struct {
    double most;
    int    rank;
  } largest;

  PetscFunctionBeginUser;
  PetscCall(TrajectoryCreate(map, &trajectory));
  PetscCall(RowsCreateVec(map->rows, &H));
  PetscCall(PetscMalloc1(PetscMax(1, map->N * map->l), &before));
  PetscCall(ResidualMapApply(map, theta_0, trajectory, H));
  PetscCall(PetscArraycpy(before, trajectory->value[output], map->N * map->l));
  PetscCall(ResidualMapApply(map, theta, trajectory, H));
  CompareOutputs(map, before, trajectory->value[output], movement, &sum);
  largest.most = (double)movement->change_max;
  largest.rank = map->grid->rank;
  at[0]        = movement->change_point;
  at[1]        = movement->change_output;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE_INT, MPI_MAXLOC, map->grid->world));
  PetscCallMPI(MPI_Bcast(at, 2, MPIU_INT, largest.rank, map->grid->world));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, map->grid->world));
  movement->heldout       = map->d;
  movement->change_max    = (PetscReal)largest.most;
  movement->change_rms    = PetscSqrtReal(sum / ((PetscReal)map->d * (PetscReal)map->l));
  movement->change_point  = at[0];
  movement->change_output = at[1];
  PetscCall(PetscFree(before));
  PetscCall(VecDestroy(&H));
  PetscCall(TrajectoryDestroy(&trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StartMove(Start start, ResidualMap heldout, Vec theta_0, Vec theta)
{
  Movement *movement = &start->movement;
  PetscReal largest;

  PetscFunctionBeginUser;
  if (heldout) PetscCall(CompareHeldout(heldout, theta_0, theta, movement));
  PetscCall(LabelNorms(start->map->parameters, theta_0, movement->label_norm));
  PetscCall(VecAXPY(theta_0, -1, theta));
  PetscCall(LabelNorms(start->map->parameters, theta_0, movement->label));
  PetscCall(VecNorm(theta_0, NORM_2, &movement->moved));
  PetscCall(VecNorm(theta_0, NORM_INFINITY, &largest));
  movement->moved = PetscMax(movement->moved, largest); /* 0 only where nothing moved, though squares may underflow */
  start->moved    = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what it says ---------------------------------------------------------------------------------------------------------- */

static PetscErrorCode MovementArchive(Archive archive, Start start)
{
  const PetscInt nlabels  = start->map->network->nlabels;
  Movement      *movement = &start->movement;

  PetscFunctionBeginUser;
  PetscCall(ArchiveReal(archive, "distance", &movement->moved));
  PetscCall(ArchiveReals(archive, "label", nlabels, movement->label));
  PetscCall(ArchiveReals(archive, "label_norm", nlabels, movement->label_norm));
  PetscCall(ArchiveInt(archive, "heldout", &movement->heldout));
  PetscCall(ArchiveReal(archive, "change_max", &movement->change_max));
  PetscCall(ArchiveReal(archive, "change_rms", &movement->change_rms));
  PetscCall(ArchiveInt(archive, "change_point", &movement->change_point));
  PetscCall(ArchiveInt(archive, "change_output", &movement->change_output));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StartArchive(Archive archive, Start start)
{
  PetscFunctionBeginUser;
  PetscCall(ArchiveBool(archive, "known", &start->known));
  PetscCall(ArchiveBool(archive, "moved", &start->moved));
  PetscCall(ArchiveText(archive, "skipped", sizeof start->skipped, start->skipped));
  if (start->known) PetscCall(ArchiveStruct(archive, "point", sizeof start->point, &start->point));
  if (start->moved) PetscCall(MovementArchive(archive, start));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static json_t *Real(PetscReal x)
{
  return isfinite((double)x) ? json_real((double)x) : json_null();
}

static json_t *Count(PetscReal x)
{
  return isfinite((double)x) && x >= 0 ? json_integer((json_int_t)x) : json_null();
}

static json_t *LabelsToJSON(Start start)
{
  const Network net    = start->map->network;
  json_t       *labels = json_array();

  for (PetscInt i = 0; i < net->nlabels; i++)
    json_array_append_new(labels, json_pack("{s:s, s:o, s:o}", "name", net->labels[i].name, "moved", Real(start->movement.label[i]),
                                            "norm", Real(start->movement.label_norm[i])));
  return labels;
}

static json_t *HeldoutToJSON(const Movement *m)
{
  if (!m->heldout) return json_null();
  return json_pack("{s:I, s:o, s:o, s:I, s:I}", "points", (json_int_t)m->heldout, "change_max", Real(m->change_max), "change_rms",
                   Real(m->change_rms), "point", (json_int_t)m->change_point + 1, "output", (json_int_t)m->change_output + 1);
}

static json_t *HessianToJSON(Start start)
{
  const Look *look = &start->point.look;

  if (!start->known) return json_null();
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "method",
                   start->options.full        ? json_string("full")
                   : isnan(look->smallest[0]) ? json_null()
                                              : json_string("slepc"),
                   "largest", Real(look->largest[0]), "most_negative", Real(look->smallest[0]), "residual",
                   Real(look->smallest_residual[0]), "resolution", Real(look->resolution), "kernel_negative_share",
                   Real(look->kernel_negative));
}

void StartToJSON(Start start, json_t *object)
{
  const StartPoint *p = &start->point;
  const PetscBool   k = start->known;

  json_object_set_new(object, "rank", k && p->rank >= 0 ? json_integer(p->rank) : json_null());
  json_object_set_new(object, "sigma_min", k ? Real(p->sigma_min) : json_null());
  json_object_set_new(object, "sigma_max", k ? Real(p->sigma_max) : json_null());
  json_object_set_new(object, "rank_resolution", k ? Real(p->resolution) : json_null());
  json_object_set_new(object, "negative", k ? Count(p->negative) : json_null());
  json_object_set_new(object, "negative_at_least", k ? Count(p->negative_at_least) : json_null());
  json_object_set_new(object, "hessian", HessianToJSON(start));
  json_object_set_new(object, "skipped", start->skipped[0] ? json_string(start->skipped) : json_null());
  json_object_set_new(object, "moved_labels", start->moved ? LabelsToJSON(start) : json_null());
  json_object_set_new(object, "heldout", start->moved ? HeldoutToJSON(&start->movement) : json_null());
}

static void DescribePoint(Start start, size_t size, char text[])
{
  const StartPoint *p = &start->point;

  if (p->rank >= 0)
    TextAppend(size, text, ", rank J = %" PetscInt_FMT, p->rank);
  else
    TextAppend(size, text, ", rank J not resolved");
  TextAppend(size, text, " (sigma_min %.3g)", (double)p->sigma_min);
  if (!isnan(p->negative))
    TextAppend(size, text, ", %.0f negative eigenvalues", (double)p->negative);
  else if (!isnan(p->negative_at_least))
    TextAppend(size, text, ", at least %.0f negative eigenvalue%s", (double)p->negative_at_least,
               p->negative_at_least == 1 ? "" : "s");
  if (p->look.smallest[0] < 0) TextAppend(size, text, " (most negative %.3g)", (double)p->look.smallest[0]);
}

void StartDescribe(Start start, PetscReal loss, size_t size, char text[])
{
  const Movement *m    = &start->movement;
  const Network   net  = start->map->network;
  PetscInt        most = 0;

  text[0] = '\0';
  TextAppend(size, text, "|H|^2 = %.3g", (double)loss);
  if (start->known) DescribePoint(start, size, text);
  if (!start->moved) return;
  TextAppend(size, text, "; theta moved by %.3g", (double)m->moved);
  for (PetscInt i = 1; i < net->nlabels; i++)
    if (m->label[i] > m->label[most]) most = i;
  if (net->nlabels && m->moved > 0) TextAppend(size, text, ", %s by %.3g", net->labels[most].name, (double)m->label[most]);
  if (m->heldout)
    TextAppend(size, text, "; outputs on %" PetscInt_FMT " points held out changed by at most %.3g, %.3g rms", m->heldout,
               (double)m->change_max, (double)m->change_rms);
}

void StartCost(const Sizes *s, const HessianOptions *options, Cost *cost)
{
  const LookOptions look = OptionsOf(options);

  LookCost(s, &look, cost);
}
