"""The comparison in pictures: SVG, so that they are sharp everywhere and small in a repository."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "dapr-hero"  # the same figures make the same file
mpl.rcParams["font.size"] = 9
from matplotlib import pyplot  # noqa: E402  (after the choice of what it draws with)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

_COLOURS = ("#4c78a8", "#9ecae9", "#f58518", "#ffbf79", "#54a24b", "#b279a2")
_SIZE_INCHES = (8.0, 3.6)


def bars(path: Path, title: str, unit: str, groups: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """For each group a bar for each series: its median, with whiskers from the least to the greatest."""
    figure, axes = _drawing(title, unit)
    series = list(next(iter(groups.values())))
    width = 0.8 / len(series)
    for number, name in enumerate(series):
        places = [place + number * width for place in range(len(groups))]
        middles = [median(group[name]) for group in groups.values()]
        below = [middle - min(group[name]) for middle, group in zip(middles, groups.values(), strict=True)]
        above = [max(group[name]) - middle for middle, group in zip(middles, groups.values(), strict=True)]
        axes.bar(
            places, middles, width * 0.92, label=name, color=_COLOURS[number], yerr=(below, above), capsize=2
        )
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(groups))], list(groups))
    _save(figure, axes, path)


def stacks(path: Path, title: str, unit: str, stacked: Mapping[str, Mapping[str, float]]) -> None:
    """For each name a bar that consists of parts."""
    figure, axes = _drawing(title, unit)
    parts = list(dict.fromkeys(part for each in stacked.values() for part in each))
    bottoms = [0.0] * len(stacked)
    for number, part in enumerate(parts):
        heights = [each.get(part, 0.0) for each in stacked.values()]
        axes.bar(list(stacked), heights, 0.6, bottom=bottoms, label=part, color=_COLOURS[number])
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    _save(figure, axes, path)


def distributions(path: Path, title: str, unit: str, samples: Mapping[str, Sequence[float]]) -> None:
    """For each name the share of samples that are at most so great."""
    figure, axes = _drawing(title, "share of all")
    for number, (name, values) in enumerate(samples.items()):
        axes.ecdf(values, label=name, color=_COLOURS[number])
    axes.set_xlabel(unit)
    axes.set_xlim(0, max(sorted(values)[int(len(values) * 0.995)] for values in samples.values()))
    _save(figure, axes, path)


def _drawing(title: str, unit: str) -> tuple[Figure, Axes]:
    figure, axes = pyplot.subplots(figsize=_SIZE_INCHES, layout="constrained")
    axes.set_title(title, loc="left")
    axes.set_ylabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    return figure, axes


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    figure.legend(loc="outside upper right", frameon=False, ncols=len(axes.get_legend_handles_labels()[1]))
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
