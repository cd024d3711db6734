"""The gate: is this classifier good enough, and no worse than the baseline on the same articles?"""
