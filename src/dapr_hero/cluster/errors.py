"""The error of a deployment. Its message is complete, for the person who runs the command."""

from dapr_hero.contract.errors import UserError


class ClusterError(UserError):
    """The cluster is unreachable or refuses a request; the message is complete and needs no traceback."""
