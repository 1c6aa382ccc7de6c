//! Retrieval of other ways to write the same task from glyphs, and by tf-idf, the sceptic's baseline.

use anyhow::Result;

use crate::{
    embedder::evaluation::{map_at_r, tasks},
    glyphs::{inference::GlyphReader, similarity::TfIdf},
};

/// Mean average precision at R of the other ways to write the bundled tasks: by the embeddings of what is read from the glyphs,
/// and by tf-idf of their tokens.
pub fn rewrites_found(reader: &GlyphReader) -> Result<[f64; 2]> {
    let mut functions = tasks()?;
    functions.retain(|(_, text)| reader.bpe.encode(text).len() <= reader.config.max_tokens);
    let (tasks, texts): (Vec<usize>, Vec<String>) = functions.into_iter().unzip();
    let rows: Vec<Vec<u32>> = texts.iter().map(|text| reader.bpe.encode(text)).collect();
    let embeddings = reader.embeddings(&reader.glyphs(&rows)?)?;
    let tf_idf = TfIdf::new(texts.iter().map(String::as_str));
    let vectors: Vec<_> = texts.iter().map(|text| tf_idf.vector(text)).collect();
    Ok([
        map_at_r(&tasks, |a, b| embeddings[a].cosine(&embeddings[b])),
        map_at_r(&tasks, |a, b| -vectors[a].token_distance(&vectors[b])),
    ])
}
