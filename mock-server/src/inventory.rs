//! The inventory records: what `GET /inventory/{type}?id={id}` answers, as a
//! pure function that a client can call to check the body it received.

use std::fmt;
use std::str::FromStr;

use crate::json;
use crate::random::{Purpose, Stream};

/// The content type of every inventory answer.
pub const CONTENT_TYPE: &str = "application/json; charset=utf-8";

const PRODUCTS: [&str; 24] = [
    "Bacon", "Ball", "Bike", "Car", "Chair", "Cheese", "Chicken", "Chips", "Computer", "Fish",
    "Gloves", "Hat", "Keyboard", "Mouse", "Pants", "Pizza", "Salad", "Sausages", "Shirt", "Shoes",
    "Soap", "Table", "Towels", "Tuna",
];

const MATERIALS: [&str; 11] = [
    "Steel", "Wooden", "Concrete", "Plastic", "Cotton", "Granite", "Rubber", "Metal", "Soft",
    "Fresh", "Frozen",
];

/// The two types of inventory record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `GET /inventory/materials`
    Materials,
    /// `GET /inventory/products`
    Products,
}

impl Kind {
    /// Both kinds, in the order of the default batch.
    pub const ALL: [Self; 2] = [Self::Materials, Self::Products];

    /// The name in the path: `materials` or `products`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Materials => "materials",
            Self::Products => "products",
        }
    }

    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Materials => &MATERIALS,
            Self::Products => &PRODUCTS,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                format!("`{text}` is not an inventory type: expected materials or products")
            })
    }
}

/// One record of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The id that was asked for.
    pub id: String,
    /// A product or a material.
    pub name: &'static str,
    /// The price in hundredths of a euro, 100 to 100,000.
    pub cents: u32,
    /// 0 to 50.
    pub quantity: u32,
}

/// The record of `(seed, kind, id)`: always the same one, on any machine.
///
/// ```
/// use mock_server::inventory::{Kind, record};
///
/// let once = record(1, Kind::Products, "7");
/// assert_eq!(once, record(1, Kind::Products, "7"));
/// assert_ne!(once, record(1, Kind::Products, "8"));
/// ```
#[must_use]
pub fn record(seed: u64, kind: Kind, id: &str) -> Record {
    let fields = fields(seed, kind, id);
    Record {
        id: id.to_owned(),
        name: fields.name,
        cents: fields.cents,
        quantity: fields.quantity,
    }
}

struct Fields {
    name: &'static str,
    cents: u32,
    quantity: u32,
}

fn fields(seed: u64, kind: Kind, id: &str) -> Fields {
    let mut stream = Stream::new(seed, Purpose::Record, kind as u64, id, 0);
    let names = kind.names();
    Fields {
        name: names[stream.below(names.len() as u32) as usize],
        cents: 100 + stream.below(99_901),
        quantity: stream.below(51),
    }
}

/// The body that the server sends for `(seed, kind, id)`, byte for byte.
///
/// ```
/// use mock_server::inventory::{Kind, body};
///
/// let text = String::from_utf8(body(1, Kind::Materials, "7")).unwrap();
/// assert!(text.starts_with("{\n  \"id\": \"7\",\n  \"name\": \""));
/// ```
#[must_use]
pub fn body(seed: u64, kind: Kind, id: &str) -> Vec<u8> {
    let mut out = Vec::new();
    body_into(&mut out, seed, kind, id);
    out
}

/// The same, into room that is there: what it held before is gone.
pub fn body_into(out: &mut Vec<u8>, seed: u64, kind: Kind, id: &str) {
    let fields = fields(seed, kind, id);
    // The exact length, unless the id has to be escaped: what is then turned into
    // shared bytes needs neither a larger block nor a second one.
    let digits = json::digits(u64::from(fields.cents / 100)) + json::digits(fields.quantity.into());
    let frame =
        "{\n  \"id\": \"\",\n  \"name\": \"\",\n  \"price\": \".00 EUR\",\n  \"quantity\": \"\"\n}";
    out.clear();
    out.reserve_exact(frame.len() + id.len() + fields.name.len() + digits);
    out.extend_from_slice(b"{\n  \"id\": \"");
    json::escape_into(out, id);
    out.extend_from_slice(b"\",\n  \"name\": \"");
    out.extend_from_slice(fields.name.as_bytes());
    out.extend_from_slice(b"\",\n  \"price\": \"");
    json::decimal_into(out, u64::from(fields.cents / 100));
    out.push(b'.');
    out.push(b'0' + (fields.cents / 10 % 10) as u8);
    out.push(b'0' + (fields.cents % 10) as u8);
    out.extend_from_slice(b" EUR\",\n  \"quantity\": \"");
    json::decimal_into(out, u64::from(fields.quantity));
    out.extend_from_slice(b"\"\n}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_body_has_the_layout_of_the_article() {
        let record = record(1, Kind::Products, "1");
        let expected = format!(
            "{{\n  \"id\": \"1\",\n  \"name\": \"{}\",\n  \"price\": \"{}.{:02} EUR\",\n  \"quantity\": \"{}\"\n}}",
            record.name,
            record.cents / 100,
            record.cents % 100,
            record.quantity
        );
        let body = body(1, Kind::Products, "1");
        assert_eq!(body, expected.as_bytes());
        assert_eq!(body.capacity(), body.len());
    }

    #[test]
    fn ranges_are_filled_to_their_ends() {
        let records: Vec<_> = (0..200_000)
            .map(|id| record(3, Kind::Materials, &id.to_string()))
            .collect();
        let quantities = records.iter().map(|r| r.quantity);
        assert_eq!(quantities.clone().min(), Some(0));
        assert_eq!(quantities.max(), Some(50));
        let cents = records.iter().map(|r| r.cents);
        assert!(cents.clone().min() < Some(110) && cents.clone().min() >= Some(100));
        assert!(cents.clone().max() > Some(99_990) && cents.max() <= Some(100_000));
        for name in MATERIALS {
            assert!(records.iter().any(|r| r.name == name), "{name}");
        }
    }

    #[test]
    fn a_kind_is_read_by_the_name_it_shows() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("gadgets".parse::<Kind>().unwrap_err().contains("gadgets"));
    }

    proptest! {
        #[test]
        fn any_id_gives_json_that_echoes_it(seed: u64, id in any::<String>()) {
            let bytes = body(seed, Kind::Products, &id);
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(value["id"].as_str(), Some(id.as_str()));
            prop_assert_eq!(value.as_object().unwrap().len(), 4);
        }
    }
}
