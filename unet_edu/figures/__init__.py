"""The course's pictures: each a pure function from data to a matplotlib figure."""
