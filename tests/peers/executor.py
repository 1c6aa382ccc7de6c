"""The pocket Latent Executor's training step and loss map in PyTorch.

    python3 -m venv venv && venv/bin/pip install numpy torch
    cargo build --release
    target/release/glyphspace bench train --device cpu --trace /tmp/trace
    venv/bin/python tests/peers/executor.py /tmp/trace [--compile]

takes our steps again from our weights with our draws and prints how far the two curves of losses are apart,
and what a step takes. compare.py does that for all twins, and measures ours in turn.

Written as a user of PyTorch would want it fast: the shares of a step, which ours computes side by side with a
gradient each, go through the networks as one batch, and what they have in common is computed once; draws are
read from the trace before the clock starts, while ours are drawn in the step.
"""

import argparse
import json
import math

import torch
from torch import nn
from torch.nn import functional as F

from twin import ROOT, Trace, clocked, differences, optimiser, use_cores

LENGTH, END = 4, 1
STATES, CODES = range(10, 100), range(-99, 100)
CELL_DRAWS, NEAR_PAIRS, FAR_PAIRS, BEYOND = 96, 192, 64, 1.3
BANDWIDTHS, REACH, DECODED_AT_ONCE = (0.02, 0.1, 0.5), 0.05, 4096
OUTER = {"shared", "relative_attention_bias", "lm_head", "encoder_out"}
ROUNDS, COEFFICIENTS = 5, (3.4445, -4.775, 2.0315)


def bucket(offset, buckets, reach):
    """T5's relative position bucket, for encoders."""
    first, half, distance = (buckets // 2 if offset > 0 else 0), buckets // 2, abs(offset)
    exact = half // 2
    if distance < exact:
        return first + distance
    share = math.log(distance / exact) / math.log(reach / exact)
    return first + min(exact + int(share * (half - exact)), half - 1)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        inner = c["num_heads"] * c["d_kv"]
        self.heads = c["num_heads"]
        self.q, self.k, self.v = (nn.Linear(c["d_model"], inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, c["d_model"], bias=False)

    def forward(self, queries, memory, bias):
        split = lambda x: x.unflatten(2, (self.heads, -1)).transpose(1, 2)
        scores = split(self.q(queries)) @ split(self.k(memory)).transpose(2, 3) + bias
        mixed = scores.softmax(3) @ split(self.v(memory))
        return self.o(mixed.transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention = Attention(c)
        self.layer_norm = nn.RMSNorm(c["d_model"], 1e-6)


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.wi = nn.Linear(c["d_model"], c["d_ff"], bias=False)
        self.wo = nn.Linear(c["d_ff"], c["d_model"], bias=False)
        self.layer_norm = nn.RMSNorm(c["d_model"], 1e-6)

    def forward(self, x):
        return x + self.wo(F.relu(self.wi(self.layer_norm(x))))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self_attention, self.feed_forward = SelfAttention(c), FeedForward(c)


class Stack(nn.Module):
    """T5's encoder stack for sequences of `length`, of which the first `keep` come out."""

    def __init__(self, c, layers, length=LENGTH, keep=LENGTH):
        super().__init__()
        buckets, reach = c["relative_attention_num_buckets"], c["relative_attention_max_distance"]
        self.block = nn.ModuleList(Block(c) for _ in range(layers))
        self.relative_attention_bias = nn.Embedding(buckets, c["num_heads"])
        self.final_layer_norm = nn.RMSNorm(c["d_model"], 1e-6)
        self.keep = keep
        places = [[bucket(key - query, buckets, reach) for key in range(length)] for query in range(length)]
        self.register_buffer("places", torch.tensor(places), persistent=False)

    def forward(self, x):
        bias = self.relative_attention_bias(self.places).permute(2, 0, 1)
        for i, block in enumerate(self.block):
            normed = block.self_attention.layer_norm(x)
            asking, asked = normed, bias
            if i + 1 == len(self.block) and self.keep < x.shape[1]:
                x, asking, asked = x[:, : self.keep], normed[:, : self.keep], bias[:, : self.keep]
            x = block.feed_forward(x + block.self_attention.attention(asking, normed, asked))
        return self.final_layer_norm(x)


class Bottleneck(nn.Module):
    def __init__(self, c):
        super().__init__()
        wide, width, dims = LENGTH * c["d_model"], c["bottleneck"], c["dims"]
        self.encoder_in, self.encoder_out = nn.Linear(wide, width), nn.Linear(width, dims)
        self.decoder_in = nn.Linear(dims * (1 + 2 * c["octaves"]), width)
        self.decoder_mid, self.decoder_out = nn.Linear(width, width), nn.Linear(width, wide)
        self.register_buffer("waves", math.pi * 2.0 ** torch.arange(c["octaves"]), persistent=False)
        self.activation = getattr(F, c["bottleneck_activation"])

    def encode(self, hidden):
        return self.encoder_out(self.activation(self.encoder_in(hidden.flatten(1)))).tanh()

    def decode(self, point, octaves):
        """[B, Z] points and the octaves' weights to [B, L, D]."""
        angles = point[:, None] * self.waves[:, None]
        waves = torch.stack([angles.sin(), angles.cos()], 2) * octaves[:, None, None]
        lifted = torch.cat([point, waves.flatten(1)], 1)
        x = self.decoder_mid(self.activation(self.decoder_in(lifted)))
        return self.decoder_out(self.activation(x)).unflatten(1, (LENGTH, -1))


class Autoencoder(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.shared = nn.Embedding(vocabulary, c["d_model"])
        self.encoder, self.decoder = Stack(c, c["encoder_layers"]), Stack(c, c["decoder_layers"])
        self.bottleneck = Bottleneck(c)
        self.lm_head = nn.Linear(c["d_model"], vocabulary, bias=False)

    def read_in(self, tokens):
        return self.encoder(self.shared(tokens))

    def encode(self, tokens):
        return self.bottleneck.encode(self.read_in(tokens))

    def logits(self, hidden):
        return self.lm_head(self.decoder(hidden))


class LatentExecutor(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        if c["decoder"] != "one-pass" or c["lines"] != 1 or c["inner_step_weight"] or c["inverse_encoder"] is False:
            raise SystemExit("this twin is of the pocket preset: one pass, one line, no inner step, an inverse")
        self.state, self.code = Autoencoder(c, vocabulary), Autoencoder(c, vocabulary)
        self.executor = Stack(c, c["executor_layers"], 2 * LENGTH)
        self.inverse = Stack(c, c["executor_layers"], 2 * LENGTH)

    def execute(self, state, code):
        return self.state.bottleneck.encode(self.executor(torch.cat([state, code], 1)))

    def propose(self, start, result):
        return self.code.bottleneck.encode(self.inverse(torch.cat([start, result], 1)))


def token_nll(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none").view_as(tokens)


def square_distances(x, y):
    """[.., N, Z] and [.., M, Z] to [.., N, M]."""
    squares = lambda t: t.square().sum(-1, keepdim=True)
    return (squares(x) + squares(y).mT - 2 * x @ y.mT).clamp_min(0)


def row_distances(x, y):
    return ((x - y).square().sum(-1) + 1e-8).sqrt()


def box_discrepancy(points):
    """[.., N, Z] to the mean of the squared discrepancies from the uniform distribution on the box."""
    dims, apart, total = points.shape[-1], square_distances(points, points), 0.0
    for width in BANDWIDTHS:
        spread = math.sqrt(dims * width)
        reach = 1 / (spread * math.sqrt(2))
        along = torch.erf((points + 1) * reach) - torch.erf((points - 1) * reach)
        across = (along * (spread * math.sqrt(math.pi / 8))).prod(-1).mean()
        own = math.erf(2 * reach) * spread * math.sqrt(math.pi / 2)
        own -= spread**2 * (1 - math.exp(-2 / spread**2)) / 2
        total = total + (apart / (-2 * spread**2)).exp().mean() + own**dims - 2 * across
    return total


def emptiness(points, places):
    count, dims = places.shape
    half_diagonal = math.sqrt(dims) * lattice_spacing(count, dims) / 2
    nearest = square_distances(points, places.detach()).argmin(1)
    return F.relu(row_distances(points, places[nearest]) / half_diagonal - 1).square().mean()


def lattice_spacing(count, dims):
    return 2 * count ** (-1 / dims)


def neighbour_distance(places):
    reach = REACH * 2 * math.sqrt(places.shape[1])
    return F.relu(row_distances(places[:-1], places[1:]) / reach - 1).square().mean()


def too_far_out(points):
    inside = points.clamp(-1 + 1e-6, 1 - 1e-6)
    return F.relu((0.5 * ((1 + inside) / (1 - inside)).log()).abs() - 1.5).square().sum()


class Sums(nn.Module):
    """The model with the words of all numbers: a step's draws to its loss."""

    def __init__(self, trace):
        super().__init__()
        self.c, position = trace.config, trace.setup["position"]
        ids = json.loads((ROOT / "assets" / "sums-tokenizer.json").read_text())["model"]["vocab"]
        spell = lambda n: [ids[char] for char in str(n)] + [END] * (LENGTH - len(str(n)))
        held_out = {tuple(pair) for pair in trace.setup["held_out"]}
        pairs = [(start, start + code) for start in STATES for code in CODES]
        word = lambda n: spell(n) if n in STATES else [END] * LENGTH
        tables = {
            "states": torch.tensor([spell(n) for n in STATES]),
            "codes": torch.tensor([spell(n) for n in CODES]),
            "results": torch.tensor([word(result) for _, result in pairs]),
            "allowed": torch.tensor([float(r in STATES and (s, r) not in held_out) for s, r in pairs]),
            "illegal": torch.tensor([float(r not in STATES) for _, r in pairs]),
        }
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.model = LatentExecutor(self.c, len(ids))
        self.model.load_state_dict(trace.weights)
        self.octaves = self.octaves_at(position)

    def octaves_at(self, position):
        """The octaves' weights at a position of the schedule."""
        c = self.c
        if c["coarse_to_fine"] <= 0:
            return torch.ones(c["octaves"])
        reached = c["octaves"] * position / c["schedule_steps"] / c["coarse_to_fine"]
        weights = [(1 - math.cos(math.pi * min(max(reached - k, 0.0), 1.0))) / 2 for k in range(c["octaves"])]
        return torch.tensor(weights)

    def terms(self, d):
        """The terms of the loss (src/executor/losses.rs), each a mean over the shares."""
        c, model = self.c, self.model
        shares, batch, dims = c["shards"], c["batch"], c["dims"]
        known, cells = len(STATES) // shares, CELL_DRAWS // shares
        octaves = d["octaves"]
        read_in = model.state.read_in(self.states)
        states = model.state.bottleneck.encode(read_in)
        codes = model.code.encode(self.codes)
        state_hidden = model.state.bottleneck.decode(states, octaves)

        nearest = square_distances(d["anywhere"], codes.detach()).argmin(1)
        proposed = model.propose(read_in[d["start"]], read_in[d["result"]])
        own = d["own_codes"]
        hidden = model.code.bottleneck.decode(torch.cat([codes[own], d["anywhere"], proposed]), octaves)
        targets = torch.cat([self.codes[own], self.codes[nearest], self.codes[d["code"]]])
        nll = token_nll(model.code.logits(hidden), targets)
        code_nll, cell_nll, inverse_nll = nll.mean(1).split([len(CODES), shares * cells, shares * batch])
        code_nll = (code_nll * d["code_weights"]).sum()
        cell_nll, inverse_nll = cell_nll.mean(), inverse_nll.mean()

        # The largest ball round each program that holds no other, as a constant.
        fixed = codes.detach()
        others = square_distances(fixed, fixed) + torch.eye(len(CODES)) * 1e9
        radius = others.amin(1).sqrt() * (0.5 * c["cell_noise"])
        within = codes[d["code"]] + d["ball"] * radius[d["code"]][:, None]
        programs = torch.cat(
            [model.code.bottleneck.decode(within, octaves), hidden[len(CODES) : len(CODES) + shares * cells]]
        )
        starts = torch.cat([state_hidden[d["start"]], state_hidden[d["elsewhere"]]])
        points = model.execute(starts, programs)
        results, anywhere = points.split([shares * batch, shares * cells])

        pair = d["elsewhere"] * len(CODES) + nearest
        share = lambda x: x.unflatten(0, (shares, -1))
        everywhere = lambda x: x.expand(shares, *x.shape)
        own = d["own_states"]
        shown = torch.cat([states[own], share(results), share(anywhere)], 1)
        shown = shown + d["shake"] * (c["state_noise"] * lattice_spacing(len(STATES), dims))
        targets = torch.cat(
            [self.states[own], share(self.states[d["result"]]), share(self.results[pair])], 1
        ).flatten(0, 1)
        hidden = model.state.bottleneck.decode(shown.flatten(0, 1), octaves)
        nll = share(token_nll(model.state.logits(hidden), targets))
        state_nll, result_nll, cell_results = nll.split([known, batch, cells], 1)
        cell_results = cell_results.mean(2)

        def marked(mask):
            mask = share(mask[pair])
            return ((cell_results * mask).sum(1) / (mask.sum(1) + 1e-3)).mean()

        apart = row_distances(codes[d["near"][0]], codes[d["near"][1]])
        fixed = states.detach()
        results_apart = row_distances(fixed[d["led"][0]], fixed[d["led"][1]])
        beyond = results_apart.amax(1, keepdim=True) * BEYOND
        results_apart = torch.cat([results_apart, beyond.expand(-1, FAR_PAIRS // shares)], 1)
        x, y = (t - t.mean(1, keepdim=True) for t in (apart, results_apart))
        spread = (x.square().mean(1) * y.square().mean(1) + 1e-12).sqrt()
        isometry = (1 - (x * y).mean(1) / spread).mean()

        out = shares * (too_far_out(states) + too_far_out(codes)) + too_far_out(results)
        return {
            "state_nll": state_nll.mean(),
            "code_nll": code_nll,
            "result_nll": result_nll.mean(),
            "cell_nll": cell_nll,
            "cell_result_nll": marked(self.allowed),
            "nothing_nll": marked(self.illegal),
            "mmd_states": box_discrepancy(torch.cat([everywhere(states), share(results)], 1)),
            "mmd_codes": box_discrepancy(codes),
            "isometry": isometry,
            "neighbours": neighbour_distance(codes) + neighbour_distance(states),
            "cover": emptiness(d["cover"], codes) + emptiness(d["cover"], states),
            "saturation": out / (shares * (len(STATES) + len(CODES) + batch) * dims),
            "inverse_nll": inverse_nll,
            "consistency": (results - fixed[d["result"]]).square().mean(),
        }

    def loss(self, d):
        """The weighted sum of the terms."""
        c = self.c
        weights = {
            "state_nll": c["autoencoder_weight"],
            "code_nll": c["autoencoder_weight"],
            "result_nll": c["executor_weight"],
            "cell_nll": c["cell_weight"],
            "cell_result_nll": c["cell_result_weight"],
            "nothing_nll": c["empty_result_weight"],
            "inverse_nll": c["inverse_weight"],
            "neighbours": c["neighbour_weight"],
        }
        return sum(term * weights.get(name, c.get(f"{name}_weight", 0)) for name, term in self.terms(d).items())

    def draws(self, step):
        """What a step of the trace drew, in the order in which src/executor/step_plan.rs draws it, all shares together."""
        c, shares = self.c, self.c["shards"]
        values = [values for _, values in step["draws"]]
        each = len(values) // shares
        if each != 17:
            raise SystemExit(f"a share drew {each} times, this twin expects 17: see src/executor/step_plan.rs")
        whole = lambda i: torch.stack([torch.tensor(values[s * each + i]) for s in range(shares)])
        points = lambda i: whole(i).float().view(shares, -1, c["dims"])
        own_codes = [torch.tensor(values[s * each + 1]) for s in range(shares)]
        return {
            "octaves": self.octaves_at(step["metrics"]["position"]),
            "own_states": whole(0),
            "own_codes": torch.cat(own_codes),
            "code_weights": torch.cat([torch.full([len(own)], 1 / (len(own) * shares)) for own in own_codes]),
            "anywhere": points(2).flatten(0, 1),
            "start": whole(3).flatten(),
            "result": whole(4).flatten(),
            "code": whole(5).flatten(),
            "ball": points(7).flatten(0, 1),
            "elsewhere": whole(9)[:, c["batch"] :].flatten(),
            "shake": points(10),
            "near": (whole(12), whole(13)),
            "led": (whole(14), whole(15)),
            "cover": points(16).flatten(0, 1),
        }


class Muon:
    """The matrices' steps (src/nn/muon.rs), all of one shape at once."""

    def __init__(self, named, config):
        alike = {}
        for name, matrix in named:
            # Ours are the transposes.
            wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
            alike.setdefault(tuple(wide.shape), []).append((matrix, wide is matrix))
        self.groups = [(members, torch.zeros(len(members), *shape)) for shape, members in alike.items()]
        self.pace, self.decay = config["muon"], config["weight_decay"]

    @torch.no_grad()
    def step(self, rate):
        for members, momentum in self.groups:
            slopes = torch.stack([m.grad if is_wide else m.grad.T for m, is_wide in members])
            momentum.lerp_(slopes, 0.1)
            x = slopes.lerp(momentum, 0.9)
            x = x / (x.square().sum((1, 2), keepdim=True).sqrt() + 1e-12)
            for _ in range(ROUNDS):
                gram = x @ x.mT
                first, third, fifth = COEFFICIENTS
                x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth), x, beta=first)
            x *= rate * self.pace * math.sqrt(x.shape[2])
            for (matrix, is_wide), move in zip(members, x):
                matrix.mul_(1 - rate * self.decay).sub_(move if is_wide else move.T)


class Training:
    """A run that takes a trace's steps."""

    def __init__(self, trace, compiled):
        self.trace, self.sums = trace, Sums(trace)
        self.loss = torch.compile(self.sums.loss) if compiled else self.sums.loss
        self.parameters = list(self.sums.parameters())
        is_hidden = lambda name, p: trace.config["muon"] > 0 and p.dim() == 2 and not OUTER & set(name.split("."))
        named = list(self.sums.named_parameters())
        self.muon = Muon([(name, p) for name, p in named if is_hidden(name, p)], trace.config)
        self.optimiser = optimiser([p for name, p in named if not is_hidden(name, p)], trace.config)
        self.draws = [self.sums.draws(step) for step in trace.steps]

    def prepare(self, numbers):
        """Nothing: all steps' draws are there."""

    def step(self, number):
        """The step's loss; numbers beyond the trace's begin again."""
        number %= len(self.draws)
        rate = self.trace.steps[number]["metrics"]["learning_rate"]
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self.loss(self.draws[number])
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.trace.config["max_norm"])
        self.optimiser.step()
        self.muon.step(rate)
        for parameter in self.parameters:
            parameter.grad = None
        return loss.item()

    def agreement(self):
        """Takes all the steps: the largest difference of the losses, and its step."""
        ours = [step["metrics"]["loss"] for step in self.trace.steps]
        self.losses = [self.step(i) for i in range(len(ours))]
        return differences(ours, self.losses)


class Map:
    """The loss of a sum over the plane: each point decoded, run, and its result judged (src/executor/map.rs)."""

    def __init__(self, trace, compiled, start=71, result=18, size=256):
        self.sums = Sums(trace)
        self.pair = torch.tensor([start - STATES[0], result - STATES[0]])
        line = (torch.arange(size) + 0.5) / size * 2 - 1
        self.points = torch.stack(torch.meshgrid(line, line, indexing="xy"), 2).flatten(0, 1)
        self.evaluate = torch.compile(self.cells) if compiled else self.cells

    def cells(self, points, start, target):
        model, octaves = self.sums.model, self.sums.octaves
        program = model.code.bottleneck.decode(points, octaves)
        logits = model.code.logits(program)
        log = logits.log_softmax(2)
        entropy = -(log.exp() * log).sum((1, 2))
        reached = model.execute(start.expand(len(points), -1, -1), program)
        logits = model.state.logits(model.state.bottleneck.decode(reached, octaves))
        loss = token_nll(logits, target.expand(len(points), -1)).sum(1)
        return loss, entropy, log.argmax(2), logits.argmax(2)

    @torch.inference_mode()
    def draw(self):
        """The losses, row by row, and the decoded tokens."""
        model = self.sums.model
        places = model.state.encode(self.sums.states[self.pair[:1]])
        start = model.state.bottleneck.decode(places, self.sums.octaves)
        target = self.sums.states[self.pair[1:]]
        parts = [self.evaluate(part, start, target) for part in self.points.split(DECODED_AT_ONCE)]
        return [torch.cat(part) for part in zip(*parts)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("trace")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    use_cores(args.cores)
    training = Training(Trace(args.trace), args.compile)
    apart, step = training.agreement()
    print(f"{len(training.draws)} steps: the losses differ by {apart:.1e} at most, at step {step}")
    print(f"a step: {clocked(training.step, 60):.1f} ms")


if __name__ == "__main__":
    main()
