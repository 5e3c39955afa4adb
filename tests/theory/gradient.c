/*
  gradient.c: grad L = 2 J^T H, so |grad L|^2 = 4 H^T K H >= 4 lambda_min(K) L: the inequality of Polyak and Lojasiewicz, with K where one is.
  Along the paths of Levenberg-Marquardt, of PETSc's L-BFGS and nonlinear CG, and of gradient descent, from several seeds; -seeds 3.
*/
#include "experiment.h"

enum { METHODS = 4, SEEDS_MAX = 8, STOPS_MAX = 64, ROWS_MAX = METHODS * SEEDS_MAX * STOPS_MAX };

static const char *const Names[METHODS] = {"Levenberg-Marquardt", "L-BFGS", "nonlinear CG", "gradient descent"};
static const char *const Types[METHODS] = {"shell", "lmvm", "cg", NULL};
static const PetscInt    Most[METHODS]  = {24, 512, 512, 4096};

typedef struct {
  PetscInt  rows, first[METHODS + 1];
  PetscReal method[ROWS_MAX], seed[ROWS_MAX], step[ROWS_MAX], loss[ROWS_MAX], gradient2[ROWS_MAX], lambda[ROWS_MAX],
      bound[ROWS_MAX];
} Result;

/* what the inequality is about, at the problem's theta; lambda_min less what it is known to, at least 0 */
static PetscErrorCode Record(Problem *problem, PetscInt method, PetscInt seed, PetscInt step, Result *r)
{
  const PetscInt row = r->rows++;
  Spectrum       spectrum;
  Vec            gradient;

  PetscFunctionBeginUser;
  PetscCall(ProblemLinearize(problem));
  PetscCall(VecDuplicate(problem->theta, &gradient));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 2, problem->H, gradient));
  PetscCall(VecDot(gradient, gradient, &r->gradient2[row]));
  PetscCall(VecDestroy(&gradient));
  PetscCall(VecDot(problem->H, problem->H, &r->loss[row]));
  PetscCall(ExperimentSpectrum(problem, &spectrum));
  r->lambda[row] = PetscSqr(spectrum.sigma[spectrum.m - 1]);
  r->lambda[row] = PetscMax(0, r->lambda[row] - PetscSqr(spectrum.resolution));
  r->bound[row]  = 4 * r->lambda[row] * r->loss[row];
  r->method[row] = (PetscReal)method;
  r->seed[row]   = (PetscReal)seed;
  r->step[row]   = (PetscReal)step;
  PetscCall(SpectrumDestroy(&spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the path's first `steps` steps: a Tao of at most so many, from the same start, takes the same ones */
static PetscErrorCode FollowTao(Experiment *e, PetscInt method, Problem *problem, PetscInt steps)
{
  Train       train;
  ReachResult result;
  Tiles       K;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsSetValue(NULL, "-tao_type", Types[method]));
  e->reach.steps = steps;
  PetscCall(TrainCreate(problem->map, &e->reach, &train));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(TrainSolve(train, problem->theta, problem->trajectory, problem->H, problem->jacobian, K, &result));
  PetscCall(TilesDestroy(&K));
  PetscCall(TrainDestroy(&train));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* steps of length 1/(2 lambda_max(K)) at the start, halved where the loss would grow */
static PetscErrorCode Descend(Problem *problem, PetscInt steps, PetscReal *rate)
{
  PetscReal loss, next;
  Vec       former;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, &former));
  for (PetscInt step = 0; step < steps; step++) {
    PetscCall(VecDot(problem->H, problem->H, &loss));
    PetscCall(VecCopy(problem->theta, former));
    PetscCall(JacobianMultTransposeAdd(problem->jacobian, -2 * *rate, problem->H, problem->theta));
    PetscCall(ProblemLinearize(problem));
    PetscCall(VecDot(problem->H, problem->H, &next));
    if (next <= loss) continue;
    *rate /= 2;
    PetscCall(VecCopy(former, problem->theta));
    PetscCall(ProblemLinearize(problem));
  }
  PetscCall(VecDestroy(&former));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Rate(Problem *problem, PetscReal *rate)
{
  Spectrum spectrum;

  PetscFunctionBeginUser;
  PetscCall(ExperimentSpectrum(problem, &spectrum));
  *rate = 1 / (2 * PetscSqr(spectrum.sigma[0]));
  PetscCall(SpectrumDestroy(&spectrum));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* at steps 0, 1, 2, 3, 4, 6, 8, 12, 16, … */
static PetscErrorCode Path(Experiment *e, PetscInt method, PetscInt seed, Result *r)
{
  PetscReal rate = 0;
  Problem   problem;

  PetscFunctionBeginUser;
  e->net.seed = seed;
  PetscCall(ExperimentProblem(e, &problem));
  PetscCall(Rate(&problem, &rate));
  for (PetscInt step = 0, former = 0, power = 1; step <= Most[method];) {
    if (Types[method]) {
      PetscCall(NetworkSetInitial(problem.network, &e->net, problem.parameters, problem.theta));
      PetscCall(FollowTao(e, method, &problem, step));
    } else
      PetscCall(Descend(&problem, step - former, &rate));
    PetscCall(Record(&problem, method, seed, step, r));
    former = step;
    while (2 * power <= step) power *= 2;
    step += PetscMax(1, power / 2);
  }
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Draw(const Experiment *e, const Result *r, PetscInt seeds)
{
  static const PlotColour colours[] = {PLOT_BLUE, PLOT_RED, PLOT_GREEN, PLOT_ORANGE};
  const TableColumn       columns[] =
      {{"method", r->method},     {"seed", r->seed},   {"step", r->step}, {"loss", r->loss}, {"gradient_squared", r->gradient2},
       {"lambda_min", r->lambda}, {"bound", r->bound}, {NULL, NULL}};
  PetscReal       ends[2] = {PETSC_MAX_REAL, 0};
  PlotSeries      series[METHODS + 1];
  const PlotPanel panel = {.x       = {.label = "4 \u03bb_min(K) L", .scale = PLOT_LOG},
                           .y       = {.label = "|\u2207L|\u00b2", .scale = PLOT_LOG},
                           .nseries = METHODS + 1,
                           .series  = series};
  char            note[256];
  const Plot      plot = {.title   = "|\u2207L|\u00b2 \u2265 4 \u03bb_min(K) L along training paths",
                          .note    = note,
                          .npanels = 1,
                          .panels  = &panel};

  PetscFunctionBeginUser;
  for (PetscInt row = 0; row < r->rows; row++) {
    if (r->bound[row] > 0) ends[0] = PetscMin(ends[0], r->bound[row]);
    ends[1] = PetscMax(ends[1], r->bound[row]);
  }
  for (PetscInt k = 0; k < METHODS; k++)
    series[k] = (PlotSeries){.label  = Names[k],
                             .mark   = k % 2 ? PLOT_RINGS : PLOT_POINTS,
                             .colour = colours[k],
                             .n      = r->first[k + 1] - r->first[k],
                             .x      = r->bound + r->first[k],
                             .y      = r->gradient2 + r->first[k]};
  series[METHODS] = (PlotSeries){.label = "equality", .mark = PLOT_LINE, .colour = PLOT_INK, .n = 2, .x = ends, .y = ends};
  PetscCall(PetscSNPrintf(note, sizeof note, "%s, %d seeds; time runs to the left", e->job, (int)seeds));
  PetscCall(ExperimentWrite(e, "gradient", &plot, r->rows, columns));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Experiment *e)
{
  static Result r;
  PetscInt      seeds = 3, broken = 0, vacuous = 0;
  PetscReal     least = PETSC_MAX_REAL;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-seeds", &seeds, NULL));
  seeds = PetscMin(seeds, SEEDS_MAX);
  for (PetscInt method = 0; method < METHODS; method++) {
    for (PetscInt seed = 1; seed <= seeds; seed++) PetscCall(Path(e, method, seed, &r));
    r.first[method + 1] = r.rows;
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "# %s: %d points, loss %.2e at the end\n", Names[method],
                          (int)(r.rows - r.first[method]), (double)r.loss[r.rows - 1]));
  }
  for (PetscInt row = 0; row < r.rows; row++) {
    broken += !(r.gradient2[row] >= r.bound[row] * (1 - 1e-12)); /* rounding of both sides */
    vacuous += r.lambda[row] == 0;
    if (r.bound[row] > 0) least = PetscMin(least, r.gradient2[row] / r.bound[row]);
  }
  PetscCall(Draw(e, &r, seeds));
  Tap((PetscBool)(broken == 0), "|grad L|^2 >= 4 lambda_min(K) L at %d points of %d paths; the least ratio is %.4g", (int)r.rows,
      (int)(METHODS * seeds), (double)least);
  Tap((PetscBool)(vacuous == 0), "... where lambda_min(K) > 0 beyond what is known");
  Tap((PetscBool)(r.loss[r.first[1] - 1] < 1e-20), "... one of them to a zero of the loss");
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  Experiment e;

  ExperimentBegin(argc, argv, &e);
  TapCall(Run(&e));
  return TapEnd();
}
