"""Fuzzing: `python tests/fuzz load|calls`, for 60 seconds or as `--seconds` says. Needs `pip install atheris`.

    load    bytes as model files, see files.py        calls    public calls with hostile arguments, see calls.py

Starts from the files in `corpus/`, which the suite replays, and goes on where new bytes reach new lines of the library.
A find ends the run with its report, and leaves a file `crash-...`, `timeout-...` or `oom-...` in the current folder.

    python tests/fuzz calls crash-...      replays files; says what is called before it is, so also of what crashes

Then mend the whole kind, write a test of its own, and put the file, with a name that tells what it is, into `corpus/`.
"""

import argparse
import faulthandler
import sys
import tempfile
import tracemalloc
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
ROOM = 1 << 30  # bytes that a run may take
LONGEST = 30  # seconds for one input


def fuzz(name, seconds, seed):
    """Run libFuzzer; ends the process, with an error if something was found."""
    import atheris

    with atheris.instrument_imports(include=["fastmlp", "zipfile"]):
        import fastmlp  # before any other module imports it

        for public in fastmlp.__all__:  # what is imported at its first use too
            getattr(fastmlp, public)
        from children import limit_memory
        from fuzz import calls, files

    target = {"load": files, "calls": calls}[name]
    limit_memory(ROOM)
    options = {}
    if name == "load":
        tracemalloc.start()
        options["custom_mutator"] = lambda content, size, seed: files.mutated(content, size, seed, atheris.Mutate)
    found = tempfile.mkdtemp(prefix="fuzz-")
    arguments = [sys.argv[0], found, str(HERE / "corpus" / name), f"-max_total_time={seconds}", f"-timeout={LONGEST}",
                 "-rss_limit_mb=4096", "-max_len=2048", "-len_control=0", "-print_final_stats=1",
                 f"-seed={seed}"]  # fmt: skip
    atheris.Setup(arguments, target.run, **options)
    atheris.Fuzz()


def replay(name, paths):
    """Run each file once."""
    from fuzz import calls, files

    for path in paths:
        print(path, flush=True)
        if name == "load":
            files.run(path.read_bytes())
        else:
            calls.run(path.read_bytes(), tell=print)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=("load", "calls"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the changes that are tried; 0: another one each time")
    parser.add_argument("files", nargs="*", type=Path, help="to be replayed")
    chosen = parser.parse_args()
    faulthandler.enable()
    if chosen.files:
        replay(chosen.target, chosen.files)
    else:
        fuzz(chosen.target, chosen.seconds, chosen.seed)
