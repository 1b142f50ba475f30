"""Reports to show: plain ones, and ones in which everything that an attacker may write is hostile."""

from hypothesis import strategies as st

from gitverify.policies.model import Dialect
from gitverify.report.model import CommitLine, Report, Route, TagLine
from gitverify.request import Outcome
from gitverify.rules.facts import Refusal
from gitverify.rules.hints import HINTS
from gitverify.text import shown

TIP = bytes(range(20))
BASE = bytes(range(20, 40))
INTRODUCTION = bytes(range(40, 60))

# What means something to some reader: to the runner of GitHub Actions, to XML, JSON, Markdown, HTML or a terminal.
TRICKS = [
    "::error::",
    "::error title=x::forged",
    "::set-output name=x::y",
    "::add-mask::e",
    "::stop-commands::x",
    " \u3000::add-mask::e",
    "##[error]forged",
    "x ##[add-mask]e",
    "###[stop-commands]x]",
    "%0A::error::forged",
    "%25",
    "%3A%2C",
    "\r\n",
    "\n",
    "\r",
    "\x00",
    "\x1b[31m\x1b]0;x\x07",
    "\x85\u2028\u2029\x0b\x0c",
    "\u202e\u2066\u200b\u200d\ufeff\U000e0041",
    "\ufffe\uffff",
    "]]>",
    "<![CDATA[",
    "<!--",
    "&amp;&#10;",
    "<script>alert(1)</script>",
    "</code></td></table><img src=x onerror=alert(1)>",
    "[x](https://example.org)",
    "![x](https://example.org/x.png)",
    "https://example.org www.example.org",
    "`` ` ```",
    "| x |\n| --- |",
    "@everyone #1 org/repository#1 GH-1",
    "**x** _x_ ~~x~~ \\* # x",
    "\"'\\",
    "\\u0022",
    ",title=x,file=y",
    "../../../etc/passwd",
]
BYTES = [b"\xff\xfe", b"\xc2", b"\xed\xa0\x80", b"\xf0\x9f"]

hostile = st.lists(
    st.one_of(st.sampled_from(TRICKS), st.text(max_size=8), st.sampled_from([" ", "a", "/", ":", "%"])), max_size=6
).map("".join)
hostile_bytes = st.lists(
    st.one_of(hostile.map(lambda text: text.encode("utf-8", "surrogatepass")), st.sampled_from(BYTES)), max_size=3
).map(b"".join)

commits = st.sampled_from([TIP, INTRODUCTION, b"\xaa" * 20, b"\xbb" * 20])


def refusals_with(sentences):
    return st.builds(
        Refusal,
        commit=commits | st.just(b""),
        rule=st.sampled_from(["R8", "R17", "R20"]),
        code=st.sampled_from([*HINTS, "state-corrupt"]),
        message=sentences,
        hint=sentences,
        path=st.none() | hostile_bytes,
        key=st.none() | sentences,
        person=st.none() | hostile,
        judged_by=st.none() | commits,
    )


def outcomes(verdict, some):
    found = st.just(()) if verdict == "authentic" else some
    return found.flatmap(
        lambda refused: st.builds(
            Outcome,
            verdict=st.just(verdict),
            tip=st.just(TIP),
            introduction=st.just(INTRODUCTION),
            dialect=st.just(Dialect.NATIVE),
            policy_path=st.none() | hostile_bytes,
            reason=st.just(refused[0].code if refused else None),
            refusals=st.just(refused),
        )
    )


def routes(verdict, some, sentences):
    """One required route that decides, and others; or none."""
    deciding = st.builds(
        Route,
        name=st.just("branch"),
        verdict=st.just(verdict),
        refusals=st.just(()) if verdict == "authentic" else some,
        remedies=st.lists(sentences, max_size=3).map(tuple),
        required=st.just(True),
    )
    others = [
        st.builds(Route, name=st.just(name), verdict=st.just("refused"), refusals=some, required=st.just(False))
        for name in ("merge", "squash")
    ]
    return st.just(()) | st.tuples(deciding, *others)


def reports_with(sentences):
    """Reports whose sentences, which are ours but quote, are these."""
    some = st.lists(refusals_with(sentences), min_size=1, max_size=4).map(tuple)
    lines = st.dictionaries(commits, st.builds(CommitLine, hostile_bytes, hostile_bytes, st.just(0)))
    texts = {"ref": st.none() | hostile, "repository": st.none() | hostile, "lines": lines}
    texts["tag"] = st.none() | st.builds(TagLine, hostile_bytes, commits)
    texts["notes"] = st.lists(sentences, max_size=2)

    def of(verdict):
        if verdict == "error":
            return st.builds(Report, problem=refusals_with(sentences), **texts)
        return st.builds(
            Report,
            outcome=outcomes(verdict, some),
            left_out=st.none() | outcomes("refused", some) if verdict == "authentic" else st.none(),
            base=st.none() | st.just(BASE),
            routes=routes(verdict, some, sentences),
            **texts,
        )

    return st.sampled_from(["authentic", "refused", "undecided", "error"]).flatmap(of)


# As the engine makes them, and as if it had forgotten to escape what it quotes.
reports = reports_with(hostile.map(shown))
raw_reports = reports_with(hostile)


def refused(*refusals, **more):
    """Return a report that refuses the tip for these reasons."""
    return Report(outcome=Outcome("refused", TIP, INTRODUCTION, reason=refusals[0].code, refusals=refusals), **more)


def authentic(**more):
    return Report(outcome=Outcome("authentic", TIP, INTRODUCTION), **more)


def refusal(code="unsigned", commit=TIP, **more):
    return Refusal(commit, more.pop("rule", "R8"), code, more.pop("message", "it has no signature"), **more)
