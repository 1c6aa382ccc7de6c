//! Every colour of the window that isn't data, for a light and a dark window. Colours that stand for values
//! come from [`crate::palette`], the same in both, so that a screenshot can be read against an exported map.

use egui::Color32;

use crate::palette;

/// The colours of canvases and panels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// True for the dark theme.
    pub is_dark: bool,
    /// Background of panels and planes.
    pub panel: Color32,
    /// Background of a drawing that stands out from the panel.
    pub canvas: Color32,
    /// Cells of a map that aren't computed yet.
    pub pending: Color32,
    /// Border of the plane.
    pub plane_border: Color32,
    /// Lines at round coordinates, where no map is drawn.
    pub grid: Color32,
    /// Axis and colour bar labels.
    pub axis_text: Color32,
    /// Numbers on the plane.
    pub label: Color32,
    /// Halo of the numbers on the plane, so that they read on any colour.
    pub label_halo: Color32,
    /// Outline of points.
    pub mark_outline: Color32,
    /// Ring of a highlighted point.
    pub highlight: Color32,
    /// The search path.
    pub path: Color32,
    /// The cross at the decoded point.
    pub cursor: Color32,
    /// Halo of the cross and the path.
    pub cursor_halo: Color32,
    /// Border of a canvas that has the keyboard.
    pub focus: Color32,
    /// Right answers, finished work.
    pub good: Color32,
    /// Warnings.
    pub warning: Color32,
    /// Wrong answers, failures.
    pub error: Color32,
    /// Secondary text in panels.
    pub weak_text: Color32,
    /// Source text.
    pub code: Color32,
    /// Keywords of source text.
    pub keyword: Color32,
    /// Names of what is defined or called.
    pub name: Color32,
    /// Text literals.
    pub text_literal: Color32,
    /// Numbers.
    pub number: Color32,
}

impl Theme {
    /// For a dark window.
    pub const DARK: Self = Self {
        is_dark: true,
        panel: Color32::from_gray(27),
        canvas: Color32::from_rgb(20, 21, 24),
        pending: Color32::from_rgb(38, 39, 44),
        plane_border: Color32::from_rgb(112, 114, 122),
        grid: Color32::from_rgb(44, 46, 52),
        axis_text: Color32::from_rgb(190, 192, 200),
        label: Color32::from_rgb(255, 255, 255),
        label_halo: Color32::from_rgb(12, 12, 16),
        mark_outline: Color32::from_rgb(12, 12, 16),
        highlight: Color32::from_rgb(255, 255, 255),
        path: Color32::from_rgb(255, 255, 255),
        cursor: Color32::from_rgb(255, 255, 255),
        cursor_halo: Color32::from_rgb(12, 12, 16),
        focus: Color32::from_rgb(122, 178, 255),
        good: Color32::from_rgb(112, 176, 240),
        warning: Color32::from_rgb(240, 186, 96),
        error: Color32::from_rgb(255, 128, 112),
        weak_text: Color32::from_rgb(150, 152, 162),
        code: Color32::from_rgb(222, 223, 228),
        keyword: Color32::from_rgb(122, 178, 255),
        name: Color32::from_rgb(236, 206, 120),
        text_literal: Color32::from_rgb(232, 158, 110),
        number: Color32::from_rgb(120, 208, 190),
    };

    /// For a light window.
    pub const LIGHT: Self = Self {
        is_dark: false,
        panel: Color32::from_gray(248),
        canvas: Color32::from_rgb(250, 250, 251),
        pending: Color32::from_rgb(226, 227, 231),
        plane_border: Color32::from_rgb(120, 122, 130),
        grid: Color32::from_rgb(222, 223, 228),
        axis_text: Color32::from_rgb(60, 62, 70),
        label: Color32::from_rgb(10, 10, 14),
        label_halo: Color32::from_rgb(255, 255, 255),
        mark_outline: Color32::from_rgb(24, 24, 30),
        highlight: Color32::from_rgb(0, 0, 0),
        path: Color32::from_rgb(10, 10, 14),
        cursor: Color32::from_rgb(0, 0, 0),
        cursor_halo: Color32::from_rgb(255, 255, 255),
        focus: Color32::from_rgb(20, 98, 200),
        good: Color32::from_rgb(14, 86, 156),
        warning: Color32::from_rgb(150, 92, 0),
        error: Color32::from_rgb(180, 32, 20),
        weak_text: Color32::from_rgb(96, 98, 108),
        code: Color32::from_rgb(24, 25, 30),
        keyword: Color32::from_rgb(20, 78, 190),
        name: Color32::from_rgb(118, 82, 0),
        text_literal: Color32::from_rgb(160, 52, 10),
        number: Color32::from_rgb(0, 104, 96),
    };

    /// Background of a token read with this probability: from blue, sure, to orange, guessed; the less sure, the stronger.
    pub fn confidence(&self, probability: f32) -> Color32 {
        let sure = probability.clamp(0.0, 1.0);
        let [from, to] = [palette::WRONG, palette::RIGHT].map(color_from_rgb);
        let alpha = if self.is_dark {
            0.30 + 0.20 * (1.0 - sure)
        } else {
            0.16 + 0.74 * (1.0 - sure)
        };
        from.lerp_to_gamma(to, sure).gamma_multiply(alpha)
    }

    /// Sets the colours of egui's own widgets that are ours, in both themes.
    pub fn install(context: &egui::Context) {
        for (theme, colors) in [
            (egui::Theme::Dark, Self::DARK),
            (egui::Theme::Light, Self::LIGHT),
        ] {
            context.style_mut_of(theme, |style| {
                style.visuals.weak_text_color = Some(colors.weak_text);
            });
        }
    }

    /// Leaves panels without a background of their own, where the framebuffer was cleared to [`Self::panel`]: egui's
    /// shader takes some 60 ns a pixel on a processor, a whole window's 60 ms.
    pub fn clear_panels(context: &egui::Context) {
        context.all_styles_mut(|style| style.visuals.panel_fill = Color32::TRANSPARENT);
    }

    /// The one that fits what egui is drawing.
    pub fn of(visuals: &egui::Visuals) -> Self {
        if visuals.dark_mode {
            Self::DARK
        } else {
            Self::LIGHT
        }
    }
}

/// An opaque sRGB triple, as the palettes give it, for egui.
pub fn color_from_rgb([r, g, b]: [u8; 3]) -> Color32 {
    Color32::from_rgb(r, g, b)
}
