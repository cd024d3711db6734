"""Labels for files of new articles, in parts."""
