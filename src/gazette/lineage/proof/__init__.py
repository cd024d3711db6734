"""Proof: reproduce a revision, verify that its records still hold, and state both under a signature."""
