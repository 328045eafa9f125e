"""Draws the book's diagrams: docs/figures/NAME.dot becomes docs/figures/NAME.svg. Needs graphviz.

usage: python3 docs/tools/draw.py [--check] [NAME...]

Lines and text take the colour of the text around them, and fills are translucent (#rrggbbaa), so
that a diagram reads in light and dark; what a .dot file need not say is in DEFAULTS. Each drawing
carries a checksum of what it was made from: --check exits with 1 if one is older than its source.
"""

import argparse
import hashlib
import pathlib
import re
import subprocess
import sys

FIGURES = pathlib.Path(__file__).resolve().parents[1] / "figures"

DEFAULTS = ["-Gbgcolor=transparent", "-Gfontname=Helvetica", "-Gfontsize=12", "-Gpad=0.1",
            "-Nfontname=Helvetica", "-Nfontsize=12", "-Nshape=box", "-Nstyle=rounded,filled",
            "-Nfillcolor=#80808018", "-Nmargin=0.12,0.06", "-Nheight=0.3",
            "-Efontname=Helvetica", "-Efontsize=11", "-Earrowsize=0.7"]

# For a drawing that stands by itself, as on a code host; the site takes it in and removes this.
STYLE = ("<style>svg{color:#24292f}"
         "@media(prefers-color-scheme:dark){svg{color:#d0d7de}}</style>")


def stamp(source):
    return "<!-- drawn from " + hashlib.sha256(source.read_bytes()).hexdigest()[:16] + " -->"


def themed(svg):
    """An SVG whose black becomes the colour of the text around it."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.S)
    svg = re.sub(r'(stroke|fill)="(?:black|#000000)"', r'\1="currentColor"', svg)
    svg = re.sub(r'<text(?![^>]*fill=)', '<text fill="currentColor"', svg)
    svg = svg.replace('font-family="Helvetica"', 'font-family="Helvetica, Arial, sans-serif"')
    return re.sub(r"(<svg[^>]*>)", r"\1" + STYLE, svg, count=1)


def draw(source):
    result = subprocess.run(["dot", *DEFAULTS, "-Tsvg", str(source)],
                            capture_output=True, text=True, check=False)
    if result.returncode or result.stderr:
        sys.exit(f"draw.py: {source.name}: {result.stderr.strip()}")
    return themed(result.stdout).rstrip() + "\n" + stamp(source) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="draw nothing, exit with 1 if one is old")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    old = []
    for source in [FIGURES / f"{name}.dot" for name in options.names] or sorted(FIGURES.glob("*.dot")):
        if not source.is_file():
            sys.exit(f"draw.py: there is no {source}")
        target = source.with_suffix(".svg")
        if target.is_file() and stamp(source) in target.read_text() and not options.names:
            continue
        if options.check:
            old.append(f"{target.name} is older than {source.name}: python3 docs/tools/draw.py")
        else:
            target.write_text(draw(source))
            print(target.relative_to(FIGURES.parents[1]))
    if old:
        sys.exit("\n".join(old))


main()
