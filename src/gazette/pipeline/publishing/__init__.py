"""What a run came to, brought from a tree of its own to a branch and a remote. Knows no Prefect."""
