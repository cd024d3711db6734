"""Explanations of single predictions: what each word adds to each label."""
