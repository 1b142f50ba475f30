"""SARIF, JUnit, GitHub, GitLab: nothing hostile gets out of its place, and each document is what its readers take."""

import json
import re
import unicodedata
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from report import junitrules, reports, runner
from report.reports import BASE, TIP, TRICKS, authentic, refusal, refused

from gitverify.cli.output import FORMATS
from gitverify.report.findings import WORDS, findings, headline
from gitverify.report.github import MOST_ANNOTATIONS, SUMMARY_SIZE, attribute, data, quoted, write_github, write_summary
from gitverify.report.gitlab import write_gitlab
from gitverify.report.junit import write_junit
from gitverify.report.model import CommitLine, Report, Route, TagLine
from gitverify.report.sarif import repository_uri, uri, write_sarif
from gitverify.request import Outcome
from gitverify.rules.hints import HINTS
from gitverify.text import commandless, legible
from tests import schemas

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
EVERYTHING = " ".join(TRICKS)


def everywhere(report=refused, **more):
    """A report that is hostile wherever it can be."""
    raw = EVERYTHING.encode("utf-8", "surrogatepass") + b"\xff"
    bad = refusal(message=EVERYTHING, hint=EVERYTHING, path=raw, key=EVERYTHING, person=EVERYTHING, judged_by=TIP)
    lines = {TIP: CommitLine(raw, raw + b"> 0 +0000", 0)}
    return report(bad, lines=lines, ref=EVERYTHING, repository=EVERYTHING, notes=[EVERYTHING], **more)


# --- all formats ----------------------------------------------------------------------------------------------------


def hidden(text):
    return [character for character in text if character != "\n" and unicodedata.category(character) in HIDDEN]


@given(reports.reports)
def test_nothing_hides_in_any_format(report):
    for name, write in FORMATS.items():
        assert not hidden(write(report)), name


@given(reports.raw_reports)
@example(everywhere())
def test_nothing_hides_in_the_formats_for_programs(report):
    """Even if a sentence had been let through as it was."""
    for name in FORMATS.keys() - {"human"}:
        text = FORMATS[name](report)
        assert text.endswith("\n"), name
        assert not hidden(text), name
    assert not hidden(write_summary(report))


@given(reports.reports)
def test_no_format_but_githubs_gives_the_runner_a_command(report):
    """As they are written to stdout: a step's log is read for commands, whatever the format."""
    for name in FORMATS.keys() - {"github"}:
        assert not runner.commands(commandless(FORMATS[name](report))), name


@given(reports.hostile)
@example(EVERYTHING)
@example("\u3000\u00a0::error::x")
@example("###[add-mask]x\n ::add-mask::y\n##[##[error]z")
def test_text_is_made_free_of_commands(text):
    assert not runner.commands(commandless(text))
    assert json.loads(commandless(json.dumps(text))) == text


@pytest.mark.parametrize("name", ["", "vso", "VSO", "teamcity"])
def test_other_build_servers_find_no_command_either(name):
    """Azure Pipelines reads ##vso[…] anywhere in a line, whatever printed it; TeamCity ##teamcity[…]."""
    text = f"x ##{name}[task.setvariable variable=PATH]/tmp/mine and ##{name} ["
    harmless = commandless(json.dumps(text))
    assert f"##{name}[" not in harmless
    assert json.loads(harmless) == text
    report = refused(refusal(message=text))
    for form in FORMATS:
        assert f"##{name}[" not in commandless(FORMATS[form](report)), form
    assert f"unsigned: {text}" in junitrules.read(write_junit(report)).find(".//failure").get("message")


def test_the_model_of_the_runner_knows_a_command_when_it_sees_one():
    assert [
        c.name for c in runner.commands("  ::error title=a%3Ab,file=c::d%0Ae\nx##[add-mask]e\r::stop-commands::t")
    ] == [
        "error",
        "add-mask",
        "stop-commands",
    ]
    (found,) = runner.commands("::error title=a%3Ab%2C,file=c::d%0Ae%25")
    assert (found.properties, found.data) == ({"title": "a:b,", "file": "c"}, "d\ne%")
    assert not runner.commands("x ::error::y\n::unknown::z\n::error")


@given(reports.reports)
def test_findings_are_empty_only_where_all_is_well(report):
    found = findings(report)
    assert len({finding.fingerprint for finding in found}) == len(found)
    wrong = [finding for finding in found if finding.severity != "note"]
    assert bool(wrong) == (report.verdict != "authentic")


def test_a_refusal_that_gives_no_reason_is_one_nevertheless():
    for verdict, wrong in (("refused", "failure"), ("undecided", "error")):
        report = Report(outcome=Outcome(verdict, TIP, TIP))
        (finding,) = findings(report)
        assert (finding.severity, finding.refusal.code) == (wrong, verdict)
        assert runner.commands(write_github(report))[0].name == "error"
        assert json.loads(write_gitlab(report))


def test_what_is_met_on_two_routes_is_one_finding():
    one, other = refusal(), refusal("unauthorized-path", path=b"a")
    ways = (
        Route("branch", "refused", (one,), required=True),
        Route("merge", "refused", (one, other), required=True),
        Route("squash", "refused", (refusal("bad-signature"),)),
    )
    report = refused(one, base=BASE, routes=ways)
    assert [(f.refusal.code, f.routes) for f in findings(report)] == [
        ("unsigned", ("branch", "merge")),
        ("unauthorized-path", ("merge",)),
    ]


def test_a_verdict_counts_for_more_than_none():
    ways = tuple(
        Route(name, verdict, (refusal(),), required=True)
        for name, verdict in (("branch", "undecided"), ("merge", "refused"), ("squash", "undecided"))
    )
    (finding,) = findings(refused(refusal(), routes=ways))
    assert (finding.severity, finding.routes) == ("failure", ("branch", "merge", "squash"))


def test_a_refusal_stays_one_where_no_route_tells():
    report = refused(refusal(), base=BASE, routes=(Route("branch", "authentic", required=True),))
    assert [finding.refusal.code for finding in findings(report)] == ["unsigned"]
    assert junitrules.read(write_junit(report)).get("failures") == "1"


def test_a_fingerprint_does_not_hang_on_words():
    def one(**more):
        return findings(refused(refusal(**more)))[0].fingerprint

    assert one(message="a") == one(message="b", hint="c", person="d", key="e")
    assert (
        len({one(), one(path=b""), one(path=b"a"), one(commit=BASE), one(code="bad-signature"), one(rule="R17")}) == 6
    )


@pytest.mark.parametrize(
    "ways", [(), (Route("branch", "authentic", required=True), Route("squash", "refused", (refusal(),)))]
)
def test_an_authentic_report_has_no_failures(ways):
    report = authentic(routes=ways)
    assert sarif(report)["results"] == []
    assert json.loads(write_gitlab(report)) == []
    assert runner.commands(write_github(report)) == []
    root = junitrules.read(write_junit(report))
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert not root.findall(".//failure") + root.findall(".//error")


def test_a_tag_is_named():
    tag = TagLine(b"v1::error::\x1b", BASE)
    for report in (
        authentic(tag=tag),
        refused(refusal(commit=BASE), tag=tag),
        Report(problem=refusal("stale"), tag=tag),
    ):
        name = "v1::error::\\x1b"
        assert sarif(report)["properties"]["tag"] == name
        root = junitrules.read(write_junit(report))
        assert root.find("testsuite").get("name") == "gitverify verify-tag"
        text = write_github(report)
        assert f"gitverify: {WORDS[report.verdict]}: tag {name}: " in text
        assert len(runner.commands(text)) == len(json.loads(write_gitlab(report)))


def test_what_was_left_out_is_told_and_no_failure():
    report = authentic(left_out=Outcome("refused", TIP, TIP, refusals=(refusal(),)))
    (result,) = sarif(report)["results"]
    assert (result["kind"], result["level"]) == ("informational", "none")
    assert [entry["severity"] for entry in json.loads(write_gitlab(report))] == ["info"]
    assert [command.name for command in runner.commands(write_github(report))] == ["warning"]
    root = junitrules.read(write_junit(report))
    assert (root.get("tests"), root.get("failures"), len(root.findall(".//skipped"))) == ("2", "0", 1)


# --- SARIF -------------------------------------------------------------------------------------------------------


def sarif(report):
    log = json.loads(write_sarif(report))
    schemas.validate(log, schemas.SARIF)
    (run,) = log["runs"]
    return run


@given(reports.raw_reports)
@example(everywhere())
def test_sarif_is_valid(report):
    run = sarif(report)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    assert set(HINTS) <= set(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert (result["kind"] == "fail") == (result["level"] == "error"), "SARIF 3.27.10: others have the level none"
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(?!/)[A-Za-z0-9._~/%-]+", place)
    (invocation,) = run["invocations"]
    assert invocation["exitCode"] == report.exit_status
    assert invocation["executionSuccessful"] == (report.verdict in {"authentic", "refused"})


def test_the_schema_refuses_what_it_should():
    log = json.loads(write_sarif(refused(refusal())))
    log["runs"][0]["results"][0]["level"] = "terrible"
    with pytest.raises(Exception, match="terrible"):
        schemas.validate(log, schemas.SARIF)


@given(reports.hostile_bytes)
@example(b"a:b")
@example(b"//x")
@example(b"dir/\xff \n%2F")
def test_a_uri_holds_a_path_byte_by_byte(path):
    place = uri(path)
    assert unquote_to_bytes(place) == path.lstrip(b"/")
    assert ":" not in place, "a scheme"


def test_where_nothing_is_named_the_policy_file_is_the_place():
    def place(report):
        return sarif(report)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert place(refused(refusal(path=b"a b"))) == "a%20b"
    assert place(refused(refusal(path=b"/"))) == ".gitverify.yaml"
    report = refused(refusal())
    report.outcome.policy_path = b"sub/allowed_signers"
    assert place(report) == "sub/allowed_signers"


def test_provenance_names_no_password():
    report = refused(refusal(), repository="https://ci-token:s3cret@example.org:8443/a b.git", ref="refs/heads/main")
    (provenance,) = sarif(report)["versionControlProvenance"]
    assert provenance["repositoryUri"] == "https://example.org:8443/a%20b.git"
    assert (provenance["revisionId"], provenance["branch"]) == (TIP.hex(), "refs/heads/main")
    assert "s3cret" not in write_sarif(report)
    assert "branch" not in sarif(refused(refusal(), repository="https://example.org/x"))["versionControlProvenance"][0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("git@example.org:a/b.git", "ssh://example.org/a/b.git"),
        ("example.org:a", "ssh://example.org/a"),
        ("ssh://git@example.org/a", "ssh://example.org/a"),
        ("https://example.org/a?token=s3cret#x", "https://example.org/a"),
        ("https://example.org:port/a", None),
        ("https://[::1/a", None),
        ("https:///a", None),
        ("https://exa mple.org/", None),
        ("/srv/repository", None),
        ("../x", None),
        ("file:///srv/x", None),
        ("javascript:alert(1)", "ssh://javascript/alert%281%29"),
        (EVERYTHING, None),
        (None, None),
    ],
)
def test_a_repository_is_a_uri_or_nothing(name, expected):
    assert repository_uri(name) == expected


@given(reports.hostile | st.text())
def test_a_repositorys_uri_is_ascii(name):
    found = repository_uri(f"https://u:p@example.org/{name}")
    assert found is None or re.fullmatch(r"https://example\.org/[A-Za-z0-9._~/%-]*", found)


def test_a_gate_says_in_sarif_what_comes_of_each_way_in():
    ways = (
        Route("branch", "refused", (refusal(),), ("alice signs it\x1b",), required=True),
        Route("squash", "authentic"),
    )
    properties = sarif(refused(refusal(), base=BASE, routes=ways))["properties"]
    assert properties["base"] == BASE.hex()
    assert properties["routes"][0] == {
        "name": "branch",
        "verdict": "refused",
        "required": True,
        "codes": ["unsigned"],
        "remedies": ["alice signs it\\x1b"],
    }


def test_a_question_that_could_not_be_put_is_a_notification():
    report = Report(problem=refusal("state-corrupt", b"", message="the marks are damaged"))
    (invocation,) = sarif(report)["invocations"]
    (said,) = invocation["toolConfigurationNotifications"]
    assert (said["message"]["text"], said["descriptor"]["id"]) == ("the marks are damaged", "state-corrupt")
    assert sarif(report)["results"][0]["kind"] == "open"


# --- JUnit -------------------------------------------------------------------------------------------------------


@given(reports.raw_reports)
@example(everywhere())
def test_junit_is_as_its_readers_take_it(report):
    root = junitrules.read(write_junit(report))
    wrong = root.findall(".//failure") + root.findall(".//error")
    assert bool(wrong) == (report.verdict != "authentic")
    if report.verdict in {"undecided", "error"}:
        assert root.findall(".//error")
    if report.verdict == "refused":
        assert root.findall(".//failure")


def test_junit_gives_back_what_was_put_in():
    tricky = ']]> <x a="\'"> &amp; ##[error] ::error::'
    root = junitrules.read(write_junit(refused(refusal(message=tricky, path=b"a]]>b"))))
    (failure,) = root.findall(".//failure")
    assert failure.get("message") == f"unsigned: {tricky}"
    assert f"  why: {tricky}\n" in failure.text
    assert "  path: a]]>b\n" in failure.text
    assert failure.get("type") == "unsigned"


def test_junit_has_a_case_for_each_way_in():
    ways = (
        Route("branch", "authentic", required=True),
        Route("merge", "refused", (refusal(),), ("alice signs the merge",), required=True),
        Route("squash", "undecided", (refusal("missing-object"),), required=True),
        Route("rebase", "refused", (refusal(),)),
    )
    root = junitrules.read(write_junit(refused(refusal(), base=BASE, routes=ways)))
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {"branch": [], "merge": ["failure"], "squash": ["error"], "rebase": ["skipped"]}
    assert "remedy: alice signs the merge\n" in root.find(".//failure").text
    assert [root.find("testsuite").get(name) for name in ("tests", "failures", "errors", "skipped")] == list("4111")


def test_junit_has_a_case_for_each_refused_commit():
    root = junitrules.read(
        write_junit(refused(refusal(path=b"a"), refusal(path=b"b"), refusal(commit=BASE), ref="refs/heads/x"))
    )
    texts = [failure.text for failure in root.iter("failure")]
    assert len(texts) == 2
    assert "path: a\n" in texts[0]
    assert "path: b\n" in texts[0]


def test_junit_shows_a_question_that_could_not_be_put():
    root = junitrules.read(write_junit(Report(problem=refusal("state-corrupt", b""))))
    (case,) = root.iter("testcase")
    assert (case.get("name"), case[0].tag) == ("state-corrupt", "error")


# --- GitLab ------------------------------------------------------------------------------------------------------


@given(reports.raw_reports)
@example(everywhere())
def test_gitlab_has_what_the_widget_asks_for(report):
    entries = json.loads(write_gitlab(report))
    for entry in entries:
        assert set(entry) == {"check_name", "description", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["path"]
        assert not entry["location"]["path"].startswith("/")
        assert entry["location"]["lines"] == {"begin": 1}
    assert len({entry["fingerprint"] for entry in entries}) == len(entries), "GitLab drops the second of two"
    assert any(e["severity"] in {"blocker", "critical"} for e in entries) == (report.verdict != "authentic")


# --- GitHub: commands --------------------------------------------------------------------------------------------


@given(reports.raw_reports)
@example(everywhere())
def test_github_gets_our_commands_and_no_others(report):
    text = write_github(report)
    lines = text.splitlines()
    assert all(
        line.startswith(("::error title=gitverify", "::warning title=gitverify", "gitverify: ")) for line in lines
    )
    found = runner.commands(text)
    assert len(found) == sum(line.startswith("::") for line in lines)
    assert len(found) <= MOST_ANNOTATIONS
    for command in found:
        assert set(command.properties) <= {"title", "file"}
        assert len(command.data.encode()) < 64 * 1024
        assert all(re.match("[a-z]+: |[0-9,]+ more: ", line) for line in command.data.split("\n"))
        assert "\r" not in command.data
    assert any(command.name == "error" for command in found) == (report.verdict != "authentic")


@given(reports.hostile)
@example(EVERYTHING)
def test_github_gives_back_what_was_put_in(text):
    for escape, line in ((data, "::error::{}"), (attribute, "::error title=x{}x::x")):
        (command,) = runner.commands(line.format(escape(text)))
        got = command.data if escape is data else command.properties["title"][1:-1]
        assert got == commandless(legible(text, 4000 if escape is data else 250))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"src/a,b:c%.py", "src/a,b:c%.py"),
        (b"src/", None),
        (b"", None),
        (b"a\nb", None),
        (b"\xff", None),
        (b"a\\b", None),
    ],
)
def test_an_annotation_is_at_a_file_that_is_what_it_seems(path, expected):
    (command,) = runner.commands(write_github(refused(refusal(path=path))))
    assert command.properties.get("file") == expected


def many(count):
    return [refusal(commit=number.to_bytes(20, "big")) for number in range(1, count + 1)]


@pytest.mark.parametrize(("count", "shown", "left"), [(1, 1, 0), (10, 10, 0), (11, 9, 2), (5000, 9, 4991)])
def test_github_gets_ten_annotations_at_most(count, shown, left):
    text = write_github(refused(*many(count)))
    found = runner.commands(text)
    assert len([command for command in found if "commit: " in command.data]) == shown
    assert len(found) == shown + bool(left)
    if left:
        assert text.splitlines()[-1] == f"::error title=gitverify::{found[-1].data}"
        assert found[-1].data == f"{left:,} more: gitverify with --format json has them all"


def test_what_is_wrong_with_a_parent_only_takes_no_place():
    followers = [refusal("parent-not-authentic", number.to_bytes(20, "big")) for number in range(1, 30)]
    found = runner.commands(write_github(refused(*followers, refusal())))
    assert [command.properties["title"].split()[1] for command in found if "commit: " in command.data] == ["unsigned"]
    assert found[-1].data.startswith("29 more: ")


def test_github_is_told_of_each_way_in():
    ways = (Route("branch", "refused", tuple(many(2)), required=True), Route("squash", "authentic"))
    text = write_github(refused(*many(2), base=BASE, routes=ways))
    assert "gitverify: branch: not authentic (unsigned)\ngitverify: squash: authentic, not required\n" in text


def test_many_reasons_of_a_way_in_are_cut():
    ways = (Route("branch", "refused", tuple(refusal(code) for code in HINTS), required=True),)
    line = write_github(refused(refusal(), routes=ways)).splitlines()[1]
    assert (
        line
        == "gitverify: branch: not authentic (unsigned, bad-signature, unauthorized-key, unknown-key, revoked-key, …)"
    )


# --- GitHub: the step summary ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a reader of the rendered summary sees: the elements, and the texts in ``code``."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.quoted, self.depth = set(), [], 0
        renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
        self.feed(renderer.render(markdown))

    def handle_starttag(self, tag, attributes):
        assert not attributes
        self.tags.add(tag)
        if tag == "code":
            self.quoted.append("")
            self.depth += 1

    def handle_endtag(self, tag):
        self.depth -= tag == "code"

    def handle_data(self, text):
        if self.depth:
            self.quoted[-1] += text
        else:
            assert re.fullmatch(r"[\w\s:,()._-]*", text, re.ASCII), f"not quoted: {text!r}"


PLAIN = {"h3", "p", "code", "br", "table", "thead", "tbody", "tr", "th", "td"}


@given(reports.raw_reports)
@example(everywhere())
@example(everywhere(base=BASE, routes=(Route("branch", "refused", (refusal(),), (EVERYTHING,), required=True),)))
def test_a_summary_shows_text_and_nothing_else(report):
    page = Page(write_summary(report))
    assert page.tags <= PLAIN
    assert headline(report)[:500] in [text.removesuffix("…") for text in page.quoted]


@given(reports.hostile)
@example(EVERYTHING)
@example(" a  b ")
def test_what_is_quoted_in_a_summary_is_what_was_put_in(text):
    """Also in a table's cell, where a | would begin another."""
    assume(legible(text).strip())
    page = Page(f"| a | b |\n| --- | --- |\n| {quoted(text, 4096)} | x |\n")
    assert page.quoted == [legible(text)]
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "code"}


def test_a_summary_is_bounded():
    text = write_summary(refused(*[refusal(commit=n.to_bytes(20, "big"), message="\\" * 4000) for n in range(1, 5001)]))
    assert len(text.encode()) < SUMMARY_SIZE + 1000 < 1024 * 1024
    shown = sum(line.startswith("| <code>") for line in text.splitlines())
    assert shown > 100
    assert text.splitlines()[-1] == f"{5000 - shown:,} more: gitverify with --format json has them all."


def test_json_and_sarif_have_all_of_5000():
    report = refused(*many(5000))
    assert len(json.loads(FORMATS["json"](report))["refusals"]) == 5000
    assert len(json.loads(write_sarif(report))["runs"][0]["results"]) == 5000
    assert len(json.loads(write_gitlab(report))) == 5000
    assert junitrules.read(write_junit(report)).get("failures") == "5000"
