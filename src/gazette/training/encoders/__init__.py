"""Pretrained encoders, and the candidates that start from them: fine-tuned, or frozen with a linear probe."""
