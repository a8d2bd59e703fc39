# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What bash completes of a program, from its help. One whose help lists commands has options for each."""
import os

import program_help

TEMPLATE = """# What bash completes of {name}, made from its help.
_{name}()
{{
	local word=${{COMP_WORDS[COMP_CWORD]}} words=''
	COMPREPLY=()
	case $COMP_CWORD,${{COMP_WORDS[1]}} in
{cases}
	esac
	case ${{COMP_WORDS[COMP_CWORD - 1]}} in
	--device | -d) words="emu $(compgen -G '/dev/accel/accel*')" ;;
	*) [[ $word = -* || $COMP_CWORD = 1 || ${{COMP_WORDS[1]}} = help ]] || return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -o default -F _{name} {name}
"""


def case(pattern, words):
    return f"\t{pattern}) words='{' '.join(words)}' ;;"


def completion(program):
    name = os.path.basename(program)
    commands = program_help.commands(program)
    cases = [case("1,*", [*commands, "--help", "--version"]), case("2,help", commands)] if commands else []
    for command in commands or [None]:
        words = [word for option in program_help.read(program, command).options for word in option.names]
        if words:
            cases.append(case(f"*,{command or '*'}", words))
    return TEMPLATE.format(name=name, cases="\n".join(cases))
