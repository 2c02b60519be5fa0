#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What bash completion offers is what help lists, for every command; cgroups are completed below the mounts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../../completion/holdfast.bash"

# complete_line WORDS...: COMPREPLY for the last of them.
complete_line()
{
	COMP_WORDS=("$HOLDFAST" "$@")
	COMP_CWORD=$#
	_holdfast 2> "$TMP/err"
	OFFERED=" ${COMPREPLY[*]} "
}

run help
listed=$(sed -n '/^Commands:/,/^$/ s/^  \([a-z]*\) .*/\1/p' "$TMP/out")
[[ -n $listed ]] || fail "no commands in help"
complete_line ""
[[ $OFFERED == " ${listed//$'\n'/ } " ]] || fail "commands: '$OFFERED', help: '$listed'"
complete_line tr
[[ $OFFERED == " tree " ]] || fail "tr: '$OFFERED'"

for command in $listed; do
	run "$command" --help
	options=$(grep -o -- '^ \{2,6\}\(-., \)\?--[a-z-]*' "$TMP/out" | grep -o -- '--[a-z-]*' | sort)
	complete_line "$command" --
	offered=$(printf '%s\n' "${COMPREPLY[@]}" | sort)
	[[ $options == "$offered" ]] || fail "$command: offers '$offered', helps with '$options'"
	# Everything offered is accepted: with --help behind it, no usage error.
	for option in $offered; do
		run "$command" "$option" --help
		[[ $ERR != *"unknown option"* ]] || fail "$command does not accept $option"
	done
done

complete_line hold --then ""
[[ $OFFERED == " run stop kill " ]] || fail "--then: '$OFFERED'"
complete_line tree --color = al
[[ $OFFERED == " always " ]] || fail "--color=al: '$OFFERED'"
complete_line tree --on-armed = ""
[[ $OFFERED == " fail accept " ]] || fail "--on-armed=: '$OFFERED'"
complete_line tree --on-armed =
[[ $OFFERED == " fail accept " ]] || fail "--on-armed=: '$OFFERED'"
complete_line help fre
[[ $OFFERED == " freeze " ]] || fail "help fre: '$OFFERED'"
complete_line pause --ti
[[ $OFFERED == " --timeout " ]] || fail "pause --ti: '$OFFERED'"

# Behind "--" of run is a command line of its own, and nothing else's.
complete_line run pod -- basen
[[ $OFFERED == *" basename "* ]] || fail "run pod -- basen: '$OFFERED'"
touch "$TMP/file-one"
complete_line run pod -- cat "$TMP/file-o"
[[ $OFFERED == " $TMP/file-one " ]] || fail "run pod -- cat: '$OFFERED'"
complete_line tree -- basen
[[ $OFFERED != *" basename "* ]] || fail "tree -- basen: '$OFFERED'"
_command_offset() { COMPREPLY=("offset $1"); }
complete_line run pod -- tar x
[[ ${COMPREPLY[0]} == "offset 4" ]] || fail "run pod -- tar x: '$OFFERED'"
unset -f _command_offset

for version in 2 1; do
	scratch $version || continue
	name=$(basename "$CG")
	child 'with space'
	complete_line tree "${name::-1}"
	[[ $OFFERED == *" $name/ "* ]] || fail "relative: '$OFFERED'"
	complete_line tree -g "$CG"
	[[ $OFFERED == " $CG/ " ]] || fail "absolute: '$OFFERED'"
	complete_line state "$name/w"
	[[ ${COMPREPLY[0]} == "$name/with space/" ]] || fail "with a space: '$OFFERED'"
done

# Units and containers that have a cgroup; nothing in a name is expanded.
id=$(printf '%064x' $$)
cd "$TMP" || exit
for version in 2 1; do
	scratch $version .slice || continue
	slice=$(basename "$CG")
	child "hf-$$-x\\x20$version.service"
	child "hf-$$-no unit.service"
	child "docker-$id.scope"
	child "runc-hf-$$-\$(touch harm).scope"
	complete_line tree --unit "$slice"
	[[ $OFFERED == " $slice " ]] || fail "--unit: '$OFFERED'"
	complete_line tree -u "hf-$$-x"
	[[ $OFFERED == *"hf-$$-x\\\\x20$version.service "* ]] || fail "a unit with a backslash: '$OFFERED'"
	complete_line tree -u "hf-$$-no"
	[[ -z ${OFFERED// /} ]] || fail "no unit: '$OFFERED'"
	complete_line hold -c "${id:0:12}"
	[[ $OFFERED == " ${id:0:12} " ]] || fail "-c: '$OFFERED'"
	complete_line hold -c "hf-$$"
	[[ $OFFERED == " hf-$$-\\\$\(touch\ harm\) " ]] || fail "-c: '$OFFERED'"
done
[[ ! -e harm ]] || fail "a name was expanded"
complete_line hold --name ""
[[ -z ${OFFERED// /} ]] || fail "--name: '$OFFERED'"
complete_line tree --pid ""
[[ -z ${OFFERED// /} ]] || fail "--pid: '$OFFERED'"
exit 0
