"""Programs that another process runs, one after the other: what they import is imported once."""

import json
import os
import subprocess
import sys

SERVER = """
import contextlib, io, json, os, runpy, sys, traceback, warnings

for line in sys.stdin:
    folder, *sys.argv = json.loads(line)
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except BaseException:
            traceback.print_exc()
    sys.stderr.flush()
    print(flush=True)
"""


class Server:
    """A process in which warnings are errors, with variables of its environment."""

    def __init__(self, complaints, **environment):
        self.complaints = complaints  # a path
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
        with open(complaints, "w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", SERVER],
                env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def run(self, folder, program, *arguments):
        """Run it there, as `python program arguments` would, without a word of complaint."""
        before = os.path.getsize(self.complaints)
        print(json.dumps([str(folder), str(program), *map(str, arguments)]), file=self.process.stdin, flush=True)
        ended = self.process.stdout.readline()
        with open(self.complaints) as file:
            file.seek(before)
            said = file.read()
        assert said == ""
        assert ended == "\n"  # else the process has gone
