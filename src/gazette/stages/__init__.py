"""The steps of the pipeline: a module per stage of `dvc.yaml`, of the same name.

A stage has `Params`, its section of `params.yaml`, and `run(params, *, …)`, which reads, calls, writes and prints one
line. What `run` takes by name is an option of `gazette <stage>` where it is a path or a word, and the section of
`params.yaml` of that name where it is anything else.
"""
