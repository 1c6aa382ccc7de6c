//! `glyphspace glyphs decode`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        args::Model,
        errors::Unverified,
        output::{note, say},
        session::{GlyphsSession, refuse_if_interrupted},
    },
    device::Choice,
    glyphs::{
        image_io,
        job::{GlyphsCommand, GlyphsEvent},
        reading::{RELIABLE, Reading},
    },
};

#[derive(Debug, Args)]
pub struct PictureArgs {
    /// The picture: a glyph, or a photo or screenshot of one, roughly cropped
    picture: PathBuf,
    #[command(flatten)]
    model: Model,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn decode(args: &PictureArgs, choice: Choice) -> Result<()> {
    let picture = image_io::read(&args.picture)?;
    let session = GlyphsSession::open(choice, args.model.source())?;
    let glyphs = session
        .request(GlyphsCommand::DecodePhoto(picture), decoded, |_| {
            refuse_if_interrupted()
        })
        .with_context(|| args.picture.display().to_string())?;
    session.finish();
    let read = glyphs.first().context("a picture has a best reading")?;
    if !read.decoded.is_glyph() {
        bail!(
            "{} has no glyph that can be read: the best reading is {:.0} % sure of a token",
            args.picture.display(),
            100.0 * read.decoded.certainty.exp()
        );
    }
    let probability = read.decoded.sequence_probability();
    if args.json {
        let mut object = reading_json(read);
        if glyphs.len() > 1 {
            object["glyphs"] = glyphs.iter().map(reading_json).collect();
        }
        say(object)?;
    } else {
        for (nth, read) in glyphs.iter().enumerate() {
            let between = if nth > 0 { "\n\n" } else { "" };
            say(format_args!("{between}{}", read.text))?;
        }
    }
    if glyphs.len() > 1 {
        // Of a function on several pages some may be out of sight.
        let cut = glyphs.iter().find(|read| !read.is_verified());
        if let Some([found, pages]) = cut.and_then(|read| read.decoded.pages) {
            return Err(Unverified(too_few(found, pages)).into());
        }
        note(format_args!(
            "glyphspace: {} glyphs, each verified by its check",
            glyphs.len()
        ));
        return Ok(());
    }
    let [percent, least] = [probability, RELIABLE].map(|share| 100.0 * share);
    let text = match (read.decoded.verified, read.decoded.pages) {
        _ if read.repaints => {
            "more than 99 % sure of this reading: painted again, it gives the picture".into()
        }
        (Some(true), Some([_, pages])) => format!("verified by the checks of {pages} pages"),
        (Some(true), None) => format!(
            "verified by the glyph's check, {} cells mended",
            read.decoded.mended()
        ),
        (Some(false), Some([found, pages])) => {
            return Err(Unverified(too_few(found, pages)).into());
        }
        (Some(false), None) => {
            let text = format!(
                "unverified: the glyph's check doesn't hold; this is the best reading{}",
                doubts(read)
            );
            return Err(Unverified(text).into());
        }
        (None, _) if read.is_verified() => format!("{percent:.1} % sure of this reading"),
        (None, _) => {
            let text = format!(
                "only {percent:.1} % sure of this reading, expected {least:.0} % or more: it may be wrong"
            );
            return Err(Unverified(text).into());
        }
    };
    note(format_args!("glyphspace: {text}"));
    Ok(())
}

/// Line about a function of which pages are missing.
fn too_few(found: usize, pages: usize) -> String {
    format!("unverified: {found} of {pages} pages were found")
}

/// The first tokens a reading doubts, with their lines.
fn doubts(read: &Reading) -> String {
    const LISTED: usize = 5;
    let mut line = 1;
    let mut doubted = Vec::new();
    for (piece, confidence) in read.pieces.iter().zip(&read.decoded.confidence) {
        if *confidence < RELIABLE {
            let percent = 100.0 * confidence;
            doubted.push(format!(
                "{:?} in line {line} ({percent:.0} %)",
                piece.trim()
            ));
        }
        line += piece.matches('\n').count();
    }
    if doubted.is_empty() {
        return String::new();
    }
    let more = match doubted.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    doubted.truncate(LISTED);
    format!(", in doubt of {}{more}", doubted.join(", "))
}

/// A reading as `decode --json` prints it.
fn reading_json(read: &Reading) -> serde_json::Value {
    let decoded = &read.decoded;
    let tokens = read.pieces.iter().zip(&decoded.confidence);
    let tokens: Vec<_> = tokens
        .map(|(text, confidence)| {
            let doubted = !read.is_verified() && *confidence < RELIABLE;
            json!({ "text": text, "confidence": confidence, "doubted": doubted })
        })
        .collect();
    json!({
        "function": read.text,
        "certainty": decoded.certainty.exp(),
        "sureness": decoded.sequence_probability(),
        "verified": read.is_verified(),
        "mended": decoded.mended(),
        "pages": decoded.pages,
        "corners": decoded.corners,
        "tokens": tokens,
    })
}

/// Readings of an event.
pub fn decoded(event: GlyphsEvent) -> Option<Vec<Reading>> {
    match event {
        GlyphsEvent::Decoded(read) => Some(read),
        _ => None,
    }
}
