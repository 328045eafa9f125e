"""What all figures of the book have in common, for draw.py and plot.py."""

import hashlib
import pathlib
import re

FIGURES = pathlib.Path(__file__).resolve().parents[1] / "figures"

# For a figure that stands by itself, as on a code host; the site takes it into its pages without.
STYLE = ("<style>svg{color:#24292f}"
         "@media(prefers-color-scheme:dark){svg{color:#d0d7de}}</style>")


def themed(svg):
    """An SVG whose black becomes the colour of the text around it, and that has no background."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.S)
    svg = re.sub(r'(stroke|fill)="(?:black|#000000)"', r'\1="currentColor"', svg)
    svg = re.sub(r"(stroke|fill): *(?:black|#000000)", r"\1: currentColor", svg)
    svg = re.sub(r"<text(?![^>]*fill[=:])", '<text fill="currentColor"', svg)
    svg = svg.replace('font-family="Helvetica"', 'font-family="Helvetica, Arial, sans-serif"')
    return re.sub(r"(<svg[^>]*>)", r"\1" + STYLE, svg, count=1)


def stamp(source):
    """A comment that tells what a figure was made from."""
    return "<!-- made from " + hashlib.sha256(source.read_bytes()).hexdigest()[:16] + " -->"


def is_old(figure, source):
    return not figure.is_file() or stamp(source) not in figure.read_text()


def save(figure, svg, source):
    figure.parent.mkdir(exist_ok=True)
    figure.write_text(themed(svg).rstrip() + "\n" + stamp(source) + "\n")
    print(figure.relative_to(FIGURES.parents[1]))
