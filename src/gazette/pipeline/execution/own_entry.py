"""DVC as it reads and writes the entry of one stage in `dvc.lock`, and leaves the text of the others as it is.

DVC itself reads `dvc.yaml` and the whole lock for each stage, and writes the whole lock again: three seconds with a
thousand stages. This changes DVC in a process that runs a single stage, as `forkserver` starts it. The bytes stay those
of DVC: a lock is only spliced if DVC or a splice wrote it last; see `lock_record`.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvc.cli.parser import get_main_parser
from dvc.dvcfile import Lockfile
from dvc.log import logger
from dvc.stage import serialize
from dvc.utils import strictyaml
from dvc.utils.serialize import dumps_yaml, loads_yaml

from gazette.core import atomic
from gazette.pipeline import lock_record
from gazette.pipeline.execution import forkserver
from gazette.pipeline.lock_text import LockText

_log = logger.getChild("dvcfile")
_read: dict[Path, Any] = {}  # content and text of the files that were read ahead
_load_yaml = strictyaml.load
_load_lock, _dump_lock = Lockfile._load, Lockfile.dump_stages


def read_ahead() -> None:
    """Read and check the files of stages that the environment names; DVC reports what is wrong in one itself."""
    from dvc.dvcfile import ProjectFile
    from dvc.exceptions import DvcException

    for name in filter(None, os.environ.pop(forkserver.FILES, "").split(os.pathsep)):
        with suppress(DvcException, OSError):
            _read[Path(name)] = _load_yaml(name, ProjectFile.SCHEMA)


def change_dvc(stage: str) -> None:
    """Have DVC in this process read and write only the entry of `stage`."""
    file, _, name = stage.rpartition(":")
    lock = str(Path(file or "dvc.yaml").with_suffix(".lock").absolute())
    strictyaml.load = _load_ahead
    Lockfile._load = lambda self, **options: _load(self, lock, name, **options)
    Lockfile.dump_stages = _dump


def _load_ahead(path: str, *arguments: Any, **options: Any) -> Any:
    file = Path(path).absolute()
    if file in _read and not options.get("round_trip") and file.read_text(encoding="utf-8") == _read[file][1]:
        return _read[file]
    return _load_yaml(path, *arguments, **options)


def _load(file: Lockfile, lock: str, name: str, **options: Any) -> Any:
    text = None if options or str(file.path) != lock else lock_record.read_written(Path(), Path(file.path))
    if text is None:
        return _load_lock(file, **options)
    file._check_gitignored()
    own = LockText(text.head, {name: text.blocks[name]} if name in text.blocks else {}, text.tail)
    content = loads_yaml(str(own))
    return content | {"stages": content["stages"] or {}}, str(own)


def _dump(file: Lockfile, stages: Sequence[Any], **options: Any) -> None:
    path = Path(file.path)
    text = lock_record.read_written(Path(), path)
    if text is None:
        _dump_lock(file, stages, **options)
    else:
        blocks = {stage.name: _block(serialize.to_lockfile(stage, **options)) for stage in stages}
        if any(text.blocks.get(name) != block for name, block in blocks.items()):
            _log.info("Updating lock file '%s'", file.relpath)
            atomic.write_text(path, str(text.update(blocks)))
            file.repo.scm_context.track_file(file.relpath)
    lock_record.record_written(Path(), path)


def _block(entry: dict[str, Any]) -> str:
    return str(dumps_yaml({"stages": entry})).removeprefix("stages:\n")


read_ahead()
get_main_parser()  # once for all stages; it takes as long as one of them
