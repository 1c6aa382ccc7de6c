// Draws a square grid of values as colours: one fragment looks up its cell, interpolates between cells as
// sharply as asked, and takes the colour from a table. Cells without a number are hatched in screen pixels.

struct Heat {
    // Cell coordinates (cells from the left, cells from the bottom) = pixel * cell_scale + cell_offset.
    cell_scale: vec2<f32>,
    cell_offset: vec2<f32>,
    // Ends of the scale, after the logarithm if there is one.
    ends: vec2<f32>,
    // 1 interpolates linearly between the cells' centres, n confines the change to 1/n of a cell.
    sharpness: f32,
    hatch_period_px: u32,
    is_log: u32,
    // Values are classes: below one half is the table's start, the rest its end.
    is_categorical: u32,
    padding: vec2<u32>,
    hatch_dark: vec4<f32>,
    hatch_light: vec4<f32>,
    pending: vec4<f32>,
}

const PENDING: u32 = 0u;
const NUMBER: u32 = 1u;
const MISSING: u32 = 2u;

@group(0) @binding(0) var<uniform> heat: Heat;
@group(0) @binding(1) var values: texture_2d<f32>;
// What is known of each cell. A NaN in the values can't be relied on: compilers may assume there is none.
@group(0) @binding(2) var states: texture_2d<u32>;
@group(0) @binding(3) var colors: texture_2d<f32>;

// One triangle over everything; the scissor keeps the canvas.
@vertex
fn vs_main(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32((index << 1u) & 2u), f32(index & 2u));
    return vec4<f32>(corner * 2.0 - 1.0, 0.0, 1.0);
}

fn scale_position(value: f32) -> f32 {
    if heat.is_categorical == 1u {
        return select(0.0, 1.0, value >= 0.5);
    }
    var transformed = value;
    if heat.is_log == 1u {
        transformed = log(max(value, 1.0e-37));
    }
    return clamp((transformed - heat.ends.x) / (heat.ends.y - heat.ends.x), 0.0, 1.0);
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
    let size = vec2<i32>(textureDimensions(values));
    if any(cell < vec2<f32>(0.0)) || any(cell >= vec2<f32>(size)) {
        return vec4<f32>(0.0);
    }
    let state = textureLoad(states, vec2<i32>(cell), 0).r;
    if state == PENDING {
        return heat.pending;
    }
    if state == MISSING {
        let along = (u32(pixel.x) + u32(pixel.y)) % heat.hatch_period_px;
        return select(heat.hatch_dark, heat.hatch_light, along >= heat.hatch_period_px / 2u);
    }
    // Interpolate over the scale, not over the colours, and only between cells that have a number.
    let from_center = cell - 0.5;
    let corner = vec2<i32>(floor(from_center));
    let part = clamp((fract(from_center) - 0.5) * heat.sharpness + 0.5, vec2<f32>(0.0), vec2<f32>(1.0));
    var sum = 0.0;
    var weight_sum = 0.0;
    for (var i = 0; i < 4; i++) {
        let side = vec2<i32>(i & 1, i >> 1u);
        let texel = clamp(corner + side, vec2<i32>(0), size - 1);
        let along = mix(1.0 - part, part, vec2<f32>(side));
        let weight = along.x * along.y;
        if weight > 0.0 && textureLoad(states, texel, 0).r == NUMBER {
            sum += weight * scale_position(textureLoad(values, texel, 0).r);
            weight_sum += weight;
        }
    }
    return table_color(sum / max(weight_sum, 1.0e-6));
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
