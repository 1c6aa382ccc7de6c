//! Glyphs as files.

use std::{fs, path::Path};

use glyphspace::glyphs::picture::{fit, read, sheet, write_frames, write_gif, write_png};
use image::{AnimationDecoder, DynamicImage, ImageFormat, Rgb, RgbImage, codecs::gif::GifDecoder};

/// Slow colours, the same at every size.
fn colours(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let [x, y] = [255 * x / width, 255 * y / height].map(|value| value as u8);
        Rgb([x, y, 255 - x])
    })
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let apart = a
        .as_raw()
        .iter()
        .zip(b.as_raw())
        .map(|(a, b)| f64::from(a.abs_diff(*b)));
    apart.sum::<f64>() / a.as_raw().len() as f64
}

#[test]
fn a_png_file_keeps_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("glyph.png");
    let glyph = RgbImage::from_fn(128, 128, |x, y| {
        Rgb([(x * 2) as u8, (x * y) as u8, y as u8])
    });
    write_png(&path, &glyph).unwrap();
    assert_eq!(read(&path).unwrap(), glyph);
    assert_eq!(
        image::guess_format(&fs::read(&path).unwrap()).unwrap(),
        ImageFormat::Png
    );
    let nowhere = folder.path().join("nowhere/glyph.png");
    let error = format!("{:#}", write_png(&nowhere, &glyph).unwrap_err());
    assert!(error.contains("nowhere/glyph.png"), "{error}");
}

#[test]
fn png_jpeg_and_gif_are_read_by_what_they_are_and_scaled() {
    let folder = tempfile::tempdir().unwrap();
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif] {
        for (width, height) in [(128, 128), (64, 64), (500, 400), (150, 300)] {
            // Whatever the name says.
            let path = folder.path().join("photo.dat");
            let mut bytes = std::io::Cursor::new(Vec::new());
            DynamicImage::from(colours(width, height))
                .write_to(&mut bytes, format)
                .unwrap();
            fs::write(&path, bytes.into_inner()).unwrap();
            let picture = read(&path).unwrap();
            assert_eq!(picture.dimensions(), (128, 128));
            let off = mean_difference(&picture, &colours(128, 128));
            assert!(off < 8.0, "{format:?} of {width}x{height} is {off} off");
        }
    }
    // Grey and transparent ones are pictures too.
    let path = folder.path().join("grey.png");
    let grey = DynamicImage::from(colours(128, 128)).to_luma_alpha8();
    grey.save_with_format(&path, ImageFormat::Png).unwrap();
    assert_eq!(read(&path).unwrap().dimensions(), (128, 128));
}

fn check_refused(path: &Path, named: &[&str]) {
    let error = format!("{:#}", read(path).unwrap_err());
    let name = path.file_name().unwrap().to_str().unwrap();
    for name in named.iter().chain(&[name]) {
        assert!(error.contains(name), "{error:?} doesn't say {name:?}");
    }
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn what_holds_no_glyph_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    check_refused(&place("missing.png"), &["can't read"]);
    check_refused(folder.path(), &["can't read"]);
    for (name, content) in [("text.png", &b"def f(): pass"[..]), ("empty.gif", b"")] {
        fs::write(place(name), content).unwrap();
        check_refused(&place(name), &["not a picture", "PNG, JPEG or GIF"]);
    }
    let whole = {
        write_png(&place("cut.png"), &colours(128, 128)).unwrap();
        fs::read(place("cut.png")).unwrap()
    };
    fs::write(place("cut.png"), &whole[..whole.len() / 2]).unwrap();
    check_refused(&place("cut.png"), &["not a picture"]);
    for (width, height, named) in [
        (63, 128, "too few"),
        (32, 32, "too few"),
        (1, 1, "too few"),
        (64, 129, "crop"),
        (1000, 300, "crop"),
    ] {
        let (name, size) = (place("size.png"), format!("{width}x{height}"));
        write_png(&name, &colours(width, height)).unwrap();
        check_refused(&name, &[named, &size]);
        assert!(fit(colours(width, height)).is_err());
    }
    for (width, height) in [(64, 64), (128, 64), (64, 128), (4000, 2000)] {
        assert_eq!(
            fit(colours(width, height)).unwrap().dimensions(),
            (128, 128)
        );
    }
}

fn frames(count: u8) -> Vec<RgbImage> {
    (0..count)
        .map(|i| RgbImage::from_pixel(128, 128, Rgb([20 * i, 100, 255 - 20 * i])))
        .collect()
}

#[test]
fn an_animation_has_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("morph.gif");
    for count in [1, 7] {
        write_gif(&path, &frames(count)).unwrap();
        let file = std::io::BufReader::new(fs::File::open(&path).unwrap());
        let decoded = GifDecoder::new(file)
            .unwrap()
            .into_frames()
            .collect_frames()
            .unwrap();
        assert_eq!(decoded.len(), usize::from(count));
        for (got, expected) in decoded.iter().zip(frames(count)) {
            let got = DynamicImage::from(got.buffer().clone()).to_rgb8();
            assert!(mean_difference(&got, &expected) < 4.0);
        }
    }
}

#[test]
fn a_sheet_has_every_glyph_in_its_place() {
    let glyphs = frames(5);
    let sheet = sheet(&glyphs, 3);
    let [width, height] = [3, 2].map(|count| 4 + 132 * count);
    assert_eq!(sheet.dimensions(), (width, height));
    for (i, glyph) in glyphs.iter().enumerate() {
        let corner = [i % 3, i / 3].map(|at| 4 + 132 * at as u32);
        for [x, y] in [[0, 0], [127, 0], [60, 127]] {
            let got = sheet.get_pixel(corner[0] + x, corner[1] + y);
            assert_eq!(got, glyph.get_pixel(x, y), "glyph {i}");
        }
    }
    assert_eq!(*sheet.get_pixel(2, 2), Rgb([0; 3]));
    assert_eq!(
        *sheet.get_pixel(width - 10, height - 10),
        Rgb([0; 3]),
        "an empty place"
    );
}

#[test]
fn frames_go_into_a_folder_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("frames");
    write_frames(&place, &frames(3)).unwrap();
    let names = ["frame-0000.png", "frame-0001.png", "frame-0002.png"];
    for (name, frame) in names.iter().zip(frames(3)) {
        assert_eq!(read(&place.join(name)).unwrap(), frame);
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3);
    let error = format!("{:#}", write_frames(&place, &frames(5)).unwrap_err());
    assert!(
        error.contains("frames") && error.contains("not empty"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3);
    fs::write(folder.path().join("file"), "mine").unwrap();
    assert!(write_frames(&folder.path().join("file"), &frames(1)).is_err());
    assert_eq!(
        fs::read_to_string(folder.path().join("file")).unwrap(),
        "mine"
    );
}
