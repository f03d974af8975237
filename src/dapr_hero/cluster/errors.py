"""What can go wrong with a cluster: each error is a text for the person who asked."""


class ClusterError(Exception):
    """The cluster is unreachable or refuses a request; the message is complete and needs no traceback."""
