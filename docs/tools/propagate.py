"""Carries a change to one step forward to all later ones, for those who carry the course on."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAY_BEHIND = ("README.md", "aside/")  # Each step has its own.


def git(*arguments):
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if result.returncode != 0:
        sys.exit(f"course: git {' '.join(arguments)}: {result.stderr.decode().strip()}")
    return result.stdout


def committed(revision, path):
    """The bytes of `path` in `revision`; None if it is not there."""
    result = subprocess.run(["git", "show", f"{revision}:{path}"], cwd=ROOT, capture_output=True,
                            check=False)
    return result.stdout if result.returncode == 0 else None


def present(path):
    return path.read_bytes() if path.is_file() else None


def steps():
    return sorted(path.name for path in ROOT.glob("step[0-9][0-9]_*")) + ["final"]


def find_step(name):
    for step in steps():
        number = step[4:6] if step.startswith("step") else step
        if name.rstrip("/") in (step, number, number.lstrip("0"), f"step{number}"):
            return step
    sys.exit(f"course: there is no step '{name}'; there is: {' '.join(steps())}")


def changes_of(step):
    """What has changed in `step`: [(path in the step, old, new)], None for a file that is not there.

    Uncommitted changes if there are any, else those of the last commit that touched the step.
    """
    names = git("diff", "--name-only", "--no-renames", "HEAD", "--", step)
    names += git("ls-files", "--others", "--exclude-standard", "--", step)
    old, new = "HEAD", None
    if not names:
        new = git("rev-list", "-1", "HEAD", "--", step).decode().strip()
        old = f"{new}~1"
        names = git("diff", "--name-only", "--no-renames", old, new, "--", step)
    result = []
    for name in sorted(set(names.decode().splitlines())):
        path = name[len(step) + 1:]
        if path.startswith(STAY_BEHIND):
            continue
        after = committed(new, name) if new else present(ROOT / name)
        result.append((path, committed(old, name), after))
    return result, new


def merge(ours, base, theirs, labels):
    """Three-way merge of bytes by git merge-file(1). Returns the result and whether it is clean."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for index, content in enumerate((ours, base, theirs)):
            path = pathlib.Path(folder) / str(index)
            path.write_bytes(content)
            names.append(str(path))
        options = [part for label in labels for part in ("-L", label)]
        result = subprocess.run(["git", "merge-file", "-p", *options, *names], capture_output=True,
                                check=False)
        if result.returncode > 127:
            sys.exit(f"course: git merge-file: {result.stderr.decode().strip()}")
        return result.stdout, result.returncode == 0


class Propagation:
    """A propagation that may be stopped by a conflict, and its memory in .git."""

    def __init__(self):
        folder = git("rev-parse", "--absolute-git-dir").decode().strip()
        self.memory = pathlib.Path(folder) / "course-propagate.json"

    def begin(self, step, files):
        """Each file travels by itself: [path, old, new] as it is in the step before."""
        later = steps()[steps().index(step) + 1:]
        self.run([[path, old, new, later] for path, old, new in files])

    def resume(self):
        if not self.memory.is_file():
            sys.exit("course: no propagation was stopped: there is nothing to continue")
        todo = json.loads(self.memory.read_text())
        todo = [[path, *(text and text.encode("latin-1") for text in (old, new)), later]
                for path, old, new, later in todo]
        path, old, new, later = todo[0]
        target = ROOT / later[0] / path
        resolved = present(target)
        if resolved is not None and b"<<<<<<< " in resolved:
            sys.exit(f"course: {later[0]}/{path} still has conflict markers")
        before = committed("HEAD", f"{later[0]}/{path}")
        todo[0] = [path, before, resolved, later[1:]]
        self.memory.unlink()
        self.run(todo)

    def run(self, todo):
        while todo:
            path, old, new, later = todo[0]
            if not later:
                todo.pop(0)
                continue
            step = later[0]
            target = ROOT / step / path
            current = present(target)
            if current == new:
                self.say(step, path, "has it already")
                after = new
            elif current is None and old is not None:
                print(f"  {step}/{path}: not there any more, so it goes no further")
                todo.pop(0)
                continue
            elif current == old:
                after = new
                self.write(target, new)
                self.say(step, path, "removed" if new is None else
                         "added" if old is None else "changed likewise")
            elif old is None or new is None:
                self.stop(todo, step, path, "it is there, and it is another one: decide by hand")
            else:
                after, clean = merge(current, old, new,
                                     (step, "before the change", "the change"))
                self.write(target, after)
                if not clean:
                    self.stop(todo, step, path, "conflict")
                self.say(step, path, "merged" if after != current else "has it already")
            todo[0] = [path, current, after, later[1:]]

    @staticmethod
    def say(step, path, what):
        print(f"  {step}/{path}: {what}")

    @staticmethod
    def write(target, content):
        if content is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def stop(self, todo, step, path, why):
        # Latin-1 gives every byte back.
        self.memory.write_text(json.dumps(
            [[path, *(content and content.decode("latin-1") for content in (old, new)), later]
             for path, old, new, later in todo]))
        sys.exit(f"course: {step}/{path}: {why}.\nMend it, then: ./course propagate --continue")


def main():
    parser = argparse.ArgumentParser(
        prog="./course propagate",
        description="Carries a change to STEP forward to every later step and to final, file by "
        "file, by three-way merge. The change is what is not committed in STEP, or else what the "
        "last commit did there. README.md and aside/ stay behind. Stops at a conflict and names the "
        "file. Commits nothing: look at `git diff`, and run the tests.")
    parser.add_argument("step", nargs="?", metavar="STEP", help="a folder or its number")
    parser.add_argument("--continue", action="store_true", dest="resume",
                        help="go on after a conflict has been mended")
    arguments = parser.parse_args()
    propagation = Propagation()
    if arguments.resume:
        return propagation.resume()
    if arguments.step is None:
        parser.error("which step?")
    if propagation.memory.is_file():
        sys.exit("course: a propagation was stopped by a conflict. ./course propagate --continue, "
                 f"or remove {propagation.memory}")
    step = find_step(arguments.step)
    files, revision = changes_of(step)
    if not files:
        sys.exit(f"course: nothing has changed in {step} that later steps have, too")
    print(f"From {step}, {'commit ' + revision[:10] if revision else 'not committed'}:")
    return propagation.begin(step, files)


main()
