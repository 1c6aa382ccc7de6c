//! T5 stacks against flax.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use glyphspace::nn::{
    init::Initializer,
    t5::{Direction, T5Sizes, T5Stack, bucket},
};

use super::{T5Reference, check_close, fill, reference, values};

/// Flax's name of a parameter of ours.
fn flax_name(path: &[String], is_decoder: bool) -> String {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["final_layer_norm", _] => "final_layer_norm.weight".into(),
        ["relative_attention_bias", _] => {
            "block.0.layer.0.SelfAttention.relative_attention_bias.embedding".into()
        }
        ["block", block, sublayer, ref part @ ..] => {
            let (index, kind) = match sublayer {
                "self_attention" => (0, "SelfAttention"),
                "cross_attention" => (1, "EncDecAttention"),
                "feed_forward" => (if is_decoder { 2 } else { 1 }, "DenseReluDense"),
                _ => panic!("unknown sublayer {sublayer}"),
            };
            match part {
                ["layer_norm", _] => format!("block.{block}.layer.{index}.layer_norm.weight"),
                [.., matrix, "weight"] => {
                    format!("block.{block}.layer.{index}.{kind}.{matrix}.kernel")
                }
                _ => panic!("unknown parameter {path:?}"),
            }
        }
        _ => panic!("unknown parameter {path:?}"),
    }
}

fn sizes(reference: &BTreeMap<String, usize>) -> T5Sizes {
    T5Sizes {
        d_model: reference["d_model"],
        d_kv: reference["d_kv"],
        d_ff: reference["d_ff"],
        num_heads: reference["num_heads"],
        relative_attention_num_buckets: reference["relative_attention_num_buckets"],
        relative_attention_max_distance: reference["relative_attention_max_distance"],
        relative_attention_deviation: 1.0,
        initializer_factor: 1.0,
    }
}

/// A stack of ours with flax's weights, all of which it must have a place for.
fn stack(reference: &T5Reference, is_decoder: bool, device: &Device) -> T5Stack {
    let weights = if is_decoder {
        &reference.decoder
    } else {
        &reference.encoder
    };
    let layers = reference.sizes["num_layers"];
    let fresh = T5Stack::new(
        layers,
        is_decoder,
        &sizes(&reference.sizes),
        &mut Initializer::new(0, device),
    );
    let mut used = Vec::new();
    let filled = fill(fresh, |path, shape| {
        let name = flax_name(path, is_decoder);
        let array = weights
            .get(&name)
            .unwrap_or_else(|| panic!("flax has no {name}"));
        assert_eq!(array.shape, shape, "{name}");
        used.push(name);
        array.values.clone()
    });
    used.sort();
    assert_eq!(used, weights.keys().cloned().collect::<Vec<_>>());
    filled
}

#[test]
fn the_encoder_stack_agrees_with_flax() {
    let (t5, device) = (reference().t5, Device::flex());
    let output = stack(&t5, false, &device).encode(t5.encoder_input.tensor(&device));
    check_close(&values(output), &t5.encoder_output.values, 1e-4, "encoder");
}

#[test]
fn the_decoder_stack_agrees_with_flax() {
    let (t5, device) = (reference().t5, Device::flex());
    let memory = t5.encoder_output.tensor(&device);
    let output = stack(&t5, true, &device).decode(t5.decoder_input.tensor(&device), memory);
    check_close(&values(output), &t5.decoder_output.values, 1e-4, "decoder");
}

#[test]
fn a_prefix_is_the_beginning_of_the_whole() {
    let (t5, device) = (reference().t5, Device::flex());
    let encoder = stack(&t5, false, &device);
    let input: Tensor<3> = t5.encoder_input.tensor(&device);
    for keep in [1, 7, 20, 40] {
        let whole = encoder.encode(input.clone()).narrow(1, 0, keep);
        check_close(
            &values(encoder.encode_prefix(input.clone(), keep)),
            &values(whole),
            1e-5,
            "prefix",
        );
    }
}

#[test]
fn position_buckets_agree_with_flax() {
    let buckets = reference().buckets;
    assert_eq!(buckets.tables.len(), 6);
    for table in &buckets.tables {
        let direction = if table.both {
            Direction::Both
        } else {
            Direction::Backward
        };
        for (offset, expected) in (buckets.first_offset..).zip(&table.table) {
            let got = bucket(offset, direction, table.buckets, table.reach);
            let which = (table.buckets, table.reach, direction);
            assert_eq!(got, *expected, "offset {offset} of {which:?}");
        }
    }
}
