/* SPDX-License-Identifier: MIT */
/*
 * cxx_size - see cxx_size.h.  The symbol (Itanium C++ ABI, section 5.1) is not parsed, only cut into letters, names and
 * references, and every doubt makes the result larger.
 */
#include "cxx_size.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LETTER 16	/* "y" is "unsigned long long", "Sa" std::allocator */
#define BEFORE 64	/* "typeinfo name for " */
#define NAME_MAX_LEN 65536
#define PARTS_MAX 1000

struct size {
	double bytes, params;	/* without what template parameters stand for, and how many of those there are */
};

struct sizing {
	const char *p;
	struct size now;		/* of all up to here */
	struct size parts[PARTS_MAX];	/* at most that of each part that can be referred to */
	size_t n_parts;
	double packs, scopes;
	bool names_end;			/* digits may be numbers from here on, so that no name may be skipped */
};

/* The number in "S_", "S0_", "SZ_", "S10_", ... behind its first letter.  0: it is none. */
static size_t reference(const char *p, size_t *ret)
{
	size_t n = 0, i;

	for (i = 0; i < 3 && (isdigit((unsigned char)p[i]) || isupper((unsigned char)p[i])); i++)
		n = n * 36 + (size_t)(isdigit((unsigned char)p[i]) ? p[i] - '0' : p[i] - 'A' + 10);
	*ret = i ? n + 1 : 0;
	return p[i] == '_' ? i + 1 : 0;
}

/*
 * Parts are numbered as they end.  So one that is referred to has ended before the first reference to it or to a later
 * one, and is not larger than all that was up to there.
 */
static void add_part(struct sizing *s, size_t number)
{
	const struct size *part = &s->now;

	if (number < PARTS_MAX) {
		while (s->n_parts <= number)
			s->parts[s->n_parts++] = s->now;
		part = &s->parts[number];
	}
	s->now = (struct size){ s->now.bytes + LETTER + part->bytes, s->now.params + part->params };
}

/* A pack of parameters by itself ("DpRKT_") is a parameter; a larger pattern is repeated for each of its elements. */
static bool is_pattern(const char *p)
{
	size_t number;

	p += strspn(p, "KOPRV");
	return *p != 'T' || !reference(p + 1, &number);
}

/*
 * Letters behind which, without another kind before, digits are the length of a name.  Behind 'v' and 'd' they may be an
 * operator's or a default argument's number.
 */
static bool is_plain(const char *p)
{
	if (*p == 'v' || *p == 'd')
		return !isdigit((unsigned char)p[1]);
	if (*p == 'D')
		return p[1] && strchr("pnisua", p[1]);
	if (*p == 'S')
		return p[1] && strchr("tasbiod", p[1]);
	return strchr("NIEJKRPOVrFMBZwbcahstijlmxynofegz", *p) != NULL;
}

static void skip_name(struct sizing *s)
{
	size_t len = 0, left;

	for (; isdigit((unsigned char)*s->p) && len < NAME_MAX_LEN; s->p++)
		len = len * 10 + (size_t)(*s->p - '0');
	if (len >= NAME_MAX_LEN) {	/* which may be another number where it overflows */
		s->names_end = true;
		return;
	}
	left = strnlen(s->p, len);
	s->now.bytes += 2.0 * (double)left + LETTER;	/* twice: a constructor repeats it */
	s->p += left;
}

static void letter(struct sizing *s, double len)
{
	const char *p = s->p++;

	if (!is_plain(p))
		s->names_end = true;
	if ((p[0] == 'D' || p[0] == 's') && p[1] == 'p' && is_pattern(p + 2))
		s->packs *= len;
	s->scopes += *p == 'Z';
	s->now.bytes += LETTER;
	/* The second letter of two that mean something together. */
	if ((*p == 'D' || *p == 'S') && is_plain(p))
		s->p++;
}

/*
 * A parameter stands for an argument of the function around it, which has none but those of the function around that.
 */
static double total(const struct sizing *s)
{
	double bytes = s->now.bytes, i;

	for (i = 0; i < s->scopes && bytes < 1e18; i++)
		bytes = s->now.bytes + s->now.params * bytes;
	return bytes * s->packs;
}

double hf_cxx_size_max(const char *symbol)
{
	struct sizing s = { .p = symbol, .now = { .bytes = BEFORE }, .packs = 1, .scopes = 1 };
	double len = (double)strlen(symbol);
	size_t number, n;

	s.p += strncmp(symbol, "_Z", 2) == 0 ? 2 : 0;
	while (*s.p) {
		n = *s.p == 'S' || *s.p == 'T' ? reference(s.p + 1, &number) : 0;
		if (n && *s.p == 'S')
			add_part(&s, number);
		else if (n)
			s.now = (struct size){ s.now.bytes + LETTER, s.now.params + 1 };
		if (n)
			s.p += 1 + n;
		else if (isdigit((unsigned char)*s.p) && !s.names_end)
			skip_name(&s);
		else
			letter(&s, len);
	}
	return total(&s);
}
