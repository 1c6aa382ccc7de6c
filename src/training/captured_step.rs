//! Graph capture: the launches of a GPU training step are captured once and replayed, like CUDA graphs.
//!
//! A small model's step is thousands of launches. For each of them autodiff, burn and wgpu keep their books, look up a
//! kernel, bind its buffers and upload its shapes, which takes the processor longer than it takes the GPU to compute. On a
//! GPU that takes no time at all, a pocket executor's step of 2,240 launches took 94 ms without capture and 13 ms with it,
//! one of pocket glyphs 66 and 9. A captured step reads and writes the very buffers it was captured with: its inputs are
//! overwritten before each replay, and it writes the new state over the old.
//!
//! burn has a capture of its own (`burn::tensor::capture`). It isn't used here: it reserves no memory, so that capture fails
//! in a step that allocates; it doesn't say why it failed; and burn's optimizers bake the step's scalars into the launches,
//! so that a captured step trains wrongly without a word (burn issue 5779).

use anyhow::{Error, Result, anyhow};
use burn::{
    backend::Cube,
    tensor::{BackendPrimitive, Bytes, Device, Int, Tensor, kind::Basic},
};
use burn_cubecl::{
    cubecl::{
        client::{Client, Graph},
        server::ServerError,
    },
    tensor::CubeTensor,
};

use super::{DeviceInputs, HostInputs, host_inputs::read};
use crate::kernels::copy;

/// Bytes reserved for a step, tried one after the other.
const RESERVES: [usize; 5] = [1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30];
/// Bytes of the buffers in which they are reserved: burn pools those of up to 64 KiB apart.
const LARGE: usize = 1 << 20;
const SMALL: usize = 1 << 15;
const SMALL_COUNT: usize = 512;

/// A step that can be replayed.
struct CapturedStep {
    graph: Graph,
    rows: CubeTensor,
    values: CubeTensor,
    losses: Tensor<1>,
    state: Vec<Tensor<1>>,
}

/// Most graphs kept: each keeps the memory it works in.
const MAX_GRAPHS: usize = 6;
/// Most keys remembered. The oldest without a graph is forgotten for a new one: a key may hold a batch's tables.
const MAX_KEYS: usize = 32;

/// Captured steps by key, each captured when its key comes for the second time. `K` is all that decides which launches a
/// step makes.
pub struct StepGraphs<K> {
    known: Vec<(K, Option<CapturedStep>)>,
    /// Index of the graph whose state is the newest.
    newest: Option<usize>,
    /// Reason why nothing is captured any more.
    failure: Option<Error>,
}

impl<K> Default for StepGraphs<K> {
    fn default() -> Self {
        Self {
            known: Vec::new(),
            newest: None,
            failure: None,
        }
    }
}

impl<K: PartialEq> StepGraphs<K> {
    /// Ok once a step is captured, or the reason why none can be; `None` before that was tried.
    pub fn status(&self) -> Option<Result<(), &Error>> {
        match &self.failure {
            Some(error) => Some(Err(error)),
            None => (self.known.iter().any(|(_, made)| made.is_some())).then_some(Ok(())),
        }
    }

    /// Runs or replays a step from `state` to the state returned, beside its losses. To be captured, `step` has to launch
    /// the same kernels for equal keys and to upload nothing.
    ///
    /// # Errors
    /// If the step fails.
    pub fn run<const S: usize>(
        &mut self,
        key: K,
        host_inputs: HostInputs,
        state: [Tensor<1>; S],
        device: &Device,
        step: impl Fn(&[Tensor<1>; S], &DeviceInputs) -> ([Tensor<1>; S], Tensor<1>),
    ) -> Result<([Tensor<1>; S], Vec<f32>)> {
        let index = self.known.iter().position(|(known, _)| *known == key);
        let graph = index.and_then(|index| self.known[index].1.as_ref());
        if let Some(graph) = graph {
            let state = match self.newest == index {
                true => state,
                false => graph.restore(&state)?,
            };
            self.newest = index;
            return Ok((state, graph.replay(host_inputs.rows, host_inputs.values)?));
        }
        let inputs = host_inputs.upload(device);
        let captured = self.known.iter().filter(|(_, made)| made.is_some()).count();
        if let Some(index) = index
            && self.failure.is_none()
            && captured < MAX_GRAPHS
        {
            let buffers = (inputs.rows.clone().inner(), inputs.values.clone().inner());
            let first = CapturedStep::capture(buffers, state, |state| step(state, &inputs))?;
            match first.captured {
                Ok(graph) => {
                    self.known[index].1 = Some(graph);
                    self.newest = Some(index);
                }
                Err(error) => {
                    self.failure = Some(error);
                    self.newest = None;
                }
            }
            return Ok((first.state, first.losses));
        }
        if index.is_none() {
            self.remember(key);
        }
        let (state, losses) = step(&state, &inputs);
        self.newest = None;
        Ok((state, read(losses)?))
    }

    fn remember(&mut self, key: K) {
        if self.known.len() >= MAX_KEYS {
            let Some(oldest) = self.known.iter().position(|(_, graph)| graph.is_none()) else {
                return;
            };
            self.known.remove(oldest);
            self.newest = match self.newest {
                Some(newest) if newest > oldest => Some(newest - 1),
                newest => newest,
            };
        }
        self.known.push((key, None));
    }
}

/// Result of a step's first run, and its capture.
struct FirstRun<const S: usize> {
    losses: Vec<f32>,
    /// The state it left, which the captured step overwrites.
    state: [Tensor<1>; S],
    captured: Result<CapturedStep>,
}

impl CapturedStep {
    /// Runs a step for its result and then captures it. `step` makes a new state and losses of its inputs and state; it must
    /// launch the same kernels each time and upload nothing.
    ///
    /// # Errors
    /// If the step fails.
    fn capture<const S: usize>(
        (rows, values): (Tensor<1, Int>, Tensor<1>),
        state: [Tensor<1>; S],
        step: impl Fn(&[Tensor<1>; S]) -> ([Tensor<1>; S], Tensor<1>),
    ) -> Result<FirstRun<S>> {
        let (rows, values) = (on_gpu(&rows)?, on_gpu(&values)?);
        let (updated, losses) = step(&state);
        let losses = read(losses)?;
        let mut first = FirstRun {
            losses,
            state: updated,
            captured: Err(anyhow!("no memory to capture a step")),
        };
        for reserve_bytes in RESERVES {
            // Buffers that a failed capture would have written can't be read any more: it gets copies.
            let state = first.state.clone().map(deep_copy);
            reserve(&values.client, reserve_bytes);
            first.captured = Self::try_capture(&rows, &values, &state, &step);
            match &first.captured {
                Ok(_) => {
                    first.state = state;
                    break;
                }
                Err(error) if is_upload_error(error) => break,
                Err(_) => {}
            }
        }
        Ok(first)
    }

    /// Captures a step that overwrites `state` with the new state.
    fn try_capture<const S: usize>(
        rows: &CubeTensor,
        values: &CubeTensor,
        state: &[Tensor<1>; S],
        step: impl Fn(&[Tensor<1>; S]) -> ([Tensor<1>; S], Tensor<1>),
    ) -> Result<Self> {
        let client = &values.client;
        client.graph_prepare().map_err(failed)?;
        let begun = client.start_capture().map_err(failed);
        let ran = begun.and_then(|()| {
            let (updated, losses) = step(state);
            for (target, source) in state.iter().zip(updated) {
                copy(on_gpu(&source)?, on_gpu(target)?);
            }
            Ok(losses)
        });
        // Also where it wasn't begun: it would stay prepared.
        let graph = client.stop_capture().map_err(failed);
        Ok(Self {
            losses: ran?,
            graph: graph?,
            rows: rows.clone(),
            values: values.clone(),
            state: state.to_vec(),
        })
    }

    /// Copies `state` into the buffers of the captured step.
    fn restore<const S: usize>(&self, state: &[Tensor<1>; S]) -> Result<[Tensor<1>; S]> {
        for (target, source) in self.state.iter().zip(state) {
            copy(on_gpu(source)?, on_gpu(target)?);
        }
        Ok(std::array::from_fn(|i| self.state[i].clone()))
    }

    /// Losses of a step with these inputs, of as many entries as the captured ones; the state is updated in place.
    ///
    /// # Errors
    /// If the device fails.
    fn replay(&self, rows: Vec<i32>, values: Vec<f32>) -> Result<Vec<f32>> {
        let write = |target: &CubeTensor, data: Bytes| {
            target.client.write(&target.handle, data);
        };
        write(&self.rows, Bytes::from_elems(rows));
        write(&self.values, Bytes::from_elems(values));
        // SAFETY: all buffers of the step are alive: its inputs, state and losses are kept here, constants and tables by the
        // trainer that also keeps this, and temporaries by the device. One thread owns all of it.
        #[allow(unsafe_code)]
        unsafe { self.graph.replay() }.map_err(failed)?;
        read(self.losses.clone())
    }
}

fn failed(error: ServerError) -> anyhow::Error {
    anyhow!("{error}").context("the device failed in a training step")
}

/// True if capture failed because the step uploads host data: more memory would not help. The text is that of cubecl's
/// wgpu runtime.
fn is_upload_error(error: &Error) -> bool {
    format!("{error:#}").contains("records dispatches only")
}

/// Makes the device's pool hold so many free bytes, some in small buffers: it can't allocate during capture.
fn reserve(client: &Client, bytes: usize) {
    let buffers = |count: usize, bytes: usize| (0..count).map(move |_| client.empty(bytes));
    let held = buffers(bytes / LARGE, LARGE).chain(buffers(SMALL_COUNT, SMALL));
    let held: Vec<_> = held.collect();
    // If it fails, so will the capture.
    let _ = pollster::block_on(client.sync());
    drop(held);
}

/// The GPU's primitive of a tensor.
fn on_gpu<K>(tensor: &Tensor<1, K>) -> Result<CubeTensor>
where
    K: Basic + BackendPrimitive<Cube, Primitive = CubeTensor>,
{
    let primitive = tensor.clone().try_into_primitive::<Cube>();
    primitive.map_err(|error| anyhow!("only a GPU's steps are captured: {error:?}"))
}

/// A copy of `values` `[N]` in a buffer of its own.
pub(super) fn deep_copy(values: Tensor<1>) -> Tensor<1> {
    values.clone() * 1.0
}
