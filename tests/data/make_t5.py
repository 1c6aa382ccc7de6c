"""Makes t5.json: what Hugging Face's Flax T5 and optax say, for tests/nn/t5.rs to compare with.

    pip install transformers==4.46.3 jax==0.4.38 flax==0.10.2 optax==0.2.4
    python make_t5.py > t5.json

Random weights everywhere (norms too, so that a forgotten scale shows), a head width that does not
divide the model's, and sequences longer than the relative position table's reach. Weights are in
flax's own names and layout (a dense kernel is [inputs, outputs]).
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
from transformers import T5Config
from transformers.models.t5.modeling_flax_t5 import FlaxT5Attention, FlaxT5Model

ENCODED, DECODED = 40, 23


def rounded(array):
    """Six digits: short in the file, and the same number on both sides of the comparison."""
    return np.float32([float(f"{v:.6g}") for v in np.ravel(array)]).reshape(np.shape(array))


def listed(array):
    return {"shape": list(np.shape(array)), "values": [float(f"{v:.6g}") for v in np.ravel(array)]}


def flat(tree, prefix=""):
    for name, value in tree.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict):
            yield from flat(value, path)
        else:
            yield path, listed(value)


def stacks():
    sizes = dict(d_model=8, d_kv=3, d_ff=10, num_heads=2, num_layers=2, num_decoder_layers=2,
                 relative_attention_num_buckets=8, relative_attention_max_distance=16)
    config = T5Config(vocab_size=ENCODED + DECODED, feed_forward_proj="relu", dropout_rate=0.0,
                      layer_norm_epsilon=1e-6, **sizes)
    model = FlaxT5Model(config, seed=0)
    rng = np.random.default_rng(5)

    def redraw(path, leaf):
        name = jax.tree_util.keystr(path)
        if "layer_norm" in name:
            return rounded(1.0 + 0.3 * rng.standard_normal(leaf.shape))
        if "relative_attention_bias" in name:
            return rounded(rng.standard_normal(leaf.shape))
        if "shared" in name:
            return rounded(rng.standard_normal(leaf.shape))
        return rounded(rng.standard_normal(leaf.shape) / np.sqrt(leaf.shape[0]))

    params = jax.tree_util.tree_map_with_path(redraw, model.params)
    # Two sequences; every token has its own embedding, so that the inputs are as good as free.
    encoder_ids = np.stack([np.arange(ENCODED), rng.permutation(ENCODED)])
    decoder_ids = ENCODED + np.stack([np.arange(DECODED), rng.permutation(DECODED)])
    output = model(input_ids=encoder_ids, decoder_input_ids=decoder_ids, params=params, train=False)
    table = params["shared"]["embedding"]
    return {
        "sizes": sizes,
        "encoder": dict(flat(params["encoder"])),
        "decoder": dict(flat(params["decoder"])),
        "encoder_input": listed(table[encoder_ids]),
        "encoder_output": listed(output.encoder_last_hidden_state),
        "decoder_input": listed(table[decoder_ids]),
        "decoder_output": listed(output.last_hidden_state),
    }


def buckets():
    offsets = np.arange(-160, 161)
    tables = []
    for count, reach in [(32, 128), (8, 16), (12, 50)]:
        for both in [True, False]:
            table = FlaxT5Attention._relative_position_bucket(
                jnp.asarray(offsets), bidirectional=both, num_buckets=count, max_distance=reach)
            tables.append({"buckets": count, "reach": reach, "both": both, "table": np.asarray(table).tolist()})
    return {"first_offset": int(offsets[0]), "tables": tables}


def adamw():
    """Three steps on a matrix and a vector; the first and last gradients are long enough to be clipped."""
    rng = np.random.default_rng(7)
    rate, decay, max_norm = 0.02, 0.1, 1.0
    params = {"weight": rounded(rng.standard_normal((3, 2))), "bias": rounded(rng.standard_normal(2))}
    slopes = [{k: rounded(scale * rng.standard_normal(v.shape)) for k, v in params.items()} for scale in (3.0, 0.1, 1.0)]
    result = {"learning_rate": rate, "betas": [0.9, 0.98], "epsilon": 1e-8, "weight_decay": decay, "max_norm": max_norm,
              "start": dict(flat(params)), "steps": []}
    chain = optax.chain(optax.clip_by_global_norm(max_norm),
                        optax.adamw(rate, b1=0.9, b2=0.98, eps=1e-8, weight_decay=decay))
    state = chain.init(params)
    for slope in slopes:
        updates, state = chain.update(slope, state, params)
        params = optax.apply_updates(params, updates)
        norm = float(optax.global_norm(slope))
        result["steps"].append({"gradient": dict(flat(slope)), "norm": norm, "params": dict(flat(params))})
    return result


print(json.dumps({"t5": stacks(), "buckets": buckets(), "adamw": adamw()}))
