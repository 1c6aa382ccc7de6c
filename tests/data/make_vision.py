"""Makes vision.json: a ResNet-v2, two generators and losses in float64, for tests/vision.rs.

    pip install numpy==2.4.6
    python make_vision.py > vision.json

Written from the papers and timm's description of resnetv2_50x1_bit, with plain loops where they
are plainer. Random weights everywhere (norms too, so that a forgotten scale shows), odd picture
sizes and shallow channels, so that a stride or a padding in the wrong place shows.
"""

import json

import numpy as np

rng = np.random.default_rng(3)


def rounded(array):
    """Six digits: short in the file, and the same number on both sides of the comparison."""
    return np.array([float(f"{v:.6g}") for v in np.ravel(array)]).reshape(np.shape(array))


def listed(array):
    return {"shape": list(np.shape(array)), "values": [float(f"{v:.6g}") for v in np.ravel(array)]}


def normal(*shape, scale=1.0, mean=0.0):
    return rounded(mean + scale * rng.standard_normal(shape))


def conv(x, w, stride=1, padding=0, bias=None):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    size = w.shape[2]
    rows, columns = [(n - size) // stride + 1 for n in x.shape[2:]]
    out = np.zeros((x.shape[0], w.shape[0], rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = x[:, :, i * stride:i * stride + size, j * stride:j * stride + size]
            out[:, :, i, j] = np.einsum("bcij,ocij->bo", patch, w)
    return out if bias is None else out + bias[:, None, None]


def standardised(w, eps=1e-8):
    axes = (1, 2, 3)
    return (w - w.mean(axes, keepdims=True)) / np.sqrt(w.var(axes, keepdims=True) + eps)


def group_norm(x, weight, bias, groups, eps=1e-5):
    rows = x.reshape(x.shape[0], groups, -1)
    rows = (rows - rows.mean(2, keepdims=True)) / np.sqrt(rows.var(2, keepdims=True) + eps)
    return rows.reshape(x.shape) * weight[:, None, None] + bias[:, None, None]


def max_pool(x):
    """3/2 without padding."""
    rows, columns = [(n - 3) // 2 + 1 for n in x.shape[2:]]
    out = np.zeros((*x.shape[:2], rows, columns))
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = x[:, :, 2 * i:2 * i + 3, 2 * j:2 * j + 3].max((2, 3))
    return out


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def swish(x):
    return x * sigmoid(x)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


class Weights(dict):
    def conv(self, name, inputs, outputs, size, bias=False):
        self[f"{name}.weight"] = normal(outputs, inputs, size, size, scale=(inputs * size * size) ** -0.5, mean=0.05)
        if bias:
            self[f"{name}.bias"] = normal(outputs, scale=0.3)

    def norm(self, name, channels):
        self[f"{name}.weight"] = normal(channels, scale=0.3, mean=1.0)
        self[f"{name}.bias"] = normal(channels, scale=0.3)

    def linear(self, name, inputs, outputs):
        """As burn keeps it: [inputs, outputs]."""
        self[f"{name}.weight"] = normal(inputs, outputs, scale=inputs ** -0.5)
        self[f"{name}.bias"] = normal(outputs, scale=0.3)

    def dense(self, name, x):
        return x @ self[f"{name}.weight"] + self[f"{name}.bias"]

    def normed(self, name, x, groups):
        return group_norm(x, self[f"{name}.weight"], self[f"{name}.bias"], groups)

    def listed(self):
        return {name: listed(value) for name, value in self.items()}


def resnet():
    stem, channels, depths, groups = 4, [8, 16, 16], [2, 1, 1], 2
    w = Weights()
    w.conv("stem.conv", 3, stem, 7)
    inputs = stem
    for i, (outputs, depth) in enumerate(zip(channels, depths)):
        for j in range(depth):
            at, inner = f"stages.{i}.blocks.{j}", outputs // 4
            w.norm(f"{at}.norm1", inputs)
            w.conv(f"{at}.conv1", inputs, inner, 1)
            w.norm(f"{at}.norm2", inner)
            w.conv(f"{at}.conv2", inner, inner, 3)
            w.norm(f"{at}.norm3", inner)
            w.conv(f"{at}.conv3", inner, outputs, 1)
            if j == 0:
                w.conv(f"{at}.downsample.conv", inputs, outputs, 1)
            inputs = outputs
    w.norm("norm", inputs)

    def run(pictures, act):
        std = lambda name, x, **how: conv(x, standardised(w[f"{name}.weight"]), **how)
        x = std("stem.conv", (pictures - 0.5) / 0.5, stride=2, padding=3)
        x = max_pool(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))))
        stages = []
        for i, depth in enumerate(depths):
            for j in range(depth):
                at, stride = f"stages.{i}.blocks.{j}", 2 if i > 0 and j == 0 else 1
                active = act(w.normed(f"{at}.norm1", x, groups))
                shortcut = std(f"{at}.downsample.conv", active, stride=stride) if j == 0 else x
                x = std(f"{at}.conv1", active)
                x = std(f"{at}.conv2", act(w.normed(f"{at}.norm2", x, groups)), stride=stride, padding=1)
                x = std(f"{at}.conv3", act(w.normed(f"{at}.norm3", x, groups))) + shortcut
            stages.append(x)
        return stages, act(w.normed("norm", x, groups))

    pictures = np.round(rng.random((2, 3, 29, 34)), 2)
    result = {"stem": stem, "channels": channels, "depths": depths, "groups": groups,
              "weights": w.listed(), "pictures": listed(pictures)}
    for name, act in [("relu", relu), ("swish", swish)]:
        stages, final = run(pictures, act)
        result[name] = {"stages": [listed(s) for s in stages], "final": listed(final)}
    # What a perceptor with the first three stages says of the two pictures.
    stages, _ = run(pictures, relu)
    unit = lambda x: x / np.sqrt((x * x).sum(0, keepdims=True) + 1e-10)
    result["distance"] = float(np.mean([((unit(s[0]) - unit(s[1])) ** 2).sum(0).mean() for s in stages]))
    return result


def embedding(w, name, z):
    for i in range(6):
        y = swish(w.dense(f"{name}.layers.{i}", z))
        z = y if i == 0 else (z + y) / np.sqrt(2)
    return z


def upsampled(x, factor, cubic=False):
    """As PyTorch without aligned corners: pixels compared at their centres, borders clamped."""
    def kernel(d):
        if not cubic:
            return max(0.0, 1 - d)
        a = -0.75
        return (a + 2) * d**3 - (a + 3) * d**2 + 1 if d <= 1 else a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0

    def matrix(n):
        m = np.zeros((n * factor, n))
        for i in range(n * factor):
            centre = (i + 0.5) / factor - 0.5
            for pixel in range(-4, n + 4):
                m[i, min(max(pixel, 0), n - 1)] += kernel(abs(centre - pixel))
        return m

    return np.einsum("yi,xj,bcij->bcyx", matrix(x.shape[2]), matrix(x.shape[3]), x)


def cnn():
    latent, channels, levels, blocks, groups, size = 3, 16, 2, 2, 2, 8
    w = Weights()
    for level in range(levels):
        c = channels >> level
        for i in range(6):
            w.linear(f"levels.{level}.embedding.layers.{i}", latent if i == 0 else c, c)
        for j in range(blocks):
            at = f"levels.{level}.blocks.{j}"
            for k, (inputs, outputs, kernel) in enumerate([(c, c // 4, 1), (c // 4, c // 4, 3), (c // 4, c, 1)], 1):
                w.norm(f"{at}.norm{k}", inputs)
                w.conv(f"{at}.conv{k}", inputs, outputs, kernel, bias=True)
    w.conv("output", channels >> (levels - 1), 3, 1, bias=True)

    z = normal(2, latent)
    x, here = None, size >> (levels - 1)
    for level in range(levels):
        e = embedding(w, f"levels.{level}.embedding", z)[:, :, None, None]
        if x is None:
            x = np.broadcast_to(e, (*e.shape[:2], here, here))
        else:
            x = upsampled(x, 2)
            x = (x[:, 0::2] + x[:, 1::2]) / np.sqrt(2) + e
        for j in range(blocks):
            at, y = f"levels.{level}.blocks.{j}", x
            for k, padding in [(1, 0), (2, 1), (3, 0)]:
                y = leaky(w.normed(f"{at}.norm{k}", y, groups))
                y = conv(y, w[f"{at}.conv{k}.weight"], padding=padding, bias=w[f"{at}.conv{k}.bias"])
            x = x + y
    picture = sigmoid(conv(x, w["output.weight"], bias=w["output.bias"]))
    return {"latent": latent, "channels": channels, "levels": levels, "blocks": blocks, "groups": groups,
            "size": size, "weights": w.listed(), "z": listed(z), "picture": listed(picture)}


def cppn():
    latent, width, blocks, frequencies, size = 3, 8, 3, 4, 6
    w = Weights()
    for i in range(6):
        w.linear(f"embedding.layers.{i}", latent if i == 0 else width, width)
    for j in range(blocks):
        inputs = 4 * frequencies if j == 0 else width
        for k, (n, m) in enumerate([(inputs, width // 4), (width // 4, width // 4), (width // 4, width)]):
            w.linear(f"blocks.{j}.layers.{k}", n, m)
    w.linear("output", width, 3)

    plastic = 1.324717957244746
    turns = []
    for sigma in [5.0, 1.0]:
        for i in range(1, frequencies + 1):
            u, v = (0.5 + i / plastic) % 1, (0.5 + i / plastic**2) % 1
            radius = sigma * np.sqrt(-2 * np.log(u))
            turns.append([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)])
    z = normal(2, latent)
    embedded = embedding(w, "embedding", z)
    picture = np.zeros((2, 3, size, size))
    for b in range(2):
        for row in range(size):
            for column in range(size):
                place = np.array([(column + 0.5) / size, (row + 0.5) / size])
                angles = 2 * np.pi * np.array(turns) @ place
                x = np.concatenate([np.sin(angles), np.cos(angles)])
                for j in range(blocks):
                    y = x
                    for k in range(3):
                        y = w.dense(f"blocks.{j}.layers.{k}", leaky(y))
                    x = swish(y + (embedded[b] if j == 0 else x))
                picture[b, :, row, column] = sigmoid(w.dense("output", x))
    return {"latent": latent, "width": width, "blocks": blocks, "frequencies": frequencies, "size": size,
            "weights": w.listed(), "z": listed(z), "picture": listed(picture)}


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def losses():
    logits, tokens = normal(3, 4, 5, scale=2.0), rng.integers(0, 5, (3, 4))
    is_real = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]], bool)
    smoothing, total = 0.1, 0.0
    for b, t in zip(*np.nonzero(is_real)):
        truth = np.full(5, smoothing / 5)
        truth[tokens[b, t]] += 1 - smoothing
        total -= truth @ log_softmax(logits[b, t])

    features, latents = normal(5, 3, 2, 4), normal(5, 6)
    shared = [[0, 1], [0, 4], [2, 3], [1, 2], [3, 4]]
    other = [[1, 3], [0, 2], [2, 4], [0, 3], [1, 4]]
    away = lambda rows, pairs: np.array([np.abs(rows[i] - rows[j]).mean() for i, j in pairs])
    mismatch = lambda second: 1 - np.corrcoef(away(features, shared), away(latents, second))[0, 1]

    cosines = []
    grams = [f.reshape(3, -1) @ f.reshape(3, -1).T for f in features]
    for i in range(5):
        for j in range(i):
            cosines.append((grams[i] * grams[j]).sum() / np.linalg.norm(grams[i]) / np.linalg.norm(grams[j]))

    anchors, positives, temperature = normal(4, 3), normal(4, 3), 0.2
    unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines_over = unit(anchors) @ unit(positives).T / temperature
    nce = np.mean([-np.diag(log_softmax(logits)).mean() for logits in (cosines_over, cosines_over.T)])

    pictures = rounded(rng.random((2, 3, 5, 7)))
    across, down = [np.abs(np.diff(pictures, axis=axis)).mean((1, 2, 3)) for axis in (3, 2)]
    return {
        "logits": listed(logits), "tokens": tokens.tolist(), "is_real": is_real.tolist(), "smoothing": smoothing,
        "cross_entropy": total / is_real.sum(),
        "features": listed(features), "latents": listed(latents), "pairs": shared, "other_pairs": other,
        "shared": mismatch(shared), "drawn_twice": mismatch(other),
        "gram_repulsion": np.mean(cosines),
        "anchors": listed(anchors), "positives": listed(positives),
        "temperature": temperature, "nce": nce,
        "pictures": listed(pictures), "smoothness": ((across + down) / 2).tolist(),
        "contrast": pictures.std((1, 2, 3)).tolist(),
    }


def enlarged():
    x = normal(1, 2, 3, 4)
    return {"input": listed(x), "bilinear": listed(upsampled(x, 2)), "bicubic": listed(upsampled(x, 4, cubic=True))}


print(json.dumps({"resnet": resnet(), "cnn": cnn(), "cppn": cppn(), "losses": losses(), "enlarged": enlarged()}))
