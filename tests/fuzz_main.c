/* SPDX-License-Identifier: MIT */
/*
 * fuzz_main - run a fuzz target over the stored inputs given as arguments.  Each is handed over in
 * memory of exactly its size, so that the sanitizers and valgrind see reads behind its end.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size >= 0)
		data = malloc(size ? (size_t)size : 1);
	if (!data || fseek(file, 0, SEEK_SET) != 0 ||
	    fread(data, 1, (size_t)size, file) != (size_t)size) {
		fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
		size = -1;
	} else {
		LLVMFuzzerTestOneInput(data, (size_t)size);
	}
	free(data);
	if (file)
		fclose(file);
	return size < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int i, failed = 0;

	for (i = 1; i < argc; i++)
		if (run_file(argv[i]) < 0)
			failed++;
	printf("%s: %d inputs, %d unreadable\n", argv[0], argc - 1, failed);
	/* A run over nothing proves nothing. */
	return failed || argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
}
