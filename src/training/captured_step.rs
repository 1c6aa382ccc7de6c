//! A step on a GPU, recorded once and taken again as it is.
//!
//! A small model's step is thousands of launches. For each of them autodiff, burn and wgpu keep their books, look up a
//! kernel, bind its buffers and upload its shapes, which takes the processor longer than it takes the GPU to compute. A
//! recording has all of that ready: on a GPU that takes no time at all, a pocket executor's step of 2,240 launches took
//! 94 ms without and 13 ms with it, one of pocket glyphs 66 and 9. It reads and writes the very buffers it was recorded
//! with: what differs from step to step is written over its inputs, and it writes what it makes of its state over that
//! state.

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

use super::{DeviceInputs, HostInputs, read};
use crate::nn::fused::copy;

/// Bytes a step may need, tried one after the other.
const RESERVES: [usize; 5] = [1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30];
/// Bytes of the pieces in which they are reserved: burn keeps those of up to 64 KiB apart.
const LARGE: usize = 1 << 20;
const SMALL: usize = 1 << 15;
const SMALL_COUNT: usize = 512;

/// A step that can be taken again.
struct CapturedStep {
    graph: Graph,
    rows: CubeTensor,
    values: CubeTensor,
    figures: Tensor<1>,
    state: Vec<Tensor<1>>,
}

/// Kinds of steps that are recorded, at most: each keeps the memory it works in.
const MAX_GRAPHS: usize = 6;
/// Kinds that are known, at most: where none comes twice none need be.
const MAX_KEYS: usize = 64;

/// Steps of several kinds, each recorded when it comes for the second time. `K` tells of a step all that decides which
/// launches it makes.
pub struct StepGraphs<K> {
    known: Vec<(K, Option<CapturedStep>)>,
    /// Whose state is the newest.
    newest: Option<usize>,
    /// Why there will be no more.
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
    /// Whether a step is recorded, or why none can be; `None` before that was tried.
    pub fn status(&self) -> Option<Result<(), &Error>> {
        match &self.failure {
            Some(error) => Some(Err(error)),
            None => (self.known.iter().any(|(_, made)| made.is_some())).then_some(Ok(())),
        }
    }

    /// Takes a step of a `key` with these `host_inputs`, from a `state` to the state returned, beside the step's figures.
    /// To be recorded, `step` has to make the same launches for all steps of a kind and to bring nothing from the host.
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
        let recording = index.and_then(|index| self.known[index].1.as_ref());
        if let Some(recording) = recording {
            let state = match self.newest == index {
                true => state,
                false => recording.restore(&state)?,
            };
            self.newest = index;
            return Ok((
                state,
                recording.replay(host_inputs.rows, host_inputs.values)?,
            ));
        }
        let inputs = host_inputs.upload(device);
        let recorded = self.known.iter().filter(|(_, made)| made.is_some()).count();
        if let Some(index) = index
            && self.failure.is_none()
            && recorded < MAX_GRAPHS
        {
            let buffers = (inputs.rows.clone().inner(), inputs.values.clone().inner());
            let taken = CapturedStep::capture(buffers, state, |state| step(state, &inputs))?;
            match taken.recording {
                Ok(recording) => {
                    self.known[index].1 = Some(recording);
                    self.newest = Some(index);
                }
                Err(error) => {
                    self.failure = Some(error);
                    self.newest = None;
                }
            }
            return Ok((taken.state, taken.figures));
        }
        if index.is_none() && self.known.len() < MAX_KEYS {
            self.known.push((key, None));
        }
        let (state, figures) = step(&state, &inputs);
        self.newest = None;
        Ok((state, read(figures)?))
    }
}

/// A step that was taken, and its recording.
struct FirstRun<const S: usize> {
    /// The step's figures.
    figures: Vec<f32>,
    /// The state it left, which the recording writes over.
    state: [Tensor<1>; S],
    /// Or why there is none.
    recording: Result<CapturedStep>,
}

impl CapturedStep {
    /// Takes a step and records it. `step` makes a new state and figures of the inputs and the state it is given; it is
    /// run once for its result and then to be recorded, and must make the same launches each time and bring nothing
    /// from the host.
    ///
    /// # Errors
    /// If the step fails.
    fn capture<const S: usize>(
        (rows, values): (Tensor<1, Int>, Tensor<1>),
        state: [Tensor<1>; S],
        step: impl Fn(&[Tensor<1>; S]) -> ([Tensor<1>; S], Tensor<1>),
    ) -> Result<FirstRun<S>> {
        let (rows, values) = (on_gpu(&rows)?, on_gpu(&values)?);
        let (moved, figures) = step(&state);
        let figures = read(figures)?;
        let mut recorded = FirstRun {
            figures,
            state: moved,
            recording: Err(anyhow!("no memory to capture a step")),
        };
        for reserve_bytes in RESERVES {
            // What a recording that fails would have written can't be read any more: it gets a copy.
            let state = recorded.state.clone().map(deep_copy);
            reserve(&values.client, reserve_bytes);
            recorded.recording = Self::try_capture(&rows, &values, &state, &step);
            match &recorded.recording {
                Ok(_) => {
                    recorded.state = state;
                    break;
                }
                Err(error) if is_upload_error(error) => break,
                Err(_) => {}
            }
        }
        Ok(recorded)
    }

    /// Records a step that writes what it makes of `state` over it.
    fn try_capture<const S: usize>(
        rows: &CubeTensor,
        values: &CubeTensor,
        state: &[Tensor<1>; S],
        step: impl Fn(&[Tensor<1>; S]) -> ([Tensor<1>; S], Tensor<1>),
    ) -> Result<Self> {
        let client = &values.client;
        client.graph_prepare().map_err(failed)?;
        let begun = client.start_capture().map_err(failed);
        let taken = begun.and_then(|()| {
            let (moved, figures) = step(state);
            for (target, source) in state.iter().zip(moved) {
                copy(on_gpu(&source)?, on_gpu(target)?);
            }
            Ok(figures)
        });
        // Also where it wasn't begun: it would stay prepared.
        let graph = client.stop_capture().map_err(failed);
        Ok(Self {
            figures: taken?,
            graph: graph?,
            rows: rows.clone(),
            values: values.clone(),
            state: state.to_vec(),
        })
    }

    /// Makes `state` that from which the next step goes on.
    fn restore<const S: usize>(&self, state: &[Tensor<1>; S]) -> Result<[Tensor<1>; S]> {
        for (deep_copy, state) in self.state.iter().zip(state) {
            copy(on_gpu(state)?, on_gpu(deep_copy)?);
        }
        Ok(std::array::from_fn(|i| self.state[i].clone()))
    }

    /// The figures of a step with these inputs, as many as recorded; the state is what the step makes of it.
    ///
    /// # Errors
    /// If the device fails.
    fn replay(&self, rows: Vec<i32>, values: Vec<f32>) -> Result<Vec<f32>> {
        let write = |target: &CubeTensor, data: Bytes| {
            target.client.write(&target.handle, data);
        };
        write(&self.rows, Bytes::from_elems(rows));
        write(&self.values, Bytes::from_elems(values));
        // SAFETY: what the step read and wrote is alive: its inputs, its state and what it returned are kept here, what it
        // took from its surroundings by the trainer that also keeps this, and the device keeps what it made between.
        // One thread owns all of it.
        #[allow(unsafe_code)]
        unsafe { self.graph.replay() }.map_err(failed)?;
        read(self.figures.clone())
    }
}

fn failed(error: ServerError) -> anyhow::Error {
    anyhow!("{error}").context("the device failed in a training step")
}

/// Whether a step brings something from the host: no room helps it.
fn is_upload_error(error: &Error) -> bool {
    format!("{error:#}").contains("records dispatches only")
}

/// Makes the device hold so many free bytes, and some in small pieces: it can't ask for more while a step is recorded.
fn reserve(client: &Client, bytes: usize) {
    let pieces = |count: usize, bytes: usize| (0..count).map(move |_| client.empty(bytes));
    let held = pieces(bytes / LARGE, LARGE).chain(pieces(SMALL_COUNT, SMALL));
    let held: Vec<_> = held.collect();
    // If it fails, so will the recording.
    let _ = pollster::block_on(client.sync());
    drop(held);
}

/// A tensor as the GPU has it.
fn on_gpu<K>(tensor: &Tensor<1, K>) -> Result<CubeTensor>
where
    K: Basic + BackendPrimitive<Cube, Primitive = CubeTensor>,
{
    let primitive = tensor.clone().try_into_primitive::<Cube>();
    primitive.map_err(|error| anyhow!("only a GPU's steps are recorded: {error:?}"))
}

/// A copy of `values` `[N]` in a buffer that nothing else has.
pub(super) fn deep_copy(values: Tensor<1>) -> Tensor<1> {
    values.clone() * 1.0
}
