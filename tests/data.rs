//! What people type and what the models read: sums, the tokens of numbers, and the held-out split.

use std::collections::HashSet;

use glyphspace::data::{
    language::{Code, Execution, Language},
    split::Split,
    sums::{Sum, SumError, Task},
    tokens::{PAD, SumTokenizer},
};

fn check(text: &str, start: i32, result: i32) {
    assert_eq!(text.parse(), Ok(Sum { start, result }), "{text:?}");
}

/// The message has to name what was typed and what was expected instead.
fn check_refused(text: &str, named: &str, expected: &str) {
    let error = text.parse::<Sum>().expect_err(text);
    let message = error.to_string();
    assert!(
        message.contains(named),
        "{text:?}: {message:?} doesn't name {named:?}"
    );
    assert!(
        message.contains(expected),
        "{text:?}: {message:?} doesn't say {expected:?}"
    );
    assert_eq!(message.lines().count(), 1, "{text:?}: {message:?}");
}

#[test]
fn sums_are_read_as_people_write_them() {
    for text in [
        "71+?=18",
        " 71 + ? = 18 ",
        "71 + x = 18",
        "71+X=18",
        "71+_=18",
        "71\t+ ?\u{a0}=18",
        "071+?=018",
    ] {
        check(text, 71, 18);
    }
    for text in ["? + 71 = 18", "?+71=18", "x + 71 = 18"] {
        check(text, 71, 18);
    }
    check("10+?=99", 10, 99);
    check("99+?=10", 99, 10);
    check("50+?=50", 50, 50);
    check("-9999 + ? = 0", -9999, 0);
    check("4821+?=-3310", 4821, -3310);
    // Subtractions are solved by the same programs.
    for text in ["71-?=18", "71 - x = 18", "71\u{2212}?=18"] {
        check(text, 71, 18);
    }
    check("? - 71 = 18", -71, 18);
    check("?+-5=3", -5, 3);
}

#[test]
fn signs_and_digits_of_other_keyboards_are_read() {
    for text in [
        "71\u{2212}?=18",
        "71\u{2013}?=18",
        "71\u{ff0d}?=18",
        "71-\u{ff1f}=18",
        "\u{ff17}\u{ff11}\u{ff0d}\u{ff1f}\u{ff1d}\u{ff11}\u{ff18}",
        "71 - \u{ff58} \u{ff1d} 18",
        "71\u{3000}-\u{ff3f}=18",
    ] {
        assert_eq!(text.parse(), "71-?=18".parse::<Task>(), "{text:?}");
    }
    for text in ["71\u{ff0b}?=18", "71\u{ff0b}\u{ff1f}\u{ff1d}18"] {
        check(text, 71, 18);
        assert_eq!(text.parse(), "71+?=18".parse::<Task>(), "{text:?}");
    }
    check("71+?=\u{2212}5", 71, -5);
    check("\u{2212}5+?=3", -5, 3);
    for times in [
        "\u{d7}", "\u{b7}", "\u{22c5}", "\u{2217}", "\u{2715}", "\u{ff0a}", "\u{ff38}", "*",
    ] {
        let text = format!("12{times}?\u{ff0b}?=90");
        assert_eq!(text.parse(), "12x?+?=90".parse::<Task>(), "{text:?}");
    }
    // What is refused is named as it was typed.
    check_refused(
        "71\u{2212}y\u{ff1d}18",
        "\"71\u{2212}y\u{ff1d}18\"",
        "71+?=18",
    );
    check_refused("\u{ff17}0000+?=18", "\u{ff17}0000", "from -9999 to 9999");
}

#[test]
fn a_subtracted_hole_is_answered_by_what_is_subtracted() {
    let answer = |text: &str, program: &[Code]| {
        let task: Task = text.parse().unwrap();
        assert!(task.is_solved_by(program), "{text}");
        assert_eq!(task.to_string(), text);
        (task.answer(program), task.subtracts())
    };
    let add = Code::Add;
    assert_eq!(answer("71-?=18", &[add(-53)]), (Some(vec![53]), true));
    assert_eq!(answer("71+?=18", &[add(-53)]), (Some(vec![-53]), false));
    assert_eq!(answer("18-?=71", &[add(53)]), (Some(vec![-53]), true));
    assert_eq!(
        answer("71-?+?=18", &[add(-60), add(7)]),
        (Some(vec![60, 7]), true)
    );
    assert_eq!(
        answer("12x?-?=80", &[Code::Times(7), add(-4)]),
        (Some(vec![7, 4]), true)
    );
    assert_eq!(
        answer("12 ? ?=90", &[Code::Times(7), add(6)]),
        (None, false)
    );
}

#[test]
fn what_is_no_sum_is_refused_and_shown_one() {
    let no_sums = [
        "",
        " ",
        "71",
        "71+?",
        "?=18",
        "71?=18",
        "71*?=18",
        "71+18=?",
        "71+?=?",
        "?+?=18",
        "71+y=18",
        "71+??=18",
        "71+?+18=18",
        "71+?+=18",
        "71+?==18",
        "71+?=18=18",
        "71++?=18",
        "+71+?=18",
        "71+?=+18",
        "7.1+?=18",
        "71+?=18.0",
        "71+?=1e1",
        "71+?=0x12",
        "a+?=18",
        "71+?=b",
        "71+?=--18",
        "71+?=-",
        "71+-?=18",
        "71--?=18",
        "?-?=18",
        "?-71-18=3",
        "? - 7 1 = 18",
        "\u{661}+?=18",
        "18=71+?",
    ];
    for text in no_sums {
        check_refused(text, &format!("{:?}", text.trim()), "71+?=18");
        assert!(
            matches!(text.parse::<Sum>(), Err(SumError::Form(_))),
            "{text:?}"
        );
    }
}

#[test]
fn programs_of_several_lines_are_read_from_their_examples() {
    let task: Task = " 71 + ? +x= 18".parse().unwrap();
    assert_eq!((task.lines(), task.examples.len()), (2, 1));
    assert_eq!(task.to_string(), "71+?+?=18");
    assert_eq!(task.to_string().parse(), Ok(task.clone()));
    let add = |addends: &[i32]| -> Vec<Code> { addends.iter().copied().map(Code::Add).collect() };
    assert!(task.is_solved_by(&add(&[-50, -3])) && task.is_solved_by(&add(&[9, -62])));
    assert!(!task.is_solved_by(&add(&[-50, -4])) && !task.is_solved_by(&add(&[-53])));

    let both = Task::all_of(vec![task.clone(), "90+?+?=37".parse().unwrap()]).unwrap();
    assert_eq!(both.to_string(), "71+?+?=18, 90+?+?=37");
    assert_eq!(both.contradiction(), None);
    assert!(both.is_solved_by(&add(&[-50, -3])));
    let never = Task::all_of(vec![task.clone(), "20+?+?=33".parse().unwrap()]).unwrap();
    assert!(never.contradiction().is_some() && !never.is_solved_by(&add(&[-50, -3])));

    let uneven = Task::all_of(vec![task, "20+?=33".parse().unwrap()]).unwrap_err();
    assert!(uneven.to_string().contains("20+?=33"), "{uneven}");
    for text in ["71+?+?=18", "10+?+?+?+?+?+?+?+?+?=20"] {
        check_refused(text, text, "holes");
    }
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let cases = [
        ("10000+?=18", "10000"),
        ("71+?=10000", "10000"),
        ("-71000+?=18", "-71000"),
        ("71+?=-18000", "-18000"),
        ("? + 50000 = 18", "50000"),
        ("99999999999999999999+?=18", "99999999999999999999"),
    ];
    for (text, number) in cases {
        check_refused(text, number, "from -9999 to 9999");
        check_refused(text, &format!("{text:?}"), "whole numbers");
        let error = text.parse::<Sum>().expect_err(text);
        assert_eq!(
            error,
            SumError::Range {
                text: text.into(),
                number: number.into(),
                low: -9999,
                high: 9999,
            }
        );
    }
}

#[test]
fn a_sum_is_written_as_it_is_read() {
    for sum in Sum::all() {
        check(&sum.to_string(), sum.start, sum.result);
    }
}

#[test]
fn there_is_one_program_to_each_sum() {
    assert_eq!(Sum::all().count(), 8100);
    assert_eq!(Sum::all().collect::<HashSet<_>>().len(), 8100);
    for sum in Sum::all() {
        assert!((-89..=89).contains(&sum.solution().operand()), "{sum}");
        let codes = Language::TwoDigits.codes();
        let solvers: Vec<Code> = codes.filter(|code| sum.is_solved_by(*code)).collect();
        assert_eq!(solvers, [sum.solution()], "{sum}");
    }
    assert_eq!(
        Sum {
            start: 71,
            result: 18
        }
        .solution(),
        Code::Add(-53)
    );
}

#[test]
fn numbers_come_back_from_their_tokens() {
    let tokenizer = SumTokenizer::new(Language::TwoDigits).unwrap();
    let mut words = HashSet::new();
    for number in -99..=99 {
        let word = tokenizer.encode(Code::Add(number)).unwrap();
        assert_eq!(tokenizer.decode_number(word), Some(number));
        assert_eq!(tokenizer.decode(word), Some(Code::Add(number)));
        assert!(
            word.iter()
                .all(|token| (0..tokenizer.vocabulary_size() as i32).contains(token)),
            "{number}: {word:?}"
        );
        assert!(
            !word.contains(&PAD),
            "{number} is spelled with the token that begins a sequence"
        );
        words.insert(word);
    }
    assert_eq!(words.len(), 199, "two numbers share a spelling");
    for outside in [-100, 100, i32::MIN, i32::MAX] {
        assert_eq!(tokenizer.encode(Code::Add(outside)), None, "{outside}");
    }
}

#[test]
fn one_token_stands_for_one_character() {
    let tokenizer = SumTokenizer::new(Language::TwoDigits).unwrap();
    let word = |number| tokenizer.encode(Code::Add(number)).unwrap();
    let [one, two, end, _] = *word(12) else {
        panic!("a word has four tokens")
    };
    let sign = word(-1)[0];
    assert_eq!(word(21), [two, one, end, end]);
    assert_eq!(word(1), [one, end, end, end]);
    assert_eq!(word(-12), [sign, one, two, end]);
    assert_eq!(word(-2), [sign, two, end, end]);
}

#[test]
fn tokens_that_no_number_is_written_in_are_no_number() {
    let tokenizer = SumTokenizer::new(Language::TwoDigits).unwrap();
    let word = |number| tokenizer.encode(Code::Add(number)).unwrap();
    let (sign, end) = (word(-7)[0], word(7)[1]);
    let (zero, seven) = (word(0)[0], word(7)[0]);
    let none: [&[i32]; 14] = [
        &[zero, seven, end, end],
        &[zero, zero, end, end],
        &[sign, zero, end, end],
        &[sign, zero, seven, end],
        &[sign, end, end, end],
        &[sign, sign, seven, end],
        &[seven, sign, end, end],
        &[seven, seven, seven, end],
        &[sign, seven, seven, seven],
        &[end, end, end, end],
        &[end, seven, end, end],
        &[seven, end, seven, end],
        &[PAD, seven, end, end],
        &[-1, 1000, i32::MAX, i32::MIN],
    ];
    for tokens in none {
        assert_eq!(tokenizer.decode(tokens), None, "{tokens:?}");
    }
    assert_eq!(tokenizer.decode(&[seven, end, end]), None, "too short");
    assert_eq!(
        tokenizer.decode(&[seven, end, end, end, end]),
        None,
        "too long"
    );
    assert_eq!(tokenizer.decode(&[]), None);
    // Of all that can be written, the numbers are all that is read.
    let size = tokenizer.vocabulary_size() as i32;
    let all = (0..size.pow(4)).map(|n| [0, 1, 2, 3].map(|i| n / size.pow(i) % size));
    assert_eq!(
        all.filter(|word| tokenizer.decode(word).is_some()).count(),
        199
    );
}

#[test]
fn the_split_is_fixed_by_its_seed() {
    let split = |seed| Split::new(Language::TwoDigits, 0.1, seed);
    let (split, same, other) = (split(1), split(1), split(2));
    assert_eq!(
        (&split.train, &split.held_out),
        (&same.train, &same.held_out)
    );
    assert_ne!(split.held_out, other.held_out);
    let both: HashSet<_> = split.held_out.iter().collect();
    let common = other
        .held_out
        .iter()
        .filter(|sum| both.contains(sum))
        .count();
    assert!(
        common < 200,
        "{common} of 810 sums are held out by both seeds: chance makes it 81"
    );
}

#[test]
fn the_split_divides_all_sums_into_nine_tenths_and_one() {
    for (share, held_out) in [(0.1, 810), (0.0, 0), (0.5, 4050), (0.9, 7290)] {
        let split = Split::new(Language::TwoDigits, share, 1);
        assert_eq!(
            (split.train.len(), split.held_out.len()),
            (8100 - held_out, held_out),
            "share {share}"
        );
        let all: HashSet<_> = split.train.iter().chain(&split.held_out).copied().collect();
        assert_eq!(
            all,
            Sum::all().map(Execution::from).collect(),
            "every sum is on one side, and on one only"
        );
    }
    // Held-out sums come from everywhere, not from a corner of the table.
    let split = Split::new(Language::TwoDigits, 0.1, 1);
    for start in Language::TwoDigits.states() {
        let held_out = split
            .held_out
            .iter()
            .filter(|sum| sum.start == start)
            .count();
        assert!(
            (1..=25).contains(&held_out),
            "{held_out} of 90 sums from {start} are held out"
        );
    }
}

#[test]
fn programs_of_several_operators_are_read_and_run() {
    for (text, written) in [
        ("12x?+?=90", "12x?+?=90"),
        (" 12 * ? - x = 90", "12x?-?=90"),
        ("? + 71 + ? = 18", "71+?+?=18"),
        ("?+?+71=18", "71+?+?=18"),
        ("12 ? ?=90", "12 ? ?=90"),
        ("-5 \u{d7} _ = 40", "-5x?=40"),
    ] {
        let task: Task = text.parse().unwrap();
        assert_eq!(task.to_string(), written);
        assert_eq!(task.to_string().parse(), Ok(task));
    }
    for text in [
        "12x=84", "12 x", "12x?x=84", "12:?=4", "12x7=84", "x?=84", "12?7=84",
    ] {
        let error = text.parse::<Task>().expect_err(text);
        assert!(matches!(error, SumError::Form(_)), "{text}: {error}");
    }
    let task: Task = "12x?+?=90".parse().unwrap();
    let both = Task::all_of(vec![task.clone(), "5x?+?=41".parse().unwrap()]).unwrap();
    let program = [Code::Times(7), Code::Add(6)];
    assert!(both.is_solved_by(&program) && task.is_solved_by(&program));
    assert!(!both.is_solved_by(&[Code::Times(8), Code::Add(-6)]));
    assert!(task.is_solved_by(&[Code::Times(8), Code::Add(-6)]));
    assert!(
        !task.is_solved_by(&[Code::Add(72), Code::Add(6)]),
        "its first line multiplies"
    );
    assert_eq!(both.contradiction(), None);
    let other = Task::all_of(vec![task, "5+?+?=41".parse().unwrap()]).unwrap_err();
    assert!(other.to_string().contains("5+?+?=41"), "{other}");
    assert_eq!("x7".parse(), Ok(Code::Times(7)));
    assert_eq!("-53".parse(), Ok(Code::Add(-53)));
    assert_eq!(serde_json::to_string(&program).unwrap(), r#"["x7",6]"#);
}

#[test]
fn a_task_is_given_to_the_smallest_language_that_knows_it() {
    for (text, language) in [
        ("71+?=18", Language::TwoDigits),
        ("71+?+?=18", Language::TwoDigits),
        ("5+?=18", Language::Operators),
        ("12x?=84", Language::Operators),
        ("171+?=18", Language::FourDigits),
        ("-71+?=-9999", Language::FourDigits),
    ] {
        let task: Task = text.parse().unwrap();
        assert_eq!(task.language(), Ok(language), "{text}");
        task.check(language).unwrap();
    }
    for (text, number) in [("171x?=18", "171"), ("12x?=-84", "-84")] {
        let task: Task = text.parse().unwrap();
        let error = task.language().unwrap_err().to_string();
        assert!(
            error.contains(number) && error.contains("0 to 99"),
            "{error}"
        );
    }
    let task: Task = "12x?=84".parse().unwrap();
    let error = task.check(Language::TwoDigits).unwrap_err();
    assert!(error.to_string().contains("multiply"), "{error}");
}

#[test]
fn every_language_spells_what_it_knows() {
    for language in Language::ALL {
        let tokenizer = SumTokenizer::new(language).unwrap();
        let mut words = HashSet::new();
        for (index, code) in language.codes().enumerate() {
            assert_eq!(language.index_of(code), Some(index));
            assert_eq!(language.code_at(index), Some(code));
            let word = tokenizer.encode(code).unwrap();
            assert_eq!(
                (word.len(), tokenizer.decode(word)),
                (language.word_length(), Some(code))
            );
            words.insert(word.to_vec());
        }
        assert_eq!(words.len(), language.code_count(), "{language:?}");
        assert_eq!(language.code_at(words.len()), None);
        let states = language.states();
        assert!(
            states
                .clone()
                .all(|state| tokenizer.encode(Code::Add(state)).is_some())
        );
        // Every two states have a program between them.
        let widest = states.end() - states.start();
        assert!(language.index_of(Code::Add(widest)).is_some());
        assert!(language.index_of(Code::Add(-widest)).is_some());
        assert!(language.shown_codes().len() <= 210 && language.shown_states().len() <= 210);
    }
    assert_eq!(Language::FourDigits.spell(Code::Add(53)), "00053");
    assert_eq!(Language::FourDigits.spell(Code::Add(-53)), "99947");
}

#[test]
fn what_is_held_out_of_a_large_language_is_never_drawn() {
    use rand::SeedableRng;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(5);
    let split = Split::new(Language::FourDigits, 0.5, 1);
    assert_eq!((split.train.len(), split.held_out.len()), (2000, 2000));
    assert!(
        split
            .train
            .iter()
            .all(|execution| !split.held_out.contains(execution))
    );
    // One state has few sums: half of them are never drawn, however often one draws.
    let first = split.held_out[0];
    let drawn: HashSet<Execution> = (0..60_000)
        .map(|_| split.draw_from(first.start, &mut rng))
        .collect();
    assert!(!drawn.contains(&first));
    assert!((8_000..11_000).contains(&drawn.len()), "{}", drawn.len());
    let none = Split::new(Language::FourDigits, 0.0, 1);
    assert_eq!((none.train.len(), none.held_out.len()), (2000, 0));
}
