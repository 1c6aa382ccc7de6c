//! Reed-Solomon code over GF(2^11): a symbol is a token of a vocabulary of 2,048.
//!
//! No crate of ours has this field: those for errors are fixed to GF(2^8) or GF(2^5), those for GF(2^16) mend erasures only.
//! Systematic encoding, syndromes, Berlekamp-Massey from the erasure locator, Chien's search, Forney's formula: Blahut,
//! "Algebraic Codes for Data Transmission" (2003), chapter 7.

/// Bits of a symbol.
pub const BITS: usize = 11;
/// Number of symbols.
pub const SYMBOLS: usize = 1 << BITS;
/// Order of the multiplicative group; also the longest codeword.
const ORDER: usize = SYMBOLS - 1;
/// Primitive polynomial x^11 + x^2 + 1.
const POLYNOMIAL: usize = 0x805;

/// Powers of the primitive element, twice over, and their logarithms.
static TABLES: ([u16; 2 * ORDER], [u16; SYMBOLS]) = tables();

const fn tables() -> ([u16; 2 * ORDER], [u16; SYMBOLS]) {
    let (mut powers, mut logarithms) = ([0; 2 * ORDER], [0; SYMBOLS]);
    let (mut value, mut exponent) = (1, 0);
    while exponent < ORDER {
        powers[exponent] = value as u16;
        powers[exponent + ORDER] = value as u16;
        logarithms[value] = exponent as u16;
        value <<= 1;
        if value >= SYMBOLS {
            value ^= POLYNOMIAL;
        }
        exponent += 1;
    }
    (powers, logarithms)
}

/// The primitive element to a power from 0 to 2 x 2,047 - 1.
fn power(exponent: usize) -> u16 {
    TABLES.0[exponent]
}

fn multiply(a: u16, b: u16) -> u16 {
    match (a, b) {
        (0, _) | (_, 0) => 0,
        _ => power(logarithm(a) + logarithm(b)),
    }
}

/// `b` must not be 0.
fn divide(a: u16, b: u16) -> u16 {
    match a {
        0 => 0,
        _ => power(logarithm(a) + ORDER - logarithm(b)),
    }
}

fn logarithm(a: u16) -> usize {
    usize::from(TABLES.1[usize::from(a)])
}

/// Value of a polynomial, its constant term first.
fn value_at(polynomial: &[u16], x: u16) -> u16 {
    let terms = polynomial.iter().rev();
    terms.fold(0, |sum, coefficient| multiply(sum, x) ^ coefficient)
}

/// `count` parity symbols, which follow the message in the codeword. Message and parity have at most 2,047 symbols, each
/// below [`SYMBOLS`].
pub fn parity(message: &[u16], count: usize) -> Vec<u16> {
    // Generator with the roots a^1 .. a^count, the highest coefficient, 1, first.
    let mut generator = vec![1];
    (1..=count).for_each(|root| multiply_by_root(&mut generator, power(root)));
    // Remainder of the message, shifted by the parity, after division by the generator.
    let mut rest = [message, &vec![0; count]].concat();
    for place in 0..message.len() {
        let factor = rest[place];
        for (value, coefficient) in rest[place..].iter_mut().zip(&generator) {
            *value ^= multiply(factor, *coefficient);
        }
    }
    rest.split_off(message.len())
}

/// Mends a codeword whose last `count` symbols are parity; `erasures` are places of symbols that are known to be lost. Of E
/// erasures and F errors elsewhere all are mended if E + 2 F is at most `count`. Returns the number of symbols changed;
/// `None`, and the codeword as it was, if there are more than that.
pub fn correct(codeword: &mut [u16], count: usize, erasures: &[usize]) -> Option<usize> {
    let syndromes = syndromes(codeword, count);
    let corrections = corrections(&syndromes, codeword.len(), erasures)?;
    for (place, difference) in &corrections {
        codeword[*place] ^= difference;
    }
    Some(corrections.len())
}

/// Places of a codeword of `length` symbols that are wrong, and what to add there, from its syndromes; those of fewer parity
/// symbols are the first of those of more. See [`correct`].
pub fn corrections(
    syndromes: &[u16],
    length: usize,
    erasures: &[usize],
) -> Option<Vec<(usize, u16)>> {
    let count = syndromes.len();
    if erasures.len() > count {
        return None;
    }
    if syndromes.iter().all(|syndrome| *syndrome == 0) {
        return Some(Vec::new());
    }
    // The locator of place p is a to the power of its coefficient's degree.
    let mut locator = vec![1];
    for place in erasures {
        multiply_by_root(&mut locator, power(length - 1 - place));
    }
    let locator = berlekamp_massey(locator, erasures.len(), syndromes);
    let degree = locator.len() - 1;
    let places: Vec<usize> = (0..length)
        .filter(|place| value_at(&locator, power(ORDER - (length - 1 - place))) == 0)
        .collect();
    if places.len() != degree {
        return None;
    }
    // Evaluator: syndromes times locator, below x^count; derivative of the locator: its odd coefficients.
    let evaluator: Vec<u16> = (0..count)
        .map(|i| convolved(&locator, syndromes, i))
        .collect();
    let odd = |(i, coefficient): (usize, &u16)| if i % 2 == 1 { *coefficient } else { 0 };
    let derivative: Vec<u16> = locator.iter().enumerate().map(odd).skip(1).collect();
    let mut rest = syndromes.to_vec();
    let mut corrections = Vec::new();
    for place in places {
        let degree = length - 1 - place;
        let inverse = power(ORDER - degree);
        let slope = value_at(&derivative, inverse);
        if slope == 0 {
            return None;
        }
        let difference = divide(value_at(&evaluator, inverse), slope);
        if difference != 0 {
            corrections.push((place, difference));
        }
        let (root, mut term) = (power(degree), difference);
        for syndrome in &mut rest {
            term = multiply(term, root);
            *syndrome ^= term;
        }
    }
    let is_codeword = rest.iter().all(|syndrome| *syndrome == 0);
    is_codeword.then_some(corrections)
}

/// Values of the codeword, its highest coefficient first, at a^1 .. a^count.
pub fn syndromes(codeword: &[u16], count: usize) -> Vec<u16> {
    let at = |root: usize| {
        let symbols = codeword.iter();
        symbols.fold(0, |sum, symbol| multiply(sum, power(root)) ^ symbol)
    };
    (1..=count).map(at).collect()
}

/// Multiplies a polynomial by 1 - root x, its constant term first; or by x - root, its highest term first.
fn multiply_by_root(polynomial: &mut Vec<u16>, root: u16) {
    polynomial.push(0);
    for i in (1..polynomial.len()).rev() {
        polynomial[i] ^= multiply(polynomial[i - 1], root);
    }
}

/// Coefficient `i` of the product of two polynomials.
fn convolved(a: &[u16], b: &[u16], i: usize) -> u16 {
    let terms = a.iter().take(i + 1).enumerate();
    terms.fold(0, |sum, (j, coefficient)| {
        sum ^ multiply(*coefficient, b.get(i - j).copied().unwrap_or(0))
    })
}

/// Locator of errors and of the erasures that the `locator` of degree `erased` begins with, without leading zeros.
fn berlekamp_massey(mut locator: Vec<u16>, erased: usize, syndromes: &[u16]) -> Vec<u16> {
    let (mut before, mut degree) = (locator.clone(), erased);
    for step in erased..syndromes.len() {
        let discrepancy = convolved(&locator, syndromes, step);
        before.insert(0, 0);
        if discrepancy == 0 {
            continue;
        }
        let mut next = locator.clone();
        next.resize(next.len().max(before.len()), 0);
        for (value, coefficient) in next.iter_mut().zip(&before) {
            *value ^= multiply(discrepancy, *coefficient);
        }
        if 2 * degree <= step + erased {
            degree = step + 1 + erased - degree;
            before = locator
                .iter()
                .map(|value| divide(*value, discrepancy))
                .collect();
        }
        locator = next;
    }
    while locator.last() == Some(&0) {
        locator.pop();
    }
    locator
}
