//! The crypto crate's refusals as JavaScript errors with a `code`. Adds no words of its own.

use js_sys::Reflect;
use onetimeshare_crypto::Error;
use wasm_bindgen::JsValue;

/// `new Error(message)` with `code` set.
pub(crate) fn to_js(error: Error) -> JsValue {
    let thrown: JsValue = js_sys::Error::new(&error.to_string()).into();
    Reflect::set(
        &thrown,
        &JsValue::from("code"),
        &JsValue::from(error.code()),
    )
    .expect("a fresh Error takes any property");
    thrown
}
