"""The families of networks: a module per family, named in `models.<candidate>.family` of params.yaml.

Every family has one face: token ids in (int32, batch × length, 0 where a shorter text is padded), class probabilities
out (batch × classes). Its module has

    Params                                                     its numbers, and those of `fitting.Tokens` or `.Params`
    build(params, vocabulary, classes)                         the network
    fit(network, params, train, valid, seed, verbose, watch)   where the family has a better way than `fitting.fit`
"""

import importlib
import pkgutil
from types import ModuleType

from gazette import networks
from gazette.errors import Misconfigured

_SHARED = {"family", "fitting", "layers", "optimizers", "recurrent", "solving"}  # modules here that are no family


def load_family(name: str) -> ModuleType:
    """The module of a family; raises Misconfigured with the names of those that there are."""
    known = sorted({module.name for module in pkgutil.iter_modules(networks.__path__)} - _SHARED)
    if name not in known:
        raise Misconfigured(
            f"no family {name!r}; `family` in section models of params.yaml is one of {', '.join(known)}; "
            "`bert` is for candidates under `further`, which begin with an encoder that others trained"
        )
    return importlib.import_module(f"gazette.networks.{name}")
