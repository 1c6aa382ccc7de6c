//! `glyphspace glyphs ..`.

mod corpus;

use anyhow::Result;
use clap::Subcommand;

use super::session::listen_for_interrupts;

#[derive(Debug, Subcommand)]
pub enum Glyphs {
    /// Corpora of Python functions
    #[command(subcommand)]
    Corpus(corpus::Corpus),
}

pub fn run(command: Glyphs) -> Result<()> {
    listen_for_interrupts()?;
    match command {
        Glyphs::Corpus(command) => corpus::run(command),
    }
}
