//! What people type and what the models read: sums, the tokens of numbers, and the held-out split.

use std::collections::HashSet;

use glyphspace::data::{
    split::Split,
    sums::{CODES, STATES, Sum, SumError, Task},
    tokens::{LENGTH, Lexicon, PAD},
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
        "71-?=18",
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
        "\u{ff17}\u{ff11}+?=18",
        "71+?=\u{2212}5",
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
    assert_eq!((task.lines, task.examples.len()), (2, 1));
    assert_eq!(task.to_string(), "71+?+?=18");
    assert_eq!(task.to_string().parse(), Ok(task.clone()));
    assert!(task.is_solved_by(&[-50, -3]) && task.is_solved_by(&[9, -62]));
    assert!(!task.is_solved_by(&[-50, -4]) && !task.is_solved_by(&[-53]));

    let both = Task::all_of(vec![task.clone(), "90+?+?=37".parse().unwrap()]).unwrap();
    assert_eq!(both.to_string(), "71+?+?=18, 90+?+?=37");
    assert_eq!(both.contradiction(), None);
    assert!(both.is_solved_by(&[-50, -3]));
    let never = Task::all_of(vec![task.clone(), "20+?+?=33".parse().unwrap()]).unwrap();
    assert!(never.contradiction().is_some() && !never.is_solved_by(&[-50, -3]));

    let uneven = Task::all_of(vec![task, "20+?=33".parse().unwrap()]).unwrap_err();
    assert!(uneven.to_string().contains("20+?=33"), "{uneven}");
    for text in ["71+?+?=18", "10+?+?+?+?+?+?+?+?+?=20"] {
        check_refused(text, text, "holes");
    }
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let cases = [
        ("9+?=18", "9"),
        ("100+?=18", "100"),
        ("71+?=0", "0"),
        ("71+?=100", "100"),
        ("-71+?=18", "-71"),
        ("71+?=-18", "-18"),
        ("? + 5 = 18", "5"),
        ("99999999999999999999+?=18", "99999999999999999999"),
    ];
    for (text, number) in cases {
        check_refused(text, number, "from 10 to 99");
        check_refused(text, &format!("{text:?}"), "whole numbers");
        let error = text.parse::<Sum>().expect_err(text);
        assert_eq!(
            error,
            SumError::Range {
                text: text.into(),
                number: number.into()
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
        assert!((-89..=89).contains(&sum.solution()), "{sum}");
        let solvers: Vec<i32> = CODES.filter(|code| sum.is_solved_by(*code)).collect();
        assert_eq!(solvers, [sum.solution()], "{sum}");
    }
    assert_eq!(
        Sum {
            start: 71,
            result: 18
        }
        .solution(),
        -53
    );
}

#[test]
fn numbers_come_back_from_their_tokens() {
    let lexicon = Lexicon::new().unwrap();
    let mut words = HashSet::new();
    for number in -99..=99 {
        let word = lexicon.encode(number).unwrap();
        assert_eq!(lexicon.decode(&word), Some(number));
        assert!(
            word.iter()
                .all(|token| (0..lexicon.vocabulary_size() as i32).contains(token)),
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
        assert_eq!(lexicon.encode(outside), None, "{outside}");
    }
}

#[test]
fn one_token_stands_for_one_character() {
    let lexicon = Lexicon::new().unwrap();
    let word = |number| lexicon.encode(number).unwrap();
    let [one, two, end, _] = word(12);
    let sign = word(-1)[0];
    assert_eq!(word(21), [two, one, end, end]);
    assert_eq!(word(1), [one, end, end, end]);
    assert_eq!(word(-12), [sign, one, two, end]);
    assert_eq!(word(-2), [sign, two, end, end]);
}

#[test]
fn tokens_that_no_number_is_written_in_are_no_number() {
    let lexicon = Lexicon::new().unwrap();
    let word = |number| lexicon.encode(number).unwrap();
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
        assert_eq!(lexicon.decode(tokens), None, "{tokens:?}");
    }
    assert_eq!(lexicon.decode(&[seven, end, end]), None, "too short");
    assert_eq!(
        lexicon.decode(&[seven, end, end, end, end]),
        None,
        "too long"
    );
    assert_eq!(lexicon.decode(&[]), None);
    // Of all that can be written, the numbers are all that is read.
    let size = lexicon.vocabulary_size() as i32;
    let all = (0..size.pow(LENGTH as u32))
        .map(|n| std::array::from_fn::<_, LENGTH, _>(|i| n / size.pow(i as u32) % size));
    assert_eq!(
        all.filter(|word| lexicon.decode(word).is_some()).count(),
        199
    );
}

#[test]
fn the_split_is_fixed_by_its_seed() {
    let (split, same, other) = (Split::new(0.1, 1), Split::new(0.1, 1), Split::new(0.1, 2));
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
        let split = Split::new(share, 1);
        assert_eq!(
            (split.train.len(), split.held_out.len()),
            (8100 - held_out, held_out),
            "share {share}"
        );
        let all: HashSet<_> = split.train.iter().chain(&split.held_out).copied().collect();
        assert_eq!(
            all,
            Sum::all().collect(),
            "every sum is on one side, and on one only"
        );
    }
    // Held-out sums come from everywhere, not from a corner of the table.
    let split = Split::new(0.1, 1);
    for start in STATES {
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
