/* SPDX-License-Identifier: MIT */
/*
 * interface - the text of org.holdfast.Hold.varlink, as a string of the program: what the repository says is what is
 * answered.
 */
	.section .rodata
	.globl hf_interface_text
	.hidden hf_interface_text
	.type hf_interface_text, %object
hf_interface_text:
	.incbin "keeper/org.holdfast.Hold.varlink"
	.byte 0
	.size hf_interface_text, . - hf_interface_text
	.section .note.GNU-stack, "", %progbits
