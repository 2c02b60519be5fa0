/* SPDX-License-Identifier: MIT */
/*
 * check_rust - tests of dump/rust.c: mangled names and what c++filt(1) of binutils makes of them, but for what is left
 * out on purpose (the hash of legacy names).
 */
#include "rust.h"

#include <stdio.h>

#include "suite.h"

static const struct {
	const char *symbol, *name;	/* NULL: not one of Rust's */
} names[] = {
	{ "_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write" },
	{ "_ZN3std2rt10lang_start28_$u7b$$u7b$closure$u7d$$u7d$17h0123456789abcdefE",
	  "std::rt::lang_start::{{closure}}" },
	{ "_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
	  "<Test + 'static as foo::Bar<Test>>::bar" },
	{ "_ZN54_$LT$I$u20$as$u20$core..iter..traits..IntoIterator$GT$9into_iter17h8581507801fb8615E",
	  "<I as core::iter::traits::IntoIterator>::into_iter" },
	{ "_ZN10parse_tsan4main17hdbbfdf1c6a7e27d9E", "parse_tsan::main" },
	{ "_RNvC6_123foo3bar", "123foo::bar" },
	{ "_RNvNtCs1234_4core3fmt5write", "core::fmt::write" },
	{ "_RNvCskwGfYPst2Cb_3foo16example_function", "foo::example_function" },
	{ "_RNvMC7mycrateINtC7mycrate3FoomE3bar", "<mycrate::Foo<u32>>::bar" },
	{ "_RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_", "cc::spawn::{closure#0}::{closure#0}" },
	{ "_RNvXs1_C7mycrateNtC7mycrate3FooINtNtC3std7convert4FrommE4from",
	  "<mycrate::Foo as std::convert::From<u32>>::from" },
	{ "_RNvYNtC7mycrate3FooNtC3std4Send3bar", "<mycrate::Foo as std::Send>::bar" },
	{ "_RINvNtC3std3mem8align_ofNtNtC3std3mem12DiscriminantE", "std::mem::align_of::<std::mem::Discriminant>" },
	{ "_RINvC3foo3barKj7b_E", "foo::bar::<123>" },
	{ "_RINvC3foo3barAhj4_E", "foo::bar::<[u8; 4]>" },
	{ "_RINvC3foo3barFG_RL0_hEuE", "foo::bar::<for<'a> fn(&'a u8)>" },
	{ "_RINvC3foo3barDNtC3std4SendEL_E", "foo::bar::<dyn std::Send>" },
	{ "_RINvC3foo3barTlEThtEE", "foo::bar::<(i32,), (u8, u16)>" },
	{ "_RNvC3foo3bar.llvm.123", "foo::bar" },
	{ "_ZN4deep6HolderIiE5visitEv", NULL },
	{ "_ZN4core3fmt5writeE", NULL },
	{ "_ZN4core3fmt5write17h0123456789abcdeXE", NULL },
	{ "_Z3foov", NULL },
	{ "main", NULL },
	{ "", NULL },
	{ "_R", NULL },
	{ "_RNvC3fo", NULL },
	{ "_RNvB_3foo", NULL },		/* a reference to itself */
	{ "_ZN99999999999999999999a", NULL },
};

START_TEST(a_symbol_is_shown_as_it_was_written)
{
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	bool is = hf_rust_demangle(names[_i].symbol, &w);

	ck_assert_msg(is == (names[_i].name != NULL), "%s: %d", names[_i].symbol, is);
	if (is)
		ck_assert_str_eq(buf.data, names[_i].name);
	hf_buf_done(&buf);
}
END_TEST

static size_t put_62(char *to, size_t n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = 0, i;
	char text[8];

	for (; n || !len; n /= 62)
		text[len++] = digits[n % 62];
	for (i = 0; i < len; i++)
		to[i] = text[len - 1 - i];
	return len;
}

/* Tuples of two references to the tuple before: each level doubles the length. */
START_TEST(what_expands_without_end_is_given_up)
{
	char symbol[1024] = "_RINvC1a1bTC99"
			    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxE";
	size_t len = strlen(symbol), tuple = strlen("INvC1a1b"), i, j, at;
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };

	for (i = 0; i < (size_t)_i; i++, tuple = at) {
		at = len - strlen("_R");
		symbol[len++] = 'T';
		for (j = 0; j < 2; j++) {
			symbol[len++] = 'B';
			len += put_62(symbol + len, tuple - 1);
			symbol[len++] = '_';
		}
		symbol[len++] = 'E';
	}
	symbol[len++] = 'E';
	symbol[len] = '\0';
	/* All tuples are written, one after the other. */
	ck_assert_int_eq(hf_rust_demangle(symbol, &w), _i < 9);
	ck_assert_uint_lt(buf.len, HF_DEMANGLED_MAX);
	ck_assert_uint_gt(buf.len, _i < 9 ? 100u << _i : 50000);
	hf_buf_done(&buf);
}
END_TEST

START_TEST(a_legacy_name_has_a_largest_length_too)
{
	char *symbol = malloc(3 * HF_DEMANGLED_MAX);
	struct hf_buf buf = { 0 };
	struct hf_writer w = { .out = &buf };
	size_t i;

	strcpy(symbol, "_ZN");
	for (i = 0; i < HF_DEMANGLED_MAX; i++)
		memcpy(symbol + 3 + 2 * i, "1a", 2);
	strcpy(symbol + 3 + 2 * i, "17h0123456789abcdefE");
	ck_assert(!hf_rust_demangle(symbol, &w));
	strcpy(symbol + 3 + 2000, "17h0123456789abcdefE");
	buf.len = 0;
	ck_assert(hf_rust_demangle(symbol, &w));
	ck_assert_uint_eq(buf.len, 3 * 1000 - 2);
	hf_buf_done(&buf);
	free(symbol);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rust");
	TCase *tc = tcase_create("names");

	tcase_add_loop_test(tc, a_symbol_is_shown_as_it_was_written, 0, COUNT_OF(names));
	tcase_add_loop_test(tc, what_expands_without_end_is_given_up, 1, 16);
	tcase_add_test(tc, a_legacy_name_has_a_largest_length_too);
	suite_add_tcase(suite, tc);
	return hf_suite_run(suite);
}
