/* SPDX-License-Identifier: MIT */
/*
 * own - memory and descriptors that belong to a scope.  Declare with the attribute, always
 * initialised, and hand on with hf_take_fd() or hf_take_ptr().  Changes to the world (a frozen
 * cgroup, a seized thread) are never undone this way: undoing them can fail and has an order.
 */
#ifndef HF_OWN_H
#define HF_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void hf_own_close(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}

static inline void hf_own_free(void *p)
{
	int saved = errno;	/* free() keeps it only since glibc 2.33 */

	free(*(void **)p);
	errno = saved;
}

static inline void hf_own_closedir(DIR **d)
{
	if (*d) {
		int saved = errno;

		closedir(*d);
		errno = saved;
	}
}

#define hf_owned_fd __attribute__((cleanup(hf_own_close))) int
#define hf_owned __attribute__((cleanup(hf_own_free)))
#define hf_owned_dir __attribute__((cleanup(hf_own_closedir)))

static inline int hf_take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define hf_take_ptr(p) \
	({ \
		__typeof__(p) hf_taken = (p); \
		(p) = NULL; \
		hf_taken; \
	})

#endif
