"""The families of networks, a module each, named by `models.<candidate>.family` in params.yaml."""
