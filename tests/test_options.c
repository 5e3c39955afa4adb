// ranks: 1 2 3
/* test_options.c: the database, the job file and PETSc agree on every value; what is wrong is named, with its line. */
#include "capture.h"
#include "codim/options.h"
#include "tap.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
  PetscBool    certify;
  PetscInt     seed;
  PetscReal    gain;
  OptionString output;
  PetscInt     arch;
  OptionInts   widths;
  PetscReal    scale;
} Values;

static const char *const archs[] = {"mlp", "cnn", "rnn", NULL};

static const OptionKey net_keys[] = {
    {"net_arch", KEY_CHOICE, offsetof(Values, arch), "mlp", 0, 0, archs, "the architecture"},
    {"net_widths", KEY_INTS, offsetof(Values, widths), "64,32", 1, 1000, NULL, "of the hidden layers"},
    {"net_gain", KEY_REAL, offsetof(Values, gain), "1", 0, 100, NULL, "of the initial weights"},
    {"net_seed", KEY_INT, offsetof(Values, seed), "7", 0, (PetscReal)PETSC_MAX_INT, NULL, "of the initial weights"},
    {NULL, KEY_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static const OptionKey run_keys[] = {
    {"certify", KEY_BOOL, offsetof(Values, certify), "true", 0, 0, NULL, "prove it"},
    {"output", KEY_STRING, offsetof(Values, output), "", 0, 0, NULL, "directory"},
    {"data_target_scale", KEY_REAL, offsetof(Values, scale), "-0.5", -INFINITY, INFINITY, NULL, "of the targets"},
    {NULL, KEY_BOOL, 0, NULL, 0, 0, NULL, NULL},
};

static const OptionKey *const tables[] = {net_keys, run_keys, NULL};

static char job[] = "/tmp/codim-options-XXXXXX"; /* this rank's job file */

static void Check(const char yaml[], Complaint *complaint)
{
  FILE *file = fopen(job, "w");

  TapCall(file && fputs(yaml, file) >= 0 && !fclose(file) ? PETSC_SUCCESS : PETSC_ERR_FILE_WRITE);
  complaint->status = STATUS_HOLDS;
  OptionsCheckFile(job, tables, complaint);
}

static PetscErrorCode Read(Values *values)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMemzero(values, sizeof *values));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Net", net_keys, values));
  PetscCall(OptionsRead(PETSC_COMM_WORLD, "Run", run_keys, values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the error of a reading that may fail, its message kept on rank 0 */
static PetscErrorCode ReadQuietly(Values *values, char message[], size_t size)
{
  Capture        capture = CaptureBegin(STDERR_FILENO);
  PetscErrorCode ierr    = Read(values);

  CaptureEnd(&capture, message, size);
  return ierr;
}

static void TestDefaults(void)
{
  Values v;

  TapCall(PetscOptionsClear(NULL));
  TapCall(Read(&v));
  Tap((PetscBool)(v.certify && v.seed == 7 && v.gain == 1 && !*v.output && v.arch == 0 && v.scale == -0.5),
      "a key not given has its default");
  Tap((PetscBool)(v.widths.n == 2 && v.widths.v[0] == 64 && v.widths.v[1] == 32), "a list too");
}

/* the same settings, thrice */
static const char flat[]   = "net_arch: cnn\nnet_widths: 5,6,7\nnet_gain: 2.5e-1\nnet_seed: 12\ncertify: off\noutput: some where\n"
                             "data_target_scale: .5\n";
static const char nested[] = "# a job\nnet:\n  arch: 'cnn'\n  widths: [5, 6, 7]\n  gain: 0.25\n  seed: 12\ncertify: false\n"
                             "output: \"some where\"\ndata: {target: {scale: 5e-1}}\n";
static const char mixed[]  = "Net: {Arch: cnn}\nnet_widths:\n- 5\n- 6\n- 7\nnet_gain: &quarter 0.25\nnet_seed: +12\ncertify: No\n"
                             "output: |-\n  some where\ndata_target: {scale: 0.5}\ntao_gttol: *quarter\nlog_view:\n";

static void TestJobFile(void)
{
  const char *const spellings[] = {flat, nested, mixed};
  const char *const names[]     = {"flat", "nested", "mixed"};
  Complaint         complaint;
  Values            v;

  for (int i = 0; i < 3; i++) {
    Check(spellings[i], &complaint);
    Tap((PetscBool)!complaint.status, "a %s job file passes the check%s%s", names[i], complaint.status ? ": " : "",
        complaint.status ? complaint.text : "");
    TapCall(PetscOptionsClear(NULL));
    TapCall(PetscOptionsInsertFileYAML(PETSC_COMM_WORLD, NULL, job, PETSC_TRUE));
    TapCall(Read(&v));
    Tap((PetscBool)(!v.certify && v.seed == 12 && v.gain == 0.25 && !strcmp(v.output, "some where") && v.arch == 1 &&
                    v.scale == 0.5 && v.widths.n == 3 && v.widths.v[0] == 5 && v.widths.v[1] == 6 && v.widths.v[2] == 7),
        "and PETSc reads it to the values written");
  }
}

/* what PETSc makes of the text, or a NaN where it takes it for an error */
static PetscReal PetscReads(OptionType type, const char option[])
{
  PetscBool      set, truth = PETSC_FALSE;
  PetscInt       integer = 0;
  PetscReal      real    = 0;
  OptionInts     list    = {OPTION_INTS_MAX, {0}};
  PetscErrorCode ierr;
  PetscReal      value;

  TapCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  if (type == KEY_BOOL)
    ierr = PetscOptionsGetBool(NULL, NULL, option, &truth, &set);
  else if (type == KEY_INT)
    ierr = PetscOptionsGetInt(NULL, NULL, option, &integer, &set);
  else if (type == KEY_REAL)
    ierr = PetscOptionsGetReal(NULL, NULL, option, &real, &set);
  else
    ierr = PetscOptionsGetIntArray(NULL, NULL, option, list.v, &list.n, &set);
  TapCall(PetscPopErrorHandler());
  value = truth ? 1 : (PetscReal)integer + real;
  for (PetscInt i = 0; type == KEY_INTS && i < list.n; i++) value = 1001 * value + (PetscReal)list.v[i];
  return ierr ? (PetscReal)NAN : value;
}

static PetscReal Ours(OptionType type, const Values *v)
{
  PetscReal value = 0;

  if (type == KEY_BOOL) return v->certify ? 1 : 0;
  if (type == KEY_INT) return (PetscReal)v->seed;
  if (type == KEY_REAL) return v->scale;
  for (PetscInt i = 0; i < v->widths.n; i++) value = 1001 * value + (PetscReal)v->widths.v[i];
  return value;
}

/* a text is taken in the job file if and only if it is on the command line, and then PETSc reads the same value */
static void TestAgreement(void)
{
  static const struct {
    OptionType  type;
    const char *option, *accepted[12], *refused[16];
  } cases[] = {
      {KEY_BOOL,
       "certify",
       {"true", "false", "yes", "no", "on", "off", "1", "0", "True", "OFF"},
       {"2", "maybe", "y", "n", "t", "truee"}},
      {KEY_INT,
       "net_seed",
       {"0", "7", "+5", "007", "2147483647"},
       {"-1", "1e3", "5.0", "0x10", "DEFAULT", "decide", "99999999999999999999", "1_000", "five", "5x", "5,6"}},
      {KEY_REAL,
       "data_target_scale",
       {"0", "-1.5", "+5", ".5", "5.", "1e-3", "1E5", "0x1p3", "1e-400"},
       {"nan", "NaN", "inf", "-inf", ".inf", "1e999", "1d3", "1_0", "abc", "1e", "5 6", "default"}},
      {KEY_INTS,
       "net_widths",
       {"5", "5,6", "5, 6", "1,2,3,4"},
       {"5-7", "5,,6", "',5'", "'5,'", "5.5", "0", "5,1001", "5;6", "5 6", "a,b"}},
  };
  Complaint complaint;
  Values    v;
  char      yaml[128], option[64], message[4096];

  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    int accepted = 1, refused = 1;

    snprintf(option, sizeof option, "-%s", cases[c].option);
    for (int i = 0; cases[c].accepted[i]; i++) {
      snprintf(yaml, sizeof yaml, "%s: %s\n", cases[c].option, cases[c].accepted[i]);
      Check(yaml, &complaint);
      TapCall(PetscOptionsClear(NULL));
      TapCall(PetscOptionsInsertStringYAML(NULL, yaml));
      TapCall(Read(&v));
      accepted = accepted && !complaint.status && Ours(cases[c].type, &v) == PetscReads(cases[c].type, option);
    }
    Tap((PetscBool)accepted, "%s: what is accepted, PETSc reads to the same value", cases[c].option);
    for (int i = 0; cases[c].refused[i]; i++) {
      snprintf(yaml, sizeof yaml, "%s: %s\n", cases[c].option, cases[c].refused[i]);
      Check(yaml, &complaint);
      TapCall(PetscOptionsClear(NULL));
      TapCall(PetscOptionsInsertStringYAML(NULL, yaml));
      refused = refused && complaint.status == STATUS_USAGE && ReadQuietly(&v, message, sizeof message) == PETSC_ERR_USER;
    }
    Tap((PetscBool)refused, "%s: what is refused, is refused in the job file and on the command line", cases[c].option);
  }
}

static const struct {
  const char *claim, *yaml, *said[4];
} refused_files[] = {
    {"a misspelt key", "net:\n  arch: mlp\n  gian: 2\n", {"line 3", "no key net_gian", "did you mean net_gain"}},
    {"a misspelt key without a group", "certify: true\ndata_targetscale: 2\n", {"line 2", "data_targetscale", "data_target_scale"}},
    {"a key below a value", "net: {gain: {size: 3}}\n", {"line 1", "net_gain_size", "net_gain"}},
    {"a wrong type", "net:\n  gain: much\n", {"line 2", "net_gain \"much\"", "a number from 0 to 100"}},
    {"a value out of bounds", "net: {seed: -3}\n", {"line 1", "net_seed \"-3\"", "an integer of at least 0"}},
    {"a choice that is none", "net_arch: MLP\n", {"line 1", "net_arch \"MLP\"", "one of mlp, cnn, rnn"}},
    {"a list for one value", "net: {gain: [1]}\n", {"line 1", "net_gain \"1\"", "a number from 0 to 100"}},
    {"a list within a list", "net: {widths: [[1, 2], 3]}\n", {"line 1", "net_widths", "single values"}},
    {"a list of mappings below a PETSc key", "tao: [{type: lm}]\n", {"line 1", "tao", "single values"}},
    {"an empty list", "net: {widths: []}\n", {"line 1", "net_widths has no value"}},
    {"a key twice", "output: a\ncertify: true\noutput: b\n", {"line 3", "output", "line 1"}},
    {"a key twice, flat and nested", "net_gain: 1\nnet:\n  gain: 2\n", {"line 3", "net_gain", "line 1"}},
    {"a key twice in two cases", "output: a\nOutput: b\n", {"line 2", "Output", "line 1"}},
    {"a PETSc key twice", "tao: {type: lmvm}\ntao_type: nls\n", {"line 2", "tao_type", "line 1"}},
    {"a key without a value", "output:\nnet: {seed: 1}\n", {"line 1", "output has no value"}},
    {"null", "output: ~\n", {"line 1", "output has no value"}},
    {"a group without keys", "certify: true\nnet:\n", {"line 2", "net has no value"}},
    {"an empty group", "certify: true\nnet: {}\n", {"line 2", "net has no value"}},
    {"an empty file", "", {"no keys"}},
    {"a comment alone", "# nothing\n", {"no keys"}},
    {"an empty mapping", "{}\n", {"no keys"}},
    {"a list at the top", "- net\n- data\n", {"line 1", "keys and values"}},
    {"a sentence", "run it\n", {"line 1", "keys and values"}},
    {"an open bracket", "net:\n  widths: [5, 6\nseed: 1\n", {"line 3", "column", "not YAML"}},
    {"a tab", "net:\n\tgain: 1\n", {"line 2", "column 1", "not YAML"}},
    {"bytes that are no text", "net: \xff\xfe\n", {"cannot be read as text", "byte"}},
    {"an alias of nothing", "net: *nothing\n", {"line 1", "not YAML"}},
    {"an alias within itself", "tao: &t\n  a: *t\n", {"line 2", "deep"}},
    {"a merge key", "a: &a {b: 1}\nc:\n  <<: *a\n", {"line 3", "<<"}},
    {"an included file", "$$x: !include other.yaml\n", {"line 1", "$$x"}},
    {"a list as key", "[a, b]: 1\n", {"line 1", "a key must be a word"}},
    {"a second document", "certify: true\n---\ncertify: false\n", {"line 3", "second"}},
};

static void TestRefusedFiles(void)
{
  Complaint complaint;

  for (size_t c = 0; c < sizeof refused_files / sizeof *refused_files; c++) {
    int said = 1;

    Check(refused_files[c].yaml, &complaint);
    for (int i = 0; i < 4 && refused_files[c].said[i]; i++) said = said && strstr(complaint.text, refused_files[c].said[i]);
    Tap((PetscBool)(complaint.status == STATUS_USAGE && said), "refused, and said where and what: %s", refused_files[c].claim);
    if (complaint.status != STATUS_USAGE || !said) fprintf(stderr, "# %s\n", complaint.status ? complaint.text : "accepted");
  }
}

static void TestLimits(void)
{
  Complaint complaint;
  char      long_list[2000] = "net_widths: 1", long_name[700];
  size_t    used            = strlen(long_list);

  for (int i = 1; i < OPTION_INTS_MAX; i++) used += (size_t)snprintf(long_list + used, sizeof long_list - used, ",%d", i % 10 + 1);
  Check(long_list, &complaint);
  Tap((PetscBool)!complaint.status, "a list of %d integers is accepted", OPTION_INTS_MAX);
  snprintf(long_list + used, sizeof long_list - used, ",1");
  Check(long_list, &complaint);
  Tap((PetscBool)(complaint.status == STATUS_USAGE), "a list of %d is not", OPTION_INTS_MAX + 1);
  memset(long_name, 'a', sizeof long_name);
  snprintf(long_name + 690, 10, ": 1\n");
  Check(long_name, &complaint);
  Tap((PetscBool)(complaint.status == STATUS_USAGE), "a key longer than PETSc's longest option is refused");
  complaint.status = STATUS_HOLDS;
  OptionsCheckFile("/nonexistent/job.yaml", tables, &complaint);
  Tap((PetscBool)(complaint.status == STATUS_USAGE && strstr(complaint.text, "/nonexistent/job.yaml") &&
                  strstr(complaint.text, "No such file")),
      "a job file that is not there is named, with the reason");
  complaint.status = STATUS_HOLDS;
  OptionsCheckFile("/tmp", tables, &complaint);
  Tap((PetscBool)(complaint.status == STATUS_USAGE), "a directory is no job file");
}

static void TestCommandLine(void)
{
  Values v;
  char   message[4096];
  int    rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  TapCall(PetscOptionsClear(NULL));
  TapCall(PetscOptionsInsertString(NULL, "-certify -NET_GAIN 3 -net_widths 9"));
  TapCall(Read(&v));
  Tap((PetscBool)(v.certify && v.gain == 3 && v.widths.n == 1 && v.widths.v[0] == 9),
      "a flag alone is true, and case does not matter");
  TapCall(PetscOptionsInsertString(NULL, "-net_gain 3x -net_seed y"));
  Tap((PetscBool)(ReadQuietly(&v, message, sizeof message) == PETSC_ERR_USER), "a bad value is an error on every rank");
  Tap((PetscBool)!strcmp(message, rank ? "" : "codim: -net_gain \"3x\" is not allowed: must be a number from 0 to 100\n"),
      "and one line names option, value and what is allowed");
  Tap((PetscBool)(ExitStatusOfError(PETSC_ERR_USER) == STATUS_USAGE), "its exit status is that of bad usage");
  TapCall(PetscOptionsClear(NULL));
  TapCall(PetscOptionsInsertString(NULL, "-net_seed"));
  Tap((PetscBool)(ReadQuietly(&v, message, sizeof message) == PETSC_ERR_USER), "an option without its value is an error");
}

static void UnusedSays(const char options[], const char said[], const char claim[])
{
  Values         v;
  char           message[4096];
  Capture        capture;
  PetscErrorCode ierr;
  int            rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  TapCall(PetscOptionsClear(NULL));
  TapCall(PetscOptionsInsertString(NULL, options));
  TapCall(Read(&v));
  capture = CaptureBegin(STDERR_FILENO);
  ierr    = OptionsCheckUnused(PETSC_COMM_WORLD, tables);
  CaptureEnd(&capture, message, sizeof message);
  Tap((PetscBool)((ierr == PETSC_ERR_USER) == (*said != 0) && (rank || strstr(message, said))), "%s", claim);
}

static void TestUnused(void)
{
  UnusedSays("-net_gain 2 -certify", "", "options that were read are not complained of");
  UnusedSays("-nett_gain 2", "-nett_gain; did you mean -net_gain?", "a misspelt group is answered with the nearest key");
  UnusedSays("-dta_target_scal 2", "did you mean -data_target_scale?", "a long key may be off by more");
  UnusedSays("-uotptu here", "did you mean -output?", "a swap of neighbours is one edit");
  UnusedSays("-eps_tpye krylovschur", "-eps_tpye in this run", "a misspelt option of PETSc is named, without a wild guess");
  UnusedSays("-options_left no -options_view -get_total_flops -citations -mpidump -Tao_View", "",
             "options that are read later pass");
}

static char help_text[65536];

static PetscErrorCode KeepHelp(MPI_Comm comm, const char format[], ...)
{
  size_t  used = strlen(help_text);
  va_list arguments;

  (void)comm;
  va_start(arguments, format);
  PetscVSNPrintf(help_text + used, sizeof help_text - used, format, NULL, arguments);
  va_end(arguments);
  return PETSC_SUCCESS;
}

/* the program was started with -help, which PETSc takes at its start only */
static void TestHelp(void)
{
  const char *const said[] = {"Net",
                              "-net_arch",
                              "mlp cnn rnn",
                              "-net_widths",
                              "64,32",
                              "1 to 256 integers from 1 to 1000",
                              "-net_gain",
                              "of the initial weights",
                              "a number from 0 to 100",
                              "-net_seed",
                              "an integer of at least 0",
                              "-certify",
                              "true or false",
                              "-output",
                              "directory",
                              "-data_target_scale",
                              "-0.5"};
  Values            v;

  help_text[0] = 0;
  TapCall(Read(&v));
  for (size_t i = 0; i < sizeof said / sizeof *said; i++)
    Tap((PetscBool)(strstr(help_text, said[i]) != NULL), "-help says \"%s\"", said[i]);
}

static void TestJSON(void)
{
  Values  v;
  json_t *net, *expected, *run;

  TapCall(PetscOptionsClear(NULL));
  TapCall(PetscOptionsInsertString(NULL, "-net_arch rnn -net_widths 3,4 -net_gain 0.1 -net_seed 5 -certify no -output a/b"));
  TapCall(Read(&v));
  net      = OptionsToJSON(net_keys, &v);
  expected = json_pack("{s:s, s:[ii], s:f, s:i}", "net_arch", "rnn", "net_widths", 3, 4, "net_gain", 0.1, "net_seed", 5);
  Tap((PetscBool)(json_equal(net, expected) == 1), "numbers, lists and choices are written to JSON as what they are");
  v.scale = (PetscReal)INFINITY;
  run     = OptionsToJSON(run_keys, &v);
  Tap((PetscBool)(json_is_false(json_object_get(run, "certify")) && json_is_null(json_object_get(run, "data_target_scale")) &&
                  !strcmp(json_string_value(json_object_get(run, "output")), "a/b")),
      "a truth value is true or false, an infinity null");
  json_decref(net);
  json_decref(run);
  json_decref(expected);
  TapCall(PetscOptionsClear(NULL));
}

int main(int argc, char **argv)
{
  Complaint before = {STATUS_HOLDS, ""};
  int       file   = mkstemp(job);
  int       wrote  = write(file, "net: {gian: 1}\n", 15) == 15 && !close(file);

  OptionsCheckFile(job, tables, &before);
  setenv("PETSC_OPTIONS", "-help", 1);
  PetscHelpPrintf = KeepHelp;
  TapBegin(&argc, &argv);
  Tap((PetscBool)(wrote && before.status == STATUS_USAGE), "a job file can be checked before MPI and PETSc start");
  TestHelp();
  TestDefaults();
  TestJobFile();
  TestAgreement();
  TestRefusedFiles();
  TestLimits();
  TestCommandLine();
  TestUnused();
  TestJSON();
  remove(job);
  return TapEnd();
}
