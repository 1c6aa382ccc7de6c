//! The window: egui draws what the engine's board shows and sends it what people do.
//!
//! [`app`] is the frame round both systems, [`desk`] the engine they share, `bar` the switch between
//! them. Of the Latent Executor, [`session`] is what is open (sum, pins), `panels` the controls, `planes`
//! the four views of the latent planes, `space` those of a space of more dimensions, which `projector`
//! lays out, [`canvas`] the widget that draws one; [`glyphs`] has the other. [`frames`] measures them all.

pub mod app;
mod bar;
pub mod canvas;
pub mod desk;
pub mod frames;
pub mod glyphs;
mod lines;
mod panels;
mod planes;
mod projector;
pub mod session;
mod space;
pub mod theme;
mod widgets;

use anyhow::{Result, anyhow};

use crate::device::Choice;

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

/// Opens the window and stays until it is closed.
///
/// # Errors
/// If the display can't be reached or has neither Vulkan, Metal, DX12 nor GL.
pub fn open(choice: Choice) -> Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Glyphspace")
        .with_app_id("glyphspace")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([860.0, 560.0]);
    let options = eframe::NativeOptions {
        viewport,
        ..Default::default()
    };
    eframe::run_native(
        "glyphspace",
        options,
        Box::new(move |creation| {
            let render_state = creation.wgpu_render_state.as_ref();
            render_state.inspect(|state| canvas::install(state));
            let is_drawn_by_cpu = render_state
                .is_some_and(|state| state.adapter.get_info().device_type == wgpu::DeviceType::Cpu);
            Ok(Box::new(app::App::new(
                &creation.egui_ctx,
                choice,
                is_drawn_by_cpu,
                creation.storage,
            )?))
        }),
    )
    .map_err(|error| anyhow!("can't open a window: {error}"))
}
