"""Ours beside PyTorch, eager and compiled: training steps, the loss map, glyphs.

    python3 -m venv venv && venv/bin/pip install numpy torch
    cargo build --release
    venv/bin/python tests/peers/compare.py [--rows train-executor,map] [--pairs 5] [--cores 2] [--device gpu] [--json]
    venv/bin/python tests/peers/compare.py --agree [--write tests/data/peers.json]

First every twin has to agree with ours (the table's last columns; without that no time is worth anything):

- a step: from our weights, with our draws, the losses of 100 steps differ by less than 1e-3, relative where a
  loss is above 1. At the preset's own learning rate two runs of PyTorch whose weights differ by 1e-7 are apart
  by more than that after some 20 steps, as are PyTorch in 32 and in 64 bits: the landscape is steep and Adam
  makes a step of every sign. So the 100 steps go at a rate at which a curve is a property of the code and not
  of rounding (1e-5 for the executor); what is compared besides is the first steps at the preset's own rate.
- the map: the losses of all cells, in nats, and the share of cells that decode to the same program.

Then ours and theirs are measured in turn, A B A B, all on the same processors, or with --device gpu on the best
GPU, PyTorch's through CUDA: PyTorch in this process, ours as `glyphspace bench ..`. A ratio is their time over
ours in one pair, so 2 says that ours is twice as fast, and the row has the median of the pairs. Where other work
shares the processors PyTorch's threads wait for one another at every operation, ours once a step, so beside it
is the ratio of the best times of all pairs. The exit code is 1 where a twin disagrees.

--agree measures no times. --write keeps what PyTorch found, with which tests/peers.rs compares ours where there is no
PyTorch.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch

# Before the twins make their first tensors.
chosen = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
chosen.add_argument("--device", default="cpu", choices=["cpu", "gpu"], help="where both compute")
if chosen.parse_known_args()[0].device == "gpu":
    torch.set_default_device("cuda")
    # As exact as ours.
    torch.backends.cudnn.allow_tf32 = False

import executor
import glyphs
from twin import PROGRAM, Trace, clocked, use_cores

FIRST, MOST = 5, 1e-3
# Losses of each row that --write keeps.
KEPT = 20
WAYS = {"eager": False, "compiled": True}


def ours(*arguments):
    """What one of our commands says as JSON."""
    command = [args.program, *map(str, arguments), "--device", args.device, "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip().splitlines()[-1])
    return json.loads(done.stdout)


# The twin of Code Glyphs has no code and no face.
PRESETS = {"executor": "pocket", "glyphs": "plain"}


class Steps:
    """A training step of a preset for two cores."""

    def __init__(self, name, twin, folder, slow, warm_up, measured):
        self.name, self.twin, self.warm_up, self.measured = f"train-{name}", twin, warm_up, measured
        self.of = ["--model", name, "--preset", PRESETS[name]]
        self.traces, self.slow = {}, slow
        slow = ["--set", f"learning_rate={slow}"]
        for which, count, keys in (("own", warm_up + measured, []), ("slow", args.agree_steps, slow)):
            to = Path(folder) / f"{name}-{which}"
            ours("bench", "train", *self.of, "--steps", count, "--trace", to, *keys)
            self.traces[which] = Trace(to)

    def agree(self):
        twin = self.twin(self.traces["slow"], False)
        apart, step = twin.agreement()
        self.found = {"learning_rate": float(self.slow), "losses": twin.losses[:KEPT]}
        own = self.traces["own"].first(FIRST)
        begun, _ = self.twin(own, False).agreement()
        text = f"losses of {args.agree_steps} steps within {apart:.0e} (at step {step}), first {FIRST} at the preset's rate {begun:.0e}"
        return max(apart, begun) < MOST, {"loss_curve": apart, "first_steps": begun}, text

    def theirs(self, compiled):
        # The very steps that ours is measured at: batches of glyphs differ.
        training = self.twin(self.traces["own"], compiled)
        training.prepare(range(self.warm_up + self.measured))
        clocked(training.step, self.warm_up)
        return lambda: clocked(lambda turn: training.step(self.warm_up + turn), self.measured)

    def ours(self):
        return ours("bench", "train", *self.of, "--steps", self.measured)["median_ms"]


class Map:
    """The loss of 71+?=18 over 256 x 256 points of the plane."""

    name = "map"

    def __init__(self, folder):
        self.folder = Path(folder)
        ours("bench", "map", "--trace", self.folder / "map")
        self.trace = Trace(self.folder / "map")

    def agree(self):
        table = self.folder / "map.csv"
        subprocess.run(
            [args.program, "executor", "map", "71+?=18", "--device", args.device, "--csv", table],
            check=True, capture_output=True,
        )
        twin = executor.Map(self.trace, False)
        loss, _, codes, _ = twin.draw()
        known = {tuple(word): number for word, number in zip(twin.sums.codes.tolist(), executor.CODES)}
        at = {}
        for point, cell, word in zip(twin.points.tolist(), loss.tolist(), codes.tolist()):
            at[round(point[0], 4), round(point[1], 4)] = (cell, known.get(tuple(word)))
        every = len(at) // KEPT
        self.found = {"points": twin.points[::every].tolist(), "losses": loss[::every].tolist()}
        apart, same, cells = 0.0, 0, 0
        for row in csv.DictReader(table.open()):
            cell, code = at[round(float(row["x"]), 4), round(float(row["y"]), 4)]
            apart = max(apart, abs(cell - float(row["loss"])) / max(1.0, abs(cell)))
            same += code == (int(row["code"]) if row["code"] else None)
            cells += 1
        share = same / cells
        text = f"losses of {cells} cells within {apart:.0e}, {share:.5f} of the programs the same"
        return apart < MOST and share > 0.999, {"losses": apart, "programs_same": share}, text

    def theirs(self, compiled):
        twin = executor.Map(self.trace, compiled)
        clocked(lambda _: twin.draw(), 2)
        return lambda: clocked(lambda _: twin.draw(), 3)

    def ours(self):
        return ours("bench", "map")["median_ms"]


def rows(folder):
    """What can be compared, made when its turn comes."""
    return {
        "train-executor": lambda: Steps("executor", executor.Training, folder, 1e-5, 20, 60),
        "train-glyphs": lambda: Steps("glyphs", glyphs.Training, folder, 2e-4, 10, 20),
        "map": lambda: Map(folder),
    }


def agree(row):
    """Whether a twin agrees with ours, by how much, and what it found."""
    agrees, figures, text = row.agree()
    print(f"{row.name}: {text}{'' if agrees else ': THEY DISAGREE'}", file=sys.stderr, flush=True)
    return {"row": row.name, "agrees": agrees, "agreement": figures, "found": row.found}


def compare(row):
    """Agreement first, then pairs in turn."""
    agreement = agree(row)
    peers = {way: row.theirs(compiled) for way, compiled in WAYS.items()}
    millis, ratios = {"ours": [], **{way: [] for way in WAYS}}, {way: [] for way in WAYS}
    for number in range(args.pairs):
        for way, theirs in peers.items():
            millis["ours"].append(row.ours())
            millis[way].append(theirs())
            ratios[way].append(millis[way][-1] / millis["ours"][-1])
        last = ", ".join(f"{way} {times[-1]:.1f}" for way, times in millis.items())
        print(f"{row.name}: pair {number + 1}: {last} ms", file=sys.stderr, flush=True)
    del agreement["found"]
    return {
        **agreement,
        "pairs": args.pairs,
        "median_ms": {who: median(times) for who, times in millis.items()},
        "ratio": {way: median(values) for way, values in ratios.items()},
        "ratios": ratios,
        "best_ms": {who: min(times) for who, times in millis.items()},
        "ratio_of_best": {way: min(millis[way]) / min(millis["ours"]) for way in WAYS},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[chosen], allow_abbrev=False)
    parser.add_argument("--rows", default="all")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--program", default=str(PROGRAM))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--agree", action="store_true")
    parser.add_argument("--agree-steps", type=int, default=100)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    use_cores(args.cores)
    with tempfile.TemporaryDirectory() as folder:
        known = rows(folder)
        asked = list(known) if args.rows == "all" else args.rows.split(",")
        if unknown := [name for name in asked if name not in known]:
            sys.exit(f"no row {unknown[0]}: expected some of {', '.join(known)}")
        found = [(agree if args.agree else compare)(known[name]()) for name in asked]
    if args.agree:
        if args.write:
            kept = {row["row"]: row["found"] for row in found}
            args.write.write_text(json.dumps({"torch": torch.__version__, **kept}) + "\n")
    elif args.json:
        print(json.dumps({"torch": torch.__version__, "cores": args.cores, "device": args.device, "rows": found}, indent=1))
    else:
        print(f"{'row':16} {'ours':>9} {'eager':>9} {'compiled':>9}   x eager  x compiled  of the best times  (ms; torch {torch.__version__})")
        for row in found:
            times, ratio, best = row["median_ms"], row["ratio"], row["ratio_of_best"]
            print(
                f"{row['row']:16} {times['ours']:9.1f} {times['eager']:9.1f} {times['compiled']:9.1f}"
                f"   {ratio['eager']:7.2f}  {ratio['compiled']:10.2f}  {best['eager']:8.2f} {best['compiled']:8.2f}  {'' if row['agrees'] else 'DISAGREES'}"
            )
    sys.exit(0 if all(row["agrees"] for row in found) else 1)
