"""Generated articles in English and Chinese."""

import polars as pl

LABELS = {"en": ["sport", "trade"], "zh": ["体育", "财经"]}
SENTENCES = {
    "en": ["The home team won match number {} on Sunday.", "Shares of company {} fell after its forecast."],
    "zh": ["主队在星期天赢了第{}场比赛", "第{}家公司的股票在预测后下跌"],
}


def generated(language: str, rows: int = 60) -> pl.DataFrame:
    """Distinct articles, alternating between the classes, all in train."""
    kinds = [number % 2 for number in range(rows)]
    return pl.DataFrame(
        {
            "text": [SENTENCES[language][kind].format(number) for number, kind in enumerate(kinds)],
            "label": [LABELS[language][kind] for kind in kinds],
            "split": "train",
            "file": "all.csv",
            "line": range(2, rows + 2),
        }
    )
