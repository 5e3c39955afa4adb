# codim: `make run` and `make test` are all one needs; `make help` lists the rest.
VERSION = 0.1.0

# ---- what may be set on the command line ---------------------------------------------------------------------------
ifeq ($(origin CC),default)
CC       = mpicc
endif
MPIEXEC ?= mpiexec
NP      ?= 2
JOB     ?= jobs/digits.yaml
PREFIX  ?= /usr/local
CFLAGS  ?= $(if $(DEBUG),-O1 -g3 -fno-omit-frame-pointer -fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined,-O3 -g)
BUILD   ?= build$(if $(filter 64,$(INDEX)),-index64)$(if $(DEBUG),-debug)
# also DEBUG=1, INDEX=64, V=1, T=…, RANKS=…: see `make help`

comma := ,
space := $(subst ,, )

# ---- libraries, by pkg-config --------------------------------------------------------------------------------------
# On clusters PETSC_DIR, PETSC_ARCH and SLEPC_DIR say where; both the in-place and the installed form.
export PKG_CONFIG_PATH := $(subst $(space),:,$(strip $(if $(PETSC_DIR),$(wildcard \
  $(SLEPC_DIR:%=%/$(PETSC_ARCH)/lib/pkgconfig) $(SLEPC_DIR:%=%/lib/pkgconfig) \
  $(PETSC_DIR)/$(PETSC_ARCH)/lib/pkgconfig $(PETSC_DIR)/lib/pkgconfig)) $(subst :, ,$(PKG_CONFIG_PATH))))

pkgconfig = $(shell PKG_CONFIG_PATH='$(PKG_CONFIG_PATH)' pkg-config $1 2>/dev/null)
found     = $(firstword $(foreach p,$1,$(and $(call pkgconfig,--modversion $p),$p)))
SUFFIX   := $(filter 64,$(INDEX))
SLEPC    := $(call found,slepc$(SUFFIX) $(if $(SUFFIX),,SLEPc))
PETSC    := $(call found,petsc$(SUFFIX) $(if $(SUFFIX),,PETSc))
HDF5     := $(call found,hdf5-openmpi hdf5-mpich hdf5-mpi hdf5)
SCALAPACK:= $(call found,scalapack-openmpi scalapack-mpich scalapack-mpi scalapack)
FAST_BLAS:= $(call found,openblas flexiblas)
BLAS     := $(or $(FAST_BLAS),$(and $(call found,lapack),$(call found,blas),lapack blas))
# elsewhere than on Debian its file has a version in its name
ELPA     := $(call found,elpa $(shell pkg-config --list-all 2>/dev/null | sed -n 's/^\(elpa-[0-9.]*\) .*/\1/p'))
PACKAGES := $(SLEPC) $(PETSC) $(ELPA) $(HDF5) jansson yaml-0.1 zlib $(SCALAPACK) $(BLAS)

INCLUDE  := -Iinclude -I$(BUILD)/include $(patsubst -I%,-isystem %,$(call pkgconfig,--cflags-only-I $(PACKAGES)))
LIBS     := $(call pkgconfig,--libs $(PACKAGES)) -lm
# Debian has several builds of OpenBLAS, each in a directory. That with OpenMP takes the threads of codim's own loops (threads.h): rather it than
# the system's choice
OPENMP_BLAS := $(patsubst %/libopenblas.so,%,$(firstword $(wildcard /usr/lib/*/openblas-openmp/libopenblas.so)))
RPATH    := $(addprefix -Wl$(comma)-rpath$(comma),$(if $(PETSC_DIR),$(patsubst -L%,%,$(filter -L%,$(LIBS)))) $(OPENMP_BLAS))
# FLINT's Arb is what some tests compare with; from version 3 on it is a part of FLINT
ARB      := $(patsubst lib%.so,-l%,$(notdir $(filter /%,$(foreach l,flint-arb flint,$(shell $(CC) -print-file-name=lib$l.so 2>/dev/null)))))

OPENMP   ?= -fopenmp
# -ffp-contract=off: the doubles of problem.h5 are the same whatever the compiler and the processor; never -ffast-math
WARN      = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion $(WERROR)
COMPILE   = $(CC) -std=gnu11 -ffp-contract=off $(OPENMP) $(WARN) $(INCLUDE) $(if $(ELPA),-DCODIM_HAVE_ELPA) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -MT $@
quiet     = $(if $(V),,@printf '  %-4s %s\n' $1 $@;)

# ---- program and library -------------------------------------------------------------------------------------------
HEADERS = $(wildcard include/codim/*.h) $(BUILD)/include/codim/version.h
SRC     = $(filter-out src/main.c src/traffic.c,$(wildcard src/*.c src/*/*.c))
OBJ     = $(SRC:src/%.c=$(BUILD)/%.o)
TEST_ARB= $(shell grep -l '<.*arb\.h>' tests/test_*.c 2>/dev/null)
TEST_C  = $(filter-out $(if $(ARB),,$(TEST_ARB)),$(wildcard tests/test_*.c))
TEST    = $(TEST_C:%.c=$(BUILD)/%)
BENCH   = $(BUILD)/tests/bench/bench $(BUILD)/tests/bench/draw
THEORY  = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/theory/*.c))

# sanitizers must come first, and so forbid libraries that are preloaded
TRAFFIC = $(if $(DEBUG),,$(BUILD)/traffic.so)

all: $(BUILD)/codim $(TRAFFIC)

$(BUILD)/codim: $(BUILD)/main.o $(BUILD)/libcodim.a
	$(call quiet,LD)$(CC) $(CFLAGS) $(OPENMP) $(LDFLAGS) -o $@ $^ $(RPATH) $(LIBS) $(LDLIBS)
$(BUILD)/libcodim.a: $(OBJ)
	$(call quiet,AR)rm -f $@ && ar rcs $@ $^
$(BUILD)/traffic.so: src/traffic.c
	@mkdir -p $(@D)
	$(call quiet,LD)$(COMPILE) -fPIC -shared -o $@ $< $(LDFLAGS)
$(BUILD)/%.o: src/%.c | $(BUILD)/include/codim/version.h
	@mkdir -p $(@D)
	$(call quiet,CC)$(COMPILE) -c -o $@ $<
$(BUILD)/tests/%: tests/%.c $(BUILD)/libcodim.a
	@mkdir -p $(@D)
	$(call quiet,CC)$(COMPILE) -Itests -o $@ $< $(BUILD)/libcodim.a $(LDFLAGS) $(RPATH) $(LIBS) $(LDLIBS)
$(TEST_ARB:%.c=$(BUILD)/%): LDLIBS += $(ARB)
$(TEST_ARB:%.c=$(BUILD)/%): CPPFLAGS += $(if $(filter -lflint-arb,$(ARB)),,-I/usr/include/flint)

# the stamp: written anew only where it changes
$(BUILD)/include/codim/version.h: FORCE | found
	@mkdir -p $(@D)
	@commit=$$([ -e .git ] && git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null || echo unknown); \
	printf '/* version.h: generated by make */\n#pragma once\n\n#define CODIM_VERSION "%s"\n#define CODIM_COMMIT  "%s"\n' \
	  $(VERSION) $$commit >$@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
FORCE:

-include $(OBJ:=.d) $(BUILD)/main.o.d $(BUILD)/traffic.so.d $(TEST:=.d) $(BENCH:=.d) $(THEORY:=.d)

# ---- what must be there: name:Debian package -----------------------------------------------------------------------
# where packages can be had, the reference BLAS, more than ten times slower, does not do
APT    := $(shell command -v apt-get 2>/dev/null)
command = $(if $(shell command -v $(firstword $1) 2>/dev/null),,$(firstword $1):$2)
header  = $(if $(shell $(CC) $(INCLUDE) -include $1 -E -xc - </dev/null >/dev/null 2>&1 && echo yes),,$1:$2)
library = $(if $1,,$2:$3)
# what only some tests compare with, all of it in one interpreter
PYTHON   = numpy h5py mpmath torch
TORCH    = $(shell for p in python3 /usr/bin/python3; do \
  $$p -c 'import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))' $(PYTHON) 2>/dev/null && echo $$p && break; done)
python   = $(if $(TORCH),,$(foreach p,$(PYTHON),$p:python3-$p))
NEEDED  = $(call command,pkg-config,pkg-config) $(call command,$(CC),gcc:libc6-dev:libopenmpi-dev) \
  $(call command,$(MPIEXEC),openmpi-bin) $(call library,$(PETSC),petsc$(SUFFIX),libpetsc$(SUFFIX)-real-dev) \
  $(call library,$(SLEPC),slepc$(SUFFIX),libslepc$(SUFFIX)-real-dev) $(call library,$(HDF5),hdf5,libhdf5-openmpi-dev) \
  $(call library,$(SCALAPACK),scalapack,libscalapack-openmpi-dev:libelpa-dev) $(call library,$(if $(APT),$(and $(FAST_BLAS),$(or $(OPENMP_BLAS),$(filter-out openblas,$(FAST_BLAS)))),$(BLAS)),openblas,libopenblas-openmp-dev) \
  $(call library,$(call found,jansson),jansson,libjansson-dev) $(call library,$(call found,yaml-0.1),yaml-0.1,libyaml-dev) \
  $(call library,$(call found,zlib),zlib,zlib1g-dev) $(call header,Random123/philox.h,librandom123-dev)
NEEDED_TEST  = $(NEEDED) $(call command,prove,perl) \
  $(if $(APT),$(call library,$(ARB),flint-arb,libflint-arb-dev|libflint-dev) \
    $(python))
NEEDED_SLURM = $(NEEDED_TEST) $(foreach p,munge:munge slurmctld:slurmctld slurmd:slurmd srun:slurm-client,$(if $(shell \
  PATH=$$PATH:/usr/sbin command -v $(firstword $(subst :, ,$p))),,$p)) \
  $(if $(wildcard /usr/lib/*/slurm*/mpi_pmix.so /usr/lib/slurm*/mpi_pmix.so),,mpi_pmix.so:slurm-wlm-basic-plugins)
NEEDED_CHECK = $(NEEDED_TEST) $(call command,clang,clang) $(call library,$(wildcard /usr/lib/llvm-*/lib/libomp.so),libomp,libomp-dev) $(call command,clang-tidy,clang-tidy) $(call command,clang-format,clang-format) \
  $(call command,codespell,codespell) $(call command,chromium,chromium) $(call command,gnuplot,gnuplot-nox) \
  $(call command,Rscript,r-base-core:r-cran-hdf5r:r-cran-jsonlite) $(call command,valgrind,valgrind) $(call library,$(call found,slepc64),slepc64,libslepc64-real-dev) \
  $(call library,$(wildcard $(PETSC_DEBUG)/libpetsc*),petsc-debug,libpetsc-real$(PETSC_SERIES)-dbg)
PETSC_SERIES = $(subst $(space),.,$(wordlist 1,2,$(subst ., ,$(call pkgconfig,--modversion $(PETSC)))))
PETSC_DEBUG  = $(call pkgconfig,--variable=prefix $(PETSC))-debug/lib

# $(call provide,NEEDED…): nothing to do, or apt, or say what to load
provide = $(if $(strip $1),$(call apt,$(sort $(foreach n,$1,$(firstword $(subst :, ,$n)))),$(sort \
  $(foreach n,$1,$(wordlist 2,9,$(subst :, ,$n))))),@:)
define apt
@echo "not found: $1"; \
if ! command -v apt-get >/dev/null; then \
  echo "Load the modules or install the packages that bring these. PETSC_DIR, PETSC_ARCH and SLEPC_DIR say where" >&2; \
  echo "PETSc and SLEPc are, PKG_CONFIG_PATH where the others are." >&2; exit 1; fi; \
sudo=; [ "$$(id -u)" = 0 ] || sudo=$$(command -v sudo) || { \
  echo "To install them, as root: apt-get install $(subst |, or ,$2)" >&2; exit 1; }; \
echo "installing: $(subst |, or ,$2)"; \
for try in 1 2; do log=$$( \
  { $$sudo apt-get -o DPkg::Lock::Timeout=600 -q update && \
    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q -y --no-install-recommends \
      satisfy "$(subst |, | ,$(subst $(space),$(comma) ,$(strip $2)))"; } 2>&1) && exit 0; \
done; \
echo "$$log"; echo "apt-get could not install them, twice" >&2; exit 1
endef

deps: ; $(call provide,$(NEEDED))
deps-test: ; $(call provide,$(NEEDED_TEST))
deps-slurm: ; $(call provide,$(NEEDED_SLURM))
# in a make of its own: the name of PETSc's debug package follows from the PETSc that deps brought
deps-check: deps
	+@$(MAKE) --no-print-directory install-deps-check
install-deps-check: ; $(call provide,$(NEEDED_CHECK))
found:
	@$(if $(strip $(NEEDED)),echo "not found: $(sort $(foreach n,$(NEEDED),$(firstword $(subst :, ,$n)))); see \`make deps\`" >&2; exit 1,:)

# ---- run, test -----------------------------------------------------------------------------------------------------
# One thread a rank, unless told otherwise. More ranks than cores are fine, and Open MPI works as root and in containers.
export OMP_NUM_THREADS ?= 1
export OMPI_ALLOW_RUN_AS_ROOT ?= 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM ?= 1
export OMPI_MCA_rmaps_base_oversubscribe ?= 1
export OMPI_MCA_hwloc_base_binding_policy ?= none
export OMPI_MCA_mpi_yield_when_idle ?= 1
export OMPI_MCA_btl_vader_single_copy_mechanism ?= none
export PRTE_MCA_rmaps_default_mapping_policy ?= :oversubscribe

# a make that looks for the libraries again, on all cores unless -j was given
CORES = $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2)
again = +@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(CORES))
PROVE = BUILD=$(BUILD) MPIEXEC='$(MPIEXEC)' prove --timer --failures --exec 'perl tests/run'
TESTS = $(if $(T),$(foreach t,$(T),$(wildcard tests/test_$t.c tests/test_$t.sh)),$(sort $(TEST_C) $(wildcard tests/test_*.sh)))

run: deps
	$(again) all
	$(MPIEXEC) -n $(NP) $(BUILD)/codim run $(JOB) $(ARGS)
test: deps-test
	$(again) run-tests
# in a make of its own: what deps-test installed decides which tests there are
run-tests: $(if $(T),$(filter $(TESTS:%.c=$(BUILD)/%),$(TEST)) $(if $(filter %.sh,$(TESTS)),all),all $(TEST))
	@$(if $(filter-out $(TEST_C),$(TEST_ARB)),echo "left out (FLINT with Arb was not found): $(TEST_ARB)")
	@$(if $(TESTS),$(PROVE) $(TESTS),echo "no test of that name: $(T)" >&2; exit 1)
# on a Slurm cluster of virtual nodes, whose daemons are started for it and ended after it
test-slurm: deps-slurm
	$(again) all
	@CLUSTER=1 $(PROVE) tests/test_slurm.sh
# kill -9 at random moments, full and read-only disks
test-faults: deps-test
	$(again) all
	@FAULTS=1 $(PROVE) tests/test_kill.sh tests/test_faults.sh
# leave terms out of the certificate's bounds, one at a time: some test must fail (T: only mutations with this word)
mutants: deps-test
	@mkdir -p $(BUILD) results/bench
	@sh tests/mutate_certify.sh $(T) | tee $(BUILD)/mutants.txt
	@$(if $(T),,cp $(BUILD)/mutants.txt results/bench/mutants.txt;) grep -q '^1\.\.' $(BUILD)/mutants.txt && ! grep '^not ok' $(BUILD)/mutants.txt
# what README.md shows of a run
results: deps
	$(again) all
	$(MPIEXEC) -n $(NP) $(BUILD)/codim run jobs/digits.yaml | tee results/digits.txt
	cp results/digits/report.json results/digits.json
	cp results/digits/spectrum.svg results/digits.svg
	@perl -0pi -e 'BEGIN { open F, "<", "results/digits.txt"; $$t = <F>; $$t =~ s/^(?:.*\n)*?\n//; $$t =~ s/^(?=.)/    /mg }' \
	  -e 's/(<!-- digits summary: begin .*?-->\n).*?(?=<!-- digits summary: end)/$$1\n$$t\n/s' README.md
# jobs that fill a node of 24 GB: a billion parameters, 10 000 and 40 000 residuals; NAMES="billion fashion": only these
large: deps data
	$(again) all
	@python3 tests/bench/large.py $(BUILD)/codim '$(MPIEXEC)' $(NAMES)
# what this machine does in a second, for the times of codim plan
calibrate: deps
	$(again) all
	$(MPIEXEC) -n $(CORES) $(BUILD)/codim calibrate results/calibration.json
	@python3 tests/bench/calibrate.py $(BUILD)/codim '$(MPIEXEC)'
# densities, trajectories and walks: what README.md shows of them, some minutes
LOOK = density path-exact path-mlp path-cnn path-lstm walk walk-far
look: deps data
	$(again) all
	@for job in $(LOOK); do echo "---- $$job"; $(MPIEXEC) -n $(NP) $(BUILD)/codim run jobs/$$job.yaml || exit 1; \
	  for file in density trajectory walk walk-growth; do \
	    if [ -s results/$$job/$$file.svg ]; then cp results/$$job/$$file.svg results/look/$$job-$$file.svg; fi; \
	    if [ -s results/$$job/$$file.csv ]; then cp results/$$job/$$file.csv results/look/$$job-$$file.csv; fi; done; done
# Fashion-MNIST
FASHION = /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
data: ; $(call provide,$(call library,$(wildcard $(FASHION)),fashion-mnist,dataset-fashion-mnist))
# strong and weak scaling, and where the claim holds: some minutes
STUDIES = study-strong study-weak study-rank
studies: deps
	$(again) all
	@mkdir -p results/studies
	@for study in $(STUDIES); do MPIEXEC='$(MPIEXEC)' $(BUILD)/codim study jobs/$$study.yaml $(ARGS); \
	  cp results/$$study/table.csv results/studies/$${study#study-}-table.csv; \
	  for file in results/$$study/*.svg results/$$study/scaling.csv; do name=$${file##*/}; \
	    if [ -s $$file ]; then cp $$file results/studies/$$(echo $${study#study-}-$$name | sed 's/^rank-//'); fi; done; done
# every job that stands for a claim of the paper: the table of README.md
claims: deps-test
	$(again) all
	@MPIEXEC='$(MPIEXEC)' NP=$(NP) BUILD=$(BUILD) perl tests/claims
# against theory: each experiment is a program, a job file, a table and a figure
theory: deps
	$(again) $(THEORY)
	@mkdir -p results/theory
	@for t in kernel smallest rank gradient; do \
	  $(MPIEXEC) -n $(NP) $(BUILD)/tests/theory/$$t jobs/theory-$$t.yaml results/theory $(ARGS) | grep -v '^codim: ' || exit 1; \
	done | tee results/theory/theory.txt; ! grep -q '^not ok' results/theory/theory.txt
	@rm -f results/theory/padded.json
# the core against the machine's matrix products, on a machine that does nothing else. CORE: where to; OPENBLAS_CORETYPE=Haswell, …: by these kernels
CORE = results/bench/core
bench-core: deps-test
	$(again) all $(BENCH)
	@mkdir -p $(dir $(CORE))
	@MPIEXEC='$(MPIEXEC)' sh tests/bench/run $(BENCH) $(CORE)
	@python3 tests/bench/readme.py
# growth with n, and others' programs for the same numbers, too
bench: bench-core
	@$(MPIEXEC) -n $(NP) $(firstword $(BENCH)) -growth
	@$(or $(TORCH),python3) tests/bench/peers/compare.py $(BUILD)/codim $(BUILD)/tests/bench/bench '$(MPIEXEC)' | tee results/bench/peers.txt
	@python3 tests/bench/readme.py
# five nets, and weights rounded to float32: all of them are proved
certified: deps
	$(again) all
	@mkdir -p results/bench
	@python3 tests/bench/certified.py $(BUILD)/codim $(MPIEXEC) -n $(NP) >$(BUILD)/certified.txt; status=$$?; cat $(BUILD)/certified.txt; \
	  cp $(BUILD)/certified.txt results/bench/certified.txt; exit $$status

# ---- install -------------------------------------------------------------------------------------------------------
DEST  = $(DESTDIR)$(PREFIX)
SLURM = slurm/codim.sbatch slurm/scaling
JOBS  = $(wildcard jobs/*.yaml jobs/*.json jobs/*.py jobs/*.R)
SHARE = $(DEST)/share/codim

install: all
	@mkdir -p $(DEST)/bin $(DEST)/lib/pkgconfig $(DEST)/lib/codim $(DEST)/include/codim $(DEST)/share/doc/codim $(DEST)/share/man/man1 $(SHARE)/jobs/data $(SHARE)/slurm
	install -m 644 src/codim.1 $(DEST)/share/man/man1
	install -m 755 $(BUILD)/codim $(DEST)/bin
	install -m 644 $(BUILD)/libcodim.a $(DEST)/lib
	$(if $(TRAFFIC),install -m 755 $(TRAFFIC) $(DEST)/lib/codim)
	install -m 644 $(HEADERS) $(DEST)/include/codim
	install -m 644 README.md LICENSE CHANGELOG.md CITATION.cff $(DEST)/share/doc/codim
	install -m 644 $(JOBS) $(SHARE)/jobs
	install -m 755 $(SLURM) $(SHARE)/slurm
	install -m 644 $(wildcard jobs/data/*) $(SHARE)/jobs/data
	@printf '%s\n' 'prefix=$(PREFIX)' 'Name: codim' 'Description: The zero-loss manifold of a neural net: codimension, Hessian, certificate' \
	  'Version: $(VERSION)' 'Requires: $(PACKAGES)' 'Cflags: -I$${prefix}/include' \
	  'Libs: -L$${prefix}/lib -lcodim $(OPENMP) $(RPATH) -lm' >$(DEST)/lib/pkgconfig/codim.pc
uninstall:
	rm -rf $(DEST)/include/codim $(DEST)/share/doc/codim $(DEST)/share/codim $(DEST)/lib/codim
	rm -f $(DEST)/share/man/man1/codim.1 $(DEST)/bin/codim $(DEST)/lib/libcodim.a $(DEST)/lib/pkgconfig/codim.pc

# ---- check ---------------------------------------------------------------------------------------------------------
CODE = $(wildcard include/codim/*.h src/*.[ch] src/*/*.[ch] tests/*.[ch] tests/*/*.c)
LSAN = LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 ASAN_OPTIONS=fast_unwind_on_malloc=0:log_path=$(CURDIR)/build-debug/asan \
       UBSAN_OPTIONS=print_stacktrace=1:log_path=$(CURDIR)/build-debug/ubsan

check: check-format check-spelling check-warnings check-tidy check-index64 check-threads check-petsc-debug check-asan check-valgrind
format: ; clang-format -i $(CODE)
check-format: ; @clang-format --dry-run -Werror $(CODE)
check-spelling: ; @codespell -L cleary --skip='*.csv' $(CODE) $(wildcard *.md tests/*.sh tests/run $(filter-out %.csv,$(wildcard slurm/* slurm/spack/*.py tests/slurm/*)) tests/*/README.md jobs/*.yaml jobs/data/README.md) Makefile
check-warnings:
	$(again) BUILD=build-gcc OMPI_CC=gcc WERROR=-Werror all $(patsubst $(BUILD)/%,build-gcc/%,$(TEST) $(BENCH) $(THEORY))
	$(again) BUILD=build-clang OMPI_CC=clang WERROR=-Werror all $(patsubst $(BUILD)/%,build-clang/%,$(TEST) $(BENCH) $(THEORY))
check-tidy: $(BUILD)/include/codim/version.h
	@printf '%s\n' $(wildcard src/*.c src/*/*.c) | xargs -n1 -P$(CORES) -I{} clang-tidy --quiet {} -- \
	  -std=gnu11 $(OPENMP) $(INCLUDE) $(shell $(CC) --showme:compile) $(if $(ELPA),-DCODIM_HAVE_ELPA)
check-index64:
	$(again) INDEX=64 WERROR=-Werror all $(patsubst $(BUILD)/%,build-index64/%,$(TEST) $(BENCH) $(THEORY))
# data races: of clang's sanitizer, to which Archer says what OpenMP synchronizes
check-threads:
	$(again) BUILD=build-threads OMPI_CC=clang CFLAGS="-O1 -g -fsanitize=thread" build-threads/tests/test_threads
	@OMP_TOOL_LIBRARIES=$(firstword $(wildcard /usr/lib/llvm-*/lib/libarcher.so)) TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
	  setarch -R build-threads/tests/test_threads >/dev/null
check-petsc-debug:
	LD_LIBRARY_PATH=$(PETSC_DEBUG):$$LD_LIBRARY_PATH $(MAKE) --no-print-directory test
check-asan:
	$(LSAN) $(MAKE) --no-print-directory test DEBUG=1
check-valgrind:
	WRAP='valgrind -q --error-exitcode=9 --leak-check=full --num-callers=40 --errors-for-leak-kinds=definite --suppressions=tests/valgrind.supp' \
	  RANKS=1 TEST_SECONDS=3600 $(MAKE) --no-print-directory test

clean: ; rm -rf build build-*
help:
	@echo 'make            build/codim and build/libcodim.a'
	@echo 'make run        build, then run JOB (jobs/digits.yaml) on NP (2) ranks; ARGS="-option value …"'
	@echo 'make test       build and run the tests; T="grid data" only these, RANKS="1 3" on these numbers of ranks'
	@echo 'make test-faults  kill -9 at random moments, again and again; full and read-only disks (two minutes)'
	@echo 'make test-slurm  codim.sbatch and studies on a Slurm cluster of virtual nodes, started for it (root; some minutes)'
	@echo 'make results    the run that README.md shows, into results/'
	@echo 'make calibrate  measure this machine for the times of `codim plan`, into results/calibration.json (some seconds)'
	@echo 'make large      a billion parameters, 10 000 and 40 000 residuals: an hour, 24 GB of memory, results/large.txt'
	@echo 'make look       densities, trajectories and walks on M, into results/look/; make data: Fashion-MNIST'
	@echo 'make studies    strong and weak scaling, and where the claim holds over width and d, into results/studies/ (some minutes)'
	@echo 'make claims     run every job that stands for a claim: expected and found, into results/ and README.md'
	@echo 'make theory     against theory: infinite width, n = m, the gradient; tables and figures, into results/theory/ (some minutes)'
	@echo 'make bench      how near the core is to the machine, growth with n, other programs, into results/bench/ (20 minutes); bench-core: the first'
	@echo 'make certified  five nets on digits, and one in float32: proved, with h, rho, s, R, into results/bench/ (some minutes)'
	@echo 'make check      format, spelling, warnings, clang-tidy, 64-bit indices, data races, debug PETSc, sanitizers, valgrind'
	@echo 'make mutants    leave terms out of the bounds one by one: the tests must notice, into results/bench/ (some minutes)'
	@echo 'make install    to DESTDIR/PREFIX (/usr/local); make uninstall; make format; make clean'
	@echo 'make deps       the packages that are missing (Debian, Ubuntu); deps-test, deps-slurm and deps-check for tests and check'
	@echo 'DEBUG=1         address and undefined-behaviour sanitizers; INDEX=64: 64-bit PetscInt; V=1: show commands'
	@echo 'also            CC CFLAGS CPPFLAGS LDFLAGS LDLIBS BUILD MPIEXEC PETSC_DIR PETSC_ARCH SLEPC_DIR PKG_CONFIG_PATH'

.PHONY: large theory certified calibrate all run test test-slurm test-faults mutants results look data claims bench bench-core check format clean help install uninstall found FORCE \
  deps deps-test deps-slurm deps-check install-deps-check \
  check-format check-spelling check-warnings check-tidy check-index64 check-threads check-petsc-debug check-asan check-valgrind
