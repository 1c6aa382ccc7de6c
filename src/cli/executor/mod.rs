//! `glyphspace executor ..`.

mod benchmark;
pub mod planes;
mod projection;
mod solve;
pub mod train;

use anyhow::Result;
use clap::Subcommand;

use super::session::{OnInterrupt, listen_for_interrupts};
use crate::device::Choice;

#[derive(Debug, Subcommand)]
pub enum ExecutorSubcommand {
    /// Train a model into a new run folder
    Train(train::ExecutorTrainArgs),
    /// Judge a model: accuracy and order
    Eval(train::ExecutorEvalArgs),
    /// Search the program of a sum
    Solve(solve::SolveArgs),
    /// Draw the loss of a sum over the plane of programs, and the truth beside it
    Map(planes::MapArgs),
    /// Lay programs and states of any number of dimensions out on planes: PCA and t-SNE
    Project(projection::ProjectArgs),
    /// Decode the program at a point and run it
    Decode(solve::PointArgs),
    /// Draw the planes of programs and states, and their holes
    Planes(planes::PlanesArgs),
    /// Compare search methods over many sums
    Benchmark(benchmark::BenchmarkArgs),
}

/// Runs a command of the Latent Executor.
///
/// # Errors
/// If the command fails.
pub fn run(command: ExecutorSubcommand, choice: Choice) -> Result<()> {
    listen_for_interrupts(match &command {
        ExecutorSubcommand::Train(_) => OnInterrupt::Save,
        _ => OnInterrupt::Leave,
    })?;
    match command {
        ExecutorSubcommand::Train(args) => train::train(args, choice),
        ExecutorSubcommand::Eval(args) => train::eval(&args, choice),
        ExecutorSubcommand::Solve(args) => solve::solve(&args, choice),
        ExecutorSubcommand::Map(args) => planes::map(&args, choice),
        ExecutorSubcommand::Project(args) => projection::project(&args, choice),
        ExecutorSubcommand::Decode(args) => solve::decode(args, choice),
        ExecutorSubcommand::Planes(args) => planes::planes(&args, choice),
        ExecutorSubcommand::Benchmark(args) => benchmark::run(args, choice),
    }
}
