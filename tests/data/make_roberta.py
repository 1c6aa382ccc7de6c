"""Makes roberta.json: a masked language model of RoBERTa's blocks in numpy, in double precision, for
tests/glyphs/roberta.rs to compare with.

    pip install numpy
    python make_roberta.py > roberta.json

Written from the papers (Liu et al. 2019, arXiv 1907.11692; Vaswani et al. 2017, arXiv 1706.03762),
with random weights everywhere, norms and biases too, so that a forgotten one shows. Dense matrices
are [inputs, outputs]. The second of the two sequences is padded.
"""

import json
import math

import numpy as np

SIZES = dict(vocab_size=9, hidden_size=6, num_hidden_layers=2, num_attention_heads=2,
             intermediate_size=10, max_tokens=7)
V, D, LAYERS, HEADS, INNER, LONGEST = SIZES.values()
LENGTH = 5
rng = np.random.default_rng(11)
weights = {}


def draw(name, shape, scale=1.0, middle=0.0):
    values = middle + scale * rng.standard_normal(shape)
    # Six digits: short in the file, and the same number on both sides of the comparison.
    weights[name] = np.array([float(f"{v:.6g}") for v in values.ravel()]).reshape(shape)


def draw_norm(name):
    draw(f"{name}.gamma", (D,), 0.3, 1.0)
    draw(f"{name}.beta", (D,), 0.3)


def draw_dense(name, inputs, outputs):
    draw(f"{name}.weight", (inputs, outputs), inputs**-0.5)
    draw(f"{name}.bias", (outputs,), 0.3)


def norm(name, x):
    centred = x - x.mean(-1, keepdims=True)
    x = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return x * weights[f"{name}.gamma"] + weights[f"{name}.beta"]


def dense(name, x):
    return x @ weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(x):
    return x * 0.5 * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0)))


def block(name, x, mask):
    split = lambda y: y.reshape(*y.shape[:2], HEADS, D // HEADS).transpose(0, 2, 1, 3)
    query, key, value = (split(dense(f"{name}.attention.{part}", x)) for part in ("query", "key", "value"))
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(D // HEADS)
    scores = np.where(mask[:, None, None, :] > 0, scores, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed = (shares @ value).transpose(0, 2, 1, 3).reshape(x.shape)
    x = norm(f"{name}.attention_output.layer_norm", dense(f"{name}.attention_output.dense", mixed) + x)
    inner = gelu(dense(f"{name}.intermediate", x))
    return norm(f"{name}.output.layer_norm", dense(f"{name}.output.dense", inner) + x)


def model(embedded, mask):
    # Position 0 belongs to nothing and 1 to padding: the first token has position 2.
    positions = weights["roberta.embeddings.position_embeddings.weight"][2:2 + embedded.shape[1]]
    kind = weights["roberta.embeddings.token_type_embeddings.weight"][0]
    x = norm("roberta.embeddings.layer_norm", embedded + positions + kind)
    for layer in range(LAYERS):
        x = block(f"roberta.layer.{layer}", x, mask)
    return x


def head(hidden):
    x = norm("lm_head.layer_norm", gelu(dense("lm_head.dense", hidden)))
    return x @ weights["roberta.embeddings.word_embeddings.weight"].T + weights["lm_head.bias"]


def listed(array):
    return {"shape": list(array.shape), "values": [float(f"{v:.8g}") for v in array.ravel()]}


draw("roberta.embeddings.word_embeddings.weight", (V, D))
draw("roberta.embeddings.position_embeddings.weight", (LONGEST + 2, D))
draw("roberta.embeddings.token_type_embeddings.weight", (1, D))
draw_norm("roberta.embeddings.layer_norm")
for layer in range(LAYERS):
    name = f"roberta.layer.{layer}"
    for part in ("query", "key", "value"):
        draw_dense(f"{name}.attention.{part}", D, D)
    draw_dense(f"{name}.attention_output.dense", D, D)
    draw_norm(f"{name}.attention_output.layer_norm")
    draw_dense(f"{name}.intermediate", D, INNER)
    draw_dense(f"{name}.output.dense", INNER, D)
    draw_norm(f"{name}.output.layer_norm")
draw_dense("lm_head.dense", D, D)
draw_norm("lm_head.layer_norm")
draw("lm_head.bias", (V,), 0.3)

tokens = rng.integers(0, V, (2, LENGTH))
mask = np.array([[1] * LENGTH, [1, 1, 1, 0, 0]])
hidden = model(weights["roberta.embeddings.word_embeddings.weight"][tokens], mask)
print(json.dumps({
    "sizes": SIZES,
    "weights": {name: listed(values) for name, values in weights.items()},
    "tokens": tokens.tolist(),
    "mask": listed(mask),
    "hidden": listed(hidden),
    "logits": listed(head(hidden)),
}))
