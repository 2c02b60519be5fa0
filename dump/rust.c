/* SPDX-License-Identifier: MIT */
/*
 * rust - see rust.h.
 */
#include "rust.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- Legacy ---------------------------------------------------------------------------------------- */

#define HASH_LEN 17	/* 'h' and 16 hexadecimal digits */

struct ident {
	const char *at;
	size_t len;
};

static bool next_ident(const char **p, struct ident *ret)
{
	size_t len = 0;

	if (!isdigit((unsigned char)**p) || **p == '0')
		return false;
	for (; isdigit((unsigned char)**p); (*p)++) {
		len = len * 10 + (size_t)(**p - '0');
		if (len > 4096)
			return false;
	}
	if (strnlen(*p, len) < len)
		return false;
	*ret = (struct ident){ *p, len };
	*p += len;
	return true;
}

static bool is_hash(struct ident id)
{
	size_t i;

	if (id.len != HASH_LEN || id.at[0] != 'h')
		return false;
	for (i = 1; i < id.len; i++)
		if (!isdigit((unsigned char)id.at[i]) && !(id.at[i] >= 'a' && id.at[i] <= 'f'))
			return false;
	return true;
}

/* "$LT$" and the like at p; how many characters that was, 0 when it is none. */
static size_t put_escape(struct hf_writer *w, const char *p, size_t len)
{
	static const struct {
		const char *code, *text;
	} escapes[] = {
		{ "$SP$", "@" }, { "$BP$", "*" }, { "$RF$", "&" }, { "$LT$", "<" }, { "$GT$", ">" },
		{ "$LP$", "(" }, { "$RP$", ")" }, { "$C$", "," }, { "$u7e$", "~" }, { "$u20$", " " },
		{ "$u27$", "'" }, { "$u5b$", "[" }, { "$u5d$", "]" }, { "$u7b$", "{" }, { "$u7d$", "}" },
		{ "$u3b$", ";" }, { "$u2b$", "+" }, { "$u22$", "\"" }, { "$u3d$", "=" }, { "$u21$", "!" },
	};
	size_t i;

	for (i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		size_t n = strlen(escapes[i].code);

		if (n <= len && memcmp(p, escapes[i].code, n) == 0) {
			hf_writer_put(w, escapes[i].text);
			return n;
		}
	}
	return 0;
}

static void put_legacy_ident(struct hf_writer *w, struct ident id)
{
	size_t i = 0, n;

	/* What begins with an escape has a '_' before it, to be an identifier. */
	if (id.len > 1 && id.at[0] == '_' && id.at[1] == '$')
		i++;
	while (i < id.len) {
		if (i + 1 < id.len && id.at[i] == '.' && id.at[i + 1] == '.') {
			hf_writer_put(w, "::");
			i += 2;
			continue;
		}
		n = id.at[i] == '$' ? put_escape(w, id.at + i, id.len - i) : 0;
		if (n == 0) {
			hf_writer_put_bytes(w, id.at + i, 1);
			n = 1;
		}
		i += n;
	}
}

/* Only the hash tells it from a name of C++. */
static bool is_legacy(const char *p)
{
	struct ident id = { "", 0 };

	while (next_ident(&p, &id))
		;
	return *p == 'E' && is_hash(id);
}

static void put_legacy(struct hf_writer *w, const char *p)
{
	struct ident id;
	bool first = true;

	while (next_ident(&p, &id) && *p != 'E') {
		if (!first)
			hf_writer_put(w, "::");
		put_legacy_ident(w, id);
		first = false;
	}
}

/* ---- v0 ---------------------------------------------------------------------------------------------- */

#define DEPTH_MAX 128		/* of paths and types within each other */
#define STEPS_MAX 20000		/* back references make names that take exponential time */

struct v0 {
	const char *start;	/* behind "_R": what back references count from */
	const char *p;
	struct hf_writer *w;
	unsigned int depth, steps;
	unsigned int lifetimes;	/* bound at this point */
	bool quiet;		/* read, and write nothing */
	bool bad;
};

static void path(struct v0 *v, bool in_value);
static void type(struct v0 *v);

/* The end of what is too long is not even read. */
static void put_bytes(struct v0 *v, const char *bytes, size_t n)
{
	if (v->quiet)
		return;
	if (v->w->out->len + n >= HF_DEMANGLED_MAX)
		v->bad = true;
	else
		hf_writer_put_bytes(v->w, bytes, n);
}

static void put(struct v0 *v, const char *text)
{
	put_bytes(v, text, strlen(text));
}

static char peek(const struct v0 *v)
{
	return *v->p;
}

static bool eat(struct v0 *v, char c)
{
	if (*v->p != c)
		return false;
	v->p++;
	return true;
}

static char next(struct v0 *v)
{
	char c = *v->p;

	if (c)
		v->p++;
	else
		v->bad = true;
	return c;
}

static bool enter(struct v0 *v)
{
	if (v->bad || ++v->steps > STEPS_MAX || v->depth == DEPTH_MAX) {
		v->bad = true;
		return false;
	}
	v->depth++;
	return true;
}

static void leave(struct v0 *v)
{
	v->depth--;
}

/* "_" is 0, "0_" 1, ... in base 62. */
static uint64_t base62(struct v0 *v)
{
	uint64_t n = 0;

	if (eat(v, '_'))
		return 0;
	while (!eat(v, '_')) {
		char c = next(v);
		uint64_t digit = c >= '0' && c <= '9' ? (uint64_t)(c - '0')
			       : c >= 'a' && c <= 'z' ? (uint64_t)(c - 'a') + 10
			       : c >= 'A' && c <= 'Z' ? (uint64_t)(c - 'A') + 36 : 62;

		if (digit == 62 || __builtin_mul_overflow(n, 62u, &n) || __builtin_add_overflow(n, digit, &n)) {
			v->bad = true;
			return 0;
		}
	}
	return n + 1;
}

static uint64_t optional62(struct v0 *v, char tag)
{
	return eat(v, tag) ? base62(v) + 1 : 0;
}

/* *ret_len bytes of a name, after its disambiguator.  Names that are not ASCII are shown in their punycode. */
static const char *bare_ident(struct v0 *v, size_t *ret_len)
{
	size_t len = 0;
	const char *at;

	eat(v, 'u');
	if (!isdigit((unsigned char)peek(v)))
		v->bad = true;
	if (!eat(v, '0'))
		while (isdigit((unsigned char)peek(v)) && len < 65536)
			len = len * 10 + (size_t)(next(v) - '0');
	eat(v, '_');
	at = v->p;
	if (strnlen(at, len) < len)
		v->bad = true;
	else
		v->p += len;
	*ret_len = v->bad ? 0 : len;
	return at;
}

static void back_reference(struct v0 *v, void (*parse)(struct v0 *v))
{
	const char *here = v->p - 1, *after;
	uint64_t at = base62(v);

	after = v->p;
	/* Only backwards, so it ends. */
	if (v->bad || at >= (uint64_t)(here - v->start)) {
		v->bad = true;
		return;
	}
	v->p = v->start + at;
	if (!v->quiet)
		parse(v);
	v->p = after;
}

/* ---- Constants, lifetimes ---- */

static void lifetime(struct v0 *v, uint64_t index)
{
	char text[32];

	if (index == 0) {
		put(v, "'_");
		return;
	}
	if (index > v->lifetimes) {
		v->bad = true;
		return;
	}
	index = v->lifetimes - index;
	if (index < 26)
		snprintf(text, sizeof(text), "'%c", (char)('a' + index));
	else
		snprintf(text, sizeof(text), "'_%llu", (unsigned long long)index);
	put(v, text);
}

/* "for<'a, 'b> ", where there is a binder.  Returns how many it binds. */
static unsigned int binder(struct v0 *v)
{
	uint64_t n = optional62(v, 'G'), i;

	if (n > 64)
		v->bad = true;
	if (n == 0 || v->bad)
		return 0;
	put(v, "for<");
	for (i = 0; i < n; i++) {
		put(v, i ? ", " : "");
		v->lifetimes++;
		lifetime(v, 1);
	}
	put(v, "> ");
	return (unsigned int)n;
}

static void put_constant(struct v0 *v, char kind, uint64_t value, const char *digits, size_t n)
{
	char text[32];

	if (n > 16) {	/* more than we count: as it is written */
		put(v, "0x");
		put_bytes(v, digits, n);
		return;
	}
	if (kind == 'b' && value < 2)
		snprintf(text, sizeof(text), "%s", value ? "true" : "false");
	else if (kind == 'c' && value >= 0x20 && value < 0x7f)
		snprintf(text, sizeof(text), "'%c'", (char)value);
	else
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put(v, text);
}

static void constant(struct v0 *v)
{
	const char *digits;
	uint64_t value = 0;
	char kind;
	size_t n;

	if (!enter(v))
		return;
	kind = next(v);
	if (kind == 'B') {
		back_reference(v, constant);
	} else if (kind == 'p') {
		put(v, "_");
	} else if (!strchr("bcaxstlmhyjino", kind) || !kind) {
		v->bad = true;
	} else {
		if (eat(v, 'n'))
			put(v, "-");
		for (digits = v->p; isxdigit((unsigned char)peek(v)); v->p++)
			value = value * 16 + (uint64_t)(isdigit((unsigned char)peek(v)) ? peek(v) - '0' : peek(v) - 'a' + 10);
		n = (size_t)(v->p - digits);
		if (!eat(v, '_'))
			v->bad = true;
		put_constant(v, kind, value, digits, n);
	}
	leave(v);
}

/* ---- Paths ---- */

static void generic_argument(struct v0 *v)
{
	if (eat(v, 'L'))
		lifetime(v, base62(v));
	else if (eat(v, 'K'))
		constant(v);
	else
		type(v);
}

static void arguments_until_e(struct v0 *v, void (*parse)(struct v0 *v), const char *open, const char *close)
{
	bool first = true;

	put(v, open);
	while (!v->bad && !eat(v, 'E')) {
		put(v, first ? "" : ", ");
		parse(v);
		first = false;
	}
	put(v, close);
}

static void impl_path(struct v0 *v)
{
	bool quiet = v->quiet;

	/* Where the impl stands is of no interest. */
	optional62(v, 's');
	v->quiet = true;
	path(v, false);
	v->quiet = quiet;
}

static void nested(struct v0 *v, bool in_value)
{
	char space = next(v), text[64];
	const char *name;
	uint64_t number;
	size_t len;

	path(v, in_value);
	number = optional62(v, 's');
	name = bare_ident(v, &len);
	if (v->bad)
		return;
	if (space >= 'A' && space <= 'Z') {	/* what has no name of its own */
		put(v, "::{");
		put(v, space == 'C' ? "closure" : space == 'S' ? "shim" : "");
		if (space != 'C' && space != 'S')
			put_bytes(v, &space, 1);
		if (len) {
			put(v, ":");
			put_bytes(v, name, len);
		}
		snprintf(text, sizeof(text), "#%llu}", (unsigned long long)number);
		put(v, text);
	} else if (len) {
		put(v, "::");
		put_bytes(v, name, len);
	}
}

static void path_as_type(struct v0 *v)
{
	path(v, false);
}

static void path_as_value(struct v0 *v)
{
	path(v, true);
}

static void path(struct v0 *v, bool in_value)
{
	const char *name;
	size_t len;

	if (!enter(v))
		return;
	switch (next(v)) {
	case 'C':	/* a crate */
		optional62(v, 's');
		name = bare_ident(v, &len);
		put_bytes(v, name, len);
		break;
	case 'N':
		nested(v, in_value);
		break;
	case 'M':	/* <type> */
		impl_path(v);
		put(v, "<");
		type(v);
		put(v, ">");
		break;
	case 'X':	/* <type as trait> */
		impl_path(v);
		/* fall through */
	case 'Y':
		put(v, "<");
		type(v);
		put(v, " as ");
		path(v, false);
		put(v, ">");
		break;
	case 'I':
		path(v, in_value);
		arguments_until_e(v, generic_argument, in_value ? "::<" : "<", ">");
		break;
	case 'B':
		back_reference(v, in_value ? path_as_value : path_as_type);
		break;
	default:
		v->bad = true;
	}
	leave(v);
}

/* ---- Types ---- */

static const char *basic_type(char c)
{
	static const char *const names[26] = {
		['a' - 'a'] = "i8", ['b' - 'a'] = "bool", ['c' - 'a'] = "char", ['d' - 'a'] = "f64",
		['e' - 'a'] = "str", ['f' - 'a'] = "f32", ['h' - 'a'] = "u8", ['i' - 'a'] = "isize",
		['j' - 'a'] = "usize", ['l' - 'a'] = "i32", ['m' - 'a'] = "u32", ['n' - 'a'] = "i128",
		['o' - 'a'] = "u128", ['p' - 'a'] = "_", ['s' - 'a'] = "i16", ['t' - 'a'] = "u16",
		['u' - 'a'] = "()", ['v' - 'a'] = "...", ['x' - 'a'] = "i64", ['y' - 'a'] = "u64",
		['z' - 'a'] = "!",
	};

	return c >= 'a' && c <= 'z' ? names[c - 'a'] : NULL;
}

static void function_type(struct v0 *v)
{
	unsigned int bound = binder(v);
	const char *name;
	size_t len;

	put(v, eat(v, 'U') ? "unsafe " : "");
	if (eat(v, 'K')) {
		put(v, "extern \"");
		if (eat(v, 'C')) {
			put(v, "C");
		} else {
			name = bare_ident(v, &len);
			put_bytes(v, name, len);
		}
		put(v, "\" ");
	}
	arguments_until_e(v, type, "fn(", ")");
	if (!eat(v, 'u')) {
		put(v, " -> ");
		type(v);
	}
	v->lifetimes -= bound;
}

/* A trait with its associated types: "Iterator<Item = u8>". */
static void dyn_trait(struct v0 *v)
{
	const char *name;
	bool first = true;
	size_t len;

	path(v, false);
	while (!v->bad && eat(v, 'p')) {
		name = bare_ident(v, &len);
		put(v, first ? "<" : ", ");
		put_bytes(v, name, len);
		put(v, " = ");
		type(v);
		first = false;
	}
	put(v, first ? "" : ">");
}

static void dyn_type(struct v0 *v)
{
	unsigned int bound;
	bool first = true;
	uint64_t index;

	put(v, "dyn ");
	bound = binder(v);
	while (!v->bad && !eat(v, 'E')) {
		put(v, first ? "" : " + ");
		dyn_trait(v);
		first = false;
	}
	v->lifetimes -= bound;
	if (!eat(v, 'L')) {
		v->bad = true;
		return;
	}
	index = base62(v);
	if (index) {
		put(v, " + ");
		lifetime(v, index);
	}
}

static void tuple(struct v0 *v)
{
	unsigned int n = 0;

	put(v, "(");
	while (!v->bad && !eat(v, 'E')) {
		put(v, n++ ? ", " : "");
		type(v);
	}
	put(v, n == 1 ? ",)" : ")");
}

static void reference(struct v0 *v, const char *mutable)
{
	put(v, "&");
	if (eat(v, 'L')) {
		uint64_t index = base62(v);

		if (index) {
			lifetime(v, index);
			put(v, " ");
		}
	}
	put(v, mutable);
	type(v);
}

static void type(struct v0 *v)
{
	const char *basic = basic_type(peek(v));

	if (!enter(v))
		return;
	if (basic) {
		next(v);
		put(v, basic);
		leave(v);
		return;
	}
	switch (peek(v)) {
	case 'R':
	case 'Q':
		reference(v, next(v) == 'Q' ? "mut " : "");
		break;
	case 'P':
	case 'O':
		put(v, next(v) == 'O' ? "*mut " : "*const ");
		type(v);
		break;
	case 'A':
	case 'S':
		put(v, "[");
		if (next(v) == 'A') {
			type(v);
			put(v, "; ");
			constant(v);
		} else {
			type(v);
		}
		put(v, "]");
		break;
	case 'T':
		next(v);
		tuple(v);
		break;
	case 'F':
		next(v);
		function_type(v);
		break;
	case 'D':
		next(v);
		dyn_type(v);
		break;
	case 'B':
		next(v);
		back_reference(v, type);
		break;
	default:
		path(v, false);
	}
	leave(v);
}

/* The crate that instantiated a generic function may follow; a vendor's suffix begins with '.'. */
static bool v0(struct hf_writer *w, const char *p)
{
	struct v0 v = { .start = p, .p = p, .w = w };

	if (isdigit((unsigned char)*p))	/* an encoding of the future */
		return false;
	path(&v, true);
	if (!v.bad && peek(&v) && peek(&v) != '.') {
		v.quiet = true;
		path(&v, false);
	}
	return !v.bad && (peek(&v) == '\0' || peek(&v) == '.');
}

bool hf_rust_demangle(const char *symbol, struct hf_writer *w)
{
	if (strncmp(symbol, "_R", 2) == 0)
		return v0(w, symbol + 2);
	if (strncmp(symbol, "_ZN", 3) != 0 || !is_legacy(symbol + 3))
		return false;
	put_legacy(w, symbol + 3);
	return w->out->len < HF_DEMANGLED_MAX;
}
