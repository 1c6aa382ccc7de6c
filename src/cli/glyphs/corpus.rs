//! `glyphspace glyphs corpus ..`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{
    cli::{
        errors::WrongUse,
        output::{claim, note, say},
        progress::ProgressLine,
        session::refuse_if_interrupted,
    },
    data::corpus::{
        self, BuildOptions, BuildReport, Input, PassedOver, Phase, Unread, build, default_input,
    },
};

/// Bad files named on the screen; `--json` has more.
const NAMED: usize = 5;

#[derive(Debug, Subcommand)]
pub enum CorpusCommand {
    /// Make a corpus of the functions in Python code
    Build(BuildArgs),
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Folders, .py files, wheels, zips, .tar.gz, CodeSearchNet .jsonl or .jsonl.gz; without any, the
    /// library of the Python installed here
    #[arg(value_name = "SRC")]
    sources: Vec<PathBuf>,
    /// The corpus file to write
    #[arg(long)]
    out: PathBuf,
    /// Leave out functions of more tokens
    #[arg(long, default_value_t = 128)]
    max_tokens: usize,
    /// Keep so many functions at most, chosen by the seed
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Tokens of the tokenizer that is trained
    #[arg(long, default_value_t = 2048, conflicts_with = "tokenizer")]
    vocabulary: usize,
    /// Use this tokenizer: a tokenizer.json, a vocab.json beside its merges.txt, or another corpus's
    #[arg(long)]
    tokenizer: Option<PathBuf>,
    /// Seed of choice and order
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The library of the Python installed here, or the bundled sample; said, for nobody named it.
pub fn installed() -> Result<Input> {
    let input = default_input(&mut || refuse_if_interrupted().is_ok(), &mut |what| {
        note(format_args!("glyphspace: {what}"))
    })?;
    note(format_args!("glyphspace: reading {}", input.name()));
    Ok(input)
}

pub fn run(command: CorpusCommand) -> Result<()> {
    let CorpusCommand::Build(args) = command;
    if args.out.is_dir() {
        let text = format!("--out {} is a folder, expected a file", args.out.display());
        return Err(WrongUse(text).into());
    }
    let tokenizer: Vec<&Path> = args.tokenizer.iter().map(PathBuf::as_path).collect();
    claim(&args.out, &tokenizer)?;
    let options = BuildOptions {
        max_tokens: args.max_tokens,
        limit: args.limit.map(|limit| limit as usize),
        vocabulary: args.vocabulary,
        tokenizer: args
            .tokenizer
            .as_deref()
            .map(corpus::tokenizer)
            .transpose()?,
        seed: args.seed,
    };
    let mut inputs: Vec<Input> = args.sources.into_iter().map(Input::Path).collect();
    if inputs.is_empty() {
        let input = installed()?;
        inputs.push(input);
    }

    let mut progress = ProgressLine::new("building");
    let mut phase = Phase::Reading;
    let report = build(&inputs, &args.out, &options, &mut |now| {
        let (files, functions) = (now.files, now.functions);
        let text = match now.phase {
            Phase::Reading => format!("{files} files, {functions} functions"),
            Phase::Training => format!("training the tokenizer, {functions} functions"),
            Phase::Tokenising => format!("tokenising, {functions} functions kept"),
        };
        if std::mem::replace(&mut phase, now.phase) != now.phase {
            progress.begin_phase();
        }
        progress.update(now.done, &text);
        refuse_if_interrupted().is_ok()
    })?;
    progress.finish(&format!("{} functions", report.kept));
    if args.json {
        return say(serde_json::to_string_pretty(&report)?);
    }
    print(&report, &args.out.display().to_string())
}

fn print(report: &BuildReport, out: &str) -> Result<()> {
    for bad in report.bad_files.iter().take(NAMED) {
        note(format_args!(
            "glyphspace: passed over {}: {}",
            bad.place, bad.reason
        ));
    }
    if report.bad > NAMED {
        note(format_args!(
            "glyphspace: and {} more (--json names them)",
            report.bad - NAMED
        ));
    }
    for unread in &report.passed_over {
        note(format_args!("glyphspace: {}", passed_over(unread)));
    }
    say(format_args!(
        "{out}: {} functions, {} tokens of a vocabulary of {}",
        report.kept, report.tokens, report.vocabulary
    ))?;
    say(format_args!(
        "of {} found in {} files ({} bad): {} duplicates, {} too long, {} beyond the limit",
        report.found,
        report.files,
        report.bad,
        report.duplicates,
        report.too_long,
        report.beyond_limit
    ))?;
    let used = report.sources.iter().filter(|source| source.functions > 0);
    let mut used: Vec<_> = used.collect();
    used.sort_by_key(|source| std::cmp::Reverse(source.functions));
    for source in used.iter().take(40) {
        let licence = source.licence.as_deref().unwrap_or("says no licence");
        say(format_args!(
            "{:>8}  {} ({licence})",
            source.functions, source.name
        ))?;
    }
    if used.len() > 40 {
        say(format_args!("and {} more sources", used.len() - 40))?;
    }
    Ok(())
}

/// Files that were not read, in a line.
fn passed_over(unread: &Unread) -> String {
    let (what, advice) = match unread.kind {
        PassedOver::LinkedFolder => ("linked folders", "name one as SRC to read it"),
        PassedOver::InstalledPackages => (
            "folders of installed packages",
            "name one as SRC to read it",
        ),
        PassedOver::HiddenFolder => ("hidden folders", "name one as SRC to read it"),
        PassedOver::NoFile => ("pipes, sockets and devices", "only files are read"),
        PassedOver::OtherArchive => (
            "archives and tables",
            "of an unknown form, or within another archive",
        ),
    };
    let places = unread.places.iter().take(NAMED);
    let mut places = places.cloned().collect::<Vec<_>>().join(", ");
    if unread.count > NAMED {
        places.push_str(", ..");
    }
    format!("passed over {} {what} ({advice}): {places}", unread.count)
}
