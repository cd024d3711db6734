"""The command that says why a text gets its label."""

from pathlib import Path

import click
from prefect_dvc.core.errors import ConfigError

from gazette.cli import options, project


@click.command()
@click.argument("text", callback=options.check_text)
@click.option("--bundle", type=options.PATH, help="Folder of a bundle.  [default: the selected one]")
@click.option("--label", help="The label to explain.  [default: the predicted one]")
@click.option("--words", default=10, show_default=True, type=click.IntRange(1), help="How many words, strongest first.")
@options.as_json("Print every word, its characters and what it adds to each label.")
def explain(text: str, bundle: Path | None, label: str | None, words: int, as_json: bool) -> None:
    """Say which words of TEXT speak for a label and which against it.

    The score of a label is the logarithm of its probability minus the mean of those of all labels. For a linear
    classifier words and bias sum to it exactly; for any other a word, or a few neighbors in a long text,
    counts by how much the score falls without it.

    \b
    Examples:
      gazette explain "Shares fell after the bank cut its forecast."
      gazette explain --bundle models/news --label sports --json "The coach left the bank."
    """
    from gazette.cli import tables
    from gazette.core.bundle import Bundle
    from gazette.training.explanation.explain import Explainer

    folder = project.bundle_folder(bundle)
    classifier = Bundle(folder)
    labels = classifier.labels
    if label is not None and label not in labels:
        raise ConfigError(f"--label {label}: this bundle has {', '.join(labels)}")
    explanation = Explainer(classifier, folder).explain(text)
    row = classifier.probabilities([text])[0]
    index = labels.index(label) if label else int(row.argmax())
    if as_json:
        record = explanation.record()
        record["words"] = [{"word": text[word["start"] : word["end"]]} | word for word in record["words"]]
        project.echo_json({"probabilities": explanation.by_label(row.tolist())} | record)
        return
    click.echo(f"{labels[index]} {row[index]:.3f}{'' if explanation.exact else ', by leaving out words in turn'}")
    parts = sorted(explanation.words, key=lambda part: -abs(part.scores[index]))[:words]
    rows = [{"score": f"{part.scores[index]:+.3f}", "word": text[part.start : part.end]} for part in parts]
    if explanation.exact:
        rows.append({"score": f"{explanation.bias[index]:+.3f}", "word": "(bias)"})
    tables.show(tables.build_table(rows, right=["score"]))
