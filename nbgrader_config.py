"""Makes exercises/ from solutions/, the only place where an exercise is written: `make exercises`. And where nbgrader
finds marks."""

from pathlib import Path

c = get_config()  # noqa: F821 - nbgrader defines it

root = Path(__file__).parent
(root / "grading").mkdir(exist_ok=True)  # SQLite makes a file, but not its folder

c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"  # `unet-edu grade` writes it, and formgrader shows it
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'grading' / 'gradebook.db'}"

c.ClearSolutions.code_stub = {"python": "# Write your code here.\nraise NotImplementedError"}
