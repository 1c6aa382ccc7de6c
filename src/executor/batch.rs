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
    config::executor::ExecutorConfig,
    data::{
        language::{Code, Execution, Language},
        split::Split,
        tokens::{SumTokenizer, TokenIds, empty_result},
    },
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
    device: Device,
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
    /// [S, L] tokens of the states.
    pub states: Tensor<2, Int>,
    /// [C, L] tokens of the programs.
    pub codes: Tensor<2, Int>,
    state_rows: HashMap<i32, i32>,
    code_rows: HashMap<Code, i32>,
    /// Result of each program on each state, where the tables hold all numbers.
    pub result_table: Option<ResultTable>,
}

/// Identity, not contents: these tensors are baked into captured graphs.
impl PartialEq for EntityTables {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for EntityTables {}

/// Results of each of C programs on each of S states.
#[derive(Debug)]
pub struct ResultTable {
    /// [S x C, L] tokens of the result; nothing where it is no state.
    pub results: Tensor<2, Int>,
    /// [S x C]: 1 where the result is a state and may be trained on, else 0.
    pub allowed: Tensor<1>,
    /// [S x C]: 1 where the result is no state.
    pub illegal: Tensor<1>,
}

impl EntityTables {
    fn new(
        states: impl IntoIterator<Item = i32>,
        codes: impl IntoIterator<Item = Code>,
        tokenizer: &SumTokenizer,
        device: &Device,
    ) -> Result<Self> {
        let states: Vec<i32> = states.into_iter().collect();
        let codes: Vec<Code> = codes.into_iter().collect();
        let state_words = states
            .iter()
            .map(|state| encode(tokenizer, Code::Add(*state)));
        let code_words = codes.iter().map(|code| encode(tokenizer, *code));
        Ok(Self {
            states: token_tensor(state_words, tokenizer, device)?,
            codes: token_tensor(code_words, tokenizer, device)?,
            state_rows: states.into_iter().zip(0..).collect(),
            code_rows: codes.into_iter().zip(0..).collect(),
            result_table: None,
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

    /// The rows of their programs.
    pub fn codes_of(&self, lines: &[Execution]) -> impl Iterator<Item = i32> {
        lines.iter().map(|line| self.code_row(line.code))
    }
}

impl Batches {
    /// For runs on `device`.
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
            device: device.clone(),
        };
        if language.is_small() {
            batches.list(config)?;
        }
        Ok(batches)
    }

    /// Lists all that a small language has.
    fn list(&mut self, config: &ExecutorConfig) -> Result<()> {
        let (language, device) = (self.language, &self.device);
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
        let result_table = ResultTable {
            results: token_tensor(executions().map(result), &self.tokenizer, device)?,
            allowed: marks(&|execution| trained.contains(&execution)),
            illegal: marks(&|execution| !is_state(execution)),
        };
        let tables =
            EntityTables::new(language.states(), language.codes(), &self.tokenizer, device)?;
        self.all = Some(Arc::new(EntityTables {
            result_table: Some(result_table),
            ..tables
        }));
        Ok(())
    }

    /// All numbers of a small language, or those of the executions.
    pub fn tables<'a>(
        &self,
        executions: impl Iterator<Item = &'a Execution>,
    ) -> Result<Arc<EntityTables>> {
        if let Some(all) = &self.all {
            return Ok(all.clone());
        }
        let (mut states, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for execution in executions {
            states.extend([execution.start, execution.result()]);
            codes.insert(execution.code);
        }
        EntityTables::new(states, codes, &self.tokenizer, &self.device).map(Arc::new)
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
