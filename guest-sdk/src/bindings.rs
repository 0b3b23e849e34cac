//! The types and the glue that `wit-bindgen` generates from the contract.
//!
//! Nothing is written by hand here. It compiles on every target, so that the
//! conversions over it are tested natively; only wasm calls the imports.

wit_bindgen::generate!({
    path: "../wit",
    world: "module",
    pub_export_macro: true,
    export_macro_name: "export_component",
});
