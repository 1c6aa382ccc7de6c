//! `glyphspace glyphs encode`, `near`, `overlay`, `sheet` and `morph`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use image::RgbImage;
use serde_json::json;

use super::{decode::decoded, sources::functions_in};
use crate::{
    cli::{
        args::Model,
        errors::{Unverified, WrongUse},
        output::{claim, claim_picture, note, say},
        progress::ProgressLine,
        session::{GlyphsSession, refuse_if_interrupted},
    },
    data::python::{self, Function},
    device::Choice,
    files::{is_stream, write_whole},
    glyphs::config::GLYPH_SIZE,
    glyphs::{
        image_io,
        job::{GlyphsCommand, GlyphsEvent},
        overlay,
        reading::Reading,
    },
};

#[derive(Debug, Args)]
pub struct EncodeArgs {
    /// A Python file, or - for standard input
    file: PathBuf,
    /// The picture to write, PNG or (.jpg) JPEG; with several functions glyph-1.png, glyph-2.png, .. A function too long for
    /// one glyph is written as a sheet of several
    #[arg(long)]
    out: PathBuf,
    /// Pixels a side of a glyph
    #[arg(long, default_value_t = GLYPH_SIZE as u32, value_parser = clap::value_parser!(u32).range(16..=2048))]
    size: u32,
    #[command(flatten)]
    model: Model,
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
    /// Number of functions to list
    #[arg(short, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    k: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct OverlayArgs {
    /// Two Python files, the first function of each
    #[arg(required = true, num_args = 2)]
    files: Vec<PathBuf>,
    /// The picture to write, PNG or (.jpg) JPEG
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    model: Model,
}

#[derive(Debug, Args)]
pub struct SheetArgs {
    /// The picture to write, PNG or (.jpg) JPEG
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
    /// Seed of the choice of functions
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
    /// Write what each frame says: JSON lines of frame, function, verified and parses
    #[arg(long)]
    read: Option<PathBuf>,
    #[command(flatten)]
    model: Model,
    /// Pictures in all
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    frames: u32,
}

pub fn encode(args: &EncodeArgs, choice: Choice) -> Result<()> {
    let functions = functions_in(&args.file)?;
    if functions.len() > 1 && is_stream(&args.out) {
        let text = format!(
            "--out {}: expected a file's name, to be numbered, for {} functions",
            args.out.display(),
            functions.len()
        );
        return Err(WrongUse(text).into());
    }
    let paths: Vec<PathBuf> = match functions.len() {
        1 => vec![args.out.clone()],
        count => (1..=count).map(|nth| numbered(&args.out, nth)).collect(),
    };
    // A named file is replaced; those that are numbered were not named.
    let in_the_way = paths
        .iter()
        .find(|path| **path != args.out && path.symlink_metadata().is_ok());
    if let Some(path) = in_the_way {
        bail!(
            "{} is there already: name other files with --out",
            path.display()
        );
    }
    for path in &paths {
        claim_picture(path, &[source_of(&args.file)])?;
    }
    let session = GlyphsSession::open(choice, args.model.source())?;
    let command = GlyphsCommand::Encode {
        functions: functions.iter().map(|f| f.source.clone()).collect(),
        size: args.size as usize,
    };
    let glyphs = session
        .request(command, encoded, |_| refuse_if_interrupted())
        .with_context(|| args.file.display().to_string())?;
    for ((glyph, function), path) in glyphs.iter().zip(&functions).zip(&paths) {
        image_io::write(path, glyph)?;
        say(format_args!("wrote {} ({})", path.display(), function.name))?;
    }
    let misread = misread(&session, &glyphs, &functions, &paths)?;
    session.finish();
    match &misread[..] {
        [] => Ok(()),
        [only] => Err(Unverified(only.clone()).into()),
        several => {
            several
                .iter()
                .for_each(|line| note(format_args!("glyphspace: {line}")));
            let text = format!(
                "{} of {} glyphs will not be read back as they were",
                several.len(),
                glyphs.len()
            );
            Err(Unverified(text).into())
        }
    }
}

/// The pictures of an event that ends [`GlyphsCommand::Encode`].
fn encoded(event: GlyphsEvent) -> Option<Vec<RgbImage>> {
    match event {
        GlyphsEvent::Encoded(glyphs) => Some(glyphs),
        _ => None,
    }
}

/// Pictures that aren't read back right as they were written, a line each.
fn misread(
    session: &GlyphsSession,
    pictures: &[RgbImage],
    functions: &[Function],
    paths: &[PathBuf],
) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for ((picture, function), path) in pictures.iter().zip(functions).zip(paths) {
        let picture = match image_io::as_read_back(path, picture) {
            Ok(picture) => picture,
            Err(error) => {
                lines.push(format!("{} will not be read: {error:#}", path.display()));
                continue;
            }
        };
        let command = GlyphsCommand::DecodePhoto(picture);
        let read = session.request(command, decoded, |_| refuse_if_interrupted())?;
        let text = read.first().map_or("", |read| &read.text);
        if let Some(difference) = first_difference(&function.source, text) {
            lines.push(format!(
                "{} will not be read back as {}: {difference}",
                path.display(),
                function.name
            ));
        }
    }
    Ok(lines)
}

/// The first line that two texts don't share, in words.
fn first_difference(written: &str, read: &str) -> Option<String> {
    if written == read {
        return None;
    }
    let count = written.lines().count().max(read.lines().count());
    let pairs = (0..count).map(|nth| [written, read].map(|text| text.lines().nth(nth)));
    let differing = pairs.enumerate().find(|(_, [a, b])| a != b);
    let Some((nth, [a, b])) = differing else {
        return Some("its line ends differ".into());
    };
    let quoted = |line: Option<&str>| {
        line.map_or_else(|| "nothing".into(), |line| format!("{:?}", line.trim()))
    };
    let (a, b, nth) = (quoted(a), quoted(b), nth + 1);
    Some(format!("line {nth}, {a}, is read as {b}"))
}

/// The file that is read for `-` or a path.
fn source_of(file: &Path) -> &Path {
    match file.as_os_str() == "-" {
        true => Path::new("/dev/stdin"),
        false => file,
    }
}

/// `glyph.png` to `glyph-3.png`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}."));
    name.push(path.extension().unwrap_or("png".as_ref()));
    path.with_file_name(name)
}

pub fn near(args: NearArgs, choice: Choice) -> Result<()> {
    let function = first_function(&args.file)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let found = |event| match event {
        GlyphsEvent::Found(_, neighbours) => Some(neighbours),
        _ => None,
    };
    let command = GlyphsCommand::Near {
        function,
        corpus: args.corpus,
        count: args.k as usize,
    };
    let mut bar = ProgressLine::new("searching");
    let neighbours = session
        .request_on_bar(command, found, &mut bar, 1.0)
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

pub fn overlay(args: &OverlayArgs, choice: Choice) -> Result<()> {
    let functions = args.files.iter().map(|file| first_function(file));
    let functions: Vec<String> = functions.collect::<Result<_>>()?;
    let sources: Vec<&Path> = args.files.iter().map(|file| source_of(file)).collect();
    claim_picture(&args.out, &sources)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let size = GLYPH_SIZE;
    let command = GlyphsCommand::Encode { functions, size };
    let glyphs = session.request(command, encoded, |_| refuse_if_interrupted())?;
    session.finish();
    if glyphs[0].dimensions() != glyphs[1].dimensions() {
        bail!(
            "the functions have glyphs on other numbers of pages: expected two of about the same length"
        );
    }
    let (picture, share) = overlay::overlay(&glyphs[0], &glyphs[1]);
    image_io::write(&args.out, &picture)?;
    say(format_args!(
        "wrote {} ({:.1} % of the pixels differ)",
        args.out.display(),
        100.0 * share
    ))
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
    // A device or FIFO takes an animation.
    let is_gif = is_gif || is_stream(&args.out);
    if !is_gif && args.out.extension().is_some() {
        let text = format!(
            "--out {}: expected a .gif, or a folder's name without an ending",
            args.out.display()
        );
        return Err(WrongUse(text).into());
    }
    let sources: Vec<&Path> = args.files.iter().map(|file| source_of(file)).collect();
    if is_gif {
        claim(&args.out, &sources)?;
    }
    if let Some(path) = &args.read {
        claim(path, &sources)?;
    }
    let session = GlyphsSession::open(choice, args.model.source())?;
    let morphed = |event| match event {
        GlyphsEvent::Morphed(frames) => Some(frames),
        _ => None,
    };
    let command = GlyphsCommand::Morph {
        functions,
        frames: args.frames as usize,
    };
    let mut bar = ProgressLine::new("morphing");
    let frames = session.request_on_bar(command, morphed, &mut bar, 0.5)?;
    let mut go_on = |written: usize| {
        let share = written as f64 / frames.len() as f64;
        bar.update(0.5 + share / 2.0, &format!("{written} pictures written"));
        refuse_if_interrupted()
    };
    if is_gif {
        image_io::write_gif(&args.out, &frames, &mut go_on)?;
    } else {
        image_io::write_frames(&args.out, &frames, &mut go_on)?;
    }
    bar.finish(&format!("{} pictures", frames.len()));
    say(format_args!(
        "wrote {} ({} frames)",
        args.out.display(),
        frames.len()
    ))?;
    if let Some(path) = &args.read {
        let readings = session.request(GlyphsCommand::Decode(frames), decoded, |_| {
            refuse_if_interrupted()
        })?;
        write_readings(path, &readings)?;
        say(format_args!("wrote {}", path.display()))?;
    }
    session.finish();
    Ok(())
}

/// JSON lines with the reading of each frame of a morph.
fn write_readings(path: &Path, readings: &[Reading]) -> Result<()> {
    write_whole(path, |file| {
        for (frame, read) in readings.iter().enumerate() {
            let line = json!({
                "frame": frame,
                "function": read.text,
                "verified": read.is_verified(),
                "parses": python::functions(&read.text).is_ok(),
            });
            writeln!(file, "{line}")?;
        }
        Ok(())
    })
}

pub fn sheet(args: &SheetArgs, choice: Choice) -> Result<()> {
    const COLUMNS: usize = 8;
    let sources: Vec<&Path> = args.corpus.iter().map(PathBuf::as_path).collect();
    claim_picture(&args.out, &sources)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let command = GlyphsCommand::Watch {
        corpus: args.corpus.clone(),
        count: args.count as usize,
        seed: args.seed,
    };
    session.send(command)?;
    let grid = loop {
        if let Some(grid) = session.views.grid.get() {
            break grid;
        }
        refuse_if_interrupted()?;
        session.next()?;
    };
    let glyphs: Vec<_> = grid.tiles.iter().map(|tile| tile.glyph.clone()).collect();
    image_io::write(&args.out, &image_io::sheet(&glyphs, COLUMNS))?;
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
