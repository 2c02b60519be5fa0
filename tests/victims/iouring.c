/* SPDX-License-Identifier: MIT */
/*
 * iouring - a process with two kinds of kernel workers among its threads: an io_uring thread that polls for submissions
 * (iou-sqp-PID), and a worker blocked in a read that nobody will answer (iou-wrk-PID).  It counts in its slot each
 * time the polling thread has done something for it.
 */
#include "victim.h"

#include <linux/io_uring.h>

struct ring {
	int fd;
	_Atomic unsigned int *sq_tail, *cq_head, *cq_tail, *flags;
	unsigned int *sq_array, sq_mask;
	struct io_uring_sqe *sqes;
};

static void *map(int fd, size_t size, off_t what)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (p == MAP_FAILED)
		victim_die("mapping the ring");
	return p;
}

static void set_up(struct ring *r)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 50 };
	char *rings;

	r->fd = (int)syscall(SYS_io_uring_setup, 8, &p);
	if (r->fd < 0)
		victim_die("io_uring_setup");
	rings = map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe) + 4096, IORING_OFF_SQ_RING);
	r->sq_tail = (_Atomic unsigned int *)(void *)(rings + p.sq_off.tail);
	r->flags = (_Atomic unsigned int *)(void *)(rings + p.sq_off.flags);
	r->sq_array = (unsigned int *)(void *)(rings + p.sq_off.array);
	r->sq_mask = *(unsigned int *)(void *)(rings + p.sq_off.ring_mask);
	r->cq_head = (_Atomic unsigned int *)(void *)(rings + p.cq_off.head);
	r->cq_tail = (_Atomic unsigned int *)(void *)(rings + p.cq_off.tail);
	r->sqes = map(r->fd, p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
}

static void submit(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int tail = atomic_load(r->sq_tail), i = tail & r->sq_mask;

	r->sqes[i] = *sqe;
	r->sq_array[i] = i;
	atomic_store(r->sq_tail, tail + 1);
	if (atomic_load(r->flags) & IORING_SQ_NEED_WAKEUP)
		syscall(SYS_io_uring_enter, r->fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
}

int main(void)
{
	struct io_uring_sqe nothing = { .opcode = IORING_OP_NOP };
	struct io_uring_sqe read_long = { .opcode = IORING_OP_READ, .flags = IOSQE_ASYNC, .len = 1 };
	struct ring ring;
	uint32_t slot;
	int fds[2];
	char byte;

	victim_begin();
	slot = victim_claim(1);
	set_up(&ring);
	if (pipe(fds) < 0)
		victim_die("pipe");
	read_long.fd = fds[0];
	read_long.addr = (uint64_t)(uintptr_t)&byte;
	submit(&ring, &read_long);
	victim_take(slot, VICTIM_MOVES);
	for (unsigned int round = 0;; round++) {
		submit(&ring, &nothing);
		while (atomic_load(ring.cq_tail) == atomic_load(ring.cq_head))
			usleep(100);
		atomic_fetch_add(ring.cq_head, 1);
		victim_count(slot);
		if (round == 100)
			victim_ready();
	}
}
