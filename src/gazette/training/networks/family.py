"""The families of networks: a module per family, named by `models.<candidate>.family` in params.yaml.

Every family has one interface: token ids in (int32, batch × length, zero-padded), class probabilities out
(batch × classes). Its module has

    Params                                              its settings, a subclass of `training_loop.Tokens`
    build(params, vocabulary, classes)                  the network
    fit(network, params, train, valid, seed, on_epoch)  optional; replaces `training_loop.fit`
"""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Literal

from prefect_dvc.core.errors import ConfigError

from gazette.training.networks import families

EpochCallback = Callable[[dict[str, float]], None]  # called with each new point of the learning curve
Precision = Literal["float32", "int8"]  # of a bundle; training is in float32


def load_family(name: str) -> ModuleType:
    """Import the module of a family; raises ConfigError with the names of all families."""
    names = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    if name not in names:
        raise ConfigError(
            f"no family {name!r}; `family` in section models of params.yaml is one of {', '.join(names)}; "
            "`bert` and `static` are for candidates under `pretrained`, which start from a pretrained encoder"
        )
    return importlib.import_module(f"gazette.training.networks.families.{name}")
