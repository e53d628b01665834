//! What all plots share: the font, the palette, the markers, and how wide a
//! text is.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// An opaque colour: red, green, blue.
pub(crate) type Colour = (u8, u8, u8);

/// The paper. Plots are opaque, so that they read on dark pages too.
pub(crate) const PAPER: Colour = (255, 255, 255);
/// Titles and labels.
pub(crate) const INK: Colour = (34, 34, 34);
/// Captions and ticks.
pub(crate) const GREY: Colour = (95, 95, 95);
/// Grid lines.
pub(crate) const GRID: Colour = (232, 232, 232);
/// The lower bound.
pub(crate) const BOUND: Colour = (150, 150, 150);

/// Okabe and Ito's palette, which people with any kind of colour vision tell
/// apart; without its yellow, which is too light for a line on white.
/// Its black is for what runs on one worker.
const PALETTE: [Colour; 6] = [
    (0, 114, 178),   // blue
    (213, 94, 0),    // vermilion
    (0, 158, 115),   // bluish green
    (204, 121, 167), // reddish purple
    (230, 159, 0),   // orange
    (86, 180, 233),  // sky blue
];

/// The shapes that mark points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
}

const MARKERS: [Marker; 5] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::TriangleDown,
];

/// Dash patterns: lengths drawn and left out, in turn. Empty is solid.
const DASHES: [&[f64]; 4] = [&[], &[8.0, 4.0], &[2.5, 3.0], &[10.0, 3.0, 2.5, 3.0]];

/// How one line of a plot looks. Colour, marker and dashes each tell lines
/// apart, so that print without colour does too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) colour: Colour,
    pub(crate) marker: Marker,
    pub(crate) dash: &'static [f64],
}

impl Look {
    /// The look of the line at a place. Colours, markers and dash patterns
    /// differ in number, so that 60 lines pass before two look the same.
    pub(crate) fn nth(index: usize) -> Self {
        Self {
            colour: PALETTE[index % PALETTE.len()],
            marker: MARKERS[index % MARKERS.len()],
            dash: DASHES[index % DASHES.len()],
        }
    }

    /// The look of a line that goes with the one at a place, as the same strategy
    /// with another client: of its colour, with another marker and other dashes.
    pub(crate) fn variant(index: usize, variant: usize) -> Self {
        Self {
            colour: Self::nth(index).colour,
            ..Self::nth(index + variant)
        }
    }

    /// The look of what runs on one worker, whatever it is given, at its place
    /// among such lines.
    pub(crate) fn single(index: usize) -> Self {
        Self {
            colour: (0, 0, 0),
            marker: MARKERS[index % MARKERS.len()],
            dash: &[],
        }
    }
}

/// The name under which the font is registered, which is also what an SVG asks
/// a browser for: Verdana has nearly the same widths.
pub(crate) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Height of the font from its descent to its ascent, in ems. The bitmap
/// backend takes this height for a font's size.
pub(crate) const HEIGHT_EM: f64 = 1.164;

/// Brings the font that the binary carries to the plotting library, so that
/// plots need none from the system.
pub(crate) fn prepare_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let fonts = [
            (FontStyle::Normal, dejavu::sans::regular()),
            (FontStyle::Bold, dejavu::sans::bold()),
        ];
        for (style, bytes) in fonts {
            // It only fails on bytes that are no font; painting would say so.
            let _ = register_font(FAMILY, style, bytes);
        }
    });
}

/// The width of a text, in the unit of `size`, the font's em.
pub(crate) fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    prepare_font();
    // Measured large: the library rounds to whole pixels.
    let scale = 100.0;
    let style = if bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    let font = FontDesc::new(FontFamily::Name(FAMILY), scale * HEIGHT_EM, style);
    match font.layout_box(text) {
        Ok(((left, _), (right, _))) => f64::from(right - left) / scale * size,
        // A generous guess keeps labels apart.
        Err(_) => text.chars().count() as f64 * 0.7 * size,
    }
}

/// The text, or as much of its beginning as fits into a width, with an
/// ellipsis.
pub(crate) fn fitted(text: &str, size: f64, bold: bool, width: f64) -> String {
    if text_width(text, size, bold) <= width {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |kept: usize| {
        let start: String = chars[..kept].iter().collect();
        format!("{}…", start.trim_end())
    };
    // Widths rise with the characters kept: the most that fit, by halving.
    let (mut fits, mut exceeds) = (0, chars.len());
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        if text_width(&cut(middle), size, bold) <= width {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    cut(fits)
}

/// Breaks a text between words into lines of at most a width; a word that is
/// wider is cut.
pub(crate) fn wrapped(text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|line| text_width(line, size, bold) <= width) {
            Some(line) => {
                lines.pop();
                lines.push(line);
            }
            None => lines.push(fitted(word, size, bold, width)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Look, fitted, text_width, wrapped};

    #[test]
    fn texts_are_measured_with_the_font_that_ships() {
        let narrow = text_width("illi", 16.0, false);
        let wide = text_width("WWWW", 16.0, false);
        assert!(narrow > 10.0 && wide > 2.0 * narrow);
        assert!(text_width("WWWW", 16.0, true) > wide);
        let double = text_width("WWWW", 32.0, false);
        assert!((double - 2.0 * wide).abs() < 1.0);
    }

    #[test]
    fn long_texts_are_cut_or_wrapped_to_their_width() {
        let long = "words and ".repeat(30) + &"x".repeat(300);
        assert!(text_width(&fitted(&long, 14.0, false, 200.0), 14.0, false) <= 200.0);
        for line in wrapped(&long, 14.0, false, 200.0) {
            assert!(text_width(&line, 14.0, false) <= 200.0);
        }
        assert_eq!(fitted("short", 14.0, false, 200.0), "short");
    }

    #[test]
    fn no_two_of_many_lines_look_the_same() {
        let looks: BTreeSet<_> = (0..60)
            .map(|index| format!("{:?}", Look::nth(index)))
            .collect();
        assert_eq!(looks.len(), 60);
    }
}
