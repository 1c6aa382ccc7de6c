//! Data parallelism: the shards of a step on threads of their own.
//!
//! burn's `flex` backend works on most operations with one thread, so a step uses the processor's
//! cores best when each computes the gradient of a shard of the batch on its own. The shards are part
//! of the configuration and their gradients are added in order, so a run is the same on any number of cores. A GPU
//! has cores enough for all of a step and waits for operations instead: there a step is one shard, so that there
//! are as few as can be. What compares the numbers of a step with one another then compares them all.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::config::Config;

/// Threads for the shards of a step.
pub struct DataParallel {
    /// Pools of one thread each: an operation on several threads would wait for the other shards.
    pools: Arc<[ThreadPool]>,
    is_cpu: bool,
    device: Device,
}

impl DataParallel {
    /// Threads, one per core of this machine, shared by the whole program and started on first use.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn per_core(device: &Device) -> Result<Self> {
        static CORES: Mutex<Option<Arc<[ThreadPool]>>> = Mutex::new(None);
        let alone = Self::new(1, device)?;
        if !alone.is_cpu {
            return Ok(alone);
        }
        let mut cores = CORES.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = match &*cores {
            Some(pools) => pools.clone(),
            None => {
                let count = thread::available_parallelism().map_or(1, usize::from);
                Self::new(count, device)?.pools
            }
        };
        *cores = Some(pools.clone());
        Ok(Self { pools, ..alone })
    }

    /// Parts worked on at a time.
    pub fn count(&self) -> usize {
        self.pools.len().max(1)
    }

    /// True if steps on `device` are split into shards: on the CPU only.
    pub fn is_for(device: &Device) -> bool {
        device.clone().without_autodiff() == Device::flex()
    }

    /// True on the CPU, where each shard's gradient is computed on a thread of its own.
    pub fn is_data_parallel(&self) -> bool {
        self.is_cpu
    }

    /// Configuration a step runs with: as given on the CPU; on a GPU its shards merged into one batch.
    pub fn effective_config<'a, C: Config + Clone>(&self, config: &'a C) -> Cow<'a, C> {
        match self.is_cpu {
            true => Cow::Borrowed(config),
            false => Cow::Owned(config.with_shards_merged()),
        }
    }

    /// Threads for `count` shards on `device`: on the CPU one per shard if there are several, else none.
    ///
    /// # Errors
    /// If a thread can't be started.
    pub fn new(count: usize, device: &Device) -> Result<Self> {
        let is_cpu = Self::is_for(device);
        let pools = match is_cpu && count > 1 {
            true => count,
            false => 0,
        };
        let pool = |_| ThreadPoolBuilder::new().num_threads(1).build();
        let pools = (0..pools).map(pool).collect::<Result<_, _>>();
        Ok(Self {
            pools: pools.context("can't start a thread to train with")?,
            is_cpu,
            device: device.clone(),
        })
    }

    /// Means over the parts, of which there is one at least, of the gradient `[N]` and the losses `[F]` that `share` computes
    /// with a replica of `module`.
    ///
    /// # Errors
    /// The first part's that fails.
    pub fn mean_gradient<M, P>(
        &self,
        module: &M,
        parts: Vec<P>,
        share: impl Fn(M, P) -> Result<(Tensor<1>, Tensor<1>)> + Sync,
    ) -> Result<(Tensor<1>, Tensor<1>)>
    where
        M: Module + Send,
        P: Send,
    {
        let count = parts.len() as f32;
        let shares = self.map_replicas(module, parts, share).into_iter();
        let sum = shares.reduce(|sum, share| {
            let ((gradients, figures), (gradient, figure)) = (sum?, share?);
            Ok((gradients + gradient, figures + figure))
        });
        let (gradient, figures) = sum.context("a step has a share")??;
        Ok((gradient / count, figures / count))
    }

    /// Results of `work` with a replica of `module` and each part, in the parts' order. The replicas'
    /// parameters are leaves of their own: autodiff keeps what shares a leaf behind one lock.
    pub fn map_replicas<M, P, R>(
        &self,
        module: &M,
        parts: Vec<P>,
        work: impl Fn(M, P) -> R + Sync,
    ) -> Vec<R>
    where
        M: Module + Send,
        P: Send,
        R: Send,
    {
        let copy = |_: &P| match self.pools.is_empty() {
            true => module.clone(),
            false => module.clone().fork(&self.device),
        };
        let parts = parts.into_iter().map(|part| (copy(&part), part));
        self.map_parallel(parts.collect(), |(copy, part)| work(copy, part))
    }

    /// Results of `work` with each part, in the parts' order.
    pub fn map_parallel<P, R>(&self, parts: Vec<P>, work: impl Fn(P) -> R + Sync) -> Vec<R>
    where
        P: Send,
        R: Send,
    {
        if self.pools.is_empty() || parts.len() < 2 {
            return parts.into_iter().map(work).collect();
        }
        let (count, each) = (parts.len(), self.pools.len());
        let mut queues: Vec<Vec<P>> = self.pools.iter().map(|_| Vec::new()).collect();
        for (i, part) in parts.into_iter().enumerate() {
            queues[i % each].push(part);
        }
        let mut results: Vec<Vec<R>> = self.pools.iter().map(|_| Vec::new()).collect();
        let queues = queues.into_iter().zip(&mut results);
        run_on(&self.pools, queues, &work);
        let mut results: Vec<_> = results.into_iter().map(Vec::into_iter).collect();
        (0..count)
            .map(|i| results[i % each].next().expect("each part has a result"))
            .collect()
    }
}

/// Has each pool work on its queue and waits for all of them.
fn run_on<'q, P: Send, R: Send + 'q>(
    pools: &[ThreadPool],
    mut queues: impl Iterator<Item = (Vec<P>, &'q mut Vec<R>)>,
    work: &(impl Fn(P) -> R + Sync),
) {
    let (Some((pool, others)), Some((queue, results))) = (pools.split_first(), queues.next())
    else {
        return;
    };
    pool.in_place_scope(|scope| {
        scope.spawn(move |_| *results = queue.into_iter().map(work).collect());
        run_on(others, queues, work);
    });
}
