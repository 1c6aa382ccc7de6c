//! Scalar functions and reductions that the compiler vectorises: no branches, no calls, and no fused multiply-add, so
//! that results are the same on every processor. All are inlined, so that they are compiled for the instruction set that
//! `macerator` picks for their callers.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

/// Partial results of a reduction, on every processor: the order of operations is always the same.
const LANES: usize = 8;

/// e^x to 2 units in the last place: 0 below -87.3, infinite above 88.3 (polynomial of Cephes' expf, Moshier).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOWEST: f32 = -87.3;
    const HIGHEST: f32 = 88.3;
    // Added to a number, leaves its integer part in the low bits of the mantissa.
    const ROUNDING: f32 = 12_582_912.0;
    // ln 2 in two parts, the first of few bits, so that multiples of it are exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    debug_assert!((LN_2_HIGH + LN_2_LOW - LN_2).abs() < 1e-7);

    let inside = if x < LOWEST { LOWEST } else { x };
    let inside = if inside > HIGHEST { HIGHEST } else { inside };
    let shifted = inside * LOG2_E + ROUNDING;
    let integer = shifted - ROUNDING;
    let r = inside - integer * LN_2_HIGH - integer * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 0.166_666_66;
    p = p * r + 0.5;
    let fraction_exp = p * (r * r) + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUNDING.to_bits());
    let power = f32::from_bits(exponent.wrapping_add(127) << 23);
    let result = fraction_exp * power;
    let result = if x < LOWEST { 0.0 } else { result };
    if x > HIGHEST { f32::INFINITY } else { result }
}

/// 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Normal distribution function at x, to 2e-7 (Chebyshev fit of erfc: Press et al., Numerical Recipes, 6.2).
#[inline(always)]
pub fn normal_cdf(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let mut p = 0.170_872_77;
    p = p * t - 0.822_152_23;
    p = p * t + 1.488_515_9;
    p = p * t - 1.135_204;
    p = p * t + 0.278_868_07;
    p = p * t - 0.186_288_06;
    p = p * t + 0.096_784_18;
    p = p * t + 0.374_091_96;
    p = p * t + 1.000_023_7;
    p = p * t - 1.265_512_2;
    let tail = 0.5 * t * exp(p - z * z);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// Normal density at x.
#[inline(always)]
pub fn normal_pdf(x: f32) -> f32 {
    const SCALE: f32 = 0.398_942_3;
    SCALE * exp(-0.5 * x * x)
}

/// Maximum of a row, ignoring NaNs.
#[inline(always)]
pub fn max(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    fold(row, row, f32::NEG_INFINITY, |x, _| x, larger)
}

/// Sum of `term` over a row.
#[inline(always)]
pub fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    fold(row, row, 0.0, |x, _| term(x), |a, b| a + b)
}

/// Dot product of two rows.
#[inline(always)]
pub fn dot(x: &[f32], y: &[f32]) -> f32 {
    fold(x, y, 0.0, |x, y| x * y, |a, b| a + b)
}

#[inline(always)]
fn fold(
    x: &[f32],
    y: &[f32],
    start: f32,
    term: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks::<LANES>();
    for (x, y) in xs.iter().zip(ys) {
        for lane in 0..LANES {
            lanes[lane] = join(lanes[lane], term(x[lane], y[lane]));
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(&x, &y)| term(x, y));
    lanes.into_iter().fold(rest.fold(start, &join), &join)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn max_relative_error(ours: impl Fn(f32) -> f32, truth: impl Fn(f64) -> f64) -> f64 {
        let places = (-8000..=8000).map(|i| i as f32 * 1e-2);
        let off = places.map(|x| {
            let truth = truth(f64::from(x));
            (f64::from(ours(x)) - truth).abs() / truth.abs().max(1e-30)
        });
        off.fold(0.0, f64::max)
    }

    #[test]
    fn exponentials_are_right_to_the_last_places() {
        assert!(max_relative_error(exp, f64::exp) < 3e-7);
        let ends = [
            exp(-1e9),
            exp(-87.4),
            exp(0.0),
            exp(88.4),
            exp(f32::INFINITY),
        ];
        assert_eq!(ends, [0.0, 0.0, 1.0, f32::INFINITY, f32::INFINITY]);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn the_normal_distribution_is_right() {
        let truth = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
        let off = |x: f32| (f64::from(normal_cdf(x)) - truth(f64::from(x))).abs();
        let worst = (-1000..=1000)
            .map(|i| off(i as f32 * 1e-2))
            .fold(0.0, f64::max);
        assert!(worst < 2e-7, "{worst}");
        assert_eq!([normal_cdf(-40.0), normal_cdf(40.0)], [0.0, 1.0]);
        assert!(normal_cdf(f32::NAN).is_nan());
    }

    #[test]
    fn rows_of_any_length_are_reduced() {
        for count in [0, 1, 7, 8, 9, 30] {
            let row: Vec<f32> = (0..count).map(|i| ((i * 37) % 11) as f32 - 5.0).collect();
            assert_eq!(sum(&row, |x| x), row.iter().sum::<f32>());
            let squares: f32 = row.iter().map(|x| x * x).sum();
            assert_eq!([sum(&row, |x| x * x), dot(&row, &row)], [squares; 2]);
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert_eq!(max(&row), largest);
        }
    }
}
