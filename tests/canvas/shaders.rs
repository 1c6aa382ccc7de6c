//! Shaders are validated and compared with their CPU twins on whatever adapter there is.

use std::sync::Arc;

use eframe::egui_wgpu::RenderState;
use egui::{Color32, Pos2, Rect, Vec2, pos2, vec2};
use egui_kittest::wgpu as test_wgpu;
use glyphspace::latent::field::{CellState, Field};
use glyphspace::palette::{HATCH, Scale, hatch_color};
use glyphspace::plot::{self, Shade};
use glyphspace::ui::canvas::heatmap::{HEATMAP_WGSL, HeatPaint, HeatRenderer};
use glyphspace::ui::canvas::points::{Disc, POINTS_WGSL, PointsPaint, PointsRenderer};
use glyphspace::ui::canvas::{Sampling, View};

use super::{assert_near, mixed_field};

pub const SIDE_PX: u32 = 309;

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
pub fn render_state() -> Option<RenderState> {
    crate::device::has_adapter().then(|| {
        test_wgpu::create_render_state(
            test_wgpu::default_wgpu_setup(),
            eframe::egui_wgpu::RendererOptions::PREDICTABLE,
        )
    })
}

/// Draws into a square texture and reads its pixels, rows from the top, sRGB as a screen would show it.
pub fn pixels_of(
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

#[test]
fn heat_map_shows_each_cell_in_its_colour() {
    let Some(state) = render_state() else {
        return;
    };
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
    let Some(state) = render_state() else {
        return;
    };
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
    let Some(state) = render_state() else {
        return;
    };
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
    let Some(state) = render_state() else {
        return;
    };
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
    let Some(state) = render_state() else {
        return;
    };
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
