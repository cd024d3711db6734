"""The families of networks, a module each, named in `models.<candidate>.family` of params.yaml."""
