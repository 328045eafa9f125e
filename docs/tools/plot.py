"""Draws what the benchmarks have measured: docs/data/NAME.txt, a benchmark's output as it is, becomes
docs/figures/NAME.svg. Needs python3-matplotlib.

usage: python3 docs/tools/plot.py [NAME...]
"""

import pathlib
import re
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of what to draw with)

DOCS = pathlib.Path(__file__).resolve().parents[1]

# The same file from the same data: no date, no random names.
matplotlib.rcParams["svg.hashsalt"] = "reactor"
matplotlib.rcParams["svg.fonttype"] = "none"
matplotlib.rcParams["font.size"] = 9


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
    panel.set_xticks([place + 0.2 for place in range(len(rows))], list(rows))
    panel.set_ylabel("million messages a second")
    panel.legend(frameon=False)
    panel.grid(axis="y", alpha=0.3)
    panel.set_axisbelow(True)
    return figure


DRAWERS = {"broadcast_bench": draw_broadcast, "flood_bench": draw_flood}


def main():
    for name in sys.argv[1:] or sorted(DRAWERS):
        if name not in DRAWERS:
            sys.exit(f"plot.py: no such figure: {name}; there is: {' '.join(sorted(DRAWERS))}")
        data = DOCS / "data" / f"{name}.txt"
        if not data.is_file():
            sys.exit(f"plot.py: {data} is not there: record the benchmark's output first")
        figure = DRAWERS[name](data.read_text())
        target = DOCS / "figures" / f"{name}.svg"
        figure.savefig(target, metadata={"Date": None})
        print(target.relative_to(DOCS.parent))


main()
