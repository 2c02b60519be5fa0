/* SPDX-License-Identifier: MIT */
/*
 * check_demangle - tests of dump/demangle.c and dump/cxx_size.c: C++ names, and those that the runtime of C++ must not be
 * asked for.
 */
#include "cxx_size.h"
#include "demangle.h"
#include "rust.h"

#include <stdio.h>

#include "suite.h"

#define MEBI (1024.0 * 1024)

static struct hf_arena arena;
static unsigned int asked;

/* A runtime of C++ that makes names of a given length. */
static size_t made_len;

static char *made_name(const char *name, char *buf, size_t *len, int *ret_status)
{
	char *made = malloc(made_len + 1);

	(void)name, (void)buf, (void)len;
	asked++;
	*ret_status = 0;
	memset(made, 'n', made_len);
	made[made_len] = '\0';
	return made;
}

static void tear_down(void)
{
	hf_arena_done(&arena);
}

static const struct {
	const char *symbol, *name;
} names[] = {
	{ "_ZN4deep6HolderIiE5visitEv", "deep::Holder<int>::visit()" },
	{ "_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)" },
	{ "_Z3fooIJicEEvDpRKT_", "void foo<int, char>(int const&, char const&)" },
	{ "_ZN3fooC1Ev@@VERSION_1", "foo::foo()" },
	{ "_ZTSo", "typeinfo name for unsigned __int128" },
	{ "main", "main" },
	{ "write@GLIBC_2.2.5", "write" },
};

/* Where there is no runtime of C++, the symbol itself. */
START_TEST(a_symbol_is_shown_as_it_was_written)
{
	struct hf_demangler d = HF_DEMANGLER_INIT;
	const char *symbol = names[_i].symbol, *name = hf_demangle(&d, &arena, symbol);

	if (symbol[0] != '_' || d.cxx)
		ck_assert_str_eq(name, names[_i].name);
	ck_assert(hf_cxx_size_max(symbol) >= (double)strlen(names[_i].name));
	ck_assert(hf_cxx_size_max(symbol) < MEBI);
	hf_demangler_done(&d);
}
END_TEST

/* "S_", "S0_", ... "S9_", "SA_", ... */
static size_t put_part(char *to, size_t n)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (n == 0)
		return (size_t)sprintf(to, "S_");
	if (n <= 36)
		return (size_t)sprintf(to, "S%c_", digits[n - 1]);
	return (size_t)sprintf(to, "S%c%c_", digits[(n - 1) / 36], digits[(n - 1) % 36]);
}

/* Functions of two functions before: each doubles the length.  Behind a start that must not hide them. */
static void doubling(char *symbol, const char *start, size_t n)
{
	size_t len = (size_t)sprintf(symbol, "%s", start), i;

	len += (size_t)sprintf(symbol + len, "FiicE");
	for (i = 0; i < n; i++) {
		len += (size_t)sprintf(symbol + len, "Fi");
		len += put_part(symbol + len, i);
		len += put_part(symbol + len, i);
		len += (size_t)sprintf(symbol + len, "E");
	}
}

static const char *const starts[] = {
	"_Z1f", "_Z1fILi999EEv", "_Z1fIA999_iEv", "_ZZ1fvEd999_1gv", "_ZN1fC1E", "_ZThn999_1f", "_Zv2999999f", "_Z1fDv999_f",
	"_Z1fIXsr3fooE3barE", "_ZUlvE999_", "_Z4294967297f",
};

START_TEST(what_might_fill_all_memory_is_not_asked_for)
{
	struct hf_demangler d = { .cxx = made_name, .tried = 1 };
	char symbol[1024];

	made_len = 1;
	asked = 0;
	doubling(symbol, starts[_i], 60);
	ck_assert(hf_cxx_size_max(symbol) > 1e15);
	ck_assert_str_eq(hf_demangle(&d, &arena, symbol), symbol);
	ck_assert_uint_eq(asked, 0);
	/* Few are no harm. */
	doubling(symbol, starts[_i], 3);
	ck_assert_str_eq(hf_demangle(&d, &arena, symbol), "n");
	ck_assert_uint_eq(asked, 1);
}
END_TEST

static const char *const large[] = {
	"_Z1fIJiiiiiiiiiiiiiiiiiiiiiiiEEvDpPDpPDpPDpPDpPDpT_",
	"_Z1fIFvT_T_T_T_T_T_T_T_T_EEvZ1gIFvT_T_T_T_T_T_T_T_T_EEvvEUlvE_Z1hIFvT_T_T_T_T_T_T_T_T_EEvvEUlvE_"
	"Z1iIFvT_T_T_T_T_T_T_T_T_EEvvEUlvE_Z1jIFvT_T_T_T_T_T_T_T_T_EEvvEUlvE_",
};

START_TEST(packs_and_parameters_make_names_long_too)
{
	ck_assert(hf_cxx_size_max(large[_i]) > 64 * MEBI);
}
END_TEST

START_TEST(a_name_that_is_too_long_is_shown_as_the_symbol)
{
	struct hf_demangler d = { .cxx = made_name, .tried = 1 };

	made_len = HF_DEMANGLED_MAX - 1;
	ck_assert_uint_eq(strlen(hf_demangle(&d, &arena, "_Z1fv")), HF_DEMANGLED_MAX - 1);
	made_len = HF_DEMANGLED_MAX;
	ck_assert_str_eq(hf_demangle(&d, &arena, "_Z1fv"), "_Z1fv");
}
END_TEST

START_TEST(all_names_together_have_a_bound)
{
	struct hf_demangler d = { .cxx = made_name, .tried = 1 };
	char symbol[1024];
	unsigned int i;

	made_len = 1;
	asked = 0;
	doubling(symbol, "_Z1f", 10);
	ck_assert(hf_cxx_size_max(symbol) < 64 * MEBI);
	for (i = 0; i < 100000; i++)
		hf_demangle(&d, &arena, symbol);
	ck_assert_uint_gt(asked, 50);
	ck_assert_uint_lt(asked, 50000);
	ck_assert_str_eq(hf_demangle(&d, &arena, symbol), symbol);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demangle");
	TCase *tc = tcase_create("names");

	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_loop_test(tc, a_symbol_is_shown_as_it_was_written, 0, (int)COUNT_OF(names));
	tcase_add_loop_test(tc, what_might_fill_all_memory_is_not_asked_for, 0, (int)COUNT_OF(starts));
	tcase_add_loop_test(tc, packs_and_parameters_make_names_long_too, 0, (int)COUNT_OF(large));
	tcase_add_test(tc, a_name_that_is_too_long_is_shown_as_the_symbol);
	tcase_add_test(tc, all_names_together_have_a_bound);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
