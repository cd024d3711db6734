"""The families of networks: a module per family, named in `models.<candidate>.family` of params.yaml.

Every family has one face: token ids in (int32, batch × length, 0 where a shorter text is padded), class probabilities
out (batch × classes). Its module has

    Params                                              its numbers, and those of `fitting.Tokens` or `.Params`
    build(params, vocabulary, classes)                  the network
    fit(network, params, train, valid, seed, verbose)   where the family has a better way than `fitting.fit`
"""
