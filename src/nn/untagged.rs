//! Untagged enums of modules: the variant is no part of the paths of their parameters.
//!
//! burn's derive adds the variant's name to the paths, so that a plain module could not become a variant of an enum
//! without losing its checkpoints.

/// Implements burn's `Module` for an enum whose variants each hold one module.
macro_rules! untagged_module {
    ($name:ident { $($variant:ident),+ }) => {
        impl ::burn::module::Module for $name {
            fn visit<V: ::burn::module::ModuleVisitor>(&self, visitor: &mut V) {
                match self { $(Self::$variant(module) => module.visit(visitor),)+ }
            }

            fn map<M: ::burn::module::ModuleMapper>(self, mapper: &mut M) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.map(mapper)),)+ }
            }

            fn collect_devices(&self, devices: ::burn::module::Devices) -> ::burn::module::Devices {
                match self { $(Self::$variant(module) => module.collect_devices(devices),)+ }
            }

            fn fork(self, device: &::burn::tensor::Device) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.fork(device)),)+ }
            }

            fn to_device(self, device: &::burn::tensor::Device) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.to_device(device)),)+ }
            }

            fn train(self) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.train()),)+ }
            }

            fn valid(&self) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.valid()),)+ }
            }

            fn materialize(self) -> Self {
                match self { $(Self::$variant(module) => Self::$variant(module.materialize()),)+ }
            }
        }

        impl ::burn::module::ModuleDisplayDefault for $name {
            fn content(&self, content: ::burn::module::Content) -> Option<::burn::module::Content> {
                match self { $(Self::$variant(module) => module.content(content),)+ }
            }

            fn num_params(&self) -> usize {
                ::burn::module::Module::num_params(self)
            }
        }

        impl ::burn::module::ModuleDisplay for $name {}
    };
}

pub(crate) use untagged_module;
