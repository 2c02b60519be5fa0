# SPDX-License-Identifier: MIT
# bash completion for holdfast.  Commands, options and the words that options take are asked from
# holdfast itself, so that they cannot differ from what it accepts, and so are units and containers; cgroups are
# the directories of the freezer hierarchies that are mounted.

# Where a freezer is: v2 mounts, and v1 mounts with the freezer controller.  Octal escapes undone.
_holdfast_mounts()
{
	local line where options
	local -a fields tail
	while read -r line; do
		read -ra fields <<< "${line%% - *}"
		read -ra tail <<< "${line##* - }"
		where=${fields[4]} options=${tail[2]}
		case ${tail[0]}:,$options, in
		cgroup2:* | cgroup:*,freezer,*) printf '%b\n' "${where//\\/\\0}" ;;
		esac
	done 2>/dev/null < /proc/self/mountinfo
}

# Directories for the word $1: of the file system when it is absolute, else below the mounts.
_holdfast_cgroups()
{
	local word=$1 mount
	local -a found=()
	compopt -o filenames -o nospace 2>/dev/null
	if [[ $word == /* ]]; then
		mapfile -t found < <(compgen -d -- "$word")
	else
		while IFS= read -r mount; do
			mapfile -t -O "${#found[@]}" found < <(
				cd "$mount" 2>/dev/null && compgen -d -- "$word")
		done < <(_holdfast_mounts)
	fi
	COMPREPLY=("${found[@]/%//}")
}

# The words of which `holdfast __complete ARGS...` knows, as far as they begin with $1.
_holdfast_ask()
{
	local word=$1
	shift
	mapfile -t COMPREPLY < <(compgen -W "$("$_holdfast" __complete "$@" 2>/dev/null)" -- "$word")
}

# What is here of the kind that option $3 of command $2 takes, as far as it begins with $1.  Not by compgen -W, which
# would expand what is in a name.
_holdfast_found()
{
	local name
	while IFS= read -r name; do
		[[ $name == "$1"* ]] && COMPREPLY+=("$(printf '%q' "$name")")
	done < <("$_holdfast" __complete "$2" "$3" found 2>/dev/null | sort -u)
}

# What the argument of option $2 of command $3, beginning with $1, may be.
_holdfast_argument()
{
	local kind
	kind=$("$_holdfast" __complete "$3" "$2" 2>/dev/null)
	case $kind in
	PATH) _holdfast_cgroups "$1" ;;
	DURATION) mapfile -t COMPREPLY < <(compgen -W "500ms 1s 10s 1min" -- "$1") ;;
	HOLD)
		mapfile -t COMPREPLY < <(compgen -W "$("$_holdfast" list 2>/dev/null | sed '1d; s/ .*//')" -- "$1")
		;;
	COMMAND) _holdfast_ask "$1" ;;
	NAME | ID) _holdfast_found "$1" "$3" "$2" ;;
	PID | '') ;;
	*) _holdfast_ask "$1" "$3" "$2" ;;
	esac
}

# Behind "--", of a command that runs a program: that one's completion, from word $1 on.
_holdfast_program()
{
	if declare -F _command_offset > /dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	fi
}

_holdfast()
{
	local i _holdfast=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}
	local before=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "--help --version" -- "$word")
		else
			_holdfast_ask "$word"
		fi
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			[[ -z $("$_holdfast" __complete "$command" -- 2>/dev/null) ]] ||
				_holdfast_program $((i + 1))
			return
		fi
	done
	# "--option=word" arrives as three words, because "=" breaks words by default.
	if [[ $word == '=' ]]; then
		word='' # the option is $before already
	elif [[ $before == '=' ]] && ((COMP_CWORD > 2)); then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $before == -* && $before != -- ]] &&
		[[ -n $("$_holdfast" __complete "$command" "$before" 2>/dev/null) ]]; then
		_holdfast_argument "$word" "$before" "$command"
	elif [[ $word == -* ]]; then
		_holdfast_ask "$word" "$command"
	else
		_holdfast_argument "$word" operand "$command"
	fi
}

complete -F _holdfast holdfast
