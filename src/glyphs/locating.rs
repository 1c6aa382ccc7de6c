//! Glyphs located in photos: pictures of any size with glyphs anywhere in them, turned, tilted, with margins, one or several.
//!
//! ```text
//! photo -> windows -> locator, twice again on what it found -> quadrilaterals -> four turns -> pose head -> recognition
//! ```
//!
//! The glyph's check decides: what is verified is a glyph, wherever it was found.

use anyhow::Result;
use image::RgbImage;

use super::{
    border::snapped,
    image_io::{fit, squeezed},
    inference::{GlyphReader, values},
    pages::{self, Page, neighbours_of, place_of, places_on_sheet},
    photo::Photo,
    reading::Decoded,
    scene::SCENE_SIZE,
};
use crate::{
    glyphs::config::GLYPH_SIZE,
    nn::distortions::{CORNERS, Homography},
};

/// Sides of the windows in which a glyph is looked for, in the photo's shorter side; smaller ones where nothing was found.
const WINDOWS: [f64; 4] = [1.0, 0.5, 0.25, 0.125];
/// Pixels a side of the smallest window: a glyph is read from half as many.
const LEAST_WINDOW: f64 = 96.0;
/// Half side of the view in which a located glyph is located again, in half sides of the glyph.
const AROUND: f64 = 1.3;
/// Of the places where nothing is verified, how many are looked at more closely.
const ALIGNED: usize = 4;
/// Times a glyph is located, each in the surroundings found before.
const LOOKS: usize = 3;

/// Where a glyph lies: its corners in the photo, clockwise, where -1 and 1 are the photo's edges.
type Quadrilateral = [[f64; 2]; 4];

impl GlyphReader {
    /// Reads the glyphs in a picture of any size: all that are verified, from the top, or else the one the reader is surest of.
    ///
    /// # Errors
    /// If the picture is too long for a model whose glyphs have no code, or the device fails.
    pub fn read_photo(&self, picture: &RgbImage) -> Result<Vec<Decoded>> {
        let photo = Photo::new(picture.clone());
        let mut read = self.read_glyphs(picture, &photo)?;
        self.read_other_pages(&photo, &mut read)?;
        Ok(pages::joined(read, self.bpe.pad()))
    }

    fn read_glyphs(&self, picture: &RgbImage, photo: &Photo) -> Result<Vec<Decoded>> {
        let on_sheet = self.read_sheet(photo)?;
        if !on_sheet.is_empty() {
            return Ok(on_sheet);
        }
        // Glyphs without a code can't be told from other things.
        let whole = match self.config.parity > 0.0 {
            true => squeezed(picture),
            false => fit(picture)?,
        };
        let mut surest = self.read(&[whole])?.remove(0);
        if surest.verified.is_none() || is_large(&surest) {
            return Ok(vec![surest]);
        }
        let [width, height] = photo.size(0);
        let mut found: Vec<Decoded> = Vec::new();
        for share in WINDOWS {
            let side = share * width.min(height);
            if side < LEAST_WINDOW && share < 1.0 {
                break;
            }
            let mut located = self.located(photo, windows([width, height], side))?;
            if share < 1.0 {
                // Among many places those with a border all around.
                located.retain(|place| snapped(photo, &rectification(place)).is_some());
            }
            let mut read = self.read_located(photo, &located)?;
            read.sort_by(|a, b| b.certainty.total_cmp(&a.certainty));
            let doubtful = read.iter_mut().filter(|read| read.verified == Some(false));
            for read in doubtful.take(ALIGNED) {
                *read = self.read_aligned(photo, std::slice::from_ref(read))?;
            }
            for read in read {
                let is_known = |other: &Decoded| is_same_place(other, &read);
                if read.verified == Some(true) && !found.iter().any(is_known) {
                    found.push(read);
                } else if read.is_surer_than(&surest) {
                    surest = read;
                }
            }
            if !found.is_empty() {
                found.sort_by(|a, b| reading_order(a).total_cmp(&reading_order(b)));
                return Ok(found);
            }
        }
        Ok(vec![self.search(photo, surest)?])
    }

    /// The verified readings of a picture that has the size of a [`pages::sheet`], as it is written.
    fn read_sheet(&self, photo: &Photo) -> Result<Vec<Decoded>> {
        let [width, height] = photo.size(0);
        let places = places_on_sheet([width as usize, height as usize]).into_iter();
        let maps: Vec<Homography> = places
            .map(|place| place.map(|[x, y]| [x / width * 2.0 - 1.0, y / height * 2.0 - 1.0]))
            .map(|place| rectification(&place))
            .collect();
        let mut read = self.in_passes(maps.len(), GLYPH_SIZE, |some| {
            let views = maps[some.clone()].iter();
            let views: Vec<_> = views.map(|map| photo.view(map, GLYPH_SIZE)).collect();
            self.attempt(self.tensor(&views), &maps[some])
        })?;
        read.retain(|read| read.verified == Some(true));
        Ok(read)
    }

    /// Looks for the pages that are missing where they lie on their sheet, beside those that were read.
    fn read_other_pages(&self, photo: &Photo, read: &mut Vec<Decoded>) -> Result<()> {
        let mut tried: Vec<(Page, usize)> = Vec::new();
        loop {
            let pages = read.iter().filter(|read| read.verified == Some(true));
            let pages =
                pages.filter_map(|read| Some((Page::of(&read.tokens, self.bpe.pad())?, read)));
            let pages: Vec<(Page, &Decoded)> = pages.collect();
            let is_read = |from: Page, number: usize| {
                let is_same = |page: &Page| page.is_with(&from) && page.number == number;
                pages.iter().any(|(page, _)| is_same(page))
            };
            // From its neighbour a page's place is known best.
            let near = pages.iter().flat_map(|&(from, read)| {
                let neighbours = neighbours_of(from).into_iter();
                neighbours.map(move |number| (from, read, number))
            });
            let next = near.into_iter().find(|&(from, _, number)| {
                !is_read(from, number) && !tried.contains(&(from, number))
            });
            let Some((from, known, number)) = next else {
                return Ok(());
            };
            tried.push((from, number));
            let map = rectification(&known.corners.map(|corner| corner.map(f64::from)));
            let place = place_of(number, from).map(|corner| map.map(corner));
            let mut found = self.read_closely(photo, vec![rectification(&place)])?;
            found.truncate(1);
            let found = self.read_aligned(photo, &found)?;
            if found.verified == Some(true) {
                read.push(found);
            }
        }
    }

    /// Where the glyphs in these windows lie.
    fn located(&self, photo: &Photo, windows: Vec<Quadrilateral>) -> Result<Vec<Quadrilateral>> {
        let mut places = windows;
        for _ in 0..LOOKS {
            let maps: Vec<Homography> = places.iter().map(rectification).collect();
            let corners = self.in_passes(maps.len(), SCENE_SIZE, |some| {
                let views = maps[some.clone()].iter();
                let views: Vec<_> = views.map(|map| photo.view(map, SCENE_SIZE)).collect();
                match self.model.located(self.tensor_of(&views, SCENE_SIZE)) {
                    Some(corners) => Ok(values(corners)?.chunks(8).map(<[f32]>::to_vec).collect()),
                    None => Ok(vec![Vec::new(); some.len()]),
                }
            })?;
            places = std::iter::zip(maps, corners)
                .filter_map(|(map, corners)| surroundings(&map, &corners))
                .collect();
        }
        // The last ones without what lies around.
        let inner = places.iter().map(|place| scaled(place, 1.0 / AROUND));
        let mut located: Vec<Quadrilateral> = Vec::new();
        for place in inner {
            if !located.iter().any(|other| is_near(other, &place)) {
                located.push(place);
            }
        }
        Ok(located)
    }

    /// The best readings of what lies in these places, turned by quarters.
    fn read_located(&self, photo: &Photo, places: &[Quadrilateral]) -> Result<Vec<Decoded>> {
        self.in_passes(places.len(), GLYPH_SIZE, |some| {
            some.map(|nth| self.read_turned(photo, &places[nth]))
                .collect()
        })
    }

    fn read_turned(&self, photo: &Photo, place: &Quadrilateral) -> Result<Decoded> {
        let map = rectification(place);
        let map = snapped(photo, &map).unwrap_or(map);
        let turns = (0..4).map(|turn| map.then(&quarter(turn)));
        let mut read = self.read_closely(photo, turns.collect())?.into_iter();
        Ok(read.next().unwrap_or_default())
    }
}

/// Rotation by quarter turns.
fn quarter(turns: usize) -> Homography {
    let mut corners = CORNERS;
    corners.rotate_left(turns);
    rectification(&corners)
}

/// Map from an upright view to the photo.
fn rectification(place: &Quadrilateral) -> Homography {
    Homography::rectify_corners(*place).unwrap_or(Homography::IDENTITY)
}

/// What lies around the corners found in the view of a map; `None` if they are no glyph's.
fn surroundings(map: &Homography, corners: &[f32]) -> Option<Quadrilateral> {
    let (pairs, []) = corners.as_chunks::<2>() else {
        return None;
    };
    let corners: Quadrilateral = pairs
        .iter()
        .map(|pair| pair.map(f64::from))
        .collect::<Vec<_>>()
        .try_into()
        .ok()?;
    // Convex, and not much longer than wide.
    Homography::from_corners(corners)?;
    let sides = [0, 1, 2, 3].map(|nth| {
        let [a, b] = [corners[nth], corners[(nth + 1) % 4]];
        (a[0] - b[0]).hypot(a[1] - b[1])
    });
    let [least, most] = [f64::min, f64::max].map(|of| sides.into_iter().reduce(of).unwrap_or(0.0));
    if least < 0.3 || most > 3.0 || most > 2.5 * least {
        return None;
    }
    Some(scaled(&corners, AROUND).map(|corner| map.map(corner)))
}

/// A quadrilateral enlarged about its middle.
fn scaled(place: &Quadrilateral, factor: f64) -> Quadrilateral {
    let middle = middle(place);
    place.map(|corner| [0, 1].map(|axis| middle[axis] + factor * (corner[axis] - middle[axis])))
}

fn middle(place: &Quadrilateral) -> [f64; 2] {
    [0, 1].map(|axis| place.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0)
}

/// True if two places are nearly the same.
fn is_near(a: &Quadrilateral, b: &Quadrilateral) -> bool {
    let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let side = distance(a[0], a[1]).max(1e-9);
    (0..4).any(|first| (0..4).all(|nth| distance(a[nth], b[(nth + first) % 4]) < 0.06 * side))
}

/// True if two readings are of one glyph: the middle of either lies in the other.
fn is_same_place(a: &Decoded, b: &Decoded) -> bool {
    let places = [a, b].map(|read| read.corners.map(|corner| corner.map(f64::from)));
    let [a, b] = places.map(|place| middle(&place));
    let [size, _] = places.map(|place| {
        let middle = middle(&place);
        let reach = place.map(|corner| (corner[0] - middle[0]).hypot(corner[1] - middle[1]));
        reach.into_iter().fold(f64::INFINITY, f64::min)
    });
    (a[0] - b[0]).hypot(a[1] - b[1]) < 0.7 * size
}

/// True if a glyph is read that fills so much of the picture that there is none beside it.
fn is_large(read: &Decoded) -> bool {
    let [a, b, c, d] = read.corners;
    let cross = |a: [f32; 2], b: [f32; 2]| a[0] * b[1] - a[1] * b[0];
    let area = (cross(a, b) + cross(b, c) + cross(c, d) + cross(d, a)).abs() / 2.0;
    read.verified == Some(true) && area > 2.0
}

/// Position by which readings are listed: by rows of a tenth of the photo, then from the left.
fn reading_order(read: &Decoded) -> f64 {
    let [x, y] = middle(&read.corners.map(|corner| corner.map(f64::from)));
    (y * 5.0).round() * 10.0 + x
}

/// Square windows of this side in pixels, each half over the next.
fn windows([width, height]: [f64; 2], side: f64) -> Vec<Quadrilateral> {
    let starts = |length: f64| {
        let count = ((length - side) / side * 2.0).ceil().max(0.0) as usize;
        let step = (length - side) / count.max(1) as f64;
        (0..=count).map(move |nth| nth as f64 * step)
    };
    let windows = starts(height).flat_map(|top| starts(width).map(move |left| [left, top]));
    let windows = windows.map(|[left, top]| {
        let (right, bottom) = (left + side, top + side);
        [[left, top], [right, top], [right, bottom], [left, bottom]]
            .map(|[x, y]| [x / width * 2.0 - 1.0, y / height * 2.0 - 1.0])
    });
    windows.collect()
}
