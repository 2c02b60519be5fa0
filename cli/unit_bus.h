/* SPDX-License-Identifier: MIT */
/*
 * unit_bus - ask systemd for the cgroup of a unit, over D-Bus.  unit_bus.c is the only file that knows
 * libsystemd; built with SYSTEMD=0 it always says that nobody is to be asked.
 */
#ifndef HF_UNIT_BUS_H
#define HF_UNIT_BUS_H

#include <limits.h>
#include <stdbool.h>

#include "holdfast.h"

#include "unit.h"

/*
 * Ask the system's manager, or the user's, for the cgroup of a unit whose type has this interface.  Takes no longer than
 * timeout_ms, whatever the bus and systemd do: they may be held themselves, or hang.
 *
 * 1: answered, and ret is the path within the hierarchy.  0: nobody answered; note (HF_NOTE_MAX bytes) has the
 * reason, or is empty when systemd does not seem to run.  ENOENT: systemd has no such unit.  ESRCH: the unit
 * does not run.  EACCES: it will not tell us.
 */
int hf_unit_bus_ask(const char *name, const char *interface, bool user, unsigned int timeout_ms,
		    char ret[PATH_MAX], char *note, struct hf_error *err);

/* Whether the command was built with it. */
bool hf_unit_bus_built(void);
/* systemd's version into ret (cap bytes).  1: it answered; 0: not, with the reason in ret. */
int hf_unit_bus_probe(bool user, unsigned int timeout_ms, char *ret, size_t cap);

#endif
