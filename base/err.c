/* SPDX-License-Identifier: MIT */
/*
 * err - see err.h.
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Format into text[cap], which may be among the arguments.  Names of commands and cgroups are
 * bytes of somebody else's choosing: what would break the line or steer a terminal becomes '?'.
 */
static void format(char *text, size_t cap, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void format(char *text, size_t cap, const char *fmt, va_list ap)
{
	char made[sizeof(((struct hf_error *)NULL)->text)];
	size_t i;

	if (vsnprintf(made, sizeof(made), fmt, ap) < 0)
		made[0] = '\0';
	for (i = 0; i < cap - 1 && made[i]; i++) {
		text[i] = made[i];
		if ((unsigned char)made[i] < ' ' || made[i] == 0x7f)
			text[i] = '?';
	}
	text[i] = '\0';
}

int hf_fail(struct hf_error *err, int code, enum hf_stage stage, pid_t tid, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		format(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
		err->code = code;
		err->stage = stage;
		err->undo = HF_UNDO_NONE;
		err->tid = tid;
		err->by = 0;
		err->note[0] = '\0';
	}
	return -code;
}

int hf_fail_by(struct hf_error *err, int r, pid_t by)
{
	if (err)
		err->by = by;
	return r;
}

void hf_fail_note(struct hf_error *err, enum hf_undo undo, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	if (!err)
		return;
	if (undo > err->undo)
		err->undo = undo;
	used = strlen(err->note);
	if (used + 2 >= sizeof(err->note))
		return;		/* full: what came first matters most */
	va_start(ap, fmt);
	if (used) {
		memcpy(err->note + used, "; ", 3);
		used += 2;
	}
	format(err->note + used, sizeof(err->note) - used, fmt, ap);
	va_end(ap);
}

HF_API const char *hf_stage_name(enum hf_stage stage)
{
	switch (stage) {
	case HF_STAGE_NONE:
		return "starting";
	case HF_STAGE_LOOK:
		return "looking";
	case HF_STAGE_FREEZE:
		return "freezing";
	case HF_STAGE_SEIZE:
		return "seizing";
	case HF_STAGE_THAW:
		return "thawing";
	case HF_STAGE_WAIT:
		return "waiting for stops";
	case HF_STAGE_VERIFY:
		return "verifying";
	case HF_STAGE_COLLECT:
		return "collecting";
	case HF_STAGE_HOLD:
		return "holding";
	case HF_STAGE_RELEASE:
		return "releasing";
	}
	return "working";
}

HF_API const char *hf_version(void)
{
	return HF_VERSION;
}

int hf_fail_cancelled(struct hf_error *err, struct hf_deadline deadline)
{
	if (hf_deadline_cancelled(deadline)) {
		err->code = ECANCELED;
		snprintf(err->text, sizeof(err->text), "cancelled while %s", hf_stage_name(err->stage));
	}
	return -err->code;
}
