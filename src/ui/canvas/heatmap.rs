//! The heat map's paint callback: uploads a field when another one is shown, and draws it with
//! `shaders/heatmap.wgsl`. [`HeatRenderer`] holds the GPU side and works without egui's renderer too.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::{CallbackResources, CallbackTrait, ScreenDescriptor};
use egui::{Color32, Id, PaintCallbackInfo, Rect};

use super::gpu::{self, PipelineParts, Slots};
use super::view::View;
use crate::latent::field::{CellState, Field};
use crate::palette::{HATCH, HATCH_PERIOD_PX, Palette, Scale};

/// The shader's source.
pub const HEATMAP_WGSL: &str = include_str!("../../../shaders/heatmap.wgsl");

/// Interpolation of a map between its cells' centres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// Smooth while cells are small, sharp cells once they are large on the screen.
    #[default]
    Auto,
    /// Always smooth.
    Smooth,
    /// Always cells.
    Cells,
}

impl Sampling {
    /// Sharpness of the transition between cells of a size in pixels: 1 is linear interpolation, the size itself leaves one
    /// pixel of transition.
    fn sharpness(self, cell_px: f32) -> f32 {
        let cells = cell_px.max(1.0);
        match self {
            Self::Smooth => 1.0,
            Self::Cells => cells,
            Self::Auto => {
                let part = ((cell_px - 6.0) / 10.0).clamp(0.0, 1.0);
                1.0 + (cells - 1.0) * part * part
            }
        }
    }
}

/// One heat map to draw.
#[derive(Clone, Debug)]
pub struct HeatPaint {
    /// The canvas; its resources are kept under this.
    pub id: Id,
    /// Field to draw; uploaded when it is another `Arc` than last time.
    pub field: Arc<Field>,
    /// Colour scale.
    pub scale: Scale,
    /// Interpolation between centres; truth maps are always drawn as cells.
    pub sampling: Sampling,
    /// Colour of cells that aren't computed.
    pub pending: Color32,
    /// The canvas on the screen, in points.
    pub rect: Rect,
    /// The part of the plane it shows.
    pub view: View,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct HeatUniform {
    cell_scale: [f32; 2],
    cell_offset: [f32; 2],
    sharpness: f32,
    hatch_period_px: u32,
    padding: [u32; 2],
    hatch_dark: [f32; 4],
    hatch_light: [f32; 4],
    pending: [f32; 4],
}

/// The shader's codes for cells that have no position on the scale.
const PENDING: f32 = -1.0;
const MISSING: f32 = -2.0;

struct HeatmapSlot {
    uniform: wgpu::Buffer,
    positions: wgpu::Texture,
    lut: wgpu::Texture,
    bind_group: wgpu::BindGroup,
    /// Contents of the textures. The field is kept so that its address can't be reused by another one while we compare
    /// by address.
    uploaded: Option<(Arc<Field>, Scale)>,
}

impl HeatmapSlot {
    fn new(device: &wgpu::Device, layout: &wgpu::BindGroupLayout, side: u32) -> Self {
        let name = "heat map";
        let uniform = gpu::uniform_buffer::<HeatUniform>(device, name);
        let positions = gpu::texture(device, name, [side; 2], wgpu::TextureFormat::R32Float);
        let lut = gpu::texture(device, name, [256, 1], wgpu::TextureFormat::Rgba8Unorm);
        let [positions_view, lut_view] = [&positions, &lut]
            .map(|texture| texture.create_view(&wgpu::TextureViewDescriptor::default()));
        let view = |binding, view| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::TextureView(view),
        };
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(name),
            layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: uniform.as_entire_binding(),
                },
                view(1, &positions_view),
                view(2, &lut_view),
            ],
        });
        Self {
            uniform,
            positions,
            lut,
            bind_group,
            uploaded: None,
        }
    }

    /// Uploads a field and the colours of its scale, unless the textures hold them.
    fn upload(&mut self, queue: &wgpu::Queue, field: &Arc<Field>, scale: &Scale) {
        let holds = |(of, by): &(Arc<Field>, Scale)| Arc::ptr_eq(of, field) && by == scale;
        if self.uploaded.as_ref().is_some_and(holds) {
            return;
        }
        let texels = positions(field, scale);
        gpu::write_texture(queue, &self.positions, bytemuck::cast_slice(&texels));
        gpu::write_texture(queue, &self.lut, bytemuck::cast_slice(&scale.lut()));
        self.uploaded = Some((field.clone(), *scale));
    }
}

/// The pipeline for one pixel format and every canvas's textures.
pub struct HeatRenderer {
    format: wgpu::TextureFormat,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    slots: Slots<HeatmapSlot>,
}

impl HeatRenderer {
    /// Compiles the pipeline for a framebuffer's format.
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let unfiltered = wgpu::TextureSampleType::Float { filterable: false };
        let (pipeline, layout) = gpu::pipeline(
            device,
            format,
            &PipelineParts {
                name: "heat map",
                wgsl: HEATMAP_WGSL,
                bindings: &[
                    gpu::uniform_entry(0),
                    gpu::texture_entry(1, unfiltered),
                    gpu::texture_entry(2, unfiltered),
                ],
                buffers: &[],
                topology: wgpu::PrimitiveTopology::TriangleList,
            },
        );
        Self {
            format,
            pipeline,
            layout,
            slots: Slots::default(),
        }
    }

    /// Uploads what changed since this canvas was drawn last.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        paint: &HeatPaint,
        pixels_per_point: f32,
    ) {
        let side = u32::try_from(paint.field.size).unwrap_or(u32::MAX);
        if side == 0
            || side > device.limits().max_texture_dimension_2d
            || !paint.field.is_consistent()
        {
            // Nothing rather than the map before.
            self.slots.remove(paint.id);
            return;
        }
        let layout = &self.layout;
        let make = || HeatmapSlot::new(device, layout, side);
        let slot = self.slots.entry(paint.id, make);
        if slot.positions.width() != side {
            *slot = make();
        }
        slot.upload(queue, &paint.field, &paint.scale);
        queue.write_buffer(
            &slot.uniform,
            0,
            bytemuck::bytes_of(&uniform_of(paint, pixels_per_point)),
        );
    }

    /// Draws a prepared canvas into a pass over a framebuffer of this size; the pass's scissor limits it.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>, id: Id, screen_size_px: [u32; 2]) {
        let Some(slot) = self.slots.get(id) else {
            return;
        };
        gpu::set_viewport(pass, screen_size_px);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &slot.bind_group, &[]);
        pass.draw(0..3, 0..1);
    }
}

impl CallbackTrait for HeatPaint {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _egui_encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let renderer = gpu::renderer(device, resources, HeatRenderer::new, |kept| kept.format);
        if let Some(renderer) = renderer {
            renderer.prepare(device, queue, self, screen.pixels_per_point);
        }
        Vec::new()
    }

    fn paint(
        &self,
        info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        if let Some(renderer) = resources.get::<HeatRenderer>() {
            renderer.paint(pass, self.id, info.screen_size_px);
        }
    }
}

fn uniform_of(paint: &HeatPaint, pixels_per_point: f32) -> HeatUniform {
    let size = paint.field.size as f32;
    let px_per_unit = paint.view.points_per_unit(paint.rect) * pixels_per_point;
    let px_per_cell = px_per_unit * 2.0 / size;
    let middle_px = paint.rect.center() * pixels_per_point;
    let middle_cell = paint
        .view
        .center
        .map(|coordinate| (coordinate + 1.0) * 0.5 * size);
    let sampling = if paint.scale.palette == Palette::Truth {
        Sampling::Cells
    } else {
        paint.sampling
    };
    HeatUniform {
        cell_scale: [1.0 / px_per_cell, -1.0 / px_per_cell],
        cell_offset: [
            middle_cell[0] - middle_px.x / px_per_cell,
            middle_cell[1] + middle_px.y / px_per_cell,
        ],
        sharpness: sampling.sharpness(px_per_cell),
        hatch_period_px: HATCH_PERIOD_PX,
        padding: [0; 2],
        hatch_dark: opaque(HATCH[0]),
        hatch_light: opaque(HATCH[1]),
        pending: paint
            .pending
            .to_array()
            .map(|channel| f32::from(channel) / 255.0),
    }
}

fn opaque([r, g, b]: [u8; 3]) -> [f32; 4] {
    [r, g, b, 255].map(|channel| f32::from(channel) / 255.0)
}

/// The cells' positions on the scale, or the codes of those that have none.
fn positions(field: &Field, scale: &Scale) -> Vec<f32> {
    let position = |(index, value): (usize, &f32)| match field.state(index) {
        CellState::Pending => PENDING,
        CellState::Missing => MISSING,
        CellState::Number => scale.position(*value),
    };
    field.values.iter().enumerate().map(position).collect()
}
