use proptest::prelude::*;

use super::*;

/// The text with its parts in brackets: `[bold red|text]`.
fn dressed(line: &str) -> String {
    let Shown { text, styles } = shown(line.as_bytes());
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut at = 0;
    let mut out = String::new();
    for part in styles {
        let end = at + part.length as usize;
        let piece = String::from_utf16_lossy(&units[at..end]);
        let words = words(&part.style);
        out.push_str(&if words.is_empty() { piece } else { format!("[{words}|{piece}]") });
        at = end;
    }
    out + &String::from_utf16_lossy(&units[at..])
}

fn words(style: &Style) -> String {
    let flags = [
        (style.bold, "bold"),
        (style.dim, "dim"),
        (style.italic, "italic"),
        (style.underline, "underline"),
        (style.strikethrough, "strikethrough"),
        (style.inverse, "inverse"),
    ];
    let mut words: Vec<String> =
        flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()).collect();
    words.extend(style.foreground.map(|color| color.name().into_owned()));
    words.extend(style.background.map(|color| format!("on {}", color.name())));
    words.join(" ")
}

#[test]
fn text_is_dressed_as_the_program_said() {
    for (line, expected) in [
        ("plain", "plain"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred\x1b[0m", "[red|red]"),
        ("\x1b[31mred\x1b[m plain", "[red|red] plain"),
        ("a \x1b[1;31mb\x1b[22mc\x1b[39md", "a [bold red|b][red|c]d"),
        ("\x1b[2m2026\x1b[0m \x1b[32m INFO\x1b[0m up", "[dim|2026] [green| INFO] up"),
        ("\x1b[1m\x1b[3m\x1b[4m\x1b[7m\x1b[9mx", "[bold italic underline strikethrough inverse|x]"),
        ("\x1b[1;3;4;7;9mx\x1b[22;23;24;27;29my", "[bold italic underline strikethrough inverse|x]y"),
        ("\x1b[91mx\x1b[100my\x1b[49mz", "[bright_red|x][bright_red on bright_black|y][bright_red|z]"),
        ("\x1b[44mx", "[on blue|x]"),
        ("\x1b[38;5;9mx\x1b[38;5;208my\x1b[48;5;240mz", "[bright_red|x][#ff8700|y][#ff8700 on #585858|z]"),
        ("\x1b[38;2;1;2;3mx\x1b[48;2;255;0;16my", "[#010203|x][#010203 on #ff0010|y]"),
        ("\x1b[38:2::1:2:3mx\x1b[38:2:4:5:6my\x1b[38:5:1mz", "[#010203|x][#040506|y][red|z]"),
        ("\x1b[38;5;300mx\x1b[38;7mx\x1b[38mx\x1b[38;2;1mx", "xxxx"),
        ("\x1b[4:3mx\x1b[4:0my", "[underline|x]y"),
        ("\x1b[58;5;1;31mx\x1b[58:5:2my", "[red|xy]"),
        ("\x1b[;31mx", "[red|x]"),
        ("\x1b[31m\x1b[32m\x1b[33mx", "[yellow|x]"),
        ("😀\x1b[31m😀\x1b[0mx", "😀[red|😀]x"),
        ("\x1b[31m", ""),
        ("\u{9b}31mx", "[red|x]"),
    ] {
        assert_eq!(dressed(line), expected, "{line:?}");
    }
}

#[test]
fn nothing_but_text_is_left() {
    for (line, expected) in [
        ("Grüße · 日本", "Grüße · 日本"),
        ("\x1b[2J\x1b[1;1Hthere", "there"),
        ("\x1b[?1049hx\x1b[?25l", "x"),
        ("\x1b[>4;2mx", "x"),
        ("\x1b[1 qx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]8;;http://a\x07link\x1b]8;;\x07 text", "link text"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x1b(Bx\x1bcy\x1b7", "xy"),
        ("\u{9d}0;t\u{9c}y\u{84}z", "yz"),
        ("\x07a\x7fb\0c", "abc"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1b[31", ""),
        ("\x1b[3\u{1}1mx", "1mx"),
        ("\x1b]0;a\x1b[31mx", "x"),
        ("\x1b\u{e9}x", "\u{e9}x"),
        // A string that never ends would hide the rest of the line.
        ("\x1b]52;c;never closed", "52;c;never closed"),
        ("\x1bPnever closed", "never closed"),
    ] {
        assert_eq!(shown(line.as_bytes()).text, expected, "{line:?}");
        assert_eq!(text(line.as_bytes()), expected, "{line:?} without styles");
    }
    assert_eq!(text(b"a\xff\x80b\xc3"), "a\u{fffd}\u{fffd}b\u{fffd}", "bytes that are no UTF-8");
}

#[test]
fn a_line_drawn_over_itself_is_shown_as_it_last_was() {
    for (line, expected) in [
        ("10%\r50%\r100%", "100%"),
        ("100%\r5%", "5%"),
        ("Downloading 17 MB\rDone", "Done"),
        ("done\r", "done"),
        ("done\r\r\n", "done"),
        ("a\r\r", "a"),
        ("\r", ""),
        ("old\r\x1b[Knew\r\n", "new"),
        ("old text\r\x1b[2K\x1b[1Gnew", "new"),
        ("old text\x1b[2Knew", "new"),
        ("old\x1b[1Gnew", "new"),
        ("⠋ Building…\r⠙\r⠹", "⠹ Building…"),
        ("⠋ Building…\r⠙ Linking", "⠙ Linking"),
        ("[#   ] 1/4\r[##  ] 2/4\r[### ] 3/4", "[### ] 3/4"),
        ("50%\r    \r100%", "100%"),
        ("abc\x08\x08x", "axc"),
        ("a\x08\x08\x08b", "b"),
        ("N\x08Na\x08a", "Na"),
        ("\\\x08|\x08/\x08-", "-"),
        ("ab\x1b[2Dc", "cb"),
        ("a\x1b[3Cb", "a   b"),
        ("ab\x1b[5Gc", "ab  c"),
        ("abc\x1b[2D\x1b[K", "a"),
        ("abc\x1b[2D\x1b[1K", "  c"),
    ] {
        assert_eq!(text(line.as_bytes()), expected, "{line:?}");
    }
    assert_eq!(dressed("\x1b[31mold\x1b[0m\r\x1b[32mnew"), "[green|new]", "the last state's colours");
    assert_eq!(dressed("\x1b[31mold\r\x1b[2Knew"), "[red|new]", "a colour outlives what it was used for");
}

#[test]
fn what_needs_no_change_is_not_copied() {
    for line in ["", "plain", "a\tb", "Grüße · 30 °C", "done\r"] {
        assert!(matches!(shown(line.as_bytes()).text, Cow::Borrowed(_)), "{line:?}");
        assert!(matches!(text(line.as_bytes()), Cow::Borrowed(_)), "{line:?}");
    }
}

#[test]
fn plain_text_is_told_from_what_a_terminal_acts_upon() {
    let long = "x".repeat(63);
    for (bytes, expected) in [
        ("one\ntwo\n".to_owned(), true),
        ("one\r\ntwo".to_owned(), false),
        (format!("{long}\u{85}"), false),
        (format!("{long}\u{b0}"), true),
        (format!("{long}{long}\x1b[m"), false),
    ] {
        assert_eq!(is_plain(bytes.as_bytes()), expected, "{bytes:?}");
    }
}

#[test]
fn bombs_are_bounded_and_quick() {
    let begun = std::time::Instant::now();
    for unit in [
        "\x1b[31m",
        "\x1b[999C",
        "\x1b]",
        "\x1b[31ma\x1b[32mb",
        "a\r",
        "a\x08\x1b[K",
        "\x1b[2K",
        "\x1bP",
        "\0",
        "\u{90}",
        "\u{9d}x",
    ] {
        let line = unit.repeat(100_000);
        let shown = shown(line.as_bytes());
        assert!(shown.text.len() <= line.len() + 1024, "{unit:?} grew to {}", shown.text.len());
        assert!(shown.styles.len() <= MAX_PARTS, "{unit:?} has {} parts", shown.styles.len());
    }
    let mut colours = String::new();
    for number in 0..60_000 {
        colours += &format!("\x1b[38;2;{};{};{}mx", number % 256, number / 256 % 256, number % 7);
    }
    assert!(shown(colours.as_bytes()).styles.len() <= MAX_PARTS, "parts of many colours");
    let erased = format!("{}{}", "x".repeat(100_000), "\x1b[1K".repeat(100_000));
    assert!(shown(erased.as_bytes()).text.len() <= 100_000, "erased again and again");
    assert!(begun.elapsed().as_secs() < 20, "took {:?}", begun.elapsed());
}

/// Pieces that mean something, and any bytes.
fn foreign() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[a-zé😀 \t]{0,8}".prop_map(String::into_bytes),
        2 => "\x1b\\[[0-9;:?]{0,12}[@-~]?".prop_map(String::into_bytes),
        1 => "\x1b[\\]P^_X(c]".prop_map(String::into_bytes),
        1 => "[\r\x08\x07\x1b\\\\\u{80}-\u{9f}]{0,4}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_become_text_without_controls_and_styles_within_it(line in foreign()) {
        let Shown { text: shown_text, styles } = shown(&line);
        prop_assert!(!shown_text.chars().any(|one| one != '\t' && one.is_control()), "{:?}", shown_text);
        let dressed: usize = styles.iter().map(|part| part.length as usize).sum();
        prop_assert!(dressed <= shown_text.encode_utf16().count(), "{} of {:?}", dressed, shown_text);
        prop_assert!(styles.iter().all(|part| part.length > 0), "no part is empty");
        prop_assert_eq!(&text(&line), &shown_text, "the text alone is the same");
        prop_assert_eq!(&text(shown_text.as_bytes()), &shown_text, "what is shown is shown as it is");
        if std::str::from_utf8(&line).is_ok() && is_plain(&line) {
            let lines = line.strip_suffix(b"\n").unwrap_or(&line);
            if !lines.contains(&b'\n') {
                prop_assert_eq!(shown_text.as_bytes(), lines, "plain text is itself");
            }
        }
    }
}
