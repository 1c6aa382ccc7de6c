//! The canvas, its shaders and the exported pictures: shaders are validated and compared with their CPU twins
//! on whatever adapter there is, the widget is used as a person would, by label and pointer.

use std::path::Path;
use std::sync::Arc;

use eframe::egui_wgpu::RenderState;
use egui::{
    Color32, Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, TouchPhase, Vec2, pos2,
    vec2,
};
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, wgpu as test_wgpu};
use glyphspace::latent::field::{CellState, Field};
use glyphspace::palette::{HATCH, Scale, hatch_color};
use glyphspace::plot::placement::{Area, Candidate, place};
use glyphspace::plot::{self, Curve, Panel, Shade, Spot};
use glyphspace::ui::canvas::heatmap::{HEATMAP_WGSL, HeatPaint, HeatRenderer};
use glyphspace::ui::canvas::points::{Disc, POINTS_WGSL, PointsPaint, PointsRenderer};
use glyphspace::ui::canvas::{Emphasis, Mark, Plane, Sampling, View, color_bar};

const SIDE_PX: u32 = 309;
const PENDING: Color32 = Color32::from_rgb(1, 2, 3);

fn validate(wgsl: &str) {
    let module = naga::front::wgsl::parse_str(wgsl)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(wgsl)));
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::empty(),
    );
    if let Err(error) = validator.validate(&module) {
        panic!("{}", error.emit_to_string(wgsl));
    }
}

#[test]
fn shaders_are_valid() {
    validate(HEATMAP_WGSL);
    validate(POINTS_WGSL);
}

/// The software adapter where there is one, as egui's own tests choose.
fn render_state() -> RenderState {
    test_wgpu::create_render_state(
        test_wgpu::default_wgpu_setup(),
        eframe::egui_wgpu::RendererOptions::PREDICTABLE,
    )
}

/// Draws into a square texture and reads its pixels, rows from the top, sRGB as a screen would show it.
fn pixels_of(
    state: &RenderState,
    format: wgpu::TextureFormat,
    draw: impl FnOnce(&mut wgpu::RenderPass<'_>),
) -> Vec<[u8; 4]> {
    let size = wgpu::Extent3d {
        width: SIDE_PX,
        height: SIDE_PX,
        depth_or_array_layers: 1,
    };
    let texture = state.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let row = (SIDE_PX * 4).next_multiple_of(256);
    let buffer = state.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::from(row * SIDE_PX),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let mut encoder = state
        .device
        .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    {
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        draw(&mut pass);
    }
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(row),
        rows_per_image: None,
    };
    let target = wgpu::TexelCopyBufferInfo {
        buffer: &buffer,
        layout,
    };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), target, size);
    state.queue.submit([encoder.finish()]);
    buffer
        .slice(..)
        .map_async(wgpu::MapMode::Read, |result| result.expect("maps"));
    state
        .device
        .poll(wgpu::PollType::wait_indefinitely())
        .expect("the device works");
    let mapped = buffer.slice(..).get_mapped_range().expect("is mapped");
    let swap = matches!(
        format,
        wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Bgra8UnormSrgb
    );
    let rows = mapped
        .chunks(row as usize)
        .map(|row| &row[..SIDE_PX as usize * 4]);
    let texel = |texel: &[u8]| {
        if swap {
            [texel[2], texel[1], texel[0], texel[3]]
        } else {
            [texel[0], texel[1], texel[2], texel[3]]
        }
    };
    rows.flat_map(|row| row.chunks(4).map(texel).collect::<Vec<_>>())
        .collect()
}

fn heat_pixels(
    state: &RenderState,
    format: wgpu::TextureFormat,
    paint: &HeatPaint,
) -> Vec<[u8; 4]> {
    let mut renderer = HeatRenderer::new(&state.device, format);
    renderer.prepare(&state.device, &state.queue, paint, 1.0);
    pixels_of(state, format, |pass| {
        renderer.paint(pass, paint.id, [SIDE_PX; 2])
    })
}

fn heat_paint(field: &Arc<Field>, scale: Scale, sampling: Sampling, view: View) -> HeatPaint {
    let rect = Rect::from_min_size(Pos2::ZERO, Vec2::splat(SIDE_PX as f32));
    HeatPaint {
        id: egui::Id::unique("test"),
        field: field.clone(),
        scale,
        sampling,
        pending: PENDING,
        rect,
        view,
    }
}

/// A map with cells of every state.
fn mixed_field(size: usize) -> Arc<Field> {
    let mut field = Field::from_fn(size, |x, y| {
        0.2 + 20.0 * (x + 0.3).hypot(y - 0.1) + (9.0 * x).sin().abs()
    });
    for index in 0..size * size {
        if index % 7 == 3 {
            field.values[index] = f32::NAN;
        }
        field.missing[index] = index % 5 == 1;
    }
    Arc::new(field)
}

fn assert_near(got: [u8; 4], wanted: [u8; 3], tolerance: u8, what: &str) {
    let is_near = got[..3]
        .iter()
        .zip(wanted)
        .all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(
        is_near && got[3] == 255,
        "{what}: {got:?}, expected {wanted:?}"
    );
}

#[test]
fn heat_map_shows_each_cell_in_its_colour() {
    let state = render_state();
    let field = mixed_field(13);
    let formats = [
        wgpu::TextureFormat::Rgba8Unorm,
        wgpu::TextureFormat::Bgra8Unorm,
        wgpu::TextureFormat::Rgba8UnormSrgb,
        wgpu::TextureFormat::Bgra8UnormSrgb,
    ];
    let scales = [
        Scale::loss(0.5, 30.0),
        Scale::value(-40.0, 30.0),
        Scale::value(0.0, 30.0),
        Scale::truth(),
    ];
    let view = View {
        center: [0.1, -0.2],
        zoom: 1.3,
    };
    for (format, scale) in formats.into_iter().zip(scales) {
        let paint = heat_paint(&field, scale, Sampling::Cells, view);
        let pixels = heat_pixels(&state, format, &paint);
        let mut seen = 0;
        for index in 0..field.values.len() {
            let at = view.screen_from_latent(paint.rect, field.center(index));
            if !paint.rect.shrink(2.0).contains(at) {
                continue;
            }
            seen += 1;
            let (x, y) = (at.x as u32, at.y as u32);
            let wanted = match field.state(index) {
                CellState::Pending => [PENDING.r(), PENDING.g(), PENDING.b()],
                CellState::Missing => hatch_color(x, y),
                CellState::Number => scale.color(field.values[index]),
            };
            let got = pixels[(y * SIDE_PX + x) as usize];
            assert_near(
                got,
                wanted,
                2,
                &format!("{format:?}, {:?}, cell {index}", scale.palette),
            );
        }
        assert!(seen > 80, "only {seen} cells in sight");
    }
}

#[test]
fn heat_map_interpolates_like_its_twin() {
    let state = render_state();
    let field = mixed_field(40);
    let scale = Scale::loss(0.5, 30.0);
    let view = View {
        center: [-0.2, 0.15],
        zoom: 2.5,
    };
    let paint = heat_paint(&field, scale, Sampling::Smooth, view);
    let pixels = heat_pixels(&state, wgpu::TextureFormat::Rgba8Unorm, &paint);
    let (mut compared, mut off) = (0, 0);
    for (index, got) in pixels.iter().enumerate() {
        let (x, y) = (index as u32 % SIDE_PX, index as u32 / SIDE_PX);
        let latent = view.latent_from_screen(paint.rect, pos2(x as f32 + 0.5, y as f32 + 0.5));
        let wanted = match plot::shade(&field, &scale, latent, 1.0) {
            Some(Shade::Color(color)) => color,
            Some(Shade::Missing) => hatch_color(x, y),
            Some(Shade::Pending) => [PENDING.r(), PENDING.g(), PENDING.b()],
            None => [0, 0, 0],
        };
        compared += 1;
        off += u32::from(got[..3].iter().zip(wanted).any(|(a, b)| a.abs_diff(b) > 2));
    }
    // A pixel whose centre lies on a cell's border may fall to either side.
    assert!(off * 500 < compared, "{off} of {compared} pixels differ");
}

#[test]
fn hatch_and_gaps_cover_their_cells_and_nothing_is_drawn_outside() {
    let state = render_state();
    let mut field = Field::pending(2);
    field.values = vec![1.0, f32::NAN, 1.0, 1.0];
    field.missing[0] = true;
    let paint = heat_paint(
        &Arc::new(field),
        Scale::loss(0.5, 2.0),
        Sampling::Auto,
        View {
            center: [0.0, 0.0],
            zoom: 0.8,
        },
    );
    let pixels = heat_pixels(&state, wgpu::TextureFormat::Rgba8Unorm, &paint);
    let plane = paint.view.plane_rect(paint.rect);
    let middle = plane.center();
    let mut greys = [0; 2];
    for (index, got) in pixels.iter().enumerate() {
        let at = pos2(
            index as f32 % SIDE_PX as f32 + 0.5,
            (index as u32 / SIDE_PX) as f32 + 0.5,
        );
        if !plane.expand(1.0).contains(at) {
            assert_eq!(*got, [0, 0, 0, 255], "outside the plane at {at:?}");
        } else if plane.shrink(1.0).contains(at) && at.y > middle.y + 1.0 {
            if at.x < middle.x - 1.0 {
                // The missing cell is row 0, column 0: bottom left.
                let shade = HATCH.iter().position(|[r, g, b]| *got == [*r, *g, *b, 255]);
                greys[shade.unwrap_or_else(|| panic!("{got:?} is no grey of the hatch"))] += 1;
            } else if at.x > middle.x + 1.0 {
                assert_eq!(got[..3], [PENDING.r(), PENDING.g(), PENDING.b()]);
            }
        }
    }
    assert!(greys[0] > 5000 && greys[1] > 5000, "{greys:?}");
}

#[test]
fn another_field_or_palette_replaces_the_one_before() {
    let state = render_state();
    let mut renderer = HeatRenderer::new(&state.device, wgpu::TextureFormat::Rgba8Unorm);
    let fields = [1.0, 3.0].map(|value| Arc::new(Field::from_fn(4, |_, _| value)));
    let middle = (SIDE_PX * SIDE_PX / 2) as usize;
    for (field, scale) in [
        (0, Scale::loss(1.0, 4.0)),
        (1, Scale::loss(1.0, 4.0)),
        (1, Scale::value(-4.0, 4.0)),
        (0, Scale::value(0.0, 4.0)),
    ] {
        let paint = heat_paint(&fields[field], scale, Sampling::Auto, View::default());
        renderer.prepare(&state.device, &state.queue, &paint, 1.0);
        let pixels = pixels_of(&state, wgpu::TextureFormat::Rgba8Unorm, |pass| {
            renderer.paint(pass, paint.id, [SIDE_PX; 2])
        });
        assert_near(
            pixels[middle],
            scale.color(fields[field].values[0]),
            2,
            "after a change",
        );
    }
}

#[test]
fn points_are_discs_of_their_colour_and_size() {
    let state = render_state();
    let rect = Rect::from_min_size(Pos2::ZERO, Vec2::splat(SIDE_PX as f32));
    let view = View::default();
    let disc = |latent, highlight, fill| Disc {
        latent,
        radius: 8.0,
        highlight,
        fill,
    };
    let discs = vec![
        disc([0.0, 0.0], 0.0, [200, 40, 90, 255]),
        disc([0.5, -0.5], 1.0, [10, 220, 90, 255]),
    ];
    let paint = PointsPaint {
        id: egui::Id::unique("test"),
        discs,
        outline: Color32::BLUE,
        ring: Color32::WHITE,
        rect,
        view,
    };
    let format = wgpu::TextureFormat::Rgba8Unorm;
    let mut renderer = PointsRenderer::new(&state.device, format);
    renderer.prepare(&state.device, &state.queue, &paint, 1.0, [SIDE_PX; 2]);
    let pixels = pixels_of(&state, format, |pass| {
        renderer.paint(pass, paint.id, [SIDE_PX; 2])
    });
    let pixel = |latent: [f32; 2], right: f32| {
        let at = view.screen_from_latent(rect, latent) + vec2(right, 0.0);
        pixels[(at.y as u32 * SIDE_PX + at.x as u32) as usize]
    };
    assert_near(pixel([0.0, 0.0], 0.0), [200, 40, 90], 1, "middle");
    assert_near(pixel([0.0, 0.0], 6.0), [200, 40, 90], 1, "inside");
    assert_near(pixel([0.0, 0.0], 12.0), [0, 0, 0], 0, "outside");
    assert_near(pixel([0.5, -0.5], 0.0), [10, 220, 90], 1, "second");
    assert!(
        pixel([0.5, -0.5], 12.0)[0] > 150,
        "no ring: {:?}",
        pixel([0.5, -0.5], 12.0)
    );
    // The area, outline included, is the one of a circle with a radius of 9.
    let lit = pixels
        .iter()
        .enumerate()
        .filter(|(i, p)| (*i as u32 % SIDE_PX) < 190 && (p[0] > 20 || p[2] > 100))
        .count();
    assert!((225..300).contains(&lit), "{lit} pixels");
}

struct Shown {
    view: View,
    latent: Option<[f32; 2]>,
    pressed: Option<[f32; 2]>,
    hovered: Option<usize>,
    rect: Rect,
}

fn programs() -> Vec<Mark> {
    (-99i16..=99)
        .map(|number| {
            let angle = f32::from(number) * 2.4;
            let radius = (f32::from(number).abs() / 99.0).sqrt() * 0.95;
            Mark {
                at: [radius * angle.cos(), radius * angle.sin()],
                label: number.to_string().replace('-', "\u{2212}").into(),
                color: [200, 90, 40],
                radius: if number % 2 == 0 { 5.0 } else { 0.0 },
                priority: f32::from(number.abs()),
                emphasis: Emphasis::Normal,
            }
        })
        .collect()
}

fn canvas_harness<'a>() -> Harness<'a, Shown> {
    let field = mixed_field(64);
    let marks = programs();
    let shown = Shown {
        view: View::default(),
        latent: None,
        pressed: None,
        hovered: None,
        rect: Rect::NOTHING,
    };
    let ui = move |ui: &mut egui::Ui, shown: &mut Shown| {
        ui.horizontal(|ui| {
            let scale = Scale::loss(0.5, 30.0);
            let mut plane = Plane::new("Loss map of 71+?=18", scale);
            plane.field = Some(&field);
            plane.marks = &marks;
            plane.cursor = Some([0.2, 0.2]);
            let canvas = plane.show(ui, &mut shown.view, vec2(500.0, 480.0));
            (shown.latent, shown.pressed) = (canvas.pointer_latent, canvas.pressed_latent);
            (shown.hovered, shown.rect) = (canvas.hovered_mark, canvas.response.rect);
            color_bar(ui, &scale, "Negative log likelihood (nats)", 460.0, true);
        });
    };
    Harness::builder()
        .with_size(vec2(640.0, 500.0))
        .with_step_dt(1.0 / 30.0)
        .wgpu()
        .build_ui_state(ui, shown)
}

fn assert_latent(got: Option<[f32; 2]>, wanted: [f32; 2]) {
    let got = got.expect("the pointer is on the plane");
    assert!(
        (0..2).all(|axis| (got[axis] - wanted[axis]).abs() < 2e-3),
        "{got:?}, expected {wanted:?}"
    );
}

#[test]
fn pointer_gives_latent_coordinates() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.get_by_label("Loss map of 71+?=18").rect();
    assert_eq!(rect, harness.state().rect);
    assert_eq!(harness.state().latent, None);
    for latent in [[0.0, 0.0], [0.75, -0.5], [-0.99, 0.99]] {
        let at = harness.state().view.screen_from_latent(rect, latent);
        harness.hover_at(at);
        harness.run_steps(2);
        assert_latent(harness.state().latent, latent);
        assert_eq!(harness.state().pressed, None);
    }
    // Marks are found under the pointer, and a press tells where to decode, also beyond the border.
    let mark = programs()[30].at;
    let at = harness.state().view.screen_from_latent(rect, mark);
    harness.drag_at(at);
    harness.run_steps(2);
    assert_latent(harness.state().pressed, mark);
    assert_eq!(harness.state().hovered, Some(30));
    harness.hover_at(pos2(rect.right() + 60.0, rect.center().y));
    harness.run_steps(2);
    assert_latent(harness.state().pressed, [1.0, 0.0]);
    harness.drop_at(pos2(rect.right() + 60.0, rect.center().y));
    harness.run_steps(2);
    assert_eq!(harness.state().pressed, None);
    harness.get_by_label_contains("Colour scale of Negative log likelihood (nats)");
}

fn wheel(harness: &mut Harness<'_, Shown>, delta_y: f32) {
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: vec2(0.0, delta_y),
        phase: TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    harness.run_steps(30);
}

#[test]
fn wheel_zooms_at_the_pointer_and_home_resets() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.state().rect;
    let at = harness.state().view.screen_from_latent(rect, [0.4, -0.3]);
    harness.hover_at(at);
    harness.run_steps(2);
    for delta_y in [120.0, 200.0, -90.0] {
        let before = harness.state().view.zoom;
        wheel(&mut harness, delta_y);
        let after = harness.state().view.zoom;
        assert!(
            (after > before) == (delta_y > 0.0) && after != before,
            "{before} to {after}"
        );
        assert_latent(harness.state().latent, [0.4, -0.3]);
    }
    harness.drag_at(at);
    harness.drop_at(at);
    harness.run_steps(2);
    harness.key_press(egui::Key::Home);
    harness.run_steps(2);
    assert_eq!(harness.state().view, View::default());
}

#[test]
fn right_drag_pans_and_does_not_decode() {
    let mut harness = canvas_harness();
    harness.run_steps(2);
    let rect = harness.state().rect;
    let button = |pressed, pos| Event::PointerButton {
        pos,
        button: PointerButton::Secondary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let [from, to] = [rect.center(), rect.center() + vec2(-40.0, 25.0)];
    harness.hover_at(from);
    harness.run_steps(1);
    harness.event(button(true, from));
    harness.run_steps(1);
    for part in [0.5, 1.0] {
        harness.hover_at(from + (to - from) * part);
        harness.run_steps(1);
        assert_eq!(harness.state().pressed, None);
    }
    harness.event(button(false, to));
    harness.run_steps(1);
    let moved = harness.state().view.screen_from_latent(rect, [0.0, 0.0]) - rect.center();
    assert!(
        (moved - vec2(-40.0, 25.0)).length() < 1.0,
        "moved by {moved:?}"
    );
}

#[test]
fn canvas_renders_the_map_in_both_themes_and_at_any_pixel_density() {
    for (theme, density) in [
        (egui::Theme::Light, 1.0),
        (egui::Theme::Dark, 2.0),
        (egui::Theme::Dark, 1.37),
    ] {
        let field = Arc::new(Field::from_fn(2, |x, y| {
            1.5 + 0.5 * x.signum() + y.signum() * 0.25
        }));
        let scale = Scale::loss(0.5, 4.0);
        let view = View {
            center: [0.1, 0.2],
            zoom: 1.2,
        };
        let mut shown = view;
        let mut harness = Harness::builder()
            .with_size(vec2(400.0, 400.0))
            .with_theme(theme)
            .with_pixels_per_point(density)
            .wgpu()
            .build_ui(|ui| {
                let mut plane = Plane::new("Map", scale);
                plane.field = Some(&field);
                plane.show(ui, &mut shown, vec2(380.0, 370.0));
            });
        harness.run_steps(3);
        let rect = harness.get_by_label("Map").rect();
        let image = harness.render().expect("the adapter renders");
        // Just beside the borders between the cells: a shift or a flip would show.
        for latent in [[-0.03, -0.03], [0.03, -0.03], [-0.03, 0.03], [0.03, 0.03]] {
            let at = view.screen_from_latent(rect, latent) * density;
            let cell = field.cell_at(latent[0], latent[1]).expect("on the plane");
            let got = image.get_pixel(at.x as u32, at.y as u32).0;
            assert_near(
                got,
                scale.color(field.values[cell]),
                2,
                &format!("{latent:?} at density {density}"),
            );
        }
    }
}

#[test]
fn labels_never_overlap() {
    let rect = Rect::from_min_size(pos2(30.0, 10.0), vec2(640.0, 600.0));
    let bounds = Area {
        min: rect.min.into(),
        max: rect.max.into(),
    };
    for zoom in [0.8, 1.0, 1.7, 3.0, 9.0, 60.0] {
        let view = View {
            center: [0.2, -0.1],
            zoom,
        };
        let candidates: Vec<Candidate> = programs()
            .iter()
            .map(|mark| Candidate {
                at: view.screen_from_latent(rect, mark.at).into(),
                size: [7.0 * mark.label.chars().count() as f32 + 4.0, 14.0],
                radius_px: mark.radius,
                priority: mark.priority,
                may_cover_discs: false,
            })
            .collect();
        let places = place(&candidates, bounds);
        let placed: Vec<(usize, Area)> = places
            .iter()
            .enumerate()
            .filter_map(|(i, area)| Some((i, (*area)?)))
            .collect();
        for (position, (i, a)) in placed.iter().enumerate() {
            for (j, b) in &placed[position + 1..] {
                assert!(
                    !a.overlaps(b),
                    "zoom {zoom}: labels {i} and {j} overlap: {a:?}, {b:?}"
                );
            }
            assert!((0..2).all(|axis| a.min[axis] >= bounds.min[axis] - 0.02
                && a.max[axis] <= bounds.max[axis] + 0.02));
        }
        // Nothing of higher priority was given up for something lower: the first is always placed.
        let visible = candidates
            .iter()
            .filter(|candidate| bounds.contains(candidate.at))
            .count();
        assert!(
            placed.len() * 2 >= visible.min(200),
            "zoom {zoom}: {} of {visible} placed",
            placed.len()
        );
    }
    let crowd = [1.0, 3.0, 2.0].map(|priority| Candidate {
        at: [100.0, 100.0],
        size: [20.0, 12.0],
        radius_px: 0.0,
        priority,
        may_cover_discs: true,
    });
    let is_placed: Vec<bool> = place(&crowd, bounds).iter().map(Option::is_some).collect();
    assert_eq!(is_placed, [false, true, false]);
}

fn assert_dimensions(path: &Path, wanted: [u32; 2]) {
    let image = image::open(path).expect("a readable picture").to_rgb8();
    assert_eq!([image.width(), image.height()], wanted);
    let mut colors: Vec<_> = image.pixels().map(|pixel| pixel.0).collect();
    colors.sort_unstable();
    colors.dedup();
    assert!(
        colors.len() > 50,
        "only {} colours in {}",
        colors.len(),
        path.display()
    );
}

#[test]
fn pictures_and_tables_are_written_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let field = mixed_field(32);
    let truth = Field::from_fn(16, |x, y| f32::from(x > y));
    let marks = programs();
    let spots: Vec<Spot<'_>> = marks
        .iter()
        .map(|mark| Spot {
            at: mark.at,
            label: &mark.label,
            color: mark.color,
        })
        .collect();
    let path = [[0.5, 0.5], [0.1, 0.2], [-0.2, 0.1]];
    let heat = Panel::heat_map("Loss", &field, Scale::loss(0.5, 30.0), "nats")
        .with_spots(&spots)
        .with_path(&path);
    let file = |name: &str| folder.path().join(name);

    plot::panels_png(&file("heat.png"), &[heat], [1000, 900]).expect("written");
    assert_dimensions(&file("heat.png"), [1000, 900]);
    let panels = [heat, Panel::truth_map("Truth", &truth).with_spots(&spots)];
    plot::panels_png(&file("both.png"), &panels, [1300, 600]).expect("written");
    assert_dimensions(&file("both.png"), [1300, 600]);
    let points = Panel::points("Programs", &spots, Scale::value(-99.0, 99.0), "Number");
    plot::panels_png(&file("points.png"), &[points], [500, 450]).expect("written");
    assert_dimensions(&file("points.png"), [500, 450]);

    let curve = [
        (0.0, 3.0),
        (1.0, 0.5),
        (2.0, f64::NAN),
        (3.0, 0.0),
        (4.0, 0.01),
    ];
    let curves = [
        Curve {
            name: "executor",
            points: &curve,
        },
        Curve {
            name: "code",
            points: &curve[..2],
        },
    ];
    plot::curves_png(
        &file("curves.png"),
        ["Losses", "step", "nats"],
        &curves,
        [800, 500],
    )
    .expect("written");
    assert_dimensions(&file("curves.png"), [800, 500]);

    plot::field_csv(&file("field.csv"), &field, "loss").expect("written");
    let table = std::fs::read_to_string(file("field.csv")).expect("readable");
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (32 * 32 + 1, "x,y,loss,is_number"));
    assert_eq!(rows[4], "-0.78125,-0.96875,,", "a cell that isn't computed");
    assert!(
        rows[2].ends_with(",false") && rows[1].ends_with(",true"),
        "{} and {}",
        rows[1],
        rows[2]
    );
    plot::curves_csv(&file("curves.csv"), &curves, "step", "loss").expect("written");
    plot::spots_csv(&file("spots.csv"), &spots).expect("written");
    let table = std::fs::read_to_string(file("spots.csv")).expect("readable");
    assert!(
        table
            .lines()
            .nth(1)
            .is_some_and(|row| row.ends_with(",-99")),
        "{table}"
    );
    let left = std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 7, "temporary files were left behind");
}

#[test]
fn failed_exports_name_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let field = mixed_field(8);
    let panel = Panel::heat_map("Loss", &field, Scale::loss(0.5, 30.0), "nats");
    // A file where a folder should be: nobody can write there, not even root.
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, "").expect("written");
    let inside = blocked.join("map.png");
    let failures = [
        plot::panels_png(&inside, &[panel], [400, 400]),
        plot::field_csv(&inside, &field, "loss"),
        plot::curves_png(&inside, ["", "", ""], &[], [400, 400]),
        plot::panels_png(&inside, &[], [400, 400]),
        plot::panels_png(&inside, &[panel], [40, 40]),
    ];
    for failure in failures {
        let error = format!("{:#}", failure.expect_err("can't be written"));
        assert!(error.contains(&inside.display().to_string()), "{error}");
    }
    // An export that fails half-way leaves the older file alone.
    let older = folder.path().join("older.csv");
    std::fs::write(&older, "older").expect("written");
    let failure = plot::write_whole(&older, |_| anyhow::bail!("half-way"));
    assert!(failure.is_err());
    assert_eq!(std::fs::read_to_string(&older).expect("readable"), "older");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("readable").count(),
        2
    );
}
