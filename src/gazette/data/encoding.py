"""The encoding of a file that does not name it: found out by chardet, held against the whole file, or asked for.

A guess stands only if every line can be decoded, if the evidence is enough (the bounds were measured on texts in
sixteen languages), and if all parts of the file agree. Anything else is a question with candidates.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import chardet
from prefect_dvc.core.errors import ConfigError
from prefect_dvc.core.escape import escape

from gazette.core.encodings import CODECS, canonical_name, title
from gazette.core.escape import tally
from gazette.core.limits import MAX_LINE
from gazette.data.likely_encodings import KNOWN, NAMES, OLD, USUAL, WESTERN
from gazette.data.survey import GROUP_BYTES, Survey, count_high, survey_file

ENOUGH = GROUP_BYTES  # bytes beyond ASCII from which chardet's first candidate was right in 1,700 of 1,700 samples
SOME = 10  # if the encoding is one of those that the language is usually in
FEW, CLEAR = 4, 1.1  # or if the next candidate of the language is this many times less likely
DAMAGED = 0.1  # share of lines that are not UTF-8, up to which a file is in UTF-8 all the same
RARE = 0.01  # share of all lines, up to which an encoding that is not certain is no question: they are rejects
MIXED = 0.02  # share of lines that are UTF-8, from which a file is in more than one encoding
AGREEING = 0.95  # of the parts of a file
NEARLY = 1.5  # the likeliest of a part may be this many times likelier
C1 = re.compile("[\x80-\x9f]")  # controls that no text has: what Windows' encodings have there are quotes and dashes
SHOWN = 4  # candidates
OTHERS = 1 << 26  # bytes of files in an unknown encoding, in memory; more are on disk
UNKNOWN = ""


class Candidate(NamedTuple):
    """An encoding that can decode a sample, what it then reads, and how likely that is."""

    encoding: str
    text: str
    confidence: float


def detect_encoding(file: BinaryIO, path: Path, language: str | None, option: str) -> str:
    """Return the encoding of a file; raises ConfigError with the candidates if that is not sure."""
    survey = survey_file(file)
    if survey.certain:
        return survey.certain
    lines = survey.valid + survey.invalid
    if survey.invalid <= DAMAGED * lines:
        return "utf-8"  # its other lines are rejects
    if survey.valid > MIXED * lines:
        raise _mixed(path, survey, option)
    usual = USUAL.get((language or "").split("-")[0], WESTERN if language else [])
    ranked = _rank(survey.sample, survey.present, usual)
    parts = [_rank(group, b"", usual) for group in survey.groups]
    if ranked and _is_sure(ranked, usual, count_high(survey.sample), parts):
        bad = list(_undecodable(file, ranked[0].encoding))
        if (
            not bad
            and survey.valid
            and len(survey.present.decode(CODECS[ranked[0].encoding], "replace")) == len(survey.present)
        ):
            raise _mixed(path, survey, option)
        if not bad:
            return ranked[0].encoding
        names, faults = [ranked[0].encoding], {ranked[0].encoding: bad}
    else:
        likely = [name for name, _ in Counter(part[0].encoding for part in parts if part).most_common(SHOWN)]
        names = list(dict.fromkeys([*likely[:1], *(candidate.encoding for candidate in ranked), *likely]))
        names = sorted(names, key=lambda name: name not in usual)[:SHOWN]
        faults = {name: list(_undecodable(file, name)) for name in names}
    if survey.invalid <= RARE * survey.lines:
        return "utf-8"
    raise ConfigError(_ask(path, names, faults, survey, option))


def detect_folder(files: Iterator[bytes], path: Path, language: str | None, option: str) -> list[str]:
    """Return the encodings of the files of a folder, at most two, the commoner first; raises ConfigError if unsure."""
    names = Counter[str]()
    with tempfile.SpooledTemporaryFile(OTHERS) as others:
        for content in files:
            survey = survey_file(BytesIO(content))
            if survey.certain:
                names[survey.certain] += 1
            else:
                others.write(content.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
                names[UNKNOWN] += 1
        if not names[UNKNOWN]:
            return [name for name, _ in names.most_common(2)] or ["utf-8"]
        others.seek(0)
        try:
            name = detect_encoding(cast(BinaryIO, others), path, language, option)
        except ConfigError:
            if names[UNKNOWN] > DAMAGED * names.total():
                raise
            return [name for name, _ in names.most_common() if name != UNKNOWN][:2]
    ranked = [name if known == UNKNOWN else known for known, count in names.most_common() if count]
    return ranked[:2]


def _mixed(path: Path, survey: Survey, option: str) -> ConfigError:
    return ConfigError(
        f"{path} is in more than one encoding: UTF-8 in {tally(survey.valid, 'line')} beyond plain ASCII, the last "
        f"{survey.last_valid:,}, and another in {survey.invalid:,}, the first {survey.first_invalid:,}. Convert it, or "
        f"pass each part as a file of its own; {option} utf-8 puts the others in quarantine"
    )


def _rank(sample: bytes, present: bytes, usual: list[str]) -> list[Candidate]:
    """Return the candidates with different readings of a sample, the likeliest first.

    `present` are all bytes of the file: two encodings that read the sample alike may still differ elsewhere.
    """
    ranked: dict[tuple[str, str], Candidate] = {}
    preferred = {name: place for place, name in reversed(list(enumerate([*usual, *WESTERN])))}
    guesses = chardet.detect_all(
        sample, ignore_threshold=True, include_encodings=KNOWN, compat_names=False, max_bytes=len(sample) + 1
    )
    for guess in guesses:
        if guess["encoding"] is None:
            continue
        for name in NAMES.get(guess["encoding"]) or [canonical_name(guess["encoding"])]:
            text = _decode(sample, name)
            if text is None:
                continue
            key = text, present.decode(CODECS[name], "replace")
            if key not in ranked or preferred.get(name, 99) < preferred.get(ranked[key].encoding, 99):
                ranked[key] = Candidate(
                    name, text, max(guess["confidence"], ranked[key].confidence if key in ranked else 0)
                )
            break
    candidates = sorted(ranked.values(), key=lambda candidate: -candidate.confidence)
    return [candidate for candidate in candidates if not C1.search(candidate.text)] or candidates


def _decode(sample: bytes, name: str) -> str | None:
    try:
        return sample.decode(CODECS[name])
    except UnicodeDecodeError:
        return None


def _is_sure(ranked: list[Candidate], usual: list[str], high: int, parts: list[list[Candidate]]) -> bool:
    first, peers = ranked[0], [candidate for candidate in ranked if candidate.encoding in usual]
    if usual and first not in peers:  # the letters of a few repeated words are no evidence of another script
        return False
    if sum(_agrees(part, first.encoding) for part in parts) < AGREEING * len(parts):
        return False
    if first in peers and first.encoding not in OLD:
        clear = len(peers) == 1 or first.confidence >= CLEAR * peers[1].confidence
        return high >= SOME or (high >= FEW and clear)
    return high >= ENOUGH


def _agrees(part: list[Candidate], name: str) -> bool:
    """Tell whether an encoding is the likeliest of a part, or nearly so."""
    if not part:
        return False
    text = _decode(part[0].text.encode(CODECS[part[0].encoding], "replace"), name)
    return any(text == peer.text and peer.confidence * NEARLY >= part[0].confidence for peer in part)


def _undecodable(file: BinaryIO, name: str) -> Iterator[int]:
    """Yield the numbers of the lines that an encoding cannot decode."""
    file.seek(0)
    for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
        if not line.isascii() and _decode(line, name) is None:
            yield number


def _ask(path: Path, names: list[str], faults: dict[str, list[int]], survey: Survey, option: str) -> str:
    lines = []
    for name in names:
        text = escape(survey.first.decode(CODECS[name], "replace").strip(), 60)
        bad = faults[name]
        note = f" ({tally(len(bad), 'line')} cannot be decoded, the first {bad[0]:,})" if bad else ""
        lines.append(f"  {option} {name:14} {text}{note}")
    most = f"; {title(names[0])} is likely" if names else ""
    return (
        f"{path} is not UTF-8 (line {survey.first_invalid:,}), and its encoding is not certain{most}. Name it; that "
        "line would read:\n" + "\n".join(lines or [f"  (no known encoding fits: is it text? If so, {option} ENCODING)"])
    )
