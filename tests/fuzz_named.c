/* SPDX-License-Identifier: MIT */
/*
 * fuzz_named - what reads the names of cgroups and units (cli/container_of.c, cli/unit.c) on any bytes, as anybody
 * may make a directory of any name.  What must hold: no access outside, results that are names, outputs untouched
 * on failure, and a unit's name that is made of a unit's name being the same.
 */
#include "container.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void fuzz_container(const char *text)
{
	char id[HF_CONTAINER_ID_MAX + 1];
	const char *kind = NULL;

	memset(id, FUZZ_FILLER, sizeof(id));
	if (!hf_container_of(text, id, &kind)) {
		FUZZ_REQUIRE(fuzz_is_untouched(id, sizeof(id)));
		return;
	}
	FUZZ_REQUIRE(kind && id[0] && memchr(id, '\0', sizeof(id)));
	FUZZ_REQUIRE(!strchr(id, '/'));
}

static void fuzz_unit(const char *text)
{
	char name[HF_UNIT_NAME_MAX + 1], again[HF_UNIT_NAME_MAX + 1];
	const char *why = NULL;
	int r;

	memset(name, FUZZ_FILLER, sizeof(name));
	r = hf_unit_name_of(text, name, &why);
	FUZZ_REQUIRE(r == 0 || r == -EINVAL);
	if (r < 0) {
		FUZZ_REQUIRE(why && fuzz_is_untouched(name, sizeof(name)));
		return;
	}
	FUZZ_REQUIRE(memchr(name, '\0', sizeof(name)) && hf_unit_type_of(name) && !strchr(name, '/'));
	FUZZ_REQUIRE(hf_unit_name_of(name, again, &why) == 0 && strcmp(name, again) == 0);
	FUZZ_REQUIRE(hf_unit_is_directory(name, name) || name[0] == '_');
	if (text[0] == '/') {
		hf_unit_is_managed(text, -1);
		hf_unit_is_managed(text, 1000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	fuzz_container(text);
	fuzz_unit(text);
	free(text);
	return 0;
}
