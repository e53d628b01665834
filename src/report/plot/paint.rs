//! Paints a scene, as SVG or as PNG.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::plot::scene::{Anchor, Place, Scene, Shape, Stroke, Text};
use crate::report::plot::style::{self, Colour, FAMILY, HEIGHT_EM, PAPER};

type Failure = Box<dyn Error + Send + Sync>;

/// Backends draw at whole units only, so a scene is painted at this many of
/// them to a logical pixel, and shown smaller.
const FINE: u32 = 4;

/// The pixels of a PNG to a logical pixel. What is finer becomes smooth edges.
const SHARP: u32 = 2;

/// What tells the two backends' ways with text apart.
#[derive(Clone, Copy)]
struct Dialect {
    /// The size to ask for, for a font of one em.
    size: f64,
    /// From the middle of capitals down to the place to ask for, in ems.
    shift: f64,
}

/// The SVG backend divides sizes by 1.24, and sets a centred text half an
/// x-height above its place.
const SVG: Dialect = Dialect {
    size: 1.24,
    shift: 0.365 - 0.2735,
};

/// The bitmap backend takes a font's height for its size, and sets the
/// baseline of a centred text 0.0968 of that below its place.
const BITMAP: Dialect = Dialect {
    size: HEIGHT_EM,
    shift: 0.365 - 0.0968 * HEIGHT_EM,
};

/// A scene as an SVG document.
pub(super) fn svg(scene: &Scene) -> Result<String, Failure> {
    let mut text = String::new();
    let (width, height) = size(scene, FINE);
    let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
    paint(scene, &area, SVG)?;
    drop(area);
    let (shown_width, shown_height) = size(scene, 1);
    let head = format!("<svg width=\"{width}\" height=\"{height}\"");
    let shown = format!(
        "<svg role=\"img\" aria-label=\"{}\" width=\"{shown_width}\" height=\"{shown_height}\" style=\"max-width:100%;height:auto\"",
        attribute(&scene.description)
    );
    Ok(text.replacen(&head, &shown, 1))
}

/// A text as the value of an XML attribute.
fn attribute(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A scene as a PNG image.
pub(super) fn png(scene: &Scene) -> Result<Vec<u8>, Failure> {
    let fine = size(scene, FINE);
    let mut pixels = vec![255; fine.0 as usize * fine.1 as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, fine).into_drawing_area();
        paint(scene, &area, BITMAP)?;
    }
    encode(&reduced(&pixels, fine.0 as usize), size(scene, SHARP))
}

/// Few colours and long runs: what PNG is best at, with the filter that says so.
fn encode(pixels: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, Failure> {
    let mut image = Vec::new();
    let mut encoder = png::Encoder::new(&mut image, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(image)
}

/// An image of half the width and height: each pixel the mean of four.
fn reduced(pixels: &[u8], width: usize) -> Vec<u8> {
    const { assert!(FINE == 2 * SHARP, "four pixels become one") };
    let row = width * 3;
    let mut small = Vec::with_capacity(pixels.len() / 4);
    for rows in pixels.chunks_exact(row * 2) {
        let (above, below) = rows.split_at(row);
        for (a, b) in above.chunks_exact(6).zip(below.chunks_exact(6)) {
            let mean = |channel: usize| {
                let sum = u16::from(a[channel])
                    + u16::from(a[channel + 3])
                    + u16::from(b[channel])
                    + u16::from(b[channel + 3]);
                (sum / 4) as u8
            };
            small.extend_from_slice(&[mean(0), mean(1), mean(2)]);
        }
    }
    small
}

fn size(scene: &Scene, scale: u32) -> (u32, u32) {
    let whole = |pixels: f64| pixels.ceil().max(1.0) as u32 * scale;
    (whole(scene.width), whole(scene.height))
}

fn paint<DB>(scene: &Scene, area: &DrawingArea<DB, Shift>, dialect: Dialect) -> Result<(), Failure>
where
    DB: DrawingBackend,
    DB::ErrorType: 'static,
{
    style::prepare_font();
    area.fill(&rgb(PAPER))?;
    for shape in &scene.shapes {
        match shape {
            Shape::Line { places, stroke } => {
                area.draw(&PathElement::new(units(places), shape_style(stroke)))?;
            }
            Shape::Area { places, colour } => {
                area.draw(&Polygon::new(units(places), rgb(*colour).filled()))?;
            }
            Shape::Disc {
                centre,
                radius,
                colour,
            } => {
                let radius = (radius * f64::from(FINE)).round() as i32;
                area.draw(&Circle::new(unit(*centre), radius, rgb(*colour).filled()))?;
            }
            Shape::Text(text) => paint_text(text, area, dialect)?,
        }
    }
    area.present()?;
    Ok(())
}

fn paint_text<DB>(
    text: &Text,
    area: &DrawingArea<DB, Shift>,
    dialect: Dialect,
) -> Result<(), Failure>
where
    DB: DrawingBackend,
    DB::ErrorType: 'static,
{
    let weight = if text.bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    let size = text.size * f64::from(FINE) * dialect.size;
    let side = match text.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let font = FontDesc::new(FontFamily::Name(FAMILY), size, weight);
    let colour = rgb(text.colour);
    let style = TextStyle::from(font)
        .color(&colour)
        .pos(Pos::new(side, VPos::Center));
    let at = unit((text.at.0, text.at.1 + dialect.shift * text.size));
    area.draw(&plotters::element::Text::new(text.text.as_str(), at, style))?;
    Ok(())
}

fn shape_style(stroke: &Stroke) -> ShapeStyle {
    let width = (stroke.width * f64::from(FINE)).round().max(1.0) as u32;
    rgb(stroke.colour).mix(stroke.opacity).stroke_width(width)
}

fn rgb((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn units(places: &[Place]) -> Vec<(i32, i32)> {
    places.iter().copied().map(unit).collect()
}

fn unit((x, y): Place) -> (i32, i32) {
    let scale = f64::from(FINE);
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::{png, svg};
    use crate::report::plot::scene::{Scene, Stroke, Text};

    fn scene() -> Scene {
        let mut scene = Scene {
            description: "a \"line\" & <more>".to_owned(),
            width: 60.0,
            height: 40.0,
            shapes: Vec::new(),
        };
        scene.line(
            vec![(5.0, 5.25), (55.0, 5.25)],
            Stroke::new((0, 114, 178), 2.0),
        );
        scene.text(Text::new((5.0, 25.0), "a < b", 12.0));
        scene
    }

    #[test]
    fn an_svg_is_finer_than_the_pixels_that_it_is_shown_at() {
        let text = svg(&scene()).expect("painted");
        assert!(text.starts_with("<svg role=\"img\" aria-label=\"a &quot;line&quot; &amp; &lt;more>\" width=\"60\" height=\"40\" style=\"max-width:100%;height:auto\" viewBox=\"0 0 240 160\""), "{text}");
        assert!(text.contains("20,21 220,21"));
        assert!(text.contains("a &lt; b") && text.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn a_png_has_two_pixels_for_each_logical_one() {
        let bytes = png(&scene()).expect("painted");
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let dimension = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("4"));
        assert_eq!((dimension(16), dimension(20)), (120, 80));
    }
}
