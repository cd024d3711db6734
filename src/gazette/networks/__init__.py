"""The families of networks: a module per family, named in `models.<candidate>.family` of params.yaml.

Every family has one face: token ids in (int32, batch × length, 0 where a shorter text is padded), class probabilities
out (batch × classes). Its module has

    Params                                     its numbers, those of `fitting.Params` and its own
    build(params, rows, vocabulary, classes)   the network to fit; `rows` for what it has to count beforehand
    finish(network)                            the network to ship: usually the same
"""
