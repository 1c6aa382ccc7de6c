//! The points' paint callback: one instanced draw of `shaders/points.wgsl` for all discs of a canvas, however
//! many there are.

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::{CallbackResources, CallbackTrait, ScreenDescriptor};
use egui::{Color32, Id, PaintCallbackInfo, Rect};

use super::gpu::{self, PipelineParts, Slots};
use super::view::View;

/// The shader's source.
pub const POINTS_WGSL: &str = include_str!("../../../shaders/points.wgsl");

/// One disc, as the shader reads it.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Disc {
    /// Latent point.
    pub latent: [f32; 2],
    /// Radius without the outline, in points (egui's unit).
    pub radius: f32,
    /// Opacity of the ring round it, 0 to 1.
    pub highlight: f32,
    /// sRGB with straight alpha.
    pub fill: [u8; 4],
}

/// The discs of one canvas.
#[derive(Clone, Debug)]
pub struct PointsPaint {
    /// The canvas; its resources are kept under this.
    pub id: Id,
    /// Discs to draw, the last on top.
    pub discs: Vec<Disc>,
    /// Colour of the outlines.
    pub outline: Color32,
    /// Colour of the rings round highlighted discs.
    pub ring: Color32,
    /// The canvas on the screen, in points.
    pub rect: Rect,
    /// The part of the plane it shows.
    pub view: View,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct PointsUniform {
    px_scale: [f32; 2],
    px_offset: [f32; 2],
    screen_px: [f32; 2],
    outline_px: f32,
    ring_px: f32,
    outline: [f32; 4],
    ring: [f32; 4],
}

struct PointsSlot {
    uniform: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    instances: wgpu::Buffer,
    uploaded: Vec<Disc>,
}

/// The pipeline for one pixel format and every canvas's instances.
pub struct PointsRenderer {
    format: wgpu::TextureFormat,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    slots: Slots<PointsSlot>,
}

impl PointsRenderer {
    /// Compiles the pipeline for a framebuffer's format.
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let attributes =
            wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32, 2 => Float32, 3 => Unorm8x4];
        let (pipeline, layout) = gpu::pipeline(
            device,
            format,
            &PipelineParts {
                name: "points",
                wgsl: POINTS_WGSL,
                bindings: &[gpu::uniform_entry(0)],
                buffers: &[Some(wgpu::VertexBufferLayout {
                    array_stride: size_of::<Disc>() as u64,
                    step_mode: wgpu::VertexStepMode::Instance,
                    attributes: &attributes,
                })],
                topology: wgpu::PrimitiveTopology::TriangleStrip,
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
        paint: &PointsPaint,
        pixels_per_point: f32,
        screen_size_px: [u32; 2],
    ) {
        let layout = &self.layout;
        let slot = self.slots.entry(paint.id, || {
            let uniform = gpu::uniform_buffer::<PointsUniform>(device, "points");
            let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("points"),
                layout,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: uniform.as_entire_binding(),
                }],
            });
            PointsSlot {
                uniform,
                bind_group,
                instances: instance_buffer(device, 64),
                uploaded: Vec::new(),
            }
        });
        let mut discs = paint.discs.clone();
        for disc in &mut discs {
            disc.radius *= pixels_per_point;
        }
        let bytes: &[u8] = bytemuck::cast_slice(&discs);
        if slot.instances.size() < bytes.len() as u64 {
            slot.instances = instance_buffer(device, discs.len().next_power_of_two());
            slot.uploaded.clear();
        }
        if slot.uploaded != discs {
            queue.write_buffer(&slot.instances, 0, bytes);
            slot.uploaded = discs;
        }
        let scale = paint.view.points_per_unit(paint.rect) * pixels_per_point;
        let middle_px = paint.rect.center() * pixels_per_point;
        let center = paint.view.center;
        let unit = |color: Color32| color.to_array().map(|channel| f32::from(channel) / 255.0);
        let uniform = PointsUniform {
            px_scale: [scale, -scale],
            px_offset: [
                middle_px.x - center[0] * scale,
                middle_px.y + center[1] * scale,
            ],
            screen_px: screen_size_px.map(|side| side as f32),
            outline_px: pixels_per_point,
            ring_px: 2.0 * pixels_per_point,
            outline: unit(paint.outline),
            ring: unit(paint.ring),
        };
        queue.write_buffer(&slot.uniform, 0, bytemuck::bytes_of(&uniform));
    }

    /// Draws a prepared canvas into a pass over a framebuffer of this size; the pass's scissor limits it.
    pub fn paint(&self, pass: &mut wgpu::RenderPass<'_>, id: Id, screen_size_px: [u32; 2]) {
        let Some(slot) = self.slots.get(id).filter(|slot| !slot.uploaded.is_empty()) else {
            return;
        };
        gpu::set_viewport(pass, screen_size_px);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &slot.bind_group, &[]);
        pass.set_vertex_buffer(0, slot.instances.slice(..));
        pass.draw(0..4, 0..slot.uploaded.len() as u32);
    }
}

impl CallbackTrait for PointsPaint {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _egui_encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let renderer = gpu::renderer(device, resources, PointsRenderer::new, |kept| kept.format);
        if let Some(renderer) = renderer {
            renderer.prepare(
                device,
                queue,
                self,
                screen.pixels_per_point,
                screen.size_in_pixels,
            );
        }
        Vec::new()
    }

    fn paint(
        &self,
        info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        if let Some(renderer) = resources.get::<PointsRenderer>() {
            renderer.paint(pass, self.id, info.screen_size_px);
        }
    }
}

fn instance_buffer(device: &wgpu::Device, discs: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("points"),
        size: (discs * size_of::<Disc>()) as u64,
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
