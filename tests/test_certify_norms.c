// ranks: 1 2 3 4
/*
  test_certify_norms.c: ||W||_2 from above by every way there is - a Gram matrix of either side, panels, ||W||_F - on every grid, against LAPACK; and
  that the certificate takes the dearer way where the cheaper one does not do, and only there.
*/
#include "../src/certify_norms.h"
#include "codim/certify.h"
#include "problem.h"
#include <petscblaslapack.h>

enum { SIDE = 256, POINTS = 5 }; /* a side up to which a Gram matrix is made, for so few points */

/* ||W||: the root of the largest eigenvalue of the shorter side's Gram matrix */
static PetscErrorCode TrueNorm(PetscInt rows, PetscInt cols, const PetscReal W[], PetscReal *norm)
{
  const PetscBool columns = (PetscBool)(cols <= rows);
  const PetscReal alpha = 1, beta = 0;
  PetscBLASInt    s, k, ld, lwork, info;
  PetscReal      *G, *lambda, *work;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(columns ? cols : rows, &s));
  PetscCall(PetscBLASIntCast(columns ? rows : cols, &k));
  PetscCall(PetscBLASIntCast(cols, &ld));
  lwork = 8 * s;
  PetscCall(PetscMalloc3((size_t)s * (size_t)s, &G, s, &lambda, lwork, &work));
  BLASsyrk_("L", columns ? "N" : "T", &s, &k, &alpha, W, &ld, &beta, G, &s);
  LAPACKsyev_("N", "L", &s, G, &s, lambda, work, &lwork, &info);
  PetscCheck(!info, PETSC_COMM_SELF, PETSC_ERR_LIB, "dsyev");
  *norm = PetscSqrtReal(lambda[s - 1]);
  PetscCall(PetscFree3(G, lambda, work));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Net(PetscInt G, PetscInt inputs, PetscInt first, PetscInt second, Problem *problem)
{
  const NetOptions net =
      {.widths = {2, {first, second}}, .activation = "tanh", .bias = PETSC_TRUE, .seed = 5, .gain = 1, .bias_gain = .1};
  Data data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, POINTS, inputs, 1, 6, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &net, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* labels 300 x 20 (columns), 20 x 300 (rows), 300 x 270 (neither), and vectors */
static PetscErrorCode EveryWay(PetscInt G)
{
  static const PetscInt shapes[][3] = {{20, 300, 270}, {300, 20, 300}};
  PetscMPIInt           size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(shapes); k++) {
    Problem    problem;
    LabelNorm  with[8], without[8], after[8];
    PetscReal *all, *W, norm = 0;
    PetscBool  above = PETSC_TRUE, close = PETSC_TRUE, large = PETSC_FALSE, later = PETSC_TRUE;

    PetscCall(Net(G, shapes[k][0], shapes[k][1], shapes[k][2], &problem));
    PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_TRUE, with));
    PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_FALSE, without));
    PetscCall(BoundLabelNorms(problem.map, problem.theta, PETSC_FALSE, after));
    PetscCall(BoundLabelPanels(problem.map, problem.theta, after));
    PetscCall(PetscMalloc1(problem.map->n, &all));
    PetscCall(GetCanonical(problem.parameters, problem.theta, all));
    W = all;
    for (PetscInt label = 0; label < problem.network->nlabels; label++) {
      const Label    *what   = &problem.network->labels[label];
      const PetscBool panels = (PetscBool)(PetscMin(what->rows, what->cols) > SIDE);

      PetscCall(TrueNorm(what->rows, what->cols, W, &norm));
      W += what->rows * what->cols;
      if (!(with[label].spectral >= norm * (1 - 1e-12) && without[label].spectral >= with[label].spectral)) above = PETSC_FALSE;
      /* a rank has only its rows: of a wide matrix it makes a panel */
      if (!(with[label].spectral <= (panels || (size / G > 1 && what->rows < what->cols) ? 2 : 1.3) * norm)) close = PETSC_FALSE;
      if (panels)
        large =
            (PetscBool)(without[label].spectral == without[label].frobenius && with[label].spectral < .3 * with[label].frobenius);
      if (after[label].spectral != with[label].spectral) later = PETSC_FALSE;
    }
    Tap(above, "%d x %d ranks, %d-%d-%d-1: every bound is above ||W||, no dearer one worse", (int)G, (int)(size / G),
        (int)shapes[k][0], (int)shapes[k][1], (int)shapes[k][2]);
    Tap(close, "... and close to it");
    Tap((PetscBool)(large == (shapes[k][2] == 270)), "... where both sides are large: ||W||_F, or panels, which are much better");
    Tap(later, "... panels afterwards are the same");
    PetscCall(PetscFree(all));
    PetscCall(ProblemDestroy(&problem));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The farther the weights are from a zero, the sharper the norms must be. */
static PetscErrorCode Choice(PetscInt G)
{
  PetscInt    cheap = 0, dear = 0, lost = 0, last = 0;
  PetscBool   ordered = PETSC_TRUE;
  Problem     problem;
  Certificate c;
  Tiles       K;

  PetscFunctionBeginUser;
  PetscCall(Net(G, 4, 300, 300, &problem));
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem.map->m, &K));
  for (PetscInt k = 0; k < 24; k++) {
    const PetscReal *output = problem.trajectory->value[problem.network->nops - 1];
    PetscInt         grade;

    for (PetscInt i = 0; i < problem.map->N; i++) problem.data->y[i] = output[i] + PetscPowReal(10, -4 + .2 * (PetscReal)k);
    PetscCall(CertifyCompute(problem.map, problem.theta, problem.trajectory, K, &CertifyDefaults, &c));
    grade = c.status != CERTIFY_PROVED ? 2 : c.panels ? 1 : 0;
    cheap += grade == 0;
    dear += grade == 1;
    lost += grade == 2;
    ordered = (PetscBool)(ordered && grade >= last && (grade < 2 || c.panels));
    last    = grade;
    PetscCall(CertificateDestroy(&c));
  }
  Tap((PetscBool)(cheap > 0 && dear > 0 && lost > 0), "||W||_F proves %d cases, panels %d more, %d are too far", (int)cheap,
      (int)dear, (int)lost);
  Tap(ordered, "panels are tried where ||W||_F fails, and only there");
  PetscCall(TilesDestroy(&K));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  PetscMPIInt size;

  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) TapCall(EveryWay(G));
  TapCall(Choice(1));
  return TapEnd();
}
