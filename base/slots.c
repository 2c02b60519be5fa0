/* SPDX-License-Identifier: MIT */
/*
 * slots - see slots.h.
 */
#include "slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

void hf_slots_done(struct hf_slots *s)
{
	free(s->at);
	*s = (struct hf_slots){ 0 };
}

int hf_slots_renew(struct hf_slots *s, size_t room)
{
	size_t n = 64;
	uint32_t *at;

	while (n / 2 < room)
		n *= 2;
	at = calloc(n, sizeof(*at));
	if (!at)
		return -ENOMEM;
	free(s->at);
	*s = (struct hf_slots){ at, n };
	return 0;
}

void hf_slots_put(struct hf_slots *s, uint64_t hash, uint32_t number)
{
	while (s->at[hash & (s->n - 1)])
		hash++;
	s->at[hash & (s->n - 1)] = number + 1;
}

uint64_t hf_slots_secret(unsigned int which)
{
	/* Sixteen bytes that the kernel gives to each program at its start (getauxval(3)). */
	const char *bytes = (const char *)getauxval(AT_RANDOM);
	uint64_t secret = 0;

	if (bytes)
		memcpy(&secret, bytes + which % 2 * sizeof(secret), sizeof(secret));
	return secret;
}
