"""The families of networks: a module per family, named in `models.<candidate>.family` of params.yaml.

Every family has one face: token ids in (int32, batch × length, 0 where a shorter text is padded), class probabilities
out (batch × classes). Its module has

    Params                                                     its numbers, and those of `fit.Tokens` or `.Params`
    build(params, vocabulary, classes)                         the network
    fit(network, params, train, valid, seed, verbose, watch)   where the family has a better way than `fit.fit`
"""

import importlib
import pkgutil
from types import ModuleType

from gazette.core.errors import Misconfigured
from gazette.training.networks import families


def load_family(name: str) -> ModuleType:
    """The module of a family; raises Misconfigured with the names of those that there are."""
    known = sorted(module.name for module in pkgutil.iter_modules(families.__path__))
    if name not in known:
        raise Misconfigured(
            f"no family {name!r}; `family` in section models of params.yaml is one of {', '.join(known)}; "
            "`bert` is for candidates under `further`, which begin with an encoder that others trained"
        )
    return importlib.import_module(f"gazette.training.networks.families.{name}")
