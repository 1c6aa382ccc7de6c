//! Which device is chosen, and what is asked of it.

use glyphspace::device::{Adapter, Choice, Chosen, adapters, features, open, select};
use wgpu::{
    DeviceType::{self, Cpu, DiscreteGpu, IntegratedGpu},
    Features,
};

/// False, with a word about it, where there is no graphics adapter, not even Vulkan in software; where `CI` is set that is a
/// failure.
pub fn has_adapter() -> bool {
    let has = !adapters().is_empty();
    if !has {
        let is_ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
        assert!(!is_ci, "no graphics adapter: install mesa-vulkan-drivers");
        eprintln!("skipped: no graphics adapter, not even Vulkan in software");
    }
    has
}

/// The first graphics adapter, if there is one.
pub fn gpu() -> Option<Chosen> {
    has_adapter().then(|| open(Choice::Adapter(0)).unwrap())
}

/// The number of the adapter that `choice` means among some of these kinds; `None` for the CPU.
fn check(choice: &str, kinds: &[DeviceType], expected: Result<Option<usize>, &str>) {
    let adapters: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(number, kind)| Adapter {
            number,
            name: format!("{kind:?} {number}"),
            kind: *kind,
        })
        .collect();
    let choice: Choice = choice.parse().unwrap();
    match (select(choice, &adapters), expected) {
        (Ok((adapter, _)), Ok(expected)) => assert_eq!(adapter.map(|a| a.number), expected),
        (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
        (found, expected) => panic!("{choice} of {kinds:?}: {found:?}, expected {expected:?}"),
    }
}

#[test]
fn the_best_gpu_is_chosen_and_software_only_if_insisted_on() {
    check("auto", &[Cpu, IntegratedGpu, DiscreteGpu], Ok(Some(2)));
    check("gpu", &[IntegratedGpu, Cpu], Ok(Some(0)));
    check("cpu", &[DiscreteGpu], Ok(None));
    check("auto", &[Cpu], Ok(None));
    check("auto", &[], Ok(None));
    check("gpu:0", &[Cpu], Ok(Some(0)));
    check(
        "gpu",
        &[Cpu],
        Err("no GPU found, only Cpu 0: use --device cpu, or gpu:0 to insist"),
    );
    check("gpu", &[], Err("no GPU found: use --device cpu"));
    check(
        "gpu:3",
        &[Cpu, DiscreteGpu],
        Err("no adapter gpu:3: expected gpu:0 to gpu:1"),
    );
}

/// An adapter that was insisted on though the CPU is faster is said to be slow.
#[test]
fn a_software_adapter_is_said_to_be_slow() {
    let adapter = |kind| Adapter {
        number: 0,
        name: "llvmpipe".into(),
        kind,
    };
    let reason = |kind| select(Choice::Adapter(0), &[adapter(kind)]).unwrap().1;
    assert!(
        reason(Cpu).contains("--device cpu is far faster"),
        "{}",
        reason(Cpu)
    );
    assert_eq!(reason(DiscreteGpu), "as asked");
}

/// A device is refused if asked for experimental features, which newer GPUs offer.
#[test]
fn nothing_experimental_is_asked_of_a_device() {
    let asked = features(Features::all());
    assert!(!asked.intersects(Features::all_experimental_mask()));
    assert!(asked.contains(Features::SUBGROUP | Features::SHADER_F16));
    assert_eq!(features(Features::SUBGROUP), Features::SUBGROUP);
}
