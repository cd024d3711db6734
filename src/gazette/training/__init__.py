"""Rows into a candidate's bundle; all of Keras."""
