//! The wire as TypeScript: one file, made by `cargo xtask generate`.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

use ts_rs::{Config, TS, TypeVisitor};

const HEAD: &str = "\
// Made from crates/api by `cargo xtask generate`; not to be edited.
";

/// All types of the wire, and a map from each operation's method to its parameters and answer.
#[must_use]
pub fn document() -> String {
    let mut document = Document::new();
    crate::operation::for_each_operation(&mut document);
    document.add::<crate::Update>();
    document.add::<crate::Error>();
    document.finish()
}

/// What is being put together.
pub(crate) struct Document {
    config: Config,
    seen: BTreeSet<TypeId>,
    /// By name, so that the order does not depend on who refers to whom.
    types: BTreeMap<String, String>,
    operations: String,
}

impl Document {
    fn new() -> Self {
        // Every number on the wire stays below 2^53.
        let config = Config::new().with_large_int("number");
        Self { config, seen: BTreeSet::new(), types: BTreeMap::new(), operations: String::new() }
    }

    pub(crate) fn operation<P: TS + 'static, A: TS + 'static>(&mut self, method: &str) {
        self.add::<P>();
        self.add::<A>();
        let (params, answer) = (P::name(&self.config), A::name(&self.config));
        self.operations.push_str(&format!("  \"{method}\": {{ params: {params}; answer: {answer} }};\n"));
    }

    fn add<T: TS + 'static + ?Sized>(&mut self) {
        self.visit::<T>();
    }

    fn finish(self) -> String {
        let types: String = self.types.into_values().collect();
        format!("{HEAD}\n{types}\nexport interface Operations {{\n{}}}\n", self.operations)
    }
}

impl TypeVisitor for Document {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        // Primitives and containers are written where they stand.
        if T::output_path().is_some() {
            let name = T::ident(&self.config);
            let docs = T::docs().unwrap_or_default();
            let declaration = format!("\n{docs}export {}\n", T::decl(&self.config));
            self.types.insert(name, declaration);
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_operation_stands_in_the_document_with_the_types_it_needs() {
        let text = super::document();
        for method in crate::METHODS {
            assert!(text.contains(&format!("  \"{method}\": {{ params: ")), "{method} is missing");
        }
        assert!(text.contains("export type Mood = \"stopped\""), "a type that is only referred to: {text}");
    }
}
