//! Drawing takes no more memory the longer it goes on, the graphics driver's own included: Mesa's lavapipe keeps a
//! compiled copy of a shader for each draw where a branch depends on a uniform.

use std::{process::Command, sync::Arc};

use egui::{Color32, Id, Pos2, Rect, Vec2};
use glyphspace::{
    latent::field::Field,
    palette::Scale,
    ui::canvas::{
        Sampling, View,
        heatmap::{HeatPaint, HeatRenderer},
        points::{Disc, PointsPaint, PointsRenderer},
    },
};

use super::{mixed_field, shaders};

/// Frames after which caches are filled.
const SETTLED: usize = 50;
const FRAMES: usize = 300;
/// One shader kept a frame is some hundred megabytes.
const ALLOWED_BYTES: u64 = 4_000_000;

/// The process's memory; other tests of this process take some, too, so that the frames have one of their own.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>();
    Some(1024 * kib.ok()?)
}

#[test]
fn hundreds_of_frames_take_no_memory() {
    if resident_bytes().is_none() {
        println!("passed over: the system doesn't tell how much memory a process has");
        return;
    }
    let tests = std::env::current_exe().unwrap();
    let name = "canvas::memory::frames_in_a_process_of_their_own";
    let drawn = Command::new(tests)
        .args([name, "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&drawn.stdout).into_owned();
    assert!(
        drawn.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&drawn.stderr)
    );
}

/// A map and points that change, move and are replaced, as in training and dragging.
#[test]
#[ignore = "run by the test above, in a process of its own"]
fn frames_in_a_process_of_their_own() {
    let Some(state) = shaders::render_state() else {
        return;
    };
    let format = wgpu::TextureFormat::Rgba8Unorm;
    let mut heat = HeatRenderer::new(&state.device, format);
    let mut points = PointsRenderer::new(&state.device, format);
    let rect = Rect::from_min_size(Pos2::ZERO, Vec2::splat(shaders::SIDE_PX as f32));
    let id = Id::unique("memory");
    let scales = [
        Scale::loss(0.01, 10.0),
        Scale::value(-3.0, 3.0),
        Scale::truth(),
    ];
    let mut field = mixed_field(64);
    let mut settled = 0;
    for frame in 0..FRAMES {
        let turn = frame as f32;
        if frame % 5 == 0 {
            let size = if frame % 50 == 0 { 32 } else { 64 };
            field = Arc::new(Field::from_fn(size, |x, y| 1.0 + x * y * turn.sin()));
        }
        let view = View {
            center: [0.2 * turn.cos(), 0.2 * turn.sin()],
            zoom: 1.0 + 0.5 * (0.1 * turn).sin(),
        };
        let map = HeatPaint {
            id,
            field: field.clone(),
            scale: scales[frame % 3],
            sampling: Sampling::Auto,
            pending: Color32::from_rgb(1, 2, 3),
            rect,
            view,
        };
        let disc = |number: usize| Disc {
            latent: [0.01 * number as f32 - 1.0, (turn + number as f32).sin()],
            radius: 4.0,
            highlight: 0.0,
            fill: [200, 40, 90, 255],
        };
        let discs = PointsPaint {
            id,
            discs: (0..100 + frame % 7).map(disc).collect(),
            outline: Color32::BLUE,
            ring: Color32::WHITE,
            rect,
            view,
        };
        let side = [shaders::SIDE_PX; 2];
        heat.prepare(&state.device, &state.queue, &map, 1.0);
        points.prepare(&state.device, &state.queue, &discs, 1.0, side);
        shaders::pixels_of(&state, format, |pass| {
            heat.paint(pass, id, side);
            points.paint(pass, id, side);
        });
        if frame == SETTLED {
            settled = resident_bytes().unwrap();
        }
    }
    let grown = resident_bytes().unwrap().saturating_sub(settled);
    assert!(
        grown < ALLOWED_BYTES,
        "{grown} bytes more after {} frames on {}",
        FRAMES - SETTLED,
        state.adapter.get_info().name
    );
}
