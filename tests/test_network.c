// ranks: 1 2 3 4
/*
  test_network.c: lists of ops as files: what a builder writes is read as the same net; and what is wrong with a list is said.

  Derivatives of every op are compared with PyTorch's in test_reference.c.
*/
#include "capture.h"
#include "reference.h"

static char place[64]; /* a file name for rank 0 */

/* ---- written and read again -------------------------------------------------------------------------------------- */

/* the net of a case, written by NetworkWrite and read as a list: the same labels, and H bit by bit */
static PetscErrorCode TestRoundTrip(const char name[])
{
  Case        c;
  Problem     built, read;
  PetscMPIInt size;
  PetscBool   same;
  PetscReal  *H, *H_read;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(CaseCreate(name, &c));
  PetscCall(CaseProblem(&c, size % 2 ? 1 : size / 2, &built));
  PetscCall(NetworkWrite(PETSC_COMM_WORLD, built.network, place));
  c.net.arch = 5;
  PetscCall(PetscStrncpy(c.net.file, place, sizeof c.net.file));
  PetscCall(CaseProblem(&c, size % 2 ? 1 : size / 2, &read));
  same = (PetscBool)(built.network->nlabels == read.network->nlabels);
  for (PetscInt i = 0; same && i < read.network->nlabels; i++) {
    const Label *a = &built.network->labels[i], *b = &read.network->labels[i];

    same = (PetscBool)(!strcmp(a->name, b->name) && a->rows == b->rows && a->cols == b->cols && a->ndim == b->ndim);
  }
  Tap(same, "%s: the list as a file has the same %" PetscInt_FMT " parameters", name, built.network->nlabels);
  PetscCall(PetscMalloc2(c.m, &H, c.m, &H_read));
  PetscCall(RowsGatherAll(built.map->rows, built.H, H));
  PetscCall(RowsGatherAll(read.map->rows, read.H, H_read));
  Tap((PetscBool)(LargestDifference(c.m, H, H_read) == 0), "... and the same H, bit by bit");
  PetscCall(PetscFree2(H, H_read));
  PetscCall(ProblemDestroy(&read));
  PetscCall(ProblemDestroy(&built));
  PetscCall(CaseDestroy(&c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- the initial theta ------------------------------------------------------------------------------------------- */

static const char started[] =
    "{\"inputs\": 3, \"parameters\": [{\"name\": \"g\", \"shape\": [3], \"mean\": 1, \"deviation\": 0}, "
    "{\"name\": \"w\", \"shape\": [1, 3]}], \"ops\": [{\"name\": \"gain\", \"op\": \"parameter\", \"inputs\": [], "
    "\"parameters\": {\"value\": \"g\"}}, {\"name\": \"scaled\", \"op\": \"multiply\", \"inputs\": [\"input\", "
    "\"gain\"]}, {\"name\": \"out\", \"op\": \"linear\", \"inputs\": [\"scaled\"], \"parameters\": {\"weight\": "
    "\"w\"}}]}";

static PetscErrorCode WriteList(const char text[])
{
  PetscMPIInt rank;
  FILE       *file;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank) PetscFunctionReturn(PETSC_SUCCESS);
  file = fopen(place, "w");
  PetscCheck(file && fputs(text, file) >= 0 && !fclose(file), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s", place);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TestStart(void)
{
  NetOptions net = {.arch = 5, .activation = "tanh", .seed = 3, .gain = 1, .bias_gain = 1};
  Problem    problem;
  Data       data;
  PetscReal  theta[6];

  PetscFunctionBeginUser;
  PetscCall(WriteList(started));
  PetscCall(PetscStrncpy(net.file, place, sizeof net.file));
  PetscCall(DataRandom(PETSC_COMM_WORLD, 5, 3, 1, 3, &data));
  PetscCall(ProblemCreate(PETSC_COMM_WORLD, 1, data, &net, &problem));
  PetscCall(GetCanonical(problem.parameters, problem.theta, theta));
  Tap((PetscBool)(theta[0] == 1 && theta[1] == 1 && theta[2] == 1), "mean 1 and deviation 0: a gain begins at 1");
  Tap((PetscBool)(theta[3] != 0 && theta[3] != theta[4]), "... a weight without them at random");
  PetscCall(ProblemDestroy(&problem));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ---- what is wrong ----------------------------------------------------------------------------------------------- */

/* "ops" of lists with the parameters below; says: what the message must have */
typedef struct {
  const char *claim, *ops, *says[3];
} Wrong;

#define LIST(ops)                                                                                                                  \
  "{\"inputs\": 6, \"parameters\": [{\"name\": \"w\", \"shape\": [2, 6]}, {\"name\": \"b\", \"shape\": [3]}], \"ops\": [" ops "]}"
#define W(name, input)                                                                                                             \
  "{\"name\": \"" name "\", \"op\": \"linear\", \"inputs\": [\"" input "\"], \"parameters\": {\"weight\": \"w\"}}"
#define OP(name, kind, inputs, attributes)                                                                                         \
  "{\"name\": \"" name "\", \"op\": \"" kind "\", \"inputs\": [" inputs "], \"attributes\": {" attributes "}}"

static const Wrong wrongs[] = {
    {"no JSON", "{\"inputs\": 6,\n \"ops\": [}", {"net.file", "line 2"}},
    {"a key twice", "{\"inputs\": 6, \"inputs\": 6}", {"net.file", "duplicate"}},
    {"no lists", "{\"inputs\": 6}", {"'parameters' and 'ops'"}},
    {"another number of inputs", "{\"inputs\": 4, \"parameters\": [], \"ops\": [{}]}", {"has 4 inputs, the data have 6"}},
    {"an unknown op, with those there are", LIST(OP("a", "lineal", "\"input\"", "")), {"'lineal'", "linear, parameter"}},
    {"an op without a name", LIST("{\"op\": \"add\"}"), {"op 1 of the list"}},
    {"a missing input", LIST(W("a", "nothing")), {"op 'a' (linear)", "no op 'nothing'"}},
    {"a cycle", LIST(W("a", "c") ", " OP("c", "activation", "\"a\"", "\"function\": \"tanh\"")), {"op 'a'", "cycle"}},
    {"a name twice", LIST(W("a", "input") ", " W("a", "input")), {"two values are named 'a'"}},
    {"a shape that does not fit, with both", LIST(W("a", "input") ", " W("c", "a")), {"op 'c'", "2 x 6", "'a' has 2 entries"}},
    {"a bias that does not fit, with both",
     LIST("{\"name\": \"a\", \"op\": \"linear\", \"inputs\": [\"input\"], \"parameters\": {\"weight\": \"w\", \"bias\": \"b\"}}"),
     {"op 'a'", "2 x 6", "3 x 1"}},
    {"an unknown parameter",
     LIST("{\"name\": \"a\", \"op\": \"parameter\", \"parameters\": {\"value\": \"v\"}}"),
     {"op 'a'", "value 'v'"}},
    {"an unknown attribute, with those there are",
     LIST(OP("a", "unfold", "\"input\"", "\"shape\": [1, 2, 3], \"kernel\": 1, \"strides\": 2")),
     {"a: there is no 'strides'", "stride, padding"}},
    {"an attribute of another type",
     LIST(OP("a", "slice", "\"input\"", "\"last\": \"two\"")),
     {"op 'a' (slice)", "'last'", "integer"}},
    {"a part that is not there", LIST(OP("a", "slice", "\"input\"", "\"first\": 4, \"last\": 9")), {"op 'a' (slice)", "4", "9"}},
    {"a shape with another product",
     LIST(OP("a", "mean", "\"input\"", "\"shape\": [2, 2], \"axes\": [1]")),
     {"op 'a' (mean)", "4 entries", "'input' has 6"}},
    {"axes that are no permutation",
     LIST(OP("a", "permute", "\"input\"", "\"shape\": [2, 3], \"axes\": [1, 1]")),
     {"op 'a'", "'axes'"}},
    {"an index out of range", LIST(OP("a", "select", "\"input\"", "\"indices\": [0, 6]")), {"op 'a'", "entry 1", "0 to 5"}},
    {"a product of other sizes",
     LIST(OP("a", "matmul", "\"input\", \"input\"", "\"rows\": 2, \"inner\": 3, \"cols\": 4")),
     {"op 'a' (matmul)", "has 6 entries, not 1 x 3 x 4"}},
    {"lengths that do not divide",
     LIST(W("w", "input") ", " OP("m", "slice", "\"input\"", "\"last\": 4") ", " OP("a", "multiply", "\"input\", \"m\"", "")),
     {"op 'a' (multiply)", "4 entries", "6 of the first"}},
    {"an unknown function", LIST(OP("a", "activation", "\"input\"", "\"function\": \"relu7\"")), {"op 'a'", "'relu7'", "softplus"}},
    {"too few inputs", LIST(OP("a", "add", "\"input\"", "")), {"op 'a' (add)", "2 to 2 names; it has 1"}},
    {"batch normalization in training mode, with the reason",
     LIST(OP("a", "batchnorm", "\"input\"", "")),
     {"op 'a'", "couples the points", "affine"}},
    {"an output of another size", LIST(W("a", "input")), {"'a' has 2 outputs, the data have 1"}},
    {"an output without parameters", LIST(OP("a", "slice", "\"input\"", "\"last\": 1")), {"'a' depends on no parameter"}},
    {"a parameter that no op uses", LIST(W("a", "input") ", " OP("c", "slice", "\"a\"", "\"last\": 1")), {"'b' is used by no op"}},
    {"integers that depend on parameters",
     LIST(W("a", "input") ", " OP("e", "embedding", "\"a\", \"a\"", "\"width\": 1")),
     {"op 'e' (embedding)", "depends on the parameters"}},
};

static PetscErrorCode TestWrong(const Wrong *wrong)
{
  NetOptions     net     = {.arch = 5, .activation = "tanh"};
  Network        network = NULL;
  Capture        capture;
  PetscErrorCode ierr;
  PetscMPIInt    rank;
  char           message[4096];
  PetscBool      ok;

  PetscFunctionBeginUser;
  PetscCall(WriteList(wrong->ops));
  PetscCall(PetscStrncpy(net.file, place, sizeof net.file));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = NetworkCreate(PETSC_COMM_WORLD, &net, 6, 1, &network);
  CaptureEnd(&capture, message, sizeof message);
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  ok = (PetscBool)(ierr && ExitStatusOfError(ierr) == STATUS_USAGE && !network && CountLines(message) == (rank ? 0 : 1));
  for (size_t i = 0; i < 3 && wrong->says[i] && rank == 0; i++) ok = (PetscBool)(ok && strstr(message, wrong->says[i]));
  if (!Tap(ok, "%s", wrong->claim) && !ok) fprintf(stderr, "# %s\n", message);
  PetscCall(NetworkDestroy(&network));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  static const char *const cases[] = {"mlp-tanh", "cnn-tanh", "cnn-odd",     "cnn-max",    "rnn-tanh",
                                      "lstm",     "gru",      "resnet-tanh", "graph-node", "graph-edge"};

  TapBegin(&argc, &argv);
  TapCall(PetscSNPrintf(place, sizeof place, "/tmp/codim-test-net-%d.json", (int)getpid()));
  TapCall(MPI_Bcast(place, sizeof place, MPI_CHAR, 0, PETSC_COMM_WORLD));
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(cases); k++) TapCall(TestRoundTrip(cases[k]));
  TapCall(TestStart());
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(wrongs); k++) TapCall(TestWrong(&wrongs[k]));
  (void)unlink(place);
  return TapEnd();
}
