"""Anybody's words, fit to be shown: nothing in them commands a terminal, hides, or turns the direction of reading.

Whoever writes HTML or CSV escapes them as well.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["MOST_SHOWN", "one_line", "plain", "readable", "visible"]

MOST_SHOWN = 20_000  # letters of a text; a function of ours has less than 2000
ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and the like, as programs print them for terminals


def visible(text: str) -> str:
    """A line without what cannot be seen: "�" stands for each letter that is a command to a terminal or to a program,
    such as ends of lines, or that turns the direction of reading."""
    return "".join("�" if _is_unsafe(letter) else letter for letter in text)


def plain(name: str) -> str:
    """A name: one line that can be shown, stored and compared anywhere, and is never empty."""
    return visible(unicodedata.normalize("NFC", name)).strip() or "�"


def one_line(text: str, most: int) -> str:
    """Text of several lines as one, of at most so many letters."""
    return visible(" ".join(text.split())[:most])


def readable(text: str) -> str:
    """Text of several lines, with its tabs. What is too long is cut, and says so."""
    whole = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} … (cut: {len(text)} letters in all)"
    lines = ANSI.sub("", whole).replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in lines)


def _is_unsafe(letter: str) -> bool:
    if letter in "\u200c\u200d":  # the joiners, which Persian and Hindi need
        return False
    category = unicodedata.category(letter)
    return category[0] == "C" or category in ("Zl", "Zp")  # controls, formats, halves of pairs; ends of lines
