//! Functions of more tokens than a glyph holds: pages, and sheets of them.

use glyphspace::glyphs::{
    pages::{Page, joined, neighbours_of, place_of, places_on_sheet, sheet, split},
    reading::Decoded,
};
use image::RgbImage;

const PAD: u32 = 1;

fn read(tokens: &[u32]) -> Decoded {
    Decoded {
        tokens: tokens.to_vec(),
        confidence: vec![1.0; tokens.len()],
        verified: Some(true),
        ..Decoded::default()
    }
}

#[test]
fn pages_in_any_order_give_the_function_and_one_that_is_missing_is_told() {
    for count in [1, 10, 11, 14, 60, 500] {
        let tokens: Vec<u32> = (0..count).map(|i| 2 + i * 7 % 2000).collect();
        let pages = split(tokens.clone(), 10, PAD).unwrap();
        assert!(pages.iter().all(|page| page.len() <= 10), "{count} tokens");
        assert_eq!(pages.len() == 1, count <= 10);
        // Of another function, and a whole one, in the same picture.
        let other = split((0..30).map(|i| 3 + i).collect(), 10, PAD).unwrap();
        let mut all: Vec<Decoded> = pages
            .iter()
            .rev()
            .chain(&other)
            .map(|page| read(page))
            .collect();
        all.push(read(&[5, 6, 7]));
        let functions = joined(all.clone(), PAD);
        assert!(functions.iter().any(|read| read.tokens == tokens));
        assert!(functions.iter().all(|read| read.verified == Some(true)));
        assert_eq!(functions.len(), 3);
        if pages.len() > 1 {
            // Twice the same page is one.
            all[1] = all[0].clone();
            let functions = joined(all, PAD);
            let cut = functions.iter().find(|read| read.verified == Some(false));
            assert_eq!(cut.unwrap().pages, Some([pages.len() - 1, pages.len()]));
        }
    }
    let error = split(vec![7; 13_000], 10, PAD).unwrap_err().to_string();
    assert!(error.contains("13000") && error.contains("2047"), "{error}");
}

#[test]
fn places_of_pages_are_where_the_sheet_has_them() {
    let colour = |nth: usize| image::Rgb([nth as u8 * 20, 9, 9]);
    for count in 2..=10 {
        let glyphs: Vec<RgbImage> = (0..count)
            .map(|nth| RgbImage::from_pixel(128, 128, colour(nth)))
            .collect();
        let sheet = sheet(&glyphs);
        let places = places_on_sheet([sheet.width() as usize, sheet.height() as usize]);
        let pages = split(vec![5; 6 * count], 10, PAD).unwrap();
        assert_eq!(pages.len(), count);
        let page = |nth: usize| Page::of(&pages[nth], PAD).unwrap();
        for nth in 0..count {
            let [[left, top], ..] = places[nth];
            for [x, y] in [[left, top], [left + 127.0, top + 127.0]] {
                assert_eq!(*sheet.get_pixel(x as u32, y as u32), colour(nth));
            }
            for beside in neighbours_of(page(nth)) {
                // From the middle of one page, in half sides of 64 pixels.
                let [x, y] = place_of(beside, page(nth))[0];
                let [x, y] = [left + 64.0 + 64.0 * x, top + 64.0 + 64.0 * y];
                assert_eq!([x, y], places[beside][0], "{beside} from {nth} of {count}");
            }
        }
    }
    assert!(places_on_sheet([128, 128]).is_empty() && places_on_sheet([640, 480]).is_empty());
}
