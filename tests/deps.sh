#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh GROUP... - install what is missing for `build`, `test`, `lint`, `fuzz`, by package name, on Debian and
# Ubuntu (apt-get) and on Fedora (dnf).  Asks the package database first: with everything there it
# needs no network and no root.
set -eu

packages() {
	case $family-$1 in
	deb-build) echo "gcc libc6-dev make pkg-config libjson-c-dev libunwind-dev liblzma-dev libsystemd-dev" ;;
	deb-test) echo "check python3 e2fsprogs util-linux mount procps gdb mandoc g++ binutils dbus-daemon runc busybox-static xz-utils elfutils libdw-dev" ;;
	deb-lint) echo "clang clang-tidy cppcheck mandoc shellcheck valgrind" ;;
	deb-fuzz) echo "clang libclang-rt-dev llvm" ;;
	rpm-build) echo "gcc make pkgconf-pkg-config json-c-devel libunwind-devel xz-devel systemd-devel" ;;
	rpm-test) echo "check-devel python3 e2fsprogs util-linux procps-ng gdb mandoc gcc-c++ binutils dbus-daemon runc busybox xz elfutils elfutils-devel" ;;
	rpm-lint) echo "clang clang-tools-extra cppcheck mandoc ShellCheck valgrind" ;;
	rpm-fuzz) echo "clang compiler-rt llvm" ;;
	*) echo "deps: no such group: $1" >&2 && exit 2 ;;
	esac
}

if command -v apt-get >/dev/null 2>&1; then
	family=deb
elif command -v dnf >/dev/null 2>&1; then
	family=rpm
else
	echo "deps: neither apt-get nor dnf is here; see tests/deps.sh for what is needed" >&2
	exit 0
fi

has() {
	case $family in
	deb) dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed' ;;
	rpm) rpm -q --quiet "$1" ;;
	esac
}

missing=
for group in "$@"; do
	for name in $(packages "$group"); do
		has "$name" || missing="$missing $name"
	done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: run 'sudo make deps', or install these by hand" >&2
	exit 1
fi
echo "  DEPS   $missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # a list of names
if [ $family = deb ]; then
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y --no-install-recommends $missing >"$log" 2>&1 ||
		{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 ||
		{ cat "$log" >&2; exit 1; }
else
	dnf install -y $missing >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
