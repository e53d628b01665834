//! One batch: 100 requests over 20 workers, outcomes as values.
//!
//! ```text
//! cargo run --example one_batch -- 'http://127.0.0.1:8080/items/{index}'
//! ```

use std::error::Error;
use std::time::Duration;

use fanout::Run;
use fanout::client::Retry;

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name a URL")?;
    let outcomes = Run::new("tokio")
        .workers(20)
        .against(url)
        .requests(100)
        .timeout(Duration::from_secs(5))
        .retry(Retry::times(2))
        .go()?;
    for (index, failure) in outcomes.failures() {
        eprintln!("request {index}: {failure}");
    }
    let (ok, all) = (outcomes.ok(), outcomes.len());
    println!("{ok} of {all} requests ok, in {:.1?}", outcomes.runtime());
    Ok(())
}
