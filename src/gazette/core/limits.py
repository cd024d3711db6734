"""Sizes past which a raw file is hostile or damaged; they bound the memory that reading it can take."""

MAX_BYTES = 4 << 30  # of a file; ten million short articles have 2 GB
MAX_LINE = 1 << 20  # bytes of a line
MAX_FIELD = 100_000  # characters: a long read has 50,000; more is a file gone wrong
MAX_COLUMNS = 1_000
MAX_ROWS = 20_000_000  # of a file
