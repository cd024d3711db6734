"""An expected failure of a flow, such as a broken data contract, as its state: a line instead of a traceback."""

from prefect.client.schemas.objects import State, StateType

from prefect_dvc.core.errors import CommandError, DataContractError


def failed(error: CommandError) -> State:
    """Return the state of a flow that ends with an error, which is its result.

    Prefect logs a traceback of an error that a flow raises, and a line of a state that it returns.
    """
    prefix = "broken data contract: " if error.code == DataContractError.code else ""
    return State(type=StateType.FAILED, message=prefix + str(error), data=error)
