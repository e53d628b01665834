//! A plot as a list of shapes in logical pixels, before any backend draws it.

use crate::report::plot::style::{self, Colour, Marker};

/// A place: pixels from the left, pixels from the top.
pub(crate) type Place = (f64, f64);

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    /// Whether two rectangles share more than an edge.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    /// Whether a place lies inside.
    pub(crate) fn holds(&self, (x, y): Place) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// Everything of a plot, in the order in which it is painted.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// What the plot shows, for those who cannot see it.
    pub(crate) description: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

/// One thing to paint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Straight lines from place to place.
    Line { places: Vec<Place>, stroke: Stroke },
    /// A filled area.
    Area { places: Vec<Place>, colour: Colour },
    /// A filled circle.
    Disc {
        centre: Place,
        radius: f64,
        colour: Colour,
    },
    /// A text.
    Text(Text),
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) colour: Colour,
    /// Pixels.
    pub(crate) width: f64,
    /// 0 to 1.
    pub(crate) opacity: f64,
}

impl Stroke {
    /// An opaque line.
    pub(crate) fn new(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            width,
            opacity: 1.0,
        }
    }

    /// The same, to be seen through.
    pub(crate) fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }
}

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    /// Its anchor, and the middle of its capitals.
    pub(crate) at: Place,
    pub(crate) text: String,
    /// The font's em in pixels.
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) colour: Colour,
    pub(crate) anchor: Anchor,
}

impl Text {
    /// A text in ink that starts at its place.
    pub(crate) fn new(at: Place, text: impl Into<String>, size: f64) -> Self {
        Self {
            at,
            text: text.into(),
            size,
            bold: false,
            colour: style::INK,
            anchor: Anchor::Start,
        }
    }

    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(crate) fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// The room that it takes, from ascenders to descenders.
    pub(crate) fn frame(&self) -> Frame {
        let width = style::text_width(&self.text, self.size, self.bold);
        let left = match self.anchor {
            Anchor::Start => self.at.0,
            Anchor::Middle => self.at.0 - width / 2.0,
            Anchor::End => self.at.0 - width,
        };
        Frame {
            left,
            top: self.at.1 - 0.45 * self.size,
            right: left + width,
            bottom: self.at.1 + 0.6 * self.size,
        }
    }
}

impl Scene {
    /// An empty one.
    pub(crate) fn new(description: String, width: f64) -> Self {
        Self {
            description,
            width,
            height: 0.0,
            shapes: Vec::new(),
        }
    }

    /// Straight lines.
    pub(crate) fn line(&mut self, places: Vec<Place>, stroke: Stroke) {
        self.shapes.push(Shape::Line { places, stroke });
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rectangle(&mut self, (left, top): Place, (right, bottom): Place, colour: Colour) {
        let places = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.shapes.push(Shape::Area { places, colour });
    }

    /// A text.
    pub(crate) fn text(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }

    /// A ring of ink: several points at one place.
    pub(crate) fn ring(&mut self, centre: Place, radius: f64) {
        for (radius, colour) in [
            (radius + 1.2, style::PAPER),
            (radius, style::INK),
            (radius - 1.8, style::PAPER),
        ] {
            self.shapes.push(Shape::Disc {
                centre,
                radius,
                colour,
            });
        }
    }

    /// A small dot: one sample of several.
    pub(crate) fn sample(&mut self, centre: Place, radius: f64, colour: Colour) {
        for (radius, colour) in [(radius * 1.4, style::PAPER), (radius, colour)] {
            self.shapes.push(Shape::Disc {
                centre,
                radius,
                colour,
            });
        }
    }

    /// A marker with a rim of paper that sets it off what it lies on.
    pub(crate) fn marker(&mut self, marker: Marker, centre: Place, radius: f64, colour: Colour) {
        self.plain_marker(marker, centre, radius * 1.26, style::PAPER);
        self.plain_marker(marker, centre, radius, colour);
    }

    fn plain_marker(&mut self, marker: Marker, (x, y): Place, radius: f64, colour: Colour) {
        // Radii that make all shapes of about the same area.
        let corners: &[Place] = match marker {
            Marker::Circle => {
                self.shapes.push(Shape::Disc {
                    centre: (x, y),
                    radius,
                    colour,
                });
                return;
            }
            Marker::Square => &[(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
            Marker::Triangle => &[(0.0, -1.25), (1.15, 0.8), (-1.15, 0.8)],
            Marker::TriangleDown => &[(0.0, 1.25), (1.15, -0.8), (-1.15, -0.8)],
            Marker::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let places = corners
            .iter()
            .map(|(dx, dy)| (x + dx * radius, y + dy * radius))
            .collect();
        self.shapes.push(Shape::Area { places, colour });
    }

    /// A cross: a point whose runtime does not count.
    pub(crate) fn cross(&mut self, (x, y): Place, radius: f64, colour: Colour) {
        for (stroke, radius) in [
            (Stroke::new(style::PAPER, 4.4), radius + 1.0),
            (Stroke::new(colour, 2.2), radius),
        ] {
            self.line(
                vec![(x - radius, y - radius), (x + radius, y + radius)],
                stroke,
            );
            self.line(
                vec![(x - radius, y + radius), (x + radius, y - radius)],
                stroke,
            );
        }
    }
}
