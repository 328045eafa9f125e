"""Makes the site: the book, a page with both sides of every step's diff, and the reference of final
and of each step that has a library. Needs doxygen, graphviz, doxygen-awesome-css and libjs-lunr.

usage: python3 docs/tools/site.py [--output DIR] [--serve PORT]

What Doxygen complains of (a public entity without a word about it, a link that leads nowhere) ends
it with 1. The site is in DIR/html (build/docs/html if none is given) and opens from disk.
"""

import argparse
import difflib
import functools
import hashlib
import html
import html.parser
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import figure
import weave

ROOT = weave.ROOT
DOCS = ROOT / "docs"
AWESOME = pathlib.Path("/usr/share/doxygen-awesome-css")
LUNR = pathlib.Path("/usr/share/javascript/lunr/lunr.min.js")
AROUND = 5  # Unchanged lines around a change, on the pages with both sides.

NEEDED = {"doxygen": shutil.which("doxygen"), "graphviz": shutil.which("dot"), "git": shutil.which("git"),
          "doxygen-awesome-css": AWESOME.is_dir(), "libjs-lunr": LUNR.is_file()}


def fail(text):
    sys.exit(f"course docs: {text}")


# --- pages ---------------------------------------------------------------------------------------


def slug(text):
    return re.sub(r"\W+", "_", re.sub(r"[`*]", "", text.lower())).strip("_")


class Pages:
    """What of the repository is a page of the book, and what other files the pages link to."""

    def __init__(self):
        self.markdown = {}  # path -> page
        self.files = {}  # path -> page, of files that somebody links to
        self.complaints = []
        self.markdown[DOCS / "chapters" / "README.md"] = "index"
        for path in weave.chapters():
            self.markdown[path] = f"chapter_{path.name[:2]}"
        self.markdown[ROOT / "README.md"] = "repository"
        self.markdown[DOCS / "questions.md"] = "questions"
        self.markdown[DOCS / "CONTRIBUTING.md"] = "contributing"
        for step in weave.steps():
            self.markdown[ROOT / step / "README.md"] = f"readme_{step}"

    def address(self, target, page_of):
        """Where a link of the Markdown file `page_of` leads in the site."""
        file, _, anchor = target.partition("#")
        path = (page_of.parent / file).resolve() if file else page_of
        if path in self.markdown:
            name = self.markdown[path]
            return f"{name}.html" + (f"#{name}_{slug(anchor)}" if anchor else "")
        if path.is_dir():
            step = path.relative_to(ROOT).parts[0] if path != ROOT else ""
            return f"readme_{step}.html" if step in weave.steps() else "repository.html"
        if not path.is_file():
            self.complaints.append(f"{page_of.relative_to(ROOT)}: the link leads nowhere: {target}")
            return "index.html"
        relative = path.relative_to(ROOT)
        self.files[path] = f"file_{slug(str(relative))}"
        return f"{self.files[path]}.html"


def raw(text):
    """HTML that Doxygen leaves alone."""
    return f"\n\\htmlonly[block]\n{text}\n\\endhtmlonly\n"


def drawing(path, caption):
    """A figure as part of the page, so that its lines take the colour of the page's text."""
    svg = path.read_text().replace(figure.STYLE, "")
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S)
    # Names within a drawing are its own, also when it shares a page with others.
    own = path.stem + "_"
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{own}\1"', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\1{own}", svg)
    width = re.search(r'<svg[^>]*\bwidth="([\d.]+)pt"', svg)
    wide = " wide" if width and float(width[1]) > 420 else ""
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(caption, quote=True)}"', 1)
    return raw(f'<figure class="drawing{wide}">{svg.strip()}</figure>')


def coloured_diff(lines, addresses):
    """A block of a diff. `addresses`: a file's name to its place on the page with both sides."""
    result = []
    for line in lines:
        place = re.fullmatch(r"(@@ .* @@) (\S+)", line)
        if place:
            name = html.escape(place[2])
            if place[2] in addresses:
                name = f'<a href="{addresses[place[2]]}">{name}</a>'
            result.append(f'<span class="place">{html.escape(place[1])} {name}</span>')
            continue
        kind = {"+": ' class="new"', "-": ' class="old"'}.get(line[:1], "")
        result.append(f"<span{kind}>{html.escape(line) or ' '}</span>")
    return raw('<pre class="diff">' + "".join(result) + "</pre>")


def terminal(lines):
    result = []
    for line in lines:
        kind = ' class="command"' if line.startswith(("$ ", "> ")) else ""
        result.append(f"<span{kind}>{html.escape(line) or ' '}</span>")
    return raw('<pre class="terminal">' + "".join(result) + "</pre>")


def on_one_line(text):
    """The text with each link, and each piece of code in it, on one line."""
    pieces = re.split(r"(^ *```.*?^ *```$)", text, flags=re.S | re.M)
    for number in range(0, len(pieces), 2):
        piece = re.sub(r"(?<!`)`(?:(?!\n\s*\n)[^`])+`(?!`)", lambda code: re.sub(r"\n *", " ", code[0]), pieces[number])
        piece = re.sub(r"\[[^\[\]]*\]\([^()\s]*\)", lambda link: re.sub(r"\n *", " ", link[0]), piece)
        pieces[number] = piece
    return "".join(pieces)


class Converter:
    """Makes of a Markdown file, as a code host shows it, one that Doxygen understands."""

    def __init__(self, pages, path):
        self.pages, self.path, self.page = pages, path, pages.markdown[path]
        self.headings = set()
        self.addresses = {}
        if self.page.startswith("chapter_"):
            step = weave.step_of(path)[0]
            self.addresses = {file: f"diff_{step}.html#{slug(file)}" for file in changed_files(step)}

    def convert(self):
        result = []
        lines = on_one_line(self.path.read_text()).split("\n")
        number = 0
        while number < len(lines):
            line = lines[number]
            number += 1
            fence = re.match(r"^( *)(`{3,})(\w*)", line)
            if fence:
                end = next((n for n in range(number, len(lines)) if lines[n].startswith(fence[1] + fence[2])),
                           len(lines))
                result += self.block(fence[1], fence[3], lines[number:end])
                number = end + 1
                continue
            if weave.DIRECTIVE.match(line) and weave.END not in lines[number:]:
                self.pages.complaints.append(f"{self.path.relative_to(ROOT)}:{number}: not woven: ./course weave")
                continue
            if line.startswith("<!-- nav"):
                end = lines.index(weave.END, number)
                links = self.prose(" ".join(lines[number:end]).replace(" · ", "</span> <span>"))
                result.append(raw(f'<nav class="chapters"><span>{links.strip()}</span></nav>'))
                number = end + 1
                continue
            if line.startswith("<!-- contents"):
                end = lines.index(weave.END, number)
                result += [f"- {self.prose(f'[{weave.title(path)}]({path.name})')}" for path in weave.chapters()]
                number = end + 1
                continue
            if line.startswith("<!--"):
                continue
            image = re.fullmatch(r"!\[(.*?)\]\((\S+\.svg)\)", line.strip())
            if image:
                result.append(drawing((self.path.parent / image[2]).resolve(), image[1]))
                continue
            heading = re.match(r"(#+) +(.*)", line)
            if heading:
                result.append(self.heading(*heading.groups()))
                continue
            result.append(self.prose(line))
        return "\n".join(result)

    def heading(self, level, text):
        if level == "#" and not self.headings:
            self.headings.add("")
            name = {"index": "mainpage"}.get(self.page, self.page)
            shown = re.sub(r"`", "", text)
            shown = re.sub(r"^(\d+)\. ", "\\1 · ", shown)  # "4." would begin a list.
            if self.page == "repository":
                shown = "The repository: README"
            if self.page == "index":
                return f"\\mainpage {shown}\n"
            toc = "\n\n[TOC]\n" if self.page.startswith("chapter_") else ""
            return f"# {shown} {{#{name}}}{toc}"
        name = f"{self.page}_{slug(text)}"
        count = 1
        while name in self.headings:
            count += 1
            name = f"{self.page}_{slug(text)}_{count - 1}"
        self.headings.add(name)
        if self.page == "index":  # Doxygen's main page has no heading of its own above these.
            level = level[1:]
        return f"{level} {self.prose(text)} {{#{name}}}"

    def block(self, indent, language, lines):
        lines = [line[len(indent):] for line in lines]
        if language == "diff":
            return [coloured_diff(lines, self.addresses)]
        if language in ("console", "text", "") and not indent:
            return [terminal(lines)]
        kind = {"cpp": "cpp", "c": "c", "python": "py", "sh": "unparsed", "cmake": "unparsed",
                "console": "unparsed", "text": "unparsed", "": "unparsed"}.get(language, "unparsed")
        return [f"{indent}\\code{{.{kind}}}", *[indent + line for line in lines], f"{indent}\\endcode"]

    def prose(self, text):
        """A line of text: links lead to pages, and Doxygen finds no commands in it."""
        pieces = re.split(r"(`+[^`]*`+)", text)
        for number in range(0, len(pieces), 2):
            piece = re.sub(r"(?<!\\)([@%#\\](?=\w|\\))", r"\\\1", pieces[number])
            pieces[number] = piece
        text = "".join(pieces)
        return re.sub(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)\s]+)\)", self.link, text)

    def link(self, match):
        text, target = match.groups()
        target = target.replace("\\", "")
        address = target if weave.EXTERNAL.match(target) else self.pages.address(target, self.path)
        text = re.sub(r"`([^`]*)`", lambda code: f"<code>{html.escape(code[1])}</code>", text)
        return f'<a href="{address}">{text}</a>'


# --- both sides of a diff ------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def changed_files(step):
    """The files that ./course diff shows for a step, those of the program first."""
    names = weave.steps()
    before = names[names.index(step) - 1] if names.index(step) else None

    def files(folder):
        return {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*")
                if path.is_file() and path.name != "README.md"
                and path.relative_to(ROOT / folder).parts[0] not in ("aside", "build")}

    here, there = files(step), files(before) if before else set()
    changed = [file for file in here | there if file not in here or file not in there
               or (ROOT / step / file).read_bytes() != (ROOT / before / file).read_bytes()]
    order = {"apps": 1, "src": 0, "tests": 2, "bench": 3}
    return sorted(changed, key=lambda file: (order.get(file.split("/")[0], 4), file.rsplit(".", 1)[0],
                                             file.endswith(".cc")))


def words_marked(old, new):
    """Both lines as HTML, with what differs between them marked, if they are alike at all."""
    split = re.compile(r"\w+|\s+|.")
    old_words, new_words = split.findall(old), split.findall(new)
    matcher = difflib.SequenceMatcher(None, old_words, new_words, autojunk=False)
    if matcher.ratio() < 0.5:
        return html.escape(old) or "&#160;", html.escape(new) or "&#160;"
    sides = ["", ""]
    for kind, a, b, c, d in matcher.get_opcodes():
        for side, words in enumerate(("".join(old_words[a:b]), "".join(new_words[c:d]))):
            text = html.escape(words)
            sides[side] += f"<b>{text}</b>" if kind != "equal" and words else text
    return tuple(sides)


def rows(lines):
    """Rows of a table: (class, old number, old HTML, new number, new HTML)."""
    result = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if not line.changed:
            text = html.escape(line.text) or "&#160;"
            result.append(("same", line.old, text, line.new, text))
            number += 1
            continue
        old, new = [], []
        while number < len(lines) and lines[number].changed:
            (old if lines[number].tag == "-" else new).append(lines[number])
            number += 1
        for at in range(max(len(old), len(new))):
            left = old[at] if at < len(old) else None
            right = new[at] if at < len(new) else None
            if left and right:
                texts = words_marked(left.text, right.text)
            else:
                texts = tuple((html.escape(side.text) or "&#160;") if side else "" for side in (left, right))
            result.append(("changed", left.old if left else "", texts[0], right.new if right else "", texts[1]))
    return result


def beside(lines):
    all_rows = rows(lines)
    near = set()
    for at, row in enumerate(all_rows):
        if row[0] == "changed":
            near.update(range(at - AROUND, at + AROUND + 1))
    kind = " added" if all(line.tag == "+" for line in lines) else ""
    result = [f'<table class="beside{kind}">']
    last = -1
    for at, (kind, old_number, old, new_number, new) in enumerate(all_rows):
        if at not in near:
            continue
        if at > last + 1:
            result.append('<tr class="gap"><td colspan="4">⋯</td></tr>')
        last = at
        sides = (" old" if old_number else "", " new" if new_number else "") if kind == "changed" else ("", "")
        result.append(f'<tr class="{kind}"><td class="number">{old_number}</td><td class="text{sides[0]}">{old}</td>'
                      f'<td class="number">{new_number}</td><td class="text{sides[1]}">{new}</td></tr>')
    if last + 1 < len(all_rows):
        result.append('<tr class="gap"><td colspan="4">⋯</td></tr>')
    return "\n".join([*result, "</table>"])


def diff_page(step):
    names = weave.steps()
    before = names[names.index(step) - 1] if names.index(step) else None
    title = f"{before} → {step}" if before else f"{step}, where all begins"
    result = [f"# {title} {{#diff_{step}}}", ""]
    number = names.index(step) + 1
    chapters = [path for path in weave.chapters() if weave.step_of(path)[0] == step]
    links = [f'<a href="chapter_{path.name[:2]}.html">{html.escape(weave.title(path))}</a>'
             for path in chapters]
    if links:
        result += [raw("<p>The chapter that explains it: " + ", ".join(links) + ".</p>"), ""]
    files = changed_files(step)
    listing = []
    for file in files:
        lines = weave.whole_diff(ROOT / before / file if before else None, ROOT / step / file)
        added, gone = (sum(line.tag == tag for line in lines) for tag in "+-")
        kind = " (new)" if not gone and not any(line.tag == " " for line in lines) else ""
        listing.append(f'<li><a href="#{slug(file)}"><code>{file}</code></a>{kind}: +{added} -{gone}</li>')
        result.append(raw(f'<h2 id="{slug(file)}">{file}</h2>\n{beside(lines)}'))
    result.insert(2, raw(f"<p>The same in a terminal: <code>./course diff {step if step == 'final' else number}"
                         "</code></p><ul>" + "".join(listing) + "</ul>"))
    return "\n".join(result)


def file_page(path, page):
    """The text of a file that is not a page of its own."""
    name = path.relative_to(ROOT)
    text = path.read_text()
    if path.suffix == ".svg":
        return f"# {name} {{#{page}}}\n" + drawing(path, str(name))
    if path.suffix in (".h", ".cc"):
        return f"# {name} {{#{page}}}\n\n```{{.cpp}}\n{text.rstrip()}\n```\n"
    return f"# {name} {{#{page}}}\n" + terminal(text.rstrip().split("\n"))


# --- Doxygen -------------------------------------------------------------------------------------


def header(output, root):
    """Doxygen's own page header, with what the site adds to it."""
    scratch = output / "header"
    scratch.mkdir(parents=True, exist_ok=True)
    subprocess.run(["doxygen", "-w", "html", "header.html", "footer.html", "style.css"],
                   cwd=scratch, check=True, capture_output=True)
    text = (scratch / "header.html").read_text()
    scripts = [f'<script type="text/javascript">var COURSE_ROOT = "{root}";</script>']
    for name in ("doxygen-awesome-darkmode-toggle.js", "doxygen-awesome-interactive-toc.js",
                 "doxygen-awesome-paragraph-link.js", "lunr.min.js", "search_index.js", "search.js"):
        scripts.append(f'<script type="text/javascript" src="{root}{name}"></script>')
    scripts.append('<script type="text/javascript">DoxygenAwesomeDarkModeToggle.init();'
                   "DoxygenAwesomeInteractiveToc.init();DoxygenAwesomeParagraphLink.init();</script>")
    text = text.replace("</head>", "\n".join(scripts) + "\n</head>")
    home = f'<a href="{root}index.html">$projectname</a>'
    text = text.replace('<div id="projectname">$projectname', f'<div id="projectname">{home}')
    search = ('<div id="course-search"><input type="search" placeholder="Search the book and the code"'
              ' aria-label="Search" autocomplete="off"/><span id="course-switch"><span id="MSearchBox"></span></span><ol></ol></div>')
    # (doxygen-awesome puts its switch for light and dark beside what has the name MSearchBox.)
    text = text.replace("<!--END TITLEAREA-->", search + "\n<!--END TITLEAREA-->")
    target = output / f"header_{hashlib.sha256(root.encode()).hexdigest()[:8]}.html"
    target.write_text(text)
    return target


def doxygen(output, name, settings):
    """Runs Doxygen with docs/Doxyfile.in and `settings`; what it complains of."""
    styles = [AWESOME / "doxygen-awesome.css", AWESOME / "doxygen-awesome-sidebar-only.css",
              AWESOME / "doxygen-awesome-sidebar-only-darkmode-toggle.css", DOCS / "theme" / "course.css"]
    settings = {"OUTPUT_DIRECTORY": output / name, "HTML_EXTRA_STYLESHEET": " ".join(map(str, styles)),
                **settings}
    lines = [(DOCS / "Doxyfile.in").read_text()]
    lines += [f'{key} = {value}' for key, value in settings.items()]
    configuration = output / f"{name}.doxyfile"
    configuration.write_text("\n".join(lines) + "\n")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    result = subprocess.run(["doxygen", str(configuration)], cwd=ROOT, env=environment,
                            capture_output=True, text=True, check=False)
    if result.returncode:
        fail(f"doxygen failed for {name}:\n{result.stderr}")
    return [line for line in result.stderr.splitlines()
            if line.strip() and "Internal inconsistency: scope for class std::" not in line]


def reference(output, step):
    """The reference of a step's library, in html/STEP. Its complaints."""
    source = output / f"{step}.dox"
    source.write_text("/// \\mainpage " + f"{step}: reference\n"
                      f"/// What `{step}/src` offers. The book tells how it came about: \n"
                      f"/// \\htmlonly <a href=\"../readme_{step}.html\">{step}</a>, "
                      f"<a href=\"../diff_{step}.html\">side by side with the step before</a>. \\endhtmlonly\n"
                      "/// \\namespace reactor\n"
                      "/// The library, and what stands on it.\n")
    settings = {
        "PROJECT_NAME": '"Reactor in Ten Steps"', "PROJECT_NUMBER": step,
        "INPUT": f"{ROOT / step / 'src'} {source}", "RECURSIVE": "YES", "FILE_PATTERNS": "*.h *.dox",
        "STRIP_FROM_PATH": ROOT / step / "src", "STRIP_FROM_INC_PATH": ROOT / step / "src"}
    complaints = doxygen(output, step, {**settings, "WARN_IF_UNDOCUMENTED": "YES", "GENERATE_HTML": "NO",
                                        "GENERATE_XML": "YES", "HAVE_DOT": "NO"})
    # Graphs show what a class is made of only if its private members may be looked at.
    return complaints + doxygen(output, step, {
        **settings, "EXTRACT_PRIVATE": "YES", "HIDE_UNDOC_MEMBERS": "YES",
        "HTML_HEADER": header(output, "../"), "GENERATE_TAGFILE": output / f"{step}.tag"})


def book(output, pages):
    """The book's pages, in html. Its complaints."""
    source = output / "pages"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    order = []

    def page(name, text):
        order.append(source / f"{len(order):03}_{name}.md")
        order[-1].write_text(text + "\n")

    def group(name, title, names):
        page(name, f"# {title} {{#{name}}}\n\n" + "\n".join(f"- \\subpage {member}" for member in names))

    for path, name in pages.markdown.items():
        text = Converter(pages, path).convert()
        page(name, text + contents_of_site() if name == "index" else text)
    for step in weave.steps():
        page(f"diff_{step}", diff_page(step))
    for path, name in sorted(pages.files.items()):
        page(name, file_page(path, name))
    group("steps", "Steps in short", [f"readme_{step}" for step in weave.steps()])
    group("diffs", "Side by side", [f"diff_{step}" for step in weave.steps()])
    group("files", "Files that the book names", sorted(pages.files.values()))
    return pages.complaints + doxygen(output, "book", {
        "PROJECT_NAME": '"Reactor in Ten Steps"',
        "INPUT": " ".join(str(path) for path in order), "STRIP_FROM_PATH": source,
        "USE_MDFILE_AS_MAINPAGE": order[0], "HTML_HEADER": header(output, ""), "SOURCE_BROWSER": "NO",
        "AUTOLINK_SUPPORT": "NO", "ALPHABETICAL_INDEX": "NO", "SHOW_FILES": "NO", "SHOW_NAMESPACES": "NO"})


def has_library(step):
    return (ROOT / step / "src").is_dir()


def contents_of_site():
    """What the front page says of the rest of the site."""
    result = ["", "# Step by step {#index_step_by_step}", "", "| step | | | |", "|---|---|---|---|"]
    for step in weave.steps():
        interface = f'<a href="{step}/index.html">reference</a>' if has_library(step) else "(no library yet)"
        result.append(f'| {step} | <a href="readme_{step}.html">in short</a> '
                      f'| <a href="diff_{step}.html">side by side</a> | {interface} |')
    return "\n".join(result) + "\n"


# --- after Doxygen ---------------------------------------------------------------------------------


def symbols(tag):
    """Where the reference of final describes what: {"Connection::send": address}."""
    result = {}
    for compound in xml.etree.ElementTree.parse(tag).getroot():
        if compound.get("kind") not in ("class", "struct", "namespace"):
            continue
        name = compound.findtext("name").removeprefix("reactor::")
        address = compound.findtext("filename")
        address += "" if address.endswith(".html") else ".html"
        if compound.get("kind") != "namespace":
            result[name] = address
        for member in compound.iter("member"):
            if member.findtext("anchorfile") is None:
                continue
            full = member.findtext("name")
            if compound.get("kind") != "namespace":
                full = f"{name}::{full}"
            result.setdefault(full, f"{member.findtext('anchorfile')}#{member.findtext('anchor')}")
    return result


def link_names(page, known):
    """Makes links of names of the library that stand as code in a page of the book."""
    text = page.read_text()

    def linked(match):
        name = re.sub(r"\(.*\)$", "", html.unescape(match[1]))
        address = known.get(name)
        return f'<a class="code" href="final/{address}"><code>{match[1]}</code></a>' if address else match[0]

    pieces = re.split(r"(<a\b.*?</a>|<pre\b.*?</pre>)", text, flags=re.S)
    pieces[::2] = [re.sub(r"<code>([^<]*)</code>", linked, piece) for piece in pieces[::2]]
    page.write_text("".join(pieces))


class Sections(html.parser.HTMLParser):
    """Cuts a page into what stands under its headings: [anchor, title, text]."""

    HEADINGS = {"h1", "h2", "h3", "h4"}

    def __init__(self):
        super().__init__()
        self.found = []
        self.inside = 0  # Depth of <div class="contents">, where the page's own text is.
        self.title = ""
        self.taking = None
        self.skip = 0
        self.anchor = ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "title":
            self.taking = "title"
        if tag in ("script", "style", "svg"):
            self.skip += 1
        classes = (attributes.get("class") or "").split()
        if tag == "div":
            if self.inside:
                self.inside += 1
            elif "contents" in classes:
                self.inside = 1
                self.found.append(["", "", ""])
            if "toc" in classes:
                self.skip_from = self.inside
        if not self.inside:
            return
        if tag == "a" and (attributes.get("id") or attributes.get("name")):
            self.anchor = attributes.get("id") or attributes.get("name")
        if tag in self.HEADINGS:
            self.found.append([attributes.get("id") or self.anchor, "", ""])
            self.taking = "heading"

    def handle_endtag(self, tag):
        if tag in ("script", "style", "svg"):
            self.skip -= 1
        if tag == "div" and self.inside:
            self.inside -= 1
        if tag == "title" or tag in self.HEADINGS:
            self.taking = None

    def handle_data(self, data):
        if self.taking == "title":
            self.title += data
        elif self.inside and not self.skip and self.found:
            self.found[-1][1 if self.taking == "heading" else 2] += data


def sections(page):
    parser = Sections()
    parser.feed(page.read_text())
    title = parser.title.split(": ", 1)[-1].strip()
    return [(anchor, (heading.strip().replace("\u25c6\xa0", "").replace("◆ ", "").strip() or title), title, text)
            for anchor, heading, text in parser.found]


def words(text):
    return " ".join(sorted(set(re.findall(r"~?[A-Za-z_]\w+", text))))


def search_index(site):
    """What is found: sections of the book, files of diffs, classes and functions of the references."""
    entries = []

    def add(title, where, url, text, boost, prose=True):
        text = re.sub(r"\s+", " ", text).strip()
        entries.append({"title": title, "where": where, "url": url, "boost": boost,
                        "words": words(title + " " + text), "excerpt": text[:110] if prose else ""})

    for page in sorted(site.glob("*.html")):
        if re.match(r"(pages|md_|dir_|graph_legend)", page.name):
            continue
        is_diff = page.name.startswith(("diff_", "file_"))
        boost = 3 if page.name.startswith(("chapter_", "index")) else 0.5 if is_diff else 1
        for anchor, heading, title, text in sections(page):
            where = title if heading != title else "the book"
            add(heading, where, page.name + (f"#{anchor}" if anchor else ""), text, boost, not is_diff)
    for step in [step for step in weave.steps() if has_library(step)]:
        known = symbols(site.parent / f"{step}.tag")
        for name, address in sorted(known.items()):
            boost = 4 if step == "final" else 0.7
            page = site / step / address.split("#")[0]
            add(name, f"reference of {step}", f"{step}/{address}", brief(page, address), boost)
    (site / "search_index.js").write_text("var COURSE_PAGES = " + json.dumps(entries, separators=(",", ":")) + ";\n")
    return len(entries)


@functools.lru_cache(maxsize=None)
def member_texts(page):
    """What a reference's page says of each member, by anchor; "" is the class itself."""
    text = page.read_text()
    found = re.findall(r'<tr class="memdesc:(a\w+)[^"]*">.*?<td class="mdescRight">(.*?)</td>', text, re.S)
    of_class = re.search(r'<div class="contents">.*?<p>(.*?)</p>', text, re.S)
    result = dict(found) | {"": of_class[1] if of_class else ""}
    return {anchor: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html.unescape(words))).replace(" More...", "").strip()
            for anchor, words in result.items()}


def brief(page, address):
    return member_texts(page).get(address.partition("#")[2], "")


def serve(site, port):
    """Serves the site to this machine's browser until somebody presses Ctrl-C."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(site)))
    except (OSError, OverflowError) as error:
        fail(f"cannot serve on port {port}: {error}; name another: ./course docs --serve PORT")
    print(f"\nIn your browser: http://127.0.0.1:{server.server_address[1]}/ (Ctrl-C ends it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def main():
    parser = argparse.ArgumentParser(prog="./course docs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default=str(ROOT / "build" / "docs"))
    parser.add_argument("--serve", type=int, metavar="PORT")
    options = parser.parse_args()
    output = pathlib.Path(options.output).resolve()
    lacking = [name for name, there in NEEDED.items() if not there]
    if lacking:
        fail(f"missing: {' '.join(lacking)} (Debian's names)")
    output.mkdir(parents=True, exist_ok=True)
    site = output / "html"
    shutil.rmtree(site, ignore_errors=True)

    complaints = book(output, Pages())
    shutil.move(output / "book" / "html", site)
    for step in [step for step in weave.steps() if has_library(step)]:
        complaints += reference(output, step)
        shutil.move(output / step / "html", site / step)
    for name in ("doxygen-awesome-darkmode-toggle.js", "doxygen-awesome-interactive-toc.js",
                 "doxygen-awesome-paragraph-link.js"):
        shutil.copy(AWESOME / name, site)
    shutil.copy(LUNR, site)
    shutil.copy(DOCS / "theme" / "search.js", site)
    known = symbols(output / "final.tag")
    for page in site.glob("*.html"):
        link_names(page, known)
    count = search_index(site)
    if complaints:
        fail("not as it should be:\n" + "\n".join(sorted(set(complaints))))
    pages = sum(1 for _ in site.rglob("*.html"))
    print(f"{pages} pages, {count} places to find: {site / 'index.html'}")
    if options.serve is not None:
        serve(site, options.serve)


if __name__ == "__main__":
    main()
