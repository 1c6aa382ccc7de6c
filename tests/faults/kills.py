#!/usr/bin/env python3
"""Kills runs in training and goes on with them: kills.py GLYPHSPACE [KILLS]

First KILLS runs (40) by SIGKILL, SIGTERM, SIGHUP and SIGINT at random moments. Then, with strace, one run for each
write, rename and fsync of a save, killed as it is about to make that call, as a power cut would. After each, the
newest checkpoint has to load, the run to resume, its table to have one whole row a step, and no step that had been
saved may be lost. Prints what was found; exit code 1 if a run was lost.
"""

import csv
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 40
SIZES = [f"--set={size}" for size in ("d_model=16", "d_kv=8", "num_heads=2", "bottleneck=24")]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}


def glyphspace(folder, *arguments):
    line = [PROGRAM, *arguments, "--device", "cpu"]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True)


def saved_step(run):
    """The step of the newest checkpoint there is to see; -1 without one."""
    names = (re.fullmatch(r"\.?checkpoint-(\d{8,})(\.old)?", path.name) for path in run.glob("*checkpoint-*"))
    return max((int(name[1]) for name in names if name), default=-1)


def check(folder, least, what):
    """Loads and resumes the run; returns what is wrong with it, if something is."""
    run = folder / "run"
    if least < 0 and saved_step(run) < 0:
        return None  # Killed before there was anything to lose.
    loaded = glyphspace(folder, "executor", "eval", "--run", "run", "--json")
    if loaded.returncode != 0:
        return f"{what}: doesn't load: {loaded.stderr.strip()}"
    step = json.loads(loaded.stdout)["steps"]
    if step < least:
        return f"{what}: step {least} was saved, step {step} is there"
    resumed = glyphspace(folder, "executor", "train", "--resume", "run", "--out", "run", "--steps", "2")
    if resumed.returncode != 0:
        return f"{what}: doesn't resume: {resumed.stderr.strip()}"
    rows = [int(row["step"]) for row in csv.DictReader((run / "metrics.csv").open())]
    if rows != list(range(1, step + 3)):
        return f"{what}: rows {rows} after step {step} and two more"
    return None


def by_signal(folder, rng):
    number = rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
    line = [PROGRAM, "executor", "train", "--out", "run", "--steps", "1000000", "--device", "cpu", *SIZES]
    child = subprocess.Popen(line, cwd=folder, **QUIET)
    time.sleep(rng.uniform(0.1, 3.0))
    taken = (folder / "run/metrics.csv").read_text().count("\n") - 1 if (folder / "run/metrics.csv").exists() else -1
    before = saved_step(folder / "run")
    child.send_signal(number)
    code = child.wait(timeout=60)
    child.stderr.close()
    # All but SIGKILL save what was learnt until then.
    is_heard = number != signal.SIGKILL and before >= 0 and code >= 0
    least = max(before, taken) if is_heard else before
    return check(folder, least, f"{number.name} (exit code {code})")


def by_system_call(template):
    """Kills the save at the end of two steps before each of its calls in turn."""
    found = []
    for call in ("openat", "write", "fsync", "rename", "unlink", "rmdir", "unlinkat"):
        for nth in range(1, 200):
            with tempfile.TemporaryDirectory() as place:
                folder = pathlib.Path(place)
                shutil.copytree(template, folder / "run")
                line = ["strace", "-f", "-o", "log", "-e", f"trace={call}", "-P", "run", "-P", str(folder / "run")]
                for name in ("", "metrics.csv", ".lock"):
                    line += ["-P", f"run/{name}"]
                for step in (3, 5):
                    for begin, end in ((".", ".partial"), (".", ".old"), ("", "")):
                        inner = f"run/{begin}checkpoint-{step:08}{end}"
                        line += ["-P", inner]
                        for file in ("config.json", "progress.json", "model.bpk", "moments.bpk", "metrics.csv", "SHA256SUMS"):
                            line += ["-P", f"{inner}/{file}"]
                line += ["-e", f"inject={call}:signal=KILL:when={nth}", PROGRAM]
                line += ["executor", "train", "--resume", "run", "--out", "run", "--steps", "2", "--device", "cpu"]
                before = saved_step(folder / "run")
                ended = subprocess.run(line, cwd=folder, capture_output=True, text=True)
                if ended.returncode == 0:
                    break
                found.append((f"{call} {nth}", check(folder, before, f"{call} {nth}")))
    return found


def main():
    rng = random.Random(1)
    found = []
    for _ in range(KILLS):
        with tempfile.TemporaryDirectory() as place:
            found.append(("signal", by_signal(pathlib.Path(place), rng)))
    print(f"{len(found)} runs ended by signals, {sum(bool(bad) for _, bad in found)} lost")
    if shutil.which("strace"):
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            made = glyphspace(folder, "executor", "train", "--out", "run", "--steps", "3", *SIZES)
            assert made.returncode == 0, made.stderr
            calls = by_system_call(folder / "run")
        print(f"{len(calls)} runs ended at a system call of their saves, {sum(bool(bad) for _, bad in calls)} lost")
        found += calls
    else:
        print("strace isn't installed: no run was ended at a system call")
    for _, bad in found:
        if bad:
            print(bad)
    sys.exit(any(bad for _, bad in found))


main()
