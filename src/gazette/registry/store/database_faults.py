"""What a database of MLflow's says when it cannot be used, and the cure; without MLflow."""

LOCKED = "database is locked"
CURES = {
    LOCKED: "another process writes to it; wait until that has ended",
    "readonly database": "this user may not write to the file or to its folder",
    "unable to open database file": "its folder does not exist, or this user may not read it",
    "disk is full": "make room",
    "No space left on device": "make room on the disk of what the message names, or of this machine",
    "not a database": "the file was damaged, or never was a registry: restore a copy of it, or move it away",
    "malformed": "the file was damaged: restore a copy of it, or move it away",
    "out-of-date database schema": "another version of MLflow made it: `mlflow db upgrade` with its address",
}


def explain(error: BaseException) -> str:
    """Return what a database said and the cure; empty if the error is none that is known of a database."""
    fault = next((words for words in CURES if words in str(error)), "")
    if not fault:
        return ""
    rest = ". Nothing is lost: the same command then finishes the job" if fault == LOCKED else ""
    return f"{fault}; {CURES[fault]}{rest}"
