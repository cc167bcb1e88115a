//! Any bytes as a line: what is shown is text without controls, and its styles lie within it.
#![no_main]

use forge_logs::ansi;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let shown = ansi::shown(line);
    assert!(!shown.text.chars().any(|one| one != '\t' && one.is_control()), "{:?}", shown.text);
    let dressed: usize = shown.styles.iter().map(|part| part.length as usize).sum();
    assert!(dressed <= shown.text.encode_utf16().count(), "{:?}", shown.styles);
    assert_eq!(ansi::text(line), shown.text, "the text alone is the same");
});
