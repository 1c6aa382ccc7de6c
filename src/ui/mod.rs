//! The window: egui draws the engine's views and sends the user's commands and probes to the engine.
//!
//! [`app`] is the window with the pages of both systems, [`executor`] and [`glyphs`]; [`engine_client`] is their client
//! of the engine, [`canvas`] the widget that draws a plane, `run_panel` the training panel, `dialogs` the desktop's file
//! dialogs, `fonts` the system's. [`frames`] measures the window's frames.

pub mod app;
mod bar;
pub mod canvas;
mod dialogs;
pub mod engine_client;
pub mod executor;
mod fonts;
pub mod frames;
pub mod glyphs;
pub mod pending;
pub mod run_panel;
pub mod system;
pub mod theme;
mod widgets;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use anyhow::{Result, anyhow};

use crate::{at_exit::exit_at_once, device::Choice, signals};

/// Checks that there is a display to open a window on.
///
/// # Errors
/// If there is none.
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
    let (retired, _engines) = engine_client::RetiredEngines::new();
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
            app.client.retire_engines_to(retired)?;
            Ok(Box::new(app))
        }),
    );
    ran.map_err(|error| anyhow!("can't open a window: {error}"))
}
