"""What every stage speaks: errors, small files, the table of articles, a corpus, a bundle, metrics."""
