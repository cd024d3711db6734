"""The stages of the pipeline: a module per stage of `dvc.yaml`, with the same name.

A stage has `Params`, its section of `params.yaml`, and `run(params, *, …)`, which prints one line. A keyword argument
of `run` is an option of `gazette <stage>` if it is a path or a word, a group of options if it is a dataclass, and the
section of `params.yaml` with that name otherwise. The module's docstring is the command's help.
"""
