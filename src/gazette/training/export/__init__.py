"""Export of a trained network to a bundle: canonical ONNX, verified against Keras."""
