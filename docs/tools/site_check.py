"""Looks at the site as a reader's browser does. Needs chromium, and the site: `./course docs`.

usage: python3 docs/tools/site_check.py [--pictures] SITE

Follows every link within the site; in a real browser, without a window, looks whether a page is
wider than the screen of a phone or of a desk, whether its text can be read in light and dark, and
whether the search finds what it must, over HTTP and from disk. --pictures: screenshots, wide and
narrow, light and dark, in SITE/../pictures. Exits with 1 if something is not as it should be.
"""

import argparse
import functools
import html
import html.parser
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.parse

CHECK_PAGE = pathlib.Path(__file__).resolve().parents[1] / "theme" / "check.html"
SEEN = ["index.html", "chapter_02.html", "chapter_07.html", "diff_step05_eventloop.html",
        "final/classreactor_1_1Connection.html"]  # Of these, pictures.


class Links(html.parser.HTMLParser):
    """The places that a page has, and those that it leads to."""

    def __init__(self):
        super().__init__()
        self.places, self.targets = set(), set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" or (name == "name" and tag == "a"):
                self.places.add(value)
            if value and ((name == "href" and tag in ("a", "link", "area")) or (name == "src" and tag != "input")):
                self.targets.add(value)


@functools.lru_cache(maxsize=None)
def links_of(page):
    links = Links()
    links.feed(page.read_text(errors="replace"))
    return links


def broken_links(site):
    count = 0
    complaints = []
    for page in sorted(site.rglob("*.html")):
        for target in sorted(links_of(page).targets):
            parts = urllib.parse.urlsplit(target)
            if parts.scheme or parts.netloc or target.startswith(("#", "javascript:")) and len(target) == 1:
                continue
            count += 1
            path = (page.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else page
            if not path.exists():
                complaints.append(f"{page.relative_to(site)}: leads to {target}, which is not there")
            elif parts.fragment and path.suffix == ".html":
                anchor = urllib.parse.unquote(parts.fragment)
                if anchor not in links_of(path).places:
                    complaints.append(f"{page.relative_to(site)}: no such place: {target}")
    return count, complaints


def chromium(*arguments):
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        sys.exit("site_check: missing: chromium")
    with tempfile.TemporaryDirectory() as profile:
        result = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
             f"--user-data-dir={profile}", *arguments],
            capture_output=True, text=True, check=False, timeout=600)
    if result.returncode:
        sys.exit(f"site_check: chromium has ended with {result.returncode}: {result.stderr[-2000:]}")
    return result.stdout


def serve(site, pages):
    """An HTTP server on this machine only, for the browser; its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            own = {"/__check": ("text/html", CHECK_PAGE.read_bytes()),
                   "/__pages": ("application/json", json.dumps(pages).encode())}
            if self.path not in own:
                super().do_GET()
                return
            kind, body = own[self.path]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def measured(site):
    """What the browser finds on the pages of the book, and on some of the reference."""
    pages = sorted(page.name for page in site.glob("*.html") if not re.match(r"graph_legend|pages|md_", page.name))
    pages += [page for page in SEEN if "/" in page]
    address = serve(site, pages)
    text = chromium("--virtual-time-budget=900000", "--dump-dom", f"{address}/__check")
    result = re.search(r'<pre id="result">(.*?)</pre>', text, re.S)
    if not result or not result[1].startswith("{"):
        return 0, [f"the browser did not finish: {result[1] if result else text[-500:]}"]
    result = json.loads(html.unescape(result[1]))
    return result["pages"], result["complaints"]


def found_from_disk(site):
    """Whether the search works in a page that was opened as a file."""
    text = chromium("--virtual-time-budget=20000", "--dump-dom", f"{(site / 'index.html').as_uri()}?search=queueInLoop")
    found = re.search(r'<div id="course-search">.*?<ol>(.*?)</ol>', text, re.S)
    if found and 'href="final/' in found[1] and "EventLoop::queueInLoop" in found[1]:
        return []
    return ["from disk, the search does not find queueInLoop"]


def take_pictures(site):
    target = site.parent / "pictures"
    target.mkdir(exist_ok=True)
    for page in SEEN:
        for size, width, height in (("wide", 1280, 1600), ("narrow", 390, 1600)):
            for scheme, number in (("dark", 0), ("light", 1)):
                name = target / f"{page.replace('/', '_').removesuffix('.html')}_{size}_{scheme}.png"
                chromium("--virtual-time-budget=5000", f"--blink-settings=preferredColorScheme={number}",
                         f"--window-size={width},{height}", f"--screenshot={name}", (site / page).as_uri())
    print(f"pictures are in {target}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", action="store_true", help="take screenshots, too")
    parser.add_argument("site", type=pathlib.Path)
    options = parser.parse_args()
    site = options.site.resolve()
    if not (site / "index.html").is_file():
        sys.exit(f"site_check: there is no site in {options.site}: ./course docs")
    if options.pictures:
        take_pictures(site)
    followed, complaints = broken_links(site)
    seen, more = measured(site)
    complaints += more + found_from_disk(site)
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        sys.exit(f"site_check: {len(complaints)} things are not as they should be")
    print(f"{followed} links followed, {seen} pages looked at, wide and narrow, light and dark; the search finds")


if __name__ == "__main__":
    main()
