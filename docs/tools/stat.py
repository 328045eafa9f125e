"""How readable the chain of steps is, for those who carry the course on."""

import argparse
import os
import pathlib
import re
import subprocess
import sys

RATIO_GOAL = 0.10
RATIO_LIMIT = 0.12
LINES_LIMIT = 450  # What one step may add.

ROOT = pathlib.Path(__file__).resolve().parents[2]


def steps():
    return sorted(path.name for path in ROOT.glob("step[0-9][0-9]_*")) + ["final"]


def without_comments(lines):
    return "".join("".join(re.sub(r"//.*", "", line).split()) for line in lines)


class Change:
    """What a reader of src and apps sees from step `old` (or nothing) to step `new`."""

    def __init__(self, old, new):
        self.added = self.removed = 0
        self.files = set()
        self.noise = []
        for folder in ("src", "apps"):
            self._read(f"{old}/{folder}" if old else "", f"{new}/{folder}")

    def _read(self, old, new):
        old = old if old and (ROOT / old).exists() else os.devnull
        if not (ROOT / new).exists():
            return
        if old == os.devnull:  # git compares a file with a folder by looking for its name in there.
            for path in sorted((ROOT / new).rglob("*.*")):
                self.files.add(str(path))
                self.added += len(path.read_text().splitlines())
            return
        diff = subprocess.run(
            ["git", "diff", "--no-index", "-M40%", "-U0", old, new],
            cwd=ROOT, capture_output=True, text=True, check=False)
        if diff.returncode > 1:
            sys.exit(f"course: git diff failed: {diff.stderr.strip()}")
        name, minus, plus = "", [], []
        for line in diff.stdout.splitlines() + ["@@"]:
            if line.startswith(("@@", "diff ")):
                self._end_hunk(name, minus, plus)
                minus, plus = [], []
            elif line.startswith(("--- a/", "+++ b/", "--- /", "+++ /")):
                name = line[6:] if line[4:] != "/dev/null" else name
                self.files.add(name)
            elif line.startswith("-"):
                minus.append(line[1:])
            elif line.startswith("+"):
                plus.append(line[1:])

    def _end_hunk(self, name, minus, plus):
        self.added += len(plus)
        self.removed += len(minus)
        if minus and plus and without_comments(minus) == without_comments(plus):
            self.noise.append(f"{name}: {minus[0].strip()[:60]}")


def main():
    parser = argparse.ArgumentParser(
        prog="./course stat",
        description="Prints what a reader of the diffs sees of src and apps, step by step. Fails on "
        "noise (a hunk that changes nothing but comments and white space), on a step that adds more "
        f"than {LINES_LIMIT} lines, and on a rewrite ratio (lines removed / lines added, over the "
        f"whole chain) above {RATIO_LIMIT}; the goal is {RATIO_GOAL}.")
    parser.parse_args()

    added = removed = 0
    complaints = []
    print(f"{'':20} {'added':>6} {'gone':>6} {'noise':>6}")
    before = None
    for step in steps():
        change = Change(before, step)
        print(f"{step:20} {change.added:+6} {-change.removed:6} {len(change.noise):6}")
        complaints += [f"noise in {step}: {noise}" for noise in change.noise]
        if change.added > LINES_LIMIT and step != "final":
            complaints.append(f"{step} adds {change.added} lines, more than {LINES_LIMIT}")
        if before:
            added += change.added
            removed += change.removed
        before = step
    ratio = removed / max(1, added)
    print(f"\nFrom the first step on: {added:+} {-removed}, rewrite ratio {ratio:.3f} "
          f"(goal {RATIO_GOAL:.2f}, limit {RATIO_LIMIT:.2f})")
    if ratio > RATIO_LIMIT:
        complaints.append(f"the rewrite ratio is {ratio:.3f}")
    for complaint in complaints:
        print(f"course: {complaint}", file=sys.stderr)
    sys.exit(1 if complaints else 0)


main()
