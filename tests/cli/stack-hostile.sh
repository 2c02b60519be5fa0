#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whoever can put a file into the target writes its unwind information: stack ends with a reason, soon, and neither crashes nor
# goes round, whatever that says.
. "$(dirname "$0")/lib.sh"

[[ $(uname -m) == x86_64 ]] || leave_out "the programs are in x86-64 assembler"
cc=${CC:-cc}

# hostile NAME STATUS TEXT: what runs on $TMP/NAME.c, which prints a line when it is where it is to be.
hostile()
{
	local name=$1 status=$2 why=$3
	$cc -O1 -fcf-protection=none -o "$TMP/$name" "$TMP/$name.c" || fail "$name.c"
	"$TMP/$name" > "$TMP/$name.out" &
	VICTIM=$!
	STARTED+=("$VICTIM")
	disown "$VICTIM"
	await test -s "$TMP/$name.out"
	await asleep
	for held in "" --while-held; do
		# shellcheck disable=SC2086
		timeout 60 "$HOLDFAST" stack $held --pid "$VICTIM" > "$TMP/out" 2> "$TMP/err"
		ended $?
		expect "$status" ""
		[[ $OUT == *"$why"* ]] || fail "$name $held: $OUT"
		(($(wc -l < "$TMP/out") < 40)) || fail "$name $held: $(wc -l < "$TMP/out") lines"
		await asleep
	done
	kill "$VICTIM"
}

asleep()
{
	[[ $(state_letter "$VICTIM") == S ]]
}

# park(): waits in a system call, below unwind information of ours.
program()
{
	cat <<-END
		#include <stdio.h>
		#include <unistd.h>
		asm(".text\n.globl park\n.type park,@function\npark:\n.cfi_startproc\n"
		    "push %rbp\n mov %rsp,%rbp\n" $1
		    "1: mov \$34,%eax\n syscall\n jmp 1b\n.cfi_endproc\n");
		void park(void);
		int main(void) { puts("ready"); fflush(stdout); park(); }
	END
}

# DW_CFA_def_cfa_expression: DW_OP_skip to itself; DW_OP_div of the smallest number by -1.
program '".cfi_escape 0x0f,3,0x2f,0xfd,0xff\n"' > "$TMP/loop.c"
hostile loop 3 "its unwind information makes no sense"
program '".cfi_escape 0x0f,12,0x0f,0,0,0,0,0,0,0,0x80,0x09,0xff,0x1b\n"' > "$TMP/div.c"
hostile div 3 "its unwind information makes no sense"
# The stack pointer is read from the stack, and points to where it was read, again and again.
program '"lea -16(%rsp),%rsp\n lea park_again(%rip),%rax\n mov %rsp,(%rsp)\n mov %rax,8(%rsp)\n mov %rsp,%rbp\n"
	".cfi_def_cfa rbp,16\n.cfi_offset rsp,-16\n.cfi_same_value rbp\nnop\n.globl park_again\npark_again:\n"' > "$TMP/round.c"
hostile round 3 "its caller would be below it"
# A step behind the end of a file's code, which is that of a signal frame, is code of no file.
cat > "$TMP/beyond.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
asm(".section .text.sig,\"ax\",@progbits\n.p2align 12\n.globl sig\nsig:\n.cfi_startproc\n.cfi_signal_frame\n.cfi_def_cfa rsp,8\n"
    ".fill 4096,1,0x90\n.cfi_endproc\n.globl sig_end\nsig_end:\n.fill 4096,1,0xcc\n.previous\n"
    ".text\n.globl park\n.type park,@function\npark:\n.cfi_startproc\nmov %rdi,(%rsp)\n"
    "1: mov $34,%eax\n syscall\n jmp 1b\n.cfi_endproc\n");
extern char sig_end[];
void park(void *);
int main(void)
{
	if (mmap(sig_end, 4096, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 1;
	memset(sig_end, 0xcc, 4096);
	mprotect(sig_end, 4096, PROT_READ | PROT_EXEC);
	puts("ready");
	fflush(stdout);
	park(sig_end);
}
END
hostile beyond 0 " sig+0x1000 - "
