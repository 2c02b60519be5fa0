/* SPDX-License-Identifier: MIT */
/*
 * err - see err.h.
 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int hf_fail(struct hf_error *err, int code, enum hf_stage stage, pid_t tid, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		err->code = code;
		err->stage = stage;
		err->undo = HF_UNDO_NONE;
		err->tid = tid;
		err->note[0] = '\0';
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return -code;
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
	if (used && used + 2 < sizeof(err->note)) {
		memcpy(err->note + used, "; ", 3);
		used += 2;
	}
	va_start(ap, fmt);
	vsnprintf(err->note + used, sizeof(err->note) - used, fmt, ap);
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
