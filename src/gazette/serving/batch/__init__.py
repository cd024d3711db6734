"""Scoring of files of new articles, in parts."""
