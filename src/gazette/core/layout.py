"""Where a project keeps its code: a dependency of a stage that lies there is code, any other is data."""

CODE = ("src/", "packages/")
