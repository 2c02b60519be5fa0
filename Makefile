# SPDX-License-Identifier: MIT
#
# make            the library, the command
# make check      install what is missing, build, run all tests
# make fuzz       search for inputs that break a parser, ten minutes for each
# make storm      hold everything at once, 500 rounds on each freezer (ROUNDS=...)
# make demo       install what is missing, build, hold and release a small workload
# make sweep      kill the command at each of its system calls, and fail each of them: some half an hour
# make valgrind   parsers, printers and runs of the command under valgrind
# V=1             show the commands

VERSION := 0.1.0
SOVERSION := 0

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BUILD ?= build
CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
# Ours are built with warnings as errors; packagers set WERROR= to be spared.
WERROR ?= -Werror
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough \
	-Wswitch-enum -Wnull-dereference $(WERROR)

ifneq ($(V),1)
Q := @
MAKEFLAGS += --silent --no-print-directory
say = @printf '  %-7s %s\n' $(1) $(2);
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all check bench built-tests demo deps install uninstall clean sanitize lint fuzz fuzz-coverage \
	built-fuzz storm sweep valgrind check-quiet compare spread

# ---- The library and the command ---------------------------------------------------------
# Each folder sees only the folders below it, so that the arrows
# cli -> keeper -> dump -> pstree -> seize -> base are kept by the compiler.
see_base := -Iinclude -Ibase
see_seize := $(see_base) -Iseize
see_pstree := $(see_seize) -Ipstree
see_dump := $(see_pstree) -Idump
see_keeper := $(see_dump) -Ikeeper
see_cli := $(see_keeper) -Icli
see_tests := $(see_cli) -Itests

JSON_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c)
JSON_LIBS = $(shell $(PKG_CONFIG) --libs json-c)
# libsystemd is for --unit in the command, and for nothing else: it is loaded then.  SYSTEMD=0 or 1 decides whether that
# is built, else whether its headers are there.
SYSTEMD ?= $(shell $(PKG_CONFIG) --exists libsystemd && echo 1 || echo 0)
SYSTEMD := $(SYSTEMD)
ifneq ($(SYSTEMD),0)
SYSTEMD_CFLAGS = $(shell $(PKG_CONFIG) --cflags libsystemd)
SYSTEMD_LIBS = $(shell $(PKG_CONFIG) --libs libsystemd)
endif
UNWIND_CFLAGS = $(shell $(PKG_CONFIG) --cflags libunwind-generic liblzma)
UNWIND_LIBS = $(shell $(PKG_CONFIG) --libs libunwind-generic liblzma) -ldl
# Source lines, where its headers are: loaded when they are asked for, so nothing is linked.
HAVE_LIBDW := $(shell $(PKG_CONFIG) --exists libdw 2>/dev/null && echo -DHF_HAVE_LIBDW)
LIB_LIBS = $(JSON_LIBS) $(UNWIND_LIBS)
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)

# Without a PLT: the guard must not run the dynamic linker, whose tables it may have let go (guard_memory.c).
COMPILE = $(CC) -std=gnu17 -D_GNU_SOURCE -DHF_API='__attribute__((visibility("default")))' \
	-fvisibility=hidden -fPIC -fno-plt -pthread $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) -MMD -MP

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
base_OBJ := $(call objects,base)
seize_OBJ := $(call objects,seize)
pstree_OBJ := $(call objects,pstree)
dump_OBJ := $(call objects,dump)
keeper_OBJ := $(call objects,keeper) $(BUILD)/keeper/interface.o
cli_OBJ := $(call objects,cli)
LIB_OBJ := $(base_OBJ) $(seize_OBJ) $(pstree_OBJ) $(dump_OBJ) $(keeper_OBJ)

SONAME := libholdfast.so.$(SOVERSION)
SOFILE := libholdfast.so.$(VERSION)

all: $(BUILD)/holdfast $(BUILD)/libholdfast.so $(BUILD)/libholdfast.a

$(base_OBJ): SEE = $(see_base)
$(seize_OBJ): SEE = $(see_seize)
$(pstree_OBJ): SEE = $(see_pstree) $(JSON_CFLAGS)
$(keeper_OBJ): SEE = $(see_keeper) $(JSON_CFLAGS)
$(dump_OBJ): SEE = $(see_dump) $(UNWIND_CFLAGS) $(JSON_CFLAGS) $(HAVE_LIBDW)
$(cli_OBJ): SEE = $(see_cli)
$(BUILD)/cli/runtime_state.o: SEE = $(see_cli) $(JSON_CFLAGS)
$(BUILD)/cli/unit_bus.o: SEE = $(see_cli) -DHF_SYSTEMD=$(SYSTEMD) $(SYSTEMD_CFLAGS)
$(BUILD)/cli/unit_bus.o: $(BUILD)/systemd.$(SYSTEMD)

# Made anew when SYSTEMD is another than in the build before.
$(BUILD)/systemd.$(SYSTEMD):
	$(Q)mkdir -p $(@D) && rm -f $(BUILD)/systemd.* && touch $@

$(BUILD)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(COMPILE) $(SEE) -c $< -o $@

$(BUILD)/%.o: %.S keeper/org.holdfast.Hold.varlink
	$(call say,AS,$<)mkdir -p $(@D) && $(CC) -c $< -o $@

$(BUILD)/libholdfast.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/$(SOFILE): $(LIB_OBJ) seize/libholdfast.map
	$(call say,LD,$@)$(CC) -shared -pthread -Wl,-soname,$(SONAME) \
		-Wl,--version-script=seize/libholdfast.map -Wl,--no-undefined $(LDFLAGS) $(SAN) \
		$(LIB_OBJ) $(LIB_LIBS) -o $@

$(BUILD)/$(SONAME): $(BUILD)/$(SOFILE)
	$(Q)ln -sf $(SOFILE) $@

$(BUILD)/libholdfast.so: $(BUILD)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

$(BUILD)/holdfast: $(cli_OBJ) $(BUILD)/libholdfast.a
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $^ $(LIB_LIBS) -o $@

define PC_FILE
prefix=$(PREFIX)
libdir=$(LIBDIR)
includedir=$${prefix}/include

Name: holdfast
Description: Stop a group of processes at one instant, hold it, release it
Version: $(VERSION)
Requires.private: json-c libunwind-generic liblzma
Libs: -L$${libdir} -lholdfast
Libs.private: -pthread
Cflags: -I$${includedir}
endef
export PC_FILE

# ---- Tests --------------------------------------------------------------------------------
test_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/check_*.c tests/bench_*.c))
fuzz_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/fuzz_main.c,$(wildcard tests/fuzz_*.c)))
victims := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/victims/*.c))
examples := $(patsubst %.c,$(BUILD)/%,$(wildcard examples/*.c))
lab_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/lab*.c))
test_OBJ := $(lab_OBJ) $(addsuffix .o,$(test_PROGRAMS) $(fuzz_PROGRAMS)) $(BUILD)/tests/fuzz_main.o

.SECONDARY: $(test_OBJ)
$(test_OBJ): SEE = $(see_tests) $(CHECK_CFLAGS) $(JSON_CFLAGS)

# The command's objects but main.o, for the tests of its pure parts.
$(BUILD)/tests/libparts.a: $(lab_OBJ) $(filter-out $(BUILD)/cli/main.o,$(cli_OBJ))
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(test_PROGRAMS): %: %.o $(BUILD)/tests/libparts.a $(BUILD)/libholdfast.a
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $(filter %.o,$^) $(filter %.a,$^) $(CHECK_LIBS) $(LIB_LIBS) -o $@

# What counts its basic blocks.
counted = $(patsubst $(BUILD)/%,$(BUILD)/counted/%,$(1))
counted_OBJ := $(call counted,$(base_OBJ) $(seize_OBJ) $(pstree_OBJ) $(dump_OBJ))
$(call counted,$(base_OBJ)): SEE = $(see_base)
$(call counted,$(seize_OBJ)): SEE = $(see_seize)
$(call counted,$(pstree_OBJ)): SEE = $(see_pstree) $(JSON_CFLAGS)
$(call counted,$(dump_OBJ)): SEE = $(see_dump) $(UNWIND_CFLAGS) $(JSON_CFLAGS) $(HAVE_LIBDW)
$(BUILD)/counted/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(COMPILE) $(SEE) -fsanitize-coverage=trace-pc -c $< -o $@
$(BUILD)/tests/check_growth: $(counted_OBJ)

# What hands inputs to a fuzz target: an object that reads the stored ones, or libFuzzer (`make fuzz`).
FUZZ_ENGINE = $(BUILD)/tests/fuzz_main.o
$(fuzz_PROGRAMS): %: %.o $(filter %.o,$(FUZZ_ENGINE)) $(BUILD)/tests/libparts.a $(BUILD)/libholdfast.a
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $(filter -%,$(FUZZ_ENGINE)) $^ $(LIB_LIBS) -o $@

# The command as it is built where libsystemd is missing: tested beside the other.
$(BUILD)/tests/unit_bus_without.o: cli/unit_bus.c
	$(call say,CC,$<)mkdir -p $(@D) && $(COMPILE) $(see_cli) -DHF_SYSTEMD=0 -c $< -o $@

$(BUILD)/tests/holdfast-without-systemd: $(filter-out $(BUILD)/cli/unit_bus.o,$(cli_OBJ)) \
		$(BUILD)/tests/unit_bus_without.o $(BUILD)/libholdfast.a
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $^ $(LIB_LIBS) -o $@

# A small systemd for the tests of --unit; says that it is left out where libsystemd is.
$(BUILD)/tests/bus/manager: tests/bus/manager.c $(BUILD)/systemd.$(SYSTEMD)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) -std=gnu17 -D_GNU_SOURCE -DHF_SYSTEMD=$(SYSTEMD) $(WARN) -O2 -g \
		$(SYSTEMD_CFLAGS) $< $(SYSTEMD_LIBS) -o $@

# Victims are looked at from outside: no sanitizer in them, whatever the tests are built with.
$(victims): $(BUILD)/%: %.c $(wildcard tests/victims/*.h)
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -g -pthread $< -o $@

# As a user would build it: against the public header and the shared library alone.
$(examples): $(BUILD)/%: %.c $(BUILD)/libholdfast.so
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) -std=c99 -D_DEFAULT_SOURCE $(WARN) -O2 -g $(SAN) -Iinclude $< \
		-L$(BUILD) -lholdfast -Wl,-rpath,$(abspath $(BUILD)) -o $@

# What speed is measured with, and against: see bench/README.md.
bench_PROGRAMS := $(addprefix $(BUILD)/bench/,calls crowd floor hold)
bench_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bench/*.c))
$(bench_OBJ): SEE = $(see_base)
$(BUILD)/bench/floor $(BUILD)/bench/hold: $(BUILD)/bench/steps.o $(BUILD)/bench/reads.o
$(BUILD)/bench/calls $(BUILD)/bench/hold: $(BUILD)/libholdfast.a
$(bench_PROGRAMS): %: %.o
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $^ $(if $(filter %.a,$^),$(LIB_LIBS)) -o $@

bench: all $(bench_PROGRAMS)
	$(Q)bench/hold.py $(BUILD)
	$(Q)bench/stack.py $(BUILD)

built-tests: all $(test_PROGRAMS) $(fuzz_PROGRAMS) $(victims) $(examples) $(bench_PROGRAMS) \
	$(BUILD)/tests/holdfast-without-systemd $(BUILD)/tests/bus/manager

check:
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) built-tests
	$(Q)tests/run.sh $(BUILD)

# What tests/run.sh tries a sample of.  A failing point prints how to repeat it: SWEEP='--jobs hold' and the like.
sweep:
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) all $(victims)
	$(Q)tests/sweep/sweep.py --build $(BUILD) $(SWEEP)

# SUITES='hold tree-formats': only check_hold and tests/cli/tree-formats.sh.
valgrind:
	$(Q)tests/deps.sh build test lint
	$(Q)$(MAKE) built-tests
	$(Q)tests/valgrind.sh $(BUILD) $(SUITES)

# Thousands of holds of a program that sleeps in every way there is.
check-quiet: built-tests
	$(Q)HF_TEST_HOLDS=$${HF_TEST_HOLDS:-5000} CK_RUN_CASE=programs HF_BUILD=$(abspath $(BUILD)) $(BUILD)/tests/check_restart_live

# What holdfast, debuggers, signals and the plain freezer do to blocking calls, side by side.
compare: all $(victims)
	$(Q)HOLDFAST=$(BUILD)/holdfast HF_BUILD=$(abspath $(BUILD)) tests/compare.sh

# How far apart a thousand threads start again, beside a plain thaw.
spread: built-tests
	$(Q)HF_BUILD=$(abspath $(BUILD)) $(BUILD)/tests/bench_spread

# The whole suite under AddressSanitizer and UndefinedBehaviorSanitizer.  Leaks count.  No sweep: it would fail the
# sanitizers' own system calls.
sanitize:
	$(Q)tests/deps.sh build test
	$(Q)$(MAKE) BUILD=$(BUILD)-sanitize built-tests \
		SAN='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
	$(Q)SWEEP_SECONDS=0 tests/run.sh $(BUILD)-sanitize

# Of some GNU extensions that we use it warns.
WITH_CLANG := CC=clang WERROR=

# Search for inputs that break a parser: all targets one after the other, FUZZ_SECONDS (600) each, or
# FUZZ="NAME..." of them.  See tests/fuzz.sh for what is left where.
fuzz:
	$(Q)tests/deps.sh build test fuzz
	$(Q)$(MAKE) BUILD=$(BUILD)-fuzz $(WITH_CLANG) built-fuzz FUZZ_ENGINE=-fsanitize=fuzzer \
		SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
	$(Q)tests/fuzz.sh search $(BUILD)-fuzz $(FUZZ)

# How much of the parsers the stored inputs reach.
fuzz-coverage:
	$(Q)tests/deps.sh build test fuzz
	$(Q)$(MAKE) BUILD=$(BUILD)-coverage $(WITH_CLANG) built-fuzz SAN='-fprofile-instr-generate -fcoverage-mapping'
	$(Q)tests/fuzz.sh coverage $(BUILD)-coverage $(PARSERS)

PARSERS := base/scan.c base/procfs.c base/cgroupfs.c base/maps.c base/timers.c seize/births.c seize/journal.c \
	seize/recover.c pstree/writer.c $(wildcard pstree/print*.c) \
	$(addprefix dump/,cfi.c cfi_row.c cxx_size.c debug_file.c demangle.c elf_file.c rust.c space.c symbols.c walk.c) \
	$(addprefix keeper/,wire.c jsonc.c methods.c calls.c) cli/words.c cli/json.c cli/container_of.c cli/unit.c

built-fuzz: $(fuzz_PROGRAMS)
# A long campaign against everything at once: forks, threads, execs, exits, signals.
ROUNDS ?= 500
storm: built-tests
	$(Q)dir=$$(mktemp -d) && HOLDFAST_RUNTIME_DIR=$$dir CK_RUN_CASE=everything HF_STORM_ROUNDS=$(ROUNDS) \
		$(BUILD)/tests/check_storm; status=$$?; rm -rf "$$dir"; exit $$status

demo:
	$(Q)tests/deps.sh build
	$(Q)$(MAKE) all $(victims)
	$(Q)HF_BUILD=$(abspath $(BUILD)) tests/demo.sh $(BUILD)/holdfast

deps:
	$(Q)tests/deps.sh build test lint

# ---- Reading the code with other eyes -------------------------------------------------------
SOURCES := $(wildcard base/*.c seize/*.c pstree/*.c dump/*.c keeper/*.c cli/*.c)
PAGES := $(wildcard man/*.[1-8])

lint:
	$(Q)tests/deps.sh build test lint
	$(call say,LINT,mandoc)! mandoc -Tlint $(PAGES) 2>/dev/null | grep -v 'referenced manual not found'
	$(call say,LINT,shellcheck)shellcheck -S warning tests/*.sh .ci/run && \
		shellcheck -x tests/cli/*.sh && shellcheck -s bash completion/holdfast.bash
	$(call say,LINT,cppcheck)cppcheck -q --std=c11 --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 -D_GNU_SOURCE -DHF_API= -D__x86_64__ --suppress=preprocessorErrorDirective \
		$(see_cli) -DHF_SYSTEMD=$(SYSTEMD) $(SOURCES)
	$(call say,LINT,clang-tidy)clang-tidy --quiet --warnings-as-errors='*' $(SOURCES) 2>/dev/null -- -std=gnu17 \
		-D_GNU_SOURCE -DHF_API= $(see_cli) $(JSON_CFLAGS) $(UNWIND_CFLAGS) $(HAVE_LIBDW) -DHF_SYSTEMD=$(SYSTEMD) $(SYSTEMD_CFLAGS)

# ---- Installing --------------------------------------------------------------------------------
BINDIR = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share
HEADERDIR = $(DESTDIR)$(PREFIX)/include
LIBS = $(DESTDIR)$(LIBDIR)

install: all
	install -d $(BINDIR) $(LIBS)/pkgconfig $(HEADERDIR) $(SHAREDIR)/bash-completion/completions
	install -m 755 $(BUILD)/holdfast $(BINDIR)/holdfast
	install -m 755 $(BUILD)/$(SOFILE) $(LIBS)/$(SOFILE)
	ln -sf $(SOFILE) $(LIBS)/$(SONAME)
	ln -sf $(SONAME) $(LIBS)/libholdfast.so
	install -m 644 $(BUILD)/libholdfast.a $(LIBS)/libholdfast.a
	printf '%s\n' "$$PC_FILE" >$(LIBS)/pkgconfig/holdfast.pc
	install -m 644 include/holdfast.h $(HEADERDIR)/holdfast.h
	install -m 644 completion/holdfast.bash $(SHAREDIR)/bash-completion/completions/holdfast
	for page in $(PAGES); do \
		install -D -m 644 $$page $(SHAREDIR)/man/man$${page##*.}/$${page##*/} || exit; done

uninstall:
	rm -f $(BINDIR)/holdfast $(LIBS)/$(SOFILE) $(LIBS)/$(SONAME) $(LIBS)/libholdfast.so \
		$(LIBS)/libholdfast.a $(LIBS)/pkgconfig/holdfast.pc $(HEADERDIR)/holdfast.h \
		$(SHAREDIR)/bash-completion/completions/holdfast
	for page in $(PAGES); do rm -f $(SHAREDIR)/man/man$${page##*.}/$${page##*/}; done

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-fuzz $(BUILD)-coverage

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
