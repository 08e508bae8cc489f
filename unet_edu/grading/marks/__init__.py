"""From what a class handed in to its marks: who handed in what, the journal, the gradebook, the tables and the pages for students."""
