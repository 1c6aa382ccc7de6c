//! Colour scales, shared by the window and exported figures so that a value has one colour in both.
//!
//! Losses use reversed viridis: perceptually uniform, readable with any colour blindness, and bright for
//! the low losses one looks for. Signed numbers use a diverging scale centred on zero, numbers of one sign
//! a sequential one, and truth two colours that differ in lightness, too.

use colorous::Gradient;

/// The two greys of the hatching that marks cells that decode to no number.
pub const HATCH: [[u8; 3]; 2] = [[104, 104, 108], [158, 158, 162]];

/// Period of the hatching, in pixels of the screen or figure.
pub const HATCH_PERIOD_PX: u32 = 8;

/// Colour of a truth map's wrong cells.
pub const WRONG: [u8; 3] = [235, 186, 122];

/// Colour of a truth map's right cells.
pub const RIGHT: [u8; 3] = [20, 98, 164];

/// Colour map of a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Palette {
    /// Sequential, bright for low values: losses.
    Loss,
    /// Diverging round zero if the scale has both signs, sequential otherwise: numbers.
    Value,
    /// Two classes: wrong below one half, right from there on.
    Truth,
}

/// Spacing of values on a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spacing {
    /// Linear.
    Linear,
    /// Logarithmic; if the low end is not positive, the scale starts at a millionth of its high end.
    Log,
}

/// Maps values to colours and to labelled ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Colour map.
    pub palette: Palette,
    /// Value at the low end; lower values are clamped.
    pub low: f32,
    /// Value at the high end; higher values are clamped.
    pub high: f32,
    /// Spacing of values between the ends.
    pub spacing: Spacing,
}

impl Scale {
    /// Logarithmic scale for losses.
    pub fn loss(low: f32, high: f32) -> Self {
        Self {
            palette: Palette::Loss,
            low,
            high,
            spacing: Spacing::Log,
        }
    }

    /// Linear scale for numbers.
    pub fn value(low: f32, high: f32) -> Self {
        Self {
            palette: Palette::Value,
            low,
            high,
            spacing: Spacing::Linear,
        }
    }

    /// Two-class scale of a truth map: 0 is wrong, 1 is right.
    pub fn truth() -> Self {
        Self {
            palette: Palette::Truth,
            low: 0.0,
            high: 1.0,
            spacing: Spacing::Linear,
        }
    }

    /// Both ends after the spacing's transform (natural logarithm or none), between which a shader
    /// interpolates. The second is always greater than the first.
    pub fn ends(&self) -> [f32; 2] {
        let (low, high) = self.value_ends();
        match self.spacing {
            Spacing::Linear => [low, high],
            Spacing::Log => [low.ln(), high.ln()],
        }
    }

    /// Position of a value on the scale: 0 at the low end, 1 at the high end, clamped; 0 for NaN.
    pub fn position(&self, value: f32) -> f32 {
        if self.palette == Palette::Truth {
            return f32::from(value >= 0.5);
        }
        let [low, high] = self.ends();
        let transformed = match self.spacing {
            Spacing::Linear => value,
            Spacing::Log => value.max(f32::MIN_POSITIVE).ln(),
        };
        let position = (transformed - low) / (high - low);
        if position.is_nan() {
            0.0
        } else {
            position.clamp(0.0, 1.0)
        }
    }

    /// Colour of a value, sRGB.
    pub fn color(&self, value: f32) -> [u8; 3] {
        self.color_at(self.position(value))
    }

    /// Colour at a position of 0 to 1, sRGB.
    pub fn color_at(&self, position: f32) -> [u8; 3] {
        let position = f64::from(position.clamp(0.0, 1.0));
        let from = |gradient: Gradient, at: f64| {
            let color = gradient.eval_continuous(at);
            [color.r, color.g, color.b]
        };
        match self.palette {
            Palette::Loss => from(colorous::VIRIDIS, 1.0 - position),
            // Blue for negative, red for positive, pale yellow round zero, visible on white and black.
            Palette::Value if self.is_signed() => from(colorous::RED_YELLOW_BLUE, 1.0 - position),
            // Plasma's last tenth is a yellow that is invisible on white.
            Palette::Value => from(colorous::PLASMA, position * 0.92),
            Palette::Truth if position < 0.5 => WRONG,
            Palette::Truth => RIGHT,
        }
    }

    /// Lookup texture: 256 opaque sRGB colours along the scale.
    pub fn lut(&self) -> [[u8; 4]; 256] {
        std::array::from_fn(|i| {
            let [r, g, b] = self.color_at(i as f32 / 255.0);
            [r, g, b, 255]
        })
    }

    /// Positions (0 to 1, ascending) and labels of round values, for a colour bar.
    pub fn ticks(&self) -> Vec<(f32, String)> {
        if self.palette == Palette::Truth {
            return vec![(0.25, "wrong".to_owned()), (0.75, "right".to_owned())];
        }
        let (low, high) = self.value_ends();
        let mut values = match self.spacing {
            Spacing::Linear => linear_ticks(low, high),
            Spacing::Log => log_ticks(low, high),
        };
        if values.len() < 3 {
            values = linear_ticks(low, high);
        }
        let step = values
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(f64::INFINITY, f64::min);
        let is_linear = self.spacing == Spacing::Linear;
        values
            .into_iter()
            .map(|value| {
                // Labels of a linear scale share their decimals, those of a logarithmic one don't.
                let digits = if is_linear { step } else { value };
                (self.position(value as f32), label_of(value, digits))
            })
            .collect()
    }

    /// True if zero lies inside the scale, which makes a value scale diverging.
    fn is_signed(&self) -> bool {
        self.low < 0.0 && self.high > 0.0
    }

    /// Finite ends of non-zero extent for any contents.
    fn value_ends(&self) -> (f32, f32) {
        let mut high = if self.high.is_finite() {
            self.high
        } else {
            1.0
        };
        let mut low = if self.low.is_finite() {
            self.low
        } else {
            high - 1.0
        };
        if self.spacing == Spacing::Log {
            high = high.max(1e-30);
            low = if low > 0.0 { low } else { high * 1e-6 };
        }
        if high <= low {
            high = low + low.abs().max(1e-6) * 1e-3;
        }
        (low, high)
    }
}

/// Grey of a pixel in a hatched cell; x and y in pixels of the screen or figure.
pub fn hatch_color(x_px: u32, y_px: u32) -> [u8; 3] {
    HATCH[usize::from((x_px + y_px) % HATCH_PERIOD_PX >= HATCH_PERIOD_PX / 2)]
}

/// Perceived lightness, 0 to 1: the gamma-coded luma, accurate enough to choose black or white ink.
pub fn luminance([r, g, b]: [u8; 3]) -> f32 {
    (0.2126 * f32::from(r) + 0.7152 * f32::from(g) + 0.0722 * f32::from(b)) / 255.0
}

/// Four to nine multiples of 1, 2, 2.5 or 5 times a power of ten.
fn linear_ticks(low: f32, high: f32) -> Vec<f64> {
    let (low, high) = (f64::from(low), f64::from(high));
    let rough = (high - low) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|factor| factor * power >= rough * 0.999)
        .unwrap_or(10.0);
    let step = factor * power;
    let slack = step * 1e-6;
    let first = ((low - slack) / step).ceil() as i64;
    let last = ((high + slack) / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Powers of ten and, on a short range, round values between them.
fn log_ticks(low: f32, high: f32) -> Vec<f64> {
    let (low, high) = (f64::from(low), f64::from(high));
    let decades = (high / low).log10();
    let between: &[f64] = match decades {
        d if d < 1.3 => &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
        d if d < 2.5 => &[1.0, 2.0, 5.0],
        d if d < 3.5 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let every = (decades / 8.0).ceil().max(1.0) as i32;
    (low.log10().floor() as i32..=high.log10().ceil() as i32)
        .filter(|power| power.rem_euclid(every) == 0)
        .flat_map(|power| between.iter().map(move |factor| factor * 10f64.powi(power)))
        .filter(|value| (low * 0.999..=high * 1.001).contains(value))
        .collect()
}

/// Label of a number with the decimals of `step` and a typographic minus sign.
fn label_of(value: f64, step: f64) -> String {
    if value != 0.0 && !(1e-4..1e6).contains(&value.abs()) {
        return format!("{value:.0e}").replace('-', "\u{2212}");
    }
    let mut decimals = (-step.abs().log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize;
    // 1.5 needs one decimal more than its power of ten.
    let scaled = |decimals: usize| step * 10f64.powi(decimals as i32);
    while decimals < 6
        && (scaled(decimals) - scaled(decimals).round()).abs() > 1e-6 * scaled(decimals).abs()
    {
        decimals += 1;
    }
    format!("{value:.decimals$}").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_span_the_scale() {
        let scale = Scale::loss(0.1, 10.0);
        assert!((scale.position(1.0) - 0.5).abs() < 1e-6);
        assert_eq!(
            (
                scale.position(0.0),
                scale.position(99.0),
                scale.position(f32::NAN)
            ),
            (0.0, 1.0, 0.0)
        );
        assert_eq!(
            (scale.color(0.1), scale.color(10.0)),
            ([253, 231, 37], [68, 1, 84])
        );
        assert_eq!(
            (Scale::truth().color(0.0), Scale::truth().color(1.0)),
            (WRONG, RIGHT)
        );
        for broken in [
            Scale::loss(0.0, 0.0),
            Scale::value(3.0, 3.0),
            Scale::value(f32::NAN, f32::INFINITY),
        ] {
            let [low, high] = broken.ends();
            assert!(low.is_finite() && high > low, "{broken:?}: {low} to {high}");
        }
    }

    #[test]
    fn table_holds_the_colours() {
        for scale in [
            Scale::loss(0.1, 10.0),
            Scale::value(-99.0, 99.0),
            Scale::value(10.0, 99.0),
            Scale::truth(),
        ] {
            let lut = scale.lut();
            for (i, [r, g, b, alpha]) in lut.into_iter().enumerate() {
                assert_eq!(([r, g, b], alpha), (scale.color_at(i as f32 / 255.0), 255));
            }
        }
    }

    #[test]
    fn losses_darken_evenly() {
        // Relative luminance falls monotonically, so that grey prints keep the order.
        let scale = Scale::loss(1.0, 2.0);
        let all: Vec<f32> = (0..=64)
            .map(|i| luminance(scale.color_at(i as f32 / 64.0)))
            .collect();
        assert!(
            all.windows(2).all(|pair| pair[1] < pair[0] + 0.002),
            "{all:?}"
        );
    }

    fn labels(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_in_order() {
        assert_eq!(
            labels(Scale::loss(1.58, 63.1)),
            ["2", "5", "10", "20", "50"]
        );
        assert_eq!(
            labels(Scale::value(-99.0, 99.0)),
            [
                "\u{2212}75",
                "\u{2212}50",
                "\u{2212}25",
                "0",
                "25",
                "50",
                "75"
            ]
        );
        assert_eq!(labels(Scale::value(10.0, 99.0)), ["20", "40", "60", "80"]);
        assert_eq!(
            labels(Scale::value(0.0, 1.0)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(
            labels(Scale::loss(1e-4, 10.0)),
            ["0.0001", "0.001", "0.01", "0.1", "1", "10"]
        );
    }
}
