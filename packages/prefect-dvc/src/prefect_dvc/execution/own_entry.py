"""DVC as it reads and writes the entry of one stage in `dvc.lock`, and leaves the text of the others as it is.

DVC itself reads `dvc.yaml` and the whole lock for each stage, and writes the whole lock again: three seconds with a
thousand stages. This changes DVC in a process that runs a single stage, as `forkserver` starts it. The bytes stay those
of DVC: a lock is only spliced if DVC or a splice wrote it last; see `lock_record`.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from prefect_dvc import dvc_internals, lock_record
from prefect_dvc.core import atomic
from prefect_dvc.execution import forkserver
from prefect_dvc.lock_text import LockText

_read: dict[Path, Any] = {}  # content and text of the files that were read ahead


def read_ahead() -> None:
    """Read and check the files of stages that the environment names; DVC reports what is wrong in one itself."""
    for name in filter(None, os.environ.pop(forkserver.FILES, "").split(os.pathsep)):
        with suppress(dvc_internals.DvcException, OSError):
            _read[Path(name)] = dvc_internals.read_pipeline(name)


def change_dvc(stage: str) -> None:
    """Have DVC in this process read and write only the entry of `stage`."""
    file, _, name = stage.rpartition(":")
    lock = str(Path(file or "dvc.yaml").with_suffix(".lock").absolute())
    dvc_internals.replace_file_access(_load_ahead, partial(_load, lock, name), _dump)


def _load_ahead(load: Any, path: str, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    file = Path(path).absolute()
    if file in _read and not options.get("round_trip") and file.read_text(encoding="utf-8") == _read[file][1]:
        return _read[file]
    return load(path, *arguments, **options)


def _load(lock: str, name: str, load: Any, file: Any, options: dict[str, Any]) -> Any:
    text = None if options or str(file.path) != lock else lock_record.read_written(Path(), Path(file.path))
    if text is None:
        return load(file, **options)
    dvc_internals.check_lock_is_not_ignored(file)
    own = LockText(text.head, {name: text.blocks[name]} if name in text.blocks else {}, text.tail)
    content = dvc_internals.loads_yaml(str(own))
    return content | {"stages": content["stages"] or {}}, str(own)


def _dump(dump: Any, file: Any, stages: Sequence[Any], options: dict[str, Any]) -> None:
    path = Path(file.path)
    text = lock_record.read_written(Path(), path)
    if text is None:
        dump(file, stages, **options)
    else:
        blocks = {stage.name: dvc_internals.dump_entry(stage, options) for stage in stages}
        if any(text.blocks.get(name) != block for name, block in blocks.items()):
            dvc_internals.log_lock_update(file)
            atomic.write_text(path, str(text.update(blocks)))
            file.repo.scm_context.track_file(file.relpath)
    lock_record.record_written(Path(), path)


read_ahead()
dvc_internals.prepare_command()
