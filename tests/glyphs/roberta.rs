//! RoBERTa's blocks against numpy (data/roberta.json, made by data/make_roberta.py).

use std::collections::{BTreeMap, BTreeSet};

use burn::{
    module::Module,
    tensor::{Device, Int, Tensor},
};
use glyphspace::nn::{
    init::Initializer,
    roberta::{RobertaForMaskedLm, RobertaModel, RobertaSizes},
};
use serde::Deserialize;

use crate::nn::{Array, check_close, fill, values};

#[derive(Deserialize)]
struct Reference {
    sizes: BTreeMap<String, usize>,
    weights: BTreeMap<String, Array>,
    tokens: [[i32; 5]; 2],
    mask: Array,
    hidden: Array,
    logits: Array,
}

impl Reference {
    fn read() -> Self {
        serde_json::from_str(include_str!("../data/roberta.json")).unwrap()
    }

    fn sizes(&self) -> RobertaSizes {
        RobertaSizes {
            vocab_size: self.sizes["vocab_size"],
            hidden_size: self.sizes["hidden_size"],
            num_hidden_layers: self.sizes["num_hidden_layers"],
            num_attention_heads: self.sizes["num_attention_heads"],
            intermediate_size: self.sizes["intermediate_size"],
            max_tokens: self.sizes["max_tokens"],
            bits: 0,
        }
    }

    /// A module with the weights below `prefix`, all of which it must have a place for.
    fn filled<M: Module>(&self, fresh: M, prefix: &str) -> M {
        let mut used = BTreeSet::new();
        let filled = fill(fresh, |path, shape| {
            let name = format!("{prefix}{}", path.join("."));
            let array = &self.weights[&name];
            assert_eq!(array.shape, shape, "{name}");
            used.insert(name);
            array.values.clone()
        });
        let all = self.weights.keys().filter(|name| name.starts_with(prefix));
        assert_eq!(used, all.cloned().collect());
        filled
    }

    fn model(&self, device: &Device) -> RobertaModel {
        let fresh = RobertaModel::new(&self.sizes(), &mut Initializer::new(0, device));
        self.filled(fresh, "roberta.")
    }

    fn masked_lm(&self, device: &Device) -> RobertaForMaskedLm {
        let fresh = RobertaForMaskedLm::new(&self.sizes(), &mut Initializer::new(0, device));
        self.filled(fresh, "")
    }
}

fn tokens(tokens: [[i32; 5]; 2], device: &Device) -> Tensor<2, Int> {
    Tensor::from_data(tokens, device)
}

#[test]
fn tokens_to_hidden_states_agree_with_numpy() {
    let (reference, device) = (Reference::read(), Device::flex());
    let mask = reference.mask.tensor(&device);
    let hidden = reference
        .model(&device)
        .forward(tokens(reference.tokens, &device), mask);
    check_close(&values(hidden), &reference.hidden.values, 1e-5, "hidden");
}

#[test]
fn the_head_reads_with_the_embeddings_and_agrees_with_numpy() {
    let (reference, device) = (Reference::read(), Device::flex());
    let model = reference.masked_lm(&device);
    let words = &reference.weights["roberta.embeddings.word_embeddings.weight"];
    let words: Tensor<2> = words.tensor(&device);
    let embedded = reference
        .tokens
        .as_flattened()
        .iter()
        .map(|&t| words.clone().slice(t as usize..t as usize + 1));
    let embedded =
        Tensor::cat(embedded.collect(), 0).reshape([2, 5, reference.sizes["hidden_size"]]);
    let hidden = model.hidden(embedded, reference.mask.tensor(&device));
    check_close(
        &values(hidden.clone()),
        &reference.hidden.values,
        1e-5,
        "hidden",
    );
    check_close(
        &values(model.logits(hidden)),
        &reference.logits.values,
        1e-5,
        "logits",
    );
}

#[test]
fn what_is_masked_changes_nothing_else() {
    let (reference, device) = (Reference::read(), Device::flex());
    let model = reference.model(&device);
    let real = |tokens_of: [[i32; 5]; 2]| {
        let hidden = model.forward(tokens(tokens_of, &device), reference.mask.tensor(&device));
        values(hidden.slice([1..2, 0..3]))
    };
    let mut other = reference.tokens;
    (other[1][3], other[1][4]) = ((other[1][3] + 1) % 9, (other[1][4] + 4) % 9);
    assert_eq!(real(other), real(reference.tokens));
    // Nor does padding that isn't there.
    let short = Tensor::<2, Int>::from_data([reference.tokens[1]], &device).narrow(1, 0, 3);
    let short = model.forward(short, Tensor::ones([1, 3], &device));
    check_close(
        &values(short),
        &real(reference.tokens),
        1e-5,
        "without padding",
    );
}
