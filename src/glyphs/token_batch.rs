//! Batches of token sequences, padded to a layout.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{
    code::{HEADER, cells_for, encode},
    networks::mosaic::{BatchLayout, Layouts, prefix_mask},
};

/// A batch of B functions, each in the S slots of a layout that holds them all.
pub struct TokenBatch {
    /// [B, S]; padded.
    pub tokens: Vec<i32>,
    /// Number of each function's tokens without padding and parity, but with the header of a code, `[B]`.
    pub lengths: Vec<i32>,
    /// True if glyphs have a code.
    pub has_code: bool,
    /// Indices b S + s of the slots in the loss: the tokens, and the padding that marks their end.
    pub read: Vec<usize>,
    /// Their layouts.
    pub layout: BatchLayout,
}

impl TokenBatch {
    /// Rows of tokens, with so many parity symbols a token, padded to the largest of their layouts.
    pub fn new(rows: &[Vec<u32>], pad: u32, layouts: &Layouts, parity: f64) -> Self {
        Self::framed(rows, pad, layouts, parity, |largest| largest)
    }

    /// Rows of tokens, with so many parity symbols a token, padded to the layout that `frame` has for the largest of theirs.
    pub fn framed(
        rows: &[Vec<u32>],
        pad: u32,
        layouts: &Layouts,
        parity: f64,
        frame: impl FnOnce(usize) -> usize,
    ) -> Self {
        let of = rows
            .iter()
            .map(|row| layouts.index_for(cells_for(row.len(), parity)));
        let of: Vec<usize> = of.collect();
        let largest = of.iter().copied().max().unwrap_or(0);
        let layout = layouts.arrange_in(of, frame(largest));
        let columns = layout.frame.slots();
        let padded = rows.iter().zip(&layout.of).flat_map(|(row, layout)| {
            let symbols = match parity > 0.0 {
                true => encode(row, layout.slots()),
                false => row.clone(),
            };
            let missing = columns - symbols.len();
            let symbols = symbols.into_iter().chain(std::iter::repeat_n(pad, missing));
            symbols.map(|symbol| symbol as i32)
        });
        let header = if parity > 0.0 { HEADER } else { 0 };
        let ends = rows.iter().zip(&layout.of);
        let ends = ends.map(|(row, layout)| match layouts.is_line() {
            true => (row.len() + 1).min(columns),
            false => layout.slots(),
        });
        let read = ends
            .enumerate()
            .flat_map(|(row, end)| (0..end).map(move |slot| row * columns + slot));
        Self {
            tokens: padded.collect(),
            has_code: parity > 0.0,
            lengths: rows.iter().map(|row| (header + row.len()) as i32).collect(),
            read: read.collect(),
            layout,
        }
    }

    /// The symbols of one glyph with a code of which so many are tokens, in a layout.
    pub fn of_symbols(symbols: &[u32], tokens: usize, layout: usize, layouts: &Layouts) -> Self {
        Self {
            tokens: symbols.iter().map(|symbol| *symbol as i32).collect(),
            lengths: vec![(HEADER + tokens) as i32],
            has_code: true,
            read: Vec::new(),
            layout: layouts.arrange(vec![layout]),
        }
    }

    /// 1 for the slots whose mean is the function as a whole [B, S]: of a code those of the tokens alone, else the layout's.
    pub fn content(&self) -> Vec<f32> {
        let slots = self.layout.frame.slots();
        let each = self.lengths.iter().zip(&self.layout.of);
        let each = each.flat_map(|(&length, layout)| {
            let range = match self.has_code {
                true => HEADER..length as usize,
                false => 0..layout.slots(),
            };
            (0..slots).map(move |slot| f32::from(range.contains(&slot)))
        });
        each.collect()
    }

    /// Tokens [B, S], and 1 for the real ones [B, S].
    pub fn upload(&self, device: &Device) -> (Tensor<2, Int>, Tensor<2>) {
        let shape = [self.lengths.len(), self.layout.frame.slots()];
        let lengths = Tensor::from_data(self.lengths.as_slice(), device);
        let tokens = TensorData::new(self.tokens.clone(), shape);
        (
            Tensor::from_data(tokens, device),
            prefix_mask(lengths, shape[1]),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cells_are_read_of_a_mosaic_and_one_padding_of_a_line() {
        let rows = [vec![7, 8, 9, 10, 11], vec![5, 6]];
        let read = |layouts: &Layouts| {
            let encoded = TokenBatch::new(&rows, 0, layouts, 0.0);
            let truth = encoded.read.iter().map(|&place| encoded.tokens[place]);
            (truth.collect(), encoded.read)
        };
        // 3 x 3 cells and 2 x 2.
        let places = (0..13).collect();
        let truth = vec![7, 8, 9, 10, 11, 0, 0, 0, 0, 5, 6, 0, 0];
        assert_eq!(read(&Layouts::new(8)), (truth, places));
        let places = vec![0, 1, 2, 3, 4, 5, 8, 9, 10];
        let truth = vec![7, 8, 9, 10, 11, 0, 5, 6, 0];
        assert_eq!(read(&Layouts::line(8)), (truth, places));
    }

    #[test]
    fn frames_are_few_and_hold_what_they_are_for() {
        let layouts = Layouts::new(128);
        let mut frames = Vec::new();
        for length in 1..=128 {
            let rows = [vec![1; length]];
            let encoded =
                TokenBatch::framed(&rows, 0, &layouts, 0.0, |index| layouts.frame(index, 5));
            let slots = encoded.layout.frame.slots();
            assert!(slots >= length, "{length} tokens in {slots}");
            frames.push(slots);
        }
        assert!(frames.is_sorted());
        frames.dedup();
        assert!(frames.len() <= 4, "{frames:?}");
    }
}
