"""The error of a deployment. Its message is complete, for the person who runs the command."""


class ClusterError(Exception):
    """The cluster is unreachable or refuses a request; the message is complete and needs no traceback."""
