// ranks: 1 2
/*
  test_threads.c: what four threads compute, where they share even the shortest loops, is what one thread computes, digit by digit: values,
  adjoints, products with J, its transpose and the Hessian, K, norms, the bounds of rounding errors, random numbers; of nets with every op that shares a loop.
*/
#include "../src/certify_bounds.h"
#include "../src/sweep.h"
#include "codim/gram.h"
#include "codim/threads.h"
#include "reference.h"
#include <omp.h>

extern int openblas_get_parallel(void) __attribute__((weak));

typedef struct {
  size_t     size, room;
  PetscReal *entry;
} Digits;

static PetscErrorCode Append(Digits *digits, size_t count, const PetscReal entries[])
{
  PetscFunctionBeginUser;
  if (digits->size + count > digits->room) {
    digits->room = 2 * (digits->size + count);
    PetscCall(PetscRealloc(sizeof(PetscReal) * digits->room, &digits->entry));
  }
  PetscCall(PetscArraycpy(digits->entry + digits->size, entries, count));
  digits->size += count;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendVec(Digits *digits, Vec v)
{
  const PetscReal *local;
  PetscInt         count;

  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(v, &count));
  PetscCall(VecGetArrayRead(v, &local));
  PetscCall(Append(digits, (size_t)count, local));
  PetscCall(VecRestoreArrayRead(v, &local));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendSweeps(Digits *digits, Problem *problem)
{
  const ResidualMap map = problem->map;

  PetscFunctionBeginUser;
  for (PetscInt v = 1; v < map->network->nops; v++) {
    const PetscReal *bar  = problem->jacobian->units->bar[v];
    const size_t     dim  = (size_t)map->network->ops[v].dim;
    const size_t     rows = (size_t)problem->jacobian->units->rows;

    PetscCall(Append(digits, (size_t)map->N * dim, problem->trajectory->value[v]));
    if (bar) PetscCall(Append(digits, rows * dim, bar));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the forward with a small rounding error, and the bounds of that error */
static PetscErrorCode AppendSplit(Digits *digits, Problem *problem)
{
  const Network   net     = problem->map->network;
  const OpContext context = {problem->parameters, problem->theta, NULL};
  PetscReal      *eps;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(problem->map->N, &eps));
  for (PetscInt v = 1; v < net->nops; v++) {
    const OpArrays arrays = OpArraysAt(problem->map, problem->trajectory, v);

    if (!net->ops[v].kind->bounds->split) continue;
    PetscCall(net->ops[v].kind->bounds->split(&net->ops[v], &context, &arrays, eps));
    PetscCall(Append(digits, (size_t)problem->map->N, eps));
    PetscCall(Append(digits, (size_t)problem->map->N * (size_t)net->ops[v].dim, arrays.out));
  }
  PetscCall(PetscFree(eps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendProducts(Digits *digits, Problem *problem)
{
  Vec v, y, u;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(problem->theta, &v));
  PetscCall(VecDuplicate(problem->theta, &y));
  PetscCall(VecDuplicate(problem->H, &u));
  PetscCall(ParametersSetRandom(problem->parameters, 3, 1, v));
  PetscCall(SetRandomRows(problem, 4, u));
  PetscCall(AppendVec(digits, v));
  PetscCall(VecSet(y, 0));
  PetscCall(JacobianMultTransposeAdd(problem->jacobian, 2, u, y));
  PetscCall(AppendVec(digits, y));
  PetscCall(HessianMult(problem->hessian, HESSIAN_EXACT, v, y));
  PetscCall(AppendVec(digits, y));
  PetscCall(JacobianMult(problem->jacobian, v, u));
  PetscCall(AppendVec(digits, u));
  PetscCall(JacobianRowNormsSquared(problem->jacobian, -1, u));
  PetscCall(AppendVec(digits, u));
  PetscCall(VecDestroy(&u));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode AppendGram(Digits *digits, Problem *problem)
{
  PetscReal norms[3];
  Tiles     K;

  PetscFunctionBeginUser;
  PetscCall(TilesCreate(PETSC_COMM_WORLD, problem->map->m, &K));
  PetscCall(GramCompute(problem->jacobian, K));
  PetscCall(TilesNorms(K, &norms[0], &norms[1], &norms[2]));
  PetscCall(Append(digits, 3, norms));
  PetscCall(TilesMirror(K));
  PetscCall(Append(digits, (size_t)K->rows * (size_t)K->cols, K->a));
  PetscCall(TilesDestroy(&K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* many points: loops that threads are in at the same time */
static PetscErrorCode LongProblem(const Case *none, PetscInt G, Problem *problem)
{
  NetOptions options = {.widths = {2, {64, 64}}, .activation = "gelu", .bias = PETSC_TRUE, .seed = 9, .gain = 1.5, .bias_gain = .5};
  Data       data;

  PetscFunctionBeginUser;
  (void)none;
  PetscCall(DataRandom(PETSC_COMM_WORLD, 1500, 10, 3, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, G, data, &options, problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef PetscErrorCode MakeProblem(const Case *c, PetscInt G, Problem *problem);

static PetscErrorCode Compute(MakeProblem *make, const Case *c, int threads, Digits *digits)
{
  PetscMPIInt size;
  Problem     problem;

  PetscFunctionBeginUser;
  omp_set_num_threads(threads);
  *digits = (Digits){.size = 0};
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(make(c, size, &problem));
  PetscCall(ProblemLinearizeHessian(&problem));
  PetscCall(AppendSweeps(digits, &problem));
  PetscCall(AppendProducts(digits, &problem));
  PetscCall(AppendGram(digits, &problem));
  PetscCall(AppendSplit(digits, &problem));
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* tolerance: 0 where the products are too short for threads of the BLAS, which may round differently */
static PetscErrorCode Compare(MakeProblem *make, const Case *c, PetscReal tolerance, const char name[])
{
  Digits one, four;

  PetscFunctionBeginUser;
  PetscCall(Compute(make, c, 1, &one));
  PetscCall(Compute(make, c, 4, &four));
  Tap((PetscBool)(one.size == four.size && Largest((PetscInt)one.size, one.entry) > 0),
      "%s: as many numbers on four threads as on one", name);
  TapClose(LargestDifference((PetscInt)one.size, one.entry, four.entry), 0, Largest((PetscInt)one.size, one.entry), tolerance,
           tolerance > 0 ? "... the same but for rounding" : "... the same digits");
  PetscCall(PetscFree(one.entry));
  PetscCall(PetscFree(four.entry));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CompareCase(const char name[])
{
  Case c;

  PetscFunctionBeginUser;
  PetscCall(CaseCreate(name, &c));
  PetscCall(Compare(CaseProblem, &c, 0, name));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* with OpenBLAS' own threads, codim's loops are not shared at all */
static void TestShare(void)
{
  const PetscBool own = (PetscBool)(openblas_get_parallel && openblas_get_parallel() == 1);

  omp_set_num_threads(4);
  Tap((PetscBool)(ThreadsCount() == 4), "there are as many threads as OpenMP says");
  Tap((PetscBool)(!ThreadsShare(ThreadsLeast - 1)), "short loops are not shared");
  Tap((PetscBool)(ThreadsShare(ThreadsLeast) == !own), "longer ones are, unless the BLAS has threads of its own");
  omp_set_num_threads(1);
  Tap((PetscBool)(!ThreadsShare(ThreadsLeast)), "one thread shares nothing");
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-gelu", "mlp-softplus-3out", "mlp-tanh",         "cnn-tanh",    "cnn-max",       "lstm",
                                      "gru",      "graph-edge",        "batchnorm-resnet", "transformer", "tied-embedding"};

  TapBegin(&argc, &argv);
  TestShare();
  ThreadsLeast = 1;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(CompareCase(cases[k]));
  TapCall(Compare(LongProblem, NULL, 1e-14, "4500 residuals"));
  return TapEnd();
}
