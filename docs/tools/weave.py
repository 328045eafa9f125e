"""Puts into the chapters of the book what must not be copied by hand: diffs, code, recorded output.

usage: python3 docs/tools/weave.py [--check] [--no-run] [CHAPTER...]

docs/chapters/04_*.md is the chapter of step 04; those from 11 on share the step to final. In a
chapter a comment names what is to stand below it, down to <!-- end -->, which is added:

  <!-- diff FILE -->                    what the step changed in FILE (seen from the step's folder)
  <!-- diff FILE @2 -->                 of that, the second hunk; @2-4: the second to the fourth
  <!-- diff FILE main, Client::send --> what changed in these functions, classes, constants, and the
                                        comments above them; `top` is all that stands before the first
  <!-- diff FILE "from" .. "to" -->     what changed from the first line with "from" to the next with "to"
  <!-- code FILE ... -->                the same words for lines of FILE (seen from the step's folder or
                                        the repository's) as they are; tests are named Suite.Name
  <!-- run -->                          the block below it holds lines `$ COMMAND`, which one bash runs in
                                        the repository's folder; what they print is put below each.
                                        Ports 9870 to 9879 become free ones while they run.
  <!-- run mask="REGEX" mask=... -->    what matches may differ from run to run: it stays as recorded
  <!-- data FILE -->                    FILE of docs/data, or of it, with "from" .. "to", some lines
  <!-- nav -->, <!-- contents -->       links to the chapters beside this one, and to all

Every changed line of the step's src and apps must stand in its chapter exactly once. For final: of
files that step 10 has, every line; of each new file something. Links, paths, functions and tests that
the text names must exist.

  --check    changes nothing: exits with 1 if something is stale, missing, or not there
  --no-run   leaves recorded output alone

Needs git, and for what is run bash and the built programs.
"""

import argparse
import concurrent.futures
import difflib
import functools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import figure

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHAPTERS = ROOT / "docs" / "chapters"
CONTEXT = 3
SHOWN_WHOLE = 24  # Lines of a function that is shown whole though little of it changed.
SCENE_SECONDS = 40

DIRECTIVE = re.compile(r"^<!-- (diff|code|run|data|nav|contents)\b *(.*?) *-->$")
END = "<!-- end -->"
FENCE = re.compile(r"^(`{3,})")


class Mistake(Exception):
    """Of whoever wrote the chapter: said with the line of the directive."""


# --- steps and their files ---------------------------------------------------------------------


def steps():
    return sorted(path.name for path in ROOT.glob("step[0-9][0-9]_*")) + ["final"]


def step_of(chapter):
    """The folder that a chapter is about, and the one before it (None: it is the first)."""
    number = int(chapter.name[:2])
    names = steps()
    index = min(number, len(names)) - 1
    return names[index], names[index - 1] if index else None


def chapters():
    return sorted(CHAPTERS.glob("[0-9][0-9]_*.md"))


def title(chapter):
    return chapter.read_text().split("\n", 1)[0].lstrip("# ").strip()


def sources(step):
    """The files that chapters must show: those of src and apps, seen from the step's folder."""
    return {str(path.relative_to(ROOT / step))
            for folder in ("src", "apps") if (ROOT / step / folder).is_dir()
            for path in (ROOT / step / folder).rglob("*") if path.is_file()}


class Line:
    """A line of a file's whole diff: '+', '-' or ' ', its text, its numbers in the old and new file."""

    def __init__(self, tag, text, old, new):
        self.tag, self.text, self.old, self.new = tag, text, old, new

    @property
    def changed(self):
        return self.tag != " "


@functools.lru_cache(maxsize=None)
def whole_diff(old, new):
    """All lines of the path `new` with those that `old` had instead; either may not exist."""
    def read(path):
        return path.read_text().splitlines() if path and path.is_file() else []

    if not (old and old.is_file()):
        return [Line("+", text, 0, n) for n, text in enumerate(read(new), 1)]
    if not (new and new.is_file()):
        return [Line("-", text, n, 0) for n, text in enumerate(read(old), 1)]
    diff = subprocess.run(["git", "diff", "--no-index", "--no-color", "--no-ext-diff", "-U1000000",
                           str(old), str(new)], capture_output=True, text=True, check=False)
    if diff.returncode > 1:
        sys.exit(f"weave.py: git diff failed: {diff.stderr.strip()}")
    lines = diff.stdout.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith("@@")), None)
    if start is None:
        return [Line(" ", text, n, n) for n, text in enumerate(read(new), 1)]
    result, old_number, new_number = [], 0, 0
    for line in lines[start + 1:]:
        tag, text = line[:1], line[1:]
        if tag == "\\":
            continue
        old_number += tag != "+"
        new_number += tag != "-"
        result.append(Line(tag, text, old_number, new_number))
    return result


# --- the parts of a file -----------------------------------------------------------------------


def bare(line):
    """A line without its strings, characters and comments, for counting brackets."""
    line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', '""', line)
    return re.sub(r"//.*", "", line).rstrip()


def name_of(text):
    """What the definition that begins with `text` defines."""
    test = re.match(r"(?:TYPED_)?TEST(?:_F|_P)?\((\w+), *(\w+)\)", text)
    if test:
        return f"{test[1]}.{test[2]}"
    text = re.sub(r"^(template *<[^>]*> *|\[\[\w+\]\] *)+", "", text)
    operator = re.match(r"[^{;=(]*?((?:\w+::)*operator *[^\w\s(]+)\(", text)
    if operator:
        return operator[1]
    kind = re.match(r"(?:enum class|enum|class|struct|union|using) +(\w+)", text)
    if kind and "(" not in text.split("{")[0]:
        return kind[1]
    head = re.split(r"\(|=|\{|;|\[", text, maxsplit=1)[0].rstrip()
    called = re.search(r"((?:\w+::)*~?\w+)$", head)
    return called[1] if called else None


@functools.lru_cache(maxsize=None)
def parts(lines):
    """The parts of a file, from its lines: {name: (first, last)}, line numbers from 1.

    `top` goes from the first line to the first definition; from there on, each line belongs to the
    definition above or below it: a comment, to what follows it.
    """
    starts = []  # (line number, name)
    depth, inside, text, comment = 0, None, "", None
    for number, line in enumerate(lines, 1):
        code = bare(line)
        if inside is None:
            if line.startswith("//"):
                comment = comment or number
                continue
            skip = (not code or line[0] in " }#" or code.startswith("namespace")
                    or re.match(r"(using namespace|public:|private:|static_assert)", code))
            if skip:
                comment = None
                continue
            inside, text = comment or number, ""
            comment = None
        text += " " + code.strip()
        depth += sum(code.count(c) for c in "({[") - sum(code.count(c) for c in ")}]")
        if depth <= 0 and code.endswith((";", "}", ")")):
            if code.endswith(")") and not text.strip().isupper() and "TEST" not in text:
                continue
            starts.append((inside, name_of(text.strip())))
            inside, depth = None, 0
    result = {}
    first = starts[0][0] if starts else len(lines) + 1
    if first > 1:
        result["top"] = (1, first - 1)
    ends = [start - 1 for start, _ in starts[1:]] + [len(lines)]
    for (start, name), end in zip(starts, ends):
        key, count = name, 2
        while key in result:
            key, count = f"{name}#{count}", count + 1
        result[key] = (start, end)
    return result


def split_selector(selector):
    """What of a file is meant: ("all",), ("hunks", 2, 4), ("lines", from, to) or ("parts", names)."""
    if not selector:
        return ("all",)
    hunks = re.fullmatch(r"@(\d+)(?:-(\d+))?", selector)
    if hunks:
        return ("hunks", int(hunks[1]), int(hunks[2] or hunks[1]))
    lines = re.fullmatch(r'"(.+?)"(?: *\.\. *"(.+)")?', selector)
    if lines:
        return ("lines", lines[1], lines[2])
    return ("parts", [name.strip() for name in selector.split(",")])


def chosen(lines, selector, file):
    """Indices of `lines` (of a whole diff) that the selector means."""
    kind, *what = split_selector(selector)
    if kind == "all":
        return set(range(len(lines)))
    if kind == "hunks":
        first, last = what
        all_hunks = hunks_of(lines)
        if not 1 <= first <= last <= len(all_hunks):
            raise Mistake(f"{file} has {len(all_hunks)} hunks")
        return {index for hunk in all_hunks[first - 1:last] for index in hunk}
    if kind == "lines":
        begin, end = what
        first = (next((n for n, line in enumerate(lines) if line.changed and begin in line.text), None)
                 if any(line.changed for line in lines) else None)
        if first is None:
            first = next((n for n, line in enumerate(lines) if begin in line.text), None)
        if first is None:
            raise Mistake(f'{file}: no line has "{begin}"')
        last = first if end is None else next(
            (n for n in range(first, len(lines)) if end in lines[n].text), None)
        if last is None:
            raise Mistake(f'{file}: no line after "{begin}" has "{end}"')
        return set(range(first, last + 1))
    new = parts(tuple(line.text for line in lines if line.tag != "-"))
    old = parts(tuple(line.text for line in lines if line.tag != "+"))
    result = set()
    for name in what[0]:
        if name not in new and name not in old:
            raise Mistake(f"{file} has no '{name}'; it has: {', '.join(map(str, {**new, **old}))}")
        first, last = new.get(name, (0, -1))
        old_first, old_last = old.get(name, (0, -1))
        for index, line in enumerate(lines):
            in_new = line.tag != "-" and first <= line.new <= last
            in_old = line.tag == "-" and old_first <= line.old <= old_last
            # Of a part that is no more, and shares its lines with others: what was there.
            if in_new or in_old:
                result.add(index)
    return result


def hunks_of(lines, among=None):
    """Runs of indices: changed lines (of those `among`) with up to three unchanged ones around."""
    shown = set()
    for index, line in enumerate(lines):
        if not line.changed or (among is not None and index not in among):
            continue
        shown.add(index)
        for step in (-1, 1):
            at = index + step
            while 0 <= at < len(lines) and abs(at - index) <= CONTEXT and not lines[at].changed:
                shown.add(at)
                at += step
    runs = []
    for index in sorted(shown):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


# --- what a directive stands for ---------------------------------------------------------------


class Chapter:
    """One chapter while it is woven."""

    def __init__(self, path):
        self.path = path
        self.number = int(path.name[:2]) if path.name[:2].isdigit() else 0
        self.step, self.before = step_of(path) if self.number else (steps()[-1], None)
        self.shown = {}  # file -> {line index: line number of the directive}
        self.mentioned = set()  # Files of which something is shown.
        self.mistakes = []

    def complain(self, number, text):
        self.mistakes.append(f"{self.path.relative_to(ROOT)}:{number}: {text}")

    def diff_of(self, file):
        old = ROOT / self.before / file if self.before else None
        new = ROOT / self.step / file
        if not new.is_file() and not (old and old.is_file()):
            raise Mistake(f"there is no {file} in {self.step}")
        return whole_diff(old, new)

    def diff(self, arguments, at):
        file, _, selector = arguments.partition(" ")
        lines = self.diff_of(file)
        wanted = chosen(lines, selector.strip(), file)
        changed = [index for index in wanted if lines[index].changed]
        if not any(lines[index].text.strip() for index in changed):
            raise Mistake(f"nothing has changed in {arguments}")
        shown = self.shown.setdefault(file, {})
        for index in changed:
            if index in shown and lines[index].text.strip():
                raise Mistake(f"{file}: '{lines[index].text.strip()}' stands already at line {shown[index]}")
            shown[index] = at
        self.mentioned.add(file)
        runs = hunks_of(lines, set(changed))
        kind, *what = split_selector(selector.strip())
        if kind == "parts" and len(what[0]) == 1 and len(wanted) <= SHOWN_WHOLE:
            whole = sorted(index for index in wanted if lines[index].tag != "-" or index in changed)
            if whole == list(range(whole[0], whole[-1] + 1)):
                runs = [whole]
        return ["```diff", *self.hunks(file, lines, runs), "```"]

    @staticmethod
    def hunks(file, lines, runs):
        result = []
        for run in runs:
            while len(run) > 1 and not lines[run[-1]].text:
                run.pop()
            while len(run) > 1 and not lines[run[0]].text:
                run.pop(0)
            here = [lines[index] for index in run]
            ranges = []
            for tag, number in (("+", "old"), ("-", "new")):  # The tag that does not count there.
                count = sum(line.tag != tag for line in here)
                first = next((getattr(line, number) for line in here if line.tag != tag),
                             getattr(here[0], number))
                ranges.append(f"{first},{count}" if count != 1 else f"{first}")
            result.append(f"@@ -{ranges[0]} +{ranges[1]} @@ {file}")
            result += [(line.tag + line.text).rstrip() for line in here]
        return result

    def code(self, arguments, _at):
        file, _, selector = arguments.partition(" ")
        path = self.find(file)
        if path is None:
            raise Mistake(f"there is no {file}")
        lines = [Line(" ", text, n, n) for n, text in enumerate(path.read_text().splitlines(), 1)]
        if selector.strip().startswith("@"):
            raise Mistake("code has no hunks")
        wanted = sorted(chosen(lines, selector.strip(), file))
        if path.is_relative_to(ROOT / self.step):
            self.mentioned.add(str(path.relative_to(ROOT / self.step)))
        text = [lines[index].text if index - 1 in wanted or index == wanted[0] else None
                for index in wanted]
        result = []
        for index, line in zip(wanted, text):
            if line is None:
                result.append("// ...")
            result.append(lines[index].text)
        while result and not result[-1].strip():
            result.pop()
        if selector and result and result[-1].startswith("}  // namespace"):
            while result[-1].startswith("}  // namespace") or not result[-1].strip():
                result.pop()
        language = {".h": "cpp", ".cc": "cpp", ".py": "python", ".sh": "sh", ".txt": "cmake"}
        return ["```" + language.get(path.suffix, ""), *result, "```"]

    def find(self, file):
        """A file that the text names, seen from the step, the repository, or this chapter."""
        for folder in (ROOT / self.step, ROOT, self.path.parent):
            if (folder / file).exists():
                return (folder / file).resolve()
        return None

    def data(self, arguments, _at):
        file, _, selector = arguments.partition(" ")
        path = ROOT / "docs" / "data" / file
        if not path.is_file():
            raise Mistake(f"there is no docs/data/{file}")
        lines = [Line(" ", text, n, n) for n, text in enumerate(path.read_text().splitlines(), 1)]
        text = [lines[index].text.rstrip() for index in sorted(chosen(lines, selector.strip(), file))]
        return ["```text", *text, "```"]

    def contents(self, _arguments, _at):
        return [f"- [{title(path)}]({path.name})" for path in chapters()]

    def nav(self, _arguments, _at):
        all_chapters = chapters()
        here = all_chapters.index(self.path)
        links = []
        if here:
            links.append(f"Before: [{title(all_chapters[here - 1])}]({all_chapters[here - 1].name})")
        links.append("[All chapters](README.md)")
        if here + 1 < len(all_chapters):
            links.append(f"Next: [{title(all_chapters[here + 1])}]({all_chapters[here + 1].name})")
        return [" · ".join(links)]

    def run(self, arguments, block):
        masks = re.findall(r'mask="(.*?)"(?= |$)', arguments)
        if not any(line.startswith("$ ") for line in block):
            raise Mistake("the block below `run` has no line that begins with '$ '")
        return ["```console", *record(block, masks), "```"]

    # --- the whole text

    def woven(self, run):
        """The chapter's text with all that is woven in put anew."""
        lines = self.path.read_text().split("\n")
        result = []
        number = 0
        while number < len(lines):
            line = lines[number]
            result.append(line)
            number += 1
            directive = DIRECTIVE.match(line)
            if not directive:
                if line.startswith("<!--") and line != END and re.match(r"<!-- *(diff|code|run|data)", line):
                    self.complain(number, f"not understood: {line}")
                if FENCE.match(line):  # What stands in a block of the author's is not for us.
                    while number < len(lines):
                        result.append(lines[number])
                        number += 1
                        if lines[number - 1].startswith(FENCE.match(line)[1]):
                            break
                continue
            old, after = self.old_block(lines, number)
            kind, arguments = directive.groups()
            try:
                new = self.expand(kind, arguments, number, old, run)
            except Mistake as mistake:
                self.complain(number, mistake)
                new = old
            result += ["", *new, "", END]
            number = after
        return "\n".join(result)

    def expand(self, kind, arguments, at, old, run):
        if kind != "run":
            return getattr(self, kind)(arguments, at)
        block = [line for line in old if not FENCE.match(line)]
        return self.run(arguments, block) if run else old

    def old_block(self, lines, number):
        """What stands below a directive, whose next line is `number`, and the number after its end."""
        for end in range(number, len(lines)):
            if lines[end] == END:
                return self.trimmed(lines[number:end]), end + 1
            if DIRECTIVE.match(lines[end]):
                break
        # Not woven yet: `run` has its block below, the others have nothing.
        begin = number
        while begin < len(lines) and not lines[begin].strip():
            begin += 1
        if "run" in lines[number - 1][:9] and begin < len(lines) and FENCE.match(lines[begin]):
            end = next((n for n in range(begin + 1, len(lines)) if lines[n].startswith("```")), begin)
            return lines[begin:end + 1], end + 1
        return [], number

    @staticmethod
    def trimmed(lines):
        while lines and not lines[0].strip():
            lines = lines[1:]
        while lines and not lines[-1].strip():
            lines = lines[:-1]
        return lines


# --- recorded output ---------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def commands_in(block):
    """[(lines as they stand, command for bash, output lines)] of a console block."""
    result = []
    for line in block:
        if line.startswith("$ "):
            result.append(([line], line[2:], []))
        elif (line + " ").startswith("> ") and result and not result[-1][2]:
            shown, command, output = result[-1]
            result[-1] = (shown + [line], command + "\n" + line[2:], output)
        elif result:
            result[-1][2].append(line)
    return result


def record(block, masks):
    """Runs the commands of a console block; the block anew. What differs only in what matches a
    mask stays as it was recorded."""
    commands = commands_in(block)
    ports = {name: str(free_port()) for name in sorted(set(re.findall(r"\b987\d\b", "\n".join(block))))}

    def to_free(text):
        return re.sub(r"\b987\d\b", lambda match: ports[match[0]], text)

    def from_free(text):
        for name, port in ports.items():
            text = re.sub(rf"\b{port}\b", name, text)
        return text

    outputs = Session().run([to_free(command) for _, command, _ in commands])
    result = []
    for (shown, _, recorded), output in zip(commands, outputs):
        output = [line.rstrip() for line in from_free(output).replace("\r", "").splitlines()]
        if masked(output, masks) == masked([line.rstrip() for line in recorded], masks):
            output = recorded
        result += shown + output
    return result


def masked(lines, masks):
    text = "\n".join(lines)
    for mask in masks:
        text = re.sub(mask, "\0", text)
    return text


class Session:
    """One bash that runs commands one after the other, as a reader would type them."""

    def run(self, commands):
        """What each command printed, on standard output and error."""
        with tempfile.TemporaryDirectory() as scratch:
            environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": scratch, "TERM": "dumb"}
            bash = subprocess.Popen(
                ["bash", "--noprofile", "--norc"], cwd=ROOT, env=environment, text=True, bufsize=1,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True, errors="replace")
            self.seen, self.bash = "", bash
            os.set_blocking(bash.stdout.fileno(), False)
            self.deadline = time.monotonic() + SCENE_SECONDS
            try:
                return [self.command(command, number) for number, command in enumerate(commands)]
            finally:
                try:
                    os.killpg(bash.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                bash.wait()

    def command(self, command, number):
        marker = f"\x02{number}\x03"
        self.bash.stdin.write(f"{command}\nprintf '{marker}\\n'\n")
        self.bash.stdin.flush()
        self.wait_for(re.escape(marker) + "\n")
        output, _, self.seen = self.seen.partition(marker + "\n")
        if re.search(r"server\b.*& *(\w+=\$!)? *$", command):  # It says when it is there.
            self.seen = output + self.seen
            self.wait_for("listening on .*\n")
            output, self.seen = self.seen, ""
        return output

    def wait_for(self, pattern):
        while not re.search(pattern, self.seen):
            if time.monotonic() > self.deadline:
                raise Mistake(f"waited {SCENE_SECONDS} s for {pattern!r}; there is: {self.seen[-500:]!r}")
            try:
                piece = os.read(self.bash.stdout.fileno(), 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not piece:
                raise Mistake(f"bash has ended; it said: {self.seen[-500:]!r}")
            self.seen += piece


# --- what must hold ----------------------------------------------------------------------------


def uncovered(woven):
    """Complaints about changed lines that stand in no chapter. `woven`: chapters of one step."""
    step, before = woven[0].step, woven[0].before
    result = []
    new_files_suffice = step == "final"
    for file in sorted(sources(step) | (sources(before) if before else set())):
        lines = woven[0].diff_of(file)
        if not any(line.changed for line in lines):
            continue
        if new_files_suffice and not (ROOT / before / file).is_file():
            if not any(file in chapter.mentioned for chapter in woven):
                result.append(f"{step}/{file} is new, and no chapter shows anything of it")
            continue
        counts = {}
        for chapter in woven:
            for index in chapter.shown.get(file, {}):
                counts[index] = counts.get(index, 0) + 1
        missing = [index for index, line in enumerate(lines)
                   if line.changed and line.text.strip() and index not in counts]
        for index in missing[:4]:
            line = lines[index]
            where = f"{step}/{file}:{line.new}" if line.tag == "+" else f"{before}/{file}:{line.old}"
            result.append(f"{where}: no chapter shows '{line.tag}{line.text}'")
        if len(missing) > 4:
            result.append(f"{step}/{file}: and {len(missing) - 4} lines more")
        result += [f"{step}/{file}:{lines[index].new}: shown in {count} chapters"
                   for index, count in counts.items() if count > 1 and lines[index].text.strip()]
    return result


@functools.lru_cache(maxsize=None)
def words_of(step):
    """All identifiers in the sources, tests and build files of a step."""
    return set(re.findall(r"~?\b[A-Za-z_]\w*", "\n".join(
        path.read_text() for path in (ROOT / step).rglob("*")
        if path.suffix in (".h", ".cc", ".txt") and "build" not in path.relative_to(ROOT).parts)))


@functools.lru_cache(maxsize=None)
def tests_of(step):
    return {f"{suite}.{name}" for path in (ROOT / step).rglob("*_test.cc")
            for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.M)}


PATH = re.compile(r"[\w.-]*[\w/.-]*\.(?:h|cc|md|sh|py|svg|in|txt|cmake)")
EXTERNAL = re.compile(r"[a-z]+:")


def wrong_names(chapter, text, headings):
    """Complaints about links, paths, functions and tests that the text names and nobody has."""
    result = []
    prose = []
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        if fence:
            fence = None if line.startswith(fence) else fence
        elif FENCE.match(line):
            fence = FENCE.match(line)[1]
        elif not line.startswith("<!--"):
            prose.append((number, line))
    where = chapter.path.relative_to(ROOT)
    for number, line in prose:
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if EXTERNAL.match(target):
                continue
            file, _, anchor = target.partition("#")
            path = (chapter.path.parent / file) if file else chapter.path
            if not path.exists():
                result.append(f"{where}:{number}: the link leads nowhere: {target}")
            elif path.suffix == ".svg" and figure_is_old(path.resolve()):
                result.append(f"{where}:{number}: {path.name} is older than what it is made from: "
                              "python3 docs/tools/draw.py, or plot.py")
            elif anchor and path.suffix == ".md" and anchor not in headings(path.resolve()):
                result.append(f"{where}:{number}: no heading '{anchor}' in {path.name}")
        for quoted in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
            result += [f"{where}:{number}: {problem}" for problem in wrong_name(chapter, quoted)]
    return result


def figure_is_old(path):
    sources = [path.with_suffix(".dot"), ROOT / "docs" / "data" / f"{path.stem}.txt"]
    return any(source.is_file() and figure.is_old(path, source) for source in sources)


def wrong_name(chapter, quoted):
    """Why a word that stands in backquotes names nothing, if so."""
    if PATH.fullmatch(quoted) and not quoted.startswith(("/", "..")):
        folders = [ROOT, *(ROOT / name for name in steps()), ROOT / "docs", CHAPTERS]
        if not any((folder / quoted).exists() for folder in folders) and not any(
                path.name == quoted for folder in (chapter.step, "final", chapter.before or "final")
                for path in (ROOT / folder).rglob(quoted.rsplit("/", 1)[-1])):
            yield f"there is no file `{quoted}`"
        return
    test = re.fullmatch(r"([A-Z]\w+)\.([A-Z]\w+)", quoted)
    if test:
        if not any(quoted in tests_of(step) for step in steps()):
            yield f"there is no test `{quoted}`"
        return
    function = re.fullmatch(r"((?:\w+::)+)(~?\w+)(?:\(.*\))?", quoted)
    if function and not quoted.startswith(("std::", "chrono::", "asio::", "muduo::", "boost::")):
        known = words_of(chapter.step) | words_of("final") | words_of(chapter.before or chapter.step)
        for name in [*function[1].split("::")[:-1], function[2]]:
            if name not in known:
                yield f"there is no {name}: `{quoted}`"


@functools.lru_cache(maxsize=None)
def headings_of(path):
    """The anchors that a code host makes of a page's headings."""
    result = set()
    fence = False
    for line in path.read_text().split("\n"):
        if line.startswith("```"):
            fence = not fence
        heading = re.match(r"#+ +(.*)", line)
        if heading and not fence:
            text = re.sub(r"[^\w\- ]", "", heading[1].lower()).strip().replace(" ", "-")
            count = 0
            while (text if not count else f"{text}-{count}") in result:
                count += 1
            result.add(text if not count else f"{text}-{count}")
    return result


def weave(path, run):
    chapter = Chapter(path)
    try:
        return chapter, chapter.woven(run)
    except Mistake as mistake:
        chapter.complain(1, mistake)
        return chapter, path.read_text()


def replace(path, text):
    """Writes a file that others may be reading: they see all of the old or all of the new."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def find_chapter(name):
    found = [path for path in [*chapters(), CHAPTERS / "README.md"]
             if path.name == pathlib.Path(name).name or path.name.startswith(f"{int(name):02}_"
             if name.isdigit() else f"{name}_")]
    if not found:
        sys.exit(f"weave: there is no chapter '{name}'")
    return found[0]


def main():
    parser = argparse.ArgumentParser(prog="./course weave", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, exit with 1 if stale")
    parser.add_argument("--no-run", action="store_true", help="leave recorded output alone")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="4, 04, 04_channel.md; all")
    options = parser.parse_args()
    wanted = [find_chapter(name) for name in options.chapters] or [*chapters(), CHAPTERS / "README.md"]
    wanted_steps = {step_of(path)[0] for path in wanted if path.name[0].isdigit()}
    # The chapters of one step are looked at together: between them, they show all of it.
    others = [path for path in chapters()
              if path not in wanted and step_of(path)[0] in wanted_steps]

    complaints = []
    woven = []
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for chapter, text in pool.map(lambda path: weave(path, not options.no_run), wanted):
            woven.append(chapter)
            complaints += chapter.mistakes
            old = chapter.path.read_text()
            if text != old:
                name = chapter.path.relative_to(ROOT)
                if options.check:
                    difference = difflib.unified_diff(old.split("\n"), text.split("\n"), f"{name}: as it stands",
                                                      f"{name}: as it should be", lineterm="", n=2)
                    complaints.append("\n".join(difference))
                else:
                    replace(chapter.path, text)
                    print(f"woven: {name}")
            complaints += wrong_names(chapter, text, headings_of)
    woven += [weave(path, False)[0] for path in others]
    for step in sorted(wanted_steps):
        complaints += uncovered([chapter for chapter in woven if chapter.number and chapter.step == step])
    if complaints:
        print("\n".join(complaints), file=sys.stderr)
        sys.exit(1)
    print(f"{len(wanted)} chapters hold")


if __name__ == "__main__":
    main()
