//! Select Graphic Rendition: the parameters of `ESC [ … m`.

use super::style::{Color, Style};

/// Changes `style` as the parameters say: numbers between `;`, parts of one between `:`.
pub(super) fn apply(style: &mut Style, parameters: &str) {
    let mut groups = parameters.split(';');
    while let Some(group) = groups.next() {
        let (code, parts) = group.split_once(':').map_or((group, None), |(code, parts)| (code, Some(parts)));
        // An empty parameter is a zero.
        let code = if code.is_empty() { 0 } else { code.parse().unwrap_or(u16::MAX) };
        match (code, parts) {
            (4, Some(kind)) => style.underline = !kind.starts_with('0'),
            (38 | 48 | 58, Some(parts)) => set_color(style, code, color_of_parts(parts)),
            (38 | 48 | 58, None) => {
                let color = color_of_rest(&mut groups);
                set_color(style, code, color);
            }
            (_, Some(_)) => {}
            (code, None) => simple(style, code),
        }
    }
}

fn simple(style: &mut Style, code: u16) {
    let own = |number: u16| u8::try_from(number).ok().map(Color::Own);
    match code {
        0 => *style = Style::default(),
        1 => style.bold = true,
        2 => style.dim = true,
        3 => style.italic = true,
        // 21: two lines.
        4 | 21 => style.underline = true,
        7 => style.inverse = true,
        9 => style.strikethrough = true,
        22 => (style.bold, style.dim) = (false, false),
        23 => style.italic = false,
        24 => style.underline = false,
        27 => style.inverse = false,
        29 => style.strikethrough = false,
        30..=37 => style.foreground = own(code - 30),
        39 => style.foreground = None,
        40..=47 => style.background = own(code - 40),
        49 => style.background = None,
        90..=97 => style.foreground = own(code - 90 + 8),
        100..=107 => style.background = own(code - 100 + 8),
        _ => {}
    }
}

/// 58 is the colour of underlines, which is not kept. What is no colour changes nothing.
fn set_color(style: &mut Style, code: u16, color: Option<Color>) {
    match (code, color) {
        (38, Some(_)) => style.foreground = color,
        (48, Some(_)) => style.background = color,
        _ => {}
    }
}

/// `5;N` or `2;R;G;B`.
fn color_of_rest<'a>(groups: &mut impl Iterator<Item = &'a str>) -> Option<Color> {
    match groups.next()? {
        "5" => number(groups.next()?).map(Color::of_256),
        "2" => {
            let mut next = || groups.next().map(number);
            let (red, green, blue) = (next()?, next()?, next()?);
            Some(Color::Rgb(red?, green?, blue?))
        }
        _ => None,
    }
}

/// `5:N`, `2:R:G:B`, or with a colour space before the red `2:S:R:G:B`.
fn color_of_parts(parts: &str) -> Option<Color> {
    let (kind, rest) = parts.split_once(':')?;
    match kind {
        "5" => number(rest.split(':').next()?).map(Color::of_256),
        "2" => {
            let spaced = rest.split(':').count() >= 4;
            let mut values = rest.split(':').skip(usize::from(spaced)).map(number);
            let (red, green, blue) = (values.next()?, values.next()?, values.next()?);
            Some(Color::Rgb(red?, green?, blue?))
        }
        _ => None,
    }
}

/// An empty one is a zero.
fn number(text: &str) -> Option<u8> {
    if text.is_empty() { Some(0) } else { text.parse().ok() }
}
