"""One page of feedback for one student: what became of each exercise, what to think about, and their own code.

The page is whole in itself, light or dark as the reader's system is, and readable on a phone. It runs nothing and
fetches nothing: the student's own words are escaped, and were they not, the page's policy (CSP) forbids scripts,
addresses and forms. It knows no other student, and no seed.
"""

from __future__ import annotations

from html import escape

from unet_edu.checks.report import LINES, SYMBOLS
from unet_edu.figures.palette import INK, ROLES
from unet_edu.grading.marks.report import Row, number
from unet_edu.grading.result import Outcome
from unet_edu.grading.text import plain, readable

__all__ = ["feedback", "page"]

MOST_NAME = 200
MOST_NOTES = 50

# The look of a verdict: its symbol, its edge, and the ground of its badge. The words always stand beside it.
LOOKS = {
    "right": (SYMBOLS["passed"], LINES["passed"], ROLES["output"].fill),
    "half": ("◐", ROLES["kernel"].line, ROLES["kernel"].fill),
    "wrong": (SYMBOLS["failed"], LINES["failed"], ROLES["error"].fill),
    "not written": (SYMBOLS["not yet"], LINES["not yet"], ROLES["neutral"].fill),
    "missing": (SYMBOLS["not yet"], LINES["not yet"], ROLES["neutral"].fill),
}
STOPPED = ("■", LINES["failed"], ROLES["error"].fill)
WAITS = ("?", ROLES["skip"].line, ROLES["skip"].fill)

STATUS = {
    "partial": "Some of your functions were stopped before they answered. They have no points so far; all others "
    "count. If you think that they are right, ask your instructor.",
    "needs review": "A person will look at your work before there is a mark. Nothing is decided yet, and this is not "
    "a 0.",
    "not submitted": "There is no notebook of yours. If you handed one in, tell your instructor.",
}
NOT_GRADED = (
    "Your notebook could not be graded, so there is no mark yet. This is not a 0. Run it from top to bottom, look for "
    "what is said below, and hand it in again or ask your instructor."
)
VERDICTS = {
    "needs review": "A person will decide about this function. Nothing is decided yet.",
    "missing": "Your notebook has no function of this name. Did the cell get lost, or the name change?",
    "crashed": "Python, or a cell, came to its end too early, or something is missing here; so there is no answer to "
    "judge.",
    "timed out": "This function did not come to its end in time. Is there a loop that never ends?",
    "over memory": "This function needed more memory than there is. Does an array grow in a loop?",
}
STYLE = f"""
:root {{ color-scheme: light dark }}
body {{ margin: 0; background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif; \
overflow-wrap: anywhere }}
main {{ max-width: 48rem; margin: 0 auto; padding: 1rem }}
h1 {{ font-size: 1.4rem; margin: 0 }}
h2 {{ font-size: 1.1rem; margin: 0 }}
p {{ margin: .4rem 0 }}
section {{ margin: 1.2rem 0; padding: .1rem 0 .1rem .8rem; border-left: 4px solid }}
pre {{ overflow-x: auto; padding: .6rem; border: 1px solid GrayText; font: .85rem/1.4 ui-monospace, monospace; \
unicode-bidi: isolate }}
summary {{ cursor: pointer; padding: .4rem 0 }}
.mark {{ font-size: 1.4rem; font-weight: bold }}
.badge {{ color: {INK}; padding: .05rem .5rem; border-radius: .6rem; font-size: .95rem; white-space: nowrap }}
.said {{ white-space: pre-wrap; unicode-bidi: isolate }}
.small {{ font-size: .85rem }}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def feedback(row: Row) -> str:
    """The page of one student, as HTML.

    Parameters
    ----------
    row : Row

    Returns
    -------
    str
        The same row gives the same page.
    """
    name, title = _line(row.student), _line(row.assignment.name)
    parts = [f"<h1>{title}</h1><p>{name}</p>", _mark(row), _status(row)]
    parts += [_exercise(row, outcome) for outcome in row.result.outcomes]
    if row.result.notes:
        notes = "".join(f'<li class="said">{_text(note)}</li>' for note in row.result.notes[:MOST_NOTES])
        parts.append(f"<h2>What else happened when your notebook ran</h2><ul>{notes}</ul>")
    parts.append(_footer(row))
    return page(title, name, "\n".join(part for part in parts if part))


def page(title: str, name: str, body: str) -> str:
    """A page of HTML that runs nothing and fetches nothing, of what is escaped already."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {name}</title>
<style>{STYLE}</style></head>
<body><main>
{body}
</main></body></html>
"""


def _mark(row: Row) -> str:
    if row.mark is None:
        kept = ""
        if row.earlier:
            earned = f"{number(row.earlier.earned)} of {number(row.earlier.points)} points"
            kept = f"<p>What you handed in before was graded: {earned}. That is not lost.</p>"
        return f'<p class="mark">No mark yet</p>{kept}'
    late = ""
    if row.penalty:
        days = row.assignment.days_late(row.submitted)
        lost = f"{number(row.penalty)} of {number(row.earned)} points"
        late = f"<p>It came {days} day{'s' * (days != 1)} late: {lost} are taken off.</p>"
    return f'<p class="mark">{number(row.mark)} of {number(row.assignment.worth)} points</p>{late}'


def _status(row: Row) -> str:
    """What the status means for the student, and what was wrong with the file if it could not be graded."""
    result = row.result
    if result.status == "graded" or (result.earned is None and row.mark is not None):  # a person has decided meanwhile
        return ""
    could_not = result.status not in STATUS
    words = f"<p>{NOT_GRADED if could_not else STATUS[result.status]}</p>"
    reason = f'<p class="said">{_text(result.reason)}</p>' if could_not and result.reason else ""
    return words + reason


def _exercise(row: Row, outcome: Outcome) -> str:
    score = row.score(outcome.exercise)
    is_decided = score is not None and score != outcome.earned
    verdict = "decided" if is_decided and outcome.verdict not in LOOKS else outcome.verdict
    symbol, edge, fill = LOOKS.get(verdict, WAITS if verdict in ("needs review", "decided") else STOPPED)
    badge = f'<span class="badge" style="background:{fill}">{symbol} {escape(verdict)}</span>'
    earned = f"{number(score)} of" if score is not None else "no points yet, of"
    cases = f" · right in {' and '.join(outcome.cases)}" if outcome.cases else ""
    parts = [
        f'<section style="border-color:{edge}"><h2><code>{_line(outcome.exercise)}</code> {badge}</h2>',
        f"<p>{earned} {number(outcome.points)} points{cases}</p>",
    ]
    if is_decided:
        parts.append("<p>Your instructor looked at this function and decided about the points.</p>")
    elif outcome.verdict in VERDICTS:
        parts.append(f"<p>{VERDICTS[outcome.verdict]}</p>")
    if outcome.hint:
        parts.append(f'<p class="said"><strong>Hint.</strong> {_text(outcome.hint)}</p>')
    elif outcome.diagnosis:
        parts.append(f'<p class="said"><strong>What we see.</strong> {_text(outcome.diagnosis)}</p>')
    if outcome.message:
        parts.append(f'<p class="said">{_text(outcome.message)}</p>')
    if outcome.code:
        code = f"<pre tabindex=0>{_text(outcome.code)}</pre>"
        parts.append(f"<details><summary>Your function, as it stands in your notebook</summary>{code}</details>")
    return "\n".join(parts) + "</section>"


def _footer(row: Row) -> str:
    result = row.result
    if not result.notebook:
        return ""
    return (
        f'<p class="small">Graded by unet-edu {_line(result.engine)}. Your file has the SHA-256 '
        f"<code>{_line(result.notebook)}</code>: "
        "with it you can see which version this is about.</p>"
    )


def _line(text: str) -> str:
    """A name, escaped, on one line."""
    return escape(plain(text[:MOST_NAME]))


def _text(text: str) -> str:
    return escape(readable(text))
