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

/// Colour map (colormap) of a scale.
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

/// Map of values to colours and to labelled ticks.
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
            spacing: Spacing::Log,
            ..Self::value(low, high)
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
            ..Self::value(0.0, 1.0)
        }
    }

    /// Both ends after the spacing's transform (natural logarithm or none), between which a shader
    /// interpolates. The second is always greater than the first.
    pub fn ends(&self) -> [f32; 2] {
        self.value_ends().map(|value| self.transformed(value))
    }

    fn transformed(&self, value: f32) -> f32 {
        match self.spacing {
            Spacing::Linear => value,
            Spacing::Log => value.ln(),
        }
    }

    /// Position of a value on the scale: 0 at the low end, 1 at the high end, clamped; 0 for NaN.
    pub fn position(&self, value: f32) -> f32 {
        if self.palette == Palette::Truth {
            return f32::from(value >= 0.5);
        }
        let [low, high] = self.ends();
        let value = match self.spacing {
            Spacing::Linear => value,
            Spacing::Log => value.max(f32::MIN_POSITIVE),
        };
        match (self.transformed(value) - low) / (high - low) {
            position if position.is_nan() => 0.0,
            position => position.clamp(0.0, 1.0),
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
        let [low, high] = self.value_ends().map(f64::from);
        let is_linear = self.spacing == Spacing::Linear;
        let mut values = match self.spacing {
            Spacing::Linear => linear_ticks(low, high),
            Spacing::Log => log_ticks(low, high),
        };
        if values.len() < 3 {
            values = linear_ticks(low, high);
        }
        let steps = values.windows(2).map(|pair| pair[1] - pair[0]);
        let step = steps.fold(f64::INFINITY, f64::min);
        let tick = |&value: &f64| {
            // Labels of a linear scale share their decimals, those of a logarithmic one don't.
            let digits = if is_linear { step } else { value };
            (self.position(value as f32), label_of(value, digits))
        };
        values.iter().map(tick).collect()
    }

    /// True if zero lies inside the scale, which makes a value scale diverging.
    fn is_signed(&self) -> bool {
        self.low < 0.0 && self.high > 0.0
    }

    /// Finite ends of non-zero extent for any contents.
    fn value_ends(&self) -> [f32; 2] {
        let finite = |value: f32, other: f32| if value.is_finite() { value } else { other };
        let mut high = finite(self.high, 1.0);
        let mut low = finite(self.low, high - 1.0);
        if self.spacing == Spacing::Log {
            high = high.max(1e-30);
            low = if low > 0.0 { low } else { high * 1e-6 };
        }
        if high <= low {
            high = low + low.abs().max(1e-6) * 1e-3;
        }
        [low, high]
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
fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 8.0;
    let power = 10f64.powf(rough.log10().floor());
    let mut factors = [1.0, 2.0, 2.5, 5.0].into_iter();
    let factor = factors.find(|factor| factor * power >= rough * 0.999);
    let step = factor.unwrap_or(10.0) * power;
    let slack = step * 1e-6;
    let first = ((low - slack) / step).ceil() as i64;
    let last = ((high + slack) / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Powers of ten and, on a short range, round values between them.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
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
