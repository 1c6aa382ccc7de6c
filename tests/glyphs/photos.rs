//! Glyphs in photos: located by their border, aligned with what was read, and read where they lie.

use burn::tensor::Device;
use glyphspace::{
    glyphs::{
        alignment::aligned,
        blots::{Blot, BlotKind},
        border::snapped,
        checkpoint,
        photo::Photo,
        scene::{SCENE_SIZE, SceneBatch},
    },
    nn::{distortions::Homography, init::normal},
    training::checkpoint::Source,
};
use image::{Rgb, RgbImage};
use rand_chacha::ChaCha8Rng;

use super::rng;

type Corners = [[f64; 2]; 4];

/// A picture with a dark border and blotches inside.
fn bordered(seed: u64) -> RgbImage {
    let mut rng = rng(seed);
    let waves: Vec<[f64; 5]> = (0..12)
        .map(|_| [0; 5].map(|_| f64::from(normal(&mut rng))))
        .collect();
    RgbImage::from_fn(128, 128, |x, y| {
        if x.min(y).min(127 - x).min(127 - y) < 3 {
            return Rgb([15; 3]);
        }
        Rgb([0, 1, 2].map(|channel| {
            let [x, y] = [x, y].map(|x| f64::from(x) / 9.0);
            let waves = waves.iter().skip(channel * 4).take(4);
            let sum: f64 = waves
                .map(|wave| (wave[0] * x + wave[1] * y + 3.0 * wave[2]).sin() * wave[3])
                .sum();
            (140.0 + 35.0 * sum).clamp(0.0, 255.0) as u8
        }))
    })
}

/// A photo of `size` x `size` pixels with pictures at these corners on a plain ground, with noise.
fn photo(
    pictures: &[(RgbImage, Corners)],
    size: u32,
    ground: u8,
    noise: f32,
    rng: &mut ChaCha8Rng,
) -> RgbImage {
    RgbImage::from_fn(size, size, |x, y| {
        let place = [x, y].map(|x| (f64::from(x) + 0.5) * 2.0 / f64::from(size) - 1.0);
        let mut pixel = [f32::from(ground); 3];
        for (picture, corners) in pictures {
            let [u, v] = Homography::from_corners(*corners).unwrap().map(place);
            if u.abs() < 1.0 && v.abs() < 1.0 {
                let [u, v] = [u, v].map(|x| ((x + 1.0) * 64.0 - 0.5).clamp(0.0, 127.0) as f32);
                let sampled = image::imageops::interpolate_bilinear(picture, u, v).unwrap();
                pixel = sampled.0.map(f32::from);
            }
        }
        Rgb(pixel.map(|value| (value + noise * normal(rng)).clamp(0.0, 255.0) as u8))
    })
}

/// Farthest that a map's corners are from these, in half sides.
fn off(map: &Homography, corners: &Corners) -> f64 {
    let found = map.inverse().corners();
    let apart = found
        .iter()
        .zip(corners)
        .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
    apart.fold(0.0, f64::max)
}

fn rectification(corners: &Corners) -> Homography {
    let numbers: Vec<f32> = corners.iter().flatten().map(|x| *x as f32).collect();
    Homography::rectify(&numbers)
}

const TILTED: Corners = [[-0.62, -0.7], [0.6, -0.58], [0.7, 0.62], [-0.7, 0.55]];

#[test]
fn a_border_is_found_on_white_and_on_black_through_noise() {
    for (seed, (ground, noise)) in [(250, 2.0), (20, 2.0), (128, 25.0), (250, 60.0)]
        .into_iter()
        .enumerate()
    {
        let picture = bordered(seed as u64);
        let photo = Photo::new(photo(&[(picture, TILTED)], 256, ground, noise, &mut rng(1)));
        let rough = [[-0.7, -0.62], [0.66, -0.66], [0.62, 0.7], [-0.62, 0.63]];
        let found = snapped(&photo, &rectification(&rough)).unwrap();
        assert!(off(&rectification(&rough), &TILTED) > 0.08);
        let off = off(&found, &TILTED);
        // A pixel of the photo is 1/128 of a half side.
        assert!(
            off < 0.035,
            "on {ground} with noise {noise} it is {off} off"
        );
    }
    let nothing = Photo::new(RgbImage::from_pixel(256, 256, Rgb([200; 3])));
    assert!(snapped(&nothing, &Homography::IDENTITY).is_none());
}

#[test]
fn an_alignment_is_exact_to_a_fraction_of_a_pixel() {
    let picture = bordered(9);
    let photo = Photo::new(photo(
        &[(picture.clone(), TILTED)],
        256,
        90,
        20.0,
        &mut rng(2),
    ));
    let rough = TILTED.map(|[x, y]| [x + 0.03, y - 0.025]);
    let map = aligned(&photo, rectification(&rough), &picture, &[1.0; 128 * 128]);
    let off = off(&map, &TILTED);
    assert!(off < 0.01, "{off} off");
    // What has nothing in common moves nothing far.
    let other = aligned(
        &photo,
        rectification(&rough),
        &bordered(10),
        &[1.0; 128 * 128],
    );
    assert!(self::off(&other, &rough) < 1.0);
}

#[test]
fn scenes_show_a_glyph_on_a_ground() {
    let scenes = SceneBatch::sample(40, &mut rng(3));
    let pixels = SCENE_SIZE * SCENE_SIZE;
    assert_eq!(scenes.corners.len(), 40 * 8);
    assert_eq!(
        (scenes.light.len(), scenes.background.len()),
        (40 * pixels, 120 * pixels)
    );
    for (nth, corners) in scenes.corners.chunks(8).enumerate() {
        let [light, ground] =
            [(&scenes.light, 1), (&scenes.background, 3)].map(|(values, channels)| {
                &values[nth * channels * pixels..(nth + 1) * channels * pixels]
            });
        assert!(
            light
                .iter()
                .chain(ground)
                .all(|value| (0.0..=1.0).contains(value))
        );
        // Either the glyph is lit or its ground is.
        let is_dark = |at: usize| light[at] == 0.0 && ground[at] == 0.0;
        let covered = light.iter().filter(|light| **light > 0.0).count() as f64 / pixels as f64;
        let cross = |a: usize, b: usize| {
            f64::from(corners[2 * a] * corners[2 * b + 1] - corners[2 * a + 1] * corners[2 * b])
        };
        let area = (cross(0, 1) + cross(1, 2) + cross(2, 3) + cross(3, 0)) / 8.0;
        assert!(area > 0.1, "clockwise, and no speck: {area}");
        let is_inside = corners.iter().all(|x| x.abs() < 1.0);
        assert!(
            !is_inside || (covered - area).abs() < 0.1,
            "{covered} of {area}"
        );
        assert!(
            (0..pixels).filter(|at| is_dark(*at)).count() < pixels / 2
                || ground.iter().all(|x| *x < 0.2)
        );
    }
    let again = SceneBatch::sample(40, &mut rng(3));
    assert_eq!(again.corners, scenes.corners);
}

#[test]
fn blots_cover_what_they_say_and_nothing_else() {
    let whole = bordered(4);
    for kind in [BlotKind::Scrape, BlotKind::Stain] {
        let blot = Blot {
            kind,
            centre: [0.5, -0.5],
            radius: 0.3,
        };
        let mut picture = whole.clone();
        blot.put(&mut picture);
        for (x, y, pixel) in picture.enumerate_pixels() {
            let place = [x, y].map(|x| (x as f32 + 0.5) / 64.0 - 1.0);
            let far = (place[0] - 0.5).hypot(place[1] + 0.5);
            if far > 0.3 * 1.1 {
                assert_eq!(pixel, whole.get_pixel(x, y));
            } else if far < 0.2 {
                assert_ne!(pixel, whole.get_pixel(x, y), "{kind:?}");
            }
        }
        assert!(blot.covers([0.5, -0.3]) && !blot.covers([0.0, 0.0]));
    }
}

/// What lies beyond the photo's edge takes the border along, by which glyphs are located.
#[test]
fn glyphs_that_are_cut_are_read() {
    let reader = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    let functions = [
        "def area(self):\n    return self.width * self.height\n",
        "def mean(values):\n    total = 0\n    for value in values:\n        total += value\n    return total / len(values)\n",
    ];
    let rectangle = |left, top, right, bottom| -> Corners {
        [[left, top], [right, top], [right, bottom], [left, bottom]]
    };
    let cuts = [
        rectangle(-1.3, -1.2, 1.0, 0.9),
        rectangle(-0.9, -1.35, 1.2, 1.1),
        rectangle(-1.25, -1.1, 1.1, 1.2),
        [[-1.35, -1.0], [0.9, -1.25], [1.1, 0.95], [-1.1, 1.2]],
    ];
    let mut rng = rng(12);
    let (mut pictures, mut truths) = (Vec::new(), Vec::new());
    for function in functions {
        let tokens = reader.tokens(function).unwrap();
        let glyph = reader.glyph(&tokens).unwrap();
        for corners in cuts {
            pictures.push(photo(&[(glyph.clone(), corners)], 128, 60, 6.0, &mut rng));
            truths.push(tokens.clone());
        }
    }
    for (nth, read) in reader.read(&pictures).unwrap().iter().enumerate() {
        assert_eq!(read.verified, Some(true), "picture {nth}");
        assert_eq!(read.tokens, truths[nth], "picture {nth}");
    }
}
