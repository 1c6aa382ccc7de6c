//! Named, weighted loss terms: one list from which the total loss and the columns of metrics.csv come.

use burn::tensor::Tensor;

/// Loss terms of one shard, each `[1]`, and their weighted sum.
#[derive(Debug, Default)]
pub struct Losses {
    terms: Vec<(&'static str, Tensor<1>)>,
    total: Option<Tensor<1>>,
}

impl Losses {
    /// Adds the term `name`. Its name is a column of metrics.csv, its value a row's entry, before the weight.
    pub fn add(&mut self, name: &'static str, weight: f64, value: Tensor<1>) {
        self.add_to_total(value.clone() * weight);
        self.terms.push((name, value));
    }

    /// Adds terms whose weighted sum is scaled by `factor` `[1]`, a device input: a weight that changes from step to
    /// step without another graph.
    pub fn add_scaled(
        &mut self,
        factor: Tensor<1>,
        terms: impl IntoIterator<Item = (&'static str, f64, Tensor<1>)>,
    ) {
        let mut group = Self::default();
        for (name, weight, value) in terms {
            group.add(name, weight, value);
        }
        if let Some(sum) = group.total {
            self.add_to_total(sum * factor);
        }
        self.terms.extend(group.terms);
    }

    fn add_to_total(&mut self, weighted: Tensor<1>) {
        self.total = Some(match self.total.take() {
            Some(total) => total + weighted,
            None => weighted,
        });
    }

    /// The weighted sum `[1]` and the terms in the order in which they were added.
    ///
    /// # Panics
    /// Without terms.
    pub fn into_parts(self) -> (Tensor<1>, Vec<(&'static str, Tensor<1>)>) {
        (self.total.expect("a loss has terms"), self.terms)
    }
}
