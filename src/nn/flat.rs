//! Parameters and gradients of a module as one vector, in the module's visiting order.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    tensor::{Gradients, Shape, Tensor},
};

/// Path and shape of each parameter of a module, in its visiting order.
pub(super) fn parameters<M: Module>(module: &M) -> Vec<(String, Shape)> {
    let mut list = ShapeVisitor::default();
    module.visit(&mut list);
    list.parameters
}

#[derive(Default)]
struct ShapeVisitor {
    path: Vec<String>,
    parameters: Vec<(String, Shape)>,
}

impl ModuleVisitor for ShapeVisitor {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.parameters
            .push((self.path.join("."), param.val().shape()));
    }
}

/// Gradient of all parameters of a module as one vector `[N]`, in its visiting order; 0 for parameters the loss does not
/// depend on.
pub fn flat_gradient<M: Module>(module: &M, gradients: &Gradients) -> Tensor<1> {
    concatenated(module, Some(gradients))
}

/// All parameters of a module as one vector `[N]`, in its visiting order, without autodiff.
pub fn flatten<M: Module>(module: &M) -> Tensor<1> {
    concatenated(module, None)
}

/// Parameters of a module, or if given their gradients.
fn concatenated<M: Module>(module: &M, gradients: Option<&Gradients>) -> Tensor<1> {
    let parts = Vec::new();
    let mut visitor = FlatVisitor { gradients, parts };
    module.visit(&mut visitor);
    Tensor::cat(visitor.parts, 0)
}

struct FlatVisitor<'a> {
    gradients: Option<&'a Gradients>,
    parts: Vec<Tensor<1>>,
}

impl ModuleVisitor for FlatVisitor<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let part = match self.gradients {
            None => value.inner(),
            Some(gradients) => {
                let gradient = value.grad(gradients);
                gradient.unwrap_or_else(|| value.inner().zeros_like())
            }
        };
        let count = part.shape().num_elements();
        self.parts.push(part.reshape([count]));
    }
}

/// `module` with its parameters replaced by `values` `[N]`, in its visiting order.
pub fn unflatten<M: Module>(module: M, values: Tensor<1>) -> M {
    module.map(&mut Unflatten { values, from: 0 })
}

struct Unflatten {
    values: Tensor<1>,
    from: usize,
}

impl ModuleMapper for Unflatten {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| {
            let shape = old.shape();
            let count = shape.num_elements();
            let value = self
                .values
                .clone()
                .narrow(0, self.from, count)
                .reshape(shape);
            self.from += count;
            Tensor::from_inner(value).require_grad()
        })
    }
}
