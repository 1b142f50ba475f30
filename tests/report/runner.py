"""What the runner of GitHub Actions makes of a step's output: a small model of how it looks for commands.

After its source, ``src/Runner.Common/ActionCommand.cs``: a line is a command where it begins with ``::`` after blanks
and has another ``::``, or, in an older form, where it has ``##[`` and ``]`` anywhere; and its name is a known one.
"""

import re
from dataclasses import dataclass, field

KNOWN = {
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
}


@dataclass
class Command:
    name: str
    data: str
    properties: dict = field(default_factory=dict)


def commands(output):
    """Return the commands in a step's output, in order."""
    found = (command(line) for line in re.split("\r\n|\r|\n", output))
    return [each for each in found if each is not None]


def command(line):
    return _new(line.lstrip()) or _old(line)


def _new(line):
    if not line.startswith("::") or "::" not in line[2:]:
        return None
    head, _, data = line[2:].partition("::")
    return _made(head, ",", data, [("%0D", "\r"), ("%0A", "\n")], [("%3A", ":"), ("%2C", ",")])


def _old(line):
    _, mark, rest = line.partition("##[")
    head, bracket, data = rest.partition("]")
    if not mark or not bracket:
        return None
    return _made(head, ";", data, [("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]")], [])


def _made(head, separator, data, escapes, more):
    name, _, rest = head.partition(" ")
    if name.lower() not in KNOWN:
        return None
    pairs = [part.split("=", 1) for part in rest.strip().split(separator) if "=" in part]
    return Command(
        name.lower(),
        _unescaped(data, escapes),
        {key: _unescaped(value, [*escapes, *more]) for key, value in pairs},
    )


def _unescaped(text, escapes):
    for written, meant in [*escapes, ("%25", "%")]:
        text = text.replace(written, meant)
    return text
