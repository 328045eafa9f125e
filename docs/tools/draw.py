"""Draws the book's diagrams: docs/figures/NAME.dot becomes docs/figures/NAME.svg. Needs graphviz.

usage: python3 docs/tools/draw.py [NAME...]

Without names, draws those that are older than their source. Lines and text take the colour of the
text around them, and fills are translucent (#rrggbbaa), so that a diagram reads in light and dark.
"""

import subprocess
import sys

import figure

# What a .dot file need not say.
DEFAULTS = ["-Gbgcolor=transparent", "-Gfontname=Helvetica", "-Gfontsize=12", "-Gpad=0.1",
            "-Nfontname=Helvetica", "-Nfontsize=12", "-Nshape=box", "-Nstyle=rounded,filled",
            "-Nfillcolor=#80808018", "-Nmargin=0.12,0.06", "-Nheight=0.3",
            "-Efontname=Helvetica", "-Efontsize=11", "-Earrowsize=0.7"]


def draw(source):
    result = subprocess.run(["dot", *DEFAULTS, "-Tsvg", str(source)],
                            capture_output=True, text=True, check=False)
    if result.returncode or result.stderr:
        sys.exit(f"draw.py: {source.name}: {result.stderr.strip()}")
    return result.stdout


def main():
    names = sys.argv[1:]
    for source in [figure.FIGURES / f"{name}.dot" for name in names] or sorted(figure.FIGURES.glob("*.dot")):
        if not source.is_file():
            sys.exit(f"draw.py: there is no {source}")
        target = source.with_suffix(".svg")
        if names or figure.is_old(target, source):
            figure.save(target, draw(source), source)


main()
