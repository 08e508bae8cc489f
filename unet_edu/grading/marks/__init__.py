"""From what a class handed in to its marks: whose it is, the journal, the gradebook, the tables and the pages."""
