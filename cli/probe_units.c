/* SPDX-License-Identifier: MIT */
/*
 * probe_units - the probe of `holdfast check` that asks whether --unit can ask systemd.
 */
#include "probe.h"
#include "unit_bus.h"

#define PATIENCE_MS 1000u

void hf_probe_units(struct hf_ability *able, struct hf_finding *ret)
{
	char reply[HF_NOTE_MAX];

	(void)able;
	if (!hf_unit_bus_built())
		hf_found(ret, HF_VERDICT_LIMITED, "build with libsystemd", "built without sd-bus: --unit goes by the names "
			 "of cgroups");
	else if (hf_unit_bus_probe(false, PATIENCE_MS, reply, sizeof(reply)))
		hf_found(ret, HF_VERDICT_OK, NULL, "systemd %s tells where units are", reply);
	else
		hf_found(ret, HF_VERDICT_LIMITED, NULL, "sd-bus is built in, but systemd does not answer (%s): --unit goes "
			 "by the names of cgroups", reply);
}
