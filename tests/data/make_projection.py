"""Writes projection.json: what scikit-learn says of a small set of points.

    pip install numpy scikit-learn
    python3 tests/data/make_projection.py

40 points of 5 values in three groups; their PCA plane; trustworthiness of the plane, and of a plane of
points drawn at random, by 5 and 12 neighbours; continuity is trustworthiness with the two exchanged.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

random = np.random.default_rng(7)
centres = random.normal(0, 2, (3, 5))
points = (centres[np.arange(40) % 3] + random.normal(0, 1, (40, 5)) * [1, 0.8, 0.6, 0.5, 0.4]).astype(np.float32)
noise = random.normal(0, 1, (40, 2)).astype(np.float32)
plane = PCA(2, svd_solver="full").fit_transform(points.astype(np.float64))
trust = {
    name: {
        str(k): [trustworthiness(points, places, n_neighbors=k), trustworthiness(places, points, n_neighbors=k)]
        for k in (5, 12)
    }
    for name, places in (("plane", plane), ("noise", noise))
}
out = {
    "points": points.round(6).tolist(),
    "noise": noise.round(6).tolist(),
    "plane": plane.round(6).tolist(),
    "trust": trust,
}
(Path(__file__).parent / "projection.json").write_text(json.dumps(out) + "\n")
