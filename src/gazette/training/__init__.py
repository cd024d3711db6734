"""From splits to a candidate's bundle; the only package that uses Keras."""
