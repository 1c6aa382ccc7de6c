//! Glyphs as files.

use std::{fs, path::Path};

use glyphspace::glyphs::image_io::{
    as_read_back, decode, fit, read, sheet, squeezed, write, write_frames, write_gif,
};
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
    write(&path, &glyph).unwrap();
    assert_eq!(read(&path).unwrap(), glyph);
    assert_eq!(
        image::guess_format(&fs::read(&path).unwrap()).unwrap(),
        ImageFormat::Png
    );
    let nowhere = folder.path().join("nowhere/glyph.png");
    let error = format!("{:#}", write(&nowhere, &glyph).unwrap_err());
    assert!(error.contains("nowhere/glyph.png"), "{error}");
}

#[test]
fn png_jpeg_and_gif_are_read_by_what_they_are() {
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
            assert_eq!(picture.dimensions(), (width, height));
            let off = mean_difference(&squeezed(&picture), &colours(128, 128));
            assert!(off < 8.0, "{format:?} of {width}x{height} is {off} off");
        }
    }
    // Grey and transparent ones are pictures too.
    let path = folder.path().join("grey.png");
    let grey = DynamicImage::from(colours(128, 128)).to_luma_alpha8();
    grey.save_with_format(&path, ImageFormat::Png).unwrap();
    assert_eq!(read(&path).unwrap().dimensions(), (128, 128));
}

#[test]
fn the_ending_decides_on_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let glyph = colours(128, 128);
    for (name, format) in [
        ("a.png", ImageFormat::Png),
        ("b.PNG", ImageFormat::Png),
        ("c.jpg", ImageFormat::Jpeg),
        ("d.JPEG", ImageFormat::Jpeg),
        ("without", ImageFormat::Png),
    ] {
        let path = folder.path().join(name);
        write(&path, &glyph).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_eq!(image::guess_format(&bytes).unwrap(), format, "{name}");
        let off = mean_difference(&read(&path).unwrap(), &glyph);
        assert!(off < 1.0, "{name} is {off} off");
        // What is checked before the file is written is what is found in it.
        assert_eq!(read(&path).unwrap(), as_read_back(&path, &glyph).unwrap());
    }
    let path = folder.path().join("e.webp");
    let error = format!("{:#}", write(&path, &glyph).unwrap_err());
    assert!(
        error.contains("e.webp") && error.contains("png, jpg"),
        "{error}"
    );
    assert!(!path.exists());
}

/// The bytes of an Exif block that says nothing but an orientation.
fn exif(orientation: u8, is_big_endian: bool) -> Vec<u8> {
    match is_big_endian {
        true => [
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
            &[orientation, 0, 0, 0, 0, 0, 0][..],
        ]
        .concat(),
        false => [
            b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
            &[orientation, 0, 0, 0, 0, 0, 0, 0][..],
        ]
        .concat(),
    }
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A picture as a camera stores it that was held so: `upright` is what people saw.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (w, h) = upright.dimensions();
    let size = if orientation < 5 { (w, h) } else { (h, w) };
    let mut stored = RgbImage::new(size.0, size.1);
    for (x, y, pixel) in upright.enumerate_pixels() {
        // The table of the Exif standard: where the stored picture's first row and column are seen.
        let (at_x, at_y) = match orientation {
            1 => (x, y),
            2 => (w - 1 - x, y),
            3 => (w - 1 - x, h - 1 - y),
            4 => (x, h - 1 - y),
            5 => (y, x),
            6 => (y, w - 1 - x),
            7 => (h - 1 - y, w - 1 - x),
            _ => (h - 1 - y, x),
        };
        stored.put_pixel(at_x, at_y, *pixel);
    }
    stored
}

/// A PNG file with an eXIf chunk before or behind its pixels, where the standard allows both.
fn png_with(exif: &[u8], picture: &RgbImage, is_before: bool) -> Vec<u8> {
    let bytes = encoded(picture, ImageFormat::Png);
    let place = match is_before {
        true => bytes.windows(4).position(|at| at == b"IDAT").unwrap() - 4,
        false => bytes.len() - 12,
    };
    let chunk = [b"eXIf", exif].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    let length = (exif.len() as u32).to_be_bytes();
    let checksum = crc.sum().to_be_bytes();
    [&bytes[..place], &length, &chunk, &checksum, &bytes[place..]].concat()
}

#[test]
fn photos_are_set_upright_as_the_camera_says() {
    let upright = colours(96, 64);
    for orientation in 1..=8 {
        let stored = stored(&upright, orientation);
        let jpeg = encoded(&stored, ImageFormat::Jpeg);
        for is_big_endian in [true, false] {
            let exif = exif(orientation, is_big_endian);
            let segment = [b"Exif\0\0", &exif[..]].concat();
            let length = (segment.len() as u16 + 2).to_be_bytes();
            let photo = [&jpeg[..2], b"\xff\xe1", &length, &segment, &jpeg[2..]].concat();
            let seen = decode(&photo).unwrap();
            assert_eq!(seen.dimensions(), (96, 64), "{orientation}");
            let off = mean_difference(&seen, &upright);
            assert!(off < 4.0, "orientation {orientation} is {off} off");
            for is_before in [true, false] {
                let photo = png_with(&exif, &stored, is_before);
                assert_eq!(decode(&photo).unwrap(), upright, "{orientation}");
            }
        }
    }
    // What is no orientation turns nothing.
    for orientation in [0, 9, 255] {
        let photo = png_with(&exif(orientation, true), &upright, true);
        assert_eq!(decode(&photo).unwrap(), upright);
    }
    assert_eq!(decode(&png_with(b"", &upright, false)).unwrap(), upright);
}

#[test]
fn every_kind_of_pixel_is_read_for_what_it_shows() {
    let picture = colours(96, 96);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pictures");
    for (name, most) in [("cmyk.jpg", 4.0), ("palette.png", 16.0)] {
        let seen = decode(&fs::read(folder.join(name)).unwrap()).unwrap();
        let off = mean_difference(&seen, &picture);
        assert!(off < most, "{name} is {off} off");
    }
    let picture = DynamicImage::from(picture);
    let check = |other: DynamicImage, name: &str| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        other.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let seen = decode(&bytes.into_inner()).unwrap();
        let off = mean_difference(&seen, &other.to_rgb8());
        assert!(off < 1.0, "{name} is {off} off");
        assert!(name.contains("grey") || mean_difference(&seen, &picture.to_rgb8()) < 1.0);
    };
    check(picture.to_rgb16().into(), "16 bit");
    check(picture.to_rgba16().into(), "16 bit with alpha");
    check(picture.to_luma8().into(), "grey");
    check(picture.to_luma16().into(), "grey of 16 bit");
    check(picture.to_luma_alpha8().into(), "grey with alpha");
    let mut transparent = picture.to_rgba8();
    for pixel in transparent.pixels_mut() {
        pixel[3] = 40;
    }
    check(transparent.into(), "alpha");
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
        write(&place("cut.png"), &colours(128, 128)).unwrap();
        fs::read(place("cut.png")).unwrap()
    };
    fs::write(place("cut.png"), &whole[..whole.len() / 2]).unwrap();
    check_refused(&place("cut.png"), &["not a picture"]);
    for (width, height, named) in [(63, 128, "too few"), (32, 32, "too few"), (1, 1, "too few")] {
        let (name, size) = (place("size.png"), format!("{width}x{height}"));
        write(&name, &colours(width, height)).unwrap();
        check_refused(&name, &[named, &size]);
    }
    // A glyph may lie anywhere in a long picture, but not without a code.
    for (width, height) in [(64, 129), (1000, 300)] {
        let error = format!("{:#}", fit(&colours(width, height)).unwrap_err());
        assert!(error.contains("crop"), "{error}");
    }
    for (width, height) in [(64, 64), (128, 64), (64, 128), (4000, 2000)] {
        assert_eq!(
            fit(&colours(width, height)).unwrap().dimensions(),
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
        write_gif(&path, &frames(count), &mut |_| Ok(())).unwrap();
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
fn an_animation_that_is_broken_off_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("morph.gif");
    let mut heard = 0;
    let broken_off = write_gif(&path, &frames(9), &mut |written| {
        heard = written;
        anyhow::ensure!(written < 4, "enough");
        Ok(())
    });
    let error = format!("{:#}", broken_off.unwrap_err());
    assert!(heard == 4 && error.contains("enough"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
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
    write_frames(&place, &frames(3), &mut |_| Ok(())).unwrap();
    let names = ["frame-0000.png", "frame-0001.png", "frame-0002.png"];
    for (name, frame) in names.iter().zip(frames(3)) {
        assert_eq!(read(&place.join(name)).unwrap(), frame);
    }
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3);
    let error = format!(
        "{:#}",
        write_frames(&place, &frames(5), &mut |_| Ok(())).unwrap_err()
    );
    assert!(
        error.contains("frames") && error.contains("not empty"),
        "{error}"
    );
    assert_eq!(fs::read_dir(&place).unwrap().count(), 3);
    fs::write(folder.path().join("file"), "mine").unwrap();
    assert!(write_frames(&folder.path().join("file"), &frames(1), &mut |_| Ok(())).is_err());
    assert_eq!(
        fs::read_to_string(folder.path().join("file")).unwrap(),
        "mine"
    );
}
