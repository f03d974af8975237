"""Chooses the ports of settings: those that no user types, and all of them for a second platform."""

from collections.abc import Collection
from typing import Any

from dapr_hero.settings import Settings, port_fields
from dapr_local.ports import free_ports


def of(settings: Settings) -> set[int]:
    """Return the ports of the settings, without those that are still to be chosen."""
    return {port for name in port_fields() if (port := getattr(settings, name))}


def choose(*platforms: Settings) -> list[Settings]:
    """Return the settings of replicas that run together, with a free port for each that is to be chosen."""
    taken = set().union(*map(of, platforms))
    chosen = []
    for each in platforms:
        names = [name for name in port_fields("chosen") if not getattr(each, name)]
        found = dict(zip(names, free_ports(len(names), taken), strict=True))
        taken.update(found.values())
        chosen.append(each.model_copy(update=found))
    return chosen


def on_free_ports(*, besides: Collection[int] = (), **overrides: Any) -> Settings:
    """Return settings on free ports, apart from the overrides; for tests and for a second platform."""
    names = port_fields()
    return Settings(**{**dict(zip(names, free_ports(len(names), besides), strict=True)), **overrides})


def replica_on_free_ports(settings: Settings) -> Settings:
    """Return the settings of another replica of inventory, on free ports."""
    names = port_fields("each_replica")
    others = [getattr(settings, name) for name in port_fields()]
    return settings.model_copy(update=dict(zip(names, free_ports(len(names), others), strict=True)))
