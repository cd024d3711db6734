"""The families of networks, their tokenizers and their training."""
