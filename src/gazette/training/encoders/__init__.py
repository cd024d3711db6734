"""Encoders that others trained, and candidates made of them: fine-tuned, or as they are with a head."""
