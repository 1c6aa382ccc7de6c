//! `glyphspace glyphs encode`, `decode`, `near` and `morph`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::functions_in;
use crate::{
    cli::{
        Model, WrongUse,
        output::say,
        progress::Progress,
        session::{GlyphsSession, refuse_if_interrupted},
    },
    device::Choice,
    glyphs::{
        job::{Command, Event},
        picture,
    },
};

#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// A Python file, or - for standard input
    file: PathBuf,
    /// The picture to write; with several functions glyph-1.png, glyph-2.png, ..
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    model: Model,
}

#[derive(Debug, Args)]
pub struct DecodeArgs {
    /// The picture: a glyph, or a photo or screenshot of one, roughly cropped
    picture: PathBuf,
    #[command(flatten)]
    model: Model,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct NearArgs {
    /// A Python file with a function, or - for standard input
    file: PathBuf,
    /// The functions to look among; without it the bundled sample
    #[arg(long)]
    corpus: Option<PathBuf>,
    #[command(flatten)]
    model: Model,
    /// How many
    #[arg(short, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    k: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct SheetArgs {
    /// The picture to write
    #[arg(long)]
    out: PathBuf,
    /// The functions; without it the bundled sample
    #[arg(long)]
    corpus: Option<PathBuf>,
    #[command(flatten)]
    model: Model,
    /// Functions, shortest first
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    count: u32,
    /// Which functions
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Args)]
pub struct MorphArgs {
    /// Python files, the first function of each
    #[arg(required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// A .gif to write, or a new folder for PNG frames
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    model: Model,
    /// Pictures in all
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    frames: u32,
}

pub fn encode(args: &EncodeArgs, choice: Choice) -> Result<()> {
    let functions = functions_in(&args.file)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let texts = functions.iter().map(|f| f.source.clone()).collect();
    let encoded = |event| match event {
        Event::Encoded(glyphs) => Some(glyphs),
        _ => None,
    };
    let glyphs = session
        .ask(Command::Encode(texts), encoded, |_| refuse_if_interrupted())
        .with_context(|| args.file.display().to_string())?;
    let count = glyphs.len();
    for (nth, (glyph, function)) in glyphs.iter().zip(&functions).enumerate() {
        let path = if count == 1 {
            args.out.clone()
        } else {
            numbered(&args.out, nth + 1)
        };
        picture::write_png(&path, glyph)?;
        say(format_args!("wrote {} ({})", path.display(), function.name))?;
    }
    session.finish();
    Ok(())
}

/// `glyph.png` to `glyph-3.png`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().unwrap_or("png".as_ref()).to_string_lossy();
    path.with_file_name(format!("{stem}-{number}.{ending}"))
}

pub fn decode(args: &DecodeArgs, choice: Choice) -> Result<()> {
    let glyph = picture::read(&args.picture)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let decoded = |event| match event {
        Event::Decoded(mut read) => read.pop(),
        _ => None,
    };
    let read = session.ask(Command::Decode(vec![glyph]), decoded, |_| {
        refuse_if_interrupted()
    })?;
    if !read.decoded.is_glyph() {
        bail!(
            "{} has no glyph that can be read: the best reading is {:.0} % sure of a token",
            args.picture.display(),
            100.0 * read.decoded.certainty.exp()
        );
    }
    if args.json {
        let tokens = read.pieces.iter().zip(&read.decoded.confidence);
        let tokens: Vec<_> = tokens
            .map(|(text, confidence)| json!({ "text": text, "confidence": confidence }))
            .collect();
        say(json!({
            "function": read.text,
            "certainty": read.decoded.certainty.exp(),
            "corners": read.decoded.corners,
            "tokens": tokens,
        }))?;
    } else {
        say(&read.text)?;
    }
    session.finish();
    Ok(())
}

pub fn near(args: NearArgs, choice: Choice) -> Result<()> {
    let function = first_function(&args.file)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let found = |event| match event {
        Event::Found(_, neighbours) => Some(neighbours),
        _ => None,
    };
    let command = Command::Near {
        function,
        corpus: args.corpus,
        count: args.k as usize,
    };
    let mut bar = Progress::new("searching");
    let neighbours = session
        .ask(command, found, |session| {
            if let Some(work) = session.board.work.get() {
                bar.update(work.done, &work.what);
            }
            refuse_if_interrupted()
        })
        .with_context(|| args.file.display().to_string())?;
    bar.finish(&format!("{} found", neighbours.len()));
    if args.json {
        let list: Vec<_> = neighbours
            .iter()
            .map(|n| json!({ "name": n.tile.name, "origin": n.tile.origin, "distance": n.distance, "function": n.tile.text }))
            .collect();
        say(json!({ "near": list }))?;
    } else {
        for neighbour in &neighbours {
            let tile = &neighbour.tile;
            say(format_args!(
                "{:.4}  {} ({})",
                neighbour.distance, tile.name, tile.origin
            ))?;
            for line in tile.text.lines() {
                say(format_args!("        {line}"))?;
            }
        }
    }
    session.finish();
    Ok(())
}

pub fn morph(args: &MorphArgs, choice: Choice) -> Result<()> {
    let functions: Vec<String> = args
        .files
        .iter()
        .map(|file| first_function(file))
        .collect::<Result<_>>()?;
    let is_gif = args
        .out
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gif"));
    if !is_gif && args.out.extension().is_some() {
        let text = format!(
            "--out {}: expected a .gif, or a folder's name without an ending",
            args.out.display()
        );
        return Err(WrongUse(text).into());
    }
    let session = GlyphsSession::open(choice, args.model.source())?;
    let morphed = |event| match event {
        Event::Morphed(frames) => Some(frames),
        _ => None,
    };
    let command = Command::Morph {
        functions,
        frames: args.frames as usize,
    };
    let frames = session.ask(command, morphed, |_| refuse_if_interrupted())?;
    if is_gif {
        picture::write_gif(&args.out, &frames)?;
    } else {
        picture::write_frames(&args.out, &frames)?;
    }
    say(format_args!(
        "wrote {} ({} frames)",
        args.out.display(),
        frames.len()
    ))?;
    session.finish();
    Ok(())
}

pub fn sheet(args: &SheetArgs, choice: Choice) -> Result<()> {
    const COLUMNS: usize = 8;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let command = Command::Watch {
        corpus: args.corpus.clone(),
        count: args.count as usize,
        seed: args.seed,
    };
    session.send(command)?;
    let grid = loop {
        if let Some(grid) = session.board.grid.get() {
            break grid;
        }
        refuse_if_interrupted()?;
        session.next()?;
    };
    let glyphs: Vec<_> = grid.tiles.iter().map(|tile| tile.glyph.clone()).collect();
    picture::write_png(&args.out, &picture::sheet(&glyphs, COLUMNS))?;
    say(format_args!(
        "wrote {} ({} glyphs)",
        args.out.display(),
        glyphs.len()
    ))?;
    session.finish();
    Ok(())
}

fn first_function(path: &Path) -> Result<String> {
    let functions = functions_in(path)?;
    let first = functions.into_iter().next();
    Ok(first.context("a file with functions has a first")?.source)
}
