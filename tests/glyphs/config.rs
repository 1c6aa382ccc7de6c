//! Presets and keys of Code Glyphs.

use glyphspace::{
    executor::config::ExecutorConfig,
    glyphs::config::{Design, GLYPH_PRESETS, GlyphsConfig},
    training::config::Config,
};

use super::{rows, shrunk, tiny, trainer};

#[test]
fn every_preset_can_be_trained_and_comes_back_from_its_file() {
    for name in GLYPH_PRESETS {
        let config = GlyphsConfig::preset(name).unwrap();
        config
            .check()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<GlyphsConfig>(&json).unwrap(), config);
        assert!(config.max_tokens >= 128, "{name}");
    }
    let error = GlyphsConfig::preset("poket").unwrap_err().to_string();
    for name in GLYPH_PRESETS.iter().chain(&["poket"]) {
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn every_presets_model_can_be_made_and_asked() {
    for name in GLYPH_PRESETS {
        let reader = trainer(shrunk(name, &[])).snapshot();
        assert!(reader.params() > 0);
        assert_eq!(
            reader.glyphs(&rows()[..1]).unwrap()[0].dimensions(),
            (128, 128),
            "{name}"
        );
    }
}

#[test]
fn keys_are_set_from_text() {
    let config = shrunk(
        "dense",
        &[
            "design=cppn",
            "learning_rate=1e-4",
            "shared_pairs=false",
            " batch = 9 ",
        ],
    );
    assert_eq!((config.design, config.learning_rate), (Design::Cppn, 1e-4));
    assert_eq!((config.shared_pairs, config.batch), (false, 9));
}

#[test]
fn keys_and_values_no_model_can_have_are_refused_by_name() {
    let cases: &[(&str, &[&str])] = &[
        ("painter", &["painter", "key=value"]),
        ("paint=3", &["paint", "painter", "hidden_size"]),
        ("design=oil", &["design", "oil", "mosaic"]),
        ("batch=many", &["batch", "many"]),
        ("batch=-1", &["batch", "-1"]),
        ("batch=0", &["batch is 0", "1"]),
        ("max_tokens=3", &["max_tokens is 3", "4 to 512"]),
        ("max_tokens=513", &["max_tokens is 513", "4 to 512"]),
        (
            "hidden_size=17",
            &["hidden_size is 17", "num_attention_heads, 2"],
        ),
        (
            "num_attention_heads=3",
            &["hidden_size is 16", "num_attention_heads, 3"],
        ),
        ("batch_tokens=5", &["batch_tokens is 5", "max_tokens"]),
        ("validation=1", &["validation is 1", "0 to 0.9"]),
        ("clean=1.1", &["clean is 1.1"]),
        ("difficulty=16", &["difficulty is 16", "0 to 15"]),
        ("max_difficulty=-1", &["max_difficulty is -1"]),
        (
            "learning_rate=-0.1",
            &["learning_rate is -0.1", "at least 0"],
        ),
        ("contrast=-2", &["contrast_weight is -2"]),
        ("schedule_steps=0", &["schedule_steps is 0"]),
    ];
    let before = tiny(&[]);
    for (assignment, named) in cases {
        let mut config = before.clone();
        let error = format!("{:#}", config.set(assignment).unwrap_err());
        for name in *named {
            assert!(
                error.contains(name),
                "{assignment}: {error:?} doesn't say {name:?}"
            );
        }
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(config, before, "{assignment} changed something");
    }
    let not_a_number = GlyphsConfig {
        thumbnail_weight: f64::NAN,
        ..before
    };
    assert!(
        not_a_number
            .check()
            .unwrap_err()
            .to_string()
            .contains("thumbnail_weight")
    );
}

#[test]
fn rate_and_looks_follow_the_schedule() {
    let config = tiny(&["warmup_steps=10", "schedule_steps=1000", "looks_from=0.25"]);
    let rate = |position| config.schedule().learning_rate_at(position) / config.learning_rate;
    assert!((0..10).all(|position| rate(position) < rate(position + 1)));
    assert!((10..1000).all(|position| rate(position) > rate(position + 1)));
    assert!(rate(10) > 0.99 && (rate(1000) - 0.01).abs() < 1e-9 && rate(5000) == rate(1000));
    let looks: Vec<f64> = [0, 250, 400, 999, 5000]
        .map(|position| config.aesthetic_weight_at(position))
        .into();
    assert!(
        looks[0] == 0.0 && looks[1] == 0.0 && looks.is_sorted(),
        "{looks:?}"
    );
    assert!(
        looks[2] > 0.0 && looks[2] < 1.0 && looks[4] == 1.0,
        "{looks:?}"
    );
    // Looks that never count until the end must not divide by nothing.
    assert!(tiny(&["looks_from=1"]).aesthetic_weight_at(3).is_finite());
}

/// Flags and files may have the names of before: weights that didn't say that they are weights.
#[test]
fn renamed_keys_are_read_by_either_name() {
    fn check<C: Config + PartialEq + std::fmt::Debug>(preset: &C) {
        let now = serde_json::to_value(preset).unwrap();
        let mut before = now.clone();
        let keys = before.as_object_mut().unwrap();
        for (old, new) in C::RENAMED {
            let value = keys.remove(*new).unwrap();
            keys.insert((*old).to_owned(), value);
        }
        assert_eq!(&C::from_json(before).unwrap(), preset);
        for (old, new) in C::RENAMED {
            let (mut by_old, mut by_new) = (now.clone(), now.clone());
            for (key, config) in [(old, &mut by_old), (new, &mut by_new)] {
                let mut set: C = serde_json::from_value(config.clone()).unwrap();
                set.set(&format!("{key}=0.125")).unwrap();
                *config = serde_json::to_value(set).unwrap();
            }
            assert_eq!(by_old, by_new);
            assert_eq!(by_new[new], 0.125);
        }
    }
    check(&GlyphsConfig::preset("pocket").unwrap());
    check(&ExecutorConfig::preset("pocket").unwrap());
}
