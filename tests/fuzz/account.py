"""Every event accounted for: stored with its newest value, parked, kept as it was, or answered with retry."""

import base64
from collections.abc import Sequence
from typing import Any

from dapr_hero.contract import events
from dapr_hero.contract.kinds import kind_of
from tests.fuzz.judge import Judged, Quality, members, read
from tests.fuzz.world import World

SUCCESS, RETRY = "SUCCESS", "RETRY"
_ATTRIBUTES = ("id", "source", "type", "specversion")


def check_fresh(world: World, resource: str, batch: Sequence[Judged], answers: Sequence[str]) -> None:
    """After a delivery on the path of a resource."""
    assert len(answers) == len(batch)
    fates = [
        _fate(world, resource, each, answer, world.dead_letters)
        for each, answer in zip(batch, answers, strict=True)
    ]
    for each, fate in zip(batch, fates, strict=True):
        _check_fate(fate, _may(world, each, world.down.broker))
    # Two events can be equal to a lenient reader; then their letters cannot be told apart.
    certain = [fate for each, fate in zip(batch, fates, strict=True) if each.quality is Quality.BAD]
    assert certain.count("dead letter") <= len(world.dead_letters) <= fates.count("dead letter"), "once each"
    _check_nothing_else(world, resource, batch, world.dead_letters)


def check_dead(world: World, resource: str, letter: Judged, answer: str) -> None:
    """After a delivery of a dead letter. What is kept is kept byte for byte."""
    letter, kept = letter._replace(withheld=False), world.table.originals
    _check_fate(_fate(world, resource, letter, answer, kept), _may(world, letter, world.down.letters))
    assert all(original == letter.raw for original in kept)
    assert not world.dead_letters
    _check_nothing_else(world, resource, [letter], kept)


def _check_members(world: World, resource: str, batch: Sequence[Judged], answer: str) -> None:
    """After a pack has come again, which is answered as a whole."""
    waits = world.down.stores and any(each.quality is not Quality.BAD for each in batch)
    blocked = world.down.broker and any(each.quality is not Quality.GOOD for each in batch)
    if not waits and not blocked:
        assert answer == SUCCESS, "nothing was down"
    for each in batch:
        if each.quality is Quality.GOOD:
            assert (answer == RETRY) if world.down.stores else _is_stored(world, resource, each)
        if each.quality is Quality.BAD:
            assert (answer == RETRY) if world.down.broker else _is_among(world.dead_letters, each)
    assert not world.parked(resource), "what is parked stays where it is"
    _check_nothing_else(world, resource, batch, world.dead_letters)


def resource_of(letter: Judged) -> str:
    """Return the resource of a dead letter that is a good event."""
    return kind_of(letter.whole.get("type") if letter.whole else None).resource


def _may(world: World, each: Judged, grave_is_down: bool) -> set[str]:
    """The fates that the contract allows."""
    if each.withheld:
        return {RETRY}
    good = ("parked" if not world.down.broker else RETRY) if world.down.stores else "stored"
    bad = RETRY if grave_is_down else "dead letter"
    return {Quality.GOOD: {good}, Quality.BAD: {bad}, Quality.EITHER: {good, bad}}[each.quality]


def _fate(world: World, resource: str, each: Judged, answer: str, grave: Sequence[bytes]) -> str:
    if answer == RETRY:
        return RETRY
    assert answer == SUCCESS, f"daprd knows no {answer}"
    if each.quality is not Quality.GOOD and _is_among(grave, each):
        return "dead letter"
    if each.item and _is_stored(world, resource, each):
        return "stored"
    return "parked" if each.item and _is_parked(world, resource, each) else "lost"


def _check_fate(fate: str, allowed: set[str]) -> None:
    assert fate in allowed, f"{fate}, and not {' or '.join(sorted(allowed))}"


def _check_nothing_else(world: World, resource: str, batch: Sequence[Judged], grave: Sequence[bytes]) -> None:
    """Nothing is stored that was not sent, or is older than another; no good event is among the dead."""
    stored = world.stores[resource].versions
    for id, version in stored.items():
        sent = [each for each in batch if each.item and each.item.id == id]
        newest = max((each.order for each in sent if each.quality is Quality.GOOD), default=("", ""))
        assert any(each.item == version.item for each in sent if each.order >= newest), "not the newest"
    assert not any(store.versions for name, store in world.stores.items() if name != resource)
    for letter in grave:
        assert any(_is_letter_of(letter, each) for each in batch if each.quality is not Quality.GOOD)


def _is_stored(world: World, resource: str, each: Judged) -> bool:
    """It, or a newer one: `_check_nothing_else` says which."""
    return bool(each.item and each.item.id in world.stores[resource].versions)


def _is_parked(world: World, resource: str, each: Judged) -> bool:
    assert each.item
    assert each.whole
    wanted = {name: each.whole[name] for name in _ATTRIBUTES} | {"time": each.whole.get("time")}
    item = {"id": each.item.id, "description": each.item.description, "price": float(each.item.price)}
    return any(
        parked["data"] == item and {name: parked[name] for name in wanted} == wanted
        for parked in world.parked(resource)
    )


def _is_among(letters: Sequence[bytes], each: Judged) -> bool:
    return any(_is_letter_of(letter, each) for letter in letters)


def _is_letter_of(letter: bytes, each: Judged) -> bool:
    """The event as it came: what it said, or where it said nothing, its bytes."""
    if letter == each.raw:
        return True
    whole = _said(letter)
    if whole is None:
        return False
    if whole.get("type") == events.WRAPPED_TYPE and "data_base64" in whole:
        return _is_letter_of(base64.b64decode(whole["data_base64"]), each)
    if each.raw and base64.b64encode(each.raw).decode() == whole.get("data_base64"):
        # The bytes that gRPC has brought, where they are not quite JSON.
        return _without(whole, "data_base64") == _without(each.whole, "deadletterreason", "data")
    return whole == _without(each.whole, "deadletterreason")


def _said(letter: bytes) -> dict[str, Any] | None:
    try:
        whole = read(letter)
    except ValueError:
        return None
    return _without(whole, "deadletterreason") if isinstance(whole, dict) else None


def _without(whole: dict[str, Any] | None, *names: str) -> dict[str, Any] | None:
    return {name: value for name, value in whole.items() if name not in names} if whole is not None else None


def check_pack(world: World, resource: str, pack: Judged, answer: str) -> None:
    """After a delivery on the path of what was parked, be it a pack or not."""
    packed = members(pack)
    if pack.odd:
        assert answer == SUCCESS or world.down.stores or world.down.broker
        assert answer == RETRY or not world.is_empty
    elif packed is None:
        check_fresh(world, resource, [pack._replace(quality=Quality.BAD)], [answer])
    else:
        _check_members(world, resource, packed, answer)
