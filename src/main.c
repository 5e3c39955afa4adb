/*
  main.c: the command line.

  The job file is checked before PETSc starts and goes first among its options, so that the command line overrides it. PetscCall is
  not used here: in a function named main it would abort.
*/
#include "codim/job.h"
#include "codim/study.h"
#include <string.h>
#include <unistd.h>

/* the same complaint on every rank; printed once */
static ExitStatus Agree(Complaint *complaint, int rank)
{
  (void)MPI_Bcast(complaint, (int)sizeof(*complaint), MPI_BYTE, 0, MPI_COMM_WORLD);
  if (complaint->status && rank == 0) fprintf(stderr, "codim: %s\n", complaint->text);
  return complaint->status;
}

/* what PETSc is given: codim, -skip_petscrc true, the job file's options where there is one, then what the user gave after argv[2] */
static char **PetscArguments(int argc, char **argv, const char job_file[], int *count)
{
  char **arguments = calloc((size_t)argc + 5, sizeof(*arguments));

  *count = 0;
  if (!arguments) return NULL;
  arguments[(*count)++] = argv[0];
  arguments[(*count)++] = (char *)"-skip_petscrc";
  arguments[(*count)++] = (char *)"true"; /* or what follows would be its value */
  if (job_file) {
    arguments[(*count)++] = (char *)"-options_file_yaml";
    arguments[(*count)++] = (char *)job_file;
  }
  for (int i = 3; i < argc; i++) arguments[(*count)++] = argv[i];
  return arguments;
}

/* codim run: from the options to the verdict. output: where the status file belongs, "" while that is not known */
static PetscErrorCode RunJob(const char job_file[], ExitStatus *status, OptionString output)
{
  Job            job = NULL;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(BaseInitialize());
  PetscCall(StopOnSignals());
  ierr = JobCreate(job_file, &job);
  PetscCall(PetscStrncpy(output, JobOutput(job), sizeof(OptionString))); /* a job that is refused has a status too */
  PetscCall(ierr);
  PetscCall(JobRun(job, status));
  PetscCall(JobDestroy(&job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* codim check: nothing is written */
static PetscErrorCode CheckDirectory(const char dir[], ExitStatus *status, OptionString output)
{
  Job job = NULL;

  PetscFunctionBeginUser;
  (void)output;
  PetscCall(BaseInitialize());
  PetscCall(JobCreateCheck(dir, &job));
  PetscCall(JobCheck(job, status));
  PetscCall(JobDestroy(&job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* codim plan, codim calibrate */
static PetscErrorCode PlanJobFile(const char job_file[], ExitStatus *status, OptionString output)
{
  PetscFunctionBeginUser;
  (void)output;
  PetscCall(BaseInitialize());
  PetscCall(JobPlan(job_file, status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Calibrate(const char path[], ExitStatus *status, OptionString output)
{
  PetscFunctionBeginUser;
  (void)output;
  PetscCall(BaseInitialize());
  PetscCall(JobCalibrate(path, status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* codim report DIR [DIR …]: the page of one run, or several side by side */
static PetscErrorCode ReportRuns(const char dir[], ExitStatus *status, OptionString output)
{
  PetscFunctionBeginUser;
  (void)output;
  PetscCall(BaseInitialize());
  PetscCall(JobReport(dir, status));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* codim rerun: the same again, into a directory of its own, and what differs */
static PetscErrorCode RerunDirectory(const char dir[], ExitStatus *status, OptionString output)
{
  Job            job = NULL;
  PetscErrorCode ierr;

  PetscFunctionBeginUser;
  PetscCall(BaseInitialize());
  PetscCall(StopOnSignals());
  ierr = JobCreateRerun(dir, &job);
  PetscCall(PetscStrncpy(output, JobOutput(job), sizeof(OptionString)));
  PetscCall(ierr);
  PetscCall(JobRun(job, status));
  if (*status != STATUS_STOPPED) PetscCall(JobCompareRerun(job, dir));
  PetscCall(JobDestroy(&job));
  PetscFunctionReturn(PETSC_SUCCESS);
}

typedef struct {
  const char *name, *subject; /* argv[1], and what argv[2] is */
  const char *meaning;
  PetscErrorCode (*run)(const char subject[], ExitStatus *status, OptionString output); /* NULL: study, before MPI_Init */
  PetscBool job_file; /* the subject is a job file: checked before PETSc starts, and its keys are options */
} Command;

/* clang-format off */
static const Command Commands[] = {
    {"run",       "JOB.yaml", "bring the net to zero loss, find the spectra, give the verdict; -help: every option",
                                                                                              RunJob,         PETSC_TRUE},
    {"plan",      "JOB.yaml", "memory, flops, traffic and time a rank, on -ranks 64,128 or on this machine",
                                                                                              PlanJobFile,    PETSC_TRUE},
    {"check",     "DIR",      "prove a finished run's certificate again, from its files",      CheckDirectory, PETSC_FALSE},
    {"rerun",     "DIR",      "repeat a finished run from its report, and compare",            RerunDirectory, PETSC_FALSE},
    {"report",    "DIR ...",  "a page to read, DIR/report.html; of several runs: compare.html", ReportRuns,    PETSC_FALSE},
    {"calibrate", "FILE",     "measure this machine for plan's times",                         Calibrate,      PETSC_FALSE},
    {"study",     "STUDY.yaml", "a grid of runs, here or (-submit) by Slurm: a table and figures", NULL,           PETSC_FALSE},
    {NULL,        NULL,       NULL,                                                            NULL,           PETSC_FALSE}
};
/* clang-format on */

static const char Title[] =
    "codim: is the zero-loss set of a neural net a manifold here, and what is the signature of its Hessian?\n";

/* Where MPI and Slurm do not speak the same PMI, srun makes as many worlds of one rank each, which would overwrite each other's results.
   A launcher of MPI's own that was started by srun is seen by its variables. */
static void CheckLaunch(int size, Complaint *complaint)
{
  const char *tasks = getenv("SLURM_STEP_NUM_TASKS"), *hydra = getenv("PMI_SIZE");

  if (size > 1 || !tasks || atoi(tasks) <= 1 || getenv("OMPI_COMM_WORLD_SIZE") || (hydra && atoi(hydra) == 1)) return;
  Complain(complaint, STATUS_USAGE,
           "srun started %s tasks, but MPI makes a world of its own of each: it does not know this srun's PMI. Try srun --mpi=pmix "
           "or "
           "--mpi=pmi2 (srun --mpi=list names what there is), or mpirun inside of sbatch or salloc",
           tasks);
}

static void PrintUsage(FILE *file)
{
  fprintf(file, "%s\n", Title);
  for (const Command *c = Commands; c->name; c++)
    fprintf(file, "  codim %-9s %-10s [-option value ...]  %s\n", c->name, c->subject, c->meaning);
  fputs("  codim --version | --help | --ranks         (--ranks: how many ranks the launcher made: one number, once)\n\n"
        "Exit status: 0 the claim holds, 2 refuted, 3 undecided, 64 usage or job file, 65 data, weights or memory, 70 a bug, 75 "
        "stopped early.\n",
        file);
}

static const Command *FindCommand(const char name[])
{
  const Command *c = Commands;

  while (c->name && strcmp(c->name, name) != 0) c++;
  return c->name ? c : NULL;
}

static ExitStatus Execute(const Command *command, int argc, char **argv)
{
  ExitStatus     status = STATUS_BUG;
  OptionString   output = "";
  int            count, rank;
  char         **arguments = PetscArguments(argc, argv, command->job_file ? argv[2] : NULL, &count);
  PetscErrorCode ierr      = SlepcInitialize(&count, &arguments, NULL, Title);

  if (ierr) return STATUS_BUG;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  ierr = command->run(argv[2], &status, output);
  if (ierr) status = ExitStatusOfError(ierr);
  if (rank == 0 && output[0]) StatusWrite(output, status);
  JobReleaseOutput();
  if (status == STATUS_BUG) MPI_Abort(MPI_COMM_WORLD, STATUS_BUG);
  MPI_Barrier(MPI_COMM_WORLD); /* no rank ends before the status is written */
  if (SlepcFinalize()) status = STATUS_BUG;
  free(arguments);
  if (ierr) { /* what the error unwound past is not freed: no handler is to look for it */
    MPI_Finalize();
    fflush(NULL);
    _exit((int)status);
  }
  return status;
}

int main(int argc, char **argv)
{
  const Command *command   = argc >= 3 && argv[2][0] != '-' ? FindCommand(argv[1]) : NULL;
  Complaint      complaint = {STATUS_HOLDS, ""};
  ExitStatus     status    = STATUS_HOLDS;
  int            rank, size;

  if (command && !command->run) return (int)StudyRun(argc, argv); /* without MPI */
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
    if (rank == 0) PrintUsage(stdout);
  } else if (argc == 2 && !strcmp(argv[1], "--version")) {
    if (rank == 0) puts(ReportVersion());
  } else if (argc == 2 && !strcmp(argv[1], "--ranks")) {
    if (rank == 0) printf("%d\n", size);
  } else if (command) {
    CheckLaunch(size, &complaint);
    if (rank == 0 && command->job_file) OptionsCheckFile(argv[2], JobKeys, &complaint);
    status = Agree(&complaint, rank);
    if (!status) status = Execute(command, argc, argv);
  } else {
    if (rank == 0) PrintUsage(stderr);
    status = STATUS_USAGE;
  }
  MPI_Finalize();
  return (int)status;
}
