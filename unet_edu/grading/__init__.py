"""Grading a class: strangers' notebooks run in a sandbox, their answers are judged outside of it, and one writer keeps
the marks.

`engine.grade` makes a `Result` of a notebook's bytes; `unet-edu grade` does so for a folder of them. This needs the
extra `grade`.
"""
