#!/usr/bin/env python3
"""Writes the manual pages and shell completions of a program from its --help, with help2man.

    packaging/manual.py PROGRAM DATA_FOLDER

For programs that do not write them themselves, as blinkctl does. DATA_FOLDER gets what belongs under /usr/share.
"""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

# Help shows what variables hold, so that nothing of the machine's environment may be there.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "SOURCE_DATE_EPOCH") if name in os.environ}
ENVIRONMENT |= {"COLUMNS": "100", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}

# A heading of the help, and what stands indented below it: a command or an option, then what it does.
HEADING = re.compile(r"^(\S.*):$")
ENTRY = re.compile(r"^ {2,6}(-\w, )?(--[\w-]+|[a-z][\w-]*)(?: [<\[]\S+)?(?: {2,}(.*))?$")


class Command:
    """A command, such as `blinkd config set`: its options and the commands below it."""

    def __init__(self, program, words, summary):
        self.program, self.words, self.summary = program, words, summary
        told = {"Commands": {}, "Options": {}}
        texts, name = {}, None
        for line in self.run("--help").splitlines():
            heading, entry = HEADING.match(line), ENTRY.match(line)
            if heading:
                texts, name = told.get(heading[1], {}), None
            elif entry:
                name = entry[2]
                texts[name] = entry[3] or ""
            elif name and line.startswith("        "):
                texts[name] = f"{texts[name]} {line.strip()}".strip()
        told["Commands"].pop("help", None)
        self.options = told["Options"]
        self.commands = [Command(program, [*words, name], text) for name, text in told["Commands"].items()]

    def run(self, *arguments):
        return subprocess.run([self.program, *self.words, *arguments], stdout=PIPE, env=ENVIRONMENT, text=True, check=True).stdout

    def all(self):
        yield self
        for command in self.commands:
            yield from command.all()

    def manual(self, version):
        """The page, with examples as they are written instead of as running text."""
        name = "-".join([Path(self.program).name, *self.words])
        texts = ["--manual=Wellness at Work", f"--name={self.summary}", f"--version-string={version}"]
        source = f"--source={Path(self.program).name} {version}"
        command = ["help2man", "--no-info", source, *texts, " ".join([self.program, *self.words])]
        page = subprocess.run(command, stdout=PIPE, env=ENVIRONMENT, text=True, check=True).stdout
        escaped = name.replace("-", "\\-")
        page = re.sub(r'(?m)^\.TH .*? "1"', f'.TH {name.upper()} "1"', page, count=1)
        page = re.sub(r"(?m)(^\.SH NAME\n).*? \\- ", lambda found: f"{found[1]}{escaped} \\- ", page, count=1)
        page = re.sub(r"(?ms)(^\.SH EXAMPLES?\n)\.IP\n(.*?)(?=^\.|\Z)", r"\1.nf\n\2.fi\n", page)
        return name, page


def first_sentence(text):
    return re.split(r"(?<=[^.])\. |; ", text)[0].rstrip(".")


def cases(root, line):
    """A line for each command that has commands below it, and for each command's words."""
    step = "".join(f' | "{" ".join(c.words)}"' for c in root.all() if c.words)[3:]
    words = [line(" ".join(c.words), " ".join([w.words[-1] for w in c.commands] + list(c.options))) for c in root.all()]
    return step, "\n".join(words)


def bash(name, root):
    step, words = cases(root, lambda place, words: f'        "{place}") words="{words}" ;;')
    function = "_" + name.replace("-", "_")
    return f"""# Completes the commands and options of {name}.
{function}() {{
    local place="" word words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "${{place:+$place }}$word" in
        {step}) place="${{place:+$place }}$word" ;;
        esac
    done
    case "$place" in
{words}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -o bashdefault -o default -F {function} {name}
"""


def zsh(name, root):
    step, words = cases(root, lambda place, words: f'    "{place}") known=({words}) ;;')
    return f"""#compdef {name}
# Completes the commands and options of {name}.
local place="" word
local -a known
for word in "${{(@)words[2,CURRENT-1]}}"; do
    case "${{place:+$place }}$word" in
    {step}) place="${{place:+$place }}$word" ;;
    esac
done
case "$place" in
{words}
esac
compadd -- $known
[[ $PREFIX == -* ]] || _files
"""


def fish(name, root):
    function = "__" + name.replace("-", "_") + "_place"
    places = " ".join(f"'{' '.join(c.words)}'" for c in root.all() if c.words)
    lines = [
        f"# Completes the commands and options of {name}.",
        f"function {function}",
        "    set -l place",
        "    for word in (commandline -opc)[2..]",
        "        set -l further (string join ' ' $place $word)",
        f"        contains -- $further {places}; and set place $further",
        "    end",
        "    echo $place",
        "end",
    ]
    quoted = lambda text: "'" + first_sentence(text).replace("\\", "\\\\").replace("'", "\\'") + "'"
    for command in root.all():
        when = f"""-n 'test "$({function})" = "{" ".join(command.words)}"'"""
        for below in command.commands:
            lines.append(f"complete -c {name} -f {when} -a {below.words[-1]} -d {quoted(below.summary)}")
        for option, text in command.options.items():
            lines.append(f"complete -c {name} {when} -l {option[2:]} -d {quoted(text)}")
    return "\n".join(lines) + "\n"


def main():
    program, data = sys.argv[1], Path(sys.argv[2])
    name = Path(program).name
    root = Command(program, [], "")
    root.summary = first_sentence(root.run("--help").split("\n\n")[0].replace("\n", " "))
    version = root.run("--version").split()[-1]
    pages = data / "man/man1"
    pages.mkdir(parents=True, exist_ok=True)
    for command in root.all():
        page_name, page = command.manual(version)
        (pages / f"{page_name}.1.gz").write_bytes(gzip.compress(page.encode(), 9, mtime=0))
    for place, text in {
        f"bash-completion/completions/{name}": bash,
        f"zsh/vendor-completions/_{name}": zsh,
        f"fish/vendor_completions.d/{name}.fish": fish,
    }.items():
        if root.options or root.commands:
            (data / place).parent.mkdir(parents=True, exist_ok=True)
            (data / place).write_text(text(name, root))


if __name__ == "__main__":
    main()
