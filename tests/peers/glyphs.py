"""The plain Code Glyphs' training step in PyTorch, the noisy channel included.

    python3 -m venv venv && venv/bin/pip install numpy torch
    cargo build --release
    target/release/glyphspace bench train --model glyphs --device cpu --trace /tmp/trace
    venv/bin/python tests/peers/glyphs.py /tmp/trace [--compile]

takes our steps again from our weights with our draws and prints how far the two curves of losses are apart,
and what a step takes. compare.py does that for all twins, and measures ours in turn.

Functions, difficulties, damage and pairs are those of the trace. Blur is a grouped convolution here and
the warp grid_sample, which a user of PyTorch would take; static and patches are laid out before the clock
starts, while ours are drawn in the step. Looks at functions that are not trained on, which ours takes every 25
steps, are left out.
"""

import argparse
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from noise import static
from twin import Trace, clocked, differences, optimiser, tensor, use_cores

FRAME, POINTS, CONTROLS, SAMPLES, PATCH, BLOCK, SQUEEZED, HIDDEN = 0.35, 6, 8, 9, 4, 4, 16, 128
GLYPH = 128
PATCHES = GLYPH // PATCH
CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)


# Layouts of the mosaic (src/glyphs/networks/mosaic/layout.rs).


def layouts_for(max_tokens):
    found = [(2, 2)]
    while found[-1][0] * found[-1][1] < max_tokens:
        found.append((found[-1][0] + 1,) * 2)
    return found


def points(cells, each):
    cell = GLYPH / (cells + 2 * FRAME)
    spacing = cell / POINTS
    centres = (FRAME + np.arange(cells) + 0.5) * cell
    return (centres[:, None] + (np.arange(each) - (each - 1) / 2) * spacing).flatten(), max(spacing, 1)


def painting(cells):
    found, reach = points(cells, CONTROLS)
    x = np.abs((np.arange(GLYPH)[:, None] + 0.5 - found) / reach)
    weights = np.where(x < 1, 2 / 3 - x**2 + x**3 / 2, np.maximum(2 - x, 0) ** 3 / 6)
    return tensor(weights.astype(np.float32))


def looks(cells):
    found, reach = points(cells, SAMPLES)
    found = found.clip(0.5, GLYPH - 0.5)
    weights = np.maximum(1 - np.abs(np.arange(GLYPH) + 0.5 - found[:, None]) / reach, 0)
    return tensor((weights / weights.sum(1, keepdims=True)).astype(np.float32))


# Networks.


class Embeddings(nn.Module):
    def __init__(self, c, vocabulary, slots):
        super().__init__()
        d = c["hidden_size"]
        self.word_embeddings = nn.Embedding(vocabulary, d)
        self.position_embeddings = nn.Embedding(slots + 2, d)
        self.token_type_embeddings = nn.Embedding(1, d)
        self.layer_norm = nn.LayerNorm(d, 1e-5)

    def forward(self, words):
        positions = self.position_embeddings.weight[2 : 2 + words.shape[1]]
        return self.layer_norm(words + positions + self.token_type_embeddings.weight)


class Output(nn.Module):
    def __init__(self, inputs, d):
        super().__init__()
        self.dense, self.layer_norm = nn.Linear(inputs, d), nn.LayerNorm(d, 1e-5)

    def forward(self, hidden, x):
        return self.layer_norm(self.dense(hidden) + x)


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, inner = c["hidden_size"], c["intermediate_size"]
        self.heads = c["num_attention_heads"]
        self.attention = nn.ModuleDict({name: nn.Linear(d, d) for name in ("query", "key", "value")})
        self.attention_output, self.intermediate, self.output = Output(d, d), nn.Linear(d, inner), Output(inner, d)

    def forward(self, x, hidden_keys):
        q, k, v = (
            self.attention[name](x).unflatten(2, (self.heads, -1)).transpose(1, 2) for name in ("query", "key", "value")
        )
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=hidden_keys)
        x = self.attention_output(mixed.transpose(1, 2).flatten(2), x)
        return self.output(F.gelu(self.intermediate(x)), x)


class Roberta(nn.Module):
    def __init__(self, c, vocabulary, slots):
        super().__init__()
        self.embeddings = Embeddings(c, vocabulary, slots)
        self.layer = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))

    def forward(self, words, mask):
        hidden_keys = ((mask - 1) * 1e9)[:, None, None]
        x = self.embeddings(words)
        for layer in self.layer:
            x = layer(x, hidden_keys)
        return x


class MaskedLm(nn.Module):
    def __init__(self, c, vocabulary, slots):
        super().__init__()
        d = c["hidden_size"]
        self.roberta = Roberta(c, vocabulary, slots)
        self.lm_head = nn.Module()
        self.lm_head.dense, self.lm_head.layer_norm = nn.Linear(d, d), nn.LayerNorm(d, 1e-5)
        self.lm_head.bias = nn.Parameter(torch.zeros(vocabulary))

    def logits(self, hidden):
        x = self.lm_head.layer_norm(F.gelu(self.lm_head.dense(hidden)))
        return F.linear(x, self.roberta.embeddings.word_embeddings.weight, self.lm_head.bias)


class Generator(nn.Module):
    def __init__(self, c, layouts):
        super().__init__()
        d, inner = c["hidden_size"], c["painter"]
        self.slot, self.whole = nn.Linear(d, inner), nn.Linear(d, inner)
        self.layout = nn.Embedding(len(layouts), inner)
        self.paint = nn.Linear(inner, 3 * CONTROLS**2)

    def forward(self, slots, b):
        mean = (slots * (b["cells"] / b["cells"].sum(1, keepdim=True))[..., None]).sum(1, keepdim=True)
        hidden, canvases = self.slot(slots) + self.whole(mean), []
        for run in b["runs"]:
            first, count, rows, columns = run["first"], run["count"], run["rows"], run["columns"]
            own = hidden[first : first + count, : rows * columns] + self.layout.weight[run["layout"]]
            grid = self.paint(F.silu(own)).view(count, rows, columns, CONTROLS, 3, CONTROLS)
            grid = grid.permute(0, 4, 1, 3, 2, 5).reshape(count, 3, rows * CONTROLS, columns * CONTROLS)
            canvases.append(run["down"] @ grid @ run["across"].T)
        return torch.sigmoid(torch.cat(canvases))


class Reader(nn.Module):
    def __init__(self, c, layouts):
        super().__init__()
        d, channels = c["hidden_size"], c["reader"]
        seen, inner = 3 * channels, 2 * channels
        self.look, self.inner = nn.Linear(3 * SAMPLES**2, seen), nn.Linear(seen, inner)
        self.whole, self.slot = nn.Linear(seen, inner, bias=False), nn.Linear(inner, d)
        self.stem, self.squeeze = nn.Linear(3 * PATCH * PATCH, channels), nn.Linear(channels, SQUEEZED)
        self.layout_in = nn.Linear(SQUEEZED * (PATCHES // BLOCK) ** 2 + channels, HIDDEN)
        self.layout_out = nn.Linear(HIDDEN, len(layouts))

    def features(self, pictures):
        return pictures * 2 - 1

    def layout(self, features):
        blocks = PATCHES // BLOCK
        x = features.view(-1, 3, PATCHES, PATCH, PATCHES, PATCH).permute(0, 2, 4, 1, 3, 5)
        patches = F.relu(self.stem(x.reshape(-1, PATCHES, PATCHES, 3 * PATCH * PATCH)))
        x = F.relu(self.squeeze(patches)).view(-1, blocks, BLOCK, blocks, BLOCK, SQUEEZED)
        pooled = torch.cat([x.mean((2, 4)).flatten(1), patches.mean((1, 2))], 1)
        return self.layout_out(F.relu(self.layout_in(pooled)))

    def slots(self, features, b):
        found = []
        for run in b["runs"]:
            first, count, rows, columns = run["first"], run["count"], run["rows"], run["columns"]
            x = run["look_down"] @ features[first : first + count] @ run["look_across"].T
            x = x.view(count, 3, rows, SAMPLES, columns, SAMPLES).permute(0, 2, 4, 3, 1, 5)
            seen = F.relu(self.look(x.reshape(count, rows * columns, -1)))
            x = self.slot(F.relu(self.inner(seen) + self.whole(seen.mean(1, keepdim=True))))
            found.append(F.pad(x, (0, 0, 0, b["cells"].shape[1] - rows * columns)))
        return torch.cat(found)


class Pose(nn.Module):
    def __init__(self, width):
        super().__init__()
        sizes = [(3, width, 5), (width, 2 * width, 3), (2 * width, 4 * width, 3), (4 * width, 4 * width, 3)]
        self.kernels = nn.ParameterList(torch.zeros(o, i, s, s) for i, o, s in sizes)
        self.dense, self.output = nn.Linear(4 * width * 16, 8 * width), nn.Linear(8 * width, 8)
        self.register_buffer("upright", tensor(CORNERS.astype(np.float32)).flatten(), persistent=False)

    def forward(self, small):
        x = small * 2 - 1
        for kernel in self.kernels:
            x = F.silu(F.conv2d(x, kernel, stride=2, padding=kernel.shape[2] // 2))
        return self.output(F.silu(self.dense(x.flatten(1)))) + self.upright


# The distortions (src/nn/distortions).

LEVEL = 128 / 255
COLOURS = torch.tensor([[0.299, 0.587, 0.114], [-0.1687359, -0.3312641, 0.5], [0.5, -0.4186876, -0.0813124]])
COLOURS_BACK = torch.tensor([[1, 0, 1.402], [1, -0.3441363, -0.7141363], [1, 1.772, 0]])
LUMINANCE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMINANCE = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
""" + "99 " * 32
TABLES = torch.tensor([[int(n) for n in t.split()] for t in (LUMINANCE, CHROMINANCE, CHROMINANCE)]).view(3, 8, 8)
WAVES = torch.tensor(
    [
        [math.sqrt(0.125 if k == 0 else 0.25) * math.cos((2 * i + 1) * k * math.pi / 16) for i in range(8)]
        for k in range(8)
    ]
)


def from_corners(corners):
    """[B, 4, 2] places of the corners to maps [B, 3, 3] from the picture drawn so to its input; the identity
    where they are no corners of a convex quadrilateral."""
    a, b, c, d = corners.transpose(1, 0, 2)
    turn = lambda p, q, r: (q - p)[:, 0] * (r - q)[:, 1] - (q - p)[:, 1] * (r - q)[:, 0]
    turns = np.stack([turn(a, b, c), turn(b, c, d), turn(c, d, a), turn(d, a, b)])
    convex = (turns > 1e-9).all(0) | (turns < -1e-9).all(0)
    (x1, y1), (x2, y2), (x3, y3) = (b - c).T, (d - c).T, (a - b + c - d).T
    det = np.where(convex, x1 * y2 - x2 * y1, 1)
    g, h = (x3 * y2 - x2 * y3) / det, (x1 * y3 - x3 * y1) / det
    rows = [np.stack([b[:, k] - a[:, k] + g * b[:, k], d[:, k] - a[:, k] + h * d[:, k], a[:, k]], 1) for k in (0, 1)]
    maps = np.stack([*rows, np.stack([g, h, np.ones_like(g)], 1)], 1) @ np.array([[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]])
    maps[~convex] = np.eye(3)
    return np.linalg.inv(maps)


def map_points(maps, points):
    """Homographies [B, 3, 3] of points [B, N, 2]."""
    x = points @ maps[:, :, :2].mT + maps[:, None, :, 2]
    return x[..., :2] / x[..., 2:].clamp_min(1e-6)


def pixels(size):
    line = (2 * torch.arange(size, dtype=torch.float64) + 1) / size - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), 2).view(1, -1, 2)


def sample(pictures, points):
    """The pictures at points [B, N, 2], bilinear, the border going on outside."""
    grid = points.view(len(pictures), *pictures.shape[2:], 2).float()
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def straight_through(plain, changed):
    return plain + (changed - plain).detach()


def rounded(pictures):
    return straight_through(pictures, (pictures * 255).round() / 255)


# Compiled by torch 2.15, the padding's way back expects another order of the gradient's values than it gets.
@torch.compiler.disable
def blur(pictures, kernels):
    """Each picture by its own kernel [B, 7], across and down."""
    batch, channels, height, width = pictures.shape
    kernels = kernels.repeat_interleave(channels, 0)
    x = F.pad(pictures, (3, 3, 3, 3), mode="replicate").view(1, batch * channels, height + 6, width + 6)
    x = F.conv2d(x, kernels[:, None, None], groups=batch * channels)
    return F.conv2d(x, kernels[:, None, :, None], groups=batch * channels).view(pictures.shape)


@torch.no_grad()
def quantised(pictures, steps):
    """As they come back from JPEG with steps [B, 3, 1, 8, 1, 8] in its blocks."""
    batch, _, height, width = pictures.shape
    x = torch.einsum("ij,bjhw->bihw", COLOURS, pictures - LEVEL).view(batch, 3, height // 8, 8, width // 8, 8)
    x = torch.einsum("ki,bcuivj,lj->bcukvl", WAVES, x, WAVES)
    x = (x / steps).round() * steps
    x = torch.einsum("ki,bcukvl,lj->bcuivj", WAVES, x, WAVES).reshape(batch, 3, height, width)
    return torch.einsum("ij,bjhw->bihw", COLOURS_BACK, x) + LEVEL


def behind_lens(pictures, d):
    """Blur, gains, patches and static, JPEG, the range of values."""
    x = blur(pictures, d["kernels"]) * d["scale"]
    x = x * d["keep"] + d["paint"]
    if "steps" in d:
        x = straight_through(x, quantised(x, d["steps"]))
    return x.clamp(0, 1)


def lens(blows, size, shrunk=1):
    """What `behind_lens` needs, made of a trace's blows for pictures of so many pixels, made smaller before."""
    deviation = np.array([max(blow["blur_px"] / shrunk, 1e-3) for blow in blows])[:, None]
    kernels = np.exp(-0.5 * (np.abs(np.arange(7) - 3) / deviation) ** 2)
    line = (2 * np.arange(size) + 1) / size - 1
    keep = np.ones((len(blows), 1, size, size), np.float32)
    paint = np.zeros((len(blows), 3, size, size), np.float32)
    for b, blow in enumerate(blows):
        if patch := blow["patch"]:
            fade = max(patch["fade"], 1 / size)
            cover = [
                np.clip(0.5 * (patch["sides"][k] - np.abs(line - patch["centre"][k])) / fade + 0.5, 0, 1) for k in (0, 1)
            ]
            cover = cover[1][:, None] * cover[0]
            keep[b], paint[b] = 1 - cover, cover * np.array(patch["colour"])[:, None, None]
        if blow["deviation"]:
            paint[b] += blow["deviation"] / shrunk * static(blow["noise_seed"], 3 * size * size).reshape(3, size, size)
    d = {
        "kernels": tensor((kernels / kernels.sum(1, keepdims=True)).astype(np.float32)),
        "scale": torch.tensor([blow["scale"] for blow in blows])[:, :, None, None],
        "keep": tensor(keep),
        "paint": tensor(paint),
    }
    if shrunk == 1:
        quality = torch.tensor([blow["quality"] or 100.0 for blow in blows]).clamp(1, 100)
        percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None, None]
        steps = ((TABLES * percent + 50) / 100).floor().clamp(1, 255) / 255
        d["steps"] = steps[:, :, None, :, None]
    return d


# The step (src/glyphs/losses.rs).


def contrast_of(pictures):
    return (pictures.flatten(1).var(1, correction=0) + 1e-12).sqrt()


def distance_mismatch(x, y):
    x, y = x - x.mean(), y - y.mean()
    return 1 - (x * y).mean() / (x.square().mean() * y.square().mean() + 1e-12).sqrt()


class Glyphs(nn.Module):
    """The networks; a share's draws to its loss."""

    def __init__(self, trace):
        super().__init__()
        c, vocabulary = trace.config, trace.setup["vocabulary"]
        if c["design"] != "mosaic" or c["perceptual"] or c["repulsion_weight"] or not c["shared_pairs"]:
            raise SystemExit("this twin is of the plain preset: a mosaic, without a perceptor")
        self.c, self.pad, self.layouts = c, trace.setup["pad"], layouts_for(c["max_tokens"])
        slots = max(rows * columns for rows, columns in self.layouts)
        self.text_encoder = Roberta(c, vocabulary, slots)
        self.generator, self.reader = Generator(c, self.layouts), Reader(c, self.layouts)
        self.pose, self.behind_lens = Pose(c["pose"]), behind_lens
        self.text_decoder = MaskedLm(c, vocabulary, slots)
        self.load_state_dict(trace.weights)

    def groups(self):
        """Parameters by the multiplier of their learning rate."""
        c, groups = self.c, {}
        rates = {"text_encoder": c["text_rate"], "text_decoder": c["text_rate"], "generator": c["generator_rate"]}
        rates |= {"reader": c["reader_rate"], "pose": c["reader_rate"]}
        for name, parameter in self.named_parameters():
            groups.setdefault(rates.get(name.split(".")[0], 1.0), []).append(parameter)
        return [{"params": parameters, "rate": rate} for rate, parameters in groups.items()]

    def compile_parts(self):
        """Compiles what has one form for all batches. Layouts, damage and sizes differ from share to share, so
        that the whole loss would be compiled anew for each."""
        for part in (self.text_encoder, self.text_decoder.roberta, self.pose):
            part.compile(dynamic=True)
        self.text_decoder.logits = torch.compile(self.text_decoder.logits, dynamic=True)
        self.reader.features = torch.compile(self.reader.features, dynamic=True)
        self.reader.layout = torch.compile(self.reader.layout, dynamic=True)
        self.behind_lens = torch.compile(behind_lens, dynamic=True)

    def loss(self, b):
        c, real = self.c, b["real"]
        slots = self.text_encoder(self.text_encoder.embeddings.word_embeddings(b["tokens"]), real)
        latents = (slots * (real / real.sum(1, keepdim=True))[..., None]).sum(1)
        pictures = rounded(self.generator(slots, b))
        small = F.avg_pool2d(pictures, 2)
        own = small - small.mean(0) if len(small) > 1 else small
        contrast = (c["contrast_target"] - contrast_of(own)).clamp_min(0).mean()
        some = pictures[::4]
        rough = lambda a, b: (a - b).abs().mean((1, 2, 3))
        steps = (rough(some[:, :, 1:], some[:, :, :-1]) + rough(some[..., 1:], some[..., :-1])) / 2
        smoothness = (steps / (contrast_of(some) + 1e-3) - c["smoothness_target"]).clamp_min(0).mean()

        found = self.pose(self.behind_lens(sample(rounded(small.detach()), b["tilted"]), b["small"]))
        pose = (found - b["corners"]).abs().mean()
        seen = self.seen(pictures, found, b)
        features = self.reader.features(seen)
        layout = F.cross_entropy(self.reader.layout(features), b["layouts"])
        hidden = self.text_decoder.roberta(self.reader.slots(features, b), b["cells"])
        logits = self.text_decoder.logits(hidden.flatten(0, 1)[b["read"]])
        token = F.cross_entropy(logits, b["truth"], label_smoothing=c["label_smoothing"])
        loss = token + c["layout_weight"] * layout + c["pose_weight"] * pose
        loss = loss + b["looks"] * (c["contrast_weight"] * contrast + c["smoothness_weight"] * smoothness)
        if len(b["pairs"]):
            one, two = b["pairs"].T
            apart = lambda rows: (rows[one] - rows[two]).abs().mean(1)
            loss = loss + c["distance_weight"] * distance_mismatch(apart(small.flatten(1)), apart(latents))
        return loss

    def seen(self, pictures, found, b):
        """What the reader sees: the damaged ones set upright by the corners found."""
        first, end = b["hit"]
        if first == end:
            return pictures
        corners = found.detach()[first:end].double().view(-1, 4, 2).cpu().numpy()
        back = tensor(np.linalg.inv(from_corners(corners)))
        points = map_points(b["there"], map_points(back, pixels(GLYPH)).clamp(-1, 1))
        hit = self.behind_lens(sample(pictures[first:end], points), b["lens"])
        return torch.cat([pictures[:first], hit, pictures[end:]])

    def share(self, batch, blows, pairs, looks_count):
        """A share of a trace's step as tensors."""
        rows, count = batch["rows"], len(batch["rows"])
        fits = lambda row: next((i for i, (r, k) in enumerate(self.layouts) if r * k >= len(row)), len(self.layouts) - 1)
        kinds = [fits(row) for row in rows]
        cells = [self.layouts[kind][0] * self.layouts[kind][1] for kind in kinds]
        wide, runs = max(cells), []
        for picture, kind in enumerate(kinds):
            if runs and runs[-1]["layout"] == kind:
                runs[-1]["count"] += 1
                continue
            high, across = self.layouts[kind]
            runs.append({"layout": kind, "first": picture, "count": 1, "rows": high, "columns": across})
            runs[-1] |= {"down": painting(high), "across": painting(across)}
            runs[-1] |= {"look_down": looks(high), "look_across": looks(across)}
        tokens = torch.tensor([row + [self.pad] * (wide - len(row)) for row in rows])
        prefix = lambda lengths: (torch.arange(wide) < torch.tensor(lengths)[:, None]).float()
        read = prefix(cells).flatten().nonzero()[:, 0]
        hard = [place for place, difficulty in enumerate(batch["difficulties"]) if difficulty > 0]
        first, end = (hard[0], hard[-1] + 1) if hard else (0, 0)
        corners = np.array([blow["corners"] for blow in blows])
        maps = tensor(from_corners(corners))
        return {
            "tokens": tokens,
            "real": prefix([len(row) for row in rows]),
            "cells": prefix(cells),
            "layouts": torch.tensor(kinds),
            "read": read,
            "truth": tokens.flatten()[read],
            "runs": runs,
            "hit": (first, end),
            "there": maps[first:end],
            "tilted": map_points(maps, pixels(GLYPH // 2)),
            "corners": tensor(corners.reshape(count, 8)).float(),
            "small": lens(blows, GLYPH // 2, 2),
            "lens": lens(blows[first:end], GLYPH) if hard else None,
            "pairs": torch.tensor(pairs[0]),
            "looks": looks_count,
        }

    def shares(self, step):
        """The shares of a trace's step."""
        c, draws = self.c, step["draws"]
        progress = min(step["metrics"]["position"] / c["schedule_steps"], 1)
        share = min(max((progress - c["looks_from"]) / max(1 - c["looks_from"], 0.1) * 2, 0), 1)
        parts, values = len(draws) // c["shards"], [values for _, values in draws]
        if [name for name, _ in draws] != ["batch", "damage", "pairs"] * c["shards"]:
            raise SystemExit("a step drew other things than this twin expects: see src/glyphs/step_plan.rs")
        return [self.share(*values[at : at + parts], share) for at in range(0, len(values), parts)]


class Training:
    """A run that takes a trace's steps."""

    def __init__(self, trace, compiled):
        self.trace, self.glyphs = trace, Glyphs(trace)
        self.loss = self.glyphs.loss
        if compiled:
            self.glyphs.compile_parts()
        self.optimiser = optimiser(self.glyphs.groups(), trace.config)
        self.parameters = [p for group in self.optimiser.param_groups for p in group["params"]]

    def prepare(self, numbers):
        """Lays these steps' draws out, for the clock not to see it."""
        self.ready = {number: self.glyphs.shares(self.trace.steps[number]) for number in numbers}

    def step(self, number):
        """The step's loss."""
        shares = self.ready[number] if number in self.ready else self.glyphs.shares(self.trace.steps[number])
        for group in self.optimiser.param_groups:
            group["lr"] = self.trace.steps[number]["metrics"]["learning_rate"] * group["rate"]
        total = 0.0
        for share in shares:
            loss = self.loss(share) / len(shares)
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(self.parameters, self.trace.config["max_norm"])
        self.optimiser.step()
        self.optimiser.zero_grad()
        return total

    def agreement(self):
        """Takes all the steps: the largest difference of the losses, and its step."""
        self.ready = {}
        ours = [step["metrics"]["loss"] for step in self.trace.steps]
        self.losses = [self.step(i) for i in range(len(ours))]
        return differences(ours, self.losses)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    use_cores(args.cores)
    trace = Trace(args.trace)
    training = Training(trace, args.compile)
    apart, step = training.agreement()
    print(f"{len(trace.steps)} steps: the losses differ by {apart:.1e} at most, at step {step}")
    count = min(10, len(trace.steps))
    training.prepare(range(count))
    print(f"a step: {clocked(training.step, count):.1f} ms")


if __name__ == "__main__":
    main()
