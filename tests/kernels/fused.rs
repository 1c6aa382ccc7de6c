//! Operations made of many: against the compositions they stand for, values and gradients, and against finite
//! differences.

use burn::{
    nn::{LayerNorm, RmsNorm},
    tensor::{Device, Int, Tensor},
};
use glyphspace::{
    kernels::{
        Activation, Heads, attention, cross_entropy, entropy, exp, gather, gelu, layer_norm,
        leaky_relu, matmul, permute_rows, relu, rms_norm, sigmoid, silu,
    },
    nn::init::Initializer,
};

use super::{ROUNDING, check_same, compositions, data, given, weighed};
use crate::nn::{check_close, gradients::check_gradient, values};

const EPSILON: f64 = 1e-5;

#[test]
fn curves_are_burns_on_rows_of_any_length() {
    for length in [1, 7, 600] {
        type Function = fn(Tensor<2>) -> Tensor<2>;
        let functions: [(Activation, Function); 6] = [
            (Activation::Relu, relu),
            (Activation::Exp, exp),
            (Activation::Sigmoid, sigmoid),
            (Activation::Silu, silu),
            (Activation::Gelu, gelu),
            (Activation::LeakyRelu, leaky_relu),
        ];
        for (kind, function) in functions {
            check_same(
                &format!("{kind:?}"),
                ROUNDING,
                [given([3, length], 1) * 3.0],
                |[x]| function(x),
                |[x]| compositions::activation(kind, x),
            );
        }
    }
}

#[test]
fn a_turned_tensor_is_read_in_its_order() {
    let turn = |x: Tensor<2>| x.swap_dims(0, 1);
    check_same(
        "turned",
        ROUNDING,
        [given([4, 9], 2)],
        |[x]| turn(gelu(turn(x.clone()))) + gelu(x.narrow(1, 0, 9)),
        |[x]| burn::tensor::activation::gelu(x) * 2.0,
    );
}

#[test]
fn cross_entropies_are_burns() {
    // Part of a longer tensor, read where it lies.
    let longer = [7, 2, 0, 12, 5, 1];
    let classes =
        || Tensor::<1, Int>::from_data(longer, &Device::flex().autodiff()).narrow(0, 1, 4);
    for smoothing in [0.0, 0.1] {
        let burns =
            |[logits]: [Tensor<2>; 1]| compositions::cross_entropy(logits, classes(), smoothing);
        let ours = |[logits]: [Tensor<2>; 1]| cross_entropy(logits, classes(), smoothing);
        check_same(
            "cross entropy",
            ROUNDING,
            [given([4, 13], 3) * 4.0],
            ours,
            burns,
        );
    }
    let logits = given([4, 13], 3).inner() * 4.0;
    let own = values(compositions::entropy(logits.clone()));
    check_close(&values(entropy(logits)), &own, 2e-5, "entropy");
    // Nothing overflows.
    let logits = Tensor::<2>::from_data([[1e4, -1e4, 0.0]], &Device::flex());
    let class = |class: i32| Tensor::<1, Int>::from_data([class], &Device::flex());
    let nats = |of| values(cross_entropy(logits.clone(), class(of), 0.0))[0];
    assert_eq!([nats(0), nats(1), nats(2)], [0.0, 2e4, 1e4]);
    assert_eq!(values(entropy(logits.clone())), [0.0]);
}

#[test]
fn norms_are_burns_with_their_weights_gradients() {
    let device = Device::flex().autodiff();
    for width in [5, 16, 70] {
        let mut init = Initializer::new(4, &device);
        let norm = init.layer_norm(width, EPSILON);
        let rows = [given([2, 3, width], 5) * 2.0 + 1.0];
        let ours = |[x]: [Tensor<3>; 1]| layer_norm(&norm, x, EPSILON);
        check_same("layer norm", ROUNDING, rows.clone(), ours, |[x]| {
            norm.forward(x)
        });
        let norm = RmsNorm {
            gamma: init.constant(width, 1.5),
            epsilon: EPSILON,
        };
        let ours = |[x]: [Tensor<3>; 1]| rms_norm(&norm, x);
        check_same("rms norm", ROUNDING, rows.clone(), ours, |[x]| {
            norm.forward(x)
        });

        let weights = |ours: bool| {
            let layer = init_layer_norm(width, &device);
            let x = rows[0].clone();
            let made = match ours {
                true => layer_norm(&layer, x, EPSILON),
                false => layer.forward(x),
            };
            let gradients = weighed(made).backward();
            let [gamma, beta] = [Some(layer.gamma), layer.beta]
                .map(|weight| weight.unwrap().val().grad(&gradients).unwrap());
            [values(gamma), values(beta)].concat()
        };
        check_close(&weights(true), &weights(false), 5e-5, "gamma and beta");
    }
}

#[test]
fn rows_are_picked_as_by_burn() {
    let rows = || Tensor::<1, Int>::from_data([3, 0, 3, 4], &Device::flex());
    check_same(
        "rows",
        ROUNDING,
        [given([5, 2, 3], 4)],
        |[x]| gather(x, rows()),
        |[x]| x.select(0, rows()),
    );
}

#[test]
fn exchanged_rows_get_their_gradients_back() {
    let rows = |rows: [i32; 4]| Tensor::<1, Int>::from_data(rows, &Device::flex());
    let (to, back) = ([2, 0, 3, 1], [1, 3, 0, 2]);
    check_same(
        "exchanged",
        ROUNDING,
        [given([4, 3], 4)],
        |[x]| permute_rows(x, rows(to), rows(back)),
        |[x]| x.select(0, rows(to)),
    );
}

#[test]
fn products_are_burns_of_matrices_as_they_lie() {
    // One row, none in common, and enough for several threads.
    for [rows, inner, columns] in [[5, 7, 3], [1, 4, 9], [3, 0, 2], [200, 190, 210]] {
        let (left, right) = (given([rows, inner], 1), given([inner, columns], 2));
        let burns = |[left, right]: [Tensor<2>; 2]| left.matmul(right);
        let both = [left.clone(), right.clone()];
        check_same(
            "matmul",
            ROUNDING,
            both,
            |[left, right]| matmul(left, right),
            burns,
        );
        let turned = || [given([inner, rows], 3), given([columns, inner], 4)];
        check_same(
            "matmul of turned matrices",
            ROUNDING,
            turned(),
            |[left, right]| matmul(left.transpose(), right.transpose()),
            |[left, right]| left.transpose().matmul(right.transpose()),
        );
        let constant = || left.clone().detach();
        check_same(
            "matmul with a constant",
            ROUNDING,
            [right.clone()],
            |[right]| matmul(constant(), right),
            |[right]| constant().matmul(right),
        );
    }
    // Several at once, turned, and of a longer stack.
    for [count, rows, inner, columns] in [[3, 4, 5, 2], [1, 2, 3, 2], [40, 60, 70, 50]] {
        let stacks = [
            given([count + 2, rows, inner], 7),
            given([count + 2, columns, inner], 8),
        ];
        let parts = |[left, right]: [Tensor<3>; 2]| {
            let [left, right] = [left, right].map(|stack| stack.narrow(0, 1, count));
            (left, right.swap_dims(1, 2))
        };
        let ours = |both| {
            let (left, right) = parts(both);
            matmul(left, right)
        };
        let burns = |both| {
            let (left, right) = parts(both);
            left.matmul(right)
        };
        check_same("products", ROUNDING, stacks, ours, burns);
    }
    let wide = || [given([6, 8], 5), given([8, 5], 6)];
    check_same(
        "matmul of parts",
        ROUNDING,
        wide(),
        |[left, right]| matmul(left.narrow(1, 2, 3), right.narrow(0, 4, 3)),
        |[left, right]| left.narrow(1, 2, 3).matmul(right.narrow(0, 4, 3)),
    );
    check_same(
        "matmul of flipped matrices",
        ROUNDING,
        wide(),
        |[left, right]| matmul(left.flip([1]), right.flip([0])),
        |[left, right]| left.matmul(right),
    );
}

fn init_layer_norm(width: usize, device: &Device) -> LayerNorm {
    Initializer::new(6, device).layer_norm(width, EPSILON)
}

#[test]
fn attention_is_that_of_heads_by_themselves() {
    // Heads and keys that are a block or less, with more queries than one, and any others.
    for (queries, keys, count, head) in [
        (1, 1, 1, 1),
        (4, 4, 4, 8),
        (11, 8, 2, 8),
        (20, 3, 1, 16),
        (5, 9, 2, 8),
        (5, 9, 2, 16),
        (3, 20, 3, 5),
    ] {
        let heads = Heads { count, scale: 0.4 };
        let shape = |length| [2, length, count * head];
        let inputs = [
            given(shape(queries), 7),
            given(shape(keys), 8),
            given(shape(keys), 9),
        ];
        let biases = [
            [1, 1, 1, 1],
            [1, count, queries, keys],
            [2, 1, 1, keys],
            [2, count, queries, keys],
        ];
        for bias in biases {
            let bias = given(bias, 10);
            let what = format!("attention of {queries} to {keys}, {count} heads");
            check_same(
                &what,
                ROUNDING,
                inputs.clone(),
                |[query, key, value]| attention(query, key, value, bias.clone(), heads),
                |inputs| compositions::attention(inputs, bias.clone(), heads),
            );
            let parts = || inputs.clone();
            check_same(
                &format!("{what}, bias"),
                ROUNDING,
                [bias.clone()],
                |[bias]| {
                    let [query, key, value] = parts();
                    attention(query, key, value, bias, heads)
                },
                |[bias]| compositions::attention(parts(), bias, heads),
            );
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    check_gradient::<2>("gelu", data([2, 5], 11), 0.02, |x| weighed(gelu(x)));
    check_gradient::<2>("silu", data([2, 5], 12), 0.02, |x| weighed(silu(x)));
    check_gradient::<2>("sigmoid", data([2, 5], 13), 0.02, |x| weighed(sigmoid(x)));
    check_gradient::<2>("exp", data([2, 5], 14), 0.02, |x| weighed(exp(x)));
    let classes = || Tensor::<1, Int>::from_data([2, 0, 4], &Device::flex().autodiff());
    check_gradient::<2>("cross entropy", data([3, 5], 15), 0.02, |logits| {
        weighed(cross_entropy(logits, classes(), 0.1))
    });
    let norm = init_layer_norm(6, &Device::flex().autodiff());
    check_gradient::<2>("layer norm", data([2, 6], 16), 0.03, |x| {
        weighed(layer_norm(&norm, x, EPSILON))
    });
    let heads = Heads {
        count: 2,
        scale: 0.7,
    };
    let fixed = |seed| given([1, 3, 4], seed);
    check_gradient::<3>("keys", data([1, 3, 4], 17), 0.03, |key| {
        weighed(attention(
            fixed(18),
            key,
            fixed(19),
            given([1; 4], 20),
            heads,
        ))
    });
}

#[test]
fn what_is_no_number_stays_none() {
    let poisoned = Tensor::<2>::from_data([[f32::NAN, 1.0, 2.0]], &Device::flex());
    let all = |x: Tensor<2>| values(x).iter().all(|value| value.is_nan());
    let class = Tensor::<1, Int>::from_data([1], &Device::flex());
    assert!(values(cross_entropy(poisoned.clone(), class, 0.0))[0].is_nan());
    assert!(values(gelu(poisoned.clone()))[0].is_nan());
    assert!(values(entropy(poisoned.clone()))[0].is_nan());
    assert!(values(relu(poisoned.clone()))[0].is_nan());
    let norm = init_layer_norm(3, &Device::flex());
    assert!(all(layer_norm(&norm, poisoned.clone(), EPSILON)));
    let x = poisoned.unsqueeze::<3>();
    let heads = Heads {
        count: 1,
        scale: 1.0,
    };
    let bias = Tensor::zeros([1; 4], &Device::flex());
    assert!(
        values(attention(x.clone(), x.clone(), x, bias, heads))
            .iter()
            .all(|v| v.is_nan())
    );
}
