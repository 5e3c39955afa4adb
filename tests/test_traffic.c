// ranks: 1 2 3 4 6
/*
  test_traffic.c: bytes a rank receives and calls of MPI that move data, counted by MPI's profiling interface, against the formulas of cost.h that
  `codim plan` sums up: within 10 %.
*/
#include "codim/certify.h"
#include "codim/spectrum.h"
#include "problem.h"

#include "../src/count_mpi.h"

static PetscMPIInt size;

typedef struct {
  Problem     p;
  Sizes       sizes;
  Tiles       K, V;
  Vec         v, u;
  PetscReal  *rows; /* m */
  Certificate certificate;
  Cost        cost; /* of the part that is being counted */
} Subject;

typedef struct {
  const char *name;
  PetscErrorCode (*run)(Subject *s);     /* what is counted, and its cost */
  PetscErrorCode (*prepare)(Subject *s); /* not counted */
  double calls;                          /* tolerance: ELPA's depend on the grid in ways that are only fitted */
} Part;

static PetscErrorCode Nothing(Subject *s)
{
  (void)s;
  return PETSC_SUCCESS;
}

static PetscErrorCode FillK(Subject *s)
{
  PetscFunctionBeginUser;
  PetscCall(GramCompute(s->p.jacobian, s->K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Factor(Subject *s)
{
  PetscBool success;

  PetscFunctionBeginUser;
  PetscCall(FillK(s));
  PetscCall(TilesShift(s->K, 1));
  PetscCall(TilesCholesky(s->K, &success));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Linearized(Subject *s)
{
  PetscFunctionBeginUser;
  PetscCall(ProblemLinearizeHessian(&s->p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Forward(Subject *s)
{
  PetscFunctionBeginUser;
  ResidualMapApplyCost(&s->sizes, &s->cost);
  PetscCall(ResidualMapApply(s->p.map, s->p.theta, s->p.trajectory, s->p.H));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Adjoints(Subject *s)
{
  PetscFunctionBeginUser;
  ResidualMapAdjointCost(&s->sizes, s->sizes.R, 1, &s->cost);
  PetscCall(JacobianLinearize(s->p.jacobian, s->p.theta, s->p.trajectory));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode JacobianTimes(Subject *s)
{
  PetscFunctionBeginUser;
  JacobianMultCost(&s->sizes, &s->cost);
  PetscCall(JacobianMult(s->p.jacobian, s->v, s->u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TransposeTimes(Subject *s)
{
  PetscFunctionBeginUser;
  JacobianMultTransposeAddCost(&s->sizes, &s->cost);
  PetscCall(JacobianMultTransposeAdd(s->p.jacobian, 1, s->u, s->v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GramTimes(Subject *s)
{
  PetscFunctionBeginUser;
  JacobianMultGramCost(&s->sizes, &s->cost);
  PetscCall(JacobianMultGram(s->p.jacobian, s->u, s->u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode HessianTimes(Subject *s)
{
  PetscFunctionBeginUser;
  HessianMultCost(&s->sizes, &s->cost);
  PetscCall(HessianMult(s->p.hessian, HESSIAN_EXACT, s->v, s->v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Gram(Subject *s)
{
  PetscFunctionBeginUser;
  GramCost(&s->sizes, &s->cost);
  PetscCall(GramCompute(s->p.jacobian, s->K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Cholesky(Subject *s)
{
  PetscBool success;

  PetscFunctionBeginUser;
  TilesCholeskyCost(&s->sizes, &s->cost);
  PetscCall(TilesCholesky(s->K, &success));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Solve(Subject *s)
{
  PetscFunctionBeginUser;
  TilesSolveCost(&s->sizes, &s->cost);
  PetscCall(TilesSolve(s->K, s->rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Products(Subject *s)
{
  PetscFunctionBeginUser;
  TilesGramCost(&s->sizes, PETSC_FALSE, &s->cost);
  PetscCall(TilesGram(s->K, PETSC_FALSE, s->V));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Eigenvalues(Subject *s)
{
  PetscFunctionBeginUser;
  TilesEigenvaluesCost(&s->sizes, &s->cost);
  PetscCall(TilesEigenvalues(s->K, s->rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Eigenvectors(Subject *s)
{
  PetscFunctionBeginUser;
  TilesEigenvectorsCost(&s->sizes, &s->cost);
  PetscCall(TilesEigenvectors(s->K, s->rows, s->V));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Certify(Subject *s)
{
  CertifyOptions options = CertifyDefaults;

  PetscFunctionBeginUser;
  options.split = SPLIT_ALWAYS; /* one attempt */
  options.paths = SPLIT_NEVER;
  CertifyCost(&s->sizes, &options, &s->cost);
  PetscCall(CertifyCompute(s->p.map, s->p.theta, s->p.trajectory, s->K, &options, &s->certificate));
  PetscCall(CertificateDestroy(&s->certificate));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TransposedProducts(Subject *s)
{
  PetscFunctionBeginUser;
  TilesGramCost(&s->sizes, PETSC_TRUE, &s->cost);
  PetscCall(TilesGram(s->K, PETSC_TRUE, s->V));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* targets so near that no step is refused */
static PetscErrorCode NearTargets(Subject *s)
{
  const ResidualMap map    = s->p.map;
  const PetscReal  *output = s->p.trajectory->value[map->network->nops - 1];

  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < map->N * map->l; i++) s->p.data->y[i] = output[i] + 1e-2;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reach(Subject *s)
{
  ReachOptions options = {.tolerance = 1e-300, .steps = 2, .polish = PETSC_TRUE};
  ReachResult  result;
  Train        train;

  PetscFunctionBeginUser;
  PetscCall(TrainCreate(s->p.map, &options, &train));
  PetscCall(TrainSolve(train, s->p.theta, s->p.trajectory, s->p.H, s->p.jacobian, s->K, &result));
  PetscCall(TrainDestroy(&train));
  TrainCost(&s->sizes, (PetscReal)result.steps, &s->cost);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const Part Parts[] = {{"a forward pass", Forward, Nothing, .1},
                             {"the factors of J", Adjoints, Nothing, .1},
                             {"J v", JacobianTimes, Nothing, .1},
                             {"J^T u", TransposeTimes, Nothing, .1},
                             {"J J^T u", GramTimes, Nothing, .1},
                             {"K", Gram, Nothing, .1},
                             {"Cholesky", Cholesky, FillK, .1},
                             {"a solve", Solve, Factor, .1},
                             {"A A^T", Products, Factor, .1},
                             {"A^T A", TransposedProducts, Factor, .1},
                             {"eigenvalues", Eigenvalues, FillK, .25},
                             {"eigenvectors", Eigenvectors, FillK, .25},
                             {"a certificate", Certify, Nothing, .25},
                             {"two steps", Reach, NearTargets, .1},
                             {"a Hessian product", HessianTimes, Linearized, .1}};

static PetscBool Within(double planned, double measured, double tolerance)
{
  return (PetscBool)(PetscAbsReal(planned - measured) <= tolerance * measured);
}

static PetscErrorCode TestPart(Subject *s, const Part *part, const char where[])
{
  double received, messages, bytes, calls;

  PetscFunctionBeginUser;
  s->cost = (Cost){.bytes = 0};
  PetscCall(part->prepare(s));
  counted.received = counted.messages = 0;
  PetscCall(part->run(s));
  CountRead(&received, &messages);
  bytes = (double)s->cost.received;
  calls = (double)s->cost.messages;
  Tap(Within(bytes, received, .1), "%s %s: %.0f bytes a rank, %.0f planned", where, part->name, received, bytes);
  Tap(Within(calls, messages, part->calls), "... in %.1f calls, %.1f planned", messages, calls);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const NetOptions mlp   = {.widths = {2, {120, 90}}, .activation = "tanh", .bias = PETSC_TRUE, .gain = 1, .bias_gain = .1};
static const NetOptions gated = {.arch       = 5,
                                 .file       = "tests/nets/gated-only.json",
                                 .activation = "tanh",
                                 .gain       = 1,
                                 .bias_gain  = .1}; /* labels share A A^T */

static PetscErrorCode TestGrid(PetscInt G, const NetOptions *net, PetscInt d, PetscInt l)
{
  char    where[64];
  Subject s = {.rows = NULL};
  Data    data;

  PetscFunctionBeginUser;
  PetscCall(DataRandom(PETSC_COMM_WORLD, d, 13, l, 1, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, net, &s.p));
  ResidualMapSizes(s.p.map, &s.sizes);
  PetscCall(TilesCreate(PETSC_COMM_WORLD, s.p.map->m, &s.K));
  PetscCall(TilesDuplicate(s.K, &s.V));
  PetscCall(PetscCalloc1(s.p.map->m, &s.rows));
  PetscCall(VecDuplicate(s.p.theta, &s.v));
  PetscCall(VecDuplicate(s.p.H, &s.u));
  PetscCall(VecSet(s.v, 1));
  PetscCall(VecSet(s.u, 1));
  PetscCall(PetscSNPrintf(where, sizeof where, "grid %d x %d, %s, m = %d:", (int)G, (int)(size / G), net == &mlp ? "mlp" : "gated",
                          (int)s.p.map->m));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(Parts); k++) PetscCall(TestPart(&s, &Parts[k], where));
  PetscCall(VecDestroy(&s.u));
  PetscCall(VecDestroy(&s.v));
  PetscCall(PetscFree(s.rows));
  PetscCall(TilesDestroy(&s.V));
  PetscCall(TilesDestroy(&s.K));
  PetscCall(ProblemDestroy(&s.p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  TapBegin(&argc, &argv);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  for (PetscInt G = 1; G <= size; G++)
    if (size % G == 0) {
      TapCall(TestGrid(G, &mlp, 640, 1));
      TapCall(TestGrid(G, &mlp, 320, 2));
      TapCall(TestGrid(G, &gated, 640, 1));
    }
  return TapEnd();
}
