//! Shared parts of the renderers of heat maps and points: the window's pixel format, pipelines, and per-canvas resources,
//! which are made on first use, kept between frames and dropped when a canvas is gone.

use std::collections::HashMap;

use eframe::egui_wgpu::{CallbackResources, RenderState};
use egui::Id;

/// The pixel format egui draws into, kept where paint callbacks can see it.
#[derive(Clone, Copy, Debug)]
struct TargetFormat(wgpu::TextureFormat);

/// Registers the window's pixel format. Call once when the window is made, and again after a lost device; without it
/// canvases draw for `Rgba8Unorm`, the format of a test renderer without a window.
pub fn install(render_state: &RenderState) {
    render_state
        .renderer
        .write()
        .callback_resources
        .insert(TargetFormat(render_state.target_format));
}

/// The format of the framebuffer that egui draws into.
fn target_format(resources: &CallbackResources) -> wgpu::TextureFormat {
    resources
        .get::<TargetFormat>()
        .map_or(wgpu::TextureFormat::Rgba8Unorm, |target| target.0)
}

/// The renderer for the format egui draws into, kept in the callback resources; made again for another format.
pub(super) fn renderer<'a, R: Send + Sync + 'static>(
    device: &wgpu::Device,
    resources: &'a mut CallbackResources,
    make: fn(&wgpu::Device, wgpu::TextureFormat) -> R,
    format_of: fn(&R) -> wgpu::TextureFormat,
) -> Option<&'a mut R> {
    let format = target_format(resources);
    if resources.get().is_none_or(|kept| format_of(kept) != format) {
        resources.insert(make(device, format));
    }
    resources.get_mut()
}

/// Sets a pass's viewport to a whole framebuffer of this size; the pass's scissor limits it.
pub(super) fn set_viewport(pass: &mut wgpu::RenderPass<'_>, size_px: [u32; 2]) {
    let [width, height] = size_px.map(|side| side as f32);
    pass.set_viewport(0.0, 0.0, width, height, 0.0, 1.0);
}

/// Frames a canvas may be hidden before its resources go.
const KEPT_FRAMES: u64 = 2000;

/// Resources by canvas.
pub(super) struct Slots<T> {
    frame: u64,
    slots: HashMap<Id, (u64, T)>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            frame: 0,
            slots: HashMap::new(),
        }
    }
}

impl<T> Slots<T> {
    /// The canvas's resources, made if there are none.
    pub fn entry(&mut self, id: Id, make: impl FnOnce() -> T) -> &mut T {
        self.frame += 1;
        let frame = self.frame;
        self.slots
            .retain(|_, (used, _)| frame - *used < KEPT_FRAMES);
        let slot = self.slots.entry(id).or_insert_with(|| (frame, make()));
        slot.0 = frame;
        &mut slot.1
    }

    /// Drops a canvas's resources.
    pub fn remove(&mut self, id: Id) {
        self.slots.remove(&id);
    }

    /// The canvas's resources, if it was prepared.
    pub fn get(&self, id: Id) -> Option<&T> {
        self.slots.get(&id).map(|(_, slot)| slot)
    }
}

/// Differences between our pipelines.
pub(super) struct PipelineParts<'a> {
    pub name: &'a str,
    pub wgsl: &'a str,
    pub bindings: &'a [wgpu::BindGroupLayoutEntry],
    pub buffers: &'a [Option<wgpu::VertexBufferLayout<'a>>],
    pub topology: wgpu::PrimitiveTopology,
}

/// A pipeline that blends into egui's framebuffer as egui does, with the layout of its one bind group.
pub(super) fn pipeline(
    device: &wgpu::Device,
    format: wgpu::TextureFormat,
    parts: &PipelineParts<'_>,
) -> (wgpu::RenderPipeline, wgpu::BindGroupLayout) {
    let label = Some(parts.name);
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label,
        source: wgpu::ShaderSource::Wgsl(parts.wgsl.into()),
    });
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label,
        entries: parts.bindings,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    // egui's own blending: colours come premultiplied.
    let blend = wgpu::BlendState {
        color: wgpu::BlendComponent {
            src_factor: wgpu::BlendFactor::One,
            dst_factor: wgpu::BlendFactor::OneMinusSrcAlpha,
            operation: wgpu::BlendOperation::Add,
        },
        alpha: wgpu::BlendComponent {
            src_factor: wgpu::BlendFactor::OneMinusDstAlpha,
            dst_factor: wgpu::BlendFactor::One,
            operation: wgpu::BlendOperation::Add,
        },
    };
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label,
        layout: Some(&pipeline_layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vs_main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: parts.buffers,
        },
        primitive: wgpu::PrimitiveState {
            topology: parts.topology,
            ..Default::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some(if format.is_srgb() {
                "fs_linear"
            } else {
                "fs_gamma"
            }),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(blend),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        multiview_mask: None,
        cache: None,
    });
    (pipeline, layout)
}

/// The layout entry of a uniform buffer.
pub(super) fn uniform_entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

/// The layout entry of a texture that is read texel by texel.
pub(super) fn texture_entry(
    binding: u32,
    sample_type: wgpu::TextureSampleType,
) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty: wgpu::BindingType::Texture {
            sample_type,
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        },
        count: None,
    }
}

/// A uniform buffer for one value of `T`.
pub(super) fn uniform_buffer<T>(device: &wgpu::Device, name: &str) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(name),
        size: size_of::<T>() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// A texture that shaders read and texels are written to.
pub(super) fn texture(
    device: &wgpu::Device,
    name: &str,
    [width, height]: [u32; 2],
    format: wgpu::TextureFormat,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(name),
        size: wgpu::Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

/// Replaces a texture's texels, row by row.
pub(super) fn write_texture(queue: &wgpu::Queue, texture: &wgpu::Texture, texels: &[u8]) {
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(texels.len() as u32 / texture.height()),
        rows_per_image: Some(texture.height()),
    };
    queue.write_texture(texture.as_image_copy(), texels, layout, texture.size());
}
