"""Our t-SNE beside scikit-learn's and openTSNE's: seconds and trustworthiness on the same points.

    pip install numpy scikit-learn openTSNE
    cargo build --release
    python3 tests/peers/tsne.py [--points 10000] [--dims 10] [--rounds 3] [--cores 2] [--program PATH]

Draws the points of a mixture of 50 bells, then lets the three lay them out in turn, round after round, each
on the same cores, with its own defaults (perplexity 30, PCA to begin with). Seconds are wall clock from
the points in memory to their places, and beside them those of the processors, which tell more where other
work shares the machine (ours with reading the points and judging the places). Trustworthiness (12
neighbours) is measured here for all three.

10,000 points x 10 on two cores that other work kept busy, three rounds, medians, scikit-learn 1.9.1 and
openTSNE 1.0.4:

    glyphspace       15.9 s, processors   7.8 s, trustworthiness 0.9973
    openTSNE        108.6 s, processors  48.8 s, trustworthiness 0.9973
    scikit-learn    221.3 s, processors  98.7 s, trustworthiness 0.9973

The crate bhtsne 0.7.13 took 11.0 s of the processors with its tree and 7.1 s with interpolation, both for
0.9958.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
parser = argparse.ArgumentParser()
parser.add_argument("--points", type=int, default=10_000)
parser.add_argument("--dims", type=int, default=10)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--cores", type=int, default=2)
parser.add_argument("--program", default=str(ROOT / "target" / "release" / "glyphspace"))
args = parser.parse_args()

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(args.cores)

import numpy as np
import openTSNE
import sklearn
from sklearn.manifold import TSNE


def draw():
    random = np.random.default_rng(0)
    centres = random.normal(0, 3, (50, args.dims))
    points = centres[random.integers(0, 50, args.points)] + random.normal(0, 1, (args.points, args.dims))
    return points.astype(np.float32)


def trustworthiness(points, places, k=12, rows=500):
    """As scikit-learn's, in pieces: the whole matrix of ranks of 10,000 points is too large for some machines."""
    n, excess = len(points), 0

    def squared(all_points, begin):
        part = all_points[begin : begin + rows].astype(np.float64)
        whole = all_points.astype(np.float64)
        far = (part**2).sum(1)[:, None] + (whole**2).sum(1) - 2 * part @ whole.T
        far[np.arange(len(part)), np.arange(begin, begin + len(part))] = -np.inf
        return far

    for begin in range(0, n, rows):
        near = np.argpartition(squared(places, begin), k, axis=1)[:, : k + 1]
        order = np.argsort(squared(points, begin), axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(n)[None, :].repeat(len(order), 0), axis=1)
        excess += np.maximum(np.take_along_axis(rank, near, axis=1) - k, 0).sum()
    return 1 - excess * 2 / (n * k * (2 * n - 3 * k - 1))


def ours(points):
    with tempfile.TemporaryDirectory() as folder:
        table, places = Path(folder) / "points.csv", Path(folder) / "places.csv"
        np.savetxt(table, points, delimiter=",", fmt="%.9g")
        command = [args.program, "bench", "projection", "--json", "--points-csv", table, "--places-csv", places]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["secs"], np.loadtxt(places, delimiter=",")


def scikit_learn(points):
    begun = time.perf_counter()
    places = TSNE(init="pca", n_jobs=args.cores, random_state=0).fit_transform(points)
    return time.perf_counter() - begun, places


def open_tsne(points):
    begun = time.perf_counter()
    places = openTSNE.TSNE(n_jobs=args.cores, random_state=0).fit(points)
    return time.perf_counter() - begun, np.asarray(places)


def processor_secs():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in used)


points = draw()
peers = {"glyphspace": ours, "scikit-learn": scikit_learn, "openTSNE": open_tsne}
print(f"{args.points} points x {args.dims}, {args.cores} cores, scikit-learn {sklearn.__version__}, openTSNE {openTSNE.__version__}")
secs, trust = {name: [] for name in peers}, {}
for number in range(args.rounds):
    for name, run in peers.items():
        before = processor_secs()
        took, places = run(points)
        busy = processor_secs() - before
        secs[name].append(took)
        if name not in trust:
            trust[name] = trustworthiness(points, places)
        print(f"round {number + 1}: {name:12} {took:7.2f} s, processors {busy:7.2f} s", flush=True)
for name in peers:
    ratio, near = median(secs[name]) / median(secs["glyphspace"]), trust["glyphspace"] / trust[name]
    print(f"{name:12} median {median(secs[name]):7.2f} s, {ratio:5.2f} times ours; trustworthiness {trust[name]:.4f}, ours is {near:.4f} of it")
is_good = all(median(secs["glyphspace"]) <= median(s) and trust["glyphspace"] >= 0.99 * trust[n] for n, s in secs.items())
sys.exit(0 if is_good else 1)
