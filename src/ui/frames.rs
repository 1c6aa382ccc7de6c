//! Frame times of the window, drawn without a display and timed to the end of the graphics adapter's work: interface,
//! renderer and adapter of the window, a texture in place of its surface. For `glyphspace bench ui`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use eframe::egui_wgpu::{
    RenderState, RendererOptions, ScreenDescriptor, WgpuConfiguration, WgpuSetup,
};
use egui::{Event, FullOutput, Modifiers, PointerButton, Pos2, RawInput, Rect};

use super::{app::App, canvas, system::SystemPage, theme::Theme};
use crate::device::Choice;

/// Width and height of the window, in points.
pub const SIZE: [f32; 2] = [1280.0, 800.0];
/// Frames a second, as on most screens.
pub const PER_SEC: u32 = 60;
/// Frames measured where no time is given.
const FRAMES: usize = 300;
/// Steps trained before: the curves have begun, the planes move.
const FIRST_STEPS: u64 = 5;
/// Longest wait for the model, and for the run to begin.
const PATIENCE: Duration = Duration::from_secs(300);
/// Interval between two measurements of the process's memory.
const MEMORY_EVERY: Duration = Duration::from_secs(1);
/// Length of a run that has to last as long as the frames are drawn, in seconds.
const RUN_SECS: f64 = 86_400.0;
/// Seconds of a pointer's movement, the second half of them with its button pressed.
const DRAG_PERIOD_SECS: f32 = 2.0;
/// Time a system is shown before the other one, where both are.
const SYSTEM_SHOWN: Duration = Duration::from_secs(10);

/// Plan of a measurement.
pub struct FramesPlan<'a> {
    /// System shown and trained.
    pub system: SystemPage,
    /// The number of its preset.
    pub preset: usize,
    /// The functions Code Glyphs train on.
    pub corpus: &'a Path,
    /// The run's folder.
    pub out: &'a Path,
    /// Length of the measurement, of both systems in turn; without it, a few hundred frames of the one in training.
    pub length: Option<Duration>,
}

/// Result of a measurement.
pub struct FrameTimes {
    /// Milliseconds of each frame, from what the engine said to the end of the adapter's work.
    pub millis: Vec<f64>,
    /// Milliseconds of the part before the adapter gets it: layout and tessellation.
    pub cpu_millis: Vec<f64>,
    /// Training steps taken while they were drawn.
    pub steps: u64,
    /// Device the model was trained on.
    pub device: String,
    /// Adapter the window was drawn on.
    pub adapter: String,
    /// The process's memory in bytes, second by second; empty where the system doesn't tell.
    pub memory: Vec<u64>,
}

/// Draws the window while a run trains; the pointer moves and drags over it.
///
/// # Errors
/// If there is nothing to draw with, the run can't begin, or `go_on` says to stop.
pub fn while_training(
    choice: Choice,
    order: &FramesPlan,
    go_on: &mut dyn FnMut() -> Result<()>,
) -> Result<FrameTimes> {
    let screen = Screen::new()?;
    let context = egui::Context::default();
    Theme::clear_panels(&context);
    let mut window = Window {
        app: App::new(&context, choice, screen.is_software(), None)?,
        context,
        screen,
        begun: Instant::now(),
        is_pressed: false,
    };
    let found = window.measure(order, go_on);
    window.app.client.finish();
    found
}

/// A texture to draw on.
struct Screen {
    state: RenderState,
    target: wgpu::TextureView,
}

impl Screen {
    fn new() -> Result<Self> {
        let setup = WgpuSetup::without_display_handle();
        let instance = pollster::block_on(setup.new_instance());
        let config = WgpuConfiguration {
            wgpu_setup: setup,
            ..Default::default()
        };
        let options = RendererOptions::default();
        let made = RenderState::create(&config, &instance, None, options);
        let state = pollster::block_on(made).context("can't find an adapter to draw with")?;
        canvas::install(&state);
        let [width, height] = SIZE.map(|side| side as u32);
        let target = state.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("screen"),
            size: wgpu::Extent3d {
                width,
                height,
                depth_or_array_layers: 1,
            },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: state.target_format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let target = target.create_view(&wgpu::TextureViewDescriptor::default());
        Ok(Self { state, target })
    }

    fn is_software(&self) -> bool {
        self.state.adapter.get_info().device_type == wgpu::DeviceType::Cpu
    }

    /// Draws a frame; returns the time of its submission to the adapter.
    fn draw(&mut self, context: &egui::Context, output: FullOutput) -> Result<Instant> {
        let RenderState {
            device,
            queue,
            renderer,
            ..
        } = &self.state;
        let mut renderer = renderer.write();
        let mut textures = output.textures_delta;
        for (id, images) in textures.set.drain() {
            for image in images {
                renderer.update_texture(device, queue, id, &image);
            }
        }
        let pixels_per_point = output.pixels_per_point;
        let primitives = context.tessellate(output.shapes, pixels_per_point);
        let tessellated = Instant::now();
        let screen = ScreenDescriptor {
            size_in_pixels: SIZE.map(|side| (side * pixels_per_point) as u32),
            pixels_per_point,
        };
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let before = renderer.update_buffers(device, queue, &mut encoder, &primitives, &screen);
        let panel = Theme::of(&context.global_style().visuals).panel;
        let [r, g, b, a] = panel.to_normalized_gamma_f32().map(f64::from);
        let clear = wgpu::Color { r, g, b, a };
        let mut pass = encoder
            .begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &self.target,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(clear),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            })
            .forget_lifetime();
        renderer.render(&mut pass, &primitives, &screen);
        drop(pass);
        queue.submit(before.into_iter().chain([encoder.finish()]));
        for id in textures.free.drain() {
            renderer.free_texture(&id);
        }
        let done = device.poll(wgpu::PollType::wait_indefinitely());
        done.context("the adapter failed to draw a frame")?;
        Ok(tessellated)
    }
}

struct Window {
    app: App,
    context: egui::Context,
    screen: Screen,
    begun: Instant,
    is_pressed: bool,
}

/// Times of a frame.
struct FrameTime {
    cpu: Duration,
    presented: Duration,
}

impl Window {
    fn measure(
        &mut self,
        order: &FramesPlan,
        go_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<FrameTimes> {
        self.app.system = order.system;
        self.wait("the model", go_on, |app| match app.system {
            SystemPage::Executor => app.executor.workspace.views.planes.get().is_some(),
            SystemPage::Glyphs => app.glyphs.workspace.answer().is_some(),
        })?;
        self.begin(order);
        self.wait("the run", go_on, |app| {
            steps(app, order.system) >= FIRST_STEPS
        })?;
        let mut found = FrameTimes {
            millis: Vec::with_capacity(FRAMES),
            cpu_millis: Vec::with_capacity(FRAMES),
            steps: 0,
            device: String::new(),
            adapter: self.screen.state.adapter.get_info().name,
            memory: Vec::new(),
        };
        let before = steps(&self.app, order.system);
        let (begun, mut remembered) = (Instant::now(), None);
        while match order.length {
            None => found.millis.len() < FRAMES,
            Some(length) => begun.elapsed() < length,
        } {
            go_on()?;
            if order.length.is_some() {
                let turn = begun.elapsed().as_secs() / SYSTEM_SHOWN.as_secs();
                self.app.system = match (order.system, turn % 2) {
                    (system, 0) => system,
                    (SystemPage::Executor, _) => SystemPage::Glyphs,
                    (SystemPage::Glyphs, _) => SystemPage::Executor,
                };
            }
            let took = self.frame()?;
            found.millis.push(took.presented.as_secs_f64() * 1e3);
            found.cpu_millis.push(took.cpu.as_secs_f64() * 1e3);
            if remembered.is_none_or(|at: Instant| at.elapsed() >= MEMORY_EVERY) {
                remembered = Some(Instant::now());
                found.memory.extend(resident_bytes());
            }
        }
        found.steps = steps(&self.app, order.system) - before;
        found.device = self.app.client.device_of(order.system).unwrap_or_default();
        Ok(found)
    }

    fn begin(&mut self, order: &FramesPlan) {
        let (out, corpus) = (order.out.display(), order.corpus.display());
        let (executor, glyphs) = (
            &mut self.app.executor.workspace,
            &mut self.app.glyphs.workspace,
        );
        let form = match order.system {
            SystemPage::Executor => &mut executor.train,
            SystemPage::Glyphs => &mut glyphs.train,
        };
        form.preset = order.preset;
        form.out = out.to_string();
        form.secs = RUN_SECS;
        match order.system {
            SystemPage::Executor => executor.begin_run(&mut self.app.client),
            SystemPage::Glyphs => {
                glyphs.train_corpus = corpus.to_string();
                glyphs.begin_run(&mut self.app.client);
            }
        }
    }

    /// Draws until a condition holds.
    fn wait(
        &mut self,
        what: &str,
        go_on: &mut dyn FnMut() -> Result<()>,
        is_so: impl Fn(&App) -> bool,
    ) -> Result<()> {
        let begun = Instant::now();
        while !is_so(&self.app) {
            go_on()?;
            self.frame()?;
            let message = self.app.client.message();
            if let Some(message) = message.filter(|message| message.is_error) {
                bail!("{}", message.text);
            }
            if begun.elapsed() > PATIENCE {
                bail!("waited in vain for {what}");
            }
        }
        Ok(())
    }

    /// Draws one frame, then sleeps for the rest of its time.
    fn frame(&mut self) -> Result<FrameTime> {
        let input = self.input();
        let begun = Instant::now();
        self.app.poll_events();
        let output = self.context.run_ui(input, |ui| self.app.show(ui));
        let tessellated = self.screen.draw(&self.context, output)?;
        let took = FrameTime {
            cpu: tessellated - begun,
            presented: begun.elapsed(),
        };
        std::thread::sleep((Duration::from_secs(1) / PER_SEC).saturating_sub(took.presented));
        Ok(took)
    }

    /// The pointer goes round over the large map, pressed half of the time.
    fn input(&mut self) -> RawInput {
        let secs = self.begun.elapsed().as_secs_f32();
        let [width, height] = SIZE;
        let pos = egui::pos2(
            width * (0.5 + 0.15 * secs.cos()),
            height * (0.5 + 0.2 * (0.7 * secs).sin()),
        );
        let mut events = vec![Event::PointerMoved(pos)];
        let pressed = secs % DRAG_PERIOD_SECS > DRAG_PERIOD_SECS / 2.0;
        if std::mem::replace(&mut self.is_pressed, pressed) != pressed {
            events.push(Event::PointerButton {
                pos,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
        }
        RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE.into())),
            time: Some(f64::from(secs)),
            events,
            ..Default::default()
        }
    }
}

fn steps(app: &App, system: SystemPage) -> u64 {
    let steps = match system {
        SystemPage::Executor => app.client.executor.run.steps(),
        SystemPage::Glyphs => app.client.glyphs.run.steps(),
    };
    steps.unwrap_or(0)
}

/// The process's memory that is in use, graphics drivers' included; only Linux tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kib)
}
