//! Label placement without overlaps, for the window and figures: greedy by priority, with a coarse
//! occupancy grid, so that thousands of labels take a fraction of a millisecond per frame.

/// Axis-aligned rectangle in pixels, y down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left, top.
    pub min: [f32; 2],
    /// Right, bottom.
    pub max: [f32; 2],
}

impl Area {
    /// Rectangle of a size (width, height) centred on a point.
    pub fn around(center: [f32; 2], size: [f32; 2]) -> Self {
        Self {
            min: [center[0] - size[0] / 2.0, center[1] - size[1] / 2.0],
            max: [center[0] + size[0] / 2.0, center[1] + size[1] / 2.0],
        }
    }

    /// True if the interiors of two rectangles intersect.
    pub fn overlaps(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.min[axis] < other.max[axis] && other.min[axis] < self.max[axis])
    }

    /// True if a point lies inside.
    pub fn contains(&self, point: [f32; 2]) -> bool {
        (0..2).all(|axis| (self.min[axis]..=self.max[axis]).contains(&point[axis]))
    }

    /// Translated by the least distance that puts it inside the bounds.
    fn slid_into(&self, bounds: &Self) -> Self {
        let mut moved = *self;
        for axis in 0..2 {
            let shift = (bounds.min[axis] - self.min[axis]).max(0.0)
                + (bounds.max[axis] - self.max[axis]).min(0.0);
            moved.min[axis] += shift;
            moved.max[axis] += shift;
        }
        moved
    }

    fn is_within(&self, bounds: &Self) -> bool {
        (0..2).all(|axis| {
            self.min[axis] >= bounds.min[axis] - 0.01 && self.max[axis] <= bounds.max[axis] + 0.01
        })
    }
}

/// Label to place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelCandidate {
    /// Labelled point, in pixels.
    pub at: [f32; 2],
    /// Width and height including the margin, in pixels.
    pub size: [f32; 2],
    /// Radius of the disc drawn at the point, in pixels: the label goes beside it. At 0 the label replaces
    /// the point and is centred on it.
    pub radius_px: f32,
    /// Priority: higher ones are placed first, equal ones in order.
    pub priority: f32,
    /// True if the label may cover other points' discs rather than be dropped.
    pub may_cover_discs: bool,
}

/// Placement of labels: the rectangle of each, or `None` if there is no room, in the order given. No two overlap,
/// all lie inside the bounds, and a label whose point is outside is dropped. Discs are kept free except for
/// labels that may cover them.
pub fn place(candidates: &[LabelCandidate], bounds: Area) -> Vec<Option<Area>> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| candidates[b].priority.total_cmp(&candidates[a].priority));
    let mut discs = OccupancyGrid::new(bounds);
    for (index, candidate) in candidates.iter().enumerate() {
        if candidate.radius_px > 0.0 && bounds.contains(candidate.at) {
            let disc = Area::around(candidate.at, [candidate.radius_px * 2.0; 2]);
            discs.insert(disc, index);
        }
    }
    let mut taken = OccupancyGrid::new(bounds);
    let mut places = vec![None; candidates.len()];
    for index in order {
        let candidate = candidates[index];
        if !bounds.contains(candidate.at) {
            continue;
        }
        let mut free = spots(&candidate, &bounds);
        free.retain(|spot| spot.is_within(&bounds) && !taken.hits(spot, None));
        let beside_discs = free.iter().find(|spot| !discs.hits(spot, Some(index)));
        let spot = beside_discs.or(free.first().filter(|_| candidate.may_cover_discs));
        if let Some(&spot) = spot {
            taken.insert(spot, index);
            places[index] = Some(spot);
        }
    }
    places
}

/// Candidate positions of a label, by preference.
fn spots(label: &LabelCandidate, bounds: &Area) -> Vec<Area> {
    let (size, radius_px) = (label.size, label.radius_px);
    if radius_px <= 0.0 {
        return vec![Area::around(label.at, size).slid_into(bounds)];
    }
    let [right, down] = [radius_px + 1.0 + size[0] / 2.0, radius_px + size[1] / 2.0];
    // At a corner the disc curves away, so the label may be closer.
    let [corner_x, corner_y] = [right - 0.3 * radius_px, down - 0.3 * radius_px];
    let x = [
        right, 0.0, -right, 0.0, corner_x, -corner_x, corner_x, -corner_x,
    ];
    let y = [
        0.0, -down, 0.0, down, -corner_y, -corner_y, corner_y, corner_y,
    ];
    let offsets = x.into_iter().zip(y);
    let spot = |(x, y)| Area::around([label.at[0] + x, label.at[1] + y], size);
    offsets.map(spot).collect()
}

/// Rectangles indexed by the coarse grid squares they touch.
struct OccupancyGrid {
    origin: [f32; 2],
    columns: usize,
    rows: usize,
    squares: Vec<Vec<(usize, Area)>>,
}

const SQUARE_PX: f32 = 32.0;

impl OccupancyGrid {
    fn new(bounds: Area) -> Self {
        // A figure has some thousand pixels; more squares would only cost memory.
        let along = |axis: usize| {
            (((bounds.max[axis] - bounds.min[axis]) / SQUARE_PX).ceil() as usize).clamp(1, 1024)
        };
        let (columns, rows) = (along(0), along(1));
        Self {
            origin: bounds.min,
            columns,
            rows,
            squares: vec![Vec::new(); columns * rows],
        }
    }

    fn touched(&self, area: &Area) -> impl Iterator<Item = usize> + use<> {
        let square = |axis: usize, at: f32, count: usize| {
            (((at - self.origin[axis]) / SQUARE_PX).floor().max(0.0) as usize).min(count - 1)
        };
        let columns = square(0, area.min[0], self.columns)..=square(0, area.max[0], self.columns);
        let rows = square(1, area.min[1], self.rows)..=square(1, area.max[1], self.rows);
        let stride = self.columns;
        rows.flat_map(move |row| columns.clone().map(move |column| row * stride + column))
    }

    fn insert(&mut self, area: Area, owner: usize) {
        for square in self.touched(&area) {
            self.squares[square].push((owner, area));
        }
    }

    fn hits(&self, area: &Area, except: Option<usize>) -> bool {
        let mut near = self.touched(area).flat_map(|square| &self.squares[square]);
        near.any(|(owner, other)| Some(*owner) != except && other.overlaps(area))
    }
}
