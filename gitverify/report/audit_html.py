"""An audit as one page that needs nothing else: no script, no picture, no font, nothing from the network.

Its Content-Security-Policy allows the one style in it, by its hash, and nothing besides.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from gitverify.report.audit_map import draw_map
from gitverify.report.audit_markup import Markup, join, row, table, tag
from gitverify.report.audit_model import MERGES, MOST_REASONS, percent, rows
from gitverify.report.audit_style import STYLE
from gitverify.report.human import day, number
from gitverify.text import shown

if TYPE_CHECKING:
    from gitverify.audit.model import Audit, Counts, Stranger
    from gitverify.report.audit_model import AuditReport

MOST_FOLDERS = 150
MOST_PEOPLE = 200
MOST_KEYS = 50
MOST_AUTHORS = 50

_COUNTS = ("commits", "authentic", "share", "listed key", "other key", "unsigned", "void")
_KINDS = {
    "listed": "signed by people whom the policy lists",
    "unlisted": "signed with other keys, or such as have no certificate here",
    "unsigned": "not signed",
    "void": "signed in a way that does not count (failing, weak, unsupported, revoked)",
}


def write_audit_html(report: AuditReport) -> str:
    """Return the audit as a page."""
    audit = report.audit
    drawn, rules = draw_map(audit.folders)
    style = STYLE + rules
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    security = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=security),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"gitverify audit of {shown(report.repository)}"),
        tag("style", Markup(style)),
    )
    sections = (
        _top(report),
        _coverage(audit),
        _suggestions(audit),
        _reasons(report),
        _map(drawn),
        _folders(audit),
        _merges(audit),
        _people(audit),
        _keys(audit),
        _authors(audit),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", tag("main", *sections)), lang="en") + "\n"


def _section(title: str, *content: Markup) -> Markup:
    return tag("section", tag("h2", title), *content)


def _top(report: AuditReport) -> Markup:
    audit = report.audit
    line = report.lines.get(audit.tip)
    what = [tag("code", audit.tip.hex()[:12])]
    if line is not None:
        what += [Markup(" “"), tag("span", line.subject), Markup("”")]
    if audit.proposed is not None:
        judged = join(["judged by the proposed policy ", tag("code", shown(report.policy or ""))])
    else:
        judged = join(["judged by the policies as they are"])
    since = Markup()
    if audit.introduction is not None:
        since = join([" since the introduction ", tag("code", audit.introduction.hex()[:12])])
    span = f"{number(audit.total.commits, 'commit')}, {day(audit.oldest)} to {day(audit.newest)}"
    return tag(
        "header",
        tag("h1", f"What would be authentic in {shown(report.repository)}?"),
        tag("p", shown(report.rev), " is ", *what, ": ", span, since, ", ", judged, "."),
        tag(
            "p",
            "Each commit is judged on its own, as if its parents were authentic, so that one refusal does not count "
            "for everything after it. The figures are for planning; whether a history is authentic is for "
            "“gitverify verify” to say.",
            class_="dim",
        ),
        *(tag("p", note, class_="note warn") for note in report.notes),
    )


def _coverage(audit: Audit) -> Markup:
    total = audit.total
    boxes = (
        (total.authentic, total.commits, "of the commits would be authentic"),
        (*audit.changes, "of the changes: the paths of each commit"),
        (*audit.paths, "of the paths: all changes of each would be"),
    )
    made = [
        tag(
            "div",
            tag("strong", percent(part, whole)),
            f"{what} ",
            tag("span", f"({part:,} of {whole:,})", class_="dim"),
        )
        for part, whole, what in boxes
    ]
    return _section("Coverage", tag("div", *made, class_="big"), _signed(total))


def _signed(total: Counts) -> Markup:
    """Draw whose signatures there are, as a bar with its key."""
    counts = {"listed": total.listed, "unlisted": total.unlisted, "unsigned": total.unsigned, "void": total.void}
    bars, at = [], 0.0
    for kind, count in counts.items():
        width = 100 * count / total.commits if total.commits else 0.0
        bars.append(tag("rect", x=f"{at:.3f}", y="0", width=f"{width:.3f}", height="10", class_=kind))
        at += width
    key = [
        tag("li", f"{count:,} ({percent(count, total.commits)}) {_KINDS[kind]}", class_=kind)
        for kind, count in counts.items()
        if count
    ]
    bar = tag("svg", *bars, viewBox="0 0 100 10", preserveAspectRatio="none", class_="bar", aria_hidden="true")
    return join([bar, tag("ul", *key, class_="key")])


def _suggestions(audit: Audit) -> Markup:
    parts = []
    total = audit.total.commits
    if audit.suggestions:
        lines = [
            row(
                tag("code", suggestion.prefix),
                f"+{suggestion.gained:,}",
                percent(suggestion.authentic, total),
                f"{suggestion.files:,} ({percent(suggestion.files, audit.files)})",
            )
            for suggestion in audit.suggestions
        ]
        names = ("prefix", "commits gained", "share then authentic", "files given up")
        parts += [
            tag(
                "p",
                "These prefixes, left unprotected one after the other, would let most commits pass for what is given "
                "up. What is in them is then for anybody to change: only you can say where that does no harm.",
            ),
            table("Prefixes that could be left unprotected", names, lines),
        ]
    else:
        parts.append(tag("p", "No prefix stands out that would help if it were left unprotected."))
    if audit.mergeable:
        more = number(audit.mergeable, "more merge")
        parts.append(
            tag(
                "p",
                tag("code", "unsigned_merges: true"),
                f" would let {more} pass: clean ones, which anybody or any machine may then make.",
            )
        )
    return _section("What would help", *parts)


def _reasons(report: AuditReport) -> Markup:
    lines = []
    for reason in report.audit.reasons[:MOST_REASONS]:
        line = report.lines.get(reason.example)
        example = [tag("code", reason.example.hex()[:12]), " "]
        example += [tag("span", line.subject)] if line is not None else []
        lines.append(row(join([tag("code", reason.code), f" ({reason.rule})"]), reason.commits, join(example)))
    if not lines:
        return _section("Why the others would not be", tag("p", "All of them would be."))
    return _section(
        "Why the others would not be",
        table("The most frequent reasons", ("reason", "commits", "newest example"), lines, left=(2,)),
    )


def _map(drawn: Markup) -> Markup:
    return _section(
        "Where",
        tag(
            "p",
            "A box is as large as the work in it: each commit counts once, split over the paths that it changes. Its "
            "colour says how much of that would be authentic. The table below has the figures.",
        ),
        drawn,
    )


def _folders(audit: Audit) -> Markup:
    lines = []
    for folder, name, depth, freed in rows(audit.folders, MOST_FOLDERS):
        label = join([tag("span", name), " (unprotected)" if freed else ""])
        cells = (*_cells(folder.counts), folder.unblocks, folder.files)
        lines.append(row(label, *cells, class_=f"d{min(depth, 4)}" if depth else None))
    if not lines:
        return Markup()
    note = "“Unblocks”: so many more commits would pass, if that folder alone were unprotected. Files: at the tip."
    if len(audit.folders) > MOST_FOLDERS + 1:
        note += f" The {MOST_FOLDERS} folders with most commits are shown; --format json has more."
    names = ("folder", *_COUNTS, "unblocks", "files")
    return _section("Folders", table("Commits that change something in a folder", names, lines, note=note))


def _cells(counts: Counts) -> tuple[str | int, ...]:
    share = percent(counts.authentic, counts.commits)
    return counts.commits, counts.authentic, share, counts.listed, counts.unlisted, counts.unsigned, counts.void


def _merges(audit: Audit) -> Markup:
    lines = [row(MERGES[kind], *_cells(counts)) for kind, counts in audit.merges.items() if counts.commits]
    if not lines:
        return Markup()
    return _section("Merges", table("Commits with several parents", ("kind", *_COUNTS), lines))


def _people(audit: Audit) -> Markup:
    lines = []
    for person in audit.people[:MOST_PEOPLE]:
        keys = [tag("div", tag("code", use.key), f" {use.commits:,}, last {day(use.last)}") for use in person.keys] or [
            Markup("none was used")
        ]
        lines.append(row(tag("bdi", shown(person.name)), person.commits, person.authentic, join(keys)))
    if not lines:
        return Markup()
    names = ("person", "commits", "authentic", "keys")
    return _section("People", table("Commits signed by those whom the policy lists", names, lines, left=(3,)))


def _keys(audit: Audit) -> Markup:
    lines = [_key(stranger) for stranger in audit.strangers[:MOST_KEYS]]
    if not lines:
        return Markup()
    note = (
        "Names and addresses are what the commits say: ask the people themselves whether a key is theirs before you "
        "list it. A key “by name only” made no signature that could be checked, for want of its certificate."
    )
    names = ("key", "commits", "refused for want of it", "last", "most often with the author")
    return _section("Other keys", table("Keys by which nobody vouches", names, lines, note=note, left=(4,)))


def _key(stranger: Stranger) -> Markup:
    label = [tag("code", stranger.use.key)]
    if not stranger.proven:
        label.append(Markup(" (by name only)"))
    if stranger.line is not None and stranger.forge is None and stranger.listed is None:
        label.append(tag("details", tag("summary", "line for the policy"), tag("code", f"- {stranger.line}")))
    if stranger.listed is not None:
        whose = tag("span", "listed for ", tag("bdi", shown(stranger.listed)), ": its certificate is missing")
    elif stranger.forge is not None:
        whose = tag("strong", f"{stranger.forge}: never list it")
    else:
        whose = tag("span", stranger.author)
    return row(join(label), stranger.use.commits, stranger.would_sign, day(stranger.use.last), whose)


def _authors(audit: Audit) -> Markup:
    lines = [row(tag("span", a.identity), *_cells(a.counts)) for a in audit.authors[:MOST_AUTHORS]]
    if not lines:
        return Markup()
    note = "What commits say of themselves; anybody can write anything there."
    return _section("Authors", table("Commits by author", ("author", *_COUNTS), lines, note=note))
