"""Bills of materials of a model: CycloneDX and SPDX, for tools that read these, from the facts of its card."""
