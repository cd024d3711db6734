"""Publishing of a run's results from a worktree to a branch and a remote. Does not use Prefect."""
