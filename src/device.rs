//! Choice of the compute device: a GPU through burn's wgpu backend, else burn's `flex` backend on the CPU.
//!
//! The choice is made once, by name, and reported. An adapter of type CPU (llvmpipe and the like) is a GPU
//! driver running on the CPU: made for drawing, it is far slower than `flex` in a training step, so only an
//! explicit `gpu:N` selects it, never `auto` or `gpu`.
//!
//! The window draws with a device of its own, even on the same GPU: wgpu 30 presents a frame only while no
//! thread waits for that device, and burn waits for each value it reads back. A shared device would save the
//! copies of maps and glyphs through the CPU, but these are needed anyway: the pointer reads values off maps,
//! and glyphs are read, saved and dragged as pictures.

use std::{fmt, str::FromStr};

use anyhow::{Context, Result, anyhow, bail};
use burn::tensor::Device;
use burn_wgpu::WgpuSetup;

/// Number of operations burn collects per submission: few, so that the window's frames fit between.
const TASKS_MAX: usize = 32;

/// Requested device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Best GPU, or the CPU if there is none.
    #[default]
    Auto,
    /// CPU.
    Cpu,
    /// Best GPU.
    Gpu,
    /// Adapter with this number in `glyphspace devices`.
    Adapter(usize),
}

impl FromStr for Choice {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let adapter = || text.strip_prefix("gpu:")?.parse().ok().map(Choice::Adapter);
        let choice = match text {
            "auto" => Some(Choice::Auto),
            "cpu" => Some(Choice::Cpu),
            "gpu" => Some(Choice::Gpu),
            _ => adapter(),
        };
        choice.ok_or_else(|| anyhow!("no device {text:?}: expected auto, cpu, gpu or gpu:N"))
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Auto => f.write_str("auto"),
            Choice::Cpu => f.write_str("cpu"),
            Choice::Gpu => f.write_str("gpu"),
            Choice::Adapter(number) => write!(f, "gpu:{number}"),
        }
    }
}

/// Opened compute device, with the reason for the choice.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// burn's handle.
    pub device: Device,
    /// Name for people: `CPU (flex, 2 threads)`, `NVIDIA H100 (Vulkan)`.
    pub name: String,
    /// Reason for the choice.
    pub reason: String,
    /// True for a GPU; false for a driver running on the CPU.
    pub is_gpu: bool,
}

/// Adapter listed by wgpu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Number, for `gpu:N`.
    pub number: usize,
    /// Name and graphics API.
    pub name: String,
    /// Type: discrete, integrated, virtual, CPU or other.
    pub kind: wgpu::DeviceType,
}

impl Adapter {
    /// True for a driver running on the CPU.
    pub fn is_software(&self) -> bool {
        self.kind == wgpu::DeviceType::Cpu
    }

    /// Preference; lower is better.
    fn rank(&self) -> Option<usize> {
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu, Other, VirtualGpu};
        let order = [DiscreteGpu, IntegratedGpu, VirtualGpu, Other, Cpu];
        order.iter().position(|kind| *kind == self.kind)
    }
}

/// All adapters, numbered.
pub fn adapters() -> Vec<Adapter> {
    described(&enumerate().1)
}

fn described(found: &[wgpu::Adapter]) -> Vec<Adapter> {
    let infos = found.iter().map(wgpu::Adapter::get_info).enumerate();
    let adapter = |(number, info): (usize, wgpu::AdapterInfo)| Adapter {
        number,
        name: format!("{} ({})", info.name, info.backend),
        kind: info.device_type,
    };
    infos.map(adapter).collect()
}

/// Adapter selected by `choice`, or `None` for the CPU, with the reason.
///
/// # Errors
/// If the requested adapter does not exist.
pub fn select(choice: Choice, adapters: &[Adapter]) -> Result<(Option<&Adapter>, String)> {
    let gpus = adapters.iter().filter(|a| !a.is_software());
    let best = gpus.min_by_key(|a| a.rank());
    let software = adapters.iter().find(|a| a.is_software());
    let (adapter, reason) = match (choice, best, software) {
        (Choice::Cpu, ..) => (None, "as asked"),
        (Choice::Auto, Some(_), _) => (best, "the best GPU found"),
        (Choice::Gpu, Some(_), _) => (best, "as asked"),
        (Choice::Auto, None, Some(Adapter { name, .. })) => {
            let reason =
                format!("no GPU found; {name} is drawn by the CPU and far slower for training");
            return Ok((None, reason));
        }
        (Choice::Auto, None, None) => (None, "no GPU found"),
        (Choice::Gpu, None, Some(Adapter { name, number, .. })) => {
            bail!("no GPU found, only {name}: use --device cpu, or gpu:{number} to insist")
        }
        (Choice::Gpu, None, None) => bail!("no GPU found: use --device cpu"),
        (Choice::Adapter(number), ..) => match (adapters.get(number), adapters.len()) {
            (None, 0) => bail!("no adapter gpu:{number}: this machine has none"),
            (None, n) => bail!("no adapter gpu:{number}: expected gpu:0 to gpu:{}", n - 1),
            (Some(adapter), _) if adapter.is_software() => (
                Some(adapter),
                "as asked; a driver that runs on the CPU, where --device cpu is far faster",
            ),
            (Some(adapter), _) => (Some(adapter), "as asked"),
        },
    };
    Ok((adapter, reason.into()))
}

/// Device selected by `choice`, opened.
///
/// # Errors
/// If the device does not exist, or can't be opened.
pub fn open(choice: Choice) -> Result<Chosen> {
    if choice == Choice::Cpu {
        return Ok(cpu("as asked".into()));
    }
    let (instance, found) = enumerate();
    let adapters = described(&found);
    let (adapter, reason) = select(choice, &adapters)?;
    let Some(adapter) = adapter else {
        return Ok(cpu(reason));
    };
    let opened = open_adapter(instance, found[adapter.number].clone())
        .with_context(|| format!("can't compute on {}", adapter.name));
    match opened {
        Ok(device) => Ok(Chosen {
            device,
            name: adapter.name.clone(),
            reason,
            is_gpu: !adapter.is_software(),
        }),
        // The device was not explicitly requested: fall back to the CPU.
        Err(error) if choice == Choice::Auto => Ok(cpu(format!("{error:#}"))),
        Err(error) => Err(error),
    }
}

fn cpu(reason: String) -> Chosen {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Chosen {
        device: Device::flex(),
        name: format!("CPU (flex, {threads} threads)"),
        reason,
        is_gpu: false,
    }
}

fn enumerate() -> (wgpu::Instance, Vec<wgpu::Adapter>) {
    let backends = wgpu::Backends::PRIMARY;
    let descriptor = wgpu::InstanceDescriptor {
        backends,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    };
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    (instance, adapters)
}

/// Features to request from an adapter that offers `offered`: nearly all, since burn adapts to what is
/// enabled. Mappable primary buffers are left out because they slow discrete GPUs down, and experimental
/// features (ray queries, mesh shaders) because wgpu refuses them without an opt-in; no kernel of burn's
/// needs them.
pub fn features(offered: wgpu::Features) -> wgpu::Features {
    offered - wgpu::Features::MAPPABLE_PRIMARY_BUFFERS - wgpu::Features::all_experimental_mask()
}

fn open_adapter(instance: wgpu::Instance, adapter: wgpu::Adapter) -> Result<Device> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("glyphspace"),
        required_features: features(adapter.features()),
        required_limits: adapter.limits(),
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))?;
    let backend = adapter.get_info().backend;
    let setup = WgpuSetup {
        instance,
        adapter,
        device,
        queue,
        backend,
    };
    let options = Device::wgpu_options().tasks_max(TASKS_MAX);
    Ok(options.setup(setup).init()?)
}
