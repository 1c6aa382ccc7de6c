// Draws points as anti-aliased discs with an outline, sized in pixels whatever the zoom; a highlighted one
// gets a ring at a distance.

struct Points {
    // Pixel = latent * px_scale + px_offset.
    px_scale: vec2<f32>,
    px_offset: vec2<f32>,
    screen_px: vec2<f32>,
    outline_px: f32,
    // Distance of the highlight ring from the disc, and its width.
    ring_px: f32,
    outline: vec4<f32>,
    ring: vec4<f32>,
}

@group(0) @binding(0) var<uniform> points: Points;

struct Disc {
    @location(0) latent: vec2<f32>,
    @location(1) radius_px: f32,
    @location(2) highlight: f32,
    @location(3) fill: vec4<f32>,
}

struct Fragment {
    @builtin(position) position: vec4<f32>,
    @location(0) from_center_px: vec2<f32>,
    @location(1) @interpolate(flat) radius_px: f32,
    @location(2) @interpolate(flat) highlight: f32,
    @location(3) @interpolate(flat) fill: vec4<f32>,
}

@vertex
fn vs_main(@builtin(vertex_index) index: u32, disc: Disc) -> Fragment {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    // One pixel more than the outermost edge, for the anti-aliasing.
    let reach = disc.radius_px + points.outline_px + 1.0 + disc.highlight * 2.0 * points.ring_px;
    let pixel = disc.latent * points.px_scale + points.px_offset + corner * reach;
    var out: Fragment;
    out.position = vec4<f32>(pixel / points.screen_px * vec2<f32>(2.0, -2.0) + vec2<f32>(-1.0, 1.0), 0.0, 1.0);
    out.from_center_px = corner * reach;
    out.radius_px = disc.radius_px;
    out.highlight = disc.highlight;
    out.fill = disc.fill;
    return out;
}

fn premultiplied(color: vec4<f32>, coverage: f32) -> vec4<f32> {
    let alpha = color.a * clamp(coverage, 0.0, 1.0);
    return vec4<f32>(color.rgb * alpha, alpha);
}

fn over(above: vec4<f32>, below: vec4<f32>) -> vec4<f32> {
    return above + below * (1.0 - above.a);
}

fn shade(in: Fragment) -> vec4<f32> {
    let distance = length(in.from_center_px);
    let fill = premultiplied(in.fill, in.radius_px - distance + 0.5);
    var outline = points.outline;
    outline.a *= in.fill.a;
    let edge = premultiplied(outline, in.radius_px + points.outline_px - distance + 0.5);
    let ring_center = in.radius_px + points.outline_px + 1.5 * points.ring_px;
    let ring_cover = 0.5 * points.ring_px + 0.5 - abs(distance - ring_center);
    let ring = premultiplied(points.ring, ring_cover * in.highlight);
    return over(fill, over(edge, ring));
}

fn linear_from_gamma(color: vec4<f32>) -> vec4<f32> {
    let low = color.rgb / 12.92;
    let high = pow((color.rgb + 0.055) / 1.055, vec3<f32>(2.4));
    return vec4<f32>(select(high, low, color.rgb < vec3<f32>(0.04045)), color.a);
}

// For a framebuffer that stores what it is given, as egui prefers.
@fragment
fn fs_gamma(in: Fragment) -> @location(0) vec4<f32> {
    return shade(in);
}

// For a framebuffer that encodes to sRGB itself.
@fragment
fn fs_linear(in: Fragment) -> @location(0) vec4<f32> {
    return linear_from_gamma(shade(in));
}
