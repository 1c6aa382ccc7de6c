// Draws a square grid of numbers as colours: one fragment looks up its cell, interpolates between cells as
// sharply as asked, and takes the colour from a table. Cells without a number are hatched in screen pixels.
//
// No branch depends on a uniform alone: Mesa's lavapipe (22.3) compiles such a shader anew for the uniforms' values
// and keeps a copy of it at every draw. What is the same for all fragments, such as a logarithm, is in the grid.

struct Heat {
    // Cell coordinates (cells from the left, cells from the bottom) = pixel * cell_scale + cell_offset.
    cell_scale: vec2<f32>,
    cell_offset: vec2<f32>,
    // 1 interpolates linearly between the cells' centres, n confines the change to 1/n of a cell.
    sharpness: f32,
    hatch_period_px: u32,
    padding: vec2<u32>,
    hatch_dark: vec4<f32>,
    hatch_light: vec4<f32>,
    pending: vec4<f32>,
}

@group(0) @binding(0) var<uniform> heat: Heat;
// Of each cell its position on the scale, 0 to 1, or one of the codes below. A NaN can't be relied on: compilers may
// assume there is none.
@group(0) @binding(1) var positions: texture_2d<f32>;
@group(0) @binding(2) var colors: texture_2d<f32>;

// Not computed yet.
const PENDING: f32 = -1.0;
// The decoder writes no number there.
const MISSING: f32 = -2.0;

// One triangle over everything; the scissor keeps the canvas.
@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn table_color(position: f32) -> vec4<f32> {
    let at = position * 255.0;
    let below = i32(floor(at));
    let first = textureLoad(colors, vec2<i32>(below, 0), 0);
    let second = textureLoad(colors, vec2<i32>(min(below + 1, 255), 0), 0);
    return mix(first, second, at - f32(below));
}

fn shade(pixel: vec2<f32>) -> vec4<f32> {
    let cell = pixel * heat.cell_scale + heat.cell_offset;
    let size = vec2<i32>(textureDimensions(positions));
    if any(cell < vec2<f32>(0.0)) || any(cell >= vec2<f32>(size)) {
        return vec4<f32>(0.0);
    }
    let own = textureLoad(positions, vec2<i32>(cell), 0).r;
    if own == PENDING {
        return heat.pending;
    }
    if own == MISSING {
        let along = (u32(pixel.x) + u32(pixel.y)) % heat.hatch_period_px;
        return select(heat.hatch_dark, heat.hatch_light, along >= heat.hatch_period_px / 2u);
    }
    // Interpolate over the scale, not over the colours, and only between cells that have a number.
    let from_center = cell - 0.5;
    let low = vec2<i32>(floor(from_center));
    let part = clamp((fract(from_center) - 0.5) * heat.sharpness + 0.5, vec2<f32>(0.0), vec2<f32>(1.0));
    let first = max(low, vec2<i32>(0));
    let last = min(low + 1, size - 1);
    let near = vec4<f32>(
        textureLoad(positions, first, 0).r,
        textureLoad(positions, vec2<i32>(last.x, first.y), 0).r,
        textureLoad(positions, vec2<i32>(first.x, last.y), 0).r,
        textureLoad(positions, last, 0).r,
    );
    let share_x = vec2<f32>(1.0 - part.x, part.x);
    let share = vec4<f32>(share_x * (1.0 - part.y), share_x * part.y);
    let weight = select(vec4<f32>(0.0), share, near >= vec4<f32>(0.0));
    let position = dot(weight, near) / max(dot(weight, vec4<f32>(1.0)), 1.0e-6);
    return table_color(clamp(position, 0.0, 1.0));
}

fn linear_from_gamma(color: vec4<f32>) -> vec4<f32> {
    let low = color.rgb / 12.92;
    let high = pow((color.rgb + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, color.rgb < vec3<f32>(0.04045)), color.a);
}

// For a framebuffer that stores what it is given, as egui prefers.
@fragment
fn fs_gamma(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return shade(position.xy);
}

// For a framebuffer that encodes to sRGB itself.
@fragment
fn fs_linear(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return linear_from_gamma(shade(position.xy));
}
