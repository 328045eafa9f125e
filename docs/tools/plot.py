"""Draws what the benchmarks have measured: docs/data/NAME.txt, a benchmark's output as it is, becomes
docs/figures/NAME.svg. Needs python3-matplotlib.

usage: python3 docs/tools/plot.py [NAME...]
"""

import io
import pathlib
import re
import sys

import figure as drawn
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of what to draw with)

DOCS = pathlib.Path(__file__).resolve().parents[1]

# The same file from the same data: no date, no random names.
matplotlib.rcParams["svg.hashsalt"] = "reactor"
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["font.size"] = 9
matplotlib.rcParams["font.family"] = "sans-serif"
matplotlib.rcParams["font.sans-serif"] = ["Helvetica", "Arial", "DejaVu Sans"]
matplotlib.rcParams["legend.labelcolor"] = "black"


def tables(text):
    """The tables in a benchmark's output: [(title, columns, {name: cells})]."""
    result = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not re.fullmatch(r"-+( +-+)+", line):
            continue
        header = re.split(r"  +", lines[number - 1].strip())
        rows = {}
        for row in lines[number + 1:]:
            cells = re.split(r"  +", row.strip())
            if len(cells) != len(header):
                break
            rows[cells[0]] = cells[1:]
        result.append((header[0], header[1:], rows))
    return result


def number(cell):
    return float(cell.replace(",", ""))


def draw_broadcast(text):
    """Bars: a group for each number of clients, a panel for each number of senders and measure."""
    series = ["bare message", "bare turn"] + [
        f"{way} {flush} 2" for flush in ("message", "turn") for way in ("lock", "cow", "per-loop")]
    colours = ["0.75", "0.45", "#f4b183", "#f6d186", "#a9d18e", "#c55a11", "#bf9000", "#548235"]
    measures = [("deliveries/s", "million deliveries a second", 1e6),
                ("first to last ms", "ms from first to last receiver", 1)]
    measured = {}  # (senders, clients) -> (columns, rows)
    for title, columns, rows in tables(text):
        senders, clients = re.match(r"(\d+) senders? to (\d+) clients", title).groups()
        measured[int(senders), int(clients)] = columns, rows
    all_senders = sorted({senders for senders, _ in measured})
    all_clients = sorted({clients for _, clients in measured})
    figure, axes = plt.subplots(len(all_senders), len(measures), squeeze=False,
                                figsize=(9, 3 * len(all_senders) + 0.5))
    width = 0.8 / len(series)
    for row, senders in enumerate(all_senders):
        for column, (measure, label, unit) in enumerate(measures):
            panel = axes[row][column]
            for index, name in enumerate(series):
                heights = []
                for clients in all_clients:
                    columns, rows = measured[senders, clients]
                    heights.append(number(rows[name][columns.index(measure)]) / unit)
                places = [group - 0.4 + (index + 0.5) * width for group in range(len(all_clients))]
                panel.bar(places, heights, width, label=name, color=colours[index])
            panel.set_xticks(range(len(all_clients)), [f"{clients:,}" for clients in all_clients])
            panel.set_xlabel("clients")
            panel.set_ylabel(label)
            panel.set_title(f"{senders} sender{'s' if senders > 1 else ''}")
            if measure.startswith("first"):
                panel.set_yscale("log")
            panel.grid(axis="y", alpha=0.3)
            panel.set_axisbelow(True)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    return figure


def draw_flood(text):
    """Bars: messages a second, a bar for each step."""
    (_, columns, rows), = tables(text)
    figure, panel = plt.subplots(figsize=(6, 3), layout="constrained")
    counts = [column for column in columns if column.endswith("clients")]
    for index, count in enumerate(counts):
        heights = [number(cells[columns.index(count)]) / 1e6 for cells in rows.values()]
        panel.bar([place + 0.4 * index for place in range(len(rows))], heights, 0.38, label=count)
        for place, height in enumerate(heights):
            panel.text(place + 0.4 * index, height, f"{height:.2f}", ha="center", va="bottom")
    panel.set_xticks([place + 0.2 for place in range(len(rows))], [name.replace("_", "\n") for name in rows])
    panel.set_ylabel("million messages a second")
    panel.legend(frameon=False)
    panel.grid(axis="y", alpha=0.3)
    panel.set_axisbelow(True)
    return figure


def draw_readiness(text):
    """Lines, both axes logarithmic: what select, poll and epoll add to an event."""
    lines = [line.split() for line in text.splitlines() if re.match(r" *[\d,]+  ", line)]
    figure, panel = plt.subplots(figsize=(6, 3.4), layout="constrained")
    for name, column, colour, marker in [("select", 2, "#d29922", "s"), ("poll", 3, "#cf222e", "o"),
                                         ("epoll", 4, "#2da44e", "^")]:
        points = [(number(line[0]), number(line[column])) for line in lines if line[column] != "n/a"]
        panel.plot(*zip(*points), marker=marker, color=colour, label=name)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("idle descriptors")
    panel.set_ylabel("microseconds to find the ready one")
    panel.legend(frameon=False)
    panel.grid(alpha=0.3)
    return figure


def draw_wakeup(text):
    """Bars: microseconds per wake-up, and per write and read with nobody asleep."""
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()
            if re.match(r"(pipe|socketpair|eventfd) ", line)}
    figure, panel = plt.subplots(figsize=(6, 3), layout="constrained")
    for index, (label, colour) in enumerate([("wake-up of a sleeping thread", "#c55a11"),
                                             ("write and read, nobody asleep", "#548235")]):
        heights = [number(cells[index]) for cells in rows.values()]
        places = [place + 0.4 * index for place in range(len(rows))]
        panel.bar(places, heights, 0.38, label=label, color=colour)
        for place, height in zip(places, heights):
            panel.text(place, height, f"{height:.1f}", ha="center", va="bottom")
    panel.set_xticks([place + 0.2 for place in range(len(rows))], list(rows))
    panel.set_ylabel("microseconds")
    panel.set_ylim(top=panel.get_ylim()[1] * 1.25)
    panel.legend(frameon=False)
    panel.grid(axis="y", alpha=0.3)
    panel.set_axisbelow(True)
    return figure


def draw_echo(text):
    """Bars: throughput as a share of the bare loop's, a group for each load."""
    names = {"bare_epoll_echo": "bare epoll loop", "libuv_echo": "libuv", "asio_echo": "Asio",
             "reactor_echo": "this library, bytes", "echo_server": "this library, frames",
             "libevent_echo": "libevent"}
    colours = ["0.5", "#4c72b0", "#7a9cc6", "#548235", "#a9d18e", "#c55a11"]
    measured = tables(text)
    figure, panel = plt.subplots(figsize=(7, 3.6))
    width = 0.8 / len(names)
    for index, (name, label) in enumerate(names.items()):
        heights = [number(rows[name][columns.index("to bare_epoll_echo")]) for _, columns, rows in measured]
        places = [group - 0.4 + (index + 0.5) * width for group in range(len(measured))]
        panel.bar(places, heights, width, label=label, color=colours[index])
    panel.set_xticks(range(len(measured)), [title for title, _, _ in measured])
    panel.set_ylabel("round trips a second, bare loop = 1")
    figure.legend(*panel.get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    panel.grid(axis="y", alpha=0.3)
    panel.set_axisbelow(True)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    return figure


DRAWERS = {"broadcast_bench": draw_broadcast, "echo_bench": draw_echo, "flood_bench": draw_flood,
           "readiness_bench": draw_readiness, "wakeup_bench": draw_wakeup}


def main():
    for name in sys.argv[1:] or sorted(DRAWERS):
        if name not in DRAWERS:
            sys.exit(f"plot.py: no such figure: {name}; there is: {' '.join(sorted(DRAWERS))}")
        data = DOCS / "data" / f"{name}.txt"
        if not data.is_file():
            sys.exit(f"plot.py: {data} is not there: record the benchmark's output first")
        svg = io.StringIO()
        DRAWERS[name](data.read_text()).savefig(svg, metadata={"Date": None}, transparent=True)
        drawn.save(drawn.FIGURES / f"{name}.svg", svg.getvalue(), data)


main()
