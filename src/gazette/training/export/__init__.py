"""A trained network into a bundle: ONNX in canonical form, checked against Keras."""
