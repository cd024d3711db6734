"""What `doctor` did and saw in a project, in lines for a person or as a record for a program."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect_dvc.recovery import cache, guard
from prefect_dvc.recovery.cache import Damage


@dataclass(frozen=True)
class Examination:
    """What was healed, settings that hide damage, and damaged objects of DVC's cache; None if none was hashed."""

    healed: Sequence[str]
    warnings: Sequence[str]
    damaged: Sequence[Damage] | None

    def record(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        damaged = [asdict(damage) for damage in self.damaged or ()]
        return {"healed": [*self.healed], "warnings": [*self.warnings], "damaged": damaged}

    def __str__(self) -> str:
        lines = [*(self.healed or ["nothing to repair"]), *(f"warning: {warning}" for warning in self.warnings)]
        for damage in self.damaged or ():
            lines += [f"damaged: {damage.file}", *(f"  of {owner}" for owner in damage.belongs_to), f"  {damage.cure}"]
        return "\n".join(
            [*lines, *(["DVC's cache is intact"] if self.damaged is not None and not self.damaged else [])]
        )


def examine(root: Path, verify: bool) -> Examination:
    """Repair what a killed run left in a project, and look for settings that hide damage.

    With `verify` every object of the cache is hashed. Raises ConfigError if a run is at work.
    """
    with guard.exclusive_run(root) as repairs:
        warnings = cache.list_warnings(root)
    return Examination(repairs, warnings, cache.list_damaged(root) if verify else None)
