//! Batches of executions line by line, and tables of the tokens of their states and programs.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{
    data::{
        language::{Code, Execution, Language},
        split::Split,
        tokens::{SumTokenizer, TokenIds, empty_result},
    },
    executor::config::ExecutorConfig,
    training::DataParallel,
};

/// Share of multiplications among the executions drawn: there are few, and they are harder.
const TIMES: f64 = 0.3;

/// Sampler of batches.
pub struct Batches {
    pub language: Language,
    split: Split,
    /// Executions to train on by their start, of a small language.
    known: Vec<Known>,
    times: Vec<Execution>,
    /// Tables of all numbers, of a small language.
    all: Option<Arc<EntityTables>>,
    tokenizer: Arc<SumTokenizer>,
    /// True on a device whose steps are captured.
    is_captured: bool,
}

/// Executions to train on from one state.
#[derive(Default)]
struct Known {
    adds: Vec<Execution>,
    times: Vec<Execution>,
}

/// The states and programs of a step; all there are, or of a large language those of its executions.
#[derive(Debug)]
pub struct EntityTables {
    /// Tokens of the states, one after the other.
    pub state_tokens: Vec<i32>,
    /// Tokens of the programs, one after the other.
    pub code_tokens: Vec<i32>,
    state_rows: HashMap<i32, i32>,
    code_rows: HashMap<Code, i32>,
    /// Tables on the device, where they hold all numbers.
    pub constants: Option<Arc<ConstantTables>>,
}

/// All S states and C programs of a small language, on the device.
#[derive(Debug)]
pub struct ConstantTables {
    /// [S, L] tokens of the states.
    pub states: Tensor<2, Int>,
    /// [C, L] tokens of the programs.
    pub codes: Tensor<2, Int>,
    /// [S x C, L] tokens of each program's result on each state; nothing where it is no state.
    pub results: Tensor<2, Int>,
    /// [S x C]: 1 where the result is a state and may be trained on, else 0.
    pub allowed: Tensor<1>,
    /// [S x C]: 1 where the result is no state.
    pub illegal: Tensor<1>,
}

/// Identity, not contents: these tensors are baked into captured graphs.
impl PartialEq for ConstantTables {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for ConstantTables {}

impl EntityTables {
    fn new(
        states: impl IntoIterator<Item = i32>,
        codes: impl IntoIterator<Item = Code>,
        tokenizer: &SumTokenizer,
    ) -> Result<Self> {
        let states: Vec<i32> = states.into_iter().collect();
        let codes: Vec<Code> = codes.into_iter().collect();
        let tokens = |codes: &mut dyn Iterator<Item = Code>| -> Result<Vec<i32>> {
            let words = codes.map(|code| encode(tokenizer, code));
            Ok(words.collect::<Result<Vec<_>>>()?.concat())
        };
        Ok(Self {
            state_tokens: tokens(&mut states.iter().map(|state| Code::Add(*state)))?,
            code_tokens: tokens(&mut codes.iter().copied())?,
            state_rows: states.into_iter().zip(0..).collect(),
            code_rows: codes.into_iter().zip(0..).collect(),
            constants: None,
        })
    }

    /// Number of states.
    pub fn state_count(&self) -> usize {
        self.state_rows.len()
    }

    /// Number of programs.
    pub fn code_count(&self) -> usize {
        self.code_rows.len()
    }

    /// The row of a state, which must be among them.
    pub fn state_row(&self, state: i32) -> i32 {
        self.state_rows[&state]
    }

    /// The row of a program, which must be among them.
    pub fn code_row(&self, code: Code) -> i32 {
        self.code_rows[&code]
    }

    /// The rows of the states at which executions start.
    pub fn starts_of(&self, lines: &[Execution]) -> impl Iterator<Item = i32> {
        lines.iter().map(|line| self.state_row(line.start))
    }

    /// The rows of the states they lead to.
    pub fn results_of(&self, lines: &[Execution]) -> impl Iterator<Item = i32> {
        lines.iter().map(|line| self.state_row(line.result()))
    }

    /// Rows of the executions' programs in the table of programs.
    pub fn codes_of(&self, lines: &[Execution]) -> impl Iterator<Item = i32> {
        lines.iter().map(|line| self.code_row(line.code))
    }
}

impl Batches {
    /// Sampler for runs on `device`.
    pub fn new(
        config: &ExecutorConfig,
        tokenizer: Arc<SumTokenizer>,
        device: &Device,
    ) -> Result<Self> {
        let language = config.language;
        let split = Split::new(language, config.held_out, config.split_seed);
        let mut batches = Self {
            language,
            split,
            known: Vec::new(),
            times: Vec::new(),
            all: None,
            tokenizer,
            is_captured: !DataParallel::is_for(device),
        };
        if language.is_small() {
            batches.list(config, device)?;
        }
        Ok(batches)
    }

    /// Lists all that a small language has.
    fn list(&mut self, config: &ExecutorConfig, device: &Device) -> Result<()> {
        let language = self.language;
        let first = *language.states().start();
        self.known = language.states().map(|_| Known::default()).collect();
        for execution in &self.split.train {
            let known = &mut self.known[(execution.start - first) as usize];
            match execution.code {
                Code::Add(_) => known.adds.push(*execution),
                Code::Times(_) => known.times.push(*execution),
            }
        }
        self.times = self
            .known
            .iter()
            .flat_map(|known| known.times.iter().copied())
            .collect();
        if config.lines > 1 && self.known.iter().any(|known| known.adds.is_empty()) {
            bail!(
                "held_out is {}: some state is left without a sum to go on with, expected less",
                config.held_out
            );
        }
        let trained: std::collections::HashSet<Execution> =
            self.split.train.iter().copied().collect();
        let executions = || {
            let from = |start| language.codes().map(move |code| Execution { start, code });
            language.states().flat_map(from)
        };
        let is_state = |execution: Execution| language.states().contains(&execution.result());
        let marks = |is_so: &dyn Fn(Execution) -> bool| -> Tensor<1> {
            let marks: Vec<f32> = executions()
                .map(|e| f32::from(u8::from(is_so(e))))
                .collect();
            let count = marks.len();
            Tensor::from_data(TensorData::new(marks, [count]), device)
        };
        let result = |execution: Execution| match is_state(execution) {
            true => encode(&self.tokenizer, Code::Add(execution.result())),
            false => Ok(empty_result(language)),
        };
        let tables = EntityTables::new(language.states(), language.codes(), &self.tokenizer)?;
        let tensor = |tokens: &[i32]| -> Tensor<2, Int> {
            let length = language.word_length();
            let shape = [tokens.len() / length, length];
            Tensor::from_data(TensorData::new(tokens.to_vec(), shape), device)
        };
        let results = executions().map(result).collect::<Result<Vec<_>>>()?;
        let constants = ConstantTables {
            states: tensor(&tables.state_tokens),
            codes: tensor(&tables.code_tokens),
            results: tensor(&results.concat()),
            allowed: marks(&|execution| trained.contains(&execution)),
            illegal: marks(&|execution| !is_state(execution)),
        };
        self.all = Some(Arc::new(EntityTables {
            constants: Some(Arc::new(constants)),
            ..tables
        }));
        Ok(())
    }

    /// All numbers of a small language, or those of the executions. Where steps are captured, others are added to those,
    /// so that all batches have tables of one size.
    pub fn tables(
        &self,
        traces: &[Vec<Execution>],
        rng: &mut ChaCha8Rng,
    ) -> Result<Arc<EntityTables>> {
        if let Some(all) = &self.all {
            return Ok(all.clone());
        }
        let count: usize = traces.iter().map(Vec::len).sum();
        let (mut states, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for execution in traces.iter().flatten() {
            states.extend([execution.start, execution.result()]);
            codes.insert(execution.code);
        }
        if self.is_captured {
            let (all_states, all_codes) = (self.language.states(), self.language.code_count());
            let most = (2 * count).min(all_states.clone().count());
            while states.len() < most {
                states.insert(rng.random_range(all_states.clone()));
            }
            while codes.len() < count.min(all_codes) {
                codes.extend(self.language.code_at(rng.random_range(0..all_codes)));
            }
        }
        EntityTables::new(states, codes, &self.tokenizer).map(Arc::new)
    }

    /// A batch of programs line by line: executions each of which begins where the one before ended.
    pub fn traces(&self, config: &ExecutorConfig, rng: &mut ChaCha8Rng) -> Vec<Vec<Execution>> {
        let first: Vec<Execution> = (0..config.batch).map(|_| self.any(rng)).collect();
        let mut traces = vec![first];
        for line in 1..config.lines {
            let before = &traces[line - 1];
            let next = before.iter().map(|e| self.from(e.result(), rng)).collect();
            traces.push(next);
        }
        traces
    }

    /// An execution that may be trained on.
    pub fn any(&self, rng: &mut ChaCha8Rng) -> Execution {
        if !self.times.is_empty() && rng.random_bool(TIMES) {
            return self.times[rng.random_range(0..self.times.len())];
        }
        self.split.draw(rng)
    }

    fn from(&self, start: i32, rng: &mut ChaCha8Rng) -> Execution {
        if self.known.is_empty() {
            return self.split.draw_from(start, rng);
        }
        let Known { adds, times } = &self.known[(start - self.language.states().start()) as usize];
        let known = match times.is_empty() || !rng.random_bool(TIMES) {
            true => adds,
            false => times,
        };
        known[rng.random_range(0..known.len())]
    }

    /// Two additions from one state that may be trained on.
    pub fn pair(&self, rng: &mut ChaCha8Rng) -> [Execution; 2] {
        let known = &self.known[rng.random_range(0..self.known.len())].adds;
        [(); 2].map(|()| known[rng.random_range(0..known.len())])
    }
}

/// [B, L] tokens.
pub(super) fn token_tensor(
    tokens: impl Iterator<Item = Result<TokenIds>>,
    tokenizer: &SumTokenizer,
    device: &Device,
) -> Result<Tensor<2, Int>> {
    let tokens: Vec<TokenIds> = tokens.collect::<Result<_>>()?;
    let shape = [tokens.len(), tokenizer.language.word_length()];
    Ok(Tensor::from_data(
        TensorData::new(tokens.concat(), shape),
        device,
    ))
}

/// The tokens of a program; a state's are those of the program that adds it.
pub(super) fn encode(tokenizer: &SumTokenizer, code: Code) -> Result<TokenIds> {
    let word = tokenizer.encode(code).map(<[i32]>::to_vec);
    word.with_context(|| {
        let (addends, states) = (tokenizer.language.addends(), tokenizer.language.states());
        format!(
            "{code} is unknown to the model: expected states from {} to {}, programs from {} to {}",
            states.start(),
            states.end(),
            addends.start(),
            addends.end()
        )
    })
}
