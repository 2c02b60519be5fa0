/* SPDX-License-Identifier: MIT */
/*
 * check_print_dot - tests of pstree/print_dot.c.  What is written is read back with a few
 * lines that know what a quoted string of the language is.
 */
#include "made_tree.h"

START_TEST(the_graph_of_a_tree)
{
	char *text = format(sample, 3, &sample_info, HF_FORMAT_DOT, 0);

	ck_assert_str_eq(text,
		"digraph holdfast {\n"
		"\tgraph [charset=\"UTF-8\", labelloc=t, label=\"/sys/fs/cgroup/pod (cgroup v2): "
		"3 processes, 5 threads, 3 held, 1 armed, 1 died, 1 zombie, stopped for 2.7 ms\"];\n"
		"\tnode [shape=box];\n"
		"\tp100 [label=\"100 server\\n4 threads\"];\n"
		"\tp101 [label=\"101 w\\nstopped by SIGTSTP\", color=orange];\n"
		"\tp100 -> p101;\n"
		"\tp102 [label=\"102 sh\\nzombie\", color=red, style=dashed];\n"
		"\tp101 -> p102;\n"
		"}\n");
	free(text);
}
END_TEST

/* Past a quoted string, in which a backslash takes the next character with it. */
static const char *behind_quoted(const char *at)
{
	ck_assert_int_eq(*at, '"');
	for (at++; *at != '"'; at++) {
		ck_assert_int_ge((unsigned char)*at, 0x20);
		if (*at == '\\')
			ck_assert_ptr_nonnull(strchr("\\\"n", *++at));
	}
	return at + 1;
}

START_TEST(any_bytes_make_a_valid_graph)
{
	const char *bytes = all_bytes(), *at;
	struct hf_hold_info info = sample_info;
	struct hf_process p;
	struct hf_thread t;
	char *text;

	info.path = "\\\"];}\\";
	p = named(&t, 5, 1, bytes, ARGS("n"));
	text = format(&p, 1, &info, HF_FORMAT_DOT, 0);
	check_utf8(text);
	for (at = text; (at = strchr(at, '"')); at = behind_quoted(at))
		;
	at = behind_quoted(strstr(text, "p5 [label=") + strlen("p5 [label="));
	ck_assert_str_eq(at, "];\n}\n");
	ck_assert_ptr_nonnull(strstr(text, "!\\\"#$%&amp;'("));
	ck_assert_ptr_nonnull(strstr(text, "[\\\\]"));
	free(text);
}
END_TEST

START_TEST(many_processes_as_a_graph)
{
	char *text = format_many(sizes[_i].n, sizes[_i].width, HF_FORMAT_DOT, 0);

	/* A node for each, an edge to each but one, and four lines around them. */
	ck_assert_uint_eq(count_lines(text, 300), 2 * sizes[_i].n - 1 + 4);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print_dot");
	TCase *tc;

	tc = add_case(suite, "dot");
	tcase_add_test(tc, the_graph_of_a_tree);
	tcase_add_test(tc, any_bytes_make_a_valid_graph);
	tc = add_case(suite, "size");
	tcase_add_loop_test(tc, many_processes_as_a_graph, 0, (int)COUNT_OF(sizes));
	return hf_suite_run(suite);
}
