#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The library as its users meet it: installed, found by pkg-config, linked both ways; the example works.
. "$(dirname "$0")/lib.sh"

: "${HF_BUILD:?the build directory}" "${HF_SOURCE:?the source directory}"

# The header alone, as C99 and as C++.
printf '#include <holdfast.h>\nint nothing;\n' > "$TMP/alone.c"
cp "$TMP/alone.c" "$TMP/alone.cc"
cc -std=c99 -pedantic -Wall -Wextra -Werror -I"$HF_SOURCE/include" -c "$TMP/alone.c" -o "$TMP/alone.o" ||
	fail "not C99"
if command -v c++ >/dev/null; then
	c++ -std=c++98 -pedantic -Wall -Wextra -Werror -I"$HF_SOURCE/include" -c "$TMP/alone.cc" \
		-o "$TMP/alone.o" || fail "not C++"
fi

# What is exported is what the header declares.
grep -o 'hf_[a-z_]*(' "$HF_SOURCE/include/holdfast.h" | tr -d '(' | sort -u > "$TMP/words"
nm -D --defined-only "$HF_BUILD/libholdfast.so" | awk '$2 == "T" { print $3 }' | sed 's/@.*//' |
	sort > "$TMP/exported"
comm -13 "$TMP/words" "$TMP/exported" > "$TMP/strange"
[[ ! -s $TMP/strange ]] || fail "exported, and not in the header: $(tr '\n' ' ' < "$TMP/strange")"
grep -q '^hf_hold_cgroup$' "$TMP/exported" || fail "hf_hold_cgroup is not exported"
objdump -p "$HF_BUILD/libholdfast.so" | grep -q 'SONAME *libholdfast.so.0$' || fail "soname"
# What only the command needs is not the library's.
! objdump -p "$HF_BUILD/libholdfast.so" | grep -q 'NEEDED.*systemd' || fail "linked with libsystemd"

# Installed elsewhere.  The sanitizers' run time is not what a user links.
if ! nm -D "$HF_BUILD/libholdfast.so" | grep -q __asan; then
	make -s -C "$HF_SOURCE" BUILD="$HF_BUILD" DESTDIR="$TMP/root" PREFIX=/opt/hf install \
		> "$TMP/log" 2>&1 || fail "install: $(cat "$TMP/log")"
	export PKG_CONFIG_PATH=$TMP/root/opt/hf/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$TMP/root
	# shellcheck disable=SC2046  # flags
	cc "$HF_SOURCE/examples/walk.c" -o "$TMP/shared" $(pkg-config --cflags --libs holdfast) \
		-Wl,-rpath,"$TMP/root/opt/hf/lib" || fail "shared"
	# shellcheck disable=SC2046
	cc "$HF_SOURCE/examples/walk.c" -o "$TMP/static" $(pkg-config --cflags holdfast) \
		"$TMP/root/opt/hf/lib/libholdfast.a" $(PKG_CONFIG_SYSROOT_DIR='' pkg-config --libs json-c) \
		-pthread || fail "static"
	walks=("$TMP/shared" "$TMP/static")
else
	walks=("$HF_BUILD/examples/walk")
fi

walked()
{
	for walk in "${walks[@]}"; do
		busy
		"$walk" "$CG" > "$TMP/out" 2> "$TMP/err" || fail "$walk"
		grep -q "^process $VICTIM, child of $$: sh$" "$TMP/out" || fail "$(cat "$TMP/out")"
		grep -q "^  thread $VICTIM at 0x[0-9a-f]*[1-9a-f]" "$TMP/out" || fail "$(cat "$TMP/out")"
		must_move
		must_be_free
		"$walk" "$CG" stop > "$TMP/out" 2> "$TMP/err" || fail "$walk stop"
		[[ $(cut -d' ' -f3 "/proc/$VICTIM/stat") == T ]] || fail "not stopped"
		"$walk" "$CG" kill > "$TMP/out" 2> "$TMP/err" || fail "$walk kill"
		await is_empty "$CG"
	done
	"${walks[0]}" "$CG" > "$TMP/out" 2> "$TMP/err" && fail "an empty cgroup"
	grep -q 'is empty' "$TMP/err" || fail "$(cat "$TMP/err")"
}
on_each_freezer walked

if ! nm -D "$HF_BUILD/libholdfast.so" | grep -q __asan; then
	make -s -C "$HF_SOURCE" BUILD="$HF_BUILD" DESTDIR="$TMP/root" PREFIX=/opt/hf uninstall \
		> "$TMP/log" 2>&1 || fail "uninstall: $(cat "$TMP/log")"
	left=$(find "$TMP/root" ! -type d)
	[[ -z $left ]] || fail "left behind: $left"
fi
