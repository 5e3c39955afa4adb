# codim: make run, make test; `make help` lists the rest
CC       = mpicc
BUILD   ?= build
PREFIX  ?= /usr/local
PACKAGES = slepc petsc hdf5-openmpi scalapack-openmpi jansson yaml-0.1 zlib
OPT      = $(if $(DEBUG),-O0 -g3 -fsanitize=address$(,)undefined,-O3 -march=native -g)
WARN     = -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion
ELPA     := $(shell pkg-config --exists elpa && echo 1)
CPPFLAGS += -Iinclude $(shell pkg-config --cflags-only-I $(PACKAGES) $(if $(ELPA),elpa)) $(if $(ELPA),-DCODIM_HAVE_ELPA)
CFLAGS   += -std=gnu11 $(OPT) $(WARN) -MMD -MP -ffp-contract=on
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) $(if $(ELPA),elpa)) -lopenblas -lm

SRC  = $(filter-out src/main.c,$(wildcard src/*.c src/ops/*.c))
OBJ  = $(SRC:src/%.c=$(BUILD)/%.o)
TEST = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

all: $(BUILD)/codim
$(BUILD)/codim: $(BUILD)/main.o $(BUILD)/libcodim.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/libcodim.a: $(OBJ)
	rm -f $@ && ar rcs $@ $^
$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/tests/%: tests/%.c $(BUILD)/libcodim.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -I tests -o $@ $< $(BUILD)/libcodim.a $(LDFLAGS) $(LDLIBS)
clean:
	rm -rf $(BUILD)
.PHONY: all clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
