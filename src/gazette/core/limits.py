"""Size limits for raw files; anything larger is hostile or damaged. They bound the memory of the readers."""

MAX_BYTES = 4 << 30  # of a file; ten million short articles take 2 GB
MAX_LINE = 1 << 20  # bytes of a line
MAX_FIELD = 100_000  # characters; a long article has 50,000
MAX_GROWTH = 50  # bytes that a file may unpack to for each of its own, or of a mebibyte; news compress to a fifth
MAX_DELIMITER = 10  # characters
MAX_COLUMNS = 1_000
MAX_ROWS = 20_000_000  # of a file
