"""Wilson's interval of a share (E. Wilson, JASA 1927), which holds for few rows and close to 100%; pure.

By hand, since importing statsmodels' takes seconds in every run.
"""

from statistics import NormalDist


def wilson_interval(share: float, rows: int, confidence: float) -> tuple[float, float]:
    """Return the ends of the interval of a share of `rows` rows."""
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    center = (share + z2 / (2 * rows)) / (1 + z2 / rows)
    half = (z2 * (share * (1 - share) / rows + z2 / (4 * rows * rows))) ** 0.5 / (1 + z2 / rows)
    return max(center - half, 0.0), min(center + half, 1.0)
