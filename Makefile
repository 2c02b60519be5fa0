# SPDX-License-Identifier: MIT
#
# make            the library, the command
# make check      install what is missing, build, run all tests
# make demo       install what is missing, build, hold and release a small workload
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
say = @printf '  %-7s %s\n' $(1) $(2);
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all check demo deps install uninstall clean sanitize valgrind lint

# ---- The library and the command ---------------------------------------------------------
# Each folder sees only the folders below it, so that the arrows
# cli -> pstree -> seize -> base are kept by the compiler.
see_base := -Iinclude -Ibase
see_seize := $(see_base) -Iseize
see_pstree := $(see_seize) -Ipstree
see_cli := $(see_pstree) -Icli
see_tests := $(see_cli) -Itests

JSON_CFLAGS = $(shell $(PKG_CONFIG) --cflags json-c)
JSON_LIBS = $(shell $(PKG_CONFIG) --libs json-c)
CHECK_CFLAGS = $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)

COMPILE = $(CC) -std=gnu17 -D_GNU_SOURCE -DHF_API='__attribute__((visibility("default")))' \
	-fvisibility=hidden -fPIC -pthread $(WARN) $(CPPFLAGS) $(CFLAGS) $(SAN) -MMD -MP

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
base_OBJ := $(call objects,base)
seize_OBJ := $(call objects,seize)
pstree_OBJ := $(call objects,pstree)
cli_OBJ := $(call objects,cli)
LIB_OBJ := $(base_OBJ) $(seize_OBJ) $(pstree_OBJ)

SONAME := libholdfast.so.$(SOVERSION)
SOFILE := libholdfast.so.$(VERSION)

all: $(BUILD)/holdfast $(BUILD)/libholdfast.so $(BUILD)/libholdfast.a $(BUILD)/holdfast.pc

$(base_OBJ): SEE = $(see_base)
$(seize_OBJ): SEE = $(see_seize)
$(pstree_OBJ): SEE = $(see_pstree) $(JSON_CFLAGS)
$(cli_OBJ): SEE = $(see_cli)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(COMPILE) $(SEE) -c $< -o $@

$(BUILD)/libholdfast.a: $(LIB_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/$(SOFILE): $(LIB_OBJ) seize/libholdfast.map
	$(call say,LD,$@)$(CC) -shared -pthread -Wl,-soname,$(SONAME) \
		-Wl,--version-script=seize/libholdfast.map -Wl,--no-undefined $(LDFLAGS) $(SAN) \
		$(LIB_OBJ) $(JSON_LIBS) -o $@

$(BUILD)/$(SONAME): $(BUILD)/$(SOFILE)
	$(Q)ln -sf $(SOFILE) $@

$(BUILD)/libholdfast.so: $(BUILD)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

$(BUILD)/holdfast: $(cli_OBJ) $(BUILD)/libholdfast.a
	$(call say,LD,$@)$(CC) -pthread $(LDFLAGS) $(SAN) $^ $(JSON_LIBS) -o $@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
