"""The gate: is this classifier fit to go live, and is it no worse than another on the same articles?"""
