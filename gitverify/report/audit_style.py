"""The style of an audit's page, for light and dark screens and for paper. The page has no script."""

from __future__ import annotations

from gitverify.report.audit_treemap import HEADING, HEIGHT, PADDING

# From what is not authentic to what is: five steps from orange to blue, which those see who see no red or green.
STEPS = 5

STYLE = f"""
:root {{ color-scheme: light dark; --page: #fff; --text: #1d2125; --dim: #59636e; --line: #d5dae0; --soft: #f3f5f7;
  --link: #0b5cad; --s0: #f0a868; --s1: #f8d7b5; --s2: #e6e6e2; --s3: #bfdcf0; --s4: #7fb9e2; --edge: #fff;
  --listed: #2f7fbd; --unlisted: #c9a227; --unsigned: #d9752b; --void: #7d6b91; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page: #14171a; --text: #e4e7ea; --dim: #9aa4ae; --line: #363d44;
  --soft: #1e2327; --link: #7ab8f5; --s0: #8f4c14; --s1: #5f432c; --s2: #43474b; --s3: #2c4d66; --s4: #17639a;
  --edge: #14171a; --listed: #4ba3e3; --unlisted: #d4b13c; --unsigned: #e58a45; --void: #a18fb8; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1152px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.2rem; margin: 2.5rem 0 .5rem; }}
p {{ margin: .25rem 0 .75rem; max-width: 46rem; }}
code, .id {{ font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }}
.dim, .note, caption {{ color: var(--dim); }}
.note {{ font-size: .9rem; }}
.warn {{ border-left: 4px solid var(--unsigned); padding-left: .75rem; }}
.big {{ display: flex; flex-wrap: wrap; gap: 1rem; margin: 1rem 0; }}
.big div {{ flex: 1 1 15rem; border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; }}
.big strong {{ display: block; font-size: 2rem; line-height: 1.2; }}
svg.bar {{ display: block; width: 100%; height: 1rem; border-radius: 3px; background: var(--soft); }}
.key {{ display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .5rem 0 0; padding: 0; }}
.key li::before {{ content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .4em;
  border-radius: 2px; background: var(--c); }}
.listed {{ fill: var(--listed); --c: var(--listed); }} .unlisted {{ fill: var(--unlisted); --c: var(--unlisted); }}
.unsigned {{ fill: var(--unsigned); --c: var(--unsigned); }} .void {{ fill: var(--void); --c: var(--void); }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; padding-bottom: .35rem; }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }}
tbody th {{ font-weight: normal; overflow-wrap: anywhere; min-width: 9rem; }}
thead th {{ font-weight: 600; vertical-align: bottom; }}
thead th:not(:first-child), .n {{ text-align: right; white-space: nowrap; }}
thead th.left, td.left {{ text-align: left; white-space: normal; }}
.d1 th {{ padding-left: 1.8rem; }} .d2 th {{ padding-left: 3rem; }} .d3 th {{ padding-left: 4.2rem; }}
.d4 th {{ padding-left: 5.4rem; }}
.map {{ position: relative; height: {HEIGHT}px; margin: .75rem 0 .5rem; background: var(--edge); }}
.box {{ position: absolute; overflow: hidden; border: 1px solid var(--edge); border-radius: 2px; font-size: .82rem;
  line-height: {HEADING - 2}px; }}
.box > span {{ display: block; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; padding: 0 .35rem; }}
.leaf {{ display: flex; flex-flow: column wrap; }} .leaf > span {{ width: 100%; height: {HEADING - 2}px; }}
.box > div {{ position: absolute; inset: {HEADING - 1}px {PADDING - 1}px {PADDING - 1}px; }}
.box.free {{ border: 2px dashed var(--text); }}
.s0 {{ background: var(--s0); --c: var(--s0); }} .s1 {{ background: var(--s1); --c: var(--s1); }}
.s2 {{ background: var(--s2); --c: var(--s2); }} .s3 {{ background: var(--s3); --c: var(--s3); }}
.s4 {{ background: var(--s4); --c: var(--s4); }}
.key li {{ background: none; }} .key .free::before {{ border: 2px dashed var(--text); }}
@media print {{ main {{ max-width: none; }} .box {{ print-color-adjust: exact; }} }}
"""


def step(share: float) -> str:
    """Return the class for a share between 0 and 1."""
    return f"s{min(int(share * STEPS), STEPS - 1)}"
