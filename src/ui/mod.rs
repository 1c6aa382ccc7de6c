//! The window: egui draws what the engine's board shows and sends it what people do.
//!
//! [`app`] is the frame round both systems, [`client`] the engine they share, `bar` the switch between
//! them, `pending` an order the engine hasn't followed yet, `dialogs` the desktop's file dialogs, `fonts` the
//! system's. Of the Latent Executor, [`session`] is what is open (sum, pins), `bundled` the models to open, `panels`
//! the controls, `planes` the four views of the latent planes, `space` those of a space of more dimensions, which
//! `projector` lays out, `lines` the errors of a program of several lines, [`canvas`] the widget that draws a plane;
//! [`glyphs`] has the other. [`frames`] measures them all.

pub mod app;
mod bar;
mod bundled;
pub mod canvas;
mod dialogs;
pub mod engine_client;
mod fonts;
pub mod frames;
pub mod glyphs;
mod lines;
mod panels;
mod pending;
mod planes;
mod projector;
pub mod session;
mod space;
pub mod theme;
mod widgets;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, anyhow};

use crate::{at_exit::exit_at_once, device::Choice, signals};

/// Whether there is a display to open a window on.
///
/// # Errors
/// Says why not.
pub fn display() -> Result<()> {
    let has = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(any(target_os = "macos", target_os = "windows"))
        || has("DISPLAY")
        || has("WAYLAND_DISPLAY")
    {
        Ok(())
    } else {
        Err(anyhow!(
            "no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"
        ))
    }
}

/// Opens the window and stays until it is closed, or until a signal asks the program to end, which closes it in
/// order.
///
/// # Errors
/// If the display can't be reached or has neither Vulkan, Metal, DX12 nor GL.
pub fn open(choice: Choice) -> Result<()> {
    let shown = Arc::new(OnceLock::<egui::Context>::new());
    let to_close = shown.clone();
    let is_closing = AtomicBool::new(false);
    signals::listen(move || match to_close.get() {
        Some(context) if !is_closing.swap(true, Ordering::Relaxed) => {
            context.send_viewport_cmd(egui::ViewportCommand::Close);
            context.request_repaint();
        }
        _ => exit_at_once(130),
    })?;
    let viewport = egui::ViewportBuilder::default()
        .with_title("Glyphspace")
        .with_app_id("glyphspace")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([860.0, 560.0]);
    let options = eframe::NativeOptions {
        viewport,
        ..Default::default()
    };
    // Dropped last, also where the window's thread panics: the run is saved when nobody looks any longer.
    let (leave, _left) = engine_client::Leftovers::new();
    let ran = eframe::run_native(
        "glyphspace",
        options,
        Box::new(move |creation| {
            shown.get_or_init(|| creation.egui_ctx.clone());
            theme::Theme::clear_panels(&creation.egui_ctx);
            let render_state = creation.wgpu_render_state.as_ref();
            render_state.inspect(|state| canvas::install(state));
            let is_drawn_by_cpu = render_state
                .is_some_and(|state| state.adapter.get_info().device_type == wgpu::DeviceType::Cpu);
            let mut app = app::App::new(
                &creation.egui_ctx,
                choice,
                is_drawn_by_cpu,
                creation.storage,
            )?;
            app.session.client.leave_engines_to(leave)?;
            Ok(Box::new(app))
        }),
    );
    ran.map_err(|error| anyhow!("can't open a window: {error}"))
}
