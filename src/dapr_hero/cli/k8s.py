"""The command line `dapr-hero k8s`: the platform on Kubernetes."""

from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dapr_hero import settings
from dapr_hero.cluster import deployment, status
from dapr_hero.cluster.overlay import Overlay
from dapr_hero.contract.mode import Mode
from dapr_local.printable import printable_line
from dapr_local.progress import ConsoleReport

app = typer.Typer(
    help="The platform on Kubernetes, in the cluster of KUBECONFIG: deploy, status, undeploy.",
    no_args_is_help=True,
    add_completion=False,
)
console = Console()
_VERSION = version("dapr-hero")

OverlayOption = Annotated[str, typer.Option(help="A folder of k8s/overlays", envvar="OVERLAY")]
ModeOption = Annotated[Mode | None, typer.Option(help="How inventory talks to Dapr [default: DAPR_MODE]")]
TagOption = Annotated[str, typer.Option(help="The images' tag", envvar="TAG")]
RegistryOption = Annotated[
    str, typer.Option(help="Prefix of the images' names; empty: they are on the nodes", envvar="REGISTRY")
]


@app.command()
def deploy(
    overlay: OverlayOption = "kind",
    mode: ModeOption = None,
    tag: TagOption = _VERSION,
    registry: RegistryOption = "",
) -> None:
    """Deploy the platform into the cluster, or update it, and wait until it runs.

    Passwords and tokens are created the first time and stay. If the cluster lacks something, nothing is changed.
    """
    chosen = settings.load()
    wanted = Overlay(overlay, mode or chosen.dapr_mode, tag, registry, chosen.bulk_subscribe)
    deployment.deploy(wanted, ConsoleReport(console))
    show_status()


@app.command()
def undeploy(overlay: OverlayOption = "kind") -> None:
    """Remove the platform from the cluster: its namespaces, their secrets, and all data."""
    deployment.undeploy(Overlay(overlay, Mode.SDK_HTTP, tag="any"), ConsoleReport(console))


@app.command(name="status")
def show_status() -> None:
    """Show what runs and where to reach it. Exit code 1: the platform is not in the cluster."""
    mode = status.mode()
    table = Table("namespace", Column("pod", overflow="fold"), "ready", "state", "restarts")
    for pod in sorted(status.pods()):
        cells = (pod.namespace, pod.name, pod.ready, pod.state, str(pod.restarts))
        table.add_row(*(Text(printable_line(cell)) for cell in cells))
    console.print(table)
    for what, address in {"mode": mode, **status.addresses()}.items():
        console.print(Text(printable_line(f"{what:<10}{address}")), highlight=False, soft_wrap=True)
