"""What grading finds: an `Outcome` for each exercise, a `Result` for each notebook. Plain data, also as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

__all__ = ["NOT_JUDGED", "Outcome", "Result", "Status", "Stop", "Verdict"]

Stop = Literal["crashed", "timed out", "over memory"]
"""Why a notebook, or a call of a function, did not come to its end."""

Verdict = Literal[
    "right", "half", "wrong", "not written", "missing", "needs review", "crashed", "timed out", "over memory"
]
"""What became of one exercise. "missing": the notebook has no function of this name."""

Status = Literal[
    "graded", "partial", "crashed", "timed out", "over memory", "unreadable", "not submitted", "needs review"
]
"""What became of one notebook. "partial": there is a mark, but some exercise stopped before its answer came."""

NOT_JUDGED = get_args(Stop)


@dataclass(frozen=True)
class Outcome:
    """What became of one exercise.

    Parameters
    ----------
    exercise : str
    points : float
        What the exercise is worth.
    earned : float or None
        None while nobody can say: the function stopped before it answered, or a person has to decide.
    verdict : Verdict
    message, hint, misconception : str
        For the student: what is wrong, in words; what to think about; the name of the mistake, if it is a known one.
    visible, fresh : pair of int
        How many cases of each group are right, and how many there are: the cases that the notebook prints, and those
        drawn anew.
    would_earn : float or None
        With the verdict "needs review": what the answers are worth if the instructor accepts the way they came about.
    code : str
        The function as the student wrote it.
    diagnosis, layer : str
        Where it is wrong and is no known mistake: what we see in the answers and what to think about, in words of ours;
        and how it was found, as in `unet_edu.checks.seen.Diagnosis`.
    """

    exercise: str
    points: float
    earned: float | None
    verdict: Verdict
    message: str = ""
    hint: str = ""
    misconception: str = ""
    visible: tuple[int, int] = (0, 0)
    fresh: tuple[int, int] = (0, 0)
    would_earn: float | None = None
    code: str = ""
    diagnosis: str = ""
    layer: str = ""

    @property
    def worth(self) -> float | None:
        """What it earned, or would earn."""
        return self.earned if self.would_earn is None else self.would_earn

    @property
    def cases(self) -> list[str]:
        """How many cases are right, of those that the notebook prints and of those drawn anew."""
        groups = ((self.visible, "from the notebook"), (self.fresh, "drawn anew"))
        return [f"{right} of {count} cases {where}" for (right, count), where in groups if count]


@dataclass(frozen=True)
class Result:
    """What became of one notebook. The same notebook, assignment and seed give the same result.

    Parameters
    ----------
    assignment : str
    status : Status
    reason : str
        One sentence for the instructor's table; empty when there is nothing to say.
    outcomes : tuple of Outcome
        One for each exercise of the assignment, in its order; none when the notebook could not be run at all.
    notebook : str
        SHA-256 of the notebook's bytes, in hexadecimal; empty when there is none.
    engine : str
        Version of the grader.
    seed : int
        Of the fresh cases.
    points : float
        What the assignment is worth.
    sandboxed : bool
        Whether the notebook ran in the sandbox.
    notes : tuple of str
        What else happened, for the student and the instructor: cells that stopped, output that was cut.
    """

    assignment: str
    status: Status
    reason: str
    outcomes: tuple[Outcome, ...]
    notebook: str
    engine: str
    seed: int
    points: float
    sandboxed: bool = True
    notes: tuple[str, ...] = ()

    @property
    def earned(self) -> float | None:
        """The mark, or None when there is none: a mark is never 0 for "could not be graded"."""
        if self.status not in ("graded", "partial"):
            return None
        return sum(outcome.earned or 0.0 for outcome in self.outcomes)

    def doubted(self, why: str) -> Result:
        """The same, with nothing certain: a person has to decide, and sees what it would earn."""
        outcomes = (dataclasses.replace(each, earned=None, would_earn=each.worth) for each in self.outcomes)
        status: Status = self.status if self.earned is None else "needs review"
        return dataclasses.replace(self, status=status, reason=f"{why} {self.reason}".strip(), outcomes=tuple(outcomes))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Result:
        """The result of what `dataclasses.asdict` gave, and JSON kept."""
        outcomes = [
            Outcome(**{**outcome, "visible": tuple(outcome["visible"]), "fresh": tuple(outcome["fresh"])})
            for outcome in data["outcomes"]
        ]
        return cls(**{**data, "outcomes": tuple(outcomes), "notes": tuple(data["notes"])})
